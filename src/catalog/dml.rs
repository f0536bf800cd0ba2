//! Statements that change or read rows.

use super::Catalog;
use super::change::RowChange;
use crate::op::{Dml, ObjectName, Query};
pub(super) fn apply(_c: &mut Catalog, _dml: &Dml) {}
pub(super) fn select(_c: &mut Catalog, _query: &Query) {}
pub(super) fn truncate(_c: &mut Catalog, _relations: &[ObjectName]) {}
pub(super) fn rows_changed(_c: &mut Catalog, _relation: &ObjectName, _how: RowChange) {}
