//! What is in force, in the keys of the file, and where each value comes from.

use super::levels::{Ceiling, LevelOverride, Levels};
use super::resolved::{Origin, Origins};
use super::{LockTimeout, ProveSettings, ReleaseSettings, RuleOptions, Settings};
use crate::report::level_name;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use toml::Value;

/// One key of the file with what is in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The table that the key stands in.
    pub table: Option<&'static str>,
    pub name: String,
    /// None where nothing is said, and nothing is assumed.
    pub value: Option<Value>,
    pub origin: Origin,
}

impl Row {
    /// The key with dots, for programs: `placeholders.schema`.
    pub fn key(&self) -> String {
        self.table.map_or(self.name.clone(), |table| format!("{table}.{}", self.name))
    }

    /// The key as TOML writes it.
    pub fn toml_key(&self) -> String {
        let name = toml_key(&self.name);
        self.table.map_or(name.clone(), |table| format!("{table}.{name}"))
    }
}

/// A key as TOML writes it: bare where it can.
pub fn toml_key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if is_bare {
        name.to_owned()
    } else if name.contains('\'') || name.contains(char::is_control) {
        Value::from(name).to_string()
    } else {
        format!("'{name}'")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, line } => write!(f, "{path}:{line}"),
            Origin::Flag(flag) => f.write_str(flag),
        }
    }
}

/// Every key, in the order of the documentation. Of tables only what they hold: rules that are not here have the levels of their
/// documents.
pub fn rows(settings: &Settings, origins: &Origins) -> Vec<Row> {
    // Without `..`, so that a new setting is shown or does not compile.
    let Settings {
        layout,
        postgres,
        search_path,
        lock_timeout,
        schema_dump,
        phase_tag_prefixes,
        placeholders,
        releases,
        runner_is_psql,
        driver_caches_plans,
        runners_start_together,
        include,
        exclude,
        baseline,
        levels,
        options: RuleOptions { down_file_paths },
        prove: ProveSettings { set_up, seed, extensions, settings: database_settings, idempotent, ledger },
    } = settings;
    let ReleaseSettings { manifest, base, tags, through } = releases;
    let mut rows = Rows { origins, rows: Vec::new() };
    rows.add("layout", layout.as_deref().map(Value::from));
    rows.add("postgres", Some(postgres.unwrap_or_default().to_string().into()));
    rows.add("search_path", search_path.as_deref().map(list));
    rows.add("lock_timeout", Some(lock_timeout_word(*lock_timeout).into()));
    rows.add("schema", schema_dump.as_deref().map(path));
    rows.add("phase_tag_prefixes", Some(list(phase_tag_prefixes)));
    rows.add("runner", runner_is_psql.then(|| "psql".into()));
    rows.add("driver_caches_plans", Some((*driver_caches_plans).into()));
    rows.add("runners_start_together", Some((*runners_start_together).into()));
    rows.add("include", (!include.is_empty()).then(|| list(include.patterns())));
    rows.add("exclude", (!exclude.is_empty()).then(|| list(exclude.patterns())));
    rows.add("baseline", baseline.as_deref().map(path));
    rows.of_table("releases", "manifest", manifest.as_deref().map(path));
    rows.of_table("releases", "base", base.as_deref().map(Value::from));
    rows.of_table("releases", "tags", tags.as_deref().map(Value::from));
    rows.of_table("releases", "through", through.as_deref().map(Value::from));
    let paths = |files: &[PathBuf]| (!files.is_empty()).then(|| Value::Array(files.iter().map(|file| path(file)).collect()));
    rows.of_table("prove", "setup", paths(set_up));
    rows.of_table("prove", "seed", paths(seed));
    rows.of_table("prove", "extensions", (!extensions.is_empty()).then(|| list(extensions)));
    rows.of_table("prove", "idempotent", Some((*idempotent).into()));
    rows.of_table("prove", "ledger", ledger.as_deref().map(Value::from));
    for (name, value) in database_settings {
        rows.of_table("prove.settings", name, Some(value.as_str().into()));
    }
    for (name, value) in placeholders {
        rows.of_table("placeholders", name, Some(value.as_str().into()));
    }
    // Where paths lie is no setting.
    let Levels { rules, overrides, roots: _ } = levels;
    for (rule, Ceiling { level, .. }) in rules {
        let level = Value::from(level_name(*level));
        let value = if *rule == "down-file-used" {
            let paths = Value::Array(down_file_paths.iter().map(|file| path(file)).collect());
            Value::Table([("level".to_owned(), level), ("paths".to_owned(), paths)].into_iter().collect())
        } else {
            level
        };
        rows.of_table("rules", rule, Some(value));
    }
    for (at, LevelOverride { paths, rules }) in overrides.iter().enumerate() {
        let table = [("paths".to_owned(), list(paths.patterns())), ("rules".to_owned(), levels_of(rules))];
        rows.of_table("overrides", &at.to_string(), Some(Value::Table(table.into_iter().collect())));
    }
    rows.rows
}

struct Rows<'a> {
    origins: &'a Origins,
    rows: Vec<Row>,
}

impl Rows<'_> {
    fn add(&mut self, key: &str, value: Option<Value>) {
        self.push(None, key, value);
    }

    fn of_table(&mut self, table: &'static str, name: &str, value: Option<Value>) {
        self.push(Some(table), name, value);
    }

    fn push(&mut self, table: Option<&'static str>, name: &str, value: Option<Value>) {
        let mut row = Row { table, name: name.to_owned(), value, origin: Origin::Default };
        if let Some(origin) = self.origins.get(&row.key()) {
            row.origin = origin.clone();
        }
        self.rows.push(row);
    }
}

fn list(words: &[String]) -> Value {
    Value::Array(words.iter().map(|word| word.as_str().into()).collect())
}

fn path(path: &Path) -> Value {
    path.to_string_lossy().into_owned().into()
}

fn levels_of(rules: &BTreeMap<&'static str, Ceiling>) -> Value {
    Value::Table(rules.iter().map(|(rule, ceiling)| ((*rule).to_owned(), level_name(ceiling.level).into())).collect())
}

fn lock_timeout_word(who: LockTimeout) -> &'static str {
    match who {
        LockTimeout::File => "file",
        LockTimeout::Runner => "runner",
    }
}
