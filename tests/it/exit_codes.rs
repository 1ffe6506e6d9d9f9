//! Exit codes: the documented table, and each code from the real program.

use authctl::error::ExitCode;
use insta::assert_snapshot;

use crate::sandbox::{PASSWORD, Sandbox};

#[test]
fn the_help_page_has_every_code() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run("help exit-codes"), @"
    Exit codes:

        0  done, durable, printed; or yes
        1  failed, declined, or no
        2  usage: bad, missing or unacceptable input
        3  no such user, session, ...
        4  not signed in: none, expired, revoked
        5  refused: banned, unverified, not fresh, wrong role
        6  already exists
        7  wrong credentials or code (one answer for unknown user and wrong password)
        8  throttled or locked; `retryAfter` in JSON, in seconds
        9  database cannot be used: missing, foreign, newer, corrupt, unsafe
       74  file or output could not be written (disk full, read-only)
       75  database busy: try again
       76  the connection broke during the commit, and it is not known whether the act happened
      126  `guard`: the program cannot be run
      127  `guard`: the program does not exist
      130  interrupted (SIGINT)
      141  the reader of the output has gone (SIGPIPE)
      143  terminated (SIGTERM)

    A closed standard output counts as /dev/null: answers are thrown away, and that is
    no failure. Passwords, codes, tokens and exports are refused there with 2, before
    anything is changed.
    ");
}

/// All codes except 1 and 130, which need a terminal, and 143.
#[test]
fn every_code_comes_from_the_program_as_the_table_says() {
    let sandbox = Sandbox::with_ada();
    let mut seen = Vec::new();
    let mut expect = |ran: crate::sandbox::Ran, code: ExitCode| {
        assert_eq!(ran.code, i32::from(code.number()), "{ran}");
        seen.push(code.number());
    };
    let sign_in =
        |email: &str, password: &str| sandbox.run_with_input(&format!("signin {email} --password-stdin"), password);
    expect(sandbox.run("whoami --check"), ExitCode::Done);
    expect(sandbox.run("whoami --no-such-flag"), ExitCode::Usage);
    expect(sandbox.run("signin ada@example.com"), ExitCode::Usage);
    expect(sandbox.run("sessions revoke unknown"), ExitCode::NoSuch);
    expect(sandbox.other_shell("whoami"), ExitCode::NotSignedIn);
    expect(sandbox.sign_up("ada@example.com", "Ada"), ExitCode::Exists);
    for _ in 0..5 {
        expect(sign_in("unknown@example.com", PASSWORD), ExitCode::WrongCredentials);
    }
    expect(sign_in("unknown@example.com", PASSWORD), ExitCode::Throttled);
    expect(sandbox.run("guard -- /"), ExitCode::CannotRun);
    expect(sandbox.run("guard -- /no/such/program"), ExitCode::NoProgram);
    expect(sandbox.run("--db missing.db db status"), ExitCode::Database);
    expect(sandbox.run("--db missing/a.db db init"), ExitCode::Unwritable);
    let other = sandbox.sql();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    expect(sandbox.run("--wait 0s account update --name X"), ExitCode::Busy);
    other.execute_batch("ROLLBACK").unwrap();
    sandbox.execute("UPDATE user SET banned = 1, banReason = 'spam'");
    expect(sign_in("ada@example.com", PASSWORD), ExitCode::Refused);
    let (_, writer) = std::io::pipe().unwrap();
    expect(
        sandbox.finish(sandbox.command(["help"]).stdout(writer).stderr(std::process::Stdio::null())),
        ExitCode::ReaderGone,
    );
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, [0, 2, 3, 4, 5, 6, 7, 8, 9, 74, 75, 126, 127, 141]);
}

#[test]
fn throttled_names_the_wait_in_seconds() {
    let sandbox = Sandbox::with_ada();
    for _ in 0..5 {
        let _ = sandbox.run_with_input("signin ada@example.com --password-stdin", "wrong password").failure(7);
    }
    let error = sandbox.run_with_input("signin ada@example.com --password-stdin --json", PASSWORD).json_error(8);
    assert_eq!(error["code"], "TOO_MANY_REQUESTS");
    assert!((1..=15).contains(&error["retryAfter"].as_i64().unwrap()), "{error}");
}
