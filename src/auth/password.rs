//! Hashes and verifies passwords, with the function that a hash or a database asks for.
//!
//! A stored hash names its own cost, so the cost is checked before any work is done. The text of a hash decides
//! its format; verification never tries a second one.

mod argon2id;
mod bcrypt;
mod crypt;
pub(crate) mod encoding;
mod foreign;
mod format;
mod imported;
mod kind;
mod pbkdf2;
mod pepper;
mod prehashed;
mod scrypt;
mod scrypt_phc;
pub mod strength;
mod weak;

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::policy::PasswordRules;
use super::secret::Entropy;
use super::secret::{Password, StoredHash};

pub use format::{HashError, HashFormat, HashParams, Scheme};
pub use imported::ImportedHash;
pub(super) use imported::canonical;
pub use kind::{HashKind, HashRefusal};
pub use pepper::{NoPeppers, Peppers};

/// Length of a salt in bytes (RFC 9106, 3.1 recommends 16 for passwords). bcrypt and Better Auth have the same.
const SALT_BYTES: usize = 16;

/// The result of comparing a password with a stored hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right {
        /// The hash is weaker than the policy requires, and should be replaced.
        outdated: bool,
    },
    /// The format of the hash is not accepted. Nothing was computed.
    Unacceptable,
}

/// Room for the longest expansion of a character, because a text that grows leaves copies behind that are not wiped.
const EXPANSION_MAX: usize = 18;

fn normal(text: &str, characters: impl Iterator<Item = char>) -> Zeroizing<String> {
    let mut normal = Zeroizing::new(String::with_capacity(text.len() * EXPANSION_MAX));
    normal.extend(characters);
    normal
}

/// The text to hash, in NFKC if the scheme normalises.
fn hashed_text(password: &Password, normalises: bool) -> Zeroizing<String> {
    let text = password.expose();
    if text.is_ascii() || !normalises { Zeroizing::new(text.to_owned()) } else { normal(text, text.nfkc()) }
}

/// The forms of a password to compare with a hash, each once: NFKC if the function normalises, as typed, and in a
/// native database NFC, because some keyboards type accents apart from their letters.
fn forms(password: &Password, normalises: bool, composes: bool) -> Vec<Zeroizing<String>> {
    let text = password.expose();
    let mut forms = vec![hashed_text(password, normalises)];
    if !text.is_ascii() {
        let typed = Zeroizing::new(text.to_owned());
        let others = [Some(typed), composes.then(|| normal(text, text.nfc()))];
        for form in others.into_iter().flatten() {
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
    }
    forms
}

/// Hashes a password as the scheme of the database asks.
///
/// # Errors
/// [`HashError`] without random bytes or memory, and if the scheme cannot hash the password.
pub fn hash(
    password: &Password,
    scheme: &Scheme,
    rules: &PasswordRules,
    entropy: &mut Entropy,
) -> Result<StoredHash, HashError> {
    let params = scheme.params(rules)?;
    let text = hashed_text(password, scheme.normalises(params));
    let mut salt = [0_u8; SALT_BYTES];
    entropy.fill(&mut salt)?;
    let made = match params {
        HashParams::Argon2id(cost) => argon2id::hash(text.as_bytes(), salt, cost)?,
        HashParams::Scrypt => scrypt::hash(&text, salt)?,
        HashParams::Bcrypt(cost) => bcrypt::hash(&text, salt, cost)?,
    };
    StoredHash::from_bytes(made.as_bytes()).map_err(|error| HashError::Failed(error.to_string()))
}

/// Does the work of one hash and drops the result.
///
/// # Errors
/// [`HashError`] without memory, and for a cost that the function does not support.
pub fn work(password: &Password, params: HashParams) -> Result<(), HashError> {
    let (text, salt) = (password.expose(), [0; SALT_BYTES]);
    match params {
        HashParams::Argon2id(cost) => argon2id::hash(text.as_bytes(), salt, cost).map(drop),
        HashParams::Scrypt => scrypt::hash(text, salt).map(drop),
        HashParams::Bcrypt(cost) => bcrypt::work(text, cost),
    }
}

/// Does the work of the verification of a wrong password, once for each form of it.
///
/// # Errors
/// As for [`work`].
pub fn work_of_wrong_password(password: &Password, scheme: &Scheme, rules: &PasswordRules) -> Result<(), HashError> {
    let params = scheme.usual(rules);
    let forms = forms(password, scheme.normalises(params), *scheme == Scheme::Native);
    forms.iter().try_for_each(|_| work(password, params))
}

/// Does the work of an unknown user after a wrong password, if a native database has a hash of a function other than
/// argon2. A cheap one does not show by its time that the user exists. One that costs more than the policy asks for
/// still does.
///
/// # Errors
/// As for [`work`].
pub(super) fn work_beside(
    password: &Password,
    stored: &StoredHash,
    scheme: &Scheme,
    rules: &PasswordRules,
) -> Result<(), HashError> {
    let is_like_own = imported::verifiable(stored).is_some_and(|hash| hash.computes_argon2());
    if *scheme != Scheme::Native || is_like_own { Ok(()) } else { work_of_wrong_password(password, scheme, rules) }
}

/// Compares a password with a stored hash of a format that a sign-in to the database accepts.
///
/// # Errors
/// [`HashError`] without memory or pepper.
pub fn verify(
    password: &Password,
    stored: &StoredHash,
    scheme: &Scheme,
    rules: &PasswordRules,
    peppers: &dyn Peppers,
) -> Result<Verdict, HashError> {
    let is_native = *scheme == Scheme::Native;
    let Some(params) = HashParams::of(stored) else {
        let foreign = if is_native { imported::verifiable(stored) } else { None };
        return foreign.map_or(Ok(Verdict::Unacceptable), |hash| verify_foreign(password, &hash, peppers));
    };
    let matches = |text: &str| {
        Ok::<_, HashError>(match params {
            HashParams::Argon2id(_) => argon2id::verify(text.as_bytes(), stored.expose())?,
            HashParams::Scrypt => scrypt::verify(text, stored.expose())?,
            HashParams::Bcrypt(_) => bcrypt::verify(text, stored.expose()),
        })
    };
    for (index, form) in forms(password, scheme.normalises(params), is_native).iter().enumerate() {
        if matches(form)? {
            // bcrypt did not compare the rest of a long password, so no other hash may be made of it.
            let is_known = !matches!(params, HashParams::Bcrypt(_)) || form.len() <= bcrypt::READ_BYTES;
            // Another program made the hash, if it is not of the first form.
            let is_replaced = scheme.replaces(params, rules) || index > 0 && is_native;
            return Ok(Verdict::Right { outdated: is_known && is_replaced });
        }
    }
    Ok(Verdict::Wrong)
}

fn verify_foreign(
    password: &Password,
    hash: &foreign::StrongHash,
    peppers: &dyn Peppers,
) -> Result<Verdict, HashError> {
    for form in forms(password, hash.normalises(), true) {
        if hash.verify(&form, peppers)? {
            let is_known = hash.read_bytes().is_none_or(|bytes| form.len() <= bytes);
            return Ok(Verdict::Right { outdated: is_known });
        }
    }
    Ok(Verdict::Wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::{cheap, entropy, password};
    use crate::auth::policy::Argon2Cost;

    const NATIVE: Scheme = Scheme::Native;

    fn stored(text: &str) -> StoredHash {
        StoredHash::from_bytes(text.as_bytes()).unwrap()
    }

    fn verify(given: &Password, stored: &StoredHash, scheme: &Scheme, rules: &PasswordRules) -> Verdict {
        super::verify(given, stored, scheme, rules, &NoPeppers).unwrap()
    }

    #[test]
    fn native_hash_is_argon2id_at_owasp_cost_with_its_own_salt() {
        let rules = PasswordRules::default();
        let mut entropy = entropy(7);
        let first = hash(&password("correct horse"), &NATIVE, &rules, &mut entropy).unwrap();
        let second = hash(&password("correct horse"), &NATIVE, &rules, &mut entropy).unwrap();
        assert!(first.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", first.expose());
        assert_ne!(first.expose(), second.expose());
    }

    #[test]
    fn right_password_verifies_and_similar_ones_do_not() {
        let rules = cheap();
        let right = "a".repeat(127) + "z";
        let hash = hash(&password(&right), &NATIVE, &rules, &mut entropy(1)).unwrap();
        assert_eq!(verify(&password(&right), &hash, &NATIVE, &rules), Verdict::Right { outdated: false });
        for wrong in [&right[..127], &right[..72], &("a".repeat(127) + "Z"), &format!(" {right}"), &format!("{right} ")]
        {
            assert_eq!(verify(&password(wrong), &hash, &NATIVE, &rules), Verdict::Wrong, "{wrong:?}");
        }
    }

    /// Hashes that Better Auth 1.7.25 made of passwords that are not ASCII.
    const BETTER_AUTH: [(&str, &str); 2] = [
        (
            "\u{fb01}nger-Ångström-9",
            "ffffffffffffffffffffffffffffffff:3f5105d297f9833b4926ca30d1cf1a6871c90b5312e4044faa4aef7419bf2b76de926e5181dd19a866b1f7a67cdc86ddb5b0a68cf3e5503650169712ae032b5c",
        ),
        (
            "😀😀😀😀",
            "0123456789abcdef0123456789abcdef:57797da1cc64227a2f3767eaadbee5ee27146110b2a2daaf440d4bcb5ef3160178efb7ea0d55a1c975d529c325966bdb88969676e3c2e3383b09d0d8710327b3",
        ),
    ];

    #[test]
    fn better_auth_hash_is_outdated_only_in_a_native_database() {
        let rules = cheap();
        let app = Scheme::Guest(HashParams::Scrypt);
        for (text, hash) in BETTER_AUTH {
            let (given, hash) = (password(text), stored(hash));
            assert_eq!(verify(&given, &hash, &NATIVE, &rules), Verdict::Right { outdated: true }, "{text}");
            assert_eq!(verify(&given, &hash, &app, &rules), Verdict::Right { outdated: false }, "{text}");
            assert_eq!(verify(&password("passwore"), &hash, &app, &rules), Verdict::Wrong, "{text}");
        }
    }

    /// Three spellings of a password with one NFKC form.
    const SPELLINGS: [&str; 3] = ["\u{fb01}nger-Ångström-9", "finger-Ångström-9", "finger-A\u{30a}ngstro\u{308}m-9"];

    #[test]
    fn nfkc_applies_only_to_normalising_schemes() {
        let rules = cheap();
        for (scheme, same) in [
            (Scheme::Native, true),
            (Scheme::Guest(HashParams::Scrypt), true),
            (Scheme::Guest(HashParams::Argon2id(rules.cost)), false),
            (Scheme::Guest(HashParams::Bcrypt(4)), false),
        ] {
            let made = hash(&password(SPELLINGS[0]), &scheme, &rules, &mut entropy(2)).unwrap();
            let verdicts = SPELLINGS.map(|text| verify(&password(text), &made, &scheme, &rules));
            let right = Verdict::Right { outdated: false };
            let other = if same { right } else { Verdict::Wrong };
            assert_eq!(verdicts, [right, other, other], "{scheme:?}");
        }
    }

    #[test]
    fn hash_of_the_text_as_typed_verifies_after_nfkc() {
        let rules = cheap();
        let scrypt = stored(&super::scrypt::hash(SPELLINGS[2], [7; SALT_BYTES]).unwrap());
        let argon2 = stored(&super::argon2id::hash(SPELLINGS[2].as_bytes(), [7; SALT_BYTES], rules.cost).unwrap());
        for (scheme, hash, outdated) in [
            (Scheme::Guest(HashParams::Scrypt), &scrypt, false),
            (Scheme::Native, &scrypt, true),
            (Scheme::Native, &argon2, true),
        ] {
            let verdict = verify(&password(SPELLINGS[2]), hash, &scheme, &rules);
            assert_eq!(verdict, Verdict::Right { outdated }, "{scheme:?}");
            assert_eq!(verify(&password(SPELLINGS[0]), hash, &scheme, &rules), Verdict::Wrong, "{scheme:?}");
        }
    }

    #[test]
    fn each_scheme_makes_its_own_format() {
        let rules = cheap();
        let cost = Argon2Cost { memory_kib: 8_192, passes: 1, lanes: 2 };
        let all_params = [HashParams::Argon2id(cost), HashParams::Scrypt, HashParams::Bcrypt(5)];
        for params in all_params {
            let made = hash(&password("correct horse"), &Scheme::Guest(params), &rules, &mut entropy(3)).unwrap();
            assert_eq!(HashParams::of(&made), Some(params), "{}", made.expose());
            work(&password(&"x".repeat(200)), params).unwrap();
        }
    }

    #[test]
    fn unknown_format_is_not_computed() {
        for text in ["x", ":", "$argon2id$", "$2b$31$", "5f4dcc3b5aa765d61d8327deb882cf99"] {
            let verdict = verify(&password("correct horse"), &stored(text), &NATIVE, &cheap());
            assert_eq!(verdict, Verdict::Unacceptable, "{text}");
        }
    }

    #[test]
    fn weak_hash_is_outdated_only_in_a_native_database() {
        let old = hash(&password("correct horse"), &NATIVE, &cheap(), &mut entropy(4)).unwrap();
        let rules = PasswordRules::default();
        let outdated = |scheme: &Scheme| verify(&password("correct horse"), &old, scheme, &rules);
        assert_eq!(outdated(&NATIVE), Verdict::Right { outdated: true });
        assert_eq!(outdated(&Scheme::Guest(HashParams::Argon2id(cheap().cost))), Verdict::Right { outdated: false });
        let costlier = Argon2Cost { memory_kib: 46_080, passes: 1, lanes: 1 };
        assert!(!costlier.is_weaker_than(rules.cost), "46 MiB in one pass is one of OWASP's equal sets");
    }

    #[test]
    fn bcrypt_hash_of_a_longer_password_is_not_outdated() {
        let rules = cheap();
        let text = "a".repeat(72);
        let bcrypt = hash(&password(&text), &Scheme::Guest(HashParams::Bcrypt(4)), &rules, &mut entropy(5)).unwrap();
        assert_eq!(verify(&password(&text), &bcrypt, &NATIVE, &rules), Verdict::Right { outdated: true });
        let longer = password(&(text + "b"));
        assert_eq!(verify(&longer, &bcrypt, &NATIVE, &rules), Verdict::Right { outdated: false });
    }
}
