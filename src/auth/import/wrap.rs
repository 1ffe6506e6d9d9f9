//! The weak hashes of a batch, hashed again.

use std::num::NonZeroUsize;

use super::examine::{Examined, TakenPassword};
use super::row::RowFault;
use crate::auth::password::{HashError, ImportedHash};
use crate::auth::policy::Argon2Cost;
use crate::auth::secret::Entropy;

/// The memory of all hashes at a time in KiB. An import takes less than 100 MiB with it.
const MEMORY_KIB_MAX: u32 = 60 << 10;

/// Hashes the weak hashes of rows again, up to `jobs` at a time, and no more than fit in the memory for them.
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
    let wrapped = ImportedHash::wrap_all(&hashes, cost, entropy, jobs.min(jobs_within(cost)))?;
    for (user, hash) in users.into_iter().zip(wrapped) {
        user.hash = Some(hash);
    }
    Ok(())
}

/// How many hashes fit in the memory for them, at least one.
fn jobs_within(cost: Argon2Cost) -> NonZeroUsize {
    let jobs = usize::try_from(MEMORY_KIB_MAX / cost.memory_kib.max(1)).ok();
    jobs.and_then(NonZeroUsize::new).unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_at_a_time_fit_in_their_memory() {
        let jobs = [7_168, 19_456, 30_720, 30_721, 61_440, 262_144]
            .map(|memory_kib| jobs_within(Argon2Cost { memory_kib, passes: 2, lanes: 1 }).get());
        assert_eq!(jobs, [8, 3, 2, 1, 1, 1]);
    }
}
