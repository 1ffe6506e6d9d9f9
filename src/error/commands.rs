//! The failures that commands decide themselves, and those of files to import and of the configuration file.

use super::os::{WRITABLE, remedy_of};
use super::{CommandError, ExitCode, Failure, STOPPED};
use crate::import::ImportError;
use crate::interrupt::{Interrupted, Signal};
use crate::paths::ConfigProblem;

pub(super) fn of_import(error: &ImportError) -> Failure {
    let failure = Failure::new(ExitCode::Usage, "IMPORT_UNREADABLE");
    match error {
        ImportError::Sqlite { .. } => failure.hint(
            "`authctl --db FILE db status` says what it is: authctl works in the database of a Better Auth app as it is, and \
             `db restore` takes a backup of authctl",
        ),
        _ => failure.unchanged(),
    }
}

/// The failure of an act that a signal stopped.
pub(super) fn of_interrupted(error: &Interrupted) -> Failure {
    let code = match error.signal {
        Signal::Interrupt => ExitCode::Interrupted,
        Signal::Terminate => ExitCode::Terminated,
    };
    Failure::new(code, STOPPED)
}

pub(super) fn of_command_error(error: &CommandError) -> Failure {
    match error {
        CommandError::LogBroken(_) | CommandError::LogLacksHash => Failure::new(ExitCode::Failed, "AUDIT_LOG_BROKEN")
            .hint("compare it with a backup or an export; `authctl help security` says what the log can prove"),
        CommandError::NoMailer { instead } => Failure::new(ExitCode::Failed, "MAILER_MISSING")
            .hint(format!("an operator can {instead}, or set mail.url and mail.from with `authctl policy set`")),
        CommandError::No(_) => Failure::new(ExitCode::Failed, "NO"),
        CommandError::Declined => Failure::new(ExitCode::Failed, "DECLINED"),
        CommandError::Differs { hint, .. } => Failure::new(ExitCode::Exists, "DATABASE_DIFFERS").hint(*hint),
        CommandError::Taken { .. } => Failure::new(ExitCode::Database, "DATABASE_FOREIGN").hint(
            "stop the app and move its file away, with -wal and -shm beside it; then run this again, to put the backup in \
             its place",
        ),
        CommandError::ImportRefused { hint, .. } => Failure::new(ExitCode::Failed, "IMPORT_REFUSED").hint(*hint),
        CommandError::ImportExists { .. } => Failure::new(ExitCode::Exists, "IMPORT_EXISTS")
            .hint("--on-conflict skip leaves them as they are, update gives users with the same id the values of the file"),
        CommandError::BadRows { rows, .. } => {
            let failure = Failure::new(ExitCode::Usage, "ROWS_REFUSED").hint("correct these rows, and apply the list again");
            Failure { rows: rows.clone(), ..failure }
        }
        CommandError::FileExists(_) => {
            Failure::new(ExitCode::Exists, "FILE_EXISTS").hint("name another file: none is overwritten")
        }
        CommandError::NotWritten { source, .. } => {
            Failure::new(ExitCode::Unwritable, "FILE_NOT_WRITTEN").remedy(remedy_of(source).unwrap_or(WRITABLE))
        }
        CommandError::Usage { hint, .. } => Failure::new(ExitCode::Usage, "USAGE").hint(*hint),
    }
}

/// The failure of a name that the configuration file was asked for.
pub(super) fn of_config(problem: &ConfigProblem) -> Failure {
    let unknown = || Failure::new(ExitCode::Usage, "DATABASE_NAME_UNKNOWN");
    match problem {
        ConfigProblem::Missing { .. } => unknown().hint("`authctl db list --help` shows such a file"),
        ConfigProblem::Unknown { nearest: Some(nearest), .. } => unknown().hint(format!("use --db @{nearest}")),
        ConfigProblem::Unknown { .. } => {
            unknown().hint("`authctl db list` shows the names; a file of such a name is ./@NAME")
        }
        ConfigProblem::Unreadable(_) | ConfigProblem::Text { .. } => {
            Failure::new(ExitCode::Usage, "CONFIG_FILE").hint("`authctl db list --help` shows such a file")
        }
        ConfigProblem::Insecure { remedy, .. } => {
            Failure::new(ExitCode::Database, "CONFIG_FILE_UNSAFE").remedy(remedy.clone())
        }
    }
}
