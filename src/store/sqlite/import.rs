//! The rows of an import, in a private database that SQLite deletes as soon as it is open.
//!
//! Its pages are on the disk of temporary files, so that an export of any size takes no memory. No other process can open
//! it, and nothing of it is left when this process ends.

use std::fmt::Display;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::claims::{self, Claimed, Claims};
use super::connect;
use crate::auth::import::row::{Fact, Place, Reason, RowFault, SourceRow, SourceUser};
use crate::auth::import::stage::{Claim, Stage, StagedRow};
use crate::auth::secret::fingerprint;
use crate::auth::storage::StoreError;

/// The tables. A key is the digest of the text by which rows refer to a user.
const TABLES: &str = "
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -4096;
    CREATE TABLE source (number INTEGER PRIMARY KEY, key BLOB, body BLOB NOT NULL);
    CREATE TABLE about (number INTEGER PRIMARY KEY, key BLOB NOT NULL, body BLOB NOT NULL);
    CREATE TABLE fault (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
    BEGIN;";

/// The size of rows at which no more are read with them.
const BYTES_AT_ONCE: usize = 1 << 20;
/// The room for a row of usual size.
const ROW_BYTES: usize = 512;

#[derive(Debug)]
pub struct SqliteStage {
    database: Connection,
    /// Whether rows about users have an index by user: it is made before the first look-up.
    is_indexed: bool,
    has_about: bool,
    claims: Claims,
}

impl SqliteStage {
    /// # Errors
    /// [`StoreError`] if no temporary file can be written.
    pub fn new() -> Result<Self, StoreError> {
        let database = connect::nameless().map_err(failed)?;
        database.execute_batch(TABLES).map_err(failed)?;
        database.execute_batch(claims::TABLE).map_err(failed)?;
        database.set_prepared_statement_cache_capacity(16);
        Ok(Self { database, is_indexed: false, has_about: false, claims: Claims::default() })
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
        let mut bodies = statement.query([key]).map_err(failed)?;
        let mut about = Vec::new();
        while let Some(row) = bodies.next().map_err(failed)? {
            about.push(read_in(row, 0)?);
        }
        Ok(about)
    }

    /// The row with a number, as it was kept.
    fn kept(&self, row: u64) -> Result<Kept, StoreError> {
        let sql = r#"SELECT "body" FROM "source" WHERE "number" = ?1"#;
        let mut statement = self.database.prepare_cached(sql).map_err(failed)?;
        let body = statement.query_one([number(row)?], |row| row.get::<_, Vec<u8>>(0)).map_err(failed)?;
        postcard::from_bytes(&body).map_err(failed)
    }
}

/// A row of a user, or why it is refused.
type Kept = (Place, Result<Box<SourceUser>, RowFault>);

pub(super) fn failed(error: impl Display) -> StoreError {
    StoreError::Io(format!("the temporary file of the import failed: {error}"))
}

fn write(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    postcard::to_extend(value, Vec::with_capacity(ROW_BYTES)).map_err(failed)
}

/// Reads what a column holds.
fn read_in<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T, StoreError> {
    let body = row.get_ref(column).map_err(failed)?.as_blob().map_err(failed)?;
    postcard::from_bytes(body).map_err(failed)
}

fn number(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(failed)
}

impl Stage for SqliteStage {
    fn keep(&mut self, row: SourceRow) -> Result<(), StoreError> {
        let (key, user) = match row.fact {
            Ok(Fact::About { user, what }) => {
                self.has_about = true;
                let sql = r#"INSERT INTO "about" ("key", "body") VALUES (?1, ?2)"#;
                return self.execute(sql, params![fingerprint([user.as_str()]), write(&what)?]);
            }
            Ok(Fact::User(user)) => (user.key.as_deref().map(|text| fingerprint([text])), Ok(user)),
            Err(fault) => (None, Err(fault)),
        };
        let kept: Kept = (row.place, user);
        self.execute(r#"INSERT INTO "source" ("key", "body") VALUES (?1, ?2)"#, params![key, write(&kept)?])
    }

    fn rows(&mut self, after: u64, limit: usize) -> Result<Vec<StagedRow>, StoreError> {
        self.index()?;
        let sql = r#"SELECT "source"."number", "key", "source"."body", "fault"."body" FROM "source"
            LEFT JOIN "fault" ON "fault"."number" = "source"."number" WHERE "source"."number" > ?1 ORDER BY "source"."number" LIMIT ?2"#;
        let mut statement = self.database.prepare_cached(sql).map_err(failed)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut found = statement.query(params![number(after)?, limit]).map_err(failed)?;
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while bytes < BYTES_AT_ONCE
            && let Some(row) = found.next().map_err(failed)?
        {
            let number: i64 = row.get(0).map_err(failed)?;
            let (place, kept): Kept = read_in(row, 2)?;
            let is_refused = row.get_ref(3).map_err(failed)? != ValueRef::Null;
            let user = if is_refused { Err(read_in(row, 3)?) } else { kept.map(|user| *user) };
            let about = match row.get_ref(1).map_err(failed)? {
                ValueRef::Blob(key) if self.has_about => self.about(key)?,
                _ => Vec::new(),
            };
            let size = row.get_ref(2).map_err(failed)?.as_blob().map_err(failed)?.len();
            bytes += size;
            rows.push(StagedRow { number: number.unsigned_abs(), place, user, about, bytes: size });
        }
        Ok(rows)
    }

    fn claim(&mut self, row: u64, claim: Claim<'_>) -> Result<(), StoreError> {
        self.claims.add(&self.database, row, claim)
    }

    fn refuse(&mut self, row: u64, fault: &RowFault) -> Result<(), StoreError> {
        self.execute(
            r#"INSERT OR REPLACE INTO "fault" ("number", "body") VALUES (?1, ?2)"#,
            params![number(row)?, write(fault)?],
        )
    }

    fn refuse_duplicates(&mut self) -> Result<u64, StoreError> {
        let (mut first, mut refused): (Option<Claimed>, u64) = (None, 0);
        let claims = std::mem::take(&mut self.claims);
        claims.sorted(&self.database, |claimed| {
            let Some(earlier) = first.filter(|first| first.hash == claimed.hash) else {
                first = Some(claimed);
                return Ok(());
            };
            if earlier.row == claimed.row {
                return Ok(());
            }
            let (place, _) = self.kept(earlier.row)?;
            let (id, email) = self.kept(claimed.row)?.1.map_or((None, None), |user| (user.id, user.email));
            let detail = format!("row {} has the same {}", place.row, claimed.noun());
            let fault = RowFault { reason: Reason::DuplicateInFile, detail, id, email };
            let sql = r#"INSERT OR IGNORE INTO "fault" ("number", "body") VALUES (?1, ?2)"#;
            refused += 1;
            self.execute(sql, params![number(claimed.row)?, write(&fault)?])
        })?;
        Ok(refused)
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

    #[test]
    fn rows_are_read_in_order_with_what_other_rows_say() {
        let mut stage = SqliteStage::new().unwrap();
        let about = |user: &str| SourceRow {
            place: place(9),
            fact: Ok(Fact::About { user: user.into(), what: About::SecondFactor(None) }),
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
        assert_eq!((rows[0].about.len(), rows[1].about.as_slice()), (0, [About::SecondFactor(None)].as_slice()));
        assert_eq!((rows[2].user.as_ref().unwrap_err(), rows[2].place), (&fault, place(3)));
        assert_eq!(stage.rows(1, 1).unwrap()[0].number, 2);
        assert_eq!(stage.strays().unwrap(), 1);
    }

    #[test]
    fn large_rows_are_read_a_few_at_a_time() {
        let mut stage = SqliteStage::new().unwrap();
        for row in 1..=5 {
            let user = SourceUser { name: Some("x".repeat(BYTES_AT_ONCE / 2)), ..user("a") };
            stage.keep(SourceRow { place: place(row), fact: Ok(Fact::User(Box::new(user))) }).unwrap();
        }
        let mut numbers = |after| -> Vec<u64> {
            let rows = stage.rows(after, 500).unwrap();
            assert!(rows.iter().all(|row| row.bytes > BYTES_AT_ONCE / 2));
            rows.iter().map(|row| row.number).collect()
        };
        assert_eq!([0, 2, 4].map(&mut numbers), [vec![1, 2], vec![3, 4], vec![5]]);
    }

    #[test]
    fn later_row_with_a_claim_of_an_earlier_one_is_refused() {
        let mut stage = staged(&["a", "b", "c", "d"]);
        for (row, value) in [(1, "x"), (2, "y"), (3, "x"), (4, "z"), (4, "z")] {
            stage.claim(row, Claim::Address(value)).unwrap();
        }
        assert_eq!(stage.refuse_duplicates().unwrap(), 1);
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
    fn stage_leaves_no_file_to_find() {
        let stage = staged(&["a"]);
        let path: String =
            stage.database.query_row(r#"SELECT "file" FROM pragma_database_list"#, [], |row| row.get(0)).unwrap();
        assert_eq!(path, "");
    }
}
