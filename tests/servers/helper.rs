//! A process of its own that has a server, to be killed or interrupted by a test.

use crate::kinds::{image, signal};
use phasegate::prove::server::{ContainerOptions, ContainerServer, LocalServer, LocalServerOptions, interrupt};
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Which server the process starts: `local`, `busy` (local, and a statement is running) or `container`.
const KIND: &str = "PHASEGATE_TEST_HELPER";

/// Run by [`Helper::start`] in a process of its own.
#[test]
#[ignore = "is started by other tests"]
fn has_a_server_until_it_is_ended() {
    interrupt::install().unwrap();
    let (line, server): (String, Box<dyn std::any::Any>) = match std::env::var(KIND).unwrap().as_str() {
        "local" | "busy" => {
            let options = LocalServerOptions { binaries: Some(crate::servers::binaries(15)), ..LocalServerOptions::default() };
            let server = LocalServer::start(&options).unwrap();
            let identity = "SELECT system_identifier::text FROM pg_control_system()";
            let identity: String = server.connect("postgres").unwrap().query_one(identity, &[]).unwrap().get(0);
            (format!("{} {identity}", server.socket_directory().display()), Box::new(server))
        }
        "container" => {
            let server = ContainerServer::start(&ContainerOptions { image: image(15), settings: Vec::new() }).unwrap();
            let name = "SELECT pg_read_file('/etc/hostname')";
            use phasegate::prove::server::Server;
            let mut client = server.connect_as("postgres", server.administrator()).unwrap();
            let name: String = client.query_one(name, &[]).unwrap().get(0);
            (name.trim().to_owned(), Box::new(server))
        }
        other => panic!("{other}"),
    };
    println!("server:{line}");
    if std::env::var(KIND).unwrap() == "busy" {
        let server = server.downcast_ref::<LocalServer>().unwrap();
        let answer = server.connect("postgres").unwrap().batch_execute("SELECT pg_sleep(60)");
        interrupt::settle();
        panic!("no signal came: {answer:?}");
    }
    // Ended by a signal, or by its standard input.
    let _ = std::io::stdin().lock().lines().next();
}

pub struct Helper {
    pub process: Child,
    /// Closed, it ends the process; waiting for a process would close its own.
    input: Option<ChildStdin>,
    /// What it said of its server.
    pub server: String,
}

impl Helper {
    pub fn start(kind: &str, environment: &[(&str, &str)]) -> Helper {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "helper::has_a_server_until_it_is_ended", "--ignored", "--nocapture"])
            .env(KIND, kind)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let server = lines.find_map(|line| Some(line.split_once("server:")?.1.to_owned()));
        // It writes on when it ends.
        std::thread::spawn(move || lines.for_each(drop));
        Helper { server: server.expect("the helper has a server"), process, input }
    }

    pub fn signal(&self, number: i32) {
        signal(self.process.id().try_into().unwrap(), number);
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }

    /// Lets it end by itself.
    pub fn end(mut self) {
        drop(self.input.take());
        assert!(self.wait().success());
    }
}

/// Fails the test where this does not come true.
pub fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_true() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
