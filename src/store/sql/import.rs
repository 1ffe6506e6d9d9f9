//! The import of users of other systems.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

use jiff::Timestamp;

use super::audit::{COLUMNS, entry};
use super::rows::Values;
use super::write_tx::SqlStore;
use super::{Answer, rows, search, users};
use crate::auth::AuthError;
use crate::auth::audit::{Changes, Event, Subject, counted};
use crate::auth::email::{is_same_address, without_blanks};
use crate::auth::import::{Counts, IMPORTED, Note};
use crate::auth::storage::{
    AdminGuard, Ban, ImportBatch, ImportProgress, ImportResult, ImportStore, ImportedAccount, ImportedUser, NewBan,
    NewPassword, NewUserRow, OnConflict, StoreError, UserChange, UserUpdated, Which,
};
use crate::auth::throttle::AttemptKey;
use crate::auth::user::User;
use crate::store::engine::{Tx, Value};
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
            let present = Present::read(tx, mapping, users)?;
            let mut results = Vec::with_capacity(users.len());
            for user in users {
                let (mut result, stored) = present.decide(mapping, user, on_conflict);
                if let Some(stored) = stored.filter(|_| matches!(result, ImportResult::Updated { .. })) {
                    let keeps_password = keeps_password(tx, mapping, user, stored)?;
                    let change = change_of(user, stored);
                    let after = users::applied(&change, stored);
                    if keeps_password && Changes::between(Some(stored), Some(&after)).is_empty() {
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
            let present = Present::read(tx, mapping, batch.users)?;
            let mut results = Vec::with_capacity(batch.users.len());
            let mut new = Vec::new();
            // The entry about all of them comes first, so that the intention of an act on an app's database names it.
            log.push(Event::new(IMPORTED));
            for user in batch.users {
                let (result, stored) = present.decide(mapping, user, batch.on_conflict);
                let result = match (result, stored) {
                    (ImportResult::Taken, _) if batch.on_conflict == OnConflict::Fail => {
                        return Ok(Err(AuthError::UserExists));
                    }
                    (ImportResult::Created, _) if mapping.is_guest() => {
                        create(tx, mapping, log, user)?;
                        result
                    }
                    (ImportResult::Created, _) => {
                        let subject = Subject::read(&user.user.id, Some(user.user.email.as_str().to_owned()));
                        log.push(entry_about(subject, user, user.user.role.as_deref().unwrap_or("user")));
                        new.push(user);
                        result
                    }
                    (ImportResult::Updated { .. }, Some(stored)) => {
                        // The file may ban the last administrator behind a new one.
                        create_all(tx, mapping, &std::mem::take(&mut new))?;
                        match update(tx, mapping, log, user, stored, batch.now)? {
                            Ok(result) => result,
                            Err(refused) => return Ok(Err(refused)),
                        }
                    }
                    (result, _) => result,
                };
                results.push(result);
            }
            create_all(tx, mapping, &new)?;
            let counts = Counts::of(&results);
            let note = Note { key: batch.key.to_owned(), rows: batch.rows, total: batch.total, counts };
            log[0] = Event::new(IMPORTED).with(note.with(batch.about));
            told(&results)?;
            Ok(Ok(results))
        })
    }
}

/// What the database has of the users of a batch. No two of them have an id, an address or an account in common.
struct Present {
    by_id: HashMap<String, User>,
    /// The users with an address, without regard to case.
    by_email: HashMap<String, String>,
    /// The users with an account at a provider.
    owners: HashMap<[String; 2], Vec<String>>,
    others: OtherSpellings,
}

impl Present {
    fn read(tx: &mut dyn Tx, mapping: &SchemaMapping, users: &[ImportedUser]) -> Result<Self, StoreError> {
        let ids: Vec<_> = users.iter().filter_map(|user| fitting_id(mapping, user)).collect();
        let ids: Vec<_> = ids.iter().map(|id| [mapping.key("user", id)]).collect();
        let emails: Vec<_> = users.iter().map(|user| [user.user.email.as_str().into()]).collect();
        let by_id = users::find_all(tx, mapping, "id", &ids)?.into_iter().map(|user| (user.id.clone(), user));
        let by_id = by_id.collect();
        let by_email = users::find_all(tx, mapping, "email", &emails)?.into_iter();
        let by_email = by_email.map(|user| (user.email.to_ascii_lowercase(), user.id)).collect();
        let mut owners: HashMap<_, Vec<_>> = HashMap::new();
        let accounts: Vec<[Value; 2]> = users
            .iter()
            .flat_map(|user| &user.accounts)
            .map(|account| [(&account.provider_id).into(), (&account.account_id).into()])
            .collect();
        let dialect = tx.dialect();
        let are_sought = [(r#""providerId""#, "?1"), (r#""accountId""#, "?2")]
            .map(|(column, parameter)| dialect.is_listed(column, parameter))
            .join(" AND ");
        let sql = format!(r#"SELECT "userId", "providerId", "accountId" FROM "account" WHERE {are_sought}"#);
        for lists in dialect.lists(&accounts) {
            tx.each(&mapping.sql(&sql), &lists, |row| {
                let [provider, account] = [1, 2].map(|column| row.text(column));
                let owner = rows::key(row, 0, mapping, "user")?;
                owners.entry([provider?, account?]).or_default().push(owner);
                Ok(())
            })?;
        }
        Ok(Self { by_id, by_email, owners, others: OtherSpellings::read(tx, mapping)? })
    }

    /// Decides what becomes of a user, and returns the stored user with the same id.
    fn decide(
        &self,
        mapping: &SchemaMapping,
        imported: &ImportedUser,
        on_conflict: OnConflict,
    ) -> (ImportResult, Option<&User>) {
        let Some(id) = fitting_id(mapping, imported) else { return (ImportResult::UnfitId, None) };
        let stored = self.by_id.get(&id);
        let email = imported.user.email.as_str();
        let is_own = |user: &User| is_same_address(&user.email, email);
        let mut is_taken = match self.by_email.get(email) {
            Some(holder) => *holder != id,
            None => self.others.0.contains(email) && !stored.is_some_and(is_own),
        };
        for account in &imported.accounts {
            let owners = self.owners.get(&[account.provider_id.clone(), account.account_id.clone()]);
            is_taken |= owners.is_some_and(|owners| owners.iter().any(|owner| *owner != id));
        }
        let result = match on_conflict {
            _ if stored.is_none() && !is_taken => ImportResult::Created,
            OnConflict::Skip => ImportResult::Skipped,
            OnConflict::Update if !is_taken => ImportResult::Updated { sessions: 0 },
            OnConflict::Fail | OnConflict::Update => ImportResult::Taken,
        };
        (result, stored)
    }
}

/// The id under which a user would be stored; `None` if the database cannot hold it.
fn fitting_id(mapping: &SchemaMapping, imported: &ImportedUser) -> Option<String> {
    let strategy = mapping.ids.of("user");
    let id = &imported.user.id;
    if imported.keeps_id { strategy.takes(id).then(|| id.clone()) } else { Some(strategy.make(id)) }
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

/// Adds a user to the database of an app, with all accounts.
fn create(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    imported: &ImportedUser,
) -> Result<(), StoreError> {
    let user = NewUserRow { role: role(imported, mapping), ..imported.user.clone() };
    let made = users::insert(tx, mapping, &user, imported.hash.as_ref())?;
    for account in &imported.accounts {
        rows::insert(tx, mapping, "account", &account.id, account_values(mapping, &made.id, account))?;
    }
    log.push(entry_about(Subject::from(&made), imported, made.roles()));
    Ok(())
}

/// Adds users to a database that authctl made, with all accounts.
fn create_all(tx: &mut dyn Tx, mapping: &SchemaMapping, new: &[&ImportedUser]) -> Result<(), StoreError> {
    let mut accounts = Vec::new();
    let users = new.iter().map(|ImportedUser { user, hash, accounts: others, .. }| {
        if let Some(hash) = hash {
            let values = users::credential_values(mapping, &user.id, hash, user.updated_at);
            accounts.push((user.account_id.clone(), values));
        }
        accounts.extend(others.iter().map(|other| (other.id.clone(), account_values(mapping, &user.id, other))));
        let mut values = users::new_values(mapping, user);
        values.push(("role", (&user.role).into()));
        (user.id.clone(), values)
    });
    let users = users.collect();
    rows::insert_all(tx, mapping, "user", users)?;
    rows::insert_all(tx, mapping, "account", accounts)?;
    search::add_all(tx, mapping, new.iter().map(|new| new.user.id.as_str()))
}

fn account_values(mapping: &SchemaMapping, user_id: &str, account: &ImportedAccount) -> Values {
    let mut values = vec![
        ("accountId", (&account.account_id).into()),
        ("providerId", (&account.provider_id).into()),
        ("userId", mapping.reference("account", "userId", user_id)),
        ("createdAt", mapping.time("account", "createdAt", account.created_at)),
        ("updatedAt", mapping.time("account", "updatedAt", account.created_at)),
    ];
    if let Some(tokens) = &account.tokens {
        let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, Into::into);
        let time = |column: &'static str, time: Option<Timestamp>| {
            (column, time.map_or(Value::Null, |time| mapping.time("account", column, time)))
        };
        values.extend([
            ("accessToken", text(&tokens.access)),
            ("refreshToken", text(&tokens.refresh)),
            ("idToken", text(&tokens.id)),
            time("accessTokenExpiresAt", tokens.access_expires_at),
            time("refreshTokenExpiresAt", tokens.refresh_expires_at),
            ("scope", text(&tokens.scope)),
        ]);
    }
    values
}

fn entry_about(subject: Subject, imported: &ImportedUser, roles: &str) -> Event {
    let accounts = u64::try_from(imported.accounts.len()).unwrap_or(u64::MAX);
    let password = if imported.hash.is_some() { "with a password" } else { "without a password" };
    Event::user("user.imported", subject)
        .with(format!("roles: {roles}; {password}; {}", counted(accounts, "other account")))
}

/// The values of a stored user that the file decides. Nothing is known of the role, and the address stays: that another
/// address is verified says nothing about it.
fn change_of(imported: &ImportedUser, stored: &User) -> UserChange {
    let user = &imported.user;
    let is_about_the_address = is_same_address(&stored.email, user.email.as_str());
    UserChange {
        name: Some(user.name.clone()),
        image: Some(user.image.clone()),
        email_verified: is_about_the_address.then_some(user.email_verified),
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
    let mut change = change_of(imported, stored);
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
