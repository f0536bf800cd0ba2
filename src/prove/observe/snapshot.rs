//! Catalog rows → the canonical description, without OIDs.

use super::catalogs::*;
use crate::catalog::snapshot::{
    Column, Constraint, Index, Policy, Publication, Relation, RelationKind, Routine, RowSecurity, Sequence, Snapshot, Trigger,
    Type, TypeKind,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Describes everything that is no member of an extension. Every field is known.
pub fn snapshot(catalogs: &Catalogs) -> Snapshot {
    let hanging = Hanging::collect(catalogs);
    let relations = catalogs.classes.iter().filter(|(oid, _)| !catalogs.is_member(PG_CLASS, **oid));
    let types = catalogs.types.iter().filter(|(oid, _)| !catalogs.is_member(PG_TYPE, **oid));
    let routines = catalogs.routines.iter().filter(|(oid, _)| !catalogs.is_member(PG_PROC, **oid));
    let namespaces = catalogs.namespaces.iter().filter(|(oid, _)| !catalogs.is_member(PG_NAMESPACE, **oid));
    Snapshot {
        schemas: namespaces.map(|(_, namespace)| namespace.name.clone()).collect(),
        relations: relations.map(|(oid, class)| (class.qualified.clone(), relation(catalogs, &hanging, *oid, class))).collect(),
        types: types.map(|(oid, row)| (row.qualified.clone(), type_of(&hanging, *oid, row))).collect(),
        routines: routines.map(|(_, row)| (row.signature.clone(), routine(row))).collect(),
        extensions: catalogs.extensions.values().map(|row| (row.name.clone(), Some(row.schema.clone()))).collect(),
        publications: catalogs.publications.iter().map(|(name, row)| (name.clone(), publication(row))).collect(),
        grants: Some(grants(catalogs)),
    }
}

/// Rows by the object they hang on, so that a relation need not search for its own.
#[derive(Default)]
struct Hanging<'a> {
    /// By table, or by domain.
    constraints: HashMap<Oid, Vec<&'a ConstraintRow>>,
    indexes: HashMap<Oid, Vec<&'a IndexRow>>,
    triggers: HashMap<Oid, Vec<&'a TriggerRow>>,
    policies: HashMap<Oid, Vec<&'a PolicyRow>>,
    rules: HashMap<Oid, Vec<&'a RuleRow>>,
    labels: HashMap<Oid, Vec<&'a LabelRow>>,
}

impl<'a> Hanging<'a> {
    fn collect(catalogs: &'a Catalogs) -> Hanging<'a> {
        let mut hanging = Hanging::default();
        for row in catalogs.constraints.values().filter(|row| !row.is_clone) {
            hanging.constraints.entry(row.relation.max(row.domain)).or_default().push(row);
        }
        for row in catalogs.indexes.values() {
            hanging.indexes.entry(row.relation).or_default().push(row);
        }
        for row in catalogs.triggers.values() {
            hanging.triggers.entry(row.relation).or_default().push(row);
        }
        for row in catalogs.policies.values() {
            hanging.policies.entry(row.relation).or_default().push(row);
        }
        for row in catalogs.rules.values() {
            hanging.rules.entry(row.relation).or_default().push(row);
        }
        for row in catalogs.labels.values() {
            hanging.labels.entry(row.enum_type).or_default().push(row);
        }
        hanging.labels.values_mut().for_each(|labels| labels.sort_by_key(|label| label.position));
        hanging
    }
}

fn of<'a, T>(hanging: &'a HashMap<Oid, Vec<&'a T>>, owner: Oid) -> impl Iterator<Item = &'a T> {
    hanging.get(&owner).into_iter().flatten().copied()
}

fn relation(catalogs: &Catalogs, hanging: &Hanging<'_>, oid: Oid, class: &Class) -> Relation {
    let names: HashMap<i16, &str> = catalogs.columns_of(oid).map(|(number, column)| (number, column.name.as_str())).collect();
    let name = |number: &i16| names.get(number).map_or_else(String::new, |name| (*name).to_owned());
    let qualified = |relation: Oid| catalogs.classes.get(&relation).map_or_else(String::new, |class| class.qualified.clone());
    let parents = catalogs.inherits.range((oid, i32::MIN)..=(oid, i32::MAX)).map(|(_, parent)| qualified(*parent)).collect();
    let constrained = |row: &ConstraintRow| {
        let mut numbers = row.columns.clone();
        if row.kind == 'c' {
            // The server keeps them as its parser happened to meet them.
            numbers.sort_unstable();
        }
        numbers.iter().map(name).collect()
    };
    Relation {
        kind: Some(kind(class.kind)),
        columns: Some(catalogs.columns_of(oid).map(|(_, column)| describe_column(column)).collect()),
        constraints: Some(
            of(&hanging.constraints, oid)
                .map(|row| (row.name.clone(), constraint(row, constrained(row), qualified(row.referenced))))
                .collect(),
        ),
        indexes: Some(of(&hanging.indexes, oid).map(|row| (row.name.clone(), index(row, name))).collect()),
        triggers: Some(of(&hanging.triggers, oid).map(|row| (row.name.clone(), trigger(row))).collect()),
        policies: Some(of(&hanging.policies, oid).map(|row| (row.name.clone(), policy(row))).collect()),
        row_security: Some(RowSecurity { enabled: class.row_security, forced: class.force_row_security }),
        owner: Some(class.privileges.owner.clone()),
        parents: Some(parents),
        partition_strategy: Some(strategy(class.partition_strategy).into()),
        partition: Some(class.is_partition),
        persistence: Some(if class.persistence == 'u' { "unlogged" } else { "permanent" }.into()),
        rules: Some(of(&hanging.rules, oid).map(|row| row.name.clone()).collect::<BTreeSet<_>>()),
        sequence: Some(catalogs.sequences.get(&oid).map_or_else(Sequence::default, |row| sequence(catalogs, row))),
        replica_identity: Some(replica_identity(class.replica_identity).into()),
    }
}

fn kind(relkind: char) -> RelationKind {
    match relkind {
        'p' => RelationKind::PartitionedTable,
        'v' => RelationKind::View,
        'm' => RelationKind::MaterializedView,
        'S' => RelationKind::Sequence,
        'f' => RelationKind::ForeignTable,
        'c' => RelationKind::CompositeType,
        _ => RelationKind::Table,
    }
}

fn strategy(partstrat: char) -> &'static str {
    match partstrat {
        'r' => "range",
        'l' => "list",
        'h' => "hash",
        _ => "",
    }
}

fn replica_identity(relreplident: char) -> &'static str {
    match relreplident {
        'd' => "default",
        'f' => "full",
        'i' => "index",
        _ => "nothing",
    }
}

fn describe_column(row: &Attribute) -> Column {
    Column {
        name: row.name.clone(),
        type_name: Some(row.type_name.clone()),
        not_null: Some(row.not_null),
        default: Some(row.has_default && row.generated.is_empty()),
        identity: Some(row.identity.clone()),
        generated: Some(row.generated.clone()),
        collation: Some(row.collation.clone()),
    }
}

fn constraint(row: &ConstraintRow, columns: Vec<String>, references: String) -> Constraint {
    Constraint {
        kind: Some(row.kind.into()),
        columns: Some(columns),
        references: Some(references),
        validated: Some(row.validated),
        deferrable: Some(row.deferrable),
        initially_deferred: Some(row.initially_deferred),
        on_delete: Some(row.on_delete.clone()),
        on_update: Some(row.on_update.clone()),
    }
}

fn index(row: &IndexRow, name: impl Fn(&i16) -> String) -> Index {
    let (keys, included) = row.columns.split_at(usize::try_from(row.key_columns).unwrap_or(0).min(row.columns.len()));
    Index {
        unique: Some(row.unique),
        valid: Some(row.valid),
        columns: Some(keys.iter().map(&name).collect()),
        including: Some(included.iter().map(&name).collect()),
        predicate: Some(row.predicate),
        method: Some(row.method.clone()),
        constraint: Some(row.of_constraint),
    }
}

/// Bits of `pg_trigger.tgtype`, from `src/include/catalog/pg_trigger.h`.
fn trigger(row: &TriggerRow) -> Trigger {
    let has = |bit: i16| row.bits & bit != 0;
    let timing = if has(64) {
        "instead of"
    } else if has(2) {
        "before"
    } else {
        "after"
    };
    let events: Vec<&str> = [(4, "insert"), (8, "delete"), (16, "update"), (32, "truncate")]
        .into_iter()
        .filter_map(|(bit, event)| has(bit).then_some(event))
        .collect();
    let level = if has(1) { "row" } else { "statement" };
    Trigger {
        events: Some(format!("{timing} {} {level}", events.join(" or "))),
        function: Some(row.function.clone()),
        enabled: Some(row.enabled.clone()),
    }
}

/// Letters of `pg_policy.polcmd`.
fn policy(row: &PolicyRow) -> Policy {
    let command = match row.command {
        'r' => "select",
        'a' => "insert",
        'w' => "update",
        'd' => "delete",
        _ => "all",
    };
    Policy { command: Some(command.into()), permissive: Some(row.permissive), roles: Some(row.roles.clone()) }
}

fn sequence(catalogs: &Catalogs, row: &SequenceRow) -> Sequence {
    let owner = row.owner.and_then(|(relation, number)| {
        let class = catalogs.classes.get(&relation)?;
        Some(format!("{}.{}", class.qualified, catalogs.attributes.get(&(relation, number))?.quoted))
    });
    Sequence { type_name: Some(row.type_name.clone()), owned_by: Some(owner.unwrap_or_default()) }
}

fn type_of(hanging: &Hanging<'_>, oid: Oid, row: &TypeRow) -> Type {
    Type {
        kind: Some(match row.kind {
            'e' => TypeKind::Enum,
            'd' => TypeKind::Domain,
            'r' => TypeKind::Range,
            _ => TypeKind::Base,
        }),
        labels: Some(of(&hanging.labels, oid).map(|label| label.label.clone()).collect()),
        base: Some(row.base.clone()),
        not_null: Some(row.not_null),
        default: Some(row.has_default),
        constraints: Some(of(&hanging.constraints, oid).map(|row| (row.name.clone(), Some(row.validated))).collect()),
        owner: Some(row.owner.clone()),
    }
}

fn routine(row: &RoutineRow) -> Routine {
    Routine {
        kind: Some(row.kind.clone()),
        returns: Some(row.returns.clone()),
        language: Some(row.language.clone()),
        volatility: Some(row.volatility.clone()),
        security_definer: Some(row.security_definer),
        owner: Some(row.privileges.owner.clone()),
    }
}

fn publication(row: &PublicationRow) -> Publication {
    Publication {
        all_tables: Some(row.all_tables),
        tables: Some(row.tables.iter().cloned().collect()),
        schemas: Some(row.schemas.iter().cloned().collect()),
    }
}

fn grants(catalogs: &Catalogs) -> BTreeMap<String, Vec<String>> {
    let stored = |privileges: &Privileges| privileges.stored.clone();
    let mut found = BTreeMap::new();
    for (oid, namespace) in catalogs.namespaces.iter() {
        if !catalogs.is_member(PG_NAMESPACE, *oid) {
            found.extend(stored(&namespace.privileges).map(|grants| (namespace.quoted.clone(), grants)));
        }
    }
    for (oid, class) in catalogs.classes.iter().filter(|(oid, _)| !catalogs.is_member(PG_CLASS, **oid)) {
        found.extend(stored(&class.privileges).map(|grants| (class.qualified.clone(), grants)));
        for (_, column) in catalogs.columns_of(*oid) {
            found.extend(column.grants.clone().map(|grants| (format!("{}.{}", class.qualified, column.quoted), grants)));
        }
    }
    for (oid, row) in catalogs.routines.iter() {
        if !catalogs.is_member(PG_PROC, *oid) {
            found.extend(stored(&row.privileges).map(|grants| (row.signature.clone(), grants)));
        }
    }
    found
}
