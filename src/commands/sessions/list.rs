//! `sessions list`, and the table of sessions that `sessions revoke` shows too.

use std::borrow::Cow;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{WhoseArgs, scope};
use crate::auth::audit::counted;
use crate::auth::session::{Selection, Session, SessionFilter};
use crate::auth::{Scope, odd};
use crate::commands::Attempt as _;
use crate::commands::list_flags::ListFlags;
use crate::commands::pages::{End, List, Pages, PagesOf};
use crate::commands::reach::Reach;
use crate::context::Context;
use crate::output::json::SessionView;
use crate::output::list::{Cell, Layout, Row};
use crate::output::table::{Column, Tone};
use crate::output::text::escape;
use crate::output::{Listing, Outcome, Style};

#[derive(Debug, Default, Args)]
pub struct ListSessionsArgs {
    #[command(flatten)]
    pub whose: WhoseArgs,
    /// At most this many sessions [default: 200 on a terminal, else all]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Begin where the page before ended: at its `next`
    #[arg(long, value_name = "PLACE")]
    pub after: Option<String>,
    #[command(flatten)]
    pub list: ListFlags,
}

pub(super) fn run(args: &ListSessionsArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let (scope, current) = if let Some(scope) = scope(&args.whose, context)? {
        (scope, None)
    } else {
        let me = context.authenticate()?;
        (Scope::User(me.user.id), Some(me.session.id))
    };
    // A database that cannot be opened is an error before the first page.
    context.auth()?;
    let selection = Selection { scope, filter: SessionFilter::default(), after: args.after.clone() };
    let limit = args.limit.map(|limit| limit as usize);
    let layout = args.list.layout();
    Ok(Outcome::list(Listing::Sessions { selection, current, limit }, layout))
}

/// Live sessions, newest first.
#[derive(Debug)]
struct Sessions {
    selection: Selection,
    /// The id of the caller's session, when the list has only sessions of the caller.
    current: Option<String>,
    /// The number of sessions with values that cannot be read.
    odd: usize,
}

pub(in crate::commands) fn pages(
    selection: Selection,
    current: Option<String>,
    limit: Option<usize>,
    layout: &Layout,
    style: Style,
) -> anyhow::Result<Box<dyn Pages>> {
    PagesOf::boxed(Sessions { selection, current, odd: 0 }, layout, limit, style)
}

impl Sessions {
    /// The first cell of a row: the user, or the mark of the caller's session.
    fn first(&self, email: &str, session: &Session) -> Cell {
        match &self.current {
            Some(current) => Cell::Mark(session.id == *current),
            None => Cell::text(email),
        }
    }
}

impl List for Sessions {
    type Item = (String, Session);

    fn name(&self) -> &'static str {
        "sessions"
    }

    fn read(&mut self, size: usize, context: &mut Context) -> anyhow::Result<(Vec<Self::Item>, bool)> {
        let read = context.auth().and_then(|mut auth| Ok(auth.sessions_page(&mut self.selection, size)?));
        let page = read.attempt("could not list sessions")?;
        self.odd += page.sessions.iter().filter(|(_, session)| !session.odd.is_empty()).count();
        Ok((page.sessions, page.has_more))
    }

    fn end(&mut self, has_more: bool, printed: usize, context: &mut Context) -> anyhow::Result<End> {
        context.notices.extend(odd::note_of_rows(self.odd));
        Reach::to_find(&["session"], context).note(context);
        let next = self.selection.after.as_ref().filter(|_| has_more);
        let notes = next.map(|next| {
            let shown = counted(printed as u64, "session");
            format!("{shown} on this page; the next page: --after {}", escape(next))
        });
        Ok(End { fields: vec![("next", json!(next))], notes: notes.into_iter().collect(), ..End::default() })
    }

    fn cut_off(&self) -> Vec<(&'static str, Value)> {
        vec![("next", json!(self.selection.after))]
    }

    fn json(&self, (_, session): &Self::Item) -> Value {
        let view = SessionView::from(session);
        json!(match &self.current {
            Some(current) => view.among(current),
            None => view,
        })
    }

    fn columns(&self) -> Vec<Column> {
        columns(if self.current.is_some() { MARK } else { Column::shrinking("USER", 16, 5) })
    }

    fn row(&self, (email, session): &Self::Item, _now: Timestamp) -> Row {
        row(self.first(email, session), session)
    }
}

/// The first column of a list of the caller's sessions.
pub(super) const MARK: Column = Column::mark("current").toned(|_| Tone::Good);

/// The columns of a table of sessions, after a first one from the caller.
pub(super) fn columns(first: Column) -> Vec<Column> {
    vec![
        first,
        Column::whole("ID").toned(|_| Tone::Dim),
        Column::optional("SIGNED IN", 2),
        Column::optional("EXPIRES", 4),
        Column::shrinking("ADDRESS", 9, 3),
        Column::shrinking("FROM", 8, 1),
        Column::requested("USER ID"),
        Column::requested("UPDATED"),
        Column::requested("IMPERSONATED BY"),
    ]
}

pub(super) fn row(first: Cell, session: &Session) -> Row {
    vec![
        first,
        Cell::id(&session.id),
        Cell::Time(session.created_at),
        Cell::Time(session.expires_at),
        session.ip_address.as_ref().into(),
        Cell::text(from(session)),
        Cell::id(&session.user_id),
        Cell::Time(session.updated_at),
        session.impersonated_by.as_ref().into(),
    ]
}

/// The program that began a session, and the impersonator.
fn from(session: &Session) -> Cow<'_, str> {
    let program = session.user_agent.as_deref();
    match &session.impersonated_by {
        Some(by) => format!("impersonated by {by}; {}", program.unwrap_or("-")).into(),
        None => program.unwrap_or_default().into(),
    }
}
