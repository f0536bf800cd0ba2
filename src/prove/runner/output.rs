//! What a command wrote: its beginning and its end, without passwords; and what can be read in it.

use crate::prove::server::Secret;
use regex::Regex;
use std::collections::VecDeque;
use std::io::Read;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Bytes that are kept of the beginning, and as many of the end.
pub const KEPT: usize = 64 * 1024;
/// Lines of a failure's message.
const LINES: usize = 6;

/// Text that grows, of which the middle is lost where it is long.
#[derive(Debug, Default)]
pub struct Captured {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    lost: usize,
}

impl Captured {
    /// Reads until the other side closes.
    pub fn read(&self, mut from: impl Read) {
        let mut buffer = [0; 8192];
        loop {
            match from.read(&mut buffer) {
                Ok(0) => return,
                Ok(read) => self.add(buffer.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    fn add(&self, bytes: &[u8]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT.saturating_sub(kept.head.len()).min(bytes.len());
        let (head, tail) = bytes.split_at(room);
        kept.head.extend_from_slice(head);
        kept.tail.extend(tail);
        let over = kept.tail.len().saturating_sub(KEPT);
        kept.tail.drain(..over);
        kept.lost += over;
    }

    /// What there is by now, without the password in any of the forms that it was handed out in.
    pub fn text(&self, password: &Secret) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let tail: Vec<u8> = kept.tail.iter().copied().collect();
        // A password that is cut in two by the gap would not be found: it is looked for in what stands around it too.
        let text = if kept.lost == 0 {
            let whole = [kept.head.as_slice(), tail.as_slice()].concat();
            String::from_utf8_lossy(&whole).into_owned()
        } else {
            let (head, tail) = (String::from_utf8_lossy(&kept.head), String::from_utf8_lossy(&tail));
            let part = |text: &str, from_start: bool| without_part(text, password.reveal(), from_start);
            format!("{}\n[… {} bytes …]\n{}", part(&head, false), kept.lost, part(&tail, true))
        };
        scrubbed(&text, password)
    }
}

/// Takes a password's first part off the end of `text`, or its last part off the start.
fn without_part(text: &str, password: &str, from_start: bool) -> String {
    for length in (1..password.len()).rev() {
        let part = if from_start { password.get(password.len() - length..) } else { password.get(..length) };
        let rest = part.and_then(|part| if from_start { text.strip_prefix(part) } else { text.strip_suffix(part) });
        if let Some(rest) = rest {
            return rest.to_owned();
        }
    }
    text.to_owned()
}

fn scrubbed(text: &str, password: &Secret) -> String {
    let plain = password.reveal();
    if plain.is_empty() {
        return text.to_owned();
    }
    let encoded = percent_encoding::utf8_percent_encode(plain, percent_encoding::NON_ALPHANUMERIC).to_string();
    text.replace(plain, "***").replace(&encoded, "***")
}

/// The last lines that hold something, as one message on one line.
pub fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().join(" / ")
}

/// The last SQLSTATE that stands in it, in the forms in which clients write one: psql's verbose errors, libpq's and Go's
/// `(SQLSTATE 42P07)`, JDBC's `SQLState: 42P07` and `SQL State  : 42P07`, node's `code: '42P07'`.
pub fn sqlstate(text: &str) -> Option<String> {
    static FORMS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"(?x) (?i:SQL[\ _]?STATE) [\ :=\[('"]* (?P<a>[0-9A-Z]{5})\b | (?:ERROR|FATAL|PANIC):\s+ (?P<b>[0-9A-Z]{5}):\s
            | \bcode:\s*['"](?P<c>[0-9A-Z]{5})['"] | \bSqlState\(E(?P<d>[0-9A-Z]{5})\)"#,
        )
        .ok()
    });
    let found = FORMS.as_ref()?.captures_iter(text).last()?;
    let names = ["a", "b", "c", "d"];
    names.iter().find_map(|name| found.name(name)).map(|found| found.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlstate_is_read_in_the_forms_that_clients_write() {
        for text in [
            "psql:x.sql:1: ERROR:  42P07: relation \"a\" already exists",
            "failed: ERROR: relation \"a\" already exists (SQLSTATE 42P07)",
            "SQL State  : 42P07",
            "SQLState: 42P07",
            "SQLSTATE[42P07]: Duplicate table",
            "  code: '42P07',",
            "DbError { severity: \"ERROR\", code: SqlState(E42P07), … }",
            "ERROR:  42601: x\nlater: (SQLSTATE 42P07)",
        ] {
            assert_eq!(sqlstate(text).as_deref(), Some("42P07"), "{text}");
        }
        for text in ["ERROR:  relation \"a\" already exists", "exit code 42601", "the state of 42P07"] {
            assert_eq!(sqlstate(text), None, "{text}");
        }
    }

    #[test]
    fn the_middle_of_a_long_text_is_lost_and_no_password_is_kept() {
        let captured = Captured::default();
        captured.read("x".repeat(KEPT - 3).as_bytes());
        captured.read(&b"sesame"[..]);
        captured.read("y".repeat(2 * KEPT).as_bytes());
        captured.read(&b"\nopen sesame\n"[..]);
        let text = captured.text(&Secret::new("sesame"));
        assert!(text.starts_with("xxx") && text.ends_with("open ***\n"), "{}", &text[text.len() - 40..]);
        assert!(text.contains("bytes …]") && text.len() < 2 * KEPT + 100, "{}", text.len());
        assert!(!text.contains("xses"), "the first half of a password at the gap");
    }
}
