//! `guard`: who may run the command, and that only the command runs.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::sandbox::{PASSWORD, Ran, Sandbox};

/// Runs a shell script under `guard` with these flags.
fn guard(sandbox: &Sandbox, flags: &str, script: &str) -> Ran {
    let words = ["guard"].into_iter().chain(flags.split_whitespace());
    sandbox.finish(&mut sandbox.command(words.chain(["--", "/bin/sh", "-c", script])))
}

/// The error code of a refusal, after which the command must not have run.
fn refused(sandbox: &Sandbox, flags: &str, code: i32) -> String {
    let error = guard(sandbox, &format!("--json {flags}"), "echo out; : > ran").json_error(code);
    assert!(!sandbox.path("ran").exists(), "{flags}: the command ran");
    error["code"].as_str().unwrap().to_owned()
}

/// Makes the session this many days older, without changing its expiry.
fn age(sandbox: &Sandbox, days: i64) {
    sandbox.execute(&format!("UPDATE session SET createdAt = createdAt - {days} * 86400"));
}

#[test]
fn command_replaces_authctl_and_keeps_its_process_id() {
    let sandbox = Sandbox::with_ada();
    let mut command = sandbox.command(["guard", "--", "/bin/sh", "-c", "echo $$"]);
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    let id = child.id();
    assert_eq!(sandbox.ran(&child.wait_with_output().unwrap()).success(), format!("{id}\n"));
}

#[test]
fn exit_code_and_output_are_those_of_the_command() {
    let sandbox = Sandbox::with_ada();
    for code in [0, 1, 7, 130, 255] {
        let ran = guard(&sandbox, "", &format!("echo out; echo err >&2; exit {code}"));
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (code, "out\n", "err\n"));
    }
}

#[test]
fn signals_end_the_command_as_they_would_without_guard() {
    // An ignored signal stays ignored in the next program. authctl itself changes PIPE and XFSZ.
    let sandbox = Sandbox::with_ada();
    for (name, number) in [("TERM", 15), ("PIPE", 13), ("XFSZ", 25), ("KILL", 9)] {
        let script = format!("kill -{name} $$; echo survived");
        let output = sandbox.command(["guard", "--", "/bin/sh", "-c", &script]).output().unwrap();
        assert_eq!(output.status.signal(), Some(number), "{name}: {output:?}");
    }
}

#[test]
fn command_gets_standard_input_and_output() {
    let sandbox = Sandbox::with_ada();
    let input: Vec<u8> = (0..=u8::MAX).cycle().take(100_000).collect();
    std::fs::write(sandbox.path("in"), &input).unwrap();
    let mut command = sandbox.command(["guard", "--", "/bin/cat"]);
    let output = command.stdin(std::fs::File::open(sandbox.path("in")).unwrap()).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{:?}", output.stderr);
    assert!(output.stdout == input, "{} bytes of {}", output.stdout.len(), input.len());
}

#[test]
fn arguments_are_passed_unchanged() {
    let sandbox = Sandbox::with_ada();
    let mut command = sandbox.command(["guard", "--", "/bin/sh", "-c", r#"printf '<%s>' "$@""#, "sh"]);
    command.args(["a b", "--", "--json", "-q", "--db", "", "*", "$HOME", "a\nb", "--help"]);
    let output = command.arg(OsStr::from_bytes(b"\xff")).output().unwrap();
    let expected = b"<a b><--><--json><-q><--db><><*><$HOME><a\nb><--help><\xff>";
    assert_eq!(output.stdout, expected, "{output:?}");
}

#[test]
fn command_gets_only_the_user_variables() {
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(sandbox.run("guard -- /usr/bin/env"), @"
    AUTHCTL_USER_DB=[HOME]/.local/share/authctl/auth.db
    AUTHCTL_USER_EMAIL=ada@example.com
    AUTHCTL_USER_ID=[ID]
    AUTHCTL_USER_ROLE=user
    HOME=[HOME]
    ");
    sandbox.execute("UPDATE user SET role = 'editor,admin'");
    let answer = guard(&sandbox, "", "echo $AUTHCTL_USER_ID $AUTHCTL_USER_EMAIL $AUTHCTL_USER_ROLE").success();
    let id = sandbox.run("whoami --json").json()["user"]["id"].as_str().unwrap().to_owned();
    assert_eq!(answer, format!("{id} ada@example.com editor,admin\n"));
}

#[test]
fn inherited_user_variables_are_overwritten() {
    let sandbox = Sandbox::with_ada();
    let mut command = sandbox.command(["guard", "--", "/bin/sh", "-c", "echo $AUTHCTL_USER_EMAIL $AUTHCTL_USER_ROLE"]);
    command.env("AUTHCTL_USER_EMAIL", "root@example.com").env("AUTHCTL_USER_ROLE", "admin");
    assert_eq!(sandbox.finish(&mut command).success(), "ada@example.com user\n");
}

#[test]
fn command_gets_no_token() {
    let sandbox = Sandbox::with_ada();
    let printed = sandbox.run_with_input("signin ada@example.com --password-stdin --print-token", PASSWORD).success();
    let token = printed.trim_end();
    let file = sandbox.file("token", token);
    for (variable, value) in [("AUTHCTL_TOKEN", token), ("AUTHCTL_TOKEN_FILE", file.to_str().unwrap())] {
        let environment =
            sandbox.finish(sandbox.command(["guard", "--", "/usr/bin/env"]).env(variable, value)).success();
        assert!(environment.contains("AUTHCTL_USER_EMAIL=ada@example.com\n"), "{environment}");
        assert!(!environment.contains("AUTHCTL_TOKEN") && !environment.contains(token), "{environment}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn command_finds_no_secret_in_environment_or_files() {
    let sandbox = Sandbox::with_ada();
    let printed = sandbox.run_with_input("signin ada@example.com --password-stdin --print-token", PASSWORD).success();
    let script = "cat /proc/self/environ";
    let through = sandbox
        .finish(sandbox.command(["guard", "--", "/bin/sh", "-c", script]).env("AUTHCTL_TOKEN", printed.trim_end()))
        .success();
    assert!(!through.contains(printed.trim_end()), "{through:?}");
    let direct = sandbox.finish(
        std::process::Command::new("/bin/ls")
            .arg("/proc/self/fd")
            .env_clear()
            .current_dir(sandbox.home())
            .stdin(Stdio::null()),
    );
    assert_eq!(sandbox.run("guard -- /bin/ls /proc/self/fd").success(), direct.success(), "open files are passed on");
}

#[test]
fn a_command_is_found_as_a_shell_finds_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::with_ada();
    std::fs::create_dir(sandbox.path("bin")).unwrap();
    let tool = sandbox.file("bin/tool", "#!/bin/sh\necho found");
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o700)).unwrap();
    let through_path = sandbox.finish(sandbox.command(["guard", "--", "tool"]).env("PATH", sandbox.path("bin")));
    assert_eq!(through_path.success(), "found\n");
    assert_eq!(sandbox.run("guard -- bin/tool").success(), "found\n");
}

#[test]
fn missing_program_is_127_and_unusable_one_is_126() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(sandbox.run("guard -- no-such-command"), @"
    ------- stderr -------
    error: could not run no-such-command: No such file or directory (os error 2)
    [exit status: 127]
    ");
    sandbox.file("plain", "not a program");
    std::fs::create_dir(sandbox.path("directory")).unwrap();
    let script = sandbox.file("script", "#!/no/such/interpreter\n");
    let binary = sandbox.file("binary", b"\x7fELF nonsense");
    for path in [script, binary] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    for (program, code) in [
        ("no-such-command", 127),
        ("./no-such-command", 127),
        ("", 127),
        ("./plain", 126),
        ("./directory", 126),
        ("./script", 126),
        ("./plain/below", 126),
    ] {
        let error = sandbox.run_words(&["guard", "--json", "--", program]).json_error(code);
        assert_eq!(error["code"], "COMMAND_NOT_STARTED", "{program}");
    }
    // A shell runs files that the kernel cannot execute, as with `env`. The shell then exits with 126 or 127.
    assert!([126, 127].contains(&sandbox.run_words(&["guard", "--", "./binary"]).code));
}

#[test]
fn missing_command_is_a_usage_error() {
    let sandbox = Sandbox::with_ada();
    for words in ["guard", "guard --", "guard --fresh --", "guard --role", "guard touch ran"] {
        let answer = sandbox.run(words).failure(2);
        assert!(
            answer.contains("CMD") || answer.contains("--role") || answer.contains("usage: authctl guard"),
            "{answer}"
        );
    }
    assert!(!sandbox.path("ran").exists());
}

#[test]
fn guard_runs_no_command_without_a_session() {
    let sandbox = Sandbox::new();
    assert_eq!(refused(&sandbox, "", 4), "UNAUTHORIZED");
    assert!(!sandbox.database().exists());
    sandbox.sign_up("ada@example.com", "Ada").success();
    guard(&sandbox, "", ": > started").success();
    assert!(sandbox.path("started").exists());
    sandbox.execute("UPDATE session SET expiresAt = unixepoch()");
    assert_eq!(refused(&sandbox, "", 4), "UNAUTHORIZED");
    assert_snapshot!(sandbox.run("guard -- /bin/echo out"), @"
    ------- stderr -------
    error: not signed in
    hint: the session has expired: sign in with `authctl signin`
    [exit status: 4]
    ");
    sandbox.execute("DELETE FROM session");
    assert_eq!(refused(&sandbox, "", 4), "UNAUTHORIZED");
    std::fs::write(sandbox.session_file(), "{}").unwrap();
    assert_eq!(refused(&sandbox, "", 4), "SESSION_FILE_DAMAGED");
}

#[test]
fn banned_user_and_missing_database_run_no_command() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute("UPDATE user SET banned = 1");
    assert_eq!(refused(&sandbox, "", 5), "BANNED_USER");
    std::fs::remove_file(sandbox.database()).unwrap();
    assert_eq!(refused(&sandbox, "", 9), "DATABASE_MISSING");
}

#[test]
fn role_matches_a_whole_role_of_the_user() {
    let sandbox = Sandbox::with_ada();
    assert_eq!(refused(&sandbox, "--role admin", 5), "FORBIDDEN");
    assert_snapshot!(sandbox.run("guard --role admin -- /bin/echo out"), @"
    ------- stderr -------
    error: the role admin is needed
    [exit status: 5]
    ");
    for roles in ["admin", "editor,admin", "admin, editor"] {
        sandbox.execute(&format!("UPDATE user SET role = '{roles}'"));
        assert_eq!(guard(&sandbox, "--role admin", "echo in").success(), "in\n", "{roles}");
        for role in ["adm", "Admin", "administrator", "editor,admin", "*"] {
            assert_eq!(refused(&sandbox, &format!("--role {role}"), 5), "FORBIDDEN", "{role} of {roles}");
        }
    }
    let empty = sandbox.run_words(&["guard", "--role", "", "--", "/bin/echo", "out"]);
    assert!([2, 5].contains(&empty.code), "{empty}");
}

#[test]
fn shown_role_is_the_required_role() {
    let sandbox = Sandbox::with_ada();
    for role in ["NULL", "'user'"] {
        sandbox.execute(&format!("UPDATE user SET role = {role}"));
        assert_eq!(guard(&sandbox, "--role user", "echo $AUTHCTL_USER_ROLE").success(), "user\n", "{role}");
    }
}

#[test]
fn only_fresh_requires_a_recent_sign_in() {
    let sandbox = Sandbox::with_ada();
    guard(&sandbox, "--fresh", ":").success();
    age(&sandbox, 2);
    guard(&sandbox, "", ":").success();
    assert_eq!(refused(&sandbox, "--fresh", 5), "SESSION_NOT_FRESH");
    sandbox.sign_in("ada@example.com").success();
    guard(&sandbox, "--fresh", ":").success();
}

#[test]
fn signin_flag_without_a_terminal_is_refused_at_once() {
    let sandbox = Sandbox::with_ada();
    age(&sandbox, 2);
    assert_eq!(refused(&sandbox, "--signin --fresh", 5), "SESSION_NOT_FRESH");
    sandbox.run("signout").success();
    assert_eq!(refused(&sandbox, "--signin", 4), "UNAUTHORIZED");
    // An open pipe on standard input cannot answer a prompt.
    let mut command = sandbox.command(["guard", "--signin", "--", "/bin/cat"]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let stdin = child.stdin.take();
    assert_eq!(child.wait().unwrap().code(), Some(4));
    drop(stdin);
}
