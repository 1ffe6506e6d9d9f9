//! No secret appears in output, errors, files, or data that other processes can read.

use std::process::Stdio;

use crate::machine::tree;
use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Ran, Sandbox};

const CANARY: &str = "canary otter plays violin 77";
const NEW_CANARY: &str = "second canary hums on a tram";

/// Runs all commands with every variable that makes programs verbose.
fn talkative(sandbox: &Sandbox, words: &str, input: &str) -> Ran {
    let mut command = sandbox.command(words.split_whitespace());
    command.env("RUST_BACKTRACE", "full").env("RUST_LOG", "trace").env("RUST_LIB_BACKTRACE", "1");
    sandbox.finish_with_input(&mut command, input)
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

fn stored_token(sandbox: &Sandbox) -> String {
    let content = std::fs::read(sandbox.session_file()).unwrap();
    let content: serde_json::Value = serde_json::from_slice(&content).unwrap();
    content["token"].as_str().unwrap().to_owned()
}

#[test]
fn no_password_is_stored_and_token_only_in_session_file() {
    for json in ["", " --json"] {
        let sandbox = Sandbox::new();
        let (mut said, mut tokens) = (Vec::new(), Vec::new());
        let both = format!("{CANARY}\n{NEW_CANARY}\n");
        for (words, input) in [
            ("signup ada@example.com --name Ada --password-stdin", CANARY),
            ("signup ada@example.com --name Ada --password-stdin", CANARY),
            ("signup eve@example.com --name Eve --password-stdin --image nonsense", CANARY),
            ("signin ada@example.com --password-stdin", CANARY),
            ("signin ada@example.com --password-stdin", NEW_CANARY),
            ("signin ada@example.com --password-stdin", both.as_str()),
            ("signin unknown@example.com --password-stdin", CANARY),
            ("signin ada@example.com --password-stdin --no-store", CANARY),
            ("signin ada@example.com --password canary-otter-on-argv", ""),
            ("signin ada@example.com canary-otter-on-argv --password-stdin", CANARY),
            ("whoami", ""),
            ("sessions", ""),
            ("password change --password-stdin", CANARY),
            ("password change --password-stdin", both.as_str()),
            ("password change --password-stdin", both.as_str()),
            ("users create eve@example.com --name Eve --password-stdin", CANARY),
            ("users set-password eve@example.com --password-stdin", NEW_CANARY),
            ("users set-password unknown@example.com --password-stdin", CANARY),
            ("password reset --code-stdin --password-stdin", both.as_str()),
            ("email verify --code-stdin --password-stdin", both.as_str()),
            ("hash verify --stdin", both.as_str()),
            ("audit export", ""),
            ("doctor", ""),
            ("sessions revoke --others", ""),
            ("sessions prune", ""),
            ("account update --name Countess", ""),
            ("db status", ""),
            ("db migrate", ""),
            ("help security", ""),
            ("signout --db missing.db", ""),
        ] {
            let ran = talkative(&sandbox, &format!("{words}{json}"), input);
            said.push((words, format!("{}{}", ran.stdout, ran.stderr)));
            tokens.push(stored_token(&sandbox));
        }
        let printing = "signin ada@example.com --password-stdin --print-token";
        let printed = talkative(&sandbox, &format!("{printing}{json}"), NEW_CANARY).success();
        let printed = match serde_json::from_str::<serde_json::Value>(&printed) {
            Ok(document) => document["token"].as_str().unwrap().to_owned(),
            Err(_) => printed.trim().to_owned(),
        };
        assert!(printed.len() >= 32, "{printed}");
        for words in ["whoami", "sessions", "db status", "signout"] {
            let mut command = sandbox.command(format!("{words}{json}").split_whitespace());
            let ran = sandbox.finish(command.env("AUTHCTL_TOKEN", &printed));
            said.push((words, format!("{}{}", ran.stdout, ran.stderr)));
        }
        tokens.push(printed);

        let live = stored_token(&sandbox);
        for (words, text) in &said {
            for secret in [CANARY, NEW_CANARY, "canary-otter"].into_iter().chain(tokens.iter().map(String::as_str)) {
                assert!(!text.contains(secret), "{words}: {text}");
            }
            assert!(!text.contains("$argon2"), "{words}: {text}");
        }
        let file = sandbox.session_file();
        for (path, content) in tree(sandbox.home()).files() {
            for secret in [CANARY, NEW_CANARY].into_iter().chain(tokens.iter().map(String::as_str)) {
                let allowed = secret == live && path == file;
                assert_eq!(holds(content, secret), allowed, "{}", path.display());
            }
        }
        talkative(&sandbox, &format!("signout{json}"), "").success();
        for (path, content) in tree(sandbox.home()).files() {
            assert!(!holds(content, &live), "signed out, and still in {}", path.display());
        }
    }
}

#[test]
fn a_stored_hash_is_argon2id_and_no_two_are_alike() {
    let sandbox = Sandbox::new();
    sandbox.sign_up("ada@example.com", "Ada").success();
    sandbox.sign_up("bob@example.com", "Bob").success();
    let connection = sandbox.sql();
    let mut statement = connection.prepare("SELECT password FROM account").unwrap();
    let hashes: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(hashes.len(), 2);
    assert!(hashes.iter().all(|hash| hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")), "{hashes:?}");
    assert_ne!(hashes[0], hashes[1]);
}

/// Linux shows every process's arguments, environment and children.
#[cfg(target_os = "linux")]
#[test]
fn a_running_sign_in_shows_its_password_to_no_other_process() {
    use std::io::Write as _;
    let sandbox = Sandbox::new();
    sandbox.run_with_input("signup ada@example.com --name Ada --password-stdin", CANARY).success();
    let mut command = sandbox.command(["signin", "ada@example.com", "--password-stdin"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(CANARY.as_bytes()).unwrap();
    // Once the pipe is empty, the program has the password. It waits for more while the pipe is open.
    while rustix::io::ioctl_fionread(&stdin).unwrap() > 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended early");
        std::thread::yield_now();
    }
    let process = std::path::PathBuf::from(format!("/proc/{}", child.id()));
    let words = std::fs::read(process.join("cmdline")).unwrap();
    assert!(holds(&words, "ada@example.com") && !holds(&words, CANARY), "{}", String::from_utf8_lossy(&words));
    match std::fs::read(process.join("environ")) {
        Ok(environment) => assert!(!holds(&environment, CANARY)),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied),
    }
    for (path, content) in tree(sandbox.home()).files() {
        assert!(!holds(content, CANARY), "{}", path.display());
    }
    drop(stdin);
    assert_eq!(sandbox.ran(&child.wait_with_output().unwrap()).code, 0);
}

#[test]
fn audit_log_has_no_password_token_or_hash() {
    let sandbox = Sandbox::with_ada();
    let mut secrets = vec![PASSWORD.to_owned(), OTHER_PASSWORD.to_owned()];
    let column = |sql: &str| -> Vec<String> {
        let connection = sandbox.sql();
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let stored = || [column("SELECT token FROM session"), column("SELECT password FROM account")].concat();
    secrets.extend(stored());
    let words = "signin ada@example.com --password-stdin --print-token";
    secrets.push(sandbox.run_with_input(words, PASSWORD).success().trim().to_owned());
    let _ = sandbox.run_with_input("signin ada@example.com --password-stdin", "canary of a wrong word").failure(7);
    secrets.push("canary".to_owned());
    sandbox.run_with_input("password change --password-stdin", format!("{PASSWORD}\n{OTHER_PASSWORD}\n")).success();
    secrets.extend(stored());
    let made = sandbox.run("users create bob@example.com --name Bob --generate --json").json();
    secrets.push(made["password"].as_str().unwrap().to_owned());
    let made = sandbox.run("users set-password bob@example.com --generate --json").json();
    secrets.push(made["password"].as_str().unwrap().to_owned());
    let hash = sandbox.run_with_input("hash generate --password-stdin", "canary of some other word").success();
    sandbox.run_with_input("users set-password bob@example.com --hash-stdin", hash.trim()).success();
    secrets.push(sandbox.run("users impersonate bob@example.com --print-token").success().trim().to_owned());
    secrets.extend(stored());
    sandbox.run("account delete --yes").success();

    let log = [sandbox.run("audit export").success(), sandbox.run("audit list").success()].concat();
    assert!(log.contains("password.set") && log.contains("signin.failed"), "{log}");
    assert!(secrets.len() >= 12, "{secrets:?}");
    for secret in &secrets {
        // A part of a secret must not appear either.
        let piece: String = secret.chars().rev().take(16).collect::<Vec<_>>().into_iter().rev().collect();
        assert!(!log.contains(&piece), "{secret}\n{log}");
    }
    assert!(!log.contains("argon2") && !log.contains("$m="), "{log}");
}
