//! From rows to values. What makes no sense becomes an error that names table, column and row, and
//! never the value: it may be a secret.

use jiff::Timestamp;

use super::tx::{Row, ValueRef};
use crate::auth::session::Session;
use crate::auth::storage::StoreError;
use crate::auth::user::{User, left_out};
use crate::store::mapping::SchemaMapping;

/// Sizes below are values of a column that should be text, and no sizes.
const BOUND_MIN: i64 = 100_000;

/// The columns of a user, in the order in which [`user`] reads them. Instead of a text that is larger than
/// what is read stands its size in bytes. SQLite tells the size without reading the text, so that neither
/// memory nor the limit of a value is touched.
pub(in crate::store) const USER: &str = r#""user"."id",
    CASE WHEN octet_length("user"."name") > 100000 THEN octet_length("user"."name") ELSE "user"."name" END,
    CASE WHEN octet_length("user"."email") > 100000 THEN octet_length("user"."email") ELSE "user"."email" END,
    "user"."emailVerified",
    CASE WHEN octet_length("user"."image") > 1000000 THEN octet_length("user"."image") ELSE "user"."image" END,
    "user"."createdAt", "user"."updatedAt",
    CASE WHEN octet_length("user"."role") > 100000 THEN octet_length("user"."role") ELSE "user"."role" END,
    "user"."banned",
    CASE WHEN octet_length("user"."banReason") > 100000 THEN octet_length("user"."banReason")
    ELSE "user"."banReason" END,
    "user"."banExpires", "user"."twoFactorEnabled""#;
/// The address of a user alone, or what stands for one that is too large, as [`left_out`] has it.
pub(in crate::store) const EMAIL: &str = r#"CASE WHEN octet_length("user"."email") > 100000
    THEN '(' || octet_length("user"."email") || ' bytes, left out)' ELSE "user"."email" END"#;
/// How many columns [`USER`] has.
pub(in crate::store) const USER_WIDTH: usize = 12;

/// The columns of a session, in the order in which [`session`] reads them. The token is not among
/// them: nobody needs it back.
pub(in crate::store) const SESSION: &str = r#""session"."id", "session"."userId", "session"."expiresAt",
    "session"."createdAt", "session"."updatedAt",
    CASE WHEN octet_length("session"."ipAddress") > 100000 THEN octet_length("session"."ipAddress")
    ELSE "session"."ipAddress" END,
    CASE WHEN octet_length("session"."userAgent") > 100000 THEN octet_length("session"."userAgent")
    ELSE "session"."userAgent" END,
    "session"."impersonatedBy""#;

/// Reads a user from the columns that start at `first`.
pub(in crate::store) fn user(row: &Row<'_>, first: usize, mapping: &SchemaMapping) -> Result<User, StoreError> {
    let mut reader = Reader::new(row, "user", first, mapping);
    let (id, name, email) = (reader.id()?, reader.text("name")?, reader.text("email")?);
    let email_verified = reader.truth("emailVerified")?;
    let (image, image_left_out) = match reader.bounded_text("image")? {
        Some(Bounded::Text(image)) => (Some(image), None),
        Some(Bounded::Size(bytes)) => (None, Some(bytes)),
        None => (None, None),
    };
    Ok(User {
        id,
        name,
        email,
        email_verified,
        image,
        image_left_out,
        created_at: reader.time("createdAt")?,
        updated_at: reader.time("updatedAt")?,
        role: reader.optional_text("role")?,
        banned: reader.truth("banned")?,
        ban_reason: reader.optional_text("banReason")?,
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
        ip_address: reader.optional_text("ipAddress")?.filter(|text| !text.is_empty()),
        user_agent: reader.optional_text("userAgent")?.filter(|text| !text.is_empty()),
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

/// The columns instead of which a size may stand.
const BOUNDED: [&str; 7] = ["name", "email", "image", "role", "banReason", "ipAddress", "userAgent"];

/// A text, or the size in bytes of one that is too large to be read.
enum Bounded {
    Text(String),
    Size(u64),
}

/// Reads one column after the other and knows where it is when something is wrong.
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

    /// A text that is too large is told by its size.
    fn optional_text(&mut self, column: &'static str) -> Result<Option<String>, StoreError> {
        Ok(self.bounded_text(column)?.map(|text| match text {
            Bounded::Text(text) => text,
            Bounded::Size(bytes) => left_out(bytes),
        }))
    }

    fn bounded_text(&mut self, column: &'static str) -> Result<Option<Bounded>, StoreError> {
        match self.value(column)? {
            ValueRef::Null => Ok(None),
            // Some apps let the database number their rows.
            ValueRef::Integer(number) if column == "id" || column.ends_with("Id") => {
                Ok(Some(Bounded::Text(number.to_string())))
            }
            ValueRef::Integer(bytes) if bytes > BOUND_MIN && BOUNDED.contains(&column) => {
                Ok(Some(Bounded::Size(bytes.unsigned_abs())))
            }
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(Bounded::Text(text.to_owned()))),
                Err(_) => Err(self.nonsense(column, "is not valid UTF-8")),
            },
            _ => Err(self.nonsense(column, "is not text")),
        }
    }

    fn text(&mut self, column: &'static str) -> Result<String, StoreError> {
        self.optional_text(column)?.ok_or_else(|| self.nonsense(column, "is null"))
    }

    /// Null is no: the columns that plugins add have no value in rows that were there before.
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
            value => match self.mapping.read_time(value) {
                Some(instant) => Ok(Some(instant)),
                None => Err(self.nonsense(column, &format!("is not {}", self.mapping.time.name()))),
            },
        }
    }

    fn time(&mut self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.optional_time(column)?.ok_or_else(|| self.nonsense(column, "is null"))
    }
}
