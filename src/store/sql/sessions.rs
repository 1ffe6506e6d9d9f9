//! Sessions. SQL may select by time to read fewer rows; the rule decides whether a session is live.

use std::collections::HashMap;
use std::ops::ControlFlow;

use jiff::Timestamp;

use super::access::Tokens;
use super::audit::{begun_of, change_events, ended_of_users, of_subject};
use super::filter::Filter;
use super::inventory::Inventory;
use super::rows::RowKey;
use super::{access, accounts, native_factor, read, rows, users};
use crate::auth::audit::{Actor, Event, Subject};
use crate::auth::odd::is_id;
use crate::auth::password::HashFormat;
use crate::auth::secret::{StoredHash, Token};
use crate::auth::session::{Pattern, Session};
use crate::auth::storage::{FoundSession, NewSessionRow, RightOtp, SessionQuery, StoreError, Which};
use crate::auth::user::{User, UserRef};
use crate::auth::{ActAs, AuthError, Caller, SignedOut};
use crate::store::engine::{Dialect, Query, Tx, Value, ignored};
use crate::store::mapping::SchemaMapping;

/// Finds a session and its user with one statement. The user's columns come first.
pub(in crate::store) fn find(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    token: &Token,
) -> Result<Option<(Session, User)>, StoreError> {
    let (sql, values) = look_up(mapping, token);
    tx.query_one(&sql, &values, |row| {
        Ok((read::session(row, read::USER_WIDTH, mapping)?, read::user(row, 0, mapping)?))
    })
}

/// The statement by which [`find`] finds a session, and its parameters.
pub(in crate::store) fn look_up(mapping: &SchemaMapping, token: &Token) -> (String, Vec<Value>) {
    let sql = format!(
        r#"SELECT {}, {} FROM "session" JOIN "user" ON "user"."id" = "session"."userId" WHERE "session"."token" = ?1"#,
        read::USER,
        read::SESSION
    );
    (mapping.sql(sql).into_owned(), vec![mapping.token(token).into_owned().into()])
}

/// Checks that a caller is signed in.
pub(in crate::store) fn check_caller(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    caller: &Caller,
) -> Result<Result<(), AuthError>, StoreError> {
    if !is_id(&caller.session_id) {
        return Err(rows::without_id(mapping, "session", "the session of the caller"));
    }
    let session = by_id(tx, mapping, &caller.session_id)?;
    let mut user = |id: &str| users::find(tx, mapping, &UserRef::Id(id.to_owned()));
    let impersonator = caller.impersonator().map(&mut user).transpose()?.flatten();
    Ok(caller.check(session.as_ref(), user(&caller.user_id)?.as_ref(), impersonator.as_ref()))
}

pub(in crate::store) fn of_user(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
) -> Result<Vec<Session>, StoreError> {
    Ok(select_of_user(tx, mapping, user_id)?.into_iter().map(|found| found.session).collect())
}

pub(in crate::store) fn each(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    query: &SessionQuery<'_>,
    found: &mut dyn FnMut(FoundSession) -> bool,
) -> Result<(), StoreError> {
    let order = tx.dialect().order(mapping, "session");
    let filter = filter(query, mapping, tx.dialect())?;
    let sql = list_sql(order, &filter);
    tx.scan(&mapping.sql(sql), &filter.values, &mut |row| {
        let goes_on = found(FoundSession {
            place: mapping.ids.of("session").read(row.value(0)?),
            email: row.value(1)?.as_text().unwrap_or_default().to_owned(),
            session: read::session(row, 2, mapping)?,
        });
        Ok(if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })
}

/// The statement of a list. The order is that of the table or of the index on `userId`.
fn list_sql(order: &str, filter: &Filter) -> String {
    format!(
        r#"SELECT "session".{order}, {}, {} FROM "session" JOIN "user" ON "user"."id" = "session"."userId" {}
           ORDER BY "session".{order} DESC"#,
        read::EMAIL,
        read::SESSION,
        filter.text()
    )
}

/// The part of a query that SQL decides. Each condition holds for every session that the rules would choose: what SQL
/// may read in another way than [`read::session`] is left to them.
fn filter(query: &SessionQuery<'_>, mapping: &SchemaMapping, dialect: &Dialect) -> Result<Filter, StoreError> {
    let SessionQuery { user_id, filter: chosen, after, now } = query;
    let mut filter = Filter::default();
    if let Some(id) = user_id {
        filter.add(r#""session"."userId" = ?"#, mapping.reference("session", "userId", id));
    }
    if let Some(after) = after {
        let order = dialect.order(mapping, "session");
        let place = if order == dialect.insertion {
            after.parse::<i64>().map_err(|_| StoreError::NoSuchPlace("session"))?.into()
        } else {
            mapping.key("session", after)
        };
        filter.add(&format!(r#""session".{order} < ?"#), place);
    }
    let mut leave_out = |column: &str, after: Timestamp, until: Timestamp| {
        let encoding = mapping.times.of("session", column);
        let condition = encoding.is_between(&format!(r#""session"."{column}""#), after, until, dialect);
        filter.conditions.extend(condition.map(|condition| format!("NOT {condition}")));
    };
    leave_out("expiresAt", Timestamp::MIN, *now);
    for (column, least) in [("createdAt", chosen.older_than), ("updatedAt", chosen.idle)] {
        if let Some(last) = least.and_then(|least| now.checked_sub(least).ok()) {
            leave_out(column, last, Timestamp::MAX);
        }
    }
    let Dialect { position, is_text, .. } = dialect;
    let agent = r#""session"."userAgent""#;
    if let Some(part) = chosen.user_agent.as_ref().map(literal_part).filter(|part| !part.is_empty()) {
        filter.add(
            &format!("NOT ({} AND octet_length({agent}) <= 100000 AND {position}({agent}, ?) = 0)", is_text(agent)),
            part,
        );
    }
    let address = r#""session"."ipAddress""#;
    if let Some(network) = chosen.network {
        filter.conditions.push(format!("{address} IS NOT NULL"));
        // Text that begins with a digit and has no colon is an IPv4 address, or none.
        let octets = network.leading_octets();
        filter.add(
            &format!(
                "NOT ({} AND substr({address}, 1, 1) BETWEEN '0' AND '9'
                      AND {position}({address}, ':') = 0 AND {position}({address}, ?) <> 1)",
                is_text(address)
            ),
            octets,
        );
    }
    Ok(filter)
}

/// The longest part of a pattern that every text with the pattern contains.
fn literal_part(pattern: &Pattern) -> String {
    let text = pattern.pattern();
    let parts = text.split(['*', '?', char::REPLACEMENT_CHARACTER]);
    parts.max_by_key(|part| part.len()).unwrap_or_default().to_owned()
}

pub(in crate::store) fn delete_by_ids(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    ids: &[String],
    now: Timestamp,
) -> Result<Vec<Session>, StoreError> {
    let dialect = tx.dialect();
    let is_chosen = dialect.is_listed(r#""id""#, "?1");
    let keys: Vec<[Value; 1]> = ids.iter().map(|id| [mapping.key("session", id)]).collect();
    let mut found = Vec::new();
    for lists in dialect.lists(&keys) {
        found.extend(select(tx, mapping, &is_chosen, &lists)?);
    }
    // The log has them in the order in which they were chosen.
    let places: HashMap<&str, usize> = ids.iter().map(String::as_str).zip(0..).collect();
    found.sort_by_key(|found| places.get(found.session.id.as_str()).copied());
    remove(tx, mapping, found, Tokens::Online, now)
}

/// Deletes the sessions of a user that have no id, and returns them.
pub(in crate::store) fn delete_without_id(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
    now: Timestamp,
) -> Result<Vec<Session>, StoreError> {
    let mut found = select_of_user(tx, mapping, user_id)?;
    found.retain(|found| !found.session.has_id());
    remove(tx, mapping, found, Tokens::Online, now)
}

/// A session, and what finds its row again, with an id or without.
struct Found {
    key: RowKey,
    token: Value,
    session: Session,
}

/// The token of a session. No cookie can have a larger one.
const TOKEN: &str = r#"CASE WHEN octet_length("session"."token") <= 100000 THEN "session"."token" END"#;

/// Finds sessions by the end of a statement, from its condition on.
fn select(tx: &mut dyn Tx, mapping: &SchemaMapping, chosen: &str, values: &[Value]) -> Result<Vec<Found>, StoreError> {
    let sql = selection(tx.dialect(), mapping, chosen);
    tx.query_all(&sql, values, |row| {
        let (key, token) = (rows::row_key(row, 0, mapping, "session")?, row.value(2)?.to_value());
        Ok(Found { key, token, session: read::session(row, 3, mapping)? })
    })
}

/// The query by which [`select`] finds sessions.
fn selection(dialect: &Dialect, mapping: &SchemaMapping, chosen: &str) -> String {
    let order = dialect.order(mapping, "session");
    let sql = format!(
        r#"SELECT "session".{order}, "session"."id", {TOKEN}, {} FROM "session" WHERE {chosen}"#,
        read::SESSION
    );
    mapping.sql(sql).into_owned()
}

fn select_of_user(tx: &mut dyn Tx, mapping: &SchemaMapping, user_id: &str) -> Result<Vec<Found>, StoreError> {
    let order = tx.dialect().order(mapping, "session");
    let of_user = format!(r#""userId" = ?1 ORDER BY "createdAt" DESC, {order} DESC"#);
    select(tx, mapping, &of_user, &[mapping.reference("session", "userId", user_id)])
}

/// Deletes sessions of a database that authctl made. Nothing refers to sessions there, unless another program has added a
/// table, so the catalog is not read. Returns `false` if a foreign key of such a table refuses it.
fn delete_own(tx: &mut dyn Tx, mapping: &SchemaMapping, keys: &[RowKey]) -> Result<bool, StoreError> {
    match rows::delete_rows(tx, mapping, "session", keys) {
        Err(StoreError::Constraint(_)) => Ok(false),
        deleted => deleted.map(|_| true),
    }
}

/// Deletes sessions, after their tokens ended and the rows that refer to them are gone. Returns them.
///
/// # Errors
/// [`StoreError::Held`] when rows of the app keep a session, and [`StoreError::NoId`] when a table without an order of
/// insertion has one without an id.
fn remove(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    found: Vec<Found>,
    tokens: Tokens,
    now: Timestamp,
) -> Result<Vec<Session>, StoreError> {
    let (keys, (ended_tokens, sessions)): (Vec<RowKey>, (Vec<Value>, Vec<Session>)) =
        found.into_iter().map(|found| (found.key, (found.token, found.session))).unzip();
    if sessions.is_empty() {
        return Ok(sessions);
    }
    if !mapping.is_guest() && delete_own(tx, mapping, &keys)? {
        return Ok(sessions);
    }
    let inventory = Inventory::read(tx, mapping)?;
    access::end_tokens(tx, mapping, &inventory, &keys, tokens, now)?;
    let deletion = rows::deletion(tx, &inventory, mapping, "session")?;
    let (named, nameless): (Vec<_>, Vec<_>) = keys.iter().zip(&sessions).partition(|(_, session)| session.has_id());
    let named: Vec<&RowKey> = named.into_iter().map(|(key, _)| key).collect();
    let mut deleted = deletion.run_for(tx, &named)?;
    for (key, session) in nameless {
        let rows = deletion.run_for(tx, &[key])?;
        if rows == 0 {
            return Err(rows::without_id(mapping, "session", format!("a session of the user {}", session.user_id)));
        }
        deleted += rows;
    }
    rows::require_some(mapping.table("session"), sessions.len(), deleted)?;
    for part in ended_tokens.chunks(TOKENS_PER_STATEMENT) {
        require_ended(&with_tokens(tx, mapping, part)?, now)?;
    }
    Ok(sessions)
}

const TOKENS_PER_STATEMENT: usize = 500;

/// The sessions of an app with one of some tokens. A trigger may have copied one under another id. No trigger runs in a
/// database that authctl made.
fn with_tokens(tx: &mut dyn Tx, mapping: &SchemaMapping, tokens: &[Value]) -> Result<Vec<Found>, StoreError> {
    if !mapping.is_guest() {
        return Ok(Vec::new());
    }
    select(tx, mapping, &is_one_of(tokens), tokens)
}

/// The condition for sessions with one of some tokens.
fn is_one_of(tokens: &[Value]) -> String {
    let places: Vec<String> = (1..=tokens.len()).map(|number| format!("?{number}")).collect();
    format!(r#""token" IN ({})"#, places.join(", "))
}

/// # Errors
/// [`StoreError::Trigger`] if one of the sessions gives access.
fn require_ended(sessions: &[Found], now: Timestamp) -> Result<(), StoreError> {
    let is_open = sessions.iter().any(|found| found.session.may_be_live(now));
    if is_open { Err(ignored("adds a session again that was ended")) } else { Ok(()) }
}

pub(in crate::store) fn insert(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    session: &NewSessionRow,
) -> Result<Session, StoreError> {
    let time = |column, instant| mapping.time("session", column, instant);
    let reference = |column, id: &str| mapping.reference("session", column, id);
    let values = vec![
        ("expiresAt", time("expiresAt", session.expires_at)),
        ("token", mapping.token(&session.token).into_owned().into()),
        ("createdAt", time("createdAt", session.now)),
        ("updatedAt", time("updatedAt", session.now)),
        ("ipAddress", mapping.unknown("ipAddress", session.client_info.ip_address.as_deref()).into()),
        ("userAgent", mapping.unknown("userAgent", session.client_info.user_agent.as_deref()).into()),
        ("userId", reference("userId", &session.user_id)),
        ("impersonatedBy", session.impersonated_by.as_ref().map(|by| reference("impersonatedBy", by)).into()),
    ];
    let token = [mapping.token(&session.token).into_owned().into()];
    tx.ask_along(&[of_id(mapping, &session.id)]);
    if mapping.is_guest() {
        tx.ask_along(&[(selection(tx.dialect(), mapping, &is_one_of(&token)), token.to_vec())]);
    }
    let id = rows::insert(tx, mapping, "session", &session.id, values)?;
    let begun = by_id(tx, mapping, &id)?
        .ok_or_else(|| StoreError::Engine("a session that was just written could not be read back".into()))?;
    let is_as_asked = |found: &Session| {
        let is_of = found.user_id == session.user_id && found.impersonated_by == session.impersonated_by;
        (found.is_live(session.now) || session.expires_at <= session.now) && is_of
    };
    if mapping.is_guest() && !with_tokens(tx, mapping, &token)?.iter().any(|found| is_as_asked(&found.session)) {
        return Err(ignored("changes a new session"));
    }
    Ok(begun)
}

/// The result of a verified sign-in.
pub(in crate::store) struct Verified<'a> {
    /// The hash that the password matched.
    pub hash: &'a StoredHash,
    /// A stronger hash to store instead.
    pub upgraded: Option<&'a StoredHash>,
    /// The code of the second factor, if the user gave one.
    pub code: Option<&'a RightOtp>,
}

/// Starts a session after a sign-in, if the verified hash is still stored and the user is not banned.
pub(in crate::store) fn begin_session(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    session: &NewSessionRow,
    verified: &Verified<'_>,
) -> Result<Option<Session>, StoreError> {
    tx.ask_along(&[accounts::of_password(mapping, &session.user_id)]);
    // The user may have been banned while the hash was computed.
    let user = users::find(tx, mapping, &UserRef::Id(session.user_id.clone()))?;
    let Some(user) = user.filter(|user| !user.is_banned(session.now)) else { return Ok(None) };
    if !accounts::is_hash_in_force(tx, mapping, &session.user_id, verified.hash)? {
        return Ok(None);
    }
    if !native_factor::is_proved(tx, mapping, log, &user, verified.code, session.now)? {
        return Ok(None);
    }
    if user.banned {
        // The ban has expired. Better Auth clears its columns at a sign-in, and so does authctl.
        let lifted = User { banned: false, ban_reason: None, ban_expires: None, ..user.clone() };
        users::write_changes(tx, mapping, &user, &lifted, session.now)?;
        log.extend(change_events(&user, &lifted));
    }
    if let Some(upgraded) = verified.upgraded {
        accounts::set_password_hash(tx, mapping, &session.user_id, upgraded, session.now)?;
        log.push(Event::user("password.rehashed", &user).with(HashFormat::of(verified.hash).name()));
    }
    let begun = insert(tx, mapping, session)?;
    log.push(begun_of(&Subject::from(&user), &begun));
    Ok(Some(begun))
}

/// Starts a session without a sign-in, if the rule allows it.
pub(in crate::store) fn issue(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    session: &NewSessionRow,
    whom: ActAs,
) -> Result<Result<(User, Session), AuthError>, StoreError> {
    let Some(user) = users::find(tx, mapping, &UserRef::Id(session.user_id.clone()))? else {
        return Ok(Err(AuthError::NoSuchUser(session.user_id.clone())));
    };
    if let Err(refused) = whom.check(&user, session.now) {
        return Ok(Err(refused));
    }
    if let Some(id) = session.impersonated_by.as_ref().filter(|by| !Actor::is_os_name(by)) {
        let impersonator = users::find(tx, mapping, &UserRef::Id(id.clone()))?;
        if !impersonator.is_some_and(|user| user.may_impersonate(session.now)) {
            return Ok(Err(AuthError::NotSignedIn(SignedOut::ImpersonatorGone)));
        }
    }
    if let Some(name) = session.impersonated_by.as_deref().filter(|by| Actor::is_os_name(by))
        && takes_users_only(tx, mapping, name)?
    {
        return Ok(Err(AuthError::ImpersonatorNotAUser));
    }
    let begun = insert(tx, mapping, session)?;
    let name = if session.impersonated_by.is_some() { "session.impersonated" } else { "session.issued" };
    log.push(Event::session(name, &user, &begun.id));
    Ok(Ok((user, begun)))
}

/// Whether the app's database refuses the name of an operator of this system as an impersonator: by a foreign key, or because
/// the column holds ids of another kind.
fn takes_users_only(tx: &mut dyn Tx, mapping: &SchemaMapping, name: &str) -> Result<bool, StoreError> {
    let Some(column) = mapping.column("session", "impersonatedBy").filter(|_| mapping.is_guest()) else {
        return Ok(false);
    };
    if mapping.reference("session", "impersonatedBy", name) == Value::Null {
        return Ok(true);
    }
    Ok(Inventory::read(tx, mapping)?.is_foreign_key(mapping.table("session"), column))
}

pub(in crate::store) fn set_end(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    id: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let move_end = r#"UPDATE "session" SET "expiresAt" = ?2, "updatedAt" = ?3 WHERE "id" = ?1"#;
    let time = |column, instant| mapping.time("session", column, instant);
    tx.change(
        &mapping.sql(move_end),
        &[mapping.key("session", id), time("expiresAt", expires_at), time("updatedAt", now)],
    )?;
    by_id(tx, mapping, id)
}

pub(in crate::store) fn delete_by_token(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    token: &Token,
    now: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let found = select(tx, mapping, r#""token" = ?1"#, &[mapping.token(token).into_owned().into()])?;
    // The log names the user.
    let users: Vec<Query> = found.iter().map(|found| of_subject(mapping, &found.session.user_id)).collect();
    tx.ask_along(&users);
    Ok(remove(tx, mapping, found, Tokens::Online, now)?.pop())
}

/// Deletes sessions of a user and returns them. If one of the ids does not exist, nothing is deleted.
pub(in crate::store) fn delete(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
    which: &Which,
    now: Timestamp,
) -> Result<Result<Vec<Session>, AuthError>, StoreError> {
    let found = select_of_user(tx, mapping, user_id)?;
    if let Some(id) = which.missing(|id| found.iter().any(|found| found.session.id == id)) {
        return Ok(Err(AuthError::NoSuchSession(id.to_owned())));
    }
    let (found, kept): (Vec<Found>, Vec<Found>) = found.into_iter().partition(|found| which.means(&found.session.id));
    let ended = remove(tx, mapping, found, Tokens::Online, now)?;
    if mapping.is_guest() && !ended.is_empty() {
        // A trigger may have added a session with another token.
        let mut left = select_of_user(tx, mapping, user_id)?;
        left.retain(|left| !kept.iter().any(|kept| kept.session.id == left.session.id));
        require_ended(&left, now)?;
    }
    Ok(Ok(ended))
}

/// Deletes the sessions that another act ends. Ids that do not exist are ignored.
pub(in crate::store) fn end(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
    which: Option<&Which>,
    now: Timestamp,
) -> Result<Vec<Session>, StoreError> {
    let ended = which.map(|which| delete(tx, mapping, user_id, which, now)).transpose()?;
    Ok(ended.and_then(Result::ok).unwrap_or_default())
}

/// Lists the sessions in which a user impersonates another one, live or not.
pub(in crate::store) fn impersonations(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    impersonator: &str,
) -> Result<Vec<Session>, StoreError> {
    Ok(select_impersonations(tx, mapping, impersonator)?.into_iter().map(|found| found.session).collect())
}

fn select_impersonations(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    impersonator: &str,
) -> Result<Vec<Found>, StoreError> {
    let by = mapping.reference("session", "impersonatedBy", impersonator);
    select(tx, mapping, r#""impersonatedBy" = ?1"#, &[by])
}

/// Deletes the sessions in which a user impersonates another one, and returns them. No token of theirs outlives them: the
/// user made it and not the other one.
pub(in crate::store) fn end_impersonations(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    impersonator: &str,
    now: Timestamp,
) -> Result<Vec<Session>, StoreError> {
    let found = select_impersonations(tx, mapping, impersonator)?;
    let ended = remove(tx, mapping, found, Tokens::All, now)?;
    log.extend(ended_of_users(tx, mapping, &ended)?);
    Ok(ended)
}

pub(in crate::store) fn by_id(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    id: &str,
) -> Result<Option<Session>, StoreError> {
    let (sql, values) = of_id(mapping, id);
    tx.query_one(&sql, &values, |row| read::session(row, 0, mapping))
}

/// The query by which [`by_id`] finds a session.
fn of_id(mapping: &SchemaMapping, id: &str) -> Query {
    let sql = format!(r#"SELECT {} FROM "session" WHERE "id" = ?1"#, read::SESSION);
    (mapping.sql(sql).into_owned(), vec![mapping.key("session", id)])
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::auth::session::SessionFilter;
    use crate::store::mapping::NATIVE;
    use crate::store::sqlite::{DIALECT, plan};

    fn plan_of(user_id: Option<&str>, after: Option<&str>) -> Vec<String> {
        let chosen = SessionFilter {
            older_than: Some(SignedDuration::from_hours(1)),
            user_agent: Some(Pattern::new("curl*")),
            network: "10.0.0.0/8".parse().ok(),
            ..SessionFilter::default()
        };
        let query = SessionQuery { user_id, filter: &chosen, after, now: Timestamp::MAX };
        plan(&list_sql("rowid", &filter(&query, &NATIVE, &DIALECT).unwrap()))
    }

    /// Each batch begins at its place, without sorting, and users are looked up for the sessions that SQL leaves.
    #[test]
    fn list_reads_sessions_in_order_from_its_place() {
        let user = "SEARCH user USING INDEX sqlite_autoindex_user_1 (id=?)";
        assert_eq!(plan_of(None, None), ["SCAN session", user]);
        assert_eq!(plan_of(None, Some("7")), ["SEARCH session USING INTEGER PRIMARY KEY (rowid<?)", user]);
        let of_user = "SEARCH session USING INDEX session_userId_idx (userId=?)";
        assert_eq!(plan_of(Some("ada"), None), [user, of_user]);
        assert_eq!(plan_of(Some("ada"), Some("7")), [user, &of_user.replace("=?)", "=? AND rowid<?)")]);
    }
}
