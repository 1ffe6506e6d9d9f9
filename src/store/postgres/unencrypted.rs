//! Connections to another machine that are not certain to be encrypted. They must not carry a password as clear text or
//! as MD5, but only SCRAM, which shows nothing of it.
//!
//! The driver answers in every way that a server asks for, and does not show which. So its settings say that TLS begins
//! at once, and it hands the bare socket to this connector, which asks the server for TLS itself and reads along until
//! the server has said how to authenticate.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio_postgres::Socket;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The message that asks a server for TLS: its length, and a code.
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// The first message of a server up to the code of the way to authenticate: a type, a length, the code.
const FIRST_BYTES: usize = 9;
/// The codes of clear text and MD5.
const UNSAFE: [u32; 2] = [3, 5];

/// The server asks for the password in a way that others on the network could read or guess it from.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the server asks for the password as clear text or MD5")]
pub(super) struct AsksForPassword;

type RustlsConnect = <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect;
type RustlsStream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// Connects with TLS if the server offers it, and never without the check of this module.
pub(super) struct Unencrypted {
    /// `None` does not ask for TLS.
    pub(super) tls: Option<MakeRustlsConnect>,
}

pub(super) struct Connect(Option<RustlsConnect>);

pub(super) enum Stream {
    Bare { socket: Socket, first: Vec<u8> },
    Tls(Box<RustlsStream>),
}

impl MakeTlsConnect<Socket> for Unencrypted {
    type Stream = Stream;
    type TlsConnect = Connect;
    type Error = Infallible;

    fn make_tls_connect(&mut self, host: &str) -> Result<Connect, Infallible> {
        let tls = self.tls.as_mut().map(|tls| MakeTlsConnect::<Socket>::make_tls_connect(tls, host));
        tls.transpose().map(Connect)
    }
}

impl TlsConnect<Socket> for Connect {
    type Stream = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn connect(self, mut socket: Socket) -> Self::Future {
        Box::pin(async move {
            let Some(tls) = self.0 else { return Ok(Stream::bare(socket)) };
            socket.write_all(&TLS_REQUEST).await?;
            let mut answer = [0];
            socket.read_exact(&mut answer).await?;
            match answer {
                [b'S'] => Ok(Stream::Tls(Box::new(tls.connect(socket).await?))),
                _ => Ok(Stream::bare(socket)),
            }
        })
    }
}

impl Stream {
    fn bare(socket: Socket) -> Self {
        Self::Bare { socket, first: Vec::with_capacity(FIRST_BYTES) }
    }
}

/// Whether the first message of a server asks for a password. The driver accepts no other message before it, and no
/// second way to authenticate after it.
fn asks_for_password(first: &[u8]) -> bool {
    let Some((b'R', rest)) = first.split_first() else { return false };
    rest.get(4..8).and_then(|code| code.try_into().ok()).is_some_and(|code| UNSAFE.contains(&u32::from_be_bytes(code)))
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Bare { socket, first } => {
                let before = buffer.filled().len();
                ready!(Pin::new(socket).poll_read(cx, buffer))?;
                if first.len() < FIRST_BYTES {
                    let new = &buffer.filled()[before..];
                    first.extend_from_slice(&new[..new.len().min(FIRST_BYTES - first.len())]);
                    if asks_for_password(first) {
                        return Poll::Ready(Err(io::Error::other(AsksForPassword)));
                    }
                }
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Bare { socket, .. } => Pin::new(socket).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Self::Bare { socket, .. } => Pin::new(socket).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Bare { socket, .. } => Pin::new(socket).poll_shutdown(cx),
        }
    }
}

impl TlsStream for Stream {
    fn channel_binding(&self) -> ChannelBinding {
        match self {
            Self::Tls(stream) => stream.channel_binding(),
            Self::Bare { .. } => ChannelBinding::none(),
        }
    }
}
