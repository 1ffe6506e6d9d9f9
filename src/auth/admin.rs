//! Acts of an operator on users. They need no sign-in: a person who can write the database is the
//! administrator.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::account::{check_role, words};
use super::audit::AuditUsers;
use super::email::{Email, is_of_machine, pasted};
use super::password::{self, HashFormat, Verdict, strength};
use super::policy::PasswordRules;
use super::secret::{Password, StoredHash};
use super::session::Session;
use super::storage::{
    AdminGuard, Ban, Deletion, DeletionRequest, EndSessions, NewOwner, NewPassword, NewSessionRow, UserChange,
    UserUpdated, Which,
};
use super::throttle::{AttemptKey, Decision, decide};
use super::user::{User, UserRef, check_name, checked_image};
use super::{Auth, AuthError, SessionRequest, SignedIn};

/// Whether an operator means an address and not an id.
fn is_address(named: &str) -> bool {
    named.contains('@')
}

impl Auth<'_> {
    /// Finds a user by address, by id, or by the first characters of an id. An address is found as the database has it, which may be one that no sign-in
    /// accepts; else in any spelling: in another case, with blanks around it, or as it was pasted.
    ///
    /// # Errors
    /// [`AuthError::NoSuchUser`], [`AuthError::InvalidEmail`] for an address that no user can have, and
    /// [`AuthError::AmbiguousUser`] if several users have it in another spelling; [`AuthError::AmbiguousId`].
    pub fn find_user(&mut self, named: &str) -> Result<User, AuthError> {
        let found = if is_address(named) {
            let address = pasted(named);
            match self.user_with_address(named)? {
                None if address != named => self.user_with_address(address)?,
                found => found,
            }
        } else {
            self.user_with_id(named)?
        };
        match found {
            Some(user) => Ok(user),
            None if is_address(named) => Email::typed(named)
                .map_or_else(|invalid| Err(invalid.into()), |_| Err(AuthError::NoSuchUser(named.to_owned()))),
            None => Err(AuthError::NoSuchUser(named.to_owned())),
        }
    }

    /// Finds a user for an act, as [`Self::find_user`] does.
    ///
    /// # Errors
    /// Those of [`Self::find_user`], and [`StoreError::NoId`]: what an act wrote would belong to no user.
    ///
    /// [`StoreError::NoId`]: super::storage::StoreError::NoId
    pub fn user_to_change(&mut self, named: &str) -> Result<User, AuthError> {
        let user = self.find_user(named)?;
        if user.has_id() {
            Ok(user)
        } else {
            Err(self.store.without_id("user", &format!("the user {}", user.email)).into())
        }
    }

    /// The user who has an address already, so that a new user must not get it: the one whom a sign-in finds, else
    /// one whose address differs in spelling.
    ///
    /// # Errors
    /// [`AuthError::AmbiguousUser`].
    pub fn holder_of(&mut self, email: &Email) -> Result<Option<User>, AuthError> {
        self.user_with_address(email.as_str())
    }

    /// Whether a user other than this one has an address. In a database that authctl made every address is in one
    /// spelling; an app may write others.
    pub(super) fn is_taken(&mut self, email: &Email, by_other_than: Option<&str>) -> Result<bool, AuthError> {
        let found = match self.store.guest() {
            Some(_) => self.store.users_with_address(email.as_str())?,
            None => self.store.user(&UserRef::Email(email.clone()))?.into_iter().collect(),
        };
        Ok(found.iter().any(|user| Some(user.id.as_str()) != by_other_than))
    }

    fn user_with_address(&mut self, address: &str) -> Result<Option<User>, AuthError> {
        let mut found = self.store.users_with_address(address)?;
        if found.len() > 1 {
            let ids = found.into_iter().map(|user| user.id).collect::<Vec<_>>().join(", ");
            return Err(AuthError::AmbiguousUser { address: address.to_owned(), ids });
        }
        Ok(found.pop())
    }

    /// Finds the users that entries of the audit log are about or by. An id, or its first characters, stands for itself,
    /// whether the user still exists or not. An address stands for the user who has it now, in any spelling if no user
    /// has it as given, else for every user who had it in an entry, such as one who was deleted.
    ///
    /// # Errors
    /// [`AuthError::NoSuchUser`] for an address that no user has and no entry names; [`AuthError::AmbiguousId`].
    pub fn users_in_log(&mut self, named: &str) -> Result<AuditUsers, AuthError> {
        if !is_address(named) {
            return Ok(AuditUsers { ids: vec![self.logged_user_id(named)?], email: None });
        }
        let mut found = self.store.users_with_address(named)?;
        if found.is_empty() {
            found = self.store.users_with_address(pasted(named))?;
        }
        let email = Email::typed(named);
        let mut users =
            AuditUsers { ids: found.into_iter().map(|user| user.id).collect(), email: email.as_ref().ok().cloned() };
        if users.ids.is_empty() {
            email?;
            let named = users.clone();
            self.store.each_entry_of(&named, 0, &mut |entry| {
                users.add_ids_of(&entry);
                true
            })?;
        }
        if users.ids.is_empty() { Err(AuthError::NoSuchUser(named.to_owned())) } else { Ok(users) }
    }

    /// Changes name, picture or address. A new address is not verified.
    ///
    /// # Errors
    /// [`AuthError::UserExists`] if the address is taken, [`AuthError::Profile`] and [`AuthError::InvalidEmail`]
    /// for an invalid value, [`AuthError::MachineUser`] if a person would be a machine, or the other way round.
    pub fn change_user(
        &mut self,
        user: &User,
        name: Option<&str>,
        image: Option<&str>,
        email: Option<&str>,
    ) -> Result<UserUpdated, AuthError> {
        let email = email.map(Email::typed).transpose()?;
        // The address says what a user is.
        if email.as_ref().is_some_and(|email| is_of_machine(email.as_str()) != user.is_machine()) {
            return Err(AuthError::MachineUser);
        }
        if let Some(email) = &email
            && self.is_taken(email, Some(&user.id))?
        {
            return Err(AuthError::UserExists);
        }
        let change = UserChange {
            name: name.map(check_name).transpose()?.map(str::to_owned),
            image: image.map(checked_image).transpose()?,
            email,
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
        // The store compares the roles in its transaction, because another process may change them now.
        let end = if keep_sessions { EndSessions::Never } else { EndSessions::IfRoleIsLost };
        self.apply(user, &UserChange { role, end, ..UserChange::default() }, guard)
    }

    /// Marks the address as verified or not.
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

    /// Clears the counts of a user's failed sign-ins, wrong codes and mailed codes, and the lock that an app puts on the
    /// second factor.
    ///
    /// # Errors
    /// [`AuthError::NoSuchUser`].
    pub fn unlock(&mut self, user: &User) -> Result<UserUpdated, AuthError> {
        let unlocked = self.store.unlock(&user.id, &AttemptKey::all_of)?;
        let (user, changed) = unlocked.ok_or_else(|| AuthError::NoSuchUser(user.id.clone()))?;
        let changed = self.store.unlock_second_factor(&user.id)? || changed;
        Ok(UserUpdated { user, ended: Vec::new(), ends_in: Vec::new(), changed })
    }

    /// Returns the number of failed sign-ins as a user, and the wait before the next one.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn attempts(&mut self, user: &User) -> Result<(u32, Option<SignedDuration>), AuthError> {
        let Some(attempts) = self.store.attempts(&AttemptKey::of_user(user))? else {
            return Ok((0, None));
        };
        let wait = match decide(Some(attempts), 0, self.now, &self.policy.throttle) {
            Decision::Wait(wait) => Some(wait),
            Decision::Proceed(_) | Decision::Undecided => None,
        };
        Ok((attempts.count, wait))
    }

    /// Deletes a user, or with `rehearses` says what that would do.
    ///
    /// # Errors
    /// [`AuthError::LastAdmin`], [`AuthError::NoSuchUser`], [`AuthError::SharedWithOthers`],
    /// [`super::storage::StoreError::Held`].
    pub fn delete_user(
        &mut self,
        user: &User,
        options: &DeletionOptions,
        rehearses: bool,
    ) -> Result<Deletion, AuthError> {
        let random = self.entropy.id()?;
        let request = DeletionRequest {
            id: &user.id,
            guard: options.guard,
            force_shared: options.force_shared,
            new_owner: options.new_owner.as_ref().map(|owner| NewOwner { user_id: &owner.id, random: &random }),
            now: self.now,
        };
        if rehearses { self.store.rehearse_deletion(&request)? } else { self.store.delete_user(&request)? }
    }

    /// The roles of the users, in the order of their names, each with the number of users who have it. Those of Better
    /// Auth's admin plugin are always there.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn roles(&mut self) -> Result<BTreeMap<String, u64>, AuthError> {
        let mut roles = BTreeMap::from(["admin", "user"].map(|role| (role.to_owned(), 0)));
        for (text, users) in self.store.role_texts()? {
            for role in words(&text) {
                *roles.entry(role.to_owned()).or_default() += users;
            }
        }
        Ok(roles)
    }

    fn apply(&mut self, user: &User, change: &UserChange, guard: AdminGuard) -> Result<UserUpdated, AuthError> {
        let updated = self.store.update_user(&user.id, change, guard, self.now)??;
        Ok(UserUpdated { ended: self.only_live(updated.ended), ..updated })
    }
}

/// How an operator deletes a user.
#[derive(Debug)]
pub struct DeletionOptions {
    pub guard: AdminGuard,
    /// Whether to delete what other users need too.
    pub force_shared: bool,
    /// The user who gets what others need.
    pub new_owner: Option<User>,
}

/// A password, in clear or hashed, that an operator sets for a user.
#[derive(Debug)]
pub enum PasswordInput {
    Clear(Password),
    Hash(StoredHash),
}

impl PasswordInput {
    /// A hash in its canonical text, which does not show the system that made it: `$2y$` of PHP is `$2b$`.
    pub fn of_hash(hash: StoredHash) -> Self {
        Self::Hash(password::canonical(hash))
    }

    /// Checks the length and strength of a password, only the length with `allow_weak`; or the format of a hash.
    ///
    /// # Errors
    /// [`AuthError::WeakPassword`], [`AuthError::HashNotAccepted`].
    pub fn check(&self, own_words: &[&str], allow_weak: bool, rules: &PasswordRules) -> Result<(), AuthError> {
        match self {
            Self::Hash(hash) if HashFormat::of(hash).is_accepted() => {}
            Self::Hash(hash) => return Err(AuthError::HashNotAccepted(HashFormat::of(hash))),
            Self::Clear(password) if allow_weak => strength::check_form(password, rules)?,
            Self::Clear(password) => strength::check(password, own_words, rules)?,
        }
        Ok(())
    }
}

impl Auth<'_> {
    /// Sets a user's password. All sessions end unless `keep_sessions`; returns those that were live.
    /// [`Auth::require_in_force`] checks the written hash.
    ///
    /// # Errors
    /// [`AuthError::WeakPassword`], [`AuthError::HashNotAccepted`], [`AuthError::MachineUser`].
    pub fn set_password(
        &mut self,
        user: &User,
        input: &PasswordInput,
        allow_weak: bool,
        keep_sessions: bool,
    ) -> Result<Vec<Session>, AuthError> {
        user.require_person()?;
        input.check(&[&user.name, &user.email], allow_weak, &self.policy.password)?;
        let hash = self.hash_input(input)?;
        let ended = self.store.set_password(&NewPassword {
            user_id: &user.id,
            account_id: self.entropy.id()?,
            hash: &hash,
            end: (!keep_sessions).then_some(Which::All),
            attempts: &AttemptKey::of_user(user),
            now: self.now,
        })?;
        let ended = ended.ok_or_else(|| AuthError::NoSuchUser(user.id.clone()))?;
        Ok(self.only_live(ended))
    }

    pub(super) fn hash_input(&mut self, input: &PasswordInput) -> Result<StoredHash, AuthError> {
        match input {
            PasswordInput::Hash(hash) => self.store.scheme()?.takes(hash).map(|()| hash.clone()),
            PasswordInput::Clear(password) => self.hash(password),
        }
    }

    /// Reads the stored hash back and compares the password with it, because "done" must mean that the user can
    /// sign in. The password stays set if this fails.
    ///
    /// # Errors
    /// [`AuthError::NotInForce`] if the stored hash does not match.
    pub fn require_in_force(&mut self, user_id: &str, input: &PasswordInput) -> Result<(), AuthError> {
        let stored = self.store.password_hash(user_id)?.ok_or(AuthError::NotInForce)?;
        let scheme = self.store.scheme()?;
        let right = match input {
            PasswordInput::Hash(hash) => stored.expose() == hash.expose(),
            PasswordInput::Clear(password) => {
                let verdict = password::verify(password, &stored, &scheme, &self.policy.password, self.peppers)?;
                matches!(verdict, Verdict::Right { .. })
            }
        };
        if right { Ok(()) } else { Err(AuthError::NotInForce) }
    }
}

/// The users whom an operator may act as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActAs {
    /// Every user but administrators, because acting as one gives all of an administrator's rights.
    NonAdmins,
    /// Every user (`--force`).
    AnyUser,
}

/// The operator of an impersonated session.
#[derive(Debug, Clone)]
pub enum Impersonator {
    /// An administrator who is signed in. The session ends with the role.
    Administrator(Box<SignedIn>),
    /// A user of the operating system, by the name of [`super::audit::Actor::os_name`], who needs no sign-in.
    System(String),
}

impl ActAs {
    /// Refuses a machine, a banned user, and an administrator as `self` asks. The store calls this in the transaction that
    /// creates the session.
    ///
    /// # Errors
    /// [`AuthError::Banned`], [`AuthError::ActingAsAdmin`], [`AuthError::MachineUser`].
    pub fn check(self, user: &User, now: Timestamp) -> Result<(), AuthError> {
        user.require_person()?;
        user.require_not_banned(now)?;
        match self {
            Self::NonAdmins if user.has_role("admin") => Err(AuthError::ActingAsAdmin),
            Self::NonAdmins | Self::AnyUser => Ok(()),
        }
    }
}

impl Auth<'_> {
    /// Creates a session in which an operator acts as the user. Password, address and second factor are not
    /// checked.
    ///
    /// # Errors
    /// As for [`ActAs::check`], and [`AuthError::NoSuchUser`]. For an administrator, as for
    /// [`super::Caller::check`], and [`AuthError::NotSignedIn`] without the role.
    pub fn impersonate(
        &mut self,
        user: &User,
        by: &Impersonator,
        session_request: &SessionRequest,
        whom: ActAs,
    ) -> Result<(User, Session), AuthError> {
        let impersonated_by = Some(match by {
            Impersonator::Administrator(me) => me.user.id.clone(),
            Impersonator::System(name) => name.clone(),
        });
        let session = NewSessionRow { impersonated_by, ..self.new_session(session_request, &user.id)? };
        match by {
            Impersonator::Administrator(me) => self.act_for(me, |auth| auth.store.issue_session(&session, whom)?),
            Impersonator::System(_) => self.store.issue_session(&session, whom)?,
        }
    }

    /// Creates an ordinary session of the user without a sign-in. Only the audit log shows how it was created.
    ///
    /// # Errors
    /// As for [`ActAs::check`], and [`AuthError::NoSuchUser`].
    pub fn issue_session(
        &mut self,
        user: &User,
        session_request: &SessionRequest,
        whom: ActAs,
    ) -> Result<(User, Session), AuthError> {
        let session = self.new_session(session_request, &user.id)?;
        self.store.issue_session(&session, whom)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::{at, user};

    #[test]
    fn act_as_refuses_banned_users_and_without_force_admins() {
        let ordinary = user();
        let admin = User { role: Some("editor, admin".into()), ..user() };
        let machine = User { email: "ci@machine.invalid".into(), ..user() };
        assert!(matches!(ActAs::AnyUser.check(&machine, at(0)), Err(AuthError::MachineUser)));
        let banned = User { banned: true, ban_expires: Some(at(60)), ..admin.clone() };
        for whom in [ActAs::NonAdmins, ActAs::AnyUser] {
            assert!(whom.check(&ordinary, at(0)).is_ok());
            assert!(matches!(whom.check(&banned, at(59)), Err(AuthError::Banned { .. })));
        }
        for admin in [(&admin, at(0)), (&banned, at(60))] {
            assert!(matches!(ActAs::NonAdmins.check(admin.0, admin.1), Err(AuthError::ActingAsAdmin)));
            assert!(ActAs::AnyUser.check(admin.0, admin.1).is_ok());
        }
    }
}
