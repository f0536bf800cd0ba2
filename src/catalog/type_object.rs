//! Types: composite, range, base; dispatch to enums.

use super::Catalog;
use crate::op::{ObjectName, TypeDefinition};
pub(super) fn create(_c: &mut Catalog, _name: &ObjectName, _definition: &TypeDefinition) {}
