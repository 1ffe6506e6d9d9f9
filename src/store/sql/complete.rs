//! Values that a shell completes, and ids by their first characters: ranges of an index, with few rows.

use crate::auth::storage::{Completed, StoreError};
use crate::store::engine::Tx;
use crate::store::mapping::{IdStrategy, Range, SchemaMapping};

/// The most values that are read.
const COMPLETED_MAX: usize = 50;

/// Values that begin with a prefix, in the order of their bytes, the first of them.
pub(in crate::store) fn with_prefix(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    what: Completed,
    prefix: &str,
) -> Result<Vec<String>, StoreError> {
    let strategy = match what {
        Completed::Address => IdStrategy::Text,
        Completed::User => mapping.ids.of("user"),
        Completed::Session => mapping.ids.of("session"),
    };
    let Some(Range { first, last, is_text }) = strategy.range(prefix) else { return Ok(Vec::new()) };
    let bytewise = tx.dialect().bytewise;
    let of_email = bytewise(r#""email""#);
    // Only text has an order of its bytes.
    let of_id = if is_text { bytewise(r#""id""#) } else { r#""id""#.to_owned() };
    let sql = match what {
        Completed::Address => format!(
            r#"SELECT "email" FROM "user" WHERE {of_email} >= ?1 AND {of_email} <= ?2 ORDER BY {of_email} LIMIT {COMPLETED_MAX}"#
        ),
        Completed::User => {
            format!(
                r#"SELECT "id" FROM "user" WHERE {of_id} >= ?1 AND {of_id} <= ?2 ORDER BY {of_id} LIMIT {COMPLETED_MAX}"#
            )
        }
        Completed::Session => {
            format!(
                r#"SELECT "id" FROM "session" WHERE {of_id} >= ?1 AND {of_id} <= ?2 ORDER BY {of_id} LIMIT {COMPLETED_MAX}"#
            )
        }
    };
    let mut found = Vec::new();
    tx.each(&mapping.sql(sql), &[first, last], |row| {
        found.extend(strategy.read(row.value(0)?));
        Ok(())
    })?;
    Ok(found)
}

/// Roles that begin with a prefix, apart from `user`, which nearly all have. A step of the index finds each one.
pub(in crate::store) fn roles(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    prefix: &str,
) -> Result<Vec<String>, StoreError> {
    let sql = mapping.sql(
        r#"SELECT "role" FROM "user" WHERE "role" <> 'user' AND "role" >= ?1 AND "role" < ?2 ORDER BY "role" LIMIT 1"#,
    );
    let end = format!("{prefix}{}", char::MAX);
    let (mut found, mut start) = (Vec::new(), prefix.to_owned());
    while found.len() < COMPLETED_MAX {
        let next = tx.query_one(&sql, &[start.into(), end.clone().into()], |row| {
            Ok(row.value(0)?.as_text().map(str::to_owned))
        })?;
        let Some(role) = next.flatten() else { break };
        // The least text after the role, as no role has control characters.
        start = format!("{role}\u{1}");
        found.push(role);
    }
    Ok(found)
}
