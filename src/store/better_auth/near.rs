//! Tables and columns that come near those of Better Auth, when none has the name: what the `--schema` file may name.

use super::description::{Description, FoundColumn};
use super::detect::{ESSENTIAL, NotRead};
use super::overrides::{Entries, SchemaOverrides, file_text, line, may_be_elsewhere};
use crate::auth::storage::StoreError;
use crate::store::engine::CatalogTable;
use crate::store::mapping::{TABLES, Table, find_plugins, is_called};

/// The least number of Better Auth's own columns that make a table look like one of its tables, whatever its name.
const COLUMNS_MIN: &[(&str, usize)] = &[("user", 5), ("session", 6), ("account", 5), ("verification", 4)];
/// The shortest name that counts as near when it is a part of another.
const NAME_CHARS_MIN: usize = 4;
/// Other words for columns of Better Auth, as a part of a name without case and separators.
const OTHER_WORDS: &[(&str, &[&str])] = &[
    ("banExpires", &["until", "banend", "unban"]),
    ("banned", &["blocked", "suspended", "disabled"]),
    ("emailVerified", &["confirmed"]),
    ("expiresAt", &["expir", "validuntil"]),
    ("image", &["avatar", "picture", "photo"]),
    ("ipAddress", &["ipaddr", "remoteip"]),
    ("password", &["hash"]),
    ("updatedAt", &["modified"]),
];
/// What the names of columns contain that hold a token and its end.
const LIKE_TOKEN: &str = "tok";
const LIKE_END: &str = "expir";

/// Says which tables could be those that have another name: the problem and the line of the `--schema` file. `None` if
/// no table comes near.
pub(super) fn renamed(
    database: &dyn Description,
    overrides: &SchemaOverrides,
) -> Result<Option<(String, String)>, StoreError> {
    let mut missing = Vec::new();
    let mut named: Vec<(String, String)> = Vec::new();
    let mut others = Vec::new();
    for table in TABLES {
        if overrides.table(table.name).is_some() || has_usual_name(database, table)? {
            continue;
        }
        missing.push(table.name);
        let mut near = near_tables(database, table)?.into_iter();
        named.extend(near.next().map(|first| (table.name.to_owned(), first)));
        others.extend(near.map(|other| format!("{other} for {}", table.name)));
    }
    if named.is_empty() {
        return Ok(None);
    }
    let text = file_text(&[("tables", entries(&named))]);
    let mut line = format!("name what the app renamed in a file for --schema: {text}");
    if !others.is_empty() {
        line.push_str("; as near are ");
        line.push_str(&others.join(", "));
    }
    Ok(Some((format!("it has no table {}", missing.join(", ")), line)))
}

/// As [`renamed`], for tables that are surely an app's: one of them looks like that of sessions or accounts, which no other
/// program has.
pub(in crate::store) fn renamed_app(
    database: &dyn Description,
    overrides: &SchemaOverrides,
) -> Result<Option<(String, String)>, StoreError> {
    for table in TABLES.iter().filter(|table| ["session", "account"].contains(&table.name)) {
        if !near_tables(database, table)?.is_empty() {
            return renamed(database, overrides);
        }
    }
    Ok(None)
}

/// Whether no table has the usual name of one of Better Auth's or comes near it.
pub(super) fn is_missing(database: &dyn Description, table: &Table) -> Result<bool, StoreError> {
    Ok(!has_usual_name(database, table)? && near_tables(database, table)?.is_empty())
}

/// Says which tables and views may be those that the app seems to keep outside of the database, although they lack
/// essential columns: the problem and the line of the `--schema` file. Takes the database's name of the table of users.
pub(super) fn suspected(
    database: &dyn Description,
    overrides: &SchemaOverrides,
    user: &str,
) -> Result<Option<(String, String)>, StoreError> {
    let (mut problems, mut tables, mut columns) = (Vec::new(), Vec::new(), Vec::new());
    for table in TABLES.iter().filter(|table| may_be_elsewhere(table.name) && !overrides.has_table(table.name)) {
        if !is_missing(database, table)? {
            continue;
        }
        let suspects = suspects(database, overrides, table, user)?;
        if suspects.is_empty() {
            continue;
        }
        problems.push(format!("it has no table {}, but {} may be it", table.name, suspects.join(" or ")));
        // A view is not written.
        let first = suspects.iter().find_map(|name| database.table(name).transpose()).transpose()?;
        let first = first.map_or("...".to_owned(), |found| found.name);
        let existing = database.columns(&first).unwrap_or_default();
        for column in table.columns.iter().filter(|column| ESSENTIAL.contains(&column.name)) {
            let is_there = existing.iter().any(|one| is_called(&one.name, column.name, false));
            let near = self::columns(&existing, table, column.name).next().filter(|_| !is_there);
            columns.extend(near.map(|near| (format!("{}.{}", table.name, column.name), near.to_owned())));
        }
        tables.push((table.name.to_owned(), first));
    }
    if problems.is_empty() {
        return Ok(None);
    }
    let outside = tables.iter().map(|(table, _)| (table.clone(), None)).collect();
    let line = format!(
        "name what the app renamed in a file for --schema: {}; if the app keeps it outside of this database: {}",
        file_text(&[("tables", entries(&tables)), ("columns", entries(&columns))]),
        file_text(&[("tables", outside)])
    );
    Ok(Some((problems.join(", and "), line)))
}

/// Entries of a `--schema` file.
fn entries(named: &[(String, String)]) -> Entries<'_> {
    named.iter().map(|(key, name)| (key.clone(), Some(name.as_str()))).collect()
}

/// The tables that hold what the missing one would hold, and the views that have a part of its name.
fn suspects(
    database: &dyn Description,
    overrides: &SchemaOverrides,
    table: &Table,
    user: &str,
) -> Result<Vec<String>, StoreError> {
    let catalog = database.catalog()?;
    let plugins = find_plugins(&catalog, user);
    let is_known = |name: &str| {
        let is_core = |core: &Table| {
            let plural = format!("{}s", core.name);
            [overrides.table(core.name), Some(core.name), Some(&plural)]
                .iter()
                .flatten()
                .any(|one| one.eq_ignore_ascii_case(name))
        };
        name.eq_ignore_ascii_case(user)
            || TABLES.iter().any(is_core)
            || plugins.iter().any(|plugin| plugin.table == name)
    };
    let has_name = |name: &str| plain(name).contains(table.name);
    let may_be_it = |other: &CatalogTable| {
        !is_known(&other.name)
            && (holds_same(other, table, user) || has_name(&other.name) && may_hold_same(other, table, user))
    };
    let tables = catalog.iter().filter(|other| may_be_it(other)).map(|other| other.name.clone());
    let views = database.view_names()?;
    Ok(tables.chain(views.into_iter().filter(|name| has_name(name))).collect())
}

/// Whether a table refers to a user and has a token that ends, or has identifiers that end.
fn holds_same(other: &CatalogTable, table: &Table, user: &str) -> bool {
    let has = |part: &str| other.columns.iter().any(|column| plain(&column.name).contains(part));
    let refers = || other.foreign_keys.iter().any(|key| key.parent.eq_ignore_ascii_case(user)) || has("userid");
    let is_alike = if table.name == "session" { has(LIKE_TOKEN) && refers() } else { has("identifier") };
    is_alike && has(LIKE_END)
}

/// Whether a table with a near name may hold the same under other names.
fn may_hold_same(other: &CatalogTable, table: &Table, user: &str) -> bool {
    let has = |parts: &[&str]| {
        let names = || other.columns.iter().map(|column| plain(&column.name));
        parts.iter().any(|part| names().any(|name| name.contains(part)))
    };
    let refers = || other.foreign_keys.iter().any(|key| key.parent.eq_ignore_ascii_case(user));
    let is_alike = if table.name == "session" {
        has(&[LIKE_TOKEN, "secret", "sid", "key", "hash"]) && (refers() || has(&["user", "uid", "account", "member"]))
    } else {
        has(&["identif", "email", "address", "phone", "target"]) && has(&[LIKE_TOKEN, "val", "code", "hash", "secret"])
    };
    is_alike && has(&["exp", "until", "valid", "ttl"])
}

fn has_usual_name(database: &dyn Description, table: &Table) -> Result<bool, StoreError> {
    for name in [table.name.to_owned(), format!("{}s", table.name)] {
        if database.table(&name)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn near_tables(database: &dyn Description, table: &Table) -> Result<Vec<String>, StoreError> {
    let min = COLUMNS_MIN.iter().find(|(name, _)| *name == table.name).map_or(usize::MAX, |(_, min)| *min);
    let mut near = Vec::new();
    for name in database.table_names()? {
        let columns = database.columns(&name)?;
        let has = |wanted: &str| columns.iter().any(|column| is_called(&column.name, wanted, false));
        let count = table.columns.iter().filter(|column| column.core && has(column.name)).count();
        // A near name makes up for a column.
        let is_near = plain(&name).contains(&plain(table.name));
        let essential = ESSENTIAL.iter().filter(|column| table.column(column).is_some());
        if essential.copied().all(has) && count + usize::from(is_near) >= min {
            near.push((usize::from(is_near) + count, name));
        }
    }
    near.sort_by_key(|other| std::cmp::Reverse(other.0));
    Ok(near.into_iter().map(|(_, name)| name).collect())
}

/// The part of a `--schema` file that names a missing column, for each column that comes near. Takes the columns of
/// the table in the database.
pub(super) fn lines_for_column(existing: &[FoundColumn], table: &Table, column: &str) -> Vec<String> {
    columns(existing, table, column).map(|near| line("columns", table.name, column, near)).collect()
}

/// The columns that come near a missing one.
pub(super) fn columns<'c>(
    existing: &'c [FoundColumn],
    table: &'c Table,
    column: &str,
) -> impl Iterator<Item = &'c str> {
    let wanted = plain(column);
    let other_words = OTHER_WORDS.iter().find(|(known, _)| *known == column).map_or(&[][..], |(_, words)| words);
    let is_near = move |name: &str| {
        let name = plain(name);
        let (short, long) = if name.len() < wanted.len() { (&name, &wanted) } else { (&wanted, &name) };
        short.len() >= NAME_CHARS_MIN && long.contains(short.as_str())
            || other_words.iter().any(|word| name.contains(word))
    };
    let is_taken = move |name: &str| table.columns.iter().any(|known| is_called(name, known.name, false));
    existing.iter().map(|one| one.name.as_str()).filter(move |name| is_near(name) && !is_taken(name))
}

/// The name that comes nearest to another one: it contains it, or they begin and end alike.
pub(super) fn nearest<'n>(names: impl Iterator<Item = &'n str>, wanted: &str) -> Option<&'n str> {
    let wanted = plain(wanted);
    let alike = |name: &str| {
        let name = plain(name);
        if name.contains(&wanted) || wanted.contains(&name) {
            return usize::MAX;
        }
        let start = name.chars().zip(wanted.chars()).take_while(|(one, other)| one == other).count();
        let end = name.chars().rev().zip(wanted.chars().rev()).take_while(|(one, other)| one == other).count();
        let (same, longest) = (start + end, name.len().max(wanted.len()));
        if same * 2 > longest { same } else { 0 }
    };
    let near = names.map(|name| (alike(name), name)).filter(|(same, _)| *same > 0);
    near.max_by_key(|(same, _)| *same).map(|(_, name)| name)
}

/// A name without case and separators.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Says which tables are missing, where others are those of Better Auth and none comes near: the problem and the line of
/// the `--schema` file.
fn unnamed(database: &dyn Description, overrides: &SchemaOverrides) -> Result<Option<(String, String)>, StoreError> {
    let (mut whole, mut missing) = (0, Vec::new());
    for table in TABLES {
        let plural = format!("{}s", table.name);
        let names = [overrides.table(table.name).unwrap_or(table.name), &plural];
        let found = database.table(names[0])?.map_or_else(|| database.table(names[1]), |found| Ok(Some(found)))?;
        let Some(found) = found else {
            missing.extend((!may_be_elsewhere(table.name)).then(|| (table.name.to_owned(), "...".to_owned())));
            continue;
        };
        let columns = database.columns(&found.name)?;
        let mut essential = ESSENTIAL.iter().filter(|column| table.column(column).is_some());
        whole +=
            usize::from(essential.all(|wanted| columns.iter().any(|column| is_called(&column.name, wanted, false))));
    }
    if whole < 2 || missing.is_empty() {
        return Ok(None);
    }
    let names: Vec<&str> = missing.iter().map(|(table, _)| table.as_str()).collect();
    let problem = format!("it has no table {}", names.join(", "));
    let text = file_text(&[("tables", entries(&missing))]);
    Ok(Some((problem, format!("name what the app renamed in a file for --schema: {text}"))))
}

/// The error about tables that are missing.
pub(super) fn error(database: &dyn Description, overrides: &SchemaOverrides) -> NotRead {
    match renamed(database, overrides) {
        Ok(Some((problem, remedy))) => NotRead::Renamed { problem, remedy },
        Ok(None) => match unnamed(database, overrides) {
            Ok(Some((problem, remedy))) => NotRead::Renamed { problem, remedy },
            Ok(None) => NotRead::Foreign,
            Err(error) => NotRead::Store(error),
        },
        Err(error) => NotRead::Store(error),
    }
}

/// Requires that the `--schema` file does not give two names of Better Auth to one table or column: authctl would write the
/// values of one over those of the other. Takes the names with those in the database, and what comes before the former.
pub(super) fn require_single<'n>(
    what: &str,
    of: &str,
    found: impl Iterator<Item = (&'n str, Option<&'n str>)>,
) -> Result<(), NotRead> {
    let found: Vec<_> = found.filter_map(|(known, name)| Some((known, name?))).collect();
    for (place, (other, name)) in found.iter().enumerate() {
        if let Some((one, _)) = found[..place].iter().find(|(_, earlier)| earlier.eq_ignore_ascii_case(name)) {
            return Err(NotRead::TwoNames(format!("the {what} {name} would be both {of}{one} and {of}{other}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::store::better_auth::ColumnType;
    use crate::store::sqlite::description::Described;

    const SESSION: &str = "(id, token, user_id, expires_at, created_at, updated_at)";
    const USER: &str = "(id, name, email, email_verified, created_at, updated_at)";
    const ACCOUNT: &str = "(id, account_id, provider_id, user_id, password)";
    const VERIFICATION: &str = "(id, identifier, value, expires_at)";

    fn line(tables: &[(&str, &str)]) -> Option<String> {
        let connection = Connection::open_in_memory().unwrap();
        for (name, columns) in tables {
            connection.execute_batch(&format!("CREATE TABLE {name}{columns}")).unwrap();
        }
        renamed(&Described(&connection), &SchemaOverrides::default()).unwrap().map(|(_, line)| line)
    }

    #[test]
    fn renamed_tables_are_found_by_their_columns() {
        let tables = [("ba_user", USER), ("logins", SESSION), ("ba_account", ACCOUNT), ("codes", VERIFICATION)];
        let line = line(&tables).unwrap();
        let wanted =
            r#"{"tables": {"user": "ba_user", "session": "logins", "account": "ba_account", "verification": "codes"}}"#;
        assert!(line.ends_with(wanted), "{line}");
    }

    #[test]
    fn every_near_table_is_named() {
        let tables = [("old_user", USER), ("people", USER), ("session", SESSION), ("account", ACCOUNT)];
        let line = line(&tables).unwrap();
        assert!(line.ends_with(r#"{"tables": {"user": "old_user"}}; as near are people for user"#), "{line}");
    }

    #[test]
    fn other_tables_are_not_near() {
        assert_eq!(line(&[("post", "(id, title, user_id)"), ("contact", "(id, name, email)")]), None);
    }

    #[test]
    fn nearest_name_is_found() {
        let near = |wanted| nearest(["tenant_id", "plan", "color"].into_iter(), wanted);
        for wanted in ["tenent_id", "tennantId", "TenantID", "tenant", "my_tenant_id", "tennat_id"] {
            assert_eq!(near(wanted), Some("tenant_id"), "{wanted}");
        }
        assert_eq!((near("plam"), near("colour"), near("birthday")), (Some("plan"), Some("color"), None));
    }

    #[test]
    fn near_column_is_named() {
        let column = |name: &str| FoundColumn {
            name: name.into(),
            declared: String::new(),
            not_null: false,
            default: None,
            key: false,
            is_computed: false,
            holds: ColumnType::ShownByValues,
        };
        let existing = ["id", "email", "ban_expires_at", "banned"].map(column);
        let lines = |name| lines_for_column(&existing, &TABLES[0], name);
        assert_eq!(lines("banExpires"), [r#"{"columns": {"user.banExpires": "ban_expires_at"}}"#]);
        assert_eq!(lines("role"), [""; 0]);
    }

    #[test]
    fn column_with_another_word_is_near() {
        for (table, column, found) in [
            ("user", "name", "display_name"),
            ("user", "createdAt", "created"),
            ("user", "emailVerified", "verified"),
            ("user", "emailVerified", "confirmed_at"),
            ("user", "banExpires", "banned_until"),
            ("user", "image", "avatar_url"),
            ("account", "password", "password_hash"),
            ("account", "password", "hashed"),
            ("session", "expiresAt", "expiry"),
        ] {
            let table = TABLES.iter().find(|one| one.name == table).unwrap();
            let existing = [FoundColumn {
                name: found.into(),
                declared: String::new(),
                not_null: false,
                default: None,
                key: false,
                is_computed: false,
                holds: ColumnType::ShownByValues,
            }];
            assert_eq!(columns(&existing, table, column).collect::<Vec<_>>(), [found]);
        }
    }
}
