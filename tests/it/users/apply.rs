//! `users apply` and `users create --ensure`: what they change, what they say, and what they leave.

use insta::assert_snapshot;

use crate::app::{App, DRIZZLE};
use crate::sandbox::{PASSWORD, Sandbox};

/// Ada is an administrator with a password and a session, Bob a user.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_ada_and_bob();
    sandbox.run("users set-role ada@example.com admin").success();
    sandbox
}

const LIST: &str = "address,name,role,verified,banned
ada@example.com,,user,yes,
bob@example.com,Bobby,\"admin,editor\",,no
eve@example.com,Eve,,,yes
kim@example.com,,,,
";

fn events(sandbox: &Sandbox) -> Vec<String> {
    let log = sandbox.run("audit list --json").json();
    log["entries"].as_array().unwrap().iter().map(|entry| entry["event"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn list_is_planned_applied_once_and_then_changes_nothing() {
    let sandbox = sandbox();
    sandbox.file("list.csv", LIST);
    let before = events(&sandbox).len();
    assert_snapshot!(sandbox.run("users apply list.csv --dry-run"), @r"
    change ada@example.com: role admin -> user, verified no -> yes
    change bob@example.com: name Bob -> Bobby, role user -> admin,editor
    create eve@example.com: name Eve, banned yes
    create kim@example.com: name kim
    ------- stderr -------
    note: no user had the role editor before: check its spelling
    would create 2 users and change 2 users in [HOME]/.local/share/authctl/auth.db
    ");
    assert_eq!(events(&sandbox).len(), before, "a dry run changes nothing");
    let asked = sandbox.run("users apply list.csv --json").json_error(2);
    assert_eq!(asked["code"], "INPUT_NEEDED");
    // Bob becomes an administrator before Ada, who was the last one, loses the role.
    let done = sandbox.run("users apply list.csv --yes --json").json();
    assert_eq!((&done["created"], &done["updated"], &done["unchanged"]), (&2.into(), &2.into(), &0.into()));
    let ada = done["users"].as_array().unwrap().iter().find(|user| user["email"] == "ada@example.com").unwrap();
    assert_eq!(ada["changes"]["role"]["from"], "admin");
    assert_eq!((&ada["line"], &ada["changes"]["emailVerified"]["to"]), (&2.into(), &true.into()));
    assert_eq!(
        events(&sandbox)[before..],
        [
            "user.updated",
            "role.set",
            "user.created",
            "user.banned",
            "user.created",
            "role.set",
            "session.ended",
            "email.verified"
        ]
    );
    let again = sandbox.run("users apply list.csv");
    assert_snapshot!(again, @r"
    ------- stderr -------
    nothing to change in [HOME]/.local/share/authctl/auth.db: 4 users are as list.csv says
    ");
    assert_eq!(events(&sandbox).len(), before + 8);
}

#[test]
fn bad_rows_are_all_named_before_the_first_change() {
    let sandbox = sandbox();
    let before = events(&sandbox).len();
    let list = concat!(
        r#"{"email":"eve@example.com","name":"Eve"}"#,
        "\n",
        r#"{"email":"eve"}"#,
        "\n",
        r#"{"email":"bob@example.com","role":"a b"}"#,
        "\n",
        r#"{"email":"BOB@example.com"}"#,
        "\n",
        r#"{"email":"Bob@Example.com","verified":true}"#,
        "\n",
        r#"{"name":"Kim"}"#,
        "\n",
    );
    let refused = sandbox.run_with_input("users apply - --yes", list);
    assert_eq!(events(&sandbox).len(), before);
    assert_snapshot!(refused.failure(2), @r"
    error: could not apply the list: 4 of 6 rows of standard input cannot be applied, and nothing was changed
      line 2: the address eve: not a valid email address
      line 3: a role is made of letters, digits, _ and -; several are separated by commas
      line 5: bob@example.com stands in line 4 already
      line 6: the row has no address
    hint: correct these rows, and apply the list again
    ");
    let refused = sandbox.run_with_input("users apply - --yes --json", list).json_error(2);
    let lines: Vec<_> = refused["rows"].as_array().unwrap().iter().map(|row| &row["line"]).collect();
    assert_eq!(lines, [2, 3, 5, 6]);
}

#[test]
fn last_administrator_stays_and_the_rows_before_are_applied() {
    let sandbox = sandbox();
    let list = "address,role,name\nada@example.com,user,\nbob@example.com,,Bobby\n";
    let said = sandbox.run_with_input("users apply - --yes", list).failure(5);
    assert!(said.contains("1 of 2 users were changed, but "), "{said}");
    assert_eq!(sandbox.run("users show ada@example.com --json").json()["user"]["role"], "admin");
    assert_eq!(sandbox.run("users show bob@example.com --json").json()["user"]["name"], "Bobby");
    sandbox.run_with_input("users apply - --yes --force-last-admin", list).success();
    assert_eq!(sandbox.run("users show ada@example.com --json").json()["user"]["role"], "user");
}

#[test]
fn list_is_applied_in_the_database_of_an_app() {
    let app = App::new(DRIZZLE);
    let list = "email,name,role,verified,banned\nnew@example.com,New,editor,true,\nmallory@example.com,,,,false\n";
    let done = app.run_with_input("users apply - --yes --json", list).json();
    assert_eq!((&done["created"], &done["updated"]), (&1.into(), &1.into()), "{done}");
    let roles = app.run("roles list --json").json();
    assert!(roles["roles"].as_array().unwrap().contains(&serde_json::json!({ "name": "editor", "users": 1 })));
    let again = app.run_with_input("users apply - --json", list).json();
    assert_eq!((&again["created"], &again["updated"], &again["unchanged"]), (&0.into(), &0.into(), &2.into()));
}

#[test]
fn ensure_changes_what_differs_and_says_so() {
    let sandbox = sandbox();
    let words = "users create bob@example.com --name Bobby --role editor --verified --no-password --ensure";
    assert_snapshot!(sandbox.run(words), @r"
    ------- stderr -------
    note: no user had the role editor before: check its spelling
    updated Bobby <bob@example.com> in [HOME]/.local/share/authctl/auth.db: name Bob -> Bobby, role user -> editor, verified no -> yes
    ");
    let before = events(&sandbox).len();
    let again = sandbox.run(&format!("{words} --json")).json();
    assert_eq!((&again["changed"], &again["act"]), (&false.into(), &"existed".into()));
    assert_eq!(again["changes"], serde_json::json!({}));
    assert_eq!(events(&sandbox).len(), before);
    // What is not asked for stays, and so does the password.
    let named = sandbox.run("users create ada@example.com --name Countess --ensure --generate --json").json();
    assert_eq!(named["changes"], serde_json::json!({ "name": { "from": "Ada", "to": "Countess" } }));
    assert_eq!((&named["user"]["role"], named.get("password")), (&"admin".into(), None));
    sandbox.run_with_input("signin ada@example.com --no-store --password-stdin", PASSWORD).success();
    sandbox.run("users create ada@example.com --role user --ensure").failure(5);
    sandbox.run("users create ada@example.com --role user --ensure --force-last-admin").success();
}

#[test]
fn ensure_gives_a_password_to_a_user_without_one() {
    let sandbox = Sandbox::new();
    sandbox.run("users create ada@example.com --name Ada --no-password").success();
    let words = "users create ada@example.com --name Ada --ensure --password-stdin --json";
    let done = sandbox.run_with_input(words, PASSWORD).json();
    assert_eq!(done["changes"]["hasPassword"]["to"], true);
    sandbox.run_with_input("signin ada@example.com --no-store --password-stdin", PASSWORD).success();
    assert_eq!(sandbox.run_with_input(words, PASSWORD).json()["changed"], false);
}

#[test]
fn role_is_never_null() {
    let sandbox = sandbox();
    sandbox.execute(r#"UPDATE "user" SET "role" = NULL WHERE "email" = 'bob@example.com'"#);
    assert_eq!(sandbox.run("users show bob@example.com --json").json()["user"]["role"], "user");
    assert_snapshot!(sandbox.run("roles list").success(), @r"
    ROLE   USERS
    admin  1
    user   1
    ");
}
