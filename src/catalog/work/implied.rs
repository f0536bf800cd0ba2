//! Does one condition imply another in the eyes of the server (`predicate_implied_by`, weakly: a CHECK that is NULL passes)? It takes
//! AND, OR and NOT apart and compares a subject with constants, by the order of the constants; it knows no arithmetic.

use crate::catalog::Catalog;
use crate::catalog::object::Relation;
use crate::expr::Expr;
use std::cmp::Ordering;

/// A condition with NOT pushed down to its leaves.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Clause {
    And(Vec<Clause>),
    Or(Vec<Clause>),
    IsNull(Expr),
    NotNull(Expr),
    Compare(Expr, Comparison, Value),
    Truth(Expr, bool),
    /// Anything else, which proves itself alone; true where it is negated.
    Other(Expr, bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    GreaterOrEqual,
    Greater,
}

/// A constant, as far as it can be ordered. Those of two variants cannot be held against each other.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Integer(i64),
    Decimal(f64),
    Text(String),
    /// Microseconds, of a date or of a time without zone.
    Time(i64),
    /// The same in UTC.
    ZonedTime(i64),
    /// Of a type whose order is not known.
    Opaque(String),
}

impl Comparison {
    pub(super) fn negated(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::GreaterOrEqual,
            Comparison::LessOrEqual => Comparison::Greater,
            Comparison::Equal => Comparison::NotEqual,
            Comparison::NotEqual => Comparison::Equal,
            Comparison::GreaterOrEqual => Comparison::Less,
            Comparison::Greater => Comparison::LessOrEqual,
        }
    }
    fn turned(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
            Comparison::Equal | Comparison::NotEqual => self,
        }
    }
    fn of(name: &str) -> Option<Comparison> {
        match name {
            "<" => Some(Comparison::Less),
            "<=" => Some(Comparison::LessOrEqual),
            "=" => Some(Comparison::Equal),
            "<>" | "!=" => Some(Comparison::NotEqual),
            ">=" => Some(Comparison::GreaterOrEqual),
            ">" => Some(Comparison::Greater),
            _ => None,
        }
    }
    /// `x self a` implies `x wanted b`, where `a` stands to `b` like this (`BT_implies_table`).
    fn implies(self, wanted: Comparison, a_to_b: Ordering) -> bool {
        use Comparison::*;
        match (self, wanted) {
            (Less, Less | LessOrEqual | NotEqual) | (LessOrEqual, LessOrEqual) => a_to_b.is_le(),
            (LessOrEqual, Less | NotEqual) => a_to_b.is_lt(),
            (Greater, Greater | GreaterOrEqual | NotEqual) | (GreaterOrEqual, GreaterOrEqual) => a_to_b.is_ge(),
            (GreaterOrEqual, Greater | NotEqual) => a_to_b.is_gt(),
            (Equal, Less) => a_to_b.is_lt(),
            (Equal, LessOrEqual) => a_to_b.is_le(),
            (Equal, Equal) | (NotEqual, NotEqual) => a_to_b.is_eq(),
            (Equal, NotEqual) => a_to_b.is_ne(),
            (Equal, GreaterOrEqual) => a_to_b.is_ge(),
            (Equal, Greater) => a_to_b.is_gt(),
            (Less | LessOrEqual, Equal | GreaterOrEqual | Greater)
            | (Greater | GreaterOrEqual, Equal | LessOrEqual | Less)
            | (NotEqual, _) => false,
        }
    }
}

impl Value {
    fn order(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::Integer(a), Value::Integer(b))
            | (Value::Time(a), Value::Time(b))
            | (Value::ZonedTime(a), Value::ZonedTime(b)) => Some(a.cmp(b)),
            (Value::Decimal(a), Value::Decimal(b)) => a.partial_cmp(b),
            (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
            (Value::Opaque(a), Value::Opaque(b)) if a == b => Some(Ordering::Equal),
            _ => None,
        }
    }
}

impl Clause {
    pub(super) fn negated(&self) -> Clause {
        match self {
            Clause::And(parts) => Clause::Or(parts.iter().map(Clause::negated).collect()),
            Clause::Or(parts) => Clause::And(parts.iter().map(Clause::negated).collect()),
            Clause::IsNull(subject) => Clause::NotNull(subject.clone()),
            Clause::NotNull(subject) => Clause::IsNull(subject.clone()),
            Clause::Compare(subject, how, value) => Clause::Compare(subject.clone(), how.negated(), value.clone()),
            Clause::Truth(subject, truth) => Clause::Truth(subject.clone(), !truth),
            Clause::Other(expr, negated) => Clause::Other(expr.clone(), !negated),
        }
    }

    /// Whenever this holds, or is NULL, so does the other.
    pub(super) fn implies(&self, wanted: &Clause) -> bool {
        match (self, wanted) {
            (_, Clause::And(parts)) => parts.iter().all(|part| self.implies(part)),
            (Clause::Or(parts), _) => parts.iter().all(|part| part.implies(wanted)),
            (Clause::And(parts), Clause::Or(arms)) => {
                arms.iter().any(|arm| self.implies(arm)) || parts.iter().any(|part| part.implies(wanted))
            }
            (Clause::And(parts), _) => parts.iter().any(|part| part.implies(wanted)),
            (_, Clause::Or(arms)) => arms.iter().any(|arm| self.implies(arm)),
            (Clause::Compare(subject, how, value), Clause::Compare(other, wanted, limit)) => {
                subject == other && value.order(limit).is_some_and(|order| how.implies(*wanted, order))
            }
            (one, other) => one == other,
        }
    }
}

/// Reads conditions of one relation.
pub(super) struct Reader<'c> {
    pub catalog: &'c Catalog,
    pub table: &'c Relation,
}

impl Reader<'_> {
    pub(super) fn clause(&self, expr: &Expr) -> Clause {
        match expr {
            Expr::And(parts) => Clause::And(parts.iter().map(|part| self.clause(part)).collect()),
            Expr::Or(parts) => Clause::Or(parts.iter().map(|part| self.clause(part)).collect()),
            Expr::Not(inner) => self.clause(inner).negated(),
            Expr::Bool(true) => Clause::And(Vec::new()),
            Expr::Bool(false) => Clause::Or(Vec::new()),
            Expr::IsNull { expr, negated } => {
                let of = |subject: &Expr| {
                    let subject = self.subject(subject);
                    if *negated { Clause::NotNull(subject) } else { Clause::IsNull(subject) }
                };
                match expr.as_ref() {
                    Expr::Row(fields) => Clause::And(fields.iter().map(of).collect()),
                    subject => of(subject),
                }
            }
            Expr::Between { expr: subject, low, high, negated } => {
                let inside = Clause::And(vec![
                    self.compare(subject, Comparison::GreaterOrEqual, low, expr),
                    self.compare(subject, Comparison::LessOrEqual, high, expr),
                ]);
                if *negated { inside.negated() } else { inside }
            }
            Expr::InList { expr: subject, list, negated } => {
                let any = Clause::Or(list.iter().map(|value| self.compare(subject, Comparison::Equal, value, expr)).collect());
                if *negated { any.negated() } else { any }
            }
            Expr::AnyAll { name, all: false, left, right } if name == "=" => match elements(right) {
                Some(list) => Clause::Or(list.iter().map(|value| self.compare(left, Comparison::Equal, value, expr)).collect()),
                None => Clause::Other(expr.clone(), false),
            },
            Expr::Operator { name, args } => match (Comparison::of(name), args.as_slice()) {
                (
                    Some(how @ (Comparison::Equal | Comparison::NotEqual)),
                    [truth, Expr::Bool(value)] | [Expr::Bool(value), truth],
                ) => {
                    let clause = self.clause(truth);
                    if (how == Comparison::Equal) == *value { clause } else { clause.negated() }
                }
                (Some(how), [left, right]) if is_constant(right) => self.compare(left, how, right, expr),
                (Some(how), [left, right]) if is_constant(left) => self.compare(right, how.turned(), left, expr),
                _ => Clause::Other(expr.clone(), false),
            },
            Expr::Column(_) => Clause::Truth(self.subject(expr), true),
            _ => Clause::Other(expr.clone(), false),
        }
    }

    pub(super) fn compare(&self, subject: &Expr, how: Comparison, value: &Expr, whole: &Expr) -> Clause {
        match (self.value(subject, value), value) {
            (_, Expr::Bool(truth)) if how == Comparison::Equal => Clause::Truth(self.subject(subject), *truth),
            (Some(value), _) => Clause::Compare(self.subject(subject), how, value),
            (None, _) => Clause::Other(whole.clone(), false),
        }
    }

    /// Columns by their last name; a cast that changes nothing but the type's name is no cast.
    pub(super) fn subject(&self, expr: &Expr) -> Expr {
        match expr {
            Expr::Column(path) => Expr::Column(path.last().cloned().into_iter().collect()),
            Expr::Cast { expr: inner, to } if self.is_text(to) && matches!(self.type_of(inner), Some("text" | "varchar")) => {
                self.subject(inner)
            }
            _ => expr.clone(),
        }
    }

    fn is_text(&self, to: &crate::op::TypeRef) -> bool {
        matches!(self.catalog.data_type(to).builtin_name(), Some("text" | "varchar"))
    }

    fn type_of(&self, subject: &Expr) -> Option<&str> {
        match subject {
            Expr::Column(path) => self.table.column(path.last()?)?.data_type.builtin_name(),
            Expr::Cast { expr, .. } => self.type_of(expr),
            _ => None,
        }
    }

    /// A constant as it is compared with the subject; `None` where the operator is of two types that no proof spans.
    fn value(&self, subject: &Expr, value: &Expr) -> Option<Value> {
        let (literal, cast) = match value {
            Expr::Cast { expr, to } => (expr.as_ref(), self.catalog.data_type(to).builtin_name().map(str::to_owned)),
            literal => (literal, None),
        };
        let cast = cast.as_deref();
        let among = |types: &[&str]| cast.is_none_or(|cast| types.contains(&cast));
        match (self.type_of(subject), literal) {
            (Some("int2" | "int4" | "int8") | None, Expr::Int(number)) if among(&["int2", "int4", "int8"]) => {
                Some(Value::Integer(*number))
            }
            (Some("int2" | "int4" | "int8"), Expr::Str(text)) if among(&["int2", "int4", "int8"]) => {
                text.trim().parse().ok().map(Value::Integer)
            }
            (Some("numeric" | "float4" | "float8"), Expr::Int(number)) => Some(Value::Decimal(*number as f64)),
            (Some("numeric" | "float4" | "float8"), Expr::Float(text) | Expr::Str(text)) => text.parse().ok().map(Value::Decimal),
            (Some(kind @ ("int2" | "int4" | "int8" | "numeric" | "float4" | "float8")), Expr::Operator { name, args }) => {
                let [Expr::Int(number)] = args.as_slice() else { return None };
                let integer = kind.starts_with("int");
                (name == "-").then(|| if integer { Value::Integer(-number) } else { Value::Decimal(-(*number as f64)) })
            }
            (Some("text" | "varchar" | "bpchar" | "uuid"), Expr::Str(text)) => Some(Value::Text(text.clone())),
            (Some("date" | "timestamp"), Expr::Str(text)) if among(&["date", "timestamp"]) => {
                time(text).map(|(at, _)| Value::Time(at))
            }
            (Some("timestamptz"), Expr::Str(text)) if among(&["timestamptz"]) => match time(text)? {
                (at, Some(zone)) => Some(Value::ZonedTime(at - zone)),
                (at, None) => Some(Value::Time(at)),
            },
            (Some("date" | "timestamp" | "timestamptz"), _) => None,
            (None, Expr::Str(text)) => Some(Value::Opaque(text.clone())),
            _ => None,
        }
    }
}

fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Null | Expr::Bool(_) | Expr::Int(_) | Expr::Float(_) | Expr::Str(_) | Expr::Bit(_) => true,
        Expr::Cast { expr, .. } => is_constant(expr),
        Expr::Operator { name, args } => name == "-" && matches!(args.as_slice(), [Expr::Int(_) | Expr::Float(_)]),
        _ => false,
    }
}

/// The members of `ARRAY[…]` or of a literal.
fn elements(expr: &Expr) -> Option<Vec<Expr>> {
    match expr {
        Expr::Array(list) => Some(list.clone()),
        Expr::Cast { expr, .. } => elements(expr),
        Expr::Str(text) => {
            let inner = text.strip_prefix('{')?.strip_suffix('}')?;
            let plain = !inner.contains(['"', '{', '\\']);
            plain.then(|| inner.split(',').map(|member| Expr::Str(member.trim().to_owned())).collect())
        }
        _ => None,
    }
}

/// Microseconds since 1970 of an ISO date, with or without a time of day, and the zone's distance from UTC where it names one.
fn time(text: &str) -> Option<(i64, Option<i64>)> {
    const SECOND: i64 = 1_000_000;
    let text = text.trim();
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days from the civil calendar, with years that begin in March.
    let (shifted, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + day - 1 - 719_468;
    let rest = rest.trim_start_matches(['T', ' ']);
    let at = rest.find(['+', '-', 'Z', 'z']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(at);
    let mut micros = 0;
    for (number, unit) in clock.trim().split(':').filter(|part| !part.is_empty()).zip([3600, 60, 1]) {
        micros += (number.parse::<f64>().ok()? * (unit * SECOND) as f64).round() as i64;
    }
    let zone = match zone {
        "" => None,
        "Z" | "z" => Some(0),
        offset => {
            let sign = if offset.starts_with('-') { -1 } else { 1 };
            let mut fields = offset[1..].split(':').map(|field| field.parse::<i64>().ok());
            let hours = fields.next()??;
            let minutes = fields.next().flatten().unwrap_or(0);
            Some(sign * (hours * 3600 + minutes * 60) * SECOND)
        }
    };
    Some((days * 86_400 * SECOND + micros, zone))
}
