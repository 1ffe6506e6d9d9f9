//! Questions at the terminal, whose modes are always restored.
//!
//! A signal runs no destructor. From the first question on, a thread waits for the signals that end or stop the
//! process, restores the terminal and lets the signal act. After a stop it sets the modes of the question
//! again. rpassword edits the hidden line but does not change the modes: it would show its prompt before the
//! echo is off, and raise SIGINT before the echo is on again.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dialoguer::{Confirm, Input};
use rpassword::ConfigBuilder;
use rustix::process::{getpgid, getppid, getsid};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use zeroize::Zeroizing;

use super::PromptError;
use crate::interrupt::{ignored_signals, is_left_to_an_act};

/// Shows the cursor again, which a question may have hidden.
const SHOW_CURSOR: &[u8] = b"\x1b[?25h";

/// Far longer than the guard needs to end the process.
const GUARD_PATIENCE: Duration = Duration::from_secs(2);

fn open_terminal() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty")
}

/// Waits for signals until the process ends. It is never disarmed: after a handler was installed, only a handler can
/// let a signal end the process.
#[derive(Debug)]
pub(super) struct Guard {
    /// Held while the modes of the terminal change. The guard thread keeps it locked when the process ends, so that
    /// no question turns the echo off again.
    modes: Arc<Mutex<()>>,
}

impl Guard {
    pub(super) fn arm() -> io::Result<Self> {
        let terminal = open_terminal()?;
        let saved = tcgetattr(&terminal)?;
        let ignored = ignored_signals();
        let watched =
            [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP].into_iter().filter(|signal| !ignored.contains(signal));
        let mut signals = Signals::new(watched)?;
        let modes = Arc::new(Mutex::new(()));
        let guard = Self { modes: Arc::clone(&modes) };
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            loop {
                let came: Vec<i32> = signals.wait().filter(|signal| !is_left_to_an_act(*signal)).collect();
                let (stops, came): (Vec<i32>, Vec<i32>) = came.into_iter().partition(|signal| *signal == SIGTSTP);
                if !stops.is_empty() && came.is_empty() {
                    let _held = modes.lock().unwrap_or_else(PoisonError::into_inner);
                    stop(&terminal, &saved);
                }
                // A signal from outside interrupts the question, which then raises SIGINT too. The signal from
                // outside is the reason.
                let Some(signal) = came.iter().find(|signal| **signal != SIGINT).or(came.first()) else { continue };
                let _for_good = modes.lock().unwrap_or_else(PoisonError::into_inner);
                give_back(&terminal, &saved);
                // Fails only for signals that cannot end a process.
                let _ = signal_hook::low_level::emulate_default_handler(*signal);
            }
        })?;
        Ok(guard)
    }

    /// Changes the modes and discards input that was typed ahead.
    fn set_modes(&self, terminal: &File, modes: &Termios) -> io::Result<()> {
        let _held = self.modes.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(tcsetattr(terminal, OptionalActions::Flush, modes)?)
    }
}

/// Stops the process as SIGTSTP does by default, with the terminal as before the first question, and sets the modes
/// of the question again when the process continues. Not every shell restores the echo when a job stops.
fn stop(terminal: &File, saved: &Termios) {
    if is_orphaned() {
        return;
    }
    let Ok(question) = tcgetattr(terminal) else { return };
    give_back(terminal, saved);
    let _ = signal_hook::low_level::emulate_default_handler(SIGTSTP);
    let _ = tcsetattr(terminal, OptionalActions::Now, &question);
}

/// Whether no shell can continue a stopped process. The kernel ignores SIGTSTP then, but not the signal that a
/// handler sends in its place.
fn is_orphaned() -> bool {
    let parent = getppid();
    let is_of_a_shell = getsid(parent) == getsid(None) && getpgid(parent) != getpgid(None);
    parent.is_none() || !is_of_a_shell
}

fn give_back(mut terminal: &File, saved: &Termios) {
    // The terminal may be closed: that may be why the process ends.
    let _ = tcsetattr(terminal, OptionalActions::Now, saved);
    let _ = terminal.write_all(SHOW_CURSOR);
}

/// Asks for one visible line.
pub(super) fn line(label: &str) -> Result<String, PromptError> {
    Input::new().with_prompt(label).allow_empty(true).interact_text().map_err(prompt_error)
}

/// Shows the effect, then asks a question whose default is no. The question is short, because dialoguer draws it
/// again with its answer.
pub(super) fn yes_or_no(effect: &str, question: &str) -> Result<bool, PromptError> {
    writeln!(io::stderr(), "{effect}").map_err(classify)?;
    Confirm::new().with_prompt(question).default(false).interact().map_err(prompt_error)
}

/// Shows a text before a question.
pub(super) fn show(text: &str) -> Result<(), PromptError> {
    writeln!(io::stderr(), "{text}").map_err(classify)
}

/// The columns and lines of the terminal on standard error.
pub(super) fn size() -> Option<(usize, usize)> {
    let size = tcgetwinsize(io::stderr()).ok()?;
    Some((size.ws_col.into(), size.ws_row.into()))
}

fn prompt_error(error: dialoguer::Error) -> PromptError {
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
/// The echo is off before the prompt appears, because programs such as `expect` answer at once. Input typed ahead is
/// discarded before and after, so that it neither answers another question nor reaches the shell.
pub(super) fn hidden_line(guard: &Guard, label: &str) -> Result<Zeroizing<String>, PromptError> {
    let (typed, lost_keys) = read_hidden(guard, label).map_err(classify)?;
    if lost_keys || typed.contains(char::REPLACEMENT_CHARACTER) { Err(PromptError::LostKeys) } else { Ok(typed) }
}

/// Reads a hidden line. Also returns whether rpassword dropped a key.
fn read_hidden(guard: &Guard, label: &str) -> io::Result<(Zeroizing<String>, bool)> {
    let mut terminal = open_terminal()?;
    let shown = tcgetattr(&terminal)?;
    let mut hidden = shown.clone();
    hidden.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
    hidden.special_codes[SpecialCodeIndex::VMIN] = 1;
    hidden.special_codes[SpecialCodeIndex::VTIME] = 0;
    guard.set_modes(&terminal, &hidden)?;
    let lost = Arc::new(AtomicBool::new(false));
    let keys = Keys { terminal: terminal.try_clone()?, lost: Arc::clone(&lost), lead: 0, is_complete: false };
    let keys = ConfigBuilder::new().input_reader(keys).output_discard().build();
    let typed = terminal
        .write_all(label.as_bytes())
        .and_then(|()| rpassword::read_password_with_config(keys))
        .map(Zeroizing::new);
    guard.set_modes(&terminal, &shown)?;
    terminal.write_all(b"\n")?;
    Ok((typed?, lost.load(Ordering::Relaxed)))
}

/// Keys typed at a terminal. The end of input within a line is an error, because rpassword would accept the beginning
/// of a password.
struct Keys {
    terminal: File,
    /// Whether rpassword dropped a control character or an escape sequence. Another program may keep it, and then the
    /// password would differ.
    lost: Arc<AtomicBool>,
    /// The byte before the next one.
    lead: u8,
    is_complete: bool,
}

impl Keys {
    /// Whether the byte belongs to the line.
    fn take(&mut self, byte: u8) -> bool {
        let is_c1 = self.lead == 0xC2 && (0x80..=0x9F).contains(&byte);
        self.lead = byte;
        if self.is_complete {
            return true;
        }
        match byte {
            b'\n' | b'\r' => self.is_complete = true,
            keys::ERASE_LINE => self.lost.store(false, Ordering::Relaxed),
            keys::BACKSPACE | keys::DELETE | keys::ERASE_WORD | keys::INTERRUPT | keys::END => {}
            keys::SUSPEND => {
                // The guard stops the process. A process that cannot be stopped goes on with the question.
                let _ = signal_hook::low_level::raise(SIGTSTP);
                return false;
            }
            byte if byte.is_ascii_control() || is_c1 => self.lost.store(true, Ordering::Relaxed),
            _ => {}
        }
        true
    }
}

/// The editing keys of rpassword, and the keys that stop or end input.
mod keys {
    pub(super) const INTERRUPT: u8 = 0x03;
    pub(super) const END: u8 = 0x04;
    pub(super) const BACKSPACE: u8 = 0x08;
    pub(super) const ERASE_LINE: u8 = 0x15;
    pub(super) const ERASE_WORD: u8 = 0x17;
    pub(super) const SUSPEND: u8 = 0x1A;
    pub(super) const DELETE: u8 = 0x7F;
}

impl Read for Keys {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.terminal.read(buffer)?;
            if read == 0 {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            let mut kept = 0;
            for at in 0..read {
                if self.take(buffer[at]) {
                    buffer[kept] = buffer[at];
                    kept += 1;
                }
            }
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}
