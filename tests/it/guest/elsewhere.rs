//! Apps that keep sessions and verifications outside of the database (`secondaryStorage`): users, passwords and bans
//! work, and what cannot be reached is said.

use insta::assert_snapshot;

use super::refused::Odd;
use crate::sandbox::PASSWORD;

fn odd() -> Odd {
    Odd::changed("kysely", "DROP TABLE session; DROP TABLE verification")
}

#[test]
fn users_passwords_and_bans_work_without_sessions() {
    let odd = odd();
    for words in
        ["users list", "db status", "doctor", "db check", "users explain ada@example.com", "db prune --dry-run"]
    {
        odd.run(words).success();
        assert!(odd.is_as_made(), "{words}");
    }
    assert_snapshot!(odd.run("users ban bob@example.com"), @"
    ------- stderr -------
    note: the app keeps its sessions outside of this database: none was found here, and none was ended
    banned Bob <bob@example.com> permanently in [HOME]/app.db
    ");
    odd.run_with_input("users set-password emo@example.com --password-stdin", PASSWORD).success();
    odd.run("users create new@example.com --name New --no-password").success();
    odd.run("users lockdown emo@example.com --yes").success();
    odd.run("users delete bob@example.com --yes").success();
    odd.run("sessions prune").success();
    assert_eq!(odd.run("db status --json").json()["liveSessions"], serde_json::Value::Null);
    assert_eq!(odd.run("users show ada@example.com --json").json()["liveSessions"], serde_json::Value::Null);
}

#[test]
fn acts_that_need_the_missing_rows_are_refused() {
    let odd = odd();
    assert_snapshot!(odd.run_with_input("signin ada@example.com --print-token --password-stdin", PASSWORD), @"
    ------- stderr -------
    error: could not sign in: the app keeps the rows of session outside of this database
    hint: do this in the app
    [exit status: 9]
    ");
    for words in ["users reset-code ada@example.com", "users impersonate bob@example.com --print-token"] {
        odd.run(words).failure(9);
    }
    assert!(odd.is_as_made());
}

#[test]
fn table_that_was_renamed_is_not_taken_for_a_missing_one() {
    let odd = Odd::changed("kysely", "ALTER TABLE session RENAME TO logins");
    let refused = odd.run("users list").failure(9);
    assert!(refused.contains(r#"{"tables": {"session": "logins"}}"#), "{refused}");
}
