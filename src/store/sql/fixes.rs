//! Rows that no sign-in finds, put right where only one meaning is possible.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};

use super::events::subject;
use super::rows;
use crate::auth::audit::{Changes, Event, Subject};
use crate::auth::doctor::lowered;
use crate::auth::storage::{Account, StoreError, StrayAccounts};
use crate::store::mapping::SchemaMapping;
use crate::store::sqlite::engine_error::Engine as _;
use crate::store::sqlite::limits;

pub(in crate::store) fn twins(connection: &Connection, mapping: &SchemaMapping) -> Result<Vec<String>, StoreError> {
    let mut statement = connection
        .prepare(&mapping.sql(
            r#"SELECT lower("email") FROM "user" WHERE octet_length("email") <= 100000
               GROUP BY 1 HAVING count(*) > 1"#,
        ))
        .engine()?;
    statement.query_map([], |row| row.get(0)).engine()?.collect::<rusqlite::Result<_>>().engine()
}

pub(in crate::store) fn lower_addresses(
    tx: &Transaction<'_>,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let twins: BTreeSet<String> = twins(tx, mapping)?.into_iter().collect();
    let sql = r#"SELECT "id", "email" FROM "user"
                 WHERE iif(octet_length("email") <= 100000, "email", NULL) GLOB '*[A-Z]*'"#;
    let mut read = tx.prepare(&mapping.sql(sql)).engine()?;
    let write = mapping.sql(r#"UPDATE "user" SET "email" = ?2, "updatedAt" = ?3 WHERE "id" = ?1"#);
    let mut found = read.query([]).engine()?;
    let mut changes = Vec::new();
    while let Some(row) = found.next().engine()? {
        let (id, before): (String, String) = (rows::key(row, 0).engine()?, row.get(1).engine()?);
        changes.extend(lowered(&before, &twins).map(|email| (id, before, email)));
    }
    for (id, before, email) in &changes {
        limits::change(tx, &write, &[&id, &email.as_str(), &mapping.time(now)])?;
        let event = Event::user("email.changed", Subject::read(id, Some(before.clone())));
        let change = Changes::default().field("email", before.as_str(), email.as_str());
        log.push(event.with("written in lower case").changing(change));
    }
    Ok(changes.len() as u64)
}

/// A stray account, with its user and whether its right place is free and nobody else's.
const STRAY: &str = r#"SELECT "id", "userId",
    (SELECT count(*) FROM "account" AS "own" WHERE "own"."userId" = "account"."userId" AND "own"."providerId" = ?1) = 1
    AND NOT EXISTS (SELECT 1 FROM "account" AS "other" WHERE "other"."providerId" = ?1
      AND "other"."accountId" = "account"."userId"), "accountId"
    FROM "account" WHERE "providerId" = ?1 AND "accountId" <> "userId"
    AND EXISTS (SELECT 1 FROM "user" WHERE "user"."id" = "account"."userId")"#;

pub(in crate::store) fn stray_accounts(
    connection: &Connection,
    mapping: &SchemaMapping,
) -> Result<StrayAccounts, StoreError> {
    let mut stray = StrayAccounts::default();
    let mut statement = connection.prepare(&mapping.sql(STRAY)).engine()?;
    let mut found = statement.query([Account::CREDENTIAL]).engine()?;
    while let Some(row) = found.next().engine()? {
        stray.all += 1;
        stray.correctable += u64::from(row.get::<_, bool>(2).engine()?);
    }
    Ok(stray)
}

pub(in crate::store) fn correct_stray_accounts(
    tx: &Transaction<'_>,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut read = tx.prepare(&mapping.sql(STRAY)).engine()?;
    let write = mapping.sql(r#"UPDATE "account" SET "accountId" = ?2, "updatedAt" = ?3 WHERE "id" = ?1"#);
    let mut found = read.query([Account::CREDENTIAL]).engine()?;
    let mut changes: Vec<(String, String, String)> = Vec::new();
    while let Some(row) = found.next().engine()? {
        if row.get(2).engine()? {
            changes.push((rows::key(row, 0).engine()?, rows::key(row, 1).engine()?, rows::key(row, 3).engine()?));
        }
    }
    for (id, user_id, before) in &changes {
        limits::change(tx, &write, &[&id, &user_id, &mapping.time(now)])?;
        let event = Event::user("account.corrected", subject(tx, mapping, user_id)?);
        let change = Changes::default().field("accountId", before.as_str(), user_id.as_str());
        log.push(event.with("the account is under its user's id now").changing(change));
    }
    Ok(changes.len() as u64)
}
