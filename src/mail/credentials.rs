//! User and password for an SMTP server, from a file that nobody else may read.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::auth::secret::{Password, SECRET_BYTES_MAX, SecretError};
use crate::input_file;

/// Two secrets of the greatest length with their line ends.
const FILE_BYTES_MAX: usize = 2 * (SECRET_BYTES_MAX + 2);

/// Who signs in at the server. The user's name is masked too: some services put a key there.
#[derive(Debug, Clone)]
pub(super) struct Credentials {
    pub(super) user: Password,
    pub(super) password: Password,
}

/// Why a credentials file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// Others could read or have planted it.
    #[error("the mail credentials file {} is not safe to use: {problem}", path.display())]
    Unsafe {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: &'static str,
    },
    /// Not two lines of text.
    #[error("the mail credentials file {} cannot be used: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The operating system could not read it.
    #[error("the mail credentials file {} could not be read", path.display())]
    Unreadable {
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl Credentials {
    /// Reads the user from the first line and the password from the second.
    pub(super) fn read(path: &Path) -> Result<Self, CredentialsError> {
        // Every check is on what was opened, not on what has the name.
        let refused = |problem| CredentialsError::Unsafe { path: path.to_owned(), problem };
        let unreadable = |source| CredentialsError::Unreadable { path: path.to_owned(), source };
        let content = |problem| CredentialsError::Content { path: path.to_owned(), problem };
        let file = match input_file::open_no_follow(path) {
            Ok(file) => file,
            Err(Errno::LOOP) => return Err(refused("it is a symbolic link")),
            Err(error) => return Err(unreadable(error.into())),
        };
        let found = file.metadata().map_err(unreadable)?;
        if !found.is_file() {
            return Err(refused("it is not a file"));
        }
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err(refused("it belongs to another user"));
        }
        if found.mode() & 0o077 != 0 {
            return Err(refused("others may use it, so its password may be known"));
        }
        let text = match input_file::read(&file, FILE_BYTES_MAX) {
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => return Err(content(error.to_string())),
            read => read.map_err(unreadable)?,
        };
        parse(&text).map_err(content)
    }
}

fn parse(text: &[u8]) -> Result<Credentials, String> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let mut lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let (Some(user), Some(password), None) = (lines.next(), lines.next(), lines.next()) else {
        return Err("it must have two lines, the user and the password".into());
    };
    let secret = |line, what| Password::from_bytes(line).map_err(|error: SecretError| format!("its {what}: {error}"));
    Ok(Credentials { user: secret(user, "first line")?, password: secret(password, "second line")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_lines_are_user_and_password_to_the_last_space() {
        for text in ["ada\n pass word \n", "ada\r\n pass word \r\n", "ada\n pass word "] {
            let read = parse(text.as_bytes()).unwrap();
            assert_eq!((read.user.expose(), read.password.expose()), ("ada", " pass word "));
        }
    }

    #[test]
    fn other_content_is_refused_and_not_repeated() {
        for text in
            [&b""[..], b"canary", b"canary\n", b"canary\n\n", b"\ncanary\n", b"a\ncanary\nb\n", b"a\n\xffcanary\n"]
        {
            let error = parse(text).unwrap_err();
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn credentials_do_not_show_themselves_in_debug() {
        let shown = format!("{:?}", parse(b"canary-user\ncanary-password\n").unwrap());
        assert!(!shown.contains("canary"), "{shown}");
    }
}
