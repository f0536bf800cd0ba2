//! What only a real server can say. These tests fail, they are not skipped, where there is no server.

#[path = "../support/mod.rs"]
mod support;

mod bodies;
mod breaks;
mod disposable;
mod guards;
mod judge;
mod objects;
mod replay;
mod schema;
