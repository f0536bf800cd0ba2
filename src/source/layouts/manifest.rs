//! What the manifests above a directory depend on: a mark of the runner that a project uses.

use crate::source::directory::Directory;

/// True when a Cargo.toml here or above names the crate among its dependencies, of whatever kind.
pub fn cargo_dependency(directory: &Directory, package: &str) -> bool {
    directory.above("Cargo.toml").iter().any(|manifest| {
        let table = manifest.text().and_then(|text| text.parse::<toml::Table>().ok());
        table.is_some_and(|table| depends_on(&table, package, 0))
    })
}

fn depends_on(table: &toml::Table, package: &str, depth: usize) -> bool {
    // `[workspace.dependencies]` and `[target.'cfg(…)'.dependencies]` are the deepest that Cargo knows.
    depth < 4
        && table.iter().any(|(key, value)| match value {
            toml::Value::Table(below) if key.ends_with("dependencies") => below.contains_key(package),
            toml::Value::Table(below) => depends_on(below, package, depth + 1),
            _ => false,
        })
}

/// True when a package.json here or above names the package among its dependencies, of whatever kind.
pub fn node_dependency(directory: &Directory, package: &str) -> bool {
    directory.above("package.json").iter().any(|manifest| {
        let value = manifest.text().and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
        let Some(serde_json::Value::Object(members)) = value else { return false };
        members.iter().any(|(key, value)| key.to_ascii_lowercase().ends_with("dependencies") && value.get(package).is_some())
    })
}

/// True when a go.mod here or above requires the module, in whatever major version.
pub fn go_dependency(directory: &Directory, module: &str) -> bool {
    let requires = |line: &str| {
        let required = line.trim_start().trim_start_matches("require").trim_start().trim_start_matches('(').trim_start();
        required.strip_prefix(module).is_some_and(|rest| rest.starts_with([' ', '\t', '/']))
    };
    directory.above("go.mod").iter().any(|manifest| manifest.text().is_some_and(|text| text.lines().any(requires)))
}
