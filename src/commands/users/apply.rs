//! `users apply`: brings users to what a list says.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::admin_guard;
use super::changes::{Change, as_json, converge, in_words};
use super::update::notice_unknown_roles;
use crate::auth::audit::counted;
use crate::auth::converge::{ConvergeOptions, Difference, WantedUser};
use crate::auth::email::Email;
use crate::auth::user::User;
use crate::auth::{AuthError, NewUser};
use crate::commands::reach::Reach;
use crate::commands::{confirm, progress};
use crate::context::Context;
use crate::error::CommandError;
use crate::import::{Input, ReadRow, WantedRow, read_wanted};
use crate::input_file;
use crate::interrupt::Interrupts;
use crate::output::text::{escape, escaped, shown};
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;

#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The list of users; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Say what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Demote or ban even the last administrator
    #[arg(long)]
    pub force_last_admin: bool,
}

/// The most lines of a plan before the question about it.
const ASKED_MAX: usize = 20;

pub(super) fn run(args: &ApplyArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    context.now()?;
    let database = context.database()?.location;
    context.refuse_to_come_before_an_app()?;
    let (file, rows) = read(&args.file)?;
    let is_there = context.open_if_it_exists()?;
    let (mut plan, unknown) = plan(&file, rows, is_there, context)?;
    let listed = plan.len();
    plan.retain(|planned| !planned.is_as_wanted());
    let mut report = Applied {
        file,
        database,
        dry_run: args.dry_run,
        unchanged: listed - plan.len(),
        users: Vec::new(),
        sessions_ended: 0,
        reach: Reach::default(),
    };
    if args.dry_run {
        report.users = plan.iter().map(Planned::told).collect();
        notice_unknown_roles(&unknown, context);
        return Ok(report.into());
    }
    if plan.is_empty() {
        return Ok(report.into());
    }
    if !context.is_confirmed() {
        confirm(&effect(&plan, &report), "Change these users?", context)?;
    }
    // An administrator may go when another one has come.
    plan.sort_by_key(Planned::may_take_an_admin);
    write(&plan, args, &mut report, context)?;
    notice_unknown_roles(&unknown, context);
    Ok(report.into())
}

fn read(path: &Path) -> anyhow::Result<(String, Vec<ReadRow>)> {
    let (name, bytes): (String, Box<dyn Read>) = if path == Path::new("-") {
        ("standard input".to_owned(), Box::new(std::io::stdin()))
    } else {
        let opened = input_file::open(path).map_err(|error| CommandError::Usage {
            message: format!("could not read {}: {error}", shown(path)),
            hint: "name a file with a list of users, or - for standard input",
        })?;
        (shown(path), Box::new(opened))
    };
    Ok((name.clone(), read_wanted(Input { name, bytes })?))
}

/// What becomes of one row.
#[derive(Debug)]
struct Planned {
    line: u64,
    email: Email,
    target: Target,
}

#[derive(Debug)]
enum Target {
    New { name: String, wanted: WantedUser },
    Existing { user: Box<User>, differences: Vec<Difference> },
}

impl Planned {
    fn is_as_wanted(&self) -> bool {
        matches!(&self.target, Target::Existing { differences, .. } if differences.is_empty())
    }

    fn may_take_an_admin(&self) -> bool {
        match &self.target {
            Target::New { .. } => false,
            Target::Existing { differences, .. } => differences.iter().any(Difference::may_take_an_admin),
        }
    }

    /// The row before it is applied.
    fn told(&self) -> ChangedUser {
        let (id, changes) = match &self.target {
            Target::New { name, wanted } => (None, Change::of_new(name, wanted)),
            Target::Existing { user, differences } => {
                (Some(user.id.clone()), differences.iter().map(Change::from).collect())
            }
        };
        let is_new = self.is_new();
        ChangedUser { line: self.line, email: self.email.as_str().to_owned(), id, is_new, changes }
    }

    fn is_new(&self) -> bool {
        matches!(self.target, Target::New { .. })
    }

    /// The roles that the row gives.
    fn new_role(&self) -> Option<&str> {
        match &self.target {
            Target::New { wanted, .. } => wanted.role.as_deref(),
            Target::Existing { differences, .. } => differences.iter().find_map(|difference| match difference {
                Difference::Role { to, .. } => Some(to.as_str()),
                _ => None,
            }),
        }
    }
}

/// Checks every row, and finds what is to change, and the roles that no user had before.
fn plan(
    file: &str,
    rows: Vec<ReadRow>,
    is_there: bool,
    context: &mut Context,
) -> anyhow::Result<(Vec<Planned>, Vec<String>)> {
    let total = rows.len();
    let (mut planned, mut bad): (Vec<Planned>, Vec<(u64, String)>) = (Vec::new(), Vec::new());
    let mut lines: HashMap<String, u64> = HashMap::new();
    let mut roles: Vec<String> = Vec::new();
    for (line, row) in rows {
        let found = match row {
            Ok(row) => planned_row(line, row, is_there, context)?,
            Err(problem) => Err(problem),
        };
        match found {
            Ok(one) => {
                let key = match &one.target {
                    Target::New { .. } => one.email.as_str().to_owned(),
                    Target::Existing { user, .. } => user.id.clone(),
                };
                if let Some(first) = lines.get(&key) {
                    bad.push((line, format!("{} stands in line {first} already", one.email)));
                } else {
                    lines.insert(key, line);
                    roles.extend(one.new_role().map(str::to_owned));
                    planned.push(one);
                }
            }
            Err(problem) => bad.push((line, problem)),
        }
    }
    if !bad.is_empty() {
        return Err(CommandError::BadRows { file: file.to_owned(), total, rows: bad }.into());
    }
    roles.sort();
    roles.dedup();
    let unknown = if is_there { context.auth()?.unknown_roles(&roles.join(","))? } else { Vec::new() };
    Ok((planned, unknown))
}

/// Checks a row, and finds its user.
fn planned_row(
    line: u64,
    row: WantedRow,
    is_there: bool,
    context: &mut Context,
) -> anyhow::Result<Result<Planned, String>> {
    let WantedRow { address, name, role, verified, banned } = row;
    let Some(address) = address else { return Ok(Err("the row has no address".to_owned())) };
    let email = match Email::typed(&address) {
        Ok(email) => email,
        Err(invalid) => return Ok(Err(format!("the address {address}: {invalid}"))),
    };
    let wanted = WantedUser { name, image: None, role, verified, banned };
    if let Err(problem) = wanted.check(false) {
        return Ok(Err(problem.to_string()));
    }
    if is_there && wanted.role.as_ref().is_some_and(|role| role != "user") && !context.has_roles() {
        return Ok(Err("the users of this app have no roles".to_owned()));
    }
    if is_there && wanted.banned == Some(true) && context.lacks("user", "banned") {
        return Ok(Err("the users of this app cannot be banned".to_owned()));
    }
    let found = if is_there { context.auth()?.holder_of(&email) } else { Ok(None) };
    let target = match found {
        Ok(Some(user)) if !user.has_id() => return Ok(Err(format!("the user {email} has no id that can be read"))),
        Ok(Some(user)) => {
            let differences = wanted.differences(&user, context.now()?);
            Target::Existing { user: Box::new(user), differences }
        }
        Ok(None) => Target::New { name: wanted.name.clone().unwrap_or_else(|| local_part(&email)), wanted },
        Err(error @ AuthError::AmbiguousUser { .. }) => return Ok(Err(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    Ok(Ok(Planned { line, email, target }))
}

fn local_part(email: &Email) -> String {
    email.as_str().split('@').next().unwrap_or_default().to_owned()
}

/// The plan before the question about it.
fn effect(plan: &[Planned], report: &Applied) -> String {
    let mut lines: Vec<String> = plan.iter().take(ASKED_MAX).map(|planned| planned.told().line(false)).collect();
    if plan.len() > ASKED_MAX {
        lines.push(format!("and {} more; --dry-run shows all", plan.len() - ASKED_MAX));
    }
    let created = plan.iter().filter(|planned| planned.is_new()).count();
    let place = escaped(&report.database);
    format!("{}\nThis {} in {place}.", lines.join("\n"), numbers(created, plan.len() - created, ["creates", "changes"]))
}

/// How many users are new and how many differ, after the verb for each.
fn numbers(new: usize, differing: usize, [create, change]: [&str; 2]) -> String {
    let users = |count: usize| counted(count as u64, "user");
    match (new, differing) {
        (0, differing) => format!("{change} {}", users(differing)),
        (new, 0) => format!("{create} {}", users(new)),
        (new, differing) => format!("{create} {} and {change} {}", users(new), users(differing)),
    }
}

fn write(plan: &[Planned], args: &ApplyArgs, report: &mut Applied, context: &mut Context) -> anyhow::Result<()> {
    let options =
        ConvergeOptions { guard: admin_guard(args.force_last_admin), allow_twin: false, reason: context.reason() };
    let total = plan.len();
    let line = progress("changing users", context, |_| Ok(total as u64))?;
    let interrupts = Interrupts::watch();
    let mut ends_in = Vec::new();
    for (index, planned) in plan.iter().enumerate() {
        interrupts.check(|| format!("{} changed, {} not", counted(index as u64, "user"), total - index))?;
        let changed = apply(planned, &options, context)?;
        report.sessions_ended += changed.1.sessions_ended;
        ends_in.extend(changed.1.ends_in);
        report.users.push(changed.0);
        line.advance(1);
        let what = format!("{} of {} were changed", index + 1, counted(total as u64, "user"));
        context.did(what, "run the command again for what is left");
    }
    report.reach = Reach::to_end(&ends_in, context);
    report.reach.note(context);
    Ok(())
}

/// Applies one row, by the acts of the single commands.
fn apply(
    planned: &Planned,
    options: &ConvergeOptions,
    context: &mut Context,
) -> anyhow::Result<(ChangedUser, super::changes::Converged)> {
    let Planned { line, email, target } = planned;
    let (converged, is_new) = match target {
        Target::New { name, wanted } => {
            let new_user = NewUser {
                email: email.as_str(),
                name,
                image: None,
                role: wanted.role.as_deref(),
                allow_twin: false,
                verified: wanted.verified == Some(true),
                password: None,
                allow_weak: false,
            };
            let new_user = new_user.check(&context.policy.password)?;
            let (user, _) = context.auth_or_create()?.create_user(&new_user, None)?;
            let ban = (wanted.banned == Some(true)).then_some(Difference::Banned(true));
            let mut converged = converge(&user, ban.as_slice(), options, context)?;
            converged.changes = Change::of_new(name, wanted);
            (converged, true)
        }
        Target::Existing { user, differences } => (converge(user, differences, options, context)?, false),
    };
    let changed = ChangedUser {
        line: *line,
        email: email.as_str().to_owned(),
        id: Some(converged.user.id.clone()),
        is_new,
        changes: converged.changes.clone(),
    };
    Ok((changed, converged))
}

/// A user whom a row creates or changes.
#[derive(Debug)]
struct ChangedUser {
    line: u64,
    email: String,
    /// `None` before the user is created.
    id: Option<String>,
    is_new: bool,
    changes: Vec<Change>,
}

impl ChangedUser {
    fn line(&self, is_done: bool) -> String {
        let verb = match (self.is_new, is_done) {
            (true, true) => "created",
            (true, false) => "create",
            (false, true) => "changed",
            (false, false) => "change",
        };
        format!("{verb} {}: {}", escape(&self.email), in_words(&self.changes))
    }

    fn json(&self) -> Value {
        json!({
            "line": self.line,
            "act": if self.is_new { "created" } else { "updated" },
            "email": self.email,
            "id": self.id,
            "changes": as_json(&self.changes),
        })
    }
}

/// What a list changed, or would change.
#[derive(Debug)]
struct Applied {
    file: String,
    database: DatabaseLocation,
    dry_run: bool,
    unchanged: usize,
    users: Vec<ChangedUser>,
    sessions_ended: usize,
    reach: Reach,
}

impl Applied {
    fn created(&self) -> usize {
        self.users.iter().filter(|user| user.is_new).count()
    }
}

impl Report for Applied {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        let (file, place) = (escape(&self.file), escaped(&self.database));
        let as_wanted = format!(
            "{} {} as {file} says",
            counted(self.unchanged as u64, "user"),
            if self.unchanged == 1 { "is" } else { "are" }
        );
        if self.users.is_empty() {
            return Page::note(format!("nothing to change in {place}: {as_wanted}"));
        }
        let created = self.created();
        let (would, verbs) = if self.dry_run { ("would ", ["create", "change"]) } else { ("", ["created", "changed"]) };
        let mut line = format!("{would}{} in {place}", numbers(created, self.users.len() - created, verbs));
        if self.sessions_ended > 0 {
            line = format!("{line}, and ended {}", counted(self.sessions_ended as u64, "session"));
        }
        if self.unchanged > 0 {
            line = format!("{line}; {as_wanted}");
        }
        let mut lines: Vec<String> = self.users.iter().map(|user| user.line(!self.dry_run)).collect();
        if self.dry_run {
            return Page { answer: lines.join("\n") + "\n", ..Page::note(line) };
        }
        lines.push(line);
        Page { done: lines, ..Page::default() }
    }

    fn json(&self) -> Value {
        let created = self.created();
        let mut document = json!({
            "file": self.file,
            "created": created,
            "updated": self.users.len() - created,
            "unchanged": self.unchanged,
            "users": self.users.iter().map(ChangedUser::json).collect::<Vec<_>>(),
            "sessionsEnded": self.reach.count("session", self.sessions_ended as u64),
            "dryRun": self.dry_run,
            "database": self.database.to_string(),
        });
        self.reach.add_to(&mut document);
        document
    }
}
