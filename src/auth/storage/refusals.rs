//! What the schema of an app's database refuses. Tables and columns have the names of the database.

use std::fmt;

/// Rows of the app that keep a row from being deleted or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The table, as the database names it.
    pub table: String,
    /// The column that refers to the row; several are separated by commas.
    pub column: String,
    pub rows: u64,
}

/// Lists what keeps a row.
pub(super) fn held(holders: &[Holder]) -> String {
    let of = |Holder { table, column, rows }: &Holder| {
        let (noun, verb) = if *rows == 1 { ("row", "refers") } else { ("rows", "refer") };
        format!("{rows} {noun} of the app's table {table} {verb} to it by {column}")
    };
    holders.iter().map(of).collect::<Vec<_>>().join("; ")
}

/// A constraint that a change does not meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Constraint {
    /// A column has no value. Holds its name, such as `consent.user_id`.
    NotNull(String),
    /// A `CHECK` is false.
    Check {
        /// Its name, or its condition.
        label: String,
        /// The columns in its condition, such as `user.name`; empty if its table is not known.
        columns: Vec<String>,
    },
    /// A foreign key leads to a row that does not exist.
    ForeignKey {
        /// The columns with such keys, each with the table of the row; empty if they are not known.
        keys: Vec<(String, String)>,
    },
    /// The column of roles takes other words.
    Role {
        /// The column, such as `user.role`.
        place: String,
        refused: String,
        /// The first of the words that it takes.
        taken: Vec<String>,
    },
    /// Another constraint, in the words of the engine.
    Other(String),
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNull(place) => write!(f, "the column {place} must have a value"),
            Self::Check { label, columns } if columns.is_empty() => {
                write!(f, "the values do not meet the check {}", one_line(label))
            }
            Self::Check { label, columns } => {
                write!(f, "{} must meet the check {}", columns.join(" and "), one_line(label))
            }
            Self::ForeignKey { keys } if keys.is_empty() => f.write_str("a row would refer to one that does not exist"),
            Self::ForeignKey { keys } => {
                let keys =
                    keys.iter().map(|(column, parent)| format!("{column} must name a row of the table {parent}"));
                f.write_str(&keys.collect::<Vec<_>>().join(", or "))
            }
            Self::Role { place, refused, taken } => write!(f, "{place} takes {}, and not {refused}", taken.join(", ")),
            Self::Other(words) => write!(f, "its schema has another constraint ({words})"),
        }
    }
}

/// A condition of several lines as one.
fn one_line(label: &str) -> String {
    label.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Constraint {
    /// What the caller can do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Role { .. } => "give one of these roles, with `users create --role` or `users set-role`",
            _ => "a constraint of the app's schema says so: choose a value that it takes, or do this in the app",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraint_is_told_with_what_is_known() {
        let words = |constraint: Constraint| constraint.to_string();
        let check = |columns: &[&str]| Constraint::Check {
            label: "role_check".to_owned(),
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
        };
        assert_eq!(words(check(&[])), "the values do not meet the check role_check");
        let lines = Constraint::Check { label: "a > 1\n\t AND b".to_owned(), columns: Vec::new() };
        assert_eq!(words(lines), "the values do not meet the check a > 1 AND b");
        assert_eq!(words(check(&["user.a", "user.b"])), "user.a and user.b must meet the check role_check");
        let key = |keys: &[(&str, &str)]| Constraint::ForeignKey {
            keys: keys.iter().map(|&(column, parent)| (column.to_owned(), parent.to_owned())).collect(),
        };
        assert_eq!(words(key(&[])), "a row would refer to one that does not exist");
        assert_eq!(words(key(&[("user.team", "team")])), "user.team must name a row of the table team");
    }
}
