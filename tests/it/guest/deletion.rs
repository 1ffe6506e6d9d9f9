//! `users delete` in an app with plugins and tables of its own: what goes, what is handed over, what keeps the user.

use insta::assert_snapshot;

use super::refused::Odd;

/// Bob owns an organization with emo and one with ada, an OAuth client and an SSO provider that emo uses, and posts.
const ROWS: &str = "
    CREATE TABLE organization (id text PRIMARY KEY, name text, slug text);
    CREATE TABLE member (id text PRIMARY KEY, organization_id text, user_id text, role text, created_at integer);
    CREATE TABLE oauth_client (id text PRIMARY KEY, client_id text, user_id text, redirect_uris text);
    CREATE TABLE oauth_consent (id text PRIMARY KEY, client_id text, user_id text);
    CREATE TABLE sso_provider (id text PRIMARY KEY, issuer text, provider_id text, user_id text);
    CREATE TABLE apikey (id text PRIMARY KEY, key text, reference_id text);
    CREATE TABLE post (id integer PRIMARY KEY, author text REFERENCES user (id) ON DELETE CASCADE,
      editor text REFERENCES user (id) ON DELETE SET NULL);
    CREATE TABLE names (name text, id text);
    INSERT INTO names SELECT substr(email, 1, 3), id FROM user;
    INSERT INTO organization VALUES ('o1', 'Acme', 'acme'), ('o2', 'Beta', 'beta');
    INSERT INTO member SELECT 'm1', 'o1', id, 'owner', 1764000000000 FROM names WHERE name = 'bob';
    INSERT INTO member SELECT 'm2', 'o1', id, 'member', 1764000000000 FROM names WHERE name = 'emo';
    INSERT INTO member SELECT 'm3', 'o2', id, 'owner', 1764000000000 FROM names WHERE name = 'bob';
    INSERT INTO member SELECT 'm4', 'o2', id, 'admin, owner', 1764000000000 FROM names WHERE name = 'ada';
    INSERT INTO oauth_client SELECT 'c1', 'portal', id, '[]' FROM names WHERE name = 'bob';
    INSERT INTO oauth_client SELECT 'c2', 'alone', id, '[]' FROM names WHERE name = 'bob';
    INSERT INTO oauth_consent SELECT 'n1', 'portal', id FROM names WHERE name = 'emo';
    INSERT INTO oauth_consent SELECT 'n2', 'alone', id FROM names WHERE name = 'bob';
    INSERT INTO sso_provider SELECT 'p', 'https://i', 'acme', id FROM names WHERE name = 'bob';
    INSERT INTO account (id, account_id, provider_id, user_id, created_at, updated_at)
      SELECT 's', 'x', 'acme', id, 1764000000000, 1764000000000 FROM names WHERE name = 'emo';
    INSERT INTO verification (id, identifier, value, expires_at, created_at, updated_at)
      VALUES ('v', 'sign-in-otp-bob@example.com', '123456:0', 4000000000000, 1764000000000, 1764000000000);
    INSERT INTO apikey SELECT 'k', 'h', id FROM names WHERE name = 'bob';
    INSERT INTO post SELECT 1, id, NULL FROM names WHERE name = 'bob';
    INSERT INTO post SELECT 2, id, (SELECT id FROM names WHERE name = 'bob') FROM names WHERE name = 'ada';";

fn odd() -> Odd {
    Odd::changed("drizzle-ms", ROWS)
}

fn ask(odd: &Odd, sql: &str) -> String {
    let connection = rusqlite::Connection::open(odd.sandbox.path("app.db")).unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn what_others_use_is_refused_by_name() {
    let odd = odd();
    assert_snapshot!(odd.run("users delete bob@example.com --yes"), @r"
    ------- stderr -------
    error: could not delete the user: other users need what belongs to this one: the OAuth client portal (1 user), the SSO provider acme (1 user)
    hint: `authctl users delete --new-owner` gives it to another user, and --force-shared deletes it for all; nothing was changed
    [exit status: 5]
    ");
    odd.run("users delete bob@example.com --dry-run").failure(5);
    assert!(odd.is_as_made());
}

#[test]
fn dry_run_says_what_goes_and_changes_nothing() {
    let odd = odd();
    let mut ran = odd.run("users delete bob@example.com --dry-run --force-shared");
    ran.stderr = ran.stderr.lines().filter(|line| !line.starts_with("note:")).collect::<Vec<_>>().join("\n");
    assert_snapshot!(ran, @"
    ------- stderr -------
    would delete Bob <bob@example.com> with 1 session, 1 account and 2 codes in [HOME]/app.db
    this also deletes 1 row of apikey, 2 rows of member, 2 rows of oauth_consent, 2 rows of oauth_client, 1 row of sso_provider, 1 row of post
    this removes the user from 1 row of post
    this also deletes the OAuth client portal, which 1 other user uses, the SSO provider acme, which 1 other user uses
    this leaves Acme without an owner; --new-owner makes another user the owner
    ");
    assert!(odd.is_as_made());
    let json = odd.run("users delete bob@example.com --dry-run --force-shared --json").json();
    assert_eq!((&json["dryRun"], &json["changed"]), (&true.into(), &false.into()));
    let rows = serde_json::json!({ "table": "post", "deleted": 1, "cleared": 1 });
    assert!(json["rows"].as_array().unwrap().contains(&rows), "{json}");
    assert_eq!(json["organizationsWithoutOwner"], serde_json::json!([{ "id": "o1", "name": "Acme" }]));
}

#[test]
fn deletion_with_force_leaves_nothing_of_the_user() {
    let odd = odd();
    odd.run("users delete bob@example.com --yes --force-shared").success();
    let left = "SELECT (SELECT group_concat(id, ' ') FROM member) || (SELECT count(*) FROM oauth_client) ||
                (SELECT count(*) FROM oauth_consent) || (SELECT count(*) FROM sso_provider) || (SELECT count(*) FROM apikey)";
    assert_eq!(ask(&odd, left), "m2 m40000");
    assert_eq!(ask(&odd, "SELECT CAST(count(*) AS text) FROM verification WHERE identifier LIKE '%bob@%'"), "0");
    assert_eq!(ask(&odd, "SELECT group_concat(id || coalesce(editor, '-')) FROM post"), "2-");
}

#[test]
fn new_owner_gets_what_others_need() {
    for (owner, members) in [("emo", "m2=member,owner m4=admin, owner"), ("oct", "m2=member m4=admin, owner new=owner")]
    {
        let odd = odd();
        let email = ask(&odd, &format!("SELECT email FROM user WHERE email LIKE '{owner}%'"));
        let json = odd.run(&format!("users delete bob@example.com --yes --json --new-owner {email}")).json();
        assert_eq!(json["organizationsHandedOver"], serde_json::json!([{ "id": "o1", "name": "Acme" }]));
        assert_eq!(json["sharedHandedOver"][1]["name"], "acme");
        let sql = "SELECT group_concat(CASE WHEN id LIKE 'm_' THEN id ELSE 'new' END || '=' || role, ' ') FROM member";
        assert_eq!(ask(&odd, sql), members);
        let sql = "SELECT group_concat(name || ' ' || client_id) FROM oauth_client JOIN names ON names.id = user_id";
        assert_eq!(ask(&odd, sql), format!("{owner} portal"));
        assert_eq!(ask(&odd, "SELECT name FROM sso_provider JOIN names ON names.id = user_id"), owner);
        assert_eq!(ask(&odd, "SELECT group_concat(id) FROM oauth_consent"), "n1");
        let times =
            "SELECT CAST(count(*) AS text) FROM member WHERE created_at BETWEEN 1700000000000 AND 5000000000000";
        assert_eq!(ask(&odd, times), ask(&odd, "SELECT CAST(count(*) AS text) FROM member"));
    }
    let odd = odd();
    odd.run("users delete bob@example.com --yes --new-owner bob@example.com").failure(2);
    odd.run("users delete bob@example.com --yes --new-owner nix@example.com").failure(3);
    assert!(odd.is_as_made());
}

#[test]
fn several_organizations_and_a_client_with_tokens_are_handed_over() {
    let odd = Odd::changed(
        "drizzle-ms",
        &format!(
            "{ROWS} DELETE FROM member WHERE id IN ('m2', 'm4'); DELETE FROM oauth_consent;
             CREATE TABLE oauth_refresh_token (id text PRIMARY KEY, token text, client_id text, session_id text, user_id text,
               expires_at integer);
             INSERT INTO oauth_refresh_token SELECT 'r', 'h', 'alone', NULL, id, 4000000000000 FROM names WHERE name = 'emo';"
        ),
    );
    let email = ask(&odd, "SELECT email FROM user WHERE email LIKE 'oct%'");
    let json = odd.run(&format!("users delete bob@example.com --yes --json --new-owner {email}")).json();
    assert_eq!(json["organizationsHandedOver"].as_array().unwrap().len(), 2, "{json}");
    let clients = "SELECT group_concat(name || ' ' || client_id) FROM oauth_client JOIN names ON names.id = user_id";
    assert_eq!(ask(&odd, clients), "oct alone");
    let members = "SELECT group_concat(organization_id || ' ' || name || ' ' || role, ', ') FROM member JOIN names ON
        names.id = user_id ORDER BY organization_id";
    assert_eq!(ask(&odd, members), "o1 oct owner, o2 oct owner");
}

#[test]
fn row_of_the_app_that_keeps_another_is_named() {
    let invoice = "CREATE TABLE invoice (id integer PRIMARY KEY, payer text REFERENCES user (id));
        INSERT INTO invoice SELECT NULL, id FROM user WHERE email LIKE 'bob%'";
    let cart = "CREATE TABLE cart (id integer PRIMARY KEY, session text NOT NULL REFERENCES session (id));
        INSERT INTO cart SELECT NULL, session.id FROM session JOIN user ON user.id = user_id WHERE email LIKE 'bob%'";
    for (keeps, words, told) in [
        (invoice, "users delete bob@example.com --yes", "table invoice refers to it by payer"),
        (cart, "users ban bob@example.com", "table cart refers to it by session"),
        (cart, "users set-password bob@example.com --generate", "table cart refers to it by session"),
    ] {
        let odd = Odd::changed("drizzle-ms", keeps);
        let refused = odd.run(words).failure(5);
        assert!(refused.contains(&format!(": 1 row of the app's {told}\n")), "{words}: {refused}");
        let hint = "delete these rows in the app, or give them to another, and try again; nothing was changed";
        assert!(refused.contains(hint), "{words}: {refused}");
        assert!(odd.is_as_made(), "{words}");
    }
}

/// Such a key says who made or changed a row, as often as whose it is.
#[test]
fn key_without_action_takes_no_row_of_another() {
    let odd = Odd::changed(
        "drizzle-ms",
        "ALTER TABLE user ADD COLUMN manager text REFERENCES user (id);
         ALTER TABLE user ADD COLUMN last_session text REFERENCES session (id);
         ALTER TABLE account ADD COLUMN linked_in text REFERENCES session (id);
         UPDATE user SET manager = (SELECT id FROM user WHERE email LIKE 'bob%');
         UPDATE user SET last_session = (SELECT id FROM session WHERE user_id = user.id);
         UPDATE account SET linked_in = (SELECT id FROM session WHERE user_id = account.user_id);",
    );
    let count = |table: &str| ask(&odd, &format!("SELECT CAST(count(*) AS text) FROM {table}")).parse::<u32>().unwrap();
    let (users, accounts) = (count("user"), count("account"));
    odd.run("sessions revoke --user bob@example.com --all").success();
    odd.run("users ban bob@example.com").success();
    assert_eq!((count("user"), count("account")), (users, accounts));
    odd.run("users delete bob@example.com --yes").success();
    assert_eq!((count("user"), count("account")), (users - 1, accounts - 1));
    assert_eq!(count("user WHERE manager IS NOT NULL"), 0);
}

#[test]
fn user_whose_key_would_delete_another_stays() {
    let odd = Odd::changed(
        "drizzle-ms",
        "ALTER TABLE user ADD COLUMN parent text REFERENCES user (id) ON DELETE CASCADE;
         UPDATE user SET parent = (SELECT id FROM user WHERE email LIKE 'bob%') WHERE email LIKE 'ada%';",
    );
    assert_snapshot!(odd.run("users delete bob@example.com --yes"), @"
    ------- stderr -------
    error: could not delete the user: 1 user refers to it by user.parent
    hint: change or clear user.parent of these users in the app, and try again; nothing was changed
    [exit status: 5]
    ");
    assert!(odd.is_as_made());
}

#[test]
fn client_that_the_key_keeps_stays_without_its_user() {
    let odd = Odd::changed(
        "drizzle-ms",
        "CREATE TABLE oauth_client (id text PRIMARY KEY, client_id text, redirect_uris text,
           user_id text REFERENCES user (id) ON DELETE SET NULL);
         CREATE TABLE oauth_consent (id text PRIMARY KEY, client_id text, user_id text);
         INSERT INTO oauth_client SELECT 'c', 'portal', '[]', id FROM user WHERE email LIKE 'bob%';
         INSERT INTO oauth_consent SELECT 'n', 'portal', id FROM user WHERE email LIKE 'ada%';",
    );
    let json = odd.run("users delete bob@example.com --yes --json").json();
    assert_eq!(json["rows"], serde_json::json!([{ "table": "oauth_client", "deleted": 0, "cleared": 1 }]));
    assert_eq!(
        ask(
            &odd,
            "SELECT oauth_client.id || coalesce(oauth_client.user_id, '-') || oauth_consent.id
                          FROM oauth_client, oauth_consent"
        ),
        "c-n"
    );
}

#[test]
fn impersonator_who_must_be_a_user_has_to_sign_in() {
    let odd = Odd::changed(
        "drizzle-ms",
        "ALTER TABLE session DROP COLUMN impersonated_by;
         ALTER TABLE session ADD COLUMN impersonated_by text REFERENCES user (id);",
    );
    assert_snapshot!(odd.run("users impersonate bob@example.com --print-token"), @"
    ------- stderr -------
    error: could not act as the user: this app records the user who acts as another, and you are not signed in
    hint: sign in as an administrator first, with `authctl signin`
    [exit status: 4]
    ");
}

/// Tables that all refer to each other and to users: more foreign keys than authctl follows.
#[test]
fn too_many_keys_refuse_the_act_and_are_found() {
    let table = |own: u32| {
        let others = (1..=21).filter(|other| *other != own);
        let keys = others.map(|other| format!("c{other} text REFERENCES circle{other} (id) ON DELETE CASCADE"));
        let keys = keys.collect::<Vec<_>>().join(", ");
        format!(
            "CREATE TABLE circle{own} (id text PRIMARY KEY, u text REFERENCES user (id) ON DELETE CASCADE, {keys});"
        )
    };
    let odd = Odd::changed("drizzle-ms", &(1..=21).map(table).collect::<Vec<_>>().join(" "));
    assert_snapshot!(odd.run("users delete bob@example.com --yes"), @"
    ------- stderr -------
    error: could not delete the user: more than 300 foreign keys lead to the table user through others, and authctl follows no more
    hint: do this in the app; nothing was changed
    [exit status: 9]
    ");
    odd.run("users delete bob@example.com --dry-run").failure(9);
    assert!(odd.is_as_made());
    let doctor: serde_json::Value = serde_json::from_str(&odd.run("doctor --json").stdout).unwrap();
    let findings = doctor["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["check"] == "reference-chains").unwrap();
    assert_eq!((&found["severity"], &found["count"]), (&"problem".into(), &1.into()));
    assert!(found["message"].as_str().unwrap().ends_with("lead to them through others: user"), "{found}");
    // No table refers to sessions.
    odd.run("sessions revoke --user bob@example.com").success();
    odd.run("users ban bob@example.com").success();
}
