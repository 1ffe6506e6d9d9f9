//! Runs the program on a pseudo-terminal, in a session of its own. A test waits for a prompt on the screen
//! before it types, as a person does.

use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use pty_process::blocking::{Pts, Pty};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// The timeout of every wait. Only a failing test reaches it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The default width of the screen, which has 24 lines.
const COLUMNS: u16 = 80;

/// A terminal before a program is started on it.
pub struct Terminal {
    master: Arc<Pty>,
    slave: Pts,
    before: Termios,
}

/// A program that runs on a terminal.
pub struct Running {
    master: Arc<Pty>,
    /// Held open, so that the terminal can be inspected after the program has ended.
    slave: Pts,
    before: Termios,
    pid: Pid,
    output: Receiver<Vec<u8>>,
    exit: Receiver<ExitStatus>,
    screen: Vec<u8>,
    /// The offset up to which earlier waits have read the screen.
    read: usize,
}

/// The result of a program that has ended.
pub struct Ended {
    /// Exit code; 128 + n after signal n, as in a shell.
    pub code: i32,
    /// Everything that the terminal showed, including echoed input.
    pub screen: String,
    /// Whether the terminal settings are restored.
    pub given_back: bool,
    /// Typed bytes that no program read.
    pub left_in_queue: u64,
}

impl Terminal {
    pub fn new() -> Self {
        Self::with_columns(COLUMNS)
    }

    pub fn with_columns(columns: u16) -> Self {
        let (master, slave) = pty_process::blocking::open().unwrap();
        master.resize(pty_process::Size::new(24, columns)).unwrap();
        let before = tcgetattr(&slave).unwrap();
        assert!(is_sane(&before), "a new terminal echoes");
        Self { master: Arc::new(master), slave, before }
    }

    /// Types before a program runs.
    pub fn type_ahead(self, keys: &str) -> Self {
        (&*self.master).write_all(keys.as_bytes()).unwrap();
        self
    }

    /// Runs a command with the terminal as its standard streams.
    pub fn run(self, command: Command) -> Running {
        let mut child = pty_process::blocking::Command::from(command).spawn_borrowed(&self.slave).unwrap();
        let pid = Pid::from_child(&child);
        let (told_exit, exit) = channel();
        thread::spawn(move || told_exit.send(child.wait().unwrap()));
        let (told_output, output) = channel();
        let master = Arc::clone(&self.master);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Reading fails when the last descriptor of the other side is closed.
            while let Ok(count @ 1..) = (&*master).read(&mut buffer) {
                if told_output.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let Self { master, slave, before } = self;
        Running { master, slave, before, pid, output, exit, screen: Vec::new(), read: 0 }
    }
}

/// Runs a command on a new terminal, presses keys after a prompt and closes the terminal, as closing a window
/// does. Returns the exit code.
pub fn hang_up_after(command: Command, prompt: &str, keys: &str) -> i32 {
    let (mut master, slave) = pty_process::blocking::open().unwrap();
    let mut child = pty_process::blocking::Command::from(command).spawn(slave).unwrap();
    let (mut screen, mut buffer) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&screen).contains(prompt) {
        let count = master.read(&mut buffer).unwrap();
        screen.extend(&buffer[..count]);
    }
    master.write_all(keys.as_bytes()).unwrap();
    drop(master);
    let status = child.wait().unwrap();
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap())
}

fn is_sane(modes: &Termios) -> bool {
    modes.local_modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
}

impl Running {
    /// Waits until the text appears after the part of the screen that earlier waits have read.
    pub fn wait_for(&mut self, text: &str) -> &mut Self {
        let deadline = Instant::now() + PATIENCE;
        while !self.find(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.screen.extend(bytes),
                Err(RecvTimeoutError::Timeout) => panic!("waited for {text:?}, saw {:?}", self.shown()),
                Err(RecvTimeoutError::Disconnected) => unreachable!("this side holds the terminal open"),
            }
        }
        self
    }

    fn find(&mut self, text: &str) -> bool {
        let found = self.screen[self.read..].windows(text.len()).position(|window| window == text.as_bytes());
        self.read += found.map_or(0, |at| at + text.len());
        found.is_some()
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.screen).into_owned()
    }

    /// Whether the terminal echoes input.
    pub fn echoes(&self) -> bool {
        tcgetattr(&self.slave).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// Waits for a prompt that hides what is typed. A terminal does not report such a change, so this polls.
    pub fn wait_for_hidden(&mut self, prompt: &str) -> &mut Self {
        self.wait_for(prompt);
        let deadline = Instant::now() + PATIENCE;
        while self.echoes() {
            assert!(Instant::now() < deadline, "the echo stayed on: {:?}", self.shown());
            thread::sleep(Duration::from_millis(1));
        }
        self
    }

    /// Presses keys in one write.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        (&*self.master).write_all(keys.as_bytes()).unwrap();
        self
    }

    /// Presses keys that are not text.
    pub fn press_bytes(&mut self, keys: &[u8]) -> &mut Self {
        (&*self.master).write_all(keys).unwrap();
        self
    }

    /// Types a line.
    pub fn enter(&mut self, line: &str) -> &mut Self {
        self.press(&format!("{line}\r"))
    }

    /// Sends a signal to the program.
    pub fn signal(&mut self, signal: Signal) -> &mut Self {
        kill_process(self.pid, signal).unwrap();
        self
    }

    /// Waits until the program has ended.
    pub fn end(mut self) -> Ended {
        let status = self.exit.recv_timeout(PATIENCE);
        let Ok(status) = status else {
            let _ = kill_process(self.pid, Signal::KILL);
            self.screen.extend(self.output.try_iter().flatten());
            panic!("it did not end; the screen: {:?}", self.shown());
        };
        let after = tcgetattr(&self.slave).unwrap();
        let given_back = is_sane(&after) && after.local_modes == self.before.local_modes;
        let left_in_queue = queue(&self.slave, after);
        let Self { slave, output, mut screen, .. } = self;
        // The terminal is closed now, so the reader reaches the end of the output.
        drop(slave);
        screen.extend(output.iter().flatten());
        Ended {
            code: status.code().unwrap_or_else(|| 128 + status.signal().unwrap()),
            screen: String::from_utf8(screen).unwrap(),
            given_back,
            left_in_queue,
        }
    }
}

/// The number of unread bytes. In canonical mode the terminal counts complete lines only.
fn queue(slave: &Pts, mut modes: Termios) -> u64 {
    modes.local_modes -= LocalModes::ICANON;
    tcsetattr(slave, OptionalActions::Now, &modes).unwrap();
    rustix::io::ioctl_fionread(slave).unwrap()
}

impl Ended {
    /// Asserts the exit code and restored terminal settings, and returns the screen.
    pub fn with_code(self, code: i32) -> String {
        assert_eq!(self.code, code, "{:?}", self.screen);
        assert!(self.given_back, "the terminal was not given back: {:?}", self.screen);
        self.screen
    }
}
