//! Who a message is from: the value of `mail.from`.

use crate::auth::email::Email;

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
    /// What to do.
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
