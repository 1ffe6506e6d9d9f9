//! Why there is no hash. Nothing of the password is in it.

use crate::auth::random::EntropyError;

/// A hash could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// No random salt.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The hash function failed: no memory, or a cost that it does not know.
    #[error("the password hash could not be computed: {0}")]
    Failed(String),
    /// The function of the app does not read as much.
    #[error("the password is longer than {bytes} bytes, and the app's bcrypt reads no more")]
    TooLong {
        /// What it reads.
        bytes: usize,
    },
    /// Nobody can tell which hash the app would verify.
    #[error("it is not clear what the app that owns the database can verify: it holds {kinds}")]
    Unclear {
        /// The names of the kinds of hashes that are there.
        kinds: String,
    },
}
