//! Mail delivery through a local `sendmail`.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use authctl::mail::{MailError, Mailer};

use super::{FROM, ada, mailer};
use crate::mailbox::eventually;

/// Writes a shell script with another process. If this process wrote it, a child started by another test
/// could inherit the open file, and the kernel refuses to run a file that is open for writing.
pub fn script(home: &Path, text: &str) -> PathBuf {
    let path = home.join("sendmail");
    let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$2\" && chmod 700 \"$2\"";
    assert!(Command::new("sh").args(["-c", write, "sh", text]).arg(&path).status().unwrap().success());
    path
}

fn send_through(program: &Path) -> Result<(), MailError> {
    let url = format!("sendmail:{}", program.display());
    // The file does not exist: `sendmail` needs no credentials, so authctl does not open it.
    Mailer::new(&url, FROM, Some(Path::new("/nonexistent"))).unwrap().send(&ada(), "Your code", "code 4711\n")
}

#[test]
fn sendmail_gets_both_addresses_and_the_message() {
    let home = tempfile::tempdir().unwrap();
    let text = "here=${0%/*}\nprintf '%s\\n' \"$@\" > \"$here/words\"\ncat > \"$here/message\"";
    send_through(&script(home.path(), text)).unwrap();
    let words = std::fs::read_to_string(home.path().join("words")).unwrap();
    assert_eq!(words, "-i\n-f\naccounts@example.com\n--\nada@example.com\n");
    let message = std::fs::read_to_string(home.path().join("message")).unwrap();
    let (headers, body) = message.split_once("\r\n\r\n").unwrap();
    assert!(headers.contains("\r\nTo: ada@example.com\r\nSubject: Your code\r\n"), "{headers}");
    assert_eq!(body, "code 4711\r\n");
}

#[test]
fn check_finds_a_missing_sendmail_and_runs_none() {
    let home = tempfile::tempdir().unwrap();
    let check = |program: &Path| mailer(&format!("sendmail:{}", program.display()), None).check(&ada(), "Hi", "text");
    let program = script(home.path(), "touch \"${0%/*}/was-run\"");
    check(&program).unwrap();
    assert!(!home.path().join("was-run").exists());
    for program in [home.path().join("none"), home.path().to_owned()] {
        let line = |error: &MailError| format!("{error}: {}", error.source().unwrap());
        let (said, sent) = (check(&program).unwrap_err(), send_through(&program).unwrap_err());
        assert_eq!(line(&said), line(&sent));
    }
}

#[test]
fn sendmail_gets_the_given_environment_alone() {
    let home = tempfile::tempdir().unwrap();
    let program = script(home.path(), "/usr/bin/env > \"${0%/*}/environment\"\ncat > /dev/null");
    let given = vec![("PATH".into(), "/usr/bin:/bin".into()), ("TZ".into(), "UTC".into())];
    let mailer = mailer(&format!("sendmail:{}", program.display()), None).with_environment(given);
    mailer.send(&ada(), "Your code", "code 4711\n").unwrap();
    let environment = std::fs::read_to_string(home.path().join("environment")).unwrap();
    // The shell adds variables of its own.
    let mut names: Vec<&str> = environment.lines().map(|line| line.split('=').next().unwrap()).collect();
    names.retain(|name| !["PWD", "_", "SHLVL", "OLDPWD"].contains(name));
    names.sort_unstable();
    assert_eq!(names, ["PATH", "TZ"]);
}

#[test]
fn a_sendmail_that_fails_is_quoted() {
    let home = tempfile::tempdir().unwrap();
    let program = script(home.path(), "cat > /dev/null\necho 'sendmail: no queue' >&2\nexit 75");
    let error = send_through(&program).unwrap_err();
    assert_eq!(error.to_string(), format!("mail was not sent: {} did not take it", program.display()));
    assert_eq!(error.source().unwrap().to_string(), "sendmail: no queue");
    assert!(!error.may_have_been_sent());
}

#[test]
fn silent_failure_of_sendmail_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    let error = send_through(&script(home.path(), "cat > /dev/null\nexit 1")).unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "it gave no reason");
}

#[test]
fn missing_sendmail_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    let error = send_through(&home.path().join("none")).unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "entity not found");
    assert_eq!(error.hint(), Some("name the program: sendmail:/usr/sbin/sendmail"));
}

/// A body larger than the buffer of a pipe, so that writing it requires a reader.
fn long_body() -> String {
    "a line of a long message\n".repeat(8_000)
}

#[test]
fn sendmail_that_talks_before_it_reads_gets_the_message() {
    let home = tempfile::tempdir().unwrap();
    let text = "head -c 1000000 /dev/zero | tr '\\0' x >&2\ncat > \"${0%/*}/message\"";
    let url = format!("sendmail:{}", script(home.path(), text).display());
    mailer(&url, None).send(&ada(), "Your code", &long_body()).unwrap();
    let message = std::fs::read_to_string(home.path().join("message")).unwrap();
    assert!(message.ends_with("a line of a long message\r\n") && message.len() > 200_000, "{}", message.len());
}

#[test]
fn sendmail_that_fails_after_many_words_is_quoted_in_part() {
    let home = tempfile::tempdir().unwrap();
    let text = "printf 'no queue ' >&2\nhead -c 1000000 /dev/zero | tr '\\0' x >&2\nexit 75";
    let url = format!("sendmail:{}", script(home.path(), text).display());
    let error = mailer(&url, None).send(&ada(), "Your code", &long_body()).unwrap_err();
    let said = error.source().unwrap().to_string();
    assert!(said.starts_with("no queue xxx") && said.len() == 200, "{said}");
}

/// A background process keeps the pipes of its parent open.
#[test]
fn background_process_of_sendmail_is_not_awaited() {
    let home = tempfile::tempdir().unwrap();
    let text = "cat > /dev/null\necho 'no queue' >&2\nsleep 1000 &\necho $! > \"${0%/*}/pid\"\nexit 75";
    let error = send_through(&script(home.path(), text)).unwrap_err();
    kill(home.path());
    assert_eq!(error.source().unwrap().to_string(), "no queue");
}

/// Ends the process whose id is in the file `pid`.
fn kill(home: &Path) {
    let pid = std::fs::read_to_string(home.join("pid")).unwrap();
    assert!(Command::new("kill").arg(pid.trim()).status().unwrap().success());
}

/// Whether a process runs. A zombie does not.
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.rsplit(')').next().unwrap().trim_start().starts_with('Z'))
}

#[test]
fn endless_sendmail_is_killed_with_its_children() {
    let behaviour = ["trap '' TERM\n", "exec 2>&-\n", "cat > /dev/null\n"];
    std::thread::scope(|scope| {
        for text in behaviour {
            scope.spawn(|| assert_is_ended(text));
        }
    });
}

fn assert_is_ended(text: &str) {
    let home = tempfile::tempdir().unwrap();
    let note = "echo $$ $! > \"${0%/*}/new\"; mv \"${0%/*}/new\" \"${0%/*}/pids\"";
    let program = script(home.path(), &format!("{text}sleep 1000 &\n{note}\nwait"));
    let mailer = mailer(&format!("sendmail:{}", program.display()), None);
    let mailer = mailer.waiting(Duration::from_secs(30), Duration::from_secs(2));
    let error = mailer.send(&ada(), "Your code", &long_body()).unwrap_err();
    assert!(matches!(error, MailError::TooSlow { .. }), "{error:?}");
    let pids = std::fs::read_to_string(home.path().join("pids")).unwrap();
    let (program, started) = pids.trim().split_once(' ').unwrap();
    assert!(!Path::new("/proc").join(program).exists(), "{text}: not collected");
    eventually("the end of what it started", || (!runs(started)).then_some(()));
}
