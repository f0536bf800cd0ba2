//! What every server does.

use crate::kinds::{Kind, directory, docker, psql};
use phasegate::prove::server::{Login, Secret, Server};
use std::time::{Duration, Instant};

pub fn the_administrator_makes_roles_that_log_in_with_their_password_alone(kind: Kind) {
    let started = kind.start();
    let server = &*started.server;
    assert_eq!(server.version() / 10_000, u32::from(kind.major()));
    assert!(server.description().contains(&format!("PostgreSQL {}.", kind.major())), "{}", server.description());
    assert!(server.is_running());
    let mut administrator = started.administer();
    let superuser: bool = administrator.query_one("SELECT current_setting('is_superuser') = 'on'", &[]).unwrap().get(0);
    assert_eq!(server.has_superuser(), superuser);
    administrator.batch_execute("CREATE ROLE ada LOGIN PASSWORD 'sesame'").unwrap();
    administrator.batch_execute("CREATE DATABASE app OWNER ada").unwrap();
    let login = |password: &str| Login::new("ada", Secret::new(password));
    let mut ada = server.connect_as("app", &login("sesame")).unwrap();
    ada.batch_execute("CREATE TABLE users (id int)").unwrap();
    for wrong in ["open", ""] {
        assert!(server.connect_as("app", &login(wrong)).is_err(), "{wrong}");
    }
    for wrong in ["open", ""] {
        let login = Login::new(server.administrator().user.clone(), Secret::new(wrong));
        assert!(server.connect_as("app", &login).is_err(), "{wrong}");
    }
    if let Some(log) = server.log_end() {
        // It is the server's own: the last thing there is what it just refused.
        assert!(log.contains("password authentication failed"), "{log}");
    }
    assert!(!format!("{server:?}").contains(server.administrator().password.reveal()));
    let of = |name: &str| -> String { started.administer().query_one("SELECT current_setting($1)", &[&name]).unwrap().get(0) };
    assert_eq!(of("fsync"), "off");
    assert_eq!(of("temp_file_limit"), phasegate::prove::server::TEMP_FILE_LIMIT);
    assert_eq!(of("TimeZone"), "UTC");
    assert_eq!(of("max_wal_size"), "1GB");
    let collation = "SELECT datcollate FROM pg_database WHERE datname = 'template1'";
    assert_eq!(started.administer().query_one(collation, &[]).unwrap().get::<_, String>(0), "C");
}

pub fn other_programs_connect_by_the_environment(kind: Kind) {
    let started = kind.start();
    let server = &*started.server;
    // Names and passwords that have to be quoted or encoded somewhere.
    started.administer().batch_execute("CREATE ROLE \"a b@c\" LOGIN PASSWORD 'p w:@/%41'").unwrap();
    started.administer().batch_execute("CREATE DATABASE \"d/e?f\" OWNER \"a b@c\"").unwrap();
    let login = Login::new("a b@c", Secret::new("p w:@/%41"));
    let who = "SELECT current_user || ' in ' || current_database()";
    assert_eq!(psql(server, "d/e?f", &login, who).unwrap(), "a b@c in d/e?f");
    assert!(psql(server, "d/e?f", &Login::new("a b@c", Secret::new("wrong")), who).is_err());
    // The same by the URL alone.
    let environment = server.endpoint().environment("d/e?f", &login);
    let (_, url) = environment.iter().find(|(name, _)| *name == "DATABASE_URL").unwrap();
    let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
    assert_eq!(client.query_one(who, &[]).unwrap().get::<_, String>(0), "a b@c in d/e?f");
}

pub fn a_server_that_is_killed_is_noticed(kind: Kind) {
    let started = kind.start();
    assert!(started.server.is_running());
    started.kill();
    let killed = Instant::now();
    while started.server.is_running() {
        assert!(killed.elapsed() < Duration::from_secs(10), "still thought to be running");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn a_server_that_is_dropped_leaves_nothing(kind: Kind) {
    let started = kind.start();
    let mut session = started.administer();
    session.batch_execute("CREATE TABLE left_open (id int)").unwrap();
    match kind {
        Kind::Local(_) => {
            let run = directory(&*started.server);
            let place = run.parent().unwrap().to_owned();
            assert!(place.exists());
            drop(started);
            assert!(!place.exists());
        }
        Kind::Container(_) => {
            let id = started.container();
            let volumes = docker(&["inspect", "--format", "{{range .Mounts}}{{.Name}} {{end}}", &id]);
            assert!(!volumes.is_empty());
            drop(started);
            assert_eq!(docker(&["ps", "--all", "--quiet", "--filter", &format!("id={id}")]), "");
            let left = docker(&["volume", "ls", "--quiet"]);
            assert!(volumes.split_whitespace().all(|volume| !left.contains(volume)), "{left}");
        }
        Kind::Url(_) => {
            session.batch_execute("DROP TABLE left_open").unwrap();
            drop(session);
            let behind = started.behind.unwrap();
            drop(started.server);
            let count = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
            let asked = Instant::now();
            while behind.connect("postgres").unwrap().query_one(count, &[]).unwrap().get::<_, i64>(0) > 0 {
                assert!(asked.elapsed() < Duration::from_secs(10), "a session is left");
                std::thread::sleep(Duration::from_millis(5));
            }
            assert!(behind.is_running(), "what is the user's goes on");
            return;
        }
    }
    assert!(session.simple_query("SELECT 1").is_err(), "nobody answers");
}
