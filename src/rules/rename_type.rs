use super::shared::fallout;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::name::qualified;
use crate::catalog::object::{Birth, TypeKind};
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "rename-type", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let (object, message, help) = match &event.change {
            Change::TypeRenamed { object, schema, name } if *schema == object.schema && cx.older(object.birth) => {
                if cx.after.types.get(&object.id).is_some_and(|now| now.name == object.name) {
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
            Change::LabelRenamed { object, from, to } if cx.older(object.birth) && cx.older(label_birth(&object.kind, from)) => {
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

fn label_birth(kind: &TypeKind, label: &str) -> Birth {
    match kind {
        TypeKind::Enum { labels } => labels.iter().find(|(name, _)| name == label).map_or(Birth::UNSEEN, |(_, birth)| *birth),
        _ => Birth::UNSEEN,
    }
}
