//! How values are written on the command line.

use std::time::Duration;

use crate::auth::duration;

/// The longest `--wait`: longer than this is a mistake.
const WAIT_MAX: Duration = Duration::from_hours(1);

/// Reads `--wait`: a duration of at most an hour.
pub(super) fn wait(text: &str) -> Result<Duration, String> {
    let parsed = duration::parse(text).and_then(|duration| Duration::try_from(duration).ok());
    parsed
        .filter(|duration| *duration <= WAIT_MAX)
        .ok_or_else(|| "expected a duration from 0s to 1h, such as 500ms, 5s or 1m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_a_duration_of_at_most_an_hour() {
        assert_eq!(wait("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(wait("60m"), Ok(Duration::from_hours(1)));
        for text in ["61m", "2h", "-1s", "soon", ""] {
            assert!(wait(text).is_err(), "{text:?}");
        }
    }
}
