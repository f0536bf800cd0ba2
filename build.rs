//! Lists the rule documents for the binary: `rules/*.md` by name, so that a new document needs no second place.

use std::error::Error;
use std::fmt::Write as _;
use std::{env, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("rules");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut documents: Vec<(String, PathBuf)> = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).ok_or("a name in rules/ is not UTF-8")?;
        if let Some(id) = name.strip_suffix(".md").filter(|id| *id != "README") {
            documents.push((id.to_owned(), path.clone()));
        }
    }
    documents.sort();
    let mut list = String::from("&[\n");
    for (id, path) in &documents {
        writeln!(list, "    ({id:?}, include_str!({path:?})),")?;
    }
    list.push(']');
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("rule_documents.rs"), list)?;
    Ok(())
}
