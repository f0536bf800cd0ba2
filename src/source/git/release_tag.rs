//! Tags of releases, and which of them is the newest.

use std::cmp::Ordering;

/// Orders the names of tags by version: runs of digits as numbers (`v1.9` before `v1.10`), everything else bytewise; a name that
/// goes on with `-` is before the one that ends there (`v2.0-rc.1` before `v2.0`), as semantic versioning has it.
pub fn compare(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left, right);
    loop {
        match (next(left), next(right)) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return if right.starts_with('-') { Ordering::Greater } else { Ordering::Less },
            (Some(_), None) => return if left.starts_with('-') { Ordering::Less } else { Ordering::Greater },
            (Some((a, left_rest)), Some((b, right_rest))) => {
                let is_number = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
                let ordering = match (is_number(a), is_number(b)) {
                    (true, true) => crate::source::name::compare_numbers(a, b),
                    // `v1-rc` and `v1.1`: the shorter version goes on as a pre-release.
                    _ if a == "-" && b != "-" => Ordering::Less,
                    _ if b == "-" && a != "-" => Ordering::Greater,
                    _ => a.cmp(b),
                };
                if ordering != Ordering::Equal {
                    return ordering;
                }
                (left, right) = (left_rest, right_rest);
            }
        }
    }
}

/// A run of digits, or one other character, and what follows.
fn next(name: &str) -> Option<(&str, &str)> {
    let first = name.chars().next()?;
    let end = if first.is_ascii_digit() {
        name.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(name.len())
    } else {
        first.len_utf8()
    };
    Some(name.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::compare;

    #[test]
    fn tags_are_ordered_as_versions() {
        let ordered = ["release-1", "v0.9", "v1.2-rc.2", "v1.2-rc.10", "v1.2", "v1.2.0", "v1.2.1", "v1.10", "v2", "v010"];
        for (at, left) in ordered.iter().enumerate() {
            for right in &ordered[at + 1..] {
                assert!(compare(left, right).is_lt() && compare(right, left).is_gt(), "{left} {right}");
            }
        }
        assert!(compare("v1", "v01").is_eq());
    }
}
