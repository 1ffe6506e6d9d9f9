//! Formats and columns of lists, and ids by their first characters.

use insta::assert_snapshot;
use serde_json::Value;

use crate::pty::Terminal;
use crate::sandbox::Sandbox;

/// Users with chosen ids.
fn with_users(users: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    let line = |(id, name): &(&str, &str)| {
        serde_json::json!({ "id": id, "email": format!("{name}@example.com"), "name": name }).to_string() + "\n"
    };
    let head = serde_json::json!({ "authctl": 1, "schema": 0, "count": users.len() }).to_string() + "\n";
    sandbox.file("users.jsonl", head + &users.iter().map(line).collect::<String>());
    sandbox.run("import users.jsonl").success();
    sandbox
}

const USERS: &[(&str, &str)] =
    &[("abcdef-one", "ada"), ("abcdef-two", "bob"), ("abcdef", "cy"), ("12345678", "dee"), ("zyxwvu-x", "abcdef")];

#[test]
fn list_has_every_format() {
    let sandbox = with_users(&[("abcdef-one", "ada"), ("12345678", "bob")]);
    sandbox
        .execute("UPDATE user SET createdAt = 1790000000; UPDATE user SET name = '=1+1,' || char(10) || char(27) WHERE name = 'ada'");
    assert_snapshot!(sandbox.run("users list -o csv --columns id,email,name,created").success(), @r#"
    id,email,name,created
    "abcdef-one",ada@example.com,"'=1+1,\u{a}\u{1b}",2026-09-21T14:13:20.000Z
    "12345678",bob@example.com,bob,2026-09-21T14:13:20.000Z
    "#);
    assert_snapshot!(sandbox.run("users list -o tsv --columns email,name,banned --no-header").success(), @r"
    ada@example.com	=1+1,\u{a}\u{1b}	no
    bob@example.com	bob	no
    ");
    assert_snapshot!(sandbox.run("users list --columns EMAIL --columns id").success(), @r"
    EMAIL            ID
    ada@example.com  abcdef-one
    bob@example.com  12345678
    ");
    let document = sandbox.run("users list --json").success();
    assert_eq!(sandbox.run("users list -o json").success(), document);
    let lines = sandbox.run("users list -o jsonl").success();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["users"].as_array().unwrap(), &lines);
}

#[test]
fn every_list_has_formats_and_columns() {
    let sandbox = Sandbox::with_ada();
    sandbox.file(".config/authctl/config.toml", "[databases.shop]\nurl = \"shop.db\"\n");
    for (words, columns) in [
        ("users list", "email,name,role,state,created,id"),
        ("sessions", "current,id,signed_in,expires,address,from"),
        ("sessions list", "current,id,signed_in,expires,address,from"),
        ("sessions list --all-users", "user,id,signed_in,expires,address,from"),
        ("audit list", "seq,when,event,by,user,session,reason,detail"),
        ("audit tail", "seq,when,event,by,user,session,reason,detail"),
        ("tokens list", "id,name,token,scopes,last_used,expires"),
        ("tokens list --all-users", "id,name,token,scopes,last_used,expires,user"),
        ("roles list", "role,users"),
        ("policy show", "changed,key,value,default,takes,meaning"),
        ("db list", "chosen,name,database"),
    ] {
        let csv = sandbox.run(&format!("{words} -o csv")).success();
        assert_eq!(csv.lines().next(), Some(columns), "{words}");
        let lines = sandbox.run(&format!("{words} -o jsonl")).success();
        assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).unwrap().is_object()), "{words}");
        let first = columns.split(',').next_back().unwrap();
        let one = sandbox.run(&format!("{words} --no-header --columns {first} -o tsv")).success();
        assert_eq!(one.lines().count(), csv.lines().count() - 1, "{words}");
        assert_eq!(
            sandbox.run(&format!("{words} -o json")).success(),
            sandbox.run(&format!("{words} --json")).success()
        );
        let unknown = sandbox.run(&format!("{words} --columns colour")).failure(2);
        assert!(unknown.contains(&columns.replace(',', ", ")), "{words}: {unknown}");
        for flags in
            ["--json -o csv", "--json --columns id", "-o json --no-header", "-o jsonl --wide", "--json -o jsonl"]
        {
            let refused = sandbox.run(&format!("{words} {flags}")).failure(2);
            assert!(refused.contains("exclude each other"), "{words} {flags}: {refused}");
        }
    }
    assert_eq!(sandbox.run("users list -o json --sort age").json_error(2)["code"], "USAGE");
}

#[test]
fn list_of_any_length_is_read_in_parts() {
    let users: Vec<(String, String)> =
        (0..2_500).map(|number| (format!("id-{number:05}"), format!("u{number:05}"))).collect();
    let users: Vec<(&str, &str)> = users.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect();
    let sandbox = with_users(&users);
    assert_eq!(sandbox.run("users list -o csv --no-header").success().lines().count(), 2_500);
    assert_eq!(sandbox.run("users list -o tsv --limit 1500 --no-header").success().lines().count(), 1_500);
    let whole = sandbox.run("users list --json --limit 5000").json();
    assert_eq!((whole["users"].as_array().unwrap().len(), &whole["total"]), (2_500, &2_500.into()));
    let page = sandbox.run("users list --json").json();
    assert_eq!((page["users"].as_array().unwrap().len(), &page["next"]), (50, &"id-00049".into()));
}

#[test]
fn user_is_named_by_the_first_characters_of_an_id() {
    let sandbox = with_users(USERS);
    let shown = |named: &str| sandbox.run(&format!("users show {named} --json")).json()["user"]["email"].clone();
    assert_eq!(shown("abcdef-o"), "ada@example.com");
    assert_eq!(shown("abcdef"), "cy@example.com", "a whole id wins");
    assert_eq!(shown("zyxwvu"), "abcdef@example.com");
    assert_eq!(shown("abcdef@example.com"), "abcdef@example.com", "an address wins");
    let ambiguous = sandbox.run("users delete abcdef- --yes --json").json_error(2);
    assert_eq!(ambiguous["code"], "ID_AMBIGUOUS");
    assert_snapshot!(ambiguous["message"].as_str().unwrap(), @"could not delete the user: several ids begin with abcdef-: abcdef-one (ada@example.com), abcdef-two (bob@example.com)");
    // Too short, a number, another case, and an id that is too long.
    for named in ["zyxwv", "123456", "ZYXWVU", "zyxwvu-xy"] {
        assert_eq!(
            sandbox.run(&format!("users show {named} --json")).json_error(3)["code"],
            "USER_NOT_FOUND",
            "{named}"
        );
    }
    assert_snapshot!(sandbox.run("users delete abcdef-t --yes"), @r"
    ------- stderr -------
    deleted bob <bob@example.com> with 0 sessions, 0 accounts and 0 codes in [HOME]/.local/share/authctl/auth.db
    ");
    sandbox.run("audit list --user abcdef-o --json").success();
}

#[test]
fn session_is_named_by_the_first_characters_of_its_id() {
    let sandbox = Sandbox::with_ada_and_bob();
    sandbox.execute(
        "UPDATE session SET id = CASE userId WHEN (SELECT id FROM user WHERE email LIKE 'ada%') THEN 'sesame-ada' ELSE 'sesame-bob' END",
    );
    let count = sandbox.number("SELECT count(*) FROM session");
    assert_eq!(sandbox.run("sessions revoke sesame --all-users --json").json_error(2)["code"], "ID_AMBIGUOUS");
    assert_eq!(sandbox.run("sessions revoke sesame-c --all-users --json").json_error(3)["code"], "SESSION_NOT_FOUND");
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), count);
    assert_snapshot!(sandbox.run("sessions revoke sesame --user ada@example.com --dry-run").stderr, @"would end 1 session: sesame-ada");
    assert_snapshot!(sandbox.run("sessions revoke sesame-b --all-users").stderr, @"ended 1 session: sesame-bob");
    assert_snapshot!(sandbox.run("sessions revoke sesame").stderr, @r"
    ended 1 session: sesame-ada
    this session was among them: signed out
    ");
}

/// Runs a command on a terminal of 24 lines, with a pager.
fn paged(sandbox: &Sandbox, words: &str, pager: &str) -> String {
    let mut command = sandbox.command(words.split(' '));
    command.env("AUTHCTL_PAGER", pager).env("AUTHCTL_TOKEN", "secret").env("PATH", "/usr/bin:/bin");
    Terminal::new().run(command).end().with_code(0)
}

#[test]
fn pager_shows_a_list_that_is_longer_than_the_terminal() {
    let users: Vec<(String, String)> =
        (0..2_000).map(|number| (format!("id-{number:05}"), format!("u{number:05}"))).collect();
    let users: Vec<(&str, &str)> = users.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect();
    let sandbox = with_users(&users);
    let begin = paged(&sandbox, "users list", "sed -n 1,2p");
    assert!(
        begin.contains("u00000@") && !begin.contains("u00001@") && begin.contains("50 users on this page"),
        "{begin}"
    );
    let in_shell = paged(&sandbox, "users list", "sed -n 2p | tr u U");
    assert!(in_shell.contains("U00000@"), "{in_shell}");
    // A pager that reads nothing, and none that starts.
    let quit = paged(&sandbox, "users list --limit 2000", "true");
    assert!(quit.contains("2000 of 2000 users") && !quit.contains("error"), "{quit}");
    for (words, pager) in [
        ("users list", "/nonexistent"),
        ("users list", "cat"),
        ("users list --no-pager", "true"),
        ("users list --no-input", "true"),
        ("users list --limit 20", "true"),
    ] {
        assert!(paged(&sandbox, words, pager).contains("u00019@"), "{words} {pager}");
    }
    let environment = paged(&sandbox, "users list", "env");
    assert!(environment.contains("LESS=FRX") && !environment.contains("AUTHCTL_TOKEN"), "{environment}");
    let pipe = sandbox.run_with_variable("users list", "AUTHCTL_PAGER", "true");
    assert!(pipe.success().contains("u00049@"));
}

#[test]
fn times_have_the_form_that_is_asked_for() {
    let sandbox = with_users(&[("abcdef", "ada")]);
    sandbox.execute("UPDATE user SET createdAt = 1790000000");
    let created = |form: &str| {
        let words = format!("users list --columns created --no-header --time {form}");
        sandbox.run_with_variable(&words, "TZ", "EST5").success().trim().to_owned()
    };
    assert_eq!(created("local"), "2026-09-21 09:13:20 -05:00");
    assert!(created("relative").ends_with(" ago"), "{}", created("relative"));
    assert!(created("utc").ends_with('Z') || created("utc") == "[TIME]", "{}", created("utc"));
    let csv = sandbox.run("users list -o csv --columns created --no-header --time relative").success();
    assert!(!csv.contains("ago"), "{csv}");
}

#[test]
fn unit_of_an_apps_times_is_no_form_of_times() {
    let sandbox = Sandbox::new();
    let init = "db init --better-auth drizzle --names camelCase";
    let _ = sandbox.run(&format!("--db one.db --time utc {init}")).failure(2);
    sandbox.run(&format!("--db two.db {init} --time seconds")).success();
    let _ = sandbox.run(&format!("--db three.db {init} --time utc")).failure(2);
    let _ = sandbox.run("users list --time seconds").failure(2);
}
