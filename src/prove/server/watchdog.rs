//! A process that cleans up after us, however we end.
//!
//! `Drop` does not run when a process is killed. So a shell reads a pipe that only we hold: when it closes, because we say so or
//! because we are gone, the shell stops the server and removes its directory. It has its own process group, so that an
//! interrupt at the terminal reaches it only through us.

use super::claim::Claim;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};

/// `$1` is the directory to remove. Each line read is the process that works in it from now on, an empty one says that there is
/// none and the last one's id no longer ours; `keep` ends the watch and leaves everything. SIGQUIT is PostgreSQL's immediate shutdown: we are dead, and nothing in there is
/// worth a checkpoint. The postmaster itself kills what of its children does not stop within five seconds. The signal goes to the
/// process group, which is how it reaches what initdb started. The claim, in the directory itself, is removed last.
const SCRIPT: &str = r#"
process=
while read -r line; do
    if [ "$line" = keep ]; then exit 0; fi
    process=$line
done
if [ -n "$process" ]; then
    kill -s QUIT -- "-$process"
    rounds=0
    while kill -0 "$process"; do
        sleep 0.02
        rounds=$((rounds + 1))
        if [ "$rounds" -eq 500 ]; then kill -s KILL -- "-$process"; fi
    done
fi
rm -rf "$1/run"
rm -rf "$1"
"#;

#[derive(Debug)]
pub(super) struct Watchdog {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Watchdog {
    /// From here on, the claimed directory will be removed. The watchdog holds the claim too.
    pub(super) fn start(claim: &Claim) -> std::io::Result<Watchdog> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "phasegate-watchdog"])
            .arg(claim.path())
            .stdin(Stdio::piped())
            .stdout(claim.shared()?)
            .stderr(Stdio::null())
            .current_dir("/")
            .process_group(0)
            .spawn()?;
        let pipe = shell.stdin.take();
        Ok(Watchdog { shell, pipe })
    }

    /// From here on, `process` will be stopped first. It leads a process group.
    pub(super) fn watch(&mut self, process: &Child) -> std::io::Result<()> {
        self.tell(&process.id().to_string())
    }

    /// What was watched ended and was waited for: its id may be another's soon.
    pub(super) fn forget(&mut self) -> std::io::Result<()> {
        self.tell("")
    }

    /// Nothing is stopped and nothing is removed, now or later.
    pub(super) fn keep(&mut self) -> std::io::Result<()> {
        self.tell("keep")
    }

    fn tell(&mut self, line: &str) -> std::io::Result<()> {
        match &mut self.pipe {
            Some(pipe) => writeln!(pipe, "{line}"),
            None => Ok(()),
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.pipe = None;
        // A shell that cannot be waited for is gone, which is what this wants.
        let _ = self.shell.wait();
    }
}
