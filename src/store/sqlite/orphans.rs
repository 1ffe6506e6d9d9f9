//! Rows whose user is gone: left by a program that did not keep the foreign keys. What is counted and
//! what is deleted are chosen by the same conditions, whether the schema has foreign keys or not.

use rusqlite::{Connection, Transaction};

use super::engine_error::Engine as _;
use crate::auth::code::Purpose;
use crate::auth::store::{Orphans, StoreError};
use crate::store::dialect::Dialect;

/// A row that names no user is not of one who is gone; what it means is known to whoever wrote it.
const SESSION: &str = r#""session" WHERE "userId" IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM "user" WHERE "user"."id" = "session"."userId")"#;
const ACCOUNT: &str = r#""account" WHERE "userId" IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM "user" WHERE "user"."id" = "account"."userId")"#;

/// A code of authctl names its user in the first line of its value. An app keeps other values of several
/// lines in the same table, so the purpose counts too.
fn code() -> String {
    let purposes = Purpose::ALL.map(|purpose| format!("'{}:'", purpose.word())).join(", ");
    format!(
        r#""verification" WHERE instr("value", char(10)) > 0
        AND substr("identifier", 1, instr("identifier", ':')) IN ({purposes}) AND NOT EXISTS
        (SELECT 1 FROM "user" WHERE "user"."id" = substr("value", 1, instr("value", char(10)) - 1))"#
    )
}

pub(super) fn count(connection: &Connection, dialect: &Dialect) -> Result<Orphans, StoreError> {
    let count = |rows: &str| {
        let sql = format!("SELECT count(*) FROM {rows}");
        connection.query_row(&dialect.sql(sql), [], |row| row.get(0)).map(i64::unsigned_abs).engine()
    };
    Ok(Orphans { sessions: count(SESSION)?, accounts: count(ACCOUNT)?, codes: count(&code())? })
}

pub(super) fn delete(tx: &Transaction<'_>, dialect: &Dialect) -> Result<Orphans, StoreError> {
    let delete = |rows: &str| {
        let sql = format!("DELETE FROM {rows}");
        tx.execute(&dialect.sql(sql), []).map(|rows| rows as u64).engine()
    };
    Ok(Orphans { sessions: delete(SESSION)?, accounts: delete(ACCOUNT)?, codes: delete(&code())? })
}
