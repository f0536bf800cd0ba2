//! Scripts that psql is given, and layouts whose runner nobody knows: those have a ledger of ours.

use super::{Command, Entry, LedgerShape, Lock, Made, Moment, Pending, Profile, Session, Spread, literal};
use std::time::Duration;

/// sqitchers/sqitch, `lib/App/Sqitch/Engine.pm`: deploy and lock_destination (tries, then waits inside of a statement);
/// `Engine/pg.pm`: _wait_lock, initialize (under the lock), _run (a psql for each script). log_deploy_change follows in a transaction
/// of its own over sqitch's connection. The registry has six tables; here it is the one that is asked.
pub const SQITCH: Profile = Profile {
    layout: "sqitch",
    runner: Some("sqitch"),
    command: Some(Command::Socket("sqitch deploy --chdir \"$MIGRATIONS_DIR\" \"db:pg:\"")),
    lock: Lock::Waited { key: 75_474_063 },
    ledger: LedgerShape {
        table: "sqitch.changes",
        column: "change",
        made: Made::ByRunner {
            sql: &[
                "CREATE SCHEMA IF NOT EXISTS sqitch",
                "CREATE TABLE sqitch.changes (change_id text PRIMARY KEY, script_hash text, change text NOT NULL, project text NOT NULL, \
                 note text NOT NULL DEFAULT '', committed_at timestamptz NOT NULL DEFAULT clock_timestamp(), \
                 committer_name text NOT NULL, committer_email text NOT NULL, planned_at timestamptz NOT NULL, \
                 planner_name text NOT NULL, planner_email text NOT NULL)",
            ],
            looks_first: true,
            under_lock: true,
        },
        read: "SELECT change FROM sqitch.changes",
        key: super::id,
        before: None,
        record: Some((Moment::After, |entry| {
            format!(
                "INSERT INTO sqitch.changes (change_id, script_hash, change, project, committer_name, committer_email, planned_at, \
                 planner_name, planner_email) VALUES ('{0}{1}', '{0}', {2}, 'phasegate', '', '', now(), '', '')",
                entry.checksum(),
                entry.place,
                literal(entry.id())
            )
        })),
        refuses: None,
    },
    pending: Pending::Missing,
    spread: Spread::EachUnit,
    session: Session::OnePerFile,
    remark: Some("of sqitch's registry there is only the table of changes"),
};

/// yoyo-migrations (PyPI, sdist), `yoyo/backends/base.py`: lock and _insert_lock_row (a row whose key is taken, again and again for ten
/// seconds), apply_one (the row in a transaction behind the unit's), init_database (outside of the lock).
pub const YOYO: Profile = Profile {
    layout: "yoyo",
    runner: Some("yoyo"),
    command: Some(Command::Socket("yoyo apply --batch --database \"$DATABASE_URL\" \"$MIGRATIONS_DIR\"")),
    lock: Lock::Row {
        table: "yoyo_lock",
        make: &[
            "CREATE TABLE IF NOT EXISTS yoyo_lock (locked int DEFAULT 1, ctime timestamp, pid int NOT NULL, PRIMARY KEY (locked))",
        ],
        take: "INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, now(), pg_backend_pid()) ON CONFLICT DO NOTHING",
        release: "DELETE FROM yoyo_lock WHERE pid = pg_backend_pid()",
        every: Duration::from_millis(100),
        tries: 100,
    },
    ledger: LedgerShape {
        table: "_yoyo_migration",
        column: "migration_id",
        made: Made::ByRunner {
            sql: &["CREATE TABLE IF NOT EXISTS _yoyo_migration (migration_hash varchar(64), migration_id varchar(255), \
                 applied_at_utc timestamp, PRIMARY KEY (migration_hash))"],
            looks_first: false,
            under_lock: true,
        },
        read: "SELECT migration_id FROM _yoyo_migration",
        key: super::id,
        before: None,
        record: Some((Moment::After, |entry| {
            format!(
                "INSERT INTO _yoyo_migration (migration_hash, migration_id, applied_at_utc) \
                 VALUES (encode(sha256(convert_to({0}, 'UTF8')), 'hex'), {0}, now())",
                literal(entry.id())
            )
        })),
        refuses: None,
    },
    pending: Pending::Missing,
    spread: Spread::EachUnit,
    session: Session::One,
    remark: None,
};

/// dotnet/efcore, `src/EFCore.Relational/Migrations/Internal/Migrator.cs`: GenerateScript. The script makes its table, asks it, and
/// writes its rows. The lock of `Database.Migrate()` (LOCK TABLE) is not in a script.
pub const EF_CORE: Profile = Profile {
    layout: "ef-core",
    runner: Some("psql, as the script of EF Core is run"),
    command: Some(Command::Socket("dotnet ef database update")),
    lock: Lock::None,
    ledger: LedgerShape {
        table: "\"__EFMigrationsHistory\"",
        column: "MigrationId",
        made: Made::ByScripts,
        read: "SELECT \"MigrationId\" FROM \"__EFMigrationsHistory\"",
        key: super::id,
        before: None,
        record: None,
        refuses: None,
    },
    pending: Pending::Everything,
    spread: Spread::EachUnit,
    session: Session::OnePerFile,
    remark: None,
};

const OUR_TABLE: &str = "CREATE TABLE IF NOT EXISTS public.phasegate_ledger (place bigint NOT NULL, unit text NOT NULL PRIMARY KEY, \
                         applied_at timestamptz NOT NULL DEFAULT now())";

/// Ours: what is applied, under a lock that others wait for by asking again.
const OURS: LedgerShape = LedgerShape {
    table: "public.phasegate_ledger",
    column: "unit",
    made: Made::ByRunner { sql: &[OUR_TABLE], looks_first: true, under_lock: true },
    read: "SELECT unit FROM public.phasegate_ledger",
    key: ours,
    before: None,
    record: Some((Moment::InTransaction, |entry| {
        let key = literal(&ours(entry));
        format!("INSERT INTO public.phasegate_ledger (place, unit) VALUES ({}, {key})", entry.place)
    })),
    refuses: None,
};

/// Ids alone need not tell units apart there.
fn ours(entry: &Entry<'_>) -> String {
    format!("{} {}", entry.place, entry.id())
}

const OUR_LOCK: Lock = Lock::Polled { key: 8_101_973_117, every: Duration::from_millis(50), tries: 6000 };
const UNKNOWN: &str = "nobody knows the runner of these files: lock and ledger are phasegate's own";

const fn unknown(layout: &'static str, command: Option<Command>) -> Profile {
    Profile {
        layout,
        runner: None,
        command,
        lock: OUR_LOCK,
        ledger: OURS,
        pending: Pending::Missing,
        spread: Spread::EachUnit,
        session: Session::OnePerFile,
        remark: Some(UNKNOWN),
    }
}

/// The script writes `alembic_version` itself; who keeps it from running twice is not in it.
pub const ALEMBIC_SQL: Profile = unknown("alembic-sql", Some(Command::Socket("alembic upgrade head")));
/// As [`ALEMBIC_SQL`]: the output of `sqlmigrate` records nothing.
pub const DJANGO_SQLMIGRATE: Profile = unknown("django-sqlmigrate", Some(Command::Socket("python manage.py migrate")));
pub const PSQL_SCRIPTS: Profile = unknown(
    "psql-scripts",
    Some(Command::Socket("for file in \"$MIGRATIONS_DIR\"/*.sql; do psql -X -v ON_ERROR_STOP=1 -f \"$file\" || exit; done")),
);
pub const DELTA_DIRECTORIES: Profile = unknown("delta-directories", None);
pub const VERSION_DIRECTORIES: Profile = unknown("version-directories", None);
pub const PLAIN: Profile = unknown("plain", None);
