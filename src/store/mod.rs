//! The memory, made of an *engine* (code that runs SQL) and a *mapping* (data that says how values
//! are written). Implements [`crate::auth::storage::Store`] and decides nothing: rules that must run
//! inside a transaction are functions of `auth` that the engine calls there.

mod better_auth;
#[cfg(test)]
mod contract;
mod engine;
mod error;
mod mapping;
mod sql;
pub mod sqlite;

pub use better_auth::SchemaOverrides;
pub use error::{CopyError, OpenError};
pub use sql::SqlStore;
