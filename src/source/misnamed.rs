//! Files whose names their runner does not take, although they were surely meant as migrations: `V11_single.sql` for Flyway, `12-x.up.sql`
//! for golang-migrate.
//!
//! No list of near misses for each layout: the name is corrected in the ways in which people slip (case, separator, blanks, direction),
//! and the layout itself says whether it would run the result. A name that does not begin as one of a migration is never corrected:
//! `seed.sql` and `schema.sql` are what they say.

use crate::report::escape::is_unsafe;
use crate::source::allow::{self, Directive};
use crate::source::directory::{Directory, FileEntry};
use crate::source::layouts::Layout;
use crate::source::{SourceFile, Version, comment};
use std::sync::Arc;

/// A file that its runner leaves out for its name alone.
#[derive(Clone, Debug)]
pub struct Misnamed {
    pub file: Arc<SourceFile>,
    /// A name, of the directory too where that counts, under which the runner would take it.
    pub meant: String,
    /// The version that it would have then.
    pub version: Option<Version>,
    /// What its comments say to phasegate.
    pub directives: Vec<Directive>,
}

/// The file as a near miss of a migration, if it is one. It lies in `directory`, the history's, or below; `versions` are those of the
/// history's steps, in order.
pub fn of_file(file: &FileEntry, directory: &Directory, layout: &dyn Layout, versions: &[&Version]) -> Option<Misnamed> {
    let beside = directory.holding(file)?;
    let corrected = corrections(&file.name);
    // Where the right name is there too, the other one is a leftover.
    if file.name.starts_with('.') || corrected.iter().any(|name| beside.file(&name.text).is_some()) {
        return None;
    }
    let place = below(&beside.path, &directory.path);
    let is_missed = |name: &&Corrected| match taken(&name.text, file, place, layout) {
        None => false,
        Some(_) if !name.is_guess => true,
        // Without a word for its direction a file may be something else. A free number above the first one is a migration.
        Some(version) => {
            let first = versions.first().copied();
            version.is_some_and(|version| first.is_some_and(|first| *first < version) && !versions.contains(&&version))
        }
    };
    let name = corrected.iter().find(is_missed)?;
    let version = taken(&name.text, file, place, layout)?;
    Some(Misnamed {
        file: Arc::clone(file.source()),
        meant: if is_by_directory(&name.text) { format!("{}/{}", beside.name, name.text) } else { name.text.clone() },
        version,
        directives: directives(file),
    })
}

/// The directory of a file as seen from that of its history; empty where it is the same.
fn below<'a>(directory: &'a str, history: &str) -> &'a str {
    match (directory == history, history) {
        (true, _) => "",
        (false, ".") => directory,
        (false, _) => directory.strip_prefix(history).unwrap_or_default().trim_start_matches('/'),
    }
}

fn directives(file: &FileEntry) -> Vec<Directive> {
    match file.text() {
        Some(text) => allow::scan(&comment::comments(text, &[file.source().body()])),
        None => Vec::new(),
    }
}

/// Whether the layout takes a file of this name and content in that place, as a step or as what undoes one; and the version it
/// gives it.
fn taken(name: &str, file: &FileEntry, place: &str, layout: &dyn Layout) -> Option<Option<Version>> {
    let renamed = FileEntry::of_source(name, Arc::clone(file.source()));
    let mut names = place.split('/').filter(|part| !part.is_empty()).rev();
    let mut directory = Directory::made_up(names.next().unwrap_or_default(), vec![renamed], Vec::new());
    for above in names.map(Some).chain((!place.is_empty()).then_some(None)) {
        directory = Directory::made_up(above.unwrap_or_default(), Vec::new(), vec![directory]);
    }
    let reading = layout.read(&directory);
    let is_down = name.ends_with("down.sql") || name.starts_with('U');
    let undoes = || (is_down && reading.skipped.iter().any(|skipped| skipped.why == "down part")).then_some(None);
    reading.steps.first().map(|step| step.version.clone()).or_else(undoes)
}

/// True for the names of files whose directory carries the migration's name.
fn is_by_directory(name: &str) -> bool {
    matches!(name, "up.sql" | "down.sql" | "migration.sql")
}

#[derive(Debug, PartialEq, Eq)]
struct Corrected {
    text: String,
    /// The direction was added: the name may well be what it should be.
    is_guess: bool,
}

/// Names that were likely meant, likeliest first, without the one there is. None for names that do not begin as a migration's.
fn corrections(name: &str) -> Vec<Corrected> {
    let visible: String = name.chars().filter(|c| !is_unsafe(*c)).collect();
    let Some(stem) = without_ending(visible.trim(), ".sql") else { return Vec::new() };
    let is_by_directory = ["up", "down", "migration"].iter().any(|word| stem.trim().eq_ignore_ascii_case(word));
    let (stem, direction, is_loose) = direction(stem.trim());
    let mut found: Vec<Corrected> = Vec::new();
    let mut add = |text: String, is_guess: bool| {
        if text != name && !found.iter().any(|other| other.text == text) {
            found.push(Corrected { text, is_guess });
        }
    };
    if is_by_directory {
        add(format!("{}.sql", visible.trim()[..visible.trim().len() - 4].trim().to_ascii_lowercase()), false);
        return found;
    }
    let stems = stems(stem);
    for stem in &stems {
        add(format!("{stem}{direction}.sql"), false);
    }
    if is_loose {
        let undotted = without_ending(visible.trim(), ".sql").unwrap_or_default().trim();
        add(format!("{undotted}.sql"), false);
    }
    if direction.is_empty()
        && let Some(stem) = stems.first()
    {
        add(format!("{stem}.up.sql"), true);
    }
    found
}

/// A name without an ending, whatever its case.
fn without_ending<'a>(name: &'a str, ending: &str) -> Option<&'a str> {
    let at = name.len().checked_sub(ending.len())?;
    let tail = name.get(at..)?;
    tail.eq_ignore_ascii_case(ending).then(|| &name[..at])
}

/// The name without its direction, the direction as runners write it, and whether it was written in another way than by case.
fn direction(stem: &str) -> (&str, &'static str, bool) {
    for (word, direction) in [("up", ".up"), ("down", ".down")] {
        let Some(rest) = without_ending(stem, word) else { continue };
        if let Some(rest) = rest.strip_suffix('.') {
            return (rest.trim_end(), direction, false);
        }
        if rest.ends_with(['_', '-', ' ']) {
            return (rest.trim_end_matches(['_', '-', ' ']), direction, true);
        }
    }
    (stem, "", false)
}

/// A name without ending and direction in the forms that runners know: as it is, with the other case of its first letter, with
/// another separator behind the version.
fn stems(stem: &str) -> Vec<String> {
    let (letter, rest) = match stem.chars().next() {
        Some(letter @ ('v' | 'V' | 'u' | 'U' | 'r' | 'R' | 'b' | 'B')) => (Some(letter), &stem[1..]),
        Some(digit) if digit.is_ascii_digit() => (None, stem),
        Some(_) | None => return Vec::new(),
    };
    let version_end = version_end(rest);
    let (version, behind) = rest.split_at(version_end);
    let described = behind.trim_start_matches([' ', '_', '.', '-', '+']);
    let is_separated = described.len() < behind.len();
    // `release.sql` begins with a letter that means something to Flyway, too.
    let is_repeatable = version.is_empty() && matches!(letter, Some('r' | 'R')) && behind.starts_with("__");
    if version.is_empty() && !is_repeatable {
        return Vec::new();
    }
    let mut found = Vec::new();
    for letter in [letter, letter.map(other_case)] {
        let letter = letter.map(String::from).unwrap_or_default();
        found.push(format!("{letter}{rest}"));
        if described.is_empty() && !letter.is_empty() {
            found.push(format!("{letter}{version}__description"));
        }
        if !described.is_empty() && (is_separated || !letter.is_empty()) {
            found.extend(["_", "__", ".", "-"].iter().map(|separator| format!("{letter}{version}{separator}{described}")));
        }
    }
    found
}

fn other_case(letter: char) -> char {
    if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
}

/// Digits, and those that `.` or `_` joins to them.
fn version_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    while digit(end) || (end > 0 && matches!(bytes.get(end), Some(b'.' | b'_')) && digit(end + 1)) {
        end += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::layouts;

    fn meant(layout: &str, name: &str) -> Option<String> {
        meant_beside(layout, name, &[])
    }

    fn meant_beside(layout: &str, name: &str, others: &[&str]) -> Option<String> {
        let entry = |path: &str, name: &str| {
            let bytes = b"-- +goose Up\nSELECT 1;\n".to_vec();
            FileEntry::of_source(name, Arc::new(SourceFile { path: path.into(), repo_path: path.into(), bytes }))
        };
        let layout = layouts::named(layout).unwrap();
        let (place, name) = name.rsplit_once('/').map_or((None, name), |(place, name)| (Some(place), name));
        let file = entry(&place.map_or(name.to_owned(), |place| format!("{place}/{name}")), name);
        let mut files: Vec<FileEntry> = others.iter().map(|name| entry(name, name)).collect();
        let directories = match place {
            Some(place) => vec![Directory::made_up(place, vec![file.clone()], Vec::new())],
            None => {
                files.push(file.clone());
                Vec::new()
            }
        };
        let mut directory = Directory::made_up("", files, directories);
        directory.path = ".".into();
        let steps = layout.read(&directory).steps;
        let versions: Vec<&Version> = steps.iter().filter_map(|step| step.version.as_ref()).collect();
        of_file(&file, &directory, layout, &versions).map(|misnamed| misnamed.meant)
    }

    #[test]
    fn a_slip_is_corrected_to_what_the_runner_takes() {
        for (layout, name, expected) in [
            ("flyway", "V11_single.sql", "V11__single.sql"),
            ("flyway", "V1_2_x.sql", "V1_2__x.sql"),
            ("flyway", "v10__lower.sql", "V10__lower.sql"),
            ("flyway", "V10-x.SQL", "V10__x.sql"),
            ("flyway", "V10x.sql", "V10__x.sql"),
            ("flyway", "V10.sql", "V10__description.sql"),
            ("flyway", "r__view.sql", "R__view.sql"),
            ("refinery", "v10__lower.sql", "V10__lower.sql"),
            ("golang-migrate", "0012_x.up.SQL", "0012_x.up.sql"),
            ("golang-migrate", "12-x.up.sql", "12_x.up.sql"),
            ("golang-migrate", "12_x.UP.sql", "12_x.up.sql"),
            ("golang-migrate", "12_x.Down.sql", "12_x.down.sql"),
            ("golang-migrate", "12_x_up.sql", "12_x.up.sql"),
            ("golang-migrate", "12_x.up.sql ", "12_x.up.sql"),
            ("sqlx", "12-x.sql", "12_x.sql"),
            ("goose", "00012-x.sql", "00012_x.sql"),
            ("tern", "012-x.sql", "012_x.sql"),
            ("plain", "0012_x.Sql", "0012_x.sql"),
            ("diesel", "20240101_step/Up.sql", "20240101_step/up.sql"),
            ("diesel", "20240101_step/up.SQL", "20240101_step/up.sql"),
            ("prisma", "20240101_step/Migration.sql", "20240101_step/migration.sql"),
        ] {
            assert_eq!(meant(layout, name).as_deref(), Some(expected), "{layout} {name}");
        }
    }

    #[test]
    fn what_was_meant_as_something_else_is_left_alone() {
        for (layout, name) in [
            ("flyway", "rollback/V1_x.sql"),
            ("flyway", "mysql/V1_x.sql"),
            ("golang-migrate", "seeds/12-x.up.sql"),
            ("flyway", "seed.sql"),
            ("flyway", "schema.sql"),
            ("flyway", "release.sql"),
            ("flyway", "revert.sql"),
            ("flyway", "views.sql"),
            ("flyway", "V10__x.sql.bak"),
            ("flyway", "R_script.sql"),
            ("flyway", "2024_dump.sql"),
            ("golang-migrate", "schema.sql"),
            ("golang-migrate", "up.sql"),
            ("golang-migrate", "12_x.up.sql.orig"),
            ("golang-migrate", "12_x.up.sql~"),
            ("golang-migrate", "2fa.sql"),
            ("sqlx", "2fa.sql"),
            ("sqlx", "README.md"),
        ] {
            assert_eq!(meant(layout, name), None, "{layout} {name}");
        }
    }

    #[test]
    fn a_leftover_beside_the_right_name_is_no_miss() {
        assert_eq!(meant_beside("golang-migrate", "12-x.up.sql", &["12_x.up.sql"]), None);
        assert_eq!(meant_beside("flyway", "V1_x.sql", &["V1__x.sql"]), None);
    }

    #[test]
    fn a_file_without_a_direction_is_missed_only_where_its_number_is_free() {
        let others = ["0001_init.up.sql", "0001_init.down.sql", "0003_x.up.sql"];
        assert_eq!(meant_beside("golang-migrate", "0002_y.sql", &others).as_deref(), Some("0002_y.up.sql"));
        assert_eq!(meant_beside("golang-migrate", "0003_y.sql", &others), None);
        assert_eq!(meant_beside("golang-migrate", "0000_schema.sql", &others), None);
    }
}
