//! Bodies that run: DO blocks, and routines when they are called.
//!
//! Control flow is followed as far as the catalog answers the conditions ([`super::guard`]).
//! - A condition that is known takes its arm, and only that one.
//! - A condition that is not known takes its arm as if it held: what might happen is a fact. When that arm changes no schema, the
//!   next ones are looked at as well. When it does, the next ones run beside it, on the catalog as it was: their changes are in
//!   the journal, the state is that of the first. An arm that ends in RAISE EXCEPTION is not taken: statements are assumed to
//!   succeed. An arm that RETURNs does not end the body, since it may not be taken.
//! - A block with handlers is a savepoint. Where the catalog knows that a statement in it fails with a caught condition
//!   ([`super::failure`]), the block is undone and its handler runs. A failure that nothing catches is assumed not to happen.
//! - A loop's body runs once, unless its query is known to have no rows.
//! - SQL made at run time is opaque, wherever it stands.
//!
//! Entries of the journal have the span of the statement inside a DO block. The body of a called routine stands elsewhere, often in
//! another file: its entries have the span of the call.

use super::call;
use super::change::{Change, Event};
use super::failure::{self, Failure};
use super::guard::{self, Truth, Value, Variables};
use super::object::Id;
use super::transaction::Savepoint;
use super::{Catalog, dml, session};
use crate::expr::Expr;
use crate::op::{Body, ObjectName, Op, Query, RaiseLevel, Span, Statement, Step};

/// Bodies that run at the moment, outermost first. Part of the catalog, since statements in a body call further bodies.
#[derive(Clone, Debug, Default)]
pub(super) struct Running {
    /// Routines, outermost first: one that is already here is not entered again.
    pub calls: Vec<Id>,
    /// The conditions that each open block with handlers catches, outermost first.
    handlers: Vec<Vec<String>>,
    /// A failure inside a routine that a block outside of it catches.
    failed: Option<Failure>,
    /// Statements of bodies that surely fail and that nothing catches, where somebody asks ([`super::again`]). Such statements are
    /// assumed to succeed all the same.
    pub refused: Option<Vec<(Span, Failure)>>,
}

/// DO.
pub(super) fn run(c: &mut Catalog, body: &Body) {
    if let Some(why) = &body.opaque {
        opaque(c, why);
        return;
    }
    let span = c.span;
    let mut interpreter = Interpreter::new(c, Variables::new(), false);
    let flow = interpreter.steps(&body.steps);
    interpreter.finish(flow);
    c.span = span;
}

/// The body of a routine, called with these variables. Entries keep the span of the call.
pub(super) fn run_routine(c: &mut Catalog, steps: &[Step], variables: Variables) {
    let mut interpreter = Interpreter::new(c, variables, true);
    let flow = interpreter.steps(steps);
    interpreter.finish(flow);
}

/// CALL.
pub(super) fn call(c: &mut Catalog, routine: &ObjectName, args: &[Expr]) {
    let variables = Variables::new();
    dml::act(c, args.iter(), &variables, true);
    call::call(c, routine, args, &variables, true);
}

/// Something runs that cannot be read: whatever it creates is not known.
pub(super) fn opaque(c: &mut Catalog, text: &str) {
    c.incomplete = true;
    c.record(Change::Opaque { text: text.to_string() });
}

/// How a list of steps ended.
#[derive(Clone, Debug, PartialEq)]
enum Flow {
    /// At its end.
    Next,
    Return,
    /// RAISE EXCEPTION, or a failure that an open block catches.
    Failed(Failure),
}

struct Interpreter<'c> {
    catalog: &'c mut Catalog,
    variables: Variables,
    /// True in a routine: its text stands elsewhere, so entries keep the span of the call.
    called: bool,
    /// Where ROLLBACK in a body returns to.
    transaction: Savepoint,
}

impl<'c> Interpreter<'c> {
    fn new(catalog: &'c mut Catalog, variables: Variables, called: bool) -> Self {
        let transaction = catalog.savepoint();
        Interpreter { catalog, variables, called, transaction }
    }

    fn steps(&mut self, steps: &[Step]) -> Flow {
        for step in steps {
            let flow = self.step(step);
            if flow != Flow::Next {
                return flow;
            }
        }
        Flow::Next
    }

    fn step(&mut self, step: &Step) -> Flow {
        match step {
            Step::Sql(statement) => self.statement(statement),
            Step::Dynamic { span, text } => {
                self.at(*span);
                opaque(self.catalog, text);
                // It may have set any variable, and whatever a guard read before.
                self.variables.insert("found".into(), Value::Unknown);
                Flow::Next
            }
            Step::If { arms, otherwise, span } => {
                self.at(*span);
                self.choose(arms, otherwise)
            }
            Step::Loop { query, body, span } => {
                self.at(*span);
                self.repeat(query.as_deref(), body)
            }
            Step::Block { body, handlers, .. } if handlers.is_empty() => self.steps(body),
            Step::Block { body, handlers, span } => {
                self.at(*span);
                self.guarded(body, handlers)
            }
            Step::Raise { level: RaiseLevel::Exception, .. } => Flow::Failed(Failure::Raised),
            Step::Raise { level: RaiseLevel::Other, .. } | Step::Nothing => Flow::Next,
            Step::Return { expr, span } => {
                self.at(*span);
                if let Some(expr) = expr {
                    dml::act(self.catalog, [expr], &self.variables, true);
                }
                match self.catalog.running.failed.take() {
                    Some(failure) => Flow::Failed(failure),
                    None => Flow::Return,
                }
            }
            Step::Evaluate { target, expr, span } => {
                self.at(*span);
                self.evaluate(target.as_deref(), expr)
            }
            Step::Transaction { commit, .. } => {
                if *commit {
                    session::end_transaction(self.catalog);
                } else {
                    self.undo(self.transaction.clone());
                }
                self.transaction = self.catalog.savepoint();
                Flow::Next
            }
        }
    }

    fn statement(&mut self, statement: &Statement) -> Flow {
        self.at(statement.span);
        let failure = failure::of(self.catalog, &statement.op);
        if let Some(failure) = self.caught(failure) {
            return Flow::Failed(failure);
        }
        let span = self.catalog.span;
        if let (Some(failure), Some(refused)) = (failure, &mut self.catalog.running.refused) {
            refused.push((span, failure));
        }
        match &statement.op {
            Op::Select(query) => {
                dml::select_with(self.catalog, query, &self.variables);
                let found = guard::has_rows(self.catalog, &self.variables, query);
                self.variables.insert("found".into(), found.value());
            }
            Op::Call { routine, args } => {
                dml::act(self.catalog, args.iter(), &self.variables, true);
                call::call(self.catalog, routine, args, &self.variables, true);
            }
            op => {
                if matches!(op, Op::Dml(_)) {
                    self.variables.insert("found".into(), Value::Unknown);
                }
                self.catalog.apply(op);
            }
        }
        self.failed_below()
    }

    /// Assignment, PERFORM, SELECT … INTO: what is called acts, and the target has the value as far as it is known.
    fn evaluate(&mut self, target: Option<&str>, expr: &Expr) -> Flow {
        let mut found = None;
        match expr {
            Expr::Scalar(query) => {
                dml::select_with(self.catalog, query, &self.variables);
                found = Some(guard::has_rows(self.catalog, &self.variables, query).value());
            }
            _ => dml::act(self.catalog, [expr], &self.variables, true),
        }
        let flow = self.failed_below();
        if flow != Flow::Next {
            return flow;
        }
        if let Some(target) = target {
            let value = guard::evaluate(self.catalog, &self.variables, expr);
            self.assign(target, value);
        }
        if let Some(found) = found {
            self.variables.insert("found".into(), found);
        }
        Flow::Next
    }

    /// A whole record takes its fields along; a field or an element leaves nothing known about the rest.
    fn assign(&mut self, target: &str, value: Value<'static>) {
        let target = target.trim().to_lowercase().replace('"', "");
        let fields = format!("{target}.");
        self.variables.retain(|name, _| !name.starts_with(&fields));
        match target.split_once('[') {
            Some((base, _)) => self.variables.insert(base.trim().to_string(), Value::Unknown),
            None => self.variables.insert(target, value),
        };
    }

    /// IF and CASE.
    fn choose(&mut self, arms: &[(Expr, Vec<Step>)], otherwise: &[Step]) -> Flow {
        for (at, (condition, steps)) in arms.iter().enumerate() {
            dml::act(self.catalog, [condition], &self.variables, true);
            let flow = self.failed_below();
            if flow != Flow::Next {
                return flow;
            }
            match guard::holds(self.catalog, &self.variables, condition) {
                Some(true) => return self.certain(steps),
                Some(false) => {}
                None => {
                    let before = self.catalog.savepoint();
                    let variables = self.variables.clone();
                    let mark = self.catalog.journal.len();
                    self.perhaps(steps);
                    if changes_schema(&self.catalog.journal[mark..]) {
                        self.beside(before, &variables, mark, &arms[at + 1..], otherwise);
                        return Flow::Next;
                    }
                }
            }
        }
        self.certain(otherwise)
    }

    /// An arm that is taken if control comes here. One that raises and is not caught is assumed not to be reached.
    fn certain(&mut self, steps: &[Step]) -> Flow {
        let before = self.catalog.savepoint();
        let variables = self.variables.clone();
        match self.steps(steps) {
            Flow::Failed(failure) if self.caught(Some(failure)).is_none() => {
                self.undo(before);
                self.variables = variables;
                Flow::Next
            }
            flow => flow,
        }
    }

    /// An arm that may be taken: it happens unless it fails, and never ends the body.
    fn perhaps(&mut self, steps: &[Step]) {
        let before = self.catalog.savepoint();
        let variables = self.variables.clone();
        let refused = self.catalog.running.refused.as_ref().map(Vec::len);
        let flow = self.steps(steps);
        if let (Some(refused), Some(list)) = (refused, &mut self.catalog.running.refused) {
            list.truncate(refused);
        }
        if matches!(flow, Flow::Failed(_)) {
            self.undo(before);
            self.variables = variables;
        } else {
            self.forget_changed(variables);
        }
    }

    /// Runs the arms that exclude the one just taken: their changes are facts too, but the state stays as it is.
    fn beside(&mut self, before: Savepoint, variables: &Variables, mark: usize, arms: &[(Expr, Vec<Step>)], otherwise: &[Step]) {
        if arms.is_empty() && otherwise.is_empty() {
            return;
        }
        let taken = self.catalog.savepoint();
        let work_mark = before.work_so_far();
        let taken_variables = std::mem::replace(&mut self.variables, variables.clone());
        self.undo(before);
        // What it RAISEs or RETURNs ends only itself.
        let flow = self.choose(arms, otherwise);
        let other: Vec<Event> = match flow {
            Flow::Failed(_) => Vec::new(),
            Flow::Next | Flow::Return => self.catalog.journal.split_off(mark.min(self.catalog.journal.len())),
        };
        let other_work = self.catalog.work.split_off(work_mark.min(self.catalog.work.len()));
        self.undo(taken);
        if changes_schema(&other) {
            // What only the other arm creates is not in the state.
            self.catalog.incomplete = true;
        }
        self.catalog.journal.extend(other);
        self.catalog.work.extend(other_work);
        let left = std::mem::replace(&mut self.variables, taken_variables);
        self.forget_changed(left);
    }

    /// A loop's body, once.
    fn repeat(&mut self, query: Option<&Query>, body: &[Step]) -> Flow {
        let rows = match query {
            Some(query) => {
                dml::select_with(self.catalog, query, &self.variables);
                guard::has_rows(self.catalog, &self.variables, query)
            }
            None => Truth::Unknown,
        };
        self.variables.insert("found".into(), rows.value());
        if rows.holds() == Some(false) {
            return Flow::Next;
        }
        // A later turn of the loop sees what an earlier one assigned.
        let mut assigned = Vec::new();
        assigned_in(body, &mut assigned);
        for target in &assigned {
            self.variables.insert(target.clone(), Value::Unknown);
        }
        if rows == Truth::True {
            return match self.certain(body) {
                // EXIT is not told from the end of the body, so that a RETURN may stand behind one.
                Flow::Return => Flow::Next,
                flow => flow,
            };
        }
        self.perhaps(body);
        Flow::Next
    }

    /// BEGIN … EXCEPTION … END: a savepoint, undone where a statement fails with what a handler catches.
    fn guarded(&mut self, body: &[Step], handlers: &[(Vec<String>, Vec<Step>)]) -> Flow {
        let before = self.catalog.savepoint();
        let conditions = handlers.iter().flat_map(|(conditions, _)| conditions.iter().cloned()).collect();
        self.catalog.running.handlers.push(conditions);
        let flow = self.steps(body);
        self.catalog.running.handlers.pop();
        let Flow::Failed(failure) = flow else { return flow };
        let handler = handlers.iter().find(|(conditions, _)| failure.is_caught_by(conditions));
        let Some((_, steps)) = handler else { return Flow::Failed(failure) };
        self.undo(before);
        self.steps(steps)
    }

    /// The failure, where an open block catches it.
    fn caught(&self, failure: Option<Failure>) -> Option<Failure> {
        let failure = failure?;
        let caught = self.catalog.running.handlers.iter().any(|conditions| failure.is_caught_by(conditions));
        caught.then_some(failure)
    }

    /// What a routine called by this step could not finish.
    fn failed_below(&mut self) -> Flow {
        self.catalog.running.failed.take().map_or(Flow::Next, Flow::Failed)
    }

    /// Returns to a savepoint of this body; where we are stays.
    fn undo(&mut self, savepoint: Savepoint) {
        let span = self.catalog.span;
        let running = self.catalog.running.clone();
        self.catalog.return_to(savepoint);
        self.catalog.running = running;
        self.catalog.span = span;
    }

    /// Variables that an uncertain arm changed are not known behind it.
    fn forget_changed(&mut self, other: Variables) {
        let names: Vec<String> = self.variables.keys().chain(other.keys()).cloned().collect();
        for name in names {
            if self.variables.get(&name) != other.get(&name) {
                self.variables.insert(name, Value::Unknown);
            }
        }
    }

    fn at(&mut self, span: Span) {
        if !self.called {
            self.catalog.span = span;
        }
    }

    /// The body is over. A failure that a block outside of a routine catches goes there; any other is assumed not to happen.
    fn finish(self, flow: Flow) {
        if let Flow::Failed(failure) = flow
            && self.caught(Some(failure)).is_some()
        {
            self.catalog.running.failed = Some(failure);
        }
    }
}

/// Whether any of these entries is about more than rows and notes.
fn changes_schema(events: &[Event]) -> bool {
    events.iter().any(|event| {
        !matches!(
            event.change,
            Change::NothingDone { .. } | Change::Commented | Change::RowsChanged { .. } | Change::UnknownCall { .. }
        )
    })
}

/// Variables that steps assign, those inside of blocks, arms and loops too.
fn assigned_in(steps: &[Step], out: &mut Vec<String>) {
    for step in steps {
        match step {
            Step::Evaluate { target: Some(target), .. } => out.push(target.to_lowercase()),
            Step::If { arms, otherwise, .. } => {
                arms.iter().for_each(|(_, steps)| assigned_in(steps, out));
                assigned_in(otherwise, out);
            }
            Step::Loop { body, .. } => assigned_in(body, out),
            Step::Block { body, handlers, .. } => {
                assigned_in(body, out);
                handlers.iter().for_each(|(_, steps)| assigned_in(steps, out));
            }
            Step::Evaluate { target: None, .. }
            | Step::Sql(_)
            | Step::Dynamic { .. }
            | Step::Raise { .. }
            | Step::Return { .. }
            | Step::Transaction { .. }
            | Step::Nothing => {}
        }
    }
}
