//! Kills a command at each of its system calls in turn, each time in the same home directory.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::machine::{Tree, skip, tree};
use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Ran, Sandbox};
use crate::strace;

/// Whether each call is taken instead of a sample.
pub fn is_full() -> bool {
    std::env::var_os("AUTHCTL_SWEEP").is_some_and(|value| value == "full")
}

/// A home directory that can be reset.
pub struct Home {
    pub sandbox: Sandbox,
    saved: Tree,
}

impl Home {
    pub fn new(sandbox: Sandbox) -> Self {
        let saved = tree(sandbox.home());
        Self { sandbox, saved }
    }

    pub fn put_back(&self) {
        put_back(&self.saved, self.sandbox.home());
    }
}

/// Resets a directory to the content that was read.
pub fn put_back(saved: &Tree, home: &Path) {
    for entry in std::fs::read_dir(home).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { std::fs::remove_dir_all(path).unwrap() } else { std::fs::remove_file(path).unwrap() }
    }
    saved.write(home, home);
}

/// A command and the home directory that is reset for each run.
pub struct Case {
    home: Home,
    pub words: &'static str,
}

impl std::ops::Deref for Case {
    type Target = Home;

    fn deref(&self) -> &Home {
        &self.home
    }
}

impl Case {
    pub fn new(sandbox: Sandbox, words: &'static str) -> Self {
        sandbox.file("pw", PASSWORD);
        sandbox.file("change", format!("{PASSWORD}\n{OTHER_PASSWORD}\n"));
        Self { home: Home::new(sandbox), words }
    }

    fn command(&self) -> Command {
        let mut command = self.sandbox.command(self.words.split(' '));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Kills the command at each system call that changes a file. Of frequent calls it takes a sample that
    /// includes the last one, or all when `AUTHCTL_SWEEP` is `full`.
    pub fn kill_by_call(&self, check: impl Fn(&str)) {
        self.kill_by_calls(|_| true, check);
    }

    /// As [`Self::kill_by_call`], for the given calls.
    pub fn kill_by_calls(&self, is_tried: impl Fn(&str) -> bool, check: impl Fn(&str)) {
        const EACH: usize = 4;
        let is_full = is_full();
        self.put_back();
        let Some(calls) = self.calls() else { return };
        for (call, count) in calls.into_iter().filter(|(call, _)| is_tried(call)) {
            let step = if is_full { 1 } else { count.div_ceil(EACH) };
            for number in (1..=count).rev().step_by(step) {
                self.put_back();
                let inject = format!("inject={call}:signal=KILL:when={number}");
                let status = self.traced(&["-e", &inject], Path::new("/dev/null")).status().unwrap();
                assert!(!status.success(), "nothing was killed at {call} {number}");
                check(&format!("killed at {call} {number} of {count}"));
            }
        }
    }

    /// Fails one system call that changes a file in each run, and passes on how the command ended. Writes fail
    /// with a full disk, other calls with an I/O error. Of frequent calls it takes a sample that includes the
    /// last one, and a larger one when `AUTHCTL_SWEEP` is `full`. Calls that remove files do not fail, because
    /// the file would stay.
    pub fn fail_by_call(&self, check: impl Fn(&str, &Ran)) {
        let each = if is_full() { 24 } else { 6 };
        self.put_back();
        let Some(calls) = self.calls() else { return };
        for (call, count) in calls.iter().filter(|(call, _)| !call.starts_with("unlink")) {
            let error = if call.contains("write") { "ENOSPC" } else { "EIO" };
            for number in (1..=*count).rev().step_by(count.div_ceil(each)) {
                self.put_back();
                let inject = format!("inject={call}:error={error}:when={number}");
                let mut command = self.traced(&["-e", &inject], Path::new("/dev/null"));
                command.stdout(Stdio::piped()).stderr(Stdio::piped());
                check(&format!("{error} at {call} {number} of {count}"), &self.sandbox.finish(&mut command));
            }
        }
    }

    /// The calls that the command makes, with their counts; `None` when this machine cannot trace it.
    fn calls(&self) -> Option<BTreeMap<String, usize>> {
        const CALLS: &str = "write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat";
        let trace = self.sandbox.path("trace");
        let names = format!("trace={CALLS}");
        if !strace::is_usable() {
            return None;
        }
        let run = self.traced(&["-e", &names], &trace).status();
        if !run.as_ref().is_ok_and(ExitStatus::success) {
            skip(&format!("strace cannot be used here: {run:?}"));
            return None;
        }
        let mut calls = BTreeMap::new();
        for line in std::fs::read_to_string(trace).unwrap().lines() {
            // "4711  fsync(3) = 0"
            if let Some((call, _)) = line.split_whitespace().nth(1).and_then(|word| word.split_once('(')) {
                *calls.entry(call.to_owned()).or_default() += 1;
            }
        }
        assert!(calls.contains_key("fsync"), "{calls:?}");
        Some(calls)
    }

    /// Every call that changes a file or writes output, in order; `None` when this machine cannot trace it.
    pub fn calls_in_order(&self) -> Option<Vec<String>> {
        self.put_back();
        self.calls()?;
        self.put_back();
        let trace = self.sandbox.path("trace");
        let names = "trace=write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,link,linkat";
        self.traced(&["-s", "200", "-e", names], &trace).status().unwrap();
        let trace = std::fs::read_to_string(trace).unwrap();
        Some(trace.lines().filter_map(|line| Some(line.split_once(' ')?.1.trim_start().to_owned())).collect())
    }

    fn traced(&self, options: &[&str], file: &Path) -> Command {
        let mut command = strace::command(&self.command(), &[&["-f"], options].concat(), file);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}
