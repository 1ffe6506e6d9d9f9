//! Many new rows, by `COPY`: the server takes them at two thirds of the cost of `INSERT`.

use std::pin::pin;

use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::SinkExt as _;
use tokio_postgres::CopyInSink;

use super::ROWS_PER_STATEMENT;
use super::tx::{PostgresTx, TAKE_BACK};
use crate::auth::storage::StoreError;
use crate::store::engine::{NewRows, Tx, Value, insert_by_statements};
use crate::store::postgres::statement::Parameter;

/// How many bytes of rows are sent together.
const SENT: usize = 64 * 1024;

impl PostgresTx<'_> {
    /// Adds rows. More than one statement takes are copied to a table that authctl made.
    pub(super) fn insert_or_copy(&mut self, target: &str, rows: &mut NewRows<'_>) -> Result<u64, StoreError> {
        if self.app.is_some() {
            return insert_by_statements(self, target, rows);
        }
        let first = rows.take(ROWS_PER_STATEMENT).collect::<Result<Vec<_>, _>>()?;
        let is_many = first.len() == ROWS_PER_STATEMENT;
        let statement = if is_many { self.copy_statement(target)? } else { None };
        let rows = &mut first.into_iter().map(Ok).chain(rows);
        match statement {
            Some(statement) => self.copy(target, &statement, rows),
            None => insert_by_statements(self, target, rows),
        }
    }

    /// Prepares the statement; `None` if that fails. The driver copies only by a statement with a name, which behind a pooler
    /// another process may have used in the same session.
    fn copy_statement(&mut self, target: &str) -> Result<Option<tokio_postgres::Statement>, StoreError> {
        let sql = format!("COPY {target} FROM STDIN");
        self.batch("SAVEPOINT copy")?;
        let prepared = self.wait_for(async |driver| driver.prepare(&sql).await);
        match prepared {
            Ok(statement) => self.batch("RELEASE SAVEPOINT copy").map(|()| Some(statement)),
            Err(error @ (StoreError::Conflict | StoreError::Disconnected(_) | StoreError::Unanswered(_))) => Err(error),
            Err(_) => {
                self.execute(&format!("{TAKE_BACK} copy"), &[])?;
                Ok(None)
            }
        }
    }

    fn copy(
        &mut self,
        target: &str,
        statement: &tokio_postgres::Statement,
        rows: &mut NewRows<'_>,
    ) -> Result<u64, StoreError> {
        self.forget_written(&format!("INSERT INTO {target}"));
        let copied = self.exchange(async |exchange| {
            let sink: CopyInSink<Bytes> = exchange.within(exchange.driver.copy_in(statement)).await?;
            let mut sink = pin!(sink);
            let mut lines = BytesMut::with_capacity(2 * SENT);
            for row in rows {
                // Without the end the server takes nothing.
                if let Err(error) = row.and_then(|row| write_line(&row, &mut lines)) {
                    return Ok(Err(error));
                }
                if lines.len() >= SENT {
                    exchange.within(sink.send(lines.split().freeze())).await?;
                }
            }
            exchange.within(sink.send(lines.freeze())).await?;
            exchange.within(sink.as_mut().finish()).await.map(Ok)
        })?;
        self.has_failed |= copied.is_err();
        copied
    }
}

/// Writes a row as the text format of `COPY` spells it.
fn write_line(row: &[Value], lines: &mut BytesMut) -> Result<(), StoreError> {
    for (place, value) in row.iter().enumerate() {
        if place > 0 {
            lines.put_u8(b'\t');
        }
        let value = Parameter::new(value)?;
        let Some(text) = value.text() else {
            lines.put_slice(br"\N");
            continue;
        };
        for byte in text.bytes() {
            match byte {
                b'\\' => lines.put_slice(br"\\"),
                b'\t' => lines.put_slice(br"\t"),
                b'\n' => lines.put_slice(br"\n"),
                b'\r' => lines.put_slice(br"\r"),
                byte => lines.put_u8(byte),
            }
        }
    }
    lines.put_u8(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_has_no_separator_within_a_value() {
        let mut lines = BytesMut::new();
        let row = ["a\tb\\N\r\n".into(), Value::Null, Value::Integer(-5), "".into(), Value::Blob(vec![1, 255])];
        write_line(&row, &mut lines).unwrap();
        assert_eq!(std::str::from_utf8(&lines).unwrap(), "a\\tb\\\\N\\r\\n\t\\N\t-5\t\t\\\\x01ff\n");
        assert!(write_line(&["a\0".into()], &mut lines).is_err());
    }
}
