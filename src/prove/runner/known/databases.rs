//! Runners that belong to a platform or to a modelling tool.

use super::{Command, Entry, LedgerShape, Lock, Made, Moment, Pending, Profile, Session, Spread, id, literal};

/// ariga/atlas, `sql/postgres/driver.go`: Lock and acquire (`pg_advisory_lock` where there is a time limit, which is ten seconds unless
/// `--lock-timeout` says otherwise); `cmd/atlas/internal/migrate/ent_revisions.go`: Migrate, WriteRevision;
/// `cmd/atlas/internal/cmdapi/migrate.go`: the revision is written in the file's transaction.
pub const ATLAS: Profile = Profile {
    layout: "atlas",
    runner: Some("Atlas"),
    command: Some(Command::Socket("atlas migrate apply --dir \"file://$MIGRATIONS_DIR\" --url \"$DATABASE_URL\"")),
    lock: Lock::Waited { key: 1_634_492_771 },
    ledger: LedgerShape {
        table: "atlas_schema_revisions.atlas_schema_revisions",
        column: "version",
        made: Made::ByRunner {
            sql: &[
                "CREATE SCHEMA IF NOT EXISTS atlas_schema_revisions",
                "CREATE TABLE IF NOT EXISTS atlas_schema_revisions.atlas_schema_revisions (version varchar NOT NULL PRIMARY KEY, \
                 description varchar NOT NULL, type bigint NOT NULL DEFAULT 2, applied bigint NOT NULL DEFAULT 0, \
                 total bigint NOT NULL DEFAULT 0, executed_at timestamptz NOT NULL, execution_time bigint NOT NULL, error text, \
                 error_stmt text, hash varchar NOT NULL, partial_hashes jsonb, operator_version varchar NOT NULL)",
            ],
            looks_first: true,
            under_lock: true,
        },
        read: "SELECT version FROM atlas_schema_revisions.atlas_schema_revisions",
        key: id,
        before: None,
        record: Some((Moment::InTransaction, |entry| {
            format!(
                "INSERT INTO atlas_schema_revisions.atlas_schema_revisions \
                 (version, description, executed_at, execution_time, hash, operator_version) VALUES ({}, {}, now(), 0, {}, 'phasegate')",
                literal(entry.id()),
                literal(entry.file()),
                literal(&entry.checksum())
            )
        })),
        refuses: None,
    },
    pending: Pending::Missing,
    spread: Spread::EachUnit,
    session: Session::One,
    remark: None,
};

/// supabase/cli, `pkg/migration/history.go`: CreateMigrationTable (one batch, no lock, a lock_timeout of four seconds);
/// `pkg/migration/file.go`: ExecBatch (the row in the same pipeline as the statements); `pkg/migration/apply.go`: ApplyMigrations, with
/// RESET ALL before each file.
pub const SUPABASE: Profile = Profile {
    layout: "supabase",
    runner: Some("Supabase CLI"),
    command: Some(Command::Socket("supabase db push --db-url \"$DATABASE_URL\"")),
    lock: Lock::None,
    ledger: LedgerShape {
        table: "supabase_migrations.schema_migrations",
        column: "version",
        made: Made::ByRunner {
            sql: &["SET LOCAL lock_timeout = '4s'; CREATE SCHEMA IF NOT EXISTS supabase_migrations; \
                 CREATE TABLE IF NOT EXISTS supabase_migrations.schema_migrations (version text NOT NULL PRIMARY KEY); \
                 ALTER TABLE supabase_migrations.schema_migrations ADD COLUMN IF NOT EXISTS statements text[]; \
                 ALTER TABLE supabase_migrations.schema_migrations ADD COLUMN IF NOT EXISTS name text"],
            looks_first: false,
            under_lock: false,
        },
        read: "SELECT version FROM supabase_migrations.schema_migrations",
        key: |entry| before_name(entry).to_owned(),
        before: None,
        record: Some((Moment::InBatch, |entry| {
            format!(
                "INSERT INTO supabase_migrations.schema_migrations (version, name) VALUES ({}, {})",
                literal(before_name(entry)),
                literal(entry.file())
            )
        })),
        refuses: None,
    },
    pending: Pending::Missing,
    spread: Spread::EachUnit,
    session: Session::Reset,
    remark: Some("its statements go in one simple query, not in a pipeline"),
};

/// What stands before the first `_` of the name.
fn before_name<'a>(entry: &Entry<'a>) -> &'a str {
    entry.id().split('_').next().unwrap_or_default()
}

/// hasura/graphql-engine, `cli/migrate/database/hasuradb/hasuradb.go` (DefaultMigrationsTable, ensureVersionTable) and `migrations.go`
/// (Run, InsertVersion): the row follows the unit in a request of its own. No lock in the database. Since config v3 the state is a
/// JSON document in `hdb_catalog.hdb_version`, which only Hasura's own server keeps.
pub const HASURA: Profile = Profile {
    layout: "hasura",
    runner: Some("Hasura"),
    command: None,
    lock: Lock::None,
    ledger: LedgerShape {
        table: "hdb_catalog.schema_migrations",
        column: "version",
        made: Made::ByRunner {
            sql: &[
                "CREATE SCHEMA IF NOT EXISTS hdb_catalog",
                "CREATE TABLE IF NOT EXISTS hdb_catalog.schema_migrations (version text NOT NULL PRIMARY KEY, dirty boolean NOT NULL)",
            ],
            looks_first: true,
            under_lock: false,
        },
        read: "SELECT version FROM hdb_catalog.schema_migrations",
        key: |entry| before_name(entry).to_owned(),
        before: None,
        record: Some((Moment::After, |entry| {
            format!("INSERT INTO hdb_catalog.schema_migrations (version, dirty) VALUES ({}, false)", literal(before_name(entry)))
        })),
        refuses: None,
    },
    pending: Pending::Missing,
    spread: Spread::EachUnit,
    session: Session::One,
    remark: Some("Hasura's server is not there: its ledger is as it was before config v3"),
};

/// prisma/prisma-engines, `schema-engine/connectors/sql-schema-connector/src/flavour/postgres.rs`: acquire_lock (ten seconds at most),
/// create_migrations_table; `schema-engine/commands/src/commands/apply_migrations.rs`: apply_migrations (table under the lock, started
/// before the script and finished behind it, each by itself), detect_failed_migrations.
pub const PRISMA: Profile = Profile {
    layout: "prisma",
    runner: Some("Prisma Migrate"),
    command: Some(Command::Socket("npx prisma migrate deploy")),
    lock: Lock::Waited { key: 72_707_369 },
    ledger: LedgerShape {
        table: "_prisma_migrations",
        column: "migration_name",
        made: Made::ByRunner {
            sql: &["CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY NOT NULL, checksum varchar(64) NOT NULL, \
                 finished_at timestamptz, migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, \
                 started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0)"],
            looks_first: true,
            under_lock: true,
        },
        read: "SELECT migration_name FROM _prisma_migrations WHERE rolled_back_at IS NULL",
        key: id,
        before: Some(|entry| {
            format!(
                "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES (gen_random_uuid()::text, {}, {})",
                literal(&entry.checksum()),
                literal(entry.id())
            )
        }),
        record: Some((Moment::After, |entry| {
            format!(
                "UPDATE _prisma_migrations SET applied_steps_count = applied_steps_count + 1, finished_at = now() \
                 WHERE migration_name = {} AND finished_at IS NULL",
                literal(entry.id())
            )
        })),
        refuses: Some((
            "SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NULL AND rolled_back_at IS NULL",
            "there is a failed migration in the ledger: nothing is applied until it is resolved",
        )),
    },
    pending: Pending::Missing,
    spread: Spread::EachUnit,
    session: Session::One,
    remark: None,
};
