//! Copies a native database to a new one, on the same engine or on another.
//!
//! The new database is made in one transaction: it is there with all rows, or not at all, also after a kill. It is read
//! back and compared before the commit. Meanwhile the old database is locked for writers, so that an act is in both, or
//! begins when the copy is done.

mod rows;

use std::path::PathBuf;
use std::time::Duration;

use super::engine::{Engine, Tx};
use super::mapping::{NATIVE, NATIVE_POSTGRES, SchemaMapping};
use super::sql::{audit, rows::count};
use super::{OpenError, postgres, sqlite};
use crate::auth::audit::{Acting, Event};
use crate::auth::secret::digest;
use crate::auth::storage::{Differs, StoreError};
use rows::{COPIED, Part, Sum};

/// Where a native database is, or is to be.
#[derive(Debug, Clone)]
pub enum Place {
    File(PathBuf),
    Server(Box<postgres::Address>),
}

/// Reasons why a database cannot be copied. There is no new database then, except with [`TransferError::NotLogged`] and with
/// a [`StoreError`] for which [`StoreError::may_be_committed`] says that there may be.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the database cannot be read")]
    Read(#[source] StoreError),
    #[error("the new database cannot be written")]
    Write(#[from] StoreError),
    /// The new database does not take a row.
    #[error("row {row} of table {table} cannot be stored in the new database: {problem}")]
    Refused { table: &'static str, row: String, problem: String },
    /// A table of the new database was read back and differs from the old one.
    #[error("table {0} of the new database does not hold what it must")]
    Differs(&'static str),
    /// The copy is complete, and the log of the old database may have no entry about it.
    #[error("could not write to the audit log of the old database")]
    NotLogged(#[source] StoreError),
}

/// How many rows a database has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    pub users: u64,
    pub accounts: u64,
    pub sessions: u64,
    pub codes: u64,
    pub second_factors: u64,
    pub tokens: u64,
    pub settings: u64,
    pub attempts: u64,
    pub entries: u64,
}

impl Contents {
    /// The number of a table's rows.
    fn of(&mut self, table: &str) -> &mut u64 {
        match table {
            "user" => &mut self.users,
            "account" => &mut self.accounts,
            "session" => &mut self.sessions,
            "verification" => &mut self.codes,
            "authctl_twoFactor" => &mut self.second_factors,
            "authctl_apikey" => &mut self.tokens,
            "authctl_policy" => &mut self.settings,
            "authctl_throttle" => &mut self.attempts,
            _ => &mut self.entries,
        }
    }

    /// All rows.
    pub fn total(&self) -> u64 {
        let Self { users, accounts, sessions, codes, second_factors, tokens, settings, attempts, entries } = self;
        users + accounts + sessions + codes + second_factors + tokens + settings + attempts + entries
    }
}

/// What was copied.
#[derive(Debug)]
pub struct Transferred {
    pub contents: Contents,
    /// A digest of all rows, the same for the same rows on every engine.
    pub digest: String,
    /// [`TransferError::NotLogged`] if the log of the old database may have no entry about the copy. The copy is complete all
    /// the same.
    pub logged: Result<(), TransferError>,
}

/// A native database that is to be copied.
#[derive(Debug)]
pub struct Source {
    engine: Box<dyn Engine>,
    mapping: SchemaMapping,
}

impl Source {
    /// Opens the database. An older schema is migrated.
    ///
    /// # Errors
    /// [`TransferError::Open`], also for the database of an app.
    pub fn open(place: &Place, wait: Duration) -> Result<Self, TransferError> {
        Ok(match place {
            Place::File(path) => Self { engine: Box::new(sqlite::open_own(path, wait)?), mapping: NATIVE },
            Place::Server(address) => {
                let opened = postgres::open_own(address, wait).map_err(OpenError::from)?;
                Self { engine: Box::new(opened), mapping: NATIVE_POSTGRES }
            }
        })
    }

    /// Counts the rows.
    ///
    /// # Errors
    /// [`TransferError::Read`].
    pub fn count(&mut self) -> Result<Contents, TransferError> {
        let mapping = &self.mapping;
        let counted = self.engine.query(|tx| {
            let mut contents = Contents::default();
            for table in COPIED.iter() {
                *contents.of(table.name) = count(tx, mapping, table.name)?;
            }
            Ok(contents)
        });
        counted.map_err(TransferError::Read)
    }

    /// Names what other programs added to the schema, which a copy lacks.
    ///
    /// # Errors
    /// [`TransferError::Read`].
    pub fn additions(&mut self) -> Result<Vec<String>, TransferError> {
        let differences = self.engine.schema_differences().map_err(TransferError::Read)?;
        let added = differences.into_iter().filter(|one| one.how == Differs::Unexpected).map(|one| one.object);
        Ok(added.filter(|object| !object.starts_with("index sqlite_autoindex_")).collect())
    }
}

/// Requires that a new database can be made at a place.
///
/// # Errors
/// [`TransferError::Open`] with [`OpenError::Exists`] or [`postgres::ServerError::Exists`] if there is one.
pub fn require_vacant(place: &Place, wait: Duration) -> Result<(), TransferError> {
    match place {
        Place::File(path) => sqlite::require_vacant(path)?,
        Place::Server(address) => postgres::require_vacant(address, wait).map_err(OpenError::from)?,
    }
    Ok(())
}

#[derive(Debug)]
pub struct TransferOptions<'a> {
    /// How the entries about the copy name the old and the new database.
    pub names: [&'a str; 2],
    pub acting: &'a Acting,
    /// How long to wait for other processes.
    pub wait: Duration,
}

/// Copies a database. `advance` gets the number of rows that were written or compared: in all twice the rows of the old
/// database.
///
/// # Errors
/// [`TransferError`].
pub fn copy(
    from: &mut Source,
    to: &Place,
    options: &TransferOptions<'_>,
    advance: &mut dyn FnMut(u64),
) -> Result<Transferred, TransferError> {
    let Source { engine, mapping } = from;
    let wait = options.wait;
    require_vacant(to, wait)?;
    let mut old = engine.begin().map_err(TransferError::Read)?;
    // The new database is compared for minutes.
    old.hold().map_err(TransferError::Read)?;
    let mut fill = |new: &mut dyn Tx, of_new: &SchemaMapping| {
        let mut copying = Copying { old: &mut *old, of_old: mapping, new, of_new, advance };
        let copied = copying.run()?;
        let [name, _] = options.names;
        record(new, of_new, options.acting, format!("from {name}"))?;
        Ok::<_, TransferError>(copied)
    };
    let (contents, digest) = match to {
        Place::File(path) => sqlite::create_with(path, wait, |tx| fill(tx, &NATIVE)),
        Place::Server(address) => postgres::create_with(address, wait, |tx| fill(tx, &NATIVE_POSTGRES)),
    }?;
    let [_, name] = options.names;
    let logged = record(&mut *old, mapping, options.acting, format!("to {name}")).and_then(|()| old.commit());
    Ok(Transferred { contents, digest, logged: logged.map_err(TransferError::NotLogged) })
}

/// Adds the entry about the copy to the log of a database.
fn record(tx: &mut dyn Tx, mapping: &SchemaMapping, acting: &Acting, detail: String) -> Result<(), StoreError> {
    let events = vec![Event::new("database.copied").with(detail)];
    let actor = audit::signed(tx, mapping, acting.actor(), &events)?;
    audit::append(tx, &actor, events)
}

/// The transactions of both databases.
struct Copying<'a> {
    old: &'a mut dyn Tx,
    of_old: &'a SchemaMapping,
    new: &'a mut dyn Tx,
    of_new: &'a SchemaMapping,
    advance: &'a mut dyn FnMut(u64),
}

impl Copying<'_> {
    /// Writes all rows and reads them back.
    fn run(&mut self) -> Result<(Contents, String), TransferError> {
        let mut contents = Contents::default();
        let mut sums = Vec::new();
        for table in COPIED.iter() {
            let (mut part, mut sum) = (Part::default(), Sum::default());
            loop {
                part = part.next(self.old, self.of_old, table).map_err(TransferError::Read)?;
                if part.is_empty() {
                    break;
                }
                part.write(self.new, self.of_new, table)?;
                part.add_to(&mut sum);
                (self.advance)(part.len());
            }
            *contents.of(table.name) = sum.rows;
            sums.push(sum);
        }
        if let Some(index) = self.new.dialect().search {
            self.new.change(index.fill, &[])?;
        }
        for (table, wanted) in COPIED.iter().zip(&sums) {
            let (mut part, mut sum) = (Part::default(), Sum::default());
            loop {
                part = part.next(self.new, self.of_new, table)?;
                if part.is_empty() {
                    break;
                }
                part.add_to(&mut sum);
                (self.advance)(part.len());
            }
            if sum != *wanted {
                return Err(TransferError::Differs(table.name));
            }
        }
        let digests: Vec<&str> = sums.iter().map(|sum| sum.digest.as_str()).collect();
        Ok((contents, digest(digests.join("\n"))))
    }
}
