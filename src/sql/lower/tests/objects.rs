use super::*;
use crate::op::{ExtensionChange, ObjectKind as Kind, ObjectRef, PublicationChange};

fn plain(kind: Kind, text: &str) -> ObjectRef {
    ObjectRef { kind, name: name(text), sub: None, args: None, cast: None }
}

fn on(kind: Kind, text: &str, sub: &str) -> ObjectRef {
    ObjectRef { sub: Some(sub.into()), ..plain(kind, text) }
}

fn with_args(kind: Kind, text: &str, args: &[&str]) -> ObjectRef {
    ObjectRef { args: Some(args.iter().map(|arg| type_named(arg)).collect()), ..plain(kind, text) }
}

fn cast(source: &str, target: &str) -> ObjectRef {
    ObjectRef { cast: Some((type_named(source), type_named(target))), ..plain(Kind::Cast, "") }
}

#[test]
fn dropped_objects_are_named_in_the_form_of_their_kind() {
    for (sql, expected) in [
        ("TABLE s.t", plain(Kind::Table, "s.t")),
        ("FOREIGN TABLE t", plain(Kind::ForeignTable, "t")),
        ("VIEW s.t", plain(Kind::View, "s.t")),
        ("MATERIALIZED VIEW t", plain(Kind::MaterializedView, "t")),
        ("INDEX s.i", plain(Kind::Index, "s.i")),
        ("SEQUENCE t", plain(Kind::Sequence, "t")),
        ("SCHEMA x", plain(Kind::Schema, "x")),
        ("EXTENSION x", plain(Kind::Extension, "x")),
        ("TYPE s.x", plain(Kind::Type, "s.x")),
        ("DOMAIN x", plain(Kind::Domain, "x")),
        ("FUNCTION f", plain(Kind::Function, "f")),
        ("FUNCTION s.f(int, OUT text)", with_args(Kind::Function, "s.f", &["int4"])),
        ("PROCEDURE p()", with_args(Kind::Procedure, "p", &[])),
        ("ROUTINE r", plain(Kind::Routine, "r")),
        ("AGGREGATE a(*)", with_args(Kind::Aggregate, "a", &[])),
        ("AGGREGATE a(int ORDER BY text)", with_args(Kind::Aggregate, "a", &["int4", "text"])),
        ("OPERATOR s.+ (int, text)", with_args(Kind::Operator, "s.+", &["int4", "text"])),
        ("OPERATOR - (NONE, int)", with_args(Kind::Operator, "-", &["none", "int4"])),
        ("OPERATOR CLASS s.c USING btree", on(Kind::OperatorClass, "s.c", "btree")),
        ("OPERATOR FAMILY c USING btree", on(Kind::OperatorFamily, "c", "btree")),
        ("CAST (int AS s.t)", cast("int4", "s.t")),
        ("TRANSFORM FOR s.t LANGUAGE l", on(Kind::Transform, "s.t", "l")),
        ("TRIGGER x ON s.t", on(Kind::Trigger, "s.t", "x")),
        ("RULE x ON t", on(Kind::Rule, "t", "x")),
        ("POLICY x ON s.t", on(Kind::Policy, "s.t", "x")),
        ("TEXT SEARCH PARSER s.c", plain(Kind::TextSearch, "s.c")),
        ("STATISTICS s.x", plain(Kind::Statistics, "s.x")),
        ("COLLATION c", plain(Kind::Collation, "c")),
        ("CONVERSION c", plain(Kind::Conversion, "c")),
        ("LANGUAGE l", plain(Kind::Language, "l")),
        ("EVENT TRIGGER e", plain(Kind::EventTrigger, "e")),
        ("PUBLICATION p", plain(Kind::Publication, "p")),
        ("SUBSCRIPTION p", plain(Kind::Subscription, "p")),
        ("SERVER s", plain(Kind::ForeignServer, "s")),
        ("FOREIGN DATA WRAPPER w", plain(Kind::ForeignDataWrapper, "w")),
        ("USER MAPPING FOR CURRENT_USER SERVER s", on(Kind::UserMapping, "s", "current_user")),
        ("DATABASE d", plain(Kind::Database, "d")),
        ("TABLESPACE t", plain(Kind::Tablespace, "t")),
        ("ACCESS METHOD m", plain(Kind::AccessMethod, "m")),
    ] {
        let sql = format!("DROP {sql}");
        assert_eq!(
            op(&sql),
            Op::Drop { objects: vec![expected], if_exists: false, cascade: false, concurrently: false },
            "{sql}"
        );
    }
    assert_eq!(
        op("DROP TABLE IF EXISTS a, s.b CASCADE"),
        Op::Drop {
            objects: vec![plain(Kind::Table, "a"), plain(Kind::Table, "s.b")],
            if_exists: true,
            cascade: true,
            concurrently: false
        }
    );
    assert!(matches!(op("DROP INDEX CONCURRENTLY i"), Op::Drop { concurrently: true, .. }));
}

#[test]
fn renamed_objects_keep_what_they_hang_on() {
    for (sql, expected) in [
        ("TABLE s.t", plain(Kind::Table, "s.t")),
        ("INDEX s.t", plain(Kind::Index, "s.t")),
        ("VIEW t", plain(Kind::View, "t")),
        ("TABLE t RENAME COLUMN a", on(Kind::Column, "t", "a")),
        ("VIEW s.t RENAME COLUMN a", on(Kind::Column, "s.t", "a")),
        ("TABLE t RENAME a", on(Kind::Column, "t", "a")),
        ("TABLE t RENAME CONSTRAINT a", on(Kind::TableConstraint, "t", "a")),
        ("DOMAIN s.d RENAME CONSTRAINT a", on(Kind::DomainConstraint, "s.d", "a")),
        ("TYPE s.t RENAME ATTRIBUTE a", on(Kind::Attribute, "s.t", "a")),
        ("TYPE s.t", plain(Kind::Type, "s.t")),
        ("DOMAIN s.t", plain(Kind::Domain, "s.t")),
        ("FUNCTION s.f(int)", with_args(Kind::Function, "s.f", &["int4"])),
        ("AGGREGATE a(*)", with_args(Kind::Aggregate, "a", &[])),
        ("TRIGGER a ON s.t", on(Kind::Trigger, "s.t", "a")),
        ("POLICY a ON s.t", on(Kind::Policy, "s.t", "a")),
        ("RULE a ON s.t", on(Kind::Rule, "s.t", "a")),
        ("SCHEMA a", plain(Kind::Schema, "a")),
        ("ROLE a", plain(Kind::Role, "a")),
        ("DATABASE a", plain(Kind::Database, "a")),
        ("TABLESPACE a", plain(Kind::Tablespace, "a")),
        ("OPERATOR CLASS s.a USING btree", on(Kind::OperatorClass, "s.a", "btree")),
        ("SERVER a", plain(Kind::ForeignServer, "a")),
        ("EVENT TRIGGER a", plain(Kind::EventTrigger, "a")),
        ("PUBLICATION a", plain(Kind::Publication, "a")),
        ("LANGUAGE a", plain(Kind::Language, "a")),
        ("STATISTICS s.a", plain(Kind::Statistics, "s.a")),
        ("COLLATION a", plain(Kind::Collation, "a")),
    ] {
        let rename = if sql.contains(" RENAME ") { "" } else { " RENAME" };
        let sql = format!("ALTER {sql}{rename} TO b");
        assert_eq!(op(&sql), Op::Rename { object: expected, to: "b".into(), if_exists: false, cascade: false }, "{sql}");
    }
    assert!(matches!(op("ALTER TABLE IF EXISTS t RENAME TO u"), Op::Rename { if_exists: true, .. }));
    assert!(matches!(op("ALTER TYPE t RENAME ATTRIBUTE a TO b CASCADE"), Op::Rename { cascade: true, .. }));
}

#[test]
fn objects_move_and_change_owner_in_the_form_of_their_kind() {
    for (sql, expected) in [
        ("TABLE s.t", plain(Kind::Table, "s.t")),
        ("TYPE s.t", plain(Kind::Type, "s.t")),
        ("FUNCTION f(int)", with_args(Kind::Function, "f", &["int4"])),
        ("EXTENSION e", plain(Kind::Extension, "e")),
        ("OPERATOR s.+ (int, int)", with_args(Kind::Operator, "s.+", &["int4", "int4"])),
        ("OPERATOR CLASS a USING btree", on(Kind::OperatorClass, "a", "btree")),
    ] {
        let sql = format!("ALTER {sql} SET SCHEMA u");
        assert_eq!(op(&sql), Op::SetSchema { object: expected, schema: "u".into(), if_exists: false }, "{sql}");
    }
    for (sql, expected) in [
        ("TYPE s.t", plain(Kind::Type, "s.t")),
        ("SCHEMA s", plain(Kind::Schema, "s")),
        ("FUNCTION f(int)", with_args(Kind::Function, "f", &["int4"])),
        ("LARGE OBJECT 123", plain(Kind::LargeObject, "123")),
        ("OPERATOR FAMILY a USING btree", on(Kind::OperatorFamily, "a", "btree")),
        ("DATABASE d", plain(Kind::Database, "d")),
    ] {
        let sql = format!("ALTER {sql} OWNER TO CURRENT_ROLE");
        assert_eq!(op(&sql), Op::SetOwner { object: expected, role: "current_role".into() }, "{sql}");
    }
    for (sql, expected) in [
        ("FUNCTION f(int)", with_args(Kind::Function, "f", &["int4"])),
        ("TRIGGER a ON s.t", on(Kind::Trigger, "s.t", "a")),
        ("INDEX s.i", plain(Kind::Index, "s.i")),
    ] {
        let sql = format!("ALTER {sql} DEPENDS ON EXTENSION e");
        assert_eq!(op(&sql), Op::DependsOnExtension { object: expected }, "{sql}");
    }
}

#[test]
fn comments_name_their_object() {
    for (sql, expected) in [
        ("TABLE s.t", plain(Kind::Table, "s.t")),
        ("COLUMN s.t.c", on(Kind::Column, "s.t", "c")),
        ("CONSTRAINT c ON s.t", on(Kind::TableConstraint, "s.t", "c")),
        ("CONSTRAINT c ON DOMAIN s.d", on(Kind::DomainConstraint, "s.d", "c")),
        ("FUNCTION f(int)", with_args(Kind::Function, "f", &["int4"])),
        ("TYPE s.t", plain(Kind::Type, "s.t")),
        ("TRIGGER a ON s.t", on(Kind::Trigger, "s.t", "a")),
        ("CAST (int AS text)", cast("int4", "text")),
        ("LARGE OBJECT 1", plain(Kind::LargeObject, "1")),
        ("TRANSFORM FOR int LANGUAGE sql", on(Kind::Transform, "int4", "sql")),
        ("ROLE r", plain(Kind::Role, "r")),
    ] {
        let sql = format!("COMMENT ON {sql} IS 'x'");
        assert_eq!(op(&sql), Op::Comment { object: expected, text: Some("x".into()) }, "{sql}");
    }
    assert!(matches!(op("COMMENT ON TABLE t IS NULL"), Op::Comment { text: None, .. }));
}

#[test]
fn created_objects_of_other_kinds_are_named() {
    for (sql, expected) in [
        ("OPERATOR s.=== (LEFTARG = int, RIGHTARG = text, FUNCTION = f)", with_args(Kind::Operator, "s.===", &["int4", "text"])),
        ("OPERATOR ! (RIGHTARG = text, FUNCTION = f)", with_args(Kind::Operator, "!", &["none", "text"])),
        (r#"COLLATION c FROM "C""#, plain(Kind::Collation, "c")),
        ("TEXT SEARCH CONFIGURATION s.c (COPY = d)", plain(Kind::TextSearch, "s.c")),
        ("CAST (int AS s.t) WITH FUNCTION f(int) AS IMPLICIT", cast("int4", "s.t")),
        ("TRANSFORM FOR int LANGUAGE l (FROM SQL WITH FUNCTION f(internal))", on(Kind::Transform, "int4", "l")),
        ("CONVERSION c FOR 'a' TO 'b' FROM f", plain(Kind::Conversion, "c")),
        ("LANGUAGE l HANDLER h", plain(Kind::Language, "l")),
        ("ACCESS METHOD m TYPE INDEX HANDLER h", plain(Kind::AccessMethod, "m")),
        ("OPERATOR CLASS s.o FOR TYPE int USING btree AS OPERATOR 1 <", on(Kind::OperatorClass, "s.o", "btree")),
        ("OPERATOR FAMILY o USING btree", on(Kind::OperatorFamily, "o", "btree")),
        ("STATISTICS s.x ON a, (b + 1) FROM s.t", plain(Kind::Statistics, "s.x")),
        ("DATABASE d OWNER x", plain(Kind::Database, "d")),
        ("TABLESPACE t LOCATION '/x'", plain(Kind::Tablespace, "t")),
        ("FOREIGN DATA WRAPPER w", plain(Kind::ForeignDataWrapper, "w")),
        ("SERVER s FOREIGN DATA WRAPPER w", plain(Kind::ForeignServer, "s")),
        ("USER MAPPING FOR PUBLIC SERVER s", on(Kind::UserMapping, "s", "public")),
    ] {
        let sql = format!("CREATE {sql}");
        assert_eq!(take!(op(&sql), Op::CreateOther { object, .. } => object), expected, "{sql}");
    }
    let options = |sql: &str| take!(op(sql), Op::CreateOther { options, .. } => options);
    let secret = options("CREATE USER MAPPING FOR bob SERVER s OPTIONS (password 'x')");
    assert_eq!(secret, [("password".to_owned(), Some("x".to_owned()))]);
    assert!(options("CREATE STATISTICS ON a, b FROM s.t").contains(&("on".to_owned(), Some("s.t".to_owned()))));
    assert!(options("CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'h')").contains(&("host".into(), Some("h".into()))));
}

#[test]
fn altered_objects_of_other_kinds_say_what_changes() {
    for (sql, expected, option) in [
        ("OPERATOR FAMILY o USING btree DROP OPERATOR 1 (int, int)", on(Kind::OperatorFamily, "o", "btree"), "drop"),
        ("OPERATOR + (int, int) SET (RESTRICT = NONE)", with_args(Kind::Operator, "+", &["int4", "int4"]), "restrict"),
        ("STATISTICS x SET STATISTICS 5", plain(Kind::Statistics, "x"), "statistics"),
        ("COLLATION c REFRESH VERSION", plain(Kind::Collation, "c"), "refresh version"),
        ("TEXT SEARCH DICTIONARY d (x = y)", plain(Kind::TextSearch, "d"), "x"),
        ("TEXT SEARCH CONFIGURATION c DROP MAPPING FOR word", plain(Kind::TextSearch, "c"), "drop mapping"),
        ("DATABASE d CONNECTION LIMIT 5", plain(Kind::Database, "d"), "connection_limit"),
        ("DATABASE d REFRESH COLLATION VERSION", plain(Kind::Database, "d"), "refresh collation version"),
        ("TABLESPACE t SET (a = 1)", plain(Kind::Tablespace, "t"), "a"),
        ("FOREIGN DATA WRAPPER w OPTIONS (DROP a)", plain(Kind::ForeignDataWrapper, "w"), "drop a"),
        ("SERVER s VERSION '2'", plain(Kind::ForeignServer, "s"), "version"),
        ("USER MAPPING FOR bob SERVER s OPTIONS (SET password 'y')", on(Kind::UserMapping, "s", "bob"), "password"),
    ] {
        let sql = format!("ALTER {sql}");
        let (object, options) = take!(op(&sql), Op::AlterOther { object, options } => (object, options));
        assert_eq!((object, options[0].0.as_str()), (expected, option), "{sql}");
    }
}

#[test]
fn extensions_keep_version_and_schema() {
    assert_eq!(
        op(r#"CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA s VERSION '1' CASCADE"#),
        Op::CreateExtension {
            name: "uuid-ossp".into(),
            if_not_exists: true,
            schema: Some("s".into()),
            cascade: true,
            version: Some("1".into()),
        }
    );
    for (sql, expected) in [
        ("UPDATE TO '2'", ExtensionChange::Update { version: Some("2".into()) }),
        ("UPDATE", ExtensionChange::Update { version: None }),
        ("ADD FUNCTION f(int)", ExtensionChange::Add(with_args(Kind::Function, "f", &["int4"]))),
        ("DROP TABLE s.t", ExtensionChange::Drop(plain(Kind::Table, "s.t"))),
    ] {
        assert_eq!(op(&format!("ALTER EXTENSION e {sql}")), Op::AlterExtension { name: "e".into(), change: expected });
    }
}

#[test]
fn publications_list_tables_schemas_and_filters() {
    let (tables, schemas, filters, options) = take!(
        op("CREATE PUBLICATION p FOR TABLE s.a (x) WHERE (z), b, TABLES IN SCHEMA c, CURRENT_SCHEMA WITH (publish = 'insert')"),
        Op::CreatePublication { tables, schemas, filters, options, all_tables: false, .. } => (tables, schemas, filters, options)
    );
    assert_eq!(tables, [name("s.a"), name("b")]);
    assert_eq!(schemas, ["c", "current_schema"]);
    assert_eq!((filters.len(), filters[0].columns.as_slice()), (1, ["x".to_owned()].as_slice()));
    assert_eq!(filters[0].condition, Some(column("z")));
    assert_eq!(options, [("publish".to_owned(), Some("insert".to_owned()))]);
    let change = |sql: &str| take!(op(&format!("ALTER PUBLICATION p {sql}")), Op::AlterPublication { change, .. } => change);
    assert!(matches!(change("ADD TABLE a"), PublicationChange::Add { tables, .. } if tables == [name("a")]));
    assert!(matches!(change("DROP TABLES IN SCHEMA a"), PublicationChange::Drop { schemas, .. } if schemas == ["a"]));
    assert!(matches!(change("SET TABLE a WHERE (b)"), PublicationChange::Set { filters, .. } if filters.len() == 1));
    assert!(matches!(change("SET (publish = 'x')"), PublicationChange::Options(options) if options.len() == 1));
}
