//! The API keys of an app, in the table of its plugin. The app checks them; authctl lists, makes, disables and deletes them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::complete::{COMPLETED_MAX, beginning_with};
use super::inventory::Inventory;
use super::key_owners::KeyOwners;
use super::plugins::{instant, new_id, quoted, quoted_to_write, time_encoding, truth_encoding};
use super::{api_tokens, rows, users};
use crate::auth::AuthError;
use crate::auth::api_token::{ApiToken, StoredToken, permissions};
use crate::auth::audit::Event;
use crate::auth::secret::{Token, hashed_identifier};
use crate::auth::storage::{NewApiToken, StoreError, TokenRotation};
use crate::store::engine::{Dialect, Tx, Value, ValueRef, ignored, insertion};
use crate::store::mapping::{FoundPlugin, SchemaMapping, TimeEncoding, identifier, spells_false};

/// The plugin's name of the table.
const TABLE: &str = "apikey";

/// The configuration that the plugin has without options.
const CONFIGURATION: &str = "default";

/// How the plugin stores that a key has no metadata.
const NO_METADATA: &str = "null";

/// The limit that the plugin gives keys without options: ten uses a day.
const USES_MAX: u32 = 10;
const USES_WINDOW_MS: u32 = 24 * 60 * 60 * 1000;

/// The columns of a key beside its id and owner, in the order in which [`AppKeys::select`] reads them.
const COLUMNS: [&str; 7] = ["name", "start", "permissions", "createdAt", "expiresAt", "lastRequest", "enabled"];

/// The table of keys. Names are quoted for SQL.
pub(super) struct AppKeys<'i> {
    found: &'i FoundPlugin,
    dialect: &'static Dialect,
    table: String,
    id: String,
    /// The column with the id of the user or of the organization.
    owner: String,
    key: String,
    /// Whether a key belongs to the user whose id it has.
    is_of_user: String,
}

/// Which keys.
enum Chosen<'a> {
    All,
    OfUser(&'a str),
    Id(&'a str),
    Digest(&'a str),
}

impl<'i> AppKeys<'i> {
    /// Finds the table; `None` if the app has no keys.
    pub(super) fn find(inventory: &'i Inventory, mapping: &SchemaMapping) -> Option<Self> {
        let found = inventory.plugin(TABLE)?;
        Some(Self {
            found,
            dialect: inventory.dialect,
            table: identifier(&found.table),
            id: quoted(found, "id")?,
            owner: quoted(found, "referenceId").or_else(|| quoted(found, "userId"))?,
            key: quoted(found, "key")?,
            is_of_user: KeyOwners::of(inventory, mapping)
                .map_or_else(|| "TRUE".to_owned(), |owners| owners.is_of_user()),
        })
    }

    /// Ids that begin with a prefix, in the order of their bytes, the first of them.
    pub(super) fn ids_with_prefix(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        prefix: &str,
    ) -> Result<Vec<String>, StoreError> {
        let Self { table, id, .. } = self;
        beginning_with(tx, mapping.ids.of(TABLE), id, prefix, |of_id| {
            format!(
                "SELECT {id} FROM {table} WHERE {of_id} >= ?1 AND {of_id} <= ?2 ORDER BY {of_id} LIMIT {COMPLETED_MAX}"
            )
        })
    }

    /// The id of a user in the column of owners, which is text where a key may belong to an organization too.
    fn owner_value(&self, mapping: &SchemaMapping, user_id: &str) -> Value {
        if self.found.column("referenceId").is_some() { user_id.into() } else { mapping.key("user", user_id) }
    }

    /// Keys, the newest first.
    fn select(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        chosen: &Chosen<'_>,
    ) -> Result<Vec<StoredToken>, StoreError> {
        let Self { found, table, id, owner, key, is_of_user, dialect } = self;
        let of_column = |name: &&str| quoted(found, name).unwrap_or_else(|| "NULL".to_owned());
        let columns: Vec<String> = COLUMNS.iter().map(of_column).collect();
        let enabled = columns.last().map_or("NULL", String::as_str);
        let (condition, values) = match chosen {
            Chosen::All => ("TRUE".to_owned(), vec![]),
            Chosen::OfUser(user_id) => {
                (format!("{owner} = ?1 AND {is_of_user}"), vec![self.owner_value(mapping, user_id)])
            }
            Chosen::Id(row) => (format!("{id} = ?1"), vec![mapping.key(TABLE, row)]),
            Chosen::Digest(digest) => (format!("{key} = ?1"), vec![(*digest).into()]),
        };
        let is_off = if enabled == "NULL" { "FALSE".to_owned() } else { spells_false(enabled, dialect) };
        let sql = format!(
            "SELECT {id}, {owner}, {}, CASE WHEN {is_off} THEN 1 ELSE 0 END, CASE WHEN {is_of_user} THEN 1 ELSE 0 END
             FROM {table} WHERE {condition}",
            columns[..COLUMNS.len() - 1].join(", ")
        );
        let encoding = |name: &str| found.time_encoding(name, &mapping.times);
        let times: [Option<TimeEncoding>; 3] = ["createdAt", "expiresAt", "lastRequest"].map(encoding);
        let mut keys = tx.query_all(&sql, &values, |row| {
            let text = |index: usize| Ok::<_, StoreError>(row.value(index)?.as_text().map(str::to_owned));
            let time = |index: usize, at: usize| Ok::<_, StoreError>(instant(row.value(index)?, times[at]));
            let is_of_user = row.integer(9)? != 0;
            let has_end = row.value(6)? != ValueRef::Null;
            let key = StoredToken {
                id: rows::key(row, 0, mapping, TABLE)?,
                name: text(2)?,
                start: text(3)?,
                owner_id: mapping.ids.of("user").read(row.value(1)?).unwrap_or_default(),
                owner_email: None,
                scopes: permissions::read(row.value(4)?.as_text().unwrap_or_default()),
                created_at: time(5, 0)?.unwrap_or(Timestamp::UNIX_EPOCH),
                // A key whose end cannot be read is over.
                expires_at: has_end.then(|| time(6, 1)).transpose()?.map(|end| end.unwrap_or(Timestamp::UNIX_EPOCH)),
                last_used: time(7, 2)?,
                is_enabled: row.integer(8)? == 0,
            };
            Ok((key, is_of_user))
        })?;
        name_owners(tx, mapping, &mut keys)?;
        let mut keys: Vec<StoredToken> = keys.into_iter().map(|(key, _)| key).collect();
        keys.sort_by(|one, other| other.created_at.cmp(&one.created_at).then_with(|| one.id.cmp(&other.id)));
        Ok(keys)
    }

    pub(super) fn list(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        owner_id: Option<&str>,
    ) -> Result<Vec<StoredToken>, StoreError> {
        self.select(tx, mapping, &owner_id.map_or(Chosen::All, Chosen::OfUser))
    }

    /// Whether a text is a key, as a digest or as the option `disableKeyHashing` of the plugin stores it.
    pub(super) fn has_text(&self, tx: &mut dyn Tx, text: &Token) -> Result<bool, StoreError> {
        let Self { table, key, .. } = self;
        let forms = [hashed_identifier(text.expose()).into(), text.expose().into()];
        Ok(tx.count(&format!("SELECT count(*) FROM {table} WHERE {key} IN (?1, ?2)"), &forms)? > 0)
    }

    /// The keys with some ids, which must be those of the user if one is given.
    fn named(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        owner_id: Option<&str>,
        ids: &[String],
    ) -> Result<Result<Vec<StoredToken>, AuthError>, StoreError> {
        let is_owner =
            |key: &StoredToken| owner_id.is_none_or(|owner| key.owner_id == owner && key.owner_email.is_some());
        api_tokens::each_named(ids, |id| Ok(self.select(tx, mapping, &Chosen::Id(id))?.pop().filter(is_owner)))
    }

    /// The value of an instant in a column.
    fn time(&self, tx: &mut dyn Tx, mapping: &SchemaMapping, column: &str, at: Timestamp) -> Result<Value, StoreError> {
        let others = ["createdAt", "updatedAt", "expiresAt"].map(|name| quoted(self.found, name));
        let columns: Vec<&str> = [column].into_iter().chain(others.iter().flatten().map(String::as_str)).collect();
        Ok(time_encoding(tx, mapping, &self.table, &columns)?.write(at))
    }

    pub(super) fn create(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        log: &mut Vec<Event>,
        new: &NewApiToken<'_>,
    ) -> Result<Result<StoredToken, AuthError>, StoreError> {
        let permissions = match permissions::write(new.scopes) {
            Ok(permissions) => permissions,
            Err(refused) => return Ok(Err(refused)),
        };
        let digest = new.token.digest_of_app();
        let (mut columns, mut values) = (vec![self.owner.clone(), self.key.clone()], vec![]);
        values.extend([self.owner_value(mapping, new.owner_id), digest.as_str().into()]);
        let texts = [
            ("configId", Some(CONFIGURATION.to_owned())),
            ("metadata", Some(NO_METADATA.to_owned())),
            ("name", new.name.map(str::to_owned)),
            ("start", Some(new.token.start().to_owned())),
            ("prefix", Some(ApiToken::PREFIX.to_owned())),
            ("permissions", permissions),
        ];
        for (name, text) in texts {
            if let Some((column, text)) = quoted_to_write(self.found, name).zip(text) {
                columns.push(column);
                values.push(text.into());
            }
        }
        // The limit is off, and the same as in keys of the app, for whom turns it on.
        for (name, number) in [("rateLimitMax", USES_MAX), ("rateLimitTimeWindow", USES_WINDOW_MS), ("requestCount", 0)]
        {
            if let Some(column) = quoted_to_write(self.found, name) {
                columns.push(column);
                values.push(number.into());
            }
        }
        for (name, is_on) in [("enabled", true), ("rateLimitEnabled", false)] {
            if let Some(column) = quoted_to_write(self.found, name) {
                values.push(truth_encoding(tx, &self.table, &column)?.write(is_on, new.now));
                columns.push(column);
            }
        }
        for (name, at) in [("createdAt", new.now), ("updatedAt", new.now), ("expiresAt", new.expires_at)] {
            if let Some(column) = quoted_to_write(self.found, name) {
                values.push(self.time(tx, mapping, &column, at)?);
                columns.push(column);
            }
        }
        if let Some(id) = new_id(tx, mapping, (&self.table, &self.id), &new.id)? {
            columns.push(self.id.clone());
            values.push(id);
        }
        tx.change(&insertion(&format!("{} ({})", self.table, columns.join(", ")), values.len(), 1), &values)?;
        self.read_back(tx, mapping, log, "token.created", &digest)
    }

    /// Disables keys, or deletes them. A table without the column has deletion alone.
    pub(super) fn revoke(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        log: &mut Vec<Event>,
        (owner_id, ids): (Option<&str>, Option<&[String]>),
        deletes: bool,
        now: Timestamp,
    ) -> Result<Result<Vec<StoredToken>, AuthError>, StoreError> {
        let Self { table, id, dialect, .. } = self;
        let mut chosen = match ids {
            Some(ids) => match self.named(tx, mapping, owner_id, ids)? {
                Ok(chosen) => chosen,
                Err(refused) => return Ok(Err(refused)),
            },
            None => self.list(tx, mapping, owner_id)?,
        };
        match quoted_to_write(self.found, "enabled").filter(|_| !deletes) {
            Some(enabled) => {
                chosen.retain(|key| key.is_enabled);
                let off = truth_encoding(tx, table, &enabled)?.write(false, now);
                let is_on = format!("{id} = ?1 AND NOT {}", spells_false(&enabled, dialect));
                for key in &chosen {
                    let row = [mapping.key(TABLE, &key.id)];
                    tx.update_until_none(table, &format!("{enabled} = ?2"), &is_on, &row, std::slice::from_ref(&off))?;
                    log.push(api_tokens::entry("token.revoked", key));
                }
            }
            None => {
                for key in &chosen {
                    tx.delete(&format!("DELETE FROM {table} WHERE {id} = ?1"), &[mapping.key(TABLE, &key.id)])?;
                    log.push(api_tokens::entry("token.deleted", key));
                }
            }
        }
        Ok(Ok(chosen))
    }

    pub(super) fn rotate(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        log: &mut Vec<Event>,
        rotation: &TokenRotation<'_>,
    ) -> Result<Result<StoredToken, AuthError>, StoreError> {
        let TokenRotation { id, owner_id, token, now, life } = *rotation;
        let before = match self.named(tx, mapping, owner_id, &[id.to_owned()])? {
            Ok(found) => found,
            Err(refused) => return Ok(Err(refused)),
        };
        let end = before.first().and_then(|before| before.end_after(now, life));
        let digest = token.digest_of_app();
        let (mut changes, mut values) = (vec![(self.key.clone(), Value::from(digest.as_str()))], vec![]);
        values.push(mapping.key(TABLE, id));
        for (name, text) in [("start", token.start()), ("prefix", ApiToken::PREFIX)] {
            changes.extend(quoted_to_write(self.found, name).map(|column| (column, text.into())));
        }
        for (name, at) in [("updatedAt", Some(now)), ("expiresAt", end)] {
            if let Some((column, at)) = quoted_to_write(self.found, name).zip(at) {
                let value = self.time(tx, mapping, &column, at)?;
                changes.push((column, value));
            }
        }
        let mut texts = Vec::new();
        for (column, value) in changes {
            values.push(value);
            texts.push(format!("{column} = ?{}", values.len()));
        }
        tx.change(&format!("UPDATE {} SET {} WHERE {} = ?1", self.table, texts.join(", "), self.id), &values)?;
        self.read_back(tx, mapping, log, "token.rotated", &digest)
    }

    /// Reads a key that was written, and adds the entry about it.
    fn read_back(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        log: &mut Vec<Event>,
        event: &'static str,
        digest: &str,
    ) -> Result<Result<StoredToken, AuthError>, StoreError> {
        let key = self.select(tx, mapping, &Chosen::Digest(digest))?.pop();
        let key = key.ok_or_else(|| ignored("skips an API key"))?;
        log.push(api_tokens::entry(event, &key));
        Ok(Ok(key))
    }
}

/// Adds the addresses of the users who own keys.
fn name_owners(tx: &mut dyn Tx, mapping: &SchemaMapping, keys: &mut [(StoredToken, bool)]) -> Result<(), StoreError> {
    let of_users = || keys.iter().filter(|(_, is_of_user)| *is_of_user).map(|(key, _)| key.owner_id.as_str());
    let mut ids: Vec<&str> = of_users().filter(|id| mapping.ids.of("user").takes(id)).collect();
    ids.sort_unstable();
    ids.dedup();
    let ids: Vec<[Value; 1]> = ids.into_iter().map(|id| [mapping.key("user", id)]).collect();
    let owners = users::find_all(tx, mapping, "id", &ids)?;
    let addresses: BTreeMap<String, String> = owners.into_iter().map(|user| (user.id, user.email)).collect();
    for (key, is_of_user) in keys {
        key.owner_email = addresses.get(&key.owner_id).filter(|_| *is_of_user).cloned();
    }
    Ok(())
}
