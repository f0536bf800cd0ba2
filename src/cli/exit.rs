//! Exit codes, as scripts and pipelines may rely on them.

use std::process::ExitCode;

/// What the process ends with. Of several, the largest counts: what could not be used is worse than findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: everything was checked, and nothing was found at the level of `--fail-on`.
    Clean = 0,
    /// 1: at least one finding at that level or above, not suppressed.
    Findings = 1,
    /// 2: arguments, configuration or paths could not be used, or the report could not be written. What could be checked is in the
    /// report all the same.
    Unusable = 2,
    /// 3: a proof could not be carried out.
    Unproven = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_the_worse_counts() {
        assert_eq!(Exit::Findings.max(Exit::Unusable), Exit::Unusable);
        assert_eq!(Exit::Clean.max(Exit::Findings), Exit::Findings);
    }
}
