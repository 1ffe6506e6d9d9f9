//! One binary for all tests that run the real program or check the project as a whole.

// Tests read the clock and the environment directly.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![allow(unreachable_pub, reason = "the names of tests are sentences, and tests are not imported")]

mod account;
mod after_commit;
mod app;
mod architecture;
mod audit;
mod backup;
#[cfg(target_os = "linux")]
mod clock;
mod codes_refused;
mod concurrency;
mod crash;
mod db;
mod db_better_auth;
mod doctor;
mod doctor_fix;
mod email;
mod email_change;
mod email_owner;
mod every_command;
mod exit_codes;
mod faults;
mod files;
mod files_damaged;
mod files_unsafe;
mod files_unwritable;
mod forgot;
mod formats;
mod formats_hostile;
mod fuzz;

mod generated;
mod groups;
mod guard;
mod guard_inside;
mod guard_pty;
mod guest;
mod hardening;
mod hash;
mod help;
mod impersonate_killed;
mod input_files;
mod kill;
mod machine;
mod mail;
mod mail_after_answer;
mod mailbox;
mod no_children;
mod password;
mod policy;
mod policy_refused;
mod prompt_signals;
mod prompts_pty;
mod pty;
mod query_plans;
mod readme;
mod reset;
mod restore;
mod rules;
mod sandbox;
mod scratch;
mod secrets;
mod security;
mod session_files;
mod session_files_planted;
mod sessions;
mod sessions_issue;
mod sessions_operator;
mod sessions_operator_chosen;
mod signin;
mod signout;
mod signup;
mod signup_refused;
mod storm;
mod strace;
mod streams;
mod tour;
mod users;
mod whoami;
mod whoami_moves;
mod words;
