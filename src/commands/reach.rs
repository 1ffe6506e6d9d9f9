//! What a command does not reach of an app: rows outside of its database, and copies of sessions that no change of a
//! database ends. One list serves the notices and the fields of JSON.

use serde_json::{Value, json};

use super::users::lockdown::{access_json, listed};
use crate::auth::access::{AccessCounts, AccessKind};
use crate::auth::storage::{GuestSchema, WriteBlocker, WriteScope};
use crate::auth::user::User;
use crate::context::Context;

/// What an app has that a command does not reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreached {
    /// Rows that the app keeps elsewhere, such as in Redis.
    SecondaryStorage,
    /// Rows of a table that the database lacks, or that lacks a column.
    IncompleteSchema,
    /// Copies of sessions in cookies.
    CookieCache,
    /// Tokens that carry their own signature.
    Jwt,
    /// Links that verify an address. They are signed and have no row.
    VerificationLink,
}

impl Unreached {
    /// The name for programs.
    fn code(self) -> &'static str {
        match self {
            Self::SecondaryStorage => "SECONDARY_STORAGE",
            Self::IncompleteSchema => "INCOMPLETE_SCHEMA",
            Self::CookieCache => "COOKIE_CACHE",
            Self::Jwt => "JWT",
            Self::VerificationLink => "VERIFICATION_LINK",
        }
    }
}

const COOKIES: &str =
    "if the app caches sessions in cookies they go on there until the cache ends, after 5 minutes by default";
const OUTSIDE: &str = "sessions and keys that the app keeps outside this database are not reached";
const JWTS: &str = "JWTs that the app signed are valid until they expire; no table has them";
const LINKS: &str = "links that verify an address are signed and work until they expire, after 1 hour by default";
/// Without the column no code can be found by its user.
const NO_OWNERS: &str = "codes of the user were not ended: the app's table of verifications has no column `value`, which names \
                         their user";
/// Without the column no session is known to be live.
const NO_ENDS: &str = "the app's table of sessions has no column `expiresAt`: no session counts as live";

/// How far a command reaches. Empty in authctl's own databases, which hold everything.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// Whether the command ends rows in the database of an app.
    ends: bool,
    /// The tables whose rows cannot be counted, by Better Auth's names.
    uncounted: Vec<&'static str>,
    unreached: Vec<(Unreached, String)>,
    /// The access to the account of a user that an act leaves.
    still_open: Option<AccessCounts>,
}

impl Reach {
    /// The reach of a command that only reads rows of some tables.
    pub(super) fn to_find(tables: &[&'static str], context: &Context) -> Self {
        context.guest().map(|schema| Self::into(schema, tables, "none was found here")).unwrap_or_default()
    }

    /// The reach of a command that checks a database. Its findings name what the schema lacks.
    pub(super) fn to_check(context: &Context) -> Self {
        let mut reach = Self::to_find(&["session", "verification"], context);
        reach.unreached.retain(|(unreached, _)| *unreached == Unreached::SecondaryStorage);
        reach
    }

    /// The reach of a command that ends rows of some tables.
    pub(super) fn to_end(tables: &[&'static str], context: &Context) -> Self {
        let Some(schema) = context.guest().filter(|_| !tables.is_empty()) else { return Self::default() };
        let mut reach = Self::into(schema, tables, "none was found here, and none was ended");
        reach.ends = true;
        if tables.contains(&"session") && schema.unreached("session").is_none() {
            reach.add(Unreached::CookieCache, COOKIES);
            reach.add(Unreached::SecondaryStorage, OUTSIDE);
        }
        reach
    }

    fn into(schema: &GuestSchema, tables: &[&'static str], what_was_done: &str) -> Self {
        let mut reach = Self::default();
        let mut outside = Vec::new();
        for table in tables {
            let rows = match *table {
                "session" => "sessions",
                "verification" => "codes",
                _ => "accounts",
            };
            reach.uncounted.extend((!schema.counts(table)).then_some(*table));
            match schema.unreached(table) {
                Some(WriteBlocker { scope: WriteScope::Elsewhere(_), .. }) => outside.push(rows),
                Some(WriteBlocker { problem, remedy, .. }) => reach
                    .add(Unreached::IncompleteSchema, format!("{problem}: no {rows} were found or changed; {remedy}")),
                None if *table == "verification" && !schema.counts(table) => {
                    reach.add(Unreached::IncompleteSchema, NO_OWNERS);
                }
                None if *table == "session" && !schema.counts(table) => {
                    reach.add(Unreached::IncompleteSchema, NO_ENDS);
                }
                None => {}
            }
        }
        if !outside.is_empty() {
            let kept = format!("the app keeps its {} outside of this database", outside.join(" and "));
            reach.unreached.insert(0, (Unreached::SecondaryStorage, format!("{kept}: {what_was_done}")));
        }
        reach
    }

    fn add(&mut self, unreached: Unreached, message: impl Into<String>) {
        self.unreached.push((unreached, message.into()));
    }

    /// Adds the tokens that the app signed, if it signs any.
    #[must_use]
    pub(super) fn beside_jwts(mut self, signs_jwts: bool) -> Self {
        if signs_jwts {
            self.add(Unreached::Jwt, JWTS);
        }
        self
    }

    /// Adds the links that the app signed.
    #[must_use]
    pub(super) fn beside_links(mut self) -> Self {
        if self.ends {
            self.add(Unreached::VerificationLink, LINKS);
        }
        self
    }

    /// Adds the access to an account that the act leaves open, with a notice about it. The act is done, whether the rest
    /// can be read or not.
    #[must_use]
    pub(super) fn leaving(mut self, user: &User, is_left: impl Fn(AccessKind) -> bool, context: &mut Context) -> Self {
        let access = context.auth().ok().filter(|_| self.ends).and_then(|mut auth| auth.account_access(user).ok());
        let Some(access) = access else { return self };
        let open = access.counts.only(is_left);
        if let Some(listed) = listed(&open) {
            let email = &user.email;
            let command = format!("`authctl users lockdown {email}` ends that");
            context.notices.push(format!("still open for {email}: {listed}; {command}"));
        }
        self.still_open = Some(open);
        self.beside_jwts(access.signs_jwts)
    }

    /// Adds a notice for each thing that was not reached.
    pub(super) fn note(&self, context: &mut Context) {
        context.notices.extend(self.unreached.iter().map(|(_, message)| message.clone()));
    }

    /// Whether the database shows the rows of a table.
    pub(super) fn reaches(&self, table: &str) -> bool {
        !self.uncounted.contains(&table)
    }

    /// A number of rows of a table; `None` if the database cannot tell.
    pub(super) fn count(&self, table: &str, count: u64) -> Option<u64> {
        self.reaches(table).then_some(count)
    }

    /// What was not reached, for programs.
    pub(super) fn json(&self) -> Value {
        let one = |(unreached, message): &(Unreached, String)| json!({ "code": unreached.code(), "message": message });
        self.unreached.iter().map(one).collect()
    }

    /// Adds [`Self::fields`] to a document.
    pub(super) fn add_to(&self, document: &mut Value) {
        for (name, value) in self.fields() {
            document[name] = value;
        }
    }

    /// The fields of JSON that an act on the database of an app has.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let still_open = self.still_open.as_ref().map(|open| ("stillOpen", access_json(open)));
        still_open.into_iter().chain(self.ends.then(|| ("notReached", self.json())))
    }
}
