//! Bytes as text. PostgreSQL takes UTF-8 without NUL. A byte order mark belongs to no statement here: psql, Flyway and Liquibase take it
//! off. Runners that send a file as it is get a syntax error for it (`a byte order mark` in `fixtures/runners/*.ledger`).

use crate::op::Span;
use crate::source::SourceFile;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The first byte that keeps a file from being text, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecodable {
    pub at: usize,
    pub why: String,
}

impl SourceFile {
    /// The whole file, its byte order mark included, so that offsets into the text are offsets into the file.
    ///
    /// Fails on the first byte that is no UTF-8, and on NUL, which no PostgreSQL text may hold.
    pub fn text(&self) -> Result<&str, Undecodable> {
        let bytes = &self.bytes;
        for (mark, name) in [(b"\xFF\xFE", "UTF-16 (little endian)"), (b"\xFE\xFF", "UTF-16 (big endian)")] {
            if bytes.starts_with(mark) {
                return Err(Undecodable { at: 0, why: format!("it is {name}, by its byte order mark") });
            }
        }
        let valid = match std::str::from_utf8(bytes) {
            Ok(_) => bytes.len(),
            Err(error) => error.valid_up_to(),
        };
        if let Some(at) = bytes[..valid].iter().position(|&b| b == 0) {
            let why = if bytes.len() > 3 && bytes.iter().filter(|&&b| b == 0).count() * 3 > bytes.len() {
                "it holds NUL bytes, as UTF-16 does".to_string()
            } else {
                "it holds a NUL byte, which ends the text for the server".to_string()
            };
            return Err(Undecodable { at, why });
        }
        std::str::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to();
            Undecodable { at, why: format!("byte 0x{:02x} is no UTF-8 here", bytes.get(at).copied().unwrap_or(0)) }
        })
    }

    /// The bytes behind the byte order mark.
    pub fn body(&self) -> Span {
        let start = if self.bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        Span { start, end: self.bytes.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> SourceFile {
        SourceFile { path: "a.sql".into(), repo_path: "a.sql".into(), bytes: bytes.to_vec() }
    }

    #[test]
    fn a_byte_order_mark_is_text_and_the_body_starts_after_it() {
        let file = file(b"\xEF\xBB\xBFSELECT 1");
        assert_eq!(file.text().map(str::len), Ok(11));
        assert_eq!(file.body(), Span { start: 3, end: 11 });
    }

    #[test]
    fn the_first_bad_byte_is_named() {
        assert_eq!(file(b"SELECT 'caf\xE9'").text().map_err(|e| e.at), Err(11));
        assert_eq!(file(b"SELECT\x00 1").text().map_err(|e| e.at), Err(6));
        assert_eq!(file(b"a\x00\xE9").text().map_err(|e| e.at), Err(1));
        assert_eq!(file(b"\xE9\x00").text().map_err(|e| e.at), Err(0));
    }

    #[test]
    fn utf_16_is_called_by_its_name() {
        assert!(file(b"\xFF\xFES\x00").text().is_err_and(|e| e.why.contains("little endian")));
        assert!(file(b"S\x00E\x00L\x00").text().is_err_and(|e| e.why.contains("as UTF-16 does")));
    }

    #[test]
    fn an_empty_file_is_text() {
        assert_eq!(file(b"").text(), Ok(""));
        assert_eq!(file(b"").body(), Span { start: 0, end: 0 });
    }
}
