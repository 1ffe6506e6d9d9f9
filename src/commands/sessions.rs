//! `sessions`: lists and ends the caller's sessions or, for an operator, those of users; deletes expired ones;
//! issues a session without a sign-in, as a token or as a cookie of the app.

pub(super) mod list;
pub(super) mod revoke;

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use list::ListSessionsArgs;
use revoke::RevokeArgs;
use serde_json::{Value, json};

use super::list_flags::ListFlags;
use super::reach::Reach;
use super::session_start::{Printed, begin, printed, refuse_lost, session_request};
use super::{Attempt as _, confirm_if_asked, progress};
use crate::auth::audit::counted;
use crate::auth::cookie::{Cookie, CookieName};
use crate::auth::prune::{Expiring, Pruning};
use crate::auth::secret::{AppSecret, SecretError, Token};
use crate::auth::session::Session;
use crate::auth::user::User;
use crate::auth::{ActAs, Lifetime, Scope};
use crate::cli::values;
use crate::context::{Context, GivenSecret};
use crate::error::CommandError;
use crate::interrupt::Interrupts;
use crate::output::json::{SessionView, UserView};
use crate::output::text::{counted_grouped, escaped, grouped, who};
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;

pub(crate) const EXAMPLES: &str = "Examples:
  authctl sessions
  authctl sessions revoke --others
  authctl sessions revoke --user ada@example.com
  authctl sessions prune --dry-run
  authctl sessions issue --user ada@example.com --for 10m";

#[derive(Debug, Subcommand)]
pub enum SessionsCommand {
    /// List live sessions: yours, with the current one marked, or those of others
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  authctl sessions list --json | jq -r '.sessions[].id'
  authctl sessions list --user ada@example.com"
    )]
    List(ListSessionsArgs),
    /// End sessions: yours, or those of others
    #[command(after_help = "Examples:
  authctl sessions revoke 0RGbFb8XxpYd1y7hLxPZ2lZbKhjm1oQq
  authctl sessions revoke --others --dry-run
  authctl sessions revoke --user ada@example.com
  authctl sessions revoke --all-users --idle 30d --dry-run")]
    Revoke(RevokeArgs),
    /// Delete the rows of expired sessions, of all users
    #[command(after_help = "Example:\n  authctl sessions prune")]
    Prune(PruneArgs),
    /// Make a session for a user without a sign-in, and print its token
    ///
    /// For support and for tests from end to end. The session is like any other of the user's; only the
    /// audit log says that it was issued. `users impersonate` makes one that says who is in it. Use may
    /// move its end forward: a Better Auth app does that at the first use of any session that was to end
    /// within six days.
    #[command(after_help = "Examples:
  AUTHCTL_TOKEN=$(authctl sessions issue --user ada@example.com --for 10m)
  curl -H \"cookie: $(authctl --db app.db sessions issue --user ada@example.com --cookie)\" $APP")]
    Issue(IssueArgs),
}

/// The users whose sessions or tokens an operator lists or ends, without a sign-in.
#[derive(Debug, Clone, Default, Args)]
pub struct WhoseArgs {
    /// Those of this user, by email address or id
    #[arg(long, conflicts_with = "all_users")]
    pub user: Option<String>,
    /// Those of all users
    #[arg(long)]
    pub all_users: bool,
}

#[derive(Debug, Args)]
pub struct PruneArgs {
    /// Say how many would be deleted, and delete nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct IssueArgs {
    /// Whose, by email address or id
    #[arg(long)]
    pub user: String,
    /// How long, from 1m to 400d [default: as after a sign-in]
    #[arg(long = "for", value_name = "DURATION", value_parser = values::life)]
    pub duration: Option<SignedDuration>,
    /// Print the cookie of a Better Auth app, signed with the secret in BETTER_AUTH_SECRET
    #[arg(long)]
    pub cookie: bool,
    /// Name the cookie as an app does that is reached by https, with __Secure- before it
    #[arg(long, requires = "cookie")]
    pub secure: bool,
    /// Even for an administrator
    #[arg(long)]
    pub force: bool,
}

/// The number of sessions that are read and ended at a time, so that other writers wait for a tenth of a second at most.
const BATCH: usize = 1_000;

/// `flags` are those of the list, without a command.
pub(super) fn run(
    command: Option<&SessionsCommand>,
    flags: &ListFlags,
    context: &mut Context,
) -> anyhow::Result<Outcome> {
    match command {
        None => {
            let args = ListSessionsArgs { list: flags.clone(), ..ListSessionsArgs::default() };
            list::run(&args, context).attempt("could not list sessions")
        }
        Some(SessionsCommand::List(args)) => list::run(args, context).attempt("could not list sessions"),
        Some(SessionsCommand::Revoke(args)) => revoke::run(args, context).attempt("could not end sessions"),
        Some(SessionsCommand::Prune(args)) => prune(args, context).attempt("could not delete expired sessions"),
        Some(SessionsCommand::Issue(args)) => issue(args, context).attempt("could not issue a session"),
    }
}

/// The users whom an operator names; `None` for the caller.
pub(super) fn scope(whose: &WhoseArgs, context: &mut Context) -> anyhow::Result<Option<Scope>> {
    match &whose.user {
        Some(named) => Ok(Some(Scope::User(context.auth()?.user_to_change(named)?.id))),
        None => Ok(whose.all_users.then_some(Scope::AllUsers)),
    }
}

fn done(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 session was {what}"),
        _ => format!("{count} sessions were {what}"),
    }
}

fn prune(args: &PruneArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let now = context.now()?;
    let database = context.database()?.location;
    if args.dry_run {
        let count = context.auth()?.store.count_expired(now)?;
        return Ok(Pruned::new(count, true, database, context).into());
    }
    let expired = |context: &mut Context| -> anyhow::Result<u64> { Ok(context.auth()?.store.count_expired(now)?) };
    confirm_if_asked("Delete them?", context, |context| {
        let rows = expired(context)?;
        let effect = format!("This deletes {} from {}.", counted_grouped(rows, "expired session"), escaped(&database));
        Ok((rows > 0).then_some(effect))
    })?;
    let line = progress("deleting sessions", context, expired)?;
    let interrupts = Interrupts::watch();
    let mut count = 0;
    let mut pruning = Pruning::default();
    while !pruning.is_over {
        if interrupts.came().is_some() {
            line.hide();
            let left = expired(context)?;
            interrupts.check(|| format!("{} deleted, {} not", grouped(count), grouped(left)))?;
        }
        let part = context.auth()?.prune_expired(Expiring::Session, &mut pruning)?;
        line.advance(part);
        count += part;
        if count > 0 {
            let what = done(usize::try_from(count).unwrap_or(usize::MAX), "deleted");
            context.did(what, "run the command again for those that are left");
        }
    }
    pruning.require_none_kept()?;
    Ok(Pruned::new(count, false, database, context).into())
}

fn issue(args: &IssueArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    refuse_lost(Printed::Token, context)?;
    let database = context.database()?.location;
    let lifetime = args.duration.map_or(Lifetime::Remembered, Lifetime::Exactly);
    let session_request = session_request(lifetime, context)?;
    // Signed first, so that a session whose cookie cannot be printed does not begin.
    let cookie = if args.cookie {
        let secret = secret(context)?;
        let name = if args.secure { CookieName::Secure } else { CookieName::Plain };
        Some(Cookie::sign(&session_request.token, &secret, name).map_err(|problem| unusable("the secret", problem))?)
    } else {
        None
    };
    let user = context.auth()?.user_to_change(&args.user)?;
    // As for an impersonation: the token of an administrator gives all rights.
    let whom = if args.force { ActAs::AnyUser } else { ActAs::NonAdmins };
    let (user, session, _) = begin(&session_request, &user.email, true, context, |mut auth| {
        auth.issue_session(&user, &session_request, whom)
    })?;
    Ok(Issued { user, session, token: session_request.token, cookie, database }.into())
}

/// The secret of the app.
fn secret(context: &mut Context) -> anyhow::Result<AppSecret> {
    if context.auth()?.store.guest().is_none() {
        let message = "only a Better Auth app has cookies, and this database is authctl's own".to_owned();
        return Err(CommandError::Usage { message, hint: "leave --cookie out to get the token" }.into());
    }
    let Some(GivenSecret { variable, secret }) = context.app_secret() else {
        let message = "a cookie is signed with the app's secret, and BETTER_AUTH_SECRET is not set".to_owned();
        let hint = "set BETTER_AUTH_SECRET to the secret of the app, or leave --cookie out to get the token";
        return Err(CommandError::Usage { message, hint }.into());
    };
    Ok(secret.map_err(|problem| unusable(variable, problem))?)
}

fn unusable(holder: &str, problem: SecretError) -> CommandError {
    CommandError::Usage {
        message: format!("{holder} cannot be used: {problem}"),
        hint: "give the secret that the app has; it is not repeated here",
    }
}

/// Rows of expired sessions that were deleted, or would have been.
#[derive(Debug)]
struct Pruned {
    count: u64,
    reach: Reach,
    dry_run: bool,
    database: DatabaseLocation,
}

impl Pruned {
    fn new(count: u64, dry_run: bool, database: DatabaseLocation, context: &mut Context) -> Self {
        let reach = Reach::to_find(&["session"], context);
        reach.note(context);
        Self { count, reach, dry_run, database }
    }
}

impl Report for Pruned {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        let verb = if self.dry_run { "would delete" } else { "deleted" };
        let line = format!("{verb} {} in {}", counted(self.count, "expired session"), escaped(&self.database));
        Page::done_if(!self.dry_run, line)
    }

    fn json(&self) -> Value {
        json!({ "pruned": self.reach.count("session", self.count), "dryRun": self.dry_run, "database": self.database.to_string() })
    }
}

#[derive(Debug)]
struct Issued {
    user: User,
    session: Session,
    /// The token exists only in this answer.
    token: Token,
    /// The token as a cookie of the app.
    cookie: Option<Cookie>,
    database: DatabaseLocation,
}

impl Report for Issued {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        let (place, end) = (escaped(&self.database), style.ends(self.session.expires_at, now));
        let done = format!("issued a session of {} in {place}; it ends {end}", who(&self.user));
        match &self.cookie {
            None => printed("token", self.token.expose(), done, style),
            Some(cookie) => printed("cookie", cookie.expose(), done, style),
        }
    }

    fn json(&self) -> Value {
        json!({
            "token": self.token.expose(),
            "cookie": self.cookie.as_ref().map(Cookie::expose),
            "session": SessionView::from(&self.session),
            "user": UserView::from(&self.user),
        })
    }

    fn unheld_token(&self) -> Option<&Token> {
        Some(&self.token)
    }
}
