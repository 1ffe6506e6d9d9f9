//! `sessions`: lists and ends the caller's sessions or, for an operator, those of users; deletes expired ones;
//! issues a session without a sign-in, as a token or as a cookie of the app.

use std::borrow::Cow;

use clap::{ArgGroup, Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Attempt as _;
use super::session_start::{Printed, begin, forget_session, is_not_signed_in, printed, refuse_lost, session_request};
use super::users::lockdown::access_json;
use super::users::notice_open;
use crate::auth::access::{AccessCounts, AccessKind};
use crate::auth::audit::counted;
use crate::auth::cookie::{Cookie, CookieName};
use crate::auth::odd;
use crate::auth::secret::{AppSecret, SecretError, Token};
use crate::auth::session::{Network, Pattern, Session, SessionFilter};
use crate::auth::storage::Which;
use crate::auth::user::User;
use crate::auth::{ActAs, AuthError, Lifetime, Scope};
use crate::cli::values;
use crate::context::{Context, GivenSecret, NoToken};
use crate::error::CommandError;
use crate::output::json::{SessionView, UserView};
use crate::output::text::{cell, escape, escaped, relative, table, who};
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

/// The users whose sessions an operator lists or ends, without a sign-in.
#[derive(Debug, Default, Args)]
pub struct WhoseArgs {
    /// Sessions of this user, by email address or id
    #[arg(long, conflicts_with = "all_users")]
    pub user: Option<String>,
    /// Sessions of all users
    #[arg(long)]
    pub all_users: bool,
}

#[derive(Debug, Default, Args)]
pub struct ListSessionsArgs {
    #[command(flatten)]
    pub whose: WhoseArgs,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).multiple(true)
    .args(["ids", "others", "all", "user", "older_than", "idle", "ip", "user_agent"])))]
#[command(group(ArgGroup::new("own").args(["others", "all"])))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct RevokeArgs {
    /// Sessions to end, by the id that `sessions list` shows; all of them or none
    #[arg(value_name = "ID", conflicts_with = "own")]
    pub ids: Vec<String>,
    /// End every session of yours but the current one
    #[arg(long, conflicts_with_all = ["user", "all_users"])]
    pub others: bool,
    /// End every session of yours and sign out; with --all-users, every session of every user
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub whose: WhoseArgs,
    /// Only sessions signed in at least this long ago, such as 30d
    #[arg(long, value_name = "DURATION", value_parser = values::age)]
    pub older_than: Option<SignedDuration>,
    /// Only sessions not moved forward for at least this long, such as 7d
    #[arg(long, value_name = "DURATION", value_parser = values::age)]
    pub idle: Option<SignedDuration>,
    /// Only sessions from this address or network, such as 10.0.0.0/8
    #[arg(long, value_name = "CIDR")]
    pub ip: Option<Network>,
    /// Only sessions from programs that match, such as 'curl*'
    #[arg(long, value_name = "GLOB")]
    pub user_agent: Option<String>,
    /// Not the current session
    #[arg(long)]
    pub except_current: bool,
    /// Say what would end, and end nothing
    #[arg(long)]
    pub dry_run: bool,
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

/// The number of sessions per transaction, so that other writers wait for a tenth of a second at most.
const BATCH: usize = 1_000;

pub(super) fn run(command: Option<&SessionsCommand>, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        None => list(&WhoseArgs::default(), context).attempt("could not list sessions"),
        Some(SessionsCommand::List(args)) => list(&args.whose, context).attempt("could not list sessions"),
        Some(SessionsCommand::Revoke(args)) => revoke(args, context).attempt("could not end sessions"),
        Some(SessionsCommand::Prune(args)) => prune(args, context).attempt("could not delete expired sessions"),
        Some(SessionsCommand::Issue(args)) => issue(args, context).attempt("could not issue a session"),
    }
}

fn list(whose: &WhoseArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    if let Some(scope) = scope(whose, context)? {
        let sessions = context.auth()?.sessions_in(&scope, &SessionFilter::default())?;
        note_odd(&sessions, context);
        return Ok(SessionList { sessions, current: None }.into());
    }
    let me = context.authenticate()?;
    let sessions = context.auth()?.live_sessions(&me.user.id)?;
    let sessions: Vec<_> = sessions.into_iter().map(|session| (me.user.email.clone(), session)).collect();
    note_odd(&sessions, context);
    Ok(SessionList { sessions, current: Some(me.session.id) }.into())
}

fn note_odd(sessions: &[(String, Session)], context: &mut Context) {
    context.notices.extend(odd::note(sessions.iter().map(|(_, session)| &session.odd)));
}

/// The sessions that an operator names; `None` for the caller's own.
fn scope(whose: &WhoseArgs, context: &mut Context) -> anyhow::Result<Option<Scope<'static>>> {
    match &whose.user {
        Some(named) => Ok(Some(Scope::User(context.auth()?.find_user(named)?.id))),
        None => Ok(whose.all_users.then_some(Scope::AllUsers)),
    }
}

fn revoke(args: &RevokeArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let scope = scope(&args.whose, context)?;
    let is_filtered =
        args.older_than.is_some() || args.idle.is_some() || args.ip.is_some() || args.user_agent.is_some();
    if scope.is_none() && !is_filtered && !args.except_current {
        return revoke_own(args, context);
    }
    // Without a name, the sessions of the signed-in user.
    let me;
    let scope = if let Some(scope) = scope {
        scope
    } else {
        me = context.authenticate()?;
        Scope::Own(me.in_person()?)
    };
    let current = current_session(args.except_current, context)?;
    let filter = SessionFilter {
        ids: args.ids.clone(),
        older_than: args.older_than,
        idle: args.idle,
        network: args.ip,
        user_agent: args.user_agent.as_deref().map(Pattern::new),
        except: current.clone().filter(|_| args.except_current || args.others),
    };
    let chosen = context.auth()?.sessions_in(&scope, &filter)?;
    if let Some(missing) = args.ids.iter().find(|id| !chosen.iter().any(|(_, session)| session.id == **id)) {
        return Err(AuthError::NoSuchSession(missing.clone()).into());
    }
    let mut sessions: Vec<Session> = chosen.into_iter().map(|(_, session)| session).collect();
    if args.dry_run {
        return Ok(Ended { sessions, dry_run: true, signed_out: false, still_open: None }.into());
    }
    let mut ended = Vec::new();
    if sessions.len() > BATCH {
        // The caller's own session is last, because later batches need it.
        sessions.sort_by_key(|session| current.as_ref() == Some(&session.id));
    }
    for batch in sessions.chunks(BATCH) {
        ended.extend(context.auth()?.end_chosen(&scope, batch)?);
        context.did(done(ended.len(), "ended"), "run the command again for those that are left");
    }
    let sessions = ended;
    let signed_out = current.is_some_and(|id| sessions.iter().any(|session| session.id == id));
    if signed_out {
        let (token, _) = context.token()?;
        forget(&token, sessions.len(), context)?;
    }
    let named = args.whose.user.as_ref().and_then(|named| context.auth().ok()?.find_user(named).ok());
    let still_open = named.and_then(|user| notice_open(&user, |kind| kind != AccessKind::Session, context));
    Ok(Ended { sessions, dry_run: false, signed_out, still_open }.into())
}

/// The id of the session that the stored token belongs to, if there is one.
///
/// A stored token that cannot be read counts as none, unless the session `must_be_known` to be excepted.
fn current_session(must_be_known: bool, context: &mut Context) -> anyhow::Result<Option<String>> {
    let token = match context.token() {
        Ok((token, _)) => token,
        Err(error) if must_be_known && !matches!(error.downcast_ref(), Some(NoToken::None(_))) => return Err(error),
        Err(_) => return Ok(None),
    };
    match context.require_admitted(&token) {
        Err(error) if must_be_known || !is_not_signed_in(&error) => return Err(error),
        Err(_) => return Ok(None),
        Ok(()) => {}
    }
    Ok(context.auth()?.store.session(&token)?.map(|(session, _)| session.id))
}

fn revoke_own(args: &RevokeArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let (token, _) = context.token()?;
    let me = context.authenticate()?;
    let me = me.in_person()?;
    let which = if args.all {
        Which::All
    } else if args.others {
        Which::Others(me.session.id.clone())
    } else {
        Which::Ids(args.ids.clone())
    };
    if args.dry_run {
        let sessions = context.auth()?.choose_sessions(me, &which)?;
        return Ok(Ended { sessions, dry_run: true, signed_out: false, still_open: None }.into());
    }
    context.end_abandoned_sessions()?;
    let sessions = context.auth()?.end_sessions(me, &which)?;
    let signed_out = sessions.iter().any(|session| session.id == me.session.id);
    if signed_out {
        forget(&token, sessions.len(), context)?;
    }
    Ok(Ended { sessions, dry_run: false, signed_out, still_open: None }.into())
}

/// Removes the session file, after the current session ended with others.
fn forget(token: &Token, ended: usize, context: &mut Context) -> anyhow::Result<()> {
    context.did(done(ended, "ended"), "remove the file: the session in it has ended");
    let (_, own) = forget_session(Some(token), context)?;
    context.notices.extend(own.map(|own| own.message()));
    Ok(())
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
        return Ok(Pruned { count, dry_run: true, database }.into());
    }
    let mut count = 0;
    loop {
        let pruned = context.auth()?.store.prune(now, BATCH)?;
        count += pruned;
        if count > 0 {
            let what = done(usize::try_from(count).unwrap_or(usize::MAX), "deleted");
            context.did(what, "run the command again for those that are left");
        }
        if pruned < BATCH as u64 {
            return Ok(Pruned { count, dry_run: false, database }.into());
        }
    }
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
    let user = context.auth()?.find_user(&args.user)?;
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

/// Live sessions, newest first.
#[derive(Debug)]
struct SessionList {
    /// Each with the address of its user.
    sessions: Vec<(String, Session)>,
    /// The id of the caller's session, when the list has only sessions of the caller.
    current: Option<String>,
}

impl Report for SessionList {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        let header = if self.current.is_some() { "" } else { "USER" };
        let rows = self.sessions.iter().map(|(email, session)| match &self.current {
            Some(current) => (if session.id == *current { "*" } else { "" }.to_owned(), session),
            None => (cell(email), session),
        });
        Page::answer(listed(header, rows, now, style))
    }

    fn json(&self) -> Value {
        let view = |(_, session): &(_, Session)| {
            let view = SessionView::from(session);
            json!(match &self.current {
                Some(current) => view.among(current),
                None => view,
            })
        };
        json!({ "sessions": self.sessions.iter().map(view).collect::<Vec<_>>() })
    }
}

/// Sessions that ended, or would have ended.
#[derive(Debug)]
struct Ended {
    sessions: Vec<Session>,
    dry_run: bool,
    /// The caller's session ended too, and its file is removed.
    signed_out: bool,
    /// The access to the account of a named user that is left.
    still_open: Option<AccessCounts>,
}

impl Report for Ended {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        let count = counted(self.sessions.len() as u64, "session");
        let mut page = Page::default();
        if self.dry_run {
            page.notes.push(format!("would end {count}"));
            if !self.sessions.is_empty() {
                let rows = self.sessions.iter().map(|session| (String::new(), session));
                page.answer = listed("", rows, now, style);
            }
        } else {
            page.done.push(format!("ended {count}"));
        }
        if self.signed_out {
            page.done.push("this session was among them: signed out".to_owned());
        }
        page
    }

    fn json(&self) -> Value {
        let mut document = json!({
            "ended": self.sessions.len(),
            "sessions": self.sessions.iter().map(SessionView::from).collect::<Vec<_>>(),
            "dryRun": self.dry_run,
            "signedOut": self.signed_out,
        });
        if let (Some(open), Some(fields)) = (&self.still_open, document.as_object_mut()) {
            fields.insert("stillOpen".into(), access_json(open));
        }
        document
    }
}

/// Rows of expired sessions that were deleted, or would have been.
#[derive(Debug)]
struct Pruned {
    count: u64,
    dry_run: bool,
    database: DatabaseLocation,
}

impl Report for Pruned {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        let verb = if self.dry_run { "would delete" } else { "deleted" };
        let line = format!("{verb} {} in {}", counted(self.count, "expired session"), escaped(&self.database));
        Page::done_if(!self.dry_run, line)
    }

    fn json(&self) -> Value {
        json!({ "pruned": self.count, "dryRun": self.dry_run, "database": self.database.to_string() })
    }
}

/// A table of sessions, with a first column from the caller.
fn listed<'a>(
    first: &str,
    sessions: impl Iterator<Item = (String, &'a Session)>,
    now: Timestamp,
    style: Style,
) -> String {
    let row = |(first, session): (String, &Session)| {
        vec![
            first,
            escape(&session.id).into_owned(),
            style.when(session.created_at, now),
            style.when(session.expires_at, now),
            escape(session.ip_address.as_deref().unwrap_or("-")).into_owned(),
            escape(&from(session)).into_owned(),
        ]
    };
    let header = [first, "ID", "SIGNED IN", "EXPIRES", "ADDRESS", "FROM"];
    table(&header, sessions.map(row).collect(), 1, style)
}

/// The program that began a session, and the impersonator.
fn from(session: &Session) -> Cow<'_, str> {
    let program = session.user_agent.as_deref().unwrap_or("-");
    match &session.impersonated_by {
        Some(by) => format!("impersonated by {by}; {program}").into(),
        None => program.into(),
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
        let (place, end) = (escaped(&self.database), relative(self.session.expires_at, now));
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
