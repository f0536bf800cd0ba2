//! The search paths that a name of this unit may be looked up with.

use crate::op::{Op, SettingValue};
use crate::rules::Context;

/// Paths in force before and after the unit, and those that it sets meanwhile.
pub fn candidates(cx: &Context<'_>) -> Vec<Vec<String>> {
    let mut paths = vec![cx.before.search_path(), cx.after.search_path()];
    for statement in &cx.parsed.statements {
        let Ok(statement) = &statement.outcome else { continue };
        let parameter = match &statement.op {
            Op::Set(parameter) | Op::AlterSettings { parameter, .. } => parameter,
            _ => continue,
        };
        if let ("search_path", SettingValue::Values(values)) = (parameter.name.as_str(), &parameter.value) {
            paths.push(
                values.iter().flat_map(|value| value.split(',')).map(|part| part.trim().trim_matches('"').to_string()).collect(),
            );
        }
    }
    paths.sort();
    paths.dedup();
    paths
}

/// A path in which `front` comes before `behind`.
pub fn hides(paths: &[Vec<String>], front: &str, behind: &str) -> bool {
    paths.iter().any(|path| {
        let place = |schema: &str| path.iter().position(|entry| entry == schema);
        matches!((place(front), place(behind)), (Some(front), Some(behind)) if front < behind)
    })
}
