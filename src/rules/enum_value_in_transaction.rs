use super::shared::enum_use;
use super::shared::held::Held;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event};
use crate::catalog::object::TypeObject;
use crate::finding::{Level, Related};

pub const RULE: Rule =
    Rule { id: "enum-value-in-transaction", family: Family::Blocking, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    let held = Held::of(cx);
    for event in cx.events {
        let Change::LabelAdded { object, label } = &event.change else { continue };
        if is_safe(cx, &held, event, object) {
            continue;
        }
        let added = (event.statement, event.span);
        let used = enum_use::places(cx, object, label)
            .into_iter()
            .find(|place| (place.0, place.1.start) > (added.0, added.1.start) && held.lasts(added, *place));
        let Some((statement, span)) = used else { continue };
        let name = crate::catalog::name::qualified(&object.schema, &object.name);
        let finding = cx.finding_at(
            RULE.id,
            Level::Error,
            Some(statement),
            span,
            format!("the server refuses '{label}' of {name} here (55P04): the transaction that adds a value may not use it"),
            format!("end the migration after '{label}' is added, and use it in the next one"),
        );
        let judged = super::Judged { finding, subjects: vec![format!("{name} '{label}'")] };
        findings.push(judged.related(Some(Related {
            path: cx.migration.file.path.clone(),
            span: event.span,
            message: format!("'{label}' is added here"),
        })));
    }
}

/// From 17 on a value may be used at once where the same transaction created its type.
fn is_safe(cx: &Context<'_>, held: &Held<'_>, event: &Event, object: &TypeObject) -> bool {
    let made_here = cx.earlier(event).iter().any(|earlier| {
        matches!(earlier.change, Change::TypeCreated { object: id } if id == object.id)
            && held.lasts((earlier.statement, earlier.span), (event.statement, event.span))
    });
    made_here && cx.settings.postgres.unwrap_or_default().oldest >= 17
}
