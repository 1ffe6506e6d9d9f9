//! One plain-text message as bytes.

use super::error::MailError;
use crate::auth::email::Email;
use lettre::Message;
use lettre::address::Address;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, MessageId};

/// Makes the message; its date is the moment of sending, which the mail library takes itself.
pub(super) fn compose(from: &Sender, to: &Email, subject: &str, body: &str) -> Result<Message, MailError> {
    // The mail library encodes what could end a header. A line break in one is a mistake all the
    // same, and so is a control character in a text for people.
    if subject.contains(char::is_control) {
        return Err(MailError::Text("subject"));
    }
    // Line ends become CRLF by the mail library. A CR alone is a line end to some servers and none
    // to others, and between two readings a second message can be hidden.
    let body = body.replace("\r\n", "\n");
    if body.contains(|c: char| c.is_control() && c != '\n' && c != '\t') {
        return Err(MailError::Text("text"));
    }
    let sender = Mailbox::new(from.name.clone(), address(&from.email)?);
    let domain = sender.email.domain().to_owned();
    let mut message = Message::builder()
        .from(sender)
        .to(Mailbox::new(None, address(to)?))
        .subject(subject)
        .message_id(None)
        // Tells programs that answer for people on holiday to keep silent (RFC 3834).
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into()))
        .header(ContentType::TEXT_PLAIN)
        .body(body)
        .map_err(|_| MailError::Text("text"))?;
    // Made unique at `localhost`, which filters dislike; the sender's domain is true and known.
    if let Some(id) = message.headers().get::<MessageId>() {
        let id = id.as_ref().replace("@localhost>", &format!("@{domain}>"));
        message.headers_mut().set(MessageId::from(id));
    }
    Ok(message)
}

fn address(email: &Email) -> Result<Address, MailError> {
    email.as_str().parse().map_err(|_| MailError::Address(email.to_string()))
}

/// The longest name in bytes. Encoded it still fits a line of a header or two.
const NAME_BYTES_MAX: usize = 128;

/// An address with or without a name before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// As people see it.
    pub name: Option<String>,
    /// Where answers and failures go.
    pub email: Email,
}

/// Why a text is no `mail.from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SenderError {
    /// No address in it, or no valid one.
    #[error("the sender has no valid email address")]
    Address,
    /// A name with signs that could end a header, or that mail programs read differently.
    #[error("the sender's name may hold no line break, control character, quote, backslash or angle bracket")]
    Name,
    /// A name of more than 128 bytes.
    #[error("the sender's name is longer than {NAME_BYTES_MAX} bytes")]
    TooLong,
}

impl SenderError {
    pub fn hint(&self) -> &'static str {
        "for example accounts@example.com or Example <accounts@example.com>"
    }
}

impl Sender {
    /// Reads `a@b.co`, `Name <a@b.co>` or `"Name" <a@b.co>`.
    ///
    /// # Errors
    /// [`SenderError`].
    pub fn parse(text: &str) -> Result<Self, SenderError> {
        let address = |text| Email::parse(text).map_err(|_| SenderError::Address);
        let Some(inner) = text.strip_suffix('>') else {
            return Ok(Self { name: None, email: address(text)? });
        };
        let (name, email) = inner.split_once('<').ok_or(SenderError::Address)?;
        // Everything is checked before anything is trimmed: a line break counts as a space too.
        if name.contains(char::is_control) {
            return Err(SenderError::Name);
        }
        let name = name.trim();
        let name = name.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(name).trim();
        if name.contains(['"', '\\', '<', '>']) {
            return Err(SenderError::Name);
        }
        if name.len() > NAME_BYTES_MAX {
            return Err(SenderError::TooLong);
        }
        Ok(Self { name: (!name.is_empty()).then(|| name.to_owned()), email: address(email)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_an_address_with_or_without_a_name() {
        for (text, name, email) in [
            ("a@b.co", None, "a@b.co"),
            ("<A@b.co>", None, "a@b.co"),
            ("Ada Lovelace <a@b.co>", Some("Ada Lovelace"), "a@b.co"),
            ("\"Lovelace, Ada\" <a@b.co>", Some("Lovelace, Ada"), "a@b.co"),
            ("Zoë <a@b.co>", Some("Zoë"), "a@b.co"),
        ] {
            let sender = Sender::parse(text).unwrap();
            assert_eq!((sender.name.as_deref(), sender.email.as_str()), (name, email), "{text}");
        }
    }

    #[test]
    fn what_could_break_a_header_is_refused() {
        let long = format!("{} <a@b.co>", "n".repeat(NAME_BYTES_MAX + 1));
        for (text, error) in [
            ("", SenderError::Address),
            ("Ada", SenderError::Address),
            ("Ada a@b.co", SenderError::Address),
            ("Ada <>", SenderError::Address),
            ("Ada <a@b.co", SenderError::Address),
            ("a@b.co>", SenderError::Address),
            ("Ada <a@b.co\r\nBcc: x@y.zz>", SenderError::Address),
            ("a@b.co, c@d.ef", SenderError::Address),
            ("Ada\r\nBcc: x@y.zz <a@b.co>", SenderError::Name),
            ("Ada\n <a@b.co>", SenderError::Name),
            ("A\u{85}da <a@b.co>", SenderError::Name),
            ("A\"da <a@b.co>", SenderError::Name),
            (long.as_str(), SenderError::TooLong),
        ] {
            assert_eq!(Sender::parse(text), Err(error), "{text:?}");
        }
    }
}
