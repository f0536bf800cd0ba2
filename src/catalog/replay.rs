//! One unit's statements, each in the transaction that it runs in.
//!
//! What is rolled back never happened: the catalog is as before and the events are gone, though the statements stay, and with
//! them the locks and the work that they took while it lasted. A
//! transaction that is still open at the end of a unit is taken as committed: runners write their ledger and commit.

use super::Catalog;
use super::change::Event;
use super::session;
use super::transaction::Savepoint;
use super::work::Work;
use crate::op::{Op, Statement, TransactionCommand};
use crate::source::{Migration, UnitKind, Wrapping};
use crate::sql::ParsedUnit;
use imbl::OrdMap;

/// What a unit did.
#[derive(Clone, Debug, Default)]
pub struct UnitReplay {
    /// In order, without what was rolled back.
    pub events: Vec<Event>,
    /// Locks, rewrites, scans and index builds in order, also of what was rolled back later.
    pub work: Vec<Work>,
    /// One for each statement.
    pub circumstances: Vec<Circumstances>,
    /// Transaction control that did something else than its words say, in order.
    pub notes: Vec<TransactionNote>,
}

/// What a statement of a unit runs in.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// The transaction, from 0; equal numbers are one transaction.
    pub transaction: u32,
    /// Who opened that transaction; `None` for a statement that is a transaction of its own. BEGIN is in the one it opens, COMMIT
    /// in the one it ends.
    pub block: Option<BlockKind>,
    /// True where its effects were rolled back later in the unit.
    pub rolled_back: bool,
    /// Settings in effect before it. What another unit left behind is not among the timeouts: it may run in another session.
    pub settings: OrdMap<String, String>,
}

/// Who opened a transaction block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// The runner: BEGIN around the unit.
    Runner,
    /// Nobody in words: several statements in one simple-query message.
    Implicit,
    /// The file: BEGIN or START TRANSACTION.
    Explicit,
}

/// Something about transaction control, and the statement (from 0) that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionNote {
    pub statement: usize,
    pub kind: TransactionNoteKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionNoteKind {
    /// BEGIN where a transaction is open: only a warning on the server.
    NestedBegin,
    /// COMMIT or ROLLBACK where none is open: only a warning.
    NoTransaction,
    /// COMMIT or ROLLBACK that ends the transaction which the runner opened.
    EndsRunnersTransaction,
    /// COMMIT or ROLLBACK that ends the implicit transaction of a batch.
    EndsImplicitTransaction,
    /// SAVEPOINT, RELEASE or ROLLBACK TO outside of a transaction block: an error of the server.
    SavepointOutside,
    /// RELEASE or ROLLBACK TO of a savepoint that is not there: an error of the server.
    UnknownSavepoint,
    /// A transaction that this statement opened and nothing in the unit ends.
    Unclosed,
}

/// Replays one unit (its index in the history, from 1) onto the catalog.
pub fn unit(catalog: &mut Catalog, unit: u32, migration: &Migration, parsed: &ParsedUnit) -> UnitReplay {
    catalog.unit = unit;
    catalog.statement = 0;
    catalog.journal.clear();
    catalog.work.clear();
    session::forget_timeouts(catalog);
    if migration.kind != UnitKind::Sql {
        catalog.incomplete = true;
    }
    let wrapping = match migration.wrapping {
        // A lone statement needs no implicit transaction: it may be CREATE INDEX CONCURRENTLY.
        Wrapping::Batch if parsed.statements.len() < 2 => Wrapping::None,
        wrapping => wrapping,
    };
    let mut replay =
        Replay { catalog, result: UnitReplay::default(), batch: wrapping == Wrapping::Batch, block: None, number: 0 };
    if wrapping == Wrapping::Wrapped {
        replay.open(BlockKind::Runner, None);
    }
    for (index, statement) in parsed.statements.iter().enumerate() {
        replay.catalog.statement = index;
        replay.catalog.span = statement.span;
        match &statement.outcome {
            Ok(parsed) => {
                if matches!(parsed.op, Op::Do(_)) && !statement.inner_errors.is_empty() {
                    replay.catalog.incomplete = true;
                }
                replay.statement(index, parsed);
            }
            Err(_) => {
                replay.catalog.incomplete = true;
                replay.place();
                replay.end_lone_statement();
            }
        }
    }
    replay.finish()
}

struct Block {
    kind: BlockKind,
    /// The statement that opened it, where one did.
    opened_by: Option<usize>,
    start: Point,
    savepoints: Vec<(String, Point)>,
}

impl Block {
    /// The latest savepoint of that name hides earlier ones.
    fn find(&self, name: &str) -> Option<usize> {
        self.savepoints.iter().rposition(|(savepoint, _)| savepoint == name)
    }
}

/// Where to return to: the catalog, the events so far and the statements so far.
#[derive(Clone)]
struct Point {
    savepoint: Savepoint,
    events: usize,
    statements: usize,
}

struct Replay<'a> {
    catalog: &'a mut Catalog,
    result: UnitReplay,
    batch: bool,
    block: Option<Block>,
    /// Number of the current transaction, or of the next one where none is open.
    number: u32,
}

impl Replay<'_> {
    fn statement(&mut self, index: usize, statement: &Statement) {
        if let Op::Transaction(command) = &statement.op {
            self.control(index, command);
            return;
        }
        self.place();
        self.catalog.apply(&statement.op);
        self.take_over();
        self.end_lone_statement();
    }

    /// What the statement did is the unit's now.
    fn take_over(&mut self) {
        self.result.events.append(&mut self.catalog.journal);
        self.result.work.append(&mut self.catalog.work);
    }

    /// Gives the current statement its transaction. In a batch the implicit one starts with the first statement that needs it.
    fn place(&mut self) {
        if self.batch && self.block.is_none() {
            self.open(BlockKind::Implicit, None);
        }
        self.result.circumstances.push(Circumstances {
            transaction: self.number,
            block: self.block.as_ref().map(|block| block.kind),
            rolled_back: false,
            settings: self.catalog.settings.clone(),
        });
    }

    fn control(&mut self, index: usize, command: &TransactionCommand) {
        match command {
            TransactionCommand::Begin => self.begin(index),
            TransactionCommand::Commit => self.end(index, true),
            TransactionCommand::Rollback => self.end(index, false),
            // PREPARE TRANSACTION ends the block; that it is committed later is assumed, as all statements are to succeed.
            TransactionCommand::TwoPhase if self.block.is_some() => self.end(index, true),
            TransactionCommand::TwoPhase => {
                self.place();
                self.end_lone_statement();
            }
            TransactionCommand::Savepoint(name) => self.in_block(index, |replay, block| {
                block.savepoints.push((name.clone(), replay.point()));
            }),
            TransactionCommand::Release(name) => self.in_block(index, |replay, block| match block.find(name) {
                Some(at) => block.savepoints.truncate(at),
                None => replay.note(index, TransactionNoteKind::UnknownSavepoint),
            }),
            TransactionCommand::RollbackTo(name) => self.in_block(index, |replay, block| match block.find(name) {
                Some(at) => {
                    block.savepoints.truncate(at + 1);
                    replay.return_to(block.savepoints[at].1.clone());
                }
                None => replay.note(index, TransactionNoteKind::UnknownSavepoint),
            }),
        }
    }

    /// Runs `f` on the open block; outside of one, and in an implicit transaction, there are no savepoints.
    fn in_block(&mut self, index: usize, f: impl FnOnce(&mut Self, &mut Block)) {
        self.place();
        match self.block.take() {
            Some(mut block) => {
                if block.kind == BlockKind::Implicit {
                    self.note(index, TransactionNoteKind::SavepointOutside);
                } else {
                    f(self, &mut block);
                }
                self.block = Some(block);
            }
            None => {
                self.note(index, TransactionNoteKind::SavepointOutside);
                self.end_of_transaction();
            }
        }
    }

    fn begin(&mut self, index: usize) {
        match &mut self.block {
            // BEGIN turns the implicit transaction of a batch, with what already ran in it, into a block of its own.
            Some(block) if block.kind == BlockKind::Implicit => {
                block.kind = BlockKind::Explicit;
                block.opened_by = Some(index);
            }
            Some(_) => self.note(index, TransactionNoteKind::NestedBegin),
            None => self.open(BlockKind::Explicit, Some(index)),
        }
        self.place();
    }

    fn end(&mut self, index: usize, commit: bool) {
        self.place();
        let Some(block) = self.block.take() else {
            self.note(index, TransactionNoteKind::NoTransaction);
            self.end_of_transaction();
            return;
        };
        match block.kind {
            BlockKind::Runner => self.note(index, TransactionNoteKind::EndsRunnersTransaction),
            BlockKind::Implicit => self.note(index, TransactionNoteKind::EndsImplicitTransaction),
            BlockKind::Explicit => {}
        }
        if !commit {
            self.return_to(block.start);
        }
        self.end_of_transaction();
    }

    fn open(&mut self, kind: BlockKind, opened_by: Option<usize>) {
        let start = self.point();
        self.block = Some(Block { kind, opened_by, start, savepoints: Vec::new() });
    }

    /// A statement outside of a block is a transaction of its own.
    fn end_lone_statement(&mut self) {
        if self.block.is_none() {
            self.end_of_transaction();
        }
    }

    fn end_of_transaction(&mut self) {
        session::end_transaction(self.catalog);
        self.number += 1;
    }

    fn point(&self) -> Point {
        Point {
            savepoint: self.catalog.savepoint(),
            events: self.result.events.len(),
            statements: self.result.circumstances.len(),
        }
    }

    fn return_to(&mut self, point: Point) {
        let (statement, span) = (self.catalog.statement, self.catalog.span);
        self.catalog.return_to(point.savepoint);
        (self.catalog.statement, self.catalog.span) = (statement, span);
        self.result.events.truncate(point.events);
        let last = self.result.circumstances.len().saturating_sub(1);
        for statement in self.result.circumstances.iter_mut().take(last).skip(point.statements) {
            statement.rolled_back = true;
        }
    }

    fn note(&mut self, statement: usize, kind: TransactionNoteKind) {
        self.result.notes.push(TransactionNote { statement, kind });
    }

    fn finish(mut self) -> UnitReplay {
        if let Some(block) = self.block.take() {
            if let (BlockKind::Explicit, Some(opened_by)) = (block.kind, block.opened_by) {
                self.note(opened_by, TransactionNoteKind::Unclosed);
            }
            self.end_of_transaction();
        }
        self.take_over();
        // The next unit is another session's, as far as is known: temporary objects are gone, and that is nobody's loss.
        session::drop_temporary(self.catalog);
        self.catalog.journal.clear();
        self.catalog.work.clear();
        self.result
    }
}
