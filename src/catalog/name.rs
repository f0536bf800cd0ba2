//! Names as reports show them, and names as PostgreSQL makes them up.

use crate::sql::names::quote_identifier;

/// `schema.name`, quoted only where SQL needs it.
pub fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", quote_identifier(schema), quote_identifier(name))
}

/// Identifiers are cut at this many bytes (NAMEDATALEN - 1).
pub const MAX_BYTES: usize = 63;

/// Cuts `name` to at most `limit` bytes at a character boundary, as `pg_mbcliplen` does.
pub fn clip(name: &str, limit: usize) -> &str {
    let mut end = name.len().min(limit);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// `makeObjectName` of `indexcmds.c`: `name1_name2_label`, the longer part shortened first.
pub fn make_object_name(name1: &str, name2: Option<&str>, label: &str) -> String {
    let overhead = label.len() + 1 + usize::from(name2.is_some());
    let available = MAX_BYTES - overhead;
    let mut chars1 = name1.len();
    let mut chars2 = name2.map_or(0, str::len);
    while chars1 + chars2 > available {
        if chars1 > chars2 {
            chars1 -= 1;
        } else {
            chars2 -= 1;
        }
    }
    let mut out = clip(name1, chars1).to_string();
    if let Some(name2) = name2 {
        out.push('_');
        out.push_str(clip(name2, chars2));
    }
    out.push('_');
    out.push_str(label);
    out
}

/// `ChooseRelationName` / `ChooseConstraintName`: the first of label, label1, label2 … that `taken` does not know.
pub fn choose_name(name1: &str, name2: Option<&str>, label: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut candidate = make_object_name(name1, name2, label);
    let mut pass = 0;
    while taken(&candidate) {
        pass += 1;
        candidate = make_object_name(name1, name2, &format!("{label}{pass}"));
    }
    candidate
}

/// `ChooseIndexNameAddition` and `ChooseForeignKeyConstraintNameAddition`: column names joined, cut when over the limit.
pub fn join_columns<'a>(columns: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for column in columns {
        if !out.is_empty() {
            out.push('_');
        }
        out.push_str(column);
        if out.len() > MAX_BYTES {
            break;
        }
    }
    out
}

/// Reads the text of a name as `regclass` does: `s.t`, `"S"."T"`; unquoted parts are folded.
pub fn parse_qualified(text: &str) -> crate::op::ObjectName {
    let mut parts: Vec<String> = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.trim().chars().peekable();
    while let Some(ch) = chars.next() {
        match ch {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                parts.last_mut().into_iter().for_each(|p| p.push('"'));
            }
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            _ if quoted => parts.last_mut().into_iter().for_each(|p| p.push(ch)),
            _ => parts.last_mut().into_iter().for_each(|p| p.push(ch.to_ascii_lowercase())),
        }
    }
    let name = parts.pop().unwrap_or_default();
    crate::op::ObjectName { schema: parts.pop(), name }
}
