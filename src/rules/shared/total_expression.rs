//! Expressions that give a value for every row, and those that may raise an error.

use crate::expr::{Call, Expr};

/// True where no value of a column makes the expression fail. What is not known to be harmless may fail.
pub fn cannot_fail(expr: &Expr) -> bool {
    match expr {
        Expr::Null
        | Expr::Bool(_)
        | Expr::Int(_)
        | Expr::Float(_)
        | Expr::Str(_)
        | Expr::Bit(_)
        | Expr::Column(_)
        | Expr::SqlValue(_) => true,
        Expr::Cast { expr, to } => {
            let constant = matches!(expr.as_ref(), Expr::Int(_) | Expr::Float(_) | Expr::Str(_) | Expr::Bool(_) | Expr::Null);
            // Everything has a text; a limited varchar cuts silently when cast explicitly.
            (constant || (to.array_dims == 0 && matches!(to.name.name.as_str(), "text" | "varchar"))) && cannot_fail(expr)
        }
        Expr::Call(call) => harmless(call) && call.args.iter().all(cannot_fail),
        // A constant pattern that does not compile fails at once, not later for a row.
        Expr::Operator { name, args } if matches!(name.as_str(), "~" | "!~" | "~*" | "!~*") => {
            args.first().is_some_and(cannot_fail) && matches!(args.get(1), Some(Expr::Str(_)))
        }
        Expr::Operator { name, args } => HARMLESS_OPERATORS.contains(&name.as_str()) && args.iter().all(cannot_fail),
        Expr::And(list) | Expr::Or(list) | Expr::Coalesce(list) | Expr::Row(list) | Expr::Array(list) => {
            list.iter().all(cannot_fail)
        }
        Expr::MinMax { args, .. } => args.iter().all(cannot_fail),
        Expr::Not(expr) | Expr::IsNull { expr, .. } | Expr::BooleanTest { expr, .. } | Expr::Collate { expr, .. } => {
            cannot_fail(expr)
        }
        Expr::InList { expr, list, .. } => cannot_fail(expr) && list.iter().all(cannot_fail),
        Expr::Between { expr, low, high, .. } => cannot_fail(expr) && cannot_fail(low) && cannot_fail(high),
        Expr::IsDistinct { left, right, .. } | Expr::NullIf { left, right } => cannot_fail(left) && cannot_fail(right),
        Expr::Case { operand, arms, otherwise } => {
            operand.as_deref().is_none_or(cannot_fail)
                && arms.iter().all(|(when, then)| cannot_fail(when) && cannot_fail(then))
                && otherwise.as_deref().is_none_or(cannot_fail)
        }
        Expr::Like { left, right, .. } => cannot_fail(left) && matches!(right.as_ref(), Expr::Str(_)),
        Expr::AnyAll { left, right, .. } => cannot_fail(left) && cannot_fail(right),
        Expr::Star(_)
        | Expr::Param(_)
        | Expr::Exists(_)
        | Expr::Scalar(_)
        | Expr::ArrayQuery(_)
        | Expr::QueryTest { .. }
        | Expr::Subscript { .. }
        | Expr::Field { .. }
        | Expr::AtTimeZone { .. }
        | Expr::Other { .. } => false,
    }
}

/// Comparison, concatenation and the JSON operators that give NULL for what is not there.
const HARMLESS_OPERATORS: &[&str] =
    &["=", "<>", "<", "<=", ">", ">=", "||", "->", "->>", "#>", "#>>", "?", "?|", "?&", "@>", "<@", "&&"];

fn harmless(call: &Call) -> bool {
    const NAMES: &[&str] = &[
        "lower",
        "upper",
        "length",
        "char_length",
        "octet_length",
        "btrim",
        "ltrim",
        "rtrim",
        "md5",
        "coalesce",
        "concat",
        "concat_ws",
        "reverse",
        "initcap",
        "left",
        "right",
        "jsonb_typeof",
        "json_typeof",
        "cardinality",
        "array_length",
        "hashtext",
        "sha256",
        "starts_with",
        "quote_literal",
        "quote_ident",
        "to_tsvector",
        "jsonb_to_tsvector",
        "date_trunc",
        "row_to_json",
        "to_jsonb",
        "to_json",
        "array_to_string",
        "jsonb_extract_path",
        "jsonb_extract_path_text",
    ];
    matches!(call.name.schema.as_deref(), None | Some("pg_catalog")) && NAMES.contains(&call.name.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{ObjectName, TypeRef};

    #[test]
    fn a_cast_to_a_number_may_fail_and_a_cast_to_text_may_not() {
        let cast = |name: &str| Expr::Cast {
            expr: Box::new(Expr::Column(vec!["c".into()])),
            to: TypeRef {
                name: ObjectName::bare(name),
                typmods: Vec::new(),
                modifier_words: Vec::new(),
                array_dims: 0,
                setof: false,
                percent_type: false,
            },
        };
        assert!(!cannot_fail(&cast("int4")));
        assert!(cannot_fail(&cast("text")));
    }
}
