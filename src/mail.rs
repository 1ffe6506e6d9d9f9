//! Mail: one plain-text message to one address, by SMTP or by the local `sendmail`.
//!
//! Commands do not send. They check what can be known without a server ([`Mailer::new`],
//! [`Mailer::check`]) and give the message to a process of its own ([`handover`] says why), which is
//! the only one that talks to a network. This module knows neither policy nor database nor terminal.
//! What a message says is the caller's business.
//!
//! What never leaves the machine in clear is decided by [`Route`]: TLS is a must for every name but
//! the machine's own. Certificates are checked against the roots of the operating system, so that
//! an operator's own authority counts, a withdrawn one is gone with the system's next update, and
//! the program does not grow older than its list (`SSL_CERT_FILE` names another list).
//!
//! A reset code is a secret: errors hold no message, and of a server's answer to a message or to
//! credentials only its numbers, because servers like to quote what they refuse.

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

/// How long to wait for a connection and for each answer. A mail server that checks the sender
/// takes seconds; who runs a command by hand waits no longer than this for a dead one.
const STEP_WAIT: Duration = Duration::from_secs(15);
/// How long the whole delivery may take: a server that sends one byte at a time, a name that takes
/// long to look up and a `sendmail` that hangs are given up too.
const WHOLE_WAIT: Duration = Duration::from_mins(1);

/// Sends messages by one route, from one sender.
#[derive(Debug, Clone)]
pub struct Mailer {
    route: Route,
    sender: Sender,
    credentials: Option<Credentials>,
    /// PEM texts.
    roots: Vec<Vec<u8>>,
    /// All that a `sendmail` finds in its environment.
    environment: Vec<(OsString, OsString)>,
    step_wait: Duration,
    whole_wait: Duration,
}

impl Mailer {
    /// Checks everything that can be known without the network. `sendmail:` needs no credentials
    /// and does not read the file.
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

    /// Trusts certificates of one more authority, given in PEM, beside those of the system.
    #[must_use]
    pub fn trusting(mut self, root_pem: &[u8]) -> Self {
        self.roots.push(root_pem.to_vec());
        self
    }

    /// Gives a `sendmail` these variables, and no others.
    #[must_use]
    pub fn with_environment(self, environment: Vec<(OsString, OsString)>) -> Self {
        Self { environment, ..self }
    }

    /// Waits other times than 15 seconds for each answer and 60 for the whole.
    #[must_use]
    pub fn waiting(self, step: Duration, whole: Duration) -> Self {
        Self { step_wait: step, whole_wait: whole, ..self }
    }

    /// Sends one message. When this returns, the next server has taken it over; nobody can know
    /// whether it arrives.
    ///
    /// # Errors
    /// [`MailError`]: what was attempted and why it failed. [`MailError::may_have_been_sent`] tells
    /// whether the message might arrive all the same.
    pub fn send(&self, to: &Email, subject: &str, body: &str) -> Result<(), MailError> {
        self.run(compose(&self.sender, to, subject, body)?)
    }

    /// Checks what can be known about a message before it is sent: that it can be written, and that a
    /// `sendmail` is there. Runs nothing and connects to nothing.
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
        // Only an own thread can be given up: neither a name look-up nor a child takes a deadline.
        // An abandoned one ends with the process, and a child is ended.
        let (told, outcome) = mpsc::channel();
        thread::Builder::new()
            .name("mail".into())
            .spawn(move || told.send(mailer.deliver(&message, &program)))
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

/// Makes the message; its date is the moment of sending, which the mail library takes itself.
pub(super) fn compose(from: &Sender, to: &Email, subject: &str, body: &str) -> Result<Message, MailError> {
    // The mail library encodes what could end a header. A line break in one is a mistake all the
    // same, and so is a control character in a text for people.
    if subject.contains(char::is_control) {
        return Err(MailError::Text("subject"));
    }
    // Line ends become CRLF by the mail library. A CR alone is a line end to some servers and none
    // to others, and between two readings a second message can be hidden.
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
        // Tells programs that answer for people on holiday to keep silent (RFC 3834).
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into()))
        .header(ContentType::TEXT_PLAIN)
        .body(body)
        .map_err(|_| MailError::Text("text"))?;
    // Made unique at `localhost`, which filters dislike; the sender's domain is true and known.
    if let Some(id) = message.headers().get::<MessageId>() {
        let id = id.as_ref().replace("@localhost>", &format!("@{domain}>"));
        message.headers_mut().set(MessageId::from(id));
    }
    Ok(message)
}

fn address(email: &Email) -> Result<Address, MailError> {
    email.as_str().parse().map_err(|_| MailError::Address(email.to_string()))
}

/// The most characters repeated of what a server or program said.
const ANSWER_CHARS_MAX: usize = 200;

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The route is none.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The sender is none.
    #[error(transparent)]
    Sender(#[from] SenderError),
    /// The credentials file is of no use.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// A control character where none may be; holds which part.
    #[error("the {0} of the mail holds a control character")]
    Text(&'static str),
    /// An address that is valid here and not in mail.
    #[error("mail cannot be addressed to {0}")]
    Address(String),
    /// No talk with the server, or not to its end.
    #[error("mail was not sent: {server}: could not {step}")]
    Smtp { server: String, step: Step, source: Failure },
    /// The local program did not take the message.
    #[error("mail was not sent: {} did not take it", program.display())]
    Sendmail { program: PathBuf, source: Failure },
    /// Each answer came in time, but there was no end.
    #[error("mail was given up: {route} was not done within {} seconds", waited.as_secs_f32())]
    TooSlow { route: String, waited: Duration },
    /// The process that delivers could not be started, or did not take the message.
    #[error("mail was not handed over")]
    HandOver(#[source] io::Error),
    /// More than a message of authctl's ever holds.
    #[error("mail was not handed over: it is too long")]
    TooLong,
    /// No thread could be started.
    #[error("mail was not sent: no thread could be started")]
    Thread(#[source] io::Error),
    /// The delivery stopped without a word, which is a mistake in this program.
    #[error("mail was not sent: the delivery stopped")]
    Stopped,
}

impl MailError {
    /// What to do, where that is known.
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

    /// Whether the message may arrive all the same: it was given away and no answer came back. A
    /// code in it must then stay valid.
    pub fn may_have_been_sent(&self) -> bool {
        match self {
            Self::TooSlow { .. } | Self::Stopped => true,
            Self::Smtp { step: Step::Content, source, .. } => !matches!(source, Failure::Refused { .. }),
            _ => false,
        }
    }
}

/// What was attempted, as words after "could not".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The name of the server was looked up.
    Resolve,
    /// A connection and the server's greeting; with `smtps` also TLS.
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
    /// The server said no.
    #[error("the server refused it: {code}{}{text}", if text.is_empty() { "" } else { " " })]
    Refused {
        /// Three digits; those that begin with 4 may be otherwise tomorrow.
        code: String,
        /// What it said; after a password or a message only its extended code.
        text: String,
    },
    /// No answer in time.
    #[error("no answer within {} seconds", .0.as_secs_f32())]
    Silent(Duration),
    /// The server does not offer STARTTLS, or somebody in between hides it.
    #[error("the server offers no STARTTLS, and nothing goes to another machine in clear")]
    NoStartTls,
    /// Something was said in clear after the answer to STARTTLS, as if it came from inside TLS.
    #[error("more than the answer to STARTTLS came in clear, perhaps from somebody in between; nothing was sent")]
    EarlyAnswer,
    /// A certificate to trust could not be read.
    #[error("the certificates to trust cannot be used: {0}")]
    Roots(String),
    /// The operating system said no, or the connection broke.
    #[error("{0}")]
    Io(io::Error),
    /// In the words of the TLS or mail library, or of `sendmail`.
    #[error("{}", if .0.is_empty() { "it gave no reason" } else { .0 })]
    Said(String),
}

/// What somebody else said, as one line of bounded length.
fn answer_text(text: &str) -> String {
    let line: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    line.join(" ").chars().take(ANSWER_CHARS_MAX).collect()
}
