//! Paths in the words of the report: `/` between parts, as found from the PATH given.

use std::path::{Component, Path, PathBuf};

/// A path as it really is: absolute, without `.`, `..` and symbolic links. What does not exist (a deleted file that git still
/// knows) is appended to the deepest directory that does.
pub fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    for existing in absolute.ancestors() {
        let Ok(real) = existing.canonicalize() else { continue };
        let rest = absolute.strip_prefix(existing).unwrap_or(Path::new(""));
        return rest.components().fold(real, |mut place, part| {
            match part {
                Component::ParentDir => drop(place.pop()),
                Component::Normal(name) => place.push(name),
                Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            }
            place
        });
    }
    absolute
}

/// As [`resolved`], but for the last part: a link is itself, beside its own siblings.
pub fn resolved_beside(path: &Path) -> PathBuf {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => resolved(if parent.as_os_str().is_empty() { Path::new(".") } else { parent }).join(name),
        _ => resolved(path),
    }
}

/// A path as the report shows it: `/` between parts, without `.` parts and a closing slash.
pub fn shown(given: &str) -> String {
    let path = if std::path::MAIN_SEPARATOR == '/' { given.to_string() } else { given.replace(std::path::MAIN_SEPARATOR, "/") };
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    match (path.starts_with('/'), parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_string(),
        (false, false) => parts.join("/"),
    }
}

/// `name` below `path`, in the words of the report.
pub fn join(path: &str, name: &str) -> String {
    match path {
        "." | "" => name.to_string(),
        _ if path.ends_with('/') => format!("{path}{name}"),
        _ => format!("{path}/{name}"),
    }
}

/// The shown path of a directory so many levels above a shown path.
pub fn ancestor(path: &str, levels: usize) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    for _ in 0..levels {
        match parts.last() {
            Some(&last) if last != ".." => {
                parts.pop();
            }
            Some(_) | None if absolute => {}
            Some(_) | None => parts.push(".."),
        }
    }
    match (absolute, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_string(),
        (false, false) => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_without_dots_and_closing_slashes() {
        for (given, expected) in [
            ("db/migrations/", "db/migrations"),
            ("./db", "db"),
            (".", "."),
            ("./", "."),
            ("/a//b/./c", "/a/b/c"),
            ("../x", "../x"),
            ("/", "/"),
        ] {
            assert_eq!(shown(given), expected, "{given}");
        }
    }

    #[test]
    pub fn ancestors_of_a_path_may_lie_above_the_working_directory() {
        for (path, levels, expected) in [
            ("a/b/c.sql", 1, "a/b"),
            ("a/b/c.sql", 3, "."),
            ("c.sql", 1, "."),
            ("c.sql", 2, ".."),
            ("../c.sql", 2, "../.."),
            ("/c.sql", 3, "/"),
            (".", 1, ".."),
            (".", 2, "../.."),
        ] {
            assert_eq!(ancestor(path, levels), expected, "{path} {levels}");
        }
    }
}
