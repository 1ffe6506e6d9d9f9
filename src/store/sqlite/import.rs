//! The rows of an import, in a private database that SQLite deletes as soon as it is open.
//!
//! Its pages are on the disk of temporary files, so that an export of any size takes no memory. No other process can open
//! it, and nothing of it is left when this process ends.

use std::fmt::Display;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::connect;
use crate::auth::import::row::{Fact, Place, Reason, RowFault, SourceRow};
use crate::auth::import::stage::{Claim, Stage, StagedRow};
use crate::auth::secret::fingerprint;
use crate::auth::storage::StoreError;

/// The tables. A key is the digest of the text by which rows refer to a user.
const TABLES: &str = "
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -8192;
    CREATE TABLE source (number INTEGER PRIMARY KEY, place TEXT NOT NULL, key BLOB, body TEXT NOT NULL);
    CREATE TABLE about (number INTEGER PRIMARY KEY, key BLOB NOT NULL, body TEXT NOT NULL);
    CREATE TABLE claim (hash BLOB NOT NULL, noun TEXT NOT NULL, number INTEGER NOT NULL);
    CREATE TABLE fault (number INTEGER PRIMARY KEY, body TEXT NOT NULL);
    BEGIN;";

#[derive(Debug)]
pub struct SqliteStage {
    database: Connection,
    /// Whether rows about users have an index by user: it is made before the first look-up.
    is_indexed: bool,
    has_about: bool,
}

impl SqliteStage {
    /// # Errors
    /// [`StoreError`] if no temporary file can be written.
    pub fn new() -> Result<Self, StoreError> {
        let database = connect::nameless().map_err(failed)?;
        database.execute_batch(TABLES).map_err(failed)?;
        database.set_prepared_statement_cache_capacity(16);
        Ok(Self { database, is_indexed: false, has_about: false })
    }

    fn execute(&self, sql: &str, values: impl rusqlite::Params) -> Result<(), StoreError> {
        self.database.prepare_cached(sql).and_then(|mut statement| statement.execute(values)).map_err(failed)?;
        Ok(())
    }

    fn index(&mut self) -> Result<(), StoreError> {
        if self.has_about && !self.is_indexed {
            self.database.execute_batch("CREATE INDEX about_key ON about (key)").map_err(failed)?;
        }
        self.is_indexed = true;
        Ok(())
    }

    fn about<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Vec<T>, StoreError> {
        let mut statement = self
            .database
            .prepare_cached(r#"SELECT "body" FROM "about" WHERE "key" = ?1 ORDER BY "number""#)
            .map_err(failed)?;
        let bodies = statement.query_map([key], |row| row.get::<_, String>(0)).map_err(failed)?;
        bodies.map(|body| read(&body.map_err(failed)?)).collect()
    }

    fn place(&self, number: i64) -> Result<Option<Place>, StoreError> {
        let text: Option<String> = self
            .database
            .query_row(r#"SELECT "place" FROM "source" WHERE "number" = ?1"#, [number], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        text.map(|text| read(&text)).transpose()
    }
}

fn failed(error: impl Display) -> StoreError {
    StoreError::Io(format!("the temporary file of the import failed: {error}"))
}

fn write(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(failed)
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(failed)
}

fn number(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(failed)
}

impl Stage for SqliteStage {
    fn keep(&mut self, row: SourceRow) -> Result<(), StoreError> {
        let place = write(&row.place)?;
        let (user_key, body) = match row.fact {
            Ok(Fact::About { user, what }) => {
                self.has_about = true;
                let sql = r#"INSERT INTO "about" ("key", "body") VALUES (?1, ?2)"#;
                return self.execute(sql, params![fingerprint([user.as_str()]), write(&what)?]);
            }
            Ok(Fact::User(user)) => {
                (user.key.as_deref().map(|text| fingerprint([text])), write(&Ok::<_, RowFault>(user))?)
            }
            Err(fault) => (None, write(&Err::<(), _>(fault))?),
        };
        self.execute(
            r#"INSERT INTO "source" ("place", "key", "body") VALUES (?1, ?2, ?3)"#,
            params![place, user_key, body],
        )
    }

    fn rows(&mut self, after: u64, limit: usize) -> Result<Vec<StagedRow>, StoreError> {
        self.index()?;
        let sql = r#"SELECT "source"."number", "place", "key", "source"."body", "fault"."body" FROM "source"
            LEFT JOIN "fault" ON "fault"."number" = "source"."number" WHERE "source"."number" > ?1 ORDER BY "source"."number" LIMIT ?2"#;
        let mut statement = self.database.prepare_cached(sql).map_err(failed)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut found = statement.query(params![number(after)?, limit]).map_err(failed)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(failed)? {
            let number: i64 = row.get(0).map_err(failed)?;
            let [place, body] = [1, 3].map(|column| row.get::<_, String>(column));
            let user_key: Option<Vec<u8>> = row.get(2).map_err(failed)?;
            let fault: Option<String> = row.get(4).map_err(failed)?;
            let user = match fault {
                Some(fault) => Err(read(&fault)?),
                None => read(&body.map_err(failed)?)?,
            };
            let about = match user_key {
                Some(user_key) if self.has_about => self.about(&user_key)?,
                _ => Vec::new(),
            };
            rows.push(StagedRow { number: number.unsigned_abs(), place: read(&place.map_err(failed)?)?, user, about });
        }
        Ok(rows)
    }

    fn claim(&mut self, row: u64, claims: &[Claim]) -> Result<(), StoreError> {
        for claim in claims {
            let hash = fingerprint([claim.noun].into_iter().chain(claim.values.iter().map(String::as_str)));
            let sql = r#"INSERT INTO "claim" ("hash", "noun", "number") VALUES (?1, ?2, ?3)"#;
            self.execute(sql, params![hash, claim.noun, number(row)?])?;
        }
        Ok(())
    }

    fn refuse(&mut self, row: u64, fault: &RowFault) -> Result<(), StoreError> {
        self.execute(
            r#"INSERT OR REPLACE INTO "fault" ("number", "body") VALUES (?1, ?2)"#,
            params![number(row)?, write(fault)?],
        )
    }

    fn refuse_duplicates(&mut self) -> Result<(), StoreError> {
        let sql = r#"SELECT "hash", "noun", "number" FROM "claim" ORDER BY "hash", "number""#;
        let mut statement = self.database.prepare(sql).map_err(failed)?;
        let mut found = statement.query([]).map_err(failed)?;
        let mut first: Option<(Vec<u8>, i64)> = None;
        while let Some(row) = found.next().map_err(failed)? {
            let hash: Vec<u8> = row.get(0).map_err(failed)?;
            let number: i64 = row.get(2).map_err(failed)?;
            match &first {
                Some((of_first, earlier)) if *of_first == hash => {
                    if *earlier == number {
                        continue;
                    }
                    let noun: String = row.get(1).map_err(failed)?;
                    let earlier = self.place(*earlier)?.map_or(0, |place| place.row);
                    let user = self.user(number)?;
                    let fault = RowFault {
                        reason: Reason::DuplicateInFile,
                        detail: format!("row {earlier} has the same {noun}"),
                        id: user.0,
                        email: user.1,
                    };
                    let sql = r#"INSERT OR IGNORE INTO "fault" ("number", "body") VALUES (?1, ?2)"#;
                    self.execute(sql, params![number, write(&fault)?])?;
                }
                _ => first = Some((hash, number)),
            }
        }
        Ok(())
    }

    fn strays(&mut self) -> Result<u64, StoreError> {
        if !self.has_about {
            return Ok(0);
        }
        let sql =
            r#"SELECT count(*) FROM "about" WHERE "key" NOT IN (SELECT "key" FROM "source" WHERE "key" IS NOT NULL)"#;
        let count: i64 = self.database.query_row(sql, [], |row| row.get(0)).map_err(failed)?;
        Ok(count.unsigned_abs())
    }
}

impl SqliteStage {
    /// The id and the address in a row.
    fn user(&self, number: i64) -> Result<(Option<String>, Option<String>), StoreError> {
        let sql = r#"SELECT "body" FROM "source" WHERE "number" = ?1"#;
        let body: String = self.database.query_row(sql, [number], |row| row.get(0)).map_err(failed)?;
        let user: Result<crate::auth::import::row::SourceUser, RowFault> = read(&body)?;
        Ok(user.map_or((None, None), |user| (user.id, user.email)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::import::row::{About, SourceUser};

    fn place(row: u64) -> Place {
        Place { file: 0, row, line: row + 1 }
    }

    fn user(id: &str) -> SourceUser {
        SourceUser { key: Some(id.into()), id: Some(id.into()), ..SourceUser::default() }
    }

    fn staged(ids: &[&str]) -> SqliteStage {
        let mut stage = SqliteStage::new().unwrap();
        for (row, id) in (1..).zip(ids) {
            stage.keep(SourceRow { place: place(row), fact: Ok(Fact::User(Box::new(user(id)))) }).unwrap();
        }
        stage
    }

    fn claim(value: &str) -> Claim {
        Claim { noun: "address", values: vec![value.into()] }
    }

    #[test]
    fn rows_are_read_in_order_with_what_other_rows_say() {
        let mut stage = SqliteStage::new().unwrap();
        let about = |user: &str| SourceRow {
            place: place(9),
            fact: Ok(Fact::About { user: user.into(), what: About::SecondFactor }),
        };
        stage.keep(about("b")).unwrap();
        for (row, id) in [(1, "a"), (2, "b")] {
            stage.keep(SourceRow { place: place(row), fact: Ok(Fact::User(Box::new(user(id)))) }).unwrap();
        }
        let fault = RowFault { reason: Reason::Syntax, detail: "no".into(), id: None, email: Some("c".into()) };
        stage.keep(SourceRow { place: place(3), fact: Err(fault.clone()) }).unwrap();
        stage.keep(about("stranger")).unwrap();
        let rows = stage.rows(0, 9).unwrap();
        assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(rows[0].user.as_ref().unwrap(), &user("a"));
        assert_eq!((rows[0].about.len(), rows[1].about.as_slice()), (0, [About::SecondFactor].as_slice()));
        assert_eq!((rows[2].user.as_ref().unwrap_err(), rows[2].place), (&fault, place(3)));
        assert_eq!(stage.rows(1, 1).unwrap()[0].number, 2);
        assert_eq!(stage.strays().unwrap(), 1);
    }

    #[test]
    fn later_row_with_a_claim_of_an_earlier_one_is_refused() {
        let mut stage = staged(&["a", "b", "c", "d"]);
        for (row, value) in [(1, "x"), (2, "y"), (3, "x"), (4, "z"), (4, "z")] {
            stage.claim(row, &[claim(value)]).unwrap();
        }
        stage.refuse_duplicates().unwrap();
        let rows = stage.rows(0, 9).unwrap();
        let faults: Vec<_> =
            rows.iter().filter_map(|row| row.user.as_ref().err().map(|fault| (row.number, fault))).collect();
        assert_eq!(faults.len(), 1, "{faults:?}");
        let (number, fault) = faults[0];
        assert_eq!(
            (number, fault.reason, fault.detail.as_str()),
            (3, Reason::DuplicateInFile, "row 1 has the same address")
        );
        assert_eq!(fault.id.as_deref(), Some("c"));
    }

    #[test]
    fn values_beside_each_other_do_not_make_the_claim_of_others() {
        let mut stage = staged(&["a", "b"]);
        for (row, values) in [(1, ["ab", "c"]), (2, ["a", "bc"])] {
            let values = values.map(str::to_owned).to_vec();
            stage.claim(row, &[Claim { noun: "account", values }]).unwrap();
        }
        stage.refuse_duplicates().unwrap();
        assert!(stage.rows(0, 9).unwrap().iter().all(|row| row.user.is_ok()));
    }

    #[test]
    fn stage_leaves_no_file_to_find() {
        let stage = staged(&["a"]);
        let path: String =
            stage.database.query_row(r#"SELECT "file" FROM pragma_database_list"#, [], |row| row.get(0)).unwrap();
        assert_eq!(path, "");
    }
}
