//! Email addresses: one syntax and one canonical form for storage, look-up and throttling.

use std::fmt;

/// The longest address in bytes (RFC 5321, 4.5.3.1.3, less the angle brackets).
const EMAIL_BYTES_MAX: usize = 254;
/// The longest local part in bytes (RFC 5321, 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;

/// What the addresses of machine users end in: a domain that receives no mail, by RFC 6761.
const OF_MACHINES: &str = "@machine.invalid";

/// Whether an address is one of a machine user.
pub fn is_of_machine(address: &str) -> bool {
    address.len() > OF_MACHINES.len() && address.to_ascii_lowercase().ends_with(OF_MACHINES)
}

/// A valid email address in lower case.
///
/// The syntax is that of Better Auth (ASCII only, a dot in the domain, no quotes, no spaces), so that every
/// address is valid in both programs. A plus tag is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Email(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid email address")]
pub struct InvalidEmail;

impl Email {
    /// Checks the syntax and converts the address to lower case.
    ///
    /// # Errors
    /// [`InvalidEmail`] for anything else than `local@domain.tld` in plain ASCII.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let (local, domain) = text.split_once('@').ok_or(InvalidEmail)?;
        let fits = text.len() <= EMAIL_BYTES_MAX && local.len() <= LOCAL_BYTES_MAX;
        if fits && is_local_part(local) && is_domain(domain) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidEmail)
        }
    }

    /// Reads an address as people paste it, and then as [`Self::parse`] does.
    ///
    /// # Errors
    /// Those of [`Self::parse`].
    pub fn typed(text: &str) -> Result<Self, InvalidEmail> {
        Self::parse(pasted(text))
    }

    /// The address of a machine user, which receives no mail.
    ///
    /// # Errors
    /// [`InvalidEmail`] for a name that cannot be the part before the `@`.
    pub fn of_machine(name: &str) -> Result<Self, InvalidEmail> {
        Self::parse(&[name, OF_MACHINES].concat())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or(self.as_str(), |(local, _)| local)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The characters that count as blanks around an address.
const BLANKS: &str = " \t\r\n\u{a0}";

/// An address without the blanks around it.
pub fn without_blanks(address: &str) -> &str {
    address.trim_matches(|c| BLANKS.contains(c))
}

/// The address in a text that was copied from a mail program or a page: without blanks around it, a comma or semicolon
/// after it, `mailto:` before it, and the name in `Name <address>`.
pub fn pasted(text: &str) -> &str {
    const SCHEME: &str = "mailto:";
    let text = text.trim_matches(|c| BLANKS.contains(c)).trim_end_matches(|c| BLANKS.contains(c) || ",;".contains(c));
    // A name with an address in it could mean either address.
    let inner = text.strip_suffix('>').and_then(|text| text.split_once('<')).filter(|(name, _)| !name.contains('@'));
    let address = without_blanks(inner.map_or(text, |(_, address)| address));
    match address.get(..SCHEME.len()) {
        Some(scheme) if scheme.eq_ignore_ascii_case(SCHEME) => &address[SCHEME.len()..],
        _ => address,
    }
}

/// Whether two texts are spellings of one address: they differ at most in case and in blanks around them.
pub fn is_same_address(one: &str, other: &str) -> bool {
    without_blanks(one).eq_ignore_ascii_case(without_blanks(other))
}

fn is_local_part(local: &str) -> bool {
    let atoms_are_plain = local.split('.').all(|atom| {
        !atom.is_empty() && atom.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'\'' | b'+' | b'-'))
    });
    atoms_are_plain && !local.ends_with('\'')
}

fn is_domain(domain: &str) -> bool {
    let Some((labels, tld)) = domain.rsplit_once('.') else {
        return false;
    };
    let labels_are_plain = labels.split('.').all(|label| {
        label.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    });
    labels_are_plain && tld.len() >= 2 && tld.bytes().all(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn address_is_lower_case_and_keeps_its_plus_tag() {
        let email = Email::parse("Ada.Lovelace+Test@Example.COM").unwrap();
        assert_eq!(email.as_str(), "ada.lovelace+test@example.com");
        assert_eq!(email.local_part(), "ada.lovelace+test");
    }

    #[test]
    fn machine_has_an_address_without_mail() {
        assert_eq!(Email::of_machine("Deploy-bot").unwrap().as_str(), "deploy-bot@machine.invalid");
        for name in ["", "a b", "a@b", "ü"] {
            assert!(Email::of_machine(name).is_err(), "{name}");
        }
        assert!(is_of_machine("A@Machine.INVALID") && !is_of_machine("a@machine.invalid.example.com"));
        assert!(!is_of_machine("a@xmachine.invalid") && !is_of_machine("@machine.invalid"));
    }

    #[test]
    fn pasted_address_is_read() {
        for text in [
            " a@b.co\n",
            "\u{a0}a@b.co\u{a0}",
            "a@b.co,",
            "a@b.co ; ",
            "mailto:a@b.co",
            "MAILTO:A@B.co",
            "<a@b.co>",
            "Ada Lovelace <a@b.co>",
            "\"Lovelace, Ada\" <mailto:a@b.co>,",
        ] {
            assert_eq!(Email::typed(text).unwrap().as_str(), "a@b.co", "{text:?}");
        }
    }

    #[test]
    fn pasted_text_with_two_addresses_is_refused() {
        for text in ["a@b.co,c@d.ef", "a@b.co <c@d.ef>", "a@b.co c@d.ef", "<<a@b.co>>", "<a@b.co> <c@d.ef>", "mailto:"]
        {
            assert_eq!(Email::typed(text), Err(InvalidEmail), "{text:?}");
        }
    }

    #[test]
    fn ambiguous_addresses_are_refused() {
        for text in [
            "",
            "a",
            "a@",
            "@b.co",
            "a@b",
            "a@b.c",
            "a b@c.de",
            " a@b.co",
            "a@b.co ",
            "a@b.co\n",
            "a@@b.co",
            "a@b@c.de",
            "\"a@evil.org\"@x.org",
            "<a@b.co>",
            "a@b.co,c@d.ef",
            "a\r\nBcc: x@y.zz",
            "a..b@c.de",
            ".a@b.co",
            "a.@b.co",
            "a'@b.co",
            "a@-b.co",
            "a@b..co",
            "a@.co",
            "a@b.c0",
            "é@b.co",
            "a＠evil.org@x.org",
            "a@faß.de",
            "INFO@x.İo",
            "a\0@b.co",
        ] {
            assert_eq!(Email::parse(text), Err(InvalidEmail), "{text:?}");
        }
    }

    #[test]
    fn case_and_blanks_around_it_are_the_spelling_of_an_address() {
        for spelling in ["a@b.co", "A@B.co", " a@b.co", "a@b.co\r\n", "\u{a0}\ta@b.Co "] {
            assert!(is_same_address(spelling, "a@b.co") && is_same_address("A@b.co ", spelling), "{spelling:?}");
        }
        for other in ["", "a @b.co", "a@b.co.", "a@b.co x", "\u{200b}a@b.co"] {
            assert!(!is_same_address(other, "a@b.co"), "{other:?}");
        }
    }

    #[test]
    fn limits_of_the_mail_standard_hold() {
        let local = "a".repeat(64);
        assert!(Email::parse(&format!("{local}@example.com")).is_ok());
        assert!(Email::parse(&format!("{local}a@example.com")).is_err());
        let domain = format!("{}.com", "d".repeat(254 - 2 - 4));
        assert!(Email::parse(&format!("a@{domain}")).is_ok());
        assert!(Email::parse(&format!("a@d{domain}")).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_has_a_stable_canonical_form(text in "\\PC*") {
            if let Ok(email) = Email::parse(&text) {
                prop_assert_eq!(Email::parse(email.as_str()).unwrap(), email);
            }
        }

        #[test]
        fn addresses_of_the_accepted_shape_parse(text in "[A-Za-z0-9_+-]{1,20}(\\.[a-z0-9]{1,5})?@([a-z0-9][a-z0-9-]{0,9}\\.){1,3}[A-Za-z]{2,6}") {
            prop_assert!(Email::parse(&text).is_ok(), "{}", text);
        }
    }
}
