//! Untrusted text that contains terminal control sequences is escaped in every output.

use crate::sandbox::{PASSWORD, Ran, Sandbox};

/// Control characters, line separators, bidi controls and invisible characters, in a very long text.
fn hostile() -> Vec<String> {
    vec![
        "\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[31mred".to_owned(),
        "\u{9b}2J\u{9d}0;owned\u{9c}".to_owned(),
        "one\r\nadmin@example.com\tadmin\u{b}\u{c}\u{8}\u{7f}".to_owned(),
        "\u{202e}nimda\u{202c}\u{2066}x\u{2069}\u{200b}\u{feff}\u{2028}\u{2029}".to_owned(),
        "\u{85}next\u{0090}dcs".to_owned(),
        format!("{}\u{1b}", "long ".repeat(2_000)),
    ]
}

/// A sandbox where this text is Ada's name, email address and image, and her session's IP address and user agent.
fn sandbox_with(text: &str) -> Sandbox {
    let sandbox = Sandbox::with_ada();
    let connection = sandbox.sql();
    connection
        .execute("UPDATE user SET name = ?1, email = ?1 || '@example.com', role = ?1, image = ?1", [text])
        .unwrap();
    connection.execute("UPDATE session SET userAgent = ?1, ipAddress = ?1", [text]).unwrap();
    sandbox
}

/// Asserts that only line ends control a terminal.
#[track_caller]
fn assert_harmless(ran: &Ran, words: &str) {
    for c in ran.stdout.chars().chain(ran.stderr.chars()) {
        let hidden =
            matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        assert!(c == '\n' || !(c.is_control() || hidden), "{words}: {c:?} in {:?}{:?}", ran.stdout, ran.stderr);
    }
}

#[test]
fn hostile_text_is_escaped_on_a_terminal() {
    for text in hostile() {
        let sandbox = sandbox_with(&text);
        for words in [
            "whoami",
            "sessions",
            "sessions revoke --all --dry-run",
            "account update --image https://example.com/a.png",
            "account delete",
            "sessions revoke --all",
        ] {
            let ran = sandbox.run(words);
            assert!(ran.code == 0 || words == "account delete", "{words}: {ran}");
            assert_harmless(&ran, words);
        }
        assert_harmless(&sandbox.run("whoami"), "whoami, signed out");
    }
}

#[test]
fn a_record_stays_on_its_line() {
    let sandbox = sandbox_with("one\r\nuser id     somebody-else\u{2028}x");
    assert_eq!(sandbox.run("whoami").success().lines().count(), 8);
    assert_eq!(sandbox.run("sessions").success().lines().count(), 2);
    assert_eq!(sandbox.run("account update --image https://example.com/a.png").stderr.lines().count(), 1);
}

#[test]
fn long_values_are_shown_in_full() {
    let name = "long ".repeat(2_000) + "end";
    let sandbox = sandbox_with(&name);
    assert!(sandbox.run("whoami").success().contains(&name));
    assert!(sandbox.run("sessions").success().contains(&name));
}

#[test]
fn json_returns_every_character() {
    for text in hostile() {
        let sandbox = sandbox_with(&text);
        let me = sandbox.run("whoami --json");
        // JSON requires C0 controls to be escaped. All other characters that act on a terminal must be escaped too.
        assert!(!me.stdout.chars().any(|c| c != '\n' && c < ' '), "{:?}", me.stdout);
        let me = me.json();
        assert_eq!(me["user"]["name"], text.as_str());
        assert_eq!(me["user"]["email"], format!("{text}@example.com"));
        let list = sandbox.run("sessions --json").json();
        assert_eq!(list["sessions"][0]["userAgent"], text.as_str());
        let updated = sandbox.run("account update --image https://example.com/a.png --json").json();
        assert_eq!(updated["user"]["name"], text.as_str());
    }
}

#[test]
fn hostile_arguments_are_escaped_in_errors() {
    let sandbox = Sandbox::with_ada();
    for text in hostile() {
        for words in [
            vec!["sessions", "revoke", &text],
            vec!["signup", &text, "--name", "A", "--password-stdin"],
            vec!["signup", "a@example.com", "--name", &text, "--password-stdin"],
            vec!["--db", &text, "db", "status"],
            vec!["--wait", &text, "whoami"],
            vec!["--color", &text, "whoami"],
            vec!["help", &text],
            vec![&text],
        ] {
            let ran = sandbox.finish_with_input(&mut sandbox.command(&words), PASSWORD);
            // A name may contain invisible characters such as a zero-width joiner.
            assert!(ran.code != 0 || words.contains(&"--name"), "{words:?}");
            assert_harmless(&ran, &format!("{words:?}"));
        }
    }
}

#[test]
fn hostile_path_is_escaped() {
    let sandbox = Sandbox::new();
    let path = "a\u{1b}[2J\u{202e}\n.db";
    let made = sandbox.run_words(&["--db", path, "db", "init"]);
    assert_eq!(made.code, 0);
    assert_harmless(&made, "db init");
    let mut command = sandbox.command(["--db", path, "signup", "ada@example.com", "--name", "A", "--password-stdin"]);
    assert_harmless(&sandbox.finish_with_input(&mut command, PASSWORD), "signup");
    for words in [["whoami"].as_slice(), &["db", "status"], &["db", "migrate"], &["signout"], &["whoami"]] {
        let ran = sandbox.finish(sandbox.command(["--db", path]).args(words));
        assert_harmless(&ran, &format!("{words:?}"));
    }
}

#[test]
fn hostile_home_is_escaped() {
    let sandbox = Sandbox::new();
    let home = sandbox.path("a\u{1b}[2J\n");
    std::fs::create_dir(&home).unwrap();
    let mut command = sandbox.command(["signup", "ada@example.com", "--name", "A", "--password-stdin"]);
    assert_harmless(&sandbox.finish_with_input(command.env("HOME", &home), PASSWORD), "signup");
    for words in ["whoami", "signout", "whoami"] {
        assert_harmless(&sandbox.finish(sandbox.command([words]).env("HOME", &home)), words);
    }
}

/// Every JSON document returns the stored values unchanged.
#[test]
fn json_escapes_terminal_controls_without_loss() {
    for text in hostile() {
        let sandbox = sandbox_with(&text);
        for (words, pointer) in [
            ("whoami --json", "/user/name"),
            ("sessions --json", "/sessions/0/userAgent"),
            ("users list --json", "/users/0/name"),
            ("sessions revoke --all --dry-run --json", "/sessions/0/userAgent"),
        ] {
            let ran = sandbox.run(words);
            assert_harmless(&ran, words);
            let document = ran.json();
            assert_eq!(document.pointer(pointer).and_then(|value| value.as_str()), Some(text.as_str()), "{words}");
        }
        sandbox.sql().execute("UPDATE authctl_audit SET reason = ?1, detail = ?1", [&text]).unwrap();
        for words in ["audit list --json", "audit export", "audit tail --json"] {
            let ran = sandbox.run(words);
            assert_harmless(&ran, words);
            let line = ran.success();
            let first: serde_json::Value =
                serde_json::Deserializer::from_str(&line).into_iter().next().unwrap().unwrap();
            let entry = first.pointer("/entries/0").unwrap_or(&first);
            assert_eq!(entry["reason"], text.as_str(), "{words}");
        }
        let error = sandbox.run_words(&["users", "show", &text, "--json"]);
        assert_harmless(&error, "an error");
        assert!(error.code != 0 && serde_json::from_str::<serde_json::Value>(&error.stderr).is_ok(), "{error}");
    }
}
