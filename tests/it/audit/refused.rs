//! `audit`: an act that changes nothing leaves no entry, and an act whose entry cannot be written is not
//! done.

use rusqlite::types::Value as Cell;

use crate::audit::{TWO_PASSWORDS, entries};
use crate::sandbox::{PASSWORD, Sandbox};

#[test]
fn act_without_effect_leaves_no_entry() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("users create bob@example.com --name Bob --no-password").success();
    let before = entries(&sandbox);
    for words in [
        "whoami",
        "sessions",
        "sessions list --all-users",
        "sessions revoke --all --dry-run",
        "sessions revoke --all-users --all --dry-run",
        "sessions revoke --others",
        "sessions revoke --user bob@example.com",
        "sessions prune",
        "sessions prune --dry-run",
        "users list",
        "users show ada@example.com",
        "users exists ada@example.com",
        "users delete unknown@example.com --yes --if-exists",
        "policy show",
        "db status",
        "db migrate",
        "audit list",
        "audit verify",
        "guard -- true",
    ] {
        let ran = sandbox.run(words);
        assert_eq!(ran.code, 0, "{words}: {ran}");
    }
    for (words, code) in [
        ("signup ada@example.com --name Ada --password-file pw", 6),
        ("signup eve@example.com --name Eve --password-file weak", 2),
        ("users create ada@example.com --name Ada --no-password", 6),
        ("users update ada@example.com --email bob@example.com", 6),
        ("users delete unknown@example.com --yes", 3),
        ("users delete ada@example.com", 2),
        ("users ban unknown@example.com", 3),
        ("users set-role ada@example.com no!", 2),
        ("users set-password ada@example.com --password-file weak", 2),
        ("sessions revoke unknown", 3),
        ("sessions revoke --all-users unknown", 3),
        ("policy set session.lifetime soon", 2),
        ("guard --role admin -- true", 5),
        ("account delete", 2),
    ] {
        sandbox.file("pw", PASSWORD);
        sandbox.file("weak", "password");
        let ran = sandbox.run(words);
        assert_eq!(ran.code, code, "{words}: {ran}");
    }
    assert_eq!(entries(&sandbox), before);
}

/// All values of the tables as text.
fn dump(sandbox: &Sandbox) -> Vec<String> {
    let sql = sandbox.sql();
    let mut cells = Vec::new();
    for table in ["user", "account", "session", "authctl_policy"] {
        let mut statement = sql.prepare(&format!(r#"SELECT * FROM "{table}" ORDER BY 1"#)).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            cells.extend((0..columns).map(|column| format!("{table}: {:?}", row.get::<_, Cell>(column).unwrap())));
        }
    }
    cells
}

#[test]
fn an_act_whose_entry_cannot_be_written_is_not_done() {
    let sandbox = Sandbox::with_ada();
    for (name, content) in [("pw", PASSWORD), ("two", TWO_PASSWORDS)] {
        sandbox.file(name, content);
    }
    sandbox.run("users create bob@example.com --name Bob --no-password --role editor").success();
    sandbox.execute("UPDATE session SET updatedAt = updatedAt - 90000, expiresAt = expiresAt - 90000");
    // No entry can follow the largest number.
    let full = "INSERT INTO authctl_audit (seq, form, at, event, osUser, host, hash)
        VALUES (9223372036854775807, 2, 0, 'x', 'x', 'x', 'x')";
    sandbox.execute(full);
    let file = sandbox.session_file();
    let state = || (dump(&sandbox), std::fs::read(&file).unwrap());
    let before = state();
    let acts = [
        "whoami",
        "account update --name Countess",
        "signup eve@example.com --name Eve --password-file pw",
        "signin ada@example.com --password-file pw",
        "users create eve@example.com --name Eve --no-password",
        "users update bob@example.com --name Rob",
        "users set-password bob@example.com --password-file pw",
        "users set-role bob@example.com admin",
        "users verify-email bob@example.com",
        "users ban bob@example.com",
        "users delete bob@example.com --yes",
        "sessions revoke --user ada@example.com",
        "policy set session.lifetime 30d",
        "signout",
    ];
    let unchanged = |words: &str| {
        let ran = sandbox.run(words);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{words}: {ran}");
        assert!(
            ran.stderr.contains("the audit log is damaged: no entry can follow entry 9223372036854775807"),
            "{ran}"
        );
        assert_eq!(state(), before, "{words}");
    };
    acts.into_iter().for_each(unchanged);
    sandbox.execute("DELETE FROM authctl_audit WHERE seq = 9223372036854775807");
    sandbox.run("whoami").success();
    let before = state();
    sandbox.execute(full);
    for words in ["account delete --yes", "password change --password-file two", "sessions revoke --all"] {
        let ran = sandbox.run(words);
        assert_eq!(ran.code, 1, "{words}: {ran}");
        assert_eq!(state(), before, "{words}");
    }
    sandbox.execute("DROP TABLE authctl_audit");
    let ran = sandbox.run("users ban bob@example.com");
    assert_ne!(ran.code, 0, "{ran}");
    assert_eq!(dump(&sandbox), before.0);
}
