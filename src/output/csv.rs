//! CSV: cells that spreadsheets show as they are.

/// A cell that a spreadsheet shows as it is (CWE-1236). An empty cell has no quotes.
pub fn cell(text: &str) -> String {
    if is_safe(text) { text.to_owned() } else { quoted(text) }
}

/// A cell in quotes, so that a spreadsheet reads it as text.
pub fn quoted(text: &str) -> String {
    let guard = if is_computed(text) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

fn is_safe(text: &str) -> bool {
    !is_computed(text) && !text.contains([',', '"', '\n', '\r']) && !text.eq_ignore_ascii_case("null")
}

/// Whether a spreadsheet would compute the text.
fn is_computed(text: &str) -> bool {
    text.starts_with(['\'', '=', '+', '-', '@', '\t', '\r'])
}
