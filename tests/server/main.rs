//! What only a real server can say. These tests fail, they are not skipped, where there is no server.

#[path = "../support/mod.rs"]
mod support;

mod bodies;
mod breaks;
mod data;
mod disposable;
mod guards;
mod judge;
mod names;
mod object_breaks;
mod objects;
mod replay;
mod schema;
