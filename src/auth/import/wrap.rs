//! The weak hashes of a batch, hashed again.

use std::num::NonZeroUsize;

use super::examine::{Examined, TakenPassword};
use super::row::RowFault;
use crate::auth::password::{HashError, ImportedHash};
use crate::auth::policy::Argon2Cost;
use crate::auth::secret::Entropy;

/// Hashes the weak hashes of rows again, up to `jobs` at a time.
///
/// # Errors
/// [`HashError`] without random bytes or memory.
pub(super) fn wrap_all(
    rows: &mut [Result<Examined, RowFault>],
    cost: Argon2Cost,
    entropy: &mut Entropy,
    jobs: NonZeroUsize,
) -> Result<(), HashError> {
    let (hashes, users): (Vec<&ImportedHash>, Vec<_>) = rows
        .iter_mut()
        .filter_map(|row| match row {
            Ok(Examined { user, password: TakenPassword::Wrapped(hash), .. }) => Some((&*hash, user)),
            _ => None,
        })
        .unzip();
    let wrapped = ImportedHash::wrap_all(&hashes, cost, entropy, jobs)?;
    for (user, hash) in users.into_iter().zip(wrapped) {
        user.hash = Some(hash);
    }
    Ok(())
}
