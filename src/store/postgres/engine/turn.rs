//! The transactions that write to an app's database: one authctl after the other.

use super::{ANSWER_MAX, Postgres, PostgresTx, SCHEMA, UNSYNCED};
use crate::auth::storage::StoreError;
use crate::store::engine::{Tx, Value};
use crate::store::mapping::identifier;
use crate::store::sql::retrying;

/// The first half of the key of the advisory lock, beside the number of the schema: `actl` in ASCII.
const WRITER: u32 = 0x6163_746c;

/// Takes the advisory lock of the writers to a schema until the end of the transaction, if it is free.
const TRY_LOCK: &str = "SELECT pg_catalog.pg_try_advisory_xact_lock(?1, n.oid::int)
    FROM pg_catalog.pg_namespace AS n WHERE n.nspname = ?2";

/// Begins a transaction that ends with a conflict where another one would have changed what it has read.
const SERIALIZABLE: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";

impl Postgres {
    /// Begins a transaction that writes to an app's database when no other authctl is in one.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another one still is after the wait.
    pub(super) fn begin_in_turn(&self, is_synced: bool) -> Result<PostgresTx<'_>, StoreError> {
        if self.app.as_ref().is_some_and(|app| app.has_state) {
            return Ok(self.begin_at_head(is_synced));
        }
        let mut has_waited = false;
        let begun = retrying(self.wait, || {
            // To ask costs a part of what it costs to begin.
            if std::mem::replace(&mut has_waited, true) && !self.is_free()? {
                return Err(StoreError::Conflict);
            }
            self.begin_in_app()
        });
        begun.map_err(|error| if matches!(error, StoreError::Conflict) { StoreError::Busy } else { error })
    }

    /// Whether no other authctl writes to the app's database.
    fn is_free(&self) -> Result<bool, StoreError> {
        let mut tx = PostgresTx::new(self, None, self.wait + ANSWER_MAX);
        let of_schema = [WRITER.into(), Value::from(&self.schema)];
        let is_free = (&mut tx as &mut dyn Tx).query_one(TRY_LOCK, &of_schema, |row| row.truth(0));
        // The statement was a transaction of its own.
        tx.is_open = false;
        is_free.map(|is_free| is_free == Some(true))
    }

    /// Begins a transaction that writes to an app's database, unless another authctl is in one.
    ///
    /// The rules read and then write, and nothing of authctl's is there to lock. So the transaction is serializable: what
    /// another authctl has read or written in the meantime, on whatever machine, and any row that the app has changed, end
    /// it with a conflict, and the act runs again. That alone is right, also on servers whose advisory locks do nothing.
    ///
    /// Acts at the same moment would end in conflicts and run again, many only at the commit, when the log has the intention:
    /// each try would leave entries. The advisory lock keeps one act apart from the next. It is not waited for: a transaction
    /// sees the database as it was before its first statement, and after a wait that would be too old. READ COMMITTED would
    /// see more, and miss a row that the app changes between the reading and the writing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another authctl writes.
    fn begin_in_app(&self) -> Result<PostgresTx<'_>, StoreError> {
        let mut tx = self.writer(self.writing(SERIALIZABLE).into());
        let of_schema = [WRITER.into(), Value::from(&self.schema)];
        let is_free = (&mut tx as &mut dyn Tx).query_one(TRY_LOCK, &of_schema, |row| row.truth(0))?;
        if is_free == Some(true) { Ok(tx) } else { Err(StoreError::Conflict) }
    }

    /// Begins a transaction that writes to an app's database with authctl's own tables in it.
    ///
    /// The head of the audit log keeps one act apart from the next, as in a native database, so that no advisory lock is
    /// needed, and the act and its entries are one transaction. The table of the head is locked, and not its row: of all
    /// statements that wait, this one alone waits before the transaction sees the database. After a wait for the row, the
    /// transaction would see the log as it was before the act that it has waited for. Who locks the row waits for the table
    /// too. The transaction is serializable for the app's sake: any row that the app has changed ends it with a conflict, and
    /// the act runs again.
    fn begin_at_head(&self, is_synced: bool) -> PostgresTx<'_> {
        let begin = format!(
            "{SERIALIZABLE}; {synced} SET LOCAL lock_timeout = {wait}; LOCK TABLE {head} IN EXCLUSIVE MODE",
            synced = if is_synced { "" } else { UNSYNCED },
            wait = self.lock_timeout(),
            head = [SCHEMA, "authctl_head"].map(identifier).join("."),
        );
        // What else is set comes after the lock, because a setting may be read from the database.
        self.writer(self.writing(&begin).into())
    }
}
