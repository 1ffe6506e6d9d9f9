//! The part of the port that keeps second factors of native databases.

use jiff::{SignedDuration, Timestamp};

use super::{StoreError, Which};
use crate::auth::AuthError;
use crate::auth::second_factor::{SealedSecret, totp};
use crate::auth::secret::StoredHash;
use crate::auth::session::Session;
use crate::auth::throttle::AttemptKey;

/// Second factors that authctl checks: its own, and those of an app as the app does.
pub trait FactorStore {
    /// Reads the second factor of a user, confirmed or not.
    fn factor(&mut self, user_id: &str) -> Result<Option<StoredFactor>, StoreError>;

    /// Reads the second factor of a user in the database of an app.
    fn app_factor(&mut self, user_id: &str) -> Result<Option<AppFactor>, StoreError>;

    /// Whether the app's database has a table of second factors, and users a flag for them.
    fn has_app_factors(&mut self) -> Result<bool, StoreError>;

    /// Some of the stored backup codes of an app, which show their form.
    fn sample_of_app_codes(&mut self) -> Result<Vec<String>, StoreError>;

    /// Stores a factor that is to be confirmed, in place of another such one. Refuses with [`AuthError::FactorIsOn`] if
    /// the user has a confirmed one, and with [`AuthError::ChangedMeanwhile`] if the password is another one by now.
    fn begin_factor(&mut self, new: &NewFactor<'_>) -> Result<Result<(), AuthError>, StoreError>;

    /// Uses a code up and performs an act with it. Returns the sessions that ended. Refuses with
    /// [`AuthError::InvalidOtp`] if the code was used meanwhile, and with [`AuthError::ChangedMeanwhile`] if the password
    /// is another one by now.
    fn use_factor(&mut self, request: &FactorUse<'_>) -> Result<Result<Vec<Session>, AuthError>, StoreError>;

    /// The names of the keys that encrypt secrets, each with the number of its secrets.
    fn factor_key_names(&mut self) -> Result<Vec<(String, u64)>, StoreError>;

    /// Encrypts all secrets again, in one transaction, with the key of a name. Returns the number of those that had
    /// another key. The first error of `reseal` changes nothing.
    fn reseal_factors(&mut self, key: &str, reseal: &mut Reseal<'_>) -> Result<Result<u64, AuthError>, StoreError>;

    /// Notes in authctl's own tables that a user used the code of a step of time: the first of the given ones that is not
    /// used yet. Returns that step; `None` if all are used. For the factors of an app, which notes no step itself.
    fn claim_step(&mut self, user_id: &str, steps: &[i64], now: Timestamp) -> Result<Option<i64>, StoreError>;

    /// Counts a wrong code, and locks the factor after [`FAILURES_MAX`] in a row.
    fn fail_factor(&mut self, user_id: &str, now: Timestamp) -> Result<(), StoreError>;
}

/// Encrypts the secret of a user with another key.
pub type Reseal<'a> = dyn FnMut(&str, &SealedSecret) -> Result<SealedSecret, AuthError> + 'a;

/// How many wrong codes in a row lock a factor, as Better Auth does.
pub const FAILURES_MAX: u32 = 10;

/// How long a factor stays locked.
const LOCKED_FOR: SignedDuration = SignedDuration::from_mins(15);

/// A second factor as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFactor {
    pub id: String,
    pub secret: SealedSecret,
    /// The digests of the recovery codes that are left.
    pub recovery: Vec<String>,
    /// Whether the user has proved to have the secret.
    pub is_confirmed: bool,
    /// Wrong codes since the last right one.
    pub failures: u32,
    /// Until when no code is accepted.
    pub locked_until: Option<Timestamp>,
    /// The last step of time whose code was accepted.
    pub last_step: Option<i64>,
}

impl StoredFactor {
    pub fn is_locked(&self, now: Timestamp) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }

    /// The factor after a code was used; `None` if the code is not to be accepted.
    #[must_use]
    pub fn after(&self, code: &RightOtp, now: Timestamp) -> Option<Self> {
        if self.id != code.factor_id || self.is_locked(now) {
            return None;
        }
        let mut after = Self { failures: 0, locked_until: None, ..self.clone() };
        match &code.kind {
            OtpKind::Step(step) if totp::is_unused(*step, self.last_step) => after.last_step = Some(*step),
            OtpKind::Recovery(digest) if self.recovery.contains(digest) => {
                after.recovery.retain(|left| left != digest);
            }
            _ => return None,
        }
        Some(after)
    }

    /// The factor after a wrong code. A lock that has ended counts no more.
    #[must_use]
    pub fn after_failure(&self, now: Timestamp) -> Self {
        let (failures, locked_until) = lock_after(self.failures, self.locked_until, now);
        Self { failures, locked_until, ..self.clone() }
    }
}

fn lock_after(failures: u32, locked_until: Option<Timestamp>, now: Timestamp) -> (u32, Option<Timestamp>) {
    let before = if locked_until.is_some_and(|until| until <= now) { 0 } else { failures };
    let failures = before.saturating_add(1);
    let lock = now.saturating_add(LOCKED_FOR).unwrap_or(Timestamp::MAX);
    (failures, (failures >= FAILURES_MAX).then_some(lock))
}

/// A second factor as an app stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppFactor {
    /// Encrypted with the app's secret.
    pub secret: String,
    /// The backup codes that are left, in a form that the app chose.
    pub codes: String,
    pub is_confirmed: bool,
    /// Wrong codes since the last right one.
    pub failures: u32,
    /// Until when no code is accepted.
    pub locked_until: Option<Timestamp>,
}

impl AppFactor {
    /// The count of wrong codes and the lock after another one, as the app sets them.
    #[must_use]
    pub fn after_failure(&self, now: Timestamp) -> (u32, Option<Timestamp>) {
        lock_after(self.failures, self.locked_until, now)
    }
}

/// A code of a factor that was right when it was checked. The transaction that uses it decides whether it still is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RightOtp {
    /// In the database of an app, the stored secret.
    pub factor_id: String,
    pub kind: OtpKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OtpKind {
    /// A code of the authenticator app, of this step of time.
    Step(i64),
    /// A recovery code with this digest.
    Recovery(String),
    /// A code of the authenticator app, in the database of an app, with the steps of time that have it. The app notes none.
    AppSteps(Vec<i64>),
    /// A backup code of an app: the stored codes before and after it.
    AppCode { before: String, left: String },
}

/// A factor to insert.
#[derive(Debug)]
pub struct NewFactor<'a> {
    pub id: String,
    pub user_id: &'a str,
    pub secret: &'a SealedSecret,
    /// What is stored of no recovery codes.
    pub recovery: &'a str,
    pub now: Timestamp,
    /// The hash that the password of the user matched.
    pub verified: &'a StoredHash,
    /// The count of attempts to clear.
    pub attempts: &'a AttemptKey,
}

/// A use of a code.
#[derive(Debug)]
pub struct FactorUse<'a> {
    pub user_id: &'a str,
    pub code: &'a RightOtp,
    /// The hash that the password of the user matched, and the count of attempts to clear; `None` for an act that needs
    /// no password.
    pub verified: Option<(&'a StoredHash, &'a AttemptKey)>,
    pub act: FactorAct<'a>,
    pub now: Timestamp,
}

/// What a code is used for.
#[derive(Debug, Clone)]
pub enum FactorAct<'a> {
    /// To prove that the user has the factor.
    Check,
    /// To turn the factor on, with what is stored of new recovery codes: a digest for each, or the one text of an app.
    Confirm {
        recovery: &'a [String],
        end: Which,
    },
    /// To replace the recovery codes.
    NewRecoveryCodes(&'a [String]),
    Remove {
        end: Which,
    },
}

impl FactorAct<'_> {
    /// Whether the act is about a factor that is on.
    pub fn needs_confirmed(&self) -> bool {
        !matches!(self, Self::Confirm { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::at;

    fn factor() -> StoredFactor {
        StoredFactor {
            id: "factor".into(),
            secret: SealedSecret("key:00".into()),
            recovery: vec!["one".into(), "two".into()],
            is_confirmed: true,
            failures: 3,
            locked_until: None,
            last_step: Some(7),
        }
    }

    fn code(kind: OtpKind) -> RightOtp {
        RightOtp { factor_id: "factor".into(), kind }
    }

    #[test]
    fn code_is_accepted_a_single_time() {
        let step = code(OtpKind::Step(8));
        let after = factor().after(&step, at(0)).unwrap();
        assert_eq!((after.last_step, after.failures, after.recovery.len()), (Some(8), 0, 2));
        assert_eq!(after.after(&step, at(0)), None);
        assert_eq!(after.after(&code(OtpKind::Step(7)), at(0)), None);
        let recovery = code(OtpKind::Recovery("one".into()));
        let after = factor().after(&recovery, at(0)).unwrap();
        assert_eq!((after.recovery.as_slice(), after.last_step), (["two".to_owned()].as_slice(), Some(7)));
        assert_eq!(after.after(&recovery, at(0)), None);
        let of_another = RightOtp { factor_id: "other".into(), ..step };
        assert_eq!(factor().after(&of_another, at(0)), None);
    }

    #[test]
    fn ten_failures_lock_for_a_quarter_of_an_hour() {
        let mut factor = StoredFactor { failures: 0, ..factor() };
        for _ in 0..9 {
            factor = factor.after_failure(at(0));
            assert!(!factor.is_locked(at(0)), "{factor:?}");
        }
        factor = factor.after_failure(at(0));
        assert!(factor.is_locked(at(899)) && !factor.is_locked(at(900)));
        assert_eq!(factor.after(&code(OtpKind::Step(8)), at(899)), None, "a right code is refused too");
        assert!(factor.after(&code(OtpKind::Step(8)), at(900)).is_some());
        assert_eq!(factor.after_failure(at(900)).failures, 1, "the count begins anew");
    }
}
