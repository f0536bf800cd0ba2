//! Changelogs in XML, YAML and JSON: what they include, and in what order.
//!
//! Read is what says where SQL stands (`DatabaseChangeLog.java`: include, includeAll; `sqlFile` of a changeset). All else of a
//! changeset is another language's.

use serde_json::{Map, Value};
use yaml_rust2::parser::{Event, Parser};

/// Longest changelog that is read. What machines write can be longer, and is no master.
const LONGEST: usize = 4 * 1024 * 1024;
/// How deep changelogs nest. A parser's own stack must not.
const DEEPEST: usize = 64;

/// What a changelog does, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Include { path: String, is_relative: bool },
    IncludeAll { path: String, is_relative: bool, ends_with: Option<String>, unread: Vec<&'static str> },
    ChangeSet(ChangeSet),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeSet {
    pub author: String,
    pub id: String,
    pub dbms: Option<String>,
    pub is_ignored: bool,
    pub runs_in_transaction: bool,
    /// The SQL files that it runs, in order.
    pub sql_files: Vec<SqlFile>,
    /// Whether it does more than run them.
    pub does_more: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlFile {
    pub path: String,
    pub is_relative: bool,
    pub splits_statements: bool,
    pub end_delimiter: Option<String>,
    pub dbms: Option<String>,
}

/// The items of a changelog; `None` for a text that is none, or that cannot be read.
pub fn read(name: &str, text: &str) -> Option<Vec<Item>> {
    let text = text.trim_start_matches('\u{feff}');
    if text.len() > LONGEST || !text.contains("databaseChangeLog") {
        return None;
    }
    let (_, ending) = name.rsplit_once('.')?;
    let nodes = match ending.to_ascii_lowercase().as_str() {
        "xml" => xml(text)?,
        "yaml" | "yml" => entries(yaml(text)?.get("databaseChangeLog")?),
        "json" => entries(serde_json::from_str::<Value>(text).ok()?.get("databaseChangeLog")?),
        _ => return None,
    };
    Some(nodes.iter().filter_map(item).collect())
}

/// An element, with what XML calls attributes and the other languages members.
#[derive(Clone, Debug, Default)]
struct Node {
    name: String,
    values: Vec<(String, String)>,
    children: Vec<Node>,
}

impl Node {
    fn value(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> String {
        self.value(name).unwrap_or_default().to_string()
    }

    fn is(&self, name: &str, default: bool) -> bool {
        self.value(name).map_or(default, |value| value.eq_ignore_ascii_case("true"))
    }
}

fn item(node: &Node) -> Option<Item> {
    let is_relative = node.is("relativeToChangelogFile", false);
    match node.name.as_str() {
        "include" => Some(Item::Include { path: node.value("file")?.to_string(), is_relative }),
        "includeAll" => {
            let unread = ["filter", "resourceFilter", "resourceComparator", "minDepth", "maxDepth"];
            Some(Item::IncludeAll {
                path: node.value("path")?.to_string(),
                is_relative,
                ends_with: node.value("endsWithFilter").map(str::to_string),
                unread: unread.into_iter().filter(|name| node.value(name).is_some()).collect(),
            })
        }
        "changeSet" => Some(Item::ChangeSet(changeset(node))),
        _ => None,
    }
}

fn changeset(node: &Node) -> ChangeSet {
    const NO_CHANGES: [&str; 7] = ["comment", "preConditions", "rollback", "validCheckSum", "tagDatabase", "empty", "modifySql"];
    let changes = node.children.iter().filter(|child| !NO_CHANGES.contains(&child.name.as_str()));
    let (files, others): (Vec<&Node>, Vec<&Node>) =
        changes.partition(|child| child.name == "sqlFile" && child.value("path").is_some());
    ChangeSet {
        author: node.text("author"),
        id: node.text("id"),
        dbms: node.value("dbms").map(str::to_string),
        is_ignored: node.is("ignore", false),
        runs_in_transaction: node.is("runInTransaction", true),
        sql_files: files
            .iter()
            .map(|file| SqlFile {
                path: file.text("path"),
                is_relative: file.is("relativeToChangelogFile", false),
                splits_statements: file.is("splitStatements", true),
                end_delimiter: file.value("endDelimiter").map(str::to_string),
                dbms: file.value("dbms").map(str::to_string),
            })
            .collect(),
        does_more: !others.is_empty(),
    }
}

/// The elements below `<databaseChangeLog>`.
fn xml(text: &str) -> Option<Vec<Node>> {
    let document = roxmltree::Document::parse(text).ok()?;
    let root = document.root_element();
    (root.tag_name().name() == "databaseChangeLog").then(|| children(root, 0))
}

fn children(node: roxmltree::Node<'_, '_>, depth: usize) -> Vec<Node> {
    if depth > DEEPEST {
        return Vec::new();
    }
    let elements = node.children().filter(roxmltree::Node::is_element);
    elements
        .map(|element| Node {
            name: element.tag_name().name().to_string(),
            values: element.attributes().map(|a| (a.name().to_string(), a.value().to_string())).collect(),
            children: children(element, depth + 1),
        })
        .collect()
}

/// Entries such as `- include: { file: … }`.
fn entries(list: &Value) -> Vec<Node> {
    let Value::Array(list) = list else { return Vec::new() };
    let members = list.iter().filter_map(Value::as_object).flat_map(Map::iter);
    members.map(|(name, value)| node(name, value)).collect()
}

fn node(name: &str, value: &Value) -> Node {
    let mut node = Node { name: name.to_string(), ..Node::default() };
    let Value::Object(members) = value else { return node };
    for (key, value) in members {
        match value {
            Value::String(text) => node.values.push((key.clone(), text.clone())),
            Value::Bool(_) | Value::Number(_) => node.values.push((key.clone(), value.to_string())),
            Value::Array(_) if key == "changes" => node.children.extend(entries(value)),
            // A changeset of one change may name it without a list.
            Value::Object(_) if key == "changes" => {
                node.children.extend(value.as_object().into_iter().flatten().map(|(name, value)| self::node(name, value)));
            }
            Value::Array(_) | Value::Object(_) | Value::Null => {}
        }
    }
    node
}

/// A YAML document. `None` for what uses anchors, or nests deeper than people write.
fn yaml(text: &str) -> Option<Value> {
    let mut parser = Parser::new_from_str(text);
    // Collections that are open, with the key that waits for a value.
    let mut open: Vec<(Value, Option<String>)> = Vec::new();
    loop {
        let (event, _) = parser.next_token().ok()?;
        let value = match event {
            Event::StreamEnd | Event::DocumentEnd => return None,
            Event::Alias(_) => return None,
            Event::Scalar(text, ..) => Value::String(text),
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() >= DEEPEST => return None,
            Event::SequenceStart(..) => {
                open.push((Value::Array(Vec::new()), None));
                continue;
            }
            Event::MappingStart(..) => {
                open.push((Value::Object(Map::new()), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop()?.0,
            Event::Nothing | Event::StreamStart | Event::DocumentStart => continue,
        };
        match open.last_mut() {
            None => return Some(value),
            Some((Value::Array(list), _)) => list.push(value),
            Some((Value::Object(members), key)) => match key.take() {
                Some(key) => {
                    members.insert(key, value);
                }
                None => *key = Some(value.as_str().unwrap_or_default().to_string()),
            },
            Some(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn include(path: &str, is_relative: bool) -> Item {
        Item::Include { path: path.into(), is_relative }
    }

    #[test]
    fn the_three_languages_say_the_same() {
        let xml = r#"<?xml version="1.0"?><databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog">
            <include file="a.sql" relativeToChangelogFile="true"/>
            <!-- <include file="no.sql"/> -->
            <includeAll path="db/all/" endsWithFilter=".sql"/>
            <changeSet id="1" author="alice" runInTransaction="false"><comment>x</comment><sqlFile path="b.sql" splitStatements="false"/></changeSet>
        </databaseChangeLog>"#;
        let yaml = "databaseChangeLog:\n  - include:\n      file: a.sql\n      relativeToChangelogFile: true\n  - includeAll:\n      path: db/all/\n      endsWithFilter: .sql\n  - changeSet:\n      id: 1\n      author: alice\n      runInTransaction: false\n      changes:\n        - sqlFile:\n            path: b.sql\n            splitStatements: false\n";
        let json = r#"{"databaseChangeLog":[{"include":{"file":"a.sql","relativeToChangelogFile":true}},{"includeAll":{"path":"db/all/","endsWithFilter":".sql"}},{"changeSet":{"id":1,"author":"alice","runInTransaction":false,"changes":[{"sqlFile":{"path":"b.sql","splitStatements":false}}]}}]}"#;
        let expected = vec![
            include("a.sql", true),
            Item::IncludeAll { path: "db/all/".into(), is_relative: false, ends_with: Some(".sql".into()), unread: Vec::new() },
            Item::ChangeSet(ChangeSet {
                author: "alice".into(),
                id: "1".into(),
                sql_files: vec![SqlFile {
                    path: "b.sql".into(),
                    is_relative: false,
                    splits_statements: false,
                    end_delimiter: None,
                    dbms: None,
                }],
                ..ChangeSet::default()
            }),
        ];
        for (name, text) in [("m.xml", xml), ("m.yaml", yaml), ("m.json", json)] {
            assert_eq!(read(name, text).as_ref(), Some(&expected), "{name}");
        }
    }

    #[test]
    fn a_changeset_that_does_more_than_run_files_is_known() {
        let read_one = |changes: &str| {
            let text = format!("<databaseChangeLog><changeSet id='1' author='a'>{changes}</changeSet></databaseChangeLog>");
            match read("m.xml", &text).expect("a changelog").remove(0) {
                Item::ChangeSet(changeset) => (changeset.does_more, changeset.sql_files.len()),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(read_one("<createTable tableName='t'/>"), (true, 0));
        assert_eq!(read_one("<sqlFile path='a.sql'/><sql>SELECT 1</sql>"), (true, 1));
        assert_eq!(read_one("<preConditions/><sqlFile path='a.sql'/><rollback/>"), (false, 1));
    }

    #[test]
    fn what_cannot_be_read_is_no_changelog() {
        let deep = format!("databaseChangeLog: {}", "[".repeat(100_000));
        let anchors = "databaseChangeLog:\n  - include: &a\n      file: a.sql\n  - include: *a\n";
        for (name, text) in [
            ("m.xml", "<databaseChangeLog>"),
            ("m.xml", "<other>databaseChangeLog</other>"),
            ("m.yaml", anchors),
            ("m.yaml", deep.as_str()),
            ("m.yaml", "databaseChangeLog: ["),
            ("m.json", "{\"databaseChangeLog\""),
            ("m.txt", "databaseChangeLog: []"),
        ] {
            assert_eq!(read(name, text), None, "{name} {}", &text[..text.len().min(40)]);
        }
        assert_eq!(
            read("m.yml", "databaseChangeLog:\n  - include:\n      file: classpath:a.sql\n"),
            Some(vec![include("classpath:a.sql", false)])
        );
    }
}
