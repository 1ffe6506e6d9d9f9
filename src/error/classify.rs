//! The exit code, the name for programs and the hint of every typed error.

use std::error::Error;

use super::commands::{of_command_error, of_config, of_import, of_interrupted};
use super::database::{of_copy, of_not_ready, of_open, of_store, of_transfer};
use super::os::{no_home, remedy_of};
use super::rules::of_auth;
use super::server::of_address;
use super::tokens::of_no_token;
use super::{CommandError, ExitCode, Failure};
use crate::auth::AuthError;
use crate::auth::storage::StoreError;
use crate::cli::UsageError;
use crate::context::{ClockError, NoToken, NotReady, SchemaFileError};
use crate::import::ImportError;
use crate::interrupt::Interrupted;
use crate::mail::MailError;
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

fn of_path(error: &PathError) -> Failure {
    match error {
        PathError::NoHome { instead } => no_home(instead),
        PathError::Empty => Failure::new(ExitCode::Usage, "USAGE").hint("name a file with --db PATH"),
        PathError::InMemory => Failure::new(ExitCode::Usage, "NOT_A_FILE").hint("name a file with --db PATH"),
        PathError::NotAFile(_) => Failure::new(ExitCode::Usage, "NOT_A_FILE")
            .hint("`pg_dump` and `pg_restore` back up and restore it, and `authctl db copy` copies it to a file: see docs/postgres.md"),
        PathError::Address(error) => of_address(&**error),
        PathError::Config(error) => of_config(&error.problem),
        PathError::PasswordInArguments => Failure::new(ExitCode::Usage, "PASSWORD_IN_ARGUMENTS")
            .hint("put the password in PGPASSWORD or ~/.pgpass; AUTHCTL_DB may hold an address with one"),
        PathError::Unreachable { .. } => Failure::new(ExitCode::Database, "DATABASE_UNREADABLE"),
    }
}
