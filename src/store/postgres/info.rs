//! Describes a server and the connection to it.

use jiff::{SignedDuration, Timestamp};

use super::engine::Postgres;
use crate::auth::storage::{Product, Server, StoreError};
use crate::store::engine::{Row, Tx, ValueRef};

/// How many seconds a replica is behind, at most; NULL when it has repeated all that it knows of and is connected with its
/// primary. A primary that vanished counts as connected for a while, 60 seconds unless `wal_receiver_timeout` says otherwise.
pub(super) const BEHIND: &str = "SELECT CASE WHEN pg_is_in_recovery()
         AND (pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn()
              OR NOT EXISTS (SELECT FROM pg_stat_wal_receiver))
         THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::bigint END";

/// Asks the server what it is.
pub(super) fn ask(engine: &Postgres) -> Result<Option<Server>, StoreError> {
    let elapsed = || SignedDuration::try_from(engine.start.elapsed()).unwrap_or(SignedDuration::MAX);
    let before = elapsed();
    let found = (&mut engine.snapshot() as &mut dyn Tx).query_one(&described(), &[], read)?;
    Ok(found.map(|server| Server { asked: [before, elapsed()], ..server }))
}

/// Asks for what [`read`] reads.
fn described() -> String {
    format!(
        "SELECT current_setting('server_version'), current_user::text, current_setting('is_superuser') = 'on',
         (SELECT s.version FROM pg_stat_ssl AS s WHERE s.pid = pg_backend_pid() AND s.ssl),
         coalesce(inet_client_addr() <> inet_server_addr() AND host(inet_client_addr()) NOT LIKE '127.%', FALSE),
         pg_is_in_recovery(), ({BEHIND}), clock_timestamp(), version(),
         current_setting('default_transaction_read_only') = 'on'"
    )
}

/// Reads the first column, which is [`BEHIND`].
pub(super) fn behind(row: &Row<'_>) -> Result<Option<SignedDuration>, StoreError> {
    seconds(row, 0)
}

fn seconds(row: &Row<'_>, index: usize) -> Result<Option<SignedDuration>, StoreError> {
    let is_null = row.value(index)? == ValueRef::Null;
    if is_null { Ok(None) } else { row.integer(index).map(|found| Some(SignedDuration::from_secs(found))) }
}

fn read(row: &Row<'_>) -> Result<Server, StoreError> {
    let clock = row.text(7)?;
    Ok(Server {
        product: Product::of(&row.text(8)?),
        version: row.text(0)?,
        role: row.text(1)?,
        is_superuser: row.truth(2)?,
        tls: row.optional_text(3)?,
        is_remote: row.truth(4)?,
        is_replica: row.truth(5)?,
        is_read_only: row.truth(9)?,
        behind: seconds(row, 6)?,
        clock: clock
            .parse::<Timestamp>()
            .map_err(|_| StoreError::Engine(format!("the server's clock says {clock}")))?,
        asked: [SignedDuration::ZERO; 2],
    })
}
