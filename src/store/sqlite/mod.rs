//! The SQLite engine: opens, checks, locks, migrates, backs up and restores database files.

mod backup;
pub(in crate::store) mod connect;
mod descriptors;
pub(in crate::store) mod engine;
pub(in crate::store) mod error;
mod integrity;
mod lock;
mod migrate;
pub(in crate::store) mod open;
mod permissions;
mod preflight;
mod restore;
mod staging;

pub use crate::store::better_auth::{Adapter, App, create_for_app};
pub use backup::contents;
pub use engine::Sqlite;
pub use migrate::{LATEST, MIGRATIONS, migrate};
pub use open::{Opened, create, open, open_own};
pub use permissions::{InsecurePath, insecure, is_open_to_all, tighten, unreliable_file_system};
pub use preflight::require_own;
pub use restore::{Additions, Examined, RestoreOptions, Restored, examine, restore};
