//! Acts of an operator on users. They need no sign-in: a person who can write the database is the
//! administrator.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::audit::AuditUsers;
use super::email::Email;
use super::password::{self, HashFormat, Verdict, strength};
use super::policy::PasswordRules;
use super::secret::{Password, StoredHash};
use super::session::Session;
use super::storage::{
    AdminGuard, Ban, EndSessions, NewPassword, NewUserRow, UserChange, UserQuery, UserSort, UserUpdated, Which,
};
use super::throttle::{AttemptKey, Decision, decide};
use super::user::{User, UserRef, check_image, check_name, checked_image};
use super::{Auth, AuthError};

impl UserRef {
    /// Reads a text with an `@` as an address, and any other as an id.
    ///
    /// # Errors
    /// [`AuthError::InvalidEmail`].
    pub fn parse(text: &str) -> Result<Self, AuthError> {
        if text.contains('@') { Ok(Self::Email(Email::parse(text)?)) } else { Ok(Self::Id(text.to_owned())) }
    }
}

impl Auth<'_> {
    /// Finds a user by address or id.
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

    /// Creates a user, without a session.
    ///
    /// # Errors
    /// [`AuthError::UserExists`] if the address is taken.
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
    /// [`AuthError::UserExists`] if the address is taken, [`AuthError::Profile`] and [`AuthError::InvalidEmail`]
    /// for an invalid value.
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

    /// Clears the counts of a user's failed sign-ins, wrong codes and mailed codes.
    ///
    /// # Errors
    /// [`AuthError::NoSuchUser`].
    pub fn unlock(&mut self, user: &User) -> Result<UserUpdated, AuthError> {
        let unlocked = self.store.unlock(&user.id, &every_key_of)?;
        let (user, changed) = unlocked.ok_or_else(|| AuthError::NoSuchUser(user.id.clone()))?;
        Ok(UserUpdated { user, ended: Vec::new(), changed })
    }

    /// Returns the number of failed sign-ins as a user, and the wait before the next one.
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

    /// Deletes a user and returns the number of deleted session rows.
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

/// Every key that counts attempts of a user.
fn every_key_of(user: &User) -> Vec<AttemptKey> {
    let mailed = Email::parse(&user.email).ok().map(|email| AttemptKey::mail(&email));
    let own = [attempts_of(user), AttemptKey::codes_of(&user.id), AttemptKey::mail_of(&user.id)];
    own.into_iter().chain(mailed).collect()
}

/// The key of a user's sign-in attempts. A user with an invalid address cannot sign in, so the key counts
/// nothing.
pub(super) fn attempts_of(user: &User) -> AttemptKey {
    match Email::parse(&user.email) {
        Ok(email) => AttemptKey::sign_in(&email),
        Err(_) => AttemptKey::unused(),
    }
}

/// A request to create a user.
#[derive(Debug)]
pub struct NewUser<'a> {
    pub email: &'a str,
    pub name: &'a str,
    pub image: Option<&'a str>,
    /// Roles, separated by commas.
    pub role: Option<&'a str>,
    /// Whether a role may differ from `admin` in case only.
    pub allow_twin: bool,
    /// Whether the address is verified.
    pub verified: bool,
    /// The password; `None` for a user without one.
    pub password: Option<&'a PasswordInput>,
    pub allow_weak: bool,
}

/// A validated request to create a user.
#[derive(Debug)]
pub struct ValidatedNewUser<'a> {
    email: Email,
    name: &'a str,
    image: Option<&'a str>,
    role: Option<String>,
    verified: bool,
    password: Option<&'a PasswordInput>,
}

impl<'a> NewUser<'a> {
    /// Checks the values before a database is opened or made.
    ///
    /// # Errors
    /// [`AuthError`] for the address, the name, the picture, the roles or the password, in this order.
    pub fn check(&self, rules: &PasswordRules) -> Result<ValidatedNewUser<'a>, AuthError> {
        let email = Email::parse(self.email)?;
        let name = check_name(self.name)?;
        let image = self.image.map(check_image).transpose()?;
        let role = self.role.map(|role| check_role(role, self.allow_twin)).transpose()?;
        if let Some(given) = self.password {
            given.check(&[name, email.as_str()], self.allow_weak, rules)?;
        }
        Ok(ValidatedNewUser { email, name, image, role, verified: self.verified, password: self.password })
    }
}

/// The longest list of roles in bytes.
const ROLE_BYTES_MAX: usize = 200;

/// The values that an existing user must have (`--if-missing`). `None` and `false` require nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected<'a> {
    pub name: Option<&'a str>,
    pub image: Option<&'a str>,
    /// Roles, separated by commas.
    pub role: Option<&'a str>,
    /// Whether a role may differ from `admin` in case only.
    pub allow_twin: bool,
    pub verified: bool,
    /// Any password.
    pub password: bool,
}

impl Auth<'_> {
    /// Requires that an existing user has the values of a user who was to be created.
    ///
    /// # Errors
    /// [`AuthError::UserDiffers`], and [`AuthError`] for invalid values.
    pub fn require_as_expected(&mut self, user: &User, expected: &Expected<'_>) -> Result<(), AuthError> {
        let mut differences = Vec::new();
        if let Some(name) = expected.name.map(check_name).transpose()?
            && name != user.name
        {
            differences.push(format!("the name is {} and not {name}", user.name));
        }
        if let Some(image) = expected.image.map(check_image).transpose()?
            && user.image.as_deref() != Some(image)
        {
            differences.push("the picture is another one".to_owned());
        }
        if let Some(role) = expected.role.map(|role| check_role(role, expected.allow_twin)).transpose()?
            && words(&role) != words(user.roles())
        {
            differences.push(format!("the role is {} and not {role}", user.roles()));
        }
        if expected.verified && !user.email_verified {
            differences.push("the address is not verified".to_owned());
        }
        if user.is_banned(self.now) {
            differences.push("the user is banned".to_owned());
        }
        if expected.password && self.store.password_hash(&user.id)?.is_none() {
            differences.push("the user has no password".to_owned());
        }
        if differences.is_empty() {
            return Ok(());
        }
        Err(AuthError::UserDiffers { email: user.email.clone(), differences: differences.join("; ") })
    }

    /// Lists roles that no user has and that authctl does not know. They are likely misspelled.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn unknown_roles(&mut self, roles: &str) -> Result<Vec<String>, AuthError> {
        let mut unknown = Vec::new();
        for role in words(roles).into_iter().filter(|role| !["admin", "user"].contains(role)) {
            let query = UserQuery {
                search: None,
                role: Some(role.to_owned()),
                banned_at: None,
                unverified: false,
                sort: UserSort::Email,
                limit: 1,
                after: None,
            };
            if self.store.users(&query)?.users.is_empty() {
                unknown.push(role.to_owned());
            }
        }
        Ok(unknown)
    }
}

fn words(roles: &str) -> BTreeSet<&str> {
    roles.split(',').map(str::trim).filter(|word| !word.is_empty()).collect()
}

/// Whether a role differs from `admin` in case only. It gives none of an administrator's rights, and looks as
/// if it did.
fn is_twin_of_admin(role: &str) -> bool {
    role != "admin" && role.eq_ignore_ascii_case("admin")
}

/// Checks roles: words of letters, digits, `_`, `-`, separated by commas.
fn check_role(role: &str, allow_twin: bool) -> Result<String, AuthError> {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if role.len() > ROLE_BYTES_MAX || !role.split(',').all(is_word) {
        return Err(AuthError::InvalidRole);
    }
    match role.split(',').find(|word| is_twin_of_admin(word)) {
        Some(twin) if !allow_twin => Err(AuthError::RoleTwin(twin.to_owned())),
        Some(_) | None => Ok(role.to_owned()),
    }
}

/// A password, in clear or hashed, that an operator sets for a user.
#[derive(Debug)]
pub enum PasswordInput {
    Clear(Password),
    Hash(StoredHash),
}

impl PasswordInput {
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
    /// [`AuthError::WeakPassword`], [`AuthError::HashNotAccepted`].
    pub fn set_password(
        &mut self,
        user: &User,
        given: &PasswordInput,
        allow_weak: bool,
        keep_sessions: bool,
    ) -> Result<Vec<Session>, AuthError> {
        given.check(&[&user.name, &user.email], allow_weak, &self.policy.password)?;
        let hash = self.hash_given(given)?;
        let ended = self.store.set_password(&NewPassword {
            user_id: &user.id,
            account_id: self.entropy.id()?,
            hash: &hash,
            end: (!keep_sessions).then_some(Which::All),
            attempts: &attempts_of(user),
            now: self.now,
        })?;
        let ended = ended.ok_or_else(|| AuthError::NoSuchUser(user.id.clone()))?;
        Ok(self.only_live(ended))
    }

    pub(super) fn hash_given(&mut self, given: &PasswordInput) -> Result<StoredHash, AuthError> {
        match given {
            PasswordInput::Hash(hash) => self.store.scheme()?.takes(hash).map(|()| hash.clone()),
            PasswordInput::Clear(password) => self.hash(password),
        }
    }

    /// Reads the stored hash back and compares the password with it, because "done" must mean that the user can
    /// sign in. The password stays set if this fails.
    ///
    /// # Errors
    /// [`AuthError::NotInForce`] if the stored hash does not match.
    pub fn require_in_force(&mut self, user_id: &str, given: &PasswordInput) -> Result<(), AuthError> {
        let stored = self.store.password_hash(user_id)?.ok_or(AuthError::NotInForce)?;
        let scheme = self.store.scheme()?;
        let right = match given {
            PasswordInput::Hash(hash) => stored.expose() == hash.expose(),
            PasswordInput::Clear(password) => {
                matches!(password::verify(password, &stored, &scheme, &self.policy.password)?, Verdict::Right { .. })
            }
        };
        if right { Ok(()) } else { Err(AuthError::NotInForce) }
    }
}
