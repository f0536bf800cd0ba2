//! A release is one step to its clients, however many migrations it is made of: the examples of every contract rule say the same when
//! what is pending in them stands in one migration and when each statement has one of its own.

use phasegate::check::{self, Checked, Request};
use phasegate::config::{ReleaseSettings, Settings};
use phasegate::finding::Level;
use phasegate::rules::document::{self, Family};
use phasegate::rules::example::{Encoding, Example, ExampleFile};
use std::collections::BTreeSet;
use std::fs;

/// Where the two differ by right: a rule looks at one unit or one transaction, and each unit is a moment at which old clients are
/// served. Rule of the document, words of the pending text, and why.
const BY_RIGHT: &[(&str, &str, &str)] = &[
    ("always-identity", "setval(", "the sequence is set too late for who inserts in between"),
    ("column-grants", "GRANT SELECT (age)", "until the grant, SELECT * fails"),
    (
        "destroys-data",
        "CREATE TABLE logs",
        "between DROP and CREATE there is no table at all: drop-table and drop-column say more",
    ),
    ("drop-default", "ALTER state SET DEFAULT", "until the new default, old INSERTs fail"),
    ("drop-foreign-key", "ADD CONSTRAINT", "until the new key, nothing cascades"),
    ("drop-routine", "CREATE FUNCTION total", "until it is back, calls fail"),
    ("drop-table", "CREATE TEMP TABLE", "a temporary table ends with its session: what the next one drops is not it"),
    ("drop-trigger", "CREATE TRIGGER audited", "until it is back, rows pass without it"),
    ("drop-trigger", "ENABLE TRIGGER audited", "until it is on again, rows pass without it"),
    ("drop-view", "CREATE VIEW names", "until it is back, queries fail"),
    ("drop-view", "CREATE VIEW guessed", "until it is back, queries fail"),
    ("exists-of-unknown", "CREATE TRIGGER audited", "a trigger that was there is gone until it is back"),
    ("rename-column", "CREATE TRIGGER", "until the old column is kept in step, old statements fail"),
    ("rename-column", "CREATE VIEW users", "until the view stands in, old statements fail"),
    ("rename-table", "CREATE VIEW users", "until the view stands in, old statements fail"),
    ("rename-table", "RENAME TO users;", "until it is called so again, old statements fail"),
    ("restrict-rows", "CREATE POLICY mine", "until the policy is back, rows are refused"),
    ("retype-column", "ADD age", "until the column is back, old statements fail: drop-column says more"),
    ("revoke", "GRANT", "until the grant, old statements fail"),
    ("sequence-not-granted", "GRANT USAGE", "until the grant, old INSERTs fail"),
    ("sequence-stays-narrow", "AS bigint", "until it is widened, the sequence ends early"),
];

/// One migration: its name and text.
type Unit = (String, String);

/// What is pending, in one migration and in many.
struct Forms {
    /// The first file, which is released.
    released: ExampleFile,
    joined: Vec<Unit>,
    split: Vec<Unit>,
}

/// Checks the files under `through = <first>`.
fn checked(released: &ExampleFile, pending: &[Unit], layout: Option<&String>, postgres: Option<&String>) -> Checked {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("0001_released.sql"), released.bytes()).unwrap();
    for (name, text) in pending {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let settings = Settings {
        layout: layout.cloned(),
        postgres: postgres.map(|range| range.parse().unwrap()),
        releases: ReleaseSettings { through: Some("0001".into()), ..ReleaseSettings::default() },
        ..Settings::default()
    };
    let checked = check::run(&Request::of_paths([directory.path()], settings));
    assert!(checked.unusable.is_empty(), "{:?}", checked.unusable);
    checked
}

/// `rule level text` of the contract findings, with what silenced them, sorted.
fn found(checked: &Checked) -> Vec<String> {
    let text = |path: &str, start: usize, end: usize| {
        let units = checked.histories.iter().flat_map(|one| &one.history.migrations);
        let file = units.map(|unit| &unit.file).find(|file| file.path == path).unwrap();
        String::from_utf8_lossy(&file.bytes[start..end]).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let is_contract = |rule: &str| document::find(rule).is_some_and(|document| document.family == Family::Contract);
    let mut found: Vec<String> = checked
        .findings
        .iter()
        .filter(|finding| is_contract(finding.rule))
        .map(|finding| {
            let silenced = if finding.suppressed.is_some() { " (silenced)" } else { "" };
            format!(
                "{} {:?}{silenced}: {}",
                finding.rule,
                finding.level,
                text(&finding.path, finding.span.start, finding.span.end)
            )
        })
        .collect();
    found.sort();
    found
}

/// `Error` is louder than `Warning` is louder than `Note`.
fn level(found: &str) -> usize {
    let word = found.split([' ', ':']).nth(1).unwrap_or_default();
    ["Off", "Note", "Warning", "Error"].iter().position(|name| *name == word).unwrap()
}

fn place(found: &str) -> &str {
    found.split_once(": ").unwrap().1
}

/// The forms of an example; `None` for those that have nothing to split or to join.
fn forms(example: &Example) -> Option<Forms> {
    let nothing = ExampleFile {
        name: "0001_nothing.sql".into(),
        encoding: Encoding::Utf8,
        text: "SELECT 1;\n".into(),
        announcements: Vec::new(),
    };
    let (released, pending) = match example.files.as_slice() {
        // What no file creates is older.
        [_] => (&nothing, example.files.as_slice()),
        [released, pending @ ..] => (released, pending),
        [] => return None,
    };
    if !example.files.iter().all(|file| is_plain(&file.name)) {
        return None;
    }
    let as_units: Vec<Unit> =
        pending.iter().enumerate().map(|(at, file)| (format!("{:04}_pending.sql", at + 2), file.text.clone())).collect();
    let released = released.clone();
    if let [one] = as_units.as_slice() {
        let split = statements(&released, one, example)?;
        return (split.len() > 1).then_some(Forms { released, joined: as_units, split });
    }
    let tags: BTreeSet<Option<&str>> = as_units.iter().map(|(_, text)| tag(text)).collect();
    let joined = as_units.iter().map(|(_, text)| text.as_str()).collect::<String>();
    let joined = match tags.first().copied().flatten() {
        Some(tag) if tags.len() == 1 => format!("{tag}\n{}", joined.replace(tag, "")),
        _ => joined,
    };
    (tags.len() == 1).then(|| Forms { released, joined: vec![("0002_pending.sql".into(), joined)], split: as_units })
}

/// A file that a runner of numbered files runs.
fn is_plain(name: &str) -> bool {
    name.ends_with(".sql") && name.starts_with(|c: char| c.is_ascii_digit()) && !name.contains('/') && !name.contains(".down.")
}

fn tag(text: &str) -> Option<&str> {
    text.lines().find(|line| line.starts_with("-- phase contract"))
}

/// Each statement as a unit, under the tag of the whole, and after the session's settings that came before it. `None` where the
/// text has transactions of its own: then what is one step is for them to say.
fn statements(released: &ExampleFile, (name, text): &Unit, example: &Example) -> Option<Vec<Unit>> {
    let whole = checked(released, &[(name.clone(), text.clone())], example.layout.as_ref(), example.postgres.as_ref());
    let history = whole.histories.first()?;
    let at = history.history.migrations.iter().position(|unit| unit.file.path.ends_with(name.as_str()))?;
    let mut settings = String::new();
    let mut units = Vec::new();
    for facts in &history.units[at] {
        let statement = text.get(facts.span.start..facts.span.end)?;
        let word = statement.split_whitespace().next().unwrap_or_default().to_uppercase();
        match word.as_str() {
            "BEGIN" | "START" | "COMMIT" | "END" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" => return None,
            "SET" | "RESET" => settings.push_str(&format!("{statement};\n")),
            _ => {
                let tag = tag(text).map(|tag| format!("{tag}\n")).unwrap_or_default();
                units.push((format!("{:04}_pending.sql", units.len() + 2), format!("{tag}{settings}{statement};\n")));
            }
        }
    }
    Some(units)
}

#[test]
fn what_is_pending_says_the_same_in_one_migration_and_in_many() {
    let mut compared = 0;
    let mut different = Vec::new();
    let mut used = BTreeSet::new();
    for document in document::all().unwrap_or_else(|error| panic!("{error}")) {
        if document.family != Family::Contract {
            continue;
        }
        for example in document.bad.iter().chain(&document.good) {
            let Some(Forms { released, joined, split }) = forms(example) else { continue };
            compared += 1;
            let of = |units: &[Unit]| found(&checked(&released, units, example.layout.as_ref(), example.postgres.as_ref()));
            let (one, many) = (of(&joined), of(&split));
            if one == many {
                continue;
            }
            let pending: String = joined.iter().map(|(_, text)| text.as_str()).collect();
            let by_right = BY_RIGHT.iter().position(|(rule, words, _)| *rule == document.id && pending.contains(words));
            let only = |left: &[String], right: &[String]| {
                let mut rest = right.to_vec();
                let mut only = left.to_vec();
                only.retain(|one| match rest.iter().position(|other| other == one) {
                    Some(at) => {
                        rest.remove(at);
                        false
                    }
                    None => true,
                });
                only
            };
            let (in_one, in_many) = (only(&one, &many), only(&many, &one));
            if let Some(at) = by_right {
                // Whoever waits in between is worse off, never better.
                let louder =
                    |said: &String| in_many.iter().any(|other| level(other) >= level(said) && place(other) == place(said));
                assert!(
                    !in_many.is_empty() && in_one.iter().all(louder),
                    "rules/{}.md:{}: {in_one:#?} {in_many:#?}",
                    document.id,
                    example.line
                );
                used.insert(at);
                continue;
            }
            different.push(format!(
                "rules/{}.md:{}\n  in one only:\n    {}\n  in many only:\n    {}",
                document.id,
                example.line,
                in_one.join("\n    "),
                in_many.join("\n    ")
            ));
        }
    }
    assert!(compared > 100, "{compared} examples have something to split");
    assert!(different.is_empty(), "{} of {compared} examples differ:\n{}", different.len(), different.join("\n"));
    let unused: Vec<_> = BY_RIGHT.iter().enumerate().filter(|(at, _)| !used.contains(at)).map(|(_, one)| one).collect();
    assert!(unused.is_empty(), "these say the same after all: {unused:?}");
}

/// Released text, pending migrations, and the contract findings above a note, each with the number of its migration.
type Told = (&'static str, &'static [&'static str], &'static [&'static str]);

/// What no example in one migration shows: the line that counts is the release, not the migration before.
const TOLD: &[Told] = &[
    // A new column of an older table is judged where an INSERT that omits it begins to fail.
    (USERS, &["ALTER TABLE users ADD age int NOT NULL DEFAULT 0", "ALTER TABLE users ALTER age DROP DEFAULT"], &["2 required-column"]),
    (USERS, &["ALTER TABLE users ADD age int", "ALTER TABLE users ALTER age SET NOT NULL"], &["2 required-column"]),
    (USERS, &["ALTER TABLE users ADD age int", "ALTER TABLE users ADD PRIMARY KEY (age)"], &["2 required-column"]),
    (USERS, &["ALTER TABLE users ADD age int DEFAULT 1", "ALTER TABLE users ADD UNIQUE (age)"], &["2 required-column"]),
    (USERS, &["ALTER TABLE users ADD age int DEFAULT 1 CHECK (age > 0)", "ALTER TABLE users ALTER age SET DEFAULT 0"], &["2 required-column"]),
    (USERS, &["ALTER TABLE users ADD age int NOT NULL", "ALTER TABLE users ADD nick text"], &["1 required-column"]),
    (
        USERS,
        &[
            "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.age := 1; RETURN NEW; END $$;
             ALTER TABLE users ADD age int NOT NULL; CREATE TRIGGER fill BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION fill()",
            "DROP TRIGGER fill ON users",
        ],
        &["2 required-column"],
    ),
    (USERS, &["ALTER TABLE users ADD age int NOT NULL DEFAULT 0", "ALTER TABLE users DROP age"], &[]),
    // What pending migrations made may go again.
    (USERS, &["CREATE TABLE notes (id int)", "DROP TABLE notes"], &[]),
    (USERS, &["CREATE TYPE mood AS ENUM ('ok')", "ALTER TYPE mood RENAME TO feeling", "DROP TYPE feeling"], &[]),
    (USERS, &["CREATE INDEX by_name ON users (name)", "DROP INDEX by_name"], &[]),
    (USERS, &["ALTER TABLE users ADD CONSTRAINT named CHECK (name <> '')", "ALTER TABLE users DROP CONSTRAINT named"], &["1 tighten-constraint"]),
    (USERS, &["CREATE ROLE app LOGIN", "GRANT SELECT ON users TO app", "REVOKE SELECT ON users FROM app", "DROP ROLE app"], &[]),
    (USERS, &["GRANT SELECT ON users TO PUBLIC", "REVOKE SELECT ON users FROM PUBLIC"], &[]),
    (USERS, &["CREATE RULE quiet AS ON DELETE TO users DO ALSO NOTHING", "ALTER TABLE users DISABLE RULE quiet"], &["1 new-rule"]),
    // A state that came after the release is missed by nobody.
    (USERS, &["ALTER TABLE users ALTER name SET DEFAULT 'x'", "ALTER TABLE users ALTER name DROP DEFAULT"], &[]),
    ("CREATE TABLE t (id int NOT NULL)", &["ALTER TABLE t ALTER id ADD GENERATED BY DEFAULT AS IDENTITY (START 100)", "ALTER TABLE t ALTER id DROP IDENTITY"], &[]),
    (TRIGGERED, &["ALTER TABLE users ENABLE TRIGGER audited", "ALTER TABLE users DISABLE TRIGGER audited"], &[]),
    (
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        &[
            "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
            "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'",
        ],
        &[],
    ),
    (
        "CREATE TABLE users (id bigint, name text); CREATE VIEW v AS SELECT id FROM users",
        &["CREATE OR REPLACE VIEW v AS SELECT id, name FROM users", "DROP VIEW v; CREATE VIEW v AS SELECT id FROM users"],
        &[],
    ),
    (PARTED, &["ALTER TABLE parted ATTACH PARTITION part FOR VALUES IN (2)", "ALTER TABLE parted DETACH PARTITION part"], &[]),
    (POLICED, &["CREATE POLICY other ON users USING (true)", "ALTER POLICY other ON users USING (id > 0)"], &[]),
    // There and back: the way there is said, the way back takes nothing away.
    (USERS, &["ALTER TABLE users RENAME TO people", "ALTER TABLE people RENAME TO users"], &["1 rename-table"]),
    (USERS, &["ALTER TABLE users RENAME name TO nick", "ALTER TABLE users RENAME nick TO name"], &["1 rename-column"]),
    (USERS, &["CREATE SCHEMA app; ALTER TABLE users SET SCHEMA app", "ALTER TABLE app.users SET SCHEMA public"], &["1 set-schema"]),
    ("CREATE TYPE mood AS ENUM ('ok')", &["ALTER TYPE mood RENAME TO feeling", "ALTER TYPE feeling RENAME TO mood"], &["1 rename-type"]),
    ("CREATE TYPE mood AS ENUM ('ok')", &["ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'", "ALTER TYPE mood RENAME VALUE 'fine' TO 'ok'"], &["1 rename-type"]),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", &["ALTER FUNCTION f() RENAME TO g", "ALTER FUNCTION g() RENAME TO f"], &["1 rename-routine"]),
    ("CREATE SCHEMA app", &["ALTER SCHEMA app RENAME TO web", "ALTER SCHEMA web RENAME TO app"], &["1 rename-routine"]),
    ("CREATE SEQUENCE s", &["ALTER SEQUENCE s RENAME TO t", "ALTER SEQUENCE t RENAME TO s"], &["1 rename-routine"]),
    ("CREATE ROLE app", &["ALTER ROLE app RENAME TO web", "ALTER ROLE web RENAME TO app"], &["1 rename-routine"]),
    (
        "CREATE TABLE t (id int CONSTRAINT one UNIQUE)",
        &["ALTER TABLE t RENAME CONSTRAINT one TO two", "ALTER TABLE t RENAME CONSTRAINT two TO one"],
        &["1 rename-constraint"],
    ),
    (USERS, &["ALTER TABLE users ALTER id TYPE numeric", "ALTER TABLE users ALTER id TYPE bigint"], &["1 retype-column"]),
    ("CREATE TABLE t (name varchar(10))", &["ALTER TABLE t ALTER name TYPE text", "ALTER TABLE t ALTER name TYPE varchar(20)"], &[]),
    ("CREATE TABLE t (id int NOT NULL)", &["ALTER TABLE t ALTER id DROP NOT NULL", "ALTER TABLE t ALTER id SET NOT NULL"], &[]),
    (POLICED, &["ALTER TABLE users DISABLE ROW LEVEL SECURITY", "ALTER TABLE users ENABLE ROW LEVEL SECURITY"], &[]),
    // What the release has and the migration before does not.
    (USERS, &["ALTER TABLE users DROP name", "ALTER TABLE users ADD name text GENERATED ALWAYS AS ('x') STORED"], &["1 drop-column", "2 always-identity"]),
    (POLICED, &["DROP POLICY mine ON users", "CREATE POLICY mine ON users USING (id > 5)"], &["1 drop-trigger", "2 restrict-rows"]),
    // A remedy of an earlier migration of the same release is there in time.
    (
        "CREATE TABLE t (id int CONSTRAINT one UNIQUE)",
        &["CREATE UNIQUE INDEX two ON t (id)", "ALTER TABLE t DROP CONSTRAINT one"],
        &[],
    ),
    (
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int CONSTRAINT one REFERENCES a ON DELETE CASCADE)",
        &["ALTER TABLE b ADD CONSTRAINT two FOREIGN KEY (a) REFERENCES a ON DELETE CASCADE NOT VALID", "ALTER TABLE b DROP CONSTRAINT one"],
        &[],
    ),
    (
        "CREATE ROLE app; CREATE TABLE t (id int); CREATE SEQUENCE s; GRANT INSERT ON t TO app",
        &["GRANT USAGE ON SEQUENCE s TO app", "ALTER TABLE t ADD n int DEFAULT nextval('s')"],
        &[],
    ),
    (
        "CREATE TABLE t (id int); CREATE SEQUENCE s",
        &["CREATE ROLE fresh; GRANT INSERT ON t TO fresh", "ALTER TABLE t ADD n int DEFAULT nextval('s')"],
        &[],
    ),
];

const USERS: &str = "CREATE TABLE users (id bigint, name text)";
const TRIGGERED: &str = "CREATE TABLE users (id bigint, name text);
    CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    CREATE TRIGGER audited BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION audit();
    ALTER TABLE users DISABLE TRIGGER audited";
const PARTED: &str = "CREATE TABLE parted (id int) PARTITION BY LIST (id); CREATE TABLE part (id int)";
const POLICED: &str = "CREATE TABLE users (id bigint, name text); ALTER TABLE users ENABLE ROW LEVEL SECURITY;
    CREATE POLICY mine ON users USING (id > 1)";

fn is_about_old_clients(rule: &str) -> bool {
    document::find(rule).is_some_and(|document| !matches!(document.family, Family::Blocking | Family::Retry))
}

#[test]
fn the_line_that_counts_is_the_release_and_not_the_migration_before() {
    let mut wrong = Vec::new();
    for (released, pending, expected) in TOLD {
        let file = ExampleFile {
            name: String::new(),
            encoding: Encoding::Utf8,
            text: format!("{released};\n"),
            announcements: Vec::new(),
        };
        let units: Vec<Unit> =
            pending.iter().enumerate().map(|(at, text)| (format!("{:04}_pending.sql", at + 2), format!("{text};\n"))).collect();
        let checked = checked(&file, &units, None, None);
        let mut found: Vec<String> = checked
            .findings
            .iter()
            .filter(|finding| finding.level > Level::Note && is_about_old_clients(finding.rule))
            .map(|finding| format!("{} {}", finding.migration.parse::<usize>().unwrap() - 1, finding.rule))
            .collect();
        found.sort();
        if found != *expected {
            wrong.push(format!("{released}\n  {}\n    expected {expected:?}, found {found:?}", pending.join("\n  ")));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), TOLD.len(), wrong.join("\n"));
}
