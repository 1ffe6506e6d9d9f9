//! Password hashes that a system keeps in pieces, put together to the one text that verifiers read.

pub(super) use crate::auth::password::encoding::{base64 as from_base64, hex as from_hex, to_base64, to_padded_base64};

/// `function` is `sha1`, `sha256` or `sha512`.
pub(super) fn pbkdf2(function: &str, iterations: u64, salt: &[u8], key: &[u8]) -> String {
    format!("$pbkdf2-{function}$i={iterations},l={}${}${}", key.len(), to_base64(salt), to_base64(key))
}

/// `None` if the cost is not a power of two, as it must be.
pub(super) fn scrypt(cost: u64, block_size: u64, parallelism: u64, salt: &[u8], key: &[u8]) -> Option<String> {
    let logarithm = cost.is_power_of_two().then(|| cost.trailing_zeros())?;
    Some(format!("$scrypt$ln={logarithm},r={block_size},p={parallelism}${}${}", to_base64(salt), to_base64(key)))
}

/// The place of the salt in a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SaltOrder {
    /// Salt, then password.
    Prefix,
    /// Password, then salt.
    Suffix,
    /// The salt is the key of an HMAC.
    Hmac,
}

/// A salted digest, which other systems have no text for. `algorithm` is `md5`, `sha1`, `sha256` or `sha512`.
pub(super) fn digest(algorithm: &str, order: SaltOrder, salt: &[u8], digest: &[u8]) -> String {
    let order = match order {
        SaltOrder::Prefix => "prefix",
        SaltOrder::Suffix => "suffix",
        SaltOrder::Hmac => "hmac",
    };
    format!("$authctl-digest$a={algorithm},o={order},f=1,s={}${}", to_base64(salt), to_base64(digest))
}
