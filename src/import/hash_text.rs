//! Password hashes that a system keeps in pieces, put together to the one text that verifiers read.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Reads base64 with or without padding.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_encode_padding(false);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
const PADDED: GeneralPurpose = base64::engine::general_purpose::STANDARD;

/// The bytes of base64 in either alphabet.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

/// Base64 without padding, as in most forms of hashes.
pub(super) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Base64 with padding.
pub(super) fn to_padded_base64(bytes: &[u8]) -> String {
    PADDED.encode(bytes)
}

pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    base16ct::mixed::decode_vec(text).ok()
}

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
