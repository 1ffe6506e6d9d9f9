//! `db init`: makes an empty database, of authctl's own or for a Better Auth app.

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::kind;
use crate::auth::audit::Entry;
use crate::auth::storage::StatePlace;
use crate::cli::values::{self, TimeWord};
use crate::context::Context;
use crate::error::CommandError;
use crate::output::text::escaped;
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;
use crate::store::postgres;
use crate::store::sqlite::{Adapter, ColumnNames, TimeUnit};

pub(super) const EXAMPLES: &str = "Examples:
  authctl --db ./auth.db db init --if-missing
  authctl --db ./app.db db init --better-auth kysely
  authctl --db postgres://db.example.com/app db init --state
  authctl --db ./sqlite.db db init --better-auth drizzle --names camelCase --time seconds

Which one an app needs:
  `database: new Database(...)` in the app, tables made by `auth migrate`
      --better-auth kysely
  `drizzleAdapter(...)`, the schema written by `auth generate` of Better Auth 1.3.27 or later
      --better-auth drizzle
  the same with `mode: \"timestamp\"` in the schema, as versions 1.1 to 1.3.14 wrote it
      --better-auth drizzle --time seconds
  `drizzleAdapter(...)`, a schema with names such as emailVerified and `mode: \"timestamp\"`
      --better-auth drizzle --names camelCase --time seconds
  the same with `mode: \"timestamp_ms\"`
      --better-auth drizzle --names camelCase --time milliseconds

All but those with --names camelCase have the columns of the admin plugin.";

#[derive(Debug, Args)]
pub struct InitArgs {
    /// Succeed when the database is there already; fail when it is not the kind asked for
    #[arg(long)]
    pub if_missing: bool,
    /// Make authctl's own tables in the PostgreSQL database of an app: audit log, throttle and policy
    ///
    /// They go into the schema `authctl`. From then on, every authctl that works with the app uses them in the place
    /// of a file on its own machine, and an act and its log entries are one transaction. Nothing happens if they exist.
    #[arg(long, conflicts_with_all = ["if_missing", "better_auth"])]
    pub state: bool,
    /// Make the tables of a Better Auth app instead, as the app's adapter has them
    #[arg(long, value_enum, value_name = "ADAPTER")]
    pub better_auth: Option<AdapterChoice>,
    /// How the app's Drizzle schema spells columns; `snake_case` unless given
    #[arg(long, value_enum, value_name = "STYLE", requires = "better_auth")]
    pub names: Option<NamesChoice>,
    /// The unit of times in the app's Drizzle schema; milliseconds unless given
    #[arg(long, value_parser = values::unit(), value_name = "UNIT", requires = "better_auth")]
    pub time: Option<TimeWord>,
}

/// Database adapters of Better Auth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AdapterChoice {
    /// The Drizzle adapter; --names and --time say what the app's schema has
    Drizzle,
    /// Better Auth's built-in adapter: what `auth migrate` makes
    Kysely,
}

/// How columns are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NamesChoice {
    /// `email_verified`, as `auth generate` writes it
    #[value(name = "snake_case")]
    SnakeCase,
    /// `emailVerified`, as in a schema written by hand
    #[value(name = "camelCase")]
    CamelCase,
}

const COULD_NOT_MAKE: &str = "could not make the database";

impl InitArgs {
    /// The adapter that the arguments describe; `None` for a database of authctl's own.
    fn adapter(&self) -> Result<Option<Adapter>, CommandError> {
        match (self.better_auth, self.names, unit(self.time)) {
            (None, ..) => Ok(None),
            (Some(AdapterChoice::Drizzle), Some(NamesChoice::CamelCase), None) => Err(CommandError::Usage {
                message: "a schema in camelCase does not show the unit of its times".to_owned(),
                hint: "pass --time seconds for `mode: \"timestamp\"` in the app's schema, --time milliseconds for \"timestamp_ms\"",
            }),
            (Some(choice), names, time) => choice.with(names, time, NamesChoice::SnakeCase).map(Some),
        }
    }
}

/// The unit of an app's times. How text shows times says nothing about the app.
pub(super) fn unit(word: Option<TimeWord>) -> Option<TimeUnit> {
    match word? {
        TimeWord::Seconds => Some(TimeUnit::Seconds),
        TimeWord::Milliseconds => Some(TimeUnit::Milliseconds),
        TimeWord::Local | TimeWord::Utc | TimeWord::Relative => None,
    }
}

impl AdapterChoice {
    /// The adapter with its names and times. Drizzle has the `usual` names unless others are given, and the unit in which
    /// most schemas with such names have their times.
    ///
    /// # Errors
    /// [`CommandError::Usage`] if the adapter has no such choice.
    pub(super) fn with(
        self,
        names: Option<NamesChoice>,
        time: Option<TimeUnit>,
        usual: NamesChoice,
    ) -> Result<Adapter, CommandError> {
        match (self, names, time) {
            (Self::Kysely, None, None) => Ok(Adapter::Kysely),
            (Self::Kysely, ..) => Err(CommandError::Usage {
                message: "kysely has names and times of its own: camelCase and text".to_owned(),
                hint: "leave out --names and --time, or choose drizzle",
            }),
            (Self::Drizzle, names, time) => {
                let names = names.unwrap_or(usual);
                let time = time.unwrap_or(match names {
                    NamesChoice::CamelCase => TimeUnit::Seconds,
                    NamesChoice::SnakeCase => TimeUnit::Milliseconds,
                });
                Ok(Adapter::Drizzle {
                    names: match names {
                        NamesChoice::CamelCase => ColumnNames::CamelCase,
                        NamesChoice::SnakeCase => ColumnNames::SnakeCase,
                    },
                    time,
                })
            }
        }
    }
}

pub(super) fn init(args: &InitArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    if args.state {
        return init_state(context).context(COULD_NOT_MAKE_STATE);
    }
    let wanted = args.adapter()?;
    let place = context.database()?;
    let sign = Context::sign_of_an_app(&place).filter(|_| wanted.is_none());
    if let (DatabaseLocation::Url(_), Some(_)) = (&place.location, &wanted) {
        return Err(CommandError::Usage {
            message: "authctl makes the tables of an app in SQLite files only".to_owned(),
            hint: "on PostgreSQL, `auth migrate` of Better Auth or the tool of your ORM makes them",
        })
        .context(COULD_NOT_MAKE);
    }
    let created = match context.create_database(&place, wanted)? {
        Ok(()) => true,
        Err(_) if args.if_missing => false,
        Err(error) => return Err(error).context(COULD_NOT_MAKE),
    };
    if created {
        let what = format!("{} was created", place.location);
        context.did(what, "look at it with `authctl doctor`");
    }
    // Opening it proves that the new database works, or that the one that exists is usable.
    let app = context.auth_without_times()?.store.guest();
    if let (Some(wanted), false) = (wanted, created) {
        let found = match app {
            None => Some("is authctl's own instead of an app's"),
            Some(schema) if !wanted.fits(schema) => Some("is an app's with another adapter, names or times"),
            Some(_) => None,
        };
        if let Some(found) = found {
            let message = format!("{} is there, and {found}", place.location);
            return Err(CommandError::Differs { message, hint: "name another file with --db" }).context(COULD_NOT_MAKE);
        }
    }
    let is_app = app.is_some();
    if let Some(sign) = sign.filter(|_| created) {
        context.notices.push(format!(
            "an app cannot use this database, and {} is an app's: if the file is meant for it, remove the file and see \
             `authctl db init --help` for --better-auth",
            sign.display()
        ));
    }
    Ok(ReadyReport { database: place.location, created, is_app }.into())
}

const COULD_NOT_MAKE_STATE: &str = "could not make authctl's own tables";

/// Makes authctl's own tables in an app's database. The first entry of their log names the log of this machine, if it has one.
fn init_state(context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.location;
    let usage = |message: &str, hint| Err(CommandError::Usage { message: message.to_owned(), hint }.into());
    let DatabaseLocation::Url(url) = &database else {
        return usage(
            "an app's SQLite file gets no table of another program",
            "authctl keeps them in a file of its own: see `state` in `authctl db status`",
        );
    };
    let Some(place) = context.auth_under_any_policy()?.store.state_place() else {
        return usage(
            "the database is authctl's own and has these tables",
            "for an app in the same database, name its schema with ?schema= in the address",
        );
    };
    if matches!(place, StatePlace::Schema(_)) {
        return Ok(StateReport { database, created: false, previous: None }.into());
    }
    let previous = context.auth_under_any_policy()?.store.newest_entries(1)?.pop();
    let (os_name, acting) = (context.os_name()?, context.acting()?);
    let earlier = match &previous {
        Some(last) => {
            format!("an earlier log is in the {place} of {os_name}; its entry {} has the hash {}", last.seq, last.hash)
        }
        None => format!("no earlier log of {os_name}"),
    };
    // What is open keeps its state in the file.
    context.close_database();
    let address = context.server_address(url)?;
    postgres::create_state(&address, context.wait(), &acting.actor(), &earlier, &context.schema_overrides()?)?;
    context.did(format!("authctl's own tables were made in {database}"), "look at them with `authctl db status`");
    // Opening it proves that the new tables work.
    context.auth_without_times()?;
    if previous.is_some() {
        context
            .notices
            .push(format!("the log, the policy and the throttle in the {place} stay there, and are no longer used"));
    }
    Ok(StateReport { database, created: true, previous }.into())
}

#[derive(Debug)]
struct StateReport {
    database: DatabaseLocation,
    created: bool,
    /// The last entry of the log of this machine.
    previous: Option<Entry>,
}

impl Report for StateReport {
    fn text(&self, _: Timestamp, _: Style) -> Page {
        let database = escaped(&self.database);
        if self.created {
            Page::done(format!("made authctl's own tables in the schema authctl of {database}"))
        } else {
            Page::note(format!("authctl's own tables exist in the schema authctl of {database}"))
        }
    }

    fn json(&self) -> Value {
        let previous = self.previous.as_ref().map(|last| json!({ "seq": last.seq, "hash": last.hash }));
        json!({ "database": self.database.to_string(), "created": self.created, "previousLog": previous })
    }
}

#[derive(Debug)]
struct ReadyReport {
    database: DatabaseLocation,
    created: bool,
    is_app: bool,
}

impl Report for ReadyReport {
    fn text(&self, _: Timestamp, _: Style) -> Page {
        let kind = if self.is_app { "Better Auth database" } else { "database" };
        let database = escaped(&self.database);
        let line = if self.created {
            format!("created the {kind} {database}")
        } else {
            format!("the {kind} {database} exists")
        };
        Page::done_if(self.created, line)
    }

    fn json(&self) -> Value {
        json!({ "database": self.database.to_string(), "created": self.created, "kind": kind(self.is_app) })
    }
}
