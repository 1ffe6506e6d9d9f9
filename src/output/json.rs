//! The one writer of JSON. Values round-trip through any parser; what a terminal would obey, or a reader
//! not see, is a `\u` escape in it, because documents and exports are looked at in terminals too.

use std::fmt::Write as _;

use serde_json::Value;

use super::text::escape_with;

/// A document for people and programs, with its line end.
pub fn document(value: &Value) -> String {
    escaped(&format!("{value:#}\n"))
}

/// A document in one line, without a line end.
pub fn line(value: &Value) -> String {
    escaped(&value.to_string())
}

/// Outside strings JSON has no character that is escaped here but its own line ends: serde escapes the
/// C0 controls.
fn escaped(json: &str) -> String {
    let lines: Vec<_> = json.split('\n').map(|line| escape_with(line, unit_escapes)).collect();
    lines.join("\n")
}

/// As JSON spells a character: in UTF-16.
fn unit_escapes(json: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a `String` cannot fail.
        let _ = write!(json, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::output::text::escape;

    #[test]
    fn document_writes_what_a_terminal_obeys_as_escapes() {
        let value = json!({ "a\u{9b}": "\u{7f}\u{202e}\u{e0041}\n" });
        assert_eq!(line(&value), r#"{"a\u009b":"\u007f\u202e\udb40\udc41\n"}"#);
        assert_eq!(document(&value), "{\n  \"a\\u009b\": \"\\u007f\\u202e\\udb40\\udc41\\n\"\n}\n");
    }

    /// Strings in which every kind of control, separator, joiner and plane is frequent.
    fn text() -> impl Strategy<Value = String> {
        let c = prop_oneof![
            any::<char>(),
            prop::char::range('\0', '\u{a0}'),
            prop::char::range('\u{2000}', '\u{2070}'),
            prop::sample::select(vec!['\u{61c}', '\u{feff}', '\u{ad}', '\u{e0001}', '"', '\\', '\u{915}', '\u{94d}']),
        ];
        prop::collection::vec(c, 0..24).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn every_value_round_trips_and_shows_nothing_unsafe(key in text(), value in text()) {
            let value = json!({ key: [value] });
            for written in [line(&value), document(&value)] {
                prop_assert_eq!(&serde_json::from_str::<Value>(&written).unwrap(), &value);
                for line in written.trim_end().lines() {
                    prop_assert_eq!(escape(line), line);
                }
            }
        }
    }
}
