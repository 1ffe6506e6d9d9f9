//! Words for a shell: hints are pasted, and a path may hold anything.

use std::path::Path;

/// A path as one word of a POSIX shell.
pub fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_reads_a_quoted_path_as_it_was() {
        for path in ["/a b/c", "it's", "$(x) `y` \\ \"z\"", "line\nbreak", "''"] {
            let script = format!("printf %s {}", quoted(Path::new(path)));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), path);
        }
    }
}
