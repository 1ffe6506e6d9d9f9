//! `doctor` and `db check`: report what is wrong, why it matters and what to do, and fix what has only one
//! possible fix.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::db::{migrate_schema, restored_lines};
use super::reach::Reach;
use super::{activity, confirm};
use crate::auth::audit::counted;
use crate::auth::doctor::{
    self, ACCOUNTS, CONTENT, Check, Details, FULL_INTEGRITY, Finding, Fix, INTEGRITY, PLUGINS, SCHEMA, STRUCTURE,
    Severity,
};
use crate::auth::session::CLOCK_SKEW;
use crate::auth::storage::StoreError;
use crate::context::Context;
use crate::error::{ExitCode, Failure};
use crate::output::text::{escape, escaped};
use crate::output::wrap::wrapped;
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::{DatabaseLocation, PathError};
use crate::session_file::{SessionFile, SessionFileError};
use crate::store::{OpenError, sqlite};

pub(crate) const EXAMPLES: &str = "Examples:
  authctl doctor
  authctl doctor --fix
  authctl doctor --json | jq -r '.findings[].message'

The exit code is 1 when there is a problem, else 0; a notice is not a problem. The
report is printed in both cases. --fix fixes problems that have only one possible
fix, and shows them first. It never changes hashes or entries of the audit log, and
changes the schema only to make again what another program removed from a database
of authctl's own, as authctl db migrate does.

authctl enforces its rules for people who go through authctl. A user who can
write the database file or its directory is the administrator and can rewrite the
audit log; a user who can read the file can guess passwords offline. See
authctl help security.";

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Fix the problems that have only one possible fix
    #[arg(long)]
    pub fix: bool,
    /// Also look up every row in every index, which takes long for millions of rows
    #[arg(long)]
    pub full: bool,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Also look up every row in every index, which takes long for millions of rows
    #[arg(long)]
    pub full: bool,
}

pub(super) fn run(args: &DoctorArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let checking = activity("checking the database", context);
    let mut diagnosis = diagnose(args.full, context)?;
    drop(checking);
    let mut findings = Vec::new();
    if args.fix && diagnosis.findings.iter().any(|finding| finding.fix.is_some()) {
        confirm_fixes(&diagnosis.findings, context)?;
        let _activity = activity("fixing the database", context);
        let mut fixed = Vec::new();
        for finding in in_order(&mut diagnosis.findings) {
            finding.details.lines =
                fix(finding, context).with_context(|| format!("could not fix {}", finding.check))?;
            fixed.push(finding.check);
            context.did(format!("{} fixed", were(&fixed)), "run `authctl doctor` to see what is left");
        }
        // A second run of the checks shows what is left: a fix may not fix everything.
        let before = std::mem::replace(&mut diagnosis, diagnose(args.full, context)?);
        findings = before.findings.into_iter().filter_map(|finding| fixed_part(finding, &diagnosis.findings)).collect();
    }
    findings.append(&mut diagnosis.findings);
    Reach::to_check(context).note(context);
    let database = context.database()?.location;
    Ok(DoctorReport { database, findings, closed: diagnosis.closed, is_whole: true, full: args.full }.into())
}

/// `db check`: runs the checks of the structure, and of what refers to what.
pub(super) fn check(args: &CheckArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let _activity = activity("checking the database", context);
    let mut auth = context.auth_under_any_policy()?;
    let findings = doctor::run_checks(&mut auth, structure(args.full).chain(ACCOUNTS));
    Reach::to_check(context).note(context);
    let database = context.database()?.location;
    Ok(DoctorReport { database, findings, closed: None, is_whole: false, full: args.full }.into())
}

/// The checks of the file, its schema and what refers to what.
fn structure(full: bool) -> impl Iterator<Item = &'static Check> {
    [if full { &FULL_INTEGRITY } else { &INTEGRITY }].into_iter().chain(STRUCTURE).chain(PLUGINS)
}

/// What a fix of [`is_restorable`] does.
const RESTORES: &str = "make again the tables, columns, indexes and triggers that another program removed";

/// Whether a finding is that another program removed a part of authctl's schema.
fn is_restorable(finding: &Finding) -> bool {
    finding.fix == Some(RESTORES)
}

/// The findings to fix. Other fixes need the whole schema.
fn in_order(findings: &mut [Finding]) -> Vec<&mut Finding> {
    let mut fixable: Vec<&mut Finding> = findings.iter_mut().filter(|finding| finding.fix.is_some()).collect();
    fixable.sort_by_key(|finding| !is_restorable(finding));
    fixable
}

/// Whether a native database could not be opened because another program removed a table of authctl's.
fn lacks_own_table(error: &anyhow::Error, context: &Context) -> bool {
    let is_lack = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref::<StoreError>(), Some(StoreError::Incomplete(_)))
    };
    error.chain().any(is_lack) && file(context).ok().flatten().is_some_and(|path| sqlite::require_own(&path).is_ok())
}

/// "permissions was", "permissions and policy were".
fn were(checks: &[&str]) -> String {
    let verb = if checks.len() == 1 { "was" } else { "were" };
    format!("{} {verb}", checks.join(" and "))
}

/// The result of all checks.
struct Diagnosis {
    findings: Vec<Finding>,
    /// The exit code of the error that prevented the database from being opened.
    closed: Option<ExitCode>,
}

fn diagnose(full: bool, context: &mut Context) -> anyhow::Result<Diagnosis> {
    // Every check needs the path, so a path that cannot be resolved is an error of the command.
    context.database()?;
    let mut findings: Vec<Finding> = SURROUNDINGS
        .iter()
        .filter_map(|check| check.finding((check.run)(context).map_err(|error| format!("{error:#}"))))
        .collect();
    let mut closed = None;
    match context.auth_under_any_policy() {
        Ok(mut auth) => {
            let mut found = doctor::run_checks(&mut auth, structure(full).chain(CONTENT));
            if auth.store.guest().is_some_and(|guest| guest.unclear_times().is_some()) {
                for finding in &mut found {
                    finding.fix = None;
                }
            }
            if auth.store.guest().is_some_and(|guest| guest.unsafe_place.is_some()) {
                // Nothing is written there. The check of permissions has reported why.
                for finding in &mut found {
                    finding.fix = None;
                }
                closed = Some(ExitCode::Database);
            }
            for finding in &mut found {
                if finding.check == SCHEMA.name && finding.details.is_fixable {
                    finding.fix = Some(RESTORES);
                }
            }
            findings.extend(found);
        }
        Err(error) => {
            // The check of permissions has reported this error, with its fix.
            let is_reported = matches!(error.downcast_ref(), Some(OpenError::Unsafe { .. }))
                && findings.iter().any(|finding| finding.check == PERMISSIONS.name);
            let fix = lacks_own_table(&error, context).then_some(RESTORES);
            let failure = Failure::from(error);
            closed = Some(failure.code);
            if !is_reported {
                let (message, hint) = (failure.message(), failure.advice().unwrap_or_default());
                let details = Details::new(1, message, hint);
                findings.push(Finding { fix, ..Finding::problem("database", details) });
            }
        }
    }
    Ok(Diagnosis { findings, closed })
}

/// Asks before any fix is applied, and lists all of them.
fn confirm_fixes(findings: &[Finding], context: &mut Context) -> anyhow::Result<()> {
    let mut effect = format!("In {} this would:", escaped(context.database()?.location));
    for finding in findings {
        if let Some(does) = finding.fix {
            effect = format!("{effect}\n  {does} ({})", finding.details.count);
        }
    }
    confirm(&effect, "Fix?", context)
}

/// Applies the fix of a finding, and says what was made.
fn fix(finding: &Finding, context: &mut Context) -> anyhow::Result<Vec<String>> {
    if is_restorable(finding) {
        let migrated = migrate_schema(context)?;
        return Ok(restored_lines(&context.database()?.location, &migrated.restored));
    }
    apply(finding.check, context).map(|()| Vec::new())
}

/// Applies the fix of a check.
fn apply(name: &str, context: &mut Context) -> anyhow::Result<()> {
    if let Some(Check { fix: Some(Fix { apply, .. }), .. }) = SURROUNDINGS.iter().find(|check| check.name == name) {
        return apply(context);
    }
    let mut auth = context.auth_under_any_policy()?;
    if let Some(Check { fix: Some(Fix { apply, .. }), .. }) =
        STRUCTURE.iter().chain(PLUGINS).chain(CONTENT).find(|check| check.name == name)
    {
        apply(&mut auth)?;
    }
    Ok(())
}

/// The part of a finding that is gone after the fixes.
fn fixed_part(mut finding: Finding, left: &[Finding]) -> Option<Finding> {
    let still = left.iter().find(|other| other.check == finding.check).map_or(0, |other| other.details.count);
    finding.details.count = finding.details.count.saturating_sub(still);
    finding.is_fixed = finding.fix.is_some() && finding.details.count > 0;
    finding.is_fixed.then_some(finding)
}

type Run = fn(&Context) -> anyhow::Result<Option<Details>>;
type Apply = fn(&mut Context) -> anyhow::Result<()>;

/// The checks that open no database: of files, directories and the environment.
const SURROUNDINGS: &[Check<Run, Apply>] =
    &[PERMISSIONS, APP_FILE, FILE_SYSTEM, FILE_TIME, SESSION_FILES, ABANDONED, TOKEN, DATABASE];

/// The path of the database; `None` when it is on a server.
fn file(context: &Context) -> Result<Option<PathBuf>, PathError> {
    Ok(context.database()?.location.file().ok().map(Path::to_owned))
}

const PERMISSIONS: Check<Run, Apply> = Check {
    name: "permissions",
    severity: Severity::Problem,
    run: |context| {
        let Some(path) = file(context)? else { return Ok(None) };
        let insecure = sqlite::insecure(&path);
        let lines: Vec<String> = insecure.iter().map(|path| path.error.to_string()).collect();
        let message = format!("others may use what only you should: {}", lines.join("; "));
        let is_ours = insecure.iter().any(|path| path.is_ours);
        let remedy = insecure.iter().find_map(|path| match &path.error {
            OpenError::Unsafe { remedy, .. } if !is_ours => Some(remedy.as_str()),
            _ => None,
        });
        let remedy = remedy.unwrap_or("`authctl doctor --fix` takes these rights away, where the owner is you");
        let hint = format!("who writes there is the administrator, who reads there can guess passwords; {remedy}");
        let details = Details::if_any(lines.len() as u64, message, hint);
        Ok(details.map(|details| if is_ours { details.fixable() } else { details }))
    },
    fix: Some(Fix {
        does: "take away the rights of others to the database's files and directory",
        apply: |context| {
            let path = context.database_file()?;
            sqlite::tighten(&path).with_context(|| format!("could not change the permissions of {}", path.display()))
        },
    }),
};

const APP_FILE: Check<Run, Apply> = Check::new("app-file", Severity::Notice, |context| {
    let Some(path) = file(context)? else { return Ok(None) };
    let message = "everybody on this machine may read the app's database, with the token of every session in it";
    let hint = format!("if only the app reads it: chmod o= '{}'", path.display());
    Ok(sqlite::is_open_to_all(&path).then(|| Details::new(1, message, hint)))
});

const FILE_SYSTEM: Check<Run, Apply> = Check::new("file-system", Severity::Notice, |context| {
    let hint = "keep the database on a disk of this machine, or let one machine at a time use it";
    let Some(path) = file(context)? else { return Ok(None) };
    Ok(sqlite::unreliable_file_system(&path).map(|name| {
        let message = format!("the database is on {name}, where locks may not hold between machines");
        Details::new(1, message, hint)
    }))
});

const FILE_TIME: Check<Run, Apply> = Check::new("file-time", Severity::Problem, |context| {
    let Some(path) = file(context)? else { return Ok(None) };
    // Opening the database reports that it is missing.
    let Ok(found) = std::fs::metadata(path) else { return Ok(None) };
    let written = Timestamp::try_from(found.modified()?)?;
    let latest = context.now()?.saturating_add(CLOCK_SKEW)?;
    let hint = "the clock is wrong now or was wrong then: compare `date` with another machine";
    Ok((written > latest)
        .then(|| Details::new(1, "the database file was written in the future, as this clock has it", hint)))
});

const SESSION_FILES: Check<Run, Apply> = Check {
    name: "session-files",
    severity: Severity::Problem,
    run: |context| {
        let Some(files) = session_files(context) else { return Ok(None) };
        let (insecure, is_ours) = files.insecure();
        let lines: Vec<String> = insecure.iter().map(ToString::to_string).collect();
        let hint = "a token that others may have read is worth nothing: `authctl signout` ends its session; \
                    `authctl doctor --fix` closes your directories";
        let details = Details::if_any(lines.len() as u64, lines.join("; "), hint);
        Ok(details.map(|details| if is_ours { details.fixable() } else { details }))
    },
    fix: Some(Fix {
        does: "take away the rights of others to the directory of sessions",
        apply: |context| Ok(context.session_file()?.close_directories()?),
    }),
};

const ABANDONED: Check<Run, Apply> = Check {
    name: "abandoned-sign-ins",
    severity: Severity::Notice,
    run: |context| {
        let count = match session_files(context).map(|files| files.abandoned()) {
            Some(Ok(abandoned)) => abandoned.len() as u64,
            // `session-files` reports the directory.
            Some(Err(SessionFileError::UnsafeDirectory { .. })) | None => return Ok(None),
            Some(Err(error)) => return Err(error.into()),
        };
        let message = format!("interrupted sign-ins that left a session: {count}");
        let hint = "the next sign-in or sign-out ends them, and so does `authctl doctor --fix`";
        Ok(Details::if_any(count, message, hint).map(Details::fixable))
    },
    fix: Some(Fix {
        does: "end the sessions of interrupted sign-ins",
        apply: |context| {
            context.auth_under_any_policy()?;
            context.end_abandoned_sessions().map(drop)
        },
    }),
};

const TOKEN: Check<Run, Apply> = Check::new("token-override", Severity::Notice, |context| {
    let is_stored = session_files(context).is_some_and(|files| matches!(files.read(), Ok(Some(_))));
    let variable = context.overriding_variable().filter(|_| is_stored);
    Ok(variable.map(|variable| {
        let message = format!("{variable} is set: commands use its token and not the stored session");
        Details::new(1, message, format!("`unset {variable}` to be who signed in here"))
    }))
});

const DATABASE: Check<Run, Apply> = Check::new("database-override", Severity::Notice, |context| {
    Ok(context.shadowed_database().map(|default| {
        let message = format!("AUTHCTL_DB is set: commands do not use {}, which exists too", default.display());
        Details::new(1, message, "`unset AUTHCTL_DB` to use it, or name one with --db")
    }))
});

/// `None` without a home directory.
fn session_files(context: &Context) -> Option<SessionFile> {
    context.session_file().ok()
}

/// The limit of every check.
fn boundary(database: &DatabaseLocation) -> &'static str {
    match database {
        DatabaseLocation::File(_) => BOUNDARY,
        DatabaseLocation::Url(_) => SERVER_BOUNDARY,
    }
}

const SERVER_BOUNDARY: &str = "\
A user who can sign in to the server as the owner of the tables is the administrator and can rewrite the audit log;
a user who can read them can guess passwords offline. See `authctl help security`.";
const BOUNDARY: &str = "\
A user who can write this file or its directory is the administrator and can rewrite the audit log;
a user who can read it can guess passwords offline. See `authctl help security`.";

/// The report is the answer of the command, whether the database is healthy or not.
#[derive(Debug)]
struct DoctorReport {
    database: DatabaseLocation,
    /// What was fixed, then what is wrong.
    findings: Vec<Finding>,
    /// The exit code of the error that prevented the database from being opened.
    closed: Option<ExitCode>,
    /// All checks ran, and not only those of the structure.
    is_whole: bool,
    /// The indexes were compared with their tables.
    full: bool,
}

impl DoctorReport {
    fn is_healthy(&self) -> bool {
        self.closed.is_none() && !self.findings.iter().any(Finding::is_open_problem)
    }

    fn verdict(&self) -> String {
        let count = |is_counted: fn(&&Finding) -> bool| self.findings.iter().filter(is_counted).count() as u64;
        let problems = count(|finding| finding.is_open_problem());
        let notices = count(|finding| finding.severity == Severity::Notice && !finding.is_fixed);
        let (good, bad) = if self.is_whole { ("healthy", "not healthy") } else { ("sound", "not sound") };
        let mut parts = vec![if self.is_healthy() { good } else { bad }.to_owned()];
        for (number, noun) in [(problems, "problem"), (notices, "notice")] {
            if number > 0 {
                parts.push(counted(number, noun));
            }
        }
        let limit = match &self.database {
            _ if self.is_whole => "",
            DatabaseLocation::Url(_) => " (the server keeps its pages and indexes: `pg_amcheck` checks them)",
            DatabaseLocation::File(_) if self.full => "",
            DatabaseLocation::File(_) => " (indexes were not compared with their tables: --full)",
        };
        format!("{}: {}{limit}", escaped(&self.database), parts.join(", "))
    }
}

impl Report for DoctorReport {
    fn text(&self, _: Timestamp, style: Style) -> Page {
        let mut lines: Vec<String> = self.findings.iter().map(finding_text).collect();
        lines.push(self.verdict());
        if self.is_whole {
            let boundary = boundary(&self.database);
            lines.push(if style.terminal { boundary.replace('\n', " ") } else { boundary.to_owned() });
        }
        Page::answer(wrapped(&(lines.join("\n") + "\n"), style))
    }

    fn json(&self) -> Value {
        let findings: Vec<Value> = self.findings.iter().map(finding_json).collect();
        json!({
            "healthy": self.is_healthy(),
            "full": self.full,
            "findings": findings,
            "database": self.database.to_string(),
        })
    }

    fn exit_code(&self) -> ExitCode {
        match self.closed {
            Some(code) => code,
            None if self.is_healthy() => ExitCode::Done,
            None => ExitCode::Failed,
        }
    }
}

fn finding_text(finding: &Finding) -> String {
    let (name, message) = (finding.check, escape(&finding.details.message));
    let word = if finding.is_fixed { "fixed" } else { finding.severity.word() };
    let has_hint = !finding.is_fixed && !finding.details.hint.is_empty();
    let hint = has_hint.then(|| format!("hint: {}", finding.details.hint));
    let mut text = format!("{word}: {name}: {message}");
    for line in finding.details.lines.iter().chain(&hint) {
        text.extend(["\n  ", &escape(line)]);
    }
    text
}

fn finding_json(finding: &Finding) -> Value {
    json!({
        "check": finding.check,
        "severity": finding.severity.word(),
        "message": finding.details.message,
        "lines": finding.details.lines,
        "hint": finding.details.hint,
        "count": finding.details.count,
        "fixable": finding.fix.is_some(),
        "fixed": finding.is_fixed,
    })
}
