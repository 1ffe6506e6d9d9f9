//! `stats`: numbers about users, sessions and sign-ins, as text and as JSON.

use serde_json::json;

use crate::app::{App, KYSELY};
use crate::pty::Terminal;
use crate::sandbox::{PASSWORD, Sandbox};

#[test]
fn stats_count_what_the_database_and_its_log_have() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("users create bob@example.com --name Bob --no-password").success();
    sandbox.run("users verify-email bob@example.com").success();
    let _ = sandbox.run_with_input("signin ada@example.com --password-stdin", "wrong password").failure(7);
    let stats = sandbox.run("stats --since 1h --json").json();
    let counts = ["users", "verified", "secondFactor", "liveSessions", "stepSeconds"].map(|field| stats[field].clone());
    assert_eq!(counts, [2, 1, 0, 1, 60].map(|number| json!(number)));
    let totals = ["signUps", "signIns", "failures"].map(|field| stats[field]["total"].clone());
    assert_eq!(totals, [2, 1, 1].map(|number| json!(number)));
    assert_eq!(stats["signUps"]["series"].as_array().unwrap().len(), 60);
    assert_eq!((&stats["onlyThroughAuthctl"], stats["logBegins"].is_string()), (&json!(false), true));
    let text = sandbox.run("stats").success();
    assert!(text.starts_with("users            2\nverified         1\n"), "{text}");
    assert!(
        text.lines().nth(8).unwrap().ends_with("  SIGN-UPS  SIGN-INS  FAILED") && text.lines().count() == 39,
        "{text}"
    );
}

#[test]
fn stats_of_an_app_do_not_pass_unknown_numbers_off_as_zero() {
    let app = App::new(KYSELY);
    let before = app.run("stats --json").json();
    assert!(before["signIns"]["total"].is_null() && before["logBegins"].is_null(), "{before}");
    assert!(before["users"].as_u64().is_some_and(|users| users > 0) && before["signUps"]["total"].is_u64(), "{before}");
    assert!(before["secondFactor"].is_null() && before["verified"].is_u64(), "{before}");
    let _ =
        app.sandbox.finish_with_input(&mut app.command("signin nobody-here@example.com --password-stdin"), PASSWORD);
    let after = app.run("stats --since 1h --json").json();
    assert_eq!(after["onlyThroughAuthctl"], json!(true));
    assert!(after["failures"]["total"].is_null() && after["logBegins"].is_string(), "{after}");
    assert_eq!(after["failures"]["series"][59], json!(1), "{after}");
    let text = app.run("stats");
    assert!(text.stderr.contains("through authctl") && text.stdout.contains("sign-ins         unknown"), "{text}");
}

#[test]
fn stats_fit_a_terminal() {
    let sandbox = Sandbox::with_ada();
    for columns in [60, 80, 120] {
        let stats = sandbox.command(["stats", "--color", "never"]);
        let text = Terminal::with_columns(columns).run(stats).end().with_code(0);
        assert!(text.lines().all(|line| line.trim_end().chars().count() <= usize::from(columns)), "{text}");
        assert!(text.contains("a mark for each day") && text.contains('█'), "{text}");
    }
    let mut ascii = sandbox.command(["stats", "--color", "never"]);
    ascii.env("LC_ALL", "C");
    let text = Terminal::with_columns(80).run(ascii).end().with_code(0);
    assert!(text.is_ascii() && text.contains('#'), "{text}");
}
