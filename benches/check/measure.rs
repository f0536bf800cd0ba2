//! What a process used, as the kernel counts it: `wait4` is the only call that gives the peak memory of one child.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub wall: Duration,
    /// User and system time of all threads.
    pub cpu: Duration,
    /// Largest resident set.
    pub peak_bytes: u64,
}

/// Runs the command several times and gives the run with the least CPU time.
pub fn best_of(runs: usize, command: impl Fn() -> Command) -> Usage {
    (0..runs).map(|_| run(command())).min_by_key(|usage| usage.cpu).expect("at least one run")
}

#[expect(clippy::zombie_processes, reason = "wait4 waits for it")]
fn run(mut command: Command) -> Usage {
    let start = Instant::now();
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starting the process");
    let pid = libc::pid_t::try_from(child.id()).expect("a process id");
    let mut status = 0;
    // SAFETY: rusage is plain numbers, for which zeroes are a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to locals of the right type; the child was not waited for, so the id is still its own.
    let waited = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) };
    let wall = start.elapsed();
    assert_eq!(waited, pid, "waiting for the process");
    assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) < 2, "{command:?} ended with status {status:#x}");
    let cpu = duration(usage.ru_utime) + duration(usage.ru_stime);
    Usage { wall, cpu, peak_bytes: u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024 }
}

fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0)) + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or(0))
}
