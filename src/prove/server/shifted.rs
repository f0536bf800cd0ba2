//! A server whose clock is set ahead, by libfaketime (<https://github.com/wolfcw/libfaketime>), which answers a process that asks for
//! the time. Only programs on this machine can be started with it.

use std::path::PathBuf;

/// Far enough for another name of the month, and of the quarter once in three times.
pub const DAYS: u16 = 40;

/// Where Debian and its kin, Fedora and Homebrew put it.
const PLACES: [&str; 6] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
    "/usr/lib64/faketime/libfaketime.so.1",
    "/usr/local/lib/faketime/libfaketime.so.1",
    "/home/linuxbrew/.linuxbrew/lib/faketime/libfaketime.so.1",
];

/// The library, where it is installed.
pub fn library() -> Option<PathBuf> {
    PLACES.iter().map(PathBuf::from).find(|place| place.exists())
}

/// What a process needs in its environment. Time that passes is not touched, only what time it is.
pub fn environment(library: PathBuf) -> [(&'static str, std::ffi::OsString); 3] {
    [("LD_PRELOAD", library.into()), ("FAKETIME", format!("+{DAYS}d").into()), ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into())]
}
