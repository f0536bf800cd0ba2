//! `phasegate explain RULE`: the rule's document, laid out for the terminal.

use super::exit::Exit;
use super::terminal::{self, ColorChoice, Terminal};
use crate::report::level_name;
use crate::rules::document::{self, RuleDocument};
use std::io::{self, Write};
use textwrap::{Options, WordSeparator, WordSplitter};

/// Explain a rule: what it catches, why it hurts, what to do instead
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  phasegate explain drop-column")]
pub struct Arguments {
    /// Id of the rule, as in a report: drop-column
    #[arg(value_name = "RULE")]
    rule: String,
}

/// Narrower terminals get lines of this width, wider ones no wider: text is read, not scanned.
const WIDTHS: std::ops::RangeInclusive<usize> = 30..=100;
/// An id that resembles this little is no suggestion.
const LEAST_LIKENESS: f64 = 0.7;

/// Writes the document, or says which rules were meant.
pub fn run(arguments: &Arguments, color: ColorChoice) -> io::Result<Exit> {
    let documents = match document::all() {
        Ok(documents) => documents,
        Err(error) => {
            terminal::complain(&error.to_string());
            return Ok(Exit::Unusable);
        }
    };
    let Some(document) = documents.iter().find(|document| document.id == arguments.rule) else {
        let hint = match suggestions(&arguments.rule, documents.iter().map(|document| document.id.as_str())).as_slice() {
            [] => "`phasegate rules` lists them".to_owned(),
            ids => format!("did you mean {}?", ids.join(" or ")),
        };
        terminal::complain(&format!("there is no rule `{}`; {hint}", arguments.rule));
        return Ok(Exit::Unusable);
    };
    let terminal = Terminal::of_stdout(color);
    terminal::write_stdout(|out| write(document, terminal, out))?;
    Ok(Exit::Clean)
}

/// Up to three ids that the unknown one could have meant, likeliest first.
fn suggestions<'a>(unknown: &str, ids: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let unknown = unknown.to_lowercase().replace('_', "-");
    let mut likely: Vec<(f64, &str)> = ids.map(|id| (strsim::jaro_winkler(&unknown, id), id)).collect();
    likely.retain(|(likeness, id)| *likeness >= LEAST_LIKENESS || id.contains(&unknown));
    likely.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    likely.into_iter().map(|(_, id)| id).take(3).collect()
}

fn write(document: &RuleDocument, terminal: Terminal, out: &mut dyn Write) -> io::Result<()> {
    let width = terminal.width.clamp(*WIDTHS.start(), *WIDTHS.end());
    let page = Page { width, color: terminal.color };
    page.heading(&document.id, out)?;
    page.paragraph(&format!("{}, {}", level_name(document.level), document.family.name()), out)?;
    page.paragraph(&document.summary, out)?;
    page.markdown(&document.body, out)
}

/// The few shapes of Markdown that documents are written in: headings, paragraphs, lists, blocks.
struct Page {
    width: usize,
    color: bool,
}

impl Page {
    fn markdown(&self, text: &str, out: &mut dyn Write) -> io::Result<()> {
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if let Some(heading) = line.strip_prefix("## ") {
                writeln!(out)?;
                self.heading(heading, out)?;
            } else if line.starts_with("```") {
                for code in lines.by_ref().take_while(|code| !code.starts_with("```")) {
                    writeln!(out, "{}", format!("    {code}").trim_end())?;
                }
            } else if line.trim().is_empty() || line.starts_with('|') {
                writeln!(out, "{line}")?;
            } else {
                // A paragraph or an item of a list goes on until something else starts.
                let mut whole = line.trim_end().to_owned();
                while let Some(next) = lines.next_if(|next| continues(next)) {
                    whole.push(' ');
                    whole.push_str(next.trim());
                }
                self.paragraph(&whole, out)?;
            }
        }
        Ok(())
    }

    fn heading(&self, text: &str, out: &mut dyn Write) -> io::Result<()> {
        if self.color { writeln!(out, "\u{1b}[1m{text}\u{1b}[0m") } else { writeln!(out, "{text}") }
    }

    /// Wrapped; the lines of a list item hang under its text.
    fn paragraph(&self, text: &str, out: &mut dyn Write) -> io::Result<()> {
        let indent = " ".repeat(2 + marker(text));
        let options = Options::new(self.width)
            .initial_indent("  ")
            .subsequent_indent(&indent)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation);
        writeln!(out, "{}", textwrap::fill(text, options))
    }
}

/// True for a line that belongs to the paragraph before it.
fn continues(line: &str) -> bool {
    let starts_anew = line.trim().is_empty() || line.starts_with(['#', '|']) || line.starts_with("```");
    !starts_anew && marker(line.trim_start()) == 0
}

/// Length of the `- ` or `1. ` that an item of a list starts with.
fn marker(line: &str) -> usize {
    let rest = line.trim_start_matches(|character: char| character.is_ascii_digit());
    let digits = line.len() - rest.len();
    match rest {
        _ if digits == 0 && (rest.starts_with("- ") || rest.starts_with("* ")) => 2,
        _ if digits > 0 && rest.starts_with(". ") => digits + 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_id_suggests_the_likely_ones() {
        let ids = ["drop-column", "drop-table", "rename-column", "syntax-error"];
        assert_eq!(suggestions("drop_colum", ids.into_iter()).first(), Some(&"drop-column"));
        assert_eq!(suggestions("syntax", ids.into_iter()), ["syntax-error"]);
        assert!(suggestions("zzz", ids.into_iter()).is_empty());
    }

    #[test]
    fn text_is_wrapped_lists_hang_and_code_is_left_as_it_is() {
        let mut out = Vec::new();
        let text = "A paragraph that is\nlonger than a line.\n\n1. first item that wraps around\n   and goes on\n2. second\n\n```sql\nSELECT 'not wrapped at all, however long it is';\n```";
        Page { width: 30, color: false }.markdown(text, &mut out).unwrap();
        let expected = "  A paragraph that is longer\n  than a line.\n\n  1. first item that wraps\n     around and goes on\n  2. second\n\n    SELECT 'not wrapped at all, however long it is';\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
