//! `users create`, which also creates the first administrator in the entry point of a container.

use clap::Args;

use super::changes::{Change, converge};
use super::password::{PasswordInputArgs, given, to_print};
use super::update::notice_unknown_roles;
use super::{UserAct, UserChanged, admin_guard};
use crate::auth::converge::{ConvergeOptions, WantedUser};
use crate::auth::email::Email;
use crate::auth::user::User;
use crate::auth::{AuthError, Expected, NewUser};
use crate::commands::session_start::checked_name;
use crate::context::Context;
use crate::error::HintOfCommand;
use crate::output::Outcome;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct CreateUserArgs {
    /// Email address; with --machine a name of letters, digits and - alone
    pub email: String,
    /// Display name
    #[arg(long)]
    pub name: Option<String>,
    /// Address of a picture, http:// or https://
    #[arg(long, value_name = "URL")]
    pub image: Option<String>,
    /// Roles, separated by commas
    #[arg(long)]
    pub role: Option<String>,
    /// Take even a role that differs from admin in case only
    #[arg(long, requires = "role")]
    pub force: bool,
    /// Say that the address is verified
    #[arg(long)]
    pub verified: bool,
    /// Succeed and change nothing when the user exists as asked; fail when the user differs
    #[arg(long)]
    pub if_missing: bool,
    /// Give a user who exists the name, picture, role and verification that are asked for, and say what changed
    #[arg(long, conflicts_with = "if_missing")]
    pub ensure: bool,
    /// With --ensure: demote even the last administrator
    #[arg(long, requires = "ensure")]
    pub force_last_admin: bool,
    /// Create the user without a password
    #[arg(long, conflicts_with = "given")]
    pub no_password: bool,
    /// Create a machine user: it owns API tokens, has no password and no mail, and cannot sign in
    #[arg(long, conflicts_with_all = ["given", "verified"])]
    pub machine: bool,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: PasswordInputArgs,
}

impl CreateUserArgs {
    fn address(&self) -> Result<Email, AuthError> {
        let address = if self.machine { Email::of_machine(&self.email) } else { Email::typed(&self.email) };
        address.map_err(AuthError::from)
    }
}

pub(super) fn run(args: &CreateUserArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let email = args.address()?;
    let database = context.database()?.location;
    if args.if_missing || args.ensure {
        context.refuse_to_come_before_an_app()?;
    }
    context.refuse_to_take_the_place_of_an_app()?;
    // Looked up before the questions: an existing user needs no password.
    if context.open_if_it_exists()?
        && let Some(user) = context.auth()?.holder_of(&email)?
    {
        return exists(args, &email, user, context);
    }
    let name = match &args.name {
        Some(name) => name.clone(),
        None if args.machine => args.email.clone(),
        None => context.prompt().text("Name", "a name", "--name", &checked_name)?,
    };
    let password = if args.no_password || args.machine {
        None
    } else {
        Some(given(&args.password, &[&name, &args.email], context)?)
    };
    let new_user = NewUser {
        email: email.as_str(),
        name: &name,
        image: args.image.as_deref(),
        role: args.role.as_deref(),
        allow_twin: args.force,
        verified: args.verified,
        password: password.as_ref(),
        allow_weak: args.password.allow_weak,
    };
    let new_user = new_user.check(&context.policy.password)?;
    let unknown = match &args.role {
        Some(role) => context.auth_or_create()?.unknown_roles(role)?,
        None => Vec::new(),
    };
    let user = match context.auth_or_create()?.create_user(&new_user, None) {
        // Another process created the user meanwhile.
        Err(AuthError::UserExists) if args.if_missing || args.ensure => {
            let user = context.auth()?.find_user(email.as_str())?;
            return exists(args, &email, user, context);
        }
        made => made?.0,
    };
    if let Some(given) = &password {
        let what = format!("{} was created", user.email);
        context.did(what, format!("set the password with `authctl users set-password {}`", user.email));
        context.auth()?.require_in_force(&user.id, given)?;
    }
    notice_unknown_roles(&unknown, context);
    let password = password.and_then(|password| to_print(&args.password, password));
    Ok(UserChanged::new(UserAct::Created, user, database).password(password).into())
}

/// Answers for a user who has the address already.
fn exists(args: &CreateUserArgs, email: &Email, user: User, context: &mut Context) -> anyhow::Result<Outcome> {
    if user.email != email.as_str() {
        context.notices.push(format!(
            "the address is stored as \"{}\", and a sign-in looks for {email}: `authctl users update {} --email {email}` \
             stores that",
            user.email, user.id
        ));
    }
    if args.ensure {
        return ensure(args, &user, context);
    }
    if !args.if_missing {
        let hint = format!(
            "`authctl users show {}` shows the user; --ensure gives the user the values that are asked for",
            user.email
        );
        return Err(anyhow::Error::new(AuthError::UserExists).context(HintOfCommand(hint)));
    }
    context.auth()?.require_as_expected(&user, &expected(args))?;
    Ok(UserChanged::new(UserAct::Existed, user, context.database()?.location).into())
}

/// Changes what is not as the arguments say. A password is set only if the user has none.
fn ensure(args: &CreateUserArgs, user: &User, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.location;
    let wanted = WantedUser {
        name: args.name.clone(),
        image: args.image.clone(),
        role: args.role.clone(),
        verified: args.verified.then_some(true),
        banned: None,
    };
    wanted.check(args.force)?;
    let options =
        ConvergeOptions { guard: admin_guard(args.force_last_admin), allow_twin: args.force, reason: context.reason() };
    let now = context.now()?;
    let differences = wanted.differences(user, now);
    let unknown = match &wanted.role {
        Some(role) => context.auth()?.unknown_roles(role)?,
        None => Vec::new(),
    };
    if user.is_banned(now) {
        context.notices.push(format!("{} is banned; `authctl users unban {}` lifts the ban", user.email, user.email));
    }
    let mut changed = converge(user, &differences, &options, context)?;
    let lacks_password = context.auth()?.store.password_hash(&user.id)?.is_none();
    let mut password = None;
    if lacks_password && is_password_given(&args.password) {
        let given = given(&args.password, &[&user.name, &user.email], context)?;
        context.auth()?.set_password(user, &given, args.password.allow_weak, true)?;
        let what = format!("the password of {} was set", user.email);
        context.did(what, format!("set it again with `authctl users set-password {}`", user.email));
        context.auth()?.require_in_force(&user.id, &given)?;
        password = to_print(&args.password, given);
        changed.changes.push(Change::password());
    }
    notice_unknown_roles(&unknown, context);
    Ok(changed.report(database, context).password(password).into())
}

fn is_password_given(given: &PasswordInputArgs) -> bool {
    given.generate || given.hash_stdin || given.password_stdin || given.password_file.is_some()
}

/// The values that an existing user must have: everything that the arguments name.
fn expected(args: &CreateUserArgs) -> Expected<'_> {
    Expected {
        name: args.name.as_deref(),
        image: args.image.as_deref(),
        role: args.role.as_deref(),
        allow_twin: args.force,
        verified: args.verified,
        password: is_password_given(&args.password),
    }
}
