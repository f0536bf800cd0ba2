use super::shared::list;
use super::shared::said::{self, Part, Said};
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::catalog::change::{Change, Nothing};
use crate::catalog::object::{Birth, Index, Relation, RelationKind};
use crate::catalog::types::DataType;
use crate::finding::Level;
use crate::op::{AlterTableCommand, ColumnDef, ConstraintKind, CreateIndex, CreateTable, ObjectName, Op, TableElement};
use crate::sql::names::quote_identifier;

pub const RULE: Rule = Rule { id: "exists-masks-shape", family: Family::Retry, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    said::walk(cx, &mut |said| {
        let Part::Statement(op) = said.part else { return };
        if !said.runs || !did_nothing(cx, said) {
            return;
        }
        match op {
            Op::CreateTable(create) if create.if_not_exists => table(cx, said, create, findings),
            Op::CreateTableAs(create) if create.if_not_exists => {
                let wanted = if create.materialized { RelationKind::MaterializedView } else { RelationKind::Table };
                if let Some(there) = relation(cx, &create.name).filter(|there| there.kind != wanted) {
                    let name = cx.after.relation_label(there);
                    tell(cx, said, name, vec![other_kind(there)], there.birth, findings);
                }
            }
            Op::CreateIndex(create) if create.if_not_exists => index(cx, said, create, findings),
            Op::AlterTable(alter) => {
                let Some(there) = relation(cx, &alter.name).filter(|there| there.known) else { return };
                for command in &alter.commands {
                    let AlterTableCommand::AddColumn { column, if_not_exists: true } = command else { continue };
                    let differs: Vec<String> = column_differs(cx, there, column).into_iter().collect();
                    if !differs.is_empty() {
                        let name = format!("{}.{}", cx.after.relation_label(there), quote_identifier(&column.name));
                        let birth = there.column(&column.name).map_or(there.birth, |column| column.birth);
                        tell(cx, said, name, differs, birth, findings);
                    }
                }
            }
            _ => {}
        }
    });
}

/// The statement found what it was to create.
fn did_nothing(cx: &Context<'_>, said: Said<'_>) -> bool {
    cx.events.iter().any(|event| {
        event.statement == said.statement
            && event.span == said.span
            && matches!(event.change, Change::NothingDone { why: Nothing::Exists { .. } })
    })
}

/// The relation of that name as the statement met it: as it was before the unit, where it was there.
fn relation<'a>(cx: &'a Context<'_>, name: &ObjectName) -> Option<&'a Relation> {
    let id = cx.before.resolve_relation(name).or_else(|| cx.after.resolve_relation(name))?;
    cx.before.relation(id).or_else(|| cx.after.relation(id)).map(AsRef::as_ref)
}

fn table(cx: &Context<'_>, said: Said<'_>, create: &CreateTable, findings: &mut Findings) {
    let Some(there) = relation(cx, &create.name) else {
        let (name, birth) = match named_index(cx, &create.name.name) {
            Some(index) => (create.name.to_string(), index.birth),
            None => return,
        };
        tell(cx, said, name, vec!["it is an index".into()], birth, findings);
        return;
    };
    let name = cx.after.relation_label(there);
    if !there.is_table() {
        tell(cx, said, name, vec![other_kind(there)], there.birth, findings);
        return;
    }
    if !there.known {
        return;
    }
    let columns = create.elements.iter().filter_map(|element| match element {
        TableElement::Column(column) => Some(column),
        TableElement::Constraint(_) | TableElement::Like { .. } => None,
    });
    let differs: Vec<String> = columns
        .filter_map(|column| match there.column(&column.name) {
            Some(_) => column_differs(cx, there, column),
            None => Some(format!("it has no column {}", quote_identifier(&column.name))),
        })
        .collect();
    if !differs.is_empty() {
        tell(cx, said, name, differs, there.birth, findings);
    }
}

/// Another type, or no NOT NULL where the statement wants it.
fn column_differs(cx: &Context<'_>, there: &Relation, wanted: &ColumnDef) -> Option<String> {
    let column = there.column(&wanted.name)?;
    let name = quote_identifier(&wanted.name);
    let data_type = wanted.type_ref.as_ref().map_or(DataType::UNKNOWN, |type_ref| cx.after.data_type(type_ref));
    let spell = |data_type: &DataType| cx.after.format_type(data_type);
    if let (Some(is), Some(meant)) = (spell(&column.data_type), spell(&data_type))
        && is != meant
    {
        return Some(format!("{name} is {is}, not {meant}"));
    }
    let strict = wanted.constraints.iter().any(|constraint| {
        matches!(constraint.kind, ConstraintKind::NotNull { .. } | ConstraintKind::PrimaryKey { .. } | ConstraintKind::Identity { .. })
    });
    (strict && !column.not_null).then(|| format!("{name} takes NULL"))
}

fn named_index<'a>(cx: &'a Context<'_>, name: &str) -> Option<&'a Index> {
    let find = |catalog: &'a crate::catalog::Catalog| catalog.indexes.values().find(|index| index.name == name);
    find(cx.before).or_else(|| find(cx.after)).map(AsRef::as_ref)
}

fn index(cx: &Context<'_>, said: Said<'_>, create: &CreateIndex, findings: &mut Findings) {
    let Some(wanted) = &create.name else { return };
    // Dropped before, by a name that is looked up where the runner's connection says.
    let drops = |op: &Op| matches!(op, Op::Drop { objects, .. } if objects.iter().any(|object| object.name.name == *wanted));
    let earlier = cx.parsed.statements.iter().take(said.statement);
    if earlier.filter_map(|statement| statement.outcome.as_ref().ok()).any(|statement| drops(&statement.op)) {
        return;
    }
    let Some(table) = relation(cx, &create.relation) else { return };
    let name = quote_identifier(wanted);
    let in_schema = |index: &&std::sync::Arc<Index>| index.schema == table.schema && index.name == *wanted;
    let Some(there) = cx.before.indexes.values().find(in_schema).or_else(|| cx.after.indexes.values().find(in_schema)) else {
        return;
    };
    let mut differs = Vec::new();
    if there.relation != table.id {
        differs.push("it is on another table".into());
    } else {
        let keys: Vec<Option<&str>> = create.elements.iter().map(|element| element.column.as_deref()).collect();
        let is: Vec<Option<&str>> = there
            .keys
            .iter()
            .map(|key| key.column.and_then(|id| table.column_by_id(id)).map(|column| column.name.as_str()))
            .collect();
        let expressions_differ = || {
            create.elements.iter().zip(&there.keys).any(|(wanted, key)| wanted.column.is_none() && wanted.expr != key.element.expr)
        };
        if keys != is {
            let columns: Vec<String> = is.iter().map(|column| column.map_or("an expression".into(), quote_identifier)).collect();
            differs.push(format!("it is on {}", columns.join(", ")));
        } else if expressions_differ() {
            differs.push("it is on another expression".into());
        }
        if there.unique != create.unique {
            differs.push(if there.unique { "it is unique" } else { "it is not unique" }.into());
        }
        if there.predicate != create.predicate {
            differs.push(match &there.predicate {
                Some(_) => "it is partial, with another condition",
                None => "it is not partial",
            }.into());
        }
        if !there.method.eq_ignore_ascii_case(&create.method) {
            differs.push(format!("it is a {} index", there.method));
        }
    }
    if !differs.is_empty() {
        tell(cx, said, name, differs, there.birth, findings);
    }
}

fn other_kind(there: &Relation) -> String {
    let kind = match there.kind {
        RelationKind::Table | RelationKind::PartitionedTable => "table",
        RelationKind::ForeignTable => "foreign table",
        RelationKind::View => "view",
        RelationKind::MaterializedView => "materialized view",
        RelationKind::Sequence => "sequence",
        RelationKind::Composite => "composite type",
    };
    format!("it is a {kind}")
}

fn tell(cx: &Context<'_>, said: Said<'_>, name: String, differs: Vec<String>, birth: Birth, findings: &mut Findings) {
    let message = format!(
        "{name} exists with another shape: {}; IF NOT EXISTS looks at the name alone, so this does nothing and leaves it so",
        list(&differs)
    );
    let help = "say what is to change (ALTER TABLE … ADD COLUMN, ALTER COLUMN … TYPE, or drop and create the index), or take another name";
    let finding = cx.finding_at(RULE.id, Level::Warning, Some(said.statement), said.span, message, help.into());
    findings.push(Judged { finding, subjects: vec![name] }.related(cx.created(birth)));
}
