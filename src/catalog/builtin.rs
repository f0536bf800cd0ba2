//! What `pg_catalog` has: functions, operators, categories and implicit casts of its types.
//!
//! The data is read off a PostgreSQL 15 by the `.sql` files beside it; a test runs them again and compares. Functions that newer
//! versions added stand apart, with the version ([`crate::versions::newer`]).

use super::types::DataType;
use crate::versions::{KNOWN, newer};
use std::collections::HashMap;
use std::sync::LazyLock;

const FUNCTIONS: &str = include_str!("builtin/functions.txt");
const OPERATORS: &str = include_str!("builtin/operators.txt");
const TYPES: &str = include_str!("builtin/types.txt");

/// A function of `pg_catalog`, as a call sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    pub args: Vec<DataType>,
    /// Trailing arguments that may be left out.
    pub defaults: usize,
    /// The last argument takes any number of values.
    pub variadic: bool,
    pub returns: DataType,
    pub returns_set: bool,
    /// Output columns, where it names them.
    pub outputs: Vec<(String, DataType)>,
}

impl Function {
    fn takes(&self, arguments: usize) -> bool {
        let least = self.args.len() - self.defaults - usize::from(self.variadic && self.defaults == 0);
        arguments >= least && (arguments <= self.args.len() || self.variadic)
    }
}

/// An operator of `pg_catalog`; a prefix operator has no left side.
#[derive(Clone, Debug, PartialEq)]
pub struct Operator {
    pub left: Option<DataType>,
    pub right: DataType,
    pub result: DataType,
}

/// What is known of a type of `pg_catalog`.
#[derive(Clone, Copy, Debug)]
pub struct TypeFacts {
    /// `pg_type.typcategory`.
    pub category: char,
    pub preferred: bool,
    /// Names of the types it is cast to implicitly, joined with blanks.
    implicit_casts: &'static str,
}

impl TypeFacts {
    pub fn casts_to(&self, name: &str) -> bool {
        self.implicit_casts.split(' ').any(|target| target == name)
    }
}

type Lines = HashMap<&'static str, Vec<&'static str>>;

static FUNCTION_LINES: LazyLock<Lines> = LazyLock::new(|| index(FUNCTIONS.lines()));
static NEWER_FUNCTION_LINES: LazyLock<Lines> = LazyLock::new(|| index(newer::functions().map(|(_, line)| line)));
static OPERATOR_LINES: LazyLock<Lines> = LazyLock::new(|| index(OPERATORS.lines()));
static TYPE_FACTS: LazyLock<HashMap<&'static str, TypeFacts>> = LazyLock::new(|| TYPES.lines().filter_map(type_facts).collect());

/// First word → the rests of the lines that begin with it.
fn index(lines: impl Iterator<Item = &'static str>) -> Lines {
    let mut found = Lines::new();
    for line in lines {
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        found.entry(name).or_default().push(rest);
    }
    found
}

fn type_facts(line: &'static str) -> Option<(&'static str, TypeFacts)> {
    let (name, rest) = line.split_once(' ')?;
    let (category, implicit_casts) = rest.split_once(' ').unwrap_or((rest, ""));
    let facts = TypeFacts { category: category.chars().next()?, preferred: category.ends_with('!'), implicit_casts };
    Some((name, facts))
}

/// Whether `pg_catalog` of any version has a function of that name that a client may call.
pub fn is_function(name: &str) -> bool {
    FUNCTION_LINES.contains_key(name) || NEWER_FUNCTION_LINES.contains_key(name)
}

/// All overloads of a name, those of newer versions last.
pub fn functions(name: &str) -> Vec<Function> {
    let lines = FUNCTION_LINES.get(name).into_iter().chain(NEWER_FUNCTION_LINES.get(name));
    lines.flatten().filter_map(|line| function(line)).collect()
}

/// The first version that has an overload with so many arguments, or any overload; `None` if none has. Types are not looked at.
pub fn first_version(name: &str, arguments: Option<usize>) -> Option<u16> {
    let takes = |line: &str| arguments.is_none_or(|count| function(line).is_some_and(|function| function.takes(count)));
    if FUNCTION_LINES.get(name).is_some_and(|lines| lines.iter().any(|line| takes(line))) {
        return Some(KNOWN.oldest);
    }
    let newer = newer::functions().filter_map(|(since, line)| Some((since, line.split_once(' ')?)));
    newer.filter(|(_, (named, rest))| *named == name && takes(rest)).map(|(since, _)| since).min()
}

/// All operators of a name.
pub fn operators(name: &str) -> Vec<Operator> {
    OPERATOR_LINES.get(name).into_iter().flatten().filter_map(|line| operator(line)).collect()
}

pub fn facts(type_name: &str) -> Option<TypeFacts> {
    TYPE_FACTS.get(type_name).copied()
}

/// A type by its internal name; `_x` is the array of `x`.
pub fn data_type(name: &str) -> DataType {
    match name.strip_prefix('_') {
        Some(element) => DataType::builtin(element).with_array(),
        None => DataType::builtin(name),
    }
}

fn function(line: &str) -> Option<Function> {
    let (before, after) = line.split_once(':')?;
    let mut function = Function {
        args: Vec::new(),
        defaults: 0,
        variadic: false,
        returns: DataType::UNKNOWN,
        returns_set: false,
        outputs: Vec::new(),
    };
    for word in before.split_whitespace() {
        function.variadic |= word.starts_with('*');
        function.defaults += usize::from(word.ends_with('?'));
        function.args.push(data_type(word.trim_start_matches('*').trim_end_matches('?')));
    }
    let mut words = after.split_whitespace();
    let returns = words.next()?;
    function.returns_set = returns.starts_with('+');
    function.returns = data_type(returns.trim_start_matches('+'));
    function.outputs = words.filter_map(|word| word.split_once('=')).map(|(name, t)| (name.into(), data_type(t))).collect();
    Some(function)
}

fn operator(line: &str) -> Option<Operator> {
    let mut words = line.split_whitespace();
    let (left, right, result) = (words.next()?, words.next()?, words.next()?);
    let left = (left != "-").then(|| data_type(left));
    Some(Operator { left, right: data_type(right), result: data_type(result) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_function_table_is_understood() {
        let lines = FUNCTIONS.lines().chain(newer::functions().map(|(_, line)| line));
        let names: std::collections::HashSet<&str> = lines.clone().filter_map(|line| line.split(' ').next()).collect();
        let understood: usize = names.iter().map(|name| functions(name).len()).sum();
        assert_eq!(understood, lines.count());
    }

    #[test]
    fn a_function_line_tells_arguments_defaults_and_outputs() {
        let set = functions("jsonb_set");
        assert_eq!(set[0].defaults, 1);
        assert_eq!(set[0].args[1], DataType::builtin("text").with_array());
        let each = functions("jsonb_each");
        assert!(each[0].returns_set);
        assert_eq!(each[0].outputs[1], ("value".to_string(), DataType::builtin("jsonb")));
    }

    #[test]
    fn a_function_is_as_old_as_its_oldest_overload_with_so_many_arguments() {
        let cases = [
            ("random", 0, Some(15)),
            ("random", 2, Some(17)),
            ("random", 1, None),
            ("uuidv7", 0, Some(18)),
            ("uuidv7", 1, Some(18)),
            ("any_value", 1, Some(16)),
            ("json_strip_nulls", 1, Some(15)),
            ("json_strip_nulls", 2, Some(18)),
            ("generate_series", 3, Some(15)),
            ("generate_series", 4, Some(16)),
            ("concat_ws", 5, Some(15)),
            ("pg_restore_relation_stats", 4, Some(18)),
            ("no_such_function", 0, None),
        ];
        for (name, arguments, since) in cases {
            assert_eq!(first_version(name, Some(arguments)), since, "{name} of {arguments}");
        }
    }

    #[test]
    fn preferred_types_and_implicit_casts_are_those_of_the_server() {
        let int4 = facts("int4").unwrap();
        assert!(int4.casts_to("int8") && !int4.casts_to("int2") && !int4.preferred);
        assert!(facts("text").unwrap().preferred);
    }
}
