//! Reading the small things out of protobuf nodes: strings, names, roles.

use super::types::type_ref;
use crate::op::{ObjectName, Persistence, TypeRef};
use pg_query::NodeEnum;
use pg_query::protobuf::{Node, RangeVar, RoleSpec, RoleSpecType, a_const};
use std::fmt;

/// The value of an optional string: the protobuf form has no NULL, an empty string stands for it.
pub fn optional(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The text of a String node or a string constant.
pub fn string(node: &Node) -> Option<String> {
    match node.node.as_ref()? {
        NodeEnum::String(s) => Some(s.sval.clone()),
        NodeEnum::AConst(c) => match c.val.as_ref()? {
            a_const::Val::Sval(s) => Some(s.sval.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// The strings among the nodes.
pub fn strings(nodes: &[Node]) -> Vec<String> {
    nodes.iter().filter_map(string).collect()
}

/// The items of a List node; a node that is no list is its own only item.
pub fn items(node: &Node) -> &[Node] {
    match &node.node {
        Some(NodeEnum::List(list)) => &list.items,
        Some(_) => std::slice::from_ref(node),
        None => &[],
    }
}

/// A possibly qualified name from its parts, outermost first.
pub fn object_name(mut parts: Vec<String>) -> ObjectName {
    let name = parts.pop().unwrap_or_default();
    ObjectName { schema: parts.pop(), name }
}

/// A possibly qualified name from String nodes.
pub fn name_of(nodes: &[Node]) -> ObjectName {
    object_name(strings(nodes))
}

/// A name whose last part names something on the relation or domain before it.
pub fn name_and_sub(nodes: &[Node]) -> (ObjectName, Option<String>) {
    let mut parts = strings(nodes);
    let sub = parts.pop();
    (object_name(parts), sub)
}

pub fn relation(range: &RangeVar) -> ObjectName {
    ObjectName { schema: optional(&range.schemaname), name: range.relname.clone() }
}

/// The name of a relation that the grammar always gives.
pub fn relation_of(range: Option<&RangeVar>) -> ObjectName {
    range.map_or_else(|| ObjectName::bare(""), relation)
}

/// The relations among the nodes.
pub fn relations(nodes: &[Node]) -> Vec<ObjectName> {
    nodes
        .iter()
        .filter_map(|node| match &node.node {
            Some(NodeEnum::RangeVar(range)) => Some(relation(range)),
            _ => None,
        })
        .collect()
}

/// The persistence of a relation that is created. A relation in `pg_temp` is temporary without the word
/// (`RangeVarAdjustRelationPersistence`).
pub fn persistence(range: Option<&RangeVar>) -> Persistence {
    match range {
        Some(range) if range.relpersistence == "t" || range.schemaname == "pg_temp" => Persistence::Temporary,
        Some(range) if range.relpersistence == "u" => Persistence::Unlogged,
        _ => Persistence::Permanent,
    }
}

/// A role's name, or the keyword that stands for one, in lower case: `public`, `current_user` …
pub fn role(spec: &RoleSpec) -> String {
    match spec.roletype() {
        RoleSpecType::RolespecPublic => "public".into(),
        RoleSpecType::RolespecCurrentRole => "current_role".into(),
        RoleSpecType::RolespecCurrentUser => "current_user".into(),
        RoleSpecType::RolespecSessionUser => "session_user".into(),
        RoleSpecType::RolespecCstring | RoleSpecType::Undefined => spec.rolename.clone(),
    }
}

pub fn optional_role(spec: Option<&RoleSpec>) -> String {
    spec.map(role).unwrap_or_default()
}

/// The roles among the nodes.
pub fn roles(nodes: &[Node]) -> Vec<String> {
    nodes
        .iter()
        .filter_map(|node| match &node.node {
            Some(NodeEnum::RoleSpec(spec)) => Some(role(spec)),
            _ => None,
        })
        .collect()
}

/// Types in a list of arguments; a missing operand of a prefix operator is the type `none`, as SQL spells it.
pub fn argument_types(nodes: &[Node]) -> Vec<TypeRef> {
    nodes
        .iter()
        .map(|node| match &node.node {
            Some(NodeEnum::TypeName(name)) => type_ref(name),
            Some(NodeEnum::FunctionParameter(parameter)) => parameter.arg_type.as_ref().map_or_else(no_type, type_ref),
            _ => no_type(),
        })
        .collect()
}

/// The type `none`: no operand.
pub fn no_type() -> TypeRef {
    TypeRef {
        name: ObjectName::bare("none"),
        typmods: Vec::new(),
        modifier_words: Vec::new(),
        array_dims: 0,
        setof: false,
        percent_type: false,
    }
}

/// The parser's name of a node kind: the head of its debug form, without formatting the rest.
pub fn kind_name(node: &NodeEnum) -> String {
    struct Head(String);
    impl fmt::Write for Head {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            match part.find(['(', ' ', '{']) {
                Some(end) => {
                    self.0.push_str(&part[..end]);
                    Err(fmt::Error)
                }
                None => {
                    self.0.push_str(part);
                    Ok(())
                }
            }
        }
    }
    let mut head = Head(String::new());
    // The error is the way out: the head is complete when the first delimiter comes.
    let _ = fmt::write(&mut head, format_args!("{node:?}"));
    head.0
}
