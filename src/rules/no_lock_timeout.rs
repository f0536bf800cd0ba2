use super::shared::running::{Running, What};
use super::shared::{held, online, running};
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::object::Id;
use crate::catalog::replay::BlockKind;
use crate::catalog::work::{Act, Work};
use crate::config::LockTimeout;
use crate::effect::LockMode;
use crate::expr::Expr;
use crate::finding::Level;
use crate::op::{Op, SetParameter, SettingValue};
use std::collections::BTreeMap;

pub const RULE: Rule = Rule { id: "no-lock-timeout", family: Family::Blocking, level: Level::Warning, check: Check::Unit(check) };

/// Locks that a transaction has, by transaction and relation: those it need not wait for again.
type Had = BTreeMap<(u32, Id), LockMode>;

fn check(cx: &Context<'_>, findings: &mut Findings) {
    if cx.settings.lock_timeout == LockTimeout::Runner {
        return;
    }
    let running = running::all(cx);
    let mut had = Had::new();
    for work in cx.work.iter().filter(|work| cx.older_relation(&work.relation)) {
        let Some(mode) = waits(cx, work, &mut had).filter(|mode| held::stops_someone(&work.relation, *mode)) else { continue };
        let nobody_waits = matches!(
            running::at(&running, work.statement, work.span),
            Some(What::Op(Op::Lock { nowait: true, .. } | Op::Reindex { concurrently: true, .. } | Op::Drop { concurrently: true, .. }))
        );
        if !nobody_waits && !is_limited(cx, &running, work) {
            report(cx, work, mode, findings);
            return;
        }
    }
}

/// The mode that the transaction waits for here: not one that it has already.
fn waits(cx: &Context<'_>, work: &Work, had: &mut Had) -> Option<LockMode> {
    let (Act::Lock(mode) | Act::LockIndex(_, mode)) = &work.act else { return None };
    let circumstances = cx.circumstances.get(work.statement)?;
    if matches!(work.act, Act::LockIndex(..)) {
        return Some(*mode);
    }
    let known = had.get(&(circumstances.transaction, work.relation.id)).copied();
    // What was rolled back may have been let go of again.
    if !circumstances.rolled_back {
        had.insert((circumstances.transaction, work.relation.id), known.map_or(*mode, |known| known.max(*mode)));
    }
    Some(*mode).filter(|mode| known.is_none_or(|known| known < *mode))
}

/// A timeout is in effect: from before the statement, or set in the same DO block before this.
fn is_limited(cx: &Context<'_>, running: &[Running<'_>], work: &Work) -> bool {
    let before = cx.circumstances.get(work.statement).and_then(|circumstances| circumstances.settings.get("lock_timeout"));
    let mut limited = before.is_some_and(|value| ends(value));
    let inside = running.iter().filter(|one| one.statement == work.statement && one.span.start < work.span.start);
    for one in inside {
        if let What::Op(Op::Set(SetParameter { name, value, reset, .. })) = one.what
            && name == "lock_timeout"
        {
            limited = !reset && matches!(value, SettingValue::Values(values) if values.iter().all(|value| ends(value)));
        }
        one.walk(&mut |expr| {
            if let Expr::Call(call) = expr
                && call.name.name == "set_config"
                && let [Expr::Str(name), Expr::Str(value), ..] = call.args.as_slice()
                && name.eq_ignore_ascii_case("lock_timeout")
            {
                limited = ends(value);
            }
        });
    }
    limited
}

/// 0 is no timeout, in any unit.
fn ends(value: &str) -> bool {
    let digits = value.trim().trim_end_matches(|ch: char| ch.is_ascii_alphabetic() || ch.is_whitespace());
    digits.parse::<f64>().is_ok_and(|number| number > 0.0)
}

fn report(cx: &Context<'_>, work: &Work, mode: LockMode, findings: &mut Findings) {
    let table = match &work.act {
        Act::LockIndex(index, _) => online::index_label(index),
        Act::Lock(_) | Act::Rewrite(_) | Act::Scan(_) | Act::Build(_) => cx.label(&work.relation),
    };
    let block = cx.circumstances.get(work.statement).and_then(|circumstances| circumstances.block);
    let set = match block {
        Some(BlockKind::Runner | BlockKind::Explicit) => "SET LOCAL lock_timeout = '5s';",
        Some(BlockKind::Implicit) | None => "SET lock_timeout = '5s';",
    };
    let stops = held::stops(mode);
    findings.push(cx.finding(
        RULE.id,
        Level::Warning,
        work,
        table.clone(),
        format!(
            "this waits for {} on {table} without an end, and meanwhile {stops} of it wait in line behind it",
            mode.words()
        ),
        format!("put a limit before it, and let the runner try again later:\n{set}"),
    ));
}

#[cfg(test)]
mod tests {
    use crate::config::{LockTimeout, Settings};
    use crate::rules::testing::judged;

    const TEXTS: [&str; 2] =
        ["CREATE TABLE t (id int);", "ALTER TABLE t ADD a int; ALTER TABLE t ADD b int; BEGIN; DROP TABLE t; COMMIT;"];

    fn found(settings: Settings) -> usize {
        judged(&TEXTS, settings).iter().filter(|finding| finding.rule == super::RULE.id).count()
    }

    #[test]
    fn a_file_is_told_once() {
        assert_eq!(found(Settings::default()), 1);
    }

    #[test]
    fn a_runner_that_sets_the_timeout_turns_it_off() {
        assert_eq!(found(Settings { lock_timeout: LockTimeout::Runner, ..Settings::default() }), 0);
    }
}
