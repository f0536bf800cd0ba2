//! What is in force for a history: `phasegate.toml` and the command line, resolved once, before anything is read.
//!
//! [`find`] looks for the file, [`read`] makes a [`form`] of its bytes, [`resolve`] makes [`Settings`] of that, and [`plan`] says which
//! of them hold for which PATH; [`show`] says it back, [`mod@schema`] says it to editors, [`starter`] writes a project's first one. The
//! rest of the program sees [`Settings`] only. Only [`find`], [`files`] and [`plan`] look at the disk.

mod baseline_place;
pub mod error;
mod files;
mod find;
mod form;
mod globs;
pub mod levels;
mod options;
mod places;
mod plan;
mod read;
mod resolve;
mod resolved;
mod schema;
mod show;
pub mod starter;

pub use error::ConfigError;
pub use globs::Globs;
pub use levels::Levels;
pub use options::RuleOptions;
pub use plan::{FileChoice, Plan, Planned, Wanted, plan};
pub use resolved::{Flags, Origin, Origins};
pub use schema::schema;
pub use show::{Row, rows, toml_key};

use crate::versions::PostgresVersions;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The name that is looked for.
pub const FILE_NAME: &str = "phasegate.toml";

/// Everything that is in force for one history. The default is what holds without a configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Name of a layout that is used instead of recognising one.
    pub layout: Option<String>,
    /// The server versions that the migrations must work on, where somebody said so.
    pub postgres: Option<PostgresVersions>,
    /// The schemas that unqualified names are looked up in, where the runner's connection has others than the server's default.
    pub search_path: Option<Vec<String>>,
    /// Who sets `lock_timeout`.
    pub lock_timeout: LockTimeout,
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
    /// Several instances of the runner may start at the same time, as where each pod of a deployment migrates.
    pub runners_start_together: bool,
    /// Where it says anything, only files that match take part. Paths are below the history's directory.
    pub include: Globs,
    /// Files that match take no part. Paths are below the history's directory.
    pub exclude: Globs,
    /// The file of accepted findings.
    pub baseline: Option<PathBuf>,
    /// What the configuration says about rules.
    pub levels: Levels,
    /// What rules take besides levels.
    pub options: RuleOptions,
    /// What running the history takes.
    pub prove: ProveSettings,
}

/// What is there before the first migration, and what a run is to be like. Paths are as seen from the working directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProveSettings {
    /// SQL files that run before the first migration.
    pub set_up: Vec<PathBuf>,
    /// SQL files with rows for the proof on data.
    pub seed: Vec<PathBuf>,
    /// Made by the administrator before the first migration.
    pub extensions: Vec<String>,
    /// Settings of the database, by name.
    pub settings: BTreeMap<String, String>,
    /// Every migration has to bear a second run of its SQL.
    pub idempotent: bool,
    /// `table(column)` of the runner's ledger.
    pub ledger: Option<String>,
}

/// Who sets `lock_timeout`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LockTimeout {
    /// Each file, before its first lock.
    #[default]
    File,
    /// The runner's connection has one.
    Runner,
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
            search_path: None,
            lock_timeout: LockTimeout::default(),
            schema_dump: None,
            phase_tag_prefixes: vec!["phase".to_string()],
            placeholders: BTreeMap::new(),
            releases: ReleaseSettings::default(),
            runner_is_psql: false,
            driver_caches_plans: false,
            runners_start_together: false,
            include: Globs::default(),
            exclude: Globs::default(),
            baseline: None,
            levels: Levels::default(),
            options: RuleOptions::default(),
            prove: ProveSettings::default(),
        }
    }
}
