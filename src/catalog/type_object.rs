//! Types: composite, range, base; dispatch to enums.

use super::Catalog;
use crate::op::{ObjectName, TypeDefinition};
pub(super) fn create(_c: &mut Catalog, _name: &ObjectName, _definition: &TypeDefinition) {}
pub(super) fn composite_relation(_c: &Catalog, _name: &ObjectName) -> Option<super::object::Id> {
    None
}
pub(super) fn unseen(_c: &mut Catalog, _name: &ObjectName) -> super::object::Id {
    super::object::Id(0)
}
