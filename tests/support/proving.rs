//! Small histories that a proof runs over.

use phasegate::check::{self, CheckedHistory, Request};
use phasegate::config::Settings;
use phasegate::finding::Level;
use phasegate::prove::chain::Chain;
use phasegate::prove::cluster::{Cluster, ClusterOptions};
use phasegate::prove::evidence::{Found, ProofReport};
use phasegate::prove::replay::ReplayUnit;
use phasegate::prove::server::{LocalServer, LocalServerOptions};
use phasegate::prove::stage::{Progress, ProveError};
use std::path::PathBuf;

/// A proof as a function of what it needs.
pub type Prove = fn(&Cluster<'_>, &Chain<'_>, &[(String, String)], &dyn Progress) -> Result<ProofReport, ProveError>;

#[derive(Debug)]
pub struct Quiet;

impl Progress for Quiet {
    fn proof(&self, _: &str) {}
    fn unit(&self, _: &str) {}
}

/// A server of its own: a proof makes roles.
pub fn server() -> LocalServer {
    let options =
        LocalServerOptions { binaries: std::env::var_os("PHASEGATE_PG_BIN").map(PathBuf::from), ..LocalServerOptions::default() };
    LocalServer::start(&options).unwrap()
}

/// A history of these units, each in a transaction of its runner's. The first `released` are released.
pub fn checked(units: &[&str], released: Option<usize>) -> CheckedHistory {
    let directory = tempfile::tempdir().unwrap();
    for (at, sql) in units.iter().enumerate() {
        std::fs::write(directory.path().join(format!("V{}__step.sql", at + 1)), sql).unwrap();
    }
    let mut settings = Settings::default();
    settings.releases.through = released.map(|count| format!("V{count}"));
    let mut checked = check::run(&Request::of_paths([directory.path()], settings));
    assert_eq!((checked.histories.len(), checked.unusable.as_slice()), (1, &[][..]));
    let history = checked.histories.remove(0);
    assert_eq!(history.units.len(), units.len());
    history
}

pub struct Bench<'a> {
    pub cluster: Cluster<'a>,
    pub prove: Prove,
}

impl<'a> Bench<'a> {
    pub fn new(server: &'a LocalServer, prove: Prove) -> Bench<'a> {
        Bench { cluster: Cluster::prepare(server, &ClusterOptions::default()).unwrap(), prove }
    }

    pub fn report(&self, checked: &CheckedHistory, seed: &[(&str, &str)]) -> ProofReport {
        let chain = Chain { checked, units: ReplayUnit::of_history(&checked.history) };
        let seed: Vec<(String, String)> = seed.iter().map(|(name, sql)| ((*name).to_owned(), (*sql).to_owned())).collect();
        (self.prove)(&self.cluster, &chain, &seed, &Quiet).unwrap()
    }

    /// What is found in a history that applies as a whole.
    pub fn found(&self, units: &[&str]) -> Vec<Found> {
        let report = self.report(&checked(units, None), &[]);
        assert_eq!(report.coverage.done, units.len(), "{units:?}: {:?}", report.remarks);
        report.found
    }

    /// Level, unit and message of each.
    #[allow(dead_code, reason = "not every test that has this module asks")]
    pub fn said(&self, units: &[&str]) -> Vec<(Level, Option<usize>, String)> {
        self.found(units).into_iter().map(|found| (found.level, found.unit, found.message)).collect()
    }
}
