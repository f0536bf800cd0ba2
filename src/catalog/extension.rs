//! Extensions and their members.

use super::Catalog;
use crate::op::ExtensionChange;
pub(super) fn create(_c: &mut Catalog, _name: &str, _if_not_exists: bool, _schema: Option<&str>, _cascade: bool) {}
pub(super) fn alter(_c: &mut Catalog, _name: &str, _change: &ExtensionChange) {}
pub(super) fn drop(_c: &mut Catalog, _name: &str, _if_exists: bool, _cascade: bool) {}
