//! `--format junit`: a suite for each history, a case for each unit and each proof.
//!
//! A case fails where a finding that counts is at the level of `--fail-on` or above, so that it is red exactly where the exit code
//! says so; weaker findings stand in its output. A proof that was not run is skipped, and says why. What could not be used is an
//! error. A failed case has one `failure` with everything in it, as some readers take the first only.

use super::escape::escape;
use super::formats::{Manner, NamedFormat};
use super::model::FindingEntry;
use super::units::{self, HistoryView};
use super::{Format, Report, level_name};
use crate::finding::Level;
use crate::prove::evidence::{Evidence, Outcome, Proven};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use std::io;

pub const FORMAT: NamedFormat = NamedFormat {
    name: "junit",
    about: "For CI: JUnit XML, a case for each migration and proof",
    make: |&Manner { fail_on, .. }| Box::new(JUnit { fail_on }),
};

/// JUnit XML.
#[derive(Clone, Copy, Debug)]
pub struct JUnit {
    /// Findings at this level or above are failures.
    pub fail_on: Level,
}

struct Suite {
    name: String,
    cases: Vec<Case>,
    output: String,
}

struct Case {
    class: String,
    name: String,
    file: Option<String>,
    seconds: Option<f64>,
    result: CaseResult,
    output: String,
}

enum CaseResult {
    Passed,
    Failed {
        kind: String,
        message: String,
        text: String,
    },
    Skipped(String),
    /// Could not be used.
    Error(String),
}

impl Format for JUnit {
    fn write(&self, report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
        let mut suites: Vec<Suite> = units::histories(report).iter().map(|history| self.suite(report, history)).collect();
        if let Some(last) = suites.last_mut() {
            last.cases.extend(report.problems().map(|(path, why)| {
                let place = if path.below().is_empty() { "phasegate" } else { path.below() };
                Case::new("phasegate", place, CaseResult::Error(line(why)))
            }));
        }
        suites.retain(|suite| !suite.cases.is_empty() || suite.name != "phasegate");
        let mut writer = Writer::new_with_indent(out, b' ', 2);
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let mut root = BytesStart::new("testsuites");
        root.push_attribute(("name", "phasegate"));
        counts(&mut root, suites.iter().flat_map(|suite| &suite.cases));
        writer.write_event(Event::Start(root))?;
        for suite in &suites {
            suite.write(&mut writer)?;
        }
        writer.write_event(Event::End(BytesEnd::new("testsuites")))?;
        writer.get_mut().write_all(b"\n")
    }
}

impl JUnit {
    fn suite(&self, report: &Report, view: &HistoryView<'_>) -> Suite {
        let name = line(&view.title());
        let class = name.clone();
        let of_unit = |unit: &units::UnitView<'_>| {
            let mut case = self.case(&class, &unit.migration.id, &unit.findings);
            case.file = Some(line(unit.migration.path.below()));
            case
        };
        let mut cases: Vec<Case> = view.units.iter().map(of_unit).collect();
        cases.extend(view.others.iter().map(|(path, findings)| {
            let mut case = self.case(&class, path.below(), findings);
            case.file = Some(line(path.below()));
            case
        }));
        if let Some(evidence) = view.evidence {
            cases.extend(evidence.proofs.iter().map(|proof| self.proof(&class, report, evidence, proof)));
        }
        let mut output = String::new();
        for skipped in view.skipped {
            output.push_str(&format!("skipped {}: {}\n", line(skipped.path.below()), line(&skipped.why)));
        }
        Suite { name, cases, output }
    }

    fn case(&self, class: &str, name: &str, findings: &[&FindingEntry]) -> Case {
        let (failing, others): (Vec<&FindingEntry>, Vec<&FindingEntry>) =
            findings.iter().copied().partition(|finding| finding.level >= self.fail_on);
        let result = match failing.as_slice() {
            [] => CaseResult::Passed,
            [first, rest @ ..] => {
                let more = if rest.is_empty() { String::new() } else { format!(" (and {} more)", rest.len()) };
                CaseResult::Failed {
                    kind: first.rule.to_owned(),
                    message: format!("{}{more}", line(&first.message)),
                    text: failing.iter().map(|finding| text(finding)).collect(),
                }
            }
        };
        let output = others.iter().map(|finding| text(finding)).collect();
        Case { output, ..Case::new(class, name, result) }
    }

    fn proof(&self, class: &str, report: &Report, evidence: &Evidence, proof: &Proven) -> Case {
        let Proven { proof: name, outcome, seconds, coverage, remarks, rules } = proof;
        let is_of_it = |finding: &&FindingEntry| {
            finding.counts() && finding.level >= self.fail_on && rules.contains(&finding.rule) && is_below(evidence, finding)
        };
        let result = match outcome {
            Outcome::Passed => CaseResult::Passed,
            Outcome::NotRun(why) => CaseResult::Skipped(line(why)),
            Outcome::Failed => match report.findings.iter().filter(is_of_it).collect::<Vec<_>>().as_slice() {
                // What it found is accepted, or too weak to fail the run.
                [] => CaseResult::Passed,
                found @ [first, ..] => CaseResult::Failed {
                    kind: first.rule.to_owned(),
                    message: line(&first.message),
                    text: found.iter().map(|finding| text(finding)).collect(),
                },
            },
        };
        let mut output = format!("{} of {} {}\n", coverage.done, coverage.of, coverage.what);
        if *outcome == Outcome::Failed && matches!(result, CaseResult::Passed) {
            output.push_str("it failed; what it found is accepted or below --fail-on\n");
        }
        remarks.iter().for_each(|remark| output.push_str(&format!("{}\n", line(remark))));
        Case { seconds: Some(*seconds), output, ..Case::new(&format!("{class} proofs"), name, result) }
    }
}

/// True for findings in the history that was run.
fn is_below(evidence: &Evidence, finding: &FindingEntry) -> bool {
    let history = evidence.history.given();
    history == "." || finding.path.given().strip_prefix(history).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Case {
    fn new(class: &str, name: &str, result: CaseResult) -> Case {
        Case { class: class.to_owned(), name: line(name), file: None, seconds: None, result, output: String::new() }
    }

    fn write<W: io::Write>(&self, writer: &mut Writer<W>) -> io::Result<()> {
        let mut start = BytesStart::new("testcase");
        start.push_attribute(("classname", self.class.as_str()));
        start.push_attribute(("name", self.name.as_str()));
        if let Some(file) = &self.file {
            start.push_attribute(("file", file.as_str()));
        }
        start.push_attribute(("time", format!("{:.3}", self.seconds.unwrap_or(0.0)).as_str()));
        writer.write_event(Event::Start(start))?;
        match &self.result {
            CaseResult::Passed => {}
            CaseResult::Failed { kind, message, text } => {
                writer
                    .create_element("failure")
                    .with_attributes([("message", message.as_str()), ("type", kind.as_str())])
                    .write_text_content(BytesText::new(text))?;
            }
            CaseResult::Skipped(why) => {
                writer.create_element("skipped").with_attribute(("message", why.as_str())).write_empty()?;
            }
            CaseResult::Error(why) => {
                let attributes = [("message", why.as_str()), ("type", "not-checked")];
                writer.create_element("error").with_attributes(attributes).write_empty()?;
            }
        }
        if !self.output.is_empty() {
            writer.create_element("system-out").write_text_content(BytesText::new(&self.output))?;
        }
        writer.write_event(Event::End(BytesEnd::new("testcase")))
    }
}

impl Suite {
    fn write<W: io::Write>(&self, writer: &mut Writer<W>) -> io::Result<()> {
        let mut start = BytesStart::new("testsuite");
        start.push_attribute(("name", self.name.as_str()));
        counts(&mut start, self.cases.iter());
        writer.write_event(Event::Start(start))?;
        for case in &self.cases {
            case.write(writer)?;
        }
        if !self.output.is_empty() {
            writer.create_element("system-out").write_text_content(BytesText::new(&self.output))?;
        }
        writer.write_event(Event::End(BytesEnd::new("testsuite")))
    }
}

fn counts<'a>(element: &mut BytesStart<'_>, cases: impl Iterator<Item = &'a Case>) {
    let (mut tests, mut failures, mut errors, mut skipped, mut seconds) = (0usize, 0usize, 0usize, 0usize, 0.0);
    for case in cases {
        tests += 1;
        seconds += case.seconds.unwrap_or(0.0);
        match case.result {
            CaseResult::Passed => {}
            CaseResult::Failed { .. } => failures += 1,
            CaseResult::Skipped(_) => skipped += 1,
            CaseResult::Error(_) => errors += 1,
        }
    }
    let mut numbers = vec![("tests", tests), ("failures", failures), ("errors", errors)];
    // The common schemas know it of suites only.
    if element.name().as_ref() == "testsuite" {
        numbers.push(("skipped", skipped));
    }
    for (name, number) in numbers {
        element.push_attribute((name, number.to_string().as_str()));
    }
    element.push_attribute(("time", format!("{seconds:.3}").as_str()));
}

/// Text on one line, of characters that XML may hold. Markup is escaped by who writes it.
fn line(text: &str) -> String {
    escape(text).into_owned()
}

/// A finding as lines.
fn text(finding: &FindingEntry) -> String {
    let FindingEntry { rule, level, path, line: number, column, message, related, .. } = finding;
    let (advice, to_paste) = finding.advice();
    let mut text = format!("{}:{number}:{column}: {}[{rule}]: {}\n", line(path.below()), level_name(*level), line(message));
    text.push_str(&format!("  help: {}\n", line(advice)));
    to_paste.iter().for_each(|sql| text.push_str(&format!("    {}\n", line(sql))));
    for related in related {
        text.push_str(&format!(
            "  {}: {}:{}:{}\n",
            line(&related.message),
            line(related.path.below()),
            related.line,
            related.column
        ));
    }
    text
}
