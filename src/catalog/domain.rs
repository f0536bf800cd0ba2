//! Domains.

use super::Catalog;
use crate::op::{AlterDomain, ConstraintDef, ObjectName, TypeRef};
pub(super) fn create(
    _c: &mut Catalog,
    _name: &ObjectName,
    _base: &TypeRef,
    _collation: Option<&ObjectName>,
    _constraints: &[ConstraintDef],
) {
}
pub(super) fn alter(_c: &mut Catalog, _name: &ObjectName, _change: &AlterDomain) {}
