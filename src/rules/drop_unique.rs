use super::shared::arbiter::{self, Arbiter};
use super::shared::list;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event};
use crate::catalog::name::qualified;
use crate::catalog::object::{Constraint, ConstraintType, Relation};
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "drop-unique", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        match &event.change {
            Change::ConstraintDropped { relation, constraint, index } if cx.older_table(relation) && cx.older(constraint.birth) => {
                let arbiter = match index {
                    Some(index) if !matches!(constraint.kind, ConstraintType::Exclude { .. }) => Some(Arbiter::of_index(index)),
                    _ => Arbiter::of_constraint(constraint),
                };
                constraint_dropped(cx, event, relation, constraint, arbiter.as_ref(), findings);
            }
            Change::IndexDropped { relation, index, .. }
                if index.unique && cx.older_table(relation) && cx.older(index.birth) =>
            {
                if arbiter::equal_by_then(cx, event, relation.id, index.id, &Arbiter::of_index(index)) {
                    continue;
                }
                let name = qualified(&index.schema, &index.name);
                findings.push(
                    cx.finding(
                        RULE.id,
                        Level::Error,
                        event,
                        name.clone(),
                        format!(
                            "unique index {name} is dropped: ON CONFLICT of the previous release on these columns of {} has no \
                             arbiter any more (42P10), and duplicates get in",
                            cx.label(relation)
                        ),
                        help(&name),
                    )
                    .related(cx.created(index.birth)),
                );
            }
            _ => {}
        }
    }
}

fn help(name: &str) -> String {
    format!("build an equal unique index first (valid, not deferrable, the same columns, no predicate), then drop {name}; or drop it in a later release, in a migration tagged `-- phase contract`")
}

fn constraint_dropped(
    cx: &Context<'_>,
    event: &Event,
    relation: &Relation,
    constraint: &Constraint,
    arbiter: Option<&Arbiter>,
    findings: &mut Findings,
) {
    let (word, consequence) = match constraint.kind {
        ConstraintType::PrimaryKey { .. } => {
            ("primary key", "ON CONFLICT of the previous release on its columns has no arbiter any more (42P10), and duplicates get in")
        }
        ConstraintType::Unique { .. } => {
            ("unique constraint", "ON CONFLICT of the previous release on its columns has no arbiter any more (42P10), and duplicates get in")
        }
        ConstraintType::Exclude { .. } => {
            ("exclusion constraint", "the previous release relies on the server to refuse what it excluded")
        }
        ConstraintType::Check { .. } | ConstraintType::NotNull { .. } | ConstraintType::ForeignKey { .. } => return,
    };
    let name = cx.part_label(relation, &constraint.name);
    let name_comes_back =
        cx.after.relation(relation.id).is_some_and(|after| after.constraint(&constraint.name).is_some());
    let index = constraint.kind.index();
    let equal = arbiter
        .zip(index)
        .is_some_and(|(arbiter, index)| arbiter::equal_by_then(cx, event, relation.id, index, arbiter));
    let message = if equal {
        let users = arbiter::users_of_name(cx, relation, &constraint.name);
        if users.is_empty() || name_comes_back {
            return;
        }
        format!("{word} {name} is dropped and {} still says ON CONFLICT ON CONSTRAINT {} (42704)", list(&users), constraint.name)
    } else {
        format!("{word} {name} is dropped: {consequence}")
    };
    findings.push(
        cx.finding(RULE.id, Level::Error, event, name.clone(), message, help(&name)).related(cx.created(constraint.birth)),
    );
}

#[cfg(test)]
mod tests {
    use crate::config::Settings;
    use crate::rules::testing::judged;

    #[test]
    fn an_index_that_is_not_valid_replaces_nothing() {
        // ON ONLY a partitioned table makes an index that is not valid until every partition has its own.
        let init = "CREATE TABLE users (id int NOT NULL, UNIQUE (id)) PARTITION BY RANGE (id);
             CREATE TABLE users_low PARTITION OF users FOR VALUES FROM (0) TO (10);";
        let dropped = |index: &str| {
            let change = format!("{index}; ALTER TABLE users DROP CONSTRAINT users_id_key;");
            let found = judged(&[init, &change], Settings::default());
            found.iter().filter(|finding| finding.rule == "drop-unique").count()
        };
        assert_eq!(dropped("CREATE UNIQUE INDEX users_id ON users (id)"), 0);
        assert_eq!(dropped("CREATE UNIQUE INDEX users_id ON ONLY users (id)"), 1);
    }
}
