//! Text from users, made harmless for a terminal. Names, addresses and user agents are written by
//! strangers; a control sequence in one would act on the administrator's screen.

use crate::auth::user::User;
use std::borrow::Cow;
use std::fmt;
use std::fmt::Write as _;
use std::path::Path;

/// Replaces what a terminal would obey, or a reader not see, by `\u{...}`.
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_with(text, |safe, c| {
        // Writing to a `String` cannot fail.
        let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
    })
}

/// Replaces the same characters by what `replace` writes.
pub(super) fn escape_with(text: &str, replace: impl Fn(&mut String, char)) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    let mut before = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if is_unsafe(c) && !joins(before, c, rest.clone().next()) {
            replace(&mut safe, c);
        } else {
            safe.push(c);
        }
        before = Some(c);
    }
    Cow::Owned(safe)
}

/// Whether an invisible character is one that the spelling of a word needs: a joiner or non-joiner
/// between letters, as in Persian and in the scripts of India. Latin letters do not need one.
fn joins(before: Option<char>, c: char, after: Option<char>) -> bool {
    let is_letter = |c: char| !c.is_ascii() && c.is_alphabetic();
    // The signs that take the vowel from a consonant are no letters (U+094D and its like in each block).
    let is_virama = |c: char| matches!(c, '\u{900}'..='\u{d7f}') && u32::from(c) % 0x80 == 0x4d;
    matches!(c, '\u{200c}' | '\u{200d}')
        && before.is_some_and(|c| is_letter(c) || is_virama(c))
        && after.is_some_and(is_letter)
}

/// C0, DEL and C1 controls, line and paragraph separators, and the invisible characters that
/// reorder or hide text (Unicode Standard, 23.2 and 23.3; Trojan Source, CVE-2021-42574).
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A user, as people are named in sentences.
pub fn who(user: &User) -> String {
    format!("{} <{}>", escape(&user.name), escape(&user.email))
}

/// A value as text that is safe for a terminal.
pub fn escaped(value: impl fmt::Display) -> String {
    escape(&value.to_string()).into_owned()
}

/// A path as text that is safe for a terminal.
pub fn shown(path: &Path) -> String {
    escaped(path.display())
}

/// An answer to a question.
pub fn yes_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown_and_not_done() {
        assert_eq!(escape("\u{1b}]0;pwn\u{7}\u{1b}[2J"), "\\u{1b}]0;pwn\\u{7}\\u{1b}[2J");
        assert_eq!(escape("a\nadmin@x\r\t"), "a\\u{a}admin@x\\u{d}\\u{9}");
        assert_eq!(escape("\u{9b}31m\u{7f}"), "\\u{9b}31m\\u{7f}");
        assert_eq!(escape("\u{202e}txt\u{2066}\u{200b}\u{ad}"), "\\u{202e}txt\\u{2066}\\u{200b}\\u{ad}");
    }

    #[test]
    fn a_joiner_stays_only_between_letters_that_need_it() {
        for word in ["\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}", "\u{915}\u{94d}\u{200d}\u{937}"] {
            assert_eq!(escape(word), word);
        }
        for (text, shown) in [
            ("ad\u{200d}min", "ad\\u{200d}min"),
            ("\u{200c}\u{645}", "\\u{200c}\u{645}"),
            ("\u{645}\u{200d}", "\u{645}\\u{200d}"),
            ("\u{645}\u{200d}\u{200d}\u{645}", "\u{645}\\u{200d}\\u{200d}\u{645}"),
        ] {
            assert_eq!(escape(text), shown);
        }
    }

    #[test]
    fn ordinary_text_of_any_language_is_left_alone() {
        for text in ["Ada Lovelace", "Ångström", "مرحبا", "日本語", "👩‍🚀".replace('\u{200d}', "").as_str()]
        {
            assert_eq!(escape(text), text);
        }
    }

    proptest! {
        #[test]
        fn nothing_unsafe_is_left(text in any::<String>()) {
            let left = escape(&text).replace(['\u{200c}', '\u{200d}'], "");
            prop_assert!(!left.chars().any(is_unsafe));
            let once = escape(&text).into_owned();
            prop_assert_eq!(escape(&once), once.as_str());
        }
    }
}
