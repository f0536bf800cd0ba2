//! The model's side of [`super::snapshot`]: the catalog described canonically.
//!
//! What the model does not know is `None`: everything of a relation that no visible statement created, types it could not infer,
//! owners nobody named. Members of extensions are left out, as on the server's side.

use super::Catalog;
use super::extension;
use super::name::qualified;
use super::object::{self as model, ConstraintType, Id};
use super::resolve::is_system_schema;
use super::snapshot::{
    Column, Constraint, Index, Policy, Publication, Relation, RelationKind, Routine, RowSecurity, Sequence, Snapshot, Trigger,
    Type, TypeKind,
};
use crate::op::{
    FkAction, GeneratedKind, IdentityKind, ObjectKind, PartitionStrategy, Persistence, ReplicaIdentity, RoutineKind,
    TriggerEvent, TriggerState, TriggerTiming, Volatility,
};
use crate::sql::names::quote_identifier;
use std::collections::{BTreeMap, BTreeSet};

impl Catalog {
    /// The schema as it is now. Grants are not described: the model does not keep grant options.
    pub fn snapshot(&self) -> Snapshot {
        let members = extension::schemas_of_extensions(self);
        let here = |schema: &str| !is_system_schema(schema) && schema != "pg_temp" && !members.contains(schema);
        let relations = self.relations.values().filter(|r| here(&r.schema) && r.extension.is_none());
        let composite = |kind: &model::TypeKind| matches!(kind, model::TypeKind::Composite { .. });
        let types = self.types.values().filter(|t| here(&t.schema) && t.extension.is_none() && !composite(&t.kind));
        let routines = self.routines.values().filter(|r| here(&r.schema) && r.extension.is_none());
        Snapshot {
            schemas: self.schemas.keys().filter(|name| here(name)).cloned().collect(),
            relations: relations.map(|r| (qualified(&r.schema, &r.name), self.describe_relation(r))).collect(),
            types: types.map(|t| (qualified(&t.schema, &t.name), self.describe_type(t))).collect(),
            routines: routines.map(|r| (self.routine_label(r), self.describe_routine(r))).collect(),
            extensions: self.extensions.values().map(|e| (e.name.clone(), Some(e.schema.clone()))).collect(),
            publications: self.publications.values().map(|p| (p.name.clone(), self.describe_publication(p))).collect(),
            grants: None,
        }
    }

    fn describe_relation(&self, relation: &model::Relation) -> Relation {
        if !relation.known {
            return Relation::default();
        }
        let constraints = relation.constraints.iter().filter(|k| !matches!(k.kind, ConstraintType::NotNull { .. }));
        let indexes = self.indexes_of(relation.id);
        let triggers = relation.triggers.iter().filter(|t| !t.from_parent);
        Relation {
            kind: Some(relation_kind(relation.kind)),
            columns: Some(match relation.kind {
                model::RelationKind::Sequence => Vec::new(),
                _ => relation.columns.iter().map(|column| self.describe_column(column)).collect(),
            }),
            constraints: Some(constraints.map(|k| (k.name.clone(), self.describe_constraint(relation, k))).collect()),
            indexes: Some(indexes.iter().map(|index| (index.name.clone(), describe_index(relation, index))).collect()),
            triggers: Some(triggers.map(|t| (t.name.clone(), self.describe_trigger(t))).collect()),
            policies: Some(relation.policies.iter().map(|p| (p.policy.name.clone(), describe_policy(&p.policy))).collect()),
            row_security: Some(RowSecurity { enabled: relation.rls_enabled, forced: relation.rls_forced }),
            owner: relation.owner.clone(),
            parents: self.describe_parents(relation),
            partition_strategy: Some(
                match relation.partition_strategy {
                    None => "",
                    Some(PartitionStrategy::Range) => "range",
                    Some(PartitionStrategy::List) => "list",
                    Some(PartitionStrategy::Hash) => "hash",
                }
                .into(),
            ),
            partition: Some(relation.partition_bound.is_some()),
            persistence: Some(if relation.persistence == Persistence::Unlogged { "unlogged" } else { "permanent" }.into()),
            rules: Some(relation.rules.iter().map(|rule| rule.name.clone()).collect()),
            sequence: self.describe_sequence(relation),
            replica_identity: Some(replica_identity(relation).into()),
        }
    }

    fn relation_name(&self, id: Id) -> Option<String> {
        self.relation(id).map(|relation| self.relation_label(relation))
    }

    fn describe_parents(&self, relation: &model::Relation) -> Option<Vec<String>> {
        relation.parents.iter().map(|parent| self.relation_name(*parent)).collect()
    }

    fn describe_column(&self, column: &model::Column) -> Column {
        Column {
            name: column.name.clone(),
            type_name: self.format_type(&column.data_type),
            not_null: Some(column.not_null),
            default: Some(column.generated.is_none() && column.default.is_some()),
            identity: Some(
                match column.identity {
                    None => "",
                    Some(IdentityKind::Always) => "a",
                    Some(IdentityKind::ByDefault) => "d",
                }
                .into(),
            ),
            generated: Some(
                match column.generated {
                    None => "",
                    Some((GeneratedKind::Stored, _)) => "s",
                    Some((GeneratedKind::Virtual, _)) => "v",
                }
                .into(),
            ),
            collation: self.describe_collation(column),
        }
    }

    /// A collation's schema is that of the one the history created, else `pg_catalog`.
    fn describe_collation(&self, column: &model::Column) -> Option<String> {
        let Some(collation) = &column.collation else {
            // A domain or a type of an extension may bring its own.
            return (!column.data_type.is_unknown()).then(String::new);
        };
        if collation == "default" {
            return Some(String::new());
        }
        let suffix = format!(".{}", quote_identifier(collation));
        let created = self.others.iter().find(|other| other.kind == ObjectKind::Collation && other.name.ends_with(&suffix));
        Some(created.map_or_else(|| qualified("pg_catalog", collation), |other| other.name.clone()))
    }

    fn describe_constraint(&self, relation: &model::Relation, constraint: &model::Constraint) -> Constraint {
        let is_check = matches!(constraint.kind, ConstraintType::Check { .. });
        let mut columns = constraint.kind.columns().to_vec();
        if is_check {
            columns.sort_unstable();
        }
        let name = |id: &model::ColumnId| relation.column_by_id(*id).map_or_else(String::new, |column| column.name.clone());
        let kind = match &constraint.kind {
            ConstraintType::Check { .. } => "c",
            ConstraintType::NotNull { .. } => "n",
            ConstraintType::Unique { .. } => "u",
            ConstraintType::PrimaryKey { .. } => "p",
            ConstraintType::Exclude { .. } => "x",
            ConstraintType::ForeignKey { .. } => "f",
        };
        let (references, on_delete, on_update) = match &constraint.kind {
            ConstraintType::ForeignKey { references, on_delete, on_update, .. } => {
                (self.relation_name(*references), action(*on_delete), action(*on_update))
            }
            _ => (Some(String::new()), "", ""),
        };
        Constraint {
            kind: Some(kind.into()),
            columns: Some(columns.iter().map(name).collect()),
            references,
            validated: Some(constraint.validated),
            deferrable: Some(constraint.deferrable),
            initially_deferred: Some(constraint.initially_deferred),
            on_delete: Some(on_delete.into()),
            on_update: Some(on_update.into()),
        }
    }

    fn describe_trigger(&self, trigger: &model::Trigger) -> Trigger {
        let timing = match trigger.timing {
            TriggerTiming::Before => "before",
            TriggerTiming::After => "after",
            TriggerTiming::InsteadOf => "instead of",
        };
        let order = [TriggerEvent::Insert, TriggerEvent::Delete, TriggerEvent::Update, TriggerEvent::Truncate];
        let events: Vec<&str> = order.into_iter().filter(|event| trigger.events.contains(event)).map(event_word).collect();
        let level = if trigger.for_each_row { "row" } else { "statement" };
        let function = match trigger.function {
            Some(id) => self.routines.get(&id).map(|routine| qualified(&routine.schema, &routine.name)),
            None => is_trigger_function(&trigger.function_name).then(|| trigger.function_name.clone()),
        };
        let made_up = trigger.birth == model::Birth::UNSEEN && trigger.events.is_empty();
        Trigger {
            events: (!made_up).then(|| format!("{timing} {} {level}", events.join(" or "))),
            function,
            enabled: Some(
                match trigger.state {
                    TriggerState::Enabled => "O",
                    TriggerState::Disabled => "D",
                    TriggerState::Replica => "R",
                    TriggerState::Always => "A",
                }
                .into(),
            ),
        }
    }

    fn describe_sequence(&self, relation: &model::Relation) -> Option<Sequence> {
        let Some(sequence) = &relation.sequence else {
            return (relation.kind != model::RelationKind::Sequence).then(Sequence::default);
        };
        let owned_by = match sequence.owned_by {
            None => Some(String::new()),
            Some((table, column)) => self.relation(table).and_then(|table| {
                let column = table.column_by_id(column)?;
                Some(format!("{}.{}", self.relation_label(table), quote_identifier(&column.name)))
            }),
        };
        Some(Sequence { type_name: self.format_type(&sequence.data_type), owned_by })
    }

    fn describe_type(&self, object: &model::TypeObject) -> Type {
        let mut described = Type {
            labels: Some(Vec::new()),
            base: Some(String::new()),
            not_null: Some(false),
            default: Some(false),
            constraints: Some(BTreeMap::new()),
            owner: object.owner.clone(),
            kind: None,
        };
        match &object.kind {
            model::TypeKind::Enum { labels } => {
                described.kind = Some(TypeKind::Enum);
                described.labels = object.known.then(|| labels.iter().map(|(label, _)| label.clone()).collect());
            }
            model::TypeKind::Domain { base, not_null, default, constraints } => {
                described.kind = Some(TypeKind::Domain);
                if object.known {
                    described.base = self.format_type(base);
                    described.not_null = Some(*not_null);
                    described.default = Some(default.is_some());
                    described.constraints = Some(constraints.iter().map(|k| (k.name.clone(), Some(k.validated))).collect());
                } else {
                    described = Type { kind: described.kind, owner: described.owner, ..Type::default() };
                }
            }
            model::TypeKind::Range { subtype, .. } => {
                described.kind = Some(TypeKind::Range);
                described.base = subtype.as_ref().and_then(|subtype| self.format_type_alone(subtype));
            }
            model::TypeKind::Base => described.kind = Some(TypeKind::Base),
            // Composite types are relations; of an unknown one nothing is known.
            model::TypeKind::Composite { .. } | model::TypeKind::Unknown => return Type::default(),
        }
        described
    }

    fn describe_routine(&self, routine: &model::Routine) -> Routine {
        if routine.birth == model::Birth::UNSEEN && routine.language.is_empty() {
            return Routine::default();
        }
        let kind = match routine.kind {
            RoutineKind::Function => "f",
            RoutineKind::Procedure => "p",
            RoutineKind::Aggregate => "a",
        };
        let returns = match &routine.returns {
            Some(returns) => self.format_type_alone(returns).map(|t| if routine.returns_set { format!("SETOF {t}") } else { t }),
            None if routine.kind == RoutineKind::Procedure => Some(String::new()),
            None => None,
        };
        let volatility = match routine.volatility {
            Volatility::Immutable => "i",
            Volatility::Stable => "s",
            Volatility::Volatile => "v",
        };
        Routine {
            kind: Some(kind.into()),
            returns,
            language: Some(routine.language.clone()),
            volatility: Some(volatility.into()),
            security_definer: Some(routine.security_definer),
            owner: routine.owner.clone(),
        }
    }

    fn describe_publication(&self, publication: &model::Publication) -> Publication {
        if publication.birth == model::Birth::UNSEEN {
            return Publication::default();
        }
        let tables: Option<BTreeSet<String>> = publication.tables.iter().map(|table| self.relation_name(*table)).collect();
        Publication {
            all_tables: Some(publication.all_tables),
            tables,
            schemas: Some(publication.schemas.iter().cloned().collect()),
        }
    }
}

fn relation_kind(kind: model::RelationKind) -> RelationKind {
    match kind {
        model::RelationKind::Table => RelationKind::Table,
        model::RelationKind::PartitionedTable => RelationKind::PartitionedTable,
        model::RelationKind::ForeignTable => RelationKind::ForeignTable,
        model::RelationKind::View => RelationKind::View,
        model::RelationKind::MaterializedView => RelationKind::MaterializedView,
        model::RelationKind::Sequence => RelationKind::Sequence,
        model::RelationKind::Composite => RelationKind::CompositeType,
    }
}

/// `relreplident`: what cannot have one has `nothing` (`heap_create`).
fn replica_identity(relation: &model::Relation) -> &'static str {
    match relation.kind {
        model::RelationKind::Table | model::RelationKind::PartitionedTable | model::RelationKind::MaterializedView => {
            match &relation.replica_identity {
                ReplicaIdentity::Default => "default",
                ReplicaIdentity::Full => "full",
                ReplicaIdentity::Nothing => "nothing",
                ReplicaIdentity::Index(_) => "index",
            }
        }
        model::RelationKind::ForeignTable
        | model::RelationKind::View
        | model::RelationKind::Sequence
        | model::RelationKind::Composite => "nothing",
    }
}

fn describe_index(relation: &model::Relation, index: &model::Index) -> Index {
    let name = |id: model::ColumnId| relation.column_by_id(id).map_or_else(String::new, |column| column.name.clone());
    let backs = |constraint: &model::Constraint| constraint.kind.index() == Some(index.id);
    Index {
        unique: Some(index.unique),
        valid: Some(index.valid),
        columns: Some(index.keys.iter().map(|key| key.column.map_or_else(String::new, name)).collect()),
        including: Some(index.including.iter().map(|id| name(*id)).collect()),
        predicate: Some(index.predicate.is_some()),
        method: Some(index.method.clone()),
        constraint: Some(relation.constraints.iter().any(backs)),
    }
}

fn describe_policy(policy: &crate::op::Policy) -> Policy {
    let mut roles = policy.roles.clone();
    roles.sort_unstable();
    let by_session = |role: &String| matches!(role.as_str(), "current_user" | "session_user" | "current_role");
    Policy {
        command: Some(policy.command.clone()),
        permissive: Some(policy.permissive),
        roles: (!roles.iter().any(by_session)).then_some(roles),
    }
}

fn action(action: FkAction) -> &'static str {
    match action {
        FkAction::NoAction => "a",
        FkAction::Restrict => "r",
        FkAction::Cascade => "c",
        FkAction::SetNull => "n",
        FkAction::SetDefault => "d",
    }
}

fn event_word(event: TriggerEvent) -> &'static str {
    match event {
        TriggerEvent::Insert => "insert",
        TriggerEvent::Update => "update",
        TriggerEvent::Delete => "delete",
        TriggerEvent::Truncate => "truncate",
    }
}

/// Trigger functions of `pg_catalog`.
fn is_trigger_function(name: &str) -> bool {
    matches!(name, "tsvector_update_trigger" | "tsvector_update_trigger_column" | "suppress_redundant_updates_trigger")
}
