//! `signup`: creates an account and, by default, signs in.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::session_start::{
    PasswordArgs, checked_name, conclude, email, new_password, notice_override, prepare, session_request, stored,
};
use crate::auth::email::Email;
use crate::auth::session::Session;
use crate::auth::user::User;
use crate::auth::{AuthError, Lifetime, NewUser};
use crate::context::Context;
use crate::error::CommandError;
use crate::output::json::{SessionView, UserView};
use crate::output::text::{escaped, who};
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;

pub(crate) const EXAMPLES: &str = "Examples:
  authctl signup ada@example.com --name 'Ada Lovelace'
  authctl signup ci@example.com --name CI --password-file pw --no-signin --json";

#[derive(Debug, Args)]
pub struct SignUpArgs {
    /// Email address
    pub email: Option<String>,
    /// Display name
    #[arg(long)]
    pub name: Option<String>,
    /// Address of a picture, http:// or https://
    #[arg(long, value_name = "URL")]
    pub image: Option<String>,
    /// Create the account without signing in
    #[arg(long)]
    pub no_signin: bool,
    #[command(flatten)]
    pub password: PasswordArgs,
}

pub(super) fn run(args: &SignUpArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let email = email(args.email.as_ref(), context)?;
    let source = args.password.source();
    // The address and an existing database are checked before the questions. It is closed for the answers, so that
    // without a question it opens once, after the password was read.
    let canonical = Email::parse(&email).map_err(AuthError::from)?;
    let database = context.database()?.location;
    context.refuse_to_take_the_place_of_an_app()?;
    if args.name.is_none() || source.is_asked() {
        context.open_if_it_exists()?;
    }
    if !args.no_signin {
        context.require_may_store(canonical.as_str())?;
    }
    let name = match &args.name {
        Some(name) => name.clone(),
        None => context.prompt().text("Name", "a name", "--name", &checked_name)?,
    };
    let password = new_password(&source, &[&name, &email], false, context)?;
    context.open_if_it_exists()?;
    let new_user = NewUser {
        email: &email,
        name: &name,
        image: args.image.as_deref(),
        password: Some(&password),
        ..NewUser::default()
    };
    let new_user = new_user.check(&context.policy.password)?;
    // If the policy requires verified addresses, the sign-up does not sign in.
    let must_verify = context.policy.email.verification_required;
    if args.no_signin || must_verify {
        let (user, _) = context.auth_or_create()?.create_user(&new_user, None)?;
        if must_verify {
            let way_on = way_to_verify(new_user.email(), context);
            context.notices.push(format!("the address must be verified before its owner can sign in: {way_on}"));
        }
        return Ok(SignedUp { user, session: None, database }.into());
    }
    let session_request = session_request(Lifetime::Remembered, context)?;
    // Before the database is created: if the session cannot be stored, no file remains.
    let pending = prepare(&session_request.token, new_user.email().as_str(), context)?;
    context.auth_or_create()?;
    let begun = context.auth()?.create_user(&new_user, Some(&session_request));
    if begun.is_ok() {
        let email = new_user.email();
        context.did(
            format!("the account of {email} was created, without a session"),
            format!("sign in with `authctl signin {email}`"),
        );
    }
    let (user, session) = conclude(begun, pending, context)?;
    notice_override(context);
    let path = context.session_file()?.path();
    Ok(SignedUp { user, session: session.map(|session| (session, path)), database }.into())
}

/// Mails a code to the address of a new account, and returns the next step. Without mail the sign-up still succeeds.
fn way_to_verify(email: &Email, context: &mut Context) -> String {
    match super::email::mail_code(email, context) {
        Ok(()) => "a code was sent to it; run `authctl email verify` to finish".to_owned(),
        Err(error) => match error.downcast_ref() {
            Some(CommandError::NoMailer { instead }) => {
                format!("no mailer is configured, so an operator must {instead}")
            }
            _ => format!("no code could be mailed to it ({error:#}); try `authctl email verify --send {email}`"),
        },
    }
}

#[derive(Debug)]
struct SignedUp {
    user: User,
    /// The session and the file that keeps it; `None` where the user has yet to sign in.
    session: Option<(Session, PathBuf)>,
    database: DatabaseLocation,
}

impl Report for SignedUp {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        let user = who(&self.user);
        Page::done(match &self.session {
            Some((session, path)) => format!(
                "created the account of {user} and signed in; the session ends {}\n{}",
                style.ends(session.expires_at, now),
                stored(path)
            ),
            None => format!("created the account of {user} in {}", escaped(&self.database)),
        })
    }

    fn json(&self) -> Value {
        let session = self.session.as_ref().map(|(session, _)| SessionView::from(session));
        json!({ "user": UserView::from(&self.user), "session": session })
    }
}
