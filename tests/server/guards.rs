//! Guards of DO blocks: what the catalog answers is what a server does.
//!
//! Each case runs on a server and on the model from the same text. An answer of the model that is known must be the server's; the
//! cases say which answers have to be known.

use crate::support::{SERVER, new_database};
use phasegate::catalog::change::{Change, Event};
use phasegate::catalog::{Catalog, replay};
use phasegate::op::Span;
use phasegate::source::{Migration, Phase, SourceFile, UnitKind, Wrapping};
use std::sync::Arc;

/// A unit as a layout would give it.
fn migration(sql: &str, wrapping: Wrapping) -> Migration {
    let file = SourceFile { path: "case.sql".into(), repo_path: "case.sql".into(), bytes: sql.as_bytes().to_vec() };
    Migration {
        id: "case".into(),
        file: Arc::new(file),
        parts: vec![Span { start: 0, end: sql.len() }],
        phase: Phase::Untagged,
        tag: None,
        directives: Vec::new(),
        wrapping,
        rewriting: Default::default(),
        kind: UnitKind::Sql,
        reported: true,
        version: None,
        down: None,
    }
}

/// Replays a unit on the model.
pub fn model(catalog: &mut Catalog, unit: u32, sql: &str, wrapping: Wrapping) -> Vec<Event> {
    let migration = migration(sql, wrapping);
    let parsed = phasegate::sql::parse::unit(&migration);
    for statement in &parsed.statements {
        assert!(statement.outcome.is_ok() && statement.inner_errors.is_empty(), "{sql}: {statement:?}");
    }
    replay::unit(catalog, unit, &migration, &parsed).events
}

/// The tables that these entries create, those of a known relation by name.
fn created(catalog: &Catalog, events: &[Event]) -> Vec<String> {
    let created = |event: &Event| match &event.change {
        Change::RelationCreated { relation } => {
            catalog.relation(*relation).map_or("other".into(), |found| found.name.clone()).into()
        }
        _ => None::<String>,
    };
    events.iter().filter_map(created).collect()
}

const SETUP: &str = r#"
CREATE SCHEMA app;
CREATE TABLE users (id serial PRIMARY KEY, email varchar(20) NOT NULL UNIQUE, age int CHECK (age > 0), note text DEFAULT 'x',
    total numeric(10,2), tags text[]);
CREATE TABLE app.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id int,
    CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE);
CREATE INDEX users_note_idx ON users (note);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN posint AS int NOT NULL CHECK (VALUE > 0);
CREATE VIEW v AS SELECT id, email FROM users;
CREATE MATERIALIZED VIEW m AS SELECT id FROM users;
CREATE SEQUENCE counter;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
CREATE FUNCTION app.add(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT a + b';
CREATE TRIGGER users_touch BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON users USING (true);
CREATE TABLE "Mixed" ("Id" int);
CREATE TABLE gone (a int);
DROP TABLE gone;
"#;

/// Conditions that a complete history answers.
const KNOWN: &[&str] = &[
    "EXISTS (SELECT 1 FROM pg_class WHERE relname = 'users')",
    "EXISTS (SELECT 1 FROM pg_class WHERE relname = 'gone')",
    "NOT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'public' AND tablename = 'users')",
    "EXISTS (SELECT FROM pg_tables WHERE schemaname = 'app' AND tablename = 'users')",
    "EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = 'orders' AND n.nspname = 'app')",
    "EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = 'orders' AND n.nspname = 'public')",
    "EXISTS (SELECT 1 FROM pg_class c, pg_namespace n WHERE n.oid = c.relnamespace AND c.relname = 'users_note_idx' AND c.relkind = 'i')",
    "EXISTS (SELECT 1 FROM pg_class WHERE relname = 'v' AND relkind IN ('r', 'p'))",
    "EXISTS (SELECT FROM information_schema.tables WHERE table_name = 'v' AND table_type = 'VIEW')",
    "EXISTS (SELECT FROM information_schema.tables WHERE table_name = 'm')",
    "EXISTS (SELECT FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'users')",
    "EXISTS (SELECT FROM information_schema.tables WHERE table_catalog = current_database() AND table_name = 'Mixed')",
    "EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'email')",
    "EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'phone')",
    "NOT EXISTS (SELECT FROM information_schema.columns WHERE table_schema = 'app' AND table_name = 'orders' AND column_name = 'user_id')",
    "EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'id' AND data_type = 'integer')",
    "EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'email' AND data_type = 'character varying' AND character_maximum_length < 50)",
    "EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'tags' AND data_type = 'ARRAY' AND udt_name = '_text')",
    "EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'total' AND numeric_precision = 10 AND numeric_scale = 2)",
    "EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'age' AND is_nullable = 'NO')",
    "EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'id' AND is_nullable = 'NO' AND column_default IS NOT NULL)",
    "EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'orders' AND column_name = 'id' AND is_identity = 'YES' AND identity_generation = 'ALWAYS')",
    "(SELECT data_type FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'age') = 'bigint'",
    "(SELECT is_nullable FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'nothing') = 'YES'",
    "EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'note' AND NOT attisdropped)",
    "EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = 'app.orders'::regclass AND attname = 'note' AND attnum > 0)",
    "EXISTS (SELECT 1 FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = 'users'::regclass AND a.attname = 'note' AND t.typname = 'mood')",
    "EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('public.users') AND attname = 'age' AND attnotnull)",
    "EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'users_age_check')",
    "NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'users_email_key' AND conrelid = 'users'::regclass AND contype = 'u')",
    "EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'users_pkey' AND contype IN ('f', 'c'))",
    "EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'orders_user_fk' AND confrelid = 'users'::regclass AND confdeltype = 'c')",
    "EXISTS (SELECT 1 FROM pg_constraint WHERE conrelid = 'users'::regclass AND contype = 'f')",
    "EXISTS (SELECT 1 FROM pg_constraint c JOIN pg_class t ON c.conrelid = t.oid WHERE t.relname = 'orders' AND c.conname LIKE 'orders%fk')",
    "EXISTS (SELECT 1 FROM pg_constraint WHERE conrelid::regclass::text = 'app.orders' AND conname = 'orders_user_fk')",
    "EXISTS (SELECT 1 FROM pg_constraint WHERE contypid = 'posint'::regtype)",
    "EXISTS (SELECT FROM information_schema.table_constraints WHERE table_name = 'users' AND constraint_type = 'PRIMARY KEY')",
    "EXISTS (SELECT FROM information_schema.table_constraints WHERE constraint_schema = 'public' AND constraint_name = 'orders_user_fk')",
    // Of a foreign key this view names the referenced table.
    "EXISTS (SELECT FROM information_schema.constraint_column_usage WHERE table_name = 'users' AND constraint_name = 'orders_user_fk')",
    "EXISTS (SELECT FROM information_schema.constraint_column_usage WHERE table_name = 'orders' AND constraint_name = 'orders_user_fk')",
    "EXISTS (SELECT FROM information_schema.key_column_usage WHERE table_name = 'orders' AND column_name = 'user_id')",
    "EXISTS (SELECT FROM information_schema.referential_constraints WHERE constraint_name = 'orders_user_fk' AND delete_rule = 'CASCADE')",
    "EXISTS (SELECT 1 FROM pg_indexes WHERE indexname = 'users_note_idx')",
    "EXISTS (SELECT 1 FROM pg_indexes WHERE tablename = 'users' AND indexname = 'users_email_idx')",
    "(SELECT count(*) FROM pg_indexes WHERE schemaname = 'public' AND tablename = 'users') = 3",
    "(SELECT count(*) = 2 FROM pg_indexes WHERE indexname IN ('users_note_idx', 'users_pkey'))",
    "(SELECT count(*) FROM pg_indexes WHERE indexname = 'nothing') > 0",
    "EXISTS (SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = 'users_email_key' AND i.indisunique AND i.indisvalid)",
    "EXISTS (SELECT 1 FROM pg_type WHERE typname = 'mood')",
    "NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'temper')",
    "EXISTS (SELECT 1 FROM pg_type WHERE typname = 'users')",
    "EXISTS (SELECT 1 FROM pg_type WHERE typname = 'jsonb')",
    "EXISTS (SELECT 1 FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typname = 'mood' AND n.nspname = 'app')",
    "EXISTS (SELECT 1 FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid WHERE t.typname = 'mood' AND e.enumlabel = 'ok')",
    "EXISTS (SELECT 1 FROM pg_enum WHERE enumlabel = 'happy' AND enumtypid = 'mood'::regtype)",
    "EXISTS (SELECT 1 FROM pg_enum WHERE enumlabel = 'happy' AND enumtypid = (SELECT oid FROM pg_type WHERE typname = 'mood'))",
    "'ok' = ANY (enum_range(NULL::mood)::text[])",
    "EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'touch')",
    "EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'touch_all')",
    "EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'now')",
    "EXISTS (SELECT 1 FROM pg_proc p JOIN pg_namespace n ON p.pronamespace = n.oid WHERE p.proname = 'add' AND n.nspname = 'app' AND p.pronargs = 2)",
    "EXISTS (SELECT FROM information_schema.routines WHERE routine_schema = 'public' AND routine_name = 'add')",
    "EXISTS (SELECT 1 FROM pg_trigger WHERE tgname = 'users_touch' AND NOT tgisinternal)",
    "EXISTS (SELECT 1 FROM pg_trigger WHERE tgname = 'users_touch' AND tgrelid = 'app.orders'::regclass)",
    "(SELECT count(*) FROM information_schema.triggers WHERE trigger_name = 'users_touch') = 2",
    "EXISTS (SELECT FROM information_schema.triggers WHERE event_object_table = 'users' AND event_manipulation = 'DELETE')",
    "EXISTS (SELECT 1 FROM pg_policies WHERE tablename = 'users' AND policyname = 'own')",
    "EXISTS (SELECT 1 FROM pg_policy WHERE polname = 'other' AND polrelid = 'users'::regclass)",
    "(SELECT relrowsecurity FROM pg_class WHERE oid = 'users'::regclass)",
    "EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'plpgsql')",
    "EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citext')",
    "EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = 'app')",
    "EXISTS (SELECT FROM information_schema.schemata WHERE schema_name = 'missing')",
    "EXISTS (SELECT FROM information_schema.views WHERE table_name = 'v')",
    "EXISTS (SELECT FROM pg_matviews WHERE matviewname = 'm')",
    "EXISTS (SELECT FROM information_schema.sequences WHERE sequence_name = 'users_id_seq')",
    "EXISTS (SELECT FROM pg_sequences WHERE sequencename = 'counter' AND schemaname = 'app')",
    "EXISTS (SELECT FROM information_schema.domains WHERE domain_name = 'posint')",
    "to_regclass('users') IS NULL",
    "to_regclass('public.gone') IS NOT NULL",
    "to_regclass('\"Mixed\"') IS NOT NULL",
    "to_regclass('Mixed') IS NOT NULL",
    "to_regtype('mood') IS NULL",
    "to_regtype('bigint') IS NOT NULL",
    "to_regnamespace('app') IS NULL",
    "'orders' IN (SELECT table_name FROM information_schema.tables WHERE table_schema = 'app')",
    "'users' NOT IN (SELECT relname FROM pg_class WHERE relnamespace = 'app'::regnamespace)",
    "pg_get_serial_sequence('users', 'id') IS NULL",
    "'users' = ANY (SELECT tablename FROM pg_tables WHERE schemaname = 'public')",
    "pg_table_is_visible('app.orders'::regclass)",
    "current_schema() = 'app' OR current_schema = 'public'",
    "'public' = ANY (current_schemas(false))",
    "(SELECT table_name FROM information_schema.tables WHERE table_name = 'nothing') IS NULL",
    "EXISTS (SELECT count(*) FROM pg_class WHERE relname = 'nothing')",
    "NOT (EXISTS (SELECT 1 FROM pg_class WHERE relname = 'users') AND NOT EXISTS (SELECT 1 FROM pg_class WHERE relname = 'gone'))",
    "COALESCE((SELECT relkind FROM pg_class WHERE relname = 'nothing'), 'r') = 'r'",
    "(CASE WHEN to_regclass('users') IS NULL THEN true ELSE to_regclass('gone') IS NULL END)",
    "current_setting('server_version_num')::int >= 120000",
    "current_setting('server_version_num')::int < 90500",
    "NULL",
];

/// Conditions that text cannot answer.
const UNKNOWN: &[&str] = &[
    "EXISTS (SELECT 1 FROM users WHERE age IS NULL)",
    "NOT EXISTS (SELECT 1 FROM users)",
    "(SELECT count(*) FROM users) = 0",
    "EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'nobody_made_this_role')",
    "EXISTS (SELECT 1 FROM pg_class c JOIN users u ON u.note = c.relname WHERE c.relname = 'users')",
    "EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name = 'x')",
    "current_setting('server_version_num')::int >= 160000",
    "random() > 0.5",
    "EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'citext')",
    "EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'users_age_check' AND pg_get_constraintdef(oid) LIKE '%age > 0%')",
    "app.add(1, 2) = 3",
    "'users' <> ALL (SELECT tablename FROM pg_tables WHERE schemaname = 'public')",
];

fn guarded(condition: &str) -> String {
    format!("DO $$ BEGIN IF {condition} THEN CREATE TABLE taken_yes (); ELSE CREATE TABLE taken_no (); END IF; END $$")
}

/// What the model does with a condition: one arm, or both.
fn taken(before: &Catalog, condition: &str) -> Option<bool> {
    let mut catalog = before.clone();
    let events = model(&mut catalog, 2, &guarded(condition), Wrapping::Wrapped);
    match created(&catalog, &events).iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["taken_yes"] => Some(true),
        ["taken_no"] => Some(false),
        ["taken_yes", _] => None,
        other => panic!("{condition}: {other:?}"),
    }
}

/// Conditions with the server's answer, over a database in which `setup` ran.
fn answers<'c>(setup: &str, conditions: &[&'c str]) -> Vec<(&'c str, bool)> {
    let mut client = SERVER.connect(&new_database()).unwrap();
    client.batch_execute(setup).unwrap();
    let mut answers = Vec::new();
    for condition in conditions {
        let mut transaction = client.transaction().unwrap();
        transaction.batch_execute(&guarded(condition)).unwrap_or_else(|error| panic!("{condition}: {error:?}"));
        let row = transaction.query_one("SELECT to_regclass('taken_yes') IS NOT NULL", &[]).unwrap();
        answers.push((*condition, row.get(0)));
        transaction.rollback().unwrap();
    }
    answers
}

#[test]
fn a_complete_history_answers_guards_as_the_server_does() {
    let mut catalog = Catalog::new();
    model(&mut catalog, 1, SETUP, Wrapping::Wrapped);
    assert!(!catalog.incomplete);
    let wrong: Vec<String> = answers(SETUP, KNOWN)
        .into_iter()
        .filter_map(|(condition, answer)| {
            let taken = taken(&catalog, condition);
            (taken != Some(answer)).then(|| format!("{condition}: the server says {answer}, the model {taken:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_text_cannot_answer_is_not_guessed() {
    let mut catalog = Catalog::new();
    model(&mut catalog, 1, SETUP, Wrapping::Wrapped);
    for condition in UNKNOWN {
        assert_eq!(taken(&catalog, condition), None, "{condition}");
    }
}

/// Much of the schema is older than what the model saw.
#[test]
fn an_incomplete_history_never_answers_wrongly() {
    let seen = "CREATE INDEX users_note_idx ON users (note); ALTER TABLE app.orders ADD COLUMN extra int;
        CREATE TYPE temper AS ENUM ('hot'); CREATE TABLE fresh (a int);";
    let unseen = SETUP.replace("CREATE INDEX users_note_idx ON users (note);", "");
    let mut catalog = Catalog::new();
    model(&mut catalog, 1, seen, Wrapping::Wrapped);
    assert!(catalog.incomplete);
    let answers = answers(&format!("{unseen}{seen}"), KNOWN);
    let mut known = 0;
    for (condition, answer) in &answers {
        if let Some(taken) = taken(&catalog, condition) {
            known += 1;
            assert_eq!(taken, *answer, "{condition}");
        }
    }
    // What statements named is known to be there.
    assert!(known >= 15, "only {known} of {} are known", answers.len());
    assert_eq!(taken(&catalog, "EXISTS (SELECT 1 FROM pg_class WHERE relname = 'fresh')"), Some(true));
    assert_eq!(
        taken(&catalog, "EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'fresh' AND column_name = 'b')"),
        Some(false)
    );
    assert_eq!(
        taken(&catalog, "EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'b')"),
        None
    );
}
