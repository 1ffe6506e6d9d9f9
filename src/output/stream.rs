//! The only way out: standard output for the answer, standard error for everything else.

use std::io::{self, Write as _};

/// Writes the answer, all of it, or says why not.
///
/// # Errors
/// Whatever the operating system said: the reader has gone, the disk is full.
pub fn answer(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}

/// Writes a message for a person. If nobody can read it, there is nobody to tell.
pub fn message(text: &str) {
    // One write, so that messages of processes that share a terminal do not mix.
    let _ = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}
