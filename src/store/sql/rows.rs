//! Conversion between rows and values. An error names table, column and row of a value that makes no sense,
//! and never the value: it may be a secret.

use jiff::Timestamp;

use crate::auth::session::Session;
use crate::auth::storage::{StoreError, WriteBlocker};
use crate::auth::user::{User, left_out};
use crate::store::engine::{Row, Tx, Value, ValueRef};
use crate::store::mapping::{IdStrategy, SchemaMapping, identifier};

/// A column whose value is read up to a number of bytes, and its size. The engine knows the size without
/// reading the value, so memory stays bounded.
macro_rules! bounded {
    ($column:literal, $bytes:literal) => {
        concat!(
            "CASE WHEN octet_length(",
            $column,
            ") <= ",
            $bytes,
            " THEN ",
            $column,
            " END, octet_length(",
            $column,
            ")"
        )
    };
}

/// The columns of a user, in the order in which [`user`] reads them.
pub(in crate::store) const USER: &str = concat!(
    r#""user"."id", "#,
    bounded!(r#""user"."name""#, 100000),
    ", ",
    bounded!(r#""user"."email""#, 100000),
    r#", "user"."emailVerified", "#,
    bounded!(r#""user"."image""#, 1000000),
    r#", "user"."createdAt", "user"."updatedAt", "#,
    bounded!(r#""user"."role""#, 100000),
    r#", "user"."banned", "#,
    bounded!(r#""user"."banReason""#, 100000),
    r#", "user"."banExpires", "user"."twoFactorEnabled""#,
);
/// The address of a user alone; a text with its size when it is too large, as [`left_out`] writes it.
pub(in crate::store) const EMAIL: &str = r#"CASE WHEN octet_length("user"."email") <= 100000 THEN "user"."email"
    ELSE '(' || octet_length("user"."email") || ' bytes, left out)' END"#;
/// How many columns [`USER`] has.
pub(in crate::store) const USER_WIDTH: usize = 17;

/// The columns of a session, in the order in which [`session`] reads them. Tokens are never read back.
pub(in crate::store) const SESSION: &str = concat!(
    r#""session"."id", "session"."userId", "session"."expiresAt", "session"."createdAt", "session"."updatedAt", "#,
    bounded!(r#""session"."ipAddress""#, 100000),
    ", ",
    bounded!(r#""session"."userAgent""#, 100000),
    r#", "session"."impersonatedBy""#,
);

/// Reads a user from the columns that start at `first`.
pub(in crate::store) fn user(row: &Row<'_>, first: usize, mapping: &SchemaMapping) -> Result<User, StoreError> {
    let mut reader = Reader::new(row, "user", first, mapping);
    let id = reader.id()?;
    let name = reader.bounded_text("name")?.ok_or_else(|| reader.nonsense("name", "is null"))?;
    let email = reader.bounded_text("email")?.ok_or_else(|| reader.nonsense("email", "is null"))?;
    let email_verified = reader.truth("emailVerified")?;
    let (image, image_left_out) = reader.bounded("image")?;
    Ok(User {
        id,
        name,
        email,
        email_verified,
        image,
        image_left_out,
        created_at: reader.time("createdAt")?,
        updated_at: reader.time("updatedAt")?,
        role: reader.bounded_text("role")?,
        banned: reader.truth("banned")?,
        ban_reason: reader.bounded_text("banReason")?,
        ban_expires: reader.optional_time("banExpires")?,
        two_factor_enabled: reader.truth("twoFactorEnabled")?,
    })
}

/// Reads a session from the columns that start at `first`.
pub(in crate::store) fn session(row: &Row<'_>, first: usize, mapping: &SchemaMapping) -> Result<Session, StoreError> {
    let mut reader = Reader::new(row, "session", first, mapping);
    Ok(Session {
        id: reader.id()?,
        user_id: reader.text("userId")?,
        expires_at: reader.time("expiresAt")?,
        created_at: reader.time("createdAt")?,
        updated_at: reader.time("updatedAt")?,
        ip_address: reader.bounded_text("ipAddress")?.filter(|text| !text.is_empty()),
        user_agent: reader.bounded_text("userAgent")?.filter(|text| !text.is_empty()),
        impersonated_by: reader.optional_text("impersonatedBy")?,
    })
}

/// Reads an id, which some apps let the database number.
pub(in crate::store) fn key(row: &Row<'_>, column: usize) -> Result<String, StoreError> {
    match row.value(column)? {
        ValueRef::Integer(number) => Ok(number.to_string()),
        _ => row.text(column),
    }
}

/// Reads one column after the other, so that an error can name the column.
struct Reader<'r> {
    row: &'r Row<'r>,
    table: &'static str,
    next: usize,
    id: String,
    mapping: &'r SchemaMapping,
}

impl<'r> Reader<'r> {
    fn new(row: &'r Row<'r>, table: &'static str, first: usize, mapping: &'r SchemaMapping) -> Self {
        Self { row, table, next: first, id: "(unreadable)".into(), mapping }
    }

    fn nonsense(&self, column: &'static str, problem: &str) -> StoreError {
        StoreError::Inconsistent { table: self.table, column, row: self.id.clone(), problem: problem.to_owned() }
    }

    fn value(&mut self, column: &'static str) -> Result<ValueRef<'r>, StoreError> {
        let index = self.next;
        self.next += 1;
        self.row.value(index).map_err(|_| self.nonsense(column, "is missing"))
    }

    fn id(&mut self) -> Result<String, StoreError> {
        let id = self.text("id")?;
        self.id.clone_from(&id);
        Ok(id)
    }

    fn optional_text(&mut self, column: &'static str) -> Result<Option<String>, StoreError> {
        match self.value(column)? {
            ValueRef::Null => Ok(None),
            // Some apps let the database number their rows.
            ValueRef::Integer(number) if column == "id" || column.ends_with("Id") => Ok(Some(number.to_string())),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text.to_owned())),
                Err(_) => Err(self.nonsense(column, "is not valid UTF-8")),
            },
            _ => Err(self.nonsense(column, "is not text")),
        }
    }

    /// Reads a column that [`bounded!`] selects: its text, or the size in bytes of one that is too large.
    fn bounded(&mut self, column: &'static str) -> Result<(Option<String>, Option<u64>), StoreError> {
        let text = self.optional_text(column)?;
        Ok(match self.value(column)? {
            ValueRef::Integer(bytes) if text.is_none() => (None, Some(bytes.unsigned_abs())),
            _ => (text, None),
        })
    }

    fn bounded_text(&mut self, column: &'static str) -> Result<Option<String>, StoreError> {
        let (text, size) = self.bounded(column)?;
        Ok(text.or(size.map(left_out)))
    }

    fn text(&mut self, column: &'static str) -> Result<String, StoreError> {
        self.optional_text(column)?.ok_or_else(|| self.nonsense(column, "is null"))
    }

    /// Reads a boolean. NULL is false: a column that a plugin added has no value in older rows.
    fn truth(&mut self, column: &'static str) -> Result<bool, StoreError> {
        match self.value(column)? {
            ValueRef::Null | ValueRef::Integer(0) => Ok(false),
            ValueRef::Integer(1) => Ok(true),
            _ => Err(self.nonsense(column, "is neither 0 nor 1")),
        }
    }

    fn optional_time(&mut self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        match self.value(column)? {
            ValueRef::Null => Ok(None),
            value => match self.mapping.read_time(self.table, column, value) {
                Some(instant) => Ok(Some(instant)),
                None => {
                    Err(self.nonsense(column, &format!("is not {}", self.mapping.times.of(self.table, column).name())))
                }
            },
        }
    }

    fn time(&mut self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.optional_time(column)?.ok_or_else(|| self.nonsense(column, "is null"))
    }
}

/// Columns and their values.
pub(in crate::store) type Values = Vec<(&'static str, Value)>;

/// Counts the rows of a table.
///
/// SQLite walks all pages for a bare `count(*)` in a single step of its virtual machine, where the limit of
/// steps does not apply. With a condition, every row is a step.
pub(in crate::store) fn count(tx: &mut dyn Tx, mapping: &SchemaMapping, table: &str) -> Result<u64, StoreError> {
    tx.count(&mapping.sql(format!(r#"SELECT count(*) FROM "{table}" WHERE TRUE"#)), &[])
}

/// Adds a row and returns its id, which the database may choose itself.
///
/// # Errors
/// [`StoreError::NoColumn`] when the database has no column for a value.
pub(in crate::store) fn insert(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &'static str,
    id: &str,
    values: Values,
) -> Result<String, StoreError> {
    if let Some((_, blocker)) = mapping.without_new_rows.iter().find(|(of, _)| *of == table) {
        return Err(StoreError::NotOurs(blocker.clone()));
    }
    let id = mapping.id(id);
    let mut row = Vec::new();
    if mapping.ids != IdStrategy::Serial {
        row.push((identifier("id"), Value::Text(id.clone())));
    }
    row.extend(present(mapping, table, values)?.into_iter().map(|(column, value)| (identifier(column), value)));
    let fixed = mapping.fixed.iter().filter(|(owner, _, _)| *owner == table);
    row.extend(fixed.map(|(_, column, value)| (identifier(column), Value::Text(value.clone()))));
    let (columns, values): (Vec<String>, Vec<Value>) = row.into_iter().unzip();
    let places: Vec<String> = (1..=values.len()).map(|number| format!("?{number}")).collect();
    let sql = format!(r#"INSERT INTO "{table}" ({}) VALUES ({})"#, columns.join(", "), places.join(", "));
    let inserted = if mapping.ids == IdStrategy::Serial {
        // Reads all rows, because SQLite checks foreign keys when the statement ends.
        tx.query_all(&mapping.sql(format!(r#"{sql} RETURNING "id""#)), &values, |row| key(row, 0))
            .map(|mut ids| ids.pop())
    } else {
        tx.execute(&mapping.sql(sql), &values).map(|_| Some(id))
    };
    inserted
        .map_err(|error| taken(mapping, error))?
        .ok_or_else(|| StoreError::Engine("the database did not return the id of a new row".into()))
}

/// Changes the row with this id.
///
/// # Errors
/// As for [`insert`].
pub(in crate::store) fn update(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &'static str,
    id: &str,
    values: Values,
) -> Result<(), StoreError> {
    let (columns, mut values): (Vec<&str>, Vec<Value>) = present(mapping, table, values)?.into_iter().unzip();
    let changes = columns.iter().enumerate().map(|(index, column)| format!(r#""{column}" = ?{}"#, index + 1));
    let changes = changes.collect::<Vec<_>>().join(", ");
    values.push(Value::Text(id.to_owned()));
    let sql = format!(r#"UPDATE "{table}" SET {changes} WHERE "id" = ?{}"#, values.len());
    tx.change(&mapping.sql(sql), &values).map_err(|error| taken(mapping, error))?;
    Ok(())
}

/// Deletes the rows with these ids, however large they are.
pub(in crate::store) fn delete<'i>(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &'static str,
    ids: impl IntoIterator<Item = &'i String>,
) -> Result<(), StoreError> {
    let sql = format!(r#"DELETE FROM "{table}" WHERE "id" = ?1"#);
    let delete = mapping.sql(sql);
    for id in ids {
        tx.change(&delete, &[id.into()])?;
    }
    Ok(())
}

/// Converts a violated unique constraint on `user.email` into [`StoreError::EmailTaken`].
fn taken(mapping: &SchemaMapping, error: StoreError) -> StoreError {
    match error {
        StoreError::NotUnique(columns) if columns.split(", ").any(|one| one == mapping.place("user", "email")) => {
            StoreError::EmailTaken
        }
        other => other,
    }
}

/// Leaves out columns that the database lacks, if their values say nothing.
fn present(mapping: &SchemaMapping, table: &'static str, values: Values) -> Result<Values, StoreError> {
    let mut kept = Values::new();
    for (column, value) in values {
        if value != Value::Null && mapping.times.unknown.contains(&(table, column)) {
            return Err(StoreError::NotOurs(WriteBlocker::unknown_encoding(&mapping.place(table, column))));
        }
        if mapping.has(table, column) {
            kept.push((column, value));
        } else if !matches!(&value, Value::Null | Value::Integer(0)) && value != Value::Text(String::new()) {
            return Err(StoreError::NoColumn { table, column });
        }
    }
    Ok(kept)
}
