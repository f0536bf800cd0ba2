//! What only psql reads: meta-commands, variables and the data of COPY FROM stdin. By the rules of its `psqlscan.l` and
//! `psqlscanslash.l` and of `handleCopyIn`.

use crate::sql::lex::{self, TokenKind, is_word};
use memchr::{memchr, memmem};

/// What a meta-command does to the statement around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing: the statement goes on after it.
    GoesOn,
    /// Sends the statement before it, as `;` does: `\g`, `\gexec`, `\gset`, `\;` …
    Ends,
}

/// A backslash command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetaCommand {
    /// After its last argument: the end of the line, or after `\\`.
    pub end: usize,
    pub ending: Ending,
    /// `\copy … FROM stdin`: data follows on the next line.
    pub copies_in: bool,
}

const SENDING: &[&str] = &["g", "gx", "gexec", "gset", "gdesc", "crosstabview", "watch", "bind_named", "parse"];
/// Commands that take the rest of the line as it is, `\\` included.
const WHOLE_LINE: &[&str] = &["!", "copy", "h", "help", "ef", "ev", "sf", "sv"];

/// The command whose backslash stands at byte `at`.
pub fn meta_command(text: &str, at: usize) -> MetaCommand {
    let bytes = text.as_bytes();
    if bytes.get(at + 1) == Some(&b';') {
        return MetaCommand { end: at + 2, ending: Ending::Ends, copies_in: false };
    }
    let line_end = end_of_line(bytes, at);
    let line = &text[at + 1..line_end];
    let name_length = line.find(|c: char| c.is_ascii_whitespace() || c == '\\').unwrap_or(line.len());
    let name = &line[..if line.starts_with('!') { 1 } else { name_length }];
    let whole_line = WHOLE_LINE.contains(&name);
    let end = match line[name.len()..].find("\\\\") {
        Some(n) if !whole_line => at + 1 + name.len() + n + 2,
        _ => line_end,
    };
    let words: Vec<&str> = line[name.len()..].split_ascii_whitespace().collect();
    let copies_in = name == "copy" && words.windows(2).any(|pair| is_word(pair[0], &["from"]) && is_word(pair[1], &["stdin"]));
    let ending = if SENDING.contains(&name) { Ending::Ends } else { Ending::GoesOn };
    MetaCommand { end, ending, copies_in }
}

/// What a meta-command has to do with the shell of the machine where psql runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// `\!`, `\copy … program`, a pipe behind `\g` and `\o`.
    Runs,
    /// An argument in backquotes is what the command in it prints.
    Value,
}

/// Whether a meta-command, given whole, runs one of the shell (psql's documentation, *Meta-Commands*).
pub fn shell(command: &str) -> Option<Shell> {
    let line = command.strip_prefix('\\')?;
    if line.starts_with('!') {
        return Some(Shell::Runs);
    }
    let (name, arguments) = line.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((line, ""));
    match name {
        "copy" => {
            let words: Vec<&str> = arguments.split_ascii_whitespace().collect();
            let runs = words.windows(2).any(|pair| is_word(pair[0], &["from", "to"]) && is_word(pair[1], &["program"]));
            runs.then_some(Shell::Runs)
        }
        "g" | "gx" | "o" | "out" | "w" | "write" if arguments.split_ascii_whitespace().any(|word| word.starts_with('|')) => {
            Some(Shell::Runs)
        }
        _ if WHOLE_LINE.contains(&name) => None,
        _ => has_backquote(arguments).then_some(Shell::Value),
    }
}

/// A backquote outside of quotes.
fn has_backquote(arguments: &str) -> bool {
    let mut quote = None;
    arguments.chars().any(|character| {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (None, '`') => return true,
            _ => {}
        }
        false
    })
}

/// What `\set name value…` sets, and to what, where the value stands there as it is: no command in backticks, no escape, no other
/// variable. Commands that set a variable to what only a run can tell set it to nothing known.
pub fn set(command: &str) -> Option<(&str, Option<String>)> {
    let (word, arguments) = command.split_once(|c: char| c.is_ascii_whitespace())?;
    let first = || arguments.trim_start().split(|c: char| c.is_ascii_whitespace()).next().filter(|name| !name.is_empty());
    match word {
        "\\set" => {
            let name = first()?;
            let value = arguments.trim_start().strip_prefix(name)?;
            Some((name, literal(value)))
        }
        "\\getenv" => Some((first()?, None)),
        "\\prompt" => Some((arguments.split_ascii_whitespace().next_back()?, None)),
        _ => None,
    }
}

/// Arguments as they are joined: blanks in quotes stay, and a doubled quote in quotes is one (`psqlscanslash.l`, xslashquote).
fn literal(arguments: &str) -> Option<String> {
    let (mut text, mut quoted, mut characters) = (String::new(), false, arguments.chars().peekable());
    while let Some(character) = characters.next() {
        match character {
            '\\' => return None,
            '`' | ':' if !quoted => return None,
            '\'' if quoted && characters.next_if_eq(&'\'').is_some() => text.push('\''),
            '\'' => quoted = !quoted,
            blank if blank.is_ascii_whitespace() && !quoted => {}
            other => text.push(other),
        }
    }
    (!quoted).then_some(text)
}

/// Variables that psql itself sets (its documentation, *Variables*): they have a value in every run.
pub fn is_built_in(name: &str) -> bool {
    const BUILT_IN: [&str; 28] = [
        "AUTOCOMMIT",
        "DBNAME",
        "ECHO",
        "ECHO_HIDDEN",
        "ENCODING",
        "ERROR",
        "FETCH_COUNT",
        "HOST",
        "LASTOID",
        "LAST_ERROR_MESSAGE",
        "LAST_ERROR_SQLSTATE",
        "ON_ERROR_ROLLBACK",
        "ON_ERROR_STOP",
        "PORT",
        "QUIET",
        "ROW_COUNT",
        "SERVER_VERSION_NAME",
        "SERVER_VERSION_NUM",
        "SHELL_ERROR",
        "SHELL_EXIT_CODE",
        "SHOW_ALL_RESULTS",
        "SHOW_CONTEXT",
        "SQLSTATE",
        "USER",
        "VERBOSITY",
        "VERSION",
        "VERSION_NAME",
        "VERSION_NUM",
    ];
    BUILT_IN.contains(&name)
}

/// How a variable is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quoting {
    /// `:name`, `:{?name}`.
    Bare,
    /// `:'name'`, `:"name"`: without the colon it is a literal or an identifier.
    Quoted,
}

/// The variable whose colon stands at byte `at`, if it is one: where it ends and how it is written. The caller has looked at
/// what stands before it: array slices and JSON_OBJECT have colons too.
pub fn variable(bytes: &[u8], at: usize) -> Option<(usize, Quoting)> {
    let is_name = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c >= 0x80;
    let run = |from: usize| bytes[from..].iter().position(|&c| !is_name(c)).map_or(bytes.len(), |n| from + n);
    let quote = *bytes.get(at + 1)?;
    match quote {
        b'\'' | b'"' => {
            let end = run(at + 2);
            (end > at + 2 && bytes.get(end) == Some(&quote)).then_some((end + 1, Quoting::Quoted))
        }
        b'{' if bytes.get(at + 2) == Some(&b'?') => {
            let end = run(at + 3);
            (end > at + 3 && bytes.get(end) == Some(&b'}')).then_some((end + 1, Quoting::Bare))
        }
        c if is_name(c) => Some((run(at + 1), Quoting::Bare)),
        _ => None,
    }
}

/// Whether the text can hold a variable, a meta-command or COPY data at all.
pub fn is_possible(bytes: &[u8]) -> bool {
    memchr(b'\\', bytes).is_some()
        || memmem::find(bytes, b"stdin").is_some()
        || memmem::find(bytes, b"STDIN").is_some()
        || memchr::memchr_iter(b':', bytes).any(|at| {
            let before = at.checked_sub(1).map(|i| bytes[i]);
            before != Some(b':') && bytes.get(at + 1) != Some(&b':') && variable(bytes, at).is_some()
        })
}

/// Whether the statement is COPY … FROM STDIN, so that data follows it.
pub fn copies_in(statement: &str) -> bool {
    let mut words = lex::tokens(statement).filter(|token| !token.is_blank());
    if !words.next().is_some_and(|token| token.kind == TokenKind::Word && is_word(token.text(statement), &["copy"])) {
        return false;
    }
    let mut after_from = false;
    let mut depth = 0usize;
    for token in words {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        let word = if token.kind == TokenKind::Word && depth == 0 { token.text(statement) } else { "" };
        if after_from && is_word(word, &["stdin"]) {
            return true;
        }
        after_from = is_word(word, &["from"]);
    }
    false
}

/// The data that follows a command whose line ends after byte `at`: from the next line to the end of the line `\.`, or of the
/// text where there is none.
pub fn copy_data(bytes: &[u8], at: usize) -> std::ops::Range<usize> {
    let start = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n + 1);
    let mut line = start;
    while line < bytes.len() {
        let end = memchr(b'\n', &bytes[line..]).map_or(bytes.len(), |n| line + n);
        if bytes[line..end].trim_ascii_end() == b"\\." {
            return start..end;
        }
        line = end + 1;
    }
    start..bytes.len()
}

fn end_of_line(bytes: &[u8], at: usize) -> usize {
    let end = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n);
    if end > at && bytes[end - 1] == b'\r' { end - 1 } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meta_command_ends_with_its_line_or_with_two_backslashes() {
        let end = |text| &text[meta_command(text, 0).end..];
        assert_eq!(end("\\connect db -\r\nSELECT 1"), "\r\nSELECT 1");
        assert_eq!(end("\\set a 1 \\\\ SELECT 1"), " SELECT 1");
        assert_eq!(end("\\! echo a \\\\ b\nSELECT 1"), "\nSELECT 1");
        assert_eq!(end("\\;SELECT 1"), "SELECT 1");
    }

    #[test]
    fn commands_that_send_the_statement_are_known() {
        assert_eq!(meta_command("\\gexec\n", 0).ending, Ending::Ends);
        assert_eq!(meta_command("\\gset p_\n", 0).ending, Ending::Ends);
        assert_eq!(meta_command("\\set x\n", 0).ending, Ending::GoesOn);
        assert!(meta_command("\\copy t (a) FROM STDIN csv", 0).copies_in);
        assert!(!meta_command("\\copy t from program 'x'", 0).copies_in);
    }

    #[test]
    fn what_a_file_sets_itself_is_known_where_it_is_written_out() {
        assert_eq!(set("\\set schema app"), Some(("schema", Some("app".into()))));
        assert_eq!(set("\\set greeting 'it is' ' so' !"), Some(("greeting", Some("it is so!".into()))));
        assert_eq!(set("\\set empty"), Some(("empty", Some(String::new()))));
        assert_eq!(set("\\set  s  app "), Some(("s", Some("app".into()))));
        assert_eq!(set("\\set url 'f(''http://x'', `b`)'"), Some(("url", Some("f('http://x', `b`)".into()))));
        assert_eq!(set("\\set id '''8c03'''"), Some(("id", Some("'8c03'".into()))));
        for unknown in ["\\set day `date`", "\\set a :b", "\\set a 'x\\n'", "\\set a 'b", "\\getenv a HOME"] {
            assert_eq!(set(unknown).map(|(_, value)| value), Some(None), "{unknown}");
        }
        assert_eq!(set("\\prompt 'which one' name"), Some(("name", None)));
        assert_eq!(set("\\connect shop"), None);
    }

    #[test]
    fn commands_that_run_the_shell_are_known() {
        for command in
            ["\\! ls", "\\!ls", "\\copy t from program 'cat x'", "\\copy (select 1) TO PROGRAM 'x'", "\\g |cat", "\\o |cat"]
        {
            assert_eq!(shell(command), Some(Shell::Runs), "{command}");
        }
        assert_eq!(shell("\\set secret `echo $X`"), Some(Shell::Value));
        for command in ["\\copy program from 'x'", "\\copy t from 'program'", "\\set a '`x`'", "\\connect shop", "\\g out.txt"] {
            assert_eq!(shell(command), None, "{command}");
        }
    }

    #[test]
    fn variables_have_four_forms() {
        let variable = |text: &'static str| super::variable(text.as_bytes(), 0).map(|(end, quoting)| (&text[..end], quoting));
        assert_eq!(variable(":name + 1"), Some((":name", Quoting::Bare)));
        assert_eq!(variable(":'name'"), Some((":'name'", Quoting::Quoted)));
        assert_eq!(variable(":\"name\".b"), Some((":\"name\"", Quoting::Quoted)));
        assert_eq!(variable(":{?name}"), Some((":{?name}", Quoting::Bare)));
        assert_eq!(variable(":'a b'"), None);
        assert_eq!(variable("::text"), None);
        assert_eq!(variable(": a"), None);
    }

    #[test]
    fn copy_data_ends_with_its_own_line() {
        let text = "COPY t FROM stdin; -- x\n1\t\\N\n\\.x\n\\.\r\nSELECT 1";
        let range = copy_data(text.as_bytes(), 18);
        assert_eq!(&text[range], "1\t\\N\n\\.x\n\\.\r");
        assert!(copies_in("copy a.b (c) from STDIN with (format csv)"));
        assert!(!copies_in("COPY (SELECT 1 FROM stdin) TO 'x'"));
        assert!(!copies_in("SELECT 1 FROM stdin"));
    }
}
