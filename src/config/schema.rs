//! The JSON Schema of `phasegate.toml`, for editors: made from [`FileForm`], so that it cannot say anything else.

use super::form::FileForm;
use crate::rules::RULES;
use crate::source::layouts;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::borrow::Cow;

/// The schema, as `schemas/config.json` has it.
pub fn schema() -> Schema {
    let mut schema = SchemaGenerator::default().into_root_schema_for::<FileForm>();
    without_null(&mut schema);
    schema.insert("title".into(), json!("phasegate.toml"));
    schema.insert("description".into(), json!("What phasegate is to know about the migrations below this directory."));
    schema
}

/// What may be missing may be null for the generator; TOML has no null.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|one| one != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|one| one != "null"));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            for (key, value) in only {
                schema.insert(key, value);
            }
        }
    }
    schemars::transform::transform_subschemas(&mut without_null, schema);
}

/// The name of a layout.
pub(super) struct LayoutName;
/// `[rules]`
pub(super) struct RuleSettings;
/// Levels of rules, by id.
pub(super) struct RuleLevels;
struct RuleId;
struct LevelName;

impl JsonSchema for LayoutName {
    fn schema_name() -> Cow<'static, str> {
        "LayoutName".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = layouts::all().iter().map(|layout| layout.name()).collect();
        json_schema!({ "type": "string", "enum": names })
    }
}

impl JsonSchema for RuleId {
    fn schema_name() -> Cow<'static, str> {
        "RuleId".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
        ids.sort_unstable();
        json_schema!({ "type": "string", "enum": ids })
    }
}

impl JsonSchema for LevelName {
    fn schema_name() -> Cow<'static, str> {
        "LevelName".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": ["off", "note", "warning", "error"] })
    }
}

impl JsonSchema for RuleSettings {
    fn schema_name() -> Cow<'static, str> {
        "RuleSettings".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let level = generator.subschema_for::<LevelName>();
        let table = json_schema!({ "type": "object", "properties": { "level": level }, "additionalProperties": false });
        let ids = generator.subschema_for::<RuleId>();
        json_schema!({ "type": "object", "propertyNames": ids, "additionalProperties": { "anyOf": [level, table] } })
    }
}

impl JsonSchema for RuleLevels {
    fn schema_name() -> Cow<'static, str> {
        "RuleLevels".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (ids, level) = (generator.subschema_for::<RuleId>(), generator.subschema_for::<LevelName>());
        json_schema!({ "type": "object", "propertyNames": ids, "additionalProperties": level })
    }
}
