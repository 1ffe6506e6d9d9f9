//! The failures of connections to servers, and of databases on them.

use std::error::Error;

use super::database::of_store;
use super::{ExitCode, Failure};
use crate::store::postgres::{AddressError, ConnectError, ServerError};

pub(super) fn of_server(error: &ServerError) -> Failure {
    let database = |name| Failure::new(ExitCode::Database, name);
    match error {
        ServerError::Connect(error) => of_connect(error),
        ServerError::Missing { .. } => database("DATABASE_MISSING")
            .hint("name another with --db or AUTHCTL_DB; `authctl signup` and `authctl db init` make the schema"),
        ServerError::Exists { .. } => {
            Failure::new(ExitCode::Exists, "DATABASE_EXISTS").hint("pass --if-missing if that is what you want")
        }
        ServerError::Taken { .. } => Failure::new(ExitCode::Exists, "DATABASE_EXISTS")
            .hint("authctl's own tables about an app go into that schema alone; have it renamed"),
        ServerError::OfAnother { .. } => Failure::new(ExitCode::Exists, "DATABASE_EXISTS")
            .hint("a database has room for the state about one app; for this one it is in a file of each machine"),
        ServerError::NotOwn { .. } => database("DATABASE_FOREIGN").hint("the app migrates its own tables"),
        ServerError::NoRights { remedy, .. } => database("DATABASE_DENIED").remedy(remedy.clone()),
        ServerError::Newer { .. } => database("DATABASE_NEWER").hint("upgrade authctl"),
        ServerError::History { .. } => {
            database("DATABASE_CORRUPT").remedy("restore a backup; the database was left as it was")
        }
        ServerError::ListLost { .. } => database("DATABASE_CORRUPT").remedy(
            "`authctl db migrate` makes it again if every table is as the newest version has it; else restore a backup",
        ),
        ServerError::TooOld { .. } => database("DATABASE_NO_ENGINE").hint("upgrade the server"),
        ServerError::Encoding { .. } => database("DATABASE_NO_ENGINE")
            .hint("`createdb --encoding=UTF8 --template=template0 NAME` makes a database for it"),
        ServerError::Store { source, .. } => of_store(source),
    }
}

/// The failure of an address that cannot be used, with why.
pub(super) fn of_address(why: &(dyn Error + 'static)) -> Failure {
    Failure::new(ExitCode::Usage, "DATABASE_ADDRESS").hint(match why.downcast_ref::<AddressError>() {
        Some(AddressError::Service(_) | AddressError::ServiceFile { .. }) => {
            "a service is a part of pg_service.conf: a line [NAME], and lines such as host=db.example.com".to_owned()
        }
        Some(AddressError::Value { name, .. } | AddressError::Unsupported(name)) if name.starts_with("PG") => {
            format!("give {name} another value, or `unset {name}`")
        }
        _ => "an address is like postgres://user@host:5432/database?sslmode=verify-full".to_owned(),
    })
}

fn of_connect(error: &ConnectError) -> Failure {
    let unreachable = |hint: &str| Failure::new(ExitCode::Database, "DATABASE_UNREACHABLE").hint(hint);
    match error {
        ConnectError::Unreachable { .. } | ConnectError::Silent { .. } => {
            unreachable("look whether the server runs, and at the host and port of the address")
        }
        ConnectError::NoAnswer { .. } => unreachable(
            "look whether a PostgreSQL server is there and has room for another connection; --wait 30s waits longer for it",
        ),
        ConnectError::Tls { .. } => unreachable("see \"Encryption\" in docs/postgres.md"),
        ConnectError::NoPassword { .. } => unreachable("give it in AUTHCTL_DB, in PGPASSWORD or in ~/.pgpass"),
        ConnectError::Authentication { .. } | ConnectError::Unproven { .. } => {
            unreachable("look at the role and its password, and at the pg_hba.conf of the server")
        }
        ConnectError::ClearTextPassword { .. } => {
            unreachable("add sslmode=verify-full to the address, or use a role with a SCRAM password")
        }
        ConnectError::UnsupportedAuthentication { .. } | ConnectError::NoChannelBinding { .. } => {
            unreachable("use a role that signs in with a password (SCRAM) or a certificate")
        }
        ConnectError::NoDatabase { .. } => Failure::new(ExitCode::Database, "DATABASE_MISSING")
            .hint("the administrator of the server makes a database: CREATE DATABASE"),
        ConnectError::NoRight { grant, .. } => Failure::new(ExitCode::Database, "DATABASE_DENIED")
            .remedy(format!("have the owner of the database run {grant}")),
        ConnectError::TooManyConnections { .. } | ConnectError::NotReady { .. } => {
            Failure::new(ExitCode::Busy, "DATABASE_BUSY").hint("try again, or wait longer with --wait 30s")
        }
        ConnectError::WrongState { .. } => unreachable("see target_session_attrs in the address"),
        ConnectError::Refused { .. } => unreachable("look at the log of the server"),
        ConnectError::Several(errors) if errors.iter().any(|e| matches!(e, ConnectError::WrongState { .. })) => {
            unreachable("a cluster may be choosing a new leader: try again, or wait longer with --wait 30s")
        }
        ConnectError::Several(errors) => errors.last().map_or_else(|| unreachable("name a host"), of_connect),
        ConnectError::Thread(_) => Failure::new(ExitCode::Failed, "FAILED"),
    }
}
