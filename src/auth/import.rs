//! The import of users from the export of another system.
//!
//! An import has three steps. Every row of the export is kept in a [`Stage`], because a fact about a user may stand in
//! another file, and because a pipe is read only once. [`Import::plan`] examines every row, finds rows that exclude each
//! other, and looks up who is there already. [`Auth::import`] imports what the plan takes, in batches that are committed
//! whole. The audit log says how far an import has come, so that the same command goes on behind the last batch.

pub mod examine;
pub mod factor;
mod plan;
mod reset;
pub mod row;
pub mod stage;
mod wrap;

use std::ops::{Add, ControlFlow};

use jiff::Timestamp;

use super::audit::counted;
use super::email::Email;
use super::password::Peppers;
use super::secret::Password;
use super::storage::{ImportBatch, ImportProgress, ImportResult, ImportedUser, StoreError};
use super::{Auth, AuthError};
use examine::{Examined, Rules, Warning};
use plan::StoreIfAny;
pub use plan::{Plan, Tally};
use row::{Place, Reason, RowFault};
use stage::{Stage, StagedRow};

/// The event of an entry about a batch of an import.
pub const IMPORTED: &str = "users.imported";

/// How many users of an import became what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub created: u64,
    pub updated: u64,
    /// Those whose stored values are those of the file.
    pub unchanged: u64,
    /// Those who were there already and stay as they are.
    pub skipped: u64,
    /// Those whose address or account belongs to another user, or whose id the database cannot hold.
    pub refused: u64,
    /// The sessions that ended with old passwords.
    pub sessions: u64,
}

impl Counts {
    pub fn of(results: &[ImportResult]) -> Self {
        results.iter().fold(Self::default(), |counts, result| counts + Self::one(*result))
    }

    fn one(result: ImportResult) -> Self {
        let none = Self::default();
        match result {
            ImportResult::Created => Self { created: 1, ..none },
            ImportResult::Updated { sessions } => {
                Self { updated: 1, sessions: u64::try_from(sessions).unwrap_or(u64::MAX), ..none }
            }
            ImportResult::Unchanged => Self { unchanged: 1, ..none },
            ImportResult::Skipped => Self { skipped: 1, ..none },
            ImportResult::Taken | ImportResult::UnfitId => Self { refused: 1, ..none },
        }
    }

    /// Whether all users are created.
    fn are_new(&self) -> bool {
        let Self { created, sessions, .. } = *self;
        *self == Self { created, sessions, ..Self::default() }
    }

    /// The counts with their names in the log, in its order.
    fn named(&self) -> [(&'static str, u64); 6] {
        [
            ("created", self.created),
            ("updated", self.updated),
            ("unchanged", self.unchanged),
            ("skipped", self.skipped),
            ("refused", self.refused),
            ("sessions ended", self.sessions),
        ]
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            created: self.created + other.created,
            updated: self.updated + other.updated,
            unchanged: self.unchanged + other.unchanged,
            skipped: self.skipped + other.skipped,
            refused: self.refused + other.refused,
            sessions: self.sessions + other.sessions,
        }
    }
}

/// What the log says of a batch: `created 2, ...; rows 1 to 5 of 5; import KEY; ABOUT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What identifies the import: files, options and the meaning of both.
    pub key: String,
    /// The number of rows before and after the batch.
    pub rows: [u64; 2],
    pub total: u64,
    pub counts: Counts,
}

impl Note {
    /// The text of the entry, with the words about the files.
    pub fn with(&self, about: &str) -> String {
        let counts: Vec<String> = self.counts.named().iter().map(|(name, count)| format!("{name} {count}")).collect();
        let Self { key, rows: [before, after], total, .. } = self;
        format!("{}; rows {} to {after} of {total}; import {key}; {about}", counts.join(", "), before + 1)
    }

    /// Reads the text of an entry; `None` for one of another form.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, "; ");
        let (counts, rows, key) = (parts.next()?, parts.next()?, parts.next()?);
        let mut found = Counts::default();
        for count in counts.split(", ") {
            let (name, number) = count.rsplit_once(' ')?;
            let number = number.parse().ok()?;
            match name {
                "created" => found.created = number,
                "updated" => found.updated = number,
                "unchanged" => found.unchanged = number,
                "skipped" => found.skipped = number,
                "refused" => found.refused = number,
                "sessions ended" => found.sessions = number,
                _ => return None,
            }
        }
        let (first, rest) = rows.strip_prefix("rows ")?.split_once(" to ")?;
        let (after, total) = rest.split_once(" of ")?;
        let [first, after, total] = [first, after, total].map(|number| number.parse::<u64>().ok());
        Some(Self {
            key: key.strip_prefix("import ")?.to_owned(),
            rows: [first?.checked_sub(1)?, after?],
            total: total?,
            counts: found,
        })
    }
}

/// What is known of a row after the plan or the import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowReport {
    pub place: Place,
    pub result: RowResult,
    pub user_id: Option<String>,
    pub email: Option<String>,
    /// The kind of the password hash.
    pub hash: Option<&'static str>,
    pub warnings: Vec<Warning>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowResult {
    Created,
    Updated,
    Unchanged,
    Skipped,
    /// With the reason, and what is wrong in words for people.
    Refused(Reason, String),
}

impl RowResult {
    /// The name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Refused(..) => "refused",
        }
    }
}

impl From<ImportResult> for RowResult {
    fn from(result: ImportResult) -> Self {
        match result {
            ImportResult::Created => Self::Created,
            ImportResult::Updated { .. } => Self::Updated,
            ImportResult::Unchanged => Self::Unchanged,
            ImportResult::Skipped => Self::Skipped,
            ImportResult::Taken => {
                Self::Refused(Reason::Exists, "the user exists already, or the address or an account is taken".into())
            }
            ImportResult::UnfitId => {
                Self::Refused(Reason::BadId, "the database cannot hold the id, which is never replaced".into())
            }
        }
    }
}

/// How many rows are read from the stage at a time.
const CHUNK: usize = 500;

/// An import of the rows in a stage.
#[derive(Debug)]
pub struct Import<'a> {
    pub stage: &'a mut dyn Stage,
    pub rules: &'a Rules,
}

impl Import<'_> {
    /// Examines all rows and says what would become of them. `store` is `None` if the database does not exist yet, and
    /// `before` is how far an earlier run of the same import came. `told` gets the rows behind that.
    ///
    /// # Errors
    /// [`AuthError::Store`], and those of `told`.
    pub fn plan<E: From<AuthError>>(
        &mut self,
        mut store: StoreIfAny<'_>,
        before: Option<ImportProgress>,
        told: Option<impl FnMut(&[RowReport]) -> Result<(), E>>,
    ) -> Result<Plan, E> {
        let new = Plan { before, ..Plan::default() };
        let mut plan = new.clone();
        self.each_chunk::<AuthError>(|import, rows| {
            let mut examined = Vec::with_capacity(rows.len());
            for row in &mut *rows {
                let of_row = import.rules.examine(row);
                match &of_row {
                    Ok(taken) => taken.claims(&mut |claim| import.stage.claim(row.number, claim))?,
                    Err(fault) => import.stage.refuse(row.number, fault)?,
                }
                examined.push(of_row);
            }
            plan.add_rows(rows, examined, import.rules, &mut store).map(drop)
        })?;
        let duplicates = self.stage.refuse_duplicates().map_err(AuthError::from)?;
        // The rows count again without those that exclude each other, and are reported when all that are refused are known.
        if let Some(mut told) = told {
            plan = new;
            self.each_chunk(|import, rows| told(&plan.examine(rows, import.rules, &mut store)?))?;
        } else if duplicates > 0 {
            plan = new;
            self.each_chunk::<AuthError>(|import, rows| plan.examine(rows, import.rules, &mut store).map(drop))?;
        }
        plan.strays = self.stage.strays().map_err(AuthError::from)?;
        Ok(plan)
    }

    /// Proves that the password of a user of the export is right, and returns the kind of its hash. No shape of a hash
    /// shows a wrong pepper, key or encoding.
    ///
    /// # Errors
    /// [`AuthError::NoSuchUser`] and [`AuthError::NoPassword`] if the export has no such user or no hash, and
    /// [`AuthError::WrongPassword`].
    pub fn prove(
        &mut self,
        email: &Email,
        password: &Password,
        peppers: &dyn Peppers,
    ) -> Result<&'static str, AuthError> {
        let (rules, mut found) = (self.rules, None);
        self.each_chunk::<AuthError>(|_, rows| {
            found = found.take().or_else(|| rows.iter_mut().find_map(|row| rules.hash_of(row, email)));
            Ok(())
        })?;
        let hash = found.ok_or_else(|| AuthError::NoSuchUser(email.to_string()))?.ok_or(AuthError::NoPassword)?;
        if hash.verify(password, peppers)? { Ok(hash.kind().name()) } else { Err(AuthError::WrongPassword) }
    }

    /// Goes through all rows, in chunks.
    fn each_chunk<E: From<AuthError>>(
        &mut self,
        mut each: impl FnMut(&mut Self, &mut [StagedRow]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut after = 0;
        loop {
            let mut rows = self.stage.rows(after, CHUNK).map_err(AuthError::from)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.number;
            each(self, &mut rows)?;
        }
    }
}

/// Reports a row as if its user were created, and adds the user to those of whom the database decides.
fn reported(place: Place, examined: Result<Examined, RowFault>, users: &mut Vec<ImportedUser>) -> RowReport {
    match examined {
        Ok(mut examined) => {
            let report = report(place, &mut examined);
            users.push(examined.user);
            report
        }
        Err(fault) => refusal(place, fault),
    }
}

/// The places of the rows whose users the database has to decide of.
fn undecided(reports: &[RowReport]) -> Vec<usize> {
    (0..reports.len()).filter(|at| reports[*at].result == RowResult::Created).collect()
}

/// Gives the rows of which the database decided what became of them.
fn settle(reports: &mut [RowReport], decided: &[usize], results: &[ImportResult]) {
    for (at, result) in decided.iter().zip(results) {
        reports[*at].result = (*result).into();
    }
}

fn report(place: Place, examined: &mut Examined) -> RowReport {
    let user = &examined.user.user;
    RowReport {
        place,
        result: RowResult::Created,
        user_id: Some(user.id.clone()),
        email: Some(user.email.as_str().to_owned()),
        hash: examined.password.kind(),
        warnings: std::mem::take(&mut examined.warnings),
    }
}

fn refusal(place: Place, fault: RowFault) -> RowReport {
    let RowFault { reason, detail, id, email } = fault;
    let result = RowResult::Refused(reason, detail);
    RowReport { place, result, user_id: id, email, hash: None, warnings: Vec::new() }
}

/// The size of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchSize(usize);

impl BatchSize {
    /// Many users share a sync, and each page of an index that they change. Other writers wait for one batch.
    pub const NATIVE: Self = Self(50_000);
    /// The report of a batch is in memory until it is committed.
    pub const REPORTED: Self = Self(25_000);
    /// An app may not wait for a lock at all.
    pub const GUEST: Self = Self(100);
    /// Each weak hash of a batch is hashed again before the batch is committed, and Ctrl-C waits for the commit.
    pub const WRAPPING: Self = Self(64);
    /// All rows of an import of which every user or none is imported. Longer ones would keep other writers waiting.
    pub const ATOMIC: Self = Self(10_000);

    pub fn rows(self) -> u64 {
        self.0 as u64
    }
}

/// The size of the rows of a batch at which it has no more, so that memory stays flat however large they are. One in a single
/// transaction has all.
const BATCH_BYTES: usize = 16 << 20;

impl Auth<'_> {
    /// Imports what a plan takes, behind what an earlier run of the same import has done.
    ///
    /// `told`, if there is one, gets the rows of each batch, refused ones included, before the batch is committed, so that a
    /// process that ends between the two has told of every row that it has imported; it gets them again when the batch runs
    /// again. `committed` gets their number when the batch is done, and says whether to go on.
    ///
    /// # Errors
    /// [`AuthError`], and those of `told`, which take the batch back. What was committed is done, and the same import goes on
    /// behind it.
    pub fn import<E: From<AuthError>>(
        &mut self,
        import: &mut Import<'_>,
        plan: &Plan,
        about: &str,
        mut told: Option<impl FnMut(&[RowReport]) -> Result<(), E>>,
        mut committed: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Counts, E> {
        let size = match (self.store.guest(), plan.wrapped.total()) {
            _ if import.rules.is_atomic => BatchSize::ATOMIC,
            (Some(_), _) => BatchSize::GUEST,
            (None, 0) if told.is_some() => BatchSize::REPORTED,
            (None, 0) => BatchSize::NATIVE,
            (None, _) => BatchSize::WRAPPING,
        };
        let mut counts = plan.before.as_ref().map_or_else(Counts::default, |before| before.counts);
        let mut after = plan.done_before();
        loop {
            let (mut reports, mut users) = (Vec::new(), Vec::new());
            let (mut last, mut count, mut bytes) = (after, 0, 0);
            while count < size.0 && (bytes < BATCH_BYTES || import.rules.is_atomic) {
                let mut rows = import.stage.rows(last, CHUNK.min(size.0 - count)).map_err(AuthError::from)?;
                let Some(row) = rows.last() else { break };
                last = row.number;
                count += rows.len();
                bytes += rows.iter().map(|row| row.bytes).sum::<usize>();
                let mut examined: Vec<_> = rows.iter_mut().map(|row| import.rules.examine(row)).collect();
                let wrapped = wrap::wrap_all(&mut examined, self.policy.password.cost, self.entropy, import.rules.jobs);
                wrapped.map_err(AuthError::from)?;
                factor::seal_all(&mut examined, self.factor_keys, self.entropy)?;
                if told.is_some() {
                    let examined = rows.iter().zip(examined);
                    reports.extend(examined.map(|(row, examined)| reported(row.place, examined, &mut users)));
                } else {
                    users.extend(examined.into_iter().flatten().map(|examined| examined.user));
                }
            }
            if count == 0 {
                return Ok(counts);
            }
            let undecided = undecided(&reports);
            let batch = ImportBatch {
                users: &users,
                on_conflict: import.rules.on_conflict,
                is_new: plan.counts.are_new(),
                key: &import.rules.key,
                about,
                rows: [after, last],
                total: plan.rows,
                now: self.now,
            };
            let mut untold = None;
            let done = self.store.import_users(&batch, &mut |results| {
                let Some(told) = &mut told else { return Ok(()) };
                settle(&mut reports, &undecided, results);
                told(&reports).map_err(|error| {
                    untold = Some(error);
                    StoreError::Engine("what becomes of the users was not told".into())
                })
            });
            if let Some(error) = untold {
                return Err(error);
            }
            counts = counts + Counts::of(&done.map_err(AuthError::from)??);
            if committed(count).is_break() {
                return Ok(counts);
            }
            after = last;
        }
    }
}

/// The words about an import in its entries: the system, the names of the files and the digest of what they hold.
pub fn about(system: &str, files: &[String], digest: &str) -> String {
    let files = match files {
        [one] => one.clone(),
        many => counted(many.len() as u64, "file"),
    };
    format!("{system} export {files}, SHA-256 {digest}")
}

/// The latest time that a user of an export can have been created: a clock may be a day ahead.
pub(super) fn latest_creation(now: Timestamp) -> Timestamp {
    now.checked_add(jiff::SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn note_is_read_as_it_was_written() {
        let counts = Counts { created: 2, updated: 3, unchanged: 4, skipped: 5, refused: 6, sessions: 7 };
        let note = Note { key: "0f3a".into(), rows: [5_000, 7_020], total: 9_000, counts };
        let text = note.with("clerk export users.csv; sic, SHA-256 00ff");
        assert_eq!(Note::parse(&text), Some(note));
        assert!(text.contains("rows 5001 to 7020 of 9000"), "{text}");
        for other in ["", "5 users", "created 1; rows 1 to 2", "created x; rows 1 to 2 of 2; import k; f"] {
            assert_eq!(Note::parse(other), None, "{other}");
        }
    }
}
