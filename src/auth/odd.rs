//! Values of a row that cannot be read as what their column holds. The row is used all the same, with a value in
//! their place that grants nothing: not verified, banned, no role, not live.

use std::fmt;

use jiff::Timestamp;

/// In the place of a time that cannot be read. A session with this end is over, and one with this beginning is not
/// fresh.
pub const UNREADABLE: Timestamp = Timestamp::MIN;

/// In the place of an id that finds no row: NULL, or text that is not UTF-8.
pub const NO_ID: &str = "(unreadable)";

/// Whether a text that was read as the id of a row finds the row.
pub fn is_id(text: &str) -> bool {
    text != NO_ID
}

/// The instant, unless it stands for one that cannot be read.
pub fn readable(instant: Timestamp) -> Option<Timestamp> {
    (instant != UNREADABLE).then_some(instant)
}

/// A value that is not what its column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddValue {
    /// Better Auth's name of the column.
    pub column: &'static str,
    /// As in `email is null`. Does not quote the value, which may be a secret.
    pub problem: String,
}

/// The rows with odd values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OddRows {
    pub rows: u64,
    /// Columns of times without a value that can be read. The odd values are those of the others.
    pub columns: Vec<OddColumn>,
    /// The number of the odd values.
    pub values: u64,
    /// The first of the odd values.
    pub first: Vec<OddPlace>,
}

/// A column without a value that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddColumn {
    /// Table and column as the database names them.
    pub place: String,
    pub rows: u64,
    /// As in [`OddValue::problem`], of one of the values.
    pub problem: String,
    /// The files for `--schema` with which the values can be read; `None` if no file helps.
    pub files: Option<String>,
}

impl fmt::Display for OddColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, rows, problem, files } = self;
        match problem.strip_prefix("is not ") {
            Some(expected) => write!(f, "none of the {rows} values of {place} is {expected}: ")?,
            None => write!(f, "{place} {problem} in all {rows} rows: ")?,
        }
        match files {
            Some(files) => write!(f, "name their encoding {files}"),
            None => f.write_str("correct them with the program that wrote them"),
        }
    }
}

/// An odd value and its place in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddPlace {
    /// Better Auth's name of the table.
    pub table: &'static str,
    /// Table and column as the database names them.
    pub place: String,
    /// The id of the row.
    pub row: String,
    pub value: OddValue,
}

/// The remedy where no act writes the value.
const NO_ACT: &str = "correct it in the row with the program that wrote it; no command of authctl does that";

impl OddPlace {
    /// How to give the row a value that can be read. `is_written` says whether authctl writes the column.
    pub fn remedy(&self, is_written: bool) -> String {
        let row = &self.row;
        match (self.table, self.value.column) {
            ("user", _) if !is_written => NO_ACT.to_owned(),
            ("user", "name") => format!("authctl users update {row} --name NAME"),
            ("user", "email") => format!("authctl users update {row} --email EMAIL"),
            ("user", "image") => format!("authctl users update {row} --image URL"),
            ("user", "emailVerified") => format!("authctl users verify-email {row}, with or without --undo"),
            ("user", "role") => format!("authctl users set-role {row} ROLE"),
            ("user", "banned" | "banReason" | "banExpires") => format!("authctl users ban {row}, or unban {row}"),
            ("user", "updatedAt") => "the next change of the user sets it".to_owned(),
            ("session", column) if column != "id" => format!("authctl sessions revoke {row} --all-users"),
            _ => NO_ACT.to_owned(),
        }
    }
}

/// Whether one of the values is in this column.
pub fn is_odd(odd: &[OddValue], column: &str) -> bool {
    odd.iter().any(|value| value.column == column)
}

/// Counts the rows of a list that are odd, in words; `None` without one.
pub fn note<'o>(rows: impl Iterator<Item = &'o Vec<OddValue>>) -> Option<String> {
    note_of_rows(rows.filter(|odd| !odd.is_empty()).count())
}

/// As [`note`], of a number of rows.
pub fn note_of_rows(count: usize) -> Option<String> {
    let (rows, have) = if count == 1 { ("row", "has") } else { ("rows", "have") };
    (count > 0).then(|| {
        format!("{count} {rows} {have} values that cannot be read, and the rest is shown: `authctl doctor` names them")
    })
}

/// Names the odd values of what is shown; `None` without one.
pub fn note_of<'o>(odd: impl Iterator<Item = &'o OddValue>) -> Option<String> {
    let named: Vec<String> = odd.map(|value| format!("{} {}", value.column, value.problem)).collect();
    (!named.is_empty()).then(|| format!("values that cannot be read: {}: `authctl doctor` says more", named.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn note_counts_only_odd_rows() {
        let odd = vec![OddValue { column: "name", problem: "is null".into() }];
        let none = Vec::new();
        assert_eq!(note([&none].into_iter()), None);
        assert!(note([&odd, &none].into_iter()).unwrap().starts_with("1 row has values"));
        assert!(note([&odd, &none, &odd].into_iter()).unwrap().starts_with("2 rows have values"));
    }

    #[test]
    fn odd_column_is_told_with_the_number_of_its_rows() {
        let told = |problem: &str, files: Option<&str>| {
            let (place, problem) = ("users.made".to_owned(), problem.to_owned());
            OddColumn { place, rows: 3, problem, files: files.map(str::to_owned) }.to_string()
        };
        let by_hand = "correct them with the program that wrote them";
        assert_eq!(told("is null", None), format!("users.made is null in all 3 rows: {by_hand}"));
        assert_eq!(
            told("is not a number of seconds", None),
            format!("none of the 3 values of users.made is a number of seconds: {by_hand}")
        );
        assert_eq!(
            told("is not a number of seconds", Some("in the --schema file: {}")),
            "none of the 3 values of users.made is a number of seconds: name their encoding in the --schema file: {}"
        );
    }

    #[test]
    fn every_odd_value_has_a_remedy_that_names_its_row() {
        let remedy_of = |table, column, is_written| {
            let value = OddValue { column, problem: "is null".into() };
            OddPlace { table, place: "users.it".into(), row: "u1".into(), value }.remedy(is_written)
        };
        let remedy = |table, column| remedy_of(table, column, true);
        assert_eq!(remedy("user", "name"), "authctl users update u1 --name NAME");
        assert_eq!(remedy("user", "banExpires"), "authctl users ban u1, or unban u1");
        assert_eq!(remedy("session", "expiresAt"), "authctl sessions revoke u1 --all-users");
        assert_eq!(remedy("user", "updatedAt"), "the next change of the user sets it");
        for column in ["updatedAt", "banned", "emailVerified"] {
            assert!(remedy_of("user", column, false).starts_with("correct it in the row"), "{column}");
        }
        for (table, column) in [("user", "id"), ("user", "createdAt"), ("session", "id")] {
            assert!(remedy(table, column).starts_with("correct it in the row"), "{column}");
        }
    }
}
