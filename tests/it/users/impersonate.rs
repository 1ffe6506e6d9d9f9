//! `users impersonate`: acting as a user, marked and for a limited time.

use insta::assert_snapshot;

use crate::sandbox::{PASSWORD, Sandbox};

const IMPERSONATE: &str = "users impersonate ada@example.com";

fn sessions(sandbox: &Sandbox) -> i64 {
    sandbox.number("SELECT count(*) FROM session")
}

#[test]
fn session_shows_the_impersonator_everywhere() {
    let sandbox = Sandbox::with_ada_signed_out();
    sandbox.execute("UPDATE user SET twoFactorEnabled = 1; UPDATE account SET password = NULL");
    assert_snapshot!(sandbox.run(IMPERSONATE), @"
    ------- stderr -------
    acting as Ada <ada@example.com> in [HOME]/.local/share/authctl/auth.db; the session ends in 1 hour
    the session is kept unencrypted, readable by you alone, in [HOME]/.config/authctl/sessions/[KEY].json
    ");
    let (session, entry) = (sandbox.run("whoami --json").json()["session"].clone(), sandbox.newest_entry());
    let operator = format!("os:{}@{}", entry["osUser"].as_str().unwrap(), entry["host"].as_str().unwrap());
    assert_eq!((&session["impersonatedBy"], &entry["sessionId"]), (&operator.into(), &session["id"]));
    assert_eq!(sandbox.number("SELECT expiresAt - createdAt FROM session"), 3_600);

    sandbox.execute("UPDATE session SET impersonatedBy = 'os:root' || char(27) || '@host', userAgent = 'authctl'");
    assert_snapshot!(sandbox.run("whoami"), @r"
    name             Ada
    email            ada@example.com (not verified)
    user id          [ID]
    role             user
    session          [ID]
    impersonated by  os:root\u{1b}@host
    expires          [TIME]
    token from       [HOME]/.config/authctl/sessions/[KEY].json
    database         [HOME]/.local/share/authctl/auth.db
    ");
    assert_snapshot!(sandbox.run("sessions"), @r"
       ID                                SIGNED IN                 EXPIRES                   ADDRESS  FROM
    *  [ID]  [TIME]  [TIME]  -        impersonated by os:root\u{1b}@host; authctl
    ");
    assert_snapshot!(sandbox.run("sessions list --user ada@example.com"), @r"
    USER             ID                                SIGNED IN                 EXPIRES                   ADDRESS  FROM
    ada@example.com  [ID]  [TIME]  [TIME]  -        impersonated by os:root\u{1b}@host; authctl
    ");
    sandbox.run("signout").success();
    assert_eq!(sessions(&sandbox), 0);
}

/// A sandbox where the administrator root is signed in and ada has an account, and root's id.
fn root_signed_in() -> (Sandbox, String) {
    let sandbox = Sandbox::with_ada_and_root();
    let root = sandbox.run("whoami --json").json()["user"]["id"].as_str().unwrap().to_owned();
    (sandbox, root)
}

fn signed_in_as(sandbox: &Sandbox) -> String {
    sandbox.run("whoami --json").json()["user"]["email"].as_str().unwrap().to_owned()
}

/// The file names in the sessions directory.
fn files(sandbox: &Sandbox) -> Vec<String> {
    let entries = std::fs::read_dir(sandbox.sessions()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The stored session and the session set aside.
fn stored_and_kept(sandbox: &Sandbox) -> (std::path::PathBuf, std::path::PathBuf) {
    let names = files(sandbox);
    assert_eq!(names.len(), 2, "{names:?}");
    let kept = names.iter().find(|name| name.ends_with(".own.json")).unwrap();
    let stored = names.iter().find(|name| !name.ends_with(".own.json")).unwrap();
    (sandbox.sessions().join(stored), sandbox.sessions().join(kept))
}

#[test]
fn session_and_entries_name_the_administrator() {
    let (sandbox, root) = root_signed_in();
    let begun =
        sandbox.run_words(&["users", "impersonate", "ada@example.com", "--reason", "ticket 7", "--json"]).json();
    assert_eq!(begun["session"]["impersonatedBy"], *root);
    assert_eq!(begun.as_object().unwrap().len(), 2, "{begun}");
    let entries = sandbox.run("audit list --event session.impersonated --json").json()["entries"].clone();
    let entry = &entries[0];
    assert_eq!((&entry["userId"], &entry["sessionId"]), (&begun["user"]["id"], &begun["session"]["id"]));
    assert_eq!((&entry["actorId"], &entry["reason"]), (&(*root).into(), &"ticket 7".into()));

    sandbox.run("users impersonate --stop").success();
    let ended = sandbox.newest_entry();
    assert_eq!((&ended["event"], &ended["actorId"]), (&"session.ended".into(), &(*root).into()));
    assert_eq!((&ended["userId"], &ended["sessionId"]), (&begun["user"]["id"], &begun["session"]["id"]));
    let ada = begun["user"]["id"].as_str().unwrap();
    assert_eq!(ended["detail"], format!("impersonating {ada}"));
    sandbox.run("audit verify").success();
}

#[test]
fn user_without_the_role_acts_as_the_system_user() {
    let (sandbox, root) = root_signed_in();
    sandbox.run("users set-role root@example.com editor --force-last-admin --keep-sessions").success();
    let begun = sandbox.run(&format!("{IMPERSONATE} --json")).json();
    assert!(begun["session"]["impersonatedBy"].as_str().unwrap().starts_with("os:"), "{begun}");
    assert_eq!(sandbox.newest_entry()["actorId"], *root, "the log knows who was signed in");
}

#[test]
fn own_session_returns_after_stop_and_after_sign_out() {
    use std::os::unix::fs::PermissionsExt as _;
    let (sandbox, _) = root_signed_in();
    let own = std::fs::read(sandbox.session_file()).unwrap();
    for stop in ["users impersonate --stop", "signout", "signout --local"] {
        let before = sessions(&sandbox);
        sandbox.run(IMPERSONATE).success();
        let (stored, kept) = stored_and_kept(&sandbox);
        for path in [&stored, &kept] {
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        }
        assert_eq!((signed_in_as(&sandbox).as_str(), sessions(&sandbox)), ("ada@example.com", before + 1));
        let answer = sandbox.run(stop);
        assert!(answer.stderr.contains("your own session is in use again: signed in as root@example.com"), "{answer}");
        answer.success();
        assert_eq!(signed_in_as(&sandbox), "root@example.com", "{stop}");
        assert_eq!(std::fs::read(sandbox.session_file()).unwrap(), own, "{stop}");
        assert_eq!(sessions(&sandbox) - before, i64::from(stop.ends_with("--local")), "{stop}");
    }
    sandbox.run(IMPERSONATE).success();
    assert_eq!(sandbox.run("signout --json").json()["ownSession"], "restored");
}

#[test]
fn answer_names_both_users_and_the_stored_session() {
    let (sandbox, _) = root_signed_in();
    assert_snapshot!(sandbox.run(IMPERSONATE), @"
    ------- stderr -------
    acting as Ada <ada@example.com> in [HOME]/.local/share/authctl/auth.db; the session ends in 1 hour
    the session is kept unencrypted, readable by you alone, in [HOME]/.config/authctl/sessions/[KEY].json
    your own session is kept: `authctl users impersonate --stop` gives it back if it is still valid
    ");
    assert_snapshot!(sandbox.run("whoami"), @"
    name             Ada
    email            ada@example.com (not verified)
    user id          [ID]
    role             user
    session          [ID]
    impersonated by  Root <root@example.com> ([ID])
    own session      root@example.com, kept; `authctl users impersonate --stop` gives it back if it is still valid
    expires          [TIME]
    token from       [HOME]/.config/authctl/sessions/[KEY].json
    database         [HOME]/.local/share/authctl/auth.db
    ");
    assert_snapshot!(sandbox.run("users impersonate --stop"), @"
    ------- stderr -------
    signed out: ended 1 session
    your own session is in use again: signed in as root@example.com
    ");
    assert_snapshot!(sandbox.run("users impersonate --stop"), @"
    ------- stderr -------
    error: could not stop acting as another user: you are not acting as another user
    hint: `authctl whoami` says who is signed in, `authctl signout` ends the session
    [exit status: 4]
    ");
}

#[test]
fn own_session_that_ended_meanwhile_is_not_given_back() {
    let (sandbox, root) = root_signed_in();
    for (number, stop) in ["users impersonate --stop", "signout"].into_iter().enumerate() {
        if number > 0 {
            sandbox.sign_in("root@example.com").success();
        }
        sandbox.run(IMPERSONATE).success();
        sandbox.execute(&format!("UPDATE session SET expiresAt = createdAt WHERE userId = '{root}'"));
        let answer = sandbox.run(stop);
        assert!(answer.stderr.contains("your own session ended meanwhile: sign in"), "{answer}");
        answer.success();
        assert_eq!(files(&sandbox), [""; 0], "{stop}");
        let _ = sandbox.run("whoami").failure(4);
    }
}

#[test]
fn impersonation_that_is_over_names_the_way_back() {
    let (sandbox, root) = root_signed_in();
    let ends = [
        format!("UPDATE session SET expiresAt = createdAt WHERE impersonatedBy = '{root}'"),
        format!("DELETE FROM session WHERE impersonatedBy = '{root}'"),
    ];
    for end in &ends {
        sandbox.run(IMPERSONATE).success();
        sandbox.execute(end);
        let said = sandbox.run("whoami").failure(4);
        assert!(
            said.contains("`authctl users impersonate --stop` gives your own session back if it is still valid"),
            "{end}: {said}"
        );
        sandbox.run("users impersonate --stop").success();
        assert_eq!(signed_in_as(&sandbox), "root@example.com");
    }
    // Or starts a new impersonation, which sets the own session aside again.
    sandbox.run(IMPERSONATE).success();
    sandbox.execute(&ends[0]);
    sandbox.run(IMPERSONATE).success();
    assert_eq!(signed_in_as(&sandbox), "ada@example.com");
    sandbox.run("signout").success();
    assert_eq!(signed_in_as(&sandbox), "root@example.com");
}

#[test]
fn impersonation_ends_with_its_impersonator() {
    for (act, own) in [
        ("users ban root@example.com --force-last-admin", "ended"),
        ("users ban root@example.com --for 1d --force-last-admin", "ended"),
        ("users set-role root@example.com user --force-last-admin", "ended"),
        ("users set-role root@example.com user --force-last-admin --keep-sessions", "restored"),
        ("users delete root@example.com --yes --force-last-admin", "ended"),
    ] {
        let (sandbox, _) = root_signed_in();
        sandbox.run(IMPERSONATE).success();
        let printed = sandbox.finish(
            sandbox
                .command(["users", "impersonate", "ada@example.com", "--print-token"])
                .env("XDG_CONFIG_HOME", sandbox.path("other-config")),
        );
        let by_os = printed.success().trim_end().to_owned();
        sandbox.run(act).success();
        assert_eq!(sandbox.number("SELECT count(*) FROM session WHERE impersonatedBy NOT LIKE 'os:%'"), 0, "{act}");
        let _ = sandbox.run("account update --name Eve").failure(4);
        let _ = sandbox.run("whoami").failure(4);
        sandbox.run_with_variable("whoami --check", "AUTHCTL_TOKEN", &by_os).success();
        let stopped = sandbox.run("users impersonate --stop --json").json();
        assert_eq!((&stopped["sessionsEnded"], &stopped["ownSession"]), (&0.into(), &own.into()), "{act}");
    }
}

#[test]
fn second_impersonation_is_refused_and_sign_in_replaces_both() {
    let (sandbox, _) = root_signed_in();
    sandbox.run("users create bob@example.com --name Bob --no-password").success();
    sandbox.run(IMPERSONATE).success();
    let before = sessions(&sandbox);
    for words in ["users impersonate bob@example.com", "users impersonate bob@example.com --print-token"] {
        assert_eq!(sandbox.run(&format!("{words} --json")).json_error(5)["code"], "ALREADY_IMPERSONATING");
    }
    assert_eq!((sessions(&sandbox), signed_in_as(&sandbox).as_str()), (before, "ada@example.com"));
    stored_and_kept(&sandbox);
    sandbox.sign_in("ada@example.com").success();
    assert_eq!(files(&sandbox).len(), 1);
    assert_eq!(sessions(&sandbox), 1, "the impersonated session and root's own ended");
    sandbox.run("signout").success();
    assert_eq!(files(&sandbox), [""; 0]);
    let _ = sandbox.run("whoami").failure(4);
}

/// The own session is set aside before the impersonation is stored.
#[test]
fn process_that_dies_while_setting_aside_loses_neither_session() {
    let (sandbox, root) = root_signed_in();
    sandbox.run(IMPERSONATE).success();
    let (stored, kept) = stored_and_kept(&sandbox);
    let name = stored.file_name().unwrap().to_str().unwrap().to_owned();
    std::fs::rename(&stored, stored.with_file_name(format!(".{name}.0123456789abcdef.tmp"))).unwrap();
    assert_eq!(signed_in_as(&sandbox), "root@example.com");
    assert!(!kept.exists() && stored.exists());
    assert_eq!(sandbox.number(&format!("SELECT count(*) FROM session WHERE impersonatedBy = '{root}'")), 1);
    // The next impersonation ends the abandoned session and sets root's session aside again.
    sandbox.run(IMPERSONATE).success();
    assert_eq!(sandbox.number(&format!("SELECT count(*) FROM session WHERE impersonatedBy = '{root}'")), 1);
    stored_and_kept(&sandbox);
    sandbox.run("users impersonate --stop").success();
    assert_eq!((signed_in_as(&sandbox).as_str(), sessions(&sandbox)), ("root@example.com", 1));
}

#[test]
fn processes_at_once_keep_the_own_session_and_one_impersonation() {
    let (sandbox, root) = root_signed_in();
    let own = std::fs::read(sandbox.session_file()).unwrap();
    let spawn = |_| {
        let mut command = sandbox.command(IMPERSONATE.split(' ').chain(["--wait", "60s"]));
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..6).map(spawn).collect();
    let codes: Vec<_> = children
        .into_iter()
        .map(|child| sandbox.ran(&child.wait_with_output().unwrap()))
        .inspect(|ran| assert!([0, 5].contains(&ran.code), "{ran}"))
        .map(|ran| ran.code)
        .collect();
    assert!(codes.contains(&0), "{codes:?}");
    let (_, kept) = stored_and_kept(&sandbox);
    assert_eq!(std::fs::read(kept).unwrap(), own);
    assert_eq!(sandbox.number(&format!("SELECT count(*) FROM session WHERE impersonatedBy = '{root}'")), 1);
    sandbox.run("users impersonate --stop").success();
    assert_eq!(signed_in_as(&sandbox), "root@example.com");
}

#[test]
fn session_that_an_operator_ends_by_name_gives_the_own_one_back() {
    let (sandbox, _) = root_signed_in();
    sandbox.run(IMPERSONATE).success();
    let answer = sandbox.run("sessions revoke --user ada@example.com");
    assert!(
        answer.stderr.contains("note: your own session is in use again: signed in as root@example.com"),
        "{answer}"
    );
    answer.success();
    assert_eq!(signed_in_as(&sandbox), "root@example.com");
}

#[test]
fn printed_token_is_stopped_without_touching_files() {
    let (sandbox, _) = root_signed_in();
    let token = sandbox.run(&format!("{IMPERSONATE} --print-token")).success().trim_end().to_owned();
    let before = (files(&sandbox), std::fs::read(sandbox.session_file()).unwrap());
    assert_eq!(
        sandbox.run_with_variable("users impersonate --stop --json", "AUTHCTL_TOKEN", &token).json()["sessionsEnded"],
        1
    );
    assert_eq!((files(&sandbox), std::fs::read(sandbox.session_file()).unwrap()), before);
    let _ = sandbox.run_with_variable("users impersonate --stop", "AUTHCTL_TOKEN", &token).failure(4);
}

#[test]
fn token_variable_must_be_unset_before_stop() {
    let (sandbox, _) = root_signed_in();
    let root = sandbox.run("sessions issue --user root@example.com --force").success().trim_end().to_owned();
    sandbox.run(IMPERSONATE).success();
    assert_snapshot!(sandbox.run_with_variable("users impersonate --stop", "AUTHCTL_TOKEN", &root), @"
    ------- stderr -------
    error: could not stop acting as another user: you are not acting as another user
    hint: AUTHCTL_TOKEN holds the token of another session: `unset AUTHCTL_TOKEN`, then try again
    [exit status: 4]
    ");
    let said = sandbox.run_with_variable("whoami", "AUTHCTL_TOKEN", &root).stderr;
    assert_eq!(
        said,
        "note: signed in by the token in AUTHCTL_TOKEN; `unset AUTHCTL_TOKEN` to use the stored session\n"
    );
    sandbox.run_with_variable("signout", "AUTHCTL_TOKEN", &root).success();
    assert_snapshot!(sandbox.run_with_variable("whoami", "AUTHCTL_TOKEN", &root), @"
    ------- stderr -------
    error: not signed in
    hint: the session of its token was ended or never was in this database: `unset AUTHCTL_TOKEN`, or give it the token of a live session
    [exit status: 4]
    ");
    assert_eq!(signed_in_as(&sandbox), "ada@example.com");
}

/// An unreadable file may hold a session, so it is not replaced.
#[test]
fn stored_session_that_cannot_be_read_is_not_replaced() {
    use std::os::unix::fs::PermissionsExt as _;
    let (sandbox, _) = root_signed_in();
    let (file, before) = (sandbox.session_file(), sessions(&sandbox));
    let content = std::fs::read(&file).unwrap();
    let words = format!("{IMPERSONATE} --json");
    let printed = format!("{words} --print-token");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    for words in [&words, &printed] {
        assert_eq!(sandbox.run(words).json_error(4)["code"], "SESSION_FILE_UNSAFE");
    }
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let elsewhere = sandbox.path("elsewhere.json");
    std::fs::rename(&file, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    assert_eq!(sandbox.run(&words).json_error(4)["code"], "SESSION_FILE_UNSAFE");
    assert!(file.is_symlink());
    std::fs::rename(&elsewhere, &file).unwrap();
    assert_eq!((std::fs::read(&file).unwrap(), sessions(&sandbox)), (content, before));
    let missing = sandbox.finish(sandbox.command(words.split(' ')).env("AUTHCTL_TOKEN_FILE", "missing"));
    assert_eq!(missing.json_error(4)["code"], "UNAUTHORIZED");

    // A damaged file holds no session.
    std::fs::write(&file, "{").unwrap();
    sandbox.run(&words).success();
    assert_eq!((signed_in_as(&sandbox).as_str(), files(&sandbox).len()), ("ada@example.com", 1));
}

#[test]
fn own_session_that_others_may_know_is_not_said_to_have_ended() {
    use std::os::unix::fs::PermissionsExt as _;
    let (sandbox, _) = root_signed_in();
    for (stop, answer) in [
        ("users impersonate --stop", "error: the session was ended, but the session file"),
        ("signout --local", "error: your own session was stored again, but the session file"),
    ] {
        sandbox.sign_in("root@example.com").success();
        sandbox.run(IMPERSONATE).success();
        let (_, kept) = stored_and_kept(&sandbox);
        std::fs::set_permissions(kept, std::fs::Permissions::from_mode(0o644)).unwrap();
        let who = sandbox.run("whoami").stderr;
        assert!(who.starts_with("note: your own session is kept aside and cannot be read: the session file"), "{who}");
        let said = sandbox.run(stop).failure(4);
        assert!(said.starts_with(answer), "{said}");
        assert!(said.trim_end().ends_with("\nhint: the file holds your own session again"), "{said}");
        assert_eq!(sandbox.number("SELECT count(*) FROM session WHERE impersonatedBy IS NULL"), 1);
    }
}

#[test]
fn missing_database_leaves_neither_session_behind() {
    let (sandbox, _) = root_signed_in();
    sandbox.run(IMPERSONATE).success();
    std::fs::remove_file(sandbox.database()).unwrap();
    sandbox.run("signout").success();
    assert_eq!(files(&sandbox), [""; 0]);
}

#[test]
fn a_printed_token_leaves_the_own_session_alone() {
    let sandbox = Sandbox::with_ada();
    sandbox.sign_up("bob@example.com", "Bob").success();
    let ran = sandbox.run(&format!("{IMPERSONATE} --print-token --for 1m"));
    assert_snapshot!(ran.stderr.replace(sandbox.home().canonicalize().unwrap().to_str().unwrap(), "[HOME]"), @"acting as Ada <ada@example.com> in [HOME]/.local/share/authctl/auth.db; the session ends in 1 minute");
    let token = ran.success().trim_end().to_owned();
    assert_eq!(
        sandbox.run_with_variable("whoami --json", "AUTHCTL_TOKEN", &token).json()["user"]["email"],
        "ada@example.com"
    );
    assert_eq!(sandbox.run("whoami --json").json()["user"]["email"], "bob@example.com");
    let before = sessions(&sandbox);
    sandbox.run_with_variable("signout", "AUTHCTL_TOKEN", &token).success();
    assert_eq!(sessions(&sandbox), before - 1);
    let json = sandbox.run(&format!("{IMPERSONATE} --print-token --json")).json();
    sandbox.run_with_variable("whoami --check", "AUTHCTL_TOKEN", json["token"].as_str().unwrap()).success();
}

#[test]
fn session_ends_when_its_token_cannot_be_printed() {
    let sandbox = Sandbox::with_ada_signed_out();
    let to = |path: &str| {
        let output = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        let words = format!("{IMPERSONATE} --print-token");
        let mut command = sandbox.command(words.split(' '));
        sandbox.ran(
            &command.stdout(output).stderr(std::process::Stdio::piped()).spawn().unwrap().wait_with_output().unwrap(),
        )
    };
    let _ = to("/dev/null").failure(2);
    assert_eq!(sandbox.newest_entry()["event"], "session.ended", "none had begun");
    let _ = to("/dev/full").failure(74);
    assert_eq!(sessions(&sandbox), 0);
    assert_eq!(sandbox.newest_entry()["event"], "session.ended");
}

#[test]
fn administrator_needs_force_and_banned_user_is_refused() {
    let sandbox = Sandbox::with_ada_signed_out();
    sandbox.run("users set-role ada@example.com editor,admin").success();
    assert_snapshot!(sandbox.run(IMPERSONATE), @"
    ------- stderr -------
    error: could not act as the user: this user is an administrator
    hint: pass --force if that is what you want
    [exit status: 5]
    ");
    assert_eq!(sandbox.run(&format!("{IMPERSONATE} --json")).json_error(5)["code"], "YOU_CANNOT_IMPERSONATE_ADMINS");
    sandbox.run(&format!("{IMPERSONATE} --force")).success();
    sandbox.run("whoami --check").success();
    sandbox.run("users ban ada@example.com --for 7d --reason spam --force-last-admin").success();
    let _ = sandbox.run("whoami").failure(4);
    assert_snapshot!(sandbox.run(&format!("{IMPERSONATE} --force")), @"
    ------- stderr -------
    error: could not act as the user: this user is banned
    hint: banned until [TIME]: spam
    [exit status: 5]
    ");
    assert_eq!(sessions(&sandbox), 0);
}

#[test]
fn acts_of_the_user_only_are_refused() {
    let sandbox = Sandbox::with_ada_signed_out();
    sandbox.run(IMPERSONATE).success();
    assert_snapshot!(sandbox.run("account delete --yes"), @"
    ------- stderr -------
    error: could not delete the account: you are acting as ada@example.com; only the user can do this
    hint: to act as yourself again: `authctl users impersonate --stop`
    [exit status: 5]
    ");
    let id = sandbox.run("whoami --json").json()["session"]["id"].as_str().unwrap().to_owned();
    let state = || {
        let sql = "SELECT group_concat(name || email || emailVerified || updatedAt) ||
            (SELECT group_concat(id) FROM session) || (SELECT group_concat(password) FROM account) ||
            (SELECT count(*) FROM verification) FROM user";
        sandbox.sql().query_row(sql, [], |row| row.get::<_, String>(0)).unwrap()
    };
    let before = state();
    let revoke = format!("sessions revoke {id}");
    for words in [
        "account delete --yes",
        "account update --name Eve",
        "account update --image https://example.com/a.png",
        "password change --password-stdin",
        "passwd --password-stdin",
        "email change eve@example.com",
        "email verify --code-stdin",
        &revoke,
        "sessions revoke --others",
        "sessions revoke --all",
        "sessions revoke --all --dry-run",
        "sessions revoke --idle 1s",
        "sessions revoke --older-than 1s --except-current",
        "signout --all",
        "guard --fresh -- true",
    ] {
        let input = format!("{PASSWORD}\nnine purple umbrellas sing\n");
        let error =
            sandbox.run_with_input(&format!("{words} --json").replace("-- true --json", "--json -- true"), input);
        assert_eq!(error.json_error(5)["code"], "SESSION_NOT_FRESH", "{words}");
        assert_eq!(state(), before, "{words}");
    }
    for words in ["whoami", "sessions", "guard -- true"] {
        sandbox.run(words).success();
    }
}

#[test]
fn new_password_of_the_user_ends_the_session() {
    let sandbox = Sandbox::with_ada_signed_out();
    sandbox.run(IMPERSONATE).success();
    sandbox.run_with_input("users set-password ada@example.com --password-stdin", PASSWORD).success();
    let _ = sandbox.run("whoami").failure(4);
}

#[test]
fn duration_is_bounded_and_use_does_not_extend_it() {
    let sandbox = Sandbox::with_ada_signed_out();
    for length in ["59s", "0", "25h", "never", "-1h"] {
        let _ = sandbox.run_words(&["users", "impersonate", "ada@example.com", &format!("--for={length}")]).failure(2);
    }
    assert_eq!(sessions(&sandbox), 0);
    sandbox.run(&format!("{IMPERSONATE} --for 24h")).success();
    // Old enough that any other session would be extended, with a full lifetime left.
    sandbox.execute(
        "UPDATE session SET createdAt = createdAt - 172800, updatedAt = updatedAt - 172800, expiresAt = expiresAt + 604800",
    );
    let end = || sandbox.number("SELECT expiresAt FROM session");
    let before = end();
    sandbox.run("whoami").success();
    assert_eq!(end(), before);
    sandbox.execute("UPDATE session SET impersonatedBy = NULL");
    sandbox.run("whoami").success();
    assert_ne!(end(), before, "any other moves");
}
