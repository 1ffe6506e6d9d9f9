//! The transactions that change the schema.

use std::time::Duration;

use super::{Postgres, PostgresTx, WRITING};

/// How much longer than other answers that to a change of the schema may take, which may make an index of many rows.
const INDEX_MAX: Duration = Duration::from_mins(10);

impl Postgres {
    /// A transaction for changes of the schema.
    pub(in crate::store::postgres) fn migration(&self) -> PostgresTx<'_> {
        self.transaction(Some(WRITING))
    }
}

impl PostgresTx<'_> {
    /// Waits longer for answers from here on, because the schema has rows. A server that says nothing while a new schema is
    /// made is given up as in any act.
    pub(in crate::store::postgres) fn wait_for_indexes(&mut self) {
        self.limit += INDEX_MAX;
    }
}
