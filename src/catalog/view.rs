//! Views, materialized views and CREATE TABLE AS.

use super::Catalog;
use crate::op::{CreateTableAs, CreateView, ObjectName};
pub(super) fn create(_c: &mut Catalog, _create: &CreateView) {}
pub(super) fn create_table_as(_c: &mut Catalog, _create: &CreateTableAs) {}
pub(super) fn refresh(_c: &mut Catalog, _name: &ObjectName, _concurrently: bool, _with_data: bool) {}
