//! Statements about the session and its transaction, and maintenance: SET, BEGIN, LOCK, COPY, VACUUM, EXPLAIN …

use super::definition::{self, find};
use super::dml;
use super::node::{optional, relation_of, relations, strings};
use super::select::subquery;
use super::{Lowering, statement};
use crate::effect::LockMode;
use crate::op::{Op, Query, SetParameter, SettingValue, TransactionCommand};
use pg_query::NodeEnum;
use pg_query::protobuf::{
    AExprKind, ClusterStmt, ConstraintsSetStmt, CopyStmt, DiscardMode, DiscardStmt, DropBehavior, ExplainStmt, LockStmt, Node,
    TransactionStmt, TransactionStmtKind, TruncateStmt, VacuumStmt, VariableSetKind, VariableSetStmt,
};

/// SET, RESET and their SQL spellings (SET ROLE, SET TIME ZONE, SET TRANSACTION …).
pub fn setting(stmt: &VariableSetStmt) -> SetParameter {
    let name = stmt.name.to_ascii_lowercase().replace(' ', "_");
    let value = match stmt.kind() {
        VariableSetKind::VarSetValue | VariableSetKind::VarSetMulti => SettingValue::Values(values(&stmt.args)),
        VariableSetKind::VarSetCurrent => SettingValue::FromCurrent,
        VariableSetKind::VarSetDefault
        | VariableSetKind::VarReset
        | VariableSetKind::VarResetAll
        | VariableSetKind::Undefined => SettingValue::Default,
    };
    SetParameter {
        name: if stmt.kind() == VariableSetKind::VarResetAll { "all".into() } else { name },
        value,
        local: stmt.is_local,
        reset: matches!(stmt.kind(), VariableSetKind::VarReset | VariableSetKind::VarResetAll),
    }
}

fn values(args: &[Node]) -> Vec<String> {
    args.iter()
        .filter_map(|arg| match &arg.node {
            Some(NodeEnum::AExpr(expression)) if expression.kind() == AExprKind::AexprOp => {
                expression.rexpr.as_deref().and_then(definition::value).map(|operand| format!("-{operand}"))
            }
            _ => definition::value(arg),
        })
        .collect()
}

pub fn transaction(stmt: &TransactionStmt) -> Op {
    let name = || stmt.savepoint_name.clone();
    Op::Transaction(match stmt.kind() {
        TransactionStmtKind::TransStmtBegin | TransactionStmtKind::TransStmtStart => TransactionCommand::Begin,
        TransactionStmtKind::TransStmtCommit => TransactionCommand::Commit,
        TransactionStmtKind::TransStmtRollback => TransactionCommand::Rollback,
        TransactionStmtKind::TransStmtSavepoint => TransactionCommand::Savepoint(name()),
        TransactionStmtKind::TransStmtRelease => TransactionCommand::Release(name()),
        TransactionStmtKind::TransStmtRollbackTo => TransactionCommand::RollbackTo(name()),
        TransactionStmtKind::TransStmtPrepare
        | TransactionStmtKind::TransStmtCommitPrepared
        | TransactionStmtKind::TransStmtRollbackPrepared => TransactionCommand::TwoPhase,
        TransactionStmtKind::Undefined => return Op::Unclassified { node: "TransactionStmt".into() },
    })
}

pub fn lock(stmt: &LockStmt) -> Op {
    Op::Lock { relations: relations(&stmt.relations), mode: lock_mode(stmt.mode), nowait: stmt.nowait }
}

/// By the number of `lockdefs.h`: 1 is the weakest mode. The grammar gives no other number.
fn lock_mode(number: i32) -> LockMode {
    let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    at.and_then(|at| LockMode::ALL.get(at)).copied().unwrap_or(LockMode::AccessExclusiveLock)
}

pub fn truncate(stmt: &TruncateStmt) -> Op {
    Op::Truncate {
        relations: relations(&stmt.relations),
        only: stmt.relations.iter().all(|node| matches!(&node.node, Some(NodeEnum::RangeVar(relation)) if !relation.inh)),
        restart_identity: stmt.restart_seqs,
        cascade: stmt.behavior() == DropBehavior::DropCascade,
    }
}

pub fn copy(stmt: &CopyStmt, cx: &Lowering<'_>) -> Op {
    let query = stmt.query.as_deref().map(|node| match &node.node {
        // COPY (INSERT … RETURNING …) TO: the statement acts.
        Some(inner) => match dml::statement(inner, cx) {
            Some(modifying) => Query { modifying: vec![modifying], ..Query::default() },
            None => subquery(node, cx),
        },
        None => Query::default(),
    });
    let filter = stmt.where_clause.as_deref().map(|condition| Query {
        conditions: vec![super::expr(condition, cx)],
        has_where: true,
        ..Query::default()
    });
    Op::Copy {
        relation: stmt.relation.as_ref().map(|relation| relation_of(Some(relation))),
        columns: strings(&stmt.attlist),
        from: stmt.is_from,
        program: stmt.is_program,
        stdin: stmt.is_from && !stmt.is_program && stmt.filename.is_empty(),
        file: optional(&stmt.filename),
        query: query.or(filter),
    }
}

pub fn set_constraints(stmt: &ConstraintsSetStmt) -> Op {
    Op::SetConstraints { names: relations(&stmt.constraints), deferred: stmt.deferred }
}

pub fn discard(stmt: &DiscardStmt) -> Op {
    Op::Discard { all: stmt.target() == DiscardMode::DiscardAll }
}

pub fn vacuum(stmt: &VacuumStmt) -> Op {
    let relations = stmt.rels.iter().filter_map(|node| match &node.node {
        Some(NodeEnum::VacuumRelation(target)) => Some(relation_of(target.relation.as_ref())),
        _ => None,
    });
    Op::Vacuum {
        relations: relations.collect(),
        full: definition::is_on(&stmt.options, "full"),
        analyze_only: !stmt.is_vacuumcmd,
    }
}

pub fn cluster(stmt: &ClusterStmt) -> Op {
    Op::Cluster { relation: stmt.relation.as_ref().map(|relation| relation_of(Some(relation))) }
}

pub fn explain(stmt: &ExplainStmt, start: usize, end: usize, cx: &Lowering<'_>) -> Op {
    let inner = match stmt.query.as_deref() {
        Some(query) => statement(query, start, end, cx),
        None => Op::Unclassified { node: "ExplainStmt".into() },
    };
    Op::Explain { analyze: find(&stmt.options, "analyze").is_some_and(definition::boolean), inner: Box::new(inner) }
}

/// A command that changes no schema: its word.
pub fn command(word: &str) -> Op {
    Op::Session { command: word.into() }
}
