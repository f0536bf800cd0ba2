//! plpgsql's simple statements: SQL with its INTO taken out, EXECUTE, assignments, RAISE, RETURN, cursors.

use crate::expr::Expr;
use crate::op::{Op, RaiseLevel, Span, Statement, Step};
use crate::sql::body::fold::Value;
use crate::sql::body::literal;
use crate::sql::body::reader::Reader;
use crate::sql::lex::TokenKind;
use crate::sql::position::PositionMap;

/// What stands for a value that the text does not tell.
pub fn unknown_value() -> Expr {
    Expr::Other { node: "assigned".into(), children: Vec::new() }
}

impl Reader<'_> {
    /// The statement up to its `;`.
    pub fn simple(&mut self, out: &mut Vec<Step>) {
        let start = self.cursor.at;
        let end = self.cursor.semicolon(start);
        let word = match self.cursor.kind(start) {
            Some(TokenKind::Word) => self.cursor.text(start).to_ascii_lowercase(),
            _ => String::new(),
        };
        let whole = self.source.place(self.cursor.span(start, end));
        match word.as_str() {
            "execute" => self.execute(start, end, whole, out),
            _ if self.cursor.assignment(start).is_some_and(|operator| operator < end) => self.assign(start, end, out),
            "null" | "exit" | "continue" | "assert" | "fetch" | "move" | "close" | "get" => {
                self.without_effect(&word, start, end);
                let before = out.len();
                if word == "get" || word == "fetch" {
                    self.assigned_elsewhere(start, end, whole, out);
                }
                if out.len() == before {
                    out.push(Step::Nothing);
                }
            }
            "return" => self.returns(start, end, whole, out),
            "raise" => {
                self.raise(start, end);
                let is_other = self.cursor.is(start + 1, &["debug", "log", "info", "notice", "warning"]);
                let level = if is_other { RaiseLevel::Other } else { RaiseLevel::Exception };
                out.push(Step::Raise { level, span: whole });
            }
            "perform" => self.perform(start, end, out),
            "open" => self.open(start, end, whole, out),
            "commit" | "rollback" => {
                self.misplaced(self.cursor.misplaced_in_transaction(start, end));
                out.push(Step::Transaction { commit: word == "commit", span: whole });
            }
            _ => self.sql(start, end, out),
        }
        self.cursor.at = end;
        if !self.cursor.take_kind(TokenKind::Semicolon) {
            self.doubt_here();
        }
    }

    /// Statements that change nothing but variables: only their form matters.
    fn without_effect(&mut self, word: &str, start: usize, end: usize) {
        self.forget(start, end);
        let misplaced = match word {
            "null" => (start + 1 < end).then_some(start + 1),
            "get" => self.cursor.misplaced_in_diagnostics(start, end),
            "fetch" | "move" | "close" => self.cursor.misplaced_in_cursor_use(start, end),
            "assert" => {
                self.parsed_expression(start + 1, end);
                None
            }
            _ => {
                let when = start + 1 + usize::from(self.cursor.is_free_name(start + 1) && start + 1 < end);
                if when < end && self.cursor.is(when, &["when"]) {
                    self.parsed_expression(when + 1, end);
                    None
                } else {
                    (when < end).then_some(when)
                }
            }
        };
        self.misplaced(misplaced);
    }

    /// `RAISE [level] ['format' [, expression]… | condition | SQLSTATE 'x'] [USING option = expression, …]`
    fn raise(&mut self, start: usize, end: usize) {
        let mut at = start + 1;
        at += usize::from(self.cursor.is(at, &["debug", "log", "info", "notice", "warning", "exception"]));
        let using = self.cursor.find(at, |cursor, i| cursor.is(i, &["using"])).min(end);
        if matches!(self.cursor.kind(at), Some(TokenKind::Str | TokenKind::DollarStr)) && at < using {
            at += 1;
            if self.cursor.is_kind(at, TokenKind::Comma) && at < using {
                self.parsed_expression(at + 1, using);
                at = using;
            }
        } else if at < using {
            at += usize::from(self.cursor.is(at, &["sqlstate"]));
            at += 1;
        }
        self.misplaced((at < using).then_some(at));
        at = using;
        while at < end {
            // USING, then commas.
            let operator = at + 2;
            let comma = self.cursor.find(operator, |cursor, i| cursor.is_kind(i, TokenKind::Comma)).min(end);
            if self.cursor.is_operator(operator, &["=", ":="]) {
                self.parsed_expression(operator + 1, comma);
            } else {
                self.misplaced(Some(at + 1));
            }
            at = comma;
        }
    }

    /// Forgets the values of what the tokens may assign.
    fn forget(&mut self, from: usize, to: usize) {
        for name in self.cursor.assigned(from, to) {
            self.environment.set(&name, None);
        }
    }

    fn assign(&mut self, start: usize, end: usize, out: &mut Vec<Step>) {
        let Some(operator) = self.cursor.assignment(start) else { return };
        let Some(name) = self.cursor.name(start) else { return };
        // A variable of another type may keep another text than it was given.
        let keeps_text = operator == start + 1 && self.texts.contains(&name);
        let parsed = self.parsed_expression(operator + 1, end);
        let value = parsed.as_ref().and_then(|(expression, _)| self.constant(expression));
        let value = match value {
            Some(Value::Text(text)) if keeps_text => Some(Value::Text(text)),
            _ => None,
        };
        self.environment.set(&name, value);
        let span = self.source.place(self.cursor.span(start, end));
        let target = self.cursor.span(start, operator);
        let target = Some(self.source.text[target.start..target.end].to_owned());
        match parsed {
            Some((expression, at)) => out.push(Step::Evaluate { target, expr: self.source.lower_at(&expression, at), span }),
            None => out.push(self.opaque(start, end)),
        }
    }

    /// Tokens that could not be read, as they are.
    fn opaque(&self, from: usize, to: usize) -> Step {
        let span = self.cursor.span(from, to);
        Step::Dynamic { span: self.source.place(span), text: self.source.text[span.start..span.end].into() }
    }

    /// SQL, read without its INTO.
    fn sql(&mut self, start: usize, end: usize, out: &mut Vec<Step>) {
        self.forget(start, end);
        if start == end {
            // plpgsql knows no empty statement.
            self.doubt_here();
            return;
        }
        let (text, span, into) = self.without_into(start, end);
        let whole = self.source.place(span);
        match self.source.statements(&text, span) {
            Ok(mut statements) => {
                // The INTO at its end is part of it.
                if let [single] = statements.as_mut_slice() {
                    single.span = whole;
                }
                let target = into.and_then(|into| self.only_target(into));
                match (target, statements.pop()) {
                    // `SELECT … INTO v` is an assignment.
                    (Some(target), Some(Statement { op: Op::Select(query), .. })) if statements.is_empty() => {
                        out.push(Step::Evaluate { target: Some(target), expr: Expr::Scalar(Box::new(query)), span: whole });
                    }
                    (_, last) => {
                        out.extend(statements.into_iter().chain(last).map(Step::Sql));
                        if let Some(into) = into {
                            self.assigned_elsewhere(into, end, whole, out);
                        }
                    }
                }
            }
            Err(refusal) => {
                self.doubt(span, refusal);
                out.push(self.opaque(start, end));
            }
        }
    }

    /// The one plain variable that the INTO at this token sets.
    fn only_target(&self, into: usize) -> Option<String> {
        let at = into + 1 + usize::from(self.cursor.is(into + 1, &["strict"]));
        (self.cursor.end_of_targets(into) == at + 1).then(|| self.cursor.name(at)).flatten()
    }

    /// Says that what the tokens may assign has a value that is not known.
    fn assigned_elsewhere(&self, from: usize, to: usize, whole: Span, out: &mut Vec<Step>) {
        let is_name = |name: &String| !["into", "strict", "diagnostics", "row_count"].contains(&name.as_str());
        for name in self.cursor.assigned(from, to).into_iter().filter(is_name) {
            out.push(Step::Evaluate { target: Some(name), expr: unknown_value(), span: whole });
        }
    }

    /// The tokens' text with `INTO [STRICT] target, …` blanked, and the INTO. The rules are those of `make_execsql_stmt`.
    fn without_into(&mut self, start: usize, end: usize) -> (String, Span, Option<usize>) {
        let span = self.cursor.span(start, end);
        let text = &self.source.text[span.start..span.end];
        let is_into = |index: &usize| {
            self.cursor.is(*index, &["into"])
                && !self.cursor.is(start, &["import", "create"])
                && !self.cursor.is(index - 1, &["insert", "merge"])
        };
        let Some(into) = (start + 1..end).find(is_into) else { return (text.into(), span, None) };
        let targets = self.cursor.end_of_targets(into).min(end);
        let first = into + 1 + usize::from(self.cursor.is(into + 1, &["strict"]));
        self.misplaced(self.cursor.misplaced_in_targets(first, targets));
        let (from, to) = (self.cursor.start(into) - span.start, self.cursor.span(into, targets).end - span.start);
        (format!("{}{}{}", &text[..from], " ".repeat(to - from), &text[to..]), span, Some(into))
    }

    /// `EXECUTE text [INTO …] [USING …]`; the text is read if it is a constant.
    fn execute(&mut self, start: usize, end: usize, whole: Span, out: &mut Vec<Step>) {
        let to = self.cursor.find(start + 1, |cursor, i| cursor.is(i, &["into", "using"])).min(end);
        self.run(start + 1, to, whole, out);
        self.forget(to, end);
        self.clauses(to, end);
        self.assigned_elsewhere(to, end, whole, out);
    }

    /// `INTO [STRICT] targets` and `USING expression, …`, each at most once.
    fn clauses(&mut self, from: usize, end: usize) {
        let mut at = from;
        while at < end {
            let is_into = self.cursor.is(at, &["into"]);
            let next = if is_into {
                self.cursor.end_of_targets(at).min(end)
            } else {
                self.cursor.find(at + 1, |cursor, i| cursor.is(i, &["into"])).min(end)
            };
            if is_into {
                let first = at + 1 + usize::from(self.cursor.is(at + 1, &["strict"]));
                self.misplaced(self.cursor.misplaced_in_targets(first, next));
            } else if self.cursor.is(at, &["using"]) {
                self.parsed_expression(at + 1, next);
            } else {
                self.misplaced(Some(at));
            }
            at = next.max(at + 1);
        }
    }

    /// What tokens `from..to` compute is run as SQL, by the statement at `whole` of the file.
    pub fn run(&mut self, from: usize, to: usize, whole: Span, out: &mut Vec<Step>) {
        let Some((expression, span)) = self.parsed_expression(from, to) else {
            out.push(self.opaque(from, to));
            return;
        };
        let dynamic = || Step::Dynamic { span: whole, text: self.source.text[span.start..span.end].into() };
        let Some(Value::Text(text)) = self.constant(&expression) else {
            out.push(dynamic());
            return;
        };
        match self.source.folded(&text, &self.places(from, to, &text, whole), whole) {
            Ok(statements) => out.extend(statements.into_iter().map(Step::Sql)),
            // It fails when it runs, if it does: no error of the text.
            Err(_) => out.push(dynamic()),
        }
    }

    /// Where the bytes of a folded text stand: exactly, if it is one literal.
    fn places(&self, from: usize, to: usize, text: &str, whole: Span) -> PositionMap {
        let single = self.cursor.get(from).and_then(|token| literal::decode(self.source.text, token));
        match single {
            Some(single) if single.value == text && (to == from + 1 || self.is_continued(from, to)) => {
                literal::place(single.origin, text.len(), self.source.positions)
            }
            _ => PositionMap::Table(vec![whole.start]),
        }
    }

    fn is_continued(&self, from: usize, to: usize) -> bool {
        let first = self.cursor.get(from);
        first.is_some_and(|token| literal::continuation(self.source.text, token).len() == to - from - 1)
    }

    /// `RETURN`, `RETURN NEXT …`, `RETURN QUERY …`; only the first leaves the body.
    fn returns(&mut self, start: usize, end: usize, whole: Span, out: &mut Vec<Step>) {
        if self.cursor.is(start + 1, &["query"]) && start + 2 < end {
            if self.cursor.is(start + 2, &["execute"]) {
                self.execute(start + 2, end, whole, out);
            } else {
                self.sql(start + 2, end, out);
            }
            return;
        }
        let is_next = self.cursor.is(start + 1, &["next"]) && !self.cursor.is_kind(start + 2, TokenKind::Dot);
        let from = start + 1 + usize::from(is_next);
        let expr = if from < end { Some(self.expression(from, end)) } else { None };
        match (is_next, expr) {
            (false, expr) => out.push(Step::Return { expr, span: whole }),
            (true, Some(expr)) => out.push(Step::Evaluate { target: None, expr, span: whole }),
            (true, None) => out.push(Step::Nothing),
        }
    }

    /// `PERFORM …` is `SELECT …`, whose rows nobody reads.
    fn perform(&mut self, start: usize, end: usize, out: &mut Vec<Step>) {
        const SAME_LENGTH: &str = " SELECT";
        let span = self.cursor.span(start, end);
        let text = format!("{SAME_LENGTH}{}", &self.source.text[span.start + SAME_LENGTH.len()..span.end]);
        match self.source.query(&text, span) {
            Ok(Some(query)) => {
                let expr = self.source.lower_expression(&query, &text, span);
                out.push(Step::Evaluate { target: None, expr, span: self.source.place(span) });
            }
            Ok(None) => out.push(self.opaque(start, end)),
            Err(refusal) => {
                self.doubt(span, refusal);
                out.push(self.opaque(start, end));
            }
        }
    }

    /// `OPEN c FOR query`, `OPEN c FOR EXECUTE text`, `OPEN c (arguments)`.
    fn open(&mut self, start: usize, end: usize, whole: Span, out: &mut Vec<Step>) {
        let query = self.cursor.find(start + 2, |cursor, i| cursor.is(i, &["for"]));
        if query + 1 < end {
            if self.cursor.is(query + 1, &["execute"]) {
                self.execute(query + 1, end, whole, out);
            } else {
                self.sql(query + 1, end, out);
            }
            return;
        }
        self.cursor_arguments(start + 2, end);
        let bound = self.cursor.name(start + 1).and_then(|name| self.cursors.get(&name).copied());
        match bound {
            Some(span) => self.bound(span, out),
            None => out.push(Step::Nothing),
        }
    }

    /// `(name := value, …)` behind the name of a cursor; `name => value` is newer. Calls inside may have names too.
    pub fn cursor_arguments(&self, from: usize, end: usize) {
        let mut depth = 0usize;
        for at in from..end {
            match self.cursor.kind(at) {
                Some(TokenKind::Open) => depth += 1,
                Some(TokenKind::Close) => depth = depth.saturating_sub(1),
                Some(TokenKind::Operator) if depth == 1 && self.cursor.is_operator(at, &["=>"]) => {
                    self.newer("cursor-argument", at, at + 1);
                    return;
                }
                _ => {}
            }
        }
    }

    /// The query of a cursor that was declared with one.
    fn bound(&mut self, span: Span, out: &mut Vec<Step>) {
        match self.source.statements(&self.source.text[span.start..span.end], span) {
            Ok(statements) => out.extend(statements.into_iter().map(Step::Sql)),
            Err(refusal) => {
                self.doubt(span, refusal);
                out.push(Step::Dynamic { span: self.source.place(span), text: self.source.text[span.start..span.end].into() });
            }
        }
    }
}
