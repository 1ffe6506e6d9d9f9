//! Running under `guard`: the command that it started acts as the user whom it let in, or as nobody.
//!
//! `guard` names that user in the environment, and every look at a session compares. The variables
//! only take something away, so a program gains nothing when it sets them itself.

use std::path::PathBuf;

use super::Context;
use crate::auth::secret::Token;
use crate::auth::user::UserRef;
use crate::auth::{Admitted, AuthError, SignedOut};

/// What `guard` says of the user whom it let in.
#[derive(Debug, Clone, Default)]
pub(super) struct Guarded {
    /// `AUTHCTL_USER_ID`.
    pub(super) user_id: Option<String>,
    /// `AUTHCTL_USER_IMPERSONATED_BY`.
    pub(super) impersonated_by: Option<String>,
    /// `AUTHCTL_USER_DB`.
    pub(super) database: Option<PathBuf>,
}

impl Guarded {
    fn is_absent(&self) -> bool {
        self.user_id.is_none() && self.impersonated_by.is_none() && self.database.is_none()
    }
}

impl Context {
    /// The user whom `guard` let in; `None` when nothing here runs under it.
    ///
    /// # Errors
    /// [`AuthError::NotSignedIn`] in any other database than that user's.
    pub(super) fn admitted(&self) -> anyhow::Result<Option<Admitted>> {
        let Guarded { user_id, impersonated_by, database } = &self.environment.guarded;
        if !self.is_guarded() {
            return Ok(None);
        }
        let here = self.database()?.location;
        if database.as_ref().is_some_and(|database| database.as_os_str() != here.without_password()) {
            return Err(AuthError::NotSignedIn(SignedOut::ElsewhereGuarded).into());
        }
        // Half of what `guard` sets admits nobody.
        let user_id = user_id.clone().ok_or(AuthError::NotSignedIn(SignedOut::Guarded))?;
        Ok(Some(Admitted { user_id, impersonated_by: impersonated_by.clone() }))
    }

    /// Whether this runs under `guard`.
    pub fn is_guarded(&self) -> bool {
        !self.environment.guarded.is_absent()
    }

    /// Refuses a session that is there and belongs to another user than `guard` let in.
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

    /// Whether a session is that of the admitted user. One that is gone is as good.
    pub(super) fn is_admitted(&mut self, admitted: &Admitted, token: &Token) -> anyhow::Result<bool> {
        let found = self.auth()?.store.session(token)?;
        Ok(found.is_none_or(|(session, _)| admitted.has(&session)))
    }

    /// Refuses to store a session of anybody but the user whom `guard` let in, and to replace one that is
    /// stored of anybody else.
    ///
    /// # Errors
    /// [`AuthError::NotAdmitted`], and [`crate::session_file::SessionFileError`] when it is not known what is stored.
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
