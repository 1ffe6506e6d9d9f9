//! API tokens of native databases. The keys of an app are in [`super::app_keys`].

use jiff::Timestamp;

use super::app_keys::AppKeys;
use super::inventory::Inventory;
use super::{SqlStore, read, users};
use crate::auth::AuthError;
use crate::auth::api_token::{ApiToken, StoredToken, TokenScope};
use crate::auth::audit::{Event, Subject};
use crate::auth::secret::Token;
use crate::auth::storage::{ApiTokenStore, NewApiToken, StoreError, TokenRotation};
use crate::auth::user::{User, UserRef};
use crate::store::engine::{Row, Tx, Value};
use crate::store::mapping::SchemaMapping;

/// The table, which only a native database has.
pub(in crate::store) const TABLE: &str = "authctl_apikey";

/// The columns of a token and the address of its owner, in the order in which [`stored`] reads them.
const COLUMNS: &str = r#""authctl_apikey"."id", "authctl_apikey"."name", "authctl_apikey"."start", "authctl_apikey"."userId",
    "user"."email", "authctl_apikey"."scopes", "authctl_apikey"."createdAt", "authctl_apikey"."expiresAt",
    "authctl_apikey"."lastRequest""#;
/// How many columns [`COLUMNS`] has.
const WIDTH: usize = 9;

/// The conditions that choose tokens. Each but the last has an index.
const BY_ID: &str = r#""authctl_apikey"."id" = ?1"#;
const OF_USER: &str = r#""authctl_apikey"."userId" = ?1"#;
const ALL: &str = "TRUE";

impl ApiTokenStore for SqlStore {
    fn api_token(&mut self, token: &ApiToken) -> Result<Option<(StoredToken, User)>, StoreError> {
        self.read(|tx, mapping| {
            let sql = format!(
                r#"SELECT {COLUMNS}, {} FROM "authctl_apikey" JOIN "user" ON "user"."id" = "authctl_apikey"."userId"
                   WHERE "authctl_apikey"."key" = ?1"#,
                read::USER
            );
            let read = |row: &Row<'_>| Ok((stored(row, mapping)?, read::user(row, WIDTH, mapping)?));
            tx.query_one(&sql, &[token.digest().into()], read)
        })
    }

    fn is_app_key(&mut self, text: &Token) -> Result<bool, StoreError> {
        self.read(|tx, mapping| {
            if !mapping.is_guest() {
                return Ok(false);
            }
            let inventory = Inventory::read(tx, mapping)?;
            AppKeys::find(&inventory, mapping).map_or(Ok(false), |keys| keys.has_text(tx, text))
        })
    }

    fn use_api_token(&mut self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write_tx(|tx, mapping, _| {
            let sql = r#"UPDATE "authctl_apikey" SET "lastRequest" = ?2 WHERE "id" = ?1"#;
            tx.execute(sql, &[id.into(), mapping.time(TABLE, "lastRequest", now)]).map(drop)
        })
    }

    fn api_tokens(&mut self, owner_id: Option<&str>) -> Result<Result<Vec<StoredToken>, AuthError>, StoreError> {
        self.read(|tx, mapping| {
            if mapping.is_guest() {
                return of_app(tx, mapping, |tx, keys| keys.list(tx, mapping, owner_id).map(Ok));
            }
            of_owner(tx, mapping, owner_id).map(Ok)
        })
    }

    fn create_api_token(&mut self, new: &NewApiToken<'_>) -> Result<Result<StoredToken, AuthError>, StoreError> {
        self.write_tx(|tx, mapping, log| {
            let Some(owner) = users::find(tx, mapping, &UserRef::Id(new.owner_id.to_owned()))? else {
                return Ok(Err(AuthError::NoSuchUser(new.owner_id.to_owned())));
            };
            if let Err(banned) = owner.require_not_banned(new.now) {
                return Ok(Err(banned));
            }
            if mapping.is_guest() {
                return of_app(tx, mapping, |tx, keys| keys.create(tx, mapping, log, new));
            }
            create(tx, mapping, log, new)
        })
    }

    fn revoke_api_tokens(
        &mut self,
        owner_id: Option<&str>,
        ids: Option<&[String]>,
        deletes: bool,
        now: Timestamp,
    ) -> Result<Result<Vec<StoredToken>, AuthError>, StoreError> {
        self.write_tx(|tx, mapping, log| {
            if mapping.is_guest() {
                let which = (owner_id, ids);
                return of_app(tx, mapping, |tx, keys| keys.revoke(tx, mapping, log, which, deletes, now));
            }
            let chosen = match ids {
                Some(ids) => match named(tx, mapping, owner_id, ids)? {
                    Ok(chosen) => chosen,
                    Err(refused) => return Ok(Err(refused)),
                },
                None => of_owner(tx, mapping, owner_id)?,
            };
            delete(tx, log, &chosen)?;
            Ok(Ok(chosen))
        })
    }

    fn rotate_api_token(&mut self, rotation: &TokenRotation<'_>) -> Result<Result<StoredToken, AuthError>, StoreError> {
        self.write_tx(|tx, mapping, log| {
            if mapping.is_guest() {
                return of_app(tx, mapping, |tx, keys| keys.rotate(tx, mapping, log, rotation));
            }
            rotate(tx, mapping, log, rotation)
        })
    }
}

/// Runs an act on the keys of an app.
fn of_app<T>(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    act: impl FnOnce(&mut dyn Tx, &AppKeys<'_>) -> Result<Result<T, AuthError>, StoreError>,
) -> Result<Result<T, AuthError>, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    match AppKeys::find(&inventory, mapping) {
        Some(keys) => act(tx, &keys),
        None => Ok(Err(AuthError::NoApiKeys)),
    }
}

fn stored(row: &Row<'_>, mapping: &SchemaMapping) -> Result<StoredToken, StoreError> {
    let time = |index: usize, column| Ok::<_, StoreError>(mapping.read_time(TABLE, column, row.value(index)?));
    Ok(StoredToken {
        id: row.text(0)?,
        name: row.optional_text(1)?,
        start: row.optional_text(2)?,
        owner_id: row.text(3)?,
        owner_email: row.value(4)?.as_text().map(str::to_owned),
        scopes: TokenScope::read_all(&row.text(5)?),
        created_at: time(6, "createdAt")?.unwrap_or(Timestamp::UNIX_EPOCH),
        // A token whose end cannot be read is over.
        expires_at: Some(time(7, "expiresAt")?.unwrap_or(Timestamp::UNIX_EPOCH)),
        last_used: time(8, "lastRequest")?,
        is_enabled: true,
    })
}

fn select(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    which_tokens: &str,
    values: &[Value],
) -> Result<Vec<StoredToken>, StoreError> {
    let sql = format!(
        r#"SELECT {COLUMNS} FROM "authctl_apikey" JOIN "user" ON "user"."id" = "authctl_apikey"."userId"
           WHERE {which_tokens}"#
    );
    let mut found = tx.query_all(&sql, values, |row| stored(row, mapping))?;
    found.sort_by(|one, other| other.created_at.cmp(&one.created_at).then_with(|| one.id.cmp(&other.id)));
    Ok(found)
}

fn of_owner(tx: &mut dyn Tx, mapping: &SchemaMapping, owner_id: Option<&str>) -> Result<Vec<StoredToken>, StoreError> {
    match owner_id {
        Some(id) => select(tx, mapping, OF_USER, &[id.into()]),
        None => select(tx, mapping, ALL, &[]),
    }
}

/// The tokens with some ids, which must be those of the owner if one is given.
fn named(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    owner_id: Option<&str>,
    ids: &[String],
) -> Result<Result<Vec<StoredToken>, AuthError>, StoreError> {
    let is_owner = |token: &StoredToken| owner_id.is_none_or(|owner| owner == token.owner_id);
    each_named(ids, |id| Ok(select(tx, mapping, BY_ID, &[id.into()])?.pop().filter(is_owner)))
}

/// Finds the token of each id, once for ids that are given twice. All are refused if one finds none.
pub(super) fn each_named(
    ids: &[String],
    mut find: impl FnMut(&str) -> Result<Option<StoredToken>, StoreError>,
) -> Result<Result<Vec<StoredToken>, AuthError>, StoreError> {
    let mut chosen: Vec<StoredToken> = Vec::new();
    for id in ids {
        let Some(token) = find(id)? else { return Ok(Err(AuthError::NoSuchToken(id.clone()))) };
        if !chosen.contains(&token) {
            chosen.push(token);
        }
    }
    Ok(Ok(chosen))
}

fn create(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    new: &NewApiToken<'_>,
) -> Result<Result<StoredToken, AuthError>, StoreError> {
    let sql = r#"INSERT INTO "authctl_apikey" ("id", "name", "start", "key", "userId", "scopes", "createdAt", "expiresAt")
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"#;
    let values = [
        new.id.as_str().into(),
        new.name.map(str::to_owned).into(),
        new.token.start().into(),
        new.token.digest().into(),
        new.owner_id.into(),
        TokenScope::write_all(new.scopes).into(),
        mapping.time(TABLE, "createdAt", new.now),
        mapping.time(TABLE, "expiresAt", new.expires_at),
    ];
    tx.execute(sql, &values)?;
    read_back(tx, mapping, log, "token.created", &new.id)
}

fn rotate(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    rotation: &TokenRotation<'_>,
) -> Result<Result<StoredToken, AuthError>, StoreError> {
    let TokenRotation { id, owner_id, token, now, life } = *rotation;
    let before = match named(tx, mapping, owner_id, &[id.to_owned()])? {
        Ok(mut found) => found.pop(),
        Err(refused) => return Ok(Err(refused)),
    };
    let end = before.and_then(|before| before.end_after(now, life)).unwrap_or(now);
    let sql = r#"UPDATE "authctl_apikey" SET "start" = ?2, "key" = ?3, "createdAt" = ?4, "expiresAt" = ?5,
                 "lastRequest" = NULL WHERE "id" = ?1"#;
    let times = [("createdAt", now), ("expiresAt", end)].map(|(column, at)| mapping.time(TABLE, column, at));
    let [created_at, expires_at] = times;
    tx.execute(sql, &[id.into(), token.start().into(), token.digest().into(), created_at, expires_at])?;
    read_back(tx, mapping, log, "token.rotated", id)
}

/// Reads a token that was written, and adds the entry about it.
fn read_back(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    event: &'static str,
    id: &str,
) -> Result<Result<StoredToken, AuthError>, StoreError> {
    let Some(token) = select(tx, mapping, BY_ID, &[id.into()])?.pop() else {
        return Ok(Err(AuthError::NoSuchToken(id.to_owned())));
    };
    log.push(entry(event, &token));
    Ok(Ok(token))
}

/// The entry about a token, which names it by its id and never by its text.
pub(super) fn entry(event: &'static str, token: &StoredToken) -> Event {
    let event = match &token.owner_email {
        Some(email) => Event::user(event, Subject::read(&token.owner_id, Some(email.clone()))),
        // An organization, or a user who is gone.
        None => Event::new(event),
    };
    event.with(format!("{}, scopes: {}", token.id, TokenScope::write_all(&token.scopes)))
}

fn delete(tx: &mut dyn Tx, log: &mut Vec<Event>, tokens: &[StoredToken]) -> Result<(), StoreError> {
    for token in tokens {
        tx.delete(r#"DELETE FROM "authctl_apikey" WHERE "id" = ?1"#, &[token.id.as_str().into()])?;
        log.push(entry("token.revoked", token));
    }
    Ok(())
}

/// Ends all tokens of a user in a native database.
pub(super) fn end_all(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    user_id: &str,
) -> Result<(), StoreError> {
    if mapping.is_guest() {
        return Ok(());
    }
    let tokens = of_owner(tx, mapping, Some(user_id))?;
    delete(tx, log, &tokens)
}
