//! Users, their accounts and passwords. Changes and deletions protect the last administrator.
//!
//! An act that follows the verification of a password checks that the verified hash is still stored.

use std::ops::ControlFlow;

use jiff::Timestamp;

use super::audit::{change_events, ended_of, subject};
use super::filter::Filter;
use super::{codes, rows, sessions};
use crate::auth::AuthError;
use crate::auth::audit::{Changes, Event, Subject};
use crate::auth::codes::Purpose;
use crate::auth::password::{HashFormat, Scheme};
use crate::auth::secret::StoredHash;
use crate::auth::session::Session;
use crate::auth::storage::{
    Account, AdminGuard, Ban, NewPassword, NewUserRow, PAGE_MAX, PasswordChange, StoreError, UserChange, UserPage,
    UserQuery, UserSort, UserUpdated,
};
use crate::auth::user::{User, UserRef};
use crate::store::engine::{Dialect, Tx, Value, ignored};
use crate::store::mapping::{IdStrategy, SchemaMapping, is_false, is_true};

pub(in crate::store) fn find(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    who: &UserRef,
) -> Result<Option<User>, StoreError> {
    let (column, key) = match who {
        UserRef::Email(email) => ("email", email.as_str().into()),
        UserRef::Id(id) => ("id", mapping.key("user", id)),
    };
    let sql = format!(r#"SELECT {} FROM "user" WHERE "{column}" = ?1"#, rows::USER);
    tx.query_one(&mapping.sql(sql), &[key], |row| rows::user(row, 0, mapping))
}

/// Finds the user with exactly this address, else those with the address in another case.
pub(in crate::store) fn with_address(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    address: &str,
) -> Result<Vec<User>, StoreError> {
    let column = "email";
    let exact = format!(r#"SELECT {} FROM "user" WHERE "{column}" = ?1"#, rows::USER);
    let found = tx.query_all(&mapping.sql(exact), &[address.into()], |row| rows::user(row, 0, mapping))?;
    // The column of an app may compare without regard to case.
    if let Some(user) = found.into_iter().find(|user| user.email == address) {
        return Ok(vec![user]);
    }
    // The length is known without reading the value, so a large one costs nothing.
    let any_case = format!(
        r#"SELECT {} FROM "user" WHERE octet_length("email") = ?2 AND lower("email") = lower(?1) ORDER BY "id""#,
        rows::USER
    );
    let values = [address.into(), i64::try_from(address.len()).unwrap_or(i64::MAX).into()];
    let mut found = tx.query_all(&mapping.sql(any_case), &values, |row| rows::user(row, 0, mapping))?;
    found.retain(|user| user.email.eq_ignore_ascii_case(address));
    Ok(found)
}

/// The hash of an account. A larger value cannot be a hash.
pub(in crate::store) const PASSWORD: &str = r#"CASE WHEN octet_length("password") <= 100000 THEN "password" END"#;

/// The hash of the credential account whose `accountId` is the user's id, which Better Auth signs in with.
pub(in crate::store) fn password_hash(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
) -> Result<Option<StoredHash>, StoreError> {
    let sql =
        format!(r#"SELECT {PASSWORD} FROM "account" WHERE "providerId" = ?1 AND "accountId" = ?2 AND "userId" = ?3"#);
    let values = [Account::CREDENTIAL.into(), user_id.into(), mapping.reference("account", "userId", user_id)];
    let text = tx.query_one(&mapping.sql(sql), &values, |row| Ok(row.value(0)?.as_text().map(str::to_owned)))?;
    // An empty or endless value cannot be a hash, and does not sign in.
    Ok(text.flatten().and_then(|text| StoredHash::from_bytes(text.as_bytes()).ok()))
}

/// How many hashes are read from each end of the table.
const HASH_SAMPLE: u32 = 50;

/// The password scheme of an app, as its rows show it.
pub(in crate::store) fn scheme(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Scheme, StoreError> {
    let mut kinds = Vec::new();
    let order = tx.dialect().order(mapping, "account");
    for direction in ["ASC", "DESC"] {
        let sql = format!(
            r#"SELECT {PASSWORD} FROM "account" WHERE octet_length("password") > 0 AND "providerId" = ?1
               ORDER BY {order} {direction} LIMIT {HASH_SAMPLE}"#
        );
        tx.each(&mapping.sql(sql), &[Account::CREDENTIAL.into()], |row| {
            let hash = row.value(0)?.as_bytes().and_then(|bytes| StoredHash::from_bytes(bytes).ok());
            kinds.push(hash.map_or(HashFormat::Unknown, |hash| HashFormat::of(&hash)));
            Ok(())
        })?;
    }
    Ok(Scheme::of_hashes(kinds, mapping.passwords))
}

/// Sets the hash of the credential account. Returns `false` if the user has none.
pub(in crate::store) fn set_password_hash(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
    hash: &StoredHash,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if let Some(blocker) = mapping.read_only("account", "password") {
        return Err(StoreError::NotOurs(blocker.clone()));
    }
    let account = [Account::CREDENTIAL.into(), user_id.into(), mapping.reference("account", "userId", user_id)];
    let find = r#"SELECT count(*) FROM "account" WHERE "providerId" = ?1 AND "accountId" = ?2 AND "userId" = ?3"#;
    if tx.count(&mapping.sql(find), &account)? == 0 {
        return Ok(false);
    }
    let updated_at = rows::update_time(tx, mapping, "account", now);
    let stamp = if updated_at.is_some() { r#", "updatedAt" = ?5"# } else { "" };
    let sql = format!(
        r#"UPDATE "account" SET "password" = ?4{stamp}
           WHERE "providerId" = ?1 AND "accountId" = ?2 AND "userId" = ?3"#
    );
    let values: Vec<Value> = account.into_iter().chain([hash.expose().into()]).chain(updated_at).collect();
    tx.change(&mapping.sql(sql), &values)?;
    require_hash(tx, mapping, user_id, hash).map(|()| true)
}

/// Checks that a hash was stored as it was written.
fn require_hash(tx: &mut dyn Tx, mapping: &SchemaMapping, user_id: &str, hash: &StoredHash) -> Result<(), StoreError> {
    if is_hash_in_force(tx, mapping, user_id, hash)? { Ok(()) } else { Err(ignored("undoes the change")) }
}

pub(in crate::store) fn insert(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user: &NewUserRow,
    hash: Option<&StoredHash>,
) -> Result<User, StoreError> {
    let time = |column| mapping.time("user", column, user.now);
    // The app's admin plugin gives every user a role. Without the plugin there is no column for it.
    let needs_role = mapping.is_guest() && mapping.has("user", "role");
    let role = user.role.clone().or_else(|| needs_role.then(|| "user".to_owned()));
    let mut values = vec![
        ("name", user.name.clone().into()),
        ("email", user.email.as_str().to_owned().into()),
        ("emailVerified", mapping.truth("user", "emailVerified", user.email_verified, user.now)),
        ("image", user.image.clone().into()),
        ("createdAt", time("createdAt")),
        ("updatedAt", time("updatedAt")),
        ("role", role.into()),
        ("banned", mapping.truth("user", "banned", false, user.now)),
    ];
    if user.role.is_none() && mapping.has_default_role {
        // The default is the app's own word for an ordinary user.
        values.retain(|(column, _)| *column != "role");
    }
    let id = rows::insert(tx, mapping, "user", &user.id, values)?;
    if let Some(hash) = hash {
        insert_credential(tx, mapping, &user.account_id, &id, hash, user.now)?;
    }
    read_back(tx, mapping, &id)
}

fn insert_credential(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    id: &str,
    user_id: &str,
    hash: &StoredHash,
    now: Timestamp,
) -> Result<(), StoreError> {
    let time = |column| mapping.time("account", column, now);
    let values = vec![
        ("accountId", user_id.to_owned().into()),
        ("providerId", Account::CREDENTIAL.to_owned().into()),
        ("userId", mapping.reference("account", "userId", user_id)),
        ("password", hash.expose().to_owned().into()),
        ("createdAt", time("createdAt")),
        ("updatedAt", time("updatedAt")),
    ];
    rows::insert(tx, mapping, "account", id, values)?;
    require_hash(tx, mapping, user_id, hash)
}

/// Sets the hash of the credential account, or adds the account. Returns `false` if the user does not exist.
pub(in crate::store) fn upsert_password_hash(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    new: &NewPassword<'_>,
) -> Result<bool, StoreError> {
    if find(tx, mapping, &UserRef::Id(new.user_id.to_owned()))?.is_none() {
        return Ok(false);
    }
    if !set_password_hash(tx, mapping, new.user_id, new.hash, new.now)? {
        insert_credential(tx, mapping, &new.account_id, new.user_id, new.hash, new.now)?;
    }
    Ok(true)
}

pub(in crate::store) fn accounts(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
) -> Result<Vec<Account>, StoreError> {
    let sql = r#"SELECT "providerId", "accountId", octet_length("password") IS NOT NULL FROM "account"
                 WHERE "userId" = ?1 ORDER BY "providerId", "accountId""#;
    tx.query_all(&mapping.sql(sql), &[mapping.reference("account", "userId", user_id)], |row| {
        let text = |index| Ok::<_, StoreError>(IdStrategy::Text.read(row.value(index)?).unwrap_or_default());
        Ok(Account { provider_id: text(0)?, account_id: text(1)?, has_password: row.truth(2)? })
    })
}

pub(in crate::store) fn read_back(tx: &mut dyn Tx, mapping: &SchemaMapping, id: &str) -> Result<User, StoreError> {
    find(tx, mapping, &UserRef::Id(id.to_owned()))?
        .ok_or_else(|| StoreError::Engine("a user that was just written could not be read back".into()))
}

pub(in crate::store) fn list(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    query: &UserQuery,
) -> Result<UserPage, StoreError> {
    let mut filter = filter(query, mapping, tx.dialect());
    let limit = query.limit.clamp(1, PAGE_MAX);
    let total = query.count.then(|| count(tx, mapping, &filter, None)).transpose()?;
    let column = match query.sort {
        UserSort::Email => r#""email""#,
        UserSort::Name => r#""name""#,
        UserSort::Created => r#""createdAt""#,
    };
    let is_sorted = !filter.conditions.is_empty() && count(tx, mapping, &filter, Some(SORTED_MAX))? < SORTED_MAX;
    let column = if is_sorted { ["+", column].concat() } else { column.to_owned() };
    let column = column.as_str();
    if let Some(id) = &query.after {
        let sql = format!(r#"SELECT {column} FROM "user" WHERE "id" = ?1"#);
        let Some(value) =
            tx.query_one(&mapping.sql(sql), &[mapping.key("user", id)], |row| Ok(row.value(0)?.to_value()))?
        else {
            // The last user of the previous page was deleted, and with them the place to continue from.
            return Err(StoreError::NoSuchPlace("user"));
        };
        let (first, second) = (filter.values.len() + 1, filter.values.len() + 2);
        filter.conditions.push(match value {
            Value::Null => beyond_null(column, second),
            // The text may not be UTF-8, and only the database compares it then.
            Value::Blob(_) => beyond_row(column, second),
            _ => beyond(column, first, second),
        });
        filter.values.extend([value, mapping.key("user", id)]);
    }
    let sql = page_sql(column, &filter, limit);
    let mut users = tx.query_all(&mapping.sql(sql), &filter.values, |row| rows::user(row, 0, mapping))?;
    let more = users.len() > limit as usize;
    users.truncate(limit as usize);
    let next = users.last().filter(|_| more).map(|user| user.id.clone());
    let is_whole = query.after.is_none() && next.is_none();
    let total = total.or_else(|| is_whole.then_some(users.len() as u64));
    Ok(UserPage { users, total, next })
}

/// The number of users up to which a list is sorted. To find a few users along an index reads every row of the table in
/// the order of the index, which takes ten times as long as to read the table in its own order.
const SORTED_MAX: u64 = 5000;

/// Counts the users of a list, up to a limit.
fn count(tx: &mut dyn Tx, mapping: &SchemaMapping, filter: &Filter, limit: Option<u64>) -> Result<u64, StoreError> {
    let sql = match limit {
        None => format!(r#"SELECT count(*) FROM "user" {}"#, filter.text()),
        Some(limit) => format!(r#"SELECT count(*) FROM (SELECT 1 FROM "user" {} LIMIT {limit})"#, filter.text()),
    };
    tx.count(&mapping.sql(sql), &filter.values)
}

/// The condition for users after the one whose values are two parameters. A column with `+` is read from the table and
/// not from its index.
fn beyond(column: &str, first: usize, second: usize) -> String {
    format!(r#"({column}, "id") > (?{first}, ?{second})"#)
}

/// The condition for users after one without a value, who are before all others.
fn beyond_null(column: &str, id: usize) -> String {
    format!(r#"({column} IS NOT NULL OR "id" > ?{id})"#)
}

/// The condition for users after the one with an id.
fn beyond_row(column: &str, id: usize) -> String {
    format!(r#"({column}, "id") > (SELECT {column}, "id" FROM "user" WHERE "id" = ?{id})"#)
}

/// The statement of a page. It reads one row more, which tells whether there is another page.
fn page_sql(column: &str, filter: &Filter, limit: u32) -> String {
    format!(r#"SELECT {} FROM "user" {} ORDER BY {column}, "id" LIMIT {}"#, rows::USER, filter.text(), limit + 1)
}

fn filter(query: &UserQuery, mapping: &SchemaMapping, dialect: &Dialect) -> Filter {
    let mut filter = Filter::default();
    let position = dialect.position;
    if let Some(search) = &query.search {
        // Addresses have only ASCII letters, which SQLite's `lower` converts and `LIKE` does not tell apart. Each column
        // is searched alone, so that a match never spans two. A value that is too large to be read is not searched.
        let is_pattern = search.len() <= PATTERN_MAX;
        let found = ["email", "name"].map(|column| {
            let text = format!(r#"CASE WHEN octet_length("{column}") <= 100000 THEN "{column}" END"#);
            if is_pattern {
                format!(r"{text} LIKE ? ESCAPE '\'")
            } else {
                format!("{position}(lower({text}), lower(?)) > 0")
            }
        });
        let wanted = if is_pattern { pattern(search) } else { search.clone() };
        filter.add(&format!("({})", found.join(" OR ")), wanted);
    }
    if let Some(role) = &query.role {
        // Roles are separated by commas, with or without a space. A user without a role is a `user`. A role
        // has no line end.
        let roles = r#"replace(coalesce(CASE WHEN octet_length("role") > 100000 THEN '(large)' ELSE "role" END, 'user'), ' ', '')"#;
        filter.add(&format!("{position}(',' || {roles} || ',', ?) > 0"), format!(",{},", role.replace(',', "\n")));
    }
    if let Some(now) = query.banned_at {
        // A value that cannot be read counts as a ban.
        filter.conditions.push(format!("NOT {}", is_false("banned", mapping.is_guest())));
        filter.add(r#"("banExpires" IS NULL OR "banExpires" > ?)"#, mapping.time("user", "banExpires", now));
    }
    if query.unverified {
        filter.conditions.push(format!("NOT {}", is_true("emailVerified", mapping.is_guest())));
    }
    filter
}

/// The longest search by a pattern, in bytes. SQLite refuses patterns of more than 50,000, and each byte may need an
/// escape.
const PATTERN_MAX: usize = 20_000;

/// The pattern of texts that contain `search`. `LIKE` ignores the case of ASCII letters, and addresses have no others.
fn pattern(search: &str) -> String {
    let mut pattern = String::from("%");
    for c in search.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// Whether the verified hash is still stored.
pub(in crate::store) fn is_hash_in_force(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
    hash: &StoredHash,
) -> Result<bool, StoreError> {
    Ok(password_hash(tx, mapping, user_id)?.is_some_and(|in_force| in_force.expose() == hash.expose()))
}

pub(in crate::store) fn replace_password(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    change: &PasswordChange<'_>,
) -> Result<Option<Vec<Session>>, StoreError> {
    if !is_hash_in_force(tx, mapping, change.user_id, change.verified)? {
        return Ok(None);
    }
    // Sessions go first: if one of them does not exist, nothing has been written yet.
    let ended = match &change.end {
        None => Vec::new(),
        Some(which) => match sessions::delete(tx, mapping, change.user_id, which, change.now)? {
            Ok(ended) => ended,
            Err(_) => return Ok(None),
        },
    };
    set_password_hash(tx, mapping, change.user_id, change.hash, change.now)?;
    codes::delete_resets(tx, mapping, change.user_id)?;
    let user = subject(tx, mapping, change.user_id)?;
    log.push(Event::user("password.changed", &user));
    log.extend(ended.iter().map(|session| ended_of(&user, session)));
    Ok(Some(ended))
}

/// Sets a password. Codes that reset the old one become invalid.
pub(in crate::store) fn set_password(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    new: &NewPassword<'_>,
) -> Result<Option<Vec<Session>>, StoreError> {
    if !upsert_password_hash(tx, mapping, new)? {
        return Ok(None);
    }
    codes::delete_resets(tx, mapping, new.user_id)?;
    let ended = sessions::end(tx, mapping, new.user_id, new.end.as_ref(), new.now)?;
    let user = subject(tx, mapping, new.user_id)?;
    log.push(Event::user("password.set", &user));
    log.extend(ended.iter().map(|session| ended_of(&user, session)));
    Ok(Some(ended))
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
    let mut user = before.clone();
    user.name = change.name.clone().unwrap_or(user.name);
    if let Some(image) = &change.image {
        (user.image, user.image_left_out) = (image.clone(), None);
    }
    user.email_verified = change.is_verified_after(&before);
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
    if guard == AdminGuard::KeepLastAdmin && !is_admin(&user, now) && is_last_admin(tx, mapping, &before, now)? {
        return Ok(Err(AuthError::LastAdmin));
    }
    let mut changed = !Changes::between(Some(&before), Some(&user)).is_empty();
    if changed {
        write_changes(tx, mapping, &before, &user, now)?;
        let stored = read_back(tx, mapping, id)?;
        if is_undone(&before, &user, &stored) {
            return Err(ignored("undoes the change"));
        }
        user = stored;
        // A column may store instants with less precision.
        changed = !Changes::between(Some(&before), Some(&user)).is_empty();
    }
    if user.email != before.email {
        // Codes are bound to the address. They are deleted, so that they do not work again when the address
        // returns.
        for purpose in Purpose::ALL {
            codes::delete_all(tx, mapping, purpose, id)?;
        }
        codes::delete_resets(tx, mapping, id)?;
    }
    let mut ended = sessions::end(tx, mapping, id, change.end.which(&before, &user).as_ref(), now)?;
    log.extend(change_events(&before, &user));
    let subject = Subject::from(&before);
    log.extend(ended.iter().map(|session| ended_of(&subject, session)));
    if loses_impersonations(mapping, &before, &user, now) {
        ended.extend(sessions::end_impersonations(tx, mapping, log, id, now)?);
    }
    Ok(Ok(UserUpdated { user, ended, changed }))
}

/// Whether a trigger left nothing of a change. It may store another spelling of a value.
fn is_undone(before: &User, intended: &User, stored: &User) -> bool {
    let marks = |user: &User| {
        let User { name, email, email_verified, role, ban_reason, .. } = user.clone();
        (name, email, email_verified, role, ban_reason)
    };
    stored.banned != intended.banned || (marks(intended) != marks(before) && marks(stored) == marks(before))
}

/// Writes the fields that differ. An unchanged column is not written, because it may hold more than was read.
pub(in crate::store) fn write_changes(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    before: &User,
    after: &User,
    now: Timestamp,
) -> Result<(), StoreError> {
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
    changed.extend(rows::update_time(tx, mapping, "user", now).map(|now| ("updatedAt", now)));
    rows::update(tx, mapping, "user", &after.id, changed)
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
    let sql = format!(r#"SELECT {} FROM "user" WHERE "role" LIKE '%admin%' AND "id" <> ?1"#, rows::USER);
    let mut found = false;
    tx.query(&mapping.sql(sql), &[mapping.key("user", id)], &mut |row| {
        found = is_admin(&rows::user(row, 0, mapping)?, now);
        Ok(if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::plan;

    /// SQLite's plans for the first page and for a later one.
    fn plans(column: &str) -> Vec<String> {
        let from_start = Filter::default();
        let from_there = Filter { conditions: vec![beyond(column, 1, 2)], ..Filter::default() };
        [from_start, from_there].iter().flat_map(|filter| plan(&page_sql(column, filter, 50))).collect()
    }

    #[test]
    fn each_order_of_pages_walks_its_index() {
        for column in ["email", "name", "createdAt"] {
            let plans = plans(column);
            assert!(plans.iter().all(|step| !step.contains("USE TEMP B-TREE FOR ORDER BY")), "{column}: {plans:?}");
            assert!(plans.iter().any(|step| step.starts_with("SCAN user USING INDEX")), "{column}: {plans:?}");
            assert!(plans.iter().any(|step| step.starts_with("SEARCH user USING INDEX")), "{column}: {plans:?}");
        }
    }
}
