//! Commands that take any kind of object: DROP, RENAME, SET SCHEMA, OWNER TO, COMMENT, DEPENDS ON EXTENSION.

use super::definition;
use super::node::{argument_types, items, name_and_sub, name_of, optional_role, relation_of, string, strings};
use super::types::type_of_node;
use crate::op::{ObjectKind, ObjectName, ObjectRef, Op};
use pg_query::NodeEnum;
use pg_query::protobuf::{
    AlterObjectDependsStmt, AlterObjectSchemaStmt, AlterOwnerStmt, CommentStmt, DropBehavior, DropStmt, Node, ObjectType,
    ObjectWithArgs, RangeVar, RenameStmt,
};

pub fn drop(stmt: &DropStmt) -> Op {
    let objects: Option<Vec<ObjectRef>> = stmt.objects.iter().map(|object| reference(stmt.remove_type(), object)).collect();
    match objects {
        Some(objects) => Op::Drop {
            objects,
            if_exists: stmt.missing_ok,
            cascade: stmt.behavior() == DropBehavior::DropCascade,
            concurrently: stmt.concurrent,
        },
        None => unknown("DropStmt"),
    }
}

pub fn rename(stmt: &RenameStmt) -> Op {
    let Some(object) = renamed_object(stmt) else { return unknown("RenameStmt") };
    Op::Rename {
        object,
        to: stmt.newname.clone(),
        if_exists: stmt.missing_ok,
        cascade: stmt.behavior() == DropBehavior::DropCascade,
    }
}

fn renamed_object(stmt: &RenameStmt) -> Option<ObjectRef> {
    let kind = kind_of(stmt.rename_type())?;
    Some(match (&stmt.relation, stmt.object.as_deref()) {
        (Some(relation), _) => on_relation(kind, Some(relation), &stmt.subname),
        // Only a domain's constraint has an object and a name on it.
        (None, Some(object)) if kind == ObjectKind::DomainConstraint => {
            ObjectRef { sub: Some(stmt.subname.clone()), ..plain(kind, name_of(items(object))) }
        }
        (None, Some(object)) => reference(stmt.rename_type(), object)?,
        // Roles, databases, schemas and tablespaces come as the old name alone.
        (None, None) => plain(kind, ObjectName::bare(stmt.subname.clone())),
    })
}

pub fn set_schema(stmt: &AlterObjectSchemaStmt) -> Op {
    match target(stmt.object_type(), stmt.relation.as_ref(), stmt.object.as_deref()) {
        Some(object) => Op::SetSchema { object, schema: stmt.newschema.clone(), if_exists: stmt.missing_ok },
        None => unknown("AlterObjectSchemaStmt"),
    }
}

pub fn set_owner(stmt: &AlterOwnerStmt) -> Op {
    match target(stmt.object_type(), stmt.relation.as_ref(), stmt.object.as_deref()) {
        Some(object) => Op::SetOwner { object, role: optional_role(stmt.newowner.as_ref()) },
        None => unknown("AlterOwnerStmt"),
    }
}

pub fn depends(stmt: &AlterObjectDependsStmt) -> Op {
    let object = match (&stmt.relation, kind_of(stmt.object_type())) {
        // A trigger comes as its relation and a list of its own name.
        (Some(relation), Some(kind)) => {
            let own = stmt.object.as_deref().map(|object| strings(items(object))).unwrap_or_default();
            Some(on_relation(kind, Some(relation), own.last().map_or("", String::as_str)))
        }
        _ => target(stmt.object_type(), None, stmt.object.as_deref()),
    };
    match object {
        Some(object) => Op::DependsOnExtension { object },
        None => unknown("AlterObjectDependsStmt"),
    }
}

pub fn comment(stmt: &CommentStmt) -> Op {
    match stmt.object.as_deref().and_then(|object| reference(stmt.objtype(), object)) {
        // The protobuf form has no NULL: IS NULL and IS '' both take the comment away.
        Some(object) => Op::Comment { object, text: super::node::optional(&stmt.comment) },
        None => unknown("CommentStmt"),
    }
}

fn unknown(node: &str) -> Op {
    Op::Unclassified { node: node.into() }
}

fn target(object_type: ObjectType, relation: Option<&RangeVar>, object: Option<&Node>) -> Option<ObjectRef> {
    match (relation, object) {
        (Some(relation), _) => Some(on_relation(kind_of(object_type)?, Some(relation), "")),
        (None, Some(object)) => reference(object_type, object),
        (None, None) => None,
    }
}

fn on_relation(kind: ObjectKind, relation: Option<&RangeVar>, sub: &str) -> ObjectRef {
    ObjectRef { sub: super::node::optional(sub), ..plain(kind, relation_of(relation)) }
}

/// An object that is only a name.
pub fn plain(kind: ObjectKind, name: ObjectName) -> ObjectRef {
    ObjectRef { kind, name, sub: None, args: None, cast: None }
}

/// A routine, aggregate or operator with its argument types, if they are given.
pub fn routine(kind: ObjectKind, node: &ObjectWithArgs) -> ObjectRef {
    ObjectRef { args: (!node.args_unspecified).then(|| argument_types(&node.objargs)), ..plain(kind, name_of(&node.objname)) }
}

/// The object a node names, in the form that the grammar gives objects of that type.
pub fn reference(object_type: ObjectType, node: &Node) -> Option<ObjectRef> {
    let kind = kind_of(object_type)?;
    Some(match node.node.as_ref()? {
        NodeEnum::RangeVar(range) => plain(kind, relation_of(Some(range))),
        NodeEnum::ObjectWithArgs(with_args) => routine(kind, with_args),
        NodeEnum::TypeName(_) => plain(kind, type_of_node(node)?.name),
        NodeEnum::RoleSpec(spec) => plain(kind, ObjectName::bare(super::node::role(spec))),
        NodeEnum::List(list) => from_list(kind, &list.items)?,
        // A plain string; large objects are numbers.
        _ => plain(kind, ObjectName::bare(definition::value(node)?)),
    })
}

fn from_list(kind: ObjectKind, parts: &[Node]) -> Option<ObjectRef> {
    Some(match kind {
        ObjectKind::Cast => {
            let [source, target] = parts else { return None };
            ObjectRef { cast: Some((type_of_node(source)?, type_of_node(target)?)), ..plain(kind, ObjectName::bare("")) }
        }
        // FOR type LANGUAGE name.
        ObjectKind::Transform => {
            let [of, language] = parts else { return None };
            ObjectRef { sub: string(language), ..plain(kind, type_of_node(of)?.name) }
        }
        // The type of a domain, then the constraint.
        ObjectKind::DomainConstraint => {
            let [domain, constraint] = parts else { return None };
            ObjectRef { sub: string(constraint), ..plain(kind, type_of_node(domain)?.name) }
        }
        // The access method stands first.
        ObjectKind::OperatorClass | ObjectKind::OperatorFamily => {
            let (method, name) = parts.split_first()?;
            ObjectRef { sub: string(method), ..plain(kind, name_of(name)) }
        }
        ObjectKind::Trigger
        | ObjectKind::Rule
        | ObjectKind::Policy
        | ObjectKind::Column
        | ObjectKind::Attribute
        | ObjectKind::TableConstraint => {
            let (name, sub) = name_and_sub(parts);
            ObjectRef { sub, ..plain(kind, name) }
        }
        ObjectKind::Table
        | ObjectKind::ForeignTable
        | ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Index
        | ObjectKind::Sequence
        | ObjectKind::Schema
        | ObjectKind::Extension
        | ObjectKind::Type
        | ObjectKind::Domain
        | ObjectKind::Function
        | ObjectKind::Procedure
        | ObjectKind::Routine
        | ObjectKind::Aggregate
        | ObjectKind::Operator
        | ObjectKind::Collation
        | ObjectKind::Conversion
        | ObjectKind::Language
        | ObjectKind::EventTrigger
        | ObjectKind::Role
        | ObjectKind::Database
        | ObjectKind::Tablespace
        | ObjectKind::Publication
        | ObjectKind::Subscription
        | ObjectKind::ForeignServer
        | ObjectKind::ForeignDataWrapper
        | ObjectKind::UserMapping
        | ObjectKind::Statistics
        | ObjectKind::TextSearch
        | ObjectKind::AccessMethod
        | ObjectKind::LargeObject
        | ObjectKind::Parameter => plain(kind, name_of(parts)),
    })
}

/// The kind in field terms; `None` for what no command of the grammar names.
pub fn kind_of(object_type: ObjectType) -> Option<ObjectKind> {
    Some(match object_type {
        ObjectType::ObjectTable => ObjectKind::Table,
        ObjectType::ObjectForeignTable => ObjectKind::ForeignTable,
        ObjectType::ObjectView => ObjectKind::View,
        ObjectType::ObjectMatview => ObjectKind::MaterializedView,
        ObjectType::ObjectIndex => ObjectKind::Index,
        ObjectType::ObjectSequence => ObjectKind::Sequence,
        ObjectType::ObjectSchema => ObjectKind::Schema,
        ObjectType::ObjectExtension => ObjectKind::Extension,
        ObjectType::ObjectType => ObjectKind::Type,
        ObjectType::ObjectDomain => ObjectKind::Domain,
        ObjectType::ObjectFunction => ObjectKind::Function,
        ObjectType::ObjectProcedure => ObjectKind::Procedure,
        ObjectType::ObjectRoutine => ObjectKind::Routine,
        ObjectType::ObjectAggregate => ObjectKind::Aggregate,
        ObjectType::ObjectOperator => ObjectKind::Operator,
        ObjectType::ObjectOpclass => ObjectKind::OperatorClass,
        ObjectType::ObjectOpfamily => ObjectKind::OperatorFamily,
        ObjectType::ObjectCast => ObjectKind::Cast,
        ObjectType::ObjectCollation => ObjectKind::Collation,
        ObjectType::ObjectConversion => ObjectKind::Conversion,
        ObjectType::ObjectLanguage => ObjectKind::Language,
        ObjectType::ObjectTrigger => ObjectKind::Trigger,
        ObjectType::ObjectEventTrigger => ObjectKind::EventTrigger,
        ObjectType::ObjectRule => ObjectKind::Rule,
        ObjectType::ObjectPolicy => ObjectKind::Policy,
        ObjectType::ObjectColumn => ObjectKind::Column,
        ObjectType::ObjectAttribute => ObjectKind::Attribute,
        ObjectType::ObjectTabconstraint => ObjectKind::TableConstraint,
        ObjectType::ObjectDomconstraint => ObjectKind::DomainConstraint,
        ObjectType::ObjectRole => ObjectKind::Role,
        ObjectType::ObjectDatabase => ObjectKind::Database,
        ObjectType::ObjectTablespace => ObjectKind::Tablespace,
        ObjectType::ObjectPublication => ObjectKind::Publication,
        ObjectType::ObjectSubscription => ObjectKind::Subscription,
        ObjectType::ObjectForeignServer => ObjectKind::ForeignServer,
        ObjectType::ObjectFdw => ObjectKind::ForeignDataWrapper,
        ObjectType::ObjectUserMapping => ObjectKind::UserMapping,
        ObjectType::ObjectStatisticExt => ObjectKind::Statistics,
        ObjectType::ObjectTsconfiguration
        | ObjectType::ObjectTsdictionary
        | ObjectType::ObjectTsparser
        | ObjectType::ObjectTstemplate => ObjectKind::TextSearch,
        ObjectType::ObjectAccessMethod => ObjectKind::AccessMethod,
        ObjectType::ObjectTransform => ObjectKind::Transform,
        ObjectType::ObjectLargeobject => ObjectKind::LargeObject,
        ObjectType::ObjectParameterAcl => ObjectKind::Parameter,
        // Parts of other objects, in the server's catalogs only.
        ObjectType::ObjectAmop
        | ObjectType::ObjectAmproc
        | ObjectType::ObjectDefault
        | ObjectType::ObjectDefacl
        | ObjectType::ObjectPublicationNamespace
        | ObjectType::ObjectPublicationRel
        | ObjectType::Undefined => return None,
    })
}
