//! The whole way of the data, as one function of the bytes read: histories in, facts and findings out. No clock, no socket, no
//! environment.

use crate::allow;
use crate::baseline;
use crate::catalog::Catalog;
use crate::catalog::facts::{self, Class};
use crate::catalog::replay::{self, UnitReplay};
use crate::config::Settings;
use crate::effect::{Effect, StatementFacts, Verdict};
use crate::finding::Finding;
use crate::fingerprint;
use crate::op::Span;
use crate::release::standing::{self, Asked, Changed, Standing};
use crate::release::{self, ReleaseError, Releases, Scope};
use crate::rules::{self, Context, HistoryContext, Pending};
use crate::source::git::{GitEnvironment, Repository};
use crate::source::{self, ConfiguredHistory, History, Migration, Origin, Rewriting, SourceError, SourceFile, layouts};
use crate::sql::substitute::Placeholders;
use crate::sql::{self, ParsedUnit};
use crate::testimony::Testimony;
use crate::versions::PostgresVersions;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What to check, as the command line means it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub histories: Vec<HistoryRequest>,
    /// The bytes of standard input, where `-` is among the paths.
    pub stdin: Option<Vec<u8>>,
    /// Which units are reported on.
    pub scope: Scope,
    /// What git tells its hooks.
    pub git: GitEnvironment,
    /// What a run saw.
    pub testimony: Testimony,
}

/// Paths, and what is in force for what lies there.
#[derive(Clone, Debug, Default)]
pub struct HistoryRequest {
    /// Directories and files; `-` is standard input. Each is one history, or as many as lie below it.
    pub paths: Vec<PathBuf>,
    pub settings: Settings,
    /// Set where the paths are the directories of one history.
    pub history: Option<ConfiguredHistory>,
    /// Directories below the paths that another request is about.
    pub apart: Vec<String>,
    /// True where nobody gave the paths: they are the configuration's, or the working directory.
    pub implied: bool,
}

impl Request {
    /// These paths, under these settings.
    pub fn of_paths(paths: impl IntoIterator<Item = impl Into<PathBuf>>, settings: Settings) -> Request {
        let paths = paths.into_iter().map(Into::into).collect();
        Request { histories: vec![HistoryRequest { paths, settings, ..HistoryRequest::default() }], ..Request::default() }
    }
}

/// The result of `check`, before any report format.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    pub histories: Vec<CheckedHistory>,
    /// All of them, those of [`History::findings`] included, sorted by (path, span, rule). Suppressed ones are here too.
    pub findings: Vec<Finding>,
    /// What could not be used. The rest was checked all the same.
    pub unusable: Vec<Unusable>,
    /// Files that findings are about besides those of the histories: the baseline, deployment scripts.
    pub others: Vec<Arc<SourceFile>>,
}

/// Something that was asked for and could not be used: a path that cannot be opened or holds no migration, an unknown layout.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unusable {
    /// As given; empty where it is about no path.
    pub path: String,
    /// What failed and what to do, a sentence that does not repeat the path.
    pub why: String,
}

#[derive(Clone, Debug)]
pub struct CheckedHistory {
    pub history: History,
    /// The versions that it was checked for.
    pub postgres: PostgresVersions,
    /// For each of `history.migrations`, its statements.
    pub units: Vec<Vec<StatementFacts>>,
    pub releases: Releases,
    /// What changed, where that was asked.
    pub changed: Option<Changed>,
    /// Which of [`Request::histories`] it is of.
    pub request: usize,
}

/// Who looks at a history besides the rules: a judge, who holds the model against a server, and `prove`, which runs the history.
pub trait Witness {
    /// The catalog as it is after a unit (from 0).
    fn after_unit(&mut self, history: &History, unit: usize, catalog: &Catalog) {
        let _ = (history, unit, catalog);
    }

    /// What the witness has to say about a whole history, before comments, baseline and levels act on it. `parsed` has one entry for
    /// each unit.
    fn testify(&mut self, checked: &CheckedHistory, parsed: &[ParsedUnit], settings: &Settings) -> Vec<Finding> {
        let _ = (checked, parsed, settings);
        Vec::new()
    }
}

/// Nobody else looks.
struct Nobody;

impl Witness for Nobody {}

impl<F: FnMut(&History, usize, &Catalog)> Witness for F {
    fn after_unit(&mut self, history: &History, unit: usize, catalog: &Catalog) {
        self(history, unit, catalog);
    }
}

/// Checks everything that the request names.
///
/// Parsing uses all cores; the catalog goes through each history in order.
pub fn run(request: &Request) -> Checked {
    run_observed(request, &mut Nobody)
}

/// As [`run`], before a witness.
pub fn run_observed(request: &Request, witness: &mut dyn Witness) -> Checked {
    let mut checked = Checked::default();
    let mut found: Vec<Found<'_>> = Vec::new();
    for at in 0..request.histories.len() {
        found.push(check_paths(request, at, &mut checked, witness));
    }
    // What silences findings, in this order, so that the first that does is named: the tag, then reasoned `allow` comments and the
    // baseline, then levels, which alone may lower what is left. The first two have acted, unit by unit.
    let mut all: Vec<&mut Finding> = found.iter_mut().flat_map(|one| &mut one.findings).collect();
    all.sort_by(|a, b| order(a).cmp(&order(b)));
    fingerprint::assign(&checked.histories, checked.others.iter().map(Arc::as_ref), all);
    baseline::apply(&mut found, &mut checked);
    for Found { request, mut findings, .. } in found {
        request.settings.levels.apply(&mut findings);
        checked.findings.append(&mut findings);
    }
    checked.findings.sort_by(|a, b| order(a).cmp(&order(b)));
    checked.unusable.sort();
    checked
}

/// The order of reports.
fn order(finding: &Finding) -> (&str, Span, &str, &str, &str) {
    let Finding { path, span, rule, migration, message, .. } = finding;
    (path, *span, rule, migration, message)
}

/// What one request found.
pub(crate) struct Found<'a> {
    pub request: &'a HistoryRequest,
    pub findings: Vec<Finding>,
}

/// Checks the histories of one of the request's entries.
fn check_paths<'a>(whole: &'a Request, at: usize, checked: &mut Checked, witness: &mut dyn Witness) -> Found<'a> {
    let request = &whole.histories[at];
    let HistoryRequest { paths, settings, history, apart, implied } = request;
    let mut found = Vec::new();
    let paths: Vec<String> = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let origin = match origin(&whole.scope, &paths, &whole.git) {
        Ok(origin) => origin,
        Err(error) => {
            checked.unusable.push(unusable(paths.first().map_or("", String::as_str), &error));
            return Found { request, findings: found };
        }
    };
    let source_request = source::Request {
        paths,
        standard_input: whole.stdin.clone(),
        layout: settings.layout.clone(),
        phase_tag_prefixes: settings.phase_tag_prefixes.clone(),
        scope: source::Scope {
            history: history.clone(),
            include: settings.include.clone(),
            exclude: settings.exclude.clone(),
            apart: apart.clone(),
        },
        origin,
    };
    let loaded = source::load(&source_request);
    let needs_none =
        |error: &SourceError| *implied && whole.scope == Scope::Staged && has_nothing_to_commit(error, &source_request.origin);
    checked.unusable.extend(loaded.errors.iter().filter(|error| !needs_none(error)).map(unusable_source));
    let start = match settings.schema_dump.as_deref().map(start_from) {
        None => Catalog::new(),
        Some(Ok(catalog)) => catalog,
        Some(Err(problem)) => {
            checked.unusable.push(problem);
            Catalog::new()
        }
    };
    let (scripts, unreadable) = scripts(settings, &source_request.origin);
    checked.unusable.extend(unreadable.iter().map(unusable_source));
    checked.others.extend(scripts.iter().cloned());
    for mut history in loaded.histories {
        // A dump says all there was; without one, files that are not the whole history say only a part.
        let mut start = start.clone();
        start.incomplete |= settings.schema_dump.is_none() && !history.whole;
        if let Some(schemas) = &settings.search_path {
            start.start_with_search_path(schemas);
        }
        start.versions = settings.postgres.unwrap_or_default();
        let asked =
            Asked { scope: &whole.scope, settings: &settings.releases, environment: &whole.git, request: &source_request };
        let Standing { releases, changed, problems } = match standing::read(&history, &asked) {
            Ok(standing) => standing,
            // Nobody can say what is older: a verdict would be a guess.
            Err(error) => {
                checked.unusable.push(unusable(&history.path, &error));
                continue;
            }
        };
        checked.unusable.extend(problems.iter().map(|problem| unusable(&history.path, problem)));
        let releases = focus(&mut history, releases, changed.as_ref());
        let parsed = parse_all(&history.migrations, &placeholders(&history, settings));
        let mut findings = history.findings.clone();
        let scripts = &scripts;
        findings.extend(rules::judge_history(&HistoryContext { history: &history, releases: &releases, settings, scripts }));
        // Phase tags act unit by unit in here.
        let (units, of_units) = Replaying { history: &history, releases: &releases, settings, testimony: &whole.testimony }
            .run(&parsed, start, witness);
        findings.extend(of_units);
        let postgres = settings.postgres.unwrap_or_default();
        let one = CheckedHistory { history, postgres, units, releases, changed, request: at };
        findings.extend(witness.testify(&one, &parsed, settings));
        let units = one.history.migrations.iter().enumerate();
        let judged: Vec<bool> = units.map(|(at, unit)| unit.reported && !one.releases.is_released(at)).collect();
        allow::apply(&one.history, &parsed, &judged, settings, &mut findings);
        found.append(&mut findings);
        checked.histories.push(one);
    }
    Found { request, findings: found }
}

/// What a rule that is asked wants to read besides migrations.
fn scripts(settings: &Settings, origin: &Origin) -> (Vec<Arc<SourceFile>>, Vec<SourceError>) {
    match rules::rule("down-file-used") {
        Some(rule) if settings.levels.asks(rule) => source::scripts(&settings.options.down_file_paths, origin),
        Some(_) | None => (Vec::new(), Vec::new()),
    }
}

/// Where files are read from.
fn origin(scope: &Scope, paths: &[String], environment: &GitEnvironment) -> Result<Origin, ReleaseError> {
    match (scope, paths.iter().find(|path| *path != "-")) {
        (Scope::Staged, Some(path)) => {
            let repository = Repository::around(path, environment)?;
            Ok(Origin::Git(Arc::new(repository.index()?)))
        }
        (Scope::Staged, None) | (Scope::All | Scope::Since(_), _) => Ok(Origin::Disk),
    }
}

/// Units that are released, and those that did not change where that was asked, are modelled and not reported. Of a single file
/// only what is about it is kept.
fn focus(history: &mut History, mut releases: Releases, changed: Option<&Changed>) -> Releases {
    let lone = history.migrations.iter().any(|unit| !unit.reported);
    let asked_for: Vec<bool> = history.migrations.iter().map(|unit| unit.reported).collect();
    if lone {
        releases.deviations.retain(|deviation| deviation.unit.is_some_and(|unit| asked_for[unit]));
    }
    for (at, unit) in history.migrations.iter_mut().enumerate() {
        unit.reported &= !releases.is_released(at) && changed.is_none_or(|changed| changed.units[at]);
    }
    let History { migrations, findings, .. } = history;
    let is_reported = |finding: &Finding| {
        let mut units = migrations.iter().filter(|unit| unit.id == finding.migration && unit.file.path == finding.path);
        units.next().is_none_or(|first| first.reported || units.any(|unit| unit.reported))
    };
    findings.retain(is_reported);
    releases
}

/// True for a place without migrations that a commit leaves as it is. A hook runs for every commit, also for those before the first
/// migration.
fn has_nothing_to_commit(error: &SourceError, origin: &Origin) -> bool {
    match error {
        SourceError::NotInGit { path, .. } | SourceError::NoMigration { path, .. } => {
            origin.commits_no_sql(&source::resolved(Path::new(path)))
        }
        SourceError::NotFound { .. }
        | SourceError::NoDirectory { .. }
        | SourceError::SeveralHistories { .. }
        | SourceError::Unreadable { .. }
        | SourceError::Ambiguous { .. }
        | SourceError::UnknownLayout { .. } => false,
    }
}

fn unusable(path: &str, error: &ReleaseError) -> Unusable {
    let help = miette::Diagnostic::help(error).map(|help| format!("; {help}")).unwrap_or_default();
    let text = error.to_string();
    // A path that the sentence begins with has a field of its own.
    match text.split_once(": ") {
        Some((first, what)) if first == path => Unusable { path: path.to_owned(), why: format!("{what}{help}") },
        _ => Unusable { path: path.to_owned(), why: format!("{text}{help}") },
    }
}

fn unusable_source(error: &SourceError) -> Unusable {
    let path = error.path().unwrap_or_default();
    let text = error.to_string();
    // The path has a field of its own.
    let what = text.strip_prefix(path).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&text);
    let help = miette::Diagnostic::help(error).map(|help| format!("; {help}")).unwrap_or_default();
    Unusable { path: path.to_owned(), why: format!("{what}{help}") }
}

/// The values of placeholders, in the forms that the history's runner knows.
pub fn placeholders(history: &History, settings: &Settings) -> Placeholders {
    let layout = layouts::named(&history.layout);
    let forms = layout.map(|layout| layout.placeholders()).unwrap_or_default();
    Placeholders {
        values: settings.placeholders.clone(),
        ignore_case: forms.ignore_case,
        colon_names: layout.is_some_and(|layout| layout.rewriting() == Rewriting::ColonNames),
        variables: forms.variables || settings.runner_is_psql || history.is_run_by_psql(),
        fixed: forms.fixed,
    }
}

/// Every unit parsed, on all cores, in the order of the history.
fn parse_all(migrations: &[Migration], placeholders: &Placeholders) -> Vec<ParsedUnit> {
    let unit = |migration: &Migration| sql::parse::unit_with(migration, placeholders);
    let parse = || migrations.par_iter().map(unit).collect();
    match sql::ffi::pool(0) {
        Ok(pool) => pool.install(parse),
        // No threads to be had: this one does it, more slowly.
        Err(_) => migrations.iter().map(unit).collect(),
    }
}

/// The catalog that a schema dump describes: everything in it is older than every unit.
fn start_from(path: &Path) -> Result<Catalog, Unusable> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| Unusable { path: shown.clone(), why: format!("cannot be read: {error}") })?;
    let loaded = source::load(&source::Request {
        standard_input: Some(bytes),
        phase_tag_prefixes: Vec::new(),
        ..source::Request::of_paths(["-"])
    });
    let mut catalog = Catalog::new();
    for history in &loaded.histories {
        for (migration, parsed) in history.migrations.iter().zip(parse_all(&history.migrations, &Placeholders::default())) {
            if let Some(error) = parsed.statements.iter().find_map(|statement| statement.outcome.as_ref().err()) {
                return Err(Unusable { path: shown, why: format!("is no schema dump: {}", error.message) });
            }
            replay::unit(&mut catalog, 0, migration, &parsed);
        }
    }
    catalog.end_of_dump();
    Ok(catalog)
}

/// A unit between its replay and its judgement, which may ask how the whole history ends.
struct Replayed {
    position: usize,
    unit: u32,
    /// Of the release that is being made.
    is_pending: bool,
    before: Catalog,
    after: Catalog,
    replay: UnitReplay,
}

/// One history on its way through the catalog and the rules.
struct Replaying<'a> {
    history: &'a History,
    releases: &'a Releases,
    settings: &'a Settings,
    testimony: &'a Testimony,
}

impl Replaying<'_> {
    fn run(
        &self,
        parsed: &[ParsedUnit],
        mut catalog: Catalog,
        witness: &mut dyn Witness,
    ) -> (Vec<Vec<StatementFacts>>, Vec<Finding>) {
        let Replaying { history, releases, settings, testimony } = *self;
        // Without releases every unit is one: what it found is what the release before it left.
        let mut released: Option<Catalog> = None;
        let mut replays: Vec<Replayed> = Vec::new();
        for position in releases.order(parsed.len()) {
            let unit = u32::try_from(position + 1).unwrap_or(u32::MAX);
            if releases.are_known() && !releases.is_released(position) && released.is_none() {
                self.rerun(&mut catalog);
                released = Some(catalog.clone());
            }
            let before = catalog.clone();
            let replay = replay::unit(&mut catalog, unit, &history.migrations[position], &parsed[position]);
            witness.after_unit(history, position, &catalog);
            replays.push(Replayed { position, unit, is_pending: released.is_some(), before, after: catalog.clone(), replay });
        }
        let mut units = vec![Vec::new(); parsed.len()];
        let mut findings = Vec::new();
        let mut pending: Vec<Pending> = Vec::new();
        for Replayed { position, unit, is_pending, before, after, replay } in replays {
            let (migration, parsed) = (&history.migrations[position], &parsed[position]);
            let facts = facts::of_unit(unit, &replay, &before, &after);
            let context = Context {
                history,
                migration,
                unit,
                parsed,
                released: released.as_ref().filter(|_| is_pending).unwrap_or(&before),
                before: &before,
                after: &after,
                end: &catalog,
                events: &replay.events,
                work: &replay.work,
                circumstances: &replay.circumstances,
                notes: &replay.notes,
                pending: &pending,
                releases,
                settings,
                seen: testimony.of(migration),
            };
            let mut found = if migration.reported { rules::judge(&context) } else { Vec::new() };
            units[position] = statements(parsed, facts, &found, settings);
            release::apply_tag(migration, &mut found);
            findings.append(&mut found);
            if is_pending {
                pending.push(Pending { position, parsed, replay });
            }
        }
        (units, findings)
    }

    /// What runs again whenever it changes was there before, as it was.
    fn rerun(&self, catalog: &mut Catalog) {
        for earlier in self.releases.earlier.values() {
            let placeholders = placeholders(self.history, self.settings);
            replay::unit(catalog, 0, earlier, &sql::parse::unit_with(earlier, &placeholders));
        }
    }
}

fn statements(
    parsed: &ParsedUnit,
    facts: Vec<(Effect, Class)>,
    findings: &[Finding],
    settings: &Settings,
) -> Vec<StatementFacts> {
    let judged = parsed.statements.iter().zip(facts).enumerate();
    judged
        .map(|(index, (statement, (effect, class)))| {
            let contract = findings.iter().any(|f| f.statement == Some(index + 1) && rules::takes_away(f));
            let verdict = match (&statement.outcome, class) {
                (Err(_), _) => Verdict::SyntaxError,
                (Ok(_), _) if rules::is_refused_by_all(statement, settings.postgres) => Verdict::SyntaxError,
                (Ok(_), Class::Opaque) => Verdict::Opaque,
                (Ok(_), _) if contract => Verdict::Contract,
                (Ok(_), Class::Data) => Verdict::Data,
                (Ok(_), Class::Expand) => Verdict::Expand,
                (Ok(_), Class::Neutral) => Verdict::Neutral,
            };
            StatementFacts { index: index + 1, span: statement.span, verdict, effect }
        })
        .collect()
}
