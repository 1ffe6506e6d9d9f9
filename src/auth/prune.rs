//! Rows that have expired and that no program would miss.

use std::time::Duration;

use super::storage::{Holder, StoreError};
use super::{Auth, AuthError};

/// A kind of row that expires, by its table in Better Auth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiring {
    Session,
    /// Codes, links, and what else an app keeps for a while.
    Verification,
    DeviceCode,
    /// Before the refresh tokens, to which its rows refer.
    AccessToken,
    RefreshToken,
    /// The ids of assertions with which OAuth clients signed in.
    ClientAssertion,
    ApiKey,
    /// Passwords of native databases whose hashes are not argon2id, after the end that the policy sets.
    LegacyPassword,
    /// Only by choice: an app may show expired invitations.
    Invitation,
}

impl Expiring {
    pub const ALL: [Self; 9] = [
        Self::Session,
        Self::Verification,
        Self::DeviceCode,
        Self::AccessToken,
        Self::RefreshToken,
        Self::ClientAssertion,
        Self::ApiKey,
        Self::LegacyPassword,
        Self::Invitation,
    ];

    /// Better Auth's name of the table.
    pub fn table(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Verification => "verification",
            Self::DeviceCode => "deviceCode",
            Self::AccessToken => "oauthAccessToken",
            Self::RefreshToken => "oauthRefreshToken",
            Self::ClientAssertion => "oauthClientAssertion",
            Self::ApiKey => "apikey",
            Self::LegacyPassword => "account",
            Self::Invitation => "invitation",
        }
    }

    /// The noun for one row.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Verification => "code",
            Self::DeviceCode => "device code",
            Self::AccessToken => "OAuth access token",
            Self::RefreshToken => "OAuth refresh token",
            Self::ClientAssertion => "OAuth client assertion",
            Self::ApiKey => "API key",
            Self::LegacyPassword => "password of another kind than argon2id",
            Self::Invitation => "invitation",
        }
    }

    /// Whether the tables are those of a plugin.
    pub fn is_of_a_plugin(self) -> bool {
        !matches!(self, Self::Session | Self::Verification | Self::LegacyPassword)
    }
}

impl Auth<'_> {
    /// Counts expired rows of a kind; 0 without the table.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn count_expired(&mut self, kind: Expiring) -> Result<u64, AuthError> {
        Ok(match kind {
            Expiring::Session => self.store.count_expired(self.now)?,
            Expiring::Verification => self.store.count_expired_codes(self.now)?,
            Expiring::LegacyPassword if !self.ends_legacy() => 0,
            Expiring::LegacyPassword => self.store.count_legacy_passwords()?,
            _ => self.store.count_expired_rows(kind, self.now)?,
        })
    }

    /// Deletes the next part of the expired rows of a kind and returns their number.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn prune_expired(&mut self, kind: Expiring, pruning: &mut Pruning) -> Result<u64, AuthError> {
        Ok(match kind {
            Expiring::Session => self.store.prune(self.now, pruning)?,
            Expiring::Verification => self.store.prune_codes(self.now, pruning)?,
            Expiring::LegacyPassword if !self.ends_legacy() => {
                pruning.is_over = true;
                0
            }
            Expiring::LegacyPassword => self.store.prune_legacy_passwords(pruning)?,
            _ => self.store.prune_rows(kind, self.now, pruning)?,
        })
    }

    /// Whether passwords whose hashes are not argon2id no longer sign in.
    pub(super) fn ends_legacy(&self) -> bool {
        self.store.guest().is_none() && self.policy.password.is_legacy_over(self.now)
    }
}

/// A deletion of the expired rows of a kind, in parts.
#[derive(Debug)]
pub struct Pruning {
    /// The most rows of the next part.
    pub limit: usize,
    /// How many rows stay because rows of the app keep them. They are in front of the next part.
    pub kept: usize,
    /// What keeps them.
    pub holders: Vec<Holder>,
    /// Whether no part is left.
    pub is_over: bool,
}

/// What decides how many rows the parts of a deletion have.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long a part should lock the database for other writers.
    pub locked: Duration,
    /// The fewest rows of a part after the first: each part has an entry in the audit log and a sync.
    pub rows_min: usize,
}

impl Default for Pace {
    /// The pace where the others look again and again whether the database is free.
    fn default() -> Self {
        Self { locked: Duration::from_millis(30), rows_min: 100 }
    }
}

/// The most rows of a part. They change some 28 MiB of pages, all of which are in the write-ahead log at once.
const ROWS_MAX: usize = 2_000;
const ROWS_FIRST: usize = 200;

/// The most rows of the next part, after one of `rows` rows that locked the database for this time. A single part that
/// waited for the disk does not decide: the number at most doubles, and at least halves.
fn next_limit(rows: usize, locked: Duration, pace: Pace) -> usize {
    let fitting = rows as u128 * pace.locked.as_micros() / locked.as_micros().max(1);
    let fitting = usize::try_from(fitting).unwrap_or(usize::MAX);
    fitting.clamp(rows / 2, rows.saturating_mul(2)).clamp(pace.rows_min, ROWS_MAX)
}

impl Default for Pruning {
    fn default() -> Self {
        Self::by(ROWS_FIRST)
    }
}

impl Pruning {
    /// A deletion whose first part has at most this number of rows.
    pub fn by(limit: usize) -> Self {
        Self { limit, kept: 0, holders: Vec::new(), is_over: false }
    }

    /// How many rows to find for the next part, together with those in front of it that stay.
    pub fn wanted(&self) -> usize {
        self.kept.saturating_add(self.limit)
    }

    /// # Errors
    /// [`StoreError::Held`] if rows stay.
    pub fn require_none_kept(self) -> Result<(), StoreError> {
        if self.holders.is_empty() { Ok(()) } else { Err(StoreError::Held(self.holders)) }
    }

    /// Adds a part that had a number of rows and locked the database for this time, and what keeps some of the rows: a
    /// list for each.
    pub fn add(&mut self, rows: usize, kept: Vec<Vec<Holder>>, locked: Duration, pace: Pace) {
        self.is_over = rows < self.limit;
        self.limit = next_limit(rows, locked, pace);
        self.kept += kept.len();
        for holder in kept.into_iter().flatten() {
            let is_same = |known: &&mut Holder| known.table == holder.table && known.column == holder.column;
            match self.holders.iter_mut().find(is_same) {
                Some(known) => known.rows += holder.rows,
                None => self.holders.push(holder),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_part_locks_the_database_for_about_as_long() {
        let pace = Pace::default();
        let after =
            |rows, micros_per_row: u64| next_limit(rows, Duration::from_micros(micros_per_row * rows as u64), pace);
        for (rows, micros_per_row, next) in [
            (500, 60, 500),
            (500, 100, 300),
            (500, 40, 750),
            // One part does not decide.
            (500, 10, 1_000),
            (500, 10_000, 250),
            // A disk that is slow, and rows that are gone at once.
            (150, 10_000, pace.rows_min),
            (ROWS_MAX, 1, ROWS_MAX),
            (500, 0, 1_000),
        ] {
            assert_eq!(after(rows, micros_per_row), next, "{rows} rows, {micros_per_row} us each");
        }
    }

    #[test]
    fn parts_follow_the_speed_of_the_database() {
        let mut pruning = Pruning::default();
        let mut limits = Vec::new();
        for micros_per_row in [20, 20, 20, 20, 300, 300, 300, 300, 60, 60, 60] {
            let rows = pruning.limit;
            pruning.add(rows, Vec::new(), Duration::from_micros(micros_per_row * rows as u64), Pace::default());
            limits.push(pruning.limit);
            assert!(!pruning.is_over);
        }
        assert_eq!(limits, [400, 800, 1500, 1500, 750, 375, 187, 100, 200, 400, 500]);
        pruning.add(pruning.limit - 1, Vec::new(), Duration::ZERO, Pace::default());
        assert!(pruning.is_over);
    }
}
