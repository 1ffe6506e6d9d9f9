//! The terminal: questions, hidden input, and the promise that its modes come back.
//!
//! A signal runs no destructor, so from the first question on a thread waits for the signals that end
//! a process, puts the terminal back as it was, and lets the signal do its work. rpassword edits the
//! hidden line but does not touch the modes: it would show its prompt before the echo is off, and
//! raise SIGINT before the echo is on again.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dialoguer::{Confirm, Input};
use rpassword::ConfigBuilder;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use zeroize::Zeroizing;

use super::PromptError;

/// Shows the cursor again, which a question may have hidden.
const SHOW_CURSOR: &[u8] = b"\x1b[?25h";

/// Far longer than the guard needs to end the process.
const GUARD_PATIENCE: Duration = Duration::from_secs(2);

fn open_terminal() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty")
}

/// Waits for signals for as long as the process lives. It is never disarmed: once a handler has
/// been there, only a handler can let a signal end the process.
#[derive(Debug)]
pub(super) struct Guard {
    /// Held while the modes of the terminal are changed. The guard takes it for good, so that
    /// nothing hides the echo again between giving it back and the end of the process.
    modes: Arc<Mutex<()>>,
}

impl Guard {
    pub(super) fn arm() -> io::Result<Self> {
        let terminal = open_terminal()?;
        let saved = tcgetattr(&terminal)?;
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?;
        let modes = Arc::new(Mutex::new(()));
        let guard = Self { modes: Arc::clone(&modes) };
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            loop {
                let came: Vec<i32> = signals.wait().collect();
                // A signal from outside interrupts a question's read, and then the question raises
                // SIGINT on top; the one from outside is the reason.
                let Some(signal) = came.iter().find(|signal| **signal != SIGINT).or(came.first()) else { continue };
                let _for_good = modes.lock().unwrap_or_else(PoisonError::into_inner);
                give_back(&terminal, &saved);
                // Fails only for signals that cannot end a process.
                let _ = signal_hook::low_level::emulate_default_handler(*signal);
            }
        })?;
        Ok(guard)
    }

    /// Changes the modes and throws away what was typed ahead.
    fn set_modes(&self, terminal: &File, modes: &Termios) -> io::Result<()> {
        let _held = self.modes.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(tcsetattr(terminal, OptionalActions::Flush, modes)?)
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
            // The signal has been raised already; leaving now would race with the guard.
            std::thread::sleep(GUARD_PATIENCE);
            PromptError::Interrupted
        }
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionAborted => PromptError::Closed,
        _ => PromptError::Unreadable { from: "the terminal".into(), source },
    }
}

/// Asks for one hidden line.
///
/// The echo is off before the prompt is shown: programs that type for people answer at once. What
/// was typed ahead is thrown away before and after, so that no keystroke is taken for another
/// question's answer or left for the shell.
pub(super) fn hidden_line(guard: &Guard, label: &str) -> Result<Zeroizing<String>, PromptError> {
    read_hidden(guard, label).map_err(classify)
}

fn read_hidden(guard: &Guard, label: &str) -> io::Result<Zeroizing<String>> {
    let mut terminal = open_terminal()?;
    let shown = tcgetattr(&terminal)?;
    let mut hidden = shown.clone();
    hidden.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
    hidden.special_codes[SpecialCodeIndex::VMIN] = 1;
    hidden.special_codes[SpecialCodeIndex::VTIME] = 0;
    guard.set_modes(&terminal, &hidden)?;
    let keys = ConfigBuilder::new().input_reader(Keys(terminal.try_clone()?)).output_discard().build();
    let typed = terminal
        .write_all(label.as_bytes())
        .and_then(|()| rpassword::read_password_with_config(keys))
        .map(Zeroizing::new);
    guard.set_modes(&terminal, &shown)?;
    terminal.write_all(b"\n")?;
    typed
}

/// Keys typed at a terminal. Its end in the middle of a line is an error: rpassword would take the
/// beginning of a password for the whole.
struct Keys(File);

impl Read for Keys {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer) {
            Ok(0) => Err(io::ErrorKind::ConnectionAborted.into()),
            read => read,
        }
    }
}
