//! Firebase: `auth:export` as JSON and as CSV.

use serde_json::Value;

use super::date::Unit;
use super::error::ImportError;
use super::hash_text::{from_base64, to_padded_base64};
use super::record::{Fault, Read, Reading, Record, ban, hash_text, is_named};
use super::system::Context;
use crate::auth::import::row::{Credential, ProviderAccount, Reason, SourceUser};

/// The parameters of a project's hashes, as the console shows them.
#[derive(Clone, PartialEq, Eq)]
pub struct HashConfig {
    signer_key: String,
    salt_separator: String,
    rounds: u32,
    memory_cost: u32,
}

impl std::fmt::Debug for HashConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HashConfig")
            .field("rounds", &self.rounds)
            .field("memory_cost", &self.memory_cost)
            .finish_non_exhaustive()
    }
}

impl HashConfig {
    /// Reads `hash_config { algorithm: SCRYPT, base64_signer_key: .. }` or the same as JSON.
    ///
    /// # Errors
    /// [`ImportError::HashConfig`] with the name of the parameter that is missing or not valid.
    pub fn parse(text: &str) -> Result<Self, ImportError> {
        let fields = fields(text);
        let field = |names: &[&'static str]| {
            let found = fields.iter().find(|(name, _)| names.iter().any(|own| is_named(name, own)));
            found
                .map(|(_, value)| value.as_str())
                .ok_or(ImportError::HashConfig(names.first().copied().unwrap_or_default()))
        };
        if let Ok(algorithm) = field(&["algorithm"])
            && !algorithm.eq_ignore_ascii_case("scrypt")
        {
            return Err(ImportError::HashConfig("algorithm"));
        }
        let bytes = |name: &'static str, own: &'static str, short: &'static str| {
            let value = field(&[own, short]).map_err(|_| ImportError::HashConfig(name))?;
            from_base64(value).map(|bytes| to_padded_base64(&bytes)).ok_or(ImportError::HashConfig(name))
        };
        let number = |name: &'static str, own: &'static str| {
            let value = field(&[own]).map_err(|_| ImportError::HashConfig(name))?;
            value.parse().map_err(|_| ImportError::HashConfig(name))
        };
        Ok(Self {
            signer_key: bytes("base64_signer_key", "base64signerkey", "signerkey")?,
            salt_separator: bytes("base64_salt_separator", "base64saltseparator", "saltseparator")?,
            rounds: number("rounds", "rounds")?,
            memory_cost: number("mem_cost", "memcost")?,
        })
    }

    /// The hash as one text, in the form of Supabase. `None` if hash or salt are not base64.
    fn hash(&self, hash: &str, salt: &str) -> Option<String> {
        Some(format!(
            "$fbscrypt$v=1,n={},r={},p=1,ss={},sk={}${}${}",
            self.memory_cost,
            self.rounds,
            self.salt_separator,
            self.signer_key,
            to_padded_base64(&from_base64(salt)?),
            to_padded_base64(&from_base64(hash)?)
        ))
    }
}

/// The names and values of JSON, or of lines such as `rounds: 8,`.
fn fields(text: &str) -> Vec<(String, String)> {
    if let Ok(Value::Object(outer)) = serde_json::from_str(text) {
        let inner = outer.values().find_map(Value::as_object).unwrap_or(&outer);
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return inner.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    }
    let clean = |part: &str| part.trim().trim_matches(['"', ',', '\'']).trim().to_owned();
    text.split(['\n', '{', '}', ','])
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (clean(name), clean(value)))
        .collect()
}

pub(super) fn read(record: &Record, context: &mut Context) -> Read {
    // Rows of CSV have no header.
    if record.has_column("0") { row(record, context) } else { user(record, context) }.map(Reading::user)
}

fn user(record: &Record, context: &Context) -> Result<SourceUser, Fault> {
    let id = record.id("localid")?;
    let mut accounts = Vec::new();
    for provider in record.list("provideruserinfo")? {
        let fields = (provider.text("providerid")?, provider.first_id(&["rawid", "federatedid"])?);
        if let (Some(provider), Some(subject)) = fields {
            accounts.extend(account(&provider, subject));
        }
    }
    Ok(SourceUser {
        key: id.clone(),
        id,
        email: record.text("email")?,
        name: record.text("displayname")?,
        image: record.text("photourl")?,
        verified: record.is_set("emailverified")?,
        created_at: record.date_in("createdat", Unit::Milliseconds)?,
        ban: ban(record.is_set("disabled")?),
        password: password(record.text("passwordhash")?, record.text("salt")?, context)?,
        accounts,
        second_factor: record.has("mfainfo"),
        left_out: record.filled(&["phonenumber", "customattributes"]),
        ..SourceUser::default()
    })
}

/// The places of the columns of CSV.
mod column {
    pub(super) const ID: &str = "0";
    pub(super) const EMAIL: &str = "1";
    pub(super) const VERIFIED: &str = "2";
    pub(super) const HASH: &str = "3";
    pub(super) const SALT: &str = "4";
    pub(super) const NAME: &str = "5";
    pub(super) const PHOTO: &str = "6";
    pub(super) const CREATED: &str = "23";
    pub(super) const PHONE: &str = "25";
    pub(super) const DISABLED: &str = "26";
    pub(super) const CLAIMS: &str = "27";
    /// The ids at providers.
    pub(super) const PROVIDERS: [(&str, &str); 6] = [
        ("7", "google.com"),
        ("11", "facebook.com"),
        ("15", "twitter.com"),
        ("19", "github.com"),
        ("28", "apple.com"),
        ("32", "microsoft.com"),
    ];
}

fn row(record: &Record, context: &Context) -> Result<SourceUser, Fault> {
    // Firebase does not double all quotes of claims, and an open one takes the next row into the cell.
    if record.nested(column::CLAIMS).is_err() {
        return Err(Fault::new(Reason::Syntax, "the claims are not JSON: their quotes may have joined two rows"));
    }
    let id = record.id(column::ID)?;
    let mut accounts = Vec::new();
    for (place, provider) in column::PROVIDERS {
        accounts.extend(record.id(place)?.and_then(|subject| account(provider, subject)));
    }
    let named = [(column::PHONE, "phoneNumber"), (column::CLAIMS, "customAttributes")];
    Ok(SourceUser {
        key: id.clone(),
        id,
        email: record.text(column::EMAIL)?,
        name: record.text(column::NAME)?,
        image: record.text(column::PHOTO)?,
        verified: record.is_set(column::VERIFIED)?,
        created_at: record.date_in(column::CREATED, Unit::Milliseconds)?,
        ban: ban(record.is_set(column::DISABLED)?),
        password: password(record.text(column::HASH)?, record.text(column::SALT)?, context)?,
        accounts,
        left_out: named.iter().filter(|(place, _)| record.has(place)).map(|(_, name)| (*name).to_owned()).collect(),
        ..SourceUser::default()
    })
}

fn password(hash: Option<String>, salt: Option<String>, context: &Context) -> Result<Credential, Fault> {
    let Some(hash) = hash else { return Ok(Credential::None) };
    let Some(config) = &context.hash_config else {
        return Err(Fault::File(ImportError::HashConfigMissing { file: context.file.clone() }));
    };
    let text = config.hash(&hash, &salt.unwrap_or_default());
    Ok(text.map_or(Credential::Refused(Reason::HashUnknown), hash_text))
}

/// The account at a provider. `None` for a password or a phone.
fn account(provider: &str, subject: String) -> Option<ProviderAccount> {
    let provider = match provider {
        "password" | "phone" | "anonymous" => return None,
        "gc.apple.com" | "playgames.google.com" => provider,
        _ => provider.trim_end_matches(".com"),
    };
    Some(ProviderAccount { provider: provider.to_owned(), subject, created_at: None, tokens: None })
}
