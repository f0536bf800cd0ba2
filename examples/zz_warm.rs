use phasegate::prove::server::*;
use std::time::Instant;
fn main() {
    for i in 0..8 {
        let t = Instant::now();
        let s = LocalServer::start(&LocalServerOptions::default()).unwrap();
        let mut c = s.connect("postgres").unwrap();
        c.simple_query("SELECT 1").unwrap();
        let a = t.elapsed();
        let t = Instant::now();
        for _ in 0..20 {
            s.connect("postgres").unwrap();
        }
        let b = t.elapsed() / 20;
        let t = Instant::now();
        drop(s);
        println!("{i} start {a:?} connect {b:?} stop {:?}", t.elapsed());
    }
    if std::env::args().nth(1).is_some() {
        for image in ["phasegate-test/postgres:15", "phasegate-test/postgres:18"] {
            let t = Instant::now();
            let s = ContainerServer::start(&ContainerOptions { image: image.into(), settings: vec![] }).unwrap();
            let a = t.elapsed();
            let t = Instant::now();
            drop(s);
            println!("{image} {a:?} {:?}", t.elapsed());
        }
    }
}
