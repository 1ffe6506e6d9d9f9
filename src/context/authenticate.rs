//! Who is signed in: the token to act with, and what `guard` admits.
//!
//! A token in the environment takes precedence over the stored one. A command that `guard` started acts as the
//! user whom `guard` admitted, or as no user: `guard` names that user in the environment, and every use of a
//! session compares. The variables only take rights away, so a program gains nothing when it sets them itself.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use super::Context;
use crate::auth::api_token::{ApiToken, Mistyped, TokenBearer, TokenRight, TokenScope};
use crate::auth::secret::{SecretError, Token};
use crate::auth::session::Session;
use crate::auth::user::{User, UserRef};
use crate::auth::{Admitted, AuthError, SignedIn, SignedOut};
use crate::input_file;
use crate::paths::DatabaseLocation;

/// Longer than any token with its line end.
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

/// What the caller acts with.
#[derive(Debug, Clone)]
pub enum Credential {
    Session(Token),
    ApiToken(ApiToken),
}

/// A caller who was checked: a person, or a program with an API token.
#[derive(Debug, Clone)]
pub enum Identity {
    SignedIn(SignedIn),
    Bearer(TokenBearer),
}

impl Identity {
    /// The user who is signed in, or the owner of the token.
    pub fn user(&self) -> &User {
        match self {
            Self::SignedIn(me) => &me.user,
            Self::Bearer(bearer) => bearer.user(),
        }
    }
}

/// Marks an error about a token from a variable: to sign in or out does not change which token is used. Displays the
/// error itself.
#[derive(Debug)]
pub struct TokenOf {
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
    /// The database has no stored session.
    #[error("not signed in: there is no session for {0:#}")]
    None(DatabaseLocation),
    /// The variable does not hold a token.
    #[error("the token in {variable} cannot be used: {problem}")]
    Unusable { variable: &'static str, problem: SecretError },
    /// The variable holds an API token that is mistyped.
    #[error("the API token in {variable} cannot be used: {problem}")]
    Mistyped { variable: &'static str, problem: Mistyped },
    /// The file that the variable names cannot be read.
    #[error("the file named by AUTHCTL_TOKEN_FILE, {}, could not be read", path.display())]
    File { path: PathBuf, source: std::io::Error },
}

/// The user whom `guard` admitted, from the variables that it sets.
#[derive(Debug, Clone, Default)]
pub(super) struct Guarded {
    /// `AUTHCTL_USER_ID`.
    pub(super) user_id: Option<String>,
    /// `AUTHCTL_USER_IMPERSONATED_BY`.
    pub(super) impersonated_by: Option<String>,
    /// `AUTHCTL_USER_DB`.
    pub(super) database: Option<PathBuf>,
    /// `AUTHCTL_USER_SESSION`, of `guard --drop-session`.
    pub(super) is_dropped: bool,
}

impl Guarded {
    fn is_absent(&self) -> bool {
        self.user_id.is_none() && self.impersonated_by.is_none() && self.database.is_none() && !self.is_dropped
    }
}

impl Context {
    /// The variable that overrides the stored session.
    pub fn overriding_variable(&self) -> Option<&'static str> {
        self.environment.overriding_variable()
    }

    /// Adds the variable of the token to an error.
    pub fn token_refused(&self, error: AuthError, source: &TokenSource) -> anyhow::Error {
        let refusal = error.to_string();
        let error = anyhow::Error::new(error);
        match (source, self.overriding_variable()) {
            (TokenSource::SessionFile(_), _) | (_, None) => error,
            (_, Some(variable)) => error.context(TokenOf { variable, refusal }),
        }
    }

    /// Warns about a token file that other users may read, if the caller owns it. Files that root mounts for a job
    /// are left alone.
    pub(super) fn open_token_file(&self) -> Option<String> {
        let path = self.environment.token_file.as_ref().filter(|_| self.token_in_file.get().is_some())?;
        let found = path.metadata().ok()?;
        let is_open = found.is_file() && found.mode() & 0o077 != 0;
        (is_open && found.uid() == rustix::process::geteuid().as_raw())
            .then(|| format!("others may read the token file {}: chmod 600 it", path.display()))
    }

    /// Finds the token of the session to act with, without opening the database.
    ///
    /// # Errors
    /// As for [`Context::credential`]; [`AuthError::NotByToken`] for an API token, which is of no session.
    pub fn token(&self) -> anyhow::Result<(Token, TokenSource)> {
        match self.credential()? {
            (Credential::Session(token), source) => Ok((token, source)),
            (Credential::ApiToken(_), _) => Err(AuthError::NotByToken.into()),
        }
    }

    /// Finds the token to act with, without opening the database.
    ///
    /// # Errors
    /// [`NoToken`] or [`crate::session_file::SessionFileError`].
    pub fn credential(&self) -> anyhow::Result<(Credential, TokenSource)> {
        if let Some(given) = self.given_credential()? {
            return Ok(given);
        }
        let file = self.session_file()?;
        match file.read()? {
            Some(stored) => Ok((Credential::Session(stored.token), TokenSource::SessionFile(file.path()))),
            None => Err(NoToken::None(self.database()?.location).into()),
        }
    }

    /// The token that a variable gives.
    fn given_credential(&self) -> Result<Option<(Credential, TokenSource)>, NoToken> {
        let read = |token: Token, variable, source| match ApiToken::parse(&token) {
            Ok(None) => Ok(Some((Credential::Session(token), source))),
            Ok(Some(token)) => Ok(Some((Credential::ApiToken(token), source))),
            Err(problem) => Err(NoToken::Mistyped { variable, problem }),
        };
        if let Some(token) = &self.environment.token {
            let variable = "AUTHCTL_TOKEN";
            let unusable = |problem| NoToken::Unusable { variable, problem };
            let token = Token::from_bytes(token.as_encoded_bytes().trim_ascii()).map_err(unusable)?;
            return read(token, variable, TokenSource::Variable);
        }
        let Some(path) = &self.environment.token_file else { return Ok(None) };
        let (variable, source) = ("AUTHCTL_TOKEN_FILE", TokenSource::VariableFile(path.clone()));
        // A pipe can be read only once.
        if let Some(token) = self.token_in_file.get() {
            return read(token.clone(), variable, source);
        }
        let bytes = input_file::open(path).and_then(|file| input_file::read(&file, TOKEN_FILE_BYTES_MAX));
        let bytes = bytes.map_err(|source| NoToken::File { path: path.clone(), source })?;
        let unusable = |problem| NoToken::Unusable { variable, problem };
        let token = Token::from_bytes(input_file::without_bom(&bytes).trim_ascii()).map_err(unusable)?;
        read(self.token_in_file.get_or_init(|| token).clone(), variable, source)
    }

    /// Whether the caller is a program with an API token, or means to be one and mistyped it.
    pub fn acts_by_api_token(&self) -> bool {
        matches!(self.given_credential(), Ok(Some((Credential::ApiToken(_), _))) | Err(NoToken::Mistyped { .. }))
    }

    /// Returns the caller: a person who is signed in, or a program whose API token has a scope.
    pub fn identity(&mut self, scope: &TokenScope) -> anyhow::Result<(Identity, TokenSource)> {
        match self.credential()? {
            (Credential::Session(token), source) => {
                let me = self.signed_in_with(&token, &source)?;
                // `whoami` answers before a second factor that the policy requires is set up.
                if *scope != TokenRight::Whoami.into() {
                    self.auth()?.require_factor_set_up(&me)?;
                }
                Ok((Identity::SignedIn(me), source))
            }
            (Credential::ApiToken(token), source) => {
                let admitted = self.admitted()?;
                let bearer = self.auth()?.authenticate_token(&token, scope, admitted.as_ref())?;
                self.signed_in = Some(bearer.user().id.clone());
                self.signed_in_email = Some(bearer.user().email.clone());
                let acting = self.acting()?;
                self.auth()?.store.act_as(acting);
                Ok((Identity::Bearer(bearer), source))
            }
        }
    }

    /// Returns the signed-in user, who has a second factor if the policy requires one, and the session.
    ///
    /// # Errors
    /// [`NoToken`], [`AuthError`].
    pub fn authenticate(&mut self) -> anyhow::Result<SignedIn> {
        let me = self.authenticate_without_factor()?;
        self.auth()?.require_factor_set_up(&me)?;
        Ok(me)
    }

    /// As [`Context::authenticate`], for what a user may do before the second factor is set up.
    pub fn authenticate_without_factor(&mut self) -> anyhow::Result<SignedIn> {
        let (token, source) = self.token()?;
        self.signed_in_with(&token, &source)
    }

    /// As [`Context::authenticate_without_factor`], with a token that was read already.
    pub fn signed_in_with(&mut self, token: &Token, source: &TokenSource) -> anyhow::Result<SignedIn> {
        let admitted = self.admitted()?;
        let me = match self.auth_about(Some(token))?.authenticate_under(token, admitted.as_ref()) {
            Err(AuthError::NotSignedIn(SignedOut::Expired | SignedOut::Ended | SignedOut::ImpersonatorGone))
                if matches!(source, TokenSource::SessionFile(_)) && self.session_file()?.keeps_aside() =>
            {
                Err(AuthError::NotSignedIn(SignedOut::ImpersonationOver).into())
            }
            Err(error) => Err(self.token_refused(error, source)),
            Ok(me) => Ok(me),
        }?;
        self.act_in(&me.session, &me.user)?;
        Ok(me)
    }

    /// Records later acts in the audit log as acts of the user in this session.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub fn act_in(&mut self, session: &Session, user: &User) -> anyhow::Result<()> {
        self.signed_in = Some(session.actor().to_owned());
        self.signed_in_email = (!session.is_impersonated()).then(|| user.email.clone());
        self.acting_as = session.is_impersonated().then(|| session.user_id.clone());
        let acting = self.acting()?;
        self.auth()?.store.act_as(acting);
        Ok(())
    }

    /// As [`Context::authenticate`]; `None` when no user is signed in.
    pub fn optional_sign_in(&mut self) -> anyhow::Result<Option<SignedIn>> {
        match self.authenticate() {
            Ok(me) => Ok(Some(me)),
            Err(error)
                if matches!(error.downcast_ref(), Some(NoToken::None(_)))
                    || matches!(error.downcast_ref(), Some(AuthError::NotSignedIn(_))) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The user whom `guard` admitted; `None` outside `guard`.
    ///
    /// # Errors [`AuthError::NotSignedIn`] in a database other than that user's, and after `guard --drop-session`.
    pub(super) fn admitted(&self) -> anyhow::Result<Option<Admitted>> {
        let Guarded { user_id, impersonated_by, database, is_dropped } = &self.environment.guarded;
        if !self.is_guarded() {
            return Ok(None);
        }
        if *is_dropped {
            return Err(AuthError::NotSignedIn(SignedOut::GuardDropped).into());
        }
        let here = self.database()?.location;
        if database.as_ref().is_some_and(|database| database.as_os_str() != here.without_password()) {
            return Err(AuthError::NotSignedIn(SignedOut::ElsewhereGuarded).into());
        }
        // An incomplete set of variables admits no user.
        let user_id = user_id.clone().ok_or(AuthError::NotSignedIn(SignedOut::Guarded))?;
        Ok(Some(Admitted { user_id, impersonated_by: impersonated_by.clone() }))
    }

    /// Whether the process runs under `guard`.
    pub fn is_guarded(&self) -> bool {
        !self.environment.guarded.is_absent()
    }

    /// Refuses a session of a user whom `guard` did not admit.
    ///
    /// # Errors
    /// [`AuthError::NotSignedIn`].
    pub fn require_admitted(&mut self, token: &Token) -> anyhow::Result<()> {
        match self.admitted()? {
            Some(admitted) if !self.is_admitted(&admitted, token)? => {
                Err(AuthError::NotSignedIn(SignedOut::Guarded).into())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether a session belongs to the admitted user. An ended session passes.
    pub(super) fn is_admitted(&mut self, admitted: &Admitted, token: &Token) -> anyhow::Result<bool> {
        let found = self.auth()?.store.session(token)?;
        Ok(found.is_none_or(|(session, _)| admitted.has(&session)))
    }

    /// Refuses to store a session of a user whom `guard` did not admit, or to replace one.
    ///
    /// # Errors [`AuthError::NotAdmitted`], and [`crate::session_file::SessionFileError`] when the stored session
    /// cannot be read.
    pub fn require_may_store(&mut self, email: &str) -> anyhow::Result<()> {
        if !self.is_guarded() {
            return Ok(());
        }
        let Ok(Some(admitted)) = self.admitted() else {
            return Err(AuthError::NotAdmitted.into());
        };
        let user = self.auth()?.store.user(&UserRef::Id(admitted.user_id.clone()))?;
        let stored = self.session_file()?.read_whole()?;
        let replaces_another = match &stored {
            Some(stored) => !self.is_admitted(&admitted, &stored.token)?,
            None => false,
        };
        if replaces_another || user.is_none_or(|user| user.email != email) {
            return Err(AuthError::NotAdmitted.into());
        }
        Ok(())
    }
}
