//! Going through all rows, one after the other, for somebody who looks for what is wrong with them.

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::rows;
use super::users::PASSWORD;
use crate::auth::secret::StoredHash;
use crate::auth::storage::{Account, Credential, StoreError, WrittenAfter};
use crate::auth::user::User;
use crate::store::mapping::{OWN_TIME, SchemaMapping};
use crate::store::sqlite::engine_error::Engine as _;

pub(in crate::store) fn nonsense(
    connection: &Connection,
    mapping: &SchemaMapping,
) -> Result<(u64, Option<StoreError>), StoreError> {
    let (mut count, mut first) = (0, None);
    let mut take = |error| {
        count += 1;
        first.get_or_insert(error);
    };
    each_row(connection, mapping, |read| drop(read.map_err(&mut take)))?;
    let mut statement = connection
        .prepare(&mapping.sql(format!(r#"SELECT {} FROM "session" ORDER BY "session"."rowid""#, rows::SESSION)))
        .engine()?;
    let mut sessions = statement.query([]).engine()?;
    while let Some(row) = sessions.next().engine()? {
        drop(rows::session(row, 0, mapping).map_err(&mut take));
    }
    Ok((count, first))
}

/// A row that makes no sense is no user.
pub(in crate::store) fn each_user(
    connection: &Connection,
    mapping: &SchemaMapping,
    found: &mut dyn FnMut(User),
) -> Result<(), StoreError> {
    each_row(connection, mapping, |read| read.map_or((), &mut *found))
}

fn each_row(
    connection: &Connection,
    mapping: &SchemaMapping,
    mut found: impl FnMut(Result<User, StoreError>),
) -> Result<(), StoreError> {
    let mut statement = connection
        .prepare(&mapping.sql(format!(r#"SELECT {} FROM "user" ORDER BY "user"."rowid""#, rows::USER)))
        .engine()?;
    let mut users = statement.query([]).engine()?;
    while let Some(row) = users.next().engine()? {
        found(rows::user(row, 0, mapping));
    }
    Ok(())
}

pub(in crate::store) fn each_credential(
    connection: &Connection,
    mapping: &SchemaMapping,
    found: &mut dyn FnMut(Credential),
) -> Result<(), StoreError> {
    let mut statement = connection
        .prepare(&mapping.sql(format!(r#"SELECT "userId", {PASSWORD} FROM "account" WHERE "providerId" = ?1"#)))
        .engine()?;
    let mut accounts = statement.query([Account::CREDENTIAL]).engine()?;
    while let Some(row) = accounts.next().engine()? {
        let bytes = row.get_ref(1).engine()?.as_bytes_or_null().map_err(rusqlite::Error::from).engine()?;
        let hash = bytes.and_then(|bytes| StoredHash::from_bytes(bytes).ok());
        found(Credential { user_id: rows::key(row, 0).engine()?, hash });
    }
    Ok(())
}

pub(in crate::store) fn written_after(
    connection: &Connection,
    own: &Connection,
    mapping: &SchemaMapping,
    instant: Timestamp,
) -> Result<WrittenAfter, StoreError> {
    let count = |connection: &Connection, sql: &str, after: Value| {
        let rows = connection.query_row(&mapping.sql(sql), [after], |row| row.get::<_, i64>(0)).engine()?;
        Ok::<u64, StoreError>(rows.unsigned_abs())
    };
    let mut rows = 0;
    for table in ["user", "session", "account", "verification"] {
        rows += count(
            connection,
            &format!(r#"SELECT count(*) FROM "{table}" WHERE "createdAt" > ?1 OR "updatedAt" > ?1"#),
            mapping.time(instant),
        )?;
    }
    let entries = count(own, r#"SELECT count(*) FROM "authctl_audit" WHERE "at" > ?1"#, OWN_TIME.write(instant))?;
    let newest =
        r#"SELECT count(*) FROM (SELECT "at" FROM "authctl_audit" ORDER BY "seq" DESC LIMIT 1) WHERE "at" <= ?1"#;
    let is_newest_before = count(own, newest, OWN_TIME.write(instant))? == 1;
    Ok(WrittenAfter { rows, entries, is_newest_before })
}
