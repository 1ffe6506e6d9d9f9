//! What is mailed, in which words. No command of its own: `password forgot`, `email` and `signup` mail
//! codes, and all of them do it here.
//!
//! No letter holds a name: it goes to an address before anybody has shown that it is theirs, and
//! strangers would put their advertisement there.

use std::path::Path;

use crate::auth::code::Purpose;
use crate::auth::email::Email;
use crate::auth::secret::Code;
use crate::context::Context;
use crate::error::Refusal;
use crate::mail::{MailError, Mailer};
use crate::output::time::amount;

/// The mailer that the policy describes. Where there is none, the refusal says what an operator can do
/// `instead`.
pub(super) fn mailer(context: &mut Context, instead: &'static str) -> anyhow::Result<Mailer> {
    let mail = context.auth()?.policy.mail.clone();
    let (Some(url), Some(from)) = (mail.url, mail.from) else {
        return Err(Refusal::NoMailer { instead }.into());
    };
    Ok(Mailer::new(&url, &from, mail.credentials_file.as_deref().map(Path::new))?)
}

/// Mails a code. Without one all is done but that, so that a mailer which fails does so for every
/// address, and who has one is not told by it.
pub(super) fn deliver(mailer: &Mailer, purpose: Purpose, to: &Email, code: Option<&Code>) -> Result<(), MailError> {
    let Some(code) = code else {
        return mailer.rehearse(to);
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
    let (code, life) = (code.expose(), amount(purpose.life().as_secs().unsigned_abs()));
    let body = format!(
        "Hello,\n\nsomebody, perhaps you, {asked}.\n\nThe code: {code}\n\nIt counts once, for {life}: run \
         `{command}`.\nIf it was not you, {otherwise}.\n"
    );
    mailer.send(to, subject, &body)
}

/// Tells the address that an account had before that it is so no longer. Not which one it is now: the
/// old one may be somebody else's by now, which may be why it was changed.
pub(super) fn tell_left(before: &str, context: &mut Context) -> anyhow::Result<()> {
    let to = Email::parse(before)?;
    let body = format!(
        "Hello,\n\nthe address of your account is no longer {to}:\nit was changed with a code that was mailed to the \
         new one.\nIf it was not you, tell whoever runs the service.\n"
    );
    Ok(mailer(context, "tell its owner")?.send(&to, "Your address was changed", &body)?)
}
