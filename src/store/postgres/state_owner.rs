//! Which app the schema `authctl` with authctl's own tables is about. A database may have several apps, each in a schema of
//! its own, and their logs, throttles and policies must not mix.

use super::description::Found;
use super::engine::Postgres;
use super::{Address, OpenError, SCHEMA, failed};
use crate::auth::storage::StoreError;
use crate::store::better_auth::SchemaOverrides;
use crate::store::engine::Tx;
use crate::store::mapping::identifier;

/// The words in the first entry of the log that come before the name of the schema with the app's tables.
const BEFORE: &str = "about the app in the schema ";

/// Selects the detail of the first entry of the log.
pub(super) fn first_entry() -> String {
    format!(r#"SELECT "detail" FROM {}."authctl_audit" WHERE "seq" = 1"#, identifier(SCHEMA))
}

/// The detail of the first entry of a log about an app. Takes what it says besides.
pub(super) fn detail(schema: &str, more: &str) -> String {
    format!("{more}; {BEFORE}{}", identifier(schema))
}

/// The schema of the app, in quotes, as the first entry of the log has it.
pub(super) fn owner(tx: &mut dyn Tx) -> Result<Option<String>, StoreError> {
    let detail = tx.query_one(&first_entry(), &[], |row| Ok(row.value(0)?.as_text().map(str::to_owned)));
    let detail = match detail {
        // Another program removed the table.
        Err(StoreError::Incomplete(_)) => None,
        found => found?.flatten(),
    };
    Ok(detail.and_then(|detail| Some(detail.rsplit_once(BEFORE)?.1.to_owned())))
}

/// Whether the state is about the app in a schema. Where its log does not say so, or names a schema without the tables of an
/// app, it is about the only app of the database.
///
/// # Errors
/// [`OpenError::Ambiguous`] if there are several.
pub(super) fn is_of(
    engine: &Postgres,
    schema: &str,
    address: &Address,
    overrides: &SchemaOverrides,
) -> Result<bool, OpenError> {
    let failed = |source| OpenError::from(failed(address, source));
    let owner = match owner(&mut engine.snapshot_of_one()) {
        // The role may not read the log, which the opening reports.
        Err(StoreError::Denied(_)) => return Ok(true),
        owner => owner.map_err(failed)?,
    };
    if owner.as_ref().is_some_and(|owner| *owner == identifier(schema)) {
        return Ok(true);
    }
    let found = Found::everywhere(engine, overrides).map_err(failed)?;
    let apps = found.schemas_of_apps(overrides);
    let mut others = apps.iter().map(|(other, _)| *other).filter(|other| *other != schema);
    match (owner, others.next()) {
        (_, None) => Ok(true),
        (Some(owner), Some(other)) if others.chain([other]).any(|other| owner == identifier(other)) => Ok(false),
        (_, Some(other)) => Err(OpenError::Ambiguous {
            path: address.shown().into(),
            problem: format!(
                "the log in the schema {SCHEMA} does not say whether it is about the app in the schema {schema} or the one \
                 in {other}"
            ),
            remedy: format!(
                "keep the log, as with `pg_dump -n {SCHEMA}`, drop the schema {SCHEMA}, and run `authctl db init --state` \
                 for one of the apps"
            ),
        }),
    }
}
