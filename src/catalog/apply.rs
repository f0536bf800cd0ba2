//! One statement onto the catalog: the exhaustive dispatch. Each kind's rules are in its own file.

use super::change::{Change, RowChange};
use super::{
    Catalog, body, dml, domain, drop, enumeration, extension, index, other, owner, policy, privilege, publication, relocate,
    rename, role, routine, schema, sequence, session, table, trigger, type_object, view,
};
use crate::op::Op;

pub(super) fn apply(catalog: &mut Catalog, op: &Op) {
    match op {
        Op::CreateSchema { name, if_not_exists, owner, elements } => {
            schema::create(catalog, name, *if_not_exists, owner.as_deref(), elements)
        }
        Op::CreateTable(create) => table::create(catalog, create),
        Op::CreateTableAs(create) => view::create_table_as(catalog, create),
        Op::CreateView(create) => view::create(catalog, create),
        Op::CreateIndex(create) => index::create(catalog, create),
        Op::CreateSequence { name, persistence, if_not_exists, options } => {
            sequence::create(catalog, name, *persistence, *if_not_exists, options)
        }
        Op::AlterSequence { name, if_exists, options } => sequence::alter(catalog, name, *if_exists, options),
        Op::AlterTable(alter) => table::alter(catalog, alter),
        Op::AlterAllInTablespace => {}
        Op::CreateType { name, definition } => type_object::create(catalog, name, definition),
        Op::CreateDomain { name, base, collation, constraints } => {
            domain::create(catalog, name, base, collation.as_ref(), constraints)
        }
        Op::AlterEnum { name, change } => enumeration::alter(catalog, name, change),
        Op::AlterDomain { name, change } => domain::alter(catalog, name, change),
        Op::CreateRoutine(create) => routine::create(catalog, create),
        Op::AlterRoutine { routine, changes } => routine::alter(catalog, routine, changes),
        Op::CreateAggregate { name, or_replace, args, state, final_function } => {
            routine::create_aggregate(catalog, name, *or_replace, args, state.as_ref(), final_function.as_ref())
        }
        Op::CreateTrigger(create) => trigger::create(catalog, create),
        Op::CreateEventTrigger { name } => other::create_named(catalog, crate::op::ObjectKind::EventTrigger, name),
        Op::AlterEventTrigger { name, .. } => other::alter_named(catalog, crate::op::ObjectKind::EventTrigger, name),
        Op::CreateRule { name, relation, or_replace, event, instead, .. } => {
            trigger::create_rule(catalog, name, relation, *or_replace, event, *instead)
        }
        Op::CreatePolicy(create) => policy::create(catalog, create),
        Op::AlterPolicy(alter) => policy::alter(catalog, alter),
        Op::CreateExtension { name, if_not_exists, schema, cascade, .. } => {
            extension::create(catalog, name, *if_not_exists, schema.as_deref(), *cascade)
        }
        Op::AlterExtension { name, change } => extension::alter(catalog, name, change),
        Op::CreateOther { object, or_replace, if_not_exists, .. } => other::create(catalog, object, *or_replace, *if_not_exists),
        Op::AlterOther { object, .. } => other::alter(catalog, object),
        Op::Drop { objects, if_exists, cascade, concurrently } => {
            drop::objects(catalog, objects, *if_exists, *cascade, *concurrently)
        }
        Op::Rename { object, to, if_exists, .. } => rename::object(catalog, object, to, *if_exists),
        Op::SetSchema { object, schema, if_exists } => relocate::set_schema(catalog, object, schema, *if_exists),
        Op::SetOwner { object, role } => owner::set_owner(catalog, object, role),
        Op::DependsOnExtension { .. } => {}
        Op::Comment { .. } => catalog.record(Change::Commented),
        Op::SecurityLabel => {}
        Op::Grant(grant) => privilege::grant(catalog, grant),
        Op::GrantRole { is_grant, roles, members, .. } => role::grant(catalog, *is_grant, roles, members),
        Op::CreateRole { name, options } => role::create(catalog, name, options),
        Op::AlterRole { name, options } => role::alter(catalog, name, options),
        Op::AlterSettings { scope, target, parameter } => catalog.record(Change::SettingsAltered {
            scope: scope.clone(),
            target: target.clone(),
            parameter: parameter.name.clone(),
        }),
        Op::DropRole { names, if_exists } => role::drop(catalog, names, *if_exists),
        Op::DropOwned { roles, .. } => role::drop_owned(catalog, roles),
        Op::ReassignOwned { roles, to } => role::reassign_owned(catalog, roles, to),
        Op::CreatePublication { name, all_tables, tables, schemas, filters, options } => {
            publication::create(catalog, name, *all_tables, tables, schemas, filters, options)
        }
        Op::AlterPublication { name, change } => publication::alter(catalog, name, change),
        Op::CreateSubscription { name, .. } | Op::AlterSubscription { name, .. } => {
            catalog.record(Change::SubscriptionChanged { name: name.clone() })
        }
        Op::Dml(dml) => dml::apply(catalog, dml),
        Op::Select(query) => dml::select(catalog, query),
        Op::Truncate { relations, only, restart_identity, cascade } => {
            dml::truncate(catalog, relations, *only, *restart_identity, *cascade)
        }
        Op::Copy { relation, from, .. } => {
            if let (Some(relation), true) = (relation, from) {
                dml::rows_changed(catalog, relation, RowChange::Copy);
            }
        }
        Op::Lock { .. } => {}
        // Transaction control is the replay's business: it swaps whole catalogs.
        Op::Transaction(_) => {}
        Op::Set(parameter) => session::set(catalog, parameter),
        Op::Show | Op::SetConstraints { .. } => {}
        Op::Discard { all } => session::discard(catalog, *all),
        Op::Vacuum { .. } | Op::Cluster { .. } | Op::Reindex { .. } => {}
        Op::Refresh { name, concurrently, with_data } => view::refresh(catalog, name, *concurrently, *with_data),
        Op::Call { routine, args } => body::call(catalog, routine, args),
        Op::Do(block) => body::run(catalog, block),
        Op::Explain { analyze, inner } => {
            if *analyze {
                apply(catalog, inner);
            }
        }
        // What was prepared is not remembered: running it is SQL that is not in sight here.
        Op::Session { command } if command == "execute" => {
            catalog.incomplete = true;
            catalog.record(Change::Opaque { text: "EXECUTE of a prepared statement".to_string() });
        }
        Op::Session { .. } | Op::Load { .. } => {}
        Op::ImportForeignSchema { .. } => catalog.incomplete = true,
        Op::Unclassified { node } => catalog.record(Change::Unclassified { node: node.clone() }),
    }
}
