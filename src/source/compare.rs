//! When two versions of a file are the same, and what identifies its content.
//!
//! Git may store LF and check out CRLF (`core.autocrlf`, `.gitattributes`), and nothing in PostgreSQL depends on which: where bytes
//! differ in that alone, nothing has changed. A byte order mark is part of the content.

use crate::source::git::Pointer;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// True where both are the same content but for line endings, or one is the Git LFS pointer of the other.
pub fn same(left: &[u8], right: &[u8]) -> bool {
    left == right || with_line_feeds(left) == with_line_feeds(right) || stands_for(left, right) || stands_for(right, left)
}

fn stands_for(pointer: &[u8], content: &[u8]) -> bool {
    Pointer::read(pointer).is_some_and(|pointer| has_sha256(content, &pointer.sha256))
}

/// With LF where there was CRLF.
pub fn with_line_feeds(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memmem::find(bytes, b"\r\n").is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut normal = Vec::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        if *byte != b'\r' || bytes.get(at + 1) != Some(&b'\n') {
            normal.push(*byte);
        }
    }
    Cow::Owned(normal)
}

/// With CRLF at the end of every line.
fn with_carriage_returns(bytes: &[u8]) -> Vec<u8> {
    let mut normal = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    for byte in with_line_feeds(bytes).iter() {
        if *byte == b'\n' {
            normal.push(b'\r');
        }
        normal.push(*byte);
    }
    normal
}

/// SHA-256 in 64 lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// True where the content has this SHA-256, as it is or with the other line endings.
pub fn has_sha256(bytes: &[u8], expected: &str) -> bool {
    let is_it = |bytes: &[u8]| sha256(bytes).eq_ignore_ascii_case(expected);
    is_it(bytes) || (bytes.contains(&b'\n') && (is_it(&with_line_feeds(bytes)) || is_it(&with_carriage_returns(bytes))))
}

/// True for 64 hexadecimal digits.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_line_endings_may_differ() {
        assert!(same(b"a\r\nb\n", b"a\nb\r\n"));
        assert!(!same(b"a\rb", b"a\nb") && !same(b"a\n", b"a") && !same(b"\xef\xbb\xbfa", b"a"));
    }

    #[test]
    fn a_sum_is_that_of_either_line_ending() {
        let (lf, crlf) = (b"a\nb\n".as_slice(), b"a\r\nb\r\n".as_slice());
        for (content, sum) in [(lf, lf), (lf, crlf), (crlf, lf), (crlf, crlf)] {
            assert!(has_sha256(content, &sha256(sum)));
        }
        assert!(!has_sha256(lf, &sha256(b"a\nc\n")));
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert!(has_sha256(b"", "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"));
    }

    #[test]
    fn a_pointer_is_the_same_as_its_content() {
        let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 9\n", sha256(b"SELECT 1;"));
        assert!(same(pointer.as_bytes(), b"SELECT 1;") && same(b"SELECT 1;", pointer.as_bytes()));
        assert!(!same(pointer.as_bytes(), b"SELECT 2;"));
    }
}
