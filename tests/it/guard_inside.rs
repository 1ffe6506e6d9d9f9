//! The session that an authctl under `guard` uses: that of the user whom guard let in, and no other.

use std::process::Command;

use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Ran, Sandbox, program};

/// A sandbox where the administrator root is signed in and ada has an account, and a token of ada.
fn root_is_stored() -> (Sandbox, String) {
    let sandbox = Sandbox::with_ada();
    sandbox.sign_up("root@example.com", "Root").success();
    sandbox.run("users set-role root@example.com admin").success();
    let token = issue(&sandbox, "ada@example.com");
    (sandbox, token)
}

fn issue(sandbox: &Sandbox, email: &str) -> String {
    sandbox.run(&format!("sessions issue --user {email} --for 10m")).success().trim_end().to_owned()
}

/// Runs a shell script under `guard` with a token. In the script, `a` is the program.
fn script(sandbox: &Sandbox, token: &str, script: &str) -> Command {
    let script = format!("a() {{ '{}' \"$@\"; }}\n{script}", program().display());
    let mut command = sandbox.command(["guard", "--", "/bin/sh", "-c", &script]);
    command.env("AUTHCTL_TOKEN", token);
    command
}

fn inside(sandbox: &Sandbox, token: &str, words: &str) -> Ran {
    sandbox.finish(&mut script(sandbox, token, &format!("a {words}")))
}

fn inside_with_input(sandbox: &Sandbox, token: &str, words: &str, input: &str) -> Ran {
    sandbox.finish_with_input(&mut script(sandbox, token, &format!("a {words}")), input)
}

fn sessions_of(sandbox: &Sandbox, email: &str) -> i64 {
    sandbox.number(&format!(
        "SELECT count(*) FROM session JOIN user ON user.id = session.userId WHERE user.email = '{email}'"
    ))
}

fn users(sandbox: &Sandbox) -> i64 {
    sandbox.number("SELECT count(*) FROM user")
}

#[test]
fn stored_session_of_another_user_is_no_session() {
    let (sandbox, token) = root_is_stored();
    insta::assert_snapshot!(inside(&sandbox, &token, "whoami"), @"
    ------- stderr -------
    error: not signed in
    hint: the session belongs to another user than `authctl guard` let in: run this outside of guard
    [exit status: 4]
    ");
    assert_eq!(inside(&sandbox, &token, "whoami --check").failure(4), "");
    assert_eq!(inside(&sandbox, &token, "whoami --json").json_error(4)["code"], "UNAUTHORIZED");
    assert_eq!(inside(&sandbox, &token, "guard --role admin -- /bin/echo out").code, 4);
}

#[test]
fn stored_session_of_another_user_is_not_moved_forward() {
    let (sandbox, token) = root_is_stored();
    sandbox.execute(
        "UPDATE session SET updatedAt = updatedAt - 172800, expiresAt = expiresAt - 172800
         WHERE expiresAt - updatedAt > 172800",
    );
    let ends = || sandbox.number("SELECT sum(expiresAt) FROM session");
    let before = ends();
    let _ = inside(&sandbox, &token, "whoami").failure(4);
    assert_eq!(ends(), before);
    sandbox.run("whoami").success();
    assert_ne!(ends(), before, "without guard it moves");
}

#[test]
fn sign_out_leaves_the_session_of_another_user_alone() {
    let (sandbox, token) = root_is_stored();
    let before = std::fs::read(sandbox.session_file()).unwrap();
    let live = sessions_of(&sandbox, "root@example.com");
    for words in ["signout", "signout --all", "signout --local"] {
        let said = inside(&sandbox, &token, words).failure(4);
        assert!(said.contains("another user than `authctl guard` let in"), "{words}: {said}");
        assert_eq!(std::fs::read(sandbox.session_file()).unwrap(), before, "{words}");
        assert_eq!(sessions_of(&sandbox, "root@example.com"), live, "{words}");
    }
    sandbox.run("whoami --check").success();
}

#[test]
fn except_current_needs_a_known_current_session() {
    let (sandbox, token) = root_is_stored();
    let live = sessions_of(&sandbox, "root@example.com");
    let words = "sessions revoke --all-users --all --except-current";
    let _ = inside(&sandbox, &token, words).failure(4);
    assert_eq!(sessions_of(&sandbox, "root@example.com"), live);
}

#[test]
fn sign_in_stores_and_replaces_no_session_of_another_user() {
    let (sandbox, token) = root_is_stored();
    let before = std::fs::read(sandbox.session_file()).unwrap();
    let live = sessions_of(&sandbox, "root@example.com");
    let refused = |words: &str| {
        let ran = inside_with_input(&sandbox, &token, &format!("{words} --json"), PASSWORD);
        assert_eq!(ran.json_error(5)["code"], "FORBIDDEN", "{words}");
        assert_eq!(std::fs::read(sandbox.session_file()).unwrap(), before, "{words}");
        assert_eq!(sessions_of(&sandbox, "root@example.com"), live, "{words}");
    };
    let count = users(&sandbox);
    refused("signin root@example.com --password-stdin");
    refused("signin ada@example.com --password-stdin");
    refused("signup eve@example.com --name Eve --password-stdin");
    refused("users impersonate ada@example.com");
    assert_eq!(users(&sandbox), count);
    for words in [
        "signin root@example.com --password-stdin --no-store",
        "signin root@example.com --password-stdin --print-token",
        "signup eve@example.com --name Eve --password-stdin --no-signin",
        "users impersonate ada@example.com --print-token",
    ] {
        inside_with_input(&sandbox, &token, words, PASSWORD).success();
        assert_eq!(std::fs::read(sandbox.session_file()).unwrap(), before, "{words}");
    }
}

#[test]
fn sign_in_keeps_a_file_of_another_user() {
    use std::os::unix::fs::PermissionsExt as _;
    let (sandbox, token) = root_is_stored();
    let file = sandbox.session_file();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let before = (std::fs::read(&file).unwrap(), sessions_of(&sandbox, "root@example.com"));
    let words = "signin ada@example.com --password-stdin --json";
    let error = inside_with_input(&sandbox, &token, words, PASSWORD).json_error(4);
    assert_eq!(error["code"], "SESSION_FILE_UNSAFE");
    assert_eq!((std::fs::read(&file).unwrap(), sessions_of(&sandbox, "root@example.com")), before);
}

#[test]
fn admitted_user_uses_replaces_and_ends_sessions_of_their_own() {
    let sandbox = Sandbox::with_ada();
    let token = issue(&sandbox, "ada@example.com");
    inside(&sandbox, &token, "whoami").success();
    inside(&sandbox, &token, "account update --name Augusta").success();
    inside_with_input(&sandbox, &token, "signin ada@example.com --password-stdin", PASSWORD).success();
    assert_eq!(sessions_of(&sandbox, "ada@example.com"), 2, "the replaced one ended");
    let both = format!("{PASSWORD}\n{OTHER_PASSWORD}\n");
    inside_with_input(&sandbox, &token, "password change --password-stdin --keep-sessions", &both).success();
    inside(&sandbox, &token, "guard -- /bin/echo out").success();
    inside(&sandbox, &token, "signout").success();
    assert_eq!(sessions_of(&sandbox, "ada@example.com"), 1);
    inside(&sandbox, &token, "signout").success();
}

#[test]
fn token_of_the_command_must_be_the_admitted_users() {
    let (sandbox, token) = root_is_stored();
    let roots = issue_for_admin(&sandbox);
    let with = |given: &str| {
        sandbox.finish(&mut script(&sandbox, &token, &format!("AUTHCTL_TOKEN='{given}' a whoami --json")))
    };
    assert_eq!(with(&token).json()["user"]["email"], "ada@example.com");
    assert_eq!(with(&roots).json_error(4)["code"], "UNAUTHORIZED");
    let file = sandbox.file("token", &roots);
    let words = format!("AUTHCTL_TOKEN_FILE='{}' a signout", file.display());
    let _ = sandbox.finish(&mut script(&sandbox, &token, &words)).failure(4);
    sandbox.finish(sandbox.command(["whoami"]).env("AUTHCTL_TOKEN", &roots)).success();
}

fn issue_for_admin(sandbox: &Sandbox) -> String {
    sandbox.run("sessions issue --user root@example.com --for 10m --force").success().trim_end().to_owned()
}

#[test]
fn inner_guard_lets_in_the_user_of_the_outer_one_only() {
    let (sandbox, token) = root_is_stored();
    let roots = issue_for_admin(&sandbox);
    let inner = |given: &str| {
        let words = format!("AUTHCTL_TOKEN='{given}' a guard -- /bin/sh -c 'echo $AUTHCTL_USER_EMAIL'");
        sandbox.finish(&mut script(&sandbox, &token, &words))
    };
    assert_eq!(inner(&token).success(), "ada@example.com\n");
    let _ = inner(&roots).failure(4);
    let _ = inside(&sandbox, &token, "guard --signin -- /bin/echo out").failure(4);
}

#[test]
fn same_user_id_in_another_database_is_another_user() {
    let (sandbox, token) = root_is_stored();
    sandbox.run("db backup copy.db").success();
    let answer = inside(&sandbox, &token, "whoami --db copy.db");
    assert!(answer.failure(4).contains("no session for"), "nothing is stored for the copy");
    let with = format!("AUTHCTL_TOKEN='{token}' a whoami --db copy.db");
    sandbox.finish(sandbox.command(["whoami", "--db", "copy.db"]).env("AUTHCTL_TOKEN", &token)).success();
    let said = sandbox.finish(&mut script(&sandbox, &token, &with)).failure(4);
    assert!(said.contains("another database"), "{said}");
    // All these names are of the same database.
    let same = format!("AUTHCTL_TOKEN='{token}' a whoami --db .local/share/../share/authctl/auth.db");
    sandbox.finish(&mut script(&sandbox, &token, &same)).success();
}

#[test]
fn impersonator_is_not_the_impersonated_user() {
    let sandbox = Sandbox::with_ada();
    let acting = sandbox.run("users impersonate ada@example.com --print-token").success().trim_end().to_owned();
    // Ada's own session is stored, but guard let in another user.
    let _ = inside(&sandbox, &acting, "whoami").failure(4);
    let same = format!("AUTHCTL_TOKEN='{acting}' a whoami; echo $AUTHCTL_USER_IMPERSONATED_BY");
    let answer = sandbox.finish(&mut script(&sandbox, &acting, &same)).success();
    assert!(answer.contains("impersonated by  ") && !answer.ends_with("\n\n"), "{answer}");
    // The reverse.
    let own = issue(&sandbox, "ada@example.com");
    let other = format!("AUTHCTL_TOKEN='{acting}' a whoami");
    let _ = sandbox.finish(&mut script(&sandbox, &own, &other)).failure(4);
}

#[test]
fn variables_of_guard_only_restrict() {
    let sandbox = Sandbox::with_ada();
    let id = sandbox.run("whoami --json").json()["user"]["id"].as_str().unwrap().to_owned();
    let with = |variables: &[(&str, &str)], config: &str| {
        let mut command = sandbox.command(["whoami", "--check"]);
        command.envs(variables.iter().copied()).env("XDG_CONFIG_HOME", sandbox.path(config));
        sandbox.finish(&mut command).code
    };
    assert_eq!(with(&[("AUTHCTL_USER_ID", &id)], ".config"), 0);
    assert_eq!(with(&[("AUTHCTL_USER_ID", "")], ".config"), 0, "empty is as good as unset");
    assert_eq!(with(&[("AUTHCTL_USER_ID", "unknown")], ".config"), 4);
    assert_eq!(with(&[("AUTHCTL_USER_DB", sandbox.database().to_str().unwrap())], ".config"), 4);
    assert_eq!(with(&[("AUTHCTL_USER_IMPERSONATED_BY", &id)], ".config"), 4);
    assert_eq!(with(&[("AUTHCTL_USER_ID", &id)], "empty"), 4, "no session is made of it");
}

#[test]
fn abandoned_sign_in_of_another_user_is_kept() {
    let (sandbox, token) = root_is_stored();
    let stored = sandbox.session_file();
    let name = stored.file_name().unwrap().to_str().unwrap();
    let abandoned = sandbox.sessions().join(format!(".{name}.0123456789abcdef.tmp"));
    std::fs::rename(&stored, &abandoned).unwrap();
    let live = sessions_of(&sandbox, "root@example.com");
    inside_with_input(&sandbox, &token, "signin ada@example.com --password-stdin", PASSWORD).success();
    inside(&sandbox, &token, "signout").success();
    assert!(abandoned.exists());
    assert_eq!(sessions_of(&sandbox, "root@example.com"), live);
    sandbox.run("signout").success();
    assert_eq!(sessions_of(&sandbox, "root@example.com"), live - 1);
}

#[test]
fn dropped_session_leaves_the_command_no_user() {
    let sandbox = Sandbox::with_ada();
    let dropping = |script: &str, input: &str| {
        let script = format!("a() {{ '{}' \"$@\"; }}\n{script}", program().display());
        let mut command = sandbox.command(["guard", "--drop-session", "--", "/bin/sh", "-c", &script]);
        sandbox.finish_with_input(&mut command, input)
    };
    assert_eq!(dropping("echo $AUTHCTL_USER_EMAIL", "").success(), "ada@example.com\n");
    insta::assert_snapshot!(dropping("a whoami", ""), @"
    ------- stderr -------
    error: not signed in
    hint: `authctl guard --drop-session` gave this command no session: run it outside of guard, or without the flag
    [exit status: 4]
    ");
    for words in ["a guard -- true", "AUTHCTL_TOKEN=x a whoami --check", "a signout", "a sessions"] {
        assert_eq!(dropping(words, "").code, 4, "{words}");
    }
    assert_eq!(dropping("a signin ada@example.com --password-stdin", PASSWORD).code, 5);
    assert_eq!(dropping("a users exists ada@example.com", "").code, 0, "operators need no session");
    sandbox.run("whoami --check").success();
}
