//! What a row of the server's tables has in each column, as far as the catalog knows it.
//!
//! Columns with no model are unknown. The names of `pg_catalog` and of `information_schema` for one thing stand together: which of
//! them a table has is [`super::table::SystemTable::has_column`]'s business.

use super::rows::Row;
use super::value::{Names, Object, Value};
use super::{constraint_column, typed_column, unseen_column};
use crate::catalog::Catalog;
use crate::catalog::object::{Id, Index, Relation, RelationKind, Routine, Trigger, TypeKind};
use crate::op::{Persistence, RoutineKind, TriggerEvent, TriggerState, TriggerTiming};
use std::borrow::Cow;

/// The value of a column of a row.
pub fn value<'c>(c: &'c Catalog, row: Row<'c>, column: &str) -> Value<'c> {
    if column.ends_with("_catalog") || column == "catalog_name" {
        return Value::Object(Object::Database);
    }
    match row {
        Row::Schema(schema) => schema_column(&schema.name, column),
        Row::SystemSchema(name) => schema_column(name, column),
        Row::Relation(relation) => relation_column(c, relation, column),
        Row::PerhapsRelation(relation) => match column {
            "relkind" | "table_type" => Value::Unknown,
            _ => relation_column(c, relation, column),
        },
        Row::Index(index) => index_column(c, index, column),
        Row::Column(relation, found) => typed_column::attribute(c, relation, found, column),
        Row::Constraint(relation, constraint) => constraint_column::constraint(c, relation, constraint, column),
        Row::ConstraintColumn(relation, constraint, table, used) => match column {
            "column_name" => Value::text(&used.name),
            "table_name" => Value::text(&table.name),
            "table_schema" => Value::text(&table.schema),
            _ => constraint_column::constraint(c, relation, constraint, column),
        },
        Row::DomainConstraint(object, constraint) => match column {
            "conname" | "constraint_name" => Value::text(&constraint.name),
            "connamespace" => schema_object(&object.schema),
            "constraint_schema" => Value::text(&object.schema),
            "contype" => Value::text("c"),
            "contypid" => modelled(object.id),
            "conrelid" => Value::Int(0),
            "convalidated" => Value::Bool(constraint.validated),
            _ => Value::Unknown,
        },
        Row::Type(object) => typed_column::data_type(c, object, column),
        Row::ImplicitType(relation) => match column {
            "typname" => Value::text(&relation.name),
            "typnamespace" => schema_object(&relation.schema),
            "typtype" => Value::text("c"),
            "typrelid" => modelled(relation.id),
            "typcategory" => Value::text("C"),
            _ => Value::Unknown,
        },
        Row::Label(object, at) => match (column, &object.kind) {
            ("enumlabel", TypeKind::Enum { labels }) => Value::optional(labels.get(at).map(|(label, _)| label.as_str())),
            ("enumtypid", _) => modelled(object.id),
            _ => Value::Unknown,
        },
        Row::UnseenLabel(object) => match column {
            "enumlabel" => Value::Unseen(Names::Labels(object.id)),
            "enumtypid" => modelled(object.id),
            _ => Value::Unknown,
        },
        Row::Routine(routine) => routine_column(routine, column),
        Row::Trigger(relation, trigger, event) => trigger_column(relation, trigger, event, column),
        Row::Policy(relation, policy) => match column {
            "policyname" | "polname" => Value::text(&policy.name),
            "tablename" => Value::text(&relation.name),
            "schemaname" => Value::text(&relation.schema),
            "polrelid" => modelled(relation.id),
            "permissive" => Value::text(if policy.permissive { "PERMISSIVE" } else { "RESTRICTIVE" }),
            "polpermissive" => Value::Bool(policy.permissive),
            "cmd" => Value::owned(policy.command.to_uppercase()),
            _ => Value::Unknown,
        },
        Row::Extension(extension) => match column {
            "extname" => Value::text(&extension.name),
            "extnamespace" => schema_object(&extension.schema),
            "oid" => Value::Object(Object::Extension(&extension.name)),
            _ => Value::Unknown,
        },
        Row::InstalledExtension(name) => match column {
            "extname" => Value::text(name),
            "extnamespace" => schema_object("pg_catalog"),
            "oid" => Value::Object(Object::Extension(name)),
            _ => Value::Unknown,
        },
        Row::Role(role) => match column {
            "rolname" | "usename" => Value::text(&role.name),
            "oid" | "usesysid" => Value::Object(Object::Role(Cow::Borrowed(&role.name))),
            "rolsuper" | "usesuper" => Value::Bool(role.superuser),
            "rolcanlogin" => Value::Bool(role.login),
            "rolbypassrls" | "usebypassrls" => Value::Bool(role.bypass_rls),
            _ => Value::Unknown,
        },
        Row::Publication(publication) => match column {
            "pubname" => Value::text(&publication.name),
            "puballtables" => Value::Bool(publication.all_tables),
            _ => Value::Unknown,
        },
        Row::PublicationTable(publication, relation) => match column {
            "pubname" => Value::text(&publication.name),
            "tablename" => Value::text(&relation.name),
            "schemaname" => Value::text(&relation.schema),
            _ => Value::Unknown,
        },
        Row::Inheritance(child, parent) => match column {
            "inhrelid" => modelled(child.id),
            "inhparent" => modelled(parent.id),
            _ => Value::Unknown,
        },
        Row::Unseen(unseen) => unseen_column::unseen(unseen, column),
        Row::UnseenPart(relation) => unseen_column::part(relation, column),
        Row::System(unseen) => unseen_column::system(unseen, column),
        Row::Anything => Value::Unknown,
    }
}

/// The OID of an object of the catalog.
pub fn modelled(id: Id) -> Value<'static> {
    Value::Object(Object::Modelled(id))
}

/// The OID of a schema.
pub fn schema_object(name: &str) -> Value<'_> {
    Value::Object(Object::Schema(Cow::Borrowed(name)))
}

fn schema_column<'c>(name: &'c str, column: &str) -> Value<'c> {
    match column {
        "nspname" | "schema_name" => Value::text(name),
        "oid" => schema_object(name),
        _ => Value::Unknown,
    }
}

fn relation_column<'c>(c: &'c Catalog, relation: &'c Relation, column: &str) -> Value<'c> {
    match column {
        "relname" | "table_name" | "tablename" | "viewname" | "matviewname" | "sequencename" | "sequence_name" => {
            Value::text(&relation.name)
        }
        "schemaname" | "table_schema" | "sequence_schema" => Value::text(&relation.schema),
        "relnamespace" => schema_object(&relation.schema),
        "oid" => modelled(relation.id),
        // A relation that nobody created here is a table as far as one knows.
        "relkind" | "table_type" if !relation.known => Value::Unknown,
        "relkind" => Value::text(match relation.kind {
            RelationKind::Table => "r",
            RelationKind::PartitionedTable => "p",
            RelationKind::ForeignTable => "f",
            RelationKind::View => "v",
            RelationKind::MaterializedView => "m",
            RelationKind::Sequence => "S",
            RelationKind::Composite => "c",
        }),
        "table_type" => Value::text(match relation.kind {
            RelationKind::View => "VIEW",
            RelationKind::ForeignTable => "FOREIGN",
            _ if relation.persistence == Persistence::Temporary => "LOCAL TEMPORARY",
            RelationKind::Table | RelationKind::PartitionedTable => "BASE TABLE",
            RelationKind::MaterializedView | RelationKind::Sequence | RelationKind::Composite => "BASE TABLE",
        }),
        "relpersistence" => Value::text(match relation.persistence {
            Persistence::Permanent => "p",
            Persistence::Unlogged => "u",
            Persistence::Temporary => "t",
        }),
        "relrowsecurity" | "rowsecurity" if relation.known => Value::Bool(relation.rls_enabled),
        "relforcerowsecurity" if relation.known => Value::Bool(relation.rls_forced),
        "relispartition" if relation.known => Value::Bool(relation.partition_bound.is_some()),
        "relispopulated" | "ispopulated" => relation.view.as_ref().map_or(Value::Bool(true), |view| Value::Bool(view.populated)),
        "hasindexes" if relation.known => Value::Bool(!c.indexes_of(relation.id).is_empty()),
        "tableowner" | "viewowner" | "matviewowner" | "sequenceowner" => {
            relation.owner.as_deref().map_or(Value::Present, Value::text)
        }
        "definition" | "view_definition" => Value::Present,
        "data_type" => match relation.sequence.as_ref().and_then(|sequence| c.format_type(&sequence.data_type)) {
            Some(text) => Value::owned(text),
            None => Value::Present,
        },
        _ => Value::Unknown,
    }
}

fn index_column<'c>(c: &'c Catalog, index: &'c Index, column: &str) -> Value<'c> {
    match column {
        "relname" | "indexname" => Value::text(&index.name),
        "tablename" => c.relation(index.relation).map_or(Value::Unknown, |relation| Value::text(&relation.name)),
        "schemaname" => Value::text(&index.schema),
        "relnamespace" => schema_object(&index.schema),
        "oid" | "indexrelid" => modelled(index.id),
        "indrelid" => modelled(index.relation),
        "relkind" => {
            let partitioned = c.relation(index.relation).is_some_and(|table| table.kind == RelationKind::PartitionedTable);
            Value::text(if partitioned { "I" } else { "i" })
        }
        "indisunique" => Value::Bool(index.unique),
        "indisprimary" => {
            let table = c.relation(index.relation).and_then(|relation| relation.primary_key());
            Value::Bool(table.is_some_and(|key| key.kind.index() == Some(index.id)))
        }
        "indisvalid" | "indisready" => Value::Bool(index.valid),
        "indnullsnotdistinct" => Value::Bool(index.nulls_not_distinct),
        "indpred" => {
            if index.predicate.is_none() {
                Value::Null
            } else {
                Value::Present
            }
        }
        "indexdef" => Value::Present,
        _ => Value::Unknown,
    }
}

fn routine_column<'c>(routine: &'c Routine, column: &str) -> Value<'c> {
    match column {
        "proname" | "routine_name" => Value::text(&routine.name),
        "pronamespace" => schema_object(&routine.schema),
        "routine_schema" | "specific_schema" => Value::text(&routine.schema),
        "oid" => modelled(routine.id),
        "prokind" => Value::text(match routine.kind {
            RoutineKind::Function => "f",
            RoutineKind::Procedure => "p",
            RoutineKind::Aggregate => "a",
        }),
        "routine_type" => match routine.kind {
            RoutineKind::Function => Value::text("FUNCTION"),
            RoutineKind::Procedure => Value::text("PROCEDURE"),
            RoutineKind::Aggregate => Value::Null,
        },
        "pronargs" => Value::Int(i64::try_from(routine.input_types().count()).unwrap_or(i64::MAX)),
        "prosecdef" => Value::Bool(routine.security_definer),
        "proisstrict" => Value::Bool(routine.strict),
        _ => Value::Unknown,
    }
}

fn trigger_column<'c>(relation: &'c Relation, trigger: &'c Trigger, event: Option<TriggerEvent>, column: &str) -> Value<'c> {
    match column {
        "tgname" | "trigger_name" => Value::text(&trigger.name),
        "tgrelid" => modelled(relation.id),
        "event_object_table" => Value::text(&relation.name),
        "event_object_schema" | "trigger_schema" => Value::text(&relation.schema),
        "tgisinternal" => Value::Bool(false),
        "tgfoid" => trigger.function.map_or(Value::Present, modelled),
        "tgenabled" => Value::text(match trigger.state {
            TriggerState::Enabled => "O",
            TriggerState::Disabled => "D",
            TriggerState::Always => "A",
            TriggerState::Replica => "R",
        }),
        "event_manipulation" => Value::optional(event.map(|event| match event {
            TriggerEvent::Insert => "INSERT",
            TriggerEvent::Update => "UPDATE",
            TriggerEvent::Delete => "DELETE",
            TriggerEvent::Truncate => "TRUNCATE",
        })),
        "action_timing" => Value::text(match trigger.timing {
            TriggerTiming::Before => "BEFORE",
            TriggerTiming::After => "AFTER",
            TriggerTiming::InsteadOf => "INSTEAD OF",
        }),
        "action_orientation" => Value::text(if trigger.for_each_row { "ROW" } else { "STATEMENT" }),
        _ => Value::Unknown,
    }
}
