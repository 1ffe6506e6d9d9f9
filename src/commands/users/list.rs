//! `users list`.

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::auth::audit::counted;
use crate::auth::odd;
use crate::auth::storage::{UserPage, UserQuery, UserSort};
use crate::auth::user::User;
use crate::context::Context;
use crate::output::json::UserView;
use crate::output::table::{Column, Tone, table};
use crate::output::text::{cell, escape};
use crate::output::{Outcome, Page, Report, Style};

#[derive(Debug, Args)]
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
    /// Order of the list
    #[arg(long, value_enum, value_name = "KEY", default_value_t = UserOrder::Email)]
    pub sort: UserOrder,
    /// Users on a page
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// Count the users on all pages as well
    #[arg(long)]
    pub count: bool,
    /// Begin after this user: the `next` of the page before
    #[arg(long, value_name = "ID")]
    pub after: Option<String>,
}

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
        sort: match args.sort {
            UserOrder::Email => UserSort::Email,
            UserOrder::Name => UserSort::Name,
            UserOrder::Created => UserSort::Created,
        },
        count: args.count,
        limit: args.limit,
        after: args.after.clone(),
    };
    let page = context.auth()?.store.users(&query)?;
    context.notices.extend(odd::note(page.users.iter().map(|user| &user.odd)));
    Ok(UserList { page, has_roles: context.has_roles() }.into())
}

/// The state of a user who is neither banned nor unverified, on a terminal.
const SOUND: &str = "ok";
const BANNED: &str = "banned";

fn tone(state: &str) -> Tone {
    match state {
        SOUND => Tone::Good,
        banned if banned.starts_with(BANNED) => Tone::Bad,
        _ => Tone::Warning,
    }
}

/// A page of users.
#[derive(Debug)]
struct UserList {
    page: UserPage,
    has_roles: bool,
}

impl Report for UserList {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        let Self { page, has_roles } = self;
        let row = |user: &User| {
            let mut state = Vec::new();
            if user.is_banned(now) {
                state.push(BANNED);
            }
            if !user.email_verified {
                state.push("unverified");
            }
            let mut cells = vec![cell(&user.email), cell(&user.name)];
            cells.extend(has_roles.then(|| escape(user.roles()).into_owned()));
            cells.extend([
                match &*state {
                    [] if style.terminal => SOUND.to_owned(),
                    [] => "-".to_owned(),
                    state => state.join(", "),
                },
                style.when(user.created_at, now),
                escape(&user.id).into_owned(),
            ]);
            cells
        };
        let mut columns = vec![Column::shrinking("EMAIL", 20, 5), Column::shrinking("NAME", 8, 2)];
        columns.extend(has_roles.then_some(Column::shrinking("ROLE", 5, 3)));
        columns.extend([
            Column::shrinking("STATE", 10, 4).toned(tone),
            Column::optional("CREATED", 1),
            Column::whole("ID").toned(|_| Tone::Dim),
        ]);
        let shown = page.users.len() as u64;
        let mut notes = vec![match page.total {
            Some(total) => format!("{shown} of {}", counted(total, "user")),
            None => format!("{} on this page; --count counts all", counted(shown, "user")),
        }];
        if let Some(next) = &page.next {
            notes.push(format!("the next page: --after {}", escape(next)));
        }
        Page { answer: table(&columns, page.users.iter().map(row).collect(), style), notes, ..Page::default() }
    }

    fn json(&self) -> Value {
        json!({
            "users": self.page.users.iter().map(UserView::from).collect::<Vec<_>>(),
            "total": self.page.total,
            "next": self.page.next,
        })
    }
}
