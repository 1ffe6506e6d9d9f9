//! What lets a user in or keeps the user out: `users set-role`, `verify-email`, `ban`, `unban`, `unlock`.

use clap::Args;
use jiff::SignedDuration;

use super::{UserAct, UserChanged};
use crate::auth::storage::AdminGuard;
use crate::cli::values;
use crate::context::Context;
use crate::output::Outcome;

#[derive(Debug, Args)]
pub struct SetRoleArgs {
    /// Email address or id
    pub user: String,
    /// Roles, separated by commas
    pub role: String,
    /// Set even a role that differs from admin in case only
    #[arg(long)]
    pub force: bool,
    /// Leave the user's sessions alive
    #[arg(long)]
    pub keep_sessions: bool,
    /// Demote even the last administrator
    #[arg(long)]
    pub force_last_admin: bool,
}

#[derive(Debug, Args)]
pub struct VerifyEmailArgs {
    /// Email address or id
    pub user: String,
    /// Say that it is not verified
    #[arg(long)]
    pub undo: bool,
}

#[derive(Debug, Args)]
pub struct BanArgs {
    /// Email address or id
    pub user: String,
    /// How long, such as 7d [default: permanently]
    #[arg(long = "for", value_name = "DURATION", value_parser = values::ban)]
    pub duration: Option<SignedDuration>,
    /// Ban even the last administrator
    #[arg(long)]
    pub force_last_admin: bool,
}

pub(super) fn guard(forced: bool) -> AdminGuard {
    if forced { AdminGuard::Off } else { AdminGuard::KeepLastAdmin }
}

/// Says that nobody has had a role before: it may be misspelled.
pub(super) fn notice_unknown_roles(unknown: &[String], context: &mut Context) {
    for role in unknown {
        context.notices.push(format!("no user had the role {role} before: check its spelling"));
    }
}

pub(super) fn set_role(args: &SetRoleArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.location;
    let mut auth = context.auth()?;
    let user = auth.find_user(&args.user)?;
    let unknown = auth.unknown_roles(&args.role)?;
    let updated = auth.set_role(&user, &args.role, args.force, guard(args.force_last_admin), args.keep_sessions)?;
    notice_unknown_roles(&unknown, context);
    Ok(UserChanged::by(UserAct::RoleSet, updated, database).into())
}

pub(super) fn verify_email(args: &VerifyEmailArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.location;
    let mut auth = context.auth()?;
    let user = auth.find_user(&args.user)?;
    let updated = auth.set_verified(&user, !args.undo)?;
    let act = if args.undo { UserAct::Unverified } else { UserAct::Verified };
    Ok(UserChanged::by(act, updated, database).into())
}

pub(super) fn ban(args: &BanArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.location;
    let now = context.now()?;
    let until = args.duration.map(|duration| now.saturating_add(duration)).transpose()?;
    let reason = context.reason();
    let mut auth = context.auth()?;
    let user = auth.find_user(&args.user)?;
    let updated = auth.ban(&user, until, reason, guard(args.force_last_admin))?;
    Ok(UserChanged::by(UserAct::Banned, updated, database).into())
}

pub(super) fn unban(named: &str, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.location;
    let mut auth = context.auth()?;
    let user = auth.find_user(named)?;
    let updated = auth.unban(&user)?;
    Ok(UserChanged::by(UserAct::Unbanned, updated, database).into())
}

pub(super) fn unlock(named: &str, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.location;
    let mut auth = context.auth()?;
    let user = auth.find_user(named)?;
    let updated = auth.unlock(&user)?;
    Ok(UserChanged::by(UserAct::Unlocked, updated, database).into())
}
