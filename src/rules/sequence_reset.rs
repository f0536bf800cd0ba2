use super::shared::list;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event};
use crate::expr::Expr;
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "sequence-reset", family: Family::Contract, level: Level::Warning, check: Check::Unit(check) };

/// What of ALTER SEQUENCE changes the numbers that clients get. OWNED BY, CACHE and LOGGED do not.
const NUMBERS: &[&str] = &["restart", "increment", "maxvalue", "minvalue", "type", "cycle"];

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        let Change::SequenceAltered { relation, what } = &event.change else { continue };
        if !cx.older_relation(relation) {
            continue;
        }
        let name = cx.label(relation);
        let message = if what.contains(&"setval") {
            if set_beyond_all_rows(cx, event) {
                continue;
            }
            format!("sequence {name} is set by setval: numbers that rows already have may come again (23505)")
        } else {
            let changed: Vec<String> = what.iter().filter(|word| NUMBERS.contains(word)).map(|word| word.to_uppercase()).collect();
            if changed.is_empty() {
                continue;
            }
            format!("{} of sequence {name} changes: the previous release gets numbers that it does not expect, or ones that rows already have", list(&changed))
        };
        findings.push(
            cx.finding(
                RULE.id,
                Level::Warning,
                event,
                name.clone(),
                message,
                format!("set {name} from the rows, SELECT setval('{name}', (SELECT max(id) FROM …)), and leave its step and limits alone"),
            )
            .related(cx.created(relation.birth)),
        );
    }
}

/// `setval(s, (SELECT max(id) … FROM t))`: computed from the rows themselves, so never below them.
fn set_beyond_all_rows(cx: &Context<'_>, event: &Event) -> bool {
    let Some(Ok(statement)) = cx.parsed.statements.get(event.statement).map(|statement| &statement.outcome) else { return false };
    let crate::op::Op::Select(query) = &statement.op else { return false };
    let mut computed = false;
    query.walk_exprs(&mut |expr| {
        if let Expr::Call(call) = expr
            && call.name.name == "setval"
        {
            computed |= call.args.get(1).is_some_and(has_max) || from_has_max(query);
        }
    });
    computed
}

fn has_max(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |inner| {
        found |= matches!(inner, Expr::Call(call) if matches!(call.name.name.as_str(), "max" | "nextval"));
    });
    found
}

/// `SELECT setval(s, m) FROM (SELECT max(id) AS m FROM t)`.
fn from_has_max(query: &crate::op::Query) -> bool {
    query.from.iter().any(|item| match item {
        crate::op::FromItem::Subquery { query, .. } => query.targets.iter().any(|target| has_max(&target.expr)),
        _ => false,
    })
}
