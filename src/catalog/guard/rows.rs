//! The rows that a table of the server has, as far as the catalog knows them.
//!
//! Where the catalog is not complete, a row of kind `Unseen…` stands for any number of others: its names are none of those
//! that the catalog knows, all else about it is unknown. A known relation is known whole: its columns, constraints, triggers and
//! policies are all there are.

use super::table::Table;
use crate::catalog::Catalog;
use crate::catalog::object::{
    Column, Constraint, ConstraintType, DomainConstraint, Extension, Index, Publication, Relation, RelationKind, Role, Routine,
    SchemaObject, Trigger, TypeKind, TypeObject,
};
use crate::op::{Policy, RoutineKind, TriggerEvent};

#[derive(Clone, Copy, Debug)]
pub enum Row<'c> {
    Schema(&'c SchemaObject),
    SystemSchema(&'static str),
    Relation(&'c Relation),
    Index(&'c Index),
    Column(&'c Relation, &'c Column),
    /// A constraint, and for the `…_usage` views one of its columns.
    Constraint(&'c Relation, &'c Constraint),
    ConstraintColumn(&'c Relation, &'c Constraint, &'c Relation, &'c Column),
    DomainConstraint(&'c TypeObject, &'c DomainConstraint),
    Type(&'c TypeObject),
    /// The type of a relation's rows.
    ImplicitType(&'c Relation),
    Label(&'c TypeObject, usize),
    Routine(&'c Routine),
    Trigger(&'c Relation, &'c Trigger, Option<TriggerEvent>),
    Policy(&'c Relation, &'c Policy),
    Extension(&'c Extension),
    /// `plpgsql` is in every database.
    InstalledExtension(&'static str),
    Role(&'c Role),
    Publication(&'c Publication),
    PublicationTable(&'c Publication, &'c Relation),
    Inheritance(&'c Relation, &'c Relation),

    /// Any number of objects that nobody created here.
    Unseen(Unseen),
    /// A relation that nobody created here and that may be of this table's kind.
    PerhapsRelation(&'c Relation),
    /// Any number of parts (columns, constraints …) of a relation that nobody created here but statements named.
    UnseenPart(&'c Relation),
    UnseenLabel(&'c TypeObject),
    /// What the server itself has in `pg_catalog`.
    System(Unseen),
    /// Any number of rows with anything in them: a user's table.
    Anything,
}

/// What kind of object an unseen row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unseen {
    Schema,
    Relation,
    /// Part of a relation that is not known either.
    Part,
    Type,
    Label,
    Routine,
    Extension,
    Role,
    Publication,
}

impl Row<'_> {
    /// True for a row that is there exactly once; false where it stands for any number, none included.
    pub fn is_certain(&self) -> bool {
        !matches!(
            self,
            Row::Unseen(_) | Row::PerhapsRelation(_) | Row::UnseenPart(_) | Row::UnseenLabel(_) | Row::System(_) | Row::Anything
        )
    }
}

/// All rows of a table. Of those that are parts of a relation, only the parts of relations that pass `only`: the caller has
/// conditions that the others' fail.
pub fn rows<'c>(c: &'c Catalog, table: Table, only: &dyn Fn(&Relation) -> bool) -> Vec<Row<'c>> {
    let mut out = Vec::new();
    match table {
        Table::Namespaces => {
            out.extend(c.schemas.values().map(|schema| Row::Schema(schema)));
            out.extend(["pg_catalog", "information_schema", "pg_toast"].map(Row::SystemSchema));
            open(c, &mut out, Unseen::Schema);
        }
        Table::Class => {
            out.extend(c.relations.values().map(|relation| Row::Relation(relation)));
            out.extend(c.indexes.values().map(|index| Row::Index(index)));
            out.push(Row::System(Unseen::Relation));
            open(c, &mut out, Unseen::Relation);
        }
        Table::Tables => relations(c, &mut out, |kind| matches!(kind, RelationKind::Table | RelationKind::PartitionedTable)),
        Table::InformationTables => relations(c, &mut out, |kind| {
            use RelationKind::{ForeignTable, PartitionedTable, Table, View};
            matches!(kind, Table | PartitionedTable | ForeignTable | View)
        }),
        Table::Views => relations(c, &mut out, |kind| kind == RelationKind::View),
        Table::MaterializedViews => {
            relations(c, &mut out, |kind| kind == RelationKind::MaterializedView);
        }
        Table::Sequences => {
            relations(c, &mut out, |kind| kind == RelationKind::Sequence);
        }
        Table::Indexes => {
            out.extend(c.indexes.values().map(|index| Row::Index(index)));
            parts(c, &mut out, only, |_, _| {});
        }
        Table::Attributes => parts(c, &mut out, only, |relation, out| {
            out.extend(relation.columns.iter().map(|column| Row::Column(relation, column)));
        }),
        Table::InformationColumns => parts(c, &mut out, only, |relation, out| {
            if relation.is_table() || relation.kind == RelationKind::View {
                out.extend(relation.columns.iter().map(|column| Row::Column(relation, column)));
            }
        }),
        Table::Constraints => {
            parts(c, &mut out, only, |relation, out| {
                out.extend(relation.constraints.iter().map(|constraint| Row::Constraint(relation, constraint)));
            });
            domain_constraints(c, &mut out);
        }
        Table::InformationConstraints => parts(c, &mut out, only, |relation, out| {
            let listed = relation.constraints.iter().filter(|found| !matches!(found.kind, ConstraintType::Exclude { .. }));
            out.extend(listed.map(|constraint| Row::Constraint(relation, constraint)));
        }),
        Table::CheckConstraints => {
            parts(c, &mut out, only, |relation, out| {
                let checks = relation.constraints.iter().filter(|found| matches!(found.kind, ConstraintType::Check { .. }));
                out.extend(checks.map(|constraint| Row::Constraint(relation, constraint)));
            });
            domain_constraints(c, &mut out);
        }
        Table::ReferentialConstraints => parts(c, &mut out, only, |relation, out| {
            let keys = relation.constraints.iter().filter(|found| matches!(found.kind, ConstraintType::ForeignKey { .. }));
            out.extend(keys.map(|constraint| Row::Constraint(relation, constraint)));
        }),
        Table::KeyColumnUsage => parts(c, &mut out, only, |relation, out| {
            for constraint in relation.constraints.iter().filter(|found| is_key(&found.kind)) {
                for column in constraint.kind.columns().iter().filter_map(|id| relation.column_by_id(*id)) {
                    out.push(Row::ConstraintColumn(relation, constraint, relation, column));
                }
            }
        }),
        Table::ConstraintColumnUsage => parts(c, &mut out, &|_| true, |relation, out| {
            for constraint in &relation.constraints {
                used_columns(c, relation, constraint, out);
            }
        }),
        Table::Types => {
            out.extend(c.types.values().map(|object| Row::Type(object)));
            // Every relation with rows has a row type of its name; that of a composite is the type itself.
            let with_rows = of_kind(c, |kind| !matches!(kind, RelationKind::Composite));
            out.extend(with_rows.map(Row::ImplicitType));
            out.push(Row::System(Unseen::Type));
            open(c, &mut out, Unseen::Type);
        }
        Table::Domains => {
            let domains = c.types.values().filter(|object| matches!(object.kind, TypeKind::Domain { .. }));
            out.extend(domains.map(|object| Row::Type(object)));
            open(c, &mut out, Unseen::Type);
        }
        Table::EnumLabels => {
            for object in c.types.values() {
                if let TypeKind::Enum { labels } = &object.kind {
                    out.extend((0..labels.len()).map(|at| Row::Label(object, at)));
                }
                if !object.known {
                    out.push(Row::UnseenLabel(object));
                }
            }
            open(c, &mut out, Unseen::Label);
        }
        Table::Routines => {
            out.extend(c.routines.values().map(|routine| Row::Routine(routine)));
            out.push(Row::System(Unseen::Routine));
            open(c, &mut out, Unseen::Routine);
        }
        Table::InformationRoutines => {
            let listed = c.routines.values().filter(|routine| routine.kind != RoutineKind::Aggregate);
            out.extend(listed.map(|routine| Row::Routine(routine)));
            out.push(Row::System(Unseen::Routine));
            open(c, &mut out, Unseen::Routine);
        }
        Table::Triggers => parts(c, &mut out, only, |relation, out| {
            out.extend(relation.triggers.iter().map(|trigger| Row::Trigger(relation, trigger, None)));
        }),
        // One row per event; the standard knows no TRUNCATE triggers.
        Table::InformationTriggers => parts(c, &mut out, only, |relation, out| {
            for trigger in &relation.triggers {
                let events = trigger.events.iter().filter(|event| **event != TriggerEvent::Truncate);
                out.extend(events.map(|event| Row::Trigger(relation, trigger, Some(*event))));
            }
        }),
        Table::Policies => parts(c, &mut out, only, |relation, out| {
            out.extend(relation.policies.iter().map(|policy| Row::Policy(relation, &policy.policy)));
        }),
        Table::Extensions => {
            out.extend(c.extensions.values().map(|extension| Row::Extension(extension)));
            if !c.extensions.contains_key("plpgsql") {
                out.push(Row::InstalledExtension("plpgsql"));
            }
            open(c, &mut out, Unseen::Extension);
        }
        Table::Roles => {
            out.extend(c.roles.values().map(|role| Row::Role(role)));
            // Roles belong to the whole cluster: no history of one database has them all.
            out.push(Row::Unseen(Unseen::Role));
        }
        Table::Publications => {
            out.extend(c.publications.values().map(|publication| Row::Publication(publication)));
            open(c, &mut out, Unseen::Publication);
        }
        Table::PublicationTables => {
            for publication in c.publications.values() {
                let tables = publication.tables.iter().filter_map(|id| c.relations.get(id));
                out.extend(tables.map(|relation| Row::PublicationTable(publication, relation)));
                if publication.all_tables || !publication.schemas.is_empty() {
                    out.push(Row::Anything);
                }
            }
            open(c, &mut out, Unseen::Publication);
        }
        Table::Inheritance => {
            for relation in c.relations.values() {
                let parents = relation.parents.iter().filter_map(|id| c.relations.get(id));
                out.extend(parents.map(|parent| Row::Inheritance(relation, parent)));
            }
            if c.incomplete {
                out.push(Row::Anything);
            }
        }
    }
    out
}

fn open(c: &Catalog, out: &mut Vec<Row<'_>>, unseen: Unseen) {
    if c.incomplete {
        out.push(Row::Unseen(unseen));
    }
}

fn of_kind(c: &Catalog, keep: impl Fn(RelationKind) -> bool) -> impl Iterator<Item = &Relation> {
    c.relations.values().map(AsRef::as_ref).filter(move |relation| keep(relation.kind))
}

/// Relations of some kinds. One that nobody created here may be of another kind than it was taken for.
fn relations<'c>(c: &'c Catalog, out: &mut Vec<Row<'c>>, keep: impl Fn(RelationKind) -> bool) {
    for relation in c.relations.values() {
        if keep(relation.kind) {
            out.push(Row::Relation(relation));
        } else if !relation.known {
            out.push(Row::PerhapsRelation(relation));
        }
    }
    out.push(Row::System(Unseen::Relation));
    open(c, out, Unseen::Relation);
}

/// Parts of every relation, and the unseen parts of those that nobody created here.
fn parts<'c>(
    c: &'c Catalog,
    out: &mut Vec<Row<'c>>,
    only: &dyn Fn(&Relation) -> bool,
    add: impl Fn(&'c Relation, &mut Vec<Row<'c>>),
) {
    for relation in c.relations.values().filter(|relation| only(relation)) {
        add(relation, out);
        if !relation.known {
            out.push(Row::UnseenPart(relation));
        }
    }
    open(c, out, Unseen::Part);
}

fn domain_constraints<'c>(c: &'c Catalog, out: &mut Vec<Row<'c>>) {
    for object in c.types.values() {
        if let TypeKind::Domain { constraints, .. } = &object.kind {
            out.extend(constraints.iter().map(|constraint| Row::DomainConstraint(object, constraint)));
        }
    }
}

fn is_key(kind: &ConstraintType) -> bool {
    matches!(kind, ConstraintType::Unique { .. } | ConstraintType::PrimaryKey { .. } | ConstraintType::ForeignKey { .. })
}

/// `information_schema.constraint_column_usage`: of a foreign key the *referenced* columns, else the constrained ones.
fn used_columns<'c>(c: &'c Catalog, relation: &'c Relation, constraint: &'c Constraint, out: &mut Vec<Row<'c>>) {
    let (table, columns) = match &constraint.kind {
        ConstraintType::ForeignKey { references, ref_columns, .. } => match c.relations.get(references) {
            // Which columns a key of an unseen table refers to may be unknown.
            Some(referenced) if ref_columns.is_empty() => {
                out.push(Row::UnseenPart(referenced));
                return;
            }
            Some(referenced) => (referenced.as_ref(), ref_columns.as_slice()),
            None => return,
        },
        ConstraintType::Exclude { .. } => return,
        ConstraintType::Check { .. }
        | ConstraintType::NotNull { .. }
        | ConstraintType::Unique { .. }
        | ConstraintType::PrimaryKey { .. } => (relation, constraint.kind.columns()),
    };
    for column in columns.iter().filter_map(|id| table.column_by_id(*id)) {
        out.push(Row::ConstraintColumn(relation, constraint, table, column));
    }
}
