//! What the runners of the layouts do, as far as proofs can see it: the lock, the ledger, and the moment at which the ledger knows.
//!
//! Each profile names repository, file and function. Read there for this were golang-migrate, sqlx, Prisma, node-pg-migrate, tern, Supabase,
//! sqitch, Atlas, graphile-migrate, and Flyway's lock and table; of the others that is where to look, and what is said of them comes
//! from their documentation and has not been held against the source. Wrapping is not here: a unit carries its
//! own ([`Migration::wrapping`](crate::source::Migration)). Whether a runner waits for an advisory lock is what its layout says too
//! ([`Layout::waits_for_advisory_lock`](crate::source::layouts::Layout)), and a test holds the two together.
//!
//! A new runner is one constant here, in the file of its kind, and a line in [`ALL`].

use crate::source::Migration;
use sha2::{Digest, Sha256};
use std::time::Duration;

mod databases;
mod go;
mod java;
mod node;
mod rust;
mod scripts;

/// Every profile, one for each layout.
pub const ALL: &[&Profile] = &[
    &go::GOLANG_MIGRATE,
    &go::GOOSE,
    &go::DBMATE,
    &go::SQL_MIGRATE,
    &go::TERN,
    &go::POP,
    &databases::ATLAS,
    &databases::SUPABASE,
    &databases::HASURA,
    &databases::PRISMA,
    &rust::SQLX,
    &rust::DIESEL,
    &rust::REFINERY,
    &node::NODE_PG_MIGRATE,
    &node::DB_MIGRATE,
    &node::DRIZZLE,
    &node::GRAPHILE_MIGRATE,
    &java::FLYWAY,
    &java::LIQUIBASE,
    &java::MYBATIS,
    &java::PLAY,
    &scripts::SQITCH,
    &scripts::YOYO,
    &scripts::EF_CORE,
    &scripts::ALEMBIC_SQL,
    &scripts::DJANGO_SQLMIGRATE,
    &scripts::PSQL_SCRIPTS,
    &scripts::DELTA_DIRECTORIES,
    &scripts::VERSION_DIRECTORIES,
    &scripts::PLAIN,
];

/// What the runner of a layout does. A layout that nobody wrote down is run as one without a known runner.
pub fn profile(layout: &str) -> &'static Profile {
    ALL.iter().find(|profile| profile.layout == layout).copied().unwrap_or(&scripts::PLAIN)
}

/// What a runner does around the units.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// As `--layout` takes it.
    pub layout: &'static str,
    /// The runner's own name; none where nobody knows the runner, so that the ledger is one of ours.
    pub runner: Option<&'static str>,
    /// How it is called, where one line says it, as its documentation has it: for `--runner`.
    pub command: Option<Command>,
    pub lock: Lock,
    pub ledger: LedgerShape,
    pub pending: Pending,
    pub spread: Spread,
    pub session: Session,
    /// What it does otherwise than its runner, one sentence without a full stop.
    pub remark: Option<&'static str>,
}

/// A line for the shell that applies what is pending. It finds `DATABASE_URL`, `MIGRATIONS_DIR` and the like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// It connects by a Unix socket where it is told to.
    Socket(&'static str),
    /// It knows TCP only, as runners on the Java machine do.
    Tcp(&'static str),
}

/// How a runner keeps others out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    None,
    /// A session's advisory lock, for which others wait inside of a statement.
    Waited {
        key: i64,
    },
    /// A session's advisory lock that is asked for again and again.
    Polled {
        key: i64,
        every: Duration,
        tries: u32,
    },
    /// A session's advisory lock that is asked for once; `refusal` is what the runner says when another one has it.
    Tried {
        key: i64,
        refusal: &'static str,
    },
    /// A row, taken by a statement that changes one row where it succeeds. It stays when the runner dies.
    Row {
        table: &'static str,
        make: &'static [&'static str],
        take: &'static str,
        release: &'static str,
        every: Duration,
        tries: u32,
    },
}

/// The table of a runner, and when it is written.
#[derive(Clone, Copy, Debug)]
pub struct LedgerShape {
    /// As the runner writes it in SQL.
    pub table: &'static str,
    /// The column that tells units apart.
    pub column: &'static str,
    pub made: Made,
    /// Gives the keys of what is applied, as text.
    pub read: &'static str,
    /// What `read` gives for a unit.
    pub key: fn(&Entry<'_>) -> String,
    /// Written before the unit, in a transaction of its own.
    pub before: Option<fn(&Entry<'_>) -> String>,
    /// Written when the unit ran.
    pub record: Option<(Moment, fn(&Entry<'_>) -> String)>,
    /// A query that gives a row where the runner refuses to go on, and what it says then.
    pub refuses: Option<(&'static str, &'static str)>,
}

/// Who makes the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// The runner, by these queries.
    ByRunner {
        sql: &'static [&'static str],
        /// It looks whether the table is there, and makes it only then.
        looks_first: bool,
        /// Under the lock. Outside of it, or where there is none, two runners can meet there.
        under_lock: bool,
    },
    /// The scripts themselves. Until they did, nothing is applied.
    ByScripts,
}

/// When the ledger learns that a unit ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// In the unit's transaction, where the runner opened one; else behind it.
    InTransaction,
    /// In the unit's transaction, and with its statements in one message where that is how they are sent.
    InBatch,
    /// In a transaction of its own.
    After,
}

/// Which units a runner takes for pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// Those whose key is not in the ledger.
    Missing,
    /// Those behind the last one that is.
    AfterLast,
    /// All of them, each time: the script asks by itself.
    Everything,
}

/// How far one transaction of the runner's reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    EachUnit,
    /// Over all that is pending.
    AllPending,
}

/// How long a session lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// One for everything: what a unit sets, the next one finds.
    One,
    /// One, with `RESET ALL` before each unit.
    Reset,
    /// A program started for each file, and one more for lock and ledger.
    OnePerFile,
}

/// A unit as ledgers know it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// From 1.
    pub place: usize,
    pub migration: &'a Migration,
}

impl<'a> Entry<'a> {
    pub fn id(&self) -> &'a str {
        &self.migration.id
    }

    /// The number of its version, without leading zeros; its place where there is none.
    pub fn number(&self) -> u64 {
        let of_id = || {
            let digits = self.id().trim_start_matches(|c: char| !c.is_ascii_digit());
            digits.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok())
        };
        let single = self.migration.version.as_ref().and_then(|version| version.single());
        single.or_else(of_id).unwrap_or(self.place as u64)
    }

    /// The name of its file, without directories.
    pub fn file(&self) -> &'a str {
        self.migration.file.path.rsplit('/').next().unwrap_or_default()
    }

    /// 64 hexadecimal digits of the file's contents.
    pub fn checksum(&self) -> String {
        Sha256::digest(&self.migration.file.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The same as a number, for columns that hold one.
    pub fn short_checksum(&self) -> i32 {
        let digest = Sha256::digest(&self.migration.file.bytes);
        digest.iter().take(4).fold(0, |number: i32, byte| (number << 8) | i32::from(*byte))
    }
}

/// A string literal of SQL.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The key of runners that record a unit's id.
fn id(entry: &Entry<'_>) -> String {
    entry.id().to_owned()
}

/// The key of runners that record a number.
fn number(entry: &Entry<'_>) -> String {
    entry.number().to_string()
}
