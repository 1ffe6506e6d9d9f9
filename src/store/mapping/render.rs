//! From the names in a statement to those of a database. A statement is written once, with quoted
//! schema names; here it gets the names that the tables and columns really have.

use super::Names;
use super::schema::{Table, table};

/// Puts a database's names into a statement. A column that the database lacks becomes NULL, so
/// that every read has one shape.
pub(super) fn render(sql: &str, names: &Names) -> String {
    let home = home_of(sql);
    let mut rendered = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find(['"', '\'']) {
        rendered.push_str(&rest[..at]);
        let Some((word, quote, after)) = quoted(&rest[at..]) else { break };
        rest = after;
        if quote == '\'' {
            rendered.extend(["'", word, "'"]);
            continue;
        }
        if let Some(table) = table(word) {
            let column = rest.strip_prefix('.').and_then(quoted).filter(|(_, quote, _)| *quote == '"');
            match column {
                Some((column, _, after)) => {
                    rest = after;
                    rendered.push_str(&qualified(table, column, names));
                }
                None => rendered.push_str(&identifier(names.table(table.name))),
            }
        } else {
            rendered.push_str(&unqualified(home, word, names));
        }
    }
    rendered.push_str(rest);
    rendered
}

/// The table that the columns without one belong to: the first that rows are taken from or written to.
fn home_of(sql: &str) -> Option<&'static Table> {
    let mut rest = sql;
    while let Some(at) = rest.find(['"', '\'']) {
        let (word, _, after) = quoted(&rest[at..])?;
        let before = rest[..at].trim_end();
        if ["FROM", "INTO", "UPDATE"].iter().any(|verb| before.ends_with(verb)) {
            return table(word);
        }
        rest = after;
    }
    None
}

/// The text between two quotes that the given one begins with, and what follows it.
fn quoted(text: &str) -> Option<(&str, char, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = &text[1..];
    let end = inner.find(quote)?;
    Some((&inner[..end], quote, &inner[end + 1..]))
}

fn qualified(table: &Table, column: &str, names: &Names) -> String {
    let place = identifier(names.table(table.name));
    match table.column(column).map(|known| names.column(table.name, known.name)) {
        Some(Some(name)) => format!("{place}.{}", identifier(name)),
        Some(None) => "NULL".to_owned(),
        // Not one of ours: SQLite's `rowid`.
        None => format!("{place}.{}", identifier(column)),
    }
}

fn unqualified(home: Option<&Table>, word: &str, names: &Names) -> String {
    match home.and_then(|home| home.column(word).map(|known| names.column(home.name, known.name))) {
        Some(Some(name)) => identifier(name),
        Some(None) => "NULL".to_owned(),
        None => identifier(word),
    }
}

/// A name as SQL quotes it.
pub(in crate::store) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snake() -> Names {
        let mut names = Names::as_spelled();
        names.set_table("user", "users");
        names.set_column("user", "emailVerified", Some("email_verified"));
        names.set_column("user", "role", None);
        names.set_column("session", "userId", Some("user_id"));
        names.set_column("session", "createdAt", Some("created_at"));
        names
    }

    #[test]
    fn names_are_replaced_and_nothing_else_is() {
        let sql = r#"SELECT "user"."emailVerified", "session"."rowid", 'user' FROM "session"
            JOIN "user" ON "user"."id" = "session"."userId" WHERE "userId" = ?1 ORDER BY "createdAt", rowid"#;
        let expected = r#"SELECT "users"."email_verified", "session"."rowid", 'user' FROM "session"
            JOIN "users" ON "users"."id" = "session"."user_id" WHERE "user_id" = ?1 ORDER BY "created_at", rowid"#;
        assert_eq!(render(sql, &snake()), expected);
    }

    #[test]
    fn a_column_that_is_not_there_is_null() {
        let sql = r#"SELECT "user"."role", coalesce("role", 'user') FROM "user" WHERE "role" LIKE '%admin%'"#;
        let expected = r#"SELECT NULL, coalesce(NULL, 'user') FROM "users" WHERE NULL LIKE '%admin%'"#;
        assert_eq!(render(sql, &snake()), expected);
    }

    #[test]
    fn tables_of_our_own_keep_their_names() {
        let sql = r#"SELECT "seq", "userId" FROM "authctl_audit" WHERE "createdAt" = 'it''s'"#;
        assert_eq!(render(sql, &snake()), sql);
    }

    #[test]
    fn a_quote_in_a_name_stays_inside_it() {
        let mut names = Names::as_spelled();
        names.set_table("user", r#"us"er"#);
        assert_eq!(render(r#"DELETE FROM "user""#, &names), r#"DELETE FROM "us""er""#);
    }
}
