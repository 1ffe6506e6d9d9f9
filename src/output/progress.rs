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
/// The columns of the bar: at most so many, and without these few none is drawn.
const BAR_MAX: usize = 20;
const BAR_MIN: usize = 5;
/// The longest text of what follows the numbers of a line with a bar, and of one without.
const REST: &str = ", 999,999/s, 59m left";
const SHORT_REST: &str = ", 59m left";
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

    /// Begins an act, such as "deleting sessions", with the number of its steps if that is known, on a terminal with so many
    /// columns.
    pub fn begin(what: &'static str, total: Option<u64>, columns: Option<u16>) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden()).with_message(what);
        let template = total.map_or_else(|| WITHOUT_TOTAL.to_owned(), |total| with_total(what, total, columns));
        if let Ok(style) = ProgressStyle::with_template(&template) {
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

/// The line of an act with a number of steps, on a terminal with so many columns. It fits in them, as far as its words do.
fn with_total(what: &str, total: u64, columns: Option<u16>) -> String {
    let numbers = 2 * HumanCount(total).to_string().len() + " of ".len();
    let left = |rest: usize| match columns {
        None => BAR_MAX,
        // The last column stays free: some terminals begin the next line with it.
        Some(columns) => usize::from(columns).saturating_sub(what.len() + numbers + rest + 1),
    };
    let bar = left(" [] ".len() + REST.len()).min(BAR_MAX);
    if bar >= BAR_MIN {
        format!("{{msg}} [{{bar:{bar}}}] {{human_pos}} of {{human_len}}, {{rate}}, {{eta}} left")
    } else if left(" ".len() + SHORT_REST.len()) > 0 {
        "{msg} {human_pos} of {human_len}, {eta} left".to_owned()
    } else {
        "{msg} {percent}%".to_owned()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_fits_in_the_terminal() {
        let what = "copying and comparing rows";
        for (columns, total, expected) in [
            (Some(80), 12_000_000, "copying and comparing rows 12,000,000 of 12,000,000, 59m left"),
            (Some(80), 1_200_010, "copying and comparing rows [6] 1,200,010 of 1,200,010, 999,999/s, 59m left"),
            (Some(80), 10, "copying and comparing rows [20] 10 of 10, 999,999/s, 59m left"),
            (Some(120), 12_000_000, "copying and comparing rows [20] 12,000,000 of 12,000,000, 999,999/s, 59m left"),
            (Some(40), 1_200_010, "copying and comparing rows 100%"),
            (None, 1_200_010, "copying and comparing rows [20] 1,200,010 of 1,200,010, 999,999/s, 59m left"),
        ] {
            let line = with_total(what, total, columns).replace("{msg}", what).replace("{bar:", "").replace("}]", "]");
            let number = HumanCount(total).to_string();
            let line = line.replace("{human_pos}", &number).replace("{human_len}", &number);
            let line = line.replace(", {rate}, {eta} left", REST).replace(", {eta} left", SHORT_REST);
            let line = line.replace("{percent}", "100");
            assert_eq!(line, expected);
            let bar = line.split(['[', ']']).nth(1).map_or(0, |width| width.parse::<usize>().unwrap() - width.len());
            assert!(columns.is_none_or(|columns| line.len() + bar < usize::from(columns)), "{line}");
        }
    }
}
