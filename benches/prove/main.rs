//! `make bench`: wall time of `phasegate prove`, beside one plain pass of `psql -f` over the same files on a server of the same kind.
//!
//! A generated history of 300 migrations, or a real one where a path is given. What is required: a command that proves apply,
//! second-run, rerun and trace takes at most four passes and a second, the check and its servers included; runners and crash keep to
//! their budget; a local server answers its first query within a quarter of a second once its template is there. Of several runs the
//! fastest counts.

#[path = "../check/generate.rs"]
#[allow(dead_code, reason = "the other bench uses the rest")]
mod generate;

use phasegate::check::{self, Request};
use phasegate::config::Settings;
use phasegate::prove::server::{Endpoint, LocalServer, LocalServerOptions, Server};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

const RUNS: usize = 3;
const CHEAP: [&str; 4] = ["apply", "second-run", "rerun", "trace"];
/// Seconds of `--budget` for each of the others.
const BUDGET: u64 = 30;

fn main() {
    // What `cargo bench` adds by itself is no path.
    let given: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let history = match given.as_slice() {
        [] => {
            let generated = directory.path().join("300-migrations");
            generate::many_migrations(&generated, 300).expect("writing the generated history");
            generated
        }
        [history] => PathBuf::from(history),
        _ => {
            println!("give at most one path: that of a real history");
            return;
        }
    };
    let mut missed = Vec::new();
    let start = fastest(5, first_query);
    println!("{:44} {:8.3} s", "start of a local server to its first query", start.as_secs_f64());
    if start > Duration::from_millis(250) {
        missed.push("a warm start takes at most 0.25 s".to_owned());
    }
    let files = files_of(&history);
    let pass = fastest(RUNS, || psql(&files));
    println!("{:44} {:8.3} s", format!("one pass of psql over {} files", files.len()), pass.as_secs_f64());
    let (wall, proofs) = (0..RUNS).map(|_| prove(&history, &CHEAP)).min_by_key(|(wall, _)| *wall).expect("at least one run");
    for (name, seconds) in proofs {
        println!("  {name:42} {seconds:8.3} s");
    }
    let allowed = 4.0 * pass.as_secs_f64() + 1.0;
    println!("{:44} {:8.3} s of {allowed:.3} s", "the command that proves these", wall.as_secs_f64());
    if wall.as_secs_f64() > allowed {
        missed.push(format!("{} take at most four passes and a second", CHEAP.join(", ")));
    }
    for (name, seconds) in prove(&history, &["runners", "crash"]).1 {
        println!("{name:44} {seconds:8.3} s of {BUDGET} s");
        // What is begun is brought to its end.
        if seconds > 1.2 * BUDGET as f64 {
            missed.push(format!("{name} keeps to its budget"));
        }
    }
    for requirement in &missed {
        println!("MISSED: {requirement}");
    }
    if !missed.is_empty() {
        std::process::exit(1);
    }
}

fn fastest(runs: usize, measure: impl Fn() -> Duration) -> Duration {
    (0..runs).map(|_| measure()).min().expect("at least one run")
}

fn server() -> LocalServer {
    LocalServer::start(&LocalServerOptions::default()).expect("a local server")
}

/// From nothing to the answer of a query.
fn first_query() -> Duration {
    let started = Instant::now();
    let server = server();
    let mut client = server.connect_as(server.maintenance_database(), server.administrator()).expect("a connection");
    client.batch_execute("SELECT 1").expect("an answer");
    started.elapsed()
}

/// What the history applies, in its order. A file with several migrations is no script that psql could run.
fn files_of(history: &Path) -> Vec<PathBuf> {
    let checked = check::run(&Request::of_paths([history], Settings::default()));
    let found = checked.histories.first().expect("a history");
    let mut files: Vec<PathBuf> = found.history.migrations.iter().map(|migration| PathBuf::from(&migration.file.path)).collect();
    files.dedup();
    assert!(files.iter().all(|file| fs::exists(file).unwrap_or(false)), "files that can be given to psql");
    files
}

/// One process, all files.
fn psql(files: &[PathBuf]) -> Duration {
    let server = server();
    server.create_database("pass", None).expect("a database");
    let Endpoint::Unix { .. } = server.endpoint() else { panic!("a local server has a Unix socket") };
    let mut command = Command::new("psql");
    command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1"]).envs(server.endpoint().environment("pass", server.administrator()));
    for file in files {
        command.arg("-f").arg(file);
    }
    let started = Instant::now();
    let output = command.stdout(Stdio::null()).output().expect("psql");
    let wall = started.elapsed();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    wall
}

/// How long the command took, and each of its proofs in seconds. Each has to be carried out.
fn prove(history: &Path, proofs: &[&str]) -> (Duration, Vec<(String, f64)>) {
    let started = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_phasegate"))
        .args(["prove", "--format", "json", "--budget", &BUDGET.to_string(), "--only", &proofs.join(",")])
        .arg(history)
        .output()
        .expect("running phasegate");
    let wall = started.elapsed();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report in JSON");
    let proven = report["evidence"][0]["proofs"].as_array().expect("proofs");
    let one = |proof: &serde_json::Value| {
        assert_ne!(proof["outcome"], "not-run", "{proof}");
        (proof["proof"].as_str().expect("a name").to_owned(), proof["seconds"].as_f64().expect("seconds"))
    };
    (wall, proven.iter().map(one).collect())
}
