//! `sessions revoke`.

use clap::{ArgGroup, Args};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::list::{MARK, columns, row};
use super::{BATCH, WhoseArgs, done, scope};
use crate::auth::access::AccessKind;
use crate::auth::audit::counted;
use crate::auth::secret::Token;
use crate::auth::session::{ChosenCount, Network, Pattern, Selection, Session, SessionFilter};
use crate::auth::storage::Which;
use crate::auth::{AuthError, Scope};
use crate::cli::values;
use crate::commands::list_flags::ListFlags;
use crate::commands::pages::{End, List, Pages, PagesOf};
use crate::commands::reach::Reach;
use crate::commands::session_start::{forget_session, is_not_signed_in};
use crate::commands::targets::{each, each_once, lines_of_stdin};
use crate::commands::{Attempt as _, confirm_if_asked, shows_progress};
use crate::context::{Context, NoToken, error_columns};
use crate::error::HintOfCommand;
use crate::interrupt::Interrupts;
use crate::output::json::SessionView;
use crate::output::list::{Cell, Format, Item, Layout, Row, Rows};
use crate::output::progress::Progress;
use crate::output::table::Column;
use crate::output::text::{counted_grouped, escape, escaped, grouped};
use crate::output::{Ending, Listing, Outcome, Page, Report, Style};

#[derive(Debug, Clone, Args)]
#[command(group(ArgGroup::new("which").required(true).multiple(true)
    .args(["ids", "stdin", "others", "all", "user", "older_than", "idle", "ip", "user_agent"])))]
#[command(group(ArgGroup::new("own").args(["others", "all"])))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct RevokeArgs {
    /// Sessions to end, by the id that `sessions list` shows or at least its first 6 characters
    #[arg(value_name = "ID", conflicts_with = "own")]
    pub ids: Vec<String>,
    /// Read the ids from standard input, one per line
    #[arg(long, conflicts_with_all = ["ids", "own"])]
    pub stdin: bool,
    /// End every session of yours but the current one
    #[arg(long, conflicts_with_all = ["user", "all_users"])]
    pub others: bool,
    /// End every session of yours and sign out; with --all-users, every session of every user
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub whose: WhoseArgs,
    /// Only sessions signed in at least this long ago, such as 30d
    #[arg(long, value_name = "DURATION", value_parser = values::age)]
    pub older_than: Option<SignedDuration>,
    /// Only sessions not moved forward for at least this long, such as 7d
    #[arg(long, value_name = "DURATION", value_parser = values::age)]
    pub idle: Option<SignedDuration>,
    /// Only sessions from this address or network, such as 10.0.0.0/8
    #[arg(long, value_name = "CIDR")]
    pub ip: Option<Network>,
    /// Only sessions from programs that match, such as 'curl*'
    #[arg(long, value_name = "GLOB")]
    pub user_agent: Option<String>,
    /// Not the current session
    #[arg(long)]
    pub except_current: bool,
    /// Say what would end, and end nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub list: ListFlags,
}

pub(super) fn run(args: &RevokeArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    args.list.require_list(args.dry_run)?;
    let mut ids = if args.stdin { lines_of_stdin("session")? } else { args.ids.clone() };
    ids = each_once(ids);
    if args.dry_run || ids.len() < 2 && !args.stdin {
        return revoke(args, &ids, context);
    }
    // A caller who is not signed in, or a user who does not exist, is one error and not one for each.
    if scope(&args.whose, context)?.is_none() {
        context.authenticate()?.in_person()?;
    }
    // The caller's own session is last, because the caller must be signed in while the others end.
    let own = current_session(false, context)?;
    ids.sort_by_key(|id| own.as_ref().is_some_and(|own| own.starts_with(id)));
    each(ids, context, None)
}

/// Ends one of several sessions.
pub(in crate::commands) fn run_for(
    args: &RevokeArgs,
    id: &str,
    context: &mut Context,
) -> anyhow::Result<Box<dyn Report>> {
    let all = if args.whose.all_users { " --all-users" } else { "" };
    let missing = || HintOfCommand(format!("`authctl sessions list{all}` shows those that are live"));
    match revoke(args, &[id.to_owned()], context) {
        Ok(Outcome::Report(report)) => Ok(report),
        Err(error) if matches!(error.downcast_ref(), Some(AuthError::NoSuchSession(_))) => {
            Err(error.context(missing()))
        }
        Err(error) => Err(error),
        Ok(_) => Err(AuthError::NoSuchSession(id.to_owned()).into()),
    }
}

fn revoke(args: &RevokeArgs, ids: &[String], context: &mut Context) -> anyhow::Result<Outcome> {
    let scope = scope(&args.whose, context)?;
    let is_filtered =
        args.older_than.is_some() || args.idle.is_some() || args.ip.is_some() || args.user_agent.is_some();
    if scope.is_none() && !is_filtered && !args.except_current {
        return revoke_own(args, ids, context);
    }
    // Without a name, the sessions of the signed-in user.
    let scope = match scope {
        Some(scope) => scope,
        None => Scope::Own(context.authenticate()?.in_person()?.keep()),
    };
    let current = current_session(args.except_current, context)?;
    let filter = SessionFilter {
        older_than: args.older_than,
        idle: args.idle,
        network: args.ip,
        user_agent: args.user_agent.as_deref().map(Pattern::new),
        except: current.clone().filter(|_| args.except_current || args.others),
    };
    let selection = Selection { scope, filter, after: None };
    let mut ending = Ending { selection, dry_run: args.dry_run, current, named: args.whose.user.clone(), total: None };
    if ids.is_empty() {
        // A database that cannot be opened is an error before the first page.
        context.auth()?;
        let is_wide = is_filtered || args.whose.all_users;
        if is_wide && !args.dry_run {
            announce(&mut ending, context)?;
        }
        return Ok(Outcome::list(Listing::Ending(Box::new(ending)), args.list.layout()));
    }
    let Selection { scope, filter, .. } = &ending.selection;
    let mut sessions = context.auth()?.sessions_with_ids(ids, scope, filter)?;
    let mut revocation = Revocation::new(ending);
    // The caller's own session is last, because the batches before it need it.
    sessions.sort_by_key(|session| revocation.is_current(session));
    let mut ended = Vec::new();
    for batch in sessions.chunks(BATCH) {
        ended.extend(revocation.end_batch(batch.to_vec(), context)?);
    }
    let mut end = revocation.end(false, ended.len(), context)?;
    name_whole(&mut end, args, &ended);
    Ok(outcome(ended, args, end))
}

/// Says how many sessions end, and asks a person. Counts them for the question and for the bar only.
fn announce(ending: &mut Ending, context: &mut Context) -> anyhow::Result<()> {
    if context.asks() || shows_progress(context) {
        let ChosenCount { sessions, users } = context.auth()?.count_chosen(&ending.selection)?;
        ending.total = Some(sessions);
        confirm_if_asked("End them?", context, |context| {
            let place = escaped(context.database()?.location);
            let effect = format!(
                "This ends {} of {} in {place}.",
                counted_grouped(sessions, "session"),
                counted_grouped(users, "user")
            );
            Ok((sessions > 0).then_some(effect))
        })?;
    }
    Ok(())
}

/// The id of the session that the stored token belongs to, if there is one.
///
/// A stored token that cannot be read counts as none, unless the session `must_be_known` to be excepted.
fn current_session(must_be_known: bool, context: &mut Context) -> anyhow::Result<Option<String>> {
    let token = match context.token() {
        Ok((token, _)) => token,
        Err(error) if must_be_known && !matches!(error.downcast_ref(), Some(NoToken::None(_))) => return Err(error),
        Err(_) => return Ok(None),
    };
    match context.require_admitted(&token) {
        Err(error) if must_be_known || !is_not_signed_in(&error) => return Err(error),
        Err(_) => return Ok(None),
        Ok(()) => {}
    }
    let current = context.auth()?.store.session(&token)?.map(|(session, _)| session);
    match current.as_ref().filter(|session| must_be_known && !session.has_id()) {
        Some(_) => Err(context.auth()?.store.without_id("session", "the current session").into()),
        None => Ok(current.filter(Session::has_id).map(|session| session.id)),
    }
}

fn revoke_own(args: &RevokeArgs, ids: &[String], context: &mut Context) -> anyhow::Result<Outcome> {
    let (token, _) = context.token()?;
    let me = context.authenticate()?;
    let me = me.in_person()?;
    let which = if args.all {
        Which::All
    } else if args.others {
        Which::Others(me.session.id.clone())
    } else {
        Which::Ids(ids.to_vec())
    };
    let (sessions, is_signed_out) = if args.dry_run {
        (context.auth()?.choose_sessions(me, &which)?, false)
    } else {
        context.end_abandoned_sessions()?;
        let sessions = context.auth()?.end_sessions(me, &which)?;
        let is_signed_out = sessions.iter().any(|session| session.id == me.session.id);
        (sessions, is_signed_out)
    };
    if is_signed_out {
        forget(&token, sessions.len(), context)?;
    }
    let reach = reach(context);
    reach.note(context);
    let mut end = end_of(sessions.len(), args.dry_run, is_signed_out, &reach);
    name_whole(&mut end, args, &sessions);
    Ok(outcome(sessions, args, end))
}

/// Removes the session file, after the current session ended with others.
fn forget(token: &Token, ended: usize, context: &mut Context) -> anyhow::Result<()> {
    context.did(done(ended, "ended"), "remove the file: the session in it has ended");
    let (_, own) = forget_session(Some(token), context)?;
    context.notices.extend(own.map(|own| own.message()));
    Ok(())
}

/// Sessions that end in batches, so that other processes need not wait, and are printed after each.
#[derive(Debug)]
struct Revocation {
    ending: Ending,
    /// The caller's own session, until the last batch: the batches before it need it.
    held_back: Option<Session>,
    is_signed_out: bool,
    count: usize,
    /// The number of those that were not ended, because they have no id.
    left: usize,
    /// Whether to show how far the act is.
    shows_line: bool,
    /// Since the first batch, until the last one.
    run: Option<Run>,
}

/// What goes on while sessions end.
#[derive(Debug)]
struct Run {
    line: Progress,
    interrupts: Interrupts,
}

pub(in crate::commands) fn pages(ending: Ending, layout: &Layout, style: Style) -> anyhow::Result<Box<dyn Pages>> {
    if ending.dry_run || layout.format == Format::Document {
        PagesOf::boxed(Revocation::new(ending), layout, None, style)
    } else {
        PagesOf::silent(Revocation { shows_line: true, ..Revocation::new(ending) }, style)
    }
}

impl Revocation {
    fn new(ending: Ending) -> Self {
        Self { ending, held_back: None, is_signed_out: false, count: 0, left: 0, shows_line: false, run: None }
    }

    fn is_current(&self, session: &Session) -> bool {
        self.ending.current.as_ref() == Some(&session.id)
    }

    /// Ends sessions in one transaction. Returns those that ended, or would have ended.
    fn end_batch(&mut self, batch: Vec<Session>, context: &mut Context) -> anyhow::Result<Vec<Session>> {
        let ended = if self.ending.dry_run || batch.is_empty() {
            batch
        } else {
            let ended = context.auth()?.end_chosen(&self.ending.selection.scope, &batch)?;
            self.is_signed_out |= ended.iter().any(|session| self.is_current(session));
            let count = self.count + ended.len();
            context.did(done(count, "ended"), "run the command again for those that are left");
            ended
        };
        self.count += ended.len();
        if let Some(run) = &self.run {
            run.line.advance(ended.len() as u64);
        }
        Ok(ended)
    }

    /// Begins to watch for signals and to show how far the act is, and stops it if a signal came.
    fn go_on(&mut self, context: &mut Context) -> anyhow::Result<()> {
        let Self { ending, count, shows_line, .. } = self;
        let run = self.run.get_or_insert_with(|| {
            let shows_line = *shows_line && shows_progress(context);
            let total = ending.total.filter(|_| shows_line);
            let line = total.map_or_else(Progress::hidden, |total| {
                Progress::begin("ending sessions", Some(total), error_columns())
            });
            Run { line, interrupts: Interrupts::watch() }
        });
        if run.interrupts.came().is_none() {
            return Ok(());
        }
        let left = context.auth()?.count_chosen(&ending.selection);
        let left = left.map_or_else(|_| "the others".to_owned(), |left| grouped(left.sessions));
        Ok(run.interrupts.check(|| format!("{} ended, {left} not", grouped(*count as u64)))?)
    }

    fn read_batch(&mut self, size: usize, context: &mut Context) -> anyhow::Result<(Vec<Session>, bool)> {
        if !self.ending.dry_run {
            self.go_on(context)?;
        }
        let page = context.auth()?.sessions_page(&mut self.ending.selection, size.min(BATCH))?;
        let mut batch: Vec<Session> = page.sessions.into_iter().map(|(_, session)| session).collect();
        if !self.ending.selection.chooses_without_id() {
            let found = batch.len();
            batch.retain(Session::has_id);
            self.left += found - batch.len();
        }
        if !self.ending.dry_run && page.has_more {
            let current = batch.iter().position(|session| self.is_current(session));
            self.held_back = current.map(|index| batch.remove(index)).or(self.held_back.take());
        } else {
            batch.extend(self.held_back.take());
        }
        Ok((self.end_batch(batch, context)?, page.has_more))
    }
}

impl List for Revocation {
    type Item = Session;

    fn name(&self) -> &'static str {
        "sessions"
    }

    fn read(&mut self, size: usize, context: &mut Context) -> anyhow::Result<(Vec<Session>, bool)> {
        let read = self.read_batch(size, context).attempt("could not end sessions");
        // The bar goes before anything else is printed.
        if !matches!(read, Ok((_, true))) {
            self.run = None;
        }
        read
    }

    /// What a dry run does not print is counted.
    fn end(&mut self, mut has_more: bool, printed: usize, context: &mut Context) -> anyhow::Result<End> {
        while has_more {
            has_more = self.read(BATCH, context)?.1;
        }
        if self.is_signed_out {
            let (token, _) = context.token()?;
            forget(&token, self.count, context)?;
        }
        if self.left > 0 {
            let sessions = counted(self.left as u64, "session");
            context.notices.push(format!(
                "left out: {sessions} without an id, which cannot be ended alone; `sessions revoke --all` ends all of a user"
            ));
        }
        let dry_run = self.ending.dry_run;
        let named = self.ending.named.as_ref().filter(|_| !dry_run);
        let named = named.and_then(|named| context.auth().ok()?.find_user(named).ok());
        let mut reach = reach(context);
        if let Some(user) = named {
            reach = reach.leaving(&user, |kind| kind != AccessKind::Session, context);
        }
        reach.note(context);
        let mut end = end_of(self.count, dry_run, self.is_signed_out, &reach);
        if printed < self.count && dry_run {
            end.notes.push(format!("the first {printed} are shown; in a pipe, all are"));
        }
        Ok(end)
    }

    fn cut_off(&self) -> Vec<(&'static str, Value)> {
        end_of(self.count, self.ending.dry_run, self.is_signed_out, &Reach::default()).fields
    }

    fn json(&self, session: &Session) -> Value {
        json!(SessionView::from(session))
    }

    fn columns(&self) -> Vec<Column> {
        columns(MARK)
    }

    fn row(&self, session: &Session, _now: Timestamp) -> Row {
        row(Cell::Mark(false), session)
    }

    fn has_headings_alone(&self) -> bool {
        false
    }

    fn is_act(&self) -> bool {
        !self.ending.dry_run
    }
}

fn reach(context: &Context) -> Reach {
    Reach::to_end(&["session"], context)
}

/// What the report says after the sessions.
fn end_of(count: usize, dry_run: bool, is_signed_out: bool, reach: &Reach) -> End {
    let known = reach.count("session", count as u64);
    let mut end = End {
        fields: vec![("ended", json!(known)), ("dryRun", json!(dry_run)), ("signedOut", json!(is_signed_out))],
        ..End::default()
    };
    end.fields.extend(reach.fields());
    let sessions = counted(count as u64, "session");
    if dry_run {
        end.notes.push(format!("would end {sessions}"));
    } else {
        end.done.push(format!("ended {sessions}"));
    }
    if is_signed_out {
        end.done.push("this session was among them: signed out".to_owned());
    }
    end
}

/// Adds the whole ids when the first characters of one were given, or when each of several has its line.
fn name_whole(end: &mut End, args: &RevokeArgs, sessions: &[Session]) {
    let is_said = |session: &Session| matches!(args.ids.as_slice(), [id] if *id == session.id);
    let names_ids = args.stdin || !args.ids.is_empty();
    let line = end.done.first_mut().or(end.notes.first_mut());
    if let Some(line) = line.filter(|_| names_ids && !sessions.iter().all(is_said)) {
        let ids: Vec<_> = sessions.iter().map(|session| escape(&session.id)).collect();
        line.extend([": ", &ids.join(", ")]);
    }
}

/// The sessions that ended, or the list of those that would have ended.
fn outcome(sessions: Vec<Session>, args: &RevokeArgs, end: End) -> Outcome {
    if !args.dry_run {
        return Ended { sessions, end }.into();
    }
    let item = |session: &Session| Item {
        document: json!(SessionView::from(session)),
        row: row(Cell::Mark(false), session),
        group: "",
    };
    let items = sessions.iter().map(item).collect();
    let (columns, End { fields, notes, .. }) = (columns(MARK), end);
    let rows = Rows { name: "sessions", columns, items, fields, notes, ..Rows::default() };
    Outcome::list(Listing::Rows(rows), args.list.layout())
}

/// A few sessions that ended.
#[derive(Debug)]
struct Ended {
    sessions: Vec<Session>,
    end: End,
}

impl Report for Ended {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        Page { done: self.end.done.clone(), notes: self.end.notes.clone(), ..Page::default() }
    }

    fn json(&self) -> Value {
        let mut document = Map::new();
        document.insert(
            "sessions".to_owned(),
            self.sessions.iter().map(|session| json!(SessionView::from(session))).collect(),
        );
        document.extend(self.end.fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        document.into()
    }
}
