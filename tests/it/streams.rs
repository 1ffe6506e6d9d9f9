//! Answers that cannot be written: a reader who left, a full device, a closed descriptor.

use std::fs::File;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::machine::under_shell;
use crate::sandbox::{PASSWORD, Ran, Sandbox};

/// Runs the program with the given standard output.
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

/// A pipe without a reader.
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
fn closed_pipe_ends_silently_with_141() {
    let sandbox = Sandbox::with_ada();
    for words in ANSWERS {
        let ran = run_into(&sandbox, words, abandoned_pipe());
        assert_eq!((ran.code, ran.stderr.as_str()), (141, ""), "{words}");
    }
}

#[test]
fn output_to_a_full_device_is_74() {
    let sandbox = Sandbox::with_ada();
    for words in ANSWERS {
        let ran = run_into(&sandbox, words, full());
        assert_eq!(ran.code, 74, "{words}: {ran}");
        assert!(ran.stderr.contains("could not write the answer to standard output"), "{words}: {ran}");
    }
    assert_snapshot!(run_into(&sandbox, "whoami", full()), @"
    ------- stderr -------
    error: could not write the answer to standard output: No space left on device (os error 28)
    [exit status: 74]
    ");
    let error = run_into(&sandbox, "whoami --json", full()).json_error(74);
    assert_eq!(error["code"], "OUTPUT_NOT_WRITTEN");
}

/// Commands that change nothing here. Some also write to standard error.
const READS: [&str; 21] = [
    "users list",
    "users list --limit 1",
    "users show ada@example.com",
    "users explain ada@example.com",
    "users create ada@example.com --name Ada --no-password --if-missing",
    "users unban ada@example.com",
    "users unlock ada@example.com",
    "sessions",
    "sessions list --user ada@example.com",
    "sessions revoke --all --dry-run",
    "sessions prune --dry-run",
    "audit list",
    "audit verify",
    "audit export",
    "policy show",
    "policy unset session.lifetime",
    "hash calibrate",
    "account update --name Ada",
    "db init --if-missing",
    "db migrate",
    "db restore b.db --dry-run",
];

#[test]
fn read_whose_answer_is_lost_says_only_that() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("db backup b.db").success();
    for words in READS {
        for json in ["", " --json"] {
            let ran = run_into(&sandbox, &format!("{words}{json}"), full());
            if json.is_empty() && ran.code == 0 {
                // Text for people goes to standard error.
                continue;
            }
            assert_eq!(ran.code, 74, "{words}{json}: {ran}");
            let error = if json.is_empty() {
                ran.stderr.trim_end().trim_start_matches("error: ").to_owned()
            } else {
                let error = ran.json_error(74);
                assert!(error["hint"].is_null(), "{words}: {error}");
                error["message"].as_str().unwrap().to_owned()
            };
            let only = "could not write the answer to standard output: No space left on device (os error 28)";
            assert_eq!(error, only, "{words}{json}");
        }
    }
}

#[test]
fn output_over_the_limit_of_file_sizes_names_the_limit() {
    let sandbox = Sandbox::with_ada();
    let output = sandbox.path("output");
    // Standard error is a pipe, which has no such limit.
    let words = "completions bash";
    let mut command = under_shell(&sandbox, &format!("ulimit -f 1; exec >{}", output.display()), words);
    assert_snapshot!(sandbox.finish(&mut command), @"
    ------- stderr -------
    error: could not write the answer to standard output: File too large (os error 27)
    hint: raise the limit of file sizes, as with `ulimit -f unlimited`
    [exit status: 74]
    ");
}

#[test]
fn the_session_of_a_token_that_could_not_be_printed_is_ended() {
    let sandbox = Sandbox::with_ada();
    let live = || sandbox.number("SELECT count(*) FROM session");
    let words = "signin ada@example.com --password-stdin --print-token";
    assert_snapshot!(run_into(&sandbox, words, full()), @"
    ------- stderr -------
    error: could not write the answer to standard output: No space left on device (os error 28)
    hint: the session was ended, because its token is lost
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
fn closed_stdout_is_refused_before_a_secret_is_made() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("audit verify").success();
    let state = || {
        let tables = ["user", "account", "session", "verification", "authctl_audit"];
        tables.map(|table| sandbox.number(&format!("SELECT count(*) FROM {table}")))
    };
    let before = state();
    for words in [
        "signin ada@example.com --password-stdin --print-token",
        "users create bob@example.com --name Bob --generate",
        "users set-password ada@example.com --generate",
        "users reset-code ada@example.com",
        "users impersonate ada@example.com --print-token",
        "sessions issue --user ada@example.com",
        "audit export",
    ] {
        for json in ["", " --json"] {
            let words = format!("{words}{json}");
            let null = run_into(&sandbox, &words, Stdio::null());
            assert_eq!(null.code, 2, "{words}: {null}");
            assert!(null.stderr.contains("standard output is /dev/null or closed"), "{words}: {null}");
            let closed = sandbox.finish_with_input(&mut under_shell(&sandbox, "exec >&-", &words), PASSWORD);
            assert_eq!(closed.code, 2, "{words}: {closed}");
        }
    }
    assert_eq!(state(), before);
    sandbox.sign_in("ada@example.com").success();
}

#[test]
fn act_with_lost_output_reports_the_change() {
    let sandbox = Sandbox::with_ada();
    for (words, done, hint) in [
        (
            "signup bob@example.com --name Bob --password-stdin --json",
            "created the account of Bob <bob@example.com>",
            "",
        ),
        ("users create eve@example.com --name Eve --no-password --json", "created Eve <eve@example.com>", ""),
        (
            "users create ann@example.com --name Ann --generate",
            "created Ann <ann@example.com>",
            "`authctl users set-password ann@example.com --generate`",
        ),
        (
            "users set-password bob@example.com --generate",
            "set and checked the password of Bob <bob@example.com>",
            "`authctl users set-password bob@example.com --generate`",
        ),
        (
            "users reset-code bob@example.com",
            "made a code for `authctl password reset` of Bob <bob@example.com>",
            "`authctl users reset-code bob@example.com`",
        ),
        ("users ban bob@example.com --json", "banned Bob <bob@example.com>", ""),
        ("policy set session.lifetime 3d --json", "session.lifetime", ""),
        ("signout --json", "signed out", ""),
    ] {
        let said = run_into(&sandbox, words, full());
        assert_eq!(said.code, 74, "{words}: {said}");
        let said = said.stderr;
        assert!(said.contains(done) && said.contains(hint), "{words}: {said}");
        assert!(done.is_empty() || said.contains(", but could not write the answer"), "{words}: {said}");
    }
    assert_eq!(sandbox.number("SELECT count(*) FROM user"), 4);
}

#[test]
fn read_only_stdout_is_a_failure() {
    let sandbox = Sandbox::with_ada();
    for words in ANSWERS {
        let ran = run_into(&sandbox, words, File::open("/dev/null").unwrap());
        assert_eq!(ran.code, 74, "{words}: {ran}");
    }
}

#[test]
fn output_to_dev_null_is_a_success() {
    let sandbox = Sandbox::with_ada();
    for words in ANSWERS {
        let ran = run_into(&sandbox, words, Stdio::null());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{words}");
    }
}

#[test]
fn exit_code_is_right_when_stderr_is_closed() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(["whoami"]);
    assert_eq!(sandbox.finish(command.stderr(full())).code, 4);
    assert_eq!(sandbox.finish(&mut under_shell(&sandbox, "exec >&- 2>&- <&-", "whoami")).code, 4);
    let sandbox = Sandbox::with_ada();
    sandbox.finish(&mut under_shell(&sandbox, "exec >&- 2>&- <&-", "account update --name X")).success();
    let check: String = sandbox.sql().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok", "no descriptor of the database was written to as if it were the output");
}
