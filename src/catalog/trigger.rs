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
