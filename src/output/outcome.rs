//! What a command did: one kind of outcome for each topic, which knows its own words and its own JSON.

use std::process::Command;

use jiff::Timestamp;
use serde_json::Value;

use super::account::AccountOutcome;
use super::audit::AuditOutcome;
use super::database::DatabaseOutcome;
use super::doctor::DoctorOutcome;
use super::email::EmailOutcome;
use super::escape::escape;
use super::hash::HashOutcome;
use super::json;
use super::page::{Page, Style};
use super::policy::PolicyOutcome;
use super::sessions::SessionsOutcome;
use super::sign_in::SignInOutcome;
use super::users::{UserChanged, UsersOutcome};
use crate::auth::audit::Entry;
use crate::auth::secret::Token;
use crate::exit_code::ExitCode;

/// What a command did.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing is to be said; the exit code is the answer.
    Silent,
    /// This process shall become another one.
    Exec(Box<Command>),
    /// A page that was asked for: help or a completion script. It is no document, under `--json` neither.
    Page(String),
    /// Entries of the audit log, and those that are still to come.
    EntriesToFollow {
        /// Those that are there.
        entries: Vec<Entry>,
        /// The number of the newest one, whether it is among them or not.
        newest: u64,
    },
    /// Signing up, in and out.
    SignIn(SignInOutcome),
    /// One's own account.
    Account(AccountOutcome),
    /// One's own address.
    Email(EmailOutcome),
    /// Sessions.
    Sessions(SessionsOutcome),
    /// What an operator did to users.
    Users(UsersOutcome),
    /// The audit log.
    Audit(AuditOutcome),
    /// The rules of a database.
    Policy(PolicyOutcome),
    /// Password hashes.
    Hash(HashOutcome),
    /// The database file.
    Database(DatabaseOutcome),
    /// What a doctor found.
    Doctor(DoctorOutcome),
}

impl Outcome {
    /// Tells a person: the answer for standard output, what was done for standard error. Everything
    /// that came from users is escaped.
    pub fn human(&self, now: Timestamp, style: Style) -> Page {
        match self {
            Self::Silent | Self::Exec(_) | Self::EntriesToFollow { .. } => Page::default(),
            Self::Page(page) => Page::answer(page.clone()),
            Self::SignIn(outcome) => outcome.human(now, style),
            Self::Account(outcome) => outcome.human(),
            Self::Email(outcome) => outcome.human(),
            Self::Sessions(outcome) => outcome.human(now, style),
            Self::Users(outcome) => outcome.human(now, style),
            Self::Audit(outcome) => outcome.human(now, style),
            Self::Policy(outcome) => outcome.human(style),
            Self::Hash(outcome) => outcome.human(),
            Self::Database(outcome) => outcome.human(style),
            Self::Doctor(outcome) => outcome.human(),
        }
    }

    /// Tells a program: the one document that `--json` prints. Field names are Better Auth's; what
    /// is absent is null; tokens and hashes have no field, but for what was asked for by name.
    pub fn json(&self) -> Page {
        let document: Value = match self {
            Self::Silent | Self::Exec(_) | Self::EntriesToFollow { .. } => return Page::default(),
            Self::Page(page) => return Page::answer(page.clone()),
            Self::Audit(AuditOutcome::EntryLines(entries)) => return Page::answer(super::entry_lines(entries, true)),
            Self::SignIn(outcome) => outcome.json(),
            Self::Account(outcome) => outcome.json(),
            Self::Email(outcome) => outcome.json(),
            Self::Sessions(outcome) => outcome.json(),
            Self::Users(outcome) => outcome.json(),
            Self::Audit(outcome) => outcome.json(),
            Self::Policy(outcome) => outcome.json(),
            Self::Hash(outcome) => outcome.json(),
            Self::Database(outcome) => outcome.json(),
            Self::Doctor(outcome) => outcome.json(),
        };
        Page::answer(json::document(&document))
    }

    /// What the shell is told: a question may be answered with no.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Users(UsersOutcome::Explained(explanation)) if !explanation.can_sign_in() => ExitCode::Failed,
            Self::Doctor(outcome) => outcome.exit_code(),
            _ => ExitCode::Done,
        }
    }

    /// What to do when the answer, and a secret that exists only in it, could not be written.
    pub fn way_out_when_lost(&self) -> Option<String> {
        match self {
            Self::Users(UsersOutcome::Changed(changed)) => changed.way_out_when_lost(),
            Self::Users(UsersOutcome::ResetCode { user, .. }) => {
                Some(format!("the code is lost: make another with `authctl users reset-code {}`", escape(&user.email)))
            }
            _ => None,
        }
    }

    /// A token that exists only in this answer: when the answer cannot be written, its session must
    /// end, or it would live on with nobody holding it.
    pub fn unheld_token(&self) -> Option<&Token> {
        match self {
            Self::SignIn(outcome) => outcome.unheld_token(),
            _ => None,
        }
    }
}

/// Lets a command return the outcome of its topic with `.into()`.
macro_rules! topic {
    ($($kind:ident($outcome:ident)),+) => {
        $(impl From<$outcome> for Outcome {
            fn from(outcome: $outcome) -> Self {
                Self::$kind(outcome)
            }
        })+
    };
}

topic!(
    SignIn(SignInOutcome),
    Account(AccountOutcome),
    Email(EmailOutcome),
    Sessions(SessionsOutcome),
    Users(UsersOutcome),
    Audit(AuditOutcome),
    Policy(PolicyOutcome),
    Hash(HashOutcome),
    Database(DatabaseOutcome),
    Doctor(DoctorOutcome)
);

impl From<UserChanged> for Outcome {
    fn from(changed: UserChanged) -> Self {
        Self::Users(UsersOutcome::Changed(changed))
    }
}
