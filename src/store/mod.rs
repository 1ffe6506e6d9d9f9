//! The memory, made of an *engine* (code that runs SQL) and a *dialect* (data that says how values
//! are written). Implements [`crate::auth::store::Store`] and decides nothing: rules that must run
//! inside a transaction are functions of `auth` that the engine calls there.

#[cfg(test)]
mod contract;
mod dialect;
mod error;
mod hints;
pub mod sqlite;

pub use error::{CopyError, OpenError};
pub use hints::Hints;
