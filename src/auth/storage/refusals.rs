//! What the schema of an app's database refuses. Tables and columns have the names of the database.

use std::fmt;

use super::BrokenReference;
use crate::auth::audit::counted;

/// Rows of the app that keep a row from being deleted or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The table, as the database names it.
    pub table: String,
    /// The column that refers to the row; several are separated by commas.
    pub column: String,
    pub rows: u64,
    pub release: Release,
}

/// What makes holding rows let the other row go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Release {
    /// They are deleted, or refer to another row.
    Rows,
    /// They are users, and refer to another row; or to none, if the column can be null.
    Users { is_nullable: bool },
    /// As for other rows, or the schema is corrected: the database would write NULL where it must not be.
    Schema(BrokenKey),
}

/// Lists what keeps a row.
pub(super) fn held(holders: &[Holder]) -> String {
    let of = |Holder { table, column, rows, release }: &Holder| {
        let verb = if *rows == 1 { "refers" } else { "refer" };
        match release {
            Release::Users { .. } => format!("{} {verb} to it by {table}.{column}", counted(*rows, "user")),
            Release::Rows => format!("{} of the app's table {table} {verb} to it by {column}", counted(*rows, "row")),
            Release::Schema(key) => {
                format!("{} of the app's table {table} {verb} to it by {column} ({key})", counted(*rows, "row"))
            }
        }
    };
    holders.iter().map(of).collect::<Vec<_>>().join("; ")
}

/// What the caller can do about the rows that keep another one.
pub(super) fn release(holders: &[Holder]) -> String {
    let mut ways: Vec<String> = Vec::new();
    for Holder { table, column, release, .. } in holders {
        let way = match release {
            Release::Rows => "delete these rows in the app, or give them to another".to_owned(),
            Release::Users { is_nullable: true } => {
                format!("change or clear {table}.{column} of these users in the app")
            }
            Release::Users { is_nullable: false } => format!("change {table}.{column} of these users in the app"),
            Release::Schema(key) => format!(
                "delete these rows in the app, or give them to another, or correct the app's schema: {}",
                key.remedy()
            ),
        };
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    format!("{}, and try again", ways.join("; "))
}

/// A foreign key of the app's schema that cannot work. The database refuses each act that needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenKey {
    /// The table with the key.
    pub table: String,
    pub columns: Vec<String>,
    /// The table that the key refers to.
    pub parent: String,
    /// Its columns there; empty if it names none and the primary key is of another number of columns.
    pub referred: Vec<String>,
    pub fault: KeyFault,
}

/// What is wrong with a foreign key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFault {
    /// The table that it refers to does not exist.
    NoTable,
    /// The columns that it refers to are not unique, or do not exist.
    NotUnique,
    /// It writes NULL to a column that must have a value.
    NeverNull,
}

impl fmt::Display for BrokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parent, own) = (&self.parent, self.own());
        let [refer, have] =
            if self.columns.len() == 1 { ["refers to", "must have a value"] } else { ["refer to", "must have values"] };
        let referred = named(parent, &self.referred);
        match self.fault {
            KeyFault::NoTable => write!(f, "{own} {refer} the table {parent}, which does not exist"),
            KeyFault::NotUnique if self.referred.is_empty() => {
                let columns = counted(self.columns.len() as u64, "column");
                write!(f, "{own} {refer} the table {parent}, which has no primary key of {columns}")
            }
            KeyFault::NotUnique if self.referred.len() == 1 => {
                write!(f, "{own} {refer} {referred}, which is neither the primary key nor unique")
            }
            KeyFault::NotUnique => {
                write!(f, "{own} {refer} {referred}, which together are neither the primary key nor unique")
            }
            KeyFault::NeverNull => write!(f, "{own} {refer} {referred} with ON DELETE SET NULL, and {have}"),
        }
    }
}

impl BrokenKey {
    /// The columns of the key.
    fn own(&self) -> String {
        named(&self.table, &self.columns)
    }

    /// How to correct the app's schema.
    pub fn remedy(&self) -> String {
        let (own, parent) = (self.own(), &self.parent);
        match self.fault {
            KeyFault::NoTable => format!("let {own} refer to a table that exists, or remove the foreign key"),
            KeyFault::NotUnique if self.referred.is_empty() => {
                format!("let {own} refer to columns of {parent} that are unique")
            }
            KeyFault::NotUnique => {
                let referred = named(parent, &self.referred);
                format!("let {own} refer to the primary key of {parent}, or make {referred} unique")
            }
            KeyFault::NeverNull => {
                format!("let {own} be null, or give the foreign key another action, such as ON DELETE CASCADE")
            }
        }
    }
}

/// Columns of a table, as in `post.author and post.editor`.
fn named(table: &str, columns: &[String]) -> String {
    columns.iter().map(|column| format!("{table}.{column}")).collect::<Vec<_>>().join(" and ")
}

/// Lists foreign keys that cannot work.
pub(super) fn broken(keys: &[BrokenKey]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// How to correct foreign keys that cannot work.
pub(super) fn correction(keys: &[BrokenKey]) -> String {
    let remedies: Vec<String> = keys.iter().map(BrokenKey::remedy).collect();
    format!("in the app's schema, {}", remedies.join("; "))
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
    /// Foreign keys that are checked at the end of the transaction lead to rows that do not exist.
    Deferred(Vec<BrokenReference>),
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
            Self::Deferred(broken) => {
                let rows = broken.iter().map(|BrokenReference { table, column, parents, rows }| {
                    let (rows, parents) = (counted(*rows, "row"), parents.join(" or "));
                    format!("{rows} of the table {table} would refer by {column} to no row of {parents}")
                });
                f.write_str(&rows.collect::<Vec<_>>().join("; "))
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
            Self::Deferred(_) => {
                "a foreign key of the app's schema says so, at the end of the transaction: change these rows in the app, \
                 or do this there"
            }
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
        let reference = |rows| BrokenReference {
            table: "note".to_owned(),
            column: "author".to_owned(),
            parents: vec!["user".to_owned()],
            rows,
        };
        assert_eq!(
            words(Constraint::Deferred(vec![reference(1), reference(2)])),
            "1 row of the table note would refer by author to no row of user; \
             2 rows of the table note would refer by author to no row of user"
        );
    }

    #[test]
    fn holders_are_told_with_what_releases_them() {
        let holder = |table: &str, rows, release| {
            let (table, column) = (table.to_owned(), "manager".to_owned());
            Holder { table, column, rows, release }
        };
        let users = |is_nullable| holder("user", 2, Release::Users { is_nullable });
        let told = |holders: &[Holder]| [held(holders), release(holders)];
        assert_eq!(
            told(&[users(true)]),
            [
                "2 users refer to it by user.manager",
                "change or clear user.manager of these users in the app, and try again"
            ]
        );
        assert_eq!(release(&[users(false)]), "change user.manager of these users in the app, and try again");
        let key = BrokenKey {
            table: "post".to_owned(),
            columns: vec!["manager".to_owned()],
            parent: "user".to_owned(),
            referred: vec!["id".to_owned()],
            fault: KeyFault::NeverNull,
        };
        assert_eq!(
            told(&[holder("post", 1, Release::Schema(key))]),
            [
                "1 row of the app's table post refers to it by manager (post.manager refers to user.id with ON DELETE \
                 SET NULL, and must have a value)",
                "delete these rows in the app, or give them to another, or correct the app's schema: let post.manager be \
                 null, or give the foreign key another action, such as ON DELETE CASCADE, and try again"
            ]
        );
        let rows = |table| holder(table, 1, Release::Rows);
        assert_eq!(
            release(&[rows("post"), users(true), rows("note")]),
            "delete these rows in the app, or give them to another; change or clear user.manager of these users in the \
             app, and try again"
        );
    }

    #[test]
    fn broken_key_is_told_with_its_remedy() {
        let told = |fault, columns: &[&str], referred: &[&str]| {
            let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
            let (table, parent) = ("post".to_owned(), "user".to_owned());
            let key = BrokenKey { table, columns: list(columns), parent, referred: list(referred), fault };
            [key.to_string(), key.remedy()].join(": ")
        };
        assert_eq!(
            told(KeyFault::NoTable, &["a", "b"], &[]),
            "post.a and post.b refer to the table user, which does not exist: \
             let post.a and post.b refer to a table that exists, or remove the foreign key"
        );
        assert_eq!(
            told(KeyFault::NotUnique, &["a"], &["name"]),
            "post.a refers to user.name, which is neither the primary key nor unique: \
             let post.a refer to the primary key of user, or make user.name unique"
        );
        assert_eq!(
            told(KeyFault::NotUnique, &["a", "b"], &["x", "y"]),
            "post.a and post.b refer to user.x and user.y, which together are neither the primary key nor unique: \
             let post.a and post.b refer to the primary key of user, or make user.x and user.y unique"
        );
        assert_eq!(
            told(KeyFault::NotUnique, &["a"], &[]),
            "post.a refers to the table user, which has no primary key of 1 column: \
             let post.a refer to columns of user that are unique"
        );
        assert_eq!(
            told(KeyFault::NeverNull, &["a"], &["id"]),
            "post.a refers to user.id with ON DELETE SET NULL, and must have a value: \
             let post.a be null, or give the foreign key another action, such as ON DELETE CASCADE"
        );
    }
}
