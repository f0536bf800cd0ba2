//! What is in force for a history: every setting, resolved once, before anything is read.

use crate::versions::PostgresVersions;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Everything that is in force for one history. The default is what holds without a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Name of a layout that is used instead of recognising one.
    pub layout: Option<String>,
    /// The server versions that the migrations must work on, where somebody said so.
    pub postgres: Option<PostgresVersions>,
    /// A `pg_dump --schema-only` file: the schema before the first unit.
    pub schema_dump: Option<PathBuf>,
    /// What a phase tag begins with after `--`: `phase`, `caracal:phase`.
    pub phase_tag_prefixes: Vec<String>,
    /// Values of `${name}`, `{{ name }}` and the like, by name.
    pub placeholders: BTreeMap<String, String>,
    /// Which units are released.
    pub releases: ReleaseSettings,
    /// The files are run by psql, which understands its meta-commands.
    pub runner_is_psql: bool,
    /// The driver caches plans of prepared statements: a stale one fails for users, not for nobody.
    pub driver_caches_plans: bool,
}

/// Where it stands which units are released. Several sources have to agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReleaseSettings {
    /// A file in `sha256sum`'s format with the released files.
    pub manifest: Option<PathBuf>,
    /// A git ref: what its merge base with HEAD holds is released.
    pub base: Option<String>,
    /// A pattern of git tags: what the newest one reachable from HEAD holds is released.
    pub tags: Option<String>,
    /// Id of the last released unit.
    pub through: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            layout: None,
            postgres: None,
            schema_dump: None,
            phase_tag_prefixes: vec!["phase".to_string()],
            placeholders: BTreeMap::new(),
            releases: ReleaseSettings::default(),
            runner_is_psql: false,
            driver_caches_plans: false,
        }
    }
}
