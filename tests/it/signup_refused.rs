//! `signup` when it is refused: the reason, and that it leaves no trace.

use insta::assert_snapshot;

use crate::sandbox::{PASSWORD, Ran, Sandbox};

/// Signs up in an empty home and returns the JSON of the refusal.
fn refusal(email: &str, name: &str, more: &[&str], password: &str) -> (String, String) {
    let sandbox = Sandbox::new();
    let mut words = vec!["signup", email, "--name", name, "--password-stdin", "--json"];
    words.extend(more);
    let error = sandbox.finish_with_input(&mut sandbox.command(words), password).json_error(2);
    let left: Vec<_> = std::fs::read_dir(sandbox.home()).unwrap().collect();
    assert!(left.is_empty(), "a refused sign-up left {left:?}");
    let text = |field: &str| error[field].as_str().unwrap().to_owned();
    (text("code"), text("message"))
}

#[test]
fn invalid_address_is_refused() {
    for email in
        ["ada", "ada@", "ada@localhost", "ada king@example.com", "a@b.co,c@d.ef", "ada@example.com\nBcc: x@y.zz"]
    {
        let (code, message) = refusal(email, "Ada", &[], PASSWORD);
        assert_eq!(code, "INVALID_EMAIL", "{email:?}: {message}");
    }
}

#[test]
fn blank_long_or_controlling_name_is_refused() {
    let long = "a".repeat(201);
    for (name, reason) in
        [("", "empty"), (" \u{a0} ", "empty"), (&long, "longer"), ("A\x1b[2J", "control"), ("Ada\nroot", "control")]
    {
        let (code, message) = refusal("ada@example.com", name, &[], PASSWORD);
        assert_eq!(code, "VALIDATION_ERROR", "{name:?}: {message}");
        assert!(message.contains("the name") && message.contains(reason), "{name:?}: {message}");
    }
}

#[test]
fn image_must_be_a_web_address() {
    for image in ["", "ada.png", "file:///etc/passwd", "javascript:alert(1)", "https://", "https://a b"] {
        let (code, message) = refusal("ada@example.com", "Ada", &["--image", image], PASSWORD);
        assert_eq!(code, "VALIDATION_ERROR", "{image:?}: {message}");
        assert!(message.contains("the image"), "{image:?}: {message}");
    }
}

#[test]
fn each_password_error_has_its_own_code() {
    let long = "0123456789abcdef".repeat(8) + "x";
    for (password, code) in [
        ("v3Ry;S!", "PASSWORD_TOO_SHORT"),
        (&long, "PASSWORD_TOO_LONG"),
        ("password1", "PASSWORD_TOO_WEAK"),
        ("aaaaaaaaaaaaaaaa", "PASSWORD_TOO_WEAK"),
        ("correct horse\tbattery staple", "PASSWORD_UNUSABLE"),
        ("", "PASSWORD_UNUSABLE"),
    ] {
        let (found, message) = refusal("ada@example.com", "Ada", &[], password);
        assert_eq!(found, code, "{password:?}: {message}");
        assert!(password.is_empty() || !message.contains(password), "a secret was repeated: {message}");
    }
}

#[test]
fn own_name_or_address_is_refused_as_password() {
    for password in ["Wilhelmina", "wilhelmina.quux"] {
        let (code, _) = refusal("wilhelmina.quux@example.com", "Wilhelmina Quux", &[], password);
        assert_eq!(code, "PASSWORD_TOO_WEAK", "{password}");
    }
}

#[test]
fn weak_password_is_an_error_with_a_hint() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run_with_input("signup ada@example.com --name Ada --password-stdin", "password1"), @"
    ------- stderr -------
    error: could not sign up: the password is too easy to guess: this is a very common password
    hint: a few unrelated words make a good password
    [exit status: 2]
    ");
}

#[test]
fn missing_name_or_password_names_its_flag() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run_with_input("signup ada@example.com --password-stdin", PASSWORD), @"
    ------- stderr -------
    error: could not sign up: a name is needed, and cannot be asked for: standard input is not a terminal
    hint: give it with --name
    [exit status: 2]
    ");
    assert_snapshot!(sandbox.run("signup ada@example.com --name Ada"), @"
    ------- stderr -------
    error: could not sign up: a new password is needed, and cannot be asked for: standard input is not a terminal
    hint: give it with --password-stdin or --password-file
    [exit status: 2]
    ");
    assert!(!sandbox.database().exists());
}

/// All rows of the database except those of the throttle.
fn rows(sandbox: &Sandbox) -> String {
    let tables = ["user", "account", "session"].map(|table| {
        let connection = sandbox.sql();
        let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY id")).unwrap();
        let columns = statement.column_count();
        let rows = statement
            .query_map([], |row| {
                (0..columns).map(|n| row.get::<_, rusqlite::types::Value>(n)).collect::<Result<Vec<_>, _>>()
            })
            .unwrap();
        rows.map(|row| format!("{:?}", row.unwrap())).collect::<Vec<_>>().join("\n")
    });
    tables.concat()
}

fn as_mallory(sandbox: &Sandbox, email: &str, more: &str) -> Ran {
    let words = format!("signup {email} --name Mallory --password-stdin {more}");
    sandbox.run_with_input(&words, "wholly different secret words")
}

#[test]
fn taken_address_is_refused_in_any_case() {
    let sandbox = Sandbox::with_ada();
    let before = (rows(&sandbox), std::fs::read(sandbox.session_file()).unwrap());
    for email in ["ada@example.com", "ADA@Example.COM"] {
        for more in ["", "--no-signin"] {
            let error = as_mallory(&sandbox, email, &format!("{more} --json")).json_error(6);
            assert_eq!(error["code"], "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL", "{email} {more}");
        }
    }
    assert_eq!((rows(&sandbox), std::fs::read(sandbox.session_file()).unwrap()), before);
    assert_eq!(std::fs::read_dir(sandbox.sessions()).unwrap().count(), 1, "no half-made session file is left");
    sandbox.sign_in("ada@example.com").success();
}

#[test]
fn taken_address_is_an_error_with_a_hint() {
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(as_mallory(&sandbox, "ada@example.com", ""), @"
    ------- stderr -------
    error: could not sign up: a user with this email address exists
    hint: sign in with `authctl signin`, or use another address
    [exit status: 6]
    ");
}
