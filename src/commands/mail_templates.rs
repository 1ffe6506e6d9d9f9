//! What is mailed, in which words. No command of its own: `password forgot`, `email` and `signup` mail
//! codes, and all of them do it here.
//!
//! No letter holds a name: it goes to an address before anybody has shown that it is theirs, and
//! strangers would put their advertisement there.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::auth::codes::{CodeToMail, Purpose};
use crate::auth::email::Email;
use crate::context::Context;
use crate::error::CommandError;
use crate::mail::{Mailer, Parcel};
use crate::output::text::amount;
use crate::output::{Page, Report, Style};

/// A way for mail to leave that was found to be usable, as far as that is known without a server.
pub(super) struct Post {
    mailer: Mailer,
    url: String,
    from: String,
    credentials_file: Option<PathBuf>,
}

/// The way that the policy describes. Where it describes none, the refusal says what an operator can do
/// `instead`. Tells nothing about the recipient, so it comes before anything is looked up.
pub(super) fn post(to: &Email, context: &mut Context, instead: &'static str) -> anyhow::Result<Post> {
    let mail = context.auth()?.policy.mail.clone();
    let (Some(url), Some(from)) = (mail.url, mail.from) else {
        return Err(CommandError::NoMailer { instead }.into());
    };
    let credentials_file = mail.credentials_file.map(std::path::absolute).transpose()?;
    let mailer = Mailer::new(&url, &from, credentials_file.as_deref())?
        .with_environment(context.environment_of_mailer().to_vec());
    mailer.check(to, "", "")?;
    Ok(Post { mailer, url, from, credentials_file })
}

/// Has a code mailed, after the answer. Without one everything is done but the delivery, down to the
/// process and to the text of the message, so that nobody learns who has an address.
pub(super) fn mail_code(
    post: Post,
    purpose: Purpose,
    to: &Email,
    code: Option<&CodeToMail>,
    context: &mut Context,
) -> anyhow::Result<()> {
    let deliver = code.is_some();
    let (user_id, code) = match code {
        Some(CodeToMail { user_id, code }) => (user_id.as_str(), code.expose()),
        None => ("", "------------------------"),
    };
    let (subject, asked, command, otherwise) = match purpose {
        Purpose::ResetPassword => (
            "A code for a new password",
            format!("asked for a new password for {to}"),
            "authctl password reset",
            "nothing has changed and nothing needs to be done",
        ),
        Purpose::EmailVerification => (
            "A code to verify your address",
            format!("gave {to} as the address of their account"),
            "authctl email verify",
            "ignore this: without the code nothing is verified",
        ),
        Purpose::ChangeEmail => (
            "A code to change your address",
            format!("wants {to}\nto be the new address of their account"),
            "authctl email verify",
            "ignore this: without the code nothing changes",
        ),
    };
    let life = amount(purpose.life().as_secs().unsigned_abs());
    let body = Zeroizing::new(format!(
        "Hello,\n\nsomebody, perhaps you, {asked}.\n\nThe code: {code}\n\nIt is single use and valid for {life}: run \
         `{command}`.\nIf it was not you, {otherwise}.\n",
    ));
    let secret = Zeroizing::new(code.to_owned());
    let letter = Message { to, subject, body, secret, about: purpose.word() };
    post.hand_over(deliver, letter, user_id, context)
}

/// Tells the address that an account had before that it is so no longer. Not which one it is now: the
/// old one may be somebody else's by now, which may be why it was changed.
pub(super) fn tell_left(before: &str, user_id: &str, context: &mut Context) -> anyhow::Result<()> {
    let to = Email::parse(before)?;
    let body = Zeroizing::new(format!(
        "Hello,\n\nthe address of your account is no longer {to}:\nit was changed with a code that was mailed to the \
         new one.\nIf it was not you, tell the administrator of the service.\n"
    ));
    let post = post(&to, context, "tell its owner")?;
    let letter = Message {
        to: &to,
        subject: "Your address was changed",
        body,
        secret: Zeroizing::default(),
        about: "address-left",
    };
    post.hand_over(true, letter, user_id, context)
}

struct Message<'a> {
    to: &'a Email,
    subject: &'a str,
    body: Zeroizing<String>,
    secret: Zeroizing<String>,
    about: &'a str,
}

impl Post {
    fn hand_over(self, deliver: bool, letter: Message<'_>, user_id: &str, context: &mut Context) -> anyhow::Result<()> {
        self.mailer.check(letter.to, letter.subject, &letter.body)?;
        let parcel = Parcel {
            deliver,
            url: self.url,
            from: self.from,
            credentials_file: self.credentials_file,
            to: letter.to.to_string(),
            subject: letter.subject.to_owned(),
            body: letter.body,
            secret: letter.secret,
            report: context.mail_report(user_id, letter.about)?,
        };
        // The last to close a database does the most work: that must not depend on whether the delivery
        // process opens it meanwhile to report a failure.
        context.close_database();
        Ok(parcel.hand_over(context.environment_of_mailer())?)
    }
}

/// The answer after a code was sent. Unless the address is the caller's own, the line is the same whether a user
/// has the address or not.
#[derive(Debug)]
pub(super) struct CodeMailed {
    pub(super) email: Email,
    pub(super) line: String,
}

impl Report for CodeMailed {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        Page::done(self.line.clone())
    }

    fn json(&self) -> Value {
        json!({ "email": self.email.as_str() })
    }
}
