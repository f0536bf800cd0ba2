//! Calls of functions, aggregates and window functions.

use super::Analyzer;
use super::overload::{Candidate, choose, result_type};
use crate::catalog::builtin;
use crate::catalog::object::{Id, Reference, Routine};
use crate::catalog::routine::is_output;
use crate::catalog::types::DataType;
use crate::expr::{Call, Expr};
use crate::op::{ArgMode, ObjectName, RoutineKind, TypeRef};

/// What a call gives.
#[derive(Clone, Debug)]
pub(super) struct CallResult {
    pub data_type: DataType,
    /// Columns of the result, where the function names them.
    pub outputs: Vec<(String, DataType)>,
}

impl CallResult {
    pub fn of_type(data_type: DataType) -> Self {
        CallResult { data_type, outputs: Vec::new() }
    }
    fn unknown() -> Self {
        CallResult::of_type(DataType::UNKNOWN)
    }
}

/// A function as a candidate carries it.
#[derive(Clone, Debug)]
struct Meaning {
    declared: Vec<DataType>,
    returns: DataType,
    outputs: Vec<(String, DataType)>,
    routine: Option<Id>,
}

impl Analyzer<'_> {
    pub(super) fn call_result(&mut self, call: &Call) -> CallResult {
        let mut actual: Vec<DataType> = call.args.iter().map(|arg| self.infer_argument(arg)).collect();
        let extra: Vec<DataType> = call.extra.iter().map(|arg| self.infer(arg)).collect();
        if let Some(filter) = &call.filter {
            self.infer(filter);
        }
        self.sequence_argument(call);
        if call.star && call.name.name == "count" {
            return CallResult::of_type(DataType::builtin("int8"));
        }
        let mut found = choose(self.c, self.candidates(&call.name, actual.len()), &actual);
        if found.is_empty() && !extra.is_empty() && !call.window {
            // An ordered-set aggregate: what WITHIN GROUP sorts by is an argument too.
            actual.extend(extra);
            found = choose(self.c, self.candidates(&call.name, actual.len()), &actual);
        }
        match found.as_slice() {
            [] => self.call_as_cast(call),
            [only] => {
                if let Some(id) = only.what.routine {
                    self.needs(Reference::Routine(id));
                }
                self.result_of(&only.what, &actual)
            }
            // Types of arguments are missing: the answer is known only if all agree.
            [first, rest @ ..] => {
                let result = self.result_of(&first.what, &actual);
                let agrees = |other: &Candidate<Meaning>| self.result_of(&other.what, &actual).data_type == result.data_type;
                if rest.iter().all(agrees) { result } else { CallResult::unknown() }
            }
        }
    }

    /// A whole row (`row_to_json(t)`, `f(t.*)`) is an argument like any other.
    fn infer_argument(&mut self, arg: &Expr) -> DataType {
        match arg {
            Expr::Other { node, children } if node == "NamedArgExpr" => {
                // The position of a named argument is not looked up.
                children.get(1).map(|value| self.infer(value));
                DataType::UNKNOWN
            }
            other => self.infer(other).without_typmods(),
        }
    }

    fn result_of(&self, meaning: &Meaning, actual: &[DataType]) -> CallResult {
        let data_type = result_type(self.c, &meaning.declared, actual, &meaning.returns);
        let outputs = meaning.outputs.iter().map(|(name, t)| (name.clone(), result_type(self.c, &meaning.declared, actual, t)));
        CallResult { data_type, outputs: outputs.collect() }
    }

    /// Functions of that name that take so many arguments; `pg_catalog` comes first on the path.
    fn candidates(&self, name: &ObjectName, count: usize) -> Vec<Candidate<Meaning>> {
        let mut found = Vec::new();
        if matches!(name.schema.as_deref(), None | Some("pg_catalog")) {
            for function in builtin::functions(&name.name) {
                let Some(args) = expand(function.args, function.defaults, function.variadic, count) else { continue };
                let meaning =
                    Meaning { declared: args.clone(), returns: function.returns, outputs: function.outputs, routine: None };
                found.push(Candidate { args, what: meaning });
            }
        }
        let routines = self.c.resolve_routines(name);
        for routine in routines.iter().filter_map(|id| self.c.routines.get(id)).filter(|r| r.kind != RoutineKind::Procedure) {
            let inputs: Vec<DataType> = routine.input_types().cloned().collect();
            let defaults = routine.args.iter().filter(|arg| arg.mode.is_input() && arg.has_default).count();
            let variadic = routine.args.iter().any(|arg| arg.mode == ArgMode::Variadic);
            // A made-up routine may have any arguments.
            let made_up = routine.birth == crate::catalog::object::Birth::UNSEEN && routine.returns.is_none();
            let args = if made_up { Some(vec![DataType::UNKNOWN; count]) } else { expand(inputs, defaults, variadic, count) };
            if let Some(args) = args {
                let meaning = Meaning {
                    declared: args.clone(),
                    returns: routine.returns.clone().unwrap_or(DataType::UNKNOWN),
                    outputs: outputs(routine),
                    routine: Some(routine.id),
                };
                found.push(Candidate { args, what: meaning });
            }
        }
        found
    }

    /// `f(x)` where `f` names a type is a cast (`func_get_detail`).
    fn call_as_cast(&mut self, call: &Call) -> CallResult {
        if call.args.len() != 1 {
            return CallResult::unknown();
        }
        let type_ref = TypeRef {
            name: call.name.clone(),
            typmods: Vec::new(),
            modifier_words: Vec::new(),
            array_dims: 0,
            setof: false,
            percent_type: false,
        };
        CallResult::of_type(self.declared_type(&type_ref))
    }

    /// `nextval('s')`: the literal becomes a regclass, by which the sequence is held.
    fn sequence_argument(&mut self, call: &Call) {
        if !matches!(call.name.name.as_str(), "nextval" | "currval" | "setval") {
            return;
        }
        if let Some(Expr::Str(text)) = call.args.first() {
            self.regclass_literal(text);
        }
    }

    pub(super) fn regclass_literal(&mut self, text: &str) {
        let name = crate::catalog::name::parse_qualified(text);
        if let Some(id) = self.c.resolve_relation(&name) {
            self.needs(Reference::Relation(id));
        }
    }
}

/// Declared types for so many actual arguments: defaults left out at the end, a variadic array spread.
fn expand(mut args: Vec<DataType>, defaults: usize, variadic: bool, count: usize) -> Option<Vec<DataType>> {
    if variadic && count >= args.len() {
        let last = args.pop()?;
        // The variadic "any" is no array.
        let element = if last.array {
            last.element()
        } else {
            match last.builtin_name() {
                Some("anyarray") => DataType::builtin("anyelement"),
                Some("anycompatiblearray") => DataType::builtin("anycompatible"),
                _ => last,
            }
        };
        args.resize(count, element);
        return Some(args);
    }
    if count > args.len() || count + defaults + usize::from(variadic) < args.len() {
        return None;
    }
    args.truncate(count);
    Some(args)
}

/// Names of OUT, INOUT and TABLE columns.
fn outputs(routine: &Routine) -> Vec<(String, DataType)> {
    let outputs: Vec<_> = routine.args.iter().filter(|arg| is_output(arg.mode)).collect();
    let named = |(at, arg): (usize, &&crate::catalog::object::Argument)| {
        let name =
            arg.name.clone().unwrap_or_else(|| if outputs.len() > 1 { format!("column{}", at + 1) } else { String::new() });
        (name, arg.data_type.clone())
    };
    outputs.iter().enumerate().map(named).collect()
}
