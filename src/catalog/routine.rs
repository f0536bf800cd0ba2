//! Functions, procedures, aggregates.

use super::Catalog;
use crate::op::{CreateRoutine, ObjectName, ObjectRef, TypeRef};
pub(super) fn create(_c: &mut Catalog, _create: &CreateRoutine) {}
pub(super) fn alter(_c: &mut Catalog, _routine: &ObjectRef, _changes: &[String]) {}
pub(super) fn create_aggregate(_c: &mut Catalog, _name: &ObjectName, _or_replace: bool, _args: &[TypeRef]) {}
pub(super) fn unseen(_c: &mut Catalog, _object: &ObjectRef) -> super::object::Id {
    super::object::Id(0)
}
