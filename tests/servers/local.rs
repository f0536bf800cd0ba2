//! Local servers: their templates, and what is left of them however their process ends.

use crate::helper::{Helper, eventually};
use crate::servers;
use phasegate::prove::server::{LocalServer, LocalServerOptions, ServerError};
use std::path::{Path, PathBuf};

fn options() -> LocalServerOptions {
    LocalServerOptions { binaries: Some(servers::binaries(15)), ..LocalServerOptions::default() }
}

/// Processes that have this in their command line.
fn processes(part: &str) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter(|entry| {
            std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains(part))
        })
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// The directory of a helper's server, with the one around it, and the server's identity.
fn place(helper: &Helper) -> (PathBuf, String) {
    let (run, identity) = helper.server.split_once(' ').unwrap();
    (Path::new(run).parent().unwrap().to_owned(), identity.to_owned())
}

fn is_gone(place: &Path) -> bool {
    !place.exists() && processes(place.to_str().unwrap()).is_empty()
}

#[test]
fn a_signal_stops_the_server_before_it_ends_the_process() {
    // A statement that fails because its server is stopped does not end the process before, nor otherwise.
    for (kind, signal, code) in
        [("local", libc::SIGTERM, 143), ("local", libc::SIGINT, 130), ("local", libc::SIGHUP, 129), ("busy", libc::SIGTERM, 143)]
    {
        let mut helper = Helper::start(kind, &[]);
        let (place, _) = place(&helper);
        assert!(place.exists());
        helper.signal(signal);
        assert_eq!(helper.wait().code(), Some(code));
        // The watchdog was waited for before that.
        assert!(is_gone(&place), "{place:?}");
    }
}

#[test]
fn a_killed_process_leaves_nothing_because_its_watchdog_stays() {
    let mut helper = Helper::start("local", &[]);
    let (place, _) = place(&helper);
    helper.process.kill().unwrap();
    helper.wait();
    eventually("the server is gone", || is_gone(&place));
}

#[test]
fn what_a_killed_watchdog_left_is_removed_by_the_next_start_and_nothing_else_is() {
    let alive = Helper::start("local", &[]);
    let (alive_place, _) = place(&alive);
    let mut helper = Helper::start("local", &[]);
    let (place, _) = place(&helper);
    let look_alike = tempfile::Builder::new().prefix("phasegate-").tempdir().unwrap();
    std::fs::create_dir_all(look_alike.path().join("run/data")).unwrap();
    std::fs::write(look_alike.path().join("run/data/postmaster.pid"), format!("{}\n", std::process::id())).unwrap();
    for process in processes(&format!("phasegate-watchdog\0{}", place.display())) {
        crate::kinds::signal(process, libc::SIGKILL);
    }
    helper.process.kill().unwrap();
    helper.wait();
    let server = LocalServer::start(&options()).unwrap();
    eventually("the orphan is gone", || is_gone(&place));
    assert!(server.connect("postgres").is_ok());
    assert!(alive_place.exists() && !processes(alive_place.to_str().unwrap()).is_empty(), "whose process lives is left alone");
    assert!(look_alike.path().join("run/data/postmaster.pid").exists(), "what has no claim is not ours");
    alive.end();
    assert!(is_gone(&alive_place));
}

#[test]
fn a_start_copies_the_template_and_makes_one_where_it_is_missing_or_broken() {
    let cache = tempfile::tempdir().unwrap();
    let environment = [("XDG_CACHE_HOME", cache.path().to_str().unwrap())];
    let identity = || {
        let helper = Helper::start("local", &environment);
        let (_, identity) = place(&helper);
        helper.end();
        identity
    };
    let first = identity();
    assert_eq!(identity(), first, "the second start copies what the first one made");
    let templates = cache.path().join("phasegate/servers");
    let template = std::fs::read_dir(&templates).unwrap().next().unwrap().unwrap().path();
    // As many bytes as before, and no server starts with them.
    let control = template.join("data/global/pg_control");
    let size = std::fs::metadata(&control).unwrap().len();
    std::fs::write(&control, vec![0; usize::try_from(size).unwrap()]).unwrap();
    let second = identity();
    assert_ne!(second, first, "a template that does not start is made anew");
    assert_eq!(identity(), second);
    std::fs::remove_file(template.join("data/PG_VERSION")).unwrap();
    let third = identity();
    assert_ne!(third, second, "a template that lost a file is made anew");
    assert_eq!(identity(), third);
    assert_eq!(std::fs::read_dir(&templates).unwrap().count(), 1);
}

#[test]
fn starts_at_the_same_time_without_a_template_all_succeed() {
    let cache = tempfile::tempdir().unwrap();
    let environment = [("XDG_CACHE_HOME", cache.path().to_str().unwrap())];
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| Helper::start("local", &environment).end());
        }
    });
    assert_eq!(std::fs::read_dir(cache.path().join("phasegate/servers")).unwrap().count(), 1);
}

#[test]
fn a_place_for_temporary_files_with_a_long_name_is_replaced_by_a_short_one() {
    let parent = tempfile::tempdir().unwrap();
    let long = parent.path().join("n".repeat(90));
    std::fs::create_dir(&long).unwrap();
    let helper = Helper::start("local", &[("TMPDIR", long.to_str().unwrap())]);
    assert!(helper.server.starts_with("/tmp/"), "{}", helper.server);
    helper.end();
}

#[test]
fn passwords_are_new_at_each_start() {
    use phasegate::prove::server::Server;
    let (one, two) = (LocalServer::start(&options()).unwrap(), LocalServer::start(&options()).unwrap());
    assert_ne!(one.administrator().password, two.administrator().password);
    assert!(one.connect_as("postgres", two.administrator()).is_err());
}

#[test]
fn a_version_that_is_not_in_the_directory_is_refused_with_the_one_that_is() {
    let options = LocalServerOptions { version: Some(14), ..options() };
    let error = LocalServer::start(&options).unwrap_err();
    assert!(matches!(error, ServerError::NoSuchVersion { wanted: 14, .. }), "{error}");
    assert!(error.to_string().contains("PostgreSQL) 15."), "{error}");
}
