//! Publications and subscriptions.

use super::node::{optional, relation_of, strings};
use super::object::plain;
use super::{Lowering, definition, expr};
use crate::op::{ObjectKind, ObjectName, Op, PublicationChange, PublicationFilter};
use pg_query::NodeEnum;
use pg_query::protobuf::{
    AlterPublicationAction, AlterPublicationStmt, AlterSubscriptionStmt, AlterSubscriptionType, CreatePublicationStmt,
    CreateSubscriptionStmt, DropBehavior, DropSubscriptionStmt, Node, PublicationObjSpecType,
};

pub fn create(stmt: &CreatePublicationStmt, cx: &Lowering<'_>) -> Op {
    let objects = Objects::read(&stmt.pubobjects, cx);
    Op::CreatePublication {
        name: stmt.pubname.clone(),
        all_tables: stmt.for_all_tables,
        tables: objects.tables,
        schemas: objects.schemas,
        filters: objects.filters,
        options: definition::pairs(&stmt.options),
    }
}

pub fn alter(stmt: &AlterPublicationStmt, cx: &Lowering<'_>) -> Op {
    let Objects { tables, schemas, filters } = Objects::read(&stmt.pubobjects, cx);
    let change = if stmt.pubobjects.is_empty() {
        PublicationChange::Options(definition::pairs(&stmt.options))
    } else {
        match stmt.action() {
            AlterPublicationAction::ApDropObjects => PublicationChange::Drop { tables, schemas },
            AlterPublicationAction::ApSetObjects => PublicationChange::Set { tables, schemas, filters },
            AlterPublicationAction::ApAddObjects | AlterPublicationAction::Undefined => {
                PublicationChange::Add { tables, schemas, filters }
            }
        }
    };
    Op::AlterPublication { name: stmt.pubname.clone(), change }
}

#[derive(Default)]
struct Objects {
    tables: Vec<ObjectName>,
    schemas: Vec<String>,
    filters: Vec<PublicationFilter>,
}

impl Objects {
    fn read(nodes: &[Node], cx: &Lowering<'_>) -> Objects {
        let mut objects = Objects::default();
        for node in nodes {
            let Some(NodeEnum::PublicationObjSpec(spec)) = &node.node else { continue };
            match spec.pubobjtype() {
                PublicationObjSpecType::PublicationobjTablesInSchema => objects.schemas.push(spec.name.clone()),
                PublicationObjSpecType::PublicationobjTablesInCurSchema => objects.schemas.push("current_schema".into()),
                // The grammar has resolved continuations (`TABLE a, b`) before we see them.
                PublicationObjSpecType::PublicationobjTable
                | PublicationObjSpecType::PublicationobjContinuation
                | PublicationObjSpecType::Undefined => {
                    let Some(table) = spec.pubtable.as_deref() else { continue };
                    let relation = relation_of(table.relation.as_ref());
                    let columns = strings(&table.columns);
                    let condition = table.where_clause.as_deref().map(|condition| expr(condition, cx));
                    if !columns.is_empty() || condition.is_some() {
                        objects.filters.push(PublicationFilter { relation: relation.clone(), columns, condition });
                    }
                    objects.tables.push(relation);
                }
            }
        }
        objects
    }
}

pub fn create_subscription(stmt: &CreateSubscriptionStmt) -> Op {
    let makes_slot = !is_off(&stmt.options, "connect") && !is_off(&stmt.options, "create_slot");
    Op::CreateSubscription { name: stmt.subname.clone(), connection: stmt.conninfo.clone(), makes_slot }
}

pub fn alter_subscription(stmt: &AlterSubscriptionStmt) -> Op {
    let connection = match stmt.kind() {
        AlterSubscriptionType::AlterSubscriptionConnection => optional(&stmt.conninfo),
        _ => None,
    };
    let refreshes = match stmt.kind() {
        AlterSubscriptionType::AlterSubscriptionRefresh => true,
        AlterSubscriptionType::AlterSubscriptionSetPublication
        | AlterSubscriptionType::AlterSubscriptionAddPublication
        | AlterSubscriptionType::AlterSubscriptionDropPublication => !is_off(&stmt.options, "refresh"),
        _ => false,
    };
    Op::AlterSubscription { name: stmt.subname.clone(), connection, refreshes }
}

/// The option is there with a word for false.
fn is_off(options: &[Node], name: &str) -> bool {
    definition::pairs(options).iter().any(|(key, value)| {
        key == name && value.as_ref().is_some_and(|value| matches!(value.to_lowercase().as_str(), "false" | "off" | "0"))
    })
}

pub fn drop_subscription(stmt: &DropSubscriptionStmt) -> Op {
    Op::Drop {
        objects: vec![plain(ObjectKind::Subscription, ObjectName::bare(stmt.subname.clone()))],
        if_exists: stmt.missing_ok,
        cascade: stmt.behavior() == DropBehavior::DropCascade,
        concurrently: false,
    }
}
