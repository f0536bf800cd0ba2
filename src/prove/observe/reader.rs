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

    /// A query without a parameter. Rows that are as they were stay shared.
    pub fn whole<K: Ord + Clone, V: Clone + PartialEq>(
        &mut self,
        known: &mut Rows<K, V>,
        query: &'static str,
        read: impl Fn(&Row) -> Result<(K, V), Error>,
    ) -> Result<(), Error> {
        replace(known, &self.rows(query, &[])?, read)
    }

    pub fn part<K: Ord + Clone, V: Clone + PartialEq>(
        &mut self,
        part: Part,
        known: &mut Rows<K, V>,
        query: &'static str,
        read: impl Fn(&Row) -> Result<(K, V), Error>,
    ) -> Result<(), Error> {
        match part {
            // Nothing is older than that; what is frozen is exactly so old.
            Part::Whole => replace(known, &self.rows(query, &[&i32::MAX])?, read),
            Part::Written(age) => {
                for row in self.rows(query, &[&age])? {
                    let (key, row) = read(&row)?;
                    put(known, key, row);
                }
                Ok(())
            }
        }
    }
}

fn put<K: Ord + Clone, V: Clone + PartialEq>(known: &mut Rows<K, V>, key: K, row: V) {
    if known.get(&key) != Some(&row) {
        known.insert(key, row);
    }
}

fn replace<K: Ord + Clone, V: Clone + PartialEq>(
    known: &mut Rows<K, V>,
    rows: &[Row],
    read: impl Fn(&Row) -> Result<(K, V), Error>,
) -> Result<(), Error> {
    let mut keys = OrdSet::new();
    for row in rows {
        let (key, row) = read(row)?;
        keys.insert(key.clone());
        put(known, key, row);
    }
    let gone: Vec<K> = known.keys().filter(|key| !keys.contains(*key)).cloned().collect();
    for key in gone {
        known.remove(&key);
    }
    Ok(())
}
