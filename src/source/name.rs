//! File names: versions and their order, directions, other databases.
//!
//! Digits order as numbers of any length, everything else bytewise, never by locale.

use std::cmp::Ordering;

/// Which way a file runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
}

/// The digits that `name` begins with, and what follows. `None` where it begins with none.
pub fn leading_digits(name: &str) -> Option<(&str, &str)> {
    let end = name.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(name.len());
    (end > 0).then(|| name.split_at(end))
}

/// Takes `.up` or `.down` off the end of a name.
pub fn split_direction(stem: &str) -> (&str, Option<Direction>) {
    if let Some(rest) = stem.strip_suffix(".up") {
        (rest, Some(Direction::Up))
    } else if let Some(rest) = stem.strip_suffix(".down") {
        (rest, Some(Direction::Down))
    } else {
        (stem, None)
    }
}

/// Orders runs of digits as numbers, without a limit to their length: `9` before `10`, `01` equal to `1`.
pub fn compare_numbers(left: &str, right: &str) -> Ordering {
    let left = left.trim_start_matches('0');
    let right = right.trim_start_matches('0');
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// The version that a plain name begins with: numbers joined by `.` or `-`, and by `_` after what looks like a year or a date,
/// as in `2024_01_31_120000_create`. A number that runs into letters (`2fa`) is no part of it.
pub fn leading_version(name: &str) -> Option<&str> {
    let (first, _) = leading_digits(name)?;
    let dated = matches!(first.len(), 4 | 8) && (first.starts_with("19") || first.starts_with("20"));
    let mut end = first.len();
    loop {
        let rest = &name[end..];
        let joined = rest.starts_with(['.', '-']) || (dated && rest.starts_with('_'));
        let Some((digits, after)) = rest.get(1..).and_then(leading_digits).filter(|_| joined) else { break };
        if after.starts_with(|c: char| c.is_alphanumeric()) {
            break;
        }
        end += 1 + digits.len();
    }
    Some(&name[..end])
}

/// The numbers of a version.
pub fn version_parts(version: &str) -> Vec<&str> {
    version.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).collect()
}

/// True for names that end in `.sql`, and for copies and variants of such files: `x.SQL`, `x.sql~`, `x.sql.bak`.
pub fn looks_like_sql(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.find(".sql").is_some_and(|at| !lower[at + 4..].starts_with(|c: char| c.is_ascii_alphanumeric()))
        && !lower.ends_with(".sql.conf")
}

/// The other database that a file name says it is for, as in `0001_x.mysql.up.sql`.
pub fn other_database(name: &str) -> Option<&'static str> {
    name.split('.').skip(1).find_map(|word| database(word).filter(|&d| d != POSTGRESQL))
}

/// A file name without the databases it names: `0001_x.up.sql` of `0001_x.mysql.up.sql`.
pub fn without_database(name: &str) -> String {
    let (first, rest) = name.split_once('.').unwrap_or((name, ""));
    let rest = rest.split('.').filter(|word| database(word).is_none());
    std::iter::once(first).chain(rest).collect::<Vec<_>>().join(".")
}

/// The other database that a directory is for, by the last of its names that speaks of one: `db/migration_sqlite`.
pub fn other_database_of_directory(path: &str) -> Option<&'static str> {
    path.split(|c: char| !c.is_ascii_alphanumeric()).rev().find_map(database).filter(|&d| d != POSTGRESQL)
}

const POSTGRESQL: &str = "PostgreSQL";

/// True for a word that names PostgreSQL: `postgres`, `pg`.
pub fn is_postgresql(word: &str) -> bool {
    database(word) == Some(POSTGRESQL)
}

fn database(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "postgres" | "postgresql" | "pg" | "pgsql" | "psql" => POSTGRESQL,
        "mysql" => "MySQL",
        "mariadb" => "MariaDB",
        "sqlite" | "sqlite3" | "turso" | "libsql" => "SQLite",
        "mssql" | "sqlserver" => "SQL Server",
        "oracle" => "Oracle",
        "h2" => "H2",
        "hsqldb" => "HSQLDB",
        "db2" => "DB2",
        "clickhouse" => "ClickHouse",
        "cockroach" | "cockroachdb" | "crdb" => "CockroachDB",
        "spanner" => "Spanner",
        "ydb" => "YDB",
        "starrocks" => "StarRocks",
        "cassandra" => "Cassandra",
        "redshift" => "Redshift",
        "snowflake" => "Snowflake",
        "vertica" => "Vertica",
        "duckdb" => "DuckDB",
        _ => return None,
    })
}

/// Steps from `left` to `right` by inserting, deleting or replacing one character.
pub fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(l != *r);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

/// The one of `known` that is nearest to `word` and at most two edits away.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    known.into_iter().map(|k| (edit_distance(&word, k), k)).filter(|(d, _)| *d <= 2).min_by_key(|(d, _)| *d).map(|(_, k)| k)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_order_as_numbers_of_any_length() {
        assert_eq!(compare_numbers("9", "10"), Ordering::Less);
        assert_eq!(compare_numbers("0009", "9"), Ordering::Equal);
        assert_eq!(compare_numbers("99999999999999999999999999", "100000000000000000000000000"), Ordering::Less);
    }

    #[test]
    fn a_plain_version_is_a_number_a_date_or_a_timestamp() {
        let versions = [
            ("0002_drop.sql", "0002"),
            ("01-init.sql", "01"),
            ("2024-01-31-x.sql", "2024-01-31"),
            ("2024_01_31_120000_create.sql", "2024_01_31_120000"),
            ("003_2024_report.sql", "003"),
            ("007_2fa.sql", "007"),
            ("1.10.sql", "1.10"),
            ("1-2fa.sql", "1"),
            ("20240131120000.sql", "20240131120000"),
        ];
        for (name, version) in versions {
            assert_eq!(leading_version(name), Some(version), "{name}");
        }
        assert_eq!(leading_version("schema.sql"), None);
        assert_eq!(leading_version("٣_x.sql"), None);
    }

    #[test]
    fn copies_of_sql_files_are_seen_and_other_files_are_not() {
        for name in ["a.sql", "a.SQL", "a.sql~", "a.sql.bak", ".#a.sql", "a .sql"] {
            assert!(looks_like_sql(name), "{name}");
        }
        for name in ["a.sqlite", "a.sqlx", "README.md", "V1__x.sql.conf", "sql"] {
            assert!(!looks_like_sql(name), "{name}");
        }
    }

    #[test]
    fn other_databases_are_read_from_words_never_from_parts_of_words() {
        assert_eq!(other_database("0001_x.mysql.up.sql"), Some("MySQL"));
        assert_eq!(other_database("0001_mysql_fdw.up.sql"), None);
        assert_eq!(other_database("0001_x.postgres.up.sql"), None);
        assert_eq!(without_database("0001_x.postgres.up.sql"), "0001_x.up.sql");
        assert_eq!(without_database("mysql.b.sql"), "mysql.b.sql");
        assert_eq!(other_database_of_directory("db/migration_sqlite"), Some("SQLite"));
        assert_eq!(other_database_of_directory("mysql-to-postgres/migrations"), None);
        assert_eq!(other_database_of_directory("db/migrations"), None);
    }

    #[test]
    fn two_edits_are_near_and_three_are_not() {
        assert_eq!(nearest("contarct", ["contract", "expand"]), Some("contract"));
        assert_eq!(nearest("export", ["contract", "expand"]), None);
        assert_eq!(edit_distance("", "abc"), 3);
    }
}
