//! The exit code, the name for programs and the hint of every typed error.

use std::error::Error;

use rustix::io::Errno;

use super::commands::{of_command_error, of_config, of_import, of_interrupted};
use super::seal::{of_seal, of_unreadable};
use super::server::of_server;
use super::tokens::{of_no_token, of_token};
use super::{CommandError, ExitCode, Failure};
use crate::auth::password::HashError;
use crate::auth::password::strength::WeakPassword;
use crate::auth::policy::{KEYS, PolicyError};
use crate::auth::storage::StoreError;
use crate::auth::{AuthError, SignedOut};
use crate::cli::UsageError;
use crate::context::{ClockError, NoToken, NotReady, SchemaFileError};
use crate::import::ImportError;
use crate::interrupt::Interrupted;
use crate::mail::MailError;
use crate::output::text::{amount, rfc3339};
use crate::paths::PathError;
use crate::prompt::PromptError;
use crate::session_file::SessionFileError;
use crate::store::transfer::TransferError;
use crate::store::{CopyError, OpenError};

/// Classifies one error of a chain; `None` if its type is not known here.
pub(super) fn classify(cause: &(dyn Error + 'static)) -> Option<Failure> {
    if let Some(error) = cause.downcast_ref::<AuthError>() {
        Some(of_auth(error))
    } else if let Some(error) = cause.downcast_ref::<StoreError>() {
        Some(of_store(error))
    } else if let Some(error) = cause.downcast_ref::<OpenError>() {
        Some(of_open(error))
    } else if let Some(error) = cause.downcast_ref::<CopyError>() {
        Some(of_copy(error))
    } else if let Some(error) = cause.downcast_ref::<TransferError>() {
        Some(of_transfer(error))
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
    } else if let Some(error) = cause.downcast_ref::<ImportError>() {
        Some(of_import(error))
    } else if let Some(error) = cause.downcast_ref::<Interrupted>() {
        Some(of_interrupted(error))
    } else if let Some(error) = cause.downcast_ref::<NotReady>() {
        Some(of_not_ready(error))
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

#[expect(clippy::too_many_lines, reason = "a table")]
fn of_auth(error: &AuthError) -> Failure {
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

pub(super) fn of_store(error: &StoreError) -> Failure {
    match error {
        StoreError::EmailTaken => of_auth(&AuthError::UserExists),
        StoreError::Caller(refused) => of_auth(refused),
        StoreError::NoSuchPlace(what) => {
            let name = if *what == "session" { "SESSION_NOT_FOUND" } else { "USER_NOT_FOUND" };
            Failure::new(ExitCode::NoSuch, name).hint("begin again without --after")
        }
        StoreError::Busy | StoreError::Conflict | StoreError::Unsettled(_) => {
            Failure::new(ExitCode::Busy, "DATABASE_BUSY").hint("try again, or wait longer with --wait 30s")
        }
        StoreError::Converted => {
            Failure::new(ExitCode::Busy, "DATABASE_CONVERTED").hint("nothing was changed; run the command again")
        }
        StoreError::ReadOnly => Failure::new(ExitCode::Unwritable, "DATABASE_READ_ONLY").remedy(
            "a file and its directory must be writable for you, also to read: SQLite keeps its log beside the file",
        ),
        StoreError::ReadOnlyServer => Failure::new(ExitCode::Database, "DATABASE_READ_ONLY")
            .remedy(
                "name the primary, or all hosts with target_session_attrs=read-write; if it is the primary, look at \
                 default_transaction_read_only",
            )
            .unchanged(),
        StoreError::TooManyFiles => too_many_files(),
        StoreError::Full => Failure::new(ExitCode::Unwritable, "DISK_FULL").remedy("make room").unchanged(),
        StoreError::TooLarge => {
            Failure::new(ExitCode::Unwritable, "FILE_SIZE_LIMIT").remedy(RAISE_SIZE_LIMIT).unchanged()
        }
        StoreError::Quota => Failure::new(ExitCode::Unwritable, "DISK_QUOTA").remedy(FREE_QUOTA).unchanged(),
        StoreError::NoLocks => Failure::new(ExitCode::Unwritable, "NO_LOCKS").remedy(USE_LOCKS).unchanged(),
        StoreError::Io(_) => Failure::new(ExitCode::Unwritable, "DATABASE_IO").remedy("look at the disk").unchanged(),
        StoreError::TooMuch(_) => Failure::new(ExitCode::Database, "DATABASE_LIMIT")
            .remedy("look at its schema and its largest rows with the program that made them")
            .unchanged(),
        StoreError::Uncertain(_) => Failure::new(ExitCode::Unwritable, "COMMIT_UNCERTAIN")
            .remedy("look at the disk")
            .hint("check whether the change is there before you repeat it"),
        StoreError::Unanswered(_) => Failure::new(ExitCode::Unknown, "COMMIT_UNKNOWN")
            .hint("`authctl audit tail` shows whether the change is there: look before you repeat it"),
        StoreError::Disconnected(_) => {
            Failure::new(ExitCode::Busy, "DATABASE_DISCONNECTED").hint("nothing was changed; try again")
        }
        StoreError::Denied(_) => Failure::new(ExitCode::Database, "DATABASE_DENIED")
            .remedy("connect as the owner of the schema, or have the owner grant the right")
            .unchanged(),
        StoreError::Inconsistent { table: "authctl_policy", .. } => {
            Failure::new(ExitCode::Database, "DATABASE_CORRUPT")
                .remedy("`authctl policy unset KEY` or `authctl doctor --fix` sets it back")
                .unchanged()
        }
        // How to restore a backup depends on the kind of the database, which `doctor` shows.
        StoreError::Corrupt(_) => Failure::new(ExitCode::Database, "DATABASE_CORRUPT")
            .remedy("restore a backup; `authctl doctor` looks closer")
            .unchanged(),
        StoreError::Incomplete(_) => Failure::new(ExitCode::Database, "DATABASE_INCOMPLETE").hint(
            "`drizzle-kit push` does that in a database that is not its own; the users are there, and `authctl db migrate` makes \
             the tables again",
        ),
        StoreError::Inconsistent { .. } => Failure::new(ExitCode::Database, "DATABASE_CORRUPT")
            .remedy("restore a backup, or correct the row; `authctl doctor` looks closer")
            .unchanged(),
        StoreError::NoId { .. } => Failure::new(ExitCode::Database, "ROW_WITHOUT_ID")
            .remedy("give the row an id with the program that wrote it; `authctl doctor` names all such rows")
            .unchanged(),
        StoreError::LogFull(_) => Failure::new(ExitCode::Failed, "AUDIT_LOG_BROKEN")
            .remedy("restore a backup; `authctl audit verify` looks closer")
            .unchanged(),
        StoreError::NotOurs(refusal) => {
            let code = if refusal.is_about_times() { "DATABASE_AMBIGUOUS" } else { "DATABASE_NOT_WRITTEN" };
            Failure::new(ExitCode::Database, code).remedy(refusal.remedy.clone())
        }
        StoreError::Held(_) => Failure::new(ExitCode::Refused, "ROWS_HELD").remedy(error.way_out()).unchanged(),
        StoreError::TooManyKeys(_) => {
            Failure::new(ExitCode::Database, "DATABASE_LIMIT").remedy("do this in the app").unchanged()
        }
        StoreError::BrokenKeys(_) => {
            Failure::new(ExitCode::Refused, "APP_REFUSES").remedy(error.way_out()).unchanged()
        }
        StoreError::Trigger(_) => Failure::new(ExitCode::Refused, "APP_REFUSES")
            .remedy("a trigger or foreign key of the app says so; `authctl db status` lists the triggers")
            .unchanged(),
        StoreError::OnlyTheApps(_) => Failure::new(ExitCode::Refused, "APP_REFUSES")
            .remedy("do this in the app; `authctl doctor` names the tables")
            .unchanged(),
        StoreError::Constraint(constraint) => {
            Failure::new(ExitCode::Refused, "APP_REFUSES").remedy(constraint.remedy()).unchanged()
        }
        StoreError::NotUnique(_) => Failure::new(ExitCode::Refused, "APP_REFUSES")
            .remedy("choose another value, or change the other row first")
            .unchanged(),
        StoreError::Unsafe(place) => Failure::new(ExitCode::Database, "DATABASE_UNSAFE").remedy(place.remedy.clone()),
        StoreError::NoState(why) if why.path.is_none() => no_home("XDG_STATE_HOME"),
        StoreError::NoState(_) => Failure::new(ExitCode::Unwritable, "DATABASE_NOT_CREATED")
            .remedy("set XDG_STATE_HOME to a directory that you can write to")
            .unchanged(),
        StoreError::NoColumn { remedy, .. } => {
            Failure::new(ExitCode::Database, "COLUMN_MISSING").remedy(remedy.clone()).unchanged()
        }
        StoreError::Engine(_) => Failure::new(ExitCode::Failed, "FAILED"),
    }
}

pub(super) const WRITABLE: &str = "the directory must exist and be writable for you";

fn too_many_files() -> Failure {
    Failure::new(ExitCode::Unwritable, "TOO_MANY_FILES").remedy("raise the limit, as with `ulimit -n 256`")
}

/// Whether the process or the machine has too many open files.
fn is_limit_of_files(error: &std::io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(errno, Some(Errno::MFILE | Errno::NFILE))
}

fn of_open(error: &OpenError) -> Failure {
    let database = |name| Failure::new(ExitCode::Database, name);
    match error {
        OpenError::Unreadable { source, .. } | OpenError::CannotCreate { source, .. } if is_limit_of_files(source) => {
            too_many_files()
        }
        OpenError::Missing(_) => database("DATABASE_MISSING")
            .hint("name another with --db or AUTHCTL_DB; `authctl signup` and `authctl db init` make a new one"),
        OpenError::Exists(_) => {
            Failure::new(ExitCode::Exists, "DATABASE_EXISTS").hint("pass --if-missing if that is what you want")
        }
        OpenError::NotAFile { .. } => database("DATABASE_NOT_A_FILE").hint("name a file with --db"),
        OpenError::Empty(_) => {
            database("DATABASE_EMPTY").hint("an app may not have made its tables yet; if it is of no use, remove it, and `authctl db init` makes a new one")
        }
        OpenError::NoEngine(_) => database("DATABASE_NO_ENGINE").hint("name an SQLite file or a postgres:// address with --db"),
        OpenError::Server(error) => of_server(error),
        OpenError::NotSqlite(_) => database("DATABASE_NOT_SQLITE").hint("name another file with --db"),
        OpenError::Foreign(_) => {
            database("DATABASE_FOREIGN").hint(
            "name another file with --db; this one was left as it was; if an app of Better Auth has renamed its tables, \
             name them in a file given by --schema",
        )
        }
        OpenError::NotOwn(_) => database("DATABASE_FOREIGN").hint(
            "an app's database is migrated by its app; `sqlite3 FILE '.backup COPY'` copies it, and with the app stopped \
             a copy can take its place",
        ),
        OpenError::Lacking { remedy, .. } | OpenError::Renamed { remedy, .. } => {
            database("DATABASE_FOREIGN").remedy(remedy.clone())
        }
        OpenError::Ambiguous { remedy, .. } => database("DATABASE_AMBIGUOUS").remedy(remedy.clone()),
        OpenError::Misfit { remedy, .. } => Failure::new(ExitCode::Usage, "SCHEMA_FILE").remedy(remedy.clone()),
        OpenError::Newer { .. } => database("DATABASE_NEWER").hint("upgrade authctl"),
        OpenError::Truncated { .. } => database("DATABASE_TRUNCATED")
            .remedy("move it away and restore a backup with `authctl db restore`; the file was left as it was"),
        OpenError::Unsafe { remedy, .. } => database("DATABASE_UNSAFE").remedy(remedy.clone()),
        OpenError::History { .. } => database("DATABASE_CORRUPT").remedy("restore a backup; the file was left as it was"),
        OpenError::Unreadable { .. } => database("DATABASE_UNREADABLE").remedy("run as the user who owns the file"),
        OpenError::CannotCreate { source, .. } => {
            Failure::new(ExitCode::Unwritable, "DATABASE_NOT_CREATED").remedy(remedy_of(source).unwrap_or(WRITABLE))
        }
        OpenError::Locked(_) => {
            Failure::new(ExitCode::Busy, "DATABASE_BUSY").hint("try again, or wait longer with --wait 30s")
        }
        OpenError::Store { source, .. } => of_store(source),
    }
}

fn of_not_ready(error: &NotReady) -> Failure {
    let by_hand = "`authctl db init --better-auth ADAPTER` makes them for the app, `authctl db init` makes a database \
                   of authctl's own";
    if error.is_empty() {
        Failure::new(ExitCode::Database, "DATABASE_EMPTY")
            .hint(format!("let the app make its tables first; or remove the empty file: then {by_hand}"))
    } else {
        Failure::new(ExitCode::Database, "DATABASE_MISSING")
            .hint(format!("let the app make its tables first; or {by_hand}"))
    }
}

fn of_transfer(error: &TransferError) -> Failure {
    match error {
        TransferError::Open(
            error @ (OpenError::Missing(_)
            | OpenError::NotAFile { .. }
            | OpenError::Empty(_)
            | OpenError::NotSqlite(_)
            | OpenError::Foreign(_)
            | OpenError::NotOwn(_)),
        ) => of_open(error).remedy("name a database of authctl's own as FROM").unchanged(),
        TransferError::Open(error) if of_open(error).code == ExitCode::Exists => {
            of_open(error).remedy("name another place as TO: no database is overwritten").unchanged()
        }
        TransferError::Open(error) => of_open(error),
        TransferError::Read(source) | TransferError::Write(source) => of_store(source),
        TransferError::Differs(_) => {
            Failure::new(ExitCode::Failed, "COPY_DIFFERS").remedy("look at the disk").hint("there is no new database")
        }
    }
}

fn of_copy(error: &CopyError) -> Failure {
    match error {
        CopyError::CannotWrite { source, .. } if is_limit_of_files(source) => too_many_files(),
        // The file is an argument of `db restore`; the hints of opening speak of --db and of making a new one.
        CopyError::Open(
            error
            @ (OpenError::Missing(_) | OpenError::NotAFile { .. } | OpenError::Empty(_) | OpenError::NotSqlite(_)),
        ) => of_open(error).remedy("name a file that `authctl db backup` made").unchanged(),
        CopyError::Open(error) => of_open(error),
        CopyError::Exists(_) => {
            Failure::new(ExitCode::Exists, "FILE_EXISTS").hint("name another file: none is overwritten")
        }
        CopyError::CannotWrite { source, .. } => {
            Failure::new(ExitCode::Unwritable, "BACKUP_NOT_WRITTEN").remedy(remedy_of(source).unwrap_or(WRITABLE))
        }
        CopyError::Damaged { .. } => Failure::new(ExitCode::Database, "DATABASE_CORRUPT")
            .remedy("use another backup; `authctl db check` looks closer")
            .unchanged(),
        CopyError::Differs(_) => Failure::new(ExitCode::Failed, "COPY_DIFFERS").remedy("look at the disk"),
        CopyError::NotReadBack { source, .. } => Failure::new(of_copy(source).code, "RESTORED_NOT_READ_BACK")
            .hint("run `authctl db check`; the backup is in place already"),
        CopyError::Same(_) => Failure::new(ExitCode::Usage, "USAGE").hint("name the backup; --db names the database"),
        CopyError::PageSize(_) => Failure::new(ExitCode::Database, "PAGE_SIZE_DIFFERS")
            .hint("move the database away and restore again: the backup becomes the database then"),
        CopyError::Store { source, .. } | CopyError::Act(source) => of_store(source),
    }
}

/// What to do about an error of the operating system.
pub(super) fn remedy_of(error: &std::io::Error) -> Option<&'static str> {
    match Errno::from_io_error(error)? {
        Errno::MFILE | Errno::NFILE => Some("raise the limit, as with `ulimit -n 256`"),
        Errno::FBIG => Some(RAISE_SIZE_LIMIT),
        Errno::DQUOT => Some(FREE_QUOTA),
        Errno::NOSPC => Some("make room"),
        Errno::NOLCK => Some(USE_LOCKS),
        _ => None,
    }
}

const RAISE_SIZE_LIMIT: &str = "raise the limit of file sizes, as with `ulimit -f unlimited`";
const FREE_QUOTA: &str = "delete files of yours, or ask for a larger quota";
const USE_LOCKS: &str = "keep the file on a file system that can lock, such as a local disk";

/// Whether the file would exceed a size limit.
pub(super) fn is_size_limit(error: &std::io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::FBIG)
}

fn of_prompt(error: &PromptError) -> Failure {
    match error {
        PromptError::CannotAsk { flag, .. } => {
            Failure::new(ExitCode::Usage, "INPUT_NEEDED").hint(format!("give it with {flag}"))
        }
        PromptError::Interrupted => Failure::new(ExitCode::Interrupted, "INTERRUPTED"),
        PromptError::Closed => Failure::new(ExitCode::Failed, "TERMINAL_CLOSED"),
        PromptError::LostKeys => {
            Failure::new(ExitCode::Usage, "PASSWORD_UNUSABLE").hint("nothing was changed; try again")
        }
        PromptError::Secret { .. } | PromptError::Lines { .. } => Failure::new(ExitCode::Usage, "PASSWORD_UNUSABLE"),
        PromptError::StdinIsTerminal => Failure::new(ExitCode::Usage, "INPUT_NEEDED")
            .hint("leave the flag out to be asked, or pipe the password in"),
        PromptError::Unreadable { .. } => Failure::new(ExitCode::Usage, "INPUT_UNREADABLE"),
    }
}

fn of_session_file(error: &SessionFileError) -> Failure {
    match error {
        SessionFileError::Unsafe { .. } => Failure::new(ExitCode::NotSignedIn, "SESSION_FILE_UNSAFE")
            .hint("`authctl signout` ends its session and removes it; then sign in again"),
        SessionFileError::Damaged(_) => {
            Failure::new(ExitCode::NotSignedIn, "SESSION_FILE_DAMAGED").hint("sign in again with `authctl signin`")
        }
        SessionFileError::Unreadable { .. } => Failure::new(ExitCode::NotSignedIn, "SESSION_FILE_UNREADABLE"),
        SessionFileError::UnsafeDirectory { remedy, .. } => {
            Failure::new(ExitCode::Unwritable, "SESSION_DIRECTORY_UNSAFE").remedy(remedy.clone())
        }
        SessionFileError::Busy(_) => {
            Failure::new(ExitCode::Busy, "SESSION_DIRECTORY_BUSY").hint("try again, or wait longer with --wait 30s")
        }
        SessionFileError::Unwritable { source, .. } => {
            let failure = Failure::new(ExitCode::Unwritable, "SESSION_FILE_NOT_WRITTEN");
            match remedy_of(source) {
                Some(remedy) => failure.remedy(remedy),
                None => failure,
            }
        }
    }
}

fn of_mail(error: &MailError) -> Failure {
    let failure = match error {
        MailError::Url(_) | MailError::Sender(_) => Failure::new(ExitCode::Usage, "POLICY_VALUE_INVALID"),
        _ => Failure::new(ExitCode::Failed, "MAIL_NOT_SENT"),
    };
    match error.hint() {
        Some(remedy) => failure.remedy(remedy),
        None => failure,
    }
}

fn no_home(instead: &str) -> Failure {
    Failure::new(ExitCode::Usage, "NO_HOME").hint(format!("set HOME, or {instead}"))
}

fn of_path(error: &PathError) -> Failure {
    match error {
        PathError::NoHome { instead } => no_home(instead),
        PathError::Empty => Failure::new(ExitCode::Usage, "USAGE").hint("name a file with --db PATH"),
        PathError::InMemory => Failure::new(ExitCode::Usage, "NOT_A_FILE").hint("name a file with --db PATH"),
        PathError::NotAFile(_) => Failure::new(ExitCode::Usage, "NOT_A_FILE")
            .hint("`pg_dump` and `pg_restore` back up and restore it: see docs/postgres.md"),
        PathError::Address(_) => Failure::new(ExitCode::Usage, "DATABASE_ADDRESS")
            .hint("an address is like postgres://user@host:5432/database?sslmode=verify-full"),
        PathError::Config(error) => of_config(&error.problem),
        PathError::PasswordInArguments => Failure::new(ExitCode::Usage, "PASSWORD_IN_ARGUMENTS")
            .hint("put the password in PGPASSWORD or ~/.pgpass; AUTHCTL_DB may hold an address with one"),
        PathError::Unreachable { .. } => Failure::new(ExitCode::Database, "DATABASE_UNREADABLE"),
    }
}
