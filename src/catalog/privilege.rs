//! Grants and owners.

use super::Catalog;
use crate::op::{Grant, ObjectRef};
pub(super) fn grant(_c: &mut Catalog, _grant: &Grant) {}
pub(super) fn set_owner(_c: &mut Catalog, _object: &ObjectRef, _role: &str) {}
