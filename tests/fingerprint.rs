#[path = "support/servers.rs"]
mod servers;
use phasegate::prove::fingerprint::{Fingerprint, Scope};
#[test]
fn tries() {
    for (major, server) in servers::of_every_version() {
        server.create_database("a", None).unwrap();
        let mut c = server.connect("a").unwrap();
        c.batch_execute("create table t(a int primary key, b text default 'x'); insert into t values (1)").unwrap();
        let f = match Fingerprint::read(&mut c, &Scope::everything()) { Ok(f) => f, Err(e) => panic!("{major} {e:?}") };
        println!("{major} {f:#?} {}", f.digest());
    }
}
