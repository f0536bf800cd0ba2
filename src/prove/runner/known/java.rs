//! Runners of the Java world.

use super::{Command, Entry, LedgerShape, Lock, Made, Moment, Pending, Profile, Session, Spread, literal};
use std::time::Duration;

/// flyway/flyway, `flyway-database-postgresql/…/PostgreSQLAdvisoryLockTemplate.java`: execute and lock (tries again and again, fifty
/// times); `PostgreSQLDatabase.java`: getRawCreateScript; `JdbcTableSchemaHistory.java`: create (under the lock); `DbMigrate.java`:
/// doMigrateGroup. The row goes over the connection of the lock, so that it does not share the unit's transaction.
pub const FLYWAY: Profile = Profile {
    layout: "flyway",
    runner: Some("Flyway"),
    command: Some(Command::Tcp(
        "flyway -url=\"jdbc:postgresql://$PGHOST:$PGPORT/$PGDATABASE\" -user=\"$PGUSER\" -password=\"$PGPASSWORD\" \
         -locations=\"filesystem:$MIGRATIONS_DIR\" migrate",
    )),
    lock: Lock::Polled { key: 77_431_708_279_161, every: Duration::from_millis(200), tries: 250 },
    ledger: LedgerShape {
        table: "public.flyway_schema_history",
        column: "script",
        made: Made::ByRunner {
            sql: &["CREATE TABLE public.flyway_schema_history (installed_rank int NOT NULL, version varchar(50), \
                 description varchar(200) NOT NULL, type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum integer, \
                 installed_by varchar(100) NOT NULL, installed_on timestamp NOT NULL DEFAULT now(), execution_time integer NOT NULL, \
                 success boolean NOT NULL); \
                 ALTER TABLE public.flyway_schema_history ADD CONSTRAINT flyway_schema_history_pk PRIMARY KEY (installed_rank); \
                 CREATE INDEX flyway_schema_history_s_idx ON public.flyway_schema_history (success)"],
            looks_first: true,
            under_lock: true,
        },
        read: "SELECT script FROM public.flyway_schema_history WHERE success",
        key: |entry| entry.file().to_owned(),
        before: None,
        record: Some((Moment::After, |entry| {
            format!(
                "INSERT INTO public.flyway_schema_history \
                 (installed_rank, version, description, type, script, checksum, installed_by, execution_time, success) \
                 SELECT coalesce(max(installed_rank), 0) + 1, {}, {}, 'SQL', {}, {}, current_user, 0, true \
                 FROM public.flyway_schema_history",
                flyway_version(entry),
                literal(entry.id()),
                literal(entry.file()),
                entry.short_checksum()
            )
        })),
        refuses: Some((
            "SELECT script FROM public.flyway_schema_history WHERE NOT success",
            "a migration in the ledger has failed",
        )),
    },
    pending: Pending::Missing,
    spread: Spread::EachUnit,
    session: Session::One,
    remark: Some("its lock is a session's, as with postgresql.transactional.lock=false, and held over all units"),
};

/// A repeatable step has none.
fn flyway_version(entry: &Entry<'_>) -> String {
    entry.migration.version.as_ref().map_or_else(|| "NULL".to_owned(), |version| literal(&version.digits().join(".")))
}

/// liquibase/liquibase, `liquibase-standard/…/lockservice/StandardLockService.java`: init, waitForLock (every ten seconds for five
/// minutes), acquireLock; `changelog/visitor/UpdateVisitor.java`: visit, `changelog/StandardChangeLogHistoryService.java`:
/// setExecType. The row follows the changeset's commit. Table and first row of the lock are made by whoever comes first, without one.
pub const LIQUIBASE: Profile = Profile {
    layout: "liquibase",
    runner: Some("Liquibase"),
    command: Some(Command::Tcp(
        "liquibase --url=\"jdbc:postgresql://$PGHOST:$PGPORT/$PGDATABASE\" --username=\"$PGUSER\" --password=\"$PGPASSWORD\" \
         --search-path=\"$MIGRATIONS_DIR\" --changelog-file=changelog.xml update",
    )),
    lock: Lock::Row {
        table: "public.databasechangeloglock",
        make: &[
            "CREATE TABLE public.databasechangeloglock (id integer NOT NULL, locked boolean NOT NULL, lockgranted timestamp, \
             lockedby varchar(255), CONSTRAINT databasechangeloglock_pkey PRIMARY KEY (id))",
            "DELETE FROM public.databasechangeloglock; INSERT INTO public.databasechangeloglock (id, locked) VALUES (1, false)",
        ],
        take: "UPDATE public.databasechangeloglock SET locked = true, lockedby = 'phasegate', lockgranted = now() \
               WHERE id = 1 AND NOT locked",
        release: "UPDATE public.databasechangeloglock SET locked = false, lockedby = NULL, lockgranted = NULL WHERE id = 1",
        every: Duration::from_millis(200),
        tries: 1500,
    },
    ledger: LedgerShape {
        table: "public.databasechangelog",
        column: "id",
        made: Made::ByRunner {
            sql: &["CREATE TABLE public.databasechangelog (id varchar(255) NOT NULL, author varchar(255) NOT NULL, \
                 filename varchar(255) NOT NULL, dateexecuted timestamp NOT NULL, orderexecuted integer NOT NULL, \
                 exectype varchar(10) NOT NULL, md5sum varchar(35), description varchar(255), comments varchar(255), tag varchar(255), \
                 liquibase varchar(20), contexts varchar(255), labels varchar(255), deployment_id varchar(10))"],
            looks_first: true,
            under_lock: true,
        },
        read: "SELECT filename || '::' || id || '::' || author FROM public.databasechangelog",
        key: |entry| {
            let (file, id, author) = changeset(entry);
            format!("{file}::{id}::{author}")
        },
        before: None,
        record: Some((Moment::After, |entry| {
            let (file, id, author) = changeset(entry);
            format!(
                "INSERT INTO public.databasechangelog (id, author, filename, dateexecuted, orderexecuted, exectype) \
                 VALUES ({}, {}, {}, now(), {}, 'EXECUTED')",
                literal(id),
                literal(author),
                literal(file),
                entry.place
            )
        })),
        refuses: None,
    },
    pending: Pending::Missing,
    spread: Spread::EachUnit,
    session: Session::One,
    remark: Some("it asks for the lock every 0.2 seconds, not every ten"),
};

/// File, id and author of `file::id::author`.
fn changeset<'a>(entry: &Entry<'a>) -> (&'a str, &'a str, &'a str) {
    let mut parts = entry.id().splitn(3, "::");
    let mut part = || parts.next();
    let (first, second, third) = (part(), part(), part());
    match (first, second, third) {
        (Some(file), Some(id), Some(author)) => (file, id, author),
        _ => (entry.file(), entry.id(), ""),
    }
}

/// mybatis/migrations, `operations/UpOperation.java`: operate (all scripts whose id is not in the changelog); `operations/
/// DatabaseOperation.java`: insertChangelog, changelogExists. The first script of a history makes the table. No lock.
pub const MYBATIS: Profile = Profile {
    layout: "mybatis",
    runner: Some("MyBatis Migrations"),
    command: None,
    lock: Lock::None,
    ledger: LedgerShape {
        table: "changelog",
        column: "id",
        made: Made::ByScripts,
        read: "SELECT id::text FROM changelog",
        key: super::number,
        before: None,
        record: Some((Moment::After, |entry| {
            format!(
                "INSERT INTO changelog (id, applied_at, description) VALUES ({}, left(now()::text, 19), {})",
                entry.number(),
                literal(entry.file())
            )
        })),
        refuses: None,
    },
    pending: Pending::Missing,
    spread: Spread::EachUnit,
    session: Session::One,
    remark: None,
};

/// playframework/playframework, `persistence/play-jdbc-evolutions/…/EvolutionsApi.scala`: DatabaseEvolutions.evolve (a row with
/// `applying_up` before the statements, `applied` behind them), checkEvolutionsState, and `createPlayEvolutionsSql`. Without
/// `useLocks` there is no lock.
pub const PLAY: Profile = Profile {
    layout: "play",
    runner: Some("Play evolutions"),
    command: None,
    lock: Lock::None,
    ledger: LedgerShape {
        table: "play_evolutions",
        column: "id",
        made: Made::ByRunner {
            sql: &[
                "CREATE TABLE play_evolutions (id int NOT NULL PRIMARY KEY, hash varchar(255) NOT NULL, applied_at timestamp NOT NULL, \
                 apply_script text, revert_script text, state varchar(255), last_problem text)",
            ],
            looks_first: true,
            under_lock: false,
        },
        read: "SELECT id::text FROM play_evolutions WHERE state = 'applied'",
        key: super::number,
        before: Some(|entry| {
            format!(
                "INSERT INTO play_evolutions (id, hash, applied_at, state) VALUES ({}, '{}', now(), 'applying_up')",
                entry.number(),
                entry.checksum()
            )
        }),
        record: Some((Moment::After, |entry| {
            format!("UPDATE play_evolutions SET state = 'applied' WHERE id = {}", entry.number())
        })),
        refuses: Some((
            "SELECT id FROM play_evolutions WHERE state LIKE 'applying_%'",
            "the database is in an inconsistent state: an evolution stopped half-way",
        )),
    },
    pending: Pending::Missing,
    spread: Spread::EachUnit,
    session: Session::One,
    remark: None,
};
