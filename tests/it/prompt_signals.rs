//! Signals at an open prompt: the terminal is restored, and nothing has changed.

use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use crate::pty::{Ended, Running, Terminal};
use crate::sandbox::{PASSWORD, Sandbox, program};

/// Ctrl-C as a key, then signals that end a process, with their exit codes.
const INTERRUPTIONS: &[(&str, Option<Signal>, i32)] = &[
    ("Ctrl-C", None, 130),
    ("SIGINT", Some(Signal::INT), 130),
    ("SIGTERM", Some(Signal::TERM), 143),
    ("SIGHUP", Some(Signal::HUP), 129),
    ("SIGQUIT", Some(Signal::QUIT), 131),
];

/// Repetitions of each interruption, because the outcome may depend on the order of threads.
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
fn signals_that_the_caller_ignores_stay_ignored() {
    let sandbox = Sandbox::with_ada();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", r#"trap '' INT HUP; exec "$0" signin ada@example.com"#]).arg(program());
    shell.env_clear().env("HOME", sandbox.home()).current_dir(sandbox.home());
    let mut terminal = Terminal::new().run(shell);
    terminal.wait_for_hidden("Password: ").signal(Signal::INT).signal(Signal::HUP).enter(PASSWORD);
    let _ = terminal.end().with_code(0);
}

#[test]
fn interrupted_hidden_prompt_restores_the_terminal() {
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
fn interrupted_second_prompt_restores_the_terminal() {
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
fn interrupted_shown_prompt_restores_the_terminal() {
    let sandbox = Sandbox::new();
    let ask = || {
        let mut terminal = run(&sandbox, "signup");
        // The key is echoed, and the program waits for the next one.
        terminal.wait_for_hidden("Email: ").press("a").wait_for_hidden("a");
        terminal
    };
    interrupt_each(ask, |_| ());
    assert!(!sandbox.database().exists());
}

#[test]
fn interrupted_confirmation_deletes_nothing() {
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

/// A shell with job control on a terminal, in this home.
fn interactive_shell(sandbox: &Sandbox) -> Running {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-i").env_clear().env("HOME", sandbox.home()).env("PS1", "ready> ").env("PATH", "/usr/bin:/bin");
    shell.env("TERM", "dumb").current_dir(sandbox.home());
    let mut terminal = Terminal::new().run(shell);
    terminal.wait_for("ready> ");
    terminal
}

/// Whether a program started by the shell finds echo enabled.
fn shell_echoes(sandbox: &Sandbox, shell: &mut Running) -> bool {
    shell.enter("stty -a > modes; echo looked").wait_for("looked").wait_for("looked").wait_for("ready> ");
    let modes = std::fs::read_to_string(sandbox.path("modes")).unwrap();
    modes.split([' ', ';', '\n']).any(|word| word == "echo")
}

#[test]
fn stopped_hidden_prompt_hides_again_after_fg() {
    let sandbox = Sandbox::with_ada();
    sandbox.file("start", format!("echo $$ > pid; exec '{}' signin ada@example.com", program().display()));
    for from_outside in [false, true] {
        let mut shell = interactive_shell(&sandbox);
        shell.enter("sh start").wait_for_hidden("Password: ");
        if from_outside {
            let pid = std::fs::read_to_string(sandbox.path("pid")).unwrap().trim().parse().unwrap();
            kill_process(Pid::from_raw(pid).unwrap(), Signal::TSTP).unwrap();
        } else {
            shell.press("\x1a");
        }
        shell.wait_for("ready> ");
        assert!(shell_echoes(&sandbox, &mut shell), "stopped, and the shell does not echo");
        shell.enter("fg").wait_for_hidden("sh start").enter(PASSWORD);
        shell.wait_for("signed in as Ada").wait_for("ready> ");
        assert!(shell_echoes(&sandbox, &mut shell), "ended, and the shell does not echo");
        shell.enter("exit");
        let ended = shell.end();
        assert!(!ended.screen.contains("battery"), "{:?}", ended.screen);
    }
}

#[test]
fn suspend_key_at_a_hidden_prompt_is_not_echoed() {
    let sandbox = Sandbox::with_ada();
    // Without a job-control shell to continue it, the process must not stop.
    let mut terminal = run(&sandbox, "signin ada@example.com");
    terminal.wait_for_hidden("Password: ").press("\x1a").enter(PASSWORD);
    let screen = terminal.end().with_code(0);
    assert!(!screen.contains("^Z") && !screen.contains("battery"), "{screen:?}");
}
