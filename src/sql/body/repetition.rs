//! plpgsql's loops. A loop over constants whose body builds SQL from them is unrolled, so that the SQL is known.

use crate::op::{Query, Span, Step};
use crate::sql::body::embedded::{self, Expression};
use crate::sql::body::fold::{self, Value};
use crate::sql::body::reader::Reader;
use crate::sql::body::statement::unknown_value;
use crate::sql::lex::TokenKind;
use pg_query::Node;
use pg_query::protobuf::node::Node as Kind;

/// Most passes of one loop that are unrolled.
const PASSES: usize = 100;
/// Most passes of all loops of a body.
const ALL_PASSES: usize = 1000;

/// What a loop does before each pass.
#[derive(Default)]
struct Header {
    query: Option<Box<Query>>,
    /// Names that each pass sets.
    names: Vec<String>,
    /// The values of the one name, pass by pass, where they are constants: for the name itself or a field of it.
    passes: Option<(String, Vec<Value>)>,
}

impl Reader<'_> {
    /// `[FOR … | FOREACH … | WHILE …] LOOP … END LOOP;`
    pub fn repetition(&mut self, out: &mut Vec<Step>) {
        let from = self.cursor.at;
        let header = self.header(out);
        if !self.cursor.take("loop") {
            self.doubt_here();
            self.cursor.take_kind(TokenKind::Semicolon);
            return;
        }
        let start = self.cursor.at;
        let assigned = self.cursor.assigned(start, self.cursor.end_of_loop(start));
        for name in header.names.iter().chain(&assigned) {
            self.environment.set(name, None);
        }
        let before = self.environment.clone();
        let place = self.source.place(self.cursor.span(from, start));
        let set_before = |name: &String| Step::Evaluate { target: Some(name.clone()), expr: unknown_value(), span: place };
        let mut body: Vec<Step> = header.names.iter().map(set_before).collect();
        body.extend(self.statements(&["end"]));
        let unrolled = match &header.passes {
            Some((name, values)) if dynamic(&body) > 0 => self.unroll(start, place, name, values, dynamic(&body)),
            _ => None,
        };
        self.environment = before;
        self.end_of(&["loop"]);
        match unrolled {
            Some(steps) => out.extend(steps),
            None => {
                let span = self.source.place(self.cursor.span(from, self.cursor.at));
                out.push(Step::Loop { query: header.query, body, span });
            }
        }
    }

    /// Reads the body that starts at token `start` once for each value. `None` where that makes nothing known.
    fn unroll(&mut self, start: usize, place: Span, name: &str, values: &[Value], unknown: usize) -> Option<Vec<Step>> {
        if values.len() > PASSES || self.unrolled + values.len() > ALL_PASSES {
            return None;
        }
        self.unrolled += values.len();
        let end = self.cursor.at;
        let doubts = self.doubts.len();
        let before = self.environment.clone();
        let mut steps = Vec::new();
        for value in values {
            self.cursor.at = start;
            self.environment = before.clone();
            for assigned in self.cursor.assigned(start, end) {
                self.environment.set(&assigned, None);
            }
            self.environment.set(name, Some(value.clone()));
            let expr = value.as_expr().unwrap_or_else(unknown_value);
            steps.push(Step::Evaluate { target: Some(name.to_string()), expr, span: place });
            steps.extend(self.statements(&["end"]));
        }
        // The first reading had the same ones.
        self.doubts.truncate(doubts);
        self.cursor.at = end;
        (dynamic(&steps) < unknown * values.len()).then_some(steps)
    }

    /// What stands before LOOP.
    fn header(&mut self, out: &mut Vec<Step>) -> Header {
        let at = self.cursor.at;
        if self.cursor.is(at, &["loop"]) {
            return Header::default();
        }
        self.cursor.at += 1;
        if self.cursor.is(at, &["while"]) {
            let from = self.cursor.at;
            let expr = self.expression_until(&["loop"]);
            let span = self.source.place(self.cursor.span(from, self.cursor.at));
            out.push(Step::Evaluate { target: None, expr, span });
            return Header::default();
        }
        let is_each = self.cursor.is(at, &["foreach"]);
        let before_in = self.cursor.find(at + 1, |cursor, i| cursor.is(i, &["in"]));
        let names: Vec<_> = (at + 1..before_in).filter_map(|i| self.cursor.name(i)).collect();
        self.misplaced(match self.cursor.find(at + 1, |cursor, i| is_each && cursor.is(i, &["slice"])).min(before_in) {
            slice if slice + 2 == before_in || slice == before_in => self.cursor.misplaced_in_targets(at + 1, slice),
            slice => Some(slice),
        });
        self.misplaced((!self.cursor.is(before_in, &["in"])).then_some(before_in));
        let from = before_in + 1;
        let end = self.cursor.find(from, |cursor, i| cursor.is(i, &["loop"]));
        let range = self.cursor.find(from, |cursor, i| cursor.is_operator(i, &[".."]));
        let mut header = if before_in >= self.cursor.end() {
            Header::default()
        } else if is_each {
            self.each(from, end, out)
        } else if range < end {
            self.counted(from, range, end, out)
        } else {
            self.rows(from, end, out)
        };
        if let (Some((name, _)), [single]) = (&mut header.passes, names.as_slice()) {
            *name = if name.is_empty() { single.clone() } else { format!("{single}.{name}") };
        } else {
            header.passes = None;
        }
        header.names = names;
        self.cursor.at = end;
        header
    }

    /// `FOREACH x [SLICE n] IN ARRAY expression`.
    fn each(&mut self, from: usize, end: usize, out: &mut Vec<Step>) -> Header {
        self.misplaced((!self.cursor.is(from, &["array"])).then_some(from));
        let from = from + usize::from(self.cursor.is(from, &["array"]));
        let Some((expression, span)) = self.parsed_expression(from, end) else { return Header::default() };
        if let Some(Value::Array(elements)) = self.constant(&expression) {
            return Header { passes: Some((String::new(), scalars(elements))), ..Header::default() };
        }
        let expr = self.source.lower_at(&expression, span);
        out.push(Step::Evaluate { target: None, expr, span: self.source.place(span) });
        Header::default()
    }

    /// `FOR i IN [REVERSE] a .. b [BY c]`.
    fn counted(&mut self, from: usize, range: usize, end: usize, out: &mut Vec<Step>) -> Header {
        let is_reverse = self.cursor.is(from, &["reverse"]);
        let from = from + usize::from(is_reverse);
        let by = self.cursor.find(range + 1, |cursor, i| cursor.is(i, &["by"])).min(end);
        let mut bounds = vec![(from, range), (range + 1, by)];
        if by < end {
            bounds.push((by + 1, end));
        }
        let mut numbers = Vec::new();
        for (from, to) in bounds {
            let Some((expression, span)) = self.parsed_expression(from, to) else { continue };
            if let Some(Value::Integer(number)) = self.constant(&expression) {
                numbers.push(number);
            } else {
                let expr = self.source.lower_at(&expression, span);
                out.push(Step::Evaluate { target: None, expr, span: self.source.place(span) });
            }
        }
        let passes = match (numbers.as_slice(), by < end) {
            ([first, last], false) => count(*first, *last, 1, is_reverse),
            ([first, last, step], true) => count(*first, *last, *step, is_reverse),
            _ => None,
        };
        Header { passes: passes.map(|passes| (String::new(), passes)), ..Header::default() }
    }

    /// `FOR r IN query`, `FOR r IN EXECUTE text`, `FOR r IN cursor (arguments)`.
    fn rows(&mut self, from: usize, end: usize, out: &mut Vec<Step>) -> Header {
        let mut header = Header::default();
        if self.cursor.is(from, &["execute"]) {
            let to = self.cursor.find(from, |cursor, i| cursor.is(i, &["using"])).min(end);
            let whole = self.source.place(self.cursor.span(from, end));
            self.run(from + 1, to, whole, out);
            return header;
        }
        let is_name = from + 1 == end || self.cursor.text(from + 1) == "(";
        let cursor = self.cursor.name(from).filter(|_| is_name);
        let bound = cursor.as_ref().and_then(|name| self.cursors.get(name).copied());
        if cursor.is_some() && bound.is_none() && self.cursor.kind(from) != Some(TokenKind::Open) && from + 1 == end {
            return header;
        }
        if bound.is_some() {
            self.cursor_arguments(from + 1, end);
        }
        let span = bound.unwrap_or_else(|| self.cursor.span(from, end));
        match self.source.query(&self.source.text[span.start..span.end], span) {
            Ok(Some(query)) => {
                header.passes = self.constant_rows(&query);
                header.query = Some(Box::new(self.source.lower_query(&query, span)));
            }
            Ok(None) => match self.source.statements(&self.source.text[span.start..span.end], span) {
                Ok(statements) => out.extend(statements.into_iter().map(Step::Sql)),
                Err(refusal) => self.doubt(span, refusal),
            },
            Err(refusal) => {
                self.doubt(span, refusal);
                out.push(Step::Dynamic { span: self.source.place(span), text: self.source.text[span.start..span.end].into() });
            }
        }
        header
    }

    /// The rows of `SELECT unnest(ARRAY[…]) [AS c]`, `SELECT … FROM unnest(ARRAY[…]) AS c` and of VALUES with one column, and the
    /// name of the column.
    fn constant_rows(&self, query: &Expression) -> Option<(String, Vec<Value>)> {
        let select = query.select();
        if select.where_clause.is_some() || select.limit_count.is_some() || select.limit_offset.is_some() || select.larg.is_some()
        {
            return None;
        }
        if !select.values_lists.is_empty() {
            let row = |row: &Node| match row.node.as_ref()? {
                Kind::List(list) if list.items.len() == 1 => fold::fold(list.items.first()?, &self.environment),
                _ => None,
            };
            return Some(("column1".into(), select.values_lists.iter().map(row).collect::<Option<_>>()?));
        }
        let [target] = select.target_list.as_slice() else { return None };
        let Some(Kind::ResTarget(named)) = &target.node else { return None };
        let value = embedded::target_value(target)?;
        let (call, name) = match (select.from_clause.as_slice(), value.node.as_ref()?) {
            ([], Kind::FuncCall(_)) => (value, "unnest"),
            ([from], Kind::ColumnRef(_)) => function_in_from(from)?,
            _ => return None,
        };
        let name = if named.name.is_empty() { name } else { &named.name };
        let Some(Kind::FuncCall(call)) = &call.node else { return None };
        let is_unnest = matches!(call.funcname.last()?.node.as_ref()?, Kind::String(name) if name.sval == "unnest");
        let [array] = call.args.as_slice() else { return None };
        match fold::fold(array, &self.environment)? {
            Value::Array(elements) if is_unnest => Some((name.into(), scalars(elements))),
            _ => None,
        }
    }
}

/// `f(…) [AS alias[(column)]]` in FROM: the call and the name of its column.
fn function_in_from(from: &Node) -> Option<(&Node, &str)> {
    let Some(Kind::RangeFunction(function)) = &from.node else { return None };
    let [single] = function.functions.as_slice() else { return None };
    let Some(Kind::List(list)) = &single.node else { return None };
    let name = match &function.alias {
        None => "unnest",
        Some(alias) => match alias.colnames.first().and_then(|name| name.node.as_ref()) {
            Some(Kind::String(name)) => &name.sval,
            _ => &alias.aliasname,
        },
    };
    (!function.ordinality).then_some((list.items.first()?, name))
}

fn scalars(elements: Vec<Option<String>>) -> Vec<Value> {
    elements.into_iter().map(|element| element.map_or(Value::Null, Value::Text)).collect()
}

/// The values of an integer loop, if they are few.
fn count(first: i64, last: i64, step: i64, is_reverse: bool) -> Option<Vec<Value>> {
    let step = usize::try_from(step).ok().filter(|step| *step > 0)?;
    let (low, high) = if is_reverse { (last, first) } else { (first, last) };
    let numbers = (low..=high).take(PASSES * step + 1);
    let values: Vec<_> = if is_reverse {
        // Down from the first, which a long range would not reach.
        (high.checked_sub(low)? <= i64::try_from(PASSES * step).ok()?).then_some(())?;
        (low..=high).rev().step_by(step).map(Value::Integer).collect()
    } else {
        numbers.step_by(step).map(Value::Integer).collect()
    };
    Some(values)
}

/// How many texts are unknown in some steps.
fn dynamic(steps: &[Step]) -> usize {
    steps
        .iter()
        .map(|step| match step {
            Step::Dynamic { .. } => 1,
            Step::If { arms, otherwise, .. } => arms.iter().map(|(_, steps)| dynamic(steps)).sum::<usize>() + dynamic(otherwise),
            Step::Loop { body, .. } => dynamic(body),
            Step::Block { body, handlers, .. } => dynamic(body) + handlers.iter().map(|(_, steps)| dynamic(steps)).sum::<usize>(),
            Step::Sql(_)
            | Step::Raise { .. }
            | Step::Return { .. }
            | Step::Evaluate { .. }
            | Step::Transaction { .. }
            | Step::Nothing => 0,
        })
        .sum()
}
