use super::shared::{fallout, search_path};
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::name::qualified;
use crate::catalog::object::{Birth, RelationKind};
use crate::finding::Level;
use crate::op::Persistence;

pub const RULE: Rule = Rule { id: "shadowed-name", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    let paths: Vec<_> = search_path::candidates(cx).into_iter().filter(|path| path.len() > 1).collect();
    if paths.is_empty() {
        return;
    }
    for event in cx.direct() {
        let (word, name, schema, hidden) = match &event.change {
            Change::RelationCreated { relation } => {
                let Some(new) = cx.after.relation(*relation).filter(|new| new.persistence != Persistence::Temporary) else { continue };
                if new.kind == RelationKind::Composite {
                    continue;
                }
                let older = cx.after.relations.values().find(|old| {
                    old.id != new.id
                        && old.name == new.name
                        && cx.older_relation(old)
                        && search_path::hides(&paths, &new.schema, &old.schema)
                });
                (fallout::kind_word(new.kind), &new.name, &new.schema, older.map(|old| (cx.label(old), old.birth)))
            }
            Change::TypeCreated { object } => {
                let Some(new) = cx.after.types.get(object) else { continue };
                let older = cx.after.types.values().find(|old| {
                    old.id != new.id
                        && old.name == new.name
                        && cx.older(old.birth)
                        && search_path::hides(&paths, &new.schema, &old.schema)
                });
                let older = older.map(|old| (qualified(&old.schema, &old.name), old.birth));
                (fallout::type_word(&new.kind), &new.name, &new.schema, older)
            }
            Change::RoutineCreated { routine } => {
                let Some(new) = cx.after.routines.get(routine) else { continue };
                let older = cx.after.routines.values().find(|old| {
                    old.id != new.id
                        && old.name == new.name
                        && cx.older(old.birth)
                        && old.input_types().eq(new.input_types())
                        && search_path::hides(&paths, &new.schema, &old.schema)
                });
                let older = older.map(|old| (cx.before.routine_label(old), old.birth));
                (fallout::routine_word(new.kind), &new.name, &new.schema, older)
            }
            _ => continue,
        };
        let Some((older, birth)): Option<(String, Birth)> = hidden else { continue };
        let new = qualified(schema, name);
        findings.push(
            cx.finding(
                RULE.id,
                Level::Error,
                event,
                new.clone(),
                format!("{word} {new} hides {older}: {schema} comes earlier on search_path, and the previous release says only {name}"),
                format!("give it a name that no older object has, or take {schema} off the search_path of the previous release"),
            )
            .related(cx.created(birth)),
        );
    }
}
