//! A server of each kind, and what can be done to it from outside.

use crate::servers;
use phasegate::prove::server::url::Environment;
use phasegate::prove::server::{Endpoint, LocalServer, Login, Secret, Server, ServerChoice, Target, start};
use postgres::Client;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Local(u16),
    Container(u16),
    Url(u16),
}

/// A server, and the one of ours that plays the user's where it is that kind.
pub struct Started {
    pub server: Box<dyn Server>,
    pub behind: Option<LocalServer>,
}

impl Kind {
    pub fn major(self) -> u16 {
        match self {
            Kind::Local(major) | Kind::Container(major) | Kind::Url(major) => major,
        }
    }

    pub fn start(self) -> Started {
        let (choice, behind) = match self {
            Kind::Local(major) => {
                let choice = ServerChoice::Local {
                    pg_bin: Some(servers::binaries(major)),
                    pg_version: Some(u32::from(major)),
                    settings: Vec::new(),
                };
                (choice, None)
            }
            Kind::Container(major) => (ServerChoice::Container { image: image(major), settings: Vec::new() }, None),
            Kind::Url(major) => {
                let (behind, port) = listening(major, &[]);
                (ServerChoice::Url { target: target(&behind, &url(port)), disposable: true }, Some(behind))
            }
        };
        match start(&choice) {
            Ok(server) => Started { server, behind },
            Err(error) => panic!("these tests need a server of the kind {self:?}: {error}"),
        }
    }
}

impl Started {
    pub fn administer(&self) -> Client {
        self.server.connect_as(self.server.maintenance_database(), self.server.administrator()).unwrap()
    }

    /// Kills the postmaster.
    pub fn kill(&self) {
        let note: String = self.administer().query_one("SELECT pg_read_file('postmaster.pid')", &[]).unwrap().get(0);
        let process: i32 = note.lines().next().unwrap().parse().unwrap();
        if process == 1 {
            docker(&["kill", &self.container()]);
        } else {
            signal(process, libc::SIGKILL);
        }
    }

    /// The container's id, which is its name for itself.
    pub fn container(&self) -> String {
        let name: String = self.administer().query_one("SELECT pg_read_file('/etc/hostname')", &[]).unwrap().get(0);
        name.trim().to_owned()
    }
}

/// A local server that also listens on the loopback interface, and its port.
pub fn listening(major: u16, settings: &[(&str, &str)]) -> (LocalServer, u16) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = port.to_string();
    let mut all = vec![("listen_addresses", "localhost"), ("port", text.as_str())];
    all.extend(settings);
    (servers::start_with(major, &all), port)
}

pub fn url(port: u16) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/postgres")
}

/// A target on `behind`, by its superuser's password.
pub fn target(behind: &LocalServer, text: &str) -> Target {
    target_with(&behind.administrator().password, text)
}

pub fn target_with(password: &Secret, text: &str) -> Target {
    Target::parse(Some(text), &Password(password.clone())).unwrap()
}

struct Password(Secret);

impl Environment for Password {
    fn variable(&self, name: &str) -> Option<String> {
        (name == "PGPASSWORD").then(|| self.0.reveal().to_owned())
    }
}

pub fn image(major: u16) -> String {
    format!("phasegate-test/postgres:{major}")
}

/// What docker says; a failure fails the test.
pub fn docker(arguments: &[&str]) -> String {
    let output =
        Command::new("docker").args(arguments).output().unwrap_or_else(|error| panic!("these tests need docker: {error}"));
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub fn signal(process: i32, number: i32) {
    // SAFETY: a system call that takes two numbers.
    let answer = unsafe { libc::kill(process, number) };
    assert_eq!(answer, 0, "{process}");
}

/// Runs psql with what a server says of itself.
pub fn psql(server: &dyn Server, database: &str, login: &Login, sql: &str) -> Result<String, String> {
    let mut command = Command::new(servers::binaries(15).join("psql"));
    command.args(["-X", "-w", "-A", "-t", "-c", sql]).env_clear();
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.envs(server.endpoint().environment(database, login));
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// The directory of a local server, with the one around it.
pub fn directory(server: &dyn Server) -> PathBuf {
    match server.endpoint() {
        Endpoint::Unix { directory, .. } => directory,
        other => panic!("{other:?}"),
    }
}
