//! The checks of the file, its schema, its audit log, its settings, its users, and the tables of plugins.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Check, Details, Fix, Severity, app_schema, server};
use crate::auth::audit::{Chain, counted, intention};
use crate::auth::email::Email;
use crate::auth::policy::Policy;
use crate::auth::prune::{Expiring, Pruning};
use crate::auth::session::CLOCK_SKEW;
use crate::auth::storage::{Depth, Differs, FOLLOWED_MAX, StoreError};
use crate::auth::user::User;
use crate::auth::{Auth, AuthError, SignInBlocker};

/// The checks that read no user. They run after that of the file.
pub const STRUCTURE: &[Check] = &[
    server::CLOCK,
    server::ENCRYPTION,
    server::PRODUCT,
    server::REPLICA,
    server::READ_ONLY,
    server::SUPERUSER,
    ONLY_THE_APPS,
    SCHEMA,
    APP_TRACES,
    app_schema::APP_SCHEMA,
    app_schema::APP_TIMES,
    app_schema::APP_COLUMNS,
    app_schema::READ_ONLY_COLUMNS,
    ORPHANS,
    AUDIT_LOG,
];

/// The check of accounts that `db check` runs too.
pub const ACCOUNTS: &[Check] = &[STRAY_ACCOUNTS];

/// The checks that read tables of plugins. In a database without them they find nothing.
pub const PLUGINS: &[Check] = &[FOREIGN_KEYS, REFERENCES, CHAINS, SECOND_FACTORS, LEFT_FACTORS, OWNERS, EXPIRED_ROWS];

/// The number of items that a message lists.
const NAMED_MAX: usize = 5;

/// How much of an address a message shows.
const SHOWN_CHARS: usize = 60;

/// The hint for a damaged file.
fn restore(auth: &Auth<'_>) -> &'static str {
    if auth.store.guest().is_some() {
        "stop the app and put a backup of its database in this one's place"
    } else {
        "`authctl db restore` puts a backup in its place"
    }
}

/// The check of the file.
pub const INTEGRITY: Check = Check::new("integrity", Severity::Problem, |auth| damage(auth, Depth::Quick));

/// The same, and whether every index has the rows of its table.
pub const FULL_INTEGRITY: Check = Check::new(INTEGRITY.name, Severity::Problem, |auth| damage(auth, Depth::Full));

fn damage(auth: &mut Auth<'_>, depth: Depth) -> Result<Option<Details>, AuthError> {
    let damage = auth.store.damage(depth)?;
    let message = format!("the file is damaged: {}", some_of(&damage));
    Ok(Details::if_any(damage.len() as u64, message, restore(auth)))
}

const ONLY_THE_APPS: Check = Check::new("app-functions", Severity::Notice, |auth| {
    let tables = auth.store.tables_only_the_app_checks()?;
    let named: Vec<String> = tables.iter().map(|(table, words)| format!("{table} ({words})")).collect();
    let why =
        "the schema uses functions or collations that only the app has, so these tables cannot be checked in full";
    let message = format!("{why}: {}", some_of(&named));
    let hint = "acts that need them stop and change nothing, such as adding or deleting a row of these tables; do these \
                acts in the app";
    Ok(Details::if_any(tables.len() as u64, message, hint))
});

/// The check of authctl's schema. The command makes again what is missing, with the engine.
pub const SCHEMA: Check = Check::new("schema", Severity::Problem, |auth| {
    let found = auth.store.schema_differences()?;
    let has = |how: &[Differs]| found.iter().any(|difference| how.contains(&difference.how));
    let (is_made_again, is_lost) = (has(&[Differs::Missing, Differs::Stale]), has(&[Differs::Lost]));
    let differences: Vec<String> = found
        .into_iter()
        .map(|difference| {
            let how = match difference.how {
                Differs::Missing | Differs::Lost => "is missing",
                Differs::Unexpected => "was not made by authctl",
                Differs::Changed => "is not as authctl made it",
                Differs::Stale => "lacks users, and a search may not find them",
            };
            format!("{} {how}", difference.object)
        })
        .collect();
    let is_on_server = !differences.is_empty() && auth.store.server()?.is_some();
    let hint = if is_lost {
        "rows are gone with it: restore a backup"
    } else if is_made_again {
        "`authctl doctor --fix` or `authctl db migrate` makes again what is missing"
    } else if is_on_server {
        "the server runs triggers and rules with authctl's statements, and views may hide rows: look who changed the \
         schema, and undo it"
    } else {
        "authctl runs no trigger and reads no view, but other programs do; look who added them, and remove them with \
         the program that did"
    };
    let message = format!("the schema is not authctl's: {}", some_of(&differences));
    let details = Details::if_any(differences.len() as u64, message, hint);
    Ok(details.map(|details| if is_made_again { details.fixable() } else { details }))
});

const APP_TRACES: Check = Check {
    name: "app-writes",
    severity: Severity::Problem,
    run: |auth| {
        let traces = auth.store.app_traces()?;
        let count = traces.rows() + traces.tables.len() as u64;
        let Some(words) = traces.in_words() else { return Ok(None) };
        let message = format!("an app took this database for its own: {words}");
        let hint = "give the app a database of its own, or this one with `authctl db convert --to better-auth`; \
                    `authctl doctor --fix` deletes the sessions and codes of the app";
        let details = Details::new(count, message, hint);
        Ok(Some(if traces.rows() > 0 { details.fixable() } else { details }))
    },
    fix: Some(Fix {
        does: "delete the sessions and codes that an app made",
        apply: |auth| Ok(auth.store.delete_app_rows().map(drop)?),
    }),
};

const ORPHANS: Check = Check {
    name: "orphans",
    severity: Severity::Problem,
    run: |auth| {
        let orphans = auth.store.orphans()?;
        let message = format!(
            "rows of users who are gone: sessions {}, accounts {}, codes {}",
            orphans.sessions, orphans.accounts, orphans.codes
        );
        let hint = "they are of no use; `authctl doctor --fix` deletes them";
        Ok(Details::if_any(orphans.count(), message, hint).map(Details::fixable))
    },
    fix: Some(Fix {
        does: "delete the rows of users who are gone",
        apply: |auth| Ok(auth.store.delete_orphans().map(drop)?),
    }),
};

const AUDIT_LOG: Check = Check::new("audit-log", Severity::Problem, |auth| {
    let mut chain = Chain::default();
    let mut broken = None;
    auth.store.each_entry(0, &mut |entry| {
        broken = chain.follow(&entry).err();
        broken.is_none()
    })?;
    let hint = "another program changed the file: compare with a backup; `authctl audit verify` looks again";
    Ok(broken.map(|broken| Details::new(1, broken.to_string(), hint)))
});

pub(super) const INTERRUPTED: Check = Check {
    name: "interrupted-act",
    severity: Severity::Notice,
    run: |auth| {
        let Some(entry) = auth.store.interrupted()? else { return Ok(None) };
        let message = format!(
            "an act was interrupted, and the audit log does not say whether it was done: {}",
            intention(&entry)
        );
        let hint = "look at the user; `authctl doctor --fix` or the next act adds an entry that says so";
        Ok(Some(Details::new(1, message, hint).fixable()))
    },
    fix: Some(Fix {
        does: "add an entry to the audit log that says that the act was interrupted",
        apply: |auth| Ok(auth.store.close_interrupted().map(drop)?),
    }),
};

/// The most odd values that the report names.
const ODD_MAX: usize = 10;

pub(super) const ODD_ROWS: Check = Check::new("rows", Severity::Problem, |auth| {
    let odd = auth.store.odd_rows(ODD_MAX)?;
    let mut lines: Vec<String> = odd.columns.iter().map(ToString::to_string).collect();
    lines.extend(odd.first.iter().map(|odd| {
        let is_written = !auth.store.guest().is_some_and(|schema| schema.is_read_only(&odd.place));
        format!("{} of row {} {}: {}", odd.place, odd.row, odd.value.problem, odd.remedy(is_written))
    }));
    match odd.values.saturating_sub(ODD_MAX as u64) {
        0 => {}
        more => lines.push(format!("and {more} more")),
    }
    let message = format!("rows with values that cannot be read: {}", odd.rows);
    let hint = "such a value gives no right: its user is not verified, banned, or has no role, its session is over";
    Ok(Details::if_any(odd.rows, message, hint).map(|details| Details { lines, ..details }))
});

pub(super) const POLICY: Check = Check {
    name: "policy",
    severity: Severity::Problem,
    run: |auth| {
        let (_, wrong) = Policy::sound(&auth.store.settings()?);
        let lines: Vec<String> = wrong.iter().map(|(_, error)| error.to_string()).collect();
        let message = format!("settings that make no sense, so that most commands refuse to run: {}", some_of(&lines));
        let hint = "`authctl policy unset KEY` or `authctl doctor --fix` sets them back to the default";
        Ok(Details::if_any(wrong.len() as u64, message, hint).map(Details::fixable))
    },
    fix: Some(Fix {
        does: "set settings that make no sense back to the default",
        apply: |auth| {
            let (_, wrong) = Policy::sound(&auth.store.settings()?);
            let keys: Vec<String> = wrong.into_iter().map(|(key, _)| key).collect();
            Ok(auth.store.remove_settings(&keys)?)
        },
    }),
};

pub(super) const EXPIRED: Check = Check {
    name: "expired",
    severity: Severity::Notice,
    run: |auth| {
        let (sessions, codes) = (auth.store.count_expired(auth.now)?, auth.store.count_expired_codes(auth.now)?);
        let message = format!("expired rows that only take up room: sessions {sessions}, codes {codes}");
        let hint = "`authctl doctor --fix` deletes them; `authctl sessions prune` only the sessions";
        Ok(Details::if_any(sessions + codes, message, hint).map(Details::fixable))
    },
    fix: Some(Fix {
        does: "delete expired sessions and codes",
        apply: |auth| {
            for kind in [Expiring::Session, Expiring::Verification] {
                let mut pruning = Pruning::default();
                while !pruning.is_over {
                    auth.prune_expired(kind, &mut pruning)?;
                }
                pruning.require_none_kept()?;
            }
            Ok(())
        },
    }),
};

pub(super) const CLOCK: Check = Check::new("clock", Severity::Problem, |auth| {
    let latest = auth.now.saturating_add(CLOCK_SKEW).unwrap_or(Timestamp::MAX);
    let after = auth.store.written_after(latest)?;
    let message = format!(
        "written in the future, as this clock has it: rows {}, entries of the audit log {}",
        after.rows, after.entries
    );
    let count = after.rows + after.entries;
    // Another program wrote rows without an entry of that time, and the log says nothing about its clock. All
    // rows of a guest database may be such rows.
    let is_in_log = after.entries > 0 && (auth.store.guest().is_none() || after.rows == 0);
    let is_past = is_in_log && after.is_newest_before;
    let hint = if is_past {
        "the clock was wrong then, and a later entry of the audit log has a time before now: nothing is to be done \
         if `date` is right"
    } else {
        "the clock is wrong now or was wrong then: compare `date` with another machine; sessions live too long or \
         too short until it is right"
    };
    Ok(Details::if_any(count, message, hint).map(|details| if is_past { details.past() } else { details }))
});

const REFERENCES: Check = Check::new("references", Severity::Problem, |auth| {
    let broken = auth.store.broken_references()?;
    let count = broken.iter().map(|one| one.rows).sum();
    let lines: Vec<String> = broken
        .iter()
        .map(|one| format!("{} of {}.{} (no {})", one.rows, one.table, one.column, one.parents.join(" or ")))
        .collect();
    let message = format!("rows that refer to rows that do not exist: {}", some_of(&lines));
    let hint = "the app may fail where it follows them, and a key of a deleted user stays valid: look at these rows, \
                and delete those of no use in the app";
    Ok(Details::if_any(count, message, hint))
});

const FOREIGN_KEYS: Check = Check::new("foreign-keys", Severity::Problem, |auth| {
    let keys = auth.store.broken_keys()?;
    let lines = keys.iter().map(|key| format!("{key}: {}", key.remedy())).collect();
    let message = format!("foreign keys of the app's schema that cannot work: {}", keys.len());
    let hint = "the database refuses acts that need one of them, such as deleting a user: correct the app's schema";
    Ok(Details::if_any(keys.len() as u64, message, hint).map(|details| Details { lines, ..details }))
});

const CHAINS: Check = Check::new("reference-chains", Severity::Problem, |auth| {
    let tables = auth.store.tables_with_too_many_keys()?;
    let message = format!(
        "tables of which authctl deletes no row, because more than {FOLLOWED_MAX} foreign keys lead to them through others: {}",
        some_of(&tables)
    );
    let hint = "delete users and end sessions in the app";
    Ok(Details::if_any(tables.len() as u64, message, hint))
});

const SECOND_FACTORS: Check = Check::new("second-factors", Severity::Problem, |auth| {
    let factors = auth.store.odd_factors()?;
    let count = factors.missing + factors.unverified;
    let message = format!(
        "users who cannot sign in because the app asks for a second factor that they do not have: {count} \
         (without one {}, with an unconfirmed one {})",
        factors.missing, factors.unverified
    );
    let hint = "`authctl users reset-2fa USER` lets such a user sign in with the password; `authctl users explain \
                USER` says who is one";
    Ok(Details::if_any(count, message, hint))
});

const LEFT_FACTORS: Check = Check::new("second-factors-off", Severity::Notice, |auth| {
    let count = auth.store.odd_factors()?.left;
    let message = format!("confirmed second factors of users whom the app does not ask for them: {count}");
    let hint = "such a user signs in without it and cannot set up another; `authctl users reset-2fa USER` removes it";
    Ok(Details::if_any(count, message, hint))
});

const OWNERS: Check = Check::new("organization-owners", Severity::Problem, |auth| {
    let organizations = auth.store.organizations_without_owner()?;
    let count = organizations.len() as u64;
    let message = format!("organizations without an owner: {}", some_of(&organizations));
    let hint = "its members cannot choose one in the app: write the role owner into the row of a member";
    Ok(Details::if_any(count, message, hint))
});

const EXPIRED_ROWS: Check = Check::new("expired-rows", Severity::Notice, |auth| {
    let mut count = 0;
    let mut lines = Vec::new();
    for kind in Expiring::ALL.into_iter().filter(|kind| kind.is_of_a_plugin()) {
        let of_kind = auth.count_expired(kind)?;
        if of_kind > 0 {
            count += of_kind;
            lines.push(counted(of_kind, kind.noun()));
        }
    }
    let message = format!("expired rows that the app does not delete by itself: {}", lines.join(", "));
    let hint = "`authctl db prune` deletes them, and invitations with --invitations";
    Ok(Details::if_any(count, message, hint))
});

/// The first items of a list, and the number of the others.
fn some_of(list: &[String]) -> String {
    let named = list.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join("; ");
    match list.len().saturating_sub(NAMED_MAX) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}

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
        Ok(Details::if_any(count, message, hint).map(Details::fixable))
    },
    fix: Some(Fix {
        does: "write addresses with capital letters in lower case",
        apply: |auth| Ok(auth.store.lower_addresses(auth.now).map(drop)?),
    }),
};

pub(super) const TWINS: Check = Check::new("email-twins", Severity::Problem, |auth| {
    let count = auth.store.twins()?.len() as u64;
    let message = format!("addresses that several users have, but for capital letters: {count}");
    let hint = "only the one in lower case can sign in: give the others an address of their own with `authctl \
                users update ID --email NEW`, or delete them";
    Ok(Details::if_any(count, message, hint))
});

pub(super) const SYNTAX: Check = Check::new("email-syntax", Severity::Problem, |auth| {
    let (mut count, mut first) = (0, Vec::new());
    auth.store.each_user(&mut |user| {
        if Email::parse(&user.email).is_err() {
            count += 1;
            if first.len() < NAMED_MAX {
                first.push(user);
            }
        }
    })?;
    let shown = |user: &User| format!("{}: \"{}\"", user.id, user.email.chars().take(SHOWN_CHARS).collect::<String>());
    let mut lines: Vec<String> = first.iter().map(shown).collect();
    let more = count - first.len() as u64;
    lines.extend((more > 0).then(|| format!("and {more} more")));
    let message = format!("users with an invalid email address, who cannot sign in: {count}");
    let hint = match first.as_slice() {
        [one] => format!("`authctl users update {} --email NEW` gives the user another one", one.id),
        _ => "`authctl users update ID --email NEW` gives a user another one".to_owned(),
    };
    Ok(Details::if_any(count, message, hint).map(|details| Details { lines, ..details }))
});

pub(super) const STRAY_ACCOUNTS: Check = Check {
    name: "account-ids",
    severity: Severity::Problem,
    run: |auth| {
        let stray = auth.store.stray_accounts()?;
        let message =
            format!("password accounts whose accountId is not their user's id, which no sign-in finds: {}", stray.all);
        let mut hints = Vec::new();
        if stray.correctable > 0 {
            hints.push("`authctl doctor --fix` sets those right that are their user's only one".to_owned());
        }
        if stray.surplus > 0 {
            hints.push(
                "`authctl doctor --fix` deletes those whose user has another one with the password in force".to_owned(),
            );
        }
        // A password that is set is in an account that works. Then the others are surplus.
        let commands = stray.unclear.iter().map(|id| format!("`authctl users set-password {id}`"));
        let commands = commands.collect::<Vec<_>>().join(", ");
        if !commands.is_empty() {
            hints.push(format!("{commands} and then `authctl doctor --fix` leave each user one that works"));
        }
        let is_fixable = stray.correctable + stray.surplus > 0;
        let details = Details::if_any(stray.all, message, hints.join("; "));
        Ok(details.map(|details| if is_fixable { details.fixable() } else { details }))
    },
    fix: Some(Fix {
        does: "set the accountId of password accounts to their user's id, and delete those beside one that works",
        apply: |auth| Ok(auth.store.fix_stray_accounts(auth.now).map(drop)?),
    }),
};

pub(super) const ADMINISTRATOR: Check = Check::new("administrator", Severity::Notice, |auth| {
    if auth.store.guest().is_some_and(|app| !app.has("user", "role")) {
        return Ok(None);
    }
    let mut administrators = Vec::new();
    auth.store.each_user(&mut |user| {
        if user.has_role("admin") {
            administrators.push(user);
        }
    })?;
    let without_accounts = auth.store.guest().and_then(|app| app.unreached("account").map(|why| why.problem.clone()));
    if let Some(problem) = without_accounts.as_ref().filter(|_| !administrators.is_empty()) {
        let message = format!("no administrator can sign in with authctl: {problem}");
        let hint = "`authctl guard --role admin` admits an administrator with AUTHCTL_TOKEN, the token of a session of the app";
        return Ok(Some(Details::new(1, message, hint)));
    }
    for user in &administrators {
        // Failed guesses of others make an administrator wait, and that passes.
        let stays = |blocker: &SignInBlocker| !matches!(blocker, SignInBlocker::Throttled { .. });
        if !auth.blockers(user)?.iter().any(stays) {
            return Ok(None);
        }
    }
    let message = "no administrator can sign in, so `authctl guard --role admin` refuses every user";
    let hint = if without_accounts.is_none() {
        "`authctl users create EMAIL --role admin` makes one, if one is wanted"
    } else {
        "`authctl users set-role USER admin` makes one, if one is wanted"
    };
    Ok(Some(Details::new(1, message, hint)))
});

fn count_users(auth: &mut Auth<'_>, is_meant: impl Fn(&User) -> bool) -> Result<u64, StoreError> {
    let mut count = 0;
    auth.store.each_user(&mut |user| count += u64::from(is_meant(&user)))?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_list_is_cut_and_counts_the_rest() {
        let list: Vec<String> = (1..=7).map(|number| number.to_string()).collect();
        assert_eq!(some_of(&list), "1; 2; 3; 4; 5; and 2 more");
        assert_eq!(some_of(&list[..5]), "1; 2; 3; 4; 5");
    }

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
