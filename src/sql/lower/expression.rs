//! Expressions. Every child of every node is kept: a walk over the result finds each call, column and subquery of the text.

use super::Lowering;
use super::json;
use super::node::{kind_name, name_of, string, strings};
use super::select::window;
use super::select::{sort_keys, subquery};
use super::types::required_type;
use crate::expr::{Call, Expr};
use crate::op::{ObjectName, Query};
use pg_query::NodeEnum;
use pg_query::protobuf::{
    self, AConst, AExpr, AExprKind, BoolExprType, BoolTestType, CoercionForm, FuncCall, MinMaxOp, Node, NullTestType,
    SqlValueFunctionOp, SubLink, SubLinkType, a_const,
};

/// Lowers one expression.
pub fn lower(node: &Node, cx: &Lowering<'_>) -> Expr {
    let Some(inner) = &node.node else { return Expr::Null };
    match inner {
        NodeEnum::AConst(constant) => literal(constant),
        NodeEnum::ColumnRef(column) => column_ref(&column.fields),
        NodeEnum::ParamRef(param) => Expr::Param(param.number),
        NodeEnum::AExpr(expression) => operation(expression, cx),
        NodeEnum::BoolExpr(expression) => match expression.boolop() {
            BoolExprType::OrExpr => Expr::Or(list(&expression.args, cx)),
            BoolExprType::NotExpr => Expr::Not(Box::new(first(&expression.args, cx))),
            BoolExprType::AndExpr | BoolExprType::Undefined => Expr::And(list(&expression.args, cx)),
        },
        NodeEnum::NullTest(test) => {
            Expr::IsNull { expr: boxed(test.arg.as_deref(), cx), negated: test.nulltesttype() == NullTestType::IsNotNull }
        }
        NodeEnum::BooleanTest(test) => {
            let word = match test.booltesttype() {
                BoolTestType::IsTrue | BoolTestType::Undefined => "true",
                BoolTestType::IsNotTrue => "not true",
                BoolTestType::IsFalse => "false",
                BoolTestType::IsNotFalse => "not false",
                BoolTestType::IsUnknown => "unknown",
                BoolTestType::IsNotUnknown => "not unknown",
            };
            Expr::BooleanTest { expr: boxed(test.arg.as_deref(), cx), test: word.into() }
        }
        NodeEnum::FuncCall(function) => call(function, cx),
        NodeEnum::TypeCast(cast) => type_cast(cast, cx),
        NodeEnum::CaseExpr(case) => Expr::Case {
            operand: case.arg.as_deref().map(|operand| Box::new(lower(operand, cx))),
            arms: case
                .args
                .iter()
                .filter_map(|arm| match &arm.node {
                    Some(NodeEnum::CaseWhen(arm)) => Some((or_null(arm.expr.as_deref(), cx), or_null(arm.result.as_deref(), cx))),
                    _ => None,
                })
                .collect(),
            otherwise: case.defresult.as_deref().map(|result| Box::new(lower(result, cx))),
        },
        NodeEnum::SubLink(link) => sub_link(link, cx),
        NodeEnum::SelectStmt(select) => Expr::Scalar(Box::new(super::query(select, cx))),
        NodeEnum::CoalesceExpr(expression) => Expr::Coalesce(list(&expression.args, cx)),
        NodeEnum::MinMaxExpr(expression) => {
            Expr::MinMax { greatest: expression.op() == MinMaxOp::IsGreatest, args: list(&expression.args, cx) }
        }
        NodeEnum::SqlvalueFunction(function) => Expr::SqlValue(sql_value(function.op()).into()),
        NodeEnum::AArrayExpr(array) => Expr::Array(list(&array.elements, cx)),
        NodeEnum::RowExpr(row) => Expr::Row(list(&row.args, cx)),
        NodeEnum::List(items) => Expr::Row(list(&items.items, cx)),
        NodeEnum::AIndirection(indirection) => indirected(or_null(indirection.arg.as_deref(), cx), &indirection.indirection, cx),
        NodeEnum::CollateClause(clause) => {
            Expr::Collate { expr: boxed(clause.arg.as_deref(), cx), collation: name_of(&clause.collname) }
        }
        NodeEnum::NamedArgExpr(argument) => {
            other("NamedArgExpr", vec![Expr::Str(argument.name.clone()), or_null(argument.arg.as_deref(), cx)])
        }
        NodeEnum::GroupingFunc(grouping) => other("GroupingFunc", list(&grouping.args, cx)),
        NodeEnum::GroupingSet(set) => other("GroupingSet", list(&set.content, cx)),
        NodeEnum::XmlExpr(xml) => {
            other("XmlExpr", xml.named_args.iter().chain(&xml.args).map(|child| lower(child, cx)).collect())
        }
        NodeEnum::XmlSerialize(xml) => {
            Expr::Cast { expr: boxed(xml.expr.as_deref(), cx), to: required_type(xml.type_name.as_ref()) }
        }
        NodeEnum::ResTarget(target) => indirected(or_null(target.val.as_deref(), cx), &target.indirection, cx),
        NodeEnum::MultiAssignRef(assignment) => or_null(assignment.source.as_deref(), cx),
        NodeEnum::SetToDefault(_) => other("SetToDefault", Vec::new()),
        NodeEnum::CurrentOfExpr(_) => other("CurrentOfExpr", Vec::new()),
        NodeEnum::MergeSupportFunc(_) => other("MergeSupportFunc", Vec::new()),
        NodeEnum::String(text) => Expr::Str(text.sval.clone()),
        NodeEnum::Integer(number) => Expr::Int(number.ival.into()),
        NodeEnum::Float(number) => decimal(&number.fval),
        NodeEnum::Boolean(value) => Expr::Bool(value.boolval),
        NodeEnum::TypeName(name) => Expr::Column(strings(&name.names)),
        NodeEnum::AStar(_) => Expr::Star(Vec::new()),
        _ => json::lower(inner, cx).unwrap_or_else(|| other(&kind_name(inner), Vec::new())),
    }
}

pub fn list(nodes: &[Node], cx: &Lowering<'_>) -> Vec<Expr> {
    nodes.iter().map(|node| lower(node, cx)).collect()
}

pub fn optional(node: Option<&Node>, cx: &Lowering<'_>) -> Option<Expr> {
    node.map(|node| lower(node, cx))
}

pub fn or_null(node: Option<&Node>, cx: &Lowering<'_>) -> Expr {
    node.map_or(Expr::Null, |node| lower(node, cx))
}

pub fn other(node: &str, children: Vec<Expr>) -> Expr {
    Expr::Other { node: node.into(), children }
}

fn boxed(node: Option<&Node>, cx: &Lowering<'_>) -> Box<Expr> {
    Box::new(or_null(node, cx))
}

fn first(nodes: &[Node], cx: &Lowering<'_>) -> Expr {
    or_null(nodes.first(), cx)
}

fn literal(constant: &AConst) -> Expr {
    match &constant.val {
        None => Expr::Null,
        Some(a_const::Val::Ival(number)) => Expr::Int(number.ival.into()),
        Some(a_const::Val::Fval(number)) => decimal(&number.fval),
        Some(a_const::Val::Boolval(value)) => Expr::Bool(value.boolval),
        Some(a_const::Val::Sval(text)) => Expr::Str(text.sval.clone()),
        Some(a_const::Val::Bsval(bits)) => Expr::Bit(bits.bsval.clone()),
    }
}

/// A numeric literal that did not fit the parser's 32 bits; also `0x…`, `0o…`, `0b…` and digits grouped with `_` (16).
fn decimal(text: &str) -> Expr {
    let digits = text.replace('_', "").to_ascii_lowercase();
    let (sign, digits) = digits.strip_prefix('-').map_or((1, digits.as_str()), |rest| (-1, rest));
    let parsed = match digits.get(..2) {
        Some("0x") => i64::from_str_radix(&digits[2..], 16),
        Some("0o") => i64::from_str_radix(&digits[2..], 8),
        Some("0b") => i64::from_str_radix(&digits[2..], 2),
        _ if sign < 0 => format!("-{digits}").parse().map(|number: i64| number.wrapping_neg()),
        _ => digits.parse(),
    };
    // `-9223372036854775808` is its own negation in 64 bits, so wrapping gives it back unchanged.
    parsed.map_or_else(|_| Expr::Float(text.into()), |number| Expr::Int(number.wrapping_mul(sign)))
}

fn column_ref(fields: &[Node]) -> Expr {
    let names = strings(fields);
    if fields.last().is_some_and(|last| matches!(last.node, Some(NodeEnum::AStar(_)))) {
        Expr::Star(names)
    } else {
        Expr::Column(names)
    }
}

fn type_cast(cast: &protobuf::TypeCast, cx: &Lowering<'_>) -> Expr {
    let to = required_type(cast.type_name.as_ref());
    let inner = or_null(cast.arg.as_deref(), cx);
    // The grammar writes TRUE and FALSE as a boolean constant cast to bool.
    if matches!(inner, Expr::Bool(_)) && to.name == ObjectName::bare("bool") && to.array_dims == 0 {
        return inner;
    }
    Expr::Cast { expr: Box::new(inner), to }
}

fn operator_name(expression: &AExpr) -> String {
    expression.name.last().and_then(string).unwrap_or_default()
}

fn operation(expression: &AExpr, cx: &Lowering<'_>) -> Expr {
    let left = || boxed(expression.lexpr.as_deref(), cx);
    let right = || boxed(expression.rexpr.as_deref(), cx);
    let name = operator_name(expression);
    match expression.kind() {
        AExprKind::AexprOp | AExprKind::Undefined => chain(expression, cx),
        AExprKind::AexprOpAny => Expr::AnyAll { name, all: false, left: left(), right: right() },
        AExprKind::AexprOpAll => Expr::AnyAll { name, all: true, left: left(), right: right() },
        AExprKind::AexprDistinct => Expr::IsDistinct { left: left(), right: right(), negated: false },
        AExprKind::AexprNotDistinct => Expr::IsDistinct { left: left(), right: right(), negated: true },
        AExprKind::AexprNullif => Expr::NullIf { left: left(), right: right() },
        AExprKind::AexprIn => {
            Expr::InList { expr: left(), list: members(expression.rexpr.as_deref(), cx), negated: name == "<>" }
        }
        AExprKind::AexprLike | AExprKind::AexprIlike | AExprKind::AexprSimilar => {
            Expr::Like { name, left: left(), right: right() }
        }
        AExprKind::AexprBetween | AExprKind::AexprBetweenSym => between(expression, false, cx),
        AExprKind::AexprNotBetween | AExprKind::AexprNotBetweenSym => between(expression, true, cx),
    }
}

fn between(expression: &AExpr, negated: bool, cx: &Lowering<'_>) -> Expr {
    let mut bounds = members(expression.rexpr.as_deref(), cx).into_iter();
    Expr::Between {
        expr: boxed(expression.lexpr.as_deref(), cx),
        low: Box::new(bounds.next().unwrap_or(Expr::Null)),
        high: Box::new(bounds.next().unwrap_or(Expr::Null)),
        negated,
    }
}

fn members(node: Option<&Node>, cx: &Lowering<'_>) -> Vec<Expr> {
    node.map(|node| list(super::node::items(node), cx)).unwrap_or_default()
}

/// `a || b || c …` leans to the left and may be thousands long: down the left side in a loop, then built up again.
fn chain(expression: &AExpr, cx: &Lowering<'_>) -> Expr {
    let mut links = vec![expression];
    let mut left = expression.lexpr.as_deref();
    while let Some(Node { node: Some(NodeEnum::AExpr(inner)) }) = left
        && inner.kind() == AExprKind::AexprOp
    {
        links.push(inner);
        left = inner.lexpr.as_deref();
    }
    let mut built = left.map(|left| lower(left, cx));
    for link in links.into_iter().rev() {
        let args = built.into_iter().chain(optional(link.rexpr.as_deref(), cx)).collect();
        built = Some(Expr::Operator { name: operator_name(link), args });
    }
    built.unwrap_or(Expr::Null)
}

/// A function call. What the grammar writes for SQL's own syntax (`extract`, `position`, `AT TIME ZONE` …) loses `pg_catalog`.
pub fn call(function: &FuncCall, cx: &Lowering<'_>) -> Expr {
    let mut name = name_of(&function.funcname);
    if function.funcformat() == CoercionForm::CoerceSqlSyntax {
        if name.name == "timezone"
            && let [zone, value] = function.args.as_slice()
        {
            return Expr::AtTimeZone { expr: Box::new(lower(value, cx)), zone: Box::new(lower(zone, cx)) };
        }
        name.schema = None;
    } else if matches!(name.name.as_str(), "like_escape" | "similar_to_escape") {
        name.schema = None;
    }
    let mut extra = sort_keys(&function.agg_order, cx);
    if let Some(over) = &function.over {
        extra.extend(window(over, cx));
    }
    Expr::Call(Call {
        name,
        args: list(&function.args, cx),
        distinct: function.agg_distinct,
        star: function.agg_star,
        filter: optional(function.agg_filter.as_deref(), cx).map(Box::new),
        window: function.over.is_some(),
        extra,
    })
}

fn sub_link(link: &SubLink, cx: &Lowering<'_>) -> Expr {
    let query = Box::new(link.subselect.as_deref().map_or_else(Query::default, |select| subquery(select, cx)));
    match link.sub_link_type() {
        SubLinkType::ExistsSublink => Expr::Exists(query),
        SubLinkType::ArraySublink => Expr::ArrayQuery(query),
        SubLinkType::AllSublink | SubLinkType::AnySublink | SubLinkType::RowcompareSublink => {
            let operator = link.oper_name.iter().filter_map(string).next_back();
            let is_in = link.sub_link_type() == SubLinkType::AnySublink && operator.is_none_or(|operator| operator == "=");
            Expr::QueryTest { left: optional(link.testexpr.as_deref(), cx).map(Box::new), query, is_in }
        }
        SubLinkType::ExprSublink | SubLinkType::MultiexprSublink | SubLinkType::CteSublink | SubLinkType::Undefined => {
            Expr::Scalar(query)
        }
    }
}

/// `expr.field`, `expr[index]` and `expr.*` (a field named `*`), applied from left to right.
fn indirected(mut base: Expr, indirection: &[Node], cx: &Lowering<'_>) -> Expr {
    for step in indirection {
        base = match &step.node {
            Some(NodeEnum::String(field)) => Expr::Field { expr: Box::new(base), field: field.sval.clone() },
            Some(NodeEnum::AStar(_)) => Expr::Field { expr: Box::new(base), field: "*".into() },
            Some(NodeEnum::AIndices(index)) => {
                let indexes = index.lidx.iter().chain(&index.uidx).map(|bound| lower(bound, cx)).collect();
                Expr::Subscript { expr: Box::new(base), indexes }
            }
            _ => base,
        };
    }
    base
}

/// The name of SQL's parameterless functions, which is also what PostgreSQL names a column after.
pub fn sql_value(function: SqlValueFunctionOp) -> &'static str {
    use SqlValueFunctionOp as Op;
    match function {
        Op::SvfopCurrentDate => "current_date",
        Op::SvfopCurrentTime | Op::SvfopCurrentTimeN => "current_time",
        Op::SvfopCurrentTimestamp | Op::SvfopCurrentTimestampN => "current_timestamp",
        Op::SvfopLocaltime | Op::SvfopLocaltimeN => "localtime",
        Op::SvfopLocaltimestamp | Op::SvfopLocaltimestampN => "localtimestamp",
        Op::SvfopCurrentRole => "current_role",
        Op::SvfopCurrentUser => "current_user",
        Op::SvfopUser => "user",
        Op::SvfopSessionUser => "session_user",
        Op::SvfopCurrentCatalog => "current_catalog",
        Op::SvfopCurrentSchema => "current_schema",
        Op::SqlvalueFunctionOpUndefined => "",
    }
}
