//! One act on several users or sessions: each has its own result, and one that fails does not stop the others.

use std::io::Read as _;

use clap::Args;
use serde_json::json;

use super::pages::Pages;
use super::{confirm, settled};
use crate::cli::Command;
use crate::context::Context;
use crate::error::{CommandError, ExitCode, Failure};
use crate::interrupt::{Interrupted, Interrupts, Signal};
use crate::output::list::{Format, Layout};
use crate::output::text::{escape, grouped};
use crate::output::{Listing, Outcome, Page, Style, json};

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

/// Users, and after them the roles that they get.
#[derive(Debug, Args)]
pub struct UsersAndRolesArg {
    /// Users, by email address or id, or at least 6 first characters of ids; and last the roles, separated by commas
    #[arg(value_names = ["USER", "ROLE"], num_args = 1.., required = true)]
    pub words: Vec<String>,
    /// Read the users from standard input, one per line
    #[arg(long)]
    pub stdin: bool,
}

impl UsersAndRolesArg {
    /// The users, if any are named here, and the roles.
    fn parts(&self) -> anyhow::Result<(&[String], &str)> {
        let problem = match self.words.split_last() {
            Some((roles, users)) if users.is_empty() == self.stdin => return Ok((users, roles)),
            Some(_) if self.stdin => "users are named, and read from standard input too",
            _ => "the roles are missing",
        };
        let hint = "name the users first and the roles last: USER... ROLE";
        Err(CommandError::Usage { message: problem.to_owned(), hint }.into())
    }

    pub(super) fn roles(&self) -> anyhow::Result<&str> {
        Ok(self.parts()?.1)
    }

    pub(super) fn users(&self) -> anyhow::Result<UsersArg> {
        Ok(UsersArg { users: self.parts()?.0.to_vec(), stdin: self.stdin })
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

/// The most effects that are shown before a question.
const ASKED_MAX: usize = 20;

/// Begins to run a command for each of its targets, after one question about all of them. The results are printed as they
/// come.
pub(super) fn each(
    targets: Vec<String>,
    context: &mut Context,
    question: Option<Question<'_>>,
) -> anyhow::Result<Outcome> {
    // A database that cannot be opened is one error and not one for each.
    context.auth()?;
    if let Some(question) = question
        && !context.is_confirmed()
    {
        ask(&targets, question, context)?;
    }
    Ok(Outcome::list(Listing::Each(targets), Layout::default()))
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

/// Runs a command for one target after the other.
#[derive(Debug)]
struct Each<'c> {
    command: &'c Command,
    targets: std::vec::IntoIter<String>,
    as_json: bool,
    style: Style,
    done: u64,
    failed: u64,
    /// Since the first target.
    interrupts: Option<Interrupts>,
    /// The signal that stopped the act.
    stopped: Option<Signal>,
}

pub(super) fn pages<'c>(
    command: &'c Command,
    targets: Vec<String>,
    layout: &Layout,
    style: Style,
) -> Box<dyn Pages + 'c> {
    let as_json = layout.format == Format::Document;
    let targets = targets.into_iter();
    Box::new(Each { command, targets, as_json, style, done: 0, failed: 0, interrupts: None, stopped: None })
}

impl Each<'_> {
    /// What became of one target.
    fn result(&mut self, target: &str, context: &mut Context) -> anyhow::Result<Page> {
        let result = settled(super::run_for(self.command, target, context), context);
        context.take_done();
        Ok(match result {
            Ok(report) => {
                self.done += 1;
                if self.as_json {
                    Page::answer(json::line(&report.json()) + "\n")
                } else {
                    report.text(context.now()?, self.style)
                }
            }
            Err(error) => {
                self.failed += 1;
                let failure = Failure::from(error);
                if self.as_json {
                    let mut document = failure.document();
                    document["target"] = json!(target);
                    Page::answer(json::line(&document) + "\n")
                } else {
                    Page::error(failure.about(target).text(self.style.color))
                }
            }
        })
    }

    /// The last line: what a signal left, or how many failed.
    fn summary(&self) -> Page {
        let left = self.targets.len() as u64;
        let [done, failed, not_begun] = [self.done, self.failed, left].map(grouped);
        match self.stopped {
            Some(signal) => {
                let what = format!("{done} done, {failed} failed, {not_begun} not begun");
                let failure = Failure::from(anyhow::Error::new(Interrupted { signal, what }));
                if self.as_json {
                    Page::answer(json::line(&failure.document()) + "\n")
                } else {
                    Page::error(failure.text(self.style.color))
                }
            }
            None if self.failed > 0 && left == 0 && !self.as_json => {
                Page::error(format!("{failed} of {} failed", grouped(self.done + self.failed)))
            }
            None => Page::default(),
        }
    }
}

impl Pages for Each<'_> {
    fn next(&mut self, context: &mut Context) -> anyhow::Result<Page> {
        self.stopped = self.interrupts.get_or_insert_with(Interrupts::watch).came();
        let target = if self.stopped.is_none() { self.targets.next() } else { None };
        let mut page = match target {
            Some(target) => self.result(&target, context)?,
            None => Page::default(),
        };
        let Page { answer, errors, .. } = self.summary();
        page.answer.push_str(&answer);
        page.errors.extend(errors);
        Ok(page)
    }

    fn is_over(&self) -> bool {
        self.stopped.is_some() || self.targets.len() == 0
    }

    fn cut_off(&self) -> String {
        String::new()
    }

    fn is_act(&self) -> bool {
        true
    }

    fn exit_code(&self) -> ExitCode {
        match self.stopped {
            Some(Signal::Interrupt) => ExitCode::Interrupted,
            Some(Signal::Terminate) => ExitCode::Terminated,
            None if self.failed > 0 => ExitCode::Failed,
            None => ExitCode::Done,
        }
    }
}
