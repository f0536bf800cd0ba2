//! What newer servers have and older ones do not: the tables of `src/versions` are what servers of every known version say. With
//! `PHASEGATE_BLESS=1` they are written anew. These tests fail, they are not skipped, where a server is missing: scripts/servers.

#[path = "support/rows.rs"]
mod rows;
#[path = "support/servers.rs"]
mod servers;
#[path = "support/tables.rs"]
mod tables;

use phasegate::check::{self, Request};
use phasegate::config::Settings;
use phasegate::prove::server::LocalServer;
use phasegate::versions::newer;
use postgres::Client;
use rows::rows;
use std::collections::{BTreeMap, BTreeSet};
use tables::{assert_table, read};

type Servers = [(u16, LocalServer)];

/// What minor releases brought to every major version that was still kept: a server of an older minor release lacks it.
const BY_MINOR_RELEASES: [&str; 2] = ["setting composite_type_mismatch", "setting output_plugin_libraries"];

/// The rows of the query that the oldest server does not give, each behind the first version that does. Rows are told apart by
/// their `key`. What comes and goes again between versions was added to older ones by their minor releases.
fn added(servers: &Servers, query: &str, key: fn(&str) -> &str) -> Vec<String> {
    let all: Vec<Vec<String>> = servers.iter().map(|(_, server)| rows(server, query)).collect();
    // What the newest server does not have is no feature of an older major version, but of one of its minor releases.
    let lasting: BTreeSet<String> = all.iter().last().into_iter().flatten().map(|row| key(row).to_owned()).collect();
    let mut known = BTreeSet::new();
    let mut added = BTreeMap::new();
    for (at, ((major, _), rows)) in servers.iter().zip(all).enumerate() {
        let counts = |row: &String| lasting.contains(key(row)) && !BY_MINOR_RELEASES.contains(&row.as_str());
        for row in rows.into_iter().filter(counts) {
            if known.insert(key(&row).to_owned()) && at > 0 {
                added.insert(row.clone(), format!("{major} {row}"));
            }
        }
    }
    added.into_values().collect()
}

/// One entry of forms.sql.
struct Witness {
    id: String,
    says: String,
    setup: String,
    newer: String,
    /// In a database of its own, outside of a transaction.
    alone: bool,
    /// An answer that counts as taken.
    or: Option<String>,
}

fn witnesses() -> Vec<Witness> {
    let text = read("versions/forms.sql");
    let forms = text.split("\n-- form ").skip(1);
    forms
        .map(|form| {
            let (head, rest) = form.split_once('\n').unwrap();
            let (id, says) = head.split_once(": ").unwrap_or_else(|| panic!("{head}: no name"));
            let (setup, newer) = rest.split_once("-- newer").unwrap_or_else(|| panic!("{id}: nothing newer"));
            let (how, newer) = newer.split_once('\n').unwrap();
            let or = how.strip_prefix(", or ").map(str::to_owned);
            assert!(how.is_empty() || how == ", alone" || or.is_some(), "{id}: {how}");
            Witness {
                id: id.into(),
                says: says.into(),
                setup: setup.into(),
                newer: newer.trim().into(),
                alone: how == ", alone",
                or,
            }
        })
        .collect()
}

/// The SQLSTATE that the server refuses a text with.
fn refusal(client: &mut Client, sql: &str) -> Option<String> {
    let error = client.batch_execute(sql).err()?;
    Some(error.code().unwrap_or_else(|| panic!("{sql}: {error:?}")).code().to_owned())
}

impl Witness {
    fn is_taken(&self, server: &LocalServer) -> bool {
        let database = if self.alone { "alone" } else { "postgres" };
        if self.alone {
            server.connect("postgres").unwrap().batch_execute("DROP DATABASE IF EXISTS alone").unwrap();
            server.create_database("alone", None).unwrap();
        }
        let mut client = server.connect(database).unwrap();
        let begin = if self.alone { "" } else { "BEGIN;\n" };
        client.batch_execute(&format!("{begin}{}", self.setup)).unwrap_or_else(|error| panic!("{}: {error:?}", self.id));
        match refusal(&mut client, &self.newer) {
            None => true,
            Some(code) => self.or.as_ref() == Some(&code),
        }
    }

    /// Whether the server also refuses a plpgsql body that holds the statement and does not run.
    fn is_refused_by_parser(&self, server: &LocalServer) -> bool {
        let body = self.newer.strip_prefix("DO $$").and_then(|body| body.strip_suffix("$$;"));
        let body = body.map_or_else(|| format!("BEGIN {} END", self.newer), str::to_owned);
        let mut client = server.connect("postgres").unwrap();
        client.batch_execute(&format!("BEGIN;\n{}", self.setup)).unwrap();
        let create = format!("CREATE FUNCTION newer() RETURNS void LANGUAGE plpgsql AS $newer$ {body} $newer$");
        refusal(&mut client, &create).is_some()
    }
}

/// `since`, whose parser or statement refuses it before, id and name.
fn form_line(servers: &Servers, witness: &Witness) -> String {
    let taken: Vec<bool> = servers.iter().map(|(_, server)| witness.is_taken(server)).collect();
    let first = taken.iter().position(|taken| *taken).unwrap_or_else(|| panic!("{}: no server takes it", witness.id));
    assert!(first > 0 && taken[first..].iter().all(|taken| *taken), "{}: taken by {taken:?}", witness.id);
    let refused: Vec<bool> = servers[..first].iter().map(|(_, server)| witness.is_refused_by_parser(server)).collect();
    assert!(refused.iter().all(|by_parser| *by_parser == refused[0]), "{}: by the parser {refused:?}", witness.id);
    let by = if refused[0] { "parser" } else { "server" };
    format!("{} {by} {} {}", servers[first].0, witness.id, witness.says)
}

#[test]
fn what_newer_servers_have_is_what_the_tables_say() {
    let servers = servers::of_every_version();
    for (major, server) in &servers {
        assert_eq!(server.version() / 10_000, u32::from(*major));
    }
    // A new result or another set of output columns makes no new function for who calls it.
    let mut functions =
        added(&servers, &read("catalog/builtin/functions.sql"), |row| row.split_once(" :").map_or(row, |cut| cut.0));
    functions.sort_by(|a, b| a.split_once(' ').map(|cut| cut.1).cmp(&b.split_once(' ').map(|cut| cut.1)));
    assert_table("versions/functions.txt", &functions);
    let mut names = added(&servers, &read("versions/names.sql"), |row| row);
    names.sort();
    assert_table("versions/names.txt", &names);
    let forms: Vec<String> = witnesses().iter().map(|witness| form_line(&servers, witness)).collect();
    assert_table("versions/forms.txt", &forms);
}

/// What the rule says of a history: the first versions that it names, and whether it says anything else.
fn needed(units: &[&str], postgres: &str) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    for (number, sql) in units.iter().enumerate() {
        std::fs::write(directory.path().join(format!("{:04}_step.sql", number + 1)), sql).unwrap();
    }
    let postgres = Some(postgres.parse().unwrap());
    let checked = check::run(&Request::of_paths([directory.path()], Settings { postgres, ..Settings::default() }));
    assert!(checked.unusable.is_empty(), "{:?}", checked.unusable);
    let findings = checked.findings.iter().filter(|f| f.rule == "needs-newer-server" || f.rule == "syntax-error");
    findings.map(|finding| finding.message.clone()).collect()
}

#[test]
fn every_form_is_found_in_its_witness_and_none_in_what_stands_before_it() {
    let mut wrong = Vec::new();
    for witness in witnesses() {
        let form = newer::form(&witness.id).unwrap_or_else(|| panic!("{} is not in forms.txt", witness.id));
        let units = [witness.setup.as_str(), witness.newer.as_str()];
        let mut hold = |holds: bool, found: Vec<String>| {
            if !holds {
                wrong.push(format!("{}: {found:?}", witness.id));
            }
        };
        let in_setup = needed(&[units[0], "SELECT 1;"], "15..18");
        hold(in_setup.is_empty(), in_setup);
        let before = needed(&units, &format!("15..{}", form.since));
        hold(before.iter().any(|message| message.starts_with(form.says)), before);
        // A witness may use more that came with the same version, and nothing that came later.
        let since = needed(&units, &form.since.to_string());
        hold(since.is_empty(), since);
    }
    assert_eq!(wrong, [""; 0]);
}
