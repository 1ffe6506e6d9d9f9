//! The failures that the rules decide: of users, passwords, sessions and codes.

use super::database::of_store;
use super::seal::{of_seal, of_unreadable};
use super::tokens::of_token;
use super::{ExitCode, Failure};
use crate::auth::password::HashError;
use crate::auth::password::strength::WeakPassword;
use crate::auth::policy::{KEYS, PolicyError};
use crate::auth::{AuthError, SignedOut};
use crate::output::text::{amount, rfc3339};

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn of_auth(error: &AuthError) -> Failure {
    match error {
        AuthError::InvalidEmail(_) => {
            Failure::new(ExitCode::Usage, "INVALID_EMAIL").hint("give an address such as ada@example.com")
        }
        AuthError::Profile(_) => Failure::new(ExitCode::Usage, "VALIDATION_ERROR"),
        AuthError::WeakPassword(weak) => of_weak_password(weak),
        AuthError::Hash(HashError::TooLong { .. }) => Failure::new(ExitCode::Usage, "PASSWORD_TOO_LONG"),
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
        AuthError::Throttled { retry_after } => wait("TOO_MANY_REQUESTS", retry_after.as_secs()),
        AuthError::AttemptsUndecided => {
            Failure::new(ExitCode::Busy, "ATTEMPTS_UNDECIDED").hint("try again, or wait longer with --wait 30s")
        }
        AuthError::Banned { reason, until } => {
            let reason = reason.as_deref().unwrap_or("no reason was given");
            let until = until.map_or_else(|| "permanently".to_owned(), |until| format!("until {}", rfc3339(until)));
            Failure::new(ExitCode::Refused, "BANNED_USER").hint(format!("banned {until}: {reason}"))
        }
        AuthError::SecondFactor => Failure::new(ExitCode::Refused, "TWO_FACTOR_REQUIRED")
            .hint("set BETTER_AUTH_SECRET, or BETTER_AUTH_SECRETS, as the app has it, or sign in through the app"),
        AuthError::OtpNeeded => Failure::new(ExitCode::Usage, "TWO_FACTOR_REQUIRED")
            .hint("give a code of the authenticator app, or a recovery code, with --otp-stdin or --otp-file"),
        AuthError::InvalidOtp => Failure::new(ExitCode::WrongCredentials, "INVALID_CODE")
            .hint("wait for the next code of the authenticator app; each code is accepted once"),
        AuthError::FactorLocked { retry_after } => wait("ACCOUNT_TEMPORARILY_LOCKED", retry_after.as_secs()),
        AuthError::FactorUnusable => Failure::new(ExitCode::Refused, "TOTP_NOT_ENABLED")
            .hint("an operator removes it with `authctl users reset-2fa`"),
        AuthError::FactorOfApp => {
            Failure::new(ExitCode::Refused, "TWO_FACTOR_OF_APP").hint(
                "set up or remove the second factor in the app, or set BETTER_AUTH_SECRET as the app has it, if it has the \
                 plugin twoFactor",
            )
        }
        AuthError::FactorIsOn => Failure::new(ExitCode::Exists, "TOTP_ALREADY_ENABLED")
            .hint("`authctl 2fa disable` turns it off, and `authctl 2fa recovery-codes` makes new codes"),
        AuthError::FactorIsOff => {
            Failure::new(ExitCode::NoSuch, "TWO_FACTOR_NOT_ENABLED").hint("`authctl 2fa enable` sets one up")
        }
        AuthError::FactorRequired => Failure::new(ExitCode::Refused, "TWO_FACTOR_SETUP_REQUIRED")
            .hint("set it up with `authctl 2fa enable`"),
        AuthError::FactorNotBegun => Failure::new(ExitCode::NoSuch, "TOTP_NOT_ENABLED")
            .hint("begin with `authctl 2fa enable` and the password, without a code"),
        AuthError::SecretsUnreadable(_) => of_unreadable(),
        AuthError::Seal(error) => of_seal(error),
        AuthError::NotSignedIn(why) => of_signed_out(*why),
        AuthError::ImpersonatesAlready => Failure::new(ExitCode::Refused, "ALREADY_IMPERSONATING")
            .hint("`authctl users impersonate --stop` ends that and gives your own session back if it is still valid"),
        AuthError::NotImpersonating => Failure::new(ExitCode::NotSignedIn, "NOT_IMPERSONATING")
            .hint("`authctl whoami` says who is signed in, `authctl signout` ends the session"),
        AuthError::ImpersonatorNotAUser => Failure::new(ExitCode::NotSignedIn, "IMPERSONATOR_NOT_A_USER")
            .hint("sign in as an administrator first, with `authctl signin`"),
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
        AuthError::AmbiguousUser { .. } => {
            Failure::new(ExitCode::Usage, "USER_AMBIGUOUS").hint("name the user by the id, or by the address as stored")
        }
        AuthError::AmbiguousId { .. } => {
            Failure::new(ExitCode::Usage, "ID_AMBIGUOUS").hint("give more of the id; nothing was changed")
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
        AuthError::NoSuchToken(_)
        | AuthError::NotByToken
        | AuthError::ScopeMissing(_)
        | AuthError::MachineUser
        | AuthError::NotAPermission(_)
        | AuthError::NoOrganizations
        | AuthError::NoSuchOrganization(_)
        | AuthError::AlreadyMember(_)
        | AuthError::AlreadyInvited(_)
        | AuthError::NotAMember(_)
        | AuthError::LastOwner(_)
        | AuthError::NoApiKeys => of_token(error),
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
            .hint("make another user administrator first, or pass --force-last-admin"),
        AuthError::SharedWithOthers(_) => Failure::new(ExitCode::Refused, "SHARED_WITH_OTHERS").hint(
            "`authctl users delete --new-owner` gives it to another user, and --force-shared deletes it for all; nothing was \
             changed",
        ),
        AuthError::Hash(HashError::Unclear { .. }) => {
            Failure::new(ExitCode::Database, "HASH_SCHEME_UNCLEAR").remedy(
            "set the password through the app, or name its function in the --schema file: {\"password\": \"scrypt\"}, \
             {\"password\": \"bcrypt\"} or {\"password\": \"argon2id\"}",
        )
        }
        AuthError::Entropy(_) | AuthError::Hash(_) => Failure::new(ExitCode::Failed, "FAILED"),
        AuthError::Store(error) => of_store(error),
    }
}

fn of_weak_password(weak: &WeakPassword) -> Failure {
    match weak {
        WeakPassword::TooShort { .. } => Failure::new(ExitCode::Usage, "PASSWORD_TOO_SHORT"),
        WeakPassword::TooLong { .. } => Failure::new(ExitCode::Usage, "PASSWORD_TOO_LONG"),
        WeakPassword::Control => Failure::new(ExitCode::Usage, "PASSWORD_UNUSABLE"),
        WeakPassword::Guessable { .. } => {
            Failure::new(ExitCode::Usage, "PASSWORD_TOO_WEAK").hint("a few unrelated words make a good password")
        }
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
        SignedOut::Unreached => {
            "this database does not show the sessions of its app, so no token can be checked; `authctl signout --local` \
             forgets a stored one"
        }
        SignedOut::Guarded => {
            "the session belongs to another user than `authctl guard` let in: run this outside of guard"
        }
        SignedOut::ElsewhereGuarded => {
            "`authctl guard` let the user in to another database: name that with --db, or run this outside of guard"
        }
        SignedOut::GuardDropped => {
            "`authctl guard --drop-session` gave this command no session: run it outside of guard, or without the flag"
        }
        SignedOut::ImpersonatorGone => "the administrator who acted as this user was banned, deleted or demoted",
        SignedOut::ImpersonationOver => {
            "acting as this user is over: `authctl users impersonate --stop` gives your own session back if it is \
             still valid"
        }
        SignedOut::TokenExpired | SignedOut::TokenEnded | SignedOut::TokenOfApp => super::tokens::hint(why),
    })
}

/// The hint for a token from a variable: to sign in or out does not change which token is used.
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

/// A refusal that ends by itself.
fn wait(name: &'static str, seconds: i64) -> Failure {
    let seconds = seconds.max(1);
    let mut failure =
        Failure::new(ExitCode::Throttled, name).hint(format!("try again in {}", amount(seconds.unsigned_abs())));
    failure.retry_after = Some(seconds);
    failure
}
