//! CREATE INDEX, REINDEX.

use super::node::{name_of, optional, relation_of};
use super::{Lowering, definition, expr};
use crate::op::{CreateIndex, IndexElement, ObjectName, Op, ReindexKind};
use pg_query::NodeEnum;
use pg_query::protobuf::{IndexElem, IndexStmt, Node, ReindexObjectType, ReindexStmt, SortByDir, SortByNulls};

pub fn create(stmt: &IndexStmt, cx: &Lowering<'_>) -> Op {
    Op::CreateIndex(CreateIndex {
        name: optional(&stmt.idxname),
        relation: relation_of(stmt.relation.as_ref()),
        only: stmt.relation.as_ref().is_some_and(|relation| !relation.inh),
        unique: stmt.unique,
        concurrently: stmt.concurrent,
        if_not_exists: stmt.if_not_exists,
        method: stmt.access_method.clone(),
        elements: elements(&stmt.index_params, cx),
        including: elements(&stmt.index_including_params, cx).into_iter().filter_map(|element| element.column).collect(),
        nulls_not_distinct: stmt.nulls_not_distinct,
        predicate: stmt.where_clause.as_deref().map(|predicate| expr(predicate, cx)),
    })
}

fn elements(nodes: &[Node], cx: &Lowering<'_>) -> Vec<IndexElement> {
    nodes
        .iter()
        .filter_map(|node| match &node.node {
            Some(NodeEnum::IndexElem(part)) => Some(element(part, cx)),
            _ => None,
        })
        .collect()
}

pub fn element(node: &IndexElem, cx: &Lowering<'_>) -> IndexElement {
    IndexElement {
        column: optional(&node.name),
        expr: node.expr.as_deref().map(|key| expr(key, cx)),
        opclass: (!node.opclass.is_empty()).then(|| name_of(&node.opclass)),
        collation: (!node.collation.is_empty()).then(|| name_of(&node.collation)),
        descending: node.ordering() == SortByDir::SortbyDesc,
        nulls_first: match node.nulls_ordering() {
            SortByNulls::SortbyNullsFirst => Some(true),
            SortByNulls::SortbyNullsLast => Some(false),
            SortByNulls::SortbyNullsDefault | SortByNulls::Undefined => None,
        },
    }
}

pub fn reindex(stmt: &ReindexStmt) -> Op {
    Op::Reindex {
        kind: match stmt.kind() {
            ReindexObjectType::ReindexObjectTable => ReindexKind::Table,
            ReindexObjectType::ReindexObjectSchema => ReindexKind::Schema,
            ReindexObjectType::ReindexObjectSystem => ReindexKind::System,
            ReindexObjectType::ReindexObjectDatabase => ReindexKind::Database,
            ReindexObjectType::ReindexObjectIndex | ReindexObjectType::Undefined => ReindexKind::Index,
        },
        name: match &stmt.relation {
            Some(_) => Some(relation_of(stmt.relation.as_ref())),
            None => optional(&stmt.name).map(ObjectName::bare),
        },
        concurrently: definition::is_on(&stmt.params, "concurrently"),
    }
}
