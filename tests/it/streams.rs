//! Answers that nobody can take: a reader who left, a full device, nothing at all.

use std::fs::File;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::machine::under_shell;
use crate::sandbox::{PASSWORD, Ran, Sandbox};

/// Runs the program with standard output going there.
fn run_into(sandbox: &Sandbox, words: &str, output: impl Into<Stdio>) -> Ran {
    use std::io::Write as _;
    let mut command = sandbox.command(words.split_whitespace());
    let child = command.stdin(Stdio::piped()).stdout(output).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let _ = child.stdin.take().unwrap().write_all(PASSWORD.as_bytes());
    sandbox.ran(&child.wait_with_output().unwrap())
}

fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// A pipe whose reader has gone.
fn abandoned_pipe() -> std::io::PipeWriter {
    let (_reader, writer) = std::io::pipe().unwrap();
    writer
}

const ANSWERS: [&str; 9] = [
    "whoami",
    "whoami --json",
    "sessions",
    "sessions --json",
    "db status",
    "help exit-codes",
    "--help",
    "--version",
    "completions bash",
];

#[test]
fn when_the_reader_has_gone_it_ends_silently_with_141() {
    let sandbox = Sandbox::with_ada();
    for words in ANSWERS {
        let ran = run_into(&sandbox, words, abandoned_pipe());
        assert_eq!((ran.code, ran.stderr.as_str()), (141, ""), "{words}");
    }
}

#[test]
fn an_answer_that_a_device_cannot_hold_is_74() {
    let sandbox = Sandbox::with_ada();
    for words in ANSWERS {
        let ran = run_into(&sandbox, words, full());
        assert_eq!(ran.code, 74, "{words}: {ran}");
        assert!(ran.stderr.contains("could not write the answer to standard output"), "{words}: {ran}");
    }
    assert_snapshot!(run_into(&sandbox, "whoami", full()), @"
    ------- stderr -------
    error: could not write the answer to standard output: No space left on device (os error 28)
    hint: what was asked has been done; only its answer is lost
    [exit status: 74]
    ");
    let error = run_into(&sandbox, "whoami --json", full()).json_error(74);
    assert_eq!(error["code"], "OUTPUT_NOT_WRITTEN");
}

#[test]
fn the_session_of_a_token_that_could_not_be_printed_is_ended() {
    let sandbox = Sandbox::with_ada();
    let live = || sandbox.number("SELECT count(*) FROM session");
    let words = "signin ada@example.com --password-stdin --print-token";
    assert_snapshot!(run_into(&sandbox, words, full()), @"
    ------- stderr -------
    error: could not write the answer to standard output: No space left on device (os error 28)
    hint: the session was ended, because nobody would have held its token
    [exit status: 74]
    ");
    assert_eq!(live(), 1);
    assert_eq!(run_into(&sandbox, &format!("{words} --json"), full()).code, 74);
    assert_eq!(live(), 1);
    let _ = run_into(&sandbox, words, abandoned_pipe());
    assert_eq!(live(), 1, "the reader has gone");
}

#[test]
fn a_token_is_not_printed_where_it_would_be_lost() {
    let sandbox = Sandbox::with_ada();
    let words = "signin ada@example.com --password-stdin --print-token";
    assert_snapshot!(run_into(&sandbox, words, Stdio::null()), @"
    ------- stderr -------
    error: could not sign in: a token is to be printed, but standard output is /dev/null or closed
    hint: the token would be lost while its session lives: send standard output somewhere
    [exit status: 2]
    ");
    let closed = sandbox.finish_with_input(&mut under_shell(&sandbox, "exec >&-", words), PASSWORD);
    assert_eq!(closed.code, 2, "{closed}");
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 1);
}

#[test]
fn nobody_hears_an_error_and_its_code_is_still_right() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(["whoami"]);
    assert_eq!(sandbox.finish(command.stderr(full())).code, 4);
    assert_eq!(sandbox.finish(&mut under_shell(&sandbox, "exec >&- 2>&- <&-", "whoami")).code, 4);
    let sandbox = Sandbox::with_ada();
    sandbox.finish(&mut under_shell(&sandbox, "exec >&- 2>&- <&-", "account update --name X")).success();
    let check: String = sandbox.sql().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok", "no descriptor of the database was written to as if it were the output");
}
