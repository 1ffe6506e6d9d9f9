//! From every error that the program knows to its exit code, its name for programs and its hint.

use std::error::Error;

use super::database::{of_copy, of_open, of_store};
use super::environment::{of_mail, of_no_token, of_path, of_prompt, of_session_file};
use super::{CommandError, Failure};
use crate::auth::password::HashError;
use crate::auth::policy::{KEYS, PolicyError};
use crate::auth::storage::StoreError;
use crate::auth::{AuthError, SignedOut};
use crate::cli::UsageError;
use crate::context::{ClockError, NoToken, SchemaFileError};
use crate::exit_code::ExitCode;
use crate::mail::MailError;
use crate::output::time;
use crate::paths::PathError;
use crate::prompt::PromptError;
use crate::session_file::SessionFileError;
use crate::store::{CopyError, OpenError};

/// Finds what is known about one error of a chain.
pub(super) fn classify(cause: &(dyn Error + 'static)) -> Option<Failure> {
    if let Some(error) = cause.downcast_ref::<AuthError>() {
        Some(of_auth(error))
    } else if let Some(error) = cause.downcast_ref::<StoreError>() {
        Some(of_store(error))
    } else if let Some(error) = cause.downcast_ref::<OpenError>() {
        Some(of_open(error))
    } else if let Some(error) = cause.downcast_ref::<CopyError>() {
        Some(of_copy(error))
    } else if let Some(error) = cause.downcast_ref::<PromptError>() {
        Some(of_prompt(error))
    } else if let Some(error) = cause.downcast_ref::<SessionFileError>() {
        Some(of_session_file(error))
    } else if let Some(error) = cause.downcast_ref::<NoToken>() {
        Some(of_no_token(error))
    } else if cause.is::<ClockError>() {
        Some(Failure::new(ExitCode::Failed, "CLOCK_WRONG").remedy("set the clock").unchanged())
    } else if cause.is::<SchemaFileError>() {
        Some(
            Failure::new(ExitCode::Usage, "SCHEMA_FILE")
                .hint("see \"Say what the database does not show\" in docs/better-auth.md"),
        )
    } else if let Some(error) = cause.downcast_ref::<PathError>() {
        Some(of_path(error))
    } else if let Some(error) = cause.downcast_ref::<MailError>() {
        Some(of_mail(error))
    } else if let Some(error) = cause.downcast_ref::<UsageError>() {
        Some(Failure::new(ExitCode::Usage, "USAGE").hint(error.hint.clone()))
    } else {
        cause.downcast_ref::<CommandError>().map(of_command_error)
    }
}

fn of_command_error(error: &CommandError) -> Failure {
    match error {
        CommandError::LogBroken(_) | CommandError::LogLacksHash => Failure::new(ExitCode::Failed, "AUDIT_LOG_BROKEN")
            .hint("compare it with a backup or an export; `authctl help security` says what the log can prove"),
        CommandError::NoMailer { instead } => Failure::new(ExitCode::Failed, "MAILER_MISSING")
            .hint(format!("an operator can {instead}, or set mail.url and mail.from with `authctl policy set`")),
        CommandError::No(_) => Failure::new(ExitCode::Failed, "NO"),
        CommandError::Declined => Failure::new(ExitCode::Failed, "DECLINED"),
        CommandError::Differs { hint, .. } => Failure::new(ExitCode::Exists, "DATABASE_DIFFERS").hint(*hint),
        CommandError::Usage { hint, .. } => Failure::new(ExitCode::Usage, "USAGE").hint(*hint),
    }
}

pub(super) fn of_auth(error: &AuthError) -> Failure {
    use crate::auth::password::strength::WeakPassword;
    match error {
        AuthError::InvalidEmail(_) => {
            Failure::new(ExitCode::Usage, "INVALID_EMAIL").hint("give an address such as ada@example.com")
        }
        AuthError::Profile(_) => Failure::new(ExitCode::Usage, "VALIDATION_ERROR"),
        AuthError::WeakPassword(WeakPassword::TooShort { .. }) => Failure::new(ExitCode::Usage, "PASSWORD_TOO_SHORT"),
        AuthError::WeakPassword(WeakPassword::TooLong { .. }) | AuthError::Hash(HashError::TooLong { .. }) => {
            Failure::new(ExitCode::Usage, "PASSWORD_TOO_LONG")
        }
        AuthError::WeakPassword(WeakPassword::Control) => Failure::new(ExitCode::Usage, "PASSWORD_UNUSABLE"),
        AuthError::WeakPassword(WeakPassword::Guessable { .. }) => {
            Failure::new(ExitCode::Usage, "PASSWORD_TOO_WEAK").hint("a few unrelated words make a good password")
        }
        AuthError::UserExists => Failure::new(ExitCode::Exists, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL")
            .hint("sign in with `authctl signin`, or use another address"),
        AuthError::UserDiffers { .. } => Failure::new(ExitCode::Exists, "USER_DIFFERS")
            .hint("nothing was changed: change the user with `authctl users`, or ask for what is there"),
        AuthError::InvalidCredentials => Failure::new(ExitCode::WrongCredentials, "INVALID_EMAIL_OR_PASSWORD"),
        AuthError::InvalidCode => {
            Failure::new(ExitCode::WrongCredentials, "INVALID_TOKEN").hint("ask for a new code; each code is single use")
        }
        AuthError::CodeOfAnother => Failure::new(ExitCode::WrongCredentials, "INVALID_USER")
            .hint("the code is still valid: sign out, or sign in as that user, and type it again"),
        AuthError::PasswordOfAnother => Failure::new(ExitCode::WrongCredentials, "INVALID_PASSWORD").hint(
            "the code is still valid; if you do not know the password, first set a new one with `authctl password forgot`, \
             which ends every session",
        ),
        AuthError::WrongPassword => Failure::new(ExitCode::WrongCredentials, "INVALID_PASSWORD"),
        AuthError::Throttled { retry_after } => throttled(retry_after.as_secs()),
        AuthError::AttemptsUndecided => {
            Failure::new(ExitCode::Busy, "ATTEMPTS_UNDECIDED").hint("try again, or wait longer with --wait 30s")
        }
        AuthError::Banned { reason, until } => {
            let reason = reason.as_deref().unwrap_or("no reason was given");
            let until = until.map_or_else(|| "permanently".to_owned(), |until| format!("until {}", time::rfc3339(until)));
            Failure::new(ExitCode::Refused, "BANNED_USER").hint(format!("banned {until}: {reason}"))
        }
        AuthError::SecondFactor => Failure::new(ExitCode::Refused, "TWO_FACTOR_REQUIRED").hint("sign in through the app"),
        AuthError::NotSignedIn(why) => of_signed_out(*why),
        AuthError::ImpersonatesAlready => Failure::new(ExitCode::Refused, "ALREADY_IMPERSONATING")
            .hint("`authctl users impersonate --stop` ends that and gives your own session back if it is still valid"),
        AuthError::NotImpersonating => Failure::new(ExitCode::NotSignedIn, "NOT_IMPERSONATING")
            .hint("`authctl whoami` says who is signed in, `authctl signout` ends the session"),
        AuthError::NotAdmitted => Failure::new(ExitCode::Refused, "FORBIDDEN")
            .hint("run this outside of guard; --print-token, --no-store and --no-signin store no session"),
        AuthError::NotFresh => {
            Failure::new(ExitCode::Refused, "SESSION_NOT_FRESH").hint("sign in again with `authctl signin`")
        }
        AuthError::Impersonated { .. } => Failure::new(ExitCode::Refused, "SESSION_NOT_FRESH")
            .hint("to act as yourself again: `authctl users impersonate --stop`"),
        AuthError::ActingAsAdmin => {
            Failure::new(ExitCode::Refused, "YOU_CANNOT_IMPERSONATE_ADMINS").hint("pass --force if that is what you want")
        }
        AuthError::WrongRole(_) => Failure::new(ExitCode::Refused, "FORBIDDEN"),
        AuthError::NoSuchUser(_) => {
            Failure::new(ExitCode::NoSuch, "USER_NOT_FOUND").hint("`authctl users list --search` finds users")
        }
        AuthError::InvalidRole => Failure::new(ExitCode::Usage, "INVALID_ROLE").hint("such as admin, or editor,reviewer"),
        AuthError::RoleTwin(_) => {
            Failure::new(ExitCode::Usage, "INVALID_ROLE").hint("set admin, or pass --force if that is what you want")
        }
        AuthError::HashNotAccepted(_) | AuthError::HashNotTheApps { .. } => {
            Failure::new(ExitCode::Usage, "HASH_NOT_ACCEPTED").hint("give the password itself: it is hashed here")
        }
        AuthError::NotInForce => {
            Failure::new(ExitCode::Failed, "PASSWORD_NOT_IN_FORCE").remedy("look at the database with `authctl db status`")
        }
        AuthError::NoSuchSession(_) => {
            Failure::new(ExitCode::NoSuch, "SESSION_NOT_FOUND").hint("`authctl sessions` lists yours; nothing was ended")
        }
        AuthError::NoPassword => Failure::new(ExitCode::Refused, "CREDENTIAL_ACCOUNT_NOT_FOUND"),
        AuthError::ChangedMeanwhile => {
            Failure::new(ExitCode::Failed, "CHANGED_MEANWHILE").hint("try again with the new password")
        }
        AuthError::Policy(PolicyError::UnknownKey) => {
            Failure::new(ExitCode::Usage, "POLICY_KEY_UNKNOWN").hint(policy_keys())
        }
        AuthError::Policy(_) => {
            Failure::new(ExitCode::Usage, "POLICY_VALUE_INVALID").hint("`authctl policy show` lists keys and ranges")
        }
        AuthError::EmailNotVerified { email } => Failure::new(ExitCode::Refused, "EMAIL_NOT_VERIFIED").hint(format!(
            "have a code mailed with `authctl email verify --send {email}`, then type it into `authctl email verify`"
        )),
        AuthError::AlreadyVerified => {
            Failure::new(ExitCode::Failed, "EMAIL_ALREADY_VERIFIED").hint("no code was mailed; none is needed")
        }
        AuthError::SameEmail => Failure::new(ExitCode::Usage, "EMAIL_IS_THE_SAME")
            .hint("give another address; `authctl email verify --send` verifies this one"),
        AuthError::LastAdmin => Failure::new(ExitCode::Refused, "LAST_ADMIN")
            .hint("make somebody else administrator first, or pass --force-last-admin"),
        AuthError::Hash(HashError::Unclear { .. }) => {
            Failure::new(ExitCode::Database, "HASH_SCHEME_UNCLEAR").remedy("set the password through the app")
        }
        AuthError::Entropy(_) | AuthError::Hash(_) => Failure::new(ExitCode::Failed, "FAILED"),
        AuthError::Store(error) => of_store(error),
    }
}

fn policy_keys() -> String {
    let names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    format!("the keys are {}", names.join(", "))
}

fn of_signed_out(why: SignedOut) -> Failure {
    Failure::new(ExitCode::NotSignedIn, "UNAUTHORIZED").hint(match why {
        SignedOut::Expired => "the session has expired: sign in with `authctl signin`",
        SignedOut::Ended => "the session was ended or never was in this database: sign in with `authctl signin`",
        SignedOut::Guarded => {
            "the session belongs to another user than `authctl guard` let in: run this outside of guard"
        }
        SignedOut::ElsewhereGuarded => {
            "`authctl guard` let the user in to another database: name that with --db, or run this outside of guard"
        }
        SignedOut::ImpersonatorGone => "the administrator who acted as this user was banned, deleted or demoted",
        SignedOut::ImpersonationOver => {
            "acting as this user is over: `authctl users impersonate --stop` gives your own session back if it is \
             still valid"
        }
    })
}

/// The hint for a token that a variable holds: signing in or out does not change which token is used.
pub(super) fn of_token_in(variable: &str, error: &AuthError) -> Option<String> {
    let why = match error {
        AuthError::NotImpersonating => {
            return Some(format!("{variable} holds the token of another session: `unset {variable}`, then try again"));
        }
        AuthError::NotSignedIn(SignedOut::Expired) => "the session of its token has expired",
        AuthError::NotSignedIn(SignedOut::Ended) => "the session of its token was ended or never was in this database",
        AuthError::NotSignedIn(SignedOut::ImpersonatorGone) => {
            "the administrator who acted as this user was banned, deleted or demoted"
        }
        _ => return None,
    };
    Some(format!("{why}: `unset {variable}`, or give it the token of a live session"))
}

fn throttled(seconds: i64) -> Failure {
    let seconds = seconds.max(1);
    let mut exit = Failure::new(ExitCode::Throttled, "TOO_MANY_REQUESTS")
        .hint(format!("try again in {}", time::amount(seconds.unsigned_abs())));
    exit.retry_after = Some(seconds);
    exit
}
