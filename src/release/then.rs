//! A history as a commit held it, and what became of each of its units.

use super::error::ReleaseError;
use crate::source::git::{ChildKind, Commit, GitError, Repository, Snapshot};
use crate::source::{self, History, Migration, Origin, SourceError, compare, join, resolved, resolved_beside};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A history at an earlier moment.
#[derive(Debug)]
pub struct Then {
    pub snapshot: Arc<Snapshot>,
    pub history: History,
    /// Where its directory was, if it was elsewhere, and where it is now.
    moved: Option<(PathBuf, PathBuf)>,
}

impl Then {
    /// Reads the history that lies where `now` lies, as a commit held it; where the commit holds nothing there, from where the same
    /// files lay then. Empty where there were none.
    pub fn read(
        repository: &Arc<Repository>,
        commit: &Commit,
        now: &History,
        request: &source::Request,
    ) -> Result<Then, ReleaseError> {
        let snapshot = Arc::new(repository.snapshot(commit)?);
        let mut then = Then { snapshot, history: History::default(), moved: None };
        then.history = then.load(&now.path, now, request)?;
        let here = resolved(Path::new(&now.path));
        if then.history.migrations.is_empty()
            && then.snapshot.repository().below(&here).is_some_and(|path| then.snapshot.at(&path).is_ok_and(|at| at.is_none()))
            && let Some(there) = then.former_directory(&here, now)?
        {
            let there = repository.work_tree().join(there);
            then.history = then.load(&there.to_string_lossy(), now, request)?;
            then.moved = Some((there, here));
        }
        Ok(then)
    }

    fn load(&self, path: &str, now: &History, request: &source::Request) -> Result<History, ReleaseError> {
        // Of several directories that form one history, each is looked for where it is now.
        let is_joined = request.scope.history.is_some() && path == now.path;
        let loaded = source::load(&source::Request {
            paths: if is_joined { request.paths.clone() } else { vec![path.to_string()] },
            scope: if is_joined { request.scope.clone() } else { source::Scope { history: None, ..request.scope.clone() } },
            standard_input: None,
            // Fewer files may bear fewer marks, but it was the same runner.
            layout: Some(now.layout.clone()),
            origin: Origin::Git(Arc::clone(&self.snapshot)),
            ..request.clone()
        });
        for error in loaded.errors {
            match error {
                SourceError::Unreadable { path, cause } => {
                    return Err(ReleaseError::Snapshot { path, snapshot: self.name().to_string(), cause });
                }
                // There was nothing yet, or nothing that this runner ran.
                SourceError::NotFound { .. }
                | SourceError::NoDirectory { .. }
                | SourceError::SeveralHistories { .. }
                | SourceError::NotInGit { .. }
                | SourceError::NoMigration { .. }
                | SourceError::Ambiguous { .. }
                | SourceError::UnknownLayout { .. } => {}
            }
        }
        let mut histories = loaded.histories;
        let same = histories.iter().position(|history| history.path == path);
        Ok(same.map(|at| histories.swap_remove(at)).unwrap_or_default())
    }

    /// The directory that held the most of these files, with the same names and content.
    fn former_directory(&self, here: &Path, now: &History) -> Result<Option<String>, ReleaseError> {
        let files: BTreeMap<String, &[u8]> = now
            .migrations
            .iter()
            .filter_map(|unit| {
                let place = resolved_beside(Path::new(&unit.file.path));
                let name = place.strip_prefix(here).ok()?.to_string_lossy().into_owned();
                (!unit.file.bytes.trim_ascii().is_empty()).then_some((name, unit.file.bytes.as_slice()))
            })
            .collect();
        let mut found: BTreeMap<String, usize> = BTreeMap::new();
        self.look_for(&files, "", &mut found)?;
        // Of equals the first by name.
        Ok(found.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0))).map(|(directory, _)| directory))
    }

    fn look_for(
        &self,
        files: &BTreeMap<String, &[u8]>,
        directory: &str,
        found: &mut BTreeMap<String, usize>,
    ) -> Result<(), ReleaseError> {
        for child in self.snapshot.children(directory)? {
            let path = join(directory, &child.name);
            match child.kind {
                ChildKind::Directory => self.look_for(files, &path, found)?,
                ChildKind::File => {
                    for (name, bytes) in files {
                        let above = path.strip_suffix(name.as_str()).filter(|above| above.is_empty() || above.ends_with('/'));
                        let Some(above) = above else { continue };
                        if self.snapshot.read(&child).is_ok_and(|then| compare::same(&then, bytes)) {
                            *found.entry(above.trim_end_matches('/').to_string()).or_default() += 1;
                        }
                    }
                }
                ChildKind::Link | ChildKind::Submodule | ChildKind::Conflict => {}
            }
        }
        Ok(())
    }

    /// Where each of its units lies, or would lie now.
    pub fn places(&self) -> Places<'_> {
        let mut places = Places::of(&self.history);
        if let Some((there, here)) = &self.moved {
            places.relocate(there, here);
        }
        places
    }

    /// For people: `tag v1.2 (1a2b3c4d5e6f)`.
    pub fn name(&self) -> &str {
        &self.snapshot.name
    }

    /// The path of a unit's file in the words of the report: where it would be now.
    pub fn shown(&self, at: usize, now: &History) -> String {
        let path = &self.history.migrations[at].file.path;
        match &self.moved {
            Some((there, _)) => match Path::new(path).strip_prefix(there) {
                Ok(below) => join(&now.path, &below.to_string_lossy()),
                Err(_) => path.clone(),
            },
            None => path.clone(),
        }
    }

    /// The bytes that a place held; none where nothing was.
    pub fn file(&self, place: &Path) -> Result<Option<Vec<u8>>, ReleaseError> {
        let place = match &self.moved {
            Some((there, here)) => place.strip_prefix(here).map_or_else(|_| place.to_path_buf(), |below| there.join(below)),
            None => place.to_path_buf(),
        };
        let Some(path) = self.snapshot.repository().below(&place) else { return Ok(None) };
        let unreadable = |cause| ReleaseError::Snapshot { path: path.clone(), snapshot: self.name().to_string(), cause };
        match self.snapshot.followed(&path).map_err(unreadable)? {
            Some((_, file)) => self.snapshot.read(&file).map(Some).map_err(unreadable),
            None => Ok(None),
        }
    }
}

/// What became of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is the unit at this position now, as it was.
    Same(usize),
    Edited(usize),
    /// The same content stands under another name or id.
    Renamed(usize),
    Gone,
}

impl Fate {
    /// Its position now.
    pub fn now(self) -> Option<usize> {
        match self {
            Fate::Same(at) | Fate::Edited(at) | Fate::Renamed(at) => Some(at),
            Fate::Gone => None,
        }
    }
}

/// What became of each unit of `then`, in its order.
pub fn fates(then: &Places<'_>, now: &Places<'_>) -> Vec<Fate> {
    let mut here: HashMap<(&Path, &str), VecDeque<usize>> = HashMap::new();
    for (at, unit) in now.history.migrations.iter().enumerate() {
        here.entry((now.of_unit[at].as_path(), unit.id.as_str())).or_default().push_back(at);
    }
    let mut fates = Vec::with_capacity(then.history.migrations.len());
    for (at, unit) in then.history.migrations.iter().enumerate() {
        let found = here.get_mut(&(then.of_unit[at].as_path(), unit.id.as_str())).and_then(VecDeque::pop_front);
        fates.push(match found {
            Some(position) if same(then, at, now, position) => Fate::Same(position),
            Some(position) => Fate::Edited(position),
            None => Fate::Gone,
        });
    }
    let mut unmatched: Vec<usize> = here.into_values().flatten().collect();
    unmatched.sort_unstable();
    for (at, fate) in fates.iter_mut().enumerate().filter(|(_, fate)| **fate == Fate::Gone) {
        // Two empty files are not one file under two names.
        let is_it = |position: &usize| !is_empty(then, at) && same(then, at, now, *position);
        if let Some(found) = unmatched.iter().position(is_it) {
            *fate = Fate::Renamed(unmatched.remove(found));
        }
    }
    fates
}

/// A history, and where each of its units lies.
pub struct Places<'a> {
    pub history: &'a History,
    /// The file of each unit, absolute.
    pub of_unit: Vec<PathBuf>,
    /// Files with several units: of these a part is a unit's content, of all others the whole.
    shared: HashMap<PathBuf, usize>,
}

impl<'a> Places<'a> {
    pub fn of(history: &'a History) -> Places<'a> {
        let mut parents: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
        let mut place = |path: &str| {
            let path = Path::new(path);
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return path.to_path_buf() };
            let known = parents.entry(parent.to_path_buf());
            known.or_insert_with(|| resolved_beside(&parent.join("x")).parent().unwrap_or(parent).to_path_buf()).join(name)
        };
        let of_unit: Vec<PathBuf> = history.migrations.iter().map(|unit| place(&unit.file.path)).collect();
        let mut shared: HashMap<PathBuf, usize> = HashMap::new();
        for path in &of_unit {
            *shared.entry(path.clone()).or_default() += 1;
        }
        Places { history, of_unit, shared }
    }

    fn relocate(&mut self, from: &Path, to: &Path) {
        let moved = |place: &PathBuf| place.strip_prefix(from).map_or_else(|_| place.clone(), |below| to.join(below));
        self.of_unit = self.of_unit.iter().map(moved).collect();
        self.shared = self.shared.iter().map(|(place, units)| (moved(place), *units)).collect();
    }

    /// The position of every unit in the file at a place.
    pub fn units_at(&self, place: &Path) -> Vec<usize> {
        self.of_unit.iter().enumerate().filter(|(_, at)| at.as_path() == place).map(|(position, _)| position).collect()
    }

    fn is_alone(&self, at: usize) -> bool {
        self.shared.get(&self.of_unit[at]).is_none_or(|units| *units == 1)
    }
}

fn same(then: &Places<'_>, at: usize, now: &Places<'_>, position: usize) -> bool {
    let (old, new) = (&then.history.migrations[at], &now.history.migrations[position]);
    if then.is_alone(at) && now.is_alone(position) {
        compare::same(&old.file.bytes, &new.file.bytes)
    } else {
        compare::same(&parts(old), &parts(new))
    }
}

fn is_empty(places: &Places<'_>, at: usize) -> bool {
    let unit = &places.history.migrations[at];
    if places.is_alone(at) { unit.file.bytes.trim_ascii().is_empty() } else { parts(unit).trim_ascii().is_empty() }
}

/// What runs in a unit; blanks around it belong to nobody.
fn parts(unit: &Migration) -> Vec<u8> {
    let bytes = |part: &crate::op::Span| unit.file.bytes.get(part.start..part.end).unwrap_or_default().to_vec();
    unit.parts.iter().flat_map(bytes).collect::<Vec<u8>>().trim_ascii().to_vec()
}

/// The commit that a ref names, and where HEAD left it.
pub fn base(repository: &Repository, name: &str) -> Result<(Commit, Commit), GitError> {
    let tip = repository.commit(name)?;
    let base = repository.merge_base(&tip)?;
    Ok((tip, base))
}
