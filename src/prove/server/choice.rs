//! Which server it is to be.

use super::url::Target;
use super::{ContainerOptions, ContainerServer, LocalServer, LocalServerOptions, Server, ServerError, UrlServer};
use std::path::PathBuf;

/// What the user asked for.
#[derive(Clone, Debug)]
pub enum ServerChoice {
    /// From programs on this machine.
    Local {
        /// Directory of `initdb` and `postgres`.
        pg_bin: Option<PathBuf>,
        /// Major version, where it matters.
        pg_version: Option<u32>,
        settings: Vec<(String, String)>,
    },
    /// From an image.
    Container { image: String, settings: Vec<(String, String)> },
    /// One that runs already.
    Url {
        target: Target,
        /// The user said that nobody will miss it.
        disposable: bool,
    },
    /// Nothing in particular: local where there are programs, else a container.
    Automatic { pg_version: Option<u32>, settings: Vec<(String, String)> },
}

/// The version that a container has where none was asked for.
const CONTAINER_VERSION: u16 = crate::versions::KNOWN.newest;

/// Starts what was asked for, or opens it; returns once it has answered a query.
///
/// Fails as the server's kind does. Where nothing in particular was asked for, the error says all that was looked for.
pub fn start(choice: &ServerChoice) -> Result<Box<dyn Server>, ServerError> {
    match choice {
        ServerChoice::Local { pg_bin, pg_version, settings } => local(pg_bin.clone(), *pg_version, settings),
        ServerChoice::Container { image, settings } => container(image.clone(), settings),
        ServerChoice::Url { target, disposable } => Ok(Box::new(UrlServer::open(target.clone(), *disposable)?)),
        ServerChoice::Automatic { pg_version, settings } => match local(None, *pg_version, settings) {
            Err(
                missing @ (ServerError::NotFound { .. } | ServerError::NoSuchVersion { .. } | ServerError::NoUnprivilegedUser),
            ) => {
                let version = pg_version.unwrap_or(u32::from(CONTAINER_VERSION));
                container(format!("postgres:{version}"), settings).map_err(|error| match error {
                    ServerError::NoContainerEngine { .. } | ServerError::NoImage { .. } => {
                        ServerError::Nowhere { local: Box::new(missing), container: Box::new(error) }
                    }
                    other => other,
                })
            }
            started => started,
        },
    }
}

fn local(binaries: Option<PathBuf>, version: Option<u32>, settings: &[(String, String)]) -> Result<Box<dyn Server>, ServerError> {
    Ok(Box::new(LocalServer::start(&LocalServerOptions { binaries, version, settings: settings.to_vec(), is_shifted: false })?))
}

fn container(image: String, settings: &[(String, String)]) -> Result<Box<dyn Server>, ServerError> {
    Ok(Box::new(ContainerServer::start(&ContainerOptions { image, settings: settings.to_vec() })?))
}
