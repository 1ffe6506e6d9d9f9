//! Secrets from standard input or a file: the exact bytes of a line, and nothing but it.

use std::io::{self, IsTerminal as _, Read};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::PromptError;
use crate::auth::secret::{SECRET_BYTES_MAX, Secret};
use crate::input_file;

/// Two secrets with their line ends, and one byte to notice that there is more.
const INPUT_BYTES_MAX: usize = 2 * (SECRET_BYTES_MAX + 2) + 1;

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
    /// Reads one secret: exactly one LF or CRLF at the end is not part of it.
    pub(super) fn one<S: Secret>(&self, wanted: &'static str, warnings: &mut Vec<String>) -> Result<S, PromptError> {
        let input = self.bytes(warnings)?;
        let line = without_line_end(&input);
        if line.contains(&b'\n') {
            return Err(PromptError::Lines { from: self.name(), wanted });
        }
        secret(line)
    }

    /// Reads two secrets, one per line.
    pub(super) fn two<A: Secret, B: Secret>(
        &self,
        wanted: &'static str,
        warnings: &mut Vec<String>,
    ) -> Result<(A, B), PromptError> {
        let input = self.bytes(warnings)?;
        let lines = || PromptError::Lines { from: self.name(), wanted };
        let end_of_first = input.iter().position(|byte| *byte == b'\n').ok_or_else(lines)?;
        let (first, second) = input.split_at(end_of_first + 1);
        let second = without_line_end(second);
        if second.contains(&b'\n') {
            return Err(lines());
        }
        Ok((secret(without_line_end(first))?, secret(second)?))
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

    /// Reads no more than can be used, so that an endless input ends. What is too long is cut, and
    /// then refused by its length.
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

pub(super) fn secret<S: Secret>(bytes: &[u8]) -> Result<S, PromptError> {
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
    fn exactly_one_line_end_is_not_part_of_the_secret() {
        for (content, secret) in
            [("a b", "a b"), ("a b\n", "a b"), ("a b\r\n", "a b"), ("a b \n", "a b "), ("a\r", "a\r")]
        {
            let (_directory, source) = file(content.as_bytes());
            assert_eq!(source.one::<Password>("one", &mut Vec::new()).unwrap().expose(), secret, "{content:?}");
        }
    }

    #[test]
    fn more_than_one_line_is_refused_where_one_secret_is_wanted() {
        for content in ["a\n\n", "a\nb", "\na"] {
            let (_directory, source) = file(content.as_bytes());
            assert!(
                matches!(source.one::<Password>("one", &mut Vec::new()), Err(PromptError::Lines { .. })),
                "{content:?}"
            );
        }
    }

    #[test]
    fn two_secrets_come_one_per_line_the_older_first() {
        let (_directory, source) = file(b"old one\r\nnew one\n");
        let (old, new) = source.two::<Password, Password>("two", &mut Vec::new()).unwrap();
        assert_eq!((old.expose(), new.expose()), ("old one", "new one"));
        for content in ["only one", "only one\n", "a\nb\nc", "\nb", "a\n\n"] {
            let (_directory, source) = file(content.as_bytes());
            assert!(source.two::<Password, Password>("two", &mut Vec::new()).is_err(), "{content:?}");
        }
    }

    #[test]
    fn a_password_file_that_others_may_read_is_used_with_a_warning() {
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
