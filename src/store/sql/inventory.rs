//! Which rows refer to a user or session: by the foreign keys of all tables, whatever their names, and by the columns
//! of known plugins, whether the database has keys for them or not.

use super::constraints::release;
use super::key_owners::KeyOwners;
use super::reach::Reach;
use super::steps::{RowDeletion, Step};
use crate::auth::storage::{FOLLOWED_MAX, Release, StoreError};
use crate::store::engine::{Catalog, CatalogColumn, Dialect, ForeignKey, OnDelete, Tx};
use crate::store::mapping::{FoundPlugin, SchemaMapping, find_plugins, identifier, is_same};

/// The columns of Better Auth's own tables that refer to users.
const CORE: &[(&str, &str)] = &[("session", "userId"), ("session", "impersonatedBy"), ("account", "userId")];

/// Tables whose rows give access. They go with their user, whatever the foreign key says.
const ACCESS: &[&str] = &["session", "account", "apikey", "deviceCode", "oauthAccessToken", "oauthRefreshToken"];

/// The tables of a database and what they are.
#[derive(Debug)]
pub(in crate::store) struct Inventory {
    catalog: Catalog,
    pub(super) dialect: &'static Dialect,
    /// The table of users.
    users: String,
    plugins: Vec<FoundPlugin>,
    pub(super) references: Vec<Reference>,
}

/// Columns of a table that refer to rows of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) table: String,
    pub(super) parent: String,
    /// Each column with the one of the parent that it refers to.
    pub(super) columns: Vec<(String, String)>,
    pub(super) effect: Effect,
    /// Whether it is one of Better Auth's own, with a foreign key or without.
    is_known: bool,
}

/// Columns of a table that refer to a row of one of several tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Referring {
    /// The table, in the name of the database.
    pub(in crate::store) table: String,
    pub(in crate::store) columns: Vec<String>,
    /// Each table with its columns that are referred to.
    pub(in crate::store) parents: Vec<(String, Vec<String>)>,
}

/// What happens to a row when the row that it refers to is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Effect {
    /// The act deletes it.
    Delete,
    /// The act writes NULL.
    Clear,
    /// The database deletes it.
    Cascade,
    /// The database writes NULL or a default.
    Cleared,
    /// The database refuses to delete the other row.
    Hold,
    /// The database refuses it unless this row is gone at the end of the same statement.
    HoldToEnd,
}

impl Inventory {
    pub(in crate::store) fn read(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Self, StoreError> {
        Ok(Self::of(tx.catalog()?, mapping, tx.dialect()))
    }

    pub(super) fn of(catalog: Catalog, mapping: &SchemaMapping, dialect: &'static Dialect) -> Self {
        // The plugin's table that authctl makes itself has the prefix of its own tables.
        let like_users = if mapping.is_guest() { mapping.table("user") } else { "authctl_user" };
        let plugins = find_plugins(&catalog, like_users);
        let users = mapping.table("user").to_owned();
        let mut inventory = Self { catalog, dialect, users, plugins, references: Vec::new() };
        inventory.references = inventory.known(mapping);
        let declared = inventory.declared(mapping);
        inventory.references.extend(declared);
        inventory
    }

    /// As it is for a connection that enforces no foreign keys: the act does what the database would do.
    pub(in crate::store) fn without_keys(mut self) -> Self {
        for reference in &mut self.references {
            reference.effect = match reference.effect {
                Effect::Cascade => Effect::Delete,
                Effect::Cleared => Effect::Clear,
                other => other,
            };
        }
        self
    }

    /// The table of a plugin, by Better Auth's name.
    pub(in crate::store) fn plugin(&self, name: &str) -> Option<&FoundPlugin> {
        self.plugins.iter().find(|found| found.plugin.name == name)
    }

    /// A column of a table of the database, by Better Auth's name of the column.
    pub(in crate::store) fn column(&self, table: &str, name: &str) -> Option<&str> {
        let table = self.catalog.iter().find(|known| known.name == table)?;
        table.columns.iter().find(|column| is_same(&column.name, name)).map(|column| column.name.as_str())
    }

    /// Whether a foreign key lets a column of a table hold ids of other rows only. Takes the database's names.
    pub(in crate::store) fn is_foreign_key(&self, table: &str, column: &str) -> bool {
        let found = self.catalog.iter().find(|known| known.name == table);
        let mut keys = found.into_iter().flat_map(|table| &table.foreign_keys);
        keys.any(|key| key.columns.iter().any(|(own, _)| own == column))
    }

    /// The references of Better Auth's own tables and of plugins.
    fn known(&self, mapping: &SchemaMapping) -> Vec<Reference> {
        let physical = |name: &str| match self.plugin(name) {
            Some(found) => Some(found.table.clone()),
            None if ["user", "session"].contains(&name) => Some(mapping.table(name).to_owned()),
            None => None,
        };
        let column = |table: &str, name: &'static str| match self.plugin(table) {
            Some(found) => found.column(name).map(str::to_owned),
            None => mapping.column(table, name).map(str::to_owned),
        };
        let core = CORE.iter().map(|(table, column)| (*table, (*column, "user", "id")));
        let plugins = self.plugins.iter().flat_map(|found| {
            let of_table = |reference: &(_, _, _)| (found.plugin.name, *reference);
            found.plugin.references.iter().map(of_table)
        });
        core.chain(plugins)
            .filter_map(|(table, (own, parent_table, referred))| {
                let name = physical(table).unwrap_or_else(|| mapping.table(table).to_owned());
                let (own, parent) = (column(table, own)?, physical(parent_table)?);
                let referred = column(parent_table, referred)?;
                let effect = match self.declared_action(&name, &own) {
                    // A token without its session stays a token; the act that ends the session revokes it.
                    _ if parent_table == "session" && self.is_nullable(&name, &own) => Effect::Clear,
                    Some(OnDelete::Clear) if self.is_nullable(&name, &own) && !ACCESS.contains(&table) => {
                        Effect::Cleared
                    }
                    _ => Effect::Delete,
                };
                Some(Reference { table: name, parent, columns: vec![(own, referred)], effect, is_known: true })
            })
            .collect()
    }

    /// What the foreign key of a column does when the row that it refers to is deleted.
    fn declared_action(&self, table: &str, column: &str) -> Option<OnDelete> {
        let table = self.catalog.iter().find(|known| known.name == table)?;
        let is_of_column = |key: &&ForeignKey| matches!(&key.columns[..], [(own, _)] if own == column);
        table.working_keys().find(is_of_column).map(|key| key.on_delete)
    }

    /// The references that only foreign keys show.
    fn declared(&self, mapping: &SchemaMapping) -> Vec<Reference> {
        let keys = self.catalog.iter().flat_map(|table| table.working_keys().map(move |key| (table, key)));
        let unknown = keys.filter(|(table, key)| {
            !self.references.iter().any(|known| {
                known.table == table.name
                    && known.parent.eq_ignore_ascii_case(&key.parent)
                    && known.columns.iter().map(|(own, _)| own).eq(key.columns.iter().map(|(own, _)| own))
            })
        });
        unknown
            .map(|(table, key)| Reference {
                table: table.name.clone(),
                parent: key.parent.clone(),
                columns: key.columns.clone(),
                effect: self.effect(mapping, &table.name, key),
                is_known: false,
            })
            .collect()
    }

    /// What happens to the rows of a foreign key of which Better Auth knows nothing. It may be about anything, such as
    /// who made a row, so authctl itself deletes none of them.
    fn effect(&self, mapping: &SchemaMapping, table: &str, key: &ForeignKey) -> Effect {
        let is_ours = ["user", "session", "account", "verification"].iter().any(|core| mapping.table(core) == table)
            || self.plugins.iter().any(|found| found.table == table);
        let is_clearable = key.columns.iter().any(|(own, _)| self.is_nullable(table, own));
        let is_user = table == mapping.table("user");
        match key.on_delete {
            // No user goes because another one does, or because a session ends.
            OnDelete::Cascade if is_user && !key.parent.eq_ignore_ascii_case(table) && is_clearable => Effect::Clear,
            OnDelete::Cascade if is_user => Effect::HoldToEnd,
            OnDelete::Cascade => Effect::Cascade,
            OnDelete::Clear => Effect::Cleared,
            OnDelete::Refuse | OnDelete::RefuseAtEnd if is_ours && is_clearable => Effect::Clear,
            OnDelete::Refuse => Effect::Hold,
            OnDelete::RefuseAtEnd => Effect::HoldToEnd,
        }
    }

    /// Whether the rows of a plugin's table go with the user whose they are.
    pub(in crate::store) fn goes_with_user(&self, found: &FoundPlugin) -> bool {
        let column = found.column("userId");
        let mut references = self.references.iter().filter(|one| one.is_known && one.table == found.table);
        references.any(|one| one.effect.goes() && one.own().next() == column)
    }

    pub(super) fn is_nullable(&self, table: &str, column: &str) -> bool {
        self.catalog_column(table, column).is_some_and(|column| column.is_nullable)
    }

    /// Whether a column has a value in every row, as far as the schema says.
    pub(super) fn always_has_value(&self, table: &str, column: &str) -> bool {
        self.catalog_column(table, column).is_some_and(|column| column.is_key || !column.is_nullable)
    }

    fn catalog_column(&self, table: &str, column: &str) -> Option<&CatalogColumn> {
        let found = self.catalog.iter().find(|known| known.name.eq_ignore_ascii_case(table))?;
        found.columns.iter().find(|known| known.name.eq_ignore_ascii_case(column))
    }

    /// What a condition compares of two columns of tables: the columns, or their texts if their types differ. Takes each
    /// column as SQL spells it, and the database's names.
    pub(super) fn compared(&self, own: (&str, &str, String), referred: (&str, &str, String)) -> [String; 2] {
        let [one, other] = [&own, &referred].map(|(table, column, _)| self.catalog_column(table, column));
        // Of a table that the app keeps elsewhere, no type is known.
        let differ = one.zip(other).is_none_or(|(one, other)| one.kind != other.kind);
        [own.2, referred.2].map(|column| if differ { (self.dialect.text)(&column) } else { column })
    }

    /// What helps where the rows of a reference keep others.
    pub(super) fn release(&self, reference: &Reference) -> Release {
        let table = self.catalog.iter().find(|known| known.name == reference.table);
        let own: Vec<String> = reference.own().map(str::to_owned).collect();
        table.map_or(Release::Rows, |table| release(table, &own, &self.users))
    }

    /// The columns that refer to rows of other tables, each with the tables in one of which the row must be.
    pub(in crate::store) fn referring(&self) -> Vec<Referring> {
        let mut all: Vec<Referring> = Vec::new();
        // The id of an ended session stays in its tokens where no foreign key clears it, and does no harm.
        let is_harmless = |reference: &&Reference| reference.is_known && reference.effect == Effect::Clear;
        // The app may have no table of sessions.
        let exists = |name: &str| self.catalog.iter().any(|table| table.name.eq_ignore_ascii_case(name));
        let references = self.references.iter().filter(|reference| exists(&reference.parent));
        for reference in references.filter(|reference| !is_harmless(reference)) {
            let (columns, referred): (Vec<_>, Vec<_>) = reference.columns.iter().cloned().unzip();
            let parent = (reference.parent.clone(), referred);
            match all.iter_mut().find(|known| known.table == reference.table && known.columns == columns) {
                Some(known) => known.parents.push(parent),
                None => all.push(Referring { table: reference.table.clone(), columns, parents: vec![parent] }),
            }
        }
        all
    }

    /// What the deletion of rows of a table does to others, in the order in which it happens: rows that refer to others
    /// go before them. `table` is the database's name.
    ///
    /// # Errors
    /// [`StoreError::TooManyKeys`].
    pub(in crate::store) fn steps(&self, table: &str, condition: &str) -> Result<Vec<Step>, StoreError> {
        let reach = Reach::new(self, table, condition);
        if reach.parts() > FOLLOWED_MAX {
            return Err(StoreError::TooManyKeys(table.to_owned()));
        }
        let going = reach.going();
        Ok(reach.references.iter().map(|reference| reach.step(&going, reference)).collect())
    }

    /// What the deletion of the row with the id `?1` does to others. `table` is Better Auth's name.
    pub(in crate::store) fn steps_for_row(
        &self,
        mapping: &SchemaMapping,
        table: &str,
    ) -> Result<Vec<Step>, StoreError> {
        let id = identifier(mapping.column(table, "id").unwrap_or("id"));
        self.steps(mapping.table(table), &format!("{id} = ?1"))
    }

    /// Prepares the deletion of the rows of a table that a condition selects. Takes the database's names.
    ///
    /// # Errors
    /// [`StoreError::TooManyKeys`].
    pub(in crate::store) fn deletion(&self, table: &str, condition: &str) -> Result<RowDeletion<'_>, StoreError> {
        let delete = format!("DELETE FROM {} WHERE {condition}", identifier(table));
        Ok(RowDeletion { inventory: self, steps: self.steps(table, condition)?, delete })
    }

    /// The condition for the rows of a reference, beside what their columns say. A key of an organization is not one of
    /// the user who has the same number.
    pub(super) fn besides(&self, reference: &Reference) -> Option<String> {
        let is_key = self.plugin("apikey").is_some_and(|keys| keys.table == reference.table);
        let is_of_organization = self.plugin("organization").is_some_and(|found| found.table == reference.parent);
        let (_, referred) = reference.columns.first().filter(|_| is_key && !is_of_organization)?;
        KeyOwners::find(self, &reference.parent, &identifier(referred)).map(|owners| owners.is_of_user())
    }
}

impl Effect {
    /// Whether the row goes too.
    pub(super) fn goes(self) -> bool {
        matches!(self, Self::Delete | Self::Cascade)
    }
}

impl Reference {
    /// Whether its rows go with the row that they refer to.
    pub(super) fn goes(&self) -> bool {
        self.effect.goes()
    }

    pub(super) fn own(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(own, _)| own.as_str())
    }

    pub(super) fn referred(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(_, referred)| referred.as_str())
    }
}

#[cfg(test)]
pub(super) mod tests;
