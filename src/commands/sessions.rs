//! `sessions`: list and end one's own or, as an operator, those of others; delete what has expired.

use super::{forget_session, nobody_is_signed_in};
use crate::auth::secret::Token;
use crate::auth::session::Session;
use crate::auth::session_filter::{Pattern, SessionFilter};
use crate::auth::storage::Which;
use crate::auth::{AuthError, Scope};
use crate::cli::{PruneArgs, RevokeArgs, WhoseArgs};
use crate::context::{Context, NoToken};
use crate::output::{Outcome, SessionsOutcome};

/// Sessions ended or deleted by one transaction: other writers wait for a tenth of a second at most.
const BATCH: usize = 1_000;

pub(super) fn list(whose: &WhoseArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    if let Some(scope) = scope(whose, context)? {
        let sessions = context.auth()?.sessions_in(&scope, &SessionFilter::default())?;
        return Ok(SessionsOutcome::OfUsers { sessions }.into());
    }
    let me = context.authenticate()?;
    let sessions = context.auth()?.live_sessions(&me.user.id)?;
    Ok(SessionsOutcome::Mine { sessions, current: me.session.id }.into())
}

/// Whose sessions an operator means; `None` for one's own.
fn scope(whose: &WhoseArgs, context: &mut Context) -> anyhow::Result<Option<Scope<'static>>> {
    match &whose.user {
        Some(named) => Ok(Some(Scope::User(context.auth()?.find_user(named)?.id))),
        None => Ok(whose.all_users.then_some(Scope::Everybody)),
    }
}

pub(super) fn revoke(args: &RevokeArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let scope = scope(&args.whose, context)?;
    let is_filtered =
        args.older_than.is_some() || args.idle.is_some() || args.ip.is_some() || args.user_agent.is_some();
    if scope.is_none() && !is_filtered && !args.except_current {
        return revoke_own(args, context);
    }
    // Without a name, the sessions of whoever is signed in.
    let me;
    let scope = if let Some(scope) = scope {
        scope
    } else {
        me = context.authenticate()?;
        Scope::Own(me.in_person()?)
    };
    let current = current_session(args.except_current, context)?;
    let filter = SessionFilter {
        ids: args.ids.clone(),
        older_than: args.older_than,
        idle: args.idle,
        network: args.ip,
        user_agent: args.user_agent.as_deref().map(Pattern::new),
        except: current.clone().filter(|_| args.except_current || args.others),
    };
    let chosen = context.auth()?.sessions_in(&scope, &filter)?;
    if let Some(missing) = args.ids.iter().find(|id| !chosen.iter().any(|(_, session)| session.id == **id)) {
        return Err(AuthError::NoSuchSession(missing.clone()).into());
    }
    let mut sessions: Vec<Session> = chosen.into_iter().map(|(_, session)| session).collect();
    if args.dry_run {
        return Ok(SessionsOutcome::Ended { sessions, dry_run: true, signed_out: false }.into());
    }
    let mut ended = Vec::new();
    if sessions.len() > BATCH {
        // The caller's own session goes last: without it, the batches after it are refused.
        sessions.sort_by_key(|session| current.as_ref() == Some(&session.id));
    }
    for batch in sessions.chunks(BATCH) {
        ended.extend(context.auth()?.end_chosen(&scope, batch)?);
        context.did(done(ended.len(), "ended"), "run the command again for those that are left");
    }
    let sessions = ended;
    let signed_out = current.is_some_and(|id| sessions.iter().any(|session| session.id == id));
    if signed_out {
        let (token, _) = context.token()?;
        forget(&token, sessions.len(), context)?;
    }
    Ok(SessionsOutcome::Ended { sessions, dry_run: false, signed_out }.into())
}

/// The id of the session that the stored token belongs to, if there is one.
///
/// One that is there and cannot be read is none, unless it `must_be_known` in order to be spared.
fn current_session(must_be_known: bool, context: &mut Context) -> anyhow::Result<Option<String>> {
    let token = match context.token() {
        Ok((token, _)) => token,
        Err(error) if must_be_known && !matches!(error.downcast_ref(), Some(NoToken::None(_))) => return Err(error),
        Err(_) => return Ok(None),
    };
    match context.require_admitted(&token) {
        Err(error) if must_be_known || !nobody_is_signed_in(&error) => return Err(error),
        Err(_) => return Ok(None),
        Ok(()) => {}
    }
    Ok(context.auth()?.store.session(&token)?.map(|(session, _)| session.id))
}

fn revoke_own(args: &RevokeArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let (token, _) = context.token()?;
    let me = context.authenticate()?;
    let me = me.in_person()?;
    let which = if args.all {
        Which::All
    } else if args.others {
        Which::Others(me.session.id.clone())
    } else {
        Which::Ids(args.ids.clone())
    };
    if args.dry_run {
        let sessions = context.auth()?.choose_sessions(me, &which)?;
        return Ok(SessionsOutcome::Ended { sessions, dry_run: true, signed_out: false }.into());
    }
    context.end_abandoned_sessions()?;
    let sessions = context.auth()?.end_sessions(me, &which)?;
    let signed_out = sessions.iter().any(|session| session.id == me.session.id);
    if signed_out {
        forget(&token, sessions.len(), context)?;
    }
    Ok(SessionsOutcome::Ended { sessions, dry_run: false, signed_out }.into())
}

/// Removes the session file of the current session, which was ended with others.
fn forget(token: &Token, ended: usize, context: &mut Context) -> anyhow::Result<()> {
    context.did(done(ended, "ended"), "remove the file: the session in it has ended");
    let (_, own) = forget_session(Some(token), context)?;
    context.notices.extend(own.map(|own| own.told()));
    Ok(())
}

fn done(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 session was {what}"),
        _ => format!("{count} sessions were {what}"),
    }
}

pub(super) fn prune(args: &PruneArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let now = context.now()?;
    let database = context.database()?.path;
    if args.dry_run {
        let count = context.auth()?.store.count_expired(now)?;
        return Ok(SessionsOutcome::Pruned { count, dry_run: true, database }.into());
    }
    let mut count = 0;
    loop {
        let pruned = context.auth()?.store.prune(now, BATCH)?;
        count += pruned;
        if count > 0 {
            let what = done(usize::try_from(count).unwrap_or(usize::MAX), "deleted");
            context.did(what, "run the command again for those that are left");
        }
        if pruned < BATCH as u64 {
            return Ok(SessionsOutcome::Pruned { count, dry_run: false, database }.into());
        }
    }
}
