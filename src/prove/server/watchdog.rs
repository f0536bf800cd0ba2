//! A process that cleans up after us, however we end.
//!
//! `Drop` does not run when a process is killed. So a shell reads a pipe that only we hold: when it closes, because we say so or
//! because we are gone, the shell stops the server and removes its directory. It has its own process group, so that an
//! interrupt at the terminal reaches it only through us.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// `$1` is the directory to remove. Each line read is the process that works in it from now on, an empty one says that there is
/// none and the last one's id no longer ours. SIGQUIT is PostgreSQL's immediate shutdown: nothing in there is worth a checkpoint,
/// and the postmaster itself kills what of its children does not stop within five seconds. It goes to the process group, which
/// is how it reaches what initdb started.
const SCRIPT: &str = r#"
process=
while read -r line; do process=$line; done
if [ -n "$process" ]; then
    kill -s QUIT -- "-$process"
    while kill -0 "$process"; do sleep 0.02; done
fi
rm -rf "$1"
"#;

#[derive(Debug)]
pub struct Watchdog {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Watchdog {
    /// From here on, `directory` will be removed.
    pub fn start(directory: &Path) -> std::io::Result<Watchdog> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "phasegate-watchdog"])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            .process_group(0)
            .spawn()?;
        let pipe = shell.stdin.take();
        Ok(Watchdog { shell, pipe })
    }

    /// From here on, `process` will be stopped first. It leads a process group.
    pub fn watch(&mut self, process: &Child) -> std::io::Result<()> {
        self.tell(&process.id().to_string())
    }

    /// What was watched ended by itself and was waited for.
    pub fn forget(&mut self) -> std::io::Result<()> {
        self.tell("")
    }

    fn tell(&mut self, line: &str) -> std::io::Result<()> {
        match &mut self.pipe {
            Some(pipe) => writeln!(pipe, "{line}"),
            None => Ok(()),
        }
    }

    /// Stops what is watched. It is not waited for.
    pub fn release(&mut self) {
        self.pipe = None;
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.release();
        // A shell that cannot be waited for is gone, which is what this wants.
        let _ = self.shell.wait();
    }
}
