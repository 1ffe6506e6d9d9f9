//! What kind of password hash a text is, by its shape alone. Nothing is computed.

use super::{argon2id, bcrypt, scrypt};
use crate::auth::AuthError;
use crate::auth::policy::{Argon2Cost, PasswordRules};
use crate::auth::secret::{EntropyError, StoredHash};

/// A kind of password hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashFormat {
    /// One that a sign-in verifies, with its cost.
    Accepted(HashParams),
    /// An argon2 hash that is not accepted: another variant or version, or out of bounds.
    Argon2Refused,
    /// A bcrypt hash that is not accepted: another variant, out of bounds or damaged.
    BcryptRefused,
    /// Something else.
    Unknown,
}

impl HashFormat {
    /// Tells the kind of a hash.
    pub fn of(stored: &StoredHash) -> Self {
        let text = stored.expose();
        if let Some(recipe) = HashParams::of(stored) {
            Self::Accepted(recipe)
        } else if text.starts_with("$argon2") {
            Self::Argon2Refused
        } else if ["$2$", "$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|prefix| text.starts_with(prefix)) {
            Self::BcryptRefused
        } else {
            Self::Unknown
        }
    }

    /// Its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted(recipe) => recipe.name(),
            Self::Argon2Refused => "argon2-refused",
            Self::BcryptRefused => "bcrypt-refused",
            Self::Unknown => "unknown",
        }
    }

    /// Whether a sign-in in an authctl database can verify it.
    pub fn is_accepted(self) -> bool {
        matches!(self, Self::Accepted(_))
    }

    /// Whether a sign-in in an authctl database would replace it by a stronger one.
    pub fn is_outdated(self, rules: &PasswordRules) -> bool {
        matches!(self, Self::Accepted(recipe) if recipe.is_outdated(rules))
    }
}

/// How a hash is made: the function and what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashParams {
    /// argon2id in PHC form.
    Argon2id(Argon2Cost),
    /// Better Auth's default: scrypt, salt and key in hex with a colon between.
    Scrypt,
    /// bcrypt in its modular crypt form; each step of the cost doubles the work.
    Bcrypt(u32),
}

impl HashParams {
    /// Tells how a stored hash was made, when it may be computed here. Nothing is computed.
    pub fn of(stored: &StoredHash) -> Option<Self> {
        let text = stored.expose();
        if scrypt::is_accepted(text) {
            return Some(Self::Scrypt);
        }
        argon2id::cost(text).map(Self::Argon2id).or_else(|| bcrypt::cost(text).map(Self::Bcrypt))
    }

    /// Its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Argon2id(_) => "argon2id",
            Self::Scrypt => "better-auth-scrypt",
            Self::Bcrypt(_) => "bcrypt",
        }
    }

    /// Whether a sign-in to a database of authctl would replace such a hash by a stronger one. To
    /// have one function for all is worth more than to weigh one against another.
    pub fn is_outdated(self, rules: &PasswordRules) -> bool {
        match self {
            Self::Argon2id(cost) => cost.is_weaker_than(rules.cost),
            Self::Scrypt | Self::Bcrypt(_) => true,
        }
    }

    /// How much there is to do, to be compared with another cost of the same function.
    pub(super) fn work(self) -> u64 {
        match self {
            Self::Argon2id(cost) => u64::from(cost.memory_kib) * u64::from(cost.passes),
            Self::Scrypt => 1,
            Self::Bcrypt(cost) => cost.into(),
        }
    }
}

/// A hash could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// No random salt.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The hash function failed: no memory, or a cost that it does not know.
    #[error("the password hash could not be computed: {0}")]
    Failed(String),
    /// The function of the app does not read as much.
    #[error("the password is longer than {bytes} bytes, and the app's bcrypt reads no more")]
    TooLong {
        /// What it reads.
        bytes: usize,
    },
    /// Nobody can tell which hash the app would verify.
    #[error("it is not clear what the app that owns the database can verify: it holds {kinds}")]
    Unclear {
        /// The names of the kinds of hashes that are there.
        kinds: String,
    },
}

/// How a database keeps passwords.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// authctl's own: argon2id at the policy's cost. Hashes that were brought along verify too, until
    /// a sign-in replaces them.
    Native,
    /// An app's. What is there stays as it is.
    App(HashParams),
    /// An app's that cannot be told from its hashes, with the names of their kinds. They verify, but
    /// no password is written.
    Unclear(Vec<&'static str>),
}

impl Scheme {
    /// Tells the scheme of an app by the hashes in its database. Better Auth's own where there are
    /// none; at the highest cost among them where there are several.
    pub fn of_hashes(kinds: impl IntoIterator<Item = HashFormat>) -> Self {
        let mut names = Vec::new();
        let mut costliest: Option<HashParams> = None;
        for kind in kinds {
            if !names.contains(&kind.name()) {
                names.push(kind.name());
            }
            if let HashFormat::Accepted(recipe) = kind {
                costliest = costliest.into_iter().chain([recipe]).max_by_key(|recipe| recipe.work());
            }
        }
        names.sort_unstable();
        match (names.len(), costliest) {
            (0, _) => Self::App(HashParams::Scrypt),
            (1, Some(recipe)) => Self::App(recipe),
            _ => Self::Unclear(names),
        }
    }

    /// How a new hash is made.
    pub(super) fn recipe(&self, rules: &PasswordRules) -> Result<HashParams, HashError> {
        match self {
            Self::Native => Ok(HashParams::Argon2id(rules.cost)),
            Self::App(recipe) => Ok(*recipe),
            Self::Unclear(kinds) => Err(HashError::Unclear { kinds: kinds.join(", ") }),
        }
    }

    /// The work for an unknown user: that of a new hash. Several formats have no common cost, so an
    /// unclear scheme takes that of Better Auth's own.
    pub fn usual(&self, rules: &PasswordRules) -> HashParams {
        self.recipe(rules).unwrap_or(HashParams::Scrypt)
    }

    /// Whether a password is brought to NFKC before it is hashed, so that it is the same from every
    /// keyboard. Better Auth does so for its own scrypt, but hands a password as typed to a function
    /// of the app's, and the usual packages for argon2 and bcrypt leave it so.
    pub(super) fn normalises(&self, recipe: HashParams) -> bool {
        match recipe {
            HashParams::Scrypt => true,
            HashParams::Argon2id(_) => *self == Self::Native,
            HashParams::Bcrypt(_) => false,
        }
    }

    /// Whether a sign-in would replace a hash. Never an app's: it might verify no other.
    pub(super) fn replaces(&self, recipe: HashParams, rules: &PasswordRules) -> bool {
        *self == Self::Native && recipe.is_outdated(rules)
    }

    /// Checks that a hash which somebody made elsewhere may be written.
    ///
    /// # Errors
    /// [`AuthError::HashNotAccepted`] for one that no sign-in would take, [`AuthError::HashNotTheApps`]
    /// for one that the app would not.
    pub(in crate::auth) fn takes(&self, hash: &StoredHash) -> Result<(), AuthError> {
        let kind = HashFormat::of(hash);
        match self {
            _ if !kind.is_accepted() => Err(AuthError::HashNotAccepted(kind)),
            Self::Native => Ok(()),
            Self::App(recipe) if recipe.name() == kind.name() => Ok(()),
            Self::App(recipe) => Err(AuthError::HashNotTheApps { given: kind.name(), kept: recipe.name() }),
            Self::Unclear(kinds) => Err(HashError::Unclear { kinds: kinds.join(", ") }.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::policy::Argon2Cost;

    #[test]
    fn each_kind_is_known_by_its_shape() {
        let kind = |text: &str| HashFormat::of(&StoredHash::from_bytes(text.as_bytes()).unwrap()).name();
        let argon2 = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert_eq!(kind(argon2), "argon2id");
        assert_eq!(kind(&argon2.replace("argon2id", "argon2i")), "argon2-refused");
        assert_eq!(kind(&argon2.replace("m=65536", "m=8")), "argon2-refused");
        assert_eq!(kind(&format!("{}:{}", "0a".repeat(16), "1b".repeat(64))), "better-auth-scrypt");
        assert_eq!(kind(&format!("{}:{}", "0A".repeat(16), "1b".repeat(64))), "unknown");
        let bcrypt = "$2b$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe";
        assert_eq!(kind(bcrypt), "bcrypt");
        assert_eq!(kind(&bcrypt.replace("$06$", "$31$")), "bcrypt-refused");
        assert_eq!(kind(&bcrypt.replace("$2b$", "$2y$")), "bcrypt-refused");
        assert_eq!(kind("5f4dcc3b5aa765d61d8327deb882cf99"), "unknown");
    }

    const ARGON2: &str = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    const BCRYPT: &str = "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe";

    fn scrypt() -> String {
        format!("{}:{}", "0a".repeat(16), "1b".repeat(64))
    }

    fn stored(text: &str) -> StoredHash {
        StoredHash::from_bytes(text.as_bytes()).unwrap()
    }

    fn of(hashes: &[&str]) -> Scheme {
        Scheme::of_hashes(hashes.iter().map(|hash| HashFormat::of(&stored(hash))))
    }

    #[test]
    fn an_app_is_known_by_the_one_kind_of_its_hashes() {
        let cost = Argon2Cost { memory_kib: 65_536, passes: 2, lanes: 1 };
        assert_eq!(of(&[]), Scheme::App(HashParams::Scrypt));
        assert_eq!(of(&[&scrypt(), &scrypt()]), Scheme::App(HashParams::Scrypt));
        assert_eq!(of(&[ARGON2]), Scheme::App(HashParams::Argon2id(cost)));
        assert_eq!(of(&[BCRYPT, &BCRYPT.replace("$2a$06$", "$2b$10$"), BCRYPT]), Scheme::App(HashParams::Bcrypt(10)));
        let dearer = Argon2Cost { passes: 3, ..cost };
        let several = [ARGON2, &ARGON2.replace("t=2", "t=3"), &ARGON2.replace("m=65536", "m=19456")];
        assert_eq!(of(&several), Scheme::App(HashParams::Argon2id(dearer)));
    }

    #[test]
    fn where_kinds_are_mixed_or_unknown_nothing_is_written_and_the_kinds_are_named() {
        let rules = PasswordRules::default();
        for (hashes, kinds) in [
            (vec![scrypt(), ARGON2.into(), scrypt()], "argon2id, better-auth-scrypt"),
            (vec!["5f4dcc3b5aa765d61d8327deb882cf99".into()], "unknown"),
            (vec![ARGON2.replace("m=65536", "m=4096")], "argon2-refused"),
            (vec![BCRYPT.into(), BCRYPT.replace("$06$", "$31$")], "bcrypt, bcrypt-refused"),
        ] {
            let hashes: Vec<&str> = hashes.iter().map(String::as_str).collect();
            let scheme = of(&hashes);
            assert_eq!(scheme, Scheme::Unclear(kinds.split(", ").collect()));
            let refused = scheme.recipe(&rules).unwrap_err().to_string();
            assert!(refused.contains(kinds), "{refused}");
            assert!(scheme.takes(&stored(ARGON2)).is_err());
            assert_eq!(scheme.usual(&rules), HashParams::Scrypt);
        }
    }

    #[test]
    fn a_hash_from_elsewhere_goes_into_our_database_and_into_one_whose_app_keeps_its_kind() {
        let hashes = [ARGON2.to_owned(), scrypt(), BCRYPT.to_owned()];
        for hash in &hashes {
            assert!(Scheme::Native.takes(&stored(hash)).is_ok());
            for app in &hashes {
                let taken = of(&[app]).takes(&stored(hash));
                assert_eq!(taken.is_ok(), app == hash, "{hash} where {app} is kept: {taken:?}");
            }
            let refused = of(&[hash]).takes(&stored("5f4dcc3b5aa765d61d8327deb882cf99"));
            assert!(matches!(refused, Err(AuthError::HashNotAccepted(HashFormat::Unknown))), "{refused:?}");
        }
    }
}
