//! The spellings of bytes and numbers in hashes of other systems.

use argon2::password_hash::phc::Output;
use base16ct::mixed;
use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD_NO_PAD};

/// Reads base64 with and without padding. Several programs leave other than zero in the last bits.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Bits of a character of base64.
const BITS: u32 = 6;

/// Reads base64 in the alphabets of the standard, of addresses and of passlib, which has `.` for `+`.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let standard = |c| match c {
        '.' | '-' => '+',
        '_' => '/',
        c => c,
    };
    LENIENT.decode(text.chars().map(standard).collect::<String>()).ok()
}

/// Base64 without padding, as canonical texts have it.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD_NO_PAD.encode(bytes)
}

/// Base64 with padding, as other systems hash it.
pub(crate) fn to_padded_base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

pub(crate) fn hex(text: &str) -> Option<Vec<u8>> {
    mixed::decode_vec(text).ok()
}

/// The value of a character in the alphabet of crypt.
pub(super) fn crypt_digit(byte: u8) -> Option<u8> {
    match byte {
        b'.' | b'/' => Some(byte - b'.'),
        b'0'..=b'9' => Some(byte - b'0' + 2),
        b'A'..=b'Z' => Some(byte - b'A' + 12),
        b'a'..=b'z' => Some(byte - b'a' + 38),
        _ => None,
    }
}

/// Reads base64 of crypt: its own alphabet, and the lowest bits first.
pub(super) fn crypt_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut value, mut bits) = (0_u32, 0);
    for digit in text.bytes() {
        value |= u32::from(crypt_digit(digit)?) << bits;
        bits += BITS;
        if bits >= u8::BITS {
            bytes.push(value.to_le_bytes()[0]);
            value >>= u8::BITS;
            bits -= u8::BITS;
        }
    }
    // A whole character too many is not of this encoding.
    (bits < BITS).then_some(bytes)
}

/// Reads digits alone, because `parse` also reads a sign. A number that is too long is the largest.
pub(super) fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

/// Reads `a=1,b=2` with exactly these names in this order.
pub(super) fn parameters<'a, const N: usize>(text: &'a str, names: [&str; N]) -> Option<[&'a str; N]> {
    let mut values = [""; N];
    let mut parts = text.split(',');
    for (name, value) in names.iter().zip(&mut values) {
        *value = parts.next()?.strip_prefix(name)?.strip_prefix('=')?;
    }
    parts.next().is_none().then_some(values)
}

/// Splits at `$` into exactly so many parts.
pub(super) fn parts<const N: usize>(text: &str) -> Option<[&str; N]> {
    let parts: Vec<&str> = text.split('$').take(N + 1).collect();
    parts.try_into().ok()
}

/// Compares two digests of 10 to 64 bytes in constant time. Digests of other lengths are never equal.
pub(super) fn equal(computed: &[u8], expected: &[u8]) -> bool {
    match (Output::new(computed), Output::new(expected)) {
        (Ok(computed), Ok(expected)) => computed == expected,
        _ => false,
    }
}
