//! Rows that no sign-in finds, put right where only one meaning is possible.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::events::subject;
use super::rows;
use super::tx::Tx;
use crate::auth::audit::{Changes, Event, Subject};
use crate::auth::doctor::lowered;
use crate::auth::storage::{Account, StoreError, StrayAccounts};
use crate::store::mapping::SchemaMapping;

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
                 WHERE iif(octet_length("email") <= 100000, "email", NULL) GLOB '*[A-Z]*'"#;
    let write = mapping.sql(r#"UPDATE "user" SET "email" = ?2, "updatedAt" = ?3 WHERE "id" = ?1"#);
    let mut changes = Vec::new();
    tx.each(&mapping.sql(sql), &[], |row| {
        let (id, before) = (rows::key(row, 0)?, row.text(1)?);
        changes.extend(lowered(&before, &twins).map(|email| (id, before, email)));
        Ok(())
    })?;
    for (id, before, email) in &changes {
        tx.change(&write, &[id.into(), email.as_str().into(), mapping.time(now)])?;
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
        tx.change(&write, &[id.into(), user_id.into(), mapping.time(now)])?;
        let event = Event::user("account.corrected", subject(tx, mapping, user_id)?);
        let change = Changes::default().field("accountId", before.as_str(), user_id.as_str());
        log.push(event.with("the account is under its user's id now").changing(change));
    }
    Ok(changes.len() as u64)
}
