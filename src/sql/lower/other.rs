//! Objects that the catalog only needs to know by name: extensions, foreign data, casts, operators, collations, languages,
//! statistics, text search, databases, tablespaces.

use super::definition::{self, find};
use super::node::{name_of, no_type, optional, optional_role, relations, strings};
use super::object::{plain, reference, routine};
use super::routine as routines;
use super::types::required_type;
use crate::op::{ExtensionChange, ObjectKind, ObjectName, ObjectRef, Op, TypeDefinition, TypeRef};
use pg_query::NodeEnum;
use pg_query::protobuf::{
    AlterCollationStmt, AlterDatabaseRefreshCollStmt, AlterDatabaseStmt, AlterExtensionContentsStmt, AlterExtensionStmt,
    AlterFdwStmt, AlterForeignServerStmt, AlterOpFamilyStmt, AlterOperatorStmt, AlterStatsStmt, AlterTableSpaceOptionsStmt,
    AlterTsConfigType, AlterTsConfigurationStmt, AlterTsDictionaryStmt, AlterUserMappingStmt, CoercionContext, CreateAmStmt,
    CreateCastStmt, CreateConversionStmt, CreateExtensionStmt, CreateFdwStmt, CreateForeignServerStmt, CreateOpClassStmt,
    CreateOpFamilyStmt, CreatePLangStmt, CreateStatsStmt, CreateTableSpaceStmt, CreateTransformStmt, CreateUserMappingStmt,
    CreatedbStmt, DefineStmt, DropTableSpaceStmt, DropUserMappingStmt, DropdbStmt, ImportForeignSchemaStmt, Node, ObjectType,
    RoleSpec,
};

type Options = Vec<(String, Option<String>)>;

fn create(object: ObjectRef, or_replace: bool, if_not_exists: bool, options: Options) -> Op {
    Op::CreateOther { object, or_replace, if_not_exists, options }
}

fn alter(object: ObjectRef, options: Options) -> Op {
    Op::AlterOther { object, options }
}

fn named(kind: ObjectKind, name: &str) -> ObjectRef {
    plain(kind, ObjectName::bare(name))
}

fn pair(name: &str, value: impl Into<String>) -> (String, Option<String>) {
    (name.into(), Some(value.into()))
}

/// A pair for a value that may be missing.
fn given(name: &str, value: &str) -> Option<(String, Option<String>)> {
    optional(value).map(|value| pair(name, value))
}

pub fn create_extension(stmt: &CreateExtensionStmt) -> Op {
    let option = |name: &str| find(&stmt.options, name).and_then(definition::text);
    Op::CreateExtension {
        name: stmt.extname.clone(),
        if_not_exists: stmt.if_not_exists,
        schema: option("schema"),
        cascade: definition::is_on(&stmt.options, "cascade"),
        version: option("new_version"),
    }
}

pub fn alter_extension(stmt: &AlterExtensionStmt) -> Op {
    let version = find(&stmt.options, "new_version").and_then(definition::text);
    Op::AlterExtension { name: stmt.extname.clone(), change: ExtensionChange::Update { version } }
}

pub fn alter_extension_contents(stmt: &AlterExtensionContentsStmt) -> Op {
    match stmt.object.as_deref().and_then(|object| reference(stmt.objtype(), object)) {
        Some(object) => {
            let change = if stmt.action > 0 { ExtensionChange::Add(object) } else { ExtensionChange::Drop(object) };
            Op::AlterExtension { name: stmt.extname.clone(), change }
        }
        None => Op::Unclassified { node: "AlterExtensionContentsStmt".into() },
    }
}

/// CREATE with a parenthesised definition: aggregates, operators, base types, collations, text search objects.
pub fn define(stmt: &DefineStmt) -> Op {
    let name = name_of(&stmt.defnames);
    let kind = match stmt.kind() {
        ObjectType::ObjectAggregate => return routines::create_aggregate(stmt),
        ObjectType::ObjectType => return Op::CreateType { name, definition: TypeDefinition::Base },
        ObjectType::ObjectOperator => {
            let operand = |side: &str| find(&stmt.definition, side).and_then(definition::type_value).unwrap_or_else(no_type);
            let args: Vec<TypeRef> = vec![operand("leftarg"), operand("rightarg")];
            let object = ObjectRef { args: Some(args), ..plain(ObjectKind::Operator, name) };
            return create(object, stmt.replace, stmt.if_not_exists, definition::pairs(&stmt.definition));
        }
        ObjectType::ObjectCollation => ObjectKind::Collation,
        ObjectType::ObjectTsconfiguration
        | ObjectType::ObjectTsdictionary
        | ObjectType::ObjectTsparser
        | ObjectType::ObjectTstemplate => ObjectKind::TextSearch,
        _ => return Op::Unclassified { node: "DefineStmt".into() },
    };
    create(plain(kind, name), stmt.replace, stmt.if_not_exists, definition::pairs(&stmt.definition))
}

pub fn create_cast(stmt: &CreateCastStmt) -> Op {
    let cast = Some((required_type(stmt.sourcetype.as_ref()), required_type(stmt.targettype.as_ref())));
    let object = ObjectRef { cast, ..plain(ObjectKind::Cast, ObjectName::bare("")) };
    let context = match stmt.context() {
        CoercionContext::CoercionImplicit => "implicit",
        CoercionContext::CoercionAssignment => "assignment",
        _ => "explicit",
    };
    let mut options = vec![pair("context", context)];
    if let Some(function) = &stmt.func {
        options.push(pair("function", routine(ObjectKind::Function, function).name.to_string()));
    }
    create(object, false, false, options)
}

pub fn create_transform(stmt: &CreateTransformStmt) -> Op {
    let name = required_type(stmt.type_name.as_ref()).name;
    create(ObjectRef { sub: Some(stmt.lang.clone()), ..plain(ObjectKind::Transform, name) }, stmt.replace, false, Vec::new())
}

pub fn create_conversion(stmt: &CreateConversionStmt) -> Op {
    create(plain(ObjectKind::Conversion, name_of(&stmt.conversion_name)), false, false, Vec::new())
}

/// An untrusted language, given by its handler, has `handler` among its options.
pub fn create_language(stmt: &CreatePLangStmt) -> Op {
    let mut options = vec![pair("trusted", stmt.pltrusted.to_string())];
    if !stmt.plhandler.is_empty() {
        options.push(pair("handler", name_of(&stmt.plhandler).to_string()));
    }
    create(named(ObjectKind::Language, &stmt.plname), stmt.replace, false, options)
}

pub fn create_access_method(stmt: &CreateAmStmt) -> Op {
    create(named(ObjectKind::AccessMethod, &stmt.amname), false, false, vec![pair("type", stmt.amtype.clone())])
}

pub fn create_operator_class(stmt: &CreateOpClassStmt) -> Op {
    let object = ObjectRef { sub: Some(stmt.amname.clone()), ..plain(ObjectKind::OperatorClass, name_of(&stmt.opclassname)) };
    let of = required_type(stmt.datatype.as_ref()).name.to_string();
    create(object, false, false, vec![pair("type", of), pair("default", stmt.is_default.to_string())])
}

pub fn create_operator_family(stmt: &CreateOpFamilyStmt) -> Op {
    create(family(&stmt.opfamilyname, &stmt.amname), false, false, Vec::new())
}

/// ALTER OPERATOR FAMILY … ADD or DROP members: the option is `add` or `drop`.
pub fn alter_operator_family(stmt: &AlterOpFamilyStmt) -> Op {
    alter(family(&stmt.opfamilyname, &stmt.amname), vec![(if stmt.is_drop { "drop" } else { "add" }.into(), None)])
}

fn family(name: &[Node], method: &str) -> ObjectRef {
    ObjectRef { sub: Some(method.into()), ..plain(ObjectKind::OperatorFamily, name_of(name)) }
}

pub fn alter_operator(stmt: &AlterOperatorStmt) -> Op {
    match &stmt.opername {
        Some(operator) => alter(routine(ObjectKind::Operator, operator), definition::pairs(&stmt.options)),
        None => Op::Unclassified { node: "AlterOperatorStmt".into() },
    }
}

/// CREATE STATISTICS; without a name, the name is empty. `on` names the relation, `columns` the plain columns.
pub fn create_statistics(stmt: &CreateStatsStmt) -> Op {
    let columns: Vec<String> = stmt
        .exprs
        .iter()
        .filter_map(|node| match &node.node {
            Some(NodeEnum::StatsElem(element)) => optional(&element.name),
            _ => None,
        })
        .collect();
    let mut options: Options = relations(&stmt.relations).iter().map(|relation| pair("on", relation.to_string())).collect();
    options.extend(given("columns", &columns.join(", ")));
    options.extend(given("kinds", &strings(&stmt.stat_types).join(", ")));
    create(plain(ObjectKind::Statistics, name_of(&stmt.defnames)), false, stmt.if_not_exists, options)
}

pub fn alter_statistics(stmt: &AlterStatsStmt) -> Op {
    let target = stmt.stxstattarget.as_deref().and_then(definition::value);
    alter(plain(ObjectKind::Statistics, name_of(&stmt.defnames)), vec![("statistics".into(), target)])
}

pub fn alter_collation(stmt: &AlterCollationStmt) -> Op {
    alter(plain(ObjectKind::Collation, name_of(&stmt.collname)), vec![("refresh version".into(), None)])
}

pub fn alter_dictionary(stmt: &AlterTsDictionaryStmt) -> Op {
    alter(plain(ObjectKind::TextSearch, name_of(&stmt.dictname)), definition::pairs(&stmt.options))
}

/// ALTER TEXT SEARCH CONFIGURATION … MAPPING: the option says what is done, its value to which token types.
pub fn alter_configuration(stmt: &AlterTsConfigurationStmt) -> Op {
    let what = match stmt.kind() {
        AlterTsConfigType::AlterTsconfigAddMapping => "add mapping",
        AlterTsConfigType::AlterTsconfigDropMapping => "drop mapping",
        AlterTsConfigType::AlterTsconfigAlterMappingForToken
        | AlterTsConfigType::AlterTsconfigReplaceDict
        | AlterTsConfigType::AlterTsconfigReplaceDictForToken
        | AlterTsConfigType::AlterTsconfigTypeUndefined => "alter mapping",
    };
    let tokens = optional(&strings(&stmt.tokentype).join(", "));
    alter(plain(ObjectKind::TextSearch, name_of(&stmt.cfgname)), vec![(what.into(), tokens)])
}

pub fn create_database(stmt: &CreatedbStmt) -> Op {
    create(named(ObjectKind::Database, &stmt.dbname), false, false, definition::pairs(&stmt.options))
}

pub fn alter_database(stmt: &AlterDatabaseStmt) -> Op {
    alter(named(ObjectKind::Database, &stmt.dbname), definition::pairs(&stmt.options))
}

pub fn refresh_database_collation(stmt: &AlterDatabaseRefreshCollStmt) -> Op {
    alter(named(ObjectKind::Database, &stmt.dbname), vec![("refresh collation version".into(), None)])
}

pub fn drop_database(stmt: &DropdbStmt) -> Op {
    drop_one(named(ObjectKind::Database, &stmt.dbname), stmt.missing_ok)
}

pub fn create_tablespace(stmt: &CreateTableSpaceStmt) -> Op {
    let mut options = vec![pair("location", stmt.location.clone())];
    options.extend(definition::pairs(&stmt.options));
    create(named(ObjectKind::Tablespace, &stmt.tablespacename), false, false, options)
}

pub fn alter_tablespace(stmt: &AlterTableSpaceOptionsStmt) -> Op {
    alter(named(ObjectKind::Tablespace, &stmt.tablespacename), definition::pairs(&stmt.options))
}

pub fn drop_tablespace(stmt: &DropTableSpaceStmt) -> Op {
    drop_one(named(ObjectKind::Tablespace, &stmt.tablespacename), stmt.missing_ok)
}

pub fn create_wrapper(stmt: &CreateFdwStmt) -> Op {
    create(named(ObjectKind::ForeignDataWrapper, &stmt.fdwname), false, false, wrapper_options(&stmt.func_options, &stmt.options))
}

pub fn alter_wrapper(stmt: &AlterFdwStmt) -> Op {
    alter(named(ObjectKind::ForeignDataWrapper, &stmt.fdwname), wrapper_options(&stmt.func_options, &stmt.options))
}

fn wrapper_options(functions: &[Node], options: &[Node]) -> Options {
    let mut all = definition::pairs(functions);
    all.extend(definition::pairs(options));
    all
}

pub fn create_server(stmt: &CreateForeignServerStmt) -> Op {
    let mut options = vec![pair("foreign data wrapper", stmt.fdwname.clone())];
    options.extend(given("type", &stmt.servertype));
    options.extend(given("version", &stmt.version));
    options.extend(definition::pairs(&stmt.options));
    create(named(ObjectKind::ForeignServer, &stmt.servername), false, stmt.if_not_exists, options)
}

pub fn alter_server(stmt: &AlterForeignServerStmt) -> Op {
    let mut options: Options = given("version", &stmt.version).into_iter().collect();
    options.extend(definition::pairs(&stmt.options));
    alter(named(ObjectKind::ForeignServer, &stmt.servername), options)
}

pub fn create_mapping(stmt: &CreateUserMappingStmt) -> Op {
    let object = mapping(stmt.user.as_ref(), &stmt.servername);
    create(object, false, stmt.if_not_exists, definition::pairs(&stmt.options))
}

pub fn alter_mapping(stmt: &AlterUserMappingStmt) -> Op {
    alter(mapping(stmt.user.as_ref(), &stmt.servername), definition::pairs(&stmt.options))
}

pub fn drop_mapping(stmt: &DropUserMappingStmt) -> Op {
    drop_one(mapping(stmt.user.as_ref(), &stmt.servername), stmt.missing_ok)
}

/// A user mapping hangs on its server; `sub` is the role.
fn mapping(user: Option<&RoleSpec>, server: &str) -> ObjectRef {
    ObjectRef { sub: Some(optional_role(user)), ..named(ObjectKind::UserMapping, server) }
}

pub fn import_schema(stmt: &ImportForeignSchemaStmt) -> Op {
    Op::ImportForeignSchema { server: stmt.server_name.clone(), schema: stmt.local_schema.clone() }
}

fn drop_one(object: ObjectRef, if_exists: bool) -> Op {
    Op::Drop { objects: vec![object], if_exists, cascade: false, concurrently: false }
}
