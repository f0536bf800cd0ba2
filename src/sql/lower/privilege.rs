//! GRANT, REVOKE, default privileges, and roles.

use super::definition::{self, find};
use super::node::{items, optional, optional_role, role, roles, strings};
use super::object::{kind_of, reference};
use super::session::setting;
use crate::op::{Grant, GrantTargets, ObjectRef, Op};
use pg_query::NodeEnum;
use pg_query::protobuf::{
    AlterDatabaseSetStmt, AlterDefaultPrivilegesStmt, AlterRoleSetStmt, AlterRoleStmt, AlterSystemStmt, CreateRoleStmt,
    DropBehavior, DropOwnedStmt, DropRoleStmt, GrantRoleStmt, GrantStmt, GrantTargetType, Node, ReassignOwnedStmt, RoleStmtType,
    VariableSetStmt,
};

pub fn grant(stmt: &GrantStmt) -> Op {
    let Some(kind) = kind_of(stmt.objtype()) else { return Op::Unclassified { node: "GrantStmt".into() } };
    let targets = match stmt.targtype() {
        GrantTargetType::AclTargetAllInSchema => GrantTargets::AllInSchema { kind, schemas: strings(&stmt.objects) },
        GrantTargetType::AclTargetDefaults => GrantTargets::Defaults { kind, schemas: Vec::new(), roles: Vec::new() },
        GrantTargetType::AclTargetObject | GrantTargetType::Undefined => {
            let objects: Option<Vec<ObjectRef>> = stmt.objects.iter().map(|object| reference(stmt.objtype(), object)).collect();
            let Some(objects) = objects else { return Op::Unclassified { node: "GrantStmt".into() } };
            GrantTargets::Objects { kind, objects }
        }
    };
    Op::Grant(body(stmt, targets))
}

pub fn default_privileges(stmt: &AlterDefaultPrivilegesStmt) -> Op {
    let Some(action) = &stmt.action else { return Op::Unclassified { node: "AlterDefaultPrivilegesStmt".into() } };
    let Some(kind) = kind_of(action.objtype()) else { return Op::Unclassified { node: "AlterDefaultPrivilegesStmt".into() } };
    let listed = |name: &str| find(&stmt.options, name).and_then(|element| element.arg.as_deref()).map(items).unwrap_or_default();
    Op::Grant(body(action, GrantTargets::Defaults { kind, schemas: strings(listed("schemas")), roles: roles(listed("roles")) }))
}

fn body(stmt: &GrantStmt, targets: GrantTargets) -> Grant {
    Grant {
        is_grant: stmt.is_grant,
        targets,
        privileges: privileges(&stmt.privileges),
        grantees: roles(&stmt.grantees),
        grant_option: stmt.grant_option,
        cascade: stmt.behavior() == DropBehavior::DropCascade,
    }
}

/// ALL (columns) has no name: it is `all` with its columns.
fn privileges(nodes: &[Node]) -> Vec<(String, Vec<String>)> {
    nodes
        .iter()
        .filter_map(|node| match &node.node {
            Some(NodeEnum::AccessPriv(privilege)) => {
                let name = optional(&privilege.priv_name).unwrap_or_else(|| "all".into());
                Some((name.to_ascii_lowercase(), strings(&privilege.cols)))
            }
            _ => None,
        })
        .collect()
}

pub fn grant_role(stmt: &GrantRoleStmt) -> Op {
    let granted = stmt.granted_roles.iter().filter_map(|node| match &node.node {
        Some(NodeEnum::AccessPriv(granted)) => Some(granted.priv_name.clone()),
        Some(NodeEnum::RoleSpec(spec)) => Some(role(spec)),
        _ => None,
    });
    Op::GrantRole {
        is_grant: stmt.is_grant,
        roles: granted.collect(),
        members: roles(&stmt.grantee_roles),
        // REVOKE names the one option it takes, with the value false.
        admin_option: if stmt.is_grant { definition::is_on(&stmt.opt, "admin") } else { !stmt.opt.is_empty() },
    }
}

/// CREATE ROLE, USER or GROUP. A user may log in unless it says otherwise: `canlogin` is then added to its options.
pub fn create_role(stmt: &CreateRoleStmt) -> Op {
    let mut options = definition::pairs(&stmt.options);
    if stmt.stmt_type() == RoleStmtType::RolestmtUser && !options.iter().any(|(name, _)| name == "canlogin") {
        options.push(("canlogin".into(), Some("true".into())));
    }
    Op::CreateRole { name: stmt.role.clone(), options }
}

/// ALTER ROLE; ALTER GROUP … ADD and DROP USER, which are grants.
pub fn alter_role(stmt: &AlterRoleStmt) -> Op {
    let name = optional_role(stmt.role.as_ref());
    match find(&stmt.options, "rolemembers") {
        Some(members) => Op::GrantRole {
            is_grant: stmt.action > 0,
            roles: vec![name],
            members: members.arg.as_deref().map(|list| roles(items(list))).unwrap_or_default(),
            admin_option: false,
        },
        None => Op::AlterRole { name, options: definition::pairs(&stmt.options) },
    }
}

/// ALTER ROLE … SET; ALL has no target. IN DATABASE narrows the role's own settings.
pub fn role_settings(stmt: &AlterRoleSetStmt) -> Op {
    settings("role", stmt.role.as_ref().map(role), stmt.setstmt.as_ref())
}

pub fn database_settings(stmt: &AlterDatabaseSetStmt) -> Op {
    settings("database", Some(stmt.dbname.clone()), stmt.setstmt.as_ref())
}

pub fn system_settings(stmt: &AlterSystemStmt) -> Op {
    settings("system", None, stmt.setstmt.as_ref())
}

fn settings(scope: &str, target: Option<String>, stmt: Option<&VariableSetStmt>) -> Op {
    match stmt {
        Some(stmt) => Op::AlterSettings { scope: scope.into(), target, parameter: setting(stmt) },
        None => Op::Unclassified { node: "VariableSetStmt".into() },
    }
}

pub fn drop_role(stmt: &DropRoleStmt) -> Op {
    Op::DropRole { names: roles(&stmt.roles), if_exists: stmt.missing_ok }
}

pub fn drop_owned(stmt: &DropOwnedStmt) -> Op {
    Op::DropOwned { roles: roles(&stmt.roles), cascade: stmt.behavior() == DropBehavior::DropCascade }
}

pub fn reassign_owned(stmt: &ReassignOwnedStmt) -> Op {
    Op::ReassignOwned { roles: roles(&stmt.roles), to: optional_role(stmt.newrole.as_ref()) }
}
