//! Rows of the server's catalogs, as far as phasegate looks at them, keyed by OID.
//!
//! Only user schemas are in here, members of extensions included: whether one counts is asked with [`Catalogs::is_member`].
//! `qualified` is `schema.name`, quoted part by part as `quote_ident` does it.

use imbl::{OrdMap, OrdSet};

pub type Oid = u32;
/// Rows of one catalog by their key. Two moments share what did not change between them.
pub type Rows<Key, Row> = OrdMap<Key, Row>;

/// OIDs of the catalogs themselves, as `pg_depend.classid` has them; they never change (`src/include/catalog/*.h`).
pub const PG_CLASS: Oid = 1259;
pub const PG_TYPE: Oid = 1247;
pub const PG_PROC: Oid = 1255;
pub const PG_NAMESPACE: Oid = 2615;

/// `FirstNormalObjectId` (`src/include/access/transam.h`): what has a lower OID came with the server.
pub const FIRST_NORMAL_OBJECT: Oid = 16_384;

/// Everything at one moment. Clones share what did not change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalogs {
    pub namespaces: Rows<Oid, Namespace>,
    pub classes: Rows<Oid, Class>,
    /// By relation and `attnum`; system and dropped columns are not there.
    pub attributes: Rows<(Oid, i16), Attribute>,
    pub constraints: Rows<Oid, ConstraintRow>,
    pub indexes: Rows<Oid, IndexRow>,
    pub triggers: Rows<Oid, TriggerRow>,
    pub policies: Rows<Oid, PolicyRow>,
    pub rules: Rows<Oid, RuleRow>,
    pub types: Rows<Oid, TypeRow>,
    pub labels: Rows<Oid, LabelRow>,
    pub routines: Rows<Oid, RoutineRow>,
    /// Child, then `inhseqno` → parent.
    pub inherits: Rows<(Oid, i32), Oid>,
    pub sequences: Rows<Oid, SequenceRow>,
    pub extensions: Rows<Oid, ExtensionRow>,
    /// (catalog, object) of every member of an extension.
    pub members: OrdSet<(Oid, Oid)>,
    pub publications: Rows<String, PublicationRow>,
    pub roles: Rows<Oid, String>,
    /// Relations and indexes with their files, members of extensions left out; read only where [`super::Observer::with_files`].
    pub files: Rows<Oid, RelationFile>,
}

impl Catalogs {
    /// True for what `CREATE EXTENSION` made.
    pub fn is_member(&self, catalog: Oid, object: Oid) -> bool {
        self.members.contains(&(catalog, object))
    }

    /// Columns of one relation in order.
    pub fn columns_of(&self, relation: Oid) -> impl Iterator<Item = (i16, &Attribute)> {
        self.attributes.range((relation, i16::MIN)..=(relation, i16::MAX)).map(|((_, number), column)| (*number, column))
    }
}

/// What has a name in `pg_class`, and where its rows are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelationFile {
    pub qualified: String,
    pub kind: char,
    /// 0 for what has no file of its own.
    pub file: Oid,
    /// The table of an index, else 0.
    pub table: Oid,
    /// An index that excludes reads the table twice when it is built: for itself, and for what it excludes (`IndexCheckExclusion`).
    pub excludes: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    pub name: String,
    /// As `quote_ident` writes it.
    pub quoted: String,
    pub privileges: Privileges,
}

/// An access control list. The owner's own entries are left out of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privileges {
    /// What is stored; `None` where nothing was ever granted or revoked.
    pub stored: Option<Vec<String>>,
    pub owner: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    pub name: String,
    pub qualified: String,
    pub namespace: Oid,
    /// `relkind`: r, p, v, m, S, f, c.
    pub kind: char,
    pub privileges: Privileges,
    pub persistence: char,
    pub row_security: bool,
    pub force_row_security: bool,
    pub replica_identity: char,
    pub is_partition: bool,
    /// `partstrat`, or a blank.
    pub partition_strategy: char,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    pub name: String,
    pub quoted: String,
    pub type_oid: Oid,
    pub type_modifier: i32,
    pub type_name: String,
    pub not_null: bool,
    /// `atthasdef`: also true for a generated column.
    pub has_default: bool,
    /// The default is a constant NULL, which the server keeps for `varchar(3)` and not for `text`.
    pub default_is_null: bool,
    pub identity: String,
    pub generated: String,
    pub collation: String,
    pub grants: Option<Vec<String>>,
    /// Where the row stands: another place after every change of it.
    pub row_version: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConstraintRow {
    pub name: String,
    pub quoted: String,
    pub kind: char,
    /// The table, or 0 for a domain's.
    pub relation: Oid,
    /// The domain, or 0 for a table's.
    pub domain: Oid,
    pub columns: Vec<i16>,
    /// The referenced table, or 0.
    pub referenced: Oid,
    pub validated: bool,
    pub deferrable: bool,
    pub initially_deferred: bool,
    pub on_delete: String,
    pub on_update: String,
    /// A clone of a foreign key on the same table, made for a partition of the referenced one.
    pub is_clone: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexRow {
    pub name: String,
    pub qualified: String,
    pub relation: Oid,
    pub unique: bool,
    pub valid: bool,
    /// `indkey`; 0 is an expression.
    pub columns: Vec<i16>,
    /// How many of them are key columns; the others are INCLUDE.
    pub key_columns: i16,
    pub predicate: bool,
    pub method: String,
    pub of_constraint: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerRow {
    pub name: String,
    pub quoted: String,
    pub relation: Oid,
    /// `tgtype`, a set of bits (`src/include/catalog/pg_trigger.h`).
    pub bits: i16,
    pub function: String,
    pub enabled: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRow {
    pub name: String,
    pub quoted: String,
    pub relation: Oid,
    pub command: char,
    pub permissive: bool,
    pub roles: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRow {
    pub name: String,
    pub quoted: String,
    pub relation: Oid,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeRow {
    pub qualified: String,
    /// `typtype`: e, d, r, b.
    pub kind: char,
    pub owner: String,
    /// Base type of a domain or subtype of a range, spelled with its modifier, or empty.
    pub base: String,
    /// Base type of a domain, or 0.
    pub base_oid: Oid,
    pub not_null: bool,
    pub has_default: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelRow {
    pub enum_type: Oid,
    pub label: String,
    pub quoted: String,
    /// 1-based.
    pub position: i32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutineRow {
    /// Without arguments: their types may be renamed while the routine is not.
    pub qualified: String,
    /// `schema.name(integer, text)`.
    pub signature: String,
    pub kind: String,
    pub returns: String,
    pub language: String,
    pub volatility: String,
    pub security_definer: bool,
    pub privileges: Privileges,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionRow {
    pub name: String,
    pub quoted: String,
    /// Raw name of the schema it was installed in.
    pub schema: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequenceRow {
    pub type_name: String,
    /// Owning column, or `None`.
    pub owner: Option<(Oid, i16)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicationRow {
    pub all_tables: bool,
    pub tables: Vec<String>,
    pub schemas: Vec<String>,
}
