//! Which node of the parse tree is which newer form. One line for each, beside its witness in `versions/forms.sql`.

use super::What;
use super::walk::Seen;
use crate::sql::lex::{self, Token, TokenKind};
use crate::sql::lower::text::element_end;
use crate::versions::newer::{self, NameKind};
use pg_query::protobuf::{
    AlterTableType, CoercionForm, ConstrType, JsonExprOp, JsonFormatType, MergeMatchKind, ObjectType, ReindexObjectType,
};

/// The text that was parsed, and the range of the statement in it: for what the tree does not tell.
pub struct Parsed<'a> {
    pub text: &'a str,
    pub start: usize,
    pub end: usize,
}

impl<'a> Parsed<'a> {
    /// The tokens that the parser saw from a place of the statement on.
    fn tokens(&self, from: usize) -> impl Iterator<Item = Token> + use<'a> {
        let end = self.end;
        lex::tokens_from(self.text, from).take_while(move |token| token.span.start < end).filter(|token| !token.is_blank())
    }

    fn is_word(&self, token: Token, words: &[&str]) -> bool {
        token.kind == TokenKind::Word && lex::is_word(token.text(self.text), words)
    }

    /// What stands behind the name of an option, and a `=`, without quotes: the tree has a string for it, or a type.
    fn value(&self, option: &Seen) -> &'a str {
        let behind = option.place().and_then(|place| self.tokens(place).skip(1).find(|token| token.kind != TokenKind::Operator));
        behind.map_or("", |token| token.text(self.text).trim_matches(['\'', '"']))
    }

    /// Where these words follow each other.
    fn find(&self, words: &[&str]) -> Option<usize> {
        let tokens: Vec<Token> = self.tokens(self.start).collect();
        let is_run = |run: &&[Token]| run.iter().zip(words).all(|(token, word)| self.is_word(*token, &[*word]));
        tokens.windows(words.len()).find(is_run).map(|run| run[0].span.start)
    }
}

/// Kinds of nodes that tell a form or carry a name.
pub fn is_watched(kind: &str) -> bool {
    matches!(
        kind,
        "AccessPriv"
            | "AlterStatsStmt"
            | "AlterTableCmd"
            | "AtAlterConstraint"
            | "Alias"
            | "ClusterStmt"
            | "CollateClause"
            | "ColumnDef"
            | "ColumnRef"
            | "Constraint"
            | "CreateEventTrigStmt"
            | "CreateStatsStmt"
            | "CreateStmt"
            | "DefElem"
            | "FuncCall"
            | "GrantStmt"
            | "IndexElem"
            | "JsonArrayAgg"
            | "JsonArrayConstructor"
            | "JsonArrayQueryConstructor"
            | "JsonFormat"
            | "JsonFuncExpr"
            | "JsonIsPredicate"
            | "JsonObjectAgg"
            | "JsonObjectConstructor"
            | "JsonParseExpr"
            | "JsonScalarExpr"
            | "JsonSerializeExpr"
            | "JsonTable"
            | "MergeStmt"
            | "MergeWhenClause"
            | "RangeSubselect"
            | "RangeVar"
            | "ReindexStmt"
            | "ReturningClause"
            | "RoleSpec"
            | "TableLikeClause"
            | "VariableSetStmt"
            | "VariableShowStmt"
            | "XmlSerialize"
    )
}

const DML: [&str; 4] = ["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"];

/// What a node uses, if anything newer.
pub fn judge(seen: &Seen, above: &mut [Seen], parsed: &Parsed<'_>, found: &mut Vec<(Option<usize>, What)>) {
    let is_below = |kind: &str| above.iter().any(|node| node.kind == kind);
    let form = |id| Some(What::Form { id, called: None });
    let form_or_call = |id, called| Some(What::Form { id, called: Some(called) });
    let what = match seen.kind {
        "RangeSubselect" if seen.is_absent("alias") => form("subquery-without-alias"),
        "JsonObjectConstructor" | "JsonObjectAgg" => form("json-object"),
        "JsonArrayConstructor" | "JsonArrayQueryConstructor" => form_or_call("json-array", "json_array"),
        "JsonArrayAgg" => form_or_call("json-array", "json_arrayagg"),
        "JsonIsPredicate" => form("is-json"),
        "JsonTable" => form("json-table"),
        "JsonScalarExpr" => form_or_call("json-scalar", "json_scalar"),
        "JsonSerializeExpr" => form_or_call("json-scalar", "json_serialize"),
        "JsonParseExpr" if seen.flag("unique_keys") || parsed.find(&["without", "unique"]).is_some() => form("json-parse"),
        "JsonFormat" if is_below("JsonParseExpr") && !is(seen, "format_type", JsonFormatType::JsFormatDefault) => {
            form("json-parse")
        }
        "JsonFuncExpr" if is(seen, "op", JsonExprOp::JsonExistsOp) => form_or_call("json-query", "json_exists"),
        "JsonFuncExpr" if is(seen, "op", JsonExprOp::JsonQueryOp) => form_or_call("json-query", "json_query"),
        "JsonFuncExpr" if is(seen, "op", JsonExprOp::JsonValueOp) => form_or_call("json-query", "json_value"),
        "XmlSerialize" if seen.flag("indent") || parsed.find(&["no", "indent"]).is_some() => form("xmlserialize-indent"),

        "MergeStmt" if !seen.is_absent("returning_clause") => form("merge-returning"),
        "MergeWhenClause" if is(seen, "match_kind", MergeMatchKind::MergeWhenNotMatchedBySource) => form("merge-by-source"),
        "ReturningClause" if seen.length("options") > 0 => form("returning-with"),
        "ColumnRef" if is_old_or_new(seen, above) => form("returning-old-new"),

        "ColumnDef" if !seen.text("storage_name").is_empty() => form("column-storage"),
        "CreateStmt" if !seen.is_absent("partspec") && seen.marked => form("partitioned-exclusion"),
        "CreateStmt" if !seen.is_absent("partspec") && !seen.text("access_method").is_empty() => form("partitioned-using"),
        "TableLikeClause" if is_below("CreateForeignTableStmt") => form("foreign-table-like"),
        "AlterTableCmd" => alter_table(seen),
        "AtAlterConstraint" if seen.flag("alter_enforceability") => form("alter-enforced"),
        "AtAlterConstraint" if seen.flag("alter_inheritability") => form("alter-inherit"),
        "Constraint" => constraint(seen, above, parsed),

        "AccessPriv" if is_below("GrantStmt") && seen.text("priv_name") == "maintain" => form("maintain"),
        "AccessPriv" if is_below("GrantRoleStmt") => name(NameKind::Role, seen.text("priv_name")),
        "RoleSpec" => name(NameKind::Role, seen.text("rolename")),
        "GrantStmt" if is_below("AlterDefaultPrivilegesStmt") && is(seen, "objtype", ObjectType::ObjectLargeobject) => {
            form("large-object-defaults")
        }
        "DefElem" => option(seen, above, parsed),

        "CreateStatsStmt" if seen.length("defnames") == 0 => form("unnamed-statistics"),
        "AlterStatsStmt" if seen.is_absent("stxstattarget") => form("statistics-default"),
        "CreateEventTrigStmt" if seen.text("eventname") == "login" => form("login-trigger"),
        "ReindexStmt" if reindexes_this_database(seen) => form("reindex-this-database"),
        "ClusterStmt" if seen.is_absent("relation") && opens_parenthesis(parsed) => form("cluster-options"),

        "RangeVar" if above.last().is_some_and(|node| node.kind == "VacuumRelation") && !seen.flag("inh") => form("vacuum-only"),
        "RangeVar" if matches!(seen.text("schemaname"), "" | "pg_catalog") => name(NameKind::Relation, seen.text("relname")),
        "CollateClause" => name(NameKind::Collation, seen.texts("collname").last().unwrap_or_default()),
        "IndexElem" => name(NameKind::Collation, seen.texts("collation").last().unwrap_or_default()),
        "VariableSetStmt" | "VariableShowStmt" => setting(seen.text("name")),
        "FuncCall" => call(seen),
        _ => None,
    };
    if let Some(what) = what {
        let place = match seen.kind {
            // The tree says where the value stands, if anything.
            "VariableSetStmt" | "VariableShowStmt" => parsed.find(&[seen.text("name")]).or(seen.place()),
            _ => seen.place(),
        };
        found.push((place, what));
    }
    match seen.kind {
        // BY TARGET is what NOT MATCHED means without it.
        "MergeStmt" => {
            let by_target = parsed.find(&["matched", "by", "target"]);
            found.extend(by_target.map(|at| (Some(at), What::Form { id: "merge-by-source", called: None })));
        }
        // A relation that is called OLD or NEW is what RETURNING means by it.
        "Alias" if is_old_or_new_word(seen.text("aliasname")) => mark(above, &DML),
        "RangeVar" if is_old_or_new_word(seen.text("relname")) => mark(above, &DML),
        "Constraint" if is(seen, "contype", ConstrType::ConstrExclusion) => mark(above, &["CreateStmt"]),
        _ => {}
    }
}

fn is(seen: &Seen, key: &str, value: impl Into<i32>) -> bool {
    seen.number(key) == value.into()
}

fn mark(above: &mut [Seen], kinds: &[&str]) {
    if let Some(node) = above.iter_mut().rev().find(|node| kinds.contains(&node.kind)) {
        node.marked = true;
    }
}

fn is_old_or_new_word(word: &str) -> bool {
    matches!(word, "old" | "new")
}

/// `old.a` in RETURNING. In a rule these are rows of the rule.
fn is_old_or_new(seen: &Seen, above: &[Seen]) -> bool {
    is_old_or_new_word(seen.text("fields"))
        && (seen.length("fields") > 1)
        && above.iter().any(|node| node.kind == "ReturningClause")
        && !above.iter().any(|node| node.kind == "RuleStmt" || (DML.contains(&node.kind) && node.marked))
}

fn name(kind: NameKind, name: &str) -> Option<What> {
    newer::name(kind, name).map(|_| What::Name { kind, name: name.to_owned() })
}

fn setting(written: &str) -> Option<What> {
    name(NameKind::Setting, &written.to_ascii_lowercase())
}

fn call(seen: &Seen) -> Option<What> {
    let names: Vec<&str> = seen.texts("funcname").collect();
    let (last, schema) = names.split_last().map(|(last, rest)| (*last, rest.last().copied()))?;
    let arguments = seen.length("args");
    match (last, schema, arguments) {
        // The grammar's own spelling of AT LOCAL.
        ("timezone", _, 1) if is(seen, "funcformat", CoercionForm::CoerceSqlSyntax) => {
            Some(What::Form { id: "at-local", called: None })
        }
        ("set_config", None | Some("pg_catalog"), _) | ("current_setting", None | Some("pg_catalog"), 1) => {
            setting(seen.text("args"))
        }
        (_, None | Some("pg_catalog"), _) if newer::has_function(last) => {
            Some(What::Function { schema: schema.map(str::to_owned), name: last.to_owned(), arguments })
        }
        _ => None,
    }
}

fn alter_table(seen: &Seen) -> Option<What> {
    let is = |subtype: AlterTableType| is(seen, "subtype", subtype);
    let id = if is(AlterTableType::AtSetExpression) {
        "set-expression"
    } else if is(AlterTableType::AtSetStorage) && seen.text("def") == "default" {
        "storage-default"
    } else if is(AlterTableType::AtSetStatistics) && seen.is_absent("def") {
        "statistics-default"
    } else if is(AlterTableType::AtSetAccessMethod) && seen.text("name").is_empty() {
        "access-method-default"
    } else {
        return None;
    };
    Some(What::Form { id, called: None })
}

fn constraint(seen: &Seen, above: &[Seen], parsed: &Parsed<'_>) -> Option<What> {
    let is = |kind: ConstrType| is(seen, "contype", kind);
    let is_in = |kind: &str| above.iter().any(|node| node.kind == kind);
    let id = if is(ConstrType::ConstrGenerated) && seen.text("generated_kind") == "v" {
        "virtual-column"
    } else if seen.flag("without_overlaps") {
        "without-overlaps"
    } else if seen.flag("fk_with_period") || seen.flag("pk_with_period") {
        "foreign-key-period"
    } else if is(ConstrType::ConstrAttrEnforced)
        || is(ConstrType::ConstrAttrNotEnforced)
        || ((is(ConstrType::ConstrCheck) || is(ConstrType::ConstrForeign)) && says_enforced(seen, parsed))
    {
        "not-enforced"
    } else if is(ConstrType::ConstrNotnull) && is_in("AlterDomainStmt") {
        "domain-not-null"
    } else if is(ConstrType::ConstrNotnull) && (seen.length("keys") > 0 || seen.flag("is_no_inherit")) {
        "not-null-constraint"
    } else {
        return None;
    };
    Some(What::Form { id, called: None })
}

/// ENFORCED, with or without NOT: the tree does not tell the first from nothing.
fn says_enforced(seen: &Seen, parsed: &Parsed<'_>) -> bool {
    let Some(from) = seen.place() else { return false };
    let to = element_end(parsed.text, from, parsed.end);
    let mut depth = 0usize;
    parsed.tokens(from).take_while(|token| token.span.start < to).any(|token| {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && parsed.is_word(token, &["enforced"])
    })
}

fn reindexes_this_database(seen: &Seen) -> bool {
    let is_whole =
        is(seen, "kind", ReindexObjectType::ReindexObjectDatabase) || is(seen, "kind", ReindexObjectType::ReindexObjectSystem);
    is_whole && seen.text("name").is_empty()
}

/// The second token of the statement is `(`.
fn opens_parenthesis(parsed: &Parsed<'_>) -> bool {
    parsed.tokens(parsed.start).nth(1).is_some_and(|token| token.kind == TokenKind::Open)
}

/// `name = value` of a statement that takes options.
fn option(seen: &Seen, above: &[Seen], parsed: &Parsed<'_>) -> Option<What> {
    let of = above.last().map(|node| node.kind).unwrap_or_default();
    let value = || parsed.value(seen).to_ascii_lowercase();
    let id = match (of, seen.text("defname")) {
        ("CopyStmt", "default") => "copy-default",
        ("CopyStmt", "log_verbosity") if value() == "silent" => "copy-reject-limit",
        ("CopyStmt", "on_error" | "log_verbosity") => "copy-on-error",
        ("CopyStmt", "reject_limit") => "copy-reject-limit",
        ("CopyStmt", "force_null" | "force_not_null") if seen.holds("arg", "AStar") => "copy-force-all",
        ("VacuumStmt", "buffer_usage_limit" | "process_main" | "skip_database_stats" | "only_database_stats") => "vacuum-option",
        ("ExplainStmt", "generic_plan") => "explain-generic-plan",
        ("ExplainStmt", "serialize" | "memory") => "explain-serialize",
        ("GrantRoleStmt", option) => return membership(option, seen, parsed),
        ("CreatedbStmt", "icu_rules") | ("DefineStmt", "rules") => "collation-rules",
        ("CreatedbStmt", "builtin_locale") => "builtin-provider",
        ("CreatedbStmt", "locale_provider") | ("DefineStmt", "provider") if value() == "builtin" => "builtin-provider",
        ("CreateSubscriptionStmt" | "AlterSubscriptionStmt", "origin" | "password_required" | "run_as_owner") => {
            "subscription-option"
        }
        ("CreateSubscriptionStmt" | "AlterSubscriptionStmt", "streaming") if value() == "parallel" => "subscription-option",
        ("CreateSubscriptionStmt" | "AlterSubscriptionStmt", "failover") => "subscription-failover",
        ("AlterSubscriptionStmt", "two_phase") => "alter-two-phase",
        ("CreatePublicationStmt" | "AlterPublicationStmt", "publish_generated_columns") => "publish-generated",
        ("AlterOperatorStmt", "commutator" | "negator" | "hashes" | "merges") => "operator-option",
        (_, "autovacuum_vacuum_max_threshold" | "vacuum_max_eager_freeze_failure_rate") => "vacuum-storage",
        _ => return None,
    };
    Some(What::Form { id, called: None })
}

/// Every version takes ADMIN OPTION; the tree does not tell it from ADMIN TRUE.
fn membership(option: &str, seen: &Seen, parsed: &Parsed<'_>) -> Option<What> {
    let mut behind = parsed.tokens(seen.place()?).skip(1);
    let says_option = behind.next().is_some_and(|token| parsed.is_word(token, &["option"]));
    let id = match option {
        "admin" if says_option => return None,
        _ if parsed.tokens(parsed.start).next().is_some_and(|first| parsed.is_word(first, &["revoke"])) => {
            "revoke-membership-option"
        }
        _ => "membership-option",
    };
    Some(What::Form { id, called: None })
}
