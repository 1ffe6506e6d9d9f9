//! `2fa`: the second factor of the caller, in a database that authctl made.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Attempt as _;
use super::session_start::{OTP_IS_WRONG, OTP_TRIES, OtpArgs, PasswordArgs, Printed, asking_otp, refuse_lost};
use crate::auth::audit::counted;
use crate::auth::second_factor::recovery::RecoveryCodes;
use crate::auth::second_factor::totp::TotpSecret;
use crate::auth::second_factor::{FactorOwner, FactorStatus};
use crate::auth::user::User;
use crate::auth::{Auth, AuthError, InPerson, SignedIn};
use crate::context::Context;
use crate::error::CommandError;
use crate::output::text::{rfc3339, who};
use crate::output::{Outcome, Page, Report, Style, qr};
use crate::prompt::Source;

pub(crate) const EXAMPLES: &str = "Examples:
  authctl 2fa enable
  authctl 2fa status
  authctl 2fa recovery-codes";

#[derive(Debug, Subcommand)]
pub enum SecondFactorCommand {
    /// Say whether your second factor is on, and how many recovery codes are left
    #[command(after_help = "Example:\n  authctl 2fa status --json | jq -r .recoveryCodes")]
    Status,
    /// Set up an authenticator app; from then on a sign-in needs a code of it
    ///
    /// Asks for the password, shows a secret as a QR code and as text, and asks for a code of the app. Only a
    /// right code turns the factor on. Then recovery codes are printed, a single time. Your other sessions end.
    ///
    /// Without a terminal this takes two calls: one with the password, which prints the secret, and one with a
    /// code.
    #[command(after_help = "Examples:
  authctl 2fa enable
  authctl 2fa enable --password-file pw --json | jq -r .secret > secret
  authctl 2fa enable --otp-file code")]
    Enable(EnableArgs),
    /// Turn your second factor off; your other sessions end
    #[command(after_help = "Examples:
  authctl 2fa disable
  printf '%s\\n%s\\n' \"$PASSWORD\" \"$CODE\" | authctl 2fa disable --password-stdin --otp-stdin")]
    Disable(OwnerArgs),
    /// Make new recovery codes; the old ones become invalid
    #[command(after_help = "Example:\n  authctl 2fa recovery-codes")]
    RecoveryCodes(OwnerArgs),
}

#[derive(Debug, Args)]
pub struct EnableArgs {
    #[command(flatten)]
    pub password: PasswordArgs,
    #[command(flatten)]
    pub otp: OtpArgs,
}

/// The proofs for a change of a factor that is on.
#[derive(Debug, Args)]
pub struct OwnerArgs {
    #[command(flatten)]
    pub password: PasswordArgs,
    #[command(flatten)]
    pub otp: OtpArgs,
}

pub(super) fn run(command: &SecondFactorCommand, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        SecondFactorCommand::Status => status(context).attempt("could not read the second factor"),
        SecondFactorCommand::Enable(args) => enable(args, context).attempt("could not turn the second factor on"),
        SecondFactorCommand::Disable(args) => disable(args, context).attempt("could not turn the second factor off"),
        SecondFactorCommand::RecoveryCodes(args) => {
            recovery_codes(args, context).attempt("could not make recovery codes")
        }
    }
}

fn status(context: &mut Context) -> anyhow::Result<Outcome> {
    let me = context.authenticate_without_factor()?;
    let auth = &mut context.auth()?;
    let status = auth.factor_status(&me.user)?;
    let is_required = auth.policy.second_factor.required.includes(&me.user);
    Ok(StatusReport { user: me.user, status, is_required }.into())
}

fn enable(args: &EnableArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let (password, otp) = (args.password.source(), args.otp.source());
    refuse_lost(Printed::Code, context)?;
    let me = context.authenticate_without_factor()?;
    if !otp.is_asked() {
        if !password.is_asked() {
            return Err(CommandError::Usage {
                message: "the password begins a second factor, and a code of its secret turns it on".into(),
                hint: "give the password first, and a code of the printed secret in another call",
            }
            .into());
        }
        context.auth()?.require_factor_begun(me.in_person()?)?;
        let otp = context.prompt().otp(&otp)?;
        let me = context.authenticate_without_factor()?;
        let (codes, ended) = context.auth()?.confirm_factor(me.in_person()?, &otp)?;
        return Ok(Enabled { user: me.user, codes, ended }.into());
    }
    context.auth()?.require_factor_off(me.in_person()?)?;
    let password = context.prompt().password(&password)?;
    // The session may have ended while the password was typed.
    let me = context.authenticate_without_factor()?;
    let secret = context.auth()?.begin_factor(me.in_person()?, &password)?;
    if !context.prompt().can_ask() {
        return Ok(Begun { user: me.user, secret }.into());
    }
    context.did("a secret was made", "`authctl 2fa enable --otp-stdin` turns the factor on with a code of it");
    confirm(&me, &secret, context)
}

/// Shows a secret at the terminal and asks for a code of it.
fn confirm(me: &SignedIn, secret: &TotpSecret, context: &mut Context) -> anyhow::Result<Outcome> {
    let uri = secret.uri(&me.user.email);
    let mut shown = String::new();
    if let Some(drawn) = qr::half_blocks(&uri)
        && context.prompt().fits(drawn.columns, drawn.lines)
    {
        shown.push_str(&drawn.text);
    }
    // Writing to a `String` cannot fail.
    let _ = write!(
        shown,
        "{}\nsecret: {}\nAdd it to an authenticator app, and type the code that the app shows.",
        *uri,
        *secret.base32()
    );
    let mut typed = context.prompt().otp_after(&shown)?;
    let mut tries_left = OTP_TRIES;
    loop {
        tries_left -= 1;
        let me = context.authenticate_without_factor()?;
        match context.auth()?.confirm_factor(me.in_person()?, &typed) {
            Ok((codes, ended)) => return Ok(Enabled { user: me.user, codes, ended }.into()),
            Err(AuthError::InvalidOtp) if tries_left > 0 => {
                typed = context.prompt().otp_after(OTP_IS_WRONG)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the methods are of one lifetime, and `as_owner` takes any"
)]
fn disable(args: &OwnerArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let (user, ended) = as_owner(args, context, |auth, me, owner| auth.disable_factor(me, owner))?;
    Ok(Disabled { user, ended }.into())
}

#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the methods are of one lifetime, and `as_owner` takes any"
)]
fn recovery_codes(args: &OwnerArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    refuse_lost(Printed::Code, context)?;
    let (user, codes) = as_owner(args, context, |auth, me, owner| auth.new_recovery_codes(me, owner))?;
    Ok(NewCodes { user, codes }.into())
}

/// Reads the proofs of a caller whose factor is on, and acts. At a terminal a wrong code is asked for again.
fn as_owner<T>(
    args: &OwnerArgs,
    context: &mut Context,
    act: impl Fn(&mut Auth<'_>, InPerson<'_>, &FactorOwner<'_>) -> Result<T, AuthError>,
) -> anyhow::Result<(User, T)> {
    let me = context.authenticate_without_factor()?;
    context.auth()?.require_factor_on(me.in_person()?)?;
    let (password, mut otp) = context.prompt().password_and_given_otp(&args.password.source(), &args.otp.source())?;
    if otp.is_none() && !context.prompt().can_ask() {
        // Says why a code cannot be asked for.
        otp = Some(context.prompt().otp(&Source::Terminal)?);
    }
    asking_otp(&mut otp, context, |otp, context| {
        let me = context.authenticate_without_factor()?;
        let otp = otp.ok_or(AuthError::OtpNeeded)?;
        let done = act(&mut context.auth()?, me.in_person()?, &FactorOwner { password: &password, otp })?;
        Ok((me.user, done))
    })
}

#[derive(Debug)]
struct StatusReport {
    user: User,
    status: FactorStatus,
    /// Whether the policy requires a factor of the user.
    is_required: bool,
}

impl Report for StatusReport {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        let FactorStatus { is_on, is_begun, recovery_codes, locked_until } = &self.status;
        let user = who(&self.user);
        let mut line = match (is_on, is_begun) {
            (true, _) => {
                let left = counted(*recovery_codes as u64, "recovery code");
                format!("the second factor of {user} is on; {left} left")
            }
            (false, true) => format!("the second factor of {user} waits for its first code"),
            (false, false) => format!("{user} has no second factor"),
        };
        if let Some(until) = locked_until {
            let _ = write!(line, "; locked until {}", rfc3339(*until));
        }
        if self.is_required {
            line.push_str("; the policy requires one");
        }
        Page::answer(format!("{line}\n"))
    }

    fn json(&self) -> Value {
        let FactorStatus { is_on, is_begun, recovery_codes, locked_until } = &self.status;
        json!({
            "enabled": is_on,
            "begun": is_begun,
            "recoveryCodes": recovery_codes,
            "lockedUntil": locked_until.map(rfc3339),
            "required": self.is_required,
        })
    }
}

/// A secret that waits for its first code.
#[derive(Debug)]
struct Begun {
    user: User,
    secret: TotpSecret,
}

impl Report for Begun {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        let note =
            "the second factor is not on yet: `authctl 2fa enable --otp-stdin` turns it on with a code of this secret";
        Page {
            answer: format!("{}\n{}\n", *self.secret.uri(&self.user.email), *self.secret.base32()),
            done: vec![note.to_owned()],
            ..Page::default()
        }
    }

    fn json(&self) -> Value {
        json!({
            "enabled": false,
            "uri": *self.secret.uri(&self.user.email),
            "secret": *self.secret.base32(),
        })
    }

    fn lost_answer_hint(&self) -> Option<String> {
        Some("the secret is lost: begin again with `authctl 2fa enable`".to_owned())
    }
}

#[derive(Debug)]
struct Enabled {
    user: User,
    codes: RecoveryCodes,
    /// Live sessions that ended.
    ended: usize,
}

/// What to do about recovery codes that were not printed.
const LOST_CODES: &str = "the recovery codes are lost: make others with `authctl 2fa recovery-codes`";

/// A page with recovery codes as the answer.
fn codes_page(codes: &RecoveryCodes, done: String) -> Page {
    let mut answer = String::new();
    for code in codes.expose() {
        let _ = writeln!(answer, "{}", *code);
    }
    let notes =
        vec!["each recovery code signs in a single time in place of a code of the app; keep them safe".to_owned()];
    Page { answer, notes, ..Page::done(done) }
}

fn codes_json(codes: &RecoveryCodes) -> Vec<String> {
    codes.expose().iter().map(|code| code.to_string()).collect()
}

impl Report for Enabled {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        let ended = counted(self.ended as u64, "other session");
        codes_page(&self.codes, format!("the second factor of {} is on; {ended} ended", who(&self.user)))
    }

    fn json(&self) -> Value {
        json!({ "enabled": true, "recoveryCodes": codes_json(&self.codes), "sessionsEnded": self.ended })
    }

    fn lost_answer_hint(&self) -> Option<String> {
        Some(LOST_CODES.to_owned())
    }
}

#[derive(Debug)]
struct NewCodes {
    user: User,
    codes: RecoveryCodes,
}

impl Report for NewCodes {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        codes_page(&self.codes, format!("made new recovery codes of {}; the old ones are invalid", who(&self.user)))
    }

    fn json(&self) -> Value {
        json!({ "recoveryCodes": codes_json(&self.codes) })
    }

    fn lost_answer_hint(&self) -> Option<String> {
        Some(LOST_CODES.to_owned())
    }
}

#[derive(Debug)]
struct Disabled {
    user: User,
    ended: usize,
}

impl Report for Disabled {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        let ended = counted(self.ended as u64, "other session");
        Page::done(format!("the second factor of {} is off; {ended} ended", who(&self.user)))
    }

    fn json(&self) -> Value {
        json!({ "enabled": false, "sessionsEnded": self.ended })
    }
}
