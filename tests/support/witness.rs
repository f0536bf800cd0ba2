//! Witnesses of locks and of statements that run alone, read. Their form is described in src/versions/locks.rs.

use crate::tables;

/// What is there and committed, and the forms that run on it.
pub struct Given {
    /// The first version that it can be made on.
    #[allow(dead_code, reason = "not every test that has this module asks")]
    pub since: u16,
    pub sql: String,
    pub forms: Vec<Witness>,
}

pub struct Witness {
    pub name: String,
    /// Cannot run in a transaction.
    #[allow(dead_code, reason = "not every test that has this module asks")]
    pub alone: bool,
    /// Each of them by itself takes the locks of the form.
    pub statements: Vec<String>,
}

/// The witnesses of these files of src/versions, in order.
pub fn read_all(files: &[&str]) -> Vec<Given> {
    files.iter().flat_map(|file| read(&tables::read(&format!("versions/{file}.sql")))).collect()
}

fn read(text: &str) -> Vec<Given> {
    let (_, text) = text.split_once("\n-- given").unwrap();
    text.split("\n-- given").map(given).collect()
}

fn given(text: &str) -> Given {
    let (since, rest) = text.split_once('\n').unwrap();
    let since = since.strip_prefix(" from ").map_or(15, |version| version.parse().unwrap());
    let mut parts = rest.split("-- form ");
    let sql = parts.next().unwrap().to_owned();
    Given { since, sql, forms: parts.map(witness).collect() }
}

fn witness(text: &str) -> Witness {
    let (head, rest) = text.split_once('\n').unwrap();
    let (name, alone) = head.strip_suffix(", alone").map_or((head, false), |name| (name, true));
    // A comment may stand before the next `-- given`.
    let sql: String = rest.lines().filter(|line| !line.starts_with("--")).map(|line| format!("{line}\n")).collect();
    let statements: Vec<String> = sql.split(";\n").map(str::trim).filter(|sql| !sql.is_empty()).map(str::to_owned).collect();
    assert!(!statements.is_empty(), "{name}: no statement");
    Witness { name: name.into(), alone, statements }
}
