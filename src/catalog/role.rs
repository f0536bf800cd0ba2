//! Roles.

use super::Catalog;
pub(super) fn grant(_c: &mut Catalog, _is_grant: bool, _roles: &[String], _members: &[String]) {}
pub(super) fn create(_c: &mut Catalog, _name: &str, _options: &[(String, Option<String>)]) {}
pub(super) fn alter(_c: &mut Catalog, _name: &str, _options: &[(String, Option<String>)]) {}
pub(super) fn drop(_c: &mut Catalog, _names: &[String], _if_exists: bool) {}
pub(super) fn drop_owned(_c: &mut Catalog, _roles: &[String]) {}
pub(super) fn reassign_owned(_c: &mut Catalog, _roles: &[String], _to: &str) {}
