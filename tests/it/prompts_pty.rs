//! Prompts at a real terminal: their order, hidden input, and the state after a refusal.

use crate::pty::{Ended, Running, Terminal, hang_up_after};
use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Sandbox};

fn run(sandbox: &Sandbox, words: &str) -> Running {
    Terminal::new().run(sandbox.command(words.split_whitespace()))
}

/// Signs in at prompts for both address and password.
fn sign_in(sandbox: &Sandbox, password: &str) -> Ended {
    let mut terminal = run(sandbox, "signin");
    terminal.wait_for("Email").enter("ada@example.com");
    terminal.wait_for_hidden("Password: ").enter(password);
    terminal.end()
}

#[test]
fn signup_prompts_for_everything_and_hides_the_password() {
    let sandbox = Sandbox::new();
    let mut terminal = run(&sandbox, "signup");
    terminal.wait_for("Email").enter("ada@example.com");
    terminal.wait_for("Name").enter("Ada");
    terminal.wait_for_hidden("New password: ").enter(PASSWORD);
    terminal.wait_for_hidden("Repeat it: ").enter(PASSWORD);
    let screen = terminal.end().with_code(0);
    assert!(screen.contains("created the account of Ada <ada@example.com>"), "{screen:?}");
    assert!(!screen.contains("battery"), "{screen:?}");
    sandbox.sign_in("ada@example.com").success();
}

#[test]
fn signin_asks_and_takes_only_the_right_password() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("signout").success();
    let screen = sign_in(&sandbox, OTHER_PASSWORD).with_code(7);
    assert!(!screen.contains("umbrellas"), "{screen:?}");
    let screen = sign_in(&sandbox, PASSWORD).with_code(0);
    assert!(screen.contains("signed in as Ada"), "{screen:?}");
    sandbox.run("whoami").success();
}

#[test]
fn code_prompt_is_hidden_and_trims_spaces() {
    let sandbox = Sandbox::with_ada();
    let reset = sandbox.run("users reset-code ada@example.com -q").success();
    let verify = sandbox.mailed_code("email verify --send");
    let mut terminal = run(&sandbox, "email verify");
    terminal.wait_for_hidden("Code: ").enter(&format!(" {verify} "));
    let screen = terminal.end().with_code(0);
    assert!(screen.contains("verified the address of Ada") && !screen.contains(&verify), "{screen:?}");
    let mut terminal = run(&sandbox, "password reset");
    terminal.wait_for_hidden("Code: ").enter(reset.trim_end());
    terminal.wait_for_hidden("New password: ").enter(OTHER_PASSWORD);
    terminal.wait_for_hidden("Repeat it: ").enter(OTHER_PASSWORD);
    let screen = terminal.end().with_code(0);
    assert!(screen.contains("set the new password of Ada") && !screen.contains(reset.trim_end()), "{screen:?}");
}

#[test]
fn code_then_password_are_prompted_without_a_session() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("signout").success();
    let code = sandbox.mailed_code("email verify --send ada@example.com");
    for (password, exit, answer) in
        [(OTHER_PASSWORD, 7, "the password is not that of the user"), (PASSWORD, 0, "verified the address of Ada")]
    {
        let mut terminal = run(&sandbox, "email verify");
        terminal.wait_for_hidden("Code: ").enter(&code);
        terminal.wait_for_hidden("Password: ").enter(password);
        let screen = terminal.end().with_code(exit);
        assert!(screen.contains(answer) && !screen.contains(password) && !screen.contains(&code), "{screen:?}");
    }
}

#[test]
fn address_is_prompted_without_a_session() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("signout").success();
    let server = sandbox.mailbox();
    let mut terminal = run(&sandbox, "email verify --send");
    terminal.wait_for("Email").enter("ada@example.com");
    terminal.end().with_code(0);
    assert!(server.session().has_message());
}

#[test]
fn wrong_entries_are_asked_for_again_and_create_no_account() {
    let sandbox = Sandbox::new();
    let mut terminal = run(&sandbox, "signup");
    terminal.wait_for("Email").enter("ada").wait_for("not a valid email address; try again");
    terminal.wait_for("Email").enter("ada@example.com");
    terminal.wait_for("Name").enter(" ").wait_for("the name is empty; try again");
    terminal.wait_for("Name").enter("Ada");
    terminal.wait_for_hidden("New password: ").enter("short").wait_for("try again");
    terminal.wait_for_hidden("New password: ").enter(PASSWORD);
    terminal.wait_for_hidden("Repeat it: ").enter(OTHER_PASSWORD);
    terminal.wait_for("the two entries of the new password differ; try again");
    terminal.wait_for_hidden("New password: ");
    assert!(!sandbox.database().exists());
    assert!(!sandbox.sessions().exists());
    terminal.enter(PASSWORD).wait_for_hidden("Repeat it: ").enter(PASSWORD);
    terminal.end().with_code(0);
    sandbox.run("whoami").success();
}

#[test]
fn password_change_prompts_for_current_then_new_twice() {
    let sandbox = Sandbox::with_ada();
    let mut terminal = run(&sandbox, "password change");
    terminal.wait_for_hidden("Current password: ").enter(PASSWORD);
    terminal.wait_for_hidden("New password: ").enter(OTHER_PASSWORD);
    terminal.wait_for_hidden("Repeat it: ").enter(OTHER_PASSWORD);
    let screen = terminal.end().with_code(0);
    assert!(!screen.contains("battery") && !screen.contains("umbrellas"), "{screen:?}");
    assert_eq!(sandbox.sign_in("ada@example.com").code, 7);
    sandbox.run_with_input("signin ada@example.com --password-stdin", OTHER_PASSWORD).success();
}

#[test]
fn weak_new_password_is_asked_for_again_at_a_terminal() {
    let sandbox = Sandbox::with_ada();
    let mut terminal = run(&sandbox, "password change");
    terminal.wait_for_hidden("Current password: ").enter(PASSWORD);
    terminal.wait_for_hidden("New password: ").enter("ada@example.com1").wait_for("try again");
    terminal.wait_for_hidden("New password: ").enter(OTHER_PASSWORD);
    terminal.wait_for_hidden("Repeat it: ").enter(OTHER_PASSWORD);
    terminal.end().with_code(0);
    let code = sandbox.run("users reset-code ada@example.com -q").success();
    let mut terminal = run(&sandbox, "password reset");
    terminal.wait_for_hidden("Code: ").enter(code.trim_end());
    terminal.wait_for_hidden("New password: ").enter("short").wait_for("try again");
    // Words of the user are known only with the code.
    terminal.wait_for_hidden("New password: ").enter("ada-example.com-ada");
    terminal.wait_for_hidden("Repeat it: ").enter("ada-example.com-ada").wait_for("try again");
    terminal.wait_for_hidden("New password: ").enter(PASSWORD);
    terminal.wait_for_hidden("Repeat it: ").enter(PASSWORD);
    terminal.end().with_code(0);
    sandbox.sign_in("ada@example.com").success();
    let weak = format!("{PASSWORD}\nshort\n");
    let _ = sandbox.run_with_input("password change --password-stdin", weak).failure(2);
}

#[test]
fn only_a_yes_confirms_a_deletion() {
    let sandbox = Sandbox::with_ada();
    for (answer, code, users) in [("n", 1, 1), ("\r", 1, 1), ("y", 0, 0)] {
        let mut terminal = run(&sandbox, "account delete");
        terminal
            .wait_for("This permanently deletes Ada <ada@example.com> with 1 live session")
            .wait_for("[y/N]")
            .press(answer);
        let screen = terminal.end().with_code(code);
        assert_eq!(sandbox.number(r#"SELECT count(*) FROM "user""#), users, "{screen:?}");
        assert!(cursor_is_shown(&screen), "{screen:?}");
    }
}

#[test]
fn the_echo_is_off_before_a_hidden_prompt_is_shown() {
    // Programs such as `expect` answer immediately.
    let sandbox = Sandbox::with_ada();
    for _ in 0..10 {
        let mut terminal = run(&sandbox, "password change");
        for prompt in ["Current password: ", "New password: ", "Repeat it: "] {
            assert!(!terminal.wait_for(prompt).echoes(), "{prompt}");
            terminal.enter(PASSWORD);
        }
        assert!(!terminal.end().screen.contains("battery"));
    }
}

#[test]
fn input_before_a_hidden_prompt_is_discarded() {
    let sandbox = Sandbox::with_ada();
    let early = Terminal::new().type_ahead(&format!("{OTHER_PASSWORD}\r"));
    let mut terminal = early.run(sandbox.command(["signin", "ada@example.com"]));
    terminal.wait_for_hidden("Password: ").enter(PASSWORD);
    terminal.end().with_code(0);

    let mut terminal = run(&sandbox, "password change");
    terminal.wait_for_hidden("Current password: ").enter(PASSWORD);
    // The second line arrives before its prompt, so it is not an answer to it.
    terminal.wait_for_hidden("New password: ").press(&format!("{OTHER_PASSWORD}\r{PASSWORD}\r"));
    terminal.wait_for_hidden("Repeat it: ").enter(OTHER_PASSWORD);
    let screen = terminal.end().with_code(0);
    assert!(!screen.contains("battery") && !screen.contains("umbrellas"), "{screen:?}");
}

#[test]
fn input_after_a_hidden_answer_is_discarded() {
    let sandbox = Sandbox::with_ada();
    // With and without a final line feed.
    for more in ["rm -rf precious", "rm -rf precious\r"] {
        let mut terminal = run(&sandbox, "signin ada@example.com");
        terminal.wait_for_hidden("Password: ").press(&format!("{PASSWORD}\r{more}"));
        let ended = terminal.end();
        assert_eq!(ended.left_in_queue, 0, "{more:?}");
        assert!(!ended.with_code(0).contains("precious"), "{more:?}");
    }
}

#[test]
fn end_of_input_at_a_hidden_prompt_is_refused() {
    let sandbox = Sandbox::new();
    let mut terminal = run(&sandbox, "signup ada@example.com --name Ada");
    terminal.wait_for_hidden("New password: ").press("\x04");
    let ended = terminal.end();
    assert!([1, 2].contains(&ended.code), "{:?}", ended.screen);
    assert!(ended.given_back);
    assert!(!sandbox.database().exists());
}

#[test]
fn end_of_input_in_a_hidden_line_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.sign_up("ada@example.com", "Ada").success();
    let begin = sandbox.command(["password", "change"]);
    assert_ne!(hang_up_after(begin, "Current password: ", PASSWORD), 0);
    assert_eq!(sandbox.number("SELECT count(*) FROM authctl_throttle"), 0, "half a line was taken for a password");
}

#[test]
fn hidden_line_with_unusable_keys_is_asked_for_again() {
    let sandbox = Sandbox::with_ada();
    let (start, end) = PASSWORD.split_at(7);
    // Input that rpassword drops (Tab, an arrow key, Escape, control characters of one and two bytes), and bytes
    // that it replaces.
    for key in [&b"\t"[..], b"\x1b[A", b"\x1b ", b"\x01", b"\x00", b"\xc2\x9b", b"\xff"] {
        let mut terminal = run(&sandbox, "signin ada@example.com");
        let line = [start.as_bytes(), key, end.as_bytes(), b"\r"].concat();
        terminal.wait_for_hidden("Password: ").press_bytes(&line);
        terminal.wait_for("a key that is not a character").wait_for_hidden("Password: ").enter(PASSWORD);
        terminal.end().with_code(0);
    }
    // Editing a line or starting it over is allowed.
    for keys in [format!("x\x7f{PASSWORD}\r"), format!("oops\t\x15{PASSWORD}\r")] {
        let mut terminal = run(&sandbox, "signin ada@example.com");
        terminal.wait_for_hidden("Password: ").press(&keys);
        terminal.end().with_code(0);
    }
}

#[test]
fn keys_after_a_wrong_password_are_flushed_and_not_shown() {
    let sandbox = Sandbox::with_ada();
    for command in ["signin ada@example.com", "guard --signin --fresh -- true"] {
        sandbox.execute(r#"UPDATE "session" SET "createdAt" = "createdAt" - 90000"#);
        let mut terminal = run(&sandbox, command);
        if command.starts_with("guard") {
            terminal.wait_for("Email").enter("ada@example.com");
        }
        terminal.wait_for_hidden("Password: ").press(&format!("{OTHER_PASSWORD}\rkeys typed too early"));
        let ended = terminal.end();
        assert_eq!(ended.left_in_queue, 0, "{command}");
        let screen = ended.with_code(7);
        assert!(!screen.contains("umbrellas") && !screen.contains("early"), "{command}: {screen:?}");
    }
}

#[test]
fn on_a_terminal_sessions_are_a_table_fitted_to_its_width() {
    let sandbox = Sandbox::with_ada();
    let long = "a browser on a machine with a very long name that somebody chose in a good mood indeed, really";
    sandbox.execute(&format!(
        r#"UPDATE "session" SET "expiresAt" = unixepoch() + 7 * 86400 + 3600, "userAgent" = '{long}'"#
    ));
    let mut widths = Vec::new();
    for columns in [100, 200] {
        let screen =
            Terminal::with_columns(columns).run(sandbox.command(["sessions", "--color", "never"])).end().with_code(0);
        assert!(!screen.contains('│'), "{screen}");
        assert!(screen.contains("in 7 days"), "{screen}");
        let width = screen.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(width <= usize::from(columns), "{width} of {columns}: {screen}");
        assert_eq!(screen.contains(long), columns == 200, "{screen}");
        widths.push(width);
    }
    assert!(widths[0] < widths[1]);
}

#[test]
fn on_a_terminal_rules_are_grouped_on_one_screen() {
    let sandbox = Sandbox::with_ada();
    for columns in [60, 80, 120] {
        let screen = Terminal::with_columns(columns).run(sandbox.command(["policy", "show"])).end().with_code(0);
        assert!(screen.lines().count() <= 30 && screen.lines().any(str::is_empty), "{screen}");
        assert!(screen.contains("\u{1b}[1mMEANING\u{1b}[0m") && screen.contains("life of a "), "{screen}");
    }
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let mut command = sandbox.command(["policy", "show"]);
        command.env(name, value);
        let screen = Terminal::with_columns(80).run(command).end().with_code(0);
        assert!(!screen.contains('\u{1b}'), "{name}: {screen}");
        assert!(screen.lines().all(|line| line.chars().count() <= 80), "{screen}");
    }
}

#[test]
fn on_a_terminal_long_lists_of_sessions_stop_after_a_page() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute(
        r#"WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2400)
           INSERT INTO "session" ("id", "token", "userId", "expiresAt", "createdAt", "updatedAt")
           SELECT 'many' || i, 't' || i, (SELECT "id" FROM "user"), unixepoch() + 3600, 0, 0 FROM n"#,
    );
    let screen = Terminal::with_columns(120).run(sandbox.command(["sessions", "--color", "never"])).end().with_code(0);
    assert!(screen.contains("many2400 ") && screen.contains("many2201 ") && !screen.contains("many2200 "), "{screen}");
    assert!(screen.contains("200 sessions on this page; the next page: --after "), "{screen}");
    let dry_run = sandbox.command(["sessions", "revoke", "--all-users", "--all", "--dry-run", "--color", "never"]);
    let screen = Terminal::with_columns(120).run(dry_run).end().with_code(0);
    assert!(screen.contains("many2201 ") && !screen.contains("many2200 "), "{screen}");
    assert!(screen.contains("would end 2401 sessions"), "{screen}");
    assert!(screen.contains("the first 200 are shown; in a pipe, all are"), "{screen}");
}

#[test]
fn on_a_terminal_a_long_act_shows_its_progress_and_clears_it() {
    let sandbox = Sandbox::with_ada();
    for (flag, shows) in [("--no-input", true), ("--quiet", false)] {
        let writer = sandbox.sql();
        writer.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut command = sandbox.command(["sessions", "prune", "--wait", "30s", flag]);
        command.env("TERM", "xterm");
        let mut running = Terminal::new().run(command);
        if shows {
            running.wait_for("deleting sessions [");
        } else {
            std::thread::sleep(std::time::Duration::from_millis(1500));
        }
        writer.execute_batch("ROLLBACK").unwrap();
        let screen = running.end().with_code(0);
        assert_eq!(screen.contains("deleting sessions ["), shows, "{screen:?}");
        // The line is cleared before the report.
        let after = screen.rsplit("deleting sessions [").next().unwrap();
        assert!(!shows || after.contains("\x1b[2K") && after.contains("deleted 0"), "{screen:?}");
    }
}

#[test]
fn on_a_terminal_fixes_and_the_check_after_them_are_one_act() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute(r#"UPDATE "user" SET "email" = 'Ada@example.com'"#);
    let mut command = sandbox.command(["doctor", "--fix", "--wait", "30s"]);
    command.env("TERM", "xterm");
    let mut running = Terminal::new().run(command);
    running.wait_for("Fix?");
    let writer = sandbox.sql();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    running.enter("y").wait_for("fixing the database");
    writer.execute_batch("ROLLBACK").unwrap();
    let screen = running.end().with_code(0);
    let (_, after) = screen.split_once("Fix?").unwrap();
    assert!(!after.contains("checking the database") && after.contains("fixed: email-case"), "{screen:?}");
}

#[test]
fn no_prompt_with_no_input_or_ci() {
    let sandbox = Sandbox::with_ada();
    let mut under_ci = sandbox.command(["signin", "ada@example.com"]);
    under_ci.env("CI", "true");
    let answer = sandbox.command(["signin", "ada@example.com", "--no-input"]);
    for command in [answer, under_ci] {
        let screen = Terminal::new().run(command).end().with_code(2);
        assert!(screen.contains("--password-stdin"), "the flag that helps is named: {screen:?}");
        assert!(!screen.contains("Password:"), "{screen:?}");
    }
    let screen = run(&sandbox, "account delete --no-input").end().with_code(2);
    assert!(screen.contains("--yes"), "{screen:?}");
    assert_eq!(sandbox.number(r#"SELECT count(*) FROM "user""#), 1);
}

#[test]
fn password_stdin_at_a_terminal_is_refused() {
    let sandbox = Sandbox::with_ada();
    let screen = run(&sandbox, "signin ada@example.com --password-stdin").end().with_code(2);
    assert!(screen.contains("standard input is a terminal"), "{screen:?}");
}

/// Whether the cursor is visible at the end.
fn cursor_is_shown(screen: &str) -> bool {
    screen.rfind("\x1b[?25l") < screen.rfind("\x1b[?25h")
}
