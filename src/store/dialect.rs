//! How a database writes the values that the rules know: times, truth and tokens.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::auth::secret::Token;
use crate::auth::token::digest;

/// The conventions of one kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    token: TokenForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenForm {
    /// SHA-256 in hex, so that a copy of the file lets nobody in.
    Digest,
}

/// A database made by authctl: the article's columns, whole seconds, tokens as digests.
pub(super) const NATIVE: Dialect = Dialect { token: TokenForm::Digest };

impl Dialect {
    /// Writes an instant: whole seconds since 1970, rounded down, as the article's app does.
    #[expect(clippy::unused_self, reason = "the unit of time is the dialect's to choose")]
    pub(super) fn time(self, instant: Timestamp) -> i64 {
        instant.as_millisecond().div_euclid(1000)
    }

    /// Reads an instant; `None` when no calendar knows it.
    #[expect(clippy::unused_self, reason = "the unit of time is the dialect's to choose")]
    pub(super) fn read_time(self, value: i64) -> Option<Timestamp> {
        Timestamp::from_second(value).ok()
    }

    /// Writes a token as the `token` column holds it.
    pub(super) fn token(self, token: &Token) -> Cow<'_, str> {
        match self.token {
            TokenForm::Digest => Cow::Owned(digest(token.expose())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_seconds_rounded_down_also_before_1970() {
        let read = |milliseconds| NATIVE.time(Timestamp::from_millisecond(milliseconds).unwrap());
        assert_eq!((read(1_999), read(2_000), read(-1), read(-1_000)), (1, 2, -1, -1));
        assert_eq!(NATIVE.read_time(i64::MAX), None);
    }

    #[test]
    fn a_token_is_stored_as_its_digest() {
        let token = Token::from_bytes(b"abc").unwrap();
        assert_eq!(NATIVE.token(&token), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
