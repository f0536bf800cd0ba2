//! Tables that are checked in and that servers wrote: `PHASEGATE_BLESS=1` writes them anew, else what servers say is compared.

use std::path::PathBuf;

/// A file of `src`.
pub fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src").join(name)
}

pub fn read(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Compares with the checked-in table, or writes it.
pub fn assert_table(name: &str, lines: &[String]) {
    let found = lines.join("\n") + "\n";
    if std::env::var_os("PHASEGATE_BLESS").is_some() {
        std::fs::write(file(name), &found).unwrap();
    }
    let kept = read(name);
    let differing = kept.lines().zip(found.lines()).find(|(kept, found)| kept != found);
    assert!(kept == found, "{name} is not what the servers say: {differing:?}; PHASEGATE_BLESS=1 writes it anew");
}
