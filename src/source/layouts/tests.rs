//! Marks of one layout against those of another, on directories made for it.

use crate::source::{Loaded, Request, SourceError, Wrapping, load};

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

fn loaded(files: &[(&str, &str)]) -> Loaded {
    load(&Request::of_paths([tree(files).path().to_string_lossy()]))
}

/// The layout of the only history below a tree, and its units with their transactions.
fn read(files: &[(&str, &str)]) -> (String, Vec<(String, Wrapping)>) {
    let loaded = loaded(files);
    assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
    let [history] = <[_; 1]>::try_from(loaded.histories).expect("one history");
    (history.layout, history.migrations.into_iter().map(|unit| (unit.id, unit.wrapping)).collect())
}

fn layout(files: &[(&str, &str)]) -> String {
    read(files).0
}

#[test]
fn node_pg_migrate_is_known_by_both_markers_or_by_its_package() {
    let manifest = r#"{ "name": "shop", "devDependencies": { "node-pg-migrate": "^8" } }"#;
    assert_eq!(layout(&[("package.json", manifest), ("migrations/1_a.sql", "SELECT 1;")]), "node-pg-migrate");
    let other = manifest.replace("node-pg-migrate", "node-pg-migrate-like");
    assert_eq!(layout(&[("package.json", &other), ("migrations/1_a.sql", "SELECT 1;")]), "plain");
    assert_eq!(layout(&[("1_a.sql", "-- Up Migration\nSELECT 1;\n-- Down Migration\n")]), "node-pg-migrate");
    // A heading that others write as well.
    assert_eq!(layout(&[("1_a.sql", "-- Up migration: why\nSELECT 1;")]), "plain");
    assert_eq!(
        layout(&[("1_a.up.sql", "-- Up migration\nSELECT 1;"), ("1_a.down.sql", "-- Down migration\n")]),
        "golang-migrate"
    );
}

#[test]
fn tern_is_known_by_its_lines_its_configuration_or_its_module() {
    let file = ("migrations/001_a.sql", "SELECT 1;");
    assert_eq!(layout(&[file]), "plain");
    assert_eq!(layout(&[file, ("tern.conf", "")]), "tern");
    assert_eq!(layout(&[file, ("go.mod", "module shop\n\nrequire (\n\tgithub.com/jackc/tern/v2 v2.3.3\n)\n")]), "tern");
    assert_eq!(layout(&[file, ("go.mod", "module shop\n\nrequire github.com/jackc/ternary v1.0.0\n")]), "plain");
    let pair = ("migrations/001_a.up.sql", "SELECT 1;");
    assert_eq!(layout(&[pair, ("go.mod", "module shop\n\nrequire github.com/jackc/tern v1.13.0\n")]), "golang-migrate");
}

#[test]
fn play_commits_each_statement_unless_its_configuration_says_otherwise() {
    let file = ("conf/evolutions/default/1.sql", "# --- !Ups\nSELECT 1; SELECT 2;\n# --- !Downs\n");
    assert_eq!(read(&[file]), ("play".to_string(), vec![("1".to_string(), Wrapping::None)]));
    let wrapping = |conf: &str| read(&[file, ("conf/application.conf", conf), (".git/HEAD", "")]).1[0].1;
    assert_eq!(wrapping("play.evolutions.autocommit = false\n"), Wrapping::Wrapped);
    assert_eq!(wrapping("play { evolutions { db { default { autocommit: off } } } }\n"), Wrapping::Wrapped);
    assert_eq!(wrapping("play.evolutions.db.other.autocommit = false\n"), Wrapping::None);
    assert_eq!(wrapping("# play.evolutions.autocommit = false\n"), Wrapping::None);
}

#[test]
fn mybatis_has_the_transactions_that_its_environments_agree_on() {
    let file = ("scripts/1_a.sql", "SELECT 1;\n-- //@UNDO\n");
    let wrapping = |environments: &[&str]| {
        let names: Vec<String> = (0..environments.len()).map(|n| format!("environments/{n}.properties")).collect();
        let all = names.iter().map(String::as_str).zip(environments.iter().copied()).chain([file]);
        read(&all.collect::<Vec<_>>()).1[0].1
    };
    assert_eq!(wrapping(&[]), Wrapping::Wrapped);
    assert_eq!(wrapping(&["auto_commit=true\n", "auto_commit=true\n"]), Wrapping::None);
    assert_eq!(wrapping(&["auto_commit=true\nsend_full_script=true\n"]), Wrapping::Batch);
    assert_eq!(wrapping(&["auto_commit=true\n", "auto_commit=false\n"]), Wrapping::Wrapped);
}

#[test]
fn a_journal_beats_what_is_above_and_unlisted_files_are_another_runners() {
    let journal = r#"{"dialect":"postgresql","entries":[{"idx":0,"when":1,"tag":"0000_a","breakpoints":true}]}"#;
    let listed = [("supabase/migrations/meta/_journal.json", journal), ("supabase/migrations/0000_a.sql", "SELECT 1;")];
    assert_eq!(layout(&listed), "drizzle");
    let both: Vec<(&str, &str)> = listed.into_iter().chain([("supabase/migrations/20240101000000_b.sql", "SELECT 2;")]).collect();
    assert!(matches!(loaded(&both).errors.as_slice(), [SourceError::Ambiguous { .. }]));
}

#[test]
fn breakpoints_without_a_journal_are_weaker_than_the_surroundings() {
    let text = "SELECT 1;\n--> statement-breakpoint\nSELECT 2;";
    assert_eq!(layout(&[("drizzle/0000_a.sql", text)]), "drizzle");
    assert_eq!(layout(&[("supabase/migrations/0000_a.sql", text)]), "supabase");
}

#[test]
fn directories_with_snapshots_are_drizzles_and_without_them_prismas() {
    let step = ("20240101000000_a/migration.sql", "SELECT 1;");
    assert_eq!(layout(&[step]), "prisma");
    assert_eq!(layout(&[step, ("20240101000000_a/snapshot.json", "{}")]), "drizzle");
}

#[test]
fn a_journal_for_another_database_is_no_history_of_ours() {
    let journal = r#"{"dialect":"sqlite","entries":[{"when":1,"tag":"0000_a"}]}"#;
    let loaded = loaded(&[("meta/_journal.json", journal), ("0000_a.sql", "SELECT 1;")]);
    let [error] = loaded.errors.as_slice() else { panic!("{:?}", loaded.errors) };
    assert!(error.to_string().contains("are for SQLite"), "{error}");
}

#[test]
fn sums_beside_another_runners_files_leave_them_to_it() {
    let sums = ("atlas.sum", "h1:\n");
    assert_eq!(layout(&[sums, ("20240101000000_a.sql", "SELECT 1;")]), "atlas");
    assert_eq!(layout(&[sums, ("1_a.sql", "-- +goose Up\nSELECT 1;")]), "goose");
    assert_eq!(layout(&[sums, ("1_a.up.sql", "SELECT 1;")]), "golang-migrate");
    assert_eq!(layout(&[sums, ("V1__a.sql", "SELECT 1;")]), "flyway");
    assert_eq!(layout(&[sums, ("1_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n")]), "dbmate");
}

#[test]
fn a_checkpoint_whose_files_are_gone_is_where_the_history_begins() {
    let (_, units) = read(&[("atlas.sum", ""), ("2_b.sql", "-- atlas:checkpoint\n\nSELECT 1;"), ("3_c.sql", "SELECT 2;")]);
    assert_eq!(units.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["2", "3"]);
}

const FORMATTED: &str = "--liquibase formatted sql\n--changeset a:1\nSELECT 1;\n";

#[test]
fn several_changelogs_that_are_no_masters_leave_their_directories_apart() {
    let include =
        |path: &str| format!("<databaseChangeLog><include file='{path}' relativeToChangelogFile='true'/></databaseChangeLog>");
    let (one, two) = (include("one/a.sql"), include("two/a.sql"));
    let files = [("one.xml", one.as_str()), ("two.xml", two.as_str()), ("one/a.sql", FORMATTED), ("two/a.sql", FORMATTED)];
    let apart = loaded(&files);
    assert_eq!(apart.histories.iter().map(|h| h.layout.as_str()).collect::<Vec<_>>(), ["liquibase", "liquibase"]);
    let renamed = [("db.changelog-master.xml", one.as_str()), files[1], files[2], files[3]];
    assert_eq!(read(&renamed).1, [("one/a.sql::1::a".to_string(), Wrapping::Wrapped)]);
}

#[test]
fn a_changelog_finds_its_files_from_any_root_of_the_class_path() {
    let master =
        "databaseChangeLog:\n- include:\n    file: classpath:/db/changelog/b.sql\n- include:\n    file: db/changelog/a.sql\n";
    let at = |below: &str| {
        let root = tree(&[
            ("src/db/changelog/m.yaml", master),
            ("src/db/changelog/a.sql", FORMATTED),
            ("src/db/changelog/b.sql", FORMATTED),
        ]);
        let loaded = load(&Request::of_paths([root.path().join(below).to_string_lossy()]));
        let ids: Vec<String> = loaded.histories.iter().flat_map(|h| &h.migrations).map(|unit| unit.id.clone()).collect();
        ids
    };
    for below in ["src/db/changelog", "src/db", "."] {
        assert_eq!(at(below), ["b.sql::1::a", "a.sql::1::a"], "{below}");
    }
}

#[test]
fn what_a_changelog_includes_from_elsewhere_makes_the_history_less_than_whole() {
    let master =
        "<databaseChangeLog><include file='a.sql'/><include file='../b.sql' relativeToChangelogFile='true'/></databaseChangeLog>";
    let loaded = loaded(&[("m.xml", master), ("a.sql", FORMATTED)]);
    let history = &loaded.histories[0];
    assert!(!history.whole);
    assert!(history.skipped.iter().any(|s| s.why.contains("../b.sql")), "{:?}", history.skipped);
}

#[test]
fn changelogs_that_include_each_other_come_to_an_end() {
    let include = |path: &str| format!("<databaseChangeLog><include file='{path}'/><include file='a.sql'/></databaseChangeLog>");
    let loaded = loaded(&[("master.xml", &include("other.xml")), ("other.xml", &include("master.xml")), ("a.sql", FORMATTED)]);
    assert_eq!(loaded.histories[0].migrations.len(), 1);
}
