//! The tables and columns of Better Auth, under the names that the statements use.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Holds {
    /// Text or an id.
    Text,
    /// 0 or 1.
    Truth,
    /// In the encoding of the database.
    Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Column {
    pub name: &'static str,
    pub holds: Holds,
    /// Whether every version of Better Auth needs the column; the others belong to plugins or to some versions.
    pub core: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Table {
    pub name: &'static str,
    pub columns: &'static [Column],
}

const fn core(name: &'static str, holds: Holds) -> Column {
    Column { name, holds, core: true }
}

const fn extra(name: &'static str, holds: Holds) -> Column {
    Column { name, holds, core: false }
}

/// The four tables of `better-auth` 1.7, with the columns of its admin and two-factor plugins.
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
            // Versions 1.7.0 to 1.7.2 added it.
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

pub(in crate::store) fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

impl Table {
    pub(in crate::store) fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}
