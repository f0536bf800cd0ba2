//! Where a unit needs a label of an enum as a value: the server then reads it in, which it refuses while the label is new.
//!
//! Run on 15, 17 and 18. Defaults, CHECKs, predicates, views, policies, partition bounds, rows and bodies in SQL need it at once; a
//! body in plpgsql and a comparison of `c::text` do not.

use super::online;
use super::running::{self, What};
use crate::catalog::object::{Id, TypeObject};
use crate::catalog::types::{BaseType, DataType};
use crate::expr::{Call, Expr};
use crate::op::{
    AlterDomain, AlterTableCommand, ColumnDef, ConstraintDef, ConstraintKind, CreateTable, Dml, DmlKind, FromItem, ObjectName,
    Op, PartitionBound, Query, Span, Step, TableElement, TypeRef,
};
use crate::rules::Context;
use crate::sql::lex;

/// Statements (from 0, with their spans) that need the label as a value of the type, in order.
pub fn places(cx: &Context<'_>, object: &TypeObject, label: &str) -> Vec<(usize, Span)> {
    let mut found = Vec::new();
    for one in running::all(cx) {
        let settings = cx.circumstances.get(one.statement).map(|circumstances| circumstances.settings.clone());
        let mut catalog = cx.after.clone();
        catalog.settings = settings.unwrap_or_default();
        let text = online::text(cx, one.span);
        let search = Search { catalog, of: object.id, label, text };
        let needs = match one.what {
            What::Op(op) => search.in_op(op),
            What::Query(query) => search.in_query(query, &[]),
            What::Expr(expr) => search.in_expr(expr, &[]),
            What::End => false,
        };
        if needs {
            found.push((one.statement, one.span));
        }
    }
    found
}

struct Search<'l> {
    catalog: crate::catalog::Catalog,
    of: Id,
    label: &'l str,
    /// Of the statement.
    text: String,
}

impl Search<'_> {
    fn in_op(&self, op: &Op) -> bool {
        match op {
            Op::CreateTable(create) => self.in_table(create),
            Op::AlterTable(alter) => {
                let scope = self.enum_columns(&alter.name);
                alter.commands.iter().any(|command| self.in_command(command, &scope))
            }
            Op::CreateIndex(create) => {
                let scope = self.enum_columns(&create.relation);
                let keys = create.elements.iter().filter_map(|element| element.expr.as_ref());
                keys.chain(&create.predicate).any(|expr| self.in_expr(expr, &scope))
            }
            Op::CreateView(create) => self.in_query(&create.query, &[]),
            Op::CreateTableAs(create) => self.in_query(&create.query, &[]),
            Op::Select(query) | Op::Copy { query: Some(query), .. } => self.in_query(query, &[]),
            Op::Dml(dml) => self.in_dml(dml),
            Op::CreatePolicy(policy) | Op::AlterPolicy(policy) => {
                let scope = self.enum_columns(&policy.relation);
                policy.using.iter().chain(&policy.check).any(|expr| self.in_expr(expr, &scope))
            }
            Op::CreateTrigger(trigger) => {
                let scope = self.enum_columns(&trigger.relation);
                trigger.when.as_ref().is_some_and(|expr| self.in_expr(expr, &scope))
            }
            Op::CreateDomain { base, constraints, .. } => {
                let scope = if self.is_type(base) { vec!["value".to_string()] } else { Vec::new() };
                constraints.iter().any(|constraint| self.in_constraint(constraint, self.is_type(base), &scope))
            }
            Op::AlterDomain { change: AlterDomain::SetDefault(expr), .. } => self.in_expr(expr, &[]),
            Op::AlterDomain { change: AlterDomain::AddConstraint(def), .. } => self.in_constraint(def, false, &[]),
            Op::CreateRoutine(create) => {
                let defaults = create.args.iter().any(|arg| {
                    arg.default.as_ref().is_some_and(|default| {
                        (self.is_type(&arg.type_ref) && self.is_label(default)) || self.in_expr(default, &[])
                    })
                });
                // Other languages look at their bodies when they run.
                defaults || (create.language == "sql" && self.in_steps(&create.body.steps))
            }
            _ => false,
        }
    }

    fn in_steps(&self, steps: &[Step]) -> bool {
        steps.iter().any(|step| match step {
            Step::Sql(statement) => self.in_op(&statement.op),
            Step::Return { expr: Some(expr), .. } => self.in_expr(expr, &[]),
            _ => false,
        })
    }

    fn in_table(&self, create: &CreateTable) -> bool {
        let columns = create.elements.iter().filter_map(|element| match element {
            TableElement::Column(column) => Some(column),
            TableElement::Constraint(_) | TableElement::Like { .. } => None,
        });
        let is_enum = |column: &&ColumnDef| column.type_ref.as_ref().is_some_and(|type_ref| self.is_type(type_ref));
        let mut scope: Vec<String> = columns.filter(is_enum).map(|column| column.name.clone()).collect();
        scope.extend(create.inherits.iter().flat_map(|parent| self.enum_columns(parent)));
        let bound = create.bound.as_ref().is_some_and(|bound| {
            let parent = create.inherits.first().and_then(|name| self.catalog.relation(self.catalog.resolve_relation(name)?));
            parent.is_some_and(|parent| {
                let of_enum = parent
                    .partition_columns
                    .iter()
                    .any(|column| column.and_then(|id| parent.column_by_id(id)).is_some_and(|column| self.is(&column.data_type)));
                of_enum && self.in_bound(bound)
            })
        });
        bound
            || create.elements.iter().any(|element| match element {
                TableElement::Column(column) => self.in_column(column, &scope),
                TableElement::Constraint(constraint) => self.in_constraint(constraint, false, &scope),
                TableElement::Like { .. } => false,
            })
    }

    fn in_bound(&self, bound: &PartitionBound) -> bool {
        match bound {
            PartitionBound::List(values) => values.iter().any(|value| self.is_label(value)),
            PartitionBound::Range { from, to } => from.iter().chain(to).flatten().any(|value| self.is_label(value)),
            PartitionBound::Default | PartitionBound::Hash { .. } => false,
        }
    }

    fn in_column(&self, column: &ColumnDef, scope: &[String]) -> bool {
        let is_enum = column.type_ref.as_ref().is_some_and(|type_ref| self.is_type(type_ref));
        column.constraints.iter().any(|constraint| self.in_constraint(constraint, is_enum, scope))
    }

    /// `is_enum`: it stands in the definition of a column of the type.
    fn in_constraint(&self, def: &ConstraintDef, is_enum: bool, scope: &[String]) -> bool {
        match &def.kind {
            ConstraintKind::Default(expr) => (is_enum && self.is_label(expr)) || self.in_expr(expr, scope),
            ConstraintKind::Check(expr) | ConstraintKind::Generated { expr, .. } => self.in_expr(expr, scope),
            _ => false,
        }
    }

    fn in_command(&self, command: &AlterTableCommand, scope: &[String]) -> bool {
        match command {
            AlterTableCommand::AddColumn { column, .. } => self.in_column(column, scope),
            AlterTableCommand::SetDefault { column, expr } => {
                (scope.contains(column) && self.is_label(expr)) || self.in_expr(expr, scope)
            }
            AlterTableCommand::AddConstraint(def) => self.in_constraint(def, false, scope),
            // USING is carried out for rows that are there: none has the new value as yet, and a constant of the type is folded.
            AlterTableCommand::SetType { using: Some(Expr::Cast { expr, to }), .. } => self.is_type(to) && self.is_label(expr),
            _ => false,
        }
    }

    fn in_dml(&self, dml: &Dml) -> bool {
        let mut scope = self.enum_columns(&dml.relation);
        scope.extend(dml.sources.from.iter().flat_map(|item| self.of_source(item)));
        let assigned = dml
            .columns
            .iter()
            .zip(dml.sources.targets.iter())
            .any(|(column, target)| scope.contains(column) && self.is_label(&target.expr));
        assigned
            || self.inserted(dml)
            || dml.condition.as_ref().is_some_and(|condition| self.in_expr(condition, &scope))
            || self.in_query(&dml.sources, &scope)
    }

    /// A row of VALUES, or of the SELECT, with the label in the place of a column of the type.
    fn inserted(&self, dml: &Dml) -> bool {
        let Some(table) = self.catalog.resolve_relation(&dml.relation).and_then(|id| self.catalog.relation(id)) else {
            return false;
        };
        let named = |at: usize| match dml.columns.is_empty() {
            true => table.columns.get(at),
            false => dml.columns.get(at).and_then(|name| table.column(name)),
        };
        let column_is_enum = |at: usize| named(at).is_some_and(|column| self.is(&column.data_type));
        let selected = dml.sources.targets.iter().map(|target| &target.expr).enumerate();
        (dml.kind == DmlKind::Insert && selected.into_iter().any(|(at, value)| column_is_enum(at) && self.is_label(value)))
            || (dml.values && self.places_in_values().into_iter().any(column_is_enum))
    }

    /// Where, in rows of VALUES, the label stands alone: one row is lowered for all of them, so this is read from the text.
    fn places_in_values(&self) -> Vec<usize> {
        let Some(start) = online::top_level_word(&self.text, "values") else { return Vec::new() };
        let rows = self.text.get(start..).unwrap_or_default();
        let literal = format!("'{}'", self.label.replace('\'', "''"));
        let (mut depth, mut place, mut found) = (0_usize, 0, Vec::new());
        for token in lex::tokens(rows).filter(|token| !token.is_blank()) {
            match token.text(rows) {
                "(" => {
                    depth += 1;
                    place = if depth == 1 { 0 } else { place };
                }
                ")" => depth = depth.saturating_sub(1),
                "," if depth == 1 => place += 1,
                text if depth == 1 && text == literal => found.push(place),
                _ => {}
            }
        }
        found
    }

    fn in_query(&self, query: &Query, outer: &[String]) -> bool {
        let mut scope = outer.to_vec();
        scope.extend(query.from.iter().flat_map(|item| self.of_source(item)));
        let own = query.targets.iter().map(|target| &target.expr).chain(&query.conditions).chain(query.values.iter().flatten());
        let below = query.from.iter().filter_map(|item| match item {
            FromItem::Subquery { query, .. } => Some(query.as_ref()),
            FromItem::Relation { .. } | FromItem::Function { .. } | FromItem::Other { .. } => None,
        });
        let queries = query.ctes.iter().map(|(_, _, inner)| inner).chain(&query.set_arms).chain(below);
        own.into_iter().any(|expr| self.in_expr(expr, &scope))
            || queries.into_iter().any(|inner| self.in_query(inner, &scope))
            || query.modifying.iter().any(|dml| self.in_dml(dml))
    }

    fn of_source(&self, item: &FromItem) -> Vec<String> {
        match item {
            FromItem::Relation { name, .. } => self.enum_columns(name),
            FromItem::Subquery { .. } | FromItem::Function { .. } | FromItem::Other { .. } => Vec::new(),
        }
    }

    /// `scope`: names of columns of the type.
    fn in_expr(&self, expr: &Expr, scope: &[String]) -> bool {
        let mut needs = false;
        expr.walk(&mut |inner| needs |= self.own(inner, scope));
        needs
    }

    /// This node alone.
    fn own(&self, expr: &Expr, scope: &[String]) -> bool {
        let beside = |parts: &[&Expr]| {
            parts.iter().any(|part| self.is_of_type(part, scope)) && parts.iter().any(|part| self.is_label(part))
        };
        match expr {
            Expr::Cast { expr, to } => self.is_type(to) && self.is_read_in(expr, to.array_dims > 0),
            Expr::Call(call) => self.lists(call),
            Expr::Operator { args, .. } => beside(&args.iter().collect::<Vec<_>>()),
            Expr::Coalesce(args) | Expr::MinMax { args, .. } => beside(&args.iter().collect::<Vec<_>>()),
            Expr::InList { expr, list, .. } => beside(&list.iter().chain([expr.as_ref()]).collect::<Vec<_>>()),
            Expr::AnyAll { left, right, .. } => match right.as_ref() {
                Expr::Array(list) => beside(&list.iter().chain([left.as_ref()]).collect::<Vec<_>>()),
                _ => false,
            },
            Expr::Between { expr, low, high, .. } => beside(&[expr, low, high]),
            Expr::IsDistinct { left, right, .. } | Expr::NullIf { left, right } => beside(&[left, right]),
            Expr::Case { operand, arms, otherwise } => {
                let compared = operand.as_deref().into_iter().chain(arms.iter().map(|(when, _)| when));
                let given = otherwise.as_deref().into_iter().chain(arms.iter().map(|(_, then)| then));
                (operand.is_some() && beside(&compared.collect::<Vec<_>>())) || beside(&given.collect::<Vec<_>>())
            }
            _ => false,
        }
    }

    /// `enum_range(NULL::mood)` and `enum_last` give every value, the new one too.
    fn lists(&self, call: &Call) -> bool {
        matches!((call.name.name.as_str(), call.args.len()), ("enum_range" | "enum_last", 1))
            && call.args.iter().any(|arg| matches!(arg, Expr::Cast { to, .. } if self.is_type(to)))
    }

    fn is_read_in(&self, expr: &Expr, array: bool) -> bool {
        match expr {
            Expr::Str(text) if array => {
                text.trim_matches(['{', '}']).split(',').any(|item| item.trim().trim_matches('"') == self.label)
            }
            other => self.is_label(other),
        }
    }

    /// The literal itself; `'c'::text` too, which a cast then reads in.
    fn is_label(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Str(text) => text == self.label,
            Expr::Cast { expr, to } if self.is_type(to) => self.is_label(expr),
            _ => false,
        }
    }

    fn is_of_type(&self, expr: &Expr, scope: &[String]) -> bool {
        match expr {
            Expr::Column(path) => path.last().is_some_and(|last| scope.contains(last)),
            Expr::Cast { to, .. } => self.is_type(to),
            _ => false,
        }
    }

    fn enum_columns(&self, relation: &ObjectName) -> Vec<String> {
        let found = self.catalog.resolve_relation(relation).and_then(|id| self.catalog.relation(id));
        let columns = found.iter().flat_map(|relation| &relation.columns);
        columns.filter(|column| self.is(&column.data_type)).map(|column| column.name.clone()).collect()
    }

    fn is(&self, data_type: &DataType) -> bool {
        data_type.base == BaseType::User(self.of)
    }

    fn is_type(&self, type_ref: &TypeRef) -> bool {
        self.is(&self.catalog.data_type(type_ref))
    }
}
