//! DROP and what falls with it.

use super::Catalog;
use crate::op::ObjectRef;
pub(super) fn objects(_c: &mut Catalog, _objects: &[ObjectRef], _if_exists: bool, _cascade: bool, _concurrently: bool) {}
