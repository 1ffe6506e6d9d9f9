//! The outside as values: the moment, randomness, the environment, prompts and places, and the store,
//! opened when a command first asks for it.

mod authenticate;
mod database;
mod environment;

use std::cell::OnceCell;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::auth::audit::{Acting, Actor};
use crate::auth::policy::Policy;
use crate::auth::secret::{Entropy, EntropyError, Token};
use crate::auth::storage::{ClientInfo, LooseEnds, Store, StoreError};
use crate::mail::Report;
use crate::paths::{self, DatabasePlace};
use crate::prompt::{Prompt, PromptError};
use crate::session_file::{LockWait, SessionFile};

pub use authenticate::{NoToken, TokenOf, TokenSource};
pub use database::SchemaFileError;
use environment::Clock;
pub use environment::{ClockError, Environment, GivenSecret};

/// What the user asked of every command alike.
#[derive(Debug, Clone, Default)]
pub struct GlobalOptions {
    /// `--db`.
    pub database: Option<PathBuf>,
    /// `--wait`.
    pub wait: Duration,
    /// `--no-input`.
    pub no_input: bool,
    /// `--yes`.
    pub yes: bool,
    /// `--reason`.
    pub reason: Option<String>,
    /// `--schema`.
    pub schema: Option<PathBuf>,
}

/// What a command has committed, and what to do when a later step fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// What stands, as the beginning of a sentence: "the account of ada@example.com was created".
    pub what: String,
    /// What to do, because the same command would not do it.
    pub then: String,
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

/// Everything a command needs of the outside.
#[derive(Debug)]
pub struct Context {
    /// Random bytes.
    pub entropy: Entropy,
    /// The rules' numbers.
    pub policy: Policy,
    /// What happened on the way that the user should know, for standard error.
    pub notices: Vec<String>,
    /// Why the audit log does not say that an act was done, which was.
    pub unlogged: Option<StoreError>,
    options: GlobalOptions,
    /// What is left of `--wait` for the directory of session files.
    lock_wait: LockWait,
    environment: Environment,
    clock: Clock,
    prompt: Prompt,
    place: OnceCell<DatabasePlace>,
    done: Option<Done>,
    /// The token in the file that `AUTHCTL_TOKEN_FILE` names, once it was read.
    token_in_file: OnceCell<Token>,
    /// Who was found to act, being signed in, by id: still so after the database was closed for a question.
    signed_in: Option<String>,
    /// The address of that user, unless it is an operator in an impersonation.
    signed_in_email: Option<String>,
    /// As whom, when that is another user, by id.
    acting_as: Option<String>,
    store: Option<Box<dyn Store>>,
    /// What stores that are closed left to be told.
    loose_ends: LooseEnds,
}

impl Context {
    /// Takes the clock and the operating system's randomness. Opens nothing.
    #[expect(clippy::disallowed_methods, reason = "the one place that draws randomness")]
    pub fn new(options: GlobalOptions, environment: Environment) -> Self {
        let entropy = Entropy::new(|bytes| getrandom::fill(bytes).map_err(|error| EntropyError(error.to_string())));
        Self {
            clock: Clock::start(),
            entropy,
            policy: Policy::default(),
            notices: Vec::new(),
            unlogged: None,
            prompt: Prompt::new(options.no_input, environment.ci),
            lock_wait: options.wait.into(),
            options,
            environment,
            place: OnceCell::new(),
            done: None,
            token_in_file: OnceCell::new(),
            signed_in: None,
            signed_in_email: None,
            acting_as: None,
            store: None,
            loose_ends: LooseEnds::default(),
        }
    }

    /// The present: the same instant until a question is asked, and then the one of the answer.
    ///
    /// # Errors
    /// [`ClockError`] when the clock is outside 1970..9999. Nothing may be written then.
    pub fn now(&self) -> Result<Timestamp, ClockError> {
        self.clock.now()
    }

    /// Notes what the command has committed. A later error reports this instead of saying that the
    /// command could not do it. A second call replaces the first.
    pub fn did(&mut self, what: impl Into<String>, then: impl Into<String>) {
        self.done = Some(Done { what: what.into(), then: then.into() });
    }

    /// Hands over what the command has committed.
    pub fn take_done(&mut self) -> Option<Done> {
        self.done.take()
    }

    /// Hands over what the user should know besides the answer.
    pub fn take_notices(&mut self) -> Vec<String> {
        let mut notices = std::mem::take(&mut self.prompt.warnings);
        notices.extend(self.open_token_file());
        notices.append(&mut self.notices);
        notices
    }

    /// Hands over what acts left to be told besides their results.
    pub fn take_loose_ends(&mut self) -> LooseEnds {
        let mut all = std::mem::take(&mut self.loose_ends);
        if let Some(store) = self.store.as_deref_mut() {
            all.add(store.take_loose_ends());
        }
        all
    }

    /// How long to wait for other processes.
    pub fn wait(&self) -> Duration {
        self.options.wait
    }

    /// What a mailer finds in its environment.
    pub fn environment_of_mailer(&self) -> &[(OsString, OsString)] {
        self.environment.of_mailer()
    }

    /// Where and as what it is reported when a message for a user could not be delivered.
    pub fn mail_report(&self, user_id: &str, about: &str) -> anyhow::Result<Report> {
        let schema = self.options.schema.as_deref().or(self.environment.schema.as_deref());
        Ok(Report {
            database: self.database()?.location.expose().into(),
            schema: schema.map(std::path::absolute).transpose()?,
            wait: self.options.wait,
            user_id: user_id.to_owned(),
            about: about.to_owned(),
        })
    }

    /// Closes the database, which is opened again by whatever needs it next.
    pub fn close_database(&mut self) {
        self.loose_ends = self.take_loose_ends();
        self.store = None;
    }

    /// The place of the session for the database that is meant.
    pub fn session_file(&self) -> anyhow::Result<SessionFile> {
        let database = self.database()?.location;
        let directory = paths::config_directory(&self.environment.places)?;
        Ok(SessionFile::new(&directory, &paths::session_key(&database), database.to_string(), self.lock_wait.clone()))
    }

    /// Who the audit log says did it.
    pub fn acting(&self) -> Result<Acting, ClockError> {
        let actor = Actor {
            signed_in: self.signed_in.clone(),
            signed_in_email: self.signed_in_email.clone(),
            acting_as: self.acting_as.clone(),
            reason: self.reason(),
            at: self.now()?,
            ..Actor::default()
        };
        Ok(Acting::new(move || {
            let (os_user, host) = environment::who();
            Actor { os_user, host, ..actor.clone() }
        }))
    }

    /// The name of the operating system's user, as sessions and the audit log have it.
    pub fn os_name(&self) -> Result<String, ClockError> {
        Ok(self.acting()?.actor().os_name())
    }

    /// Why it is done, in the user's words.
    pub fn reason(&self) -> Option<String> {
        self.options.reason.clone()
    }

    /// Ends the sessions of sign-ins whose process died half-way, and tells how many there were.
    pub fn end_abandoned_sessions(&mut self) -> anyhow::Result<usize> {
        let mut ended = 0;
        for abandoned in self.session_file()?.abandoned()? {
            if let Some(token) = &abandoned.token {
                // Under `guard`, those of other users are left for a command that runs without it.
                if self.is_guarded() && self.require_admitted(token).is_err() {
                    continue;
                }
                ended += usize::from(self.auth()?.store.end_session(token)?.is_some());
            }
            abandoned.discard();
        }
        Ok(ended)
    }

    /// The secret of the app whose database it is, if the environment holds one.
    pub fn app_secret(&self) -> Option<GivenSecret> {
        self.environment.app_secret.clone()
    }

    /// Where a session made now comes from.
    pub fn client_info(&self) -> ClientInfo {
        self.environment.client_info.client_info()
    }

    /// Runs something and measures how long it takes.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn stopwatch<T>(&self, run: impl FnOnce() -> T) -> (T, SignedDuration) {
        let start = std::time::Instant::now();
        let result = run();
        (result, SignedDuration::try_from(start.elapsed()).unwrap_or(SignedDuration::MAX))
    }

    /// Somebody, or something, to ask. An answer may take minutes: the database is closed before, and
    /// the clock is read again after.
    pub fn prompt(&mut self) -> &mut Prompt {
        self.close_database();
        self.clock.forget();
        &mut self.prompt
    }

    /// Gets a yes to what cannot be undone: from `--yes`, else from the person at the terminal. The
    /// database is closed in both cases, so that both go the same way.
    pub fn confirm(&mut self, effect: &str, question: &str) -> Result<bool, PromptError> {
        let yes = self.options.yes;
        let prompt = self.prompt();
        if yes { Ok(true) } else { prompt.confirm(effect, question) }
    }

    /// Whether standard output is `/dev/null`, so that a secret printed there would be lost.
    ///
    /// A closed one is: the standard library opens `/dev/null` in its place before `main`. The two
    /// cannot be told apart: Python's `DEVNULL` and Node's `ignore` open it with the same flags.
    pub fn output_is_lost(&self) -> bool {
        match (rustix::fs::fstat(rustix::stdio::stdout()), rustix::fs::stat("/dev/null")) {
            (Ok(output), Ok(null)) => (output.st_dev, output.st_ino) == (null.st_dev, null.st_ino),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session_file::SessionFileError;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "measures the wait")]
    fn session_files_of_one_command_share_the_wait() {
        let home = tempfile::tempdir().unwrap();
        let sessions = home.path().join("authctl/sessions");
        paths::make_private(&sessions).unwrap();
        let other = std::fs::File::open(&sessions).unwrap();
        other.lock().unwrap();
        let mut environment = Environment::default();
        environment.places.config_home = Some(home.path().to_owned());
        let wait = Duration::from_millis(100);
        let options = GlobalOptions { database: Some(home.path().join("a.db")), wait, ..GlobalOptions::default() };
        let context = Context::new(options, environment);
        let start = std::time::Instant::now();
        for _ in 0..20 {
            assert!(matches!(context.session_file().unwrap().abandoned(), Err(SessionFileError::Busy(_))));
        }
        assert!((wait..wait * 10).contains(&start.elapsed()), "{:?}", start.elapsed());
    }
}
