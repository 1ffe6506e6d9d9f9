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

mod credentials;
mod delivery;
mod error;
pub mod handover;
mod message;
mod route;
mod smtp;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use lettre::Message;

use crate::auth::email::Email;
use credentials::Credentials;
use delivery::{Delivery, Running};

pub use credentials::CredentialsError;
pub use error::{Failure, MailError, Step};
pub use handover::{Parcel, Report};
pub use message::{Sender, SenderError};
pub use route::{Protection, Route, UrlError};

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
        self.run(message::compose(&self.sender, to, subject, body)?)
    }

    /// Checks what can be known about a message before it is sent: that it can be written, and that a
    /// `sendmail` is there. Runs nothing and connects to nothing.
    ///
    /// # Errors
    /// [`MailError`].
    pub fn check(&self, to: &Email, subject: &str, body: &str) -> Result<(), MailError> {
        message::compose(&self.sender, to, subject, body)?;
        match &self.route {
            Route::Smtp { .. } => Ok(()),
            Route::Sendmail(program) => delivery::require_sendmail(program.as_deref(), &self.environment),
        }
    }

    fn run(&self, message: Message) -> Result<(), MailError> {
        let running = Arc::new(Running::default());
        let delivery = Delivery {
            route: self.route.clone(),
            credentials: self.credentials.clone(),
            roots: self.roots.clone(),
            step_wait: self.step_wait,
            message,
            environment: self.environment.clone(),
            running: Arc::clone(&running),
        };
        // Only an own thread can be given up: neither a name look-up nor a child takes a deadline.
        // An abandoned one ends with the process, and a child is ended.
        let (told, outcome) = mpsc::channel();
        thread::Builder::new()
            .name("mail".into())
            .spawn(move || told.send(delivery.run()))
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
}
