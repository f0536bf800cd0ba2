//! The canonical description of a schema, as a server gives it.

use crate::support::snapshot;
use phasegate::catalog::snapshot::{Snapshot, compare};
use serde_json::{Value, json};

/// What `path` leads to in the JSON of the snapshot.
fn at(snapshot: &Snapshot, path: &[&str]) -> Value {
    let mut value = &serde_json::to_value(snapshot).unwrap();
    for part in path {
        value = value.get(*part).unwrap_or_else(|| panic!("{part} of {path:?} is not in {value}"));
    }
    value.clone()
}

#[test]
fn an_empty_database_has_its_schema_and_plpgsql_and_nothing_else() {
    let empty = Snapshot {
        schemas: ["public".to_owned()].into(),
        extensions: [("plpgsql".to_owned(), Some("pg_catalog".to_owned()))].into(),
        ..Snapshot::default()
    };
    // Grants on schema public differ between versions and are none of this test.
    assert_eq!(compare(&empty, &snapshot("")).differences, []);
}

#[test]
fn columns_have_types_with_modifiers_and_user_types_are_qualified() {
    let found = snapshot(
        "CREATE SCHEMA app; SET search_path TO app, public; CREATE TYPE mood AS ENUM ('a b', 'c'); CREATE DOMAIN d AS varchar(3);
         CREATE TABLE \"T\" (id int GENERATED ALWAYS AS IDENTITY, name varchar(20) NOT NULL, price numeric(10,2)[], m mood[], x d,
            t timestamptz(3) DEFAULT now(), c text COLLATE \"C\", g int GENERATED ALWAYS AS (1) STORED)",
    );
    let columns = at(&found, &["relations", "app.\"T\"", "columns"]);
    let facts: Vec<Value> = columns
        .as_array()
        .unwrap()
        .iter()
        .map(|c| json!([c["name"], c["type_name"], c["not_null"], c["default"], c["identity"], c["generated"], c["collation"]]))
        .collect();
    assert_eq!(
        Value::from(facts),
        json!([
            ["id", "integer", true, false, "a", "", ""],
            ["name", "character varying(20)", true, false, "", "", ""],
            ["price", "numeric(10,2)[]", false, false, "", "", ""],
            ["m", "app.mood[]", false, false, "", "", ""],
            ["x", "app.d", false, false, "", "", ""],
            ["t", "timestamp(3) with time zone", false, true, "", "", ""],
            ["c", "text", false, false, "", "", "pg_catalog.\"C\""],
            ["g", "integer", false, false, "", "s", ""],
        ])
    );
    assert_eq!(at(&found, &["types", "app.mood", "labels"]), json!(["a b", "c"]));
    assert_eq!(at(&found, &["types", "app.d", "base"]), json!("character varying(3)"));
    assert_eq!(
        at(&found, &["relations", "app.\"T_id_seq\"", "sequence"]),
        json!({
            "type_name": "integer", "owned_by": "app.\"T\".id"
        })
    );
}

#[test]
fn constraints_and_indexes_have_columns_and_state() {
    let found = snapshot(
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (x int REFERENCES a ON DELETE CASCADE ON UPDATE SET NULL, y int, z text,
            CONSTRAINT u UNIQUE (y) INCLUDE (z) DEFERRABLE INITIALLY DEFERRED);
         ALTER TABLE b ADD CONSTRAINT c CHECK (y > x) NOT VALID; CREATE UNIQUE INDEX i ON b USING btree (lower(z), y DESC) WHERE y > 0",
    );
    let b = ["relations", "public.b"];
    let constraint = |name: &str| {
        let c = at(&found, &[&b[..], &["constraints", name]].concat());
        json!([
            c["kind"],
            c["columns"],
            c["references"],
            c["validated"],
            c["deferrable"],
            c["initially_deferred"],
            c["on_delete"],
            c["on_update"]
        ])
    };
    assert_eq!(constraint("b_x_fkey"), json!(["f", ["x"], "public.a", true, false, false, "c", "n"]));
    assert_eq!(constraint("u"), json!(["u", ["y"], "", true, true, true, "", ""]));
    assert_eq!(constraint("c"), json!(["c", ["x", "y"], "", false, false, false, "", ""]));
    assert_eq!(
        at(&found, &[&b[..], &["indexes", "i"]].concat()),
        json!({
            "unique": true, "valid": true, "columns": ["", "y"], "including": [], "predicate": true, "method": "btree", "constraint": false
        })
    );
    assert_eq!(at(&found, &[&b[..], &["indexes", "u", "including"]].concat()), json!(["z"]));
}

#[test]
fn triggers_policies_rules_partitions_routines_and_publications() {
    let found = snapshot(
        "CREATE TABLE p (id int, a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER STABLE AS 'BEGIN RETURN new; END';
         CREATE TRIGGER g BEFORE INSERT OR UPDATE OF a ON p FOR EACH ROW EXECUTE FUNCTION f();
         CREATE POLICY own ON p1 AS RESTRICTIVE FOR SELECT USING (true); ALTER TABLE p1 ENABLE ROW LEVEL SECURITY;
         ALTER TABLE p1 REPLICA IDENTITY FULL; CREATE RULE r AS ON INSERT TO p1 DO ALSO NOTHING;
         CREATE PUBLICATION pub FOR TABLE p1; CREATE PROCEDURE proc(int, VARIADIC text[]) LANGUAGE sql AS '';
         CREATE FUNCTION rows(n int) RETURNS TABLE (a int, b text) LANGUAGE sql AS 'SELECT 1, ''x''';
         GRANT SELECT (a), UPDATE ON p TO PUBLIC",
    );
    let relation = |name: &str, field: &str| at(&found, &["relations", name, field]);
    assert_eq!(relation("public.p", "kind"), "partitioned-table");
    assert_eq!(relation("public.p", "partition_strategy"), "list");
    assert_eq!(relation("public.p1", "parents"), json!(["public.p"]));
    assert_eq!(relation("public.p1", "partition"), true);
    assert_eq!(
        relation("public.p", "triggers"),
        json!({
            "g": {"events": "before insert or update row", "function": "public.f", "enabled": "O"}
        })
    );
    // The clone on the partition is the server's own business.
    assert_eq!(relation("public.p1", "triggers"), json!({}));
    assert_eq!(
        relation("public.p1", "policies"),
        json!({"own": {"command": "select", "permissive": false, "roles": ["public"]}})
    );
    assert_eq!(relation("public.p1", "row_security"), json!({"enabled": true, "forced": false}));
    assert_eq!(relation("public.p1", "replica_identity"), "full");
    assert_eq!(relation("public.p1", "rules"), json!(["r"]));
    assert_eq!(at(&found, &["publications", "pub", "tables"]), json!(["public.p1"]));
    assert_eq!(
        at(&found, &["routines", "public.f()"]),
        json!({
            "kind": "f", "returns": "trigger", "language": "plpgsql", "volatility": "s", "security_definer": true, "owner": "postgres"
        })
    );
    assert_eq!(at(&found, &["routines", "public.proc(integer, text[])", "returns"]), "");
    assert_eq!(at(&found, &["routines", "public.rows(integer)", "returns"]), "SETOF record");
    assert_eq!(at(&found, &["grants", "public.p"]), json!(["PUBLIC=UPDATE"]));
    assert_eq!(at(&found, &["grants", "public.p.a"]), json!(["PUBLIC=SELECT"]));
}
