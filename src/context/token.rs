//! The token to act with: the environment's, else the stored one.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use super::Context;
use crate::auth::AuthError;
use crate::auth::secret::{SecretError, Token};
use crate::input_file;
use crate::paths::DatabaseLocation;

/// More than any token with its line end.
const TOKEN_FILE_BYTES_MAX: usize = 4096;

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

/// A token that was refused came from a variable, so that neither signing in nor signing out changes
/// which token is used. Says what the refusal says.
#[derive(Debug)]
pub struct TokenOf {
    /// Which variable.
    pub variable: &'static str,
    refusal: String,
}

impl std::fmt::Display for TokenOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.refusal)
    }
}

/// Why there is no token to act with.
#[derive(Debug, thiserror::Error)]
pub enum NoToken {
    /// Nothing is stored for the database.
    #[error("not signed in: there is no session for {0}")]
    None(DatabaseLocation),
    /// The variable holds something that is no token.
    #[error("the token in {variable} cannot be used: {problem}")]
    Unusable {
        /// Which variable.
        variable: &'static str,
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

impl Context {
    /// Which variable overrides the stored session, if one does.
    pub fn overriding_variable(&self) -> Option<&'static str> {
        self.environment.overriding_variable()
    }

    /// The error for a token that was refused, with the variable that it came from.
    pub fn token_refused(&self, error: AuthError, source: &TokenSource) -> anyhow::Error {
        let refusal = error.to_string();
        let error = anyhow::Error::new(error);
        match (source, self.overriding_variable()) {
            (TokenSource::SessionFile(_), _) | (_, None) => error,
            (_, Some(variable)) => error.context(TokenOf { variable, refusal }),
        }
    }

    /// Warns of a token file that was used, that others may read and that the caller can close. What a
    /// system mounts for a job, as its root, is as that system wants it.
    pub(super) fn open_token_file(&self) -> Option<String> {
        let path = self.environment.token_file.as_ref().filter(|_| self.token_in_file.get().is_some())?;
        let found = path.metadata().ok()?;
        let is_open = found.is_file() && found.mode() & 0o077 != 0;
        (is_open && found.uid() == rustix::process::geteuid().as_raw())
            .then(|| format!("others may read the token file {}: chmod 600 it", path.display()))
    }

    /// Finds the token to act with. Opens no database.
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
            // A pipe can be read only once.
            if let Some(token) = self.token_in_file.get() {
                return Ok((token.clone(), TokenSource::VariableFile(path.clone())));
            }
            let read = input_file::open(path).and_then(|file| input_file::read(&file, TOKEN_FILE_BYTES_MAX));
            let bytes = read.map_err(|source| NoToken::File { path: path.clone(), source })?;
            let unusable = |problem| NoToken::Unusable { variable: "AUTHCTL_TOKEN_FILE", problem };
            let token = Token::from_bytes(bytes.trim_ascii_end()).map_err(unusable)?;
            return Ok((self.token_in_file.get_or_init(|| token).clone(), TokenSource::VariableFile(path.clone())));
        }
        let file = self.session_file()?;
        match file.read()? {
            Some(stored) => Ok((stored.token, TokenSource::SessionFile(file.path()))),
            None => Err(NoToken::None(self.database()?.location).into()),
        }
    }
}
