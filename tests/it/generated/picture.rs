//! Generates `docs/terminal.svg`: the output of a few commands on a terminal of 80 columns.

use std::fmt::Write as _;

use crate::pty::Terminal;
use crate::readme::shell;
use crate::sandbox::{PASSWORD, Sandbox};

const COLUMNS: usize = 80;

/// The commands in the picture.
const LINES: &[&str] = &[
    "authctl signup ada@example.com --name Ada",
    "authctl whoami",
    "authctl guard -- sh -c 'echo deploying as $AUTHCTL_USER_EMAIL'",
    "authctl users ban ada@example.com --for 7d --reason spam",
    "authctl users explain ada@example.com",
    "authctl whoami; echo \"exit code $?\"",
];

/// Values that differ between runs, and their replacements. Equal lengths keep the line breaks the same.
const USER_ID: &str = "m8SeWKA0ZvjekBqyUA5GbttRGnXs68e3";
const SESSION_ID: &str = "LIC1Yq7T3kYZeQPOi8yoKNRpIy8AUHhM";
const KEY: &str = "196f0223386b9221a81f340ca5b6675f";
const INSTANT: &str = "2026-01-08T09:30:00.000Z";

const LOCAL: (&str, &str) = ("2026-01-15", "09:30");

const FONT_SIZE: f64 = 14.0;
const COLUMN: f64 = 8.4;
const ROW: f64 = 20.0;
const MARGIN: f64 = 16.0;

/// Consecutive characters of one colour.
struct Span {
    text: String,
    class: &'static str,
}

pub(super) fn picture() -> String {
    let sandbox = Sandbox::new();
    let mut rows = Vec::new();
    for line in LINES {
        let typed = vec![Span { text: "$ ".into(), class: "prompt" }, Span { text: (*line).into(), class: "typed" }];
        rows.extend(broken(typed));
        for printed in on_screen(&sandbox, line).lines() {
            rows.extend(broken(coloured(printed)));
        }
    }
    svg(&rows)
}

/// Types a line at a shell and returns the output.
fn on_screen(sandbox: &Sandbox, line: &str) -> String {
    let mut command = shell(sandbox, line);
    command.env("TERM", "xterm-256color");
    let mut running = Terminal::with_columns(COLUMNS.try_into().unwrap()).run(command);
    if line.contains("signup") {
        running.wait_for_hidden("New password: ").enter(PASSWORD);
        running.wait_for_hidden("Repeat it: ").enter(PASSWORD);
    }
    let screen = running.end().screen.replace('\r', "");
    let home = sandbox.home().canonicalize().unwrap();
    settled(&screen.replace(home.to_str().unwrap(), "/home/ada"))
}

/// Replaces values that differ between runs.
fn settled(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.');
    let mut settled = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        settled.push_str(&rest[..start]);
        let end = rest[start..].find(|c| !is_part(c)).map_or(rest.len(), |end| end + start);
        let is_user_id = settled.ends_with("user id     ");
        settled.push_str(&settled_word(&rest[start..end], is_user_id));
        rest = &rest[end..];
    }
    settled.push_str(rest);
    // On a slow machine a second of the seven days has passed.
    settled.replace("in 6 days", "in 7 days")
}

fn settled_word(word: &str, is_user_id: bool) -> String {
    let stem = word.split('.').next().unwrap();
    let is_random = stem.len() == 32 && stem.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let instant = word.trim_end_matches(':');
    if instant.parse::<jiff::Timestamp>().is_ok() {
        word.replace(instant, INSTANT)
    } else if is_form(word, "0000-00-00") {
        LOCAL.0.to_owned()
    } else if is_form(word, "00:00") {
        LOCAL.1.to_owned()
    } else if is_random && stem != word {
        word.replace(stem, KEY)
    } else if is_random {
        if is_user_id { USER_ID } else { SESSION_ID }.to_owned()
    } else {
        word.to_owned()
    }
}

/// Whether a word has digits and signs where a form has them.
fn is_form(word: &str, form: &str) -> bool {
    let is_like = |(c, like): (char, char)| if like == '0' { c.is_ascii_digit() } else { c == like };
    word.len() == form.len() && word.chars().zip(form.chars()).all(is_like)
}

/// Splits a line at its colour sequences.
fn coloured(line: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut class = "plain";
    for (index, piece) in line.split("\x1b[").enumerate() {
        let text = if index == 0 {
            piece
        } else {
            let (code, text) = piece.split_once('m').unwrap_or_else(|| panic!("not a colour: {piece:?}"));
            class = match code {
                "0" => "plain",
                "1" => "bold",
                "1;31" => "error",
                "1;33" | "33" => "warning",
                "36" | "1;36" => "hint",
                "2" => "dim",
                other => panic!("the picture has no colour for {other:?}"),
            };
            text
        };
        if !text.is_empty() {
            spans.push(Span { text: text.into(), class });
        }
    }
    spans
}

/// Breaks a line after the last column, as a terminal does.
fn broken(line: Vec<Span>) -> Vec<Vec<Span>> {
    let mut rows = vec![Vec::new()];
    let mut left = COLUMNS;
    for Span { text, class } in line {
        let mut letters: Vec<char> = text.chars().collect();
        while !letters.is_empty() {
            if left == 0 {
                rows.push(Vec::new());
                left = COLUMNS;
            }
            let rest = letters.split_off(letters.len().min(left));
            left -= letters.len();
            rows.last_mut().unwrap().push(Span { text: letters.into_iter().collect(), class });
            letters = rest;
        }
    }
    rows
}

fn svg(rows: &[Vec<Span>]) -> String {
    let width = COLUMN * 80.0 + 2.0 * MARGIN;
    let height = rows.iter().fold(2.0 * MARGIN, |height, _| height + ROW);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\">\n\
         <title>authctl in a terminal</title>\n\
         <style>\n\
         text {{ font: {FONT_SIZE}px ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; \
         fill: #d6deeb; white-space: pre; }}\n\
         .prompt {{ fill: #7fdbca; }}\n\
         .typed, .bold {{ font-weight: bold; fill: #ffffff; }}\n\
         .error {{ font-weight: bold; fill: #ff6b6b; }}\n\
         .warning {{ fill: #ffcb6b; }}\n\
         .hint {{ fill: #58c7e0; }}\n\
         .dim {{ fill: #8a95a5; }}\n\
         </style>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#11181f\"/>\n"
    );
    let mut y = MARGIN + FONT_SIZE;
    for row in rows {
        let mut x = MARGIN;
        for Span { text: letters, class } in row {
            // The width is explicit, because fonts differ between machines.
            let length = letters.chars().fold(0.0, |length, _| length + COLUMN);
            let escaped = letters.replace('&', "&amp;").replace('<', "&lt;");
            writeln!(
                text,
                "<text x=\"{x:.1}\" y=\"{y}\" class=\"{class}\" textLength=\"{length:.1}\" \
                 xml:space=\"preserve\">{escaped}</text>"
            )
            .unwrap();
            x += length;
        }
        y += ROW;
    }
    text.push_str("</svg>\n");
    text
}
