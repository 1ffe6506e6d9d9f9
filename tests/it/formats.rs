//! Output that programs rely on: JSON documents, plain text in pipes, and the choice of stream.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Ran, Sandbox};

/// All commands with output, in an order in which each has some, with their standard input.
fn every_command() -> Vec<(&'static str, String)> {
    let password = || PASSWORD.to_owned();
    vec![
        ("db init --db other.db", String::new()),
        ("signup ada@example.com --name Ada --password-stdin", password()),
        ("signup bob@example.com --name Bob --password-stdin --no-signin", password()),
        ("signin ada@example.com --password-stdin", password()),
        ("signin ada@example.com --password-stdin --no-remember", password()),
        ("signin ada@example.com --password-stdin --print-token", password()),
        ("signin ada@example.com --password-stdin --no-store", password()),
        ("whoami", String::new()),
        ("sessions", String::new()),
        ("sessions list", String::new()),
        ("sessions revoke --others --dry-run", String::new()),
        ("sessions revoke --others", String::new()),
        ("sessions prune --dry-run", String::new()),
        ("sessions prune", String::new()),
        ("password change --password-stdin", format!("{PASSWORD}\n{OTHER_PASSWORD}\n")),
        ("passwd --password-stdin --keep-sessions", format!("{OTHER_PASSWORD}\n{PASSWORD}\n")),
        ("account update --name Countess", String::new()),
        ("db status", String::new()),
        ("db migrate", String::new()),
        ("db init --if-missing", String::new()),
        ("signout", String::new()),
        ("signout", String::new()),
        ("signin ada@example.com --password-stdin", password()),
        ("account delete --yes", String::new()),
    ]
}

fn run(sandbox: &Sandbox, words: &str, flag: &str, input: &str) -> Ran {
    sandbox.run_with_input(&format!("{words} {flag}"), input)
}

/// All instants in a document, at any depth.
fn instants<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                assert!(!name.contains('_') && name.starts_with(|c: char| c.is_ascii_lowercase()), "{name}");
                match value.as_str() {
                    Some(text) if name.ends_with("At") => found.push(text),
                    _ => instants(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| instants(value, found)),
        _ => {}
    }
}

#[test]
fn every_answer_under_json_is_one_document_and_nothing_else() {
    let sandbox = Sandbox::new();
    for (words, input) in every_command() {
        let ran = run(&sandbox, words, "--json", &input);
        assert_eq!(ran.code, 0, "{words}: {ran}");
        let notes = ran.stderr.lines().filter(|line| !line.starts_with("note: ")).count();
        assert_eq!(notes, 0, "{words}: {ran}");
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert!(document.is_object() && ran.stdout.ends_with("}\n"), "{words}: {ran}");
        let mut times = Vec::new();
        instants(&document, &mut times);
        for time in times {
            assert!(time.len() == 24 && time.ends_with('Z'), "{words}: {time}");
            time.parse::<jiff::Timestamp>().unwrap();
        }
    }
}

#[test]
fn whoami_has_the_shape_of_get_session() {
    let sandbox = Sandbox::with_ada();
    let document = sandbox.run("whoami --json").json();
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let expected = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    assert_eq!(fields(&document), expected(&["session", "user"]));
    assert_eq!(
        fields(&document["session"]),
        expected(&["id", "userId", "expiresAt", "createdAt", "updatedAt", "ipAddress", "userAgent", "impersonatedBy"])
    );
    assert_eq!(
        fields(&document["user"]),
        expected(&[
            "id",
            "name",
            "email",
            "emailVerified",
            "image",
            "createdAt",
            "updatedAt",
            "role",
            "banned",
            "banReason",
            "banExpires",
            "twoFactorEnabled",
        ])
    );
    assert!(document["user"]["image"].is_null(), "absent is null");
    assert_eq!(document["session"]["userId"], document["user"]["id"]);
}

#[test]
fn every_failure_under_json_is_one_document_on_standard_error() {
    let sandbox = Sandbox::with_ada();
    let wrong = "the password of another user";
    for (words, input, code, name) in [
        ("whoami --db missing.db", "", 4, "UNAUTHORIZED"),
        ("db status --db missing.db", "", 9, "DATABASE_MISSING"),
        ("db init", "", 6, "DATABASE_EXISTS"),
        ("signup ada@example.com --name Ada --password-stdin", PASSWORD, 6, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"),
        ("signup nonsense --name Ada --password-stdin", PASSWORD, 2, "INVALID_EMAIL"),
        ("signup a@example.com --name A --password-stdin", "short", 2, "PASSWORD_TOO_SHORT"),
        ("signup a@example.com --name A --password-stdin", "password1234", 2, "PASSWORD_TOO_WEAK"),
        ("signin ada@example.com --password-stdin", wrong, 7, "INVALID_EMAIL_OR_PASSWORD"),
        ("signin eve@example.com --password-stdin", wrong, 7, "INVALID_EMAIL_OR_PASSWORD"),
        ("signin ada@example.com", "", 2, "INPUT_NEEDED"),
        ("account delete", "", 2, "INPUT_NEEDED"),
        ("sessions revoke unknown", "", 3, "SESSION_NOT_FOUND"),
        ("sessions revoke", "", 2, "USAGE"),
        ("sessions revoke --no-such-flag", "", 2, "USAGE"),
        ("no-such-command", "", 2, "USAGE"),
        ("--wait soon whoami", "", 2, "USAGE"),
        ("help no-such-topic", "", 2, "USAGE"),
    ] {
        let ran = run(&sandbox, words, "--json", input);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{words}: {ran}");
        let document: Value = serde_json::from_str(&ran.stderr).unwrap();
        assert_eq!(document.as_object().unwrap().len(), 1, "{words}: {ran}");
        let error = document["error"].as_object().unwrap();
        assert_eq!(error.keys().collect::<Vec<_>>(), ["code", "message", "hint"], "{words}");
        assert_eq!(error["code"], name, "{words}: {ran}");
        let message = error["message"].as_str().unwrap();
        assert!(!message.is_empty() && !message.ends_with('.') && !message.contains('\n'), "{words}: {message}");
        // The text output of the same failure has the same message.
        let words_only = run(&sandbox, words, "", input);
        assert!(words_only.stderr.starts_with(&format!("error: {message}\n")), "{words}: {words_only}");
    }
}

#[test]
fn missing_command_prints_help_to_stderr_and_is_2() {
    let sandbox = Sandbox::new();
    let help = sandbox.run("").failure(2);
    assert!(help.contains("Usage: authctl"), "{help}");
}

#[test]
fn piped_output_has_no_boxes_or_colours_and_is_complete() {
    let sandbox = Sandbox::new();
    let long = "a-very-long-user-agent-".repeat(40);
    for (words, input) in every_command() {
        let ran = run(&sandbox, words, "", &input);
        assert_eq!(ran.code, 0, "{words}: {ran}");
        let text = format!("{}{}", ran.stdout, ran.stderr);
        for c in text.chars() {
            let boxed = ('\u{2500}'..='\u{259f}').contains(&c);
            assert!(!boxed && c != '…' && c != '|' && (c == '\n' || !c.is_control()), "{words}: {c:?} in {ran}");
        }
        if words.starts_with("signup ada") {
            sandbox.execute(&format!("UPDATE session SET userAgent = '{long}'"));
            assert!(sandbox.run("sessions").success().contains(&long), "cut off or wrapped");
        }
    }
}

#[test]
fn answers_go_to_stdout_and_confirmations_to_stderr() {
    let sandbox = Sandbox::new();
    for (words, input) in every_command() {
        let answers = ["whoami", "sessions", "sessions list", "db status", "sessions revoke --others --dry-run"];
        let answers = answers.contains(&words) || words.ends_with("--print-token");
        let ran = run(&sandbox, words, "", &input);
        assert_eq!(!ran.stdout.is_empty(), answers, "{words}: {ran}");
    }
}

#[test]
fn quiet_silences_success_and_not_failure() {
    let sandbox = Sandbox::new();
    for (words, input) in every_command() {
        let ran = run(&sandbox, words, "-q", &input);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{words}");
    }
    let error = sandbox.run("--quiet whoami").failure(4);
    assert!(error.starts_with("error: "), "{error}");
}

#[test]
fn errors_are_coloured_only_on_request() {
    let sandbox = Sandbox::new();
    let error = |words: &str, no_color: &str| {
        sandbox.finish(sandbox.command(words.split_whitespace()).env("NO_COLOR", no_color)).stderr
    };
    let plain = error("whoami", "");
    assert!(!plain.contains('\x1b'), "a pipe is no terminal: {plain:?}");
    let always = error("whoami --color always", "");
    assert!(always.starts_with("\x1b[1;31merror:\x1b[0m ") && always.contains("\x1b[36mhint:"), "{always:?}");
    for no_color in ["", "1"] {
        for words in ["whoami --color never", "whoami --color auto", "whoami --color always --json"] {
            assert!(!error(words, no_color).contains('\x1b'), "{words}");
        }
    }
    assert_eq!(error("whoami --color always", "1"), always, "what is typed wins over NO_COLOR");
    let _ = sandbox.run("whoami --color sometimes").failure(2);
}
