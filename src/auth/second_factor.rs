//! The second factor of a user, as an app checks it: a row with the secret, a flag of the user, and a lock.
//!
//! The flag makes the app ask for the factor, and the row lets the user answer. A flag without a usable row locks the
//! user out permanently, whatever the password.

mod app;
mod check;
mod keys;
pub mod recovery;
mod sealed;
pub mod totp;

use jiff::Timestamp;

pub use app::secret_of_app;
pub use check::{FactorOwner, FactorStatus};
pub use keys::KeyUse;
pub use sealed::{FactorKey, FactorKeys, SealError, SealedSecret};

use super::user::{User, UserRef};
use super::{Auth, AuthError, SignInBlocker};

/// What an app's table of second factors has for a user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FactorRows {
    pub rows: u64,
    /// Whether the row, which is the first if there are several, was verified.
    pub is_verified: bool,
    /// Until when the app refuses every code.
    pub locked_until: Option<Timestamp>,
}

/// The state of a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactor {
    /// The app does not ask for one.
    Off,
    Working,
    /// The app refuses every code until then.
    Locked(Timestamp),
    /// The app asks for one, and the user has no row.
    Missing,
    /// The app asks for one, and the user never confirmed it.
    Unverified,
}

impl SecondFactor {
    /// The name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Working => "working",
            Self::Locked(_) => "locked",
            Self::Missing => "missing",
            Self::Unverified => "unverified",
        }
    }

    /// Decides from the user and the rows.
    pub fn of(user: &User, rows: &FactorRows, now: Timestamp) -> Self {
        match rows {
            _ if !user.two_factor_enabled => Self::Off,
            FactorRows { rows: 0, .. } => Self::Missing,
            FactorRows { is_verified: false, .. } => Self::Unverified,
            FactorRows { locked_until: Some(until), .. } if now < *until => Self::Locked(*until),
            FactorRows { .. } => Self::Working,
        }
    }

    /// Why the user cannot sign in to the app because of it.
    pub fn blocker(self) -> Option<SignInBlocker> {
        match self {
            Self::Off | Self::Working => None,
            Self::Locked(until) => Some(SignInBlocker::SecondFactorLocked { until }),
            Self::Missing => Some(SignInBlocker::SecondFactorMissing),
            Self::Unverified => Some(SignInBlocker::SecondFactorUnverified),
        }
    }
}

/// What a reset of a second factor removes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FactorReset {
    /// Whether the app asks for the factor.
    pub was_on: bool,
    pub rows: u64,
    pub trusted_devices: u64,
    /// Sign-ins that wait for the factor.
    pub pending_sign_ins: u64,
    /// Live sessions.
    pub sessions: u64,
}

impl FactorReset {
    /// Whether there is nothing of a second factor. Then a reset ends no session.
    pub fn is_empty(self) -> bool {
        Self { sessions: 0, ..self } == Self::default()
    }
}

impl Auth<'_> {
    /// The state of a user's second factor; `None` if the database has no table of second factors.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn second_factor(&mut self, user: &User) -> Result<Option<SecondFactor>, AuthError> {
        let rows = self.store.factor_rows(&user.id)?;
        Ok(rows.map(|rows| SecondFactor::of(user, &rows, self.now)))
    }

    /// Counts what [`Auth::reset_second_factor`] would remove.
    ///
    /// # Errors
    /// [`AuthError::NoSuchUser`].
    pub fn factor_to_reset(&mut self, user: &User) -> Result<FactorReset, AuthError> {
        let found = self.store.factor_to_reset(&user.id, self.now)?;
        found.ok_or_else(|| AuthError::NoSuchUser(user.id.clone()))
    }

    /// Removes a user's second factor with its flag, trusted devices and unfinished sign-ins, and ends all sessions.
    ///
    /// # Errors
    /// [`AuthError::NoSuchUser`].
    pub fn reset_second_factor(&mut self, user: &User) -> Result<(User, FactorReset), AuthError> {
        let reset = self.store.reset_second_factor(&user.id, self.now)?;
        let missing = || AuthError::NoSuchUser(user.id.clone());
        let reset = reset.ok_or_else(missing)?;
        let user = self.store.user(&UserRef::Id(user.id.clone()))?.ok_or_else(missing)?;
        Ok((user, reset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::{at, user};

    #[test]
    fn factor_blocks_only_when_it_cannot_be_used() {
        let rows =
            |rows, is_verified, locked: bool| FactorRows { rows, is_verified, locked_until: locked.then(|| at(60)) };
        let on = User { two_factor_enabled: true, ..user() };
        for (user, rows, now, state) in [
            (user(), rows(0, false, false), 0, SecondFactor::Off),
            (user(), rows(1, false, true), 0, SecondFactor::Off),
            (on.clone(), rows(1, true, false), 0, SecondFactor::Working),
            (on.clone(), rows(1, true, true), 59, SecondFactor::Locked(at(60))),
            (on.clone(), rows(1, true, true), 60, SecondFactor::Working),
            (on.clone(), rows(0, false, false), 0, SecondFactor::Missing),
            (on.clone(), rows(1, false, true), 0, SecondFactor::Unverified),
        ] {
            let found = SecondFactor::of(&user, &rows, at(now));
            assert_eq!(found, state);
            let is_usable = matches!(state, SecondFactor::Off | SecondFactor::Working);
            assert_eq!(found.blocker().is_none(), is_usable, "{state:?}");
        }
    }
}
