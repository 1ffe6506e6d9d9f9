//! The program starts no process and opens no connection unless a command requires it.

#![cfg(target_os = "linux")]

use crate::sandbox::{PASSWORD, Sandbox};
use crate::strace;

/// Commands of every kind that must not start a program or send mail.
const COMMANDS: &[&str] = &[
    "signup bob@example.com --name Bob --password-file pw",
    "signin ada@example.com --password-file pw",
    "whoami",
    "sessions",
    "sessions revoke --others",
    "sessions prune",
    "account update --name Countess",
    "email change ada@example.org",
    "password forgot ada@example.com",
    "users list",
    "users show ada@example.com",
    "users create eve@example.com --name Eve --generate",
    "users ban eve@example.com",
    "users explain eve@example.com",
    "users delete eve@example.com --yes",
    "audit list",
    "audit verify",
    "policy set mail.from accounts@example.com",
    "policy set mail.url smtps://mail.example.com",
    "policy show",
    "db status",
    "db check",
    "db backup copy.db",
    "db backup -",
    "doctor --fix --yes",
    "hash generate --password-file pw",
    "help security",
    "completions bash",
    "signout",
];

#[test]
fn commands_start_no_program_and_use_no_network() {
    let sandbox = Sandbox::with_ada();
    sandbox.file("pw", PASSWORD);
    let trace = sandbox.path("trace");
    for words in COMMANDS {
        let mut plain = sandbox.command(words.split_whitespace());
        plain.env("PAGER", "false").env("EDITOR", "false");
        let options = ["-f", "-e", "trace=execve,execveat,socket,connect"];
        let output = strace::command(&plain, &options, &trace).output().expect("strace is needed for this test");
        let calls = std::fs::read_to_string(&trace).unwrap();
        assert!(calls.contains("execve("), "strace cannot be used here: {}", String::from_utf8_lossy(&output.stderr));
        // The system's lookup of a user name may connect to a local service.
        let is_own = |line: &&str| !line.contains("AF_UNIX") && !line.contains("+++") && !line.contains("---");
        let calls: Vec<&str> = calls.lines().filter(is_own).collect();
        assert_eq!(calls.len(), 1, "{words}: {calls:#?}");
    }
}
