//! Two migrations of one release that lock the same tables in opposite order, as a user meets them.

use assert_cmd::Command;
use std::fs;

/// The messages of `many-tables-locked`, with the file that each is about.
fn found(second: &str, third: &str) -> Vec<(String, String)> {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write("phasegate.toml", "[releases]\nthrough = \"0001\"\n");
    write("0001_init.sql", "CREATE TABLE users (id bigint);\nCREATE TABLE orders (id bigint);\n");
    write("0002_first.sql", second);
    write("0003_second.sql", third);
    let output = Command::new(assert_cmd::cargo::cargo_bin!("phasegate"))
        .current_dir(directory.path())
        .args(["check", ".", "--format", "json"])
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let list = report["findings"].as_array().unwrap().iter().filter(|finding| finding["rule"] == "many-tables-locked");
    let text = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap().to_string();
    list.map(|finding| (text(finding, "path"), text(finding, "message"))).collect()
}

fn locks(first: &str, second: &str) -> String {
    format!("ALTER TABLE {first} ADD COLUMN a{first} int;\nALTER TABLE {second} ADD COLUMN b{first} int;\n")
}

#[test]
fn two_pending_files_that_lock_in_opposite_order_are_told() {
    let found = found(&locks("users", "orders"), &locks("orders", "users"));
    let crossing: Vec<_> = found.iter().filter(|(_, message)| message.contains("whichever order")).collect();
    let [(path, message)] = crossing.as_slice() else { panic!("{found:?}") };
    assert!(path.ends_with("0003_second.sql"), "{path}");
    assert!(message.contains("public.orders is locked before public.users here, and after it in 0002_first.sql"), "{message}");
}

#[test]
fn one_order_in_both_files_is_told_only_as_several_tables() {
    let found = found(&locks("users", "orders"), &locks("users", "orders").replace(" ADD COLUMN ", " ADD COLUMN x"));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|(_, message)| !message.contains("whichever order")), "{found:?}");
}
