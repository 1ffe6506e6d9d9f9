//! Delivery by the local `sendmail`.

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lettre::Message;
use rustix::fs::Access;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use super::{Failure, MailError, answer_text};

/// The usual paths of `sendmail`, which are often not in `PATH`.
const SENDMAILS: &[&str] = &["/usr/sbin/sendmail", "/usr/lib/sendmail"];

/// How much output of a `sendmail` is kept. Errors quote less.
const SAID_BYTES_MAX: usize = 4096;
/// How long to wait for the output of a `sendmail` that failed.
const LAST_WORDS_WAIT: Duration = Duration::from_secs(1);

/// Runs `sendmail -i -f FROM -- TO` with the message on its standard input.
pub(super) fn deliver(
    program: &Path,
    message: &Message,
    environment: &[(OsString, OsString)],
    running: &Running,
) -> Result<(), Failure> {
    let io = |error: io::Error| Failure::Io(error.kind().into());
    let envelope = message.envelope();
    let mut command = Command::new(program);
    command.arg("-i");
    if let Some(from) = envelope.from() {
        command.arg("-f").arg(from);
    }
    command.arg("--").args(envelope.to());
    command.env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    // A separate group, so that children of the program can be killed with it.
    command.process_group(0);
    let started = running.start(&mut command).map_err(io)?;
    let message = message.formatted();
    let written = thread(move || write_to(started.stdin, &message)).map_err(io)?;
    let said = Arc::new(Mutex::new(Vec::new()));
    let saying = Arc::clone(&said);
    let read = thread(move || read_from(started.stderr, &saying)).map_err(io)?;
    let status = running.wait(started.pid).map_err(io)?;
    if !status.success() {
        // Children of the program may hold the pipe open.
        let _ = read.recv_timeout(LAST_WORDS_WAIT);
        let said = said.lock().unwrap_or_else(PoisonError::into_inner);
        // Its output explains more than the broken pipe.
        return Err(Failure::Said(answer_text(&String::from_utf8_lossy(&said))));
    }
    written.recv().unwrap_or(Ok(())).map_err(io)
}

/// The running `sendmail`, which another thread can kill.
#[derive(Default)]
pub(super) struct Running(Mutex<State>);

#[derive(Default)]
enum State {
    #[default]
    NotStarted,
    Started(Child),
    GivenUp,
}

struct Started {
    pid: Pid,
    stdin: Option<ChildStdin>,
    stderr: Option<ChildStderr>,
}

impl Running {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, command: &mut Command) -> io::Result<Started> {
        let mut state = self.state();
        if matches!(*state, State::GivenUp) {
            return Err(ErrorKind::TimedOut.into());
        }
        let mut child = command.spawn()?;
        let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
        let pid = Pid::from_child(&child);
        *state = State::Started(child);
        Ok(Started { pid, stdin, stderr })
    }

    /// Waits for the end of the program without holding the lock. The process is reaped under the lock, so until then
    /// its id stays valid for [`Self::give_up`].
    fn wait(&self, pid: Pid) -> io::Result<ExitStatus> {
        let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(rustix::process::waitid(WaitId::Pid(pid), ended), Err(Errno::INTR)) {}
        match &mut *self.state() {
            State::Started(child) => child.wait(),
            State::NotStarted | State::GivenUp => Err(ErrorKind::TimedOut.into()),
        }
    }

    /// Kills the program and its process group.
    pub(super) fn give_up(&self) {
        let state = std::mem::replace(&mut *self.state(), State::GivenUp);
        if let State::Started(mut child) = state {
            // `try_wait` knows whether the process was reaped, so that the id is not of another process.
            if matches!(child.try_wait(), Ok(None)) {
                let _ = rustix::process::kill_process_group(Pid::from_child(&child), Signal::KILL);
                let _ = child.wait();
            }
        }
    }
}

/// Runs a function in a thread, because each pipe of the program can block the other. The thread ends with the pipe
/// or the process.
fn thread<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> io::Result<Receiver<T>> {
    let (sender, outcome) = mpsc::channel();
    std::thread::Builder::new().name("mail pipe".into()).spawn(move || sender.send(run()))?;
    Ok(outcome)
}

/// Writes everything and closes the pipe.
fn write_to(stdin: Option<ChildStdin>, bytes: &[u8]) -> io::Result<()> {
    stdin.map_or(Ok(()), |mut stdin| stdin.write_all(bytes))
}

/// Keeps the beginning and discards the rest, so that the program does not block.
fn read_from(stderr: Option<ChildStderr>, kept: &Mutex<Vec<u8>>) {
    let Some(mut stderr) = stderr else { return };
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = stderr.read(&mut bytes) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let room = SAID_BYTES_MAX.saturating_sub(kept.len());
        kept.extend_from_slice(&bytes[..count.min(room)]);
    }
}

/// Fails if the program does not exist or is not executable.
pub(super) fn require_program(program: Option<&Path>, environment: &[(OsString, OsString)]) -> Result<(), MailError> {
    let program = program_path(program);
    let found = if program.is_absolute() {
        executable(&program)
    } else {
        let path = environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str());
        let places = std::env::split_paths(path.unwrap_or(OsStr::new("/bin:/usr/bin")));
        let mut found = places.map(|place| executable(&place.join(&program)));
        found.find(Result::is_ok).unwrap_or(Err(ErrorKind::NotFound))
    };
    found.map_err(|kind| MailError::Sendmail { program, source: Failure::Io(kind.into()) })
}

fn executable(program: &Path) -> Result<(), ErrorKind> {
    let found = program.metadata().map_err(|error| error.kind())?;
    // A directory may be executable too.
    let runs = found.is_file() && rustix::fs::access(program, Access::EXEC_OK).is_ok();
    if runs { Ok(()) } else { Err(ErrorKind::PermissionDenied) }
}

/// The configured program, else that of the system.
pub(super) fn program_path(named: Option<&Path>) -> PathBuf {
    let usual = || SENDMAILS.iter().map(PathBuf::from).find(|path| path.exists());
    named.map(Path::to_owned).or_else(usual).unwrap_or_else(|| "sendmail".into())
}
