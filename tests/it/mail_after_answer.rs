//! Commands that mail a code answer before the mail is delivered, and do the same work whether they mail or
//! not, so that the answer does not reveal who has an account. No test here measures time: a mailer waits
//! until the command has returned.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use crate::app::{App, DRIZZLE, KYSELY};
use crate::mail::server::{Behaviour, POLITE};
use crate::mailbox::eventually;
use crate::pty::Terminal;
use crate::sandbox::{Ran, Sandbox, program};
use crate::strace;

/// A command that mails a code: an address that gets mail, and addresses that do not.
const ASKS: &[(&str, &str, &[&str])] = &[
    ("password forgot", "ada@example.com", &["unknown@example.com"]),
    ("email verify --send", "ada@example.com", &["unknown@example.com", "bob@example.com"]),
    ("email change", "free@example.org", &["bob@example.com"]),
];

/// Ada's address is unverified, Bob's is verified. Ada is signed in when the command requires it.
fn people(words: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.sign_up("bob@example.com", "Bob").success();
    sandbox.run("users verify-email bob@example.com").success();
    sandbox.sign_up("ada@example.com", "Ada").success();
    if words != "email change" {
        sandbox.run("signout").success();
    }
    sandbox
}

/// Runs a command for an address and returns the output with the address removed.
fn ask(sandbox: &Sandbox, words: &str, email: &str) -> String {
    let ran = sandbox.run(&format!("{words} {email}"));
    assert_eq!(ran.code, 0, "{ran}");
    ran.to_string().replace(email, "[EMAIL]")
}

#[test]
fn slow_sendmail_runs_after_the_answer_for_real_mail_only() {
    for (words, known, others) in ASKS {
        let sandbox = people(words);
        let sendmail = sandbox.slow_sendmail();
        for other in *others {
            let unknown = ask(&sandbox, words, other);
            assert_eq!(ask(&sandbox, words, known), unknown, "{words} {other}");
            let message = sendmail.release();
            assert!(message.contains(&format!("To: {known}")) && message.contains("The code: "), "{message}");
        }
        assert_eq!(sendmail.calls(), vec![*known; others.len()], "{words}");
    }
}

#[test]
fn slow_server_is_used_after_the_answer() {
    for (words, known, others) in ASKS {
        for other in *others {
            let sandbox = people(words);
            let server = sandbox.closed_mailbox();
            let unknown = ask(&sandbox, words, other);
            assert_eq!(ask(&sandbox, words, known), unknown, "{words} {other}");
            // The test server serves the first connection only.
            let session = server.open().session();
            assert!(session.has_message(), "{words}: {session:?}");
            assert!(session.commands.contains(&format!("RCPT TO:<{known}>")), "{words}: {session:?}");
        }
    }
}

#[test]
fn failed_delivery_changes_no_answer_and_is_in_the_log() {
    for (words, known, others) in ASKS {
        let sandbox = people(words);
        let silent = ask_twice_of(&sandbox, words, known, others[0], None);
        // The next delivery may be faster.
        sandbox.failed_mails(1);
        let refused = Behaviour { refuses: Some(("RCPT", "550 5.1.1 no such user")), ..POLITE };
        assert_eq!(ask_twice_of(&sandbox, words, known, others[0], Some(refused)), silent, "{words}");
        let failed = sandbox.failed_mails(2);
        assert_eq!(failed.len(), 2, "{failed:?}");
        assert!(failed[0].contains("could not connect: Connection refused"), "{failed:?}");
        assert!(failed[1].contains("could not name the recipient: the server refused it: 550 5.1.1"), "{failed:?}");
        let whose = "SELECT count(*) FROM authctl_audit JOIN user ON userId = user.id
            WHERE event = 'mail.failed' AND user.email = 'ada@example.com'";
        assert_eq!(sandbox.number(whose), 2, "{words}");
        sandbox.run("audit verify").success();
    }
}

/// Asserts that a failing mail server gives the same output for both addresses.
fn ask_twice_of(sandbox: &Sandbox, words: &str, known: &str, other: &str, behaviour: Option<Behaviour>) -> String {
    let server = behaviour.map(|behaviour| sandbox.mailbox_of(behaviour));
    if server.is_none() {
        sandbox.without_mailbox();
    }
    let answers = [other, known].map(|email| ask(sandbox, words, email));
    assert_eq!(answers[0], answers[1], "{words}");
    if let Some(server) = server {
        assert!(!server.session().has_message());
    }
    let [answer, _] = answers;
    answer
}

#[test]
fn code_is_not_in_the_report_of_a_failure() {
    let sandbox = Sandbox::with_ada();
    sandbox.mail_through("cat > \"$here/mail\"; cat \"$here/mail\" | grep code: >&2; exit 75");
    sandbox.run("password forgot ada@example.com").success();
    let failed = sandbox.failed_mails(1);
    let mail = std::fs::read_to_string(sandbox.path("mailer/mail")).unwrap();
    let (_, code) = mail.split_once("The code: ").unwrap();
    assert!(failed[0].ends_with("did not take it: The code: [code]"), "{failed:?}");
    assert!(!failed[0].contains(code.lines().next().unwrap().trim_end()), "{failed:?}");
}

#[test]
fn early_errors_are_immediate_and_alike() {
    for (words, known, others) in ASKS {
        let sandbox = people(words);
        let secret = sandbox.file("credentials", "ada\npassword\n");
        let credentials = format!("policy set mail.credentials-file {}", secret.display());
        std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        sandbox.without_mailbox();
        for setting in [
            "policy set mail.url sendmail:/nonexistent/sendmail",
            "policy set mail.url sendmail:/etc/passwd",
            &format!("{credentials} && policy set mail.url smtps://mail.example.com"),
            "policy unset mail.url",
        ] {
            for one in setting.split(" && ") {
                sandbox.run(one).success();
            }
            let before = sandbox.number("SELECT count(*) FROM authctl_throttle");
            let answer = [known, &others[0]].map(|email| {
                let ran = sandbox.run(&format!("{words} {email}"));
                assert_eq!(ran.code, 1, "{setting}: {ran}");
                ran.to_string().replace(email, "[EMAIL]")
            });
            assert_eq!(answer[0], answer[1], "{words}: {setting}");
            assert_eq!(sandbox.number("SELECT count(*) FROM authctl_throttle"), before, "{words}: {setting}");
        }
        assert_eq!(sandbox.number("SELECT count(*) FROM verification"), 0, "{words}");
    }
}

#[test]
fn signup_and_notices_do_not_wait_for_a_mailer() {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    sandbox.run("policy set email.verification required").success();
    let sendmail = sandbox.slow_sendmail();
    sandbox.sign_up("ada@example.com", "Ada").success();
    assert!(sendmail.release().contains("A code to verify your address"));
    sandbox.run("users verify-email ada@example.com").success();
    sandbox.sign_in("ada@example.com").success();
    sandbox.run("email change ada@example.org").success();
    let message = sendmail.release();
    let (_, code) = message.split_once("The code: ").unwrap();
    sandbox.verify(code.lines().next().unwrap().trim_end()).success();
    let message = sendmail.release();
    assert!(message.contains("To: ada@example.com") && message.contains("Your address was changed"), "{message}");
}

#[test]
fn delivery_survives_ctrl_c_and_the_closing_of_the_terminal() {
    let sandbox = Sandbox::with_ada();
    let sendmail = sandbox.slow_sendmail();
    // A shell without job control: everything it starts is in the foreground group of the terminal.
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "\"$0\" password forgot ada@example.com; echo asked; read -r line"]).arg(program());
    shell.env_clear().env("HOME", sandbox.home()).current_dir(sandbox.home());
    let mut terminal = Terminal::new().run(shell);
    terminal.wait_for("asked").press("\x03");
    // The shell led the session: its end hangs up the terminal, which is closed then.
    terminal.end().with_code(130);
    assert!(sendmail.release().contains("The code: "));
}

#[test]
fn delivery_process_inherits_nothing() {
    let sandbox = Sandbox::with_ada();
    sandbox.mail_through(
        "cat > /dev/null\n{ /usr/bin/env; echo \"in $(pwd)\"; ls -l /proc/self/fd; } > \"$here/partial\" 2>&1\n\
         mv \"$here/partial\" \"$here/found\"",
    );
    let lock = sandbox.file("lock", "");
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "exec 9<\"$1\"; exec \"$0\" password forgot ada@example.com"]).arg(program()).arg(&lock);
    command.env_clear().env("HOME", sandbox.home()).current_dir(sandbox.home()).stdin(Stdio::null());
    let secrets = [
        "AUTHCTL_TOKEN",
        "AUTHCTL_TOKEN_FILE",
        "BETTER_AUTH_SECRET",
        "BETTER_AUTH_SECRETS",
        "AUTH_SECRET",
        "PGPASSWORD",
        "SMTP_PASSWORD",
    ];
    for secret in secrets {
        command.env(secret, "canary");
    }
    command.env("LC_ALL", "C").env("TZ", "UTC");
    sandbox.finish(&mut command).success();
    let found = eventually("what the mailer found", || std::fs::read_to_string(sandbox.path("mailer/found")).ok());
    assert!(!found.contains("canary"), "{found}");
    assert!(found.contains("LC_ALL=C\n") && found.contains("TZ=UTC\n") && found.contains("in /\n"), "{found}");
    assert!(!found.contains(lock.to_str().unwrap()) && !found.contains("auth.db"), "{found}");
}

#[test]
fn delivery_process_takes_nothing_but_a_message_from_authctl() {
    let sandbox = Sandbox::with_ada();
    let word = "--internal-deliver-mail";
    assert!(sandbox.run(word).failure(2).contains("standard input is not a pipe"));
    assert!(sandbox.run_with_input(word, "hello").failure(2).contains("standard input holds no message"));
    for words in ["--help", "help users", "completions bash", "completions zsh", "help environment"] {
        assert!(!sandbox.run(words).success().contains("internal-deliver"), "{words}");
    }
    // Among other arguments it is an unknown flag.
    assert!(sandbox.run(&format!("{word} whoami")).failure(2).contains("unknown flag --internal"));
}

#[test]
fn guest_answers_before_delivery_and_alike() {
    for variant in [DRIZZLE, KYSELY] {
        let app = App::new(variant);
        let email = app.text("SELECT {.email} FROM {user} ORDER BY {.email} LIMIT 1");
        for setting in ["mail.url smtp://127.0.0.1:9", "mail.from accounts@example.com"] {
            app.run(&format!("policy set {setting}")).success();
        }
        let rows = app.value("SELECT count(*) FROM {verification}");
        let unknown = app.run("password forgot unknown@example.net");
        assert_eq!((unknown.code, app.value("SELECT count(*) FROM {verification}")), (0, rows), "{unknown}");
        let known = app.run(&format!("password forgot {email}"));
        assert_eq!(known.to_string().replace(&email, "unknown@example.net"), unknown.to_string());
        let failed = || app.run("audit list --event mail.failed --json").json()["entries"].as_array().unwrap().clone();
        let entries = eventually("the entry of a failed mail", || Some(failed()).filter(|all| !all.is_empty()));
        assert_eq!(entries.len(), 1, "{entries:?}");
        assert_eq!(
            entries[0]["userId"].to_string().trim_matches('"'),
            app.text(&format!("SELECT {{.id}} FROM {{user}} WHERE {{.email}} = '{email}'"))
        );
    }
}

/// Counts the calls of the command, without those of the delivery process, that write, sync or start processes.
fn work(command: &Command, trace: &std::path::Path) -> BTreeMap<String, usize> {
    const CALLS: &str =
        "trace=pwrite64,pwritev,fsync,fdatasync,ftruncate,unlink,openat,execve,clone,clone3,vfork,pipe2";
    let output = strace::command(command, &["-e", CALLS], trace).output().expect("strace is needed for this test");
    assert!(output.status.success(), "strace cannot be used here: {}", String::from_utf8_lossy(&output.stderr));
    let mut calls = BTreeMap::new();
    for line in std::fs::read_to_string(trace).unwrap().lines() {
        if let Some((call, _)) = line.split_once('(') {
            *calls.entry(call.to_owned()).or_default() += 1;
        }
    }
    assert!(calls.get("fsync").is_some_and(|count| *count > 3), "{calls:?}");
    calls
}

#[cfg(target_os = "linux")]
#[test]
fn work_is_the_same_for_known_and_unknown_addresses() {
    for (words, known, others) in ASKS {
        let counted = |email: &str| {
            // A new copy for each address, because earlier writes change the calls of later ones.
            let sandbox = people(words);
            let sendmail = sandbox.slow_sendmail();
            let words = format!("{words} {email}");
            let calls = work(&sandbox.command(words.split_whitespace()), &sandbox.path("trace"));
            if email == *known {
                sendmail.release();
            }
            calls
        };
        let calls = counted(known);
        for other in *others {
            assert_eq!(counted(other), calls, "{words} {other}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn work_in_a_guest_is_the_same_for_known_and_unknown_addresses() {
    for variant in [DRIZZLE, KYSELY] {
        let counted = |is_known: bool| {
            let app = App::new(variant);
            for setting in ["mail.url smtp://127.0.0.1:9", "mail.from accounts@example.com"] {
                app.run(&format!("policy set {setting}")).success();
            }
            let known = app.text("SELECT {.email} FROM {user} ORDER BY {.email} LIMIT 1");
            let email = if is_known { known } else { "unknown@example.net".to_owned() };
            work(&app.command(&format!("password forgot {email}")), &app.sandbox.path("trace"))
        };
        assert_eq!(counted(true), counted(false), "{}", variant.name);
    }
}

#[test]
fn code_is_never_shown_to_its_requester() {
    for (words, known, _) in ASKS {
        for json in ["", " --json"] {
            let sandbox = people(words);
            let server = sandbox.mailbox();
            let ran: Ran = sandbox.run(&format!("{words} {known}{json}"));
            let code = server.session().code();
            assert!(!ran.stdout.contains(&code) && !ran.stderr.contains(&code), "{ran}");
            for later in ["audit list --json", "users show ada@example.com --json", "users explain ada@example.com"] {
                let ran = sandbox.run(later);
                assert!(!ran.stdout.contains(&code) && !ran.stderr.contains(&code), "{later}: {ran}");
            }
            for (path, content) in crate::machine::tree(sandbox.home()).files() {
                assert!(!content.windows(code.len()).any(|part| part == code.as_bytes()), "{}", path.display());
            }
        }
    }
}
