//! Words that the project does not use, each with the plain word to write.
//!
//! The test keeps private language out of comments, messages, tests and documentation.

use std::fs;
use std::path::{Path, PathBuf};

/// Each old word or phrase and what to write. A word matches whole and in any case; `_` and `-` belong to a word.
const WORDS: [(&str, &str); 29] = [
    ("whoever", "the user, the caller or the administrator"),
    ("nobody", "a verb with `not`, such as `no user can` or `does not exist`"),
    ("no one", "a verb with `not`, such as `no user can` or `does not exist`"),
    ("mend", "fix"),
    ("mends", "fixes"),
    ("mended", "fixed"),
    ("for good", "permanently"),
    ("affair", "task, or leave it out"),
    ("shall", "must, or the present tense"),
    ("is none", "does not exist, is not valid"),
    ("is told", "is reported, is shown"),
    ("is tried", "is tested, is checked"),
    ("counts once", "is valid for a single use"),
    ("there is such", "it exists"),
    ("obstacle", "blocker"),
    ("wish", "request, option"),
    ("census", "scan"),
    ("symptom", "finding"),
    ("cure", "fix"),
    ("mending", "fixing"),
    ("recipe", "hash parameters"),
    ("tester", "the test, or the user who runs it"),
    ("looked at", "checked, read"),
    ("whose turn", "next"),
    ("by hand of", "by"),
    ("way into", "access to"),
    ("ways into", "access to"),
    ("no way in", "no access"),
    ("somebody else", "another user, another process"),
];

/// Where a word is right: the end of the path, the word, and a part of the line.
const RIGHT: [(&str, &str, &str); 5] = [
    // An entry of the audit log about an address without an account: `nobody: DIGEST`.
    ("src/auth/sign_in.rs", "nobody", "signin.failed"),
    ("tests/it/audit.rs", "nobody", "strip_prefix"),
    ("tests/fixtures/native/v005.sql", "nobody", "signin.failed"),
    // A user of the operating system.
    ("src/store/postgres/server.rs", "nobody", "User::from_name"),
    ("docs/contributing.md", "nobody", "where root runs them"),
];

/// Words that an area still has. An entry without a hit fails the test, so the list only gets shorter.
const NOT_YET_GONE: &[(&str, &str)] = &[];

/// What is searched. `docs/commands.md` is generated from `src`, this file has the words itself.
const AREAS: [&str; 6] = ["src", "tests", "benches", "docs", "README.md", "CHANGELOG.md"];
const SKIPPED: [&str; 2] = ["docs/commands.md", "tests/it/words.rs"];
const TEXT: [&str; 6] = ["rs", "md", "mjs", "sh", "sql", "toml"];

fn collect(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        if path.ends_with("node_modules") {
            return;
        }
        for entry in fs::read_dir(path).unwrap() {
            collect(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|end| TEXT.iter().any(|text| end == *text)) {
        found.push(path.to_owned());
    }
}

fn has(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    line.match_indices(word)
        .any(|(start, _)| !line[..start].ends_with(part) && !line[start + word.len()..].starts_with(part))
}

#[test]
fn old_words_have_a_plain_word_instead() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    let mut remaining = Vec::new();
    for area in AREAS {
        let mut files = Vec::new();
        collect(&root.join(area), &mut files);
        assert!(!files.is_empty(), "{area} has no files to search");
        files.sort();
        for file in files {
            let path = file.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if SKIPPED.contains(&path.as_str()) {
                continue;
            }
            for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
                let lower = line.to_lowercase();
                for (word, plain) in WORDS.iter().filter(|(word, _)| has(&lower, word)) {
                    let right =
                        |(end, of, part): &(&str, &str, &str)| path.ends_with(end) && of == word && line.contains(part);
                    if RIGHT.iter().any(right) {
                        continue;
                    }
                    if NOT_YET_GONE.contains(&(area, word)) {
                        remaining.push((area, *word));
                    } else {
                        wrong.push(format!("{path}:{}: `{word}` is an old word; write {plain}", number + 1));
                    }
                }
            }
        }
    }
    for (area, word) in NOT_YET_GONE.iter().filter(|entry| !remaining.contains(entry)) {
        wrong.push(format!("{area} no longer has `{word}`; strike it out of NOT_YET_GONE in tests/it/words.rs"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn words_match_whole_only() {
    assert!(has("what is none.", "is none") && has("nobody", "nobody"));
    assert!(!has("token.is_none()", "is none") && !has("no one-time codes", "no one") && !has("amend", "mend"));
}
