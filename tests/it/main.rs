//! One binary for all tests that run the real program or look at the whole project.

// The clock and the environment are the tester's here.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![allow(missing_docs, unreachable_pub, reason = "the names of tests are sentences, and nobody imports a test")]

mod db;
mod exit_codes;
mod files;
mod files_damaged;
mod files_unsafe;
mod files_unwritable;
mod formats;
mod formats_hostile;
mod help;
mod machine;
mod sandbox;
mod secrets;
mod session_files;
mod session_files_planted;
mod sessions;
mod streams;
mod tour;
mod whoami;
