//! Every setting where it acts.

use super::*;

#[test]
fn files_that_are_left_out_are_listed_and_do_not_confuse_the_layout() {
    let directory = tree(&[
        ("phasegate.toml", "exclude = [\"scratch/**\", \"*_test.sql\", \"V*\"]\n"),
        ("db/0001_init.sql", INIT),
        ("db/0002_drop_test.sql", DROP),
        ("db/V1__x.sql", INIT),
        ("db/scratch/0009_x.sql", INIT),
        ("db/README.md", ""),
    ]);
    let (code, report) = checked(directory.path(), &["db"]);
    assert_eq!((code, paths(&report["migrations"])), (0, vec!["db/0001_init.sql"]));
    assert_eq!(
        skipped(&report),
        [
            "db/0002_drop_test.sql: excluded by phasegate.toml",
            "db/V1__x.sql: excluded by phasegate.toml",
            "db/scratch/0009_x.sql: excluded by phasegate.toml"
        ]
    );
    write(directory.path(), "phasegate.toml", "include = [\"0001*\"]\n");
    let (_, report) = checked(directory.path(), &["."]);
    assert_eq!(paths(&report["migrations"]), ["db/0001_init.sql"]);
    assert!(skipped(&report).iter().all(|entry| entry.ends_with(": not included by phasegate.toml")), "{:?}", skipped(&report));
    write(directory.path(), "phasegate.toml", "");
    assert_eq!(checked(directory.path(), &["db"]).0, 2, "two layouts, where nothing is left out");
}

#[test]
fn a_schema_and_its_paths_are_relative_to_the_file_and_the_flag_to_the_user() {
    let directory = tree(&[
        ("phasegate.toml", "schema = \"dump/schema.sql\"\n"),
        ("dump/schema.sql", "CREATE TABLE public.users (id bigint, name text);\n"),
        ("other.sql", "CREATE TABLE public.other (id bigint);\n"),
        ("db/0001_drop.sql", "DROP TABLE IF EXISTS other;\n"),
    ]);
    let from = |place: &str, arguments: &[&str]| loud(&checked(&directory.path().join(place), arguments).1);
    assert!(from("", &["db"]).is_empty(), "the dump knows no such table");
    assert!(from("db", &["."]).is_empty());
    assert_eq!(from("db", &[".", "--schema", "../other.sql"]), ["db/0001_drop.sql:1 drop-table@error"]);
    fs::remove_file(directory.path().join("dump/schema.sql")).unwrap();
    let outcome = phasegate(&directory.path().join("db"), &["check", "."]);
    assert!(outcome.code == 2 && outcome.errors.contains("../dump/schema.sql"), "{}", outcome.errors);
}

#[test]
fn the_search_path_of_the_configuration_is_where_names_are_looked_up() {
    let directory = tree(&[
        ("phasegate.toml", "search_path = [\"app\", \"public\"]\n"),
        ("db/0001_init.sql", INIT),
        ("db/0002_drop.sql", DROP),
    ]);
    let (_, report) = checked(directory.path(), &["db"]);
    assert_eq!(report["migrations"][1]["statements"][0]["breaks"][0]["object"], "app.users.name");
}

#[test]
fn prefixes_of_tags_are_those_of_the_configuration() {
    let directory = tree(&[
        ("phasegate.toml", "phase_tag_prefixes = [\"caracal:phase\"]\n"),
        ("db/0001_init.sql", INIT),
        ("db/0002_drop.sql", &format!("-- caracal:phase contract\n{DROP}")),
    ]);
    let (code, report) = checked(directory.path(), &["db"]);
    assert_eq!(code, 0, "{:?}", findings(&report));
    assert!(findings(&report).contains(&"db/0002_drop.sql:2 drop-column@note-".to_string()));
}

#[test]
fn levels_lower_and_silence_and_facts_stay() {
    let directory = tree(&[("db/0001_init.sql", INIT), ("db/0002_drop.sql", DROP), ("db/legacy/.keep", "")]);
    let with = |text: &str| {
        write(directory.path(), "phasegate.toml", text);
        checked(directory.path(), &["db"])
    };
    let (_, plain) = with("");
    let verdicts = |report: &Value| report["migrations"].clone();
    let level = |report: &Value| findings(report).into_iter().find(|finding| finding.contains(" drop-column@")).unwrap();
    for (text, code, expected) in [
        ("[rules]\ndrop-column = \"warning\"", 0, "warning"),
        ("[rules]\ndrop-column = \"error\"", 1, "error"),
        ("[rules]\ndrop-column = { level = \"note\" }", 0, "note"),
        ("[rules]\ndrop-column = \"off\"", 0, "error-"),
        ("[[overrides]]\npaths = [\"db/0002*\"]\nrules = { drop-column = \"note\" }", 0, "note"),
        ("[[overrides]]\npaths = [\"db/0001*\"]\nrules = { drop-column = \"note\" }", 1, "error"),
        (
            "[rules]\ndrop-column = \"off\"\n[[overrides]]\npaths = [\"db/**\"]\nrules = { drop-column = \"warning\" }",
            0,
            "warning",
        ),
    ] {
        let (found, report) = with(text);
        assert_eq!((found, level(&report)), (code, format!("db/0002_drop.sql:1 drop-column@{expected}")), "{text}");
        assert_eq!(verdicts(&report), verdicts(&plain), "{text}");
    }
    let (_, report) = with("\n[rules]\ndrop-column = \"off\"");
    let off = report["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "drop-column").unwrap();
    let expected = serde_json::json!({"by": "level", "reason": "drop-column is off at phasegate.toml:3"});
    assert_eq!(off["suppressed"], expected);
    let human = phasegate(directory.path(), &["check", "db"]).out;
    assert!(human.contains("suppressed: 1 by level"), "{human}");
}

#[test]
fn the_tag_is_named_where_a_level_would_silence_too() {
    let directory = tree(&[
        ("phasegate.toml", "[rules]\ndrop-column = \"off\"\n"),
        ("db/0001_init.sql", INIT),
        ("db/0002_drop.sql", &format!("-- phase contract\n{DROP}")),
    ]);
    let (_, report) = checked(directory.path(), &["db"]);
    let dropped = report["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "drop-column").unwrap();
    assert_eq!(dropped["suppressed"]["by"], "tag");
}

#[test]
fn overrides_match_paths_below_the_configuration_from_wherever_one_looks() {
    let directory = tree(&[
        ("phasegate.toml", "[[overrides]]\npaths = [\"services/shop/**\"]\nrules = { drop-column = \"note\" }\n"),
        ("services/shop/db/0001_init.sql", INIT),
        ("services/shop/db/0002_drop.sql", DROP),
    ]);
    let root = directory.path();
    let absolute = root.join("services/shop/db");
    for (from, path) in [
        ("", "."),
        ("", "services/shop/db"),
        ("services", "shop/db/0002_drop.sql"),
        ("services/shop/db", "."),
        ("services/shop/db", "0002_drop.sql"),
        ("", absolute.to_str().unwrap()),
    ] {
        assert_eq!(checked(&root.join(from), &[path]).0, 0, "{from} {path}");
    }
}

#[test]
fn placeholders_have_values_and_findings_stand_at_the_placeholder() {
    let directory = tree(&[
        ("phasegate.toml", "[placeholders]\nschema = \"app\"\ntable = \"app.users\"\n"),
        ("db/V1__init.sql", "CREATE SCHEMA ${schema};\nCREATE TABLE ${schema}.users (id bigint, name text);\n"),
        (
            "db/V2__drop.sql",
            "-- é\r\nDO $$ BEGIN\r\n  EXECUTE 'ALTER TABLE ''${other}''';\r\nEND $$;\r\nALTER TABLE {{ table }} DROP name;\r\n",
        ),
    ]);
    let (_, report) = checked(directory.path(), &["db"]);
    let text = fs::read_to_string(directory.path().join("db/V2__drop.sql")).unwrap();
    let found =
        |rule: &str| report["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == rule).unwrap().clone();
    let dropped = found("drop-column");
    assert!(dropped["message"].as_str().unwrap().starts_with("column app.users.name is dropped"), "{dropped}");
    let span = |finding: &Value| finding["start"].as_u64().unwrap() as usize..finding["end"].as_u64().unwrap() as usize;
    assert_eq!(&text[span(&dropped)], "ALTER TABLE {{ table }} DROP name");
    assert_eq!((&dropped["line"], &dropped["column"], &dropped["end_column"]), (&5.into(), &1.into(), &34.into()));
    let unresolved = found("unresolved-placeholder");
    assert_eq!(&text[span(&unresolved)], "${other}");
    let help = unresolved["help"].as_str().unwrap();
    assert!(help.contains("write `other = \"…\"` under [placeholders] in phasegate.toml"), "{help}");
}

#[test]
fn every_runner_has_values_in_its_own_form() {
    let committed = "--! Previous: -\n--! Hash: sha1:x\n\nGRANT SELECT ON one TO :VISITOR;\n";
    for (name, text) in [
        ("db/committed/000001.sql", committed),
        ("db/V1__x.sql", "GRANT SELECT ON one TO ${Visitor};\n"),
        ("db/0001_x.sql", "\\set ON_ERROR_STOP on\nGRANT SELECT ON one TO :\"VISITOR\";\n"),
        ("db/0001_y.sql", "GRANT SELECT ON one TO {{.VISITOR}};\n"),
    ] {
        let values = "[placeholders]\nVISITOR = \"web\"\n'.VISITOR' = \"web\"\n";
        let directory = tree(&[("phasegate.toml", values), (name, text)]);
        let (_, report) = checked(directory.path(), &["db"]);
        let unresolved = |report: &Value| findings(report).iter().filter(|f| f.contains("unresolved-placeholder")).count();
        assert_eq!(unresolved(&report), 0, "{name} in {}: {:?}", report["histories"], findings(&report));
        assert_eq!(unresolved(&checked(directory.path(), &["db", "--no-config"]).1), 1, "{name} in {}", report["histories"]);
    }
}

#[test]
fn a_history_has_placeholders_of_its_own_over_those_of_all() {
    let directory = tree(&[
        (
            "phasegate.toml",
            "placeholders = { s = \"one\", t = \"users\" }\n[[histories]]\npaths = [\"a\"]\n[[histories]]\npaths = [\"b\"]\nplaceholders = { s = \"two\" }\n",
        ),
        ("a/V1__drop.sql", "DROP TABLE ${s}.${t};\n"),
        ("b/V1__drop.sql", "DROP TABLE ${s}.${t};\n"),
    ]);
    let (_, report) = checked(directory.path(), &[]);
    let objects: Vec<&str> = report["migrations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|unit| unit["statements"][0]["breaks"][0]["object"].as_str().unwrap())
        .collect();
    assert_eq!(objects, ["one.users", "two.users"]);
}

#[test]
fn a_driver_and_a_runner_are_heard() {
    let directory = tree(&[
        (
            "phasegate.toml",
            "driver_caches_plans = true\nrunner = \"psql\"\nlock_timeout = \"runner\"\n[placeholders]\nt = \"users\"\n",
        ),
        ("db/0001_init.sql", INIT),
        ("db/0002_add.sql", "\\echo adding\nALTER TABLE :t ADD age int;\n"),
    ]);
    let (code, report) = checked(directory.path(), &["db"]);
    let expected = ["db/0002_add.sql:2 stale-plan@warning"];
    assert_eq!((code, loud(&report)), (0, expected.map(String::from).to_vec()));
}
