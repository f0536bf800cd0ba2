//! What holds for every name and every text.

use super::comment::comments;
use super::directory::{Directory, FileEntry};
use super::layouts::{self, Layout};
use super::{Request, SourceFile, UnitKind, load, name, tag};
use crate::op::Span;
use proptest::prelude::*;
use std::sync::Arc;

fn fragment() -> impl Strategy<Value = String> {
    let fragments = [
        "-- +goose Up\n",
        "-- +goose Down\n",
        "-- +goose StatementBegin\n",
        "-- +goose StatementEnd\r\n",
        "-- +goose NO TRANSACTION\n",
        "-- phase contract\n",
        "-- phase contarct\n",
        "-- phase expand reason=\"é\n",
        "/* phase contract */",
        "-- phase contract objects=\"a\",é.b\n",
        "DO $EF$ BEGIN IF NOT EXISTS(SELECT 1 FROM h WHERE \"MigrationId\" = 'a''') THEN SELECT 1; END IF; END $EF$;",
        "DO $$ BEGIN IF NOT EXISTS(SELECT 1 FROM h WHERE migration_id = '') THEN SELECT 1; END IF; END $$;",
        "DO $$",
        "DO $",
        "$$",
        "'",
        "\"",
        ";",
        "\\set x\n",
        "COPY t FROM STDIN;\n",
        "\\.\n",
        "START TRANSACTION;",
        "COMMIT;",
        "é",
        "\u{feff}",
        "\n",
        "SELECT 1",
        "-- +migrate Up notransaction\n",
        "-- +migrate Down\n",
        "-- +migrate StatementBegin\n",
        "-- migrate:up transaction:false\n",
        "-- migrate:down\r\n",
        "-- Up Migration\n",
        "-- Down Migration\n",
        "--//@UNDO\n",
        "# --- !Ups\n",
        "# --- !Downs",
        ";;",
        "---- create above / drop below ----",
        "---- tern: disable-tx ----\n",
        "--! Previous: -\n",
        "--! Hash: sha1:0\n\n",
        "--! no-transaction\n",
        "--!include f.sql\n",
        "--> statement-breakpoint",
        "-- atlas:txmode none\n\n",
        "-- atlas:delimiter é\n",
        "-- atlas:txtar\n\n",
        "-- down.sql --\n",
        "--liquibase formatted sql\n",
        "--changeset a:1 runInTransaction:false endDelimiter:(\n",
        "--changeset \"é\":2 dbms:oracle\n",
        "--ignoreLines:start\n",
        "--ignoreLines:9999999999999999999999\n",
        "/* liquibase rollback\n",
        "--rollback é\n",
    ];
    prop::sample::select(fragments.to_vec()).prop_map(str::to_string)
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof![8 => fragment(), 1 => any::<String>()], 0..12).prop_map(|parts| parts.concat())
}

fn file_name() -> impl Strategy<Value = String> {
    let fragments =
        ["1", "009", "2024", "V", "U", "R", "_", "__", "-", ".", "up", "down", ".sql", ".go", "é", " ", "mysql", "rollback", "x"];
    prop::collection::vec(prop::sample::select(fragments.to_vec()), 1..7)
        .prop_map(|parts| parts.concat())
        .prop_filter("a name of its own", |name| !name.trim_matches('.').is_empty())
}

proptest! {
    #[test]
    fn parts_of_any_text_are_in_order_and_on_character_boundaries(text in text()) {
        let source = SourceFile { path: "-".into(), repo_path: "-".into(), bytes: text.clone().into_bytes() };
        let script = FileEntry::of_source("-", Arc::new(source));
        for layout in layouts::all() {
            let mut at = 0;
            for step in layout.read_script(&script).unwrap_or_default() {
                for part in &step.parts {
                    prop_assert!(at <= part.start && part.start <= part.end, "{} {part:?}", layout.name());
                    prop_assert!(text.get(part.start..part.end).is_some(), "{} {part:?}", layout.name());
                    at = part.end;
                }
                prop_assert!(step.tag_regions.iter().all(|r| text.get(r.start..r.end).is_some()));
                prop_assert!(step.kind == UnitKind::Unreadable || !text.contains('\0'));
            }
        }
    }

    #[test]
    fn parts_of_any_file_beside_any_books_are_in_order_and_on_character_boundaries(texts in prop::collection::vec(text(), 6)) {
        let root = tempfile::tempdir().expect("a temporary directory");
        let names = ["1_a.sql", "2.sql", "atlas.sum", "committed/000001.sql", "current/1.sql", "fixtures/f.sql"];
        let books = [
            ("meta/_journal.json", r#"{"entries":[{"when":2,"tag":"1_a"},{"when":1,"tag":"2"},{"when":3,"tag":"no"}]}"#),
            ("master.yaml", "databaseChangeLog:\n- includeAll: {path: .}\n- changeSet: {id: 1, changes: [{sqlFile: {path: 2.sql}}]}\n"),
        ];
        for (name, text) in names.into_iter().zip(texts.iter().map(String::as_str)).chain(books) {
            std::fs::create_dir_all(root.path().join(name).parent().expect("a parent")).expect("a directory");
            std::fs::write(root.path().join(name), text).expect("a file");
        }
        let listed = Directory::list(root.path(), ".", 3, &mut Vec::new());
        for layout in layouts::all() {
            for step in layout.read(&listed).steps {
                let mut at = 0;
                for part in &step.parts {
                    let text = step.file.text().unwrap_or_default();
                    prop_assert!(at <= part.start && part.start <= part.end, "{} {part:?}", layout.name());
                    prop_assert!(text.get(part.start..part.end).is_some(), "{} {part:?}", layout.name());
                    at = part.end;
                }
                prop_assert!(step.down.is_none_or(|down| down.file.text().is_ok_and(|t| t.get(down.span.start..down.span.end).is_some())));
            }
        }
    }

    #[test]
    fn what_is_said_about_tags_lies_on_comments(text in text()) {
        let found = tag::scan(&comments(&text, &[Span { start: 0, end: text.len() }]), &["phase".to_string()]);
        let spans = found.malformed.iter().map(|m| m.span).chain(found.tag.iter().map(|(_, tag)| tag.span));
        for span in spans {
            let comment = text.get(span.start..span.end).unwrap_or_default();
            prop_assert!(comment.starts_with("--") || comment.starts_with("/*"), "{comment:?}");
        }
    }

    #[test]
    fn case_and_line_ends_do_not_change_a_tag(
        lines in prop::sample::subsequence(vec!["-- phase contract", "-- x", "SELECT 1;", "-- phase expand"], 0..4)
    ) {
        let of = |text: &str| {
            let found = tag::scan(&comments(text, &[Span { start: 0, end: text.len() }]), &["phase".to_string()]);
            (found.tag.map(|(phase, _)| phase), found.malformed.len())
        };
        let unix = lines.join("\n");
        prop_assert_eq!(of(&unix), of(&lines.join("\r\n")));
        prop_assert_eq!(of(&unix), of(&unix.to_uppercase()));
    }

    #[test]
    fn every_file_of_any_directory_is_a_step_or_skipped_or_no_sql(names in prop::collection::btree_set(file_name(), 1..8)) {
        let root = tempfile::tempdir().expect("a temporary directory");
        for name in &names {
            std::fs::write(root.path().join(name), "SELECT 1;").expect("a file");
        }
        for layout in layouts::all().iter().map(|&l| Some(l)).chain([None]) {
            let path = root.path().to_string_lossy().into_owned();
            let request = Request { layout: layout.map(|l: &dyn Layout| l.name().to_string()), ..Request::of_paths([path]) };
            let loaded = load(&request);
            prop_assert_eq!(loaded.histories.len() + loaded.errors.len(), 1);
            for history in loaded.histories {
                let mut files: Vec<&str> = history.migrations.iter().map(|m| m.file.path.as_str()).collect();
                files.extend(history.skipped.iter().map(|s| s.path.as_str()));
                for name in names.iter().filter(|n| name::looks_like_sql(n)) {
                    let own = format!("/{name}");
                    prop_assert_eq!(files.iter().filter(|f| f.ends_with(&own)).count(), 1, "{} in {}", name, history.layout);
                }
            }
        }
    }

    #[test]
    fn the_listing_is_in_bytewise_order(names in prop::collection::btree_set(file_name(), 1..8)) {
        let root = tempfile::tempdir().expect("a temporary directory");
        for name in &names {
            std::fs::write(root.path().join(name), "").expect("a file");
        }
        let listed = Directory::list(root.path(), ".", 1, &mut Vec::new());
        let listed: Vec<&str> = listed.files.iter().map(|f| f.name.as_str()).collect();
        prop_assert_eq!(listed, names.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
