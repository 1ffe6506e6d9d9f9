//! The checks of a database server and of the connection to it. A file has none of these problems.

use jiff::SignedDuration;

use super::{Check, Details, Severity};
use crate::auth::storage::{Product, Server};
use crate::auth::{Auth, AuthError};

/// How far two clocks may be apart before it matters: more than an answer takes.
const CLOCKS_APART: SignedDuration = SignedDuration::from_secs(5);

/// Reports on the server, if there is one.
fn report(
    auth: &mut Auth<'_>,
    found: impl FnOnce(&Server, SignedDuration) -> Option<Details>,
) -> Result<Option<Details>, AuthError> {
    let now = auth.now;
    Ok(auth.store.server()?.and_then(|server| found(&server, server.clock_difference(now))))
}

pub(super) const CLOCK: Check = Check::new("server-clock", Severity::Problem, |auth| {
    report(auth, |_, difference| {
        let message = format!(
            "the clock of the server is {} seconds {} that of this machine, which decides what has expired",
            difference.abs().as_secs(),
            if difference.is_negative() { "behind" } else { "ahead of" }
        );
        let hint = "set both clocks by NTP: machines with other clocks end sessions and waits at other times";
        (difference.abs() > CLOCKS_APART).then(|| Details::new(1, message, hint))
    })
});

pub(super) const ENCRYPTION: Check = Check::new("server-encryption", Severity::Problem, |auth| {
    report(auth, |server, _| {
        let message = "the connection to the server is not encrypted: who listens reads password hashes";
        let hint = "add sslmode=verify-full to the address";
        (server.is_remote && server.tls.is_none()).then(|| Details::new(1, message, hint))
    })
});

pub(super) const REPLICA: Check = Check::new("server-replica", Severity::Notice, |auth| {
    report(auth, |server, _| {
        let behind = server.behind.map_or_else(String::new, |behind| format!(" and {} s behind", behind.as_secs()));
        let message = format!("the server is a replica{behind}: nothing can be written to it");
        let hint = "name the primary, or several hosts with target_session_attrs=read-write";
        server.is_replica.then(|| Details::new(1, message, hint))
    })
});

pub(super) const READ_ONLY: Check = Check::new("server-read-only", Severity::Notice, |auth| {
    report(auth, |server, _| {
        let message =
            "the role, the database or the server is set to read only: nothing can be written to the database";
        let hint = "if that is not what you want, look at default_transaction_read_only";
        (server.is_read_only && !server.is_replica).then(|| Details::new(1, message, hint))
    })
});

pub(super) const SUPERUSER: Check = Check::new("server-role", Severity::Notice, |auth| {
    report(auth, |server, _| {
        let message = format!("the role {} is a superuser, and authctl needs few rights", server.role);
        let hint = "docs/postgres.md has the statements for a role with few rights";
        server.is_superuser.then(|| Details::new(1, message, hint))
    })
});

pub(super) const PRODUCT: Check = Check::new("server-product", Severity::Notice, |auth| {
    report(auth, |server, _| {
        let name = server.product.name();
        let message = format!("the server is {name}, on which authctl is not tested");
        let hint = "docs/postgres.md says what is known of it; keep a copy of the database (`authctl db copy`)";
        (server.product != Product::PostgreSql).then(|| Details::new(1, message, hint))
    })
});
