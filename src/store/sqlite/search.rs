//! The index of names and addresses for searches: FTS5 with the tokenizer `trigram`.

use rusqlite::Connection;

use super::connect::with_large_rows;
use super::engine::SqliteTx;
use super::error::SqliteResult as _;
use crate::auth::storage::StoreError;
use crate::store::engine::SearchIndex;
use crate::store::mapping::identifier;
use crate::store::sql::search;

/// The name of the index.
pub(super) const TABLE: &str = "authctl_search";
/// The first schema version with the index.
pub(super) const SINCE: u32 = 10;

/// Makes the index of all users anew, after writes that ran no triggers.
pub const FILL_SEARCH: &str = r#"INSERT INTO "authctl_search" ("authctl_search") VALUES ('delete-all');
    INSERT INTO "authctl_search" ("authctl_search", "rank") VALUES ('secure-delete', 1);
    INSERT INTO "authctl_search" ("rowid", "email", "name")
    SELECT "rowid", "email", "name" FROM "user""#;

pub(super) const INDEX: SearchIndex = SearchIndex {
    add: r#"INSERT INTO "authctl_search" ("rowid", "email", "name")
        SELECT "rowid", "email", "name" FROM "user" WHERE "id" = ?1"#,
    // The index takes users in the order of their places at the least cost.
    add_since: r#"INSERT INTO "authctl_search" ("rowid", "email", "name")
        SELECT "rowid", "email", "name" FROM "user" WHERE "rowid" > ?1 ORDER BY "rowid""#,
    last_place: r#"SELECT "rowid" FROM "user" ORDER BY "rowid" DESC LIMIT 1"#,
    fill: r#"INSERT INTO "authctl_search" ("rowid", "email", "name") SELECT "rowid", "email", "name" FROM "user""#,
    remove: r#"INSERT INTO "authctl_search" ("authctl_search", "rowid", "email", "name")
        SELECT 'delete', "rowid", "email", "name" FROM "user" WHERE "id" = ?1"#,
    rows: r#"SELECT "rowid" FROM "authctl_search" WHERE "authctl_search" MATCH ?"#,
    count: r#"SELECT count(*) FROM (SELECT 1 FROM "authctl_search" WHERE "authctl_search" MATCH ?1 LIMIT ?2)"#,
    ends: [
        r#"SELECT "email", "rowid" FROM "user" WHERE octet_length("email") <= 100000 ORDER BY "rowid" LIMIT 25"#,
        r#"SELECT "email", "rowid" FROM "user" WHERE octet_length("email") <= 100000 ORDER BY "rowid" DESC LIMIT 25"#,
    ],
    last: r#"SELECT "email", "rowid" FROM "user" WHERE octet_length("email") <= 100000 ORDER BY "rowid" DESC LIMIT 1"#,
    has: r#"SELECT count(*) FROM "authctl_search" WHERE "authctl_search" MATCH ?1 AND "rowid" = ?2"#,
    term,
};

/// Removes the index, also if another program has dropped a table behind it: SQLite cannot open it then, nor drop it.
pub(super) fn remove(connection: &Connection, tables_behind: &[String]) -> rusqlite::Result<()> {
    for table in tables_behind {
        connection.execute_batch(&format!("DROP TABLE IF EXISTS {}", identifier(table)))?;
    }
    connection.execute_batch("PRAGMA writable_schema = ON")?;
    connection.execute("DELETE FROM main.sqlite_schema WHERE name = ?1", [TABLE])?;
    connection.execute_batch("PRAGMA writable_schema = RESET")
}

/// Whether a line of SQLite's check is about the index. It has nothing that is not in the table of users.
pub(super) fn is_about(line: &str) -> bool {
    line.contains("FTS5") && line.contains(TABLE)
}

/// Whether the index does not fit the users: another program turned its triggers off, or made their table anew.
pub(super) fn is_stale(connection: &Connection) -> Result<bool, StoreError> {
    let check = format!("PRAGMA quick_check({})", identifier(TABLE));
    let problem: String = connection.query_row(&check, [], |row| row.get(0)).engine()?;
    if problem != "ok" {
        return Ok(true);
    }
    search::lacks_users(&mut SqliteTx::new(connection), &INDEX, &INDEX.ends)
}

/// Makes the index of all users anew.
pub(in crate::store) fn fill(connection: &Connection) -> Result<(), StoreError> {
    with_large_rows(connection, |connection| connection.execute_batch(FILL_SEARCH).engine())
}

/// The most parts of a search that are looked up. More would hardly exclude another user, and each one costs a pass
/// over all who have it.
const PARTS_MAX: usize = 16;

/// The expression that finds all rows with every three characters of a text; `None` for a shorter one. FTS5 ignores
/// the case of all letters, so that it finds whatever `LIKE` finds. An expression ends at a NUL.
fn term(text: &str) -> Option<String> {
    if text.contains('\0') {
        return None;
    }
    let text: Vec<char> = text.chars().collect();
    let parts: Vec<String> = text
        .windows(3)
        .take(PARTS_MAX)
        .map(|part| format!("\"{}\"", part.iter().collect::<String>().replace('"', "\"\"")))
        .collect();
    (!parts.is_empty()).then(|| parts.join(" AND "))
}

#[cfg(test)]
mod tests {
    use rusqlite::config::DbConfig;

    use super::*;
    use crate::auth::storage::{Differs, SchemaDifference};
    use crate::store::sqlite::migrate::{self, LATEST};
    use crate::store::sqlite::{integrity, repair::Pattern};

    fn database(is_of_others: bool) -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate::run(&mut connection).unwrap();
        connection.execute_batch("DROP TRIGGER authctl_only_user").unwrap();
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, is_of_others).unwrap();
        connection
    }

    fn insert(connection: &Connection, id: &str, email: &str, name: &str) {
        let sql = r#"INSERT INTO "user" ("id", "email", "name", "emailVerified", "createdAt", "updatedAt")
                     VALUES (?1, ?2, ?3, 0, 1, 1)"#;
        connection.execute(sql, [id, email, name]).unwrap();
        connection.execute(INDEX.add, [id]).unwrap();
    }

    /// The number of users whom the index finds.
    fn found(connection: &Connection, text: &str) -> u32 {
        let mut rows = connection.prepare(INDEX.count).unwrap();
        rows.query_row((term(text).unwrap(), 99_999), |row| row.get(0)).unwrap()
    }

    #[test]
    fn term_has_every_three_characters_up_to_the_most() {
        assert_eq!(term("ab"), None);
        assert_eq!(term("abc\0"), None);
        assert_eq!(term("héllo").unwrap(), r#""hél" AND "éll" AND "llo""#);
        assert_eq!(term("a\"b").unwrap(), r#""a""b""#);
        assert_eq!(term(&"x".repeat(100)).unwrap().matches("AND").count(), PARTS_MAX - 1);
    }

    #[test]
    fn index_finds_whatever_a_pattern_finds() {
        let connection = database(false);
        let texts = [
            "Ada",
            "aDA king",
            "ÄDA",
            "ädaß",
            "İstanbul",
            "ſtraße",
            "K kelvin",
            "日本語です",
            "a\"b'c",
            "100%_\\x",
            "e\u{301}tudes",
            "AND OR NOT",
            "NEAR(a b)",
            "😀😀😀😀",
            "tab\tand\nline",
            "*\"*",
            "^abc:def",
            "\u{202e}evil",
            "ﬃxﬁ",
            "ΣΊΣΥΦΟΣ σίσυφος",
        ];
        for (number, text) in texts.iter().enumerate() {
            insert(&connection, &number.to_string(), &format!("{number}@x.org"), text);
        }
        let like = r#"SELECT count(*) FROM "user" WHERE "name" LIKE '%' || ?1 || '%'
            AND "rowid" NOT IN (SELECT "rowid" FROM "authctl_search" WHERE "authctl_search" MATCH ?2)"#;
        let mut like = connection.prepare(like).unwrap();
        let mut looked_up = 0;
        for text in texts.iter().flat_map(|text| [(*text).to_owned(), text.to_uppercase(), text.to_lowercase()]) {
            let characters: Vec<char> = text.chars().filter(|c| !matches!(c, '%' | '_')).collect();
            for part in (3..=characters.len()).flat_map(|length| characters.windows(length)) {
                let part: String = part.iter().collect();
                let missed: u32 = like.query_row([&part, &term(&part).unwrap()], |row| row.get(0)).unwrap();
                assert_eq!(missed, 0, "{part:?}");
                looked_up += 1;
            }
        }
        assert!(looked_up > 1000, "{looked_up}");
    }

    #[test]
    fn changes_of_other_programs_are_in_the_index() {
        let connection = database(true);
        insert(&connection, "a", "ada@example.com", "Ada");
        connection.execute(r#"UPDATE "user" SET "name" = 'Grace'"#, []).unwrap();
        assert_eq!([found(&connection, "Ada"), found(&connection, "Grace")], [1, 1], "the address has it too");
        connection.execute(r#"UPDATE "user" SET "email" = 'grace@example.com'"#, []).unwrap();
        assert_eq!([found(&connection, "Ada"), found(&connection, "grace@")], [0, 1]);
        // Of any length.
        insert(&connection, "b", "bob@example.com", &"long ".repeat(30_000));
        connection.execute(r#"UPDATE "user" SET "name" = 'Bob' WHERE "id" = 'b'"#, []).unwrap();
        assert_eq!([found(&connection, "long"), found(&connection, "bob@")], [0, 1]);
        connection.execute(r#"DELETE FROM "user""#, []).unwrap();
        assert_eq!(found(&connection, "Grace"), 0);
        assert!(!is_stale(&connection).unwrap());
    }

    #[test]
    fn index_that_lacks_users_is_made_anew() {
        let mut connection = database(false);
        insert(&connection, "a", "ada@example.com", "Ada");
        assert!(!is_stale(&connection).unwrap());
        connection.execute(r#"UPDATE "user" SET "rowid" = 7"#, []).unwrap();
        assert!(is_stale(&connection).unwrap());
        let stale = SchemaDifference { object: format!("table {TABLE}"), how: Differs::Stale };
        assert!(integrity::differences(&connection, LATEST).unwrap().contains(&stale));
        let made = Pattern::of(LATEST).unwrap().complete(&mut connection).unwrap();
        assert!(made.contains(&stale.object), "{made:?}");
        assert!(!is_stale(&connection).unwrap());
        assert_eq!(found(&connection, "example"), 1);
    }

    #[test]
    fn what_is_deleted_leaves_nothing_behind() {
        let mut connection = database(false);
        connection.execute_batch("PRAGMA secure_delete = ON").unwrap();
        for number in 0..500 {
            insert(&connection, &format!("n{number}"), &format!("user{number}@example.com"), "Žofie Šimková");
        }
        insert(&connection, "secret", "secret@example.com", "ĦĶĴ");
        // A term has no bytes that it shares with the one before it.
        let has_it = |connection: &mut Connection| {
            let bytes = connection.serialize("main").unwrap();
            bytes.windows(4).any(|window| window == "ķĵ".as_bytes())
        };
        assert!(has_it(&mut connection));
        connection.execute(INDEX.remove, ["secret"]).unwrap();
        connection.execute(r#"DELETE FROM "user" WHERE "id" = 'secret'"#, []).unwrap();
        assert!(!has_it(&mut connection));
        assert_eq!(found(&connection, "Žofie"), 500);
    }
}
