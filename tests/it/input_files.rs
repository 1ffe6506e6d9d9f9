//! Files named by arguments or the environment: of any kind and size. Reading must not block and has a limit.

use std::path::PathBuf;
use std::process::Command;

use rustix::fs::{CWD, FileType, Mode};

use crate::machine::without_hanging;
use crate::sandbox::{PASSWORD, Sandbox, program};

/// Kinds of files.
fn odd_files(sandbox: &Sandbox) -> Vec<PathBuf> {
    let pipe = sandbox.path("pipe");
    rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let huge = sandbox.file("huge", "");
    std::fs::File::options().write(true).open(&huge).unwrap().set_len(1 << 36).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&huge, private).unwrap();
    let devices = ["/dev/zero", "/dev/null", "/dev/tty", "/proc/self/mem", "/proc/self/environ"];
    [pipe, huge, sandbox.home().to_owned()].into_iter().chain(devices.map(PathBuf::from)).collect()
}

/// A command that reads a file, without the path.
type Entry = (&'static str, fn(&mut Command, PathBuf));

const ENTRIES: &[Entry] = &[
    ("whoami", |command, file| {
        command.env("AUTHCTL_TOKEN_FILE", file);
    }),
    ("signout", |command, file| {
        command.env("AUTHCTL_TOKEN_FILE", file);
    }),
    ("users list", |command, file| {
        command.arg("--schema").arg(file);
    }),
    ("users list", |command, file| {
        command.env("AUTHCTL_SCHEMA", file);
    }),
    ("signin ada@example.com", |command, file| {
        command.arg("--password-file").arg(file);
    }),
    ("hash generate", |command, file| {
        command.arg("--password-file").arg(file);
    }),
    ("users set-password ada@example.com", |command, file| {
        command.arg("--password-file").arg(file);
    }),
];

#[test]
fn special_or_large_file_is_refused_without_waiting() {
    let sandbox = Sandbox::with_ada();
    for file in odd_files(&sandbox) {
        for (words, name) in ENTRIES {
            let mut command = sandbox.command(words.split(' '));
            name(&mut command, file.clone());
            let ran = without_hanging(&sandbox, &mut command, "");
            assert!([2, 4].contains(&ran.code), "{words} {}: {ran}", file.display());
            assert!(!ran.stderr.contains("bug"), "{words} {}: {ran}", file.display());
        }
    }
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 1);
    sandbox.run("whoami").success();
}

#[test]
fn mail_credentials_that_are_no_file_are_refused_at_once() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("policy set mail.from auth@example.com").success();
    sandbox.run("policy set mail.url smtp://127.0.0.1:9").success();
    for file in odd_files(&sandbox) {
        sandbox.run_words(&["policy", "set", "mail.credentials-file", file.to_str().unwrap()]).success();
        let ran = without_hanging(&sandbox, &mut sandbox.command(["password", "forgot", "ada@example.com"]), "");
        assert!(ran.code != 0 && ran.stderr.contains("credentials file"), "{}: {ran}", file.display());
    }
}

#[test]
fn a_session_file_of_any_size_is_refused_at_once() {
    let sandbox = Sandbox::with_ada();
    let file = std::fs::File::options().write(true).open(sandbox.session_file()).unwrap();
    file.set_len(1 << 36).unwrap();
    let ran = without_hanging(&sandbox, &mut sandbox.command(["whoami", "--json"]), "");
    assert_eq!(ran.json_error(4)["code"], "SESSION_FILE_DAMAGED");
}

/// The pipe of a shell's `<(...)`.
#[test]
fn process_substitution_is_read() {
    let sandbox = Sandbox::with_ada();
    let content = std::fs::read(sandbox.session_file()).unwrap();
    let content: serde_json::Value = serde_json::from_slice(&content).unwrap();
    let token = content["token"].as_str().unwrap();
    let with_pipe = |words: &str| {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", r#"exec 3<&0 0</dev/null; exec "$0" "$@""#]).arg(program()).args(words.split(' '));
        command.env_clear().env("HOME", sandbox.home()).current_dir(sandbox.home());
        command
    };
    for path in ["/dev/fd/3", "/proc/self/fd/3"] {
        let words = format!("signin ada@example.com --no-store --password-file {path}");
        sandbox.finish_with_input(&mut with_pipe(&words), PASSWORD).success();
        let mut command = with_pipe("whoami");
        command.env("AUTHCTL_TOKEN_FILE", path);
        sandbox.finish_with_input(&mut command, format!("{token}\n")).success();
    }
    let mut endless = with_pipe("whoami");
    endless.env("AUTHCTL_TOKEN_FILE", "/dev/fd/3");
    let ran = sandbox.finish_with_input(&mut endless, "a".repeat(1_000_000));
    assert_eq!(ran.code, 4, "{ran}");
    let words = "signin ada@example.com --no-store --password-file /dev/stdin";
    sandbox.run_with_input(words, PASSWORD).success();
}
