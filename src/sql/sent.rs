//! What the runner sends where that is not what stands in the file: values in the places of placeholders, its own rewriting, and
//! nothing in the place of what only psql reads.
//!
//! A placeholder that nobody gave a value stays as it is written: the runner, too, would send it so or stop.

use crate::op::Span;
use crate::source::Rewriting;
use crate::sql::OddityKind;
use crate::sql::mask::{self, Masked};
use std::borrow::Cow;

/// A part of a file as it is sent.
#[derive(Debug)]
pub struct Sent<'a> {
    /// As long as the part with its placeholders' values.
    pub text: Cow<'a, str>,
    /// The part as it stands in the file, from byte `base` of it on.
    pub file: &'a str,
    pub base: usize,
}

impl Sent<'_> {
    /// What is sent for the statement at `span` of the part, unless that is what stands at `place` of the file.
    pub fn instead(&self, span: Span, place: Span) -> Option<String> {
        let sent = self.text.get(span.start..span.end)?;
        let written = self.file.get(place.start.checked_sub(self.base)?..place.end.checked_sub(self.base)?);
        (written != Some(sent)).then(|| sent.to_owned())
    }
}

/// A part as its runner sends it, given with its placeholders' values. As long as before.
pub fn part<'a>(text: &'a str, masked: &Masked<'_>, rewriting: Rewriting) -> Cow<'a, str> {
    let mut sent = match rewriting {
        Rewriting::DoubledSemicolons if text.contains(";;") => Cow::Owned(text.replace(";;", "; ")),
        Rewriting::None | Rewriting::DoubledSemicolons | Rewriting::ColonNames | Rewriting::UnknownStays => Cow::Borrowed(text),
    };
    for (span, kind) in &masked.found {
        match kind {
            OddityKind::MetaCommand | OddityKind::CopyData => {
                let blank = mask::blanked(&sent[span.start..span.end]);
                sent.to_mut().replace_range(span.start..span.end, &blank);
            }
            OddityKind::Variable | OddityKind::Placeholder => {}
        }
    }
    sent
}
