//! What the server wants of a row: columns, keys, references, checks and types, read in a few queries.

use postgres::{Client, Error, Row};
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub type Oid = u32;

/// The tables of user schemas, members of extensions left out.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    pub tables: BTreeMap<Oid, Table>,
    pub types: Types,
}

/// By OID.
pub type Types = HashMap<Oid, TypeFacts>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub oid: Oid,
    /// `schema.table`, quoted where SQL needs it.
    pub qualified: String,
    /// Rows stand in its partitions.
    pub is_partitioned: bool,
    /// The partitioned table that it is a part of, or 0.
    pub parent: Oid,
    /// What a row of a partition has to satisfy, its parents' bounds included.
    pub bound: Option<String>,
    /// In order of their numbers.
    pub columns: Vec<Column>,
    pub checks: Vec<Check>,
    pub references: Vec<Reference>,
    pub keys: Vec<Key>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// `attnum`.
    pub number: i16,
    pub name: String,
    /// As SQL needs it.
    pub quoted: String,
    pub type_oid: Oid,
    pub type_modifier: i32,
    /// With its modifier, as in a cast.
    pub type_name: String,
    /// Of the column or of its domain.
    pub not_null: bool,
    pub default: Option<String>,
    pub is_identity: bool,
    pub is_generated: bool,
}

impl Column {
    /// The server fills it with another value for every row.
    pub fn fills_itself(&self) -> bool {
        self.is_identity || self.is_generated || self.default.as_ref().is_some_and(|default| default.contains("nextval("))
    }

    /// An INSERT has to name it.
    pub fn is_required(&self) -> bool {
        self.not_null && self.default.is_none() && !self.is_identity && !self.is_generated
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub name: String,
    pub columns: Vec<i16>,
    pub expression: String,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub name: String,
    pub columns: Vec<i16>,
    pub table: Oid,
    pub referenced: Vec<i16>,
    pub is_deferrable: bool,
}

/// A unique index, or one of an exclusion constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub name: String,
    /// 0 is an expression.
    pub columns: Vec<i16>,
    /// Each key column or expression as SQL.
    pub elements: Vec<String>,
    pub predicate: Option<String>,
    pub is_primary: bool,
    /// It can stand behind ON CONFLICT: unique, valid, not deferrable.
    pub is_arbiter: bool,
    pub is_exclusion: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeFacts {
    pub name: String,
    pub is_built_in: bool,
    /// `typtype`: b, c, d, e, p, r, m.
    pub kind: char,
    pub category: char,
    /// Of an array.
    pub element: Option<Oid>,
    /// Of a domain: its base and the base's modifier.
    pub base: Oid,
    pub base_modifier: i32,
    pub not_null: bool,
    /// Of a range or multirange.
    pub subtype: Oid,
    pub labels: Vec<String>,
    /// Of a composite: type and modifier.
    pub attributes: Vec<(Oid, i32)>,
    /// Of a domain, over `VALUE`.
    pub checks: Vec<String>,
}

impl Table {
    pub fn column(&self, number: i16) -> Option<&Column> {
        self.columns.iter().find(|column| column.number == number)
    }

    /// The key that tells rows apart best: the primary one, else any over plain NOT NULL columns.
    pub fn identity(&self) -> Option<&Key> {
        let tells_apart = |key: &&Key| {
            !key.is_exclusion
                && key.predicate.is_none()
                && key.columns.iter().all(|number| self.column(*number).is_some_and(|column| column.not_null))
        };
        self.keys.iter().find(|key| key.is_primary).or_else(|| self.keys.iter().find(tells_apart))
    }
}

/// Tables that are described: `n` is the row of `pg_namespace`, `c` that of `pg_class`.
macro_rules! described_tables {
    () => {
        "c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid \
         AND e.deptype = 'e')"
    };
}

impl Schema {
    /// Reads it, in the open transaction if there is one.
    pub fn read(client: &mut Client) -> Result<Schema, Error> {
        let mut schema = Schema { tables: tables(client)?, types: types(client)? };
        for row in &client.query(COLUMNS, &[])? {
            let mut column = column(row)?;
            column.not_null |= schema.domain_refuses_null(column.type_oid);
            if let Some(table) = schema.tables.get_mut(&row.try_get(0)?) {
                table.columns.push(column);
            }
        }
        for row in &client.query(CONSTRAINTS, &[])? {
            if let Some(table) = schema.tables.get_mut(&row.try_get(0)?) {
                let (name, columns): (String, Vec<i16>) = (row.try_get(1)?, row.try_get(3)?);
                if row.try_get::<_, &str>(2)? == "f" {
                    let (referenced, is_deferrable) = (row.try_get(6)?, row.try_get(7)?);
                    table.references.push(Reference { name, columns, table: row.try_get(5)?, referenced, is_deferrable });
                } else {
                    table.checks.push(Check { name, columns, expression: row.try_get(4)? });
                }
            }
        }
        for row in &client.query(KEYS, &[])? {
            if let Some(table) = schema.tables.get_mut(&row.try_get(0)?) {
                table.keys.push(Key {
                    name: row.try_get(1)?,
                    columns: row.try_get(2)?,
                    elements: row.try_get(3)?,
                    predicate: row.try_get(4)?,
                    is_primary: row.try_get(5)?,
                    is_arbiter: row.try_get(6)?,
                    is_exclusion: row.try_get(7)?,
                });
            }
        }
        Ok(schema)
    }

    fn domain_refuses_null(&self, mut oid: Oid) -> bool {
        while let Some(found) = self.types.get(&oid).filter(|found| found.kind == 'd') {
            if found.not_null {
                return true;
            }
            oid = found.base;
        }
        false
    }
}

/// Each table's name and the numbers of its columns.
pub fn outline(client: &mut Client) -> Result<BTreeMap<Oid, (String, BTreeSet<i16>)>, Error> {
    const QUERY: &str = concat!(
        "SELECT c.oid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), ",
        "ARRAY(SELECT a.attnum FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) ",
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE ",
        described_tables!()
    );
    let table = |row: &Row| {
        let numbers: Vec<i16> = row.try_get(2)?;
        Ok((row.try_get(0)?, (row.try_get(1)?, numbers.into_iter().collect())))
    };
    client.query(QUERY, &[])?.iter().map(table).collect()
}

fn tables(client: &mut Client) -> Result<BTreeMap<Oid, Table>, Error> {
    const QUERY: &str = concat!(
        "SELECT c.oid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), c.relkind = 'p', ",
        "coalesce((SELECT i.inhparent FROM pg_catalog.pg_inherits i WHERE c.relispartition AND i.inhrelid = c.oid LIMIT 1), 0), ",
        "CASE WHEN c.relispartition THEN pg_catalog.pg_get_partition_constraintdef(c.oid) END ",
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE ",
        described_tables!()
    );
    let table = |row: &Row| {
        let oid: Oid = row.try_get(0)?;
        let (qualified, is_partitioned) = (row.try_get(1)?, row.try_get(2)?);
        let (parent, bound) = (row.try_get(3)?, row.try_get(4)?);
        Ok((oid, Table { oid, qualified, is_partitioned, parent, bound, ..Table::default() }))
    };
    client.query(QUERY, &[])?.iter().map(table).collect()
}

const COLUMNS: &str = concat!(
    "SELECT a.attrelid, a.attnum, a.attname::text, pg_catalog.quote_ident(a.attname), a.atttypid, a.atttypmod, ",
    "pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_catalog.pg_get_expr(d.adbin, d.adrelid), ",
    "a.attidentity <> '', a.attgenerated <> '' ",
    "FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid ",
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ",
    "LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum ",
    "WHERE a.attnum > 0 AND NOT a.attisdropped AND ",
    described_tables!(),
    " ORDER BY a.attrelid, a.attnum"
);

fn column(row: &Row) -> Result<Column, Error> {
    Ok(Column {
        number: row.try_get(1)?,
        name: row.try_get(2)?,
        quoted: row.try_get(3)?,
        type_oid: row.try_get(4)?,
        type_modifier: row.try_get(5)?,
        type_name: row.try_get(6)?,
        not_null: row.try_get(7)?,
        default: row.try_get(8)?,
        is_identity: row.try_get(9)?,
        is_generated: row.try_get(10)?,
    })
}

/// Clones of foreign keys for the partitions of the table they refer to are left out.
const CONSTRAINTS: &str = concat!(
    "SELECT k.conrelid, k.conname::text, k.contype::text, coalesce(k.conkey, '{}'), ",
    "coalesce(pg_catalog.pg_get_expr(k.conbin, k.conrelid), ''), k.confrelid, coalesce(k.confkey, '{}'), k.condeferrable ",
    "FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid ",
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ",
    "LEFT JOIN pg_catalog.pg_constraint parent ON parent.oid = k.conparentid ",
    "WHERE k.contype IN ('c', 'f') AND NOT coalesce(parent.conrelid = k.conrelid, false) AND ",
    described_tables!(),
    " ORDER BY k.conrelid, k.conname"
);

const KEYS: &str = concat!(
    "SELECT i.indrelid, x.relname::text, (i.indkey::int2[])[0:i.indnkeyatts - 1], ",
    "ARRAY(SELECT pg_catalog.pg_get_indexdef(i.indexrelid, s, true) FROM pg_catalog.generate_series(1, i.indnkeyatts) s), ",
    "pg_catalog.pg_get_expr(i.indpred, i.indrelid), i.indisprimary, ",
    "i.indisunique AND i.indisvalid AND i.indimmediate, i.indisexclusion ",
    "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid ",
    "JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ",
    "WHERE (i.indisunique OR i.indisexclusion) AND ",
    described_tables!(),
    " ORDER BY i.indrelid, x.relname"
);

fn types(client: &mut Client) -> Result<Types, Error> {
    const TYPES: &str = "SELECT t.oid, t.typname::text, n.nspname = 'pg_catalog', t.typtype::text, t.typcategory::text, \
         CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN t.typelem END, t.typbasetype, t.typtypmod, t.typnotnull, \
         coalesce(r.rngsubtype, m.rngsubtype, 0) \
         FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
         LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid LEFT JOIN pg_catalog.pg_range m ON m.rngmultitypid = t.oid";
    const LABELS: &str = "SELECT enumtypid, enumlabel::text FROM pg_catalog.pg_enum ORDER BY enumtypid, enumsortorder";
    const ATTRIBUTES: &str = "SELECT c.reltype, a.atttypid, a.atttypmod FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         WHERE c.reltype <> 0 AND c.relkind IN ('c', 'r', 'p') AND c.oid >= 16384 ORDER BY c.oid, a.attnum";
    const CHECKS: &str = "SELECT contypid, pg_catalog.pg_get_expr(conbin, 0) FROM pg_catalog.pg_constraint \
         WHERE contypid <> 0 AND contype = 'c' ORDER BY contypid, conname";
    let letter = |row: &Row, at: usize| row.try_get::<_, &str>(at).map(|text| text.chars().next().unwrap_or(' '));
    let mut types = Types::new();
    for row in &client.query(TYPES, &[])? {
        let facts = TypeFacts {
            name: row.try_get(1)?,
            is_built_in: row.try_get(2)?,
            kind: letter(row, 3)?,
            category: letter(row, 4)?,
            element: row.try_get(5)?,
            base: row.try_get(6)?,
            base_modifier: row.try_get(7)?,
            not_null: row.try_get(8)?,
            subtype: row.try_get(9)?,
            ..TypeFacts::default()
        };
        types.insert(row.try_get(0)?, facts);
    }
    for row in &client.query(LABELS, &[])? {
        if let Some(found) = types.get_mut(&row.try_get(0)?) {
            found.labels.push(row.try_get(1)?);
        }
    }
    for row in &client.query(ATTRIBUTES, &[])? {
        if let Some(found) = types.get_mut(&row.try_get(0)?) {
            found.attributes.push((row.try_get(1)?, row.try_get(2)?));
        }
    }
    for row in &client.query(CHECKS, &[])? {
        if let Some(found) = types.get_mut(&row.try_get(0)?) {
            found.checks.push(row.try_get(1)?);
        }
    }
    Ok(types)
}
