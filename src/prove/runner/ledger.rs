//! The ledgers of runners, found in a database or named by the user.

use super::{Ledger, known};
use postgres::Client;

/// Ledgers of runners that have no layout here, with the column that tells units apart: Rails and Ecto share dbmate's.
const OTHERS: [(&str, &str); 8] = [
    ("alembic_version", "version_num"),
    ("django_migrations", "name"),
    ("__EFMigrationsHistory", "MigrationId"),
    ("knex_migrations", "name"),
    ("SequelizeMeta", "name"),
    ("typeorm_migrations", "name"),
    ("mikro_orm_migrations", "name"),
    ("kysely_migration", "name"),
];

impl Ledger {
    /// Reads `table(column)`, both as in SQL, the table with its schema where it has to be.
    pub fn parse(text: &str) -> Option<Ledger> {
        let (table, rest) = text.trim().split_once('(')?;
        let column = rest.strip_suffix(')')?.trim();
        let table = table.trim();
        let is_name = |name: &str| !name.is_empty() && !name.contains([';', '(', ')']);
        let is_column = is_name(column) && (!column.contains('.') || column.starts_with('"'));
        (is_name(table) && is_column).then(|| Ledger { table: table.to_owned(), column: column.to_owned() })
    }

    /// The ledger of a common runner that stands in the database, by its name and column. Of several it is
    /// the first by name.
    pub fn find(client: &mut Client) -> Result<Option<Ledger>, postgres::Error> {
        let of_layouts = known::ALL.iter().map(|profile| (bare(profile.ledger.table), profile.ledger.column));
        let (tables, columns): (Vec<&str>, Vec<&str>) = of_layouts.chain(OTHERS).unzip();
        let rows = client.query(
            "SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), pg_catalog.quote_ident(a.attname) \
             FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) known (name, key) \
             JOIN pg_catalog.pg_class c ON c.relname = known.name AND c.relkind IN ('r', 'p') \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = known.key AND NOT a.attisdropped \
             ORDER BY 1, 2 LIMIT 1",
            &[&tables, &columns],
        )?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(Ledger { table: row.try_get(0)?, column: row.try_get(1)? }))
    }

    /// What is in it: the column's values as text, sorted.
    pub fn rows(&self, client: &mut Client) -> Result<Vec<String>, postgres::Error> {
        let query = format!("SELECT coalesce({}::text, '') FROM {} ORDER BY 1", self.column, self.table);
        client.query(&query, &[])?.iter().map(|row| row.try_get(0)).collect()
    }
}

/// A name without schema and quotes.
fn bare(table: &str) -> &str {
    table.rsplit('.').next().unwrap_or(table).trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_named_as_table_and_column() {
        let ledger = |table: &str, column: &str| Some(Ledger { table: table.into(), column: column.into() });
        assert_eq!(Ledger::parse("app.done (version)"), ledger("app.done", "version"));
        assert_eq!(Ledger::parse("\"Done\"(\"Id\")"), ledger("\"Done\"", "\"Id\""));
        for wrong in ["done", "done()", "(version)", "done(version", "a; DROP TABLE b(c)", "done(a.b)"] {
            assert_eq!(Ledger::parse(wrong), None, "{wrong}");
        }
    }
}
