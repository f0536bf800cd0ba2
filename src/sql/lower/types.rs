//! Type names, and the statements about types: enums, composites, ranges, domains.

use super::constraint::{column_constraints, constraint};
use super::node::{argument_types, kind_name, name_of, optional, relation_of, string, strings};
use super::{Lowering, definition, expr, table};
use crate::op::{AlterDomain, AlterEnum, ColumnDef, ObjectKind, ObjectName, ObjectRef, Op, TypeDefinition, TypeRef};
use pg_query::NodeEnum;
use pg_query::protobuf::{
    AlterDomainStmt, AlterEnumStmt, AlterTypeStmt, CompositeTypeStmt, CreateDomainStmt, CreateEnumStmt, CreateRangeStmt,
    DropBehavior, Node, TypeName,
};

/// A type as the parser spells it. `pg_catalog` is dropped: the grammar writes it for `integer`, and there is no other way to
/// mean another type of that name, because `pg_catalog` is searched first.
pub fn type_ref(name: &TypeName) -> TypeRef {
    let mut parts = strings(&name.names);
    if parts.len() == 2 && parts[0] == "pg_catalog" {
        parts.remove(0);
    }
    let own = parts.pop().unwrap_or_default();
    // Only `s.t.c%TYPE` and names with a database in front have three parts.
    let schema = if name.pct_type { (!parts.is_empty()).then(|| parts.join(".")) } else { parts.pop() };
    let mut typmods = Vec::new();
    let mut modifier_words = Vec::new();
    for modifier in &name.typmods {
        let text = match &modifier.node {
            Some(NodeEnum::ColumnRef(column)) => Some(strings(&column.fields).join(".")),
            _ => definition::value(modifier),
        };
        match text.map(|text| text.parse().map_err(|_| text)) {
            Some(Ok(number)) => typmods.push(number),
            Some(Err(word)) => modifier_words.push(word),
            None => modifier_words.push(modifier.node.as_ref().map(kind_name).unwrap_or_default()),
        }
    }
    TypeRef {
        name: ObjectName { schema, name: own },
        typmods,
        modifier_words,
        array_dims: u8::try_from(name.array_bounds.len()).unwrap_or(u8::MAX),
        setof: name.setof,
        percent_type: name.pct_type,
    }
}

/// A type that the grammar always gives; `none` if it does not.
pub fn required_type(name: Option<&TypeName>) -> TypeRef {
    name.map_or_else(super::node::no_type, type_ref)
}

pub fn create_enum(stmt: &CreateEnumStmt) -> Op {
    Op::CreateType { name: name_of(&stmt.type_name), definition: TypeDefinition::Enum(strings(&stmt.vals)) }
}

pub fn create_composite(stmt: &CompositeTypeStmt, cx: &Lowering<'_>) -> Op {
    let attributes: Vec<ColumnDef> = stmt
        .coldeflist
        .iter()
        .filter_map(|node| match &node.node {
            Some(NodeEnum::ColumnDef(column)) => Some(table::column(column, cx)),
            _ => None,
        })
        .collect();
    Op::CreateType { name: relation_of(stmt.typevar.as_ref()), definition: TypeDefinition::Composite(attributes) }
}

pub fn create_range(stmt: &CreateRangeStmt) -> Op {
    Op::CreateType {
        name: name_of(&stmt.type_name),
        definition: TypeDefinition::Range {
            subtype: definition::find(&stmt.params, "subtype").and_then(definition::type_value),
            multirange: definition::find(&stmt.params, "multirange_type_name").and_then(definition::name),
        },
    }
}

pub fn alter_enum(stmt: &AlterEnumStmt) -> Op {
    let change = if stmt.old_val.is_empty() {
        let neighbour = optional(&stmt.new_val_neighbor);
        let (before, after) = if stmt.new_val_is_after { (None, neighbour) } else { (neighbour, None) };
        AlterEnum::AddValue { value: stmt.new_val.clone(), if_not_exists: stmt.skip_if_new_val_exists, before, after }
    } else {
        AlterEnum::RenameValue { from: stmt.old_val.clone(), to: stmt.new_val.clone() }
    };
    Op::AlterEnum { name: name_of(&stmt.type_name), change }
}

/// ALTER TYPE … SET (…): properties of a base type.
pub fn alter_type(stmt: &AlterTypeStmt) -> Op {
    Op::AlterOther {
        object: ObjectRef { kind: ObjectKind::Type, name: name_of(&stmt.type_name), sub: None, args: None, cast: None },
        options: definition::pairs(&stmt.options),
    }
}

pub fn create_domain(stmt: &CreateDomainStmt, end: usize, cx: &Lowering<'_>) -> Op {
    Op::CreateDomain {
        name: name_of(&stmt.domainname),
        base: required_type(stmt.type_name.as_ref()),
        collation: stmt.coll_clause.as_ref().map(|clause| name_of(&clause.collname)),
        constraints: column_constraints(&stmt.constraints, end, stmt.coll_clause.as_deref(), cx),
    }
}

pub fn alter_domain(stmt: &AlterDomainStmt, end: usize, cx: &Lowering<'_>) -> Op {
    let cascade = stmt.behavior() == DropBehavior::DropCascade;
    let name = stmt.name.clone();
    let change = match (stmt.subtype.as_str(), stmt.def.as_deref()) {
        ("T", Some(default)) => AlterDomain::SetDefault(expr(default, cx)),
        ("T", None) => AlterDomain::DropDefault,
        ("N", _) => AlterDomain::DropNotNull,
        ("O", _) => AlterDomain::SetNotNull,
        ("X", _) => AlterDomain::DropConstraint { name, if_exists: stmt.missing_ok, cascade },
        ("V", _) => AlterDomain::ValidateConstraint { name },
        ("C", Some(Node { node: Some(NodeEnum::Constraint(added)) })) => match constraint(added, end, cx) {
            Some(added) => AlterDomain::AddConstraint(added),
            None => return Op::Unclassified { node: "AlterDomainStmt".into() },
        },
        _ => return Op::Unclassified { node: "AlterDomainStmt".into() },
    };
    Op::AlterDomain { name: name_of(&stmt.type_name), change }
}

/// A type from a node of an object list: a TypeName, or the strings of its name.
pub fn type_of_node(node: &Node) -> Option<TypeRef> {
    match &node.node {
        Some(NodeEnum::TypeName(_)) => argument_types(std::slice::from_ref(node)).pop(),
        Some(NodeEnum::String(_)) => string(node).map(|name| TypeRef { name: ObjectName::bare(name), ..super::node::no_type() }),
        _ => None,
    }
}
