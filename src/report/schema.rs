//! The JSON Schema of the report, made from the model, so that it cannot say anything else.

use super::Report;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::json;

/// What is promised of each version of a form, and what is not.
const PROMISE: &str = "Fields and values of enumerations may be added within a version; none is renamed, retyped or removed. The \
    words of `message`, `help`, `what`, `why`, `reason`, `remarks`, `server`, `runner` and `sources` are for people and may change; \
    everything else is for programs.";

/// The schema of the report, as `schemas/report.v1.json` has it.
pub fn schema() -> Schema {
    written::<Report>(
        "phasegate report, version 1",
        "What `phasegate check --format json` and `phasegate prove --format json` write.",
    )
}

/// The schema of what a type is written as, with a title and what is promised.
pub fn written<T: JsonSchema>(title: &str, about: &str) -> Schema {
    let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    schema.insert("title".into(), json!(title));
    schema.insert("description".into(), json!(format!("{about} {PROMISE}")));
    if let Some(version) = schema.pointer_mut("/properties/version") {
        *version = json!({ "const": 1, "description": "Version of this form." });
    }
    schema
}
