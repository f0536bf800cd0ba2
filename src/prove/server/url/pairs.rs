//! The forms in which people write where a server is, taken apart into names and values.
//!
//! An error never shows what was written: it may hold a password.

use super::target::TargetError;

/// Names as libpq has them, and values; what Npgsql calls otherwise is renamed.
pub(super) type Pairs = Vec<(String, String)>;

/// Takes any of the three forms.
pub(super) fn parse(text: &str) -> Result<Pairs, TargetError> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://")) {
        return url(rest);
    }
    if text.contains("://") {
        return Err(TargetError::Form("a URL begins with postgres:// or postgresql://"));
    }
    // libpq's names have no capitals, and nothing in its form ends with a semicolon.
    let first = text.split('=').next().unwrap_or_default();
    if text.contains(';') || first.chars().any(char::is_uppercase) { npgsql(text) } else { key_value(text) }
}

/// `user@host:port/database?name=value`, as libpq reads it.
fn url(rest: &str) -> Result<Pairs, TargetError> {
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = place.split_once('/').unwrap_or((place, ""));
    let mut pairs = Pairs::new();
    let address = match authority.rsplit_once('@') {
        Some((user, address)) => {
            let (user, password) = user.split_once(':').unwrap_or((user, ""));
            push(&mut pairs, "user", decoded(user)?);
            push(&mut pairs, "password", decoded(password)?);
            address
        }
        None => authority,
    };
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(TargetError::Form("a bracket of an address is not closed"))?;
            (host, port.strip_prefix(':').unwrap_or(port))
        }
        None => address.split_once(':').unwrap_or((address, "")),
    };
    push(&mut pairs, "host", decoded(host)?);
    push(&mut pairs, "port", decoded(port)?);
    push(&mut pairs, "dbname", decoded(database)?);
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').ok_or(TargetError::Form("a parameter of the URL has no value"))?;
        pairs.push((decoded(name)?, decoded(value)?));
    }
    Ok(pairs)
}

/// An empty part of a URL says nothing.
fn push(pairs: &mut Pairs, name: &str, value: String) {
    if !value.is_empty() {
        pairs.push((name.to_owned(), value));
    }
}

/// Strictly: a percent sign that begins no byte is a mistake, as it is for libpq.
fn decoded(text: &str) -> Result<String, TargetError> {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        let digits = rest.get(at + 1..at + 3).ok_or(TargetError::Form("a percent sign is not followed by two digits"))?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(TargetError::Form("a percent sign is not followed by two digits"));
        }
        rest = &rest[at + 3..];
    }
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| TargetError::Form("what is percent-encoded is not UTF-8"))
}

/// `name=value name='with a \' in it'`, as libpq reads it.
fn key_value(text: &str) -> Result<Pairs, TargetError> {
    let mut pairs = Pairs::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or(TargetError::Form("a name has no = behind it"))?;
        let name = name.trim_end();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(TargetError::Form("a name has no = behind it"));
        }
        let (value, after) = quoted_value(after.trim_start())?;
        pairs.push((name.to_owned(), value));
        rest = after.trim_start();
    }
    Ok(pairs)
}

/// A value up to white space, or in apostrophes; a backslash takes the next letter as it is.
fn quoted_value(text: &str) -> Result<(String, &str), TargetError> {
    let (quoted, text) = text.strip_prefix('\'').map_or((false, text), |rest| (true, rest));
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => value.extend(letters.next().map(|(_, next)| next)),
            '\'' if quoted => return Ok((value, &text[at + 1..])),
            space if space.is_whitespace() && !quoted => return Ok((value, &text[at..])),
            other => value.push(other),
        }
    }
    if quoted { Err(TargetError::Form("an apostrophe is not closed")) } else { Ok((value, "")) }
}

/// `Name=Value;Name="with a "" in it"`, as .NET reads it.
fn npgsql(text: &str) -> Result<Pairs, TargetError> {
    let mut pairs = Pairs::new();
    let mut rest = text.trim_start_matches(|letter: char| letter == ';' || letter.is_whitespace());
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or(TargetError::Form("a name has no = behind it"))?;
        let (value, after) = dotnet_value(after.trim_start())?;
        pairs.push((libpq_name(name), value));
        rest = after.trim_start_matches(|letter: char| letter == ';' || letter.is_whitespace());
    }
    Ok(pairs)
}

fn dotnet_value(text: &str) -> Result<(String, &str), TargetError> {
    let Some(quote) = text.chars().next().filter(|letter| matches!(letter, '"' | '\'')) else {
        let end = text.find(';').unwrap_or(text.len());
        return Ok((text[..end].trim_end().to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter != quote {
            value.push(letter);
        } else if letters.peek().is_some_and(|(_, next)| *next == quote) {
            letters.next();
            value.push(quote);
        } else {
            return Ok((value, &text[at + 1..]));
        }
    }
    Err(TargetError::Form("a quotation mark is not closed"))
}

/// libpq's name of what Npgsql calls this; its own where libpq has none.
fn libpq_name(name: &str) -> String {
    let plain: String = name.chars().filter(|letter| !letter.is_whitespace()).flat_map(char::to_lowercase).collect();
    let known = match plain.as_str() {
        "host" | "server" => "host",
        "database" | "db" => "dbname",
        "username" | "userid" | "user" | "uid" => "user",
        "password" | "pwd" | "psw" => "password",
        "sslmode" => "sslmode",
        "rootcertificate" => "sslrootcert",
        "timeout" => "connect_timeout",
        "applicationname" => "application_name",
        "passfile" => "passfile",
        _ => return plain,
    };
    known.to_owned()
}
