//! `db copy`: a native database in a new place.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::auth::audit::counted;
use crate::auth::storage::StoreError;
use crate::commands::progress;
use crate::context::Context;
use crate::error::{CommandError, HintOfCommand};
use crate::output::text::escaped;
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;
use crate::store::transfer::{self, Contents, Place, Source, TransferError, TransferOptions};

pub(super) const EXAMPLES: &str = "Examples:
  authctl db copy ./auth.db postgres://authctl@db.example.com/app --dry-run
  authctl db copy ./auth.db postgres://authctl@db.example.com/app
  authctl db copy postgres://authctl@db.example.com/app ./auth.db";

#[derive(Debug, Args)]
pub struct CopyArgs {
    /// The database: a file, or the address of a database on a server
    #[arg(value_name = "FROM")]
    pub from: PathBuf,
    /// The new database, likewise
    #[arg(value_name = "TO")]
    pub to: PathBuf,
    /// Say what would be copied, and copy nothing
    #[arg(long)]
    pub dry_run: bool,
}

pub(super) fn run(args: &CopyArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    if context.is_database_given() {
        let message = "--db names no database of this command".to_owned();
        return Err(CommandError::Usage { message, hint: "name both databases as FROM and TO" }.into());
    }
    for given in [&args.from, &args.to] {
        refuse_stream(given)?;
    }
    context.now()?;
    let from = context.choose_database(&args.from)?;
    let to = context.other_database(&args.to)?;
    if from.is_same(&to) {
        let message = format!("{to} is the database itself");
        return Err(CommandError::Usage { message, hint: "name another place for the copy" }.into());
    }
    let [old_place, new_place] = [place(&from, context)?, place(&to, context)?];
    let wait = context.wait();
    let acting = context.acting()?;
    let mut source = Source::open(&old_place, wait)?;
    notice_additions(&source.additions()?, context);
    if args.dry_run {
        transfer::require_vacant(&new_place, wait)?;
        let contents = source.count()?;
        return Ok(CopyReport { from, to, contents, digest: None }.into());
    }
    // Each row is written and compared.
    let line = progress("copying and comparing rows", context, |_| Ok(source.count()?.total() * 2))?;
    let names = [from.to_string(), to.to_string()];
    let names = names.each_ref().map(String::as_str);
    let options = TransferOptions { names, acting: &acting, wait };
    let copied = transfer::copy(&mut source, &new_place, &options, &mut |rows| line.advance(rows));
    drop(line);
    let copied = copied.map_err(|error| unknown(error, &to))?;
    context.did(
        format!("the copy {to} was made"),
        "the copy can be used; the audit log of the old database may have no entry about it",
    );
    copied.logged?;
    Ok(CopyReport { from, to, contents: copied.contents, digest: Some(copied.digest) }.into())
}

/// Adds where to look for a copy whose commit was not answered: no other command of the shell may be about the new database.
fn unknown(error: TransferError, to: &DatabaseLocation) -> anyhow::Error {
    let is_unknown = matches!(error, TransferError::Write(StoreError::Unanswered(_)));
    let error = anyhow::Error::new(error);
    if !is_unknown {
        return error;
    }
    error.context(HintOfCommand(format!(
        "`authctl --db {to} audit tail` shows whether the copy is there: look before you repeat it"
    )))
}

fn refuse_stream(given: &Path) -> Result<(), CommandError> {
    if given == Path::new("-") {
        let message = "a database cannot be piped".to_owned();
        return Err(CommandError::Usage { message, hint: "name a file, or a database on a server" });
    }
    Ok(())
}

fn place(location: &DatabaseLocation, context: &mut Context) -> anyhow::Result<Place> {
    Ok(match location {
        DatabaseLocation::File(path) => Place::File(path.to_path_buf()),
        DatabaseLocation::Url(url) => Place::Server(context.server_address(url)?.into()),
    })
}

/// Reports what is not copied.
fn notice_additions(additions: &[String], context: &mut Context) {
    if !additions.is_empty() {
        let listed = super::backup::listed(additions);
        context.notices.push(format!("what authctl did not make is not copied: {listed}"));
    }
}

#[derive(Debug)]
struct CopyReport {
    from: DatabaseLocation,
    to: DatabaseLocation,
    contents: Contents,
    /// The digest of all rows; `None` for `--dry-run`.
    digest: Option<String>,
}

impl Report for CopyReport {
    fn text(&self, _: Timestamp, _: Style) -> Page {
        let Contents { users, accounts, sessions, entries, .. } = &self.contents;
        let rows = format!(
            "{}, {}, {} and {}",
            counted(*users, "user"),
            counted(*accounts, "account"),
            counted(*sessions, "session"),
            if *entries == 1 { "1 log entry".to_owned() } else { format!("{entries} log entries") },
        );
        let (from, to) = (escaped(&self.from), escaped(&self.to));
        // An address is shown without its parameters.
        let named = if self.to.file().is_ok() { to.clone() } else { "the other one as here".to_owned() };
        if self.digest.is_none() {
            return Page::note(format!("would copy {rows} from {from} to {to}"));
        }
        Page {
            done: vec![
                format!("copied {rows} from {from} to {to}, and compared them"),
                format!("{from} stays as it is: from now on, name {named} with AUTHCTL_DB or --db"),
            ],
            ..Page::default()
        }
    }

    fn json(&self) -> Value {
        let Contents { users, accounts, sessions, codes, second_factors, tokens, settings, attempts, entries } =
            &self.contents;
        json!({
            "from": self.from.to_string(),
            "to": self.to.to_string(),
            "users": users,
            "accounts": accounts,
            "sessions": sessions,
            "codes": codes,
            "secondFactors": second_factors,
            "tokens": tokens,
            "settings": settings,
            "attempts": attempts,
            "entries": entries,
            "digest": self.digest,
            "dryRun": self.digest.is_none(),
        })
    }
}
