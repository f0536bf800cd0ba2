//! A server of each version that phasegate knows, for what only a version of its own can say.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use phasegate::prove::server::{LocalServer, LocalServerOptions};
use phasegate::versions::KNOWN;
use std::path::PathBuf;
use std::process::Command;

/// Where `scripts/servers` has the programs of a version.
pub fn binaries(major: u16) -> PathBuf {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/servers");
    let output = Command::new(script).args(["path", &major.to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end())
}

/// A new server of this version.
pub fn start(major: u16) -> LocalServer {
    start_with(major, &[])
}

/// The same with settings of its own.
pub fn start_with(major: u16, settings: &[(&str, &str)]) -> LocalServer {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let options = LocalServerOptions { binaries: Some(binaries(major)), settings, ..LocalServerOptions::default() };
    match LocalServer::start(&options) {
        Ok(server) => server,
        Err(error) => panic!("these tests need a PostgreSQL server of version {major}: {error}"),
    }
}

/// One of every known version, oldest first.
#[allow(dead_code, reason = "not every test that has this module compares versions")]
pub fn of_every_version() -> Vec<(u16, LocalServer)> {
    std::thread::scope(|scope| {
        let starting: Vec<_> = KNOWN.each().map(|major| (major, scope.spawn(move || start(major)))).collect();
        starting.into_iter().map(|(major, thread)| (major, thread.join().unwrap())).collect()
    })
}
