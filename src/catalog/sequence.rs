//! Sequences.

use super::Catalog;
use crate::op::{ObjectName, Persistence, SequenceOption};
pub(super) fn create(
    _c: &mut Catalog,
    _name: &ObjectName,
    _persistence: Persistence,
    _if_not_exists: bool,
    _options: &[SequenceOption],
) {
}
pub(super) fn alter(_c: &mut Catalog, _name: &ObjectName, _if_exists: bool, _options: &[SequenceOption]) {}
