//! Signs of an app near a database file: where one is, a missing or empty file is about to be the app's, and authctl
//! does not put a database of its own in its place.

use std::path::{Path, PathBuf};

use crate::input_file;

/// How many directories are searched: that of the file and those above it, as in `app/prisma/data/dev.db`.
const DIRECTORIES: usize = 4;

/// Larger than any file that a person writes to configure an app.
const BYTES_MAX: usize = 256 * 1024;

/// Files that only an app with a database of its own has.
const NAMES: &[&str] = &[
    "drizzle.config.ts",
    "drizzle.config.js",
    "drizzle.config.mjs",
    "drizzle.config.json",
    "better-auth.config.ts",
    "better-auth.config.js",
    "better-auth.config.mjs",
    "prisma.config.ts",
    "prisma/schema.prisma",
    "schema.prisma",
];

/// Files that an app of Better Auth has, each with a word that tells them from those of other programs.
const CONTENTS: &[(&str, &str)] = &[
    ("package.json", "\"better-auth\""),
    ("auth.ts", "better-auth"),
    ("auth.js", "better-auth"),
    ("lib/auth.ts", "better-auth"),
    ("lib/auth.js", "better-auth"),
    ("server/auth.ts", "better-auth"),
    ("server/auth.js", "better-auth"),
    ("utils/auth.ts", "better-auth"),
    ("src/auth.ts", "better-auth"),
    ("src/auth.js", "better-auth"),
    ("src/lib/auth.ts", "better-auth"),
    ("src/lib/auth.js", "better-auth"),
    ("src/lib/server/auth.ts", "better-auth"),
    ("src/server/auth.ts", "better-auth"),
    ("src/utils/auth.ts", "better-auth"),
    (".env", "BETTER_AUTH_"),
    (".env.local", "BETTER_AUTH_"),
];

/// Files that end the search, because the directory is the top of a project.
const TOPS: &[&str] = &["package.json", ".git"];

/// Finds the file that shows that a database at this path belongs to an app.
pub(super) fn find(database: &Path) -> Option<PathBuf> {
    let name = database.file_name()?.to_str()?;
    for directory in database.ancestors().skip(1).take(DIRECTORIES) {
        let named = NAMES.iter().map(|file| directory.join(file)).find(|file| file.is_file());
        let written = || {
            let found = CONTENTS.iter().map(|(file, word)| (directory.join(file), *word));
            found.filter(|(file, word)| lines(file, |line| line.contains(word))).map(|(file, _)| file).next()
        };
        if let Some(sign) = named.or_else(written).or_else(|| names_it(directory, name)) {
            return Some(sign);
        }
        if TOPS.iter().any(|top| directory.join(top).exists()) {
            return None;
        }
    }
    None
}

/// An environment file whose `DATABASE_URL` names the database.
fn names_it(directory: &Path, name: &str) -> Option<PathBuf> {
    let is_named = |line: &str| {
        let url = line.trim_start().trim_start_matches("export ").strip_prefix("DATABASE_URL");
        let path =
            url.map(|url| url.split(['?', '#']).next().unwrap_or_default().trim_end().trim_end_matches(['"', '\'']));
        path.and_then(|path| path.rsplit(['/', ':', '=', '"', '\'']).next()) == Some(name)
    };
    [".env", ".env.local"].iter().map(|file| directory.join(file)).find(|file| lines(file, is_named))
}

/// Whether a line of a file is as wanted. A file that cannot be read shows nothing.
fn lines(file: &Path, is_wanted: impl Fn(&str) -> bool) -> bool {
    let read = input_file::open(file).and_then(|file| input_file::read(&file, BYTES_MAX));
    read.is_ok_and(|bytes| String::from_utf8_lossy(&bytes).lines().any(is_wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Finds the sign for `database` in a directory with these files.
    fn sign(files: &[(&str, &str)], database: &str) -> Option<String> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join(".git")).unwrap();
        for (name, content) in files {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let found = find(&directory.path().join(database))?;
        Some(found.strip_prefix(directory.path()).unwrap().to_str().unwrap().to_owned())
    }

    #[test]
    fn configuration_of_an_app_is_found_above_the_file() {
        let package = ("package.json", r#"{"dependencies": {"better-auth": "1.7.25"}}"#);
        for (file, database) in [
            (package, "sqlite.db"),
            (package, "data/sqlite.db"),
            (("drizzle.config.ts", ""), "src/db/local.db"),
            (("prisma/schema.prisma", ""), "prisma/dev.db"),
            (("src/lib/auth.ts", "import { betterAuth } from \"better-auth\";"), "app.db"),
            (("lib/auth.js", "import { betterAuth } from 'better-auth';"), "app.db"),
            (("src/lib/server/auth.ts", "import { betterAuth } from 'better-auth';"), "app.db"),
            (("better-auth.config.mjs", ""), "app.db"),
            ((".env", "# mine\nBETTER_AUTH_SECRET=x"), "app.db"),
            ((".env", "DATABASE_URL=\"file:./dev.db?mode=rwc\""), "dev.db"),
            ((".env.local", "export DATABASE_URL=dev.db\r"), "dev.db"),
        ] {
            assert_eq!(sign(&[file], database).as_deref(), Some(file.0), "{file:?}");
        }
    }

    #[test]
    fn other_files_are_no_sign() {
        for file in [
            ("package.json", r#"{"dependencies": {"express": "5"}}"#),
            ("auth.ts", "export const secret = 1;"),
            (".env", "DATABASE_URL=file:./other.db\nPATH_TO=dev.db"),
            (".env", "# DATABASE_URL=dev.db"),
            ("notes.txt", "better-auth"),
        ] {
            assert_eq!(sign(&[file], "dev.db"), None, "{file:?}");
        }
        let package = r#"{"dependencies": {"better-auth": "1"}}"#;
        assert_eq!(sign(&[("package.json", package), ("tool/package.json", "{}")], "tool/dev.db"), None, "the top");
        assert_eq!(sign(&[("package.json", package)], "a/b/c/d/dev.db"), None, "too far");
    }
}
