//! `users list`.

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::auth::audit::counted;
use crate::auth::odd;
use crate::auth::storage::{UserPlace, UserQuery, UserSort};
use crate::auth::user::User;
use crate::commands::Attempt as _;
use crate::commands::list_flags::ListFlags;
use crate::commands::pages::{End, List, Pages, PagesOf};
use crate::context::Context;
use crate::output::json::UserView;
use crate::output::list::{Cell, Format, Layout, Row};
use crate::output::table::{Column, Tone};
use crate::output::text::escape;
use crate::output::{Listing, Outcome, Style};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct ListUsersArgs {
    /// Only users with this in their address or name
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// Only users with this role
    #[arg(long)]
    pub role: Option<String>,
    /// Only banned users
    #[arg(long)]
    pub banned: bool,
    /// Only users whose address is not verified
    #[arg(long)]
    pub unverified: bool,
    /// Only users without a second factor
    #[arg(long = "without-2fa")]
    pub without_factor: bool,
    /// Order of the list
    #[arg(long, value_enum, value_name = "KEY", default_value_t = UserOrder::Email)]
    pub sort: UserOrder,
    /// At most this many users [default: 50; all as tsv, csv or jsonl]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Count the users on all pages as well
    #[arg(long)]
    pub count: bool,
    /// Begin after this user: the `next` of the page before
    #[arg(long, value_name = "ID")]
    pub after: Option<String>,
    #[command(flatten)]
    pub list: ListFlags,
}

/// The users of a page, if no limit is given.
const PAGE: usize = 50;

/// Orders of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UserOrder {
    /// By address
    Email,
    /// By name
    Name,
    /// The oldest first
    Created,
}

pub(super) fn run(args: &ListUsersArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let now = context.now()?;
    let query = UserQuery {
        search: args.search.clone(),
        role: args.role.clone(),
        banned_at: args.banned.then_some(now),
        unverified: args.unverified,
        without_factor: args.without_factor,
        sort: match args.sort {
            UserOrder::Email => UserSort::Email,
            UserOrder::Name => UserSort::Name,
            UserOrder::Created => UserSort::Created,
        },
        count: args.count,
        limit: 0,
        after: args.after.clone().map(UserPlace::from),
        keeps_place: false,
    };
    let layout = args.list.layout();
    let limit = match (args.limit, layout.format) {
        (Some(limit), _) => limit as usize,
        (None, Format::Table | Format::Document) => PAGE,
        (None, Format::Tsv | Format::Csv | Format::Lines) => usize::MAX,
    };
    // A database that cannot be opened is an error before the first page.
    context.auth()?;
    Ok(Outcome::list(Listing::Users { query, limit, has_roles: context.has_roles() }, layout))
}

/// The state of a user who is neither banned nor unverified.
const SOUND: &str = "ok";
const BANNED: &str = "banned";

fn tone(state: &str) -> Tone {
    match state {
        SOUND => Tone::Good,
        banned if banned.starts_with(BANNED) => Tone::Bad,
        _ => Tone::Warning,
    }
}

/// Users, from the one after whom the last page ended.
#[derive(Debug)]
struct Users {
    query: UserQuery,
    /// The users to read, if there are so many.
    left: usize,
    has_roles: bool,
    /// The number of users on all pages, if it is known.
    total: Option<u64>,
    /// Whether the list begins with the first user.
    is_from_start: bool,
    /// The number of users with values that cannot be read.
    odd: usize,
}

pub(in crate::commands) fn pages(
    query: UserQuery,
    limit: usize,
    has_roles: bool,
    layout: &Layout,
    style: Style,
) -> anyhow::Result<Box<dyn Pages>> {
    let is_from_start = query.after.is_none();
    PagesOf::boxed(
        Users { query, left: limit, has_roles, total: None, is_from_start, odd: 0 },
        layout,
        Some(limit),
        style,
    )
}

impl List for Users {
    type Item = User;

    fn name(&self) -> &'static str {
        "users"
    }

    fn read(&mut self, size: usize, context: &mut Context) -> anyhow::Result<(Vec<User>, bool)> {
        self.query.limit = u32::try_from(size).unwrap_or(u32::MAX);
        // The user may be deleted before the next page is read.
        self.query.keeps_place = size < self.left;
        let read = context.auth().and_then(|auth| Ok(auth.store.users(&self.query)?));
        let page = read.attempt("could not list users")?;
        self.total = self.total.or(page.total.filter(|_| self.query.count));
        self.query.count = false;
        self.odd += page.users.iter().filter(|user| !user.odd.is_empty()).count();
        self.left = self.left.saturating_sub(page.users.len());
        let has_more = page.next.is_some();
        self.query.after = page.next;
        Ok((page.users, has_more))
    }

    fn end(&mut self, has_more: bool, printed: usize, context: &mut Context) -> anyhow::Result<End> {
        context.notices.extend(odd::note_of_rows(self.odd));
        let shown = printed as u64;
        let total = self.total.or((self.is_from_start && !has_more).then_some(shown));
        let next = self.query.after.as_ref().filter(|_| has_more).map(|place| &place.id);
        let mut notes = vec![match total {
            Some(total) => format!("{shown} of {}", counted(total, "user")),
            None => format!("{} on this page; --count counts all", counted(shown, "user")),
        }];
        notes.extend(next.map(|next| format!("the next page: --after {}", escape(next))));
        Ok(End { fields: vec![("total", json!(total)), ("next", json!(next))], notes, ..End::default() })
    }

    fn cut_off(&self) -> Vec<(&'static str, Value)> {
        vec![("total", json!(self.total)), ("next", json!(self.query.after.as_ref().map(|place| &place.id)))]
    }

    fn json(&self, user: &User) -> Value {
        json!(UserView::from(user))
    }

    fn columns(&self) -> Vec<Column> {
        let mut columns = vec![Column::shrinking("EMAIL", 20, 5), Column::shrinking("NAME", 8, 2)];
        columns.extend(self.has_roles.then_some(Column::shrinking("ROLE", 5, 3)));
        columns.extend([
            Column::shrinking("STATE", 10, 4).toned(tone),
            Column::optional("CREATED", 1),
            Column::whole("ID").toned(|_| Tone::Dim),
            Column::requested("VERIFIED"),
            Column::requested("BANNED"),
            Column::requested("BAN REASON"),
            Column::requested("BAN ENDS"),
            Column::requested("UPDATED"),
            Column::requested("2FA"),
        ]);
        columns
    }

    fn row(&self, user: &User, now: Timestamp) -> Row {
        let mut state = Vec::new();
        if user.is_banned(now) {
            state.push(BANNED);
        }
        if !user.email_verified {
            state.push("unverified");
        }
        let state = if state.is_empty() { SOUND.to_owned() } else { state.join(", ") };
        let mut row = vec![Cell::text(&user.email), Cell::text(&user.name)];
        row.extend(self.has_roles.then(|| Cell::text(user.roles())));
        row.extend([
            Cell::text(state),
            Cell::Time(user.created_at),
            Cell::id(&user.id),
            Cell::yes_no(user.email_verified),
            Cell::yes_no(user.is_banned(now)),
            user.ban_reason.as_ref().into(),
            user.ban_expires.map_or_else(|| Cell::text(""), Cell::Time),
            Cell::Time(user.updated_at),
            Cell::yes_no(user.two_factor_enabled),
        ]);
        row
    }
}
