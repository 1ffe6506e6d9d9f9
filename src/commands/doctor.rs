//! `doctor` and `db check`: what is wrong, why it matters, what to do; and what can be done without
//! asking what was meant.

mod places;

use anyhow::Context as _;
use clap::Args;

use crate::auth::doctor::{self, CONTENT, Check, Cure, Finding, STRUCTURE, Symptom};
use crate::context::Context;
use crate::error::{CommandError, Failure};
use crate::exit_code::ExitCode;
use crate::output::escape::escape;
use crate::output::{DoctorOutcome, Outcome};
use crate::store::OpenError;
use places::{PERMISSIONS, PLACES};

pub(crate) const EXAMPLES: &str = "Examples:
  authctl doctor
  authctl doctor --fix
  authctl doctor --json | jq -r '.findings[].message'

The exit code is 0 when there is no problem (a notice is none) and 1 when there
is one; the report is printed in both cases. --fix fixes what can have meant
only one thing; it never touches hashes, the schema or the audit log, and tells
first what it would do.

authctl enforces its rules for people who go through authctl. Whoever can write
the database file or its directory is the administrator, and can make the audit
log anew; whoever can read the file can guess passwords offline. See
authctl help security.";

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Fix the problems that have only one possible fix
    #[arg(long)]
    pub fix: bool,
}

/// What was seen in one look at everything.
struct Seen {
    findings: Vec<Finding>,
    /// Why the database could not be looked into, as the exit code that other commands would have.
    closed: Option<ExitCode>,
}

/// Looks at everything, and mends what can be mended if that is wanted.
pub(super) fn run(args: &DoctorArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let mut seen = look(context)?;
    let mut mended = Vec::new();
    if args.fix && seen.findings.iter().any(|finding| finding.cure.is_some()) {
        consent(&seen.findings, context)?;
        let mut fixed = Vec::new();
        for finding in seen.findings.iter().filter(|finding| finding.cure.is_some()) {
            mend(finding.check, context).with_context(|| format!("could not fix {}", finding.check))?;
            fixed.push(finding.check);
            context.did(format!("{} fixed", were(&fixed)), "run `authctl doctor` to see what is left");
        }
        // What is left is looked for and not assumed.
        let before = std::mem::replace(&mut seen, look(context)?);
        mended = before.findings.into_iter().filter_map(|finding| since_mended(finding, &seen.findings)).collect();
    }
    mended.append(&mut seen.findings);
    Ok(report(mended, seen.closed, true, context)?.into())
}

/// "permissions was", "permissions and policy were".
fn were(checks: &[&str]) -> String {
    let verb = if checks.len() == 1 { "was" } else { "were" };
    format!("{} {verb}", checks.join(" and "))
}

/// Looks at the structure of the database only.
pub(super) fn check(context: &mut Context) -> anyhow::Result<Outcome> {
    let mut auth = context.auth_under_any_policy()?;
    let findings = doctor::look(&mut auth, STRUCTURE);
    Ok(report(findings, None, false, context)?.into())
}

fn report(
    findings: Vec<Finding>,
    closed: Option<ExitCode>,
    is_whole: bool,
    context: &Context,
) -> anyhow::Result<DoctorOutcome> {
    Ok(DoctorOutcome { database: context.database()?.path, findings, closed, is_whole })
}

fn look(context: &mut Context) -> anyhow::Result<Seen> {
    // Without a name there is nothing to look at.
    context.database()?;
    let mut findings: Vec<Finding> = PLACES
        .iter()
        .filter_map(|check| check.finding((check.look)(context).map_err(|error| one_line(&error))))
        .collect();
    let mut closed = None;
    match context.auth_under_any_policy() {
        Ok(mut auth) => findings.extend(doctor::look(&mut auth, STRUCTURE.iter().chain(CONTENT))),
        Err(error) => {
            // The check of permissions has told this one, with its cure.
            let is_told = matches!(error.downcast_ref(), Some(OpenError::Unsafe { .. }))
                && findings.iter().any(|finding| finding.check == PERMISSIONS.name);
            let exit = Failure::from(error);
            closed = Some(exit.code);
            if !is_told {
                let (message, hint) = (exit.message(), exit.advice().unwrap_or_default());
                findings.push(Finding::problem("database", Symptom::new(1, message, hint)));
            }
        }
    }
    Ok(Seen { findings, closed })
}

fn one_line(error: &anyhow::Error) -> String {
    format!("{error:#}")
}

/// Gets a yes to all that would be done.
fn consent(findings: &[Finding], context: &mut Context) -> anyhow::Result<()> {
    let mut effect = format!("In {} this would:", escape(&context.database()?.path.to_string_lossy()));
    for finding in findings {
        if let Some(does) = finding.cure {
            effect = format!("{effect}\n  {does} ({})", finding.symptom.count);
        }
    }
    if context.confirm(&effect, "Fix?")? { Ok(()) } else { Err(CommandError::Declined.into()) }
}

/// Runs the cure of a check.
fn mend(name: &str, context: &mut Context) -> anyhow::Result<()> {
    if let Some(Check { cure: Some(Cure { act, .. }), .. }) = PLACES.iter().find(|check| check.name == name) {
        return act(context);
    }
    let mut auth = context.auth_under_any_policy()?;
    if let Some(Check { cure: Some(Cure { act, .. }), .. }) =
        STRUCTURE.iter().chain(CONTENT).find(|check| check.name == name)
    {
        act(&mut auth)?;
    }
    Ok(())
}

/// What of a finding is no longer there.
fn since_mended(mut finding: Finding, left: &[Finding]) -> Option<Finding> {
    let still = left.iter().find(|other| other.check == finding.check).map_or(0, |other| other.symptom.count);
    finding.symptom.count = finding.symptom.count.saturating_sub(still);
    finding.is_mended = finding.cure.is_some() && finding.symptom.count > 0;
    finding.is_mended.then_some(finding)
}
