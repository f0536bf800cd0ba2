use super::{Check, Family, HistoryContext, Rule};
use crate::finding::{Finding, Level};
use std::collections::BTreeSet;

pub const RULE: Rule = Rule { id: "release-in-name", family: Family::History, level: Level::Off, check: Check::History(check) };

fn check(cx: &HistoryContext<'_>, findings: &mut Vec<Finding>) {
    if matches!(cx.history.layout.as_str(), "version-directories" | "sqitch") {
        // Their runners' own names hold versions.
        return;
    }
    let mut files = BTreeSet::new();
    for (_, unit) in cx.pending().filter(|(_, unit)| files.insert(unit.file.path.as_str())) {
        let Some(release) = release(described(&unit.file.path)) else { continue };
        findings.push(cx.finding(
            RULE.id,
            Level::Off,
            unit,
            format!("the name of this file says `{release}`: which release it will be part of is decided later than its name"),
            "name it for what it does; phasegate knows from tags and manifests what is released".into(),
        ));
    }
}

/// What a name says behind its version: of the directory where the file is only `up.sql`.
fn described(path: &str) -> &str {
    let mut parts = path.rsplit('/');
    let file = parts.next().unwrap_or(path);
    let name = if matches!(file, "up.sql" | "migration.sql") { parts.next().unwrap_or(file) } else { file };
    let name = name.strip_suffix(".sql").unwrap_or(name);
    let numbered = name.strip_prefix(['V', 'U', 'R', 'B']).unwrap_or(name);
    let described = numbered.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '_' | '-'));
    // Without a number in front the letter belongs to the word.
    if described.len() < numbered.len() { described } else { name }
}

/// `v1_2`, `v1.4.0`, `release-1.2`, `1.4.0`: the version of a release, where one stands in a name as a word of its own.
fn release(name: &str) -> Option<&str> {
    let lower = name.to_ascii_lowercase();
    let starts = lower.char_indices().map(|(at, _)| at).filter(|at| {
        let before = lower[..*at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !(c == '.' && lower[*at..].starts_with(|c: char| c.is_ascii_digit())))
    });
    for start in starts {
        let rest = &lower[start..];
        let (word, least) = ["version", "ver", "v", "release", "rel", ""]
            .iter()
            .find_map(|word| rest.strip_prefix(word).map(|_| (*word, if word.starts_with("rel") { 1 } else { 2 + usize::from(word.is_empty()) })))
            .unwrap_or(("", 3));
        let number = if word.len() > 1 { rest[word.len()..].trim_start_matches(['-', '_', '.', ' ']) } else { &rest[word.len()..] };
        let Some((length, parts, only_dots)) = numbers(number) else { continue };
        let is_version = parts >= least && (!word.is_empty() || only_dots);
        let end = lower.len() - number.len() + length;
        if is_version && !lower[end..].starts_with(char::is_alphanumeric) {
            return Some(&name[start..end]);
        }
    }
    None
}

/// Numbers of at most three digits that are joined by `.`, `_` or `-`: their length, how many, and whether all joints are dots.
fn numbers(text: &str) -> Option<(usize, usize, bool)> {
    const LONGEST: usize = 3;
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut end = digits(0);
    let (mut parts, mut only_dots) = (1, true);
    if end == 0 || end > LONGEST {
        return None;
    }
    while let Some(joint) = text[end..].chars().next().filter(|c| matches!(c, '.' | '_' | '-')) {
        let more = digits(end + 1);
        if more == 0 || more > LONGEST {
            break;
        }
        only_dots &= joint == '.';
        parts += 1;
        end += 1 + more;
    }
    Some((end, parts, only_dots))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_releases_are_seen_in_names() {
        for (path, found) in [
            ("db/0012_v1_2_add.up.sql", Some("v1_2")),
            ("db/0012_add_v1.4.0.sql", Some("v1.4.0")),
            ("db/0012_Release-1.2.sql", Some("Release-1.2")),
            ("db/0012_release_7.sql", Some("release_7")),
            ("db/0012_upgrade 1.4.0.sql", Some("1.4.0")),
            ("db/V3__version_2_0.sql", Some("version_2_0")),
            ("db/20240101_v2-1/up.sql", Some("v2-1")),
        ] {
            assert_eq!(release(described(path)), found, "{path}");
        }
    }

    #[test]
    fn the_layouts_own_version_and_other_numbers_are_none() {
        for path in [
            "db/V1_2__add.sql",
            "db/V1.4.0__add.sql",
            "db/1.10.sql",
            "db/0012_ipv4_2.sql",
            "db/0012_add_v2_api.sql",
            "db/0012_oauth2_1.sql",
            "db/0012_v2_20240101.sql",
            "db/0012_sha256_1.sql",
            "db/0012_relax_1.sql",
            "db/0012_2fa.sql",
            "db/0012_add_3_columns.sql",
            "db/2024-01-31_add.sql",
            "db/0012_iso_639_1.sql",
        ] {
            assert_eq!(release(described(path)), None, "{path}");
        }
    }
}
