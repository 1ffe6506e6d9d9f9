//! What a program with an API token may run. Every other command needs a person.

use crate::auth::AuthError;
use crate::auth::api_token::TokenRight;
use crate::cli::Command;
use crate::commands::db::DbCommand;
use crate::commands::users::UsersCommand;
use crate::context::{Context, Credential};

/// What a command needs of an API token.
enum Need {
    /// The command reads no database, or checks the token itself.
    Nothing,
    Right(TokenRight),
    /// No scope gives it.
    Person,
}

fn need(command: &Command) -> Need {
    match command {
        Command::Whoami(_) | Command::Guard(_) | Command::Hash { .. } | Command::Completions(_) | Command::Help(_) => {
            Need::Nothing
        }
        Command::Db { command: DbCommand::List(_) } => Need::Nothing,
        Command::Users {
            command: UsersCommand::List(_) | UsersCommand::Show(_) | UsersCommand::Explain(_) | UsersCommand::Exists(_),
        } => Need::Right(TokenRight::UsersRead),
        Command::Audit { .. } => Need::Right(TokenRight::AuditRead),
        _ => Need::Person,
    }
}

/// Checks an API token in the environment before a command runs.
///
/// # Errors
/// Those of [`Context::identity`]; [`AuthError::NotByToken`] where no scope is enough.
pub(super) fn require(command: &Command, context: &mut Context) -> anyhow::Result<()> {
    let need = need(command);
    if matches!(need, Need::Nothing) || !context.acts_by_api_token() {
        return Ok(());
    }
    match need {
        Need::Right(right) => context.identity(&right.into()).map(drop),
        // A token that is mistyped is the first thing to correct.
        Need::Person | Need::Nothing => match context.credential()? {
            (Credential::ApiToken(_), _) => Err(AuthError::NotByToken.into()),
            (Credential::Session(_), _) => Ok(()),
        },
    }
}
