//! Checks of what surrounds a database: files, directories, the environment.

use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;

use crate::auth::doctor::{Check, Cure, Severity, Symptom};
use crate::auth::session::CLOCK_SKEW;
use crate::context::Context;
use crate::session_file::{SessionFile, SessionFileError};
use crate::store::{OpenError, sqlite};

type Look = fn(&Context) -> anyhow::Result<Option<Symptom>>;
type Act = fn(&mut Context) -> anyhow::Result<()>;

/// Every check that opens no database.
pub(super) const PLACES: &[Check<Look, Act>] =
    &[PERMISSIONS, APP_FILE, FILE_SYSTEM, FILE_TIME, SESSION_FILES, ABANDONED, TOKEN, DATABASE];

pub(super) const PERMISSIONS: Check<Look, Act> = Check {
    name: "permissions",
    severity: Severity::Problem,
    look: |context| {
        let exposed = sqlite::insecure(&context.database()?.path);
        let lines: Vec<String> = exposed.iter().map(|exposure| exposure.error.to_string()).collect();
        let message = || format!("others may use what only you should: {}", lines.join("; "));
        let is_ours = exposed.iter().any(|one| one.is_ours);
        let way_out = exposed.iter().find_map(|one| match &one.error {
            OpenError::Unsafe { remedy, .. } if !is_ours => Some(remedy.as_str()),
            _ => None,
        });
        let way_out = way_out.unwrap_or("`authctl doctor --fix` takes these rights away, where the owner is you");
        let hint = format!("who writes there is the administrator, who reads there can guess passwords; {way_out}");
        let symptom = (!lines.is_empty()).then(|| Symptom::new(lines.len() as u64, message(), hint));
        Ok(symptom.map(|symptom| if is_ours { symptom.curable() } else { symptom }))
    },
    cure: Some(Cure {
        does: "take away the rights of others to the database's files and directory",
        act: |context| {
            let path = context.database()?.path;
            sqlite::tighten(&path).with_context(|| format!("could not change the permissions of {}", path.display()))
        },
    }),
};

const APP_FILE: Check<Look, Act> = Check {
    name: "app-file",
    severity: Severity::Notice,
    look: |context| {
        let path = context.database()?.path;
        let message = "everybody on this machine may read the app's database, with the token of every session in it";
        let hint = format!("if nobody but the app needs to: chmod o= '{}'", path.display());
        Ok(sqlite::is_open_to_all(&path).then(|| Symptom::new(1, message, hint)))
    },
    cure: None,
};

const FILE_SYSTEM: Check<Look, Act> = Check {
    name: "file-system",
    severity: Severity::Notice,
    look: |context| {
        let hint = "keep the database on a disk of this machine, or let one machine at a time use it";
        Ok(sqlite::unreliable_file_system(&context.database()?.path).map(|name| {
            let message = format!("the database is on {name}, where locks may not hold between machines");
            Symptom::new(1, message, hint)
        }))
    },
    cure: None,
};

const FILE_TIME: Check<Look, Act> = Check {
    name: "file-time",
    severity: Severity::Problem,
    look: |context| {
        // That it is missing is told elsewhere.
        let Ok(found) = std::fs::metadata(context.database()?.path) else { return Ok(None) };
        let written = Timestamp::try_from(found.modified()?)?;
        let latest = context.now()?.saturating_add(CLOCK_SKEW)?;
        let hint = "the clock is wrong now or was wrong then: compare `date` with another machine";
        Ok((written > latest)
            .then(|| Symptom::new(1, "the database file was written in the future, as this clock has it", hint)))
    },
    cure: None,
};

const SESSION_FILES: Check<Look, Act> = Check {
    name: "session-files",
    severity: Severity::Problem,
    look: |context| {
        let Some(place) = session_place(context) else { return Ok(None) };
        let (exposed, is_ours) = place.insecure();
        let lines: Vec<String> = exposed.iter().map(ToString::to_string).collect();
        let hint = "a token that others may have read is worth nothing: `authctl signout` ends its session; \
                    `authctl doctor --fix` closes your directories";
        let symptom = (!lines.is_empty()).then(|| Symptom::new(lines.len() as u64, lines.join("; "), hint));
        Ok(symptom.map(|symptom| if is_ours { symptom.curable() } else { symptom }))
    },
    cure: Some(Cure {
        does: "take away the rights of others to the directory of sessions",
        act: |context| Ok(context.session_file()?.close_directories()?),
    }),
};

const ABANDONED: Check<Look, Act> = Check {
    name: "abandoned-sign-ins",
    severity: Severity::Notice,
    look: |context| {
        let count = match session_place(context).map(|place| place.abandoned()) {
            Some(Ok(abandoned)) => abandoned.len() as u64,
            // `session-files` reports the directory.
            Some(Err(SessionFileError::UnsafeDirectory { .. })) | None => return Ok(None),
            Some(Err(error)) => return Err(error.into()),
        };
        let message = format!("interrupted sign-ins that left a session: {count}");
        let hint = "the next sign-in or sign-out ends them, and so does `authctl doctor --fix`";
        Ok((count > 0).then(|| Symptom::new(count, message, hint).curable()))
    },
    cure: Some(Cure {
        does: "end the sessions of interrupted sign-ins",
        act: |context| {
            context.auth_under_any_policy()?;
            context.end_abandoned_sessions().map(drop)
        },
    }),
};

const TOKEN: Check<Look, Act> = Check {
    name: "token-override",
    severity: Severity::Notice,
    look: |context| {
        let is_stored = session_place(context).is_some_and(|place| matches!(place.read(), Ok(Some(_))));
        let variable = context.overriding_variable().filter(|_| is_stored);
        Ok(variable.map(|variable| {
            let message = format!("{variable} is set: commands use its token and not the stored session");
            Symptom::new(1, message, format!("`unset {variable}` to be who signed in here"))
        }))
    },
    cure: None,
};

const DATABASE: Check<Look, Act> = Check {
    name: "database-override",
    severity: Severity::Notice,
    look: |context| {
        Ok(context.shadowed_database().map(|default| {
            let message = format!("AUTHCTL_DB is set: commands do not use {}, which exists too", shown(&default));
            Symptom::new(1, message, "`unset AUTHCTL_DB` to use it, or name one with --db")
        }))
    },
    cure: None,
};

/// Where the session is kept; without a home there is none to look at.
fn session_place(context: &Context) -> Option<SessionFile> {
    context.session_file().ok()
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
