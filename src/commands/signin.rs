//! `signin`: begins a session and stores or prints its token.

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Attempt as _;
use super::session_start::{
    OtpArgs, PasswordArgs, Printed, TokenSink, asking_otp, begin, email, refuse_lost, session_request,
};
use crate::auth::email::Email;
use crate::auth::secret::Token;
use crate::auth::session::Session;
use crate::auth::user::User;
use crate::auth::{AuthError, Lifetime, SignIn, duration};
use crate::cli::values;
use crate::context::Context;
use crate::error::CommandError;
use crate::output::json::UserView;
use crate::output::text::who;
use crate::output::{Outcome, Page, Report, Style};

pub(crate) const EXAMPLES: &str = "Examples:
  authctl signin ada@example.com
  authctl signin ada@example.com --password-file pw --no-remember
  authctl signin ada@example.com --for 15m
  AUTHCTL_TOKEN=$(authctl signin ci@example.com --password-file pw --print-token)";

#[derive(Debug, Default, Args)]
pub struct SignInArgs {
    /// Email address
    pub email: Option<String>,
    /// End the session after one day, however much it is used
    #[arg(long)]
    pub no_remember: bool,
    /// End the session after this time, however much it is used; at most the policy's session.short-lifetime
    #[arg(long = "for", value_name = "DURATION", value_parser = values::life, conflicts_with_all = ["no_remember", "no_store"])]
    pub duration: Option<SignedDuration>,
    /// Print the session token instead of storing it
    #[arg(long, conflicts_with = "no_store")]
    pub print_token: bool,
    /// Check the password and keep nothing: no session, no file
    #[arg(long)]
    pub no_store: bool,
    #[command(flatten)]
    pub password: PasswordArgs,
    #[command(flatten)]
    pub otp: OtpArgs,
}

/// Asks for address and password and signs in, for a command that needs a session.
pub(super) fn at_terminal(context: &mut Context) -> anyhow::Result<()> {
    run(&SignInArgs::default(), context).attempt("could not sign in")?;
    context.did("the sign-in succeeded", "`authctl signout` ends its session");
    Ok(())
}

pub(super) fn run(args: &SignInArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let email = email(args.email.as_ref(), context)?;
    let email = Email::parse(&email).map_err(AuthError::from)?;
    if args.print_token {
        refuse_lost(Printed::Token, context)?;
    }
    let source = args.password.source();
    if source.is_asked() {
        // A missing database is reported before the question. It is closed for the answer, so that without a question
        // it opens once, after the password was read.
        context.auth()?;
    }
    let lifetime = lifetime(args, context)?;
    if !args.print_token && !args.no_store {
        context.require_may_store(email.as_str())?;
    }
    let (password, mut otp) = context.prompt().password_and_given_otp(&source, &args.otp.source())?;
    // Before a session file is made.
    context.auth()?;
    let mut request = SignIn { email, password, otp: None };
    if args.no_store {
        let user = asking_otp(&mut otp, context, |otp, context| {
            request.otp = otp.cloned();
            Ok(context.auth()?.check_password(&request)?)
        })?;
        return Ok(PasswordIsRight { user }.into());
    }
    let session_request = session_request(lifetime, context)?;
    // A refused sign-in leaves no session file, so that nothing is stored while a code is asked for.
    let (user, session, kept) = asking_otp(&mut otp, context, |otp, context| {
        request.otp = otp.cloned();
        begin(&session_request, request.email.as_str(), args.print_token, context, |mut auth| {
            auth.sign_in(&request, &session_request)
        })
    })?;
    if context.auth()?.must_set_up_factor(&user) {
        context.notices.push("the policy requires a second factor: set it up with `authctl 2fa enable`".to_owned());
    }
    Ok(SignedIn { user, session, kept }.into())
}

/// The requested lifetime. Use extends a session of more than the short lifetime, so `--for` cannot promise its end.
fn lifetime(args: &SignInArgs, context: &mut Context) -> anyhow::Result<Lifetime> {
    let Some(life) = args.duration else {
        return Ok(if args.no_remember { Lifetime::Short } else { Lifetime::Remembered });
    };
    let longest = context.auth()?.policy.session.short_for;
    if life > longest {
        let message = format!(
            "--for {} is longer than the policy allows: session.short-lifetime is {}",
            duration::show(life),
            duration::show(longest)
        );
        let hint = "leave --for out for a session that lives as long as it is used";
        return Err(CommandError::Usage { message, hint }.into());
    }
    Ok(Lifetime::Exactly(life))
}

#[derive(Debug)]
struct SignedIn {
    user: User,
    session: Session,
    kept: TokenSink,
}

impl Report for SignedIn {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        let end = style.ends(self.session.expires_at, now);
        self.kept.page(format!("signed in as {}; the session ends {end}", who(&self.user)), style)
    }

    fn json(&self) -> Value {
        self.kept.json(&self.user, &self.session)
    }

    fn unheld_token(&self) -> Option<&Token> {
        self.kept.unheld()
    }
}

/// The answer under `--no-store`: nothing was kept.
#[derive(Debug)]
struct PasswordIsRight {
    user: User,
}

impl Report for PasswordIsRight {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        Page::note(format!("the password of {} is right; nothing was stored", who(&self.user)))
    }

    fn json(&self) -> Value {
        json!({ "user": UserView::from(&self.user) })
    }
}
