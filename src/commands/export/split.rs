//! An export in several files, none of which is larger than the other system takes.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::output_file::Part;

/// The most bytes of a file that Auth0 imports: 500 KB.
pub(super) const BYTES_MAX: usize = 500_000;

const START: &str = "[\n";
const SEPARATOR: &str = ",\n";
const END: &str = "\n]\n";

/// Writes the users of a whole export, an array with a user a line, as arrays of at most `max` bytes. A user who is larger has
/// a file alone. No file stays without the others.
///
/// # Errors
/// The error with the file that cannot be written, [`io::ErrorKind::AlreadyExists`] if its name is taken.
pub(super) fn split(whole: &mut File, path: &Path, max: usize) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let mut names = Vec::new();
    let done = divide(whole, max, |users| {
        let name = numbered(path, names.len() + 1);
        write(&name, users)?;
        names.push(name);
        Ok(())
    });
    done.map_err(|source| {
        for name in &names {
            let _ = std::fs::remove_file(name);
        }
        (numbered(path, names.len() + 1), source)
    })?;
    Ok(names)
}

/// Goes through the users of the files, one file after another.
fn divide(whole: &mut File, max: usize, mut put: impl FnMut(&str) -> io::Result<()>) -> io::Result<()> {
    whole.seek(SeekFrom::Start(0))?;
    let mut users = String::new();
    for line in BufReader::new(whole).lines() {
        let line = line?;
        let user = line.trim_end_matches(',');
        if !user.starts_with('{') {
            continue;
        }
        let length = START.len() + users.len() + SEPARATOR.len() + user.len() + END.len();
        if length > max && !users.is_empty() {
            put(&users)?;
            users.clear();
        }
        if !users.is_empty() {
            users += SEPARATOR;
        }
        users += user;
    }
    put(&users)
}

fn write(name: &Path, users: &str) -> io::Result<()> {
    let mut part = Part::beside(name)?;
    for text in [START, users, END] {
        part.file.write_all(text.as_bytes())?;
    }
    part.complete(name)
}

/// The name of a piece: `users.json` becomes `users-1.json`.
fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{number}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(users: &[&str], max: usize) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("users.json");
        let mut whole = tempfile::tempfile().unwrap();
        whole.write_all(format!("[\n{}\n]\n", users.join(",\n")).as_bytes()).unwrap();
        let names = split(&mut whole, &path, max).unwrap();
        assert_eq!(directory.path().read_dir().unwrap().count(), names.len());
        let again = split(&mut whole, &path, max).unwrap_err();
        assert_eq!((again.0, again.1.kind()), (names[0].clone(), io::ErrorKind::AlreadyExists));
        names.iter().map(|name| std::fs::read_to_string(name).unwrap()).collect()
    }

    #[test]
    fn users_are_divided_into_files_of_a_size() {
        let users = [r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":"longer than all"}"#, r#"{"d":4}"#];
        let exact = "[\n{\"a\":1},\n{\"b\":2}\n]\n".len();
        let found = pieces(&users, exact);
        let expected = ["[\n{\"a\":1},\n{\"b\":2}\n]\n", "[\n{\"c\":\"longer than all\"}\n]\n", "[\n{\"d\":4}\n]\n"];
        assert_eq!(found, expected);
        assert_eq!(pieces(&users, exact - 1).len(), 4);
        assert_eq!(pieces(&[], exact), ["[\n\n]\n"]);
        assert_eq!(numbered(Path::new("/a.b/users"), 2), Path::new("/a.b/users-2"));
    }
}
