//! What a database holds, in numbers that tell one state of it from another.

/// What a database holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSummary {
    /// Number of the newest migration applied.
    pub schema_version: u32,
    /// Users.
    pub users: u64,
    /// Session rows, live or not.
    pub sessions: u64,
    /// Entries of the audit log.
    pub entries: u64,
    /// The hash of the newest entry; empty without one.
    pub head: String,
}
