//! The program under strace: what it asked of the kernel, and answers of the kernel that a test makes up.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::machine::require_tool;
use crate::sandbox::{PASSWORD, Sandbox};

/// One run under strace.
pub struct Trace {
    /// Exit code; 128 + n for a death by signal n.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    text: String,
}

/// One system call.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    pub name: &'a str,
    /// From the opening parenthesis to the end of the line, the result included.
    pub arguments: &'a str,
}

impl Trace {
    /// The calls in order. A call that another thread interrupted appears where it began.
    pub fn calls(&self) -> impl Iterator<Item = Call<'_>> {
        self.text.lines().filter_map(|line| {
            let (_process, rest) = line.split_once(' ')?;
            let (name, arguments) = rest.trim_start().split_once('(')?;
            let is_call = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            is_call.then_some(Call { name, arguments })
        })
    }
}

/// Whether strace can follow a process here. Continuous integration must have it.
pub fn is_usable() -> bool {
    require_tool("strace")
}

/// A command of the program under strace that writes its trace to a file and injects these faults.
pub fn command(plain: &Command, calls: &str, faults: &[&str], file: &Path) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-s", "64", "-e", &format!("trace={calls}"), "-e", "signal=none"]);
    for fault in faults {
        command.args(["-e", &format!("inject={fault}")]);
    }
    command.arg("-o").arg(file).arg("--").arg(plain.get_program()).args(plain.get_args());
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(directory) = plain.get_current_dir() {
        command.current_dir(directory);
    }
    command.stdin(Stdio::null());
    command
}

/// Runs the program with these words, separated by spaces, under strace; `None` where strace cannot be used.
pub fn trace(sandbox: &Sandbox, words: &str, calls: &str, faults: &[&str]) -> Option<Trace> {
    if !is_usable() {
        return None;
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("trace");
    let mut traced = command(&sandbox.command(words.split_whitespace()), calls, faults, &file);
    let ran = sandbox.finish_with_input(&mut traced, PASSWORD);
    let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
    Some(Trace { code: ran.code, stdout: ran.stdout, stderr: ran.stderr, text })
}
