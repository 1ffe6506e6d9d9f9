//! The checks of password hashes.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Check, Details, Severity};
use crate::auth::audit::counted;
use crate::auth::password::{HashFormat, Scheme};
use crate::auth::storage::StoreError;
use crate::auth::{Auth, AuthError};

pub(super) const NO_HASH: Check = Check::new("no-hash", Severity::Problem, |auth| {
    let mut count = 0;
    auth.store.each_credential(&mut |credential| count += u64::from(credential.hash.is_none()))?;
    let message = format!("password accounts without a password: {count}");
    let hint = "`authctl users set-password` sets one";
    Ok(Details::if_any(count, message, hint))
});

pub(super) const REFUSED_HASHES: Check = Check::new("hashes-refused", Severity::Problem, |auth| {
    let scheme = auth.store.scheme()?;
    let kinds = hash_kinds(auth, |kind| !scheme.verifies(kind))?;
    let message = |kinds| format!("password hashes that no sign-in here accepts: {kinds}");
    let hint = if auth.store.guest().is_some() {
        "the app may take them all the same: sign in and set passwords there"
    } else {
        "`authctl users set-password` or `authctl users reset-code` gives their users a new password"
    };
    Ok(of_kinds(&kinds, message, hint))
});

pub(super) const OTHER_HASHES: Check = Check::new("hashes-of-other-functions", Severity::Notice, |auth| {
    let scheme = auth.store.scheme()?;
    let (Scheme::Named { params, .. }, Some(warning)) = (&scheme, scheme.warning()) else { return Ok(None) };
    let kinds = hash_kinds(auth, |kind| kind.name() != params.name())?;
    let message = |kinds| format!("{warning}; others: {kinds}");
    let hint = "if it does not, leave \"password\" out of the file, and set the passwords again that authctl set";
    Ok(of_kinds(&kinds, message, hint))
});

pub(super) const WEAK_HASHES: Check = Check::new("hashes-weak", Severity::Notice, |auth| {
    if auth.store.guest().is_some() {
        // The app decides how strong its hashes are, and no sign-in replaces them.
        return Ok(None);
    }
    let (rules, is_over) = (auth.policy.password.clone(), auth.ends_legacy());
    // Those of an end that has come are a finding of their own.
    let kinds = hash_kinds(auth, |kind| kind.is_outdated(&rules) && !(is_over && kind.is_legacy()))?;
    let message = |kinds| format!("password hashes weaker than the policy asks for: {kinds}");
    let details = of_kinds(&kinds, message, "nothing: each is made anew when its user signs in");
    let lines = if is_over { Vec::new() } else { legacy_ages(auth)? };
    let hint = match rules.legacy_until {
        _ if lines.is_empty() => None,
        Some(day) => Some(format!(
            "each is made anew when its user signs in; those of other kinds than argon2id no longer sign in from {day}, \
             as password.legacy-until says"
        )),
        None => Some(
            "each is made anew when its user signs in; `authctl policy set password.legacy-until DATE` ends those of \
             other kinds than argon2id"
                .to_owned(),
        ),
    };
    Ok(details.map(|details| Details { lines, hint: hint.unwrap_or_else(|| details.hint.clone()), ..details }))
});

pub(super) const LEGACY_HASHES: Check = Check::new("hashes-legacy", Severity::Problem, |auth| {
    let Some(day) = auth.policy.password.legacy_until else { return Ok(None) };
    if !auth.ends_legacy() {
        return Ok(None);
    }
    let kinds = hash_kinds(auth, HashFormat::is_legacy)?;
    let message = |kinds| {
        format!("password hashes of other kinds than argon2id, which password.legacy-until ended on {day}: {kinds}")
    };
    let hint = "`authctl db prune` removes them; `authctl users reset-code USER` lets a user set a new password";
    let lines = legacy_ages(auth)?;
    Ok(of_kinds(&kinds, message, hint).map(|details| Details { lines, ..details }))
});

/// How long a hash is stored before it counts as old, and as very old.
const OLD: SignedDuration = SignedDuration::from_hours(24 * 90);
const VERY_OLD: SignedDuration = SignedDuration::from_hours(24 * 365);

/// Hashes of a kind by their age.
#[derive(Debug, Default)]
struct Ages {
    all: u64,
    /// Those that are stored for longer than [`OLD`].
    old: u64,
    /// Those that are stored for longer than [`VERY_OLD`].
    very_old: u64,
}

/// Describes hashes of other kinds than argon2id by kind and age, a line for each kind. A hash is as old as its account
/// is unchanged.
fn legacy_ages(auth: &mut Auth<'_>) -> Result<Vec<String>, AuthError> {
    let before = |age| auth.now.checked_sub(age).unwrap_or(Timestamp::MIN);
    let (old, very_old) = (before(OLD), before(VERY_OLD));
    let mut kinds: BTreeMap<&'static str, Ages> = BTreeMap::new();
    auth.store.each_credential(&mut |credential| {
        let format = credential.hash.as_ref().map(HashFormat::of);
        if let Some(format) = format.filter(|format| format.is_legacy()) {
            let is_before = |instant| credential.updated_at.is_some_and(|at| at <= instant);
            let ages = kinds.entry(format.name()).or_default();
            ages.all += 1;
            ages.old += u64::from(is_before(old));
            ages.very_old += u64::from(is_before(very_old));
        }
    })?;
    let line = |(kind, ages): (&&str, &Ages)| {
        let Ages { all, old, very_old } = ages;
        format!("{kind}: {}, over 90 days old {old}, of them over a year {very_old}", counted(*all, "hash"))
    };
    Ok(kinds.iter().map(line).collect())
}

/// Counts hashes by the name of their format.
fn hash_kinds(
    auth: &mut Auth<'_>,
    is_meant: impl Fn(HashFormat) -> bool,
) -> Result<BTreeMap<&'static str, u64>, StoreError> {
    let mut kinds = BTreeMap::new();
    auth.store.each_credential(&mut |credential| {
        if let Some(kind) = credential.hash.as_ref().map(HashFormat::of).filter(|kind| is_meant(*kind)) {
            *kinds.entry(kind.name()).or_default() += 1;
        }
    })?;
    Ok(kinds)
}

fn of_kinds(
    kinds: &BTreeMap<&'static str, u64>,
    message: impl FnOnce(String) -> String,
    hint: &'static str,
) -> Option<Details> {
    let list: Vec<String> = kinds.iter().map(|(name, count)| format!("{name} {count}")).collect();
    Details::if_any(kinds.values().sum(), message(list.join(", ")), hint)
}
