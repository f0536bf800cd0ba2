//! The canonical description of a schema, made both by the model and by a server, so that one can be held against the other.
//!
//! Contents: everything in user schemas (not `pg_catalog`, `information_schema`, `pg_toast`, `pg_temp`), members of extensions
//! left out on both sides.
//!
//! Invariants, the same on both sides:
//! - A compound name (`schema.name`, map keys, types, functions, owners of sequences) is quoted part by part as `quote_ident`
//!   does it; a lone name (schema, column, constraint, index, trigger, policy, role, label) is raw.
//! - `None` in the model is *unknown*: not compared, but counted. A server says `None` only for the parts of a sequence of what is
//!   none. What is known to be absent is an
//!   empty string or an empty list.
//! - Types are spelled as by `format_type` with only `pg_catalog` on the search path: `character varying(20)`,
//!   `numeric(10,2)[]`, `app.mood`.
//! - Objects PostgreSQL makes for itself are left out: TOAST tables, array types, row types, internal triggers, clones of a
//!   trigger on partitions, clones of a foreign key for partitions of the referenced table, NOT NULL constraints (18).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A schema at one moment. Keys are compound names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub schemas: BTreeSet<String>,
    /// Tables, views, sequences and composite types. Indexes stand with their table.
    pub relations: BTreeMap<String, Relation>,
    /// Enums, domains, ranges and base types. Composite types are relations.
    pub types: BTreeMap<String, Type>,
    /// Key `schema.name(integer, text)`: input arguments, types without modifiers, as in `DROP FUNCTION`.
    pub routines: BTreeMap<String, Routine>,
    /// Name of the extension → its schema. `plpgsql`, there from the start, is one of them.
    pub extensions: BTreeMap<String, Option<String>>,
    pub publications: BTreeMap<String, Publication>,
    /// Compound name (routines with arguments, schemas quoted) → sorted `grantee=privilege`, `*` behind it for the grant
    /// option, `PUBLIC` for everyone. Only objects whose privileges were ever touched; the owner's own are left out.
    pub grants: Option<BTreeMap<String, Vec<String>>>,
}

impl Snapshot {
    /// Leaves out what is in `others` and not in `model`: objects that were there before a history that never speaks of them.
    pub fn leave_out(&mut self, others: &Snapshot, model: &Snapshot) {
        fn leave_out<V>(map: &mut BTreeMap<String, V>, others: &BTreeMap<String, V>, model: &BTreeMap<String, V>) {
            map.retain(|name, _| !others.contains_key(name) || model.contains_key(name));
        }
        self.schemas.retain(|name| !others.schemas.contains(name) || model.schemas.contains(name));
        leave_out(&mut self.relations, &others.relations, &model.relations);
        leave_out(&mut self.types, &others.types, &model.types);
        leave_out(&mut self.routines, &others.routines, &model.routines);
        leave_out(&mut self.extensions, &others.extensions, &model.extensions);
        leave_out(&mut self.publications, &others.publications, &model.publications);
        if let (Some(grants), Some(others), Some(model)) = (&mut self.grants, &others.grants, &model.grants) {
            leave_out(grants, others, model);
        }
    }
}

/// What `pg_class.relkind` says. Indexes and TOAST tables are none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelationKind {
    Table,
    PartitionedTable,
    View,
    MaterializedView,
    Sequence,
    ForeignTable,
    CompositeType,
}

/// One row of `pg_class` with what hangs on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    pub kind: Option<RelationKind>,
    /// In the order of `attnum`. Empty for sequences.
    pub columns: Option<Vec<Column>>,
    pub constraints: Option<BTreeMap<String, Constraint>>,
    /// By name of the index, without its schema, which is the table's.
    pub indexes: Option<BTreeMap<String, Index>>,
    pub triggers: Option<BTreeMap<String, Trigger>>,
    pub policies: Option<BTreeMap<String, Policy>>,
    pub row_security: Option<RowSecurity>,
    pub owner: Option<String>,
    /// INHERITS parents in order, or the partitioned table.
    pub parents: Option<Vec<String>>,
    /// `range`, `list`, `hash`, or empty.
    pub partition_strategy: Option<String>,
    /// True for a partition (`relispartition`), attached or created as such.
    pub partition: Option<bool>,
    /// `permanent` or `unlogged`.
    pub persistence: Option<String>,
    /// Names of rules, `_RETURN` left out.
    pub rules: Option<BTreeSet<String>>,
    /// Set for sequences only; default for the rest.
    pub sequence: Option<Sequence>,
    /// `default`, `nothing`, `full`, `index`; `nothing` for what cannot have one, as `pg_class` has it.
    pub replica_identity: Option<String>,
}

/// One row of `pg_attribute` that is no system column and not dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub type_name: Option<String>,
    pub not_null: Option<bool>,
    /// `atthasdef`, generated columns left out. The server keeps a constant NULL for `varchar(3)` and not for `text`.
    pub default: Option<bool>,
    /// `attidentity`: empty, `a` (always) or `d` (by default).
    pub identity: Option<String>,
    /// `attgenerated`: empty, `s` (stored) or `v` (virtual, 18).
    pub generated: Option<String>,
    /// Compound name of a collation that is not the type's own, or empty.
    pub collation: Option<String>,
}

/// One row of `pg_constraint`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constraint {
    /// `contype`: `c`, `f`, `p`, `u` or `x`.
    pub kind: Option<String>,
    /// Constrained columns in the order of `conkey`; a CHECK's are sorted by `attnum`.
    pub columns: Option<Vec<String>>,
    /// Referenced relation, or empty.
    pub references: Option<String>,
    pub validated: Option<bool>,
    pub deferrable: Option<bool>,
    pub initially_deferred: Option<bool>,
    /// `confdeltype` and `confupdtype`: `a`, `r`, `c`, `n`, `d`; empty where it is no foreign key.
    pub on_delete: Option<String>,
    pub on_update: Option<String>,
}

/// One row of `pg_index`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    pub unique: Option<bool>,
    pub valid: Option<bool>,
    /// Key columns by name; an expression is an empty string.
    pub columns: Option<Vec<String>>,
    pub including: Option<Vec<String>>,
    /// True for a partial index.
    pub predicate: Option<bool>,
    pub method: Option<String>,
    /// True for the index of a primary key, unique or exclusion constraint.
    pub constraint: Option<bool>,
}

/// One row of `pg_trigger`, internal ones and clones left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// `before insert or update row`, `after truncate statement`, `instead of delete row`: timing, events in the order insert,
    /// delete, update, truncate, level.
    pub events: Option<String>,
    /// Compound name without arguments.
    pub function: Option<String>,
    /// `tgenabled`: `O` enabled, `D` disabled, `R` replica, `A` always.
    pub enabled: Option<String>,
}

/// One row of `pg_policy`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// `all`, `select`, `insert`, `update`, `delete`.
    pub command: Option<String>,
    pub permissive: Option<bool>,
    /// Sorted; `public` stands for PUBLIC.
    pub roles: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowSecurity {
    pub enabled: bool,
    pub forced: bool,
}

/// What makes a relation a sequence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    pub type_name: Option<String>,
    /// `schema.table.column` for OWNED BY and identity, or empty.
    pub owned_by: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TypeKind {
    Enum,
    Domain,
    Range,
    Base,
}

/// One row of `pg_type` that is no row type and no array.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Type {
    pub kind: Option<TypeKind>,
    /// Labels of an enum in order; empty for the rest.
    pub labels: Option<Vec<String>>,
    /// Base type of a domain, subtype of a range, or empty.
    pub base: Option<String>,
    /// A domain's NOT NULL.
    pub not_null: Option<bool>,
    /// A domain's default.
    pub default: Option<bool>,
    /// A domain's CHECK constraints by name → validated.
    pub constraints: Option<BTreeMap<String, Option<bool>>>,
    pub owner: Option<String>,
}

/// One row of `pg_proc`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routine {
    /// `prokind`: `f` function, `p` procedure, `a` aggregate, `w` window function.
    pub kind: Option<String>,
    /// Result type without modifier, `SETOF` before it where it applies; empty for a procedure without OUT arguments.
    pub returns: Option<String>,
    pub language: Option<String>,
    /// `provolatile`: `i`, `s` or `v`.
    pub volatility: Option<String>,
    pub security_definer: Option<bool>,
    pub owner: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    pub all_tables: Option<bool>,
    /// Compound names of the tables named one by one.
    pub tables: Option<BTreeSet<String>>,
    pub schemas: Option<BTreeSet<String>>,
}

/// One place where the model and the server disagree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// `relations/public.users/columns/email/type_name`.
    pub path: String,
    /// JSON, cut when long; `absent` where the model has nothing of that name.
    pub model: String,
    pub server: String,
}

/// The result of [`compare`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    pub differences: Vec<Difference>,
    /// Values compared, equal or not.
    pub compared: usize,
    /// Values the model says it does not know, by the name of the field: equality says nothing about these.
    pub unknown: BTreeMap<String, usize>,
}

/// Holds the model against the server. Every field of [`Snapshot`] is compared, because the walk is over what serde writes.
pub fn compare(model: &Snapshot, server: &Snapshot) -> Comparison {
    let mut comparison = Comparison::default();
    match (serde_json::to_value(model), serde_json::to_value(server)) {
        (Ok(model), Ok(server)) => comparison.walk(&mut Vec::new(), &model, &server),
        (model, server) => comparison.differences.push(Difference {
            path: String::new(),
            model: model.err().map(|error| error.to_string()).unwrap_or_default(),
            server: server.err().map(|error| error.to_string()).unwrap_or_default(),
        }),
    }
    comparison
}

impl Comparison {
    fn walk<'a>(&mut self, path: &mut Vec<&'a str>, model: &'a Value, server: &'a Value) {
        match (model, server) {
            // What makes a sequence, of a relation that is none.
            (Value::Null, Value::Null) => {}
            (Value::Null, _) => {
                let field = path.last().copied().unwrap_or_default();
                *self.unknown.entry(field.to_owned()).or_default() += 1;
            }
            (Value::Object(model), Value::Object(server)) => {
                let names: BTreeSet<&str> = model.keys().chain(server.keys()).map(String::as_str).collect();
                for name in names {
                    path.push(name);
                    self.pair(path, model.get(name), server.get(name));
                    path.pop();
                }
            }
            (Value::Array(model), Value::Array(server)) => match (by_name(model), by_name(server)) {
                (Some(model), Some(server)) => self.lists(path, &model, &server),
                _ => self.leaf(path, model, server),
            },
            (model, server) => self.leaf(path, model, server),
        }
    }

    fn pair<'a>(&mut self, path: &mut Vec<&'a str>, model: Option<&'a Value>, server: Option<&'a Value>) {
        match (model, server) {
            (Some(model), Some(server)) => self.walk(path, model, server),
            (model, server) => {
                self.compared += 1;
                self.differ(path, model.map_or_else(absent, shown), server.map_or_else(absent, shown));
            }
        }
    }

    /// Named members of a list: their order is one value, each member another.
    fn lists<'a>(&mut self, path: &mut Vec<&'a str>, model: &[(&'a str, &'a Value)], server: &[(&'a str, &'a Value)]) {
        let names = |list: &[(&str, &Value)]| list.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        self.compared += 1;
        if !model.iter().map(|(name, _)| name).eq(server.iter().map(|(name, _)| name)) {
            self.differ(path, names(model), names(server));
        }
        for (name, value) in model {
            if let Some((_, other)) = server.iter().find(|(candidate, _)| candidate == name) {
                path.push(name);
                self.walk(path, value, other);
                path.pop();
            }
        }
    }

    fn leaf(&mut self, path: &[&str], model: impl PartialEq + Serialize, server: impl PartialEq + Serialize) {
        self.compared += 1;
        let (model, server) = (text(&model), text(&server));
        if model != server {
            self.differ(path, model, server);
        }
    }

    fn differ(&mut self, path: &[&str], model: String, server: String) {
        self.differences.push(Difference { path: path.join("/"), model: cut(model), server: cut(server) });
    }
}

/// The members of a list of objects that have a name; `None` for any other list. An empty list is either.
fn by_name(list: &[Value]) -> Option<Vec<(&str, &Value)>> {
    list.iter().map(|value| Some((value.get("name")?.as_str()?, value))).collect()
}

fn absent() -> String {
    "absent".into()
}

fn shown(value: &Value) -> String {
    match value.get("kind").and_then(Value::as_str) {
        Some(kind) => kind.into(),
        None => text(value),
    }
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| error.to_string())
}

/// A difference is read by people: a whole table in JSON helps nobody.
fn cut(mut value: String) -> String {
    const LIMIT: usize = 300;
    if value.len() > LIMIT {
        let end = (0..=LIMIT).rev().find(|&at| value.is_char_boundary(at)).unwrap_or(0);
        value.truncate(end);
        value.push('…');
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, type_name: Option<&str>) -> Column {
        Column { name: name.into(), type_name: type_name.map(Into::into), ..Column::default() }
    }

    fn with_columns(columns: Vec<Column>) -> Snapshot {
        let relation = Relation { kind: Some(RelationKind::Table), columns: Some(columns), ..Relation::default() };
        Snapshot { relations: [("public.users".to_owned(), relation)].into(), ..Snapshot::default() }
    }

    #[test]
    fn equal_snapshots_have_no_difference() {
        let snapshot = with_columns(vec![column("id", Some("integer"))]);
        assert_eq!(compare(&snapshot, &snapshot).differences, []);
    }

    #[test]
    fn a_difference_names_the_place_and_both_values() {
        let model = with_columns(vec![column("id", Some("integer"))]);
        let server = with_columns(vec![column("id", Some("bigint"))]);
        let expected = Difference {
            path: "relations/public.users/columns/id/type_name".into(),
            model: "\"integer\"".into(),
            server: "\"bigint\"".into(),
        };
        assert_eq!(compare(&model, &server).differences, [expected]);
    }

    #[test]
    fn what_the_model_does_not_know_is_counted_and_not_compared() {
        let model = with_columns(vec![column("id", None)]);
        let server = with_columns(vec![column("id", Some("bigint"))]);
        let known = compare(&server, &server);
        let comparison = compare(&model, &server);
        assert_eq!(comparison.differences, []);
        assert_eq!((known.unknown.get("type_name"), comparison.unknown["type_name"]), (None, 1));
        assert_eq!(comparison.compared, known.compared - 1);
    }

    #[test]
    fn a_column_only_one_side_has_is_one_difference_of_the_list() {
        let model = with_columns(vec![column("id", None)]);
        let server = with_columns(vec![column("id", None), column("name", None)]);
        let paths: Vec<String> = compare(&model, &server).differences.into_iter().map(|found| found.path).collect();
        assert_eq!(paths, ["relations/public.users/columns"]);
    }

    #[test]
    fn a_relation_only_one_side_has_is_named_by_its_kind() {
        let server = with_columns(vec![]);
        let found = compare(&Snapshot::default(), &server).differences;
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].model.as_str(), found[0].server.as_str()), ("absent", "table"));
    }
}
