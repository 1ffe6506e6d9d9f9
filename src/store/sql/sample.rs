//! Reads the values of columns that show their encodings: a sample when a database is opened, which costs the same in
//! every database, and all before a column is written whose sample does not decide.

use crate::auth::storage::StoreError;
use crate::store::engine::{Row, Tx};
use crate::store::mapping::Observed;

/// The number of rows of a sample. A table with fewer is read as a whole.
const SAMPLE: i64 = 100;

/// The number of rows of a sample that must be different ones, or else they do not stand for all.
const SPREAD_MIN: i64 = 90;

/// A table and columns of it, quoted for SQL.
pub(in crate::store) struct Source<'s> {
    pub(in crate::store) table: &'s str,
    pub(in crate::store) columns: &'s [String],
    /// The column by which rows are ordered.
    pub(in crate::store) order: &'s str,
}

/// Shows columns the rows of a sample: rows at even distances, in the order of their insertion where the table has it. A
/// column is settled if they stand for all rows and agree.
pub(in crate::store) fn sample(
    tx: &mut dyn Tx,
    source: &Source<'_>,
    observed: &mut [&mut dyn Observed],
) -> Result<(), StoreError> {
    let has_all = rows_from(tx, source, "ASC", observed)? <= SAMPLE;
    let is_spread = !has_all && source.order == tx.dialect().insertion && spread_rows(tx, source, observed)?;
    if !has_all && !is_spread {
        forget(observed);
        rows_from(tx, source, "ASC", observed)?;
        rows_from(tx, source, "DESC", observed)?;
    }
    for column in observed {
        column.place().is_settled = has_all || is_spread && column.is_unanimous();
    }
    Ok(())
}

/// Shows columns all rows, which a statement selects, and settles them.
pub(in crate::store) fn count(
    tx: &mut dyn Tx,
    sql: &str,
    observed: &mut [&mut dyn Observed],
) -> Result<(), StoreError> {
    forget(observed);
    tx.each(sql, &[], |row| show(row, 0, observed))?;
    for column in observed {
        column.place().is_settled = true;
    }
    Ok(())
}

/// Shows columns the rows at one end of the table, one more than a sample has; returns how many there are.
fn rows_from(
    tx: &mut dyn Tx,
    source: &Source<'_>,
    direction: &str,
    observed: &mut [&mut dyn Observed],
) -> Result<i64, StoreError> {
    let Source { table, columns, order } = source;
    let columns = columns.join(", ");
    let sql = format!("SELECT {columns} FROM {table} ORDER BY {order} {direction} LIMIT {}", SAMPLE + 1);
    let mut rows = 0;
    tx.each(&sql, &[], |row| {
        rows += 1;
        show(row, 0, observed)
    })?;
    Ok(rows)
}

/// Shows columns rows at even distances between the first one and the last; returns whether these are different rows.
fn spread_rows(tx: &mut dyn Tx, source: &Source<'_>, observed: &mut [&mut dyn Observed]) -> Result<bool, StoreError> {
    let Source { table, columns, order } = source;
    forget(observed);
    let mut end = |direction: &str| {
        let sql = format!("SELECT {order} FROM {table} ORDER BY {order} {direction} LIMIT 1");
        Ok::<_, StoreError>(tx.query_one(&sql, &[], |row| row.integer(0))?.unwrap_or(0))
    };
    let (first, last) = (end("ASC")?, end("DESC")?);
    let distance = i64::try_from((i128::from(last) - i128::from(first)) / i128::from(SAMPLE)).unwrap_or(0);
    let columns: Vec<String> = columns.iter().map(|column| format!("found.{column}")).collect();
    let sql = format!(
        "WITH RECURSIVE step(place, number) AS (SELECT ?1, 1 UNION ALL SELECT place + ?2, number + 1 FROM step WHERE number < ?3)
         SELECT found.{order}, {} FROM step CROSS JOIN {table} AS found
         WHERE found.{order} = (SELECT min({order}) FROM {table} WHERE {order} >= step.place)",
        columns.join(", ")
    );
    let (mut before, mut different) = (None, 0);
    tx.each(&sql, &[first.into(), distance.into(), SAMPLE.into()], |row| {
        let place = row.integer(0)?;
        if before.replace(place) == Some(place) {
            return Ok(());
        }
        different += 1;
        show(row, 1, observed)
    })?;
    Ok(different >= SPREAD_MIN)
}

fn forget(observed: &mut [&mut dyn Observed]) {
    for column in observed {
        column.forget();
    }
}

/// Shows columns their values, which begin at an index of a row.
fn show(row: &Row<'_>, first: usize, observed: &mut [&mut dyn Observed]) -> Result<(), StoreError> {
    for (index, column) in observed.iter_mut().enumerate() {
        column.add(row.value(first + index)?);
    }
    Ok(())
}
