//! Shows a list that is longer than the screen in the user's pager, as git does.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use unicode_width::UnicodeWidthStr;

use super::Style;

/// Options of pagers that have none: to quit when all fits, to show colours, to leave the text on the screen.
const OPTIONS: [(&str, &str); 2] = [("LESS", "FRX"), ("LV", "-c")];

/// Variables that a pager does not need and that may hold secrets.
const SECRETS: [&str; 6] =
    ["AUTHCTL_TOKEN", "AUTHCTL_DB", "AUTHCTL_USER_DB", "BETTER_AUTH_SECRET", "BETTER_AUTH_SECRETS", "PGPASSWORD"];

/// Characters for which a command needs a shell.
const OF_SHELL: &[u8] = b"|&;<>()$`\\\"'*?[#~=%";

/// Whether a text is longer than the terminal, with a line left for the prompt.
pub fn exceeds_screen(text: &str, style: Style) -> bool {
    let Some((width, height)) = style.width.zip(style.height).filter(|_| style.terminal) else { return false };
    let width = usize::from(width).max(1);
    let lines = text.lines().map(|line| width_without_colours(line).div_ceil(width).max(1));
    lines.sum::<usize>() >= usize::from(height)
}

fn width_without_colours(line: &str) -> usize {
    let mut parts = line.split("\u{1b}[");
    let first = parts.next().map_or(0, UnicodeWidthStr::width);
    first + parts.map(|part| part.split_once('m').map_or(0, |(_, text)| text.width())).sum::<usize>()
}

/// Shows a text in the pager. Returns `false` if the pager does not start. It is no error to quit it early.
pub fn show(text: &str, chosen: &OsStr) -> bool {
    let Some(mut command) = command(chosen) else { return false };
    for (name, value) in OPTIONS {
        if !is_set(name) {
            command.env(name, value);
        }
    }
    for name in SECRETS {
        command.env_remove(name);
    }
    // An interrupt from the keyboard is for the pager.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::new(AtomicBool::new(false)));
    let Ok(mut child) = command.stdin(Stdio::piped()).spawn() else { return false };
    if let Some(mut input) = child.stdin.take() {
        // A pager that was quit does not read the rest.
        let _ = input.write_all(text.as_bytes());
    }
    while let Err(error) = child.wait() {
        if error.kind() != io::ErrorKind::Interrupted {
            break;
        }
    }
    true
}

/// The command of a pager; `None` for one that only prints.
fn command(chosen: &OsStr) -> Option<Command> {
    let bytes = chosen.as_bytes();
    if bytes.iter().any(|byte| OF_SHELL.contains(byte)) {
        let mut command = Command::new("sh");
        command.arg("-c").arg(chosen);
        return Some(command);
    }
    let mut words = bytes.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).map(OsStr::from_bytes);
    let program = words.next().filter(|program| *program != "cat")?;
    let mut command = Command::new(program);
    command.args(words);
    Some(command)
}

#[expect(clippy::disallowed_methods, reason = "a default for the pager, which inherits the environment")]
fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value: OsString| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(chosen: &str) -> Option<Vec<OsString>> {
        let command = command(OsStr::new(chosen))?;
        Some(std::iter::once(command.get_program()).chain(command.get_args()).map(OsStr::to_owned).collect())
    }

    #[test]
    fn pager_needs_a_shell_only_for_its_signs() {
        assert_eq!(words("less -FRX").unwrap(), ["less", "-FRX"]);
        assert_eq!(words(" most ").unwrap(), ["most"]);
        assert_eq!(words("less | head").unwrap(), ["sh", "-c", "less | head"]);
        for none in ["", " ", "cat"] {
            assert_eq!(words(none), None, "{none:?}");
        }
    }

    #[test]
    fn only_a_long_list_on_a_terminal_exceeds_the_screen() {
        let style = Style { terminal: true, width: Some(10), height: Some(3), ..Style::default() };
        for (text, exceeds) in [
            ("a\nb\n", false),
            ("a\nb\nc\n", true),
            ("a\nbbbbbbbbbbb\n", true),
            ("\n\n\n", true),
            ("a\n\u{1b}[33mbbbbbbbb\u{1b}[0m\n", false),
        ] {
            assert_eq!(exceeds_screen(text, style), exceeds, "{text:?}");
        }
        assert!(!exceeds_screen("a\nb\nc\n", Style { terminal: false, ..style }));
        assert!(!exceeds_screen("a\nb\nc\n", Style { height: None, ..style }));
    }
}
