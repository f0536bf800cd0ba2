//! CREATE TABLE and CREATE FOREIGN TABLE: columns, LIKE, partitions.

use super::constraint::{column_constraints, constraint, span};
use super::node::{name_of, optional, persistence, relation_of, relations, strings};
use super::text::element_end;
use super::types::type_ref;
use super::{Lowering, definition, expr};
use crate::expr::Expr;
use crate::op::{ColumnDef, CreateTable, LikeOptions, Op, PartitionBound, PartitionBy, PartitionStrategy, TableElement};
use pg_query::NodeEnum;
use pg_query::protobuf::{
    self, CreateForeignTableStmt, CreateStmt, Node, PartitionBoundSpec, PartitionSpec, TableLikeClause, TableLikeOption,
};

pub fn create(stmt: &CreateStmt, cx: &Lowering<'_>) -> Op {
    Op::CreateTable(definition(stmt, cx))
}

pub fn create_foreign(stmt: &CreateForeignTableStmt, cx: &Lowering<'_>) -> Op {
    let Some(base) = &stmt.base_stmt else { return Op::Unclassified { node: "CreateForeignTableStmt".into() } };
    let table = definition(base, cx);
    Op::CreateTable(CreateTable {
        foreign_server: Some(stmt.servername.clone()),
        options: table.options.iter().cloned().chain(definition::pairs(&stmt.options)).collect(),
        ..table
    })
}

fn definition(stmt: &CreateStmt, cx: &Lowering<'_>) -> CreateTable {
    CreateTable {
        name: relation_of(stmt.relation.as_ref()),
        persistence: persistence(stmt.relation.as_ref()),
        if_not_exists: stmt.if_not_exists,
        elements: stmt
            .table_elts
            .iter()
            .chain(&stmt.constraints)
            .chain(&stmt.nnconstraints)
            .filter_map(|e| element(e, cx))
            .collect(),
        inherits: relations(&stmt.inh_relations),
        bound: stmt.partbound.as_ref().map(|spec| bound(spec, cx)),
        partition_by: stmt.partspec.as_ref().map(|spec| partition_by(spec, cx)),
        of_type: stmt.of_typename.as_ref().map(|name| type_ref(name).name),
        access_method: optional(&stmt.access_method),
        foreign_server: None,
        options: definition::pairs(&stmt.options),
    }
}

fn element(node: &Node, cx: &Lowering<'_>) -> Option<TableElement> {
    match node.node.as_ref()? {
        NodeEnum::ColumnDef(definition) => Some(TableElement::Column(column(definition, cx))),
        NodeEnum::Constraint(definition) => constraint(definition, cx.text.len(), cx).map(TableElement::Constraint),
        NodeEnum::TableLikeClause(clause) => {
            Some(TableElement::Like { source: relation_of(clause.relation.as_ref()), options: like_options(clause) })
        }
        _ => None,
    }
}

/// A column of a table, composite type or ADD COLUMN.
pub fn column(node: &protobuf::ColumnDef, cx: &Lowering<'_>) -> ColumnDef {
    let end = usize::try_from(node.location).map_or(cx.text.len(), |start| element_end(cx.text, start, cx.text.len()));
    ColumnDef {
        name: node.colname.clone(),
        type_ref: node.type_name.as_ref().map(type_ref),
        collation: node.coll_clause.as_ref().map(|clause| name_of(&clause.collname)),
        constraints: column_constraints(&node.constraints, end, node.coll_clause.as_deref(), cx),
        span: span(node.location, end, cx),
    }
}

fn like_options(clause: &TableLikeClause) -> LikeOptions {
    // CREATE_TABLE_LIKE_* are bits in the order of the enum, which counts from 1 for the protobuf's sake.
    let has = |option: TableLikeOption| clause.options & (1 << (option as u32 - 1)) != 0;
    LikeOptions {
        comments: has(TableLikeOption::CreateTableLikeComments),
        constraints: has(TableLikeOption::CreateTableLikeConstraints),
        defaults: has(TableLikeOption::CreateTableLikeDefaults),
        generated: has(TableLikeOption::CreateTableLikeGenerated),
        identity: has(TableLikeOption::CreateTableLikeIdentity),
        indexes: has(TableLikeOption::CreateTableLikeIndexes),
        statistics: has(TableLikeOption::CreateTableLikeStatistics),
        storage: has(TableLikeOption::CreateTableLikeStorage),
    }
}

fn partition_by(spec: &PartitionSpec, cx: &Lowering<'_>) -> PartitionBy {
    let mut columns = Vec::new();
    let mut expressions = Vec::new();
    for node in &spec.part_params {
        if let Some(NodeEnum::PartitionElem(part)) = &node.node {
            columns.push(optional(&part.name));
            expressions.extend(part.expr.as_deref().map(|key| expr(key, cx)));
        }
    }
    PartitionBy {
        strategy: match spec.strategy() {
            protobuf::PartitionStrategy::List => PartitionStrategy::List,
            protobuf::PartitionStrategy::Hash => PartitionStrategy::Hash,
            protobuf::PartitionStrategy::Range | protobuf::PartitionStrategy::Undefined => PartitionStrategy::Range,
        },
        columns,
        expressions,
    }
}

/// FOR VALUES … or DEFAULT.
pub fn bound(spec: &PartitionBoundSpec, cx: &Lowering<'_>) -> PartitionBound {
    if spec.is_default {
        return PartitionBound::Default;
    }
    match spec.strategy.as_str() {
        "h" => PartitionBound::Hash { modulus: spec.modulus.into(), remainder: spec.remainder.into() },
        "l" => PartitionBound::List(spec.listdatums.iter().map(|datum| expr(datum, cx)).collect()),
        _ => PartitionBound::Range { from: datums(&spec.lowerdatums, cx), to: datums(&spec.upperdatums, cx) },
    }
}

/// Before analysis MINVALUE and MAXVALUE are column references of that name.
fn datums(nodes: &[Node], cx: &Lowering<'_>) -> Vec<Option<Expr>> {
    nodes
        .iter()
        .map(|node| match &node.node {
            Some(NodeEnum::ColumnRef(column))
                if matches!(strings(&column.fields).as_slice(), [only] if only == "minvalue" || only == "maxvalue") =>
            {
                None
            }
            Some(NodeEnum::PartitionRangeDatum(datum)) => datum.value.as_deref().map(|value| expr(value, cx)),
            _ => Some(expr(node, cx)),
        })
        .collect()
}
