//! `db convert`: turns a native database into one of a Better Auth app.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::backup::kept_path;
use super::init::{AdapterChoice, NamesChoice, unit};
use super::kind;
use crate::auth::Auth;
use crate::auth::audit::counted;
use crate::auth::storage::StoreError;
use crate::auth::user::{User, UserRef};
use crate::cli::values::{self, TimeWord};
use crate::commands::codes_file::{CodesFile, WrittenCodes};
use crate::commands::confirm;
use crate::context::Context;
use crate::error::CommandError;
use crate::output::text::{escape, shown};
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::resolve;
use crate::store::sqlite::{self, Adapter, ColumnNames, ConvertOptions, Converted, TimeUnit};

pub(super) const EXAMPLES: &str = "Examples:
  authctl --db ./sqlite.db db convert --to better-auth --dry-run
  authctl --db ./sqlite.db db convert --to better-auth --reset-codes codes.jsonl --ttl 24h --yes
  authctl --db ./app.db db convert --to better-auth --adapter kysely --yes

The app has a schema with names such as emailVerified and `mode: \"timestamp\"`, unless --adapter, --names or
--time say otherwise. `authctl db init --help` says which app needs which.";

#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// Whose database it becomes
    #[arg(long, value_enum, value_name = "KIND")]
    pub to: KindChoice,
    /// The database adapter of the app
    #[arg(long, value_enum, value_name = "ADAPTER", default_value = "drizzle")]
    pub adapter: AdapterChoice,
    /// How the app's Drizzle schema spells columns; `camelCase` unless given
    #[arg(long, value_enum, value_name = "STYLE")]
    pub names: Option<NamesChoice>,
    /// The unit of times in the app's Drizzle schema; unless given, seconds with camelCase and milliseconds with `snake_case`
    #[arg(long, value_parser = values::unit(), value_name = "UNIT")]
    pub time: Option<TimeWord>,
    /// Make a code for each user who needs a new password and is not banned, and write all to a new file, a JSON document per line
    #[arg(long, value_name = "FILE")]
    pub reset_codes: Option<PathBuf>,
    /// How long the codes count, up to 24h
    #[arg(long, value_name = "DURATION", default_value = "1h", requires = "reset_codes", value_parser = values::ttl)]
    pub ttl: SignedDuration,
    /// Say what would happen, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// The programs to which a database can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KindChoice {
    /// An app that uses Better Auth
    BetterAuth,
}

pub(super) fn run(args: &ConvertArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let KindChoice::BetterAuth = args.to;
    let adapter = args.adapter.with(args.names, unit(args.time), NamesChoice::CamelCase)?;
    let path = context.database_file()?;
    // Opening it also shows whether its policy makes sense.
    context.auth()?;
    if context.is_guest() {
        let message = format!("{} belongs to a Better Auth app already", path.display());
        return Err(CommandError::Differs { message, hint: "`authctl db status` describes it" }.into());
    }
    let overrides = context.schema_overrides()?;
    let kept = kept_path(&path, "before-convert", context)?;
    let report = |converted, codes| ConvertReport {
        path: path.clone(),
        adapter,
        kept: kept.clone(),
        converted,
        codes,
        dry_run: args.dry_run,
    };
    let planned = sqlite::plan_conversion(&path, adapter, &overrides, context.wait())??;
    let codes_path = args.reset_codes.as_deref().map(resolve).transpose()?;
    codes_path.as_deref().map_or(Ok(()), CodesFile::require_creatable)?;
    if args.dry_run {
        let count = |path| {
            let mut count = 0;
            for id in &planned.without_password {
                count += u64::from(for_code(id, &mut context.auth()?)?.is_some());
            }
            Ok::<_, anyhow::Error>(WrittenCodes { path, count, ttl: args.ttl })
        };
        let codes = codes_path.map(count).transpose()?;
        return Ok(report(planned, codes).into());
    }
    confirm(&effect(&path, adapter, &planned, &kept), "Convert the database?", context)?;
    let mut codes = codes_path.map(CodesFile::create).transpose()?;
    let options = ConvertOptions { path: &path, kept: &kept, adapter, overrides: &overrides, wait: context.wait() };
    let converted = context.convert_database(&options).inspect_err(|_| {
        codes.iter().for_each(CodesFile::remove);
    })?;
    context.did(
        format!("{} was converted, and is kept as it was in {}", path.display(), kept.display()),
        "look at it with `authctl doctor`; `authctl users reset-code USER` makes a code for a user without a password",
    );
    // Opening it proves that it is what it must be.
    if context.auth()?.store.guest().is_none() {
        let message = format!("{} is not read as the database of an app", path.display());
        return Err(CommandError::Differs { message, hint: "look at it with `authctl db status`" }.into());
    }
    if let Some(file) = &mut codes {
        for id in &converted.without_password {
            let mut auth = context.auth()?;
            if let Some(user) = for_code(id, &mut auth)? {
                let (code, expires_at) = auth.reset_code(&user, args.ttl)?;
                file.add(&user, &code, expires_at)?;
            }
        }
    }
    let codes = codes.map(|file| file.finish(args.ttl)).transpose()?;
    Ok(report(converted, codes).into())
}

/// The user with an id, if a code is made for them. An account may belong to no user, and an app without the admin plugin
/// lets a banned user in.
fn for_code(id: &str, auth: &mut Auth<'_>) -> Result<Option<User>, StoreError> {
    let user = auth.store.user(&UserRef::Id(id.to_owned()))?;
    Ok(user.filter(|user| !user.is_banned(auth.now)))
}

/// What the question says.
fn effect(path: &Path, adapter: Adapter, planned: &Converted, kept: &Path) -> String {
    format!(
        "This turns {} ({}) into the database of a Better Auth app ({}).\n{}; {} and {} end.\n\
         The database as it is now is kept in {}.",
        shown(path),
        counted(planned.users, "user"),
        form(adapter),
        passwords(planned),
        counted(planned.sessions, "session"),
        counted(planned.codes, "code"),
        shown(kept),
    )
}

/// What becomes of the passwords.
fn passwords(converted: &Converted) -> String {
    let (kept, lost) = (converted.passwords_kept, converted.without_password.len() as u64);
    let stay = if kept == 1 { "stays" } else { "stay" };
    let need = if lost == 1 { "needs" } else { "need" };
    format!("{} {stay} valid, {} {need} a new one", counted(kept, "password"), counted(lost, "user"))
}

/// The adapter, its names and its times, as the options of `db init` spell them.
fn described(adapter: Adapter) -> (&'static str, Option<(&'static str, &'static str)>) {
    match adapter {
        Adapter::Kysely => ("kysely", None),
        Adapter::Drizzle { names, time } => {
            let names = match names {
                ColumnNames::CamelCase => "camelCase",
                ColumnNames::SnakeCase => "snake_case",
            };
            let time = match time {
                TimeUnit::Seconds => "seconds",
                TimeUnit::Milliseconds => "milliseconds",
            };
            ("drizzle", Some((names, time)))
        }
    }
}

fn form(adapter: Adapter) -> String {
    let (adapter, choices) = described(adapter);
    choices.map_or_else(|| adapter.to_owned(), |(names, time)| format!("{adapter}, {names}, {time}"))
}

#[derive(Debug)]
struct ConvertReport {
    path: PathBuf,
    adapter: Adapter,
    kept: PathBuf,
    converted: Converted,
    codes: Option<WrittenCodes>,
    dry_run: bool,
}

impl ConvertReport {
    fn notes(&self) -> Vec<String> {
        let Converted { without_password, columns_kept, left_out, .. } = &self.converted;
        let mut notes = Vec::new();
        let lacking =
            (without_password.len() as u64).saturating_sub(self.codes.as_ref().map_or(0, |codes| codes.count));
        if lacking > 0 && self.codes.is_some() {
            let verb = if self.dry_run { "would be" } else { "was" };
            notes.push(format!("no code {verb} made for {}: a banned user gets none", counted(lacking, "user")));
        } else if lacking > 0 {
            notes.push(
                "`authctl users reset-code USER` makes a code with which a user sets a new password, in the app or in authctl"
                    .to_owned(),
            );
        }
        if self.converted.second_factors > 0 {
            let (verb, factors) = (
                if self.dry_run { "would be removed" } else { "removed" },
                counted(self.converted.second_factors, "second factor"),
            );
            notes.push(format!("{factors} {verb}: the app cannot read them, and the password alone signs in"));
        }
        if self.converted.tokens > 0 {
            let verb = if self.dry_run { "would end" } else { "ended" };
            let tokens = counted(self.converted.tokens, "API token");
            notes.push(format!("{tokens} {verb}: the app has keys of its own"));
        }
        if !columns_kept.is_empty() {
            notes.push(format!(
                "columns that the app's schema lacks are kept: {}; the app knows roles and bans with its admin plugin only",
                escape(&columns_kept.join(", "))
            ));
        }
        if !left_out.is_empty() {
            notes.push(format!("left out, because it does not fit the app's tables: {}", escape(&left_out.join(", "))));
        }
        notes
    }
}

impl Report for ConvertReport {
    fn text(&self, _: Timestamp, _: Style) -> Page {
        let Self { path, kept, converted, codes, .. } = self;
        let verb = if self.dry_run { "would turn" } else { "turned" };
        let line = format!(
            "{verb} {} with {} into the database of a Better Auth app ({})",
            shown(path),
            counted(converted.users, "user"),
            form(self.adapter)
        );
        let (sessions, pending) = (counted(converted.sessions, "session"), counted(converted.codes, "code"));
        let ended = format!("{}; {sessions} and {pending} end", passwords(converted));
        let mut page = Page::done_if(!self.dry_run, line);
        let lines = if self.dry_run { &mut page.notes } else { &mut page.done };
        lines.push(ended);
        lines.extend(codes.as_ref().map(|codes| codes.sentence(!self.dry_run)));
        if !self.dry_run {
            lines.push(format!(
                "the database as it was, with its password hashes and its audit log, is kept in {}",
                shown(kept)
            ));
        }
        page.notes.extend(self.notes());
        page
    }

    fn json(&self) -> Value {
        let Converted {
            users,
            passwords_kept,
            without_password,
            sessions,
            codes,
            second_factors,
            tokens,
            columns_kept,
            left_out,
            settings,
        } = &self.converted;
        let (adapter, choices) = described(self.adapter);
        let (names, time) = choices.unzip();
        let is_done = !self.dry_run;
        json!({
            "database": self.path.to_string_lossy(),
            "kind": kind(is_done),
            "adapter": adapter,
            "names": names,
            "time": time,
            "users": users,
            "passwordsKept": passwords_kept,
            "withoutPassword": without_password,
            "resetCodes": self.codes.as_ref().map(|codes| codes.path.to_string_lossy()),
            "resetCodesWritten": self.codes.as_ref().map(|codes| codes.count),
            "sessionsEnded": sessions,
            "codesEnded": codes,
            "secondFactorsRemoved": second_factors,
            "tokensEnded": tokens,
            "settingsKept": settings,
            "columnsKept": columns_kept,
            "leftOut": left_out,
            "kept": is_done.then(|| self.kept.to_string_lossy()),
            "dryRun": self.dry_run,
        })
    }
}
