//! Calls of routines: which one is meant, and what it does when it runs.

use super::change::Change;
use super::guard::{self, Value, Variables};
use super::object::{Id, Routine};
use super::server_routine;
use super::types::{BaseType, DataType};
use super::{Catalog, body};
use crate::expr::Expr;
use crate::op::{ArgMode, ObjectName, RoutineKind};
use std::sync::Arc;

/// Bodies inside each other; deeper ones are recursion that no migration means.
const DEPTH_LIMIT: usize = 16;

/// Calls a routine with these arguments; `variables` are those of the caller. A routine that no visible statement created is
/// noted, unless the server or a contrib module has it, or `unseen_matters` is false: inside DML it computes a value.
pub(super) fn call(c: &mut Catalog, name: &ObjectName, args: &[Expr], variables: &Variables, unseen_matters: bool) {
    let candidates = c.resolve_routines(name);
    let Some(routine) = choose(c, &candidates, args) else {
        let server = match name.schema.as_deref() {
            Some(schema) => super::resolve::is_system_schema(schema),
            None => server_routine::is_routine(&name.name),
        };
        if candidates.is_empty() && !server && !server_routine::is_contrib_routine(&name.name) && unseen_matters {
            c.incomplete = true;
            let shown = match &name.schema {
                Some(schema) => super::name::qualified(schema, &name.name),
                None => crate::sql::names::quote_identifier(&name.name),
            };
            c.record(Change::UnknownCall { name: shown });
        }
        return;
    };
    run(c, &routine, args, variables);
}

fn run(c: &mut Catalog, routine: &Arc<Routine>, args: &[Expr], variables: &Variables) {
    let returns = routine.returns.as_ref().and_then(DataType::builtin_name);
    // A trigger function runs for its trigger; calling it by hand is an error. Aggregates have no body of their own.
    if matches!(returns, Some("trigger" | "event_trigger")) || routine.kind == RoutineKind::Aggregate {
        return;
    }
    if c.running.calls.contains(&routine.id) || c.running.calls.len() >= DEPTH_LIMIT {
        return;
    }
    if routine.body.opaque.is_some() {
        // Extensions' functions are in C; those of contrib modules only compute.
        if !server_routine::is_contrib_routine(&routine.name) {
            c.incomplete = true;
            let name = c.routine_label(routine);
            c.record(Change::UnknownCall { name });
        }
        return;
    }
    let bound = bind(c, routine, args, variables);
    let own_settings: Vec<(String, Option<String>)> =
        routine.settings.iter().map(|(name, _)| (name.to_lowercase(), c.settings.get(&name.to_lowercase()).cloned())).collect();
    for (name, value) in &routine.settings {
        super::session::set_config(c, name, value, true);
    }
    c.running.calls.push(routine.id);
    body::run_routine(c, &routine.body.steps, bound);
    c.running.calls.pop();
    // A routine's SET clauses end with it.
    for (name, value) in own_settings {
        match value {
            Some(value) => c.settings.insert(name, value),
            None => c.settings.remove(&name),
        };
    }
}

/// The overload that takes these arguments: by their number, then by the types of those that say one.
fn choose(c: &Catalog, candidates: &[Id], args: &[Expr]) -> Option<Arc<Routine>> {
    if let [only] = candidates {
        return c.routines.get(only).cloned();
    }
    let fitting = candidates.iter().filter_map(|id| c.routines.get(id)).filter(|routine| takes(routine, args.len()));
    let score = |routine: &&Arc<Routine>| {
        let types: Vec<&DataType> = routine.input_types().collect();
        args.iter().zip(types).filter(|(arg, wanted)| says_type(c, arg).is_some_and(|said| said.base == wanted.base)).count()
    };
    // The first of equals, so that the choice does not depend on chance.
    fitting.rev().max_by_key(score).cloned()
}

fn takes(routine: &Routine, count: usize) -> bool {
    let inputs = routine.args.iter().filter(|arg| arg.mode.is_input() || routine.kind == RoutineKind::Procedure);
    let (mut all, mut required, mut variadic) = (0, 0, false);
    for arg in inputs.filter(|arg| arg.mode != ArgMode::Table) {
        all += 1;
        required += usize::from(!arg.has_default && arg.mode != ArgMode::Variadic);
        variadic |= arg.mode == ArgMode::Variadic;
    }
    count >= required && (count <= all || variadic)
}

/// The type that an argument has by its own words.
fn says_type(c: &Catalog, arg: &Expr) -> Option<DataType> {
    match arg {
        Expr::Cast { to, .. } => Some(c.data_type(to)),
        Expr::Int(number) => Some(DataType::builtin(if i32::try_from(*number).is_ok() { "int4" } else { "int8" })),
        Expr::Bool(_) => Some(DataType::builtin("bool")),
        Expr::Float(_) => Some(DataType::builtin("numeric")),
        // An untyped literal fits text best.
        Expr::Str(_) => Some(DataType { base: BaseType::Builtin("text".into()), typmods: Vec::new(), array: false }),
        _ => None,
    }
}

/// Arguments by name and by position, as far as the caller knows their values.
fn bind(c: &Catalog, routine: &Routine, args: &[Expr], variables: &Variables) -> Variables {
    let mut bound = Variables::new();
    let inputs = routine.args.iter().filter(|arg| arg.mode.is_input() || routine.kind == RoutineKind::Procedure);
    for (at, arg) in inputs.enumerate() {
        let value = match args.get(at) {
            Some(given) if arg.mode != ArgMode::Variadic && !is_named(given) => guard::evaluate(c, variables, given),
            _ => Value::Unknown,
        };
        if let Some(name) = &arg.name {
            bound.insert(name.clone(), value.clone());
        }
        bound.insert(format!("${}", at + 1), value);
    }
    // With `name => value` the order says nothing.
    if args.iter().any(is_named) {
        bound.values_mut().for_each(|value| *value = Value::Unknown);
    }
    bound
}

/// `name => value`, which the parser keeps as a node of its own.
fn is_named(arg: &Expr) -> bool {
    matches!(arg, Expr::Other { .. })
}
