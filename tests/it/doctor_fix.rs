//! `doctor --fix`: it confirms first, fixes what has one correct value, and leaves the rest.

use insta::assert_snapshot;

use crate::doctor::{found, healthy, report};
use crate::pty::Terminal;
use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Sandbox};

/// Bob's address has a capital letter, his account is under his address, a session has no user, another
/// session and a code have expired, the policy is invalid, and another program added a trigger.
fn sick() -> Sandbox {
    let sandbox = healthy();
    sandbox.run_with_input("users create bob@example.com --name Bob --password-stdin", PASSWORD).success();
    sandbox.execute(
        r#"PRAGMA foreign_keys = OFF;
           UPDATE "account" SET "accountId" = 'bob@example.com'
             WHERE "userId" = (SELECT "id" FROM "user" WHERE "name" = 'Bob');
           UPDATE "user" SET "email" = 'Bob@example.com' WHERE "name" = 'Bob';
           INSERT INTO "session" SELECT 's2', 4000000000, lower(hex(randomblob(32))), 1, 1, NULL, NULL, 'gone', NULL;
           INSERT INTO "session" SELECT 's3', 1, lower(hex(randomblob(32))), 1, 1, NULL, NULL, "id", NULL FROM "user" WHERE "name" = 'Bob';
           INSERT INTO "verification" VALUES ('v', 'reset-password:' || lower(hex(randomblob(32))), 'y', 1, 1, 1);
           INSERT INTO "authctl_policy" VALUES ('session.lifetime', 'forever', 1), ('session.fresh-for', '2h', 1);
           CREATE TRIGGER "mine" AFTER UPDATE ON "user" BEGIN DELETE FROM "session"; END"#,
    );
    sandbox
}

/// Rows that `--fix` must not change.
fn untouchable(sandbox: &Sandbox) -> (i64, i64, i64) {
    let hashes = r#"SELECT sum(unicode("password") + length("password")) FROM "account""#;
    let schema = r#"SELECT sum(length("sql")) FROM "sqlite_schema""#;
    let log = r#"SELECT sum(unicode("hash")) FROM "authctl_audit" WHERE "seq" <= 4"#;
    (sandbox.number(hashes), sandbox.number(schema), sandbox.number(log))
}

#[test]
fn fix_corrects_only_what_has_one_meaning() {
    let sandbox = sick();
    let before = untouchable(&sandbox);
    assert_snapshot!(sandbox.run("doctor --fix --yes"), @"
    fixed: orphans: rows of users who are gone: sessions 1, accounts 0, codes 0
    fixed: policy: settings that make no sense, so that most commands refuse to run: session.lifetime takes a duration from 5m to 400d
    fixed: email-case: addresses with capital letters, which no sign-in finds: 1
    fixed: account-ids: password accounts whose accountId is not their user's id, which no sign-in finds: 1
    fixed: expired: expired rows that only take up room: sessions 1, codes 1
    problem: schema: the schema is not authctl's: trigger mine was not made by authctl
      hint: authctl runs no trigger and reads no view, but other programs do; look who added them, and remove them with the program that did
    [HOME]/.local/share/authctl/auth.db: not healthy, 1 problem
    A user who can write this file or its directory is the administrator and can rewrite the audit log;
    a user who can read it can guess passwords offline. See `authctl help security`.
    [exit status: 1]
    ");
    assert_eq!(untouchable(&sandbox), before);
    sandbox.run_with_input("signin bob@example.com --password-stdin --no-store", PASSWORD).success();
    sandbox.run("whoami").success();
    assert_eq!(sandbox.number(r#"SELECT count(*) FROM "session""#), 1);
    let policy = sandbox.run("policy show --json").json();
    assert!(policy.to_string().contains(r#""2h""#), "a sound setting is kept: {policy}");
    let log = sandbox.run("audit list").success();
    for event in
        ["orphans.deleted", "policy.removed", "email.changed", "account.corrected", "sessions.pruned", "codes.pruned"]
    {
        assert_eq!(log.matches(event).count(), 1, "{event}:\n{log}");
    }
    sandbox.run("audit verify").success();
    // The second run has nothing to fix.
    let again = sandbox.run("doctor --fix --json");
    assert_eq!((again.code, found(&again)), (1, vec!["schema 1".to_owned()]), "{again}");
}

#[test]
fn schema_that_another_program_cut_is_made_again() {
    let sandbox = healthy();
    sandbox.execute(
        "DROP TABLE authctl_policy; DROP TABLE authctl_audit; DROP TABLE authctl_throttle; DROP TABLE authctl_schema_history",
    );
    assert_snapshot!(sandbox.run("doctor --fix --yes"), @"
    fixed: database: another program removed authctl's table authctl_policy from the database
      made again in [HOME]/.local/share/authctl/auth.db: table authctl_schema_history, table authctl_throttle, table authctl_policy, table authctl_audit, index authctl_audit_intended, index authctl_audit_user, index authctl_audit_userEmail, index authctl_audit_actor, index authctl_audit_actorEmail
      the audit log and its old entries are gone; it begins anew
    [HOME]/.local/share/authctl/auth.db: healthy
    A user who can write this file or its directory is the administrator and can rewrite the audit log;
    a user who can read it can guess passwords offline. See `authctl help security`.
    ");
    sandbox.run("users list").success();
    sandbox.run("audit verify").success();
    assert!(sandbox.run("audit list").success().contains("schema.restored"));
    // The database opens without these, and the fix of the orphan needs the log.
    sandbox.execute(
        r#"PRAGMA foreign_keys = OFF; DROP TABLE authctl_throttle; DROP TABLE authctl_audit;
           INSERT INTO "session" SELECT 's2', 4000000000, lower(hex(randomblob(32))), 1, 1, NULL, NULL, 'gone', NULL"#,
    );
    let ran = sandbox.run("doctor --fix --yes --json");
    let report = report(&ran);
    let fixed = report["findings"].as_array().unwrap().iter().filter(|finding| finding["fixed"] == true);
    let fixed: Vec<&str> = fixed.map(|finding| finding["check"].as_str().unwrap()).collect();
    assert_eq!((ran.code, fixed), (0, vec!["schema", "orphans"]), "{ran}");
    assert!(report["findings"][0]["lines"][0].as_str().unwrap().contains("table authctl_throttle"), "{ran}");
}

#[test]
fn json_lists_fixed_and_fixable_findings() {
    let sandbox = sick();
    let fixable = |ran: &crate::sandbox::Ran| {
        let report = report(ran);
        let findings = report["findings"].as_array().unwrap().clone();
        let flag = |name: &str| findings.iter().filter(|it| it[name] == true).count();
        (flag("fixable"), flag("fixed"), findings.len())
    };
    assert_eq!(fixable(&sandbox.run("doctor --json")), (5, 0, 6));
    assert_eq!(fixable(&sandbox.run("doctor --fix --yes --json")), (5, 5, 6));
}

#[test]
fn fix_asks_first_and_a_no_changes_nothing() {
    let sandbox = sick();
    let mut terminal = Terminal::new().run(sandbox.command(["doctor", "--fix"]));
    terminal.wait_for("set settings that make no sense back to the default (1)");
    terminal.wait_for("write addresses with capital letters in lower case (1)");
    terminal.wait_for("Fix?").press("n");
    let screen = terminal.end().with_code(1);
    assert!(screen.contains("declined: nothing was changed"), "{screen:?}");
    assert_eq!(found(&sandbox.run("doctor --json")).len(), 6);
    let mut terminal = Terminal::new().run(sandbox.command(["doctor", "--fix"]));
    terminal.wait_for("Fix?").press("y");
    let screen = terminal.end().with_code(1);
    assert!(screen.contains("fixed: email-case"), "{screen:?}");
}

#[test]
fn account_ids_are_fixed_only_without_a_conflict() {
    let sandbox = sick();
    sandbox.execute(
        r#"INSERT INTO "account" SELECT 'second', 'elsewhere', 'credential', "userId", NULL, NULL, NULL, NULL, NULL,
           NULL, "password", 1, 1 FROM "account" WHERE "accountId" = 'bob@example.com'"#,
    );
    let ran = sandbox.run("doctor --fix --yes --json");
    assert!(found(&ran).contains(&"account-ids 2".to_owned()), "{ran}");
    let shown = sandbox.run("users show bob@example.com --json").json();
    let bob = shown["user"]["id"].as_str().unwrap();
    let hint = format!("`authctl users set-password {bob}` and then `authctl doctor --fix` leave each user one");
    assert!(ran.stdout.contains(&hint), "{ran}");
    sandbox.run_with_input(&format!("users set-password {bob} --password-stdin"), OTHER_PASSWORD).success();
    let ran = sandbox.run("doctor --fix --yes");
    let line =
        "fixed: account-ids: password accounts whose accountId is not their user's id, which no sign-in finds: 2";
    assert!(ran.stdout.contains(line), "{ran}");
    assert_eq!(sandbox.number(r#"SELECT count(*) FROM "account" WHERE "providerId" = 'credential'"#), 2);
    sandbox.run_with_input("signin bob@example.com --password-stdin --no-store", OTHER_PASSWORD).success();
}

#[test]
fn session_of_an_interrupted_sign_in_is_ended() {
    let sandbox = healthy();
    let token = sandbox.run_with_input("signin ada@example.com --password-stdin --print-token", PASSWORD).success();
    let left = sandbox.session_file();
    let name = format!(".{}.0123.tmp", left.file_name().unwrap().to_str().unwrap());
    let content = format!(r#"{{"database":"x","email":"ada@example.com","token":"{}"}}"#, token.trim());
    let left = left.with_file_name(name);
    std::fs::write(&left, content).unwrap();
    assert_eq!(found(&sandbox.run("doctor --json")), ["abandoned-sign-ins 1"]);
    assert_eq!(sandbox.number(r#"SELECT count(*) FROM "session""#), 2, "looking ends nothing");
    sandbox.run("doctor --fix --yes").success();
    assert_eq!(sandbox.number(r#"SELECT count(*) FROM "session""#), 1);
    assert!(!left.exists());
    sandbox.run("whoami").success();
}

#[test]
fn invalid_policy_can_be_unset_key_by_key() {
    let sandbox = healthy();
    sandbox.execute(
        r#"INSERT INTO "authctl_policy" VALUES ('session.lifetime', 'forever', 1), ('mail.from', '', 1),
           ('session.fresh-for', '2h', 1)"#,
    );
    let _ = sandbox.run("policy show").failure(9);
    assert_snapshot!(sandbox.run("policy unset session.lifetime"), @"
    ------- stderr -------
    session.lifetime is 7d in [HOME]/.local/share/authctl/auth.db
    ");
    let _ = sandbox.run("policy show").failure(9);
    sandbox.run("policy unset mail.from").success();
    assert!(sandbox.run("policy show").success().contains("2h"));
    // Removing an invalid setting must not make the remaining ones contradict each other.
    for words in ["policy set session.lifetime 30d", "policy set session.move-after 10d"] {
        sandbox.run(words).success();
    }
    let _ = sandbox.run("policy unset session.lifetime").failure(2);
}
