//! `password change`, also known as `passwd`, `password forgot` and `password reset`.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Attempt as _;
use super::mail_templates::{self, CodeMailed};
use super::reach::Reach;
use super::session_start::{OtpArgs, PasswordArgs, asking_otp, strength_check};
use crate::auth::AuthError;
use crate::auth::audit::counted;
use crate::auth::codes::Purpose;
use crate::auth::email::Email;
use crate::auth::user::User;
use crate::context::Context;
use crate::output::json::UserView;
use crate::output::text::{escape, who};
use crate::output::{Outcome, Page, Report, Style};

pub(crate) const EXAMPLES: &str = "Examples:
  authctl password change
  printf '%s\\n%s\\n' \"$OLD\" \"$NEW\" | authctl password change --password-stdin
  printf '%s\\n%s\\n%s\\n' \"$OLD\" \"$NEW\" \"$CODE\" | authctl passwd --password-stdin --otp-stdin";

#[derive(Debug, Subcommand)]
pub enum PasswordCommand {
    /// Change your password; your other sessions end
    #[command(after_help = EXAMPLES)]
    Change(ChangePasswordArgs),
    /// Have a code mailed with which you can set a new password
    #[command(after_help = "Example:\n  authctl password forgot ada@example.com")]
    Forgot {
        /// Email address
        email: String,
    },
    /// Set a new password with a code that was mailed or handed out; all sessions end
    #[command(after_help = "Examples:
  authctl password reset
  printf '%s\\n%s\\n' \"$CODE\" \"$NEW\" | authctl password reset --code-stdin --password-stdin")]
    Reset(ResetPasswordArgs),
}

#[derive(Debug, Args)]
pub struct ResetPasswordArgs {
    /// Read the code from standard input, in a line before the password
    #[arg(long)]
    pub code_stdin: bool,
    #[command(flatten)]
    pub password: PasswordArgs,
}

#[derive(Debug, Args)]
pub struct ChangePasswordArgs {
    /// Leave your other sessions alive
    #[arg(long)]
    pub keep_sessions: bool,
    /// Where the passwords come from: the current one first, then the new one, one per line.
    #[command(flatten)]
    pub password: PasswordArgs,
    #[command(flatten)]
    pub otp: OtpArgs,
}

pub(super) fn run(command: &PasswordCommand, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        PasswordCommand::Change(args) => change(args, context),
        PasswordCommand::Forgot { email } => forgot(email, context).attempt("could not send a code"),
        PasswordCommand::Reset(args) => reset(args, context).attempt("could not reset the password"),
    }
}

pub(super) fn change(args: &ChangePasswordArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    change_password(args, context).attempt("could not change the password")
}

fn change_password(args: &ChangePasswordArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let me = context.authenticate()?;
    let in_person = me.in_person()?;
    let own_words = [me.user.name.as_str(), me.user.email.as_str()];
    let check = strength_check(&own_words, false, context);
    let (current, new, mut otp) =
        context.prompt().passwords_and_given_otp(&args.password.source(), &args.otp.source(), &check)?;
    let changed = asking_otp(&mut otp, context, |otp, context| {
        Ok(context.auth()?.change_password(in_person, &current, &new, otp, args.keep_sessions)?)
    })?;
    let ends_in = if args.keep_sessions { &["verification"][..] } else { &["session", "verification"] };
    let reach = Reach::to_end(ends_in, context);
    reach.note(context);
    Ok(PasswordChanged { sessions_ended: changed.sessions_ended, sessions_kept: args.keep_sessions, reach }.into())
}

/// Mails a code to the user with this address. The answer does not reveal whether a user has it.
fn forgot(email: &str, context: &mut Context) -> anyhow::Result<Outcome> {
    let email = Email::typed(email).map_err(AuthError::from)?;
    let outbox = mail_templates::outbox(&email, context, "hand out a code with `authctl users reset-code`")?;
    let code = context.auth()?.code_to_mail(Purpose::ResetPassword, &email)?;
    mail_templates::mail_code(outbox, Purpose::ResetPassword, &email, code.as_ref(), context)?;
    let line = format!("if {} is in use, a code was sent to it", escape(email.as_str()));
    Ok(CodeMailed { email, line }.into())
}

/// Sets a new password with a code, without a sign-in.
fn reset(args: &ResetPasswordArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    // A missing database is reported before the first question.
    context.auth()?;
    let source = args.password.source();
    let check = strength_check(&[], false, context);
    let (code, mut new) = context.prompt().code_and_new_password(args.code_stdin, &source, &check)?;
    let done = loop {
        match context.auth()?.reset_password(&code, new) {
            // The words of the user are known after the code was checked.
            Err(AuthError::WeakPassword(problem)) if source.is_asked() => {
                new = context.prompt().another_password(&problem.to_string(), &check)?;
            }
            done => break done?,
        }
    };
    context.did(
        format!("the password of {} was set and the code is used up", done.user.email),
        "sign in with `authctl signin`; if it refuses the password, ask for another code with `authctl password forgot`",
    );
    context.auth()?.require_in_force(&done.user.id, &done.password)?;
    let reach = Reach::to_end(&["session", "verification"], context);
    reach.note(context);
    Ok(PasswordReset { user: done.user, sessions_ended: reach.count("session", done.ended.len() as u64), reach }.into())
}

#[derive(Debug)]
struct PasswordChanged {
    /// Other live sessions that ended.
    sessions_ended: usize,
    /// `--keep-sessions` was given.
    sessions_kept: bool,
    reach: Reach,
}

impl Report for PasswordChanged {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        Page::done(if self.sessions_kept {
            "changed the password; other sessions were kept".to_owned()
        } else {
            format!("changed the password and ended {}", counted(self.sessions_ended as u64, "other session"))
        })
    }

    fn json(&self) -> Value {
        let mut document = json!({ "sessionsEnded": self.sessions_ended });
        self.reach.add_to(&mut document);
        document
    }
}

#[derive(Debug)]
struct PasswordReset {
    user: User,
    /// `None` if the database cannot tell.
    sessions_ended: Option<u64>,
    reach: Reach,
}

impl Report for PasswordReset {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        Page::done(format!(
            "set the new password of {}{}; sign in with `authctl signin`",
            who(&self.user),
            self.sessions_ended.map(|ended| format!(" and ended {}", counted(ended, "session"))).unwrap_or_default()
        ))
    }

    fn json(&self) -> Value {
        let mut document = json!({ "user": UserView::from(&self.user), "sessionsEnded": self.sessions_ended });
        self.reach.add_to(&mut document);
        document
    }
}
