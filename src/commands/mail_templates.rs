//! The text of mail. `password forgot`, `email` and `signup` use it to mail codes, `orgs invite` invitations.
//!
//! Mail contains no name of a user: it goes to addresses that are not verified, and the name could hold
//! advertising. An operator chooses the organization that an invitation names.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::auth::codes::{CodeToMail, Purpose};
use crate::auth::email::Email;
use crate::auth::organization::{Invitation, OrganizationInfo};
use crate::auth::policy::{Policy, ServiceRules};
use crate::context::Context;
use crate::error::CommandError;
use crate::mail::{Mailer, Parcel};
use crate::output::text::{amount, cell, rfc3339};
use crate::output::{Page, Report, Style};

/// The mail settings of the policy, checked as far as possible without a server.
pub(super) struct Outbox {
    mailer: Mailer,
    url: String,
    from: String,
    credentials_file: Option<PathBuf>,
    service: ServiceRules,
}

/// Reads the mail settings. Without settings, the error says what an operator can do `instead`. It reveals nothing
/// about the recipient, so it comes before the address is looked up.
pub(super) fn outbox(to: &Email, context: &mut Context, instead: &'static str) -> anyhow::Result<Outbox> {
    let Policy { mail, service, .. } = context.auth()?.policy.clone();
    let (Some(url), Some(from)) = (mail.url, mail.from) else {
        return Err(CommandError::NoMailer { instead }.into());
    };
    let credentials_file = mail.credentials_file.map(std::path::absolute).transpose()?;
    let mailer = Mailer::new(&url, &from, credentials_file.as_deref())?
        .with_environment(context.environment_of_mailer().to_vec());
    mailer.check(to, "", "")?;
    Ok(Outbox { mailer, url, from, credentials_file, service })
}

/// Mails a code after the answer. Without a code, everything but the delivery happens, including the process and the
/// text of the message, so that the caller cannot learn whether a user has the address.
pub(super) fn mail_code(
    outbox: Outbox,
    purpose: Purpose,
    to: &Email,
    code: Option<&CodeToMail>,
    context: &mut Context,
) -> anyhow::Result<()> {
    let deliver = code.is_some();
    // As long as a code.
    let placeholder = "-".repeat(purpose.code_length(context.is_guest()));
    let (user_id, code) = match code {
        Some(CodeToMail { user_id, code }) => (user_id.as_str(), code.expose()),
        None => ("", placeholder.as_str()),
    };
    let at = outbox.at_service();
    let (subject, asked, command, otherwise) = match purpose {
        Purpose::ResetPassword => (
            "A code for a new password",
            format!("asked for a new password for {to}{at}"),
            "authctl password reset",
            "nothing has changed and nothing needs to be done",
        ),
        Purpose::EmailVerification => (
            "A code to verify your address",
            format!("gave {to} as the address of their account{at}"),
            "authctl email verify",
            "ignore this: without the code nothing is verified",
        ),
        Purpose::ChangeEmail => (
            "A code to change your address",
            format!("wants {to}\nto be the new address of their account{at}"),
            "authctl email verify",
            "ignore this: without the code nothing changes",
        ),
    };
    let life = amount(purpose.life().as_secs().unsigned_abs());
    let link = page_for_it(outbox.service.url.as_deref(), code, purpose.word());
    let body = Zeroizing::new(format!(
        "Hello,\n\nsomebody, perhaps you, {asked}.\n\nThe code: {code}\n\n{}It is single use and valid for {life}: run \
         `{command}`.\nIf it was not you, {otherwise}.\n",
        *link
    ));
    let secret = Zeroizing::new(code.to_owned());
    let message = Message { to, subject, body, secret, about: purpose.word().to_owned() };
    outbox.hand_over(deliver, message, user_id, context)
}

/// What stands for `{purpose}` in the link to an invitation: the page in the documentation of the plugin.
const INVITATION: &str = "accept-invitation";

/// Mails an invitation after the answer.
pub(super) fn mail_invitation(
    organization: &OrganizationInfo,
    invitation: &Invitation,
    context: &mut Context,
) -> anyhow::Result<()> {
    let Invitation { id, email, role, expires_at } = invitation;
    let to = Email::parse(email)?;
    let outbox = outbox(&to, context, "give the id of the invitation to the invited person")?;
    let at = outbox.at_service();
    // A link to the page for one kind of codes does not accept invitations.
    let page = outbox.service.url.as_deref().filter(|url| url.contains(PURPOSE));
    let link = page_for_it(page, id, INVITATION);
    let name = cell(&organization.name);
    let body = Zeroizing::new(format!(
        "Hello,\n\nyou are invited to join {name}{at}, as {role}.\n\nThe invitation: {id}\n\n{}Sign in with the address {to},\nand accept \
         it before {}.\nIf you do not expect it, ignore this: without you nothing changes.\n",
        *link,
        rfc3339(expires_at.round(jiff::Unit::Minute).unwrap_or(*expires_at))
    ));
    let secret = Zeroizing::new(id.clone());
    let about = format!("invitation of {to}");
    outbox.hand_over(true, Message { to: &to, subject: "An invitation", body, secret, about }, "", context)
}

/// Notifies the old address of an account that it was replaced. The message does not name the new one, because
/// another person may own the old address now.
pub(super) fn notify_old_address(before: &str, user_id: &str, context: &mut Context) -> anyhow::Result<()> {
    let to = Email::parse(before)?;
    let outbox = outbox(&to, context, "tell its owner")?;
    let at = outbox.at_service();
    let body = Zeroizing::new(format!(
        "Hello,\n\nthe address of your account{at} is no longer {to}:\nit was changed with a code that was mailed to the \
         new one.\nIf it was not you, tell the administrator of the service.\n"
    ));
    let message = Message {
        to: &to,
        subject: "Your address was changed",
        body,
        secret: Zeroizing::default(),
        about: "address-left".to_owned(),
    };
    outbox.hand_over(true, message, user_id, context)
}

struct Message<'a> {
    to: &'a Email,
    subject: &'a str,
    body: Zeroizing<String>,
    secret: Zeroizing<String>,
    /// What was mailed, for the entry about a delivery that failed.
    about: String,
}

/// What stands for the purpose of a code in `service.url`.
const PURPOSE: &str = "{purpose}";

/// The part of a message with the page that takes the code; empty without a page. Neither word needs an encoding in an
/// address.
fn page_for_it(url: Option<&str>, code: &str, purpose: &str) -> Zeroizing<String> {
    let link = url.map(|url| Zeroizing::new(url.replace(PURPOSE, purpose).replace("{code}", code)));
    Zeroizing::new(link.map_or_else(String::new, |link| format!("The page for it:\n{}\n\n", *link)))
}

/// Refuses a link that would send codes unencrypted, or that a mail program would cut.
pub(super) fn check_link(url: &str) -> Result<(), CommandError> {
    let is_local = ["http://localhost", "http://127.0.0.1", "http://[::1]"].iter().any(|local| {
        url.strip_prefix(local).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/', '?', '#']))
    });
    let has_host = url.strip_prefix("https://").is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric()));
    let rest = url.replace("{code}", "").replace(PURPOSE, "");
    let problem = if !is_local && !has_host {
        "it does not begin with https://HOST"
    } else if rest.contains(['{', '}']) {
        "the only words in braces are {code} and {purpose}"
    } else if rest.contains(|c: char| c.is_whitespace() || "<>\"`".contains(c)) {
        "it has a character that ends a link"
    } else {
        return Ok(());
    };
    Err(CommandError::Usage {
        message: format!("service.url cannot be a link: {problem}"),
        hint: "give an address such as 'https://example.com/reset?code={code}'",
    })
}

impl Outbox {
    /// The service, at the end of a sentence about an account.
    fn at_service(&self) -> String {
        self.service.name.as_ref().map_or_else(String::new, |name| format!(" at {name}"))
    }

    fn hand_over(
        self,
        deliver: bool,
        message: Message<'_>,
        user_id: &str,
        context: &mut Context,
    ) -> anyhow::Result<()> {
        let subject = match &self.service.name {
            Some(name) => format!("{name}: {}", message.subject),
            None => message.subject.to_owned(),
        };
        self.mailer.check(message.to, &subject, &message.body)?;
        let parcel = Parcel {
            deliver,
            url: self.url,
            from: self.from,
            credentials_file: self.credentials_file,
            to: message.to.to_string(),
            subject,
            body: message.body,
            secret: message.secret,
            report: context.mail_report(user_id, &message.about)?,
        };
        // The last connection to a database does the most work when it closes. Closed here, that time does not depend
        // on whether the delivery process opens the database to report a failure.
        context.close_database();
        Ok(parcel.hand_over(&context.environment_of_delivery())?)
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
