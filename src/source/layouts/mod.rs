//! Layouts: how a runner lays migrations on disk, in what order it runs them, and in which transaction. One file each; a new one is
//! a file and a line in [`all`].
//!
//! A layout answers two questions about a directory: do its marks stand there ([`Layout::recognise`]), and what would its runner do
//! with it ([`Layout::read`]). It need not account for every file: what it neither runs nor skips is put into `skipped` for it.

use crate::op::Span;
use crate::source::directory::{Directory, FileEntry};
use crate::source::{DownPart, Migration, Rewriting, Skipped, SourceFile, UnitKind, Version, Wrapping, name, script};
use manifest::{cargo_dependency, go_dependency, node_dependency};
use std::sync::Arc;

mod alembic_sql;
mod atlas;
mod db_migrate;
mod dbmate;
mod delta_directories;
mod diesel;
mod django_sqlmigrate;
mod drizzle;
mod ef_core;
mod flyway;
mod golang_migrate;
mod goose;
mod graphile;
mod hasura;
mod liquibase;
mod manifest;
mod mybatis;
mod node_pg_migrate;
mod plain;
mod play;
mod pop;
mod prisma;
mod psql_scripts;
mod refinery;
mod sections;
mod sqitch;
mod sqitch_plan;
mod sql_migrate;
mod sqlx;
mod supabase;
mod tern;
mod version_directories;
mod yoyo;

/// Every layout, in the order in which equal claims are settled.
pub fn all() -> &'static [&'static dyn Layout] {
    &[
        &golang_migrate::GolangMigrate,
        &sqlx::Sqlx,
        &diesel::Diesel,
        &psql_scripts::PsqlScripts,
        &version_directories::VersionDirectories,
        &sqitch::Sqitch,
        &hasura::Hasura,
        &db_migrate::DbMigrate,
        &delta_directories::DeltaDirectories,
        &pop::Pop,
        &alembic_sql::AlembicSql,
        &django_sqlmigrate::DjangoSqlmigrate,
        &prisma::Prisma,
        &goose::Goose,
        &flyway::Flyway,
        &refinery::Refinery,
        &sql_migrate::SqlMigrate,
        &dbmate::Dbmate,
        &node_pg_migrate::NodePgMigrate,
        &mybatis::MyBatis,
        &play::Play,
        &tern::Tern,
        &graphile::Graphile,
        &drizzle::Drizzle,
        &supabase::Supabase,
        &atlas::Atlas,
        &liquibase::Liquibase,
        &yoyo::Yoyo,
        &ef_core::EfCore,
        &plain::Plain,
    ]
}

/// The layout of that name, as `--layout` takes it.
pub fn named(name: &str) -> Option<&'static dyn Layout> {
    all().iter().copied().find(|layout| layout.name() == name)
}

/// The names of all layouts, for messages.
pub fn names() -> String {
    all().iter().map(|layout| layout.name()).collect::<Vec<_>>().join(", ")
}

pub trait Layout: Sync {
    /// As `--layout` takes it.
    fn name(&self) -> &'static str;

    /// By what it is recognised, for people.
    fn marks(&self) -> &'static str;

    /// The names its runner takes, for the sentence "its name is not …".
    fn file_names(&self) -> &'static str;

    /// The transaction around a file that says nothing else.
    fn wrapping(&self) -> Wrapping;

    /// True where nothing tells the runner, so that the transaction around a file is assumed.
    fn assumes_transaction(&self) -> bool {
        false
    }

    /// How a statement that refuses a transaction gets out of it.
    fn opt_out(&self) -> OptOut;

    /// True when its runner reads sub-directories too.
    fn is_recursive(&self) -> bool {
        false
    }

    /// True for names of steps that are programs, kept where the compiler wants them and not beside the SQL.
    fn is_program_elsewhere(&self, name: &str) -> bool {
        let _ = name;
        false
    }

    /// True where its runner knows how to undo a step, so that a step can lack it.
    fn has_down_parts(&self) -> bool {
        false
    }

    /// The other database that its marks in this directory say it is for: nobody runs the directory on PostgreSQL then.
    fn other_database(&self, directory: &Directory) -> Option<&'static str> {
        let _ = directory;
        None
    }

    /// What its runner does with two steps of one version, as the end of a sentence. None where they are told apart by their names.
    fn on_same_version(&self) -> Option<&'static str> {
        Some("which of them runs first is nowhere said")
    }

    /// True where steps of one number are told apart by the rest of their names.
    fn orders_by_name(&self) -> bool {
        false
    }

    /// True where psql runs the files, which understands its own commands in them.
    fn is_run_by_psql(&self) -> bool {
        false
    }

    /// True where its runner holds a session's advisory lock while it migrates, for which other instances wait inside of a statement:
    /// such a wait holds a snapshot, and CREATE INDEX CONCURRENTLY waits for that. The source is in the layout's module.
    fn waits_for_advisory_lock(&self) -> bool {
        false
    }

    /// What its runner takes for a placeholder besides `${name}` and `{{ name }}`.
    fn placeholders(&self) -> PlaceholderForms {
        PlaceholderForms::default()
    }

    /// What its runner does with a step that sorts before one that was applied already.
    fn late(&self, unit: &Migration) -> Late {
        let _ = unit;
        Late::Unknown
    }

    /// Whether its marks stand in this directory. Says nothing about directories below.
    fn recognise(&self, directory: &Directory) -> Option<Claim>;

    /// What its runner does with the directory: steps in order, and what it leaves out with why.
    fn read(&self, directory: &Directory) -> Reading;

    /// What its runner does to a text before it sends it, beyond values for `${…}` and `{{ … }}`.
    fn rewriting(&self) -> Rewriting {
        Rewriting::None
    }

    /// What a file of the runner's own that lists the units says when only the first of them are there yet; `None` where the file, by
    /// its name, is none, or cannot be read.
    fn listing_of_first(&self, name: &str, text: &str, there: &[Migration]) -> Option<String> {
        let _ = (name, text, there);
        None
    }

    /// The steps of a text that stands alone (standard input, one file), where its content bears the layout's marks.
    fn read_script(&self, script: &FileEntry) -> Option<Vec<Step>> {
        let _ = script;
        None
    }
}

/// How a file leaves the transaction that its runner opens. The source of each is in its layout's module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptOut {
    /// There is none to leave: every statement is sent alone.
    None,
    /// A file is one simple query: the statement has to be the only one of its file.
    Alone,
    /// Text that says so, and where it stands. `statements`: how the file is sent then.
    Mark { mark: &'static str, place: &'static str, statements: Statements },
    /// No file can; what to do instead, as the end of a sentence.
    Elsewhere(&'static str),
}

/// How the statements of a file without a transaction are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statements {
    /// Each alone.
    Apart,
    /// All in one simple query: one that refuses a transaction has to be the only one.
    Batch,
}

/// What a runner takes for a placeholder besides `${name}` and `{{ name }}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlaceholderForms {
    /// Names do not mind their case.
    pub ignore_case: bool,
    /// `:name`, by psql's rules although psql does not run the files.
    pub variables: bool,
    /// Texts that it replaces without being told to, with what it puts there.
    pub fixed: &'static [(&'static str, &'static str)],
}

/// What a runner does with a step that comes late: it is new, and sorts before one that was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// Nobody looked it up.
    Unknown,
    /// It never runs, and nothing says so.
    Skipped,
    /// The runner stops.
    Refused,
    /// It runs after the later one here, and before it on a fresh database.
    Applied,
    /// It is made for that.
    Meant,
    /// It runs again whenever its text changes, after everything else.
    Repeated,
}

/// How much a recognition is worth. Stronger marks beat weaker ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Any tree of numbered files.
    Fallback,
    /// The form of the names, which several runners could share.
    Names,
    /// A mark in the directories above: a manifest that names the runner's library.
    Surroundings,
    /// A mark that only this runner has: an annotation in the text, a control file.
    Content,
}

/// A layout's claim to a directory.
#[derive(Clone, Debug)]
pub struct Claim {
    pub strength: Strength,
    /// For people: "3 of 3 .sql files are named …".
    pub evidence: String,
    /// Paths of the files that it understands, down parts included.
    pub files: Vec<String>,
}

/// What a runner does with a directory.
#[derive(Debug, Default)]
pub struct Reading {
    /// In the order they run.
    pub steps: Vec<Step>,
    pub skipped: Vec<Skipped>,
    /// True when something that its runner runs is not among the steps, so that they are not the whole history.
    pub incomplete: bool,
    /// What its runner refuses, or passes over in silence, though it is a step.
    pub objections: Vec<Objection>,
}

/// What a runner has against a step that is read all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// The step's file.
    pub path: String,
    /// A sentence that names the runner.
    pub why: String,
    pub help: String,
}

impl Reading {
    pub fn skip(&mut self, entry: &FileEntry, why: &str) {
        self.skipped.push(Skipped { path: entry.path.clone(), why: why.to_string() });
    }

    /// Says what its runner has against a step.
    pub fn object(&mut self, path: &str, why: String, help: &str) {
        let objection = Objection { path: path.to_string(), why, help: help.to_string() };
        if !self.objections.contains(&objection) {
            self.objections.push(objection);
        }
    }

    /// Leaves out a file that undoes the step of this version, and lets that step know. Call it when all steps are there.
    pub fn undo(&mut self, entry: &FileEntry, version: &Version) {
        self.skip(entry, "down part");
        let file = entry.source();
        let down = DownPart { file: Arc::clone(file), span: file.body() };
        for step in self.steps.iter_mut().filter(|step| step.version.as_ref() == Some(version)) {
            step.down = Some(down.clone());
        }
    }

    /// Puts the steps in the order of their versions, those of one version by the names of their files. Steps without a version
    /// come last.
    pub fn order_by_version(&mut self) {
        let name = |step: &Step| step.file.path.rsplit('/').next().unwrap_or_default().to_owned();
        self.steps.sort_by_cached_key(|step| (step.version.is_none(), step.version.clone(), name(step), step.file.path.clone()));
    }
}

/// A unit as a layout reads it, before tags and encoding are looked at.
#[derive(Clone, Debug)]
pub struct Step {
    pub id: String,
    /// What the runner orders it by, where it orders by versions.
    pub version: Option<Version>,
    pub down: Option<DownPart>,
    pub file: Arc<SourceFile>,
    pub parts: Vec<Span>,
    /// Where a phase tag may stand: the parts, and a header before the runner's marker.
    pub tag_regions: Vec<Span>,
    pub wrapping: Wrapping,
    pub kind: UnitKind,
}

impl Step {
    /// The whole file is one unit. One that is no text has no parts.
    pub fn of_file(id: impl Into<String>, entry: &FileEntry, wrapping: Wrapping) -> Step {
        let file = Arc::clone(entry.source());
        let readable = entry.failure().is_none() && file.text().is_ok();
        let (kind, parts) = if readable { (UnitKind::Sql, vec![file.body()]) } else { (UnitKind::Unreadable, Vec::new()) };
        Step { id: id.into(), version: None, down: None, file, tag_regions: parts.clone(), parts, wrapping, kind }
    }

    /// A step in another language.
    pub fn of_program(id: impl Into<String>, entry: &FileEntry, wrapping: Wrapping) -> Step {
        Step::unseen(id, entry.source(), wrapping)
    }

    /// A step that this file speaks of and whose SQL does not stand in it.
    pub fn unseen(id: impl Into<String>, file: &Arc<SourceFile>, wrapping: Wrapping) -> Step {
        let file = Arc::clone(file);
        let kind = UnitKind::Unknown;
        Step { id: id.into(), version: None, down: None, file, parts: Vec::new(), tag_regions: Vec::new(), wrapping, kind }
    }

    /// With the version that orders it.
    pub fn versioned(self, version: Version) -> Step {
        Step { version: Some(version), ..self }
    }

    /// With the section of its own file that undoes it.
    pub fn undone_by(self, span: Span) -> Step {
        let file = Arc::clone(&self.file);
        Step { down: Some(DownPart { file, span }), ..self }
    }

    /// Where the runner has no transaction of its own, a `BEGIN` in the file is the one there is.
    pub fn or_explicit(mut self) -> Step {
        let opens = self.wrapping != Wrapping::Explicit
            && self.file.text().is_ok_and(|text| script::opens_transaction(text, &self.parts));
        if opens {
            self.wrapping = Wrapping::Explicit;
        }
        self
    }
}

/// Why a file of another database is left out.
pub fn of_other_database(name: &str) -> Option<String> {
    name::other_database(name).map(|database| format!("for {database}"))
}

/// Why a file of another database is left out where the runner itself knows no databases: only in a directory that has some file
/// twice, for one database and for another. Such a directory is read by something that chooses. In any other one, a lone
/// `5_import.mysql.sql` is a file that the runner runs.
pub fn of_other_database_in(directory: &Directory, name: &str) -> Option<String> {
    let why = of_other_database(name)?;
    let mut of_others = directory.files.iter().filter(|file| name::other_database(&file.name).is_some());
    let is_chosen = of_others.any(|file| {
        let bare = name::without_database(&file.name);
        directory.files.iter().any(|other| other.name != file.name && name::without_database(&other.name) == bare)
    });
    is_chosen.then_some(why)
}

/// `name` without the ending of a language that migrations are written in. Tests of such files are none.
pub fn without_program_ending(name: &str) -> Option<&str> {
    const LANGUAGES: [&str; 19] = [
        "go", "ts", "mts", "cts", "js", "mjs", "cjs", "py", "rb", "pl", "php", "java", "kt", "groovy", "scala", "rs", "cs", "sh",
        "ps1",
    ];
    let (stem, ending) = name.rsplit_once('.')?;
    let is_test = [".test", ".spec", ".d", "_test"].iter().any(|test| stem.ends_with(test));
    (LANGUAGES.contains(&ending) && !is_test).then_some(stem)
}

/// "3 of 4 .sql files are named …".
fn share(claimed: usize, directory: &Directory, pattern: &str) -> String {
    let all = directory.files.iter().filter(|f| f.is_sql()).count();
    let (verb, noun) = if all == 1 { ("is", "file") } else { ("are", "files") };
    format!("{claimed} of {all} .sql {noun} {verb} named {pattern}")
}

#[cfg(test)]
mod tests;
