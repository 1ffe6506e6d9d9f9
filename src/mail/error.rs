//! Why a message was not sent: what was attempted, and why it failed.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::credentials::CredentialsError;
use super::message::SenderError;
use super::route::UrlError;

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
    Smtp {
        /// Host and port.
        server: String,
        /// What was attempted.
        step: Step,
        /// Why it failed.
        source: Failure,
    },
    /// The local program did not take the message.
    #[error("mail was not sent: {} did not take it", program.display())]
    Sendmail {
        /// The program that was run.
        program: PathBuf,
        source: Failure,
    },
    /// Each answer came in time, but there was no end.
    #[error("mail was given up: {route} was not done within {} seconds", waited.as_secs_f32())]
    TooSlow {
        /// Where to.
        route: String,
        /// How long it was given.
        waited: Duration,
    },
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
pub(super) fn answer_text(text: &str) -> String {
    let line: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    line.join(" ").chars().take(ANSWER_CHARS_MAX).collect()
}
