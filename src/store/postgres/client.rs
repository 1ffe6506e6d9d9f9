//! A connection to a server. The driver is asynchronous; this thread drives it while it waits for an answer.
//!
//! A server that is there and stays silent would block forever, because neither the network nor the driver notices it. So
//! each answer has a limit, after which the connection is given up.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::Error;

/// How long the end of a connection may take. The server notices the end of the process in any case.
const CLOSE_WAIT: Duration = Duration::from_millis(100);

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Failed {
    /// The limit is over.
    Late,
    Driver(Error),
    /// The operating system has no means to wait.
    Io(io::Error),
}

pub(super) struct Client {
    /// Shared with statements whose answer is not awaited. It is dropped first, which ends the connection.
    driver: Arc<tokio_postgres::Client>,
    connection: Connection,
    /// The version of the server, as it says.
    version: Option<String>,
    /// The encoding of the database, as the server says.
    encoding: Option<String>,
    /// The limit of an answer that took longer, after which the connection was given up.
    exceeded: Cell<Option<Duration>>,
}

/// What reads from the server and writes to it.
struct Connection {
    runtime: Runtime,
    task: JoinHandle<()>,
}

impl Client {
    /// Waits for a connection of the driver.
    pub(super) fn connect<S, T>(
        limit: Duration,
        connecting: impl Future<Output = Result<(tokio_postgres::Client, tokio_postgres::Connection<S, T>), Error>>,
    ) -> Result<Self, Failed>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build().map_err(Failed::Io)?;
        let connected = runtime.block_on(async { timeout(limit, connecting).await });
        let (driver, connection) = connected.map_err(|_| Failed::Late)?.map_err(Failed::Driver)?;
        let version = connection.parameter("server_version").map(str::to_owned);
        let encoding = connection.parameter("server_encoding").map(str::to_owned);
        // What ends the connection is an error of the statement that waits for an answer.
        let task = runtime.spawn(async { connection.await.unwrap_or_default() });
        Ok(Self {
            driver: Arc::new(driver),
            connection: Connection { runtime, task },
            version,
            encoding,
            exceeded: Cell::default(),
        })
    }

    pub(super) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    pub(super) fn encoding(&self) -> Option<&str> {
        self.encoding.as_deref()
    }

    /// The limit of an answer that took longer, after which the connection was given up.
    pub(super) fn exceeded(&self) -> Option<Duration> {
        self.exceeded.get()
    }

    /// Drives the connection until there is an answer.
    pub(super) fn wait_for<T>(&self, limit: Duration, answer: impl AsyncFnOnce(&tokio_postgres::Client) -> T) -> T {
        self.drive(async |driver| self.within(limit, answer(driver)).await)
    }

    /// Drives the connection for a caller who waits for each part of an answer by [`Client::within`].
    pub(super) fn drive<T>(&self, parts: impl AsyncFnOnce(&tokio_postgres::Client) -> T) -> T {
        self.connection.runtime.block_on(parts(&self.driver))
    }

    /// Waits for an answer. After the limit it ends the connection, and the answer is that it was ended.
    pub(super) async fn within<T>(&self, limit: Duration, answer: impl Future<Output = T>) -> T {
        let mut answer = pin!(answer);
        if let Ok(answered) = timeout(limit, &mut answer).await {
            return answered;
        }
        self.exceeded.set(Some(limit));
        self.connection.task.abort();
        answer.await
    }

    /// Sends a statement and waits for no answer.
    pub(super) fn send(&self, sql: &'static str) {
        let driver = Arc::clone(&self.driver);
        self.connection.runtime.spawn(async move { driver.batch_execute(sql).await });
        // One turn each for the statement and for the connection that writes it.
        self.connection.runtime.block_on(async {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        });
    }

    /// Whether the server or the network ended the connection.
    pub(super) fn is_closed(&self) -> bool {
        self.driver.is_closed()
    }
}

impl Drop for Connection {
    /// Tells the server that this is the end.
    fn drop(&mut self) {
        let Self { runtime, task } = self;
        let _ended_in_time = runtime.block_on(async { timeout(CLOSE_WAIT, task).await });
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("is_closed", &self.is_closed()).finish_non_exhaustive()
    }
}
