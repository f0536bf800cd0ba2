//! Session settings.

use super::Catalog;
use crate::op::SetParameter;
pub(super) fn set(_c: &mut Catalog, _parameter: &SetParameter) {}
pub(super) fn discard(_c: &mut Catalog, _all: bool) {}
