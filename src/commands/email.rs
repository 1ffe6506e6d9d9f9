//! `email`: verifies an address, or changes it to another one.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Attempt as _;
use super::mail_templates::{self, CodeMailed};
use super::reach::Reach;
use super::session_start::{self, OtpArgs, PasswordArgs, asking_otp};
use crate::auth::audit::counted;
use crate::auth::codes::{CodeToMail, Purpose};
use crate::auth::email::Email;
use crate::auth::user::User;
use crate::auth::{AuthError, OwnerProof};
use crate::context::Context;
use crate::error::CommandError;
use crate::output::json::UserView;
use crate::output::text::{escape, who};
use crate::output::{Outcome, Page, Report, Style};
use crate::prompt::Source;

pub(crate) const EXAMPLES: &str = "Examples:
  authctl email verify --send
  authctl email verify
  authctl email change ada@example.org";

#[derive(Debug, Subcommand)]
pub enum EmailCommand {
    /// Verify an address, or finish changing it, with a code that was mailed to it; other sessions end
    #[command(after_help = "Examples:
  authctl email verify --send                    # signed in: to your own address
  authctl email verify --send ada@example.com    # also without being signed in
  authctl email verify                           # not signed in: asks for the password too
  printf '%s\\n%s\\n' \"$CODE\" \"$PASSWORD\" | authctl email verify --code-stdin --password-stdin")]
    Verify(VerifyAddressArgs),
    /// Have a code mailed to a new address; `email verify` takes it, and only then the address changes
    #[command(after_help = "Example:\n  authctl email change ada@example.org")]
    Change {
        /// New email address
        #[arg(value_name = "NEW")]
        new: String,
    },
}

#[derive(Debug, Args)]
pub struct VerifyAddressArgs {
    /// Have a code mailed instead of typing one
    #[arg(long, conflicts_with_all = ["code_stdin", "password_stdin", "password_file", "otp_stdin", "otp_file"])]
    pub send: bool,
    /// Email address to send to [default: that of the signed-in user]
    #[arg(requires = "send")]
    pub email: Option<String>,
    /// Read the code from standard input, in a line before the password if that is read there too
    #[arg(long)]
    pub code_stdin: bool,
    /// Where the password comes from; with one, it and not a session shows whose the account is.
    #[command(flatten)]
    pub password: PasswordArgs,
    #[command(flatten)]
    pub otp: OtpArgs,
}

pub(super) fn run(command: &EmailCommand, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        EmailCommand::Verify(args) if args.send => send_code(args, context).attempt("could not send a code"),
        EmailCommand::Verify(args) => verify(args, context).attempt("could not verify the address"),
        EmailCommand::Change { new } => change(new, context).attempt("could not change the address"),
    }
}

/// Mails a code to verify the caller's address or a named one. The answer does not reveal whether a user has it.
fn send_code(args: &VerifyAddressArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let given = args.email.as_deref().map(Email::typed).transpose().map_err(AuthError::from)?;
    let is_meant = |email: &str| given.as_ref().is_none_or(|given| given.as_str() == email);
    // For another address than their own, a signed-in user has no special rights.
    let mine = context.optional_sign_in()?.map(|me| me.user).filter(|user| is_meant(&user.email));
    if mine.as_ref().is_some_and(|user| user.email_verified) {
        return Err(AuthError::AlreadyVerified.into());
    }
    context.auth()?;
    let email = match (&mine, given) {
        (Some(user), _) => Email::parse(&user.email).map_err(AuthError::from)?,
        (None, Some(email)) => email,
        (None, None) => Email::parse(&session_start::email(None, context)?).map_err(AuthError::from)?,
    };
    mail_code(&email, context)?;
    let shown = escape(email.as_str());
    let line = if mine.is_some() {
        format!("a code was sent to {shown}; run `authctl email verify` to finish")
    } else {
        format!("if {shown} is in use and not verified, a code was sent to it; run `authctl email verify` to finish")
    };
    Ok(CodeMailed { email, line }.into())
}

/// Mails a code to verify an address, if a user has it and it is not verified.
pub(super) fn mail_code(email: &Email, context: &mut Context) -> anyhow::Result<()> {
    let outbox = mail_templates::outbox(email, context, "verify the address with `authctl users verify-email`")?;
    let code = context.auth()?.code_to_mail(Purpose::EmailVerification, email)?;
    mail_templates::mail_code(outbox, Purpose::EmailVerification, email, code.as_ref(), context)
}

/// Uses a code that was mailed to an address. The caller is signed in or gives the password of the account.
fn verify(args: &VerifyAddressArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    // A missing database is reported before the first question.
    context.auth()?;
    let password = args.password.source();
    let signed_in = if password == Source::Terminal { context.optional_sign_in()? } else { None };
    let done = if let Some(me) = signed_in {
        // Checked before the first question.
        me.in_person()?;
        let code = context.prompt().code(args.code_stdin)?;
        // Checked again, because the session may have ended while the code was typed.
        let me = context.authenticate()?;
        context.auth()?.confirm_address(&code, OwnerProof::Session(me.in_person()?))?
    } else {
        let otp = args.otp.source();
        if args.code_stdin && otp == Source::Stdin {
            return Err(CommandError::Usage {
                message: "a mailed code and a code of the second factor cannot both be read from standard input".into(),
                hint: "give the code of the second factor in a file, with --otp-file",
            }
            .into());
        }
        let (code, password, mut otp) = if args.code_stdin || otp.is_asked() {
            let (code, password) = context.prompt().code_and_password(args.code_stdin, &password)?;
            let otp = if otp.is_asked() { None } else { Some(context.prompt().otp(&otp)?) };
            (code, password, otp)
        } else {
            let code = context.prompt().code(false)?;
            let (password, otp) = context.prompt().password_and_given_otp(&password, &otp)?;
            (code, password, otp)
        };
        asking_otp(&mut otp, context, |otp, context| {
            let proof = OwnerProof::Password { password: &password, otp };
            Ok(context.auth()?.confirm_address(&code, proof)?)
        })?
    };
    if let Some(before) = &done.before
        && let Err(error) = mail_templates::notify_old_address(before, &done.user.id, context)
    {
        context.notices.push(format!("{before} was not told that it is no longer the address: {error:#}"));
    }
    let reach = Reach::to_end(&["session"], context);
    reach.note(context);
    let sessions_ended = reach.count("session", done.ended.len() as u64);
    Ok(Confirmed { user: done.user, before: done.before, sessions_ended, reach }.into())
}

/// Mails a code with which the signed-in user changes their address. The answer does not reveal whether a user has
/// the new one.
fn change(new: &str, context: &mut Context) -> anyhow::Result<Outcome> {
    let new = Email::typed(new).map_err(AuthError::from)?;
    let me = context.authenticate()?;
    let in_person = me.in_person()?;
    context.auth()?.require_fresh(&me)?;
    let outbox = mail_templates::outbox(&new, context, "change the address with `authctl users update --email`")?;
    let code = context.auth()?.change_email(in_person, &new)?;
    let code = code.map(|code| CodeToMail { user_id: me.user.id.clone(), code });
    mail_templates::mail_code(outbox, Purpose::ChangeEmail, &new, code.as_ref(), context)?;
    let line = format!(
        "if {} is not in use, a code was sent to it; run `authctl email verify` to finish",
        escape(new.as_str())
    );
    Ok(CodeMailed { email: new, line }.into())
}

#[derive(Debug)]
struct Confirmed {
    /// The user as changed.
    user: User,
    /// The previous address, if the code changed it.
    before: Option<String>,
    /// `None` if the database cannot tell.
    sessions_ended: Option<u64>,
    reach: Reach,
}

impl Report for Confirmed {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        let user = who(&self.user);
        let ended = self.sessions_ended.map(|ended| counted(ended, "session"));
        Page::done(match &self.before {
            None => match ended {
                Some(ended) => format!("verified the address of {user} and ended {ended}"),
                None => format!("verified the address of {user}"),
            },
            Some(before) => {
                let rest = ended
                    .map_or_else(|| " and verified it".to_owned(), |ended| format!(", verified it and ended {ended}"));
                format!("changed the address of {user}, which was {}{rest}", escape(before))
            }
        })
    }

    fn json(&self) -> Value {
        let mut document = json!({
            "user": UserView::from(&self.user),
            "emailBefore": self.before,
            "sessionsEnded": self.sessions_ended,
        });
        self.reach.add_to(&mut document);
        document
    }
}
