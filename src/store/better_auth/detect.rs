//! Recognises the database of a Better Auth app from its schema and some of its rows. An ambiguous database is
//! not read, and a database with a column that authctl does not understand is not written.

use std::path::Path;

use super::description::{ColumnType, Description, FoundColumn, FoundTable};
use super::encodings::ReadTable;
use super::ids::{self, FoundIds};
use super::local_times::LocalTimes;
use super::near;
use super::overrides::{SchemaOverrides, file_text, line, may_be_elsewhere};
use crate::auth::storage::{GuestColumn, GuestSchema, GuestTable, GuestTrigger, StoreError, WriteBlocker, WriteScope};
use crate::store::OpenError;
use crate::store::mapping::{
    Column, Evidence, Holds, NATIVE, Names, NeededColumn, Reading, SchemaMapping, TABLES, Table, TokenStorage,
    identifier, is_called, missing_name,
};

/// The columns by which a table is recognised as one of Better Auth.
pub(super) const ESSENTIAL: &[&str] =
    &["id", "email", "token", "userId", "expiresAt", "accountId", "providerId", "identifier"];
/// The columns without which no row of a table is found.
const KEYS: &[&str] = &["id", "userId"];
/// The value of the column `account.issuer`, which versions 1.7.0 to 1.7.2 added, for accounts with a password.
const ISSUER: &str = "local:credential";

/// Columns that authctl neither reads nor needs to write. A database may lack them.
const UNUSED: &[(&str, &str)] = &[
    ("user", "image"),
    ("session", "ipAddress"),
    ("session", "userAgent"),
    ("account", "accessToken"),
    ("account", "refreshToken"),
    ("account", "idToken"),
    ("account", "accessTokenExpiresAt"),
    ("account", "refreshTokenExpiresAt"),
    ("account", "scope"),
];

/// Reasons why a database is not read as one of Better Auth.
#[derive(Debug)]
pub(super) enum NotRead {
    /// A table of Better Auth, or its `id`, is missing.
    Foreign,
    /// Tables have other names, and some come near.
    Renamed {
        problem: String,
        /// Names the near ones.
        remedy: String,
    },
    /// A table lacks an essential column.
    Lacking {
        problem: String,
        remedy: String,
    },
    /// Two tables or columns fit the same name.
    Ambiguous {
        problem: String,
        /// Names both.
        remedy: String,
    },
    /// The `--schema` file gives one table or column two names of Better Auth.
    TwoNames(String),
    Store(StoreError),
}

impl From<StoreError> for NotRead {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

#[derive(Debug)]
pub(in crate::store) struct Recognised {
    pub(in crate::store) mapping: SchemaMapping,
    pub(in crate::store) schema: GuestSchema,
    pub(in crate::store) evidence: Evidence,
    /// The tables whose rows are not reached.
    pub(in crate::store) absent: Vec<&'static Table>,
}

/// The state of the recognition.
struct Findings<'c> {
    database: &'c dyn Description,
    overrides: &'c SchemaOverrides,
    names: Names,
    tables: Vec<GuestTable>,
    evidence: Evidence,
    fixed: Vec<(&'static str, String, String)>,
    without_order: Vec<&'static str>,
    triggers: Vec<GuestTrigger>,
    write_blockers: Vec<WriteBlocker>,
    has_default_role: bool,
    without_new_rows: Vec<(&'static str, WriteBlocker)>,
    needed: Vec<NeededColumn>,
    read_only: Vec<(&'static str, &'static str, WriteBlocker)>,
    near: Vec<(&'static str, &'static str, String)>,
    absent: Vec<&'static Table>,
    local_times: LocalTimes,
}

/// Reads the schema of a database and some of its rows.
pub(super) fn recognise(database: &dyn Description, overrides: &SchemaOverrides) -> Result<Recognised, NotRead> {
    let mut findings = Findings::new(database, overrides);
    findings.require_single_tables()?;
    for table in TABLES {
        findings.add_table(table)?;
    }
    let FoundIds { ids, name: ids_name, without_new_rows } =
        ids::find(database, &findings.names, &findings.without_order)?;
    findings.without_new_rows.extend(without_new_rows);
    let Findings {
        names,
        tables,
        evidence,
        fixed,
        without_order,
        triggers,
        mut write_blockers,
        has_default_role,
        without_new_rows,
        needed,
        read_only,
        near,
        absent,
        local_times,
        ..
    } = findings;
    let verdict = evidence.verdict();
    let unclear = local_times.unclear();
    write_blockers.extend(unclear.clone());
    write_blockers.extend(verdict.blockers.iter().cloned());
    write_blockers.extend(read_only.iter().map(|(_, _, blocker)| blocker.clone()));
    write_blockers.extend(without_new_rows.iter().map(|(_, blocker)| blocker.clone()));
    for table in TABLES {
        let of_table: Vec<_> = needed.iter().filter(|column| column.table == table.name).collect();
        write_blockers.extend(NeededColumn::blocker(&of_table));
    }
    let unreached = tables.iter().filter_map(|table| Some((table.name, table.unreached.clone()?))).collect();
    let (time, time_evidence) = match unclear {
        Some(unclear) => ("not clear".to_owned(), unclear.problem),
        None => (verdict.name.clone(), verdict.evidence.clone()),
    };
    let mut mapping = SchemaMapping {
        names: Some(names),
        tokens: TokenStorage::Plain,
        ids,
        fixed,
        without_insertion_order: without_order,
        passwords: overrides.passwords(),
        has_default_role,
        without_new_rows,
        unreached,
        needed,
        read_only,
        near,
        ..NATIVE
    };
    mapping.decide(verdict);
    let schema =
        GuestSchema { tables, time, time_evidence, ids: ids_name, triggers, write_blockers, unsafe_place: None };
    Ok(Recognised { mapping, schema, evidence, absent })
}

/// As [`recognise`], with the error about the file at a path.
pub(in crate::store) fn read(
    database: &dyn Description,
    path: &Path,
    overrides: &SchemaOverrides,
) -> Result<Recognised, OpenError> {
    recognise(database, overrides).map_err(|not_read| match not_read {
        NotRead::Foreign => OpenError::Foreign(path.into()),
        NotRead::Renamed { problem, remedy } => OpenError::Renamed { path: path.into(), problem, remedy },
        NotRead::Lacking { problem, remedy } => OpenError::Lacking { path: path.into(), problem, remedy },
        NotRead::Ambiguous { problem, remedy } => OpenError::Ambiguous { path: path.into(), problem, remedy },
        NotRead::TwoNames(problem) => {
            let remedy = "remove one of the two from the --schema file".to_owned();
            OpenError::Misfit { path: path.into(), problem, remedy }
        }
        NotRead::Store(source) => OpenError::Store { path: path.into(), source },
    })
}

/// Requires that a native database is read as one of Better Auth once it is converted: tables and columns of other
/// programs may have names that come near, and the overrides may be about another database.
///
/// # Errors
/// As for [`recognise`].
pub(in crate::store) fn require_readable(
    database: &dyn Description,
    path: &Path,
    overrides: &SchemaOverrides,
) -> Result<(), OpenError> {
    read(database, path, overrides).map(drop)
}

impl<'c> Findings<'c> {
    fn new(database: &'c dyn Description, overrides: &'c SchemaOverrides) -> Self {
        Self {
            database,
            overrides,
            names: Names::of_schema(),
            tables: Vec::new(),
            evidence: Evidence { named: overrides.time(), ..Evidence::default() },
            fixed: Vec::new(),
            without_order: Vec::new(),
            triggers: Vec::new(),
            write_blockers: Vec::new(),
            has_default_role: false,
            without_new_rows: Vec::new(),
            needed: Vec::new(),
            read_only: Vec::new(),
            near: Vec::new(),
            absent: Vec::new(),
            local_times: LocalTimes::new(overrides.zone(), database.signs()),
        }
    }

    fn require_single_tables(&self) -> Result<(), NotRead> {
        let tables = TABLES.iter().filter(|table| !self.overrides.is_elsewhere(table.name));
        // A table that is not found is reported where it is read.
        let found: Vec<_> = tables.filter_map(|table| Some((table.name, self.find(table).ok()?.name))).collect();
        near::require_single("table", "", found.iter().map(|(table, name)| (*table, Some(name.as_str()))))
    }

    fn add_table(&mut self, table: &'static Table) -> Result<(), NotRead> {
        if self.overrides.is_elsewhere(table.name) {
            self.add_absent(table, elsewhere(table));
            return Ok(());
        }
        let FoundTable { name: physical, has_insertion_order } = match self.find(table) {
            Ok(found) => found,
            Err(error) => match self.absence(table)? {
                Some(unreached) => {
                    self.add_absent(table, unreached);
                    return Ok(());
                }
                None => return Err(error),
            },
        };
        let existing = self.database.columns(&physical)?;
        if let Some(unreached) = self.lack(table, &physical, &existing)? {
            self.add_absent(table, unreached);
            return Ok(());
        }
        if !has_insertion_order {
            self.without_order.push(table.name);
        }
        let by_key = existing.iter().find(|column| column.key).or_else(|| existing.first());
        let key = by_key.filter(|_| !has_insertion_order);
        let order = key.map(|key| identifier(&key.name));
        let mut columns = Vec::new();
        // The columns that may be those whose absence stops new rows: the hint about these names them.
        let mut near_missing: Vec<&str> = Vec::new();
        let mut read = Vec::new();
        for column in table.columns {
            let hint = self.overrides.column(table.name, column.name);
            let mut named =
                existing.iter().filter(|one| is_called(&one.name, hint.unwrap_or(column.name), hint.is_some()));
            let found = named.next();
            if let (Some(one), Some(other)) = (found, named.next()) {
                let both = format!("{physical}.{} and {physical}.{} could both be", one.name, other.name);
                let lines = [one, other].map(|found| line("columns", table.name, column.name, &found.name));
                return Err(NotRead::Ambiguous {
                    problem: format!("{both} {}.{}", table.name, column.name),
                    remedy: choose(&lines),
                });
            }
            let own_name = || missing_name(existing.iter().map(|one| one.name.as_str()), column.name);
            let lack = || format!("the table {physical} has no column {}", own_name());
            let near = || match near::lines_for_column(&existing, table, column.name) {
                near if near.is_empty() => line("columns", table.name, column.name, "..."),
                near => near.join(" or "),
            };
            if found.is_none() && column.core && !UNUSED.contains(&(table.name, column.name)) {
                let blocker = WriteBlocker {
                    problem: lack(),
                    remedy: format!(
                        "bring the app's migrations to their end, or name the column in the --schema file: {}",
                        near()
                    ),
                    scope: WriteScope::Column(format!("{physical}.{}", own_name())),
                };
                self.read_only.push((table.name, column.name, blocker));
                near_missing.extend(near::columns(&existing, table, column.name));
            }
            if let Some(found) = found.filter(|found| found.is_computed) {
                self.add_computed(table, column, format!("{physical}.{}", found.name));
            }
            read.extend(found.map(|found| (column.name, found)));
            if (table.name, column.name) == ("user", "role") {
                let default = found.and_then(|found| found.default.as_deref());
                let has_default = default.is_some_and(|default| !default.eq_ignore_ascii_case("null"));
                // What the app writes into an array is not known.
                let is_unknown = found.is_some_and(|found| found.is_computed || found.holds == ColumnType::Texts);
                self.has_default_role = has_default || is_unknown;
            }
            if found.is_none() {
                let near = near::lines_for_column(&existing, table, column.name);
                self.near.extend((!near.is_empty()).then(|| (table.name, column.name, near.join(" or "))));
            }
            self.names.set_column(table.name, column.name, found.map(|found| found.name.as_str()));
            if let Some(found) = found.filter(|_| column.holds == Holds::Text) {
                self.names.set_reading(table.name, column.name, reading(column.name, found.holds));
            }
            columns.push(GuestColumn {
                name: column.name,
                physical: found.map(|found| found.name.clone()),
                declared: found.map(|found| found.declared.clone()).unwrap_or_default(),
            });
        }
        let found_columns = columns.iter().map(|column| (column.name, column.physical.as_deref()));
        near::require_single("column", &format!("{}.", table.name), found_columns)?;
        let read = ReadTable { known: table, name: &physical, order: order.as_deref(), columns: read };
        read.add_to(&mut self.evidence, &mut self.local_times, self.database, self.overrides)?;
        self.require_columns_of_values(table, &physical, &existing, &columns)?;
        self.add_unknown(table, &physical, &existing, &columns, &near_missing);
        self.triggers.extend(self.database.triggers(&physical)?);
        self.names.set_table(table.name, &physical);
        self.tables.push(GuestTable { name: table.name, physical: Some(physical), columns, unreached: None });
        Ok(())
    }

    /// Why the rows of a missing table are not reached; `None` if the database cannot be used without it.
    ///
    /// # Errors
    /// [`NotRead::Renamed`] if another table may be it: its rows would outlive every act that ends them.
    fn absence(&self, table: &Table) -> Result<Option<WriteBlocker>, NotRead> {
        let is_named = self.overrides.table(table.name).is_some();
        if table.name == "user" || is_named || !near::is_missing(self.database, table)? {
            return Ok(None);
        }
        if !may_be_elsewhere(table.name) {
            let is_of_better_auth = self.has_whole_users()? && self.has_another_than(table)?;
            let text = file_text(&[("tables", vec![(table.name.to_owned(), Some("..."))])]);
            return Ok(is_of_better_auth.then(|| WriteBlocker {
                problem: format!("the database has no table {}", table.name),
                remedy: format!("name it in the --schema file, if it has another name: {text}"),
                scope: WriteScope::NewRows(table.name.to_owned()),
            }));
        }
        // In the database of another program, the error about its accounts says more.
        let has_accounts = TABLES.iter().find(|one| one.name == "account").map(|account| self.find(account).is_ok());
        if !has_accounts.unwrap_or_default() && !self.has_another_than(table)? {
            return Ok(None);
        }
        match near::suspected(self.database, self.overrides, self.names.table("user"))? {
            Some((problem, remedy)) => Err(NotRead::Renamed { problem, remedy }),
            None => Ok(Some(elsewhere(table))),
        }
    }

    /// Whether a table other than that of users, and other than another one, has the essential columns.
    fn has_another_than(&self, other: &Table) -> Result<bool, NotRead> {
        for table in TABLES.iter().filter(|table| table.name != "user" && table.name != other.name) {
            if let Ok(found) = self.find(table)
                && self.fits(table, &found)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether users have every column that Better Auth needs. The users of another program may have some.
    fn has_whole_users(&self) -> Result<bool, NotRead> {
        let existing = self.database.columns(self.names.table("user"))?;
        let has = |column: &Column| {
            let hint = self.overrides.column("user", column.name);
            existing.iter().any(|one| is_called(&one.name, hint.unwrap_or(column.name), hint.is_some()))
        };
        let columns = TABLES.iter().filter(|table| table.name == "user").flat_map(|table| table.columns);
        Ok(columns.filter(|column| column.core && !UNUSED.contains(&("user", column.name))).all(has))
    }

    /// Why the rows of a table that lacks essential columns are not reached; `None` if they are.
    ///
    /// # Errors
    /// [`NotRead::Lacking`] if another column comes near, or if the database cannot be used without the column.
    fn lack(&self, table: &Table, physical: &str, existing: &[FoundColumn]) -> Result<Option<WriteBlocker>, NotRead> {
        let hint = |column: &str| self.overrides.column(table.name, column);
        let is_there = |column: &str| {
            existing.iter().any(|one| is_called(&one.name, hint(column).unwrap_or(column), hint(column).is_some()))
        };
        let names = table.columns.iter().map(|column| column.name);
        let missing: Vec<&str> = names.filter(|name| ESSENTIAL.contains(name) && !is_there(name)).collect();
        if missing.is_empty() {
            return Ok(None);
        }
        let is_of_better_auth = self.has_another_than(table)?;
        if missing.contains(&"id") && !is_of_better_auth {
            return Err(NotRead::Foreign);
        }
        let own_name = |column| missing_name(existing.iter().map(|one| one.name.as_str()), column);
        let called = missing.iter().map(|&column| hint(column).map_or_else(|| own_name(column), str::to_owned));
        let called: Vec<String> = called.collect();
        let problem = format!("the table {physical} has no column {}", called.join(", "));
        let near: Vec<Option<&str>> =
            missing.iter().map(|column| near::columns(existing, table, column).next()).collect();
        let entries = missing
            .iter()
            .zip(&near)
            .map(|(column, near)| (format!("{}.{column}", table.name), Some(near.unwrap_or("..."))));
        let remedy = format!(
            "finish the app's migration, or name the column in a file for --schema: {}",
            file_text(&[("columns", entries.collect())])
        );
        let is_named =
            self.overrides.table(table.name).is_some() || missing.iter().any(|column| hint(column).is_some());
        if table.name == "user" || is_named || !is_of_better_auth || near.iter().any(Option::is_some) {
            return Err(NotRead::Lacking { problem, remedy });
        }
        let scope = WriteScope::NewRows(physical.to_owned());
        Ok(missing.iter().any(|column| KEYS.contains(column)).then_some(WriteBlocker { problem, remedy, scope }))
    }

    /// Puts an empty table without new rows in the place of one whose rows are not reached.
    fn add_absent(&mut self, table: &'static Table, unreached: WriteBlocker) {
        self.without_order.push(table.name);
        self.names.set_table(table.name, &name_of_absent(table));
        self.absent.push(table);
        let none = |column: &Column| GuestColumn { name: column.name, physical: None, declared: String::new() };
        let columns = table.columns.iter().map(none).collect();
        self.tables.push(GuestTable { name: table.name, physical: None, columns, unreached: Some(unreached.clone()) });
        self.without_new_rows.push((table.name, unreached));
    }

    /// Refuses to write a column that the database computes. Without an id that authctl writes, there are no new rows.
    fn add_computed(&mut self, table: &'static Table, column: &Column, place: String) {
        let mut blocker = WriteBlocker {
            problem: format!("the database computes {place}"),
            remedy: "let the app change the columns that it is computed from".to_owned(),
            scope: WriteScope::Column(place),
        };
        if column.name == "id" {
            blocker.scope = WriteScope::NewRows(table.name.to_owned());
            self.without_new_rows.push((table.name, blocker));
        } else {
            self.read_only.push((table.name, column.name, blocker));
        }
    }

    /// Requires that the `--schema` file names values for columns of the app alone.
    fn require_columns_of_values(
        &self,
        table: &Table,
        physical: &str,
        existing: &[FoundColumn],
        known: &[GuestColumn],
    ) -> Result<(), NotRead> {
        let of_app = || existing.iter().filter(|column| is_of_app(column, known)).map(|column| column.name.as_str());
        for (column, value) in self.overrides.values_of(table.name) {
            if of_app().any(|name| name == column) {
                continue;
            }
            let remedy = near::nearest(of_app(), column).map_or_else(
                || "leave it out, or name a column that only the app knows".to_owned(),
                |near| format!("correct the name: {}", line("values", table.name, near, value)),
            );
            let key = format!("{}.{column}", table.name);
            let problem =
                format!("\"values\" in the --schema file names {key}, and {physical} has no such column of the app");
            return Err(NotRead::Renamed { problem, remedy });
        }
        Ok(())
    }

    /// Refuses new rows when a column of the app needs a value that authctl does not know, and is not one that may be a
    /// missing column of Better Auth.
    fn add_unknown(
        &mut self,
        table: &Table,
        physical: &str,
        existing: &[FoundColumn],
        known: &[GuestColumn],
        near_missing: &[&str],
    ) {
        for column in existing {
            if !is_of_app(column, known) {
                continue;
            }
            if let Some(value) = self.overrides.value(table.name, &column.name) {
                self.fixed.push((table.name, column.name.clone(), value.to_owned()));
            } else if table.name == "account" && column.name.eq_ignore_ascii_case("issuer") {
                self.fixed.push((table.name, column.name.clone(), ISSUER.to_owned()));
            } else if column.not_null && column.default.is_none() && !near_missing.contains(&column.name.as_str()) {
                self.needed.push(NeededColumn {
                    table: table.name,
                    physical: physical.to_owned(),
                    column: column.name.clone(),
                });
            }
        }
    }

    /// Finds a table by its name, its plural, or its name in the overrides.
    fn find(&self, table: &Table) -> Result<FoundTable, NotRead> {
        if let Some(name) = self.overrides.table(table.name) {
            return self.database.table(name)?.ok_or_else(|| NotRead::Renamed {
                problem: format!("it has no table {name}, which the --schema file names for {}", table.name),
                remedy: format!("correct \"tables\" in the --schema file: the app's name of {}", table.name),
            });
        }
        let singular = self.database.table(table.name)?;
        let plural = self.database.table(&format!("{}s", table.name))?;
        match (singular, plural) {
            (Some(one), Some(other)) => match (self.fits(table, &one)?, self.fits(table, &other)?) {
                (true, true) => Err(NotRead::Ambiguous {
                    problem: format!("{} and {} could both be the table {}", one.name, other.name, table.name),
                    remedy: choose(&[one, other].map(|found| {
                        file_text(&[("tables", vec![(table.name.to_owned(), Some(found.name.as_str()))])])
                    })),
                }),
                (false, true) => Ok(other),
                (_, false) => Ok(one),
            },
            (one, other) => one.or(other).ok_or_else(|| near::error(self.database, self.overrides)),
        }
    }

    /// Whether a table has every column that makes it one of Better Auth.
    fn fits(&self, table: &Table, found: &FoundTable) -> Result<bool, StoreError> {
        let existing = self.database.columns(&found.name)?;
        let has = |column: &&'static str| {
            let hint = self.overrides.column(table.name, column);
            existing.iter().any(|one| is_called(&one.name, hint.unwrap_or(column), hint.is_some()))
        };
        Ok(ESSENTIAL.iter().filter(|column| table.column(column).is_some()).all(has))
    }
}

/// What statements call an empty table in the place of one whose rows are not reached.
pub(in crate::store) fn name_of_absent(table: &Table) -> String {
    format!("authctl_absent_{}", table.name)
}

/// Whether only the app knows a column, for which a new row may need a value.
fn is_of_app(column: &FoundColumn, known: &[GuestColumn]) -> bool {
    let is_known = known.iter().any(|one| one.physical.as_ref() == Some(&column.name) && one.name != "issuer");
    !is_known && !column.key && !column.is_computed
}

/// What to do when two tables or columns fit the same name.
fn choose(lines: &[String; 2]) -> String {
    format!(
        "finish the app's migration, or name the right one in a file for --schema, in every command: {}",
        lines.join(" or ")
    )
}

/// Why the rows are not reached of a table that the app keeps outside of the database.
fn elsewhere(table: &Table) -> WriteBlocker {
    WriteBlocker {
        problem: format!("the app keeps the rows of {} outside of this database", table.name),
        remedy: "do this in the app".to_owned(),
        scope: WriteScope::Elsewhere(table.name.to_owned()),
    }
}

/// The columns whose values are ids, which a strategy reads.
const IDS: &[&str] = &["id", "userId", "impersonatedBy"];

/// How statements read a column that holds text for the app.
fn reading(column: &str, holds: ColumnType) -> Reading {
    match holds {
        ColumnType::Other => Reading::Text,
        ColumnType::ShownByValues => Reading::AsIs,
        _ if IDS.contains(&column) => Reading::AsIs,
        ColumnType::AlikeText => Reading::Bytewise,
        ColumnType::Texts => Reading::List,
        _ => Reading::Text,
    }
}
