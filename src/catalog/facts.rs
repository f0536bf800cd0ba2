//! From the journal to facts: what each statement takes away from old clients, and what kind of statement it is.
//!
//! The one table from changes to [`BreakKind`]. Facts always mean "existed before this unit", whatever releases say.

use super::change::{Change, Event, Privileged};
use super::name::qualified;
use super::object::*;
use super::replay::UnitReplay;
use super::types::DataType;
use super::work::facts as work;
use super::{Catalog, change::RowChange};
use crate::effect::{Break, BreakKind, Effect};
use crate::expr::Expr;
use crate::op::Persistence;
use crate::sql::names::quote_identifier;

/// What a statement is, before contract rows are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Class {
    #[default]
    Neutral,
    Expand,
    Data,
    Opaque,
}

/// The facts of one unit: for each of its statements an effect and a class.
pub fn of_unit(unit: u32, replayed: &UnitReplay, before: &Catalog, after: &Catalog) -> Vec<(Effect, Class)> {
    let facts = Facts { unit, before, after };
    let events = &replayed.events;
    let mut all = vec![(Effect::default(), Class::Neutral); replayed.circumstances.len()];
    for event in events {
        let Some((effect, class)) = all.get_mut(event.statement) else { continue };
        *class = (*class).max(class_of(&event.change));
        if let Some(found) = facts.break_of(event).filter(|_| !comes_back(event, events))
            && !effect.breaks.contains(&found)
        {
            effect.breaks.push(found);
        }
    }
    for (statement, found) in facts.required_columns(events) {
        if let Some((effect, _)) = all.get_mut(statement) {
            effect.breaks.push(found);
        }
    }
    for (effect, _) in &mut all {
        effect.breaks.sort();
    }
    work::add_to(&mut all, replayed, |relation| facts.older_relation(relation), |index| facts.older(index.birth));
    all
}

/// A default that the same statement sets again is there when it is over.
fn comes_back(event: &Event, events: &[Event]) -> bool {
    let Change::DefaultDropped { relation, column } = &event.change else { return false };
    events.iter().any(|other| {
        other.statement == event.statement
            && matches!(&other.change, Change::DefaultSet { relation: on, column: of, .. } if on.id == relation.id && of.id == column.id)
    })
}

struct Facts<'a> {
    unit: u32,
    before: &'a Catalog,
    after: &'a Catalog,
}

impl Facts<'_> {
    fn older(&self, birth: Birth) -> bool {
        // Units may run in another order than the history lists them; what is not of this one was there before it.
        birth.unit != self.unit
    }
    fn older_relation(&self, relation: &Relation) -> bool {
        self.older(relation.birth) && relation.persistence != Persistence::Temporary && relation.extension.is_none()
    }
    fn older_column(&self, relation: &Relation, column: &Column) -> bool {
        self.older_relation(relation) && self.older(column.birth)
    }
    fn routine_label(&self, routine: &Routine) -> String {
        let spell = |t: &DataType| {
            let plain = t.without_typmods();
            self.before.format_type(&plain).or_else(|| self.after.format_type(&plain)).unwrap_or_else(|| "unknown".into())
        };
        let args: Vec<String> = routine.input_types().map(spell).collect();
        format!("{}({})", qualified(&routine.schema, &routine.name), args.join(", "))
    }

    fn break_of(&self, event: &Event) -> Option<Break> {
        use BreakKind as Kind;
        let relation_break = |kind: Kind, relation: &Relation| {
            let counts = self.older_relation(relation) && relation.kind != RelationKind::Composite;
            counts.then(|| Break { kind, object: label(relation) })
        };
        let column_break = |kind: Kind, relation: &Relation, column: &Column| {
            self.older_column(relation, column).then(|| Break { kind, object: part(relation, &column.name) })
        };
        // Something on a relation: constraint, trigger, policy, rule.
        let part_break = |kind: Kind, relation: &Relation, birth: Birth, name: &str| {
            (self.older_relation(relation) && self.older(birth)).then(|| Break { kind, object: part(relation, name) })
        };
        let type_break = |kind: Kind, object: &TypeObject| {
            (self.older(object.birth) && object.extension.is_none())
                .then(|| Break { kind, object: qualified(&object.schema, &object.name) })
        };
        let routine_break = |routine: &Routine| {
            (self.older(routine.birth) && routine.extension.is_none())
                .then(|| Break { kind: Kind::DropFunction, object: self.routine_label(routine) })
        };
        let named = |kind: Kind, birth: Birth, name: &str| self.older(birth).then(|| Break { kind, object: name.to_string() });
        match &event.change {
            Change::SchemaDropped { schema } | Change::SchemaRenamed { schema, .. } => {
                named(Kind::DropSchema, schema.birth, &quote_identifier(&schema.name))
            }
            Change::RelationDropped { relation } => relation_break(Kind::DropRelation, relation),
            Change::RelationRenamed { relation, .. } => relation_break(Kind::RenameRelation, relation),
            Change::ColumnAdded { relation, column } if relation.kind == RelationKind::Composite => {
                part_break(Kind::AddAttribute, relation, Birth::UNSEEN, &column.name)
            }
            Change::ColumnDropped { relation, column } => column_break(Kind::DropColumn, relation, column),
            Change::ColumnRenamed { relation, column, .. } => column_break(Kind::RenameColumn, relation, column),
            Change::ColumnRetyped { relation, column, .. } => column_break(Kind::TypeChange, relation, column),
            Change::NotNullSet { relation, column } => column_break(Kind::SetNotNull, relation, column),
            Change::DefaultDropped { relation, column } => column_break(Kind::DropDefault, relation, column),
            Change::IdentityChanged { column, to, .. } if column.identity == *to && to.is_some() => None,
            Change::IdentityChanged { relation, column, to } => match (column.identity, to) {
                (_, Some(crate::op::IdentityKind::Always)) => column_break(Kind::IdentityAlways, relation, column),
                (Some(_) | None, None) => column_break(Kind::DropIdentity, relation, column),
                (_, Some(crate::op::IdentityKind::ByDefault)) => None,
            },
            Change::ExpressionDropped { relation, column } => column_break(Kind::DropExpression, relation, column),
            Change::ConstraintAdded { relation, constraint } => {
                let kind = match constraint.kind {
                    ConstraintType::Check { .. } | ConstraintType::NotNull { .. } => Kind::AddCheck,
                    ConstraintType::Unique { .. } => Kind::AddUnique,
                    ConstraintType::PrimaryKey { .. } => Kind::AddPrimaryKey,
                    ConstraintType::Exclude { .. } => Kind::AddExclude,
                    ConstraintType::ForeignKey { .. } => Kind::AddForeignKey,
                };
                part_break(kind, relation, Birth::UNSEEN, &constraint.name)
            }
            Change::ConstraintDropped { relation, constraint, .. } => {
                part_break(Kind::DropConstraint, relation, constraint.birth, &constraint.name)
            }
            Change::IndexDropped { relation, index, .. } => {
                (index.unique && self.older_relation(relation) && self.older(index.birth))
                    .then(|| Break { kind: Kind::DropIndex, object: qualified(&index.schema, &index.name) })
            }
            // A clone on a partition comes and goes with the trigger of the parent, which is told.
            Change::TriggerCreated { trigger, .. } | Change::TriggerDropped { trigger, .. } if trigger.from_parent => None,
            Change::TriggerCreated { relation, trigger, replaced } => match replaced {
                None => part_break(Kind::AddTrigger, relation, Birth::UNSEEN, &trigger.name),
                Some(_) => None,
            },
            Change::TriggerDropped { relation, trigger } => part_break(Kind::DropTrigger, relation, trigger.birth, &trigger.name),
            Change::RuleCreated { relation, rule } => part_break(Kind::AddRule, relation, Birth::UNSEEN, &rule.name),
            Change::RuleDropped { relation, rule } => part_break(Kind::DropRule, relation, rule.birth, &rule.name),
            Change::PolicyDropped { relation, policy, birth } => part_break(Kind::DropPolicy, relation, *birth, &policy.name),
            Change::RlsChanged { relation, enabled: true } | Change::RlsForced { relation, forced: true } => {
                relation_break(Kind::EnableRls, relation)
            }
            Change::PartitionDetached { partition, .. } => relation_break(Kind::DetachPartition, partition),
            Change::InheritRemoved { child, .. } => relation_break(Kind::DetachPartition, child),
            Change::ReplicaIdentityChanged { relation } => relation_break(Kind::ReplicationChange, relation),
            Change::SequenceOwnerChanged { relation, owned: false } => relation_break(Kind::DropSequenceOwnership, relation),
            Change::TypeDropped { object } | Change::TypeRenamed { object, .. } => type_break(Kind::DropType, object),
            Change::LabelRenamed { object, from, .. } => {
                let birth = match &object.kind {
                    TypeKind::Enum { labels } => labels.iter().find(|(label, _)| label == from).map_or(object.birth, |(_, b)| *b),
                    _ => object.birth,
                };
                (self.older(object.birth) && self.older(birth)).then(|| Break {
                    kind: Kind::DropEnumLabel,
                    object: format!("{}.{}", qualified(&object.schema, &object.name), quote_identifier(from)),
                })
            }
            Change::DomainNotNull { object, set: true } => type_break(Kind::SetDomainNotNull, object),
            Change::DomainConstraintAdded { object, constraint } => self.older(object.birth).then(|| Break {
                kind: Kind::AddCheck,
                object: format!("{}.{}", qualified(&object.schema, &object.name), quote_identifier(&constraint.name)),
            }),
            Change::DomainConstraintDropped { object, constraint } => (self.older(object.birth) && self.older(constraint.birth))
                .then(|| Break {
                    kind: Kind::DropConstraint,
                    object: format!("{}.{}", qualified(&object.schema, &object.name), quote_identifier(&constraint.name)),
                }),
            Change::DomainDefault { object, set: false } => type_break(Kind::DropDefault, object),
            Change::RoutineDropped { routine } | Change::RoutineRenamed { routine, .. } => routine_break(routine),
            Change::ExtensionDropped { extension } => {
                named(Kind::DropExtension, extension.birth, &quote_identifier(&extension.name))
            }
            Change::OwnerChanged { name, birth, .. } => named(Kind::ChangeOwner, *birth, name),
            Change::Revoked { object, name, birth, had, .. } => {
                let counts = *had != Some(false) && *object != Privileged::Defaults;
                named(Kind::Revoke, *birth, name).filter(|_| counts)
            }
            Change::RoleDropped { name, birth } | Change::RoleRenamed { name, birth, .. } => {
                named(Kind::DropRole, *birth, &quote_identifier(name))
            }
            Change::OtherDropped { name, birth, .. } | Change::OtherRenamed { name, birth, .. } => {
                named(Kind::DropOther, *birth, name)
            }
            Change::PublicationDropped { publication } => {
                named(Kind::ReplicationChange, publication.birth, &quote_identifier(&publication.name))
            }
            Change::PublicationAltered { publication, removed, .. } if !removed.is_empty() => {
                named(Kind::ReplicationChange, publication.birth, &quote_identifier(&publication.name))
            }
            Change::RowsChanged { relation: Some(relation), how: RowChange::Truncate | RowChange::Delete { bounded: false } } => {
                relation_break(Kind::RowsRemoved, relation)
            }
            Change::SchemaCreated { .. }
            | Change::RelationCreated { .. }
            | Change::ColumnAdded { .. }
            | Change::CollationChanged { .. }
            | Change::NotNullDropped { .. }
            | Change::DefaultSet { .. }
            | Change::ExpressionSet { .. }
            | Change::ConstraintRenamed { .. }
            | Change::ConstraintValidated { .. }
            | Change::ConstraintAltered { .. }
            | Change::IndexCreated { .. }
            | Change::IndexRenamed { .. }
            | Change::TriggerRenamed { .. }
            | Change::TriggerStateChanged { .. }
            | Change::RuleStateChanged { .. }
            | Change::PolicyCreated { .. }
            | Change::PolicyAltered { .. }
            | Change::PolicyRenamed { .. }
            | Change::RlsChanged { enabled: false, .. }
            | Change::RlsForced { forced: false, .. }
            | Change::PartitionAttached { .. }
            | Change::InheritAdded { .. }
            | Change::PersistenceChanged { .. }
            | Change::OptionsChanged { .. }
            | Change::StorageChanged { .. }
            | Change::ViewReplaced { .. }
            | Change::MatviewRefreshed { .. }
            | Change::SequenceAltered { .. }
            | Change::SequenceOwnerChanged { owned: true, .. }
            | Change::TypeCreated { .. }
            | Change::LabelAdded { .. }
            | Change::DomainNotNull { set: false, .. }
            | Change::DomainDefault { set: true, .. }
            | Change::DomainConstraintValidated { .. }
            | Change::RoutineCreated { .. }
            | Change::RoutineReplaced { .. }
            | Change::RoutineAltered { .. }
            | Change::ExtensionCreated { .. }
            | Change::ExtensionMoved { .. }
            | Change::ExtensionAltered { .. }
            | Change::Granted { .. }
            | Change::RoleGranted { .. }
            | Change::RoleCreated { .. }
            | Change::RoleAltered { .. }
            | Change::OwnedDropped { .. }
            | Change::OwnedReassigned { .. }
            | Change::SettingsAltered { .. }
            | Change::PublicationCreated { .. }
            | Change::PublicationAltered { .. }
            | Change::SubscriptionChanged { .. }
            | Change::OtherCreated { .. }
            | Change::OtherAltered { .. }
            | Change::Commented
            | Change::RowsChanged { .. }
            | Change::NothingDone { .. }
            | Change::Opaque { .. }
            | Change::UnknownCall { .. }
            | Change::Unclassified { .. } => None,
        }
    }

    /// New columns of older relations that an INSERT must name by the end of the unit, each on the statement that made it so.
    fn required_columns(&self, events: &[Event]) -> Vec<(usize, Break)> {
        let mut found = Vec::new();
        for (position, event) in events.iter().enumerate() {
            let Change::ColumnAdded { relation, column } = &event.change else { continue };
            if !self.older_relation(relation) || !relation.is_table() {
                continue;
            }
            let Some(now) = self.after.relation(relation.id) else { continue };
            let Some(end) = now.column_by_id(column.id).filter(|end| self.after.is_required(end)) else { continue };
            // The state after each event of this column is the one the next event carries.
            let about = |e: &&Event| e.column().is_some_and(|(r, id)| r.id == relation.id && id == column.id);
            let later: Vec<&Event> = events[position + 1..].iter().filter(about).collect();
            let mut made_it = event.statement;
            let mut required = self.after.is_required(column);
            for (i, change) in later.iter().enumerate() {
                let state = later.get(i + 1).and_then(|next| column_before(next)).unwrap_or(end);
                let now_required = self.after.is_required(state);
                if now_required && !required {
                    made_it = change.statement;
                }
                required = now_required;
            }
            found.push((made_it, Break { kind: BreakKind::RequiredColumn, object: part(now, &end.name) }));
        }
        found
    }
}

fn column_before(event: &Event) -> Option<&Column> {
    let (relation, id) = event.column()?;
    relation.column_by_id(id)
}

fn label(relation: &Relation) -> String {
    qualified(&relation.schema, &relation.name)
}

/// `schema.relation.part`.
fn part(relation: &Relation, name: &str) -> String {
    format!("{}.{}", label(relation), quote_identifier(name))
}

impl Catalog {
    /// An INSERT that does not name the column fails: NOT NULL (its own or its domain's) and nothing that fills it.
    pub fn is_required(&self, column: &Column) -> bool {
        let fills = |default: &Option<Expr>| default.as_ref().is_some_and(|default| !default.is_null());
        if fills(&column.default) || column.identity.is_some() || column.generated.is_some() {
            return false;
        }
        let mut not_null = column.not_null;
        let mut current = column.data_type.clone();
        while let super::types::BaseType::User(id) = current.base {
            match self.types.get(&id).map(|t| &t.kind) {
                Some(TypeKind::Domain { base, not_null: refuses, default, .. }) if !current.array => {
                    // An explicit DEFAULT NULL of the column wins over the domain's.
                    if column.default.is_none() && fills(default) {
                        return false;
                    }
                    not_null |= refuses;
                    current = base.clone();
                }
                _ => break,
            }
        }
        not_null
    }
}

fn class_of(change: &Change) -> Class {
    match change {
        Change::Opaque { .. } | Change::Unclassified { .. } => Class::Opaque,
        Change::RowsChanged { .. } => Class::Data,
        Change::Commented
        | Change::NothingDone { .. }
        | Change::StorageChanged { .. }
        | Change::OptionsChanged { .. }
        | Change::MatviewRefreshed { .. }
        | Change::UnknownCall { .. }
        | Change::ConstraintValidated { .. }
        | Change::DomainConstraintValidated { .. }
        | Change::SettingsAltered { .. }
        | Change::ExtensionAltered { .. }
        | Change::PersistenceChanged { .. }
        | Change::OwnerChanged { .. }
        | Change::OwnedDropped { .. }
        | Change::OwnedReassigned { .. }
        | Change::SubscriptionChanged { .. } => Class::Neutral,
        _ => Class::Expand,
    }
}
