use super::shared::online;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::object::Relation;
use crate::catalog::work::{Act, Scan, Work};
use crate::finding::Level;
use crate::op::{AlterTableCommand, PartitionBound};
use crate::recipe::Recipe;
use crate::sql::names::quote_identifier;

pub const RULE: Rule = Rule { id: "attach-scan", family: Family::Blocking, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for work in cx.work {
        if !cx.older_relation(&work.relation) {
            continue;
        }
        match work.act {
            Act::Scan(Scan::PartitionBound) => attached(cx, work, findings),
            Act::Scan(Scan::DefaultPartition) => default_searched(cx, work, findings),
            _ => {}
        }
    }
    detached(cx, findings);
}

fn attached(cx: &Context<'_>, work: &Work, findings: &mut Findings) {
    let Some((parent, bound)) = attach(cx, work) else { return };
    let (label, above) = (cx.label(&work.relation), cx.label(parent));
    let message = format!(
        "attaching {label} to {above} looks at every row of it while ACCESS EXCLUSIVE stops all its reads and writes: no valid CHECK says \
         that all of them belong there"
    );
    let help = "a CHECK that says what the bound says, NULLs included, and that was validated before, spares the scan";
    let judged = cx
        .finding(RULE.id, Level::Error, work, label.clone(), message, help.into())
        .related(cx.created(work.relation.birth));
    findings.push(match recipe(cx, work, parent, bound) {
        Some(recipe) => judged.with_recipe(recipe, cx.opt_out()),
        None => judged,
    });
}

fn attach<'a>(cx: &Context<'a>, work: &Work) -> Option<(&'a Relation, &'a PartitionBound)> {
    let alter = online::alter_table(cx, work.statement, work.span)?;
    let parent = cx.after.resolve_relation(&alter.name).and_then(|id| cx.after.relation(id))?;
    alter.commands.iter().find_map(|command| match command {
        AlterTableCommand::AttachPartition { bound, .. } => Some((&**parent, bound)),
        _ => None,
    })
}

/// CHECK, VALIDATE, ATTACH, DROP CHECK.
fn recipe(cx: &Context<'_>, work: &Work, parent: &Relation, bound: &PartitionBound) -> Option<Recipe> {
    let [Some(key)] = parent.partition_columns.as_slice() else { return None };
    let column = quote_identifier(&parent.column_by_id(*key)?.name);
    let (check, values) = match bound {
        PartitionBound::List(values) => {
            let list: Vec<String> = values.iter().map(online::constant).collect::<Option<_>>()?;
            if values.iter().any(crate::expr::Expr::is_null) {
                return None;
            }
            let list = list.join(", ");
            (format!("{column} IN ({list})"), format!("IN ({list})"))
        }
        PartitionBound::Range { from, to } => {
            let (from, to) = (from.first()?, to.first()?);
            let limit = |limit: &Option<crate::expr::Expr>| limit.as_ref().map(online::constant);
            let mut parts = Vec::new();
            if let Some(value) = limit(from) {
                parts.push(format!("{column} >= {}", value?));
            }
            if let Some(value) = limit(to) {
                parts.push(format!("{column} < {}", value?));
            }
            let shown = |found: &Option<crate::expr::Expr>, open: &str| match limit(found) {
                Some(value) => value,
                None => Some(open.to_string()),
            };
            (parts.join(" AND "), format!("FROM ({}) TO ({})", shown(from, "MINVALUE")?, shown(to, "MAXVALUE")?))
        }
        PartitionBound::Default | PartitionBound::Hash { .. } => return None,
    };
    let (label, above) = (cx.label(&work.relation), cx.label(parent));
    let name = quote_identifier(&format!("{}_bound", work.relation.name));
    let check = if check.is_empty() { String::new() } else { format!(" AND {check}") };
    Some(
        Recipe::new()
            .then(
                "new rows are checked from here on",
                [format!("ALTER TABLE {label} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL{check}) NOT VALID")],
            )
            .then("old rows are checked while everybody works", [format!("ALTER TABLE {label} VALIDATE CONSTRAINT {name}")])
            .then(
                "the valid CHECK spares the scan",
                [
                    format!("ALTER TABLE {above} ATTACH PARTITION {label} FOR VALUES {values}"),
                    format!("ALTER TABLE {label} DROP CONSTRAINT {name}"),
                ],
            ),
    )
}

fn default_searched(cx: &Context<'_>, work: &Work, findings: &mut Findings) {
    let label = cx.label(&work.relation);
    let message = format!(
        "the default partition {label} is searched for rows of the new partition while ACCESS EXCLUSIVE stops all its reads and writes"
    );
    let help = "a validated CHECK on the default partition that rules out the new partition's rows spares the search; with no default \
                partition there is none";
    findings.push(
        cx.finding(RULE.id, Level::Error, work, label, message, help.into()).related(cx.created(work.relation.birth)),
    );
}

fn detached(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let Change::PartitionDetached { parent, partition, concurrently: false } = &event.change else { continue };
        if !cx.older_relation(parent) || !cx.older_relation(partition) {
            continue;
        }
        let (above, label) = (cx.label(parent), cx.label(partition));
        let message = format!("detaching {label} waits for every query on {above} and lets no new one begin: it takes ACCESS EXCLUSIVE on both");
        let has_default = cx.before.children_of(parent.id).into_iter().any(|id| {
            cx.before.relation(id).is_some_and(|child| child.partition_bound == Some(PartitionBound::Default))
        });
        let judged = |help: &str| {
            cx.finding(RULE.id, Level::Warning, event, label.clone(), message.clone(), help.into()).related(cx.created(partition.birth))
        };
        findings.push(if has_default {
            judged("CONCURRENTLY is refused while there is a default partition: set a short lock_timeout and try again where it strikes")
        } else {
            judged(
                "set a short lock_timeout and try again where it strikes; CONCURRENTLY lets everybody pass, but where it is stopped half-way the \
                 rows are gone and only FINALIZE helps (see detach-pending)",
            )
        });
    }
}
