//! How volatile the server declares its own functions, operators and casts, and those of the extensions that come with it
//! (`pg_proc.provolatile`). The tables beside it are read off servers of every known version by `tests/facts_tables.rs`.
//!
//! They say what is declared. The server looks further in places: it inlines functions of language SQL before it asks, and reads a
//! literal that is cast when it parses the statement.

use super::PostgresVersions;
use crate::catalog::builtin;
use crate::op::Volatility;
use std::collections::HashMap;
use std::sync::LazyLock;

/// One function for each line: name, volatility, arguments (`?` behind one that has a default, `*` before a variadic one). The
/// volatility is one letter where 15 to 18 agree, else one for each version, `-` where the version does not have the function.
const FUNCTIONS: &str = include_str!("volatility/functions.txt");
/// One operator for each line, in the same form; a prefix operator has one argument.
const OPERATORS: &str = include_str!("volatility/operators.txt");
/// One cast for each line, in the same form: source type, volatility, target type. Casts that go through the text of the value are
/// not listed: reading a type is its cast from `cstring`, writing it is its cast to `cstring`.
const CASTS: &str = include_str!("volatility/casts.txt");
/// As the functions; the names are `extension.function`. 16 was not asked: where 15 and 17 differ, the more volatile stands for it.
const CONTRIB: &str = include_str!("volatility/contrib.txt");

/// CURRENT_DATE, LOCALTIME, CURRENT_USER and all else that looks like a name and is a function (`SQLValueFunction`), in every
/// version.
pub const OF_SQL_VALUES: Volatility = Volatility::Stable;

/// How an untyped literal is given as the type of an argument. Unlike an argument of which nobody knows the type, it takes the type
/// that the function wants.
pub const LITERAL: &str = "unknown";

/// The type of a string that the reader of a type takes, and its writer gives.
const TEXT_FORM: &str = "cstring";

/// A line behind its name.
#[derive(Clone, Copy, Debug)]
struct Signature {
    /// One for all versions, or one for each.
    letters: &'static str,
    args: &'static str,
}

type Table = HashMap<&'static str, Vec<Signature>>;

static FUNCTION_TABLE: LazyLock<Table> = LazyLock::new(|| table(FUNCTIONS));
static OPERATOR_TABLE: LazyLock<Table> = LazyLock::new(|| table(OPERATORS));
static CAST_TABLE: LazyLock<Table> = LazyLock::new(|| table(CASTS));
static CONTRIB_TABLE: LazyLock<HashMap<(&'static str, &'static str), Vec<Signature>>> = LazyLock::new(|| {
    let split = |(name, lines): (&'static str, _)| Some((name.split_once('.')?, lines));
    table(CONTRIB).into_iter().filter_map(split).collect()
});

fn table(text: &'static str) -> Table {
    let mut table = Table::new();
    for line in text.lines() {
        let mut words = line.splitn(3, ' ');
        if let (Some(name), Some(letters)) = (words.next(), words.next()) {
            table.entry(name).or_default().push(Signature { letters, args: words.next().unwrap_or_default() });
        }
    }
    table
}

/// The volatility of a function of `pg_catalog`. Of several overloads that can take so many arguments of these types, the most
/// volatile counts, and so it does of several versions. `None` where no version of the range has such a function.
///
/// Arguments are types by internal name, `_x` for the array of `x`; [`LITERAL`] is an untyped literal, `None` what nobody knows.
pub fn of(name: &str, args: &[Option<&str>], versions: PostgresVersions) -> Option<Volatility> {
    worst(FUNCTION_TABLE.get(name)?, args, versions)
}

/// The volatility of an operator of `pg_catalog`, as [`of`] tells it; a prefix operator has one argument.
pub fn of_operator(name: &str, args: &[Option<&str>], versions: PostgresVersions) -> Option<Volatility> {
    let overloads = OPERATOR_TABLE.get(name)?;
    // Beside a literal the server first looks for the operator between two of the other side's type (`binary_oper_exact`).
    let alike = match args {
        [Some(LITERAL), Some(other)] | [Some(other), Some(LITERAL)] => [Some(*other); 2],
        _ => return worst(overloads, args, versions),
    };
    let is_exact = |overload: &&Signature| overload.fit(&alike).is_some_and(|fit| fit.exact == 2);
    match overloads.iter().find(is_exact) {
        Some(exact) => worst(std::slice::from_ref(exact), &alike, versions),
        None => worst(overloads, args, versions),
    }
}

/// The volatility of a function of an extension that comes with the server, as [`of`] tells it. Types of the extension go by their
/// bare names.
pub fn of_extension(extension: &str, name: &str, args: &[Option<&str>], versions: PostgresVersions) -> Option<Volatility> {
    worst(CONTRIB_TABLE.get(&(extension, name))?, args, versions)
}

/// The volatility of a cast between types of `pg_catalog` that the server permits; `None` for other types. A [`LITERAL`] is read
/// when the statement is parsed and is a constant from then on. Of a source that nobody knows, the most volatile cast counts. All
/// versions agree.
pub fn of_cast(from: Option<&str>, to: &str) -> Option<Volatility> {
    let reads = text_form(to, |to| direct(TEXT_FORM, to))?;
    let Some(from) = from else {
        let direct = CAST_TABLE.keys().filter_map(|from| direct(from, to));
        // What writes the unknown type may look at settings.
        let written = if is_string(to) { Volatility::Stable } else { reads };
        return Some(direct.fold(written, Ord::max));
    };
    if from == to || from == LITERAL {
        return Some(Volatility::Immutable);
    }
    if let Some(direct) = direct(from, to) {
        return Some(direct);
    }
    match (from.strip_prefix('_'), to.strip_prefix('_')) {
        (Some(from), Some(to)) => of_cast(Some(from), to),
        _ => Some(reads.max(text_form(from, |from| direct(from, TEXT_FORM))?)),
    }
}

/// What it takes to read or write a type: of arrays the server has one function for all, which is stable.
fn text_form(name: &str, of_scalar: impl Fn(&str) -> Option<Volatility>) -> Option<Volatility> {
    match name.strip_prefix('_') {
        Some(element) => of_scalar(element).map(|_| Volatility::Stable),
        None => of_scalar(name),
    }
}

/// The cast by a function or by nothing.
fn direct(from: &str, to: &str) -> Option<Volatility> {
    let found = CAST_TABLE.get(from)?.iter().find(|cast| cast.args == to)?;
    found.letters.chars().filter_map(of_letter).max()
}

fn is_string(name: &str) -> bool {
    matches!(name, "bpchar" | "char" | "name" | "text" | "varchar")
}

fn of_letter(letter: char) -> Option<Volatility> {
    match letter {
        'i' => Some(Volatility::Immutable),
        's' => Some(Volatility::Stable),
        'v' => Some(Volatility::Volatile),
        _ => None,
    }
}

fn worst(overloads: &[Signature], args: &[Option<&str>], versions: PostgresVersions) -> Option<Volatility> {
    versions.each().filter_map(|version| worst_in(overloads, args, version)).max()
}

fn worst_in(overloads: &[Signature], args: &[Option<&str>], version: u16) -> Option<Volatility> {
    let fitting: Vec<(Volatility, Fit)> =
        overloads.iter().filter_map(|overload| Some((overload.volatility(version)?, overload.fit(args)?))).collect();
    // Where every type is known, the server takes of those that fit the ones that fit best.
    let all_known = args.iter().all(Option::is_some);
    let best = fitting.iter().map(|(_, fit)| *fit).max()?;
    let chosen = fitting.into_iter().filter(|(_, fit)| !all_known || *fit == best);
    chosen.map(|(volatility, _)| volatility).max()
}

/// How well an overload fits: what the server looks at first stands first (`func_select_candidate`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    /// Arguments of the very type that is asked for.
    exact: usize,
    /// Those, and arguments for which the preferred type of their category is asked for.
    exact_or_preferred: usize,
}

impl Signature {
    /// `None` where the version does not have it.
    fn volatility(self, version: u16) -> Option<Volatility> {
        let at = usize::from(version.checked_sub(super::KNOWN.oldest)?);
        let letter = if self.letters.len() == 1 { self.letters.chars().next() } else { self.letters.chars().nth(at) };
        of_letter(letter?)
    }

    /// `None` where it cannot take the arguments.
    fn fit(self, args: &[Option<&str>]) -> Option<Fit> {
        let parameters: Vec<&str> = self.args.split_whitespace().collect();
        let variadic = parameters.last().and_then(|last| last.strip_prefix('*')).map(|last| last.trim_end_matches('?'));
        let defaults = parameters.iter().filter(|parameter| parameter.ends_with('?')).count();
        if args.len() < parameters.len() - defaults || (args.len() > parameters.len() && variadic.is_none()) {
            return None;
        }
        let mut fit = Fit::default();
        for (at, arg) in args.iter().enumerate() {
            let Some(arg) = arg else { continue };
            let is_variadic = variadic.filter(|_| at + 1 >= parameters.len());
            let wanted = match is_variadic {
                // The array itself: `VARIADIC array`.
                Some(array) if *arg == array => array,
                Some(array) => array.strip_prefix('_').unwrap_or(array),
                None => parameters.get(at)?.trim_end_matches('?'),
            };
            if *arg == wanted {
                fit.exact += 1;
                fit.exact_or_preferred += 1;
            } else if !can_become(arg, wanted) {
                return None;
            } else if is_preferred_of(arg, wanted) {
                fit.exact_or_preferred += 1;
            }
        }
        Some(fit)
    }
}

/// Whether the type wanted is the preferred one of the argument's category.
fn is_preferred_of(arg: &str, wanted: &str) -> bool {
    let (arg, wanted) = (builtin::facts(arg), builtin::facts(wanted));
    arg.zip(wanted).is_some_and(|(arg, wanted)| wanted.preferred && arg.category == wanted.category)
}

/// Whether an argument of a type may be given where another is wanted. Types that `pg_catalog` does not have may be anything.
fn can_become(arg: &str, wanted: &str) -> bool {
    if arg == LITERAL || wanted.starts_with("any") {
        return true;
    }
    match (arg.strip_prefix('_'), wanted.strip_prefix('_')) {
        (Some(arg), Some(wanted)) => arg == wanted || can_become(arg, wanted),
        // An array is cast to nothing else by itself, and of scalars only some of the server's own are arrays within.
        (Some(_), None) => builtin::facts(wanted).is_none(),
        (None, Some(_)) => builtin::facts(arg).is_none(),
        (None, None) => match (builtin::facts(arg), builtin::facts(wanted)) {
            (Some(facts), Some(_)) => facts.casts_to(wanted),
            _ => true,
        },
    }
}

#[cfg(test)]
mod tests;
