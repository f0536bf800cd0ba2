//! docs/layouts/ is what `phasegate layouts NAME` prints, a page for each layout and one that lists them; docs/rules.md lists what
//! `phasegate rules` does. `PHASEGATE_BLESS=1` writes them anew.

use assert_cmd::Command;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn printed(arguments: &[&str]) -> String {
    said(&[&["layouts"], arguments].concat())
}

fn said(arguments: &[&str]) -> String {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("phasegate")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_pages_are_what_the_program_prints() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/layouts");
    let list: serde_json::Value = serde_json::from_str(&printed(&["--format", "json"])).unwrap();
    let names: Vec<&str> = list.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    let mut index = "# Layouts\n\nHow each runner behaves, how a migration is tagged in it, and how it is proven; `phasegate layouts NAME` prints the same.\n\n".to_owned();
    let mut pages: Vec<(String, String)> = Vec::new();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    for name in sorted {
        index += &format!("- [{name}]({name}.md)\n");
        pages.push((format!("{name}.md"), printed(&[name])));
    }
    pages.push(("README.md".to_owned(), index));
    if std::env::var_os("PHASEGATE_BLESS").is_some() {
        fs::create_dir_all(&directory).unwrap();
        for (file, text) in &pages {
            fs::write(directory.join(file), text).unwrap();
        }
    }
    let there: BTreeSet<String> =
        fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(there, pages.iter().map(|(file, _)| file.clone()).collect(), "a page for each layout, and no other");
    for (file, text) in &pages {
        assert_eq!(&fs::read_to_string(directory.join(file)).unwrap(), text, "{file}: write it anew with PHASEGATE_BLESS=1");
    }
}

#[test]
fn every_page_says_what_a_reader_looks_for() {
    let list: serde_json::Value = serde_json::from_str(&printed(&["--format", "json"])).unwrap();
    for row in list.as_array().unwrap() {
        let name = row["name"].as_str().unwrap();
        let page = printed(&[name]);
        for words in
            ["**Transaction**", "**Lock**", "**Ledger**", "## How to tag", "-- phase contract", "phasegate prove PATH --runner"]
        {
            assert!(page.contains(words), "{name}: {words}\n{page}");
        }
    }
}

/// The families in the order of rules/README.md, each with what its rules ask.
const FAMILIES: [(&str, &str); 8] = [
    ("contract", "what the previous release loses; silenced by the tag `-- phase contract`"),
    ("phase", "tags, and when a contract may ship"),
    ("blocking", "what stops traffic, and for how long"),
    ("retry", "what happens when a migration stops half-way, or runs again"),
    ("history", "files, versions, and what is released"),
    ("access", "who may do what"),
    ("style", "names"),
    ("proof", "what `phasegate prove` saw on a server"),
];

#[test]
fn the_list_of_rules_is_complete() {
    let rules: serde_json::Value = serde_json::from_str(&said(&["rules", "--format", "json"])).unwrap();
    let rules = rules.as_array().unwrap();
    let mut page = "# Rules\n\nEach with its reason, bad and good examples that a test runs, and what to do instead; `phasegate explain RULE` prints the same. \
                    A level is what findings have unless the rule says otherwise; *off* waits to be switched on in `[rules]`.\n"
        .to_owned();
    let mut listed = 0;
    for (family, asks) in FAMILIES {
        let of_family: Vec<_> = rules.iter().filter(|rule| rule["family"] == family).collect();
        if of_family.is_empty() {
            continue;
        }
        page += &format!("\n## {family}: {asks}\n\n| rule | level | what it catches |\n|---|---|---|\n");
        for rule in of_family {
            let text = |key: &str| rule[key].as_str().unwrap();
            let summary = text("summary").replace('|', "\\|");
            page += &format!("| [{0}](../rules/{0}.md) | {1} | {summary} |\n", text("id"), text("level"));
            listed += 1;
        }
    }
    assert_eq!(listed, rules.len(), "a family is not listed");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    if std::env::var_os("PHASEGATE_BLESS").is_some() {
        fs::write(&file, &page).unwrap();
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), page, "write it anew with PHASEGATE_BLESS=1");
}

/// Pages in Markdown below a directory, the directory's own name left out.
fn pages_below(directory: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

#[test]
fn every_link_from_one_page_to_another_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md"), root.join("CHANGELOG.md")];
    pages_below(&root.join("docs"), &mut pages);
    pages_below(&root.join("rules"), &mut pages);
    let mut links = 0;
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !target.contains("://") && !target.starts_with('#') && !target.contains(['<', ' ', ':']) {
                let file = page.parent().unwrap().join(target.split('#').next().unwrap());
                assert!(file.exists(), "{}: {target}", page.display());
                links += 1;
            }
        }
    }
    assert!(links > 50, "{links} links");
}
