//! Readers of exports: the files of other systems, as the rows that [`auth::import`](crate::auth::import) takes.
//!
//! Pure reading, without a database. Files are streamed: memory does not grow with their size, because every
//! line, record and column is bounded. A file that is not what it should be is an [`ImportError`]. What is wrong
//! with one row is the row's fault, and reading goes on.
//!
//! A reader has two parts. The layout divides the text into records (`json.rs`, `csv.rs`, `sql.rs`, `ldif.rs`,
//! `lines.rs`), and the system knows what the fields of a record mean: one file for each.

mod auth0;
pub mod authctl;
mod authjs;
mod better_auth;
mod clerk;
mod cognito;
mod csv;
mod date;
mod devise;
mod django;
mod error;
mod firebase;
mod format;
mod fusionauth;
mod hash_text;
mod htpasswd;
mod input;
mod json;
mod keycloak;
mod kratos;
mod laravel;
mod layout;
mod ldif;
mod lines;
mod lucia;
mod pocketbase;
mod recognise;
mod record;
mod shadow;
mod sql;
mod supabase;
mod system;
mod table;
mod wanted;
mod wordpress;
mod workos;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io::Read;

use sha2::{Digest as _, Sha256};

pub use error::ImportError;
pub use firebase::HashConfig;
pub use format::Format;
pub use wanted::{ReadRow, WantedRow, read_wanted};

use crate::auth::import::row::{Fact, Place, SourceRow};
use input::Bytes;
use layout::Reader;
use recognise::{Recognised, recognise};
use record::{Fault, Item, Reading};
use system::Context;

/// The longest line of a text file and the longest row of a table.
pub const LINE_BYTES_MAX: usize = 64 << 10;
/// The longest record of JSON and the longest row of a dump.
pub const RECORD_BYTES_MAX: usize = 1 << 20;
/// The deepest nesting of JSON.
pub const DEPTH_MAX: usize = 32;
/// The most columns of a table.
pub const COLUMNS_MAX: usize = 200;

/// The rows that are read ahead to find the unit of a column of numbers.
const ROWS_AHEAD: usize = 1000;
/// The bytes of the text at which reading ahead ends.
const BYTES_AHEAD: u64 = 1 << 20;
/// A bound for files that name more and more tables.
const TABLES_COUNTED_MAX: usize = 64;

/// One file of the command line.
pub struct Input {
    /// The name in messages.
    pub name: String,
    pub bytes: Box<dyn Read>,
}

/// What the user says about the files.
#[derive(Debug, Default)]
pub struct ReadOptions {
    /// The format of the first file, which wins over its shape.
    pub format: Option<Format>,
    /// The parameters of Firebase's hashes.
    pub hash_config: Option<HashConfig>,
    /// Whether the tokens of accounts at other providers are read.
    pub keeps_tokens: bool,
    /// The realm whose users are read, of several of Keycloak.
    pub realm: Option<String>,
}

/// The files of one export.
pub struct Export {
    format: Format,
    context: Context,
    /// The files that are not begun, in order.
    pending: VecDeque<(Bytes, Recognised)>,
    current: Option<File>,
    /// The number of the current file, from 0.
    number: u32,
    digests: Vec<[u8; 32]>,
    bytes_done: u64,
    /// The realm of Keycloak whose users are wanted.
    realm: Option<String>,
    /// The realms with users.
    realms: Vec<String>,
}

/// The file that is being read.
struct File {
    reader: Reader,
    ahead: VecDeque<Item>,
    is_learnt: bool,
    /// The rows read so far of each table.
    rows: Vec<(String, u64)>,
}

impl Export {
    /// Recognises every file by its first bytes.
    ///
    /// # Errors
    /// A file that is of no known system or of several, files of different systems, and every reason why a first
    /// piece cannot be read.
    pub fn open(inputs: Vec<Input>, options: ReadOptions) -> Result<Self, ImportError> {
        let mut pending = VecDeque::new();
        for input in inputs {
            let mut bytes = Bytes::open(input)?;
            let recognised = recognise(&mut bytes)?;
            pending.push_back((bytes, recognised));
        }
        let format = format_of(&pending, options.format)?;
        let context =
            Context { hash_config: options.hash_config, keeps_tokens: options.keeps_tokens, ..Context::default() };
        Ok(Self {
            format,
            context,
            pending,
            current: None,
            number: 0,
            digests: Vec::new(),
            bytes_done: 0,
            realm: options.realm,
            realms: Vec::new(),
        })
    }

    /// The format of the whole export.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether the roles of the export are roles of authctl.
    pub fn takes_roles(&self) -> bool {
        self.format.takes_roles()
    }

    /// Reads the next row, file by file.
    ///
    /// # Errors
    /// Whatever makes a file as a whole unreadable. No row can be read after an error.
    pub fn next_row(&mut self) -> Result<Option<SourceRow>, ImportError> {
        loop {
            let Some(file) = &mut self.current else {
                let Some((bytes, recognised)) = self.pending.pop_front() else {
                    return self.check_realms().map(|()| None);
                };
                bytes.name().clone_into(&mut self.context.file);
                let reader = Reader::new(bytes, self.format, recognised.layout, self.realm.as_deref())?;
                self.current = Some(File { reader, ahead: VecDeque::new(), is_learnt: false, rows: Vec::new() });
                continue;
            };
            let Some(item) = file.next(&mut self.context)? else {
                self.finish_file()?;
                continue;
            };
            if let Some(row) = self.row(item)? {
                return Ok(Some(row));
            }
        }
    }

    /// The SHA-256 of the contents of all files, complete after the last row: of one file its own, as `sha256sum`
    /// prints it; of several that of their digests, one after the other.
    pub fn digest(&self) -> [u8; 32] {
        if let [digest] = self.digests.as_slice() { *digest } else { Sha256::digest(self.digests.concat()).into() }
    }

    /// The bytes read so far of all files, as they are on disk.
    pub fn bytes_read(&self) -> u64 {
        let pending: u64 = self.pending.iter().map(|(bytes, _)| bytes.bytes_read()).sum();
        let current = self.current.as_ref().map_or(0, |file| file.reader.bytes().bytes_read());
        self.bytes_done + current + pending
    }

    /// Checks that the users are those of one realm: users of several may have the same address.
    fn check_realms(&self) -> Result<(), ImportError> {
        let realms = || self.realms.clone();
        match &self.realm {
            Some(realm) if !self.realms.contains(realm) => Err(ImportError::NoSuchRealm { realms: realms() }),
            None if self.realms.len() > 1 => Err(ImportError::SeveralRealms { realms: realms() }),
            _ => Ok(()),
        }
    }

    fn finish_file(&mut self) -> Result<(), ImportError> {
        let Some(file) = self.current.take() else { return Ok(()) };
        self.context.check_count()?;
        let realms = file.reader.realms().iter().filter(|realm| !self.realms.contains(realm)).cloned();
        self.realms.extend(realms.collect::<Vec<_>>());
        let bytes = file.reader.into_bytes();
        let (digest, length) = bytes.finish()?;
        self.digests.push(digest);
        self.bytes_done += length;
        self.number += 1;
        Ok(())
    }

    /// Makes a row of what the file says. `None` if that is of no interest.
    fn row(&mut self, item: Item) -> Result<Option<SourceRow>, ImportError> {
        let line = item.line();
        let Some(file) = &mut self.current else { return Ok(None) };
        let (table, fact) = match item {
            Item::Fault { fault, .. } => {
                let table = file.rows.last().map(|(table, _)| table.clone()).unwrap_or_default();
                let empty = record::Record::of_row(line, std::rc::Rc::new([]), Vec::new());
                (table, Err(fault_of(fault, &empty)?))
            }
            Item::Record(record) => {
                let fact = match system::read(self.format, &record, &mut self.context) {
                    Ok(Reading::Nothing) => return Ok(None),
                    Ok(Reading::User(mut user)) => {
                        // In authctl, blanks are part of a name.
                        if self.format != Format::Authctl {
                            user.name = user.name.map(|name| name.trim().to_owned());
                        }
                        Ok(Fact::User(user))
                    }
                    Ok(Reading::About(fact)) => Ok(fact),
                    Err(fault) => Err(fault_of(fault, &record)?),
                };
                (record.table().to_owned(), fact)
            }
        };
        let place = Place { file: self.number, row: file.count(table), line };
        Ok(Some(SourceRow { place, fact }))
    }
}

fn fault_of(fault: Fault, record: &record::Record) -> Result<crate::auth::import::row::RowFault, ImportError> {
    match fault {
        Fault::Row { reason, detail } => Ok(record.row_fault(reason, detail)),
        Fault::File(error) => Err(error),
    }
}

impl File {
    /// The next record. The first ones are read ahead, so that the units of columns are known.
    fn next(&mut self, context: &mut Context) -> Result<Option<Item>, ImportError> {
        if !self.is_learnt {
            self.is_learnt = true;
            while self.ahead.len() < ROWS_AHEAD && self.reader.bytes().consumed() < BYTES_AHEAD {
                let Some(item) = self.reader.next()? else { break };
                if let Item::Record(record) = &item {
                    context.learn(record);
                }
                self.ahead.push_back(item);
            }
        }
        match self.ahead.pop_front() {
            Some(item) => Ok(Some(item)),
            None => self.reader.next(),
        }
    }

    /// The number of the next row of a table.
    fn count(&mut self, table: String) -> u64 {
        if let Some((_, rows)) = self.rows.iter_mut().find(|(of, _)| *of == table) {
            *rows += 1;
            return *rows;
        }
        if self.rows.len() == TABLES_COUNTED_MAX {
            self.rows.pop();
        }
        self.rows.push((table, 1));
        1
    }
}

/// The one format of all files.
fn format_of(files: &VecDeque<(Bytes, Recognised)>, named: Option<Format>) -> Result<Format, ImportError> {
    let Some((first, _)) = files.front() else { return Err(ImportError::NoFile) };
    let mut known = named.map(|format| (first.name(), format));
    for (place, (bytes, recognised)) in files.iter().enumerate() {
        if place == 0 && named.is_some() {
            continue;
        }
        let file = || bytes.name().to_owned();
        match (recognised.formats.as_slice(), known) {
            ([], None) if let Some(bytes) = recognised.exceeds => {
                return Err(ImportError::FirstTooLarge { file: file(), bytes });
            }
            ([], None) => return Err(ImportError::NotRecognised { file: file() }),
            // Files of unknown or plain shape belong to the system of the others.
            ([], Some(_)) => {}
            ([format], Some(_)) if format.is_plain() => {}
            ([format], Some((_, of))) if *format == of || of.is_plain() && named.is_none() => {
                known = Some((bytes.name(), *format));
            }
            ([format], None) => known = Some((bytes.name(), *format)),
            (formats, Some((_, of))) if formats.contains(&of) => {}
            ([format], Some((other, first))) => {
                let first_file = other.to_owned();
                return Err(ImportError::Mixed { first_file, first, file: file(), format: *format });
            }
            (formats, _) => return Err(ImportError::Ambiguous { file: file(), formats: formats.to_vec() }),
        }
    }
    known.map(|(_, format)| format).ok_or(ImportError::NoFile)
}
