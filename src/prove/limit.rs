//! Work that is watched: something is called once its time is over, and again and again until it ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// How long to wait before it is called again.
const AGAIN: Duration = Duration::from_millis(100);

/// Does `work`, and calls `stop` once `limit` is over and then again and again until the work ends. Also says whether it was.
pub fn within<T>(limit: Duration, mut stop: impl FnMut() + Send, work: impl FnOnce() -> T) -> (T, bool) {
    let is_over = AtomicBool::new(false);
    let (done, ended) = mpsc::channel::<()>();
    let outcome = std::thread::scope(|scope| {
        let is_over = &is_over;
        scope.spawn(move || {
            let mut wait = limit;
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(wait) {
                is_over.store(true, Ordering::Relaxed);
                stop();
                wait = AGAIN;
            }
        });
        // A panic of the work ends the watch as well.
        let _done = done;
        work()
    });
    (outcome, is_over.load(Ordering::Relaxed))
}
