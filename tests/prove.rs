//! `phasegate prove` as a user runs it.

use assert_cmd::Command;
use serde_json::Value;
use std::path::Path;
use std::process::Output;

fn phasegate(arguments: &[&str]) -> Output {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("phasegate"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("COLUMNS", "100");
    for variable in ["PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "DATABASE_URL"] {
        command.env_remove(variable);
    }
    command.arg("prove").args(arguments).args(["--color", "never"]).output().unwrap()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    })
}

fn outcomes(report: &Value) -> Vec<(String, String)> {
    let proofs = report["evidence"][0]["proofs"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    proofs.iter().map(|proof| (text(&proof["proof"]), text(&proof["outcome"]))).collect()
}

fn write(directory: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        std::fs::write(directory.join(name), text).unwrap();
    }
}

#[test]
fn the_demo_is_proven_and_what_check_says_stands_in_the_same_report() {
    let output = phasegate(&["fixtures/demo", "--format", "json", "--rounds", "1", "--budget", "6"]);
    let report = report(&output);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let passed = |name: &str| outcomes(&report).iter().any(|(proof, outcome)| proof == name && outcome == "passed");
    for proof in ["apply", "second-run", "rerun", "runners", "crash", "trace"] {
        assert!(passed(proof), "{proof}: {:#?}", report["evidence"][0]["proofs"]);
    }
    let rules: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap()).collect();
    assert!(rules.contains(&"drop-column"), "a finding of check: {rules:?}");
    // What check says of the untagged contracts is what the old release's queries meet.
    let broken: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["rule"] == "breaks-old-query" && finding["level"] == "error")
        .map(|finding| finding["migration"].as_str().unwrap())
        .collect();
    assert!(broken.contains(&"3") || broken.contains(&"000003"), "{broken:?}");
    let observed = report["evidence"][0]["observed"].as_array().unwrap();
    let created: Vec<&Value> = observed
        .iter()
        .flat_map(|unit| unit["statements"].as_array().unwrap())
        .flat_map(|one| one["created"].as_array().unwrap())
        .collect();
    assert!(created.contains(&&Value::from("table public.users")), "{created:?}");
}

#[test]
fn only_and_skip_choose_proofs_and_an_unknown_one_is_refused() {
    let only = phasegate(&["fixtures/demo", "--format", "json", "--only", "apply"]);
    assert_eq!(outcomes(&report(&only)), [("apply".to_owned(), "passed".to_owned())]);
    let unknown = phasegate(&["fixtures/demo", "--only", "aply"]);
    assert_eq!(unknown.status.code(), Some(2));
    let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(said.contains("aply") && said.contains("second-run"), "{said}");
}

#[test]
fn a_history_that_does_not_apply_is_an_error_at_its_statement_and_the_rest_is_not_proven() {
    let directory = tempfile::tempdir().unwrap();
    write(
        directory.path(),
        &[
            ("0001_init.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"),
            ("0002_more.sql", "SELECT 1;\nALTER TABLE nobody ADD a int;"),
        ],
    );
    let output = phasegate(&[directory.path().to_str().unwrap(), "--format", "json", "--only", "apply,second-run"]);
    assert_eq!(output.status.code(), Some(3), "3 beats 1");
    let report = report(&output);
    let finding = report["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "apply-failed").unwrap();
    assert_eq!((finding["line"].as_u64(), finding["statement"].as_u64()), (Some(2), Some(2)));
    assert!(finding["message"].as_str().unwrap().contains("42P01"), "{finding}");
    assert_eq!(outcomes(&report)[0].1, "failed");
    assert_eq!(outcomes(&report)[1].1, "not-run");
}

#[test]
fn without_a_server_nothing_is_proven_and_the_check_is_reported_all_the_same() {
    let empty = tempfile::tempdir().unwrap();
    let output = phasegate(&["fixtures/demo", "--format", "json", "--pg-bin", empty.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("initdb"), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!report(&output)["findings"].as_array().unwrap().is_empty());
}

#[test]
fn a_password_in_a_url_is_refused_before_anything_is_connected() {
    let output = phasegate(&["fixtures/demo", "--disposable", "--database-url", "postgres://app:hunter2@127.0.0.1:1/app"]);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("PGPASSWORD") && !said.contains("hunter2"), "{said}");
}

#[test]
fn a_url_without_disposable_is_refused() {
    let output = phasegate(&["fixtures/demo", "--database-url", "postgres://app@127.0.0.1:1/app"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--disposable"));
}

#[test]
fn roles_schemas_settings_and_extensions_come_before_the_first_migration() {
    let directory = tempfile::tempdir().unwrap();
    write(
        directory.path(),
        &[
            (
                "0001_init.sql",
                "CREATE TABLE app.users (id bigint PRIMARY KEY, name citext);\nSELECT set_config('x.y', current_setting('app.tenant'), false);",
            ),
            ("setup.txt", "CREATE SCHEMA app;"),
            (
                "phasegate.toml",
                "[prove]\nsetup = [\"setup.txt\"]\nextensions = [\"citext\"]\n[prove.settings]\n\"app.tenant\" = \"7\"\n",
            ),
        ],
    );
    let output = phasegate(&[directory.path().to_str().unwrap(), "--format", "json", "--only", "apply,rerun"]);
    let report = report(&output);
    assert_eq!(outcomes(&report)[0].1, "passed", "{:#?}", report["findings"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn evidence_takes_the_place_of_what_cannot_be_judged_from_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let harmless = "DO $$ BEGIN EXECUTE 'ALTER TABLE users ADD COLUMN ' || chr(97) || ' int'; END $$;";
    let harmful = "DO $$ BEGIN EXECUTE 'ALTER TABLE users DROP COLUMN ' || chr(97); END $$;";
    write(
        directory.path(),
        &[
            ("0001_init.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"),
            ("0002_add.sql", harmless),
            ("0003_drop.sql", harmful),
        ],
    );
    let path = directory.path().to_str().unwrap();
    let proven = phasegate(&[path, "--format", "json", "--only", "trace"]);
    let file = directory.path().join("evidence.json");
    std::fs::write(&file, &proven.stdout).unwrap();
    let check = |arguments: &[&str]| {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("phasegate"));
        let output = command.args(["check", path, "--format", "json"]).args(arguments).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap().clone();
        let opaque = findings.into_iter().filter(|finding| finding["rule"] == "opaque-sql");
        opaque
            .map(|finding| (finding["level"].as_str().unwrap().to_owned(), finding["message"].as_str().unwrap().to_owned()))
            .collect::<Vec<_>>()
    };
    let levels = |found: &[(String, String)]| found.iter().map(|(level, _)| level.clone()).collect::<Vec<_>>();
    assert_eq!(levels(&check(&[])), ["error", "error"]);
    let witnessed = check(&["--evidence", file.to_str().unwrap()]);
    assert_eq!(levels(&witnessed), ["note", "error"], "{witnessed:?}");
    assert!(witnessed[1].1.contains("drop-column public.users.a"), "{witnessed:?}");
    // Of a file that was changed since, nothing is known.
    std::fs::write(directory.path().join("0002_add.sql"), harmless.replace("int", "bigint")).unwrap();
    assert_eq!(levels(&check(&["--evidence", file.to_str().unwrap()])), ["error", "error"]);
}

#[test]
fn a_kept_server_stays_until_it_is_ended_as_it_was_said() {
    for choice in [&[][..], &["--image", "phasegate-test/postgres:17"]] {
        let said = |arguments: &[&str]| {
            let output = phasegate(&[&["fixtures/demo", "--only", "apply"], choice, arguments].concat());
            String::from_utf8_lossy(&output.stderr).into_owned()
        };
        let kept = said(&["--keep"]);
        let connect = kept.lines().find(|line| line.starts_with("PGPASSFILE=")).unwrap_or_else(|| panic!("{kept}"));
        let end = kept.lines().find_map(|line| line.strip_prefix("to end it: ")).unwrap();
        // A later run takes it for nobody's.
        said(&[]);
        let ask = format!("{connect} -XAtc 'SELECT count(*) FROM users' 2>&1");
        assert_eq!(shell(&ask).trim(), "0", "{kept}");
        assert_eq!(shell(&format!("({end}) >&2 && echo ended")).trim(), "ended", "{end}");
        assert!(!Path::new(end.rsplit(' ').next().unwrap()).exists(), "{end}");
        assert_ne!(shell(&ask).trim(), "0", "it is gone");
    }
}

/// A history in which whoever runs it is at work for long.
fn slow_history() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    write(
        directory.path(),
        &[("0001_init.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"), ("0002_slow.sql", "SELECT pg_sleep(50);")],
    );
    directory
}

fn shell(line: &str) -> String {
    let output = std::process::Command::new("sh").args(["-c", line]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Sends a signal to a run in the middle of a proof, or of several that go on side by side, and waits until nothing of it is left. After a kill the watchdog needs its
/// moment; after the others nothing may be left at all.
fn interrupted(signal: &str, proof: &str, code: Option<i32>) {
    let history = slow_history();
    let mut running = std::process::Command::new(assert_cmd::cargo::cargo_bin!("phasegate"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["prove", history.path().to_str().unwrap(), "--only", proof, "--jobs", "2", "--format", "json"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let begun = std::time::Instant::now();
    let wanted = proof.split(',').count();
    // Somebody sleeps in the second migration: the proof is at work.
    let postmasters = loop {
        let children = shell(&format!("pgrep -P {}", running.id())).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let works = |child: &&String| shell(&format!("ps -o args= --ppid {child}")).contains("SELECT");
        let working: Vec<String> = children.iter().filter(works).cloned().collect();
        if working.len() == wanted {
            break working;
        }
        assert!(begun.elapsed().as_secs() < 30, "{signal} in {proof}: it does not begin");
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    let children: Vec<String> = shell(&format!("pgrep -P {}", running.id())).split_whitespace().map(str::to_owned).collect();
    assert!(children.len() >= 2 * wanted, "{signal} in {proof}: servers {postmasters:?} and their watchdogs, not {children:?}");
    let children = children.join(",");
    shell(&format!("kill -s {signal} {}", running.id()));
    assert_eq!(running.wait().unwrap().code(), code, "{signal} in {proof}");
    let patience = std::time::Instant::now();
    let servers = || shell(&format!("ps -o args= -p {children}"));
    while !servers().is_empty() {
        assert!(code.is_none() && patience.elapsed().as_secs() < 15, "{signal} in {proof} leaves {}", servers());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

const EVERY_PROOF: [&str; 9] = ["apply", "second-run", "rerun", "runners", "crash", "trace", "on-data", "old-writes", "clock"];

#[test]
fn a_kill_in_any_proof_leaves_no_server() {
    let known = report(&phasegate(&[
        "fixtures/demo",
        "--format",
        "json",
        "--only",
        &EVERY_PROOF.join(","),
        "--budget",
        "1",
        "--rounds",
        "1",
    ]));
    assert_eq!(outcomes(&known).len(), EVERY_PROOF.len());
    interrupted("KILL", "rerun,trace", None);
    for some in EVERY_PROOF.chunks(3) {
        std::thread::scope(|scope| {
            for proof in some {
                scope.spawn(|| interrupted("KILL", proof, None));
            }
        });
    }
}

#[test]
fn a_signal_that_can_be_heard_leaves_no_server_when_the_program_ends() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        std::thread::scope(|scope| {
            for proof in ["crash", "runners", "rerun,trace"] {
                scope.spawn(move || interrupted(signal, proof, Some(code)));
            }
        });
    }
}

#[test]
fn proofs_side_by_side_say_the_same_as_one_after_the_other() {
    // Times, and what of the log a checkpoint adds, are not the same twice.
    fn settle(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields.iter_mut() {
                    if matches!(name.as_str(), "seconds" | "milliseconds" | "wal_bytes") {
                        *value = Value::Null;
                    }
                    settle(value);
                }
            }
            Value::Array(values) => values.iter_mut().for_each(settle),
            _ => {}
        }
    }
    let of = |jobs: &str| {
        let proofs = EVERY_PROOF.join(",");
        let arguments =
            ["fixtures/demo", "--format", "json", "--rounds", "1", "--budget", "600", "--only", &proofs, "--jobs", jobs];
        let mut report = report(&phasegate(&arguments));
        settle(&mut report);
        report
    };
    let alone = of("1");
    assert_eq!(outcomes(&alone).len(), EVERY_PROOF.len());
    assert_eq!(alone, of("3"));
}

#[test]
fn a_server_that_dies_in_the_middle_is_told_with_the_end_of_its_log() {
    // The lock file of the socket has the postmaster's number.
    let runner = "kill -9 $(head -n 1 \"$PGHOST/.s.PGSQL.$PGPORT.lock\")";
    let arguments = ["fixtures/demo", "--format", "json", "--only", "apply,rerun", "--runner", runner, "--jobs"];
    let outcomes_of = |jobs: &str| {
        let output = phasegate(&[&arguments[..], &[jobs]].concat());
        assert_eq!(output.status.code(), Some(3));
        report(&output)
    };
    // What goes on beside it has a server of its own.
    let outcomes_beside: Vec<String> = outcomes(&outcomes_of("2")).into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(outcomes_beside, ["not-run", "passed"]);
    let report = outcomes_of("1");
    let why = |at: usize| report["evidence"][0]["proofs"][at]["why"].as_str().unwrap().to_owned();
    assert_eq!(outcomes(&report).iter().map(|(_, outcome)| outcome.as_str()).collect::<Vec<_>>(), ["not-run", "not-run"]);
    assert!(why(0).contains("the server is gone, its log ends: ") && why(0).contains("database system is ready"), "{}", why(0));
    assert!(why(1).contains("the server has stopped"), "{}", why(1));
    assert!(!report["findings"].as_array().unwrap().is_empty(), "what check says is there all the same");
}

#[test]
fn a_runner_that_hangs_is_missing_or_does_nothing_is_told_as_that() {
    let told = |runner: &str, words: &str| {
        let arguments = ["fixtures/demo", "--format", "json", "--only", "apply", "--runner", runner, "--runner-timeout", "1"];
        let output = phasegate(&arguments);
        let report = report(&output);
        let finding = report["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "apply-failed");
        let said = finding.map_or_else(
            || report["evidence"][0]["proofs"][0]["why"].as_str().unwrap().to_owned(),
            |finding| finding["message"].as_str().unwrap().to_owned(),
        );
        assert!(matches!(output.status.code(), Some(1 | 3)), "{runner}: {:?}", output.status);
        assert_ne!(outcomes(&report)[0].1, "passed", "{runner}");
        assert!(said.contains(words), "{runner}: {said}");
    };
    told("sleep 60", "1 s");
    told("no-such-migrator up", "no-such-migrator");
    told("true", "nothing");
}

#[test]
fn a_migration_that_fills_the_disk_is_stopped_at_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    write(
        directory.path(),
        &[
            ("0001_init.sql", "CREATE TABLE big (text text);"),
            ("0002_fill.sql", "INSERT INTO big SELECT repeat('x', 1000) FROM generate_series(1, 3000000);"),
        ],
    );
    let begun = std::time::Instant::now();
    let path = directory.path().to_str().unwrap();
    let output = phasegate(&[path, "--format", "json", "--only", "apply,second-run", "--disk-limit", "100"]);
    assert_eq!(output.status.code(), Some(3));
    let report = report(&output);
    let why = report["evidence"][0]["proofs"][0]["why"].as_str().unwrap();
    assert!(why.contains("over the limit of 100 MB"), "{why}");
    assert!(begun.elapsed().as_secs() < 45, "{:?}", begun.elapsed());
}

#[test]
fn what_is_named_by_the_month_is_found_40_days_later() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let clock = |sql: &str| {
        write(directory.path(), &[("0001_init.sql", sql)]);
        let output = phasegate(&[path, "--format", "json", "--only", "clock"]);
        let report = report(&output);
        assert_eq!(report["evidence"][0]["proofs"][0]["coverage"]["done"], 3, "{report}");
        let findings = report["findings"].as_array().unwrap().clone();
        findings
            .into_iter()
            .filter(|one| one["rule"] == "depends-on-clock")
            .map(|one| one["message"].to_string())
            .collect::<Vec<_>>()
    };
    let named = clock("DO $$ BEGIN EXECUTE format('CREATE TABLE log_%s ()', to_char(now(), 'YYYY_MM')); END $$;");
    assert!(named.iter().any(|message| message.contains("now and 40 days later") && message.contains("log_")), "{named:?}");
    assert!(clock("CREATE TABLE log (at timestamptz DEFAULT now());").is_empty());
}

#[test]
fn a_time_of_day_in_the_schema_is_no_trace_of_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let view = |name: &str| format!("CREATE VIEW {name} AS SELECT timestamp 'now' AS since;");
    let text = format!("BEGIN;\n{}\nCOMMIT;\n", view("other"));
    write(directory.path(), &[("0001_init.sql", &view("recent")), ("0002_other.sql", &text)]);
    let path = directory.path().to_str().unwrap();
    let output = phasegate(&[path, "--format", "json", "--only", "runners,crash", "--rounds", "1"]);
    let outcomes = outcomes(&report(&output));
    assert!(outcomes.iter().all(|(_, outcome)| outcome == "passed"), "{outcomes:?}");
}

#[test]
fn a_number_that_a_killed_migration_took_from_a_sequence_is_no_part_of_it() {
    let directory = tempfile::tempdir().unwrap();
    // The table of a built-in runner that notes what it begins, and one that does not.
    for layout in ["0001_init.up.sql", "V1__init.sql"] {
        let second = layout.replace('1', "2");
        write(
            directory.path(),
            &[
                (layout, "CREATE TABLE teams (id serial PRIMARY KEY, name text);"),
                (&second, "INSERT INTO teams (name) VALUES ('first'), ('second');\nCREATE TABLE members (id bigint);"),
            ],
        );
        let path = directory.path().to_str().unwrap();
        let output = phasegate(&[path, "--format", "json", "--only", "crash"]);
        let report = report(&output);
        assert_eq!(outcomes(&report), [("crash".to_owned(), "passed".to_owned())], "{:#}", report["findings"]);
        let remarks = report["evidence"][0]["proofs"][0]["remarks"].to_string();
        assert!(remarks.contains("sequences do not roll back"), "{layout}: {remarks}");
        for name in [layout, &second] {
            std::fs::remove_file(directory.path().join(name)).unwrap();
        }
    }
}

#[test]
fn rows_that_a_second_run_changes_by_a_rewrite_are_seen() {
    let directory = tempfile::tempdir().unwrap();
    write(
        directory.path(),
        &[
            (
                "0001_init.sql",
                "CREATE TABLE notes (body text);\nINSERT INTO notes VALUES ('a');\nCREATE TABLE other (body text);",
            ),
            ("0002_more.sql", "ALTER TABLE notes ALTER body TYPE text USING body || '!';"),
            ("0003_same.sql", "ALTER TABLE notes ALTER body TYPE text USING upper(body);"),
        ],
    );
    let output = phasegate(&[directory.path().to_str().unwrap(), "--format", "json", "--only", "rerun"]);
    let changed: Vec<Value> = report(&output)["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["rule"] == "rerun-changed")
        .map(|finding| finding["migration"].clone())
        .collect();
    assert_eq!(changed, ["0002"], "the third changes every row the first time only");
}

#[test]
fn a_row_that_refers_to_another_one_locks_it_and_that_is_no_missed_prediction() {
    let directory = tempfile::tempdir().unwrap();
    write(
        directory.path(),
        &[
            ("0001_init.sql", "CREATE TABLE users (id bigint PRIMARY KEY);\nINSERT INTO users VALUES (1);"),
            ("0002_teams.sql", "CREATE TABLE teams (owner bigint REFERENCES users);"),
            ("0003_rows.sql", "INSERT INTO teams SELECT id FROM users;"),
        ],
    );
    let output = phasegate(&[directory.path().to_str().unwrap(), "--format", "json", "--only", "trace"]);
    let report = report(&output);
    assert_eq!(outcomes(&report), [("trace".to_owned(), "passed".to_owned())], "{:#}", report["findings"]);
    let locks = report["evidence"][0]["observed"][2]["statements"][0]["locks"].to_string();
    assert!(locks.contains("public.users") && locks.contains("RowShare"), "it is seen all the same: {locks}");
}

#[test]
fn a_file_of_nothing_but_concurrently_is_run_without_the_transaction_that_is_only_assumed() {
    let directory = tempfile::tempdir().unwrap();
    let index = "CREATE INDEX CONCURRENTLY by_name ON users (name);";
    write(directory.path(), &[("0001_init.sql", "CREATE TABLE users (name text);"), ("0002_index.sql", index)]);
    let path = directory.path().to_str().unwrap();
    let output = phasegate(&[path, "--format", "json", "--only", "apply,second-run,crash,trace,on-data,old-writes"]);
    let outcomes = outcomes(&report(&output));
    assert!(outcomes.iter().all(|(_, outcome)| outcome == "passed"), "{outcomes:?}");
    // Beside something else it is as a runner with a transaction has it.
    write(
        directory.path(),
        &[("0003_more.sql", &format!("CREATE TABLE more (name text);\n{}", index.replace("by_name", "other")))],
    );
    let output = phasegate(&[path, "--format", "json", "--only", "apply"]);
    let findings = report(&output)["findings"].as_array().unwrap().clone();
    assert!(findings.iter().any(|finding| finding["rule"] == "apply-failed" && finding["migration"] == "0003"), "{findings:?}");
}
