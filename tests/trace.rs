//! What `check` predicts that statements cost is what servers show: locks, rewrites, scans and index builds of every statement of
//! every fixture, of every example of the rules, and of the sheets in fixtures/trace/. Differences are mended, or stand with
//! their reason in fixtures/trace/exceptions.toml. Fails, is not skipped, where a server is missing.

#[path = "trace/exceptions.rs"]
mod exceptions;
#[path = "support/histories.rs"]
mod histories;
#[path = "support/servers.rs"]
mod servers;
#[path = "trace/sheet.rs"]
mod sheet;

use exceptions::Exceptions;
use phasegate::check::{self, CheckedHistory, Request};
use phasegate::config::{self, FileChoice, Flags, Settings, Wanted};
use phasegate::prove::replay::ReplayUnit;
use phasegate::prove::server::LocalServer;
use phasegate::prove::trace::{Afterwards, TraceJudgement, Tracer};
use phasegate::rules::document;
use phasegate::rules::example::Example;
use phasegate::versions::PostgresVersions;
use sheet::{Case, Given, Sheet};
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const VERSIONS: [u16; 3] = [15, 17, 18];

fn only(major: u16) -> PostgresVersions {
    PostgresVersions { oldest: major, newest: major }
}

/// What disagrees, for people, and how many statements were compared, by version.
#[derive(Default)]
struct Outcome {
    wrong: Mutex<Vec<String>>,
    compared: [AtomicUsize; VERSIONS.len()],
    /// Statements that a server refused.
    refused: Mutex<Vec<String>>,
}

impl Outcome {
    fn wrong(&self, text: String) {
        self.wrong.lock().unwrap().push(text);
    }

    fn judged(&self, exceptions: &Exceptions, name: &str, at: usize, judgement: &mut TraceJudgement) {
        let major = VERSIONS[at];
        self.compared[at].fetch_add(judgement.statements, Ordering::Relaxed);
        exceptions.allow(name, major, &mut judgement.mismatches);
        for mismatch in &judgement.mismatches {
            self.wrong(format!("{major} {name}: {}\n    {}", mismatch.sql, mismatch.what.join("\n    ")));
        }
    }

    fn finish(self, exceptions: &Exceptions) {
        let mut wrong = self.wrong.into_inner().unwrap();
        wrong.extend(exceptions.unseen(&VERSIONS));
        let refused = self.refused.into_inner().unwrap();
        eprintln!("compared on {VERSIONS:?}: {:?}, {} exceptions, {} refused", self.compared, exceptions.count(), refused.len());
        refused.iter().for_each(|refused| eprintln!("refused: {refused}"));
        assert!(wrong.is_empty(), "{} disagree:\n{}", wrong.len(), wrong.join("\n"));
        assert!(self.compared.iter().all(|count| count.load(Ordering::Relaxed) > 0));
    }
}

/// Where nothing says which time zone there is, the worst is predicted: that it is not UTC.
const SETTINGS: [(&str, &str); 1] = [("TimeZone", "Europe/London")];

/// A server of its own for each version, each in a thread.
fn on_every_version(work: impl Fn(usize, &LocalServer) + Sync) {
    std::thread::scope(|scope| {
        for (at, major) in VERSIONS.into_iter().enumerate() {
            let work = &work;
            scope.spawn(move || work(at, &servers::start_with(major, &SETTINGS)));
        }
    });
}

/// An empty database of one server, again and again. Emptying one is ten times faster than making one; where something is left that
/// was made, a new one is made all the same. Roles belong to the whole server: those of the one before are gone.
struct Databases<'s> {
    server: &'s LocalServer,
    made: usize,
}

/// Leaves nothing that a migration made in the database; true where something stays.
const EMPTY: &str = "\
    DO $$ DECLARE sql text; BEGIN \
    FOR sql IN SELECT format('ALTER DATABASE %I RESET ALL', current_database()) \
        UNION ALL SELECT format('DROP EVENT TRIGGER %I', evtname) FROM pg_event_trigger \
        UNION ALL SELECT format('DROP PUBLICATION %I', pubname) FROM pg_publication \
        UNION ALL SELECT format('DROP EXTENSION IF EXISTS %I CASCADE', extname) FROM pg_extension WHERE extname <> 'plpgsql' \
        UNION ALL SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace \
            WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' \
        UNION ALL SELECT 'CREATE SCHEMA public AUTHORIZATION pg_database_owner; GRANT USAGE ON SCHEMA public TO PUBLIC' \
        UNION ALL SELECT format('DROP OWNED BY %I CASCADE; DROP ROLE %I', rolname, rolname) FROM pg_roles \
            WHERE rolname !~ '^pg_' AND rolname <> 'postgres' \
    LOOP EXECUTE sql; END LOOP; END $$";
const LEFT: &str = "\
    SELECT EXISTS (SELECT FROM pg_class WHERE oid >= 16384 AND relnamespace <> 'pg_toast'::regnamespace \
            AND relnamespace::regnamespace::text !~ '^pg_(toast_)?temp') \
        OR EXISTS (SELECT FROM pg_proc WHERE oid >= 16384) OR EXISTS (SELECT FROM pg_type WHERE oid >= 16384) \
        OR EXISTS (SELECT FROM pg_cast WHERE oid >= 16384) OR EXISTS (SELECT FROM pg_am WHERE oid >= 16384) \
        OR EXISTS (SELECT FROM pg_language WHERE oid >= 16384) OR EXISTS (SELECT FROM pg_default_acl) \
        OR EXISTS (SELECT FROM pg_foreign_data_wrapper) OR EXISTS (SELECT FROM pg_subscription) \
        OR EXISTS (SELECT FROM pg_namespace WHERE oid >= 16384 AND nspname NOT IN ('public') AND nspname !~ '^pg_')";

impl<'s> Databases<'s> {
    fn of(server: &'s LocalServer) -> Databases<'s> {
        Databases { server, made: 0 }
    }

    fn new_client(&mut self) -> postgres::Client {
        if self.made > 0 {
            let mut client = self.server.connect(&format!("trace_{}", self.made)).unwrap();
            let empty = client.batch_execute("SET client_min_messages = error").and_then(|()| client.batch_execute(EMPTY));
            let is_empty = empty.is_ok() && client.query_one(LEFT, &[]).is_ok_and(|row| !row.get::<_, bool>(0));
            if is_empty {
                client.batch_execute("DISCARD ALL").unwrap();
                return client;
            }
            let mut client = self.server.connect("postgres").unwrap();
            client.batch_execute(&format!("DROP DATABASE trace_{} WITH (FORCE)", self.made)).unwrap();
            client.batch_execute("SET client_min_messages = error").unwrap();
            client.batch_execute(EMPTY).unwrap();
        }
        self.made += 1;
        let name = format!("trace_{}", self.made);
        self.server.create_database(&name, None).unwrap();
        self.server.connect(&name).unwrap()
    }
}

fn describe(judgement: &TraceJudgement) -> Vec<String> {
    let said = |(path, failure): &(String, phasegate::prove::replay::Failure)| {
        let at = failure.statement.map_or(0, |at| at + 1);
        format!("{path} statement {at}: {} {}", failure.sqlstate, failure.message)
    };
    judgement.failures.iter().map(said).collect()
}

#[test]
fn every_fixture_costs_what_is_predicted() {
    let exceptions = Exceptions::of(|history| !history.starts_with("rules/") && !history.starts_with("trace/"));
    let outcome = Outcome::default();
    on_every_version(|at, server| {
        let mut databases = Databases::of(server);
        for name in histories::histories() {
            let settings = Settings { postgres: Some(only(VERSIONS[at])), ..Settings::default() };
            let checked = check::run(&Request::of_paths([histories::directory().join(&name)], settings));
            let mut client = databases.new_client();
            if let Some(sql) = histories::set_up(&name) {
                client.batch_execute(sql).unwrap();
            }
            let mut judgement = Tracer::new(client, Afterwards::Commit).history(&checked.histories[0], true).unwrap();
            let units = &checked.histories[0].history.migrations;
            let id =
                |path: &str| units.iter().find(|unit| unit.file.path == path).map_or("?", |unit| unit.id.as_str()).to_owned();
            let refused: Vec<String> = judgement.failures.iter().map(|(path, _)| id(path)).collect();
            if refused != histories::refused(&name) {
                outcome.wrong(format!("{} {name}: refused {:?}", VERSIONS[at], describe(&judgement)));
            }
            outcome.judged(&exceptions, &name, at, &mut judgement);
        }
    });
    outcome.finish(&exceptions);
}

/// The histories of an example, checked for one version; nothing where it is about others.
fn checked_example(example: &Example, major: u16) -> Vec<CheckedHistory> {
    let wanted: PostgresVersions =
        example.postgres.as_deref().map_or_else(PostgresVersions::default, |text| text.parse().unwrap());
    if !(wanted.oldest..=wanted.newest).contains(&major) {
        return Vec::new();
    }
    let directory = tempfile::tempdir().unwrap();
    for file in &example.files {
        let path = directory.path().join(&file.name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file.bytes()).unwrap();
    }
    let configuration = directory.path().join(config::FILE_NAME);
    let plan = config::plan(&Wanted {
        paths: vec![directory.path().to_path_buf()],
        file: if configuration.exists() { FileChoice::Named(configuration) } else { FileChoice::Without },
        flags: Flags { layout: example.layout.clone(), postgres: Some(only(major)), ..Flags::default() },
    });
    let histories = plan.histories.into_iter().map(|planned| planned.request).collect();
    check::run(&Request { histories, ..Request::default() }).histories
}

#[test]
fn every_example_of_a_rule_costs_what_is_predicted() {
    let exceptions = Exceptions::of(|history| history.starts_with("rules/"));
    let outcome = Outcome::default();
    let documents = document::all().unwrap_or_else(|error| panic!("{error}"));
    on_every_version(|at, server| {
        let mut databases = Databases::of(server);
        for document in documents {
            let name = format!("rules/{}.md", document.id);
            for example in document.bad.iter().chain(&document.good) {
                for history in checked_example(example, VERSIONS[at]) {
                    let mut tracer = Tracer::new(databases.new_client(), Afterwards::Commit);
                    let mut judgement = tracer.history(&history, false).unwrap();
                    let refused = describe(&judgement).into_iter();
                    let refused = refused.map(|refused| format!("{} {name}:{}: {refused}", VERSIONS[at], example.line));
                    outcome.refused.lock().unwrap().extend(refused);
                    outcome.judged(&exceptions, &name, at, &mut judgement);
                }
            }
        }
    });
    outcome.finish(&exceptions);
}

/// A case on what is given, checked for one version.
fn checked_case(directory: &Path, given: &Given, case: &Case, major: u16) -> CheckedHistory {
    fs::write(directory.join("0001_given.sql"), &given.sql).unwrap();
    fs::write(directory.join("0002_case.sql"), case.sql()).unwrap();
    let settings = Settings { postgres: Some(only(major)), layout: Some("plain".into()), ..Settings::default() };
    let mut checked = check::run(&Request::of_paths([directory], settings));
    assert!(checked.unusable.is_empty(), "{:?}", checked.unusable);
    checked.histories.remove(0)
}

/// What one version says of each step of a sheet, in order.
fn trace_sheet(
    sheet: &Sheet,
    at: usize,
    databases: &mut Databases,
    exceptions: &Exceptions,
    outcome: &Outcome,
) -> Vec<Option<String>> {
    let major = VERSIONS[at];
    let name = format!("trace/{}.sql", sheet.name);
    let directory = tempfile::tempdir().unwrap();
    let mut said = Vec::new();
    for given in &sheet.givens {
        if !(given.versions.oldest..=given.versions.newest).contains(&major) {
            said.extend(given.cases.iter().flat_map(|case| case.steps.iter().map(|_| None)));
            continue;
        }
        let mut tracer: Option<Tracer> = None;
        for case in &given.cases {
            let history = checked_case(directory.path(), given, case, major);
            let several = case.steps.len() > 1;
            let mut own = match tracer.take() {
                Some(there) if !several => there,
                _ => {
                    let mut client = databases.new_client();
                    client.batch_execute(&given.sql).unwrap_or_else(|error| panic!("{major} {name}: {}: {error:?}", given.sql));
                    Tracer::new(client, if several { Afterwards::Commit } else { Afterwards::RollBack })
                }
            };
            let mut judgement = TraceJudgement::default();
            let unit = ReplayUnit::of_history(&history.history).remove(1);
            assert_eq!(unit.statements.len(), case.steps.len(), "{name}: {}", case.sql());
            let failure = own.unit(&unit, &history.units[1], &mut judgement).unwrap();
            said.extend(case.steps.iter().enumerate().map(|(number, _)| {
                let traced = judgement.traced.iter().find(|traced| traced.statement == number);
                let failed = failure.as_ref().filter(|failure| failure.statement == Some(number));
                Some(match (traced, failed) {
                    (Some(traced), _) => sheet::spelt(&traced.observed),
                    (None, Some(failure)) => format!("refused {}", failure.sqlstate),
                    (None, None) => "not traced".to_owned(),
                })
            }));
            outcome.judged(exceptions, &name, at, &mut judgement);
            tracer = (!own.changed && !several).then_some(own);
        }
    }
    said
}

#[test]
fn every_statement_of_the_sheets_costs_what_they_say_and_what_is_predicted() {
    let bless = std::env::var_os("PHASEGATE_BLESS").is_some();
    let wanted = std::env::var("PHASEGATE_SHEET").ok();
    let mut sheets = sheet::all();
    sheets.retain(|sheet| wanted.as_ref().is_none_or(|wanted| sheet.name == *wanted));
    let exceptions = Exceptions::of(|history| sheets.iter().any(|sheet| history == format!("trace/{}.sql", sheet.name)));
    let outcome = Outcome::default();
    let said: Mutex<Vec<(usize, usize, Vec<Option<String>>)>> = Mutex::default();
    on_every_version(|at, server| {
        let mut databases = Databases::of(server);
        for (number, sheet) in sheets.iter().enumerate() {
            let of_sheet = trace_sheet(sheet, at, &mut databases, &exceptions, &outcome);
            said.lock().unwrap().push((number, at, of_sheet));
        }
    });
    let mut said = said.into_inner().unwrap();
    said.sort();
    for (number, sheet) in sheets.iter().enumerate() {
        let steps: Vec<_> = sheet.givens.iter().flat_map(|given| &given.cases).flat_map(|case| &case.steps).collect();
        let mut blessed = Vec::new();
        for (position, step) in steps.iter().enumerate() {
            let of_step: Vec<(u16, String)> = said
                .iter()
                .filter(|(of, _, _)| *of == number)
                .filter_map(|(_, at, of_sheet)| Some((VERSIONS[*at], of_sheet[position].clone()?)))
                .collect();
            for (major, what) in &of_step {
                if !bless && step.on(*major) != Some(what.as_str()) {
                    let expected = step.on(*major).unwrap_or("nothing");
                    let sql = step.sql.trim();
                    outcome.wrong(format!(
                        "{major} {}:{}: {sql}\n    expected {expected}\n    observed {what}",
                        sheet.name,
                        step.line + 1
                    ));
                }
            }
            blessed.push((step.line, step.lines, of_step));
        }
        if bless {
            sheet::bless(sheet, &blessed);
        }
    }
    outcome.finish(&exceptions);
}
