//! `tokens`: API tokens of the caller or, for an operator, of users, and the API keys of an app.

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Attempt as _;
use super::list_flags::ListFlags;
use super::session_start::{Printed, printed, refuse_lost};
use super::sessions::{WhoseArgs, scope};
use super::targets::{each, each_once, lines_of_stdin};
use crate::auth::api_token::{ApiToken, StoredToken, TokenRequest, TokenRight, TokenScope};
use crate::auth::audit::counted;
use crate::auth::{Scope, SignedIn};
use crate::cli::values;
use crate::context::Context;
use crate::output::json::TokenView;
use crate::output::list::{Cell, Item, Rows};
use crate::output::table::{Column, Tone};
use crate::output::text::{escape, escaped};
use crate::output::{Listing, Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;

pub(crate) const EXAMPLES: &str = "Examples:
  authctl tokens create --name ci --scope deploy
  AUTHCTL_TOKEN=$TOKEN authctl guard --scope deploy -- ./deploy.sh
  authctl tokens list
  authctl tokens revoke 0RGbFb8XxpYd1y7hLxPZ2lZbKhjm1oQq

A token acts for its owner in AUTHCTL_TOKEN or AUTHCTL_TOKEN_FILE. It is no sign-in, and does
only what its scopes say, never more than its owner may:

  whoami      authctl whoami
  guard       authctl guard without --scope
  users:read  users list, show, explain and exists, if the owner is an administrator
  audit:read  the audit commands, if the owner is an administrator
  any other   authctl guard --scope with the same word

A token ends with its time, with `tokens revoke`, and when its owner is banned, locked down or
deleted. In a Better Auth database these commands administer the API keys of the app, which
the app checks.";

#[derive(Debug, Subcommand)]
pub enum TokensCommand {
    /// Make a token and print it, a single time
    #[command(after_help = "Examples:
  authctl tokens create --name ci --scope deploy --for 30d
  authctl tokens create --user deploy-bot@example.com --scope guard,users:read")]
    Create(CreateTokenArgs),
    /// List tokens: yours, or those of others
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  authctl tokens list
  authctl tokens list --all-users --json | jq -r '.tokens[].id'"
    )]
    List(ListTokensArgs),
    /// End tokens: yours, or those of others
    #[command(after_help = "Examples:
  authctl tokens revoke 0RGbFb8XxpYd1y7hLxPZ2lZbKhjm1oQq
  authctl tokens revoke --user ada@example.com --all")]
    Revoke(RevokeTokensArgs),
    /// Replace a token by a new one with the same name and scopes
    #[command(after_help = "Example:\n  authctl tokens rotate 0RGbFb8XxpYd1y7hLxPZ2lZbKhjm1oQq")]
    Rotate(RotateTokenArgs),
}

#[derive(Debug, Args)]
pub struct CreateTokenArgs {
    /// A name by which you know the token again
    #[arg(long)]
    pub name: Option<String>,
    /// How long, from 1m to 400d
    #[arg(long = "for", value_name = "DURATION", default_value = "90d", value_parser = values::life)]
    pub duration: SignedDuration,
    /// What the token may do; repeat it, or separate scopes by commas [default: whoami,guard]
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    pub scopes: Vec<TokenScope>,
    /// Whose, by email address or id, instead of yours
    #[arg(long)]
    pub user: Option<String>,
}

#[derive(Debug, Args)]
pub struct ListTokensArgs {
    #[command(flatten)]
    pub whose: WhoseArgs,
    #[command(flatten)]
    pub list: ListFlags,
}

#[derive(Debug, Args)]
pub struct RevokeTokensArgs {
    /// Tokens, by the id that `tokens list` shows or at least its first 6 characters
    #[arg(value_name = "ID", required_unless_present_any = ["all", "stdin"])]
    pub ids: Vec<String>,
    /// Read the ids from standard input, one per line
    #[arg(long, conflicts_with_all = ["ids", "all"])]
    pub stdin: bool,
    /// All tokens: yours, or those of --user or --all-users
    #[arg(long, conflicts_with = "ids")]
    pub all: bool,
    /// Delete the API keys of an app, which otherwise are disabled and stay in its lists
    #[arg(long)]
    pub delete: bool,
    #[command(flatten)]
    pub whose: WhoseArgs,
}

#[derive(Debug, Args)]
pub struct RotateTokenArgs {
    /// The id of the token that `tokens list` shows, or at least its first 6 characters
    pub id: String,
    /// How long, from 1m to 400d [default: as long as before]
    #[arg(long = "for", value_name = "DURATION", value_parser = values::life)]
    pub duration: Option<SignedDuration>,
    /// Whose, by email address or id, instead of yours
    #[arg(long)]
    pub user: Option<String>,
}

pub(super) fn run(command: &TokensCommand, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        TokensCommand::Create(args) => create(args, context).attempt("could not make a token"),
        TokensCommand::List(args) => list(args, context).attempt("could not list tokens"),
        TokensCommand::Revoke(args) => revoke(args, context).attempt("could not end tokens"),
        TokensCommand::Rotate(args) => rotate(args, context).attempt("could not replace the token"),
    }
}

/// The tokens that are meant: those of the caller, if the arguments name no others.
fn chosen(whose: &WhoseArgs, context: &mut Context) -> anyhow::Result<Scope> {
    match scope(whose, context)? {
        Some(scope) => Ok(scope),
        None => Ok(Scope::Own(context.authenticate()?.in_person()?.keep())),
    }
}

fn of_user(user: Option<&String>) -> WhoseArgs {
    WhoseArgs { user: user.cloned(), all_users: false }
}

fn create(args: &CreateTokenArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    refuse_lost(Printed::Token, context)?;
    let database = context.database()?.location;
    let (owner, me) = if let Some(named) = &args.user {
        (context.auth()?.user_to_change(named)?, None)
    } else {
        let me = context.authenticate()?;
        (me.user.clone(), Some(me))
    };
    let mut scopes = args.scopes.clone();
    if scopes.is_empty() && !context.is_guest() {
        scopes = [TokenRight::Whoami, TokenRight::Guard].map(TokenScope::from).to_vec();
    }
    scopes.sort();
    scopes.dedup();
    let request = TokenRequest { name: args.name.as_deref(), scopes: &scopes, life: args.duration };
    let me = me.as_ref().map(SignedIn::in_person).transpose()?;
    let (token, stored) = context.auth()?.create_token(&owner, me, &request)?;
    let is_guest = context.is_guest();
    for scope in scopes.iter().filter(|scope| !scope.is_known() && !is_guest) {
        context.notices.push(format!("only `authctl guard --scope {scope}` asks for the scope {scope}"));
    }
    Ok(Made { act: Act::Created, token, stored, database }.into())
}

fn list(args: &ListTokensArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let scope = chosen(&args.whose, context)?;
    let tokens = context.auth()?.tokens(&scope)?;
    Ok(Outcome::list(Listing::Rows(rows(&tokens, scope.user_id().is_none())), args.list.layout()))
}

fn revoke(args: &RevokeTokensArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    if args.all {
        let scope = chosen(&args.whose, context)?;
        return Ok(Ended(context.auth()?.revoke_tokens(&scope, None, args.delete)?).into());
    }
    match args.ids.as_slice() {
        [id] => Ok(Outcome::Report(revoke_one(args, id, context)?)),
        ids => {
            let ids = each_once(if args.stdin { lines_of_stdin("token")? } else { ids.to_vec() });
            // A caller who is not signed in is one error and not one for each.
            chosen(&args.whose, context)?;
            each(ids, context, None)
        }
    }
}

/// Ends one token.
pub(super) fn revoke_one(args: &RevokeTokensArgs, id: &str, context: &mut Context) -> anyhow::Result<Box<dyn Report>> {
    let scope = chosen(&args.whose, context)?;
    let mut auth = context.auth()?;
    let id = auth.token_id(&scope, id)?;
    Ok(Box::new(Ended(auth.revoke_tokens(&scope, Some(&[id]), args.delete)?)))
}

fn rotate(args: &RotateTokenArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    refuse_lost(Printed::Token, context)?;
    let database = context.database()?.location;
    let scope = chosen(&of_user(args.user.as_ref()), context)?;
    let mut auth = context.auth()?;
    let id = auth.token_id(&scope, &args.id)?;
    let (token, stored) = auth.rotate_token(&scope, &id, args.duration)?;
    Ok(Made { act: Act::Rotated, token, stored, database }.into())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Created,
    Rotated,
}

/// A token that exists only in this answer.
#[derive(Debug)]
struct Made {
    act: Act,
    token: ApiToken,
    stored: StoredToken,
    database: DatabaseLocation,
}

impl Report for Made {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        let Self { act, token, stored, database } = self;
        let verb = match act {
            Act::Created => "made a token",
            Act::Rotated => "replaced a token",
        };
        let owner = stored.owner_email.as_deref().unwrap_or(&stored.owner_id);
        let end = stored
            .expires_at
            .map_or_else(|| "does not expire".to_owned(), |end| format!("ends {}", style.ends(end, now)));
        let done = format!("{verb} of {} in {}; it {end} and has {}", escape(owner), escaped(database), scopes(stored));
        printed("token", token.expose(), done, style)
    }

    fn json(&self) -> Value {
        json!({
            "token": self.token.expose(),
            "apiToken": TokenView::from(&self.stored),
            "database": self.database.to_string(),
        })
    }

    /// The text of the token exists only in the answer.
    fn lost_answer_hint(&self) -> Option<String> {
        let id = escape(&self.stored.id);
        Some(format!(
            "the token is lost: `authctl tokens revoke {id}` ends it, and `authctl tokens rotate {id}` makes a new one"
        ))
    }
}

/// The scopes of a token in words.
fn scopes(token: &StoredToken) -> String {
    let noun = if token.scopes.len() == 1 { "scope" } else { "scopes" };
    match token.scopes.as_slice() {
        [] => "no scopes".to_owned(),
        scopes => format!("the {noun} {}", scopes.iter().map(TokenScope::as_str).collect::<Vec<_>>().join(", ")),
    }
}

fn rows(tokens: &[StoredToken], is_of_all: bool) -> Rows {
    let mut columns = vec![
        Column::whole("ID").toned(|_| Tone::Dim),
        Column::shrinking("NAME", 8, 5),
        Column::optional("TOKEN", 2),
        Column::shrinking("SCOPES", 12, 4),
        Column::optional("LAST USED", 1),
        Column::optional("EXPIRES", 3),
    ];
    columns.extend(is_of_all.then(|| Column::shrinking("USER", 16, 6)));
    let item = |token: &StoredToken| {
        let when = |time: Option<Timestamp>| time.map_or_else(|| Cell::text(""), Cell::Time);
        let scopes: Vec<&str> = token.scopes.iter().map(TokenScope::as_str).collect();
        let mut row = vec![
            Cell::id(&token.id),
            token.name.as_ref().into(),
            token.start.as_ref().map(|start| format!("{start}...")).into(),
            Cell::text(scopes.join(",")),
            when(token.last_used),
            if token.is_enabled { when(token.expires_at) } else { Cell::text("disabled") },
        ];
        row.extend(is_of_all.then(|| Cell::text(token.owner_email.as_ref().unwrap_or(&token.owner_id))));
        Item { document: json!(TokenView::from(token)), row, group: "" }
    };
    Rows {
        name: "tokens",
        columns,
        items: tokens.iter().map(item).collect(),
        notes: if tokens.is_empty() { vec!["there are no tokens".to_owned()] } else { Vec::new() },
        ..Rows::default()
    }
}

/// The id of a token, and its name if it has one.
fn named(token: &StoredToken) -> String {
    match &token.name {
        Some(name) => format!("{} ({})", escape(&token.id), escape(name)),
        None => escape(&token.id).into_owned(),
    }
}

/// The tokens that ended.
#[derive(Debug)]
struct Ended(Vec<StoredToken>);

impl Report for Ended {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        let Self(tokens) = self;
        let line = format!("ended {}", counted(tokens.len() as u64, "token"));
        match tokens.as_slice() {
            [token] => Page::done(format!("{line}: {}", named(token))),
            tokens => Page::done_if(!tokens.is_empty(), line),
        }
    }

    fn json(&self) -> Value {
        json!({ "ended": self.0.iter().map(TokenView::from).collect::<Vec<_>>() })
    }
}
