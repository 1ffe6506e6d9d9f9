//! Errors of the rules.

use jiff::{SignedDuration, Timestamp};

use super::email::InvalidEmail;
use super::password::strength::WeakPassword;
use super::password::{HashError, HashFormat};
use super::policy::PolicyError;
use super::secret::EntropyError;
use super::storage::StoreError;
use super::user::ProfileError;

/// Why the caller is not signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedOut {
    Expired,
    /// No session has this token. It ended, or never existed.
    Ended,
    /// The session is of another user than `guard` admitted.
    Guarded,
    /// `guard` admitted a user to another database.
    ElsewhereGuarded,
    /// The impersonator is no longer an administrator, or is banned.
    ImpersonatorGone,
    /// The impersonation is over, and the impersonator's own session is stored.
    ImpersonationOver,
}

#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    #[error(transparent)]
    InvalidEmail(#[from] InvalidEmail),
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error(transparent)]
    WeakPassword(#[from] WeakPassword),
    #[error("a user with this email address exists")]
    UserExists,
    /// The user exists with other values than the requested ones (`--if-missing`).
    #[error("{email} exists and is not what was asked for: {differences}")]
    UserDiffers { email: String, differences: String },
    /// The address is unknown, or the password is wrong. The message does not say which.
    #[error("invalid email or password")]
    InvalidCredentials,
    /// The code is unknown, used, expired, or for another purpose. The message does not say which.
    #[error("the code is wrong, used or expired")]
    InvalidCode,
    /// The code is valid, but for another user than the caller.
    #[error("the code is for another user than the one who is signed in")]
    CodeOfAnother,
    /// The code is valid, but the password is not that of its user, who may have no password.
    #[error("the password is not that of the user whom the code is for")]
    PasswordOfAnother,
    #[error("the current password is wrong")]
    WrongPassword,
    #[error("too many failed attempts")]
    Throttled { retry_after: SignedDuration },
    /// Other attempts are not decided yet, and the wait for a turn is over.
    #[error("other attempts are being checked")]
    AttemptsUndecided,
    /// The user is banned, and gave the right password.
    #[error("this user is banned")]
    Banned {
        /// The reason that the operator gave.
        reason: Option<String>,
        /// The end of the ban; `None` for a permanent one.
        until: Option<Timestamp>,
    },
    /// The app asks this user for a second factor, which authctl cannot check.
    #[error("this user has a second factor, which authctl cannot check")]
    SecondFactor,
    /// The policy requires a verified address.
    #[error("the email address is not verified")]
    EmailNotVerified { email: String },
    #[error("the email address is verified already")]
    AlreadyVerified,
    #[error("this is the address of the account already")]
    SameEmail,
    #[error("not signed in")]
    NotSignedIn(SignedOut),
    /// Under `guard`, the command would store or replace a session of another user.
    #[error("`authctl guard` let one user in, and this would store or replace a session of another")]
    NotAdmitted,
    #[error("the sign-in is too long ago for this")]
    NotFresh,
    /// The session is impersonated, and only the user may do this.
    #[error("you are acting as {email}; only the user can do this")]
    Impersonated { email: String },
    #[error("you are acting as another user already")]
    ImpersonatesAlready,
    #[error("you are not acting as another user")]
    NotImpersonating,
    /// Acting as an administrator needs `--force`.
    #[error("this user is an administrator")]
    ActingAsAdmin,
    /// The user does not have the required role.
    #[error("the role {0} is needed")]
    WrongRole(String),
    #[error("no such user: {0}")]
    NoSuchUser(String),
    #[error("a role is made of letters, digits, _ and -; several are separated by commas")]
    InvalidRole,
    /// The role looks like `admin` and gives none of its rights.
    #[error("the role {0} differs from admin in case only, and gives none of an administrator's rights")]
    RoleTwin(String),
    /// No sign-in would accept the hash.
    #[error("a hash of this kind is not accepted here ({})", .0.name())]
    HashNotAccepted(HashFormat),
    /// The app would not verify the hash.
    #[error("the app that owns this database keeps {kept}, and this hash is {given}")]
    HashNotTheApps { given: &'static str, kept: &'static str },
    /// The password was set, but the stored hash does not match it.
    #[error("the password was written, but what is stored does not verify")]
    NotInForce,
    #[error("no such session: {0}")]
    NoSuchSession(String),
    /// The user signs in with another provider.
    #[error("this user has no password")]
    NoPassword,
    /// Another process changed the password at the same time.
    #[error("the password was changed by somebody else meanwhile")]
    ChangedMeanwhile,
    #[error("this is the last administrator")]
    LastAdmin,
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for AuthError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::EmailTaken => Self::UserExists,
            StoreError::Caller(refused) => *refused,
            other => Self::Store(other),
        }
    }
}
