//! `phasegate config` and `phasegate layouts`.

use super::*;

#[test]
fn config_shows_each_value_with_where_it_comes_from() {
    let directory = monorepo();
    let outcome = phasegate(directory.path(), &["config", "--layout", "plain"]);
    assert_eq!((outcome.code, outcome.errors.as_str()), (0, ""));
    for line in [
        "# shop (services/shop/db), by phasegate.toml\n",
        "# pay (services/pay/db), by phasegate.toml\n",
        "layout = \"plain\"  # --layout\n",
        "postgres = \"16..18\"  # phasegate.toml:2\n",
        "postgres = \"18\"  # phasegate.toml:11\n",
        "rules.drop-column = \"warning\"  # phasegate.toml:4\n",
        "rules.drop-column = \"note\"  # phasegate.toml:12\n",
        "lock_timeout = \"file\"  # default\n",
        "# schema: not set\n",
    ] {
        assert!(outcome.out.contains(line), "{line}: {}", outcome.out);
    }
    for part in outcome.out.split("\n\n") {
        part.parse::<toml::Table>().unwrap_or_else(|error| panic!("{error}: {part}"));
    }
    let pay = phasegate(&directory.path().join("services/pay"), &["config", "db"]).out;
    assert!(pay.starts_with("# pay (db), by ../../phasegate.toml\n") && !pay.contains("# shop"), "{pay}");
}

#[test]
fn what_config_prints_is_a_configuration_that_says_the_same() {
    let text = r#"
layout = "plain"
postgres = "16"
search_path = ["app", "My Schema"]
lock_timeout = "runner"
phase_tag_prefixes = ["phase", "x:phase"]
runner = "psql"
driver_caches_plans = true
runners_start_together = true
include = ["*.sql"]
exclude = ["a/**", "!b.sql"]
baseline = "base.json"
[placeholders]
'index .Options "Namespace"' = "auth"
"it's" = 'a "b" \ c'
[releases]
manifest = "released.sha256"
base = "origin/main"
tags = "v*"
through = "0001"
[rules]
drop-column = { level = "off" }
[[overrides]]
paths = ["legacy/**"]
rules = { drop-table = "note", drop-view = "off" }
"#;
    let directory = tree(&[("phasegate.toml", text), ("db/0001_init.sql", INIT)]);
    let values = |out: &str| out.lines().map(|line| line.split("  # ").next().unwrap().to_owned()).collect::<Vec<_>>();
    let first = phasegate(directory.path(), &["config", "."]).out;
    assert!(!first.contains("not set") || first.contains("# schema: not set"), "{first}");
    write(directory.path(), "phasegate.toml", &first);
    let second = phasegate(directory.path(), &["config", "."]);
    assert_eq!(second.errors, "");
    assert_eq!(values(&second.out), values(&first));
}

#[test]
fn config_for_programs_has_a_form_of_its_own() {
    let directory = monorepo();
    let outcome = phasegate(directory.path(), &["config", "services/pay", "--format", "json", "--postgres", "17"]);
    let shown: Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!((&shown["version"], &shown["histories"][0]["name"]), (&1.into(), &"pay".into()));
    assert_eq!(
        (&shown["histories"][0]["file"], &shown["histories"][0]["paths"][0]),
        (&"phasegate.toml".into(), &"services/pay/db".into())
    );
    let setting = |key: &str| {
        let settings = shown["histories"][0]["settings"].as_array().unwrap();
        settings.iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("{key}")).clone()
    };
    let row = |key: &str, value: Value, origin: Value| serde_json::json!({"key": key, "value": value, "origin": origin});
    assert_eq!(setting("postgres"), row("postgres", "17".into(), serde_json::json!({"from": "flag", "flag": "--postgres"})));
    let line = serde_json::json!({"from": "file", "path": "phasegate.toml", "line": 12});
    assert_eq!(setting("rules.drop-column"), row("rules.drop-column", "note".into(), line));
    assert_eq!(setting("layout"), row("layout", Value::Null, serde_json::json!({"from": "default"})));
}

#[test]
fn config_says_what_cannot_be_used_and_what_holds_without_a_file() {
    let directory = tree(&[("db/0001_init.sql", INIT), ("bad/phasegate.toml", "x = 1\n")]);
    let none = phasegate(directory.path(), &["config", "db"]);
    assert!(none.code == 0 && none.out.starts_with("# db, no phasegate.toml\n"), "{}", none.out);
    let bad = phasegate(directory.path(), &["config", "db", "bad"]);
    assert!(bad.code == 2 && bad.errors.contains("bad/phasegate.toml:1:1: unknown key `x`"), "{}", bad.errors);
    assert!(bad.out.starts_with("# db, no phasegate.toml\n"), "{}", bad.out);
    let missing = phasegate(directory.path(), &["config", "none"]);
    assert!(missing.code == 2 && missing.errors.contains("none: no such file or directory"), "{}", missing.errors);
}

/// After a change that is meant, run with `PHASEGATE_BLESS=1` and read the difference.
#[test]
fn the_schema_for_editors_is_the_one_checked_in() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/config.json");
    let outcome = phasegate(Path::new("."), &["config", "--schema"]);
    assert_eq!(outcome.code, 0);
    if std::env::var_os("PHASEGATE_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &outcome.out).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap_or_default(), outcome.out, "PHASEGATE_BLESS=1 writes it anew");
    let schema: Value = serde_json::from_str(&outcome.out).unwrap();
    assert!(!outcome.out.contains("\"null\"") && schema["properties"]["postgres"]["type"] == "string", "TOML has no null");
}

#[test]
fn layouts_lists_every_layout_with_its_marks() {
    let outcome = phasegate(Path::new("."), &["layouts", "--format", "json"]);
    let rows: Vec<Value> = serde_json::from_str(&outcome.out).unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    let all: Vec<&str> = phasegate::source::layouts::all().iter().map(|layout| layout.name()).collect();
    assert_eq!(names, all);
    let flyway = rows.iter().find(|row| row["name"] == "flyway").unwrap();
    assert_eq!((&flyway["transaction"], &flyway["recursive"]), (&"wrapped".into(), &true.into()));
    let human = phasegate(Path::new("."), &["layouts"]).out;
    for name in names {
        assert!(human.lines().any(|line| line == name), "{name}: {human}");
    }
    assert!(human.contains("recognised by files named V<version>__<description>.sql"), "{human}");
}
