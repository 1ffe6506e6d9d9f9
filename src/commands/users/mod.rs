//! `users`: what an operator does to users. Each writing command names the database it wrote to.

mod create;
mod explain;
mod impersonate;
mod list;
mod show;

use crate::auth::audit::counted;
use crate::auth::storage::AdminGuard;
use crate::auth::{AuthError, PasswordInput, Weakness};
use crate::cli::{
    BanArgs, DeleteUserArgs, PasswordInputArgs, ResetCodeArgs, SetPasswordArgs, SetRoleArgs, UpdateUserArgs,
    UsersCommand, VerifyEmailArgs,
};
use crate::commands::Attempt as _;
use crate::commands::session_start::{Printed, refuse_lost};
use crate::context::Context;
use crate::error::CommandError;
use crate::output::text::escape;
use crate::output::{Outcome, UserAct, UserChanged, UsersOutcome};
use crate::prompt::Source;

pub(super) fn run(command: &UsersCommand, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        UsersCommand::List(args) => list::run(args, context).attempt("could not list users"),
        UsersCommand::Show(args) => show::run(&args.user, context).attempt("could not show the user"),
        UsersCommand::Explain(args) => explain::run(args, context).attempt("could not explain"),
        UsersCommand::Exists(args) => exists(&args.user, context),
        UsersCommand::Create(args) => create::run(args, context).attempt("could not create the user"),
        UsersCommand::Update(args) => update(args, context).attempt("could not update the user"),
        UsersCommand::Delete(args) => delete(args, context).attempt("could not delete the user"),
        UsersCommand::SetPassword(args) => set_password(args, context).attempt("could not set the password"),
        UsersCommand::ResetCode(args) => reset_code(args, context).attempt("could not make a code"),
        UsersCommand::SetRole(args) => set_role(args, context).attempt("could not set the role"),
        UsersCommand::VerifyEmail(args) => verify_email(args, context).attempt("could not verify the address"),
        UsersCommand::Ban(args) => ban(args, context).attempt("could not ban the user"),
        UsersCommand::Unban(args) => unban(&args.user, context).attempt("could not lift the ban"),
        UsersCommand::Unlock(args) => unlock(&args.user, context).attempt("could not unlock the user"),
        UsersCommand::Impersonate(args) if args.stop => {
            super::signout::stop(context).attempt("could not stop acting as another user")
        }
        UsersCommand::Impersonate(args) => impersonate::run(args, context).attempt("could not act as the user"),
    }
}

fn guard(forced: bool) -> AdminGuard {
    if forced { AdminGuard::Off } else { AdminGuard::KeepLastAdmin }
}

fn weakness(args: &PasswordInputArgs) -> Weakness {
    if args.allow_weak { Weakness::Allowed } else { Weakness::Refused }
}

/// Gets the password that an operator gives somebody. One that is made here comes back a second
/// time, to be printed.
fn given(args: &PasswordInputArgs, context: &mut Context) -> anyhow::Result<PasswordInput> {
    if args.generate {
        refuse_lost(Printed::Password, context)?;
        return Ok(PasswordInput::Clear(context.entropy.password()?));
    }
    if args.hash_stdin {
        return Ok(PasswordInput::Hash(context.prompt().hash()?));
    }
    let source = match &args.password_file {
        Some(path) => Source::File(path.clone()),
        None if args.password_stdin => Source::Stdin,
        None => Source::Terminal,
    };
    Ok(PasswordInput::Clear(context.prompt().new_password(&source)?))
}

/// The password to print: only one that nobody else knows.
fn to_print(args: &PasswordInputArgs, given: PasswordInput) -> Option<crate::auth::secret::Password> {
    match given {
        PasswordInput::Clear(password) if args.generate => Some(password),
        PasswordInput::Clear(_) | PasswordInput::Hash(_) => None,
    }
}

fn exists(named: &str, context: &mut Context) -> anyhow::Result<Outcome> {
    context.auth()?.find_user(named)?;
    Ok(UsersOutcome::Exists.into())
}

fn update(args: &UpdateUserArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.path;
    let mut auth = context.auth()?;
    let user = auth.find_user(&args.user)?;
    let updated = auth.change_user(&user, args.name.as_deref(), args.image.as_deref(), args.email.as_deref())?;
    Ok(UserChanged::by(UserAct::Updated, updated, database).into())
}

fn delete(args: &DeleteUserArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.path;
    let user = match context.auth()?.find_user(&args.user) {
        Err(AuthError::NoSuchUser(_)) if args.if_exists => return Ok(UsersOutcome::WasMissing { database }.into()),
        found => found?,
    };
    let sessions = context.auth()?.live_sessions(&user.id)?.len();
    let accounts = context.auth()?.store.accounts(&user.id)?.len();
    let effect = format!(
        "This permanently deletes {} <{}> with {} and {} from {}.",
        escape(&user.name),
        escape(&user.email),
        counted(sessions as u64, "live session"),
        counted(accounts as u64, "account"),
        escape(&database.to_string_lossy()),
    );
    if !context.confirm(&effect, "Delete the user?")? {
        return Err(CommandError::Declined.into());
    }
    let sessions = context.auth()?.delete_user(&user, guard(args.force_last_admin))?;
    let sessions_ended = usize::try_from(sessions).unwrap_or(usize::MAX);
    Ok(UserChanged::new(UserAct::Deleted, user, database).ended(sessions_ended).into())
}

fn set_password(args: &SetPasswordArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.path;
    let user = context.auth()?.find_user(&args.user)?;
    let given = given(&args.password, context)?;
    let ended = context.auth()?.set_password(&user, &given, weakness(&args.password), args.keep_sessions)?;
    let what = format!("the password of {} was set", user.email);
    context.did(what, format!("set it again with `authctl users set-password {}`", user.email));
    context.auth()?.require_in_force(&user.id, &given)?;
    let password = to_print(&args.password, given);
    Ok(UserChanged::new(UserAct::PasswordSet, user, database).ended(ended.len()).password(password).into())
}

fn reset_code(args: &ResetCodeArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    refuse_lost(Printed::Code, context)?;
    let database = context.database()?.path;
    let mut auth = context.auth()?;
    let user = auth.find_user(&args.user)?;
    let (code, expires_at) = auth.reset_code(&user, args.ttl)?;
    Ok(UsersOutcome::ResetCode { user, code, expires_at, database }.into())
}

/// Says that nobody has had a role before: it may be misspelled.
fn notice_unknown_roles(unknown: &[String], context: &mut Context) {
    for role in unknown {
        context.notices.push(format!("no user had the role {role} before: check its spelling"));
    }
}

fn set_role(args: &SetRoleArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.path;
    let mut auth = context.auth()?;
    let user = auth.find_user(&args.user)?;
    let unknown = auth.unknown_roles(&args.role)?;
    let updated = auth.set_role(&user, &args.role, args.force, guard(args.force_last_admin), args.keep_sessions)?;
    notice_unknown_roles(&unknown, context);
    Ok(UserChanged::by(UserAct::RoleSet, updated, database).into())
}

fn verify_email(args: &VerifyEmailArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.path;
    let mut auth = context.auth()?;
    let user = auth.find_user(&args.user)?;
    let updated = auth.set_verified(&user, !args.undo)?;
    let act = if args.undo { UserAct::Unverified } else { UserAct::Verified };
    Ok(UserChanged::by(act, updated, database).into())
}

fn ban(args: &BanArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.path;
    let now = context.now()?;
    let until = args.duration.map(|duration| now.saturating_add(duration)).transpose()?;
    let reason = context.reason();
    let mut auth = context.auth()?;
    let user = auth.find_user(&args.user)?;
    let updated = auth.ban(&user, until, reason, guard(args.force_last_admin))?;
    Ok(UserChanged::by(UserAct::Banned, updated, database).into())
}

fn unban(named: &str, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.path;
    let mut auth = context.auth()?;
    let user = auth.find_user(named)?;
    let updated = auth.unban(&user)?;
    Ok(UserChanged::by(UserAct::Unbanned, updated, database).into())
}

fn unlock(named: &str, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.path;
    let mut auth = context.auth()?;
    let user = auth.find_user(named)?;
    let updated = auth.unlock(&user)?;
    Ok(UserChanged::by(UserAct::Unlocked, updated, database).into())
}
