//! Pages of users. The statement is put together from fixed parts, so that each order has its index;
//! what the user typed is only ever a parameter.

use super::rows;
use super::tx::{Dialect, Tx, Value};
use crate::auth::storage::{PAGE_MAX, StoreError, UserPage, UserQuery, UserSort};
use crate::store::mapping::SchemaMapping;

/// Conditions, and the values of their parameters in order.
#[derive(Default)]
struct Filter {
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Filter {
    /// Adds a condition; `?` in it stands for the value.
    fn add(&mut self, condition: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.conditions.push(condition.replace('?', &format!("?{}", self.values.len())));
    }

    fn text(&self) -> String {
        // Never without one: see `limits::count`.
        if self.conditions.is_empty() {
            "WHERE TRUE".to_owned()
        } else {
            format!("WHERE {}", self.conditions.join(" AND "))
        }
    }
}

pub(in crate::store) fn users(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    query: &UserQuery,
) -> Result<UserPage, StoreError> {
    let mut filter = filter(query, mapping, tx.dialect());
    let count = format!(r#"SELECT count(*) FROM "user" {}"#, filter.text());
    let total = tx.count(&mapping.sql(count), &filter.values)?;
    let column = match query.sort {
        UserSort::Email => "email",
        UserSort::Name => "name",
        UserSort::Created => "createdAt",
    };
    if let Some(id) = &query.after {
        let sql = format!(r#"SELECT "{column}" FROM "user" WHERE "id" = ?1"#);
        let Some(value) = tx.query_one(&mapping.sql(sql), &[id.into()], |row| Ok(row.value(0)?.to_value()))? else {
            // Whoever was last on the page before is gone, and with them the place to go on from.
            return Err(StoreError::NoSuchPlace);
        };
        let (first, second) = (filter.values.len() + 1, filter.values.len() + 2);
        filter.values.extend([value, Value::Text(id.clone())]);
        filter.conditions.push(beyond(column, first, second));
    }
    let limit = query.limit.clamp(1, PAGE_MAX);
    let sql = page(column, &filter, limit);
    let mut users = tx.query_all(&mapping.sql(sql), &filter.values, |row| rows::user(row, 0, mapping))?;
    let more = users.len() > limit as usize;
    users.truncate(limit as usize);
    let next = users.last().filter(|_| more).map(|user| user.id.clone());
    Ok(UserPage { users, total, next })
}

/// The condition that a user comes after another one, given by two parameters.
fn beyond(column: &str, first: usize, second: usize) -> String {
    format!(r#"("{column}", "id") > (?{first}, ?{second})"#)
}

/// The statement of a page. One row more than asked for tells whether there is another page.
fn page(column: &str, filter: &Filter, limit: u32) -> String {
    format!(r#"SELECT {} FROM "user" {} ORDER BY "{column}", "id" LIMIT {}"#, rows::USER, filter.text(), limit + 1)
}

fn filter(query: &UserQuery, mapping: &SchemaMapping, dialect: &Dialect) -> Filter {
    let mut filter = Filter::default();
    let position = dialect.position;
    if let Some(search) = &query.search {
        // SQLite's `lower` knows ASCII letters, which is all that an address has.
        // Each column alone: a search must not find the end of one and the beginning of the other.
        // One that is too large to be read is not searched either.
        let found = ["email", "name"].map(|column| {
            let text = format!(r#"CASE WHEN octet_length("{column}") <= 100000 THEN "{column}" END"#);
            format!("{position}(lower({text}), lower(?)) > 0")
        });
        filter.add(&format!("({})", found.join(" OR ")), search.clone());
    }
    if let Some(role) = &query.role {
        // Roles are separated by commas, with or without a space; nobody's role is `user`. No role has a line end.
        let roles = r#"replace(coalesce(CASE WHEN octet_length("role") > 100000 THEN '(large)' ELSE "role" END, 'user'), ' ', '')"#;
        filter.add(&format!("{position}(',' || {roles} || ',', ?) > 0"), format!(",{},", role.replace(',', "\n")));
    }
    if let Some(now) = query.banned_at {
        filter.add(r#""banned" = ?"#, SchemaMapping::truth(true));
        filter.add(r#"("banExpires" IS NULL OR "banExpires" > ?)"#, mapping.time(now));
    }
    if query.unverified {
        filter.add(r#""emailVerified" = ?"#, SchemaMapping::truth(false));
    }
    filter
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// What SQLite would do for a page without and with a place to begin after.
    fn plans(column: &str) -> Vec<String> {
        let connection = Connection::open_in_memory().unwrap();
        for (_, sql) in crate::store::sqlite::MIGRATIONS {
            connection.execute_batch(sql).unwrap();
        }
        let from_start = Filter::default();
        let from_there = Filter { conditions: vec![beyond(column, 1, 2)], ..Filter::default() };
        [from_start, from_there]
            .iter()
            .flat_map(|filter| {
                let sql = format!("EXPLAIN QUERY PLAN {}", page(column, filter, 50));
                let mut explained = connection.prepare(&sql).unwrap();
                explained.raw_query().mapped(|row| row.get(3)).collect::<Result<Vec<String>, _>>().unwrap()
            })
            .collect()
    }

    #[test]
    fn each_order_of_pages_walks_its_index_and_sorts_nothing_but_ties() {
        for column in ["email", "name", "createdAt"] {
            let plans = plans(column);
            assert!(plans.iter().all(|step| !step.contains("USE TEMP B-TREE FOR ORDER BY")), "{column}: {plans:?}");
            assert!(plans.iter().any(|step| step.starts_with("SCAN user USING INDEX")), "{column}: {plans:?}");
            assert!(plans.iter().any(|step| step.starts_with("SEARCH user USING INDEX")), "{column}: {plans:?}");
        }
    }
}
