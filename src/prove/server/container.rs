//! A disposable PostgreSQL in a container, from an image with the conventions of the official one.
//!
//! Invariants: its port is published where we reach it and nowhere else, if the engine is on this machine; every way in, the socket
//! in the container included, wants a password, which is another one for each container and stands in the container's environment,
//! never in an argument. The container and its volumes are gone when this is dropped, also in a panic or at a signal; what a
//! `kill -9` left is removed by the next run ([`super::engine`]).

use super::engine::{Engine, Mark};
use super::error::{ServerError, described, io_error};
use super::interrupt::{self, Registration};
use super::local::last_lines;
use super::settings::SETTINGS;
use super::{Endpoint, Login, Secret, Server};
use postgres::{Client, Config, NoTls};
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use testcontainers::bollard::models::PortBinding;
use testcontainers::core::IntoContainerPort;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt, TestcontainersError};

const PORT: u16 = 5432;
const SUPERUSER: &str = "postgres";
/// A start takes two seconds where initdb and a slow disk do not make it more.
const START_LIMIT: Duration = Duration::from_secs(120);
/// As a local server is made: the same order of strings, and a password on the socket, where the image by itself asks for none.
const INITDB_ARGUMENTS: &str = "--auth=scram-sha-256 --encoding=UTF8 --locale=C --no-sync";

/// How to start a [`ContainerServer`].
#[derive(Clone, Debug)]
pub struct ContainerOptions {
    /// `postgres:17`; anything that keeps to that image's conventions.
    pub image: String,
    /// Further settings, as in `postgresql.conf`; they win over the built-in ones.
    pub settings: Vec<(String, String)>,
}

/// A running container that is ours alone. Dropping it removes it, and its volumes.
pub struct ContainerServer {
    running: Shared,
    _interrupt: Registration,
    engine: Arc<Engine>,
    image: String,
    host: String,
    port: u16,
    version: u32,
    administrator: Login,
}

type Container = ContainerAsync<GenericImage>;
/// `None` before the start, and once it was removed, by us or by a signal.
type Shared = Arc<Mutex<Option<Running>>>;

/// What has to be removed; dropping it does that.
struct Running {
    container: Option<Container>,
    engine: Arc<Engine>,
    // Released when the container is gone.
    _mark: Mark,
}

impl ContainerServer {
    /// Starts a container; returns once a query has been answered through the published port. An image that is not there is
    /// pulled; one that is there never is.
    ///
    /// Fails when no engine answers, when there is no such image, and when the server does not come up.
    pub fn start(options: &ContainerOptions) -> Result<ContainerServer, ServerError> {
        let engine = Arc::new(Engine::connect()?);
        engine.remove_orphans()?;
        let password = Secret::random().map_err(io_error("read", Path::new("/dev/urandom")))?;
        let running: Shared = Arc::new(Mutex::new(None));
        let to_remove = Arc::clone(&running);
        let mut server = ContainerServer {
            // A signal during the start waits for the container to be there, and removes it then.
            _interrupt: interrupt::register(move || drop(lock(&to_remove).take())),
            running,
            engine: Arc::clone(&engine),
            image: options.image.clone(),
            host: String::new(),
            port: 0,
            version: 0,
            administrator: Login::new(SUPERUSER, password),
        };
        server.run(options)?;
        (server.host, server.port) = server.address()?;
        server.wait_until_ready()?;
        Ok(server)
    }

    fn run(&self, options: &ContainerOptions) -> Result<(), ServerError> {
        let there = self.engine.has_image(&options.image)?;
        let mark = Mark::new()?;
        let settings = SETTINGS.iter().map(|(name, value)| format!("{name}={value}"));
        let settings = settings.chain(options.settings.iter().map(|(name, value)| format!("{name}={value}")));
        let (name, tag) = name_and_tag(&options.image);
        let interface = self.engine.interface();
        let request = GenericImage::new(name, tag)
            .with_exposed_port(PORT.tcp())
            .with_env_var("POSTGRES_USER", SUPERUSER)
            .with_env_var("POSTGRES_PASSWORD", self.administrator.password.reveal())
            .with_env_var("POSTGRES_INITDB_ARGS", INITDB_ARGUMENTS)
            .with_env_var("POSTGRES_HOST_AUTH_METHOD", "scram-sha-256")
            .with_env_var("TZ", "UTC")
            .with_labels(mark.labels())
            .with_cmd(settings.flat_map(|setting| ["-c".to_owned(), setting]))
            .with_startup_timeout(START_LIMIT)
            .with_host_config_modifier(move |host| {
                let binding = PortBinding { host_ip: interface.clone(), host_port: None };
                host.publish_all_ports = Some(false);
                host.port_bindings = Some([(format!("{PORT}/tcp"), Some(vec![binding]))].into());
                // The engine's default of 64 MB is less than parallel queries may want.
                host.shm_size = Some(256 * 1024 * 1024);
            });
        let mut running = lock(&self.running);
        match self.engine.wait(request.start()) {
            Ok(container) => {
                *running = Some(Running { container: Some(container), engine: Arc::clone(&self.engine), _mark: mark });
                Ok(())
            }
            Err(error) if there => Err(container_error("start a container", &error)),
            Err(error) => Err(ServerError::NoImage { image: options.image.clone(), answer: error.to_string() }),
        }
    }

    /// Fails once the container was removed.
    fn with_container<T>(
        &self,
        action: &'static str,
        ask: impl AsyncFnOnce(&Container) -> Result<T, TestcontainersError>,
    ) -> Result<T, ServerError> {
        let running = lock(&self.running);
        let container = running.as_ref().and_then(|running| running.container.as_ref()).ok_or(ServerError::Interrupted)?;
        self.engine.wait(ask(container)).map_err(|error| container_error(action, &error))
    }

    /// Where its port is published.
    fn address(&self) -> Result<(String, u16), ServerError> {
        let host = self.with_container("ask where a container is", async |container| container.get_host().await)?;
        let port = self.with_container("ask for a container's port", async |container| container.get_host_port_ipv4(PORT).await);
        let port = match port {
            // A server that refused its settings is gone before it could be asked.
            Err(_) if !self.is_running() => return Err(ServerError::Stopped { log: self.log() }),
            port => port?,
        };
        let host = host.to_string();
        // The name may also mean an address that the port is not published on.
        Ok((if host == "localhost" { "127.0.0.1".to_owned() } else { host }, port))
    }

    fn config(&self, database: &str, login: &Login) -> Config {
        let mut config = Config::new();
        config.host(&self.host).port(self.port).dbname(database).application_name("phasegate");
        config.user(&login.user).password(login.password.reveal()).connect_timeout(Duration::from_secs(10));
        config
    }

    /// Ready means that a query is answered through the published port: the line in the log that says so comes twice, the first
    /// time for a server that only sets up the cluster and listens on no port.
    fn wait_until_ready(&mut self) -> Result<(), ServerError> {
        let started = Instant::now();
        loop {
            let answer = self.config(SUPERUSER, &self.administrator).connect(NoTls).and_then(|mut client| {
                client.query_one("SELECT current_setting('server_version_num')::int", &[])?.try_get::<_, i32>(0)
            });
            match answer {
                Ok(version) => {
                    self.version = version.unsigned_abs();
                    return Ok(());
                }
                Err(_) if !self.is_running() => return Err(ServerError::Stopped { log: self.log() }),
                Err(error) if started.elapsed() > START_LIMIT => {
                    let answer = described(&error);
                    return Err(ServerError::NotReady { seconds: START_LIMIT.as_secs(), answer, log: self.log() });
                }
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    fn log(&self) -> String {
        let log = self.with_container("read a container's log", async |container| container.stderr_to_vec().await);
        log.map(|log| last_lines(&log)).unwrap_or_default()
    }
}

impl Server for ContainerServer {
    fn version(&self) -> u32 {
        self.version
    }

    fn description(&self) -> String {
        format!("PostgreSQL {}.{}, container of {}", self.version / 10_000, self.version % 10_000, self.image)
    }

    fn administrator(&self) -> &Login {
        &self.administrator
    }

    fn has_superuser(&self) -> bool {
        true
    }

    fn maintenance_database(&self) -> &str {
        SUPERUSER
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Tcp { host: self.host.clone(), port: self.port, tls: vec![("PGSSLMODE", "disable".to_owned())] }
    }

    fn connect_as(&self, database: &str, login: &Login) -> Result<Client, ServerError> {
        self.config(database, login)
            .connect(NoTls)
            .map_err(|source| ServerError::Connection { action: format!("connect to database {database}"), source })
    }

    fn log_end(&self) -> Option<String> {
        Some(self.log())
    }

    fn is_running(&self) -> bool {
        self.with_container("look at a container", async |container| container.is_running().await).unwrap_or(false)
    }

    fn keep(&self, database: &str, login: &Login) -> Result<Vec<String>, ServerError> {
        let mut running = lock(&self.running).take().ok_or(ServerError::Interrupted)?;
        let container = running.container.take().ok_or(ServerError::Interrupted)?;
        let left = self.engine.leave(container.id()).and_then(|name| Ok((name, password_file(login)?)));
        match left {
            Ok((name, passwords)) => {
                // Dropping it is what removes a container.
                std::mem::forget(container);
                Ok(vec![
                    format!(
                        "PGPASSFILE={} psql -h {} -p {} -U {} {database}",
                        passwords.display(),
                        self.host,
                        self.port,
                        login.user
                    ),
                    format!("to end it: docker rm --force --volumes {name} && rm {}", passwords.display()),
                ])
            }
            Err(error) => {
                running.container = Some(container);
                Err(error)
            }
        }
    }
}

impl fmt::Debug for ContainerServer {
    /// What the container was started with holds the password.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ContainerServer")
            .field("image", &self.image)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl Drop for ContainerServer {
    fn drop(&mut self) {
        drop(lock(&self.running).take());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(container) = self.container.take() {
            // One that cannot be removed now is found by its labels later.
            let _ = self.engine.wait(container.rm());
        }
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, Option<Running>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file of libpq's with this password, for its owner alone, that stays.
fn password_file(login: &Login) -> Result<PathBuf, ServerError> {
    let directory = std::env::temp_dir();
    let file = tempfile::Builder::new().prefix("phasegate-kept-").tempfile_in(&directory);
    let mut file = file.map_err(io_error("make a file in", &directory))?;
    let path = file.path().to_owned();
    writeln!(file, "*:*:*:{}:{}", login.user, login.password.reveal()).map_err(io_error("write", &path))?;
    file.keep().map_err(|error| io_error("leave", &path)(error.error))?;
    Ok(path)
}

fn container_error(action: &'static str, error: &TestcontainersError) -> ServerError {
    ServerError::ContainerEngine { action, answer: error.to_string() }
}

/// `localhost:5000/postgres` has no tag: the number is a port.
fn name_and_tag(image: &str) -> (&str, &str) {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::name_and_tag;

    #[test]
    fn an_image_has_a_name_and_a_tag() {
        assert_eq!(name_and_tag("postgres"), ("postgres", "latest"));
        assert_eq!(name_and_tag("postgres:17"), ("postgres", "17"));
        assert_eq!(name_and_tag("localhost:5000/postgres"), ("localhost:5000/postgres", "latest"));
        assert_eq!(name_and_tag("postgres@sha256:00ff"), ("postgres@sha256", "00ff"));
    }
}
