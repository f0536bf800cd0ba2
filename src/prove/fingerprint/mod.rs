//! One canonical description of a database, read from a server: what proofs compare.
//!
//! Two fingerprints are equal exactly when nothing in them can be told apart, and then [`Fingerprint::difference`] is empty.
//! - Names are qualified and quoted as SQL wants them. Nothing in it has an OID, a file, a statistic or the order in which rows lie.
//! - Temporary objects, members of extensions and what the server makes for itself (toast tables, triggers of foreign keys) are not
//!   in it; an extension is, with its version.
//! - What could not be read is in it, as unread with the reason.
//! - A password is never in it.
//!
//! [`mod@read`] asks the server, with the queries of `catalogs/`; [`difference`] tells two apart in lines for people, and which
//! contents are not determined by the migrations.

mod contents;
pub mod difference;
mod read;

pub use difference::{Difference, Masked, lines};
use postgres::{Client, Error};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// What a database is, as one connection sees it: its own uncommitted changes included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint {
    pub schema: Objects,
    /// By the qualified name of each table, partition without partitions of its own, materialized view and sequence.
    pub data: BTreeMap<String, Contents>,
    /// Roles, tablespaces and other databases. Empty where it was not asked for.
    pub cluster: Objects,
}

/// Objects and what is said of each.
pub type Objects = BTreeMap<ObjectKey, Properties>;

/// By the name of the property. One that is not there has the value that the server starts with.
pub type Properties = BTreeMap<Arc<str>, String>;

/// `column` and `public.t.a`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectKey {
    pub kind: Arc<str>,
    pub name: String,
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// What a relation holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    Rows(Rows),
    /// Where a sequence stands.
    Sequence {
        last_value: i64,
        is_called: bool,
    },
    /// We may not read it, and why: `no privilege`, `row security` or `not populated`.
    Unread(String),
}

/// The rows of a relation in no order: equal sets of rows are equal here, other ones as good as never.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    pub count: u64,
    /// The sum of a 64-bit hash of every row.
    pub whole: String,
    /// By column (as SQL wants its name): how many values are not null, and the sum of a 64-bit hash of each.
    pub columns: BTreeMap<String, String>,
}

/// What a fingerprint is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    pub schema: bool,
    pub data: bool,
    pub cluster: bool,
    /// Qualified names of relations whose contents are not looked at, such as a runner's ledger. Their schema is.
    pub without_data_of: BTreeSet<String>,
    /// Qualified names of the only tables whose rows are looked at, where somebody knows that no others were written. Sequences are
    /// looked at all the same.
    pub only_rows_of: Option<BTreeSet<String>>,
    /// Roles and other databases whose name starts like this are left out: they are ours. What was granted to them is not.
    pub without_prefix: Option<String>,
    /// The session keeps the plans of the questions, as prepared statements: for who asks in one session again and again.
    pub keeps_plans: bool,
}

impl Scope {
    /// The schema alone.
    pub fn schema() -> Scope {
        Scope {
            schema: true,
            data: false,
            cluster: false,
            without_data_of: BTreeSet::new(),
            only_rows_of: None,
            without_prefix: Some(super::cluster::PREFIX.to_owned()),
            keeps_plans: false,
        }
    }

    /// Schema, data and cluster, without the databases and the owner that are ours.
    pub fn everything() -> Scope {
        Scope { data: true, cluster: true, ..Scope::schema() }
    }
}

impl Fingerprint {
    /// Reads it through the connection that is watched, inside its open transaction or outside of one, and leaves no trace there.
    ///
    /// Locks on what was read are gone afterwards. Fails when the connection is gone or its transaction is aborted.
    pub fn read(client: &mut Client, scope: &Scope) -> Result<Fingerprint, Error> {
        read::read(client, scope)
    }

    /// What another one has otherwise, in the order of schema, data, cluster and of names. Masked contents are not compared.
    pub fn difference(&self, after: &Fingerprint, masked: &Masked) -> Vec<Difference> {
        difference::between(self, after, masked)
    }

    /// SHA-256 of all of it, in hex: equal where the fingerprints are.
    pub fn digest(&self) -> String {
        let mut sum = Sha256::new();
        // A length before each text: no two fingerprints give the same bytes.
        let mut text = |text: &str| {
            sum.update((text.len() as u64).to_be_bytes());
            sum.update(text);
        };
        for objects in [&self.schema, &self.cluster] {
            text(&objects.len().to_string());
            for (key, properties) in objects {
                text(&key.kind);
                text(&key.name);
                text(&properties.len().to_string());
                for (property, value) in properties {
                    text(property);
                    text(value);
                }
            }
        }
        for (relation, contents) in &self.data {
            text(relation);
            match contents {
                Contents::Unread(why) => text(why),
                Contents::Sequence { last_value, is_called } => text(&format!("{last_value} {is_called}")),
                Contents::Rows(Rows { count, whole, columns }) => {
                    text(&format!("{count} {whole} {}", columns.len()));
                    for (column, sum) in columns {
                        text(column);
                        text(sum);
                    }
                }
            }
        }
        sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
