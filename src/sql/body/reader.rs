//! plpgsql: blocks, branches and handlers, read from tokens, so that every step has its place in the file.
//!
//! The reader never fails and always ends: what it cannot make sense of becomes [`Step::Dynamic`] and a [`Doubt`], and whether a
//! doubt is an error of the user is for the server's own compiler to say. Each call takes at least one token.

use crate::expr::Expr;
use crate::op::{Span, Step};
use crate::sql::body::cursor::Cursor;
use crate::sql::body::embedded::{Expression, Source};
use crate::sql::body::fold::{self, Environment, Value};
use crate::sql::ffi::Refusal;
use crate::sql::lex::{self, TokenKind};
use crate::sql::newer::Use;
use std::collections::{BTreeMap, BTreeSet};

/// Blocks in blocks; the server's parser gives up at about as many.
const DEEPEST: usize = 400;

/// Something the reader could not make sense of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// In the source.
    pub span: Span,
    /// What the SQL parser said of it; `None` where the structure is wrong.
    pub refusal: Option<Refusal>,
}

/// Reads one body.
pub struct Reader<'a> {
    pub source: &'a Source<'a>,
    pub cursor: Cursor<'a>,
    pub environment: Environment,
    /// Variables that keep a text as it is.
    pub texts: BTreeSet<String>,
    /// Queries of bound cursors.
    pub cursors: BTreeMap<String, Span>,
    pub doubts: Vec<Doubt>,
    /// Loop passes unrolled so far.
    pub unrolled: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub fn new(source: &'a Source<'a>) -> Self {
        Reader {
            source,
            cursor: Cursor::new(source.text),
            environment: Environment::default(),
            texts: BTreeSet::new(),
            cursors: BTreeMap::new(),
            doubts: Vec::new(),
            unrolled: 0,
            depth: 0,
        }
    }

    /// The whole body.
    pub fn body(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        if let Some(last) = lex::tokens(self.source.text).last().filter(|token| lex::is_unterminated(*token, self.source.text)) {
            self.doubts.push(Doubt { span: last.span, refusal: None });
        }
        self.options();
        self.label();
        if self.cursor.is(self.cursor.at, &["declare", "begin"]) {
            self.block(&mut steps);
        } else {
            self.doubt_here();
        }
        if !self.cursor.is_at_end() {
            self.doubt_here();
            while !self.cursor.is_at_end() {
                self.statement(&mut steps);
            }
        }
        steps
    }

    /// `#variable_conflict use_column` and the like.
    fn options(&mut self) {
        while self.cursor.is_operator(self.cursor.at, &["#"]) {
            let at = self.cursor.at;
            self.misplaced((at + 1..at + 3).find(|&i| !self.cursor.is_kind(i, TokenKind::Word)));
            self.cursor.at += 3;
        }
    }

    /// `<<label>>`.
    fn label(&mut self) {
        if self.cursor.is_operator(self.cursor.at, &["<<"]) && self.cursor.is_operator(self.cursor.at + 2, &[">>"]) {
            let name = self.cursor.at + 1;
            self.misplaced((!self.cursor.is_free_name(name)).then_some(name));
            self.cursor.at += 3;
        }
    }

    /// What a check of the form found.
    pub fn misplaced(&mut self, index: Option<usize>) {
        if let Some(index) = index {
            let span = self.cursor.span(index, index + 1);
            self.doubts.push(Doubt { span, refusal: None });
        }
    }

    /// Tokens `from..to` are a form of plpgsql that not every server has.
    pub fn newer(&self, form: &'static str, from: usize, to: usize) {
        let span = self.cursor.span(from, to);
        self.source.newer.borrow_mut().push(Use::form(form, self.source.place(span)));
    }

    /// The structure is wrong at the next token.
    pub fn doubt_here(&mut self) {
        self.misplaced(Some(self.cursor.at));
    }

    /// The parser refused what stands at `span`.
    pub fn doubt(&mut self, span: Span, refusal: Refusal) {
        self.doubts.push(Doubt { span, refusal: Some(refusal) });
    }

    /// Statements up to one of these words.
    pub fn statements(&mut self, until: &[&str]) -> Vec<Step> {
        let mut steps = Vec::new();
        while !self.cursor.is_at_end() && !self.cursor.is(self.cursor.at, until) {
            self.statement(&mut steps);
        }
        steps
    }

    fn statement(&mut self, out: &mut Vec<Step>) {
        let start = self.cursor.at;
        if self.depth >= DEEPEST {
            self.unreadable(out);
            return;
        }
        self.depth += 1;
        self.label();
        let at = self.cursor.at;
        if self.cursor.is(at, &["declare", "begin"]) {
            self.block(out);
        } else if self.cursor.is(at, &["if"]) {
            self.branches(out);
        } else if self.cursor.is(at, &["case"]) {
            self.case(out);
        } else if self.cursor.is(at, &["loop", "while", "for", "foreach"]) {
            self.repetition(out);
        } else {
            self.simple(out);
        }
        self.depth -= 1;
        if self.cursor.at == start {
            self.cursor.at += 1;
        }
    }

    /// What is nested too deeply to read: the rest of the body.
    fn unreadable(&mut self, out: &mut Vec<Step>) {
        let span = self.cursor.span(self.cursor.at, self.cursor.end());
        self.cursor.at = self.cursor.end();
        out.push(Step::Dynamic { span: self.source.place(span), text: "blocks nested too deeply".into() });
    }

    /// `[DECLARE …] BEGIN … [EXCEPTION …] END [label] ;`
    fn block(&mut self, out: &mut Vec<Step>) {
        let from = self.cursor.at;
        let outer = self.environment.clone();
        let outer_texts = self.texts.clone();
        let mut declared = Vec::new();
        while self.cursor.take("declare") {
            self.declarations(&mut declared, out);
        }
        if !self.cursor.take("begin") {
            self.doubt_here();
        }
        let body_start = self.cursor.at;
        let body = self.statements(&["exception", "end"]);
        let mut handlers = Vec::new();
        if self.cursor.take("exception") {
            self.misplaced((!self.cursor.is(self.cursor.at, &["when"])).then_some(self.cursor.at));
            // A handler may start after any statement of the body.
            for name in self.cursor.assigned(body_start, self.cursor.at) {
                self.environment.set(&name, None);
            }
            let at_start = self.environment.clone();
            while self.cursor.take("when") {
                let conditions = self.conditions();
                self.environment = at_start.clone();
                let steps = self.statements(&["when", "end"]);
                handlers.push((conditions, steps));
            }
            for name in self.cursor.assigned(body_start, self.cursor.at) {
                self.environment.set(&name, None);
            }
        }
        self.end_of(&[]);
        // Inner variables go out of scope; the outer ones they hid are what they were.
        for name in &declared {
            self.environment.set(name, None);
            self.environment.set(name, outer.get(name).cloned());
        }
        self.texts = outer_texts;
        if handlers.is_empty() {
            out.extend(body);
        } else {
            let span = self.cursor.span(from, self.cursor.at);
            out.push(Step::Block { body, handlers, span: self.source.place(span) });
        }
    }

    /// `unique_violation OR SQLSTATE '42P07' THEN`.
    fn conditions(&mut self) -> Vec<String> {
        let end = self.cursor.find(self.cursor.at, |cursor, i| cursor.is(i, &["then"]));
        self.misplaced(self.cursor.misplaced_in_conditions(self.cursor.at, end));
        let mut conditions = Vec::new();
        while self.cursor.at < end {
            let at = self.cursor.at;
            if self.cursor.is_kind(at, TokenKind::Str) {
                conditions.push(self.cursor.text(at).trim_matches('\'').to_ascii_lowercase());
            } else if !self.cursor.is(at, &["or", "sqlstate"]) {
                conditions.extend(self.cursor.name(at));
            }
            self.cursor.at += 1;
        }
        self.expect("then");
        conditions
    }

    pub fn expect(&mut self, word: &str) {
        if !self.cursor.take(word) {
            self.doubt_here();
        }
    }

    /// `END IF ;`, `END LOOP label ;`, `END label ;`
    pub fn end_of(&mut self, words: &[&str]) {
        self.expect("end");
        for word in words {
            self.expect(word);
        }
        if words.is_empty() && self.cursor.is(self.cursor.at, &["if", "loop", "case"]) {
            self.doubt_here();
        }
        let end = self.cursor.semicolon(self.cursor.at);
        // One label may stand before the `;`. More is the next statement, whose `;` this one lacks.
        if end > self.cursor.at + 1 {
            self.doubt_here();
        } else {
            let has_label = end == self.cursor.at + 1;
            self.misplaced((has_label && !self.cursor.is_free_name(self.cursor.at)).then_some(self.cursor.at));
            self.cursor.at = end;
        }
        self.cursor.take_kind(TokenKind::Semicolon);
    }

    /// `IF … THEN … ELSIF … THEN … ELSE … END IF;`
    fn branches(&mut self, out: &mut Vec<Step>) {
        let from = self.cursor.at;
        let mut arms = Vec::new();
        let mut otherwise = Vec::new();
        let mut ways = Ways::new(&self.environment);
        self.cursor.at += 1;
        loop {
            let condition = self.expression_until(&["then"]);
            self.expect("then");
            self.environment = ways.start.clone();
            let steps = self.statements(&["elsif", "elseif", "else", "end"]);
            ways.took(&self.environment);
            arms.push((condition, steps));
            if !self.cursor.take("elsif") && !self.cursor.take("elseif") {
                break;
            }
        }
        self.environment = ways.start.clone();
        if self.cursor.take("else") {
            otherwise = self.statements(&["end"]);
        }
        ways.took(&self.environment);
        self.environment = ways.joined();
        self.end_of(&["if"]);
        let span = self.source.place(self.cursor.span(from, self.cursor.at));
        out.push(Step::If { arms, otherwise, span });
    }

    /// `CASE [operand] WHEN … THEN … ELSE … END CASE;`
    fn case(&mut self, out: &mut Vec<Step>) {
        let from = self.cursor.at;
        self.cursor.at += 1;
        let operand = (!self.cursor.is(self.cursor.at, &["when"])).then(|| self.expression_until(&["when"]));
        let mut arms = Vec::new();
        let mut otherwise = Vec::new();
        let mut ways = Ways::new(&self.environment);
        self.misplaced((!self.cursor.is(self.cursor.at, &["when"])).then_some(self.cursor.at));
        while self.cursor.take("when") {
            let condition = match &operand {
                None => self.expression_until(&["then"]),
                Some(operand) => {
                    self.misplaced(self.cursor.is(self.cursor.at, &["then"]).then_some(self.cursor.at));
                    let list = self.expressions_until(&["then"]);
                    Expr::InList { expr: Box::new(operand.clone()), list, negated: false }
                }
            };
            self.expect("then");
            self.environment = ways.start.clone();
            let steps = self.statements(&["when", "else", "end"]);
            ways.took(&self.environment);
            arms.push((condition, steps));
        }
        self.environment = ways.start.clone();
        if self.cursor.take("else") {
            otherwise = self.statements(&["end"]);
        }
        ways.took(&self.environment);
        self.environment = ways.joined();
        self.end_of(&["case"]);
        let span = self.source.place(self.cursor.span(from, self.cursor.at));
        out.push(Step::If { arms, otherwise, span });
    }

    /// The expression up to one of these words, which is not taken.
    pub fn expression_until(&mut self, words: &[&str]) -> Expr {
        let end = self.cursor.find(self.cursor.at, |cursor, i| cursor.is(i, words));
        let expression = self.expression(self.cursor.at, end);
        self.cursor.at = end;
        expression
    }

    /// A list of expressions up to one of these words.
    fn expressions_until(&mut self, words: &[&str]) -> Vec<Expr> {
        let end = self.cursor.find(self.cursor.at, |cursor, i| cursor.is(i, words));
        let mut list = Vec::new();
        while self.cursor.at < end {
            let comma = self.cursor.find(self.cursor.at, |cursor, i| cursor.is_kind(i, TokenKind::Comma)).min(end);
            list.push(self.expression(self.cursor.at, comma));
            self.cursor.at = (comma + 1).min(end);
        }
        list
    }

    /// The expression of tokens `from..to`, lowered.
    pub fn expression(&mut self, from: usize, to: usize) -> Expr {
        match self.parsed_expression(from, to) {
            Some((expression, span)) => self.source.lower_at(&expression, span),
            None => Expr::Other { node: "unreadable".into(), children: Vec::new() },
        }
    }

    /// The expression of tokens `from..to`; what does not parse is in doubt.
    pub fn parsed_expression(&mut self, from: usize, to: usize) -> Option<(Expression, Span)> {
        let span = self.cursor.span(from, to);
        match self.source.expression(span) {
            Ok(expression) => Some((expression, span)),
            Err(refusal) => {
                self.doubt(span, refusal);
                None
            }
        }
    }

    /// The constant that an expression is here.
    pub fn constant(&self, expression: &Expression) -> Option<Value> {
        fold::fold(expression.value()?, &self.environment)
    }
}

/// What is known after branches of which one is taken.
struct Ways {
    start: Environment,
    joined: Option<Environment>,
}

impl Ways {
    fn new(start: &Environment) -> Self {
        Ways { start: start.clone(), joined: None }
    }
    fn took(&mut self, end: &Environment) {
        match &mut self.joined {
            Some(joined) => joined.join(end),
            None => self.joined = Some(end.clone()),
        }
    }
    fn joined(self) -> Environment {
        self.joined.unwrap_or(self.start)
    }
}
