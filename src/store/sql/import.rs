//! The import of users of other systems.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use jiff::Timestamp;

use super::audit::{COLUMNS, entry};
use super::write_tx::SqlStore;
use super::{Answer, rows, users};
use crate::auth::AuthError;
use crate::auth::audit::{Changes, Event, counted};
use crate::auth::email::{is_same_address, without_blanks};
use crate::auth::import::{Counts, IMPORTED, Note};
use crate::auth::storage::{
    AdminGuard, Ban, ImportBatch, ImportProgress, ImportResult, ImportStore, ImportedUser, NewBan, NewPassword,
    NewUserRow, OnConflict, StoreError, UserChange, UserUpdated, Which,
};
use crate::auth::throttle::AttemptKey;
use crate::auth::user::{User, UserRef};
use crate::store::engine::Tx;
use crate::store::mapping::SchemaMapping;

impl Answer for Vec<ImportResult> {}

impl ImportStore for SqlStore {
    fn import_progress(&mut self, key: &str) -> Result<Option<ImportProgress>, StoreError> {
        self.read_state(|tx| {
            let mut progress: Option<ImportProgress> = None;
            let sql = format!(r#"SELECT {COLUMNS} FROM "authctl_audit" WHERE "event" = ?1 ORDER BY "seq""#);
            tx.scan(&sql, &[IMPORTED.into()], &mut |row| {
                let entry = entry(row)?;
                if let Some(note) = entry.detail.as_deref().and_then(Note::parse).filter(|note| note.key == key) {
                    let before = progress.take().filter(|before| before.rows == note.rows[0]);
                    let counts = before.map_or_else(Counts::default, |before| before.counts) + note.counts;
                    progress = Some(ImportProgress { rows: note.rows[1], counts, at: entry.at });
                }
                Ok(ControlFlow::Continue(()))
            })?;
            Ok(progress)
        })
    }

    fn rehearse_import(
        &mut self,
        users: &[ImportedUser],
        on_conflict: OnConflict,
    ) -> Result<Vec<ImportResult>, StoreError> {
        self.read(|tx, mapping| {
            require_columns(mapping, users)?;
            let others = OtherSpellings::read(tx, mapping)?;
            let mut results = Vec::with_capacity(users.len());
            for user in users {
                let (mut result, stored) = decide(tx, mapping, user, on_conflict, &others)?;
                if let Some(stored) = stored.filter(|_| matches!(result, ImportResult::Updated { .. })) {
                    let keeps_password = keeps_password(tx, mapping, user, &stored)?;
                    let change = change_of(user);
                    let after = users::applied(&change, &stored);
                    if keeps_password && Changes::between(Some(&stored), Some(&after)).is_empty() {
                        result = ImportResult::Unchanged;
                    }
                }
                results.push(result);
            }
            Ok(results)
        })
    }

    fn import_users(
        &mut self,
        batch: &ImportBatch<'_>,
        told: &mut dyn FnMut(&[ImportResult]) -> Result<(), StoreError>,
    ) -> Result<Result<Vec<ImportResult>, AuthError>, StoreError> {
        self.write_tx(|tx, mapping, log| {
            let others = OtherSpellings::read(tx, mapping)?;
            let mut results = Vec::with_capacity(batch.users.len());
            // The entry about all of them comes first, so that the intention of an act on an app's database names it.
            log.push(Event::new(IMPORTED));
            for user in batch.users {
                let (result, stored) = decide(tx, mapping, user, batch.on_conflict, &others)?;
                let result = match (result, stored) {
                    (ImportResult::Taken, _) if batch.on_conflict == OnConflict::Fail => {
                        return Ok(Err(AuthError::UserExists));
                    }
                    (ImportResult::Created, _) => create(tx, mapping, log, user)?,
                    (ImportResult::Updated { .. }, Some(stored)) => {
                        match update(tx, mapping, log, user, &stored, batch.now)? {
                            Ok(result) => result,
                            Err(refused) => return Ok(Err(refused)),
                        }
                    }
                    (result, _) => result,
                };
                results.push(result);
            }
            let counts = Counts::of(&results);
            let note = Note { key: batch.key.to_owned(), rows: batch.rows, total: batch.total, counts };
            log[0] = Event::new(IMPORTED).with(note.with(batch.about));
            told(&results)?;
            Ok(Ok(results))
        })
    }
}

/// The addresses that the database holds in another form than authctl writes them. Only apps have such.
struct OtherSpellings(BTreeSet<String>);

impl OtherSpellings {
    fn read(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Self, StoreError> {
        let mut others = BTreeSet::new();
        if mapping.is_guest() {
            let sql = mapping.sql(r#"SELECT "email" FROM "user" WHERE "email" <> lower("email")"#);
            tx.each(&sql, &[], |row| {
                let address = row.value(0)?.as_text();
                others.extend(address.map(|address| without_blanks(address).to_ascii_lowercase()));
                Ok(())
            })?;
        }
        Ok(Self(others))
    }
}

/// Requires that the database can hold what the users have, before the first of them is written.
///
/// # Errors
/// [`StoreError::NotOurs`] and [`StoreError::NoColumn`]: a user whose ban has no place could sign in.
fn require_columns(mapping: &SchemaMapping, users: &[ImportedUser]) -> Result<(), StoreError> {
    if users.is_empty() {
        return Ok(());
    }
    let has_accounts = users.iter().any(|user| user.hash.is_some() || !user.accounts.is_empty());
    rows::require_new_rows(mapping, if has_accounts { &["user", "account"] } else { &["user"] })?;
    let is_banned = users.iter().any(|user| user.user.ban.is_some());
    let has_role = users.iter().any(|user| role(user, mapping).is_some());
    for (column, is_needed) in [("banned", is_banned), ("role", has_role)] {
        if is_needed && !mapping.has("user", column) {
            return Err(mapping.no_column("user", column));
        }
    }
    Ok(())
}

/// The role to write. An app without roles needs none to call a user a user.
fn role(imported: &ImportedUser, mapping: &SchemaMapping) -> Option<String> {
    let role = imported.user.role.clone();
    if mapping.has("user", "role") { role } else { role.filter(|role| role != "user") }
}

/// Decides what becomes of a user, and returns the stored user with the same id.
fn decide(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    imported: &ImportedUser,
    on_conflict: OnConflict,
    others: &OtherSpellings,
) -> Result<(ImportResult, Option<User>), StoreError> {
    let strategy = mapping.ids.of("user");
    let id = if imported.keeps_id { imported.user.id.clone() } else { strategy.make(&imported.user.id) };
    if imported.keeps_id && !strategy.takes(&id) {
        return Ok((ImportResult::UnfitId, None));
    }
    let stored = users::find(tx, mapping, &UserRef::Id(id.clone()))?;
    let email = &imported.user.email;
    let is_own = |user: &User| is_same_address(&user.email, email.as_str());
    let mut is_taken = match users::find(tx, mapping, &UserRef::Email(email.clone()))? {
        Some(holder) => holder.id != id,
        None => others.0.contains(email.as_str()) && !stored.as_ref().is_some_and(is_own),
    };
    for account in &imported.accounts {
        let sql = r#"SELECT "userId" FROM "account" WHERE "providerId" = ?1 AND "accountId" = ?2"#;
        let values = [(&account.provider_id).into(), (&account.account_id).into()];
        let owners = tx.query_all(&mapping.sql(sql), &values, |row| rows::key(row, 0, mapping, "user"))?;
        is_taken |= owners.iter().any(|owner| *owner != id);
    }
    let result = match on_conflict {
        _ if stored.is_none() && !is_taken => ImportResult::Created,
        OnConflict::Skip => ImportResult::Skipped,
        OnConflict::Update if !is_taken => ImportResult::Updated { sessions: 0 },
        OnConflict::Fail | OnConflict::Update => ImportResult::Taken,
    };
    Ok((result, stored))
}

fn create(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    imported: &ImportedUser,
) -> Result<ImportResult, StoreError> {
    let user = NewUserRow { role: role(imported, mapping), ..imported.user.clone() };
    let made = users::insert(tx, mapping, &user, imported.hash.as_ref())?;
    for account in &imported.accounts {
        let values = vec![
            ("accountId", (&account.account_id).into()),
            ("providerId", (&account.provider_id).into()),
            ("userId", mapping.reference("account", "userId", &made.id)),
            ("createdAt", mapping.time("account", "createdAt", account.created_at)),
            ("updatedAt", mapping.time("account", "updatedAt", account.created_at)),
        ];
        rows::insert(tx, mapping, "account", &account.id, values)?;
    }
    let accounts = u64::try_from(imported.accounts.len()).unwrap_or(u64::MAX);
    let password = if imported.hash.is_some() { "with a password" } else { "without a password" };
    let event = Event::user("user.imported", &made);
    log.push(event.with(format!("roles: {}; {password}; {}", made.roles(), counted(accounts, "other account"))));
    Ok(ImportResult::Created)
}

/// The values of a stored user that the file decides. Nothing is known of the role, and the address stays.
fn change_of(imported: &ImportedUser) -> UserChange {
    let user = &imported.user;
    UserChange {
        name: Some(user.name.clone()),
        image: Some(user.image.clone()),
        email_verified: Some(user.email_verified),
        role: user.role.clone().filter(|_| imported.replaces_role).map(Some),
        ban: Some(match &user.ban {
            Some(NewBan { reason, until }) => Ban::Imposed { reason: reason.clone(), until: *until },
            None => Ban::Lifted,
        }),
        ..UserChange::default()
    }
}

/// Whether an update leaves the password as it is.
fn keeps_password(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    imported: &ImportedUser,
    stored: &User,
) -> Result<bool, StoreError> {
    match &imported.hash {
        None => Ok(true),
        Some(hash) => users::is_hash_in_force(tx, mapping, &stored.id, hash),
    }
}

fn update(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    imported: &ImportedUser,
    stored: &User,
    now: Timestamp,
) -> Result<Result<ImportResult, AuthError>, StoreError> {
    let mut change = change_of(imported);
    if !mapping.has("user", "banned") && !stored.banned && imported.user.ban.is_none() {
        change.ban = None;
    }
    let updated = match users::update(tx, mapping, log, &stored.id, &change, AdminGuard::KeepLastAdmin, now)? {
        Ok(updated) => updated,
        Err(refused) => return Ok(Err(refused)),
    };
    let UserUpdated { changed, ended, .. } = updated;
    let mut sessions = ended.len();
    let keeps_password = keeps_password(tx, mapping, imported, stored)?;
    if let Some(hash) = imported.hash.as_ref().filter(|_| !keeps_password) {
        let attempts = AttemptKey::sign_in(&imported.user.email);
        let new = NewPassword {
            user_id: &stored.id,
            account_id: imported.user.account_id.clone(),
            hash,
            end: Some(Which::All),
            attempts: &attempts,
            now,
        };
        sessions += users::set_password(tx, mapping, log, &new)?.map_or(0, |ended| ended.len());
    }
    Ok(Ok(if changed || !keeps_password { ImportResult::Updated { sessions } } else { ImportResult::Unchanged }))
}
