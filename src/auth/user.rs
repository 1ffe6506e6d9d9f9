//! Users: who they are, how they are named on a command line, and what their name may be.

use jiff::Timestamp;

use super::email::Email;

/// The longest display name in characters.
pub const NAME_CHARS_MAX: usize = 200;
/// The longest image address in bytes.
pub const IMAGE_BYTES_MAX: usize = 2048;

/// A user as stored. Field names follow Better Auth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Row id, opaque.
    pub id: String,
    /// Display name; may hold anything its owner typed, so it is escaped before a terminal sees it.
    pub name: String,
    /// Address as stored. Text and not [`Email`]: a row made by somebody else may break our syntax.
    pub email: String,
    /// Whether the owner has shown that they read mail at this address.
    pub email_verified: bool,
    /// Address of a picture, or the picture itself as a `data:` URL.
    pub image: Option<String>,
    /// The size in bytes of an image that is too large to be read; `image` is absent then.
    pub image_left_out: Option<u64>,
    /// When the user was made.
    pub created_at: Timestamp,
    /// When the row last changed.
    pub updated_at: Timestamp,
    /// Roles, separated by commas; absent means an ordinary user.
    pub role: Option<String>,
    /// Whether sign-in is refused.
    pub banned: bool,
    pub ban_reason: Option<String>,
    /// When the ban ends; absent for a permanent one.
    pub ban_expires: Option<Timestamp>,
    /// Whether the app asks this user for a second factor.
    pub two_factor_enabled: bool,
}

/// What stands for a text that is too large to be read.
pub fn left_out(bytes: u64) -> String {
    format!("({bytes} bytes, left out)")
}

impl User {
    /// The image as text; one that is too large to be read is told by its size.
    pub fn image_or_size(&self) -> Option<String> {
        self.image.clone().or_else(|| self.image_left_out.map(left_out))
    }

    /// Whether a ban is in force at this moment. Like a session, a ban that ends now has ended.
    pub fn is_banned(&self, now: Timestamp) -> bool {
        self.banned && self.ban_expires.is_none_or(|end| now < end)
    }

    /// The roles, separated by commas. Who has none is a user, as in Better Auth.
    pub fn roles(&self) -> &str {
        self.role.as_deref().unwrap_or("user")
    }

    /// Whether one of the user's roles is the given one.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles().split(',').any(|one| one.trim() == role)
    }

    /// Whether the user may act as others by the rights of the account: an administrator who is not
    /// banned.
    pub fn may_impersonate(&self, now: Timestamp) -> bool {
        self.has_role("admin") && !self.is_banned(now)
    }

    /// Whether the user had a role before that is gone now. To be a user is no role that could be
    /// lost: everybody is.
    pub fn has_lost_a_role(&self, before: &Self) -> bool {
        before.roles().split(',').map(str::trim).any(|had| had != "user" && !self.has_role(had))
    }
}

/// What a text that names a person may not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Nothing but white space.
    #[error("the name is empty")]
    NameEmpty,
    /// More than [`NAME_CHARS_MAX`] characters.
    #[error("the name is longer than {NAME_CHARS_MAX} characters")]
    NameTooLong,
    /// Control characters would act on the terminals that show the name.
    #[error("the name contains control characters")]
    NameControl,
    /// Not an `http` or `https` address, or longer than [`IMAGE_BYTES_MAX`] bytes.
    #[error("the image is not an http:// or https:// address of at most {IMAGE_BYTES_MAX} bytes")]
    Image,
}

/// Checks a display name and returns it as it will be stored: exactly as typed.
///
/// # Errors
/// [`ProfileError`] when it is blank, too long or contains control characters.
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

/// Checks the address of a picture.
///
/// # Errors
/// [`ProfileError::Image`] for anything but an `http` or `https` address without white space.
pub fn check_image(image: &str) -> Result<&str, ProfileError> {
    let rest = image.strip_prefix("https://").or_else(|| image.strip_prefix("http://"));
    let plain = |rest: &str| !rest.is_empty() && !rest.chars().any(|c| c.is_whitespace() || c.is_control());
    if image.len() <= IMAGE_BYTES_MAX && rest.is_some_and(plain) { Ok(image) } else { Err(ProfileError::Image) }
}

/// Checks the address of a picture, or takes an empty text for none.
///
/// # Errors
/// As for [`check_image`].
pub fn checked_image(image: &str) -> Result<Option<String>, ProfileError> {
    if image.is_empty() { Ok(None) } else { check_image(image).map(|image| Some(image.to_owned())) }
}

/// A user as somebody names one: by address or by id, never by the beginning of either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserRef {
    /// By canonical address.
    Email(Email),
    /// By row id.
    Id(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_as_typed_and_control_characters_are_refused() {
        assert_eq!(check_name(" Ada  Lovelace "), Ok(" Ada  Lovelace "));
        assert_eq!(check_name(" \t"), Err(ProfileError::NameEmpty));
        assert_eq!(check_name("a\u{1b}[2J"), Err(ProfileError::NameControl));
        assert_eq!(check_name("a\u{9b}31m"), Err(ProfileError::NameControl));
        assert_eq!(check_name(&"é".repeat(200)), Ok("é".repeat(200).as_str()));
        assert_eq!(check_name(&"é".repeat(201)), Err(ProfileError::NameTooLong));
    }

    #[test]
    fn an_image_is_a_web_address() {
        assert!(check_image("https://example.com/a.png").is_ok());
        for image in ["", "https://", "javascript:alert(1)", "https://a b", "ftp://a/b", "https://a\u{7}"] {
            assert_eq!(check_image(image), Err(ProfileError::Image), "{image:?}");
        }
        assert_eq!(check_image(&format!("https://{}", "a".repeat(2041))), Err(ProfileError::Image));
    }

    #[test]
    fn a_role_is_one_of_the_comma_separated_words_and_not_a_part_of_one() {
        let mut user = crate::auth::fixtures::user();
        assert!(user.has_role("user") && !user.has_role("admin"));
        user.role = Some("editor, admin".into());
        assert!(user.has_role("admin") && user.has_role("editor"));
        assert!(!user.has_role("adm"));
    }

    #[test]
    fn a_role_is_lost_when_it_is_gone_and_being_a_user_cannot_be_lost() {
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
