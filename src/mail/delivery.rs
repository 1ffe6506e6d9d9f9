//! One delivery: everything it needs, to be carried to a thread of its own.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::{Message, SendmailTransport, Transport as _};
use rustix::fs::Access;

use super::credentials::Credentials;
use super::error::{Failure, MailError, answer_text};
use super::route::Route;
use super::smtp;

/// Where systems keep their `sendmail`, which is in few people's `PATH`.
const SENDMAILS: &[&str] = &["/usr/sbin/sendmail", "/usr/lib/sendmail"];

pub(super) struct Delivery {
    pub(super) route: Route,
    pub(super) credentials: Option<Credentials>,
    pub(super) roots: Vec<Vec<u8>>,
    pub(super) step_wait: Duration,
    pub(super) message: Message,
    /// Stop before the message is handed over.
    pub(super) rehearsal: bool,
}

impl Delivery {
    pub(super) fn run(&self) -> Result<(), MailError> {
        match &self.route {
            Route::Smtp { host, port, protection } => smtp::deliver(self, host, *port, *protection)
                .map_err(|(step, source)| MailError::Smtp { server: self.route.to_string(), step, source }),
            Route::Sendmail(program) => {
                let program = program.as_deref().map_or_else(found_sendmail, Path::to_owned);
                if self.rehearsal { look_for(program) } else { self.hand_to(program) }
            }
        }
    }

    /// Runs `sendmail -i -f FROM -- TO` with the message on its standard input.
    fn hand_to(&self, program: PathBuf) -> Result<(), MailError> {
        SendmailTransport::new_with_command(&program).send(&self.message).map_err(|error| {
            // The cause is what the program or the operating system said.
            let cause = std::error::Error::source(&error);
            let source = match cause.and_then(|cause| cause.downcast_ref::<std::io::Error>()) {
                Some(error) => Failure::Io(error.kind().into()),
                None => Failure::Said(cause.map(|cause| answer_text(&cause.to_string())).unwrap_or_default()),
            };
            MailError::Sendmail { program, source }
        })
    }
}

/// Fails where the program cannot be started. One without a path is left to the search for programs.
fn look_for(program: PathBuf) -> Result<(), MailError> {
    if !program.is_absolute() {
        return Ok(());
    }
    // A directory may be executable too, and nothing else there is a program.
    let found = program.metadata().map_err(|error| error.kind()).and_then(|found| {
        let runs = found.is_file() && rustix::fs::access(&program, Access::EXEC_OK).is_ok();
        if runs { Ok(()) } else { Err(ErrorKind::PermissionDenied) }
    });
    found.map_err(|kind| MailError::Sendmail { program, source: Failure::Io(kind.into()) })
}

fn found_sendmail() -> PathBuf {
    SENDMAILS.iter().map(PathBuf::from).find(|path| path.exists()).unwrap_or_else(|| "sendmail".into())
}
