//! What the body of a trigger function can do to the statement that fires it.

use crate::catalog::Catalog;
use crate::catalog::object::{Relation, Routine, Trigger};
use crate::expr::Expr;
use crate::op::{Body, DmlKind, ObjectName, Op, RaiseLevel, Step, TriggerEvent, TriggerState, TriggerTiming};

/// Calls `f` on every step of a body, inner ones included.
pub fn walk<'a>(steps: &'a [Step], f: &mut dyn FnMut(&'a Step)) {
    for step in steps {
        f(step);
        match step {
            Step::If { arms, otherwise, .. } => {
                arms.iter().for_each(|(_, arm)| walk(arm, f));
                walk(otherwise, f);
            }
            Step::Loop { body, .. } => walk(body, f),
            Step::Block { body, handlers, .. } => {
                walk(body, f);
                handlers.iter().for_each(|(_, handler)| walk(handler, f));
            }
            Step::Sql(_)
            | Step::Dynamic { .. }
            | Step::Raise { .. }
            | Step::Return { .. }
            | Step::Evaluate { .. }
            | Step::Transaction { .. }
            | Step::Nothing => {}
        }
    }
}

/// How a trigger can refuse or swallow the statement that fires it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// RAISE EXCEPTION.
    Raises,
    /// RETURN NULL of a BEFORE or INSTEAD OF row trigger: the row is dropped in silence.
    SkipsRow,
}

pub fn refusal(trigger: &Trigger, body: &Body) -> Option<Refusal> {
    let skips = trigger.for_each_row && trigger.timing != TriggerTiming::After;
    let mut found = None;
    walk(&body.steps, &mut |step| match step {
        Step::Raise { level: RaiseLevel::Exception, .. } => found = Some(Refusal::Raises),
        Step::Return { expr: Some(Expr::Null), .. } if skips && found.is_none() => found = Some(Refusal::SkipsRow),
        _ => {}
    });
    found
}

/// Tables that the body writes itself.
pub fn writes(body: &Body) -> Vec<(&ObjectName, DmlKind)> {
    let mut targets = Vec::new();
    walk(&body.steps, &mut |step| {
        let Step::Sql(statement) = step else { return };
        match &statement.op {
            Op::Dml(dml) => {
                targets.push((&dml.relation, dml.kind));
                targets.extend(dml.sources.modifying.iter().map(|inner| (&inner.relation, inner.kind)));
            }
            Op::Select(query) => targets.extend(query.modifying.iter().map(|inner| (&inner.relation, inner.kind))),
            _ => {}
        }
    });
    targets
}

/// An enabled BEFORE INSERT row trigger of the table gives `NEW.column` a value.
pub fn fills(catalog: &Catalog, relation: &Relation, column: &str) -> bool {
    relation.triggers.iter().any(|trigger| {
        trigger.for_each_row
            && trigger.timing == TriggerTiming::Before
            && trigger.events.contains(&TriggerEvent::Insert)
            && trigger.state != TriggerState::Disabled
            && function(catalog, trigger).is_some_and(|routine| assigns(&routine.body, column))
    })
}

pub fn function<'a>(catalog: &'a Catalog, trigger: &Trigger) -> Option<&'a Routine> {
    catalog.routines.get(&trigger.function?).map(|routine| routine.as_ref())
}

/// `NEW.column := …`.
pub fn assigns(body: &Body, column: &str) -> bool {
    let wanted = format!("new.{column}");
    let mut found = false;
    walk(&body.steps, &mut |step| {
        if let Step::Evaluate { target: Some(target), .. } = step {
            found |= target.replace('"', "").eq_ignore_ascii_case(&wanted);
        }
    });
    found
}
