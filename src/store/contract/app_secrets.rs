//! The values that apps encrypt, in every database of an app.

use super::audit::entries;
use super::plugin_factors::on_every_app_with_factors;
use super::*;
use crate::auth::storage::{SecretChange, SecretChanges, SecretColumn, SecretValue};

/// Bob with an encrypted value in each column that the tables have.
fn with_values(db: &Database) -> Box<dyn Store> {
    let store = two_users(db);
    db.edit_plugins("ALTER TABLE {jwks} ADD COLUMN {expiresAt} [time]");
    db.edit_plugins("INSERT INTO {twoFactor} VALUES ('f', 'totp', 'codes', 'bob', TRUE, 0, NULL)");
    db.edit_plugins("INSERT INTO {jwks} VALUES ('live', 'public', 'key', NULL), ('old', 'public', 'old key', [30])");
    db.edit(r#"UPDATE "account" SET "accessToken" = 'token' WHERE "userId" = 'bob'"#);
    store
}

fn values(store: &mut dyn Store) -> Vec<(SecretColumn, String, bool)> {
    let mut values = Vec::new();
    let mut found = |value: SecretValue<'_>| values.push((value.column, value.text.to_owned(), value.is_expired));
    store.each_secret(at(60), &mut found).unwrap();
    values.sort();
    values
}

#[test]
fn encrypted_values_change_together_or_not_at_all() {
    on_every_app_with_factors(|db| {
        let mut store = with_values(db);
        let before = [
            (SecretColumn::TotpSecret, "totp".to_owned(), false),
            (SecretColumn::BackupCodes, "codes".into(), false),
            (SecretColumn::SigningKey, "key".into(), false),
            (SecretColumn::SigningKey, "old key".into(), true),
            (SecretColumn::AccessToken, "token".into(), false),
        ];
        assert_eq!(values(&mut *store), before);
        let mut refuse = |value: SecretValue<'_>| match value.column {
            SecretColumn::AccessToken => Err(AuthError::FactorUnusable),
            _ => Ok(SecretChange::Write("new".into())),
        };
        assert!(matches!(store.change_secrets(at(60), &mut refuse).unwrap(), Err(AuthError::FactorUnusable)));
        assert_eq!(values(&mut *store), before);
        let mut decide = |value: SecretValue<'_>| {
            Ok(match value.text {
                "key" => SecretChange::Expire,
                "old key" | "codes" => SecretChange::Keep,
                text => SecretChange::Write(format!("new {text}")),
            })
        };
        let changes = store.change_secrets(at(60), &mut decide).unwrap().unwrap();
        assert_eq!(changes, SecretChanges { written: 2, expired: 1 });
        let after = [
            (SecretColumn::TotpSecret, "new totp".to_owned(), false),
            (SecretColumn::BackupCodes, "codes".into(), false),
            (SecretColumn::SigningKey, "key".into(), true),
            (SecretColumn::SigningKey, "old key".into(), true),
            (SecretColumn::AccessToken, "new token".into(), false),
        ];
        assert_eq!(values(&mut *store), after);
        let logged = entries(&mut *store, 0);
        assert_eq!(logged.iter().filter(|entry| entry.event == "app-secret.rotated").count(), 1);
    });
}

#[test]
fn more_values_than_a_page_change() {
    on_every_app_with_factors(|db| {
        let mut store = with_values(db);
        db.edit_plugins(
            "INSERT INTO {jwks} WITH RECURSIVE of_more (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM of_more WHERE n < 1001)
             SELECT 'k' || n, 'public', 'more', NULL FROM of_more",
        );
        let mut decide = |value: SecretValue<'_>| {
            Ok(if value.text == "more" { SecretChange::Write("changed".into()) } else { SecretChange::Keep })
        };
        let changes = store.change_secrets(at(60), &mut decide).unwrap().unwrap();
        assert_eq!(changes, SecretChanges { written: 1001, expired: 0 });
        assert_eq!(values(&mut *store).iter().filter(|(_, text, _)| text == "changed").count(), 1001);
    });
}

#[test]
fn native_database_has_no_values_of_an_app() {
    on_engines(
        |engine| engine.is_native,
        |db| {
            let mut store = two_users(db);
            assert_eq!(values(&mut *store), []);
            let mut decide = |_: SecretValue<'_>| Ok(SecretChange::Write(String::new()));
            assert_eq!(store.change_secrets(at(60), &mut decide).unwrap().unwrap(), SecretChanges::default());
        },
    );
}
