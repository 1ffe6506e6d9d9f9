//! What a command gets from outside: the time, randomness, the environment, prompts and paths. The database
//! opens when a command first needs it.

mod address;
mod app_signs;
mod authenticate;
mod create;
mod databases;
mod environment;
mod key_file;
mod libpq_files;
mod opening;
mod pepper_file;
mod schema_file;

use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use environment::Clock;
use jiff::{SignedDuration, Timestamp};
use key_file::KeyFile;
use pepper_file::PepperFile;

use crate::auth::app_secrets::{AppSecrets, VersionedSecret};
use crate::auth::audit::{Acting, Actor};
use crate::auth::policy::Policy;
use crate::auth::secret::{Entropy, EntropyError, Token};
use crate::auth::storage::{ClientInfo, GuestSchema, LooseEnds, Store, StoreError};
use crate::mail::Report;
use crate::paths::{self, DatabaseLocation, DatabasePlace, DatabaseSource, DatabaseUrl, PathEnv, PathError};
use crate::prompt::{Prompt, PromptError};
use crate::session_file::{LockWait, SessionFile};
use crate::store::postgres::{Address, Begun};

pub use address::Approach;
pub use authenticate::{Credential, Identity, NoToken, TokenOf, TokenSource};
pub use create::NotReady;
pub use environment::{ClockError, Environment, GivenSecret, error_columns};
pub use libpq_files::SystemFiles;
pub use schema_file::SchemaFileError;

/// The global flags.
#[derive(Debug, Clone, Default)]
pub struct GlobalOptions {
    /// `--db`.
    pub database: Option<PathBuf>,
    /// `--wait`.
    pub wait: Duration,
    /// `--no-input`.
    pub no_input: bool,
    pub quiet: bool,
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
    /// What was committed, as the beginning of a sentence: "the account of ada@example.com was created".
    pub what: String,
    /// What to do next. To repeat the command is not the answer.
    pub then: String,
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

#[derive(Debug)]
pub struct Context {
    pub entropy: Entropy,
    /// The policy of the open database; the default before it is open.
    pub policy: Policy,
    /// Notices for standard error.
    pub notices: Vec<String>,
    /// Why the audit log could not record the end of an act that was done.
    pub unlogged: Option<StoreError>,
    options: GlobalOptions,
    /// What is left of `--wait` for the directory of session files.
    lock_wait: LockWait,
    environment: Environment,
    clock: Clock,
    prompt: Prompt,
    place: OnceCell<DatabasePlace>,
    /// The first address of a server that was read, and what it says.
    server: OnceCell<(DatabaseUrl, Address)>,
    /// A connection to that server, until the database opens.
    begun: Option<Begun>,
    done: Option<Done>,
    /// The token from `AUTHCTL_TOKEN_FILE`, after the first read: a pipe can be read only once.
    token_in_file: OnceCell<Token>,
    /// The id of the user who acts. It stays known when the database is closed for a question.
    signed_in: Option<String>,
    /// The address of that user; `None` in an impersonation.
    signed_in_email: Option<String>,
    /// The id of the impersonated user.
    acting_as: Option<String>,
    store: Option<Box<dyn Store>>,
    /// Loose ends of stores that are closed already.
    loose_ends: LooseEnds,
    /// The peppers of the open database.
    peppers: PepperFile,
    factor_keys: KeyFile,
    app_secrets: AppSecrets,
}

impl Context {
    /// Reads the clock. Opens neither files nor the database.
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
            factor_keys: KeyFile::of(&environment),
            app_secrets: environment.app_secrets.read(),
            options,
            environment,
            place: OnceCell::new(),
            server: OnceCell::new(),
            begun: None,
            done: None,
            token_in_file: OnceCell::new(),
            signed_in: None,
            signed_in_email: None,
            acting_as: None,
            store: None,
            loose_ends: LooseEnds::default(),
            peppers: PepperFile::default(),
        }
    }

    /// Whether `--quiet` is given.
    pub fn is_quiet(&self) -> bool {
        self.options.quiet
    }

    /// The pager for lists; `None` to show none to scripts.
    pub fn pager(&self) -> Option<&OsStr> {
        let is_attended = !self.options.no_input && !self.environment.ci;
        self.environment.pager.as_deref().filter(|_| is_attended)
    }

    /// The current time. It stays the same until a question is asked, because an answer may take minutes.
    ///
    /// # Errors
    /// [`ClockError`] when the clock is outside 1970..9999. Nothing may be written then.
    pub fn now(&self) -> Result<Timestamp, ClockError> {
        self.clock.now()
    }

    /// Records what the command has committed. A later error reports this instead of saying that the command could
    /// not do it. A second call replaces the first.
    pub fn did(&mut self, what: impl Into<String>, then: impl Into<String>) {
        self.done = Some(Done { what: what.into(), then: then.into() });
    }

    /// Takes the record of what the command has committed.
    pub fn take_done(&mut self) -> Option<Done> {
        self.done.take()
    }

    /// Takes the notices for standard error.
    pub fn take_notices(&mut self) -> Vec<String> {
        let mut notices = std::mem::take(&mut self.prompt.warnings);
        notices.extend(self.open_token_file());
        notices.extend(self.open_config());
        notices.append(&mut self.notices);
        notices
    }

    /// Says that the process ends after the output.
    pub fn end_with_process(&mut self) {
        if let Some(store) = self.store.as_deref_mut() {
            store.end_with_process();
        }
    }

    /// Takes the loose ends of the open store and of closed ones.
    pub fn take_loose_ends(&mut self) -> LooseEnds {
        let mut all = std::mem::take(&mut self.loose_ends);
        if let Some(store) = self.store.as_deref_mut() {
            all.add(store.take_loose_ends());
        }
        all
    }

    pub fn wait(&self) -> Duration {
        self.options.wait
    }

    /// The environment of a mailer.
    pub fn environment_of_mailer(&self) -> &[(OsString, OsString)] {
        self.environment.of_mailer()
    }

    /// The environment of the delivery process.
    pub fn environment_of_delivery(&self) -> Vec<(OsString, OsString)> {
        self.environment.of_delivery()
    }

    /// How the delivery process reports that a message for this user could not be delivered.
    pub fn mail_report(&self, user_id: &str, about: &str) -> anyhow::Result<Report> {
        Ok(Report {
            database: self.database()?.location.expose().into(),
            schema: self.schema_file().map(std::path::absolute).transpose()?,
            wait: self.options.wait,
            user_id: user_id.to_owned(),
            about: about.to_owned(),
        })
    }

    /// Closes the database. The next use opens it again.
    pub fn close_database(&mut self) {
        self.loose_ends = self.take_loose_ends();
        self.store = None;
    }

    /// The session file of the database.
    pub fn session_file(&self) -> anyhow::Result<SessionFile> {
        let database = self.database()?.location;
        let directory = paths::config_directory(&self.environment.places)?;
        Ok(SessionFile::new(&directory, &paths::session_key(&database), database.to_string(), self.lock_wait.clone()))
    }

    /// The actor for entries of the audit log.
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
            Actor { os_user, host, ..actor }
        }))
    }

    /// The operating system's user and the host, as in sessions and the audit log.
    pub fn os_name(&self) -> Result<String, ClockError> {
        Ok(self.acting()?.actor().os_name())
    }

    /// The reason for the audit log (`--reason`).
    pub fn reason(&self) -> Option<String> {
        self.options.reason.clone()
    }

    /// Ends the sessions of sign-ins whose process died before it finished. Returns how many were live.
    pub fn end_abandoned_sessions(&mut self) -> anyhow::Result<usize> {
        let mut ended = 0;
        for abandoned in self.session_file()?.abandoned()? {
            if let Some(token) = &abandoned.token {
                // Under `guard`, the sessions of other users stay for a command that runs without it.
                if self.is_guarded() && self.require_admitted(token).is_err() {
                    continue;
                }
                ended += usize::from(self.auth()?.store.end_session(token)?.is_some());
            }
            abandoned.discard();
        }
        Ok(ended)
    }

    /// The secrets of an app.
    pub fn app_secrets(&self) -> &AppSecrets {
        &self.app_secrets
    }

    /// Adds a secret that only reads.
    pub fn add_app_secret(&mut self, secret: VersionedSecret) {
        self.app_secrets.push(secret);
    }

    /// The secret of the app from the environment.
    pub fn app_secret(&self) -> Option<GivenSecret> {
        self.environment.app_secret.clone()
    }

    /// Describes this client, for a new session.
    pub fn client_info(&self) -> ClientInfo {
        self.environment.client_info.client_info()
    }

    /// Measures how long a function takes.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn stopwatch<T>(&self, run: impl FnOnce() -> T) -> (T, SignedDuration) {
        let start = std::time::Instant::now();
        let result = run();
        (result, SignedDuration::try_from(start.elapsed()).unwrap_or(SignedDuration::MAX))
    }

    /// Returns the prompt. An answer may take minutes, so the database is closed now and the clock is read again
    /// later.
    pub fn prompt(&mut self) -> &mut Prompt {
        self.close_database();
        self.clock.forget();
        &mut self.prompt
    }

    /// Whether `--yes` confirms every action in advance.
    pub fn is_confirmed(&self) -> bool {
        self.options.yes
    }

    /// Whether a person can be asked and did not confirm in advance.
    pub fn asks(&self) -> bool {
        !self.options.yes && self.prompt.can_ask()
    }

    /// Confirms later actions, which were part of a question that was answered with yes.
    pub fn confirm_the_rest(&mut self) {
        self.options.yes = true;
    }

    /// Confirms a destructive action, by `--yes` or at the terminal. Both cases close the database, so that later
    /// steps are the same.
    pub fn confirm(&mut self, effect: &str, question: &str) -> Result<bool, PromptError> {
        let yes = self.options.yes;
        let prompt = self.prompt();
        if yes { Ok(true) } else { prompt.confirm(effect, question) }
    }

    /// Whether standard output is `/dev/null`, so that a secret printed there would be lost.
    ///
    /// A closed standard output counts too: the standard library opens `/dev/null` in its place before `main`, with
    /// the flags of Python's `DEVNULL` and Node's `ignore`.
    pub fn output_is_lost(&self) -> bool {
        match (rustix::fs::fstat(rustix::stdio::stdout()), rustix::fs::stat("/dev/null")) {
            (Ok(output), Ok(null)) => (output.st_dev, output.st_ino) == (null.st_dev, null.st_ino),
            _ => false,
        }
    }

    /// The database that the flags and the environment name.
    pub fn database(&self) -> Result<DatabasePlace, PathError> {
        if let Some(place) = self.place.get() {
            return Ok(place.clone());
        }
        let named = |name: &str| self.find_database(name);
        let mut place = paths::database(self.options.database.as_deref(), &self.environment.places, named)?;
        let is_argument = place.chosen_by == DatabaseSource::Flag && place.named.is_none();
        place.location = self.named(place.location, is_argument)?;
        Ok(self.place.get_or_init(|| place).clone())
    }

    /// Takes an argument of the command for the database, in the place of `--db` and `AUTHCTL_DB`.
    ///
    /// # Errors
    /// [`PathError`], as for [`Self::database`].
    pub fn choose_database(&mut self, given: &Path) -> Result<DatabaseLocation, PathError> {
        self.close_database();
        self.options.database = Some(given.to_owned());
        self.place = OnceCell::new();
        Ok(self.database()?.location)
    }

    /// Whether `--db` is given.
    pub fn is_database_given(&self) -> bool {
        self.options.database.is_some()
    }

    /// The path of the database file.
    ///
    /// # Errors
    /// [`PathError::NotAFile`] when it is on a server.
    pub fn database_file(&self) -> Result<PathBuf, PathError> {
        Ok(self.database()?.location.file()?.to_owned())
    }

    /// The default database, when it exists and `AUTHCTL_DB` names another one.
    pub fn shadowed_database(&self) -> Option<PathBuf> {
        let meant = self.database().ok().filter(|place| place.chosen_by == DatabaseSource::Environment)?;
        let env = PathEnv { database: None, ..self.environment.places.clone() };
        let default = paths::database(None, &env, |name| self.find_database(name)).ok()?.location;
        let path = default.file().ok().filter(|path| path.exists())?;
        (!default.is_same(&meant.location)).then(|| path.to_owned())
    }

    /// Whether the open database belongs to a Better Auth app.
    pub fn is_guest(&self) -> bool {
        self.guest().is_some()
    }

    /// The schema of the open database, if it is an app's.
    pub fn guest(&self) -> Option<&GuestSchema> {
        self.store.as_deref().and_then(|store| store.guest())
    }

    /// Whether the database is an app's that has a table without a column. Takes Better Auth's names.
    pub fn lacks(&self, table: &str, column: &str) -> bool {
        self.guest().is_some_and(|schema| schema.unreached(table).is_none() && !schema.has(table, column))
    }

    /// Whether users have roles: an app without the admin plugin has no column for them.
    pub fn has_roles(&self) -> bool {
        self.guest().is_none_or(|schema| schema.has("user", "role"))
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
