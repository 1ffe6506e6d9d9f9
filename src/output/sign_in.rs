//! Signing up, in and out, told.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::report::Report;
use super::report::{Page, Style};
use super::table::facts;
use super::text::escape;
use super::text::{shown, who};
use super::time::relative;
use super::view::{SessionView, UserView};
use crate::auth::audit::counted;
use crate::auth::cookie::Cookie;
use crate::auth::secret::Token;
use crate::auth::session::Session;
use crate::auth::user::User;

/// What signing up, in or out did, and who is signed in.
#[derive(Debug)]
pub enum SignInOutcome {
    /// An account was made.
    SignedUp {
        /// Whose.
        user: User,
        /// The session, unless `--no-signin`.
        session: Option<(Session, PathBuf)>,
        /// Where.
        database: PathBuf,
    },
    /// A session was made.
    SignedIn {
        /// Whose.
        user: User,
        /// The session.
        session: Session,
        /// What became of its token.
        kept: TokenSink,
    },
    /// A session was made in which somebody acts as its user.
    Impersonating {
        /// Whose.
        user: User,
        /// The session.
        session: Session,
        /// What became of its token.
        kept: TokenSink,
        /// The operator's own session is kept aside.
        keeps_own: bool,
        /// Where.
        database: PathBuf,
    },
    /// A session was made for somebody to hold, without a sign-in.
    Issued {
        /// Whose.
        user: User,
        /// The session.
        session: Session,
        /// Its token, which exists only in this answer.
        token: Token,
        /// The token as a cookie of the app.
        cookie: Option<Cookie>,
        /// Where.
        database: PathBuf,
    },
    /// The password is right; nothing was kept (`--no-store`).
    PasswordIsRight {
        /// Whose.
        user: User,
    },
    /// Who is signed in.
    Who {
        /// Who.
        user: User,
        /// By which session.
        session: Session,
        /// Who acts as the user in it, when that is another user.
        impersonator: Option<Box<User>>,
        /// The address of whose session is kept aside meanwhile.
        kept_aside: Option<String>,
        /// Where the token came from, in words.
        token_from: String,
        /// In which database.
        database: PathBuf,
    },
    /// Signed out.
    SignedOut(SignOutResult),
}

/// What became of a new session's token.
#[derive(Debug)]
pub enum TokenSink {
    /// It is in this file.
    File(PathBuf),
    /// It exists only in this answer.
    Printed(Token),
}

/// Which halves of signing out were done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignOutResult {
    /// Live sessions ended in the database; `None` when it was not asked.
    pub sessions_ended: Option<usize>,
    /// The session file was removed; `None` when the token came from elsewhere.
    pub file_removed: Option<bool>,
    /// Why the database was not asked.
    pub without_database: Option<&'static str>,
    /// The database, when it has no session with the token: one that never was, or ended before.
    pub unknown_in: Option<PathBuf>,
    /// What became of the session that was kept aside.
    pub own: Option<OwnSession>,
}

/// What became of the own session of somebody who acted as another user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnSession {
    /// It is stored again.
    Back {
        /// Whose it is.
        email: String,
    },
    /// It ended meanwhile.
    Ended,
}

impl OwnSession {
    /// In words.
    pub fn told(&self) -> String {
        match self {
            Self::Back { email } => format!("your own session is in use again: signed in as {}", escape(email)),
            Self::Ended => "your own session ended meanwhile: sign in with `authctl signin`".to_owned(),
        }
    }

    /// For programs.
    fn word(&self) -> &'static str {
        match self {
            Self::Back { .. } => "restored",
            Self::Ended => "ended",
        }
    }
}

impl Report for SignInOutcome {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        match self {
            Self::SignedUp { user, session: Some((session, path)), .. } => Page::done(format!(
                "created the account of {} and signed in; the session ends {}\n{}",
                who(user),
                relative(session.expires_at, now),
                stored(path)
            )),
            Self::SignedUp { user, session: None, database } => {
                Page::done(format!("created the account of {} in {}", who(user), shown(database)))
            }
            Self::SignedIn { user, session, kept } => {
                let done =
                    format!("signed in as {}; the session ends {}", who(user), relative(session.expires_at, now));
                kept.told(done, style)
            }
            Self::Impersonating { user, session, kept, keeps_own, database } => {
                let (place, end) = (shown(database), relative(session.expires_at, now));
                let done = format!("acting as {} in {place}; the session ends {end}", who(user));
                let mut page = kept.told(done, style);
                if *keeps_own {
                    let back = "your own session is kept: `authctl users impersonate --stop` gives it back if it is still \
                                valid";
                    page.done.push(back.to_owned());
                }
                page
            }
            Self::Issued { user, session, token, cookie, database } => {
                let (place, end) = (shown(database), relative(session.expires_at, now));
                let done = format!("issued a session of {} in {place}; it ends {end}", who(user));
                match cookie {
                    None => printed("token", token.expose(), done, style),
                    Some(cookie) => printed("cookie", cookie.expose(), done, style),
                }
            }
            Self::PasswordIsRight { user } => {
                Page::note(format!("the password of {} is right; nothing was stored", who(user)))
            }
            Self::Who { user, session, impersonator, kept_aside, token_from, database } => {
                let unverified = if user.email_verified { "" } else { " (not verified)" };
                let mut known = vec![
                    ("name", escape(&user.name).into_owned()),
                    ("email", format!("{}{unverified}", escape(&user.email))),
                    ("user id", escape(&user.id).into_owned()),
                    ("role", escape(user.roles()).into_owned()),
                    ("session", escape(&session.id).into_owned()),
                ];
                if let Some(by) = &session.impersonated_by {
                    let by = escape(by);
                    let name =
                        impersonator.as_ref().map_or_else(|| by.to_string(), |user| format!("{} ({by})", who(user)));
                    known.push(("impersonated by", name));
                }
                if let Some(email) = kept_aside {
                    let back = "kept; `authctl users impersonate --stop` gives it back if it is still valid";
                    known.push(("own session", format!("{}, {back}", escape(email))));
                }
                known.extend([
                    ("expires", style.when(session.expires_at, now)),
                    ("token from", escape(token_from).into_owned()),
                    ("database", shown(database)),
                ]);
                Page::answer(facts(&known))
            }
            Self::SignedOut(how) => Page::done_if(how.changed(), how.told()),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::SignedUp { user, session, .. } => {
                let session = session.as_ref().map(|(session, _)| SessionView::from(session));
                json!({ "user": UserView::from(user), "session": session })
            }
            Self::SignedIn { user, session, kept: TokenSink::File(_) }
            | Self::Impersonating { user, session, kept: TokenSink::File(_), .. }
            | Self::Who { user, session, .. } => {
                json!({ "session": SessionView::from(session), "user": UserView::from(user) })
            }
            Self::SignedIn { user, session, kept: TokenSink::Printed(token) }
            | Self::Impersonating { user, session, kept: TokenSink::Printed(token), .. } => {
                json!({ "token": token.expose(), "session": SessionView::from(session), "user": UserView::from(user) })
            }
            Self::Issued { user, session, token, cookie, .. } => json!({
                "token": token.expose(),
                "cookie": cookie.as_ref().map(Cookie::expose),
                "session": SessionView::from(session),
                "user": UserView::from(user),
            }),
            Self::PasswordIsRight { user } => json!({ "user": UserView::from(user) }),
            Self::SignedOut(how) => json!({
                "sessionsEnded": how.sessions_ended,
                "fileRemoved": how.file_removed,
                "ownSession": how.own.as_ref().map(OwnSession::word),
            }),
        }
    }

    fn unheld_token(&self) -> Option<&Token> {
        match self {
            Self::SignedIn { kept: TokenSink::Printed(token), .. }
            | Self::Impersonating { kept: TokenSink::Printed(token), .. }
            | Self::Issued { token, .. } => Some(token),
            _ => None,
        }
    }
}

impl TokenSink {
    /// What was done, and where the token is now.
    fn told(&self, done: String, style: Style) -> Page {
        match self {
            Self::File(path) => Page::done(format!("{done}\n{}", stored(path))),
            Self::Printed(token) => printed("token", token.expose(), done, style),
        }
    }
}

/// What was done, with a secret for the answer.
fn printed(what: &str, secret: &str, done: String, style: Style) -> Page {
    let mut page = Page { answer: format!("{secret}\n"), ..Page::done(done) };
    if style.terminal {
        page.done.push(format!("the {what} is in this terminal's scrollback now: clear it, or end the session"));
    }
    page
}

/// Said whenever a token is stored, because it is stored in clear.
fn stored(path: &Path) -> String {
    format!("the session is kept unencrypted, readable by you alone, in {}", shown(path))
}

impl SignOutResult {
    fn changed(&self) -> bool {
        self.sessions_ended.is_some_and(|ended| ended > 0) || self.file_removed == Some(true) || self.own.is_some()
    }

    fn told(&self) -> String {
        let file = match self.file_removed {
            _ if self.own.is_some() => "",
            Some(true) => "; removed the session file",
            Some(false) => "; there was no session file",
            None => "",
        };
        let told = if let Some(database) = &self.unknown_in {
            let database = shown(database);
            match self.file_removed {
                Some(_) => format!("signed out: {database} has no session with the stored token{file}"),
                None => format!("no session was ended: {database} has none with this token"),
            }
        } else {
            self.told_of_session(file)
        };
        match &self.own {
            Some(own) => format!("{told}\n{}", own.told()),
            None => told,
        }
    }

    fn told_of_session(&self, file: &str) -> String {
        match (self.sessions_ended, self.without_database) {
            (None, Some(why)) if self.file_removed == Some(true) => {
                format!("signed out on this machine only: removed the session file; {why}")
            }
            (None, _) => "nothing to do: not signed in".to_owned(),
            (Some(0), _) => format!("signed out: the session had ended before{file}"),
            (Some(ended), _) => format!("signed out: ended {}{file}", counted(ended as u64, "session")),
        }
    }
}
