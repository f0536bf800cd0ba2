//! What one CHECK expression says about another, and about NULL.

use super::object::{Column, Constraint, ConstraintType, Relation};
use crate::expr::Expr;

/// Names of the columns that an expression, taken as an enforced CHECK, refuses NULL in.
pub fn refuses_null(expr: &Expr) -> Vec<&str> {
    match expr {
        Expr::IsNull { expr, negated: true } => plain_columns(expr),
        Expr::Not(inner) => match inner.as_ref() {
            // NOT (a, b) IS NULL only refuses rows where all are null.
            Expr::IsNull { expr, negated: false } if !matches!(expr.as_ref(), Expr::Row(_)) => plain_columns(expr),
            Expr::IsDistinct { left, right, negated: true } => compared_with_null(left, right),
            _ => Vec::new(),
        },
        Expr::IsDistinct { left, right, negated: false } => compared_with_null(left, right),
        Expr::BooleanTest { expr, test } if matches!(test.as_str(), "true" | "false" | "not unknown") => plain_columns(expr),
        Expr::And(parts) => parts.iter().flat_map(refuses_null).collect(),
        Expr::Or(parts) => {
            let mut sets = parts.iter().map(refuses_null);
            let first = sets.next().unwrap_or_default();
            sets.fold(first, |common, set| common.into_iter().filter(|name| set.contains(name)).collect())
        }
        _ => Vec::new(),
    }
}

pub(super) fn compared_with_null<'a>(left: &'a Expr, right: &'a Expr) -> Vec<&'a str> {
    match (bare(left), bare(right)) {
        (Expr::Null, other) | (other, Expr::Null) => plain_columns(other),
        _ => Vec::new(),
    }
}

pub(super) fn plain_columns(expr: &Expr) -> Vec<&str> {
    match bare(expr) {
        Expr::Column(path) => path.last().map(String::as_str).into_iter().collect(),
        Expr::Row(parts) => parts.iter().flat_map(plain_columns).collect(),
        _ => Vec::new(),
    }
}

/// Columns of the relation in which this constraint refuses NULL, whether the old rows were checked or not.
pub fn not_null_by<'a>(relation: &'a Relation, constraint: &Constraint) -> Vec<&'a Column> {
    if !constraint.enforced {
        return Vec::new();
    }
    match &constraint.kind {
        ConstraintType::Check { expr, .. } => {
            let names = refuses_null(expr);
            relation.columns.iter().filter(|column| names.contains(&column.name.as_str())).collect()
        }
        ConstraintType::NotNull { column } => relation.column_by_id(*column).into_iter().collect(),
        ConstraintType::PrimaryKey { columns, .. } => {
            columns.iter().filter_map(|column| relation.column_by_id(*column)).collect()
        }
        ConstraintType::Unique { .. } | ConstraintType::Exclude { .. } | ConstraintType::ForeignKey { .. } => Vec::new(),
    }
}

/// NULL in this column is already refused, by NOT NULL or by any enforced constraint, NOT VALID ones included: they check every
/// new row.
pub fn already_refuses_null(relation: &Relation, column: &Column) -> bool {
    column.not_null
        || relation.constraints.iter().any(|constraint| not_null_by(relation, constraint).iter().any(|c| c.id == column.id))
}

/// Every row that `old` accepts is accepted by `new`. False where that is not seen.
pub fn implies(old: &Expr, new: &Expr) -> bool {
    if bare(old) == bare(new) {
        return true;
    }
    // The order matters: what is required is taken apart before what is given.
    if let Expr::And(parts) = new {
        return parts.iter().all(|part| implies(old, part));
    }
    if let (Some((old_subject, old_members)), Some((new_subject, new_members))) = (in_list(old), in_list(new))
        && old_subject == new_subject
    {
        return old_members.iter().all(|member| new_members.contains(member));
    }
    if let Expr::Or(parts) = old {
        return parts.iter().all(|part| implies(part, new));
    }
    if let Expr::Or(parts) = new {
        return parts.iter().any(|part| implies(old, part));
    }
    if let Expr::And(parts) = old {
        return parts.iter().any(|part| implies(part, new));
    }
    match (bound(old), bound(new)) {
        (Some(old), Some(new)) => old.subject == new.subject && old.within(&new),
        _ => false,
    }
}

/// `c IN (…)`, `c = ANY (ARRAY[…])`, `c = 'x' OR c = 'y'`: the subject and the values that pass.
pub fn in_list(expr: &Expr) -> Option<(&Expr, Vec<&Expr>)> {
    match bare(expr) {
        Expr::InList { expr, list, negated: false } => Some((bare(expr), list.iter().map(bare).collect())),
        Expr::AnyAll { name, all: false, left, right } if name == "=" => match bare(right) {
            Expr::Array(list) => Some((bare(left), list.iter().map(bare).collect())),
            _ => None,
        },
        Expr::Operator { name, args } if name == "=" => match args.as_slice() {
            [subject, member] if is_constant(bare(member)) => Some((bare(subject), vec![bare(member)])),
            _ => None,
        },
        Expr::Or(parts) => {
            let mut lists = parts.iter().map(in_list);
            let (subject, mut members) = lists.next()??;
            for list in lists {
                let (other, more) = list?;
                if other != subject {
                    return None;
                }
                members.extend(more);
            }
            Some((subject, members))
        }
        _ => None,
    }
}

/// The values that the old list lets pass and the new one refuses; `None` where these are not two lists about one subject.
pub fn narrowed<'a>(old: &'a Expr, new: &Expr) -> Option<Vec<&'a Expr>> {
    let (old_subject, old_members) = in_list(old)?;
    let (new_subject, new_members) = in_list(new)?;
    (old_subject == new_subject).then(|| old_members.into_iter().filter(|member| !new_members.contains(member)).collect())
}

fn is_constant(expr: &Expr) -> bool {
    matches!(expr, Expr::Null | Expr::Bool(_) | Expr::Int(_) | Expr::Float(_) | Expr::Str(_) | Expr::Bit(_))
}

/// Below casts and collations, which the server adds and people leave out.
pub fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Cast { expr, .. } | Expr::Collate { expr, .. } => bare(expr),
        _ => expr,
    }
}

/// `subject < limit` and kin.
struct Bound<'a> {
    subject: &'a Expr,
    upper: bool,
    inclusive: bool,
    limit: f64,
}

impl Bound<'_> {
    fn within(&self, wider: &Bound<'_>) -> bool {
        if self.upper != wider.upper {
            return false;
        }
        let inside = if self.upper { self.limit < wider.limit } else { self.limit > wider.limit };
        inside || (self.limit == wider.limit && (wider.inclusive || !self.inclusive))
    }
}

fn bound(expr: &Expr) -> Option<Bound<'_>> {
    let Expr::Operator { name, args } = bare(expr) else { return None };
    let [left, right] = args.as_slice() else { return None };
    let (upper, inclusive) = match name.as_str() {
        "<" => (true, false),
        "<=" => (true, true),
        ">" => (false, false),
        ">=" => (false, true),
        _ => return None,
    };
    match (number(right), number(left)) {
        (Some(limit), None) => Some(Bound { subject: bare(left), upper, inclusive, limit }),
        (None, Some(limit)) => Some(Bound { subject: bare(right), upper: !upper, inclusive, limit }),
        _ => None,
    }
}

fn number(expr: &Expr) -> Option<f64> {
    match bare(expr) {
        Expr::Int(value) => Some(*value as f64),
        Expr::Float(text) => text.parse().ok(),
        Expr::Operator { name, args } if name == "-" && args.len() == 1 => number(&args[0]).map(|value| -value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str) -> Expr {
        Expr::Column(vec![name.into()])
    }
    fn members(values: &[&str]) -> Expr {
        let list = values.iter().map(|value| Expr::Str((*value).into())).collect();
        Expr::InList { expr: Box::new(column("c")), list, negated: false }
    }
    fn at_most(limit: i64) -> Expr {
        Expr::Operator { name: "<=".into(), args: vec![column("c"), Expr::Int(limit)] }
    }

    #[test]
    fn a_longer_list_is_implied_and_a_shorter_one_is_not() {
        assert!(implies(&members(&["a"]), &members(&["a", "b"])));
        assert!(!implies(&members(&["a", "b"]), &members(&["a"])));
        let (old, new) = (members(&["a", "b"]), members(&["a"]));
        assert_eq!(narrowed(&old, &new), Some(vec![&Expr::Str("b".into())]));
    }

    #[test]
    fn a_looser_bound_is_implied_and_a_tighter_one_is_not() {
        assert!(implies(&at_most(10), &at_most(20)));
        assert!(!implies(&at_most(20), &at_most(10)));
    }

    #[test]
    fn not_null_is_seen_through_and_but_not_through_or() {
        let not_null = |name: &str| Expr::IsNull { expr: Box::new(column(name)), negated: true };
        assert_eq!(refuses_null(&Expr::And(vec![not_null("a"), at_most(1)])), ["a"]);
        assert!(refuses_null(&Expr::Or(vec![not_null("a"), not_null("b")])).is_empty());
        assert!(refuses_null(&at_most(1)).is_empty());
    }
}
