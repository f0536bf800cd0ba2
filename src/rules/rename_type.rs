use super::shared::fallout;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::name::qualified;
use crate::catalog::Catalog;
use crate::catalog::object::{Birth, Id, TypeKind};
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "rename-type", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let (object, message, help) = match &event.change {
            Change::TypeRenamed { object, schema, name } if *schema == object.schema && cx.older(object.birth) => {
                if named_as_before(cx, object.id) {
                    continue;
                }
                let label = qualified(&object.schema, &object.name);
                let message = format!(
                    "{} {label} is renamed to {name} while the previous release may still name it in casts and parameters (42704)",
                    fallout::type_word(&object.kind)
                );
                let help = format!("create the new type beside {label}, move columns and clients over, and drop {label} in a later release");
                (label, message, help)
            }
            Change::LabelRenamed { object, from, to }
                if cx.older(object.birth) && cx.older(label_birth(&object.kind, from)) && !labelled_as_before(cx, object.id, from, to) =>
            {
                let label = qualified(&object.schema, &object.name);
                let message = format!(
                    "label '{from}' of enum {label} is renamed to '{to}': the previous release cannot write '{from}' any more (22P02) \
                     and meets '{to}' when it reads"
                );
                let help = format!("add '{to}' as a new label, move rows and clients over, and leave '{from}' unused");
                (format!("{label}.{from}"), message, help)
            }
            _ => continue,
        };
        let birth = match &event.change {
            Change::TypeRenamed { object, .. } | Change::LabelRenamed { object, .. } => object.birth,
            _ => continue,
        };
        findings.push(cx.finding(RULE.id, Level::Error, event, object, message, help).related(cx.created(birth)));
    }
}

/// Renamed back, or never known under the other name.
pub(super) fn named_as_before(cx: &Context<'_>, id: Id) -> bool {
    match (cx.released.types.get(&id), cx.after.types.get(&id)) {
        (Some(before), Some(after)) => before.schema == after.schema && before.name == after.name,
        _ => false,
    }
}

/// The label that the previous release knows is there at the end of the unit; or it knows neither.
fn labelled_as_before(cx: &Context<'_>, id: Id, from: &str, to: &str) -> bool {
    let has = |catalog: &Catalog, label: &str| match catalog.types.get(&id).map(|object| &object.kind) {
        Some(TypeKind::Enum { labels }) => Some(labels.iter().any(|(name, _)| name == label)),
        _ => None,
    };
    // An enum that no visible statement created has the labels that statements named.
    let known = cx.released.types.get(&id).is_some_and(|object| object.known);
    known && (has(cx.after, from) == Some(true) || (has(cx.released, from) == Some(false) && has(cx.released, to) == Some(true)))
}

fn label_birth(kind: &TypeKind, label: &str) -> Birth {
    match kind {
        TypeKind::Enum { labels } => labels.iter().find(|(name, _)| name == label).map_or(Birth::UNSEEN, |(_, birth)| *birth),
        _ => Birth::UNSEEN,
    }
}
