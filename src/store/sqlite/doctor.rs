//! What a doctor asks of a database, each mending in one act.

use jiff::Timestamp;
use rusqlite::TransactionBehavior;

use super::tx::SqliteTx;
use super::{Sqlite, connect, integrity};
use crate::auth::audit::{Changes, Entry, Event, counted};
use crate::auth::storage::{
    Credential, DoctorStore, Orphans, SchemaDifference, StoreError, StrayAccounts, WrittenAfter,
};
use crate::auth::user::User;
use crate::store::sql::events::interrupted_of;
use crate::store::sql::{audit, codes, doctor, policy};
use crate::store::sqlite::engine_error::Engine as _;

/// An event about the database and not one user.
fn done(name: &'static str, detail: String) -> Event {
    Event::new(name).with(detail)
}

impl DoctorStore for Sqlite {
    fn damage(&mut self) -> Result<Vec<String>, StoreError> {
        let mut damage = integrity::damage(&self.connection)?;
        if let Some(aside) = &self.aside {
            let own = integrity::damage(&aside.connection)?;
            damage
                .extend(own.into_iter().map(|line| format!("in authctl's own file {}: {line}", aside.path.display())));
        }
        Ok(damage)
    }

    fn schema_differences(&mut self) -> Result<Vec<SchemaDifference>, StoreError> {
        if self.app.is_some() {
            // The app migrates its schema; `db status` shows the part that authctl uses.
            return Ok(Vec::new());
        }
        let version = connect::schema_version(&self.connection).engine()?;
        integrity::differences(&self.connection, version)
    }

    fn orphans(&mut self) -> Result<Orphans, StoreError> {
        doctor::count_orphans(&mut self.reader(), &self.mapping)
    }

    fn delete_orphans(&mut self) -> Result<Orphans, StoreError> {
        self.act(|tx, mapping, log| {
            let gone = doctor::delete_orphans(tx, mapping)?;
            if gone.count() > 0 {
                let Orphans { sessions, accounts, codes } = gone;
                let detail = [(sessions, "session"), (accounts, "account"), (codes, "code")]
                    .map(|(count, noun)| counted(count, noun));
                let detail = format!("{} of no user", detail.join(", "));
                log.push(done("orphans.deleted", detail));
            }
            Ok(gone)
        })
    }

    fn nonsense(&mut self) -> Result<(u64, Option<StoreError>), StoreError> {
        doctor::nonsense(&mut self.reader(), &self.mapping)
    }

    fn each_user(&mut self, found: &mut dyn FnMut(User)) -> Result<(), StoreError> {
        doctor::each_user(&mut self.reader(), &self.mapping, found)
    }

    fn each_credential(&mut self, found: &mut dyn FnMut(Credential)) -> Result<(), StoreError> {
        doctor::each_credential(&mut self.reader(), &self.mapping, found)
    }

    fn stray_accounts(&mut self) -> Result<StrayAccounts, StoreError> {
        doctor::stray_accounts(&mut self.reader(), &self.mapping)
    }

    fn correct_stray_accounts(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        self.act(|tx, mapping, log| doctor::correct_stray_accounts(tx, mapping, log, now))
    }

    fn twins(&mut self) -> Result<Vec<String>, StoreError> {
        doctor::twins(&mut self.reader(), &self.mapping)
    }

    fn lower_addresses(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        self.act(|tx, mapping, log| doctor::lower_addresses(tx, mapping, log, now))
    }

    fn interrupted(&mut self) -> Result<Option<Entry>, StoreError> {
        let Some(aside) = &mut self.aside else { return Ok(None) };
        if audit::interrupted(&mut SqliteTx::new(&aside.connection))?.is_none() {
            return Ok(None);
        }
        // It may be of a process that is just committing: that one holds the lock until its end is there.
        let locked = aside.connection.transaction_with_behavior(TransactionBehavior::Immediate).engine()?;
        audit::interrupted(&mut SqliteTx::new(&locked))
    }

    fn close_interrupted(&mut self) -> Result<u64, StoreError> {
        let Some(aside) = &mut self.aside else { return Ok(0) };
        // As long as this is held, nobody is between the two.
        let _app = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).engine()?;
        aside.act(|tx, _, log| {
            let interrupted = audit::interrupted(tx)?;
            log.extend(interrupted.as_ref().map(interrupted_of));
            Ok(u64::from(interrupted.is_some()))
        })
    }

    fn written_after(&mut self, instant: Timestamp) -> Result<WrittenAfter, StoreError> {
        doctor::written_after(&mut self.reader(), &mut self.own_reader(), &self.mapping, instant)
    }

    fn count_expired_codes(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        codes::count_over(&mut self.reader(), &self.mapping, now, audit::shows_sane_clock(&mut self.own_reader(), now)?)
    }

    fn prune_codes(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        let is_clock_sane = audit::shows_sane_clock(&mut self.own_reader(), now)?;
        self.act(|tx, mapping, log| {
            let pruned = codes::delete_over(tx, mapping, now, is_clock_sane)?;
            if pruned > 0 {
                log.push(done("codes.pruned", counted(pruned, "expired code")));
            }
            Ok(pruned)
        })
    }

    fn settings(&mut self) -> Result<Vec<(String, String)>, StoreError> {
        policy::settings(&mut self.own_reader())
    }

    fn remove_settings(&mut self, keys: &[String]) -> Result<(), StoreError> {
        self.act_aside(|tx, _, log| {
            for key in keys {
                if let Some(value) = policy::remove(tx, key)? {
                    let event = done("policy.removed", format!("{key}, whose value made no sense"));
                    log.push(event.changing(Changes::default().field(
                        key,
                        policy::without_credentials(&value),
                        None::<String>,
                    )));
                }
            }
            Ok(())
        })
    }
}
