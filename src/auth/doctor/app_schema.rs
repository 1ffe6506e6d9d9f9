//! The checks of the schema of an app: what authctl does not read or write there, and why.

use super::{Check, Details, Severity};
use crate::auth::Auth;
use crate::auth::storage::{StoreError, WriteBlocker, WriteScope};

/// Reports the reasons of a scope why an app's database is not written.
fn write_blockers(
    auth: &mut Auth<'_>,
    is_meant: fn(&WriteScope) -> bool,
    message: &str,
) -> Result<Option<Details>, StoreError> {
    auth.store.settle()?;
    let Some(schema) = auth.store.guest() else { return Ok(None) };
    let blockers: Vec<&WriteBlocker> =
        schema.write_blockers.iter().filter(|blocker| is_meant(&blocker.scope)).collect();
    let count = blockers.len() as u64;
    let silent = blockers.iter().filter_map(|blocker| match &blocker.scope {
        WriteScope::Silent { key, .. } => Some(format!(r#""{key}": "seconds""#)),
        _ => None,
    });
    let silent: Vec<String> = silent.collect();
    if silent.len() < 2 {
        let list = |words: fn(&WriteBlocker) -> &String| {
            blockers.iter().map(|blocker| words(blocker).as_str()).collect::<Vec<_>>().join("; ")
        };
        let message = format!("{message}: {}", list(|blocker| &blocker.problem));
        return Ok(Details::if_any(count, message, list(|blocker| &blocker.remedy)));
    }
    let line = |blocker: &&WriteBlocker| match &blocker.scope {
        WriteScope::Silent { column, .. } => format!("{column}: no value shows its encoding, and others differ"),
        _ => format!("{}: {}", blocker.problem, blocker.remedy),
    };
    let lines = blockers.iter().map(line).collect();
    let hint = format!(
        r#"name these encodings in the --schema file: {{"times": {{{}}}}}, with "milliseconds" or "text" where it is that"#,
        silent.join(", ")
    );
    Ok(Some(Details { lines, ..Details::new(count, format!("{message}: {count}"), hint) }))
}

pub(super) const APP_SCHEMA: Check = Check::new("app-schema", Severity::Problem, |auth| {
    let is_meant = |scope: &WriteScope| *scope == WriteScope::Everything;
    Ok(write_blockers(auth, is_meant, "nothing is written to this app's database")?)
});

pub(super) const APP_TIMES: Check = Check::new("app-times", Severity::Problem, |auth| {
    let is_meant = |scope: &WriteScope| *scope == WriteScope::Times;
    let message = "no time of this app can be read, so acts, lists and the checks that need times are left out";
    Ok(write_blockers(auth, is_meant, message)?)
});

pub(super) const APP_COLUMNS: Check = Check::new("app-columns", Severity::Notice, |auth| {
    let is_meant = |scope: &WriteScope| matches!(scope, WriteScope::NewRows(_));
    Ok(write_blockers(auth, is_meant, "some tables of this app get no new rows")?)
});

pub(super) const READ_ONLY_COLUMNS: Check = Check::new("read-only-columns", Severity::Notice, |auth| {
    let is_meant = |scope: &WriteScope| matches!(scope, WriteScope::Column(_) | WriteScope::Silent { .. });
    Ok(write_blockers(auth, is_meant, "some columns of this app are not written")?)
});
