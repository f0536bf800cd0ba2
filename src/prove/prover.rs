//! Runs the proofs of each history that a check goes through, and says what they found as findings of that history.
//!
//! Every history gets a cluster of its own on one server. A proof that breaks off is reported with why, and the next one is tried as
//! long as the server lives.

use super::chain::Chain;
use super::cluster::{Cluster, ClusterOptions, SetUp};
use super::disk;
use super::evidence::{Evidence, Found, Outcome, ProofReport, Proven};
use super::runner::{BuiltIn, Call, CommandRunner, Ledger, Runner};
use super::server::Server;
use super::stage::{Memory, Progress, Proof, ProveError, Stage, Wanted};
use crate::check::{CheckedHistory, Witness};
use crate::config::{ProveSettings, Settings};
use crate::finding::Finding;
use crate::source::ReportPath;
use crate::sql::ParsedUnit;
use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a server that died may still look as if it ran.
const MOMENT: Duration = Duration::from_millis(50);

/// What is to be proven, and how.
#[derive(Debug)]
pub struct Request {
    /// In the order in which they run.
    pub proofs: Vec<&'static dyn Proof>,
    pub wanted: Wanted,
    /// What flags say; the configuration adds to it, history by history.
    pub cluster: ClusterOptions,
    pub runner: RunnerChoice,
    /// Where the user's command records what is applied, `table(column)`; beats the configuration.
    pub ledger: Option<String>,
    /// The last database stays.
    pub keep: bool,
    /// Bytes that the databases of a proof may have together.
    pub disk_limit: u64,
}

/// Who applies the migrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunnerChoice {
    BuiltIn,
    Command {
        /// For `sh -c`.
        line: String,
        /// It cannot use a Unix socket.
        over_tcp: bool,
    },
}

/// A witness that runs every history.
#[derive(Debug)]
pub struct Prover<'a> {
    pub server: &'a dyn Server,
    pub request: &'a Request,
    pub progress: &'a dyn Progress,
    /// One for each history, in the order in which they were checked.
    pub evidence: Vec<Evidence>,
    /// How to connect to what was kept and how to end it, or why nothing was.
    pub kept: Option<Result<Vec<String>, String>>,
}

impl<'a> Prover<'a> {
    pub fn new(server: &'a dyn Server, request: &'a Request, progress: &'a dyn Progress) -> Prover<'a> {
        Prover { server, request, progress, evidence: Vec::new(), kept: None }
    }

    fn run(&mut self, chain: &Chain<'_>, settings: &Settings) -> (Evidence, Vec<Found>) {
        let mut evidence = self.no_evidence(chain);
        let prepared = self.cluster_options(settings).and_then(|(options, wanted)| {
            let runner = self.runner(chain, settings)?;
            Ok((Cluster::prepare(self.server, &options)?, wanted, runner))
        });
        let (cluster, wanted, runner) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                let why = self.explained(&error);
                evidence.proofs = self.request.proofs.iter().map(|proof| not_run(*proof, why.clone())).collect();
                return (evidence, Vec::new());
            }
        };
        evidence.runner = runner.description();
        let stage = Stage {
            cluster: &cluster,
            chain,
            runner: runner.as_ref(),
            wanted: &wanted,
            progress: self.progress,
            memory: Rc::new(Memory::default()),
        };
        let mut found = Vec::new();
        for proof in &self.request.proofs {
            let (proven, report) = self.one(*proof, &stage);
            evidence.proofs.push(proven);
            if let Some(mut report) = report {
                found.append(&mut report.found);
                evidence.observed.append(&mut report.observed);
            }
        }
        if self.request.keep && self.kept.is_none() {
            self.kept = Some(self.keep(&stage).map_err(|error| error.to_string()));
        }
        (evidence, found)
    }

    fn no_evidence(&self, chain: &Chain<'_>) -> Evidence {
        Evidence {
            history: ReportPath::of_place(&chain.checked.history.path),
            server: self.server.description(),
            version: self.server.version(),
            runner: String::new(),
            built_in_runner: self.request.runner == RunnerChoice::BuiltIn,
            proofs: Vec::new(),
            observed: Vec::new(),
        }
    }

    /// Applies the history once more, for the user to look at. As much of it as applies.
    fn keep(&self, stage: &Stage<'_>) -> Result<Vec<String>, ProveError> {
        drop(stage.memory.applied.take());
        stage.cluster.reset()?;
        let database = stage.cluster.fresh()?;
        let call = Call { database: &database, units: stage.chain.units.len(), through: None, limit: stage.wanted.runner_limit };
        stage.runner.run(stage.chain, &call)?;
        let lines = self.server.keep(database.name(), stage.cluster.owner())?;
        database.keep();
        stage.cluster.keep();
        Ok(lines)
    }

    fn one(&self, proof: &'static dyn Proof, stage: &Stage<'_>) -> (Proven, Option<ProofReport>) {
        self.progress.proof(proof.name());
        let started = Instant::now();
        let limit = self.request.disk_limit;
        let (answer, exceeded) = if self.server.is_running() {
            disk::within(self.server, limit, || proof.prove(stage))
        } else {
            (Err(ProveError::ServerGone), None)
        };
        // Whatever came out then came of sessions that we ended.
        let answer = exceeded.map_or(answer, |size| Err(ProveError::DiskLimit { size, limit }));
        let seconds = started.elapsed().as_secs_f64();
        // What is found where the server went away in the middle is not the migrations' doing.
        let is_spoiled = |report: &ProofReport| report.outcome != Outcome::Passed && self.is_gone();
        let answer = answer.and_then(|report| if is_spoiled(&report) { Err(ProveError::ServerGone) } else { Ok(report) });
        match answer {
            Ok(report) => {
                let ProofReport { outcome, coverage, remarks, .. } = report.clone();
                let rules = report.found.iter().map(|found| found.rule).collect();
                (Proven { proof: proof.name(), outcome, seconds, coverage, remarks, rules }, Some(report))
            }
            Err(error) => (Proven { seconds, ..not_run(proof, self.explained(&error)) }, None),
        }
    }

    /// Why we could not go on. Where the server died, the end of its log says more than a closed connection does.
    fn explained(&self, error: &ProveError) -> String {
        let said = error.to_string();
        match (self.is_gone(), self.server.log_end()) {
            (false, _) => said,
            (true, None) => format!("{said}; the server is gone"),
            (true, Some(log)) => format!("{said}; the server is gone, its log ends: {log}"),
        }
    }

    /// The server's process has ended. Its connections may have been closed a moment before that can be seen.
    fn is_gone(&self) -> bool {
        let asked = Instant::now();
        while self.server.is_running() {
            if asked.elapsed() > MOMENT {
                return false;
            }
            sleep(MOMENT / 10);
        }
        true
    }

    fn runner(&self, chain: &Chain<'_>, settings: &Settings) -> Result<Box<dyn Runner>, ProveError> {
        let RunnerChoice::Command { line, over_tcp } = &self.request.runner else {
            return Ok(Box::new(BuiltIn::new(&chain.checked.history.layout)));
        };
        let mut runner = CommandRunner::new(line);
        if let Some(text) = self.request.ledger.as_ref().or(settings.prove.ledger.as_ref()) {
            runner = runner.with_ledger(Ledger::parse(text).ok_or_else(|| ProveError::Ledger(text.clone()))?);
        }
        Ok(Box::new(if *over_tcp { runner.over_tcp() } else { runner }))
    }

    fn cluster_options(&self, settings: &Settings) -> Result<(ClusterOptions, Wanted), ProveError> {
        let ProveSettings { set_up, seed, extensions, settings: of_database, idempotent, ledger: _ } = &settings.prove;
        let mut options = self.request.cluster.clone();
        options.extensions.extend(extensions.iter().cloned());
        options.settings.extend(of_database.iter().map(|(name, value)| (name.clone(), value.clone())));
        if let Some(schemas) = &settings.search_path {
            options.search_path.clone_from(schemas);
        }
        for file in settings.schema_dump.iter().chain(set_up) {
            options.set_up.push(SetUp { name: file.display().to_string(), sql: read(file)? });
        }
        let mut wanted = self.request.wanted.clone();
        wanted.idempotent |= idempotent;
        wanted.start_together |= settings.runners_start_together;
        for file in seed {
            wanted.seed.push((file.display().to_string(), read(file)?));
        }
        Ok((options, wanted))
    }
}

fn read(file: &Path) -> Result<String, ProveError> {
    std::fs::read_to_string(file).map_err(|source| ProveError::File { path: file.to_owned(), source })
}

fn not_run(proof: &dyn Proof, why: String) -> Proven {
    let ProofReport { outcome, coverage, remarks, .. } = ProofReport::not_run(why);
    Proven { proof: proof.name(), outcome, seconds: 0.0, coverage, remarks, rules: BTreeSet::new() }
}

impl Witness for Prover<'_> {
    fn testify(&mut self, checked: &CheckedHistory, parsed: &[ParsedUnit], settings: &Settings) -> Vec<Finding> {
        let chain = Chain::new(checked, parsed);
        if self.kept.is_some() {
            let why = "--keep leaves the server with the first history in it: name one history".to_owned();
            let proofs = self.request.proofs.iter().map(|proof| not_run(*proof, why.clone())).collect();
            self.evidence.push(Evidence { proofs, ..self.no_evidence(&chain) });
            return Vec::new();
        }
        let (evidence, found) = self.run(&chain, settings);
        self.evidence.push(evidence);
        found.into_iter().map(|found| finding(&chain, found)).collect()
    }
}

/// In the words of a report: about the statement, else the unit, else the history.
fn finding(chain: &Chain<'_>, found: Found) -> Finding {
    let Found { rule, level, unit, statement, message, help, shown_by } = found;
    let help = match shown_by {
        Some(sql) => format!("{help}; shown by: {sql}"),
        None => help,
    };
    let history = &chain.checked.history;
    let Some(migration) = unit.and_then(|unit| history.migrations.get(unit)) else {
        return Finding::new(rule, level, history.path.clone(), message, help);
    };
    let mut finding = Finding::new(rule, level, migration.file.path.clone(), message, help);
    finding.migration.clone_from(&migration.id);
    if let Some((at, statement)) =
        unit.zip(statement).and_then(|(unit, at)| Some((at, chain.units.get(unit)?.statements.get(at)?)))
    {
        finding.statement = Some(at + 1);
        finding.span = statement.span;
    }
    finding
}
