//! Databases whose tables store ids in different ways: each id is read, and written as its table stores it.

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::sandbox::{PASSWORD, Ran, Sandbox};

/// An app's database without rows. The arguments are the columns `id` of users and of the other tables, and the type of
/// a reference to a user.
struct Shape(Sandbox);

impl Shape {
    fn new(user: &str, other: &str, reference: &str) -> Self {
        let shape = Self(Sandbox::new());
        shape.edit(&format!(
            "CREATE TABLE user (id {user}, name text NOT NULL, email text NOT NULL UNIQUE, emailVerified integer NOT NULL, image text,
               createdAt date NOT NULL, updatedAt date NOT NULL, role text, banned integer, banReason text, banExpires date);
             CREATE TABLE account (id {other}, accountId text NOT NULL, providerId text NOT NULL,
               userId {reference} NOT NULL REFERENCES user (id) ON DELETE CASCADE, accessToken text, refreshToken text, idToken text,
               accessTokenExpiresAt date, refreshTokenExpiresAt date, scope text, password text, createdAt date NOT NULL, updatedAt date NOT NULL);
             CREATE TABLE session (id {other}, expiresAt date NOT NULL, token text NOT NULL UNIQUE, createdAt date NOT NULL,
               updatedAt date NOT NULL, ipAddress text, userAgent text, userId {reference} NOT NULL REFERENCES user (id) ON DELETE CASCADE,
               impersonatedBy text);
             CREATE TABLE verification (id {other}, identifier text NOT NULL, value text NOT NULL, expiresAt date NOT NULL,
               createdAt date NOT NULL, updatedAt date NOT NULL);"
        ));
        shape
    }

    fn edit(&self, sql: &str) {
        Connection::open(self.0.path("app.db")).unwrap().execute_batch(sql).unwrap();
    }

    fn run(&self, words: &str) -> Ran {
        let mut command = self.0.command(words.split_whitespace());
        self.0.finish_with_input(command.env("AUTHCTL_DB", self.0.path("app.db")), PASSWORD)
    }

    /// The distinct types and lengths of the ids in a column.
    fn shapes(&self, table: &str, column: &str) -> Vec<String> {
        let sql = format!(
            "SELECT DISTINCT typeof({column}) || iif(typeof({column}) = 'integer', '', ' ' || length({column})) FROM {table} ORDER BY 1"
        );
        let connection = Connection::open(self.0.path("app.db")).unwrap();
        let mut statement = connection.prepare(&sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// Runs every kind of act on users whose ids are in the database already.
    fn assert_acts_work(&self, email: &str) {
        let id = self.run(&format!("users show {email} --json")).json()["user"]["id"].as_str().unwrap().to_owned();
        self.run(&format!("users set-password {id} --password-stdin")).success();
        let token = self.run(&format!("signin {email} --password-stdin --print-token")).success();
        let mut whoami = self.0.command(["whoami", "--json"]);
        let whoami = whoami.env("AUTHCTL_DB", self.0.path("app.db")).env("AUTHCTL_TOKEN", token.trim());
        let me = self.0.finish(whoami).json();
        assert_eq!((me["user"]["id"].as_str(), me["session"]["userId"].as_str()), (Some(&*id), Some(&*id)));
        let sessions = self.run(&format!("sessions list --user {id} --json")).json();
        let session = sessions["sessions"][0]["id"].as_str().unwrap();
        self.run(&format!("sessions revoke {session} --user {id}")).success();
        self.run(&format!("users reset-code {id}")).success();
        self.run(&format!("signin {email} --password-stdin")).success();
        self.run(&format!("users ban {id}")).success();
        self.run(&format!("users unban {id}")).success();
        assert_eq!(self.run("doctor --json").json()["healthy"], true);
        self.run("users list --limit 1 --json").success();
        self.run(&format!("users delete {id} --yes")).success();
    }
}

const BLOB: &str = "blob PRIMARY KEY NOT NULL";
const TEXT: &str = "text PRIMARY KEY NOT NULL";
const INTEGER: &str = "integer PRIMARY KEY AUTOINCREMENT";

#[test]
fn ids_are_written_as_each_table_stores_them() {
    for (user, other, reference, user_shape, other_shape) in [
        (INTEGER, TEXT, "integer", "integer", "text 32"),
        (BLOB, BLOB, "blob", "blob 16", "blob 16"),
        (TEXT, INTEGER, "text", "text 32", "integer"),
        ("uuid PRIMARY KEY NOT NULL", TEXT, "uuid", "text 36", "text 36"),
    ] {
        let shape = Shape::new(user, other, reference);
        for name in ["ada", "bob", "cy"] {
            let words =
                format!("users create {name}@example.com --name {name} --role admin --verified --password-stdin");
            shape.run(&words).success();
        }
        shape.run("signin ada@example.com --password-stdin --no-store").success();
        shape.run("users impersonate bob@example.com --print-token --force").success();
        shape.assert_acts_work("cy@example.com");
        shape.run("users reset-code bob@example.com").success();
        assert_eq!(shape.shapes("user", "id"), [user_shape], "{user}");
        assert_eq!(shape.shapes("account", "userId"), [user_shape], "{user}");
        assert_eq!(shape.shapes("session", "userId"), [user_shape], "{user}");
        for table in ["account", "session", "verification"] {
            assert_eq!(shape.shapes(table, "id"), [other_shape], "{user} {table}");
        }
        let text = shape.shapes("account", "accountId");
        assert!(text.iter().all(|shape| shape.starts_with("text")), "{user}: {text:?}");
        assert_eq!(
            shape.run("doctor --json").json()["findings"].as_array().unwrap().len(),
            1,
            "only of the file's mode"
        );
    }
}

#[test]
fn numbers_of_the_app_are_read_and_get_no_new_row() {
    let shape = Shape::new("bigint PRIMARY KEY NOT NULL", TEXT, "bigint");
    shape.edit(
        "INSERT INTO user VALUES (7001, 'Ann', 'ann@example.com', 1, NULL, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', 'admin', 0, NULL, NULL),
           (7002, 'Bob', 'bob@example.com', 1, NULL, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', 'admin', 0, NULL, NULL);",
    );
    let refused = shape.run("users create new@example.com --name New --password-stdin");
    let error = refused.failure(9);
    assert!(error.contains("the app chooses the numbers in user.id"), "{error}");
    shape.assert_acts_work("ann@example.com");
    let row: Value = Connection::open(shape.0.path("app.db"))
        .unwrap()
        .query_row("SELECT id FROM user", [], |row| row.get(0))
        .unwrap();
    assert_eq!(row, Value::Integer(7002));
}

#[test]
fn id_of_an_odd_type_is_shown_and_found() {
    let shape = Shape::new("text PRIMARY KEY", TEXT, "text");
    for name in ["ann", "bob"] {
        shape.run(&format!("users create {name}@example.com --name {name} --role admin --password-stdin")).success();
    }
    shape.edit(
        "INSERT INTO user SELECT x'00ff', 'Odd', 'odd@example.com', 1, NULL, createdAt, updatedAt, 'admin', 0, NULL, NULL FROM user WHERE name = 'ann';
         INSERT INTO user SELECT NULL, 'None', 'none@example.com', 1, NULL, createdAt, updatedAt, NULL, 0, NULL, NULL FROM user WHERE name = 'ann';",
    );
    assert_eq!(shape.run("users list --json").json()["users"].as_array().unwrap().len(), 4);
    assert_eq!(shape.run("users show odd@example.com --json").json()["user"]["id"], "blob:00FF");
    shape.run("users set-password blob:00FF --password-stdin").success();
    shape.run("signin odd@example.com --password-stdin").success();
    shape.run("users ban blob:00FF").success();
    shape.run("users delete blob:00FF --yes").success();
    shape.run("users show none@example.com").success();
    shape.run("users ban none@example.com").failure(9);
}
