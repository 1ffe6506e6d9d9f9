//! What an import would do.

use std::collections::BTreeMap;

use super::examine::{Examined, Rules, TakenPassword, Warning};
use super::row::{Reason, RowFault};
use super::stage::StagedRow;
use super::{Counts, RowReport, RowResult, reported, settle, undecided};
use crate::auth::AuthError;
use crate::auth::storage::{ImportProgress, ImportResult, OnConflict, Store};

/// Numbers by name. Names beyond the most are counted together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(pub BTreeMap<String, u64>);

/// The most names of a [`Tally`], so that a file cannot fill the memory with them.
const NAMES_MAX: usize = 100;
/// The name of what is counted beyond them.
const OTHERS: &str = "others";

impl Tally {
    fn count(&mut self, name: &str) {
        if let Some(count) = self.0.get_mut(name) {
            *count += 1;
        } else {
            let name = if self.0.len() < NAMES_MAX { name } else { OTHERS };
            *self.0.entry(name.to_owned()).or_default() += 1;
        }
    }

    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

/// How many refused rows a plan keeps to show.
const SHOWN_MAX: usize = 10;

/// What an import would do.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The rows with users, refused ones included.
    pub rows: u64,
    /// What becomes of the users whose rows can be taken.
    pub counts: Counts,
    /// Refused rows by reason.
    pub refused: BTreeMap<Reason, u64>,
    /// The first refused rows.
    pub refusals: Vec<RowReport>,
    /// The numbers of what the rows that can be taken have.
    pub verified: u64,
    pub banned: u64,
    /// Passwords by the kind of hash.
    pub passwords: Tally,
    /// Weak hashes that are wrapped, by kind.
    pub wrapped: Tally,
    /// Passwords that are left out because they are weak or cannot be verified, by kind.
    pub dropped: Tally,
    pub without_password: u64,
    /// Accounts at other providers.
    pub accounts: Tally,
    /// Accounts whose tokens are kept.
    pub accounts_with_tokens: u64,
    /// Roles that users get.
    pub roles: Tally,
    /// Roles of the other system that count for nothing.
    pub roles_left_out: Tally,
    /// Second factors that the users keep.
    pub second_factors_kept: u64,
    pub second_factors_dropped: u64,
    /// Fields that have no place.
    pub left_out: Tally,
    /// Rows about users whom the export does not have.
    pub strays: u64,
    /// How far an earlier run of the same import came.
    pub before: Option<ImportProgress>,
}

/// The store of the database, or `None` if it does not exist yet.
pub(super) type StoreIfAny<'s> = Option<&'s mut dyn Store>;

impl Plan {
    /// The number of refused rows, those included whose users are taken.
    pub fn refused_rows(&self) -> u64 {
        self.refused.values().sum()
    }

    /// The numbers of refused rows by the names of their reasons, in the order of these.
    pub fn reasons(&self) -> Vec<(&'static str, u64)> {
        let mut named: Vec<(&'static str, u64)> = Vec::new();
        for (reason, rows) in &self.refused {
            match named.last_mut().filter(|(name, _)| *name == reason.name()) {
                Some((_, sum)) => *sum += rows,
                None => named.push((reason.name(), *rows)),
            }
        }
        named
    }

    /// Second factors of refused rows, by the name of the reason why they are not kept.
    pub fn second_factors_refused(&self) -> Tally {
        let problem = |(reason, rows): (&Reason, &u64)| match reason {
            Reason::SecondFactor(problem) => Some((problem.name().to_owned(), *rows)),
            _ => None,
        };
        Tally(self.refused.iter().filter_map(problem).collect())
    }

    /// Whether an earlier run of the same import came to the end.
    pub fn is_done(&self) -> bool {
        self.before.as_ref().is_some_and(|before| before.rows >= self.rows)
    }

    /// The number of rows that an earlier run has done.
    pub fn done_before(&self) -> u64 {
        self.before.as_ref().map_or(0, |before| before.rows)
    }

    fn add_refusal(&mut self, report: &RowReport) {
        let RowResult::Refused(reason, _) = &report.result else { return };
        *self.refused.entry(*reason).or_default() += 1;
        if self.refusals.len() < SHOWN_MAX {
            self.refusals.push(report.clone());
        }
    }

    /// Examines rows and adds them. Returns the reports of those that no earlier run has done.
    pub(super) fn examine(
        &mut self,
        rows: &mut [StagedRow],
        rules: &Rules,
        store: &mut StoreIfAny<'_>,
    ) -> Result<Vec<RowReport>, AuthError> {
        let examined = rows.iter_mut().map(|row| rules.examine(row)).collect();
        self.add_rows(rows, examined, rules, store)
    }

    /// Adds examined rows, as [`Self::examine`] does.
    pub(super) fn add_rows(
        &mut self,
        rows: &[StagedRow],
        examined: Vec<Result<Examined, RowFault>>,
        rules: &Rules,
        store: &mut StoreIfAny<'_>,
    ) -> Result<Vec<RowReport>, AuthError> {
        let done = self.done_before();
        let refused_before = self.before.as_ref().is_some_and(|before| before.counts.refused > 0);
        let (mut reports, mut users) = (Vec::new(), Vec::new());
        let (mut earlier, mut earlier_users) = (Vec::new(), Vec::new());
        for (row, examined) in rows.iter().zip(examined) {
            self.rows += 1;
            if let Ok(examined) = &examined {
                self.add(examined);
            }
            if row.number > done {
                reports.push(reported(row.place, examined, &mut users));
            } else if refused_before || examined.is_err() {
                earlier.push(reported(row.place, examined, &mut earlier_users));
            }
        }
        if let Some(store) = store.as_deref_mut().filter(|_| !earlier_users.is_empty()) {
            // Of the rows that an earlier run has imported, those count that the database refused, and refuses again.
            let results = store.rehearse_import(&earlier_users, rules.on_conflict)?;
            let decided = undecided(&earlier);
            settle(&mut earlier, &decided, &results);
        }
        let is_refused = |report: &RowReport| match report.result {
            RowResult::Refused(Reason::Exists, _) => rules.on_conflict == OnConflict::Update,
            _ => true,
        };
        earlier.iter().filter(|report| is_refused(report)).for_each(|report| self.add_refusal(report));
        let results = match store {
            Some(store) => store.rehearse_import(&users, rules.on_conflict)?,
            None => vec![ImportResult::Created; users.len()],
        };
        self.counts = self.counts + Counts::of(&results);
        let undecided = undecided(&reports);
        settle(&mut reports, &undecided, &results);
        for report in &reports {
            self.add_refusal(report);
        }
        Ok(reports)
    }

    fn add(&mut self, examined: &Examined) {
        let user = &examined.user;
        self.verified += u64::from(user.user.email_verified);
        self.banned += u64::from(user.user.ban.is_some());
        match &examined.password {
            TakenPassword::None => self.without_password += 1,
            TakenPassword::Taken(kind) => self.passwords.count(kind),
            TakenPassword::Wrapped(hash) => self.wrapped.count(hash.kind().name()),
            TakenPassword::Dropped(kind) => self.dropped.count(kind),
        }
        for account in &user.accounts {
            self.accounts.count(&account.provider_id);
            self.accounts_with_tokens += u64::from(account.tokens.is_some());
        }
        for role in user.user.role.iter().flat_map(|roles| roles.split(',')) {
            self.roles.count(role);
        }
        for role in &examined.roles_left_out {
            self.roles_left_out.count(role);
        }
        self.second_factors_kept += u64::from(examined.factor.is_some());
        self.second_factors_dropped += u64::from(examined.warnings.contains(&Warning::SecondFactorDropped));
        for field in &examined.left_out {
            self.left_out.count(field);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tally_keeps_a_bounded_number_of_names() {
        let mut tally = Tally::default();
        for number in 0..1_000 {
            tally.count(&format!("role-{number}"));
        }
        assert_eq!((tally.total(), tally.0.len(), tally.0[OTHERS]), (1_000, NAMES_MAX + 1, 900));
    }
}
