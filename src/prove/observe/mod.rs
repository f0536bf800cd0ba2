//! What a server says about a schema, and what a statement changed in it.
//!
//! [`Observer`] reads the catalogs through the connection that runs the migration, so it sees what is not yet committed. It
//! leaves no trace: settings and savepoints are undone. [`Catalogs`] are rows with their OIDs, by which identity is decided;
//! [`breaks::difference`] says what old clients lost between two of them,
//! [`required::RequiredColumns`] what they must name by the end of a unit, [`snapshot::snapshot`] describes one without OIDs;
//! [`objects`] says what came, went and changed; [`trace`] sees what a statement costs.

pub mod breaks;
pub mod catalogs;
mod changes;
pub mod objects;
mod observer;
mod planned;
mod queries;
mod reader;
pub mod required;
pub mod snapshot;
pub mod trace;

pub use catalogs::Catalogs;
pub use observer::{ENDING, Look, Observer};
