//! Which configuration holds for which path, and what is one history.

use super::*;

#[test]
fn the_nearest_file_above_the_path_holds_up_to_the_repository() {
    let directory = tree(&[
        ("phasegate.toml", "[rules]\ndrop-column = \"warning\"\n"),
        ("db/0001_init.sql", INIT),
        ("db/0002_drop.sql", DROP),
        ("inner/.git/HEAD", ""),
        ("inner/db/0001_init.sql", INIT),
        ("inner/db/0002_drop.sql", DROP),
    ]);
    let root = directory.path();
    for (from, path) in [("", "db"), ("", "db/0002_drop.sql"), ("db", "."), ("db", "0002_drop.sql"), ("db", "../db")] {
        let (code, report) = checked(&root.join(from), &[path]);
        assert_eq!(code, 0, "{from} {path}");
        assert_eq!(loud(&report).len(), 1, "{from} {path}");
        assert!(loud(&report)[0].ends_with("0002_drop.sql:1 drop-column@warning"), "{:?}", loud(&report));
    }
    assert_eq!(checked(&root.join("db"), &[]).0, 0);
    assert_eq!(checked(root, &["inner/db"]).0, 1, "the repository inside has no configuration");
    assert_eq!(checked(root, &["db", "--no-config"]).0, 1);
    assert_eq!(checked(root, &["inner/db", "--config", "phasegate.toml"]).0, 0);
}

#[test]
fn each_path_goes_by_its_own_nearest_file_also_below_a_path() {
    let directory = tree(&[
        ("phasegate.toml", "[rules]\ndrop-column = \"note\"\n"),
        ("a/phasegate.toml", ""),
        ("a/db/0001_init.sql", INIT),
        ("a/db/0002_drop.sql", DROP),
        ("b/db/0001_init.sql", INIT),
        ("b/db/0002_drop.sql", DROP),
    ]);
    let root = directory.path();
    let expected =
        vec!["a/db/0002_drop.sql:1 drop-column@error".to_string(), "b/db/0002_drop.sql:1 drop-column@note".to_string()];
    let dropped = |report: &Value| findings(report).into_iter().filter(|f| f.contains(" drop-column@")).collect::<Vec<_>>();
    for arguments in [&["a/db", "b/db"][..], &["."], &[], &["a", "b"]] {
        let (code, report) = checked(root, arguments);
        assert_eq!((code, dropped(&report)), (1, expected.clone()), "{arguments:?}");
        assert!(report["skipped"].as_array().unwrap().is_empty(), "{}", report["skipped"]);
    }
    let without = checked(root, &[".", "--no-config"]).1;
    assert!(dropped(&without).iter().all(|finding| finding.ends_with("@error")), "{:?}", dropped(&without));
    assert_eq!(without["histories"].as_array().unwrap().len(), 2);
}

#[test]
fn where_only_directories_below_have_configurations_the_path_itself_may_be_empty() {
    let directory = tree(&[("a/phasegate.toml", ""), ("a/db/0001_init.sql", INIT), ("src/main.c", "")]);
    assert_eq!(checked(directory.path(), &["."]).0, 0);
    write(directory.path(), "src/query.sql", "SELECT 1;");
    let (code, report) = checked(directory.path(), &["."]);
    assert!(code == 2 && skipped(&report)[0].contains("src/query.sql is named like no layout's"), "{:?}", skipped(&report));
}

#[test]
fn without_a_path_the_histories_of_the_configuration_are_checked_wherever_one_stands() {
    let directory = monorepo();
    let (code, report) = checked(directory.path(), &[]);
    assert_eq!(code, 0);
    assert_eq!(histories(&report), ["shop services/shop/db 16..18", "pay services/pay/db 18"]);
    assert_eq!(report["postgres"], "16..18");
    assert_eq!(loud(&report), ["services/shop/db/0002_drop.sql:1 drop-column@warning"]);
    assert!(findings(&report).contains(&"services/pay/db/0002_drop.sql:1 drop-column@note".to_string()));
    let beside = [
        "services/shop/report.sql: in no history of phasegate.toml",
        "tools/0001_init.sql: in no history of phasegate.toml",
        "tools/0002_drop.sql: in no history of phasegate.toml",
    ];
    assert_eq!(skipped(&report), beside);
    let (_, report) = checked(&directory.path().join("docs"), &[]);
    assert_eq!(histories(&report), ["shop services/shop/db 16..18", "pay services/pay/db 18"], "below the root");
    let (_, report) = checked(&directory.path().join("services/shop"), &[]);
    assert_eq!(histories(&report), ["shop services/shop/db 16..18", "pay services/pay/db 18"]);
}

#[test]
fn a_path_takes_the_settings_of_the_histories_that_it_lies_in_or_above() {
    let directory = monorepo();
    let of = |path: &str| checked(directory.path(), &[path]);
    for path in ["services/shop", "services/shop/db", "services/shop/db/", "./services/shop/db"] {
        let (code, report) = of(path);
        assert_eq!((code, histories(&report)), (0, vec!["shop services/shop/db 16..18".to_string()]), "{path}");
    }
    assert_eq!(histories(&of("services").1).len(), 2);
    let (_, report) = of("services/pay/db/0002_drop.sql");
    assert_eq!(histories(&report), ["pay services/pay/db 18"]);
    assert_eq!(paths(&report["migrations"]), ["services/pay/db/0002_drop.sql"]);
    let (_, report) = of("tools");
    assert_eq!(
        (histories(&report), loud(&report)),
        (vec!["- tools 16..18".to_string()], vec!["tools/0002_drop.sql:1 drop-column@warning".to_string()])
    );
    let absolute = directory.path().join("services/shop/db");
    let (_, report) = of(absolute.to_str().unwrap());
    assert_eq!(histories(&report), ["shop services/shop/db 16..18"]);
    let (code, report) = of("docs");
    assert!(code == 2 && skipped(&report)[0].contains("docs: "), "{:?}", skipped(&report));
}

#[test]
fn several_files_of_one_history_are_one_history() {
    let directory = monorepo();
    let (_, report) = checked(directory.path(), &["services/shop/db/0001_init.sql", "services/shop/db/0002_drop.sql"]);
    assert_eq!(histories(&report).len(), 1);
    assert_eq!(paths(&report["migrations"]).len(), 2);
    let (_, report) = checked(directory.path(), &["services/shop/db/0001_init.sql", "services/shop/db"]);
    assert_eq!((histories(&report).len(), paths(&report["migrations"]).len()), (1, 2));
}

#[test]
fn a_file_in_a_history_that_is_no_step_of_it_stands_alone() {
    let directory = monorepo();
    write(directory.path(), "services/pay/db/seed.sql", "TRUNCATE users;\n");
    let (_, report) = checked(directory.path(), &["services/pay/db/seed.sql"]);
    assert_eq!(paths(&report["migrations"]), [] as [&str; 0], "its name is no step's: it is skipped, and that is said");
    assert!(skipped(&report)[0].starts_with("services/pay/db/seed.sql: its name is not"), "{:?}", skipped(&report));
}

#[test]
fn two_histories_of_a_repository_know_nothing_of_each_other() {
    let directory = monorepo();
    write(directory.path(), "services/pay/db/0003_other.sql", "DROP TABLE orders;\n");
    write(directory.path(), "services/shop/db/0003_orders.sql", "CREATE TABLE orders (id bigint);\n");
    let (_, report) = checked(directory.path(), &[]);
    let dropped = report["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "drop-table").unwrap();
    assert!(dropped["related"].as_array().unwrap().is_empty(), "{dropped}");
}

#[test]
fn several_directories_form_one_history_in_the_order_of_the_layout() {
    let directory = tree(&[
        ("phasegate.toml", "layout = \"flyway\"\n[[histories]]\nname = \"all\"\npaths = [\"core/sql\", \"views/sql\"]\n"),
        ("core/sql/V1__init.sql", INIT),
        ("views/sql/V2__view.sql", "CREATE VIEW names AS SELECT name FROM users;\n"),
        ("core/sql/V10__drop.sql", "DROP VIEW names;\n"),
        ("views/sql/sub/V3__more.sql", "ALTER TABLE users ADD age int;\n"),
        ("views/sql/notes.sql", "SELECT 1;\n"),
    ]);
    let (code, report) = checked(directory.path(), &[]);
    assert_eq!(code, 1);
    let order = ["core/sql/V1__init.sql", "views/sql/V2__view.sql", "views/sql/sub/V3__more.sql", "core/sql/V10__drop.sql"];
    assert_eq!(paths(&report["migrations"]), order);
    assert_eq!(histories(&report), ["all . 15..18"]);
    assert_eq!(report["histories"][0]["paths"], serde_json::json!(["core/sql", "views/sql"]));
    let dropped = report["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "drop-view").unwrap();
    assert_eq!(dropped["related"][0]["path"], "views/sql/V2__view.sql");
    assert!(skipped(&report)[0].starts_with("views/sql/notes.sql: its name is not"), "{:?}", skipped(&report));
    // Part of it: the whole is modelled, the part is reported.
    let (code, report) = checked(directory.path(), &["core"]);
    assert_eq!(code, 1);
    assert_eq!(paths(&report["migrations"]), ["core/sql/V1__init.sql", "core/sql/V10__drop.sql"]);
    let (code, report) = checked(directory.path(), &["views/sql/sub"]);
    assert_eq!((code, paths(&report["migrations"])), (0, vec!["views/sql/sub/V3__more.sql"]));
}

#[test]
fn directories_of_a_layout_that_does_not_look_below_are_joined_too() {
    let directory = tree(&[
        ("phasegate.toml", "[[histories]]\npaths = [\"a\", \"b\"]\n"),
        ("a/000001_init.up.sql", INIT),
        ("b/000002_drop.up.sql", DROP),
        ("b/000002_drop.down.sql", "ALTER TABLE users ADD name text;\n"),
        ("a/000010_last.up.sql", "SELECT 1;\n"),
        ("b/9_nine.up.sql", "SELECT 1;\n"),
    ]);
    let (_, report) = checked(directory.path(), &[]);
    let order = ["a/000001_init.up.sql", "b/000002_drop.up.sql", "b/9_nine.up.sql", "a/000010_last.up.sql"];
    assert_eq!(paths(&report["migrations"]), order);
    assert_eq!(report["histories"][0]["layout"], "golang-migrate");
    assert_eq!(loud(&report), ["b/000002_drop.up.sql:1 drop-column@error"]);
}
