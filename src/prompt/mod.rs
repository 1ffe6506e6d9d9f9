//! How answers and secrets come in: from a person at a terminal, from standard input, from a file.
//!
//! Whether a person can be asked is decided in one place, [`Prompt::new`], and every question goes
//! through it, so that no script ever hangs on one.

mod secrets;
mod terminal;

use std::io::IsTerminal as _;

use zeroize::Zeroizing;

use crate::auth::secret::{Code, Password, Secret, SecretError, StoredHash};

pub use secrets::Source;

/// Why an answer did not come.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// There is nobody to ask.
    #[error("{what} is needed, and cannot be asked for: {why}")]
    CannotAsk {
        /// What is missing.
        what: &'static str,
        /// Why nobody can be asked.
        why: &'static str,
        /// The flag that gives it without a question.
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
    /// Two entries of a new password differ.
    #[error("the two entries of the new password differ")]
    Mismatch,
    /// The secret cannot be used.
    #[error("the {what} cannot be used: {problem}")]
    Secret { what: &'static str, problem: SecretError },
    /// Standard input or the file has not as many lines as secrets are needed.
    #[error("{from} must hold {wanted}, one per line, and nothing else")]
    Lines {
        /// Where they were read.
        from: String,
        /// What was wanted.
        wanted: &'static str,
    },
    /// `--password-stdin` and its like while standard input is a terminal.
    #[error("a secret was to be read from standard input, but standard input is a terminal")]
    StdinIsTerminal,
    /// Reading failed.
    #[error("{from} could not be read")]
    Unreadable {
        /// What.
        from: String,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// Asks people, if there is somebody to ask.
#[derive(Debug)]
pub struct Prompt {
    /// Why nobody can be asked.
    nobody: Option<&'static str>,
    guard: Option<terminal::Guard>,
    /// What was noticed about where a secret came from.
    pub warnings: Vec<String>,
}

impl Prompt {
    /// Finds out whether somebody can be asked.
    pub fn new(no_input: bool, continuous_integration: bool) -> Self {
        let nobody = if no_input {
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
        Self { nobody, guard: None, warnings: Vec::new() }
    }

    /// Whether somebody can be asked.
    pub fn can_ask(&self) -> bool {
        self.nobody.is_none()
    }

    /// Refuses when nobody can be asked; arms the guard that gives the terminal back otherwise.
    fn require_somebody(&mut self, what: &'static str, flag: &'static str) -> Result<&terminal::Guard, PromptError> {
        if let Some(why) = self.nobody {
            return Err(PromptError::CannotAsk { what, why, flag });
        }
        let guard = match self.guard.take() {
            Some(guard) => guard,
            None => terminal::Guard::arm()
                .map_err(|source| PromptError::Unreadable { from: "the terminal".into(), source })?,
        };
        Ok(self.guard.insert(guard))
    }

    /// Asks for one line of text.
    ///
    /// # Errors
    /// [`PromptError::CannotAsk`] names `flag`, which would have given the answer.
    pub fn text(&mut self, label: &str, what: &'static str, flag: &'static str) -> Result<String, PromptError> {
        self.require_somebody(what, flag)?;
        terminal::line(label)
    }

    /// Shows what would happen and asks for a confirmation; the safe answer is no.
    ///
    /// # Errors
    /// [`PromptError::CannotAsk`] names `--yes`.
    pub fn confirm(&mut self, effect: &str, question: &str) -> Result<bool, PromptError> {
        self.require_somebody("a confirmation", "--yes")?;
        terminal::yes_or_no(effect, question)
    }

    /// Gets the password of somebody who has one.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn password(&mut self, source: &Source) -> Result<Password, PromptError> {
        match source {
            Source::Terminal => self.hidden("Password: ", "a password"),
            other => other.one("one password", &mut self.warnings),
        }
    }

    /// Gets a new password: typed twice at a terminal.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn new_password(&mut self, source: &Source) -> Result<Password, PromptError> {
        match source {
            Source::Terminal => self.hidden_twice(),
            other => other.one("one password", &mut self.warnings),
        }
    }

    /// Gets the current and the new password, in this order.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn current_and_new_password(&mut self, source: &Source) -> Result<(Password, Password), PromptError> {
        match source {
            Source::Terminal => {
                let current = self.hidden("Current password: ", "the current password")?;
                Ok((current, self.hidden_twice()?))
            }
            other => other.two("the current password and the new one", &mut self.warnings),
        }
    }

    /// Gets a password hash: one line of standard input.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn hash(&mut self) -> Result<StoredHash, PromptError> {
        Source::Stdin.one("one hash", &mut self.warnings)
    }

    /// Gets a hash and a password: from standard input in this order, or asked for.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn hash_and_password(&mut self, stdin: bool) -> Result<(StoredHash, Password), PromptError> {
        if stdin {
            return Source::Stdin.two("the hash and the password", &mut self.warnings);
        }
        let hash = self.text("Hash", "a hash", "--stdin")?;
        let hash = StoredHash::from_bytes(hash.trim().as_bytes())
            .map_err(|problem| PromptError::Secret { what: StoredHash::NAME, problem })?;
        Ok((hash, self.hidden("Password: ", "a password")?))
    }

    /// Gets a code and a new password. What both come from standard input comes in this order.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn code_and_new_password(
        &mut self,
        code_stdin: bool,
        password: &Source,
    ) -> Result<(Code, Password), PromptError> {
        match (code_stdin, password) {
            (true, Source::Stdin) => Source::Stdin.two("the code and the new password", &mut self.warnings),
            _ => Ok((self.code(code_stdin)?, self.new_password(password)?)),
        }
    }

    /// Gets a code and the password of somebody who has one, in this order.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn code_and_password(&mut self, code_stdin: bool, password: &Source) -> Result<(Code, Password), PromptError> {
        match (code_stdin, password) {
            (true, Source::Stdin) => Source::Stdin.two("the code and the password", &mut self.warnings),
            _ => Ok((self.code(code_stdin)?, self.password(password)?)),
        }
    }

    /// Gets a code. What is pasted may have spaces around it.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn code(&mut self, stdin: bool) -> Result<Code, PromptError> {
        if stdin {
            return Source::Stdin.one("one code", &mut self.warnings);
        }
        let typed = self.hidden_text("Code: ", "a code", "--code-stdin")?;
        secrets::secret(typed.trim().as_bytes())
    }

    fn hidden_twice(&mut self) -> Result<Password, PromptError> {
        let first = self.hidden("New password: ", "a new password")?;
        let second = self.hidden("Repeat it: ", "a new password")?;
        if first.expose() == second.expose() { Ok(first) } else { Err(PromptError::Mismatch) }
    }

    fn hidden(&mut self, label: &str, what: &'static str) -> Result<Password, PromptError> {
        let typed = self.hidden_text(label, what, "--password-stdin or --password-file")?;
        secrets::secret(typed.as_bytes())
    }

    fn hidden_text(
        &mut self,
        label: &str,
        what: &'static str,
        flag: &'static str,
    ) -> Result<Zeroizing<String>, PromptError> {
        let guard = self.require_somebody(what, flag)?;
        terminal::hidden_line(guard, label)
    }
}
