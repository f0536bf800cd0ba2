//! The user's own command: a shell command line that applies what is pending, as it does in production.
//!
//! It gets `DATABASE_URL`, libpq's variables and `MIGRATIONS_DIR` in its environment and nothing in its arguments; standard input is
//! closed. It has a process group of its own, which is ended when its time is over, and with it the sessions that it left on the
//! server. What it wrote is kept without the password. What it applied is read from its ledger, where that is known.
//!
//! A command that is missing, that hangs, that fails, and that ends well without having done anything are told apart by the first
//! words of the failure's message: [`MISSING`], [`STOPPED`], [`EXITED`], [`IDLE`].

use super::output::{Captured, last_lines, sqlstate};
use super::partial::Directory;
use super::proxy::{Proxy, Watch};
use super::session::connection;
use super::{Call, Ended, Ledger, RunFailure, Runner, RunnerError, known};
use crate::prove::chain::Chain;
use crate::prove::server::Endpoint;
use crate::prove::sessions;
use postgres::Client;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The shell does not know the command.
pub const MISSING: &str = "the runner was not found";
/// Its time was over.
pub const STOPPED: &str = "the runner was stopped";
/// It says itself that it failed.
pub const EXITED: &str = "the runner failed";
/// It says that it did its work, and there is none to be seen.
pub const IDLE: &str = "the runner did nothing";

/// How long a command has to end by itself when it is told to.
const GRACE: Duration = Duration::from_secs(2);
/// How long to wait for the rest of the output once the command is gone.
/// How long a session that was ended may take.
const PATIENCE: Duration = Duration::from_secs(5);
const DRAIN: Duration = Duration::from_millis(500);
const POLL: Duration = Duration::from_millis(5);
/// What the shell answers for a command that it does not find (POSIX, *Exit Status for Commands*).
const NOT_FOUND: i32 = 127;

/// Calls that go on now, of any runner of this kind.
static RUNNING: AtomicUsize = AtomicUsize::new(0);
/// For names of sessions.
static NEXT: AtomicUsize = AtomicUsize::new(1);

#[derive(Clone, Debug)]
pub struct CommandRunner {
    line: String,
    ledger: Option<Ledger>,
    needs_tcp: bool,
}

impl CommandRunner {
    /// `line` is run by `sh -c`.
    pub fn new(line: impl Into<String>) -> CommandRunner {
        CommandRunner { line: line.into(), ledger: None, needs_tcp: false }
    }

    /// With the ledger that the user named. Without one, the ledger of a common runner is looked for.
    pub fn with_ledger(self, ledger: Ledger) -> CommandRunner {
        CommandRunner { ledger: Some(ledger), ..self }
    }

    /// For commands that cannot use a Unix socket: they get a port of 127.0.0.1, behind which a proxy of ours stands.
    pub fn over_tcp(self) -> CommandRunner {
        CommandRunner { needs_tcp: true, ..self }
    }
}

impl Runner for CommandRunner {
    fn description(&self) -> String {
        format!("`{}`", self.line)
    }

    fn is_built_in(&self) -> bool {
        false
    }

    fn ledger(&self) -> Option<&Ledger> {
        self.ledger.as_ref()
    }

    fn run(&self, chain: &Chain<'_>, call: &Call<'_>) -> Result<Ended, RunnerError> {
        let server = call.database.cluster().server().endpoint();
        let direct = call.through.cloned().unwrap_or(server);
        let proxy = match &direct {
            Endpoint::Unix { .. } if self.needs_tcp => Some(Proxy::tcp(&direct, Watch::nothing())?),
            Endpoint::Unix { .. } | Endpoint::Tcp { .. } => None,
        };
        let endpoint = proxy.as_ref().map_or(direct, |proxy| proxy.endpoint().clone());
        let directory = Directory::of(&chain.checked.history, call.units)?;
        let mut administrator = call.database.connect_as_administrator()?;
        let before = Seen::of(self, chain, &mut administrator)?;
        let (output, failure) = self.call(call, &endpoint, &directory, &mut administrator)?;
        let after = Seen::of(self, chain, &mut administrator)?;
        let failure = failure.or_else(|| idle(chain, call, &before, &after, &output));
        Ok(Ended { failure, applied: after.applied(&before), output })
    }
}

impl CommandRunner {
    /// Starts the command and waits for it.
    fn call(
        &self,
        call: &Call<'_>,
        endpoint: &Endpoint,
        directory: &Directory,
        administrator: &mut Client,
    ) -> Result<(String, Option<RunFailure>), RunnerError> {
        let start = |source| RunnerError::Start { command: self.line.clone(), source };
        let _running = Running::count();
        let owner = call.database.cluster().owner();
        let name = format!("phasegate-runner-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut command = Command::new("sh");
        command.arg("-c").arg(&self.line).process_group(0).stdin(Stdio::null());
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("PG") {
                command.env_remove(variable);
            }
        }
        command.envs(endpoint.environment(call.database.name(), owner));
        command.env("MIGRATIONS_DIR", directory.path()).env("PGAPPNAME", &name);
        let (reader, writer) = std::io::pipe().map_err(start)?;
        command.stdout(writer.try_clone().map_err(start)?).stderr(writer);
        let child = command.spawn().map_err(start)?;
        // Its ends of the pipe would keep it open.
        drop(command);
        let captured = Arc::new(Captured::default());
        let into = Arc::clone(&captured);
        // A grandchild that left the group may hold the pipe for ever: this thread then ends with it.
        let reading = std::thread::spawn(move || into.read(reader));
        let mut group = Group { child, is_gone: false };
        let status = group.wait_until(Instant::now() + call.limit).map_err(start)?;
        let ended = match status {
            Some(status) => Some(status),
            None => {
                group.end().map_err(start)?;
                end_sessions(administrator, call.database.name(), &owner.user, &name)?;
                None
            }
        };
        let patience = Instant::now() + DRAIN;
        while !reading.is_finished() && Instant::now() < patience {
            std::thread::sleep(POLL);
        }
        if !reading.is_finished() {
            // Something of it goes on in the background.
            group.signal("KILL");
        }
        let output = captured.text(&owner.password);
        let failure = failure(ended, call.limit, &output);
        Ok((output, failure))
    }
}

/// What the way in which it ended says.
fn failure(status: Option<ExitStatus>, limit: Duration, output: &str) -> Option<RunFailure> {
    let how = match status {
        Some(status) if status.success() => return None,
        Some(status) => match (status.code(), status.signal()) {
            (Some(NOT_FOUND), _) => format!("{MISSING}: exit code {NOT_FOUND}"),
            (Some(code), _) => format!("{EXITED}: exit code {code}"),
            (None, signal) => format!("{EXITED}: signal {}", signal.unwrap_or_default()),
        },
        None => format!("{STOPPED} after {} s", limit.as_secs_f64()),
    };
    let lines = last_lines(output);
    let message = if lines.is_empty() { how } else { format!("{how}: {lines}") };
    Some(RunFailure { unit: None, statement: None, sqlstate: sqlstate(output), message })
}

/// A command that ended well in an empty database that is still empty, though there was something to apply.
fn idle(chain: &Chain<'_>, call: &Call<'_>, before: &Seen, after: &Seen, output: &str) -> Option<RunFailure> {
    let expects = chain.units.iter().take(call.units).any(|unit| !unit.statements.is_empty());
    if !expects || before.objects > 0 || after.objects > 0 {
        return None;
    }
    let lines = last_lines(output);
    let said = if lines.is_empty() { "it wrote nothing".to_owned() } else { format!("it wrote: {lines}") };
    let message = format!("{IDLE}: exit code 0, and the database is as empty as before; {said}");
    Some(RunFailure { unit: None, statement: None, sqlstate: None, message })
}

/// What can be seen of a runner's work in a database.
struct Seen {
    /// Relations, routines and schemas that are of no extension.
    objects: i64,
    /// Indexes of the units that the ledger knows.
    units: Vec<usize>,
}

impl Seen {
    fn of(runner: &CommandRunner, chain: &Chain<'_>, client: &mut Client) -> Result<Seen, RunnerError> {
        let objects = client
            .query_one(
                "SELECT pg_catalog.count(*) FROM (\
                 SELECT oid, 'pg_catalog.pg_class'::pg_catalog.regclass FROM pg_catalog.pg_class \
                 UNION ALL SELECT oid, 'pg_catalog.pg_proc'::pg_catalog.regclass FROM pg_catalog.pg_proc \
                 UNION ALL SELECT oid, 'pg_catalog.pg_type'::pg_catalog.regclass FROM pg_catalog.pg_type \
                 UNION ALL SELECT oid, 'pg_catalog.pg_namespace'::pg_catalog.regclass FROM pg_catalog.pg_namespace) made (oid, kind) \
                 WHERE oid >= 16384 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
                 WHERE d.classid = made.kind AND d.objid = made.oid AND d.deptype IN ('e', 'i'))",
                &[],
            )
            .and_then(|row| row.try_get(0))
            .map_err(connection("count what is in the database"))?;
        let units = units(runner, chain, client).map_err(connection("read the runner's ledger"))?;
        Ok(Seen { objects, units })
    }

    fn applied(&self, before: &Seen) -> Vec<usize> {
        self.units.iter().copied().filter(|unit| !before.units.contains(unit)).collect()
    }
}

/// Indexes of the units that the ledger knows: the user's own, that of the layout's runner, or that of a common one.
fn units(runner: &CommandRunner, chain: &Chain<'_>, client: &mut Client) -> Result<Vec<usize>, postgres::Error> {
    let profile = known::profile(&chain.checked.history.layout);
    let migrations = &chain.checked.history.migrations;
    let entries = || migrations.iter().enumerate().map(|(at, migration)| (at, known::Entry { place: at + 1, migration }));
    if runner.ledger.is_none() && profile.runner.is_some() && exists(client, profile.ledger.table)? {
        let mut keys: Vec<String> = Vec::new();
        for row in client.query(profile.ledger.read, &[])? {
            keys.push(row.try_get(0)?);
        }
        let found: Vec<usize> =
            entries().filter(|(_, entry)| keys.contains(&(profile.ledger.key)(entry))).map(|(at, _)| at).collect();
        return Ok(match profile.pending {
            // Its ledger names the last one only.
            known::Pending::AfterLast => found.last().map_or(Vec::new(), |last| (0..=*last).collect()),
            known::Pending::Missing | known::Pending::Everything => found,
        });
    }
    let ledger = match &runner.ledger {
        Some(ledger) => exists(client, &ledger.table)?.then(|| ledger.clone()),
        None => Ledger::find(client)?,
    };
    let Some(ledger) = ledger else { return Ok(Vec::new()) };
    let rows = ledger.rows(client)?;
    let is_there = |entry: &known::Entry<'_>| {
        let stem = entry.file().split('.').next().unwrap_or_default();
        let names = [entry.id(), entry.file(), stem];
        rows.iter().any(|row| names.contains(&row.as_str()) || *row == entry.number().to_string())
    };
    Ok(entries().filter(|(_, entry)| is_there(entry)).map(|(at, _)| at).collect())
}

fn exists(client: &mut Client, table: &str) -> Result<bool, postgres::Error> {
    client.query_one("SELECT pg_catalog.to_regclass($1) IS NOT NULL", &[&table])?.try_get(0)
}

/// Ends what a stopped command left on the server: sessions under the name that it was given, and all of the owner's where no other
/// call can be meant.
fn end_sessions(administrator: &mut Client, database: &str, user: &str, name: &str) -> Result<(), RunnerError> {
    let is_alone = RUNNING.load(Ordering::SeqCst) == 1;
    let condition = "datname = $1 AND usename = $2 AND (application_name = $3 OR $4)";
    sessions::end(administrator, condition, &[&database, &user, &name, &is_alone], PATIENCE)
        .map_err(connection("end the sessions of a stopped runner"))
}

/// Counts a call as long as it goes on.
struct Running;

impl Running {
    fn count() -> Running {
        RUNNING.fetch_add(1, Ordering::SeqCst);
        Running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A process group that does not outlive this.
struct Group {
    child: Child,
    is_gone: bool,
}

impl Group {
    fn wait_until(&mut self, end: Instant) -> std::io::Result<Option<ExitStatus>> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                self.is_gone = true;
                return Ok(Some(status));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            std::thread::sleep(POLL);
        }
    }

    /// TERM, and KILL to what is left of it.
    fn end(&mut self) -> std::io::Result<()> {
        self.signal("TERM");
        self.wait_until(Instant::now() + GRACE)?;
        self.signal("KILL");
        self.wait_until(Instant::now() + GRACE).map(|_| ())
    }

    /// The shell's own `kill`: a group that is gone is what this wants.
    fn signal(&self, name: &str) {
        let group = self.child.id().to_string();
        let mut kill = Command::new("/bin/sh");
        kill.args(["-c", r#"kill -s "$1" -- "-$2""#, "phasegate-kill", name, &group]);
        let _ = kill.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.is_gone {
            self.signal("KILL");
            let _ = self.child.wait();
        }
    }
}
