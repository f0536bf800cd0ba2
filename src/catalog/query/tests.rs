//! What a server cannot be asked: relations that no visible statement created. The rest is in `tests/server/objects.rs`.

use crate::catalog::object::{Birth, Reference};
use crate::catalog::{Catalog, replay};
use crate::source::{Migration, Wrapping};

/// The catalog after the text has run as the first unit.
fn after(sql: &str) -> Catalog {
    let migration = Migration { wrapping: Wrapping::None, ..Migration::of_text("0001", "0001.sql", sql.as_bytes()) };
    let mut catalog = Catalog::new();
    replay::unit(&mut catalog, 1, &migration, &crate::sql::parse::unit(&migration));
    catalog
}

fn names(catalog: &Catalog, relation: &str) -> Vec<String> {
    let relation = catalog.relations.values().find(|found| found.name == relation).unwrap();
    relation.columns.iter().map(|column| column.name.clone()).collect()
}

#[test]
fn a_view_makes_up_the_columns_it_names_of_a_table_nobody_created() {
    let catalog = after("CREATE VIEW v AS SELECT u.a, b AS c FROM unseen u WHERE d > 0 ORDER BY c");
    assert_eq!(names(&catalog, "unseen"), ["a", "b", "d"]);
    assert_eq!(names(&catalog, "v"), ["a", "c"]);
    let unseen = catalog.relations.values().find(|found| found.name == "unseen").unwrap();
    assert!(!unseen.known && unseen.birth == Birth::UNSEEN && catalog.incomplete);
}

#[test]
fn a_star_over_unknown_columns_leaves_the_view_open() {
    let catalog = after("CREATE VIEW v AS SELECT * FROM unseen; CREATE VIEW w AS SELECT x FROM v");
    let known = |name: &str| catalog.relations.values().find(|found| found.name == name).unwrap().known;
    assert!(!known("v"));
    assert!(known("w"));
    assert_eq!(names(&catalog, "v"), ["x"]);
}

#[test]
fn a_bare_name_is_not_guessed_between_two_unknown_tables() {
    let catalog = after("CREATE VIEW v AS SELECT a FROM one, two");
    assert!(names(&catalog, "one").is_empty() && names(&catalog, "two").is_empty());
}

#[test]
fn catalogs_of_the_server_and_common_table_expressions_are_no_unseen_tables() {
    let catalog = after(
        "CREATE VIEW v AS WITH q AS (SELECT 1 AS n) SELECT q.n, c.relname FROM q, pg_class c, information_schema.tables t, \
         pg_catalog.pg_type",
    );
    let relations: Vec<&str> = catalog.relations.values().map(|found| found.name.as_str()).collect();
    assert_eq!(relations, ["v"]);
    assert!(!catalog.incomplete);
}

#[test]
fn a_view_refers_to_each_column_and_routine_that_it_uses_and_to_nothing_else() {
    let catalog = after(
        "CREATE TABLE t (a int, b int, c int); CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE SEQUENCE s;
         CREATE VIEW v AS SELECT f(a) FROM t WHERE b = nextval('s')",
    );
    let by_name = |name: &str| catalog.relations.values().find(|found| found.name == name).unwrap();
    let (table, sequence, view) = (by_name("t"), by_name("s"), by_name("v"));
    let routine = catalog.routines.values().find(|found| catalog.routine_label(found) == "public.f(integer)").unwrap();
    let column = |name: &str| Reference::Column(table.id, table.column(name).unwrap().id);
    let mut expected = vec![
        Reference::Relation(table.id),
        column("a"),
        Reference::Routine(routine.id),
        column("b"),
        Reference::Relation(sequence.id),
    ];
    let mut found = view.view.as_ref().unwrap().references.clone();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn an_inner_name_hides_an_outer_one() {
    let catalog = after(
        "CREATE TABLE t (a int, b int); CREATE TABLE u (a text);
         CREATE VIEW v AS SELECT (SELECT a FROM u LIMIT 1) AS inner_a, (SELECT b FROM u LIMIT 1) AS outer_b FROM t",
    );
    let view = catalog.relations.values().find(|found| found.name == "v").unwrap();
    let types: Vec<Option<String>> = view.columns.iter().map(|column| catalog.format_type(&column.data_type)).collect();
    assert_eq!(types, [Some("text".to_string()), Some("integer".to_string())]);
}
