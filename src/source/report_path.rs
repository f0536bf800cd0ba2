//! A path in a report: as people gave it, and as programs get it.

use super::{SourceFile, in_repository};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// A path with `/` between parts. Reports for people show it as it was given; every machine format has the path below the root of
/// the repository around it, whatever the working directory was. Where there is no repository, both are the same. Ordered by the
/// latter.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReportPath {
    below: Arc<str>,
    given: Arc<str>,
}

impl ReportPath {
    /// The path of a file that was read.
    pub fn of_file(file: &SourceFile) -> ReportPath {
        ReportPath { below: file.repo_path.as_str().into(), given: file.path.as_str().into() }
    }

    /// A path that names no file that was read: a directory, what was skipped, what is not there. Looks for the repository around
    /// it. Standard input (`-`) and no path at all (empty) stay what they are.
    pub fn of_place(given: &str) -> ReportPath {
        let below = match given {
            "" | "-" => given.to_owned(),
            place => in_repository(place),
        };
        let below = if below.is_empty() && !given.is_empty() { "." } else { &below };
        ReportPath { below: below.into(), given: given.into() }
    }

    /// As found from the PATH given: for people.
    pub fn given(&self) -> &str {
        &self.given
    }

    /// Below the root of the repository, or as given: for programs.
    pub fn below(&self) -> &str {
        &self.below
    }
}

impl fmt::Display for ReportPath {
    /// For people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)
    }
}

impl Serialize for ReportPath {
    /// For programs.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.below)
    }
}

impl JsonSchema for ReportPath {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Path".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_get_the_path_below_the_repository_and_people_the_one_they_gave() {
        // The tests run at the root of a repository.
        let absolute = format!("{}/src/source", env!("CARGO_MANIFEST_DIR"));
        let path = ReportPath::of_place(&absolute);
        assert_eq!((path.below(), path.given()), ("src/source", absolute.as_str()));
        assert_eq!(ReportPath::of_place("src/../fixtures/nowhere").below(), "fixtures/nowhere");
        assert_eq!(ReportPath::of_place(".").below(), ".");
        assert_eq!(ReportPath::of_place("-").below(), "-");
        assert_eq!(ReportPath::of_place("").below(), "");
        assert_eq!(ReportPath::of_place("/").below(), "/");
    }
}
