//! The server's own tables and views that guards read: which there are, and what columns each has.

use crate::op::ObjectName;

/// `schema.table column column …` of `pg_attribute`, sorted; read off a server by the test below.
const COLUMNS: &str = include_str!("../data/system_columns.txt");

/// A table or view of `pg_catalog` or `information_schema` that the catalog can answer for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    Namespaces,
    /// `pg_class`: every relation and index.
    Class,
    Tables,
    InformationTables,
    Views,
    MaterializedViews,
    Sequences,
    /// `pg_indexes` and `pg_index`.
    Indexes,
    /// `pg_attribute` and `information_schema.columns`.
    Attributes,
    InformationColumns,
    Constraints,
    /// `information_schema.table_constraints`: without exclusion constraints.
    InformationConstraints,
    KeyColumnUsage,
    ConstraintColumnUsage,
    ReferentialConstraints,
    CheckConstraints,
    Types,
    Domains,
    EnumLabels,
    Routines,
    InformationRoutines,
    Triggers,
    InformationTriggers,
    Policies,
    Extensions,
    Roles,
    Publications,
    PublicationTables,
    Inheritance,
}

/// A table of [`Table`] with its columns' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemTable {
    pub table: Table,
    columns: &'static str,
}

impl SystemTable {
    /// The server's table under this name; `pg_catalog` is searched first where no schema is given.
    pub fn named(name: &ObjectName) -> Option<SystemTable> {
        let schema = name.schema.as_deref().unwrap_or("pg_catalog");
        let table = match (schema, name.name.as_str()) {
            ("pg_catalog", name) => match name {
                "pg_namespace" => Table::Namespaces,
                "pg_class" => Table::Class,
                "pg_tables" => Table::Tables,
                "pg_views" => Table::Views,
                "pg_matviews" => Table::MaterializedViews,
                "pg_sequences" => Table::Sequences,
                "pg_indexes" | "pg_index" => Table::Indexes,
                "pg_attribute" => Table::Attributes,
                "pg_constraint" => Table::Constraints,
                "pg_type" => Table::Types,
                "pg_enum" => Table::EnumLabels,
                "pg_proc" => Table::Routines,
                "pg_trigger" => Table::Triggers,
                "pg_policy" | "pg_policies" => Table::Policies,
                "pg_extension" => Table::Extensions,
                "pg_roles" | "pg_authid" | "pg_user" => Table::Roles,
                "pg_publication" => Table::Publications,
                "pg_publication_tables" => Table::PublicationTables,
                "pg_inherits" => Table::Inheritance,
                _ => return None,
            },
            ("information_schema", name) => match name {
                "schemata" => Table::Namespaces,
                "tables" => Table::InformationTables,
                "views" => Table::Views,
                "sequences" => Table::Sequences,
                "columns" => Table::InformationColumns,
                "table_constraints" => Table::InformationConstraints,
                "key_column_usage" => Table::KeyColumnUsage,
                "constraint_column_usage" => Table::ConstraintColumnUsage,
                "referential_constraints" => Table::ReferentialConstraints,
                "check_constraints" => Table::CheckConstraints,
                "domains" => Table::Domains,
                "routines" => Table::InformationRoutines,
                "triggers" => Table::InformationTriggers,
                _ => return None,
            },
            _ => return None,
        };
        let wanted = format!("{schema}.{}", name.name);
        let columns = COLUMNS.lines().filter_map(|line| line.split_once(' ')).find(|(table, _)| *table == wanted)?.1;
        Some(SystemTable { table, columns })
    }

    pub fn has_column(&self, column: &str) -> bool {
        self.columns.split(' ').any(|name| name == column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_that_is_named_has_its_columns_in_the_list() {
        for line in COLUMNS.lines() {
            let (table, _) = line.split_once(' ').unwrap();
            let (schema, name) = table.split_once('.').unwrap();
            let found = SystemTable::named(&ObjectName::qualified(schema, name));
            assert!(found.is_some(), "{table} is in the list and has no Table");
        }
        let class = SystemTable::named(&ObjectName::bare("pg_class")).unwrap();
        assert!(class.has_column("relname") && !class.has_column("table_name"));
        assert_eq!(SystemTable::named(&ObjectName::bare("columns")), None);
    }
}
