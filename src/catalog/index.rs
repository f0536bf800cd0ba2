//! Indexes.

use super::Catalog;
use crate::op::CreateIndex;
pub(super) fn create(_c: &mut Catalog, _create: &CreateIndex) {}
