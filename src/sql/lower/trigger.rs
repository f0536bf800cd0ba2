//! Triggers, event triggers, rules, policies.

use super::node::{items, name_of, relation_of, roles, strings};
use super::text::trimmed;
use super::{Lowering, expr, statement};
use crate::op::{CreateTrigger, Op, Policy, TriggerEvent, TriggerState, TriggerTiming};
use pg_query::TriggerType;
use pg_query::protobuf::{
    AlterEventTrigStmt, AlterPolicyStmt, CmdType, CreateEventTrigStmt, CreatePolicyStmt, CreateTrigStmt, Node, RuleStmt,
};

pub fn create(stmt: &CreateTrigStmt, cx: &Lowering<'_>) -> Op {
    let event = |bit: TriggerType, event: TriggerEvent| (stmt.events & bit as i32 != 0).then_some(event);
    Op::CreateTrigger(CreateTrigger {
        name: stmt.trigname.clone(),
        relation: relation_of(stmt.relation.as_ref()),
        or_replace: stmt.replace,
        constraint: stmt.isconstraint,
        timing: match stmt.timing {
            timing if timing == TriggerType::Before as i32 => TriggerTiming::Before,
            timing if timing == TriggerType::Instead as i32 => TriggerTiming::InsteadOf,
            // AFTER is the absence of both bits.
            _ => TriggerTiming::After,
        },
        events: [
            event(TriggerType::Insert, TriggerEvent::Insert),
            event(TriggerType::Update, TriggerEvent::Update),
            event(TriggerType::Delete, TriggerEvent::Delete),
            event(TriggerType::Truncate, TriggerEvent::Truncate),
        ]
        .into_iter()
        .flatten()
        .collect(),
        update_columns: strings(&stmt.columns),
        for_each_row: stmt.row,
        when: stmt.when_clause.as_deref().map(|condition| expr(condition, cx)),
        function: name_of(&stmt.funcname),
        deferrable: stmt.deferrable || stmt.initdeferred,
        initially_deferred: stmt.initdeferred,
    })
}

pub fn create_event(stmt: &CreateEventTrigStmt) -> Op {
    Op::CreateEventTrigger { name: stmt.trigname.clone() }
}

pub fn alter_event(stmt: &AlterEventTrigStmt) -> Op {
    let state = match stmt.tgenabled.as_str() {
        "D" => TriggerState::Disabled,
        "R" => TriggerState::Replica,
        "A" => TriggerState::Always,
        _ => TriggerState::Enabled,
    };
    Op::AlterEventTrigger { name: stmt.trigname.clone(), state }
}

/// CREATE RULE; its actions share the place of the whole statement, the tree does not say where each one stands.
pub fn rule(stmt: &RuleStmt, start: usize, end: usize, cx: &Lowering<'_>) -> Op {
    let (from, to) = trimmed(cx.text, start, end);
    Op::CreateRule {
        name: stmt.rulename.clone(),
        relation: relation_of(stmt.relation.as_ref()),
        or_replace: stmt.replace,
        event: match stmt.event() {
            CmdType::CmdSelect => "select",
            CmdType::CmdUpdate => "update",
            CmdType::CmdInsert => "insert",
            CmdType::CmdDelete => "delete",
            CmdType::CmdMerge | CmdType::CmdUtility | CmdType::CmdNothing | CmdType::CmdUnknown | CmdType::Undefined => "",
        }
        .into(),
        instead: stmt.instead,
        condition: stmt.where_clause.as_deref().map(|condition| expr(condition, cx)),
        actions: actions(&stmt.actions).map(|action| statement(action, from, to, cx)).collect(),
    }
}

/// Several actions in parentheses are a list, which may have holes for empty statements.
fn actions(nodes: &[Node]) -> impl Iterator<Item = &Node> {
    nodes.iter().flat_map(items).filter(|node| node.node.is_some())
}

pub fn create_policy(stmt: &CreatePolicyStmt, cx: &Lowering<'_>) -> Op {
    Op::CreatePolicy(Policy {
        name: stmt.policy_name.clone(),
        relation: relation_of(stmt.table.as_ref()),
        permissive: stmt.permissive,
        command: stmt.cmd_name.clone(),
        roles: roles(&stmt.roles),
        using: stmt.qual.as_deref().map(|condition| expr(condition, cx)),
        check: stmt.with_check.as_deref().map(|condition| expr(condition, cx)),
    })
}

/// ALTER POLICY: no roles and no conditions mean that they stay; command and permissiveness cannot change and say nothing.
pub fn alter_policy(stmt: &AlterPolicyStmt, cx: &Lowering<'_>) -> Op {
    Op::AlterPolicy(Policy {
        name: stmt.policy_name.clone(),
        relation: relation_of(stmt.table.as_ref()),
        permissive: true,
        command: "all".into(),
        roles: roles(&stmt.roles),
        using: stmt.qual.as_deref().map(|condition| expr(condition, cx)),
        check: stmt.with_check.as_deref().map(|condition| expr(condition, cx)),
    })
}
