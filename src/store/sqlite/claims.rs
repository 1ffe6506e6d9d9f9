//! What only one user can have, of each row of an import. Digests of it are sorted in memory, in runs of a bounded size that
//! the database of the stage keeps, and merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::import::failed;
use crate::auth::import::stage::Claim;
use crate::auth::secret::{FINGERPRINT_BYTES, fingerprint};
use crate::auth::storage::StoreError;

/// The table with the sorted runs, in parts that are read one at a time.
pub(super) const TABLE: &str = r#"CREATE TABLE "run" ("run" INTEGER NOT NULL, "part" INTEGER NOT NULL, "body" BLOB NOT NULL,
    PRIMARY KEY ("run", "part")) WITHOUT ROWID"#;

/// How many claims are sorted in memory: 3 MiB of them.
const RUN: usize = 131_072;
/// How many claims of each run are in memory while the runs are merged: 24 KiB of them.
const PART: usize = 1_024;

/// The claim of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Claimed {
    /// The digest of what the row claims.
    pub(super) hash: [u8; FINGERPRINT_BYTES],
    pub(super) row: u64,
    noun: u8,
}

impl Claimed {
    const NOUNS: [&str; 3] = ["address", "id", "account at a provider"];
    const BYTES: usize = FINGERPRINT_BYTES + 8 + 1;

    fn new(row: u64, claim: Claim<'_>) -> Self {
        let (noun, hash) = match claim {
            Claim::Address(address) => (0, fingerprint([Self::NOUNS[0], address])),
            Claim::Id(id) => (1, fingerprint([Self::NOUNS[1], id])),
            Claim::Account(provider, subject) => (2, fingerprint([Self::NOUNS[2], provider, subject])),
        };
        Self { hash, row, noun }
    }

    /// What is claimed, in words for people.
    pub(super) fn noun(&self) -> &'static str {
        Self::NOUNS[usize::from(self.noun)]
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.hash);
        bytes.extend(self.row.to_be_bytes());
        bytes.push(self.noun);
    }

    fn read(bytes: &[u8; Self::BYTES]) -> Self {
        let (mut hash, mut row) = ([0; FINGERPRINT_BYTES], [0; 8]);
        let (of_hash, rest) = bytes.split_at(FINGERPRINT_BYTES);
        hash.copy_from_slice(of_hash);
        row.copy_from_slice(&rest[..8]);
        Self { hash, row: u64::from_be_bytes(row), noun: rest[8] }
    }
}

/// The claims of all rows so far.
#[derive(Debug, Default)]
pub(super) struct Claims {
    newest: Vec<Claimed>,
    /// How many runs the table has.
    runs: i64,
}

impl Claims {
    pub(super) fn add(&mut self, stage: &Connection, row: u64, claim: Claim<'_>) -> Result<(), StoreError> {
        self.newest.push(Claimed::new(row, claim));
        if self.newest.len() < RUN {
            return Ok(());
        }
        self.newest.sort_unstable();
        let mut insert =
            stage.prepare_cached(r#"INSERT INTO "run" ("run", "part", "body") VALUES (?1, ?2, ?3)"#).map_err(failed)?;
        let mut bytes = Vec::with_capacity(PART * Claimed::BYTES);
        for (number, part) in (0_i64..).zip(self.newest.chunks(PART)) {
            bytes.clear();
            for claimed in part {
                claimed.write(&mut bytes);
            }
            insert.execute(params![self.runs, number, bytes]).map_err(failed)?;
        }
        self.runs += 1;
        self.newest.clear();
        Ok(())
    }

    /// Goes through all claims in the order of their digests, and of the rows of each.
    pub(super) fn sorted(
        self,
        stage: &Connection,
        mut each: impl FnMut(Claimed) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let Self { mut newest, runs } = self;
        newest.sort_unstable();
        let in_memory = Run { number: runs, next_part: 0, claims: newest.into_iter() };
        let stored = (0..runs).map(|number| Run { number, next_part: 0, claims: Vec::new().into_iter() });
        let mut runs: Vec<Run> = stored.chain([in_memory]).collect();
        let mut first = BinaryHeap::new();
        for (place, run) in runs.iter_mut().enumerate() {
            first.extend(run.next(stage)?.map(|claimed| Reverse((claimed, place))));
        }
        while let Some(Reverse((claimed, place))) = first.pop() {
            first.extend(runs[place].next(stage)?.map(|claimed| Reverse((claimed, place))));
            each(claimed)?;
        }
        Ok(())
    }
}

/// The claims of a run, of which the table may have more. It has none of the run in memory.
struct Run {
    number: i64,
    next_part: i64,
    claims: std::vec::IntoIter<Claimed>,
}

impl Run {
    fn next(&mut self, stage: &Connection) -> Result<Option<Claimed>, StoreError> {
        if let Some(claimed) = self.claims.next() {
            return Ok(Some(claimed));
        }
        let sql = r#"SELECT "body" FROM "run" WHERE "run" = ?1 AND "part" = ?2"#;
        let mut select = stage.prepare_cached(sql).map_err(failed)?;
        let body = select.query_row([self.number, self.next_part], |row| row.get::<_, Vec<u8>>(0));
        let body = body.optional().map_err(failed)?;
        self.next_part += 1;
        let (claims, _) = body.as_deref().unwrap_or_default().as_chunks();
        self.claims = claims.iter().map(Claimed::read).collect::<Vec<_>>().into_iter();
        Ok(self.claims.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_of_many_runs_are_merged_in_order() {
        let stage = Connection::open_in_memory().unwrap();
        stage.execute_batch(TABLE).unwrap();
        let mut claims = Claims::default();
        let rows = 2 * RUN as u64 + 2 * PART as u64 + 7;
        for row in 1..=rows {
            claims.add(&stage, row, Claim::Id(&(row % 1_000_003).to_string())).unwrap();
        }
        claims.add(&stage, 8, Claim::Account("google", "8")).unwrap();
        assert_eq!(claims.runs, 2);
        let mut found = Vec::new();
        claims
            .sorted(&stage, |claimed| {
                found.push(claimed);
                Ok(())
            })
            .unwrap();
        assert!(found.is_sorted());
        assert_eq!(found.iter().filter(|claimed| claimed.noun() == "account at a provider").count(), 1);
        let mut numbers: Vec<u64> = found.iter().map(|claimed| claimed.row).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!((found.len() as u64, numbers.len() as u64), (rows + 1, rows));
    }

    #[test]
    fn values_beside_each_other_do_not_make_the_claim_of_others() {
        let [one, other] = [("ab", "c"), ("a", "bc")]
            .map(|(provider, subject)| Claimed::new(1, Claim::Account(provider, subject)).hash);
        assert_ne!(one, other);
        assert_ne!(Claimed::new(1, Claim::Id("a")).hash, Claimed::new(1, Claim::Address("a")).hash);
    }
}
