//! Checks of users who cannot sign in, or whose hashes are weaker than the policy requires.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Details, Fix, Severity};
use crate::auth::Auth;
use crate::auth::email::Email;
use crate::auth::password::HashFormat;
use crate::auth::sign_in_blocker::SignInBlocker;
use crate::auth::storage::StoreError;
use crate::auth::user::User;

/// The address in lower case, if its case is its only fault and no other user has it in any case. `twins` are
/// the addresses that several users have.
pub fn lowered(email: &str, twins: &BTreeSet<String>) -> Option<Email> {
    let lower = Email::parse(email).ok()?;
    (lower.as_str() != email && !twins.contains(lower.as_str())).then_some(lower)
}

pub(super) const UPPER_CASE: Check = Check {
    name: "email-case",
    severity: Severity::Problem,
    run: |auth| {
        let twins = auth.store.twins()?.into_iter().collect();
        let count = count_users(auth, |user| lowered(&user.email, &twins).is_some())?;
        let message = format!("addresses with capital letters, which no sign-in finds: {count}");
        let hint = "`authctl doctor --fix` writes them in lower case";
        Ok((count > 0).then(|| Details::new(count, message, hint).fixable()))
    },
    fix: Some(Fix {
        does: "write addresses with capital letters in lower case",
        apply: |auth| Ok(auth.store.lower_addresses(auth.now).map(drop)?),
    }),
};

pub(super) const TWINS: Check = Check {
    name: "email-twins",
    severity: Severity::Problem,
    run: |auth| {
        let count = auth.store.twins()?.len() as u64;
        let message = format!("addresses that several users have, but for capital letters: {count}");
        let hint = "only the one in lower case can sign in: give the others an address of their own with `authctl \
                    users update ID --email NEW`, or delete them";
        Ok((count > 0).then(|| Details::new(count, message, hint)))
    },
    fix: None,
};

pub(super) const SYNTAX: Check = Check {
    name: "email-syntax",
    severity: Severity::Problem,
    run: |auth| {
        let count = count_users(auth, |user| Email::parse(&user.email).is_err())?;
        let message = format!("users with an invalid email address, who cannot sign in: {count}");
        let hint = "`authctl users update ID --email NEW` gives a user another one";
        Ok((count > 0).then(|| Details::new(count, message, hint)))
    },
    fix: None,
};

pub(super) const STRAY_ACCOUNTS: Check = Check {
    name: "account-ids",
    severity: Severity::Problem,
    run: |auth| {
        let stray = auth.store.stray_accounts()?;
        let message =
            format!("password accounts whose accountId is not their user's id, which no sign-in finds: {}", stray.all);
        if stray.all == 0 {
            return Ok(None);
        }
        Ok(Some(if stray.correctable > 0 {
            Details::new(stray.all, message, "`authctl doctor --fix` sets those right that are their user's only one")
                .fixable()
        } else {
            Details::new(stray.all, message, "`authctl users set-password` gives their users an account that works")
        }))
    },
    fix: Some(Fix {
        does: "set the accountId of password accounts to their user's id",
        apply: |auth| Ok(auth.store.correct_stray_accounts(auth.now).map(drop)?),
    }),
};

pub(super) const NO_HASH: Check = Check {
    name: "no-hash",
    severity: Severity::Problem,
    run: |auth| {
        let mut count = 0;
        auth.store.each_credential(&mut |credential| count += u64::from(credential.hash.is_none()))?;
        let message = format!("password accounts without a password: {count}");
        let hint = "`authctl users set-password` sets one";
        Ok((count > 0).then(|| Details::new(count, message, hint)))
    },
    fix: None,
};

pub(super) const REFUSED_HASHES: Check = Check {
    name: "hashes-refused",
    severity: Severity::Problem,
    run: |auth| {
        let kinds = hash_kinds(auth, |kind| !kind.is_accepted())?;
        let message = |kinds| format!("password hashes that no sign-in here accepts: {kinds}");
        let hint = if auth.store.app().is_some() {
            "the app may take them all the same: sign in and set passwords there"
        } else {
            "`authctl users set-password` or `authctl users reset-code` gives their users a new password"
        };
        Ok(of_kinds(&kinds, message, hint))
    },
    fix: None,
};

pub(super) const WEAK_HASHES: Check = Check {
    name: "hashes-weak",
    severity: Severity::Notice,
    run: |auth| {
        if auth.store.app().is_some() {
            // The app decides how strong its hashes are, and no sign-in replaces them.
            return Ok(None);
        }
        let rules = auth.policy.password.clone();
        let kinds = hash_kinds(auth, |kind| kind.is_outdated(&rules))?;
        let message = |kinds| format!("password hashes weaker than the policy asks for: {kinds}");
        Ok(of_kinds(&kinds, message, "nothing: each is made anew when its user signs in"))
    },
    fix: None,
};

pub(super) const ADMINISTRATOR: Check = Check {
    name: "administrator",
    severity: Severity::Notice,
    run: |auth| {
        if auth.store.app().is_some_and(|app| !app.has("user", "role")) {
            return Ok(None);
        }
        let mut administrators = Vec::new();
        auth.store.each_user(&mut |user| {
            if user.has_role("admin") {
                administrators.push(user);
            }
        })?;
        for user in &administrators {
            // Failed guesses of others make an administrator wait, and that passes.
            let stays = |blocker: &SignInBlocker| !matches!(blocker, SignInBlocker::Throttled { .. });
            if !auth.blockers(user)?.iter().any(stays) {
                return Ok(None);
            }
        }
        let message = "no administrator can sign in, so `authctl guard --role admin` refuses every user";
        Ok(Some(Details::new(1, message, "`authctl users create EMAIL --role admin` makes one, if one is wanted")))
    },
    fix: None,
};

fn count_users(auth: &mut Auth<'_>, is_meant: impl Fn(&User) -> bool) -> Result<u64, StoreError> {
    let mut count = 0;
    auth.store.each_user(&mut |user| count += u64::from(is_meant(&user)))?;
    Ok(count)
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
    (!list.is_empty()).then(|| Details::new(kinds.values().sum(), message(list.join(", ")), hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowered_changes_only_case_of_an_address_without_twins() {
        let twins = BTreeSet::from(["twin@example.com".to_owned()]);
        let fixed = |email: &str| lowered(email, &twins).map(|email| email.as_str().to_owned());
        assert_eq!(fixed("Ada@Example.com").as_deref(), Some("ada@example.com"));
        for email in ["ada@example.com", "Twin@example.com", "Ada", " Ada@example.com", "ÄDA@example.com"] {
            assert_eq!(fixed(email), None, "{email}");
        }
    }
}
