//! What changes a user: `users update`, `set-role`, `verify-email`, `ban`.

use clap::{ArgGroup, Args};
use jiff::SignedDuration;

use super::{UserAct, UserChanged, admin_guard, change, changed};
use crate::auth::AuthError;
use crate::auth::email::pasted;
use crate::cli::values;
use crate::commands::targets::{UsersAndRolesArg, UsersArg};
use crate::context::Context;
use crate::error::HintOfCommand;
use crate::output::Outcome;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("change").args(["name", "image", "email"]).required(true).multiple(true)))]
pub struct UpdateUserArgs {
    /// Email address or id, or at least 6 first characters of the id
    pub user: String,
    /// New display name
    #[arg(long)]
    pub name: Option<String>,
    /// New address of a picture, http:// or https://; empty to remove it
    #[arg(long, value_name = "URL")]
    pub image: Option<String>,
    /// New email address; it is not verified then
    #[arg(long)]
    pub email: Option<String>,
}

#[derive(Debug, Args)]
pub struct SetRoleArgs {
    #[command(flatten)]
    pub targets: UsersAndRolesArg,
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
    #[command(flatten)]
    pub targets: UsersArg,
    /// Say that it is not verified
    #[arg(long)]
    pub undo: bool,
}

#[derive(Debug, Args)]
pub struct BanArgs {
    #[command(flatten)]
    pub targets: UsersArg,
    /// How long, such as 7d [default: permanently]
    #[arg(long = "for", value_name = "DURATION", value_parser = values::ban)]
    pub duration: Option<SignedDuration>,
    /// Ban even the last administrator
    #[arg(long)]
    pub force_last_admin: bool,
}

pub(super) fn update(args: &UpdateUserArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let changed = change(&args.user, UserAct::Updated, context, |auth, user| {
        auth.change_user(user, args.name.as_deref(), args.image.as_deref(), args.email.as_deref())
    });
    let changed = changed.map_err(|error| match (error.downcast_ref(), &args.email) {
        (Some(AuthError::UserExists), Some(email)) => {
            error.context(HintOfCommand(format!("`authctl users show {}` shows who has the address", pasted(email))))
        }
        _ => error,
    })?;
    Ok(changed.into())
}

/// Adds a notice about roles that no user had before, which may be misspelled.
pub(super) fn notice_unknown_roles(unknown: &[String], context: &mut Context) {
    for role in unknown {
        context.notices.push(format!("no user had the role {role} before: check its spelling"));
    }
}

pub(super) fn set_role(named: &str, args: &SetRoleArgs, context: &mut Context) -> anyhow::Result<UserChanged> {
    let (roles, guard) = (args.targets.roles()?, admin_guard(args.force_last_admin));
    let mut unknown = Vec::new();
    let changed = change(named, UserAct::RoleSet, context, |auth, user| {
        unknown = auth.unknown_roles(roles)?;
        auth.set_role(user, roles, args.force, guard, args.keep_sessions)
    })?;
    notice_unknown_roles(&unknown, context);
    Ok(changed)
}

pub(super) fn verify_email(named: &str, args: &VerifyEmailArgs, context: &mut Context) -> anyhow::Result<UserChanged> {
    let act = if args.undo { UserAct::Unverified } else { UserAct::Verified };
    change(named, act, context, |auth, user| auth.set_verified(user, !args.undo))
}

pub(super) fn ban(named: &str, args: &BanArgs, context: &mut Context) -> anyhow::Result<UserChanged> {
    let now = context.now()?;
    let until = args.duration.map(|duration| now.saturating_add(duration)).transpose()?;
    let (reason, guard) = (context.reason(), admin_guard(args.force_last_admin));
    let banned = changed(named, UserAct::Banned, context, |auth, user| auth.ban(user, until, reason, guard))?;
    // Whatever makes a session meets the ban.
    Ok(banned.leaving(|kind| !kind.meets_a_ban(), context))
}
