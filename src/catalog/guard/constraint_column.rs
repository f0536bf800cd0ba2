//! Columns of the rows that are constraints.

use super::columns::{modelled, schema_object};
use super::value::Value;
use crate::catalog::Catalog;
use crate::catalog::object::{Constraint, ConstraintType, Relation};
use crate::op::FkAction;

/// A row of `pg_constraint` or of the views of `information_schema` about constraints.
pub fn constraint<'c>(c: &'c Catalog, relation: &'c Relation, constraint: &'c Constraint, column: &str) -> Value<'c> {
    let yes_or_no = |yes: bool| Value::text(if yes { "YES" } else { "NO" });
    match column {
        "conname" | "constraint_name" => Value::text(&constraint.name),
        "conrelid" => modelled(relation.id),
        "connamespace" => schema_object(&relation.schema),
        "constraint_schema" | "table_schema" => Value::text(&relation.schema),
        "table_name" => Value::text(&relation.name),
        "oid" => modelled(constraint.id),
        "contypid" => Value::Int(0),
        "contype" => Value::text(match constraint.kind {
            ConstraintType::Check { .. } => "c",
            ConstraintType::NotNull { .. } => "n",
            ConstraintType::Unique { .. } => "u",
            ConstraintType::PrimaryKey { .. } => "p",
            ConstraintType::Exclude { .. } => "x",
            ConstraintType::ForeignKey { .. } => "f",
        }),
        "constraint_type" => Value::text(match constraint.kind {
            ConstraintType::Check { .. } | ConstraintType::NotNull { .. } => "CHECK",
            ConstraintType::Unique { .. } => "UNIQUE",
            ConstraintType::PrimaryKey { .. } => "PRIMARY KEY",
            ConstraintType::Exclude { .. } => "EXCLUDE",
            ConstraintType::ForeignKey { .. } => "FOREIGN KEY",
        }),
        "convalidated" => Value::Bool(constraint.validated),
        "condeferrable" => Value::Bool(constraint.deferrable),
        "condeferred" => Value::Bool(constraint.initially_deferred),
        "is_deferrable" => yes_or_no(constraint.deferrable),
        "initially_deferred" => yes_or_no(constraint.initially_deferred),
        "conkey" => Value::List(constraint.kind.columns().iter().map(|id| Value::Int(id.0.into())).collect()),
        "conindid" => match &constraint.kind {
            ConstraintType::ForeignKey { ref_index: Some(index), .. } => modelled(*index),
            kind => kind.index().map_or(Value::Unknown, modelled),
        },
        "confrelid" => match &constraint.kind {
            ConstraintType::ForeignKey { references, .. } => modelled(*references),
            _ => Value::Int(0),
        },
        "confdeltype" | "confupdtype" | "delete_rule" | "update_rule" => match &constraint.kind {
            ConstraintType::ForeignKey { on_delete, on_update, .. } => {
                let action = if column.contains("del") { *on_delete } else { *on_update };
                Value::text(action_name(action, column.starts_with("conf")))
            }
            _ => Value::text(" "),
        },
        "unique_constraint_name" => {
            let ConstraintType::ForeignKey { references, ref_index: Some(index), .. } = &constraint.kind else {
                return Value::Unknown;
            };
            let referenced = c.relation(*references);
            let key = referenced.and_then(|table| table.constraints.iter().find(|key| key.kind.index() == Some(*index)));
            key.map_or(Value::Unknown, |key| Value::text(&key.name))
        }
        "check_clause" => Value::Present,
        _ => Value::Unknown,
    }
}

fn action_name(action: FkAction, letter: bool) -> &'static str {
    match action {
        FkAction::NoAction => {
            if letter {
                "a"
            } else {
                "NO ACTION"
            }
        }
        FkAction::Restrict => {
            if letter {
                "r"
            } else {
                "RESTRICT"
            }
        }
        FkAction::Cascade => {
            if letter {
                "c"
            } else {
                "CASCADE"
            }
        }
        FkAction::SetNull => {
            if letter {
                "n"
            } else {
                "SET NULL"
            }
        }
        FkAction::SetDefault => {
            if letter {
                "d"
            } else {
                "SET DEFAULT"
            }
        }
    }
}
