//! `whoami`: its answers, and the tokens that it does not accept.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

#[test]
fn whoami_without_a_session_is_4_and_opens_no_database() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run("whoami"), @r"
    ------- stderr -------
    error: not signed in: there is no session for [HOME]/.local/share/authctl/auth.db
    hint: sign in with `authctl signin`
    [exit status: 4]
    ");
    assert!(!sandbox.database().exists());
}

#[test]
fn whoami_shows_user_session_and_source() {
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(sandbox.run("whoami"), @r"
    name        Ada
    email       ada@example.com (not verified)
    user id     [ID]
    role        user
    session     [ID]
    expires     [TIME]
    token from  [HOME]/.config/authctl/sessions/[KEY].json
    database    [HOME]/.local/share/authctl/auth.db
    ");
}

#[test]
fn json_has_the_shape_of_get_session_and_no_secret() {
    let sandbox = Sandbox::with_ada();
    let who = sandbox.run("whoami --json").json();
    let keys = |value: &serde_json::Value| -> BTreeSet<String> { value.as_object().unwrap().keys().cloned().collect() };
    let set = |names: &str| -> BTreeSet<String> { names.split_whitespace().map(str::to_owned).collect() };
    assert_eq!(keys(&who), set("session user"));
    assert_eq!(
        keys(&who["session"]),
        set("id userId expiresAt createdAt updatedAt ipAddress userAgent impersonatedBy")
    );
    assert_eq!(
        keys(&who["user"]),
        set("id name email emailVerified image createdAt updatedAt role banned banReason banExpires twoFactorEnabled")
    );
    assert_eq!(who["session"]["userId"], who["user"]["id"]);
    assert!(who["session"]["ipAddress"].is_null());
    let expires = who["session"]["expiresAt"].as_str().unwrap();
    let instant: jiff::Timestamp = expires.parse().unwrap();
    assert_eq!(expires, instant.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string(), "UTC with milliseconds");
}

#[test]
fn check_answers_with_its_exit_code_alone() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run("whoami --check"), @"[exit status: 4]");
    sandbox.sign_up("ada@example.com", "Ada").success();
    assert_snapshot!(sandbox.run("whoami --check"), @"");
    assert_snapshot!(sandbox.run("whoami --check --json"), @"");
    sandbox.execute("DELETE FROM session");
    assert_snapshot!(sandbox.run("whoami --check"), @"[exit status: 4]");
}

#[test]
fn check_reports_a_missing_database() {
    let sandbox = Sandbox::with_ada();
    std::fs::remove_file(sandbox.database()).unwrap();
    assert_eq!(sandbox.run("whoami --check --json").json_error(9)["code"], "DATABASE_MISSING");
}

#[test]
fn status_is_an_alias() {
    let sandbox = Sandbox::with_ada();
    assert_eq!(sandbox.run("status").success(), sandbox.run("whoami").success());
}

#[test]
fn a_session_that_ends_this_second_has_expired() {
    let sandbox = Sandbox::with_ada();
    for end in ["unixepoch()", "unixepoch() - 1", "0", "-1"] {
        sandbox.execute(&format!("UPDATE session SET expiresAt = {end}"));
        let error = sandbox.run("whoami --json").json_error(4);
        assert_eq!(error["code"], "UNAUTHORIZED", "{end}");
    }
    assert_snapshot!(sandbox.run("whoami"), @"
    ------- stderr -------
    error: not signed in
    hint: the session has expired: sign in with `authctl signin`
    [exit status: 4]
    ");
}

#[test]
fn a_session_that_was_revoked_elsewhere_is_over() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute("DELETE FROM session");
    assert_snapshot!(sandbox.run("whoami"), @"
    ------- stderr -------
    error: not signed in
    hint: the session was ended or never was in this database: sign in with `authctl signin`
    [exit status: 4]
    ");
}

#[test]
fn a_banned_user_is_refused_with_a_live_session() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute("UPDATE user SET banned = 1, banReason = 'spam'");
    let error = sandbox.run("whoami --json").json_error(5);
    assert_eq!(error["code"], "BANNED_USER");
    sandbox.execute("UPDATE user SET banExpires = unixepoch() - 1");
    sandbox.run("whoami").success();
}

#[test]
fn damaged_session_file_is_not_a_session() {
    let sandbox = Sandbox::with_ada();
    let file = sandbox.session_file();
    let whole = std::fs::read(&file).unwrap();
    let long = vec![b'a'; 100_000];
    let half = &whole[..whole.len() / 2];
    let no_token = br#"{"database":"x","email":"ada@example.com","token":""}"#;
    for content in [b"", &b"\x7fELF\0\xff"[..], b"{}", b"[]", half, &long, no_token] {
        std::fs::write(&file, content).unwrap();
        let error = sandbox.run("whoami --json").json_error(4);
        assert_eq!(error["code"], "SESSION_FILE_DAMAGED", "{content:?}");
    }
    assert_snapshot!(sandbox.run("whoami"), @"
    ------- stderr -------
    error: the session file [HOME]/.config/authctl/sessions/[KEY].json is damaged
    hint: sign in again with `authctl signin`
    [exit status: 4]
    ");
    std::fs::write(&file, &whole).unwrap();
    sandbox.run("whoami").success();
}

#[test]
fn readable_session_file_is_refused() {
    let sandbox = Sandbox::with_ada();
    let file = sandbox.session_file();
    for mode in [0o644, 0o640, 0o620] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let error = sandbox.run("whoami --json").json_error(4);
        assert_eq!(error["code"], "SESSION_FILE_UNSAFE", "{mode:o}");
    }
    assert_snapshot!(sandbox.run("whoami"), @"
    ------- stderr -------
    error: the session file [HOME]/.config/authctl/sessions/[KEY].json is not safe to use: others may use it, so its token may be known
    hint: `authctl signout` ends its session and removes it; then sign in again
    [exit status: 4]
    ");
}

#[test]
fn untrusted_text_is_escaped_on_a_terminal() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute("UPDATE user SET name = 'A' || char(27) || '[2J' || char(8238) || 'x', role = 'a' || char(155)");
    let shown = sandbox.run("whoami").success();
    assert!(!shown.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{shown:?}");
}

#[test]
fn format_prints_one_line_and_escapes_values() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute("UPDATE user SET name = 'A' || char(27) || 'da'");
    let format = |text: &str| sandbox.finish(&mut sandbox.command(["whoami", "--format", text]));
    assert_eq!(format("{name} <{email}> {{{role}}} {db}").success(), "A\\u{1b}da <ada@example.com> {user} \n");
    let expires = format("{expires}").success();
    assert!(expires.trim_end().parse::<jiff::Timestamp>().is_ok(), "{expires}");
    assert_snapshot!(format("{mail}"), @"
    ------- stderr -------
    error: invalid value '{mail}' for '--format <TEXT>': {mail} is not a field: there are {id}, {email}, {name}, {role}, {session}, {expires}, {database}, {db}
    hint: see authctl whoami --help
    [exit status: 2]
    ");
    sandbox.run("signout").success();
    assert_eq!(format("{email}").code, 4);
}
