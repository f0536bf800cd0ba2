//! Connection strings, as libpq reads them (its documentation, *Connection Strings*): `host=x password=y`, or a URI.

use std::borrow::Cow;

/// What a connection string says, as far as rules ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection<'a> {
    /// `host` or `hostaddr`, or that of a URI; none is a socket on the same machine.
    pub host: Option<&'a str>,
    pub password: Option<&'a str>,
}

/// Reads a connection string; none where the text is none: a name, a query.
pub fn read(text: &str) -> Option<Connection<'_>> {
    uri(text).or_else(|| keywords(text))
}

/// Schemes of databases and queues, in whose URIs a password is one.
const SCHEMES: &[&str] =
    &["postgres", "postgresql", "mysql", "mariadb", "mongodb", "mongodb+srv", "redis", "rediss", "amqp", "amqps", "mssql"];

/// `scheme://user:password@host/…` of a database or queue.
pub fn uri(text: &str) -> Option<Connection<'_>> {
    let (scheme, rest) = text.trim().split_once("://")?;
    if !SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or_default();
    let (user, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    let in_query = rest.split(['?', '&']).find_map(|pair| pair.strip_prefix("password="));
    let password = user.split_once(':').map(|(_, password)| password).or(in_query).filter(|password| !password.is_empty());
    let host = match place.strip_prefix('[') {
        Some(address) => address.split(']').next(),
        None => place.split([':', ',']).next(),
    };
    Some(Connection { host: host.filter(|host| !host.is_empty()), password })
}

fn keywords(text: &str) -> Option<Connection<'_>> {
    const KEYWORDS: &[&str] = &["host", "hostaddr", "port", "dbname", "user", "password", "sslmode", "service", "options"];
    let mut connection = Connection::default();
    let mut any = false;
    let mut rest = text;
    while let Some((key, after)) = rest.split_once('=') {
        let key = key.split_ascii_whitespace().next_back().unwrap_or_default();
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').unwrap_or((quoted, "")),
            None => after.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((after, "")),
        };
        any |= KEYWORDS.contains(&key);
        match key {
            "host" | "hostaddr" => connection.host = Some(value).filter(|host| !host.is_empty()),
            "password" => connection.password = Some(value).filter(|password| !password.is_empty()),
            _ => {}
        }
        rest = next;
    }
    any.then_some(connection)
}

/// A text of words without the passwords of connection strings in it, for a message.
pub fn without_passwords(text: &str) -> Cow<'_, str> {
    let secrets =
        text.split_ascii_whitespace().map(|word| word.trim_matches(['\'', '"'])).filter_map(|word| read(word)?.password);
    secrets.fold(Cow::Borrowed(text), |shown, secret| Cow::Owned(shown.replace(secret, "…")))
}

/// True for what means the same machine: nothing, a name of the loopback interface, the directory of a socket.
pub fn is_local(host: Option<&str>) -> bool {
    host.is_none_or(|host| {
        host.starts_with('/')
            || host.starts_with('@')
            || host.starts_with("127.")
            || matches!(host, "::1" | "[::1]")
            || host.eq_ignore_ascii_case("localhost")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(text: &str) -> Option<(Option<&str>, Option<&str>)> {
        read(text).map(|connection| (connection.host, connection.password))
    }

    #[test]
    fn both_forms_of_libpq_are_read() {
        assert_eq!(read_as("host=db.example port=5432 password=x"), Some((Some("db.example"), Some("x"))));
        assert_eq!(read_as("dbname = a password = 'b c' user=d"), Some((None, Some("b c"))));
        assert_eq!(read_as("postgres://u:p%40@db:5432/a?sslmode=require"), Some((Some("db"), Some("p%40"))));
        assert_eq!(read_as("postgresql://u@[::1]/a"), Some((Some("::1"), None)));
        assert_eq!(read_as("postgresql:///a?password=x"), Some((None, Some("x"))));
    }

    #[test]
    fn names_and_queries_are_none() {
        for text in ["remote", "SELECT 1", "UPDATE t SET a = 1", "https://u:p@example.com"] {
            assert_eq!(read_as(text), None, "{text}");
        }
    }

    #[test]
    fn sockets_and_the_loopback_interface_are_the_same_machine() {
        assert!([None, Some("localhost"), Some("127.0.0.1"), Some("::1"), Some("/var/run")].into_iter().all(is_local));
        assert!(!is_local(Some("10.0.0.1")));
    }
}
