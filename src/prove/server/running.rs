//! The processes of a local server, from initdb to the end of the postmaster.

use super::Secret;
use super::account::Account;
use super::binaries::Binaries;
use super::error::{ServerError, io_error};
use super::local::{LocalServerOptions, SUPERUSER};
use super::place::Place;
use super::settings::SETTINGS;
use super::shifted;
use super::watchdog::Watchdog;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// For a fast shutdown. An immediate one takes another five seconds at most.
const FAST_STOP_LIMIT: Duration = Duration::from_secs(5);
const STOP_LIMIT: Duration = Duration::from_secs(12);

/// Before what is common to all servers: no port, and a socket for its own user alone.
const LOCAL_SETTINGS: [(&str, &str); 2] = [("listen_addresses", ""), ("unix_socket_permissions", "0700")];

/// What has to be stopped and removed; dropping it does both.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) process: Option<Child>,
    pub(super) watchdog: Watchdog,
    pub(super) place: Place,
}

impl Running {
    /// Makes a cluster in the place; the password of its superuser.
    pub(super) fn initialise(&mut self, binaries: &Binaries, arguments: &[String]) -> Result<Secret, ServerError> {
        let password = new_password()?;
        let file = self.place.run.join("password");
        let written = File::options().write(true).create_new(true).mode(0o600).open(&file);
        written
            .and_then(|mut written| std::io::Write::write_all(&mut written, password.reveal().as_bytes()))
            .and_then(|()| super::account::hand_over(&file, self.place.account))
            .map_err(io_error("write", &file))?;
        let process = command(&binaries.initdb, &self.place.run, self.place.account)
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(io_error("run", &binaries.initdb))?;
        self.watchdog.watch(&process).map_err(io_error("watch over", &self.place.run))?;
        let output = process.wait_with_output().map_err(io_error("wait for", &binaries.initdb))?;
        self.watchdog.forget().map_err(io_error("watch over", &self.place.run))?;
        std::fs::remove_file(&file).map_err(io_error("remove", &file))?;
        if output.status.success() {
            return Ok(password);
        }
        Err(ServerError::Initdb { output: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
    }

    pub(super) fn spawn(&mut self, binaries: &Binaries, port: u16, options: &LocalServerOptions) -> Result<(), ServerError> {
        let path = self.place.log();
        let log = File::create(&path).map_err(io_error("create", &path))?;
        let log_for_errors = log.try_clone().map_err(io_error("open", &path))?;
        let mut command = command(&binaries.postgres, &self.place.run, self.place.account);
        // The directory of the socket is also what tells this process from any other: see `place`.
        command.arg("-D").arg("data").arg("-k").arg(&self.place.run).args(["-p", &port.to_string()]);
        for (name, value) in LOCAL_SETTINGS.iter().chain(&SETTINGS) {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        if options.is_shifted {
            command.envs(shifted::library().into_iter().flat_map(shifted::environment));
        }
        for (name, value) in &options.settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        let process = command.stdout(log).stderr(log_for_errors).spawn().map_err(io_error("run", &binaries.postgres))?;
        let watched = self.watchdog.watch(&process);
        self.process = Some(process);
        watched.map_err(io_error("watch over", &self.place.run))
    }

    /// Asks the system, so that an exit is known at once.
    pub(super) fn is_alive(&mut self) -> bool {
        let Some(process) = &mut self.process else { return false };
        if let Ok(None) = process.try_wait() {
            return true;
        }
        self.process = None;
        // A watchdog that is gone has nothing to forget.
        let _ = self.watchdog.forget();
        false
    }

    /// Fast shutdown; where that takes too long immediate shutdown; then the end.
    pub(super) fn stop(&mut self) {
        let asked = Instant::now();
        let mut signal = None;
        while self.is_alive() {
            let Some(process) = self.process.as_ref().map(Pid::from_child) else { break };
            let due = match asked.elapsed() {
                elapsed if elapsed > STOP_LIMIT => Signal::KILL,
                elapsed if elapsed > FAST_STOP_LIMIT => Signal::QUIT,
                _ => Signal::INT,
            };
            if signal != Some(due) {
                signal = Some(due);
                // Already gone is as good as stopped.
                let _ = if due == Signal::KILL { kill_process_group(process, due) } else { kill_process(process, due) };
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Running {
    /// The watchdog, dropped after this, removes the directory.
    fn drop(&mut self) {
        self.stop();
    }
}

pub(super) fn new_password() -> Result<Secret, ServerError> {
    Secret::random().map_err(io_error("read", Path::new("/dev/urandom")))
}

/// Passwords for every way in; small segments, which make a small copy.
pub(super) fn initdb_arguments() -> Vec<String> {
    let user = format!("--username={SUPERUSER}");
    ["--pgdata=data", "--pwfile=password", "--auth=scram-sha-256", &user, "--encoding=UTF8", "--locale=C", "--wal-segsize=1"]
        .into_iter()
        .chain(["--no-sync", "--no-instructions"])
        .map(str::to_owned)
        .collect()
}

/// A command that runs as `account` in `directory`, out of reach of the terminal's signals and of PG* variables of ours.
fn command(program: &Path, directory: &Path, account: Option<Account>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).stdin(Stdio::null()).process_group(0).env("TZ", "UTC").env("LC_ALL", "C");
    let ours = std::env::vars_os().map(|(name, _)| name).filter(|name| name.as_encoded_bytes().starts_with(b"PG"));
    for variable in ours.chain(["DATABASE_URL".into()]) {
        command.env_remove(variable);
    }
    if let Some(account) = account {
        command.uid(account.user).gid(account.group);
    }
    command
}
