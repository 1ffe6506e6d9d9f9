//! What is healthy. Each check is one entry of a table: its name, how bad it is, how it looks, and how
//! what it finds is mended, where only one thing can have been meant.

mod database;
mod users;

use super::storage::StoreError;
use super::{Auth, AuthError};

pub use database::STRUCTURE;
pub use users::lowered;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Something does not work, or is not safe.
    Problem,
    /// Worth knowing.
    Notice,
}

impl Severity {
    /// Its name for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Notice => "notice",
        }
    }
}

/// What a check sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symptom {
    /// How many rows, files or settings are concerned.
    pub count: u64,
    /// What it is and why it matters.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// Whether the check's cure helps.
    pub is_curable: bool,
    /// Whether it is worth no more than a notice, whatever the check usually finds.
    pub is_past: bool,
}

impl Symptom {
    /// A symptom for which there is no cure but the hint.
    pub fn new(count: u64, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { count, message: message.into(), hint: hint.into(), is_curable: false, is_past: false }
    }

    /// One that tells of the past alone.
    #[must_use]
    pub fn past(self) -> Self {
        Self { is_past: true, ..self }
    }

    /// One that the check's cure takes away.
    #[must_use]
    pub fn curable(self) -> Self {
        Self { is_curable: true, ..self }
    }
}

/// How something is mended.
#[derive(Debug, Clone, Copy)]
pub struct Cure<F> {
    /// What it does, in words.
    pub does: &'static str,
    /// Does it.
    pub act: F,
}

/// A look at a database.
pub type Look = fn(&mut Auth<'_>) -> Result<Option<Symptom>, AuthError>;
/// A cure of a database.
pub type Act = fn(&mut Auth<'_>) -> Result<(), AuthError>;

/// A check: `L` looks and `A` mends.
#[derive(Debug)]
pub struct Check<L = Look, A = Act> {
    /// Its name for programs.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Looks.
    pub look: L,
    /// Mends what it saw, if anything can.
    pub cure: Option<Cure<A>>,
}

/// What is wrong, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The name of the check that found it.
    pub check: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What was seen.
    pub symptom: Symptom,
    /// What its cure does, if there is one.
    pub cure: Option<&'static str>,
    /// It has been mended.
    pub is_mended: bool,
}

impl Finding {
    /// Something that is wrong and cannot be mended here.
    pub fn problem(check: &'static str, symptom: Symptom) -> Self {
        Self { check, severity: Severity::Problem, symptom, cure: None, is_mended: false }
    }

    /// Whether the database or its surroundings are not healthy because of it.
    pub fn is_open_problem(&self) -> bool {
        self.severity == Severity::Problem && !self.is_mended
    }
}

impl<L, A> Check<L, A> {
    /// What is told of what the check saw. That it could not look is a problem too.
    pub fn finding<E: std::fmt::Display>(&self, seen: Result<Option<Symptom>, E>) -> Option<Finding> {
        match seen {
            Ok(symptom) => symptom.map(|symptom| Finding {
                check: self.name,
                severity: if symptom.is_past { Severity::Notice } else { self.severity },
                cure: self.cure.as_ref().filter(|_| symptom.is_curable).map(|cure| cure.does),
                symptom,
                is_mended: false,
            }),
            Err(error) => Some(Finding::problem(
                self.name,
                Symptom::new(1, format!("could not be checked: {error}"), "fix what the other findings name first"),
            )),
        }
    }
}

/// The checks of what is in a database; those of its structure come before them.
pub const CONTENT: &[Check] = &[
    database::NONSENSE,
    database::POLICY,
    users::UPPER_CASE,
    users::TWINS,
    users::SYNTAX,
    users::STRAY_ACCOUNTS,
    users::NO_HASH,
    users::REFUSED_HASHES,
    users::WEAK_HASHES,
    users::ADMINISTRATOR,
    database::INTERRUPTED,
    database::EXPIRED,
    database::CLOCK,
];

/// Looks with each check. Damage is told once: nothing else can be seen through it.
pub fn look<'c>(auth: &mut Auth<'_>, checks: impl IntoIterator<Item = &'c Check>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for check in checks {
        let seen = (check.look)(auth);
        let is_told = matches!(seen, Err(AuthError::Store(StoreError::Corrupt(_))))
            && findings.iter().any(|finding| finding.check == database::DAMAGE.name);
        if !is_told {
            findings.extend(check.finding(seen));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_has_a_name_of_its_own() {
        let names: Vec<&str> = STRUCTURE.iter().chain(CONTENT).map(|check| check.name).collect();
        for (index, name) in names.iter().enumerate() {
            assert!(!names[index + 1..].contains(name), "{name}");
        }
    }

    #[test]
    fn a_check_that_cannot_look_is_a_problem_whatever_it_looks_for() {
        let notice = CONTENT.iter().find(|check| check.severity == Severity::Notice).unwrap();
        let finding = notice.finding(Err(StoreError::Busy)).unwrap();
        assert!(finding.is_open_problem() && finding.cure.is_none());
        assert!(notice.finding::<StoreError>(Ok(None)).is_none());
    }

    #[test]
    fn a_cure_is_offered_only_for_what_it_helps_against() {
        let check = CONTENT.iter().find(|check| check.cure.is_some()).unwrap();
        let symptom = Symptom::new(1, "a", "b");
        assert_eq!(check.finding::<StoreError>(Ok(Some(symptom.clone()))).unwrap().cure, None);
        assert!(check.finding::<StoreError>(Ok(Some(symptom.curable()))).unwrap().cure.is_some());
    }
}
