//! Functions of the server and of its contrib modules: calling one changes no schema.

use crate::versions::newer;

/// Names of all functions in `pg_catalog` of PostgreSQL 15 (`pg_proc`), sorted.
const ROUTINES: &str = include_str!("data/routines.txt");

/// Names of the functions of contrib extensions whose functions only compute (no dblink, no tablefunc, no adminpack): members by
/// `pg_depend` on PostgreSQL 15, sorted.
const CONTRIB: &str = include_str!("data/contrib_routines.txt");

/// A function of `pg_catalog` in any server from 15 to 18.
pub fn is_routine(name: &str) -> bool {
    listed(ROUTINES, name) || is_later_routine(name)
}

/// A function that only servers after 15 have.
pub fn is_later_routine(name: &str) -> bool {
    newer::has_function(name) && !listed(ROUTINES, name)
}

/// A function of a contrib extension that only computes.
pub fn is_contrib_routine(name: &str) -> bool {
    listed(CONTRIB, name)
}

/// Binary search over lines, without an index of them.
fn listed(lines: &str, name: &str) -> bool {
    let mut low = 0;
    let mut high = lines.len();
    while low < high {
        let middle = low + (high - low) / 2;
        let start = lines[..middle].rfind('\n').map_or(0, |at| at + 1).max(low);
        let end = lines[start..].find('\n').map_or(lines.len(), |at| start + at);
        match lines[start..end].cmp(name) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = (end + 1).min(high),
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_and_every_line_is_found() {
        for list in [ROUTINES, CONTRIB] {
            assert!(list.lines().is_sorted());
            for name in list.lines() {
                assert!(listed(list, name), "{name} is in the list");
            }
            assert!(!listed(list, "no_such_function") && !listed(list, "") && !listed(list, "zzzz"));
        }
    }

    #[test]
    fn functions_of_the_server_are_told_from_those_of_users() {
        assert!(is_routine("now") && is_routine("set_config") && is_routine("uuidv7"));
        assert!(is_later_routine("uuidv7") && !is_later_routine("random") && !is_later_routine("now"));
        assert!(is_contrib_routine("uuid_generate_v4") && is_contrib_routine("crypt"));
        assert!(!is_routine("update_updated_at_column") && !is_contrib_routine("dblink_exec"));
    }
}
