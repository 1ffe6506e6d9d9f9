//! Every command: who may run it, and what it does without a terminal.

mod descriptors;
mod examples;

use std::ffi::OsString;
use std::sync::LazyLock;

use authctl::auth::email::Email;
use authctl::auth::throttle::AttemptKey;
use authctl::cli::{self, AUTHORITIES, Authority, Who};
use examples::{EXAMPLES, Effect, Example};

use crate::kill::Home;
use crate::machine::{chmod, under_shell, without_hanging};
use crate::sandbox::{PASSWORD, Ran, Sandbox, Template, program};

/// The administrator Ada is signed in, Bob has an account and an expired session, and there is a backup.
fn sandbox() -> Sandbox {
    static TEMPLATE: LazyLock<Template> = LazyLock::new(|| Template::new(&prepare()));
    TEMPLATE.copy()
}

fn prepare() -> Sandbox {
    let sandbox = Sandbox::with_ada();
    sandbox.run("users set-role ada@example.com admin").success();
    let bob = "users create bob@example.com --name Bob --password-stdin";
    sandbox.run_with_input(bob, PASSWORD).success();
    let session = "signin bob@example.com --password-stdin --print-token";
    let _ = sandbox.run_with_input(session, PASSWORD).success();
    sandbox.execute(
        r#"UPDATE "session" SET "expiresAt" = "createdAt" WHERE "userId" IN
           (SELECT "id" FROM "user" WHERE "email" = 'bob@example.com')"#,
    );
    // Carl is banned and has a second factor, Ada and Bob have an API token each, Bob has one failed attempt, and one policy setting differs from the default.
    sandbox.run("users create carl@example.com --name Carl --no-password").success();
    let secret = second_factor_of_carl(&sandbox);
    let attempts = AttemptKey::sign_in(&Email::parse("bob@example.com").unwrap());
    sandbox.execute(&format!(
        r#"UPDATE "user" SET "banned" = 1, "twoFactorEnabled" = 1 WHERE "email" = 'carl@example.com';
           INSERT INTO "authctl_twoFactor"
           SELECT 'factor', '{secret}', '', "id", 1, 0, NULL, NULL FROM "user" WHERE "email" = 'carl@example.com';
            INSERT INTO "authctl_apikey"
            SELECT iif("name" = 'Ada', 'of-ada', 'of-bob'), NULL, 'authctl_abcd', "id", "id", 'guard', unixepoch(), 4000000000, NULL
            FROM "user" WHERE "email" IN ('ada@example.com', 'bob@example.com');
           INSERT INTO "authctl_throttle" ("key", "count", "notBefore", "lastAt")
           VALUES ('{}', 1, unixepoch(), unixepoch());
           INSERT INTO "authctl_policy" ("key", "value", "updatedAt") VALUES ('session.short-lifetime', '12h', 0)"#,
        attempts.as_str()
    ));
    sandbox.run("db backup backup.db").success();
    sandbox.file("list.csv", "address,name\neve@example.com,Eve\n");
    sandbox
}

/// The stored secret of Carl, whose key is in the file of keys.
fn second_factor_of_carl(sandbox: &Sandbox) -> String {
    use authctl::auth::second_factor::totp::TotpSecret;
    use authctl::auth::second_factor::{FactorKey, SealedSecret};
    use authctl::auth::secret::Entropy;

    let sql = "SELECT id FROM user WHERE email = 'carl@example.com'";
    let id: String = sandbox.sql().query_row(sql, [], |row| row.get(0)).unwrap();
    let key = FactorKey::from_text(&"ab".repeat(32)).unwrap();
    let keys = sandbox.path(".local/state/authctl/keys");
    std::fs::create_dir_all(&keys).unwrap();
    std::fs::write(keys.join("second-factors"), &*key.to_text()).unwrap();
    chmod(&keys.join("second-factors"), 0o600);
    let mut entropy = Entropy::new(|bytes| {
        bytes.fill(7);
        Ok(())
    });
    let secret = TotpSecret::from_bytes(&[1; 20]).unwrap();
    SealedSecret::seal(&secret, &id, &key, &mut entropy).unwrap().unwrap().0
}

fn example(line: &Authority) -> &'static Example {
    let mut found = EXAMPLES.iter().filter(|example| example.command == line.command);
    let example = found.next().unwrap_or_else(|| panic!("{} has no example", line.command));
    assert!(found.next().is_none(), "{} has two examples", line.command);
    example
}

/// Runs an example with its standard input, which is closed when the example has none.
fn run(sandbox: &Sandbox, example: &Example) -> Ran {
    match example.input {
        Some(input) => {
            let input = input(sandbox);
            sandbox.run_with_input(example.words, input)
        }
        None => without_input(sandbox, example.words),
    }
}

/// Runs a command with standard input closed and a timeout.
fn without_input(sandbox: &Sandbox, words: &str) -> Ran {
    without_hanging(sandbox, &mut under_shell(sandbox, "exec <&-", words), "")
}

/// The paths of all commands that are not groups.
fn leaves(command: &clap::Command, words: &str, found: &mut Vec<String>) {
    for below in command.get_subcommands() {
        let words = format!("{words} {}", below.get_name()).trim_start().to_owned();
        // `sessions` without a subcommand is `sessions list`.
        if !below.has_subcommands() || below.is_args_conflicts_with_subcommands_set() {
            found.push(words.clone());
        }
        leaves(below, &words, found);
    }
}

#[test]
fn table_has_one_line_for_each_command() {
    let mut known = Vec::new();
    leaves(&cli::command(), "", &mut known);
    let of_line = |line: &Authority| line.command.split(" --").next().unwrap().to_owned();
    for command in &known {
        let lines = AUTHORITIES.iter().filter(|line| line.command == command).count();
        assert_eq!(lines, 1, "{command} in the table of authority");
    }
    for line in AUTHORITIES {
        assert!(known.contains(&of_line(line)), "{} is no command", line.command);
        assert!(example(line).words.starts_with(&of_line(line)), "{}", line.command);
    }
    assert_eq!(EXAMPLES.len(), AUTHORITIES.len(), "an example without a line");
}

#[test]
fn sign_in_is_required_exactly_where_the_table_says() {
    for line in AUTHORITIES {
        let sandbox = sandbox();
        std::fs::remove_dir_all(sandbox.sessions()).unwrap();
        let ran = run(&sandbox, example(line));
        match line.who {
            Who::SignedIn | Who::Fresh => assert_eq!(ran.code, 4, "{}: {ran}", line.command),
            Who::Anyone | Who::Operator => assert!(![4, 5].contains(&ran.code), "{}: {ran}", line.command),
        }
    }
}

#[test]
fn no_command_under_guard_uses_another_users_session() {
    for line in AUTHORITIES.iter().filter(|line| matches!(line.who, Who::SignedIn | Who::Fresh)) {
        let sandbox = sandbox();
        let token = sandbox.run("sessions issue --user bob@example.com --for 10m").success();
        let state = || {
            let sql = r#"SELECT group_concat("id" || "email" || "name" || "updatedAt") ||
                (SELECT group_concat("id" || "expiresAt") FROM "session") FROM "user""#;
            sandbox.sql().query_row(sql, [], |row| row.get::<_, String>(0)).unwrap()
        };
        let before = state();
        let example = example(line);
        let words = ["guard", "--"].into_iter().map(OsString::from);
        let words = words.chain([program().into()]).chain(example.words.split(' ').map(OsString::from));
        let mut command = sandbox.command(words);
        command.env("AUTHCTL_TOKEN", token.trim_end());
        let input = example.input.map(|input| input(&sandbox)).unwrap_or_default();
        let ran = sandbox.finish_with_input(&mut command, input);
        assert_eq!(ran.code, 4, "{}: {ran}", line.command);
        assert!(ran.stderr.contains("outside of guard"), "{}: {ran}", line.command);
        assert_eq!(state(), before, "{}: something changed", line.command);
    }
}

#[test]
fn day_old_session_is_refused_exactly_where_required() {
    for line in AUTHORITIES {
        let sandbox = sandbox();
        sandbox.execute(r#"UPDATE "session" SET "createdAt" = "createdAt" - 90000"#);
        let ran = run(&sandbox, example(line));
        assert_eq!(ran.code == 5, line.who == Who::Fresh, "{}: {ran}", line.command);
    }
}

#[test]
fn exactly_destructive_commands_ask_for_confirmation() {
    for line in AUTHORITIES {
        let example = example(line);
        let words = example.words.replace(" --yes", "");
        assert_eq!(words != example.words, line.destructive, "{}: the example says yes", line.command);
        if line.destructive {
            let sandbox = sandbox();
            let rows = || sandbox.number(r#"SELECT count(*) FROM "authctl_audit""#);
            let before = rows();
            let said = without_input(&sandbox, &words).failure(2);
            assert!(said.contains("--yes"), "{}: {said}", line.command);
            assert_eq!(rows(), before, "{}: nothing was done", line.command);
        }
    }
}

#[test]
fn no_command_hangs_or_does_nothing_without_a_terminal() {
    for line in AUTHORITIES {
        let example = example(line);
        let sandbox = sandbox();
        if example.input.is_some() {
            // There is no terminal, and standard input is closed.
            let asking: Vec<&str> = example.words.split(' ').filter(|word| !word.ends_with("stdin")).collect();
            for words in [example.words, &asking.join(" ")] {
                let ran = without_input(&sandbox, words);
                assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{words}: {ran}");
                assert!(ran.stderr.starts_with("error: ") && !ran.stderr.contains("usage: "), "{words}: {ran}");
            }
        }
        let seen = sandbox.number(r#"SELECT max("seq") FROM "authctl_audit""#);
        let ran = run(&sandbox, example);
        let code = if let Effect::Refused(code) = example.effect { code } else { 0 };
        assert_eq!(ran.code, code, "{}: {ran}", line.command);
        let entries = |name: &str| {
            let sql = format!(r#"SELECT count(*) FROM "authctl_audit" WHERE "seq" > {seen} AND "event" = '{name}'"#);
            sandbox.number(&sql)
        };
        match example.effect {
            Effect::Answer => assert!(!ran.stdout.trim().is_empty(), "{}: {ran}", line.command),
            Effect::Event(name) => assert!(entries(name) > 0, "{} leaves no {name}: {ran}", line.command),
            Effect::File(name) => assert!(sandbox.path(name).exists(), "{}: {ran}", line.command),
            Effect::Code => {}
            Effect::Refused(_) => assert!(ran.stderr.contains("hint: "), "{}: {ran}", line.command),
        }
    }
}

/// A JSON document is never empty, so a command that cannot write it must fail.
#[test]
fn unwritable_output_is_a_failure() {
    const WITHOUT_ANSWER: [&str; 2] = ["guard", "users exists"];
    let home = Home::new(sandbox());
    let mut acts = 0;
    for example in EXAMPLES.iter().filter(|example| !WITHOUT_ANSWER.contains(&example.command)) {
        home.put_back();
        let words = format!("{} --json --quiet", example.words);
        let input = example.input.map(|input| input(&home.sandbox)).unwrap_or_default();
        let mut command = under_shell(&home.sandbox, "exec >/dev/full", &words);
        let ran = without_hanging(&home.sandbox, &mut command, &input);
        if let Effect::Refused(code) = example.effect {
            assert_eq!(ran.code, code, "{words}: {ran}");
            continue;
        }
        // `guard` runs a program and has no JSON output.
        let error = serde_json::from_str::<serde_json::Value>(&ran.stderr).unwrap_or_else(|_| panic!("{words}: {ran}"));
        assert_eq!((ran.code, error["error"]["code"].as_str()), (74, Some("OUTPUT_NOT_WRITTEN")), "{words}: {ran}");
        if let Effect::Event(_) | Effect::File(_) = example.effect {
            acts += 1;
            let message = error["error"]["message"].as_str().unwrap();
            let hint = error["error"]["hint"].as_str().unwrap_or_default();
            let says_so = message.contains(", but could not write") || !hint.is_empty();
            assert!(says_so, "{words}: {message}");
        }
    }
    assert!(acts > 20, "{acts}");
}

/// Only the commands in the help of `tokens` run with an API token.
#[test]
fn api_token_runs_the_listed_commands_alone() {
    let sandbox = sandbox();
    let scopes = "whoami,guard,users:read,audit:read";
    let token = sandbox.run(&format!("tokens create --scope {scopes}")).success();
    let listed = [
        "whoami",
        "guard",
        "hash",
        "users list",
        "users show",
        "users explain",
        "users exists",
        "audit",
        "db list",
        "completions",
        "help",
    ];
    let entries = || sandbox.number("SELECT count(*) FROM authctl_audit");
    let before = entries();
    for line in AUTHORITIES {
        let ran = sandbox.run_with_variable(example(line).words, "AUTHCTL_TOKEN", token.trim());
        if listed.iter().any(|listed| line.command.starts_with(listed)) {
            assert!(![4, 5].contains(&ran.code), "{}: {ran}", line.command);
        } else {
            assert_eq!(ran.code, 5, "{}: {ran}", line.command);
            assert!(ran.to_string().contains("an API token cannot do this"), "{}: {ran}", line.command);
        }
    }
    assert_eq!(entries(), before, "nothing was done");
}
