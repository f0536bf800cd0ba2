//! What is in force, with where each value comes from: what the resolver makes and the plan hands out.

use super::Settings;
use super::error::Place;
use crate::versions::PostgresVersions;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What the command line says about settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flags {
    /// `--layout`
    pub layout: Option<String>,
    /// `--postgres`
    pub postgres: Option<PostgresVersions>,
    /// `--schema`, relative to the working directory.
    pub schema_dump: Option<PathBuf>,
    /// `--baseline`, relative to the working directory.
    pub baseline: Option<PathBuf>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    /// A line, from 1, of a configuration.
    File {
        path: String,
        line: usize,
    },
    /// A flag of the command line: `--layout`.
    Flag(&'static str),
}

/// Where each value comes from, by key as in the file (`rules.drop-check`). What is not here is as by default.
pub type Origins = BTreeMap<String, Origin>;

/// What is in force, and where it comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resolved {
    pub settings: Settings,
    pub origins: Origins,
}

/// A whole file, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Configuration {
    /// For what no history covers.
    pub top: Resolved,
    pub histories: Vec<ResolvedHistory>,
}

/// One `[[histories]]`, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedHistory {
    pub name: Option<String>,
    /// At least one.
    pub paths: Vec<WrittenPath>,
    pub resolved: Resolved,
}

/// A path, relative to the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenPath {
    pub path: String,
    pub place: Place,
}

impl Resolved {
    /// The defaults under the command line's flags: what holds without a file.
    pub fn of_flags(flags: &Flags) -> Resolved {
        let mut resolved = Resolved::default();
        resolved.take_flags(flags);
        resolved
    }

    /// A flag beats every file.
    pub(super) fn take_flags(&mut self, flags: &Flags) {
        let Flags { layout, postgres, schema_dump, baseline } = flags;
        let mut flag = |key: &str, name| self.origins.insert(key.to_owned(), Origin::Flag(name));
        if let Some(layout) = layout {
            flag("layout", "--layout");
            self.settings.layout = Some(layout.clone());
        }
        if let Some(postgres) = postgres {
            flag("postgres", "--postgres");
            self.settings.postgres = Some(*postgres);
        }
        if let Some(file) = schema_dump {
            flag("schema", "--schema");
            self.settings.schema_dump = Some(file.clone());
        }
        if let Some(file) = baseline {
            flag("baseline", "--baseline");
            self.settings.baseline = Some(file.clone());
        }
    }
}
