//! Patterns of paths, with the meaning that they have in `.gitignore`: the one that everybody knows.
//!
//! `*.sql` matches at every depth, `a/*.sql` only there, `scratch/` a directory with all below it, `!x` takes back.

use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Patterns of paths below one directory. Without any, nothing matches.
#[derive(Clone, Debug)]
pub struct Globs {
    patterns: Vec<String>,
    matcher: Gitignore,
}

impl Default for Globs {
    fn default() -> Self {
        Globs { patterns: Vec::new(), matcher: Gitignore::empty() }
    }
}

/// The same patterns match the same paths.
impl PartialEq for Globs {
    fn eq(&self, other: &Self) -> bool {
        self.patterns == other.patterns
    }
}

impl Globs {
    /// The error is the first pattern that is none: its index, and why.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Globs, (usize, String)> {
        let mut builder = GitignoreBuilder::new("");
        builder.allow_unclosed_class(false);
        let mut kept = Vec::new();
        for (at, pattern) in patterns.into_iter().enumerate() {
            // In a file of patterns these lines say nothing; here nobody would write one that is meant to.
            if pattern.trim().is_empty() || pattern.starts_with('#') {
                return Err((at, "it matches nothing".into()));
            }
            builder.add_line(None, pattern).map_err(|error| (at, cause(&error)))?;
            kept.push(pattern.to_owned());
        }
        let matcher = builder.build().map_err(|error| (0, cause(&error)))?;
        Ok(Globs { patterns: kept, matcher })
    }

    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// As they were written.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Whether a file matches, or a directory above it. `path` is relative to where the patterns belong, `/` between parts.
    pub fn matches(&self, path: &str) -> bool {
        let path = path.trim_start_matches('/');
        !path.is_empty() && self.matcher.matched_path_or_any_parents(path, false).is_ignore()
    }
}

/// The innermost reason, without the pattern, which the error's place shows.
fn cause(error: &ignore::Error) -> String {
    match error {
        ignore::Error::Glob { err, .. } => err.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(patterns: &[&str]) -> Globs {
        Globs::new(patterns.iter().copied()).unwrap_or_else(|(_, why)| panic!("{why}"))
    }

    #[test]
    fn a_pattern_without_a_slash_matches_at_every_depth_and_others_only_there() {
        let sql = globs(&["*.sql"]);
        assert!(sql.matches("1.sql") && sql.matches("a/b/1.sql") && !sql.matches("1.txt"));
        let here = globs(&["/*.sql"]);
        assert!(here.matches("1.sql") && !here.matches("a/1.sql"));
        let below = globs(&["legacy/**", "scratch/"]);
        assert!(below.matches("legacy/a/1.sql") && below.matches("x/scratch/1.sql"));
        assert!(!below.matches("x/legacy/1.sql") && !below.matches("scratch.sql"));
    }

    #[test]
    fn an_exclamation_mark_takes_back() {
        let most = globs(&["*.sql", "!1.sql"]);
        assert!(most.matches("2.sql") && !most.matches("a/1.sql"));
    }

    #[test]
    fn without_patterns_nothing_matches_and_bad_ones_say_why() {
        assert!(!Globs::default().matches("1.sql") && !globs(&["*"]).matches(""));
        assert_eq!(Globs::new(["ok", "a[b"]).map(|_| ()).map_err(|(at, _)| at), Err(1));
        for nothing in ["", "  ", "# all"] {
            assert_eq!(Globs::new([nothing]).map(|_| ()), Err((0, "it matches nothing".into())));
        }
    }
}
