//! Items of FROM, and the columns that joins merge.

use super::overload::common_type;
use super::{Analyzer, Item, ItemColumn, OutputColumn};
use crate::catalog::object::{Reference, RelationKind};
use crate::catalog::resolve::is_system_schema;
use crate::catalog::types::{BaseType, DataType};
use crate::expr::Expr;
use crate::op::{FromItem, ObjectName, Query};

impl Analyzer<'_> {
    pub(super) fn source_item(&mut self, item: &FromItem) -> Item {
        match item {
            FromItem::Relation { name, alias, column_aliases, .. } => {
                let mut item = self.relation_item(name, alias.as_deref());
                item.rename(column_aliases);
                item
            }
            FromItem::Subquery { query, alias, column_aliases, .. } => {
                let outside = std::mem::replace(&mut self.complete, true);
                let columns = self.query(query, column_aliases);
                let open = !std::mem::replace(&mut self.complete, outside);
                Item { open, ..Item::of_columns(alias.as_deref(), columns) }
            }
            FromItem::Function { calls, alias, column_aliases, column_types, ordinality } => {
                let mut item = self.function_item(calls, alias.as_deref());
                if !column_types.is_empty() {
                    // A column definition list says it all: `f() AS t(a int, b text)`.
                    let types: Vec<DataType> = column_types.iter().map(|t| self.declared_type(t)).collect();
                    let columns = column_aliases.iter().zip(types);
                    let columns =
                        columns.map(|(name, data_type)| OutputColumn { name: name.clone(), data_type, collation: None });
                    item = Item::of_columns(alias.as_deref().or(Some(&item.alias)), columns.collect());
                }
                if *ordinality {
                    item.columns.push(plain_column("ordinality", DataType::builtin("int8")));
                    item.scalar = false;
                }
                item.rename(column_aliases);
                item
            }
            FromItem::Other { alias, columns } => {
                let columns =
                    columns.iter().map(|name| OutputColumn { name: name.clone(), data_type: DataType::UNKNOWN, collation: None });
                Item::of_columns(alias.as_deref(), columns.collect())
            }
        }
    }

    /// A common table expression hides a relation of its name.
    fn relation_item(&mut self, name: &ObjectName, alias: Option<&str>) -> Item {
        if name.schema.is_none()
            && let Some(cte) = self.ctes.iter().rev().find(|cte| cte.name == name.name)
        {
            let alias = alias.unwrap_or(&cte.name);
            return Item { open: !cte.complete, ..Item::of_columns(Some(alias), cte.columns.clone()) };
        }
        let system = match &name.schema {
            Some(schema) => is_system_schema(schema),
            // Names in pg_catalog begin with pg_, and nobody else's should.
            None => name.name.starts_with("pg_") && self.c.resolve_relation(name).is_none(),
        };
        let id = if system { None } else { self.c.relation_or_unseen(name, RelationKind::Table) };
        match id.and_then(|id| self.c.relation(id).cloned()) {
            Some(relation) => {
                self.needs(Reference::Relation(relation.id));
                Item::of_relation(&relation, alias)
            }
            None => Item { open: true, ..Item::of_columns(Some(alias.unwrap_or(&name.name)), Vec::new()) },
        }
    }

    /// One function, or several side by side (ROWS FROM).
    fn function_item(&mut self, calls: &[Expr], alias: Option<&str>) -> Item {
        let mut columns = Vec::new();
        let mut open = false;
        let mut scalar = calls.len() == 1;
        let mut relation = None;
        let mut own_name = None;
        for call in calls {
            let (name, function) = match call {
                Expr::Call(call) => (call.name.name.clone(), self.call_result(call)),
                // Something that looks like a function in the grammar: CAST, COALESCE, CURRENT_DATE …
                other => {
                    let data_type = self.infer(other);
                    let name = match other {
                        Expr::SqlValue(name) => name.clone(),
                        Expr::Coalesce(_) => "coalesce".into(),
                        _ => String::new(),
                    };
                    (name, super::call::CallResult::of_type(data_type))
                }
            };
            own_name.get_or_insert_with(|| name.clone());
            if function.outputs.len() > 1 {
                scalar = false;
                columns.extend(function.outputs.iter().map(|(name, data_type)| plain_column(name, data_type.clone())));
                continue;
            }
            match self.row_columns(&function.data_type) {
                Some(row) => {
                    scalar = false;
                    if let BaseType::Row(id) = function.data_type.base {
                        relation = Some(id);
                        open |= self.c.relation(id).is_none_or(|found| !found.known);
                    }
                    columns.extend(row);
                }
                None => {
                    // `chooseScalarFunctionAlias`: a named OUT argument, else the alias, else the function.
                    let output = function.outputs.first().map(|(name, _)| name.clone()).filter(|name| !name.is_empty());
                    let alias = alias.filter(|_| calls.len() == 1).map(str::to_string);
                    let unknown = function.data_type.is_unknown() || function.data_type.builtin_name() == Some("record");
                    open |= unknown;
                    let column = output.or(alias).unwrap_or(name);
                    columns.push(plain_column(&column, function.data_type));
                }
            }
        }
        let alias = alias.map(str::to_string).or(own_name).unwrap_or_default();
        Item { alias, columns, relation, schema: None, open, scalar }
    }

    /// Columns of a row type; `None` for anything else.
    pub(super) fn row_columns(&self, data_type: &DataType) -> Option<Vec<ItemColumn>> {
        let id = self.row_relation(data_type)?;
        let relation = self.c.relation(id)?;
        Some(Item::of_relation(relation, None).columns)
    }

    /// Marks the columns that JOIN USING and NATURAL make one of, in the order of their names.
    pub(super) fn merge_columns(&mut self, query: &Query) {
        let Some(scope) = self.scopes.last_mut() else { return };
        let mut names: Vec<String> = Vec::new();
        if query.natural {
            for (at, item) in scope.items.iter().enumerate().skip(1) {
                let before = &scope.items[..at];
                let common = item.columns.iter().filter(|c| before.iter().any(|b| b.columns.iter().any(|o| o.name == c.name)));
                names.extend(common.map(|column| column.name.clone()));
            }
        }
        names.extend(query.merged.iter().cloned());
        let mut merged: Vec<ItemColumn> = Vec::new();
        for name in names {
            if merged.iter().any(|column| column.name == name) {
                continue;
            }
            let mut sides: Vec<ItemColumn> = Vec::new();
            for column in scope.items.iter_mut().flat_map(|item| &mut item.columns).filter(|column| column.name == name) {
                column.merged = true;
                sides.push(column.clone());
            }
            // A side whose columns are not known has it as well.
            let open = scope.items.iter().any(|item| item.open && !item.columns.iter().any(|column| column.name == name));
            let Some(first) = sides.first() else {
                merged.push(plain_column(&name, DataType::UNKNOWN));
                continue;
            };
            let same = sides.iter().all(|side| side.data_type == first.data_type);
            let types: Vec<DataType> = sides.iter().map(|side| side.data_type.clone()).collect();
            merged.push(ItemColumn {
                data_type: if same && !open { first.data_type.clone() } else { common_type(self.c, &types) },
                references: sides.iter().flat_map(|side| side.references.clone()).collect(),
                ..first.clone()
            });
        }
        for column in &mut merged {
            column.merged = false;
        }
        scope.merged.clone_from(&merged);
        // A merged column holds both its sides, used or not (`find_expr_references_walker`, RTE_JOIN).
        for reference in merged.into_iter().flat_map(|column| column.references) {
            self.needs(reference);
        }
    }
}

fn plain_column(name: &str, data_type: DataType) -> ItemColumn {
    ItemColumn { name: name.to_string(), data_type, collation: None, references: Vec::new(), merged: false }
}
