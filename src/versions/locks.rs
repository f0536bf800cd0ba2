//! Which lock each form of a statement takes on which relation, on every known version. Servers said it: `tests/lock_levels.rs` runs
//! the witnesses in `src/versions/locks/*.sql`, writes what it sees to `locks.txt`, and compares.
//!
//! In those files `-- given` stands above what is there and committed (`-- given from 18`: only there can it be made), `-- form` above
//! the statements of a form, each by itself a witness: all of them take the same locks. `-- form …, alone` cannot run in a
//! transaction and is watched from outside. Relations are named by their [`Role`].
//!
//! A line of `locks.txt` is a form, a role, versions and the strongest mode. `-` for a role says that the form takes no lock on a
//! relation that was there (`none`), or that these versions refuse it, and with what (`refused 42809`). Versions that can not even
//! make what is given have no line. Only relations of users count: not catalogs, TOAST tables or temporary tables, and nothing
//! that the statement itself makes.
//!
//! Not here: SECURITY LABEL, as no server comes with a provider of labels; what autovacuum does; ACCESS EXCLUSIVE that VACUUM takes
//! for a moment to give back the empty end of a table, and only when nobody stands in its way.

mod forms;

pub use forms::Form;

use super::PostgresVersions;
use crate::effect::LockMode;
use std::collections::HashMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("locks.txt");

/// What a relation is to a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// `t`: the table that the statement names.
    Table,
    /// `r`: a table that it refers to or reads.
    Referenced,
    /// `ref`: a table with a foreign key to the named one.
    Referencing,
    /// `p`: a partitioned table, the parent.
    Partitioned,
    /// `pd`: its default partition.
    DefaultPartition,
    /// `x`: a partition of it, or the table that becomes or was one. Where there is a `y`, `x` is the one that the statement is about.
    Partition,
    /// `y`: another partition of it, or the one that the statement names where there is no `x` yet.
    OtherPartition,
    /// `ch`: a table that inherits from the named one.
    Child,
    /// `m`: a materialized view.
    MaterializedView,
    /// `v`: a view.
    View,
    /// `i`: an index of the named table, or of the referenced one where that has a key.
    Index,
    /// `pi`: an index of the partitioned table.
    PartitionedIndex,
    /// `xi`: the index of the partition that belongs to `pi`.
    PartitionIndex,
    /// `other`: an index that the statement is not about.
    OtherIndex,
    /// `s`: a sequence.
    Sequence,
    /// `ty`: a composite type.
    Type,
    /// `u`: a table that uses the domain, type, function or sequence.
    Using,
}

impl Role {
    pub const ALL: [Role; 17] = [
        Role::Table,
        Role::Referenced,
        Role::Referencing,
        Role::Partitioned,
        Role::DefaultPartition,
        Role::Partition,
        Role::OtherPartition,
        Role::Child,
        Role::MaterializedView,
        Role::View,
        Role::Index,
        Role::PartitionedIndex,
        Role::PartitionIndex,
        Role::OtherIndex,
        Role::Sequence,
        Role::Type,
        Role::Using,
    ];

    /// The relation's name in witnesses.
    pub fn name(self) -> &'static str {
        match self {
            Role::Table => "t",
            Role::Referenced => "r",
            Role::Referencing => "ref",
            Role::Partitioned => "p",
            Role::DefaultPartition => "pd",
            Role::Partition => "x",
            Role::OtherPartition => "y",
            Role::Child => "ch",
            Role::MaterializedView => "m",
            Role::View => "v",
            Role::Index => "i",
            Role::PartitionedIndex => "pi",
            Role::PartitionIndex => "xi",
            Role::OtherIndex => "other",
            Role::Sequence => "s",
            Role::Type => "ty",
            Role::Using => "u",
        }
    }

    pub fn named(name: &str) -> Option<Role> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl Form {
    /// The name in `src/versions/locks/*.sql`: the variant's words in lower case, joined by `-`.
    pub fn name(self) -> String {
        let mut name = String::new();
        for (at, letter) in self.variant().char_indices() {
            if letter.is_ascii_uppercase() && at > 0 {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }

    /// The form of ALTER … SET or RESET of this storage parameter of a table, materialized view, index or view; several at once take the
    /// strongest. `None` for a name that no known version has.
    pub fn of_parameter(name: &str) -> Option<Form> {
        let name = name.strip_prefix("toast.").unwrap_or(name);
        match name {
            "user_catalog_table" => Some(Form::SetExclusiveParameter),
            "fastupdate" | "gin_pending_list_limit" => Some(Form::SetExclusiveIndexParameter),
            "buffering" => Some(Form::SetGistBuffering),
            "pages_per_range" | "autosummarize" => Some(Form::SetBrinParameter),
            "security_barrier" | "security_invoker" | "check_option" => Some(Form::AlterView),
            "autovacuum_vacuum_max_threshold" | "vacuum_max_eager_freeze_failure_rate" => Some(Form::SetNewerParameter),
            "deduplicate_items" => Some(Form::SetIndexParameter),
            "fillfactor"
            | "toast_tuple_target"
            | "parallel_workers"
            | "vacuum_index_cleanup"
            | "vacuum_truncate"
            | "log_autovacuum_min_duration" => Some(Form::SetParameter),
            _ => name.starts_with("autovacuum_").then_some(Form::SetParameter),
        }
    }
}

/// What servers said of one form.
#[derive(Clone, Debug, Default)]
struct Entry {
    locks: Vec<(Role, PostgresVersions, LockMode)>,
    refused: Vec<(PostgresVersions, &'static str)>,
}

static ENTRIES: LazyLock<HashMap<Form, Entry>> = LazyLock::new(|| {
    let forms: HashMap<String, Form> = Form::ALL.iter().map(|form| (form.name(), *form)).collect();
    let mut entries: HashMap<Form, Entry> = HashMap::new();
    for line in TABLE.lines() {
        let Some((form, says)) = line_of(&forms, line) else { continue };
        let entry = entries.entry(form).or_default();
        match says {
            Says::Locks(role, versions, mode) => entry.locks.push((role, versions, mode)),
            Says::Refused(versions, sqlstate) => entry.refused.push((versions, sqlstate)),
            Says::None => {}
        }
    }
    entries
});

/// What a line of the table says of its form.
enum Says {
    Locks(Role, PostgresVersions, LockMode),
    Refused(PostgresVersions, &'static str),
    None,
}

fn line_of(forms: &HashMap<String, Form>, line: &'static str) -> Option<(Form, Says)> {
    let words: Vec<&'static str> = line.split(' ').collect();
    let form = *forms.get(*words.first()?)?;
    let versions: PostgresVersions = words.get(2)?.parse().ok()?;
    let says = match (*words.get(1)?, words.get(3..)?) {
        ("-", ["none"]) => Says::None,
        ("-", ["refused", sqlstate]) => Says::Refused(versions, sqlstate),
        (role, [mode]) => Says::Locks(Role::named(role)?, versions, LockMode::named(mode)?),
        _ => return None,
    };
    Some((form, says))
}

fn overlap(one: PostgresVersions, other: PostgresVersions) -> bool {
    one.oldest <= other.newest && other.oldest <= one.newest
}

/// The strongest lock that the form takes on the relation in this role, on any of the versions; `None` where it takes none, or none
/// of the versions has the form.
pub fn mode(form: Form, role: Role, versions: PostgresVersions) -> Option<LockMode> {
    let entry = ENTRIES.get(&form)?;
    let matching = entry.locks.iter().filter(|(of, on, _)| *of == role && overlap(*on, versions));
    matching.map(|(_, _, mode)| *mode).max()
}

/// The SQLSTATE that one version refuses the witness of the form with.
pub fn refusal(form: Form, version: u16) -> Option<&'static str> {
    let on = PostgresVersions { oldest: version, newest: version };
    ENTRIES.get(&form)?.refused.iter().find(|(versions, _)| overlap(*versions, on)).map(|(_, sqlstate)| *sqlstate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::KNOWN;

    #[test]
    fn every_line_is_understood_and_every_form_has_one() {
        let forms: HashMap<String, Form> = Form::ALL.iter().map(|form| (form.name(), *form)).collect();
        assert_eq!(forms.len(), Form::ALL.len());
        let unknown: Vec<&str> = TABLE.lines().filter(|line| line_of(&forms, line).is_none()).collect();
        assert_eq!(unknown, [""; 0]);
        let silent: Vec<String> = Form::ALL.iter().filter(|form| !ENTRIES.contains_key(form)).map(|form| form.name()).collect();
        assert_eq!(silent, [""; 0]);
    }

    #[test]
    fn names_are_the_words_of_the_variant() {
        assert_eq!(Form::AddColumn.name(), "add-column");
        assert_eq!(Form::SetNotNullOnPartitioned.name(), "set-not-null-on-partitioned");
    }

    #[test]
    fn the_strongest_of_a_range_counts() {
        let on = |oldest, newest| PostgresVersions { oldest, newest };
        let form = Form::AddPrimaryKeyToPartitioned;
        assert_eq!(mode(form, Role::Partition, on(15, 17)), Some(LockMode::ShareLock));
        assert_eq!(mode(form, Role::Partition, KNOWN), Some(LockMode::AccessExclusiveLock));
        assert_eq!(mode(Form::SetStatistics, Role::Table, KNOWN), Some(LockMode::ShareUpdateExclusiveLock));
        assert_eq!(mode(Form::SetStatistics, Role::View, KNOWN), None);
        assert_eq!(mode(Form::Grant, Role::Table, on(15, 17)), None);
        assert_eq!(refusal(Form::AddCheckNotEnforced, 17), Some("42601"));
        assert_eq!(refusal(Form::AddCheckNotEnforced, 18), None);
    }

    #[test]
    fn every_parameter_of_a_witness_has_the_form_that_it_witnesses() {
        let files = [include_str!("locks/tables.sql"), include_str!("locks/indexes.sql")];
        let mut seen = 0;
        for form in files.iter().flat_map(|text| text.split("-- form ").skip(1)) {
            let (name, statements) = form.split_once('\n').unwrap();
            for statement in statements.lines().filter(|line| line.contains(" SET (") && !line.contains(", ")) {
                let parameter = statement.split(" SET (").nth(1).unwrap().split(' ').next().unwrap();
                let of = Form::of_parameter(parameter).map(Form::name);
                // What a table may be told, its index and materialized view may be told as well, under the same mode.
                let same = ["fillfactor", "autovacuum_enabled"].contains(&parameter) || name == "publication-set-options";
                assert!(same || of.as_deref() == Some(name), "{parameter} is of {of:?}, not of {name}");
                seen += 1;
            }
        }
        assert!(seen > 30, "{seen}");
        assert_eq!(Form::of_parameter("fillfactors"), None);
    }
}
