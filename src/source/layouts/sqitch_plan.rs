//! What sqitch reads before it runs anything: the plan, and the configuration that says where the scripts are.
//!
//! The plan is read as `App::Sqitch::Plan::_parse` reads it, but without its refusals: pragmas, blank lines and notes are left out,
//! a line that begins with `@` is a tag of the change before it, and any other line is a change. The configuration has git's
//! syntax; continued lines and includes are not read.

use std::collections::BTreeMap;

/// A change, as often as the plan has it: a reworked one stands there again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Directories included: `tables/users`.
    pub name: String,
    /// Names that the file of this occurrence may have, without its ending. A change that is reworked further down has a copy of
    /// its old text under the tag of that time; the first name that is there counts (`App::Sqitch::Plan::Change`, `_path_segments`).
    pub files: Vec<String>,
}

/// The name that a line of a plan is about: a change, or with its `@` a tag.
fn name_in(line: &str) -> Option<&str> {
    let line = line.trim_start_matches('\u{feff}').split('#').next().unwrap_or_default().trim();
    let change = line.trim_start_matches(['+', '-']).trim_start();
    change.split_whitespace().next().filter(|_| !line.starts_with('%'))
}

/// The beginning of a plan with only so many changes.
pub fn first_changes(plan: &str, count: usize) -> &str {
    let mut end = 0;
    let mut changes = 0;
    for line in plan.split_inclusive('\n') {
        changes += usize::from(name_in(line).is_some_and(|name| !name.starts_with('@')));
        if changes > count {
            break;
        }
        end += line.len();
    }
    &plan[..end]
}

/// The changes of a plan, in the order they are deployed.
pub fn changes(plan: &str) -> Vec<Change> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in plan.lines() {
        let Some(name) = name_in(line) else { continue };
        match (name.strip_prefix('@'), found.last_mut()) {
            (Some(tag), Some((_, tags))) => tags.push(tag),
            (Some(_), None) => {}
            (None, _) => found.push((name, Vec::new())),
        }
    }
    let changes = found.iter().enumerate().map(|(at, (name, tags))| {
        let reworked = found.iter().skip(at + 1).position(|(later, _)| later == name);
        let files = match reworked {
            None => vec![(*name).to_string()],
            Some(between) => {
                let since = found[at + 1..=at + between].iter().rev().flat_map(|(_, tags)| tags);
                let names: Vec<String> = since.chain(tags).map(|tag| format!("{name}@{tag}")).collect();
                if names.is_empty() { vec![(*name).to_string()] } else { names }
            }
        };
        Change { name: (*name).to_string(), files }
    });
    changes.collect()
}

/// Where a project's files are, below the directory of its `sqitch.conf`. `.` is that directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    pub plan: String,
    pub deploy: String,
    pub revert: String,
    pub verify: String,
    /// Where the scripts of reworked changes may be; the first place counts that has one. Since 1.5.2 sqitch looks below
    /// `reworked_dir` for the configured directory, before that for the usual one.
    pub reworked_deploy: Vec<String>,
    pub reworked_revert: Vec<String>,
    pub reworked_verify: Vec<String>,
    /// Without its dot.
    pub extension: String,
}

impl Places {
    /// As a `sqitch.conf` says for PostgreSQL; `None` where its engine is another one. An empty text leaves everything as it is by
    /// default (`App::Sqitch::Target`).
    pub fn of_configuration(text: &str) -> Option<Places> {
        let configuration = configuration(text);
        let value = |section: &str, key: &str| configuration.get(&(section.to_string(), key.to_string())).cloned();
        if value("core", "engine").is_some_and(|engine| engine != "pg") {
            return None;
        }
        let target = value("engine.pg", "target").or_else(|| value("core.pg", "target"));
        let sections: Vec<String> =
            target.map(|name| format!("target.{name}")).into_iter().chain(["engine.pg".into(), "core".into()]).collect();
        let get = |key: &str| sections.iter().find_map(|section| value(section, key));
        let top = get("top_dir").unwrap_or_default();
        let reworked = get("reworked_dir").unwrap_or_else(|| top.clone());
        let script = |name: &str| clean(&get(&format!("{name}_dir")).unwrap_or_else(|| format!("{top}/{name}")));
        let old_script = |name: &str| match get(&format!("reworked_{name}_dir")) {
            Some(own) => vec![clean(&own)],
            None => {
                let configured = get(&format!("{name}_dir")).map(|directory| format!("{reworked}/{directory}"));
                configured.into_iter().chain([format!("{reworked}/{name}")]).map(|path| clean(&path)).collect()
            }
        };
        Some(Places {
            plan: clean(&get("plan_file").unwrap_or_else(|| format!("{top}/sqitch.plan"))),
            deploy: script("deploy"),
            revert: script("revert"),
            verify: script("verify"),
            reworked_deploy: old_script("deploy"),
            reworked_revert: old_script("revert"),
            reworked_verify: old_script("verify"),
            extension: get("extension").unwrap_or_else(|| "sql".to_string()),
        })
    }

    /// The same places as seen from `below`, a directory below that of the configuration; `None` where one is outside of it.
    pub fn below(&self, below: &str) -> Option<Places> {
        let seen = |path: &str| -> Option<String> {
            if matches!(below, "" | ".") {
                return Some(path.to_string());
            }
            if path == below {
                return Some(".".to_string());
            }
            path.strip_prefix(below)?.strip_prefix('/').map(str::to_string)
        };
        // One of the places where a file may be can lie outside, but not all of them.
        let any = |paths: &[String]| {
            let seen: Vec<String> = paths.iter().filter_map(|path| seen(path)).collect();
            (!seen.is_empty()).then_some(seen)
        };
        Some(Places {
            plan: seen(&self.plan)?,
            deploy: seen(&self.deploy)?,
            revert: seen(&self.revert)?,
            verify: seen(&self.verify)?,
            reworked_deploy: any(&self.reworked_deploy)?,
            reworked_revert: any(&self.reworked_revert)?,
            reworked_verify: any(&self.reworked_verify)?,
            extension: self.extension.clone(),
        })
    }
}

/// `a/./b/../c` as `a/c`; `.` for the directory itself.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match (part, parts.last()) {
            ("..", Some(&last)) if last != ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    if parts.is_empty() { ".".to_string() } else { parts.join("/") }
}

/// Section (`core`, `engine.pg`) and key to value; the last of several counts.
fn configuration(text: &str) -> BTreeMap<(String, String), String> {
    let mut values = BTreeMap::new();
    let mut section = String::new();
    for line in text.trim_start_matches('\u{feff}').lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.split(']').next().unwrap_or_default();
            let (name, subsection) = header.split_once(char::is_whitespace).unwrap_or((header, ""));
            let subsection = subsection.trim().trim_matches('"');
            section = name.to_ascii_lowercase();
            if !subsection.is_empty() {
                section = format!("{section}.{subsection}");
            }
        } else if let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with(['#', ';'])) {
            values.insert((section.clone(), key.trim().to_ascii_lowercase()), unquoted(value.trim()));
        }
    }
    values
}

/// A value without its quotes and the comment behind it.
fn unquoted(value: &str) -> String {
    match value.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        Some((quoted, _)) => quoted.to_string(),
        None => value.split(['#', ';']).next().unwrap_or_default().trim().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "%syntax-version=1.0.0\n%project=shop\n\n\
        schema 2020-01-01T00:00:00Z A B <a@b> # the schema\r\n\
        tables/users [schema] 2020-01-02T00:00:00Z A B <a@b> # users # more\n\
        @v1.0.0 2020-01-03T00:00:00Z A B <a@b> # first\n\n\
        # a note on a line of its own\n\
        other 2020-01-04T00:00:00Z A B <a@b>\n\
        @v1.1.0 2020-01-05T00:00:00Z A B <a@b>\n\
        + tables/users [tables/users@v1.0.0] 2020-01-06T00:00:00Z A B <a@b>\n\
        @v2.0.0 2020-01-07T00:00:00Z A B <a@b>\n\
        tables/users [tables/users@v2.0.0] 2020-01-08T00:00:00Z A B <a@b>\n";

    #[test]
    fn changes_come_in_the_order_of_the_plan_and_reworked_ones_under_their_tags() {
        let changes = changes(PLAN);
        let read: Vec<(&str, String)> = changes.iter().map(|c| (c.name.as_str(), c.files.join(" "))).collect();
        assert_eq!(
            read,
            [
                ("schema", "schema".to_string()),
                ("tables/users", "tables/users@v1.1.0 tables/users@v1.0.0".to_string()),
                ("other", "other".to_string()),
                ("tables/users", "tables/users@v2.0.0".to_string()),
                ("tables/users", "tables/users".to_string()),
            ]
        );
    }

    #[test]
    fn a_text_without_changes_has_none() {
        assert_eq!(changes("%project=shop\n@tag 2020 a <b>\n"), []);
        assert_eq!(changes(""), []);
    }

    #[test]
    fn places_are_those_of_the_target_then_the_engine_then_the_core() {
        let text = "[core]\n\tengine = pg\n\ttop_dir = db ; a comment\n\tdeploy_dir = \"x y\"\n# deploy_dir = no\n\
            [engine \"pg\"]\n\ttarget = live\n\trevert_dir=./undo/\n[target \"live\"]\n\textension = ddl\n";
        let places = Places::of_configuration(text).expect("PostgreSQL");
        assert_eq!((places.plan.as_str(), places.deploy.as_str(), places.revert.as_str()), ("db/sqitch.plan", "x y", "undo"));
        assert_eq!((places.verify.as_str(), places.extension.as_str()), ("db/verify", "ddl"));
        assert_eq!(
            (places.reworked_deploy.join(" | "), places.reworked_verify.join(" | ")),
            ("db/x y | db/deploy".into(), "db/verify".into())
        );
        assert_eq!(places.below("db"), None, "the deploy directory is outside");
        assert_eq!(Places::of_configuration("[core]\nengine = mysql\n"), None);
    }

    #[test]
    fn places_are_seen_from_a_directory_below_the_configuration() {
        let places = Places::of_configuration("[core]\n top_dir = ./db/pg/../pg\n").and_then(|places| places.below("db/pg"));
        let places = places.expect("all of it lies there");
        assert_eq!((places.plan.as_str(), places.deploy.as_str()), ("sqitch.plan", "deploy"));
        assert_eq!(Places::of_configuration("").map(|places| places.plan).as_deref(), Some("sqitch.plan"));
    }
}
