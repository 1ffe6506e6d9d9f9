//! Creates the database of a Better Auth app, with exactly the tables that Better Auth's own tools create.

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use crate::auth::storage::{GuestColumn, GuestSchema};
use crate::store::OpenError;
use crate::store::mapping::TimeEncoding;
use crate::store::sqlite::build;
use crate::store::sqlite::error::SqliteResult as _;

/// The database adapter of an app, which decides the names and encodings of its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adapter {
    /// The names and the numbers of the app's own schema.
    Drizzle { names: ColumnNames, time: TimeUnit },
    /// Better Auth's built-in adapter: its own names, instants as text.
    Kysely,
}

/// How the schema of an app spells columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnNames {
    /// As in a schema written by hand; without the columns of plugins.
    CamelCase,
    /// As `auth generate` writes it, here with the columns of the admin plugin.
    SnakeCase,
}

/// The unit of instants in a schema whose columns are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    Seconds,
    Milliseconds,
}

/// The defaults of columns with the current time, one per unit.
const SECONDS: &str = "(unixepoch())";
const MILLISECONDS: &str = "(cast(unixepoch('subsecond') * 1000 as integer))";

impl Adapter {
    /// The statements that create the tables.
    pub(super) fn tables(self) -> Cow<'static, str> {
        let (tables, unit) = match self {
            Self::Kysely => return Cow::Borrowed(include_str!("../../../schemas/better-auth/kysely.sql")),
            Self::Drizzle { names: ColumnNames::SnakeCase, time } => {
                (include_str!("../../../schemas/better-auth/drizzle.sql"), time)
            }
            Self::Drizzle { names: ColumnNames::CamelCase, time } => {
                (include_str!("../../../schemas/better-auth/drizzle-camel-case.sql"), time)
            }
        };
        Cow::Owned(match unit {
            TimeUnit::Seconds => tables.replace(MILLISECONDS, SECONDS),
            TimeUnit::Milliseconds => tables.replace(SECONDS, MILLISECONDS),
        })
    }

    /// Whether the tables of an app have the names and the encoding of instants of this adapter.
    pub fn fits(self, schema: &GuestSchema) -> bool {
        let user = schema.tables.iter().find(|table| table.name == "user");
        let created = user.and_then(|user| user.columns.iter().find(|column| column.name == "createdAt"));
        let Some(GuestColumn { physical: Some(name), declared, .. }) = created else { return false };
        match self {
            Self::Kysely => declared.eq_ignore_ascii_case("date"),
            Self::Drizzle { names, time } => {
                let (spelled, encoding) = match (names, time) {
                    (ColumnNames::CamelCase, TimeUnit::Seconds) => ("createdAt", TimeEncoding::Seconds),
                    (ColumnNames::CamelCase, TimeUnit::Milliseconds) => ("createdAt", TimeEncoding::Milliseconds),
                    (ColumnNames::SnakeCase, TimeUnit::Seconds) => ("created_at", TimeEncoding::Seconds),
                    (ColumnNames::SnakeCase, TimeUnit::Milliseconds) => ("created_at", TimeEncoding::Milliseconds),
                };
                declared.eq_ignore_ascii_case("integer") && name == spelled && schema.time == encoding.name()
            }
        }
    }
}

/// Creates an app's database at an absolute path whose directory exists. The journal mode stays SQLite's default,
/// because the app decides it.
///
/// # Errors
/// As for [`crate::store::sqlite::create()`].
pub fn create_for_app(path: &Path, adapter: Adapter, wait: Duration) -> Result<(), OpenError> {
    build(path, wait, |connection| connection.execute_batch(&adapter.tables()).engine())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use rusqlite::Connection;

    use super::*;
    use crate::auth::fixtures::at;
    use crate::auth::password::Scheme;
    use crate::auth::storage::{Maintenance as _, NewUserRow, Store as _};
    use crate::store::SchemaOverrides;
    use crate::store::sqlite::{Opened, open};

    const WAIT: Duration = Duration::from_secs(5);

    const fn drizzle(names: ColumnNames, time: TimeUnit) -> Adapter {
        Adapter::Drizzle { names, time }
    }

    /// Each adapter, the encoding of instants, and whether its tables have the columns of the admin plugin.
    const ADAPTERS: [(Adapter, &str, bool); 5] = [
        (drizzle(ColumnNames::SnakeCase, TimeUnit::Milliseconds), "a number of milliseconds", true),
        (drizzle(ColumnNames::SnakeCase, TimeUnit::Seconds), "a number of seconds", true),
        (drizzle(ColumnNames::CamelCase, TimeUnit::Milliseconds), "a number of milliseconds", false),
        (drizzle(ColumnNames::CamelCase, TimeUnit::Seconds), "a number of seconds", false),
        (Adapter::Kysely, "a time such as 2026-11-23T13:28:40.302Z", true),
    ];

    fn directory() -> tempfile::TempDir {
        let private = std::fs::Permissions::from_mode(0o700);
        tempfile::Builder::new().prefix("authctl-").permissions(private).tempdir().unwrap()
    }

    /// Every object of a schema (type, name, table, SQL) and every column as SQLite describes it.
    fn described(connection: &Connection) -> Vec<String> {
        let objects =
            "SELECT type || ' ' || name || ' of ' || tbl_name || ': ' || coalesce(sql, '-') FROM sqlite_schema";
        let columns = r#"SELECT object.name || '.' || col.name || ' ' || col.type || ' ' || col."notnull" || ' '
            || coalesce(col.dflt_value, '-') || ' ' || col.pk
            FROM sqlite_schema AS object JOIN pragma_table_info(object.name) AS col WHERE object.type = 'table'"#;
        let mut found: Vec<String> = Vec::new();
        for sql in [objects, columns] {
            let mut statement = connection.prepare(sql).unwrap();
            found.extend(statement.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap));
        }
        found.sort();
        found
    }

    fn opened(path: &Path) -> crate::store::SqlStore {
        match open(path, WAIT, &SchemaOverrides::default()).unwrap() {
            Opened::Guest(app) => {
                app.with(|_| crate::store::State::open(&path.with_file_name("state.db"), WAIT)).unwrap()
            }
            Opened::Own(_) => unreachable!("an app made the database"),
        }
    }

    #[test]
    fn created_tables_equal_those_of_the_real_library() {
        for (adapter, fixture, without) in [
            (drizzle(ColumnNames::SnakeCase, TimeUnit::Milliseconds), "drizzle-ms", ""),
            // authctl adds the defaults that show the unit.
            (drizzle(ColumnNames::CamelCase, TimeUnit::Seconds), "article", SECONDS),
            (Adapter::Kysely, "kysely", ""),
        ] {
            let directory = directory();
            let path = directory.path().canonicalize().unwrap().join("app.db");
            create_for_app(&path, adapter, WAIT).unwrap();
            let made = Connection::open(&path).unwrap();

            let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/better-auth");
            let real = Connection::open_in_memory().unwrap();
            real.execute_batch(&std::fs::read_to_string(fixtures.join(fixture).with_extension("sql")).unwrap())
                .unwrap();
            let mut found = described(&made);
            if !without.is_empty() {
                let bare = |line: &String| line.replace(&format!(" DEFAULT {without}"), "").replace("unixepoch()", "-");
                found = found.iter().map(bare).collect();
                found.sort();
            }
            assert_eq!(found, described(&real), "{adapter:?}");

            let number =
                |name: &str| made.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).unwrap();
            assert_eq!((number("application_id"), number("user_version")), (0, 0), "{adapter:?}");
            let journal: String = made.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
            assert_eq!(journal, "delete");
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn created_database_is_recognised_and_takes_a_user() {
        for (adapter, time, has_roles) in ADAPTERS {
            let directory = directory();
            let path = directory.path().canonicalize().unwrap().join("app.db");
            create_for_app(&path, adapter, WAIT).unwrap();
            let mut store = opened(&path);
            let app = store.info(at(0)).unwrap().guest.unwrap();
            assert_eq!((app.time.as_str(), app.write_blockers.as_slice()), (time, [].as_slice()), "{adapter:?}");
            assert!(matches!(store.scheme().unwrap(), Scheme::Guest(_)), "{adapter:?}");
            let fitting = ADAPTERS.iter().filter(|(other, ..)| other.fits(&app)).map(|(other, ..)| *other);
            assert_eq!(fitting.collect::<Vec<_>>(), [adapter]);

            let root = NewUserRow {
                id: "root".into(),
                account_id: "account".into(),
                email: crate::auth::email::Email::parse("root@example.com").unwrap(),
                name: "Root".into(),
                image: None,
                email_verified: true,
                role: has_roles.then(|| "admin".into()),
                ban: None,
                created_at: at(0),
                updated_at: at(0),
            };
            let (made, _) = store.create_user(&root, None, None).unwrap();
            assert_eq!((made.role, made.created_at), (root.role, at(0)), "{adapter:?}");
        }
    }
}
