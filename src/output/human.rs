//! What happened, in words for a person: the answer for standard output, what was done for standard
//! error. Everything that came from users is escaped here.

use jiff::{SignedDuration, Timestamp};

use super::escape::escape;
use super::outcome::{Kept, Outcome};
use super::page::{Page, Style};
use super::sessions::{ended, list, list_of_users};
use super::state::{DatabaseState, SignedOutHow};
use super::table::{facts, table};
use super::time::{relative, rfc3339};
use super::{entries, users};
use crate::auth::identify::HashKind;
use crate::auth::policy::{Argon2Cost, KEYS, Key, Policy};
use crate::auth::session::Session;
use crate::auth::user::User;

/// Tells a person what happened.
#[expect(clippy::too_many_lines, reason = "an arm for each outcome")]
pub fn human(outcome: &Outcome, now: Timestamp, style: Style) -> Page {
    let when = |instant| if style.terminal { relative(instant, now) } else { rfc3339(instant) };
    match outcome {
        Outcome::Silent | Outcome::Become(_) | Outcome::EntriesToFollow { .. } => Page::default(),
        Outcome::HashMade(hash) => Page::answer(format!("{}\n", hash.expose())),
        Outcome::HashIsRight { outdated: false } => Page::done("the password is right".to_owned()),
        Outcome::HashIsRight { outdated: true } => {
            Page::done("the password is right; the hash is weaker than the policy asks for".to_owned())
        }
        Outcome::HashIdentified { kind, outdated } => Page::answer(identified(*kind, *outdated)),
        Outcome::Calibrated { cost, took, within } => calibrated(*cost, *took, *within),
        Outcome::Page(page) => Page::answer(page.clone()),
        Outcome::SignedUp { user, session, database } => signed_up(user, session.as_ref(), database, now),
        Outcome::SignedIn { user, session, kept: Kept::File(path) } => Page::done(format!(
            "signed in as {}; the session ends {}\n{}",
            who(user),
            relative(session.expires_at, now),
            stored(path)
        )),
        Outcome::SignedIn { user, session, kept: Kept::Printed(token) } => {
            let mut done =
                vec![format!("signed in as {}; the session ends {}", who(user), relative(session.expires_at, now))];
            if style.terminal {
                done.push("the token is in this terminal's scrollback now: clear it, or end the session".to_owned());
            }
            Page { answer: format!("{}\n", token.expose()), done }
        }
        Outcome::PasswordIsRight { user } => {
            Page::done(format!("the password of {} is right; nothing was stored", who(user)))
        }
        Outcome::Who { user, session, token_from, database } => Page::answer(facts(&[
            ("name", escape(&user.name).into_owned()),
            ("email", format!("{}{}", escape(&user.email), if user.email_verified { "" } else { " (not verified)" })),
            ("user id", escape(&user.id).into_owned()),
            ("role", escape(user.roles()).into_owned()),
            ("session", escape(&session.id).into_owned()),
            ("expires", when(session.expires_at)),
            ("token from", escape(token_from).into_owned()),
            ("database", escape(&database.to_string_lossy()).into_owned()),
        ])),
        Outcome::Sessions { sessions, current } => Page::answer(list(sessions, Some(current), now, style)),
        Outcome::SessionsOfUsers { sessions } => Page::answer(list_of_users(sessions, now, style)),
        Outcome::SessionsEnded { sessions, dry_run, signed_out } => ended(sessions, *dry_run, *signed_out, now, style),
        Outcome::Pruned { count, dry_run, database } => {
            let verb = if *dry_run { "would delete" } else { "deleted" };
            Page::done(format!("{verb} {} in {}", counted(*count, "expired session"), shown(database)))
        }
        Outcome::SignedOut(how) => Page::done(signed_out(how)),
        Outcome::PasswordReset { user, sessions_ended } => Page::done(format!(
            "set the new password of {} and ended {}; sign in with `authctl signin`",
            who(user),
            counted(*sessions_ended as u64, "session")
        )),
        Outcome::CodeMailed { email } => {
            Page::done(format!("if somebody here has the address {}, a code is on its way there", escape(email)))
        }
        Outcome::ResetCode { user, code, expires_at, database } => Page {
            answer: format!("{}\n", code.expose()),
            done: vec![format!(
                "with this code {} can use `authctl password reset` in {}; it expires {}",
                who(user),
                shown(database),
                relative(*expires_at, now)
            )],
        },
        Outcome::PasswordChanged { sessions_ended, sessions_kept } => Page::done(if *sessions_kept {
            "changed the password; other sessions were kept".to_owned()
        } else {
            format!("changed the password and ended {}", counted(*sessions_ended as u64, "other session"))
        }),
        Outcome::AccountUpdated { user } => Page::done(format!("updated the account of {}", who(user))),
        Outcome::AccountDeleted { user, sessions } => {
            Page::done(format!("deleted the account of {} with {}", who(user), counted(*sessions, "session")))
        }
        Outcome::Users(page) => users::list(page, now, style),
        Outcome::User(state) => Page::answer(users::facts_of(state, now, style)),
        Outcome::UserExists => Page::done("the user exists".to_owned()),
        Outcome::UserWasMissing { database } => {
            Page::done(format!("there was no such user in {}; nothing to delete", shown(database)))
        }
        Outcome::UserChanged { act, user, sessions_ended, password, database } => {
            users::changed(*act, user, *sessions_ended, password.as_ref(), database, now)
        }
        Outcome::Entries(list) => Page::answer(entries::table_of(list, now, style)),
        Outcome::EntryLines(list) => Page::answer(entries::lines(list, true)),
        Outcome::LogIsWhole { entries, head, database } => Page {
            answer: facts(&[("entries", entries.to_string()), ("newest hash", head.clone())]),
            done: vec![format!(
                "no entry was edited, removed or moved in {}; note the hash elsewhere to notice a cut end",
                shown(database)
            )],
        },
        Outcome::Policy { policy } => Page::answer(rules(policy, style)),
        Outcome::PolicyChanged { key, policy, database } => {
            Page::done(format!("{} is {} in {}", key.name, key.value(policy), shown(database)))
        }
        Outcome::DatabaseReady { path, created: true } => Page::done(format!("created the database {}", shown(path))),
        Outcome::DatabaseReady { path, created: false } => Page::done(format!("the database {} exists", shown(path))),
        Outcome::Database(state) => Page::answer(database(state)),
        Outcome::Migrated { path, from, to } if from == to => {
            Page::done(format!("{} is up to date at schema version {to}", shown(path)))
        }
        Outcome::Migrated { path, from, to } => {
            Page::done(format!("migrated {} from schema version {from} to {to}", shown(path)))
        }
    }
}

pub(super) fn who(user: &User) -> String {
    format!("{} <{}>", escape(&user.name), escape(&user.email))
}

pub(super) fn shown(path: &std::path::Path) -> String {
    escape(&path.to_string_lossy()).into_owned()
}

/// Said whenever a token is stored, because it is stored in clear.
fn stored(path: &std::path::Path) -> String {
    format!("the session is kept unencrypted, readable by you alone, in {}", shown(path))
}

pub(super) fn counted(count: u64, noun: &str) -> String {
    let plural = match count {
        1 => "",
        _ if noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{count} {noun}{plural}")
}

fn signed_up(
    user: &User,
    session: Option<&(Session, std::path::PathBuf)>,
    database: &std::path::Path,
    now: Timestamp,
) -> Page {
    match session {
        Some((session, path)) => Page::done(format!(
            "created the account of {} and signed in; the session ends {}\n{}",
            who(user),
            relative(session.expires_at, now),
            stored(path)
        )),
        None => Page::done(format!("created the account of {} in {}", who(user), shown(database))),
    }
}

fn signed_out(how: &SignedOutHow) -> String {
    let file = match how.file_removed {
        Some(true) => "; removed the session file",
        Some(false) => "; there was no session file",
        None => "",
    };
    match (how.sessions_ended, how.without_database) {
        (None, Some(why)) if how.file_removed == Some(true) => {
            format!("signed out on this machine only: removed the session file; {why}")
        }
        (None, _) => "nothing to do: not signed in".to_owned(),
        (Some(0), _) => format!("signed out: the session had ended before{file}"),
        (Some(ended), _) => format!("signed out: ended {}{file}", counted(ended as u64, "session")),
    }
}

fn identified(kind: HashKind, outdated: bool) -> String {
    let mut known = vec![("kind", kind.name().to_owned())];
    if let HashKind::Argon2id(cost) = kind {
        let (passes, lanes) = (counted(cost.passes.into(), "pass"), counted(cost.lanes.into(), "lane"));
        known.push(("cost", format!("{} KiB, {passes}, {lanes}", cost.memory_kib)));
    }
    known.push(("accepted", if kind.is_accepted() { "yes" } else { "no" }.to_owned()));
    known.push(("outdated", if outdated { "yes" } else { "no" }.to_owned()));
    facts(&known)
}

fn calibrated(cost: Argon2Cost, took: SignedDuration, within: bool) -> Page {
    let answer = facts(&[
        ("password.argon2-memory", cost.memory_kib.to_string()),
        ("password.argon2-passes", cost.passes.to_string()),
        ("password.argon2-lanes", cost.lanes.to_string()),
    ]);
    let mut done = vec![format!("one hash takes {} ms; set each with `authctl policy set`", took.as_millis())];
    if !within {
        done.push("that is longer than the target, but no lower cost is allowed".to_owned());
    }
    Page { answer, done }
}

fn rules(policy: &Policy, style: Style) -> String {
    let default = Policy::default();
    let row = |key: &Key| {
        let mark = if key.value(policy) == key.value(&default) { "" } else { "*" };
        [mark, key.name, &key.value(policy), &key.value(&default), &key.takes(), key.meaning]
            .map(str::to_owned)
            .to_vec()
    };
    let header = ["", "KEY", "VALUE", "DEFAULT", "TAKES", "MEANING"];
    table(&header, KEYS.iter().map(row).collect(), 1, style)
}

fn database(state: &DatabaseState) -> String {
    let census = &state.census;
    facts(&[
        ("database", shown(&state.path)),
        ("chosen by", state.chosen_by.name.to_owned()),
        ("kind", "native".to_owned()),
        ("schema version", census.schema_version.to_string()),
        ("users", census.users.to_string()),
        ("live sessions", census.live_sessions.to_string()),
        ("expired sessions", census.expired_sessions.to_string()),
        ("journal mode", census.journal_mode.clone()),
        ("SQLite", census.sqlite_version.clone()),
        ("size", format!("{} bytes", census.bytes)),
    ])
}
