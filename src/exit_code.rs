//! The exit codes, in one table that help, the man page and `docs/scripting.md` show.

/// How a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Did what was asked.
    Done = 0,
    /// Failed, was declined, or the answer is no.
    Failed = 1,
    /// The command line or an input is unusable.
    Usage = 2,
    /// What was named is not there.
    NoSuch = 3,
    /// Nobody is signed in.
    NotSignedIn = 4,
    /// Known, and not allowed.
    Refused = 5,
    /// It is there already.
    Exists = 6,
    /// The secret is wrong.
    WrongCredentials = 7,
    /// Too many attempts.
    Throttled = 8,
    /// The database cannot be used.
    Database = 9,
    /// Something could not be written.
    Unwritable = 74,
    /// Another process is at it.
    Busy = 75,
    /// `guard`: the program cannot be run.
    CannotRun = 126,
    /// `guard`: there is no such program.
    NoProgram = 127,
    /// Ctrl-C.
    Interrupted = 130,
    /// Whoever read the output has gone.
    ReaderGone = 141,
    /// Ended by a signal from outside.
    Terminated = 143,
}

impl ExitCode {
    /// Every code with its meaning, in order.
    pub const TABLE: &[(Self, &str)] = &[
        (Self::Done, "done, durable, printed; or yes"),
        (Self::Failed, "failed, declined, or no"),
        (Self::Usage, "usage: bad, missing or unacceptable input"),
        (Self::NoSuch, "no such user, session, ..."),
        (Self::NotSignedIn, "not signed in: none, expired, revoked"),
        (Self::Refused, "refused: banned, unverified, not fresh, wrong role"),
        (Self::Exists, "already exists"),
        (Self::WrongCredentials, "wrong credentials or code (one answer for unknown user and wrong password)"),
        (Self::Throttled, "throttled or locked; `retryAfter` in JSON, in seconds"),
        (Self::Database, "database cannot be used: missing, foreign, newer, corrupt, unsafe"),
        (Self::Unwritable, "file or output could not be written (disk full, read-only)"),
        (Self::Busy, "database busy: try again"),
        (Self::CannotRun, "`guard`: the program cannot be run"),
        (Self::NoProgram, "`guard`: the program does not exist"),
        (Self::Interrupted, "interrupted (SIGINT)"),
        (Self::ReaderGone, "the reader of the output has gone (SIGPIPE)"),
        (Self::Terminated, "terminated (SIGTERM)"),
    ];

    /// The number that the shell sees.
    pub fn number(self) -> u8 {
        self as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_names_each_code_once() {
        let numbers: Vec<u8> = ExitCode::TABLE.iter().map(|(code, _)| code.number()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 74, 75, 126, 127, 130, 141, 143]);
    }
}
