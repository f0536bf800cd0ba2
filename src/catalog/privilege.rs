//! Grants and owners.

use super::Catalog;
use crate::op::{Grant, ObjectRef};
pub(super) fn grant(_c: &mut Catalog, _grant: &Grant) {}
pub(super) fn set_owner(_c: &mut Catalog, _object: &ObjectRef, _role: &str) {}
pub(super) fn set_relation_owner(_c: &mut Catalog, _relation: super::object::Id, _role: &str) {}
