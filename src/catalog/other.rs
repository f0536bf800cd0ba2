//! Objects without a model of their own.

use super::Catalog;
use crate::op::{ObjectKind, ObjectRef};
pub(super) fn create(_c: &mut Catalog, _object: &ObjectRef, _or_replace: bool, _if_not_exists: bool) {}
pub(super) fn create_named(_c: &mut Catalog, _kind: ObjectKind, _name: &str) {}
pub(super) fn alter(_c: &mut Catalog, _object: &ObjectRef) {}
pub(super) fn alter_named(_c: &mut Catalog, _kind: ObjectKind, _name: &str) {}
pub(super) fn drop(_c: &mut Catalog, _object: &ObjectRef, _if_exists: bool) {}
