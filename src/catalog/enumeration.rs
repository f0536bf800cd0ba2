//! Enum types.

use super::Catalog;
use crate::op::{AlterEnum, ObjectName};
pub(super) fn alter(_c: &mut Catalog, _name: &ObjectName, _change: &AlterEnum) {}
