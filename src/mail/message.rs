//! One plain-text message as bytes.

use lettre::Message;
use lettre::address::Address;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, MessageId};

use super::error::MailError;
use super::sender::Sender;
use crate::auth::email::Email;

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
