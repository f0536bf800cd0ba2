use super::*;
use crate::op::{AlterDomain, AlterEnum, ConstraintKind, ObjectKind, TypeDefinition};

fn type_of(sql: &str) -> TypeRef {
    take!(expr(&format!("NULL::{sql}")), Expr::Cast { to, .. } => to)
}

#[test]
fn built_in_types_have_the_parsers_names_and_no_schema() {
    for (sql, expected) in [
        ("integer", "int4"),
        ("pg_catalog.int4", "int4"),
        ("int4", "int4"),
        ("bigint", "int8"),
        ("double precision", "float8"),
        ("real", "float4"),
        ("timestamp with time zone", "timestamptz"),
        ("text", "text"),
        ("serial", "serial"),
        ("\"char\"", "char"),
        ("app.mood", "app.mood"),
        ("boolean", "bool"),
        ("bit varying", "varbit"),
    ] {
        assert_eq!(type_of(sql), type_named(expected), "{sql}");
    }
}

#[test]
fn modifiers_and_arrays_are_kept_as_written() {
    for (sql, base, typmods) in [
        ("varchar(20)", "varchar", vec![20]),
        ("char", "bpchar", vec![1]),
        ("char(3)", "bpchar", vec![3]),
        ("numeric(10,2)", "numeric", vec![10, 2]),
        ("timestamp(3) with time zone", "timestamptz", vec![3]),
        ("interval day to second(3)", "interval", vec![7176, 3]),
        ("interval", "interval", vec![]),
        ("bit(5)", "bit", vec![5]),
    ] {
        assert_eq!(type_of(sql), TypeRef { typmods, ..type_named(base) }, "{sql}");
    }
    assert_eq!(type_of("text[][3]"), TypeRef { array_dims: 2, ..type_named("text") });
    assert_eq!(
        type_of("geometry(Point, 4326)"),
        TypeRef { typmods: vec![4326], modifier_words: vec!["point".into()], ..type_named("geometry") }
    );
}

#[test]
fn a_column_reference_as_type_names_its_table_as_schema() {
    let routine =
        take!(op("CREATE FUNCTION f(a s.t.c%TYPE) RETURNS SETOF t.c%TYPE LANGUAGE sql AS ''"), Op::CreateRoutine(r) => r);
    assert_eq!(routine.returns, Some(TypeRef { setof: true, percent_type: true, ..type_named("t.c") }));
    let argument = &routine.args[0].type_ref;
    assert_eq!((argument.name.schema.as_deref(), argument.name.name.as_str()), (Some("s.t"), "c"));
}

#[test]
fn types_are_created_by_kind() {
    for (sql, expected) in [
        ("CREATE TYPE s.e AS ENUM ('a', 'b')", TypeDefinition::Enum(vec!["a".into(), "b".into()])),
        (
            "CREATE TYPE s.e AS RANGE (subtype = float8, multirange_type_name = s.mr)",
            TypeDefinition::Range { subtype: Some(type_named("float8")), multirange: Some(name("s.mr")) },
        ),
        ("CREATE TYPE s.e", TypeDefinition::Base),
        ("CREATE TYPE s.e (INPUT = f, OUTPUT = g)", TypeDefinition::Base),
    ] {
        assert_eq!(op(sql), Op::CreateType { name: name("s.e"), definition: expected });
    }
    let attributes = take!(
        op(r#"CREATE TYPE c AS (a int, b text COLLATE "C")"#),
        Op::CreateType { definition: TypeDefinition::Composite(columns), .. } => columns
    );
    assert_eq!(attributes.len(), 2);
    assert_eq!(attributes[1].collation, Some(name("C")));
}

#[test]
fn enum_changes_say_where_a_label_goes() {
    let change = |sql: &str| take!(op(sql), Op::AlterEnum { change, .. } => change);
    assert_eq!(
        change("ALTER TYPE e ADD VALUE IF NOT EXISTS 'x' BEFORE 'y'"),
        AlterEnum::AddValue { value: "x".into(), if_not_exists: true, before: Some("y".into()), after: None }
    );
    assert_eq!(
        change("ALTER TYPE e ADD VALUE 'x' AFTER 'y'"),
        AlterEnum::AddValue { value: "x".into(), if_not_exists: false, before: None, after: Some("y".into()) }
    );
    assert_eq!(change("ALTER TYPE e RENAME VALUE 'x' TO 'y'"), AlterEnum::RenameValue { from: "x".into(), to: "y".into() });
}

#[test]
fn domains_keep_base_collation_and_constraints_in_order() {
    let sql = r#"CREATE DOMAIN s.d AS varchar(9) COLLATE "C" DEFAULT 'x' NOT NULL CONSTRAINT k CHECK (VALUE <> '')"#;
    let (base, collation, constraints) =
        take!(op(sql), Op::CreateDomain { base, collation, constraints, .. } => (base, collation, constraints));
    assert_eq!(base.typmods, [9]);
    assert_eq!(collation, Some(name("C")));
    let texts: Vec<_> = constraints.iter().map(|c| cut(sql, c.span)).collect();
    assert_eq!(texts, ["DEFAULT 'x'", "NOT NULL", "CONSTRAINT k CHECK (VALUE <> '')"]);
    assert_eq!(constraints[2].name.as_deref(), Some("k"));
}

#[test]
fn domain_changes_are_told_apart() {
    let change = |sql: &str| take!(op(sql), Op::AlterDomain { change, .. } => change);
    assert_eq!(change("ALTER DOMAIN d SET DEFAULT 1"), AlterDomain::SetDefault(Expr::Int(1)));
    assert_eq!(change("ALTER DOMAIN d DROP DEFAULT"), AlterDomain::DropDefault);
    assert_eq!(change("ALTER DOMAIN d SET NOT NULL"), AlterDomain::SetNotNull);
    assert_eq!(change("ALTER DOMAIN d DROP NOT NULL"), AlterDomain::DropNotNull);
    assert_eq!(change("ALTER DOMAIN d VALIDATE CONSTRAINT c"), AlterDomain::ValidateConstraint { name: "c".into() });
    assert_eq!(
        change("ALTER DOMAIN d DROP CONSTRAINT IF EXISTS c CASCADE"),
        AlterDomain::DropConstraint { name: "c".into(), if_exists: true, cascade: true }
    );
    let added = take!(
        change("ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 1) NOT VALID"),
        AlterDomain::AddConstraint(added) => added
    );
    assert!(added.not_valid);
    assert!(matches!(added.kind, ConstraintKind::Check(_)));
}

#[test]
fn composite_types_are_altered_like_tables() {
    let alter = take!(op("ALTER TYPE c ADD ATTRIBUTE a int"), Op::AlterTable(alter) => alter);
    assert_eq!((alter.kind, alter.only), (ObjectKind::Type, false));
    assert!(matches!(op("ALTER TYPE b SET (STORAGE = extended)"), Op::AlterOther { .. }));
}
