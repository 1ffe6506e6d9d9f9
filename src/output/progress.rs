//! How far a long act is, on a terminal.

use std::io::IsTerminal as _;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// How long an act takes before its progress is shown.
const DELAY: Duration = Duration::from_secs(1);
/// How often it is drawn again.
const TICK: Duration = Duration::from_millis(250);
const WITH_TOTAL: &str = "{msg} [{bar:20}] {human_pos} of {human_len}, {rate}, {eta} left";
const WITHOUT_TOTAL: &str = "{spinner} {msg}, {elapsed}";

/// Shows on standard error how far an act is, if it takes longer than a second, and clears the line when it is dropped.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    /// Tells the thread that shows the bar that the act is over.
    over: Option<Sender<()>>,
    shows_late: Option<JoinHandle<()>>,
}

impl Progress {
    /// Whether progress can be shown: standard error is a terminal.
    pub fn is_possible() -> bool {
        std::io::stderr().is_terminal()
    }

    /// Shows nothing.
    pub fn hidden() -> Self {
        Self { bar: ProgressBar::hidden(), over: None, shows_late: None }
    }

    /// Begins an act, such as "deleting sessions", with the number of its steps if that is known.
    pub fn begin(what: &'static str, total: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden()).with_message(what);
        let template = if total.is_some() { WITH_TOTAL } else { WITHOUT_TOTAL };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> ").with_key("rate", rate));
        }
        let (over, waits) = mpsc::channel();
        let shown = bar.clone();
        let shows_late = std::thread::spawn(move || {
            if waits.recv_timeout(DELAY) == Err(RecvTimeoutError::Timeout) {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(TICK);
            }
        });
        Self { bar, over: Some(over), shows_late: Some(shows_late) }
    }

    /// Clears the line, before something else is printed.
    pub fn hide(&self) {
        self.bar.finish_and_clear();
    }

    /// Counts steps that were done.
    pub fn advance(&self, steps: u64) {
        self.bar.inc(steps);
    }
}

/// Writes the whole steps a second.
fn rate(state: &ProgressState, text: &mut dyn std::fmt::Write) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate to read")]
    let steps = state.per_sec() as u64;
    let _ = write!(text, "{}/s", HumanCount(steps));
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(thread) = self.shows_late.take() {
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}
