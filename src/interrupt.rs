//! Ctrl-C and SIGTERM during a long act. The act stops between two of its steps, and says what it did and what is left.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Whether an act watches for signals. The guard of questions leaves them to it then.
static IS_WATCHED: AtomicBool = AtomicBool::new(false);

static HANDLERS: OnceLock<Handlers> = OnceLock::new();

/// What the handlers of the signals share with the acts.
#[derive(Debug)]
struct Handlers {
    /// Whether the next signal ends the process, because no act watches or one came already.
    is_deadly: Arc<AtomicBool>,
    /// The number of the last signal that came; 0 before one.
    came: Arc<AtomicUsize>,
}

impl Handlers {
    fn install() -> Self {
        let handlers = Self { is_deadly: Arc::new(AtomicBool::new(true)), came: Arc::default() };
        let ignored = ignored_signals();
        for signal in [SIGINT, SIGTERM].into_iter().filter(|signal| !ignored.contains(signal)) {
            // Fails only for signals that no program can handle. The handlers run in this order.
            let _ = flag::register_conditional_default(signal, Arc::clone(&handlers.is_deadly));
            let _ = flag::register(signal, Arc::clone(&handlers.is_deadly));
            let _ = flag::register_usize(signal, Arc::clone(&handlers.came), signal.unsigned_abs() as usize);
        }
        handlers
    }
}

/// A signal that asks an act to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT, as Ctrl-C sends it.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// A long act was stopped by a signal.
#[derive(Debug, thiserror::Error)]
#[error("interrupted: {what}")]
pub struct Interrupted {
    pub signal: Signal,
    /// What was done and what was not, such as "16,000 ended, 44,194 not".
    pub what: String,
}

/// Keeps a signal from ending the process at once, until it is dropped. The second signal ends the process, as the act
/// may hang.
#[derive(Debug)]
pub struct Interrupts(());

impl Interrupts {
    /// Begins to watch. Questions come before, because they handle signals themselves.
    pub fn watch() -> Self {
        let handlers = HANDLERS.get_or_init(Handlers::install);
        handlers.came.store(0, Ordering::SeqCst);
        handlers.is_deadly.store(false, Ordering::SeqCst);
        IS_WATCHED.store(true, Ordering::SeqCst);
        Self(())
    }

    /// The signal that came.
    pub fn came(&self) -> Option<Signal> {
        let came = HANDLERS.get().map_or(0, |handlers| handlers.came.load(Ordering::SeqCst));
        [(SIGINT, Signal::Interrupt), (SIGTERM, Signal::Terminate)]
            .into_iter()
            .find_map(|(number, signal)| (number.unsigned_abs() as usize == came).then_some(signal))
    }

    /// Stops the act if a signal came. `what` says what was done and what was not.
    ///
    /// # Errors
    /// [`Interrupted`].
    pub fn check(&self, what: impl FnOnce() -> String) -> Result<(), Interrupted> {
        match self.came() {
            Some(signal) => Err(Interrupted { signal, what: what() }),
            None => Ok(()),
        }
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        IS_WATCHED.store(false, Ordering::SeqCst);
        if let Some(handlers) = HANDLERS.get() {
            handlers.is_deadly.store(true, Ordering::SeqCst);
        }
    }
}

/// Whether an act stops by itself when this signal comes.
pub fn is_left_to_an_act(signal: i32) -> bool {
    matches!(signal, SIGINT | SIGTERM) && IS_WATCHED.load(Ordering::SeqCst)
}

/// The signals that the caller ignores, as `nohup` and `trap ''` do. They stay ignored. Only Linux reports them
/// without `unsafe` code; elsewhere the list is empty.
pub fn ignored_signals() -> Vec<i32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    (1..=64).filter(|signal| mask >> (signal - 1) & 1 == 1).collect()
}
