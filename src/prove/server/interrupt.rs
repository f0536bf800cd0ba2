//! What has to be undone when the user or the system ends us: servers say it here, and a signal does it.
//!
//! Invariant: whatever is registered when SIGINT, SIGTERM or SIGHUP comes is run before the process exits. A second signal does not
//! wait for it: what then is left is the matter of the watchdog and of the next run.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

type CleanUp = Box<dyn FnOnce() + Send>;

/// A signal has come, and the process is about to end.
static ENDING: AtomicBool = AtomicBool::new(false);
static REGISTERED: Mutex<Registered> = Mutex::new(Registered { next: 0, clean_ups: BTreeMap::new() });

struct Registered {
    next: u64,
    clean_ups: BTreeMap<u64, CleanUp>,
}

/// From here on a SIGINT, SIGTERM or SIGHUP first runs every clean-up that is registered, then ends the process with 128 and the
/// signal's number, as a shell would say it: 130, 143, 129. The command line calls it once; another call changes nothing.
///
/// Fails where the system refuses a handler or a thread.
pub fn install() -> std::io::Result<()> {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    if INSTALLED.get().is_some() {
        return Ok(());
    }
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            if ENDING.swap(true, Ordering::SeqCst) {
                std::process::exit(128 + signal);
            }
            std::thread::spawn(move || {
                run_all();
                std::process::exit(128 + signal);
            });
        }
    })?;
    let _ = INSTALLED.set(());
    Ok(())
}

/// Does not return where a signal has come: whatever failed, failed because its server was stopped, and the process ends as the
/// signal says. The command line calls it before it reports.
pub fn settle() {
    while ENDING.load(Ordering::SeqCst) {
        std::thread::park();
    }
}

/// Runs `clean_up` when a signal ends the process, unless what this returns was dropped before.
pub(super) fn register(clean_up: impl FnOnce() + Send + 'static) -> Registration {
    let mut registered = registered();
    let number = registered.next;
    registered.next += 1;
    registered.clean_ups.insert(number, Box::new(clean_up));
    Registration { number }
}

/// A clean-up that is waiting for a signal.
#[derive(Debug)]
pub(super) struct Registration {
    number: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        let forgotten = registered().clean_ups.remove(&self.number);
        // What it holds may itself hold a registration: it is dropped when the list is free again.
        drop(forgotten);
    }
}

/// All at once: each of them waits for a server.
fn run_all() {
    let clean_ups = std::mem::take(&mut registered().clean_ups);
    std::thread::scope(|scope| {
        for clean_up in clean_ups.into_values() {
            scope.spawn(clean_up);
        }
    });
}

fn registered() -> MutexGuard<'static, Registered> {
    REGISTERED.lock().unwrap_or_else(PoisonError::into_inner)
}
