//! A disposable server comes up, answers, and leaves nothing behind.

use phasegate::prove::server::{LocalServer, LocalServerOptions, ServerError};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn start() -> LocalServer {
    LocalServer::start(&LocalServerOptions::default()).unwrap()
}

fn processes_in(directory: &std::path::Path) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        if let Ok(command) = std::fs::read(entry.path().join("cmdline")) {
            count += usize::from(String::from_utf8_lossy(&command).contains(&directory.display().to_string()));
        }
    }
    count
}

#[test]
fn a_server_answers_and_is_gone_with_its_directory_when_dropped() {
    let server = start();
    let directory = server.socket_directory().to_owned();
    assert!(server.version() >= 150_000, "{}", server.version());
    server.create_database("app", None).unwrap();
    let mut client = server.connect("app").unwrap();
    client.batch_execute("CREATE TABLE users (id int)").unwrap();
    server.create_database("copy", Some("template1")).unwrap();
    assert!(processes_in(&directory) > 0);
    // The open connection does not keep the server.
    drop(server);
    assert!(!directory.exists());
    assert_eq!(processes_in(&directory), 0);
    assert!(client.simple_query("SELECT 1").is_err());
}

#[test]
fn a_panic_leaves_nothing_behind() {
    let (send, receive) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let server = start();
        send.send(server.socket_directory().to_owned()).unwrap();
        panic!("on purpose");
    });
    let directory: PathBuf = receive.recv().unwrap();
    assert!(thread.join().is_err());
    assert!(!directory.exists());
    assert_eq!(processes_in(&directory), 0);
}

/// Run by the test below in a process of its own, which is killed.
#[test]
#[ignore = "waits to be killed by a_killed_process_leaves_nothing_behind"]
fn a_server_that_waits_to_be_killed() {
    let server = start();
    println!("directory:{}", server.socket_directory().display());
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn a_killed_process_leaves_nothing_behind() {
    use std::io::BufRead;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "disposable::a_server_that_waits_to_be_killed", "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let directory = lines.map_while(Result::ok).find_map(|line| Some(PathBuf::from(line.split_once("directory:")?.1))).unwrap();
    assert!(directory.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let killed = Instant::now();
    while (directory.exists() || processes_in(&directory) > 0) && killed.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!directory.exists());
    assert_eq!(processes_in(&directory), 0);
}

#[test]
fn a_setting_that_the_server_refuses_is_told_in_its_own_words() {
    let options = LocalServerOptions { settings: vec![("no_such_setting".into(), "1".into())], ..LocalServerOptions::default() };
    match LocalServer::start(&options) {
        Err(ServerError::Stopped { log }) => assert!(log.contains("no_such_setting"), "{log}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_directory_without_a_server_is_an_error_that_names_it() {
    let options = LocalServerOptions { binaries: Some("/nonexistent".into()), ..LocalServerOptions::default() };
    let message = LocalServer::start(&options).unwrap_err().to_string();
    assert!(message.contains("/nonexistent") && message.contains("initdb"), "{message}");
}
