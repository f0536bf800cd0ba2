//! Schemas (namespaces).

use super::Catalog;
use crate::op::Op;
pub(super) fn create(_c: &mut Catalog, _name: &str, _if_not_exists: bool, _owner: Option<&str>, _elements: &[Op]) {}
