//! The model of a schema: what a history has made so far, without a server.

pub mod snapshot;
