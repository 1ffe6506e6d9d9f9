//! Checks of the file and its tables, whoever the rows are about.

use jiff::Timestamp;

use super::{Check, Cure, Severity, Symptom};
use crate::auth::Auth;
use crate::auth::audit::{Chain, intention};
use crate::auth::policy::Policy;
use crate::auth::session::CLOCK_SKEW;
use crate::auth::storage::{Differs, WriteBlocker};

/// The checks that need to know nothing of users.
pub const STRUCTURE: &[Check] = &[DAMAGE, SCHEMA, APP_SCHEMA, ORPHANS, AUDIT_LOG];

/// How many rows are deleted in one transaction.
const BATCH: usize = 500;

/// How many pieces of a list are named.
const NAMED_MAX: usize = 5;

/// What to do about a file that is damaged.
fn restore(auth: &Auth<'_>) -> &'static str {
    if auth.store.app().is_some() {
        "stop the app and put a backup of its database in this one's place"
    } else {
        "`authctl db restore` puts a backup in its place"
    }
}

pub(super) const DAMAGE: Check = Check {
    name: "integrity",
    severity: Severity::Problem,
    look: |auth| {
        let damage = auth.store.damage()?;
        let message = || format!("the file is damaged: {}", some_of(&damage));
        Ok((!damage.is_empty()).then(|| Symptom::new(damage.len() as u64, message(), restore(auth))))
    },
    cure: None,
};

const SCHEMA: Check = Check {
    name: "schema",
    severity: Severity::Problem,
    look: |auth| {
        let differences: Vec<String> = auth
            .store
            .schema_differences()?
            .into_iter()
            .map(|difference| {
                let how = match difference.how {
                    Differs::Missing => "is missing",
                    Differs::Unexpected => "was not made by authctl",
                    Differs::Changed => "is not as authctl made it",
                };
                format!("{} {how}", difference.object)
            })
            .collect();
        let hint = "authctl runs no trigger and reads no view, but other programs do; look who added them, and remove \
                    them with the program that did";
        let message = || format!("the schema is not authctl's: {}", some_of(&differences));
        Ok((!differences.is_empty()).then(|| Symptom::new(differences.len() as u64, message(), hint)))
    },
    cure: None,
};

const APP_SCHEMA: Check = Check {
    name: "app-schema",
    severity: Severity::Problem,
    look: |auth| {
        let write_blockers = auth.store.app().map(|app| app.write_blockers.as_slice()).unwrap_or_default();
        let list = |words: fn(&WriteBlocker) -> &String| {
            write_blockers.iter().map(words).cloned().collect::<Vec<_>>().join("; ")
        };
        let message = || format!("nothing is written to this app's database: {}", list(|refusal| &refusal.problem));
        let symptom = || Symptom::new(write_blockers.len() as u64, message(), list(|refusal| &refusal.remedy));
        Ok((!write_blockers.is_empty()).then(symptom))
    },
    cure: None,
};

const ORPHANS: Check = Check {
    name: "orphans",
    severity: Severity::Problem,
    look: |auth| {
        let orphans = auth.store.orphans()?;
        let message = format!(
            "rows of users who are gone: sessions {}, accounts {}, codes {}",
            orphans.sessions, orphans.accounts, orphans.codes
        );
        let hint = "nobody can use them; `authctl doctor --fix` deletes them";
        Ok((orphans.count() > 0).then(|| Symptom::new(orphans.count(), message, hint).curable()))
    },
    cure: Some(Cure {
        does: "delete the rows of users who are gone",
        act: |auth| Ok(auth.store.delete_orphans().map(drop)?),
    }),
};

const AUDIT_LOG: Check = Check {
    name: "audit-log",
    severity: Severity::Problem,
    look: |auth| {
        let mut chain = Chain::default();
        let mut broken = None;
        auth.store.each_entry(0, &mut |entry| {
            broken = chain.follow(&entry).err();
            broken.is_none()
        })?;
        let hint = "somebody changed the file past authctl: compare with a backup; `authctl audit verify` looks again";
        Ok(broken.map(|broken| Symptom::new(1, broken.to_string(), hint)))
    },
    cure: None,
};

pub(super) const INTERRUPTED: Check = Check {
    name: "interrupted-act",
    severity: Severity::Notice,
    look: |auth| {
        let Some(entry) = auth.store.interrupted()? else { return Ok(None) };
        let message = format!(
            "an act was interrupted, and the audit log does not say whether it was done: {}",
            intention(&entry)
        );
        let hint = "look at the user; `authctl doctor --fix` or the next act adds an entry that says so";
        Ok(Some(Symptom::new(1, message, hint).curable()))
    },
    cure: Some(Cure {
        does: "add an entry to the audit log that says that the act was interrupted",
        act: |auth| Ok(auth.store.close_interrupted().map(drop)?),
    }),
};

pub(super) const NONSENSE: Check = Check {
    name: "rows",
    severity: Severity::Problem,
    look: |auth| {
        let (count, first) = auth.store.nonsense()?;
        let hint = "whatever reads such a row fails: restore a backup, or repair it with the program that wrote it";
        Ok(first.map(|first| Symptom::new(count, format!("rows that make no sense: {count}, such as: {first}"), hint)))
    },
    cure: None,
};

pub(super) const POLICY: Check = Check {
    name: "policy",
    severity: Severity::Problem,
    look: |auth| {
        let (_, wrong) = Policy::sound(&auth.store.settings()?);
        let lines: Vec<String> = wrong.iter().map(|(_, error)| error.to_string()).collect();
        let message =
            || format!("settings that make no sense, so that most commands refuse to run: {}", some_of(&lines));
        let hint = "`authctl policy unset KEY` or `authctl doctor --fix` sets them back to the default";
        Ok((!wrong.is_empty()).then(|| Symptom::new(wrong.len() as u64, message(), hint).curable()))
    },
    cure: Some(Cure {
        does: "set settings that make no sense back to the default",
        act: |auth| {
            let (_, wrong) = Policy::sound(&auth.store.settings()?);
            let keys: Vec<String> = wrong.into_iter().map(|(key, _)| key).collect();
            Ok(auth.store.remove_settings(&keys)?)
        },
    }),
};

pub(super) const EXPIRED: Check = Check {
    name: "expired",
    severity: Severity::Notice,
    look: |auth| {
        let (sessions, codes) = (auth.store.count_expired(auth.now)?, auth.store.count_expired_codes(auth.now)?);
        let message = format!("expired rows that only take up room: sessions {sessions}, codes {codes}");
        let hint = "`authctl doctor --fix` deletes them; `authctl sessions prune` only the sessions";
        Ok((sessions + codes > 0).then(|| Symptom::new(sessions + codes, message, hint).curable()))
    },
    cure: Some(Cure {
        does: "delete expired sessions and codes",
        act: |auth| {
            while auth.store.prune(auth.now, BATCH)? == BATCH as u64 {}
            Ok(auth.store.prune_codes(auth.now).map(drop)?)
        },
    }),
};

pub(super) const CLOCK: Check = Check {
    name: "clock",
    severity: Severity::Problem,
    look: |auth| {
        let latest = auth.now.saturating_add(CLOCK_SKEW).unwrap_or(Timestamp::MAX);
        let after = auth.store.written_after(latest)?;
        let message = format!(
            "written in the future, as this clock has it: rows {}, entries of the audit log {}",
            after.rows, after.entries
        );
        let count = after.rows + after.entries;
        // Rows without an entry of that time were written by another program, for whose clock the log does not
        // speak; so may be all rows of an app.
        let is_in_log = after.entries > 0 && (auth.store.app().is_none() || after.rows == 0);
        let is_past = is_in_log && after.is_newest_before;
        let hint = if is_past {
            "the clock was wrong then, and a later entry of the audit log has a time before now: nothing is to be done \
             if `date` is right"
        } else {
            "the clock is wrong now or was wrong then: compare `date` with another machine; sessions live too long or \
             too short until it is right"
        };
        let symptom = Symptom::new(count, message, hint);
        Ok((count > 0).then(|| if is_past { symptom.past() } else { symptom }))
    },
    cure: None,
};

/// The first pieces of a list, and how many more there are.
fn some_of(list: &[String]) -> String {
    let named = list.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join("; ");
    match list.len().saturating_sub(NAMED_MAX) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::some_of;

    #[test]
    fn a_long_list_is_cut_and_says_how_much_is_missing() {
        let list: Vec<String> = (1..=7).map(|number| number.to_string()).collect();
        assert_eq!(some_of(&list), "1; 2; 3; 4; 5; and 2 more");
        assert_eq!(some_of(&list[..5]), "1; 2; 3; 4; 5");
    }
}
