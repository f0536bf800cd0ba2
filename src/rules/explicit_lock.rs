use super::shared::running::{self, Running, What};
use super::shared::{bound, held, list};
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::catalog::object::Relation;
use crate::effect::LockMode;
use crate::expr::Expr;
use crate::finding::Level;
use crate::op::{Op, Query};

pub const RULE: Rule = Rule { id: "explicit-lock", family: Family::Blocking, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for one in running::all(cx) {
        if let What::Op(Op::Lock { relations, mode, .. }) = one.what {
            let tables = relations.iter().filter_map(|name| one.relation(cx, name)).filter(|table| cx.older_relation(table));
            let labels: Vec<String> = tables.map(|table| cx.label(&table)).collect();
            if mode.stops_writes() && !labels.is_empty() {
                findings.push(lock_table(cx, one, &labels, *mode));
            }
        }
        if let Some(query) = one.query().filter(|query| query.for_update)
            && let Some(judged) = every_row(cx, one, query)
        {
            findings.push(judged);
        }
        let mut advisory = None;
        one.walk(&mut |expr| advisory = advisory.or(advisory_lock(expr)));
        if let Some(name) = advisory {
            findings.push(advisory_finding(cx, one, name));
        }
    }
}

fn lock_table(cx: &Context<'_>, one: Running<'_>, labels: &[String], mode: LockMode) -> Judged {
    let tables = list(labels);
    let message = format!(
        "LOCK TABLE takes {} on {tables}, which stops {} until the transaction ends",
        mode.words(),
        held::stops(mode)
    );
    let help = format!(
        "leave it out: each statement takes the lock that it needs; where rows of {tables} must not change meanwhile, keep nothing else \
         in the transaction and set a `lock_timeout` first"
    );
    judged(cx, one, tables, message, help)
}

fn every_row(cx: &Context<'_>, one: Running<'_>, query: &Query) -> Option<Judged> {
    let sources = one.sources(cx, query);
    let borrowed: Vec<&Relation> = sources.iter().map(AsRef::as_ref).collect();
    let table = sources.iter().find(|table| cx.older_table(table))?;
    if bound::is_bounded_query(cx.before, &borrowed, query) {
        return None;
    }
    let table = cx.label(table);
    let message = format!("SELECT … FOR UPDATE or SHARE locks as many rows of {table} as there are, until the transaction ends");
    let help = format!("take a LIMIT with SKIP LOCKED at a time, and commit between: SELECT … FROM {table} … LIMIT 1000 FOR UPDATE SKIP LOCKED");
    Some(judged(cx, one, table, message, help))
}

/// A function of the server that takes an advisory lock, and whether it lasts longer than the transaction.
fn advisory_lock(expr: &Expr) -> Option<&str> {
    let Expr::Call(call) = expr else { return None };
    let name = call.name.name.as_str();
    let takes = name.starts_with("pg_advisory_lock")
        || name.starts_with("pg_advisory_xact_lock")
        || name.starts_with("pg_try_advisory_lock")
        || name.starts_with("pg_try_advisory_xact_lock");
    (takes && matches!(call.name.schema.as_deref(), None | Some("pg_catalog"))).then_some(name)
}

fn advisory_finding(cx: &Context<'_>, one: Running<'_>, name: &str) -> Judged {
    let until = if name.contains("_xact_") { "the transaction ends" } else { "it is given back or the session ends" };
    let waits = if name.starts_with("pg_try_") { "" } else { ", and this waits for them without an end" };
    let message = format!("{name}() keeps everyone who takes the same advisory lock waiting until {until}{waits}");
    let help = "leave the order of runners to the runner, which has a lock for that; a migration that needs no other to wait needs none"
        .to_string();
    judged(cx, one, name.to_string(), message, help)
}

fn judged(cx: &Context<'_>, one: Running<'_>, subject: String, message: String, help: String) -> Judged {
    let finding = cx.finding_at(RULE.id, Level::Warning, Some(one.statement), one.span, message, help);
    Judged { finding, subjects: vec![subject] }
}
