//! `users explain`: why a user cannot sign in. Writes nothing.

use jiff::{SignedDuration, Timestamp};

use crate::cli::ExplainArgs;
use crate::context::Context;
use crate::error::CommandError;
use crate::output::{Explanation, Outcome, UsersOutcome};

/// How long ago still counts as now: a script writes the time down before it asks.
const JUST_NOW: SignedDuration = SignedDuration::from_mins(1);

pub(super) fn run(args: &ExplainArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let now = context.now()?;
    let at = args.at.map_or(Ok(now), |at| moment(at, now))?;
    let mut auth = context.auth()?;
    auth.now = at;
    let user = auth.find_user(&args.user)?;
    let blockers = auth.blockers(&user)?;
    Ok(UsersOutcome::Explained(Explanation { user, at, is_now: args.at.is_none(), blockers }).into())
}

fn moment(at: Timestamp, now: Timestamp) -> Result<Timestamp, CommandError> {
    if now.duration_since(at) > JUST_NOW {
        return Err(CommandError::Usage {
            message: "--at is in the past, and what was so then is not kept".into(),
            hint: "name a time to come, or read what was done with `authctl audit list --user USER`",
        });
    }
    Ok(at.max(now))
}
