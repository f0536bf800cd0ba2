//! Texts that match a regular expression: what a CHECK with `~` lets pass.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Up to `count` texts that match, as far as this crate reads the pattern as the server does: the server is asked in the end. Nothing
/// where it cannot be read.
pub fn samples(pattern: &str, count: usize) -> Vec<String> {
    let Ok(parsed) = regex_syntax::ParserBuilder::new().nest_limit(50).build().parse(pattern) else { return Vec::new() };
    let mut found: Vec<String> = Vec::new();
    for number in 0..count {
        let mut sample = Sample { number, text: String::new() };
        if sample.write(&parsed) && !found.contains(&sample.text) {
            found.push(sample.text);
        }
    }
    found
}

/// One text that is being written; `number` says which choices are taken, and is used up by them.
struct Sample {
    number: usize,
    text: String,
}

/// No text is longer.
const LIMIT: usize = 400;

impl Sample {
    fn choose(&mut self, of: usize) -> usize {
        let of = of.max(1);
        let chosen = self.number % of;
        self.number /= of;
        chosen
    }

    fn write(&mut self, hir: &Hir) -> bool {
        if self.text.len() > LIMIT {
            return false;
        }
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => true,
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => {
                    self.text.push_str(text);
                    true
                }
                Err(_) => false,
            },
            HirKind::Class(class) => {
                let characters = characters(class);
                let at = self.choose(characters.len());
                characters.get(at).map(|character| self.text.push(*character)).is_some()
            }
            HirKind::Repetition(repetition) => {
                // One more than none where that is allowed: an empty text is seldom what a column holds.
                let times = repetition.min.max(repetition.max.map_or(4, |max| max.min(4)).min(4));
                (0..times).all(|_| self.write(&repetition.sub))
            }
            HirKind::Capture(capture) => self.write(&capture.sub),
            HirKind::Concat(parts) => parts.iter().all(|part| self.write(part)),
            HirKind::Alternation(parts) => {
                let at = self.choose(parts.len());
                parts.get(at).is_some_and(|part| self.write(part))
            }
        }
    }
}

/// Letters and digits of a class first, then what else is printable.
fn characters(class: &Class) -> Vec<char> {
    let holds = |character: char| match class {
        Class::Unicode(class) => class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&character)),
        Class::Bytes(class) => u8::try_from(character)
            .is_ok_and(|byte| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&byte))),
    };
    let plain = ('a'..='z').chain('0'..='9').chain('A'..='Z');
    let other = (' '..='~').filter(|character| !character.is_ascii_alphanumeric());
    plain.chain(other).filter(|character| holds(*character)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_match_the_pattern_they_are_of() {
        for pattern in [
            "^[a-z0-9_-]{3,20}$",
            "^[^@ ]+@[^@ ]+\\.[a-z]{2,}$",
            "^#[0-9A-F]{6}$",
            "^(GET|POST)$",
            "^\\d{4}-\\d{2}$",
            "^.{2,8}$",
            "^[A-Z]{3}$",
            "abc",
        ] {
            let regex = regex::Regex::new(pattern).unwrap();
            let samples = samples(pattern, 10);
            assert!(!samples.is_empty(), "{pattern}");
            assert!(samples.iter().all(|sample| regex.is_match(sample)), "{pattern}: {samples:?}");
        }
    }

    #[test]
    fn a_pattern_that_cannot_be_read_has_no_samples() {
        assert!(samples("(", 3).is_empty());
    }
}
