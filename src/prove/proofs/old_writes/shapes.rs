//! Statements in the shape that an application uses, made from a schema at which they work.

use super::super::super::rows::{Filler, Schema, Table, in_savepoint};
use super::Oid;
use super::cause::Refusal;
use postgres::{Client, Error};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Names every column; of one column where it is set.
    Select(Option<String>),
    Insert,
    /// Sets every column to what it is; one column where it is set.
    Update(Option<String>),
    SetNull(String),
    Delete,
    /// INSERT … ON CONFLICT with this arbiter.
    Upsert(String),
    /// The type of what a column gives.
    Type(String),
}

impl Shape {
    /// For people.
    pub fn words(&self) -> String {
        match self {
            Shape::Select(None) => "SELECT".to_owned(),
            Shape::Select(Some(column)) => format!("SELECT of {column}"),
            Shape::Insert => "INSERT of the required columns".to_owned(),
            Shape::Update(None) => "UPDATE".to_owned(),
            Shape::Update(Some(column)) => format!("UPDATE of {column}"),
            Shape::SetNull(column) => format!("UPDATE that sets {column} to NULL"),
            Shape::Delete => "DELETE".to_owned(),
            Shape::Upsert(arbiter) => format!("INSERT with ON CONFLICT {arbiter}"),
            Shape::Type(column) => format!("the type of {column}"),
        }
    }
}

#[derive(Clone, Debug)]
pub struct OldStatement {
    pub shape: Shape,
    pub sql: String,
    /// Columns that an INSERT names, raw.
    pub columns: Vec<String>,
    /// The same for one column each: run where the whole fails, to say which.
    pub parts: Vec<OldStatement>,
}

/// A relation as the previous release knows it, and what it does with it.
#[derive(Clone, Debug)]
pub struct OldRelation {
    pub qualified: String,
    /// None for views.
    pub table: Option<Table>,
    pub statements: Vec<OldStatement>,
    /// Name as SQL needs it → type and its name.
    types: BTreeMap<String, (Oid, String)>,
    /// Definitions of constraints and indexes by name.
    constraints: BTreeMap<String, String>,
}

impl OldRelation {
    /// Leaves out what is known to fail.
    pub fn forget(&mut self, failed: &BTreeSet<String>) {
        for statement in &mut self.statements {
            statement.parts.retain(|part| !failed.contains(&part.sql));
        }
        let broken = |statement: &OldStatement| failed.contains(&statement.sql);
        let (whole, parts): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.statements).into_iter().partition(|statement| statement.parts.is_empty());
        self.statements = whole.into_iter().filter(|statement| !broken(statement)).collect();
        // What several columns had in common may have lost one of them: those that are left stand alone.
        for statement in parts {
            if failed.is_empty() { self.statements.push(statement) } else { self.statements.extend(statement.parts) }
        }
        self.types.retain(|column, _| !failed.contains(&type_query(column, &self.qualified)));
    }

    /// Columns that are there under their name and give another type than before. Text that gets longer is the same to a client.
    pub fn retyped(&self, client: &mut Client) -> Result<Vec<Refusal>, Error> {
        let now = types(client, &[], Some(&self.qualified))?.remove(&self.qualified).unwrap_or_default();
        let mut found = Vec::new();
        for (column, (old, name)) in &self.types {
            let Some((_, new_name)) = now.get(column).filter(|(new, _)| family(*new) != family(*old)) else { continue };
            let which = if name == new_name { "another type of that name" } else { new_name };
            let message = format!("{column} is {which} now and was {name}");
            found.push(Refusal::of_type(column.clone(), message, type_query(column, &self.qualified)));
        }
        Ok(found)
    }

    /// True where the constraint that refused was there before, as it is now.
    pub fn has_same_constraint(&self, client: &mut Client, name: Option<&str>) -> Result<bool, Error> {
        let Some(name) = name else { return Ok(false) };
        let Some(old) = self.constraints.get(name) else { return Ok(false) };
        let now = constraints(client, &[], Some(&self.qualified))?.remove(&self.qualified).unwrap_or_default();
        Ok(now.get(name) == Some(old))
    }
}

fn type_query(column: &str, relation: &str) -> String {
    format!("SELECT {column} FROM {relation}")
}

/// text and varchar, and arrays of them, are one.
fn family(oid: Oid) -> Oid {
    match oid {
        1043 => 25,
        1015 => 1009,
        other => other,
    }
}

/// Runs one statement in the open transaction and undoes it. What the server says, if it refuses; deferred constraints are looked at.
pub fn attempt(client: &mut Client, sql: &str) -> Result<Option<Error>, Error> {
    let whole = format!(
        "SAVEPOINT phasegate_old; {sql}; SET CONSTRAINTS ALL IMMEDIATE; \
         ROLLBACK TO SAVEPOINT phasegate_old; RELEASE SAVEPOINT phasegate_old"
    );
    match client.batch_execute(&whole) {
        Ok(()) => Ok(None),
        Err(error) if error.as_db_error().is_some() => {
            client.batch_execute("ROLLBACK TO SAVEPOINT phasegate_old; RELEASE SAVEPOINT phasegate_old")?;
            Ok(Some(error))
        }
        Err(error) => Err(error),
    }
}

/// What the previous release does with these relations, as far as it works now. Inside a transaction.
pub fn build(
    client: &mut Client,
    schema: &Schema,
    filler: &mut Filler,
    relations: &[Oid],
) -> Result<BTreeMap<Oid, OldRelation>, Error> {
    const RELATIONS: &str = "SELECT c.oid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), c.relkind::text, \
         ARRAY(SELECT pg_catalog.quote_ident(a.attname) FROM pg_catalog.pg_attribute a \
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY($1) ORDER BY 2";
    let mut types = types(client, relations, None)?;
    let mut constraints = constraints(client, relations, None)?;
    let mut built = BTreeMap::new();
    for row in client.query(RELATIONS, &[&relations])? {
        let (oid, qualified): (Oid, String) = (row.try_get(0)?, row.try_get(1)?);
        let (kind, columns): (String, Vec<String>) = (row.try_get(2)?, row.try_get(3)?);
        let table = schema.tables.get(&oid).cloned();
        let statements = match (&table, kind.as_str()) {
            (Some(table), _) => Building { client, schema, filler }.of_table(table)?,
            (None, "v") => Building { client, schema, filler }.of_view(&qualified, &columns, true)?,
            (None, "m") => Building { client, schema, filler }.of_view(&qualified, &columns, false)?,
            (None, _) => continue,
        };
        let relation = OldRelation {
            table,
            statements,
            types: types.remove(&qualified).unwrap_or_default(),
            constraints: constraints.remove(&qualified).unwrap_or_default(),
            qualified,
        };
        built.insert(oid, relation);
    }
    Ok(built)
}

struct Building<'a> {
    client: &'a mut Client,
    schema: &'a Schema,
    filler: &'a mut Filler,
}

impl Building<'_> {
    fn of_table(&mut self, table: &Table) -> Result<Vec<OldStatement>, Error> {
        let name = &table.qualified;
        let all: Vec<String> = table.columns.iter().map(|column| column.quoted.clone()).collect();
        let plain: Vec<String> = table
            .columns
            .iter()
            .filter(|column| !column.is_generated && !column.is_identity)
            .map(|column| column.quoted.clone())
            .collect();
        let mut kept = Vec::new();
        kept.extend(self.select(name, &all)?);
        kept.extend(self.update(name, &plain)?);
        for column in table.columns.iter().filter(|column| !column.not_null && plain.contains(&column.quoted)) {
            let quoted = &column.quoted;
            let sql = format!("UPDATE {name} SET {quoted} = NULL");
            kept.extend(self.working(Shape::SetNull(column.name.clone()), sql)?);
        }
        kept.extend(self.delete(table)?);
        let required: Vec<String> =
            table.columns.iter().filter(|column| column.is_required()).map(|column| column.name.clone()).collect();
        let Some(insert) = self.filler.insertion(self.client, self.schema, table, &required)? else { return Ok(kept) };
        let set = table
            .columns
            .iter()
            .find(|column| required.contains(&column.name))
            .map(|column| column.quoted.clone())
            .or_else(|| plain.first().cloned());
        for key in table.keys.iter().filter(|key| key.is_arbiter) {
            let predicate = key.predicate.as_ref().map(|predicate| format!(" WHERE {predicate}")).unwrap_or_default();
            let elements: Vec<String> = key
                .elements
                .iter()
                .zip(&key.columns)
                .map(|(element, number)| if *number == 0 { format!("({element})") } else { element.clone() })
                .collect();
            let arbiter = format!("({}){predicate}", elements.join(", "));
            let action = set.as_ref().map_or("NOTHING".to_owned(), |set| format!("UPDATE SET {set} = EXCLUDED.{set}"));
            let sql = format!("{insert} ON CONFLICT {arbiter} DO {action}");
            let upsert = self.working(Shape::Upsert(arbiter), sql)?;
            kept.extend(upsert.map(|upsert| OldStatement { columns: required.clone(), ..upsert }));
        }
        if let Some(insert) = self.working(Shape::Insert, insert)? {
            kept.push(OldStatement { columns: required, ..insert });
        }
        Ok(kept)
    }

    fn of_view(&mut self, name: &str, columns: &[String], is_writable: bool) -> Result<Vec<OldStatement>, Error> {
        let mut kept: Vec<OldStatement> = self.select(name, columns)?;
        if is_writable {
            kept.extend(self.update(name, columns)?);
        }
        Ok(kept)
    }

    fn select(&mut self, name: &str, columns: &[String]) -> Result<Vec<OldStatement>, Error> {
        let of = |columns: &[String]| format!("SELECT {} FROM {name} LIMIT 1", columns.join(", "));
        self.each(columns, Shape::Select, &of)
    }

    fn update(&mut self, name: &str, columns: &[String]) -> Result<Vec<OldStatement>, Error> {
        let of = |columns: &[String]| {
            let set: Vec<String> = columns.iter().map(|column| format!("{column} = {column}")).collect();
            format!("UPDATE {name} SET {}", set.join(", "))
        };
        self.each(columns, Shape::Update, &of)
    }

    /// All columns at once, with one statement for each behind it; where all at once does not work, those that work alone.
    fn each(
        &mut self,
        columns: &[String],
        shape: impl Fn(Option<String>) -> Shape,
        sql: &dyn Fn(&[String]) -> String,
    ) -> Result<Vec<OldStatement>, Error> {
        if columns.is_empty() {
            return Ok(Vec::new());
        }
        let one = |column: &String| {
            let sql = sql(std::slice::from_ref(column));
            OldStatement { shape: shape(Some(column.clone())), sql, columns: Vec::new(), parts: Vec::new() }
        };
        if let Some(whole) = self.working(shape(None), sql(columns))? {
            return Ok(vec![OldStatement { parts: columns.iter().map(one).collect(), ..whole }]);
        }
        let mut kept = Vec::new();
        for part in columns.iter().map(one) {
            kept.extend(self.working(part.shape, part.sql)?);
        }
        Ok(kept)
    }

    /// A row by its key, the last that can go; all rows where nothing tells them apart.
    fn delete(&mut self, table: &Table) -> Result<Option<OldStatement>, Error> {
        const ROWS: usize = 12;
        let name = &table.qualified;
        let names: Vec<&str> = table
            .identity()
            .into_iter()
            .flat_map(|key| &key.columns)
            .filter_map(|number| table.column(*number))
            .map(|column| column.quoted.as_str())
            .collect();
        if names.is_empty() {
            return self.working(Shape::Delete, format!("DELETE FROM {name}"));
        }
        let cell =
            |name: &&str| format!("pg_catalog.format('%s = %L', pg_catalog.quote_ident({}), {name}::text)", quoted_raw(name));
        let condition = names.iter().map(cell).collect::<Vec<_>>().join(" || ' AND ' || ");
        let query = format!("SELECT {condition} FROM {name} LIMIT {ROWS}");
        let conditions: Vec<String> = match in_savepoint(self.client, |client| client.query(&query, &[]))? {
            Ok(rows) => rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?,
            Err(_) => return Ok(None),
        };
        for condition in conditions.iter().rev() {
            let kept = self.working(Shape::Delete, format!("DELETE FROM {name} WHERE {condition}"))?;
            if kept.is_some() {
                return Ok(kept);
            }
        }
        Ok(None)
    }

    /// The statement, where it works now.
    fn working(&mut self, shape: Shape, sql: String) -> Result<Option<OldStatement>, Error> {
        let refused = attempt(self.client, &sql)?;
        Ok(refused.is_none().then(|| OldStatement { shape, sql, columns: Vec::new(), parts: Vec::new() }))
    }
}

/// The name that an identifier in SQL stands for, as a string constant.
fn quoted_raw(identifier: &str) -> String {
    let raw = match identifier.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) => inside.replace("\"\"", "\""),
        None => identifier.to_owned(),
    };
    format!("'{}'", raw.replace('\'', "''"))
}

type ByRelation<T> = BTreeMap<String, BTreeMap<String, T>>;

/// By relation, then by column: the type that a client is told, which is a domain's base.
fn types(client: &mut Client, relations: &[Oid], name: Option<&str>) -> Result<ByRelation<(Oid, String)>, Error> {
    const QUERY: &str = "WITH RECURSIVE base AS ( \
           SELECT oid AS of, oid, typbasetype FROM pg_catalog.pg_type \
           UNION ALL SELECT b.of, t.oid, t.typbasetype FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.typbasetype) \
         SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), pg_catalog.quote_ident(a.attname), \
         base.oid, pg_catalog.format_type(base.oid, NULL) \
         FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN base ON base.of = a.atttypid AND base.typbasetype = 0 \
         WHERE a.attnum > 0 AND NOT a.attisdropped AND (c.oid = ANY($1) OR c.oid = pg_catalog.to_regclass($2))";
    let mut found: ByRelation<(Oid, String)> = BTreeMap::new();
    for row in client.query(QUERY, &[&relations, &name])? {
        found.entry(row.try_get(0)?).or_default().insert(row.try_get(1)?, (row.try_get(2)?, row.try_get(3)?));
    }
    Ok(found)
}

/// By relation, then by name: what constraints and indexes on it, and foreign keys that refer to it, say.
fn constraints(client: &mut Client, relations: &[Oid], name: Option<&str>) -> Result<ByRelation<String>, Error> {
    const QUERY: &str = "SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), d.name, d.says \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL ( \
           SELECT k.conname::text AS name, pg_catalog.pg_get_constraintdef(k.oid) AS says FROM pg_catalog.pg_constraint k \
           WHERE k.conrelid = c.oid OR k.confrelid = c.oid \
           UNION ALL SELECT x.relname::text, pg_catalog.pg_get_indexdef(i.indexrelid) FROM pg_catalog.pg_index i \
           JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid \
           WHERE i.indrelid = c.oid AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid)) d \
         WHERE c.oid = ANY($1) OR c.oid = pg_catalog.to_regclass($2) ORDER BY 1, 2, 3";
    let mut found: ByRelation<String> = BTreeMap::new();
    for row in client.query(QUERY, &[&relations, &name])? {
        let says: String = row.try_get(2)?;
        found.entry(row.try_get(0)?).or_default().entry(row.try_get(1)?).or_default().push_str(&says);
    }
    Ok(found)
}
