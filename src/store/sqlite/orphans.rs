//! Rows whose user is gone: left by a program that did not keep the foreign keys.

use rusqlite::{Connection, Transaction};

use super::engine_error::Engine as _;
use crate::auth::store::{Orphans, StoreError};
use crate::store::dialect::Dialect;

pub(super) fn count(connection: &Connection, dialect: &Dialect) -> Result<Orphans, StoreError> {
    let mut orphans = Orphans::default();
    let mut statement = connection.prepare("PRAGMA foreign_key_check").engine()?;
    let mut violations = statement.query([]).engine()?;
    while let Some(row) = violations.next().engine()? {
        match row.get::<_, String>(0).engine()?.as_str() {
            table if table == dialect.table("session") => orphans.sessions += 1,
            table if table == dialect.table("account") => orphans.accounts += 1,
            // Of a table that is none of ours: the schema is what is wrong then.
            _ => {}
        }
    }
    let codes: i64 = connection
        .query_row(
            // A code names its user by no key, but in the first line of its value.
            &dialect.sql(
                r#"SELECT count(*) FROM "verification" WHERE instr("value", char(10)) > 0 AND NOT EXISTS
                   (SELECT 1 FROM "user" WHERE "user"."id" = substr("value", 1, instr("value", char(10)) - 1))"#,
            ),
            [],
            |row| row.get(0),
        )
        .engine()?;
    orphans.codes = codes.unsigned_abs();
    Ok(orphans)
}

pub(super) fn delete(tx: &Transaction<'_>, dialect: &Dialect) -> Result<Orphans, StoreError> {
    let run = |sql: &str| tx.execute(&dialect.sql(sql), []).map(|rows| rows as u64).engine();
    Ok(Orphans {
        sessions: run(
            r#"DELETE FROM "session" WHERE NOT EXISTS (SELECT 1 FROM "user" WHERE "user"."id" = "session"."userId")"#,
        )?,
        accounts: run(
            r#"DELETE FROM "account" WHERE NOT EXISTS (SELECT 1 FROM "user" WHERE "user"."id" = "account"."userId")"#,
        )?,
        codes: run(r#"DELETE FROM "verification" WHERE instr("value", char(10)) > 0 AND NOT EXISTS
               (SELECT 1 FROM "user" WHERE "user"."id" = substr("value", 1, instr("value", char(10)) - 1))"#)?,
    })
}
