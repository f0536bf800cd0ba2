//! Every example of docs/expand-contract.md: what `check` says at the end of its lines and nowhere else, step by step with what came
//! before released, and the same on a server.

#[path = "support/prover.rs"]
mod prover;

use phasegate::check::{self, Request};
use phasegate::config::Settings;
use phasegate::finding::{Finding, Level};
use phasegate::prove::evidence::Outcome;
use phasegate::prove::server::{LocalServer, Server};
use std::fs;
use std::path::Path;

/// What the proofs that run the page's migrations ask.
const PROOFS: [&str; 4] = ["apply", "trace", "on-data", "old-writes"];

/// One migration of the page.
#[derive(Clone)]
struct File {
    name: String,
    text: String,
}

/// One kind of change.
struct Kind {
    title: String,
    /// The first block: a schema, and the short way.
    short: Vec<File>,
    /// The files of each numbered step; empty where the step is code.
    steps: Vec<Vec<File>>,
}

impl Kind {
    /// What is there before the first step.
    fn begin(&self) -> &[File] {
        &self.short[..self.short.len() - 1]
    }

    fn whole(&self) -> Vec<File> {
        self.begin().iter().chain(self.steps.iter().flatten()).cloned().collect()
    }
}

fn files(block: &str) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("-- file: "), files.last_mut()) {
            (Some(name), _) => files.push(File { name: name.to_owned(), text: String::new() }),
            (None, Some(file)) => file.text += &format!("{line}\n"),
            (None, None) => panic!("a block begins with the name of a file: {block}"),
        }
    }
    files
}

/// The page's sections that have a block, without the introduction.
fn kinds() -> Vec<Kind> {
    let page = include_str!("../docs/expand-contract.md");
    let mut kinds = Vec::new();
    for section in page.split("\n## ").skip(1) {
        let (title, rest) = section.split_once('\n').unwrap();
        let mut kind = Kind { title: title.to_owned(), short: Vec::new(), steps: Vec::new() };
        for (at, part) in rest.split("```").enumerate() {
            if at % 2 == 0 {
                for line in part.lines() {
                    let next = kind.steps.len() + 1;
                    if line.starts_with(|first: char| first.is_ascii_digit()) {
                        assert!(line.starts_with(&format!("{next}. **")), "{title}: step {next} is {line}");
                        kind.steps.push(Vec::new());
                    }
                }
            } else {
                let block = files(part.strip_prefix("sql\n").unwrap_or_else(|| panic!("{title}: a block that is not sql")));
                match kind.steps.last_mut() {
                    Some(step) => step.extend(block),
                    None => kind.short.extend(block),
                }
            }
        }
        kinds.push(kind);
    }
    kinds
}

fn five_steps() -> Vec<Kind> {
    kinds().into_iter().filter(|kind| kind.title != ONE_STEP).collect()
}

const ONE_STEP: &str = "One step is enough";

fn version(file: &File) -> &str {
    file.name.split('_').next().unwrap()
}

fn write(directory: &Path, files: &[File]) {
    for file in files {
        fs::write(directory.join(&file.name), &file.text).unwrap();
    }
}

/// Unsuppressed findings above a note of files of which the first `released` are released: `file:line level[rule]`, sorted.
fn found(files: &[File], released: usize) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), files);
    let mut settings = Settings { layout: Some("goose".to_owned()), ..Settings::default() };
    settings.releases.through = released.checked_sub(1).map(|last| version(&files[last]).to_owned());
    let checked = check::run(&Request::of_paths([directory.path()], settings));
    assert!(checked.unusable.is_empty(), "{:?}", checked.unusable);
    assert_eq!(checked.histories[0].history.migrations.len(), files.len(), "every file is a migration");
    let mut found: Vec<String> =
        checked.findings.iter().filter(|finding| counts(finding)).map(|finding| said(files, finding)).collect();
    found.sort();
    found
}

fn counts(finding: &Finding) -> bool {
    finding.suppressed.is_none() && finding.level >= Level::Warning
}

/// Of a statement of several lines its first.
fn said(files: &[File], finding: &Finding) -> String {
    let file = files.iter().find(|file| finding.path.ends_with(&file.name)).unwrap_or_else(|| panic!("{finding:?}"));
    let line = file.text[..finding.span.start].lines().count() + usize::from(file.text[..finding.span.start].ends_with('\n'));
    let level = if finding.level == Level::Error { "error" } else { "warning" };
    format!("{}:{} {level}[{}]", file.name, line.max(1), finding.rule)
}

/// What the lines of these files announce, in the same form.
fn announced(files: &[File]) -> Vec<String> {
    let mut announced = Vec::new();
    for file in files {
        for (at, line) in file.text.lines().enumerate() {
            if let Some((_, list)) = line.split_once("; -- ") {
                announced.extend(list.split(", ").map(|one| format!("{}:{} {one}", file.name, at + 1)));
            }
        }
    }
    announced.sort();
    announced
}

#[test]
fn every_kind_of_change_has_a_short_way_that_is_found_and_five_steps_that_end_in_a_contract() {
    let kinds = five_steps();
    assert!(kinds.len() >= 17, "{} kinds", kinds.len());
    for kind in &kinds {
        let title = &kind.title;
        assert!(kind.short.len() >= 2, "{title}");
        assert_eq!(kind.steps.len(), 5, "{title}");
        let (last, earlier) = kind.steps.split_last().unwrap();
        let tagged = |file: &File| file.text.contains("\n-- phase contract ");
        assert!(tagged(&last[0]) && !earlier.iter().flatten().any(tagged), "{title}: the contract is the last step");
        assert!(announced(&kind.short).iter().any(|one| one.contains("error[")), "{title}");
        let page = include_str!("../docs/expand-contract.md");
        let anchor = title.to_lowercase().replace(' ', "-");
        assert!(page.contains(&format!("(#{anchor})")), "{title} is in the list");
    }
}

#[test]
fn the_short_way_is_found_where_the_page_says_so() {
    for kind in five_steps() {
        assert_eq!(found(&kind.short, kind.begin().len()), announced(&kind.short), "{}", kind.title);
    }
}

#[test]
fn each_step_is_clean_but_for_what_the_page_says_when_those_before_are_released() {
    for kind in five_steps() {
        let mut files = kind.begin().to_vec();
        for step in kind.steps.iter().filter(|step| !step.is_empty()) {
            let released = files.len();
            files.extend(step.iter().cloned());
            assert_eq!(found(&files, released), announced(step), "{}", kind.title);
        }
    }
}

#[test]
fn a_contract_is_refused_without_its_tag_and_together_with_its_expand() {
    let mut completing = 0;
    for kind in five_steps() {
        let mut files = kind.whole();
        let contract = kind.begin().len() + kind.steps[..4].iter().flatten().count();
        if files[contract].text.contains("completes=") {
            let early = found(&files, kind.begin().len());
            let expected = |one: &String| one.starts_with(&files[contract].name) && one.ends_with("error[contract-too-early]");
            assert!(early.iter().any(expected), "{}: {early:?}", kind.title);
            completing += 1;
        }
        let untagged: Vec<&str> = files[contract].text.lines().filter(|line| !line.starts_with("-- phase")).collect();
        files[contract].text = untagged.join("\n") + "\n";
        let untagged = found(&files, contract);
        let more = untagged.len().checked_sub(announced(&kind.steps[4]).len());
        assert!(more.is_some_and(|more| more > 0), "{}: {untagged:?}", kind.title);
    }
    assert!(completing >= 12, "{completing} contracts name what they complete");
}

#[test]
fn what_needs_one_step_is_clean() {
    let kinds = kinds();
    let kind = kinds.iter().find(|kind| kind.title == ONE_STEP).unwrap();
    assert!(kind.short.len() >= 5);
    assert_eq!(found(&kind.short, 1), announced(&[]));
}

/// Findings of the server above a note, as `rule unit`; every proof was run.
fn proven(server: &dyn Server, title: &str, files: &[File]) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), files);
    let (checked, evidence) = prover::prove(server, &prover::request(&PROOFS), directory.path(), Some("goose"));
    assert_eq!(evidence.len(), 1, "{title}");
    assert_eq!(evidence[0].proofs.len(), PROOFS.len(), "{title}");
    for proof in &evidence[0].proofs {
        assert!(!matches!(proof.outcome, Outcome::NotRun(_)), "{title}: {proof:?}");
        if proof.proof == "apply" {
            assert!(matches!(proof.outcome, Outcome::Passed), "{title}: {proof:?}");
        }
    }
    let of_proofs = ["apply-failed", "breaks-old-query", "fails-on-data", "needs-superuser", "prediction-missed"];
    let shown = checked.findings.iter().filter(|finding| counts(finding) && of_proofs.contains(&finding.rule));
    shown.map(|finding| format!("{} {}: {}", finding.rule, finding.migration, finding.message)).collect()
}

#[test]
fn the_five_steps_run_on_a_server_and_old_queries_go_on() {
    let server = prover::server();
    let mut wrong = Vec::new();
    for kind in kinds() {
        let files = if kind.title == ONE_STEP { kind.short.clone() } else { kind.whole() };
        let found = proven(&server, &kind.title, &files);
        if !found.is_empty() {
            wrong.push(format!("{}: {found:#?}", kind.title));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a database says to a query: the first value of its last row, or the SQLSTATE of its refusal.
fn answer(client: &mut postgres::Client, query: &str) -> String {
    match client.simple_query(query) {
        Ok(messages) => {
            let rows = messages.iter().filter_map(|message| match message {
                postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("NULL").to_owned()),
                _ => None,
            });
            rows.last().unwrap_or_else(|| "done".to_owned())
        }
        Err(error) => error.code().unwrap_or_else(|| panic!("{query}: {error}")).code().to_owned(),
    }
}

/// A database of its own in which these files have run, each in a transaction.
fn migrated(server: &LocalServer, name: &str, files: &[File]) -> postgres::Client {
    server.create_database(name, None).unwrap();
    let mut client = server.connect(name).unwrap();
    for file in files {
        client.batch_execute(&format!("BEGIN;\n{}COMMIT;", file.text)).unwrap_or_else(|error| panic!("{}: {error:?}", file.name));
    }
    client
}

/// What the proofs do not show, as it takes a value of its own, rows that are there, or a call: a query of the previous release, and
/// what it says before the short way and after it.
const SHOWN_BY_HAND: [(&str, &str, &str, &str); 6] = [
    ("Rename a label of an enum", "INSERT INTO orders (state) VALUES ('canceled')", "done", "22P02"),
    ("Add a CHECK", "INSERT INTO orders (total) VALUES (-1)", "done", "23514"),
    ("Add a unique key", "INSERT INTO users (badge) VALUES (7), (7)", "done", "23505"),
    ("Add a foreign key", "INSERT INTO orders (user_id) VALUES (404)", "done", "23503"),
    (
        "Drop a foreign key",
        "INSERT INTO orders (total) VALUES (1); INSERT INTO lines (order_id) SELECT max(id) FROM orders; \
         DELETE FROM orders; SELECT count(*) FROM lines",
        "0",
        "1",
    ),
    ("Change what a function returns", "SELECT pg_typeof(price_with_tax(100))", "integer", "numeric"),
];

#[test]
fn a_server_shows_what_the_short_way_breaks() {
    let server = prover::server();
    let mut silent = Vec::new();
    for (number, kind) in five_steps().iter().enumerate() {
        let last = version(kind.short.last().unwrap());
        let found = proven(&server, &kind.title, &kind.short);
        let shown =
            |one: &String| ["breaks-old-query", "fails-on-data"].iter().any(|rule| one.starts_with(&format!("{rule} {last}")));
        if !found.iter().any(shown) {
            silent.push(kind.title.clone());
            let by_hand = SHOWN_BY_HAND.iter().find(|(title, ..)| *title == kind.title);
            let (_, query, before, after) = by_hand.unwrap_or_else(|| panic!("{}: nothing shows it: {found:?}", kind.title));
            let mut old = migrated(&server, &format!("before_{number}"), kind.begin());
            let mut new = migrated(&server, &format!("after_{number}"), &kind.short);
            assert_eq!((answer(&mut old, query).as_str(), answer(&mut new, query).as_str()), (*before, *after), "{}", kind.title);
        }
    }
    assert_eq!(silent, SHOWN_BY_HAND.map(|(title, ..)| title), "the rest is shown by a proof");
}

#[test]
fn what_keeps_two_shapes_in_step_does_so_whichever_release_writes() {
    let server = prover::server();
    let columns = [
        ("Rename a column", "users", "name", "full_name", "'a'", "'b'"),
        ("Change the type of a column", "orders", "total", "total_cents", "1", "2"),
    ];
    let kinds = kinds();
    let expanded = |title: &str| {
        let kind = kinds.iter().find(|kind| kind.title == title).unwrap();
        kind.begin().iter().chain(&kind.steps[0]).cloned().collect::<Vec<_>>()
    };
    for (number, (title, table, old, new, one, other)) in columns.into_iter().enumerate() {
        let mut client = migrated(&server, &format!("step_{number}"), &expanded(title));
        let both = format!("; SELECT concat_ws(' ', {old}, {new}) FROM {table} ORDER BY id");
        let same = |value: &str| format!("{0} {0}", value.trim_matches('\''));
        for (column, value) in [(old, one), (new, other)] {
            let inserted = answer(&mut client, &format!("INSERT INTO {table} ({column}) VALUES ({value}){both}"));
            assert_eq!(inserted, same(value), "{title}: INSERT of {column}");
        }
        for (column, value) in [(old, one), (new, other), (old, one)] {
            let updated = answer(&mut client, &format!("UPDATE {table} SET {column} = {value}{both}"));
            assert_eq!(updated, same(value), "{title}: UPDATE of {column}");
        }
    }
    let mut retyped = migrated(&server, "too_large", &expanded("Change the type of a column"));
    assert_eq!(answer(&mut retyped, "INSERT INTO orders (total_cents) VALUES (3000000000)"), "22003", "as the page warns");
    let mut split = migrated(&server, "split", &expanded("Split a table"));
    let city = "; SELECT city FROM addresses";
    assert_eq!(answer(&mut split, &format!("INSERT INTO users (email, city) VALUES ('x', 'Ulm'){city}")), "Ulm");
    assert_eq!(answer(&mut split, &format!("UPDATE users SET city = 'Jena'{city}")), "Jena");
}
