//! `users set-password` and `users reset-code`, and the password arguments of operators.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{UserAct, UserChanged};
use crate::auth::PasswordInput;
use crate::auth::access::AccessKind;
use crate::auth::secret::Code;
use crate::auth::user::User;
use crate::cli::values;
use crate::commands::reach::Reach;
use crate::commands::session_start::{Printed, new_password, refuse_lost};
use crate::context::Context;
use crate::output::json::UserView;
use crate::output::text::{escape, escaped, rfc3339, who};
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;
use crate::prompt::Source;

/// The source of a password that an operator sets.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("given").args(["password_stdin", "password_file", "generate", "hash_stdin"])))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct PasswordInputArgs {
    /// Read the password from standard input
    #[arg(long)]
    pub password_stdin: bool,
    /// Read the password from a file
    #[arg(long, value_name = "PATH")]
    pub password_file: Option<PathBuf>,
    /// Make a random password and print it
    #[arg(long)]
    pub generate: bool,
    /// Read a password hash from standard input, in the text of the system that made it
    #[arg(long)]
    pub hash_stdin: bool,
    /// Take a password that is easy to guess
    #[arg(long)]
    pub allow_weak: bool,
}

#[derive(Debug, Args)]
pub struct SetPasswordArgs {
    /// Email address or id, or at least 6 first characters of the id
    pub user: String,
    /// Leave the user's sessions alive
    #[arg(long)]
    pub keep_sessions: bool,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: PasswordInputArgs,
}

#[derive(Debug, Args)]
pub struct ResetCodeArgs {
    /// Email address or id, or at least 6 first characters of the id
    pub user: String,
    /// How long the code counts, up to 24h
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = values::ttl)]
    pub ttl: SignedDuration,
}

/// Reads or generates the password that an operator sets.
/// A typed password that is too weak is asked for again; `own_words` are those of the user, which it must not be made of.
pub(super) fn given(
    args: &PasswordInputArgs,
    own_words: &[&str],
    context: &mut Context,
) -> anyhow::Result<PasswordInput> {
    if args.generate {
        refuse_lost(Printed::Password, context)?;
        return Ok(PasswordInput::Clear(context.entropy.password()?));
    }
    if args.hash_stdin {
        return Ok(PasswordInput::of_hash(context.prompt().hash()?));
    }
    let source = match &args.password_file {
        Some(path) => Source::File(path.clone()),
        None if args.password_stdin => Source::Stdin,
        None => Source::Terminal,
    };
    new_password(&source, own_words, args.allow_weak, context)
}

/// The password to print: only a generated one.
pub(super) fn to_print(args: &PasswordInputArgs, given: PasswordInput) -> Option<crate::auth::secret::Password> {
    match given {
        PasswordInput::Clear(password) if args.generate => Some(password),
        PasswordInput::Clear(_) | PasswordInput::Hash(_) => None,
    }
}

pub(super) fn set_password(args: &SetPasswordArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.location;
    let user = context.auth()?.user_to_change(&args.user)?;
    let given = given(&args.password, &[&user.name, &user.email], context)?;
    let ended = context.auth()?.set_password(&user, &given, args.password.allow_weak, args.keep_sessions)?;
    let what = format!("the password of {} was set", user.email);
    context.did(what, format!("set it again with `authctl users set-password {}`", user.email));
    context.auth()?.require_in_force(&user.id, &given)?;
    let password = to_print(&args.password, given);
    let ends_in = if args.keep_sessions { &["verification"][..] } else { &["session", "verification"] };
    let reach = Reach::to_end(ends_in, context);
    let set = UserChanged::new(UserAct::PasswordSet, user, database).ended(ended.len()).password(password).reach(reach);
    Ok(set.leaving(|kind| kind != AccessKind::Session, context).into())
}

pub(super) fn reset_code(args: &ResetCodeArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    refuse_lost(Printed::Code, context)?;
    let database = context.database()?.location;
    let mut auth = context.auth()?;
    let user = auth.user_to_change(&args.user)?;
    let (code, expires_at) = auth.reset_code(&user, args.ttl)?;
    Ok(ResetCode { user, code, expires_at, database }.into())
}

/// A code with which a user sets a new password.
#[derive(Debug)]
struct ResetCode {
    user: User,
    code: Code,
    expires_at: Timestamp,
    database: DatabaseLocation,
}

impl Report for ResetCode {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        Page {
            answer: format!("{}\n", self.code.expose()),
            ..Page::done(format!(
                "made a code for `authctl password reset` of {} in {}; it expires {}",
                who(&self.user),
                escaped(&self.database),
                style.ends(self.expires_at, now)
            ))
        }
    }

    fn json(&self) -> Value {
        json!({
            "code": self.code.expose(),
            "expiresAt": rfc3339(self.expires_at),
            "user": UserView::from(&self.user),
            "database": self.database.to_string(),
        })
    }

    fn lost_answer_hint(&self) -> Option<String> {
        let email = escape(&self.user.email);
        Some(format!("the code is lost: make another with `authctl users reset-code {email}`"))
    }
}
