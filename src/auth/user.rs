//! Users, their roles, and the syntax of names and picture addresses.

use jiff::Timestamp;

use super::AuthError;
use super::email::{Email, is_of_machine};
use super::odd::{OddValue, is_id, is_odd};

/// The longest display name in characters.
pub const NAME_CHARS_MAX: usize = 200;
/// The longest image address in bytes.
pub const IMAGE_BYTES_MAX: usize = 2048;

/// A stored user. Field names follow Better Auth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: String,
    /// The display name as the user typed it; escape it before output to a terminal. Empty if it cannot be read.
    pub name: String,
    /// The stored address. It is not an [`Email`], because another program may have stored an invalid address. Empty
    /// if it cannot be read.
    pub email: String,
    /// Whether the user has proved to read mail at this address.
    pub email_verified: bool,
    /// The address of a picture, or the picture as a `data:` URL.
    pub image: Option<String>,
    /// The size in bytes of an image that is too large to read, or not text. `image` is `None` then.
    pub image_left_out: Option<u64>,
    /// [`UNREADABLE`](super::odd::UNREADABLE) if it cannot be read.
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Roles, separated by commas; `None` for the role `user`.
    pub role: Option<String>,
    /// Whether sign-in is refused.
    pub banned: bool,
    pub ban_reason: Option<String>,
    /// The end of the ban; `None` for a permanent one.
    pub ban_expires: Option<Timestamp>,
    /// Whether the app asks this user for a second factor.
    pub two_factor_enabled: bool,
    /// The values that cannot be read. Their fields have values that grant nothing.
    pub odd: Vec<OddValue>,
}

/// The placeholder for a text that is too large to read.
pub fn left_out(bytes: u64) -> String {
    format!("({bytes} bytes, left out)")
}

impl User {
    /// Whether acts find the row by its id.
    pub fn has_id(&self) -> bool {
        is_id(&self.id)
    }

    /// Whether the stored value of a column cannot be read.
    pub fn is_odd(&self, column: &str) -> bool {
        is_odd(&self.odd, column)
    }

    /// The image, or its size if it is too large to read.
    pub fn image_or_size(&self) -> Option<String> {
        self.image.clone().or_else(|| self.image_left_out.map(left_out))
    }

    /// Whether a ban is in force. Like a session, a ban has ended at the time of its end.
    pub fn is_banned(&self, now: Timestamp) -> bool {
        self.banned && self.ban_expires.is_none_or(|end| now < end)
    }

    /// # Errors
    /// [`AuthError::Banned`] if a ban is in force.
    pub fn require_not_banned(&self, now: Timestamp) -> Result<(), AuthError> {
        if self.is_banned(now) {
            return Err(AuthError::Banned { reason: self.ban_reason.clone(), until: self.ban_expires });
        }
        Ok(())
    }

    /// Whether the user is a machine: it owns API tokens, and has no password and no mail.
    pub fn is_machine(&self) -> bool {
        is_of_machine(&self.email)
    }

    /// # Errors
    /// [`AuthError::MachineUser`] for a machine.
    pub fn require_person(&self) -> Result<(), AuthError> {
        if self.is_machine() { Err(AuthError::MachineUser) } else { Ok(()) }
    }

    /// The roles, separated by commas; `user` without a role, as in Better Auth.
    pub fn roles(&self) -> &str {
        self.role.as_deref().unwrap_or("user")
    }

    pub fn has_role(&self, role: &str) -> bool {
        self.roles().split(',').any(|one| one.trim() == role)
    }

    /// Whether the user is an administrator who is not banned.
    pub fn may_impersonate(&self, now: Timestamp) -> bool {
        self.has_role("admin") && !self.is_banned(now)
    }

    /// Whether the user had a role before that is gone now. Every user has the role `user`, so it cannot be lost.
    pub fn has_lost_a_role(&self, before: &Self) -> bool {
        before.roles().split(',').map(str::trim).any(|had| had != "user" && !self.has_role(had))
    }
}

/// Whether a text can be a role: letters, digits, `_` and `-`.
pub fn is_role(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// Why a name or a picture is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    #[error("the name is empty")]
    NameEmpty,
    #[error("the name is longer than {NAME_CHARS_MAX} characters")]
    NameTooLong,
    /// Control characters would act on the terminals that show the name.
    #[error("the name contains control characters")]
    NameControl,
    #[error("the image is not an http:// or https:// address of at most {IMAGE_BYTES_MAX} bytes")]
    Image,
}

/// Checks a display name. It is stored exactly as typed.
pub fn check_name(name: &str) -> Result<&str, ProfileError> {
    if name.trim().is_empty() {
        Err(ProfileError::NameEmpty)
    } else if name.chars().count() > NAME_CHARS_MAX {
        Err(ProfileError::NameTooLong)
    } else if name.chars().any(char::is_control) {
        Err(ProfileError::NameControl)
    } else {
        Ok(name)
    }
}

/// Checks the address of a picture: `http` or `https`, without white space.
pub fn check_image(image: &str) -> Result<&str, ProfileError> {
    let rest = image.strip_prefix("https://").or_else(|| image.strip_prefix("http://"));
    let plain = |rest: &str| !rest.is_empty() && !rest.chars().any(|c| c.is_whitespace() || c.is_control());
    if image.len() <= IMAGE_BYTES_MAX && rest.is_some_and(plain) { Ok(image) } else { Err(ProfileError::Image) }
}

/// As [`check_image`]; an empty text removes the picture.
pub fn checked_image(image: &str) -> Result<Option<String>, ProfileError> {
    if image.is_empty() { Ok(None) } else { check_image(image).map(|image| Some(image.to_owned())) }
}

/// A user, by the whole address or the whole row id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserRef {
    Email(Email),
    Id(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_kept_as_typed_without_control_characters() {
        assert_eq!(check_name(" Ada  Lovelace "), Ok(" Ada  Lovelace "));
        assert_eq!(check_name(" \t"), Err(ProfileError::NameEmpty));
        assert_eq!(check_name("a\u{1b}[2J"), Err(ProfileError::NameControl));
        assert_eq!(check_name("a\u{9b}31m"), Err(ProfileError::NameControl));
        assert_eq!(check_name(&"é".repeat(200)), Ok("é".repeat(200).as_str()));
        assert_eq!(check_name(&"é".repeat(201)), Err(ProfileError::NameTooLong));
    }

    #[test]
    fn image_is_a_web_address() {
        assert!(check_image("https://example.com/a.png").is_ok());
        for image in ["", "https://", "javascript:alert(1)", "https://a b", "ftp://a/b", "https://a\u{7}"] {
            assert_eq!(check_image(image), Err(ProfileError::Image), "{image:?}");
        }
        assert_eq!(check_image(&format!("https://{}", "a".repeat(2041))), Err(ProfileError::Image));
    }

    #[test]
    fn role_is_a_whole_word_of_the_list() {
        let mut user = crate::auth::fixtures::user();
        assert!(user.has_role("user") && !user.has_role("admin"));
        user.role = Some("editor, admin".into());
        assert!(user.has_role("admin") && user.has_role("editor"));
        assert!(!user.has_role("adm"));
    }

    #[test]
    fn role_is_lost_when_it_is_gone_except_user() {
        let with = |role: Option<&str>| User { role: role.map(str::to_owned), ..crate::auth::fixtures::user() };
        for (before, now, loses) in [
            (None, Some("editor"), false),
            (Some("user"), Some("editor"), false),
            (Some("editor, admin"), Some("admin,editor,owner"), false),
            (Some("editor,admin"), Some("admin"), true),
            (Some("admin"), Some("administrator"), true),
            (Some("admin"), None, true),
        ] {
            assert_eq!(with(now).has_lost_a_role(&with(before)), loses, "{before:?} to {now:?}");
        }
    }
}
