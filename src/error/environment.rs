//! How failures of what is around the rules and the database are told: prompts, session files, mail
//! and paths.

use rustix::io::Errno;

use super::Failure;
use crate::context::NoToken;
use crate::exit_code::ExitCode;
use crate::mail::MailError;
use crate::paths::PathError;
use crate::prompt::PromptError;
use crate::session_file::SessionFileError;

/// What to do about an error of the operating system whose words alone do not say it.
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

pub(super) const RAISE_SIZE_LIMIT: &str = "raise the limit of file sizes, as with `ulimit -f unlimited`";
pub(super) const FREE_QUOTA: &str = "delete files of yours, or ask for a larger quota";
pub(super) const USE_LOCKS: &str = "keep the file on a file system that can lock, such as a local disk";

/// Whether a file would be larger than the process or the file system allows.
pub(super) fn is_size_limit(error: &std::io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::FBIG)
}

pub(super) fn of_prompt(error: &PromptError) -> Failure {
    match error {
        PromptError::CannotAsk { flag, .. } => {
            Failure::new(ExitCode::Usage, "INPUT_NEEDED").hint(format!("give it with {flag}"))
        }
        PromptError::Interrupted => Failure::new(ExitCode::Interrupted, "INTERRUPTED"),
        PromptError::Closed => Failure::new(ExitCode::Failed, "TERMINAL_CLOSED"),
        PromptError::LostKeys => {
            Failure::new(ExitCode::Usage, "PASSWORD_UNUSABLE").hint("nothing was changed; try again")
        }
        PromptError::Mismatch => {
            Failure::new(ExitCode::Usage, "PASSWORD_MISMATCH").hint("nothing was changed; try again")
        }
        PromptError::Secret { .. } | PromptError::Lines { .. } => Failure::new(ExitCode::Usage, "PASSWORD_UNUSABLE"),
        PromptError::StdinIsTerminal => Failure::new(ExitCode::Usage, "INPUT_NEEDED")
            .hint("leave the flag out to be asked, or pipe the password in"),
        PromptError::Unreadable { .. } => Failure::new(ExitCode::Usage, "INPUT_UNREADABLE"),
    }
}

pub(super) fn of_session_file(error: &SessionFileError) -> Failure {
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
            let exit = Failure::new(ExitCode::Unwritable, "SESSION_FILE_NOT_WRITTEN");
            match remedy_of(source) {
                Some(remedy) => exit.remedy(remedy),
                None => exit,
            }
        }
    }
}

pub(super) fn of_no_token(error: &NoToken) -> Failure {
    let exit = Failure::new(ExitCode::NotSignedIn, "UNAUTHORIZED");
    match error {
        NoToken::None(_) => exit.hint("sign in with `authctl signin`"),
        NoToken::Unusable { variable, .. } => exit.hint(unset(variable)),
        NoToken::File { .. } => exit.hint(unset("AUTHCTL_TOKEN_FILE")),
    }
}

fn unset(variable: &str) -> String {
    format!("`unset {variable}`, or give it the token of a live session")
}

pub(super) fn of_mail(error: &MailError) -> Failure {
    let exit = match error {
        MailError::Url(_) | MailError::Sender(_) => Failure::new(ExitCode::Usage, "POLICY_VALUE_INVALID"),
        _ => Failure::new(ExitCode::Failed, "MAIL_NOT_SENT"),
    };
    match error.hint() {
        Some(remedy) => exit.remedy(remedy),
        None => exit,
    }
}

pub(super) fn of_path(error: &PathError) -> Failure {
    match error {
        PathError::NoHome { instead } => {
            Failure::new(ExitCode::Usage, "NO_HOME").hint(format!("set HOME, or {instead}"))
        }
        PathError::Empty => Failure::new(ExitCode::Usage, "USAGE").hint("name a file with --db PATH"),
        PathError::NotAFile(_) => {
            Failure::new(ExitCode::Usage, "NOT_A_FILE").hint("use the tools of the server for files and backups")
        }
        PathError::Unreachable { .. } => Failure::new(ExitCode::Database, "DATABASE_UNREADABLE"),
    }
}
