//! Where a password is found that stands in no argument: libpq's variables and its file, and a file that holds nothing else.

use super::super::Secret;
use super::target::{Environment, TargetError};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What a line of libpq's password file is for.
pub(super) struct Key<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) database: &'a str,
    pub(super) user: &'a str,
}

/// PGPASSWORD, else the content of the file that PGPASSWORD_FILE names, else the first line that fits in `passfile`, by default
/// `~/.pgpass`. `None` where none of them says one.
///
/// Fails where a file that was named cannot be read, and where others could read libpq's.
pub(super) fn find(
    key: &Key<'_>,
    passfile: Option<String>,
    environment: &dyn Environment,
) -> Result<Option<Secret>, TargetError> {
    if let Some(password) = environment.variable("PGPASSWORD") {
        return Ok(Some(Secret::new(password)));
    }
    if let Some(path) = environment.variable("PGPASSWORD_FILE").map(PathBuf::from) {
        let text = read(&path)?;
        return Ok(Some(Secret::new(text.trim_end_matches(['\r', '\n']))));
    }
    let (path, named) = match (passfile, environment.variable("HOME")) {
        (Some(path), _) => (PathBuf::from(path), true),
        (None, Some(home)) => (Path::new(&home).join(".pgpass"), false),
        (None, None) => return Ok(None),
    };
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound && !named => return Ok(None),
        Ok(found) if found.is_file() && found.mode() & 0o077 != 0 => return Err(TargetError::OpenPasswordFile { path }),
        _ => {}
    }
    Ok(read(&path)?.lines().find_map(|line| fitting(line, key)))
}

fn read(path: &Path) -> Result<String, TargetError> {
    std::fs::read_to_string(path).map_err(|source| TargetError::PasswordFile { path: path.to_owned(), source })
}

/// The password of `host:port:database:user:password`, where `*` is anything and a backslash takes the next letter as it is.
fn fitting(line: &str, key: &Key<'_>) -> Option<Secret> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![String::new()];
    let mut stars = vec![line.starts_with("*:")];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        let field = fields.last_mut()?;
        match letter {
            '\\' => field.extend(letters.next()),
            // Only four of them separate: a password may hold colons.
            ':' if stars.len() < 5 => {
                fields.push(String::new());
                stars.push(letters.as_str().starts_with("*:"));
            }
            other => field.push(other),
        }
    }
    let [host, port, database, user, password] = fields.try_into().ok()?;
    // A socket in a usual place is called localhost there.
    let usual = matches!(key.host, "/tmp" | "/var/run/postgresql" | "/run/postgresql");
    let fits = (stars[0] || host == key.host || usual && host == "localhost")
        && (stars[1] || port == key.port.to_string())
        && (stars[2] || database == key.database)
        && (stars[3] || user == key.user);
    fits.then(|| Secret::new(password))
}
