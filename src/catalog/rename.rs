//! RENAME and SET SCHEMA.

use super::Catalog;
use crate::op::ObjectRef;
pub(super) fn object(_c: &mut Catalog, _object: &ObjectRef, _to: &str, _if_exists: bool) {}
pub(super) fn set_schema(_c: &mut Catalog, _object: &ObjectRef, _schema: &str, _if_exists: bool) {}
