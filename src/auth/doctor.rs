//! Finds problems of a database. Each [`Check`] is one entry of a table: its name, its severity, the function
//! that looks for the problem, and a [`Fix`] where the problem has only one possible fix.

mod app_schema;
mod checks;
mod factors;
mod hashes;
mod server;

use super::storage::StoreError;
use super::{Auth, AuthError};

pub use checks::{ACCOUNTS, FULL_INTEGRITY, INTEGRITY, PLUGINS, SCHEMA, STRUCTURE, lowered};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Something does not work, or is not safe.
    Problem,
    /// Worth knowing.
    Notice,
}

impl Severity {
    pub fn word(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Notice => "notice",
        }
    }
}

/// What a check reports; the check adds its name and severity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// The number of affected rows, files or settings.
    pub count: u64,
    /// What is wrong and why it matters.
    pub message: String,
    /// What the message is about, one by one.
    pub lines: Vec<String>,
    pub hint: String,
    /// Whether the check's fix helps against this.
    pub is_fixable: bool,
    /// The problem is over: the finding is a notice, whatever the severity of the check.
    pub is_past: bool,
}

impl Details {
    /// A problem that only its hint helps against.
    pub fn new(count: u64, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { count, message: message.into(), lines: Vec::new(), hint: hint.into(), is_fixable: false, is_past: false }
    }

    /// As [`Self::new`]; `None` if nothing is affected.
    pub fn if_any(count: u64, message: impl Into<String>, hint: impl Into<String>) -> Option<Self> {
        (count > 0).then(|| Self::new(count, message, hint))
    }

    #[must_use]
    pub fn past(self) -> Self {
        Self { is_past: true, ..self }
    }

    #[must_use]
    pub fn fixable(self) -> Self {
        Self { is_fixable: true, ..self }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Fix<F> {
    /// What the fix does, in words for the confirmation.
    pub does: &'static str,
    pub apply: F,
}

/// Runs a check of a database.
pub type Run = fn(&mut Auth<'_>) -> Result<Option<Details>, AuthError>;
/// Applies a fix to a database.
pub type Apply = fn(&mut Auth<'_>) -> Result<(), AuthError>;

/// The functions are parameters because the checks of files take a context instead of a database.
#[derive(Debug)]
pub struct Check<R = Run, F = Apply> {
    /// Its name for programs.
    pub name: &'static str,
    pub severity: Severity,
    pub run: R,
    pub fix: Option<Fix<F>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The name of the check.
    pub check: &'static str,
    pub severity: Severity,
    pub details: Details,
    /// What the fix does, if there is one.
    pub fix: Option<&'static str>,
    pub is_fixed: bool,
}

impl Finding {
    /// A problem without a fix.
    pub fn problem(check: &'static str, details: Details) -> Self {
        Self { check, severity: Severity::Problem, details, fix: None, is_fixed: false }
    }

    /// A database with such a finding is not healthy.
    pub fn is_open_problem(&self) -> bool {
        self.severity == Severity::Problem && !self.is_fixed
    }
}

impl<R, F> Check<R, F> {
    /// A check without a fix.
    pub const fn new(name: &'static str, severity: Severity, run: R) -> Self {
        Self { name, severity, run, fix: None }
    }

    /// Makes a finding of what the check reported. A check that cannot run is a problem too.
    pub fn finding<E: std::fmt::Display>(&self, reported: Result<Option<Details>, E>) -> Option<Finding> {
        match reported {
            Ok(details) => details.map(|details| Finding {
                check: self.name,
                severity: if details.is_past { Severity::Notice } else { self.severity },
                fix: self.fix.as_ref().filter(|_| details.is_fixable).map(|fix| fix.does),
                details,
                is_fixed: false,
            }),
            Err(error) => Some(self.not_run(error, "fix what the other findings name first")),
        }
    }

    fn not_run(&self, error: impl std::fmt::Display, hint: &str) -> Finding {
        Finding::problem(self.name, Details::new(1, format!("could not be checked: {error}"), hint))
    }
}

/// The checks of the rows of a database. They run after those of [`STRUCTURE`].
pub const CONTENT: &[Check] = &[
    checks::ODD_ROWS,
    checks::POLICY,
    checks::UPPER_CASE,
    checks::TWINS,
    checks::SYNTAX,
    checks::STRAY_ACCOUNTS,
    hashes::NO_HASH,
    hashes::REFUSED_HASHES,
    hashes::OTHER_HASHES,
    hashes::WEAK_HASHES,
    hashes::LEGACY_HASHES,
    checks::ADMINISTRATOR,
    factors::KEYS,
    checks::INTERRUPTED,
    checks::EXPIRED,
    checks::CLOCK,
];

/// Runs the checks. Damage is reported once: the checks after it fail because of it. In a damaged file whose pages lead in
/// circles, each of them would take as long as a statement may, so the first one that does is the last.
pub fn run_checks<'c>(auth: &mut Auth<'_>, checks: impl IntoIterator<Item = &'c Check>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for check in checks {
        let reported = (check.run)(auth);
        if let Err(AuthError::Store(error @ (StoreError::Disconnected(_) | StoreError::Canceled))) = &reported {
            findings.push(check.not_run(error, "the checks after it did not run either: try again"));
            break;
        }
        let is_damaged = findings.iter().any(|finding| finding.check == INTEGRITY.name);
        let is_endless = is_damaged && matches!(reported, Err(AuthError::Store(StoreError::TooMuch(_))));
        // A finding says once that no time can be read.
        let needs_times = matches!(&reported, Err(AuthError::Store(StoreError::NotOurs(why))) if why.is_about_times());
        if !(needs_times || is_damaged && matches!(reported, Err(AuthError::Store(StoreError::Corrupt(_))))) {
            findings.extend(check.finding(reported));
        }
        if is_endless {
            break;
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_names_are_unique() {
        let names: Vec<&str> =
            [INTEGRITY].iter().chain(STRUCTURE).chain(PLUGINS).chain(CONTENT).map(|check| check.name).collect();
        for (index, name) in names.iter().enumerate() {
            assert!(!names[index + 1..].contains(name), "{name}");
        }
    }

    #[test]
    fn check_that_cannot_run_is_a_problem() {
        let notice = CONTENT.iter().find(|check| check.severity == Severity::Notice).unwrap();
        let finding = notice.finding(Err(StoreError::Busy)).unwrap();
        assert!(finding.is_open_problem() && finding.fix.is_none());
        assert!(notice.finding::<StoreError>(Ok(None)).is_none());
    }

    #[test]
    fn fix_is_offered_only_for_what_it_helps_against() {
        let check = CONTENT.iter().find(|check| check.fix.is_some()).unwrap();
        let details = Details::new(1, "a", "b");
        assert_eq!(check.finding::<StoreError>(Ok(Some(details.clone()))).unwrap().fix, None);
        assert!(check.finding::<StoreError>(Ok(Some(details.fixable()))).unwrap().fix.is_some());
    }
}
