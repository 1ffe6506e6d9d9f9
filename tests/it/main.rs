//! One binary for all tests that run the real program or look at the whole project.

// The clock and the environment are the tester's here.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![allow(missing_docs, unreachable_pub, reason = "the names of tests are sentences, and nobody imports a test")]

mod account;
mod architecture;
mod audit;
mod audit_broken;
mod audit_follow;
mod audit_many;
mod audit_read;
mod audit_refused;
mod audit_secrets;
mod concurrency;
mod crash;
mod db;
mod exit_codes;
mod files;
mod files_damaged;
mod files_unsafe;
mod files_unwritable;
mod formats;
mod formats_hostile;
mod generated;
mod guard;
mod guard_pty;
mod hash;
mod help;
mod kill;
mod machine;
mod mail;
mod password;
mod policy;
mod policy_refused;
mod prompt_signals;
mod prompts_pty;
mod pty;
mod query_plans;
mod readme;
mod rules;
mod sandbox;
mod secrets;
mod session_files;
mod session_files_planted;
mod sessions;
mod sessions_operator;
mod sessions_operator_chosen;
mod signin;
mod signin_refused;
mod signin_throttle;
mod signin_token;
mod signout;
mod signup;
mod signup_refused;
mod streams;
mod tour;
mod users_ban;
mod users_change;
mod users_create;
mod users_create_refused;
mod users_delete;
mod users_list;
mod users_password;
mod users_show;
mod whoami;
mod whoami_moves;
