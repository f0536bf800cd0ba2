//! Rules about files, their names and their order: what no example of a document can show. Directories in, findings out.

use phasegate::check::{self, Request};
use phasegate::config::{self, FileChoice, Flags, Wanted};
use std::fs;
use std::path::Path;

fn write(directory: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let file = directory.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
}

/// `rule path`, for findings of these rules that nothing silenced. Paths are below the directory.
fn found(directory: &Path, path: &str, rules: &[&str]) -> Vec<String> {
    let plan = config::plan(&Wanted { paths: vec![directory.join(path)], file: FileChoice::Nearest, flags: Flags::default() });
    assert!(plan.errors.is_empty(), "{:?}", plan.errors);
    let histories = plan.histories.into_iter().map(|planned| planned.request).collect();
    let checked = check::run(&Request { histories, ..Request::default() });
    assert_eq!(checked.unusable, []);
    let is_it = |f: &&phasegate::finding::Finding| rules.contains(&f.rule) && f.suppressed.is_none();
    let below = |path: &str| path.strip_prefix(directory.to_str().unwrap()).unwrap_or(path).trim_start_matches('/').to_owned();
    checked.findings.iter().filter(is_it).map(|f| format!("{} {}", f.rule, below(&f.path))).collect()
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS t (id bigint);\n";

/// The unsafe names among these, as Rust writes them.
fn unsafe_names(names: &[&str]) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    names.iter().for_each(|name| write(directory.path(), &[(name, TABLE)]));
    found(directory.path(), "", &["unsafe-filename"]).iter().map(|f| f["unsafe-filename ".len()..].to_owned()).collect()
}

#[test]
fn names_that_shells_and_systems_read_otherwise_are_unsafe() {
    for name in [
        "0002_a\nb.sql",
        "0002_a\tb.sql",
        "0002_a\u{202e}b.sql",
        "0002_a\u{200b}b.sql",
        "0002_a\\b.sql",
        "0002_a'b.sql",
        "0002_a\"b.sql",
        "0002_a$b.sql",
        "0002_a`b.sql",
        "0002_a;b.sql",
        "0002_a|b.sql",
        "0002_a&b.sql",
        "0002_a<b.sql",
        "0002_a>b.sql",
        "0002_a*b.sql",
        "0002_a?b.sql",
        "0002_a .sql",
    ] {
        assert_eq!(unsafe_names(&["0001_init.sql", name]), [name]);
    }
}

#[test]
fn blanks_inside_and_letters_of_any_language_are_safe() {
    for name in
        ["0002_a b.sql", "0002_légère.sql", "0002_æøå.sql", "0002_表.sql", "0002_(a) [b] {c} #1 50% a+b=c,d!~^@.sql", "0002-.sql"]
    {
        assert_eq!(unsafe_names(&["0001_init.sql", name]), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn directories_that_carry_the_name_are_judged_and_those_above_the_history_are_not() {
    let directory = tempfile::tempdir().unwrap();
    write(
        directory.path(),
        &[("what's this/1_a/up.sql", TABLE), ("what's this/2_b & c/up.sql", TABLE), ("what's this/3_d/Up.sql", TABLE)],
    );
    assert_eq!(
        found(directory.path(), "what's this", &["unsafe-filename"]),
        ["unsafe-filename what's this/2_b & c/up.sql", "unsafe-filename what's this/3_d/Up.sql"]
    );
}

#[test]
fn a_header_may_allow_what_is_said_about_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let allow = format!("-- phasegate: allow-file unsafe-filename -- released under this name\n{TABLE}");
    write(
        directory.path(),
        &[("0001_a.up.sql", TABLE), ("0002_it's.up.sql", &allow), ("0003-c.up.sql", &allow), ("0004-d.up.sql", TABLE)],
    );
    let rules = ["unsafe-filename", "unused-allow", "allow-without-reason"];
    assert_eq!(found(directory.path(), "", &rules), ["unsafe-filename 0004-d.up.sql"]);
}

#[test]
fn what_is_released_keeps_its_name_and_its_version() {
    let directory = tempfile::tempdir().unwrap();
    let files = [
        "0001_a.up.sql",
        "0002_b.up.sql",
        "0002_it's.up.sql",
        "0002-c.up.sql",
        "0003_d.up.sql",
        "0003_e.up.sql",
        "0004-f.up.sql",
    ];
    files.iter().for_each(|name| write(directory.path(), &[(name, TABLE)]));
    let rules = ["unsafe-filename", "duplicate-version"];
    assert_eq!(
        found(directory.path(), "", &rules),
        [
            "unsafe-filename 0002-c.up.sql",
            "duplicate-version 0002_it's.up.sql",
            "unsafe-filename 0002_it's.up.sql",
            "duplicate-version 0003_e.up.sql",
            "unsafe-filename 0004-f.up.sql"
        ]
    );
    write(directory.path(), &[("phasegate.toml", "[releases]\nthrough = \"0003\"\n")]);
    assert_eq!(found(directory.path(), "", &rules), ["unsafe-filename 0004-f.up.sql"]);
}

#[test]
fn a_single_file_is_told_about_itself_only() {
    let directory = tempfile::tempdir().unwrap();
    write(
        directory.path(),
        &[("0001_a.up.sql", TABLE), ("0001_b.up.sql", TABLE), ("0002-c.up.sql", TABLE), ("0003_d.up.sql", TABLE)],
    );
    let rules = ["unsafe-filename", "duplicate-version"];
    assert_eq!(found(directory.path(), "0003_d.up.sql", &rules), Vec::<String>::new());
    assert_eq!(found(directory.path(), "0001_b.up.sql", &rules), ["duplicate-version 0001_b.up.sql"]);
}

#[test]
fn numbers_of_a_rarer_kind_are_the_odd_ones() {
    let odd = |names: &[&str]| unsafe_names(names);
    let moments = ["20240101100000_a.sql", "20240201100000_b.sql", "20240301100000_c.sql"];
    let with = |name: &'static str| [&moments[..], &[name]].concat();
    assert_eq!(odd(&with("20240215100000123_d.sql")), ["20240215100000123_d.sql"], "it runs after all of them");
    assert_eq!(odd(&with("20240415_d.sql")), ["20240415_d.sql"], "it runs before all of them");
    assert_eq!(odd(&with("1709290000_d.sql")), ["1709290000_d.sql"]);
    assert_eq!(odd(&with("20240101_d.sql")), Vec::<String>::new(), "the order is right");
    assert_eq!(odd(&with("0001_d.sql")), Vec::<String>::new(), "what was there before the first timestamp");
    assert_eq!(odd(&["1_a.sql", "9_b.sql", "10_c.sql", "011_d.sql"]), Vec::<String>::new(), "numbers order as numbers");
}

#[test]
fn down_files_are_found_in_scripts_with_their_lines() {
    let directory = tempfile::tempdir().unwrap();
    let script = "#!/bin/sh\n\nmigrate up\npsql -f \"$DIR/0001_a.down.sql\" -f 'db/0001_a.up.sql'\n# see 0001_a.down.sql.\ncat *.down.sql | psql\n";
    write(
        directory.path(),
        &[
            ("db/0001_a.up.sql", TABLE),
            ("db/0001_a.down.sql", "DROP TABLE t;\n"),
            ("deploy/release.sh", script),
            ("deploy/.hidden/x.sh", script),
            ("deploy/binary", "\u{0}\u{1}0001_a.down.sqlite"),
            ("other.sh", script),
            (
                "phasegate.toml",
                "[rules]\ndown-file-used = { level = \"error\", paths = [\"deploy\", \"deploy/release.sh\", \"db\"] }\n",
            ),
        ],
    );
    let plan =
        config::plan(&Wanted { paths: vec![directory.path().join("db")], file: FileChoice::Nearest, flags: Flags::default() });
    let histories = plan.histories.into_iter().map(|planned| planned.request).collect();
    let checked = check::run(&Request { histories, ..Request::default() });
    let report = phasegate::report::Report::new(&checked, phasegate::versions::PostgresVersions::default());
    let places: Vec<(&str, usize, usize)> = report
        .findings
        .iter()
        .filter(|f| f.rule == "down-file-used")
        .map(|f| (f.path.given().rsplit('/').next().unwrap(), f.line, f.column))
        .collect();
    assert_eq!(places, [("release.sh", 4, 10), ("release.sh", 5, 7), ("release.sh", 6, 5)]);
}

#[test]
fn a_rule_that_was_pointed_at_nothing_says_so() {
    for (text, said) in [
        ("[rules]\ndown-file-used = \"error\"\n", "reads nothing without `paths`"),
        ("[rules]\ndown-file-used = { level = \"error\", paths = \"deploy\" }\n", "is a list of paths"),
        ("[rules]\ndown-file-used = { level = \"error\", path = [\"deploy\"] }\n", "has no option `path`"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), &[("0001_a.sql", TABLE), ("phasegate.toml", text)]);
        let plan = config::plan(&Wanted {
            paths: vec![directory.path().to_path_buf()],
            file: FileChoice::Nearest,
            flags: Flags::default(),
        });
        let errors: Vec<String> = plan.errors.iter().map(ToString::to_string).collect();
        assert!(errors.len() == 1 && errors[0].contains(said), "{text}: {errors:?}");
    }
    let directory = tempfile::tempdir().unwrap();
    let text = "[rules]\ndown-file-used = { level = \"error\", paths = [\"missing\"] }\n";
    write(directory.path(), &[("0001_a.sql", TABLE), ("phasegate.toml", text)]);
    let plan =
        config::plan(&Wanted { paths: vec![directory.path().to_path_buf()], file: FileChoice::Nearest, flags: Flags::default() });
    let histories = plan.histories.into_iter().map(|planned| planned.request).collect();
    let checked = check::run(&Request { histories, ..Request::default() });
    assert!(checked.unusable.iter().any(|one| one.path.ends_with("missing")), "{:?}", checked.unusable);
}

#[test]
fn an_allow_of_a_rule_that_is_off_is_not_called_unused() {
    let directory = tempfile::tempdir().unwrap();
    let text = format!("-- phasegate: allow-file version-gap -- reserved\n{TABLE}");
    write(directory.path(), &[("0001_a.sql", TABLE), ("0002_b.sql", TABLE), ("0003_b.sql", TABLE), ("0005_c.sql", &text)]);
    assert_eq!(found(directory.path(), "", &["unused-allow", "version-gap"]), Vec::<String>::new());
    write(directory.path(), &[("phasegate.toml", "[rules]\nversion-gap = \"error\"\n")]);
    assert_eq!(found(directory.path(), "", &["unused-allow", "version-gap"]), Vec::<String>::new());
    write(directory.path(), &[("0004_b.sql", TABLE)]);
    assert_eq!(found(directory.path(), "", &["unused-allow", "version-gap"]), ["unused-allow 0005_c.sql"]);
}
