//! `guard --signin` at a terminal: when it prompts, and that the command finds the terminal unchanged.

use crate::pty::{Running, Terminal};
use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Sandbox};

/// Runs a shell script under `guard` with these flags, at a terminal.
fn guard(sandbox: &Sandbox, flags: &str, script: &str) -> Running {
    let words = ["guard"].into_iter().chain(flags.split_whitespace());
    Terminal::new().run(sandbox.command(words.chain(["--", "/bin/sh", "-c", script])))
}

fn answer(terminal: &mut Running, password: &str) {
    terminal.wait_for("Email").enter("ada@example.com");
    terminal.wait_for_hidden("Password: ").enter(password);
}

#[test]
fn signin_flag_prompts_and_then_runs_the_command() {
    let sandbox = Sandbox::with_ada_signed_out();
    let script = "echo ready $AUTHCTL_USER_EMAIL; read line; echo \"got <$line>\"; exit 7";
    let mut terminal = guard(&sandbox, "--signin", script);
    answer(&mut terminal, PASSWORD);
    terminal.wait_for("ready ada@example.com");
    assert!(terminal.echoes(), "the command has a terminal that shows what is typed");
    terminal.enter("some words").wait_for("got <some words>");
    let screen = terminal.end().with_code(7);
    assert!(!screen.contains("battery"), "{screen:?}");
    // The session was kept, so there is no second prompt.
    let screen = guard(&sandbox, "--signin", "echo again").end().with_code(0);
    assert_eq!(screen, "again\r\n");
}

#[test]
fn ctrl_c_after_the_prompt_ends_the_command() {
    let sandbox = Sandbox::with_ada_signed_out();
    let mut terminal = guard(&sandbox, "--signin", "echo ready; read line; echo survived");
    answer(&mut terminal, PASSWORD);
    terminal.wait_for("ready").press("\x03");
    let screen = terminal.end().with_code(130);
    assert!(!screen.contains("survived"), "{screen:?}");
}

#[test]
fn wrong_password_runs_no_command() {
    let sandbox = Sandbox::with_ada_signed_out();
    let mut terminal = guard(&sandbox, "--signin", "echo started");
    answer(&mut terminal, OTHER_PASSWORD);
    let screen = terminal.end().with_code(7);
    assert!(!screen.contains("started") && !screen.contains("umbrellas"), "{screen:?}");
}

#[test]
fn stale_session_is_renewed_by_the_password() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute("UPDATE session SET createdAt = createdAt - 2 * 86400");
    let mut terminal = guard(&sandbox, "--signin --fresh", "echo started");
    answer(&mut terminal, PASSWORD);
    terminal.wait_for("started").wait_for("\n");
    terminal.end().with_code(0);
    guard(&sandbox, "--fresh", ":").end().with_code(0);
}

#[test]
fn damaged_session_file_gives_a_prompt() {
    let sandbox = Sandbox::with_ada();
    std::fs::write(sandbox.session_file(), "{}").unwrap();
    let mut terminal = guard(&sandbox, "--signin", "echo started");
    answer(&mut terminal, PASSWORD);
    let screen = terminal.end().with_code(0);
    assert!(screen.ends_with("started\r\n"), "{screen:?}");
}

#[test]
fn no_prompt_when_its_answer_would_not_help() {
    let sandbox = Sandbox::with_ada();
    let refuse = |flags: &str, variable: &str, code: i32| {
        let words = ["guard", "--signin"].into_iter().chain(flags.split_whitespace());
        let mut command = sandbox.command(words.chain(["--", "/bin/echo", "started"]));
        if let Some((name, value)) = variable.split_once('=') {
            command.env(name, value);
        }
        let screen = Terminal::new().run(command).end().with_code(code);
        assert!(!screen.contains("Email") && !screen.contains("started"), "{flags} {variable}: {screen:?}");
    };
    refuse("--role admin", "", 5);
    sandbox.execute("UPDATE user SET banned = 1");
    refuse("", "", 5);
    sandbox.execute("UPDATE user SET banned = 0");
    sandbox.run("signout").success();
    refuse("--no-input", "", 4);
    refuse("", "CI=true", 4);
    // The token in the environment takes precedence over any stored session, including a new one.
    refuse("", "AUTHCTL_TOKEN=0123456789abcdef0123456789abcdef", 4);
    refuse("", "AUTHCTL_TOKEN_FILE=/dev/null", 4);
}

#[test]
fn no_prompt_without_the_signin_flag() {
    let sandbox = Sandbox::with_ada_signed_out();
    let screen = guard(&sandbox, "", "echo started").end().with_code(4);
    assert!(!screen.contains("Email") && !screen.contains("started"), "{screen:?}");
}
