//! `users reset-2fa`: removes the second factor of a user who lost it.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::auth::audit::counted;
use crate::auth::second_factor::FactorReset;
use crate::auth::user::User;
use crate::commands::confirm;
use crate::commands::reach::Reach;
use crate::commands::targets::{Question, UsersArg, each};
use crate::context::Context;
use crate::output::json::UserView;
use crate::output::text::{escaped, who};
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;

#[derive(Debug, Args)]
pub struct ResetSecondFactorArgs {
    #[command(flatten)]
    pub targets: UsersArg,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
}

pub(super) fn run(args: &ResetSecondFactorArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    if let Some(named) = args.targets.only() {
        return Ok(reset(named, args, context)?.into());
    }
    let mut effect = |named: &str, context: &mut Context| {
        let user = context.auth()?.user_to_change(named)?;
        let goes = context.auth()?.factor_to_reset(&user)?;
        effect(&user, &goes, context)
    };
    let question = Question { effect: &mut effect, question: "Reset these second factors?" };
    let question = (!args.dry_run).then_some(question);
    each(args.targets.all()?, context, question)
}

/// What the question says.
fn effect(user: &User, reset: &FactorReset, context: &Context) -> anyhow::Result<String> {
    let goes = match parts(reset).as_slice() {
        [] => String::new(),
        parts => format!(" with {}", parts.join(", ")),
    };
    Ok(format!(
        "This removes the second factor of {} in {}{goes}. The password alone signs in then.",
        who(user),
        escaped(&context.database()?.location),
    ))
}

/// Removes the second factor of one user, or says what would go.
pub(super) fn reset(named: &str, args: &ResetSecondFactorArgs, context: &mut Context) -> anyhow::Result<Reset> {
    let database = context.database()?.location;
    let user = context.auth()?.user_to_change(named)?;
    let reset = context.auth()?.factor_to_reset(&user)?;
    if args.dry_run || reset.is_empty() {
        let reach = if reset.is_empty() { Reach::default() } else { reach(context) };
        return Ok(Reset { user, removed: reset, reach, dry_run: args.dry_run, database });
    }
    confirm(&effect(&user, &reset, context)?, "Reset the second factor?", context)?;
    let (user, reset) = context.auth()?.reset_second_factor(&user)?;
    Ok(Reset { user, removed: reset, reach: reach(context), dry_run: false, database })
}

/// The rows that go, in words.
fn parts(reset: &FactorReset) -> Vec<String> {
    let FactorReset { rows, trusted_devices, pending_sign_ins, sessions, .. } = *reset;
    let parts = [
        (rows, "factor"),
        (trusted_devices, "trusted device"),
        (pending_sign_ins, "unfinished sign-in"),
        (sessions, "session"),
    ];
    parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, noun)| counted(count, noun)).collect()
}

/// How far a reset reaches, with its notices. Trusted devices and unfinished sign-ins are rows of `verification`.
fn reach(context: &mut Context) -> Reach {
    let reach = Reach::to_end(&["session", "verification"], context);
    reach.note(context);
    reach
}

/// What was removed, or would have been.
#[derive(Debug)]
pub(super) struct Reset {
    user: User,
    removed: FactorReset,
    reach: Reach,
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
        let mut parts = parts(&self.removed);
        if self.removed.was_on {
            parts.insert(0, "the flag of the user".to_owned());
        }
        let verb = if self.dry_run { "would reset" } else { "reset" };
        Page::done_if(self.is_done(), format!("{verb} the second factor of {who} in {place}: {}", parts.join(", ")))
    }

    fn json(&self) -> Value {
        let mut document = json!({
            "user": UserView::from(&self.user),
            "changed": self.is_done(),
            "dryRun": self.dry_run,
            "wasEnabled": self.removed.was_on,
            "factors": self.removed.rows,
            "trustedDevices": self.reach.count("verification", self.removed.trusted_devices),
            "pendingSignIns": self.reach.count("verification", self.removed.pending_sign_ins),
            "sessionsEnded": self.reach.count("session", self.removed.sessions),
            "database": self.database.to_string(),
        });
        self.reach.add_to(&mut document);
        document
    }
}
