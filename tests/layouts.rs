//! Every layout on a fixture with traps, and paths of every kind, through the front door of `source`.
//!
//! `fixtures/layouts/<layout>.expected` is what is read from `fixtures/layouts/<layout>/`. After a change that is meant, run with
//! `PHASEGATE_BLESS=1` and read the difference.

use phasegate::source::{History, Loaded, Migration, Phase, Request, SourceError, UnitKind, Wrapping, layouts, load};
use std::fmt::Write;
use std::path::Path;

fn listing(loaded: &Loaded) -> String {
    let mut text = String::new();
    for history in &loaded.histories {
        let whole = if history.whole { "whole" } else { "not known to be whole" };
        let _ = writeln!(text, "{}: {}, {whole}\n  {}", history.path, history.layout, history.recognised_by);
        for unit in &history.migrations {
            let _ = writeln!(text, "{}", line(unit));
        }
        for skipped in &history.skipped {
            let _ = writeln!(text, "skipped  {}: {}", skipped.path, skipped.why);
        }
        for finding in &history.findings {
            let (start, end) = (finding.span.start, finding.span.end);
            let _ = writeln!(text, "finding  {} {}..{end} {}: {}", finding.path, start, finding.rule, finding.message);
        }
    }
    for error in &loaded.errors {
        let _ = writeln!(text, "error  {error}");
    }
    text
}

fn line(unit: &Migration) -> String {
    let mut line = format!("unit  {:?} {:?} {:?} {:?}", unit.id, unit.file.path, unit.wrapping, unit.phase);
    if unit.kind != UnitKind::Sql {
        let _ = write!(line, " {:?}", unit.kind);
    }
    if !unit.reported {
        line.push_str(" modelled only");
    }
    for part in &unit.parts {
        let text: String = String::from_utf8_lossy(&unit.file.bytes[part.start..part.end]).chars().take(24).collect();
        let _ = write!(line, " {}..{} {text:?}", part.start, part.end);
    }
    line
}

fn of_paths(paths: &[&str]) -> Loaded {
    load(&Request::of_paths(paths.iter().copied()))
}

fn only(loaded: Loaded) -> History {
    assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
    let [history] = <[History; 1]>::try_from(loaded.histories).expect("one history");
    history
}

fn ids(history: &History) -> Vec<&str> {
    history.migrations.iter().map(|m| m.id.as_str()).collect()
}

fn said(loaded: &Loaded) -> Vec<String> {
    loaded.errors.iter().map(|e| format!("{e} / {}", miette::Diagnostic::help(e).expect("every error says what to do"))).collect()
}

#[test]
fn every_layout_reads_its_fixture_as_expected() {
    let mut differences = Vec::new();
    for layout in layouts::all() {
        let name = layout.name().replace('-', "_");
        let loaded = of_paths(&[&format!("fixtures/layouts/{name}")]);
        assert!(
            loaded.histories.iter().all(|h| h.layout == layout.name()),
            "fixtures/layouts/{name} is not recognised as {}",
            layout.name()
        );
        let found = listing(&loaded);
        let expected = format!("fixtures/layouts/{name}.expected");
        if std::env::var_os("PHASEGATE_BLESS").is_some() {
            std::fs::write(&expected, &found).expect("the expected file can be written");
        }
        if std::fs::read_to_string(&expected).unwrap_or_default() != found {
            differences.push(format!("{expected} says otherwise; found:\n{found}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn every_sql_file_of_a_fixture_is_a_step_or_skipped() {
    for layout in layouts::all() {
        let root = format!("fixtures/layouts/{}", layout.name().replace('-', "_"));
        let history = only(of_paths(&[&root]));
        let mut accounted: Vec<&str> = history.migrations.iter().map(|m| m.file.path.as_str()).collect();
        accounted.extend(history.skipped.iter().map(|s| s.path.as_str()));
        let mut files = Vec::new();
        sql_files(Path::new(&root), &mut files);
        assert!(files.len() >= 3);
        for file in files {
            assert!(accounted.contains(&file.as_str()), "{file} is neither a step nor skipped");
        }
    }
}

fn sql_files(directory: &Path, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sql_files(&path, files);
        } else if path.to_string_lossy().ends_with(".sql") {
            files.push(path.to_string_lossy().replace('\\', "/"));
        }
    }
}

#[test]
fn parts_are_byte_ranges_of_the_file_on_disk_in_order_and_apart() {
    for layout in layouts::all() {
        let history = only(of_paths(&[&format!("fixtures/layouts/{}", layout.name().replace('-', "_"))]));
        for unit in &history.migrations {
            let on_disk = std::fs::read(&unit.file.path).expect("the path leads to the file");
            assert_eq!(on_disk, unit.file.bytes);
            let mut at = if on_disk.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
            for part in &unit.parts {
                assert!(at <= part.start && part.start <= part.end && part.end <= on_disk.len(), "{} {part:?}", unit.file.path);
                at = part.end;
            }
        }
    }
}

#[test]
fn a_single_file_is_reported_and_its_siblings_are_modelled() {
    let history = only(of_paths(&["fixtures/layouts/golang_migrate/10_ten.up.sql"]));
    assert_eq!(history.layout, "golang-migrate");
    assert!(history.migrations.len() > 10 && history.whole);
    let reported: Vec<&str> = history.migrations.iter().filter(|m| m.reported).map(|m| m.file.path.as_str()).collect();
    assert_eq!(reported, ["fixtures/layouts/golang_migrate/10_ten.up.sql"]);
    assert!(history.findings.is_empty() && history.skipped.is_empty(), "what siblings say is not reported");
}

#[test]
fn a_file_or_directory_of_one_step_finds_the_history_around_it() {
    for path in ["fixtures/layouts/diesel/10_ten/up.sql", "fixtures/layouts/diesel/10_ten"] {
        let history = only(of_paths(&[path]));
        assert_eq!((history.layout.as_str(), history.path.as_str()), ("diesel", "fixtures/layouts/diesel"));
        let reported: Vec<&str> = history.migrations.iter().filter(|m| m.reported).map(|m| m.file.path.as_str()).collect();
        assert_eq!(reported, ["fixtures/layouts/diesel/10_ten/up.sql"]);
    }
    let below = only(of_paths(&["fixtures/layouts/flyway/later/V8__below.sql"]));
    assert_eq!(below.path, "fixtures/layouts/flyway");
    assert!(ids(&below).contains(&"V1_9"));
}

#[test]
fn a_file_of_one_version_finds_the_directory_of_versions() {
    let history = only(of_paths(&["fixtures/layouts/version_directories/3.10/0010##after_two.sql"]));
    assert_eq!((history.layout.as_str(), history.path.as_str()), ("version-directories", "fixtures/layouts/version_directories"));
    let reported: Vec<&str> = history.migrations.iter().filter(|m| m.reported).map(|m| m.id.as_str()).collect();
    assert_eq!(reported, ["3.10/0010"]);
}

#[test]
fn a_down_file_given_by_name_is_skipped_with_why() {
    let history = only(of_paths(&["fixtures/layouts/golang_migrate/10_ten.down.sql"]));
    assert!(history.migrations.iter().all(|m| !m.reported));
    assert_eq!(history.skipped.iter().map(|s| s.why.as_str()).collect::<Vec<_>>(), ["down part"]);
}

#[test]
fn a_file_with_no_history_around_it_is_one_unit() {
    let history = only(of_paths(&["fixtures/layouts/golang_migrate/stray.sql"]));
    assert_eq!((history.layout.as_str(), ids(&history).as_slice(), history.whole), ("plain", ["stray"].as_slice(), false));
    assert_eq!(history.migrations[0].file.path, "fixtures/layouts/golang_migrate/stray.sql");
}

#[test]
fn standard_input_is_one_unit_or_as_many_as_its_marks_say() {
    let read = |text: &str| {
        let request = Request { standard_input: Some(text.into()), ..Request::of_paths(["-"]) };
        only(load(&request))
    };
    let plain = read("-- phase contract\nDROP TABLE a;");
    assert_eq!((plain.layout.as_str(), ids(&plain).as_slice(), plain.whole), ("plain", ["-"].as_slice(), false));
    assert_eq!((plain.migrations[0].phase, plain.migrations[0].wrapping), (Phase::Contract, Wrapping::Wrapped));
    assert_eq!(plain.migrations[0].file.path, "-");
    let goose = read("-- +goose Up\nSELECT 1;\n-- +goose Down\nDROP TABLE a;\n");
    assert_eq!((goose.layout.as_str(), goose.migrations[0].parts.len()), ("goose", 1));
    let script = std::fs::read_to_string("fixtures/layouts/ef_core/2_older_form.sql").expect("the fixture");
    assert_eq!(ids(&read(&script)), ["20240131120000_Initial", "20240401120000_Later"]);
    let batch = Request { standard_input: Some("SELECT 1;".into()), layout: Some("prisma".into()), ..Request::of_paths(["-"]) };
    assert_eq!(only(load(&batch)).migrations[0].wrapping, Wrapping::Batch);
}

#[test]
fn other_prefixes_of_phase_tags_are_configured() {
    let mut request =
        Request { standard_input: Some("-- caracal:phase contract\nDROP TABLE a;".into()), ..Request::of_paths(["-"]) };
    assert_eq!(only(load(&request)).migrations[0].phase, Phase::Untagged);
    request.phase_tag_prefixes.push("caracal:phase".to_string());
    assert_eq!(only(load(&request)).migrations[0].phase, Phase::Contract);
}

/// A directory of files, each given by its path and text.
fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a temporary directory");
    for (path, text) in files {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    }
    root
}

fn load_tree(root: &tempfile::TempDir) -> Loaded {
    of_paths(&[&root.path().to_string_lossy()])
}

#[test]
fn one_history_below_a_path_is_found_and_said() {
    let root =
        tree(&[("schema.sql", ""), ("migrations/1_a.up.sql", ""), ("node_modules/x/1_b.up.sql", ""), (".hidden/1_c.up.sql", "")]);
    let history = only(load_tree(&root));
    assert_eq!(history.path, format!("{}/migrations", root.path().display()));
    assert!(history.recognised_by.contains("found below"), "{}", history.recognised_by);
    assert_eq!(history.skipped.len(), 1, "{:?}", history.skipped);
    assert_eq!(history.skipped[0].why, "in no directory of migrations");
}

#[test]
fn several_histories_below_a_path_are_each_one() {
    let root =
        tree(&[("a/migrations/V1__x.sql", ""), ("b/migrations/V1__x.sql", ""), ("c/prisma/migrations/1/migration.sql", "")]);
    let loaded = load_tree(&root);
    assert_eq!(loaded.histories.iter().map(|h| h.layout.as_str()).collect::<Vec<_>>(), ["flyway", "flyway", "prisma"]);
}

#[test]
fn of_directories_by_database_the_one_for_postgresql_is_taken() {
    let root = tree(&[("postgres/1_a.up.sql", ""), ("mysql/1_a.up.sql", ""), ("migration_sqlite/1_a.up.sql", "")]);
    let history = only(load_tree(&root));
    assert!(history.path.ends_with("/postgres"));
    let why: Vec<&str> = history.skipped.iter().map(|s| s.why.as_str()).collect();
    assert_eq!(why, ["in a directory for SQLite", "in a directory for MySQL"]);
    let mysql = root.path().join("mysql");
    assert_eq!(only(of_paths(&[&mysql.to_string_lossy()])).migrations.len(), 1, "a PATH that is asked for is read");
}

#[test]
fn numbered_queries_beside_a_recognised_history_are_skipped() {
    let root = tree(&[("queries/001_users.sql", ""), ("schema/V1__a.sql", ""), ("old-migrations/001_a.sql", "")]);
    let loaded = load_tree(&root);
    assert_eq!(loaded.histories.iter().map(|h| h.layout.as_str()).collect::<Vec<_>>(), ["plain", "flyway"]);
    assert!(loaded.histories[0].path.ends_with("old-migrations"));
}

#[test]
fn locations_of_one_flyway_history_are_joined_and_services_are_not() {
    let joined = tree(&[("init/V1__a.sql", ""), ("later/V2__b.sql", ""), ("h2/V3__c.sql", "")]);
    assert_eq!(ids(&only(load_tree(&joined))), ["V1", "V2"]);
    let apart = tree(&[("one/V1__a.sql", ""), ("two/V01__b.sql", "")]);
    assert_eq!(load_tree(&apart).histories.len(), 2);
}

#[test]
fn java_steps_elsewhere_are_named_and_the_history_is_not_whole() {
    let root = tree(&[
        ("resources/V1__a.sql", ""),
        ("java/V2__B.java", ""),
        ("java/V3_NoDescription.java", ""),
        ("test/V2__BTest.java", ""),
    ]);
    let history = only(load_tree(&root));
    assert!(!history.whole);
    assert_eq!(history.skipped.iter().filter(|s| s.why.contains("another language")).count(), 2);
    let alone = root.path().join("resources").to_string_lossy().into_owned();
    assert!(only(of_paths(&[&alone])).whole);
}

#[test]
fn sqlx_is_known_by_its_marks_and_its_names_alone_are_not() {
    let names = [("1_a.sql", "CREATE TABLE a ();"), ("2_b.sql", "")];
    assert_eq!(only(load_tree(&tree(&names))).layout, "plain");
    let manifest = "[package]\nname = \"x\"\n[dependencies]\nsqlx = { version = \"0.8\" }\n";
    let root = tree(&[("Cargo.toml", manifest), ("migrations/1_a.sql", ""), ("migrations/2_b.up.sql", "")]);
    assert_eq!(only(load_tree(&root)).layout, "sqlx");
    let renamed = manifest.replace("dependencies", "workspace.dependencies");
    let root = tree(&[(".git/HEAD", ""), ("Cargo.toml", &renamed), ("a/b/migrations/1_a.up.sql", "")]);
    assert_eq!(only(load_tree(&root)).layout, "sqlx");
    let root = tree(&[(".sqlx/query.json", ""), ("migrations/1_a.sql", "")]);
    assert_eq!(only(load_tree(&root)).layout, "sqlx");
    let other = manifest.replace("sqlx", "sqlx-like");
    assert_eq!(only(load_tree(&tree(&[("Cargo.toml", &other), ("migrations/1_a.up.sql", "")]))).layout, "golang-migrate");
    assert_eq!(only(load_tree(&tree(&[("1_a.up.sql", ""), ("2_b.up.sql", "-- no-transaction\n")]))).layout, "sqlx");
}

#[test]
fn commands_of_psql_in_half_of_the_files_are_its_mark_and_in_one_of_many_are_not() {
    let script = ("1_a.sql", "\\set ON_ERROR_STOP 1\nSELECT 1;");
    let root = tree(&[script, ("2_b.sql", "SELECT 1;")]);
    let history = only(load_tree(&root));
    assert!(history.layout == "psql-scripts" && history.is_run_by_psql());
    let root = tree(&[script, ("2_b.sql", "SELECT 1;"), ("3_c.sql", "SELECT 1;")]);
    assert_eq!(only(load_tree(&root)).layout, "plain");
    let root = tree(&[("1_a.up.sql", "\\set ON_ERROR_STOP 1"), ("1_a.down.sql", ""), ("2_b.up.sql", "\\i x")]);
    let history = only(load_tree(&root));
    assert_eq!((history.layout.as_str(), history.skipped.len()), ("psql-scripts", 1));
}

#[test]
fn directories_of_versions_that_hold_histories_of_another_layout_are_each_one() {
    let goose = "-- +goose Up\nSELECT 1;";
    let root = tree(&[("v1/1_a.sql", goose), ("v2/1_a.sql", goose)]);
    let layouts: Vec<String> = load_tree(&root).histories.into_iter().map(|h| h.layout).collect();
    assert_eq!(layouts, ["goose", "goose"]);
}

#[test]
fn an_annotation_left_over_in_one_of_very_many_files_is_no_mark() {
    let names: Vec<String> = (1..30).map(|n| format!("{n}_a.autocommit.up.sql")).collect();
    let mut files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "SELECT 1;")).collect();
    files[7].1 = "-- +migrate Up\nSELECT 1;\n-- +migrate Down\nSELECT 2;";
    assert_eq!(only(load_tree(&tree(&files))).layout, "pop");
    assert!(matches!(load_tree(&tree(&files[5..10])).errors.as_slice(), [SourceError::Ambiguous { .. }]));
}

#[test]
fn a_sqitch_plan_of_another_name_or_with_scripts_elsewhere_belongs_to_its_configuration() {
    let plan = "%project=x\n\nfirst 2024-01-01T00:00:00Z A <a@b>\n";
    let usual = tree(&[("sqitch.conf", "[core]\ntop_dir = db\n"), ("db/sqitch.plan", plan), ("db/deploy/first.sql", "")]);
    let history = only(load_tree(&usual));
    assert!(history.path.ends_with("/db") && ids(&history) == ["first"], "{}", history.path);
    let conf = "[core]\nengine = pg\nplan_file = pg.plan\n[engine \"pg\"]\ndeploy_dir = up\n";
    let other = tree(&[("sqitch.conf", conf), ("pg.plan", plan), ("up/first.sql", ""), ("revert/first.sql", "")]);
    let history = only(load_tree(&other));
    assert_eq!((history.layout.as_str(), ids(&history).as_slice()), ("sqitch", ["first"].as_slice()));
    assert!(history.migrations[0].down.is_some() && history.is_run_by_psql());
    let mysql = tree(&[("sqitch.conf", "[core]\nengine = mysql\n"), ("sqitch.plan", plan), ("deploy/first.sql", "")]);
    assert!(matches!(load_tree(&mysql).errors.as_slice(), [SourceError::NoMigration { .. }]));
}

#[test]
fn hasura_is_known_by_milliseconds_or_its_configuration_and_diesel_by_neither() {
    let root = tree(&[("1676582194859_a/up.sql", ""), ("1676582194860_b/up.sql", "")]);
    assert_eq!(only(load_tree(&root)).layout, "hasura");
    let files =
        [("db/9_a/up.sql", "SELECT 1;"), ("db/10_b/up.sql", "SELECT 2;"), ("config.yaml", "version: 3\nmetadata_directory: m\n")];
    let history = only(load_tree(&tree(&files)));
    assert_eq!((history.layout.as_str(), ids(&history).as_slice()), ("hasura", ["9_a", "10_b"].as_slice()));
    let history = only(load_tree(&tree(&files[..2])));
    assert_eq!((history.layout.as_str(), ids(&history).as_slice()), ("diesel", ["10_b", "9_a"].as_slice()));
}

#[test]
fn pop_is_known_by_a_go_module_and_its_names_alone_are_golang_migrates() {
    let file = ("migrations/1_a.up.sql", "");
    let module = "module x\n\nrequire (\n\tgithub.com/gobuffalo/pop/v6 v6.1.1\n)\n";
    assert_eq!(only(load_tree(&tree(&[("go.mod", module), file]))).layout, "pop");
    let both = module.replace(")", "\tgithub.com/golang-migrate/migrate/v4 v4.1.0\n)");
    assert_eq!(only(load_tree(&tree(&[("go.mod", &both), file]))).layout, "golang-migrate");
    let root = tree(&[("1_a.up.sql", ""), ("1_a.postgres.up.sql", ""), ("1_a.down.sql", "")]);
    let history = only(load_tree(&root));
    assert_eq!((history.layout.as_str(), history.migrations.len()), ("pop", 1));
}

#[test]
fn streams_of_alembic_and_django_are_known_on_standard_input() {
    let read = |text: &str| {
        let request = Request { standard_input: Some(text.into()), ..Request::of_paths(["-"]) };
        only(load(&request))
    };
    let alembic = read("BEGIN;\n\n-- Running upgrade  -> a1\n\nSELECT 1;\n\nCOMMIT;\n");
    assert_eq!((alembic.layout.as_str(), ids(&alembic).as_slice()), ("alembic-sql", ["a1"].as_slice()));
    let django = read("BEGIN;\n--\n-- Add field a to b\n--\nSELECT 1;\nCOMMIT;\n");
    assert_eq!((django.layout.as_str(), ids(&django).as_slice()), ("django-sqlmigrate", ["-"].as_slice()));
    let scripts = read("\\set ON_ERROR_STOP 1\nSELECT 1;");
    assert!(scripts.layout == "psql-scripts" && !scripts.whole);
    assert_eq!(read("-- Running downgrade b -> a\nSELECT 1;").layout, "plain");
}

#[test]
fn mixed_layouts_are_an_error_that_names_both_and_the_flag() {
    let root = tree(&[("1_a.up.sql", "SELECT 1;"), ("V2__b.sql", "")]);
    let loaded = load_tree(&root);
    assert!(loaded.histories.is_empty());
    let said = said(&loaded).join("\n");
    for part in [&*root.path().to_string_lossy(), "golang-migrate (1 of 2", "flyway (1 of 2", "--layout golang-migrate"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let path = root.path().to_string_lossy().into_owned();
    let forced = only(load(&Request { layout: Some("flyway".into()), ..Request::of_paths([path]) }));
    assert_eq!(ids(&forced), ["V2"]);
    assert_eq!(forced.skipped.len(), 1);
}

#[test]
fn a_single_file_among_mixed_layouts_is_the_same_error() {
    let root = tree(&[("1_a.up.sql", "SELECT 1;"), ("V2__b.sql", "")]);
    let file = root.path().join("V2__b.sql").to_string_lossy().into_owned();
    assert!(matches!(of_paths(&[&file]).errors.as_slice(), [SourceError::Ambiguous { .. }]));
}

#[test]
fn hidden_files_are_never_opened() {
    let root = tree(&[("1_a.sql", "SELECT 1;"), (".#2_b.sql", "-- an editor's lock\n")]);
    let history = only(load_tree(&root));
    assert_eq!((ids(&history).as_slice(), history.skipped[0].why.as_str()), (["1"].as_slice(), "a hidden file"));
}

#[test]
fn a_stray_numbered_file_is_skipped_and_a_majority_of_them_is_an_error() {
    let stray = tree(&[("1_a.up.sql", ""), ("1_a.down.sql", ""), ("2_b.sql", "")]);
    assert_eq!(only(load_tree(&stray)).skipped.len(), 2);
    let many = tree(&[("1_a.up.sql", ""), ("2_b.sql", ""), ("3_c.sql", ""), ("4_d.sql", "")]);
    assert!(matches!(load_tree(&many).errors.as_slice(), [SourceError::Ambiguous { .. }]));
}

#[test]
fn what_cannot_be_used_is_named_and_the_rest_is_read() {
    let root = tree(&[("good/1_a.up.sql", ""), ("notes/README.md", ""), ("odd/notes.sql", "")]);
    std::fs::create_dir(root.path().join("empty")).expect("a directory");
    let at = |name: &str| root.path().join(name).to_string_lossy().into_owned();
    let loaded = load(&Request::of_paths([at("missing"), at("empty"), at("good"), at("odd"), "-".to_string()]));
    assert_eq!(loaded.histories.len(), 1);
    let said = said(&loaded);
    assert_eq!(said.len(), 4, "{said:#?}");
    for (message, (path, what)) in said.iter().zip([
        ("missing", "no such file or directory"),
        ("empty", "there is no .sql file in it"),
        ("odd", "notes.sql is named like no layout's migrations"),
        ("-", "nothing was read"),
    ]) {
        assert!(message.contains(path) && message.contains(what), "{message}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_is_an_error_and_a_unit_nobody_knows() {
    let root = tree(&[("1_a.up.sql", "SELECT 1;"), ("3_c.up.sql", "")]);
    // A link into nothing fails for root as well, unlike a file without permissions.
    std::os::unix::fs::symlink("nowhere", root.path().join("2_b.up.sql")).expect("a link");
    let loaded = load_tree(&root);
    let said = said(&loaded);
    assert!(said.len() == 1 && said[0].contains("2_b.up.sql: cannot be read"), "{said:?}");
    let kinds: Vec<UnitKind> = loaded.histories[0].migrations.iter().map(|m| m.kind).collect();
    assert_eq!(kinds, [UnitKind::Sql, UnitKind::Unreadable, UnitKind::Sql]);
    assert!(loaded.histories[0].findings.is_empty(), "it has no bytes that could be wrong");
}

#[cfg(unix)]
#[test]
fn links_to_files_are_followed_and_links_to_directories_are_not() {
    let root = tree(&[("migrations/1_a.up.sql", ""), ("shared/b.sql", "DROP TABLE b;")]);
    let migrations = root.path().join("migrations");
    std::os::unix::fs::symlink("../shared/b.sql", migrations.join("2_b.up.sql")).expect("a link");
    std::os::unix::fs::symlink("..", migrations.join("loop")).expect("a link");
    let path = migrations.to_string_lossy().into_owned();
    let history = only(of_paths(&[&path]));
    assert_eq!(history.migrations[1].file.bytes, b"DROP TABLE b;");
    assert_eq!(history.skipped.len(), 1);
    let linked = only(of_paths(&[&format!("{path}/2_b.up.sql")]));
    assert_eq!(ids(&linked), ["1", "2"], "the siblings of a link are beside the link");
}

#[test]
fn an_unknown_layout_is_an_error_with_a_suggestion() {
    let loaded = load(&Request { layout: Some("dieesel".into()), ..Request::of_paths(["fixtures/layouts/diesel"]) });
    assert!(loaded.histories.is_empty());
    let said = said(&loaded).join("");
    assert!(said.contains("did you mean `diesel`?") && said.contains("golang-migrate, sqlx"), "{said}");
}

#[test]
fn a_layout_that_runs_nothing_there_is_an_error() {
    let request = Request { layout: Some("flyway".into()), ..Request::of_paths(["fixtures/layouts/diesel"]) };
    assert!(matches!(load(&request).errors.as_slice(), [SourceError::NoMigration { .. }]));
}

#[test]
fn a_prisma_history_for_another_database_is_none_of_ours() {
    let root = tree(&[("migration_lock.toml", "provider = \"mysql\"\n"), ("1_a/migration.sql", "")]);
    assert!(matches!(load_tree(&root).errors.as_slice(), [SourceError::NoMigration { .. }]));
}

#[test]
fn fingerprint_paths_start_at_the_repository_root_and_report_paths_at_the_path_given() {
    let root = tree(&[(".git/HEAD", ""), ("db/migrations/1_a.up.sql", "")]);
    let history = only(of_paths(&[&format!("{}/./db//migrations/", root.path().display())]));
    assert_eq!(history.path, format!("{}/db/migrations", root.path().display()));
    assert_eq!(history.migrations[0].file.path, format!("{}/db/migrations/1_a.up.sql", root.path().display()));
    assert_eq!(history.migrations[0].file.repo_path, "db/migrations/1_a.up.sql");
}
