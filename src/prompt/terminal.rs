//! The terminal: questions, hidden input, and the promise that its echo comes back.
//!
//! rpassword turns the echo off and gives it back in a destructor, which a signal does not run, and
//! on Ctrl-C it raises the signal itself before. So from the first question on a thread waits for
//! the signals that end a process, puts the terminal back as it was, and lets the signal do its work.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::time::Duration;

use dialoguer::{Confirm, Input};
use rustix::termios::{LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use super::PromptError;
use crate::auth::secret::{Password, Secret as _};

/// More than the guard needs to give the terminal back.
const GUARD_TIME: Duration = Duration::from_secs(1);

/// Shows the cursor again, which a question may have hidden.
const SHOW_CURSOR: &[u8] = b"\x1b[?25h";

fn open_terminal() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty")
}

/// Waits for signals for as long as the process lives. It is never disarmed: once a handler has
/// been there, only a handler can let a signal end the process.
#[derive(Debug)]
pub(super) struct Guard;

impl Guard {
    pub(super) fn arm() -> io::Result<Self> {
        let terminal = open_terminal()?;
        let saved = tcgetattr(&terminal)?;
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?;
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            for signal in signals.forever() {
                give_back(&terminal, &saved);
                // Fails only for signals that cannot end a process.
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        })?;
        Ok(Self)
    }
}

fn give_back(mut terminal: &File, saved: &Termios) {
    // The terminal may be gone, which is why the process ends.
    let _ = tcsetattr(terminal, OptionalActions::Now, saved);
    let _ = terminal.write_all(SHOW_CURSOR);
}

/// Asks for one line, shown as it is typed.
pub(super) fn line(label: &str) -> Result<String, PromptError> {
    Input::new().with_prompt(label).allow_empty(true).interact_text().map_err(told)
}

/// Says what would happen, then asks a question whose answer is no unless the person says otherwise.
/// The question is short, because it is drawn again with its answer.
pub(super) fn yes_or_no(effect: &str, question: &str) -> Result<bool, PromptError> {
    writeln!(io::stderr(), "{effect}").map_err(classify)?;
    Confirm::new().with_prompt(question).default(false).interact().map_err(told)
}

fn told(error: dialoguer::Error) -> PromptError {
    let dialoguer::Error::IO(source) = error;
    classify(source)
}

fn classify(source: io::Error) -> PromptError {
    match source.kind() {
        io::ErrorKind::Interrupted => {
            // The guard is about to let the signal end the process, as it should.
            std::thread::sleep(GUARD_TIME);
            PromptError::Interrupted
        }
        io::ErrorKind::UnexpectedEof => PromptError::Closed,
        _ => PromptError::Unreadable { from: "the terminal".into(), source },
    }
}

/// A terminal without echo, until dropped. rpassword shows its prompt first and hides the keys after;
/// a program that types for a person is faster than that.
struct Hushed<'t> {
    terminal: &'t File,
    saved: Termios,
}

impl<'t> Hushed<'t> {
    fn new(terminal: &'t File) -> io::Result<Self> {
        let saved = tcgetattr(terminal)?;
        let mut silent = saved.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
        tcsetattr(terminal, OptionalActions::Now, &silent)?;
        Ok(Self { terminal, saved })
    }
}

impl Drop for Hushed<'_> {
    fn drop(&mut self) {
        // The terminal may be gone.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.saved);
    }
}

/// Asks for one hidden line.
///
/// What was typed ahead is thrown away before and after, so that no keystroke is taken for another
/// question's answer or left for the shell.
pub(super) fn hidden_line(label: &str) -> Result<Password, PromptError> {
    let terminal = open_terminal().map_err(classify)?;
    let _hushed = Hushed::new(&terminal).map_err(classify)?;
    let flush = || tcflush(&terminal, QueueSelector::IFlush).map_err(|error| classify(error.into()));
    flush()?;
    let typed = rpassword::prompt_password(label);
    flush()?;
    let typed = zeroize::Zeroizing::new(typed.map_err(classify)?);
    Password::from_bytes(typed.as_bytes()).map_err(|problem| PromptError::Secret { what: Password::NAME, problem })
}
