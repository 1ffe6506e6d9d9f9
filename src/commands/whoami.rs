//! `whoami`: who is signed in. Without a stored session it does not open the database.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::auth::api_token::{TokenBearer, TokenRight, TokenScope};
use crate::auth::odd;
use crate::auth::session::Session;
use crate::auth::user::{User, UserRef};
use crate::context::{Context, Identity, TokenSource};
use crate::output::json::{SessionView, TokenView, UserView};
use crate::output::table::facts;
use crate::output::text::{cell, escape, escaped, who};
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;

pub(crate) const EXAMPLES: &str = "Examples:
  authctl whoami
  authctl whoami --json | jq -r .user.id
  authctl whoami --check && echo 'signed in'
  authctl whoami --format '{email}'";

#[derive(Debug, Args)]
pub struct WhoamiArgs {
    /// Print nothing; the exit code is the answer (0 signed in, 4 not)
    #[arg(long)]
    pub check: bool,
    /// Print one line in this form: {id}, {email}, {name}, {role}, {session}, {expires}, {database} and {db}, its name
    #[arg(long, value_name = "TEXT", value_parser = format, conflicts_with_all = ["check", "json"])]
    pub format: Option<Format>,
}

pub(super) fn run(args: &WhoamiArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let (me, source) = context.identity(&TokenRight::Whoami.into())?;
    let SignedIn { session, user } = match me {
        Identity::SignedIn(me) => me,
        Identity::Bearer(bearer) => return by_token(args, bearer, &source, context),
    };
    if args.check {
        return Ok(Outcome::Silent);
    }
    if let Some(format) = &args.format {
        let database = context.database()?.location;
        let json = json!({ "session": SessionView::from(&session), "user": UserView::from(&user) });
        let (session, expires_at) = (session.id, Some(session.expires_at));
        return Ok(Line { format: format.clone(), user, session, expires_at, database, json }.into());
    }
    let is_stored = matches!(source, TokenSource::SessionFile(_));
    let token_from = place_of(&source);
    notice_token(context);
    context.notices.extend(odd::note_of(user.odd.iter().chain(&session.odd)));
    let impersonator = match &session.impersonated_by {
        Some(by) => context.auth()?.store.user(&UserRef::Id(by.clone()))?.map(Box::new),
        None => None,
    };
    let kept_aside = if is_stored && session.is_impersonated() { kept_aside(context)? } else { None };
    let database = context.database()?.location;
    let has_roles = context.has_roles();
    Ok(Who { user, has_roles, session, impersonator, kept_aside, token_from, database }.into())
}

/// Where a token came from.
fn place_of(source: &TokenSource) -> String {
    match source {
        TokenSource::SessionFile(path) => path.display().to_string(),
        TokenSource::Variable => "AUTHCTL_TOKEN".to_owned(),
        TokenSource::VariableFile(path) => format!("AUTHCTL_TOKEN_FILE, {}", path.display()),
    }
}

/// The answer to a program with an API token.
fn by_token(
    args: &WhoamiArgs,
    bearer: TokenBearer,
    source: &TokenSource,
    context: &mut Context,
) -> anyhow::Result<Outcome> {
    if args.check {
        return Ok(Outcome::Silent);
    }
    let database = context.database()?.location;
    if let Some(format) = &args.format {
        let (session, expires_at) = (String::new(), bearer.token().expires_at);
        let (user, json) = (bearer.user().clone(), bearer_json(&bearer));
        return Ok(Line { format: format.clone(), user, session, expires_at, database, json }.into());
    }
    Ok(WhoByToken { bearer, token_from: place_of(source), database }.into())
}

fn bearer_json(bearer: &TokenBearer) -> Value {
    json!({ "session": null, "user": UserView::from(bearer.user()), "apiToken": TokenView::from(bearer.token()) })
}

/// The owner of an API token.
#[derive(Debug)]
struct WhoByToken {
    bearer: TokenBearer,
    token_from: String,
    database: DatabaseLocation,
}

impl Report for WhoByToken {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        let Self { bearer, token_from, database } = self;
        let (user, token) = (bearer.user(), bearer.token());
        let scopes: Vec<&str> = token.scopes.iter().map(TokenScope::as_str).collect();
        let name = token.name.as_deref().map(|name| format!("{} ", cell(name))).unwrap_or_default();
        Page::answer(facts(&[
            ("name", cell(&user.name)),
            ("email", escape(&user.email).into_owned()),
            ("user id", escape(&user.id).into_owned()),
            ("role", escape(user.roles()).into_owned()),
            ("API token", format!("{name}{}", escape(&token.id))),
            ("scopes", scopes.join(", ")),
            ("expires", token.expires_at.map_or_else(|| "-".to_owned(), |end| style.when(end, now))),
            ("token from", escape(token_from).into_owned()),
            ("database", escaped(database)),
        ]))
    }

    fn json(&self) -> Value {
        bearer_json(&self.bearer)
    }
}

/// Adds a notice if the token is not the stored one: JSON has Better Auth's shape and no field for it.
fn notice_token(context: &mut Context) {
    if let Some(variable) = context.overriding_variable() {
        let stored = context.session_file().is_ok_and(|file| file.is_there());
        let way_out = if stored { format!("; `unset {variable}` to use the stored session") } else { String::new() };
        context.notices.push(format!("signed in by the token in {variable}{way_out}"));
    }
}

/// The address of the session kept aside. A read error is only a notice, because it does not change who is signed in.
fn kept_aside(context: &mut Context) -> anyhow::Result<Option<String>> {
    match context.session_file()?.read_aside() {
        Ok(own) => Ok(own.map(|own| own.email)),
        Err(error) => {
            context.notices.push(format!("your own session is kept aside and cannot be read: {error}"));
            Ok(None)
        }
    }
}

#[derive(Debug)]
struct Who {
    user: User,
    has_roles: bool,
    session: Session,
    /// Who acts as the user in the session, when that is another user.
    impersonator: Option<Box<User>>,
    /// The email address of the user whose own session is kept aside meanwhile.
    kept_aside: Option<String>,
    token_from: String,
    database: DatabaseLocation,
}

/// A field of `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Id,
    Email,
    Name,
    Role,
    Session,
    Expires,
    Database,
    DatabaseName,
}

const FIELDS: [(&str, Field); 8] = [
    ("id", Field::Id),
    ("email", Field::Email),
    ("name", Field::Name),
    ("role", Field::Role),
    ("session", Field::Session),
    ("expires", Field::Expires),
    ("database", Field::Database),
    ("db", Field::DatabaseName),
];

/// The form of `--format`: texts, each with the field after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format(Vec<(String, Option<Field>)>);

/// Reads `--format`. `{{` and `}}` are braces.
fn format(text: &str) -> Result<Format, String> {
    let mut parts = Vec::new();
    let mut before = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        before.push_str(&rest[..at]);
        let after = &rest[at..];
        if let Some(after) = after.strip_prefix("{{").or_else(|| after.strip_prefix("}}")) {
            before.push_str(&rest[at..=at]);
            rest = after;
            continue;
        }
        let inner = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let Some((name, after)) = inner else {
            return Err("a brace has no other: write {{ or }} for the character".to_owned());
        };
        let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == name) else {
            let known = FIELDS.map(|(known, _)| format!("{{{known}}}"));
            return Err(format!("{{{name}}} is not a field: there are {}", known.join(", ")));
        };
        parts.push((std::mem::take(&mut before), Some(*field)));
        rest = after;
    }
    before.push_str(rest);
    parts.push((before, None));
    Ok(Format(parts))
}

/// The answer under `--format`.
#[derive(Debug)]
struct Line {
    format: Format,
    user: User,
    /// The id of the session; empty for an API token.
    session: String,
    /// The end of the session or of the token.
    expires_at: Option<Timestamp>,
    database: DatabaseLocation,
    json: Value,
}

impl Report for Line {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        let mut line = String::new();
        for (before, field) in &self.format.0 {
            line.push_str(before);
            let Some(field) = field else { continue };
            line.push_str(&match field {
                Field::Id => escape(&self.user.id),
                Field::Email => escape(&self.user.email),
                Field::Name => escape(&self.user.name),
                Field::Role => escape(self.user.roles()),
                Field::Session => escape(&self.session),
                Field::Expires => self.expires_at.map_or_else(|| "-".to_owned(), |end| style.when(end, now)).into(),
                Field::Database => escape(&self.database.to_string()).into_owned().into(),
                Field::DatabaseName => self.database.name().unwrap_or_default().into(),
            });
        }
        line.push('\n');
        Page::answer(line)
    }

    fn json(&self) -> Value {
        self.json.clone()
    }
}

impl Report for Who {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        let Self { user, has_roles, session, impersonator, kept_aside, token_from, database } = self;
        let unverified = if user.email_verified { "" } else { " (not verified)" };
        let mut known = vec![
            ("name", cell(&user.name)),
            ("email", format!("{}{unverified}", escape(&user.email))),
            ("user id", escape(&user.id).into_owned()),
        ];
        known.extend(has_roles.then(|| ("role", escape(user.roles()).into_owned())));
        known.push(("session", escape(&session.id).into_owned()));
        if let Some(by) = &session.impersonated_by {
            let by = escape(by);
            let name = impersonator.as_ref().map_or_else(|| by.to_string(), |user| format!("{} ({by})", who(user)));
            known.push(("impersonated by", name));
        }
        if let Some(email) = kept_aside {
            let back = "kept; `authctl users impersonate --stop` gives it back if it is still valid";
            known.push(("own session", format!("{}, {back}", escape(email))));
        }
        known.extend([
            ("expires", style.dated(session.expires_at, now)),
            ("token from", escape(token_from).into_owned()),
            ("database", escaped(database)),
        ]);
        Page::answer(facts(&known))
    }

    fn json(&self) -> Value {
        json!({ "session": SessionView::from(&self.session), "user": UserView::from(&self.user) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_takes_fields_and_braces() {
        let format = format("<{email}> {{{db}}}").unwrap();
        let expected = [("<", Some(Field::Email)), ("> {", Some(Field::DatabaseName)), ("}", None)];
        assert_eq!(format.0, expected.map(|(text, field)| (text.to_owned(), field)));
    }

    #[test]
    fn format_refuses_unknown_fields_by_name() {
        for (text, problem) in [
            ("{mail}", "{mail} is not a field: there are {id}, {email}"),
            ("{}", "{} is not a field"),
            ("{email", "a brace has no other"),
            ("email}", "a brace has no other"),
        ] {
            let error = format(text).unwrap_err();
            assert!(error.starts_with(problem), "{error}");
        }
    }
}
