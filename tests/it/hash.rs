//! `hash`: password hashes without a database, a home directory or an account.

use std::process::Command;

use insta::assert_snapshot;

use crate::machine::{least_address_space, under_shell};
use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Ran, Sandbox};

/// A hash of `password` by the reference implementation of argon2, from its own tests.
const KNOWN: &str = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

/// A hash of `password` by Better Auth 1.7.25.
const SCRYPT: &str = "00112233445566778899aabbccddeeff:9a098760abf0e95230464650e1160ecd37c82de7f9aea0c41eee704c90daaac45ce13ec6c244f429e4e4ba505cde11131ed35ef08e55b31c226a2ba87069e3ae";

/// A hash of `abc` from the tests of jBCrypt.
const BCRYPT: &str = "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i";

/// A hash of `candle hammer garden` in Django's spelling.
const PBKDF2: &str = "pbkdf2_sha256$12000$q76pwKGAfXhV$srANv0DyDe8iOcSZT0LYJKq1DpSrw5e9n/yYdMdfp/w=";

/// The MD5 digest of `password`.
const MD5: &str = "5f4dcc3b5aa765d61d8327deb882cf99";

/// argon2id over the MD5 digest of `meadow lantern trellis`.
const WRAPPED: &str = "$authctl-wrap$v=1,k=md5,s=$argon2id$v=19$m=19456,t=2,p=1$ZDleQrRCQgdLKprNDBIKow$euOuIGh06sKHU6OLPNjz/IS/9DoFTfGh6/x8CPFF78g";

/// One hash of each unsupported format, with the name of the format.
fn unacceptable() -> [(String, &'static str); 12] {
    [
        (KNOWN.replace("argon2id", "argon2i").replace("m=65536", "m=4095"), "argon2-refused"),
        (KNOWN.replace("argon2id", "argon2d"), "argon2-refused"),
        (KNOWN.replace("v=19", "v=16"), "argon2-refused"),
        // Excessive work and memory.
        (KNOWN.replace("t=2", "t=4294967295"), "argon2-refused"),
        (KNOWN.replace("m=65536", "m=4194304"), "argon2-refused"),
        // Work for fifty years.
        (BCRYPT.replace("$06$", "$31$"), "bcrypt-refused"),
        (BCRYPT.replace("$2a$", "$2x$"), "bcrypt-refused"),
        (format!("$2b$12${}", "a".repeat(53)), "bcrypt-refused"),
        ("$6$rounds=999999999$salt$digest".to_owned(), "cost-refused"),
        (SCRYPT.to_uppercase(), "unknown"),
        (format!("{SCRYPT}00"), "unknown"),
        ("rl.3StKT.4T8M".to_owned(), "unknown"),
    ]
}

/// A command without `HOME` and `AUTHCTL_DB`, in an empty directory.
fn homeless(sandbox: &Sandbox, words: &str) -> Command {
    let mut command = sandbox.command(words.split_whitespace());
    command.env_remove("HOME");
    command
}

fn run(sandbox: &Sandbox, words: &str, input: impl AsRef<[u8]>) -> Ran {
    sandbox.finish_with_input(&mut homeless(sandbox, words), input)
}

fn generate(sandbox: &Sandbox, password: &str) -> String {
    run(sandbox, "hash generate --password-stdin", password).success()
}

fn verify(sandbox: &Sandbox, hash: &str, password: &str) -> Ran {
    run(sandbox, "hash verify --stdin --json", format!("{hash}\n{password}\n"))
}

/// Asserts that no file was made; the command ran in the sandbox's directory.
fn assert_nothing_made(sandbox: &Sandbox) {
    let left: Vec<_> = std::fs::read_dir(sandbox.home()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn hash_is_one_line_with_default_cost_and_own_salt() {
    let sandbox = Sandbox::new();
    let ran = run(&sandbox, "hash generate --password-stdin", PASSWORD);
    assert_eq!(ran.stderr, "");
    let first = ran.success();
    assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && first.lines().count() == 1, "{first}");
    assert!(!first.contains("battery"));
    let second = generate(&sandbox, PASSWORD);
    assert_ne!(first.split('$').nth(4), second.split('$').nth(4), "the salts");
    assert_ne!(first.split('$').nth(5), second.split('$').nth(5), "the keys");
    let answer = run(&sandbox, "hash generate --password-stdin --json", PASSWORD).json();
    assert!(answer["hash"].as_str().unwrap().starts_with("$argon2id$"), "{answer}");
    assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
    assert_nothing_made(&sandbox);
}

#[test]
fn hash_of_a_password_file_signs_in() {
    let sandbox = Sandbox::with_ada();
    let file = sandbox.file("pw", format!("{OTHER_PASSWORD}\n"));
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let hash = sandbox.run("hash generate --password-file pw").success();
    sandbox.execute(&format!("UPDATE account SET password = '{}'", hash.trim_end()));
    sandbox.run_with_input("signin ada@example.com --password-stdin", OTHER_PASSWORD).success();
}

#[test]
fn invalid_password_gets_no_hash() {
    let sandbox = Sandbox::new();
    assert_snapshot!(run(&sandbox, "hash generate --password-stdin", "shorty7"), @"
    ------- stderr -------
    error: could not hash the password: the password is shorter than 8 characters
    [exit status: 2]
    ");
    for (password, code) in [
        ("shorty7".to_owned(), "PASSWORD_TOO_SHORT"),
        ("a".repeat(129), "PASSWORD_TOO_LONG"),
        (String::new(), "PASSWORD_UNUSABLE"),
        ("two\nlines of it".to_owned(), "PASSWORD_UNUSABLE"),
        ("with\0a nul in it".to_owned(), "PASSWORD_UNUSABLE"),
    ] {
        let error = run(&sandbox, "hash generate --password-stdin --json", &password).json_error(2);
        assert_eq!(error["code"], code, "{password:?}");
    }
    // `hash` does not check strength, because the check needs the account's name and address.
    generate(&sandbox, "password");
    assert_eq!(sandbox.finish(&mut homeless(&sandbox, "hash generate --json")).json_error(2)["code"], "INPUT_NEEDED");
}

#[test]
fn verify_says_yes_with_0_and_no_with_1() {
    let sandbox = Sandbox::new();
    let hash = generate(&sandbox, PASSWORD);
    let hash = hash.trim_end();
    assert_snapshot!(run(&sandbox, "hash verify --stdin", format!("{hash}\n{PASSWORD}\n")), @"
    ------- stderr -------
    the password is right
    ");
    assert_snapshot!(run(&sandbox, "hash verify --stdin", format!("{hash}\n{OTHER_PASSWORD}")), @"
    ------- stderr -------
    error: the password is not the one of this hash
    [exit status: 1]
    ");
    assert_eq!(verify(&sandbox, hash, PASSWORD).json(), serde_json::json!({"right": true, "outdated": false}));
    let error = verify(&sandbox, hash, OTHER_PASSWORD).json_error(1);
    assert_eq!(error["code"], "NO");
    assert!(!error.to_string().contains("umbrellas") && !error.to_string().contains("argon2"), "{error}");
    verify(&sandbox, KNOWN, "password").success();
    let _ = verify(&sandbox, KNOWN, "passwore").failure(1);
    assert_nothing_made(&sandbox);
}

#[test]
fn a_right_password_for_a_hash_below_the_default_is_outdated() {
    let sandbox = Sandbox::new();
    let weak = weak_hash();
    assert_eq!(verify(&sandbox, &weak, PASSWORD).json(), serde_json::json!({"right": true, "outdated": true}));
    let ran = run(&sandbox, "hash verify --stdin", format!("{weak}\r\n{PASSWORD}\r\n"));
    assert_snapshot!(ran, @"
    ------- stderr -------
    the password is right; the hash is weaker than the policy asks for
    ");
    let answer = run(&sandbox, "hash identify --json", &weak).json();
    assert_eq!((&answer["outdated"], &answer["memoryKib"]), (&true.into(), &7_168.into()));
}

/// A hash of [`PASSWORD`] with the lowest accepted cost.
fn weak_hash() -> String {
    use authctl::auth::password;
    use authctl::auth::policy::{Argon2Cost, PasswordRules};
    use authctl::auth::secret::Entropy;
    use authctl::auth::secret::Password;
    let cost = Argon2Cost { memory_kib: 7_168, passes: 1, lanes: 1 };
    let mut entropy = Entropy::new(|bytes| {
        bytes.fill(7);
        Ok(())
    });
    let given = Password::from_bytes(PASSWORD.as_bytes()).unwrap();
    let rules = PasswordRules { cost, ..PasswordRules::default() };
    password::hash(&given, &password::Scheme::Native, &rules, &mut entropy).unwrap().expose().to_owned()
}

#[test]
fn hashes_that_apps_made_are_compared_and_always_outdated() {
    let sandbox = Sandbox::new();
    for (hash, right) in [
        (SCRYPT, "password"),
        (BCRYPT, "abc"),
        (&BCRYPT.replace("$2a$", "$2b$"), "abc"),
        (PBKDF2, "candle hammer garden"),
        (MD5, "password"),
        (WRAPPED, "meadow lantern trellis"),
    ] {
        assert_eq!(
            verify(&sandbox, hash, right).json(),
            serde_json::json!({"right": true, "outdated": true}),
            "{hash}"
        );
        let _ = verify(&sandbox, hash, "passwore").failure(1);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn lack_of_memory_is_not_a_wrong_password() {
    let sandbox = Sandbox::new();
    let least = least_address_space(&sandbox);
    let (mut failures, mut successes) = (0, 0);
    for kib in [least + 8_000, least + 16_000, least + 120_000] {
        for hash in [KNOWN, SCRYPT] {
            let mut command = under_shell(&sandbox, &format!("ulimit -v {kib}"), "hash verify --stdin");
            let ran = sandbox.finish_with_input(&mut command, format!("{hash}\npassword\n"));
            if ran.code == 0 {
                successes += 1;
            } else {
                failures += 1;
                assert!(ran.failure(1).contains("the password hash could not be computed"), "{hash}");
            }
        }
    }
    assert!(failures >= 2 && successes >= 2, "{failures} {successes}");
}

#[cfg(target_os = "linux")]
#[test]
fn attempt_whose_hash_lacks_memory_is_not_counted() {
    let sandbox = Sandbox::with_ada();
    let attempts = || sandbox.number("SELECT count(*) FROM authctl_throttle");
    assert_eq!(attempts(), 0);
    let limit = least_address_space(&sandbox) + 8_000;
    for words in [
        "signin ada@example.com --password-stdin",
        "signin unknown@example.com --password-stdin",
        "signin ada@example.com --password-stdin --no-store",
        "password change --password-stdin",
    ] {
        let mut command = under_shell(&sandbox, &format!("ulimit -v {limit}"), words);
        let typed = if words.starts_with("signin") {
            PASSWORD.to_owned()
        } else {
            format!("{PASSWORD}\na new longer passphrase\n")
        };
        let ran = sandbox.finish_with_input(&mut command, typed);
        assert!(ran.failure(1).contains("the password hash could not be computed"), "{words}");
        assert_eq!(attempts(), 0, "{words}");
    }
    sandbox.run_with_input("signin ada@example.com --password-stdin", "a wrong passphrase\n").failure(7);
    assert_eq!(attempts(), 1, "a guess is counted");
}

#[test]
fn hash_out_of_bounds_is_refused_with_its_format() {
    let sandbox = Sandbox::new();
    assert_snapshot!(run(&sandbox, "hash verify --stdin", format!("$2b$12${}\npassword\n", "a".repeat(53))), @"
    ------- stderr -------
    error: a hash of this kind is not accepted here (bcrypt-refused)
    hint: `authctl hash identify` tells more
    [exit status: 2]
    ");
    for (hash, kind) in unacceptable() {
        let error = verify(&sandbox, &hash, "password").json_error(2);
        assert!(error["message"].as_str().unwrap().contains(kind), "{hash}: {error}");
        assert!(!error.to_string().contains(&hash), "{error}");
    }
}

#[test]
fn verify_needs_both_lines_or_a_terminal() {
    let sandbox = Sandbox::new();
    for input in ["", "\n", KNOWN, &format!("{KNOWN}\n"), &format!("{KNOWN}\na\nb\n"), "\npassword\n"] {
        let error = run(&sandbox, "hash verify --stdin --json", input).json_error(2);
        assert_eq!(error["code"], "PASSWORD_UNUSABLE", "{input:?}");
    }
    let error = run(&sandbox, "hash verify --json", format!("{KNOWN}\npassword\n")).json_error(2);
    assert_eq!(error["code"], "INPUT_NEEDED");
    assert!(error["hint"].as_str().unwrap().contains("--stdin"), "{error}");
}

#[test]
fn identify_tells_each_kind_by_its_shape() {
    let sandbox = Sandbox::new();
    assert_snapshot!(run(&sandbox, "hash identify", KNOWN), @"
    kind      argon2id
    cost      65536 KiB, 2 passes, 1 lane
    accepted  yes
    outdated  no
    ");
    assert_snapshot!(run(&sandbox, "hash identify", SCRYPT), @"
    kind      better-auth-scrypt
    accepted  yes
    outdated  yes
    ");
    assert_snapshot!(run(&sandbox, "hash identify", BCRYPT), @"
    kind      bcrypt
    cost      6
    accepted  yes
    outdated  yes
    ");
    assert_snapshot!(run(&sandbox, "hash identify", PBKDF2), @"
    kind      pbkdf2-sha256
    accepted  yes
    outdated  yes
    ");
    assert_snapshot!(run(&sandbox, "hash identify", MD5), @"
    kind      md5
    accepted  no
    outdated  no
    weak      yes
    ");
    assert_snapshot!(run(&sandbox, "hash identify", WRAPPED), @"
    kind      md5
    accepted  yes
    outdated  yes
    wrapped   yes
    ");
    assert_snapshot!(run(&sandbox, "hash identify", SCRYPT.to_uppercase()), @"
    kind      unknown
    accepted  no
    outdated  no
    ");
    let answer = run(&sandbox, "hash identify --json", format!("{KNOWN}\n")).json();
    assert_eq!(
        answer,
        serde_json::json!({
            "kind": "argon2id", "accepted": true, "outdated": false, "memoryKib": 65_536, "passes": 2, "lanes": 1,
            "bcryptCost": null, "weak": false, "wrapped": false,
        })
    );
    let answer = run(&sandbox, "hash identify --json", BCRYPT).json();
    assert_eq!((&answer["kind"], &answer["bcryptCost"]), (&"bcrypt".into(), &6.into()));
    for (hash, kind) in unacceptable() {
        let answer = run(&sandbox, "hash identify --json", &hash).json();
        assert_eq!((&answer["kind"], &answer["accepted"]), (&kind.into(), &false.into()), "{hash}");
        assert!(answer["memoryKib"].is_null() && !answer.to_string().contains(&hash), "{answer}");
    }
    for input in ["", "\n", "a\nb\n"] {
        let _ = run(&sandbox, "hash identify", input).failure(2);
    }
    assert_nothing_made(&sandbox);
}

#[test]
fn calibrate_names_settings_that_the_policy_takes() {
    let sandbox = Sandbox::new();
    let quick = "hash calibrate --target 10ms --max-memory 19MiB";
    let settings = sandbox.finish(&mut homeless(&sandbox, quick)).success();
    let cost = sandbox.finish(&mut homeless(&sandbox, &format!("{quick} --json"))).json();
    assert_nothing_made(&sandbox);
    sandbox.run("db init").success();
    let lines: Vec<Vec<&str>> = settings.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines.len(), 3, "{settings}");
    for line in lines {
        sandbox.run_words(&["policy", "set", line[0], line[1]]).success();
    }
    assert_eq!(cost["memoryKib"], 19_456, "no more memory than allowed");
    assert!((2..=10).contains(&cost["passes"].as_u64().unwrap()), "{cost}");
    assert!(cost["milliseconds"].is_number() && cost["withinTarget"].is_boolean(), "{cost}");
}

#[test]
fn calibrate_refuses_what_no_policy_takes() {
    let sandbox = Sandbox::new();
    for words in [
        "--target 9ms",
        "--target 11s",
        "--target soon",
        "--target -1s",
        "--max-memory 18MiB",
        "--max-memory 1GiB",
        "--max-memory 64",
        "--max-memory 64MB",
        "now",
    ] {
        let _ = run(&sandbox, &format!("hash calibrate {words}"), "").failure(2);
    }
    let _ = run(&sandbox, "hash", "").failure(2);
}

#[test]
fn no_database_is_opened() {
    let sandbox = Sandbox::new();
    sandbox.file("not-a-database", "text");
    let made = run(&sandbox, "--db not-a-database hash generate --password-stdin", PASSWORD).success();
    let input = format!("{made}{PASSWORD}\n");
    run(&sandbox, "--db not-a-database hash verify --stdin", input).success();
    run(&sandbox, "--db not-a-database hash identify", made).success();
}
