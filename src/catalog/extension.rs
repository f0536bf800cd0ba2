//! Extensions and their members.
//!
//! Members have `extension` set, the birth of CREATE EXTENSION, and no entry of their own in the journal: they come and go with
//! the extension. Contrib's members are read off a PostgreSQL 15 by `extension/members.sql`; `extension/elsewhere.txt` is written
//! by hand from the documentation of each extension and tells types, schemas and the functions that migrations call.

use super::Catalog;
use super::builtin;
use super::change::{Cause, Change};
use super::object::*;
use super::resolve::{new_relation, push_column};
use super::types::{BaseType, DataType, is_builtin};
use crate::op::{ArgMode, Body, ExtensionChange, ObjectKind, ObjectName, ObjectRef, RoutineKind, Volatility};
use crate::sql::names::quote_identifier;
use std::collections::BTreeSet;
use std::sync::Arc;

const CONTRIB: &str = include_str!("extension/contrib.txt");
const ELSEWHERE: &str = include_str!("extension/elsewhere.txt");

/// One object of an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Relation(Id),
    Type(Id),
    Routine(Id),
    Schema(String),
}

/// plpgsql is there from the start.
pub(super) fn install_initial(c: &mut Catalog) {
    let plpgsql = Extension { name: "plpgsql".into(), schema: "pg_catalog".into(), birth: Birth::UNSEEN };
    c.extensions.insert(plpgsql.name.clone(), Arc::new(plpgsql));
}

/// CREATE EXTENSION; CASCADE brings what it requires.
pub(super) fn create(c: &mut Catalog, name: &str, if_not_exists: bool, schema: Option<&str>, cascade: bool) {
    if c.extensions.contains_key(name) {
        if if_not_exists {
            c.nothing_exists(ObjectKind::Extension, quote_identifier(name));
        }
        return;
    }
    let lines = lines_of(name);
    if lines.is_empty() {
        // Nobody here knows what it brings.
        c.incomplete = true;
    }
    for required in lines.iter().filter(|line| line.kind == "requires").flat_map(|line| line.rest.split(' ')) {
        if !c.extensions.contains_key(required) {
            let cause = if cascade { Cause::Cascade } else { c.cause };
            // Without CASCADE it must have been there unseen.
            c.incomplete |= !cascade;
            c.because(cause, |c| create(c, required, true, schema, cascade));
        }
    }
    let fixed = lines.iter().find(|line| line.kind == "extension").map(|line| line.rest).filter(|schema| !schema.is_empty());
    let schema = match schema.or(fixed) {
        Some(schema) => schema.to_string(),
        None => c.creation_schema(&ObjectName::bare(name)),
    };
    c.schema_or_unseen(&schema);
    let extension = Arc::new(Extension { name: name.to_string(), schema: schema.clone(), birth: c.birth() });
    c.extensions.insert(name.to_string(), extension.clone());
    for line in &lines {
        add_member(c, &extension, line);
    }
    c.record(Change::ExtensionCreated { extension });
}

/// One line of the member lists.
#[derive(Clone, Copy, Debug)]
struct Line {
    kind: &'static str,
    rest: &'static str,
}

fn lines_of(extension: &str) -> Vec<Line> {
    let line = |text: &'static str| {
        let (name, rest) = text.split_once(' ')?;
        let (kind, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        (name == extension).then_some(Line { kind, rest: rest.trim() })
    };
    CONTRIB.lines().chain(ELSEWHERE.lines()).filter_map(line).collect()
}

fn add_member(c: &mut Catalog, extension: &Extension, line: &Line) {
    let (name, rest) = line.rest.split_once(' ').unwrap_or((line.rest, ""));
    match line.kind {
        "schema" => {
            let schema = SchemaObject { name: name.into(), birth: extension.birth, known: true, owner: None, grants: Vec::new() };
            c.schemas.entry(name.to_string()).or_insert_with(|| Arc::new(schema));
        }
        "type" => {
            let object = TypeObject {
                id: c.new_id(),
                schema: extension.schema.clone(),
                name: name.to_string(),
                kind: TypeKind::Base,
                birth: extension.birth,
                known: true,
                owner: None,
                grants: vec![("public".into(), "usage".into())],
                extension: Some(extension.name.clone()),
            };
            c.insert_type(object);
        }
        "view" | "table" => {
            let kind = if line.kind == "view" { RelationKind::View } else { RelationKind::Table };
            let mut relation = new_relation(c.new_id(), &extension.schema, name, kind, extension.birth);
            relation.extension = Some(extension.name.clone());
            for (column, data_type) in rest.split(' ').filter_map(|word| word.split_once('=')) {
                let data_type = member_type(c, extension, data_type);
                push_column(&mut relation, column, data_type, extension.birth);
            }
            c.insert_relation(relation);
        }
        "function" => add_function(c, extension, name, rest),
        _ => {}
    }
}

fn add_function(c: &mut Catalog, extension: &Extension, name: &str, signature: &str) {
    let Some((before, after)) = signature.split_once(':') else { return };
    let mut args: Vec<Argument> = Vec::new();
    for word in before.split_whitespace() {
        let data_type = member_type(c, extension, word.trim_start_matches('*').trim_end_matches('?'));
        let mode = if word.starts_with('*') { ArgMode::Variadic } else { ArgMode::In };
        args.push(Argument { name: None, data_type, mode, has_default: word.ends_with('?') });
    }
    let mut words = after.split_whitespace();
    let returns = words.next().unwrap_or_default();
    let returns_set = returns.starts_with('+');
    let returns = member_type(c, extension, returns.trim_start_matches('+'));
    for (column, data_type) in words.filter_map(|word| word.split_once('=')) {
        let data_type = member_type(c, extension, data_type);
        args.push(Argument { name: Some(column.to_string()), data_type, mode: ArgMode::Out, has_default: false });
    }
    let routine = Routine {
        id: c.new_id(),
        schema: extension.schema.clone(),
        name: name.to_string(),
        kind: RoutineKind::Function,
        birth: extension.birth,
        args,
        returns: Some(returns),
        returns_set,
        language: "c".into(),
        volatility: Volatility::Volatile,
        strict: false,
        security_definer: false,
        settings: Vec::new(),
        body: Arc::new(Body { language: "c".into(), opaque: Some("code of an extension".into()), ..Body::default() }),
        references: Vec::new(),
        owner: None,
        grants: vec![("public".into(), "execute".into())],
        extension: Some(extension.name.clone()),
    };
    c.insert_routine(routine);
}

/// A type of a member's signature: of pg_catalog, of the extension, or of one it requires.
fn member_type(c: &Catalog, extension: &Extension, name: &str) -> DataType {
    let element = name.strip_prefix('_').unwrap_or(name);
    if is_builtin(element) {
        return builtin::data_type(name);
    }
    let array = element.len() != name.len();
    let own = ObjectName::qualified(extension.schema.clone(), element);
    let found = c.resolve_type(&own).or_else(|| {
        let mut others = c.types.values().filter(|object| object.extension.is_some() && object.name == element);
        others.next().map(|object| object.id)
    });
    DataType { base: found.map_or(BaseType::Unknown, BaseType::User), typmods: Vec::new(), array }
}

/// ALTER EXTENSION … UPDATE, ADD, DROP.
pub(super) fn alter(c: &mut Catalog, name: &str, change: &ExtensionChange) {
    match change {
        ExtensionChange::Update { .. } => {}
        ExtensionChange::Add(object) => set_membership(c, object, Some(name)),
        ExtensionChange::Drop(object) => set_membership(c, object, None),
    }
    c.record(Change::ExtensionAltered { name: name.to_string() });
}

fn set_membership(c: &mut Catalog, object: &ObjectRef, extension: Option<&str>) {
    let extension = extension.map(str::to_string);
    match object.kind {
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => {
            let id = c.resolve_routine(&object.name, object.args.as_deref());
            if let Some(routine) = id.and_then(|id| c.routine_mut(id)) {
                routine.extension = extension;
            }
        }
        ObjectKind::Type | ObjectKind::Domain => {
            if let Some(found) = c.resolve_type(&object.name).and_then(|id| c.type_mut(id)) {
                found.extension = extension;
            }
        }
        _ => {
            if let Some(relation) = c.resolve_relation(&object.name).and_then(|id| c.relation_mut(id)) {
                relation.extension = extension;
            }
        }
    }
}

/// Everything that belongs to an extension, for DROP: what depends on a member falls with CASCADE.
pub(super) fn members(c: &Catalog, name: &str) -> Vec<Member> {
    let is = |extension: &Option<String>| extension.as_deref() == Some(name);
    let mut list: Vec<Member> = Vec::new();
    list.extend(c.routines.values().filter(|r| is(&r.extension)).map(|r| Member::Routine(r.id)));
    list.extend(c.relations.values().filter(|r| is(&r.extension)).map(|r| Member::Relation(r.id)));
    list.extend(c.types.values().filter(|t| is(&t.extension)).map(|t| Member::Type(t.id)));
    let own_schemas = lines_of(name).into_iter().filter(|line| line.kind == "schema").map(|line| line.rest.to_string());
    list.extend(own_schemas.filter(|schema| c.schemas.contains_key(schema)).map(Member::Schema));
    list
}

/// Schemas that installed extensions made for themselves.
pub(super) fn schemas_of_extensions(c: &Catalog) -> BTreeSet<&'static str> {
    let lines = c.extensions.keys().flat_map(|name| lines_of(name));
    lines.filter(|line| line.kind == "schema").map(|line| line.rest).collect()
}

/// DROP EXTENSION: its members go with it, and with CASCADE what needs them. One that no visible statement created is older.
pub(super) fn drop(c: &mut Catalog, name: &str, if_exists: bool, cascade: bool) {
    if if_exists && !c.extensions.contains_key(name) {
        return c.nothing_missing(ObjectKind::Extension, quote_identifier(name));
    }
    let extension = extension_or_unseen(c, name);
    let members = members(c, name);
    if cascade {
        c.because(Cause::Cascade, |c| members.iter().for_each(|member| drop_dependents(c, member)));
        let requires = |other: &str| lines_of(other).iter().any(|l| l.kind == "requires" && l.rest.split(' ').any(|r| r == name));
        let dependents: Vec<String> = c.extensions.keys().filter(|other| requires(other)).cloned().collect();
        for dependent in dependents {
            c.because(Cause::Cascade, |c| drop(c, &dependent, true, true));
        }
    }
    for member in members {
        match member {
            Member::Routine(id) => {
                c.remove_routine(id);
            }
            Member::Relation(id) => {
                c.remove_relation(id);
            }
            Member::Type(id) => {
                c.remove_type(id);
            }
            Member::Schema(schema) => super::drop::schema(c, &schema),
        }
    }
    c.extensions.remove(name);
    c.record(Change::ExtensionDropped { extension });
}

/// What needs a member and is none itself.
fn drop_dependents(c: &mut Catalog, member: &Member) {
    match *member {
        Member::Type(id) => {
            let base = BaseType::User(id);
            for (table, column) in c.columns_of_type(&base) {
                if c.relation(table).is_some_and(|relation| relation.extension.is_none()) {
                    super::drop::remove_column(c, table, column, true, true);
                }
            }
            for domain in c.domains_over(&base) {
                super::drop::data_type(c, domain, true);
            }
            for routine in c.routines_using_type(&base) {
                if c.routines.get(&routine).is_some_and(|routine| routine.extension.is_none()) {
                    super::drop::routine(c, routine, true);
                }
            }
        }
        Member::Routine(id) => {
            for (table, trigger) in c.triggers_running(id) {
                super::trigger::drop_trigger(c, table, &trigger);
            }
            for view in c.views_using(|reference| *reference == Reference::Routine(id)) {
                super::drop::relation(c, view, true);
            }
        }
        Member::Relation(id) => {
            for view in c.views_using(|reference| *reference == Reference::Relation(id)) {
                super::drop::relation(c, view, true);
            }
        }
        Member::Schema(_) => {}
    }
}

/// ALTER EXTENSION … SET SCHEMA: its members move.
pub(super) fn set_schema(c: &mut Catalog, name: &str, schema: &str) {
    let before = extension_or_unseen(c, name);
    if before.schema == schema {
        return;
    }
    for member in members(c, name) {
        match member {
            Member::Routine(id) => {
                if let Some(name) = c.routines.get(&id).filter(|r| r.schema == before.schema).map(|r| r.name.clone()) {
                    c.rename_routine_entry(id, schema, &name);
                }
            }
            Member::Relation(id) => super::relocate::move_relation_entry(c, id, schema),
            Member::Type(id) => {
                if let Some(name) = c.types.get(&id).map(|object| object.name.clone()) {
                    c.rename_type_entry(id, schema, &name);
                }
            }
            // A schema of its own stays where it is.
            Member::Schema(_) => {}
        }
    }
    let after = Extension { schema: schema.to_string(), ..Extension::clone(&before) };
    c.extensions.insert(name.to_string(), Arc::new(after));
    c.record(Change::ExtensionMoved { extension: before, schema: schema.to_string() });
}

fn extension_or_unseen(c: &mut Catalog, name: &str) -> Arc<Extension> {
    if let Some(extension) = c.extensions.get(name) {
        return extension.clone();
    }
    c.incomplete = true;
    let schema = c.creation_schema(&ObjectName::bare(name));
    let extension = Arc::new(Extension { name: name.to_string(), schema, birth: Birth::UNSEEN });
    c.extensions.insert(name.to_string(), extension.clone());
    extension
}
