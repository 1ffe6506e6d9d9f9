//! `users show`.

use crate::context::Context;
use crate::output::{Outcome, UserState, UsersOutcome};

pub(super) fn run(named: &str, context: &mut Context) -> anyhow::Result<Outcome> {
    let mut auth = context.auth()?;
    let user = auth.find_user(named)?;
    let accounts = auth.store.accounts(&user.id)?;
    let live_sessions = auth.live_sessions(&user.id)?.len();
    let (failed_attempts, locked_for) = auth.attempts(&user)?;
    Ok(UsersOutcome::State(UserState { user, accounts, live_sessions, failed_attempts, locked_for }).into())
}
