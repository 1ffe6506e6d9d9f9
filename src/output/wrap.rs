//! Breaks the lines of text at the width of a terminal.

use unicode_width::UnicodeWidthStr as _;

use super::Style;

/// Further lines begin this much to the right of the first one.
const INDENT: usize = 2;
/// Text in fewer columns than these is hard to read.
const WIDTH_MIN: usize = 40;

/// Breaks each line between words, on a terminal. A word is never broken, so that commands and paths can be copied.
pub fn wrapped(text: &str, style: Style) -> String {
    let Some(width) = style.width.filter(|_| style.terminal) else { return text.to_owned() };
    let width = usize::from(width).max(WIDTH_MIN);
    text.split('\n').map(|line| wrap_line(line, width)).collect::<Vec<_>>().join("\n")
}

fn wrap_line(line: &str, width: usize) -> String {
    if line.width() <= width {
        return line.to_owned();
    }
    let text = line.trim_start_matches(' ');
    let margin = line.len() - text.len();
    let mut wrapped = " ".repeat(margin);
    let mut column = margin;
    for (number, word) in text.split(' ').enumerate() {
        if number > 0 && column + 1 + word.width() > width {
            wrapped.push('\n');
            wrapped.push_str(&" ".repeat(margin + INDENT));
            column = margin + INDENT;
        } else if number > 0 {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += word.width();
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "problem: permissions: others may use what only you should use, which is a rather long sentence
  hint: `authctl doctor --fix` takes these rights away, where the owner is you
short";

    #[test]
    fn lines_are_broken_between_words_on_a_terminal() {
        let style = Style { terminal: true, width: Some(60), ..Style::default() };
        insta::assert_snapshot!(wrapped(TEXT, style), @"
        problem: permissions: others may use what only you should
          use, which is a rather long sentence
          hint: `authctl doctor --fix` takes these rights away,
            where the owner is you
        short
        ");
        assert_eq!(wrapped(TEXT, Style { terminal: false, ..style }), TEXT);
        assert_eq!(wrapped(TEXT, Style { width: None, ..style }), TEXT);
        let word = "a".repeat(80);
        assert_eq!(wrapped(&word, style), word);
        assert_eq!(wrapped(&format!("at {word} there"), style), format!("at\n  {word}\n  there"));
    }
}
