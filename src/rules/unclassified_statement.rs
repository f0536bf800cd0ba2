use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::finding::Level;

pub const RULE: Rule =
    Rule { id: "unclassified-statement", family: Family::Phase, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.events {
        let Change::Unclassified { node } = &event.change else { continue };
        findings.push(cx.finding(
            RULE.id,
            Level::Error,
            event,
            node.clone(),
            format!("phasegate has no verdict for this statement ({node}): what it takes from the previous release is not known"),
            "review it by hand, and please report it, so that it gets a verdict".into(),
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::change::Change;
    use crate::finding::Level;
    use crate::config::Settings;
    use crate::rules::testing::judged_with;

    #[test]
    fn what_has_no_verdict_is_an_error_that_names_it() {
        let unknown = Change::Unclassified { node: "CreateAssertionStmt".into() };
        let found = judged_with(&["SELECT 1;"], Settings::default(), vec![unknown]);
        let levels: Vec<(&str, Level)> = found.iter().map(|finding| (finding.rule, finding.level)).collect();
        assert_eq!(levels, [("unclassified-statement", Level::Error)]);
        assert!(found[0].message.contains("CreateAssertionStmt"));
    }
}
