//! The files of libpq: `~/.pgpass` and `pg_service.conf`.

use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::libpq::Libpq;
use super::settings::Settings;
use super::{AddressError, Notice};

/// The password file, if it may be used.
#[derive(Default)]
pub(super) struct PasswordFile(Zeroizing<String>);

impl PasswordFile {
    /// Reads the file. As in libpq, a missing file has no passwords, and one that other users may read is ignored.
    pub(super) fn read(path: &Path, libpq: &Libpq, notices: &mut Vec<Notice>) -> Self {
        match libpq.files.read(path) {
            Ok(file) if file.mode & 0o077 != 0 => notices.push(Notice::PasswordFileOpen(path.to_owned())),
            Ok(file) => return Self(file.text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => notices.push(Notice::PasswordFileUnreadable(path.to_owned(), error.to_string())),
        }
        Self::default()
    }

    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The password of the first line that fits.
    pub(super) fn password(&self, host: &str, port: u16, database: &str, user: &str) -> Option<Zeroizing<String>> {
        let port = port.to_string();
        // No host begins with the # of a comment.
        self.0.lines().find_map(|line| {
            let mut rest = line;
            for wanted in [host, &port, database, user] {
                let (field, after) = split_field(rest)?;
                if field != "*" && *unescaped(field) != wanted {
                    return None;
                }
                rest = after;
            }
            Some(unescaped(rest.trim_end_matches('\r'))).filter(|password| !password.is_empty())
        })
    }
}

/// Splits a line at the first colon without a backslash.
fn split_field(line: &str) -> Option<(&str, &str)> {
    let mut is_escaped = false;
    for (index, byte) in line.bytes().enumerate() {
        match byte {
            b':' if !is_escaped => return Some((&line[..index], &line[index + 1..])),
            _ => is_escaped = byte == b'\\' && !is_escaped,
        }
    }
    None
}

fn unescaped(field: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(field.len()));
    let mut letters = field.chars();
    while let Some(letter) = letters.next() {
        text.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    text
}

/// The settings of a service: from the user's file, else from the system's.
pub(super) fn service(name: &str, named_file: Option<&str>, libpq: &Libpq) -> Result<Settings, AddressError> {
    let of_user = match named_file {
        Some(path) => Some(PathBuf::from(path)),
        None => libpq.env.in_home(".pg_service.conf"),
    };
    let system = libpq.env.variable("PGSYSCONFDIR").unwrap_or(SYSTEM_DIRECTORY);
    let of_system = Some(Path::new(system).join("pg_service.conf"));
    for (path, may_be_missing) in [(of_user, named_file.is_none()), (of_system, true)] {
        let Some(path) = path else { continue };
        let text = match libpq.files.read(&path) {
            Ok(file) => file.text,
            Err(error) if may_be_missing && error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(AddressError::ServiceFile { path, problem: error.to_string() }),
        };
        if let Some(settings) = section(&text, name, &path)? {
            return Ok(settings);
        }
    }
    Err(AddressError::Service(name.to_owned()))
}

/// The directory of Debian's `pg_service.conf`.
const SYSTEM_DIRECTORY: &str = "/etc/postgresql-common";

/// The settings below `[name]`.
fn section(text: &str, name: &str, path: &Path) -> Result<Option<Settings>, AddressError> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let mut found: Option<Settings> = None;
    for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let damaged = || {
            let problem = format!("line {number} is not valid");
            AddressError::ServiceFile { path: path.to_owned(), problem }
        };
        match (line.strip_prefix('['), &mut found) {
            (Some(_), Some(_)) => break,
            (Some(header), None) => {
                found = header.strip_suffix(']').filter(|header| *header == name).map(|_| Settings::default());
            }
            (None, None) => {}
            (None, Some(settings)) => {
                let (key, value) = line.split_once('=').ok_or_else(damaged)?;
                // A service cannot name another one.
                if key.starts_with("service") {
                    return Err(damaged());
                }
                match settings.set_first(key, Zeroizing::new(value.to_owned())) {
                    // The name may be the beginning of a line that holds anything.
                    Err(AddressError::Unknown(_)) => return Err(damaged()),
                    set => set?,
                }
            }
        }
    }
    Ok(found)
}
