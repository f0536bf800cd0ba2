//! What a transaction has written to the catalogs, by its own counters, and what of them has to be read again therefore.

use super::reader::Part;
use crate::prove::answer::rows;
use postgres::SimpleQueryMessage;
use std::sync::LazyLock;

/// The catalogs whose rows are read. A transaction counts what it writes to each, so those it left alone are not read again, and of
/// those from which nothing was deleted only the rows that it wrote.
const WATCHED: [&str; 21] = [
    "pg_namespace",
    "pg_class",
    "pg_attribute",
    "pg_attrdef",
    "pg_type",
    "pg_constraint",
    "pg_index",
    "pg_trigger",
    "pg_policy",
    "pg_rewrite",
    "pg_enum",
    "pg_proc",
    "pg_inherits",
    "pg_partitioned_table",
    "pg_sequence",
    "pg_depend",
    "pg_extension",
    "pg_publication",
    "pg_publication_rel",
    "pg_publication_namespace",
    "pg_authid",
];

/// Rows that the open transaction wrote to one catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Written {
    inserted: u64,
    updated: u64,
    deleted: u64,
}

/// How many rows it wrote to each of the catalogs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counters {
    /// For each of [`WATCHED`].
    written: Vec<Written>,
    /// Of the transaction, in transactions: what it wrote is that old or younger.
    age: i32,
}

impl Counters {
    /// Of a transaction that has written nothing.
    pub fn zero() -> Counters {
        Counters { written: vec![Written::default(); WATCHED.len()], age: 0 }
    }

    /// One row: how old the transaction is, and three numbers per catalog. Subtransactions count, rolled back or not. Its own number
    /// is the oldest that it writes, as those of its subtransactions come later.
    pub fn query() -> &'static str {
        static QUERY: LazyLock<String> = LazyLock::new(|| {
            let of = |name: &&str, what: &str| format!("pg_stat_get_xact_tuples_{what}('pg_catalog.{name}'::regclass)");
            let columns: Vec<String> =
                WATCHED.iter().flat_map(|name| ["inserted", "updated", "deleted"].map(|what| of(name, what))).collect();
            format!("SELECT coalesce(age(pg_current_xact_id_if_assigned()::xid), 0), {}", columns.join(", "))
        });
        &QUERY
    }

    /// The last row of an answer that ends with that to [`Counters::query`].
    pub fn read(answer: &[SimpleQueryMessage]) -> Option<Counters> {
        let row = rows(answer).next_back()?;
        let age = row.get(0)?.parse().ok()?;
        let numbers: Vec<u64> = (1..row.len()).map(|at| row.get(at)?.parse().ok()).collect::<Option<_>>()?;
        let written = numbers.chunks_exact(3).map(|of| Written { inserted: of[0], updated: of[1], deleted: of[2] }).collect();
        Some(Counters { written, age })
    }
}

/// Two looks at the counters; `None` where nobody knows.
#[derive(Clone, Copy, Debug)]
pub struct Changes<'a> {
    pub before: Option<&'a Counters>,
    pub now: Option<&'a Counters>,
}

impl Changes<'_> {
    /// What has to be read of a catalog whose rows are in `own`. Names in it come from `named_by`, where a row that is written anew or
    /// gone may have changed any of them.
    pub fn of(self, own: &[&str], named_by: &[&str]) -> Option<Part> {
        let (Some(before), Some(now)) = (self.before, self.now) else { return Some(Part::Whole) };
        let since = |names: &[&str], has: fn(&Written) -> u64| {
            let of = |(name, (before, now)): (&&str, (&Written, &Written))| names.contains(name) && has(before) != has(now);
            WATCHED.iter().zip(before.written.iter().zip(&now.written)).any(of)
        };
        if since(own, |rows| rows.deleted) || since(named_by, |rows| rows.updated) || since(named_by, |rows| rows.deleted) {
            Some(Part::Whole)
        } else if since(own, |rows| rows.inserted) || since(own, |rows| rows.updated) {
            Some(Part::Written(now.age))
        } else {
            None
        }
    }
}
