//! libpg_query through its C interface. The only file with `unsafe`.
//!
//! The `pg_query` crate links the library but hides where an error stands and walks every tree for tables that nobody asked
//! for; its types are used, its calls are not. Invariants: every result of the library is freed exactly once, and no pointer
//! into it leaves this file.

use pg_query::protobuf::ParseResult;
use prost::Message;
use std::cell::Cell;
use std::ffi::{CStr, CString, c_char, c_int};

/// Bytes of stack for a thread that parses: libpg_query bounds its own recursion by 2 MB of stack, the tree it then hands over
/// is up to ten thousand messages deep, and decoding one message takes some kilobytes in a build without optimisation.
pub const ROOM: usize = 256 * 1024 * 1024;

/// What the text is: a file of statements, or one expression of plpgsql.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Statements,
    /// What stands after `IF`, `RETURN`, `PERFORM`, `:=`: a SELECT without the word. (`RAW_PARSE_PLPGSQL_EXPR`)
    Expression,
    /// One type. (`RAW_PARSE_TYPE_NAME`)
    TypeName,
}

impl Mode {
    fn bits(self) -> c_int {
        match self {
            Mode::Statements => 0,
            Mode::TypeName => 1,
            Mode::Expression => 2,
        }
    }
}

/// The server's parser refuses a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The server's own words.
    pub message: String,
    /// Byte of the text where the offending token starts; the length of the text for its end.
    pub at: Option<usize>,
}

#[repr(C)]
struct PgQueryError {
    message: *mut c_char,
    funcname: *mut c_char,
    filename: *mut c_char,
    lineno: c_int,
    cursorpos: c_int,
    context: *mut c_char,
}

#[repr(C)]
struct PgQueryProtobuf {
    len: usize,
    data: *mut c_char,
}

#[repr(C)]
struct PgQueryProtobufParseResult {
    parse_tree: PgQueryProtobuf,
    stderr_buffer: *mut c_char,
    error: *mut PgQueryError,
}

#[repr(C)]
struct PgQueryPlpgsqlParseResult {
    plpgsql_funcs: *mut c_char,
    error: *mut PgQueryError,
}

// Declared as in `pg_query.h` of libpg_query 18, which the `pg_query` crate links statically.
unsafe extern "C" {
    fn pg_query_parse_protobuf_opts(input: *const c_char, parser_options: c_int) -> PgQueryProtobufParseResult;
    fn pg_query_free_protobuf_parse_result(result: PgQueryProtobufParseResult);
    fn pg_query_parse_plpgsql(input: *const c_char) -> PgQueryPlpgsqlParseResult;
    fn pg_query_free_plpgsql_parse_result(result: PgQueryPlpgsqlParseResult);
}

/// Parses a text. Wants a thread with [`ROOM`].
pub fn parse(text: &str, mode: Mode) -> Result<ParseResult, Refusal> {
    let input = terminated(text)?;
    // SAFETY: `input` is a NUL-terminated string that outlives the call; the library keeps no pointer to it.
    let result = unsafe { pg_query_parse_protobuf_opts(input.as_ptr(), mode.bits()) };
    // SAFETY: `error` is null or points to an error that lives until the result is freed below.
    let outcome = match unsafe { refusal(result.error, text) } {
        Some(refusal) => Err(refusal),
        None if result.parse_tree.data.is_null() => Ok(ParseResult::default()),
        None => {
            // SAFETY: without an error `data` points to `len` bytes that live until the result is freed below.
            let bytes = unsafe { std::slice::from_raw_parts(result.parse_tree.data.cast::<u8>(), result.parse_tree.len) };
            ParseResult::decode(bytes)
                .map_err(|error| Refusal { message: format!("the parser's tree cannot be read: {error}"), at: None })
        }
    };
    // SAFETY: the result came from the matching call and is not used after this.
    unsafe { pg_query_free_protobuf_parse_result(result) };
    outcome
}

/// Asks the server's plpgsql compiler about every plpgsql body in `text`, a CREATE FUNCTION or DO. Its tree is not used: it has
/// no offsets and is no valid JSON for triggers. The refusal's position is meaningless.
pub fn compile_plpgsql(text: &str) -> Result<(), Refusal> {
    let input = terminated(text)?;
    // SAFETY: `input` is a NUL-terminated string that outlives the call; the library keeps no pointer to it.
    let result = unsafe { pg_query_parse_plpgsql(input.as_ptr()) };
    // SAFETY: `error` is null or points to an error that lives until the result is freed below.
    let refusal = unsafe { refusal(result.error, "") };
    // SAFETY: the result came from the matching call and is not used after this.
    unsafe { pg_query_free_plpgsql_parse_result(result) };
    refusal.map_or(Ok(()), Err)
}

fn terminated(text: &str) -> Result<CString, Refusal> {
    CString::new(text)
        .map_err(|error| Refusal { message: "a NUL byte is no part of SQL text".into(), at: Some(error.nul_position()) })
}

/// # Safety
/// `error` is null or points to an error of libpg_query that has not been freed.
unsafe fn refusal(error: *const PgQueryError, text: &str) -> Option<Refusal> {
    // SAFETY: the caller promises that the pointer is null or valid.
    let error = unsafe { error.as_ref() }?;
    let message = if error.message.is_null() {
        "the parser failed without a message".into()
    } else {
        // SAFETY: the library fills `message` with a NUL-terminated copy.
        unsafe { CStr::from_ptr(error.message) }.to_string_lossy().into_owned()
    };
    // A limit of the library's own, which the server does not have: it is not the user's error, and says so.
    let message = if message.starts_with("parse tree is nested too deeply") {
        "nested too deeply to be read here, although the server may take it".into()
    } else {
        message
    };
    Some(Refusal { message, at: byte_of(error.cursorpos, text) })
}

/// The library counts characters, from 1; 0 is no position.
fn byte_of(cursor: c_int, text: &str) -> Option<usize> {
    let characters = usize::try_from(cursor).ok()?.checked_sub(1)?;
    Some(text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at))
}

thread_local! {
    static HAS_ROOM: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` on a thread with [`ROOM`]: this one if it has, else one that lives for the call.
pub fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if HAS_ROOM.get() {
        return work();
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(ROOM).spawn_scoped(scope, || {
            HAS_ROOM.set(true);
            work()
        });
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(value)) => value,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => std::panic::resume_unwind(Box::new(format!("no thread could be started: {error}"))),
        }
    })
}

/// A pool whose threads have [`ROOM`], so that [`with_room`] starts none. `threads` 0 is one for each core.
pub fn pool(threads: usize) -> Result<rayon::ThreadPool, rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(ROOM).start_handler(|_| HAS_ROOM.set(true)).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Refusal {
        with_room(|| parse(text, Mode::Statements)).expect_err("refused")
    }

    #[test]
    fn statements_have_byte_ranges() {
        let result = with_room(|| parse("SELECT 'ä'; SELECT 2", Mode::Statements)).expect("parses");
        let ranges: Vec<_> = result.stmts.iter().map(|s| (s.stmt_location, s.stmt_len)).collect();
        assert_eq!(ranges, [(0, 11), (13, 0)]);
    }

    #[test]
    fn an_error_stands_at_its_byte_although_the_library_counts_characters() {
        let refusal = refused("SELECT 'äöü', FROM t");
        assert_eq!(refusal.message, "syntax error at or near \"FROM\"");
        assert_eq!(refusal.at, Some("SELECT 'äöü', ".len()));
    }

    #[test]
    fn an_error_at_the_end_stands_at_the_end() {
        let refusal = refused("SELECT (1");
        assert_eq!((refusal.message.as_str(), refusal.at), ("syntax error at end of input", Some(9)));
    }

    #[test]
    fn a_nul_byte_is_refused_where_it_stands() {
        assert_eq!(refused("SELECT\0 1").at, Some(6));
    }

    #[test]
    fn an_expression_needs_no_select() {
        let result = with_room(|| parse("a + 1 > 2 FROM t", Mode::Expression)).expect("parses");
        assert_eq!(result.stmts.len(), 1);
        assert!(with_room(|| parse("DROP TABLE t", Mode::Expression)).is_err());
    }

    #[test]
    fn long_chains_and_deep_parentheses_parse() {
        let chain = format!("SELECT {}''", "'a' || ".repeat(1000));
        assert!(with_room(|| parse(&chain, Mode::Statements).map(drop)).is_ok());
        let nested = format!("SELECT {}1{}", "(".repeat(1000), ")".repeat(1000));
        assert!(with_room(|| parse(&nested, Mode::Statements).map(drop)).is_ok());
    }

    #[test]
    fn every_depth_is_parsed_or_refused_and_never_a_crash() {
        let shapes: [(&str, &str, &str); 6] = [
            ("(", "1", ")"),
            ("f(", "1", ")"),
            ("ARRAY[", "1", "]"),
            ("NOT ", "true", ""),
            ("(SELECT ", "1", ")"),
            ("1 + ", "1", ""),
        ];
        for (open, middle, close) in shapes {
            for depth in [100, 1_500, 4_000, 10_000, 50_000] {
                let text = format!("SELECT {}{middle}{}", open.repeat(depth), close.repeat(depth));
                let outcome = with_room(|| parse(&text, Mode::Statements).map(drop));
                if let Err(refusal) = outcome {
                    let known = ["memory exhausted", "stack depth limit exceeded", "nested too deeply"];
                    assert!(known.iter().any(|k| refusal.message.contains(k)), "{open} {depth}: {}", refusal.message);
                    assert!(depth > 1_000, "{open} {depth}: {}", refusal.message);
                }
            }
        }
    }

    #[test]
    fn the_plpgsql_compiler_answers() {
        assert_eq!(compile_plpgsql("DO $$ BEGIN PERFORM 1; END $$"), Ok(()));
        let refusal = compile_plpgsql("DO $$ BEGIN IF true PERFORM 1; END $$").expect_err("refused");
        assert_eq!(refusal.message, "missing \"THEN\" at end of SQL expression");
    }

    #[test]
    fn a_panic_in_the_room_is_a_panic_outside() {
        let outcome = std::panic::catch_unwind(|| with_room(|| panic!("inside")));
        assert!(outcome.is_err());
    }
}
