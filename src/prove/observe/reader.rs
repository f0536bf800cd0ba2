//! A session in which catalogs are read, with plans that stay: each query is asked for after nearly every statement.

use super::catalogs::Rows;
use imbl::OrdSet;
use postgres::types::ToSql;
use postgres::{Client, Error, Row, Statement};
use std::collections::HashMap;

/// The queries as they were prepared in one session.
pub type Prepared = HashMap<&'static str, Statement>;

/// How much of a catalog is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Whole,
    /// Rows of this age in transactions or younger; none is gone.
    Written(i32),
}

impl Part {
    /// For the parameter of a query. Nothing is older than the whole; what is frozen is exactly so old.
    pub fn age(self) -> i32 {
        match self {
            Part::Whole => i32::MAX,
            Part::Written(age) => age,
        }
    }

    /// Puts what was read of it into what is known. Rows that are as they were stay shared.
    pub fn take<'r, K: Ord + Clone, V: Clone + PartialEq>(
        self,
        known: &mut Rows<K, V>,
        rows: impl Iterator<Item = &'r Row>,
        read: impl Fn(&Row) -> Result<(K, V), Error>,
    ) -> Result<(), Error> {
        let mut keys = OrdSet::new();
        for row in rows {
            let (key, row) = read(row)?;
            if self == Part::Whole {
                keys.insert(key.clone());
            }
            if known.get(&key) != Some(&row) {
                known.insert(key, row);
            }
        }
        if self == Part::Whole {
            let gone: Vec<K> = known.keys().filter(|key| !keys.contains(*key)).cloned().collect();
            for key in gone {
                known.remove(&key);
            }
        }
        Ok(())
    }
}

/// A session in which catalogs are read.
pub struct Reader<'a> {
    pub client: &'a mut Client,
    pub prepared: &'a mut Prepared,
}

impl Reader<'_> {
    pub fn rows(&mut self, query: &'static str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Error> {
        let statement = match self.prepared.get(query) {
            Some(statement) => statement.clone(),
            None => {
                let statement = self.client.prepare(query)?;
                self.prepared.insert(query, statement.clone());
                statement
            }
        };
        self.client.query(&statement, parameters)
    }

    /// A query without a parameter.
    pub fn whole<K: Ord + Clone, V: Clone + PartialEq>(
        &mut self,
        known: &mut Rows<K, V>,
        query: &'static str,
        read: impl Fn(&Row) -> Result<(K, V), Error>,
    ) -> Result<(), Error> {
        Part::Whole.take(known, self.rows(query, &[])?.iter(), read)
    }

    /// A query whose parameter is the age of rows.
    pub fn part<K: Ord + Clone, V: Clone + PartialEq>(
        &mut self,
        part: Part,
        known: &mut Rows<K, V>,
        query: &'static str,
        read: impl Fn(&Row) -> Result<(K, V), Error>,
    ) -> Result<(), Error> {
        part.take(known, self.rows(query, &[&part.age()])?.iter(), read)
    }
}
