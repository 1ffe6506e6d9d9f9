//! Searches for rows that are wrong, and corrections where only one meaning is possible.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::audit::subject;
use super::codes::VALUE;
use super::rows;
use super::users::PASSWORD;
use crate::auth::audit::{Changes, Event, Subject};
use crate::auth::codes::Purpose;
use crate::auth::doctor::lowered;
use crate::auth::secret::StoredHash;
use crate::auth::storage::{Account, Credential, Orphans, StoreError, StrayAccounts};
use crate::auth::user::User;
use crate::store::engine::{Dialect, Tx, Value, ValueRef};
use crate::store::mapping::{OWN_TIME, SchemaMapping};

pub(in crate::store) fn nonsense(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
) -> Result<(u64, Option<StoreError>), StoreError> {
    let (mut count, mut first) = (0, None);
    let mut take = |error| {
        count += 1;
        first.get_or_insert(error);
    };
    each_row(tx, mapping, |read| drop(read.map_err(&mut take)))?;
    let sql = format!(r#"SELECT {} FROM "session" WHERE TRUE"#, rows::SESSION);
    tx.each(&mapping.sql(sql), &[], |row| {
        drop(rows::session(row, 0, mapping).map_err(&mut take));
        Ok(())
    })?;
    Ok((count, first))
}

/// Goes through the users; a row that makes no sense is left out.
pub(in crate::store) fn each_user(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    found: &mut dyn FnMut(User),
) -> Result<(), StoreError> {
    each_row(tx, mapping, |read| read.map_or((), &mut *found))
}

fn each_row(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    mut found: impl FnMut(Result<User, StoreError>),
) -> Result<(), StoreError> {
    let sql = format!(r#"SELECT {} FROM "user" WHERE TRUE"#, rows::USER);
    tx.each(&mapping.sql(sql), &[], |row| {
        found(rows::user(row, 0, mapping));
        Ok(())
    })
}

pub(in crate::store) fn each_credential(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    found: &mut dyn FnMut(Credential),
) -> Result<(), StoreError> {
    let sql = format!(r#"SELECT "userId", {PASSWORD} FROM "account" WHERE "providerId" = ?1"#);
    tx.each(&mapping.sql(sql), &[Account::CREDENTIAL.into()], |row| {
        let hash = match row.value(1)? {
            ValueRef::Null => None,
            value => {
                let bytes = value.as_bytes().ok_or_else(|| StoreError::Engine("a password is a number".into()))?;
                StoredHash::from_bytes(bytes).ok()
            }
        };
        found(Credential { user_id: rows::key(row, 0)?, hash });
        Ok(())
    })
}

/// Counts the users, accounts, sessions and codes that were written after an instant.
pub(in crate::store) fn rows_written_after(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    instant: Timestamp,
) -> Result<u64, StoreError> {
    let mut rows = 0;
    for table in ["user", "session", "account", "verification"] {
        let sql = format!(r#"SELECT count(*) FROM "{table}" WHERE "createdAt" > ?1 OR "updatedAt" > ?2"#);
        let after = ["createdAt", "updatedAt"].map(|column| mapping.time(table, column, instant));
        rows += tx.count(&mapping.sql(sql), &after)?;
    }
    Ok(rows)
}

/// Counts the entries of the audit log that were written after an instant, and tells whether the newest entry
/// was written before it.
pub(in crate::store) fn entries_written_after(tx: &mut dyn Tx, instant: Timestamp) -> Result<(u64, bool), StoreError> {
    let instant = [OWN_TIME.write(instant)];
    let entries = tx.count(r#"SELECT count(*) FROM "authctl_audit" WHERE "at" > ?1"#, &instant)?;
    let newest =
        r#"SELECT count(*) FROM (SELECT "at" FROM "authctl_audit" ORDER BY "seq" DESC LIMIT 1) WHERE "at" <= ?1"#;
    Ok((entries, tx.count(newest, &instant)? == 1))
}

/// Tables, each with a condition for rows whose user does not exist. A program that did not enforce foreign
/// keys left them. The same conditions select the rows to count and to delete, with and without foreign keys
/// in the schema.
fn orphans(dialect: &Dialect) -> [(&'static str, String); 3] {
    let position = dialect.position;
    // A row without a user id is not an orphan; only the app knows its meaning.
    let of = |table: &str| {
        let user = [r#""user"."id" = ""#, table, r#""."userId""#].concat();
        [r#""userId" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "user" WHERE "#, &user, ")"].concat()
    };
    // The first line of the value of a code is a user id. An app stores other values of several lines in the
    // same table, so the purpose is checked too.
    let purposes = Purpose::ALL.map(|purpose| ["'", purpose.word(), ":'"].concat()).join(", ");
    let code = format!(
        r#"{position}({VALUE}, ?1) > 0 AND substr("identifier", 1, {position}("identifier", ':')) IN ({purposes})
        AND NOT EXISTS
        (SELECT 1 FROM "user" WHERE "user"."id" = substr({VALUE}, 1, {position}({VALUE}, ?1) - 1))"#
    );
    [("session", of("session")), ("account", of("account")), ("verification", code)]
}

pub(in crate::store) fn count_orphans(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Orphans, StoreError> {
    each_orphanage(tx.dialect(), |table, condition, values| {
        let sql = format!(r#"SELECT count(*) FROM "{table}" WHERE {condition}"#);
        tx.count(&mapping.sql(sql), values)
    })
}

pub(in crate::store) fn delete_orphans(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Orphans, StoreError> {
    each_orphanage(tx.dialect(), |table, condition, values| {
        let sql = format!(r#"DELETE FROM "{table}" WHERE {condition}"#);
        tx.execute(&mapping.sql(sql), values)
    })
}

fn each_orphanage(
    dialect: &Dialect,
    mut rows: impl FnMut(&str, &str, &[Value]) -> Result<u64, StoreError>,
) -> Result<Orphans, StoreError> {
    let line_end = [Value::from("\n")];
    let [sessions, accounts, codes] = orphans(dialect)
        .map(|(table, condition)| rows(table, &condition, if table == "verification" { &line_end } else { &[] }));
    Ok(Orphans { sessions: sessions?, accounts: accounts?, codes: codes? })
}

pub(in crate::store) fn twins(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Vec<String>, StoreError> {
    let sql = r#"SELECT lower("email") FROM "user" WHERE octet_length("email") <= 100000
                 GROUP BY 1 HAVING count(*) > 1"#;
    tx.query_all(&mapping.sql(sql), &[], |row| row.text(0))
}

pub(in crate::store) fn lower_addresses(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let twins: BTreeSet<String> = twins(tx, mapping)?.into_iter().collect();
    let sql = r#"SELECT "id", "email" FROM "user"
                 WHERE CASE WHEN octet_length("email") <= 100000 THEN "email" <> lower("email") END"#;
    let write = mapping.sql(r#"UPDATE "user" SET "email" = ?2, "updatedAt" = ?3 WHERE "id" = ?1"#);
    let mut changes = Vec::new();
    tx.each(&mapping.sql(sql), &[], |row| {
        let (id, before) = (rows::key(row, 0)?, row.text(1)?);
        changes.extend(lowered(&before, &twins).map(|email| (id, before, email)));
        Ok(())
    })?;
    for (id, before, email) in &changes {
        tx.change(&write, &[id.into(), email.as_str().into(), mapping.time("user", "updatedAt", now)])?;
        let event = Event::user("email.changed", Subject::read(id, Some(before.clone())));
        let change = Changes::default().field("email", before.as_str(), email.as_str());
        log.push(event.with("written in lower case").changing(change));
    }
    Ok(changes.len() as u64)
}

/// Stray accounts, each with its user and whether its right place is free.
const STRAY: &str = r#"SELECT "id", "userId",
    (SELECT count(*) FROM "account" AS "own" WHERE "own"."userId" = "account"."userId" AND "own"."providerId" = ?1) = 1
    AND NOT EXISTS (SELECT 1 FROM "account" AS "other" WHERE "other"."providerId" = ?1
      AND "other"."accountId" = "account"."userId"), "accountId"
    FROM "account" WHERE "providerId" = ?1 AND "accountId" <> "userId"
    AND EXISTS (SELECT 1 FROM "user" WHERE "user"."id" = "account"."userId")"#;

pub(in crate::store) fn stray_accounts(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<StrayAccounts, StoreError> {
    let mut stray = StrayAccounts::default();
    tx.each(&mapping.sql(STRAY), &[Account::CREDENTIAL.into()], |row| {
        stray.all += 1;
        stray.correctable += u64::from(row.truth(2)?);
        Ok(())
    })?;
    Ok(stray)
}

pub(in crate::store) fn correct_stray_accounts(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let write = mapping.sql(r#"UPDATE "account" SET "accountId" = ?2, "updatedAt" = ?3 WHERE "id" = ?1"#);
    let mut changes = Vec::new();
    tx.each(&mapping.sql(STRAY), &[Account::CREDENTIAL.into()], |row| {
        if row.truth(2)? {
            changes.push((rows::key(row, 0)?, rows::key(row, 1)?, rows::key(row, 3)?));
        }
        Ok(())
    })?;
    for (id, user_id, before) in &changes {
        tx.change(&write, &[id.into(), user_id.into(), mapping.time("account", "updatedAt", now)])?;
        let event = Event::user("account.corrected", subject(tx, mapping, user_id)?);
        let change = Changes::default().field("accountId", before.as_str(), user_id.as_str());
        log.push(event.with("the account is under its user's id now").changing(change));
    }
    Ok(changes.len() as u64)
}
