//! Turns the tables of a native database into those of an app, in one transaction. Rows are copied by statements, so
//! that memory stays bounded.

use rusqlite::Connection;

use super::create::Adapter;
use super::{SchemaOverrides, detect};
use crate::auth::audit::{Acting, Event, counted};
use crate::auth::password::HashParams;
use crate::auth::secret::StoredHash;
use crate::auth::storage::{Account, BackupSummary, LooseEnds, StoreError, WriteBlocker, WriteScope};
use crate::store::CopyError;
use crate::store::engine::{Engine as _, Tx, Value};
use crate::store::mapping::{Holds, NATIVE, SchemaMapping, TABLES, Table, identifier};
use crate::store::sql::accounts::PASSWORD;
use crate::store::sql::inventory::Inventory;
use crate::store::sql::steps::make_way;
use crate::store::sql::{Both, SqlStore, State, api_tokens, policy, retrying, rows, throttle};
use crate::store::sqlite::Sqlite;
use crate::store::sqlite::definition::Definition;
use crate::store::sqlite::description::Described;
use crate::store::sqlite::error::SqliteResult as _;

/// What a conversion did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Converted {
    pub users: u64,
    /// Passwords that the app verifies.
    pub passwords_kept: u64,
    /// The ids of the users whose password the app cannot verify, and who have none now.
    pub without_password: Vec<String>,
    pub sessions: u64,
    pub codes: u64,
    /// Second factors, whose secrets the app cannot read. Their users sign in with the password alone.
    pub second_factors: u64,
    /// API tokens, which the app does not know.
    pub tokens: u64,
    /// Columns of authctl that the schema of the app lacks, such as `user.role`, with their values.
    pub columns_kept: Vec<String>,
    /// What other programs added to the tables and does not fit the new ones, by kind and name: indexes, triggers, computed
    /// columns, and constraints of columns.
    pub left_out: Vec<String>,
    /// Settings of the policy that differ from the defaults.
    pub settings: u64,
}

/// The schema of an app that a database gets.
#[derive(Debug)]
pub(in crate::store) struct Target {
    adapter: Adapter,
    /// Names and encodings of that schema.
    mapping: SchemaMapping,
    /// The indexes and triggers of a native database.
    native: Vec<String>,
}

impl Target {
    /// Takes the names of all objects of a native database.
    pub(in crate::store) fn new(adapter: Adapter, native: Vec<String>) -> Result<Self, StoreError> {
        let empty = Connection::open_in_memory().engine()?;
        empty.execute_batch(&adapter.tables()).engine()?;
        let recognised = detect::recognise(&Described(&empty), &SchemaOverrides::default());
        let recognised = recognised.map_err(|error| StoreError::Engine(format!("no schema of an app: {error:?}")))?;
        Ok(Self { adapter, mapping: recognised.mapping, native })
    }
}

/// A native database that becomes an app's, and what authctl keeps about that app.
#[derive(Debug)]
pub struct Conversion<'a> {
    native: Sqlite,
    state: State,
    acting: Acting,
    loose_ends: &'a mut LooseEnds,
}

impl<'a> Conversion<'a> {
    pub fn new(native: Sqlite, state: State, acting: Acting, loose_ends: &'a mut LooseEnds) -> Self {
        Self { native, state, acting, loose_ends }
    }

    /// Converts the database. Its settings and counts of attempts move to the state. `back_up` copies the database while
    /// no other process can write to it.
    pub(in crate::store) fn run(
        &mut self,
        target: &Target,
        back_up: &mut dyn FnMut() -> Result<BackupSummary, CopyError>,
    ) -> Result<Result<Converted, CopyError>, StoreError> {
        let Self { native, state, acting, loose_ends } = self;
        let now = acting.actor().at;
        let mut act = |tx: &mut dyn Tx, log: &mut Vec<Event>| {
            let before = match back_up() {
                Ok(before) => before,
                Err(error) => return Ok(Err(error)),
            };
            let converted = convert(tx, target)?;
            log.push(event(&converted, &before));
            Ok(Ok(converted))
        };
        let mut carry = |tx: &mut dyn Tx, state: &mut dyn Tx, log: &mut Vec<Event>| {
            policy::take_over(state, log, &policy::settings(tx)?, now)?;
            throttle::take_over(state, tx)?;
            drop_own(tx, target)
        };
        retrying(native.wait(), || {
            let state = &mut *state.engine;
            let mut both = Both { app: native, mapping: &NATIVE, state, acting, loose_ends };
            both.write(&mut act, Some(&mut carry), &|_| None)
        })
    }
}

impl SqlStore {
    /// Does the work of a conversion and takes it back.
    pub(in crate::store) fn plan_conversion(&mut self, target: &Target) -> Result<Converted, StoreError> {
        self.dry_run(|tx, _, _| convert(tx, target))
    }
}

fn event(converted: &Converted, before: &BackupSummary) -> Event {
    let Converted { users, without_password, sessions, codes, second_factors, tokens, .. } = converted;
    let (users, ended) = (counted(*users, "user"), counted(*sessions, "session"));
    let removed = counted(without_password.len() as u64, "password");
    let log = format!("the log of {} entries that ended in {} is in the backup", before.entries, before.head);
    let removed = match second_factors {
        0 => removed,
        count => format!("{removed} and {}", counted(*count, "second factor")),
    };
    let ended = match tokens {
        0 => ended,
        count => format!("{ended}, {}", counted(*count, "API token")),
    };
    let detail = format!("{users}; removed {removed}; ended {ended} and {}; {log}", counted(*codes, "code"));
    Event::new("database.converted").with(detail)
}

/// The prefix of what authctl makes besides the four tables. The old tables get it too.
const OWN: &str = "authctl_";

/// The condition for indexes and triggers of the four tables, in any case of letters.
const OF_TABLES: &str = r#"lower("tbl_name") IN ('user', 'session', 'account', 'verification')"#;

fn old(table: &str) -> String {
    identifier(&format!("{OWN}old_{table}"))
}

fn convert(tx: &mut dyn Tx, target: &Target) -> Result<Converted, StoreError> {
    let mut converted = Converted {
        users: rows::count(tx, &NATIVE, "user")?,
        sessions: rows::count(tx, &NATIVE, "session")?,
        codes: rows::count(tx, &NATIVE, "verification")?,
        tokens: rows::count(tx, &NATIVE, api_tokens::TABLE)?,
        settings: policy::settings(tx)?.len() as u64,
        ..Converted::default()
    };
    // The app would ask for a factor that it does not have.
    let flag = r#"UPDATE "user" SET "twoFactorEnabled" = 0 WHERE "twoFactorEnabled" <> 0"#;
    converted.second_factors = tx.change(flag, &[])?;
    let additions = additions(tx, &target.native)?;
    drop_objects(tx, OF_TABLES, &["trigger", "index"], |_| true)?;
    make_way_for_all(tx, &mut converted)?;
    for table in TABLES {
        tx.execute(&format!("ALTER TABLE {} RENAME TO {}", identifier(table.name), old(table.name)), &[])?;
    }
    // No statement of a schema has a semicolon at the end of a line in it.
    for statement in target.adapter.tables().split(";\n").filter(|statement| !statement.trim().is_empty()) {
        tx.execute(statement, &[])?;
    }
    for table in TABLES {
        let columns = columns(tx, target, table, &mut converted)?;
        if is_copied(table) {
            copy(tx, table.name, &columns)?;
        }
    }
    drop_objects(tx, "TRUE", &["table"], |name| TABLES.iter().any(|table| identifier(name) == old(table.name)))?;
    for Object { kind, name, sql } in additions {
        match tx.execute(&sql, &[]) {
            Ok(_) => {}
            // A column of it has another name now, or it calls a function that only its program has.
            Err(StoreError::Engine(_) | StoreError::Corrupt(_) | StoreError::Trigger(_)) => {
                converted.left_out.push(format!("{kind} {name}"));
            }
            Err(error) => return Err(error),
        }
    }
    for setting in ["application_id", "user_version"] {
        tx.execute(&["PRAGMA ", setting, " = 0"].concat(), &[])?;
    }
    Ok(converted)
}

/// Drops the tables of authctl besides the four. A table of another program may have the prefix too, and stays.
fn drop_own(tx: &mut dyn Tx, target: &Target) -> Result<(), StoreError> {
    let is_own = |name: &str| name.starts_with(OWN) && target.native.iter().any(|own| own == name);
    drop_objects(tx, "TRUE", &["table"], is_own)
}

/// Whether the rows of a table go to the app. Its cookies and links match no session or code of authctl, which stores
/// digests.
fn is_copied(table: &Table) -> bool {
    ["user", "account"].contains(&table.name)
}

struct Object {
    kind: String,
    name: String,
    sql: String,
}

/// The indexes and triggers of other programs on the four tables.
fn additions(tx: &mut dyn Tx, native: &[String]) -> Result<Vec<Object>, StoreError> {
    let sql = format!(
        r#"SELECT "type", "name", "sql" FROM "sqlite_schema" WHERE "type" IN ('index', 'trigger') AND "sql" IS NOT NULL
           AND {OF_TABLES} ORDER BY "rowid""#
    );
    let mut found =
        tx.query_all(&sql, &[], |row| Ok(Object { kind: row.text(0)?, name: row.text(1)?, sql: row.text(2)? }))?;
    found.retain(|object| !native.contains(&object.name));
    Ok(found)
}

/// Drops the objects that a condition selects and whose names are meant, one kind after the other. The indexes of
/// constraints go with their tables.
fn drop_objects(
    tx: &mut dyn Tx,
    condition: &str,
    kinds: &[&str],
    is_meant: impl Fn(&str) -> bool,
) -> Result<(), StoreError> {
    for kind in kinds {
        let sql =
            format!(r#"SELECT "name" FROM "sqlite_schema" WHERE "type" = ?1 AND "sql" IS NOT NULL AND {condition}"#);
        let names = tx.query_all(&sql, &[(*kind).into()], |row| row.text(0))?;
        for name in names.iter().filter(|name| is_meant(name)) {
            tx.execute(&["DROP ", kind, " ", &identifier(name)].concat(), &[])?;
        }
    }
    Ok(())
}

/// Removes the passwords that the app cannot verify, and what refers to them, to sessions and to codes: none of these
/// rows goes to the app.
///
/// # Errors
/// [`StoreError::Held`] when rows of other programs keep one.
fn make_way_for_all(tx: &mut dyn Tx, converted: &mut Converted) -> Result<(), StoreError> {
    let inventory = Inventory::read(tx, &NATIVE)?.without_keys();
    for table in TABLES.iter().filter(|table| !is_copied(table)) {
        make_way(tx, &inventory, &inventory.steps(table.name, "TRUE")?, &[])?;
    }
    let forgotten = unverifiable(tx, converted)?;
    let deletion = inventory.deletion("account", "rowid = ?1")?;
    forgotten.iter().try_for_each(|row| deletion.run(tx, std::slice::from_ref(row)).map(drop))
}

/// Finds the password accounts whose hash the app cannot verify: it answers 500 for the hash of another function. Users
/// without such an account get 401, and one when they set a password with a code.
fn unverifiable(tx: &mut dyn Tx, converted: &mut Converted) -> Result<Vec<Value>, StoreError> {
    let sql = format!(
        r#"SELECT rowid, "userId", {PASSWORD} FROM "account" WHERE "providerId" = ?1 AND "password" IS NOT NULL"#
    );
    let mut forgotten = Vec::new();
    tx.each(&sql, &[Account::CREDENTIAL.into()], |row| {
        let hash = row.value(2)?.as_bytes().and_then(|bytes| StoredHash::from_bytes(bytes).ok());
        if hash.is_some_and(|hash| HashParams::of(&hash) == Some(HashParams::Scrypt)) {
            converted.passwords_kept += 1;
        } else {
            forgotten.push(row.integer(0)?.into());
            converted.without_password.push(rows::key(row, 1, &NATIVE, "user")?);
        }
        Ok(())
    })?;
    Ok(forgotten)
}

/// A column of a new table, and the expression that computes its value from the old one.
struct CopiedColumn {
    name: String,
    value: String,
}

/// The columns of a new table that get values. Columns of other programs, and those of authctl with values that the
/// app's schema has no place for, are added to the table, which is empty here.
fn columns(
    tx: &mut dyn Tx,
    target: &Target,
    table: &Table,
    converted: &mut Converted,
) -> Result<Vec<CopiedColumn>, StoreError> {
    let found = old_columns(tx, table)?;
    let value = |name: &str| match table.column(name).map(|column| column.holds) {
        Some(Holds::Time) => target.mapping.times.of(table.name, name).of_seconds(&identifier(name)),
        _ => identifier(name),
    };
    let new_name = |name: &str| target.mapping.column(table.name, table.column(name)?.name).map(str::to_owned);
    let is_other = |name: &&str| value(name) != identifier(name) || new_name(name).is_some_and(|new| new != *name);
    let changed: Vec<String> =
        found.iter().map(|column| column.name.as_str()).filter(is_other).map(str::to_owned).collect();
    let mut columns = Vec::new();
    for OldColumn { name, plain, whole, is_computed } in found {
        let known = table.column(&name);
        let quoted = identifier(&name);
        let value = value(&name);
        if let Some(column) = new_name(&name) {
            columns.push(CopiedColumn { name: column, value });
            continue;
        }
        if let Some(known) = known {
            let says_something = if known.holds == Holds::Truth { " <> 0" } else { " IS NOT NULL" };
            let sql = ["SELECT count(*) FROM ", &old(table.name), " WHERE ", &quoted, says_something].concat();
            if !is_copied(table) || tx.count(&sql, &[])? == 0 {
                continue;
            }
        }
        // An expression means something else when a column in it has another name or other values now.
        let names_other = |word: &str| changed.iter().any(|other| other.eq_ignore_ascii_case(word));
        let is_as_before = !whole.split(|c: char| !c.is_alphanumeric() && c != '_').any(names_other);
        let is_whole = is_as_before && add_column(tx, table, &whole)?;
        if !is_whole && is_computed {
            converted.left_out.push(format!("column {}.{name}", table.name));
            continue;
        }
        if !is_whole {
            if !add_column(tx, table, &plain)? {
                return Err(in_the_way(table, &name));
            }
            let words = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
            if words(&whole) != words(&plain) {
                converted.left_out.push(format!("constraints of column {}.{name}", table.name));
            }
        }
        converted.columns_kept.extend(known.map(|known| format!("{}.{}", table.name, known.name)));
        if !is_computed {
            columns.push(CopiedColumn { name, value });
        }
    }
    Ok(columns)
}

/// A column of a native database.
struct OldColumn {
    name: String,
    /// Its name, type, NOT NULL and default.
    plain: String,
    /// All that was written about it.
    whole: String,
    /// Its values are computed from other columns.
    is_computed: bool,
}

fn old_columns(tx: &mut dyn Tx, table: &Table) -> Result<Vec<OldColumn>, StoreError> {
    let name = [format!("{OWN}old_{}", table.name).into()];
    let sql = r#"SELECT "sql" FROM "sqlite_schema" WHERE "type" = 'table' AND "name" = ?1"#;
    let text = tx.query_one(sql, &name, |row| row.text(0))?.unwrap_or_default();
    let definition = Definition::of(&text);
    let of_table = r#"SELECT "name", "type", "notnull", "dflt_value", "hidden" FROM pragma_table_xinfo(?1)"#;
    tx.query_all(of_table, &name, |row| {
        let name = row.text(0)?;
        let not_null = if row.truth(2)? { " NOT NULL" } else { "" };
        let default = row.optional_text(3)?.map(|default| format!(" DEFAULT ({default})")).unwrap_or_default();
        let plain = format!("{} {}{not_null}{default}", identifier(&name), row.text(1)?);
        let whole = definition.as_ref().and_then(|table| table.column(&name)).unwrap_or(&plain).to_owned();
        Ok(OldColumn { name, plain, whole, is_computed: row.truth(4)? })
    })
}

/// Adds a column to an empty table. Returns `false` if its definition does not fit there.
fn add_column(tx: &mut dyn Tx, table: &Table, definition: &str) -> Result<bool, StoreError> {
    match tx.execute(&["ALTER TABLE ", &identifier(table.name), " ADD COLUMN ", definition].concat(), &[]) {
        Ok(_) => Ok(true),
        Err(StoreError::Engine(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The error about a column of another program whose name the app's schema needs.
fn in_the_way(table: &Table, column: &str) -> StoreError {
    StoreError::NotOurs(WriteBlocker {
        problem: format!("the column {}.{column} does not fit into the table of the app", table.name),
        remedy: "rename or drop it, or choose another form with --adapter, --names and --time".to_owned(),
        scope: WriteScope::Column(format!("{}.{column}", table.name)),
    })
}

fn copy(tx: &mut dyn Tx, table: &str, columns: &[CopiedColumn]) -> Result<(), StoreError> {
    let names: Vec<String> = columns.iter().map(|column| identifier(&column.name)).collect();
    let values: Vec<&str> = columns.iter().map(|column| column.value.as_str()).collect();
    let sql = format!(
        "INSERT INTO {} ({}) SELECT {} FROM {} ORDER BY rowid",
        identifier(table),
        names.join(", "),
        values.join(", "),
        old(table)
    );
    tx.change(&sql, &[]).map(drop)
}
