//! The failures of keys and secrets that encrypt values of a database.

use super::{ExitCode, Failure};
use crate::auth::second_factor::SealError;

pub(super) fn of_seal(error: &SealError) -> Failure {
    let database = |name| Failure::new(ExitCode::Database, name);
    match error {
        SealError::NoKey { .. } => database("SECOND_FACTOR_KEY_MISSING").remedy(
            "restore the file of keys, or name it with AUTHCTL_KEY_FILE; a recovery code signs in without it, and \
             `authctl users reset-2fa` removes the factor",
        ),
        SealError::Key { .. } => database("SECOND_FACTOR_KEY_UNUSABLE")
            .remedy("set the file of keys right, or name another with AUTHCTL_KEY_FILE"),
        SealError::Damaged => database("SECOND_FACTOR_DAMAGED")
            .remedy("a recovery code signs in; `authctl users reset-2fa` removes the factor"),
        SealError::AppSecret => database("APP_SECRET_WRONG").remedy(
            "set BETTER_AUTH_SECRET, or BETTER_AUTH_SECRETS, as the app has it: `authctl secret check` says what the given \
             secrets read",
        ),
        SealError::AppCodes => Failure::new(ExitCode::Refused, "BACKUP_CODES_UNKNOWN")
            .hint("give a code of the authenticator app, or do this in the app"),
    }
}

pub(super) fn of_unreadable() -> Failure {
    Failure::new(ExitCode::Database, "APP_SECRET_WRONG").hint(
        "`authctl secret check` says which: give the secret that encrypted them with --old-secret-file; \
         --leave-unreadable leaves them, and --expire-keys lets the app make other keys",
    )
}
