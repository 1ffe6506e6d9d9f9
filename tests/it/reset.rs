//! `users reset-code` and `password reset`: a new password without the old one and without mail.
//! `codes_refused.rs` has the tests of refused codes.

use insta::assert_snapshot;

use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Ran, Sandbox};

fn code(sandbox: &Sandbox, email: &str) -> String {
    let code = sandbox.run(&format!("users reset-code {email} -q")).success();
    code.trim_end().to_owned()
}

fn reset(sandbox: &Sandbox, code: &str, password: &str) -> Ran {
    sandbox.run_with_input("password reset --code-stdin --password-stdin", format!("{code}\n{password}\n"))
}

#[track_caller]
fn assert_refused(sandbox: &Sandbox, code: &str) {
    let error = sandbox
        .run_with_input("password reset --code-stdin --password-stdin --json", format!("{code}\n{OTHER_PASSWORD}\n"))
        .json_error(7);
    assert_eq!(error["code"], "INVALID_TOKEN");
    // Repeated refusals are throttled; `codes_refused.rs` covers that.
    sandbox.execute("DELETE FROM authctl_throttle");
}

#[test]
fn a_code_sets_a_new_password_and_ends_every_session() {
    let sandbox = Sandbox::with_ada();
    let code = code(&sandbox, "ada@example.com");
    assert_eq!(code.len(), 35);
    assert_snapshot!(reset(&sandbox, &code, OTHER_PASSWORD), @r"
    ------- stderr -------
    set the new password of Ada <ada@example.com> and ended 1 session; sign in with `authctl signin`
    ");
    let _ = sandbox.run("whoami").failure(4);
    let _ = sandbox.sign_in("ada@example.com").failure(7);
    sandbox.run_with_input("signin ada@example.com --password-stdin", OTHER_PASSWORD).success();
}

#[test]
fn one_of_parallel_uses_of_a_code_succeeds() {
    let sandbox = Sandbox::with_ada();
    let code = code(&sandbox, "ada@example.com");
    sandbox.file("both", format!("{code}\n{OTHER_PASSWORD}\n"));
    let children: Vec<_> = (0..20)
        .map(|_| {
            let mut command =
                sandbox.command(["password", "reset", "--code-stdin", "--password-stdin", "--wait", "60s"]);
            command.stdin(std::fs::File::open(sandbox.path("both")).unwrap());
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let runs: Vec<Ran> = children.into_iter().map(|child| sandbox.ran(&child.wait_with_output().unwrap())).collect();
    assert_eq!(runs.iter().filter(|ran| ran.code == 0).count(), 1, "{runs:?}");
    assert!(runs.iter().all(|ran| [0, 7, 8].contains(&ran.code)), "{runs:?}");
}

#[test]
fn password_change_invalidates_the_code() {
    for words in ["password change --password-file both", "users set-password ada@example.com --password-file new"] {
        let sandbox = Sandbox::with_ada();
        sandbox.file("new", OTHER_PASSWORD);
        sandbox.file("both", format!("{PASSWORD}\n{OTHER_PASSWORD}\n"));
        let code = code(&sandbox, "ada@example.com");
        sandbox.run(words).success();
        assert_refused(&sandbox, &code);
    }
}

#[test]
fn weak_password_keeps_the_code_valid() {
    let sandbox = Sandbox::with_ada();
    let code = code(&sandbox, "ada@example.com");
    let _ = reset(&sandbox, &code, "password1").failure(2);
    reset(&sandbox, &code, OTHER_PASSWORD).success();
}

#[test]
fn code_is_taken_in_any_case_and_with_or_without_its_groups() {
    let sandbox = Sandbox::with_ada();
    for spell in [str::to_lowercase, |code: &str| code.replace('-', ""), |code: &str| code.replace('-', " ")] {
        let code = code(&sandbox, "ada@example.com");
        assert!(code.split('-').all(|group| group.len() == 5) && !code.contains(['I', 'L', 'O', 'U']), "{code}");
        reset(&sandbox, &spell(&code), OTHER_PASSWORD).success();
    }
}

#[test]
fn code_of_an_older_version_stays_valid() {
    let sandbox = Sandbox::with_ada();
    let _ = code(&sandbox, "ada@example.com");
    let old = "aB3dEfGh1jKlMnOpQrStUvWx";
    let digest = authctl::auth::secret::digest(old);
    sandbox.execute(&format!("UPDATE verification SET identifier = 'reset-password:{digest}'"));
    assert_refused(&sandbox, &old.to_lowercase());
    reset(&sandbox, old, OTHER_PASSWORD).success();
}

#[test]
fn json_has_code_and_expiry_and_ttl_is_bounded() {
    let sandbox = Sandbox::with_ada();
    let made = sandbox.run("users reset-code ada@example.com --ttl 30m --json").json();
    assert_eq!(made["code"].as_str().unwrap().len(), 35);
    let end: jiff::Timestamp = made["expiresAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(sandbox.number("SELECT expiresAt FROM verification"), end.as_second());
    for ttl in ["0s", "25h", "soon"] {
        let _ = sandbox.run(&format!("users reset-code ada@example.com --ttl {ttl}")).failure(2);
    }
    let _ = sandbox.run("users reset-code unknown@example.com").failure(3);
    let _ = sandbox.run("password reset").failure(2);
}
