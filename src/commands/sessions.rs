//! `sessions`: list and end one's own, delete what has expired.

use crate::auth::store::Which;
use crate::cli::{PruneArgs, RevokeArgs};
use crate::context::Context;
use crate::output::Outcome;

/// Rows deleted by one transaction of `prune`: other writers wait for a tenth of a second at most.
const PRUNE_BATCH: usize = 1_000;

pub(super) fn list(context: &mut Context) -> anyhow::Result<Outcome> {
    let me = context.signed_in()?;
    let sessions = context.auth()?.live_sessions(&me.user.id)?;
    Ok(Outcome::Sessions { sessions, current: me.session.id })
}

pub(super) fn revoke(args: &RevokeArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let (token, _) = context.token()?;
    let me = context.signed_in()?;
    let which = if args.all {
        Which::All
    } else if args.others {
        Which::Others(me.session.id.clone())
    } else {
        Which::Ids(args.ids.clone())
    };
    if args.dry_run {
        let sessions = context.auth()?.choose_sessions(&me.user.id, &which)?;
        return Ok(Outcome::SessionsEnded { sessions, dry_run: true, signed_out: false });
    }
    context.end_abandoned_sessions()?;
    let sessions = context.auth()?.end_sessions(&me.user.id, &which)?;
    let signed_out = sessions.iter().any(|session| session.id == me.session.id);
    if signed_out {
        context.session_file()?.remove(Some(&token))?;
    }
    Ok(Outcome::SessionsEnded { sessions, dry_run: false, signed_out })
}

pub(super) fn prune(args: &PruneArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let now = context.now;
    let database = context.database()?.path;
    let store = context.auth()?.store;
    if args.dry_run {
        let count = store.count_expired(now)?;
        return Ok(Outcome::Pruned { count, dry_run: true, database });
    }
    let mut count = 0;
    loop {
        let pruned = store.prune(now, PRUNE_BATCH)?;
        count += pruned;
        if pruned < PRUNE_BATCH as u64 {
            return Ok(Outcome::Pruned { count, dry_run: false, database });
        }
    }
}
