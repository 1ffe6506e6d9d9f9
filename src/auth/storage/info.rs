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

/// A server that speaks the protocol of PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    PostgreSql,
    CockroachDb,
    YugabyteDb,
}

impl Product {
    /// Tells the product by what `version()` answers, such as `PostgreSQL 15.12-YB-2025.1.0.1-b0 on x86_64-pc-linux-gnu, ...`.
    pub fn of(version: &str) -> Self {
        if version.starts_with("CockroachDB") {
            Self::CockroachDb
        } else if version.contains("-YB-") {
            Self::YugabyteDb
        } else {
            Self::PostgreSql
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::PostgreSql => "PostgreSQL",
            Self::CockroachDb => "CockroachDB",
            Self::YugabyteDb => "YugabyteDB",
        }
    }
}

/// A server, and the connection to it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Server {
    pub product: Product,
    /// The version of PostgreSQL, such as `15.18`; the one that another product says it resembles.
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
    /// Whether the role, the database or the server is set to read only (`default_transaction_read_only`).
    pub is_read_only: bool,
    /// How far a replica is behind, at most: the time since the newest change that it has repeated.
    pub behind: Option<SignedDuration>,
    /// The time of its clock.
    pub clock: Timestamp,
    /// How long after the opening of the database it was asked for that time, and had answered.
    pub asked: [SignedDuration; 2],
}

impl Server {
    /// How far its clock is ahead, at least. Takes the time when the database was opened. How long the server takes to
    /// answer does not count.
    pub fn clock_difference(&self, now: Timestamp) -> SignedDuration {
        let difference = self.clock.duration_since(now);
        let [most, least] = self.asked.map(|passed| difference.saturating_sub(passed));
        SignedDuration::ZERO.clamp(least, most.max(least))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_of_a_slow_server_is_not_called_wrong() {
        let at = |seconds: i64| Timestamp::from_second(1_000_000_000 + seconds).unwrap();
        let server = |clock, asked: [i64; 2]| Server {
            product: Product::PostgreSql,
            version: "15.18".to_owned(),
            role: "app".to_owned(),
            is_superuser: false,
            tls: None,
            is_remote: true,
            is_replica: false,
            is_read_only: false,
            behind: None,
            clock: at(clock),
            asked: asked.map(SignedDuration::from_secs),
        };
        for (clock, asked, difference) in [
            (0, [0, 0], 0),
            // It waited for a connection, and for the answer.
            (20, [20, 20], 0),
            (20, [1, 30], 0),
            (60, [20, 25], 35),
            (-60, [20, 25], -80),
        ] {
            let found = server(clock, asked).clock_difference(at(0));
            assert_eq!(found, SignedDuration::from_secs(difference), "{clock} {asked:?}");
        }
    }

    #[test]
    fn product_is_told_by_its_version() {
        for (version, product) in [
            ("PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc", Product::PostgreSql),
            (
                "CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu, built 2023/09/27 01:53:43, go1.19.10)",
                Product::CockroachDb,
            ),
            ("PostgreSQL 11.2-YB-2.20.1.3-b0 on x86_64-pc-linux-gnu, compiled by clang", Product::YugabyteDb),
        ] {
            assert_eq!(Product::of(version), product, "{version}");
        }
    }
}
