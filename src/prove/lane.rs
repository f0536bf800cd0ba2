//! Proofs side by side: a lane is a server and a cluster in which proofs run one after the other, and lanes share nothing else.
//!
//! What calls the runner stays together, in its order and on the first server: a later one builds on what an earlier one left, and a
//! user's command is called once at a time. Every other proof is for whichever lane is free.

use super::chain::Chain;
use super::cluster::{Cluster, ClusterOptions};
use super::disk;
use super::evidence::{Outcome, ProofReport, Proven};
use super::runner::Runner;
use super::server::Server;
use super::stage::{Memory, Proof, ProveError, Screen, Stage, Wanted};
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// How long a server that died may still look as if it ran.
const MOMENT: Duration = Duration::from_millis(50);

/// What all lanes work on.
#[derive(Debug)]
pub struct Work<'a> {
    /// In the order in which they are reported.
    pub proofs: &'a [&'static dyn Proof],
    pub chain: &'a Chain<'a>,
    pub runner: &'a dyn Runner,
    pub cluster: &'a ClusterOptions,
    pub wanted: &'a Wanted,
    pub screen: &'a dyn Screen,
    /// Bytes that the databases of a lane may have together.
    pub disk_limit: u64,
    /// How many lanes there may be.
    pub jobs: usize,
}

/// How one proof ended. There is no report where it broke off.
pub type Ended = (Proven, Option<ProofReport>);

/// One for each proof, in the order of the request, and the cluster of the first server, as the last proof left it.
pub type Done<'s> = (Vec<Ended>, Option<Cluster<'s>>);

/// Carries out everything: on this server, and where the server has more of its kind beside it, on as many as there is work for.
pub fn run<'s>(work: &Work<'_>, server: &'s dyn Server) -> Done<'s> {
    let queue = Queue::of(work.proofs);
    let lanes = work.jobs.min(queue.len());
    let answers: Vec<Mutex<Option<Ended>>> = work.proofs.iter().map(|_| Mutex::new(None)).collect();
    let prepared = thread::scope(|scope| {
        for _ in 1..lanes {
            scope.spawn(|| {
                // A lane that cannot begin leaves its work to the first, which says what is wrong.
                if let Ok(Some(server)) = server.another()
                    && let Ok(cluster) = Cluster::prepare(server.as_ref(), work.cluster)
                {
                    Lane { work, server: server.as_ref() }.go(&cluster, || queue.next(), &answers);
                }
            });
        }
        Cluster::prepare(server, work.cluster).inspect(|cluster| {
            let mut own = (!queue.of_runner.is_empty()).then(|| queue.of_runner.clone());
            Lane { work, server }.go(cluster, || own.take().or_else(|| queue.next()), &answers);
        })
    });
    let (cluster, why) = match prepared {
        Ok(cluster) => (Some(cluster), ProveError::ServerGone),
        Err(error) => (None, error.into()),
    };
    let ended = answers.into_iter().zip(work.proofs).map(|(answer, proof)| {
        let answer = answer.into_inner().unwrap_or_else(PoisonError::into_inner);
        answer.unwrap_or_else(|| (not_run(*proof, explained(server, &why)), None))
    });
    (ended.collect(), cluster)
}

/// Proofs by their place in the list of those that were asked for.
#[derive(Debug)]
struct Queue {
    of_runner: Vec<usize>,
    others: Mutex<VecDeque<usize>>,
}

impl Queue {
    /// The last of the list take the longest, so they begin first.
    fn of(proofs: &[&'static dyn Proof]) -> Queue {
        let (of_runner, others): (Vec<usize>, Vec<usize>) =
            (0..proofs.len()).partition(|at| proofs.get(*at).is_some_and(|proof| proof.calls_the_runner()));
        Queue { of_runner, others: Mutex::new(others.into_iter().rev().collect()) }
    }

    /// How many lanes have work.
    fn len(&self) -> usize {
        self.others.lock().unwrap_or_else(PoisonError::into_inner).len() + usize::from(!self.of_runner.is_empty())
    }

    fn next(&self) -> Option<Vec<usize>> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner).pop_front().map(|at| vec![at])
    }
}

struct Lane<'a> {
    work: &'a Work<'a>,
    server: &'a dyn Server,
}

impl Lane<'_> {
    /// Carries out what `next` hands out, until there is nothing left or the server is gone.
    fn go(&self, cluster: &Cluster<'_>, mut next: impl FnMut() -> Option<Vec<usize>>, answers: &[Mutex<Option<Ended>>]) {
        let Work { proofs, chain, runner, wanted, screen, .. } = *self.work;
        let progress = screen.place();
        let stage = Stage { cluster, chain, runner, wanted, progress: progress.as_ref(), memory: Rc::new(Memory::default()) };
        while self.server.is_running()
            && let Some(places) = next()
        {
            for at in places {
                if let (Some(proof), Some(answer)) = (proofs.get(at), answers.get(at)) {
                    *answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.one(*proof, &stage));
                }
            }
        }
    }

    fn one(&self, proof: &'static dyn Proof, stage: &Stage<'_>) -> Ended {
        stage.progress.proof(proof.name());
        let started = Instant::now();
        let limit = self.work.disk_limit;
        let (answer, exceeded) = if self.server.is_running() {
            disk::within(self.server, limit, || proof.prove(stage))
        } else {
            (Err(ProveError::ServerGone), None)
        };
        // Whatever came out then came of sessions that we ended.
        let answer = exceeded.map_or(answer, |size| Err(ProveError::DiskLimit { size, limit }));
        let seconds = started.elapsed().as_secs_f64();
        // What is found where the server went away in the middle is not the migrations' doing.
        let is_spoiled = |report: &ProofReport| report.outcome != Outcome::Passed && is_gone(self.server);
        let answer = answer.and_then(|report| if is_spoiled(&report) { Err(ProveError::ServerGone) } else { Ok(report) });
        match answer {
            Ok(report) => {
                let ProofReport { outcome, coverage, remarks, .. } = report.clone();
                let rules = report.found.iter().map(|found| found.rule).collect();
                (Proven { proof: proof.name(), outcome, seconds, coverage, remarks, rules }, Some(report))
            }
            Err(error) => (Proven { seconds, ..not_run(proof, explained(self.server, &error)) }, None),
        }
    }
}

/// Why we could not go on. Where the server died, the end of its log says more than a closed connection does.
fn explained(server: &dyn Server, error: &ProveError) -> String {
    let said = error.to_string();
    match (is_gone(server), server.log_end()) {
        (false, _) => said,
        (true, None) => format!("{said}; the server is gone"),
        (true, Some(log)) => format!("{said}; the server is gone, its log ends: {log}"),
    }
}

/// The server's process has ended. Its connections may have been closed a moment before that can be seen.
fn is_gone(server: &dyn Server) -> bool {
    let asked = Instant::now();
    while server.is_running() {
        if asked.elapsed() > MOMENT {
            return false;
        }
        sleep(MOMENT / 10);
    }
    true
}

/// Of a proof that nothing is known of, and why.
pub fn not_run(proof: &dyn Proof, why: String) -> Proven {
    let ProofReport { outcome, coverage, remarks, .. } = ProofReport::not_run(why);
    Proven { proof: proof.name(), outcome, seconds: 0.0, coverage, remarks, rules: BTreeSet::new() }
}
