//! The first `phasegate.toml` of a project: what was recognised, written down with a comment for each decision.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What a first configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Starter {
    /// At least one.
    pub histories: Vec<StarterHistory>,
    /// Placeholders that have no value yet, as `[placeholders]` names them.
    pub placeholders: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StarterHistory {
    /// Relative to the configuration, `/` between parts.
    pub path: String,
    pub layout: String,
    /// By what the layout was recognised, for people.
    pub recognised_by: String,
    pub start: Start,
}

/// Where judging starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// After what the manifest in the history's directory lists.
    Manifest,
    /// After what the merge base of HEAD and this ref holds.
    Base(String),
    /// After the unit of this id.
    Through(String),
    /// With the first migration: there is none yet.
    First,
}

impl Starter {
    /// The text of the file. Everything in it that is no comment is in force.
    pub fn text(&self) -> String {
        let mut text = String::from(HEAD);
        if !self.placeholders.is_empty() {
            text.push_str(
                "\n# These stand in the SQL and have no value yet: what runs is known only with one.\n[placeholders]\n",
            );
            for name in &self.placeholders {
                let _ = writeln!(text, "# {} = \"\"", quoted(name));
            }
        }
        // Said once: a monorepo has many histories that start alike.
        let mut said = BTreeSet::new();
        for StarterHistory { path, layout, recognised_by, start } in &self.histories {
            text.push_str("\n[[histories]]\n");
            let _ = writeln!(text, "paths = [{}]", quoted(path));
            let _ = writeln!(text, "# {}", one_line(recognised_by));
            let _ = writeln!(text, "layout = {}", quoted(layout));
            let (about, releases) = match start {
                Start::Manifest => (ABOUT_MANIFEST, None),
                Start::Base(base) => (ABOUT_BASE, Some(("base", base))),
                Start::Through(last) => (ABOUT_THROUGH, Some(("through", last))),
                Start::First => ("", None),
            };
            if said.insert(about) {
                text.push_str(about);
            }
            if let Some((key, value)) = releases {
                let _ = writeln!(text, "releases = {{ {key} = {} }}", quoted(value));
            }
        }
        text
    }
}

const HEAD: &str = "\
# What `phasegate check` reads here. `phasegate config` prints what is in force and where each value comes from,
# `phasegate config --schema` every key there is.

# The server versions that the migrations must work on, so that nothing newer than the oldest slips in.
# postgres = \"15..18\"

# Who sets lock_timeout: each file (the default), or the connection of the runner.
# lock_timeout = \"runner\"

# Levels: off, note, warning or error. `phasegate rules` lists the rules, `phasegate explain RULE` says why one is there.
[rules]
# drop-check = \"off\"
";

const ABOUT_MANIFEST: &str = "\
# released.sha256 in that directory says what is released: that is modelled and not judged. `phasegate freeze` keeps it.
";

const ABOUT_BASE: &str = "\
# What the merge base of HEAD and this branch holds is released: it is modelled and not judged. The rest is pending, and what
# pending migrations create is new. Where releases are rarer than merges, say `tags = \"v*\"` instead, or keep a list with
# `phasegate freeze`: then a contract that follows its expand before a release is found to be too early.
";

const ABOUT_THROUGH: &str = "\
# The last released migration: up to here everything is modelled and not judged, what comes later is pending. Move it forward with
# each release, or let git say it: `base = \"origin/main\"` or `tags = \"v*\"`.
";

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_string()).to_string()
}

/// Text from files in a comment: a comment ends with its line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_toml_whatever_the_names_are() {
        let history = |path: &str, start| StarterHistory {
            path: path.to_string(),
            layout: "plain".to_string(),
            recognised_by: "named\nso".to_string(),
            start,
        };
        let starter = Starter {
            histories: vec![
                history("a \"b\"/é", Start::Base("origin/main".to_string())),
                history("c", Start::Through("00\\1".to_string())),
                history("d", Start::Manifest),
            ],
            placeholders: BTreeSet::from(["schema".to_string(), ".Options.Name".to_string()]),
        };
        let table: toml::Table = starter.text().parse().unwrap();
        let histories = table["histories"].as_array().unwrap();
        assert_eq!(histories[0]["paths"][0].as_str(), Some("a \"b\"/é"));
        assert_eq!(histories[0]["releases"]["base"].as_str(), Some("origin/main"));
        assert_eq!(histories[1]["releases"]["through"].as_str(), Some("00\\1"));
        assert!(histories[2].get("releases").is_none());
        assert!(starter.text().contains("# \".Options.Name\" = \"\"\n# \"schema\" = \"\"\n"));
    }
}
