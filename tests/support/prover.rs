//! Runs proofs on a local server as `phasegate prove` does.

use phasegate::check::{self, Checked, Request};
use phasegate::config::{self, FileChoice, Flags, Wanted};
use phasegate::prove::cluster::ClusterOptions;
use phasegate::prove::evidence::Evidence;
use phasegate::prove::proofs::PROOFS;
use phasegate::prove::prover::{Prover, Request as ProveRequest, RunnerChoice};
use phasegate::prove::server::{LocalServer, LocalServerOptions, Server};
use phasegate::prove::stage::{self, Progress, Proof, Screen};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Nobody waits.
#[derive(Debug)]
pub struct Quiet;

impl Progress for Quiet {
    fn proof(&self, _: &str) {}
    fn unit(&self, _: &str) {}
}

impl Screen for Quiet {
    fn place(&self) -> Box<dyn Progress> {
        Box::new(Quiet)
    }
}

/// A server of its own. `PHASEGATE_PG_BIN` chooses the version.
pub fn server() -> LocalServer {
    let binaries = std::env::var_os("PHASEGATE_PG_BIN").map(PathBuf::from);
    match LocalServer::start(&LocalServerOptions { binaries, ..LocalServerOptions::default() }) {
        Ok(server) => server,
        Err(error) => panic!("these tests need a PostgreSQL server: {error}"),
    }
}

pub fn proof(name: &str) -> &'static dyn Proof {
    PROOFS.iter().copied().find(|proof| proof.name() == name).unwrap_or_else(|| panic!("there is no proof {name}"))
}

/// These proofs, with little patience: two runners, one round.
pub fn request(proofs: &[&str]) -> ProveRequest {
    ProveRequest {
        proofs: proofs.iter().map(|name| proof(name)).collect(),
        wanted: stage::Wanted {
            runners: 2,
            rounds: 1,
            budget: Duration::from_secs(60),
            runner_limit: Duration::from_secs(60),
            start_together: false,
            idempotent: false,
            seed: Vec::new(),
        },
        cluster: ClusterOptions { statement_timeout: 60_000, ..ClusterOptions::default() },
        runner: RunnerChoice::BuiltIn,
        ledger: None,
        keep: false,
        disk_limit: 4_000_000_000,
        jobs: 1,
    }
}

/// Checks and proves one directory.
pub fn prove(server: &dyn Server, request: &ProveRequest, directory: &Path, layout: Option<&str>) -> (Checked, Vec<Evidence>) {
    let configuration = directory.join(config::FILE_NAME);
    let plan = config::plan(&Wanted {
        paths: vec![directory.to_path_buf()],
        file: if configuration.exists() { FileChoice::Named(configuration) } else { FileChoice::Without },
        flags: Flags { layout: layout.map(str::to_owned), ..Flags::default() },
    });
    assert!(plan.errors.is_empty(), "{:?}", plan.errors);
    let histories = plan.histories.into_iter().map(|planned| planned.request).collect();
    let mut prover = Prover::new(server, request, &Quiet);
    let checked = check::run_observed(&Request { histories, ..Request::default() }, &mut prover);
    assert!(checked.unusable.is_empty(), "{:?}", checked.unusable);
    (checked, prover.evidence)
}
