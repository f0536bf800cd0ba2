//! Constraints of columns, tables and domains.

use super::definition::elements;
use super::node::{items, optional, relation_of, string, strings};
use super::text::element_end;
use super::{Lowering, expr, index, sequence};
use crate::expr::Expr;
use crate::op::{ConstraintDef, ConstraintKind, FkAction, GeneratedKind, IdentityKind, Span};
use pg_query::NodeEnum;
use pg_query::protobuf::{CollateClause, ConstrType, Constraint, Node};

/// The constraints of a column or domain, whose text ends at `end`. The grammar gives `DEFERRABLE`, `INITIALLY DEFERRED` and
/// `NOT ENFORCED` as constraints of their own; they belong to the one before them (`transformConstraintAttrs`).
pub fn column_constraints(
    nodes: &[Node],
    end: usize,
    collation: Option<&CollateClause>,
    cx: &Lowering<'_>,
) -> Vec<ConstraintDef> {
    let parts: Vec<&Constraint> = nodes
        .iter()
        .filter_map(|node| match &node.node {
            Some(NodeEnum::Constraint(part)) => Some(part.as_ref()),
            _ => None,
        })
        .collect();
    // A constraint ends where the next one, or a COLLATE between them, begins.
    let boundaries: Vec<usize> = parts
        .iter()
        .filter(|part| !is_attribute(part.contype()))
        .map(|part| part.location)
        .chain(collation.map(|clause| clause.location))
        .filter_map(|location| usize::try_from(location).ok())
        .collect();
    let mut found: Vec<ConstraintDef> = Vec::new();
    for part in parts {
        if is_attribute(part.contype()) {
            if let Some(owner) = found.last_mut() {
                apply_attribute(part.contype(), owner);
            }
            continue;
        }
        let start = usize::try_from(part.location).unwrap_or(end);
        let limit = boundaries.iter().copied().filter(|&boundary| boundary > start).min().unwrap_or(end).min(end);
        found.extend(constraint(part, limit, cx));
    }
    found
}

fn is_attribute(kind: ConstrType) -> bool {
    matches!(
        kind,
        ConstrType::ConstrAttrDeferrable
            | ConstrType::ConstrAttrNotDeferrable
            | ConstrType::ConstrAttrDeferred
            | ConstrType::ConstrAttrImmediate
            | ConstrType::ConstrAttrEnforced
            | ConstrType::ConstrAttrNotEnforced
    )
}

fn apply_attribute(kind: ConstrType, owner: &mut ConstraintDef) {
    match kind {
        ConstrType::ConstrAttrDeferrable => owner.deferrable = true,
        ConstrType::ConstrAttrNotDeferrable => owner.deferrable = false,
        ConstrType::ConstrAttrDeferred => {
            owner.deferrable = true;
            owner.initially_deferred = true;
        }
        ConstrType::ConstrAttrImmediate => owner.initially_deferred = false,
        ConstrType::ConstrAttrEnforced => owner.enforced = true,
        ConstrType::ConstrAttrNotEnforced => {
            owner.enforced = false;
            owner.not_valid = true;
        }
        _ => {}
    }
}

/// One constraint; its text ends at `limit` at the latest. `None` for a kind that the grammar does not give here.
pub fn constraint(node: &Constraint, limit: usize, cx: &Lowering<'_>) -> Option<ConstraintDef> {
    let kind = kind(node, cx)?;
    // Only these two kinds carry the fields: in others they are false and mean nothing.
    let may_be_unenforced = matches!(kind, ConstraintKind::Check(_) | ConstraintKind::ForeignKey { .. });
    let may_be_invalid = may_be_unenforced || matches!(kind, ConstraintKind::NotNull { .. });
    Some(ConstraintDef {
        name: optional(&node.conname),
        kind,
        deferrable: node.deferrable || node.initdeferred,
        initially_deferred: node.initdeferred,
        not_valid: may_be_invalid && node.skip_validation,
        enforced: !may_be_unenforced || node.is_enforced,
        no_inherit: node.is_no_inherit,
        span: span(node.location, limit, cx),
    })
}

/// The place of an element that starts at `location` and ends at `limit` at the latest.
pub fn span(location: i32, limit: usize, cx: &Lowering<'_>) -> Span {
    match usize::try_from(location) {
        Ok(start) => cx.positions.span(start, element_end(cx.text, start, limit)),
        Err(_) => cx.positions.span(limit, limit),
    }
}

fn kind(node: &Constraint, cx: &Lowering<'_>) -> Option<ConstraintKind> {
    let raw = || node.raw_expr.as_deref().map_or(Expr::Null, |raw| expr(raw, cx));
    let using_index = optional(&node.indexname);
    Some(match node.contype() {
        ConstrType::ConstrNull => ConstraintKind::Null,
        ConstrType::ConstrNotnull => ConstraintKind::NotNull { column: node.keys.first().and_then(string) },
        ConstrType::ConstrDefault => ConstraintKind::Default(raw()),
        ConstrType::ConstrIdentity => {
            ConstraintKind::Identity { kind: identity_kind(&node.generated_when), options: sequence::options(&node.options) }
        }
        ConstrType::ConstrGenerated => ConstraintKind::Generated {
            kind: if node.generated_kind == "v" { GeneratedKind::Virtual } else { GeneratedKind::Stored },
            expr: raw(),
        },
        ConstrType::ConstrCheck => ConstraintKind::Check(raw()),
        ConstrType::ConstrPrimary => ConstraintKind::PrimaryKey {
            columns: strings(&node.keys),
            including: strings(&node.including),
            using_index,
            without_overlaps: node.without_overlaps,
        },
        ConstrType::ConstrUnique => ConstraintKind::Unique {
            columns: strings(&node.keys),
            including: strings(&node.including),
            nulls_not_distinct: node.nulls_not_distinct,
            using_index,
            without_overlaps: node.without_overlaps,
        },
        ConstrType::ConstrExclusion => {
            let mut elements = Vec::new();
            let mut operators = Vec::new();
            for pair in node.exclusions.iter().map(items) {
                if let [Node { node: Some(NodeEnum::IndexElem(element)) }, operator, ..] = pair {
                    elements.push(index::element(element, cx));
                    operators.push(strings(items(operator)).pop().unwrap_or_default());
                }
            }
            ConstraintKind::Exclude {
                elements,
                operators,
                method: node.access_method.clone(),
                predicate: node.where_clause.as_deref().map(|predicate| expr(predicate, cx)),
            }
        }
        ConstrType::ConstrForeign => ConstraintKind::ForeignKey {
            columns: strings(&node.fk_attrs),
            references: relation_of(node.pktable.as_ref()),
            ref_columns: strings(&node.pk_attrs),
            on_delete: action(&node.fk_del_action),
            on_update: action(&node.fk_upd_action),
            match_full: node.fk_matchtype == "f",
        },
        ConstrType::Undefined
        | ConstrType::ConstrAttrDeferrable
        | ConstrType::ConstrAttrNotDeferrable
        | ConstrType::ConstrAttrDeferred
        | ConstrType::ConstrAttrImmediate
        | ConstrType::ConstrAttrEnforced
        | ConstrType::ConstrAttrNotEnforced => return None,
    })
}

/// `attidentity`: `a` is ALWAYS, `d` BY DEFAULT.
pub fn identity_kind(code: &str) -> IdentityKind {
    if code == "a" { IdentityKind::Always } else { IdentityKind::ByDefault }
}

/// `confupdtype`, `confdeltype`.
fn action(code: &str) -> FkAction {
    match code {
        "r" => FkAction::Restrict,
        "c" => FkAction::Cascade,
        "n" => FkAction::SetNull,
        "d" => FkAction::SetDefault,
        _ => FkAction::NoAction,
    }
}

/// What SET GENERATED of ALTER COLUMN asks for, if it does: the grammar gives the code as a number.
pub fn identity_change(nodes: &[Node]) -> Option<IdentityKind> {
    let code = elements(nodes).find(|element| element.defname == "generated").and_then(super::definition::integer)?;
    Some(if code == i64::from(b'a') { IdentityKind::Always } else { IdentityKind::ByDefault })
}
