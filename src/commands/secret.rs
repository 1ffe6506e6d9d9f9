//! `secret`: what a database encrypts with a secret that it does not have, and another secret for it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::list_flags::ListFlags;
use super::{Attempt as _, activity, confirm};
use crate::auth::app_secrets::{Reading, Rotation, VersionedSecret};
use crate::auth::audit::counted;
use crate::auth::second_factor::KeyUse;
use crate::auth::storage::SecretChanges;
use crate::context::Context;
use crate::error::{CommandError, ExitCode};
use crate::output::list::{Cell, Item, Rows};
use crate::output::table::{Column, Tone};
use crate::output::text::{escape, escaped};
use crate::output::{Listing, Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;

pub(crate) const EXAMPLES: &str = "Examples:
  authctl secret check
  authctl secret rotate --dry-run";

#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Say which encrypted values can be read, and with which secret
    ///
    /// In the database of a Better Auth app these are the secrets and backup codes of second factors, the keys that
    /// sign tokens, and encrypted tokens of providers. The environment gives the secrets, as the app has them: see
    /// `authctl help environment`. In a database that authctl made these are the secrets of second factors, and the file of keys
    /// reads them. The exit code is 1 if a value cannot be read.
    #[command(after_help = "Examples:
  authctl secret check
  BETTER_AUTH_SECRETS=2:$NEW BETTER_AUTH_SECRET=$OLD authctl --db app.db secret check")]
    Check(CheckArgs),
    /// Encrypt every value with a new secret, in one transaction
    ///
    /// In the database of a Better Auth app the new secret is the first one that the environment gives: see
    /// `authctl help environment`. Stop the app, rotate, and start it with the same values. Every user signs in again after
    /// that, because the app signs cookies with its secret. In a database that authctl made this adds a key to the file
    /// of keys.
    #[command(after_help = "Examples:
  authctl secret rotate --yes
  BETTER_AUTH_SECRETS=2:$NEW BETTER_AUTH_SECRET=$OLD authctl --db app.db secret rotate --dry-run
  BETTER_AUTH_SECRET=$NEW authctl --db app.db secret rotate --old-secret-file old --yes")]
    Rotate(RotateArgs),
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    pub old: OldSecretArgs,
    #[command(flatten)]
    pub list: ListFlags,
}

#[derive(Debug, Args)]
pub struct OldSecretArgs {
    /// Also try the secret in this file; repeat it for several
    #[arg(long, value_name = "PATH")]
    pub old_secret_file: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub struct RotateArgs {
    #[command(flatten)]
    pub old: OldSecretArgs,
    /// Let keys expire that sign tokens and cannot be read; the app makes another one
    #[arg(long)]
    pub expire_keys: bool,
    /// Leave values as they are that cannot be read
    #[arg(long)]
    pub leave_unreadable: bool,
    /// Say what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

pub(super) fn run(command: &SecretCommand, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        SecretCommand::Check(args) => check(args, context).attempt("could not check the secrets"),
        SecretCommand::Rotate(args) => rotate(args, context).attempt("could not change the secret"),
    }
}

/// Reads the secrets of an app. Returns whether the database is an app's.
fn take_secrets(args: &OldSecretArgs, context: &mut Context) -> anyhow::Result<bool> {
    if context.auth()?.store.guest().is_none() {
        if args.old_secret_file.is_empty() {
            return Ok(false);
        }
        let message = "--old-secret-file is for the database of a Better Auth app".to_owned();
        let hint = "AUTHCTL_KEY_FILE names the file of keys of a database that authctl made";
        return Err(CommandError::Usage { message, hint }.into());
    }
    if context.auth()?.app_secrets.is_empty() {
        let message = "no secret of the app is given".to_owned();
        let hint = "set BETTER_AUTH_SECRET, or BETTER_AUTH_SECRETS, as the app has it";
        return Err(CommandError::Usage { message, hint }.into());
    }
    for path in &args.old_secret_file {
        let secret = context.prompt().app_secret(path)?;
        context.add_app_secret(VersionedSecret::new(None, path.display().to_string(), &secret));
    }
    Ok(true)
}

/// Tries the secrets of the app, or the keys of authctl, on every value.
fn scan(is_app: bool, context: &mut Context) -> anyhow::Result<Vec<Values>> {
    let _activity = activity("reading encrypted values", context);
    if is_app {
        let scan = context.auth()?.scan_app_secrets()?;
        let values = scan.0.into_iter().map(|((column, reading), count)| {
            let (table, column) = column.place();
            Values::of_app(format!("{table}.{column}"), reading, count)
        });
        return Ok(values.collect());
    }
    Ok(context.auth()?.factor_key_uses()?.into_iter().map(Values::of_key).collect())
}

fn check(args: &CheckArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.location;
    let is_app = take_secrets(&args.old, context)?;
    let values = scan(is_app, context)?;
    let unreadable = values.iter().filter(|values| values.state == UNREADABLE).map(|values| values.count).sum();
    let place = escaped(&database);
    let note = match unreadable {
        _ if values.is_empty() => format!("nothing in {place} is encrypted"),
        0 => format!("every encrypted value in {place} can be read"),
        count => format!("{} in {place} cannot be read", counted(count, "value")),
    };
    let rows = Rows {
        name: "values",
        columns: COLUMNS.to_vec(),
        items: values.iter().map(Values::item).collect(),
        fields: vec![("unreadable", json!(unreadable)), ("database", json!(database.to_string()))],
        notes: vec![note],
        exit_code: if unreadable > 0 { ExitCode::Failed } else { ExitCode::Done },
    };
    Ok(Outcome::list(Listing::Rows(rows), args.list.layout()))
}

const COLUMNS: [Column; 4] = [
    Column::whole("COLUMN"),
    Column::whole("VALUES"),
    Column::whole("STATE").toned(tone),
    Column::shrinking("SECRET", 10, 1),
];

fn tone(state: &str) -> Tone {
    match state {
        UNREADABLE => Tone::Bad,
        "older" => Tone::Warning,
        _ => Tone::Good,
    }
}

/// What the app does after its secret was changed.
const COOKIES: &str = "the app accepts no cookie that it signed with the former secret: every user signs in again, and asks \
                       for new links of mail that verify an address; trusted devices are asked for the second factor";

fn rotate(args: &RotateArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.location;
    let is_app = take_secrets(&args.old, context)?;
    let rotation = Rotation { expire_keys: args.expire_keys, leave_unreadable: args.leave_unreadable };
    let (planned, secret) = plan(is_app, rotation, context)?;
    if args.dry_run || is_app && planned == SecretChanges::default() {
        return Ok(Rotated { changes: planned, secret, is_app, dry_run: args.dry_run, database }.into());
    }
    let what = if is_app {
        format!("This encrypts what the app of {} encrypted again, with {secret}", escaped(&database))
    } else {
        format!(
            "This encrypts the secrets of second factors in {} again, with a new key in {secret}",
            escaped(&database)
        )
    };
    let mut effect = format!("{what}: {}.", counted(planned.written, "value"));
    if planned.expired > 0 {
        effect = format!("{effect}\nKeys that sign tokens and expire: {}.", planned.expired);
    }
    if is_app {
        effect = format!("{effect}\nWith another secret than before, {COOKIES}.");
    }
    confirm(&effect, "Change the secret?", context)?;
    let (changes, secret) = if is_app {
        (context.auth()?.rotate_app_secrets(rotation)?, secret)
    } else {
        let (key, written) = context.auth()?.change_factor_key()?;
        (SecretChanges { written, expired: 0 }, key)
    };
    Ok(Rotated { changes, secret, is_app, dry_run: false, database }.into())
}

/// What would change, and the name of what encrypts then: the secret of the app, or the file of keys.
fn plan(is_app: bool, rotation: Rotation, context: &mut Context) -> anyhow::Result<(SecretChanges, String)> {
    let mut auth = context.auth()?;
    if is_app {
        let planned = rotation.plan(&auth.scan_app_secrets()?)?;
        return Ok((planned, auth.app_secrets.current().unwrap_or_default().to_owned()));
    }
    let uses = auth.factor_key_uses()?;
    let written = uses.iter().map(|key| key.secrets).sum();
    if let Some(problem) = uses.into_iter().find_map(|key| key.problem) {
        return Err(crate::auth::AuthError::from(problem).into());
    }
    Ok((SecretChanges { written, expired: 0 }, auth.factor_keys.place()))
}

/// Values of a column that are read in the same way.
#[derive(Debug)]
struct Values {
    column: String,
    /// The name for programs.
    state: &'static str,
    /// The name of the secret that reads them.
    secret: Option<String>,
    count: u64,
}

const UNREADABLE: &str = "unreadable";

impl Values {
    fn of_app(column: String, reading: Reading, count: u64) -> Self {
        let (state, secret) = match reading {
            Reading::Current(by) => ("current", Some(by)),
            Reading::Older(by) => ("older", Some(by)),
            Reading::Plain => ("plain", None),
            Reading::Expired => ("expired", None),
            Reading::Unreadable => (UNREADABLE, None),
        };
        Self { column, state, secret, count }
    }

    fn of_key(key: KeyUse) -> Self {
        let state = if key.problem.is_some() { UNREADABLE } else { "current" };
        Self { column: "authctl_twoFactor.secret".to_owned(), state, secret: Some(key.name), count: key.secrets }
    }

    fn item(&self) -> Item {
        let Self { column, state, secret, count } = self;
        Item {
            document: json!({ "column": column, "count": count, "state": state, "secret": secret }),
            row: vec![Cell::text(column), Cell::text(count.to_string()), Cell::text(*state), secret.as_ref().into()],
            group: "",
        }
    }
}

#[derive(Debug)]
struct Rotated {
    changes: SecretChanges,
    /// What encrypts now: the name of a secret or of a key.
    secret: String,
    is_app: bool,
    dry_run: bool,
    database: DatabaseLocation,
}

impl Rotated {
    fn is_done(&self) -> bool {
        !self.dry_run && (!self.is_app || self.changes != SecretChanges::default())
    }
}

impl Report for Rotated {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        let (SecretChanges { written, expired }, place) = (self.changes, escaped(&self.database));
        if self.is_app && written + expired == 0 {
            return Page::note(format!("no value in {place} needs another secret; nothing was changed"));
        }
        let verb = if self.dry_run { "would encrypt" } else { "encrypted" };
        let mut line = format!("{verb} {} in {place} again with {}", counted(written, "value"), escape(&self.secret));
        if expired > 0 {
            let verb = if self.dry_run { "would let expire" } else { "let expire" };
            line = format!("{line}; {verb} {} that signed tokens", counted(expired, "key"));
        }
        let mut page = Page::done_if(self.is_done(), line);
        if self.is_app {
            page.notes.push(format!("start the app with this secret as its own; {COOKIES}"));
        } else {
            page.notes.push("the former keys stay in their file, for other databases and for backups".to_owned());
        }
        page
    }

    fn json(&self) -> Value {
        json!({
            "written": self.changes.written,
            "keysExpired": self.changes.expired,
            "secret": self.secret,
            "changed": self.is_done(),
            "dryRun": self.dry_run,
            "database": self.database.to_string(),
        })
    }
}
