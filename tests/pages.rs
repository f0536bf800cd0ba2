//! docs/layouts/ is what `phasegate layouts NAME` prints, a page for each layout and one that lists them. `PHASEGATE_BLESS=1` writes
//! them anew.

use assert_cmd::Command;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn printed(arguments: &[&str]) -> String {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("phasegate")).arg("layouts").args(arguments).output().unwrap();
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
