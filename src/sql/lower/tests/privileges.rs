use super::*;
use crate::op::{Grant, GrantTargets, ObjectKind, ObjectRef, SettingValue};

fn grant(sql: &str) -> Grant {
    take!(op(sql), Op::Grant(grant) => grant)
}

#[test]
fn grants_keep_privileges_with_their_columns() {
    let given = grant("GRANT SELECT (a, b), UPDATE ON TABLE s.t, u TO PUBLIC, bob WITH GRANT OPTION");
    assert!(given.is_grant && given.grant_option);
    assert_eq!(given.privileges, [("select".to_owned(), vec!["a".to_owned(), "b".to_owned()]), ("update".to_owned(), vec![])]);
    assert_eq!(given.grantees, ["public", "bob"]);
    assert!(grant("GRANT ALL ON t TO x").privileges.is_empty());
    assert_eq!(grant("GRANT ALL (a) ON t TO x").privileges, [("all".to_owned(), vec!["a".to_owned()])]);
    let taken = grant("REVOKE GRANT OPTION FOR ALL ON t FROM CURRENT_USER CASCADE");
    assert!(!taken.is_grant && taken.grant_option && taken.cascade);
    assert_eq!(taken.grantees, ["current_user"]);
}

#[test]
fn grants_name_objects_of_every_kind() {
    for (sql, kind, object) in [
        ("SELECT ON s.t", ObjectKind::Table, "s.t"),
        ("USAGE ON SEQUENCE s.t", ObjectKind::Sequence, "s.t"),
        ("USAGE ON SCHEMA t", ObjectKind::Schema, "t"),
        ("USAGE ON TYPE s.t", ObjectKind::Type, "s.t"),
        ("USAGE ON DOMAIN s.t", ObjectKind::Domain, "s.t"),
        ("CONNECT ON DATABASE t", ObjectKind::Database, "t"),
        ("USAGE ON LANGUAGE t", ObjectKind::Language, "t"),
        ("SELECT ON LARGE OBJECT 12", ObjectKind::LargeObject, "12"),
        ("SET ON PARAMETER work_mem", ObjectKind::Parameter, "work_mem"),
        ("USAGE ON FOREIGN SERVER t", ObjectKind::ForeignServer, "t"),
        ("USAGE ON FOREIGN DATA WRAPPER t", ObjectKind::ForeignDataWrapper, "t"),
        ("CREATE ON TABLESPACE t", ObjectKind::Tablespace, "t"),
        ("EXECUTE ON FUNCTION s.f", ObjectKind::Function, "s.f"),
    ] {
        let sql = format!("GRANT {sql} TO x");
        let expected = ObjectRef { kind, name: name(object), sub: None, args: None, cast: None };
        assert_eq!(grant(&sql).targets, GrantTargets::Objects { kind, objects: vec![expected] }, "{sql}");
    }
}

#[test]
fn grants_reach_whole_schemas_and_what_comes_later() {
    assert_eq!(
        grant("GRANT SELECT ON ALL TABLES IN SCHEMA a, b TO x").targets,
        GrantTargets::AllInSchema { kind: ObjectKind::Table, schemas: vec!["a".into(), "b".into()] }
    );
    let defaults = grant("ALTER DEFAULT PRIVILEGES FOR ROLE a, CURRENT_USER IN SCHEMA s REVOKE ALL ON TABLES FROM PUBLIC");
    assert!(!defaults.is_grant);
    assert_eq!(
        defaults.targets,
        GrantTargets::Defaults {
            kind: ObjectKind::Table,
            schemas: vec!["s".into()],
            roles: vec!["a".into(), "current_user".into()]
        }
    );
    assert_eq!(
        grant("ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO x").targets,
        GrantTargets::Defaults { kind: ObjectKind::Function, schemas: vec![], roles: vec![] }
    );
}

#[test]
fn memberships_are_granted_and_taken() {
    let membership = |is_grant, members: &[&str], admin_option| Op::GrantRole {
        is_grant,
        roles: vec!["a".into()],
        members: members.iter().map(|&member| member.to_owned()).collect(),
        admin_option,
    };
    assert_eq!(op("GRANT a TO c WITH ADMIN OPTION"), membership(true, &["c"], true));
    assert_eq!(op("GRANT a TO c WITH INHERIT FALSE"), membership(true, &["c"], false));
    assert_eq!(op("REVOKE a FROM c"), membership(false, &["c"], false));
    assert_eq!(op("REVOKE ADMIN OPTION FOR a FROM c"), membership(false, &["c"], true));
    assert_eq!(op("ALTER GROUP a DROP USER b, c"), membership(false, &["b", "c"], false));
    assert_eq!(op("ALTER GROUP a ADD USER b"), membership(true, &["b"], false));
}

#[test]
fn roles_keep_their_options_as_text() {
    let options = |sql: &str| {
        let pairs = match op(sql) {
            Op::CreateRole { options, .. } | Op::AlterRole { options, .. } => options,
            other => panic!("{other:?}"),
        };
        pairs.into_iter().map(|(key, value)| format!("{key}={}", value.unwrap_or_default())).collect::<Vec<_>>()
    };
    assert_eq!(options("CREATE ROLE r NOLOGIN BYPASSRLS ROLE a, b"), ["canlogin=false", "bypassrls=true", "rolemembers=a, b"]);
    assert_eq!(options("CREATE USER u PASSWORD 'x'"), ["password=x", "canlogin=true"]);
    assert_eq!(options("CREATE USER u NOLOGIN"), ["canlogin=false"]);
    assert_eq!(options("ALTER ROLE r NOLOGIN"), ["canlogin=false"]);
    assert_eq!(op("DROP ROLE IF EXISTS a, b"), Op::DropRole { names: vec!["a".into(), "b".into()], if_exists: true });
    assert_eq!(op("DROP OWNED BY a CASCADE"), Op::DropOwned { roles: vec!["a".into()], cascade: true });
    assert_eq!(op("REASSIGN OWNED BY a TO b"), Op::ReassignOwned { roles: vec!["a".into()], to: "b".into() });
}

#[test]
fn settings_of_roles_databases_and_the_system_are_told_apart() {
    for (sql, scope, target, setting) in [
        ("ALTER ROLE r IN DATABASE d SET search_path = a, b", "role", Some("r"), "search_path"),
        ("ALTER ROLE ALL RESET x", "role", None, "x"),
        ("ALTER DATABASE d SET x TO DEFAULT", "database", Some("d"), "x"),
        ("ALTER SYSTEM SET x = 5", "system", None, "x"),
    ] {
        let (found_scope, found_target, parameter) =
            take!(op(sql), Op::AlterSettings { scope, target, parameter } => (scope, target, parameter));
        assert_eq!((found_scope.as_str(), found_target.as_deref(), parameter.name.as_str()), (scope, target, setting), "{sql}");
        assert_eq!(parameter.reset, sql.contains("RESET"), "{sql}");
        assert_eq!(parameter.value == SettingValue::Default, !sql.contains(" = "), "{sql}");
    }
}
