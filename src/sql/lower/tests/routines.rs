use super::*;
use crate::op::{ArgMode, CreateRoutine, CreateTrigger, ObjectKind, RoutineKind, Step, TriggerEvent, TriggerTiming, Volatility};

fn routine(sql: &str) -> CreateRoutine {
    take!(op(sql), Op::CreateRoutine(routine) => routine)
}

#[test]
fn routines_keep_their_signature_and_options() {
    let created = routine(
        "CREATE OR REPLACE FUNCTION s.f(a int, OUT b text, INOUT c int DEFAULT 1, VARIADIC d text[]) RETURNS SETOF record \
         LANGUAGE 'PLpgSQL' STABLE STRICT SECURITY DEFINER SET search_path = a, \"B\" SET x FROM CURRENT AS $$ BEGIN END $$",
    );
    assert_eq!((created.name, created.kind, created.or_replace), (name("s.f"), RoutineKind::Function, true));
    assert_eq!(created.language, "plpgsql");
    assert_eq!(created.volatility, Volatility::Stable);
    assert!(created.strict && created.security_definer);
    assert_eq!(created.settings, [("search_path".to_owned(), "a, B".to_owned()), ("x".to_owned(), "from current".to_owned())]);
    let modes: Vec<ArgMode> = created.args.iter().map(|argument| argument.mode).collect();
    assert_eq!(modes, [ArgMode::In, ArgMode::Out, ArgMode::InOut, ArgMode::Variadic]);
    assert_eq!(created.args[2].default, Some(Expr::Int(1)));
    assert_eq!(created.returns, Some(TypeRef { setof: true, ..type_named("record") }));
    assert_eq!(created.body.language, "plpgsql");
    let table = routine("CREATE FUNCTION f() RETURNS TABLE (a int, b text) LANGUAGE sql AS 'SELECT 1, 2'");
    assert!(table.args.iter().all(|argument| argument.mode == ArgMode::Table));
    assert_eq!(table.volatility, Volatility::Volatile);
    assert_eq!(routine("CREATE PROCEDURE p() LANGUAGE sql AS ''").kind, RoutineKind::Procedure);
}

#[test]
fn code_in_object_files_is_opaque() {
    for sql in [
        "CREATE FUNCTION f() RETURNS int AS 'obj', 'sym' LANGUAGE C",
        "CREATE FUNCTION f() RETURNS int AS 'sym' LANGUAGE internal",
    ] {
        assert!(routine(sql).body.opaque.is_some(), "{sql}");
    }
}

#[test]
fn bodies_in_sql_are_statements_at_their_place() {
    let sql = "CREATE PROCEDURE p() BEGIN ATOMIC INSERT INTO t VALUES (';'); ; SELECT f(); RETURN 1; END";
    let body = routine(sql).body;
    let [Step::Sql(insert), Step::Sql(select), Step::Return { span, .. }] = body.steps.as_slice() else { panic!("{body:?}") };
    assert_eq!(cut(sql, insert.span), "INSERT INTO t VALUES (';')");
    assert!(matches!(insert.op, Op::Dml(_)));
    assert_eq!(cut(sql, select.span), "SELECT f()");
    assert_eq!(cut(sql, *span), "RETURN 1");
    let sql = "CREATE FUNCTION f() RETURNS int IMMUTABLE RETURN 1 + g()";
    let body = routine(sql).body;
    let [Step::Return { expr: Some(Expr::Operator { .. }), span }] = body.steps.as_slice() else { panic!("{body:?}") };
    assert_eq!(cut(sql, *span), "RETURN 1 + g()");
    assert_eq!(routine(sql).language, "sql");
}

#[test]
fn blocks_are_plpgsql_unless_they_say_otherwise() {
    let language = |sql: &str| take!(op(sql), Op::Do(body) => body.language);
    assert_eq!(language("DO $$ BEGIN END $$"), "plpgsql");
    assert_eq!(language("DO LANGUAGE plpython3u 'x'"), "plpython3u");
}

#[test]
fn alterations_of_routines_are_words() {
    let sql = "ALTER FUNCTION s.f(int, OUT text) VOLATILE CALLED ON NULL INPUT SECURITY INVOKER NOT LEAKPROOF PARALLEL SAFE COST 3 \
               SET a = 1 RESET b RESET ALL";
    let (target, changes) = take!(op(sql), Op::AlterRoutine { routine, changes } => (routine, changes));
    assert_eq!((target.kind, target.name, target.args), (ObjectKind::Function, name("s.f"), Some(vec![type_named("int4")])));
    assert_eq!(
        changes,
        [
            "volatile",
            "called on null input",
            "security invoker",
            "not leakproof",
            "parallel safe",
            "cost",
            "set a",
            "reset b",
            "reset all"
        ]
    );
}

#[test]
fn aggregates_have_arguments_in_both_spellings() {
    for (sql, expected) in [
        ("(int, text) (SFUNC = f, STYPE = int)", vec!["int4", "text"]),
        ("(*) (SFUNC = f, STYPE = int)", vec![]),
        ("(BASETYPE = int4, SFUNC = f, STYPE = int)", vec!["int4"]),
        ("(BASETYPE = 'ANY', SFUNC = f, STYPE = int)", vec![]),
        ("(BASETYPE = \"any\", SFUNC = f, STYPE = int)", vec![]),
        ("(float8 ORDER BY anyelement) (SFUNC = f, STYPE = int)", vec!["float8", "anyelement"]),
    ] {
        let args = take!(op(&format!("CREATE AGGREGATE a {sql}")), Op::CreateAggregate { args, .. } => args);
        assert_eq!(args, expected.into_iter().map(type_named).collect::<Vec<_>>(), "{sql}");
    }
}

#[test]
fn calls_of_procedures_keep_their_arguments() {
    let (called, args) = take!(op("CALL s.p(1, f())"), Op::Call { routine, args } => (routine, args));
    assert_eq!((called, args.len()), (name("s.p"), 2));
}

#[test]
fn triggers_say_when_and_on_what_they_fire() {
    let trigger = |sql: &str| -> CreateTrigger { take!(op(sql), Op::CreateTrigger(trigger) => trigger) };
    let first = trigger(
        "CREATE OR REPLACE TRIGGER x BEFORE UPDATE OF a, b OR DELETE OR TRUNCATE ON s.t FOR EACH STATEMENT WHEN (new.a) EXECUTE FUNCTION s.f('x')",
    );
    assert_eq!((first.name.as_str(), first.relation, first.function), ("x", name("s.t"), name("s.f")));
    assert!(first.or_replace && !first.for_each_row && first.when.is_some());
    assert_eq!(first.timing, TriggerTiming::Before);
    assert_eq!(first.events, [TriggerEvent::Update, TriggerEvent::Delete, TriggerEvent::Truncate]);
    assert_eq!(first.update_columns, ["a", "b"]);
    let second =
        trigger("CREATE CONSTRAINT TRIGGER x AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE PROCEDURE f()");
    assert!(second.constraint && second.deferrable && second.initially_deferred && second.for_each_row);
    assert_eq!((second.timing, second.events), (TriggerTiming::After, vec![TriggerEvent::Insert]));
    let third = trigger("CREATE TRIGGER x INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION f()");
    assert_eq!(third.timing, TriggerTiming::InsteadOf);
}

#[test]
fn rules_keep_their_actions() {
    let sql = "CREATE OR REPLACE RULE r AS ON UPDATE TO s.t WHERE old.a DO INSTEAD (INSERT INTO l VALUES (1); DELETE FROM m)";
    let (event, instead, condition, actions) = take!(op(sql),
        Op::CreateRule { event, instead, condition, actions, .. } => (event, instead, condition, actions));
    assert_eq!((event.as_str(), instead, condition.is_some(), actions.len()), ("update", true, true, 2));
    let nothing = op("CREATE RULE r AS ON INSERT TO t DO NOTHING");
    assert!(matches!(nothing, Op::CreateRule { instead: false, actions, .. } if actions.is_empty()));
}

#[test]
fn policies_keep_roles_and_conditions() {
    let created = take!(
        op("CREATE POLICY p ON s.t AS RESTRICTIVE FOR SELECT TO PUBLIC, bob USING (a) WITH CHECK (b)"),
        Op::CreatePolicy(policy) => policy
    );
    assert!(!created.permissive);
    assert_eq!((created.command.as_str(), created.relation), ("select", name("s.t")));
    assert_eq!(created.roles, ["public", "bob"]);
    assert_eq!((created.using, created.check), (Some(column("a")), Some(column("b"))));
    let altered = take!(op("ALTER POLICY p ON t USING (a)"), Op::AlterPolicy(policy) => policy);
    assert!(altered.roles.is_empty() && altered.check.is_none());
}
