//! Migrations are untrusted: the role that runs them must not become the server's user, nor its superuser.

use crate::kinds::{Kind, Started, docker};
use phasegate::prove::cluster::{Cluster, ClusterOptions, OWNER};
use phasegate::prove::server::{Login, Secret};
use postgres::Client;

/// Each would be a way out, and the SQLSTATE that stands in it: 42501 is a privilege that is missing.
const WAYS_OUT: [(&str, &str); 24] = [
    ("COPY loot FROM PROGRAM 'id'", "42501"),
    ("COPY (SELECT 1) TO PROGRAM 'cat'", "42501"),
    ("COPY loot FROM '/etc/passwd'", "42501"),
    ("COPY (SELECT 1) TO '/tmp/phasegate-loot'", "42501"),
    ("SELECT pg_read_file('postmaster.pid')", "42501"),
    ("SELECT pg_read_binary_file('global/pg_control')", "42501"),
    ("SELECT pg_ls_dir('.')", "42501"),
    ("SELECT lo_import('/etc/passwd')", "42501"),
    ("SELECT rolpassword FROM pg_authid", "42501"),
    ("GRANT pg_execute_server_program TO phasegate_owner", "42501"),
    ("GRANT pg_read_server_files TO phasegate_owner", "42501"),
    ("GRANT postgres TO phasegate_owner", "42501"),
    ("CREATE ROLE evil SUPERUSER", "42501"),
    ("ALTER ROLE phasegate_owner SUPERUSER", "42501"),
    ("ALTER ROLE postgres PASSWORD 'loot'", "42501"),
    ("SET ROLE postgres", "42501"),
    ("SET SESSION AUTHORIZATION postgres", "42501"),
    ("ALTER SYSTEM SET fsync = on", "42501"),
    ("SET temp_file_limit = -1", "42501"),
    ("CREATE EXTENSION dblink", "42501"),
    ("CREATE TABLESPACE loot LOCATION '/tmp'", "42501"),
    ("CREATE FUNCTION evil() RETURNS int LANGUAGE c AS '/lib/libc.so.6', 'getpid'", "42501"),
    ("CREATE EVENT TRIGGER evil ON ddl_command_end EXECUTE FUNCTION suppress_redundant_updates_trigger()", "42501"),
    ("LOAD '/tmp/evil.so'", "42501"),
];

fn refused(client: &mut Client, sql: &str, sqlstate: &str) {
    let error = client.batch_execute(sql).expect_err(sql);
    assert_eq!(error.code().map(|code| code.code()), Some(sqlstate), "{sql}: {error:?}");
}

fn cluster(started: &Started, create_role: bool) -> Cluster<'_> {
    let options = ClusterOptions { create_role, statement_timeout: 60_000, ..ClusterOptions::default() };
    Cluster::prepare(&*started.server, &options).unwrap()
}

pub fn an_owner_that_is_no_superuser_does_not_get_out(kind: Kind) {
    let started = kind.start();
    let cluster = cluster(&started, false);
    let database = cluster.fresh().unwrap();
    let mut owner = database.connect().unwrap();
    owner.batch_execute("CREATE TABLE loot (line text)").unwrap();
    for (sql, sqlstate) in WAYS_OUT {
        refused(&mut owner, sql, sqlstate);
    }
    // Where the extension is there because a project needs it, the server's own ways in still want a password.
    database.connect_as_administrator().unwrap().batch_execute("CREATE EXTENSION dblink").unwrap();
    let port: String = started.administer().query_one("SELECT current_setting('port')", &[]).unwrap().get(0);
    let sockets: String =
        started.administer().query_one("SELECT current_setting('unix_socket_directories')", &[]).unwrap().get(0);
    for place in [format!("host={sockets}"), "host=127.0.0.1".to_owned()] {
        let connect = format!("SELECT dblink_connect('{place} port={port} user=postgres dbname=postgres')");
        refused(&mut owner, &connect, "2F003");
        let connect = format!("SELECT dblink_connect('{place} port={port} user=postgres dbname=postgres password=guess')");
        refused(&mut owner, &connect, "08001");
        refused(&mut owner, &connect.replace("dblink_connect", "dblink_connect_u"), "42501");
    }
    if let Kind::Container(_) = kind {
        let answer = std::process::Command::new("docker")
            .args(["exec", &started.container(), "psql", "-w", "-U", "postgres", "-c", "SELECT 1"])
            .output()
            .unwrap();
        assert!(!answer.status.success(), "the socket in the container lets anybody in");
        assert!(String::from_utf8_lossy(&answer.stderr).contains("no password supplied"), "{answer:?}");
        let published = docker(&["port", &started.container(), "5432"]);
        assert!(!published.contains("0.0.0.0") && !published.contains("[::]"), "everybody reaches it: {published}");
    }
    for database in ["postgres", "template1"] {
        let nobody = Login::new("postgres", Secret::new(""));
        assert!(started.server.connect_as(database, &nobody).is_err());
    }
    let superusers = "SELECT count(*) FROM pg_roles WHERE rolsuper AND rolname <> 'postgres'";
    assert_eq!(started.administer().query_one(superusers, &[]).unwrap().get::<_, i64>(0), 0);
}

/// Why the owner may make no roles on 15 unless the user says so.
pub fn making_roles_is_a_way_out_before_16_alone(kind: Kind) {
    let started = kind.start();
    let cluster = cluster(&started, true);
    let database = cluster.fresh().unwrap();
    let mut owner = database.connect().unwrap();
    owner.batch_execute("CREATE TABLE loot (line text); CREATE ROLE helper").unwrap();
    let grant = format!("GRANT pg_execute_server_program TO {OWNER}");
    if started.server.version() >= 160_000 {
        refused(&mut owner, &grant, "42501");
        refused(&mut owner, "COPY loot FROM PROGRAM 'echo out'", "42501");
    } else {
        owner.batch_execute(&grant).unwrap();
        owner.batch_execute("COPY loot FROM PROGRAM 'echo out'").unwrap();
        assert_eq!(owner.query_one("SELECT line FROM loot", &[]).unwrap().get::<_, String>(0), "out");
    }
    refused(&mut owner, "CREATE ROLE evil SUPERUSER", "42501");
    refused(&mut owner, "ALTER ROLE postgres PASSWORD 'loot'", "42501");
}
