//! Access to a user's account: everything in a database that gives it, and the act that ends all of it.
//!
//! A session is only one kind of access. An API key, a refresh token, a trusted device or a pending link let a thief
//! back in after the sessions ended, and most of them never meet a ban.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::codes::Purpose;
use super::secret::{Code, HASHED_BYTES, hashed_identifier};
use super::storage::{AdminGuard, Ban, Lockdown};
use super::user::User;
use super::{Auth, AuthError};

/// A kind of access to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessKind {
    /// A session of the user, impersonated or not.
    Session,
    /// A session in which the user acts as another one.
    Impersonation,
    /// An OAuth access token that is stored as a row.
    AccessToken,
    RefreshToken,
    ApiKey,
    /// A code with which a device signs in.
    DeviceCode,
    /// A device that signs in without the second factor.
    TrustedDevice,
    /// A sign-in that waits for the second factor.
    Challenge,
    /// A code or a link, mailed or handed out.
    Code,
}

impl AccessKind {
    pub const ALL: [Self; 9] = [
        Self::Session,
        Self::Impersonation,
        Self::AccessToken,
        Self::RefreshToken,
        Self::ApiKey,
        Self::DeviceCode,
        Self::TrustedDevice,
        Self::Challenge,
        Self::Code,
    ];

    /// The name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Session => "sessions",
            Self::Impersonation => "impersonations",
            Self::AccessToken => "oauthAccessTokens",
            Self::RefreshToken => "oauthRefreshTokens",
            Self::ApiKey => "apiKeys",
            Self::DeviceCode => "deviceCodes",
            Self::TrustedDevice => "trustedDevices",
            Self::Challenge => "pendingSignIns",
            Self::Code => "codes",
        }
    }

    /// The noun for one of them.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Impersonation => "impersonation",
            Self::AccessToken => "OAuth access token",
            Self::RefreshToken => "OAuth refresh token",
            Self::ApiKey => "API key",
            Self::DeviceCode => "device code",
            Self::TrustedDevice => "trusted device",
            Self::Challenge => "unfinished sign-in",
            Self::Code => "pending code",
        }
    }

    /// The table in which it is stored, by Better Auth's name; `None` for a table of a plugin.
    pub fn table(self) -> Option<&'static str> {
        match self {
            Self::Session | Self::Impersonation => Some("session"),
            Self::TrustedDevice | Self::Challenge | Self::Code => Some("verification"),
            Self::AccessToken | Self::RefreshToken | Self::ApiKey | Self::DeviceCode => None,
        }
    }

    /// Whether it makes a session before it is of use, so that a ban stops it.
    pub fn meets_a_ban(self) -> bool {
        matches!(self, Self::Session | Self::DeviceCode | Self::TrustedDevice | Self::Challenge | Self::Code)
    }
}

/// How many of each kind of access exist. The database of an app may not tell it for some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessCounts([Option<u64>; AccessKind::ALL.len()]);

impl Default for AccessCounts {
    fn default() -> Self {
        Self([Some(0); AccessKind::ALL.len()])
    }
}

impl AccessCounts {
    /// The number of one kind; `None` if it is not known.
    pub fn of(&self, kind: AccessKind) -> Option<u64> {
        self.0[kind as usize]
    }

    pub fn add(&mut self, kind: AccessKind, count: u64) {
        if let Some(known) = &mut self.0[kind as usize] {
            *known += count;
        }
    }

    /// The kinds that are known to exist, in the order of [`AccessKind::ALL`].
    pub fn existing(&self) -> impl Iterator<Item = (AccessKind, u64)> + '_ {
        AccessKind::ALL.into_iter().filter_map(|kind| Some((kind, self.of(kind)?))).filter(|(_, count)| *count > 0)
    }

    /// Only the kinds that a condition selects. What is not known stays so.
    #[must_use]
    pub fn only(mut self, is_kept: impl Fn(AccessKind) -> bool) -> Self {
        for kind in AccessKind::ALL.into_iter().filter(|kind| !is_kept(*kind)) {
            self.0[kind as usize] = self.of(kind).map(|_| 0);
        }
        self
    }

    /// Without the numbers that the database does not tell.
    #[must_use]
    pub fn known(mut self, is_known: impl Fn(AccessKind) -> bool) -> Self {
        for kind in AccessKind::ALL.into_iter().filter(|kind| !is_known(*kind)) {
            self.0[kind as usize] = None;
        }
        self
    }

    /// Whether all numbers are known.
    pub fn is_complete(&self) -> bool {
        self.0.iter().all(Option::is_some)
    }

    /// Whether nothing is known to exist.
    pub fn is_empty(&self) -> bool {
        self.existing().next().is_none()
    }
}

/// The access to an account, and what else an operator must know about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountAccess {
    pub counts: AccessCounts,
    /// The providers of the user's accounts, `credential` for a password.
    pub providers: Vec<String>,
    pub passkeys: u64,
    /// Whether the app signs JWTs, which are valid until they expire.
    pub signs_jwts: bool,
}

/// The rows of `verification` that belong to a user.
#[derive(Debug)]
pub struct Owner<'a> {
    pub user_id: &'a str,
    pub email: &'a str,
    pub phone: Option<&'a str>,
    /// The identifiers of codes for the phone number.
    sent: Vec<String>,
    /// The identifiers of codes for the address and the phone number, as an app hashes them on request.
    hashed: Vec<String>,
}

/// The purposes of the codes that an app mails.
const MAILED: [&str; 3] = ["sign-in", "email-verification", "forget-password"];
/// What precedes the phone number in the identifier of a code, and what follows it: those of older versions come last.
const SENT: [(&str, &str); 4] =
    [("phone-number-otp-", ""), ("phone-number-reset-", ""), ("", ""), ("", "-request-password-reset")];
/// What begins the identifier of a row with the id of a user, beside the purposes of codes.
const OF_USER: [&str; 3] = ["delete-account-", "trust-device-", "2fa-"];
/// What begins the identifier of a row of a challenge, before that of the challenge. The value is no user.
const OF_CHALLENGE: [&str; 2] = ["2fa-attempts-", "2fa-otp-"];
/// The JSON fields that hold the id of a user.
const ID_FIELDS: [&str; 3] = ["userId", "user_id", "sub"];

impl<'a> Owner<'a> {
    pub fn new(user_id: &'a str, email: &'a str, phone: Option<&'a str>) -> Self {
        let phone = phone.filter(|phone| !phone.is_empty());
        let mailed = MAILED.iter().filter(|_| !email.is_empty()).map(|purpose| format!("{purpose}-otp-{email}"));
        let sent = phone.iter().flat_map(|phone| SENT.map(|(before, after)| format!("{before}{phone}{after}")));
        let sent: Vec<String> = sent.collect();
        let hashed = mailed.chain(sent.iter().cloned()).map(|identifier| hashed_identifier(&identifier)).collect();
        Self { user_id, email, phone, sent, hashed }
    }
}

impl Owner<'_> {
    /// Which access a row of `verification` gives, if it is one of this user. An app stores codes under the address or
    /// the phone number, and links with an object that names the address or the user.
    pub fn access_of(&self, identifier: &str, value: &str) -> Option<AccessKind> {
        if challenge_of(identifier).is_some() {
            return None;
        }
        let rest = value.strip_prefix(self.user_id).filter(|_| !self.user_id.is_empty());
        let is_id = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('\n'));
        if is_id && self.may_be_id_under(identifier) {
            return Some(if identifier.starts_with("trust-device-") {
                AccessKind::TrustedDevice
            } else if identifier.starts_with("2fa-") {
                AccessKind::Challenge
            } else {
                AccessKind::Code
            });
        }
        (self.is_named_by(identifier) || self.is_in(value)).then_some(AccessKind::Code)
    }

    /// Whether a value that is the user's id means the user. A number means anything in a row that is not known.
    fn may_be_id_under(&self, identifier: &str) -> bool {
        let is_purpose = |word: &str| Purpose::ALL.iter().any(|purpose| purpose.word() == word);
        !self.user_id.bytes().all(|byte| byte.is_ascii_digit())
            || OF_USER.iter().any(|known| identifier.starts_with(known))
            || identifier.split_once(':').is_some_and(|(word, _)| is_purpose(word))
            || identifier.len() == HASHED_BYTES as usize
    }

    /// Whether an identifier is that of a code for the user's address or phone number.
    fn is_named_by(&self, identifier: &str) -> bool {
        let is_email = |text: &str| !self.email.is_empty() && text.eq_ignore_ascii_case(self.email);
        let is_otp = identifier
            .split_once("-otp-")
            .is_some_and(|(_, rest)| is_email(rest) || rest.split_once(':').is_some_and(|(id, _)| id == self.user_id));
        let is_known = self.sent.iter().chain(&self.hashed).any(|known| known == identifier);
        is_otp || is_email(identifier) || is_known
    }

    /// Whether a JSON object is about the user: by its own fields, or by those of the account that it links. The other
    /// fields may name anyone, such as the user who invited this one.
    fn is_in(&self, value: &str) -> bool {
        let object = Some(value).filter(|value| value.starts_with('{'));
        let Some(object) = object.and_then(|value| serde_json::from_str::<Value>(value).ok()) else { return false };
        self.is_named_in(&object) || self.is_named_in(&object["link"])
    }

    fn is_named_in(&self, object: &Value) -> bool {
        let is_id = |id: &Value| match id {
            Value::String(text) => !text.is_empty() && text == self.user_id,
            Value::Number(number) => number.to_string() == self.user_id,
            _ => false,
        };
        let is_email = |email: &str| !email.is_empty() && email.eq_ignore_ascii_case(self.email);
        ID_FIELDS.iter().any(|field| is_id(&object[field])) || object["email"].as_str().is_some_and(is_email)
    }
}

/// The identifier of the challenge to which a row belongs: its count of wrong codes, or its code.
pub fn challenge_of(identifier: &str) -> Option<&str> {
    OF_CHALLENGE.iter().find_map(|prefix| identifier.strip_prefix(prefix))
}

/// A user after a lockdown, and what ended.
#[derive(Debug)]
pub struct LockedDown {
    pub user: User,
    pub ended: AccessCounts,
    /// A code with which the user sets a new password, and its end.
    pub code: Option<(Code, Timestamp)>,
}

/// What an operator asks for besides the end of all access.
#[derive(Debug, Clone, Copy, Default)]
pub struct LockdownRequest<'a> {
    /// Refuses every sign-in from now on, for the reason.
    pub ban: Option<Option<&'a str>>,
    /// The life of a code with which the user sets a new password.
    pub reset_code: Option<SignedDuration>,
}

impl Auth<'_> {
    /// Counts the access to a user's account that a lockdown would end.
    ///
    /// # Errors
    /// [`AuthError::NoSuchUser`].
    pub fn account_access(&mut self, user: &User) -> Result<AccountAccess, AuthError> {
        self.store.account_access(&user.id, self.now)?.ok_or_else(|| AuthError::NoSuchUser(user.id.clone()))
    }

    /// Ends all access to a user's account that the database holds, in one transaction. `rehearses` takes it back, and
    /// no code counts then.
    ///
    /// # Errors
    /// [`AuthError::LastAdmin`] with a ban, [`AuthError::NoSuchUser`].
    pub fn lock_down(
        &mut self,
        user: &User,
        request: LockdownRequest<'_>,
        guard: AdminGuard,
        rehearses: bool,
    ) -> Result<LockedDown, AuthError> {
        let code = request.reset_code.map(|_| self.new_code(Purpose::ResetPassword)).transpose()?;
        let new = match (&code, request.reset_code) {
            (Some(code), Some(ttl)) => Some(self.code_row(Purpose::ResetPassword, user, None, code, ttl)?),
            _ => None,
        };
        let expires_at = new.as_ref().map(|new| new.stored.expires_at);
        let ban = request.ban.map(|reason| Ban::Imposed { reason: reason.map(str::to_owned), until: None });
        let lockdown = Lockdown { user_id: &user.id, ban, guard, code: new.as_ref(), now: self.now };
        let done =
            if rehearses { self.store.rehearse_lockdown(&lockdown)? } else { self.store.lock_down(&lockdown)? };
        let (user, ended) = done?;
        Ok(LockedDown { user, ended, code: code.zip(expires_at) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pending_row_of_a_user_is_found_by_every_name() {
        let owner = Owner::new("u1", "ada@example.com", Some("+4912345"));
        for (identifier, value, kind) in [
            ("reset-password:abc", "u1", Some(AccessKind::Code)),
            ("reset-password:abc", "u1\nada@example.com", Some(AccessKind::Code)),
            ("trust-device-abc", "u1", Some(AccessKind::TrustedDevice)),
            ("2fa-abc", "u1", Some(AccessKind::Challenge)),
            ("delete-account-abc", "u1", Some(AccessKind::Code)),
            ("sign-in-otp-ada@example.com", "123456:0", Some(AccessKind::Code)),
            ("forget-password-otp-Ada@Example.com", "123456:0", Some(AccessKind::Code)),
            ("change-email-otp-u1:new@example.com", "123456:0", Some(AccessKind::Code)),
            ("+4912345", "123456:0", Some(AccessKind::Code)),
            ("+4912345-request-password-reset", "123456:0", Some(AccessKind::Code)),
            ("phone-number-otp-+4912345", "123456:0", Some(AccessKind::Code)),
            ("phone-number-reset-+4912345", "123456:0", Some(AccessKind::Code)),
            ("magic-link:abc", r#"{"type":"magic-link","email":"ADA@example.com"}"#, Some(AccessKind::Code)),
            ("abc", r#"{"callbackURL":"/","link":{"email":"x@example.com","userId":"u1"}}"#, Some(AccessKind::Code)),
            ("abc", r#"{"type":"authorization_code","query":{"scope":["a"]},"userId":"u1"}"#, Some(AccessKind::Code)),
            (&hashed_identifier("sign-in-otp-ada@example.com"), "123456:0", Some(AccessKind::Code)),
            (&hashed_identifier("+4912345"), "123456:0", Some(AccessKind::Code)),
            (&hashed_identifier("phone-number-otp-+4912345"), "123456:0", Some(AccessKind::Code)),
            // Rows of others, also of one whose id or address begins or ends like this one's.
            ("reset-password:abc", "u12", None),
            ("trust-device-u1", "u2", None),
            ("sign-in-otp-xada@example.com", "123456:0", None),
            ("+49123456", "123456:0", None),
            ("phone-number-otp-+49123456", "123456:0", None),
            ("magic-link:abc", r#"{"email":"ada@example.com.evil.example"}"#, None),
            ("magic-link:abc", r#"{"email":"ada@example.com"#, None),
            ("2fa-attempts-2fa-abc", "1", None),
            ("abc", r#"{"query":{"scope":["a","u1"]},"state":"u1"}"#, None),
            (&hashed_identifier("sign-in-otp-bob@example.com"), "123456:0", None),
            ("2fa-attempts-2fa-abc", "u1", None),
            ("2fa-otp-ada@example.com", "u1", None),
            ("invite:abc", r#"{"email":"dan@example.com","invitedBy":"ada@example.com"}"#, None),
            ("invite:abc", r#"{"email":"dan@example.com","by":{"userId":"u1"},"inviteruserId":"u1"}"#, None),
            ("invite:abc", r#"{"email":["ada@example.com"],"userId":{"id":"u1"}}"#, None),
        ] {
            assert_eq!(owner.access_of(identifier, value), kind, "{identifier} {value}");
        }
    }

    #[test]
    fn number_is_a_user_only_where_the_library_puts_one() {
        let owner = Owner::new("2", "bob@example.com", None);
        let hashed = hashed_identifier("trust-device-abc");
        for (identifier, value, kind) in [
            ("reset-password:abc", "2", Some(AccessKind::Code)),
            ("change-email:abc", "2\nbob@example.com\nnew@example.com", Some(AccessKind::Code)),
            ("delete-account-abc", "2", Some(AccessKind::Code)),
            ("trust-device-abc", "2", Some(AccessKind::TrustedDevice)),
            ("2fa-abc", "2", Some(AccessKind::Challenge)),
            (&hashed, "2", Some(AccessKind::Code)),
            ("abc", r#"{"type":"authorization_code","userId":2}"#, Some(AccessKind::Code)),
            ("2fa-attempts-2fa-abc", "2", None),
            ("siwe:abc", "2", None),
            ("checkout", "2\nitems", None),
            ("abc", r#"{"userId":12,"count":2,"id":"2"}"#, None),
        ] {
            assert_eq!(owner.access_of(identifier, value), kind, "{identifier} {value}");
        }
        let other = Owner::new("u2", "", None);
        assert_eq!(other.access_of("checkout", "u2"), Some(AccessKind::Code), "only a user has this id");
    }

    #[test]
    fn user_without_address_or_id_owns_nothing() {
        let owner = Owner::new("", "", Some(""));
        for (identifier, value) in [("a-otp-", ""), ("", r#"{"email":""}"#), ("x", "\n")] {
            assert_eq!(owner.access_of(identifier, value), None, "{identifier} {value}");
        }
    }

    #[test]
    fn kinds_are_counted_in_their_order() {
        let mut counts = AccessCounts::default();
        assert!(counts.is_empty());
        counts.add(AccessKind::Code, 1);
        counts.add(AccessKind::Session, 2);
        counts.add(AccessKind::Code, 1);
        assert_eq!(counts.existing().collect::<Vec<_>>(), [(AccessKind::Session, 2), (AccessKind::Code, 2)]);
        assert_eq!(counts.only(|kind| !kind.meets_a_ban()), AccessCounts::default());
        for (index, kind) in AccessKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index);
        }
    }

    #[test]
    fn unknown_count_stays_unknown() {
        let mut counts = AccessCounts::default().known(|kind| kind.table() != Some("session"));
        counts.add(AccessKind::Session, 2);
        counts.add(AccessKind::Code, 1);
        let open = counts.only(|kind| kind == AccessKind::ApiKey);
        assert_eq!([counts, open].map(|counts| counts.of(AccessKind::Session)), [None, None]);
        assert_eq!([counts, open].map(|counts| counts.of(AccessKind::Code)), [Some(1), Some(0)]);
        assert_eq!((counts.is_complete(), AccessCounts::default().is_complete()), (false, true));
        assert_eq!(counts.existing().collect::<Vec<_>>(), [(AccessKind::Code, 1)]);
    }
}
