use super::shared::online;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::object::{Column, ColumnId, Reference, Relation, RelationKind};
use crate::catalog::types::BaseType;
use crate::catalog::work::{Act, Rewrite, Work};
use crate::finding::Level;
use crate::op::{AlterTableCommand, ConstraintKind};
use crate::recipe::Recipe;
use crate::sql::names::quote_identifier;

pub const RULE: Rule = Rule { id: "table-rewrite", family: Family::Blocking, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for work in cx.work {
        let Act::Rewrite(why) = work.act else { continue };
        if !cx.older_relation(&work.relation) || why == Rewrite::Refresh {
            continue;
        }
        let label = cx.label(&work.relation);
        let after = cx.after.relation(work.relation.id);
        let column = |id: ColumnId| {
            let found = after.and_then(|table| table.column_by_id(id)).or_else(|| work.relation.column_by_id(id));
            found.map_or_else(|| label.clone(), |column| cx.part_label(&work.relation, &column.name))
        };
        let (subject, because) = match why {
            Rewrite::VolatileDefault { column: id } => (column(id), "the new column's default is volatile, so that every row gets a value of its own"),
            Rewrite::Identity { column: id } => (column(id), "every row gets the next number of the new column's sequence"),
            Rewrite::Generated { column: id } => (column(id), "the stored generated column is computed for every row"),
            Rewrite::ConstrainedDomain { column: id } => {
                (column(id), "the new column's type is a domain with constraints, which are checked for every row, NULL or not")
            }
            Rewrite::Retype { column: id } => (column(id), "the old type's values are not stored as the new type's"),
            Rewrite::Persistence => (label.clone(), "all of it goes into, or leaves, the write-ahead log"),
            Rewrite::AccessMethod => (label.clone(), "another access method stores rows in another way"),
            Rewrite::Tablespace => (label.clone(), "its files are copied into the other tablespace"),
            Rewrite::Cluster => (label.clone(), "CLUSTER puts all rows into the order of the index"),
            Rewrite::VacuumFull => (label.clone(), "VACUUM FULL copies all live rows into a new file"),
            Rewrite::Refresh => continue,
        };
        let message =
            format!("{label} is rewritten while ACCESS EXCLUSIVE stops all reads and writes of it: {because}");
        let recipe = match why {
            Rewrite::VolatileDefault { column } => volatile_default(cx, work, column),
            Rewrite::Retype { column } => retype(cx, work, column),
            Rewrite::Identity { .. }
            | Rewrite::Generated { .. }
            | Rewrite::ConstrainedDomain { .. }
            | Rewrite::Persistence
            | Rewrite::AccessMethod
            | Rewrite::Tablespace
            | Rewrite::Cluster
            | Rewrite::VacuumFull
            | Rewrite::Refresh => None,
        };
        let judged =
            cx.finding(RULE.id, Level::Error, work, subject, message, help(why).into()).related(cx.created(work.relation.birth));
        findings.push(match recipe {
            Some(recipe) => judged.with_recipe(recipe, cx.opt_out()),
            None => judged,
        });
    }
}

fn help(why: Rewrite) -> &'static str {
    match why {
        Rewrite::VolatileDefault { .. } => "add the column without the default, set that for new rows, and fill the old ones in batches",
        Rewrite::Identity { .. } => {
            "add a plain nullable column, fill it in batches from a sequence of its own, then make it NOT NULL by way of a valid CHECK and \
             let it own the sequence"
        }
        Rewrite::Generated { .. } => {
            "add a plain column that a trigger keeps, and fill it in batches; on 18 a VIRTUAL generated column costs nothing"
        }
        Rewrite::ConstrainedDomain { .. } => {
            "give the column the domain's base type and a CHECK of its own, NOT VALID first and validated in the next migration"
        }
        Rewrite::Retype { .. } => {
            "add a second column of the new type, keep it in step by a trigger, fill it in batches, and swap the two in a later release"
        }
        Rewrite::Persistence => "make a new table that is as wanted, copy rows in batches, and swap the names",
        Rewrite::AccessMethod | Rewrite::Tablespace => {
            "pg_repack and pg_squeeze move a table while it is used; or do it in a window in which nobody needs the table"
        }
        Rewrite::Cluster | Rewrite::VacuumFull => {
            "this is no migration: pg_repack and pg_squeeze do it while the table is used, and plain VACUUM gives space back to the table"
        }
        Rewrite::Refresh => "",
    }
}

/// The column without its default, the default for new rows, and a backfill.
fn volatile_default(cx: &Context<'_>, work: &Work, id: ColumnId) -> Option<Recipe> {
    let table = cx.after.relation(work.relation.id)?;
    let column = table.column_by_id(id)?;
    let alter = online::alter_table(cx, work.statement, work.span)?;
    let definition = online::added_column(alter, &column.name)?;
    let default = definition.constraints.iter().find(|def| matches!(def.kind, ConstraintKind::Default(_)))?;
    let not_null: Vec<_> =
        definition.constraints.iter().filter(|def| matches!(def.kind, ConstraintKind::NotNull { .. })).collect();
    // Anything else on the new column has recipes of its own.
    if definition.constraints.len() > 1 + not_null.len() {
        return None;
    }
    let mut cut = not_null.clone();
    cut.push(default);
    let (label, name) = (cx.label(table), quote_identifier(&column.name));
    let bare = online::without(cx, definition, &cut);
    let default = online::text(cx, default.span);
    let recipe = Recipe::new()
        .then(
            "no value for old rows, the default for new ones",
            [
                format!("ALTER TABLE {label} ADD COLUMN {bare}"),
                format!("ALTER TABLE {label} ALTER COLUMN {name} SET {default}"),
            ],
        )
        .then(
            "one batch; again until it changes no row",
            [online::backfill(table, &label, &format!("{name} = DEFAULT"), &format!("{name} IS NULL"))],
        );
    if not_null.is_empty() {
        return Some(recipe);
    }
    let helper = online::not_null_name(cx.before, table, column);
    let set = format!("ALTER TABLE {label} ALTER COLUMN {name} SET NOT NULL");
    Some(online::not_null(recipe, &label, &helper, std::slice::from_ref(&name), vec![set]))
}

/// A second column, a trigger, a backfill, and the swap. Only where nothing but the column itself has to be swapped.
fn retype(cx: &Context<'_>, work: &Work, id: ColumnId) -> Option<Recipe> {
    let before = cx.before.relation(work.relation.id)?;
    let table = cx.after.relation(work.relation.id)?;
    let (old, new) = (before.column_by_id(id)?, table.column_by_id(id)?);
    if table.kind != RelationKind::Table || !table.parents.is_empty() || !cx.after.children_of(table.id).is_empty() {
        return None;
    }
    if is_used(cx, before, old) {
        return None;
    }
    let alter = online::alter_table(cx, work.statement, work.span)?;
    let using = alter.commands.iter().find_map(|command| match command {
        AlterTableCommand::SetType { column, using, .. } if *column == old.name => Some(using.is_some()),
        _ => None,
    })?;
    if using {
        // What it computes would have to be written into the trigger too: that is the author's to say.
        return None;
    }
    if matches!(new.data_type.base, BaseType::User(id) if cx.after.types.get(&id).is_none_or(|object| object.is_domain())) {
        // A domain with constraints is checked in every row of the second column, too.
        return None;
    }
    let data_type = cx.after.format_type(&new.data_type)?;
    let label = cx.label(table);
    let name = quote_identifier(&old.name);
    let second = quote_identifier(&format!("{}_new", old.name));
    let function = crate::catalog::name::qualified(&table.schema, &format!("{}_{}_sync", table.name, old.name));
    let trigger = quote_identifier(&format!("{}_{}_sync", table.name, old.name));
    let body = format!("BEGIN NEW.{second} := NEW.{name}::{data_type}; RETURN NEW; END");
    Some(
        Recipe::new()
            .then(
                "a second column, kept in step",
                [
                    format!("ALTER TABLE {label} ADD COLUMN {second} {data_type}"),
                    format!("CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"),
                    format!(
                        "CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {label} FOR EACH ROW EXECUTE FUNCTION {function}()"
                    ),
                ],
            )
            .then(
                "one batch; again until it changes no row",
                [online::backfill(
                    table,
                    &label,
                    &format!("{second} = {name}::{data_type}"),
                    &format!("{second} IS NULL AND {name} IS NOT NULL"),
                )],
            )
            .then(
                "in a later release, tagged `-- phase contract`: the swap",
                [
                    format!("DROP TRIGGER {trigger} ON {label}"),
                    format!("DROP FUNCTION {function}()"),
                    format!("ALTER TABLE {label} DROP COLUMN {name}"),
                    format!("ALTER TABLE {label} RENAME COLUMN {second} TO {name}"),
                ],
            ),
    )
}

/// Something hangs on the column that a second one would not have: a key, an index, NOT NULL, a default, a view.
fn is_used(cx: &Context<'_>, table: &Relation, column: &Column) -> bool {
    let in_index = |index: &std::sync::Arc<crate::catalog::object::Index>| {
        index.keys.iter().any(|key| key.column == Some(column.id))
            || index.including.contains(&column.id)
            || index.expression_columns.contains(&column.id)
    };
    let in_view = |relation: &std::sync::Arc<Relation>| {
        relation.view.as_ref().is_some_and(|view| view.references.contains(&Reference::Column(table.id, column.id)))
    };
    let referenced = |relation: &std::sync::Arc<Relation>| {
        relation.constraints.iter().any(|constraint| match &constraint.kind {
            crate::catalog::object::ConstraintType::ForeignKey { references, ref_columns, .. } => {
                *references == table.id && ref_columns.contains(&column.id)
            }
            _ => false,
        })
    };
    column.not_null
        || column.default.is_some()
        || column.identity.is_some()
        || table.constraints.iter().any(|constraint| constraint.kind.columns().contains(&column.id))
        || cx.before.indexes_of(table.id).iter().any(in_index)
        || cx.before.relations.values().any(|relation| in_view(relation) || referenced(relation))
}
