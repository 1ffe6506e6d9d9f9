//! `users lockdown`: ends all access to a user's account.

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::admin_guard;
use crate::auth::LockdownRequest;
use crate::auth::access::{AccessCounts, AccessKind, AccountAccess};
use crate::auth::audit::counted;
use crate::auth::secret::Code;
use crate::auth::storage::Account;
use crate::auth::user::User;
use crate::cli::values;
use crate::commands::confirm;
use crate::commands::reach::Reach;
use crate::commands::session_start::{Printed, refuse_lost};
use crate::commands::targets::{Question, UsersArg, each};
use crate::context::Context;
use crate::error::CommandError;
use crate::output::json::UserView;
use crate::output::table::facts;
use crate::output::text::{escape, escaped, rfc3339, who};
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct LockdownArgs {
    #[command(flatten)]
    pub targets: UsersArg,
    /// Ban the user too, permanently; the user sees the --reason
    #[arg(long)]
    pub ban: bool,
    /// Make a code with which the user sets a new password, and print it
    #[arg(long)]
    pub reset_code: bool,
    /// How long the code counts, up to 24h
    #[arg(long, value_name = "DURATION", default_value = "1h", requires = "reset_code", value_parser = values::ttl)]
    pub ttl: SignedDuration,
    /// Ban even the last administrator
    #[arg(long)]
    pub force_last_admin: bool,
    /// Say what would end, and end nothing
    #[arg(long)]
    pub dry_run: bool,
}

pub(super) fn run(args: &LockdownArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    if args.reset_code && !args.dry_run {
        refuse_lost(Printed::Code, context)?;
    }
    if let Some(named) = args.targets.only() {
        return Ok(lock_down(named, args, context)?.into());
    }
    if args.reset_code {
        let message = "--reset-code prints the code of one user".to_owned();
        return Err(CommandError::Usage { message, hint: "make each code with `authctl users reset-code USER`" }.into());
    }
    let mut effect = |named: &str, context: &mut Context| {
        let user = context.auth()?.user_to_change(named)?;
        let access = context.auth()?.account_access(&user)?;
        effect(&user, &access, args, context)
    };
    let question = Question { effect: &mut effect, question: "Lock these accounts down?" };
    let question = (!args.dry_run).then_some(question);
    each(args.targets.all()?, context, question)
}

/// What the question says.
fn effect(user: &User, access: &AccountAccess, args: &LockdownArgs, context: &Context) -> anyhow::Result<String> {
    Ok(format!(
        "This ends all access to the account of {} in {}{}: {}.",
        who(user),
        escaped(&context.database()?.location),
        if args.ban { " and bans the user" } else { "" },
        listed(&access.counts).unwrap_or_else(|| "nothing now".to_owned()),
    ))
}

/// Locks one account down, or says what that would end.
pub(super) fn lock_down(named: &str, args: &LockdownArgs, context: &mut Context) -> anyhow::Result<Lockdown> {
    let database = context.database()?.location;
    let user = context.auth()?.user_to_change(named)?;
    let access = context.auth()?.account_access(&user)?;
    let reach =
        Reach::to_end(&["session", "verification", "account"], context).beside_jwts(access.signs_jwts).beside_links();
    let reason = context.reason();
    let request =
        LockdownRequest { ban: args.ban.then_some(reason.as_deref()), reset_code: args.reset_code.then_some(args.ttl) };
    let guard = admin_guard(args.force_last_admin);
    if args.dry_run {
        let done = context.auth()?.lock_down(&user, request, guard, true)?;
        let (ended, is_banned) = (done.ended, done.user.is_banned(context.now()?));
        reach.note(context);
        return Ok(Lockdown { user, ended, access, reach, code: None, is_banned, dry_run: true, database });
    }
    confirm(&effect(&user, &access, args, context)?, "Lock the account down?", context)?;
    let done = context.auth()?.lock_down(&user, request, guard, false)?;
    let is_banned = done.user.is_banned(context.now()?);
    let (user, ended, code) = (done.user, done.ended, done.code);
    reach.note(context);
    Ok(Lockdown { user, ended, access, reach, code, is_banned, dry_run: false, database })
}

/// Lists the access that exists; `None` without any.
pub(in crate::commands) fn listed(counts: &AccessCounts) -> Option<String> {
    let listed: Vec<String> = counts.existing().map(|(kind, count)| counted(count, kind.noun())).collect();
    (!listed.is_empty()).then(|| listed.join(", "))
}

/// The numbers of all kinds of access, for programs.
pub(in crate::commands) fn access_json(counts: &AccessCounts) -> Value {
    AccessKind::ALL.iter().map(|kind| (kind.name().to_owned(), counts.of(*kind).into())).collect::<Map<_, _>>().into()
}

/// What ended, or would have ended.
#[derive(Debug)]
pub(super) struct Lockdown {
    user: User,
    ended: AccessCounts,
    /// As it was before.
    access: AccountAccess,
    reach: Reach,
    code: Option<(Code, Timestamp)>,
    is_banned: bool,
    dry_run: bool,
    database: DatabaseLocation,
}

impl Lockdown {
    /// What is said where no access was found.
    fn nothing(&self) -> &'static str {
        if self.ended.is_complete() { "there was nothing to end" } else { "this database had nothing to end" }
    }

    /// With what the user can sign in again.
    fn sign_ins(&self) -> Vec<String> {
        let provider = |provider: &String| match provider.as_str() {
            Account::CREDENTIAL => "a password".to_owned(),
            other => other.to_owned(),
        };
        let passkeys = (self.access.passkeys > 0).then(|| counted(self.access.passkeys, "passkey"));
        self.access.providers.iter().map(provider).chain(passkeys).collect()
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let sign_ins = self.sign_ins();
        if !self.is_banned && !sign_ins.is_empty() {
            notes.push(format!(
                "the user can sign in again with {}; `--ban` refuses every sign-in",
                escape(&sign_ins.join(", "))
            ));
        }
        notes
    }
}

impl Report for Lockdown {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        let (who, place) = (who(&self.user), escaped(&self.database));
        let mut page = Page::default();
        if self.dry_run {
            let rows: Vec<_> = self.ended.existing().map(|(kind, count)| (kind.noun(), count.to_string())).collect();
            match listed(&self.ended) {
                Some(listed) => {
                    page.answer = facts(&rows);
                    page.notes.push(format!("would lock down {who} in {place} and end {listed}"));
                }
                None => page.notes.push(format!("nothing to end for {who} in {place}")),
            }
        } else {
            let banned = if self.is_banned { "; the user is banned" } else { "" };
            let what = match listed(&self.ended) {
                Some(listed) => format!("ended {listed}"),
                None => self.nothing().to_owned(),
            };
            page.done.push(format!("locked down {who} in {place}: {what}{banned}"));
            if let Some((code, expires_at)) = &self.code {
                page.answer = format!("{}\n", code.expose());
                page.done.push(format!(
                    "made a code for `authctl password reset`; it expires {}",
                    style.ends(*expires_at, now)
                ));
            }
        }
        page.notes.extend(self.notes());
        page
    }

    fn json(&self) -> Value {
        let mut document = json!({
            "user": UserView::from(&self.user),
            "ended": access_json(&self.ended),
            "banned": self.is_banned,
            "dryRun": self.dry_run,
            "signsInBy": self.reach.reaches("account").then_some(&self.access.providers),
            "passkeys": self.access.passkeys,
            "notReached": self.reach.json(),
            "database": self.database.to_string(),
        });
        if let (Some((code, expires_at)), Some(fields)) = (&self.code, document.as_object_mut()) {
            fields.insert("code".into(), code.expose().into());
            fields.insert("expiresAt".into(), rfc3339(*expires_at).into());
        }
        document
    }

    /// A code exists only in the answer.
    fn lost_answer_hint(&self) -> Option<String> {
        self.code.as_ref()?;
        let email = escape(&self.user.email);
        Some(format!("the code is lost: make another with `authctl users reset-code {email}`"))
    }
}
