//! `users create`: the rows it writes, and whether the new user can sign in.

use insta::assert_snapshot;

use crate::pty::Terminal;
use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Ran, Sandbox};

/// How much of the password a sign-in checks.
fn sign_in(sandbox: &Sandbox, password: &str) -> Ran {
    sandbox.run_with_input("signin ada@example.com --no-store --password-stdin", password)
}

/// All rows of the user as text.
fn rows(sandbox: &Sandbox) -> String {
    let sql = r"SELECT coalesce(group_concat(quote(u.id) || quote(u.name) || quote(u.role) || quote(u.image)
        || quote(u.updatedAt) || quote(u.emailVerified) || quote(a.id) || quote(a.password) || quote(a.updatedAt)), '')
        FROM user u LEFT JOIN account a ON a.userId = u.id";
    sandbox.sql().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn hash_of_php_is_imported_under_its_usual_name() {
    let sandbox = Sandbox::new();
    // `abc`, from the tests of jBCrypt.
    let php = "$2y$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i";
    sandbox.run_with_input("users create ada@example.com --name Ada --hash-stdin", php).success();
    assert_eq!(hash_of_ada(&sandbox), php.replace("$2y$", "$2b$"));
    sandbox.run_with_input("signin ada@example.com --no-store --password-stdin", "abc").success();
}

#[test]
fn missing_database_is_created_and_named() {
    let sandbox = Sandbox::new();
    let made = sandbox.run_with_input("users create ADA@Example.com --name Ada --password-stdin", PASSWORD);
    assert_snapshot!(made, @r"
    ------- stderr -------
    note: created the database [HOME]/.local/share/authctl/auth.db
    created Ada <ada@example.com> in [HOME]/.local/share/authctl/auth.db
    ");
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 0, "an operator is not signed in");
    assert!(!sandbox.sessions().exists());
    sandbox.sign_in("ada@example.com").success();
    let _ = sign_in(&sandbox, OTHER_PASSWORD).failure(7);
}

#[test]
fn all_options_are_stored() {
    let sandbox = Sandbox::new();
    let file = sandbox.file("pw", PASSWORD);
    let words = "users add ada@example.com --name Ada --image https://example.com/a.png --role editor,admin --verified";
    let mut command = sandbox.command(words.split(' '));
    let made = sandbox.finish(command.args(["--json", "--password-file"]).arg(file)).json();
    assert_eq!(made["act"], "created");
    assert_eq!(made["database"], sandbox.database().canonicalize().unwrap().to_str().unwrap());
    assert!(made.get("password").is_none());
    let user = &made["user"];
    assert_eq!((&user["name"], &user["role"]), (&"Ada".into(), &"editor,admin".into()));
    assert_eq!((&user["image"], &user["emailVerified"]), (&"https://example.com/a.png".into(), &true.into()));
    assert_eq!(sandbox.run("users show ada@example.com --json").json()["user"], *user);
    sign_in(&sandbox, PASSWORD).success();
}

#[test]
fn a_generated_password_is_printed_once_and_signs_in() {
    let sandbox = Sandbox::new();
    let printed = sandbox.run("users create ada@example.com --name Ada --generate --quiet");
    assert_eq!(printed.stderr, "");
    let printed = printed.success();
    let password = printed.strip_suffix('\n').unwrap();
    assert!(password.len() == 24 && password.bytes().all(|b| b.is_ascii_alphanumeric()), "{printed:?}");
    sign_in(&sandbox, password).success();

    let json = sandbox.run("users create bob@example.com --name Bob --generate --json").json();
    let other = json["password"].as_str().unwrap();
    assert_eq!(other.len(), 24);
    assert_ne!(other, password);
    sandbox.run_with_input("signin bob@example.com --no-store --password-stdin", other).success();
}

#[test]
fn argon2id_hash_is_stored_unchanged_and_signs_in() {
    let sandbox = Sandbox::new();
    let hash = sandbox.run_with_input("hash generate --password-stdin", PASSWORD).success();
    let words = "users create ada@example.com --name Ada --hash-stdin";
    let made = sandbox.run_with_input(words, &hash);
    assert!(!made.stderr.contains("argon2"), "{made}");
    assert_eq!(made.success(), "");
    assert_eq!(hash_of_ada(&sandbox), hash.trim_end());
    sign_in(&sandbox, PASSWORD).success();
}

fn hash_of_ada(sandbox: &Sandbox) -> String {
    sandbox.sql().query_row("SELECT password FROM account", [], |row| row.get(0)).unwrap()
}

/// Hashes of [`PASSWORD`]: Better Auth's default format, made with Python's scrypt, and bcrypt, made with libcrypt, and Django's, made with
/// Python's hashlib; each with its kind.
const BROUGHT_ALONG: [(&str, &str); 3] = [
    (
        "better-auth-scrypt",
        "5f1d7a90c3b24e6881a2d3c4b5f60718:5964e2ba13ef79979ef614e27e30fd405380ca4461ce82082548a0fbd2003c5cd356a274dc02a9a87064d90438e68f75f4bba43c71cb43221211a0b8b75bd702",
    ),
    ("bcrypt", "$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS"),
    ("pbkdf2-sha256", "pbkdf2_sha256$12000$q76pwKGAfXhV$rgzsrpyeZyxxjboJ9NrJIyIe4xh+AY8vRkzauMUUjiU="),
];

#[test]
fn hash_of_an_app_is_replaced_at_the_first_sign_in() {
    for (kind, hash) in BROUGHT_ALONG {
        let sandbox = Sandbox::new();
        sandbox.run_with_input("users create ada@example.com --name Ada --hash-stdin", hash).success();
        let _ = sign_in(&sandbox, OTHER_PASSWORD).failure(7);
        let stored = hash_of_ada(&sandbox);
        sign_in(&sandbox, PASSWORD).success();
        assert_eq!(hash_of_ada(&sandbox), stored, "a check of the password keeps nothing");
        sandbox.sign_in("ada@example.com").success();
        assert!(hash_of_ada(&sandbox).starts_with("$argon2id$"), "{}", hash_of_ada(&sandbox));
        sandbox.sign_in("ada@example.com").success();
        let log = sandbox.run("audit list --event password.rehashed --json").json();
        let entries = log["entries"].as_array().unwrap();
        assert_eq!((entries.len(), &entries[0]["detail"]), (1, &kind.into()), "{log}");
    }
}

/// The hash is of ruby-bcrypt as Devise calls it.
#[test]
fn hash_with_a_pepper_needs_the_file_beside_the_database() {
    let sandbox = Sandbox::new();
    let hash = "$authctl-pepper$k1$2a$10$Sutu4PbJG4d9q1R.YaBOl.GzZ2iz7ebC5HNvFpSpiLR1VgaVTwqkG";
    sandbox.run_with_input("users create ada@example.com --name Ada --hash-stdin", hash).success();
    let right = "needle garden anchor";
    let missing = sign_in(&sandbox, right).failure(1);
    assert!(missing.contains("auth.db.pepper") && missing.contains("k1"), "{missing}");
    let file = sandbox.file(".local/share/authctl/auth.db.pepper", "k1 a-pepper-public\n");
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    sandbox.run_with_input("signin ada@example.com --password-stdin", right).success();
    assert!(hash_of_ada(&sandbox).starts_with("$argon2id$"));
}

#[test]
fn a_hash_that_no_sign_in_would_take_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    let argon2 = sandbox.run_with_input("hash generate --password-stdin", PASSWORD).success();
    let argon2 = argon2.trim_end();
    for hash in [
        &format!("{}:{}", "0a".repeat(16), "1B".repeat(64)),
        &format!("$2b$12${}", "a".repeat(53)),
        "garbage",
        &argon2.replace("argon2id", "argon2d"),
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "$6$rounds=999999999$salt$digest",
        &argon2.replace("m=19456", "m=4194304"),
        &argon2.replace("m=19456", "m=8"),
        argon2.rsplit_once('$').unwrap().0,
        PASSWORD,
    ] {
        let words = "users create ada@example.com --name Ada --hash-stdin --json --if-missing";
        let error = sandbox.run_with_input(words, hash).json_error(2);
        assert_eq!(error["code"], "HASH_NOT_ACCEPTED", "{hash}");
        assert!(!error.to_string().contains(hash), "{error}");
    }
    assert_eq!(sandbox.run_with_input("users create a@b.co --name A --hash-stdin", "").code, 2);
    assert_eq!(rows(&sandbox), "");
}

#[test]
fn user_without_a_password_signs_in_after_set_password() {
    let sandbox = Sandbox::new();
    let made = sandbox.run("users create ada@example.com --name Ada --no-password --json").json();
    assert!(made.get("password").is_none());
    assert_eq!(sandbox.number("SELECT count(*) FROM account"), 0);
    for password in [PASSWORD, "x"] {
        let unknown = sandbox.run_with_input("signin bob@example.com --password-stdin --json", password).failure(7);
        let known = sandbox.run_with_input("signin ada@example.com --password-stdin --json", password).failure(7);
        assert_eq!(known, unknown);
    }
    sandbox.run_with_input("users set-password ada@example.com --password-stdin", PASSWORD).success();
    sign_in(&sandbox, PASSWORD).success();
}

#[test]
fn if_missing_leaves_an_existing_user_unchanged() {
    let sandbox = Sandbox::with_ada();
    let before = rows(&sandbox);
    for more in ["--generate", "--no-password", "--password-file nowhere", ""] {
        let words = format!("users create Ada@Example.com --name Eve --role admin --json {more}");
        assert_eq!(sandbox.run(&words).json_error(6)["code"], "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL", "{more}");

        let differs = sandbox.run(&format!("{words} --if-missing")).json_error(6);
        assert_eq!(differs["code"], "USER_DIFFERS", "{more}");

        let words = format!("users create Ada@Example.com --name Ada --role user --json --if-missing {more}");
        let there = sandbox.run(&words).json();
        assert_eq!((&there["act"], there.get("password")), (&"existed".into(), None), "{more}");
    }
    // Prompts are impossible here, and not needed.
    assert_snapshot!(sandbox.run("users create ada@example.com --if-missing"), @r"
    ------- stderr -------
    Ada <ada@example.com> exists in [HOME]/.local/share/authctl/auth.db; nothing was changed
    ");
    assert_eq!(rows(&sandbox), before);
    sandbox.run("whoami").success();
}

#[test]
fn if_missing_fails_when_the_user_is_not_as_asked() {
    let sandbox = Sandbox::with_ada();
    let create = |more: &str| sandbox.run(&format!("users create ada@example.com --if-missing {more}"));
    assert_snapshot!(create("--name Eve --role admin --verified"), @"
    ------- stderr -------
    error: could not create the user: ada@example.com exists and is not what was asked for: the name is Ada and not Eve; the role is user and not admin; the address is not verified
    hint: nothing was changed: change the user with `authctl users`, or ask for what is there
    [exit status: 6]
    ");
    let refused = |more: &str, why: &str| {
        let said = create(more).failure(6);
        assert!(said.contains(&format!("not what was asked for: {why}\n")), "{more}: {said}");
    };
    refused("--image https://example.com/a.png", "the picture is another one");
    refused("--role editor", "the role is user and not editor");
    sandbox.run("users set-role ada@example.com editor,admin").success();
    create("--role admin,editor").success();
    refused("--role admin", "the role is editor,admin and not admin");
    sandbox.run("users set-role ada@example.com user --force-last-admin").success();
    sandbox.run("users ban ada@example.com").success();
    refused("", "the user is banned");
    sandbox.run("users unban ada@example.com").success();
    sandbox.execute("UPDATE account SET password = NULL");
    refused("--generate", "the user has no password");
    create("--no-password").success();
    create("").success();
    // An invalid role is a usage error, whether or not the user exists.
    let _ = create("--role a/b").failure(2);
    let _ = create("--role Admin").failure(2);
}

#[test]
fn role_that_differs_from_admin_in_case_only_takes_force() {
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(sandbox.run("users set-role ada@example.com Admin"), @"
    ------- stderr -------
    error: could not set the role: the role Admin differs from admin in case only, and gives none of an administrator's rights
    hint: set admin, or pass --force if that is what you want
    [exit status: 2]
    ");
    for role in ["ADMIN", "editor,aDmin"] {
        let said = sandbox.run(&format!("users set-role ada@example.com {role} --json")).json_error(2);
        assert_eq!(said["code"], "INVALID_ROLE", "{role}");
        let words = format!("users create bob@example.com --name Bob --no-password --role {role}");
        let _ = sandbox.run(&words).failure(2);
    }
    assert_eq!(sandbox.number("SELECT count(*) FROM user WHERE role IS NOT NULL"), 0);
    sandbox.run("users set-role ada@example.com Admin --force").success();
    let words = "users create bob@example.com --name Bob --no-password --role ADMIN --force";
    sandbox.run(words).success();
    assert_eq!(sandbox.number("SELECT count(*) FROM user WHERE lower(role) = 'admin'"), 2);
}

#[test]
fn role_that_no_user_had_before_is_noted() {
    let sandbox = Sandbox::with_ada();
    let note = "note: no user had the role edtor before";
    for (words, notes) in [
        ("users set-role ada@example.com admin", 0),
        ("users set-role ada@example.com user --force-last-admin", 0),
        ("users set-role ada@example.com edtor,user", 1),
        ("users set-role ada@example.com edtor", 0),
        ("users create bob@example.com --name Bob --no-password --role edtor", 0),
        ("users set-role bob@example.com user", 0),
        ("users set-role ada@example.com user", 0),
        ("users create eve@example.com --name Eve --no-password --role edtor", 1),
    ] {
        let ran = sandbox.run(words);
        assert_eq!(ran.stderr.matches(note).count(), notes, "{words}: {ran}");
        ran.success();
    }
    assert!(!sandbox.run("users set-role ada@example.com another -q").stderr.contains("note"));
}

#[test]
fn if_missing_creates_only_a_missing_user() {
    let sandbox = Sandbox::new();
    let words = "users create ada@example.com --name Ada --role admin --verified --password-stdin --if-missing --json";
    for act in ["created", "existed", "existed"] {
        assert_eq!(sandbox.run_with_input(words, PASSWORD).json()["act"], act);
    }
    sign_in(&sandbox, PASSWORD).success();
}

#[test]
fn a_password_is_never_an_argument() {
    let sandbox = Sandbox::new();
    for words in ["users create a@b.co --password=canary-word", "users set-password a@b.co --password canary-word"] {
        let said = sandbox.run(words).failure(2);
        assert!(said.contains("--password-stdin") && !said.contains("canary"), "{said}");
    }
}

#[test]
fn prompts_ask_for_missing_values_and_hide_the_password() {
    let sandbox = Sandbox::new();
    let mut running = Terminal::new().run(sandbox.command(["users", "create", "ada@example.com"]));
    running.wait_for("Name").enter("Ada");
    running.wait_for_hidden("New password: ").enter(PASSWORD);
    running.wait_for_hidden("Repeat it: ").enter(PASSWORD);
    running.wait_for("created Ada <ada@example.com> in ");
    assert!(!running.end().with_code(0).contains(PASSWORD));
    sign_in(&sandbox, PASSWORD).success();

    let before = rows(&sandbox);
    let mut running = Terminal::new().run(sandbox.command(["users", "set-password", "ada@example.com"]));
    running.wait_for_hidden("New password: ").enter(OTHER_PASSWORD);
    running.wait_for_hidden("Repeat it: ").enter(PASSWORD).wait_for("differ; try again");
    running.wait_for_hidden("New password: ").press("\x03");
    running.end().with_code(130);
    assert_eq!(rows(&sandbox), before);
    // An existing user needs no prompt, even on a terminal.
    let running = Terminal::new().run(sandbox.command(["users", "create", "ada@example.com", "--if-missing"]));
    running.end().with_code(0);
}
