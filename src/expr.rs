//! Expressions, as far as migrations need them: constants, columns, calls, casts, logic. Everything else keeps its children,
//! so that a walk still finds every call, column and subquery.

use crate::op::{ObjectName, Query, TypeRef};

#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    Null,
    Bool(bool),
    Int(i64),
    /// A numeric literal that is not an i64, as written.
    Float(String),
    Str(String),
    Bit(String),
    /// `a`, `t.a`, `s.t.a`; a trailing `*` is [`Expr::Star`].
    Column(Vec<String>),
    /// `*` or `t.*`.
    Star(Vec<String>),
    Param(i32),
    Cast {
        expr: Box<Expr>,
        to: TypeRef,
    },
    Call(Call),
    /// An operator with one (prefix) or two arguments; the name without schema.
    Operator {
        name: String,
        args: Vec<Expr>,
    },
    /// `a op ANY/ALL (array)`, and IN lists: `list` holds the members.
    InList {
        expr: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
    },
    AnyAll {
        name: String,
        all: bool,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Between {
        expr: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
        negated: bool,
    },
    /// LIKE, ILIKE, SIMILAR: `name` is the operator (`~~`, `!~~`, `~~*` …).
    Like {
        name: String,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    IsDistinct {
        left: Box<Expr>,
        right: Box<Expr>,
        negated: bool,
    },
    NullIf {
        left: Box<Expr>,
        right: Box<Expr>,
    },
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    IsNull {
        expr: Box<Expr>,
        negated: bool,
    },
    /// IS [NOT] TRUE / FALSE / UNKNOWN: `test` is `true`, `not true`, `false` …
    BooleanTest {
        expr: Box<Expr>,
        test: String,
    },
    Coalesce(Vec<Expr>),
    /// GREATEST / LEAST.
    MinMax {
        greatest: bool,
        args: Vec<Expr>,
    },
    Case {
        operand: Option<Box<Expr>>,
        arms: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Array(Vec<Expr>),
    Row(Vec<Expr>),
    /// CURRENT_DATE, CURRENT_USER, LOCALTIMESTAMP … lower case with underscores.
    SqlValue(String),
    Exists(Box<Query>),
    /// (SELECT …) as one value.
    Scalar(Box<Query>),
    /// ARRAY(SELECT …).
    ArrayQuery(Box<Query>),
    /// `expr op ANY/ALL (SELECT …)`, `expr IN (SELECT …)`.
    QueryTest {
        left: Option<Box<Expr>>,
        query: Box<Query>,
        /// True for IN and `= ANY`; other operators and ALL are not told apart.
        is_in: bool,
    },
    Subscript {
        expr: Box<Expr>,
        indexes: Vec<Expr>,
    },
    /// `(expr).field`.
    Field {
        expr: Box<Expr>,
        field: String,
    },
    Collate {
        expr: Box<Expr>,
        collation: ObjectName,
    },
    AtTimeZone {
        expr: Box<Expr>,
        zone: Box<Expr>,
    },
    /// A node kind with no name here (XML, JSON constructors, GROUPING): its children are kept.
    Other {
        node: String,
        children: Vec<Expr>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub name: ObjectName,
    pub args: Vec<Expr>,
    pub distinct: bool,
    /// `count(*)`.
    pub star: bool,
    pub filter: Option<Box<Expr>>,
    /// Has an OVER clause.
    pub window: bool,
    /// ORDER BY inside the call, PARTITION BY and ORDER BY of the window.
    pub extra: Vec<Expr>,
}

impl Expr {
    /// The constant NULL, cast or not.
    pub fn is_null(&self) -> bool {
        match self {
            Expr::Null => true,
            Expr::Cast { expr, .. } => expr.is_null(),
            _ => false,
        }
    }

    /// Calls `f` on this expression and everything below it, subqueries' expressions included, parents first.
    pub fn walk<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        f(self);
        match self {
            Expr::Null | Expr::Bool(_) | Expr::Int(_) | Expr::Float(_) | Expr::Str(_) | Expr::Bit(_) => {}
            Expr::Column(_) | Expr::Star(_) | Expr::Param(_) | Expr::SqlValue(_) => {}
            Expr::Cast { expr, .. }
            | Expr::IsNull { expr, .. }
            | Expr::BooleanTest { expr, .. }
            | Expr::Field { expr, .. }
            | Expr::Collate { expr, .. }
            | Expr::Not(expr) => expr.walk(f),
            Expr::Call(call) => {
                for arg in call.args.iter().chain(&call.extra) {
                    arg.walk(f);
                }
                if let Some(filter) = &call.filter {
                    filter.walk(f);
                }
            }
            Expr::Operator { args: list, .. }
            | Expr::And(list)
            | Expr::Or(list)
            | Expr::Coalesce(list)
            | Expr::MinMax { args: list, .. }
            | Expr::Array(list)
            | Expr::Row(list)
            | Expr::Other { children: list, .. } => list.iter().for_each(|e| e.walk(f)),
            Expr::InList { expr, list, .. } | Expr::Subscript { expr, indexes: list } => {
                expr.walk(f);
                list.iter().for_each(|e| e.walk(f));
            }
            Expr::AnyAll { left, right, .. }
            | Expr::Like { left, right, .. }
            | Expr::IsDistinct { left, right, .. }
            | Expr::NullIf { left, right } => {
                left.walk(f);
                right.walk(f);
            }
            Expr::AtTimeZone { expr, zone } => {
                expr.walk(f);
                zone.walk(f);
            }
            Expr::Between { expr, low, high, .. } => {
                expr.walk(f);
                low.walk(f);
                high.walk(f);
            }
            Expr::Case { operand, arms, otherwise } => {
                if let Some(operand) = operand {
                    operand.walk(f);
                }
                for (when, then) in arms {
                    when.walk(f);
                    then.walk(f);
                }
                if let Some(otherwise) = otherwise {
                    otherwise.walk(f);
                }
            }
            Expr::Exists(query) | Expr::Scalar(query) | Expr::ArrayQuery(query) => query.walk_exprs(f),
            Expr::QueryTest { left, query, .. } => {
                if let Some(left) = left {
                    left.walk(f);
                }
                query.walk_exprs(f);
            }
        }
    }
}

impl Expr {
    /// Follows the rename of a column of the relation that the expression is about, where it stands as `column` or
    /// `relation.column`. Subqueries are left as they are: their names mean other relations.
    pub fn rename_column(&mut self, from: &str, to: &str) {
        let mut rename = |expr: &mut Expr| expr.rename_column(from, to);
        match self {
            Expr::Column(parts) => {
                if let Some(last) = parts.last_mut().filter(|last| *last == from) {
                    *last = to.to_string();
                }
            }
            Expr::Null | Expr::Bool(_) | Expr::Int(_) | Expr::Float(_) | Expr::Str(_) | Expr::Bit(_) => {}
            Expr::Star(_) | Expr::Param(_) | Expr::SqlValue(_) => {}
            Expr::Exists(_) | Expr::Scalar(_) | Expr::ArrayQuery(_) => {}
            Expr::QueryTest { left, .. } => left.iter_mut().for_each(|left| rename(left)),
            Expr::Cast { expr, .. }
            | Expr::IsNull { expr, .. }
            | Expr::BooleanTest { expr, .. }
            | Expr::Field { expr, .. }
            | Expr::Collate { expr, .. }
            | Expr::Not(expr) => rename(expr),
            Expr::Call(call) => {
                call.args.iter_mut().chain(&mut call.extra).for_each(&mut rename);
                call.filter.iter_mut().for_each(|filter| rename(filter));
            }
            Expr::Operator { args: list, .. }
            | Expr::And(list)
            | Expr::Or(list)
            | Expr::Coalesce(list)
            | Expr::MinMax { args: list, .. }
            | Expr::Array(list)
            | Expr::Row(list)
            | Expr::Other { children: list, .. } => list.iter_mut().for_each(rename),
            Expr::InList { expr, list, .. } | Expr::Subscript { expr, indexes: list } => {
                rename(expr);
                list.iter_mut().for_each(rename);
            }
            Expr::AnyAll { left, right, .. }
            | Expr::Like { left, right, .. }
            | Expr::IsDistinct { left, right, .. }
            | Expr::NullIf { left, right } => {
                rename(left);
                rename(right);
            }
            Expr::AtTimeZone { expr, zone } => {
                rename(expr);
                rename(zone);
            }
            Expr::Between { expr, low, high, .. } => {
                rename(expr);
                rename(low);
                rename(high);
            }
            Expr::Case { operand, arms, otherwise } => {
                operand.iter_mut().chain(otherwise).for_each(|expr| rename(expr));
                for (when, then) in arms {
                    rename(when);
                    rename(then);
                }
            }
        }
    }
}

impl Query {
    /// Calls `f` on every expression of the query and of the queries inside it.
    pub fn walk_exprs<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        use crate::op::FromItem;
        self.targets.iter().for_each(|t| t.expr.walk(f));
        self.conditions.iter().for_each(|e| e.walk(f));
        self.values.iter().flatten().for_each(|e| e.walk(f));
        for item in &self.from {
            match item {
                FromItem::Subquery { query, .. } => query.walk_exprs(f),
                FromItem::Function { calls, .. } => calls.iter().for_each(|e| e.walk(f)),
                FromItem::Relation { .. } | FromItem::Other { .. } => {}
            }
        }
        self.ctes.iter().for_each(|(_, _, query)| query.walk_exprs(f));
        self.set_arms.iter().for_each(|query| query.walk_exprs(f));
        for dml in &self.modifying {
            dml.sources.walk_exprs(f);
            if let Some(condition) = &dml.condition {
                condition.walk(f);
            }
        }
    }
}
