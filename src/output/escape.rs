//! Text from users, made harmless for a terminal. Names, addresses and user agents are written by
//! strangers; a control sequence in one would act on the administrator's screen.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Replaces what a terminal would obey, or a reader not see, by `\u{...}`.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) {
            // Writing to a `String` cannot fail.
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// C0, DEL and C1 controls, line and paragraph separators, and the invisible characters that
/// reorder or hide text (Unicode Standard, 23.2 and 23.3; Trojan Source, CVE-2021-42574).
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
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
    fn ordinary_text_of_any_language_is_left_alone() {
        for text in ["Ada Lovelace", "Ångström", "مرحبا", "日本語", "👩‍🚀".replace('\u{200d}', "").as_str()]
        {
            assert_eq!(escape(text), text);
        }
    }

    proptest! {
        #[test]
        fn nothing_unsafe_is_left(text in any::<String>()) {
            prop_assert!(!escape(&text).chars().any(is_unsafe));
        }
    }
}
