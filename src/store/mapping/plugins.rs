//! The tables of Better Auth's plugins, as far as their rows name users and sessions, and where a database keeps them.

use super::encoding::{TimeEncoding, TimeEncodings};
use crate::store::engine::{CatalogColumn, CatalogTable};

/// A table of a plugin, in Better Auth's names.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::store) struct PluginTable {
    pub(in crate::store) name: &'static str,
    /// The columns without which a table of this name is not the plugin's.
    essential: &'static [&'static str],
    /// The columns that refer to rows of other tables, whether the database has a foreign key for them or not.
    pub(in crate::store) references: &'static [Reference],
}

/// A column, and the table and column that it refers to.
pub(in crate::store) type Reference = (&'static str, &'static str, &'static str);

const fn table(
    name: &'static str,
    essential: &'static [&'static str],
    references: &'static [Reference],
) -> PluginTable {
    PluginTable { name, essential, references }
}

const USER: Reference = ("userId", "user", "id");
const SESSION: Reference = ("sessionId", "session", "id");
const ORGANIZATION: Reference = ("organizationId", "organization", "id");
const CLIENT: Reference = ("clientId", "oauthClient", "clientId");

/// The plugin tables of `better-auth` 1.7 and its packages. A plugin that renamed a table or column has an entry for
/// each name; the first that fits counts.
pub(in crate::store) const PLUGINS: &[PluginTable] = &[
    table("twoFactor", &["secret", "backupCodes", "userId"], &[USER]),
    table("passkey", &["publicKey", "userId"], &[USER]),
    // A key belongs to a user or to an organization.
    table("apikey", &["key", "referenceId"], &[("referenceId", "user", "id"), ("referenceId", "organization", "id")]),
    table("apikey", &["key", "userId"], &[USER]),
    table("deviceCode", &["deviceCode", "userCode", "status"], &[USER]),
    table("organization", &["name", "slug"], &[]),
    table("organizationRole", &["organizationId", "role", "permission"], &[ORGANIZATION]),
    table("member", &["organizationId", "userId", "role"], &[USER, ORGANIZATION]),
    table("invitation", &["organizationId", "email", "inviterId"], &[("inviterId", "user", "id"), ORGANIZATION]),
    table("team", &["name", "organizationId"], &[ORGANIZATION]),
    table("teamMember", &["teamId", "userId"], &[USER, ("teamId", "team", "id")]),
    table("oauthClient", &["clientId", "redirectUris"], &[USER]),
    table("oauthClient", &["clientId", "userId"], &[USER]),
    table("oauthApplication", &["clientId"], &[USER]),
    table(
        "oauthAccessToken",
        &["clientId", "userId"],
        &[
            USER,
            SESSION,
            CLIENT,
            ("clientId", "oauthApplication", "clientId"),
            ("refreshId", "oauthRefreshToken", "id"),
        ],
    ),
    table("oauthRefreshToken", &["clientId", "userId"], &[USER, SESSION, CLIENT]),
    table("oauthConsent", &["clientId", "userId"], &[USER, CLIENT, ("clientId", "oauthApplication", "clientId")]),
    table("oauthClientAssertion", &["expiresAt"], &[]),
    table("oauthClientResource", &["clientId", "resourceId"], &[CLIENT, ("resourceId", "oauthResource", "identifier")]),
    table("oauthResource", &["identifier"], &[]),
    table("jwks", &["publicKey", "privateKey"], &[]),
    table("rateLimit", &["key", "count"], &[]),
    table("ssoProvider", &["issuer", "providerId", "userId"], &[USER]),
    table("walletAddress", &["userId", "address", "chainId"], &[USER]),
    table("scimUser", &["connectionId", "userId"], &[USER]),
    table("scimGroupMember", &["groupId", "scimUserId"], &[("scimUserId", "scimUser", "id")]),
    table("scimSubject", &["userId"], &[USER]),
    table("scimProjectionGrant", &["connectionId", "userId"], &[USER, ("scimUserId", "scimUser", "id")]),
    table("scimIdentityTombstone", &["connectionId", "userId"], &[USER]),
];

/// The tables in which Drizzle, Prisma and Kysely list the migrations of an app.
pub(in crate::store) const ORM_TABLES: [&str; 4] =
    ["__drizzle_migrations", "_prisma_migrations", "kysely_migration", "kysely_migration_lock"];

/// A plugin's table in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct FoundPlugin {
    pub(in crate::store) plugin: &'static PluginTable,
    /// The name in the database.
    pub(in crate::store) table: String,
    columns: Vec<CatalogColumn>,
}

impl FoundPlugin {
    /// The database's name of a column; `None` when it lacks the column.
    pub(in crate::store) fn column(&self, name: &str) -> Option<&str> {
        self.find(name).map(|column| column.name.as_str())
    }

    /// As [`Self::column`], for a column that is written; `None` if the database computes it.
    pub(in crate::store) fn written_column(&self, name: &str) -> Option<&str> {
        self.find(name).filter(|column| !column.is_computed).map(|column| column.name.as_str())
    }

    /// The encoding of times that the type of a column shows; `None` where only values do.
    pub(in crate::store) fn time_encoding(&self, name: &str, times: &TimeEncodings) -> Option<TimeEncoding> {
        times.of_type(&self.find(name)?.kind)
    }

    /// The type of a column, where the engine has types.
    pub(in crate::store) fn kind(&self, name: &str) -> Option<&str> {
        self.find(name).map(|column| column.kind.as_str())
    }

    fn find(&self, name: &str) -> Option<&CatalogColumn> {
        self.columns.iter().find(|column| is_same(&column.name, name))
    }
}

/// Finds the tables of plugins in a catalog, whatever the style of their names. `user` is the database's name of the
/// table of users: the others have its prefix, if it has one.
pub(in crate::store) fn find(catalog: &[CatalogTable], user: &str) -> Vec<FoundPlugin> {
    let user = folded(user);
    let prefix = user.strip_suffix("users").or(user.strip_suffix("user")).unwrap_or_default();
    let tables: Vec<(String, &CatalogTable)> = catalog.iter().map(|table| (folded(&table.name), table)).collect();
    let mut found: Vec<FoundPlugin> = Vec::new();
    for prefix in [prefix, ""] {
        for plugin in PLUGINS {
            let is_found = |known: &FoundPlugin| known.plugin.name == plugin.name;
            let mut named = tables.iter().filter(|(name, _)| is_called(name, prefix, plugin)).map(|(_, table)| table);
            let fitting = named.find(|table| plugin.fits(table));
            if let Some(table) = fitting.filter(|_| !found.iter().any(is_found)) {
                found.push(FoundPlugin { plugin, table: table.name.clone(), columns: table.columns.clone() });
            }
        }
    }
    found
}

impl PluginTable {
    fn fits(&self, table: &CatalogTable) -> bool {
        let has = |name: &&str| table.columns.iter().any(|column| is_same(&column.name, name));
        self.essential.iter().all(has)
    }
}

/// Whether a folded name of a table is the plugin's, in the singular or the plural.
fn is_called(table: &str, prefix: &str, plugin: &PluginTable) -> bool {
    let Some(rest) = table.strip_prefix(prefix) else { return false };
    let is = |name: &str| letters(plugin.name).eq(name.chars());
    is(rest) || rest.strip_suffix('s').is_some_and(is)
}

/// Whether two names are the same in `camelCase` and `snake_case`.
pub(in crate::store) fn is_same(one: &str, other: &str) -> bool {
    letters(one).eq(letters(other))
}

fn folded(name: &str) -> String {
    letters(name).collect()
}

/// What is the same in `camelCase` and `snake_case`.
fn letters(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog(tables: &[(&str, &[&str])]) -> Vec<CatalogTable> {
        let column = |name: &&str| CatalogColumn {
            name: (*name).to_owned(),
            is_nullable: true,
            is_computed: false,
            is_key: false,
            kind: String::new(),
            words: Vec::new(),
        };
        let table = |(name, columns): &(&str, &[&str])| CatalogTable {
            name: (*name).to_owned(),
            columns: columns.iter().map(column).collect(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
        };
        tables.iter().map(table).collect()
    }

    #[test]
    fn plugin_is_found_in_every_style_of_names() {
        for (user, name, column) in [
            ("user", "twoFactor", "userId"),
            ("users", "two_factors", "user_id"),
            ("auth_user", "auth_two_factor", "user_id"),
            ("AuthUser", "TwoFactor", "UserId"),
        ] {
            let catalog = catalog(&[(name, &["id", "secret", "backup_codes", column])]);
            let found = find(&catalog, user);
            let tables: Vec<_> = found.iter().map(|found| (found.plugin.name, found.table.as_str())).collect();
            assert_eq!(tables, [("twoFactor", name)]);
            assert_eq!((found[0].column("userId"), found[0].column("verified")), (Some(column), None));
        }
    }

    #[test]
    fn table_of_the_app_with_a_plugins_name_is_not_its() {
        let catalog = catalog(&[("member", &["id", "club", "since"]), ("my_passkey", &["public_key", "user_id"])]);
        assert_eq!(find(&catalog, "user"), []);
    }

    #[test]
    fn table_with_the_prefix_of_users_goes_first() {
        let columns: &[&str] = &["key", "reference_id"];
        let catalog = catalog(&[("apikey", columns), ("ba_apikey", columns)]);
        let tables: Vec<_> = find(&catalog, "ba_user").into_iter().map(|found| found.table).collect();
        assert_eq!(tables, ["ba_apikey"]);
    }
}
