//! The tables and columns that the statements name: Better Auth's own names. What a database calls
//! them is another matter.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Holds {
    /// Text, ids among it.
    Text,
    /// 0 or 1.
    Truth,
    /// An instant.
    Time,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Column {
    /// Its name in the statements.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// Whether Better Auth itself needs it; the others belong to its plugins, or came and went with
    /// its versions.
    pub core: bool,
}

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Table {
    /// Its name in the statements.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [Column],
}

const fn core(name: &'static str, holds: Holds) -> Column {
    Column { name, holds, core: true }
}

const fn extra(name: &'static str, holds: Holds) -> Column {
    Column { name, holds, core: false }
}

/// The four tables, as `better-auth` 1.7 defines them, with what its admin and two-factor plugins add.
pub(in crate::store) const TABLES: &[Table] = &[
    Table {
        name: "user",
        columns: &[
            core("id", Holds::Text),
            core("name", Holds::Text),
            core("email", Holds::Text),
            core("emailVerified", Holds::Truth),
            core("image", Holds::Text),
            core("createdAt", Holds::Time),
            core("updatedAt", Holds::Time),
            extra("role", Holds::Text),
            extra("banned", Holds::Truth),
            extra("banReason", Holds::Text),
            extra("banExpires", Holds::Time),
            extra("twoFactorEnabled", Holds::Truth),
        ],
    },
    Table {
        name: "session",
        columns: &[
            core("id", Holds::Text),
            core("expiresAt", Holds::Time),
            core("token", Holds::Text),
            core("createdAt", Holds::Time),
            core("updatedAt", Holds::Time),
            core("ipAddress", Holds::Text),
            core("userAgent", Holds::Text),
            core("userId", Holds::Text),
            extra("impersonatedBy", Holds::Text),
        ],
    },
    Table {
        name: "account",
        columns: &[
            core("id", Holds::Text),
            core("accountId", Holds::Text),
            core("providerId", Holds::Text),
            core("userId", Holds::Text),
            core("accessToken", Holds::Text),
            core("refreshToken", Holds::Text),
            core("idToken", Holds::Text),
            core("accessTokenExpiresAt", Holds::Time),
            core("refreshTokenExpiresAt", Holds::Time),
            core("scope", Holds::Text),
            core("password", Holds::Text),
            core("createdAt", Holds::Time),
            core("updatedAt", Holds::Time),
            // Of versions 1.7.0 to 1.7.2; files keep it.
            extra("issuer", Holds::Text),
        ],
    },
    Table {
        name: "verification",
        columns: &[
            core("id", Holds::Text),
            core("identifier", Holds::Text),
            core("value", Holds::Text),
            core("expiresAt", Holds::Time),
            core("createdAt", Holds::Time),
            core("updatedAt", Holds::Time),
        ],
    },
];

/// Finds a table.
pub(in crate::store) fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

impl Table {
    /// Finds a column.
    pub(in crate::store) fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}
