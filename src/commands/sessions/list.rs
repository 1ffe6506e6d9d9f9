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
use crate::commands::pages::{End, Format, List, Pages, PagesOf};
use crate::commands::reach::Reach;
use crate::context::Context;
use crate::output::json::SessionView;
use crate::output::table::{Column, Tone, table};
use crate::output::text::{cell, escape};
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
    Ok(Outcome::List(Listing::Sessions { selection, current, limit: args.limit.map(|limit| limit as usize) }))
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
    json: bool,
    style: Style,
) -> Box<dyn Pages> {
    PagesOf::boxed(Sessions { selection, current, odd: 0 }, Format::new(json, style), limit, style)
}

impl Sessions {
    /// The first cell of a row: the user, or the mark of the caller's session.
    fn first(&self, email: &str, session: &Session) -> String {
        match &self.current {
            Some(current) if session.id == *current => "*".to_owned(),
            Some(_) => String::new(),
            None => cell(email),
        }
    }
}

impl List for Sessions {
    type Item = (String, Session);
    const NAME: &'static str = "sessions";

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

    fn cells(&self, (email, session): &Self::Item) -> Vec<String> {
        cells(self.first(email, session), session, Timestamp::default(), Style::default())
    }

    fn table(&self, sessions: &[Self::Item], now: Timestamp, style: Style) -> String {
        let rows = sessions.iter().map(|(email, session)| cells(self.first(email, session), session, now, style));
        table(&self.columns(), rows.collect(), style)
    }
}

/// The first column of a list of the caller's sessions.
pub(super) const MARK: Column = Column::whole("").toned(|_| Tone::Good);

/// The columns of a table of sessions, after a first one from the caller.
pub(super) fn columns(first: Column) -> Vec<Column> {
    vec![
        first,
        Column::whole("ID").toned(|_| Tone::Dim),
        Column::optional("SIGNED IN", 2),
        Column::optional("EXPIRES", 4),
        Column::shrinking("ADDRESS", 9, 3),
        Column::shrinking("FROM", 8, 1),
    ]
}

/// A row of the table.
pub(super) fn cells(first: String, session: &Session, now: Timestamp, style: Style) -> Vec<String> {
    vec![
        first,
        escape(&session.id).into_owned(),
        style.when(session.created_at, now),
        style.when(session.expires_at, now),
        escape(session.ip_address.as_deref().unwrap_or("-")).into_owned(),
        escape(&from(session)).into_owned(),
    ]
}

/// The program that began a session, and the impersonator.
fn from(session: &Session) -> Cow<'_, str> {
    let program = session.user_agent.as_deref().unwrap_or("-");
    match &session.impersonated_by {
        Some(by) => format!("impersonated by {by}; {program}").into(),
        None => program.into(),
    }
}
