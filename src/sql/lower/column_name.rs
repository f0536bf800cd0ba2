//! How PostgreSQL names an output column that has no alias: `FigureColname` of `parse_target.c`.

use super::expression::sql_value;
use super::node::{string, strings};
use super::select::first_column;
use pg_query::NodeEnum;
use pg_query::protobuf::{AExprKind, JsonExprOp, MinMaxOp, Node, SubLinkType, XmlExprOp};

/// The name, or `None` where PostgreSQL writes `?column?` or a `*` stands for several.
pub fn column_name(node: &Node) -> Option<String> {
    figure(node).name
}

/// A candidate. A weak name (of a cast or a CASE) gives way to a better one from around it.
struct Figured {
    name: Option<String>,
    strong: bool,
}

fn strong(name: impl Into<String>) -> Figured {
    Figured { name: Some(name.into()), strong: true }
}

fn weak(name: Option<String>) -> Figured {
    Figured { name, strong: false }
}

fn figure(node: &Node) -> Figured {
    let Some(inner) = &node.node else { return weak(None) };
    match inner {
        NodeEnum::ColumnRef(column) => match column.fields.last().and_then(string) {
            Some(name) => strong(name),
            None => weak(None),
        },
        NodeEnum::AIndirection(indirection) => match indirection.indirection.iter().rev().find_map(string) {
            Some(name) => strong(name),
            None => below(indirection.arg.as_deref()),
        },
        NodeEnum::FuncCall(function) => strong(strings(&function.funcname).pop().unwrap_or_default()),
        NodeEnum::AExpr(expression) if expression.kind() == AExprKind::AexprNullif => strong("nullif"),
        NodeEnum::TypeCast(cast) => {
            let inner = below(cast.arg.as_deref());
            if inner.strong {
                inner
            } else {
                weak(cast.type_name.as_ref().and_then(|name| strings(&name.names).pop()).or(inner.name))
            }
        }
        NodeEnum::CollateClause(clause) => below(clause.arg.as_deref()),
        NodeEnum::GroupingFunc(_) => strong("grouping"),
        NodeEnum::MergeSupportFunc(_) => strong("merge_action"),
        NodeEnum::SubLink(link) => match link.sub_link_type() {
            SubLinkType::ExistsSublink => strong("exists"),
            SubLinkType::ArraySublink => strong("array"),
            // The column of the subquery has a name even where that is `?column?`, so nothing around it may replace it.
            SubLinkType::ExprSublink => Figured { name: link.subselect.as_deref().and_then(first_column), strong: true },
            _ => weak(None),
        },
        NodeEnum::CaseExpr(case) => {
            let inner = below(case.defresult.as_deref());
            if inner.strong { inner } else { weak(Some("case".into())) }
        }
        NodeEnum::AArrayExpr(_) => strong("array"),
        NodeEnum::RowExpr(_) => strong("row"),
        NodeEnum::CoalesceExpr(_) => strong("coalesce"),
        NodeEnum::MinMaxExpr(expression) => strong(if expression.op() == MinMaxOp::IsLeast { "least" } else { "greatest" }),
        NodeEnum::SqlvalueFunction(function) => strong(sql_value(function.op())),
        NodeEnum::XmlExpr(xml) => match xml.op() {
            XmlExprOp::IsXmlconcat => strong("xmlconcat"),
            XmlExprOp::IsXmlelement => strong("xmlelement"),
            XmlExprOp::IsXmlforest => strong("xmlforest"),
            XmlExprOp::IsXmlparse => strong("xmlparse"),
            XmlExprOp::IsXmlpi => strong("xmlpi"),
            XmlExprOp::IsXmlroot => strong("xmlroot"),
            XmlExprOp::IsXmlserialize => strong("xmlserialize"),
            XmlExprOp::IsDocument | XmlExprOp::Undefined => weak(None),
        },
        NodeEnum::XmlSerialize(_) => strong("xmlserialize"),
        NodeEnum::JsonParseExpr(_) => strong("json"),
        NodeEnum::JsonScalarExpr(_) => strong("json_scalar"),
        NodeEnum::JsonSerializeExpr(_) => strong("json_serialize"),
        NodeEnum::JsonObjectConstructor(_) => strong("json_object"),
        NodeEnum::JsonArrayConstructor(_) | NodeEnum::JsonArrayQueryConstructor(_) => strong("json_array"),
        NodeEnum::JsonObjectAgg(_) => strong("json_objectagg"),
        NodeEnum::JsonArrayAgg(_) => strong("json_arrayagg"),
        NodeEnum::JsonFuncExpr(function) => match function.op() {
            JsonExprOp::JsonExistsOp => strong("json_exists"),
            JsonExprOp::JsonQueryOp => strong("json_query"),
            JsonExprOp::JsonValueOp => strong("json_value"),
            JsonExprOp::JsonTableOp | JsonExprOp::Undefined => weak(None),
        },
        _ => weak(None),
    }
}

fn below(node: Option<&Node>) -> Figured {
    node.map_or_else(|| weak(None), figure)
}
