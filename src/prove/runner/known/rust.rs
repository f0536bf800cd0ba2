//! Runners written in Rust.

use super::{Command, Entry, LedgerShape, Lock, Made, Moment, Pending, Profile, Session, Spread, literal, number};

/// launchbadge/sqlx, `sqlx-core/src/migrate/migrator.rs`: run_direct (lock, then the table, then what is pending);
/// `sqlx-postgres/src/migrate.rs`: lock, ensure_migrations_table, execute_migration (the row in the unit's transaction, or behind the
/// batch of a unit without one). `sqlx migrate run` takes no lock, the library does.
pub const SQLX: Profile = Profile {
    layout: "sqlx",
    runner: Some("sqlx"),
    command: Some(Command::Socket("sqlx migrate run --source \"$MIGRATIONS_DIR\"")),
    lock: Lock::Waited { key: 1_026_731_422 },
    ledger: LedgerShape {
        table: "_sqlx_migrations",
        column: "version",
        made: Made::ByRunner {
            sql: &["CREATE TABLE IF NOT EXISTS _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL, \
                 installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, checksum bytea NOT NULL, \
                 execution_time bigint NOT NULL)"],
            looks_first: false,
            under_lock: true,
        },
        read: "SELECT version::text FROM _sqlx_migrations",
        key: number,
        before: None,
        record: Some((Moment::InTransaction, |entry| {
            format!(
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES ({}, {}, true, decode('{}', 'hex'), -1)",
                entry.number(),
                literal(entry.file()),
                entry.checksum()
            )
        })),
        refuses: Some(("SELECT version FROM _sqlx_migrations WHERE NOT success", "a migration was only partly applied")),
    },
    pending: Pending::Missing,
    spread: Spread::EachUnit,
    session: Session::One,
    remark: Some("the lock is the library's; `sqlx migrate run` takes none"),
};

/// diesel-rs/diesel, `diesel/src/migration.rs` and `diesel/src/pg/connection`: setup of the table;
/// `diesel_migrations/src/migration_harness.rs`: run_migration (the row in the unit's transaction). No lock.
pub const DIESEL: Profile = Profile {
    layout: "diesel",
    runner: Some("Diesel"),
    command: Some(Command::Socket("diesel migration run --migration-dir \"$MIGRATIONS_DIR\"")),
    lock: Lock::None,
    ledger: LedgerShape {
        table: "__diesel_schema_migrations",
        column: "version",
        made: Made::ByRunner {
            sql: &["CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (version varchar(50) PRIMARY KEY NOT NULL, \
                 run_on timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP)"],
            looks_first: false,
            under_lock: false,
        },
        read: "SELECT version FROM __diesel_schema_migrations",
        key: diesel_version,
        before: None,
        record: Some((Moment::InTransaction, |entry| {
            format!("INSERT INTO __diesel_schema_migrations (version) VALUES ({})", literal(&diesel_version(entry)))
        })),
        refuses: None,
    },
    pending: Pending::Missing,
    spread: Spread::EachUnit,
    session: Session::One,
    remark: None,
};

/// What stands before the first `_` of the directory's name, without `-`.
fn diesel_version(entry: &Entry<'_>) -> String {
    entry.id().split('_').next().unwrap_or_default().replace('-', "")
}

/// rust-db/refinery, `refinery_core/src/traits/mod.rs`: ASSERT_MIGRATIONS_TABLE_QUERY, insert_migration_query;
/// `refinery_core/src/traits/sync.rs`: migrate (the unit, and then its row, which do not share a transaction). No lock.
pub const REFINERY: Profile = Profile {
    layout: "refinery",
    runner: Some("refinery"),
    command: Some(Command::Socket("refinery migrate -e DATABASE_URL -p \"$MIGRATIONS_DIR\"")),
    lock: Lock::None,
    ledger: LedgerShape {
        table: "refinery_schema_history",
        column: "version",
        made: Made::ByRunner {
            sql: &["CREATE TABLE IF NOT EXISTS refinery_schema_history (version int8 PRIMARY KEY, name varchar(255), \
                 applied_on varchar(255), checksum varchar(255))"],
            looks_first: false,
            under_lock: false,
        },
        read: "SELECT version::text FROM refinery_schema_history",
        key: number,
        before: None,
        record: Some((Moment::After, |entry| {
            format!(
                "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES ({}, {}, now()::text, '{}')",
                entry.number(),
                literal(entry.file()),
                entry.short_checksum()
            )
        })),
        refuses: None,
    },
    pending: Pending::Missing,
    spread: Spread::EachUnit,
    session: Session::One,
    remark: None,
};
