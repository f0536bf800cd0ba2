//! Types of expressions (`parse_expr.c`), with everything they refer to noted on the way.

use super::overload::{Candidate, choose, common_type_with_modifiers, is_literal, literal, result_type};
use super::{Analyzer, ItemColumn};
use crate::catalog::builtin;
use crate::catalog::object::{Id, Reference, TypeKind};
use crate::catalog::types::{BaseType, DataType};
use crate::expr::Expr;
use crate::op::{Query, TypeRef};

impl Analyzer<'_> {
    /// The type, with the collation that the expression carries by itself.
    pub(super) fn infer_with_collation(&mut self, expr: &Expr) -> (DataType, Option<String>) {
        match expr {
            Expr::Column(parts) => self.column(parts),
            Expr::Collate { expr, collation } => {
                let data_type = self.infer(expr);
                let data_type = if is_literal(&data_type) { DataType::builtin("text") } else { data_type };
                (data_type, Some(collation.name.clone()))
            }
            other => (self.infer(other), None),
        }
    }

    pub(super) fn infer(&mut self, expr: &Expr) -> DataType {
        let bool_type = || DataType::builtin("bool");
        match expr {
            Expr::Null | Expr::Str(_) => literal(),
            Expr::Bool(_) => bool_type(),
            Expr::Int(value) if i32::try_from(*value).is_ok() => DataType::builtin("int4"),
            Expr::Int(_) => DataType::builtin("int8"),
            Expr::Float(_) => DataType::builtin("numeric"),
            Expr::Bit(_) => DataType::builtin("bit"),
            Expr::Column(parts) => self.column(parts).0,
            Expr::Star(parts) => self.whole_row(parts),
            Expr::Param(_) => DataType::UNKNOWN,
            Expr::Cast { expr, to } => self.cast(expr, to),
            Expr::Call(call) => self.call_result(call).data_type,
            Expr::Operator { name, args } => {
                let types: Vec<DataType> = args.iter().map(|arg| self.infer(arg)).collect();
                self.operator(name, &types).0
            }
            Expr::InList { expr, list, .. } => {
                self.infer(expr);
                self.infer_all(list);
                bool_type()
            }
            Expr::AnyAll { left, right, .. } | Expr::Like { left, right, .. } | Expr::IsDistinct { left, right, .. } => {
                self.infer(left);
                self.infer(right);
                bool_type()
            }
            Expr::Between { expr, low, high, .. } => {
                self.infer(expr);
                self.infer(low);
                self.infer(high);
                bool_type()
            }
            Expr::NullIf { left, right } => {
                let types = [self.infer(left), self.infer(right)];
                // The type of `=`'s left side, once both are coerced for it.
                self.operator("=", &types).1.unwrap_or(DataType::UNKNOWN)
            }
            Expr::And(list) | Expr::Or(list) => {
                self.infer_all(list);
                bool_type()
            }
            Expr::Not(expr) | Expr::IsNull { expr, .. } | Expr::BooleanTest { expr, .. } => {
                self.infer(expr);
                bool_type()
            }
            Expr::Coalesce(list) | Expr::MinMax { args: list, .. } => {
                let types: Vec<DataType> = list.iter().map(|arg| self.infer(arg)).collect();
                common_type_with_modifiers(self.c, &types)
            }
            Expr::Case { operand, arms, otherwise } => self.case(operand.as_deref(), arms, otherwise.as_deref()),
            Expr::Array(list) => {
                let types: Vec<DataType> = list.iter().map(|arg| self.infer(arg)).collect();
                if types.is_empty() { DataType::UNKNOWN } else { common_type_with_modifiers(self.c, &types).with_array() }
            }
            Expr::Row(list) => {
                self.infer_all(list);
                DataType::builtin("record")
            }
            Expr::SqlValue(name) => sql_value(name),
            Expr::Exists(query) => {
                self.query(query, &[]);
                bool_type()
            }
            Expr::QueryTest { left, query, .. } => {
                if let Some(left) = left {
                    self.infer(left);
                }
                self.query(query, &[]);
                bool_type()
            }
            Expr::Scalar(query) => self.first_column(query),
            Expr::ArrayQuery(query) => {
                let element = self.first_column(query);
                if element.is_unknown() { element } else { element.with_array() }
            }
            Expr::Subscript { expr, indexes } => {
                self.infer_all(indexes);
                let data_type = self.infer(expr);
                // A subscript of jsonb gives jsonb.
                if data_type.array { data_type.element() } else { data_type }
            }
            Expr::Field { expr, field } => self.field(expr, field),
            Expr::Collate { expr, .. } => self.infer(expr),
            Expr::AtTimeZone { expr, zone } => {
                let types = [self.infer(zone), self.infer(expr)];
                self.timezone(&types)
            }
            Expr::Other { node, children } => {
                self.infer_all(children);
                other_node(node)
            }
        }
    }

    fn case(&mut self, operand: Option<&Expr>, arms: &[(Expr, Expr)], otherwise: Option<&Expr>) -> DataType {
        if let Some(operand) = operand {
            self.infer(operand);
        }
        let mut types = Vec::new();
        for (when, then) in arms {
            self.infer(when);
            types.push(self.infer(then));
        }
        // The server looks at ELSE first; without one it is NULL.
        types.insert(0, otherwise.map_or_else(literal, |otherwise| self.infer(otherwise)));
        common_type_with_modifiers(self.c, &types)
    }

    fn cast(&mut self, expr: &Expr, to: &TypeRef) -> DataType {
        self.infer(expr);
        let target = self.declared_type(to);
        if let (Expr::Str(text), Some("regclass")) = (expr, target.builtin_name()) {
            self.regclass_literal(text);
        }
        target
    }

    /// A type that the query names.
    pub(super) fn declared_type(&mut self, type_ref: &TypeRef) -> DataType {
        let data_type = self.c.data_type(type_ref);
        match data_type.base {
            BaseType::User(id) => self.needs(Reference::Type(id)),
            BaseType::Row(id) => self.needs(Reference::Relation(id)),
            BaseType::Builtin(_) | BaseType::Unknown => {}
        }
        data_type
    }

    fn first_column(&mut self, query: &Query) -> DataType {
        self.query(query, &[]).into_iter().next().map_or(DataType::UNKNOWN, |column| column.data_type)
    }

    /// Result of an operator and the type its left side is coerced to.
    fn operator(&self, name: &str, actual: &[DataType]) -> (DataType, Option<DataType>) {
        let mut actual: Vec<DataType> = actual.iter().map(DataType::without_typmods).collect();
        let candidates: Vec<Candidate<DataType>> = builtin::operators(name)
            .into_iter()
            .map(|operator| Candidate {
                args: operator.left.into_iter().chain([operator.right]).collect(),
                what: operator.result,
            })
            .filter(|candidate: &Candidate<DataType>| candidate.args.len() == actual.len())
            .collect();
        // `binary_oper_exact`: a literal is first taken to be of the other side's type.
        if let [left, right] = actual.as_slice()
            && is_literal(left) != is_literal(right)
        {
            let known = self.c.base_type(if is_literal(left) { right } else { left }).without_typmods();
            let same = vec![known.clone(), known];
            if candidates.iter().any(|candidate| candidate.args == same) {
                actual = same;
            }
        }
        let found = choose(self.c, candidates, &actual);
        let result = |candidate: &Candidate<DataType>| result_type(self.c, &candidate.args, &actual, &candidate.what);
        match found.as_slice() {
            [only] => {
                let left = only.args.first().map(|declared| result_type(self.c, &only.args, &actual, declared));
                (result(only), left)
            }
            [first, rest @ ..] => {
                let data_type = result(first);
                if rest.iter().all(|other| result(other) == data_type) { (data_type, None) } else { (DataType::UNKNOWN, None) }
            }
            // Operators of extensions and of the user are not known, but what compares gives a boolean.
            [] if is_comparison(name) => (DataType::builtin("bool"), actual.into_iter().next()),
            [] => (DataType::UNKNOWN, None),
        }
    }

    /// AT TIME ZONE is `timezone(zone, value)`.
    fn timezone(&self, actual: &[DataType]) -> DataType {
        let candidates = builtin::functions("timezone")
            .into_iter()
            .filter(|function| function.args.len() == actual.len())
            .map(|function| Candidate { args: function.args, what: function.returns })
            .collect();
        let bare: Vec<DataType> = actual.iter().map(DataType::without_typmods).collect();
        match choose(self.c, candidates, &bare).as_slice() {
            [only] => only.what.clone(),
            _ => DataType::UNKNOWN,
        }
    }

    /// `(expression).field` of a row type.
    fn field(&mut self, expr: &Expr, field: &str) -> DataType {
        if let Expr::Call(call) = expr {
            let result = self.call_result(call);
            if let Some((_, data_type)) = result.outputs.iter().find(|(name, _)| name == field) {
                return data_type.clone();
            }
            return self.field_of(&result.data_type, field);
        }
        let data_type = self.infer(expr);
        self.field_of(&data_type, field)
    }

    fn field_of(&mut self, data_type: &DataType, field: &str) -> DataType {
        let Some(columns) = self.row_columns(data_type) else { return DataType::UNKNOWN };
        let Some(column) = columns.into_iter().find(|column| column.name == field) else { return DataType::UNKNOWN };
        column.references.into_iter().for_each(|reference| self.needs(reference));
        column.data_type
    }

    /// The relation behind a row type, composite types included.
    pub(super) fn row_relation(&self, data_type: &DataType) -> Option<Id> {
        match self.c.base_type(data_type) {
            DataType { array: true, .. } => None,
            DataType { base: BaseType::Row(id), .. } => Some(id),
            DataType { base: BaseType::User(id), .. } => match self.c.types.get(&id)?.kind {
                TypeKind::Composite { relation } => Some(relation),
                _ => None,
            },
            _ => None,
        }
    }

    fn whole_row(&mut self, parts: &[String]) -> DataType {
        let Some(name) = parts.last() else { return DataType::builtin("record") };
        let schema = parts.len().checked_sub(2).map(|at| parts[at].as_str());
        self.find_item(schema, name).map_or(DataType::UNKNOWN, |item| item.row_type())
    }

    fn column(&mut self, parts: &[String]) -> (DataType, Option<String>) {
        let found = match parts {
            [name] => return self.bare_column(name),
            [.., table, name] => {
                let schema = parts.len().checked_sub(3).map(|at| parts[at].as_str());
                self.find_item(schema, table).map(|item| (item, name))
            }
            [] => None,
        };
        let Some((item, name)) = found else { return (DataType::UNKNOWN, None) };
        if let Some(column) = item.columns.iter().find(|column| column.name == *name) {
            return self.use_column(column);
        }
        (self.unlisted_column(item.relation, item.open, name), None)
    }

    fn bare_column(&mut self, name: &str) -> (DataType, Option<String>) {
        for scope in self.scopes.iter().rev() {
            let plain = scope.items.iter().flat_map(|item| &item.columns).filter(|column| !column.merged);
            if let Some(column) = scope.merged.iter().chain(plain).find(|column| column.name == name).cloned() {
                return self.use_column(&column);
            }
            // ORDER BY and GROUP BY may mean an output column.
            if scope.outputs.iter().any(|output| output == name) {
                return (DataType::UNKNOWN, None);
            }
        }
        if let Some(item) = self.find_item(None, name) {
            return (item.row_type(), None);
        }
        // The one relation whose columns are not known must have it.
        let open = self.scopes.iter().rev().find_map(|scope| {
            let mut open = scope.items.iter().filter(|item| item.open);
            open.next().map(|first| (first.relation, open.next().is_none()))
        });
        match open {
            Some((relation, true)) => (self.unlisted_column(relation, true, name), None),
            _ => (system_column(name).unwrap_or(DataType::UNKNOWN), None),
        }
    }

    fn use_column(&mut self, column: &ItemColumn) -> (DataType, Option<String>) {
        for reference in &column.references {
            self.needs(*reference);
        }
        (column.data_type.clone(), column.collation.clone())
    }

    /// A column that the item does not list: a system column, or one of a relation whose columns are not all known.
    fn unlisted_column(&mut self, relation: Option<Id>, open: bool, name: &str) -> DataType {
        if let Some(data_type) = system_column(name) {
            return data_type;
        }
        if let Some(relation) = relation.filter(|_| open)
            && let Some(column) = self.c.column_or_unseen(relation, name)
        {
            self.needs(Reference::Column(relation, column));
        }
        DataType::UNKNOWN
    }
}

fn is_comparison(name: &str) -> bool {
    matches!(
        name,
        "=" | "<>"
            | "!="
            | "<"
            | ">"
            | "<="
            | ">="
            | "~~"
            | "!~~"
            | "~~*"
            | "!~~*"
            | "~"
            | "!~"
            | "~*"
            | "!~*"
            | "&&"
            | "@>"
            | "<@"
    )
}

/// System columns that every table has (`SystemAttributeDefinition`).
fn system_column(name: &str) -> Option<DataType> {
    Some(DataType::builtin(match name {
        "ctid" => "tid",
        "xmin" | "xmax" => "xid",
        "cmin" | "cmax" => "cid",
        "tableoid" => "oid",
        _ => return None,
    }))
}

/// SQLValueFunction (`transformSQLValueFunction`).
fn sql_value(name: &str) -> DataType {
    DataType::builtin(match name {
        "current_date" => "date",
        "current_time" => "timetz",
        "current_timestamp" => "timestamptz",
        "localtime" => "time",
        "localtimestamp" => "timestamp",
        _ => "name",
    })
}

/// Nodes that the expression vocabulary has no name for.
fn other_node(node: &str) -> DataType {
    match node {
        "GroupingFunc" => DataType::builtin("int4"),
        "JsonIsPredicate" => DataType::builtin("bool"),
        "XmlSerialize" => DataType::UNKNOWN,
        "JsonScalarExpr" => DataType::builtin("json"),
        _ => DataType::UNKNOWN,
    }
}
