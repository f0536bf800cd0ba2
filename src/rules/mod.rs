//! Rules: judge what the catalog says happened, in context. One file per rule, one plain function each; one list registers them.

pub mod document;
pub mod example;

use crate::catalog::Catalog;
use crate::catalog::change::{Cause, Event};
use crate::catalog::object::Birth;
use crate::finding::{Finding, Level, Related};
use crate::op::Span;
use crate::source::{History, Migration};
use crate::sql::ParsedUnit;

/// The families of `rules/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    Contract,
    Phase,
    Blocking,
    Retry,
    History,
    Access,
    Style,
    Proof,
}

pub struct Rule {
    /// The name of its file in `rules/`.
    pub id: &'static str,
    pub family: Family,
    /// The default level of its headline; single edges may be lower or higher.
    pub level: Level,
    pub check: fn(&Context<'_>, &mut Findings),
}

/// One unit after it was replayed, with all that a rule may ask.
pub struct Context<'a> {
    pub history: &'a History,
    pub migration: &'a Migration,
    /// Index of the unit in the history, from 1, as in [`Birth`].
    pub unit: u32,
    pub parsed: &'a ParsedUnit,
    pub before: &'a Catalog,
    pub after: &'a Catalog,
    /// What happened, in order. Rolled-back parts are not here.
    pub events: &'a [Event],
    /// For each statement the transaction it ran in; equal numbers are one transaction.
    pub transactions: &'a [u32],
}

impl<'a> Context<'a> {
    /// Existed before this release. Without release information every unit is its own release.
    pub fn older(&self, birth: Birth) -> bool {
        birth.unit < self.unit
    }
    /// Events after this one in the same transaction.
    pub fn later(&self, event: &Event) -> impl Iterator<Item = &'a Event> {
        let at = self.position(event);
        let transaction = self.transactions.get(event.statement).copied();
        let transactions = self.transactions;
        self.events[at + 1..].iter().take_while(move |e| transactions.get(e.statement).copied() == transaction)
    }
    /// All events that the same statement caused, this one included.
    pub fn same_statement(&self, event: &Event) -> impl Iterator<Item = &'a Event> {
        let statement = event.statement;
        self.events.iter().filter(move |e| e.statement == statement)
    }
    fn position(&self, event: &Event) -> usize {
        self.events.iter().position(|e| std::ptr::eq(e, event)).unwrap_or(self.events.len().saturating_sub(1))
    }
    /// Events that the statement names itself (not what falls along).
    pub fn direct(&self) -> impl Iterator<Item = &'a Event> {
        self.events.iter().filter(|e| e.cause == Cause::Direct)
    }
    /// Where an object of the history was created, as a related place.
    pub fn created(&self, birth: Birth) -> Option<Related> {
        let unit = self.history.migrations.get((birth.unit as usize).checked_sub(1)?)?;
        Some(Related { path: unit.file.path.clone(), span: birth.span, message: "created here".into() })
    }
    /// A finding about an event.
    pub fn finding(&self, rule: &'static str, level: Level, event: &Event, message: String, help: String) -> Finding {
        self.finding_at(rule, level, event.statement, event.span, message, help)
    }
    /// A finding about a statement (from 0) or a place inside it.
    pub fn finding_at(
        &self,
        rule: &'static str,
        level: Level,
        statement: usize,
        span: Span,
        message: String,
        help: String,
    ) -> Finding {
        Finding {
            rule,
            level,
            path: self.migration.file.path.clone(),
            migration: self.migration.id.clone(),
            statement: Some(statement + 1),
            span,
            message,
            help,
            related: Vec::new(),
            suppressed: None,
        }
    }
}

/// What rules found so far about one unit.
#[derive(Default)]
pub struct Findings {
    pub list: Vec<Finding>,
}

impl Findings {
    pub fn push(&mut self, finding: Finding) {
        self.list.push(finding);
    }
}

macro_rules! registry {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*
        /// Every rule, in the order of `rules` and of reports about one place.
        pub const RULES: &[&Rule] = &[$(&$module::RULE),*];
    };
}

registry! {
    drop_table,
}
