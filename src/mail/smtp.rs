//! The talk with an SMTP server, step by step, so that a failure names its step.

use std::error::Error as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{self, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;

use super::delivery::Delivery;
use super::error::{Failure, Step, answer_text};
use super::route::Protection;

type Failed = (Step, Failure);

/// Hands one message to a server.
pub(super) fn deliver(delivery: &Delivery, host: &str, port: u16, protection: Protection) -> Result<(), Failed> {
    let wait = delivery.step_wait;
    let tls = match protection {
        Protection::Loopback => None,
        Protection::Tls | Protection::StartTls => Some(tls(host, &delivery.roots).map_err(|f| (Step::Encrypt, f))?),
    };
    let addresses = addresses(host, port).map_err(|error| (Step::Resolve, Failure::Io(error)))?;
    let from_start = tls.as_ref().filter(|_| protection == Protection::Tls);
    // An address literal: the name of this machine is nobody's business.
    let hello = ClientId::default();
    let mut server = SmtpConnection::connect(addresses.as_slice(), Some(wait), &hello, from_start, None)
        .map_err(|error| (Step::Connect, failure(Step::Connect, &error, wait)))?;
    let mut talk = Talk { server: &mut server, wait };
    if let Some(tls) = tls.as_ref().filter(|_| protection == Protection::StartTls) {
        if !talk.server.can_starttls() {
            let _ = talk.server.quit();
            return Err((Step::Encrypt, Failure::NoStartTls));
        }
        talk.step(Step::Encrypt, |server| server.starttls(tls, &hello))?;
        talk.refuse_early_answers()?;
    }
    if let Some(credentials) = &delivery.credentials {
        // The mail library's copies live as long as this step and cannot be wiped.
        let (user, password) = (credentials.user.expose(), credentials.password.expose());
        let pair = authentication::Credentials::new(user.to_owned(), password.to_owned());
        talk.step_with_code(Step::SignIn, 235, |server| server.auth(DEFAULT_MECHANISMS, &pair))?;
    }
    let envelope = delivery.message.envelope();
    talk.step(Step::From, |server| server.command(Mail::new(envelope.from().cloned(), Vec::new())))?;
    for to in envelope.to() {
        talk.step(Step::To, |server| server.command(Rcpt::new(to.clone(), Vec::new())))?;
    }
    let bytes = delivery.message.formatted();
    talk.step_with_code(Step::Content, 354, |server| server.command(Data))?;
    talk.step(Step::Content, |server| server.message(&bytes))?;
    // The server has what it gets; how it says goodbye changes nothing.
    let _ = server.quit();
    Ok(())
}

/// Long enough to read what is there already.
const MOMENT: Duration = Duration::from_millis(1);

/// What is said of a server whose answers do not belong to the commands.
const OUT_OF_STEP: &str = "it answered before it was asked; somebody may have written into the connection";

struct Talk<'a> {
    server: &'a mut SmtpConnection,
    wait: Duration,
}

impl Talk<'_> {
    /// Refuses a server that said more than its answer to STARTTLS before TLS began. The library keeps what it
    /// read in clear and takes it for the answers to what it sends inside TLS, so whoever can write to the
    /// connection could say that a message was taken.
    ///
    /// Nothing was asked, so what is read now was read in clear, and it is there at once. One answer alone
    /// was taken for that to EHLO already; then every later answer comes one command too late, and
    /// [`Talk::step_with_code`] notices it.
    fn refuse_early_answers(&mut self) -> Result<(), Failed> {
        let failed = |error| (Step::Encrypt, Failure::Io(error));
        self.server.set_timeout(Some(MOMENT)).map_err(failed)?;
        let early = self.server.read_response();
        self.server.set_timeout(Some(self.wait)).map_err(failed)?;
        match early {
            Err(error) if matches!(failure(Step::Encrypt, &error, MOMENT), Failure::Silent(_)) => Ok(()),
            _ => Err((Step::Encrypt, Failure::Said(OUT_OF_STEP.into()))),
        }
    }

    /// A step whose answer must have one code: another positive one is the answer to another command.
    fn step_with_code(
        &mut self,
        step: Step,
        code: u16,
        act: impl FnOnce(&mut SmtpConnection) -> Result<Response, Error>,
    ) -> Result<(), Failed> {
        let answer = self.step(step, act)?;
        if answer.has_code(code) {
            return Ok(());
        }
        self.server.abort();
        Err((step, Failure::Said(OUT_OF_STEP.into())))
    }

    fn step<T>(&mut self, step: Step, act: impl FnOnce(&mut SmtpConnection) -> Result<T, Error>) -> Result<T, Failed> {
        act(self.server).map_err(|error| {
            // To a server that still answers one says goodbye; another would only cost time.
            if error.status().is_some() {
                let _ = self.server.quit();
            }
            (step, failure(step, &error, self.wait))
        })
    }
}

/// The machine's own name is not looked up: what goes there in clear must not go elsewhere because
/// some list of names says so.
fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if host == "localhost" {
        return Ok(vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)]);
    }
    (host, port).to_socket_addrs().map(Iterator::collect)
}

fn tls(host: &str, roots: &[Vec<u8>]) -> Result<TlsParameters, Failure> {
    let unusable = |error: Error| Failure::Roots(cause(&error));
    let mut parameters = TlsParameters::builder(host.to_owned());
    for root in roots {
        parameters = parameters.add_root_certificate(Certificate::from_pem(root).map_err(unusable)?);
    }
    parameters.build().map_err(unusable)
}

fn failure(step: Step, error: &Error, wait: Duration) -> Failure {
    if let Some(code) = error.status() {
        let text = cause(error);
        let text = match step {
            // It may quote what it refuses.
            Step::SignIn | Step::Content => extended_code(&text).unwrap_or_default().to_owned(),
            _ => text,
        };
        return Failure::Refused { code: code.to_string(), text };
    }
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(inner) = inner.downcast_ref::<io::Error>() {
            return match inner.kind() {
                // A read that waited long enough ends as "would block".
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Failure::Silent(wait),
                // Of the TLS library's making: its words are all there is.
                _ if inner.raw_os_error().is_none() => Failure::Said(answer_text(&inner.to_string())),
                kind => Failure::Io(inner.raw_os_error().map_or_else(|| kind.into(), io::Error::from_raw_os_error)),
            };
        }
        source = inner.source();
    }
    match (step, error.is_response()) {
        // No place in an answer that is none is known to be free of what was sent.
        (_, true) => Failure::Said("the connection ended, or the server's answer was none of SMTP".into()),
        _ => Failure::Said(cause(error)),
    }
}

/// What the library's error is about, without the library's own word for its kind.
fn cause(error: &Error) -> String {
    answer_text(&error.source().map_or_else(|| error.to_string(), ToString::to_string))
}

/// An enhanced status code at the beginning of an answer (RFC 3463), as `5.7.8`.
fn extended_code(text: &str) -> Option<&str> {
    let first = text.split(' ').next()?;
    let parts: Vec<&str> = first.split('.').collect();
    let is_code = parts.len() == 3
        && parts.iter().all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    is_code.then_some(first)
}
