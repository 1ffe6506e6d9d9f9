//! What an operator does to users. Nobody needs to be signed in for it: whoever can write the
//! database is the administrator.

use jiff::{SignedDuration, Timestamp};

use super::audit::AuditUsers;
use super::email::Email;
use super::session::Session;
use super::storage::{AdminGuard, Ban, EndSessions, NewUserRow, UserChange, UserUpdated};
use super::throttle::{AttemptKey, Decision, decide};
use super::user::{User, UserRef, check_name, checked_image};
use super::{Auth, AuthError};

mod given;
mod impersonate;
mod new_user;
mod sessions;

pub use given::PasswordInput;
pub use impersonate::{ActAs, Impersonator};
pub use new_user::{Expected, NewUser, ValidatedNewUser};
pub use sessions::Scope;

use new_user::check_role;

impl UserRef {
    /// Reads a user as somebody names one: what has an `@` is an address, anything else an id.
    ///
    /// # Errors
    /// [`AuthError::InvalidEmail`].
    pub fn parse(text: &str) -> Result<Self, AuthError> {
        if text.contains('@') { Ok(Self::Email(Email::parse(text)?)) } else { Ok(Self::Id(text.to_owned())) }
    }
}

impl Auth<'_> {
    /// Finds a user who must be there.
    ///
    /// # Errors
    /// [`AuthError::NoSuchUser`].
    pub fn find_user(&mut self, named: &str) -> Result<User, AuthError> {
        let found = self.store.user(&UserRef::parse(named)?)?;
        found.ok_or_else(|| AuthError::NoSuchUser(named.to_owned()))
    }

    /// Finds the users that entries of the audit log are about or by. An id stands for itself, whether the
    /// user still exists or not. An address stands for the user who has it now, else for every user who had
    /// it in an entry, such as one who was deleted.
    ///
    /// # Errors
    /// [`AuthError::NoSuchUser`] for an address that no user has and no entry names.
    pub fn users_in_log(&mut self, named: &str) -> Result<AuditUsers, AuthError> {
        let email = match UserRef::parse(named)? {
            UserRef::Id(id) => return Ok(AuditUsers { ids: vec![id], email: None }),
            UserRef::Email(email) => email,
        };
        let mut users = AuditUsers { ids: Vec::new(), email: Some(email.clone()) };
        match self.store.user(&UserRef::Email(email))? {
            Some(user) => users.ids.push(user.id),
            None => self.store.each_entry(0, &mut |entry| {
                users.add_ids_of(&entry);
                true
            })?,
        }
        if users.ids.is_empty() { Err(AuthError::NoSuchUser(named.to_owned())) } else { Ok(users) }
    }

    /// Makes a user, without a session.
    ///
    /// # Errors
    /// [`AuthError::UserExists`] when the address is taken.
    pub fn create_user(&mut self, new_user: &ValidatedNewUser<'_>) -> Result<User, AuthError> {
        if self.store.user(&UserRef::Email(new_user.email.clone()))?.is_some() {
            return Err(AuthError::UserExists);
        }
        let hash = new_user.password.map(|given| self.hash_given(given)).transpose()?;
        let user = NewUserRow {
            id: self.entropy.id()?,
            account_id: self.entropy.id()?,
            email: new_user.email.clone(),
            name: new_user.name.to_owned(),
            image: new_user.image.map(str::to_owned),
            email_verified: new_user.verified,
            role: new_user.role.clone(),
            now: self.now,
        };
        let (user, _) = self.store.create_user(&user, hash.as_ref(), None)?;
        Ok(user)
    }

    /// Changes name, picture or address. A new address is not verified.
    ///
    /// # Errors
    /// [`AuthError::UserExists`] when the address is taken, and whatever is wrong with the values.
    pub fn change_user(
        &mut self,
        user: &User,
        name: Option<&str>,
        image: Option<&str>,
        email: Option<&str>,
    ) -> Result<UserUpdated, AuthError> {
        let change = UserChange {
            name: name.map(check_name).transpose()?.map(str::to_owned),
            image: image.map(checked_image).transpose()?,
            email: email.map(Email::parse).transpose()?,
            ..UserChange::default()
        };
        self.apply(user, &change, AdminGuard::Off)
    }

    /// Sets the roles. Losing one ends the user's sessions unless `keep_sessions`. A role that differs from
    /// `admin` in case only is refused unless `allow_twin`.
    ///
    /// # Errors
    /// [`AuthError::InvalidRole`], [`AuthError::RoleTwin`], [`AuthError::LastAdmin`].
    pub fn set_role(
        &mut self,
        user: &User,
        role: &str,
        allow_twin: bool,
        guard: AdminGuard,
        keep_sessions: bool,
    ) -> Result<UserUpdated, AuthError> {
        let role = Some(Some(check_role(role, allow_twin)?));
        // Which roles there were to lose, the store sees in the transaction: somebody else may set them
        // at this moment.
        let end = if keep_sessions { EndSessions::Never } else { EndSessions::IfRoleIsLost };
        self.apply(user, &UserChange { role, end, ..UserChange::default() }, guard)
    }

    /// Says that the address is verified, or that it is not.
    ///
    /// # Errors
    /// [`AuthError::NoSuchUser`].
    pub fn set_verified(&mut self, user: &User, verified: bool) -> Result<UserUpdated, AuthError> {
        let change = UserChange { email_verified: Some(verified), ..UserChange::default() };
        self.apply(user, &change, AdminGuard::Off)
    }

    /// Bans a user, permanently or until an instant, and ends all sessions.
    ///
    /// # Errors
    /// [`AuthError::LastAdmin`].
    pub fn ban(
        &mut self,
        user: &User,
        until: Option<Timestamp>,
        reason: Option<String>,
        guard: AdminGuard,
    ) -> Result<UserUpdated, AuthError> {
        let ban = Some(Ban::Imposed { reason, until });
        self.apply(user, &UserChange { ban, end: EndSessions::Always, ..UserChange::default() }, guard)
    }

    /// Lifts a ban.
    ///
    /// # Errors
    /// [`AuthError::NoSuchUser`].
    pub fn unban(&mut self, user: &User) -> Result<UserUpdated, AuthError> {
        let change = UserChange { ban: Some(Ban::Lifted), ..UserChange::default() };
        self.apply(user, &change, AdminGuard::Off)
    }

    /// Forgets the failed attempts to sign in as a user, the wrong uses of the user's codes, and how often
    /// codes were mailed to the user.
    ///
    /// # Errors
    /// [`AuthError::NoSuchUser`].
    pub fn unlock(&mut self, user: &User) -> Result<UserUpdated, AuthError> {
        let unlocked = self.store.unlock(&user.id, &every_key_of)?;
        let (user, changed) = unlocked.ok_or_else(|| AuthError::NoSuchUser(user.id.clone()))?;
        Ok(UserUpdated { user, ended: Vec::new(), changed })
    }

    /// Counts the failed attempts to sign in as a user, and tells how long the next one has to wait.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn attempts(&mut self, user: &User) -> Result<(u32, Option<SignedDuration>), AuthError> {
        let Some(attempts) = self.store.attempts(&attempts_of(user))? else {
            return Ok((0, None));
        };
        let wait = match decide(Some(attempts), 0, self.now, &self.policy.throttle) {
            Decision::Wait(wait) => Some(wait),
            Decision::Proceed(_) | Decision::Undecided => None,
        };
        Ok((attempts.count, wait))
    }

    /// Deletes a user and returns how many session rows went too.
    ///
    /// # Errors
    /// [`AuthError::LastAdmin`], [`AuthError::NoSuchUser`].
    pub fn delete_user(&mut self, user: &User, guard: AdminGuard) -> Result<u64, AuthError> {
        self.store.delete_user(&user.id, guard, self.now)?
    }

    fn apply(&mut self, user: &User, change: &UserChange, guard: AdminGuard) -> Result<UserUpdated, AuthError> {
        let updated = self.store.update_user(&user.id, change, guard, self.now)??;
        Ok(UserUpdated { ended: self.only_live(updated.ended), ..updated })
    }

    pub(in crate::auth) fn only_live(&self, sessions: Vec<Session>) -> Vec<Session> {
        sessions.into_iter().filter(|session| session.is_live(self.now)).collect()
    }
}

/// Every key under which something about a user is counted.
fn every_key_of(user: &User) -> Vec<AttemptKey> {
    let mailed = Email::parse(&user.email).ok().map(|email| AttemptKey::mail(&email));
    let own = [attempts_of(user), AttemptKey::codes_of(&user.id), AttemptKey::mail_of(&user.id)];
    own.into_iter().chain(mailed).collect()
}

/// The key of a user's attempts. An address that breaks our syntax cannot sign in, and has none of
/// its own.
pub(super) fn attempts_of(user: &User) -> AttemptKey {
    match Email::parse(&user.email) {
        Ok(email) => AttemptKey::sign_in(&email),
        Err(_) => AttemptKey::of_nobody(),
    }
}
