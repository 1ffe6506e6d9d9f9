//! `audit tail --follow`: prints entries as they come, until it is interrupted or its reader leaves.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::audit::entries;
use crate::audit::read::{create, three_users};
use crate::sandbox::{Ran, Sandbox};

/// The timeout. Only a program that hangs reaches it.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running `audit tail --follow`.
pub struct Follower {
    child: Child,
    lines: Receiver<String>,
}

impl Follower {
    pub fn start(sandbox: &Sandbox, words: &str) -> Self {
        let mut command = sandbox.command(words.split(' '));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines }
    }

    pub fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until the program has ended, and kills it after the timeout.
    pub fn end(mut self, sandbox: &Sandbox) -> Ran {
        let start = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            if start.elapsed() > PATIENCE {
                self.child.kill().unwrap();
            }
            std::thread::yield_now();
        }
        sandbox.ran(&self.child.wait_with_output().unwrap())
    }
}

#[test]
fn follow_shows_new_entries_until_it_is_interrupted() {
    let sandbox = three_users();
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let before = entries(&sandbox).len();
        let follower = Follower::start(&sandbox, "audit tail --lines 2 --follow --json");
        let line = || serde_json::from_str::<Value>(&follower.line()).unwrap();
        assert_eq!((&line()["seq"], &line()["seq"]), (&(before - 1).into(), &before.into()));
        create(&sandbox, &format!("late{code}"));
        assert_eq!(line()["seq"], before + 1);
        sandbox.run(&format!("users ban late{code}@example.com")).success();
        let banned = line();
        assert_eq!((&banned["seq"], &banned["event"]), (&(before + 2).into(), &"user.banned".into()));
        follower.signal(signal);
        let ran = follower.end(&sandbox);
        assert_eq!((ran.code, ran.stderr.as_str()), (code, ""), "{ran}");
    }
}

#[test]
fn following_with_no_old_entries_begins_with_the_next_one() {
    let sandbox = three_users();
    let follower = Follower::start(&sandbox, "audit tail --lines 0 --follow --json");
    // The follower may start after the first entries, so the test writes entries until it prints one.
    let first = (0..100).find_map(|number| {
        create(&sandbox, &format!("late{number}"));
        follower.lines.recv_timeout(Duration::from_millis(600)).ok()
    });
    let first: Value = serde_json::from_str(&first.unwrap()).unwrap();
    follower.signal(Signal::INT);
    assert_eq!(follower.end(&sandbox).code, 130);
    assert!(first["seq"].as_i64().unwrap() >= 5, "not from the beginning: {first}");
}

#[test]
fn following_an_empty_log_shows_its_first_entry() {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    let follower = Follower::start(&sandbox, "audit tail --follow --json");
    create(&sandbox, "ada");
    assert_eq!(serde_json::from_str::<Value>(&follower.line()).unwrap()["seq"], 1);
    follower.signal(Signal::TERM);
    assert_eq!(follower.end(&sandbox).code, 143);
}

#[test]
fn export_follows_the_log_and_goes_on_after_the_last_line() {
    let sandbox = three_users();
    let follower = Follower::start(&sandbox, "audit export --follow --event user");
    let seq = |follower: &Follower| serde_json::from_str::<Value>(&follower.line()).unwrap()["seq"].as_i64().unwrap();
    assert_eq!([(); 4].map(|()| seq(&follower)), [1, 2, 3, 4]);
    sandbox.run("policy set session.lifetime 30d").success();
    create(&sandbox, "late");
    assert_eq!(seq(&follower), 6, "an entry that the filter leaves out is not printed");
    follower.signal(Signal::INT);
    let ran = follower.end(&sandbox);
    assert_eq!((ran.code, ran.stderr.as_str()), (130, ""), "{ran}");
    create(&sandbox, "later");
    let follower = Follower::start(&sandbox, "audit export --follow --after 6");
    assert_eq!(seq(&follower), 7);
    create(&sandbox, "latest");
    assert_eq!(seq(&follower), 8);
    follower.signal(Signal::TERM);
    assert_eq!(follower.end(&sandbox).code, 143);
    for flag in ["--limit 3", "--until now", "--before 3"] {
        let _ = sandbox.run(&format!("audit export --follow {flag}")).failure(2);
    }
}

#[test]
fn followed_entries_are_aligned() {
    let sandbox = three_users();
    sandbox.execute("UPDATE authctl_audit SET osUser = 'a long name' WHERE seq = 3");
    let follower = Follower::start(&sandbox, "audit tail --follow");
    let lines = [(); 4].map(|()| follower.line());
    create(&sandbox, "x");
    let last = follower.line();
    follower.signal(Signal::INT);
    let _ = follower.end(&sandbox);
    let column = |line: &str, text: &str| line.find(text).unwrap();
    for (line, user) in lines.iter().zip(["ada", "bob", "eve", "bob"]) {
        assert_eq!(column(line, &format!("{user}@")), column(&lines[2], "eve@"), "{lines:#?}");
    }
    assert!(column(&last, "x@example.com") >= column(&lines[2], "eve@"), "{last}");
}

#[test]
fn follow_ends_silently_when_its_reader_closes() {
    let sandbox = three_users();
    let mut command = sandbox.command(["audit", "tail", "--lines", "1", "--follow"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0];
    let mut output = child.stdout.take().unwrap();
    output.read_exact(&mut first).unwrap();
    drop(output);
    create(&sandbox, "late");
    let ran = Follower { child, lines: mpsc::channel().1 }.end(&sandbox);
    assert_eq!((ran.code, ran.stderr.as_str()), (141, ""), "{ran}");
}
