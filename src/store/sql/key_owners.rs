//! Whose an API key is, where a user and an organization have the same id. The configuration of the key decides, and the
//! database shows it only by the owners of other keys.

use super::inventory::Inventory;
use super::plugins::quoted;
use crate::auth::audit::counted;
use crate::auth::storage::StoreError;
use crate::store::engine::Tx;
use crate::store::mapping::{SchemaMapping, identifier};

/// The configuration that the plugin has without options, and whose keys belong to users.
const DEFAULT: &str = "'default'";

/// Expressions of SQL about a table of API keys beside users and organizations.
pub(super) struct KeyOwners {
    keys: String,
    owner: String,
    config: String,
    /// The ids of all users.
    users: String,
    organizations: String,
}

impl KeyOwners {
    /// Finds the tables; `None` if the database does not have both keys and organizations. Takes the database's name of
    /// the table of users, and the quoted one of its ids.
    pub(super) fn find(inventory: &Inventory, users: &str, id: &str) -> Option<Self> {
        let (keys, organization) = inventory.plugin("apikey").zip(inventory.plugin("organization"))?;
        // The column is text whatever the ids are.
        let text = inventory.dialect.text;
        let ids =
            |table: &str, id: &str| format!("SELECT {} FROM {} WHERE {id} IS NOT NULL", text(id), identifier(table));
        Some(Self {
            keys: identifier(&keys.table),
            owner: text(&quoted(keys, "referenceId")?),
            config: quoted(keys, "configId")
                .map_or_else(|| DEFAULT.to_owned(), |config| format!("coalesce({config}, {DEFAULT})")),
            users: ids(users, id),
            organizations: ids(&organization.table, &quoted(organization, "id")?),
        })
    }

    /// As [`Self::find`], by the mapping of the database.
    pub(super) fn of(inventory: &Inventory, mapping: &SchemaMapping) -> Option<Self> {
        let id = identifier(mapping.column("user", "id").unwrap_or("id"));
        Self::find(inventory, mapping.table("user"), &id)
    }

    /// The condition that another key of the same configuration belongs to one of some owners, and to none of others.
    fn is_shown(&self, owners: &str, others: &str) -> String {
        let Self { keys, owner, config, .. } = self;
        format!("{config} IN (SELECT {config} FROM {keys} WHERE {owner} IN ({owners}) AND {owner} NOT IN ({others}))")
    }

    /// The condition that a key whose owner is the id of a user belongs to the user.
    pub(super) fn is_of_user(&self) -> String {
        let Self { owner, config, users, organizations, .. } = self;
        let (by_user, by_organization) = (self.is_shown(users, organizations), self.is_shown(organizations, users));
        format!(
            "({owner} NOT IN ({organizations}) OR (({config} = {DEFAULT} OR {by_user}) AND NOT ({by_organization})))"
        )
    }

    /// Names the keys that belong to a user or to an organization with the same id, and stay as they are because
    /// nothing shows to which.
    pub(super) fn tell_doubtful(
        &self,
        tx: &mut dyn Tx,
        inventory: &Inventory,
        mapping: &SchemaMapping,
        user_id: &str,
    ) -> Result<(), StoreError> {
        let Self { keys, owner, users, organizations, .. } = self;
        let (by_user, by_organization) = (self.is_shown(users, organizations), self.is_shown(organizations, users));
        let Some(id) = inventory.plugin("apikey").and_then(|found| quoted(found, "id")) else { return Ok(()) };
        let sql = format!(
            "SELECT CAST({id} AS TEXT) FROM {keys} WHERE {owner} = ?1 AND {owner} IN ({organizations})
             AND NOT {} AND NOT ({by_organization} AND NOT ({by_user}))",
            self.is_of_user()
        );
        let found = tx.query_all(&sql, &[mapping.key("user", user_id)], |row| {
            Ok(row.value(0)?.as_text().unwrap_or("(unreadable)").to_owned())
        })?;
        if !found.is_empty() {
            let (count, ids) = (counted(found.len() as u64, "API key"), found.join(", "));
            tx.left().push(format!(
                "{count} may be of the user or of the organization with the same id, and nothing was changed there: {ids}"
            ));
        }
        Ok(())
    }
}
