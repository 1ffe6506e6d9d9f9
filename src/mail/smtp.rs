//! An SMTP client whose errors name the step that failed.
//!
//! The client of the mail library is not used, because it reads ahead: it takes clear text that arrives with
//! the answer to STARTTLS for answers inside TLS, so that an attacker in between can answer for the server.
//! This client reads an answer to its last byte and no further, and refuses clear text after the answer to
//! STARTTLS. TLS itself refuses clear text that arrives later.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use lettre::Message;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use zeroize::Zeroizing;

use super::settings::{Credentials, Protection};
use super::{Failure, Mailer, Step, answer_text};
use crate::getent;

type Failed = (Step, Failure);

/// The longest line of an answer, and the longest answer, in bytes, as in Postfix.
const LINE_BYTES_MAX: usize = 2_048;
const ANSWER_BYTES_MAX: usize = 100_000;

/// An address literal, to keep the name of this machine private.
const HELLO: &str = "EHLO [127.0.0.1]";

/// Hands one message to a server.
pub(super) fn deliver(
    mailer: &Mailer,
    message: &Message,
    host: &str,
    port: u16,
    protection: Protection,
) -> Result<(), Failed> {
    let wait = mailer.step_wait;
    let tls = match protection {
        Protection::Loopback => None,
        Protection::Tls | Protection::StartTls => {
            Some(Tls::to(host, &mailer.roots).map_err(|failure| (Step::Encrypt, failure))?)
        }
    };
    let addresses = addresses(host, port).map_err(|error| (Step::Resolve, Failure::Io(error)))?;
    let mut stream = connect(&addresses, wait).map_err(|error| (Step::Connect, failure(error, wait)))?;
    if let Some(tls) = tls.as_ref().filter(|_| protection == Protection::Tls) {
        stream = stream.encrypted(tls).map_err(|failure| (Step::Connect, failure))?;
    }
    let mut talk = Talk { stream, wait, extensions: Vec::new() };
    talk.step(Step::Connect, |talk| {
        talk.answer(Expected::Done)?;
        talk.hello()
    })?;
    if let Some(tls) = tls.as_ref().filter(|_| protection == Protection::StartTls) {
        talk = talk.start_tls(tls).map_err(|failure| (Step::Encrypt, failure))?;
        talk.step(Step::Encrypt, Talk::hello)?;
    }
    if let Some(credentials) = &mailer.credentials {
        talk.step(Step::SignIn, |talk| talk.sign_in(credentials))?;
    }
    let envelope = message.envelope();
    let from = envelope.from().map(ToString::to_string).unwrap_or_default();
    talk.step(Step::From, |talk| talk.command(&format!("MAIL FROM:<{from}>"), Expected::Done))?;
    for to in envelope.to() {
        talk.step(Step::To, |talk| talk.command(&format!("RCPT TO:<{to}>"), Expected::Done))?;
    }
    let message = stuffed(&message.formatted());
    talk.step(Step::Content, |talk| {
        talk.command("DATA", Expected::More)?;
        talk.send(&message)?;
        talk.answer(Expected::Done).map(drop)
    })?;
    // The server has accepted the message, so a failure of QUIT does not matter.
    talk.quit();
    Ok(())
}

/// The kind of answer that the next step needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// 2xx.
    Done,
    /// 3xx: the server waits for more.
    More,
}

/// An answer of the server.
struct Answer {
    code: String,
    lines: Vec<String>,
}

/// A failure without its step.
enum Problem {
    Refused(Answer),
    Io(io::Error),
    Other(Failure),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

struct Talk {
    stream: Stream,
    wait: Duration,
    /// The extensions of the server in upper case, one per line.
    extensions: Vec<String>,
}

impl Talk {
    fn step<T>(&mut self, step: Step, act: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Failed> {
        act(self).map_err(|problem| {
            let failure = match problem {
                Problem::Refused(answer) => {
                    // A server that answers gets a QUIT. After other failures it would only take time.
                    self.quit();
                    answer.refusal(step)
                }
                Problem::Io(error) => failure(error, self.wait),
                Problem::Other(failure) => failure,
            };
            (step, failure)
        })
    }

    fn hello(&mut self) -> Result<(), Problem> {
        let answer = self.command(HELLO, Expected::Done)?;
        // The first line is a greeting.
        self.extensions = answer.lines.iter().skip(1).map(|line| line.to_ascii_uppercase()).collect();
        Ok(())
    }

    /// The words after an extension's name; `None` if the server does not offer it.
    fn extension(&self, name: &str) -> Option<Vec<&str>> {
        self.extensions.iter().find_map(|line| {
            let mut words = line.split_ascii_whitespace();
            (words.next() == Some(name)).then(|| words.collect())
        })
    }

    /// Starts TLS. The extensions must be read again inside.
    fn start_tls(mut self, tls: &Tls) -> Result<Self, Failure> {
        if self.extension("STARTTLS").is_none() {
            self.quit();
            return Err(Failure::NoStartTls);
        }
        self.step(Step::Encrypt, |talk| talk.command("STARTTLS", Expected::Done)).map_err(|(_, failure)| failure)?;
        self.stream.require_silence(self.wait)?;
        Ok(Self { stream: self.stream.encrypted(tls)?, wait: self.wait, extensions: Vec::new() })
    }

    fn sign_in(&mut self, credentials: &Credentials) -> Result<(), Problem> {
        let (user, password) = (credentials.user.expose(), credentials.password.expose());
        let offered = self.extension("AUTH").unwrap_or_default();
        if offered.contains(&"PLAIN") {
            let both = Zeroizing::new(format!("\0{user}\0{password}"));
            let command = Zeroizing::new(format!("AUTH PLAIN {}", *encoded(&both)));
            self.command(&command, Expected::Done)?;
        } else if offered.contains(&"LOGIN") {
            self.command("AUTH LOGIN", Expected::More)?;
            self.command(&encoded(user), Expected::More)?;
            self.command(&encoded(password), Expected::Done)?;
        } else {
            let words = "the server offers neither AUTH PLAIN nor AUTH LOGIN";
            return Err(Problem::Other(Failure::Said(words.into())));
        }
        Ok(())
    }

    fn command(&mut self, line: &str, expected: Expected) -> Result<Answer, Problem> {
        // One write, so that a command is one packet, and one buffer of the right size, because a growing buffer
        // would leave a copy of a password.
        let mut bytes = Zeroizing::new(Vec::with_capacity(line.len() + 2));
        bytes.extend_from_slice(line.as_bytes());
        bytes.extend_from_slice(b"\r\n");
        self.send(&bytes)?;
        self.answer(expected)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.stream.write_all(bytes)?;
        Ok(self.stream.flush()?)
    }

    fn quit(&mut self) {
        let _ = self.command("QUIT", Expected::Done);
    }

    /// Reads one answer, of one line or more.
    fn answer(&mut self, expected: Expected) -> Result<Answer, Problem> {
        // An invalid answer is not quoted, because it may repeat a secret that was sent.
        let nonsense =
            || Problem::Other(Failure::Said("the connection ended, or the server's answer was none of SMTP".into()));
        let mut answer = Answer { code: String::new(), lines: Vec::new() };
        let mut left = ANSWER_BYTES_MAX;
        loop {
            let line = self.line(left.min(LINE_BYTES_MAX))?.ok_or_else(nonsense)?;
            left -= line.len().min(left);
            let (code, text) = line.split_at_checked(3).ok_or_else(nonsense)?;
            let is_code = code.bytes().all(|byte| byte.is_ascii_digit()) && matches!(code.as_bytes()[0], b'2'..=b'5');
            if !is_code || !answer.lines.is_empty() && answer.code != code {
                return Err(nonsense());
            }
            code.clone_into(&mut answer.code);
            let (is_last, text) = match text.as_bytes().first() {
                None => (true, text),
                Some(b' ') => (true, &text[1..]),
                Some(b'-') => (false, &text[1..]),
                Some(_) => return Err(nonsense()),
            };
            answer.lines.push(text.to_owned());
            if is_last {
                break;
            }
        }
        match (answer.code.as_bytes()[0], expected) {
            (b'2', Expected::Done) | (b'3', Expected::More) => Ok(answer),
            (b'4' | b'5', _) => Err(Problem::Refused(answer)),
            _ => Err(nonsense()),
        }
    }

    /// Reads a line byte by byte and no further, because TLS may have to read the rest. `None` if the line is too
    /// long or does not end.
    fn line(&mut self, most: usize) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let mut byte = [0];
        while line.len() < most {
            if self.stream.read(&mut byte)? == 0 {
                return Ok(None);
            }
            if byte == *b"\n" {
                let line = line.strip_suffix(b"\r").unwrap_or(&line);
                return Ok(Some(String::from_utf8_lossy(line).into_owned()));
            }
            line.extend(byte);
        }
        Ok(None)
    }
}

impl Answer {
    /// A refusal with the words of the server that may be quoted.
    fn refusal(&self, step: Step) -> Failure {
        let extended = self.lines.first().and_then(|line| extended_code(line));
        let text = match step {
            // The server may quote what it refuses.
            Step::SignIn | Step::Content => extended.unwrap_or_default().to_owned(),
            _ => {
                // Servers repeat the extended code in each line.
                let rest = |line: &str| match extended.and_then(|code| line.strip_prefix(code)) {
                    Some(rest) if rest.starts_with(' ') => rest.trim_start().to_owned(),
                    _ => line.to_owned(),
                };
                let mut lines = self.lines.iter();
                let first = lines.next().cloned().unwrap_or_default();
                answer_text(&lines.fold(first, |text, line| format!("{text} {}", rest(line))))
            }
        };
        Failure::Refused { code: self.code.clone(), text }
    }
}

/// An enhanced status code at the beginning of an answer (RFC 3463), as `5.7.8`.
fn extended_code(text: &str) -> Option<&str> {
    let first = text.split(' ').next()?;
    let parts: Vec<&str> = first.split('.').collect();
    let is_code = parts.len() == 3
        && parts.iter().all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    is_code.then_some(first)
}

/// The message with dots doubled at the start of lines and a single dot at the end.
fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(message.len() + 64);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            bytes.push(b'.');
        }
        bytes.extend_from_slice(line);
    }
    if !bytes.ends_with(b"\r\n") {
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b".\r\n");
    bytes
}

fn encoded(secret: &str) -> Zeroizing<String> {
    Zeroizing::new(BASE64.encode(secret))
}

fn failure(error: io::Error, wait: Duration) -> Failure {
    match error.kind() {
        // A read that times out ends as "would block".
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Failure::Silent(wait),
        // An error of the TLS library, which has only a text.
        _ if error.raw_os_error().is_none() => Failure::Said(answer_text(&error.to_string())),
        _ => Failure::Io(error),
    }
}

/// `localhost` is not looked up: clear text for this machine must not go elsewhere because of a name server.
fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if host == "localhost" {
        return Ok(vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)]);
    }
    getent::addresses(host, port)
}

/// Connects to the first address that answers.
fn connect(addresses: &[SocketAddr], wait: Duration) -> io::Result<Stream> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the server has no address");
    for address in addresses {
        match TcpStream::connect_timeout(address, wait) {
            Ok(stream) => {
                stream.set_read_timeout(Some(wait))?;
                stream.set_write_timeout(Some(wait))?;
                return Ok(Stream::Clear(stream));
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// The TLS settings for a server.
struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Tls {
    fn to(host: &str, roots: &[Vec<u8>]) -> Result<Self, Failure> {
        let unusable = |problem: String| Failure::Roots(answer_text(&problem));
        let mut trusted = RootCertStore::empty();
        // An invalid root of the system is skipped.
        trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for root in roots.iter().flat_map(|pem| CertificateDer::pem_slice_iter(pem)) {
            let root = root.map_err(|error| unusable(error.to_string()))?;
            trusted.add(root).map_err(|error| unusable(error.to_string()))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(error.to_string()))?
            .with_root_certificates(trusted)
            .with_no_client_auth();
        let name = ServerName::try_from(host.to_owned()).map_err(|error| Failure::Said(error.to_string()))?;
        Ok(Self { config: Arc::new(config), name })
    }
}

enum Stream {
    Clear(TcpStream),
    Encrypted(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    /// Wraps the connection in TLS. The handshake happens at the first byte.
    fn encrypted(self, tls: &Tls) -> Result<Self, Failure> {
        let Self::Clear(stream) = self else { return Ok(self) };
        let connection = ClientConnection::new(Arc::clone(&tls.config), tls.name.clone())
            .map_err(|error| Failure::Said(answer_text(&error.to_string())))?;
        Ok(Self::Encrypted(Box::new(StreamOwned::new(connection, stream))))
    }

    /// Refuses clear text that is waiting to be read.
    fn require_silence(&self, wait: Duration) -> Result<(), Failure> {
        let Self::Clear(stream) = self else { return Ok(()) };
        let peeked = stream.set_nonblocking(true).and_then(|()| stream.peek(&mut [0]));
        stream.set_nonblocking(false).map_err(|error| failure(error, wait))?;
        match peeked {
            // TLS reports a closed connection.
            Ok(0) => Ok(()),
            Ok(_) => Err(Failure::EarlyAnswer),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(failure(error, wait)),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.read(bytes),
            Self::Encrypted(stream) => stream.read(bytes),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.write(bytes),
            Self::Encrypted(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.flush(),
            Self::Encrypted(stream) => stream.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_ends_with_one_dot_whatever_it_holds() {
        for (message, sent) in [
            ("", "\r\n.\r\n"),
            ("a", "a\r\n.\r\n"),
            ("a\r\n", "a\r\n.\r\n"),
            (".\r\n", "..\r\n.\r\n"),
            ("a\r\n.\r\n.b\r\n", "a\r\n..\r\n..b\r\n.\r\n"),
        ] {
            assert_eq!(String::from_utf8(stuffed(message.as_bytes())).unwrap(), sent, "{message:?}");
        }
    }

    #[test]
    fn refusal_repeats_extended_code_once_and_secrets_never() {
        let answer = Answer { code: "550".into(), lines: vec!["5.1.1 no such".into(), "5.1.1 user".into()] };
        let told = |step| answer.refusal(step).to_string();
        assert_eq!(told(Step::To), "the server refused it: 550 5.1.1 no such user");
        assert_eq!(told(Step::Content), "the server refused it: 550 5.1.1");
    }
}
