//! Where a schema is to be made, and whether the role may make it.

use super::engine::Postgres;
use super::{Address, ServerError};
use crate::auth::storage::StoreError;
use crate::store::engine::Tx;
use crate::store::mapping::identifier;

/// Selects the role, the database, whether the schema `?1` exists, whether the role may make tables there, making the schema
/// if it is missing, whether another program has made tables there, and whether the server or the role only reads.
const PLACE: &str = "SELECT current_user::text, current_database()::text, n.oid IS NOT NULL,
    CASE WHEN n.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE')
        ELSE has_schema_privilege(n.oid, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE') END,
    EXISTS (SELECT 1 FROM pg_class AS c WHERE c.relnamespace = n.oid),
    pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on'
    FROM (VALUES (1)) AS one LEFT JOIN pg_namespace AS n ON n.nspname = ?1";

/// A schema that is to have authctl's tables.
#[expect(clippy::struct_excessive_bools, reason = "each is an answer of the server")]
pub(super) struct Place {
    schema: String,
    role: String,
    database: String,
    exists: bool,
    may_make: bool,
    /// Whether another program has made tables there.
    pub(super) has_tables: bool,
    is_read_only: bool,
}

impl Place {
    /// Asks about the schema of an engine.
    pub(super) fn ask(engine: &Postgres) -> Result<Self, StoreError> {
        let schema = engine.schema();
        let found = (&mut engine.snapshot_of_one() as &mut dyn Tx).query_one(PLACE, &[schema.into()], |row| {
            Ok(Self {
                schema: schema.to_owned(),
                role: row.text(0)?,
                database: row.text(1)?,
                exists: row.truth(2)?,
                may_make: row.truth(3)?,
                has_tables: row.truth(4)?,
                is_read_only: row.truth(5)?,
            })
        });
        found?.ok_or_else(|| StoreError::Engine("the server does not describe its schemas".into()))
    }

    /// Requires that the role may make the tables. `how` says what to do as the owner.
    ///
    /// # Errors
    /// [`ServerError::NoRights`] with the right that is missing, [`StoreError::ReadOnlyServer`] on a replica.
    pub(super) fn require_rights(&self, address: &Address, how: &str) -> Result<(), ServerError> {
        if self.is_read_only {
            return Err(super::failed(address, StoreError::ReadOnlyServer));
        }
        if self.may_make {
            return Ok(());
        }
        let [schema, role, database] = [&self.schema, &self.role, &self.database].map(|name| identifier(name));
        let grant = if self.exists {
            format!("GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}")
        } else {
            format!("GRANT CREATE ON DATABASE {database} TO {role}")
        };
        Err(ServerError::NoRights {
            address: address.shown(),
            problem: format!("the role {} may not make authctl's own tables in the schema {}", self.role, self.schema),
            remedy: format!("{how} as the owner of the database, or have the owner run {grant}"),
        })
    }
}
