use super::shared::said::{self, Part};
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::expr::Expr;
use crate::finding::Level;
use crate::op::{Op, SettingValue, Span};
use std::collections::BTreeMap;

pub const RULE: Rule = Rule { id: "session-leak", family: Family::Retry, level: Level::Warning, check: Check::Unit(check) };

/// What a later file does otherwise where it is left so, with the values that the server has by itself.
const SETTINGS: &[(&str, &[&str], &str)] = &[
    ("search_path", &["public", "$user, public", "\"$user\", public", "\"$user\",public"], "unqualified names mean other objects"),
    ("role", &["none"], "it runs with other rights, and what it creates has another owner"),
    ("session_authorization", &["default"], "it runs with other rights, and what it creates has another owner"),
    ("row_security", &["on", "true", "1", "yes"], "queries that row level security would filter fail"),
    ("session_replication_role", &["origin"], "triggers and foreign keys do not fire"),
    ("check_function_bodies", &["on", "true", "1", "yes"], "bodies of functions are not checked"),
    ("standard_conforming_strings", &["on", "true", "1", "yes"], "backslashes in strings mean something else"),
    ("default_tablespace", &[""], "what it creates lies elsewhere"),
    ("default_table_access_method", &["heap"], "tables that it creates are of another kind"),
    ("default_transaction_read_only", &["off", "false", "0", "no"], "it may not write"),
    ("timezone", &[], "timestamps are converted by another zone"),
];

fn check(cx: &Context<'_>, findings: &mut Findings) {
    // psql runs each file in a session of its own.
    if cx.settings.runner_is_psql || cx.history.is_run_by_psql() {
        return;
    }
    let mut left: BTreeMap<&'static str, (usize, Span)> = BTreeMap::new();
    said::walk(cx, &mut |said| {
        let circumstances = cx.circumstances.get(said.statement);
        if !said.runs || circumstances.is_some_and(|circumstances| circumstances.rolled_back) {
            return;
        }
        let place = (said.statement, said.span);
        match said.part {
            Part::Statement(Op::Set(parameter)) if parameter.name == "all" => {
                left.retain(|name, _| matches!(*name, "role" | "session_authorization"));
            }
            Part::Statement(Op::Set(parameter)) if !parameter.local => {
                let value = match &parameter.value {
                    SettingValue::Values(values) => Some(values.join(", ")),
                    SettingValue::Default => None,
                    SettingValue::FromCurrent => return,
                };
                note(cx, &mut left, &parameter.name, value, place);
            }
            Part::Statement(Op::Discard { all: true }) => left.clear(),
            Part::Expression(Expr::Call(call)) if call.name.name == "set_config" => {
                if let [Expr::Str(name), Expr::Str(value), local] = call.args.as_slice()
                    && !matches!(local, Expr::Bool(true))
                {
                    note(cx, &mut left, &name.to_ascii_lowercase(), Some(value.clone()), place);
                }
            }
            Part::Statement(_) | Part::Expression(_) => {}
        }
    });
    for (name, (statement, span)) in left {
        let Some((_, _, then)) = SETTINGS.iter().find(|(known, ..)| *known == name) else { continue };
        let message = format!("{name} stays set in the runner's session: for the next file, and for the runner's own record of this one, {then}");
        let help = if cx.circumstances.get(statement).is_some_and(|circumstances| circumstances.block.is_some()) {
            let local = if name == "role" { "SET LOCAL ROLE".to_string() } else { format!("SET LOCAL {name}") };
            format!("write {local}, which ends with the transaction, or {} at the end of the file", reset(name))
        } else {
            format!("write {} at the end of the file", reset(name))
        };
        let finding = cx.finding_at(RULE.id, Level::Warning, Some(statement), span, message, help);
        findings.push(Judged { finding, subjects: vec![name.to_string()] });
    }
}

fn note(cx: &Context<'_>, left: &mut BTreeMap<&'static str, (usize, Span)>, name: &str, value: Option<String>, place: (usize, Span)) {
    let Some((name, defaults, _)) = SETTINGS.iter().find(|(known, ..)| *known == name) else { return };
    let configured = |value: &str| {
        let path = cx.settings.search_path.as_ref().map(|schemas| schemas.join(", "));
        *name == "search_path" && path.as_deref() == Some(value)
    };
    match value {
        Some(value) if !defaults.iter().any(|default| default.eq_ignore_ascii_case(&value)) && !configured(&value) => {
            left.insert(name, place);
        }
        Some(_) | None => {
            left.remove(name);
        }
    }
}

fn reset(name: &str) -> String {
    match name {
        "role" => "RESET ROLE".into(),
        "session_authorization" => "RESET SESSION AUTHORIZATION".into(),
        name => format!("RESET {name}"),
    }
}
