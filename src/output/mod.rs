//! What a command has to say, and how it is written: text, tables, JSON. Nothing here decides.

pub mod json;
mod report;
pub mod stream;
pub mod table;
pub mod text;
pub mod time;
pub mod view;

pub use report::{Outcome, Page, Report, Style};
