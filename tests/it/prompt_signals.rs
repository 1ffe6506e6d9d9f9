//! Signals while a question is open: the terminal comes back as it was, and nothing has happened.

use rustix::process::Signal;

use crate::pty::{Ended, Running, Terminal};
use crate::sandbox::Sandbox;

/// Ctrl-C as a key, then the signals that end a process, with the exit code that a shell would say.
const INTERRUPTIONS: &[(&str, Option<Signal>, i32)] = &[
    ("Ctrl-C", None, 130),
    ("SIGINT", Some(Signal::INT), 130),
    ("SIGTERM", Some(Signal::TERM), 143),
    ("SIGHUP", Some(Signal::HUP), 129),
    ("SIGQUIT", Some(Signal::QUIT), 131),
];

/// Each interruption several times: whether it goes well may depend on which thread is faster.
fn interrupt_each(ask: impl Fn() -> Running, check: impl Fn(&Ended)) {
    for (name, signal, code) in INTERRUPTIONS {
        for _ in 0..5 {
            let mut terminal = ask();
            match signal {
                None => terminal.press("\x03"),
                Some(signal) => terminal.signal(*signal),
            };
            let ended = terminal.end();
            assert_eq!(ended.code, *code, "{name}: {:?}", ended.screen);
            assert!(ended.given_back, "{name}: echo, lines and signals are on again: {:?}", ended.screen);
            check(&ended);
        }
    }
}

fn run(sandbox: &Sandbox, words: &str) -> Running {
    Terminal::new().run(sandbox.command(words.split_whitespace()))
}

#[test]
fn an_interrupted_hidden_prompt_gives_the_terminal_back_and_makes_nothing() {
    let sandbox = Sandbox::new();
    let ask = || {
        let mut terminal = run(&sandbox, "signup ada@example.com --name Ada");
        terminal.wait_for_hidden("New password: ");
        terminal
    };
    interrupt_each(ask, |_| ());
    assert!(!sandbox.database().exists());
}

#[test]
fn an_interrupted_second_prompt_gives_the_terminal_back_as_well() {
    let sandbox = Sandbox::new();
    let ask = || {
        let mut terminal = run(&sandbox, "signup ada@example.com --name Ada");
        terminal.wait_for_hidden("New password: ").enter("half a password");
        terminal.wait_for_hidden("Repeat it: ");
        terminal
    };
    interrupt_each(ask, |ended| assert!(!ended.screen.contains("half"), "{:?}", ended.screen));
    assert!(!sandbox.database().exists());
}

#[test]
fn an_interrupted_shown_prompt_gives_the_terminal_back_and_makes_nothing() {
    let sandbox = Sandbox::new();
    let ask = || {
        let mut terminal = run(&sandbox, "signup");
        // The key is on the screen and the next one awaited.
        terminal.wait_for_hidden("Email: ").press("a").wait_for_hidden("a");
        terminal
    };
    interrupt_each(ask, |_| ());
    assert!(!sandbox.database().exists());
}

#[test]
fn an_interrupted_confirmation_gives_terminal_and_cursor_back_and_deletes_nothing() {
    let sandbox = Sandbox::with_ada();
    let ask = || {
        let mut terminal = run(&sandbox, "account delete");
        terminal.wait_for_hidden("[y/N]");
        terminal
    };
    interrupt_each(ask, |ended| {
        let (hidden, shown) = (ended.screen.rfind("\x1b[?25l"), ended.screen.rfind("\x1b[?25h"));
        assert!(hidden < shown, "the cursor is visible: {:?}", ended.screen);
    });
    assert_eq!(sandbox.number(r#"SELECT count(*) FROM "user""#), 1);
    sandbox.run("whoami").success();
}
