//! The database as a whole, each fact in one act.

use jiff::Timestamp;

use super::engine_error::Engine as _;
use super::{Sqlite, info};
use crate::auth::audit::{Entry, Event, counted};
use crate::auth::policy::{Key, Policy, PolicyError};
use crate::auth::storage::{DatabaseInfo, GuestSchema, LooseEnds, Maintenance, PolicySet, StoreError};
use crate::store::sql::{audit, policy, sessions};

impl Maintenance for Sqlite {
    fn each_entry(&mut self, after: u64, found: &mut dyn FnMut(Entry) -> bool) -> Result<(), StoreError> {
        audit::each(&mut self.own_reader(), after, found)
    }

    fn policy(&mut self) -> Result<Policy, StoreError> {
        policy::read(&mut self.own_reader())
    }

    fn set_policy(
        &mut self,
        key: &Key,
        value: Option<&str>,
        now: Timestamp,
    ) -> Result<Result<PolicySet, PolicyError>, StoreError> {
        self.act_aside(|tx, _, log| policy::write(tx, log, key, value, now))
    }

    fn count_expired(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        sessions::count_prunable(
            &mut self.reader(),
            &self.mapping,
            now,
            audit::shows_sane_clock(&mut self.own_reader(), now)?,
        )
    }

    fn prune(&mut self, now: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let is_clock_sane = audit::shows_sane_clock(&mut self.own_reader(), now)?;
        let pruned = self.act(|tx, mapping, log| {
            let pruned = sessions::delete_over(tx, mapping, now, limit, is_clock_sane)?;
            if pruned > 0 {
                let detail = counted(pruned, "expired session");
                log.push(Event::new("sessions.pruned").with(detail));
            }
            Ok(pruned)
        })?;
        // Between two batches the log is folded into the file as far as no reader needs it, so that
        // a long prune does not grow it without end. A passive checkpoint makes nobody wait.
        if self.app.is_none() {
            self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).engine()?;
        }
        Ok(pruned)
    }

    fn take_loose_ends(&mut self) -> LooseEnds {
        std::mem::take(&mut self.loose_ends)
    }

    fn app(&self) -> Option<&GuestSchema> {
        self.app.as_ref()
    }

    fn info(&mut self, now: Timestamp) -> Result<DatabaseInfo, StoreError> {
        info::take(&self.connection, &self.mapping, &self.path, self.app.as_ref(), now)
    }
}
