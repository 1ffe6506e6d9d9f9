//! The rows that give access to a user's account: tokens, keys and codes of plugins, and rows of `verification`. They
//! are found by the columns of known plugins, whether the database has foreign keys for them or not.

use jiff::Timestamp;

use super::inventory::Inventory;
use super::key_owners::KeyOwners;
use super::plugins::{is_over, quoted, quoted_to_write, time_encoding, truth_encoding};
use super::rows::RowKey;
use super::{SqlStore, accounts, codes, rows, second_factor, sessions, users};
use crate::auth::AuthError;
use crate::auth::access::{AccessCounts, AccessKind, AccountAccess, Owner, challenge_of};
use crate::auth::audit::{Event, counted};
use crate::auth::second_factor::{FactorReset, FactorRows};
use crate::auth::secret::HASHED_BYTES;
use crate::auth::session::Session;
use crate::auth::storage::{AccessStore, EndSessions, Lockdown, Maintenance as _, StoreError, UserChange};
use crate::auth::user::{User, UserRef};
use crate::store::engine::{Tx, Value};
use crate::store::mapping::{FoundPlugin, SchemaMapping, TimeEncoding, identifier, spells_false};

impl AccessStore for SqlStore {
    fn account_access(&mut self, user_id: &str, now: Timestamp) -> Result<Option<AccountAccess>, StoreError> {
        let access = self.read(|tx, mapping| account_access(tx, mapping, user_id, now))?;
        Ok(access.map(|access| AccountAccess { counts: self.known(access.counts), ..access }))
    }

    fn lock_down(&mut self, request: &Lockdown<'_>) -> Result<Result<(User, AccessCounts), AuthError>, StoreError> {
        let done = self.write_tx_by_catalog(|tx, mapping, log| lock_down(tx, mapping, log, request))?;
        Ok(done.map(|(user, ended)| (user, self.known(ended))))
    }

    fn rehearse_lockdown(
        &mut self,
        request: &Lockdown<'_>,
    ) -> Result<Result<(User, AccessCounts), AuthError>, StoreError> {
        let done = self.dry_run(|tx, mapping, log| lock_down(tx, mapping, log, request))?;
        Ok(done.map(|(user, ended)| (user, self.known(ended))))
    }

    fn factor_rows(&mut self, user_id: &str) -> Result<Option<FactorRows>, StoreError> {
        self.read(|tx, mapping| second_factor::factor_rows(tx, mapping, user_id))
    }

    fn factor_to_reset(&mut self, user_id: &str, now: Timestamp) -> Result<Option<FactorReset>, StoreError> {
        self.read(|tx, mapping| second_factor::to_reset(tx, mapping, user_id, now))
    }

    fn reset_second_factor(&mut self, user_id: &str, now: Timestamp) -> Result<Option<FactorReset>, StoreError> {
        self.write_tx(|tx, mapping, log| second_factor::reset(tx, mapping, log, user_id, now))
    }

    fn unlock_second_factor(&mut self, user_id: &str) -> Result<bool, StoreError> {
        // Without a lock the app's database is not locked for writers.
        if !self.read(|tx, mapping| second_factor::is_locked(tx, mapping, user_id))? {
            return Ok(false);
        }
        Ok(self.write_tx(|tx, mapping, log| second_factor::unlock(tx, mapping, log, user_id))? > 0)
    }
}

impl SqlStore {
    /// Removes the numbers of rows that the database of an app does not have or does not show.
    fn known(&self, counts: AccessCounts) -> AccessCounts {
        let is_counted = |table| self.guest().is_none_or(|schema| schema.counts(table));
        counts.known(|kind| kind.table().is_none_or(is_counted))
    }
}

/// A table of a plugin whose rows give access to accounts.
struct AccessTable {
    kind: AccessKind,
    /// Quoted for SQL, as all other names here.
    table: String,
    /// Selects the open rows of the user `?1`.
    condition: String,
    /// The column with the end of a row, or NULL.
    expires: String,
    /// The encoding that the type of this column shows.
    encoding: Option<TimeEncoding>,
    end: End,
}

/// How the rows of a table end.
enum End {
    /// The column holds when the row was revoked.
    Revoke(String),
    /// The column says that the row counts.
    Disable(String),
    /// The column holds the state of a request.
    Deny(String),
    Delete,
}

/// The tables of plugins that give access to accounts.
fn access_tables(inventory: &Inventory, mapping: &SchemaMapping) -> Vec<AccessTable> {
    let mut tables = Vec::new();
    for (kind, name) in TOKENS {
        tables.extend(inventory.plugin(name).and_then(|found| token_table(kind, found, mapping)));
    }
    if let Some(found) = inventory.plugin("apikey")
        && let Some(owner) = quoted(found, "referenceId").or_else(|| quoted(found, "userId"))
    {
        let (end, is_open) = match quoted_to_write(found, "enabled") {
            // NULL counts as enabled.
            Some(enabled) => {
                let is_open = format!(" AND NOT {}", spells_false(&enabled, inventory.dialect));
                (End::Disable(enabled), is_open)
            }
            None => (End::Delete, String::new()),
        };
        let is_of_user = KeyOwners::of(inventory, mapping).map(|owners| format!(" AND {}", owners.is_of_user()));
        tables.push(AccessTable {
            kind: AccessKind::ApiKey,
            table: identifier(&found.table),
            condition: format!("{owner} = ?1{is_open}{}", is_of_user.unwrap_or_default()),
            expires: quoted(found, "expiresAt").unwrap_or_else(null),
            encoding: found.time_encoding("expiresAt", &mapping.times),
            end,
        });
    }
    if let Some(found) = inventory.plugin("deviceCode")
        && let (Some(owner), Some(status)) = (quoted(found, "userId"), quoted_to_write(found, "status"))
    {
        tables.push(AccessTable {
            kind: AccessKind::DeviceCode,
            table: identifier(&found.table),
            condition: format!("{owner} = ?1 AND {status} IN ('pending', 'approved')"),
            expires: quoted(found, "expiresAt").unwrap_or_else(null),
            encoding: found.time_encoding("expiresAt", &mapping.times),
            end: End::Deny(status),
        });
    }
    tables
}

/// The tables of OAuth tokens. Rows of older versions hold both tokens, and count as access tokens.
const TOKENS: [(AccessKind, &str); 2] =
    [(AccessKind::AccessToken, "oauthAccessToken"), (AccessKind::RefreshToken, "oauthRefreshToken")];

fn token_table(kind: AccessKind, found: &FoundPlugin, mapping: &SchemaMapping) -> Option<AccessTable> {
    let user = quoted(found, "userId")?;
    let of_session = quoted(found, "sessionId").map_or_else(String::new, |session| {
        // A token that was made while the user acted as another is the user's as well.
        let is_impersonator = mapping.ids.impersonator_is(r#""user"."id""#);
        let own = mapping.sql(format!(
            r#"SELECT "id" FROM "session" WHERE "userId" = ?1
               OR EXISTS (SELECT 1 FROM "user" WHERE "user"."id" = ?1 AND {is_impersonator})"#
        ));
        format!(" OR {session} IN ({own})")
    });
    let (end, is_open) = match quoted_to_write(found, "revoked") {
        Some(revoked) => {
            let is_open = format!(" AND {revoked} IS NULL");
            (End::Revoke(revoked), is_open)
        }
        None => (End::Delete, String::new()),
    };
    let expires = ["expiresAt", "refreshTokenExpiresAt"].into_iter().find(|name| found.column(name).is_some());
    Some(AccessTable {
        kind,
        table: identifier(&found.table),
        condition: format!("({user} = ?1{of_session}){is_open}"),
        expires: expires.and_then(|name| quoted(found, name)).unwrap_or_else(null),
        encoding: expires.and_then(|name| found.time_encoding(name, &mapping.times)),
        end,
    })
}

fn null() -> String {
    "NULL".to_owned()
}

impl AccessTable {
    /// Counts the open rows of a user that have not expired.
    fn count(&self, tx: &mut dyn Tx, user: &Value, now: Timestamp) -> Result<u64, StoreError> {
        let Self { table, condition, expires, encoding, .. } = self;
        let sql = format!("SELECT {expires} FROM {table} WHERE {condition}");
        let mut count = 0;
        tx.each(&sql, std::slice::from_ref(user), |row| {
            count += u64::from(!is_over(row.value(0)?, *encoding, now));
            Ok(())
        })?;
        Ok(count)
    }

    /// Ends the open rows of a user, expired ones included.
    fn end(&self, tx: &mut dyn Tx, mapping: &SchemaMapping, user_id: &str, now: Timestamp) -> Result<(), StoreError> {
        let Self { table, condition, expires, .. } = self;
        let (column, value) = match &self.end {
            End::Delete => {
                tx.delete(&format!("DELETE FROM {table} WHERE {condition}"), &[mapping.key("user", user_id)])?;
                return Ok(());
            }
            End::Revoke(column) => (column, time_encoding(tx, mapping, table, &[column, expires])?.write(now)),
            End::Disable(column) => (column, truth_encoding(tx, table, column)?.write(false, now)),
            End::Deny(column) => (column, "denied".into()),
        };
        let user = [mapping.key("user", user_id)];
        tx.update_until_none(table, &format!("{column} = ?2"), condition, &user, &[value]).map(drop)
    }
}

/// Which tokens end with their session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tokens {
    /// As the app does: access tokens, and refresh tokens without `offline_access`.
    Online,
    All,
}

/// Ends the tokens of sessions. Must run before the sessions are deleted: an app takes a token without a session for one
/// that needs none, and foreign keys make it one.
pub(super) fn end_tokens(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    inventory: &Inventory,
    sessions: &[RowKey],
    tokens: Tokens,
    now: Timestamp,
) -> Result<(), StoreError> {
    let is_session = rows::is_row(tx.dialect(), mapping, "session");
    let id = mapping.sql(format!(r#"SELECT "id" FROM "session" WHERE {is_session}"#));
    for (kind, name) in TOKENS {
        let Some(found) = inventory.plugin(name) else { continue };
        let Some(session) = quoted(found, "sessionId") else { continue };
        let table = identifier(&found.table);
        let is_online = match quoted(found, "scopes") {
            Some(scopes) if kind == AccessKind::RefreshToken && tokens == Tokens::Online => {
                format!(" AND ({scopes} IS NULL OR {} NOT LIKE '%offline_access%')", (inventory.dialect.text)(&scopes))
            }
            _ => String::new(),
        };
        let of_session = format!("{session} IN ({id}){is_online}");
        let revocation = match quoted_to_write(found, "revoked") {
            Some(revoked) => {
                let expires = quoted(found, "expiresAt").unwrap_or_else(null);
                let value = time_encoding(tx, mapping, &table, &[&revoked, &expires])?.write(now);
                Some((format!("{revoked} = ?3"), format!("{of_session} AND {revoked} IS NULL"), [value]))
            }
            None => None,
        };
        for sessions in tx.dialect().lists(sessions) {
            match &revocation {
                Some((change, is_open, value)) => tx.update_until_none(&table, change, is_open, &sessions, value)?,
                None => tx.delete(&format!("DELETE FROM {table} WHERE {of_session}"), &sessions)?,
            };
        }
    }
    Ok(())
}

/// A row of `verification` that gives access to an account.
pub(super) struct Pending {
    pub(super) key: RowKey,
    pub(super) kind: AccessKind,
    pub(super) is_over: bool,
    /// Whether the row has the id of the user under a hashed identifier: it may also be a trusted device.
    pub(super) hides_kind: bool,
}

/// Finds the rows of `verification` of an owner.
fn pending(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    owner: &Owner<'_>,
    now: Timestamp,
) -> Result<Vec<Pending>, StoreError> {
    let (position, value) = (tx.dialect().position, codes::VALUE);
    let order = tx.dialect().order(mapping, "verification");
    let identifier = codes::IDENTIFIER;
    // SQL selects by parts of the text, and the rule decides.
    let sql = format!(
        r#"SELECT {order}, "id", {identifier}, {value}, "expiresAt" FROM "verification"
           WHERE "identifier" LIKE '2fa-%' OR {position}({value}, ?1) > 0 OR {position}({identifier}, ?1) > 0
           OR {position}(lower({value}), lower(?2)) > 0 OR {position}(lower({identifier}), lower(?2)) > 0
           OR {position}({identifier}, ?3) > 0 OR octet_length("identifier") IN ({HASHED_BYTES})"#
    );
    let phone = owner.phone.unwrap_or(owner.user_id);
    let local = Some(mapping.times.of("verification", "expiresAt")).filter(|encoding| encoding.is_local());
    let mut found = Vec::new();
    let mut challenges = Vec::new();
    let mut others = Vec::new();
    tx.each(&mapping.sql(sql), &[owner.user_id.into(), owner.email.into(), phone.into()], |row| {
        let text = |index| Ok::<_, StoreError>(row.value(index)?.as_text().unwrap_or_default().to_owned());
        let (identifier, value) = (text(2)?, text(3)?);
        let key = rows::row_key(row, 0, mapping, "verification")?;
        let is_over = is_over(row.value(4)?, local, now);
        match owner.access_of(&identifier, &value) {
            Some(kind) => {
                let hides_kind = identifier.len() == HASHED_BYTES as usize && value.starts_with(owner.user_id);
                if kind == AccessKind::Challenge {
                    challenges.push(identifier);
                }
                found.push(Pending { key, kind, is_over, hides_kind });
            }
            None => others.push((identifier, key)),
        }
        Ok(())
    })?;
    // The attempts and the code of a challenge have rows of their own, which do not name the user.
    let belongs = |identifier: &str| {
        challenge_of(identifier).is_some_and(|challenge| challenges.iter().any(|known| known == challenge))
    };
    let parts = others.into_iter().filter(|(identifier, _)| belongs(identifier));
    found.extend(parts.map(|(_, key)| Pending { key, kind: AccessKind::Challenge, is_over: true, hides_kind: false }));
    Ok(found)
}

/// The rows of `verification` that hold a token of a session of the user.
fn one_time_tokens(tx: &mut dyn Tx, mapping: &SchemaMapping, user_id: &str) -> Result<Vec<RowKey>, StoreError> {
    let order = tx.dialect().order(mapping, "verification");
    let sql = format!(
        r#"SELECT {order}, "id" FROM "verification"
           WHERE {} IN (SELECT "session"."token" FROM "session" WHERE "session"."userId" = ?1)"#,
        codes::VALUE
    );
    tx.query_all(&mapping.sql(sql), &[mapping.key("user", user_id)], |row| {
        rows::row_key(row, 0, mapping, "verification")
    })
}

/// Everything that gives access to a user's account.
struct Found {
    counts: AccessCounts,
    pending: Vec<Pending>,
}

fn find(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    inventory: &Inventory,
    user: &User,
    now: Timestamp,
) -> Result<Found, StoreError> {
    let mut counts = AccessCounts::default();
    let count = |sessions: Vec<Session>| sessions.iter().filter(|session| session.is_live(now)).count() as u64;
    counts.add(AccessKind::Session, count(sessions::of_user(tx, mapping, &user.id)?));
    counts.add(AccessKind::Impersonation, count(sessions::impersonations(tx, mapping, &user.id)?));
    for table in access_tables(inventory, mapping) {
        counts.add(table.kind, table.count(tx, &mapping.key("user", &user.id), now)?);
    }
    let mut pending = pending_of(tx, mapping, inventory, user, now)?;
    for key in one_time_tokens(tx, mapping, &user.id)? {
        if !pending.iter().any(|known| known.key == key) {
            // Its session is counted.
            pending.push(Pending { key, kind: AccessKind::Code, is_over: true, hides_kind: false });
        }
    }
    for row in pending.iter().filter(|row| !row.is_over) {
        counts.add(row.kind, 1);
    }
    Ok(Found { counts, pending })
}

/// Finds the rows of `verification` that belong to a user.
pub(super) fn pending_of(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    inventory: &Inventory,
    user: &User,
    now: Timestamp,
) -> Result<Vec<Pending>, StoreError> {
    let phone = phone_number(tx, mapping, inventory, &user.id)?;
    pending(tx, mapping, &Owner::new(&user.id, &user.email, phone.as_deref()), now)
}

/// The number under which the phone number plugin keeps its codes.
fn phone_number(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    inventory: &Inventory,
    user_id: &str,
) -> Result<Option<String>, StoreError> {
    let Some(column) = inventory.column(mapping.table("user"), "phoneNumber").map(identifier) else { return Ok(None) };
    let sql = format!(r#"SELECT {column} FROM "user" WHERE "id" = ?1"#);
    let text = tx.query_one(&mapping.sql(sql), &[mapping.key("user", user_id)], |row| {
        Ok(row.value(0)?.as_text().map(str::to_owned))
    })?;
    Ok(text.flatten())
}

/// Counts the access to a user's account; `None` if the user does not exist.
fn account_access(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
    now: Timestamp,
) -> Result<Option<AccountAccess>, StoreError> {
    let Some(user) = users::find(tx, mapping, &UserRef::Id(user_id.to_owned()))? else { return Ok(None) };
    let inventory = Inventory::read(tx, mapping)?;
    let Found { counts, .. } = find(tx, mapping, &inventory, &user, now)?;
    let mut providers: Vec<String> =
        accounts::accounts(tx, mapping, user_id)?.into_iter().map(|account| account.provider_id).collect();
    providers.dedup();
    let passkeys = match inventory.plugin("passkey") {
        Some(found) => match quoted(found, "userId") {
            Some(owner) => {
                let sql = format!("SELECT count(*) FROM {} WHERE {owner} = ?1", identifier(&found.table));
                tx.count(&sql, &[mapping.key("user", user_id)])?
            }
            None => 0,
        },
        None => 0,
    };
    let signs_jwts = mapping.is_guest() && inventory.plugin("jwks").is_some();
    Ok(Some(AccountAccess { counts, providers, passkeys, signs_jwts }))
}

/// Ends all access to a user's account.
fn lock_down(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    lockdown: &Lockdown<'_>,
) -> Result<Result<(User, AccessCounts), AuthError>, StoreError> {
    let &Lockdown { user_id, now, .. } = lockdown;
    let Some(user) = users::find(tx, mapping, &UserRef::Id(user_id.to_owned()))? else {
        return Ok(Err(AuthError::NoSuchUser(user_id.to_owned())));
    };
    let inventory = Inventory::read(tx, mapping)?;
    let Found { counts, pending } = find(tx, mapping, &inventory, &user, now)?;
    if !counts.is_empty() {
        let listed: Vec<String> = counts.existing().map(|(kind, count)| counted(count, kind.noun())).collect();
        log.push(Event::user("user.locked-down", &user).with(listed.join(", ")));
    }
    for table in access_tables(&inventory, mapping) {
        table.end(tx, mapping, user_id, now)?;
    }
    if let Some(owners) = KeyOwners::of(&inventory, mapping) {
        owners.tell_doubtful(tx, &inventory, mapping, user_id)?;
    }
    let pending: Vec<RowKey> = pending.into_iter().map(|row| row.key).collect();
    rows::delete_rows(tx, mapping, "verification", &pending)?;
    sessions::end_impersonations(tx, mapping, log, user_id, now)?;
    let change = UserChange { ban: lockdown.ban.clone(), end: EndSessions::Always, ..UserChange::default() };
    let updated = match users::update(tx, mapping, log, user_id, &change, lockdown.guard, now)? {
        Ok(updated) => updated,
        Err(refused) => return Ok(Err(refused)),
    };
    if let Some(code) = lockdown.code {
        codes::create(tx, mapping, log, code)?;
    }
    Ok(Ok((updated.user, counts)))
}
