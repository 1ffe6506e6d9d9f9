//! Rows that have expired and that no program would miss.

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
    /// Only by choice: an app may show expired invitations.
    Invitation,
}

impl Expiring {
    pub const ALL: [Self; 8] = [
        Self::Session,
        Self::Verification,
        Self::DeviceCode,
        Self::AccessToken,
        Self::RefreshToken,
        Self::ClientAssertion,
        Self::ApiKey,
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
            Self::Invitation => "invitation",
        }
    }

    /// Whether the tables are those of a plugin.
    pub fn is_of_a_plugin(self) -> bool {
        !matches!(self, Self::Session | Self::Verification)
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
            _ => self.store.count_expired_rows(kind, self.now)?,
        })
    }

    /// Deletes the next part of the expired rows of a kind and returns their number; all expired codes at once.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn prune_expired(&mut self, kind: Expiring, pruning: &mut Pruning) -> Result<u64, AuthError> {
        Ok(match kind {
            Expiring::Session => self.store.prune(self.now, pruning)?,
            Expiring::Verification => self.store.prune_codes(self.now, pruning)?,
            _ => self.store.prune_rows(kind, self.now, pruning)?,
        })
    }
}

/// A deletion of the expired rows of a kind, in parts.
#[derive(Debug)]
pub struct Pruning {
    /// The most rows of a part.
    pub limit: usize,
    /// How many rows stay because rows of the app keep them. They are in front of the next part.
    pub kept: usize,
    /// What keeps them.
    pub holders: Vec<Holder>,
    /// Whether no part is left.
    pub is_over: bool,
}

impl Pruning {
    pub fn by(limit: usize) -> Self {
        Self { limit, kept: 0, holders: Vec::new(), is_over: false }
    }

    /// # Errors
    /// [`StoreError::Held`] if rows stay.
    pub fn require_none_kept(self) -> Result<(), StoreError> {
        if self.holders.is_empty() { Ok(()) } else { Err(StoreError::Held(self.holders)) }
    }

    /// Adds a part that had a number of rows, and what keeps some of them: a list for each.
    pub fn add(&mut self, rows: usize, kept: Vec<Vec<Holder>>) {
        self.is_over = rows < self.limit;
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
