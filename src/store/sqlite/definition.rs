//! The text of `CREATE TABLE` statements. It says of a column what no pragma does, such as its checks and its collation.

use std::iter::Peekable;
use std::str::CharIndices;

/// A `CREATE TABLE` statement in its parts.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::store) struct Definition<'s> {
    before: &'s str,
    /// Columns and constraints in their order.
    items: Vec<&'s str>,
    after: &'s str,
}

impl<'s> Definition<'s> {
    /// Takes a statement that SQLite accepted. `None` if it has no list of columns.
    pub(in crate::store) fn of(sql: &'s str) -> Option<Self> {
        let (mut depth, mut before, mut start, mut end) = (0_u32, None, 0, None);
        let mut items = Vec::new();
        let mut tokens = sql.char_indices().peekable();
        while let Some((at, c)) = tokens.next() {
            match c {
                '(' => {
                    depth += 1;
                    if depth == 1 && before.is_none() {
                        before = Some(sql[..at].trim());
                        start = at + 1;
                    }
                }
                ',' if depth == 1 => {
                    items.push(without_comment(&sql[start..at]));
                    start = at + 1;
                }
                ')' => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 && end.is_none() {
                        items.push(without_comment(&sql[start..at]));
                        end = Some(at + 1);
                    }
                }
                _ => skip(c, &mut tokens),
            }
        }
        Some(Self { before: before?, items, after: sql[end?..].trim() })
    }

    /// The definition of a column, with its name.
    pub(in crate::store) fn column(&self, name: &str) -> Option<&'s str> {
        self.items.iter().copied().find(|item| first_name(item).is_some_and(|found| found.eq_ignore_ascii_case(name)))
    }

    /// The names of the columns that a table has besides those of another one, if it differs in nothing else.
    pub(in crate::store) fn columns_added_to(&self, other: &Self) -> Option<Vec<String>> {
        let mut wanted = other.items.iter().peekable();
        let mut added = Vec::new();
        for item in &self.items {
            if wanted.next_if_eq(&item).is_none() {
                added.push(first_name(item).filter(|name| other.column(name).is_none())?);
            }
        }
        (wanted.next().is_none() && (self.before, self.after) == (other.before, other.after)).then_some(added)
    }
}

/// Passes the end of a quoted name, a text or a comment that begins with `c`.
fn skip(c: char, tokens: &mut Peekable<CharIndices<'_>>) {
    let next = tokens.peek().map(|(_, next)| *next);
    match (c, next) {
        ('\'' | '"' | '`', _) => drop(tokens.find(|(_, other)| *other == c)),
        ('[', _) => drop(tokens.find(|(_, other)| *other == ']')),
        ('-', Some('-')) => drop(tokens.find(|(_, other)| *other == '\n')),
        ('/', Some('*')) => {
            tokens.next();
            while let Some((_, other)) = tokens.next() {
                if other == '*' && tokens.next_if(|(_, next)| *next == '/').is_some() {
                    break;
                }
            }
        }
        _ => {}
    }
}

/// A part of a definition without blanks around it and without a comment before it.
fn without_comment(item: &str) -> &str {
    let item = item.trim();
    let end = if item.starts_with("--") {
        "\n"
    } else if item.starts_with("/*") {
        "*/"
    } else {
        return item;
    };
    item.split_once(end).map_or("", |(_, rest)| without_comment(rest))
}

/// The name at the beginning of a part of a definition, without quotes. `None` for a constraint of the table.
fn first_name(item: &str) -> Option<String> {
    let first = item.chars().next()?;
    let close = match first {
        '"' | '`' | '\'' => first,
        '[' => ']',
        _ => {
            let word = item.split(|c: char| c.is_whitespace() || "(\"'`[,".contains(c)).next()?;
            let is_constraint = ["constraint", "primary", "unique", "check", "foreign"]
                .iter()
                .any(|keyword| word.eq_ignore_ascii_case(keyword));
            return (!is_constraint).then(|| word.to_owned());
        }
    };
    let mut name = String::new();
    let mut rest = item.chars().skip(1).peekable();
    while let Some(c) = rest.next() {
        if c == close && (close == ']' || rest.next_if_eq(&close).is_none()) {
            return Some(name);
        }
        name.push(c);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statement_is_split_at_its_own_commas() {
        let sql = "CREATE TABLE \"a,(\" (id TEXT, -- one, two)\n \"b, \"\"c\" INT DEFAULT (max(1, 2)) CHECK (b <> '),'),\n\
                   [d)] /* , */ REAL, `e` TEXT COLLATE NOCASE, CHECK (id <> ''), PRIMARY KEY (id)) STRICT";
        let table = Definition::of(sql).unwrap();
        assert_eq!((table.before, table.after), ("CREATE TABLE \"a,(\"", "STRICT"));
        assert_eq!(table.items.len(), 6, "{table:?}");
        assert_eq!(table.column("ID"), Some("id TEXT"));
        assert_eq!(table.column("b, \"c"), Some("\"b, \"\"c\" INT DEFAULT (max(1, 2)) CHECK (b <> '),')"));
        assert_eq!(table.column("d)"), Some("[d)] /* , */ REAL"));
        assert_eq!(table.column("e"), Some("`e` TEXT COLLATE NOCASE"));
        assert_eq!((table.column("check"), table.column("f")), (None, None));
        assert_eq!(Definition::of("CREATE VIRTUAL TABLE t USING fts5"), None);
    }

    #[test]
    fn only_added_columns_are_no_other_change() {
        let own = "CREATE TABLE t (a TEXT NOT NULL, b TEXT, CHECK (b <> '')) STRICT";
        let added = |sql: &str| Definition::of(sql).unwrap().columns_added_to(&Definition::of(own).unwrap());
        assert_eq!(added(own), Some(vec![]));
        let more = "CREATE TABLE t (a TEXT NOT NULL, \"x\" INT, b TEXT, CHECK (b <> ''), y INT CHECK (y > 0)) STRICT";
        assert_eq!(added(more), Some(vec!["x".to_owned(), "y".to_owned()]));
        for other in [
            "CREATE TABLE t (a TEXT, b TEXT, CHECK (b <> '')) STRICT",
            "CREATE TABLE t (a TEXT NOT NULL, CHECK (b <> '')) STRICT",
            "CREATE TABLE t (a TEXT NOT NULL, b TEXT) STRICT",
            "CREATE TABLE t (a TEXT NOT NULL, b TEXT, CHECK (b <> ''))",
            "CREATE TABLE t (a TEXT NOT NULL, b TEXT, CHECK (b <> ''), UNIQUE (a)) STRICT",
            "CREATE TABLE t (a TEXT NOT NULL, b TEXT, CHECK (b <> ''), B TEXT) STRICT",
            "CREATE TABLE u (a TEXT NOT NULL, b TEXT, CHECK (b <> '')) STRICT",
        ] {
            assert_eq!(added(other), None, "{other}");
        }
    }
}
