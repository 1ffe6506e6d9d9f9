//! `users list`: order, pages, filters, and no secrets in the output.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use serde_json::Value;

use crate::sandbox::{PASSWORD, Sandbox};

/// A sandbox with the given users, who have no password.
fn with_users(names: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    for name in names {
        add(&sandbox, name);
    }
    sandbox
}

fn add(sandbox: &Sandbox, name: &str) {
    sandbox
        .run_words(&["users", "create", &format!("{name}@example.com"), "--name", name, "--no-password", "-q"])
        .success();
}

fn emails(list: &Value) -> Vec<String> {
    list["users"].as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap().to_owned()).collect()
}

/// The local parts of the email addresses that `users list` shows with these arguments.
fn listed(sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    let list = sandbox.run_words(&[&["users", "list", "--json"], words].concat()).json();
    let found = emails(&list);
    assert_eq!(list["total"], found.len(), "{list}");
    found.iter().map(|email| email.split('@').next().unwrap().to_owned()).collect()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn terminal_gets_a_table_and_the_next_page_command() {
    let sandbox = with_users(&["ada", "bob", "eve"]);
    sandbox.execute(
        "UPDATE user SET role = 'editor,admin', emailVerified = 1 WHERE name = 'ada';
         UPDATE user SET banned = 1 WHERE name = 'bob'; UPDATE user SET createdAt = 1790000000",
    );
    assert_snapshot!(sandbox.run("users list --limit 2"), @r"
    EMAIL            NAME  ROLE          STATE               CREATED                   ID
    ada@example.com  ada   editor,admin  ok                  [TIME]  [ID]
    bob@example.com  bob   user          banned, unverified  [TIME]  [ID]
    ------- stderr -------
    2 users on this page; --count counts all
    the next page: --after [ID]
    ");
    assert_eq!(sandbox.run("user ls").success(), sandbox.run("users list").success());
}

#[test]
fn empty_list_is_0_and_a_missing_database_is_9() {
    let sandbox = Sandbox::new();
    for words in ["users list --json", "users show a@b.co --json", "users exists a@b.co --json"] {
        assert_eq!(sandbox.run(words).json_error(9)["code"], "DATABASE_MISSING", "{words}");
    }
    assert!(!sandbox.database().exists());
    sandbox.run("db init").success();
    let list = sandbox.run("users list --json").json();
    assert_eq!(list, serde_json::json!({ "users": [], "total": 0, "next": null }));
    assert_snapshot!(sandbox.run("users list"), @r"
    EMAIL  NAME  ROLE  STATE  CREATED  ID
    ------- stderr -------
    0 of 0 users
    ");
}

#[test]
fn json_has_users_total_and_next_and_no_secret() {
    let sandbox = Sandbox::with_ada();
    let _ = sandbox.run_with_input("signin ada@example.com --password-stdin", "wrong words here").failure(7);
    let list = sandbox.run("users list --json").json();
    assert_eq!(keys(&list), BTreeSet::from(["users", "total", "next"]));
    let fields =
        "id name email emailVerified image createdAt updatedAt role banned banReason banExpires twoFactorEnabled";
    assert_eq!(keys(&list["users"][0]), fields.split(' ').collect());
    let secret = |sql: &str| -> String { sandbox.sql().query_row(sql, [], |row| row.get(0)).unwrap() };
    let hash = secret("SELECT password FROM account");
    let token = secret("SELECT token FROM session");
    let held = std::fs::read_to_string(sandbox.session_file()).unwrap();
    let held: Value = serde_json::from_str(&held).unwrap();
    for words in ["list", "show ada@example.com", "exists ada@example.com"] {
        for json in ["", " --json"] {
            let ran = sandbox.run(&format!("users {words}{json}"));
            let said = format!("{}{}", ran.stdout, ran.stderr);
            for secret in [&hash, &token, held["token"].as_str().unwrap(), PASSWORD] {
                assert!(!said.contains(secret), "{words}: {said}");
            }
            ran.success();
        }
    }
}

#[test]
fn pages_show_each_user_once_while_users_are_added() {
    for (sort, expected) in [("email", "a b c d e f g"), ("name", "g f e d c b a"), ("created", "c d e f g a b")] {
        let old = ["a", "b", "c", "d", "e", "f", "g"];
        let sandbox = with_users(&old);
        for (number, name) in (0_i64..).zip(old) {
            let named = 9 - number;
            let created = 1_790_000_000 + (number + 5) % 7;
            sandbox.execute(&format!("UPDATE user SET name = '{named}', createdAt = {created} WHERE name = '{name}'"));
        }
        let mut seen: Vec<String> = Vec::new();
        let mut next = None;
        loop {
            let mut words = vec!["users", "list", "--json", "--sort", sort, "--limit", "2"];
            words.extend(next.iter().flat_map(|next: &String| ["--after", next]));
            let page = sandbox.run_words(&words).json();
            seen.extend(emails(&page).iter().map(|email| email.split('@').next().unwrap().to_owned()));
            // New users before and after the place that the walk has reached.
            add(&sandbox, &format!("0-{}", seen.len()));
            add(&sandbox, &format!("zz-{}", seen.len()));
            if seen.iter().filter(|name| name.len() == 1).count() == old.len() {
                break;
            }
            next = Some(page["next"].as_str().unwrap().to_owned());
        }
        let once: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(once.len(), seen.len(), "{sort}: {seen:?}");
        seen.retain(|name| name.len() == 1);
        assert_eq!(seen.join(" "), expected, "{sort}");
    }
}

#[test]
fn page_has_at_least_1_user_and_follows_a_known_user() {
    let sandbox = with_users(&["ada", "bob"]);
    for limit in ["0", "-1", "many"] {
        let _ = sandbox.run(&format!("users list --limit={limit}")).failure(2);
    }
    sandbox.run("users list --limit 1").success();
    sandbox.run("users list --limit 1001").success();
    let _ = sandbox.run("users list --sort age").failure(2);
    assert_snapshot!(sandbox.run("users list --after ada@example.com"), @r"
    ------- stderr -------
    error: could not list users: the user after which the page begins does not exist
    hint: begin again without --after
    [exit status: 3]
    ");
}

#[test]
fn a_search_finds_parts_of_addresses_and_names_and_no_pattern() {
    let sandbox = with_users(&["ada", "bob", "eve"]);
    sandbox.execute(r"UPDATE user SET name = '100% \_o' WHERE name = 'bob'");
    for (search, expected) in [
        ("ADA@Example", "ada"),
        ("@example.com", "ada bob eve"),
        ("%", "bob"),
        ("0% ", "bob"),
        ("_", "bob"),
        (r"\", "bob"),
        (r"\%", ""),
        ("a_a", ""),
        ("a%a", ""),
        ("' OR 1=1 --", ""),
        ("EVE", "eve"),
    ] {
        assert_eq!(listed(&sandbox, &["--search", search]).join(" "), expected, "{search:?}");
    }
}

#[test]
fn a_search_finds_users_whom_the_index_lacks() {
    let sandbox = with_users(&["ada", "bob"]);
    // A dump and other programs may give users other places.
    sandbox.sql().execute_batch("UPDATE user SET rowid = rowid + 7").unwrap();
    assert_eq!(listed(&sandbox, &["--search", "bob@"]), ["bob"]);
    let doctor = sandbox.run("doctor");
    assert!(doctor.stdout.contains("table authctl_search lacks users"), "{doctor}");
    let made = sandbox.run("db migrate");
    assert!(made.stderr.contains("made again") && made.stderr.contains("table authctl_search"), "{made}");
    assert_eq!(listed(&sandbox, &["--search", "bob@"]), ["bob"]);
    let doctor = sandbox.run("doctor").success();
    assert!(!doctor.contains("authctl_search"), "{doctor}");
}

#[test]
fn a_search_of_any_length_has_an_answer() {
    let sandbox = with_users(&["ada"]);
    assert_eq!(listed(&sandbox, &["--search", &"a".repeat(60_000)]), [""; 0]);
}

#[test]
fn a_role_is_one_whole_word_of_those_a_user_has() {
    let sandbox = with_users(&["ada", "bob", "eve", "zoe"]);
    sandbox.execute(
        "UPDATE user SET role = 'editor, admin' WHERE name = 'ada'; UPDATE user SET role = 'superadmin' WHERE name = 'bob';
         UPDATE user SET role = 'admin' WHERE name = 'eve'",
    );
    for (role, expected) in
        [("admin", "ada eve"), ("editor", "ada"), ("min", ""), ("a_min", ""), ("%", ""), ("superadmin", "bob")]
    {
        assert_eq!(listed(&sandbox, &["--role", role]).join(" "), expected, "{role}");
    }
}

#[test]
fn a_role_in_other_letters_is_another_role() {
    let sandbox = with_users(&["ada"]);
    sandbox.run("users set-role ada@example.com admin").success();
    assert_eq!(listed(&sandbox, &["--role", "ADMIN"]), [""; 0]);
}

#[test]
fn filters_leave_the_banned_and_the_unverified() {
    let sandbox = with_users(&["ada", "bob", "eve"]);
    sandbox.run("users ban ada@example.com").success();
    sandbox.run("users ban bob@example.com --for 1h").success();
    sandbox.run("users verify-email bob@example.com").success();
    assert_eq!(listed(&sandbox, &["--banned"]), ["ada", "bob"]);
    assert_eq!(listed(&sandbox, &["--unverified"]), ["ada", "eve"]);
    assert_eq!(listed(&sandbox, &["--unverified", "--banned"]), ["ada"]);
}

#[test]
fn whose_ban_has_ended_is_not_among_the_banned() {
    let sandbox = with_users(&["ada", "bob"]);
    sandbox.execute("UPDATE user SET banned = 1, banExpires = unixepoch() - 1 WHERE name = 'bob'");
    sandbox.run("users ban ada@example.com --for 1h").success();
    assert_eq!(listed(&sandbox, &["--banned"]), ["ada"]);
}

#[test]
fn untrusted_text_is_escaped_on_a_terminal() {
    let sandbox = with_users(&["ada"]);
    sandbox.execute(
        "UPDATE user SET name = 'A' || char(27) || '[2J' || char(10) || char(8238) || 'x', role = 'a' || char(155),
         email = 'e' || char(7) || '@example.com', banned = 1, banReason = char(27) || '[31m', image = char(13)",
    );
    let id: String = sandbox.sql().query_row("SELECT id FROM user", [], |row| row.get(0)).unwrap();
    for words in ["list", &format!("show {id}"), &format!("ban {id}"), &format!("unban {id}")] {
        let ran = sandbox.run(&format!("users {words}"));
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!ran.stdout.chars().chain(ran.stderr.chars()).any(bad), "{:?} {:?}", ran.stdout, ran.stderr);
        ran.success();
    }
}
