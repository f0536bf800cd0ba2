//! Servers to prove things on. A disposable server is one that was started here.

pub mod binaries;
pub mod error;
pub mod local;
mod watchdog;

pub use binaries::Binaries;
pub use error::ServerError;
pub use local::{LocalServer, LocalServerOptions};
