//! Versions: what a runner orders its steps by, and tells them apart with.

use crate::source::name::{compare_numbers, leading_version, version_parts};
use std::cmp::Ordering;

/// The version of a step. Of one layout all versions are of one kind; should a directory mix them, numbers come first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// Numbers of any length, compared part by part. A missing part is 0, so that `1` equals `1.0`.
    Numbers(Vec<Number>),
    /// By its number, and of one number by its whole name, bytewise: two steps may share the number.
    Named(Number, String),
    /// Compared bytewise.
    Text(String),
}

/// A number without leading zeros, of any length.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number(String);

impl Version {
    /// One number, as its digits are written: `0002`.
    pub fn number(digits: &str) -> Version {
        Version::of_parts(vec![Number::new(digits)])
    }

    /// The numbers of a version that joins them with `.`, `_` or `-`: `1.10`, `2024_01_31`.
    pub fn numbers(version: &str) -> Version {
        Version::of_parts(version_parts(version).into_iter().map(Number::new).collect())
    }

    /// The number that a name begins with, and the name, which is what the runner records.
    pub fn named(digits: &str, name: impl Into<String>) -> Version {
        Version::Named(Number::new(digits), name.into())
    }

    /// A version that is compared as it is written.
    pub fn text(version: impl Into<String>) -> Version {
        Version::Text(version.into())
    }

    /// The number of a version that is a single one and fits, so that gaps can be counted.
    pub fn single(&self) -> Option<u64> {
        match self {
            Version::Numbers(parts) => match parts.as_slice() {
                [] => Some(0),
                [only] => only.0.parse().ok(),
                _ => None,
            },
            Version::Named(number, _) if number.0.is_empty() => Some(0),
            Version::Named(number, _) => number.0.parse().ok(),
            Version::Text(_) => None,
        }
    }

    /// The numbers that it is made of, or begins with, without leading zeros.
    pub fn digits(&self) -> Vec<&str> {
        match self {
            Version::Numbers(parts) if parts.is_empty() => vec![""],
            Version::Numbers(parts) => parts.iter().map(|part| part.0.as_str()).collect(),
            Version::Named(number, _) => vec![&number.0],
            Version::Text(text) => {
                let parts = leading_version(text).map(version_parts).unwrap_or_default();
                parts.into_iter().map(|part| part.trim_start_matches('0')).collect()
            }
        }
    }

    fn of_parts(mut parts: Vec<Number>) -> Version {
        while parts.last().is_some_and(|part| part.0.is_empty()) {
            parts.pop();
        }
        Version::Numbers(parts)
    }
}

impl Number {
    fn new(digits: &str) -> Number {
        Number(digits.trim_start_matches('0').to_string())
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_numbers(&self.0, &other.0)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_order_as_numbers_and_a_missing_part_is_zero() {
        assert!(Version::number("9") < Version::number("1000"));
        assert_eq!(Version::number("0009"), Version::number("9"));
        assert!(Version::numbers("1_9") < Version::numbers("1.10"));
        assert_eq!(Version::numbers("1"), Version::numbers("1.0.0"));
        assert!(Version::numbers("1") < Version::numbers("1.0.1"));
        assert!(Version::text("10") < Version::text("9"));
        assert!(Version::named("9", "9-b") < Version::named("010", "010-a"));
        assert!(Version::named("9", "09-b") < Version::named("09", "9-a"));
        assert!(Version::named("99", "99") < Version::text("10"));
    }

    #[test]
    fn only_a_single_number_can_be_counted() {
        assert_eq!(Version::number("0012").single(), Some(12));
        assert_eq!(Version::number("000").single(), Some(0));
        assert_eq!(Version::named("0012", "0012-a.sql").single(), Some(12));
        assert_eq!(Version::named("0", "0.sql").single(), Some(0));
        assert_eq!(Version::numbers("1.2").single(), None);
        assert_eq!(Version::number("99999999999999999999999").single(), None);
        assert_eq!(Version::text("12").single(), None);
    }
}
