//! Bars and sparklines for a terminal.

use std::iter::repeat_n;

use super::Style;
use super::table::Tone;

/// The marks of parts of a whole cell, from an eighth on.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// The marks of a sparkline: nothing, and seven heights.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII_HEIGHTS: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];
/// The mark of a part that is not known.
const UNKNOWN: char = '·';
const ASCII_UNKNOWN: char = '?';

/// A bar for a part of a whole, at most as wide as `width`. A part that is not empty has a mark.
pub fn bar(part: u64, whole: u64, width: usize, tone: Tone, style: Style) -> String {
    let eighths = if style.unicode { EIGHTHS.len() } else { 1 };
    let Some(share) = share(part, whole, width * eighths) else { return String::new() };
    let bar: String = if style.unicode {
        let rest = (share % eighths).checked_sub(1).map(|eighth| EIGHTHS[eighth]);
        repeat_n('█', share / eighths).chain(rest).collect()
    } else {
        repeat_n('#', share).collect()
    };
    tone.paint(&bar, style).into_owned()
}

/// The part of a scale, rounded up; `None` for nothing.
fn share(part: u64, whole: u64, scale: usize) -> Option<usize> {
    let scaled = u128::from(part.min(whole)) * scale as u128;
    usize::try_from(scaled.div_ceil(u128::from(whole.max(1)))).ok().filter(|share| *share > 0)
}

/// How many neighbours share a mark of a sparkline of a width.
pub fn parts_of_a_mark(parts: usize, width: usize) -> usize {
    parts.div_ceil(width.max(1)).max(1)
}

/// A mark for each value, or for some neighbours together if there are more than the width. Returns the highest value of
/// a mark besides.
pub fn sparkline(values: &[Option<u64>], width: usize, tone: Tone, style: Style) -> (String, Option<u64>) {
    let sum = |values: &[Option<u64>]| values.iter().copied().sum::<Option<u64>>();
    let marks: Vec<Option<u64>> = values.chunks(parts_of_a_mark(values.len(), width)).map(sum).collect();
    let most = marks.iter().flatten().copied().max();
    let (heights, unknown) = if style.unicode { (HEIGHTS, UNKNOWN) } else { (ASCII_HEIGHTS, ASCII_UNKNOWN) };
    let mark = |value: &Option<u64>| match value {
        Some(value) => heights[share(*value, most.unwrap_or_default(), heights.len() - 1).unwrap_or_default()],
        None => unknown,
    };
    let line: String = marks.iter().map(mark).collect();
    (tone.paint(&line, style).into_owned(), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UTF8: Style = Style {
        terminal: true,
        width: Some(80),
        height: None,
        times: None,
        color: false,
        paints: false,
        unicode: true,
    };
    const ASCII: Style = Style { unicode: false, ..UTF8 };

    #[test]
    fn bar_is_as_long_as_its_part_and_never_empty_for_some() {
        let shown = |part, style| bar(part, 1000, 10, Tone::Plain, style);
        for (part, utf8, ascii) in [
            (0, "", ""),
            (1, "▏", "#"),
            (500, "█████", "#####"),
            (560, "█████▋", "######"),
            (1000, "██████████", "##########"),
            (2000, "██████████", "##########"),
        ] {
            assert_eq!((shown(part, UTF8).as_str(), shown(part, ASCII).as_str()), (utf8, ascii), "{part}");
        }
        assert_eq!(bar(0, 0, 10, Tone::Plain, UTF8), "");
    }

    #[test]
    fn sparkline_tells_nothing_little_and_unknown_apart() {
        let values = [None, Some(0), Some(1), Some(50), Some(100)];
        assert_eq!(sparkline(&values, 10, Tone::Plain, UTF8), ("·▁▂▅█".to_owned(), Some(100)));
        assert_eq!(sparkline(&values, 10, Tone::Plain, ASCII), ("?_.=#".to_owned(), Some(100)));
        assert_eq!(sparkline(&[Some(0); 3], 10, Tone::Plain, UTF8), ("▁▁▁".to_owned(), Some(0)));
        assert_eq!(sparkline(&[], 10, Tone::Plain, UTF8), (String::new(), None));
    }

    #[test]
    fn neighbours_share_a_mark_where_the_room_is_small() {
        let values: Vec<_> = (0..7).map(Some).collect();
        assert_eq!(sparkline(&values, 4, Tone::Plain, ASCII), (".=#+".to_owned(), Some(9)));
        assert_eq!(sparkline(&[Some(1), None, Some(1)], 2, Tone::Plain, ASCII).0, "?#");
        assert_eq!((parts_of_a_mark(30, 30), parts_of_a_mark(31, 30), parts_of_a_mark(3, 0)), (1, 2, 3));
    }

    #[test]
    fn colours_are_only_where_the_style_has_them() {
        let style = Style { paints: true, ..UTF8 };
        assert_eq!(bar(1, 1, 1, Tone::Good, style), "\u{1b}[32m█\u{1b}[0m");
        assert_eq!(sparkline(&[Some(1)], 1, Tone::Bad, style).0, "\u{1b}[31m█\u{1b}[0m");
    }
}
