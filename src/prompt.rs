//! Answers and secrets from a terminal, standard input or a file.
//!
//! Only [`Prompt::new`] decides whether authctl may ask, and every question checks it, so that no script waits
//! for an answer.

mod terminal;

use std::io::{self, IsTerminal as _, Read};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::auth::secret::{AppSecret, Code, Password, SECRET_BYTES_MAX, Secret, SecretError, StoredHash};
use crate::input_file;

#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// No terminal, or the user forbade questions.
    #[error("{what} is needed, and cannot be asked for: {why}")]
    CannotAsk {
        what: &'static str,
        /// Why authctl cannot ask.
        why: &'static str,
        /// The flag that gives the answer without a question.
        flag: &'static str,
    },
    /// The person pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// The terminal ended before the answer was complete.
    #[error("the terminal was closed before the answer was complete")]
    Closed,
    /// A hidden line contained keys that are not characters: Tab, Escape, an arrow key, or bytes that
    /// are not UTF-8.
    #[error("the hidden input contained a key that is not a character, such as Tab, Escape or an arrow key")]
    LostKeys,
    /// The secret cannot be used.
    #[error("the {what} cannot be used: {problem}")]
    Secret { what: &'static str, problem: SecretError },
    /// The number of lines differs from the number of secrets.
    #[error("{from} must hold {wanted}, one per line, and nothing else")]
    Lines { from: String, wanted: &'static str },
    /// `--password-stdin` or a similar flag, while standard input is a terminal.
    #[error("a secret was to be read from standard input, but standard input is a terminal")]
    StdinIsTerminal,
    /// Reading failed.
    #[error("{from} could not be read")]
    Unreadable { from: String, source: std::io::Error },
}

/// Asks the user, if authctl may ask.
#[derive(Debug)]
pub struct Prompt {
    /// Why authctl cannot ask.
    refusal: Option<&'static str>,
    guard: Option<terminal::Guard>,
    /// Warnings about the source of a secret.
    pub warnings: Vec<String>,
}

impl Prompt {
    /// Decides whether authctl may ask.
    pub fn new(no_input: bool, continuous_integration: bool) -> Self {
        let refusal = if no_input {
            Some("--no-input was given")
        } else if continuous_integration {
            Some("CI is set")
        } else if !std::io::stdin().is_terminal() {
            Some("standard input is not a terminal")
        } else if !std::io::stderr().is_terminal() {
            Some("standard error is not a terminal")
        } else {
            None
        };
        Self { refusal, guard: None, warnings: Vec::new() }
    }

    pub fn can_ask(&self) -> bool {
        self.refusal.is_none()
    }

    /// Whether a text of some columns and lines fits the terminal, with a few lines besides.
    pub fn fits(&self, columns: usize, lines: usize) -> bool {
        terminal::size().is_some_and(|(width, height)| columns <= width && lines + LINES_BESIDES <= height)
    }

    /// Refuses if authctl cannot ask. Otherwise arms the guard that restores the terminal.
    fn require_terminal(&mut self, what: &'static str, flag: &'static str) -> Result<&terminal::Guard, PromptError> {
        if let Some(why) = self.refusal {
            return Err(PromptError::CannotAsk { what, why, flag });
        }
        let guard = match self.guard.take() {
            Some(guard) => guard,
            None => terminal::Guard::arm()
                .map_err(|source| PromptError::Unreadable { from: "the terminal".into(), source })?,
        };
        Ok(self.guard.insert(guard))
    }

    /// Asks for one line of text until `check` accepts it.
    ///
    /// # Errors
    /// [`PromptError::CannotAsk`] names `flag`, which would have given the answer.
    pub fn text(
        &mut self,
        label: &str,
        what: &'static str,
        flag: &'static str,
        check: Check<'_, str>,
    ) -> Result<String, PromptError> {
        loop {
            self.require_terminal(what, flag)?;
            let typed = terminal::line(label)?;
            match check(&typed) {
                Ok(()) => return Ok(typed),
                Err(problem) => ask_again(&problem)?,
            }
        }
    }

    /// Shows the effect and asks for a confirmation. The default is no.
    ///
    /// # Errors
    /// [`PromptError::CannotAsk`] names `--yes`.
    pub fn confirm(&mut self, effect: &str, question: &str) -> Result<bool, PromptError> {
        self.require_terminal("a confirmation", "--yes")?;
        terminal::yes_or_no(effect, question)
    }

    /// Reads the password of an existing user.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn password(&mut self, source: &Source) -> Result<Password, PromptError> {
        match source {
            Source::Terminal => self.hidden("Password: ", "a password"),
            other => other.one("one password", &mut self.warnings),
        }
    }

    /// Reads a new password; at a terminal twice, and again until `check` accepts it.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn new_password(&mut self, source: &Source, check: Check<'_, Password>) -> Result<Password, PromptError> {
        match source {
            Source::Terminal => self.hidden_twice(check),
            other => other.one("one password", &mut self.warnings),
        }
    }

    /// Asks for another new password, until `check` accepts it, after what is wrong with the one before.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn another_password(&mut self, problem: &str, check: Check<'_, Password>) -> Result<Password, PromptError> {
        ask_again(problem)?;
        self.hidden_twice(check)
    }

    /// Reads the current password, then the new one; at a terminal until `check` accepts it.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn current_and_new_password(
        &mut self,
        source: &Source,
        check: Check<'_, Password>,
    ) -> Result<(Password, Password), PromptError> {
        match source {
            Source::Terminal => {
                let current = self.hidden("Current password: ", "the current password")?;
                Ok((current, self.hidden_twice(check)?))
            }
            other => other.two("the current password and the new one", &mut self.warnings),
        }
    }

    /// Reads the current password, the new one, and a code of the second factor unless that is asked for later.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn passwords_and_given_otp(
        &mut self,
        passwords: &Source,
        otp: &Source,
        check: Check<'_, Password>,
    ) -> Result<(Password, Password, Option<Code>), PromptError> {
        if (passwords, otp) == (&Source::Stdin, &Source::Stdin) {
            let wanted = "the current password, the new one and the code of the second factor";
            let [current, new, code] = &Source::Stdin.lines(wanted, &mut self.warnings)?;
            return Ok((secret(current)?, secret(new)?, Some(secret(code)?)));
        }
        let (current, new) = self.current_and_new_password(passwords, check)?;
        let code = (!otp.is_asked()).then(|| self.otp(otp)).transpose()?;
        Ok((current, new, code))
    }

    /// Reads a password hash from one line of standard input.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn hash(&mut self) -> Result<StoredHash, PromptError> {
        Source::Stdin.one("one hash", &mut self.warnings)
    }

    /// Reads a hash, then a password.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn hash_and_password(&mut self, stdin: bool) -> Result<(StoredHash, Password), PromptError> {
        if stdin {
            return Source::Stdin.two("the hash and the password", &mut self.warnings);
        }
        let hash = self.text("Hash", "a hash", "--stdin", &|_| Ok(()))?;
        let hash = StoredHash::from_bytes(hash.trim().as_bytes())
            .map_err(|problem| PromptError::Secret { what: StoredHash::NAME, problem })?;
        Ok((hash, self.hidden("Password: ", "a password")?))
    }

    /// Reads a secret of an app from a file.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn app_secret(&mut self, path: &Path) -> Result<AppSecret, PromptError> {
        Source::File(path.to_owned()).one("one secret", &mut self.warnings)
    }

    /// Reads a code of the second factor.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn otp(&mut self, source: &Source) -> Result<Code, PromptError> {
        match source {
            Source::Terminal => {
                let typed =
                    self.hidden_text("Code of the second factor: ", "a code of the second factor", OTP_FLAGS)?;
                secret(typed.trim().as_bytes())
            }
            other => other.one("one code", &mut self.warnings),
        }
    }

    /// Shows a text, then reads a code of the second factor.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn otp_after(&mut self, shown: &str) -> Result<Code, PromptError> {
        self.require_terminal("a code of the second factor", OTP_FLAGS)?;
        terminal::show(shown)?;
        self.otp(&Source::Terminal)
    }

    /// Reads the password of an existing user, and a code of the second factor unless that is asked for later.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn password_and_given_otp(
        &mut self,
        password: &Source,
        otp: &Source,
    ) -> Result<(Password, Option<Code>), PromptError> {
        match (password, otp) {
            (_, Source::Terminal) => Ok((self.password(password)?, None)),
            _ => self.password_and_otp(password, otp).map(|(password, otp)| (password, Some(otp))),
        }
    }

    /// Reads the password of an existing user, then a code of the second factor.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn password_and_otp(&mut self, password: &Source, otp: &Source) -> Result<(Password, Code), PromptError> {
        match (password, otp) {
            (Source::Stdin, Source::Stdin) => {
                Source::Stdin.two("the password and the code of the second factor", &mut self.warnings)
            }
            _ => Ok((self.password(password)?, self.otp(otp)?)),
        }
    }

    /// Reads a code, then a new password; at a terminal until `check` accepts it.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn code_and_new_password(
        &mut self,
        code_stdin: bool,
        password: &Source,
        check: Check<'_, Password>,
    ) -> Result<(Code, Password), PromptError> {
        match (code_stdin, password) {
            (true, Source::Stdin) => Source::Stdin.two("the code and the new password", &mut self.warnings),
            _ => Ok((self.code(code_stdin)?, self.new_password(password, check)?)),
        }
    }

    /// Reads a code, then the password of an existing user.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn code_and_password(&mut self, code_stdin: bool, password: &Source) -> Result<(Code, Password), PromptError> {
        match (code_stdin, password) {
            (true, Source::Stdin) => Source::Stdin.two("the code and the password", &mut self.warnings),
            _ => Ok((self.code(code_stdin)?, self.password(password)?)),
        }
    }

    /// Reads a code. Pasted text may have blanks around it.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn code(&mut self, stdin: bool) -> Result<Code, PromptError> {
        if stdin {
            return Source::Stdin.one("one code", &mut self.warnings);
        }
        let typed = self.hidden_text("Code: ", "a code", "--code-stdin")?;
        secret(typed.trim().as_bytes())
    }

    fn hidden_twice(&mut self, check: Check<'_, Password>) -> Result<Password, PromptError> {
        loop {
            let first = self.hidden("New password: ", "a new password")?;
            if let Err(problem) = check(&first) {
                ask_again(&problem)?;
                continue;
            }
            let second = self.hidden("Repeat it: ", "a new password")?;
            if first.expose() == second.expose() {
                return Ok(first);
            }
            ask_again("the two entries of the new password differ")?;
        }
    }

    /// Reads a password. One that cannot be used, or was typed with a wrong key, is asked for again.
    fn hidden(&mut self, label: &str, what: &'static str) -> Result<Password, PromptError> {
        loop {
            let typed = self.hidden_text(label, what, "--password-stdin or --password-file");
            match typed.and_then(|typed| secret(typed.as_bytes())) {
                Err(error @ (PromptError::LostKeys | PromptError::Secret { .. })) => ask_again(&error.to_string())?,
                done => return done,
            }
        }
    }

    fn hidden_text(
        &mut self,
        label: &str,
        what: &'static str,
        flag: &'static str,
    ) -> Result<Zeroizing<String>, PromptError> {
        let guard = self.require_terminal(what, flag)?;
        terminal::hidden_line(guard, label)
    }
}

/// Checks what was typed, and says what is wrong with it.
pub type Check<'c, T> = &'c dyn Fn(&T) -> Result<(), String>;

/// Says what is wrong with an entry, before the same question.
fn ask_again(problem: &str) -> Result<(), PromptError> {
    terminal::show(&format!("{problem}; try again"))
}

/// The lines below a text that is shown with a question.
const LINES_BESIDES: usize = 1;

/// The flags that give a code of the second factor without a question.
const OTP_FLAGS: &str = "--otp-stdin or --otp-file";

/// Three secrets with their line ends, and one byte to notice more.
const INPUT_BYTES_MAX: usize = 3 * (SECRET_BYTES_MAX + 2) + 1;

/// Where a password comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A hidden prompt.
    Terminal,
    /// `--password-stdin`.
    Stdin,
    /// `--password-file PATH`.
    File(PathBuf),
}

impl Source {
    /// Whether a person is asked.
    pub fn is_asked(&self) -> bool {
        *self == Self::Terminal
    }

    /// Reads one secret, without exactly one LF or CRLF at the end.
    fn one<S: Secret>(&self, wanted: &'static str, warnings: &mut Vec<String>) -> Result<S, PromptError> {
        let input = self.bytes(warnings)?;
        let line = without_line_end(input_file::without_bom(&input));
        if line.contains(&b'\n') {
            return Err(PromptError::Lines { from: self.name(), wanted });
        }
        secret(line)
    }

    /// Reads two secrets, one per line.
    fn two<A: Secret, B: Secret>(
        &self,
        wanted: &'static str,
        warnings: &mut Vec<String>,
    ) -> Result<(A, B), PromptError> {
        let [first, second] = &self.lines(wanted, warnings)?;
        Ok((secret(first)?, secret(second)?))
    }

    /// Reads as many lines as are wanted, without their ends.
    fn lines<const COUNT: usize>(
        &self,
        wanted: &'static str,
        warnings: &mut Vec<String>,
    ) -> Result<[Zeroizing<Vec<u8>>; COUNT], PromptError> {
        let input = self.bytes(warnings)?;
        let lines = || PromptError::Lines { from: self.name(), wanted };
        let lines_of_input = input_file::without_bom(&input).splitn(COUNT, |byte| *byte == b'\n');
        let read: Vec<_> = lines_of_input.map(|line| Zeroizing::new(line.to_vec())).collect();
        let mut read: [Zeroizing<Vec<u8>>; COUNT] = read.try_into().map_err(|_| lines())?;
        for (at, line) in read.iter_mut().enumerate() {
            let length =
                if at + 1 == COUNT { without_line_end(line) } else { line.strip_suffix(b"\r").unwrap_or(line) }.len();
            line.truncate(length);
        }
        if read.iter().any(|line| line.contains(&b'\n')) { Err(lines()) } else { Ok(read) }
    }

    fn name(&self) -> String {
        match self {
            Self::Terminal => "the terminal".into(),
            Self::Stdin => "standard input".into(),
            Self::File(path) => format!("the password file {}", path.display()),
        }
    }

    fn bytes(&self, warnings: &mut Vec<String>) -> Result<Zeroizing<Vec<u8>>, PromptError> {
        match self {
            Self::File(path) if path != Path::new("-") => {
                let file = input_file::open(path).map_err(|source| self.unreadable(source))?;
                let found = file.metadata().map_err(|source| self.unreadable(source))?;
                if found.is_file() && found.mode() & 0o077 != 0 {
                    let is_own = found.uid() == rustix::process::geteuid().as_raw();
                    let way_out = if is_own { ": chmod 600 it" } else { "" };
                    warnings.push(format!("others may read {}{way_out}", self.name()));
                }
                self.limited(file)
            }
            Self::Terminal | Self::Stdin | Self::File(_) => {
                if io::stdin().is_terminal() {
                    return Err(PromptError::StdinIsTerminal);
                }
                self.limited(io::stdin().lock())
            }
        }
    }

    /// Reads at most `INPUT_BYTES_MAX` bytes, so that an endless input ends. The length check then refuses the
    /// secret.
    fn limited(&self, input: impl Read) -> Result<Zeroizing<Vec<u8>>, PromptError> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(INPUT_BYTES_MAX));
        input.take(INPUT_BYTES_MAX as u64).read_to_end(&mut bytes).map_err(|source| self.unreadable(source))?;
        Ok(bytes)
    }

    fn unreadable(&self, source: io::Error) -> PromptError {
        PromptError::Unreadable { from: self.name(), source }
    }
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let Some(line) = line.strip_suffix(b"\n") else {
        return line;
    };
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn secret<S: Secret>(bytes: &[u8]) -> Result<S, PromptError> {
    S::read(bytes).map_err(|problem| PromptError::Secret { what: S::NAME, problem })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::secret::Password;

    fn file(content: &[u8]) -> (tempfile::TempDir, Source) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pw");
        std::fs::write(&path, content).unwrap();
        (directory, Source::File(path))
    }

    #[test]
    fn secret_loses_exactly_one_line_end() {
        for (content, secret) in
            [("a b", "a b"), ("a b\n", "a b"), ("a b\r\n", "a b"), ("a b \n", "a b "), ("a\r", "a\r")]
        {
            let (_directory, source) = file(content.as_bytes());
            assert_eq!(source.one::<Password>("one", &mut Vec::new()).unwrap().expose(), secret, "{content:?}");
        }
    }

    #[test]
    fn two_lines_for_one_secret_are_refused() {
        for content in ["a\n\n", "a\nb", "\na"] {
            let (_directory, source) = file(content.as_bytes());
            assert!(
                matches!(source.one::<Password>("one", &mut Vec::new()), Err(PromptError::Lines { .. })),
                "{content:?}"
            );
        }
    }

    #[test]
    fn two_secrets_come_one_per_line() {
        let (_directory, source) = file(b"old one\r\nnew one\n");
        let (old, new) = source.two::<Password, Password>("two", &mut Vec::new()).unwrap();
        assert_eq!((old.expose(), new.expose()), ("old one", "new one"));
        for content in ["only one", "only one\n", "a\nb\nc", "\nb", "a\n\n"] {
            let (_directory, source) = file(content.as_bytes());
            assert!(source.two::<Password, Password>("two", &mut Vec::new()).is_err(), "{content:?}");
        }
    }

    #[test]
    fn readable_password_file_gives_a_warning() {
        use std::os::unix::fs::PermissionsExt as _;
        let (directory, source) = file(b"a b");
        for (mode, warned) in [(0o600, false), (0o640, true), (0o604, true)] {
            std::fs::set_permissions(directory.path().join("pw"), std::fs::Permissions::from_mode(mode)).unwrap();
            let mut warnings = Vec::new();
            assert!(source.one::<Password>("one", &mut warnings).is_ok());
            assert_eq!(!warnings.is_empty(), warned, "{mode:o}: {warnings:?}");
        }
    }

    #[test]
    fn unusable_secrets_and_endless_input_are_refused() {
        let endless = "a".repeat(100_000);
        for content in [&b""[..], b"\n", b"a\0b", b"\xff\xfe", endless.as_bytes()] {
            let (_directory, source) = file(content);
            assert!(
                matches!(source.one::<Password>("one", &mut Vec::new()), Err(PromptError::Secret { .. })),
                "{}",
                content.len()
            );
        }
    }
}
