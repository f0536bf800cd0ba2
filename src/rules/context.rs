//! What a rule may ask about one unit, and how it says what it found.

use super::Judged;
use crate::catalog::Catalog;
use crate::catalog::change::{Cause, Change, Event};
use crate::catalog::object::{Birth, Column, ColumnId, Id, Relation};
use crate::catalog::replay::{Circumstances, TransactionNote, UnitReplay};
use crate::catalog::work::Work;
use crate::config::Settings;
use crate::finding::{Finding, Level, Related};
use crate::op::{Persistence, Span};
use crate::release::Releases;
use crate::source::layouts::OptOut;
use crate::source::{History, Migration, layouts};
use crate::sql::ParsedUnit;
use crate::sql::names::quote_identifier;
use crate::testimony::SeenUnit;
use std::ops::Range;
use std::sync::Arc;

/// One unit after it was replayed, with all that a rule may ask.
pub struct Context<'a> {
    pub history: &'a History,
    pub migration: &'a Migration,
    /// Index of the unit in the history, from 1, as in [`Birth`].
    pub unit: u32,
    pub parsed: &'a ParsedUnit,
    /// As the last release left it: what the previous release of the application knows. Without release information the same as
    /// `before`.
    pub released: &'a Catalog,
    /// Before the unit. What pending units before it did is in here, and no client knows it yet.
    pub before: &'a Catalog,
    pub after: &'a Catalog,
    /// After the last unit of the history.
    pub end: &'a Catalog,
    /// What happened, in order. Rolled-back parts are not here.
    pub events: &'a [Event],
    /// Locks, rewrites, scans and index builds, in order, of statements that were rolled back too.
    pub work: &'a [Work],
    /// For each statement what it ran in: its transaction, who opened that, the settings in effect.
    pub circumstances: &'a [Circumstances],
    /// Transaction control that did something else than its words say.
    pub notes: &'a [TransactionNote],
    /// Units of the same release that ran before this one, in that order. Empty without release information.
    pub pending: &'a [Pending<'a>],
    pub releases: &'a Releases,
    pub settings: &'a Settings,
    /// What a run saw of exactly this text.
    pub seen: Option<&'a SeenUnit>,
}

/// An earlier unit of the same release.
pub struct Pending<'a> {
    /// In the history, from 0.
    pub position: usize,
    pub parsed: &'a ParsedUnit,
    /// What happened in it.
    pub replay: UnitReplay,
}

impl<'a> Context<'a> {
    /// True where `:name` is a placeholder like others: psql runs the files, or the runner has this form.
    pub fn has_variables(&self) -> bool {
        let forms = layouts::named(&self.history.layout).map(|layout| layout.placeholders()).unwrap_or_default();
        forms.variables || self.settings.runner_is_psql || self.history.is_run_by_psql()
    }
    /// True where nobody knows the runner, so that the transaction around a file is assumed.
    pub fn assumes_transaction(&self) -> bool {
        layouts::named(&self.history.layout).is_none_or(|layout| layout.assumes_transaction())
    }
    /// How a statement leaves the transaction of this history's runner.
    pub fn opt_out(&self) -> OptOut {
        layouts::named(&self.history.layout).map_or(OptOut::None, |layout| layout.opt_out())
    }
    /// Existed before this release. Without release information every unit is its own release.
    pub fn older(&self, birth: Birth) -> bool {
        self.releases.older(birth, self.unit)
    }
    /// Was there before this unit: made by any unit before it, those of the same release included.
    pub fn existed(&self, birth: Birth) -> bool {
        birth.unit != self.unit
    }
    /// The relation as the previous release knows it, where it is known.
    pub fn released_relation(&self, relation: Id) -> Option<&'a Arc<Relation>> {
        self.released.relation(relation)
    }
    /// The column as the previous release knows it, where it is known.
    pub fn released_column(&self, relation: Id, column: ColumnId) -> Option<&'a Column> {
        self.released.relation(relation)?.column_by_id(column)
    }
    /// An older relation that other sessions see.
    pub fn older_relation(&self, relation: &Relation) -> bool {
        self.older(relation.birth) && relation.persistence != Persistence::Temporary
    }
    /// An older table, partitioned or foreign table that other sessions see.
    pub fn older_table(&self, relation: &Relation) -> bool {
        relation.is_table() && self.older_relation(relation)
    }
    /// Events after this one in the same transaction.
    pub fn later(&self, event: &Event) -> impl Iterator<Item = &'a Event> + use<'a> {
        let at = self.position(event);
        let circumstances = self.circumstances;
        let transaction = move |statement: usize| circumstances.get(statement).map(|c| c.transaction);
        let own = transaction(event.statement);
        self.events[at + 1..].iter().take_while(move |e| transaction(e.statement) == own)
    }
    /// Events before this one in the unit.
    pub fn earlier(&self, event: &Event) -> &'a [Event] {
        &self.events[..self.position(event)]
    }
    /// All events that the same command caused, this one included: one statement, or one inside a body.
    pub fn same_command(&self, event: &Event) -> impl Iterator<Item = &'a Event> + use<'a> {
        let span = event.span;
        self.events[self.of_statement(event.statement)].iter().filter(move |e| e.span == span)
    }
    /// Events are in the order of their statements: where those of one are.
    fn of_statement(&self, statement: usize) -> Range<usize> {
        let start = self.events.partition_point(|e| e.statement < statement);
        start..start + self.events[start..].partition_point(|e| e.statement == statement)
    }
    fn position(&self, event: &Event) -> usize {
        let range = self.of_statement(event.statement);
        let inside = self.events[range.clone()].iter().position(|e| std::ptr::eq(e, event));
        range.start + inside.unwrap_or(range.len().saturating_sub(1))
    }
    /// The statement (from 0) that a place of the file is in.
    pub fn statement_at(&self, place: Span) -> Option<usize> {
        let statements = &self.parsed.statements;
        let at = statements.partition_point(|statement| statement.span.end < place.end);
        statements.get(at).filter(|statement| statement.span.start <= place.start).map(|_| at)
    }
    /// Events that the statement names itself (not what falls along).
    pub fn direct(&self) -> impl Iterator<Item = &'a Event> + use<'a> {
        self.events.iter().filter(|e| e.cause == Cause::Direct)
    }
    /// Direct events, and what fell along with something that is no loss of its own: a new object dropped with CASCADE, the
    /// column that a primary key made NOT NULL. What falls with an older object is told by that object's finding.
    pub fn told(&self) -> impl Iterator<Item = &'a Event> {
        self.events.iter().filter(|event| match event.cause {
            Cause::Direct => true,
            Cause::Inherited => false,
            Cause::Cascade => !self
                .same_command(event)
                .any(|other| other.cause == Cause::Direct && dropped_birth(&other.change).is_some_and(|b| self.older(b))),
        })
    }
    /// Where an object of the history was created, as a related place.
    pub fn created(&self, birth: Birth) -> Option<Related> {
        let unit = self.history.migrations.get((birth.unit as usize).checked_sub(1)?)?;
        Some(Related { path: unit.file.path.clone(), span: birth.span, message: "created here".into() })
    }
    /// `schema.table`.
    pub fn label(&self, relation: &Relation) -> String {
        self.before.relation_label(relation)
    }
    /// `schema.table.column`, also for constraints, triggers, policies and rules of a relation.
    pub fn part_label(&self, relation: &Relation, name: &str) -> String {
        format!("{}.{}", self.label(relation), quote_identifier(name))
    }
    /// A finding about an event, or about what a statement costs. `object` is what it is about, as reports name it.
    pub fn finding(
        &self,
        rule: &'static str,
        level: Level,
        happened: &impl Happened,
        object: String,
        message: String,
        help: String,
    ) -> Judged {
        let (statement, span) = happened.place();
        let finding = self.finding_at(rule, level, Some(statement), span, message, help);
        Judged { finding, subjects: vec![object] }
    }
    /// A finding about a statement (from 0) or a place inside it.
    pub fn finding_at(
        &self,
        rule: &'static str,
        level: Level,
        statement: Option<usize>,
        span: Span,
        message: String,
        help: String,
    ) -> Finding {
        let new = Finding::new(rule, level, self.migration.file.path.clone(), message, help);
        Finding { migration: self.migration.id.clone(), statement: statement.map(|index| index + 1), span, ..new }
    }
}

/// When the object that a change takes away came to be. `None` for changes that take nothing away.
pub(super) fn dropped_birth(change: &Change) -> Option<Birth> {
    match change {
        Change::SchemaDropped { schema } => Some(schema.birth),
        Change::RelationDropped { relation } => Some(relation.birth),
        Change::ColumnDropped { column, .. } | Change::IdentityChanged { column, to: None, .. } => Some(column.birth),
        Change::ConstraintDropped { constraint, .. } => Some(constraint.birth),
        Change::IndexDropped { index, .. } => Some(index.birth),
        Change::TypeDropped { object } => Some(object.birth),
        Change::RoutineDropped { routine } => Some(routine.birth),
        Change::ExtensionDropped { extension } => Some(extension.birth),
        Change::TriggerDropped { trigger, .. } => Some(trigger.birth),
        Change::RuleDropped { rule, .. } => Some(rule.birth),
        Change::DefaultDropped { column, .. } => Some(column.birth),
        Change::OwnedDropped { .. } => Some(Birth::UNSEEN),
        Change::PolicyDropped { birth, .. } | Change::OtherDropped { birth, .. } => Some(*birth),
        _ => None,
    }
}

/// What a statement did, or what it cost.
pub trait Happened {
    /// The statement in its unit, from 0, and the place in the file: the statement, or the one inside a body.
    fn place(&self) -> (usize, Span);
}

impl Happened for Event {
    fn place(&self) -> (usize, Span) {
        (self.statement, self.span)
    }
}

impl Happened for Work {
    fn place(&self) -> (usize, Span) {
        (self.statement, self.span)
    }
}
