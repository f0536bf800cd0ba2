//! Every recipe of the rules' bad examples, run on a server in place of its statement: the schema is the same at the end, and nothing
//! in it stops traffic for as long as a table is large. Without a server this fails, it is not skipped.

#[path = "support/servers.rs"]
mod servers;

use phasegate::catalog::snapshot::Snapshot;
use phasegate::check::{self, Checked, Request};
use phasegate::config::Settings;
use phasegate::finding::Finding;
use phasegate::op::Span;
use phasegate::prove::replay::Replayer;
use phasegate::prove::server::LocalServer;
use phasegate::recipe::Recipe;
use phasegate::rules::document;
use phasegate::rules::example::Example;
use phasegate::versions::PostgresVersions;
use std::collections::BTreeSet;
use std::path::Path;

/// One finding of an example that comes with a recipe.
struct Case {
    place: String,
    major: u16,
    /// Everything that runs before the statement, in order.
    earlier: Vec<String>,
    statement: String,
    recipe: Recipe,
}

fn checked(directory: &Path, layout: Option<&str>, major: u16) -> Checked {
    let postgres = Some(PostgresVersions { oldest: major, newest: major });
    let settings = Settings { layout: layout.map(str::to_owned), postgres, ..Settings::default() };
    check::run(&Request::of_paths([directory.to_path_buf()], settings))
}

fn cases() -> Vec<Case> {
    let documents = document::all().unwrap_or_else(|error| panic!("{error}"));
    let mut cases = Vec::new();
    for document in documents {
        for (number, example) in document.bad.iter().enumerate() {
            cases.extend(of_example(&format!("rules/{}.md, bad example {}", document.id, number + 1), example));
        }
    }
    cases
}

fn of_example(place: &str, example: &Example) -> Vec<Case> {
    let directory = tempfile::tempdir().unwrap();
    for file in &example.files {
        let path = directory.path().join(&file.name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file.bytes()).unwrap();
    }
    let major = example.postgres.as_deref().map_or(15, |text| text.parse::<PostgresVersions>().unwrap().oldest);
    let checked = checked(directory.path(), example.layout.as_deref(), major);
    let mut cases = Vec::new();
    for finding in &checked.findings {
        if let Some(recipe) = &finding.recipe {
            cases.push(of_finding(place, major, &checked, finding, recipe));
        }
    }
    cases
}

fn of_finding(place: &str, major: u16, checked: &Checked, finding: &Finding, recipe: &Recipe) -> Case {
    let history = &checked.histories[0];
    let mut earlier = Vec::new();
    for (migration, statements) in history.history.migrations.iter().zip(&history.units) {
        let text = |span: Span| String::from_utf8_lossy(&migration.file.bytes[span.start..span.end]).into_owned();
        for statement in statements {
            if migration.id == finding.migration && Some(statement.index) == finding.statement {
                return Case {
                    place: format!("{place}: {}", finding.rule),
                    major,
                    earlier,
                    statement: text(statement.span),
                    recipe: recipe.clone(),
                };
            }
            earlier.push(text(statement.span));
        }
    }
    panic!("{place}: the statement of a finding is in its history");
}

/// The schema after these statements, each in a transaction of its own.
fn schema(server: &LocalServer, database: &str, statements: impl IntoIterator<Item = String>) -> Result<Snapshot, String> {
    server.create_database(database, None).unwrap();
    let mut client = server.connect(database).unwrap();
    for statement in statements {
        client.batch_execute(&statement).map_err(|error| format!("{statement}: {error:?}"))?;
    }
    let mut snapshot = Replayer::new(client).unwrap().snapshot();
    // A second column that takes the place of the first stands behind the others.
    for relation in snapshot.relations.values_mut() {
        if let Some(columns) = &mut relation.columns {
            columns.sort_by(|a, b| a.name.cmp(&b.name));
        }
    }
    Ok(snapshot)
}

#[test]
fn every_recipe_ends_in_the_same_schema() {
    let cases = cases();
    let rules: BTreeSet<&str> = cases.iter().filter_map(|case| case.place.rsplit(' ').next()).collect();
    assert!(rules.len() >= 8, "recipes of {rules:?}");
    // Two servers at once; the half that is on its own is the smaller one.
    let (newest, others): (Vec<&Case>, Vec<&Case>) = cases.iter().partition(|case| case.major == 18);
    let (some, more) = others.split_at(others.len() / 2);
    let mut wrong = Vec::new();
    std::thread::scope(|scope| {
        let parts = [(15, some.to_vec()), (15, more.to_vec()), (18, newest)];
        let threads: Vec<_> = parts.into_iter().map(|(major, part)| scope.spawn(move || differing(major, &part))).collect();
        threads.into_iter().for_each(|thread| wrong.extend(thread.join().unwrap()));
    });
    assert!(wrong.is_empty(), "{} of {} recipes:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// The recipes that end elsewhere than their statement, or that a server refuses.
fn differing(major: u16, cases: &[&Case]) -> Vec<String> {
    let server = servers::start(major);
    let mut wrong = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        assert_eq!(case.major, major, "{}", case.place);
        let before = case.earlier.iter().cloned();
        let plain = schema(&server, &format!("plain_{number}"), before.clone().chain([case.statement.clone()]));
        let steps = case.recipe.migrations.iter().flat_map(|migration| migration.sql.iter().cloned());
        let online = schema(&server, &format!("online_{number}"), before.chain(steps));
        match (plain, online) {
            (Ok(plain), Ok(online)) if plain == online => {}
            (Ok(plain), Ok(online)) => {
                let compared = phasegate::catalog::snapshot::compare(&plain, &online);
                wrong.push(format!("{}\n{}\n  {:?}", case.place, case.recipe.text(), compared.differences));
            }
            (plain, online) => {
                wrong.push(format!("{}\n{}\n  {:?}\n  {:?}", case.place, case.recipe.text(), plain.err(), online.err()))
            }
        }
    }
    wrong
}

/// The recipe's migrations behind what was there before, one file each, as `check` and a server see them.
#[test]
fn no_recipe_stops_traffic_for_as_long_as_a_table_is_large() {
    let cases = cases();
    let wrong = wrong_of(&cases);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn wrong_of(cases: &[Case]) -> Vec<String> {
    let mut wrong = Vec::new();
    for case in cases {
        let directory = tempfile::tempdir().unwrap();
        let write =
            |number: usize, text: String| std::fs::write(directory.path().join(format!("{number:04}_step.sql")), text).unwrap();
        write(1, case.earlier.join(";\n") + ";\n");
        for (at, migration) in case.recipe.migrations.iter().enumerate() {
            write(at + 2, migration.sql.join(";\n") + ";\n");
        }
        let checked = checked(directory.path(), Some("plain"), case.major);
        let history = &checked.histories[0];
        for (migration, statements) in history.history.migrations.iter().zip(&history.units).skip(1) {
            for statement in statements.iter().filter(|statement| statement.effect.blocking) {
                wrong.push(format!("{}: {} blocks: {:?}", case.place, migration.id, statement.effect));
            }
        }
    }
    wrong
}
