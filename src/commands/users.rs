//! `users`: administers users. Each command that changes a user names the database.

mod apply;
mod changes;
mod create;
mod delete;
mod explain;
mod impersonate;
pub(super) mod list;
pub(super) mod lockdown;
mod password;
mod second_factor;
mod show;
mod update;

use apply::ApplyArgs;
use changes::{Change, as_json, in_words};
use clap::{Args, Subcommand};
use create::CreateUserArgs;
use delete::DeleteUserArgs;
use explain::ExplainArgs;
use impersonate::ImpersonateArgs;
use jiff::Timestamp;
use list::ListUsersArgs;
use lockdown::LockdownArgs;
use password::{ResetCodeArgs, SetPasswordArgs};
use second_factor::ResetSecondFactorArgs;
use serde_json::{Value, json};
use show::banned;
use update::{BanArgs, SetRoleArgs, UpdateUserArgs, VerifyEmailArgs};

use crate::auth::access::AccessKind;
use crate::auth::audit::counted;
use crate::auth::secret::Password;
use crate::auth::storage::{AdminGuard, UserUpdated};
use crate::auth::user::User;
use crate::auth::{Auth, AuthError};
use crate::commands::Attempt as _;
use crate::commands::reach::Reach;
use crate::commands::targets::{self, UsersArg};
use crate::context::Context;
use crate::output::json::UserView;
use crate::output::text::{escape, escaped, who};
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;

pub(crate) const EXAMPLES: &str = "Examples:
  authctl users create admin@example.com --name Admin --role admin --verified --generate
  authctl users list --search example.com
  authctl users set-password ada@example.com --generate";

/// What an operator does to users. USER is an email address or an id.
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// List users, a page at a time
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  authctl users list --role admin
  authctl users list --search ada --json | jq -r '.users[].email'"
    )]
    List(ListUsersArgs),
    /// Show a user: roles, ways to sign in, live sessions, failed attempts
    #[command(after_help = "Example:\n  authctl users show ada@example.com")]
    Show(UserArg),
    /// Say why a user cannot sign in, and how to fix it; exit code 0 when nothing is in the way, 1 otherwise
    #[command(after_help = "Examples:
  authctl users explain ada@example.com
  authctl users explain ada@example.com --at 2030-01-01T00:00:00Z --json | jq -r '.reasons[].code'")]
    Explain(ExplainArgs),
    /// Say whether a user exists; exit code 0 when yes, 3 when no
    #[command(after_help = "Example:\n  authctl users exists ada@example.com || echo missing")]
    Exists(UserArg),
    /// Create a user
    #[command(
        visible_alias = "add",
        after_help = "Examples:
  authctl users create ada@example.com --name Ada --generate
  authctl users create admin@example.com --name Admin --role admin --verified --password-file pw --if-missing
  authctl users create admin@example.com --name Admin --role admin --verified --no-password --ensure
  authctl users create deploy-bot --machine"
    )]
    Create(CreateUserArgs),
    /// Bring users to what a list says, and say first what changes
    ///
    /// FILE is a CSV table with a header, a JSON object a line, or a JSON array: address, name, role, verified and
    /// banned. A value that a row leaves out stays as it is. A user who does not exist is created without a
    /// password; without a name, the part of the address before the @ is the name. Users who are not in the list
    /// stay as they are. Every row is checked before the first change, and applying the list again changes nothing.
    #[command(after_help = "Examples:
  authctl users apply users.csv --dry-run
  authctl users apply users.jsonl --yes
  generate-users | authctl users apply - --yes")]
    Apply(ApplyArgs),
    /// Change a user's name, picture or address
    #[command(after_help = "Example:\n  authctl users update ada@example.com --email ada@example.org")]
    Update(UpdateUserArgs),
    /// Delete a user, with accounts, sessions and all rows of plugins that name the user
    #[command(
        visible_alias = "rm",
        after_help = "Examples:
  authctl users delete ada@example.com --dry-run
  authctl users delete ada@example.com --new-owner bob@example.com --yes"
    )]
    Delete(DeleteUserArgs),
    /// Set a user's password; all sessions of the user end
    #[command(after_help = "Examples:
  authctl users set-password ada@example.com --generate
  authctl users set-password ada@example.com --password-file pw --keep-sessions")]
    SetPassword(SetPasswordArgs),
    /// Make a code with which a user can set a new password; hand it over in person
    #[command(after_help = "Example:\n  authctl users reset-code ada@example.com --ttl 30m")]
    ResetCode(ResetCodeArgs),
    /// Set a user's roles; losing one ends the sessions
    #[command(
        override_usage = "authctl users set-role [OPTIONS] <USER>... <ROLE>",
        after_help = "Examples:
  authctl users set-role ada@example.com admin
  authctl users set-role ada@example.com bob@example.com editor,user"
    )]
    SetRole(SetRoleArgs),
    /// Say that a user's address is verified
    #[command(after_help = "Example:\n  authctl users verify-email ada@example.com")]
    VerifyEmail(VerifyEmailArgs),
    /// Refuse a user's sign-in and end all sessions; the user sees the --reason
    #[command(
        after_help = "Examples:\n  authctl users ban ada@example.com --for 7d --reason spam\n  authctl users ban ada@example.com bob@example.com\n  cat addresses | authctl users ban --stdin"
    )]
    Ban(BanArgs),
    /// Lift a ban
    #[command(after_help = "Example:\n  authctl users unban ada@example.com")]
    Unban(UsersArg),
    /// Forget a user's failed attempts to sign in, and lift the lock of the second factor
    #[command(after_help = "Example:\n  authctl users unlock ada@example.com")]
    Unlock(UsersArg),
    /// End all access to a user's account: sessions, tokens, keys, codes, trusted devices
    ///
    /// For a compromised account. Everything that the database holds ends in one step: sessions of the user
    /// and those in which the user acts as others, OAuth tokens, API keys, device codes, trusted devices,
    /// unfinished sign-ins, codes and links. The password and the accounts stay: the user can sign in again
    /// unless --ban is given.
    #[command(after_help = "Examples:
  authctl users lockdown ada@example.com --dry-run
  authctl users lockdown ada@example.com --ban --reason stolen --yes
  authctl users lockdown ada@example.com --reset-code --yes")]
    Lockdown(LockdownArgs),
    /// Remove the second factor of a user who lost it; all sessions of the user end
    ///
    /// Removes the factor, the flag that makes the app ask for it, the devices that need no factor and the
    /// sign-ins that wait for one, in one step. Then the password alone signs in, and the user can set up
    /// another factor. Make sure first that the person who asks is the user.
    #[command(
        name = "reset-2fa",
        after_help = "Examples:
  authctl users reset-2fa ada@example.com --dry-run
  authctl users reset-2fa ada@example.com --reason ticket-7 --yes"
    )]
    ResetSecondFactor(ResetSecondFactorArgs),
    /// Act as a user for a while, in a session that says so and does nothing that cannot be undone
    #[command(after_help = "Examples:
  authctl users impersonate ada@example.com --for 30m --reason ticket-7
  authctl users impersonate --stop
  AUTHCTL_TOKEN=$(authctl users impersonate ada@example.com --print-token)")]
    Impersonate(ImpersonateArgs),
}

#[derive(Debug, Args)]
pub struct UserArg {
    /// Email address or id, or at least 6 first characters of the id
    pub user: String,
}

pub(super) fn run(command: &UsersCommand, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        UsersCommand::List(args) => list::run(args, context).attempt("could not list users"),
        UsersCommand::Show(args) => show::run(&args.user, context).attempt("could not show the user"),
        UsersCommand::Explain(args) => explain::run(args, context).attempt("could not explain"),
        UsersCommand::Exists(args) => exists(&args.user, context),
        UsersCommand::Create(args) => create::run(args, context).attempt("could not create the user"),
        UsersCommand::Apply(args) => apply::run(args, context).attempt("could not apply the list"),
        UsersCommand::Update(args) => update::update(args, context).attempt("could not update the user"),
        UsersCommand::Delete(args) => delete::run(args, context).attempt("could not delete the user"),
        UsersCommand::SetPassword(args) => password::set_password(args, context).attempt("could not set the password"),
        UsersCommand::ResetCode(args) => password::reset_code(args, context).attempt("could not make a code"),
        UsersCommand::SetRole(args) => {
            let users = args.targets.users()?;
            each_user(command, &users, context).attempt("could not set the role")
        }
        UsersCommand::VerifyEmail(args) => {
            each_user(command, &args.targets, context).attempt("could not verify the address")
        }
        UsersCommand::Ban(args) => each_user(command, &args.targets, context).attempt("could not ban the user"),
        UsersCommand::Unban(targets) => each_user(command, targets, context).attempt("could not lift the ban"),
        UsersCommand::Unlock(targets) => each_user(command, targets, context).attempt("could not unlock the user"),
        UsersCommand::Lockdown(args) => lockdown::run(args, context).attempt("could not lock the account down"),
        UsersCommand::ResetSecondFactor(args) => {
            second_factor::run(args, context).attempt("could not reset the second factor")
        }
        UsersCommand::Impersonate(args) if args.stop => {
            super::signout::stop(context).attempt("could not stop acting as another user")
        }
        UsersCommand::Impersonate(args) => impersonate::run(args, context).attempt("could not act as the user"),
    }
}

fn exists(named: &str, context: &mut Context) -> anyhow::Result<Outcome> {
    context.auth()?.find_user(named)?;
    Ok(Exists.into())
}

/// Finds a user and changes it.
fn change(
    named: &str,
    act: UserAct,
    context: &mut Context,
    apply: impl FnOnce(&mut Auth<'_>, &User) -> Result<UserUpdated, AuthError>,
) -> anyhow::Result<UserChanged> {
    let changed = changed(named, act, context, apply)?;
    changed.reach.note(context);
    Ok(changed)
}

/// Runs a command for the one user of a command line, or for each of several.
fn each_user(command: &UsersCommand, targets: &UsersArg, context: &mut Context) -> anyhow::Result<Outcome> {
    match targets.only() {
        Some(named) => Ok(Outcome::Report(run_for(command, named, context)?)),
        None => targets::each(targets.all()?, context, None),
    }
}

/// Runs a command for one of its users.
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the methods are of one lifetime, and `change` takes any"
)]
pub(super) fn run_for(command: &UsersCommand, named: &str, context: &mut Context) -> anyhow::Result<Box<dyn Report>> {
    Ok(match command {
        UsersCommand::Delete(args) => delete::delete(named, args, context)?,
        UsersCommand::Lockdown(args) => Box::new(lockdown::lock_down(named, args, context)?),
        UsersCommand::ResetSecondFactor(args) => Box::new(second_factor::reset(named, args, context)?),
        UsersCommand::SetRole(args) => Box::new(update::set_role(named, args, context)?),
        UsersCommand::Ban(args) => Box::new(update::ban(named, args, context)?),
        UsersCommand::VerifyEmail(args) => Box::new(update::verify_email(named, args, context)?),
        UsersCommand::Unban(_) => Box::new(change(named, UserAct::Unbanned, context, |auth, user| auth.unban(user))?),
        UsersCommand::Unlock(_) => Box::new(change(named, UserAct::Unlocked, context, |auth, user| auth.unlock(user))?),
        _ => return Err(super::one_target().into()),
    })
}

/// As [`change`], without notices.
fn changed(
    named: &str,
    act: UserAct,
    context: &mut Context,
    apply: impl FnOnce(&mut Auth<'_>, &User) -> Result<UserUpdated, AuthError>,
) -> anyhow::Result<UserChanged> {
    let database = context.database()?.location;
    let mut auth = context.auth()?;
    let user = auth.user_to_change(named)?;
    let UserUpdated { user, ended, ends_in, changed } = apply(&mut auth, &user)?;
    let reach = Reach::to_end(&ends_in, context);
    Ok(UserChanged { changed, sessions_ended: ended.len(), reach, ..UserChanged::new(act, user, database) })
}

pub(super) fn admin_guard(forced: bool) -> AdminGuard {
    if forced { AdminGuard::Off } else { AdminGuard::KeepLastAdmin }
}

#[derive(Debug)]
struct Exists;

impl Report for Exists {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        Page::note("the user exists".to_owned())
    }

    fn json(&self) -> Value {
        json!({ "exists": true })
    }
}

/// What an operator did to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UserAct {
    Created,
    /// Existed already (`--if-missing`).
    Existed,
    Updated,
    PasswordSet,
    RoleSet,
    Verified,
    Unverified,
    Banned,
    Unbanned,
    Unlocked,
}

/// A change of one user.
#[derive(Debug)]
pub(super) struct UserChanged {
    act: UserAct,
    /// The user as changed.
    user: User,
    /// Whether the command changed anything.
    changed: bool,
    sessions_ended: usize,
    /// What `--ensure` changed; `None` for other acts.
    changes: Option<Vec<Change>>,
    /// A generated password, for the answer.
    password: Option<Password>,
    /// How far an act reached that ends something.
    reach: Reach,
    database: DatabaseLocation,
}

impl UserAct {
    fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Existed => "existed",
            Self::Updated => "updated",
            Self::PasswordSet => "passwordSet",
            Self::RoleSet => "roleSet",
            Self::Verified => "verified",
            Self::Unverified => "unverified",
            Self::Banned => "banned",
            Self::Unbanned => "unbanned",
            Self::Unlocked => "unlocked",
        }
    }

    /// Why there was nothing to change.
    fn nothing_to_do(self, user: &User, now: Timestamp, style: Style) -> String {
        let who = who(user);
        match self {
            Self::Updated => format!("{who} already has these values"),
            Self::RoleSet => format!("{who} is already {}", escape(user.roles())),
            Self::Verified => format!("the address of {who} is already verified"),
            Self::Unverified => format!("the address of {who} was not verified"),
            Self::Banned => format!("{who} is already banned {}", banned(user, now, style)),
            Self::Unbanned => format!("{who} is not banned"),
            Self::Unlocked => format!("{who} has no failed attempts"),
            Self::Created | Self::Existed | Self::PasswordSet => format!("{who} exists"),
        }
    }
}

impl UserChanged {
    /// A change that ended no session and made no password.
    fn new(act: UserAct, user: User, database: DatabaseLocation) -> Self {
        Self {
            act,
            user,
            changed: act != UserAct::Existed,
            sessions_ended: 0,
            changes: None,
            password: None,
            reach: Reach::default(),
            database,
        }
    }

    /// Sets how many sessions ended.
    #[must_use]
    fn ended(self, sessions: usize) -> Self {
        Self { sessions_ended: sessions, ..self }
    }

    /// Sets how far the act reached.
    #[must_use]
    fn reach(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    /// Says what the act did not reach, and which access to the account it leaves open.
    #[must_use]
    fn leaving(self, is_left: impl Fn(AccessKind) -> bool, context: &mut Context) -> Self {
        let reach = self.reach.leaving(&self.user, is_left, context);
        reach.note(context);
        Self { reach, ..self }
    }

    /// Sets a generated password, for the answer.
    #[must_use]
    fn password(self, password: Option<Password>) -> Self {
        Self { password, ..self }
    }
}

impl Report for UserChanged {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        let Self { user, sessions_ended, password, database, .. } = self;
        let who = who(user);
        let ended = if *sessions_ended == 0 {
            String::new()
        } else {
            format!(" and ended {}", counted(*sessions_ended as u64, "session"))
        };
        let place = escaped(database);
        let line = match self.act {
            act if !self.changed => {
                let rest = if *sessions_ended == 0 { "; nothing was changed" } else { ended.as_str() };
                format!("{} in {place}{rest}", act.nothing_to_do(user, now, style))
            }
            UserAct::Created => format!("created {who} in {place}"),
            UserAct::Existed => format!("{who} exists in {place}"),
            UserAct::Updated => match self.changes.as_deref() {
                Some(changes) if !changes.is_empty() => {
                    format!("updated {who}{ended} in {place}: {}", in_words(changes))
                }
                _ => format!("updated {who} in {place}"),
            },
            UserAct::PasswordSet => format!("set and checked the password of {who}{ended} in {place}"),
            UserAct::RoleSet => {
                format!("{who} is {}{ended} in {place}", escape(user.roles()))
            }
            UserAct::Verified => format!("the address of {who} is verified in {place}"),
            UserAct::Unverified => format!("the address of {who} is not verified in {place}"),
            UserAct::Banned => format!("banned {who} {}{ended} in {place}", banned(user, now, style)),
            UserAct::Unbanned => format!("lifted the ban of {who} in {place}"),
            UserAct::Unlocked => format!("forgot the failed attempts of {who} in {place}"),
        };
        let answer = password.as_ref().map(|password| format!("{}\n", password.expose())).unwrap_or_default();
        Page { answer, ..Page::done_if(self.changed, line) }
    }

    fn json(&self) -> Value {
        let mut document = json!({
            "act": self.act.word(),
            "user": UserView::from(&self.user),
            "changed": self.changed,
            "sessionsEnded": self.reach.count("session", self.sessions_ended as u64),
            "database": self.database.to_string(),
        });
        if let Some(changes) = &self.changes {
            document["changes"] = as_json(changes);
        }
        if let (Some(password), Some(fields)) = (&self.password, document.as_object_mut()) {
            fields.insert("password".into(), password.expose().into());
        }
        self.reach.add_to(&mut document);
        document
    }

    /// A generated password exists only in the answer.
    fn lost_answer_hint(&self) -> Option<String> {
        self.password.as_ref()?;
        let email = escape(&self.user.email);
        Some(format!("the password is lost: set another with `authctl users set-password {email} --generate`"))
    }
}
