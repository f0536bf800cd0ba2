//! Sequences: their own statements, and those that come with serial and identity columns.

use super::Catalog;
use super::change::{Cause, Change};
use super::name::choose_name;
use super::object::*;
use super::resolve::new_relation;
use super::types::DataType;
use crate::expr::{Call, Expr};
use crate::op::{ObjectKind, ObjectName, Persistence, SequenceOption, TypeRef};

pub(super) fn create(
    c: &mut Catalog,
    name: &ObjectName,
    persistence: Persistence,
    if_not_exists: bool,
    options: &[SequenceOption],
) {
    let schema = if persistence == Persistence::Temporary { "pg_temp".to_string() } else { c.creation_schema(name) };
    if if_not_exists && c.relation_name_taken(&schema, &name.name) {
        c.nothing_exists(ObjectKind::Sequence, super::name::qualified(&schema, &name.name));
        return;
    }
    c.schema_or_unseen(&schema);
    let data_type = options.iter().find_map(|o| if let SequenceOption::As(t) = o { Some(c.data_type(t)) } else { None });
    let id = insert(c, &schema, &name.name, data_type.unwrap_or_else(|| DataType::builtin("int8")), options);
    if let Some(relation) = c.relation_mut(id) {
        relation.persistence = persistence;
    }
    set_options(c, id, options);
    c.record(Change::RelationCreated { relation: id });
}

fn insert(c: &mut Catalog, schema: &str, name: &str, data_type: DataType, options: &[SequenceOption]) -> Id {
    let id = c.new_id();
    let mut relation = new_relation(id, schema, name, RelationKind::Sequence, c.birth());
    let increment = options.iter().find_map(|o| if let SequenceOption::Increment(n) = o { Some(*n) } else { None });
    relation.sequence = Some(SequenceState {
        data_type,
        owned_by: None,
        identity: false,
        increment: increment.unwrap_or(1),
        max_value: None,
        min_value: None,
        start: None,
    });
    relation.owner = c.current_role();
    relation.grants = super::default_privilege::initial_on_relation(c, RelationKind::Sequence, schema);
    c.insert_relation(relation)
}

/// Creates the sequence of a serial or identity column, named as the server names it.
pub(super) fn create_owned(
    c: &mut Catalog,
    table: Id,
    column: ColumnId,
    data_type: DataType,
    identity: bool,
    options: &[SequenceOption],
) -> Option<Id> {
    let relation = c.relation(table)?.clone();
    let column_name = relation.column_by_id(column)?.name.clone();
    let wanted = options.iter().find_map(|o| if let SequenceOption::Name(n) = o { Some(n.clone()) } else { None });
    let (schema, name) = match wanted {
        Some(name) => (name.schema.unwrap_or_else(|| relation.schema.clone()), name.name),
        None => {
            let taken = |candidate: &str| c.relation_name_taken(&relation.schema, candidate);
            (relation.schema.clone(), choose_name(&relation.name, Some(&column_name), "seq", taken))
        }
    };
    let id = insert(c, &schema, &name, data_type, options);
    set_options(c, id, options);
    if let Some(sequence) = c.relation_mut(id) {
        sequence.persistence = relation.persistence;
        sequence.owner = relation.owner.clone();
        if let Some(state) = sequence.sequence.as_mut() {
            state.owned_by = Some((table, column));
            state.identity = identity;
        }
    }
    c.because(Cause::Cascade, |c| c.record(Change::RelationCreated { relation: id }));
    Some(id)
}

/// Applies options and returns those that change what nextval gives, by name.
fn set_options(c: &mut Catalog, id: Id, options: &[SequenceOption]) -> Vec<&'static str> {
    let mut changed = Vec::new();
    for option in options {
        if let SequenceOption::OwnedBy(owner) = option {
            let owner = owner.as_ref().and_then(|(table, column)| {
                let table = c.relation_or_unseen(table, RelationKind::Table)?;
                Some((table, c.column_or_unseen(table, column)?))
            });
            if let Some(state) = c.relation_mut(id).and_then(|r| r.sequence.as_mut()) {
                state.owned_by = owner;
            }
            continue;
        }
        let data_type = if let SequenceOption::As(t) = option { Some(c.data_type(t)) } else { None };
        let Some(state) = c.relation_mut(id).and_then(|r| r.sequence.as_mut()) else { continue };
        match option {
            SequenceOption::As(_) => {
                if let Some(data_type) = data_type.filter(|t| *t != state.data_type) {
                    state.data_type = data_type;
                    changed.push("type");
                }
            }
            SequenceOption::Increment(n) => {
                state.increment = *n;
                changed.push("increment");
            }
            SequenceOption::Start(n) => {
                state.start = Some(*n);
                changed.push("start");
            }
            SequenceOption::MinValue(n) => {
                state.min_value = *n;
                changed.push("minvalue");
            }
            SequenceOption::MaxValue(n) => {
                state.max_value = *n;
                changed.push("maxvalue");
            }
            SequenceOption::Restart(_) => changed.push("restart"),
            SequenceOption::Cycle(_) => changed.push("cycle"),
            SequenceOption::Cache(_) => changed.push("cache"),
            SequenceOption::SetLogged(_) => changed.push("persistence"),
            SequenceOption::OwnedBy(_) | SequenceOption::Name(_) => {}
        }
    }
    changed
}

pub(super) fn alter(c: &mut Catalog, name: &ObjectName, if_exists: bool, options: &[SequenceOption]) {
    if if_exists && c.resolve_relation(name).is_none() {
        c.nothing_missing(ObjectKind::Sequence, c.missing_label(name));
        return;
    }
    let Some(id) = c.relation_or_unseen(name, RelationKind::Sequence) else { return };
    alter_by_id(c, id, options);
}

pub(super) fn alter_by_id(c: &mut Catalog, id: Id, options: &[SequenceOption]) {
    let Some(before) = c.relation(id).cloned() else { return };
    let what = set_options(c, id, options);
    if !what.is_empty() {
        c.record(Change::SequenceAltered { relation: before.clone(), what });
    }
    if let Some(owned) =
        options.iter().rev().find_map(|o| if let SequenceOption::OwnedBy(owner) = o { Some(owner.is_some()) } else { None })
    {
        c.record(Change::SequenceOwnerChanged { relation: before, owned });
    }
}

/// The sequences that fall with a relation or with one of its columns.
pub(super) fn owned_by(c: &Catalog, table: Id, column: Option<ColumnId>) -> Vec<Id> {
    let owned = |relation: &Relation| {
        let owner = relation.sequence.as_ref().and_then(|s| s.owned_by);
        owner.is_some_and(|(t, col)| t == table && column.is_none_or(|wanted| wanted == col))
    };
    c.relations.values().filter(|r| r.kind == RelationKind::Sequence && owned(r)).map(|r| r.id).collect()
}

/// `nextval('schema.name'::regclass)`.
pub(super) fn nextval_default(c: &Catalog, sequence: Id) -> Option<Expr> {
    let relation = c.relation(sequence)?;
    let regclass = TypeRef::of(ObjectName::bare("regclass"));
    let name = Expr::Str(super::name::qualified(&relation.schema, &relation.name));
    let argument = Expr::Cast { expr: Box::new(name), to: regclass };
    Some(Expr::Call(Call {
        name: ObjectName::bare("nextval"),
        args: vec![argument],
        distinct: false,
        star: false,
        filter: None,
        window: false,
        extra: Vec::new(),
    }))
}

/// The sequences that an expression takes numbers from.
pub(super) fn sequences_in(c: &Catalog, expr: &Expr) -> Vec<Id> {
    let mut found = Vec::new();
    expr.walk(&mut |e| {
        let Expr::Call(call) = e else { return };
        if call.name.name != "nextval" {
            return;
        }
        let text = match call.args.first() {
            Some(Expr::Str(text)) => text,
            Some(Expr::Cast { expr, .. }) => match expr.as_ref() {
                Expr::Str(text) => text,
                _ => return,
            },
            _ => return,
        };
        found.extend(c.resolve_relation(&super::name::parse_qualified(text)));
    });
    found
}
