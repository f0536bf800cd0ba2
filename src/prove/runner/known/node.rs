//! Runners written in JavaScript.

use super::{Command, LedgerShape, Lock, Made, Moment, Pending, Profile, Session, Spread, id, literal};

/// salsita/node-pg-migrate, `src/runner.ts`: lock (one try), ensureMigrationsTable (under the lock), runner (all that is pending in one
/// transaction); `src/migration.ts`: _apply and _getMarkAsRun.
pub const NODE_PG_MIGRATE: Profile = Profile {
    layout: "node-pg-migrate",
    runner: Some("node-pg-migrate"),
    command: Some(Command::Socket("npx node-pg-migrate up -m \"$MIGRATIONS_DIR\"")),
    lock: Lock::Tried { key: 7_241_865_325_823_964, refusal: "Another migration is already running" },
    ledger: LedgerShape {
        table: "public.pgmigrations",
        column: "name",
        made: Made::ByRunner {
            sql: &[
                "CREATE TABLE public.pgmigrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL)",
            ],
            looks_first: true,
            under_lock: true,
        },
        read: "SELECT name FROM public.pgmigrations",
        key: id,
        before: None,
        record: Some((Moment::InTransaction, |entry| {
            format!("INSERT INTO public.pgmigrations (name, run_on) VALUES ({}, now())", literal(entry.id()))
        })),
        refuses: None,
    },
    pending: Pending::Missing,
    spread: Spread::AllPending,
    session: Session::One,
    remark: None,
};

/// db-migrate/node-db-migrate, `lib/migrator.js`: up (startMigration, the step, writeMigrationRecord, endMigration);
/// `lib/driver/base.js`: _createMigrationsTable. No lock.
pub const DB_MIGRATE: Profile = Profile {
    layout: "db-migrate",
    runner: Some("db-migrate"),
    command: Some(Command::Socket("npx db-migrate up --migrations-dir \"$MIGRATIONS_DIR\"")),
    lock: Lock::None,
    ledger: LedgerShape {
        table: "migrations",
        column: "name",
        made: Made::ByRunner {
            sql: &["CREATE TABLE IF NOT EXISTS migrations (id serial PRIMARY KEY NOT NULL, name varchar(255) NOT NULL, \
                 run_on timestamp NOT NULL)"],
            looks_first: true,
            under_lock: false,
        },
        read: "SELECT name FROM migrations",
        key: |entry| format!("/{}", entry.id()),
        before: None,
        record: Some((Moment::InTransaction, |entry| {
            format!("INSERT INTO migrations (name, run_on) VALUES ({}, now())", literal(&format!("/{}", entry.id())))
        })),
        refuses: None,
    },
    pending: Pending::Missing,
    spread: Spread::EachUnit,
    session: Session::One,
    remark: None,
};

/// drizzle-team/drizzle-orm, `drizzle-orm/src/pg-core/dialect.ts`: migrate (schema and table outside of the transaction, the last row
/// read outside of it too, then all that is pending with its rows in one). No lock.
pub const DRIZZLE: Profile = Profile {
    layout: "drizzle",
    runner: Some("Drizzle"),
    command: Some(Command::Socket("npx drizzle-kit migrate")),
    lock: Lock::None,
    ledger: LedgerShape {
        table: "drizzle.__drizzle_migrations",
        column: "created_at",
        made: Made::ByRunner {
            sql: &[
                "CREATE SCHEMA IF NOT EXISTS drizzle",
                "CREATE TABLE IF NOT EXISTS drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)",
            ],
            looks_first: false,
            under_lock: false,
        },
        read: "SELECT created_at::text FROM drizzle.__drizzle_migrations",
        key: |entry| entry.place.to_string(),
        before: None,
        record: Some((Moment::InTransaction, |entry| {
            format!(
                "INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('{}', {})",
                entry.checksum(),
                entry.place
            )
        })),
        refuses: None,
    },
    pending: Pending::AfterLast,
    spread: Spread::AllPending,
    session: Session::One,
    remark: Some("created_at counts the entries of the journal, it is not their `when`"),
};

/// graphile/migrate, `src/migration.ts`: _migrateMigrationSchema (one batch), getLastMigration, runStringMigration (the row in the
/// unit's transaction); `src/commands/migrate.ts`: a session for each. No lock.
pub const GRAPHILE_MIGRATE: Profile = Profile {
    layout: "graphile-migrate",
    runner: Some("graphile-migrate"),
    command: Some(Command::Socket("npx graphile-migrate migrate")),
    lock: Lock::None,
    ledger: LedgerShape {
        table: "graphile_migrate.migrations",
        column: "filename",
        made: Made::ByRunner {
            sql: &["CREATE SCHEMA IF NOT EXISTS graphile_migrate; CREATE TABLE IF NOT EXISTS graphile_migrate.migrations \
                 (hash text PRIMARY KEY, previous_hash text REFERENCES graphile_migrate.migrations, filename text NOT NULL, \
                 date timestamptz NOT NULL DEFAULT now())"],
            looks_first: false,
            under_lock: false,
        },
        read: "SELECT filename FROM graphile_migrate.migrations",
        key: |entry| entry.file().to_owned(),
        before: None,
        record: Some((Moment::InTransaction, |entry| {
            format!(
                "INSERT INTO graphile_migrate.migrations (hash, previous_hash, filename) \
                 VALUES ('{}', (SELECT hash FROM graphile_migrate.migrations ORDER BY filename DESC LIMIT 1), {})",
                entry.checksum(),
                literal(entry.file())
            )
        })),
        refuses: None,
    },
    pending: Pending::AfterLast,
    spread: Spread::EachUnit,
    session: Session::One,
    remark: None,
};
