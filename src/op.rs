//! What a statement says, in field terms. No parser types.
//!
//! [`Op`] is produced by `sql::lower` and consumed by `catalog::apply`. Both match it exhaustively, without `_ =>`: a new
//! statement kind does not compile until every room has decided. Names are as written but folded (`Foo` is `foo`, `"Foo"`
//! stays); schema qualification is kept and resolved by the catalog, which alone knows `search_path`.

use crate::effect::LockMode;
use crate::expr::Expr;

/// A byte range, start inclusive, end exclusive, in the file as it is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

/// A possibly schema-qualified name, folded, unquoted. A catalog (database) part is dropped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    pub schema: Option<String>,
    pub name: String,
}

impl ObjectName {
    pub fn bare(name: impl Into<String>) -> Self {
        ObjectName { schema: None, name: name.into() }
    }
    pub fn qualified(schema: impl Into<String>, name: impl Into<String>) -> Self {
        ObjectName { schema: Some(schema.into()), name: name.into() }
    }
}

/// A type as written in SQL: `numeric(10,2)[]`, `varchar(20)`, `app.mood`, `SETOF t`, `t.c%TYPE`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypeRef {
    /// The parser's own spelling of built-in types: `int4`, `varchar`, `bpchar`, `timestamptz`, `numeric`; schema `pg_catalog`
    /// is dropped for names that only the grammar produces (so `integer` is `int4` with no schema).
    pub name: ObjectName,
    /// Constant type modifiers as written: `numeric(10,2)` is `[10, 2]`, `varchar(20)` is `[20]`. An `interval` carries the
    /// parser's field mask first.
    pub typmods: Vec<i64>,
    /// Modifiers that are words: `geometry(Point, 4326)` has `["point"]` here and `[4326]` in `typmods`.
    pub modifier_words: Vec<String>,
    /// Number of array dimensions, 0 for a scalar.
    pub array_dims: u8,
    pub setof: bool,
    /// `name%TYPE`: `t.c%TYPE` is schema `t`, name `c`; `s.t.c%TYPE` is schema `s.t`, name `c`.
    pub percent_type: bool,
}

impl TypeRef {
    /// A scalar type by name, without modifiers.
    pub fn of(name: ObjectName) -> TypeRef {
        TypeRef { name, typmods: Vec::new(), modifier_words: Vec::new(), array_dims: 0, setof: false, percent_type: false }
    }
}

/// How an object was meant when several kinds share a command (DROP, RENAME, COMMENT, OWNER, SET SCHEMA).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    Table,
    ForeignTable,
    View,
    MaterializedView,
    Index,
    Sequence,
    Schema,
    Extension,
    Type,
    Domain,
    Function,
    Procedure,
    /// DROP ROUTINE and friends: either of the two.
    Routine,
    Aggregate,
    Operator,
    OperatorClass,
    OperatorFamily,
    Cast,
    Collation,
    Conversion,
    Language,
    Trigger,
    EventTrigger,
    Rule,
    Policy,
    Column,
    Attribute,
    TableConstraint,
    DomainConstraint,
    Role,
    Database,
    Tablespace,
    Publication,
    Subscription,
    ForeignServer,
    ForeignDataWrapper,
    UserMapping,
    Statistics,
    TextSearch,
    AccessMethod,
    Transform,
    LargeObject,
    Parameter,
}

/// The target of a command that takes any kind of object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRef {
    pub kind: ObjectKind,
    /// The object itself, or the relation (or domain) it hangs on for triggers, rules, policies, constraints and columns.
    pub name: ObjectName,
    /// Name of the trigger, rule, policy, constraint, column or attribute on `name`.
    pub sub: Option<String>,
    /// Argument types of a routine, aggregate or operator; `None` when the statement gave no parentheses.
    pub args: Option<Vec<TypeRef>>,
    /// Source and target type of a cast.
    pub cast: Option<(TypeRef, TypeRef)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    Permanent,
    Unlogged,
    Temporary,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdentityKind {
    Always,
    ByDefault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GeneratedKind {
    Stored,
    Virtual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum FkAction {
    #[default]
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

/// A column constraint keeps its place in the column; a table constraint names its columns itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ConstraintDef {
    pub name: Option<String>,
    pub kind: ConstraintKind,
    pub deferrable: bool,
    pub initially_deferred: bool,
    /// NOT VALID.
    pub not_valid: bool,
    /// False for NOT ENFORCED (18).
    pub enforced: bool,
    /// CHECK or NOT NULL … NO INHERIT.
    pub no_inherit: bool,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ConstraintKind {
    Null,
    NotNull {
        column: Option<String>,
    },
    Default(Expr),
    Identity {
        kind: IdentityKind,
        options: Vec<SequenceOption>,
    },
    Generated {
        kind: GeneratedKind,
        expr: Expr,
    },
    Check(Expr),
    /// `columns` is empty for a column constraint. `using_index` is `UNIQUE USING INDEX i`.
    Unique {
        columns: Vec<String>,
        including: Vec<String>,
        nulls_not_distinct: bool,
        using_index: Option<String>,
        without_overlaps: bool,
    },
    PrimaryKey {
        columns: Vec<String>,
        including: Vec<String>,
        using_index: Option<String>,
        without_overlaps: bool,
    },
    Exclude {
        elements: Vec<IndexElement>,
        operators: Vec<String>,
        method: String,
        predicate: Option<Expr>,
    },
    ForeignKey {
        columns: Vec<String>,
        references: ObjectName,
        ref_columns: Vec<String>,
        on_delete: FkAction,
        on_update: FkAction,
        match_full: bool,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct ColumnDef {
    pub name: String,
    /// `None` for a column of a typed table or partition that only adds options.
    pub type_ref: Option<TypeRef>,
    pub collation: Option<ObjectName>,
    pub constraints: Vec<ConstraintDef>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TableElement {
    Column(ColumnDef),
    Constraint(ConstraintDef),
    Like { source: ObjectName, options: LikeOptions },
}

/// LIKE … INCLUDING. All false is bare LIKE: names, types, NOT NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LikeOptions {
    pub comments: bool,
    pub constraints: bool,
    pub defaults: bool,
    pub generated: bool,
    pub identity: bool,
    pub indexes: bool,
    pub statistics: bool,
    pub storage: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionStrategy {
    Range,
    List,
    Hash,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PartitionBy {
    pub strategy: PartitionStrategy,
    /// Plain key columns, or `None` where the key part is an expression.
    pub columns: Vec<Option<String>>,
    /// The key parts that are expressions, in order: they hold on to the columns they name.
    pub expressions: Vec<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PartitionBound {
    Default,
    List(Vec<Expr>),
    /// `None` is MINVALUE / MAXVALUE.
    Range {
        from: Vec<Option<Expr>>,
        to: Vec<Option<Expr>>,
    },
    Hash {
        modulus: i64,
        remainder: i64,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateTable {
    pub name: ObjectName,
    pub persistence: Persistence,
    pub if_not_exists: bool,
    pub elements: Vec<TableElement>,
    /// INHERITS parents, or the one parent of PARTITION OF.
    pub inherits: Vec<ObjectName>,
    /// Set for PARTITION OF.
    pub bound: Option<PartitionBound>,
    pub partition_by: Option<PartitionBy>,
    /// CREATE TABLE … OF type.
    pub of_type: Option<ObjectName>,
    pub access_method: Option<String>,
    /// Set for CREATE FOREIGN TABLE.
    pub foreign_server: Option<String>,
    pub options: Vec<(String, Option<String>)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct IndexElement {
    /// A plain column, or `None` for an expression.
    pub column: Option<String>,
    pub expr: Option<Expr>,
    pub opclass: Option<ObjectName>,
    pub collation: Option<ObjectName>,
    pub descending: bool,
    pub nulls_first: Option<bool>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateIndex {
    pub name: Option<String>,
    pub relation: ObjectName,
    pub only: bool,
    pub unique: bool,
    pub concurrently: bool,
    pub if_not_exists: bool,
    pub method: String,
    pub elements: Vec<IndexElement>,
    pub including: Vec<String>,
    pub nulls_not_distinct: bool,
    pub predicate: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateView {
    pub name: ObjectName,
    pub persistence: Persistence,
    pub or_replace: bool,
    /// Column aliases given after the name.
    pub columns: Vec<String>,
    pub query: Query,
    pub options: Vec<(String, Option<String>)>,
    pub check_option: bool,
}

/// CREATE TABLE AS, SELECT INTO and CREATE MATERIALIZED VIEW.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTableAs {
    pub name: ObjectName,
    pub materialized: bool,
    pub persistence: Persistence,
    pub if_not_exists: bool,
    pub columns: Vec<String>,
    pub query: Query,
    pub with_data: bool,
}

/// A query as far as the catalog needs it: output columns and what it depends on.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Query {
    pub targets: Vec<Target>,
    /// FROM items in order, joins flattened (JOIN USING and NATURAL merge their columns: `merged`).
    pub from: Vec<FromItem>,
    /// Common table expressions of this level, in order.
    pub ctes: Vec<(String, Vec<String>, Query)>,
    /// WITH RECURSIVE: the name of a common table expression is known inside itself.
    pub recursive: bool,
    /// Columns merged by JOIN … USING; natural joins set `natural`.
    pub merged: Vec<String>,
    pub natural: bool,
    /// Set operations: output comes from `set_arms[0]`'s names and the arms' common types; `targets` and `from` are empty.
    pub set_arms: Vec<Query>,
    /// VALUES lists: one row of expressions stands for all.
    pub values: Option<Vec<Expr>>,
    pub has_where: bool,
    pub has_limit: bool,
    pub distinct: bool,
    /// GROUP BY keys, by which a primary key's functional dependency may matter.
    pub grouped: bool,
    /// WHERE, HAVING, JOIN conditions, ORDER BY … : expressions that only add dependencies.
    pub conditions: Vec<Expr>,
    /// FOR UPDATE / SHARE.
    pub for_update: bool,
    /// Data-modifying common table expressions.
    pub modifying: Vec<Dml>,
    /// Normalised SQL text (deparsed), to compare definitions.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub name: Option<String>,
    pub expr: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FromItem {
    Relation {
        name: ObjectName,
        alias: Option<String>,
        column_aliases: Vec<String>,
        only: bool,
    },
    Subquery {
        query: Box<Query>,
        alias: Option<String>,
        column_aliases: Vec<String>,
        lateral: bool,
    },
    Function {
        calls: Vec<Expr>,
        alias: Option<String>,
        column_aliases: Vec<String>,
        column_types: Vec<TypeRef>,
        ordinality: bool,
    },
    /// VALUES is a Subquery; anything else (XMLTABLE, JSON_TABLE) yields named columns of unknown type.
    Other {
        alias: Option<String>,
        columns: Vec<String>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum AlterTableCommand {
    AddColumn {
        column: ColumnDef,
        if_not_exists: bool,
    },
    DropColumn {
        name: String,
        if_exists: bool,
        cascade: bool,
    },
    SetType {
        column: String,
        type_ref: TypeRef,
        collation: Option<ObjectName>,
        using: Option<Expr>,
    },
    SetDefault {
        column: String,
        expr: Expr,
    },
    DropDefault {
        column: String,
    },
    SetNotNull {
        column: String,
    },
    DropNotNull {
        column: String,
    },
    SetExpression {
        column: String,
        expr: Expr,
    },
    DropExpression {
        column: String,
        if_exists: bool,
    },
    AddIdentity {
        column: String,
        kind: IdentityKind,
        options: Vec<SequenceOption>,
    },
    SetIdentity {
        column: String,
        kind: Option<IdentityKind>,
        options: Vec<SequenceOption>,
    },
    DropIdentity {
        column: String,
        if_exists: bool,
    },
    /// SET STATISTICS; index columns by number have no name.
    SetStatistics {
        column: Option<String>,
    },
    SetColumnOptions {
        column: String,
    },
    SetStorage {
        column: String,
    },
    SetCompression {
        column: String,
    },
    AddConstraint(ConstraintDef),
    AlterConstraint {
        name: String,
        deferrable: Option<bool>,
        initially_deferred: Option<bool>,
        enforced: Option<bool>,
        no_inherit: Option<bool>,
    },
    ValidateConstraint {
        name: String,
    },
    DropConstraint {
        name: String,
        if_exists: bool,
        cascade: bool,
    },
    /// CLUSTER ON index / SET WITHOUT CLUSTER.
    ClusterOn {
        index: Option<String>,
    },
    SetLogged,
    SetUnlogged,
    SetAccessMethod {
        method: Option<String>,
    },
    SetTablespace {
        tablespace: String,
    },
    SetOptions {
        options: Vec<(String, Option<String>)>,
    },
    ResetOptions {
        options: Vec<String>,
    },
    /// ENABLE / DISABLE TRIGGER; `name` is `None` for ALL and USER. `user_only` is USER.
    EnableTrigger {
        name: Option<String>,
        state: TriggerState,
        user_only: bool,
    },
    EnableRule {
        name: String,
        state: TriggerState,
    },
    Inherit {
        parent: ObjectName,
    },
    NoInherit {
        parent: ObjectName,
    },
    OfType {
        name: ObjectName,
    },
    NotOf,
    ReplicaIdentity(ReplicaIdentity),
    EnableRls,
    DisableRls,
    ForceRls,
    NoForceRls,
    Owner {
        role: String,
    },
    AttachPartition {
        partition: ObjectName,
        bound: PartitionBound,
    },
    /// ALTER INDEX … ATTACH PARTITION.
    AttachIndex {
        index: ObjectName,
    },
    DetachPartition {
        partition: ObjectName,
        concurrently: bool,
        finalize: bool,
    },
    /// Foreign-table options and the like: no effect on the modelled schema. Dropped ones are `drop x`.
    GenericOptions {
        options: Vec<(String, Option<String>)>,
    },
    /// ALTER TYPE … ADD / DROP / ALTER ATTRIBUTE come as AddColumn, DropColumn and SetType with `AlterTable::kind` = Type.
    /// A subcommand this crate has no name for; the parser's own name is kept.
    Unknown {
        name: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerState {
    Enabled,
    Disabled,
    Always,
    Replica,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplicaIdentity {
    Default,
    Full,
    Nothing,
    Index(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterTable {
    pub name: ObjectName,
    /// The word after ALTER: Table, Index, View, MaterializedView, Sequence, ForeignTable, Type (composite).
    pub kind: ObjectKind,
    pub only: bool,
    pub if_exists: bool,
    pub commands: Vec<AlterTableCommand>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum SequenceOption {
    As(TypeRef),
    Increment(i64),
    Start(i64),
    MinValue(Option<i64>),
    MaxValue(Option<i64>),
    Restart(Option<i64>),
    Cache(i64),
    Cycle(bool),
    /// OWNED BY t.c, or `None` for OWNED BY NONE.
    OwnedBy(Option<(ObjectName, String)>),
    /// Identity sequences may be named: SEQUENCE NAME.
    Name(ObjectName),
    SetLogged(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RoutineKind {
    Function,
    Procedure,
    Aggregate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgMode {
    In,
    Out,
    InOut,
    Variadic,
    Table,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RoutineArg {
    pub name: Option<String>,
    pub type_ref: TypeRef,
    pub mode: ArgMode,
    pub default: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volatility {
    Immutable,
    Stable,
    Volatile,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateRoutine {
    pub name: ObjectName,
    pub kind: RoutineKind,
    pub or_replace: bool,
    pub args: Vec<RoutineArg>,
    pub returns: Option<TypeRef>,
    /// Lower case: `plpgsql`, `sql`, `c` …
    pub language: String,
    pub volatility: Volatility,
    pub strict: bool,
    pub security_definer: bool,
    /// SET parameter clauses: (name, value as written).
    pub settings: Vec<(String, String)>,
    pub body: Body,
}

/// The text inside a routine or DO block, opened.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Body {
    pub language: String,
    /// Statements of the body in the order of text, with their control flow.
    pub steps: Vec<Step>,
    /// Normalised source text, to compare definitions.
    pub text: String,
    /// A body that could not be opened and why: another language, a C symbol.
    pub opaque: Option<String>,
    /// A body without quotes (BEGIN ATOMIC, RETURN): its names were looked up when the routine was created.
    pub bound: bool,
}

/// One node of a body's control flow.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "most steps are SQL, and a box for each would cost more than the few others waste")]
pub enum Step {
    /// A SQL statement that runs when control reaches it.
    Sql(Statement),
    /// SQL text built at run time that could not be folded to constants.
    Dynamic {
        span: Span,
        text: String,
    },
    /// IF / ELSIF / ELSE and CASE: each arm with its condition, else is `otherwise`.
    If {
        arms: Vec<(Expr, Vec<Step>)>,
        otherwise: Vec<Step>,
        span: Span,
    },
    /// FOR, WHILE, FOREACH, LOOP. `query` is the query of a FOR … IN query loop.
    Loop {
        query: Option<Box<Query>>,
        body: Vec<Step>,
        span: Span,
    },
    /// BEGIN … EXCEPTION … END. Conditions are SQLSTATE names or `others`, lower case.
    Block {
        body: Vec<Step>,
        handlers: Vec<(Vec<String>, Vec<Step>)>,
        span: Span,
    },
    Raise {
        level: RaiseLevel,
        span: Span,
    },
    /// RETURN; `null` where the expression is the constant NULL.
    Return {
        expr: Option<Expr>,
        span: Span,
    },
    /// Assignment, PERFORM, GET DIAGNOSTICS …: expressions that are evaluated; calls in them act.
    Evaluate {
        target: Option<String>,
        expr: Expr,
        span: Span,
    },
    /// COMMIT / ROLLBACK inside a procedure or DO.
    Transaction {
        commit: bool,
        span: Span,
    },
    /// EXIT, CONTINUE, NULL, ASSERT: no effect on the schema.
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RaiseLevel {
    Exception,
    Other,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateTrigger {
    pub name: String,
    pub relation: ObjectName,
    pub or_replace: bool,
    pub constraint: bool,
    pub timing: TriggerTiming,
    pub events: Vec<TriggerEvent>,
    pub update_columns: Vec<String>,
    pub for_each_row: bool,
    pub when: Option<Expr>,
    pub function: ObjectName,
    pub deferrable: bool,
    pub initially_deferred: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerTiming {
    Before,
    After,
    InsteadOf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerEvent {
    Insert,
    Update,
    Delete,
    Truncate,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub name: String,
    pub relation: ObjectName,
    pub permissive: bool,
    /// all, select, insert, update, delete.
    pub command: String,
    pub roles: Vec<String>,
    pub using: Option<Expr>,
    pub check: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TypeDefinition {
    Enum(Vec<String>),
    Composite(Vec<ColumnDef>),
    Range {
        subtype: Option<TypeRef>,
        multirange: Option<ObjectName>,
    },
    /// CREATE TYPE name; or with INPUT/OUTPUT functions.
    Base,
}

#[derive(Clone, Debug, PartialEq)]
pub enum AlterEnum {
    AddValue { value: String, if_not_exists: bool, before: Option<String>, after: Option<String> },
    RenameValue { from: String, to: String },
}

#[derive(Clone, Debug, PartialEq)]
pub enum AlterDomain {
    SetDefault(Expr),
    DropDefault,
    SetNotNull,
    DropNotNull,
    AddConstraint(ConstraintDef),
    DropConstraint { name: String, if_exists: bool, cascade: bool },
    ValidateConstraint { name: String },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// False is REVOKE.
    pub is_grant: bool,
    pub targets: GrantTargets,
    /// Lower case; empty is ALL. Column privileges carry their columns.
    pub privileges: Vec<(String, Vec<String>)>,
    /// `public` stands for PUBLIC.
    pub grantees: Vec<String>,
    pub grant_option: bool,
    pub cascade: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum GrantTargets {
    Objects {
        kind: ObjectKind,
        objects: Vec<ObjectRef>,
    },
    AllInSchema {
        kind: ObjectKind,
        schemas: Vec<String>,
    },
    /// ALTER DEFAULT PRIVILEGES; schemas empty is everywhere.
    Defaults {
        kind: ObjectKind,
        schemas: Vec<String>,
        roles: Vec<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DmlKind {
    Insert,
    Update,
    Delete,
    Merge,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Dml {
    pub kind: DmlKind,
    pub relation: ObjectName,
    /// Target columns of INSERT (empty when not given), or those UPDATE sets.
    pub columns: Vec<String>,
    /// INSERT … SELECT, FROM / USING parts, subqueries.
    pub sources: Query,
    /// True when INSERT takes rows from VALUES or DEFAULT VALUES.
    pub values: bool,
    pub on_conflict: Option<OnConflict>,
    pub has_where: bool,
    /// The WHERE condition.
    pub condition: Option<Expr>,
    pub returning: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnConflict {
    Any,
    Columns(Vec<String>),
    Constraint(String),
    Expressions,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransactionCommand {
    Begin,
    Commit,
    Rollback,
    Savepoint(String),
    Release(String),
    RollbackTo(String),
    /// PREPARE TRANSACTION, COMMIT/ROLLBACK PREPARED.
    TwoPhase,
}

/// The value of SET: constants as text, joined lists apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    Values(Vec<String>),
    Default,
    FromCurrent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetParameter {
    /// Lower case; `all` for RESET ALL. SET ROLE is `role`, SET SESSION AUTHORIZATION `session_authorization`, SET TIME ZONE
    /// `timezone`, SET TRANSACTION … `transaction`.
    pub name: String,
    pub value: SettingValue,
    pub local: bool,
    pub reset: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    CreateSchema {
        name: String,
        if_not_exists: bool,
        owner: Option<String>,
        elements: Vec<Op>,
    },
    CreateTable(CreateTable),
    CreateTableAs(CreateTableAs),
    CreateView(CreateView),
    CreateIndex(CreateIndex),
    CreateSequence {
        name: ObjectName,
        persistence: Persistence,
        if_not_exists: bool,
        options: Vec<SequenceOption>,
    },
    AlterSequence {
        name: ObjectName,
        if_exists: bool,
        options: Vec<SequenceOption>,
    },
    AlterTable(AlterTable),
    /// ALTER TABLE ALL IN TABLESPACE … and the like.
    AlterAllInTablespace,
    CreateType {
        name: ObjectName,
        definition: TypeDefinition,
    },
    CreateDomain {
        name: ObjectName,
        base: TypeRef,
        collation: Option<ObjectName>,
        constraints: Vec<ConstraintDef>,
    },
    AlterEnum {
        name: ObjectName,
        change: AlterEnum,
    },
    AlterDomain {
        name: ObjectName,
        change: AlterDomain,
    },
    CreateRoutine(CreateRoutine),
    /// ALTER FUNCTION … options: `changes` are the options as lower-case words (`volatile`, `security definer`, `set x`).
    AlterRoutine {
        routine: ObjectRef,
        changes: Vec<String>,
    },
    CreateAggregate {
        name: ObjectName,
        or_replace: bool,
        args: Vec<TypeRef>,
        /// STYPE: the result's type where no final function makes another.
        state: Option<TypeRef>,
        /// FINALFUNC.
        final_function: Option<ObjectName>,
    },
    CreateTrigger(CreateTrigger),
    CreateEventTrigger {
        name: String,
    },
    AlterEventTrigger {
        name: String,
        state: TriggerState,
    },
    CreateRule {
        name: String,
        relation: ObjectName,
        or_replace: bool,
        event: String,
        instead: bool,
        /// WHERE, over `old` and `new`.
        condition: Option<Expr>,
        actions: Vec<Op>,
    },
    CreatePolicy(Policy),
    AlterPolicy(Policy),
    CreateExtension {
        name: String,
        if_not_exists: bool,
        schema: Option<String>,
        cascade: bool,
        version: Option<String>,
    },
    AlterExtension {
        name: String,
        change: ExtensionChange,
    },
    /// CREATE OPERATOR, CAST, COLLATION, LANGUAGE, CONVERSION, STATISTICS, TEXT SEARCH …, FOREIGN SERVER, FOREIGN DATA
    /// WRAPPER, USER MAPPING, ACCESS METHOD, TRANSFORM, TABLESPACE, DATABASE, OPERATOR CLASS / FAMILY.
    CreateOther {
        object: ObjectRef,
        or_replace: bool,
        if_not_exists: bool,
        options: Vec<(String, Option<String>)>,
    },
    /// Their ALTER forms other than rename, owner and schema.
    AlterOther {
        object: ObjectRef,
        options: Vec<(String, Option<String>)>,
    },
    Drop {
        objects: Vec<ObjectRef>,
        if_exists: bool,
        cascade: bool,
        concurrently: bool,
    },
    Rename {
        object: ObjectRef,
        to: String,
        if_exists: bool,
        cascade: bool,
    },
    SetSchema {
        object: ObjectRef,
        schema: String,
        if_exists: bool,
    },
    SetOwner {
        object: ObjectRef,
        role: String,
    },
    /// ALTER … DEPENDS ON EXTENSION.
    DependsOnExtension {
        object: ObjectRef,
    },
    Comment {
        object: ObjectRef,
        text: Option<String>,
    },
    SecurityLabel,
    Grant(Grant),
    GrantRole {
        is_grant: bool,
        roles: Vec<String>,
        members: Vec<String>,
        /// GRANT … WITH ADMIN OPTION; REVOKE … OPTION FOR, which takes the option and leaves the membership.
        admin_option: bool,
    },
    CreateRole {
        name: String,
        options: Vec<(String, Option<String>)>,
    },
    AlterRole {
        name: String,
        options: Vec<(String, Option<String>)>,
    },
    /// ALTER ROLE / DATABASE … SET, ALTER SYSTEM: `scope` is role, database or system.
    AlterSettings {
        scope: String,
        target: Option<String>,
        parameter: SetParameter,
    },
    DropRole {
        names: Vec<String>,
        if_exists: bool,
    },
    DropOwned {
        roles: Vec<String>,
        cascade: bool,
    },
    ReassignOwned {
        roles: Vec<String>,
        to: String,
    },
    CreatePublication {
        name: String,
        all_tables: bool,
        tables: Vec<ObjectName>,
        schemas: Vec<String>,
        filters: Vec<PublicationFilter>,
        options: Vec<(String, Option<String>)>,
    },
    AlterPublication {
        name: String,
        change: PublicationChange,
    },
    CreateSubscription {
        name: String,
        /// The connection string as written; it may hold a password.
        connection: String,
        /// It makes a replication slot on the other server: not with `connect` or `create_slot` false.
        makes_slot: bool,
    },
    AlterSubscription {
        name: String,
        /// ALTER SUBSCRIPTION … CONNECTION.
        connection: Option<String>,
        /// What publications hold is asked for anew: REFRESH, and SET, ADD or DROP PUBLICATION unless with `refresh` false.
        refreshes: bool,
    },
    Dml(Dml),
    Select(Query),
    Truncate {
        relations: Vec<ObjectName>,
        /// Every name says ONLY: what inherits from them keeps its rows.
        only: bool,
        restart_identity: bool,
        cascade: bool,
    },
    /// COPY; `from` is COPY FROM, `program` COPY … PROGRAM, `stdin` data in the file. `query` is that of COPY (query) TO, or
    /// holds nothing but the WHERE condition of COPY FROM.
    Copy {
        relation: Option<ObjectName>,
        columns: Vec<String>,
        from: bool,
        program: bool,
        stdin: bool,
        /// The file on the server's disk, or the command of PROGRAM; none for STDIN and STDOUT.
        file: Option<String>,
        query: Option<Query>,
    },
    Lock {
        relations: Vec<ObjectName>,
        mode: LockMode,
        nowait: bool,
    },
    Transaction(TransactionCommand),
    Set(SetParameter),
    Show,
    /// SET CONSTRAINTS; no names is ALL. IMMEDIATE fires what is pending.
    SetConstraints {
        names: Vec<ObjectName>,
        deferred: bool,
    },
    /// DISCARD; `all` is DISCARD ALL.
    Discard {
        all: bool,
    },
    Vacuum {
        relations: Vec<ObjectName>,
        full: bool,
        analyze_only: bool,
    },
    Cluster {
        relation: Option<ObjectName>,
    },
    Reindex {
        kind: ReindexKind,
        name: Option<ObjectName>,
        concurrently: bool,
    },
    Refresh {
        name: ObjectName,
        concurrently: bool,
        with_data: bool,
    },
    Call {
        routine: ObjectName,
        args: Vec<Expr>,
    },
    Do(Body),
    Explain {
        analyze: bool,
        inner: Box<Op>,
    },
    /// PREPARE, EXECUTE, DEALLOCATE, DECLARE, FETCH, CLOSE, LISTEN, NOTIFY, UNLISTEN, CHECKPOINT: no schema.
    Session {
        command: String,
    },
    /// IMPORT FOREIGN SCHEMA.
    ImportForeignSchema {
        server: String,
        schema: String,
    },
    /// LOAD 'library'.
    Load {
        library: String,
    },
    /// Nothing this crate knows; the parser's node name is kept.
    Unclassified {
        node: String,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExtensionChange {
    Update { version: Option<String> },
    Add(ObjectRef),
    Drop(ObjectRef),
}

#[derive(Clone, Debug, PartialEq)]
pub enum PublicationChange {
    Add { tables: Vec<ObjectName>, schemas: Vec<String>, filters: Vec<PublicationFilter> },
    Drop { tables: Vec<ObjectName>, schemas: Vec<String> },
    Set { tables: Vec<ObjectName>, schemas: Vec<String>, filters: Vec<PublicationFilter> },
    Options(Vec<(String, Option<String>)>),
}

/// A published table with a column list or a row filter: it holds on to those columns.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicationFilter {
    pub relation: ObjectName,
    pub columns: Vec<String>,
    pub condition: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReindexKind {
    Index,
    Table,
    Schema,
    System,
    Database,
}

/// One statement of a unit, or of a body inside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// First token to before `;`, in the file.
    pub span: Span,
    pub op: Op,
}
