//! Runners that collide, and their twins that do not: each is found out every time. `PHASEGATE_RACES` says how often (4).

#[path = "servers/kinds.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod kinds;
#[path = "support/prover.rs"]
mod prover;
#[path = "support/servers.rs"]
mod servers;

use phasegate::check::Checked;
use phasegate::prove::evidence::Outcome;
use phasegate::prove::prover::{Request, RunnerChoice};
use phasegate::prove::server::{Server, ServerChoice, start};
use std::path::Path;

fn times() -> usize {
    std::env::var("PHASEGATE_RACES").ok().map_or(4, |times| times.parse().unwrap())
}

fn race(server: &dyn Server, runner: &str) -> (Checked, Outcome) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/racing");
    let command = format!("sh {}", fixtures.join(runner).display());
    let mut request =
        Request { runner: RunnerChoice::Command { line: command, over_tcp: false }, ..prover::request(&["runners"]) };
    request.wanted.runners = 4;
    // Without a superuser it has to be known; with one it may be.
    request.ledger = (!server.has_superuser() || server.version() >= 170_000).then(|| "ledger(id)".to_owned());
    let (checked, evidence) = prover::prove(server, &request, &fixtures.join("migrations"), None);
    (checked, evidence[0].proofs[0].outcome.clone())
}

fn collisions(checked: &Checked) -> Vec<&str> {
    checked.findings.iter().filter(|finding| finding.rule == "runners-collide").map(|finding| finding.message.as_str()).collect()
}

fn fails_every_time(runner: &str, words: &str) {
    let server = prover::server();
    for time in 1..=times() {
        let (checked, outcome) = race(&server, runner);
        assert_eq!(outcome, Outcome::Failed, "{runner}, time {time}");
        let found = collisions(&checked);
        assert!(found.iter().any(|message| message.contains(words)), "{runner}, time {time}: {found:#?}");
    }
}

fn passes_every_time(runner: &str) {
    let server = prover::server();
    for time in 1..=times() {
        let (checked, outcome) = race(&server, runner);
        assert_eq!(outcome, Outcome::Passed, "{runner}, time {time}: {:#?}", collisions(&checked));
    }
}

#[test]
fn a_ledger_made_outside_of_the_lock_collides_every_time() {
    fails_every_time("ledger-racy.sh", "23505");
}

#[test]
fn a_ledger_made_inside_of_the_lock_never_does() {
    passes_every_time("ledger-careful.sh");
}

#[test]
fn a_password_set_after_the_lock_collides_every_time() {
    fails_every_time("role-racy.sh", "tuple concurrently updated");
}

#[test]
fn a_password_set_inside_of_the_lock_never_does() {
    passes_every_time("role-careful.sh");
}

#[test]
fn an_idempotent_script_without_a_lock_collides_every_time() {
    fails_every_time("script-racy.sh", "23505");
}

#[test]
fn an_idempotent_script_behind_a_lock_never_does() {
    passes_every_time("script-careful.sh");
}

#[test]
fn a_password_that_every_run_sets_again_is_no_second_run_without_ddl() {
    let server = prover::server();
    for (runner, expected) in [("role-careful.sh", Outcome::Failed), ("ledger-careful.sh", Outcome::Passed)] {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/racing");
        let line = format!("sh {}", fixtures.join(runner).display());
        let request =
            Request { runner: RunnerChoice::Command { line, over_tcp: false }, ..prover::request(&["apply", "second-run"]) };
        let (checked, evidence) = prover::prove(&server, &request, &fixtures.join("migrations"), None);
        assert_eq!(evidence[0].proofs[1].outcome, expected, "{runner}: {:#?}", checked.findings);
    }
}

/// Each racy runner is found out, and its twin is not.
fn both_are_told_apart(server: &dyn Server, racy: &str, words: &str, careful: &str) {
    let (checked, outcome) = race(server, racy);
    assert_eq!(outcome, Outcome::Failed, "{racy} on {}", server.description());
    assert!(collisions(&checked).iter().any(|message| message.contains(words)), "{:#?}", collisions(&checked));
    let (checked, outcome) = race(server, careful);
    assert_eq!(outcome, Outcome::Passed, "{careful} on {}: {:#?}", server.description(), collisions(&checked));
}

#[test]
fn they_collide_in_a_container_too() {
    let started = kinds::Kind::Container(18).start();
    both_are_told_apart(started.server.as_ref(), "ledger-racy.sh", "23505", "ledger-careful.sh");
    both_are_told_apart(started.server.as_ref(), "role-racy.sh", "tuple concurrently updated", "role-careful.sh");
}

#[test]
fn they_collide_on_a_server_that_is_given_too() {
    let started = kinds::Kind::Url(17).start();
    both_are_told_apart(started.server.as_ref(), "ledger-racy.sh", "23505", "ledger-careful.sh");
    both_are_told_apart(started.server.as_ref(), "role-racy.sh", "tuple concurrently updated", "role-careful.sh");
}

/// Where no event trigger can be made, an uncommitted ledger of ours holds the runners together.
#[test]
fn the_ledger_is_raced_for_without_a_superuser_too() {
    let (behind, port) = kinds::listening(15, &[]);
    behind.connect("postgres").unwrap().batch_execute("ALTER ROLE postgres NOSUPERUSER CREATEDB CREATEROLE").unwrap();
    let target = kinds::target(&behind, &kinds::url(port));
    let server = start(&ServerChoice::Url { target, disposable: true }).unwrap();
    assert!(!server.has_superuser());
    for _ in 0..times() {
        both_are_told_apart(server.as_ref(), "ledger-racy.sh", "23505", "ledger-careful.sh");
    }
}
