//! Lists of users as an operator wants them to be: a CSV table, a JSON object a line, or an array of objects.

use super::Input;
use super::csv::{CsvTable, SEPARATORS, cells_of};
use super::error::ImportError;
use super::input::Bytes;
use super::json::JsonTree;
use super::lines::RecordLines;
use super::record::{Fault, Item, Record, is_named};

const ADDRESS: &[&str] = &["address", "email"];
const NAME: &str = "name";
const ROLE: &str = "role";
const VERIFIED: &[&str] = &["verified", "emailverified"];
const BANNED: &str = "banned";

/// The bytes that show which kind of list a file is: its header at most.
const HEAD_BYTES: usize = 256 << 10;

/// The fields of a row, as messages name them.
const FIELDS: &str = "address, name, role, verified and banned";

/// A row of a list. `None` where it has no value.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct WantedRow {
    pub address: Option<String>,
    pub name: Option<String>,
    /// Roles, separated by commas.
    pub role: Option<String>,
    pub verified: Option<bool>,
    pub banned: Option<bool>,
}

/// A row with the line on which it begins, or what is wrong with it.
pub type ReadRow = (u64, Result<WantedRow, String>);

/// Reads a whole list.
///
/// # Errors
/// [`ImportError`] for a file that is no such list. What is wrong with one row is said in its place.
pub fn read_wanted(input: Input) -> Result<Vec<ReadRow>, ImportError> {
    let mut reader = Reader::open(Bytes::open(input)?)?;
    let mut rows = Vec::new();
    while let Some(item) = reader.next()? {
        let line = item.line();
        let row = match item {
            Item::Record(record) => read(&record),
            Item::Fault { fault, .. } => Err(fault),
        };
        rows.push(match row {
            Ok(row) => (line, Ok(row)),
            Err(Fault::Row { detail, .. }) => (line, Err(detail)),
            Err(Fault::File(error)) => return Err(error),
        });
    }
    Ok(rows)
}

enum Reader {
    Tree(JsonTree),
    Lines(RecordLines),
    Table(Box<CsvTable>),
}

impl Reader {
    fn open(mut bytes: Bytes) -> Result<Self, ImportError> {
        let file = bytes.name().to_owned();
        let (sample, _) = bytes.sample(HEAD_BYTES)?;
        let text = String::from_utf8_lossy(sample);
        let first = text.trim_start().as_bytes().first().copied();
        let header = text.trim_start().lines().next().unwrap_or_default().to_owned();
        Ok(match first {
            None => return Err(ImportError::Empty { file }),
            Some(b'{') => Self::Lines(RecordLines::json(bytes)),
            Some(b'[') => Self::Tree(JsonTree::new(bytes, |_| true, None)),
            Some(_) => {
                let has_address =
                    |separator: &u8| cells_of(&header, *separator).iter().any(|name| is_one_of(name, ADDRESS));
                let separator = SEPARATORS.into_iter().find(has_address);
                // The names say what the columns are, and a table without them would be read without its first user.
                let Some(separator) = separator else { return Err(ImportError::NoAddressColumn { file }) };
                if let Some(column) = cells_of(&header, separator).into_iter().find(|name| !is_field(name)) {
                    return Err(ImportError::UnknownColumn { file, column, known: FIELDS });
                }
                Self::Table(Box::new(CsvTable::new(bytes, separator)?))
            }
        })
    }

    fn next(&mut self) -> Result<Option<Item>, ImportError> {
        match self {
            Self::Tree(reader) => reader.next(),
            Self::Lines(reader) => reader.next(),
            Self::Table(reader) => reader.next(),
        }
    }
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| is_named(name, known))
}

fn is_field(name: &str) -> bool {
    [ADDRESS, &[NAME], &[ROLE], VERIFIED, &[BANNED]].iter().any(|names| is_one_of(name, names))
}

fn read(record: &Record) -> Result<WantedRow, Fault> {
    if let Some((name, _)) = record.fields().find(|(name, _)| !is_field(name)) {
        let detail = format!("there is no field {name}: the fields are {FIELDS}");
        return Err(Fault::new(crate::auth::import::row::Reason::BadValue, detail));
    }
    let roles = record.texts(ROLE)?;
    let verified = VERIFIED.iter().map(|name| record.flag(name)).find(|flag| !matches!(flag, Ok(None)));
    Ok(WantedRow {
        address: record.first_text(ADDRESS)?,
        name: record.text(NAME)?,
        role: (!roles.is_empty()).then(|| roles.join(",")),
        verified: verified.transpose()?.flatten(),
        banned: record.flag(BANNED)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<ReadRow>, String> {
        let bytes = Box::new(std::io::Cursor::new(text.to_owned().into_bytes()));
        read_wanted(Input { name: "list".to_owned(), bytes }).map_err(|error| error.to_string())
    }

    #[test]
    fn table_lines_and_array_say_the_same() {
        let ada = WantedRow {
            address: Some("ada@example.com".into()),
            name: Some("Ada".into()),
            role: Some("admin,editor".into()),
            verified: Some(true),
            banned: Some(false),
        };
        let bob = WantedRow { address: Some("bob@example.com".into()), ..WantedRow::default() };
        let table =
            "address,name,role,verified,banned\nada@example.com,Ada,\"admin,editor\",yes,no\n\nbob@example.com,,,,\n";
        let semicolons =
            "Email;Name;Role;Email Verified;banned\nada@example.com;Ada;admin,editor;1;0\n\nbob@example.com;;;;";
        let lines = concat!(
            r#"{"email":"ada@example.com","name":"Ada","role":["admin","editor"],"emailVerified":true,"banned":false}"#,
            "\n\n\n",
            r#"{"address":"bob@example.com","role":null}"#,
            "\n"
        );
        for (text, places) in [(table, [2, 4]), (semicolons, [2, 4]), (lines, [1, 4])] {
            let read = rows(text).unwrap();
            let wanted = [&ada, &bob];
            assert_eq!(read.len(), 2, "{text}");
            for ((row, place), wanted) in read.iter().zip(places).zip(wanted) {
                assert_eq!((row.0, row.1.as_ref()), (place, Ok(wanted)), "{text}");
            }
        }
        let array = r#"[{"email":"bob@example.com"}]"#;
        assert_eq!(rows(array).unwrap(), [(1, Ok(bob))]);
    }

    #[test]
    fn faults_of_rows_name_the_field_and_the_others_are_read() {
        let lines = "{\"email\":\"a@b.co\",\"verifed\":true}\n{\"email\":\"a@b.co\",\"banned\":\"perhaps\"}\nno\n{}\n";
        let read = rows(lines).unwrap();
        let details: Vec<String> = read.iter().filter_map(|(_, row)| row.as_ref().err().cloned()).collect();
        assert_eq!(
            details,
            [
                "there is no field verifed: the fields are address, name, role, verified and banned",
                "banned is not a truth value",
                "it is not valid JSON",
            ]
        );
        assert_eq!(read[3], (4, Ok(WantedRow::default())));
    }

    #[test]
    fn files_that_are_no_list_are_refused_as_a_whole() {
        for (text, problem) in [
            ("", "list is empty"),
            ("ada@example.com,Ada\n", "list has no column address"),
            ("email,pasword\na@b.co,x\n", "list has the column pasword"),
            ("email,name,name\n", "list has a column twice: name"),
        ] {
            let found = rows(text).unwrap_err();
            assert!(found.starts_with(problem), "{text}: {found}");
        }
    }
}
