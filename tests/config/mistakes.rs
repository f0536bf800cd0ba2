//! Every way to get it wrong: exit code 2, the place, what to do.

use super::*;

/// The complaint about a configuration with this text.
fn complaint(text: &str) -> String {
    let directory = tree(&[("phasegate.toml", text), ("db/0001_init.sql", INIT)]);
    let Outcome { code, out, errors } = phasegate(directory.path(), &["check", "db"]);
    assert_eq!((code, out.as_str()), (2, ""), "{text}: {errors}");
    errors
}

#[test]
fn every_mistake_is_named_with_its_place_and_what_to_do() {
    let mistakes = [
        (
            "phase_tag_prefix = [\"phase\"]",
            "phasegate.toml:1:1: unknown key `phase_tag_prefix`; did you mean `phase_tag_prefixes`?",
        ),
        ("\nschma = \"x.sql\"", "phasegate.toml:2:1: unknown key `schma`; did you mean `schema`?"),
        ("zzz = 1", "unknown key `zzz`; the keys here are `baseline`, `histories`"),
        ("[releases]\nmanifset = \"x\"", "phasegate.toml:2:1: unknown key `manifset`; did you mean `manifest`?"),
        ("[[histories]]\npath = [\"db\"]", "phasegate.toml:2:1: unknown key `path`; did you mean `paths`?"),
        ("[[histories]]\npaths = [\"db\"]\nbaseline = \"x\"", "phasegate.toml:3:1: unknown key `baseline`"),
        ("[[histories]]\nname = \"shop\"", "the key `paths` is missing here; write `paths = …` into this table"),
        ("[[overrides]]\npaths = [\"db\"]", "the key `rules` is missing here"),
        ("[rules]\ndrop-colunm = \"off\"", "phasegate.toml:2:1: there is no rule `drop-colunm`; did you mean `drop-column`?"),
        ("[rules]\nzzz = \"off\"", "there is no rule `zzz`; `phasegate rules` lists them all"),
        ("[rules]\ndrop-column = \"warn\"", "phasegate.toml:2:15: `warn` is no level; did you mean `warning`?"),
        ("[rules]\ndrop-column = \"loud\"", "`loud` is no level; write one of `off`, `note`, `warning`, `error`"),
        ("[rules]\ndrop-column = 3", "phasegate.toml:2:15: invalid type: integer `3`, expected a level"),
        (
            "[rules]\ndrop-column = { lvl = \"off\" }",
            "phasegate.toml:2:17: rule `drop-column` has no option `lvl`; did you mean `level`?",
        ),
        ("[rules]\ndrop-column = { level = 1 }", "phasegate.toml:2:25: a level is a text, not integer"),
        ("[rules]\ndrop-column = {}", "phasegate.toml:2:15: a rule without a level"),
        (
            "[[overrides]]\npaths = [\"db\"]\nrules = { drop-colum = \"off\" }",
            "phasegate.toml:3:11: there is no rule `drop-colum`",
        ),
        (
            "[[overrides]]\npaths = [\"db\"]\nrules = { drop-column = \"of\" }",
            "phasegate.toml:3:25: `of` is no level; did you mean `off`?",
        ),
        ("[[overrides]]\npaths = []\nrules = { drop-column = \"off\" }", "phasegate.toml:2:9: an override without a path"),
        ("postgres = 16", "phasegate.toml:1:12: invalid type: integer `16`, expected a string"),
        ("postgres = \"9.6\"", "phasegate.toml:1:12: no range of versions: write one major version or a range of two"),
        ("postgres = \"14..16\"", "PostgreSQL 14 is not among the versions that phasegate knows: 15..18"),
        ("postgres = \"18..15\"", "the range ends before it starts: 18..15"),
        ("layout = \"flywai\"", "phasegate.toml:1:10: unknown layout `flywai`; did you mean `flyway`?"),
        ("layout = \"zzz\"", "unknown layout `zzz`; `phasegate layouts` says what each is: `golang-migrate`"),
        ("include = [\"*.sql\", \"a[b\"]", "phasegate.toml:1:21: no pattern: unclosed character class"),
        ("exclude = [\"\"]", "phasegate.toml:1:12: no pattern: it matches nothing"),
        ("exclude = \"x\"", "phasegate.toml:1:11: invalid type: string \"x\", expected a sequence"),
        ("[releases]\ntags = \"v[\"", "phasegate.toml:2:8: no pattern"),
        ("[releases]\nthrough = \" \"", "phasegate.toml:2:11: an empty text; write a value, or leave the key out"),
        (
            "lock_timeout = \"runer\"",
            "phasegate.toml:1:16: `runer` is none of the words that this key takes; did you mean `runner`?",
        ),
        ("runner = \"bash\"", "phasegate.toml:1:10: `bash` is none of the words that this key takes; write one of `psql`"),
        ("search_path = []", "phasegate.toml:1:15: a search_path without a schema"),
        ("phase_tag_prefixes = [\"phase\", \"two words\"]", "phasegate.toml:1:32: a prefix of tags is one word"),
        ("phase_tag_prefixes = []", "phasegate.toml:1:22: a prefix of tags is one word"),
        ("driver_caches_plans = \"yes\"", "phasegate.toml:1:23: invalid type: string \"yes\", expected a boolean"),
        ("placeholders = { a = 1 }", "phasegate.toml:1:22: invalid type: integer `1`, expected a string"),
        ("[[histories]]\npaths = []", "phasegate.toml:2:9: a history without a path"),
        (
            "[[histories]]\npaths = [\"db\"]\n[[histories]]\npaths = [\"./db/\"]",
            "phasegate.toml:4:10: this path stands here already",
        ),
        (
            "[[histories]]\nname = \"a\"\npaths = [\"db\"]\n[[histories]]\nname = \"a\"\npaths = [\"d\"]",
            "phasegate.toml:5:8: another history has this name already",
        ),
        ("postgres = \"16\"\npostgres = \"17\"", "phasegate.toml:2:1: duplicate key"),
        ("postgres = \"16", "phasegate.toml:1:15: invalid basic string"),
        ("[rules", "phasegate.toml:1:7: "),
    ];
    let wrong: Vec<String> = mistakes
        .into_iter()
        .map(|(text, expected)| (text, expected, complaint(text)))
        .filter(|(_, expected, complaint)| !complaint.contains(expected) || !complaint.starts_with("error: phasegate.toml:"))
        .map(|(text, expected, complaint)| format!("{text:?}\n  expected {expected}\n  found    {complaint}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_mistakes_of_meaning_are_named_at_once() {
    let errors = complaint("postgres = \"1\"\nlayout = \"x\"\n[rules]\na = \"off\"\ndrop-column = \"x\"\n");
    let lines: Vec<&str> = errors.lines().map(|line| line.split(": ").nth(1).unwrap()).collect();
    assert_eq!(lines.len(), 4, "{errors}");
    for place in ["phasegate.toml:1:12", "phasegate.toml:2:10", "phasegate.toml:4:1", "phasegate.toml:5:15"] {
        assert!(lines.contains(&place), "{place}: {errors}");
    }
}

#[test]
fn a_file_that_is_no_text_or_not_there_exits_with_2() {
    let directory = tree(&[("db/0001_init.sql", INIT)]);
    fs::write(directory.path().join("phasegate.toml"), b"layout = \"\xff\"\n").unwrap();
    let bad = phasegate(directory.path(), &["check", "db"]);
    assert!(bad.code == 2 && bad.errors.contains("phasegate.toml:1:11: the file is not UTF-8 text"), "{}", bad.errors);
    let missing = phasegate(directory.path(), &["check", "db", "--config", "none.toml"]);
    assert!(missing.code == 2 && missing.errors.contains("none.toml: cannot be read"), "{}", missing.errors);
    let folder = phasegate(directory.path(), &["check", "db", "--config", "db"]);
    assert!(folder.code == 2 && folder.errors.contains("db: cannot be read"), "{}", folder.errors);
    let both = phasegate(directory.path(), &["check", "db", "--config", "x", "--no-config"]);
    assert!(both.code == 2 && both.errors.contains("--no-config"), "{}", both.errors);
}

#[test]
fn a_byte_order_mark_and_line_ends_of_windows_change_nothing() {
    let directory = tree(&[("phasegate.toml", "\u{feff}# x\r\n[rules]\r\ndrop-colum = \"off\"\r\n"), ("db/0001_init.sql", INIT)]);
    let outcome = phasegate(directory.path(), &["check", "db"]);
    assert!(outcome.errors.contains("phasegate.toml:3:1: there is no rule `drop-colum`"), "{}", outcome.errors);
}

#[test]
fn a_bad_configuration_takes_nothing_away_from_paths_that_have_another() {
    let directory = tree(&[
        ("a/phasegate.toml", "[rules]\nx = \"off\"\n"),
        ("a/0001_init.sql", INIT),
        ("b/0001_init.sql", INIT),
        ("b/0002_drop.sql", DROP),
    ]);
    let (code, report) = checked(directory.path(), &["a", "b"]);
    assert_eq!((code, loud(&report)), (2, vec!["b/0002_drop.sql:1 drop-column@error".to_string()]));
    assert_eq!(skipped(&report), ["a/phasegate.toml: 2:1: there is no rule `x`; `phasegate rules` lists them all"]);
}

#[test]
fn a_directory_that_the_configuration_names_and_nobody_made_is_named_with_its_line() {
    let directory = tree(&[("phasegate.toml", "[[histories]]\npaths = [\"db\", \"more\"]\n"), ("db/0001_init.sql", INIT)]);
    let outcome = phasegate(directory.path(), &["check"]);
    assert_eq!(outcome.code, 2);
    assert!(
        outcome.errors.contains("phasegate.toml:2:16: more is not there; paths are relative to the file"),
        "{}",
        outcome.errors
    );
}

#[test]
fn a_history_and_a_configuration_of_its_own_contradict_each_other() {
    let directory = tree(&[
        ("phasegate.toml", "[[histories]]\npaths = [\"a/db\"]\n"),
        ("a/phasegate.toml", ""),
        ("a/db/0001_init.sql", INIT),
    ]);
    let outcome = phasegate(directory.path(), &["check"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.errors.contains("phasegate.toml:2:10: this directory has a configuration of its own"), "{}", outcome.errors);
}

#[test]
fn a_configured_directory_with_several_histories_in_it_is_an_error() {
    let directory = tree(&[
        ("phasegate.toml", "[[histories]]\npaths = [\"db\"]\n"),
        ("db/a/0001_init.sql", INIT),
        ("db/b/0001_init.sql", INIT),
    ]);
    let outcome = phasegate(directory.path(), &["check"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.errors.contains("db: holds 2 histories, and phasegate.toml has it as one: db/a, db/b"), "{}", outcome.errors);
}

/// Standard error is a terminal, everything else is not.
#[cfg(unix)]
#[test]
fn on_a_terminal_a_mistake_is_shown_in_its_lines() {
    use std::io::Read;
    use std::os::fd::FromRawFd;
    let directory = tree(&[("phasegate.toml", "# ours\n[rules]\ndrop-colunm = \"off\"\n"), ("db/0001_init.sql", INIT)]);
    let (mut master, mut slave) = (0, 0);
    // SAFETY: both descriptors are written before they are read, and each gets one owner.
    let (mut master, slave) = unsafe {
        use std::ptr::null_mut;
        assert_eq!(libc::openpty(&mut master, &mut slave, null_mut(), null_mut(), null_mut()), 0);
        (fs::File::from_raw_fd(master), fs::File::from_raw_fd(slave))
    };
    let status = std::process::Command::new(assert_cmd::cargo::cargo_bin!("phasegate"))
        .args(["check", "db", "--color", "never"])
        .env("COLUMNS", "80")
        .env_remove("TERM")
        .current_dir(directory.path())
        .stdout(std::process::Stdio::null())
        .stderr(slave)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(2));
    let mut buffer = [0; 4096];
    let length = master.read(&mut buffer).unwrap();
    let shown = String::from_utf8_lossy(&buffer[..length]).replace("\r\n", "\n");
    for line in [
        "× there is no rule `drop-colunm`",
        "[phasegate.toml:3:1]",
        "3 │ drop-colunm = \"off\"",
        "help: did you mean `drop-column`?",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
}
