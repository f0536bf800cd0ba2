//! `make bench`: wall time, CPU time and peak memory of `phasegate check`, beside `pg_query::parse` alone over the same files.
//!
//! Three histories: 2,000 generated migrations, one generated file of 50 MB, and, where a path is given, a real one. Each
//! measurement is a process of its own, so that peaks do not mix; of several runs the one with the least CPU time counts.

mod generate;
mod measure;

use measure::Usage;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const RUNS: usize = 3;

fn main() {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    // What `cargo bench` adds by itself.
    arguments.retain(|argument| argument != "--bench");
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--parse-files", list] => parse_files(Path::new(list)),
        [] => bench(None),
        [history] => bench(Some(Path::new(history))),
        _ => println!("give at most one path: that of a real history"),
    }
}

fn bench(real: Option<&Path>) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let many = directory.path().join("2000-migrations");
    generate::many_migrations(&many, 2000).expect("writing the generated history");
    let huge = directory.path().join("50-MB-file");
    generate::huge_file(&huge, 50_000_000).expect("writing the huge file");
    println!("{:34} {:>9} {:>9} {:>9} {:>9} {:>8}", "", "MB read", "wall ms", "CPU ms", "peak MB", "CPU ×");
    let mut failures = Vec::new();
    compare("2,000 generated migrations", &many, directory.path());
    let usage = compare("one generated file of 50 MB", &huge, directory.path());
    if usage.peak_bytes > 1 << 30 || usage.wall.as_secs() > 30 {
        failures.push("a 50 MB file stays under 1 GB and 30 s");
    }
    if let Some(real) = real {
        compare(&real.display().to_string(), real, directory.path());
    }
    println!("\nCPU ×: CPU time of check over that of the parser alone; the target is 1.5.");
    for failure in &failures {
        println!("MISSED: {failure}");
    }
    if !failures.is_empty() {
        std::process::exit(1);
    }
}

/// Measures both over one history and prints two rows; gives what `check` used.
fn compare(name: &str, history: &Path, scratch: &Path) -> Usage {
    let check = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_phasegate"));
        command.args(["check", "--format", "json"]).arg(history);
        command
    };
    let files = files_of(&check().output().expect("running phasegate").stdout);
    let bytes: u64 = files.iter().map(|file| fs::metadata(file).map_or(0, |metadata| metadata.len())).sum();
    let list = scratch.join("files.txt");
    fs::write(&list, files.iter().map(|file| format!("{}\n", file.display())).collect::<String>())
        .expect("writing the list of files");
    let parse = || {
        let mut command = Command::new(env::current_exe().expect("the path of this program"));
        command.arg("--parse-files").arg(&list);
        command
    };
    let (checked, parsed) = (measure::best_of(RUNS, check), measure::best_of(RUNS, parse));
    let row = |what: &str, usage: Usage| {
        let factor = usage.cpu.as_secs_f64() / parsed.cpu.as_secs_f64().max(f64::EPSILON);
        println!(
            "{what:34} {:9.1} {:9} {:9} {:9.1} {factor:8.2}",
            bytes as f64 / 1e6,
            usage.wall.as_millis(),
            usage.cpu.as_millis(),
            usage.peak_bytes as f64 / 1e6
        );
    };
    println!("{name} ({} files)", files.len());
    row("  phasegate check", checked);
    row("  pg_query::parse alone", parsed);
    checked
}

/// The files that the report says were read, each once, in the report's order.
fn files_of(report: &[u8]) -> Vec<PathBuf> {
    let report: serde_json::Value = serde_json::from_slice(report).expect("a report in JSON");
    let mut files = Vec::new();
    for migration in report["migrations"].as_array().expect("migrations") {
        let path = PathBuf::from(migration["path"].as_str().expect("a path"));
        if files.last() != Some(&path) {
            files.push(path);
        }
    }
    files
}

/// Parses each file as a whole, on one thread with room for deep nesting, and keeps nothing.
fn parse_files(list: &Path) {
    let files = fs::read_to_string(list).expect("the list of files");
    let parse_all =
        move || files.lines().filter(|file| fs::read_to_string(file).is_ok_and(|text| pg_query::parse(&text, 0).is_ok())).count();
    let parsed = std::thread::Builder::new().stack_size(256 << 20).spawn(parse_all).expect("a thread").join();
    println!("{}", parsed.expect("the parser came back"));
}
