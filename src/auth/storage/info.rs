//! What a database is: its size, and the file or server that holds it.

use jiff::{SignedDuration, Timestamp};

use super::{AppTraces, GuestSchema};

/// A description of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseInfo {
    /// The number of the newest applied migration; `None` for an app's database.
    pub schema_version: Option<u32>,
    /// The schema of an app's database.
    pub guest: Option<GuestSchema>,
    /// What an app left in a native database; `None` for an app's own.
    pub app_traces: Option<AppTraces>,
    pub users: u64,
    /// `None` if the times in an app's database cannot be read.
    pub live_sessions: Option<u64>,
    /// `None` likewise.
    pub expired_sessions: Option<u64>,
    pub storage: Storage,
    /// The size of the file, or of the tables on a server with their indexes.
    pub bytes: u64,
}

/// Where a database is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    File {
        /// The version of the SQLite library.
        sqlite_version: String,
        journal_mode: String,
    },
    Server(Server),
}

/// A server of PostgreSQL, and the connection to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Such as `15.18`.
    pub version: String,
    /// The role of the connection.
    pub role: String,
    pub is_superuser: bool,
    /// The version of TLS, such as `TLSv1.3`; `None` without encryption.
    pub tls: Option<String>,
    /// Whether the client is another machine.
    pub is_remote: bool,
    /// Whether the server repeats the changes of another one, so that nothing can be written to it.
    pub is_replica: bool,
    /// How far a replica is behind, at most: the time since the newest change that it has repeated.
    pub behind: Option<SignedDuration>,
    /// The time of its clock.
    pub clock: Timestamp,
}

impl Server {
    /// How far its clock is ahead of the time `now`, which was read before.
    pub fn clock_difference(&self, now: Timestamp) -> SignedDuration {
        self.clock.duration_since(now)
    }
}
