//! The tables and columns of Better Auth, under the names that the statements use, and the names that a database has
//! for them.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Holds {
    /// Text or an id.
    Text,
    /// 0 or 1.
    Truth,
    /// In the encoding of the database.
    Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Column {
    pub name: &'static str,
    pub holds: Holds,
    /// Whether every version of Better Auth needs the column; the others belong to plugins or to some versions.
    pub core: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Table {
    pub name: &'static str,
    pub columns: &'static [Column],
}

/// A name of Better Auth in snake case.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// Whether a table or column may be one of Better Auth: under the same name, or in snake case unless `exact`.
pub(in crate::store) fn is_called(physical: &str, schema: &str, exact: bool) -> bool {
    physical.eq_ignore_ascii_case(schema) || !exact && physical.eq_ignore_ascii_case(&snake(schema))
}

/// What an app would call a column that its table lacks: in snake case if the other columns are.
pub(in crate::store) fn missing_name<'n>(others: impl IntoIterator<Item = &'n str>, column: &str) -> String {
    let others: Vec<&str> = others.into_iter().collect();
    let is_snake = others.iter().any(|name| name.contains('_'))
        && !others.iter().any(|name| name.contains(|c: char| c.is_ascii_uppercase()));
    if is_snake { snake(column) } else { column.to_owned() }
}

const fn core(name: &'static str, holds: Holds) -> Column {
    Column { name, holds, core: true }
}

const fn extra(name: &'static str, holds: Holds) -> Column {
    Column { name, holds, core: false }
}

/// The four tables of `better-auth` 1.7, with the columns of its admin and two-factor plugins.
pub(in crate::store) const TABLES: &[Table] = &[
    Table {
        name: "user",
        columns: &[
            core("id", Holds::Text),
            core("name", Holds::Text),
            core("email", Holds::Text),
            core("emailVerified", Holds::Truth),
            core("image", Holds::Text),
            core("createdAt", Holds::Time),
            core("updatedAt", Holds::Time),
            extra("role", Holds::Text),
            extra("banned", Holds::Truth),
            extra("banReason", Holds::Text),
            extra("banExpires", Holds::Time),
            extra("twoFactorEnabled", Holds::Truth),
        ],
    },
    Table {
        name: "session",
        columns: &[
            core("id", Holds::Text),
            core("expiresAt", Holds::Time),
            core("token", Holds::Text),
            core("createdAt", Holds::Time),
            core("updatedAt", Holds::Time),
            core("ipAddress", Holds::Text),
            core("userAgent", Holds::Text),
            core("userId", Holds::Text),
            extra("impersonatedBy", Holds::Text),
        ],
    },
    Table {
        name: "account",
        columns: &[
            core("id", Holds::Text),
            core("accountId", Holds::Text),
            core("providerId", Holds::Text),
            core("userId", Holds::Text),
            core("accessToken", Holds::Text),
            core("refreshToken", Holds::Text),
            core("idToken", Holds::Text),
            core("accessTokenExpiresAt", Holds::Time),
            core("refreshTokenExpiresAt", Holds::Time),
            core("scope", Holds::Text),
            core("password", Holds::Text),
            core("createdAt", Holds::Time),
            core("updatedAt", Holds::Time),
            // Versions 1.7.0 to 1.7.2 added it.
            extra("issuer", Holds::Text),
        ],
    },
    Table {
        name: "verification",
        columns: &[
            core("id", Holds::Text),
            core("identifier", Holds::Text),
            core("value", Holds::Text),
            core("expiresAt", Holds::Time),
            core("createdAt", Holds::Time),
            core("updatedAt", Holds::Time),
        ],
    },
];

pub(in crate::store) fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

impl Table {
    pub(in crate::store) fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Names {
    tables: Vec<TableNames>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct TableNames {
    schema: &'static str,
    physical: String,
    /// In the order of the schema; `None` for a column that the database lacks.
    columns: Vec<(&'static str, Option<String>)>,
    /// Better Auth's names of columns that are not read as they are.
    readings: Vec<(&'static str, Reading)>,
}

/// How statements read a column that holds text for the app. It is written as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Reading {
    AsIs,
    /// The type is no text, such as an enum of PostgreSQL.
    Text,
    /// The type is an array of PostgreSQL. Its texts come with commas between them.
    List,
    /// PostgreSQL takes different texts for equal, and refuses to search them.
    Bytewise,
}

impl Reading {
    fn of(self, column: String) -> String {
        match self {
            Self::AsIs => column,
            Self::Text => format!("CAST({column} AS TEXT)"),
            Self::List => format!("array_to_string({column}, ',')"),
            Self::Bytewise => format!(r#"({column} COLLATE "C")"#),
        }
    }
}

impl Names {
    /// The names that the statements use.
    pub(in crate::store) fn of_schema() -> Self {
        let tables = TABLES.iter().map(|table| TableNames {
            schema: table.name,
            physical: table.name.to_owned(),
            columns: table.columns.iter().map(|column| (column.name, Some(column.name.to_owned()))).collect(),
            readings: Vec::new(),
        });
        Self { tables: tables.collect() }
    }

    pub(in crate::store) fn set_table(&mut self, table: &str, name: &str) {
        if let Some(found) = self.tables.iter_mut().find(|one| one.schema == table) {
            name.clone_into(&mut found.physical);
        }
    }

    /// `None` when the database lacks the column.
    pub(in crate::store) fn set_column(&mut self, table: &str, column: &str, name: Option<&str>) {
        let table = self.tables.iter_mut().find(|one| one.schema == table);
        if let Some(found) = table.and_then(|table| table.columns.iter_mut().find(|(known, _)| *known == column)) {
            found.1 = name.map(str::to_owned);
        }
    }

    pub(in crate::store) fn set_reading(&mut self, table: &str, column: &'static str, reading: Reading) {
        if let Some(found) = self.tables.iter_mut().find(|one| one.schema == table) {
            found.readings.retain(|(known, _)| *known != column);
            found.readings.extend((reading != Reading::AsIs).then_some((column, reading)));
        }
    }

    pub(super) fn reading(&self, table: &str, column: &str) -> Reading {
        let found = self.tables.iter().find(|one| one.schema == table);
        let of_column = found.and_then(|found| found.readings.iter().find(|(known, _)| *known == column));
        of_column.map_or(Reading::AsIs, |(_, reading)| *reading)
    }

    pub(in crate::store) fn table<'a>(&'a self, table: &'a str) -> &'a str {
        self.tables.iter().find(|one| one.schema == table).map_or(table, |found| &found.physical)
    }

    /// `None` when the database lacks the column.
    pub(in crate::store) fn column(&self, table: &str, column: &str) -> Option<&str> {
        let table = self.tables.iter().find(|one| one.schema == table)?;
        table.columns.iter().find(|(known, _)| *known == column)?.1.as_deref()
    }
}

/// What stands for a column that the database lacks. PostgreSQL does not sort by a constant, and takes this for an expression.
const MISSING: &str = "CAST(NULL AS TEXT)";

/// Puts the names of a database into a statement. A column that the database lacks becomes NULL, so that
/// every row is read in the same way.
pub(super) fn render(sql: &str, names: &Names) -> String {
    let main = main_table(sql);
    let writes = ["INSERT", "UPDATE"].map(|verb| sql.starts_with(verb));
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
            let is_written = writes[0] || writes[1] && !rendered.contains(" WHERE ");
            // A table may have another name in the statement, and its columns come with that name.
            let column = rest.strip_prefix('.').and_then(quoted).filter(|(word, _, _)| table(word).is_none());
            let (alias, word) = column.map_or((None, word), |(column, _, after)| {
                rest = after;
                (Some(word), column)
            });
            rendered.push_str(&unqualified(main, (alias, word), names, is_written));
        }
    }
    rendered.push_str(rest);
    rendered
}

/// The table of unqualified columns: the first one that the statement reads or writes.
fn main_table(sql: &str) -> Option<&'static Table> {
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

/// Splits quoted text at the start of `text`: the text between the quotes, the quote, and the rest.
fn quoted(text: &str) -> Option<(&str, char, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = &text[1..];
    let end = inner.find(quote)?;
    Some((&inner[..end], quote, &inner[end + 1..]))
}

fn qualified(table: &Table, column_name: &str, names: &Names) -> String {
    let place = identifier(names.table(table.name));
    match table.column(column_name).map(|known| names.column(table.name, known.name)) {
        Some(Some(name)) => {
            let column = format!("{place}.{}", identifier(name));
            names.reading(table.name, column_name).of(column)
        }
        Some(None) => MISSING.to_owned(),
        // A column such as SQLite's `rowid`.
        None => format!("{place}.{}", identifier(column_name)),
    }
}

fn unqualified(main: Option<&Table>, (alias, word): (Option<&str>, &str), names: &Names, is_written: bool) -> String {
    let of_alias = |name: &str| match alias {
        Some(alias) => [&identifier(alias), ".", &identifier(name)].concat(),
        None => identifier(name),
    };
    let Some((main, known)) = main.and_then(|main| Some((main, main.column(word)?))) else { return of_alias(word) };
    match names.column(main.name, known.name).map(of_alias) {
        Some(column) if is_written => column,
        Some(column) => names.reading(main.name, word).of(column),
        None => MISSING.to_owned(),
    }
}

/// Quotes a name for SQL.
pub(in crate::store) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snake() -> Names {
        let mut names = Names::of_schema();
        names.set_table("user", "users");
        names.set_column("user", "emailVerified", Some("email_verified"));
        names.set_column("user", "role", None);
        names.set_column("session", "userId", Some("user_id"));
        names.set_column("session", "createdAt", Some("created_at"));
        names
    }

    #[test]
    fn only_names_are_replaced() {
        let sql = r#"SELECT "user"."emailVerified", "session"."rowid", 'user' FROM "session"
            JOIN "user" ON "user"."id" = "session"."userId" WHERE "userId" = ?1 ORDER BY "createdAt", rowid"#;
        let expected = r#"SELECT "users"."email_verified", "session"."rowid", 'user' FROM "session"
            JOIN "users" ON "users"."id" = "session"."user_id" WHERE "user_id" = ?1 ORDER BY "created_at", rowid"#;
        assert_eq!(render(sql, &snake()), expected);
    }

    #[test]
    fn missing_column_is_null() {
        let sql = r#"SELECT "user"."role", coalesce("role", 'user') FROM "user"
            WHERE "role" LIKE '%admin%'"#;
        let expected = r#"SELECT CAST(NULL AS TEXT), coalesce(CAST(NULL AS TEXT), 'user') FROM "users"
            WHERE CAST(NULL AS TEXT) LIKE '%admin%'"#;
        assert_eq!(render(sql, &snake()), expected);
    }

    #[test]
    fn column_of_another_type_is_read_as_text_and_written_as_it_is() {
        let mut names = Names::of_schema();
        names.set_column("user", "role", Some("kind"));
        names.set_reading("user", "role", Reading::Text);
        for (sql, expected) in [
            (
                r#"SELECT "user"."role" FROM "user" WHERE "role" = ?1"#,
                r#"SELECT CAST("user"."kind" AS TEXT) FROM "user" WHERE CAST("kind" AS TEXT) = ?1"#,
            ),
            (
                r#"UPDATE "user" SET "role" = ?1, "name" = ?2 WHERE "role" = ?3"#,
                r#"UPDATE "user" SET "kind" = ?1, "name" = ?2 WHERE CAST("kind" AS TEXT) = ?3"#,
            ),
            (
                r#"INSERT INTO "user" ("role") VALUES (?1) RETURNING "id""#,
                r#"INSERT INTO "user" ("kind") VALUES (?1) RETURNING "id""#,
            ),
        ] {
            assert_eq!(render(sql, &names), expected);
        }
    }

    #[test]
    fn list_and_text_of_other_letters_are_read_in_their_own_way() {
        let mut names = Names::of_schema();
        names.set_reading("user", "role", Reading::List);
        names.set_reading("user", "email", Reading::Bytewise);
        let sql = r#"UPDATE "user" SET "email" = ?1 WHERE "email" ILIKE ?2 AND "role" = ?3"#;
        let expected = r#"UPDATE "user" SET "email" = ?1 WHERE ("email" COLLATE "C") ILIKE ?2 AND array_to_string("role", ',') = ?3"#;
        assert_eq!(render(sql, &names), expected);
    }

    #[test]
    fn column_of_a_table_with_another_name_is_read_with_that_name() {
        let mut names = Names::of_schema();
        names.set_column("account", "accountId", Some("account_id"));
        names.set_reading("account", "accountId", Reading::Text);
        let sql = r#"SELECT "id" FROM "account" AS "own" WHERE "own"."accountId" = "own"."seq""#;
        let expected = r#"SELECT "id" FROM "account" AS "own" WHERE CAST("own"."account_id" AS TEXT) = "own"."seq""#;
        assert_eq!(render(sql, &names), expected);
    }

    #[test]
    fn own_tables_keep_their_names() {
        let sql = r#"SELECT "seq", "userId" FROM "authctl_audit" WHERE "createdAt" = 'it''s'"#;
        assert_eq!(render(sql, &snake()), sql);
    }

    #[test]
    fn quote_in_a_name_is_escaped() {
        let mut names = Names::of_schema();
        names.set_table("user", r#"us"er"#);
        assert_eq!(render(r#"DELETE FROM "user""#, &names), r#"DELETE FROM "us""er""#);
    }
}
