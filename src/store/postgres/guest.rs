//! Opens the database of an app: finds the schema with the app's tables, has them recognised, and finds out what the role may
//! do with them.

#[cfg(test)]
mod tests;

use super::app_tables::AbsentTable;
use super::description::{Described, Found, Relation};
use super::engine::Postgres;
use super::migrate::{self, Contents, HISTORY};
use super::{Address, SCHEMA, ServerError, bring_up_to_date, connected_to, failed, state_owner};
use crate::auth::storage::{GuestSchema, StoreError, WriteBlocker, WriteScope};
use crate::store::OpenError;
use crate::store::better_auth::{self, ColumnType, Description as _, GuestDatabase, Recognised, SchemaOverrides};
use crate::store::engine::{Engine as _, Tx, Value};
use crate::store::mapping::{TABLES, identifier};

/// What the role of an app may do with its tables.
const RIGHTS: &str = "SELECT, INSERT, UPDATE, DELETE";

/// Opens the database of an app; `None` if no schema has the tables of one, or if authctl made the database. Without
/// `uses_state`, authctl's own tables beside those of the app are neither read nor migrated.
pub(super) fn open(
    engine: Postgres,
    address: &Address,
    overrides: &SchemaOverrides,
    uses_state: bool,
) -> Result<Option<GuestDatabase>, OpenError> {
    let shown = address.shown();
    let named = named_schema(address, overrides)?;
    let found = Found::read(&engine, named, overrides).map_err(|source| failed(address, source))?;
    if found.is_native {
        return Ok(None);
    }
    let Some(schema) = choose_schema(&found, named, &shown, overrides)? else {
        require_no_renamed_app(engine, &found, named, &shown, overrides)?;
        return Ok(None);
    };
    let mut engine = engine.of_app(schema.clone(), Vec::new());
    ask_ahead(&mut engine, &found, &schema, overrides);
    let described = Described::new(&engine, &schema, &found, overrides);
    require_readable(&described, &shown, overrides)?;
    let Recognised { mapping, schema: mut guest, evidence, absent } =
        better_auth::read(&described, shown.as_ref(), overrides)?;
    require_safe(&described, &guest, &shown)?;
    let is_open = found.state().filter(|_| uses_state).map(|own| own.is_open);
    let has_state = match is_open {
        Some(true) => state_owner::is_of(&engine, &schema, address, overrides)?,
        has_state => has_state.is_some(),
    };
    if has_state {
        require_state(&described, &guest, address)?;
    }
    guest.write_blockers.splice(0..0, blockers(&described, &guest));
    let key = key(&engine, address, &schema, &found).map_err(|source| failed(address, source))?;
    let absent = absent.into_iter().map(|table| AbsentTable::of(table, &mapping.ids)).collect();
    let engine = engine.of_app(schema, absent);
    Ok(Some(if has_state {
        GuestDatabase::new(engine.with_state(), mapping, guest, evidence, key).with_state_in(SCHEMA)
    } else {
        GuestDatabase::new(engine, mapping, guest, evidence, key)
    }))
}

/// The schema of the app, for which authctl's own tables are to be made.
///
/// # Errors
/// As for [`open`], and [`ServerError::Missing`] without an app.
pub(super) fn schema_of(
    engine: &Postgres,
    address: &Address,
    overrides: &SchemaOverrides,
) -> Result<String, OpenError> {
    let shown = address.shown();
    let named = named_schema(address, overrides)?;
    let found = Found::read(engine, named, overrides).map_err(|source| failed(address, source))?;
    let schema = choose_schema(&found, named, &shown, overrides)?;
    Ok(schema.ok_or(ServerError::Missing { address: shown, schema: engine.schema().to_owned() })?)
}

/// Requires that no schema holds tables of an app under other names: a user would look for the app's users in vain.
fn require_no_renamed_app(
    engine: Postgres,
    found: &Found,
    named: Option<&str>,
    shown: &str,
    overrides: &SchemaOverrides,
) -> Result<(), OpenError> {
    let mut engine = engine;
    for schema in named.map_or_else(|| found.path.clone(), |named| vec![named.to_owned()]) {
        engine = engine.of_app(schema.clone(), Vec::new());
        let described = Described::new(&engine, &schema, found, overrides);
        let renamed = better_auth::renamed_app(&described, overrides);
        let renamed = renamed.map_err(|source| OpenError::Store { path: shown.into(), source })?;
        if let Some((problem, remedy)) = renamed {
            return Err(OpenError::Renamed { path: shown.into(), problem, remedy });
        }
    }
    Ok(())
}

/// Asks in one round trip for what the rest of the opening reads: the identifier of the server, and ids whose type does not
/// say how they are made.
fn ask_ahead(engine: &mut Postgres, found: &Found, schema: &str, overrides: &SchemaOverrides) {
    let mut queries = Vec::new();
    if found.state().is_some_and(|own| own.is_open) {
        queries.extend([state_owner::first_entry(), state_version()].map(|query| (query, Vec::new())));
    }
    if found.tells_system {
        queries.push((SYSTEM.to_owned(), Vec::new()));
    }
    let described = Described::new(engine, schema, found, overrides);
    // The first sample, of users, is asked for by itself, and these go with it.
    let is_asked = |one: &&Relation| is_of_app(one, overrides) && !one.is_like("user", overrides);
    for relation in described.known().filter(is_asked) {
        let columns = relation.columns();
        let id = columns.iter().find(|column| column.name == "id" && column.holds == ColumnType::ShownByValues);
        queries
            .extend(id.map(|id| (better_auth::sample(&described.place(&relation.name), &id.name, None), Vec::new())));
    }
    engine.ask_ahead(queries);
}

/// Selects the identifier of the server. Not every role may ask for it.
const SYSTEM: &str = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()";

fn is_of_app(relation: &Relation, overrides: &SchemaOverrides) -> bool {
    TABLES.iter().any(|table| relation.is_like(table.name, overrides))
}

/// The schema that the address or the `--schema` file names.
fn named_schema<'n>(address: &'n Address, overrides: &'n SchemaOverrides) -> Result<Option<&'n str>, OpenError> {
    match (address.schema(), overrides.schema()) {
        (Some(one), Some(other)) if one != other => Err(OpenError::Misfit {
            path: address.shown().into(),
            problem: format!("the address names the schema {one}, and the file names {other}"),
            remedy: "remove one of the two".to_owned(),
        }),
        (one, other) => Ok(one.or(other)),
    }
}

/// The schema with the tables of the app: the named one, else the first one of the path of the session, else the only one.
fn choose_schema(
    found: &Found,
    named: Option<&str>,
    shown: &str,
    overrides: &SchemaOverrides,
) -> Result<Option<String>, OpenError> {
    match (found.schemas_of_apps(overrides).as_slice(), named) {
        // The recognition says what is missing there.
        ([], Some(named)) if overrides.has_names() => Ok(Some(named.to_owned())),
        ([], _) => Ok(None),
        ([(schema, _)] | [(schema, true), ..], _) => Ok(Some((*schema).to_owned())),
        ([(one, _), (other, _), ..], _) => {
            let file = |schema: &str| better_auth::file_entry("schema", schema);
            Err(OpenError::Ambiguous {
                path: shown.into(),
                problem: format!("the schemas {one} and {other} both have the tables of an app"),
                remedy: format!(
                    "name the right one with ?schema= in the address, or in a file for --schema: {} or {}",
                    file(one),
                    file(other)
                ),
            })
        }
    }
}

/// Requires that the role sees every row of the tables that may be the app's.
fn require_readable(described: &Described<'_>, shown: &str, overrides: &SchemaOverrides) -> Result<(), OpenError> {
    let (role, schema) = (&described.found.role, described.schema);
    for relation in described.known().filter(|relation| is_of_app(relation, overrides)) {
        let table = &relation.name;
        if !relation.is_open || !relation.rights.iter().any(|right| right == "SELECT") {
            let (grantee, tables) = (identifier(role), grant(described, &[table]));
            return Err(no_rights(
                shown,
                format!("the role {role} may not read {schema}.{table}"),
                format!("GRANT USAGE ON SCHEMA {} TO {grantee}; {tables}", identifier(schema)),
            ));
        }
        if relation.hides_rows {
            return Err(no_rights(
                shown,
                format!("row-level security hides rows of {schema}.{table} from the role {role}"),
                "connect as the owner of the tables, or as a role with BYPASSRLS".to_owned(),
            ));
        }
    }
    Ok(())
}

fn no_rights(shown: &str, problem: String, remedy: String) -> OpenError {
    ServerError::NoRights { address: shown.to_owned(), problem, remedy }.into()
}

/// Requires that no function or operator of another program can run in the place of one of the server's, with the rights of the
/// role: PostgreSQL takes the one whose arguments fit best, in whatever schema of the path it is.
fn require_safe(described: &Described<'_>, guest: &GuestSchema, shown: &str) -> Result<(), OpenError> {
    let Some(users) = users_of(described, guest) else { return Ok(()) };
    let replacing = described.found.replacing(users);
    let Some(first) = replacing.first() else { return Ok(()) };
    let schema = described.schema;
    Err(OpenError::Unsafe {
        path: shown.into(),
        problem: format!(
            "the schema {schema} has a function or operator {first} that the owner of the app's tables did not make and that \
             may run in the place of the server's own"
        ),
        remedy: format!(
            "have it removed or given to the owner of the tables, and REVOKE CREATE ON SCHEMA {} FROM PUBLIC",
            identifier(schema)
        ),
    })
}

/// Selects the version of the schema with authctl's own tables.
fn state_version() -> String {
    format!(r#"SELECT max("version") FROM {}"#, [SCHEMA, HISTORY].map(identifier).join("."))
}

/// Requires that the role can use the schema with authctl's own tables, and that it is of the newest version, to which an
/// older one is migrated. The state is never looked for elsewhere when it is there: the log would be in two places.
fn require_state(described: &Described<'_>, guest: &GuestSchema, address: &Address) -> Result<(), OpenError> {
    let Some(own) = described.found.state() else { return Ok(()) };
    let (shown, role) = (address.shown(), &described.found.role);
    if users_of(described, guest).is_some_and(|users| own.is_of_another(users)) {
        let owner = "a superuser, the owner of the database or the owner of the app's tables";
        return Err(OpenError::Unsafe {
            path: shown.into(),
            problem: format!(
                "a part of the schema {SCHEMA} belongs to a role whose triggers would run with your rights"
            ),
            remedy: format!("have the schema {SCHEMA} and its tables given to {owner}"),
        });
    }
    let denied = || {
        let [schema, role] = [SCHEMA, role].map(identifier);
        let remedy = format!(
            "GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}; \
             GRANT INSERT, UPDATE, DELETE ON {schema}.authctl_throttle, {schema}.authctl_policy TO {role}; \
             GRANT INSERT ON {schema}.authctl_audit TO {role}; GRANT UPDATE ON {schema}.authctl_head TO {role}"
        );
        no_rights(&shown, format!("the role {role} may not read authctl's own tables in the schema {SCHEMA}"), remedy)
    };
    if !own.is_open {
        return Err(denied());
    }
    let found = (&mut described.engine.snapshot_of_one() as &mut dyn Tx)
        .query_one(&state_version(), &[], |row| Ok(row.value(0)?.to_value()));
    let found = match found {
        Err(StoreError::Denied(_)) => return Err(denied()),
        found => found.map_err(|source| failed(address, source))?,
    };
    let found = if let Some(Value::Integer(found)) = found { u32::try_from(found).unwrap_or_default() } else { 0 };
    if found == migrate::LATEST {
        return Ok(());
    }
    let engine = connected_to(SCHEMA, address, described.engine.wait())?;
    Ok(bring_up_to_date(&engine, address, Contents::State).map(drop)?)
}

/// The table of the app's users.
fn users_of<'d>(described: &'d Described<'_>, guest: &GuestSchema) -> Option<&'d Relation> {
    let users = guest.tables.iter().find(|table| table.name == "user")?.physical.as_deref()?;
    described.relation(users)
}

/// Why nothing is written to the tables.
fn blockers(described: &Described<'_>, guest: &GuestSchema) -> Vec<WriteBlocker> {
    let names = guest.tables.iter().filter_map(|table| Some((table.name, table.physical.as_deref()?)));
    let relations: Vec<_> = names.filter_map(|(name, found)| Some((name, described.relation(found)?))).collect();
    let mut blockers = Vec::new();
    let mut block = |problem, remedy| blockers.push(WriteBlocker { problem, remedy, scope: WriteScope::Everything });
    for (name, relation) in &relations {
        let physical = &relation.name;
        if !relation.is_table() {
            let file = better_auth::file_text(&[("tables", vec![((*name).to_owned(), Some("..."))])]);
            block(
                format!("{physical} is a view or a table of another server"),
                format!("name the table with the rows in a file for --schema: {file}"),
            );
        }
        if let Some(rule) = relation.rules.first() {
            block(
                format!("the rule {rule} rewrites what is written to {physical}"),
                "let the owner of the app turn the rule into a trigger".to_owned(),
            );
        }
    }
    let lacks = |relation: &&Relation| RIGHTS.split(", ").any(|right| !relation.rights.iter().any(|has| has == right));
    let closed: Vec<&Relation> = relations.iter().map(|(_, relation)| *relation).filter(lacks).collect();
    if !closed.is_empty() {
        let names: Vec<&str> = closed.iter().map(|relation| relation.name.as_str()).collect();
        let role = &described.found.role;
        block(
            format!("the role {role} may not insert, update and delete rows of {}", names.join(", ")),
            grant(described, &names),
        );
    }
    blockers
}

/// The statement that lets the role work with tables.
fn grant(described: &Described<'_>, tables: &[impl AsRef<str>]) -> String {
    let place = |table: &str| [&*identifier(described.schema), ".", &identifier(table)].concat();
    let places: Vec<String> = tables.iter().map(|table| place(table.as_ref())).collect();
    format!("GRANT {RIGHTS} ON {} TO {}", places.join(", "), identifier(&described.found.role))
}

/// A text that identifies the database of an app, for the name of the file with authctl's state. The identifier of the server
/// tells a database from another one that was made later at the same place.
fn key(engine: &Postgres, address: &Address, schema: &str, found: &Found) -> Result<String, StoreError> {
    let system = if found.tells_system {
        (&mut engine.snapshot_of_one() as &mut dyn Tx).query_one(SYSTEM, &[], |row| row.text(0))?
    } else {
        None
    };
    let (place, database) = (address.key_in(Some(schema)), found.database);
    Ok(format!("{place}#{}/{database}", system.unwrap_or_default()))
}
