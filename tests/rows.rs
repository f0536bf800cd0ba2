//! Tables are filled with rows that satisfy whatever the schema says of them, and what cannot be filled is listed with the server's
//! words.

#[allow(dead_code, reason = "each test binary uses a part of it")]
mod support;

use phasegate::prove::rows::{FillOptions, Filled, Filler, fill};
use postgres::Client;
use support::{SERVER, new_database};

fn database(sql: &str) -> Client {
    let mut client = SERVER.connect(&new_database()).unwrap();
    client.batch_execute(sql).unwrap();
    client
}

fn filled(client: &mut Client) -> Filled {
    fill(client, &FillOptions::default()).unwrap()
}

/// Fills what the SQL makes; every table must hold rows then.
fn all_filled(sql: &str) -> Client {
    let mut client = database(sql);
    let filled = filled(&mut client);
    assert_eq!(filled.unfilled, [], "{sql}");
    client
}

fn number(client: &mut Client, query: &str) -> i64 {
    client.query_one(query, &[]).unwrap().get(0)
}

#[test]
fn every_built_in_type_has_values_and_a_column_that_is_not_null() {
    let mut client = database("");
    // Arrays of them too. Pseudo-types, and types whose input function always refuses, have no values.
    let types: Vec<String> = client
        .query(
            "SELECT format_type(t.oid, NULL) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace \
             WHERE n.nspname = 'pg_catalog' AND t.typtype IN ('b', 'r', 'm') AND t.typcategory <> 'Z' \
             AND t.typname !~ '^(_?(gtsvector|cstring|pg_node_tree|pg_ndistinct|pg_dependencies|pg_mcv_list|pg_brin_.*))$' \
             AND NOT EXISTS (SELECT FROM pg_class c WHERE c.reltype = t.typelem AND t.typelem <> 0) ORDER BY 1",
            &[],
        )
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(types.len() > 140, "{}", types.len());
    for (at, name) in types.iter().enumerate() {
        client.batch_execute(&format!("CREATE TABLE t{at} (a {name} NOT NULL, b {name})")).unwrap();
    }
    let filled = filled(&mut client);
    let unfilled: Vec<(&str, &str)> = filled
        .unfilled
        .iter()
        .map(|unfilled| {
            (types[unfilled.table.trim_start_matches("public.t").parse::<usize>().unwrap()].as_str(), unfilled.why.as_str())
        })
        .collect();
    assert_eq!(unfilled, [] as [(&str, &str); 0]);
    assert_eq!(filled.tables.len(), types.len());
}

#[test]
fn lengths_precisions_and_widths_are_kept() {
    let mut client = all_filled(
        "CREATE TABLE t (a varchar(3) NOT NULL UNIQUE, b char(2) NOT NULL, c numeric(3,2) NOT NULL, d numeric(2,2) NOT NULL, \
         e bit(3) NOT NULL, f varbit(4) NOT NULL, g timestamp(0) NOT NULL, h varchar(5)[] NOT NULL, i numeric(4,0)[] NOT NULL, \
         j interval day to second NOT NULL, k time(2) NOT NULL, l varchar(1) NOT NULL, email varchar(40) NOT NULL)",
    );
    assert_eq!(number(&mut client, "SELECT count(*) FROM t WHERE email LIKE '%@%'"), 3);
}

#[test]
fn enums_domains_composites_and_ranges_have_values() {
    let mut client = all_filled(
        "CREATE TYPE status AS ENUM ('new', 'it''s', 'paid', 'gone', 'lost'); \
         CREATE DOMAIN code AS varchar(8) NOT NULL CHECK (VALUE ~ '^[A-Z]{3}-[0-9]{2}$'); \
         CREATE DOMAIN positive AS int CHECK (VALUE > 100 AND VALUE < 200); \
         CREATE DOMAIN percent AS numeric CHECK (VALUE BETWEEN 0 AND 1); \
         CREATE DOMAIN small_positive AS positive CHECK (VALUE < 110); \
         CREATE TYPE address AS (street text, number int, tags text[]); \
         CREATE TYPE span AS RANGE (subtype = int4); \
         CREATE TABLE t (s status NOT NULL, c code UNIQUE, p positive NOT NULL, q percent NOT NULL, sp small_positive NOT NULL, \
           a address NOT NULL, aa address[] NOT NULL, r span NOT NULL, ss status[] NOT NULL, m int4multirange NOT NULL)",
    );
    assert_eq!(number(&mut client, "SELECT count(DISTINCT s) FROM t"), 5, "every label");
}

#[test]
fn checks_of_many_shapes_are_satisfied() {
    let mut client = all_filled(
        "CREATE TABLE lists (a text NOT NULL CHECK (a IN ('x', 'y')), b text NOT NULL CHECK (b = ANY ('{p,q}'::text[])), \
           c varchar(9) NOT NULL CHECK (c = 'only'), d int NOT NULL CHECK (d IN (7, 9))); \
         CREATE TABLE comparisons (a int NOT NULL CHECK (a > 1000), b int NOT NULL CHECK (b BETWEEN 5 AND 6), \
           c numeric NOT NULL CHECK (c >= 0.5 AND c < 0.75), d date NOT NULL CHECK (d > '1999-12-31' AND d < '2000-01-05'), \
           e bigint NOT NULL CHECK (e < 0), f timestamptz NOT NULL CHECK (f >= '2030-01-01')); \
         CREATE TABLE texts (a text NOT NULL CHECK (length(a) = 40) UNIQUE, b text NOT NULL CHECK (b ~ '^[a-z]+@[a-z]+\\.org$'), \
           c text NOT NULL CHECK (c LIKE 'https://%'), d text NOT NULL CHECK (upper(d) = d), e text NOT NULL CHECK (char_length(e) <= 2), \
           f text NOT NULL CHECK (btrim(f) <> ''), g text NOT NULL CHECK (g ~* '^sk_[0-9a-f]{8}$'), h bytea NOT NULL CHECK (octet_length(h) = 4)); \
         CREATE TABLE together (starts date NOT NULL, ends date NOT NULL CHECK (ends > starts), low int, high int, CHECK (low < high), \
           x int, y int, CHECK ((x IS NULL) <> (y IS NULL)), p text, q text, r text, CHECK (num_nonnulls(p, q, r) = 1), \
           kind text NOT NULL, u text, v text, CHECK ((kind = 'u' AND u IS NOT NULL AND v IS NULL) OR (kind = 'v' AND v IS NOT NULL AND u IS NULL))); \
         CREATE TABLE documents (a jsonb NOT NULL CHECK (jsonb_typeof(a) = 'array'), b jsonb NOT NULL CHECK (b ? 'key'), \
           c boolean NOT NULL CHECK (c), d text[] NOT NULL CHECK (cardinality(d) > 0)); \
         CREATE TABLE wanted (a int, b text, CHECK (a IS NOT NULL OR b IS NOT NULL)); \
         CREATE TABLE computed (a int NOT NULL, b int GENERATED ALWAYS AS (a * 2) STORED CHECK (b > 0), c int GENERATED ALWAYS AS IDENTITY)",
    );
    assert_eq!(number(&mut client, "SELECT count(DISTINCT a) FROM texts"), 3);
    assert_eq!(number(&mut client, "SELECT count(*) FROM together WHERE low IS NOT NULL AND high IS NOT NULL"), 2);
}

#[test]
fn keys_of_every_shape_take_several_rows() {
    let mut client = all_filled(
        "CREATE TABLE plain (a int PRIMARY KEY, b text UNIQUE, c uuid NOT NULL UNIQUE); \
         CREATE TABLE several (a int, b boolean, c text, PRIMARY KEY (a, b), UNIQUE (b, c)); \
         CREATE TABLE expressions (a text NOT NULL, b text NOT NULL, id serial); CREATE UNIQUE INDEX ON expressions (lower(a)); \
         CREATE UNIQUE INDEX ON expressions ((a || b)); \
         CREATE TABLE parts (kind text NOT NULL CHECK (kind IN ('a', 'b')), state text NOT NULL); \
         CREATE UNIQUE INDEX ON parts (kind) WHERE state <> 'deleted'; \
         CREATE TABLE nulls (a int, UNIQUE NULLS NOT DISTINCT (a)); \
         CREATE TABLE booked (room int NOT NULL, during daterange NOT NULL, EXCLUDE USING gist (during WITH &&)); \
         CREATE TABLE once (yes boolean PRIMARY KEY DEFAULT true CHECK (yes))",
    );
    for table in ["plain", "several", "expressions", "booked"] {
        assert_eq!(number(&mut client, &format!("SELECT count(*) FROM {table}")), 3, "{table}");
    }
    assert_eq!(number(&mut client, "SELECT count(*) FROM once"), 1);
}

#[test]
fn rows_refer_to_each_other_as_foreign_keys_want() {
    let mut client = all_filled(
        "CREATE TABLE z_account (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text); \
         CREATE TABLE b_user (id bigserial PRIMARY KEY, account int NOT NULL REFERENCES z_account, boss bigint REFERENCES b_user); \
         CREATE TABLE a_profile (id bigint PRIMARY KEY REFERENCES b_user, CHECK (id > 0)); \
         CREATE TABLE tenant (id uuid PRIMARY KEY); \
         CREATE TABLE project (tenant uuid NOT NULL REFERENCES tenant, id int NOT NULL, PRIMARY KEY (tenant, id)); \
         CREATE TABLE task (tenant uuid NOT NULL REFERENCES tenant, project int NOT NULL, parent int, id int NOT NULL, \
           PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, project) REFERENCES project (tenant, id), \
           FOREIGN KEY (tenant, parent) REFERENCES task (tenant, id)); \
         CREATE TABLE root (id int PRIMARY KEY, up int NOT NULL REFERENCES root); \
         CREATE TABLE root_of_identity (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, up int NOT NULL REFERENCES root_of_identity)",
    );
    assert_eq!(number(&mut client, "SELECT count(*) FROM b_user"), 3);
    assert!(number(&mut client, "SELECT count(*) FROM b_user WHERE boss IS NOT NULL") > 0);
    // One of them is not referred to, so that something can be deleted.
    assert!(client.execute("DELETE FROM z_account WHERE id = (SELECT max(id) FROM z_account)", &[]).is_ok());
}

#[test]
fn rows_that_a_trigger_copies_into_a_shared_table_keep_its_key() {
    let mut client = all_filled(
        "CREATE TABLE base (public_id text PRIMARY KEY CHECK (length(public_id) > 10)); \
         CREATE FUNCTION base() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO base VALUES (NEW.public_id); RETURN NEW; END $$; \
         CREATE TABLE one (public_id text PRIMARY KEY CHECK (length(public_id) > 10)); \
         CREATE TABLE two (public_id text PRIMARY KEY CHECK (length(public_id) > 10)); \
         CREATE TRIGGER t BEFORE INSERT ON one FOR EACH ROW EXECUTE FUNCTION base(); \
         CREATE TRIGGER t BEFORE INSERT ON two FOR EACH ROW EXECUTE FUNCTION base()",
    );
    assert!(number(&mut client, "SELECT count(*) FROM base") >= 6);
}

#[test]
fn foreign_keys_in_a_circle_are_closed() {
    let mut client = all_filled(
        "CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL REFERENCES a); \
         ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b; \
         CREATE TABLE c (id int PRIMARY KEY, d int NOT NULL); \
         CREATE TABLE d (id int PRIMARY KEY, c int NOT NULL REFERENCES c DEFERRABLE INITIALLY DEFERRED); \
         ALTER TABLE c ADD FOREIGN KEY (d) REFERENCES d DEFERRABLE",
    );
    assert!(number(&mut client, "SELECT count(*) FROM a WHERE b IS NOT NULL") > 0);
    let mut never = database(
        "CREATE TABLE e (id int PRIMARY KEY, f int NOT NULL); CREATE TABLE f (id int PRIMARY KEY, e int NOT NULL REFERENCES e); \
         ALTER TABLE e ADD FOREIGN KEY (f) REFERENCES f; CREATE TABLE free (id int)",
    );
    let filled = filled(&mut never);
    assert_eq!(filled.tables, ["public.free"]);
    assert!(filled.unfilled.iter().all(|unfilled| unfilled.why.contains("circle")) && filled.unfilled.len() == 2, "{filled:?}");
}

#[test]
fn partitions_get_rows_within_their_bounds() {
    let mut client = all_filled(
        "CREATE TABLE events (id bigint NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at); \
         CREATE TABLE events_old PARTITION OF events FOR VALUES FROM (MINVALUE) TO ('2020-01-01'); \
         CREATE TABLE events_2031 PARTITION OF events FOR VALUES FROM ('2031-01-01') TO ('2032-01-01') PARTITION BY LIST (id); \
         CREATE TABLE events_2031_7 PARTITION OF events_2031 FOR VALUES IN (7, 8); \
         CREATE TABLE events_other PARTITION OF events DEFAULT; \
         CREATE TABLE hashed (id int PRIMARY KEY, of_event bigint, event_at timestamptz, FOREIGN KEY (of_event, event_at) REFERENCES events) \
           PARTITION BY HASH (id); \
         CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0); \
         CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
    );
    for table in ["events_old", "events_2031_7", "events_other", "hashed_0", "hashed_1"] {
        assert!(number(&mut client, &format!("SELECT count(*) FROM {table}")) > 0, "{table}");
    }
    let mut empty = database("CREATE TABLE nothing (id int) PARTITION BY LIST (id)");
    assert_eq!(filled(&mut empty).unfilled[0].why, "it has no partition");
}

#[test]
fn what_refuses_rows_is_listed_with_the_servers_words() {
    let mut client = database(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'closed on %', TG_TABLE_NAME; END $$; \
         CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; \
         CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.stamped = now(); RETURN NEW; END $$; \
         CREATE TABLE closed (id int); CREATE TRIGGER t BEFORE INSERT ON closed FOR EACH ROW EXECUTE FUNCTION refuse(); \
         CREATE TABLE swallowed (id int); CREATE TRIGGER t BEFORE INSERT ON swallowed FOR EACH ROW EXECUTE FUNCTION swallow(); \
         CREATE TABLE stamped (id int, stamped timestamptz NOT NULL); \
         CREATE TRIGGER t BEFORE INSERT ON stamped FOR EACH ROW EXECUTE FUNCTION stamp(); \
         CREATE TABLE below_closed (id int NOT NULL UNIQUE, c int); ALTER TABLE closed ADD PRIMARY KEY (id); \
         CREATE TABLE needs_closed (id int NOT NULL REFERENCES closed); \
         CREATE TABLE later (id int); CREATE CONSTRAINT TRIGGER t AFTER INSERT ON later DEFERRABLE INITIALLY DEFERRED \
           FOR EACH ROW EXECUTE FUNCTION refuse(); \
         CREATE TABLE impossible (id int NOT NULL, CHECK (id > 5 AND id < 3))",
    );
    let filled = filled(&mut client);
    let why: Vec<(&str, &str)> =
        filled.unfilled.iter().map(|unfilled| (unfilled.table.as_str(), unfilled.why.as_str())).collect();
    assert_eq!(
        why,
        [
            ("public.closed", "P0001 closed on closed"),
            ("public.impossible", "no values were found that satisfy impossible_id_check"),
            ("public.later", "P0001 closed on later"),
            ("public.needs_closed", "needs_closed_id_fkey refers to public.closed, which has no row"),
            ("public.swallowed", "the server took a row and kept none: a trigger or a rule"),
        ]
    );
    assert_eq!(filled.tables, ["public.stamped", "public.below_closed"]);
}

#[test]
fn a_second_call_fills_only_what_is_new_and_shows_values_in_new_columns() {
    let mut client = database("CREATE TABLE t (id serial PRIMARY KEY, name text NOT NULL)");
    let mut filler = Filler::default();
    let options = FillOptions::default();
    assert_eq!(filler.fill(&mut client, &options).unwrap().rows, 3);
    assert_eq!(filler.fill(&mut client, &options).unwrap(), Filled::default());
    client.batch_execute("ALTER TABLE t ADD COLUMN age int; CREATE TABLE u (id int)").unwrap();
    assert_eq!(filler.fill(&mut client, &options).unwrap().tables, ["public.u"]);
    assert_eq!(number(&mut client, "SELECT count(*) FROM t WHERE age IS NULL"), 3);
    assert_eq!(number(&mut client, "SELECT count(*) FROM t WHERE age IS NOT NULL"), 2);
    let oid: u32 = client.query_one("SELECT 't'::regclass::oid", &[]).unwrap().get(0);
    assert!(filler.is_original(oid, 2) && !filler.is_original(oid, 3));
}

#[test]
fn the_same_schema_gets_the_same_rows() {
    let sql = "CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL, b uuid, c jsonb, d timestamptz CHECK (d > '2020-01-01'))";
    let rows = |client: &mut Client| -> Vec<String> {
        client.query("SELECT t::text FROM t ORDER BY 1", &[]).unwrap().iter().map(|row| row.get(0)).collect()
    };
    assert_eq!(rows(&mut all_filled(sql)), rows(&mut all_filled(sql)));
}

#[test]
fn the_owner_of_tables_needs_no_other_right() {
    let name = new_database();
    let mut client = SERVER.connect(&name).unwrap();
    client
        .batch_execute(
            "CREATE ROLE rows_owner; CREATE SCHEMA app AUTHORIZATION rows_owner; SET ROLE rows_owner; \
             CREATE TABLE app.a (id int PRIMARY KEY); CREATE TABLE app.b (id int REFERENCES app.a); \
             ALTER TABLE app.b ENABLE ROW LEVEL SECURITY; RESET ROLE; CREATE TABLE public.foreign_ground (id int); SET ROLE rows_owner",
        )
        .unwrap();
    let filled = filled(&mut client);
    assert_eq!(filled.tables, ["app.a", "app.b"]);
    assert_eq!(filled.unfilled.len(), 1);
    assert!(filled.unfilled[0].why.starts_with("42501"), "{filled:?}");
}

#[test]
fn types_of_extensions_have_values_where_a_text_is_enough() {
    let mut client = database("");
    let names: Vec<String> = client
        .query("SELECT name::text FROM pg_available_extensions WHERE name IN ('citext', 'hstore', 'ltree', 'cube', 'isn', 'seg') ORDER BY 1", &[])
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(names.contains(&"citext".to_owned()), "the server's contrib modules are part of these tests: {names:?}");
    for name in &names {
        client.batch_execute(&format!("CREATE EXTENSION {name}")).unwrap();
    }
    let types = ["citext", "hstore", "ltree", "cube", "seg"];
    for name in types.iter().filter(|name| names.iter().any(|there| there == *name)) {
        client.batch_execute(&format!("CREATE TABLE of_{name} (a {name} NOT NULL UNIQUE)")).unwrap();
    }
    assert_eq!(filled(&mut client).unfilled, []);
}
