//! What happened, as a value, and how it is told. Commands return an [`Outcome`] and cannot print;
//! here everything is told and nothing is decided. Each topic has one file: its outcomes, their words
//! for people and their JSON for programs.

pub mod json;
mod report;
pub mod stream;
pub mod table;
pub mod text;
pub mod time;
mod users;
pub mod view;

pub use report::{Outcome, Page, Report, Style};
pub use users::{Explanation, UserAct, UserChanged, UserState, UsersOutcome};
