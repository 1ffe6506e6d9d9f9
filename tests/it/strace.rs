//! Runs the program under strace, to inspect its system calls and to make them fail.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::machine::require_tool;
use crate::sandbox::{PASSWORD, Sandbox};

/// One run under strace.
pub struct Trace {
    /// Exit code; 128 + n after signal n.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    text: String,
}

/// One system call.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    pub name: &'a str,
    /// The line from the opening parenthesis on, including the result.
    pub arguments: &'a str,
}

impl Trace {
    /// The calls in the order in which they began.
    pub fn calls(&self) -> impl Iterator<Item = Call<'_>> {
        self.text.lines().filter_map(|line| {
            let (_process, rest) = line.split_once(' ')?;
            let (name, arguments) = rest.trim_start().split_once('(')?;
            let is_call = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            is_call.then_some(Call { name, arguments })
        })
    }
}

/// Whether strace works on this machine. It must work under `CI`.
pub fn is_usable() -> bool {
    require_tool("strace")
}

/// A command that runs another one under strace with these options and writes the trace to a file. Children
/// are not followed unless the options say so.
pub fn command(plain: &Command, options: &[&str], file: &Path) -> Command {
    let mut command = Command::new("strace");
    if options.contains(&"-f") {
        // The program stops only at the calls that are traced or fail, which needs followed children.
        command.arg("--seccomp-bpf");
    }
    command.args(options).arg("-o").arg(file).arg("--").arg(plain.get_program()).args(plain.get_args());
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(directory) = plain.get_current_dir() {
        command.current_dir(directory);
    }
    command.stdin(Stdio::null());
    command
}

/// A command that runs the program with a failing system call; `None` without strace.
pub fn with_failing(sandbox: &Sandbox, call: &str, error: &str, words: &str) -> Option<Command> {
    let options = ["-f", "-qq", "-e", &format!("trace={call}"), "-e", &format!("inject={call}:error={error}")];
    is_usable().then(|| command(&sandbox.command(words.split_whitespace()), &options, Path::new("/dev/null")))
}

/// Runs the program under strace with arguments separated by spaces; `None` without strace.
pub fn trace(sandbox: &Sandbox, words: &str, calls: &str, faults: &[&str]) -> Option<Trace> {
    if !is_usable() {
        return None;
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("trace");
    let injected: Vec<String> = faults.iter().map(|fault| format!("inject={fault}")).collect();
    let calls = format!("trace={calls}");
    let mut options = vec!["-f", "-qq", "-s", "64", "-e", &calls, "-e", "signal=none"];
    options.extend(injected.iter().flat_map(|fault| ["-e", fault]));
    let mut traced = command(&sandbox.command(words.split_whitespace()), &options, &file);
    let ran = sandbox.finish_with_input(&mut traced, PASSWORD);
    let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
    Some(Trace { code: ran.code, stdout: ran.stdout, stderr: ran.stderr, text })
}
