//! Refusals of `users create`, and concurrent calls.

use std::process::Stdio;

use insta::assert_snapshot;

use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Sandbox};

/// Below the home directory there is only what the test put there.
fn assert_nothing_made(sandbox: &Sandbox, what: &str) {
    let left: Vec<_> = std::fs::read_dir(sandbox.home()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{what}: left {left:?}");
}

#[test]
fn missing_input_without_a_terminal_names_the_flag() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run("users create ada@example.com --generate"), @r"
    ------- stderr -------
    error: could not create the user: a name is needed, and cannot be asked for: standard input is not a terminal
    hint: give it with --name
    [exit status: 2]
    ");
    assert_snapshot!(sandbox.run("users create ada@example.com --name Ada"), @r"
    ------- stderr -------
    error: could not create the user: a new password is needed, and cannot be asked for: standard input is not a terminal
    hint: give it with --password-stdin or --password-file
    [exit status: 2]
    ");
    assert_nothing_made(&sandbox, "a question");
}

#[test]
fn invalid_user_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    let long = "a".repeat(201);
    for (words, code) in [
        (&["ada", "--name", "Ada"][..], "INVALID_EMAIL"),
        (&["ada@localhost", "--name", "Ada"], "INVALID_EMAIL"),
        (&["ada@example.com", "--name", " "], "VALIDATION_ERROR"),
        (&["ada@example.com", "--name", "A\x1b[2J"], "VALIDATION_ERROR"),
        (&["ada@example.com", "--name", "Ada", "--image", "javascript:alert(1)"], "VALIDATION_ERROR"),
        (&["ada@example.com", "--name", "Ada", "--role", "a b"], "INVALID_ROLE"),
        (&["ada@example.com", "--name", "Ada", "--role", ""], "INVALID_ROLE"),
        (&["ada@example.com", "--name", "Ada", "--role", "admin,"], "INVALID_ROLE"),
        (&["ada@example.com", "--name", "Ada", "--role", "a, b"], "INVALID_ROLE"),
        (&["ada@example.com", "--name", "Ada", "--role", "ädmin"], "INVALID_ROLE"),
        (&["ada@example.com", "--name", "Ada", "--role", "a%"], "INVALID_ROLE"),
        (&["ada@example.com", "--name", "Ada", "--role", &long], "INVALID_ROLE"),
    ] {
        for password in ["--no-password", "--generate"] {
            let words = [&["users", "create", "--json", password], words].concat();
            assert_eq!(sandbox.run_words(&words).json_error(2)["code"], code, "{words:?}");
        }
    }
    assert_eq!(sandbox.number("SELECT count(*) FROM user"), 0);
}

#[test]
fn refused_user_creates_no_database() {
    for more in [&["--role", "a b"][..], &["--image", "no"], &["--name", ""]] {
        let sandbox = Sandbox::new();
        let words = [&["users", "create", "ada@example.com", "--name=Ada", "--no-password"], more].concat();
        let words: Vec<_> = words.into_iter().filter(|word| more[0] != "--name" || *word != "--name=Ada").collect();
        let _ = sandbox.run_words(&words).failure(2);
        assert_nothing_made(&sandbox, &format!("{more:?}"));
    }
    let sandbox = Sandbox::new();
    let _ = sandbox.run_with_input("users create a@b.co --name A --password-stdin", "password1").failure(2);
    assert_nothing_made(&sandbox, "a weak password");
}

#[test]
fn allow_weak_lifts_the_strength_floor_and_no_other_rule() {
    let sandbox = Sandbox::with_ada();
    let long = "0123456789abcdef".repeat(8) + "x";
    for command in ["create bob@example.com --name Bob", "set-password ada@example.com"] {
        let words = format!("users {command} --password-stdin --json");
        let weak = sandbox.run_with_input(&words, "password1").json_error(2);
        assert_eq!(weak["code"], "PASSWORD_TOO_WEAK", "{command}");
        assert!(!weak.to_string().contains("password1"), "{weak}");
        for (password, code) in [
            ("passwor", "PASSWORD_TOO_SHORT"),
            (&long, "PASSWORD_TOO_LONG"),
            ("password\t1", "PASSWORD_UNUSABLE"),
            ("", "PASSWORD_UNUSABLE"),
            ("one word\nand another", "PASSWORD_UNUSABLE"),
        ] {
            let error = sandbox.run_with_input(&format!("{words} --allow-weak"), password).json_error(2);
            assert_eq!(error["code"], code, "{command}: {password:?}");
        }
    }
    sandbox.run("whoami").success();
    for (command, email) in
        [("create bob@example.com --name Bob", "bob@example.com"), ("set-password ada@example.com", "ada@example.com")]
    {
        sandbox.run_with_input(&format!("users {command} --password-stdin --allow-weak"), "password1\n").success();
        sandbox.run_with_input(&format!("signin {email} --password-stdin --no-store"), "password1").success();
    }
}

#[test]
fn a_users_own_words_make_a_weak_password() {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    let words = "users create ada.lovelace@example.com --name Countess --password-stdin --json";
    for password in ["ada.lovelace", "ada.lovelace@example.com", "Countess1"] {
        assert_eq!(sandbox.run_with_input(words, password).json_error(2)["code"], "PASSWORD_TOO_WEAK", "{password}");
    }
}

#[test]
fn a_password_has_one_source() {
    let sandbox = Sandbox::with_ada();
    let sources = ["--password-stdin", "--password-file=pw", "--generate", "--hash-stdin", "--no-password"];
    sandbox.file("pw", OTHER_PASSWORD);
    for (number, first) in sources.iter().enumerate() {
        for second in &sources[number + 1..] {
            let words = format!("users create bob@example.com --name Bob {first} {second}");
            let _ = sandbox.run_with_input(&words, OTHER_PASSWORD).failure(2);
            let words = format!("users set-password ada@example.com {first} {second}");
            let _ = sandbox.run_with_input(&words, OTHER_PASSWORD).failure(2);
        }
    }
    assert_eq!(sandbox.number("SELECT count(*) FROM user"), 1);
    sandbox.sign_in("ada@example.com").success();
}

/// The number of processes that create the first administrator with `--if-missing`.
fn all_make_sure(sandbox: &Sandbox, times: usize) {
    sandbox.file("pw", PASSWORD);
    let words =
        "users create ada@example.com --name Ada --role admin --password-file pw --if-missing --json --wait 60s";
    let children: Vec<_> = (0..times)
        .map(|_| {
            let mut command = sandbox.command(words.split(' '));
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut made = 0;
    for child in children {
        let ran = sandbox.ran(&child.wait_with_output().unwrap());
        assert_eq!(ran.code, 0, "{ran}");
        made += usize::from(ran.json()["act"] == "created");
    }
    assert_eq!(made, 1, "one of them made the user");
    assert_eq!(sandbox.number("SELECT count(*) FROM user"), 1);
    assert_eq!(sandbox.number("SELECT count(*) FROM account"), 1);
    sandbox.sign_in("ada@example.com").success();
}

#[test]
fn one_of_many_processes_creates_the_user() {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    all_make_sure(&sandbox, 20);
}

#[test]
fn parallel_processes_create_one_database() {
    all_make_sure(&Sandbox::new(), 20);
}
