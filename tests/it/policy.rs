//! `policy`: shows the rules, and a changed rule applies to the next command of every user.

use insta::assert_snapshot;

use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Ran, Sandbox};

const DAY: i64 = 86_400;

fn set(sandbox: &Sandbox, key: &str, value: &str) {
    sandbox.run_words(&["policy", "set", key, value]).success();
}

fn sign_in(sandbox: &Sandbox, password: &str) -> Ran {
    sandbox.run_with_input("signin ada@example.com --password-stdin --json", password)
}

fn sign_up(sandbox: &Sandbox, email: &str, password: &str) -> Ran {
    let words = format!("signup {email} --name Eve --password-stdin --no-signin --json");
    sandbox.run_with_input(&words, password)
}

/// One rule of `policy show --json`.
fn shown(sandbox: &Sandbox, key: &str) -> serde_json::Value {
    let document = sandbox.run("policy show --json").json();
    document["policy"].as_array().unwrap().iter().find(|rule| rule["key"] == key).unwrap().clone()
}

#[test]
fn rules_have_default_and_range_and_a_star_if_changed() {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    assert!(!sandbox.run("policy show").success().contains('*'));
    set(&sandbox, "session.lifetime", "30d");
    set(&sandbox, "email.verification", "required");
    assert_snapshot!(sandbox.run("policy show"), @"
       KEY                     VALUE     DEFAULT   TAKES                                                                MEANING
    *  session.lifetime        30d       7d        a duration from 5m to 400d                                           life of a session, counted again from each move
       session.short-lifetime  1d        1d        a duration from 5m to 30d                                            life of a session made with --no-remember
       session.move-after      1d        1d        a duration from 1m to 30d                                            least time between two moves of a session's end
       session.fresh-for       1d        1d        a duration from 1m to 30d                                            time after sign-in in which what cannot be undone is allowed
       password.min-length     8         8         a number from 8 to 64                                                fewest UTF-16 units of a new password
       password.max-length     128       128       a number from 64 to 256                                              most UTF-16 units of a new password
       password.min-strength   2         2         a number from 0 to 4                                                 least zxcvbn score of a new password
       password.argon2-memory  19456     19456     a number from 19456 to 262144                                        memory of a new hash in KiB
       password.argon2-passes  2         2         a number from 2 to 10                                                passes of a new hash over its memory
       password.argon2-lanes   1         1         a number from 1 to 8                                                 lanes of a new hash
       password.legacy-until   none      none      a date such as 2027-01-31 (its start in UTC), or none                day from which passwords whose hashes are not argon2id no longer sign in
       throttle.free-attempts  5         5         a number from 1 to 100                                               failed attempts for an address that cost no wait
       throttle.first-wait     15s       15s       a duration from 1s to 1h                                             first wait after them, doubled by each further failure
       throttle.longest-wait   15m       15m       a duration from 1s to 1d                                             longest wait
       throttle.forget-after   1d        1d        a duration from 1h to 30d                                            time after which failures are forgotten
    *  email.verification      required  optional  optional or required                                                 whether sign-in refuses users whose address is not verified
       2fa.required            none      none      none, admins or all                                                  users who can only set up a second factor until they have one
       mail.url                none      none      smtp://HOST[:PORT], smtps://HOST[:PORT] or sendmail:[PATH], or none  how mail is sent
       mail.from               none      none      an address such as 'Accounts <accounts@example.com>', or none        the sender of mail
       mail.credentials-file   none      none      an absolute path, or none                                            a private file with the mail server's user and password, a line each
       service.name            none      none      a text, or none                                                      the name of the service in mail
       service.url             none      none      https://HOST/..., with {code} and {purpose} where they go, or none   the page of the service that takes a code, as a link in mail
    ");
}

#[test]
fn json_has_every_setting_of_the_table() {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    set(&sandbox, "throttle.free-attempts", "3");
    let document = sandbox.run("policy show --json").json();
    let page = sandbox.run("policy show").success();
    let rules = document["policy"].as_array().unwrap();
    assert_eq!(rules.len() + 1, page.lines().count(), "a header and a line for each");
    for (rule, line) in rules.iter().zip(page.lines().skip(1)) {
        let answer = |field: &str| rule[field].as_str().unwrap_or_else(|| panic!("{field} of {rule}")).to_owned();
        for field in ["key", "value", "default", "takes", "meaning"] {
            assert!(line.contains(&answer(field)), "{field}: {line}");
        }
        assert_eq!(line.starts_with('*'), answer("value") != answer("default"), "{line}");
        assert_eq!(answer("value") != answer("default"), answer("key") == "throttle.free-attempts");
        assert_eq!(rule.as_object().unwrap().len(), 5, "{rule}");
    }
}

#[test]
fn set_names_rule_and_database_and_unset_restores_default() {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    assert_snapshot!(sandbox.run("policy set session.lifetime 30d"), @"
    ------- stderr -------
    session.lifetime is 30d in [HOME]/.local/share/authctl/auth.db
    ");
    assert_eq!(shown(&sandbox, "session.lifetime")["value"], "30d");
    assert_snapshot!(sandbox.run("policy unset session.lifetime"), @"
    ------- stderr -------
    session.lifetime is 7d in [HOME]/.local/share/authctl/auth.db
    ");
    assert_eq!(shown(&sandbox, "session.lifetime")["value"], "7d");
    // Unsetting a setting that has its default succeeds.
    sandbox.run("policy unset session.lifetime").success();
    let answer = sandbox.run("policy set password.min-length 12 --json").json();
    assert_eq!(answer["rule"], shown(&sandbox, "password.min-length"));
    assert_eq!(answer["database"], sandbox.database().canonicalize().unwrap().to_str().unwrap());
}

#[test]
fn relative_database_is_shown_by_its_absolute_path() {
    let sandbox = Sandbox::new();
    sandbox.run("--db here.db db init").success();
    assert_snapshot!(sandbox.run("--db here.db policy set session.lifetime 30d"), @"
    ------- stderr -------
    session.lifetime is 30d in [HOME]/here.db
    ");
    assert!(!sandbox.database().exists());
}

#[test]
fn only_changed_settings_are_stored() {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    let rows = || sandbox.number("SELECT count(*) FROM authctl_policy");
    // The last two are other spellings of the default.
    for default in ["7d", "168h", "1w"] {
        set(&sandbox, "session.lifetime", "30d");
        assert_eq!(rows(), 1);
        set(&sandbox, "session.lifetime", default);
        assert_eq!(rows(), 0, "{default}");
    }
    set(&sandbox, "session.lifetime", "30d");
    set(&sandbox, "session.lifetime", "31d");
    assert_eq!(rows(), 1);
    sandbox.run("policy unset session.lifetime").success();
    assert_eq!(rows(), 0);
}

#[test]
fn new_sessions_live_as_long_as_the_policy_says() {
    let sandbox = Sandbox::with_ada();
    let life = |id: &serde_json::Value| {
        sandbox.number(&format!(
            "SELECT expiresAt - createdAt FROM session WHERE id = {}",
            id.to_string().replace('"', "'")
        ))
    };
    set(&sandbox, "session.lifetime", "30d");
    set(&sandbox, "session.short-lifetime", "5m");
    assert_eq!(life(&sign_in(&sandbox, PASSWORD).json()["session"]["id"]), 30 * DAY);
    let short = sandbox.run_with_input("signin ada@example.com --password-stdin --no-remember --json", PASSWORD).json();
    assert_eq!(life(&short["session"]["id"]), 300);
    set(&sandbox, "session.lifetime", "2d");
    assert_eq!(life(&sign_in(&sandbox, PASSWORD).json()["session"]["id"]), 2 * DAY);
}

#[test]
fn a_session_moves_after_the_time_that_the_policy_says() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute(
        "UPDATE session SET updatedAt = updatedAt - 7200, createdAt = createdAt - 7200, expiresAt = expiresAt - 7200",
    );
    let end = || sandbox.number("SELECT expiresAt FROM session");
    let before = end();
    sandbox.run("whoami").success();
    assert_eq!(end(), before, "a day has not gone by");
    set(&sandbox, "session.move-after", "1h");
    sandbox.run("whoami").success();
    assert!(end() >= before + 7200, "{} {before}", end());
    assert_eq!(sandbox.number("SELECT expiresAt - updatedAt FROM session"), 7 * DAY);
}

#[test]
fn destructive_acts_need_a_session_as_fresh_as_the_policy() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute("UPDATE session SET createdAt = createdAt - 7200");
    set(&sandbox, "session.fresh-for", "1h");
    assert_eq!(sandbox.run("account delete --yes --json").json_error(5)["code"], "SESSION_NOT_FRESH");
    set(&sandbox, "session.fresh-for", "3h");
    sandbox.run("account delete --yes").success();
}

#[test]
fn new_passwords_are_judged_by_the_policy() {
    let sandbox = Sandbox::with_ada();
    set(&sandbox, "password.min-length", "29");
    let error = sign_up(&sandbox, "bob@example.com", PASSWORD).json_error(2);
    assert_eq!(error["code"], "PASSWORD_TOO_SHORT");
    assert!(error["message"].as_str().unwrap().contains("29"), "{error}");
    let change = format!("{PASSWORD}\n{OTHER_PASSWORD}\n");
    let error = sandbox.run_with_input("password change --password-stdin --json", &change).json_error(2);
    assert_eq!(error["code"], "PASSWORD_TOO_SHORT");
    sign_in(&sandbox, PASSWORD).success();
    sandbox.run("policy unset password.min-length").success();

    set(&sandbox, "password.max-length", "64");
    let long = "correct horse battery staple ".repeat(3);
    assert_eq!(sign_up(&sandbox, "bob@example.com", &long).json_error(2)["code"], "PASSWORD_TOO_LONG");
    sandbox.run("policy unset password.max-length").success();

    set(&sandbox, "password.min-strength", "4");
    assert_eq!(sign_up(&sandbox, "bob@example.com", "purple-lamp").json_error(2)["code"], "PASSWORD_TOO_WEAK");
    set(&sandbox, "password.min-strength", "0");
    sign_up(&sandbox, "bob@example.com", "password").success();
}

#[test]
fn higher_cost_applies_to_new_and_signed_in_hashes() {
    let sandbox = Sandbox::with_ada();
    let old = sandbox.stored_hash();
    assert!(old.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{old}");
    set(&sandbox, "password.argon2-memory", "20480");
    set(&sandbox, "password.argon2-passes", "3");
    set(&sandbox, "password.argon2-lanes", "2");
    assert_eq!(sandbox.stored_hash(), old, "a hash cannot be made without its password");
    let _ = sign_in(&sandbox, OTHER_PASSWORD).failure(7);
    assert_eq!(sandbox.stored_hash(), old);
    sign_in(&sandbox, PASSWORD).success();
    let new = sandbox.stored_hash();
    assert!(new.starts_with("$argon2id$v=19$m=20480,t=3,p=2$"), "{new}");
    sign_in(&sandbox, PASSWORD).success();
    assert_eq!(sandbox.stored_hash(), new, "a hash that is good enough stays");
    // A cheaper policy does not weaken existing hashes.
    sandbox.run("policy unset password.argon2-memory").success();
    sign_in(&sandbox, PASSWORD).success();
    assert_eq!(sandbox.stored_hash(), new);
}

#[test]
fn the_throttle_counts_and_waits_as_the_policy_says() {
    let sandbox = Sandbox::with_ada();
    set(&sandbox, "throttle.free-attempts", "2");
    set(&sandbox, "throttle.first-wait", "10m");
    for _ in 0..2 {
        let _ = sign_in(&sandbox, OTHER_PASSWORD).failure(7);
    }
    let error = sign_in(&sandbox, PASSWORD).json_error(8);
    assert!((300..=600).contains(&error["retryAfter"].as_i64().unwrap()), "{error}");
}

#[test]
fn required_verification_shows_only_with_the_password() {
    let sandbox = Sandbox::with_ada();
    set(&sandbox, "email.verification", "required");
    assert_eq!(sign_in(&sandbox, OTHER_PASSWORD).json_error(7)["code"], "INVALID_EMAIL_OR_PASSWORD");
    assert_eq!(sign_in(&sandbox, PASSWORD).json_error(5)["code"], "EMAIL_NOT_VERIFIED");
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 1, "the one of the sign-up");
    sandbox.execute("UPDATE user SET emailVerified = 1");
    sign_in(&sandbox, PASSWORD).success();
    sandbox.execute("UPDATE user SET emailVerified = 0");
    set(&sandbox, "email.verification", "optional");
    sign_in(&sandbox, PASSWORD).success();
}

#[test]
fn each_database_has_its_own_policy() {
    let sandbox = Sandbox::new();
    for database in ["a.db", "b.db"] {
        sandbox.run(&format!("--db {database} db init")).success();
    }
    sandbox.run("--db a.db policy set session.lifetime 30d").success();
    assert!(!sandbox.run("--db b.db policy show").success().contains('*'));
}
