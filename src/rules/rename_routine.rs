use super::shared::fallout;
use super::{Check, Context, Family, Findings, Rule, rename_table};
use crate::catalog::change::Change;
use crate::catalog::object::{Id, RelationKind};
use crate::finding::Level;
use crate::op::ObjectKind;

pub const RULE: Rule = Rule { id: "rename-routine", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let (word, label, to, birth) = match &event.change {
            Change::RoutineRenamed { routine, schema, name } if *schema == routine.schema => {
                if named_as_before(cx, routine.id) {
                    continue;
                }
                (fallout::routine_word(routine.kind), cx.before.routine_label(routine), name.as_str(), routine.birth)
            }
            Change::SchemaRenamed { schema, to }
                if cx.released.schemas.get(to).is_some_and(|before| before.birth == schema.birth) =>
            {
                continue;
            }
            Change::RoleRenamed { birth, to, .. } if cx.released.roles.get(to).is_some_and(|before| before.birth == *birth) => {
                continue;
            }
            Change::SchemaRenamed { schema, to } => ("schema", schema.name.clone(), to.as_str(), schema.birth),
            Change::RoleRenamed { name, birth, to } => ("role", name.clone(), to.as_str(), *birth),
            Change::RelationRenamed { relation, schema, name }
                if relation.kind == RelationKind::Sequence && *schema == relation.schema && !rename_table::is_back(cx, event) =>
            {
                ("sequence", cx.label(relation), name.as_str(), relation.birth)
            }
            Change::ExtensionMoved { extension, schema }
                if cx.released.extensions.get(&extension.name).is_none_or(|before| before.schema != *schema) =>
            {
                ("extension", extension.name.clone(), schema.as_str(), extension.birth)
            }
            Change::OtherRenamed { kind, birth, to, .. }
                if cx.released.others.iter().any(|before| before.kind == *kind && before.name == *to && before.birth == *birth) =>
            {
                continue;
            }
            Change::OtherRenamed { kind, name, birth, to } => match named_by_clients(*kind) {
                Some(word) => (word, name.clone(), to.as_str(), *birth),
                None => continue,
            },
            _ => continue,
        };
        if !cx.older(birth) {
            continue;
        }
        let (message, help) = match &event.change {
            Change::ExtensionMoved { .. } => (
                format!("extension {label} moves to schema {to}: the previous release finds its functions and types only where {to} is on search_path"),
                format!("put schema {to} on the search_path of every role that clients use, in an earlier release"),
            ),
            Change::SchemaRenamed { .. } => (
                format!("schema {label} is renamed to {to}, and with it every name in it that the previous release uses (3F000, 42P01)"),
                format!("keep {label}; move clients to {to} by search_path first, and rename when nothing names {label} any more"),
            ),
            _ => (
                format!("{word} {label} is renamed to {to} while the previous release still uses the old name"),
                format!("create {to} beside {label}, move every release over, and drop {label} in a later one, tagged `-- phase contract`"),
            ),
        };
        findings.push(cx.finding(RULE.id, Level::Error, event, label, message, help).related(cx.created(birth)));
    }
}

/// Renamed back, or never known under the other name.
pub(super) fn named_as_before(cx: &Context<'_>, id: Id) -> bool {
    match (cx.released.routines.get(&id), cx.after.routines.get(&id)) {
        (Some(before), Some(after)) => before.schema == after.schema && before.name == after.name,
        _ => false,
    }
}

/// Kinds whose names stand in clients' statements or connection strings.
fn named_by_clients(kind: ObjectKind) -> Option<&'static str> {
    Some(match kind {
        ObjectKind::Database => "database",
        ObjectKind::Aggregate => "aggregate",
        ObjectKind::Collation => "collation",
        ObjectKind::Conversion => "conversion",
        ObjectKind::TextSearch => "text search object",
        ObjectKind::Language => "language",
        ObjectKind::ForeignServer => "foreign server",
        ObjectKind::OperatorClass => "operator class",
        ObjectKind::OperatorFamily => "operator family",
        _ => return None,
    })
}
