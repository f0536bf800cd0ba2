//! [`FileForm`](super::form::FileForm) and command line → [`Settings`], each value with where it comes from.
//!
//! A flag beats a history's key, which beats the file's. Of the tables, `placeholders` and `rules` are merged key by key, `overrides`
//! are put one after the other, and everything else is taken as a whole from the innermost place that says it.

use super::error::{ConfigError, ConfigText, Place, Wrong};
use super::form::{HistoryForm, Keys, LockTimeoutWord, OverrideForm, ProveForm, ReleasesForm, RuleForm, RunnerWord};
use super::globs::Globs;
use super::levels::{Ceiling, LevelOverride};
use super::options;
use super::read::ConfigFile;
use super::resolved::{Configuration, Flags, Origin, Resolved, ResolvedHistory, WrittenPath};
use super::{LockTimeout, ProveSettings, ReleaseSettings, Settings};
use crate::finding::Level;
use crate::op::Span;
use crate::rules;
use crate::source::layouts;
use crate::versions::PostgresVersions;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// Resolves a file. `directory` is what its paths are relative to, as seen from the working directory. All that is wrong is
/// named, not only the first.
pub fn configuration(file: &ConfigFile, directory: &Path, flags: &Flags) -> Result<Configuration, Vec<ConfigError>> {
    let mut resolver = Resolver { file: &file.text, directory, errors: Vec::new() };
    let mut top = Resolved::default();
    resolver.keys(file.form.keys(), &mut top);
    if let Some(baseline) = &file.form.baseline {
        resolver.said(&mut top, "baseline", baseline.span());
        top.settings.baseline = resolver.path(baseline);
    }
    let mut names = BTreeSet::new();
    let mut directories = BTreeSet::new();
    let mut histories = Vec::new();
    for history in &file.form.histories {
        let mut resolved = top.clone();
        resolver.keys(history.get_ref().keys(), &mut resolved);
        resolved.take_flags(flags);
        let HistoryForm { name, paths, .. } = history.get_ref();
        if let Some(name) = name
            && !names.insert(name.get_ref().as_str())
        {
            let help = "give each history a name of its own";
            resolver.wrong(name.span(), Wrong::Empty { what: "another history has this name already", help });
        }
        if paths.get_ref().is_empty() {
            let help = "name the directory whose files the runner applies";
            resolver.wrong(paths.span(), Wrong::Empty { what: "a history without a path", help });
        }
        let mut written = Vec::new();
        for path in paths.get_ref() {
            let Some(text) = resolver.filled(path) else { continue };
            if !directories.insert(crate::source::shown(text)) {
                let help = "a directory belongs to one history: name it once";
                resolver.wrong(path.span(), Wrong::Empty { what: "this path stands here already", help });
            }
            written.push(WrittenPath { path: text.clone(), place: resolver.place(path.span()) });
        }
        let paths = written;
        histories.push(ResolvedHistory { name: name.as_ref().map(|name| name.get_ref().clone()), paths, resolved });
    }
    top.take_flags(flags);
    if resolver.errors.is_empty() { Ok(Configuration { top, histories }) } else { Err(resolver.errors) }
}

struct Resolver<'a> {
    file: &'a ConfigText,
    directory: &'a Path,
    errors: Vec<ConfigError>,
}

impl Resolver<'_> {
    fn place(&self, span: Range<usize>) -> Place {
        Place { file: self.file.clone(), span: Span { start: span.start, end: span.end } }
    }

    fn wrong(&mut self, span: Range<usize>, wrong: Wrong) {
        let place = Box::new(self.place(span));
        self.errors.push(ConfigError::Invalid { place, wrong });
    }

    fn said(&self, resolved: &mut Resolved, key: &str, span: Range<usize>) {
        let origin = Origin::File { path: self.file.path.clone(), line: self.file.line(span.start) };
        resolved.origins.insert(key.to_owned(), origin);
    }

    fn keys(&mut self, keys: Keys<'_>, to: &mut Resolved) {
        let Keys { placeholders, rules, overrides, include, exclude, prove, .. } = keys;
        self.words(keys, to);
        self.connection(keys, to);
        self.globs("include", include, to, |settings| &mut settings.include);
        self.globs("exclude", exclude, to, |settings| &mut settings.exclude);
        if let Some(prove) = prove {
            to.origins.retain(|key, _| !key.starts_with("prove."));
            to.settings.prove = self.prove(prove.get_ref(), to);
        }
        for (name, value) in placeholders {
            self.said(to, &format!("placeholders.{}", name.get_ref()), name.span());
            to.settings.placeholders.insert(name.get_ref().trim().to_owned(), value.get_ref().clone());
        }
        for (id, rule) in rules {
            self.rule(id, rule, to);
        }
        for one in overrides {
            self.level_override(one, to);
        }
    }

    fn words(&mut self, keys: Keys<'_>, to: &mut Resolved) {
        let Keys { layout, runner, lock_timeout, driver_caches_plans, runners_start_together, .. } = keys;
        if let Some(layout) = layout {
            self.said(to, "layout", layout.span());
            match layouts::named(layout.get_ref()) {
                Some(known) => to.settings.layout = Some(known.name().to_owned()),
                None => self.wrong(layout.span(), Wrong::Layout(layout.get_ref().clone())),
            }
        }
        if let Some(runner) = runner {
            self.said(to, "runner", runner.span());
            to.settings.runner_is_psql = match runner.get_ref() {
                RunnerWord::Psql => true,
            };
        }
        if let Some(word) = lock_timeout {
            self.said(to, "lock_timeout", word.span());
            to.settings.lock_timeout = match word.get_ref() {
                LockTimeoutWord::File => LockTimeout::File,
                LockTimeoutWord::Runner => LockTimeout::Runner,
            };
        }
        if let Some(caches) = driver_caches_plans {
            self.said(to, "driver_caches_plans", caches.span());
            to.settings.driver_caches_plans = *caches.get_ref();
        }
        if let Some(together) = runners_start_together {
            self.said(to, "runners_start_together", together.span());
            to.settings.runners_start_together = *together.get_ref();
        }
    }

    fn connection(&mut self, keys: Keys<'_>, to: &mut Resolved) {
        let Keys { postgres, search_path, phase_tag_prefixes, schema, releases, .. } = keys;
        if let Some(range) = postgres {
            self.said(to, "postgres", range.span());
            match range.get_ref().parse::<PostgresVersions>() {
                Ok(versions) => to.settings.postgres = Some(versions),
                Err(error) => self.wrong(range.span(), Wrong::Versions(error)),
            }
        }
        if let Some(path) = search_path {
            self.said(to, "search_path", path.span());
            to.settings.search_path = Some(path.get_ref().clone());
            if path.get_ref().iter().all(|schema| schema.trim().is_empty()) {
                let help = "name the schemas in their order, as in search_path = [\"app\", \"public\"]";
                self.wrong(path.span(), Wrong::Empty { what: "a search_path without a schema", help });
            }
        }
        if let Some(prefixes) = phase_tag_prefixes {
            self.said(to, "phase_tag_prefixes", prefixes.span());
            to.settings.phase_tag_prefixes = prefixes.get_ref().iter().map(|prefix| prefix.get_ref().clone()).collect();
            let is_word = |prefix: &str| !prefix.is_empty() && !prefix.contains(char::is_whitespace);
            let bad = prefixes.get_ref().iter().find(|prefix| !is_word(prefix.get_ref()));
            let span = bad.map(Spanned::span).or_else(|| prefixes.get_ref().is_empty().then(|| prefixes.span()));
            if let Some(span) = span {
                let help = "write the word that tags begin with after `--`, as in phase_tag_prefixes = [\"phase\"]";
                self.wrong(span, Wrong::Empty { what: "a prefix of tags is one word", help });
            }
        }
        if let Some(schema) = schema {
            self.said(to, "schema", schema.span());
            to.settings.schema_dump = self.path(schema);
        }
        if let Some(releases) = releases {
            to.origins.retain(|key, _| !key.starts_with("releases."));
            to.settings.releases = self.releases(releases.get_ref(), to);
        }
    }

    fn prove(&mut self, form: &ProveForm, to: &mut Resolved) -> ProveSettings {
        let ProveForm { setup, seed, extensions, settings, idempotent, ledger } = form;
        let spans = [
            ("setup", setup.as_ref().map(Spanned::span)),
            ("seed", seed.as_ref().map(Spanned::span)),
            ("extensions", extensions.as_ref().map(Spanned::span)),
            ("idempotent", idempotent.as_ref().map(Spanned::span)),
            ("ledger", ledger.as_ref().map(Spanned::span)),
        ];
        for (key, span) in spans {
            if let Some(span) = span {
                self.said(to, &format!("prove.{key}"), span);
            }
        }
        for name in settings.keys() {
            self.said(to, &format!("prove.settings.{}", name.get_ref()), name.span());
        }
        let list =
            |key: &Option<Spanned<Vec<Spanned<String>>>>| key.as_ref().map(|list| list.get_ref().clone()).unwrap_or_default();
        ProveSettings {
            set_up: list(setup).iter().filter_map(|file| self.path(file)).collect(),
            seed: list(seed).iter().filter_map(|file| self.path(file)).collect(),
            extensions: list(extensions).iter().filter_map(|name| self.filled(name).cloned()).collect(),
            settings: settings.iter().map(|(name, value)| (name.get_ref().clone(), value.get_ref().clone())).collect(),
            idempotent: idempotent.as_ref().is_some_and(|idempotent| *idempotent.get_ref()),
            ledger: ledger.as_ref().and_then(|ledger| self.filled(ledger).cloned()),
        }
    }

    fn releases(&mut self, form: &ReleasesForm, to: &mut Resolved) -> ReleaseSettings {
        let ReleasesForm { manifest, base, tags, through } = form;
        for (key, value) in [("manifest", manifest), ("base", base), ("tags", tags), ("through", through)] {
            if let Some(value) = value {
                self.said(to, &format!("releases.{key}"), value.span());
            }
        }
        let text = |resolver: &mut Self, value: &Option<Spanned<String>>| resolver.filled(value.as_ref()?).cloned();
        if let Some(pattern) = tags
            && let Err((_, why)) = Globs::new([pattern.get_ref().as_str()])
        {
            self.wrong(pattern.span(), Wrong::Glob(why));
        }
        ReleaseSettings {
            manifest: manifest.as_ref().and_then(|file| self.path(file)),
            base: text(self, base),
            tags: tags.as_ref().map(|pattern| pattern.get_ref().clone()),
            through: text(self, through),
        }
    }

    fn globs(
        &mut self,
        key: &str,
        patterns: &Option<Spanned<Vec<Spanned<String>>>>,
        to: &mut Resolved,
        slot: impl FnOnce(&mut Settings) -> &mut Globs,
    ) {
        let Some(patterns) = patterns else { return };
        self.said(to, key, patterns.span());
        *slot(&mut to.settings) = self.patterns(patterns.get_ref());
    }

    fn patterns(&mut self, patterns: &[Spanned<String>]) -> Globs {
        match Globs::new(patterns.iter().map(|pattern| pattern.get_ref().as_str())) {
            Ok(globs) => globs,
            Err((at, why)) => {
                let span = patterns.get(at).map(Spanned::span).unwrap_or_default();
                self.wrong(span, Wrong::Glob(why));
                Globs::default()
            }
        }
    }

    fn rule(&mut self, id: &Spanned<String>, form: &Spanned<RuleForm>, to: &mut Resolved) {
        self.said(to, &format!("rules.{}", id.get_ref()), id.span());
        let Some(rule) = self.known_rule(id) else { return };
        let mut said_more = false;
        let level = match form.get_ref() {
            RuleForm::Level(word) => self.level(word, form.span()),
            RuleForm::Options(options) => {
                let mut level = None;
                if options.is_empty() {
                    let help = "write `level = \"warning\"` into it";
                    self.wrong(form.span(), Wrong::Empty { what: "a rule without a level", help });
                }
                said_more = options.keys().any(|key| key.get_ref() != "level");
                for (key, value) in options {
                    match (key.get_ref().as_str(), value.get_ref()) {
                        ("level", toml::Value::String(word)) => level = self.level(word, value.span()),
                        ("level", other) => {
                            let message = format!("a level is a text, not {}", other.type_str());
                            self.wrong(value.span(), Wrong::Toml(message));
                        }
                        (word, value_of) if options::known(rule).contains(&word) => {
                            self.option(rule, word, value_of, value.span(), to);
                        }
                        (word, _) => {
                            let known = ["level"].iter().chain(options::known(rule)).map(|word| (*word).to_owned()).collect();
                            let wrong = Wrong::Option { rule: rule.into(), word: word.into(), known };
                            self.wrong(key.span(), wrong);
                        }
                    }
                }
                level
            }
        };
        if rule == "down-file-used" && level > Some(Level::Off) && !said_more && to.settings.options.down_file_paths.is_empty() {
            let help = "say which files run in production: { level = \"warning\", paths = [\"deploy\"] }";
            self.wrong(id.span(), Wrong::Empty { what: "this rule reads nothing without `paths`", help });
        }
        if let Some(level) = level {
            let ceiling = self.ceiling(level, id.span());
            to.settings.levels.rules.insert(rule, ceiling);
        }
    }

    /// An option that the rule has.
    fn option(&mut self, rule: &str, word: &str, value: &toml::Value, span: Range<usize>, to: &mut Resolved) {
        self.said(to, &format!("rules.{rule}.{word}"), span.clone());
        let texts: Option<Vec<&str>> = value.as_array().and_then(|all| all.iter().map(toml::Value::as_str).collect());
        match (rule, word, texts) {
            ("down-file-used", "paths", Some(paths)) if !paths.iter().any(|path| path.trim().is_empty()) => {
                to.settings.options.down_file_paths = paths.iter().map(|path| self.directory.join(path)).collect();
            }
            _ => {
                let help = "write a list of texts, as in paths = [\"deploy\", \"scripts/release.sh\"]";
                self.wrong(span, Wrong::Empty { what: "this option is a list of paths", help });
            }
        }
    }

    fn level_override(&mut self, form: &OverrideForm, to: &mut Resolved) {
        let OverrideForm { paths, rules } = form;
        if paths.get_ref().is_empty() {
            let help = "name the paths, relative to this file, as in paths = [\"legacy/**\"]";
            self.wrong(paths.span(), Wrong::Empty { what: "an override without a path", help });
        }
        let paths = self.patterns(paths.get_ref());
        let mut levels = BTreeMap::new();
        for (id, word) in rules.get_ref() {
            let known = self.known_rule(id);
            let level = self.level(word.get_ref(), word.span());
            if let (Some(rule), Some(level)) = (known, level) {
                levels.insert(rule, self.ceiling(level, id.span()));
            }
        }
        let at = to.settings.levels.overrides.len();
        self.said(to, &format!("overrides.{at}"), rules.span());
        to.settings.levels.overrides.push(LevelOverride { paths, rules: levels });
    }

    fn ceiling(&self, level: Level, span: Range<usize>) -> Ceiling {
        Ceiling { level, place: format!("{}:{}", self.file.path, self.file.line(span.start)) }
    }

    fn known_rule(&mut self, id: &Spanned<String>) -> Option<&'static str> {
        let rule = rules::rule(id.get_ref()).map(|rule| rule.id);
        if rule.is_none() {
            self.wrong(id.span(), Wrong::Rule(id.get_ref().clone()));
        }
        rule
    }

    fn level(&mut self, word: &str, span: Range<usize>) -> Option<Level> {
        let level = rules::document::word::<Level>(word);
        if level.is_none() {
            self.wrong(span, Wrong::Level(word.to_owned()));
        }
        level
    }

    fn filled<'a>(&mut self, value: &'a Spanned<String>) -> Option<&'a String> {
        if value.get_ref().trim().is_empty() {
            self.wrong(value.span(), Wrong::Empty { what: "an empty text", help: "write a value, or leave the key out" });
            return None;
        }
        Some(value.get_ref())
    }

    /// A path as seen from the working directory.
    fn path(&mut self, value: &Spanned<String>) -> Option<PathBuf> {
        self.filled(value).map(String::as_str).map(|path| self.directory.join(path))
    }
}
