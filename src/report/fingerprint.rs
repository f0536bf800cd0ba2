//! Fingerprints: the same finding has the same one when lines move, blanks or comments change, or the checkout lies elsewhere.

use crate::sql::lex;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Gives out fingerprints of one report. Findings must come in the report's order: equal ones are numbered by it.
#[derive(Debug, Default)]
pub struct Fingerprints {
    seen: HashMap<[u8; 32], u64>,
}

impl Fingerprints {
    /// 32 hexadecimal digits over the path below the repository root, the rule, the normalised statement and its ordinal among
    /// findings that are equal in these three.
    pub fn next(&mut self, repo_path: &str, rule: &str, statement: &str) -> String {
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
