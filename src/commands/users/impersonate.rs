//! `users impersonate`: a session in which an operator acts as a user, stored or printed like that of a
//! sign-in. The operator's own session is kept aside meanwhile.

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::auth::secret::Token;
use crate::auth::session::Session;
use crate::auth::user::User;
use crate::auth::{ActAs, AuthError, Impersonator, Lifetime};
use crate::cli::values;
use crate::commands::session_start::{
    Printed, TokenSink, begin, conclude, is_not_signed_in, notice_override, prepare, refuse_lost, session_request,
};
use crate::context::Context;
use crate::output::text::{escaped, who};
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;

#[derive(Debug, Args)]
pub struct ImpersonateArgs {
    /// Email address or id, or at least 6 first characters of the id
    #[arg(required_unless_present = "stop")]
    pub user: Option<String>,
    /// Stop acting as a user, and take back your own session if it is still valid
    #[arg(long, conflicts_with_all = ["user", "duration", "force", "print_token"])]
    pub stop: bool,
    /// How long, from 1m to 24h; use does not prolong it
    #[arg(long = "for", value_name = "DURATION", default_value = "1h", value_parser = values::ttl)]
    pub duration: SignedDuration,
    /// Act even as an administrator
    #[arg(long)]
    pub force: bool,
    /// Print the session token instead of storing it; your own session stays
    #[arg(long)]
    pub print_token: bool,
}

pub(super) fn run(args: &ImpersonateArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    if args.print_token {
        refuse_lost(Printed::Token, context)?;
    }
    let database = context.database()?.location;
    let user = context.auth()?.user_to_change(args.user.as_deref().unwrap_or_default())?;
    let own = if args.print_token { None } else { own_session(context)? };
    let by = operator(context)?;
    let lifetime = Lifetime::Exactly(args.duration);
    let session_request = session_request(lifetime, context)?;
    let whom = if args.force { ActAs::AnyUser } else { ActAs::NonAdmins };
    if args.print_token {
        let (user, session, kept) = begin(&session_request, &user.email, true, context, |mut auth| {
            auth.impersonate(&user, &by, &session_request, whom)
        })?;
        return Ok(Impersonating { user, session, kept, keeps_own: false, database }.into());
    }
    let keeps_own = own.is_some();
    let pending = prepare(&session_request.token, &user.email, context)?.stand_in_for(own);
    let begun = context.auth()?.impersonate(&user, &by, &session_request, whom);
    let (user, session) = conclude(begun, pending, context)?;
    notice_override(context);
    let kept = TokenSink::File(context.session_file()?.path());
    Ok(Impersonating { user, session, kept, keeps_own, database }.into())
}

/// The live stored session to keep aside. An impersonation that has ended is removed first, which restores the
/// operator's own session.
fn own_session(context: &mut Context) -> anyhow::Result<Option<Token>> {
    let file = context.session_file()?;
    loop {
        let Some(stored) = file.read_whole()? else { return Ok(None) };
        match context.auth()?.authenticate(&stored.token) {
            Ok(me) if me.session.is_impersonated() => return Err(AuthError::ImpersonatesAlready.into()),
            Ok(_) => return Ok(Some(stored.token)),
            Err(AuthError::NotSignedIn(_) | AuthError::Banned { .. }) if file.keeps_aside() => {
                file.remove(Some(&stored.token))?;
            }
            Err(AuthError::NotSignedIn(_) | AuthError::Banned { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The identity of the operator. An administrator acts by id, so that the impersonation ends when the account loses
/// its role. Any other operator acts by the rights of the operating system, without a sign-in.
fn operator(context: &mut Context) -> anyhow::Result<Impersonator> {
    match context.authenticate() {
        Ok(me) if me.session.is_impersonated() => Err(AuthError::ImpersonatesAlready.into()),
        Ok(me) if me.user.may_impersonate(context.now()?) => Ok(Impersonator::Administrator(Box::new(me))),
        Ok(_) => Ok(Impersonator::System(context.os_name()?)),
        Err(error) if is_not_signed_in(&error) || matches!(error.downcast_ref(), Some(AuthError::Banned { .. })) => {
            Ok(Impersonator::System(context.os_name()?))
        }
        Err(error) => Err(error),
    }
}

#[derive(Debug)]
struct Impersonating {
    user: User,
    session: Session,
    kept: TokenSink,
    /// The operator's own session is kept aside.
    keeps_own: bool,
    database: DatabaseLocation,
}

impl Report for Impersonating {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        let (place, end) = (escaped(&self.database), style.ends(self.session.expires_at, now));
        let done = format!("acting as {} in {place}; the session ends {end}", who(&self.user));
        let mut page = self.kept.page(done, style);
        if self.keeps_own {
            let back =
                "your own session is kept: `authctl users impersonate --stop` gives it back if it is still valid";
            page.done.push(back.to_owned());
        }
        page
    }

    fn json(&self) -> Value {
        self.kept.json(&self.user, &self.session)
    }

    fn unheld_token(&self) -> Option<&Token> {
        self.kept.unheld()
    }
}
