//! Runs the proofs of each history that a check goes through, and says what they found as findings of that history.
//!
//! Every history gets a cluster of its own. A proof that breaks off is reported with why, and the others are carried out as long as
//! there is a server that lives.

use super::chain::Chain;
use super::cluster::{Cluster, ClusterOptions, SetUp};
use super::evidence::{Evidence, Found};
use super::lane::{self, Work};
use super::runner::{BuiltIn, Call, CommandRunner, Ledger, Runner};
use super::server::Server;
use super::stage::{Proof, ProveError, Screen, Wanted};
use crate::check::{CheckedHistory, Witness};
use crate::config::{ProveSettings, Settings};
use crate::finding::Finding;
use crate::source::ReportPath;
use crate::sql::ParsedUnit;
use std::path::Path;

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
    /// How many proofs may go on at the same time, each on a server of its own, where the server has others like it beside it.
    pub jobs: usize,
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
    pub screen: &'a dyn Screen,
    /// One for each history, in the order in which they were checked.
    pub evidence: Vec<Evidence>,
    /// How to connect to what was kept and how to end it, or why nothing was.
    pub kept: Option<Result<Vec<String>, String>>,
}

impl<'a> Prover<'a> {
    pub fn new(server: &'a dyn Server, request: &'a Request, screen: &'a dyn Screen) -> Prover<'a> {
        Prover { server, request, screen, evidence: Vec::new(), kept: None }
    }

    fn run(&mut self, chain: &Chain<'_>, settings: &Settings) -> (Evidence, Vec<Found>) {
        let mut evidence = self.no_evidence(chain);
        let planned = self.cluster_options(settings).and_then(|options| Ok((options, self.runner(chain, settings)?)));
        let ((options, wanted), runner) = match planned {
            Ok(planned) => planned,
            Err(error) => {
                evidence.proofs = self.request.proofs.iter().map(|proof| lane::not_run(*proof, error.to_string())).collect();
                return (evidence, Vec::new());
            }
        };
        evidence.runner = runner.description();
        let work = Work {
            proofs: &self.request.proofs,
            chain,
            runner: runner.as_ref(),
            cluster: &options,
            wanted: &wanted,
            screen: self.screen,
            disk_limit: self.request.disk_limit,
            jobs: self.request.jobs,
        };
        let (ended, cluster) = lane::run(&work, self.server);
        let mut found = Vec::new();
        for (proven, report) in ended {
            evidence.proofs.push(proven);
            if let Some(mut report) = report {
                found.append(&mut report.found);
                evidence.observed.append(&mut report.observed);
            }
        }
        if let Some(cluster) = cluster.filter(|_| self.request.keep && self.kept.is_none()) {
            self.kept = Some(self.keep(&work, &cluster).map_err(|error| error.to_string()));
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
    fn keep(&self, work: &Work<'_>, cluster: &Cluster<'_>) -> Result<Vec<String>, ProveError> {
        cluster.reset()?;
        let database = cluster.fresh()?;
        let call = Call { database: &database, units: work.chain.units.len(), through: None, limit: work.wanted.runner_limit };
        work.runner.run(work.chain, &call)?;
        let lines = self.server.keep(database.name(), cluster.owner())?;
        database.keep();
        cluster.keep();
        Ok(lines)
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

impl Witness for Prover<'_> {
    fn testify(&mut self, checked: &CheckedHistory, parsed: &[ParsedUnit], settings: &Settings) -> Vec<Finding> {
        let chain = Chain::new(checked, parsed);
        if self.kept.is_some() {
            let why = "--keep leaves the server with the first history in it: name one history".to_owned();
            let proofs = self.request.proofs.iter().map(|proof| lane::not_run(*proof, why.clone())).collect();
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
