//! `whoami`.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

#[test]
fn without_a_session_the_answer_is_4_and_no_database_is_opened_or_made() {
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
fn the_user_the_session_and_where_they_come_from_are_shown() {
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
