//! Snapshots of directories, and runs of the program with limits, faults or another user.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::Permissions;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use rustix::fs::FileType;

use crate::sandbox::{Ran, Sandbox, program};

/// The kind, mode and content of every file in a directory.
pub struct Tree(BTreeMap<PathBuf, (u32, Vec<u8>)>);

/// Reads a directory recursively. This process must have no open connection to a database in it: closing
/// any descriptor of a file releases the process's locks on it.
pub fn tree(directory: &Path) -> Tree {
    let mut found = BTreeMap::new();
    let mut left = vec![directory.to_owned()];
    while let Some(path) = left.pop() {
        let metadata = path.symlink_metadata().unwrap();
        let content = if metadata.is_file() {
            std::fs::read(&path).unwrap()
        } else if metadata.is_symlink() {
            std::fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
        } else {
            Vec::new()
        };
        if metadata.is_dir() {
            left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        found.insert(path, (metadata.mode(), content));
    }
    Tree(found)
}

impl Tree {
    /// Asserts that no file was added, removed or changed.
    #[track_caller]
    pub fn assert_same(&self, after: &Self) {
        let names = self.0.keys().chain(after.0.keys());
        let changed: Vec<_> = names.filter(|path| self.0.get(*path) != after.0.get(*path)).collect();
        assert!(changed.is_empty(), "came, went or changed: {changed:?}");
    }

    /// Writes the content that was read from `from` to the empty directory `to`.
    pub fn write(&self, from: &Path, to: &Path) {
        let below = |path: &Path| to.join(path.strip_prefix(from).unwrap());
        let entries = || self.0.iter().filter(|(path, _)| path.as_path() != from);
        for (path, (mode, content)) in entries() {
            match FileType::from_raw_mode(*mode) {
                FileType::Directory => std::fs::create_dir(below(path)).unwrap(),
                FileType::Symlink => symlink(OsStr::from_bytes(content), below(path)).unwrap(),
                _ => std::fs::write(below(path), content).unwrap(),
            }
        }
        // A read-only directory gets its mode after its content.
        for (path, (mode, _)) in entries().filter(|(_, (mode, _))| FileType::from_raw_mode(*mode) != FileType::Symlink)
        {
            std::fs::set_permissions(below(path), Permissions::from_mode(mode & 0o7777)).unwrap();
        }
    }

    /// The contents of all files.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        self.0.iter().map(|(path, (_, content))| (path.as_path(), content.as_slice()))
    }
}

/// Sets the permission bits of a file.
pub fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Starts the program from a shell that first runs a command such as `umask 077`.
pub fn under_shell(sandbox: &Sandbox, first: &str, words: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("{first}; exec \"$0\" \"$@\"")).arg(program()).args(words.split_whitespace());
    command.env_clear().env("HOME", sandbox.home()).current_dir(sandbox.home()).stdin(Stdio::null());
    command
}

/// The limit of address space, in KiB, with which `main` begins and says that it needs more. It depends on the size of the
/// program. Below it, the kernel, the loader or the runtime fails.
#[cfg(target_os = "linux")]
pub fn least_address_space(sandbox: &Sandbox) -> u32 {
    static LEAST: OnceLock<u32> = OnceLock::new();
    let is_refused = |kib: &u32| {
        let ran = sandbox.finish(&mut under_shell(sandbox, &format!("ulimit -v {kib}"), "db status"));
        ran.stderr.contains(NEEDS_ADDRESS_SPACE)
    };
    *LEAST.get_or_init(|| (20_000..400_000).step_by(2_000).find(is_refused).unwrap())
}

/// What the program says of a limit of address space that is too low.
#[cfg(target_os = "linux")]
pub const NEEDS_ADDRESS_SPACE: &str = "MiB that authctl needs";

/// Whether a tool is installed. A missing tool fails the test under `CI`.
pub fn require_tool(name: &str) -> bool {
    let is_here = Command::new(name).arg("--version").stdin(Stdio::null()).output().is_ok();
    if !is_here {
        skip(&format!("{name} is not installed"));
    }
    is_here
}

/// Gives a file to another user, which only root can do. Returns whether it succeeded.
pub fn give_away(path: &Path) -> bool {
    const UNPRIVILEGED: u32 = 65_534;
    let given = std::os::unix::fs::chown(path, Some(UNPRIVILEGED), None).is_ok() || {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "chown", &UNPRIVILEGED.to_string()]).arg(path).stdin(Stdio::null());
        sudo.output().is_ok_and(|output| output.status.success())
    };
    if !given {
        skip("only root can give files away; sudo without a password is not available");
    }
    given
}

/// Reports that a test, or a part of it, cannot run on this machine. Panics under `CI`.
#[expect(clippy::print_stderr, reason = "a test that skips a part reports it")]
pub fn skip(why: &str) {
    let judged = std::env::var("CI").is_ok_and(|value| !["", "0", "false"].contains(&value.as_str()));
    assert!(!judged, "CI is set, so nothing is skipped: {why}");
    eprintln!("skipped: {why}");
}

#[test]
fn tests_whose_tool_is_missing_fail_under_ci() {
    let tests = std::env::current_exe().unwrap();
    for name in [
        "after_commit::signin_without_session_file_leaves_no_session",
        "crash::sign_in_killed_at_any_call_leaves_no_orphan_session",
        "completion::bash_quotes_what_users_wrote",
        "generated::groff_reports_no_errors_in_man_pages",
        "generated::installed_shells_accept_their_scripts",
    ] {
        for (ci, passes) in [("", true), ("true", false)] {
            let mut command = Command::new(&tests);
            let ran = command.args(["--exact", name]).env("PATH", "/nonexistent").env("CI", ci).output().unwrap();
            let said = String::from_utf8_lossy(&ran.stdout).into_owned();
            assert!(said.contains("running 1 test\n"), "{name}: {said}");
            assert_eq!(ran.status.success(), passes, "{name}, CI={ci}: {said}");
        }
    }
}

/// Runs a command that must not wait for input.
pub fn without_hanging(sandbox: &Sandbox, command: &mut Command, input: &str) -> Ran {
    use std::io::Write as _;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = rustix::process::Pid::from_child(&child);
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output().unwrap()));
    let Ok(output) = receiver.recv_timeout(Duration::from_mins(1)) else {
        rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
        panic!("it hangs: {command:?}");
    };
    sandbox.ran(&output)
}
