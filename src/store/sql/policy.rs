//! The settings of a database.

use jiff::Timestamp;

use crate::auth::audit::{Changes, Event};
use crate::auth::policy::{Key, Policy, PolicyError};
use crate::auth::storage::{PolicySet, StoreError};
use crate::store::engine::{Row, Tx, Value};
use crate::store::mapping::OWN_TIME;

/// Selects the settings in any order. To sort them, a server needs a tenth of the time in which it opens a database.
pub(in crate::store) const SETTINGS: &str = r#"SELECT "key", "value" FROM "authctl_policy""#;

/// Reads the policy: the settings over the defaults. An unknown key belongs to a later authctl and is
/// ignored. A value that its key does not accept is an error.
pub(in crate::store) fn read(tx: &mut dyn Tx) -> Result<Policy, StoreError> {
    let settings = settings(tx)?;
    Policy::with(settings.iter().map(|(key, value)| (key.as_str(), value.as_str()))).map_err(|(row, error)| {
        StoreError::Inconsistent {
            table: "authctl_policy",
            column: "value",
            row: row.to_owned(),
            problem: error.to_string(),
        }
    })
}

/// Reads the settings in the order of their keys, without checking them. Bytes that are not text become a value that no key
/// accepts.
pub(in crate::store) fn settings(tx: &mut dyn Tx) -> Result<Vec<(String, String)>, StoreError> {
    let mut settings = tx.query_all(SETTINGS, &[], |row| Ok((lossy_text(row, 0)?, lossy_text(row, 1)?)))?;
    settings.sort();
    Ok(settings)
}

fn lossy_text(row: &Row<'_>, column: usize) -> Result<String, StoreError> {
    let bytes = row.value(column)?.as_bytes();
    let bytes = bytes.ok_or_else(|| StoreError::Engine("a setting is neither text nor bytes".into()))?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// Deletes a setting and returns its value.
pub(in crate::store) fn remove(tx: &mut dyn Tx, key: &str) -> Result<Option<String>, StoreError> {
    let sql = r#"DELETE FROM "authctl_policy" WHERE "key" = ?1 RETURNING "value""#;
    tx.query_one(sql, &[key.into()], |row| lossy_text(row, 0))
}

/// Deletes settings. Returns the keys and values of those that there were, in the order of the keys.
pub(in crate::store) fn remove_all(tx: &mut dyn Tx, keys: &[String]) -> Result<Vec<(String, String)>, StoreError> {
    let is_key = tx.dialect().is_listed(r#""key""#, "?1");
    let sql = format!(r#"DELETE FROM "authctl_policy" WHERE {is_key} RETURNING "key", "value""#);
    let lists: Vec<[Value; 1]> = keys.iter().map(|key| [Value::from(key)]).collect();
    let mut removed = Vec::new();
    for lists in tx.dialect().lists(&lists) {
        tx.each(&sql, &lists, |row| {
            removed.push((lossy_text(row, 0)?, lossy_text(row, 1)?));
            Ok(())
        })?;
    }
    removed.sort_unstable();
    Ok(removed)
}

/// The value without credentials. authctl refuses them, but another program may have written them into a URL.
pub(in crate::store) fn without_credentials(value: &str) -> &str {
    if value.contains("://") && value.contains('@') { "a URL with credentials" } else { value }
}

/// Writes a setting that fits the other settings, and adds an event if the policy changes. A value equal to
/// the default has no row.
pub(in crate::store) fn write(
    tx: &mut dyn Tx,
    log: &mut Vec<Event>,
    key: &Key,
    value: Option<&str>,
    now: Timestamp,
) -> Result<Result<PolicySet, PolicyError>, StoreError> {
    let default = key.value(&Policy::default());
    let set = |from: &str, to: &str| {
        let changes = Changes::default().field(key.name, without_credentials(from), without_credentials(to));
        Event::new("policy.set").with(format!("{} = {}", key.name, without_credentials(to))).changing(changes)
    };
    let mut policy = match read(tx) {
        // `policy unset` fixes invalid settings, so it must not fail because of them.
        Err(StoreError::Inconsistent { .. }) if value.is_none() => {
            let removed = remove(tx, key.name)?;
            log.extend(removed.as_ref().map(|from| set(from, &default)));
            return Ok(Ok(PolicySet { policy: Policy::sound(&settings(tx)?).0, changed: removed.is_some() }));
        }
        read => read?,
    };
    let before = key.value(&policy);
    if let Err(error) = key.set(&mut policy, value.unwrap_or(&default)) {
        return Ok(Err(error));
    }
    let value = key.value(&policy);
    if value == before {
        return Ok(Ok(PolicySet { policy, changed: false }));
    }
    log.push(set(&before, &value));
    if value == default {
        remove(tx, key.name)?;
    } else {
        put(tx, key.name, &value, now)?;
    }
    Ok(Ok(PolicySet { policy: read(tx)?, changed: true }))
}

fn put(tx: &mut dyn Tx, key: &str, value: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        r#"INSERT INTO "authctl_policy" ("key", "value", "updatedAt") VALUES (?1, ?2, ?3)
           ON CONFLICT ("key") DO UPDATE SET "value" = ?2, "updatedAt" = ?3"#,
        &[key.into(), value.into(), OWN_TIME.write(now)],
    )?;
    Ok(())
}

/// Writes the settings of another database, and removes all others.
pub(in crate::store) fn take_over(
    tx: &mut dyn Tx,
    log: &mut Vec<Event>,
    taken: &[(String, String)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let before = settings(tx)?;
    for (key, value) in before.iter().filter(|(key, _)| !taken.iter().any(|(kept, _)| kept == key)) {
        remove(tx, key)?;
        let changes = Changes::default().field(key, without_credentials(value), None::<String>);
        log.push(Event::new("policy.removed").with(key.as_str()).changing(changes));
    }
    for (key, value) in taken.iter().filter(|setting| !before.contains(setting)) {
        put(tx, key, value, now)?;
        let changes = Changes::default().field(key, None::<String>, without_credentials(value));
        log.push(Event::new("policy.set").with(format!("{key} = {}", without_credentials(value))).changing(changes));
    }
    Ok(())
}
