//! `--format sarif`: SARIF 2.1.0, for code scanning and editors.
//!
//! Every rule is described, whether it found something or not. Suppressed findings are results with a suppression: `inSource` for
//! what stands in the migration (a tag, an `allow`), `external` for the baseline and levels. What was skipped, could not be used or
//! was not proven are notifications of the run.

use super::escape::{escape, write_json};
use super::formats::NamedFormat;
use super::model::{FindingEntry, RelatedEntry};
use super::{Format, Report};
use crate::finding::{Level, SuppressedBy, Suppression};
use crate::prove::evidence::{Evidence, Outcome};
use crate::rules::document::{self, RuleDocument};
use crate::source::ReportPath;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use std::io;

pub const FORMAT: NamedFormat =
    NamedFormat { name: "sarif", about: "For code scanning and editors: SARIF 2.1.0", make: |_| Box::new(Sarif) };

/// SARIF 2.1.0, one run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sarif;

/// The root of the repository, as GitHub's upload calls it.
const ROOT: &str = "%SRCROOT%";
/// What a path may hold in a URI as it is.
const NOT_IN_A_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Format for Sarif {
    fn write(&self, report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
        write_json(&mut *out, &Log { schema: SCHEMA, version: "2.1.0", runs: [Run::new(report)] })?;
        out.write_all(b"\n")
    }
}

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Value,
    invocations: Value,
    original_uri_base_ids: Value,
    column_kind: &'static str,
    results: Results<'a>,
}

impl<'a> Run<'a> {
    fn new(report: &'a Report) -> Self {
        let documents = document::all().unwrap_or_default();
        let notifications = [
            ("not-checked", "Something that was asked for could not be used."),
            ("not-proven", "A proof was not run."),
            ("skipped", "A file was found and is no migration."),
        ];
        let notifications: Vec<Value> =
            notifications.iter().map(|(id, text)| json!({ "id": id, "shortDescription": { "text": text } })).collect();
        Run {
            tool: json!({ "driver": {
                "name": report.tool.name,
                "version": report.tool.version,
                "semanticVersion": report.tool.version,
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": documents.iter().map(rule).collect::<Vec<_>>(),
                "notifications": notifications,
            }}),
            invocations: json!([invocation(report)]),
            original_uri_base_ids: json!({ ROOT: { "description": { "text": "The root of the repository." } } }),
            column_kind: "unicodeCodePoints",
            results: Results(report),
        }
    }
}

fn rule(document: &RuleDocument) -> Value {
    let mut configuration = json!({ "enabled": document.level != Level::Off });
    if document.level != Level::Off {
        configuration["level"] = json!(level(document.level));
    }
    json!({
        "id": document.id,
        "shortDescription": { "text": document.summary },
        "fullDescription": { "text": document.section("What it catches"), "markdown": document.section("What it catches") },
        "help": { "text": document.body, "markdown": document.body },
        "helpUri": document::url(&document.id),
        "defaultConfiguration": configuration,
        "properties": { "tags": ["postgresql", "migration", document.family.name()] },
    })
}

/// How the run went. Proofs are part of it: one that was asked for and not run is no success.
fn invocation(report: &Report) -> Value {
    let mut notifications = Vec::new();
    for (path, why) in report.problems() {
        notifications.push(notification("not-checked", "error", why, &path));
    }
    for evidence in &report.evidence {
        for proof in &evidence.proofs {
            if let Outcome::NotRun(why) = &proof.outcome {
                let text = format!("{} is not proven: {why}", proof.proof);
                notifications.push(notification("not-proven", "error", &text, &evidence.history));
            }
        }
    }
    for skipped in report.outlines.iter().flat_map(|outline| &outline.skipped) {
        notifications.push(notification("skipped", "note", &skipped.why, &skipped.path));
    }
    let is_complete = report.unusable.is_empty() && !report.evidence.iter().any(Evidence::is_incomplete);
    json!({ "executionSuccessful": is_complete, "toolExecutionNotifications": notifications })
}

fn notification(id: &str, level: &str, text: &str, path: &ReportPath) -> Value {
    let mut notification = json!({ "descriptor": { "id": id }, "level": level, "message": { "text": message(text) } });
    if !path.below().is_empty() {
        notification["locations"] = json!([{ "physicalLocation": { "artifactLocation": ArtifactLocation::new(path) } }]);
    }
    notification
}

/// Written one by one: there may be very many.
struct Results<'a>(&'a Report);

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let documents = document::all().unwrap_or_default();
        let index = |rule: &str| documents.binary_search_by(|document| document.id.as_str().cmp(rule)).ok();
        serializer.collect_seq(self.0.findings.iter().map(|finding| ResultObject::new(self.0, finding, index(finding.rule))))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultObject<'a> {
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    /// Only where it is no failure: then there is no level.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: PartialFingerprints<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressions: Option<[SuppressionObject<'a>; 1]>,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

/// Lines and columns from 1, `end_column` behind the last character; bytes of the file as it is on disk.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    byte_offset: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    byte_length: Option<usize>,
}

/// The number in the name changes when what is hashed does.
#[derive(Serialize)]
struct PartialFingerprints<'a> {
    #[serde(rename = "phasegate/v1")]
    fingerprint: &'a str,
}

#[derive(Serialize)]
struct SuppressionObject<'a> {
    kind: &'static str,
    status: &'static str,
    justification: String,
    properties: SuppressionProperties<'a>,
}

#[derive(Serialize)]
struct SuppressionProperties<'a> {
    by: &'a SuppressedBy,
}

#[derive(Serialize)]
struct Properties<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    migration: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<usize>,
}

impl<'a> ResultObject<'a> {
    fn new(report: &Report, finding: &'a FindingEntry, rule_index: Option<usize>) -> Self {
        let is_file = report.files.get(finding.path.given()).is_some();
        let FindingEntry { line, column, end_line, end_column, start, end, .. } = finding;
        // Of a directory there is no place; readers ask for a line all the same.
        let region = if is_file {
            Region {
                start_line: *line,
                start_column: Some(*column),
                end_line: Some(*end_line),
                end_column: Some(*end_column),
                byte_offset: Some(*start),
                byte_length: Some(end.saturating_sub(*start)),
            }
        } else {
            Region::line(*line, None)
        };
        let artifact_location = ArtifactLocation::new(&finding.path);
        // Viewers show the first sentence where there is little room.
        let text = format!("{}.\n{}", finding.message, finding.help);
        ResultObject {
            rule_id: finding.rule,
            rule_index,
            kind: (finding.level == Level::Off).then_some("informational"),
            level: level(finding.level),
            message: Message { text: message(&text) },
            locations: [Location { id: None, physical_location: PhysicalLocation { artifact_location, region }, message: None }],
            related_locations: finding.related.iter().enumerate().map(related).collect(),
            partial_fingerprints: PartialFingerprints { fingerprint: &finding.fingerprint },
            suppressions: finding.suppressed.as_ref().map(|suppression| [suppressed(suppression)]),
            properties: Properties { migration: &finding.migration, statement: finding.statement },
        }
    }
}

impl Region {
    fn line(start_line: usize, start_column: Option<usize>) -> Region {
        Region { start_line, start_column, end_line: None, end_column: None, byte_offset: None, byte_length: None }
    }
}

impl ArtifactLocation {
    /// Relative to the root of the repository; absolute only where the file is in none.
    fn new(path: &ReportPath) -> ArtifactLocation {
        let path = path.below();
        let uri = utf8_percent_encode(path, NOT_IN_A_PATH).to_string();
        if path.starts_with('/') {
            ArtifactLocation { uri: format!("file://{uri}"), uri_base_id: None }
        } else {
            ArtifactLocation { uri, uri_base_id: Some(ROOT) }
        }
    }
}

fn related((at, related): (usize, &RelatedEntry)) -> Location {
    let RelatedEntry { path, line, column, message: text } = related;
    let region = Region::line(*line, Some(*column));
    Location {
        id: Some(at + 1),
        physical_location: PhysicalLocation { artifact_location: ArtifactLocation::new(path), region },
        message: Some(Message { text: message(text) }),
    }
}

fn suppressed(suppression: &Suppression) -> SuppressionObject<'_> {
    let Suppression { by, reason } = suppression;
    let (kind, unsaid) = match by {
        SuppressedBy::Tag => ("inSource", "the migration is tagged as a contract"),
        SuppressedBy::Allow => ("inSource", "a comment allows it"),
        SuppressedBy::Baseline => ("external", "it is in the baseline"),
        SuppressedBy::Level => ("external", "the configuration switches it off here"),
    };
    let justification = escape(reason.as_deref().unwrap_or(unsaid)).into_owned();
    SuppressionObject { kind, status: "accepted", justification, properties: SuppressionProperties { by } }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
        Level::Off => "none",
    }
}

/// Text of files in a plain text message: unsafe characters shown, line ends kept, braces doubled (they would be placeholders) and
/// what would be a link taken apart (SARIF 2.1.0, 3.11.5 and 3.11.6).
fn message(text: &str) -> String {
    let mut safe = text.lines().map(escape).collect::<Vec<_>>().join("\n").replace('{', "{{").replace('}', "}}");
    if safe.contains("](") {
        safe = safe.replace('[', "\\[").replace(']', "\\]");
    }
    safe
}
