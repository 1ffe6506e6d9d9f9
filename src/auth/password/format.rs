//! The format of a password hash, from its text alone, and the format that a database keeps.

use super::foreign::ForeignHash;
use super::kind::{HashKind, HashRefusal};
use super::{argon2id, bcrypt, scrypt};
use crate::auth::AuthError;
use crate::auth::policy::{Argon2Cost, PasswordRules};
use crate::auth::secret::{EntropyError, StoredHash};

/// The format of a stored hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashFormat {
    /// A sign-in verifies it.
    Accepted(HashParams),
    /// A hash of another system. A sign-in to a native database verifies it and replaces it.
    Imported {
        kind: HashKind,
        /// The hash is weak, and stored in argon2id.
        is_wrapped: bool,
    },
    /// A hash of a known kind that is too cheap to be stored.
    Weak(HashKind),
    /// A hash of another system at a cost out of bounds.
    CostRefused,
    /// An argon2 hash of another variant or version, or out of bounds.
    Argon2Refused,
    /// A bcrypt hash of another variant, out of bounds or damaged.
    BcryptRefused,
    Unknown,
}

impl HashFormat {
    pub fn of(stored: &StoredHash) -> Self {
        let text = stored.expose();
        if let Some(params) = HashParams::of(stored) {
            Self::Accepted(params)
        } else if text.starts_with("$argon2") && !matches!(ForeignHash::parse(text), Ok(ForeignHash::Strong(_))) {
            Self::Argon2Refused
        } else if ["$2$", "$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|prefix| text.starts_with(prefix)) {
            Self::BcryptRefused
        } else {
            match ForeignHash::parse(text) {
                Ok(ForeignHash::Strong(hash)) => Self::Imported { kind: hash.kind(), is_wrapped: hash.is_wrapped() },
                Ok(ForeignHash::Weak(hash)) => Self::Weak(hash.function.kind),
                Err(HashRefusal::Cost) => Self::CostRefused,
                Err(_) => Self::Unknown,
            }
        }
    }

    /// The name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted(params) => params.name(),
            Self::Imported { kind, .. } | Self::Weak(kind) => kind.name(),
            Self::CostRefused => "cost-refused",
            Self::Argon2Refused => "argon2-refused",
            Self::BcryptRefused => "bcrypt-refused",
            Self::Unknown => "unknown",
        }
    }

    /// Whether a sign-in to a native database verifies the hash.
    pub fn is_accepted(self) -> bool {
        matches!(self, Self::Accepted(_) | Self::Imported { .. })
    }

    /// Why a hash is not written.
    pub fn problem(self) -> &'static str {
        match self {
            Self::Weak(_) => "too weak to be stored",
            _ => "not accepted here",
        }
    }

    /// Whether a sign-in to a native database verifies the hash, and its function is another than argon2id.
    pub fn is_legacy(self) -> bool {
        self.is_accepted() && !matches!(self, Self::Accepted(HashParams::Argon2id(_)))
    }

    /// Whether a sign-in to a native database replaces the hash with a stronger one.
    pub fn is_outdated(self, rules: &PasswordRules) -> bool {
        match self {
            Self::Accepted(params) => params.is_outdated(rules),
            Self::Imported { .. } => true,
            _ => false,
        }
    }
}

/// The function of a hash and its cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashParams {
    Argon2id(Argon2Cost),
    /// Better Auth's default: scrypt, as salt and key in hex with a colon between.
    Scrypt,
    /// Each step of the cost doubles the work.
    Bcrypt(u32),
}

impl HashParams {
    /// Reads the parameters of an accepted hash. Nothing is computed.
    pub fn of(stored: &StoredHash) -> Option<Self> {
        let text = stored.expose();
        if scrypt::is_accepted(text) {
            return Some(Self::Scrypt);
        }
        argon2id::cost(text).map(Self::Argon2id).or_else(|| bcrypt::cost(text).map(Self::Bcrypt))
    }

    /// The name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Argon2id(_) => "argon2id",
            Self::Scrypt => "better-auth-scrypt",
            Self::Bcrypt(_) => "bcrypt",
        }
    }

    /// The name in a `--schema` file.
    pub fn function(self) -> &'static str {
        match self {
            Self::Argon2id(_) => "argon2id",
            Self::Scrypt => "scrypt",
            Self::Bcrypt(_) => "bcrypt",
        }
    }

    /// Whether a sign-in to a native database replaces such a hash. Hashes of other functions than argon2id are
    /// always replaced, because one function for all is simpler than a comparison of functions.
    pub fn is_outdated(self, rules: &PasswordRules) -> bool {
        match self {
            Self::Argon2id(cost) => cost.is_weaker_than(rules.cost),
            Self::Scrypt | Self::Bcrypt(_) => true,
        }
    }

    /// The amount of work, comparable within one function.
    pub(super) fn work(self) -> u64 {
        match self {
            Self::Argon2id(cost) => u64::from(cost.memory_kib) * u64::from(cost.passes),
            Self::Scrypt => 1,
            Self::Bcrypt(cost) => cost.into(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum HashError {
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// Not enough memory, or a cost that the function does not support.
    #[error("the password hash could not be computed: {0}")]
    Failed(String),
    /// The app's function does not read the whole password.
    #[error("the password is longer than {bytes} bytes, and the app's bcrypt reads no more")]
    TooLong { bytes: usize },
    /// The hashes do not show which format the app verifies.
    #[error("it is not clear what the app that owns the database can verify: it holds {kinds}")]
    Unclear {
        /// The names of the formats in the database.
        kinds: String,
    },
}

/// The format of new hashes in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// argon2id at the policy's cost. Imported hashes of other formats verify too, until a sign-in replaces them.
    Native,
    /// The app's format. Stored hashes stay as they are.
    Guest(HashParams),
    /// The format that the `--schema` file names, where most hashes have others.
    Named {
        params: HashParams,
        /// The names of the others.
        others: Vec<&'static str>,
    },
    /// The app's hashes do not show its format. They verify, but no password is written. Holds the names of their
    /// formats.
    Unclear(Vec<&'static str>),
}

impl Scheme {
    /// Finds the scheme of an app from the hashes in its database: the function of most of them, at its highest cost.
    /// It is unclear if more hashes are foreign, that is, not accepted by a sign-in. Without hashes it is Better Auth's own.
    /// `chosen` is the function that the `--schema` file names, with the cost that it has if no hash shows another. It
    /// is the scheme whatever the hashes are: the app may move from one function to another.
    pub fn of_hashes(kinds: impl IntoIterator<Item = HashFormat>, chosen: Option<HashParams>) -> Self {
        let mut names = Vec::new();
        let mut functions: Vec<(HashParams, u32)> = Vec::new();
        let (mut all, mut foreign) = (0, 0);
        for kind in kinds {
            all += 1;
            if !names.contains(&kind.name()) {
                names.push(kind.name());
            }
            let HashFormat::Accepted(params) = kind else {
                foreign += 1;
                continue;
            };
            match functions.iter_mut().find(|(known, _)| known.name() == params.name()) {
                None => functions.push((params, 1)),
                Some((costliest, count)) => {
                    *count += 1;
                    if params.work() > costliest.work() {
                        *costliest = params;
                    }
                }
            }
        }
        names.sort_unstable();
        if let Some(chosen) = chosen {
            let shown = functions.into_iter().find(|(params, _)| params.name() == chosen.name());
            let (params, count) = shown.unwrap_or((chosen, 0));
            names.retain(|name| *name != params.name());
            return if count * 2 < all { Self::Named { params, others: names } } else { Self::Guest(params) };
        }
        let most = functions.iter().map(|(_, count)| *count).max();
        let mut usual = functions.iter().filter(|(_, count)| Some(*count) == most);
        match (usual.next(), usual.next()) {
            (None, _) if names.is_empty() => Self::Guest(HashParams::Scrypt),
            (Some((params, count)), None) if *count >= foreign => Self::Guest(*params),
            _ => Self::Unclear(names),
        }
    }

    /// The parameters of a new hash.
    pub(super) fn params(&self, rules: &PasswordRules) -> Result<HashParams, HashError> {
        match self {
            Self::Native => Ok(HashParams::Argon2id(rules.cost)),
            Self::Guest(params) | Self::Named { params, .. } => Ok(*params),
            Self::Unclear(kinds) => Err(HashError::Unclear { kinds: kinds.join(", ") }),
        }
    }

    /// The work for an unknown user: that of a new hash. Several formats have no common cost, so an
    /// unclear scheme takes that of Better Auth's own.
    pub fn usual(&self, rules: &PasswordRules) -> HashParams {
        self.params(rules).unwrap_or(HashParams::Scrypt)
    }

    /// What an app must do to take a new hash, if most of its hashes have other formats.
    pub fn warning(&self) -> Option<String> {
        let Self::Named { params, others } = self else { return None };
        let (others, named) = (others.join(" or "), params.name());
        Some(format!(
            "most passwords of the app are {others}, and the --schema file says {}: the app must verify {named} as well",
            params.function()
        ))
    }

    /// Whether a password is converted to NFKC before it is hashed, so that it is the same from every keyboard.
    /// Better Auth does so for its own scrypt. It passes a password as typed to an app's own function, and the
    /// usual packages for argon2 and bcrypt do not convert it.
    pub(super) fn normalises(&self, params: HashParams) -> bool {
        match params {
            HashParams::Scrypt => true,
            HashParams::Argon2id(_) => *self == Self::Native,
            HashParams::Bcrypt(_) => false,
        }
    }

    /// Whether a sign-in replaces a hash. The hash of an app is never replaced, because the app may verify no
    /// other format.
    pub(super) fn replaces(&self, params: HashParams, rules: &PasswordRules) -> bool {
        *self == Self::Native && params.is_outdated(rules)
    }

    /// Whether a sign-in to the database verifies a hash. Where an app owns the database, that is a hash that its
    /// usual functions verify.
    pub(in crate::auth) fn verifies(&self, kind: HashFormat) -> bool {
        matches!(kind, HashFormat::Accepted(_)) || *self == Self::Native && kind.is_accepted()
    }

    /// Checks that a hash from elsewhere may be written.
    ///
    /// # Errors
    /// [`AuthError::HashNotAccepted`] if no sign-in accepts the format, [`AuthError::HashNotTheApps`] if the app
    /// does not.
    pub(in crate::auth) fn takes(&self, hash: &StoredHash) -> Result<(), AuthError> {
        let kind = HashFormat::of(hash);
        match self {
            _ if !kind.is_accepted() => Err(AuthError::HashNotAccepted(kind)),
            Self::Native => Ok(()),
            Self::Guest(params) | Self::Named { params, .. } if params.name() == kind.name() => Ok(()),
            Self::Guest(params) | Self::Named { params, .. } => {
                Err(AuthError::HashNotTheApps { given: kind.name(), kept: params.name() })
            }
            Self::Unclear(kinds) => Err(HashError::Unclear { kinds: kinds.join(", ") }.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::policy::Argon2Cost;

    #[test]
    fn format_is_read_from_the_text() {
        let kind = |text: &str| HashFormat::of(&StoredHash::from_bytes(text.as_bytes()).unwrap()).name();
        let argon2 = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert_eq!(kind(argon2), "argon2id");
        assert_eq!(kind(&argon2.replace("argon2id", "argon2i")), "argon2i");
        assert_eq!(kind(&argon2.replace("argon2id", "argon2d")), "argon2-refused");
        assert_eq!(kind(&argon2.replace("m=65536", "m=8")), "argon2-refused");
        assert_eq!(kind(&format!("{}:{}", "0a".repeat(16), "1b".repeat(64))), "better-auth-scrypt");
        assert_eq!(kind(&format!("c2FsdA==:{}", "1b".repeat(64))), "better-auth-scrypt");
        assert_eq!(kind(&format!("{}:{}", "0a".repeat(16), "1B".repeat(64))), "unknown");
        let bcrypt = "$2b$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe";
        assert_eq!(kind(bcrypt), "bcrypt");
        assert_eq!(kind(&bcrypt.replace("$06$", "$31$")), "bcrypt-refused");
        assert_eq!(kind(&bcrypt.replace("$2b$", "$2y$")), "bcrypt");
        assert_eq!(kind("5f4dcc3b5aa765d61d8327deb882cf99"), "md5");
        assert_eq!(kind("$6$rounds=999999999$salt$hash"), "cost-refused");
        assert_eq!(kind("correct horse"), "unknown");
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
        Scheme::of_hashes(hashes.iter().map(|hash| HashFormat::of(&stored(hash))), None)
    }

    #[test]
    fn scheme_of_an_app_is_the_format_of_its_hashes() {
        let cost = Argon2Cost { memory_kib: 65_536, passes: 2, lanes: 1 };
        assert_eq!(of(&[]), Scheme::Guest(HashParams::Scrypt));
        assert_eq!(of(&[&scrypt(), &scrypt()]), Scheme::Guest(HashParams::Scrypt));
        assert_eq!(of(&[ARGON2]), Scheme::Guest(HashParams::Argon2id(cost)));
        assert_eq!(of(&[BCRYPT, &BCRYPT.replace("$2a$06$", "$2b$10$"), BCRYPT]), Scheme::Guest(HashParams::Bcrypt(10)));
        let dearer = Argon2Cost { passes: 3, ..cost };
        let several = [ARGON2, &ARGON2.replace("t=2", "t=3"), &ARGON2.replace("m=65536", "m=19456")];
        assert_eq!(of(&several), Scheme::Guest(HashParams::Argon2id(dearer)));
    }

    #[test]
    fn most_hashes_decide_and_others_are_their_users_own() {
        let foreign = "5f4dcc3b5aa765d61d8327deb882cf99";
        assert_eq!(of(&[&scrypt(), ARGON2, &scrypt()]), Scheme::Guest(HashParams::Scrypt));
        assert_eq!(of(&[BCRYPT, foreign]), Scheme::Guest(HashParams::Bcrypt(6)));
        assert_eq!(of(&[BCRYPT, BCRYPT, foreign, "pbkdf2:1"]), Scheme::Guest(HashParams::Bcrypt(6)));
        assert_eq!(of(&[BCRYPT, &BCRYPT.replace("$06$", "$31$")]), Scheme::Guest(HashParams::Bcrypt(6)));
    }

    #[test]
    fn more_foreign_hashes_than_others_are_unclear() {
        let (foreign, refused) = ("pbkdf2_sha256$600000$salt$aGFzaA==", ARGON2.replace("argon2id", "argon2d"));
        assert_eq!(of(&[BCRYPT, foreign, foreign]), Scheme::Unclear(vec!["bcrypt", "unknown"]));
        let kinds = vec!["argon2-refused", "better-auth-scrypt", "unknown"];
        assert_eq!(of(&[&scrypt(), foreign, &refused]), Scheme::Unclear(kinds));
    }

    #[test]
    fn named_function_is_used_at_the_cost_of_its_hashes() {
        let named = |hashes: &[&str]| {
            let kinds = hashes.iter().map(|hash| HashFormat::of(&stored(hash)));
            Scheme::of_hashes(kinds, Some(HashParams::Bcrypt(10)))
        };
        assert_eq!(named(&[]), Scheme::Guest(HashParams::Bcrypt(10)));
        assert_eq!(named(&[ARGON2, BCRYPT]), Scheme::Guest(HashParams::Bcrypt(6)));
        let over_others =
            |cost, others: &[&'static str]| Scheme::Named { params: HashParams::Bcrypt(cost), others: others.to_vec() };
        assert_eq!(named(&[ARGON2, ARGON2]), over_others(10, &["argon2id"]));
        assert_eq!(named(&[ARGON2, "pbkdf2:1", BCRYPT]), over_others(6, &["argon2id", "unknown"]));
        assert!(
            over_others(6, &[]).takes(&stored(BCRYPT)).is_ok() && over_others(6, &[]).takes(&stored(ARGON2)).is_err()
        );
    }

    #[test]
    fn mixed_formats_are_unclear_and_named() {
        let rules = PasswordRules::default();
        for (hashes, kinds) in [
            (vec![scrypt(), ARGON2.into()], "argon2id, better-auth-scrypt"),
            (vec!["5f4dcc3b5aa765d61d8327deb882cf99".into()], "md5"),
            (vec!["correct horse".into()], "unknown"),
            (vec![ARGON2.replace("m=65536", "m=4096")], "argon2-refused"),
        ] {
            let hashes: Vec<&str> = hashes.iter().map(String::as_str).collect();
            let scheme = of(&hashes);
            assert_eq!(scheme, Scheme::Unclear(kinds.split(", ").collect()));
            let refused = scheme.params(&rules).unwrap_err().to_string();
            assert!(refused.contains(kinds), "{refused}");
            assert!(scheme.takes(&stored(ARGON2)).is_err());
            assert_eq!(scheme.usual(&rules), HashParams::Scrypt);
        }
    }

    #[test]
    fn imported_hash_fits_native_databases_and_apps_of_its_format() {
        let hashes = [ARGON2.to_owned(), scrypt(), BCRYPT.to_owned()];
        for hash in &hashes {
            assert!(Scheme::Native.takes(&stored(hash)).is_ok());
            for app in &hashes {
                let taken = of(&[app]).takes(&stored(hash));
                assert_eq!(taken.is_ok(), app == hash, "{hash} where {app} is kept: {taken:?}");
            }
            let refused = of(&[hash]).takes(&stored("5f4dcc3b5aa765d61d8327deb882cf99"));
            assert!(matches!(refused, Err(AuthError::HashNotAccepted(HashFormat::Weak(HashKind::Md5)))), "{refused:?}");
        }
    }
}
