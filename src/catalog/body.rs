//! Bodies that run: DO blocks, and routines when they are called.

use super::Catalog;
use crate::expr::Expr;
use crate::op::{Body, ObjectName};
pub(super) fn run(_c: &mut Catalog, _body: &Body) {}
pub(super) fn call(_c: &mut Catalog, _routine: &ObjectName, _args: &[Expr]) {}
