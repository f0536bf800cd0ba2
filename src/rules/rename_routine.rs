use super::shared::fallout;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::object::RelationKind;
use crate::finding::Level;
use crate::op::ObjectKind;

pub const RULE: Rule = Rule { id: "rename-routine", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let (word, label, to, birth) = match &event.change {
            Change::RoutineRenamed { routine, schema, name } if *schema == routine.schema => {
                if cx.after.routines.get(&routine.id).is_some_and(|now| now.name == routine.name) {
                    continue;
                }
                (fallout::routine_word(routine.kind), cx.before.routine_label(routine), name.as_str(), routine.birth)
            }
            Change::SchemaRenamed { schema, to } => ("schema", schema.name.clone(), to.as_str(), schema.birth),
            Change::RoleRenamed { name, birth, to } => ("role", name.clone(), to.as_str(), *birth),
            Change::RelationRenamed { relation, schema, name }
                if relation.kind == RelationKind::Sequence && *schema == relation.schema =>
            {
                ("sequence", cx.label(relation), name.as_str(), relation.birth)
            }
            Change::ExtensionMoved { extension, schema } => {
                ("extension", extension.name.clone(), schema.as_str(), extension.birth)
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
