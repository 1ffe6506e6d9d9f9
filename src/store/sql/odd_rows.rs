//! Rows of users and sessions with values that cannot be read.

use super::doctor::each_user;
use super::read;
use crate::auth::odd::{OddColumn, OddPlace, OddRows, OddValue};
use crate::auth::storage::StoreError;
use crate::store::engine::{Tx, ValueRef};
use crate::store::mapping::{Holds, NAMED, SchemaMapping, TABLES, TimeEncoding, files_with_unit};

/// The odd values of a column.
struct Odd {
    table: &'static str,
    column: &'static str,
    values: u64,
    nulls: u64,
    /// The first of them, each with its number among those of all columns.
    first: Vec<(u64, OddPlace)>,
    /// What is wrong with the first one that is not null.
    problem: Option<String>,
}

/// Counts the users and sessions with values that cannot be read, and lists the first `limit` of the values. A column of
/// times in which several rows have no other is listed once.
pub(super) fn find(tx: &mut dyn Tx, mapping: &SchemaMapping, limit: usize) -> Result<OddRows, StoreError> {
    let (mut found, mut columns) = (OddRows::default(), Vec::new());
    let mut take = |table, row: &str, odd: Vec<OddValue>| {
        found.rows += u64::from(!odd.is_empty());
        for value in odd {
            found.values += 1;
            add(&mut columns, mapping, found.values, (table, row, value), limit);
        }
    };
    each_user(tx, mapping, &mut |user| take("user", if user.has_id() { &user.id } else { &user.email }, user.odd))?;
    let sql = format!(r#"SELECT {} FROM "session" WHERE TRUE"#, read::SESSION);
    tx.each(&mapping.sql(sql), &[], |row| {
        let session = read::session(row, 0, mapping)?;
        let name = if session.has_id() { session.id } else { format!("{} of user {}", session.id, session.user_id) };
        take("session", &name, session.odd);
        Ok(())
    })?;
    let mut first = Vec::new();
    for odd in columns {
        match whole_column(tx, mapping, &odd)? {
            Some(column) => {
                found.values -= odd.values;
                found.columns.push(column);
            }
            None => first.extend(odd.first),
        }
    }
    first.sort_by_key(|(number, _)| *number);
    found.first = first.into_iter().take(limit).map(|(_, place)| place).collect();
    Ok(found)
}

fn add(
    columns: &mut Vec<Odd>,
    mapping: &SchemaMapping,
    number: u64,
    (table, row, value): (&'static str, &str, OddValue),
    limit: usize,
) {
    let column = value.column;
    let known = columns.iter().position(|odd| odd.table == table && odd.column == column);
    let known = known.unwrap_or_else(|| {
        columns.push(Odd { table, column, values: 0, nulls: 0, first: Vec::new(), problem: None });
        columns.len() - 1
    });
    let odd = &mut columns[known];
    odd.values += 1;
    if value.problem == "is null" {
        odd.nulls += 1;
    } else if odd.problem.is_none() {
        odd.problem = Some(value.problem.clone());
    }
    if odd.first.len() < limit {
        let place = mapping.place(table, column);
        odd.first.push((number, OddPlace { table, place, row: row.to_owned(), value }));
    }
}

/// Describes a column of times in which no row has a value that can be read; `None` for another one, or if a single row
/// has a value.
fn whole_column(tx: &mut dyn Tx, mapping: &SchemaMapping, odd: &Odd) -> Result<Option<OddColumn>, StoreError> {
    let Odd { table, column, values, nulls, .. } = *odd;
    let schema = TABLES.iter().find(|known| known.name == table).and_then(|known| known.column(column));
    if values < 2 || !schema.is_some_and(|column| column.holds == Holds::Time) {
        return Ok(None);
    }
    let mut fitting: Vec<TimeEncoding> = if mapping.is_guest() { NAMED.to_vec() } else { Vec::new() };
    let mut present = 0;
    let sql = format!(r#"SELECT "{column}" FROM "{table}" WHERE TRUE"#);
    tx.each(&mapping.sql(sql), &[], |row| {
        let value = row.value(0)?;
        if value != ValueRef::Null {
            present += 1;
            fitting.retain(|encoding| encoding.read(value).is_some());
        }
        Ok(())
    })?;
    let is_whole = present == values - nulls;
    let files = (present > 0 && !fitting.is_empty()).then(|| files_with_unit(table, column, &fitting));
    let (place, problem) = (mapping.place(table, column), odd.problem.clone().unwrap_or_else(|| "is null".to_owned()));
    Ok(is_whole.then_some(OddColumn { place, rows: values, problem, files }))
}
