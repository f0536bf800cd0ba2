use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event};
use crate::catalog::object::{Constraint, ConstraintType, Id, Relation};
use crate::finding::Level;
use crate::op::FkAction;

pub const RULE: Rule = Rule { id: "drop-foreign-key", family: Family::Contract, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        let Change::ConstraintDropped { relation, constraint, .. } = &event.change else { continue };
        let ConstraintType::ForeignKey { on_delete, on_update, .. } = &constraint.kind else { continue };
        if !cx.older_table(relation) || !cx.older(constraint.birth) {
            continue;
        }
        let actions = (*on_delete, *on_update);
        let stays = replacements(cx, event, relation, constraint);
        if stays.contains(&actions) {
            continue;
        }
        let name = cx.part_label(relation, &constraint.name);
        let (level, message, help) = judge(&name, actions, stays.first().copied());
        findings.push(cx.finding(RULE.id, level, event, name, message, help).related(cx.created(constraint.birth)));
    }
}

/// ON DELETE and ON UPDATE.
type Actions = (FkAction, FkAction);

fn judge(name: &str, (on_delete, on_update): Actions, replaced: Option<Actions>) -> (Level, String, String) {
    let acts = |action: FkAction| matches!(action, FkAction::Cascade | FkAction::SetNull | FkAction::SetDefault);
    let lost = [("DELETE", on_delete, replaced.map(|r| r.0)), ("UPDATE", on_update, replaced.map(|r| r.1))]
        .into_iter()
        .find(|(_, action, now)| acts(*action) && *now != Some(*action));
    match (lost, replaced) {
        (Some((what, action, _)), _) => (
            Level::Error,
            format!(
                "foreign key {name} carries ON {what} {}, and nothing does that any more when the previous release changes the \
                 referenced rows",
                action_words(action)
            ),
            format!("release code that does this work itself, then drop {name} in a later release, tagged `-- phase contract`"),
        ),
        (None, Some((now_delete, now_update))) => (
            Level::Warning,
            format!(
                "foreign key {name} comes back with ON DELETE {} and ON UPDATE {}: what the previous release deletes or changes now \
                 reaches other rows, or is refused",
                action_words(now_delete),
                action_words(now_update)
            ),
            "make sure that the previous release never counted on the refusal".into(),
        ),
        (None, None) => (
            Level::Warning,
            format!("foreign key {name} is dropped: rows without a referenced row get in, which old readers never met"),
            format!(
                "add the foreign key that replaces {name} in the same transaction (NOT VALID), or drop it in a later release, tagged \
                 `-- phase contract`"
            ),
        ),
    }
}

/// Actions of the enforced foreign keys over the same columns that are there before the drop, or come in the same transaction.
fn replacements(cx: &Context<'_>, event: &Event, relation: &Relation, dropped: &Constraint) -> Vec<Actions> {
    let Some(now) = cx.after.relation(relation.id) else { return Vec::new() };
    let in_time = |id: Id| {
        cx.earlier(event)
            .iter()
            .chain(cx.later(event))
            .any(|other| matches!(&other.change, Change::ConstraintAdded { constraint, .. } if constraint.id == id))
    };
    let ConstraintType::ForeignKey { columns, references, ref_columns, .. } = &dropped.kind else { return Vec::new() };
    let others = now.constraints.iter().filter(|other| {
        other.id != dropped.id && other.enforced && (cx.existed(other.birth) || in_time(other.id))
    });
    others
        .filter_map(|other| match &other.kind {
            ConstraintType::ForeignKey { columns: c, references: r, ref_columns: rc, on_delete, on_update, .. }
                if c == columns && r == references && rc == ref_columns =>
            {
                Some((*on_delete, *on_update))
            }
            _ => None,
        })
        .collect()
}

fn action_words(action: FkAction) -> &'static str {
    match action {
        FkAction::NoAction => "NO ACTION",
        FkAction::Restrict => "RESTRICT",
        FkAction::Cascade => "CASCADE",
        FkAction::SetNull => "SET NULL",
        FkAction::SetDefault => "SET DEFAULT",
    }
}
