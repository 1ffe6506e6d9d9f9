//! Deletions of users with rows in many tables, on SQLite.

use rusqlite::Connection;

use super::*;
use crate::auth::storage::TableRows;
use crate::store::mapping::NATIVE;
use crate::store::sql::steps::{make_way, reach};
use crate::store::sqlite::engine::SqliteTx;

/// Tables of an app and its plugins, with a foreign key where `KEY` is.
const TABLES: &str = "
    CREATE TABLE user (id TEXT PRIMARY KEY);
    CREATE TABLE account (id TEXT PRIMARY KEY, userId TEXT KEY(user.id));
    CREATE TABLE session (id TEXT PRIMARY KEY, userId TEXT KEY(user.id), impersonatedBy TEXT);
    CREATE TABLE organization (id TEXT PRIMARY KEY, name TEXT, slug TEXT);
    CREATE TABLE member (id TEXT PRIMARY KEY, organizationId TEXT KEY(organization.id), userId TEXT KEY(user.id), role TEXT);
    CREATE TABLE team (id TEXT PRIMARY KEY, name TEXT, memberCount INTEGER, organizationId TEXT KEY(organization.id));
    CREATE TABLE teamMember (id TEXT PRIMARY KEY, teamId TEXT KEY(team.id), userId TEXT KEY(user.id));
    CREATE TABLE apikey (id TEXT PRIMARY KEY, key TEXT, referenceId TEXT, configId TEXT);
    CREATE TABLE oauthClient (id TEXT PRIMARY KEY, clientId TEXT UNIQUE, redirectUris TEXT, userId TEXT KEY(user.id));
    CREATE TABLE oauthRefreshToken (id TEXT PRIMARY KEY, clientId TEXT KEY(oauthClient.clientId),
      sessionId TEXT KEY(session.id), userId TEXT KEY(user.id));
    CREATE TABLE oauthAccessToken (id TEXT PRIMARY KEY, clientId TEXT KEY(oauthClient.clientId),
      sessionId TEXT KEY(session.id), userId TEXT KEY(user.id), refreshId TEXT KEY(oauthRefreshToken.id));
    INSERT INTO user VALUES ('ada'), ('bob');
    INSERT INTO account VALUES ('a', 'ada'), ('b', 'bob');
    INSERT INTO session VALUES ('as', 'ada', NULL), ('bs', 'bob', NULL), ('ab', 'ada', 'bob');
    INSERT INTO organization VALUES ('o', 'O', 'o'), ('bob', 'Bob', 'b');
    INSERT INTO member VALUES ('am', 'o', 'ada', 'owner'), ('bm', 'o', 'bob', 'member');
    INSERT INTO team VALUES ('t', 'T', 2, 'o');
    INSERT INTO teamMember VALUES ('at', 't', 'ada'), ('bt', 't', 'bob');
    INSERT INTO apikey VALUES ('ak', '1', 'ada', NULL), ('bk', '2', 'bob', NULL);
    INSERT INTO oauthClient VALUES ('bc', 'bc', '', 'bob');
    INSERT INTO oauthRefreshToken VALUES ('ar', 'bc', 'as', 'ada'), ('br', 'bc', 'bs', 'bob');
    INSERT INTO oauthAccessToken VALUES ('at', 'bc', 'as', 'ada', 'ar'), ('bt', 'bc', 'bs', 'bob', 'br');";

/// The three shapes in which apps have foreign keys.
pub(in crate::store::sql) const SHAPES: [&str; 3] = ["REFERENCES $1 ($2) ON DELETE CASCADE", "REFERENCES $1 ($2)", ""];

pub(in crate::store::sql) fn database(shape: &str, more: &str) -> Connection {
    let mut sql = String::new();
    let mut parts = TABLES.split("KEY(");
    sql.push_str(parts.next().unwrap());
    for part in parts {
        let (named, rest) = part.split_once(')').unwrap();
        let (table, column) = named.split_once('.').unwrap();
        sql.push_str(&shape.replace("$1", table).replace("$2", column));
        sql.push_str(rest);
    }
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(&format!("PRAGMA foreign_keys = ON; {sql} {more}")).unwrap();
    connection
}

pub(in crate::store::sql) fn delete(connection: &Connection, user: &str) -> Result<Vec<TableRows>, StoreError> {
    let mut tx = SqliteTx::new(connection);
    let inventory = Inventory::read(&mut tx, &NATIVE)?;
    let steps = inventory.steps_for_row(&NATIVE, "user")?;
    let reached = reach(&mut tx, &steps, &[user.into()])?;
    make_way(&mut tx, &inventory, &steps, &[user.into()])?;
    tx.change("DELETE FROM user WHERE id = ?1", &[user.into()])?;
    Ok(reached)
}

/// The columns that keep a user, each with the number of its rows.
pub(in crate::store::sql) fn holders(connection: &Connection, user: &str) -> Vec<(String, u64)> {
    let Err(StoreError::Held(holders)) = delete(connection, user) else { panic!("nothing keeps {user}") };
    holders.into_iter().map(|holder| (format!("{}.{}", holder.table, holder.column), holder.rows)).collect()
}

pub(in crate::store::sql) fn ids(connection: &Connection, table: &str) -> String {
    let sql = format!("SELECT coalesce(group_concat(id, ' '), '') FROM {table}");
    connection.query_row(&sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn deletion_leaves_nothing_of_a_user_in_any_shape() {
    for shape in SHAPES {
        let db = database(shape, "DELETE FROM organization WHERE id = 'bob'");
        let reached = delete(&db, "bob").unwrap();
        let tables = ["account", "session", "member", "teamMember", "apikey", "oauthClient", "team", "organization"];
        let left = tables.map(|table| ids(&db, table)).join(", ");
        assert_eq!(left, "a, as, am, at, ak, , t, o", "{shape}");
        // The client was bob's, and with it go the tokens of all its users.
        assert_eq!(ids(&db, "oauthAccessToken") + &ids(&db, "oauthRefreshToken"), "", "{shape}");
        let members: u32 = db.query_row("SELECT memberCount FROM team", [], |row| row.get(0)).unwrap();
        assert_eq!(members, 1, "{shape}");
        let told = reached.iter().find(|rows| rows.table == "oauthAccessToken").unwrap();
        assert_eq!((told.deleted, told.cleared), (2, 0), "{shape}");
    }
}

/// The key `bk` names a user and an organization; the other keys of its configuration show whose it is.
#[test]
fn key_of_an_organization_is_not_one_of_a_user() {
    for (keys, left) in [
        ("", "ak"),
        ("UPDATE apikey SET configId = 'default'", "ak"),
        ("UPDATE apikey SET configId = 'x'", "ak"),
        ("UPDATE apikey SET configId = 'x' WHERE id = 'bk'", "ak bk"),
        ("UPDATE apikey SET referenceId = 'o' WHERE id = 'ak'", "ak bk"),
        ("UPDATE apikey SET configId = 'x'; INSERT INTO apikey VALUES ('ok', '3', 'o', 'x')", "ak bk ok"),
        ("INSERT INTO apikey VALUES ('ok', '3', 'o', 'x')", "ak ok"),
        ("INSERT INTO apikey VALUES ('gone', '3', 'missing', 'x'); UPDATE apikey SET configId = 'x'", "ak gone"),
    ] {
        let db = database(SHAPES[1], keys);
        delete(&db, "bob").unwrap();
        assert_eq!(ids(&db, "apikey"), left, "{keys}");
    }
}

#[test]
fn row_of_the_app_keeps_the_user_and_is_counted() {
    let posts = "CREATE TABLE post (id INTEGER PRIMARY KEY, author REFERENCES user (id));
                 INSERT INTO post VALUES (1, 'bob'), (2, 'bob'), (3, 'ada');";
    let db = database(SHAPES[0], posts);
    assert_eq!(holders(&db, "bob"), [("post.author".to_owned(), 2)]);
    assert_eq!(ids(&db, "member"), "am bm");
}

#[test]
fn rows_that_a_cascade_reaches_keep_and_count() {
    let posts = "CREATE TABLE post (id INTEGER PRIMARY KEY, author REFERENCES user ON DELETE CASCADE);
                 CREATE TABLE comment (id INTEGER PRIMARY KEY, post REFERENCES post, by REFERENCES user ON DELETE SET NULL);
                 INSERT INTO post VALUES (1, 'bob'), (2, 'ada'); INSERT INTO comment VALUES (1, 2, 'bob');";
    let db = database(SHAPES[2], posts);
    let reached = delete(&db, "bob").unwrap();
    let of = |table: &str| of(&reached, table);
    assert_eq!((of("post"), of("comment")), (Some((1, 0)), Some((0, 1))));
    assert_eq!(of("oauthAccessToken"), Some((2, 0)), "a row that goes is not counted twice");
    let db = database(SHAPES[2], &posts.replace("(1, 2, 'bob')", "(1, 1, 'ada')"));
    let Err(StoreError::Held(holders)) = delete(&db, "bob") else { panic!("nothing keeps the post") };
    assert_eq!((holders[0].table.as_str(), holders[0].column.as_str()), ("comment", "post"));
}

/// SQLite looks at keys without an action at the end of the statement, and so do we.
#[test]
fn rows_that_go_in_the_same_statement_keep_nothing() {
    let comments = "CREATE TABLE comment (id INTEGER PRIMARY KEY, author REFERENCES user ON DELETE CASCADE,
                      parent REFERENCES comment);
                    INSERT INTO comment VALUES (1, 'bob', NULL), (2, 'bob', 1), (3, 'ada', NULL);";
    let likes = "CREATE TABLE post (id INTEGER PRIMARY KEY, author REFERENCES user ON DELETE CASCADE);
                 CREATE TABLE liking (id INTEGER PRIMARY KEY, author REFERENCES user ON DELETE CASCADE, post REFERENCES post);
                 INSERT INTO post VALUES (1, 'bob'); INSERT INTO liking VALUES (1, 'bob', 1);";
    for (tables, left) in [(comments, "SELECT id FROM comment"), (likes, "SELECT 3 + count(*) FROM liking")] {
        let db = database(SHAPES[0], tables);
        delete(&db, "bob").unwrap();
        assert_eq!(db.query_row(left, [], |row| row.get(0)), Ok(3), "{tables}");
    }
    for (tables, held) in [
        (comments.replace("(3, 'ada', NULL)", "(3, 'ada', 1)"), "comment"),
        (comments.replace("(3, 'ada', NULL)", "(3, NULL, 1)"), "comment"),
        (comments.replace("REFERENCES comment", "REFERENCES comment ON DELETE RESTRICT"), "comment"),
        (likes.replace("(1, 'bob', 1)", "(1, 'ada', 1)"), "liking"),
    ] {
        let db = database(SHAPES[0], &tables);
        let Err(StoreError::Held(holders)) = delete(&db, "bob") else { panic!("{tables}") };
        assert_eq!((holders[0].table.as_str(), holders[0].rows), (held, 1), "{tables}");
        assert!(db.execute("DELETE FROM user WHERE id = 'bob'", []).is_err(), "SQLite refuses too: {tables}");
    }
}

#[test]
fn end_of_a_session_clears_it_from_tokens() {
    for shape in SHAPES {
        let db = database(shape, "");
        let mut tx = SqliteTx::new(&db);
        let inventory = Inventory::read(&mut tx, &NATIVE).unwrap();
        let steps = inventory.steps_for_row(&NATIVE, "session").unwrap();
        make_way(&mut tx, &inventory, &steps, &["as".into()]).unwrap();
        tx.change("DELETE FROM session WHERE id = 'as'", &[]).unwrap();
        let sql = "SELECT group_concat(id || coalesce(sessionId, '-'), ' ') FROM oauthAccessToken";
        let tokens: String = db.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(tokens, "at- btbs", "{shape}");
    }
}

/// Tables that all refer to each other and to users.
fn circle(tables: u32) -> String {
    let table = |own| {
        let others = (0..tables).filter(|other| *other != own);
        let keys = others.map(|other| format!("c{other} REFERENCES circle{other} (id) ON DELETE CASCADE"));
        let keys = keys.collect::<Vec<_>>().join(", ");
        format!("CREATE TABLE circle{own} (id TEXT PRIMARY KEY, u REFERENCES user (id) ON DELETE CASCADE, {keys});")
    };
    (0..tables).map(table).collect()
}

pub(in crate::store::sql) fn of(reached: &[TableRows], table: &str) -> Option<(u64, u64)> {
    reached.iter().find(|rows| rows.table == table).map(|rows| (rows.deleted, rows.cleared))
}

#[test]
fn tables_in_circles_are_followed_to_the_last_row() {
    let rows = "INSERT INTO circle0 (id, u) VALUES ('a', 'bob'), ('x', 'ada'); INSERT INTO circle8 (id, c0) VALUES ('b', 'a');
                INSERT INTO circle3 (id, c8) VALUES ('c', 'b'); INSERT INTO circle0 (id, c3) VALUES ('d', 'c'), ('y', NULL);
                INSERT INTO circle8 (id, c0) VALUES ('e', 'd'), ('z', 'x'); UPDATE circle0 SET c8 = 'e' WHERE id = 'a';";
    let db = database(SHAPES[1], &(circle(9) + rows));
    let reached = delete(&db, "bob").unwrap();
    let counts = ["circle0", "circle8", "circle3", "circle1"].map(|table| of(&reached, table));
    assert_eq!(counts, [Some((2, 0)), Some((2, 0)), Some((1, 0)), None]);
    assert_eq!(ids(&db, "circle0") + &ids(&db, "circle8") + &ids(&db, "circle3"), "x yz");
}

#[test]
fn tree_is_counted_and_kept_at_any_depth() {
    let comments = "CREATE TABLE comment (id INTEGER PRIMARY KEY, author REFERENCES user ON DELETE CASCADE,
                      parent REFERENCES comment ON DELETE CASCADE);
                    CREATE TABLE attachment (id INTEGER PRIMARY KEY, c REFERENCES comment);
                    INSERT INTO comment VALUES (1, 'bob', NULL), (2, 'ada', 1), (3, 'ada', 2), (4, 'bob', 3), (5, 'ada', NULL);";
    let db = database(SHAPES[0], comments);
    assert_eq!(of(&delete(&db, "bob").unwrap(), "comment"), Some((4, 0)));
    assert_eq!(ids(&db, "comment"), "5");
    let db = database(SHAPES[0], &format!("{comments} INSERT INTO attachment VALUES (1, 3), (2, 5);"));
    assert_eq!(holders(&db, "bob"), [("attachment.c".to_owned(), 1)]);
}

/// A key in a table of Better Auth's says who made a row, as often as whose it is.
#[test]
fn key_without_action_deletes_no_row_of_another() {
    let more = "ALTER TABLE user ADD COLUMN manager TEXT REFERENCES user (id);
                ALTER TABLE organization ADD COLUMN by TEXT REFERENCES user (id) ON DELETE RESTRICT;
                ALTER TABLE member ADD COLUMN invitedBy TEXT REFERENCES user (id);
                ALTER TABLE user ADD COLUMN last TEXT REFERENCES session (id);
                ALTER TABLE account ADD COLUMN linkedIn TEXT REFERENCES session (id);
                UPDATE user SET manager = 'bob', last = 'bs'; UPDATE organization SET by = 'bob';
                UPDATE member SET invitedBy = 'bob'; UPDATE account SET linkedIn = 'bs';";
    for shape in SHAPES {
        let db = database(shape, more);
        let reached = delete(&db, "bob").unwrap();
        let left = ["user", "account", "organization", "member"].map(|table| ids(&db, table));
        assert_eq!(left, ["ada", "a", "bob o", "am"], "{shape}");
        let of = ["user", "organization", "member"].map(|table| of(&reached, table));
        assert_eq!(of, [Some((0, 1)), Some((0, 2)), Some((1, 1))], "{shape}");
    }
}

#[test]
fn key_that_must_have_a_value_keeps_the_user_unless_its_row_goes() {
    let more = |by: &str| {
        let member = "CREATE TABLE team2 (id TEXT); DROP TABLE member;
             CREATE TABLE member (id TEXT PRIMARY KEY, organizationId TEXT, userId TEXT, role TEXT,
               invitedBy TEXT NOT NULL REFERENCES user (id));
             INSERT INTO member VALUES ('am', 'o', 'ada', 'owner', 'INVITER'), ('bm', 'o', 'bob', 'member', 'bob');";
        member.replace("INVITER", by)
    };
    let db = database(SHAPES[1], &more("ada"));
    delete(&db, "bob").unwrap();
    assert_eq!(ids(&db, "member"), "am");
    let db = database(SHAPES[1], &more("bob"));
    assert_eq!(holders(&db, "bob"), [("member.invitedBy".to_owned(), 1)]);
}

#[test]
fn user_goes_with_no_other_row() {
    let more = "ALTER TABLE user ADD COLUMN parent TEXT REFERENCES user (id) ON DELETE CASCADE;
                ALTER TABLE user ADD COLUMN last TEXT REFERENCES session (id) ON DELETE CASCADE;";
    let db = database(SHAPES[0], &format!("{more} UPDATE user SET parent = 'bob';"));
    assert_eq!(holders(&db, "bob"), [("user.parent".to_owned(), 1)]);
    let db = database(SHAPES[0], &format!("{more} UPDATE user SET parent = id, last = 'bs';"));
    delete(&db, "bob").unwrap();
    assert_eq!(ids(&db, "user"), "ada");
}

#[test]
fn row_that_the_key_keeps_loses_its_reference() {
    let db = database("REFERENCES $1 ($2) ON DELETE SET NULL", "DELETE FROM session WHERE id = 'ab'");
    let reached = delete(&db, "bob").unwrap();
    assert_eq!((of(&reached, "oauthClient"), of(&reached, "member")), (Some((0, 1)), Some((0, 1))));
    let tables = ["oauthClient", "member", "session", "account", "apikey", "oauthRefreshToken"];
    // What gives access goes.
    assert_eq!(tables.map(|table| ids(&db, table)), ["bc", "am bm", "as", "a", "ak", "ar"]);
    assert_eq!(db.query_row("SELECT count(*) FROM member WHERE userId IS NULL", [], |row| row.get(0)), Ok(1));
}

/// Keys of one column of the reach have the types of several tables.
#[test]
fn keys_of_several_types_are_followed() {
    let more = "CREATE TABLE post (id INTEGER PRIMARY KEY, author TEXT REFERENCES user ON DELETE CASCADE);
                CREATE TABLE note (id TEXT PRIMARY KEY, post TEXT REFERENCES post ON DELETE CASCADE);
                CREATE TABLE mark (id BLOB PRIMARY KEY, note REFERENCES note ON DELETE CASCADE);
                INSERT INTO post VALUES (7, 'bob'), (8, 'ada'); INSERT INTO note VALUES ('007', '7'), ('7', '8');
                INSERT INTO mark VALUES (x'07', '007'), (x'08', '7');";
    let db = database(SHAPES[0], more);
    let reached = delete(&db, "bob").unwrap();
    assert_eq!(["post", "note", "mark"].map(|table| of(&reached, table)), [Some((1, 0)); 3]);
    assert_eq!(ids(&db, "note"), "7");
}
