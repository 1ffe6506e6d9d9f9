//! What a command did.

use std::path::PathBuf;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};

use super::state::{DatabaseState, SignedOutHow};
use super::users::{UserAct, UserState};
use crate::auth::audit::Entry;
use crate::auth::identify::HashKind;
use crate::auth::policy::{Argon2Cost, Key, Policy};
use crate::auth::secret::{Code, Password, StoredHash, Token};
use crate::auth::session::Session;
use crate::auth::store::UserPage;
use crate::auth::user::User;

/// What a command did.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing is to be said; the exit code is the answer.
    Silent,
    /// This process shall become another one.
    Become(Box<Command>),
    /// A password hash.
    HashMade(StoredHash),
    /// The password is the one of the hash.
    HashIsRight {
        /// The hash is weaker than the policy asks for.
        outdated: bool,
    },
    /// A hash's kind.
    HashIdentified {
        /// The kind.
        kind: HashKind,
        /// It is weaker than the policy asks for.
        outdated: bool,
    },
    /// What a hash may cost on this machine.
    Calibrated {
        /// The cost.
        cost: Argon2Cost,
        /// How long one hash took.
        took: SignedDuration,
        /// Within the wished time; if not, the least cost that is allowed took longer.
        within: bool,
    },
    /// A page that was asked for: help or a completion script.
    Page(String),
    /// An account was made.
    SignedUp {
        /// Whose.
        user: User,
        /// The session, unless `--no-signin`.
        session: Option<(Session, PathBuf)>,
        /// Where.
        database: PathBuf,
    },
    /// A session was made.
    SignedIn {
        /// Whose.
        user: User,
        /// The session.
        session: Session,
        /// What became of its token.
        kept: Kept,
    },
    /// The password is right; nothing was kept (`--no-store`).
    PasswordIsRight {
        /// Whose.
        user: User,
    },
    /// Who is signed in.
    Who {
        /// Who.
        user: User,
        /// By which session.
        session: Session,
        /// Where the token came from, in words.
        token_from: String,
        /// In which database.
        database: PathBuf,
    },
    /// Live sessions.
    Sessions {
        /// The sessions, newest first.
        sessions: Vec<Session>,
        /// Id of the one that asks.
        current: String,
    },
    /// Live sessions of users, each with the user's address.
    SessionsOfUsers {
        /// The sessions, newest first.
        sessions: Vec<(String, Session)>,
    },
    /// Sessions ended, or would have.
    SessionsEnded {
        /// Which.
        sessions: Vec<Session>,
        /// Nothing was ended (`--dry-run`).
        dry_run: bool,
        /// The session file went too.
        signed_out: bool,
    },
    /// Expired rows deleted, or would have been.
    Pruned {
        /// How many.
        count: u64,
        /// Nothing was deleted (`--dry-run`).
        dry_run: bool,
        /// Where.
        database: PathBuf,
    },
    /// Signed out.
    SignedOut(SignedOutHow),
    /// The password was changed.
    PasswordChanged {
        /// Other live sessions that ended.
        sessions_ended: usize,
        /// `--keep-sessions`.
        sessions_kept: bool,
    },
    /// A password was reset with a code.
    PasswordReset {
        /// Whose.
        user: User,
        /// Live sessions that ended.
        sessions_ended: usize,
    },
    /// A code was mailed, if anybody has the address.
    CodeMailed {
        /// The address.
        email: String,
    },
    /// A code to reset a password.
    ResetCode {
        /// Whose.
        user: User,
        /// In clear, to be handed over.
        code: Code,
        /// Until when it counts.
        expires_at: Timestamp,
        /// Where.
        database: PathBuf,
    },
    /// The profile was changed.
    AccountUpdated {
        /// As it is now.
        user: User,
    },
    /// The account was deleted.
    AccountDeleted {
        /// Who it was.
        user: User,
        /// Session rows that went too.
        sessions: u64,
    },
    /// A page of users.
    Users(UserPage),
    /// A user in full.
    User(UserState),
    /// There is such a user.
    UserExists,
    /// There was no such user to delete (`--if-exists`).
    UserWasMissing {
        /// Where.
        database: PathBuf,
    },
    /// An operator changed a user.
    UserChanged {
        /// How.
        act: UserAct,
        /// The user as it is now, or was.
        user: User,
        /// Sessions that ended with it.
        sessions_ended: usize,
        /// A password that was made and that nobody knows yet.
        password: Option<Password>,
        /// Where.
        database: PathBuf,
    },
    /// Entries of the audit log.
    Entries(Vec<Entry>),
    /// The same, one JSON document per line.
    EntryLines(Vec<Entry>),
    /// The same, and those that are still to come.
    EntriesToFollow {
        /// Those that are there.
        entries: Vec<Entry>,
        /// The number of the newest one, whether it is among them or not.
        newest: u64,
    },
    /// The audit log is as it was written.
    LogIsWhole {
        /// How many entries it has.
        entries: u64,
        /// The hash of the newest.
        head: String,
        /// Where.
        database: PathBuf,
    },
    /// The rules of this database.
    Policy {
        /// As they are now.
        policy: Policy,
    },
    /// A rule was changed.
    PolicyChanged {
        /// Which.
        key: &'static Key,
        /// As they are now.
        policy: Policy,
        /// Where.
        database: PathBuf,
    },
    /// The database is there.
    DatabaseReady {
        /// Where.
        path: PathBuf,
        /// It was made just now.
        created: bool,
    },
    /// The database, described.
    Database(DatabaseState),
    /// The schema is up to date.
    Migrated {
        /// Where.
        path: PathBuf,
        /// Version before.
        from: u32,
        /// Version now.
        to: u32,
    },
}

/// What became of a new session's token.
#[derive(Debug)]
pub enum Kept {
    /// It is in this file.
    File(PathBuf),
    /// It exists only in this answer.
    Printed(Token),
}

impl Outcome {
    /// A token that exists only in this answer: when the answer cannot be written, its session must
    /// end, or it would live on with nobody holding it.
    pub fn unheld_token(&self) -> Option<&Token> {
        match self {
            Self::SignedIn { kept: Kept::Printed(token), .. } => Some(token),
            _ => None,
        }
    }
}
