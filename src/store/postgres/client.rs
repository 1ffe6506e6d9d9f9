//! A connection to a server. The driver is asynchronous; this thread drives it while it waits for an answer.
//!
//! A server that is there and stays silent would block forever, because neither the network nor the driver notices it. So
//! each answer has a limit, after which the connection is given up.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Error};

use super::statement::Statement;

/// How long the end of a connection may take. The server notices the end of the process in any case.
pub(super) const CLOSE_WAIT: Duration = Duration::from_millis(100);

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
    is_standby: bool,
    /// Whether the server stopped waiting for a standby.
    has_stopped_waiting: Arc<AtomicBool>,
    /// The limit of an answer that took longer, after which the connection was given up.
    exceeded: Cell<Option<Duration>>,
}

/// What reads from the server and writes to it.
struct Connection {
    runtime: Arc<Runtime>,
    task: JoinHandle<()>,
    /// Whether the server gets the message that this is the end. One that waits for the next statement on a socket of this
    /// machine needs none: it sees the socket close, and writes nothing about it to its log. The message would start its
    /// process on the processor that this one is about to end on.
    tells_end: Cell<bool>,
    /// Whether a socket that is closed without a message stays open until the process ends. The server's process may start on the
    /// processor of this one as soon as it is closed, and ends there first, which takes as long as a third of `whoami`. The
    /// system closes what a process leaves open when there is nothing left to wait for.
    ends_with_process: Cell<bool>,
}

/// What drives a connection.
///
/// # Errors
/// The operating system has no means to wait.
pub(super) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_io().enable_time().build()
}

impl Client {
    /// Waits for a connection of the driver. `is_socket` says that it is one of this machine.
    pub(super) fn connect<S, T>(
        runtime: Arc<Runtime>,
        limit: Duration,
        is_socket: bool,
        connecting: impl Future<Output = Result<(tokio_postgres::Client, tokio_postgres::Connection<S, T>), Failed>>,
    ) -> Result<Self, Failed>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let connected = runtime.block_on(async { timeout(limit, connecting).await });
        let (driver, connection) = connected.map_err(|_| Failed::Late)??;
        let version = connection.parameter("server_version").map(str::to_owned);
        let encoding = connection.parameter("server_encoding").map(str::to_owned);
        let is_standby = connection.parameter("in_hot_standby") == Some("on");
        let has_stopped_waiting = Arc::new(AtomicBool::new(false));
        let task = runtime.spawn(serve(connection, Arc::clone(&has_stopped_waiting)));
        Ok(Self {
            driver: Arc::new(driver),
            connection: Connection {
                runtime,
                task,
                tells_end: Cell::new(!is_socket),
                ends_with_process: Cell::default(),
            },
            version,
            encoding,
            is_standby,
            has_stopped_waiting,
            exceeded: Cell::default(),
        })
    }

    pub(super) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    pub(super) fn encoding(&self) -> Option<&str> {
        self.encoding.as_deref()
    }

    /// Whether the server repeats the changes of another one. It says so at the start. Versions before 14 do not: they are asked,
    /// see [`Client::set_standby`].
    pub(super) fn is_standby(&self) -> bool {
        self.is_standby
    }

    pub(super) fn set_standby(&mut self, is_standby: bool) {
        self.is_standby = is_standby;
    }

    /// Whether the server has stopped waiting for a standby at a commit, which it then acknowledges all the same. Is asked
    /// after each commit.
    pub(super) fn has_stopped_waiting(&self) -> bool {
        self.has_stopped_waiting.swap(false, Ordering::Relaxed)
    }

    /// The limit of an answer that took longer, after which the connection was given up.
    pub(super) fn exceeded(&self) -> Option<Duration> {
        self.exceeded.get()
    }

    /// Drives the connection until there is an answer.
    pub(super) fn wait_for<T>(&self, limit: Duration, answer: impl AsyncFnOnce(&tokio_postgres::Client) -> T) -> T {
        self.exchange(limit, async |exchange| exchange.within(answer(exchange.driver)).await)
    }

    /// Drives the connection for a caller who sends statements and waits for their answers.
    pub(super) fn exchange<T>(&self, limit: Duration, parts: impl AsyncFnOnce(Exchange<'_>) -> T) -> T {
        #[cfg(test)]
        tests::WAITS.set(tests::WAITS.get() + 1);
        self.connection.runtime.block_on(parts(Exchange { driver: &self.driver, client: self, limit }))
    }

    /// Sends a statement and waits for no answer.
    pub(super) fn send(&self, sql: &'static str) {
        self.connection.tells_end.set(true);
        let driver = Arc::clone(&self.driver);
        self.connection.runtime.spawn(async move { driver.batch_execute(sql).await });
        // One turn each for the statement and for the connection that writes it.
        self.connection.runtime.block_on(async {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        });
    }

    /// Leaves the end of the connection to that of the process.
    pub(super) fn end_with_process(&self) {
        self.connection.ends_with_process.set(true);
    }

    /// Whether the server or the network ended the connection.
    pub(super) fn is_closed(&self) -> bool {
        self.driver.is_closed()
    }
}

/// Statements that are sent, each answer to which has a limit.
#[derive(Clone, Copy)]
pub(super) struct Exchange<'c> {
    pub(super) driver: &'c tokio_postgres::Client,
    client: &'c Client,
    limit: Duration,
}

impl Exchange<'_> {
    /// Waits for an answer. After the limit it ends the connection, and the answer is that it was ended.
    pub(super) async fn within<T>(self, answer: impl Future<Output = T>) -> T {
        let mut answer = pin!(answer);
        if let Ok(answered) = timeout(self.limit, &mut answer).await {
            return answered;
        }
        self.client.exceeded.set(Some(self.limit));
        self.client.connection.task.abort();
        answer.await
    }

    /// Runs statements that have no parameters.
    pub(super) async fn batch(self, sql: &str) -> Result<(), Error> {
        self.within(self.driver.batch_execute(sql)).await
    }

    /// Runs a statement and returns how many rows it wrote.
    pub(super) async fn execute(self, statement: &Statement<'_>) -> Result<u64, Error> {
        self.within(self.driver.execute_typed(&statement.sql, &statement.parameters())).await
    }
}

/// The source file of the server in which a commit waits for a standby. Its messages have the code of any warning.
const SYNCHRONOUS: &str = "syncrep.c";

/// Reads from the server and writes to it until the connection ends. What ends it is an error of the statement that waits
/// for an answer.
async fn serve<S, T>(mut connection: tokio_postgres::Connection<S, T>, has_stopped_waiting: Arc<AtomicBool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notice(notice) = message
            && notice.file() == Some(SYNCHRONOUS)
        {
            has_stopped_waiting.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Self { runtime, task, tells_end, ends_with_process } = self;
        if tells_end.get() {
            let _ended_in_time = runtime.block_on(async { timeout(CLOSE_WAIT, task).await });
        } else if ends_with_process.get() {
            std::mem::forget(Arc::clone(runtime));
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("is_closed", &self.is_closed()).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    thread_local! {
        /// How often this thread has waited for a server.
        pub(super) static WAITS: Cell<usize> = const { Cell::new(0) };
    }

    /// How often this thread has waited for a server.
    pub(in crate::store) fn waits() -> usize {
        WAITS.get()
    }
}
