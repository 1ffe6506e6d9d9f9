//! Mail: one plain-text message to one address, by SMTP or by the local `sendmail`.
//!
//! Commands do not send mail. They check what they can without a server ([`Mailer::new`], [`Mailer::check`])
//! and give the message to a separate process ([`handover`] says why), the only one that uses the network. This
//! module knows neither policy nor database nor terminal. The caller writes the message.
//!
//! TLS is required for every server but the machine itself ([`Route`]). Certificates are checked against the
//! roots of the operating system, so that an operator can add an authority and a system update can remove one
//! (`SSL_CERT_FILE` names another list).
//!
//! A reset code is a secret, and servers quote what they refuse. So errors hold no message, and only the status
//! codes of an answer to a message or to credentials.

pub mod handover;
mod sendmail;
mod settings;
mod smtp;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{fmt, io, thread};

use lettre::Message;
use lettre::address::Address;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, MessageId};
use sendmail::Running;
use settings::Credentials;

use crate::auth::email::Email;

pub use handover::{Parcel, Report};
pub use settings::{CredentialsError, Protection, Route, Sender, SenderError, UrlError};

/// How long to wait for a connection and for each answer. A server that checks the sender takes seconds.
const STEP_WAIT: Duration = Duration::from_secs(15);
/// How long the whole delivery may take, whatever hangs: a slow server, a name lookup or a `sendmail`.
const WHOLE_WAIT: Duration = Duration::from_mins(1);

/// Sends messages by one route, from one sender.
#[derive(Debug, Clone)]
pub struct Mailer {
    route: Route,
    sender: Sender,
    credentials: Option<Credentials>,
    /// PEM texts.
    roots: Vec<Vec<u8>>,
    /// The whole environment of a `sendmail`.
    environment: Vec<(OsString, OsString)>,
    step_wait: Duration,
    whole_wait: Duration,
}

impl Mailer {
    /// Reads the settings without using the network. `sendmail:` needs no credentials and does not read their file.
    ///
    /// # Errors
    /// [`MailError::Url`], [`MailError::Sender`], [`MailError::Credentials`].
    pub fn new(url: &str, from: &str, credentials_file: Option<&Path>) -> Result<Self, MailError> {
        let route = Route::parse(url)?;
        let sender = Sender::parse(from)?;
        let credentials = match (&route, credentials_file) {
            (Route::Smtp { .. }, Some(path)) => Some(Credentials::read(path)?),
            _ => None,
        };
        Ok(Self {
            route,
            sender,
            credentials,
            roots: Vec::new(),
            environment: Vec::new(),
            step_wait: STEP_WAIT,
            whole_wait: WHOLE_WAIT,
        })
    }

    /// Trusts one more authority, given in PEM, in addition to those of the system.
    #[must_use]
    pub fn trusting(mut self, root_pem: &[u8]) -> Self {
        self.roots.push(root_pem.to_vec());
        self
    }

    /// Sets the whole environment of a `sendmail`.
    #[must_use]
    pub fn with_environment(self, environment: Vec<(OsString, OsString)>) -> Self {
        Self { environment, ..self }
    }

    /// Replaces the limits of 15 seconds for each answer and 60 seconds for the delivery.
    #[must_use]
    pub fn waiting(self, step: Duration, whole: Duration) -> Self {
        Self { step_wait: step, whole_wait: whole, ..self }
    }

    /// Sends one message. On success, the next server is responsible for it; whether it arrives cannot be known.
    ///
    /// # Errors [`MailError`]: what was attempted and why it failed. [`MailError::may_have_been_sent`] says whether
    /// the message may arrive anyway.
    pub fn send(&self, to: &Email, subject: &str, body: &str) -> Result<(), MailError> {
        self.run(compose(&self.sender, to, subject, body)?)
    }

    /// Checks that the message is valid and that `sendmail` exists. Starts no program and opens no connection.
    ///
    /// # Errors
    /// [`MailError`].
    pub fn check(&self, to: &Email, subject: &str, body: &str) -> Result<(), MailError> {
        compose(&self.sender, to, subject, body)?;
        match &self.route {
            Route::Smtp { .. } => Ok(()),
            Route::Sendmail(program) => sendmail::require_program(program.as_deref(), &self.environment),
        }
    }

    fn run(&self, message: Message) -> Result<(), MailError> {
        let running = Arc::new(Running::default());
        let (mailer, program) = (self.clone(), Arc::clone(&running));
        // A thread can be abandoned, while neither a name lookup nor a child process takes a deadline. The thread
        // ends with this process; the child is killed.
        let (finished, outcome) = mpsc::channel();
        thread::Builder::new()
            .name("mail".into())
            .spawn(move || finished.send(mailer.deliver(&message, &program)))
            .map_err(MailError::Thread)?;
        let outcome = match outcome.recv_timeout(self.whole_wait) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Timeout) => {
                Err(MailError::TooSlow { route: self.route.to_string(), waited: self.whole_wait })
            }
            Err(RecvTimeoutError::Disconnected) => Err(MailError::Stopped),
        };
        if outcome.is_err() {
            running.give_up();
        }
        outcome
    }

    fn deliver(&self, message: &Message, running: &Running) -> Result<(), MailError> {
        match &self.route {
            Route::Smtp { host, port, protection } => smtp::deliver(self, message, host, *port, *protection)
                .map_err(|(step, source)| MailError::Smtp { server: self.route.to_string(), step, source }),
            Route::Sendmail(program) => {
                let program = sendmail::program_path(program.as_deref());
                sendmail::deliver(&program, message, &self.environment, running)
                    .map_err(|source| MailError::Sendmail { program, source })
            }
        }
    }
}

/// Composes the message. The mail library sets the date.
pub(super) fn compose(from: &Sender, to: &Email, subject: &str, body: &str) -> Result<Message, MailError> {
    // The mail library encodes line breaks in headers. They are refused anyway, as are control characters in the
    // text.
    if subject.contains(char::is_control) {
        return Err(MailError::Text("subject"));
    }
    // The mail library writes line ends as CRLF. Only some servers take a single CR as a line end, and that
    // difference can hide a second message.
    let body = body.replace("\r\n", "\n");
    if body.contains(|c: char| c.is_control() && c != '\n' && c != '\t') {
        return Err(MailError::Text("text"));
    }
    let sender = Mailbox::new(from.name.clone(), address(&from.email)?);
    let domain = sender.email.domain().to_owned();
    let mut message = Message::builder()
        .from(sender)
        .to(Mailbox::new(None, address(to)?))
        .subject(subject)
        .message_id(None)
        // Prevents automatic answers (RFC 3834).
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into()))
        .header(ContentType::TEXT_PLAIN)
        .body(body)
        .map_err(|_| MailError::Text("text"))?;
    // The library uses `localhost` as the domain, which filters distrust.
    if let Some(id) = message.headers().get::<MessageId>() {
        let id = id.as_ref().replace("@localhost>", &format!("@{domain}>"));
        message.headers_mut().set(MessageId::from(id));
    }
    Ok(message)
}

fn address(email: &Email) -> Result<Address, MailError> {
    email.as_str().parse().map_err(|_| MailError::Address(email.to_string()))
}

/// How many characters an error quotes from a server or program.
const ANSWER_CHARS_MAX: usize = 200;

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// `mail.url` is not valid.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// `mail.from` is not valid.
    #[error(transparent)]
    Sender(#[from] SenderError),
    /// The credentials file cannot be used.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The part of the message that holds a control character.
    #[error("the {0} of the mail holds a control character")]
    Text(&'static str),
    /// The address is valid for users but not for mail.
    #[error("mail cannot be addressed to {0}")]
    Address(String),
    /// The conversation with the server failed at a step.
    #[error("mail was not sent: {server}: could not {step}")]
    Smtp { server: String, step: Step, source: Failure },
    /// `sendmail` did not accept the message.
    #[error("mail was not sent: {} did not take it", program.display())]
    Sendmail { program: PathBuf, source: Failure },
    /// Each answer came in time, but the delivery took too long.
    #[error("mail was given up: {route} was not done within {} seconds", waited.as_secs_f32())]
    TooSlow { route: String, waited: Duration },
    /// The delivery process could not be started or did not accept the message.
    #[error("mail was not handed over")]
    HandOver(#[source] io::Error),
    /// The message exceeds the size of a parcel.
    #[error("mail was not handed over: it is too long")]
    TooLong,
    #[error("mail was not sent: no thread could be started")]
    Thread(#[source] io::Error),
    /// The delivery thread panicked, which is a bug.
    #[error("mail was not sent: the delivery stopped")]
    Stopped,
}

impl MailError {
    /// What to do about the error.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Url(error) => Some(error.hint()),
            Self::Sender(error) => Some(error.hint()),
            Self::Credentials(_) => Some("a file of two lines, user and password, that only you may read (chmod 600)"),
            Self::Smtp { source: Failure::NoStartTls, .. } => {
                Some("use smtps:// if the server speaks TLS from the start; nothing was sent in clear")
            }
            Self::Smtp { step: Step::SignIn, .. } => Some("look at the mail credentials file"),
            Self::Smtp { step: Step::Resolve | Step::Connect | Step::Encrypt, .. } => {
                Some("look at the mail URL, and whether the server can be reached from here")
            }
            Self::Sendmail { source: Failure::Io(error), .. } if error.kind() != io::ErrorKind::BrokenPipe => {
                Some("name the program: sendmail:/usr/sbin/sendmail")
            }
            _ => None,
        }
    }

    /// Whether the message may arrive anyway, because it was handed over without an answer. A code in it must stay
    /// valid.
    pub fn may_have_been_sent(&self) -> bool {
        match self {
            Self::TooSlow { .. } | Self::Stopped => true,
            Self::Smtp { step: Step::Content, source, .. } => !matches!(source, Failure::Refused { .. }),
            _ => false,
        }
    }
}

/// A step of the delivery, displayed as words after "could not".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// To look up the name of the server.
    Resolve,
    /// To connect and read the greeting; for `smtps` inside TLS.
    Connect,
    /// STARTTLS.
    Encrypt,
    /// User and password.
    SignIn,
    /// The sender.
    From,
    /// The recipient.
    To,
    /// The message itself.
    Content,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "find the server",
            Self::Connect => "connect",
            Self::Encrypt => "encrypt the connection",
            Self::SignIn => "sign in",
            Self::From => "name the sender",
            Self::To => "name the recipient",
            Self::Content => "hand over the message",
        })
    }
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server refused a command.
    #[error("the server refused it: {code}{}{text}", if text.is_empty() { "" } else { " " })]
    Refused {
        /// Three digits. A first digit of 4 means a temporary failure.
        code: String,
        /// The text of the answer; after credentials or a message only the extended code.
        text: String,
    },
    #[error("no answer within {} seconds", .0.as_secs_f32())]
    Silent(Duration),
    /// The server does not offer STARTTLS, or an attacker in between hides it.
    #[error("the server offers no STARTTLS, and nothing goes to another machine in clear")]
    NoStartTls,
    /// Clear text followed the answer to STARTTLS, where an attacker could inject answers.
    #[error("more than the answer to STARTTLS came in clear, perhaps from somebody in between; nothing was sent")]
    EarlyAnswer,
    /// A certificate to trust could not be read.
    #[error("the certificates to trust cannot be used: {0}")]
    Roots(String),
    /// An error of the operating system, or a broken connection.
    #[error("{0}")]
    Io(io::Error),
    /// The words of the TLS library or of `sendmail`.
    #[error("{}", if .0.is_empty() { "it gave no reason" } else { .0 })]
    Said(String),
}

/// Text from a server or program, as one line of bounded length.
fn answer_text(text: &str) -> String {
    let line: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    line.join(" ").chars().take(ANSWER_CHARS_MAX).collect()
}
