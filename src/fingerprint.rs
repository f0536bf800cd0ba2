//! Fingerprints: the same finding has the same one when lines move, blanks or comments change, or the checkout lies elsewhere.

use crate::check::CheckedHistory;
use crate::finding::Finding;
use crate::op::Span;
use crate::source::{SourceFile, in_repository};
use crate::sql::lex;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::HashMap;

/// Gives every finding its fingerprint. They must come in the report's order: equal ones are numbered by it. `others` are files
/// that findings are about besides those of the histories.
pub fn assign<'a>(
    histories: &[CheckedHistory],
    others: impl IntoIterator<Item = &'a SourceFile>,
    findings: impl IntoIterator<Item = &'a mut Finding>,
) {
    let mut files: HashMap<&str, &SourceFile> = others.into_iter().map(|file| (file.path.as_str(), file)).collect();
    let mut statements: HashMap<(&str, &str, usize), Span> = HashMap::new();
    for (migration, facts) in histories.iter().flat_map(|one| one.history.migrations.iter().zip(&one.units)) {
        let path = migration.file.path.as_str();
        files.insert(path, &migration.file);
        statements.extend(facts.iter().map(|facts| ((path, migration.id.as_str(), facts.index), facts.span)));
    }
    let mut fingerprints = Fingerprints::default();
    for finding in findings {
        finding.fingerprint = match files.get(finding.path.as_str()) {
            None => fingerprints.next(&in_repository(&finding.path), finding.rule, ""),
            Some(file) => {
                // Over the whole statement, so that a finding about a part of it keeps its fingerprint when the part is described
                // better.
                let key = finding.statement.map(|index| (finding.path.as_str(), finding.migration.as_str(), index));
                let span = key.and_then(|key| statements.get(&key)).copied().unwrap_or(finding.span);
                fingerprints.next(&file.repo_path, finding.rule, &text(file, span))
            }
        };
    }
}

/// The text of a span; what is no UTF-8 is replaced.
fn text(file: &SourceFile, span: Span) -> Cow<'_, str> {
    let end = span.end.min(file.bytes.len());
    String::from_utf8_lossy(&file.bytes[span.start.min(end)..end])
}

/// Gives out fingerprints in order.
#[derive(Debug, Default)]
struct Fingerprints {
    seen: HashMap<[u8; 32], u64>,
}

impl Fingerprints {
    /// 32 hexadecimal digits over the path below the repository root, the rule, the normalised statement and its ordinal among
    /// findings that are equal in these three.
    fn next(&mut self, repo_path: &str, rule: &str, statement: &str) -> String {
        let mut hash = Sha256::new();
        for part in [repo_path, rule, &lex::normalise(statement)] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let same: [u8; 32] = hash.finalize().into();
        let ordinal = self.seen.entry(same).or_insert(0);
        let digest: [u8; 32] = Sha256::new().chain_update(same).chain_update(ordinal.to_be_bytes()).finalize().into();
        *ordinal += 1;
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_comments_and_case_do_not_matter_but_strings_and_quoted_names_do() {
        assert_eq!(lex::normalise("ALTER  TABLE\n/* x */ Users -- y\nDROP name"), lex::normalise("alter table users drop NAME"));
        assert_ne!(lex::normalise("DROP TABLE \"Users\""), lex::normalise("DROP TABLE \"users\""));
        assert_ne!(lex::normalise("SELECT 'a  b'"), lex::normalise("SELECT 'a b'"));
    }

    #[test]
    fn equal_findings_are_numbered_and_parts_do_not_run_into_each_other() {
        let mut fingerprints = Fingerprints::default();
        let first = fingerprints.next("a.sql", "drop-column", "SELECT 1");
        let second = fingerprints.next("a.sql", "drop-column", "select   1");
        assert_eq!(first.len(), 32);
        assert_ne!(first, second);
        assert_eq!(Fingerprints::default().next("a.sql", "drop-column", "SELECT /**/ 1"), first);
        assert_ne!(Fingerprints::default().next("a.sqld", "rop-column", "SELECT 1"), first);
    }

    #[test]
    fn a_fingerprint_is_the_same_in_every_version_of_the_tool() {
        let known = Fingerprints::default().next("db/0002_drop.sql", "drop-column", "ALTER TABLE users DROP COLUMN name");
        assert_eq!(known, "2b9b2a83c8b2ce6672ef869faa344465");
    }
}
