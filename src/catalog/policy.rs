//! Row level security.

use super::Catalog;
use crate::op::Policy;
pub(super) fn create(_c: &mut Catalog, _create: &Policy) {}
pub(super) fn alter(_c: &mut Catalog, _alter: &Policy) {}
use super::object::Id;
pub(super) fn set_rls(_c: &mut Catalog, _relation: Id, _enabled: bool) {}
pub(super) fn force_rls(_c: &mut Catalog, _relation: Id, _forced: bool) {}
pub(super) fn drop_policy(_c: &mut Catalog, _relation: Id, _name: &str, _if_exists: bool) {}
