//! Reads users and sessions from rows. One value that cannot be read never hides its row: [`user`] and [`session`] note
//! its column, and never the value, which may be a secret.

use jiff::Timestamp;

use crate::auth::odd::{NO_ID, OddValue, UNREADABLE, is_odd};
use crate::auth::session::Session;
use crate::auth::storage::StoreError;
use crate::auth::user::{User, left_out};
use crate::store::engine::{Row, ValueRef};
use crate::store::mapping::{IdStrategy, SchemaMapping};

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

/// Reads a user from the columns that start at `first`. A value that cannot be read is noted, and the user has one in
/// its place that grants nothing.
pub(in crate::store) fn user(row: &Row<'_>, first: usize, mapping: &SchemaMapping) -> Result<User, StoreError> {
    let mut reader = Reader { row, table: "user", next: first, odd: Vec::new(), mapping };
    let id = reader.id()?;
    let name = reader.required_text("name")?;
    let email = reader.required_text("email")?;
    let email_verified = reader.truth("emailVerified", false)?;
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
        role: reader.exact_text("role")?,
        banned: reader.truth("banned", true)?,
        ban_reason: reader.bounded_text("banReason")?,
        ban_expires: reader.optional_time("banExpires")?,
        two_factor_enabled: reader.truth("twoFactorEnabled", true)?,
        odd: reader.odd,
    })
}

/// Reads a session from the columns that start at `first`, as [`user`] reads a user.
pub(in crate::store) fn session(row: &Row<'_>, first: usize, mapping: &SchemaMapping) -> Result<Session, StoreError> {
    let mut reader = Reader { row, table: "session", next: first, odd: Vec::new(), mapping };
    Ok(Session {
        id: reader.id()?,
        user_id: reader.reference("userId")?.unwrap_or_default(),
        expires_at: reader.time("expiresAt")?,
        created_at: reader.time("createdAt")?,
        updated_at: reader.time("updatedAt")?,
        ip_address: reader.bounded_text("ipAddress")?.filter(|text| !text.is_empty()),
        user_agent: reader.bounded_text("userAgent")?.filter(|text| !text.is_empty()),
        impersonated_by: reader.impersonator()?,
        odd: reader.odd,
    })
}

/// What is wrong with a value where text is expected.
fn problem_of(value: ValueRef<'_>) -> &'static str {
    match value {
        ValueRef::Null => "is null",
        ValueRef::Text(_) => "is not valid UTF-8",
        _ => "is not text",
    }
}

/// Reads one column after the other, and notes those whose values are odd.
struct Reader<'r> {
    row: &'r Row<'r>,
    table: &'static str,
    next: usize,
    odd: Vec<OddValue>,
    mapping: &'r SchemaMapping,
}

impl<'r> Reader<'r> {
    fn note(&mut self, column: &'static str, problem: impl Into<String>) {
        self.odd.push(OddValue { column, problem: problem.into() });
    }

    fn value(&mut self) -> Result<ValueRef<'r>, StoreError> {
        let index = self.next;
        self.next += 1;
        self.row.value(index)
    }

    fn id(&mut self) -> Result<String, StoreError> {
        Ok(self.reference("id")?.unwrap_or_else(|| NO_ID.to_owned()))
    }

    /// Reads an id that must be there.
    fn reference(&mut self, column: &'static str) -> Result<Option<String>, StoreError> {
        let value = self.value()?;
        let strategy = self.mapping.ids.of_column(self.table, column);
        if !strategy.is_usual(value) {
            self.note(column, problem_of(value));
        }
        Ok(strategy.read(value))
    }

    /// Reads who impersonates. No user has an id that cannot be read, so that the session gives no access.
    fn impersonator(&mut self) -> Result<Option<String>, StoreError> {
        let value = self.value()?;
        if value == ValueRef::Null {
            return Ok(None);
        }
        let strategy = self.mapping.ids.of_column(self.table, "impersonatedBy");
        if !strategy.is_usual(value) {
            self.note("impersonatedBy", problem_of(value));
        }
        Ok(Some(strategy.read(value).unwrap_or_else(|| NO_ID.to_owned())))
    }

    /// Reads text, as far as it is text: a number as its digits, without the bytes that are not UTF-8.
    fn optional_text(&mut self, column: &'static str) -> Result<Option<String>, StoreError> {
        Ok(match self.value()? {
            ValueRef::Null => None,
            ValueRef::Text(bytes) => {
                if std::str::from_utf8(bytes).is_err() {
                    self.note(column, "is not valid UTF-8");
                }
                Some(String::from_utf8_lossy(bytes).into_owned())
            }
            number @ (ValueRef::Integer(_) | ValueRef::Real(_)) => {
                self.note(column, "is a number");
                // The digits, as an id has them.
                IdStrategy::Text.read(number)
            }
            ValueRef::Blob(_) => {
                self.note(column, "is not text");
                None
            }
        })
    }

    /// Reads a column that [`bounded!`] selects: its text, or the size in bytes of one that is too large or not text.
    fn bounded(&mut self, column: &'static str) -> Result<(Option<String>, Option<u64>), StoreError> {
        let text = self.optional_text(column)?;
        Ok(match self.value()? {
            ValueRef::Integer(bytes) if text.is_none() => (None, Some(bytes.unsigned_abs())),
            _ => (text, None),
        })
    }

    fn bounded_text(&mut self, column: &'static str) -> Result<Option<String>, StoreError> {
        let (text, size) = self.bounded(column)?;
        Ok(text.or(size.map(left_out)))
    }

    /// Reads text that must be there; empty if it is not.
    fn required_text(&mut self, column: &'static str) -> Result<String, StoreError> {
        let text = self.bounded_text(column)?;
        if text.is_none() {
            self.note(column, "is null");
        }
        Ok(text.unwrap_or_default())
    }

    /// Reads text that gives rights. A part of it would give other rights than the whole.
    fn exact_text(&mut self, column: &'static str) -> Result<Option<String>, StoreError> {
        let text = self.bounded_text(column)?;
        Ok(text.filter(|_| !is_odd(&self.odd, column)))
    }

    /// Reads a boolean. NULL is false: a column that a plugin added has no value in older rows. `odd` stands for a
    /// value that cannot be read.
    fn truth(&mut self, column: &'static str, odd: bool) -> Result<bool, StoreError> {
        let value = self.value()?;
        let truth = self.mapping.read_truth(self.table, column, value);
        if truth.is_none() {
            self.note(column, "is neither 0 nor 1");
        }
        Ok(truth.unwrap_or(odd))
    }

    fn optional_time(&mut self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        let value = self.value()?;
        let instant = self.mapping.read_time(self.table, column, value);
        if instant.is_none() && value != ValueRef::Null {
            let holds = self.mapping.times.of(self.table, column).name();
            self.note(column, format!("is not {holds}"));
        }
        Ok(instant)
    }

    /// Reads a time that must be there.
    fn time(&mut self, column: &'static str) -> Result<Timestamp, StoreError> {
        let instant = self.optional_time(column)?;
        // The database of an app may lack the column, which then is null in every row.
        if instant.is_none() && self.mapping.has(self.table, column) && !is_odd(&self.odd, column) {
            self.note(column, "is null");
        }
        Ok(instant.unwrap_or(UNREADABLE))
    }
}
