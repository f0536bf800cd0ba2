//! Settings of the session, as far as names and owners depend on them.
//!
//! `settings` holds what is in effect now, `session_settings` what will be in effect when the transaction has ended: SET LOCAL
//! changes only the first. A savepoint keeps both, since it keeps the whole catalog. Each statement outside of a transaction
//! block is a transaction of its own, so that a SET LOCAL there ends with it and does nothing, as on the server.

use super::Catalog;
use super::object::{Birth, SchemaObject};
use crate::op::{SetParameter, SettingValue};
use crate::sql::names::quote_identifier;
use std::sync::Arc;

/// SET, SET LOCAL and RESET.
pub(super) fn set(c: &mut Catalog, parameter: &SetParameter) {
    let name = parameter.name.as_str();
    if name == "transaction" {
        return;
    }
    if name == "all" && parameter.reset {
        reset_all(c);
        return;
    }
    let value = match &parameter.value {
        _ if parameter.reset => None,
        SettingValue::Default => None,
        // Only a routine's SET clause may say so, and there it is the routine's option.
        SettingValue::FromCurrent => return,
        SettingValue::Values(values) if is_name_list(name) => Some(join_identifiers(values.iter().cloned())),
        SettingValue::Values(values) => Some(values.join(", ")),
    };
    assign(c, name, value, parameter.local);
}

/// `set_config(name, value, is_local)`. A list of identifiers is split and folded as the server does it.
pub(super) fn set_config(c: &mut Catalog, name: &str, value: &str, local: bool) {
    let name = name.to_lowercase();
    let value = if is_name_list(&name) { join_identifiers(split_identifiers(value).into_iter()) } else { value.to_string() };
    assign(c, &name, Some(value), local);
}

/// `set_config` with a value that is not known: unqualified names then go by the default `search_path`.
pub(super) fn set_config_unknown(c: &mut Catalog, name: &str, local: bool) {
    let name = name.to_lowercase();
    if is_name_list(&name) {
        c.incomplete = true;
    }
    assign(c, &name, None, local);
}

/// Timeouts of another unit are gone: what comes next may be another session's.
pub(super) fn forget_timeouts(c: &mut Catalog) {
    for name in ["lock_timeout", "statement_timeout", "transaction_timeout", "idle_in_transaction_session_timeout"] {
        write(&mut c.settings, name, None);
        write(&mut c.session_settings, name, None);
    }
}

/// DISCARD; only DISCARD ALL touches settings and temporary tables.
pub(super) fn discard(c: &mut Catalog, all: bool) {
    if !all {
        return;
    }
    drop_temporary(c);
    c.settings.clear();
    c.session_settings.clear();
}

/// What is in the session's temporary schema falls.
pub(super) fn drop_temporary(c: &mut Catalog) {
    let temporary: Vec<crate::op::ObjectRef> = c
        .relations
        .values()
        .filter(|relation| relation.schema == "pg_temp" && relation.is_table())
        .map(|relation| crate::op::ObjectRef {
            kind: crate::op::ObjectKind::Table,
            name: crate::op::ObjectName::qualified("pg_temp", relation.name.clone()),
            sub: None,
            args: None,
            cast: None,
        })
        .collect();
    super::drop::objects(c, &temporary, true, true, false);
}

/// The transaction is over, committed: SET LOCAL is undone.
pub(super) fn end_transaction(c: &mut Catalog) {
    c.settings = c.session_settings.clone();
}

impl Catalog {
    /// Sets what `search_path` is where no statement sets it, as the runner's role, database or connection has it: RESET and DISCARD
    /// come back to it. Its schemas are taken to be there, with nothing in them that no visible statement created.
    pub fn start_with_search_path(&mut self, schemas: &[String]) {
        self.initial_search_path = schemas.iter().filter(|name| !super::resolve::is_implied(name)).cloned().collect();
        for name in self.initial_search_path.iter().filter(|name| name.as_str() != "pg_temp") {
            let schema = SchemaObject { name: name.clone(), birth: Birth::UNSEEN, known: false, owner: None, grants: Vec::new() };
            self.schemas.entry(name.clone()).or_insert_with(|| Arc::new(schema));
        }
    }

    /// The role that owns what is created now: SET ROLE, else SET SESSION AUTHORIZATION. `None` is the role that connected.
    pub fn current_role(&self) -> Option<String> {
        self.settings.get("role").or_else(|| self.settings.get("session_authorization")).cloned()
    }
}

fn assign(c: &mut Catalog, name: &str, value: Option<String>, local: bool) {
    let value = match (name, value) {
        ("role", Some(role)) if role == "none" => None,
        // With an empty path (as pg_dump sets it) no unqualified name of a user's object works. Statements are assumed to
        // succeed, so one that comes later and is not qualified runs where the path is not empty: a runner's next session.
        ("search_path", Some(path)) if path.is_empty() => None,
        (_, value) => value,
    };
    write(&mut c.settings, name, value.as_ref());
    if !local {
        write(&mut c.session_settings, name, value.as_ref());
    }
    // A new session user is its own role.
    if name == "session_authorization" {
        write(&mut c.settings, "role", None);
        if !local {
            write(&mut c.session_settings, "role", None);
        }
    }
}

fn write(settings: &mut imbl::OrdMap<String, String>, name: &str, value: Option<&String>) {
    match value {
        Some(value) => settings.insert(name.to_string(), value.clone()),
        None => settings.remove(name),
    };
}

/// RESET ALL leaves who one is (GUC_NO_RESET_ALL).
fn reset_all(c: &mut Catalog) {
    for settings in [&mut c.settings, &mut c.session_settings] {
        *settings = settings.iter().filter(|(name, _)| is_identity(name)).map(|(n, v)| (n.clone(), v.clone())).collect();
    }
}

fn is_identity(name: &str) -> bool {
    matches!(name, "role" | "session_authorization")
}

/// Settings that are lists of identifiers and matter here (GUC_LIST_QUOTE).
fn is_name_list(name: &str) -> bool {
    matches!(name, "search_path" | "temp_tablespaces")
}

fn join_identifiers(names: impl Iterator<Item = String>) -> String {
    let quoted: Vec<String> = names.filter(|name| !name.is_empty()).map(|name| quote_identifier(&name)).collect();
    quoted.join(", ")
}

/// `SplitIdentifierString`: at commas outside of quotes, unquoted parts folded, `""` inside quotes is one quote.
pub(super) fn split_identifiers(text: &str) -> Vec<String> {
    split_quoted(text, ',')
}

/// Splits at `separator` outside of double quotes; unquoted parts are trimmed and folded to lower case.
pub(super) fn split_quoted(text: &str, separator: char) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut quoted = false;
    let mut was_quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(ch) = chars.next() {
        match ch {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                part.push('"');
            }
            '"' => {
                quoted = !quoted;
                was_quoted = true;
            }
            _ if quoted => part.push(ch),
            _ if ch == separator => {
                finish(&mut parts, &mut part, &mut was_quoted);
            }
            _ if ch.is_whitespace() => {}
            _ => part.extend(ch.to_lowercase()),
        }
    }
    finish(&mut parts, &mut part, &mut was_quoted);
    parts
}

fn finish(parts: &mut Vec<String>, part: &mut String, was_quoted: &mut bool) {
    if !part.is_empty() || *was_quoted {
        parts.push(std::mem::take(part));
    }
    *was_quoted = false;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(values: &[&str], local: bool) -> SetParameter {
        let values = SettingValue::Values(values.iter().map(|value| value.to_string()).collect());
        SetParameter { name: "search_path".into(), value: values, local, reset: false }
    }

    #[test]
    fn set_local_ends_with_its_transaction_and_set_does_not() {
        let mut c = Catalog::new();
        set(&mut c, &path(&["app", "public"], false));
        set(&mut c, &path(&["other"], true));
        assert_eq!(c.search_path(), ["other"]);
        end_transaction(&mut c);
        assert_eq!(c.search_path(), ["app", "public"]);
    }

    #[test]
    fn a_path_given_to_set_config_is_folded_unless_quoted() {
        let mut c = Catalog::new();
        set_config(&mut c, "search_path", r#""$user", App, "My App""#, false);
        assert_eq!(c.search_path(), ["app", "My App"]);
    }

    #[test]
    fn the_path_that_the_runner_brings_along_is_what_reset_comes_back_to() {
        let mut c = Catalog::new();
        c.start_with_search_path(&["$user".into(), "app".into(), "public".into()]);
        let table = crate::op::ObjectName::bare("t");
        assert_eq!((c.search_path(), c.creation_schema(&table)), (vec!["app".into(), "public".into()], "app".to_string()));
        set(&mut c, &path(&["other"], false));
        discard(&mut c, true);
        assert_eq!(c.search_path(), ["app", "public"]);
    }

    #[test]
    fn an_empty_path_leaves_unqualified_names_in_public() {
        let mut c = Catalog::new();
        set_config(&mut c, "search_path", "", false);
        assert_eq!(c.search_path(), ["public"]);
    }

    #[test]
    fn set_session_authorization_resets_the_role_and_reset_all_does_not() {
        let mut c = Catalog::new();
        let named = |name: &str, value: &str| SetParameter {
            name: name.into(),
            value: SettingValue::Values(vec![value.into()]),
            local: false,
            reset: false,
        };
        set(&mut c, &named("role", "writer"));
        let reset = SetParameter { name: "all".into(), value: SettingValue::Default, local: false, reset: true };
        set(&mut c, &reset);
        assert_eq!(c.current_role().as_deref(), Some("writer"));
        set(&mut c, &named("session_authorization", "owner"));
        assert_eq!(c.current_role().as_deref(), Some("owner"));
    }
}
