//! `export`: users in the shapes that other systems import, and everything about one person.

mod split;

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::audit::changes_json;
use super::pages::Pages;
use super::{activity, confirm};
use crate::auth::Auth;
use crate::auth::audit::{Entry, Event, counted};
use crate::auth::secret::digest_of;
use crate::auth::session::Session;
use crate::context::Context;
use crate::error::CommandError;
use crate::export::{Shape, Writer, Written};
use crate::output::json::{SessionView, TokenView, UserView, document};
use crate::output::list::Layout;
use crate::output::text::{rfc3339, shown};
use crate::output::{Listing, Outcome, Page, Report, Style};
use crate::output_file::Part;

pub(crate) const EXAMPLES: &str = "Examples:
  authctl export --output users.jsonl
  authctl export --format csv > users.csv
  authctl export --with-hashes --yes | age -r RECIPIENT > users.jsonl.age
  authctl export --user ada@example.com > everything-about-ada.json";

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// What is to read the export: authctl, csv, better-auth, auth0, clerk, keycloak or supabase
    #[arg(long, value_enum, default_value = "authctl", value_name = "NAME")]
    pub format: Shape,
    /// Write to a new file that only you can read, and not to standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Divide the export into files that auth0 takes, of at most 500 KB: FILE-1, FILE-2 and so on
    #[arg(long, requires = "output", conflicts_with = "user")]
    pub split: bool,
    /// Write password hashes too
    #[arg(long)]
    pub with_hashes: bool,
    /// Write everything about one user, by email address or id
    #[arg(long, value_name = "USER", conflicts_with_all = ["format", "with_hashes"])]
    pub user: Option<String>,
}

impl ValueEnum for Shape {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

pub(super) fn run(args: &ExportArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    if let Some(path) = &args.output
        && path.symlink_metadata().is_ok()
    {
        return Err(CommandError::FileExists(path.clone()).into());
    }
    if let Some(user) = &args.user {
        return person(user, args.output.as_deref(), context);
    }
    if args.split && args.format != Shape::Auth0 {
        let message = "--split is for --format auth0: only its files have a limit".to_owned();
        return Err(CommandError::Usage { message, hint: "leave out --split" }.into());
    }
    if args.with_hashes {
        refuse_screen(args)?;
        if args.format == Shape::Csv {
            let message = "a spreadsheet gets no password hashes".to_owned();
            return Err(
                CommandError::Usage { message, hint: "leave out --with-hashes, or name another --format" }.into()
            );
        }
        context.auth()?;
        let effect = "The export holds the password hashes of all users. A reader of it can guess passwords.";
        confirm(effect, "Export password hashes?", context)?;
    }
    let _line = activity("exporting users", context);
    let place = place_of(args);
    let failed = |source| unwritten(&place, source);
    let part = if args.output.is_some() { Part::beside(&place) } else { Part::nameless() }.map_err(failed)?;
    let written = write(args, &part.file, context)?;
    let mut file = part.file.try_clone().map_err(failed)?;
    let digest = digest_of_file(&mut file).map_err(failed)?;
    if written.hashes > 0 {
        let event = Event::new("export.secrets");
        let event = event.with(format!("{}, SHA-256 {digest}", counted(written.hashes, "password hash")));
        context.auth()?.store.record(event)?;
        context.did(
            counted(written.hashes, "password hash") + " were exported",
            "the export is gone: run the command again",
        );
    }
    match &args.output {
        Some(path) if args.split => {
            let files = split::split(&mut file, path, split::BYTES_MAX);
            let files = files.map_err(|(path, source)| unwritten(&path, source))?;
            Ok(ExportReport { path: path.clone(), files, digest, written }.into())
        }
        Some(path) => {
            part.complete(path).map_err(failed)?;
            Ok(ExportReport { path: path.clone(), files: vec![path.clone()], digest, written }.into())
        }
        None => Ok(Outcome::list(Listing::Export { file, about: about(&written, &digest) }, Layout::default())),
    }
}

/// Hashes on a screen stay in its scrollback.
fn refuse_screen(args: &ExportArgs) -> Result<(), CommandError> {
    use std::io::IsTerminal as _;
    if args.output.is_none() && io::stdout().is_terminal() {
        let message = "password hashes are not written to a terminal".to_owned();
        return Err(CommandError::Usage { message, hint: "name a file with --output, or pipe the export" });
    }
    Ok(())
}

fn write(args: &ExportArgs, file: &File, context: &mut Context) -> anyhow::Result<Written> {
    let place = place_of(args);
    let failed = |source| unwritten(&place, source);
    let second = Part::nameless().map_err(failed)?;
    let Auth { store, now, .. } = context.auth()?;
    let schema = store.info(now)?.schema_version.unwrap_or(0);
    let file = file.try_clone().map_err(failed)?;
    let second = second.file.try_clone().map_err(failed)?;
    let mut writer = Writer::new(args.format, args.with_hashes, schema, file, second);
    store.export(&mut writer)?;
    let tokens = if store.guest().is_none() { store.api_tokens(None)?.map_or(0, |tokens| tokens.len()) } else { 0 };
    if tokens > 0 {
        let left_out = counted(tokens as u64, "API token");
        context
            .notices
            .push(format!("not exported: {left_out}; `authctl tokens create` makes others where the users go"));
    }
    Ok(writer.finish().map_err(failed)?)
}

/// Where the export is written.
fn place_of(args: &ExportArgs) -> PathBuf {
    args.output.clone().unwrap_or_else(std::env::temp_dir)
}

/// The digest of a whole file, which is read from its start afterwards.
fn digest_of_file(file: &mut File) -> io::Result<String> {
    file.seek(SeekFrom::Start(0))?;
    let digest = digest_of(&mut BufReader::new(&*file))?;
    file.seek(SeekFrom::Start(0))?;
    Ok(digest)
}

/// The error about a file that cannot be written.
fn unwritten(path: &Path, source: io::Error) -> CommandError {
    match source.kind() {
        io::ErrorKind::AlreadyExists => CommandError::FileExists(path.to_owned()),
        _ => CommandError::NotWritten { path: path.to_owned(), source },
    }
}

/// What was exported.
fn about(written: &Written, digest: &str) -> Vec<String> {
    let mut lines = vec![format!("{}, SHA-256 {digest}", counted(written.users, "user"))];
    if written.hashes_left_out > 0 {
        lines.push(format!(
            "{} of another kind than the system verifies were left out: these users need a reset",
            counted(written.hashes_left_out, "password hash")
        ));
    }
    if written.second_factors > 0 {
        lines.push(format!(
            "{} with a second factor: no export holds it, and they have to enable it again",
            counted(written.second_factors, "user")
        ));
    }
    lines
}

/// An export that was written to a file.
#[derive(Debug)]
struct ExportReport {
    /// The name that was given.
    path: PathBuf,
    /// The files that were written.
    files: Vec<PathBuf>,
    digest: String,
    written: Written,
}

impl Report for ExportReport {
    fn text(&self, _: Timestamp, _: Style) -> Page {
        let mut lines = about(&self.written, &self.digest).into_iter();
        let place = match self.files.as_slice() {
            [one] => shown(one),
            [first, .., last] => format!("{} files, {} to {}", self.files.len(), shown(first), shown(last)),
            [] => shown(&self.path),
        };
        let done = lines.next().map(|line| format!("exported to {place}: {line}"));
        Page { done: done.into_iter().collect(), notes: lines.collect(), ..Page::default() }
    }

    fn json(&self) -> Value {
        json!({
            "file": shown(&self.path),
            "files": self.files.iter().map(|file| shown(file)).collect::<Vec<_>>(),
            "digest": self.digest,
            "users": self.written.users,
            "hashes": self.written.hashes,
            "hashesLeftOut": self.written.hashes_left_out,
            "secondFactors": self.written.second_factors,
        })
    }
}

/// The most bytes that are printed at once. A line may be longer.
const PAGE_BYTES: usize = 1 << 16;

/// An export for standard output, which is whole before its first byte is printed.
#[derive(Debug)]
struct Printed {
    file: BufReader<File>,
    about: Vec<String>,
    is_over: bool,
}

pub(super) fn pages(file: File, about: Vec<String>) -> Box<dyn Pages> {
    Box::new(Printed { file: BufReader::new(file), about, is_over: false })
}

impl Pages for Printed {
    fn next(&mut self, _: &mut Context) -> anyhow::Result<Page> {
        let mut answer = String::new();
        while answer.len() < PAGE_BYTES && !self.is_over {
            self.is_over = self.file.read_line(&mut answer)? == 0;
        }
        let notes = if self.is_over { std::mem::take(&mut self.about) } else { Vec::new() };
        Ok(Page { answer, notes, ..Page::default() })
    }

    fn is_over(&self) -> bool {
        self.is_over
    }

    fn cut_off(&self) -> String {
        String::new()
    }

    fn is_act(&self) -> bool {
        false
    }
}

/// Everything about one person, for a request of access.
#[derive(Debug)]
struct Person(Value);

impl Report for Person {
    fn text(&self, _: Timestamp, _: Style) -> Page {
        Page::answer(document(&self.0))
    }

    fn json(&self) -> Value {
        self.0.clone()
    }
}

fn person(named: &str, output: Option<&Path>, context: &mut Context) -> anyhow::Result<Outcome> {
    let mut auth = context.auth()?;
    let user = auth.find_user(named)?;
    let accounts = auth.store.accounts(&user.id)?;
    let sessions = auth.store.sessions(&user.id)?;
    // An app without API keys has none of this user.
    let tokens = auth.store.api_tokens(Some(&user.id))?.unwrap_or_default();
    let users = auth.users_in_log(&user.id)?;
    let mut entries = Vec::new();
    auth.store.each_entry_of(&users, 0, &mut |entry| {
        entries.push(entry_about(&entry, &user.id));
        true
    })?;
    let accounts: Vec<Value> = accounts
        .iter()
        .map(|account| {
            json!({
                "providerId": account.provider_id,
                "accountId": account.account_id,
                "hasPassword": account.has_password,
            })
        })
        .collect();
    let sessions: Vec<Value> = sessions.iter().map(session_of).collect();
    let tokens: Vec<TokenView<'_>> = tokens.iter().map(TokenView::from).collect();
    let everything = json!({
        "user": UserView::from(&user),
        "accounts": accounts,
        "sessions": sessions,
        "apiTokens": tokens,
        "entries": entries,
    });
    let Some(path) = output else { return Ok(Person(everything).into()) };
    let failed = |source| unwritten(path, source);
    let mut part = Part::beside(path).map_err(failed)?;
    part.file.write_all(document(&everything).as_bytes()).map_err(failed)?;
    let digest = digest_of_file(&mut part.file).map_err(failed)?;
    part.complete(path).map_err(failed)?;
    let written = Written { users: 1, ..Written::default() };
    Ok(ExportReport { path: path.to_owned(), files: vec![path.to_owned()], digest, written }.into())
}

/// A session without the id of another user.
fn session_of(session: &Session) -> Value {
    let mut view = json!(SessionView::from(session));
    if !view["impersonatedBy"].is_null() {
        view["impersonatedBy"] = json!(OTHER);
    }
    view
}

/// Stands for another person.
const OTHER: &str = "(another person)";

/// An entry of the log as the person may see it: without the data of other people.
fn entry_about(entry: &Entry, id: &str) -> Value {
    let acted = entry.actor_id.as_deref() == Some(id);
    let is_about = entry.user_id.as_deref() == Some(id);
    let own = |is_own: bool, text: &Option<String>| {
        text.as_ref().map(|text| if is_own { text.as_str() } else { OTHER }.to_owned())
    };
    json!({
        "seq": entry.seq,
        "at": rfc3339(entry.at),
        "event": entry.event,
        "by": if acted { "the person" } else { OTHER },
        "userEmail": own(is_about, &entry.user_email),
        "sessionId": own(is_about, &entry.session_id),
        "changes": entry.changes.as_deref().filter(|_| is_about).map(changes_json),
    })
}
