//! Codes for users whose password an import has left out.

use jiff::{SignedDuration, Timestamp};

use super::Import;
use super::examine::{Examined, TakenPassword};
use crate::auth::email::is_same_address;
use crate::auth::secret::Code;
use crate::auth::storage::StoreError;
use crate::auth::user::{User, UserRef};
use crate::auth::{Auth, AuthError};

impl Auth<'_> {
    /// Makes a code for each imported user whose password was left out. `given` gets each code. A user who is banned, or who has
    /// a password by now, gets none.
    ///
    /// # Errors
    /// [`AuthError`], and those of `given`.
    pub fn reset_codes_of_import<E: From<AuthError>>(
        &mut self,
        import: &mut Import<'_>,
        ttl: SignedDuration,
        mut given: impl FnMut(&User, &Code, Timestamp) -> Result<(), E>,
    ) -> Result<(), E> {
        let rules = import.rules;
        import.each_chunk(|_, rows| {
            let examined = rows.iter_mut().filter_map(|row| rules.examine(row).ok());
            for examined in examined.filter(|one| matches!(one.password, TakenPassword::Dropped(_))) {
                if let Some(user) = self.without_password(&examined).map_err(AuthError::from)? {
                    let (code, expires_at) = self.reset_code(&user, ttl)?;
                    given(&user, &code, expires_at)?;
                }
            }
            Ok(())
        })
    }

    /// The stored user of a row, if the user needs a password.
    fn without_password(&mut self, examined: &Examined) -> Result<Option<User>, StoreError> {
        let of_row = &examined.user;
        let user = if of_row.keeps_id {
            UserRef::Id(of_row.user.id.clone())
        } else {
            UserRef::Email(of_row.user.email.clone())
        };
        let Some(user) = self.store.user(&user)? else { return Ok(None) };
        let is_same = is_same_address(&user.email, of_row.user.email.as_str());
        let needs_one = is_same && !user.is_banned(self.now) && self.store.password_hash(&user.id)?.is_none();
        Ok(needs_one.then_some(user))
    }
}
