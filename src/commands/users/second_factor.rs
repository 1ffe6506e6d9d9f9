//! `users reset-2fa`: removes the second factor of a user who lost it.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::auth::audit::counted;
use crate::auth::second_factor::FactorReset;
use crate::auth::user::User;
use crate::commands::confirm;
use crate::context::Context;
use crate::output::json::UserView;
use crate::output::text::{escaped, who};
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;

#[derive(Debug, Args)]
pub struct ResetSecondFactorArgs {
    /// Email address or id
    pub user: String,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
}

pub(super) fn run(args: &ResetSecondFactorArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.location;
    let user = context.auth()?.user_to_change(&args.user)?;
    let reset = context.auth()?.factor_to_reset(&user)?;
    if args.dry_run || reset.is_empty() {
        return Ok(Reset { user, removed: reset, dry_run: args.dry_run, database }.into());
    }
    let effect = format!(
        "This removes the second factor of {} in {}, with {} and {}, and ends {}. The password alone signs in then.",
        who(&user),
        escaped(&database),
        counted(reset.trusted_devices, "trusted device"),
        counted(reset.pending_sign_ins, "unfinished sign-in"),
        counted(reset.sessions, "session"),
    );
    confirm(&effect, "Reset the second factor?", context)?;
    let (user, reset) = context.auth()?.reset_second_factor(&user)?;
    Ok(Reset { user, removed: reset, dry_run: false, database }.into())
}

/// What was removed, or would have been.
#[derive(Debug)]
struct Reset {
    user: User,
    removed: FactorReset,
    dry_run: bool,
    database: DatabaseLocation,
}

impl Reset {
    fn is_done(&self) -> bool {
        !self.dry_run && !self.removed.is_empty()
    }
}

impl Report for Reset {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        let (who, place) = (who(&self.user), escaped(&self.database));
        if self.removed.is_empty() {
            return Page::note(format!("{who} has no second factor in {place}; nothing was changed"));
        }
        let FactorReset { was_on, rows, trusted_devices, pending_sign_ins, sessions } = self.removed;
        let parts = [
            (rows, "factor"),
            (trusted_devices, "trusted device"),
            (pending_sign_ins, "unfinished sign-in"),
            (sessions, "session"),
        ];
        let mut parts: Vec<String> =
            parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, noun)| counted(count, noun)).collect();
        if was_on {
            parts.insert(0, "the flag of the user".to_owned());
        }
        let verb = if self.dry_run { "would reset" } else { "reset" };
        Page::done_if(self.is_done(), format!("{verb} the second factor of {who} in {place}: {}", parts.join(", ")))
    }

    fn json(&self) -> Value {
        json!({
            "user": UserView::from(&self.user),
            "changed": self.is_done(),
            "dryRun": self.dry_run,
            "wasEnabled": self.removed.was_on,
            "factors": self.removed.rows,
            "trustedDevices": self.removed.trusted_devices,
            "pendingSignIns": self.removed.pending_sign_ins,
            "sessionsEnded": self.removed.sessions,
            "database": self.database.to_string(),
        })
    }
}
