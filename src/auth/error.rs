//! Everything the rules can say no with.

use jiff::{SignedDuration, Timestamp};

use super::email::InvalidEmail;
use super::password::strength::WeakPassword;
use super::password::{HashError, HashFormat};
use super::policy::PolicyError;
use super::secret::EntropyError;
use super::storage::StoreError;
use super::user::ProfileError;

/// Why nobody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedOut {
    /// The session reached its end.
    Expired,
    /// There is no session with this token: it was ended elsewhere, or never was.
    Ended,
    /// The session belongs to another user than `guard` let in.
    Guarded,
    /// `guard` let somebody in to another database.
    ElsewhereGuarded,
    /// Whoever acted as the user in this session may no longer do so.
    ImpersonatorGone,
    /// Acting as somebody is over, and the own session of whoever did it is kept.
    ImpersonationOver,
}

/// Why the rules refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The text is no email address.
    #[error(transparent)]
    InvalidEmail(#[from] InvalidEmail),
    /// The name or picture is unusable.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The new password is unusable.
    #[error(transparent)]
    WeakPassword(#[from] WeakPassword),
    /// The address belongs to somebody.
    #[error("a user with this email address exists")]
    UserExists,
    /// The address belongs to a user who is not as the one that was to be made.
    #[error("{email} exists and is not what was asked for: {differences}")]
    UserDiffers {
        /// The address, as stored.
        email: String,
        /// What is different, in words.
        differences: String,
    },
    /// Unknown address or wrong password; which of the two is not told.
    #[error("invalid email or password")]
    InvalidCredentials,
    /// No code that counts; which of the reasons is not told.
    #[error("the code is wrong, used or expired")]
    InvalidCode,
    /// The code counts, but not for whoever is signed in.
    #[error("the code is for another user than the one who is signed in")]
    CodeOfAnother,
    /// The code counts, but the password is not that of its user, who may have none.
    #[error("the password is not that of the user whom the code is for")]
    PasswordOfAnother,
    /// The current password, asked for again, is wrong.
    #[error("the current password is wrong")]
    WrongPassword,
    /// Too many attempts.
    #[error("too many failed attempts")]
    Throttled {
        /// How long to wait.
        retry_after: SignedDuration,
    },
    /// Only attempts that may succeed are in the way, and they took longer than the wait.
    #[error("other attempts are being checked")]
    AttemptsUndecided,
    /// The user is banned, and knows the password.
    #[error("this user is banned")]
    Banned {
        /// Why, in the words of whoever did it.
        reason: Option<String>,
        /// When the ban ends; `None` for a permanent one.
        until: Option<Timestamp>,
    },
    /// The app asks this user for a second factor, which cannot be checked here.
    #[error("this user has a second factor, which authctl cannot check")]
    SecondFactor,
    /// The policy asks for a verified address, and this one is not.
    #[error("the email address is not verified")]
    EmailNotVerified {
        /// The address, as stored.
        email: String,
    },
    /// There is nothing to verify.
    #[error("the email address is verified already")]
    AlreadyVerified,
    /// There is nothing to change.
    #[error("this is the address of the account already")]
    SameEmail,
    /// Nobody is signed in.
    #[error("not signed in")]
    NotSignedIn(SignedOut),
    /// Under `guard`, a session of another user was to be stored or replaced.
    #[error("`authctl guard` let one user in, and this would store or replace a session of another")]
    NotAdmitted,
    /// The sign-in is too long ago for this act.
    #[error("the sign-in is too long ago for this")]
    NotFresh,
    /// Somebody acts as the user, who alone may do this.
    #[error("you are acting as {email}; only the user can do this")]
    Impersonated {
        /// The user's address, as stored.
        email: String,
    },
    /// Whoever acts as a user already wished to act as another one.
    #[error("you are acting as another user already")]
    ImpersonatesAlready,
    /// Whoever wished to stop acting as a user does not.
    #[error("you are not acting as another user")]
    NotImpersonating,
    /// An operator wished to act as an administrator.
    #[error("this user is an administrator")]
    ActingAsAdmin,
    /// The user has not the role that is asked for.
    #[error("the role {0} is needed")]
    WrongRole(String),
    /// There is no such user.
    #[error("no such user: {0}")]
    NoSuchUser(String),
    /// Roles that are none.
    #[error("a role is made of letters, digits, _ and -; several are separated by commas")]
    InvalidRole,
    /// A role that looks like `admin` and gives none of its rights.
    #[error("the role {0} differs from admin in case only, and gives none of an administrator's rights")]
    RoleTwin(String),
    /// A hash that no sign-in would accept.
    #[error("a hash of this kind is not accepted here ({})", .0.name())]
    HashNotAccepted(HashFormat),
    /// A hash that the app of the database would not verify.
    #[error("the app that owns this database keeps {kept}, and this hash is {given}")]
    HashNotTheApps {
        /// The kind of the hash.
        given: &'static str,
        /// The kind that the app keeps.
        kept: &'static str,
    },
    /// The password that was just set does not verify.
    #[error("the password was written, but what is stored does not verify")]
    NotInForce,
    /// The user has no session with this id.
    #[error("no such session: {0}")]
    NoSuchSession(String),
    /// The user signs in by other means and has no password.
    #[error("this user has no password")]
    NoPassword,
    /// Somebody else changed the password at the same moment.
    #[error("the password was changed by somebody else meanwhile")]
    ChangedMeanwhile,
    /// No administrator would be left.
    #[error("this is the last administrator")]
    LastAdmin,
    /// The setting cannot be set.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// No hash.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The memory failed.
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
