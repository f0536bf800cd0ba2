//! Which values a CHECK may let pass: constants that it compares with, what lies beside them, lengths, patterns. Only hints: the
//! server says which do.

use super::literal::short;
use super::pattern;
use crate::expr::Expr;
use crate::op::{Op, Span};
use crate::source::{Migration, Phase, Rewriting, SourceFile, UnitKind, Wrapping};
use crate::sql::parse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// By column name; under `value` for a domain's own.
pub type Hints = BTreeMap<String, Vec<String>>;

const PATTERN_SAMPLES: usize = 12;

/// Reads one SQL expression. None where it does not parse.
pub fn expression(text: &str) -> Option<Expr> {
    let bytes = format!("SELECT {text}").into_bytes();
    let migration = Migration {
        id: String::new(),
        version: None,
        down: None,
        parts: vec![Span { start: 0, end: bytes.len() }],
        file: Arc::new(SourceFile { path: String::new(), repo_path: String::new(), bytes }),
        phase: Phase::Untagged,
        tag: None,
        directives: Vec::new(),
        wrapping: Wrapping::None,
        rewriting: Rewriting::None,
        kind: UnitKind::Sql,
        reported: false,
    };
    let statement = parse::unit(&migration).statements.into_iter().next()?.outcome.ok()?;
    match statement.op {
        Op::Select(query) => query.targets.into_iter().next().map(|target| target.expr),
        _ => None,
    }
}

/// Names of the columns that an expression reads.
pub fn columns(expr: &Expr) -> Vec<String> {
    let mut names = Vec::new();
    expr.walk(&mut |part| {
        if let Expr::Column(path) = part
            && let Some(name) = path.last()
            && !names.contains(name)
        {
            names.push(name.clone());
        }
    });
    names
}

/// Adds what an expression says of its columns.
pub fn collect(expr: &Expr, hints: &mut Hints) {
    expr.walk(&mut |part| match part {
        Expr::Operator { name, args } => {
            if let [left, right] = args.as_slice() {
                for side in [left, right] {
                    in_capitals(side, hints);
                }
                compare(name, left, right, hints);
                compare(&turned(name), right, left, hints);
            }
        }
        Expr::InList { expr, list, .. } => list.iter().for_each(|member| compare("=", expr, member, hints)),
        Expr::AnyAll { name, left, right, .. } => match bare(right) {
            Expr::Array(members) => members.iter().for_each(|member| compare(name, left, member, hints)),
            // '{a,b}'::text[]; members that are quoted are left.
            Expr::Str(text) if !text.contains(['"', '\\']) => {
                let members = text.trim_matches(['{', '}']).split(',').map(|member| Expr::Str(member.to_owned()));
                members.for_each(|member| compare(name, left, &member, hints));
            }
            _ => {}
        },
        Expr::IsDistinct { left, right, .. } => compare("=", left, right, hints),
        Expr::Between { expr, low, high, .. } => {
            compare(">=", expr, low, hints);
            compare("<=", expr, high, hints);
        }
        Expr::Like { left, right, name } => compare(name, left, right, hints),
        _ => {}
    });
}

/// What a comparison is about.
enum Subject<'a> {
    Value(&'a str),
    Length(&'a str),
    Nothing,
}

fn subject(expr: &Expr) -> Subject<'_> {
    match bare(expr) {
        Expr::Column(path) => path.last().map_or(Subject::Nothing, |name| Subject::Value(name)),
        Expr::Call(call) => {
            let column = match call.args.first().map(subject) {
                Some(Subject::Value(column)) => column,
                _ => return Subject::Nothing,
            };
            match call.name.name.as_str() {
                "length" | "char_length" | "character_length" | "octet_length" => Subject::Length(column),
                "lower" | "upper" | "btrim" | "trim" | "ltrim" | "rtrim" => Subject::Value(column),
                _ => Subject::Nothing,
            }
        }
        _ => Subject::Nothing,
    }
}

fn compare(operator: &str, left: &Expr, right: &Expr, hints: &mut Hints) {
    let Some(constant) = constant(right) else { return };
    match (subject(left), operator) {
        (Subject::Value(column), "~" | "~*") => add(hints, column, pattern::samples(&constant, PATTERN_SAMPLES)),
        (Subject::Value(column), "~~" | "~~*") => {
            let sample = |filler: &str| constant.replace('%', filler).replace('_', "a");
            add(hints, column, [sample("x1"), sample("x2"), sample("")]);
        }
        (Subject::Value(column), "=" | "<" | ">" | "<=" | ">=") => add(hints, column, around(operator, &constant)),
        (Subject::Length(column), "=" | "<" | ">" | "<=" | ">=") => {
            let Ok(length) = constant.parse::<usize>() else { return };
            let lengths: &[usize] = match operator {
                "<" => &[length.saturating_sub(1)],
                ">" => &[length + 1, length + 2],
                ">=" => &[length, length + 1],
                _ => &[length],
            };
            // What is not short of anything needs no text made for it.
            for length in lengths.iter().filter(|length| (1..=2000).contains(*length)) {
                add(hints, column, (0..8).map(|number| short(number, *length)));
            }
        }
        _ => {}
    }
}

/// A comparison with its own capitals wants capitals.
fn in_capitals(side: &Expr, hints: &mut Hints) {
    if let (Expr::Call(call), Subject::Value(column)) = (bare(side), subject(side))
        && call.name.name == "upper"
    {
        add(hints, column, (0..8).map(|number| short(number, 3).to_uppercase()));
    }
}

/// The constant, and what lies on the side of it that passes.
fn around(operator: &str, constant: &str) -> Vec<String> {
    let mut found = Vec::new();
    if operator == "=" {
        found.push(constant.to_owned());
        return found;
    }
    if let Ok(number) = constant.parse::<i64>() {
        let steps: [i64; 8] = if operator.starts_with('<') { [0, -1, -2, -3, -4, -5, -6, 1] } else { [0, 1, 2, 3, 4, 5, 6, -1] };
        found.extend(steps.iter().filter_map(|step| number.checked_add(*step)).map(|number| number.to_string()));
    } else if let Ok(number) = constant.parse::<f64>() {
        let steps = if operator.starts_with('<') { [0.0, -0.1, -1.0, -2.0] } else { [0.0, 0.1, 1.0, 2.0] };
        found.extend(steps.iter().map(|step| (number + step).to_string()));
    } else {
        found.push(constant.to_owned());
        found.extend(later_days(constant));
    }
    found
}

/// The days after (and the one before) a date at the beginning of a text, and a year before and after it, the rest kept.
fn later_days(text: &str) -> Vec<String> {
    let (Some(month), Some(day), Some(rest)) = (text.get(..8), text.get(8..10), text.get(10..)) else { return Vec::new() };
    let is_date =
        month.bytes().enumerate().all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    let Some(day) = day.parse::<usize>().ok().filter(|_| is_date) else { return Vec::new() };
    let days = (day + 1..=28).take(10).chain((1..day).rev().take(1));
    let years = text.get(..4).and_then(|year| year.parse::<i32>().ok()).into_iter().flat_map(|year| [year - 1, year + 1]);
    let later = days.map(|day| format!("{month}{day:02}{rest}"));
    later.chain(years.map(|year| format!("{year:04}{}", &text[4..]))).collect()
}

fn turned(operator: &str) -> String {
    match operator {
        "<" => ">",
        ">" => "<",
        "<=" => ">=",
        ">=" => "<=",
        // A pattern stands on the right only.
        "~" | "~*" | "~~" | "~~*" => "",
        other => other,
    }
    .to_owned()
}

fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Cast { expr, .. } | Expr::Collate { expr, .. } => bare(expr),
        other => other,
    }
}

fn constant(expr: &Expr) -> Option<String> {
    match bare(expr) {
        Expr::Int(number) => Some(number.to_string()),
        Expr::Float(text) | Expr::Str(text) | Expr::Bit(text) => Some(text.clone()),
        Expr::Bool(value) => Some(value.to_string()),
        Expr::Operator { name, args } if name == "-" && args.len() == 1 => Some(format!("-{}", constant(args.first()?)?)),
        _ => None,
    }
}

fn add(hints: &mut Hints, column: &str, values: impl IntoIterator<Item = String>) {
    let known = hints.entry(column.to_owned()).or_default();
    for value in values {
        if !known.contains(&value) {
            known.push(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(check: &str) -> Hints {
        let mut hints = Hints::new();
        collect(&expression(check).unwrap(), &mut hints);
        hints
    }

    #[test]
    fn constants_of_a_check_are_hints() {
        assert_eq!(hints("status = ANY (ARRAY['a'::text, 'b'::text])")["status"], ["a", "b"]);
        assert_eq!(hints("((kind)::text = 'x'::text) OR (kind IN ('y', 'z'))")["kind"], ["x", "y", "z"]);
        assert_eq!(hints("status = ANY ('{a,b}'::text[])")["status"], ["a", "b"]);
        assert_eq!(hints("code ~~ 'ab%'::text")["code"][0], "abx1");
        assert_eq!(hints("n > 10")["n"][..3], ["10", "11", "12"]);
        assert_eq!(hints("-5 >= n")["n"][..2], ["-5", "-6"]);
        assert_eq!(hints("char_length(code) = 4")["code"][..2], ["aaaa", "aaab"]);
        assert_eq!(hints("code LIKE 'ab%'")["code"][0], "abx1");
        assert_eq!(hints("d >= '2024-02-27'::date")["d"], ["2024-02-27", "2024-02-28", "2024-02-26", "2023-02-27", "2025-02-27"]);
        assert!(hints("code ~ '^[A-Z]{2}$'")["code"].iter().all(|text| text.len() == 2));
        assert!(hints("a < b").is_empty());
    }

    #[test]
    fn what_does_not_parse_is_no_expression() {
        assert_eq!(expression("a ="), None);
        assert_eq!(columns(&expression("a < t.b AND a > 1").unwrap()), ["a", "b"]);
    }
}
