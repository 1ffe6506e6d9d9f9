//! Reads Rust source: the paths that code uses, without comments, string literals and tests.

use std::fs;
use std::path::Path;

/// A source file.
#[derive(Debug)]
pub struct Source {
    /// Relative to the root of the project: `src/auth/email.rs`.
    pub path: String,
    /// The whole text.
    pub text: String,
    /// The code without comments, string literals and test modules.
    pub code: String,
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder, sorted by path.
pub fn files(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(read(&path));
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// The files below `src/` that are not test modules.
pub fn program() -> Vec<Source> {
    let files = files("src");
    let tests: Vec<String> = files.iter().flat_map(test_modules).collect();
    files.into_iter().filter(|file| !tests.iter().any(|test| file.module().starts_with(test))).collect()
}

fn read(path: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap();
    let code = without_inline_tests(without_comments_and_texts(&text));
    let path = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    Source { path, text, code }
}

impl Source {
    /// The module path of the file: `crate::auth::email::`. The final separator prevents matches with a part of
    /// a name.
    pub fn module(&self) -> String {
        let inner = self.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        match inner {
            "lib" | "main" => "crate::".into(),
            inner => format!("crate::{}::", inner.replace('/', "::")),
        }
    }

    /// All paths in the code. Paths in this crate begin with `crate`.
    pub fn paths(&self) -> Vec<String> {
        let (mut imported, mut named) = (Vec::new(), Vec::new());
        let mut words = words(&self.code).into_iter().peekable();
        while let Some(word) = words.next() {
            // The bound `use<..>` is not an import.
            if word == "use" && words.peek().is_none_or(|next| next != "<") {
                use_tree(&mut words, "", &mut imported);
            } else if is_name(&word) {
                let mut path = word;
                while words.next_if(|next| next == "::").is_some() {
                    match words.next_if(|next| is_name(next)) {
                        Some(name) => path = format!("{path}::{name}"),
                        None => break,
                    }
                }
                if path.contains("::") {
                    named.push(path);
                }
            }
        }
        let imported: Vec<String> = imported.iter().map(|path| self.absolute(path)).collect();
        let whole = named.iter().map(|path| {
            // A path that begins with an imported name continues the import.
            let (first, rest) = path.split_once("::").unwrap();
            let start = imported.iter().find(|import| import.rsplit("::").next() == Some(first));
            start.map_or_else(|| self.absolute(path), |start| format!("{start}::{rest}"))
        });
        let whole: Vec<String> = whole.collect();
        [imported, whole].concat()
    }

    /// Resolves `self` and `super`.
    fn absolute(&self, path: &str) -> String {
        let mut module = self.module();
        let mut rest = path;
        if let Some(inner) = rest.strip_prefix("self::") {
            rest = inner;
        } else if !rest.starts_with("super::") {
            return path.to_owned();
        }
        while let Some(inner) = rest.strip_prefix("super::") {
            rest = inner;
            module.truncate(module.trim_end_matches("::").rfind("::").map_or(0, |end| end + 2));
        }
        format!("{module}{rest}")
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::` and single characters.
fn words(code: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut in_name = false;
    for c in code.chars() {
        let continues = c.is_alphanumeric() || c == '_';
        match words.last_mut() {
            Some(word) if continues && in_name => word.push(c),
            Some(word) if c == ':' && word == ":" => word.push(c),
            _ if c.is_whitespace() => {}
            _ => words.push(c.into()),
        }
        in_name = continues;
    }
    words
}

/// Expands one branch of a `use` tree to full paths and stops after it.
fn use_tree(words: &mut std::iter::Peekable<std::vec::IntoIter<String>>, prefix: &str, paths: &mut Vec<String>) {
    let mut path = prefix.to_owned();
    while let Some(word) = words.next_if(|word| !matches!(word.as_str(), "," | "}" | ";")) {
        match word.as_str() {
            "::" if path.is_empty() => {}
            "as" => drop(words.next()),
            "{" => {
                while words.next_if(|word| word == "}").is_none() {
                    use_tree(words, &path, paths);
                    let _ = words.next_if(|word| word == ",");
                    assert!(words.peek().is_some(), "a `use` without an end");
                }
                return;
            }
            // `self` in braces is the module itself.
            "self" if path.ends_with("::") => {}
            word => path.push_str(word),
        }
    }
    paths.push(path.trim_end_matches("::").to_owned());
}

fn without_comments_and_texts(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let raw = rest.strip_prefix('r').map(|after| after.trim_start_matches('#')).filter(|after| {
            after.starts_with('"') && !code.ends_with(|c: char| c.is_alphanumeric() && c != 'b' || c == '_')
        });
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(after) = raw {
            let fence = format!("\"{}", "#".repeat(rest.len() - after.len() - 1));
            let start = rest.len() - after.len() + 1;
            start + rest[start..].find(&fence).unwrap() + fence.len()
        } else if c == '"' {
            quoted(rest, '"')
        } else if c == '\'' && (rest[1..].starts_with('\\') || rest.chars().nth(2) == Some('\'')) {
            quoted(rest, '\'')
        } else {
            code.push(c);
            c.len_utf8()
        };
        rest = &rest[skipped..];
    }
    code
}

/// The length of a string literal with its quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        if c == quote && !escaped {
            return index + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

/// Removes `#[cfg(test)] mod tests { ... }`.
fn without_inline_tests(mut code: String) -> String {
    let mut from = 0;
    while let Some(start) = code[from..].find("#[cfg(test)]").map(|start| start + from) {
        let item = &code[start..];
        from = start + 1;
        let Some(open) = item.find(['{', ';']).filter(|open| item[*open..].starts_with('{')) else { continue };
        if !item[..open].contains("mod ") {
            continue;
        }
        let mut depth = 0_u32;
        let close = item.char_indices().skip(open).find_map(|(index, c)| {
            depth = if c == '{' { depth + 1 } else { depth - u32::from(c == '}') };
            (depth == 0).then_some(index)
        });
        code.replace_range(start..=start + close.unwrap(), "");
    }
    code
}

/// Test modules of the file that are in a file of their own.
fn test_modules(source: &Source) -> Vec<String> {
    let declared = source.code.split("#[cfg(test)]").skip(1).filter_map(|after| {
        let item = after.split([';', '{']).next()?;
        item.split_once("mod ").map(|(_, name)| format!("{}{}::", source.module(), name.trim()))
    });
    declared.collect()
}

#[test]
fn paths_are_found_in_use_trees_and_in_code_and_nowhere_else() {
    let text = r##"
//! [`crate::comment`]
use crate::a::{self, b::{C, D as E}, f::*};
use crate::n;
use super::g;
pub(crate) use ::outer::H;
/* crate::block */
fn code<'a>(x: &'a crate::i::J) { let _ = "crate::text"; let _ = r#"crate::"raw"#; nix::k::<u8>(); n::o::p(); '"'; }
#[cfg(test)]
mod tests { use crate::secret; }
fn after() -> impl Sized + use<> { self::l::m() }
"##;
    let code = without_inline_tests(without_comments_and_texts(text));
    let source = Source { path: "src/cli/parse.rs".into(), text: text.into(), code };
    let expected = "crate::a crate::a::b::C crate::a::b::D crate::a::f::* crate::n crate::cli::g outer::H crate::i::J nix::k \
                    crate::n::o::p crate::cli::parse::l::m";
    assert_eq!(source.paths().join(" "), expected);
}
