//! What a doctor found, told: the report is the answer, whether it is good or bad.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::escape::escape;
use super::page::{Page, Style};
use super::report::Report;
use super::words::shown;
use crate::auth::audit::counted;
use crate::auth::doctor::{Finding, Severity};
use crate::exit_code::ExitCode;

/// What no check can see.
const BOUNDARY: &str = "\
Whoever can write this file or its directory is the administrator and can make the audit log anew;
whoever can read it can guess passwords offline. See `authctl help security`.";

/// What `doctor` and `db check` found.
#[derive(Debug)]
pub struct DoctorOutcome {
    /// The database that was meant.
    pub database: PathBuf,
    /// What is wrong, and what was.
    pub findings: Vec<Finding>,
    /// The database could not be opened: the exit code of whatever tries.
    pub closed: Option<ExitCode>,
    /// Everything was looked at, and not the structure alone.
    pub is_whole: bool,
}

impl Report for DoctorOutcome {
    /// 0 for healthy, 1 for a problem, else why the database could not be looked into.
    fn exit_code(&self) -> ExitCode {
        match self.closed {
            Some(code) => code,
            None if self.is_healthy() => ExitCode::Done,
            None => ExitCode::Failed,
        }
    }

    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        let mut lines: Vec<String> = self.findings.iter().map(words).collect();
        lines.push(self.verdict());
        if self.is_whole {
            lines.push(BOUNDARY.to_owned());
        }
        Page::answer(lines.join("\n") + "\n")
    }

    fn json(&self) -> Value {
        let findings: Vec<Value> = self.findings.iter().map(finding_json).collect();
        json!({
            "healthy": self.is_healthy(),
            "findings": findings,
            "database": self.database.to_string_lossy(),
        })
    }
}

impl DoctorOutcome {
    fn is_healthy(&self) -> bool {
        self.closed.is_none() && !self.findings.iter().any(Finding::is_open_problem)
    }

    fn verdict(&self) -> String {
        let count = |is_meant: fn(&&Finding) -> bool| self.findings.iter().filter(is_meant).count() as u64;
        let problems = count(|finding| finding.is_open_problem());
        let notices = count(|finding| finding.severity == Severity::Notice && !finding.is_mended);
        let (good, bad) = if self.is_whole { ("healthy", "not healthy") } else { ("sound", "not sound") };
        let mut parts = vec![if self.is_healthy() { good } else { bad }.to_owned()];
        for (number, noun) in [(problems, "problem"), (notices, "notice")] {
            if number > 0 {
                parts.push(counted(number, noun));
            }
        }
        format!("{}: {}", shown(&self.database), parts.join(", "))
    }
}

fn words(finding: &Finding) -> String {
    let (name, message) = (finding.check, escape(&finding.symptom.message));
    if finding.is_mended {
        format!("fixed: {name}: {message}")
    } else {
        format!("{}: {name}: {message}\n  hint: {}", finding.severity.word(), escape(&finding.symptom.hint))
    }
}

fn finding_json(finding: &Finding) -> Value {
    json!({
        "check": finding.check,
        "severity": finding.severity.word(),
        "message": finding.symptom.message,
        "hint": finding.symptom.hint,
        "count": finding.symptom.count,
        "fixable": finding.cure.is_some(),
        "fixed": finding.is_mended,
    })
}
