//! `users explain`: why a user cannot sign in. Writes nothing.

use std::fmt::Write as _;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::show::ban;
use crate::auth::audit::counted;
use crate::auth::second_factor::SecondFactor;
use crate::auth::user::User;
use crate::auth::{MissingPassword, SignInBlocker};
use crate::cli::when;
use crate::context::Context;
use crate::error::{CommandError, ExitCode};
use crate::output::json::UserView;
use crate::output::text::{escape, rfc3339, who};
use crate::output::{Outcome, Page, Report, Style};

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Email address or id, or at least 6 first characters of the id
    pub user: String,
    /// At this time, such as 2026-11-25 (its start in UTC) or 2026-11-25T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = when::fixed)]
    pub at: Option<Timestamp>,
}

/// A time as recent as this counts as now, because a script computes it before the call.
const JUST_NOW: SignedDuration = SignedDuration::from_mins(1);

pub(super) fn run(args: &ExplainArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let now = context.now()?;
    let at = args.at.map_or(Ok(now), |at| moment(at, now))?;
    let mut auth = context.auth()?;
    auth.now = at;
    let user = auth.user_to_change(&args.user)?;
    let blockers = auth.blockers(&user)?;
    let second_factor = auth.second_factor(&user)?;
    Ok(Explanation { user, at, is_now: args.at.is_none(), blockers, second_factor, is_guest: context.is_guest() }
        .into())
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

/// The reasons why a sign-in with the right password would be refused.
#[derive(Debug)]
struct Explanation {
    user: User,
    at: Timestamp,
    /// No time was given.
    is_now: bool,
    /// In the order in which a sign-in checks them.
    blockers: Vec<SignInBlocker>,
    /// `None` if the database has no second factors.
    second_factor: Option<SecondFactor>,
    /// An app checks the second factor.
    is_guest: bool,
}

impl Report for Explanation {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        let who = who(&self.user);
        let then = if self.is_now { String::new() } else { format!(" at {}", rfc3339(self.at)) };
        if self.can_sign_in() {
            let mut page = Page::answer(format!("{who} can sign in with the right password{then}\n"));
            if self.second_factor == Some(SecondFactor::Working) {
                page.notes.push(if self.is_guest {
                    "the app asks for the second factor too, which authctl checks only with the secret of the app"
                        .to_owned()
                } else {
                    "a code of the second factor is needed too".to_owned()
                });
            }
            return page;
        }
        let mut text = format!("{who} cannot sign in{then}\n");
        for (number, blocker) in (1..).zip(&self.blockers) {
            let (message, hint) = (message(blocker, |until| style.until(until, now)), self.hint(blocker));
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{number}. {}\n   hint: {}", escape(&message), escape(&hint));
        }
        Page::answer(text)
    }

    fn json(&self) -> Value {
        let reason = |blocker: &SignInBlocker| {
            json!({
                "code": blocker.code(),
                "message": message(blocker, rfc3339),
                "hint": self.hint(blocker),
                "until": blocker.until().map(rfc3339),
            })
        };
        json!({
            "user": UserView::from(&self.user),
            "at": rfc3339(self.at),
            "canSignIn": self.can_sign_in(),
            "reasons": self.blockers.iter().map(reason).collect::<Vec<_>>(),
            "secondFactor": self.second_factor.map(SecondFactor::name),
        })
    }

    fn exit_code(&self) -> ExitCode {
        if self.can_sign_in() { ExitCode::Done } else { ExitCode::Failed }
    }
}

impl Explanation {
    fn can_sign_in(&self) -> bool {
        self.blockers.is_empty()
    }

    /// The command that removes a blocker.
    fn hint(&self, blocker: &SignInBlocker) -> String {
        let user = self.named();
        match blocker {
            SignInBlocker::Throttled { .. } => format!("`authctl users unlock {user}` forgets the failures"),
            SignInBlocker::AddressNotFound { sought, taken: false } => {
                format!("`authctl users update {user} --email {sought}` stores that")
            }
            SignInBlocker::AddressUnusable | SignInBlocker::AddressNotFound { taken: true, .. } => {
                format!("`authctl users update {user} --email ADDRESS` stores another")
            }
            SignInBlocker::NoPassword { lack: MissingPassword::OwnAccount(found), .. } => match found.as_slice() {
                [_] => format!(
                    "`authctl doctor --fix` sets the accountId right and keeps the password; \
                     `authctl users set-password {user}` sets it right with a new password"
                ),
                _ => format!(
                    "`authctl users set-password {user}` adds one that works, and `authctl doctor --fix` then deletes \
                     the others"
                ),
            },
            SignInBlocker::NoPassword { .. } => format!("`authctl users set-password {user}` sets one"),
            SignInBlocker::HashNotAccepted(_) => format!("`authctl users set-password {user}` sets another"),
            SignInBlocker::LegacyHash { .. } => format!(
                "`authctl users reset-code {user}` lets the user set another, and `authctl users set-password {user}` sets one"
            ),
            SignInBlocker::EmailNotVerified { .. } => format!(
                "`authctl users verify-email {user}` says that it is; `authctl policy unset email.verification` asks no more"
            ),
            SignInBlocker::Banned { .. } => format!("`authctl users unban {user}` lifts the ban"),
            SignInBlocker::SecondFactor => "sign in through the app, which can check it".to_owned(),
            SignInBlocker::SecondFactorLocked { .. } => format!("`authctl users unlock {user}` lifts the lock"),
            SignInBlocker::SecondFactorMissing | SignInBlocker::SecondFactorUnverified => {
                format!("`authctl users reset-2fa {user}` lets the user sign in with the password alone")
            }
        }
    }

    /// The user, as an argument that finds this user and that a shell reads as one word.
    fn named(&self) -> &str {
        let User { id, email, .. } = &self.user;
        let is_found = !self
            .blockers
            .iter()
            .any(|one| matches!(one, SignInBlocker::AddressUnusable | SignInBlocker::AddressNotFound { .. }));
        if is_found && !email.contains('\'') { email } else { id }
    }
}

/// What is in the way. `until` formats its end.
fn message(blocker: &SignInBlocker, until: impl Fn(Timestamp) -> String) -> String {
    match blocker {
        SignInBlocker::Throttled { failures, until: end } => {
            format!("locked after {} until {}", counted((*failures).into(), "failed attempt"), until(*end))
        }
        SignInBlocker::AddressUnusable => "the stored address is not one that can be signed in with".to_owned(),
        SignInBlocker::AddressNotFound { sought, taken } => {
            let owner = if *taken { ", which belongs to another user" } else { "" };
            format!("the stored address is not in lower case: a sign-in looks for {sought}{owner}")
        }
        SignInBlocker::NoPassword { lack, others } => {
            let lack = match lack {
                MissingPassword::Account => "there is no password: no credential account".to_owned(),
                MissingPassword::OwnAccount(found) => match found.as_slice() {
                    [found] => format!(
                        "no sign-in finds the password: the accountId of the credential account is \"{found}\" and not \
                         the user's id"
                    ),
                    found => format!(
                        "no sign-in finds a password: the accountIds of the {} credential accounts are \"{}\" and not \
                         the user's id",
                        found.len(),
                        found.join("\", \"")
                    ),
                },
                MissingPassword::Hash => "there is no password: the credential account holds no hash".to_owned(),
            };
            if others.is_empty() { lack } else { format!("{lack}; signs in by {}", others.join(", ")) }
        }
        SignInBlocker::HashNotAccepted(kind) => {
            format!("the password hash is of a kind that is not accepted here ({})", kind.name())
        }
        SignInBlocker::LegacyHash { kind, since } => {
            let until = rfc3339(*since);
            format!("the password hash is {}, and password.legacy-until ended such passwords at {until}", kind.name())
        }
        SignInBlocker::EmailNotVerified { .. } => {
            "the email address is not verified, and the policy asks for that".to_owned()
        }
        SignInBlocker::Banned { reason, until: end } => format!("banned {}", ban(end.map(until), reason.as_deref())),
        SignInBlocker::SecondFactor => {
            "this user has a second factor, which authctl checks only with the secret of the app".to_owned()
        }
        SignInBlocker::SecondFactorLocked { until: end } => {
            format!("no code of the second factor is accepted after wrong ones, until {}", until(*end))
        }
        SignInBlocker::SecondFactorMissing => {
            "a second factor is asked for, and the user has none: no code is ever right".to_owned()
        }
        SignInBlocker::SecondFactorUnverified => {
            "a second factor is asked for that the user never confirmed: no code is ever right".to_owned()
        }
    }
}
