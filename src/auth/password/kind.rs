//! The kinds of password hashes, and why a text is not one of them.

/// The kind of a password hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HashKind {
    BetterAuthScrypt,
    LuciaScrypt,
    Argon2id,
    Argon2i,
    Bcrypt,
    /// bcrypt of the password and a pepper behind it, as Devise computes it.
    BcryptPepper,
    /// bcrypt of a SHA-256 digest, as Django and passlib compute it.
    BcryptSha256,
    /// bcrypt of an HMAC, as `WordPress` computes it.
    WordpressBcrypt,
    Pbkdf2Sha1,
    Pbkdf2Sha256,
    Pbkdf2Sha512,
    Scrypt,
    FirebaseScrypt,
    Sha256Crypt,
    Sha512Crypt,
    Yescrypt,
    Phpass,
    Apr1,
    Md5Crypt,
    LdapSsha,
    LdapSsha256,
    LdapSsha384,
    LdapSsha512,
    LdapSmd5,
    LdapSha,
    LdapMd5,
    Md5,
    Sha1,
    Sha256,
    Sha512,
    SaltedMd5,
    SaltedSha1,
    SaltedSha256,
    SaltedSha512,
    HmacMd5,
    HmacSha1,
    HmacSha256,
    HmacSha512,
}

impl HashKind {
    /// All kinds with their names for programs; first those that may be stored as they are.
    pub const ALL: [(Self, &'static str); 38] = [
        (Self::BetterAuthScrypt, "better-auth-scrypt"),
        (Self::LuciaScrypt, "lucia-scrypt"),
        (Self::Argon2id, "argon2id"),
        (Self::Argon2i, "argon2i"),
        (Self::Bcrypt, "bcrypt"),
        (Self::BcryptPepper, "bcrypt-pepper"),
        (Self::BcryptSha256, "bcrypt-sha256"),
        (Self::WordpressBcrypt, "wordpress-bcrypt"),
        (Self::Pbkdf2Sha1, "pbkdf2-sha1"),
        (Self::Pbkdf2Sha256, "pbkdf2-sha256"),
        (Self::Pbkdf2Sha512, "pbkdf2-sha512"),
        (Self::Scrypt, "scrypt"),
        (Self::FirebaseScrypt, "firebase-scrypt"),
        (Self::Sha256Crypt, "sha256-crypt"),
        (Self::Sha512Crypt, "sha512-crypt"),
        (Self::Yescrypt, "yescrypt"),
        (Self::Phpass, "phpass"),
        (Self::Apr1, "apr1"),
        (Self::Md5Crypt, "md5-crypt"),
        (Self::LdapSsha, "ldap-ssha"),
        (Self::LdapSsha256, "ldap-ssha256"),
        (Self::LdapSsha384, "ldap-ssha384"),
        (Self::LdapSsha512, "ldap-ssha512"),
        (Self::LdapSmd5, "ldap-smd5"),
        (Self::LdapSha, "ldap-sha"),
        (Self::LdapMd5, "ldap-md5"),
        (Self::Md5, "md5"),
        (Self::Sha1, "sha1"),
        (Self::Sha256, "sha256"),
        (Self::Sha512, "sha512"),
        (Self::SaltedMd5, "salted-md5"),
        (Self::SaltedSha1, "salted-sha1"),
        (Self::SaltedSha256, "salted-sha256"),
        (Self::SaltedSha512, "salted-sha512"),
        (Self::HmacMd5, "hmac-md5"),
        (Self::HmacSha1, "hmac-sha1"),
        (Self::HmacSha256, "hmac-sha256"),
        (Self::HmacSha512, "hmac-sha512"),
    ];

    /// The name for programs.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("unknown", |(_, name)| name)
    }

    /// The kind of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }

    /// Whether the kind is so cheap that a stolen database gives most passwords. It is stored only in a wrap.
    pub fn is_weak(self) -> bool {
        self >= Self::Phpass
    }

    /// Whether a name that another system has for the hash means this kind.
    pub(super) fn is_claimed_as(self, name: &str) -> bool {
        let name = name.trim().to_ascii_lowercase().replace('_', "-");
        let meant = match name.as_str() {
            "bcrypt-sha256-django" => "bcrypt-sha256",
            "bcrypt-peppered" => "bcrypt-pepper",
            "md5-phpass" => "phpass",
            "md5-salted" => "salted-md5",
            "pbkdf2-sha256-django" => "pbkdf2-sha256",
            "scrypt-firebase" => "firebase-scrypt",
            "scrypt-werkzeug" => "scrypt",
            "sha256-salted" => "salted-sha256",
            "sha512-salted" => "salted-sha512",
            name => name,
        };
        // A pepper cannot be seen in a hash.
        meant == self.name() || meant == Self::BcryptPepper.name() && self == Self::Bcrypt
    }
}

/// Why the text of an export is not a hash that can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashRefusal {
    /// The kind is not known, is not accepted, or is another than the file says.
    Unknown,
    /// The kind is known, and its cost is out of bounds.
    Cost,
    /// The text looks like a password in clear.
    PlainPassword,
    /// The text says that the user has no password.
    NoPassword,
}

impl HashRefusal {
    /// The name for programs.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unknown => "hash-unknown",
            Self::Cost => "hash-cost",
            Self::PlainPassword => "plain-password",
            Self::NoPassword => "no-password",
        }
    }

    /// The refusal of a text of no known form.
    pub(super) fn of_unknown(text: &str) -> Self {
        if is_no_password(text) {
            Self::NoPassword
        } else if is_hash_like(text) {
            Self::Unknown
        } else {
            Self::PlainPassword
        }
    }
}

/// Whether a text is a marker that no password matches: empty, `*`, `!` with anything behind it, and those of
/// `shadow` files.
fn is_no_password(text: &str) -> bool {
    matches!(text, "" | "*" | "x" | "NP" | "*NP*" | "*LK*") || text.starts_with('!')
}

/// The characters of the shortest hex digest, MD4's or MD5's.
const DIGEST_CHARS_MIN: usize = 32;
/// The characters of a hash of DES.
const DES_CHARS: usize = 13;
/// Words before a password in clear.
const CLEAR: [&str; 5] = ["{plain}", "{clear}", "{cleartext}", "plain$", "plaintext$"];

/// Whether a text looks like a hash of some kind, rather than like a password.
fn is_hash_like(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    if CLEAR.iter().any(|prefix| lower.starts_with(prefix)) || text.contains(char::is_whitespace) {
        return false;
    }
    let marked = text.starts_with(['$', '{', '*', '_']);
    let is_crypt = text.len() == DES_CHARS && text.bytes().all(|byte| super::encoding::crypt_digit(byte).is_some());
    let is_mixed = text.contains(char::is_uppercase) && text.contains(char::is_lowercase);
    marked || text.len() >= DIGEST_CHARS_MIN && text.is_ascii() || is_crypt && is_mixed
}
