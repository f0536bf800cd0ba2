//! The container engine: one connection to it for the whole process, and what a killed run left there.
//!
//! Each container of ours says in labels which machine, user and process made it, and where the lock is that its maker holds
//! ([`super::claim`]). Only a container that says all this, and whose maker is provably dead, is ever removed.

use super::ServerError;
use super::claim::{self, Claim};
use std::collections::HashMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as EngineError;
use testcontainers::bollard::query_parameters::{
    InspectNetworkOptions, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder, RenameContainerOptionsBuilder,
};
use tokio::runtime::Runtime;

const PREFIX: &str = "phasegate.container-";
const MACHINE: &str = "phasegate.machine";
const USER: &str = "phasegate.user";
const PROCESS: &str = "phasegate.process";
const LOCK: &str = "phasegate.lock";
/// What the name of a container that was left on purpose begins with.
const KEPT: &str = "phasegate-kept-";
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// An engine that has answered.
#[derive(Debug)]
pub(super) struct Engine {
    docker: Docker,
    runtime: &'static Runtime,
}

impl Engine {
    /// Fails where none answers.
    pub(super) fn connect() -> Result<Engine, ServerError> {
        let runtime = runtime()?;
        let answer = runtime.block_on(async {
            let connecting = async {
                let docker = testcontainers::core::client::docker_client_instance().await.map_err(|error| error.to_string())?;
                docker.ping().await.map_err(|error| described(&error))?;
                Ok(docker)
            };
            let limited = tokio::time::timeout(ANSWER_LIMIT, connecting).await;
            limited.unwrap_or_else(|_| Err(format!("no answer within {} s", ANSWER_LIMIT.as_secs())))
        });
        match answer {
            Ok(docker) => Ok(Engine { docker, runtime }),
            Err(answer) => Err(ServerError::NoContainerEngine { searched: address(), answer }),
        }
    }

    /// Waits for what the engine is asked.
    pub(super) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The one address of the engine's machine that a port has to be published on for us to reach it; `None` where that cannot be
    /// said, and it has to be all.
    pub(super) fn interface(&self) -> Option<String> {
        let address = address();
        if let Some(host) = address.strip_prefix("tcp://") {
            let ourselves = ["localhost", "127.0.0.1"].iter().any(|name| host.split(':').next() == Some(*name));
            return ourselves.then(|| "127.0.0.1".to_owned());
        }
        let here = Some("127.0.0.1".to_owned());
        if !Path::new("/.dockerenv").exists() {
            return here;
        }
        // In a container ourselves: its way to the machine, where `testcontainers` says too that the port is, else on this one.
        let bridge = self.wait(self.docker.inspect_network("bridge", None::<InspectNetworkOptions>));
        let ways = bridge.ok().and_then(|bridge| bridge.ipam?.config).unwrap_or_default();
        ways.into_iter().filter_map(|way| way.gateway).find(|gateway| !gateway.trim().is_empty()).or(here)
    }

    /// True where the engine can start the image without fetching it.
    pub(super) fn has_image(&self, image: &str) -> Result<bool, ServerError> {
        match self.wait(self.docker.inspect_image(image)) {
            Ok(_) => Ok(true),
            Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
            Err(error) => Err(failed("ask for an image", &error)),
        }
    }

    /// Gives a container a name by which it is known as one that was left on purpose. Answers the name.
    pub(super) fn leave(&self, id: &str) -> Result<String, ServerError> {
        let name = format!("{KEPT}{}", id.get(..12).unwrap_or(id));
        let options = RenameContainerOptionsBuilder::new().name(&name).build();
        self.wait(self.docker.rename_container(id, options)).map_err(|error| failed("rename a container", &error))?;
        Ok(name)
    }

    /// Removes the containers of ours whose makers are dead. What is not provably ours stays.
    pub(super) fn remove_orphans(&self) -> Result<(), ServerError> {
        let Some(machine) = machine() else { return Ok(()) };
        let ours = vec![format!("{MACHINE}={machine}"), format!("{USER}={}", user())];
        let options = ListContainersOptionsBuilder::new().all(true).filters(&HashMap::from([("label", ours)])).build();
        let found = self.wait(self.docker.list_containers(Some(options))).map_err(|error| failed("list containers", &error))?;
        let is_kept =
            |names: &Option<Vec<String>>| names.iter().flatten().any(|name| name.trim_start_matches('/').starts_with(KEPT));
        for container in found.into_iter().filter(|container| !is_kept(&container.names)) {
            let labels = container.labels.unwrap_or_default();
            let (Some(id), Some(process), Some(lock)) = (container.id, labels.get(PROCESS), labels.get(LOCK)) else { continue };
            let Some(claim) = dead_maker(process, Path::new(lock)) else { continue };
            let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
            // Somebody else may be removing it at this moment.
            let _ = self.wait(self.docker.remove_container(&id, Some(options)));
            release(claim);
        }
        for claim in claim::orphans(&std::env::temp_dir(), PREFIX) {
            release(Some(claim));
        }
        Ok(())
    }
}

/// What a container of ours is marked with, for as long as this is held.
#[derive(Debug)]
pub(super) struct Mark {
    claim: Option<Claim>,
}

impl Mark {
    pub(super) fn new() -> Result<Mark, ServerError> {
        let parent = std::env::temp_dir();
        let claim = Claim::new(&parent, PREFIX).map_err(super::error::io_error("make a directory in", &parent))?;
        Ok(Mark { claim: Some(claim) })
    }

    pub(super) fn labels(&self) -> Vec<(&'static str, String)> {
        let lock = self.claim.as_ref().map(|claim| claim.path().display().to_string()).unwrap_or_default();
        let machine = machine().unwrap_or_else(|| "unknown".to_owned());
        vec![(MACHINE, machine), (USER, user()), (PROCESS, std::process::id().to_string()), (LOCK, lock)]
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        release(self.claim.take());
    }
}

fn release(claim: Option<Claim>) {
    if let Some(claim) = claim {
        // Left behind, it is an orphan for the next run.
        let _ = std::fs::remove_dir_all(claim.path());
    }
}

/// `Some` where the maker of a container is dead: its lock can be taken, or the lock is gone and so is the process.
fn dead_maker(process: &str, lock: &Path) -> Option<Option<Claim>> {
    let named_as_ours = lock.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX));
    if !named_as_ours {
        return None;
    }
    if let Some(claim) = claim::take_over(lock.to_owned()) {
        return Some(Some(claim));
    }
    let process = rustix::process::Pid::from_raw(process.parse().ok()?)?;
    let gone = rustix::process::test_kill_process(process) == Err(rustix::io::Errno::SRCH);
    (std::fs::symlink_metadata(lock).is_err() && gone).then_some(None)
}

fn user() -> String {
    rustix::process::geteuid().as_raw().to_string()
}

/// One name for what shares our processes and their numbers: the start of this machine, and our part of it. `None` where the
/// system does not say; then nothing there can be proven to be ours.
fn machine() -> Option<String> {
    let started = match std::fs::read_to_string("/proc/sys/kernel/random/boot_id") {
        Ok(id) => id,
        Err(_) => {
            let output = std::process::Command::new("sysctl").args(["-n", "kern.bootsessionuuid"]).output().ok()?;
            String::from_utf8(output.stdout).ok()?
        }
    };
    let started = started.trim();
    let part = std::fs::read_link("/proc/self/ns/pid").map(|link| link.display().to_string()).unwrap_or_default();
    (!started.is_empty()).then(|| format!("{started} {part}").trim().to_owned())
}

/// Where the engine is looked for, as `testcontainers` does.
fn address() -> String {
    let default = || "unix:///var/run/docker.sock".to_owned();
    if let Some(named) = std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty()) {
        return named;
    }
    let directory = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
    let rootless = [
        directory("XDG_RUNTIME_DIR").map(|directory| directory.join(".docker/run/docker.sock")),
        directory("HOME").map(|home| home.join(".docker/run/docker.sock")),
        directory("HOME").map(|home| home.join(".docker/desktop/docker.sock")),
    ];
    if Path::new("/var/run/docker.sock").exists() {
        return default();
    }
    rootless.into_iter().flatten().find(|path| path.exists()).map_or_else(default, |path| format!("unix://{}", path.display()))
}

pub(super) fn failed(action: &'static str, error: &EngineError) -> ServerError {
    ServerError::ContainerEngine { action, answer: described(error) }
}

/// With its causes: the first line alone often only says that a request failed.
fn described(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let words = next.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = next.source();
    }
    text
}

/// One for the whole process: what the engine's client keeps open belongs to the runtime that opened it.
fn runtime() -> Result<&'static Runtime, ServerError> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let started = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("containers").enable_all().build();
    let runtime =
        started.map_err(|error| ServerError::ContainerEngine { action: "start a thread for it", answer: error.to_string() })?;
    Ok(RUNTIME.get_or_init(|| runtime))
}
