//! QR codes for terminals, two modules in each character.

use qrcode::{Color, EcLevel, QrCode};

/// The modules around a code that the standard requires to be light.
const QUIET: usize = 4;

/// A line of text for each two rows of modules, and the width in columns.
#[derive(Debug)]
pub struct HalfBlocks {
    pub text: String,
    pub columns: usize,
    pub lines: usize,
}

/// Draws a code of a text; `None` if the text is too long. Light modules are drawn, as most terminals are dark, and readers
/// of codes accept both.
pub fn half_blocks(text: &str) -> Option<HalfBlocks> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let (width, modules) = (code.width(), code.to_colors());
    let columns = width + 2 * QUIET;
    let is_light = |row: usize, column: usize| {
        let module = row.checked_sub(QUIET).zip(column.checked_sub(QUIET));
        let module = module.filter(|(row, column)| *row < width && *column < width);
        row < columns && module.is_none_or(|(row, column)| modules[row * width + column] == Color::Light)
    };
    let lines = columns.div_ceil(2);
    let mut text = String::new();
    for line in 0..lines {
        text.extend((0..columns).map(|column| match [2 * line, 2 * line + 1].map(|row| is_light(row, column)) {
            [true, true] => '█',
            [true, false] => '▀',
            [false, true] => '▄',
            [false, false] => ' ',
        }));
        text.push('\n');
    }
    Some(HalfBlocks { text, columns, lines })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_has_a_quiet_zone_and_the_size_of_its_version() {
        let uri = "otpauth://totp/authctl:ada%40example%2Ecom?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=authctl";
        let drawn = half_blocks(uri).unwrap();
        assert_eq!((drawn.columns, drawn.lines), (45, 23));
        let lines: Vec<&str> = drawn.text.lines().collect();
        assert_eq!(lines.len(), drawn.lines);
        assert!(lines[..22].iter().all(|line| line.chars().count() == drawn.columns && line.starts_with("████")));
        assert!(lines[..2].iter().all(|line| line.chars().all(|c| c == '█')));
        assert!(lines[22].chars().all(|c| c == '▀'), "the number of rows is odd");
        // The corner of a finder: seven dark modules, after the quiet zone.
        assert!(lines[2].starts_with("████ ▄▄▄▄▄ "), "{}", lines[2]);
        assert!(half_blocks(&"a".repeat(5_000)).is_none());
    }
}
