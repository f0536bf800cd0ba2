//! What may stand in `phasegate.toml`, as it is typed there. Every value knows its bytes, for errors and for `phasegate config`.
//!
//! A word that is not here is an error. Whether a word makes sense (a level, a rule, a glob) is asked in [`super::resolve`].

use super::schema;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use toml::Spanned;

/// A value that may be missing, with its bytes in the file.
pub type Key<T> = Option<Spanned<T>>;
/// A table of values with the bytes of its keys.
pub type Table<T> = BTreeMap<Spanned<String>, Spanned<T>>;

/// Makes a table of the file: its own keys, and those that a history may override.
macro_rules! form {
    ($(#[$about:meta])* $name:ident { $($(#[$key_about:meta])* $key:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$key_about])* pub $key: $type,)*
            /// The server versions that the migrations must work on: one, or a range.
            #[schemars(with = "Option<String>")]
            pub postgres: Key<String>,
            /// The schemas that unqualified names are looked up in where no statement sets `search_path`, in their order.
            #[schemars(with = "Option<Vec<String>>")]
            pub search_path: Key<Vec<String>>,
            /// Who sets `lock_timeout`: the file, or the runner's connection.
            #[schemars(with = "Option<LockTimeoutWord>")]
            pub lock_timeout: Key<LockTimeoutWord>,
            /// What a phase tag begins with after `--`.
            #[schemars(with = "Option<Vec<String>>")]
            pub phase_tag_prefixes: Key<Vec<Spanned<String>>>,
            /// Name of the layout, instead of recognising it; `phasegate layouts` lists them.
            #[schemars(with = "Option<schema::LayoutName>")]
            pub layout: Key<String>,
            /// What runs the files, where that changes what may stand in them.
            #[schemars(with = "Option<RunnerWord>")]
            pub runner: Key<RunnerWord>,
            /// The driver caches plans of prepared statements: a stale one fails for users.
            #[schemars(with = "Option<bool>")]
            pub driver_caches_plans: Key<bool>,
            /// Several instances of the runner may start at the same time: each waits for the migration lock of the other.
            #[schemars(with = "Option<bool>")]
            pub runners_start_together: Key<bool>,
            /// A `pg_dump --schema-only` file, relative to this file: the schema before the first unit.
            #[schemars(with = "Option<String>")]
            pub schema: Key<String>,
            /// Files of the history's directory that take part: patterns as in `.gitignore`.
            #[schemars(with = "Option<Vec<String>>")]
            pub include: Key<Vec<Spanned<String>>>,
            /// Files of the history's directory that take no part: patterns as in `.gitignore`.
            #[schemars(with = "Option<Vec<String>>")]
            pub exclude: Key<Vec<Spanned<String>>>,
            /// Values of placeholders, by what stands between the braces of `${name}` and `{{ name }}` or after the colon of `:name`.
            #[serde(default)]
            #[schemars(with = "BTreeMap<String, String>")]
            pub placeholders: Table<String>,
            /// Which units are released. Several sources have to agree.
            #[schemars(with = "Option<ReleasesForm>")]
            pub releases: Key<ReleasesForm>,
            /// What `phasegate prove` has to know to run the history.
            #[schemars(with = "Option<ProveForm>")]
            pub prove: Key<ProveForm>,
            /// Levels of rules, by id: the loudest that each may be. Rules that are off by default are switched on here.
            #[serde(default)]
            #[schemars(with = "schema::RuleSettings")]
            pub rules: Table<RuleForm>,
            /// Levels for some paths; the last one that matches wins.
            #[serde(default)]
            pub overrides: Vec<OverrideForm>,
        }

        impl $name {
            /// The keys that the file and each of its histories have in common.
            pub fn keys(&self) -> Keys<'_> {
                Keys {
                    postgres: &self.postgres,
                    search_path: &self.search_path,
                    lock_timeout: &self.lock_timeout,
                    phase_tag_prefixes: &self.phase_tag_prefixes,
                    layout: &self.layout,
                    runner: &self.runner,
                    driver_caches_plans: &self.driver_caches_plans,
                    runners_start_together: &self.runners_start_together,
                    schema: &self.schema,
                    include: &self.include,
                    exclude: &self.exclude,
                    placeholders: &self.placeholders,
                    releases: &self.releases,
                    prove: &self.prove,
                    rules: &self.rules,
                    overrides: &self.overrides,
                }
            }
        }
    };
}

form! {
    /// A whole file.
    FileForm {
        /// The file of accepted findings, relative to this file.
        #[schemars(with = "Option<String>")]
        baseline: Key<String>,
        /// Each is one history; without any, histories are found below the PATH.
        #[serde(default)]
        #[schemars(with = "Vec<HistoryForm>")]
        histories: Vec<Spanned<HistoryForm>>,
    }
}

form! {
    /// One history. What it does not say, the file says for all.
    HistoryForm {
        /// What reports call it.
        #[schemars(with = "Option<String>")]
        name: Key<String>,
        /// The directories whose files form this one history, relative to the file.
        #[schemars(with = "Vec<String>", length(min = 1))]
        paths: Spanned<Vec<Spanned<String>>>,
    }
}

/// The keys that the file and each of its histories have in common.
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a> {
    pub postgres: &'a Key<String>,
    pub search_path: &'a Key<Vec<String>>,
    pub lock_timeout: &'a Key<LockTimeoutWord>,
    pub phase_tag_prefixes: &'a Key<Vec<Spanned<String>>>,
    pub layout: &'a Key<String>,
    pub runner: &'a Key<RunnerWord>,
    pub driver_caches_plans: &'a Key<bool>,
    pub runners_start_together: &'a Key<bool>,
    pub schema: &'a Key<String>,
    pub include: &'a Key<Vec<Spanned<String>>>,
    pub exclude: &'a Key<Vec<Spanned<String>>>,
    pub placeholders: &'a Table<String>,
    pub releases: &'a Key<ReleasesForm>,
    pub prove: &'a Key<ProveForm>,
    pub rules: &'a Table<RuleForm>,
    pub overrides: &'a [OverrideForm],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LockTimeoutWord {
    /// Each file sets its own.
    File,
    /// The runner's connection has one.
    Runner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunnerWord {
    /// psql, which knows meta-commands, variables and data of COPY.
    Psql,
}

/// Several of these have to agree.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleasesForm {
    /// A file in `sha256sum`'s format with the released files.
    #[schemars(with = "Option<String>")]
    pub manifest: Key<String>,
    /// A git ref: what its merge base with HEAD holds is released.
    #[schemars(with = "Option<String>")]
    pub base: Key<String>,
    /// A pattern of git tags.
    #[schemars(with = "Option<String>")]
    pub tags: Key<String>,
    /// Id of the last released unit.
    #[schemars(with = "Option<String>")]
    pub through: Key<String>,
}

/// What is there before the first migration, and what a run is to be like.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProveForm {
    /// SQL files that run before the first migration, as the role that owns the database: roles, schemas. Relative to this file.
    #[schemars(with = "Option<Vec<String>>")]
    pub setup: Key<Vec<Spanned<String>>>,
    /// SQL files with rows for the proof on data, instead of rows that are made up. Relative to this file.
    #[schemars(with = "Option<Vec<String>>")]
    pub seed: Key<Vec<Spanned<String>>>,
    /// Extensions that the administrator makes before the first migration.
    #[schemars(with = "Option<Vec<String>>")]
    pub extensions: Key<Vec<Spanned<String>>>,
    /// Settings that the database has: `"app.tenant" = "1"`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub settings: Table<String>,
    /// Every migration has to bear a second run of its SQL.
    #[schemars(with = "Option<bool>")]
    pub idempotent: Key<bool>,
    /// Where the runner records what is applied, as `table(column)`.
    #[schemars(with = "Option<String>")]
    pub ledger: Key<String>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideForm {
    /// Patterns as in `.gitignore`, relative to the file.
    #[schemars(with = "Vec<String>", length(min = 1))]
    pub paths: Spanned<Vec<Spanned<String>>>,
    /// Levels of rules for these paths, by id.
    #[schemars(with = "schema::RuleLevels")]
    pub rules: Spanned<Table<String>>,
}

/// `"warning"`, or `{ level = "warning", … }` for a rule with options.
#[derive(Clone, Debug)]
pub enum RuleForm {
    Level(String),
    Options(BTreeMap<Spanned<String>, Spanned<toml::Value>>),
}

impl<'de> Deserialize<'de> for RuleForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LevelOrTable;

        impl<'de> Visitor<'de> for LevelOrTable {
            type Value = RuleForm;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a level (\"off\", \"note\", \"warning\" or \"error\") or a table with `level`")
            }

            fn visit_str<E>(self, word: &str) -> Result<RuleForm, E> {
                Ok(RuleForm::Level(word.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RuleForm, A::Error> {
                let mut options = BTreeMap::new();
                while let Some((key, value)) = map.next_entry()? {
                    options.insert(key, value);
                }
                Ok(RuleForm::Options(options))
            }
        }

        deserializer.deserialize_any(LevelOrTable)
    }
}
