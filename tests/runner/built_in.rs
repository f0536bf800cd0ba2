//! The built-in runner does what each layout's own does.

use crate::stage::{CLUSTER, Project, left_behind, rows, run, run_some, tables};
use phasegate::prove::cluster::Database;
use phasegate::prove::runner::known::{self, Lock, Made, Moment};
use phasegate::prove::runner::{Applied, BuiltIn, Call, Ended, RunFailure, Runner, apply_unit};
use phasegate::source::layouts;
use std::time::{Duration, Instant};

/// A history of two units in a layout, and what its runner's ledger says once both ran.
struct Case {
    layout: &'static str,
    files: &'static [(&'static str, &'static str)],
    /// A query about the ledger.
    asks: &'static str,
    says: &'static [&'static str],
}

const ONE: &str = "CREATE TABLE made_one (id bigint);\nINSERT INTO made_one VALUES (1);\n";
const TWO: &str = "CREATE TABLE made_two (id bigint);\nINSERT INTO made_two VALUES (2);\n";
const UP_ONE: &str = "-- migrate:up\nCREATE TABLE made_one (id bigint);\n-- migrate:down\nDROP TABLE made_one;\n";
const UP_TWO: &str = "-- migrate:up\nCREATE TABLE made_two (id bigint);\n-- migrate:down\nDROP TABLE made_two;\n";
const OUR_LEDGER: &str = "SELECT place, unit FROM phasegate_ledger ORDER BY place";

const CASES: &[Case] = &[
    Case {
        layout: "golang-migrate",
        files: &[("000001_one.up.sql", ONE), ("000002_two.up.sql", TWO)],
        asks: "SELECT version, dirty FROM schema_migrations",
        says: &["2 f"],
    },
    Case {
        layout: "goose",
        files: &[
            ("00001_one.sql", "-- +goose Up\nCREATE TABLE made_one (id bigint);\n-- +goose Down\nDROP TABLE made_one;\n"),
            ("00002_two.sql", "-- +goose Up\nCREATE TABLE made_two (id bigint);\n-- +goose Down\nDROP TABLE made_two;\n"),
        ],
        asks: "SELECT id, version_id, is_applied FROM goose_db_version ORDER BY id",
        says: &["1 0 t", "2 1 t", "3 2 t"],
    },
    Case {
        layout: "dbmate",
        files: &[("20240101000000_one.sql", UP_ONE), ("20240102000000_two.sql", UP_TWO)],
        asks: "SELECT version FROM schema_migrations ORDER BY 1",
        says: &["20240101000000", "20240102000000"],
    },
    Case {
        layout: "sql-migrate",
        files: &[
            ("1_one.sql", "-- +migrate Up\nCREATE TABLE made_one (id bigint);\n-- +migrate Down\nDROP TABLE made_one;\n"),
            ("2_two.sql", "-- +migrate Up\nCREATE TABLE made_two (id bigint);\n-- +migrate Down\nDROP TABLE made_two;\n"),
        ],
        asks: "SELECT id FROM gorp_migrations ORDER BY 1",
        says: &["1_one.sql", "2_two.sql"],
    },
    Case {
        layout: "tern",
        files: &[("001_one.sql", ONE), ("002_two.sql", TWO)],
        asks: "SELECT version FROM schema_version",
        says: &["2"],
    },
    Case {
        layout: "pop",
        files: &[("20240101000000_one.up.sql", ONE), ("20240102000000_two.up.sql", TWO)],
        asks: "SELECT version FROM schema_migration ORDER BY 1",
        says: &["20240101000000", "20240102000000"],
    },
    Case {
        layout: "atlas",
        files: &[("1_one.sql", ONE), ("2_two.sql", TWO)],
        asks: "SELECT version, type FROM atlas_schema_revisions.atlas_schema_revisions ORDER BY 1",
        says: &["1 2", "2 2"],
    },
    Case {
        layout: "supabase",
        files: &[("20240101000000_one.sql", ONE), ("20240102000000_two.sql", TWO)],
        asks: "SELECT version, name FROM supabase_migrations.schema_migrations ORDER BY 1",
        says: &["20240101000000 20240101000000_one.sql", "20240102000000 20240102000000_two.sql"],
    },
    Case {
        layout: "hasura",
        files: &[("1676582194859_one/up.sql", ONE), ("1676582194860_two/up.sql", TWO)],
        asks: "SELECT version, dirty FROM hdb_catalog.schema_migrations ORDER BY 1",
        says: &["1676582194859 f", "1676582194860 f"],
    },
    Case {
        layout: "prisma",
        files: &[
            ("20240101000000_one/migration.sql", ONE),
            ("20240102000000_two/migration.sql", TWO),
            ("migration_lock.toml", "provider = \"postgresql\"\n"),
        ],
        asks: "SELECT migration_name, finished_at >= started_at, applied_steps_count FROM _prisma_migrations ORDER BY 1",
        says: &["20240101000000_one t 1", "20240102000000_two t 1"],
    },
    Case {
        layout: "sqlx",
        files: &[("1_one.sql", ONE), ("2_two.sql", TWO)],
        asks: "SELECT version, success, length(checksum) FROM _sqlx_migrations ORDER BY 1",
        says: &["1 t 32", "2 t 32"],
    },
    Case {
        layout: "diesel",
        files: &[("2024-01-31-120000_one/up.sql", ONE), ("2024-02-01-120000_two/up.sql", TWO)],
        asks: "SELECT version FROM __diesel_schema_migrations ORDER BY 1",
        says: &["20240131120000", "20240201120000"],
    },
    Case {
        layout: "refinery",
        files: &[("V1__one.sql", ONE), ("V2__two.sql", TWO)],
        asks: "SELECT version, name FROM refinery_schema_history ORDER BY 1",
        says: &["1 V1__one.sql", "2 V2__two.sql"],
    },
    Case {
        layout: "node-pg-migrate",
        files: &[("1_one.sql", ONE), ("2_two.sql", TWO)],
        asks: "SELECT id, name FROM pgmigrations ORDER BY 1",
        says: &["1 1_one", "2 2_two"],
    },
    Case {
        layout: "db-migrate",
        files: &[("20240131120000-one-up.sql", ONE), ("20240201120000-two-up.sql", TWO)],
        asks: "SELECT id, name FROM migrations ORDER BY 1",
        says: &["1 /20240131120000-one", "2 /20240201120000-two"],
    },
    Case {
        layout: "drizzle",
        files: &[
            ("0000_one.sql", ONE),
            ("0001_two.sql", TWO),
            (
                "meta/_journal.json",
                r#"{"version":"7","dialect":"postgresql","entries":[{"idx":0,"version":"7","when":1,"tag":"0000_one","breakpoints":true},
                {"idx":1,"version":"7","when":2,"tag":"0001_two","breakpoints":true}]}"#,
            ),
        ],
        asks: "SELECT id, created_at, length(hash) FROM drizzle.__drizzle_migrations ORDER BY 1",
        says: &["1 1 64", "2 2 64"],
    },
    Case {
        layout: "graphile-migrate",
        files: &[
            ("committed/000001.sql", "--! Previous: -\n--! Hash: sha1:a\n\nCREATE TABLE made_one (id bigint);\n"),
            ("committed/000002.sql", "--! Previous: sha1:a\n--! Hash: sha1:b\n\nCREATE TABLE made_two (id bigint);\n"),
        ],
        asks: "SELECT filename, previous_hash IS NULL FROM graphile_migrate.migrations ORDER BY 1",
        says: &["000001.sql t", "000002.sql f"],
    },
    Case {
        layout: "flyway",
        files: &[("V1__one.sql", ONE), ("V1_10__two.sql", TWO)],
        asks: "SELECT installed_rank, version, script, success FROM flyway_schema_history ORDER BY 1",
        says: &["1 1 V1__one.sql t", "2 1.10 V1_10__two.sql t"],
    },
    Case {
        layout: "liquibase",
        files: &[(
            "changes.sql",
            "--liquibase formatted sql\n--changeset alice:1\nCREATE TABLE made_one (id bigint);\n\
             --changeset bob:2\nCREATE TABLE made_two (id bigint);\n",
        )],
        asks: "SELECT id, author, filename, orderexecuted, (SELECT locked FROM databasechangeloglock) FROM databasechangelog ORDER BY 4",
        says: &["1 alice changes.sql 1 f", "2 bob changes.sql 2 f"],
    },
    Case {
        layout: "mybatis",
        files: &[
            (
                "20240101000100_create_changelog.sql",
                "CREATE TABLE made_one (id bigint);\nCREATE TABLE changelog (id numeric(20, 0) NOT NULL PRIMARY KEY, \
                 applied_at varchar(25) NOT NULL, description varchar(255) NOT NULL);\n-- //@UNDO\nDROP TABLE changelog;\n",
            ),
            ("20240102000100_two.sql", TWO),
        ],
        asks: "SELECT id FROM changelog ORDER BY 1",
        says: &["20240101000100", "20240102000100"],
    },
    Case {
        layout: "play",
        files: &[
            ("1.sql", "# --- !Ups\nCREATE TABLE made_one (id bigint);\n# --- !Downs\nDROP TABLE made_one;\n"),
            ("2.sql", "# --- !Ups\nCREATE TABLE made_two (a text);\nINSERT INTO made_two VALUES ('a;;b');\n# --- !Downs\n"),
        ],
        asks: "SELECT id, state, (SELECT a FROM made_two) FROM play_evolutions ORDER BY 1",
        says: &["1 applied a; b", "2 applied a; b"],
    },
    Case {
        layout: "sqitch",
        files: &[
            ("sqitch.plan", "%project=shop\n\none 2024-01-31T12:00:00Z A <a@b.c>\ntwo 2024-02-01T12:00:00Z A <a@b.c>\n"),
            ("deploy/one.sql", "BEGIN;\nCREATE TABLE made_one (id bigint);\nCOMMIT;\n"),
            ("deploy/two.sql", "BEGIN;\nCREATE TABLE made_two (id bigint);\nCOMMIT;\n"),
        ],
        asks: "SELECT change FROM sqitch.changes ORDER BY committed_at",
        says: &["one", "two"],
    },
    Case {
        layout: "yoyo",
        files: &[("0001_one.sql", ONE), ("0002_two.sql", TWO)],
        asks: "SELECT migration_id, (SELECT count(*) FROM yoyo_lock) FROM _yoyo_migration ORDER BY 1",
        says: &["0001_one 0", "0002_two 0"],
    },
    Case {
        layout: "ef-core",
        files: &[(
            "script.sql",
            "CREATE TABLE IF NOT EXISTS \"__EFMigrationsHistory\" (\"MigrationId\" varchar(150) PRIMARY KEY, \"ProductVersion\" varchar(32));\n\n\
             START TRANSACTION;\nDO $EF$\nBEGIN\n    IF NOT EXISTS(SELECT 1 FROM \"__EFMigrationsHistory\" WHERE \"MigrationId\" = '1_One') THEN\n    \
             CREATE TABLE made_one (id bigint);\n    END IF;\nEND $EF$;\n\nDO $EF$\nBEGIN\n    IF NOT EXISTS(SELECT 1 FROM \
             \"__EFMigrationsHistory\" WHERE \"MigrationId\" = '1_One') THEN\n    INSERT INTO \"__EFMigrationsHistory\" VALUES ('1_One', '8.0.0');\n    \
             END IF;\nEND $EF$;\nCOMMIT;\n\n\
             START TRANSACTION;\nDO $EF$\nBEGIN\n    IF NOT EXISTS(SELECT 1 FROM \"__EFMigrationsHistory\" WHERE \"MigrationId\" = '2_Two') THEN\n    \
             CREATE TABLE made_two (id bigint);\n    END IF;\nEND $EF$;\n\nDO $EF$\nBEGIN\n    IF NOT EXISTS(SELECT 1 FROM \
             \"__EFMigrationsHistory\" WHERE \"MigrationId\" = '2_Two') THEN\n    INSERT INTO \"__EFMigrationsHistory\" VALUES ('2_Two', '8.0.0');\n    \
             END IF;\nEND $EF$;\nCOMMIT;\n",
        )],
        asks: "SELECT \"MigrationId\" FROM \"__EFMigrationsHistory\" ORDER BY 1",
        says: &["1_One", "2_Two"],
    },
    Case {
        layout: "alembic-sql",
        files: &[(
            "1.sql",
            "BEGIN;\n\nCREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);\n\n-- Running upgrade  -> a1\n\n\
             CREATE TABLE made_one (id bigint);\n\nINSERT INTO alembic_version VALUES ('a1');\n\n-- Running upgrade a1 -> b2\n\n\
             CREATE TABLE made_two (id bigint);\n\nUPDATE alembic_version SET version_num='b2';\n\nCOMMIT;\n",
        )],
        asks: OUR_LEDGER,
        says: &["1 1 a1", "2 2 b2"],
    },
    Case {
        layout: "django-sqlmigrate",
        files: &[
            ("0001_one.sql", "BEGIN;\n--\n-- Create model One\n--\nCREATE TABLE made_one (id bigint);\nCOMMIT;\n"),
            ("0002_two.sql", "BEGIN;\n--\n-- Create model Two\n--\nCREATE TABLE made_two (id bigint);\nCOMMIT;\n"),
        ],
        asks: OUR_LEDGER,
        says: &["1 1 0001_one", "2 2 0002_two"],
    },
    Case {
        layout: "psql-scripts",
        files: &[
            ("1_one.sql", "\\set ON_ERROR_STOP on\nCREATE TABLE made_one (id bigint);\nCOPY made_one FROM stdin;\n7\n8\n\\.\n"),
            ("2_two.sql", "\\set name made_two\nCREATE TABLE :name (id bigint);\n\\echo done\n"),
        ],
        asks: "SELECT unit, (SELECT sum(id) FROM made_one) FROM phasegate_ledger ORDER BY place",
        says: &["1 1 15", "2 2 15"],
    },
    Case {
        layout: "delta-directories",
        files: &[("main/delta/1/01_one.sql", ONE), ("main/delta/2/01_two.sql", TWO)],
        asks: OUR_LEDGER,
        says: &["1 1 1/01_one.sql", "2 2 2/01_two.sql"],
    },
    Case {
        layout: "version-directories",
        files: &[("1.0/01_one.sql", ONE), ("1.1/01_two.sql", TWO)],
        asks: OUR_LEDGER,
        says: &["1 1 1.0/01", "2 2 1.1/01"],
    },
    Case { layout: "plain", files: &[("1_one.sql", ONE), ("2_two.sql", TWO)], asks: OUR_LEDGER, says: &["1 1 1", "2 2 2"] },
];

fn failure(ended: &Ended) -> Option<&RunFailure> {
    ended.failure.as_ref()
}

#[test]
fn every_layout_has_a_profile_and_a_case_here() {
    let layouts: Vec<&str> = layouts::all().iter().map(|layout| layout.name()).collect();
    for layout in &layouts {
        assert_eq!(known::ALL.iter().filter(|profile| profile.layout == *layout).count(), 1, "{layout}");
        assert_eq!(CASES.iter().filter(|case| case.layout == *layout).count(), 1, "{layout}");
    }
    assert_eq!((known::ALL.len(), CASES.len()), (layouts.len(), layouts.len()));
}

#[test]
fn profiles_and_layouts_agree_on_who_waits_for_an_advisory_lock() {
    for layout in layouts::all() {
        let waits = matches!(known::profile(layout.name()).lock, Lock::Waited { .. });
        assert_eq!(waits, layout.waits_for_advisory_lock(), "{}", layout.name());
    }
}

#[test]
fn each_runner_applies_its_history_once_and_keeps_its_own_ledger() {
    for Case { layout, files, asks, says } in CASES {
        let project = Project::new(layout, files);
        let (chain, runner, database) = (project.chain(), BuiltIn::new(layout), CLUSTER.fresh().unwrap());
        let first = run_some(&runner, &chain, &database, 1);
        assert_eq!(failure(&first), None, "{layout}");
        if *layout != "alembic-sql" {
            // There the first unit's transaction is not closed by then.
            assert_eq!((tables(&database), &first.applied[..]), (vec!["made_one".to_owned()], &[0][..]), "{layout}");
        }
        let rest = run(&runner, &chain, &database);
        assert_eq!(failure(&rest), None, "{layout}");
        assert_eq!(tables(&database), ["made_one", "made_two"], "{layout}");
        assert_eq!(rows(&database, asks), *says, "{layout}");
        let again = run(&runner, &chain, &database);
        assert_eq!(failure(&again), None, "{layout}");
        if *layout != "ef-core" {
            assert_eq!(again.applied, [] as [usize; 0], "{layout}");
        }
        assert_eq!(rows(&database, asks), *says, "{layout}");
        let ledger = runner.ledger().unwrap();
        rows(&database, &format!("SELECT \"{}\" FROM {}", ledger.column, ledger.table));
        database.end_sessions().unwrap();
        assert_eq!(left_behind(&database), [] as [&str; 0], "{layout}");
    }
}

/// Four at once on an empty database; how each ended.
fn together(layout: &str, project: &Project, database: &Database<'_>) -> Vec<Ended> {
    let (chain, runner) = (project.chain(), BuiltIn::new(layout));
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..4).map(|_| scope.spawn(|| run(&runner, &chain, database))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    })
}

#[test]
fn runners_with_a_lock_that_waits_all_succeed_and_each_unit_acts_once() {
    for Case { layout, files, asks, says } in CASES {
        let profile = known::profile(layout);
        let is_locked = matches!(profile.lock, Lock::Waited { .. } | Lock::Polled { .. });
        let is_made_inside = matches!(profile.ledger.made, Made::ByRunner { under_lock: true, .. });
        // In this one the first unit's transaction is still open where the second unit begins, and only one session sees it.
        if !is_locked || !is_made_inside {
            continue;
        }
        let (project, database) = (Project::new(layout, files), CLUSTER.fresh().unwrap());
        let ended = together(layout, &project, &database);
        let failed: Vec<_> = ended.iter().filter_map(failure).collect();
        assert!(failed.is_empty(), "{layout}: {failed:?}");
        let mut applied: Vec<usize> = ended.into_iter().flat_map(|ended| ended.applied).collect();
        applied.sort_unstable();
        assert_eq!(applied, [0, 1], "{layout}");
        assert_eq!(rows(&database, asks), *says, "{layout}");
    }
}

#[test]
fn a_runner_that_asks_once_refuses_while_another_one_runs() {
    let files = [("1_slow.sql", "SELECT pg_sleep(1);\nCREATE TABLE made_one (id bigint);\n")];
    let (project, database) = (Project::new("node-pg-migrate", &files), CLUSTER.fresh().unwrap());
    let ended = together("node-pg-migrate", &project, &database);
    let refused: Vec<_> = ended.iter().filter_map(failure).map(|failure| failure.message.as_str()).collect();
    assert_eq!(refused, ["Another migration is already running"; 3]);
    assert_eq!(tables(&database), ["made_one"]);
}

#[test]
fn runners_without_a_lock_collide_where_they_meet() {
    // Each of the four has read the ledger before the first one is done.
    let files = [("V1__slow.sql", "SELECT pg_sleep(1.5);\nCREATE TABLE made_one (id bigint);\n")];
    let (project, database) = (Project::new("refinery", &files), CLUSTER.fresh().unwrap());
    let ended = together("refinery", &project, &database);
    let states: Vec<_> = ended.iter().filter_map(failure).map(|failure| failure.sqlstate.clone().unwrap()).collect();
    assert_eq!(states.len(), 3, "{states:?}");
    assert!(states.iter().all(|state| ["42P07", "42710", "23505"].contains(&state.as_str())), "{states:?}");
}

#[test]
fn a_lock_that_is_a_row_outlives_a_runner_that_is_killed() {
    let files = [("changes.sql", "--liquibase formatted sql\n--changeset a:1\nSELECT pg_sleep(60);\n")];
    let (project, database) = (Project::new("liquibase", &files), CLUSTER.fresh().unwrap());
    let (chain, runner) = (project.chain(), BuiltIn::new("liquibase"));
    let call = Call { database: &database, units: 1, through: None, limit: Duration::from_secs(1) };
    let stopped = runner.run(&chain, &call).unwrap();
    assert!(failure(&stopped).unwrap().message.starts_with("stopped after 1 s: "), "{stopped:?}");
    assert_eq!(rows(&database, "SELECT locked FROM databasechangeloglock"), ["t"]);
    let waits = runner.run(&chain, &call).unwrap();
    assert!(failure(&waits).unwrap().message.starts_with("stopped after 1 s: "), "{waits:?}");
}

#[test]
fn a_call_is_stopped_when_its_time_is_over_and_leaves_nothing() {
    let (project, database) = (Project::new("sqlx", &[("1_slow.sql", "SELECT pg_sleep(60);\n")]), CLUSTER.fresh().unwrap());
    let chain = project.chain();
    let started = Instant::now();
    let call = Call { database: &database, units: 1, through: None, limit: Duration::from_millis(500) };
    let ended = BuiltIn::new("sqlx").run(&chain, &call).unwrap();
    assert!(started.elapsed() < Duration::from_secs(10));
    let failure = failure(&ended).unwrap();
    assert_eq!((failure.unit, failure.statement), (Some(0), Some(0)));
    // The connection may be gone before the server's last words are read.
    assert!(matches!(failure.sqlstate.as_deref(), None | Some("57P01")), "{failure:?}");
    assert!(failure.message.starts_with("stopped after 0.5 s: "), "{}", failure.message);
    assert_eq!(left_behind(&database), [] as [&str; 0]);
}

#[test]
fn a_failure_is_told_at_its_statement_in_every_form_of_transaction() {
    let broken = "CREATE TABLE made_one (id bigint); -- here\nINSERT INTO made_one VALUES (1);\nINSERT INTO made_one VALUES ('x');\nSELECT 1;\n";
    let none = "-- transactional: false\nCREATE TABLE made_one (id bigint);\nSELECT 1;\nINSERT INTO made_one VALUES ('x');\n";
    for (layout, file, text, kept) in [
        ("sqlx", "1_a.sql", broken, false),
        ("golang-migrate", "1_a.up.sql", broken, false),
        ("prisma", "1_a/migration.sql", broken, false),
        ("yoyo", "1_a.sql", none, true),
        ("node-pg-migrate", "1_a.sql", broken, false),
    ] {
        let (project, database) = (Project::new(layout, &[(file, text)]), CLUSTER.fresh().unwrap());
        let ended = run(&BuiltIn::new(layout), &project.chain(), &database);
        let failure = failure(&ended).unwrap();
        assert_eq!((failure.unit, failure.statement), (Some(0), Some(2)), "{layout}: {failure:?}");
        assert_eq!(failure.sqlstate.as_deref(), Some("22P02"), "{layout}");
        assert_eq!(tables(&database).len(), usize::from(kept), "{layout}");
        assert_eq!((ended.applied, left_behind(&database)), (vec![], vec![]), "{layout}");
    }
}

#[test]
fn a_ledger_that_was_written_before_its_unit_stops_the_next_run() {
    for (layout, file, asks, says) in [
        ("golang-migrate", "1_a.up.sql", "SELECT version, dirty FROM schema_migrations", "1 t"),
        ("prisma", "1_a/migration.sql", "SELECT migration_name, finished_at FROM _prisma_migrations", "1_a -"),
        ("play", "1.sql", "SELECT id, state FROM play_evolutions", "1 applying_up"),
    ] {
        let text = "# --- !Ups\nSELECT 1/0;\n";
        let text = if layout == "play" { text } else { &text["# --- !Ups\n".len()..] };
        let (project, database) = (Project::new(layout, &[(file, text)]), CLUSTER.fresh().unwrap());
        let (chain, runner) = (project.chain(), BuiltIn::new(layout));
        assert_eq!(failure(&run(&runner, &chain, &database)).unwrap().sqlstate.as_deref(), Some("22012"), "{layout}");
        assert_eq!(rows(&database, asks), [says], "{layout}");
        let refused = run(&runner, &chain, &database);
        assert_eq!((failure(&refused).unwrap().unit, failure(&refused).unwrap().sqlstate.clone()), (None, None), "{layout}");
    }
}

#[test]
fn all_that_is_pending_is_undone_where_one_transaction_holds_it() {
    let files = [("1_one.sql", ONE), ("2_two.sql", "SELECT 1/0;\n")];
    let (project, database) = (Project::new("node-pg-migrate", &files), CLUSTER.fresh().unwrap());
    let ended = run(&BuiltIn::new("node-pg-migrate"), &project.chain(), &database);
    assert_eq!((failure(&ended).unwrap().unit, ended.applied.len()), (Some(1), 0));
    assert_eq!(tables(&database), [] as [&str; 0]);
    let (project, database) = (Project::new("sqlx", &files), CLUSTER.fresh().unwrap());
    let ended = run(&BuiltIn::new("sqlx"), &project.chain(), &database);
    assert_eq!((failure(&ended).unwrap().unit, &ended.applied[..]), (Some(1), &[0][..]));
    assert_eq!(tables(&database), ["made_one"]);
}

#[test]
fn rows_in_the_units_transaction_come_and_go_with_it() {
    for profile in known::ALL {
        let Some((moment, _)) = profile.ledger.record else { continue };
        let Some(case) = CASES.iter().find(|case| case.layout == profile.layout) else { continue };
        if moment == Moment::After || case.layout == "alembic-sql" {
            continue;
        }
        // The row is refused: so must be what the unit made, where one transaction holds both.
        let (project, database) = (Project::new(case.layout, case.files), CLUSTER.fresh().unwrap());
        let (chain, runner) = (project.chain(), BuiltIn::new(case.layout));
        assert_eq!(failure(&run_some(&runner, &chain, &database, 0)), None);
        let trigger = format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no row'; END $$; \
             CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION refuse()",
            profile.ledger.table
        );
        database.connect_as_administrator().unwrap().batch_execute(&trigger).unwrap();
        let ended = run(&runner, &chain, &database);
        assert_eq!(failure(&ended).unwrap().sqlstate.as_deref(), Some("P0001"), "{}", case.layout);
        let wrapping = chain.units[0].wrapping;
        let shares = matches!(wrapping, phasegate::source::Wrapping::Wrapped) || moment == Moment::InBatch;
        assert_eq!(tables(&database).is_empty(), shares, "{}: {wrapping:?}", case.layout);
    }
}

#[test]
fn what_is_not_run_is_said_and_placeholders_have_their_values() {
    let files = [
        ("V1__one.sql", "CREATE TABLE ${schema}.made_one (a text);\nINSERT INTO ${schema}.made_one VALUES ('${schema}');\n"),
        ("V2__two.sql", "COPY made_one TO PROGRAM 'cat';\nCOPY made_one FROM stdin;\n"),
    ];
    let project = Project::with_placeholders("flyway", &files, &[("schema", "public")]);
    let database = CLUSTER.fresh().unwrap();
    let ended = run(&BuiltIn::new("flyway"), &project.chain(), &database);
    assert_eq!(failure(&ended), None);
    assert_eq!(rows(&database, "SELECT a FROM made_one"), ["public"]);
    let said: Vec<&str> = ended.output.lines().collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("V2, statement 1: not run: ") && said[1].starts_with("V2, statement 2: not run: "), "{said:?}");
}

#[test]
fn a_unit_can_be_applied_by_itself_and_its_failure_leaves_no_transaction() {
    let files = [("1_one.sql", ONE), ("2_broken.sql", "CREATE TABLE made_two (id bigint);\nSELECT 1/0;\n")];
    let (project, database) = (Project::new("plain", &files), CLUSTER.fresh().unwrap());
    let chain = project.chain();
    let mut client = database.connect().unwrap();
    assert_eq!(apply_unit(&mut client, &chain.units[0]).unwrap().unwrap(), Applied::default());
    let refused = apply_unit(&mut client, &chain.units[1]).unwrap().unwrap_err();
    assert_eq!((refused.statement, refused.sqlstate.as_deref()), (Some(1), Some("22012")));
    client.batch_execute("CREATE TABLE made_three (id bigint)").unwrap();
    assert_eq!(tables(&database), ["made_one", "made_three"]);
    database.end_sessions().unwrap();
    assert!(apply_unit(&mut client, &chain.units[0]).is_err() || client.is_closed());
}

#[test]
fn a_session_is_new_for_each_file_only_where_a_program_is_started_for_each() {
    let files = [("1_one.sql", "SET search_path = pg_catalog;\n"), ("2_two.sql", "CREATE TABLE made_two (id bigint);\n")];
    for (layout, sqlstate) in [("plain", None), ("sqlx", Some("42P01"))] {
        let (project, database) = (Project::new(layout, &files), CLUSTER.fresh().unwrap());
        let ended = run(&BuiltIn::new(layout), &project.chain(), &database);
        // sqlx finds its own table no more.
        assert_eq!(failure(&ended).and_then(|failure| failure.sqlstate.as_deref()), sqlstate, "{layout}");
    }
}
