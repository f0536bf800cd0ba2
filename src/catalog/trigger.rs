//! Triggers and rewrite rules.

use super::Catalog;
use crate::op::{CreateTrigger, ObjectName};
pub(super) fn create(_c: &mut Catalog, _create: &CreateTrigger) {}
pub(super) fn create_rule(
    _c: &mut Catalog,
    _name: &str,
    _relation: &ObjectName,
    _or_replace: bool,
    _event: &str,
    _instead: bool,
) {
}
use super::object::Id;
pub(super) fn set_trigger_state(
    _c: &mut Catalog,
    _relation: Id,
    _name: Option<&str>,
    _state: crate::op::TriggerState,
    _user_only: bool,
) {
}
pub(super) fn set_rule_state(_c: &mut Catalog, _relation: Id, _name: &str, _enabled: bool) {}
pub(super) fn drop_trigger(_c: &mut Catalog, _relation: Id, _name: &str, _if_exists: bool) {}
pub(super) fn drop_rule(_c: &mut Catalog, _relation: Id, _name: &str, _if_exists: bool) {}
