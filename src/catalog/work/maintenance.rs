//! Indexes and files: CREATE, ALTER and REINDEX INDEX, VACUUM, CLUSTER, REFRESH.

use super::{Build, Rewrite};
use crate::catalog::Catalog;
use crate::catalog::object::*;
use crate::op::{AlterTableCommand, CreateIndex, ObjectName, ReindexKind};
use crate::versions::locks::{Form, Role};

pub(super) fn create_index(c: &mut Catalog, create: &CreateIndex) {
    let Some(id) = c.resolve_relation(&create.relation) else { return };
    let Some(table) = c.relation(id).cloned() else { return };
    let exists = create.name.as_ref().is_some_and(|name| c.relation_name_taken(&table.schema, name)) && create.if_not_exists;
    let form = match (create.concurrently, exists) {
        (true, false) => Form::CreateIndexConcurrently,
        (true, true) => Form::CreateIndexConcurrentlyExisting,
        (false, false) => Form::CreateIndex,
        (false, true) => Form::CreateIndexExisting,
    };
    c.take(id, form, Role::Table);
    if table.kind == RelationKind::PartitionedTable && !create.only && !exists {
        // All below it, before it is known which of them has an index that fits.
        for id in c.with_descendants(id) {
            c.take(id, Form::CreateIndexOnPartitioned, Role::Partition);
        }
    }
}

/// ALTER INDEX, or ALTER TABLE of an index.
pub(super) fn alter_index(c: &mut Catalog, index: Id, command: &AlterTableCommand) {
    match command {
        AlterTableCommand::SetTablespace { .. } => c.take_index(index, Form::SetTablespaceOfIndex, Role::Index),
        AlterTableCommand::AttachIndex { index: child } => {
            let Some(child) = c.resolve_index(child) else { return };
            c.take_index(index, Form::AttachIndex, Role::PartitionedIndex);
            c.take_index(child, Form::AttachIndex, Role::PartitionIndex);
            for (index, role) in [(index, Role::Partitioned), (child, Role::Partition)] {
                if let Some(table) = c.indexes.get(&index).map(|index| index.relation) {
                    c.take(table, Form::AttachIndex, role);
                }
            }
        }
        AlterTableCommand::SetOptions { options } => {
            for form in options.iter().filter_map(|(name, _)| Form::of_parameter(name)) {
                c.take_index(index, index_form(form), Role::Index);
            }
        }
        AlterTableCommand::ResetOptions { options } => {
            for form in options.iter().filter_map(|name| Form::of_parameter(name)) {
                c.take_index(index, index_form(form), Role::Index);
            }
        }
        AlterTableCommand::SetStatistics { .. } => c.take_index(index, Form::SetIndexStatistics, Role::Index),
        // No other is one of indexes.
        _ => {}
    }
}

/// `fillfactor` is a parameter of tables and of indexes.
fn index_form(form: Form) -> Form {
    if form == Form::SetParameter { Form::SetIndexParameter } else { form }
}

pub(super) fn vacuum(c: &mut Catalog, relations: &[ObjectName], full: bool, analyze_only: bool) {
    let named: Vec<Id> = if relations.is_empty() {
        c.relations.values().filter(|relation| relation.kind.has_rows()).map(|relation| relation.id).collect()
    } else {
        relations.iter().filter_map(|name| c.resolve_relation(name)).collect()
    };
    for id in named {
        let form = match (full, analyze_only) {
            (true, _) => Form::VacuumFull,
            (false, true) => Form::Analyze,
            (false, false) => Form::Vacuum,
        };
        // From 18 on also what inherits from a table that is named.
        let inherits = c.versions.newest >= 18 && !relations.is_empty() && !analyze_only;
        let tables = if inherits { c.with_descendants(id) } else { c.with_descendants_if_partitioned(id) };
        for table in tables {
            c.take(table, form, Role::Table);
            if full {
                rewrite(c, table, Rewrite::VacuumFull);
            }
        }
        if analyze_only && !relations.is_empty() {
            for child in c.with_descendants(id).split_off(1) {
                c.take(child, Form::AnalyzeWithChild, Role::Child);
            }
        }
    }
}

/// A table into a new file, with its indexes; one without rows of its own has no file.
pub(super) fn rewrite(c: &mut Catalog, table: Id, why: Rewrite) {
    if c.relation(table).is_some_and(|relation| relation.kind.has_rows()) {
        c.rewrite(table, why);
        if !c.indexes_of(table).is_empty() {
            c.build_index(table, Build::Rewrite);
        }
    }
}

pub(super) fn reindex(c: &mut Catalog, kind: ReindexKind, name: Option<&ObjectName>, concurrently: bool) {
    let tables: Vec<Id> = match (kind, name) {
        (ReindexKind::Index, Some(name)) => {
            let Some(index) = c.resolve_index(name) else { return };
            let form = if concurrently { Form::ReindexIndexConcurrently } else { Form::ReindexIndex };
            for index in c.with_indexes_below(index) {
                let Some(table) = c.indexes.get(&index).map(|index| index.relation) else { continue };
                c.take(table, form, Role::Table);
                if !c.relation(table).is_some_and(|relation| relation.kind.has_rows()) {
                    continue;
                }
                // CONCURRENTLY locks an index in the end that nobody uses any more.
                if !concurrently {
                    c.take_index(index, form, Role::Index);
                }
                c.build_index(table, Build::Reindex { concurrently });
            }
            return;
        }
        (ReindexKind::Table, Some(name)) => {
            c.resolve_relation(name).into_iter().flat_map(|id| c.with_descendants_if_partitioned(id)).collect()
        }
        (ReindexKind::Schema, Some(name)) => {
            let in_schema = |relation: &&std::sync::Arc<Relation>| relation.schema == name.name;
            c.relations.values().filter(in_schema).map(|relation| relation.id).collect()
        }
        (ReindexKind::Database | ReindexKind::System, _) | (_, None) => {
            c.relations.values().map(|relation| relation.id).collect()
        }
    };
    let form = if concurrently { Form::ReindexTableConcurrently } else { Form::ReindexTable };
    for table in tables {
        let Some(of) = c.relation(table).map(|relation| relation.kind) else { continue };
        if kind == ReindexKind::Table || of.has_rows() {
            c.take(table, form, Role::Table);
        }
        if !of.has_rows() {
            continue;
        }
        let indexes = c.indexes_of(table);
        for index in indexes.iter().filter(|_| !concurrently) {
            c.take_index(index.id, form, Role::Index);
        }
        if !indexes.is_empty() {
            c.build_index(table, Build::Reindex { concurrently });
        }
    }
}

pub(super) fn refresh(c: &mut Catalog, name: &ObjectName, concurrently: bool) {
    let Some(id) = c.resolve_relation(name) else { return };
    if concurrently {
        c.take(id, Form::RefreshConcurrently, Role::MaterializedView);
        return;
    }
    c.take(id, Form::Refresh, Role::MaterializedView);
    c.rewrite(id, Rewrite::Refresh);
    if !c.indexes_of(id).is_empty() {
        c.build_index(id, Build::Rewrite);
    }
}

impl Catalog {
    /// An index and those of partitions that belong to it.
    fn with_indexes_below(&self, index: Id) -> Vec<Id> {
        let mut all = vec![index];
        let mut at = 0;
        while at < all.len() {
            let above = Some(all[at]);
            all.extend(self.indexes.values().filter(|below| below.parent == above).map(|below| below.id));
            at += 1;
        }
        all
    }
}
