//! What a row of the server's tables has in each column, as far as the catalog knows it.
//!
//! Columns with no model are unknown. The names of `pg_catalog` and of `information_schema` for one thing stand together: which of
//! them a table has is [`super::table::SystemTable::has_column`]'s business.

use super::rows::{Row, Unseen};
use super::value::{Names, Object, Value};
use crate::catalog::Catalog;
use crate::catalog::object::{
    Column, Constraint, ConstraintType, Id, Index, Relation, RelationKind, Routine, Trigger, TypeKind, TypeObject,
};
use crate::catalog::types::{BaseType, DataType};
use crate::op::{FkAction, GeneratedKind, IdentityKind, Persistence, RoutineKind, TriggerEvent, TriggerState, TriggerTiming};
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
        Row::Column(relation, found) => attribute_column(c, relation, found, column),
        Row::Constraint(relation, constraint) => constraint_column(c, relation, constraint, column),
        Row::ConstraintColumn(relation, constraint, table, used) => match column {
            "column_name" => Value::text(&used.name),
            "table_name" => Value::text(&table.name),
            "table_schema" => Value::text(&table.schema),
            _ => constraint_column(c, relation, constraint, column),
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
        Row::Type(object) => type_column(c, object, column),
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
        Row::Unseen(unseen) => unseen_column(unseen, column),
        Row::UnseenPart(relation) => part_column(relation, column),
        Row::System(unseen) => system_column(unseen, column),
        Row::Anything => Value::Unknown,
    }
}

fn modelled(id: Id) -> Value<'static> {
    Value::Object(Object::Modelled(id))
}

fn schema_object(name: &str) -> Value<'_> {
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

fn attribute_column<'c>(c: &'c Catalog, relation: &'c Relation, found: &'c Column, column: &str) -> Value<'c> {
    let yes_or_no = |yes: bool| Value::text(if yes { "YES" } else { "NO" });
    match column {
        "attname" | "column_name" => return Value::text(&found.name),
        "table_name" => return Value::text(&relation.name),
        "table_schema" => return Value::text(&relation.schema),
        "attrelid" => return modelled(relation.id),
        "attisdropped" => return Value::Bool(false),
        "attnum" | "ordinal_position" => return if relation.known { Value::Int(found.id.0.into()) } else { Value::Unknown },
        _ if !relation.known && found.data_type.is_unknown() => return Value::Unknown,
        _ => {}
    }
    let base = c.base_type(&found.data_type);
    match column {
        "attnotnull" => Value::Bool(found.not_null),
        "is_nullable" => {
            let refused = found.not_null || domain_refuses_null(c, &found.data_type);
            yes_or_no(!refused)
        }
        "atthasdef" => Value::Bool(found.default.is_some() || found.generated.is_some()),
        "column_default" => {
            if found.default.is_some() {
                Value::Present
            } else {
                Value::Null
            }
        }
        "is_identity" => yes_or_no(found.identity.is_some()),
        "identity_generation" => Value::optional(found.identity.map(|kind| match kind {
            IdentityKind::Always => "ALWAYS",
            IdentityKind::ByDefault => "BY DEFAULT",
        })),
        "attidentity" => Value::text(match found.identity {
            Some(IdentityKind::Always) => "a",
            Some(IdentityKind::ByDefault) => "d",
            None => "",
        }),
        "is_generated" => Value::text(if found.generated.is_some() { "ALWAYS" } else { "NEVER" }),
        "generation_expression" => {
            if found.generated.is_some() {
                Value::Present
            } else {
                Value::Null
            }
        }
        "attgenerated" => Value::text(match &found.generated {
            Some((GeneratedKind::Stored, _)) => "s",
            Some((GeneratedKind::Virtual, _)) => "v",
            None => "",
        }),
        "attislocal" => Value::Bool(found.is_local),
        "attinhcount" => Value::Int(found.inherited.into()),
        "atttypid" => type_object(&found.data_type),
        "data_type" => data_type_name(c, &base),
        "udt_name" => match &base.base {
            BaseType::Builtin(name) if base.array => Value::owned(format!("_{name}")),
            BaseType::Builtin(name) => Value::owned(name.to_string()),
            BaseType::User(id) => match c.types.get(id) {
                Some(object) if base.array => Value::owned(format!("_{}", object.name)),
                Some(object) => Value::text(&object.name),
                None => Value::Present,
            },
            BaseType::Row(_) | BaseType::Unknown => Value::Present,
        },
        "domain_name" => match c.types.get(&user_type(&found.data_type)) {
            Some(object) if matches!(object.kind, TypeKind::Domain { .. }) => Value::text(&object.name),
            _ if found.data_type.is_unknown() => Value::Unknown,
            _ => Value::Null,
        },
        "character_maximum_length" => match base.builtin_name() {
            Some("varchar" | "bpchar" | "bit" | "varbit") => base.typmods.first().map_or(Value::Null, |n| Value::Int(*n)),
            _ if base.is_unknown() => Value::Unknown,
            _ => Value::Null,
        },
        "numeric_precision" | "numeric_scale" => numeric_column(&base, column == "numeric_scale"),
        _ => Value::Unknown,
    }
}

fn user_type(data_type: &DataType) -> Id {
    match data_type.base {
        BaseType::User(id) if !data_type.array => id,
        _ => Id(0),
    }
}

fn domain_refuses_null(c: &Catalog, data_type: &DataType) -> bool {
    let object = c.types.get(&user_type(data_type)).map(|object| &object.kind);
    matches!(object, Some(TypeKind::Domain { not_null: true, .. }))
}

/// The OID of a type; of an array there is one, but the model has none.
fn type_object(data_type: &DataType) -> Value<'_> {
    match &data_type.base {
        _ if data_type.array => Value::Present,
        BaseType::Builtin(name) => Value::Object(Object::BuiltinType(Cow::Borrowed(name))),
        BaseType::User(id) => modelled(*id),
        BaseType::Row(_) | BaseType::Unknown => Value::Present,
    }
}

fn data_type_name<'c>(c: &Catalog, base: &DataType) -> Value<'c> {
    match &base.base {
        BaseType::Unknown => Value::Present,
        _ if base.array => Value::text("ARRAY"),
        BaseType::User(_) | BaseType::Row(_) => Value::text("USER-DEFINED"),
        BaseType::Builtin(name) if &**name == "bpchar" => Value::text("character"),
        BaseType::Builtin(_) => c.format_type(&base.without_typmods()).map_or(Value::Present, Value::owned),
    }
}

fn numeric_column(base: &DataType, scale: bool) -> Value<'static> {
    let fixed = |precision: i64, own_scale: Option<i64>| match (scale, own_scale) {
        (false, _) => Value::Int(precision),
        (true, Some(own_scale)) => Value::Int(own_scale),
        (true, None) => Value::Null,
    };
    match base.builtin_name() {
        Some("int2") => fixed(16, Some(0)),
        Some("int4") => fixed(32, Some(0)),
        Some("int8") => fixed(64, Some(0)),
        Some("float4") => fixed(24, None),
        Some("float8") => fixed(53, None),
        Some("numeric") => base.typmods.get(usize::from(scale)).map_or(Value::Null, |n| Value::Int(*n)),
        _ if base.is_unknown() => Value::Unknown,
        _ => Value::Null,
    }
}

fn constraint_column<'c>(c: &'c Catalog, relation: &'c Relation, constraint: &'c Constraint, column: &str) -> Value<'c> {
    let yes_or_no = |yes: bool| Value::text(if yes { "YES" } else { "NO" });
    match column {
        "conname" | "constraint_name" => Value::text(&constraint.name),
        "conrelid" => modelled(relation.id),
        "connamespace" => schema_object(&relation.schema),
        "constraint_schema" | "table_schema" => Value::text(&relation.schema),
        "table_name" => Value::text(&relation.name),
        "oid" => modelled(constraint.id),
        "contypid" => Value::Int(0),
        "contype" => Value::text(match constraint.kind {
            ConstraintType::Check { .. } => "c",
            ConstraintType::NotNull { .. } => "n",
            ConstraintType::Unique { .. } => "u",
            ConstraintType::PrimaryKey { .. } => "p",
            ConstraintType::Exclude { .. } => "x",
            ConstraintType::ForeignKey { .. } => "f",
        }),
        "constraint_type" => Value::text(match constraint.kind {
            ConstraintType::Check { .. } | ConstraintType::NotNull { .. } => "CHECK",
            ConstraintType::Unique { .. } => "UNIQUE",
            ConstraintType::PrimaryKey { .. } => "PRIMARY KEY",
            ConstraintType::Exclude { .. } => "EXCLUDE",
            ConstraintType::ForeignKey { .. } => "FOREIGN KEY",
        }),
        "convalidated" => Value::Bool(constraint.validated),
        "condeferrable" => Value::Bool(constraint.deferrable),
        "condeferred" => Value::Bool(constraint.initially_deferred),
        "is_deferrable" => yes_or_no(constraint.deferrable),
        "initially_deferred" => yes_or_no(constraint.initially_deferred),
        "conkey" => Value::List(constraint.kind.columns().iter().map(|id| Value::Int(id.0.into())).collect()),
        "conindid" => match &constraint.kind {
            ConstraintType::ForeignKey { ref_index: Some(index), .. } => modelled(*index),
            kind => kind.index().map_or(Value::Unknown, modelled),
        },
        "confrelid" => match &constraint.kind {
            ConstraintType::ForeignKey { references, .. } => modelled(*references),
            _ => Value::Int(0),
        },
        "confdeltype" | "confupdtype" | "delete_rule" | "update_rule" => match &constraint.kind {
            ConstraintType::ForeignKey { on_delete, on_update, .. } => {
                let action = if column.contains("del") { *on_delete } else { *on_update };
                Value::text(action_name(action, column.starts_with("conf")))
            }
            _ => Value::text(" "),
        },
        "unique_constraint_name" => {
            let ConstraintType::ForeignKey { references, ref_index: Some(index), .. } = &constraint.kind else {
                return Value::Unknown;
            };
            let referenced = c.relation(*references);
            let key = referenced.and_then(|table| table.constraints.iter().find(|key| key.kind.index() == Some(*index)));
            key.map_or(Value::Unknown, |key| Value::text(&key.name))
        }
        "check_clause" => Value::Present,
        _ => Value::Unknown,
    }
}

fn action_name(action: FkAction, letter: bool) -> &'static str {
    match action {
        FkAction::NoAction => {
            if letter {
                "a"
            } else {
                "NO ACTION"
            }
        }
        FkAction::Restrict => {
            if letter {
                "r"
            } else {
                "RESTRICT"
            }
        }
        FkAction::Cascade => {
            if letter {
                "c"
            } else {
                "CASCADE"
            }
        }
        FkAction::SetNull => {
            if letter {
                "n"
            } else {
                "SET NULL"
            }
        }
        FkAction::SetDefault => {
            if letter {
                "d"
            } else {
                "SET DEFAULT"
            }
        }
    }
}

fn type_column<'c>(c: &'c Catalog, object: &'c TypeObject, column: &str) -> Value<'c> {
    match column {
        "typname" | "domain_name" => Value::text(&object.name),
        "typnamespace" => schema_object(&object.schema),
        "domain_schema" => Value::text(&object.schema),
        "oid" => modelled(object.id),
        "typtype" => match &object.kind {
            TypeKind::Enum { .. } => Value::text("e"),
            TypeKind::Domain { .. } => Value::text("d"),
            TypeKind::Composite { .. } => Value::text("c"),
            TypeKind::Range { .. } => Value::text("r"),
            TypeKind::Base => Value::text("b"),
            TypeKind::Unknown => Value::Unknown,
        },
        "typrelid" => match &object.kind {
            TypeKind::Composite { relation } => modelled(*relation),
            TypeKind::Unknown => Value::Unknown,
            TypeKind::Enum { .. } | TypeKind::Domain { .. } | TypeKind::Range { .. } | TypeKind::Base => Value::Int(0),
        },
        "typnotnull" if object.known => Value::Bool(matches!(object.kind, TypeKind::Domain { not_null: true, .. })),
        "data_type" => match &object.kind {
            TypeKind::Domain { base, .. } => data_type_name(c, &c.base_type(base)),
            _ => Value::Unknown,
        },
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

/// A part of a relation that nobody created here: the relation is known by name, the part is none of those seen.
fn part_column<'c>(relation: &'c Relation, column: &str) -> Value<'c> {
    match column {
        "table_name" | "tablename" | "event_object_table" => Value::text(&relation.name),
        "table_schema" | "schemaname" | "event_object_schema" | "constraint_schema" => Value::text(&relation.schema),
        "attrelid" | "conrelid" | "tgrelid" | "indrelid" | "polrelid" => modelled(relation.id),
        "attname" | "column_name" => Value::Unseen(Names::Columns(relation.id)),
        "indexname" => Value::Unseen(Names::Relations),
        "attisdropped" | "tgisinternal" => Value::Bool(false),
        _ => Value::Unknown,
    }
}

fn unseen_column(unseen: Unseen, column: &str) -> Value<'static> {
    match (unseen, column) {
        (Unseen::Schema, "nspname" | "schema_name") => Value::Unseen(Names::Schemas),
        (
            Unseen::Relation,
            "relname" | "table_name" | "tablename" | "viewname" | "matviewname" | "sequencename" | "sequence_name",
        ) => Value::Unseen(Names::Relations),
        (Unseen::Part, "table_name" | "tablename" | "event_object_table" | "indexname") => Value::Unseen(Names::Relations),
        (Unseen::Part, "attrelid" | "conrelid" | "tgrelid" | "indrelid" | "indexrelid" | "polrelid") => Value::UnseenObject,
        (Unseen::Type, "typname" | "domain_name") => Value::Unseen(Names::Types),
        (Unseen::Label, "enumtypid") => Value::UnseenObject,
        (Unseen::Routine, "proname" | "routine_name") => Value::Unseen(Names::Routines),
        (Unseen::Extension, "extname") => Value::Unseen(Names::Extensions),
        (Unseen::Role, "rolname" | "usename") => Value::Unseen(Names::Roles),
        (_, "attisdropped" | "tgisinternal") => Value::Bool(false),
        (_, "oid") => Value::UnseenObject,
        _ => Value::Unknown,
    }
}

fn system_column(unseen: Unseen, column: &str) -> Value<'static> {
    match (unseen, column) {
        (Unseen::Relation, "relname" | "table_name" | "tablename" | "viewname" | "matviewname" | "sequencename") => {
            Value::Unseen(Names::System)
        }
        (Unseen::Type, "typname") => Value::Unseen(Names::SystemTypes),
        (Unseen::Routine, "proname" | "routine_name") => Value::Unseen(Names::SystemRoutines),
        (_, "relnamespace" | "typnamespace" | "pronamespace") => schema_object("pg_catalog"),
        (_, "schemaname" | "table_schema" | "sequence_schema" | "routine_schema" | "specific_schema") => {
            Value::text("pg_catalog")
        }
        (_, "oid") => Value::UnseenObject,
        _ => Value::Unknown,
    }
}
