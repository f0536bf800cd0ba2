//! CREATE TABLE and ALTER TABLE.

use super::Catalog;
use crate::op::{AlterTable, CreateTable};
pub(super) fn create(_c: &mut Catalog, _create: &CreateTable) {}
pub(super) fn alter(_c: &mut Catalog, _alter: &AlterTable) {}
