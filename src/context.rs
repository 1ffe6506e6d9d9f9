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
mod pepper_file;

use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use create::not_ready;
use environment::Clock;
use jiff::{SignedDuration, Timestamp};
use key_file::KeyFile;
use pepper_file::PepperFile;

use crate::auth::Auth;
use crate::auth::app_secrets::{AppSecrets, VersionedSecret};
use crate::auth::audit::{Acting, Actor};
use crate::auth::policy::Policy;
use crate::auth::secret::{Entropy, EntropyError, Pepper, Token};
use crate::auth::storage::{ClientInfo, GuestSchema, LooseEnds, NoState, Store, StoreError, WriteBlocker};
use crate::input_file;
use crate::mail::Report;
use crate::paths::{self, DatabaseLocation, DatabasePlace, DatabaseSource, PathEnv, PathError};
use crate::prompt::{Prompt, PromptError};
use crate::session_file::{LockWait, SessionFile};
use crate::store::sqlite::{self, Conversion, ConvertOptions, Converted};
use crate::store::{GuestDatabase, OpenError, Opened, SchemaOverrides, SqlStore, State};

pub use authenticate::{Credential, Identity, NoToken, TokenOf, TokenSource};
pub use create::NotReady;
pub use environment::{ClockError, Environment, GivenSecret};
pub use libpq_files::SystemFiles;

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

    /// Opens the database, which must exist, and returns the rules for it.
    pub fn auth(&mut self) -> anyhow::Result<Auth<'_>> {
        self.auth_about(None)
    }

    /// As [`Context::auth`], for an act that begins with the look-up of a token.
    fn auth_about(&mut self, token: Option<&Token>) -> anyhow::Result<Auth<'_>> {
        self.open_for(token)?;
        if let Some(WriteBlocker { problem, remedy, .. }) = self.guest().and_then(GuestSchema::unclear_times).cloned() {
            let place = self.database()?;
            let path = place.location.to_string().into();
            let error = OpenError::Ambiguous { path, problem, remedy };
            return Err(error).with_context(|| not_opened(&place));
        }
        self.at_work()
    }

    /// As [`Context::auth`], for a command that needs no time of an app: its database may not show how it stores them.
    pub fn auth_without_times(&mut self) -> anyhow::Result<Auth<'_>> {
        self.open_for(None)?;
        self.at_work()
    }

    fn open_for(&mut self, token: Option<&Token>) -> anyhow::Result<()> {
        if self.store.is_none() {
            let mut opened = self.open(token)?;
            self.policy = opened.policy()?;
            self.store = Some(opened);
        }
        Ok(())
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

    /// As [`Context::auth_without_times`], but ignores invalid values of the policy, so that a command can fix them.
    pub fn auth_under_any_policy(&mut self) -> anyhow::Result<Auth<'_>> {
        if self.store.is_none() {
            let mut opened = self.open(None)?;
            (self.policy, _) = Policy::sound(&opened.settings()?);
            self.store = Some(opened);
        }
        self.at_work()
    }

    fn open(&mut self, token: Option<&Token>) -> anyhow::Result<Box<dyn Store>> {
        let place = self.database()?;
        // Read first, because a migration is dated too.
        let acting = self.acting()?;
        let opened = self.open_at(&place.location, token).map_err(|error| match error.downcast_ref() {
            Some(OpenError::Missing(_)) => not_ready(&place, false).unwrap_or(error),
            Some(OpenError::Empty(_)) => not_ready(&place, true).unwrap_or(error),
            _ => error,
        });
        let mut opened = opened.with_context(|| not_opened(&place))?;
        opened.act_as(acting);
        self.peppers = PepperFile::of(&self.environment.places, &place.location);
        Ok(Box::new(opened))
    }

    /// Keeps a pepper in a file beside the open database. Returns the name that hashes have for it.
    pub fn add_pepper(&mut self, pepper: &Pepper) -> anyhow::Result<String> {
        self.peppers.add(pepper, &mut self.entropy).context("could not keep the pepper beside the database")
    }

    fn at_work(&mut self) -> anyhow::Result<Auth<'_>> {
        let now = self.now()?;
        let store = self.store.as_deref_mut().context("the store is not open")?;
        Ok(Auth {
            store,
            policy: &self.policy,
            now,
            entropy: &mut self.entropy,
            peppers: &self.peppers,
            factor_keys: &self.factor_keys,
            app_secrets: &self.app_secrets,
        })
    }

    /// Opens a native database, or an app's database with authctl's state beside it.
    fn open_at(&mut self, location: &DatabaseLocation, token: Option<&Token>) -> anyhow::Result<SqlStore> {
        let (overrides, wait) = (self.schema_overrides()?, self.options.wait);
        let opened = match location {
            DatabaseLocation::File(path) => sqlite::open(path, wait, &overrides)?,
            DatabaseLocation::Url(url) => self.open_on_server(url, location, token, &overrides)?,
        };
        match opened {
            Opened::Own(store) => Ok(store),
            Opened::Guest(app) => {
                self.open_guest(app).context("could not open what authctl keeps about this app's database")
            }
        }
    }

    /// The content of the schema file (`--schema`).
    pub fn schema_overrides(&self) -> Result<SchemaOverrides, SchemaFileError> {
        self.schema_file().map_or_else(|| Ok(SchemaOverrides::default()), |file| read_schema_file(&file))
    }

    fn open_guest(&mut self, app: GuestDatabase) -> Result<SqlStore, OpenError> {
        if let Some(place) = app.unsafe_place() {
            let notice = format!("{place}, so the database may be forged; it is read and not written");
            // A command may open the database again.
            if !self.notices.contains(&notice) {
                self.notices.push(notice);
            }
        }
        app.with(|key| self.state_about(key))
    }

    /// Opens authctl's state about an app's database, which a text tells from others. Reading needs no state, so a home that
    /// is missing or cannot be written to is an error of the acts that write.
    fn state_about(&mut self, database: &OsStr) -> Result<State, OpenError> {
        let wait = self.options.wait;
        let state = match paths::guest_state(&self.environment.places, database) {
            Ok(state) => state,
            Err(no_home) => return State::without_file(NoState { path: None, problem: no_home.to_string() }, wait),
        };
        if let Err(error) = paths::make_private(state.parent().unwrap_or(Path::new("/"))) {
            if state.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied) {
                self.notices.push(format!(
                    "the directory of {} cannot be searched, so authctl's own log, policy and counts of failed \
                     attempts for this database are not known here",
                    state.display()
                ));
            }
            return State::without_file(NoState::unwritable(&state, error), wait);
        }
        State::open(&state, wait)
    }

    /// Turns a native database into one of an app. Its log is then in authctl's state about that app.
    pub fn convert_database(&mut self, options: &ConvertOptions<'_>) -> anyhow::Result<Converted> {
        let acting = self.acting()?;
        let native = sqlite::open_to_convert(options.path, options.overrides, options.wait)?;
        let state =
            self.state_about(options.path.as_os_str()).context("could not open what authctl keeps about the app")?;
        let converted = sqlite::convert(Conversion::new(native, state, acting, &mut self.loose_ends), options)?;
        sqlite::remove_log(options.path);
        Ok(converted)
    }
}

/// What failed when a database could not be opened.
fn not_opened(place: &DatabasePlace) -> String {
    match place.location.name() {
        Some(name) => format!("could not open the database @{name}"),
        None => format!("could not open the database ({})", place.chosen_by.as_str()),
    }
}

/// Larger than any useful schema file.
const SCHEMA_FILE_BYTES_MAX: usize = 64 * 1024;

/// A schema file (`--schema`) that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the schema file {} cannot be used: {problem}", path.display())]
pub struct SchemaFileError {
    path: PathBuf,
    problem: String,
}

fn read_schema_file(path: &Path) -> Result<SchemaOverrides, SchemaFileError> {
    let parsed = input_file::open(path)
        .and_then(|file| input_file::read(&file, SCHEMA_FILE_BYTES_MAX))
        .map_err(|error| error.to_string())
        .and_then(|bytes| {
            SchemaOverrides::parse(
                std::str::from_utf8(input_file::without_bom(&bytes)).map_err(|error| error.to_string())?,
            )
        });
    parsed.map_err(|problem| SchemaFileError { path: path.to_owned(), problem })
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
