//! Why a statement of the previous release fails: the prediction that it confirms, or what its SQLSTATE says.

use super::super::super::chain::Chain;
use super::super::walk::words;
use super::shapes::{OldStatement, Shape};
use crate::effect::BreakKind;
use crate::sql::names::quote_identifier;
use postgres::Error;

/// A statement that worked and does not.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub shape: Shape,
    pub sql: String,
    /// `type` where nothing failed and the type is another.
    pub sqlstate: String,
    pub message: String,
    pub constraint: Option<String>,
    /// The table that refuses, as SQL needs it, where the server says.
    pub table: Option<String>,
    /// Other values would pass.
    pub hangs_on_values: bool,
}

impl Refusal {
    pub fn new(statement: &OldStatement, error: Error) -> Refusal {
        let (sqlstate, message, constraint, table) = match error.as_db_error() {
            Some(answer) => {
                let table = answer.schema().zip(answer.table());
                let table = table.map(|(schema, table)| format!("{}.{}", quote_identifier(schema), quote_identifier(table)));
                (answer.code().code().to_owned(), words(answer), answer.constraint().map(str::to_owned), table)
            }
            None => (String::new(), error.to_string(), None, None),
        };
        let (shape, sql) = (statement.shape.clone(), statement.sql.clone());
        Refusal { shape, sql, sqlstate, message, constraint, table, hangs_on_values: false }
    }

    pub fn of_type(column: String, message: String, sql: String) -> Refusal {
        let shape = Shape::Type(column);
        Refusal { shape, sql, sqlstate: TYPE.to_owned(), message, constraint: None, table: None, hangs_on_values: false }
    }

    /// It may be for the row that was made up and not for the statement.
    pub fn is_about_values(&self) -> bool {
        self.sqlstate.starts_with("22") || self.sqlstate.starts_with("23") || self.sqlstate == "P0001"
    }

    /// The relation itself is not there.
    pub fn is_of_relation(&self) -> bool {
        matches!(self.sqlstate.as_str(), "42P01" | "3F000")
    }

    /// In the server's words.
    pub fn words(&self) -> String {
        if self.sqlstate == TYPE { self.message.clone() } else { format!("{} {}", self.sqlstate, self.message) }
    }

    /// The column that it is about, raw: the server quotes it first where a column is missing or refuses NULL.
    fn column(&self) -> Option<&str> {
        match &self.shape {
            Shape::Type(column) => Some(column),
            _ if matches!(self.sqlstate.as_str(), "42703" | "23502" | "428C9") => self.message.split('"').nth(1),
            Shape::Select(column) | Shape::Update(column) => column.as_deref(),
            Shape::SetNull(column) => Some(column),
            Shape::Insert | Shape::Delete | Shape::Upsert(_) => None,
        }
    }
}

const TYPE: &str = "type";

/// What made it fail. Refusals with the same are one finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The rule that says so without a server.
    pub rule: &'static str,
    /// What check says is taken away.
    pub predicted: Option<String>,
    /// Of the unit, from 0.
    pub statement: Option<usize>,
    /// What else tells two causes apart.
    about: String,
}

impl Cause {
    pub fn of(chain: &Chain<'_>, unit: usize, relation: &str, refusal: &Refusal) -> Cause {
        let kinds = kinds(&refusal.sqlstate);
        let column = refusal.column().map(quote_identifier);
        let mut best: Option<(usize, usize, BreakKind, &str)> = None;
        let statements = chain.checked.units.get(unit).map(Vec::len).unwrap_or_default();
        for at in 0..statements {
            for found in chain.predicted(unit, at).map(|effect| effect.breaks.as_slice()).unwrap_or_default() {
                let Some(rank) = rank(&found.object, relation, column.as_deref(), kinds.contains(&found.kind)) else { continue };
                if best.is_none_or(|(known, ..)| rank < known) {
                    best = Some((rank, at, found.kind, &found.object));
                }
            }
        }
        match best {
            Some((_, at, kind, object)) => {
                Cause { rule: rule_of(kind), predicted: Some(object.to_owned()), statement: Some(at), about: String::new() }
            }
            None => Cause {
                rule: kinds.first().map_or("drop-column", |kind| rule_of(*kind)),
                predicted: None,
                statement: mentions(chain, unit, relation),
                about: refusal.constraint.clone().or(column).unwrap_or_else(|| refusal.sqlstate.clone()),
            },
        }
    }

    pub fn help(&self) -> String {
        let rule = self.rule;
        match &self.predicted {
            Some(object) => {
                format!("check says the same of {object}: {rule}; `phasegate explain {rule}` shows the way in two releases")
            }
            None => {
                format!("check did not say so; it is like {rule}, and `phasegate explain {rule}` shows the way in two releases")
            }
        }
    }
}

/// How well a prediction fits, 0 best: of the relation and of a kind that explains the refusal. None where it does not.
fn rank(object: &str, relation: &str, column: Option<&str>, explains: bool) -> Option<usize> {
    let of_relation = object == relation || object.strip_prefix(relation).is_some_and(|rest| rest.starts_with('.'));
    let of_column = column.is_some_and(|column| object.strip_prefix(relation).is_some_and(|rest| rest == format!(".{column}")));
    match (explains, of_column, of_relation) {
        (true, true, _) => Some(0),
        (true, false, true) => Some(1),
        // A schema, a type, a domain, a function: another object explains it.
        (true, false, false) if !is_of_a_relation(object) => Some(2),
        (false, true, _) => Some(3),
        (false, false, true) => Some(4),
        (true | false, false, false) => None,
    }
}

/// `schema.relation.part`.
fn is_of_a_relation(object: &str) -> bool {
    object.matches('.').count() >= 2
}

/// The statement of a unit that names the relation; the only one where there is only one.
fn mentions(chain: &Chain<'_>, unit: usize, relation: &str) -> Option<usize> {
    let statements = &chain.units.get(unit)?.statements;
    if statements.len() == 1 {
        return Some(0);
    }
    let name = relation.rsplit('.').next()?.trim_matches('"').to_lowercase();
    statements.iter().position(|statement| statement.sql.to_lowercase().contains(&name))
}

/// What may be behind an SQLSTATE, likeliest first.
fn kinds(sqlstate: &str) -> &'static [BreakKind] {
    use BreakKind::*;
    match sqlstate {
        "42P01" | "3F000" => &[DropRelation, RenameRelation, DropSchema],
        "42703" => &[DropColumn, RenameColumn],
        "23502" => {
            &[RequiredColumn, SetNotNull, DropDefault, AddPrimaryKey, DropIdentity, SetDomainNotNull, DropSequenceOwnership]
        }
        "23505" => &[AddUnique, AddPrimaryKey, RequiredColumn, DropDefault],
        "23503" => &[AddForeignKey],
        "23514" => &[AddCheck, SetNotNull, RequiredColumn, SetDomainNotNull, DetachPartition],
        "23P01" => &[AddExclude],
        "428C9" => &[IdentityAlways, DropColumn],
        "42P10" => &[DropConstraint, DropIndex, DropRelation],
        "42501" => &[Revoke, EnableRls, ChangeOwner, DropPolicy, DropRole],
        "42804" | "42883" | "42846" | "22P02" | "22001" | "22003" | "22007" | "22008" | TYPE => {
            &[TypeChange, DropEnumLabel, DropFunction, DropType]
        }
        "42704" => &[DropType, DropConstraint],
        "P0001" => &[AddTrigger],
        "0A000" => &[AddRule, TypeChange],
        "55000" => &[ReplicationChange, AddRule],
        _ => &[AddTrigger, TypeChange, DropFunction],
    }
}

/// The rule whose finding a kind of break is.
fn rule_of(kind: BreakKind) -> &'static str {
    match kind {
        BreakKind::DropRelation => "drop-table",
        BreakKind::DropColumn => "drop-column",
        BreakKind::RenameRelation => "rename-table",
        BreakKind::RenameColumn => "rename-column",
        BreakKind::TypeChange => "retype-column",
        BreakKind::SetNotNull | BreakKind::SetDomainNotNull => "set-not-null",
        BreakKind::RequiredColumn => "required-column",
        BreakKind::AddCheck | BreakKind::AddForeignKey | BreakKind::AddUnique | BreakKind::AddExclude => "tighten-constraint",
        BreakKind::AddPrimaryKey => "set-not-null",
        BreakKind::DropConstraint | BreakKind::DropIndex => "drop-unique",
        BreakKind::DropDefault => "drop-default",
        BreakKind::DropFunction => "drop-routine",
        BreakKind::DropType => "drop-type",
        BreakKind::DropEnumLabel => "rename-type",
        BreakKind::DropTrigger | BreakKind::DropPolicy | BreakKind::DropRule => "drop-trigger",
        BreakKind::DropSchema | BreakKind::DropExtension | BreakKind::DropOther => "drop-schema",
        BreakKind::EnableRls => "restrict-rows",
        BreakKind::AddTrigger => "new-trigger",
        BreakKind::Revoke | BreakKind::DropRole | BreakKind::ChangeOwner => "revoke",
        BreakKind::DropSequenceOwnership | BreakKind::DropIdentity | BreakKind::DropExpression => "drop-sequence",
        BreakKind::IdentityAlways => "always-identity",
        BreakKind::AddRule => "new-rule",
        BreakKind::DetachPartition => "detach-partition",
        BreakKind::RowsRemoved => "destroys-data",
        BreakKind::ReplicationChange => "replication-change",
        BreakKind::AddAttribute => "composite-attribute-added",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prediction_about_the_column_fits_best() {
        assert_eq!(rank("app.t.c", "app.t", Some("c"), true), Some(0));
        assert_eq!(rank("app.t.d", "app.t", Some("c"), true), Some(1));
        assert_eq!(rank("app.t2.c", "app.t", Some("c"), true), None);
        assert_eq!(rank("app", "app.t", None, true), Some(2));
        assert_eq!(rank("app.t.c", "app.t", Some("c"), false), Some(3));
    }
}
