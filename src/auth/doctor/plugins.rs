//! The checks of the tables of plugins in an app's database.

use super::checks::some_of;
use super::{Check, Details, Severity};
use crate::auth::audit::counted;
use crate::auth::prune::Expiring;
use crate::auth::storage::CHAINS_MAX;

/// The checks that read tables of plugins. In a database without them they find nothing.
pub const PLUGINS: &[Check] = &[REFERENCES, CHAINS, SECOND_FACTORS, LEFT_FACTORS, OWNERS, EXPIRED_ROWS];

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

const CHAINS: Check = Check::new("reference-chains", Severity::Problem, |auth| {
    let tables = auth.store.tables_in_too_many_chains()?;
    let message = format!(
        "tables of which authctl deletes no row, because more than {CHAINS_MAX} chains of foreign keys lead to them: {}",
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
