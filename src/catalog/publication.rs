//! Publications.

use super::Catalog;
use crate::op::{ObjectName, PublicationChange};
pub(super) fn create(
    _c: &mut Catalog,
    _name: &str,
    _all_tables: bool,
    _tables: &[ObjectName],
    _schemas: &[String],
    _options: &[(String, Option<String>)],
) {
}
pub(super) fn alter(_c: &mut Catalog, _name: &str, _change: &PublicationChange) {}
pub(super) fn drop(_c: &mut Catalog, _name: &str, _if_exists: bool) {}
