//! One act on several users or sessions: each has its own result, and one that fails does not stop the others.

use std::io::Read as _;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{confirm, progress, settled};
use crate::context::Context;
use crate::error::{CommandError, ExitCode, Failure};
use crate::interrupt::{Interrupted, Interrupts, Signal};
use crate::output::text::{escape, grouped};
use crate::output::{Outcome, Page, Report, Style, json};

/// The users of an act.
#[derive(Debug, Args)]
pub struct UsersArg {
    /// Email addresses or ids, or at least 6 first characters of ids
    #[arg(value_name = "USER", required_unless_present = "stdin")]
    pub users: Vec<String>,
    /// Read the users from standard input, one per line
    #[arg(long, conflicts_with = "users")]
    pub stdin: bool,
}

impl UsersArg {
    /// The only user, if the command line names one.
    pub(super) fn only(&self) -> Option<&str> {
        match self.users.as_slice() {
            [one] if !self.stdin => Some(one),
            _ => None,
        }
    }

    /// All users, each once.
    pub(super) fn all(&self) -> anyhow::Result<Vec<String>> {
        let named = if self.stdin { lines_of_stdin("user")? } else { self.users.clone() };
        Ok(each_once(named))
    }
}

/// The longest list on standard input in bytes.
const LIST_BYTES_MAX: u64 = 64 << 20;

/// Reads a list, one item per line.
pub(super) fn lines_of_stdin(what: &'static str) -> anyhow::Result<Vec<String>> {
    let mut text = String::new();
    let hint = "give one per line";
    let unreadable = |problem: String| CommandError::Usage {
        message: format!("the list on standard input cannot be read: {problem}"),
        hint,
    };
    let read = std::io::stdin().lock().take(LIST_BYTES_MAX + 1).read_to_string(&mut text);
    let length = read.map_err(|error| unreadable(error.to_string()))?;
    if length as u64 > LIST_BYTES_MAX {
        return Err(unreadable(format!("it is longer than {} MiB", LIST_BYTES_MAX >> 20)).into());
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let lines: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if lines.is_empty() {
        return Err(CommandError::Usage { message: format!("standard input names no {what}"), hint }.into());
    }
    Ok(lines)
}

pub(super) fn each_once(named: Vec<String>) -> Vec<String> {
    let mut known = std::collections::HashSet::new();
    named.into_iter().filter(|one| known.insert(one.clone())).collect()
}

/// The question before an act that cannot be undone.
pub(super) struct Question<'q> {
    /// What the act does to one target.
    pub(super) effect: &'q mut dyn FnMut(&str, &mut Context) -> anyhow::Result<String>,
    pub(super) question: &'q str,
}

/// An act on one target.
pub(super) type Act<'a> = dyn FnMut(&str, &mut Context) -> anyhow::Result<Box<dyn Report>> + 'a;

/// What an act did, or why it failed.
type TargetResult = Result<Box<dyn Report>, Failure>;

/// The most effects that are shown before a question.
const ASKED_MAX: usize = 20;

/// Runs an act for each target, after one question about all of them.
pub(super) fn each(
    targets: &[String],
    context: &mut Context,
    question: Option<Question<'_>>,
    act: &mut Act<'_>,
) -> anyhow::Result<Outcome> {
    // A database that cannot be opened is one error and not one for each.
    context.auth()?;
    if let Some(question) = question
        && !context.is_confirmed()
    {
        ask(targets, question, context)?;
    }
    let total = targets.len();
    let line = progress("working", context, |_| Ok(total as u64))?;
    let interrupts = Interrupts::watch();
    let mut results = Vec::new();
    for target in targets {
        if interrupts.came().is_some() {
            break;
        }
        let result = settled(act(target, context), context).map_err(Failure::from);
        context.take_done();
        results.push((target.clone(), result));
        line.advance(1);
    }
    Ok(Results { left: total - results.len(), stopped: interrupts.came(), of_targets: results }.into())
}

/// Shows what the act does to each target. A target without an effect fails later.
fn ask(targets: &[String], Question { effect, question }: Question<'_>, context: &mut Context) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    for target in targets.iter().take(ASKED_MAX) {
        match effect(target, context) {
            Ok(effect) => lines.push(effect),
            Err(error) => lines.push(escape(Failure::from(error).message()).into_owned()),
        }
    }
    if targets.len() > ASKED_MAX {
        lines.push(format!("This does the same to {} more.", grouped((targets.len() - ASKED_MAX) as u64)));
    }
    confirm(&lines.join("\n"), question, context)?;
    context.confirm_the_rest();
    Ok(())
}

/// What became of each target.
#[derive(Debug)]
struct Results {
    of_targets: Vec<(String, TargetResult)>,
    /// The signal that stopped the act, and the number of targets that were not begun.
    stopped: Option<Signal>,
    left: usize,
}

impl Results {
    fn failed(&self) -> usize {
        self.of_targets.iter().filter(|(_, result)| result.is_err()).count()
    }

    /// What a signal left.
    fn interrupted(&self) -> Option<Failure> {
        let counts = [self.of_targets.len() - self.failed(), self.failed(), self.left];
        let [done, failed, left] = counts.map(|count| grouped(count as u64));
        let what = format!("{done} done, {failed} failed, {left} not begun");
        Some(Failure::from(anyhow::Error::new(Interrupted { signal: self.stopped?, what })))
    }
}

impl Report for Results {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        let mut all = Page::default();
        for (target, result) in &self.of_targets {
            match result {
                Ok(report) => {
                    let Page { answer, done, notes, errors } = report.text(now, style);
                    all.answer.push_str(&answer);
                    all.done.extend(done.into_iter().chain(notes));
                    all.errors.extend(errors);
                }
                Err(failure) => all.errors.push(failure.about(target).text(style.color)),
            }
        }
        let failed = self.failed();
        if let Some(interrupted) = self.interrupted() {
            all.errors.push(interrupted.text(style.color));
        } else if failed > 0 {
            let total = grouped(self.of_targets.len() as u64);
            all.errors.push(format!("{} of {total} failed", grouped(failed as u64)));
        }
        all
    }

    fn json(&self) -> Value {
        let one = |(target, result): &(String, TargetResult)| match result {
            Ok(report) => report.json(),
            Err(failure) => {
                let mut document = failure.document();
                document["target"] = json!(target);
                document
            }
        };
        let interrupted = self.interrupted().map(|failure| failure.document());
        self.of_targets.iter().map(one).chain(interrupted).collect()
    }

    /// One document per line.
    fn document(&self) -> String {
        self.json().as_array().into_iter().flatten().map(|one| json::line(one) + "\n").collect()
    }

    fn exit_code(&self) -> ExitCode {
        match self.stopped {
            Some(Signal::Interrupt) => ExitCode::Interrupted,
            Some(Signal::Terminate) => ExitCode::Terminated,
            None if self.failed() > 0 => ExitCode::Failed,
            None => ExitCode::Done,
        }
    }
}
