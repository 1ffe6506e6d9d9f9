//! `users list`.

use crate::auth::storage::{UserQuery, UserSort};
use crate::cli::{ListUsersArgs, UserOrder};
use crate::context::Context;
use crate::output::{Outcome, UsersOutcome};

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
        limit: args.limit,
        after: args.after.clone(),
    };
    let page = context.auth()?.store.users(&query)?;
    Ok(UsersOutcome::Page(page).into())
}
