//! Connects to a server, and tells apart why that fails.
//!
//! The servers of an address are used one after the other here and not in the driver, so that an error names its
//! server, and a server that refuses the role ends the search as in libpq. The driver limits only the time until the
//! connection is there; a server that accepts it and stays silent would block forever. So each attempt runs in a thread
//! of its own, and the caller waits for it until the limit.
//!
//! Failures of the server are told apart by SQLSTATE, because its messages may be in any language.

#[cfg(test)]
mod local_tests;
#[cfg(test)]
pub(super) mod tests;

use std::collections::hash_map::RandomState;
use std::error::Error as _;
use std::fmt;
use std::hash::BuildHasher as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};
use tokio::net::UnixStream;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::{ChannelBinding as DriverBinding, SslMode, SslNegotiation};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, NoTlsStream};
use tokio_postgres::{Config, NoTls, SimpleQueryMessage, Socket};

use super::address::{Address, ChannelBinding, Encryption, Endpoint, Host, TargetSession};
use super::client::{self, CLOSE_WAIT, Client, Failed};
use super::major;
use super::tls::{self, TlsError};
use super::unencrypted::{AsksForPassword, Unencrypted};
use crate::getent;
use crate::store::mapping::identifier;

/// The name that the server shows for the connection, unless the address gives another one.
const APPLICATION_NAME: &str = "authctl";

/// The shortest limit for one attempt, as in libpq. A shorter wait is for a busy database and not for the network.
const LIMIT_MIN: Duration = Duration::from_secs(2);

/// The first and the longest pause before the next attempt at a server that is not ready.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// The version from which on a server says at the start whether it is a replica.
const STANDBY_TOLD: u32 = 14;

/// Whether the server only reads, and whether it repeats the changes of another one.
const READ_ONLY: &str = "SHOW transaction_read_only";
const STANDBY: &str = "SELECT pg_catalog.pg_is_in_recovery()";

/// Why there is no connection. `host` is the server as in the address.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("{host} cannot be reached")]
    Unreachable { host: String, source: io::Error },
    #[error("{host} did not answer within {} seconds", limit.as_secs())]
    Silent { host: String, limit: Duration },
    /// The server ended the connection, or its answer is not one of PostgreSQL.
    #[error("{host} ended the connection without an answer of PostgreSQL")]
    NoAnswer { host: String, source: tokio_postgres::Error },
    #[error("no secure connection to {host}")]
    Tls { host: String, source: TlsError },
    /// Wrong password, no such role, or no rule of the server for this client.
    #[error("{host} refused the role `{user}`: {message}")]
    Authentication { host: String, user: String, message: String },
    #[error("{host} asks for the password of the role `{user}`, which is not set")]
    NoPassword { host: String, user: String },
    /// GSSAPI, SSPI, or another way that the driver does not know.
    #[error("{host} asks for a way to authenticate that authctl does not support")]
    UnsupportedAuthentication { host: String },
    /// The connection to another machine is not encrypted.
    #[error("{host} asks for the password as clear text or MD5 on a connection without TLS")]
    ClearTextPassword { host: String },
    #[error("{host} did not use channel binding, which the address requires")]
    NoChannelBinding { host: String },
    /// SCRAM failed on the side of the server.
    #[error("{host} did not prove that it knows the password of the role `{user}`")]
    Unproven { host: String, user: String },
    #[error("the database `{database}` does not exist on {host}")]
    NoDatabase { host: String, database: String },
    /// The role lacks the right to connect to the database.
    #[error("the role `{user}` may not connect to the database `{database}` on {host}")]
    NoRight {
        host: String,
        database: String,
        user: String,
        /// The statement that gives it.
        grant: String,
    },
    /// The server, the database or the role has as many connections as it may have.
    #[error("{host} has no connection left: {message}")]
    TooManyConnections { host: String, message: String },
    /// It starts, stops or recovers.
    #[error("{host} is not ready: {message}")]
    NotReady { host: String, message: String },
    /// Another state than `target_session_attrs` requires.
    #[error("{host} is not {wanted}")]
    WrongState { host: String, wanted: &'static str },
    #[error("{host} refused the connection: {message}")]
    Refused {
        host: String,
        /// The SQLSTATE.
        code: String,
        message: String,
    },
    /// Every server of the address failed.
    #[error("{}", sentences(.0))]
    Several(Vec<ConnectError>),
    #[error("the connection could not be started")]
    Thread(#[source] io::Error),
}

fn sentences(errors: &[ConnectError]) -> String {
    let whole = |error: &ConnectError| match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    errors.iter().map(whole).collect::<Vec<_>>().join("; ")
}

impl ConnectError {
    /// Whether the same attempt may succeed soon.
    fn is_passing(&self) -> bool {
        match self {
            Self::NotReady { .. } | Self::TooManyConnections { .. } => true,
            // A server or proxy without room for another connection may end it without a word.
            Self::NoAnswer { source, .. } => is_ended(source),
            // A cluster that lost its leader is about to choose another one.
            Self::Several(errors) => {
                errors.iter().any(|error| error.is_passing() || matches!(error, Self::WrongState { .. }))
            }
            _ => false,
        }
    }

    /// Whether another server would give the same answer.
    fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Authentication { .. }
                | Self::NoPassword { .. }
                | Self::UnsupportedAuthentication { .. }
                | Self::ClearTextPassword { .. }
                | Self::NoDatabase { .. }
                | Self::NoRight { .. }
                | Self::Refused { .. }
                | Self::Thread(_)
        )
    }
}

/// A connection to the socket of a server of this machine, which knows who asks. It starts a process for it while the caller
/// prepares what it asks.
pub struct Begun {
    runtime: Arc<Runtime>,
    /// Waits until the server has let the role in.
    connecting: JoinHandle<Result<Connected, Failed>>,
    since: Instant,
}

type Connected = (tokio_postgres::Client, tokio_postgres::Connection<UnixStream, NoTlsStream>);

/// How long a connection that was begun is used. A server ends one that says nothing, PostgreSQL after a minute.
const BEGUN_MAX: Duration = Duration::from_secs(1);

/// Begins a connection to the only server of an address, if it has a socket. What fails here fails for `connect` too,
/// which reports it.
#[expect(clippy::disallowed_methods, reason = "measures the time since then; the time of day stays an argument")]
pub fn begin(address: &Address) -> Option<Begun> {
    let [host @ Host { endpoint: Endpoint::Socket(directory), port, .. }] = &address.hosts[..] else { return None };
    let config = config(address, host, None);
    let place = SocketAddrUnix::new(directory.join(format!(".s.PGSQL.{port}"))).ok()?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).ok()?;
    rustix::net::connect(&socket, &place).ok()?;
    let runtime = client::runtime().ok()?;
    let stream = runtime.block_on(async {
        let stream = UnixStream::from_std(socket.into())?;
        stream.writable().await.map(|()| stream)
    });
    let stream = stream.ok()?;
    let connecting = runtime.spawn(async move { config.connect_raw(stream, NoTls).await.map_err(Failed::Driver) });
    // One turn for the driver, which says who asks.
    runtime.block_on(tokio::task::yield_now());
    // The system may have woken the server on the processor of this process, and would let it wait there. When it has had
    // its turn, the process that it starts runs on another one.
    std::thread::yield_now();
    Some(Begun { runtime: Arc::new(runtime), connecting, since: Instant::now() })
}

impl Drop for Begun {
    /// Ends a connection that was not used when the server waits for a statement, so that it logs nothing.
    fn drop(&mut self) {
        let Self { runtime, connecting, .. } = self;
        if !connecting.is_finished() {
            let _ended_in_time = runtime.block_on(async { timeout(CLOSE_WAIT, connecting).await });
        }
    }
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("since", &self.since).finish_non_exhaustive()
    }
}

/// Connects to the first server that serves, over a connection that was begun if there is one.
///
/// Each attempt takes at most the address's `connect_timeout`, else `wait`, and at least two seconds. A server that is
/// starting up, has no connection left or ends the connection at once is asked again until `wait` is over, and so are several
/// of which none is in the state that the address requires.
///
/// # Errors
/// [`ConnectError`].
#[expect(clippy::disallowed_methods, reason = "measures the wait; the time of day stays an argument")]
pub(super) fn connect(address: &Address, wait: Duration, begun: Option<Begun>) -> Result<Client, ConnectError> {
    let limit = address.connect_timeout.unwrap_or(wait).max(LIMIT_MIN);
    let start = Instant::now();
    let mut pause = PAUSE_MIN;
    let mut search = Search { address, limit, begun: begun.filter(|begun| begun.since.elapsed() < BEGUN_MAX) };
    loop {
        match search.once() {
            Err(error) if error.is_passing() && start.elapsed() + pause < wait => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(PAUSE_MAX);
            }
            result => return result,
        }
    }
}

/// The search for a server that serves.
struct Search<'a> {
    address: &'a Address,
    /// How long one attempt may take.
    limit: Duration,
    /// For the first attempt.
    begun: Option<Begun>,
}

impl Search<'_> {
    /// One attempt at each server.
    fn once(&mut self) -> Result<Client, ConnectError> {
        let mut hosts: Vec<&Host> = self.address.hosts.iter().collect();
        if self.address.is_balanced {
            // The keys of the hasher are random, and no secret depends on the order.
            let random = RandomState::new();
            hosts.sort_by_cached_key(|host| random.hash_one(host.to_string()));
        }
        let rounds: &[TargetSession] = match &self.address.target_session {
            TargetSession::PreferStandby => &[TargetSession::Standby, TargetSession::Any],
            other => std::slice::from_ref(other),
        };
        let mut failed = Vec::new();
        for target in rounds {
            failed.clear();
            for host in &hosts {
                match self.host(host, *target) {
                    Err(error) if error.is_final() => return Err(error),
                    Err(error) => failed.push(error),
                    Ok(client) => return Ok(client),
                }
            }
        }
        Err(if failed.len() == 1 { failed.remove(0) } else { ConnectError::Several(failed) })
    }

    /// Connects to the first address of a server that answers.
    fn host(&mut self, host: &Host, target: TargetSession) -> Result<Client, ConnectError> {
        let mut error = ConnectError::Unreachable {
            host: host.shown(),
            source: io::Error::new(io::ErrorKind::NotFound, "the name has no address"),
        };
        for ip in addresses(host, self.limit)? {
            match self.attempt(host, ip, target, !host.is_local()) {
                // One that is silent says more of the server than one on which nothing listens.
                Err(ConnectError::Unreachable { .. }) if matches!(error, ConnectError::Silent { .. }) => {}
                Err(failed @ (ConnectError::Unreachable { .. } | ConnectError::Silent { .. })) => error = failed,
                result => return result,
            }
        }
        Err(error)
    }

    /// One attempt at one address. A guarded connection gives no password to a server without TLS, except by SCRAM.
    fn attempt(
        &mut self,
        host: &Host,
        ip: Option<IpAddr>,
        target: TargetSession,
        is_guarded: bool,
    ) -> Result<Client, ConnectError> {
        let Self { address, limit, .. } = *self;
        let mut config = config(address, host, ip);
        config.connect_timeout(limit);
        let verify = match address.encryption(host) {
            Encryption::Never => None,
            Encryption::Offered(verify) | Encryption::Required(verify) => Some(verify),
        };
        let is_guarded = is_guarded && config.get_ssl_mode() != SslMode::Require;
        if is_guarded {
            config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
        }
        let connector = verify.map(|verify| tls::connector(address, verify)).transpose();
        let connector = connector.map_err(|source| ConnectError::Tls { host: host.shown(), source })?;
        let is_socket = ip.is_none();
        let connected = match (connector, self.begun.take()) {
            (tls, _) if is_guarded => start(&config, Unencrypted { tls }, limit, is_socket),
            (Some(connector), _) => start(&config, connector, limit, is_socket),
            (None, Some(begun)) => start_over(begun, limit),
            (None, None) => start(&config, NoTls, limit, is_socket),
        };
        let state = connected.and_then(|mut client| {
            let wanted = check_state(&client, target, limit).map_err(Failed::Driver)?;
            let is_old = client.version().and_then(major).is_some_and(|version| version < STANDBY_TOLD);
            if wanted.is_none() && is_old {
                let is_standby = is_answer(&client, STANDBY, "t", limit).map_err(Failed::Driver)?;
                client.set_standby(is_standby);
            }
            Ok((wanted, client))
        });
        match state {
            Ok((None, client)) => Ok(client),
            Ok((Some(wanted), _)) => Err(ConnectError::WrongState { host: host.shown(), wanted }),
            Err(Failed::Late) => Err(ConnectError::Silent { host: host.shown(), limit }),
            Err(Failed::Io(source)) => Err(ConnectError::Thread(source)),
            Err(Failed::Driver(error)) => Err(reason(error, address, host, limit)),
        }
    }
}

/// The addresses of a server; `None` stands for a socket.
fn addresses(host: &Host, limit: Duration) -> Result<Vec<Option<IpAddr>>, ConnectError> {
    let Endpoint::Tcp { name, ip } = &host.endpoint else { return Ok(vec![None]) };
    if let Some(ip) = ip.or_else(|| name.parse().ok()) {
        return Ok(vec![Some(ip)]);
    }
    // Not looked up: what is meant for this machine must not go elsewhere because of a name server.
    if name == "localhost" {
        return Ok(vec![Some(Ipv4Addr::LOCALHOST.into()), Some(Ipv6Addr::LOCALHOST.into())]);
    }
    let (name, port) = (name.clone(), host.port);
    let found = within(host, limit, move || getent::addresses(&name, port))?;
    let found = found.map_err(|source| ConnectError::Unreachable { host: host.shown(), source })?;
    Ok(found.into_iter().map(|found| Some(found.ip())).collect())
}

/// Runs a call that may block in a thread, which is abandoned after the limit.
fn within<T: Send + 'static>(
    host: &Host,
    limit: Duration,
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ConnectError> {
    let (sender, receiver) = sync_channel(1);
    let thread = std::thread::Builder::new().name("connect".to_owned()).spawn(move || {
        // The caller may have stopped waiting.
        let _ = sender.send(call());
    });
    thread.map_err(ConnectError::Thread)?;
    receiver.recv_timeout(limit).map_err(|error| match error {
        RecvTimeoutError::Timeout => ConnectError::Silent { host: host.shown(), limit },
        RecvTimeoutError::Disconnected => ConnectError::Thread(io::Error::other("the thread ended early")),
    })
}

fn start<T: MakeTlsConnect<Socket, Stream: Send + 'static>>(
    config: &Config,
    connector: T,
    limit: Duration,
    is_socket: bool,
) -> Result<Client, Failed> {
    let runtime = client::runtime().map_err(Failed::Io)?;
    Client::connect(Arc::new(runtime), limit, is_socket, async {
        config.connect(connector).await.map_err(Failed::Driver)
    })
}

fn start_over(mut begun: Begun, limit: Duration) -> Result<Client, Failed> {
    Client::connect(Arc::clone(&begun.runtime), limit, true, async {
        (&mut begun.connecting).await.unwrap_or_else(|error| Err(Failed::Io(io::Error::other(error))))
    })
}

/// The settings of the driver. It keeps its own copy of the password, which it does not wipe.
fn config(address: &Address, host: &Host, ip: Option<IpAddr>) -> Config {
    let mut config = Config::new();
    match &host.endpoint {
        Endpoint::Socket(path) => config.host_path(path),
        Endpoint::Tcp { name, .. } => config.host(name),
    };
    ip.map(|ip| config.hostaddr(ip));
    config.port(host.port).user(&address.user).dbname(&address.database);
    config.application_name(address.application_name.as_deref().unwrap_or(APPLICATION_NAME));
    if let Some(password) = &host.password {
        config.password(password.expose());
    }
    if let Some(options) = &address.options {
        config.options(options);
    }
    config.channel_binding(match address.channel_binding {
        ChannelBinding::Disable => DriverBinding::Disable,
        ChannelBinding::Prefer => DriverBinding::Prefer,
        ChannelBinding::Require => DriverBinding::Require,
    });
    config.ssl_mode(match address.encryption(host) {
        Encryption::Never => SslMode::Disable,
        Encryption::Offered(_) => SslMode::Prefer,
        Encryption::Required(_) => SslMode::Require,
    });
    config.ssl_negotiation(if address.tls.is_direct { SslNegotiation::Direct } else { SslNegotiation::Postgres });
    let keepalives = &address.keepalives;
    config.keepalives(keepalives.is_on);
    keepalives.idle.map(|idle| config.keepalives_idle(idle));
    keepalives.interval.map(|interval| config.keepalives_interval(interval));
    keepalives.count.map(|count| config.keepalives_retries(count));
    address.tcp_user_timeout.map(|timeout| config.tcp_user_timeout(timeout));
    config
}

/// The state that the address requires, if the server is in another one.
fn check_state(
    client: &Client,
    target: TargetSession,
    limit: Duration,
) -> Result<Option<&'static str>, tokio_postgres::Error> {
    let (question, answer, wanted) = match target {
        TargetSession::Any | TargetSession::PreferStandby => return Ok(None),
        TargetSession::ReadWrite => (READ_ONLY, "off", "open for writing"),
        TargetSession::ReadOnly => (READ_ONLY, "on", "read-only"),
        TargetSession::Primary => (STANDBY, "f", "a primary server"),
        TargetSession::Standby => (STANDBY, "t", "a standby server"),
    };
    Ok((!is_answer(client, question, answer, limit)?).then_some(wanted))
}

/// Whether the server answers a question in a certain way.
fn is_answer(
    client: &Client,
    question: &'static str,
    answer: &str,
    limit: Duration,
) -> Result<bool, tokio_postgres::Error> {
    let messages = client.wait_for(limit, async |driver| driver.simple_query(question).await)?;
    Ok(messages.iter().any(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0) == Some(answer),
        _ => false,
    }))
}

/// The error of the driver in our words.
fn reason(error: tokio_postgres::Error, address: &Address, host: &Host, limit: Duration) -> ConnectError {
    let host = host.shown();
    let user = address.user.clone();
    if let Some(refusal) = error.as_db_error() {
        let (code, message) = (refusal.code(), refusal.message().to_owned());
        return match code {
            code if code.code().starts_with("28") => ConnectError::Authentication { host, user, message },
            &SqlState::INVALID_CATALOG_NAME => ConnectError::NoDatabase { host, database: address.database.clone() },
            &SqlState::INSUFFICIENT_PRIVILEGE => {
                let database = address.database.clone();
                let grant = format!("GRANT CONNECT ON DATABASE {} TO {}", identifier(&database), identifier(&user));
                ConnectError::NoRight { host, database, user, grant }
            }
            &SqlState::TOO_MANY_CONNECTIONS => ConnectError::TooManyConnections { host, message },
            &SqlState::CANNOT_CONNECT_NOW | &SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN => {
                ConnectError::NotReady { host, message }
            }
            code => ConnectError::Refused { host, code: code.code().to_owned(), message },
        };
    }
    let cause = error.source();
    let io = cause.and_then(|cause| cause.downcast_ref::<io::Error>());
    // TLS 1.3 may report its failure with the first answer of the server.
    let of_tls = io.and_then(|io| io.get_ref()?.downcast_ref::<rustls::Error>()).map(TlsError::of);
    if let Some(source) = of_tls {
        return ConnectError::Tls { host, source };
    }
    if io.and_then(|io| io.get_ref()?.downcast_ref::<AsksForPassword>()).is_some() {
        return ConnectError::ClearTextPassword { host };
    }
    let words = cause.map(ToString::to_string).unwrap_or_default();
    // The driver tells these apart by words alone; the tests of this file hold them.
    match error.to_string().as_str() {
        "error connecting to server" if io.is_some_and(|io| io.kind() == io::ErrorKind::TimedOut) => {
            ConnectError::Silent { host, limit }
        }
        "error connecting to server" => ConnectError::Unreachable { host, source: into_io(error) },
        "error performing TLS handshake" if words == "server does not support TLS" => {
            ConnectError::Tls { host, source: TlsError::NotOffered }
        }
        "error performing TLS handshake" => ConnectError::Tls { host, source: TlsError::Other(words) },
        "invalid configuration" if words == "password missing" => ConnectError::NoPassword { host, user },
        "authentication error" if words == "server did not use channel binding" => {
            ConnectError::NoChannelBinding { host }
        }
        "authentication error" if words.starts_with("unsupported") => ConnectError::UnsupportedAuthentication { host },
        "authentication error" => ConnectError::Unproven { host, user },
        _ => ConnectError::NoAnswer { host, source: error },
    }
}

/// Whether the other side ended a connection, and said nothing that is not understood.
fn is_ended(error: &tokio_postgres::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let io = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    error.is_closed()
        || io.is_some_and(|io| [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof].contains(&io.kind()))
}

fn into_io(error: tokio_postgres::Error) -> io::Error {
    let Some(source) = error.into_source() else { return io::Error::other("no reason is known") };
    source.downcast().map_or_else(io::Error::other, |io| *io)
}
