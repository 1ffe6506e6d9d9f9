//! The `CHECK` constraints in the text of a `CREATE TABLE` statement, which SQLite does not list otherwise.

use std::iter::Peekable;
use std::str::CharIndices;

use crate::store::engine::CatalogCheck;

/// A part of a statement. Blanks and comments are none.
enum Part {
    /// A word without quotes.
    Word(String),
    /// Text between quotes, without them.
    Quoted(String),
    Sign(char),
}

/// Reads the constraints of a statement that SQLite has accepted.
pub(super) fn read(sql: &str) -> Vec<CatalogCheck> {
    let mut checks = Vec::new();
    let mut parts = Parts { sql, rest: sql.char_indices().peekable() };
    let (mut open, mut name, mut is_named, mut is_check) = (0, None, false, false);
    while let Some((at, part)) = parts.next() {
        let (follows_name, follows_check) = (is_named, is_check);
        (is_named, is_check) = (false, false);
        match part {
            Part::Word(text) | Part::Quoted(text) if follows_name => name = Some(text),
            Part::Word(word) => {
                is_named = word.eq_ignore_ascii_case("constraint");
                is_check = word.eq_ignore_ascii_case("check");
            }
            Part::Sign('(') if follows_check => checks.push(parts.condition_from(at + 1, name.as_deref())),
            Part::Sign('(') => open += 1,
            Part::Sign(')') => open -= 1,
            // A name counts for all constraints up to the next column.
            Part::Sign(',') if open == 1 => name = None,
            Part::Quoted(_) | Part::Sign(_) => {}
        }
    }
    checks
}

/// What the error about a constraint without a name has: its condition or, when that begins with a quote, the text up
/// to the other one.
fn label(condition: &str) -> String {
    let mut parts = Parts { sql: condition, rest: condition.char_indices().peekable() };
    match parts.next() {
        Some((_, Part::Quoted(text))) => text,
        _ => condition.to_owned(),
    }
}

struct Parts<'s> {
    sql: &'s str,
    rest: Peekable<CharIndices<'s>>,
}

impl Iterator for Parts<'_> {
    type Item = (usize, Part);

    /// The next part and its place.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (at, first) = self.rest.next()?;
            match first {
                _ if first.is_whitespace() => {}
                '-' if self.sql[at..].starts_with("--") => while self.rest.next_if(|(_, c)| *c != '\n').is_some() {},
                '/' if self.sql[at..].starts_with("/*") => {
                    let length = self.sql[at + 2..].find("*/").map_or(self.sql.len(), |length| length + 4);
                    while self.rest.next_if(|(place, _)| *place < at + length).is_some() {}
                }
                '\'' | '"' | '`' => return Some((at, Part::Quoted(self.quoted(first)))),
                '[' => return Some((at, Part::Quoted(self.quoted(']')))),
                _ if is_of_word(first) => {
                    while self.rest.next_if(|(_, c)| is_of_word(*c)).is_some() {}
                    let end = self.rest.peek().map_or(self.sql.len(), |(end, _)| *end);
                    return Some((at, Part::Word(self.sql[at..end].to_owned())));
                }
                sign => return Some((at, Part::Sign(sign))),
            }
        }
    }
}

impl Parts<'_> {
    /// The text up to a quote, which stands for itself when it is doubled.
    fn quoted(&mut self, end: char) -> String {
        let mut text = String::new();
        while let Some((_, c)) = self.rest.next() {
            if c == end && (end == ']' || self.rest.next_if(|(_, next)| *next == end).is_none()) {
                break;
            }
            text.push(c);
        }
        text
    }

    /// Reads the condition that begins at a place, up to the parenthesis that ends it.
    fn condition_from(&mut self, start: usize, name: Option<&str>) -> CatalogCheck {
        let (mut open, mut end, mut names, mut quoted) = (1, self.sql.len(), Vec::new(), Vec::new());
        for (at, part) in self.by_ref() {
            match part {
                Part::Sign('(') => open += 1,
                Part::Sign(')') if open == 1 => {
                    end = at;
                    break;
                }
                Part::Sign(')') => open -= 1,
                Part::Sign(_) => {}
                Part::Word(text) => names.push(text),
                Part::Quoted(text) => {
                    names.push(text.clone());
                    quoted.push(text);
                }
            }
        }
        let condition = self.sql[start..end].trim().to_owned();
        let label = name.map_or_else(|| label(&condition), str::to_owned);
        CatalogCheck { label, condition, names, quoted }
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// Statements with one constraint, which takes no row.
    const REFUSING: &[&str] = &[
        "CREATE TABLE t (a TEXT CHECK (a IN ('x', 'y')))",
        "CREATE TABLE t (a TEXT CONSTRAINT is_word CHECK(a IN ('x', 'y')))",
        "CREATE TABLE t (a TEXT, CONSTRAINT \"is \"\"word\"\"\" CHECK (\"t\".\"a\" IN ('x', 'y')))",
        "CREATE TABLE t (`a` TEXT CHECK (`a` IN ('x', 'y')))",
        "CREATE TABLE t ([a] TEXT, check ( [a] in (/* not ) */ 'x', 'y', ')''(') ) )",
        "CREATE TABLE t (a TEXT NOT NULL CONSTRAINT filled DEFAULT (max('', '')) CHECK (a = 'x' OR (a = 'y')))",
        "CREATE TABLE t (b INT CONSTRAINT other NOT NULL DEFAULT 1, a TEXT CHECK (a = 'x'))",
        "CREATE TABLE t (a TEXT, -- CHECK (a = 'none')\n \"check\" TEXT DEFAULT 'CHECK (1)', CHECK (length(a) > 99))",
    ];

    #[test]
    fn label_is_what_the_error_has() {
        for sql in REFUSING {
            let connection = Connection::open_in_memory().unwrap();
            connection.execute_batch(sql).unwrap();
            let error = connection.execute("INSERT INTO t (a) VALUES ('z')", []).unwrap_err().to_string();
            let checks = read(sql);
            assert_eq!(checks.len(), 1, "{sql}: {checks:?}");
            assert_eq!(error, format!("CHECK constraint failed: {}", checks[0].label), "{sql}");
            assert!(checks[0].names.contains(&"a".to_owned()), "{sql}: {checks:?}");
        }
    }

    #[test]
    fn condition_and_names_are_those_between_the_parentheses() {
        let check = &read(REFUSING[2])[0];
        assert_eq!(check.condition, r#""t"."a" IN ('x', 'y')"#);
        assert_eq!(check.names, ["t", "a", "IN", "x", "y"]);
        assert_eq!(check.quoted, ["t", "a", "x", "y"]);
        assert_eq!(read("CREATE TABLE t (a CHECK (a > 1), b, CONSTRAINT c CHECK (b), CHECK (a < b))").len(), 3);
        assert_eq!(read("CREATE TABLE t (\"check\" TEXT, a CHECK (a"), read("CREATE TABLE t (a CHECK (a"));
    }
}
