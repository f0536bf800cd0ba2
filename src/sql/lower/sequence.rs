//! CREATE and ALTER SEQUENCE, and the sequence options of identity columns.

use super::definition::{boolean, elements, integer, name, type_value};
use super::node::{items, name_and_sub, persistence, relation_of};
use crate::op::{Op, SequenceOption};
use pg_query::protobuf::{AlterSeqStmt, CreateSeqStmt, Node};

pub fn create(stmt: &CreateSeqStmt) -> Op {
    Op::CreateSequence {
        name: relation_of(stmt.sequence.as_ref()),
        persistence: persistence(stmt.sequence.as_ref()),
        if_not_exists: stmt.if_not_exists,
        options: options(&stmt.options),
    }
}

pub fn alter(stmt: &AlterSeqStmt) -> Op {
    Op::AlterSequence { name: relation_of(stmt.sequence.as_ref()), if_exists: stmt.missing_ok, options: options(&stmt.options) }
}

/// Sequence options in the order written. The bounds of a sequence are 64 bits wide; a number that is not is refused by the
/// server and left out here.
pub fn options(nodes: &[Node]) -> Vec<SequenceOption> {
    elements(nodes)
        .filter_map(|element| {
            let number = integer(element);
            Some(match element.defname.as_str() {
                "as" => SequenceOption::As(type_value(element)?),
                "increment" => SequenceOption::Increment(number?),
                "start" => SequenceOption::Start(number?),
                "minvalue" => SequenceOption::MinValue(number),
                "maxvalue" => SequenceOption::MaxValue(number),
                "restart" => SequenceOption::Restart(number),
                "cache" => SequenceOption::Cache(number?),
                "cycle" => SequenceOption::Cycle(boolean(element)),
                "owned_by" => {
                    SequenceOption::OwnedBy(match name_and_sub(element.arg.as_deref().map(items).unwrap_or_default()) {
                        (owner, Some(column)) if !owner.name.is_empty() => Some((owner, column)),
                        _ => None,
                    })
                }
                "sequence_name" => SequenceOption::Name(name(element)?),
                "logged" => SequenceOption::SetLogged(true),
                "unlogged" => SequenceOption::SetLogged(false),
                // `generated` of SET GENERATED, which is not the sequence's.
                _ => return None,
            })
        })
        .collect()
}
