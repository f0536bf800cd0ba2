//! Lower libpg_query's protobuf nodes to [`crate::op`]. One file per family of statements.
//!
//! Invariants: every statement of the grammar has an [`Op`], what this crate has no name for is [`Op::Unclassified`] and never
//! nothing; no expression of what a statement defines or runs is dropped, so that a walk finds each call, column and relation (PREPARE
//! and cursors run nothing yet: they are only a word); names are as the parser folded them and never resolved here. Lowering
//! recurses as deep as the parser lets a tree be, 5,000 expressions, which a stack of 256 MiB holds.

use crate::expr::Expr;
use crate::op::{Op, Query};
use crate::sql::SyntaxError;
use crate::sql::newer::Use;
use crate::sql::position::PositionMap;
use pg_query::NodeEnum;
use pg_query::protobuf;
use std::cell::RefCell;

mod alter_table;
mod column_name;
mod constraint;
mod definition;
mod dml;
mod expression;
mod from;
mod index;
mod json;
mod node;
mod object;
mod other;
mod privilege;
mod publication;
mod routine;
mod select;
mod sequence;
mod session;
mod table;
pub mod text;
mod trigger;
mod types;
mod view;

#[cfg(test)]
mod tests;

/// What lowering needs besides the node: the parsed text, for literal bodies and normalised definitions, and where it stands.
pub struct Lowering<'a> {
    /// The text that was parsed; node locations are byte offsets into it.
    pub text: &'a str,
    pub positions: &'a PositionMap,
    /// Syntax errors of bodies opened on the way.
    pub errors: RefCell<Vec<SyntaxError>>,
    /// What those bodies use that is newer than some server.
    pub newer: RefCell<Vec<Use>>,
}

impl<'a> Lowering<'a> {
    pub fn new(text: &'a str, positions: &'a PositionMap) -> Self {
        Lowering { text, positions, errors: RefCell::default(), newer: RefCell::default() }
    }

    /// A part of the parsed text; empty where the range is none.
    fn slice(&self, start: usize, end: usize) -> &str {
        self.text.get(start..end).unwrap_or("")
    }
}

/// Lowers an expression.
pub fn expr(node: &protobuf::Node, cx: &Lowering<'_>) -> Expr {
    expression::lower(node, cx)
}

/// Lowers a SELECT, VALUES or set operation. Its `text` is empty: the tree does not say where a query stands.
pub fn query(node: &protobuf::SelectStmt, cx: &Lowering<'_>) -> Query {
    select::lower(node, cx)
}

/// Lowers one statement. `start..end` is its range in `cx.text`.
pub fn statement(node: &protobuf::Node, start: usize, end: usize, cx: &Lowering<'_>) -> Op {
    let Some(inner) = &node.node else { return Op::Unclassified { node: "empty".into() } };
    match inner {
        NodeEnum::RawStmt(raw) => match &raw.stmt {
            Some(stmt) => statement(stmt, start, end, cx),
            None => Op::Unclassified { node: "RawStmt".into() },
        },
        NodeEnum::CreateSchemaStmt(stmt) => Op::CreateSchema {
            // CREATE SCHEMA AUTHORIZATION role names the schema after the role.
            name: node::optional(&stmt.schemaname).unwrap_or_else(|| node::optional_role(stmt.authrole.as_ref())),
            if_not_exists: stmt.if_not_exists,
            owner: stmt.authrole.as_ref().map(node::role),
            elements: stmt.schema_elts.iter().map(|element| statement(element, start, end, cx)).collect(),
        },

        NodeEnum::CreateStmt(stmt) => table::create(stmt, cx),
        NodeEnum::CreateForeignTableStmt(stmt) => table::create_foreign(stmt, cx),
        NodeEnum::AlterTableStmt(stmt) => alter_table::alter(stmt, cx),
        NodeEnum::AlterTableMoveAllStmt(_) => Op::AlterAllInTablespace,
        NodeEnum::CreateSeqStmt(stmt) => sequence::create(stmt),
        NodeEnum::AlterSeqStmt(stmt) => sequence::alter(stmt),
        NodeEnum::IndexStmt(stmt) => index::create(stmt, cx),
        NodeEnum::ReindexStmt(stmt) => index::reindex(stmt),
        NodeEnum::ViewStmt(stmt) => view::create(stmt, start, end, cx),
        NodeEnum::CreateTableAsStmt(stmt) => view::create_table_as(stmt, start, end, cx),
        NodeEnum::RefreshMatViewStmt(stmt) => view::refresh(stmt),

        NodeEnum::CreateEnumStmt(stmt) => types::create_enum(stmt),
        NodeEnum::CompositeTypeStmt(stmt) => types::create_composite(stmt, cx),
        NodeEnum::CreateRangeStmt(stmt) => types::create_range(stmt),
        NodeEnum::AlterEnumStmt(stmt) => types::alter_enum(stmt),
        NodeEnum::AlterTypeStmt(stmt) => types::alter_type(stmt),
        NodeEnum::CreateDomainStmt(stmt) => types::create_domain(stmt, end, cx),
        NodeEnum::AlterDomainStmt(stmt) => types::alter_domain(stmt, end, cx),

        NodeEnum::CreateFunctionStmt(stmt) => routine::create(stmt, start, end, cx),
        NodeEnum::AlterFunctionStmt(stmt) => routine::alter(stmt),
        NodeEnum::DoStmt(stmt) => routine::do_block(stmt, end, cx),
        NodeEnum::CallStmt(stmt) => routine::call(stmt, cx),

        NodeEnum::DropStmt(stmt) => object::drop(stmt),
        NodeEnum::RenameStmt(stmt) => object::rename(stmt),
        NodeEnum::AlterObjectSchemaStmt(stmt) => object::set_schema(stmt),
        NodeEnum::AlterOwnerStmt(stmt) => object::set_owner(stmt),
        NodeEnum::AlterObjectDependsStmt(stmt) => object::depends(stmt),
        NodeEnum::CommentStmt(stmt) => object::comment(stmt),
        NodeEnum::SecLabelStmt(_) => Op::SecurityLabel,

        NodeEnum::GrantStmt(stmt) => privilege::grant(stmt),
        NodeEnum::GrantRoleStmt(stmt) => privilege::grant_role(stmt),
        NodeEnum::AlterDefaultPrivilegesStmt(stmt) => privilege::default_privileges(stmt),
        NodeEnum::CreateRoleStmt(stmt) => privilege::create_role(stmt),
        NodeEnum::AlterRoleStmt(stmt) => privilege::alter_role(stmt),
        NodeEnum::AlterRoleSetStmt(stmt) => privilege::role_settings(stmt),
        NodeEnum::AlterDatabaseSetStmt(stmt) => privilege::database_settings(stmt),
        NodeEnum::AlterSystemStmt(stmt) => privilege::system_settings(stmt),
        NodeEnum::DropRoleStmt(stmt) => privilege::drop_role(stmt),
        NodeEnum::DropOwnedStmt(stmt) => privilege::drop_owned(stmt),
        NodeEnum::ReassignOwnedStmt(stmt) => privilege::reassign_owned(stmt),

        NodeEnum::CreateTrigStmt(stmt) => trigger::create(stmt, cx),
        NodeEnum::CreateEventTrigStmt(stmt) => trigger::create_event(stmt),
        NodeEnum::AlterEventTrigStmt(stmt) => trigger::alter_event(stmt),
        NodeEnum::RuleStmt(stmt) => trigger::rule(stmt, start, end, cx),
        NodeEnum::CreatePolicyStmt(stmt) => trigger::create_policy(stmt, cx),
        NodeEnum::AlterPolicyStmt(stmt) => trigger::alter_policy(stmt, cx),

        NodeEnum::CreatePublicationStmt(stmt) => publication::create(stmt, cx),
        NodeEnum::AlterPublicationStmt(stmt) => publication::alter(stmt, cx),
        NodeEnum::CreateSubscriptionStmt(stmt) => publication::create_subscription(stmt),
        NodeEnum::AlterSubscriptionStmt(stmt) => publication::alter_subscription(stmt),
        NodeEnum::DropSubscriptionStmt(stmt) => publication::drop_subscription(stmt),

        NodeEnum::SelectStmt(select) => match view::into_of(select) {
            Some(into) => view::select_into(select, into, start, end, cx),
            None => Op::Select(Query { text: crate::sql::lex::normalise(cx.slice(start, end)), ..query(select, cx) }),
        },
        NodeEnum::InsertStmt(_) | NodeEnum::UpdateStmt(_) | NodeEnum::DeleteStmt(_) | NodeEnum::MergeStmt(_) => {
            match dml::statement(inner, cx) {
                Some(dml) => Op::Dml(dml),
                None => Op::Unclassified { node: node::kind_name(inner) },
            }
        }
        // A plpgsql assignment, where the body reader parses one as such.
        NodeEnum::PlassignStmt(stmt) => Op::Select(stmt.val.as_deref().map(|select| query(select, cx)).unwrap_or_default()),
        NodeEnum::ReturnStmt(stmt) => {
            let value = stmt.returnval.as_deref().map(|value| expr(value, cx));
            Op::Select(Query { conditions: value.into_iter().collect(), ..Query::default() })
        }
        NodeEnum::TruncateStmt(stmt) => session::truncate(stmt),
        NodeEnum::CopyStmt(stmt) => session::copy(stmt, cx),

        NodeEnum::VariableSetStmt(stmt) => Op::Set(session::setting(stmt)),
        NodeEnum::VariableShowStmt(_) => Op::Show,
        NodeEnum::TransactionStmt(stmt) => session::transaction(stmt),
        NodeEnum::LockStmt(stmt) => session::lock(stmt),
        NodeEnum::ConstraintsSetStmt(stmt) => session::set_constraints(stmt),
        NodeEnum::DiscardStmt(stmt) => session::discard(stmt),
        NodeEnum::VacuumStmt(stmt) => session::vacuum(stmt),
        NodeEnum::ClusterStmt(stmt) => session::cluster(stmt),
        NodeEnum::ExplainStmt(stmt) => session::explain(stmt, start, end, cx),
        NodeEnum::PrepareStmt(_) => session::command("prepare"),
        NodeEnum::ExecuteStmt(_) => session::command("execute"),
        NodeEnum::DeallocateStmt(_) => session::command("deallocate"),
        NodeEnum::DeclareCursorStmt(_) => session::command("declare"),
        NodeEnum::FetchStmt(stmt) => session::command(if stmt.ismove { "move" } else { "fetch" }),
        NodeEnum::ClosePortalStmt(_) => session::command("close"),
        NodeEnum::ListenStmt(_) => session::command("listen"),
        NodeEnum::UnlistenStmt(_) => session::command("unlisten"),
        NodeEnum::NotifyStmt(_) => session::command("notify"),
        NodeEnum::CheckPointStmt(_) => session::command("checkpoint"),
        NodeEnum::LoadStmt(stmt) => Op::Load { library: stmt.filename.clone() },

        NodeEnum::CreateExtensionStmt(stmt) => other::create_extension(stmt),
        NodeEnum::AlterExtensionStmt(stmt) => other::alter_extension(stmt),
        NodeEnum::AlterExtensionContentsStmt(stmt) => other::alter_extension_contents(stmt),
        NodeEnum::DefineStmt(stmt) => other::define(stmt),
        NodeEnum::CreateCastStmt(stmt) => other::create_cast(stmt),
        NodeEnum::CreateTransformStmt(stmt) => other::create_transform(stmt),
        NodeEnum::CreateConversionStmt(stmt) => other::create_conversion(stmt),
        NodeEnum::CreatePlangStmt(stmt) => other::create_language(stmt),
        NodeEnum::CreateAmStmt(stmt) => other::create_access_method(stmt),
        NodeEnum::CreateOpClassStmt(stmt) => other::create_operator_class(stmt),
        NodeEnum::CreateOpFamilyStmt(stmt) => other::create_operator_family(stmt),
        NodeEnum::AlterOpFamilyStmt(stmt) => other::alter_operator_family(stmt),
        NodeEnum::AlterOperatorStmt(stmt) => other::alter_operator(stmt),
        NodeEnum::CreateStatsStmt(stmt) => other::create_statistics(stmt),
        NodeEnum::AlterStatsStmt(stmt) => other::alter_statistics(stmt),
        NodeEnum::AlterCollationStmt(stmt) => other::alter_collation(stmt),
        NodeEnum::AlterTsdictionaryStmt(stmt) => other::alter_dictionary(stmt),
        NodeEnum::AlterTsconfigurationStmt(stmt) => other::alter_configuration(stmt),
        NodeEnum::CreatedbStmt(stmt) => other::create_database(stmt),
        NodeEnum::AlterDatabaseStmt(stmt) => other::alter_database(stmt),
        NodeEnum::AlterDatabaseRefreshCollStmt(stmt) => other::refresh_database_collation(stmt),
        NodeEnum::DropdbStmt(stmt) => other::drop_database(stmt),
        NodeEnum::CreateTableSpaceStmt(stmt) => other::create_tablespace(stmt),
        NodeEnum::AlterTableSpaceOptionsStmt(stmt) => other::alter_tablespace(stmt),
        NodeEnum::DropTableSpaceStmt(stmt) => other::drop_tablespace(stmt),
        NodeEnum::CreateFdwStmt(stmt) => other::create_wrapper(stmt),
        NodeEnum::AlterFdwStmt(stmt) => other::alter_wrapper(stmt),
        NodeEnum::CreateForeignServerStmt(stmt) => other::create_server(stmt),
        NodeEnum::AlterForeignServerStmt(stmt) => other::alter_server(stmt),
        NodeEnum::CreateUserMappingStmt(stmt) => other::create_mapping(stmt),
        NodeEnum::AlterUserMappingStmt(stmt) => other::alter_mapping(stmt),
        NodeEnum::DropUserMappingStmt(stmt) => other::drop_mapping(stmt),
        NodeEnum::ImportForeignSchemaStmt(stmt) => other::import_schema(stmt),

        _ => Op::Unclassified { node: node::kind_name(inner) },
    }
}
