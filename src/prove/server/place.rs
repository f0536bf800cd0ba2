//! The directory that a local server lives in, and what a killed run left of others.

use super::ServerError;
use super::account::{Account, hand_over};
use super::claim::{self, Claim};
use super::error::io_error;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PREFIX: &str = "phasegate-";
/// `sizeof(sockaddr_un.sun_path)` less the terminating zero, on the stricter systems.
const SOCKET_PATH_LIMIT: usize = 103;
/// The postmaster kills what did not stop at once after five seconds.
const ORPHAN_STOP_LIMIT: Duration = Duration::from_secs(8);

/// A claimed directory, ours, with one in it that belongs to the user the server runs as.
///
/// The claim is out of that user's reach: what a server does to its own files cannot make us remove anything else.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) claim: Claim,
    /// Holds the socket, the log and the data.
    pub(super) run: PathBuf,
    pub(super) account: Option<Account>,
}

impl Place {
    /// In the directory that `TMPDIR` names; without it in memory where there is much, since a server makes a thousand files and each
    /// database three hundred; else in `/tmp`. There too where `TMPDIR` does not do: it is another user's who is not let in, or its
    /// name is so long that the socket's does not fit.
    pub(super) fn new(port: u16) -> Result<Place, ServerError> {
        let account = Account::needed()?;
        let memory = if std::env::var_os("TMPDIR").is_none() { in_memory() } else { None };
        let is_memory = memory.is_some();
        let preferred = memory.unwrap_or_else(std::env::temp_dir);
        // The name that will be added is always as long as this one.
        let fits = |parent: &Path| socket_path(&run_of(&parent.join(format!("{PREFIX}123456"))), port).as_os_str().len();
        let short = Path::new("/tmp");
        let is_closed = account.is_some() && !is_memory;
        let parent = if is_closed || fits(&preferred) > SOCKET_PATH_LIMIT { short } else { &preferred };
        let claim = Claim::new(parent, PREFIX).map_err(io_error("make a directory in", parent))?;
        let run = run_of(claim.path());
        let socket = socket_path(&run, port);
        if socket.as_os_str().as_bytes().len() > SOCKET_PATH_LIMIT {
            return Err(ServerError::SocketPath { path: socket, limit: SOCKET_PATH_LIMIT });
        }
        if account.is_some() {
            let passable = std::fs::Permissions::from_mode(0o711);
            std::fs::set_permissions(claim.path(), passable).map_err(io_error("open to the server's user", claim.path()))?;
        }
        std::fs::DirBuilder::new().mode(0o700).create(&run).map_err(io_error("make", &run))?;
        hand_over(&run, account).map_err(io_error("hand over", &run))?;
        Ok(Place { claim, run, account })
    }

    pub(super) fn data(&self) -> PathBuf {
        self.run.join("data")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.run.join("log")
    }
}

/// The file system that Linux keeps in memory for everybody, where it and the machine have room: what lies there is memory used.
fn in_memory() -> Option<PathBuf> {
    const PLACE: &str = "/dev/shm";
    const ROOM: u64 = 4 << 30;
    let system = rustix::fs::statvfs(PLACE).ok()?;
    let room = system.f_bavail.saturating_mul(system.f_frsize);
    let of_machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|facts| available(&facts))?;
    // The limit of a container, which the machine's own number does not know.
    let of_group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|limit| limit.trim().parse().ok());
    let has_room = room >= ROOM && of_machine >= 2 * ROOM && of_group.is_none_or(|limit: u64| limit >= 2 * ROOM);
    has_room.then(|| PathBuf::from(PLACE))
}

/// `MemAvailable` of `/proc/meminfo`, in bytes.
fn available(facts: &str) -> Option<u64> {
    let line = facts.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

fn run_of(directory: &Path) -> PathBuf {
    directory.join("run")
}

/// The longer of the two names that a server makes there.
fn socket_path(run: &Path, port: u16) -> PathBuf {
    run.join(format!(".s.PGSQL.{port}.lock"))
}

/// Stops and removes the servers whose owners and watchdogs were both killed. What is not provably ours stays.
pub(super) fn remove_orphans() {
    let mut parents = vec![std::env::temp_dir(), PathBuf::from("/dev/shm"), PathBuf::from("/tmp")];
    parents.sort();
    parents.dedup();
    for orphan in parents.iter().flat_map(|parent| claim::orphans(parent, PREFIX)) {
        let run = run_of(orphan.path());
        if let Some(process) = server_in(&run) {
            stop(process);
        }
        // What cannot be removed now is found again by the next run.
        let _ = std::fs::remove_dir_all(&run);
        let _ = std::fs::remove_dir_all(orphan.path());
    }
}

/// The postmaster that works in this directory. The number in its file is only a hint, since process ids are used again: the
/// process must be of the directory's owner, and have been started for this very directory.
fn server_in(run: &Path) -> Option<Pid> {
    let owner = std::fs::symlink_metadata(run).ok().filter(std::fs::Metadata::is_dir)?.uid();
    let hint = std::fs::read_to_string(run.join("data/postmaster.pid")).ok()?;
    let process: i32 = hint.lines().next()?.trim().parse().ok()?;
    let (user, arguments) = process_facts(process)?;
    let here = run.to_str()?;
    let started_here = arguments.windows(2).any(|pair| pair[0] == "-k" && pair[1] == here);
    if user == owner && started_here { Pid::from_raw(process) } else { None }
}

/// Whose a process is, and its arguments: from `/proc` where there is one, else from `ps`, which has no way to tell an argument
/// with spaces from two. (The directories that we make have none unless `TMPDIR` has.)
fn process_facts(process: i32) -> Option<(u32, Vec<String>)> {
    if Path::new("/proc/self/cmdline").exists() {
        let directory = PathBuf::from(format!("/proc/{process}"));
        let user = std::fs::metadata(&directory).ok()?.uid();
        let line = std::fs::read(directory.join("cmdline")).ok()?;
        return Some((user, line.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned()).collect()));
    }
    let number = process.to_string();
    let output =
        Command::new("ps").args(["-ww", "-o", "uid=", "-o", "args=", "-p", &number]).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.split_whitespace().map(str::to_owned);
    Some((words.next()?.parse().ok()?, words.collect()))
}

fn stop(process: Pid) {
    let _ = kill_process(process, Signal::QUIT);
    let asked = Instant::now();
    while test_kill_process(process).is_ok() {
        if asked.elapsed() > ORPHAN_STOP_LIMIT {
            let _ = kill_process(process, Signal::KILL);
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
