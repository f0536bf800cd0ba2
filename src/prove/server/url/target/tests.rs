use super::*;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

/// The variables of a test.
struct Variables(BTreeMap<String, String>);

impl Environment for Variables {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

fn variables(given: &[(&str, &str)]) -> Variables {
    Variables(given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

fn parse(text: &str) -> Target {
    Target::parse(Some(text), &variables(&[("PGPASSWORD", "sesame")])).unwrap()
}

fn error(text: &str) -> String {
    Target::parse(Some(text), &variables(&[("USER", "me")])).unwrap_err().to_string()
}

#[test]
fn three_forms_say_the_same() {
    let url = parse("postgresql://ada@db.example:6543/app?sslmode=verify-full&sslrootcert=/etc/root.pem");
    assert_eq!(url.host, "db.example");
    assert_eq!(url.port, 6543);
    assert_eq!(url.database, "app");
    assert_eq!(url.login, Login::new("ada", Secret::new("sesame")));
    assert_eq!(url.ssl_mode, SslMode::VerifyFull);
    assert_eq!(url.root_certificate, RootCertificate::File("/etc/root.pem".into()));
    let key_value = "host=db.example port = 6543 user='ada' dbname=app sslmode=verify-full sslrootcert=/etc/root.pem";
    assert_eq!(parse(key_value), url);
    let npgsql = "Host=db.example;Port=6543;Username=ada;Database=app;SSL Mode=VerifyFull;Root Certificate=/etc/root.pem";
    assert_eq!(parse(npgsql), url);
    assert_eq!(parse("SERVER=db.example;port=6543;User Id=ada;db=app;SslMode=Verify-Full;RootCertificate=/etc/root.pem;"), url);
}

#[test]
fn what_is_not_said_comes_from_the_environment_and_then_from_libpq_s_defaults() {
    let environment =
        variables(&[("PGHOST", "h"), ("PGPORT", "1"), ("PGDATABASE", "d"), ("PGUSER", "u"), ("PGSSLMODE", "require")]);
    let target = Target::parse(None, &environment).unwrap();
    assert_eq!((target.host.as_str(), target.port, target.database.as_str()), ("h", 1, "d"));
    assert_eq!((target.login, target.ssl_mode), (Login::new("u", Secret::new("")), SslMode::Require));
    let target = Target::parse(Some("postgres://other"), &environment).unwrap();
    assert_eq!((target.host.as_str(), target.database.as_str()), ("other", "d"));
    let target = Target::parse(None, &variables(&[("USER", "me")])).unwrap();
    assert_eq!((target.host.as_str(), target.port, target.database.as_str()), ("localhost", 5432, "me"));
    assert_eq!(target.ssl_mode, SslMode::Prefer);
    assert!(matches!(Target::parse(None, &variables(&[])), Err(TargetError::NoUser)));
}

#[test]
fn a_url_is_percent_decoded_and_may_name_an_address_or_a_socket() {
    let target = parse("postgres://a%40b@[2001:db8::1]:7/d%2Fe");
    assert_eq!((target.login.user.as_str(), target.host.as_str(), target.port), ("a@b", "2001:db8::1", 7));
    assert_eq!(target.database, "d/e");
    let socket = parse("postgres://ada@%2Fvar%2Frun%2Fpostgresql/app");
    assert_eq!(socket.host, "/var/run/postgresql");
    assert!(socket.is_socket());
    assert_eq!(parse("postgres:///app?host=/var/run/postgresql&user=ada"), socket);
    assert_eq!(parse("host=/var/run/postgresql user=ada dbname=app"), socket);
    assert_eq!(parse("Host=/var/run/postgresql;Username=ada;Database=app"), socket);
    assert!(!target.is_socket());
}

#[test]
fn quotes_and_backslashes_are_read_as_each_form_has_them() {
    assert_eq!(parse(r"host=h user='a \'b\' \\c' dbname=d\ e").login.user, r"a 'b' \c");
    assert_eq!(parse(r"host=h user=u dbname=d\ e").database, "d e");
    assert_eq!(parse(r#"Host=h;Username="a;""b""";Database='it''s'"#).login.user, r#"a;"b""#);
    assert_eq!(parse(r#"Host=h;Username="a;""b""";Database='it''s'"#).database, "it's");
    assert_eq!(parse(" host = h  user = u ").host, "h");
}

#[test]
fn a_password_in_the_text_is_refused_and_never_shown() {
    for text in [
        "postgres://ada:hunter2@db.example/app",
        "postgres://ada:%68unter2@db.example/app",
        "postgres://ada:hunter2@x@db.example/app",
        "postgres://db.example/app?user=ada&password=hunter2",
        "host=db.example user=ada password=hunter2",
        "host=db.example user=ada password='hunter2 and more'",
        "Host=db.example;Username=ada;Password=hunter2",
        "Host=db.example;Username=ada;PWD=hunter2",
    ] {
        let message = error(text);
        assert!(message.contains("PGPASSWORD") && message.contains("PGPASSFILE"), "{text}: {message}");
        assert!(!message.contains("unter2"), "{text}: {message}");
    }
    // An empty one is none.
    assert_eq!(parse("postgres://ada:@db.example/app").login.password, Secret::new("sesame"));
}

#[test]
fn mistakes_are_told_without_the_text() {
    for (text, expected) in [
        ("mysql://hunter2@h/d", "postgres://"),
        ("postgres://hunter2%4@h/d", "percent"),
        ("postgres://hunter2@[::1/d", "bracket"),
        ("host=h user='hunter2", "apostrophe"),
        ("hunter2", "no ="),
        ("host=h hunter2 x=1", "no ="),
        ("Host=h;Username=\"hunter2", "quotation"),
        ("postgres://u@h:hunter2/d", "port"),
        ("postgres://u@h/d?sslmode=hunter2", "sslmode"),
        ("postgres://u@h/d?service=hunter2", "parameter service"),
        ("postgres://u@h/d?hunter2=1", "parameter"),
        ("postgres://u@h1,h2/d", "several hosts"),
        ("Host=h;Username=u;Trust Server Certificate=hunter2", "parameter trustservercertificate"),
        ("postgres://u@h/d?options=-c%20x%3Dhunter2", "parameter options"),
    ] {
        let message = error(text);
        assert!(message.contains(expected), "{text}: {message}");
        assert!(!message.contains("hunter2"), "{text}: {message}");
    }
}

#[test]
fn a_root_certificate_is_used_where_one_is_named() {
    assert_eq!(parse("postgres://u@h?sslmode=require").ssl_mode, SslMode::Require);
    assert_eq!(parse("postgres://u@h?sslmode=require&sslrootcert=a.pem").ssl_mode, SslMode::VerifyCa);
    assert_eq!(parse("postgres://u@h?sslmode=prefer&sslrootcert=a.pem").ssl_mode, SslMode::Prefer);
    assert_eq!(parse("postgres://u@h?sslrootcert=system").ssl_mode, SslMode::VerifyFull);
    assert_eq!(parse("postgres://u@h?ssl=true").ssl_mode, SslMode::Require);
    assert!(error("postgres://u@h?sslmode=require&sslrootcert=system").contains("verify-full"));
}

#[test]
fn the_password_comes_from_the_variable_then_its_file_then_libpq_s_file() {
    let scratch = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str, mode: u32| {
        let path = scratch.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path.display().to_string()
    };
    let alone = file("alone", "from file\n", 0o644);
    let pgpass = file(".pgpass", "# note\nother:*:*:*:no\nh:5432:d\\:e:u:from: \\\\pgpass\nh:*:*:*:later\n", 0o600);
    let home = scratch.path().display().to_string();
    let find =
        |text: &str, given: &[(&str, &str)]| Target::parse(Some(text), &variables(given)).map(|target| target.login.password);
    let text = "postgres://u@h/d%3Ae";
    let all = [("PGPASSWORD", "from variable"), ("PGPASSWORD_FILE", alone.as_str()), ("HOME", home.as_str())];
    assert_eq!(find(text, &all).unwrap().reveal(), "from variable");
    assert_eq!(find(text, &all[1..]).unwrap().reveal(), "from file");
    assert_eq!(find(text, &all[2..]).unwrap().reveal(), "from: \\pgpass");
    assert_eq!(find("postgres://u@h/other", &all[2..]).unwrap().reveal(), "later");
    assert_eq!(find("postgres://u@elsewhere/other", &all[2..]).unwrap().reveal(), "");
    assert_eq!(find(text, &[("PGPASSFILE", pgpass.as_str())]).unwrap().reveal(), "from: \\pgpass");
    assert_eq!(find(&format!("{text}?passfile={pgpass}"), &[]).unwrap().reveal(), "from: \\pgpass");
    assert!(matches!(find(text, &[("PGPASSFILE", "/nonexistent")]), Err(TargetError::PasswordFile { .. })));
    assert!(matches!(find(text, &[("PGPASSWORD_FILE", "/nonexistent")]), Err(TargetError::PasswordFile { .. })));
    assert_eq!(find(text, &[("HOME", "/nonexistent")]).unwrap().reveal(), "");
    let open = file("open", "*:*:*:*:x\n", 0o640);
    assert!(matches!(find(text, &[("PGPASSFILE", open.as_str())]), Err(TargetError::OpenPasswordFile { .. })));
}

#[test]
fn nothing_that_prints_a_target_shows_its_password() {
    let target = parse("postgres://ada@h/d");
    assert_eq!(target.login.password.reveal(), "sesame");
    assert!(!format!("{target:?} {target}").contains("sesame"));
}
