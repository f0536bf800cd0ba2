//! Statements that a server refuses because of what is already there, or is not, with the SQLSTATE it raises.
//!
//! Only what is certain is here: it decides which handler of a plpgsql block runs. Which object raises what was run on
//! PostgreSQL 15, 17 and 18.

use super::Catalog;
use super::enumeration::labels;
use super::object::{Relation, RelationKind};
use crate::op::{
    AlterEnum, AlterTable, AlterTableCommand, ConstraintDef, ConstraintKind, CreateRoutine, ObjectKind, ObjectName, ObjectRef, Op,
};

/// `condition SQLSTATE`, sorted: `errcodes.txt` of PostgreSQL 15. Some names have two codes.
const CONDITIONS: &str = include_str!("data/conditions.txt");

/// Why control leaves a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// RAISE EXCEPTION, with the code it has unless it says another.
    Raised,
    /// The server's error with this SQLSTATE.
    State(&'static str),
}

const DUPLICATE_OBJECT: Failure = Failure::State("42710");
const DUPLICATE_TABLE: Failure = Failure::State("42P07");
const DUPLICATE_COLUMN: Failure = Failure::State("42701");
const DUPLICATE_FUNCTION: Failure = Failure::State("42723");
const DUPLICATE_SCHEMA: Failure = Failure::State("42P06");
const INVALID_TABLE_DEFINITION: Failure = Failure::State("42P16");
const UNDEFINED_TABLE: Failure = Failure::State("42P01");
const UNDEFINED_COLUMN: Failure = Failure::State("42703");
const UNDEFINED_OBJECT: Failure = Failure::State("42704");
const UNDEFINED_FUNCTION: Failure = Failure::State("42883");
const INVALID_SCHEMA_NAME: Failure = Failure::State("3F000");
const INVALID_PARAMETER_VALUE: Failure = Failure::State("22023");

impl Failure {
    pub fn sqlstate(self) -> &'static str {
        match self {
            Failure::Raised => "P0001",
            Failure::State(state) => state,
        }
    }

    /// Whether one of a handler's conditions (names, codes, `others`; lower case) catches it.
    pub fn is_caught_by(self, conditions: &[String]) -> bool {
        conditions.iter().any(|condition| {
            let condition = condition.trim_start_matches("sqlstate").trim().trim_matches('\'');
            if condition == "others" || condition.eq_ignore_ascii_case(self.sqlstate()) {
                return true;
            }
            let named = CONDITIONS.lines().filter_map(|line| line.split_once(' ')).filter(|(name, _)| *name == condition);
            // A code that ends in 000 is a category, which catches all of its class.
            named
                .map(|(_, code)| code)
                .any(|code| code == self.sqlstate() || (code.ends_with("000") && code[..2] == self.sqlstate()[..2]))
        })
    }
}

/// How this statement surely fails now, if it does.
pub(super) fn of(c: &Catalog, op: &Op) -> Option<Failure> {
    match op {
        Op::CreateSchema { name, if_not_exists, .. } => {
            (!if_not_exists && c.schemas.get(name).is_some_and(|schema| schema.known)).then_some(DUPLICATE_SCHEMA)
        }
        Op::CreateTable(create) => new_relation(c, &create.name, create.if_not_exists),
        Op::CreateTableAs(create) => new_relation(c, &create.name, create.if_not_exists),
        Op::CreateSequence { name, if_not_exists, .. } => new_relation(c, name, *if_not_exists),
        Op::CreateView(create) if create.or_replace => None,
        Op::CreateView(create) => new_relation(c, &create.name, false),
        Op::CreateIndex(create) => {
            let missing = missing_relation(c, &create.relation, false);
            missing.or_else(|| {
                let schema = c.resolve_relation(&create.relation).and_then(|id| c.relation(id)).map(|found| &found.schema)?;
                let taken = create.name.as_ref().is_some_and(|name| c.relation_name_taken(schema, name));
                (taken && !create.if_not_exists).then_some(DUPLICATE_TABLE)
            })
        }
        Op::CreateType { name, .. } | Op::CreateDomain { name, .. } => new_type(c, name),
        Op::AlterEnum { name, change } => alter_enum(c, name, change),
        Op::CreateRoutine(create) => new_routine(c, create),
        Op::CreateTrigger(create) => missing_relation(c, &create.relation, false).or_else(|| {
            let exists = relation(c, &create.relation)?.triggers.iter().any(|trigger| trigger.name == create.name);
            (exists && !create.or_replace).then_some(DUPLICATE_OBJECT)
        }),
        Op::CreatePolicy(create) => missing_relation(c, &create.relation, false).or_else(|| {
            let exists = relation(c, &create.relation)?.policies.iter().any(|found| found.policy.name == create.name);
            exists.then_some(DUPLICATE_OBJECT)
        }),
        Op::CreateRule { name, relation: table, or_replace, .. } => missing_relation(c, table, false).or_else(|| {
            let exists = relation(c, table)?.rules.iter().any(|rule| rule.name == *name);
            (exists && !or_replace).then_some(DUPLICATE_OBJECT)
        }),
        Op::CreateExtension { name, if_not_exists, .. } => {
            (!if_not_exists && c.extensions.contains_key(name)).then_some(DUPLICATE_OBJECT)
        }
        Op::CreateRole { name, .. } => c.roles.contains_key(name).then_some(DUPLICATE_OBJECT),
        Op::CreatePublication { name, .. } => c.publications.contains_key(name).then_some(DUPLICATE_OBJECT),
        Op::AlterTable(alter) => alter_table(c, alter),
        Op::Drop { objects, if_exists: false, .. } => objects.iter().find_map(|object| missing(c, object)),
        Op::Rename { object, to, if_exists, .. } => rename(c, object, to, *if_exists),
        Op::SetSchema { object, if_exists: false, .. } => missing(c, object),
        Op::Truncate { relations, .. } => relations.iter().find_map(|name| missing_relation(c, name, false)),
        Op::Dml(dml) => missing_relation(c, &dml.relation, false),
        Op::Refresh { name, .. } => missing_relation(c, name, false),
        // Nothing is certain about the others' failing.
        Op::Drop { .. } | Op::SetSchema { .. } | Op::AlterSequence { .. } | Op::AlterAllInTablespace | Op::AlterDomain { .. } => {
            None
        }
        Op::AlterRoutine { .. } | Op::CreateAggregate { .. } | Op::CreateEventTrigger { .. } | Op::AlterEventTrigger { .. } => {
            None
        }
        Op::AlterPolicy(_) | Op::AlterExtension { .. } | Op::CreateOther { .. } | Op::AlterOther { .. } => None,
        Op::SetOwner { .. } | Op::DependsOnExtension { .. } | Op::Comment { .. } | Op::SecurityLabel | Op::Grant(_) => None,
        Op::GrantRole { .. } | Op::AlterRole { .. } | Op::AlterSettings { .. } | Op::DropRole { .. } | Op::DropOwned { .. } => {
            None
        }
        Op::ReassignOwned { .. } | Op::AlterPublication { .. } | Op::CreateSubscription { .. } => None,
        Op::AlterSubscription { .. } | Op::Select(_) | Op::Copy { .. } | Op::Lock { .. } | Op::Transaction(_) | Op::Set(_) => {
            None
        }
        Op::Show
        | Op::SetConstraints { .. }
        | Op::Discard { .. }
        | Op::Vacuum { .. }
        | Op::Cluster { .. }
        | Op::Reindex { .. } => None,
        Op::Call { .. } | Op::Do(_) | Op::Explain { .. } | Op::Session { .. } | Op::ImportForeignSchema { .. } => None,
        Op::Load { .. } | Op::Unclassified { .. } => None,
    }
}

fn relation<'c>(c: &'c Catalog, name: &ObjectName) -> Option<&'c Relation> {
    c.resolve_relation(name).and_then(|id| c.relation(id)).map(AsRef::as_ref)
}

/// A name for a new relation: taken by another, or by a type.
fn new_relation(c: &Catalog, name: &ObjectName, if_not_exists: bool) -> Option<Failure> {
    let schema = c.creation_schema(name);
    if c.relation_name_taken(&schema, &name.name) {
        return (!if_not_exists).then_some(DUPLICATE_TABLE);
    }
    if c.type_name_taken(&schema, &name.name) {
        return Some(DUPLICATE_OBJECT);
    }
    missing_schema(c, &schema)
}

/// A name for a new type: taken by another, or by the row type of a relation.
fn new_type(c: &Catalog, name: &ObjectName) -> Option<Failure> {
    let schema = c.creation_schema(name);
    let row_type = relation(c, &ObjectName::qualified(schema.clone(), name.name.clone()));
    if c.type_name_taken(&schema, &name.name) || row_type.is_some() {
        return Some(DUPLICATE_OBJECT);
    }
    missing_schema(c, &schema)
}

fn missing_schema(c: &Catalog, schema: &str) -> Option<Failure> {
    let exists = c.schemas.contains_key(schema) || super::resolve::is_system_schema(schema) || schema.starts_with("pg_temp");
    (!exists && !c.incomplete).then_some(INVALID_SCHEMA_NAME)
}

/// A relation that a whole history never created, or dropped.
fn missing_relation(c: &Catalog, name: &ObjectName, if_exists: bool) -> Option<Failure> {
    let server = name.schema.as_deref().map_or(name.name.starts_with("pg_"), super::resolve::is_system_schema);
    if if_exists || server || c.incomplete || c.resolve_relation_or_index(name).is_some() {
        return None;
    }
    Some(UNDEFINED_TABLE)
}

fn new_routine(c: &Catalog, create: &CreateRoutine) -> Option<Failure> {
    if create.or_replace {
        return None;
    }
    let schema = c.creation_schema(&create.name);
    let name = ObjectName::qualified(schema, create.name.name.clone());
    let inputs = create.args.iter().filter(|arg| arg.mode.is_input()).map(|arg| arg.type_ref.clone());
    let inputs: Vec<_> = inputs.collect();
    c.resolve_routine(&name, Some(&inputs)).map(|_| DUPLICATE_FUNCTION)
}

fn alter_enum(c: &Catalog, name: &ObjectName, change: &AlterEnum) -> Option<Failure> {
    let Some(object) = c.resolve_type(name).and_then(|id| c.types.get(&id)) else {
        return (!c.incomplete).then_some(UNDEFINED_OBJECT);
    };
    let has = |wanted: &str| labels(&object.kind).iter().any(|(label, _)| label == wanted);
    match change {
        AlterEnum::AddValue { value, if_not_exists, before, after } => {
            let neighbour = before.as_ref().or(after.as_ref());
            if has(value) {
                (!if_not_exists).then_some(DUPLICATE_OBJECT)
            } else if neighbour.is_some_and(|neighbour| object.known && !has(neighbour)) {
                Some(INVALID_PARAMETER_VALUE)
            } else {
                None
            }
        }
        AlterEnum::RenameValue { from, .. } if object.known && !has(from) => Some(INVALID_PARAMETER_VALUE),
        AlterEnum::RenameValue { to, .. } => has(to).then_some(DUPLICATE_OBJECT),
    }
}

fn alter_table(c: &Catalog, alter: &AlterTable) -> Option<Failure> {
    if let Some(missing) = missing_relation(c, &alter.name, alter.if_exists) {
        return Some(missing);
    }
    let table = relation(c, &alter.name)?;
    alter.commands.iter().find_map(|command| table_command(c, table, command))
}

/// Each subcommand against the table as it is: one that depends on an earlier one of the same statement is not judged.
fn table_command(c: &Catalog, table: &Relation, command: &AlterTableCommand) -> Option<Failure> {
    let has = |column: &str| table.column(column).is_some();
    let lacks = |column: &str| (table.known && !has(column)).then_some(UNDEFINED_COLUMN);
    match command {
        AlterTableCommand::AddColumn { column, if_not_exists } => {
            (has(&column.name) && !if_not_exists).then_some(DUPLICATE_COLUMN)
        }
        AlterTableCommand::DropColumn { name, if_exists: false, .. } => lacks(name),
        AlterTableCommand::AddConstraint(constraint) => new_constraint(c, table, constraint),
        AlterTableCommand::DropConstraint { name, if_exists: false, .. } => {
            (table.known && table.constraint(name).is_none()).then_some(UNDEFINED_OBJECT)
        }
        AlterTableCommand::ValidateConstraint { name } => {
            (table.known && table.constraint(name).is_none()).then_some(UNDEFINED_OBJECT)
        }
        _ => None,
    }
}

fn new_constraint(c: &Catalog, table: &Relation, constraint: &ConstraintDef) -> Option<Failure> {
    let second_key = matches!(constraint.kind, ConstraintKind::PrimaryKey { .. }) && table.primary_key().is_some();
    if second_key {
        return Some(INVALID_TABLE_DEFINITION);
    }
    let name = constraint.name.as_ref()?;
    let own_index = match &constraint.kind {
        ConstraintKind::Unique { using_index, .. } | ConstraintKind::PrimaryKey { using_index, .. } => using_index.is_none(),
        ConstraintKind::Exclude { .. } => true,
        _ => false,
    };
    // The index is made first, and its name is one of a relation.
    if own_index && c.relation_name_taken(&table.schema, name) {
        return Some(DUPLICATE_TABLE);
    }
    table.constraint(name).map(|_| DUPLICATE_OBJECT)
}

/// An object that DROP, RENAME or SET SCHEMA names and that is not there.
fn missing(c: &Catalog, object: &ObjectRef) -> Option<Failure> {
    let table = || relation(c, &object.name);
    let part = |exists: &dyn Fn(&Relation, &str) -> bool, failure: Failure| {
        if let Some(failure) = missing_relation(c, &object.name, false) {
            return Some(failure);
        }
        let (table, name) = (table()?, object.sub.as_deref()?);
        (table.known && !exists(table, name)).then_some(failure)
    };
    match object.kind {
        ObjectKind::Table | ObjectKind::ForeignTable | ObjectKind::View | ObjectKind::MaterializedView => {
            missing_relation(c, &object.name, false)
        }
        ObjectKind::Sequence => missing_relation(c, &object.name, false),
        // DROP INDEX of a missing one says undefined_object.
        ObjectKind::Index => missing_relation(c, &object.name, false).map(|_| UNDEFINED_OBJECT),
        ObjectKind::Schema => missing_schema(c, &object.name.name),
        ObjectKind::Type | ObjectKind::Domain => {
            (!c.incomplete && c.resolve_type(&object.name).is_none() && table().is_none()).then_some(UNDEFINED_OBJECT)
        }
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => {
            let absent = c.resolve_routines(&object.name).is_empty() && !super::server_routine::is_routine(&object.name.name);
            (!c.incomplete && absent).then_some(UNDEFINED_FUNCTION)
        }
        ObjectKind::Extension => {
            let present = c.extensions.contains_key(&object.name.name) || object.name.name == "plpgsql";
            (!c.incomplete && !present).then_some(UNDEFINED_OBJECT)
        }
        ObjectKind::Trigger => part(&|table, name| table.triggers.iter().any(|found| found.name == name), UNDEFINED_OBJECT),
        ObjectKind::Policy => part(&|table, name| table.policies.iter().any(|found| found.policy.name == name), UNDEFINED_OBJECT),
        ObjectKind::Rule => part(&|table, name| table.rules.iter().any(|found| found.name == name), UNDEFINED_OBJECT),
        ObjectKind::Column => part(&|table, name| table.column(name).is_some(), UNDEFINED_COLUMN),
        ObjectKind::TableConstraint => part(&|table, name| table.constraint(name).is_some(), UNDEFINED_OBJECT),
        _ => None,
    }
}

fn rename(c: &Catalog, object: &ObjectRef, to: &str, if_exists: bool) -> Option<Failure> {
    if !if_exists && let Some(failure) = missing(c, object) {
        return Some(failure);
    }
    match object.kind {
        ObjectKind::Column => relation(c, &object.name)?.column(to).map(|_| DUPLICATE_COLUMN),
        ObjectKind::TableConstraint => relation(c, &object.name)?.constraint(to).map(|_| DUPLICATE_OBJECT),
        ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::Sequence | ObjectKind::ForeignTable => {
            let schema = &relation(c, &object.name).filter(|table| table.kind != RelationKind::Composite)?.schema;
            c.relation_name_taken(schema, to).then_some(DUPLICATE_TABLE)
        }
        ObjectKind::Type | ObjectKind::Domain => {
            let schema = &c.types.get(&c.resolve_type(&object.name)?)?.schema;
            c.type_name_taken(schema, to).then_some(DUPLICATE_OBJECT)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_catches_by_name_by_code_by_category_and_by_others() {
        let caught = |failure: Failure, condition: &str| failure.is_caught_by(&[condition.to_string()]);
        assert!(caught(DUPLICATE_OBJECT, "duplicate_object"));
        assert!(caught(DUPLICATE_OBJECT, "42710"));
        assert!(caught(DUPLICATE_OBJECT, "sqlstate '42710'"));
        assert!(caught(DUPLICATE_OBJECT, "others"));
        assert!(caught(DUPLICATE_OBJECT, "syntax_error_or_access_rule_violation"));
        assert!(!caught(DUPLICATE_OBJECT, "duplicate_table"));
        assert!(!caught(DUPLICATE_TABLE, "integrity_constraint_violation"));
        assert!(caught(Failure::Raised, "raise_exception"));
        assert!(caught(Failure::Raised, "plpgsql_error"));
    }

    #[test]
    fn every_condition_has_a_code_of_five_characters() {
        for line in CONDITIONS.lines() {
            let (name, code) = line.split_once(' ').unwrap();
            assert_eq!(code.len(), 5, "{name}");
        }
    }
}
