//! Rows whose user is gone: left by a program that did not keep the foreign keys. What is counted and
//! what is deleted are chosen by the same conditions, whether the schema has foreign keys or not.

use super::codes::VALUE;
use super::tx::Tx;
use crate::auth::codes::Purpose;
use crate::auth::storage::{Orphans, StoreError};
use crate::store::mapping::SchemaMapping;

/// Tables, and which of their rows.
fn orphans() -> [(&'static str, String); 3] {
    // A row that names no user is not of one who is gone; what it means is known to whoever wrote it.
    let of = |table: &str| {
        let user = [r#""user"."id" = ""#, table, r#""."userId""#].concat();
        [r#""userId" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "user" WHERE "#, &user, ")"].concat()
    };
    // A code of authctl names its user in the first line of its value. An app keeps other values of several
    // lines in the same table, so the purpose counts too.
    let purposes = Purpose::ALL.map(|purpose| ["'", purpose.word(), ":'"].concat()).join(", ");
    let code = format!(
        r#"instr({VALUE}, char(10)) > 0 AND substr("identifier", 1, instr("identifier", ':')) IN ({purposes})
        AND NOT EXISTS
        (SELECT 1 FROM "user" WHERE "user"."id" = substr({VALUE}, 1, instr({VALUE}, char(10)) - 1))"#
    );
    [("session", of("session")), ("account", of("account")), ("verification", code)]
}

pub(in crate::store) fn count(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Orphans, StoreError> {
    each(|table, condition| {
        let sql = format!(r#"SELECT count(*) FROM "{table}" WHERE {condition}"#);
        tx.count(&mapping.sql(sql), &[])
    })
}

pub(in crate::store) fn delete(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Orphans, StoreError> {
    each(|table, condition| {
        let sql = format!(r#"DELETE FROM "{table}" WHERE {condition}"#);
        tx.execute(&mapping.sql(sql), &[])
    })
}

fn each(mut rows: impl FnMut(&str, &str) -> Result<u64, StoreError>) -> Result<Orphans, StoreError> {
    let [sessions, accounts, codes] = orphans().map(|(table, condition)| rows(table, &condition));
    Ok(Orphans { sessions: sessions?, accounts: accounts?, codes: codes? })
}
