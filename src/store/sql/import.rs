//! The import of users of other systems.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::rc::Rc;

use jiff::Timestamp;

use super::audit::{COLUMNS, entry};
use super::rows::Values;
use super::write_tx::SqlStore;
use super::{Answer, accounts, native_factor, rows, search, users};
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
        let mut others = std::mem::take(&mut self.other_spellings);
        let results = self.read(|tx, mapping| {
            require_columns(mapping, users)?;
            let present = Present::read(tx, mapping, users, &mut others)?;
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
        });
        self.other_spellings = others;
        results
    }

    fn import_users(
        &mut self,
        batch: &ImportBatch<'_>,
        told: &mut dyn FnMut(&[ImportResult]) -> Result<(), StoreError>,
    ) -> Result<Result<Vec<ImportResult>, AuthError>, StoreError> {
        if self.guest.is_none() {
            self.engine.expect_rows()?;
        }
        // No user is looked up: what only one user can have has a unique index in a database that authctl made.
        if batch.is_new && self.guest.is_none() {
            let done = self.write_tx(|tx, mapping, log| {
                log.push(Event::new(IMPORTED));
                create_all(tx, mapping, log, batch.users.iter().collect())?;
                let results = vec![ImportResult::Created; batch.users.len()];
                tell(batch, &results, log, told)?;
                Ok(results)
            });
            match done {
                // Another process has added one of them since the plan.
                Err(StoreError::EmailTaken | StoreError::NotUnique(_)) => {}
                done => return done.map(Ok),
            }
        }
        let mut others = std::mem::take(&mut self.other_spellings);
        let done = self.write_tx(|tx, mapping, log| {
            let present = Present::read(tx, mapping, batch.users, &mut others)?;
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
                        new.push(user);
                        result
                    }
                    (ImportResult::Updated { .. }, Some(stored)) => {
                        // The file may ban the last administrator behind a new one.
                        create_all(tx, mapping, log, std::mem::take(&mut new))?;
                        match update(tx, mapping, log, user, stored, batch.now)? {
                            Ok(result) => result,
                            Err(refused) => return Ok(Err(refused)),
                        }
                    }
                    (result, _) => result,
                };
                results.push(result);
            }
            create_all(tx, mapping, log, new)?;
            tell(batch, &results, log, told)?;
            Ok(Ok(results))
        });
        self.other_spellings = others;
        done
    }
}

/// Completes the entry about a batch, which is the first, and tells of the results.
fn tell(
    batch: &ImportBatch<'_>,
    results: &[ImportResult],
    log: &mut [Event],
    told: &mut dyn FnMut(&[ImportResult]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let note = Note { key: batch.key.to_owned(), rows: batch.rows, total: batch.total, counts: Counts::of(results) };
    log[0] = Event::new(IMPORTED).with(note.with(batch.about));
    told(results)
}

/// What the database has of the users of a batch. No two of them have an id, an address or an account in common.
struct Present {
    by_id: HashMap<String, User>,
    /// The users with an address, without regard to case.
    by_email: HashMap<String, String>,
    /// The users with an account at a provider.
    owners: HashMap<[String; 2], Vec<String>>,
    others: Rc<BTreeSet<String>>,
}

impl Present {
    fn read(
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        users: &[ImportedUser],
        others: &mut OtherSpellings,
    ) -> Result<Self, StoreError> {
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
        Ok(Self { by_id, by_email, owners, others: others.read(tx, mapping)? })
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
            None => self.others.contains(email) && !stored.is_some_and(is_own),
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
#[derive(Debug, Clone, Default)]
pub(super) struct OtherSpellings {
    addresses: Rc<BTreeSet<String>>,
    /// [`Tx::changes_of_others`] before they were read.
    read_at: Option<i64>,
}

impl OtherSpellings {
    /// Reads them, unless no other process has written since they were read: authctl writes none itself.
    fn read(&mut self, tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Rc<BTreeSet<String>>, StoreError> {
        if !mapping.is_guest() {
            return Ok(Rc::default());
        }
        let now = tx.changes_of_others()?;
        if now.is_none() || self.read_at != now {
            let mut others = BTreeSet::new();
            let sql = mapping.sql(r#"SELECT "email" FROM "user" WHERE "email" <> lower("email")"#);
            tx.each(&sql, &[], |row| {
                let address = row.value(0)?.as_text();
                others.extend(address.map(|address| without_blanks(address).to_ascii_lowercase()));
                Ok(())
            })?;
            *self = Self { addresses: others.into(), read_at: now };
        }
        Ok(Rc::clone(&self.addresses))
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
    log.push(Event::user(ABOUT_ONE, &made).with(words_about(imported, made.roles())));
    Ok(())
}

/// Adds users to a database that authctl made, with all accounts.
fn create_all(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    mut new: Vec<&ImportedUser>,
) -> Result<(), StoreError> {
    // Indexes of random ids take them in order at a part of the cost: each of their pages is changed once. Users who are
    // banned have values of their own.
    new.sort_unstable_by(|one, other| {
        let [one, other] = [one, other].map(|new| (new.user.ban.is_some(), &new.user.id));
        one.cmp(&other)
    });
    let mut last: Option<(&ImportedUser, Rc<str>)> = None;
    log.extend(new.iter().map(|new| {
        let subject = Subject::read(&new.user.id, Some(new.user.email.as_str().to_owned()));
        // Most entries of an import have the same words, which are kept once.
        let words = match &last {
            Some((one, words)) if is_worded_alike(one, new) => Rc::clone(words),
            _ => words_about(new, new.user.role.as_deref().unwrap_or("user")).into(),
        };
        last = Some((new, Rc::clone(&words)));
        Event::user(ABOUT_ONE, subject).with(words)
    }));
    let place = search::last_place(tx, mapping)?;
    let users = new.iter().map(|ImportedUser { user, .. }| {
        let mut values = users::new_values(mapping, user);
        values.extend([("role", (&user.role).into()), ("id", (&user.id).into())]);
        values
    });
    rows::insert_all(tx, mapping, "user", users)?;
    let passwords = new.iter().filter_map(|ImportedUser { user, hash, .. }| {
        let mut values = accounts::credential_values(mapping, &user.id, hash.as_ref()?, user.updated_at);
        values.push(("id", (&user.account_id).into()));
        Some(values)
    });
    let others = new.iter().flat_map(|ImportedUser { user, accounts, .. }| {
        accounts.iter().map(|other| {
            let mut values = account_values(mapping, &user.id, other);
            values.push(("id", (&other.id).into()));
            values
        })
    });
    rows::insert_all(tx, mapping, "account", passwords.chain(others))?;
    for ImportedUser { user, factor, .. } in &new {
        if let Some(factor) = factor {
            native_factor::import(tx, mapping, log, &user.id, factor, user.updated_at)?;
        }
    }
    search::add_since(tx, mapping, place, new.len())
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

/// The event of the entry about one user.
const ABOUT_ONE: &str = "user.imported";

fn is_worded_alike(one: &ImportedUser, other: &ImportedUser) -> bool {
    let of = |user: &ImportedUser| (user.hash.is_some(), user.accounts.len());
    of(one) == of(other) && one.user.role == other.user.role
}

fn words_about(imported: &ImportedUser, roles: &str) -> String {
    let accounts = u64::try_from(imported.accounts.len()).unwrap_or(u64::MAX);
    let password = if imported.hash.is_some() { "with a password" } else { "without a password" };
    format!("roles: {roles}; {password}; {}", counted(accounts, "other account"))
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
        Some(hash) => accounts::is_hash_in_force(tx, mapping, &stored.id, hash),
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
        sessions += accounts::set_password(tx, mapping, log, &new)?.map_or(0, |ended| ended.len());
    }
    Ok(Ok(if changed || !keeps_password { ImportResult::Updated { sessions } } else { ImportResult::Unchanged }))
}
