//! Runs the real program in isolation: its own home directory, no inherited environment, no terminal.

use std::ffi::OsStr;
use std::fmt;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock, Once};

use authctl::paths::{DatabaseLocation, session_key};
use jiff::Timestamp;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use tempfile::TempDir;

use crate::machine::{Tree, tree};
use crate::scratch;

/// A password that satisfies the default policy.
pub const PASSWORD: &str = "correct horse battery staple";
/// Another such password.
pub const OTHER_PASSWORD: &str = "nine purple umbrellas sing";

/// The program under test.
pub fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_authctl"))
}

/// Copies the program by another process. A descriptor that this one has open for writing would be inherited by the children
/// that other tests start meanwhile, and no system starts a program that somebody may write.
pub fn copy_program(to: &Path) {
    assert!(Command::new("cp").arg(program()).arg(to).status().unwrap().success());
}

/// An empty home directory.
pub struct Sandbox {
    directory: TempDir,
}

/// The result of a run. Compare it as a whole, or call [`Ran::success`].
#[must_use = "compare the whole run with a snapshot, or assert its success"]
pub struct Ran {
    /// Exit code; 128 + n after signal n, as in a shell.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    home: PathBuf,
}

/// A connection to a native database that may add rows: the triggers there refuse those of other programs.
pub fn past_authctl(database: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(database).unwrap();
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
    connection
}

impl Sandbox {
    pub fn new() -> Self {
        catch_ignored_signals();
        let directory = tempfile::Builder::new().prefix("authctl-").tempdir_in(scratch::directory()).unwrap();
        Self { directory }
    }

    /// A sandbox in which ada@example.com has signed up and is signed in.
    pub fn with_ada() -> Self {
        static TEMPLATE: LazyLock<Template> = LazyLock::new(|| {
            let sandbox = Sandbox::new();
            sandbox.sign_up("ada@example.com", "Ada").success();
            Template::new(&sandbox)
        });
        TEMPLATE.copy()
    }

    /// As [`Self::with_ada`], after Ada has signed out.
    pub fn with_ada_signed_out() -> Self {
        static TEMPLATE: LazyLock<Template> = LazyLock::new(|| {
            let sandbox = Sandbox::with_ada();
            sandbox.run("signout").success();
            Template::new(&sandbox)
        });
        TEMPLATE.copy()
    }

    /// As [`Self::with_ada`], with a second session of Ada in the other shell.
    pub fn with_ada_in_two_shells() -> Self {
        static TEMPLATE: LazyLock<Template> = LazyLock::new(|| {
            let sandbox = Sandbox::with_ada();
            sandbox.other_shell_with_input("signin ada@example.com --password-stdin", PASSWORD).success();
            Template::new(&sandbox)
        });
        TEMPLATE.copy()
    }

    /// As [`Self::with_ada`], with Bob signed in from the other shell.
    pub fn with_ada_and_bob() -> Self {
        static TEMPLATE: LazyLock<Template> = LazyLock::new(|| {
            let sandbox = Sandbox::with_ada();
            sandbox.other_shell_with_input("signup bob@example.com --name Bob --password-stdin", PASSWORD).success();
            Template::new(&sandbox)
        });
        TEMPLATE.copy()
    }

    /// A sandbox where the administrator root is signed in, and Ada has an account and no session.
    pub fn with_ada_and_root() -> Self {
        static TEMPLATE: LazyLock<Template> = LazyLock::new(|| {
            let sandbox = Sandbox::with_ada_signed_out();
            sandbox.sign_up("root@example.com", "Root").success();
            sandbox.run("users set-role root@example.com admin").success();
            Template::new(&sandbox)
        });
        TEMPLATE.copy()
    }

    /// The home directory.
    pub fn home(&self) -> &Path {
        self.directory.path()
    }

    /// A path below the home directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home().join(name)
    }

    /// The default database.
    pub fn database(&self) -> PathBuf {
        self.path(".local/share/authctl/auth.db")
    }

    /// The directory of session files of the first shell.
    pub fn sessions(&self) -> PathBuf {
        self.path(".config/authctl/sessions")
    }

    /// The one session file of the first shell.
    pub fn session_file(&self) -> PathBuf {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(self.sessions()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "one session file: {files:?}");
        files.remove(0)
    }

    /// Writes a file below the home directory and returns its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A command that runs the program in this home, without the environment of the test.
    pub fn command<I>(&self, words: I) -> Command
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let mut command = Command::new(program());
        command.args(words).env_clear().env("HOME", self.home()).current_dir(self.home()).stdin(Stdio::null());
        command
    }

    /// Runs the program with arguments separated by spaces.
    pub fn run(&self, words: &str) -> Ran {
        self.finish(&mut self.command(words.split_whitespace()))
    }

    /// Runs the program with these exact arguments.
    pub fn run_words(&self, words: &[&str]) -> Ran {
        self.finish(&mut self.command(words))
    }

    /// Runs the program as in another shell of the same user: same database, own session.
    pub fn other_shell(&self, words: &str) -> Ran {
        self.finish(self.command(words.split_whitespace()).env("XDG_CONFIG_HOME", self.path("other-config")))
    }

    /// As [`Self::other_shell`], with this standard input.
    pub fn other_shell_with_input(&self, words: &str, input: impl AsRef<[u8]>) -> Ran {
        let mut command = self.command(words.split_whitespace());
        self.finish_with_input(command.env("XDG_CONFIG_HOME", self.path("other-config")), input)
    }

    /// Runs the program with a variable in its environment.
    pub fn run_with_variable(&self, words: &str, name: &str, value: impl AsRef<OsStr>) -> Ran {
        self.finish(self.command(words.split_whitespace()).env(name, value))
    }

    /// Runs the program with this standard input.
    pub fn run_with_input(&self, words: &str, input: impl AsRef<[u8]>) -> Ran {
        self.finish_with_input(&mut self.command(words.split_whitespace()), input)
    }

    /// Signs a user up, with [`PASSWORD`].
    pub fn sign_up(&self, email: &str, name: &str) -> Ran {
        self.finish_with_input(&mut self.command(["signup", email, "--name", name, "--password-stdin"]), PASSWORD)
    }

    /// Signs a user in, with [`PASSWORD`].
    pub fn sign_in(&self, email: &str) -> Ran {
        self.run_with_input(&format!("signin {email} --password-stdin"), PASSWORD)
    }

    /// Runs a prepared command.
    pub fn finish(&self, command: &mut Command) -> Ran {
        self.ran(&command.output().unwrap())
    }

    /// Runs a prepared command with this standard input.
    pub fn finish_with_input(&self, command: &mut Command, input: impl AsRef<[u8]>) -> Ran {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A program that fails early may close the pipe.
        let _ = child.stdin.take().unwrap().write_all(input.as_ref());
        self.ran(&child.wait_with_output().unwrap())
    }

    pub fn ran(&self, output: &Output) -> Ran {
        let status = output.status;
        Ran {
            code: status.code().unwrap_or_else(|| 128 + status.signal().unwrap()),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
            home: self.home().canonicalize().unwrap(),
        }
    }

    /// A connection of the test itself, to change data.
    pub fn sql(&self) -> rusqlite::Connection {
        past_authctl(&self.database())
    }

    /// Runs SQL on the database. It runs no triggers, so that it makes the index of searches anew.
    pub fn execute(&self, sql: &str) {
        let database = self.sql();
        database.execute_batch(sql).unwrap();
        if sql.contains("user") && database.table_exists(None, "authctl_search").unwrap() {
            database.execute_batch(authctl::store::sqlite::FILL_SEARCH).unwrap();
        }
    }

    /// The stored hash of the only account.
    pub fn stored_hash(&self) -> String {
        self.sql().query_row("SELECT password FROM account", [], |row| row.get(0)).unwrap()
    }

    /// The newest entry of the audit log.
    pub fn newest_entry(&self) -> serde_json::Value {
        self.run("audit tail -n 1 --json").json()["entries"][0].clone()
    }

    /// Queries one number.
    pub fn number(&self, sql: &str) -> i64 {
        self.sql().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

/// The content of a home directory that many tests start with, because a copy is much cheaper than a sign-up.
pub struct Template {
    home: PathBuf,
    made: i64,
    tree: Tree,
}

impl Template {
    /// Reads the home directory of a sandbox with a native database. No program may be running in it.
    pub fn new(sandbox: &Sandbox) -> Self {
        let made = Timestamp::now().as_second();
        Self { home: sandbox.home().to_owned(), made, tree: tree(sandbox.home()) }
    }

    /// A new sandbox with this content.
    pub fn copy(&self) -> Sandbox {
        let sandbox = Sandbox::new();
        self.tree.write(&self.home, sandbox.home());
        self.move_session_files(&sandbox);
        let age = Timestamp::now().as_second() - self.made;
        if age > 0 {
            sandbox.execute(&format!(
                r#"PRAGMA synchronous = OFF;
                   UPDATE "session" SET "createdAt" = "createdAt" + {age}, "updatedAt" = "updatedAt" + {age},
                       "expiresAt" = "expiresAt" + {age};
                   UPDATE "user" SET "createdAt" = "createdAt" + {age}, "updatedAt" = "updatedAt" + {age};"#
            ));
        }
        sandbox
    }

    /// The name of a session file depends on the path of its database, and the file contains that path.
    fn move_session_files(&self, sandbox: &Sandbox) {
        let name = |home: &Path| home.file_name().unwrap().to_str().unwrap().to_owned();
        let (old, new) = (name(&self.home), name(sandbox.home()));
        let directories = [sandbox.sessions(), sandbox.path("other-config/authctl/sessions")];
        for entry in directories.iter().flat_map(|directory| std::fs::read_dir(directory).into_iter().flatten()) {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap().replace(&old, &new);
            let document: serde_json::Value = serde_json::from_str(&text).unwrap();
            let database = Path::new(document["database"].as_str().unwrap());
            std::fs::write(&path, text).unwrap();
            let key = session_key(&DatabaseLocation::File(database.into()));
            std::fs::rename(&path, path.with_file_name(format!("{key}.json"))).unwrap();
        }
    }
}

impl Ran {
    /// Asserts exit code 0 and returns standard output.
    pub fn success(self) -> String {
        assert_eq!(self.code, 0, "{self}");
        self.stdout
    }

    /// Asserts an exit code and returns standard error.
    pub fn failure(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self}");
        assert_eq!(self.stdout, "", "a failure says nothing on standard output: {self}");
        self.stderr
    }

    /// Asserts exit code 0 and parses standard output as one JSON document.
    pub fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.success()).unwrap()
    }

    /// The JSON documents in the hint of an error.
    pub fn hinted_documents(&self) -> Vec<String> {
        let (_, mut rest) = self.stderr.split_once("hint: ").unwrap_or_else(|| panic!("no hint: {self}"));
        let mut found = Vec::new();
        while let Some(start) = rest.find('{') {
            rest = &rest[start..];
            let mut documents = serde_json::Deserializer::from_str(rest).into_iter::<serde_json::Value>();
            documents.next().unwrap().unwrap_or_else(|error| panic!("{error}: {self}"));
            let (document, after) = rest.split_at(documents.byte_offset());
            found.push(document.to_owned());
            rest = after;
        }
        found
    }

    /// Asserts an exit code and parses standard error as one JSON document with an `error`.
    pub fn json_error(self, code: i32) -> serde_json::Value {
        let document: serde_json::Value = serde_json::from_str(&self.failure(code)).unwrap();
        document["error"].clone()
    }
}

/// The whole run with values that differ between runs replaced: the home directory, ids, session file names
/// and instants.
impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tame = |text: &str| {
            let text = text.replace(self.home.to_str().unwrap(), "[HOME]");
            tame_words(&text)
        };
        write!(f, "{}", tame(&self.stdout))?;
        if !self.stderr.is_empty() {
            write!(f, "------- stderr -------\n{}", tame(&self.stderr))?;
        }
        if self.code != 0 {
            write!(f, "[exit status: {}]", self.code)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A child ignores the signals that its parent ignores, and tests that run in the background of a script, or
/// under nohup, ignore some. A child has the default action for a signal that is caught.
fn catch_ignored_signals() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0");
        let ignored = u64::from_str_radix(ignored.trim(), 16).unwrap();
        for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP] {
            if ignored >> (signal - 1) & 1 == 1 {
                signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false))).unwrap();
            }
        }
    });
}

/// Replaces ids (32 letters and digits), names of session files and of state files, and instants.
fn tame_words(text: &str) -> String {
    let mut tamed = String::new();
    let mut word = String::new();
    for c in text.chars().chain(std::iter::once('\0')) {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.' | '_' | '@') {
            word.push(c);
            continue;
        }
        let end = [".json", ".db"].into_iter().find(|end| word.ends_with(end)).unwrap_or_default();
        let stem = word.strip_suffix(end).unwrap_or(&word);
        let is_id = stem.len() == 32 && stem.bytes().all(|b| b.is_ascii_alphanumeric());
        // A colon after an instant is punctuation, not part of it.
        let instant = word.strip_suffix(':').unwrap_or(&word);
        let kept = [".before-restore-", ".before-convert-"]
            .into_iter()
            .find_map(|mark| Some((word.split_once(mark)?.0, mark)));
        if let Some((stem, mark)) = kept {
            tamed.extend([stem, mark, "[TIME]"]);
        } else if instant.parse::<jiff::Timestamp>().is_ok() {
            tamed.push_str("[TIME]");
            tamed.push_str(&word[instant.len()..]);
        } else if is_id {
            tamed.extend(if end.is_empty() { ["[ID]", ""] } else { ["[KEY]", end] });
        } else {
            tamed.push_str(&word);
        }
        word.clear();
        if c != '\0' {
            tamed.push(c);
        }
    }
    tamed
}
