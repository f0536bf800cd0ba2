use super::shared::list;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::Catalog;
use crate::catalog::change::{Change, Event};
use crate::catalog::object::{Id, Publication, Relation, RelationKind};
use crate::finding::Level;
use crate::op::{Persistence, ReplicaIdentity};

pub const RULE: Rule =
    Rule { id: "replication-change", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        match &event.change {
            Change::ConstraintDropped { relation, .. }
            | Change::IndexDropped { relation, .. }
            | Change::ReplicaIdentityChanged { relation } => identity_lost(cx, event, relation, findings),
            Change::PublicationCreated { publication } => {
                taken_in(cx, event, publication, &published_by(cx.after, publication), findings);
            }
            Change::PublicationAltered { publication, added, .. } => {
                let now = cx.after.publications.get(&publication.name).unwrap_or(publication);
                // New options (`publish`) concern every table of it.
                let tables = if added.is_empty() { published_by(cx.after, now) } else { added.clone() };
                let fails = taken_in(cx, event, now, &tables, findings);
                if !fails && cx.older(publication.birth) {
                    changed(cx, event, &format!("publication {}", publication.name), findings);
                }
            }
            Change::PublicationDropped { publication } if cx.older(publication.birth) => {
                changed(cx, event, &format!("publication {}", publication.name), findings);
            }
            Change::SubscriptionChanged { name } => changed(cx, event, &format!("subscription {name}"), findings),
            _ => {}
        }
    }
}

fn changed(cx: &Context<'_>, event: &Event, what: &str, findings: &mut Findings) {
    findings.push(cx.finding(
        RULE.id,
        Level::Warning,
        event,
        what.to_string(),
        format!("{what} changes: what subscribers of the previous release receive changes with it"),
        "agree with those who read the stream first; rows that were not sent meanwhile do not come later".into(),
    ));
}

/// A published table that had an identity and has none at the end of the unit.
fn identity_lost(cx: &Context<'_>, event: &Event, relation: &Relation, findings: &mut Findings) {
    let (Some(before), Some(after)) = (cx.before.relation(relation.id), cx.after.relation(relation.id)) else { return };
    if !cx.older_table(relation) || !has_identity(cx.before, before) || has_identity(cx.after, after) {
        return;
    }
    let publications: Vec<&str> = cx
        .after
        .publications
        .values()
        .filter(|publication| sends_old_rows(publication) && publishes(cx.after, publication, after))
        .map(|publication| publication.name.as_str())
        .collect();
    if publications.is_empty() {
        return;
    }
    let name = cx.label(relation);
    findings.push(
        cx.finding(
            RULE.id,
            Level::Error,
            event,
            name.clone(),
            format!(
                "{name} is published by {} and loses its replica identity: UPDATE and DELETE of the previous release fail at once (55000)",
                list(&publications)
            ),
            format!("give {name} another identity first: ALTER TABLE {name} REPLICA IDENTITY USING INDEX …, or FULL"),
        )
        .related(cx.created(relation.birth)),
    );
}

/// Older tables without an identity that a publication of UPDATE or DELETE takes in. True where there were any.
fn taken_in(cx: &Context<'_>, event: &Event, publication: &Publication, tables: &[Id], findings: &mut Findings) -> bool {
    if !sends_old_rows(publication) {
        return false;
    }
    let mut any = false;
    for table in tables.iter().filter_map(|id| cx.after.relation(*id)) {
        let sent_before = cx.released.publications.values().any(|old| {
            sends_old_rows(old) && cx.released_relation(table.id).is_some_and(|before| publishes(cx.released, old, before))
        });
        if !cx.older_table(table) || !table.known || has_identity(cx.after, table) || sent_before {
            continue;
        }
        any = true;
        let name = cx.label(table);
        findings.push(
            cx.finding(
                RULE.id,
                Level::Error,
                event,
                name.clone(),
                format!(
                    "publication {} takes in {name}, which has no primary key or replica identity: UPDATE and DELETE of the previous \
                     release fail at once (55000)",
                    publication.name
                ),
                format!("ALTER TABLE {name} REPLICA IDENTITY USING INDEX … or FULL before; or publish only insert and truncate of it"),
            )
            .related(cx.created(table.birth)),
        );
    }
    any
}

fn sends_old_rows(publication: &Publication) -> bool {
    publication.publishes.is_empty() || publication.publishes.iter().any(|word| word == "update" || word == "delete")
}

/// Tables of a publication. FOR ALL TABLES means permanent ones.
fn published_by(catalog: &Catalog, publication: &Publication) -> Vec<Id> {
    catalog.relations.values().filter(|relation| publishes(catalog, publication, relation)).map(|relation| relation.id).collect()
}

fn publishes(catalog: &Catalog, publication: &Publication, relation: &Relation) -> bool {
    let can = matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable)
        && relation.persistence == Persistence::Permanent;
    let by_parent = || relation.parents.iter().filter(|_| relation.partition_bound.is_some()).filter_map(|id| catalog.relation(*id));
    can && (publication.all_tables
        || publication.tables.contains(&relation.id)
        || publication.schemas.contains(&relation.schema)
        || by_parent().any(|parent| publishes(catalog, publication, parent)))
}

fn has_identity(catalog: &Catalog, relation: &Relation) -> bool {
    match &relation.replica_identity {
        ReplicaIdentity::Full => true,
        ReplicaIdentity::Nothing => false,
        ReplicaIdentity::Default => relation.primary_key().is_some() || !relation.known,
        ReplicaIdentity::Index(name) => catalog.indexes_of(relation.id).iter().any(|index| index.name == *name),
    }
}
