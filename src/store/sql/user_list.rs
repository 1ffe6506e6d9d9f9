//! Lists of users, by pages.

use super::filter::Filter;
use super::{read, rows, search};
use crate::auth::storage::{PAGE_MAX, SortKey, StoreError, UserPage, UserPlace, UserQuery, UserSort};
use crate::store::engine::{Dialect, Tx, Value};
use crate::store::mapping::{SchemaMapping, identifier, is_false, is_true};

pub(super) fn page(tx: &mut dyn Tx, mapping: &SchemaMapping, query: &UserQuery) -> Result<UserPage, StoreError> {
    let dialect = tx.dialect();
    let mut filter = filter(query, mapping, dialect);
    let is_narrow = match &query.search {
        Some(search) => search::narrow(tx, mapping, &mut filter, search, SORTED_MAX)?,
        None => false,
    };
    let limit = query.limit.clamp(1, PAGE_MAX);
    let total = query.count.then(|| count(tx, mapping, &filter, None)).transpose()?;
    let column = match query.sort {
        UserSort::Email => r#""email""#,
        UserSort::Name => r#""name""#,
        UserSort::Created => r#""createdAt""#,
    };
    let is_sorted =
        is_narrow || !filter.conditions.is_empty() && count(tx, mapping, &filter, Some(SORTED_MAX))? < SORTED_MAX;
    let column = if is_sorted { [dialect.unindexed, column].concat() } else { column.to_owned() };
    let column = column.as_str();
    if let Some(UserPlace { id, key }) = &query.after {
        let value = match key {
            Some(SortKey::Null) => Value::Null,
            Some(SortKey::Integer(number)) => (*number).into(),
            Some(SortKey::Text(text)) => text.as_str().into(),
            // Without the user, nothing tells where the page begins.
            None => sort_value(tx, mapping, column, id)?.ok_or(StoreError::NoSuchPlace("user"))?,
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
    let mut users = tx.query_all(&mapping.sql(sql), &filter.values, |row| read::user(row, 0, mapping))?;
    let more = users.len() > limit as usize;
    users.truncate(limit as usize);
    let mut next = users.last().filter(|_| more).map(|user| UserPlace::from(&user.id));
    if let Some(place) = next.as_mut().filter(|_| query.keeps_place) {
        place.key = sort_value(tx, mapping, column, &place.id)?.and_then(sort_key);
    }
    let is_whole = query.after.is_none() && next.is_none();
    let total = total.or_else(|| is_whole.then_some(users.len() as u64));
    Ok(UserPage { users, total, next })
}

/// What a user has in a column.
fn sort_value(tx: &mut dyn Tx, mapping: &SchemaMapping, column: &str, id: &str) -> Result<Option<Value>, StoreError> {
    let sql = format!(r#"SELECT {column} FROM "user" WHERE "id" = ?1"#);
    tx.query_one(&mapping.sql(sql), &[mapping.key("user", id)], |row| Ok(row.value(0)?.to_value()))
}

/// A value that can be compared outside of its row.
fn sort_key(value: Value) -> Option<SortKey> {
    match value {
        Value::Null => Some(SortKey::Null),
        Value::Integer(number) => Some(SortKey::Integer(number)),
        Value::Text(text) => Some(SortKey::Text(text)),
        Value::Real(_) | Value::Blob(_) => None,
    }
}

/// The texts of the column of roles, each with the number of its users. Those without a text have the default role.
pub(super) fn roles(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Vec<(String, u64)>, StoreError> {
    // A native database has an index of all roles but the default one, which nearly all users have.
    let sql = r#"SELECT CASE WHEN octet_length("role") <= 100000 THEN "role" END, count(*) FROM "user" WHERE "role" <> 'user' GROUP BY "role""#;
    let of_others = tx.query_all(&mapping.sql(sql), &[], |row| {
        Ok((row.value(0)?.as_text().map(str::to_owned), row.value(1)?.to_value()))
    })?;
    let all = rows::count(tx, mapping, "user")?;
    let mut roles = Vec::new();
    let mut left = all;
    for (role, users) in of_others {
        let (Some(role), Value::Integer(users)) = (role, users) else { continue };
        let users = users.unsigned_abs();
        left = left.saturating_sub(users);
        roles.push((role, users));
    }
    roles.push(("user".to_owned(), left));
    Ok(roles)
}

/// The number of users up to which a list is sorted. To find a few users along an index reads every row of the table in
/// the order of the index, which takes ten times as long as to read the table in its own order.
const SORTED_MAX: u64 = 5000;

/// Counts the users of a list, up to a limit.
fn count(tx: &mut dyn Tx, mapping: &SchemaMapping, filter: &Filter, limit: Option<u64>) -> Result<u64, StoreError> {
    let sql = count_sql(filter, limit);
    tx.count(&mapping.sql(sql), &filter.values)
}

fn count_sql(filter: &Filter, limit: Option<u64>) -> String {
    match limit {
        None => format!(r#"SELECT count(*) FROM "user" {}"#, filter.text()),
        Some(limit) => {
            format!(r#"SELECT count(*) FROM (SELECT 1 FROM "user" {} LIMIT {limit}) AS "found""#, filter.text())
        }
    }
}

/// The condition for users after the one whose values are two parameters.
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
    format!(r#"SELECT {} FROM "user" {} ORDER BY {column}, "id" LIMIT {}"#, read::USER, filter.text(), limit + 1)
}

fn filter(query: &UserQuery, mapping: &SchemaMapping, dialect: &Dialect) -> Filter {
    let mut filter = Filter::default();
    let Dialect { position, like, searched, truths: [no, _], .. } = dialect;
    if let Some(search) = &query.search {
        // Addresses have only ASCII letters, which SQLite's `lower` converts and `LIKE` does not tell apart. Each column
        // is searched alone, so that a match never spans two.
        let is_pattern = search.len() <= PATTERN_MAX;
        let found = ["email", "name"].map(|column| {
            let text = searched(&identifier(column));
            if is_pattern {
                format!(r"{text} {like} ? ESCAPE '\'")
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
        if !mapping.is_guest() && role != "user" {
            // Holds for every such user, and chooses the index.
            filter.conditions.push(r#""role" <> 'user'"#.to_owned());
        }
    }
    if let Some(now) = query.banned_at {
        // A value that cannot be read counts as a ban.
        filter.conditions.push(format!("NOT {}", is_false("banned", mapping.is_guest(), dialect)));
        if !mapping.is_guest() {
            filter.conditions.push(format!(r#""banned" <> {no}"#));
        }
        filter.add(r#"("banExpires" IS NULL OR "banExpires" > ?)"#, mapping.time("user", "banExpires", now));
    }
    if query.unverified {
        filter.conditions.push(format!("NOT {}", is_true("emailVerified", mapping.is_guest(), dialect)));
    }
    if query.without_factor {
        // A value that cannot be read counts as a factor.
        filter.conditions.push(is_false("twoFactorEnabled", mapping.is_guest(), dialect));
    }
    filter
}

/// The longest search by a pattern, in bytes. SQLite refuses patterns of more than 50,000, and each byte may need an
/// escape.
pub(super) const PATTERN_MAX: usize = 20_000;

/// The pattern of texts that contain `search`. `LIKE` ignores the case of ASCII letters, and addresses have no others.
pub(super) fn pattern(search: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::mapping::NATIVE;
    use crate::store::sqlite::{DIALECT, plan};
    use jiff::Timestamp;

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

    #[test]
    fn users_with_a_role_or_a_ban_are_found_by_their_index() {
        let with_role = UserQuery { role: Some("admin".into()), ..UserQuery::default() };
        let banned = UserQuery { banned_at: Some(Timestamp::UNIX_EPOCH), ..UserQuery::default() };
        for (query, index) in [(with_role, "user_role_idx"), (banned, "user_banned_idx")] {
            let filter = filter(&query, &NATIVE, &DIALECT);
            for sql in
                [count_sql(&filter, None), count_sql(&filter, Some(SORTED_MAX)), page_sql(r#"+"email""#, &filter, 50)]
            {
                let plan = plan(&sql);
                assert!(plan.iter().any(|step| step.contains(index)), "{sql}: {plan:?}");
            }
        }
    }
}
