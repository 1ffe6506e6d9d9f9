//! The only way out: standard output for the answer, standard error for everything else.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::time::Duration;

/// The pause before another write to a full pipe that may not block.
const FULL_PIPE_POLL: Duration = Duration::from_millis(5);

/// Writes the answer, all of it, or says why not. An empty answer needs no standard output.
///
/// # Errors
/// Whatever the operating system said: the reader has gone, the disk is full.
pub fn answer(text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    // Not through `Stdout`: it reports success when the descriptor is open for reading only.
    let mut output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let mut left = text.as_bytes();
    while !left.is_empty() {
        match output.write(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => left = &left[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Another holder of the pipe has set it not to block.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(FULL_PIPE_POLL),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes a message for a person. A message that cannot be written is lost.
pub fn message(text: &str) {
    // One write, so that messages of processes that share a terminal do not mix.
    let _ = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}
