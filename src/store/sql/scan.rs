//! Going through all rows, one after the other, for somebody who looks for what is wrong with them.

use jiff::Timestamp;

use super::rows;
use super::tx::{Tx, ValueRef};
use super::users::PASSWORD;
use crate::auth::secret::StoredHash;
use crate::auth::storage::{Account, Credential, StoreError, WrittenAfter};
use crate::auth::user::User;
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
    let sql = format!(r#"SELECT {} FROM "session" ORDER BY "session"."rowid""#, rows::SESSION);
    tx.each(&mapping.sql(sql), &[], |row| {
        drop(rows::session(row, 0, mapping).map_err(&mut take));
        Ok(())
    })?;
    Ok((count, first))
}

/// A row that makes no sense is no user.
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
    let sql = format!(r#"SELECT {} FROM "user" ORDER BY "user"."rowid""#, rows::USER);
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

pub(in crate::store) fn written_after(
    tx: &mut dyn Tx,
    own: &mut dyn Tx,
    mapping: &SchemaMapping,
    instant: Timestamp,
) -> Result<WrittenAfter, StoreError> {
    let mut rows = 0;
    for table in ["user", "session", "account", "verification"] {
        let sql = format!(r#"SELECT count(*) FROM "{table}" WHERE "createdAt" > ?1 OR "updatedAt" > ?1"#);
        rows += tx.count(&mapping.sql(sql), &[mapping.time(instant)])?;
    }
    let instant = [OWN_TIME.write(instant)];
    let entries = own.count(r#"SELECT count(*) FROM "authctl_audit" WHERE "at" > ?1"#, &instant)?;
    let newest =
        r#"SELECT count(*) FROM (SELECT "at" FROM "authctl_audit" ORDER BY "seq" DESC LIMIT 1) WHERE "at" <= ?1"#;
    let is_newest_before = own.count(newest, &instant)? == 1;
    Ok(WrittenAfter { rows, entries, is_newest_before })
}
