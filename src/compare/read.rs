//! A JSON report, read again. Fields that are new to us are left alone.

use crate::finding::Level;
use serde::Deserialize;
use std::path::Path;

/// The version of the form that is read.
const VERSION: u64 = 1;

/// What of a report is compared.
#[derive(Debug, Deserialize)]
pub struct ReadReport {
    pub tool: ReadTool,
    pub histories: Vec<ReadHistory>,
    pub migrations: Vec<ReadMigration>,
    pub findings: Vec<ReadFinding>,
    #[serde(default)]
    pub evidence: Vec<ReadEvidence>,
}

#[derive(Debug, Deserialize)]
pub struct ReadTool {
    pub version: String,
}

#[derive(Debug, Deserialize)]
pub struct ReadHistory {
    pub path: String,
}

#[derive(Debug, Deserialize)]
pub struct ReadMigration {
    pub id: String,
    pub path: String,
    pub statements: Vec<ReadStatement>,
}

#[derive(Debug, Deserialize)]
pub struct ReadStatement {
    pub index: usize,
    pub line: usize,
    pub blocking: bool,
    pub locks: Vec<ReadLock>,
    pub rewrites: Vec<String>,
    pub scans: Vec<String>,
    pub index_builds: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub struct ReadLock {
    pub relation: String,
    pub mode: String,
}

#[derive(Debug, Deserialize)]
pub struct ReadFinding {
    pub rule: String,
    pub family: Option<String>,
    pub level: Level,
    pub path: String,
    pub migration: String,
    pub statement: Option<usize>,
    pub line: usize,
    pub column: usize,
    pub message: String,
    pub help: String,
    pub fingerprint: String,
    pub suppressed: Option<serde::de::IgnoredAny>,
}

impl ReadFinding {
    /// As for [`crate::report::model::FindingEntry::counts`].
    pub fn counts(&self) -> bool {
        self.suppressed.is_none() && self.level > Level::Off
    }
}

#[derive(Debug, Deserialize)]
pub struct ReadEvidence {
    pub history: String,
    pub proofs: Vec<ReadProof>,
}

#[derive(Debug, Deserialize)]
pub struct ReadProof {
    pub proof: String,
    pub outcome: String,
}

/// Why a file cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{path}: cannot be read: {source}")]
    Unreadable { path: String, source: std::io::Error },
    #[error("{path}: is no report of `phasegate check --format json`: {why}")]
    NoReport { path: String, why: String },
    #[error(
        "{path}: is a report of version {version}; this phasegate compares version {VERSION}: write both with the same phasegate"
    )]
    Version { path: String, version: String },
}

impl ReadReport {
    /// Reads a report.
    pub fn read(path: &Path) -> Result<ReadReport, ReadError> {
        let shown = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|source| ReadError::Unreadable { path: shown.clone(), source })?;
        Self::parse(&shown, &bytes)
    }

    fn parse(path: &str, bytes: &[u8]) -> Result<ReadReport, ReadError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: serde_json::Value,
        }
        let no_report = |error: serde_json::Error| ReadError::NoReport { path: path.to_owned(), why: error.to_string() };
        // PowerShell's `>` writes a byte order mark.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let Versioned { version } = serde_json::from_slice(bytes).map_err(no_report)?;
        if version.as_u64() != Some(VERSION) {
            return Err(ReadError::Version { path: path.to_owned(), version: version.to_string() });
        }
        serde_json::from_slice(bytes).map_err(no_report)
    }
}
