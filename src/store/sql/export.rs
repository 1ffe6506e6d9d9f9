//! All users with their accounts, for an export.

use std::ops::ControlFlow;

use super::read;
use super::write_tx::SqlStore;
use crate::auth::secret::StoredHash;
use crate::auth::storage::{Account, ExportStore, ExportedAccount, ExportedUser, Sink, StoreError};
use crate::store::engine::{Dialect, Row};
use crate::store::mapping::SchemaMapping;

impl ExportStore for SqlStore {
    fn export(&mut self, sink: &mut dyn Sink) -> Result<(), StoreError> {
        self.settle_all()?;
        self.read(|tx, mapping| {
            let sql = statement(tx.dialect(), mapping);
            let (mut current, mut is_begun, mut is_over) = (None::<ExportedUser>, false, false);
            tx.scan(&mapping.sql(sql), &[], &mut |row| {
                if !is_begun {
                    is_begun = true;
                    sink.begin(row.integer(0)?.unsigned_abs());
                }
                let user = read::user(row, FIRST, mapping)?;
                if current.as_ref().is_none_or(|current| current.user.id != user.id) {
                    let done = current.replace(ExportedUser { user, hash: None, accounts: Vec::new() });
                    if done.is_some_and(|done| !sink.user(done)) {
                        (current, is_over) = (None, true);
                        return Ok(ControlFlow::Break(()));
                    }
                }
                if let Some(user) = &mut current {
                    add_account(user, row, mapping)?;
                }
                Ok(ControlFlow::Continue(()))
            })?;
            if !is_begun {
                sink.begin(0);
            }
            if let Some(last) = current.filter(|_| !is_over) {
                sink.user(last);
            }
            Ok(())
        })
    }
}

/// The column with the number of users, and those of the user after it.
const FIRST: usize = 1;
/// The columns of an account after them.
const ACCOUNT: usize = FIRST + read::USER_WIDTH;

/// Users with their accounts. One statement sees the database at one instant, and the number of users with it.
fn statement(dialect: &Dialect, mapping: &SchemaMapping) -> String {
    // Ids may be numbers.
    let bytewise = |column: &str| (dialect.bytewise)(&(dialect.text)(column));
    let [id, provider, subject] =
        [r#""user"."id""#, r#""account"."providerId""#, r#""account"."accountId""#].map(bytewise);
    // An app may have no table of accounts.
    if mapping.not_found_by("account", &["userId", "providerId", "accountId"]).is_some() {
        return format!(
            r#"SELECT (SELECT count(*) FROM "user" WHERE TRUE), {}, NULL, NULL, NULL, NULL FROM "user" WHERE TRUE
               ORDER BY "user"."createdAt", {id}"#,
            read::USER
        );
    }
    let password = if mapping.has("account", "password") { PASSWORD } else { "NULL" };
    format!(
        r#"SELECT (SELECT count(*) FROM "user" WHERE TRUE), {}, "account"."providerId", "account"."accountId",
               "account"."createdAt", {password}
           FROM "user" LEFT JOIN "account" ON "account"."userId" = "user"."id" WHERE TRUE
           ORDER BY "user"."createdAt", {id}, {provider}, {subject}"#,
        read::USER
    )
}

/// The hash of an account, as [`super::accounts::PASSWORD`] reads it.
const PASSWORD: &str = r#"CASE WHEN octet_length("account"."password") <= 100000 THEN "account"."password" END"#;

fn add_account(user: &mut ExportedUser, row: &Row<'_>, mapping: &SchemaMapping) -> Result<(), StoreError> {
    let text = |column: usize| Ok::<_, StoreError>(row.value(ACCOUNT + column)?.as_text().map(str::to_owned));
    let (Some(provider_id), Some(account_id)) = (text(0)?, text(1)?) else { return Ok(()) };
    if provider_id == Account::CREDENTIAL {
        // Only this account signs in.
        if account_id == user.user.id {
            user.hash = text(3)?.and_then(|hash| StoredHash::from_bytes(hash.as_bytes()).ok());
        }
        return Ok(());
    }
    let created_at = mapping.read_time("account", "createdAt", row.value(ACCOUNT + 2)?);
    user.accounts.push(ExportedAccount { provider_id, account_id, created_at });
    Ok(())
}
