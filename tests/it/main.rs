//! One binary for all tests that run the real program or look at the whole project.

// The clock and the environment are the tester's here.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![allow(missing_docs, unreachable_pub, reason = "the names of tests are sentences, and nobody imports a test")]

mod concurrency;
mod crash;
mod kill;
mod prompt_signals;
mod prompts_pty;
mod pty;
mod sandbox;
mod whoami;
