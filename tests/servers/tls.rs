//! Encrypted connections, to a server of our own with certificates made here.

use crate::kinds::{directory, listening, psql, target};
use base64::Engine as _;
use phasegate::prove::server::{LocalServer, Server, ServerError, UrlServer};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// An authority that trusts itself.
fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Writes a file in the data directory, as the server's user and for it alone.
fn write(server: &LocalServer, name: &str, text: &str) {
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    let copy = format!("COPY (SELECT '{encoded}') TO PROGRAM 'umask 077 && base64 -d > {name}'");
    server.connect("postgres").unwrap().batch_execute(&copy).unwrap();
}

/// A server that takes encrypted connections alone, with this certificate.
fn encrypted(certificate: &str, key: &KeyPair) -> (LocalServer, u16) {
    let (server, port) = listening(15, &[]);
    write(&server, "server.crt", certificate);
    write(&server, "server.key", &key.serialize_pem());
    write(&server, "pg_hba.conf", "local all all scram-sha-256\nhostssl all all samehost scram-sha-256\n");
    server.connect("postgres").unwrap().batch_execute("ALTER SYSTEM SET ssl = on").unwrap();
    server.connect("postgres").unwrap().batch_execute("SELECT pg_reload_conf()").unwrap();
    crate::helper::eventually("the server offers encryption", || {
        server.connect("postgres").unwrap().query_one("SHOW ssl", &[]).unwrap().get::<_, String>(0) == "on"
    });
    (server, port)
}

struct Attempts<'a> {
    server: &'a LocalServer,
    port: u16,
}

impl Attempts<'_> {
    /// Connects; true where that is encrypted.
    fn try_with(&self, host: &str, parameters: &str) -> Result<bool, String> {
        let text = format!("postgres://postgres@{host}:{}/postgres?{parameters}", self.port);
        let server = UrlServer::open(target(self.server, &text), true).map_err(|error| match error {
            ServerError::Connection { .. } => error.to_string(),
            other => panic!("{other}"),
        })?;
        let mut client = server.connect_as("postgres", server.administrator()).unwrap();
        let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let encrypted = client.query_one(encrypted, &[]).unwrap().get(0);
        drop(client);
        // Other programs come to the same end.
        assert_eq!(psql(&server, "postgres", server.administrator(), "SELECT 1").unwrap(), "1");
        self.alone();
        Ok(encrypted)
    }

    /// Waits until the sessions of the last attempt are gone: a session is in the way of the next.
    fn alone(&self) {
        let others = "SELECT count(*) FROM pg_stat_activity WHERE usename IS NOT NULL AND backend_type = 'client backend'";
        let mut client = self.server.connect("postgres").unwrap();
        crate::helper::eventually("the sessions are gone", || client.query_one(others, &[]).unwrap().get::<_, i64>(0) == 1);
        drop(client);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn each_mode_trusts_as_much_as_it_says() {
    let (ours, foreign) = (authority("ours"), authority("foreign"));
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &ours).unwrap();
    let (server, port) = encrypted(&certificate.pem(), &key);
    let scratch = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = scratch.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let trusted = file("ours.pem", &ours.pem());
    let untrusted = file("foreign.pem", &foreign.pem());
    let both = file("both.pem", &format!("{}{}", foreign.pem(), ours.pem()));
    let attempts = Attempts { server: &server, port };
    attempts.alone();
    // The server refuses what is not encrypted.
    assert!(attempts.try_with("localhost", "sslmode=disable").unwrap_err().contains("no encryption"));
    for mode in ["allow", "prefer", "require"] {
        assert_eq!(attempts.try_with("127.0.0.1", &format!("sslmode={mode}")), Ok(true), "{mode}");
    }
    assert_eq!(attempts.try_with("localhost", ""), Ok(true));
    assert_eq!(attempts.try_with("127.0.0.1", &format!("sslmode=verify-ca&sslrootcert={trusted}")), Ok(true));
    assert_eq!(attempts.try_with("127.0.0.1", &format!("sslmode=verify-ca&sslrootcert={both}")), Ok(true));
    assert_eq!(attempts.try_with("localhost", &format!("sslmode=verify-full&sslrootcert={trusted}")), Ok(true));
    let refused = [
        ("localhost", format!("sslmode=verify-ca&sslrootcert={untrusted}")),
        ("localhost", format!("sslmode=require&sslrootcert={untrusted}")),
        ("localhost", format!("sslmode=verify-full&sslrootcert={untrusted}")),
        // The right authority, and a name that is not in the certificate.
        ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={trusted}")),
        // What the system trusts has nothing of ours.
        ("localhost", "sslrootcert=system".to_owned()),
    ];
    for (host, parameters) in refused {
        let error = attempts.try_with(host, &parameters).expect_err(&parameters);
        assert!(error.contains("certificate"), "{parameters}: {error}");
    }
}

#[test]
fn a_certificate_that_signed_itself_can_be_trusted_by_name() {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    // As `openssl req -x509` makes it.
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let (server, port) = encrypted(&certificate.pem(), &key);
    let root = directory(&server).parent().unwrap().join("root.pem");
    std::fs::write(&root, certificate.pem()).unwrap();
    let attempts = Attempts { server: &server, port };
    attempts.alone();
    let root = root.display();
    assert_eq!(attempts.try_with("localhost", &format!("sslmode=verify-full&sslrootcert={root}")), Ok(true));
    assert_eq!(attempts.try_with("127.0.0.1", &format!("sslmode=verify-ca&sslrootcert={root}")), Ok(true));
    assert!(attempts.try_with("127.0.0.1", &format!("sslmode=verify-full&sslrootcert={root}")).is_err());
}

#[test]
fn a_root_certificate_that_is_none_is_named() {
    let (server, port) = listening(15, &[]);
    for (file, why) in [("/nonexistent/root.pem", "/nonexistent/root.pem"), ("/etc/passwd", "no certificate")] {
        let text = format!("postgres://postgres@localhost:{port}/postgres?sslmode=verify-ca&sslrootcert={file}");
        let error = UrlServer::open(target(&server, &text), true).unwrap_err();
        assert!(matches!(error, ServerError::Target(_)), "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
}
