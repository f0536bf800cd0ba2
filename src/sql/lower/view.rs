//! Views, materialized views, CREATE TABLE AS, SELECT INTO.

use super::node::{persistence, relation_of, strings};
use super::select::{lower as query, subquery};
use super::text::query_range;
use super::{Lowering, definition};
use crate::op::{CreateTableAs, CreateView, Op, Query};
use crate::sql::lex;
use pg_query::protobuf::{CreateTableAsStmt, IntoClause, ObjectType, RefreshMatViewStmt, SelectStmt, ViewCheckOption, ViewStmt};

pub fn create(stmt: &ViewStmt, start: usize, end: usize, cx: &Lowering<'_>) -> Op {
    let lowered = stmt.query.as_deref().map_or_else(Query::default, |query| subquery(query, cx));
    Op::CreateView(CreateView {
        name: relation_of(stmt.view.as_ref()),
        persistence: persistence(stmt.view.as_ref()),
        or_replace: stmt.replace,
        columns: strings(&stmt.aliases),
        query: Query { text: definition_text(start, end, cx), ..lowered },
        options: definition::pairs(&stmt.options),
        check_option: !matches!(stmt.with_check_option(), ViewCheckOption::NoCheckOption | ViewCheckOption::Undefined),
    })
}

pub fn create_table_as(stmt: &CreateTableAsStmt, start: usize, end: usize, cx: &Lowering<'_>) -> Op {
    let Some(into) = &stmt.into else { return Op::Unclassified { node: "CreateTableAsStmt".into() } };
    let lowered = stmt.query.as_deref().map_or_else(Query::default, |query| subquery(query, cx));
    Op::CreateTableAs(CreateTableAs {
        materialized: stmt.objtype() == ObjectType::ObjectMatview,
        if_not_exists: stmt.if_not_exists,
        ..table_from(into, Query { text: definition_text(start, end, cx), ..lowered })
    })
}

/// SELECT … INTO: the target stands in the query, and in a set operation in its leftmost arm.
pub fn select_into(select: &SelectStmt, into: &IntoClause, start: usize, end: usize, cx: &Lowering<'_>) -> Op {
    let text = lex::normalise(cx.slice(start, end));
    Op::CreateTableAs(table_from(into, Query { text, ..query(select, cx) }))
}

/// The INTO of a query, if it has one.
pub fn into_of(select: &SelectStmt) -> Option<&IntoClause> {
    let mut select = select;
    loop {
        match (&select.into_clause, &select.larg) {
            (Some(into), _) => return Some(into),
            (None, Some(left)) => select = left,
            (None, None) => return None,
        }
    }
}

fn table_from(into: &IntoClause, query: Query) -> CreateTableAs {
    CreateTableAs {
        name: relation_of(into.rel.as_ref()),
        materialized: false,
        persistence: persistence(into.rel.as_ref()),
        if_not_exists: false,
        columns: strings(&into.col_names),
        query,
        with_data: !into.skip_data,
    }
}

fn definition_text(start: usize, end: usize, cx: &Lowering<'_>) -> String {
    let (from, to) = query_range(cx.text, start, end);
    lex::normalise(cx.slice(from, to))
}

pub fn refresh(stmt: &RefreshMatViewStmt) -> Op {
    Op::Refresh { name: relation_of(stmt.relation.as_ref()), concurrently: stmt.concurrent, with_data: !stmt.skip_data }
}
