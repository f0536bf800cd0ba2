//! The user's own command as a runner.

use crate::stage::{CLUSTER, LONG, Project, SERVER, left_behind, run, run_some, tables};
use phasegate::prove::cluster::Database;
use phasegate::prove::runner::command::{EXITED, IDLE, MISSING, STOPPED};
use phasegate::prove::runner::known;
use phasegate::prove::runner::{BuiltIn, Call, CommandRunner, Ended, Ledger, Runner};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

/// A runner such as projects write: psql for each file that is not in its table.
const MIGRATE: &str = r#"set -eu
psql -qX -v ON_ERROR_STOP=1 -c 'CREATE TABLE IF NOT EXISTS done (name text PRIMARY KEY)'
for file in "$MIGRATIONS_DIR"/*.sql; do
    name=$(basename "$file" .sql)
    found=$(psql -qXAt -c "SELECT 1 FROM done WHERE name = '$name'")
    if [ -z "$found" ]; then
        psql -qX -v ON_ERROR_STOP=1 -v VERBOSITY=verbose -1 -f "$file" -c "INSERT INTO done VALUES ('$name')"
    fi
done
"#;

const FILES: [(&str, &str); 2] =
    [("1_one.sql", "CREATE TABLE made_one (id bigint);\n"), ("2_two.sql", "CREATE TABLE made_two (id bigint);\n")];

/// A runner that is `MIGRATE`, with the programs of the tested server.
struct Script(tempfile::TempDir);

impl Script {
    fn new(text: &str) -> Script {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("migrate.sh"), text).unwrap();
        Script(directory)
    }

    fn line(&self) -> String {
        format!("PATH=\"{}:$PATH\" bash {}/migrate.sh", binaries(), self.0.path().display())
    }
}

fn binaries() -> String {
    match std::env::var("PHASEGATE_PG_BIN") {
        Ok(directory) => directory,
        Err(_) => format!("/usr/lib/postgresql/{}/bin", SERVER.version() / 10_000),
    }
}

fn message(ended: &Ended) -> &str {
    &ended.failure.as_ref().unwrap().message
}

fn limited(runner: &CommandRunner, project: &Project, database: &Database<'_>, limit: Duration) -> Ended {
    let chain = project.chain();
    runner.run(&chain, &Call { database, units: chain.units.len(), through: None, limit }).unwrap()
}

#[test]
fn a_command_applies_what_is_pending_and_its_ledger_says_what() {
    let (project, script, database) = (Project::new("plain", &FILES), Script::new(MIGRATE), CLUSTER.fresh().unwrap());
    let runner = CommandRunner::new(script.line()).with_ledger(Ledger::parse("done(name)").unwrap());
    let chain = project.chain();
    let first = run_some(&runner, &chain, &database, 1);
    assert_eq!((first.failure, first.applied), (None, vec![0]), "{}", first.output);
    assert_eq!(tables(&database), ["made_one"], "only the first file was there");
    let rest = run(&runner, &chain, &database);
    assert_eq!((rest.failure, rest.applied, tables(&database).len()), (None, vec![1], 2));
    let again = run(&runner, &chain, &database);
    assert_eq!((again.failure, again.applied), (None, vec![]));
    let mut client = database.connect_as_administrator().unwrap();
    assert_eq!(Ledger::parse("done(name)").unwrap().rows(&mut client).unwrap(), ["1_one", "2_two"]);
    drop(client);
    assert_eq!(left_behind(&database), [] as [&str; 0]);
    assert!(!runner.is_built_in());
}

#[test]
fn units_are_told_where_the_ledger_is_the_layouts_own() {
    let files = [("000001_one.up.sql", FILES[0].1), ("000002_two.up.sql", FILES[1].1)];
    let text = r#"set -eu
psql -qX -c 'CREATE TABLE IF NOT EXISTS schema_migrations (version bigint PRIMARY KEY, dirty boolean)'
for file in "$MIGRATIONS_DIR"/*.up.sql; do
    psql -qX -v ON_ERROR_STOP=1 -1 -f "$file" -c "TRUNCATE schema_migrations" -c "INSERT INTO schema_migrations VALUES ($(basename "$file" | cut -c 1-6), false)"
done
"#;
    let (project, script, database) = (Project::new("golang-migrate", &files), Script::new(text), CLUSTER.fresh().unwrap());
    let ended = run(&CommandRunner::new(script.line()), &project.chain(), &database);
    assert_eq!((ended.failure, ended.applied), (None, vec![0, 1]), "{}", ended.output);
}

#[test]
fn a_failure_has_the_last_lines_and_the_sqlstate() {
    let files = [FILES[0], ("2_two.sql", "CREATE TABLE made_one (id bigint);\n")];
    let (project, script, database) = (Project::new("plain", &files), Script::new(MIGRATE), CLUSTER.fresh().unwrap());
    let ended = run(&CommandRunner::new(script.line()), &project.chain(), &database);
    let failure = ended.failure.as_ref().unwrap();
    assert_eq!(failure.sqlstate.as_deref(), Some("42P07"), "{}", ended.output);
    assert!(failure.message.starts_with(&format!("{EXITED}: exit code 3: ")), "{}", failure.message);
    assert!(failure.message.contains("relation \"made_one\" already exists"), "{}", failure.message);
}

#[test]
fn a_command_that_is_missing_or_does_nothing_is_told_from_one_that_failed() {
    let (project, database) = (Project::new("plain", &FILES), CLUSTER.fresh().unwrap());
    let ended = |line: &str| run(&CommandRunner::new(line), &project.chain(), &database);
    assert!(message(&ended("no-such-runner migrate")).starts_with(&format!("{MISSING}: exit code 127: ")));
    let idle = ended("echo nothing to do");
    assert!(message(&idle).starts_with(&format!("{IDLE}: exit code 0")), "{idle:?}");
    assert!(message(&idle).ends_with("it wrote: nothing to do"), "{idle:?}");
    assert!(message(&ended("exit 7")).starts_with(&format!("{EXITED}: exit code 7")));
    assert!(message(&ended("kill -9 $$")).starts_with(&format!("{EXITED}: signal 9")));
    // Where there is nothing to apply, to do nothing is right.
    assert_eq!(run_some(&CommandRunner::new("true"), &project.chain(), &database, 0).failure, None);
}

#[test]
fn a_command_that_hangs_is_stopped_with_its_children_and_its_sessions() {
    let (project, database) = (Project::new("plain", &FILES), CLUSTER.fresh().unwrap());
    let psql = format!("{}/psql", binaries());
    let marker = "SELECT pg_sleep(300.125)";
    for line in [
        format!("{psql} -qX -c '{marker}'"),
        // Deaf to TERM, and with a child that left the group.
        format!("trap '' TERM; setsid {psql} -qX -c '{marker}' & {psql} -qX -c '{marker}'; sleep 300"),
    ] {
        let started = Instant::now();
        let ended = limited(&CommandRunner::new(&line), &project, &database, Duration::from_secs(1));
        assert!(message(&ended).starts_with(&format!("{STOPPED} after 1 s")), "{ended:?}");
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
        assert_eq!(left_behind(&database), [] as [&str; 0], "{line}");
    }
    // A client that gets no answer any more ends by itself, soon.
    let is_there = || {
        std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
            let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&command).contains("300.125") && !String::from_utf8_lossy(&command).contains("nextest")
        })
    };
    let end = Instant::now() + Duration::from_secs(10);
    while is_there() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(!is_there());
}

#[test]
fn the_environment_says_where_to_connect_and_nothing_else_of_postgres() {
    let (project, database) = (Project::new("plain", &FILES), CLUSTER.fresh().unwrap());
    let line = format!(
        "env | grep -E '^(PG|DATABASE_URL|MIGRATIONS_DIR)' | cut -d = -f 1 | sort; readlink /proc/self/fd/0; \
         ls \"$MIGRATIONS_DIR\"; echo \"$@\"; {0}/psql -qXAt -c 'SELECT current_database(), current_user' \"$DATABASE_URL\"; exit 1",
        binaries()
    );
    let ended = run(&CommandRunner::new(line), &project.chain(), &database);
    let lines: Vec<&str> = ended.output.lines().filter(|line| !line.is_empty()).collect();
    let who = format!("{}|{}", database.name(), CLUSTER.owner().user);
    let expected = [
        "DATABASE_URL",
        "MIGRATIONS_DIR",
        "PGAPPNAME",
        "PGDATABASE",
        "PGHOST",
        "PGPASSWORD",
        "PGPORT",
        "PGUSER",
        "/dev/null",
        "1_one.sql",
        "2_two.sql",
        &who,
    ];
    assert_eq!(lines, expected);
}

#[test]
fn no_password_is_kept_and_none_is_in_an_argument() {
    let (project, database) = (Project::new("plain", &FILES), CLUSTER.fresh().unwrap());
    let ended = run(
        &CommandRunner::new("echo $PGPASSWORD $DATABASE_URL; tr '\\0' ' ' < /proc/$$/cmdline; exit 1"),
        &project.chain(),
        &database,
    );
    let password = CLUSTER.owner().password.reveal();
    assert!(!ended.output.contains(password) && !message(&ended).contains(password));
    assert!(ended.output.starts_with("*** postgres://phasegate%5Fowner:***@"), "the scheme and the place of the password stay");
}

#[test]
fn of_a_long_output_beginning_and_end_are_kept() {
    let (project, database) = (Project::new("plain", &FILES), CLUSTER.fresh().unwrap());
    let line = "echo first; seq 1 100000; echo error >&2; echo last; exit 1";
    let ended = run(&CommandRunner::new(line), &project.chain(), &database);
    assert!(ended.output.starts_with("first\n1\n2\n") && ended.output.ends_with("100000\nerror\nlast\n"));
    assert!(ended.output.contains("bytes …]") && ended.output.len() < 140_000, "{}", ended.output.len());
    assert!(message(&ended).ends_with("100000 / error / last"));
}

#[test]
fn a_command_may_ask_for_a_port_instead_of_a_socket() {
    let (project, script, database) = (Project::new("plain", &FILES), Script::new(MIGRATE), CLUSTER.fresh().unwrap());
    let line = format!("test \"$PGHOST\" = 127.0.0.1 && {}", script.line());
    let ended = run(&CommandRunner::new(&line).over_tcp(), &project.chain(), &database);
    assert_eq!((ended.failure, tables(&database).len()), (None, 2), "{}", ended.output);
    let other = CLUSTER.fresh().unwrap();
    assert!(run(&CommandRunner::new(&line), &project.chain(), &other).failure.is_some(), "the server has a socket only");
}

#[test]
fn of_a_part_of_a_history_only_what_is_there_is_copied() {
    let files = [
        ("1_one/up.sql", "SELECT 1;\n"),
        ("1_one/down.sql", "SELECT 1;\n"),
        ("2_two/up.sql", "SELECT 2;\n"),
        ("2_two/down.sql", "SELECT 2;\n"),
        ("README.md", "words\n"),
    ];
    let list = |project: &Project, units: usize| {
        let database = CLUSTER.fresh().unwrap();
        let line = "cd \"$MIGRATIONS_DIR\" && pwd && find . -type f | sort; exit 1";
        let ended = run_some(&CommandRunner::new(line), &project.chain(), &database, units);
        ended.output.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let project = Project::new("diesel", &files);
    let some = list(&project, 1);
    assert_eq!(some[1..], ["./1_one/down.sql", "./1_one/up.sql", "./README.md"]);
    assert!(!std::path::Path::new(&some[0]).exists(), "the copy is gone");
    let all = list(&project, 2);
    assert_eq!((std::path::Path::new(&all[0]), all.len()), (project.path().canonicalize().unwrap().as_path(), 6));
    // Units that share a file: it ends where the first that is not there yet begins.
    let text = "--liquibase formatted sql\n--changeset a:1\nSELECT 1;\n--changeset a:2\nSELECT 2;\n";
    let project = Project::new("liquibase", &[("changes.sql", text)]);
    let database = CLUSTER.fresh().unwrap();
    let ended = run_some(&CommandRunner::new("cat \"$MIGRATIONS_DIR\"/changes.sql; exit 1"), &project.chain(), &database, 1);
    assert!(ended.output.contains("SELECT 1;") && !ended.output.contains("SELECT 2;"), "{}", ended.output);
}

/// A journal, a plan and sums list no more than what is there: each is still a whole history of its layout.
#[test]
fn what_lists_the_units_lists_those_that_are_there() {
    let binary = env!("CARGO_BIN_EXE_phasegate");
    let plan = "%syntax-version=1.0.0\n%project=shop\n\na 2024-01-01T00:00:00Z A <a@b.c>\n@v1 2024-01-01T00:00:00Z A <a@b.c>\n\
                b/c [a] 2024-01-02T00:00:00Z A <a@b.c> # note\nd 2024-01-03T00:00:00Z A <a@b.c>\n";
    let script = |name: &str| format!("BEGIN;\nCREATE TABLE {name} ();\nCOMMIT;\n");
    let sqitch = Project::new(
        "sqitch",
        &[
            ("sqitch.plan", plan),
            ("deploy/a.sql", &script("a")),
            ("deploy/b/c.sql", &script("c")),
            ("deploy/d.sql", &script("d")),
        ],
    );
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/layouts");
    let of_sqitch = sqitch.path().to_owned();
    for (layout, path) in [("atlas", fixtures.join("atlas")), ("drizzle", fixtures.join("drizzle")), ("sqitch", of_sqitch)] {
        let checked = phasegate::check::run(&phasegate::check::Request::of_paths([&path], Default::default()));
        let history = &checked.histories[0].history;
        assert!(history.layout == layout && history.migrations.len() > 2, "{layout}");
        for units in 1..history.migrations.len() {
            let directory = phasegate::prove::runner::Directory::of(history, units).unwrap();
            let output = std::process::Command::new(binary)
                .args(["check", "--format", "json", "--layout", layout])
                .arg(directory.path())
                .output()
                .unwrap();
            let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            let ids: Vec<&str> = report["migrations"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
            let first: Vec<&str> = history.migrations[..units].iter().map(|one| one.id.as_str()).collect();
            assert_eq!(ids, first, "{layout}");
            // What is broken in the fixture on purpose may be broken in a part of it.
            for finding in report["findings"].as_array().unwrap().iter().filter(|finding| finding["rule"] == "broken-history") {
                let is_of_whole = |whole: &&phasegate::finding::Finding| finding["message"] == whole.message.as_str();
                assert!(checked.findings.iter().any(|whole| is_of_whole(&whole)), "{layout}, the first {units}: {finding}");
            }
        }
    }
}

#[test]
fn the_ledger_of_a_common_runner_is_found_by_its_name_and_column() {
    let (project, database) = (Project::new("plain", &FILES), CLUSTER.fresh().unwrap());
    let mut client = database.connect_as_administrator().unwrap();
    assert_eq!(Ledger::find(&mut client).unwrap(), None);
    client.batch_execute("CREATE TABLE schema_migrations (id int); CREATE TABLE migrations (id int)").unwrap();
    assert_eq!(Ledger::find(&mut client).unwrap(), None, "other tables of that name");
    client.batch_execute("CREATE SCHEMA app; CREATE TABLE app.\"__EFMigrationsHistory\" (\"MigrationId\" text)").unwrap();
    let found = Ledger::find(&mut client).unwrap().unwrap();
    assert_eq!((found.table.as_str(), found.column.as_str()), ("app.\"__EFMigrationsHistory\"", "\"MigrationId\""));
    drop(project);
    for profile in known::ALL.iter().filter(|profile| profile.layout == "sqlx" || profile.layout == "drizzle") {
        let (project, database) = (
            if profile.layout == "sqlx" {
                Project::new("sqlx", &FILES)
            } else {
                let journal = r#"{"version":"7","dialect":"postgresql","entries":[{"idx":0,"when":1,"tag":"1_one"}]}"#;
                Project::new("drizzle", &[FILES[0], ("meta/_journal.json", journal)])
            },
            CLUSTER.fresh().unwrap(),
        );
        assert_eq!(run(&BuiltIn::new(profile.layout), &project.chain(), &database).failure, None);
        let found = Ledger::find(&mut database.connect_as_administrator().unwrap()).unwrap().unwrap();
        assert!(found.table.ends_with(profile.ledger.table) && found.column == profile.ledger.column, "{found:?}");
    }
}

#[test]
fn a_script_that_may_not_be_run_fails_and_is_not_called_missing() {
    let (project, script, database) = (Project::new("plain", &FILES), Script::new(MIGRATE), CLUSTER.fresh().unwrap());
    let path = script.0.path().join("migrate.sh");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let ended = limited(&CommandRunner::new(path.display().to_string()), &project, &database, LONG);
    assert!(message(&ended).starts_with(&format!("{EXITED}: exit code 126: ")), "{ended:?}");
}
