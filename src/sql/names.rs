//! How SQL spells names: folding and quoting, by the server's own rules.

use crate::op::ObjectName;
use std::fmt;

/// Keywords of PostgreSQL 18 that are not plain identifiers everywhere (`kwlist.h`, all categories but `UNRESERVED_KEYWORD`),
/// sorted. These are the words that the server's `quote_identifier` puts in quotes.
#[rustfmt::skip]
const QUOTED_KEYWORDS: [&str; 164] = [
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "between", "bigint",
    "binary", "bit", "boolean", "both", "case", "cast", "char", "character", "check", "coalesce", "collate",
    "collation", "column", "concurrently", "constraint", "create", "cross", "current_catalog", "current_date",
    "current_role", "current_schema", "current_time", "current_timestamp", "current_user", "dec", "decimal", "default",
    "deferrable", "desc", "distinct", "do", "else", "end", "except", "exists", "extract", "false", "fetch", "float",
    "for", "foreign", "freeze", "from", "full", "grant", "greatest", "group", "grouping", "having", "ilike", "in",
    "initially", "inner", "inout", "int", "integer", "intersect", "interval", "into", "is", "isnull", "join", "json",
    "json_array", "json_arrayagg", "json_exists", "json_object", "json_objectagg", "json_query", "json_scalar",
    "json_serialize", "json_table", "json_value", "lateral", "leading", "least", "left", "like", "limit", "localtime",
    "localtimestamp", "merge_action", "national", "natural", "nchar", "none", "normalize", "not", "notnull", "null",
    "nullif", "numeric", "offset", "on", "only", "or", "order", "out", "outer", "overlaps", "overlay", "placing",
    "position", "precision", "primary", "real", "references", "returning", "right", "row", "select", "session_user",
    "setof", "similar", "smallint", "some", "substring", "symmetric", "system_user", "table", "tablesample", "then",
    "time", "timestamp", "to", "trailing", "treat", "trim", "true", "union", "unique", "user", "using", "values",
    "varchar", "variadic", "verbose", "when", "where", "window", "with", "xmlattributes", "xmlconcat", "xmlelement",
    "xmlexists", "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot", "xmlserialize", "xmltable",
];

/// A string constant as SQL text, whatever `standard_conforming_strings` is: the server's `quote_literal`, where a backslash makes it
/// `E'…'`.
pub fn quote_literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if text.contains('\\') { format!("E'{}'", doubled.replace('\\', "\\\\")) } else { format!("'{doubled}'") }
}

/// An identifier as SQL text, quoted only where it must be: the server's `quote_identifier` (`ruleutils.c`).
pub fn quote_identifier(name: &str) -> String {
    if is_plain(name) && QUOTED_KEYWORDS.binary_search(&name).is_err() {
        return name.to_owned();
    }
    let mut quoted = String::with_capacity(name.len() + 2);
    quoted.push('"');
    for character in name.chars() {
        if character == '"' {
            quoted.push('"');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

/// An unquoted identifier as the server folds it in a UTF-8 database: only ASCII letters change (`downcase_identifier`).
pub fn fold(name: &str) -> String {
    name.to_ascii_lowercase()
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// As SQL text: each part quoted only where it must be.
impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{}.", quote_identifier(schema))?;
        }
        f.write_str(&quote_identifier(&self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pg_query::NodeEnum;
    use pg_query::protobuf::{KeywordKind, Token};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_quoted_name_is_read_back_as_it_was(
            name in prop_oneof!["[a-zA-Z0-9_$\" äß.]{1,20}", proptest::sample::select(&QUOTED_KEYWORDS[..]).prop_map(String::from)]
        ) {
            let parsed = pg_query::parse(&format!("LISTEN {}", quote_identifier(&name)), 0).unwrap().protobuf;
            let node = parsed.stmts[0].stmt.as_ref().and_then(|stmt| stmt.node.as_ref());
            let Some(NodeEnum::ListenStmt(listen)) = node else { panic!("{node:?}") };
            prop_assert_eq!(&listen.conditionname, &name);
        }
    }

    #[test]
    fn identifiers_are_quoted_where_the_server_quotes_them() {
        for (name, expected) in [
            ("users", "users"),
            ("_u1", "_u1"),
            ("Users", r#""Users""#),
            ("1a", r#""1a""#),
            ("a$", r#""a$""#),
            ("a b", r#""a b""#),
            ("größe", r#""größe""#),
            ("say \"hi\"", r#""say ""hi""""#),
            ("", r#""""#),
            ("user", r#""user""#),
            ("order", r#""order""#),
            ("varchar", r#""varchar""#),
            ("left", r#""left""#),
            ("name", "name"),
            ("type", "type"),
        ] {
            assert_eq!(quote_identifier(name), expected);
        }
        assert_eq!(ObjectName::qualified("App", "order").to_string(), r#""App"."order""#);
        assert_eq!(ObjectName::bare("t").to_string(), "t");
    }

    #[test]
    fn folding_leaves_letters_beyond_ascii_alone() {
        assert_eq!(fold("ÄbC"), "Äbc");
    }

    #[test]
    fn the_keyword_table_is_exactly_what_the_scanner_knows() {
        let mut scanned = Vec::new();
        for number in 0..2000 {
            let Ok(token) = Token::try_from(number) else { continue };
            let word = token.as_str_name().trim_end_matches("_P").to_ascii_lowercase();
            let Ok(tokens) = pg_query::scan_tokens(&word) else { continue };
            let [only] = tokens.as_slice() else { continue };
            if !matches!(only.keyword_kind(), KeywordKind::NoKeyword | KeywordKind::UnreservedKeyword) {
                scanned.push(word);
            }
        }
        scanned.sort();
        scanned.dedup();
        assert!(scanned.len() > 100, "the scanner no longer names its keywords");
        assert_eq!(scanned, QUOTED_KEYWORDS);
    }
}
