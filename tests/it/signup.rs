//! Successful runs of `signup`: the output and the rows in the database.

use insta::assert_snapshot;
use sha2::{Digest as _, Sha256};

use crate::sandbox::{PASSWORD, Sandbox};

const ADA: &str = "signup ada@example.com --name Ada --password-stdin";

#[test]
fn signup_creates_database_and_session() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run_with_input(ADA, PASSWORD), @"
    ------- stderr -------
    note: created the database [HOME]/.local/share/authctl/auth.db
    created the account of Ada <ada@example.com> and signed in; the session ends in 7 days
    the session is kept unencrypted, readable by you alone, in [HOME]/.config/authctl/sessions/[KEY].json
    ");
    let who = sandbox.run("whoami --json").json();
    assert_eq!(who["user"]["email"], "ada@example.com");
    assert_eq!(who["user"]["emailVerified"], false);
}

#[test]
fn existing_database_is_not_mentioned() {
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(sandbox.sign_up("bob@example.com", "Bob"), @"
    ------- stderr -------
    created the account of Bob <bob@example.com> and signed in; the session ends in 7 days
    the session is kept unencrypted, readable by you alone, in [HOME]/.config/authctl/sessions/[KEY].json
    ");
}

#[test]
fn quiet_says_nothing_at_all() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run_with_input(&format!("--quiet {ADA}"), PASSWORD), @"");
    assert!(sandbox.database().exists());
}

#[test]
fn no_signin_makes_the_account_and_no_session() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run_with_input(&format!("{ADA} --no-signin"), PASSWORD), @"
    ------- stderr -------
    note: created the database [HOME]/.local/share/authctl/auth.db
    created the account of Ada <ada@example.com> in [HOME]/.local/share/authctl/auth.db
    ");
    assert_eq!(sandbox.number("SELECT count(*) FROM user"), 1);
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 0);
    assert!(!sandbox.sessions().exists());
    let _ = sandbox.run("whoami").failure(4);
}

#[test]
fn json_answers_with_the_user_and_the_session_or_null() {
    let sandbox = Sandbox::new();
    let with = sandbox.run_with_input(&format!("{ADA} --json"), PASSWORD).json();
    assert_eq!(with["user"]["name"], "Ada");
    assert_eq!(with["session"]["userId"], with["user"]["id"]);
    let words = "signup bob@example.com --name Bob --password-stdin --no-signin --json";
    let without = sandbox.run_with_input(words, PASSWORD).json();
    assert!(without["session"].is_null(), "{without}");
    assert!(without["user"]["image"].is_null(), "what is absent is null: {without}");
}

#[test]
fn aliases_sign_up() {
    let sandbox = Sandbox::new();
    for (alias, email) in [("sign-up", "ada@example.com"), ("register", "bob@example.com")] {
        let words = format!("{alias} {email} --name Somebody --password-stdin");
        sandbox.run_with_input(&words, PASSWORD).success();
    }
    assert_eq!(sandbox.number("SELECT count(*) FROM user"), 2);
}

#[test]
fn the_password_may_come_from_a_file() {
    let sandbox = Sandbox::new();
    sandbox.file("pw", format!("{PASSWORD}\n"));
    sandbox.run("signup ada@example.com --name Ada --password-file pw").success();
    sandbox.sign_in("ada@example.com").success();
}

#[test]
fn a_picture_is_stored_and_shown() {
    let sandbox = Sandbox::new();
    let image = "https://example.com/ada.png?size=2";
    sandbox.run_with_input(&format!("{ADA} --image {image}"), PASSWORD).success();
    assert_eq!(sandbox.run("whoami --json").json()["user"]["image"], image);
}

#[test]
fn longest_name_and_password_are_not_truncated() {
    let sandbox = Sandbox::new();
    let name = "ä".repeat(200);
    // 128 UTF-16 units without repetition.
    let password: String = (0..128_u8).map(|n| char::from(b'a' + (n ^ (n / 26)) % 26)).collect();
    let words = ["signup", "ada@example.com", "--name", &name, "--password-stdin"];
    sandbox.finish_with_input(&mut sandbox.command(words), &password).success();
    assert_eq!(sandbox.run("whoami --json").json()["user"]["name"], name.as_str());
    let signin = "signin ada@example.com --password-stdin";
    let _ = sandbox.run_with_input(signin, &password[..127]).failure(7);
    sandbox.run_with_input(signin, &password).success();
}

#[test]
fn the_address_is_kept_in_lower_case_and_the_name_as_typed() {
    let sandbox = Sandbox::new();
    sandbox.sign_up("Ada.Lovelace@Example.COM", " Ada  King ").success();
    let user = sandbox.run("whoami --json").json()["user"].clone();
    assert_eq!(user["email"], "ada.lovelace@example.com");
    assert_eq!(user["name"], " Ada  King ");
}

#[test]
fn the_rows_are_those_that_better_auth_would_write() {
    let sandbox = Sandbox::with_ada();
    let row = |sql: &str| -> Vec<String> {
        let connection = sandbox.sql();
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let read = |row: &rusqlite::Row<'_>| (0..columns).map(|n| row.get(n)).collect();
        let rows: Vec<Vec<String>> = statement.query_map([], read).unwrap().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 1, "{sql}");
        rows.concat()
    };
    let user = row("SELECT id FROM user WHERE emailVerified = 0 AND banned = 0 AND createdAt = updatedAt");
    let account = row("SELECT providerId, accountId, userId, password FROM account");
    assert_eq!(account[..3], ["credential", &user[0], &user[0]]);
    assert!(account[3].starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", account[3]);
    let session = row("SELECT userId, userAgent FROM session WHERE expiresAt = createdAt + 7 * 86400");
    assert_eq!(session[0], user[0]);
    assert!(session[1].starts_with("authctl/"), "{}", session[1]);
}

#[test]
fn two_users_with_one_password_have_different_hashes() {
    let sandbox = Sandbox::with_ada();
    sandbox.sign_up("bob@example.com", "Bob").success();
    assert_eq!(sandbox.number("SELECT count(DISTINCT password) FROM account"), 2);
}

#[test]
fn database_has_a_digest_and_no_token_or_password() {
    let sandbox = Sandbox::with_ada();
    // An open connection keeps the WAL, so that the test searches it too.
    let reader = sandbox.sql();
    let stored: String = reader.query_row("SELECT token FROM session", [], |row| row.get(0)).unwrap();
    sandbox.sign_in("ada@example.com").success();
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(sandbox.session_file()).unwrap()).unwrap();
    let token = file["token"].as_str().unwrap();
    let digest = Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let now: String = reader.query_row("SELECT token FROM session", [], |row| row.get(0)).unwrap();
    assert_eq!(now, digest);
    assert_ne!(now, stored);
    let holds = |needle: &str| {
        let files = std::fs::read_dir(sandbox.database().parent().unwrap()).unwrap();
        files
            .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .any(|bytes| bytes.windows(needle.len()).any(|window| window == needle.as_bytes()))
    };
    assert!(holds(&digest), "the search finds what is there");
    assert!(!holds(token), "the token is in a file of the database");
    assert!(!holds(PASSWORD), "the password is in a file of the database");
}

#[test]
fn pasted_address_is_taken_wherever_one_is_typed() {
    let sandbox = Sandbox::new();
    sandbox.run_with_input("signup mailto:Ada@Example.com, --name Ada --password-stdin", PASSWORD).success();
    assert_eq!(sandbox.number("SELECT count(*) FROM user WHERE email = 'ada@example.com'"), 1);
    for named in ["Ada Lovelace <ada@example.com>", "\u{a0}ada@example.com;"] {
        sandbox.run_words(&["users", "show", named]).success();
    }
    sandbox.run("audit list --since 2h --user <ada@example.com>").success();
}
