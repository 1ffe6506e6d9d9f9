//! The encrypted values of an app's database: which secret reads them, and another secret for all of them.

use std::collections::BTreeMap;

use super::{AppSecrets, Form};
use crate::auth::storage::{SecretChange, SecretChanges, SecretColumn, SecretValue};
use crate::auth::{Auth, AuthError};

/// How a value can be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// With the secret that the app encrypts with, and in the form that the app writes.
    Current(String),
    /// With the named secret. A rotation encrypts it again.
    Older(String),
    /// It is not encrypted.
    Plain,
    /// The given secrets do not read it, and it is expired.
    Expired,
    Unreadable,
}

/// How many values of each column can be read in which way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecretScan(pub BTreeMap<(SecretColumn, Reading), u64>);

impl SecretScan {
    fn count(&self, is_meant: impl Fn(SecretColumn, &Reading) -> bool) -> u64 {
        self.0.iter().filter(|((column, reading), _)| is_meant(*column, reading)).map(|(_, count)| count).sum()
    }

    pub fn unreadable(&self) -> u64 {
        self.count(|_, reading| *reading == Reading::Unreadable)
    }

    /// The keys that sign tokens among the unreadable values.
    pub fn unreadable_keys(&self) -> u64 {
        self.count(|column, reading| (column, reading) == (SecretColumn::SigningKey, &Reading::Unreadable))
    }

    /// The values that a rotation encrypts again.
    pub fn older(&self) -> u64 {
        self.count(|_, reading| matches!(reading, Reading::Older(_)))
    }
}

/// What a rotation does with values that cannot be read. Without these it refuses them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rotation {
    /// Keys that sign tokens expire, and the app makes another one.
    pub expire_keys: bool,
    /// The others stay as they are.
    pub leave_unreadable: bool,
}

impl Rotation {
    /// What the rotation would change.
    ///
    /// # Errors
    /// [`AuthError::SecretsUnreadable`].
    pub fn plan(self, scan: &SecretScan) -> Result<SecretChanges, AuthError> {
        let expired = if self.expire_keys { scan.unreadable_keys() } else { 0 };
        let unreadable = scan.unreadable() - expired;
        if unreadable > 0 && !self.leave_unreadable {
            return Err(AuthError::SecretsUnreadable(unreadable));
        }
        Ok(SecretChanges { written: scan.older(), expired })
    }
}

/// The text of a value that the app encrypts. A signing key is stored as a text of JSON.
fn inner(value: SecretValue<'_>) -> String {
    let is_json = value.column == SecretColumn::SigningKey;
    let text = is_json.then(|| serde_json::from_str(value.text).ok()).flatten();
    text.unwrap_or_else(|| value.text.to_owned())
}

fn outer(column: SecretColumn, text: String) -> String {
    if column == SecretColumn::SigningKey { serde_json::json!(text).to_string() } else { text }
}

fn read(secrets: &AppSecrets, value: SecretValue<'_>) -> Reading {
    let text = inner(value);
    match (secrets.open(&text), Form::of(&text)) {
        (Some(opened), _) if opened.is_current => Reading::Current(opened.by.to_owned()),
        (Some(opened), _) => Reading::Older(opened.by.to_owned()),
        (None, Form::Plain) => Reading::Plain,
        (None, Form::Encrypted { version: None }) if value.column.has_foreign_texts() => Reading::Plain,
        (None, Form::Encrypted { .. }) if value.is_expired => Reading::Expired,
        (None, Form::Encrypted { .. }) => Reading::Unreadable,
    }
}

impl Auth<'_> {
    /// Tries the given secrets on every value that the app encrypts.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn scan_app_secrets(&mut self) -> Result<SecretScan, AuthError> {
        let mut scan = SecretScan::default();
        let secrets = self.app_secrets;
        self.store.each_secret(self.now, &mut |value: SecretValue<'_>| {
            *scan.0.entry((value.column, read(secrets, value))).or_default() += 1;
        })?;
        Ok(scan)
    }

    /// Encrypts every value with the first of the given secrets.
    ///
    /// # Errors
    /// [`AuthError::SecretsUnreadable`] if a value cannot be read and may not stay so. Nothing changes then.
    pub fn rotate_app_secrets(&mut self, rotation: Rotation) -> Result<SecretChanges, AuthError> {
        rotation.plan(&self.scan_app_secrets()?)?;
        let Self { store, entropy, app_secrets, now, .. } = self;
        let mut decide = |value: SecretValue<'_>| match read(app_secrets, value) {
            Reading::Current(_) | Reading::Plain | Reading::Expired => Ok(SecretChange::Keep),
            Reading::Unreadable if rotation.expire_keys && value.column == SecretColumn::SigningKey => {
                Ok(SecretChange::Expire)
            }
            Reading::Unreadable if rotation.leave_unreadable => Ok(SecretChange::Keep),
            Reading::Unreadable => Err(AuthError::SecretsUnreadable(1)),
            Reading::Older(_) => {
                let opened = app_secrets.open(&inner(value)).map(|opened| opened.text);
                let sealed = opened.map(|text| app_secrets.seal(&text, entropy)).transpose()?.flatten();
                Ok(sealed.map_or(SecretChange::Keep, |sealed| SecretChange::Write(outer(value.column, sealed))))
            }
        };
        store.change_secrets(*now, &mut decide)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::app_secrets::tests::{BARE, SECRET, secrets};

    fn reading(column: SecretColumn, text: &str) -> Reading {
        read(&secrets(&[(Some(2), "next"), (None, SECRET)]), SecretValue { column, text, is_expired: false })
    }

    #[test]
    fn values_are_told_apart_by_what_reads_them() {
        let old = Reading::Older(SECRET.into());
        assert_eq!(reading(SecretColumn::TotpSecret, BARE), old);
        assert_eq!(reading(SecretColumn::SigningKey, &format!("\"{BARE}\"")), old);
        assert_eq!(reading(SecretColumn::SigningKey, "{\"kty\":\"OKP\"}"), Reading::Plain);
        let other = BARE.replace('d', "e");
        assert_eq!(reading(SecretColumn::TotpSecret, &other), Reading::Unreadable);
        assert_eq!(reading(SecretColumn::AccessToken, &other), Reading::Plain, "a token of a provider");
        assert_eq!(reading(SecretColumn::AccessToken, &format!("$ba$3${other}")), Reading::Unreadable);
        let expired = SecretValue { column: SecretColumn::SigningKey, text: &format!("\"{other}\""), is_expired: true };
        assert_eq!(read(&secrets(&[]), expired), Reading::Expired);
    }

    #[test]
    fn rotation_refuses_what_it_cannot_read() {
        let scan = |entries: &[(SecretColumn, Reading, u64)]| {
            SecretScan(entries.iter().map(|(column, reading, count)| ((*column, reading.clone()), *count)).collect())
        };
        let scan = scan(&[
            (SecretColumn::TotpSecret, Reading::Older("old".into()), 4),
            (SecretColumn::TotpSecret, Reading::Unreadable, 3),
            (SecretColumn::SigningKey, Reading::Unreadable, 2),
        ]);
        let plan = |expire_keys, leave_unreadable| Rotation { expire_keys, leave_unreadable }.plan(&scan);
        assert!(matches!(plan(false, false), Err(AuthError::SecretsUnreadable(5))));
        assert!(matches!(plan(true, false), Err(AuthError::SecretsUnreadable(3))));
        assert_eq!(plan(true, true).unwrap(), SecretChanges { written: 4, expired: 2 });
        assert_eq!(plan(false, true).unwrap(), SecretChanges { written: 4, expired: 0 });
    }
}
