//! The outside as values: the moment, randomness, the environment, prompts and places, and the store,
//! opened when a command first asks for it.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;

use crate::auth::policy::Policy;
use crate::auth::secret::{SecretError, Token};
use crate::auth::store::Store;
use crate::auth::token::{Entropy, EntropyError};
use crate::auth::{Auth, SignedIn};
use crate::paths::{self, ChosenBy, DatabasePlace, PathError, PlaceHints};
use crate::prompt::Prompt;
use crate::session_file::SessionFile;
use crate::store::{OpenError, sqlite};

pub mod origin;

/// What the user asked of every command alike.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// `--db`.
    pub database: Option<PathBuf>,
    /// `--wait`.
    pub wait: Duration,
    /// `--no-input`.
    pub no_input: bool,
    /// `--yes`.
    pub yes: bool,
}

/// The variables of the environment that mean something to authctl.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    places: PlaceHints,
    token: Option<OsString>,
    token_file: Option<PathBuf>,
    ci: bool,
    no_color: bool,
    /// What names the run of a CI job.
    origin: origin::OriginHints,
}

impl Environment {
    /// Reads the environment: the one place that does.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub fn read() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let path = |name: &str| set(name).map(PathBuf::from);
        let text = |name: &str| set(name).and_then(|value| value.into_string().ok());
        Self {
            places: PlaceHints {
                home: path("HOME"),
                data_home: path("XDG_DATA_HOME"),
                config_home: path("XDG_CONFIG_HOME"),
                database: path("AUTHCTL_DB"),
            },
            token: set("AUTHCTL_TOKEN"),
            token_file: path("AUTHCTL_TOKEN_FILE"),
            ci: set("CI").is_some_and(|value| value != "false" && value != "0"),
            no_color: set("NO_COLOR").is_some(),
            origin: origin::OriginHints::from(text),
        }
    }

    /// Whether colours are unwanted.
    pub fn no_color(&self) -> bool {
        self.no_color
    }
}

/// Where the token in use came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// `AUTHCTL_TOKEN`.
    Variable,
    /// The file that `AUTHCTL_TOKEN_FILE` names.
    VariableFile(PathBuf),
    /// The session file of the database.
    SessionFile(PathBuf),
}

/// Why there is no token to act with.
#[derive(Debug, thiserror::Error)]
pub enum NoToken {
    /// Nothing is stored for the database.
    #[error("not signed in: there is no session for {}", .0.display())]
    None(PathBuf),
    /// The variable holds something that is no token.
    #[error("the token in {variable} cannot be used: {problem}")]
    Unusable {
        /// Which variable.
        variable: &'static str,
        /// Why.
        problem: SecretError,
    },
    /// The file that the variable names cannot be read.
    #[error("the file named by AUTHCTL_TOKEN_FILE, {}, could not be read", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// Everything a command needs of the outside.
#[derive(Debug)]
pub struct Context {
    /// The moment the process asks about.
    pub now: Timestamp,
    /// Random bytes.
    pub entropy: Entropy,
    /// Asks people.
    pub prompt: Prompt,
    /// The rules' numbers.
    pub policy: Policy,
    /// What happened on the way that the user should know, for standard error.
    pub notices: Vec<String>,
    wishes: Wishes,
    environment: Environment,
    store: Option<Box<dyn Store>>,
}

impl Context {
    /// Takes the clock and the operating system's randomness. Opens nothing.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock and draws randomness")]
    pub fn new(wishes: Wishes, environment: Environment) -> Self {
        let entropy = Entropy::new(|bytes| getrandom::fill(bytes).map_err(|error| EntropyError(error.to_string())));
        Self {
            now: Timestamp::now(),
            entropy,
            prompt: Prompt::new(wishes.no_input, environment.ci),
            policy: Policy::default(),
            notices: Vec::new(),
            wishes,
            environment,
            store: None,
        }
    }

    /// The database that is meant.
    pub fn database(&self) -> Result<DatabasePlace, PathError> {
        paths::database(self.wishes.database.as_deref(), &self.environment.places)
    }

    /// How long to wait for other processes.
    pub fn wait(&self) -> Duration {
        self.wishes.wait
    }

    /// The rules at work on the database that is meant, which must exist.
    pub fn auth(&mut self) -> anyhow::Result<Auth<'_>> {
        if self.store.is_none() {
            let place = self.database()?;
            let opened = sqlite::open(&place.path, self.wishes.wait);
            self.store = Some(Box::new(
                opened.with_context(|| format!("could not open the database ({})", place.chosen_by.as_str()))?,
            ));
        }
        self.rules()
    }

    /// As [`Context::auth`], but makes a database that is missing, and says so.
    pub fn auth_or_create(&mut self) -> anyhow::Result<Auth<'_>> {
        let place = self.database()?;
        if !place.path.exists() && self.create_database(&place)? {
            self.notices.push(format!("created the database {}", place.path.display()));
        }
        self.auth()
    }

    /// Makes the database; `false` when another process was faster.
    pub fn create_database(&mut self, place: &DatabasePlace) -> anyhow::Result<bool> {
        if place.chosen_by == ChosenBy::Default
            && let Some(directory) = place.path.parent()
        {
            use std::os::unix::fs::DirBuilderExt as _;
            let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
            made.map_err(|source| OpenError::CannotCreate { path: directory.to_owned(), source })
                .context("could not make the database")?;
        }
        match sqlite::create(&place.path, self.wishes.wait) {
            Ok(()) => Ok(true),
            Err(OpenError::Exists(_)) => Ok(false),
            Err(error) => Err(anyhow::Error::new(error).context("could not make the database")),
        }
    }

    fn rules(&mut self) -> anyhow::Result<Auth<'_>> {
        let store = self.store.as_deref_mut().context("the store is not open")?;
        Ok(Auth { store, policy: &self.policy, now: self.now, entropy: &mut self.entropy })
    }

    /// The place of the session for the database that is meant.
    pub fn session_file(&self) -> anyhow::Result<SessionFile> {
        let database = self.database()?.path;
        let directory = paths::config_directory(&self.environment.places)?;
        Ok(SessionFile::new(&directory, &paths::session_key(&database), &database))
    }

    /// Which variable overrides the stored session, if one does.
    pub fn overriding_variable(&self) -> Option<&'static str> {
        match (&self.environment.token, &self.environment.token_file) {
            (Some(_), _) => Some("AUTHCTL_TOKEN"),
            (None, Some(_)) => Some("AUTHCTL_TOKEN_FILE"),
            (None, None) => None,
        }
    }

    /// The token to act with: the environment's, else the stored one. Opens no database.
    ///
    /// # Errors
    /// [`NoToken`] or [`crate::session_file::SessionFileError`].
    pub fn token(&self) -> anyhow::Result<(Token, TokenSource)> {
        if let Some(token) = &self.environment.token {
            let unusable = |problem| NoToken::Unusable { variable: "AUTHCTL_TOKEN", problem };
            let token = Token::from_bytes(token.as_encoded_bytes()).map_err(unusable)?;
            return Ok((token, TokenSource::Variable));
        }
        if let Some(path) = &self.environment.token_file {
            let bytes = std::fs::read(path).map_err(|source| NoToken::File { path: path.clone(), source })?;
            let bytes = zeroize::Zeroizing::new(bytes);
            let unusable = |problem| NoToken::Unusable { variable: "AUTHCTL_TOKEN_FILE", problem };
            let token = Token::from_bytes(bytes.trim_ascii_end()).map_err(unusable)?;
            return Ok((token, TokenSource::VariableFile(path.clone())));
        }
        let file = self.session_file()?;
        match file.read()? {
            Some(stored) => Ok((stored.token, TokenSource::SessionFile(file.path()))),
            None => Err(NoToken::None(self.database()?.path).into()),
        }
    }

    /// Finds out who is signed in.
    pub fn signed_in(&mut self) -> anyhow::Result<SignedIn> {
        let (token, _) = self.token()?;
        Ok(self.auth()?.signed_in(&token)?)
    }

    /// Ends the sessions of sign-ins whose process died half-way. The database must be open.
    pub fn end_abandoned_sessions(&mut self) -> anyhow::Result<()> {
        for abandoned in self.session_file()?.abandoned() {
            if let Some(token) = &abandoned.token {
                self.auth()?.store.end_session(token)?;
            }
            abandoned.discard();
        }
        Ok(())
    }

    /// Where a session made now comes from.
    pub fn origin(&self) -> crate::auth::store::Origin {
        self.environment.origin.origin()
    }

    /// Gets a yes to what cannot be undone: from `--yes`, else from the person at the terminal.
    pub fn confirm(&mut self, question: &str) -> Result<bool, crate::prompt::PromptError> {
        if self.wishes.yes { Ok(true) } else { self.prompt.confirm(question) }
    }

    /// Whether standard output throws everything away, so that a printed secret would be lost.
    pub fn output_is_lost(&self) -> bool {
        let null = rustix::fs::stat("/dev/null");
        match (rustix::fs::fstat(rustix::stdio::stdout()), null) {
            (Ok(output), Ok(null)) => output.st_rdev == null.st_rdev && output.st_mode == null.st_mode,
            _ => std::io::stdout().flush().is_err(),
        }
    }
}
