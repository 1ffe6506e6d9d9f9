//! Describes a server and the connection to it.

use jiff::{SignedDuration, Timestamp};

use crate::auth::storage::{Server, StoreError};
use crate::store::engine::{Row, Tx, ValueRef};

/// What [`read`] reads.
pub(super) const DESCRIBED: &str = "SELECT current_setting('server_version'), current_user::text,
    current_setting('is_superuser') = 'on',
    (SELECT s.version FROM pg_stat_ssl AS s WHERE s.pid = pg_backend_pid() AND s.ssl),
    coalesce(inet_client_addr() <> inet_server_addr() AND host(inet_client_addr()) NOT LIKE '127.%', FALSE),
    pg_is_in_recovery(),
    CASE WHEN pg_is_in_recovery() AND pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn()
         THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::bigint END,
    clock_timestamp()";

pub(super) fn read(row: &Row<'_>) -> Result<Server, StoreError> {
    let seconds = row.value(6)?;
    let behind = if seconds == ValueRef::Null { None } else { Some(row.integer(6)?) };
    let clock = row.text(7)?;
    Ok(Server {
        version: row.text(0)?,
        role: row.text(1)?,
        is_superuser: row.truth(2)?,
        tls: row.optional_text(3)?,
        is_remote: row.truth(4)?,
        is_replica: row.truth(5)?,
        behind: behind.map(SignedDuration::from_secs),
        clock: clock
            .parse::<Timestamp>()
            .map_err(|_| StoreError::Engine(format!("the server's clock says {clock}")))?,
    })
}

/// Counts the schemas of the database with the tables of a Better Auth app.
const APP: &str = "SELECT count(*) FROM pg_class AS u JOIN pg_class AS s ON s.relnamespace = u.relnamespace
    JOIN pg_namespace AS n ON n.oid = u.relnamespace
    WHERE u.relname IN ('user', 'users') AND s.relname IN ('session', 'sessions') AND n.nspname NOT LIKE 'pg\\_%'
    AND n.nspname <> 'information_schema' AND u.relkind IN ('r', 'p', 'v', 'f') AND s.relkind IN ('r', 'p', 'v', 'f')
    AND EXISTS (SELECT 1 FROM pg_attribute AS a WHERE a.attrelid = s.oid AND a.attname = 'token')
    AND NOT EXISTS (SELECT 1 FROM pg_class AS o WHERE o.relnamespace = n.oid AND o.relname = 'authctl_audit')";

pub(super) fn has_app(tx: &mut dyn Tx) -> Result<bool, StoreError> {
    Ok(tx.count(APP, &[])? > 0)
}
