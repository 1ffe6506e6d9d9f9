//! Users. Changes and deletions protect the last administrator.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use jiff::Timestamp;

use super::audit::{change_events, ended_of};
use super::filter::Filter;
use super::inventory::Inventory;
use super::rows::Values;
use super::user_list::{PATTERN_MAX, pattern};
use super::{accounts, api_tokens, codes, read, roles, rows, search, sessions};
use crate::auth::AuthError;
use crate::auth::audit::{Changes, Event, Subject};
use crate::auth::codes::Purpose;
use crate::auth::email::{is_same_address, without_blanks};
use crate::auth::secret::StoredHash;
use crate::auth::storage::{AdminGuard, Ban, NewBan, NewUserRow, StoreError, UserChange, UserUpdated};
use crate::auth::user::{User, UserRef};
use crate::store::engine::{Tx, Value, ignored};
use crate::store::mapping::{SchemaMapping, identifier};

pub(in crate::store) fn find(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    who: &UserRef,
) -> Result<Option<User>, StoreError> {
    let (column, key) = match who {
        UserRef::Email(email) => ("email", email.as_str().into()),
        UserRef::Id(id) => ("id", mapping.key("user", id)),
    };
    let sql = format!(r#"SELECT {} FROM "user" WHERE "{column}" = ?1"#, read::USER);
    tx.query_one(&mapping.sql(sql), &[key], |row| read::user(row, 0, mapping))
}

/// Finds the users in whom a column has one of some values.
pub(super) fn find_all(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    column: &str,
    keys: &[[Value; 1]],
) -> Result<Vec<User>, StoreError> {
    let dialect = tx.dialect();
    let is_sought = dialect.is_listed(&identifier(column), "?1");
    let sql = mapping.sql(format!(r#"SELECT {} FROM "user" WHERE {is_sought}"#, read::USER));
    let mut found = Vec::new();
    for lists in dialect.lists(keys) {
        tx.each(&sql, &lists, |row| {
            found.push(read::user(row, 0, mapping)?);
            Ok(())
        })?;
    }
    Ok(found)
}

/// The most blanks around an address, in bytes, with which it is found.
const BLANKS_MAX: usize = 200;
/// The most users among whom an address is sought by the index for searches. It is one of few who have its characters.
const NARROWED_MAX: u64 = 1000;

/// Finds the user with exactly this address, else those with another spelling of it.
pub(in crate::store) fn with_address(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    address: &str,
) -> Result<Vec<User>, StoreError> {
    let column = "email";
    let exact = format!(r#"SELECT {} FROM "user" WHERE "{column}" = ?1"#, read::USER);
    let found = tx.query_all(&mapping.sql(&exact), &[address.into()], |row| read::user(row, 0, mapping))?;
    // The column of an app may compare without regard to case.
    if let Some(user) = found.into_iter().find(|user| user.email == address) {
        return Ok(vec![user]);
    }
    let sought = without_blanks(address);
    if sought.is_empty() || sought.len() > PATTERN_MAX {
        return Ok(Vec::new());
    }
    // An index has every address, and is a small part of the table. The length is known without reading the value, so
    // that a large one costs nothing. A character takes twice the bytes in a database in UTF-16.
    let bytes = |bytes: usize| Value::from(i64::try_from(bytes).unwrap_or(i64::MAX));
    let mut filter = Filter::default();
    filter.add(r#"octet_length("email") >= ?"#, bytes(sought.len()));
    filter.add(r#"octet_length("email") <= ?"#, bytes(sought.len().saturating_mul(2).saturating_add(BLANKS_MAX)));
    filter.add(&format!(r#""email" {} ? ESCAPE '\'"#, tx.dialect().like), pattern(sought));
    search::narrow(tx, mapping, &mut filter, sought, NARROWED_MAX)?;
    let sql = format!(r#"SELECT "email" FROM "user" {}"#, filter.text());
    let mut spellings = BTreeSet::new();
    tx.each(&mapping.sql(sql), &filter.values, |row| {
        spellings.extend(row.value(0)?.as_text().filter(|one| is_same_address(one, address)).map(str::to_owned));
        Ok(())
    })?;
    let mut found = Vec::new();
    for spelling in spellings {
        found.extend(tx.query_all(&mapping.sql(&exact), &[spelling.into()], |row| read::user(row, 0, mapping))?);
    }
    found.retain(|user| is_same_address(&user.email, address));
    found.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(found)
}

pub(in crate::store) fn insert(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user: &NewUserRow,
    hash: Option<&StoredHash>,
) -> Result<User, StoreError> {
    let now = user.updated_at;
    let values = new_values(mapping, user);
    let mut insert = |tx: &mut dyn Tx, role: Option<&str>| {
        let values = values.iter().cloned().chain([("role", role.into())]).collect();
        rows::insert(tx, mapping, "user", &user.id, values)
    };
    // The app's admin plugin gives every user a role. Without the plugin there is no column for it.
    let needs_role = mapping.is_guest() && mapping.has("user", "role");
    let id = match &user.role {
        Some(role) => roles::write(tx, mapping, role, &mut insert)?,
        // The default is the app's own word for an ordinary user.
        None if mapping.has_default_role => rows::insert(tx, mapping, "user", &user.id, values)?,
        None if needs_role => {
            let role = roles::usual(tx, mapping, &mut insert)?;
            insert(tx, role.as_deref())?
        }
        None => insert(tx, None)?,
    };
    search::add(tx, mapping, &id)?;
    clear_flags(tx, mapping, &id, now)?;
    if let Some(hash) = hash {
        accounts::insert_credential(tx, mapping, &user.account_id, &id, hash, now)?;
    }
    read_back(tx, mapping, &id)
}

/// The values of a new user, but for the role.
pub(super) fn new_values(mapping: &SchemaMapping, user: &NewUserRow) -> Values {
    let now = user.updated_at;
    let mut values = vec![
        ("name", user.name.clone().into()),
        ("email", user.email.as_str().to_owned().into()),
        ("emailVerified", mapping.truth("user", "emailVerified", user.email_verified, now)),
        ("image", user.image.clone().into()),
        ("createdAt", mapping.time("user", "createdAt", user.created_at)),
        ("updatedAt", mapping.time("user", "updatedAt", now)),
        ("banned", mapping.truth("user", "banned", user.ban.is_some(), now)),
    ];
    if let Some(NewBan { reason, until }) = &user.ban {
        values.push(("banReason", reason.into()));
        values.push(("banExpires", until.map(|until| mapping.time("user", "banExpires", until)).into()));
    }
    values
}

/// The booleans that plugins add to users and write as false in a new one.
const FLAGS: [&str; 2] = ["twoFactorEnabled", "isAnonymous"];

/// Writes false where a new user has no value, as the app does: its queries for false do not find NULL.
fn clear_flags(tx: &mut dyn Tx, mapping: &SchemaMapping, id: &str, now: Timestamp) -> Result<(), StoreError> {
    if !mapping.is_guest() {
        return Ok(());
    }
    let inventory = Inventory::read(tx, mapping)?;
    let table = identifier(mapping.table("user"));
    for name in FLAGS {
        if mapping.read_only("user", name).is_some() {
            continue;
        }
        let own = mapping.column("user", name).map(str::to_owned);
        let Some(column) = own.or_else(|| inventory.column(mapping.table("user"), name).map(str::to_owned)) else {
            continue;
        };
        let (column, value) = (identifier(&column), mapping.truth("user", name, false, now));
        if value != Value::Null {
            let id_column = identifier(mapping.column("user", "id").unwrap_or("id"));
            let is_unset = format!("{id_column} = ?1 AND {column} IS NULL");
            tx.update_until_none(&table, &format!("{column} = ?2"), &is_unset, &[mapping.key("user", id)], &[value])?;
        }
    }
    Ok(())
}

pub(in crate::store) fn read_back(tx: &mut dyn Tx, mapping: &SchemaMapping, id: &str) -> Result<User, StoreError> {
    find(tx, mapping, &UserRef::Id(id.to_owned()))?
        .ok_or_else(|| StoreError::Engine("a user that was just written could not be read back".into()))
}

/// The user as a change makes it.
pub(super) fn applied(change: &UserChange, before: &User) -> User {
    let mut user = before.clone();
    user.name = change.name.clone().unwrap_or(user.name);
    if let Some(image) = &change.image {
        (user.image, user.image_left_out) = (image.clone(), None);
    }
    user.email_verified = change.is_verified_after(before);
    user.email = change.email.as_ref().map_or(user.email, |email| email.as_str().to_owned());
    user.role = change.role.clone().unwrap_or(user.role);
    user.odd.retain(|odd| !change.sets(odd.column));
    match &change.ban {
        None => {}
        Some(Ban::Lifted) => (user.banned, user.ban_reason, user.ban_expires) = (false, None, None),
        Some(Ban::Imposed { reason, until }) => {
            (user.banned, user.ban_reason, user.ban_expires) = (true, reason.clone(), *until);
        }
    }
    user
}

/// Changes a user and ends the sessions that the change names, if the guard agrees with the result.
pub(in crate::store) fn update(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    id: &str,
    change: &UserChange,
    guard: AdminGuard,
    now: Timestamp,
) -> Result<Result<UserUpdated, AuthError>, StoreError> {
    let Some(before) = find(tx, mapping, &UserRef::Id(id.to_owned()))? else {
        return Ok(Err(AuthError::NoSuchUser(id.to_owned())));
    };
    if change.ban.is_some() && !mapping.has("user", "banned") {
        // Lifting a ban that does not exist changes nothing.
        return Err(mapping.no_column("user", "banned"));
    }
    let mut user = applied(change, &before);
    if guard == AdminGuard::KeepLastAdmin && !is_admin(&user, now) && is_last_admin(tx, mapping, &before, now)? {
        return Ok(Err(AuthError::LastAdmin));
    }
    let mut changed = !Changes::between(Some(&before), Some(&user)).is_empty();
    if changed {
        user = match user.role.as_deref().filter(|_| user.role != before.role) {
            None => write_changes(tx, mapping, &before, &user, now)?,
            Some(role) => roles::write(tx, mapping, role, &mut |tx, role| {
                let user = User { role: role.map(str::to_owned), ..user.clone() };
                write_changes(tx, mapping, &before, &user, now)
            })?,
        };
        // A column may store instants with less precision.
        changed = !Changes::between(Some(&before), Some(&user)).is_empty();
    }
    let (ended_sessions, is_moved) = (change.end.which(&before, &user), user.email != before.email);
    let loses_impersonations = loses_impersonations(mapping, &before, &user, now);
    if is_moved {
        // Codes are bound to the address. They are deleted, so that they do not work again when the address
        // returns.
        for purpose in Purpose::ALL {
            codes::delete_all(tx, mapping, purpose, id)?;
        }
        codes::delete_resets(tx, mapping, id)?;
    }
    let mut ended = sessions::end(tx, mapping, id, ended_sessions.as_ref(), now)?;
    log.extend(change_events(&before, &user));
    if matches!(change.ban, Some(Ban::Imposed { .. })) {
        api_tokens::end_all(tx, mapping, log, id)?;
    }
    let subject = Subject::from(&before);
    log.extend(ended.iter().map(|session| ended_of(&subject, session)));
    if loses_impersonations {
        ended.extend(sessions::end_impersonations(tx, mapping, log, id, now)?);
    }
    let ends_in = [(ended_sessions.is_some() || loses_impersonations, "session"), (is_moved, "verification")];
    let ends_in = ends_in.into_iter().filter_map(|(is_sought, table)| is_sought.then_some(table)).collect();
    Ok(Ok(UserUpdated { user, ended, ends_in, changed }))
}

/// Whether a trigger left nothing of a change. It may store another spelling of a value.
fn is_undone(before: &User, intended: &User, stored: &User) -> bool {
    let marks = |user: &User| {
        let User { name, email, email_verified, role, ban_reason, .. } = user.clone();
        (name, email, email_verified, role, ban_reason)
    };
    stored.banned != intended.banned || (marks(intended) != marks(before) && marks(stored) == marks(before))
}

/// Writes the fields that differ, and returns the user as stored. An unchanged column is not written, because it may hold
/// more than was read.
///
/// # Errors
/// [`StoreError::Trigger`] when a trigger undoes the change.
pub(in crate::store) fn write_changes(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    before: &User,
    after: &User,
    now: Timestamp,
) -> Result<User, StoreError> {
    let values = |user: &User| {
        vec![
            ("name", user.name.clone().into()),
            ("image", user.image_or_size().into()),
            ("email", user.email.clone().into()),
            ("emailVerified", mapping.truth("user", "emailVerified", user.email_verified, now)),
            ("role", user.role.clone().into()),
            ("banned", mapping.truth("user", "banned", user.banned, now)),
            ("banReason", user.ban_reason.clone().into()),
            ("banExpires", user.ban_expires.map(|until| mapping.time("user", "banExpires", until)).into()),
        ]
    };
    let mut changed: rows::Values = values(after);
    let as_before: rows::Values = values(before);
    let is_corrected = |column| before.is_odd(column) && !after.is_odd(column);
    changed.retain(|value| !as_before.contains(value) || is_corrected(value.0));
    changed.extend(rows::update_time(tx, mapping, "user", now)?.map(|now| ("updatedAt", now)));
    let update = |tx: &mut dyn Tx| rows::update(tx, mapping, "user", &after.id, changed, rows::Spelling::Any);
    if before.name == after.name && before.email == after.email {
        update(tx)?;
    } else {
        search::reindexing(tx, mapping, &after.id, update)?;
    }
    let stored = read_back(tx, mapping, &after.id)?;
    if is_undone(before, after, &stored) { Err(ignored("undoes the change")) } else { Ok(stored) }
}

/// Whether sessions may exist in which the user acts as others. The options of an app name the roles and the users
/// that may, and its database does not show them.
fn may_have_impersonated(mapping: &SchemaMapping, user: &User) -> bool {
    user.has_role("admin") || mapping.is_guest()
}

/// Whether a change ends the sessions in which the user acts as others.
fn loses_impersonations(mapping: &SchemaMapping, before: &User, after: &User, now: Timestamp) -> bool {
    let loses_right = before.has_role("admin") && !after.may_impersonate(now);
    loses_right || (may_have_impersonated(mapping, before) && (after.is_banned(now) || after.has_lost_a_role(before)))
}

/// Whether no other administrator can sign in.
pub(in crate::store) fn is_last_admin(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user: &User,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(is_admin(user, now) && !has_other_admin(tx, mapping, &user.id, now)?)
}

fn is_admin(user: &User, now: Timestamp) -> bool {
    user.has_role("admin") && !user.is_banned(now)
}

/// Whether another administrator can sign in. SQL finds candidates by the word; the rule reads their roles.
fn has_other_admin(tx: &mut dyn Tx, mapping: &SchemaMapping, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let sql = format!(r#"SELECT {} FROM "user" WHERE "role" LIKE '%admin%' AND "id" <> ?1"#, read::USER);
    let mut found = false;
    tx.scan(&mapping.sql(sql), &[mapping.key("user", id)], &mut |row| {
        found = is_admin(&read::user(row, 0, mapping)?, now);
        Ok(if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(found)
}
