//! A cluster and small histories for these tests.

use phasegate::check::{self, CheckedHistory, Request};
use phasegate::config::Settings;
use phasegate::prove::chain::Chain;
use phasegate::prove::cluster::{Cluster, ClusterOptions, Database};
use phasegate::prove::runner::{Call, Ended, Runner};
use phasegate::prove::server::{LocalServer, LocalServerOptions};
use phasegate::sql::ParsedUnit;
use phasegate::sql::parse;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

/// Long enough for everything that is not meant to be stopped.
pub const LONG: Duration = Duration::from_secs(120);

/// A static is never dropped, but the server's watchdog sees us go.
pub static SERVER: LazyLock<LocalServer> = LazyLock::new(|| {
    let binaries = std::env::var_os("PHASEGATE_PG_BIN").map(PathBuf::from);
    match LocalServer::start(&LocalServerOptions { binaries, ..LocalServerOptions::default() }) {
        Ok(server) => server,
        Err(error) => panic!("these tests need a PostgreSQL server: {error}"),
    }
});

pub static CLUSTER: LazyLock<Cluster<'static>> =
    LazyLock::new(|| Cluster::prepare(&*SERVER, &ClusterOptions::default()).unwrap());

/// Files in a directory that goes away, read as a history.
pub struct Project {
    directory: tempfile::TempDir,
    checked: CheckedHistory,
    parsed: Vec<ParsedUnit>,
}

impl Project {
    pub fn new(layout: &str, files: &[(&str, &str)]) -> Project {
        Project::with_placeholders(layout, files, &[])
    }

    pub fn with_placeholders(layout: &str, files: &[(&str, &str)], values: &[(&str, &str)]) -> Project {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut settings = Settings { layout: Some(layout.to_owned()), ..Settings::default() };
        settings.placeholders = values.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let mut checked = check::run(&Request::of_paths([directory.path().to_owned()], settings.clone()));
        assert_eq!(checked.histories.len(), 1, "{layout}: {:?}", checked.unusable);
        let checked = checked.histories.remove(0);
        assert_eq!(checked.history.layout, layout);
        let placeholders = check::placeholders(&checked.history, &settings);
        let parsed = checked.history.migrations.iter().map(|unit| parse::unit_with(unit, &placeholders)).collect();
        Project { directory, checked, parsed }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn chain(&self) -> Chain<'_> {
        Chain::new(&self.checked, &self.parsed)
    }
}

/// Runs all units, which must be possible; the call's outcome.
pub fn run(runner: &dyn Runner, chain: &Chain<'_>, database: &Database<'_>) -> Ended {
    run_some(runner, chain, database, chain.units.len())
}

pub fn run_some(runner: &dyn Runner, chain: &Chain<'_>, database: &Database<'_>, units: usize) -> Ended {
    runner.run(chain, &Call { database, units, through: None, limit: LONG }).unwrap()
}

/// Each row's columns, joined by blanks.
pub fn rows(database: &Database<'_>, query: &str) -> Vec<String> {
    let mut client = database.connect_as_administrator().unwrap();
    let messages = client.simple_query(query).unwrap();
    let text = |row: &postgres::SimpleQueryRow| {
        (0..row.len()).map(|at| row.get(at).unwrap_or("-").to_owned()).collect::<Vec<_>>().join(" ")
    };
    messages
        .iter()
        .filter_map(|message| if let postgres::SimpleQueryMessage::Row(row) = message { Some(text(row)) } else { None })
        .collect()
}

/// Tables of the schema public that are no ledger and no lock.
pub fn tables(database: &Database<'_>) -> Vec<String> {
    rows(database, "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'made%' ORDER BY 1")
}

/// Advisory locks that are held in the database, and its other sessions.
pub fn left_behind(database: &Database<'_>) -> Vec<String> {
    rows(
        database,
        "SELECT 'lock' FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE locktype = 'advisory' AND datname = current_database() \
         UNION ALL SELECT 'session ' || query FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
    )
}
