//! Servers of the user's: only what is nobody's is taken.

use crate::kinds::{listening, target, target_with, url};
use phasegate::prove::cluster::{Cluster, ClusterOptions};
use phasegate::prove::server::{LocalServer, Secret, ServerError, UrlServer};

fn open(behind: &LocalServer, text: &str) -> Result<UrlServer, ServerError> {
    UrlServer::open(target(behind, text), true)
}

#[test]
fn a_server_that_is_not_said_to_be_disposable_is_not_even_asked() {
    // Nobody listens there, and that is not what is told.
    let target = target_with(&Secret::new("x"), "postgres://postgres@127.0.0.1:1/postgres");
    let error = UrlServer::open(target.clone(), false).unwrap_err();
    assert!(matches!(error, ServerError::NotDisposable { .. }), "{error}");
    assert!(matches!(UrlServer::open(target, true), Err(ServerError::Connection { .. })));
}

#[test]
fn a_cluster_that_holds_anything_is_refused_by_name_and_left_as_it_was() {
    let (behind, port) = listening(15, &[("max_prepared_transactions", "2")]);
    let text = url(port);
    open(&behind, &text).unwrap();
    let tablespace = behind.socket_directory().join("tablespace");
    let make_directory = format!("COPY (SELECT 1) TO PROGRAM 'mkdir {}'", tablespace.display());
    behind.connect("postgres").unwrap().batch_execute(&make_directory).unwrap();
    let make_tablespace = format!("CREATE TABLESPACE fast LOCATION '{}'", tablespace.display());
    for (make, undo, expected) in [
        ("CREATE DATABASE production", "DROP DATABASE production", "database production"),
        ("CREATE ROLE ada", "DROP ROLE ada", "role ada"),
        (make_tablespace.as_str(), "DROP TABLESPACE fast", "tablespace fast"),
        (
            "SELECT pg_create_physical_replication_slot('standby')",
            "SELECT pg_drop_replication_slot('standby')",
            "replication slot standby",
        ),
        ("CREATE TABLE users (id int)", "DROP TABLE users", "relation public.users in postgres"),
        ("CREATE SCHEMA app", "DROP SCHEMA app", "schema app in postgres"),
        ("CREATE TYPE mood AS ENUM ('fine')", "DROP TYPE mood", "type public.mood in postgres"),
        ("CREATE FUNCTION one() RETURNS int RETURN 1", "DROP FUNCTION one()", "routine public.one() in postgres"),
        ("CREATE EXTENSION pgcrypto", "DROP EXTENSION pgcrypto", "extension pgcrypto in postgres"),
        ("SELECT lo_create(17000)", "SELECT lo_unlink(17000)", "large object 17000 in postgres"),
        ("CREATE PUBLICATION news", "DROP PUBLICATION news", "publication news in postgres"),
    ] {
        behind.connect("postgres").unwrap().batch_execute(make).unwrap();
        let error = open(&behind, &text).expect_err(expected);
        assert!(matches!(error, ServerError::NotEmpty { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        behind.connect("postgres").unwrap().batch_execute(undo).unwrap();
    }
    let prepare = "BEGIN; SELECT pg_current_xact_id(); PREPARE TRANSACTION 'half'";
    behind.connect("postgres").unwrap().batch_execute(prepare).unwrap();
    assert!(open(&behind, &text).unwrap_err().to_string().contains("prepared transaction half"));
    behind.connect("postgres").unwrap().batch_execute("ROLLBACK PREPARED 'half'").unwrap();
    behind.connect("template1").unwrap().batch_execute("CREATE TABLE everywhere (id int)").unwrap();
    assert!(open(&behind, &text).unwrap_err().to_string().contains("relation public.everywhere in template1"));
    behind.connect("template1").unwrap().batch_execute("DROP TABLE everywhere").unwrap();
    let somebody = behind.connect("postgres").unwrap();
    assert!(open(&behind, &text).unwrap_err().to_string().contains("session of postgres in database postgres"));
    drop(somebody);
    crate::helper::eventually("it is nobody's again", || open(&behind, &text).is_ok());
}

#[test]
fn a_database_of_its_own_may_be_there_and_must_be_empty() {
    let (behind, port) = listening(15, &[]);
    behind.create_database("scratch", None).unwrap();
    let text = format!("host=127.0.0.1 port={port} user=postgres dbname=scratch");
    crate::helper::eventually("the cluster holds its database alone", || open(&behind, &text).is_ok());
    behind.connect("scratch").unwrap().batch_execute("CREATE TABLE users (id int)").unwrap();
    assert!(open(&behind, &text).unwrap_err().to_string().contains("relation public.users in scratch"));
}

#[test]
fn a_login_that_may_make_nothing_is_told_so_and_a_foreign_superuser_is_in_the_way() {
    let (behind, port) = listening(15, &[]);
    behind.connect("postgres").unwrap().batch_execute("CREATE ROLE ada LOGIN CREATEDB CREATEROLE PASSWORD 'x'").unwrap();
    let target = target_with(&Secret::new("x"), &format!("postgres://ada@127.0.0.1:{port}/postgres"));
    let error = UrlServer::open(target, true).unwrap_err().to_string();
    assert!(error.contains("role postgres"), "{error}");
    assert!(!error.contains("role ada"), "{error}");
}

#[test]
fn what_was_made_since_it_was_opened_is_told() {
    let (behind, port) = listening(15, &[]);
    let server = open(&behind, &url(port)).unwrap();
    assert_eq!(server.difference().unwrap(), Default::default());
    let options = ClusterOptions { statement_timeout: 60_000, ..ClusterOptions::default() };
    let cluster = Cluster::prepare(&server, &options).unwrap();
    let database = cluster.fresh().unwrap();
    let difference = server.difference().unwrap();
    let name = format!("database {}", database.name());
    assert_eq!(difference.appeared, [&name, "database phasegate_base", "role phasegate_owner"]);
    assert!(difference.vanished.is_empty());
}
