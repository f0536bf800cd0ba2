//! DefElem: the `name = value` pairs that most option lists of the grammar come as.

use super::node::{self, name_of};
use super::types::type_ref;
use crate::op::{ObjectName, TypeRef};
use pg_query::NodeEnum;
use pg_query::protobuf::{DefElem, DefElemAction, Node, a_const};

/// The DefElems among the nodes.
pub fn elements(nodes: &[Node]) -> impl Iterator<Item = &DefElem> {
    nodes.iter().filter_map(|node| match &node.node {
        Some(NodeEnum::DefElem(element)) => Some(element.as_ref()),
        _ => None,
    })
}

/// The last element of that name, as the server takes it where repeats are allowed.
pub fn find<'a>(nodes: &'a [Node], name: &str) -> Option<&'a DefElem> {
    elements(nodes).filter(|element| element.defname.eq_ignore_ascii_case(name)).last()
}

/// All elements as (name, value) with lower-case names; `toast.x` keeps its namespace, dropped foreign options (`OPTIONS (DROP
/// x)`) are `drop x`.
pub fn pairs(nodes: &[Node]) -> Vec<(String, Option<String>)> {
    elements(nodes).map(|element| (key(element), text(element))).collect()
}

/// The names of all elements, as [`pairs`] spells them.
pub fn names(nodes: &[Node]) -> Vec<String> {
    elements(nodes).map(key).collect()
}

fn key(element: &DefElem) -> String {
    let name = element.defname.to_ascii_lowercase();
    let name = if element.defnamespace.is_empty() { name } else { format!("{}.{name}", element.defnamespace) };
    if element.defaction() == DefElemAction::DefelemDrop { format!("drop {name}") } else { name }
}

/// The value as text, as `defGetString` spells it; lists are joined with `, `.
pub fn text(element: &DefElem) -> Option<String> {
    element.arg.as_deref().and_then(value)
}

/// A constant node as text.
pub fn value(node: &Node) -> Option<String> {
    Some(match node.node.as_ref()? {
        NodeEnum::Integer(i) => i.ival.to_string(),
        NodeEnum::Float(f) => f.fval.clone(),
        NodeEnum::Boolean(b) => b.boolval.to_string(),
        NodeEnum::String(s) => s.sval.clone(),
        NodeEnum::BitString(b) => b.bsval.clone(),
        NodeEnum::AConst(constant) => match constant.val.as_ref()? {
            a_const::Val::Ival(i) => i.ival.to_string(),
            a_const::Val::Fval(f) => f.fval.clone(),
            a_const::Val::Boolval(b) => b.boolval.to_string(),
            a_const::Val::Sval(s) => s.sval.clone(),
            a_const::Val::Bsval(b) => b.bsval.clone(),
        },
        NodeEnum::TypeCast(cast) => value(cast.arg.as_deref()?)?,
        NodeEnum::TypeName(name) => name_of(&name.names).name,
        NodeEnum::RoleSpec(spec) => node::role(spec),
        NodeEnum::RangeVar(range) => node::relation(range).to_string(),
        NodeEnum::AStar(_) => "*".into(),
        NodeEnum::DefElem(element) => match text(element) {
            Some(text) => format!("{} = {text}", element.defname),
            None => element.defname.clone(),
        },
        NodeEnum::List(list) => list.items.iter().filter_map(value).collect::<Vec<_>>().join(", "),
        _ => return None,
    })
}

/// The value as `defGetBoolean` reads it: no value is true.
pub fn boolean(element: &DefElem) -> bool {
    match text(element) {
        None => true,
        Some(text) => !matches!(text.to_ascii_lowercase().as_str(), "false" | "off" | "0" | "no" | "f" | "n"),
    }
}

/// Whether an option is given and true.
pub fn is_on(nodes: &[Node], name: &str) -> bool {
    find(nodes, name).is_some_and(boolean)
}

/// The value as a whole number; bounds of sequences beyond 32 bits come as floats.
pub fn integer(element: &DefElem) -> Option<i64> {
    text(element)?.parse().ok()
}

/// A name value: a list of strings, a type name (how the grammar reads `x = a.b`) or one string.
pub fn name(element: &DefElem) -> Option<ObjectName> {
    let arg = element.arg.as_deref()?;
    match arg.node.as_ref()? {
        NodeEnum::TypeName(type_name) => Some(name_of(&type_name.names)),
        NodeEnum::List(list) => Some(name_of(&list.items)),
        _ => Some(ObjectName::bare(value(arg)?)),
    }
}

/// A type value.
pub fn type_value(element: &DefElem) -> Option<TypeRef> {
    match element.arg.as_deref()?.node.as_ref()? {
        NodeEnum::TypeName(name) => Some(type_ref(name)),
        _ => None,
    }
}
