//! Containers: what is missing is said, and what a killed run left is found.

use crate::helper::{Helper, eventually};
use crate::kinds::{docker, image};
use phasegate::prove::server::{ContainerOptions, ContainerServer, Server, ServerChoice, ServerError, start};
use std::process::Command;

fn is_there(container: &str) -> bool {
    !docker(&["ps", "--all", "--quiet", "--filter", &format!("id={container}")]).is_empty()
}

#[test]
fn a_signal_removes_the_container_before_it_ends_the_process() {
    for (signal, code) in [(libc::SIGTERM, 143), (libc::SIGINT, 130)] {
        let mut helper = Helper::start("container", &[]);
        assert!(is_there(&helper.server));
        helper.signal(signal);
        assert_eq!(helper.wait().code(), Some(code));
        assert!(!is_there(&helper.server));
    }
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next_one_and_nothing_else_is() {
    let alive = Helper::start("container", &[]);
    let mut killed = Helper::start("container", &[]);
    let look_alike = docker(&["create", "--label", "phasegate.process=1", "--env", "POSTGRES_PASSWORD=x", &image(15)]);
    killed.process.kill().unwrap();
    killed.wait();
    let server = ContainerServer::start(&ContainerOptions { image: image(15), settings: Vec::new() }).unwrap();
    eventually("the orphan is gone", || !is_there(&killed.server));
    assert!(is_there(&alive.server), "whose process lives is left alone");
    assert!(is_there(&look_alike), "what is not provably ours is left alone");
    docker(&["rm", "--volumes", &look_alike]);
    alive.end();
    assert!(server.is_running());
}

#[test]
fn an_image_that_is_nowhere_is_named() {
    // A registry that nobody runs: the answer comes at once, from this machine.
    let image = "localhost:1/phasegate-test/none:1".to_owned();
    let error = ContainerServer::start(&ContainerOptions { image: image.clone(), settings: Vec::new() }).unwrap_err();
    assert!(matches!(error, ServerError::NoImage { .. }), "{error}");
    assert!(error.to_string().contains(&image), "{error}");
}

#[test]
fn a_setting_that_the_server_refuses_is_told_in_its_own_words() {
    let settings = vec![("no_such_setting".to_owned(), "1".to_owned())];
    let error = ContainerServer::start(&ContainerOptions { image: image(15), settings }).unwrap_err();
    let ServerError::Stopped { log } = &error else { panic!("{error}") };
    assert!(log.contains("no_such_setting"), "{log}");
}

#[test]
fn a_setting_of_the_user_s_wins() {
    let settings = vec![("temp_file_limit".to_owned(), "1MB".to_owned())];
    let server = ContainerServer::start(&ContainerOptions { image: image(15), settings }).unwrap();
    let mut client = server.connect_as("postgres", server.administrator()).unwrap();
    assert_eq!(client.query_one("SHOW temp_file_limit", &[]).unwrap().get::<_, String>(0), "1MB");
}

/// Run by the test below, where no engine and no programs can be found.
#[test]
#[ignore = "is started by another test"]
fn nothing_is_to_be_had() {
    let error = start(&ServerChoice::Automatic { pg_version: Some(99), settings: Vec::new() }).unwrap_err().to_string();
    for part in ["PostgreSQL 99", "/usr/lib/postgresql", "unix:///nonexistent/docker.sock", "install"] {
        assert!(error.contains(part), "{error}");
    }
    let options = ContainerOptions { image: image(15), settings: Vec::new() };
    let error = ContainerServer::start(&options).unwrap_err();
    assert!(matches!(error, ServerError::NoContainerEngine { .. }), "{error}");
}

#[test]
fn without_any_server_all_that_was_looked_for_is_said() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "containers::nothing_is_to_be_had", "--ignored", "--nocapture"])
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}
