//! Atlas: `<version>[_<name>].sql` beside an `atlas.sum`.
//!
//! Order: the file name, bytewise; the version is what stands before its first `_` (`sql/migrate/dir.go`, LocalDir.Files). The sums
//! of `atlas.sum` run on from file to file (NewHashFile); where they are not those of the files, Atlas refuses the directory
//! (Validate), and that is said. A checkpoint (`-- atlas:checkpoint`) stands in for the files before it on a new database
//! (FilesFromLastCheckpoint), and is left out where they are still there. Transaction: one per file; `-- atlas:txmode none` among the
//! comments at its head gives it up, and each statement is sent alone (`cmd/atlas/internal/cmdapi/migrate.go`, txmodeFor). Those
//! comments have to be set apart by an empty line, else they belong to the first statement (LocalFile.comments). `-- atlas:delimiter`
//! as the first line is what statements end with instead of `;` (`sql/migrate/lex.go`). `--tx-mode all` or `none` on the command line
//! is not seen here.
//!
//! Files that begin with `-- atlas:txtar` are archives: `down.sql` in them undoes, the rest runs (not confirmed in source: that part
//! of Atlas is not public). Directories in the format of another runner, which Atlas can read and sum, are read as that runner's.

use super::sections::{Section, Sections};
use super::{Claim, Late, Layout, OptOut, Reading, Statements, Step, Strength, of_other_database};
use crate::op::Span;
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::split_direction;
use crate::source::path::join;
use crate::source::{Migration, Skipped, UnitKind, Version, Wrapping};
use crate::sql::lex::{self, TokenKind};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const SUMS: &str = "atlas.sum";

/// What the files of runners hold whose formats Atlas reads.
const OTHER_FORMATS: [&str; 3] = ["-- +goose", "--liquibase formatted", "-- migrate:up"];

pub struct Atlas;

impl Layout for Atlas {
    fn name(&self) -> &'static str {
        "atlas"
    }

    fn marks(&self) -> &'static str {
        "an atlas.sum beside the files"
    }

    fn file_names(&self) -> &'static str {
        "`<version>[_<name>].sql`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Mark {
            mark: "-- atlas:txmode none",
            place: "at the head of the file, with an empty line below it",
            statements: Statements::Apart,
        }
    }

    /// `sql/postgres/driver.go`, acquire: `SELECT pg_advisory_lock($1)` where there is a time limit, as there is without
    /// `--lock-timeout` (ten seconds).
    fn waits_for_advisory_lock(&self) -> bool {
        true
    }

    /// Linear is the default order of execution (`sql/migrate/migrate.go`, ExecOrderLinear).
    fn late(&self, _: &Migration) -> Late {
        Late::Refused
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        directory.file(SUMS)?;
        let files: Vec<&FileEntry> = directory.files.iter().filter(|f| f.is_sql()).collect();
        (!files.is_empty() && !files.iter().any(|f| is_of_other_format(f))).then(|| Claim {
            strength: Strength::Content,
            evidence: format!("{SUMS} stands beside {} .sql files", files.len()),
            files: files.iter().map(|f| f.path.clone()).collect(),
        })
    }

    /// The sum of a file is of what stands before it, too, and stays when later ones go.
    fn listing_of_first(&self, name: &str, text: &str, there: &[Migration]) -> Option<String> {
        let is_there = |name: &str| there.iter().any(|unit| unit.file.path.rsplit('/').next() == Some(name));
        let listed: Vec<(&str, &str)> = listed(text).into_iter().filter(|(name, _)| is_there(name)).collect();
        let lines = listed.iter().map(|(name, sum)| format!("{name} h1:{sum}\n"));
        (name == SUMS).then(|| format!("h1:{}\n{}", total(&listed), lines.collect::<String>()))
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        // The listing is in the order of names already.
        for entry in directory.files.iter().filter(|f| f.is_sql()) {
            let directives = entry.text().map(directives).unwrap_or_default();
            let is_checkpoint = directives.iter().any(|(name, _)| *name == "checkpoint");
            if let Some(why) = of_other_database(&entry.name) {
                reading.skip(entry, &why);
            } else if is_checkpoint && !reading.steps.is_empty() {
                reading.skip(entry, "checkpoint: it stands in for the files before it on a new database only");
            } else {
                let version = version(entry);
                reading.steps.push(step(version, entry, &directives).versioned(Version::text(version)));
            }
        }
        if let Some(sums) = directory.file(SUMS)
            && let Some((name, why)) = mismatch(directory, sums.text().unwrap_or_default())
        {
            let (path, why) = (join(&directory.path, &name), format!("{why}: atlas refuses the directory"));
            if reading.steps.iter().any(|step| step.file.path == path) {
                reading.object(&path, why, "undo the edit, or sum the directory anew with `atlas migrate hash`");
            } else if !reading.skipped.iter().any(|skipped| skipped.path == path) {
                reading.skipped.push(Skipped { path, why });
            }
        }
        reading
    }
}

fn version(entry: &FileEntry) -> &str {
    entry.stem().split('_').next().unwrap_or(entry.stem())
}

fn is_of_other_format(entry: &FileEntry) -> bool {
    let is_flyway = entry.name.starts_with(['V', 'U', 'R', 'B']) && entry.name.contains("__");
    is_flyway
        || split_direction(entry.stem()).1.is_some()
        || entry.text().is_some_and(|text| OTHER_FORMATS.iter().any(|mark| text.contains(mark)))
}

fn step(id: &str, entry: &FileEntry, directives: &[(&str, &str)]) -> Step {
    let gives_up = directives.contains(&("txmode", "none"));
    let wrapping = if gives_up { Wrapping::None } else { Wrapping::Wrapped };
    let step = Step::of_file(id, entry, wrapping);
    let (UnitKind::Sql, Some(text)) = (step.kind, entry.text()) else { return step };
    let body = entry.source().body();
    let step = if directives.iter().any(|(name, _)| *name == "txtar") {
        archive(text, body).into_step(id, entry, wrapping)
    } else if let Some((delimiter, rest)) = delimiter(text) {
        let parts = cut(text, Span { start: rest, end: body.end }, &delimiter);
        Step { tag_regions: parts.clone(), parts, ..step }
    } else {
        step
    };
    if gives_up { step.or_explicit() } else { step }
}

/// The members of an archive, each behind a line `-- name --`.
fn archive(text: &str, body: Span) -> Sections {
    Sections::read(text, body, |line, _| {
        let name = line.trim().strip_prefix("-- ")?.strip_suffix(" --")?.trim();
        name.ends_with(".sql").then(|| if name == "down.sql" { Section::Down } else { Section::Up })
    })
}

/// The directives of the comments that a file begins with: name and value.
fn directives(text: &str) -> Vec<(&str, &str)> {
    let mut rest = text;
    let mut found = Vec::new();
    while rest.starts_with('#') || rest.starts_with("--") {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        found.extend(directive(line.trim()).map(|(_, name, value)| (name, value)));
        rest = after;
    }
    let is_set_apart = rest.is_empty() || rest.trim_start_matches([' ', '\t']).starts_with('\n');
    if is_set_apart { found } else { Vec::new() }
}

/// `^([ -~]*)atlas:(\w+)(?: +(.+))*`: what stands before, the name, and the value.
fn directive(line: &str) -> Option<(&str, &str, &str)> {
    let at = line.rfind("atlas:").filter(|&at| line[..at].bytes().all(|b| (b' '..=b'~').contains(&b)))?;
    let rest = &line[at + "atlas:".len()..];
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    (end > 0).then(|| (&line[..at], &rest[..end], rest[end..].trim_start_matches(' ')))
}

/// The delimiter that the first line sets, and where the next one begins.
fn delimiter(text: &str) -> Option<(String, usize)> {
    let (line, _) = text.split_once('\n')?;
    let (_, _, value) =
        directive(line).filter(|(before, name, value)| (*before, *name) == ("-- ", "delimiter") && !value.is_empty())?;
    Some((value.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t"), line.len() + 1))
}

/// The texts between delimiters, which count outside of strings, bodies and parentheses. Blank ones are left out.
fn cut(text: &str, part: Span, delimiter: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut start = part.start;
    let mut depth = 0usize;
    for token in lex::tokens_from(&text[..part.end], part.start) {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        let last = match token.kind {
            TokenKind::Str | TokenKind::DollarStr | TokenKind::QuotedIdent | TokenKind::BlockComment => continue,
            // A delimiter may look like a comment, but not stand in one.
            TokenKind::LineComment => token.span.start,
            _ => token.span.end - 1,
        };
        for at in (token.span.start..=last).filter(|&at| depth == 0 && text.is_char_boundary(at)) {
            if at >= start && text[at..part.end].starts_with(delimiter) {
                found.push(Span { start, end: at });
                start = at + delimiter.len();
            }
        }
    }
    found.push(Span { start, end: part.end.max(start) });
    found.retain(|span| span.end <= part.end && !text[span.start..span.end].trim().is_empty());
    found
}

/// The first file whose sum is not the one in `atlas.sum`, and why.
fn mismatch(directory: &Directory, sums: &str) -> Option<(String, &'static str)> {
    let first = sums.lines().next().unwrap_or_default();
    let listed = listed(sums);
    let found = computed(directory);
    for (at, (name, sum)) in listed.iter().enumerate() {
        let why = match found.get(at) {
            Some((have, have_sum)) if have == name && have_sum == sum => continue,
            Some((have, _)) if have == name => "its text is not the one that its sum in atlas.sum is of",
            Some((have, _)) if !listed.iter().any(|(name, _)| name == have) => {
                return Some((have.clone(), "it is not in atlas.sum"));
            }
            _ => "it is in atlas.sum, and not there",
        };
        return Some(((*name).to_string(), why));
    }
    if let Some((name, _)) = found.get(listed.len()) {
        return Some((name.clone(), "it is not in atlas.sum"));
    }
    (first.strip_prefix("h1:") != Some(total(&listed).as_str()))
        .then(|| (SUMS.to_string(), "its first line is not the sum of the others"))
}

/// Names and sums below the first line.
fn listed(sums: &str) -> Vec<(&str, &str)> {
    sums.lines().skip(1).filter_map(|line| line.split_once("h1:")).map(|(name, sum)| (name.trim(), sum)).collect()
}

/// The first line's sum.
fn total(listed: &[(&str, &str)]) -> String {
    let sum = listed.iter().fold(Sha256::new(), |sum, (name, file)| sum.chain_update(name).chain_update(file));
    STANDARD.encode(sum.finalize())
}

/// Each sum is of everything up to the end of its file.
fn computed(directory: &Directory) -> Vec<(String, String)> {
    let mut sum = Sha256::new();
    let mut found = Vec::new();
    // Hidden files too: the glob that Atlas lists with takes them.
    for entry in directory.files.iter().filter(|f| f.name.ends_with(".sql")) {
        sum.update(&entry.name);
        let first = entry.text().and_then(|text| text.lines().next()).and_then(directive);
        if first.is_some_and(|(_, name, value)| (name, value) == ("sum", "ignore")) {
            continue;
        }
        sum.update(&entry.source().bytes);
        found.push((entry.name.clone(), STANDARD.encode(sum.clone().finalize())));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_stand_at_the_head_and_apart_from_the_first_statement() {
        assert_eq!(directives("-- atlas:txmode none\n\nA;"), [("txmode", "none")]);
        assert_eq!(directives("-- why\n# atlas:checkpoint v1 \n  \nA;"), [("checkpoint", "v1")]);
        assert_eq!(directives("-- atlas:txmode none"), [("txmode", "none")]);
        for text in ["-- atlas:txmode none\nA;", "\n-- atlas:txmode none\n\nA;", "-- atlas:txmode none\r\n\r\nA;"] {
            assert_eq!(directives(text), [], "{text}");
        }
    }

    #[test]
    fn a_delimiter_is_set_by_the_very_first_line() {
        assert_eq!(delimiter("-- atlas:delimiter \\n\\n\nA"), Some(("\n\n".to_string(), 24)));
        assert_eq!(delimiter("--atlas:delimiter x\nA"), None);
        assert_eq!(delimiter("-- atlas:delimiter\nA"), None);
        assert_eq!(delimiter("\n-- atlas:delimiter x\nA"), None);
    }

    #[test]
    fn delimiters_count_outside_of_strings_bodies_and_parentheses() {
        let texts = |text: &str, delimiter: &str| -> Vec<String> {
            cut(text, Span { start: 0, end: text.len() }, delimiter).iter().map(|s| text[s.start..s.end].to_string()).collect()
        };
        assert_eq!(texts("A; B\n-- end\nC '-- end' (-- end\n) -- end", "-- end"), ["A; B\n", "\nC '-- end' (-- end\n) "]);
        assert_eq!(texts("A\n\n\n\nB $$\n\n$$\n\nC", "\n\n"), ["A", "B $$\n\n$$", "C"]);
        assert_eq!(texts("A//B", "//"), ["A", "B"]);
        assert_eq!(texts("A \u{e9} x", "x"), ["A \u{e9} "]);
    }

    #[test]
    fn an_archive_runs_but_for_what_undoes() {
        let text = "-- atlas:txtar\n\n-- checks.sql --\nA;\n-- migration.sql --\nB;\n-- down.sql --\nC;\n";
        let found = archive(text, Span { start: 0, end: text.len() });
        assert_eq!(found.up.iter().map(|s| &text[s.start..s.end]).collect::<Vec<_>>(), ["A;\n", "B;\n"]);
        assert_eq!(found.down.map(|s| &text[s.start..s.end]), Some("C;\n"));
    }
}
