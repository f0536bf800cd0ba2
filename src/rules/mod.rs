//! Rules: judge what the catalog says happened, in context. One file per rule, one plain function each; one list registers them.
//!
//! Invariants: a rule reads and never changes facts; phase tags, allows, baselines and levels act later, on findings; every id
//! here has its document `rules/<id>.md`. What several rules reason with is a noun in `shared`.

mod context;
mod shared;
mod supersede;
#[cfg(test)]
mod testing;

pub mod document;
pub mod example;

use crate::allow::Said;
use crate::config::Settings;
use crate::finding::{Finding, Level, Related};
use crate::op::Span;
use crate::recipe::Recipe;
use crate::release::Releases;
use crate::source::layouts::OptOut;
use crate::source::{History, Migration, SourceFile};
use crate::sql::{ParsedStatement, ParsedUnit};
use crate::versions::PostgresVersions;
pub use context::{Context, Pending};
pub use document::Family;
use std::collections::BTreeMap;
use std::sync::Arc;
pub(crate) use unused_allow::unused_entry;

pub struct Rule {
    /// The name of its file in `rules/`.
    pub id: &'static str,
    pub family: Family,
    /// The default level of its headline; single edges may be lower or higher.
    pub level: Level,
    pub check: Check,
}

/// When a rule looks, and at what.
pub enum Check {
    /// At one unit.
    Unit(fn(&Context<'_>, &mut Findings)),
    /// At one unit and at what the rules of the first kind found in it.
    AfterOthers(fn(&Context<'_>, &[Judged], &mut Findings)),
    /// At a whole history, once: its files and their order.
    History(fn(&HistoryContext<'_>, &mut Vec<Finding>)),
    /// At what became of the comments of one unit that allow findings. These rules cannot be allowed.
    Allows(fn(&AllowsContext<'_>, &mut Vec<Finding>)),
    /// Found by the room that reads the files: nothing is left to do here.
    Source,
    /// Found only by running the history: `prove` says it.
    Proof,
}

/// A whole history before any statement is looked at: its files, their names and their order.
pub struct HistoryContext<'a> {
    pub history: &'a History,
    pub releases: &'a Releases,
    pub settings: &'a Settings,
    /// The tooling that `down-file-used` was pointed at.
    pub scripts: &'a [Arc<SourceFile>],
}

impl<'a> HistoryContext<'a> {
    /// The units that findings may be about, with their position (from 0) in the history: reported and not yet released.
    pub fn pending(&self) -> impl Iterator<Item = (usize, &'a Migration)> {
        let releases = self.releases;
        self.history.migrations.iter().enumerate().filter(move |(at, unit)| unit.reported && !releases.is_released(*at))
    }
    /// A finding about a unit as a whole.
    pub fn finding(&self, rule: &'static str, level: Level, unit: &Migration, message: String, help: String) -> Finding {
        Finding { migration: unit.id.clone(), ..self.finding_of_file(rule, level, &unit.file.path, message, help) }
    }
    /// A finding about a file or directory that is no unit.
    pub fn finding_of_file(&self, rule: &'static str, level: Level, path: &str, message: String, help: String) -> Finding {
        Finding::new(rule, level, path.to_string(), message, help)
    }
}

/// The comments of one unit after they were applied.
pub struct AllowsContext<'a> {
    pub migration: &'a Migration,
    pub parsed: &'a ParsedUnit,
    pub said: &'a [Said<'a>],
    pub settings: &'a Settings,
}

impl AllowsContext<'_> {
    /// True where the server's parser refuses something in the unit, so that findings may be missing.
    pub fn has_unread(&self) -> bool {
        self.parsed.statements.iter().any(|statement| statement.outcome.is_err() || !statement.inner_errors.is_empty())
    }
    /// A finding about a part of a comment.
    pub fn finding(&self, rule: &'static str, span: Span, message: String, help: String) -> Finding {
        let new = Finding::new(rule, Level::Error, self.migration.file.path.clone(), message, help);
        Finding { migration: self.migration.id.clone(), span, ..new }
    }
}

/// A finding and the objects it is about.
#[derive(Clone, Debug)]
pub struct Judged {
    pub finding: Finding,
    /// What it is about first, as reports name it; then what else the same claim is about (the constraint beside the column).
    pub subjects: Vec<String>,
}

impl Judged {
    pub fn related(mut self, place: Option<Related>) -> Self {
        self.finding.related.extend(place);
        self
    }
    /// Puts the recipe under the help, in the form of the history's runner.
    pub fn with_recipe(mut self, recipe: Recipe, opt_out: OptOut) -> Self {
        let recipe = recipe.for_runner(opt_out);
        self.finding.help = format!("{}:\n{}", self.finding.help, recipe.text());
        self.finding.recipe = Some(recipe);
        self
    }
    pub fn also_about(mut self, subject: String) -> Self {
        self.subjects.push(subject);
        self
    }
}

/// Rule, statement, place and object: a rule says one thing about these.
type FindingKey = (&'static str, Option<usize>, Span, Option<String>);

/// What rules found so far about one unit.
#[derive(Default)]
pub struct Findings {
    pub list: Vec<Judged>,
    /// What is in the list, and where.
    known: BTreeMap<FindingKey, usize>,
}

impl Findings {
    /// Adds a finding. What the same rule already said about the same place and object only gains subjects.
    pub fn push(&mut self, judged: Judged) {
        let finding = &judged.finding;
        let key = (finding.rule, finding.statement, finding.span, judged.subjects.first().cloned());
        match self.known.get(&key).and_then(|at| self.list.get_mut(*at)) {
            Some(known) => known.subjects.extend(judged.subjects),
            None => {
                self.known.insert(key, self.list.len());
                self.list.push(judged);
            }
        }
    }
}

/// Judges one unit by every rule. The most specific of several findings that say the same stays alone.
pub fn judge(cx: &Context<'_>) -> Vec<Finding> {
    let mut findings = Findings::default();
    let asked = || RULES.iter().filter(|rule| cx.settings.levels.asks(rule));
    for rule in asked() {
        if let Check::Unit(check) = rule.check {
            check(cx, &mut findings);
        }
    }
    supersede::drop_general(&mut findings.list);
    let mut about_others = Findings::default();
    for rule in asked() {
        if let Check::AfterOthers(check) = rule.check {
            check(cx, &findings.list, &mut about_others);
        }
    }
    findings.list.into_iter().chain(about_others.list).map(|judged| judged.finding).collect()
}

/// Judges the files of a history and their order.
pub fn judge_history(cx: &HistoryContext<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES.iter().filter(|rule| cx.settings.levels.asks(rule)) {
        if let Check::History(check) = rule.check {
            check(cx, &mut findings);
        }
    }
    findings
}

/// Judges the comments of one unit.
pub fn judge_allows(cx: &AllowsContext<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES {
        if let Check::Allows(check) = rule.check {
            check(cx, &mut findings);
        }
    }
    findings
}

/// A contract finding at the level of an error: old clients lose something. Asked before tags and configuration act.
pub fn takes_away(finding: &Finding) -> bool {
    finding.level == Level::Error && family_of(finding.rule) == Some(Family::Contract)
}

/// A top-level statement that the parser of every target refuses, although it was read as older servers read it.
pub fn is_refused_by_all(statement: &ParsedStatement, targets: Option<PostgresVersions>) -> bool {
    statement.newer.iter().any(|newer| newer.refused_by_parser && syntax_error::refused_by_all(newer, targets).is_some())
}

/// The family of a rule.
pub fn family_of(id: &str) -> Option<Family> {
    rule(id).map(|rule| rule.family)
}

/// The rule of this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id).copied()
}

/// True for the rules about suppressions themselves, which no comment and no baseline silences.
pub fn is_hygiene(id: &str) -> bool {
    rule(id).is_some_and(|rule| matches!(rule.check, Check::Allows(_)))
}

/// True for the rule whose findings span a secret, which nothing may print.
pub fn stands_on_secret(id: &str) -> bool {
    id == secret_in_migration::RULE.id
}

/// The rule whose id is most like an unknown one, where one is like it.
pub fn similar(unknown: &str) -> Option<&'static str> {
    const LEAST: f64 = 0.85;
    let unknown = unknown.to_lowercase().replace('_', "-");
    let likely = RULES.iter().map(|rule| (strsim::jaro_winkler(&unknown, rule.id), rule.id)).filter(|(like, _)| *like >= LEAST);
    likely.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, id)| id)
}

macro_rules! registry {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*
        /// Every rule, in the order of `rules` and of reports about one place.
        pub const RULES: &[&Rule] = &[$(&$module::RULE),*];
    };
}

registry! {
    drop_table, drop_column, drop_view, drop_routine, drop_type, drop_schema, drop_sequence, drop_unique, drop_foreign_key,
    drop_check, drop_default, drop_trigger, revoke, rename_table, rename_column, rename_type, rename_routine,
    rename_constraint, set_schema, retype_column, set_not_null, required_column, always_identity, tighten_constraint,
    restrict_rows, detach_partition, replace_routine, new_trigger, enum_value_added, set_default, sequence_reset,
    replication_change, settings_change, stale_plan, column_added, column_grants, sequence_not_granted, trigger_privileges,
    computed_tightens, index_limits_values, referenced_by_new, composite_attribute_added, new_rule, shadowed_name,
    sequence_stays_narrow, unlogged, destroys_data, exists_of_unknown,
    index_blocks_writes, index_drop_blocks, constraint_scan, unique_build, not_null_scan, table_rewrite, matview_refresh,
    attach_scan, concurrently_in_transaction,
    work_under_lock, many_tables_locked, no_lock_timeout, validate_in_transaction, unbatched_backfill, explicit_lock,
    partition_created_locks, sequence_lock, lock_upgrade, trigger_lock, foreign_key_without_index, enum_value_in_transaction,
    pending_trigger_events, retype_refused,
    malformed_phase_tag, stale_contract_tag, mixed_phases, contract_outside_objects, contract_too_early, contract_unpaired,
    unclassified_statement, opaque_sql,
    released_file_changed, out_of_order, several_open,
    broken_history, not_utf8, syntax_error, psql_command, unresolved_placeholder, needs_newer_server,
    name_truncated, unsafe_filename, duplicate_version, version_gap, missing_down, down_file_used, release_in_name,
    invalid_index_kept, detach_pending, not_rerunnable, exists_masks_shape, transaction_control, mixed_transaction,
    session_leak, advisory_lock_deadlock,
    rls_without_policy, definer_search_path, grant_wide, leaves_database, secret_in_migration,
    apply_failed, second_run_not_noop, rerun_failed, rerun_changed, runners_collide, crash_not_atomic, crash_not_resumable,
    fails_on_data, breaks_old_query, depends_on_clock, needs_superuser, prediction_missed,
    unknown_allow, unused_allow, allow_without_reason,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_document_of_its_family_and_level_and_every_document_a_rule() {
        let documents = document::all().unwrap_or_else(|error| panic!("{error}"));
        for rule in RULES {
            let document = document::find(rule.id).unwrap_or_else(|| panic!("rules/{}.md is missing", rule.id));
            assert_eq!((document.family, document.level), (rule.family, rule.level), "rules/{}.md and its rule", rule.id);
        }
        for document in documents {
            assert!(rule(&document.id).is_some(), "rules/{}.md has no rule", document.id);
        }
    }

    #[test]
    fn no_rule_is_registered_twice() {
        let mut ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}
