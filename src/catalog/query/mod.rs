//! What a query gives and what it needs: output columns with their types, and references as `pg_depend` would hold for a view.
//!
//! Names resolve as in the server: innermost level first, merged join columns before those of the FROM items, a bare alias as its
//! whole row. A relation that no visible statement created is made up on the way, and so are the columns that are named in it.
//! A `*` over such a relation leaves the output incomplete.

mod call;
mod expression;
mod from;
mod overload;

use super::Catalog;
use super::object::{Id, Reference, Relation};
use super::types::{BaseType, DataType};
use crate::expr::Expr;
use crate::op::{Body, Op, Query, Step};
use overload::common_type_with_modifiers;
pub(super) use overload::is_literal;

/// What became of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    pub columns: Vec<OutputColumn>,
    /// Everything it uses, each once, in the order of first use.
    pub references: Vec<Reference>,
    /// False when a `*` stood for columns that are not known: `columns` are then only some.
    pub complete: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct OutputColumn {
    pub name: String,
    /// With modifiers where a plain column or a cast has them. Untyped literals are text.
    pub data_type: DataType,
    /// Of a plain column or a COLLATE clause.
    pub collation: Option<String>,
}

/// Analyses a query that stands alone: of a view, of CREATE TABLE AS, of a statement.
pub(super) fn analyze(c: &mut Catalog, query: &Query) -> Analysis {
    let mut analyzer = Analyzer::new(c);
    let columns = analyzer.query(query, &[]);
    Analysis { columns, references: analyzer.references, complete: analyzer.complete }
}

/// Type of an expression over the columns of one relation (a default, a check, a generated column), and what it needs.
pub(super) fn analyze_expression(c: &mut Catalog, expr: &Expr, relation: Option<Id>) -> (DataType, Vec<Reference>) {
    let mut analyzer = Analyzer::new(c);
    let mut scope = Scope::default();
    if let Some(relation) = relation.and_then(|id| analyzer.c.relation(id).cloned()) {
        scope.items.push(Item::of_relation(&relation, None));
    }
    analyzer.scopes.push(scope);
    let data_type = analyzer.infer(expr);
    (data_type, analyzer.references)
}

/// Adds what an expression outside of any query needs: routines, types, sequences named in `nextval`.
pub(super) fn add_expression_references(c: &mut Catalog, expr: &Expr, references: &mut Vec<Reference>) {
    let (_, found) = analyze_expression(c, expr, None);
    extend(references, found);
}

/// Adds what a routine's body holds on to. Only a body in SQL itself (RETURN, BEGIN ATOMIC) does; one in quotes is text that is
/// looked at when it runs.
pub(super) fn add_body_references(c: &mut Catalog, body: &Body, references: &mut Vec<Reference>) {
    let first_word = body.text.split_whitespace().next().unwrap_or_default();
    let is_sql =
        body.language == "sql" && (first_word.eq_ignore_ascii_case("atomic") || first_word.eq_ignore_ascii_case("return"));
    if !is_sql {
        return;
    }
    for step in &body.steps {
        match step {
            Step::Sql(statement) => match &statement.op {
                Op::Select(query) => extend(references, analyze(c, query).references),
                Op::Dml(dml) => {
                    if let Some(id) = c.resolve_relation(&dml.relation) {
                        extend(references, vec![Reference::Relation(id)]);
                        let columns = dml.columns.iter().filter_map(|name| c.relation(id)?.column(name).map(|column| column.id));
                        extend(references, columns.map(|column| Reference::Column(id, column)).collect());
                    }
                    extend(references, analyze(c, &dml.sources).references);
                }
                // BEGIN ATOMIC takes SELECT, INSERT, UPDATE and DELETE only.
                _ => {}
            },
            Step::Return { expr: Some(expr), .. } => add_expression_references(c, expr, references),
            _ => {}
        }
    }
}

fn extend(references: &mut Vec<Reference>, more: Vec<Reference>) {
    for reference in more {
        if !references.contains(&reference) {
            references.push(reference);
        }
    }
}

/// A column that an item of FROM offers.
#[derive(Clone, Debug)]
struct ItemColumn {
    name: String,
    data_type: DataType,
    collation: Option<String>,
    /// The columns of relations behind it: one, or both sides of a merged column.
    references: Vec<Reference>,
    /// Merged by JOIN USING: found under its table's name only.
    merged: bool,
}

/// One item of FROM.
#[derive(Clone, Debug)]
struct Item {
    alias: String,
    columns: Vec<ItemColumn>,
    relation: Option<Id>,
    schema: Option<String>,
    /// Not all its columns are known.
    open: bool,
    /// A function that gives single values: the alias alone means the value.
    scalar: bool,
}

impl Item {
    fn of_relation(relation: &Relation, alias: Option<&str>) -> Item {
        let columns = relation.columns.iter().map(|column| ItemColumn {
            name: column.name.clone(),
            data_type: column.data_type.clone(),
            collation: column.collation.clone(),
            references: vec![Reference::Column(relation.id, column.id)],
            merged: false,
        });
        Item {
            alias: alias.unwrap_or(&relation.name).to_string(),
            columns: columns.collect(),
            relation: Some(relation.id),
            schema: alias.is_none().then(|| relation.schema.clone()),
            open: !relation.known,
            scalar: false,
        }
    }

    fn of_columns(alias: Option<&str>, columns: Vec<OutputColumn>) -> Item {
        let columns = columns.into_iter().map(|column| ItemColumn {
            name: column.name,
            data_type: column.data_type,
            collation: column.collation,
            references: Vec::new(),
            merged: false,
        });
        let alias = alias.unwrap_or_default().to_string();
        Item { alias, columns: columns.collect(), relation: None, schema: None, open: false, scalar: false }
    }

    /// Column aliases replace the first names.
    fn rename(&mut self, aliases: &[String]) {
        for (column, alias) in self.columns.iter_mut().zip(aliases) {
            column.name.clone_from(alias);
        }
    }

    fn row_type(&self) -> DataType {
        match (self.scalar, self.relation, self.columns.first()) {
            (true, _, Some(column)) => column.data_type.clone(),
            (_, Some(relation), _) => DataType { base: BaseType::Row(relation), typmods: Vec::new(), array: false },
            _ => DataType::builtin("record"),
        }
    }
}

/// One query level.
#[derive(Clone, Debug, Default)]
struct Scope {
    items: Vec<Item>,
    /// Columns that JOIN USING and NATURAL made of two.
    merged: Vec<ItemColumn>,
    /// Names of output columns, which ORDER BY and GROUP BY may mean.
    outputs: Vec<String>,
}

/// A common table expression in reach.
#[derive(Clone, Debug)]
struct Cte {
    name: String,
    columns: Vec<OutputColumn>,
    complete: bool,
}

struct Analyzer<'c> {
    c: &'c mut Catalog,
    references: Vec<Reference>,
    scopes: Vec<Scope>,
    ctes: Vec<Cte>,
    complete: bool,
}

impl<'c> Analyzer<'c> {
    fn new(c: &'c mut Catalog) -> Self {
        Analyzer { c, references: Vec::new(), scopes: Vec::new(), ctes: Vec::new(), complete: true }
    }

    fn needs(&mut self, reference: Reference) {
        if !self.references.contains(&reference) {
            self.references.push(reference);
        }
    }

    /// A query and everything in it; `aliases` name its first columns anew.
    fn query(&mut self, query: &Query, aliases: &[String]) -> Vec<OutputColumn> {
        let ctes_before = self.ctes.len();
        for (name, aliases, query_of) in &query.ctes {
            let cte = self.cte(name, aliases, query_of, query.recursive);
            self.ctes.push(cte);
        }
        for dml in &query.modifying {
            if let Some(id) = self.c.resolve_relation(&dml.relation) {
                self.needs(Reference::Relation(id));
            }
            self.query(&dml.sources, &[]);
        }
        let mut columns = if !query.set_arms.is_empty() {
            self.set_operation(query)
        } else if let Some(values) = &query.values {
            self.values(values, query)
        } else {
            self.select(query)
        };
        self.ctes.truncate(ctes_before);
        for column in &mut columns {
            if is_literal(&column.data_type) {
                column.data_type = DataType::builtin("text");
            }
        }
        for (column, alias) in columns.iter_mut().zip(aliases) {
            column.name.clone_from(alias);
        }
        columns
    }

    /// A recursive one is first seen as its non-recursive part gives it.
    fn cte(&mut self, name: &str, aliases: &[String], query: &Query, recursive: bool) -> Cte {
        let complete_outside = std::mem::replace(&mut self.complete, true);
        let mark = self.ctes.len();
        if recursive && let Some((_, first)) = query.set_arms.split_last() {
            let start = Query { set_arms: first.to_vec(), ctes: query.ctes.clone(), ..Query::default() };
            let columns = match first {
                [only] => self.query(only, aliases),
                _ => self.query(&start, aliases),
            };
            let complete = self.complete;
            self.ctes.push(Cte { name: name.to_string(), columns, complete });
        }
        let columns = self.query(query, aliases);
        // What the non-recursive part says is what the recursive one must fit.
        let columns = if self.ctes.len() > mark { self.ctes.swap_remove(mark).columns } else { columns };
        let complete = std::mem::replace(&mut self.complete, complete_outside);
        Cte { name: name.to_string(), columns, complete }
    }

    fn set_operation(&mut self, query: &Query) -> Vec<OutputColumn> {
        let arms: Vec<Vec<OutputColumn>> = query.set_arms.iter().map(|arm| self.arm(arm)).collect();
        let mut columns = arms.first().cloned().unwrap_or_default();
        for (at, column) in columns.iter_mut().enumerate() {
            let types: Vec<DataType> = arms.iter().filter_map(|arm| arm.get(at)).map(|other| other.data_type.clone()).collect();
            column.data_type = common_type_with_modifiers(self.c, &types);
        }
        let scope = Scope { outputs: columns.iter().map(|column| column.name.clone()).collect(), ..Scope::default() };
        self.scopes.push(scope);
        self.infer_all(&query.conditions);
        self.scopes.pop();
        columns
    }

    /// An arm of UNION keeps its untyped literals: the other arm may type them.
    fn arm(&mut self, query: &Query) -> Vec<OutputColumn> {
        let plain = query.ctes.is_empty() && query.set_arms.is_empty() && query.values.is_none() && query.modifying.is_empty();
        if plain { self.select(query) } else { self.query(query, &[]) }
    }

    fn values(&mut self, row: &[Expr], query: &Query) -> Vec<OutputColumn> {
        self.scopes.push(Scope::default());
        let column =
            |(at, data_type): (usize, DataType)| OutputColumn { name: format!("column{}", at + 1), data_type, collation: None };
        let types: Vec<DataType> = row.iter().map(|expr| self.infer(expr)).collect();
        self.infer_all(&query.conditions);
        self.scopes.pop();
        types.into_iter().enumerate().map(column).collect()
    }

    fn select(&mut self, query: &Query) -> Vec<OutputColumn> {
        self.scopes.push(Scope::default());
        for item in &query.from {
            let item = self.source_item(item);
            if let Some(scope) = self.scopes.last_mut() {
                scope.items.push(item);
            }
        }
        self.merge_columns(query);
        let mut columns = Vec::new();
        for target in &query.targets {
            match &target.expr {
                Expr::Star(parts) if target.name.is_none() => self.expand_star(parts, &mut columns),
                expr => {
                    let (data_type, collation) = self.infer_with_collation(expr);
                    let name = target.name.clone().unwrap_or_else(|| "?column?".into());
                    columns.push(OutputColumn { name, data_type, collation });
                }
            }
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.outputs = query.targets.iter().filter_map(|target| target.name.clone()).collect();
        }
        self.infer_all(&query.conditions);
        self.scopes.pop();
        columns
    }

    fn infer_all(&mut self, list: &[Expr]) {
        for expr in list {
            self.infer(expr);
        }
    }

    /// `*` and `t.*` at this moment.
    fn expand_star(&mut self, parts: &[String], columns: &mut Vec<OutputColumn>) {
        let Some(scope) = self.scopes.last().cloned() else { return };
        let mut expanded: Vec<ItemColumn> = Vec::new();
        let mut complete = true;
        match parts {
            [] => {
                expanded.extend(scope.merged);
                for item in scope.items {
                    complete &= !item.open;
                    expanded.extend(item.columns.into_iter().filter(|column| !column.merged));
                }
            }
            [.., name] => {
                let schema = parts.len().checked_sub(2).map(|at| parts[at].as_str());
                if let Some(item) = self.find_item(schema, name) {
                    complete = !item.open;
                    expanded = item.columns;
                } else {
                    complete = false;
                }
            }
        }
        self.complete &= complete;
        for column in expanded {
            for reference in column.references {
                self.needs(reference);
            }
            columns.push(OutputColumn { name: column.name, data_type: column.data_type, collation: column.collation });
        }
    }

    /// An item by alias, innermost level first.
    fn find_item(&self, schema: Option<&str>, name: &str) -> Option<Item> {
        let matches = |item: &&Item| item.alias == name && schema.is_none_or(|schema| item.schema.as_deref() == Some(schema));
        self.scopes.iter().rev().find_map(|scope| scope.items.iter().find(matches)).cloned()
    }
}

#[cfg(test)]
mod tests;
