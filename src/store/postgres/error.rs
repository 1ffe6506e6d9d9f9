//! Conversion of the server's errors to the store's. The server may speak any language, so that only its codes decide.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::auth::storage::{Constraint, StoreError};
use crate::store::mapping::table;

/// The unique constraints of the native schema, each with the column that its error names.
const UNIQUE: &[(&str, &str)] = &[
    ("user_email_unique", "user.email"),
    ("user_pkey", "user.id"),
    ("session_token_unique", "session.token"),
    ("session_pkey", "session.id"),
    ("account_pkey", "account.id"),
    ("account_providerId_accountId_unique", "account.providerId, account.accountId"),
    ("verification_pkey", "verification.id"),
];

/// Where the source of the server refuses the word for a setting. A replica refuses serializable transactions there, and
/// authctl sets nothing else that a server may not support.
const WORD_OF_SETTING: &str = "call_enum_check_hook";

/// The beginning of the names of authctl's own tables.
const OWN: &str = "authctl_";

/// What `PgBouncer` says to `BEGIN` when it pools statements. It speaks English alone, and has one code for all that it says.
const STATEMENT_POOLING: &str = "transaction blocks not allowed in statement pooling mode";

/// The columns of a unique constraint of the native schema.
pub(super) fn native_columns(constraint: &str) -> Option<&'static str> {
    UNIQUE.iter().find(|(known, _)| *known == constraint).map(|(_, columns)| *columns)
}

/// Each kind of failure has its own error. That of a unique constraint holds the name of the constraint.
pub(super) fn translate(error: &Error) -> StoreError {
    let Some(found) = error.as_db_error() else { return of_connection(error) };
    let text = || found.message().to_owned();
    match found.code() {
        &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED => StoreError::Conflict,
        &SqlState::LOCK_NOT_AVAILABLE => StoreError::Busy,
        &SqlState::READ_ONLY_SQL_TRANSACTION => StoreError::ReadOnlyServer,
        &SqlState::FEATURE_NOT_SUPPORTED if found.routine() == Some(WORD_OF_SETTING) => StoreError::ReadOnlyServer,
        &SqlState::PROTOCOL_VIOLATION if found.message() == STATEMENT_POOLING => StoreError::NoTransactions,
        &SqlState::DISK_FULL => StoreError::Full,
        &SqlState::OUT_OF_MEMORY => StoreError::TooMuch("the server has too little memory"),
        &SqlState::CONFIGURATION_LIMIT_EXCEEDED => StoreError::TooMuch("the server limits what a statement may use"),
        &SqlState::QUERY_CANCELED => StoreError::Canceled,
        &SqlState::UNIQUE_VIOLATION => StoreError::NotUnique(found.constraint().unwrap_or_default().to_owned()),
        &SqlState::NOT_NULL_VIOLATION => StoreError::Constraint(Constraint::NotNull(place(found))),
        &SqlState::CHECK_VIOLATION => StoreError::Constraint(Constraint::Check {
            label: found.constraint().unwrap_or_default().to_owned(),
            columns: Vec::new(),
        }),
        &SqlState::FOREIGN_KEY_VIOLATION | &SqlState::RESTRICT_VIOLATION => {
            StoreError::Constraint(Constraint::ForeignKey { keys: Vec::new() })
        }
        &SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED => StoreError::Corrupt(text()),
        code if is_of(code, "08") || is_end(found) => StoreError::Disconnected(text()),
        // The context of an error in a function is translated, but for this part of the name of its language.
        code if is_of(code, "P0") || found.where_().is_some_and(|place| place.contains("PL/")) => {
            StoreError::Trigger(text())
        }
        &SqlState::INSUFFICIENT_PRIVILEGE => StoreError::Denied(text()),
        &SqlState::UNDEFINED_TABLE => match named(found.message()) {
            own if own.starts_with(OWN) => StoreError::Incomplete(own.to_owned()),
            _ => StoreError::SchemaChanged(text()),
        },
        code if is_of(code, "42") => StoreError::SchemaChanged(text()),
        // A word that an enum lacks, a text that is too long for its column, or a number for which there is no room.
        code if is_of(code, "22") || is_of(code, "23") => StoreError::Constraint(Constraint::Other(text())),
        code if is_of(code, "54") => StoreError::TooMuch("a value or a row is too large for the server"),
        _ => StoreError::Engine(text()),
    }
}

/// The error about a `COMMIT`. Without a connection to the server nothing tells whether it was done.
pub(super) fn of_commit(error: &Error) -> StoreError {
    match (translate(error), error.as_db_error()) {
        (StoreError::Disconnected(problem), _) => StoreError::Unanswered(problem),
        (other, Some(_)) => other,
        (other, None) => StoreError::Unanswered(other.to_string()),
    }
}

/// Whether a code is one of a class.
fn is_of(code: &SqlState, class: &str) -> bool {
    code.code().starts_with(class)
}

/// Whether the server ends the connection with this error.
fn is_end(error: &DbError) -> bool {
    matches!(error.parsed_severity(), Some(Severity::Fatal | Severity::Panic))
}

/// The table that a message about a missing one names.
fn named(message: &str) -> &str {
    let mut words = message.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.find(|word| word.starts_with(OWN) || table(word).is_some()).unwrap_or(message)
}

/// A column as an error names it.
fn place(error: &DbError) -> String {
    [error.table(), error.column()].map(Option::unwrap_or_default).join(".")
}

/// The error about a connection on which the server said nothing.
fn of_connection(error: &Error) -> StoreError {
    let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let is_of_network = error.source().is_none_or(<dyn std::error::Error + 'static>::is::<std::io::Error>);
    if error.is_closed() || is_of_network { StoreError::Disconnected(cause) } else { StoreError::Engine(cause) }
}
