//! Functions, procedures, aggregates. Overloads differ by their input types; CREATE OR REPLACE keeps identity, owner and grants.

use super::Catalog;
use super::change::Change;
use super::object::*;
use super::resolve::is_system_schema;
use super::types::{BaseType, DataType};
use crate::op::{ArgMode, Body, CreateRoutine, ObjectKind, ObjectName, ObjectRef, RoutineKind, TypeRef, Volatility};
use std::sync::Arc;

/// CREATE [OR REPLACE] FUNCTION / PROCEDURE.
pub(super) fn create(c: &mut Catalog, create: &CreateRoutine) {
    let args: Vec<Argument> = create
        .args
        .iter()
        .map(|arg| Argument {
            name: arg.name.clone(),
            data_type: resolve(c, &arg.type_ref).without_typmods(),
            mode: arg.mode,
            has_default: arg.default.is_some(),
        })
        .collect();
    let returns =
        create.returns.as_ref().map(|t| resolve(c, t).without_typmods()).or_else(|| result_of_outputs(create.kind, &args));
    let is_table = args.iter().any(|arg| arg.mode == ArgMode::Table);
    let mut references = signature_references(&args, returns.as_ref());
    super::query::add_body_references(c, &create.body, &mut references);
    for default in create.args.iter().filter_map(|arg| arg.default.as_ref()) {
        super::query::add_expression_references(c, default, &mut references);
    }
    let routine = Routine {
        id: Id(0),
        schema: c.creation_schema(&create.name),
        name: create.name.name.clone(),
        kind: create.kind,
        birth: c.birth(),
        // RETURNS TABLE says the same as OUT columns; its own type is that of the columns.
        returns: if is_table { result_of_outputs(create.kind, &args) } else { returns },
        returns_set: is_table || create.returns.as_ref().is_some_and(|t| t.setof),
        args,
        language: create.language.clone(),
        volatility: create.volatility,
        strict: create.strict,
        security_definer: create.security_definer,
        settings: create.settings.clone(),
        body: Arc::new(create.body.clone()),
        references,
        owner: c.current_role(),
        grants: Vec::new(),
        extension: None,
    };
    enter(c, routine, create.or_replace);
}

/// CREATE [OR REPLACE] AGGREGATE.
pub(super) fn create_aggregate(
    c: &mut Catalog,
    name: &ObjectName,
    or_replace: bool,
    args: &[TypeRef],
    state: Option<&TypeRef>,
    final_function: Option<&ObjectName>,
) {
    let kind = RoutineKind::Aggregate;
    let mut routine = bare(c, name, kind, Some(args));
    routine.birth = c.birth();
    routine.owner = c.current_role();
    routine.language = "internal".into();
    routine.volatility = Volatility::Immutable;
    routine.returns = match final_function {
        None => state.map(|state| c.data_type(state).without_typmods()),
        Some(name) => match c.resolve_routines(name).first().and_then(|id| c.routines.get(id)) {
            Some(found) => found.returns.clone(),
            // All overloads must agree for one to be believed.
            None => {
                let mut results = super::builtin::functions(&name.name).into_iter().map(|function| function.returns);
                let first = results.next();
                first.filter(|first| results.all(|other| other == *first))
            }
        },
    };
    routine.references = signature_references(&routine.args, routine.returns.as_ref());
    enter(c, routine, or_replace);
}

fn enter(c: &mut Catalog, mut routine: Routine, or_replace: bool) {
    c.schema_or_unseen(&routine.schema);
    let same = same_signature(c, &routine).filter(|_| or_replace);
    if let Some(before) = same {
        routine.id = before.id;
        routine.birth = before.birth;
        routine.owner = before.owner.clone();
        routine.grants = before.grants.clone();
        routine.extension = before.extension.clone();
        c.routines.insert(before.id, Arc::new(routine));
        c.record(Change::RoutineReplaced { routine: before });
        return;
    }
    routine.id = c.new_id();
    routine.grants = super::default_privilege::initial(c, ObjectKind::Function, &routine.schema);
    let id = c.insert_routine(routine);
    c.record(Change::RoutineCreated { routine: id });
}

/// The overload of the same schema, name and input types.
fn same_signature(c: &Catalog, routine: &Routine) -> Option<Arc<Routine>> {
    let ids = c.routine_names.get(&routine.schema)?.get(&routine.name)?;
    let wanted: Vec<&DataType> = routine.input_types().collect();
    let mut found = ids.iter().filter_map(|id| c.routines.get(id));
    found.find(|other| other.input_types().collect::<Vec<_>>() == wanted).cloned()
}

/// What OUT, INOUT and TABLE arguments make of the result: the one type, or a record. A procedure always gives a record.
fn result_of_outputs(kind: RoutineKind, args: &[Argument]) -> Option<DataType> {
    let outputs: Vec<&Argument> = args.iter().filter(|arg| is_output(arg.mode)).collect();
    match outputs.as_slice() {
        [] => None,
        [only] if kind != RoutineKind::Procedure => Some(only.data_type.clone()),
        _ => Some(DataType::builtin("record")),
    }
}

pub(super) fn is_output(mode: ArgMode) -> bool {
    match mode {
        ArgMode::Out | ArgMode::InOut | ArgMode::Table => true,
        ArgMode::In | ArgMode::Variadic => false,
    }
}

/// A routine depends on the types in its signature.
fn signature_references(args: &[Argument], returns: Option<&DataType>) -> Vec<Reference> {
    let mut references = Vec::new();
    for data_type in args.iter().map(|arg| &arg.data_type).chain(returns) {
        let reference = match data_type.base {
            BaseType::User(id) => Reference::Type(id),
            BaseType::Row(id) => Reference::Relation(id),
            BaseType::Builtin(_) | BaseType::Unknown => continue,
        };
        if !references.contains(&reference) {
            references.push(reference);
        }
    }
    references
}

/// A type as written, `t.c%TYPE` included: it stands for the column's type at this moment.
pub(super) fn resolve(c: &Catalog, type_ref: &TypeRef) -> DataType {
    if !type_ref.percent_type {
        return c.data_type(type_ref);
    }
    let Some(table) = &type_ref.name.schema else { return DataType::UNKNOWN };
    let table = match table.split_once('.') {
        Some((schema, table)) => ObjectName::qualified(schema, table),
        None => ObjectName::bare(table.clone()),
    };
    let relation = c.resolve_relation(&table).and_then(|id| c.relation(id));
    let column = relation.and_then(|relation| relation.column(&type_ref.name.name));
    column.map_or(DataType::UNKNOWN, |column| column.data_type.without_typmods())
}

/// ALTER FUNCTION / PROCEDURE / ROUTINE … options, as lower-case words.
pub(super) fn alter(c: &mut Catalog, routine: &ObjectRef, changes: &[String]) {
    let Some(id) = routine_or_unseen(c, routine) else { return };
    let Some(before) = c.routines.get(&id).cloned() else { return };
    if let Some(routine) = c.routine_mut(id) {
        for change in changes {
            alter_one(routine, change);
        }
    }
    c.record(Change::RoutineAltered { routine: before, changes: changes.to_vec() });
}

fn alter_one(routine: &mut Routine, change: &str) {
    match change {
        "immutable" => routine.volatility = Volatility::Immutable,
        "stable" => routine.volatility = Volatility::Stable,
        "volatile" => routine.volatility = Volatility::Volatile,
        "strict" | "returns null on null input" => routine.strict = true,
        "called on null input" => routine.strict = false,
        "security definer" => routine.security_definer = true,
        "security invoker" => routine.security_definer = false,
        "reset all" => routine.settings.clear(),
        _ => {
            if let Some(name) = change.strip_prefix("reset ") {
                routine.settings.retain(|(setting, _)| setting != name);
            } else if let Some(setting) = change.strip_prefix("set ") {
                let (name, value) = setting.split_once(['=', ' ']).unwrap_or((setting, ""));
                routine.settings.retain(|(other, _)| other != name.trim());
                routine.settings.push((name.trim().to_string(), value.trim().to_string()));
            }
        }
    }
}

/// The routine that a statement names, or one made up where no visible statement created it. The server's own give `None`.
pub(super) fn routine_or_unseen(c: &mut Catalog, object: &ObjectRef) -> Option<Id> {
    if let Some(id) = c.resolve_routine(&object.name, object.args.as_deref()) {
        return Some(id);
    }
    let candidates = c.resolve_routines(&object.name);
    // Without arguments the name must be unique on the server, whatever overloads we believe in.
    if object.args.is_none() && !candidates.is_empty() {
        return candidates.first().copied();
    }
    let schema = c.creation_schema(&object.name);
    if is_system_schema(&schema) || (object.name.schema.is_none() && super::builtin::is_function(&object.name.name)) {
        return None;
    }
    c.incomplete = true;
    let kind = match object.kind {
        ObjectKind::Procedure => RoutineKind::Procedure,
        ObjectKind::Aggregate => RoutineKind::Aggregate,
        _ => RoutineKind::Function,
    };
    let mut routine = bare(c, &object.name, kind, object.args.as_deref());
    routine.id = c.new_id();
    Some(c.insert_routine(routine))
}

/// For DROP: the routine made up, one of pg_catalog too.
pub(super) fn unseen(c: &mut Catalog, object: &ObjectRef) -> Id {
    if let Some(id) = routine_or_unseen(c, object) {
        return id;
    }
    let mut routine = bare(c, &object.name, RoutineKind::Function, object.args.as_deref());
    routine.id = c.new_id();
    c.insert_routine(routine)
}

/// A routine of which only the name and the input types are known.
fn bare(c: &Catalog, name: &ObjectName, kind: RoutineKind, args: Option<&[TypeRef]>) -> Routine {
    let argument =
        |t: &TypeRef| Argument { name: None, data_type: resolve(c, t).without_typmods(), mode: ArgMode::In, has_default: false };
    Routine {
        id: Id(0),
        schema: c.creation_schema(name),
        name: name.name.clone(),
        kind,
        birth: Birth::UNSEEN,
        args: args.unwrap_or_default().iter().map(argument).collect(),
        returns: None,
        returns_set: false,
        language: String::new(),
        volatility: Volatility::Volatile,
        strict: false,
        security_definer: false,
        settings: Vec::new(),
        body: Arc::new(Body { opaque: Some("no visible statement created it".into()), ..Body::default() }),
        references: Vec::new(),
        owner: None,
        grants: Vec::new(),
        extension: None,
    }
}
