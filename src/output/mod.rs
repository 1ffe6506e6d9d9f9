//! What happened, as a value, and how it is told. Commands return an [`Outcome`] and cannot print;
//! here everything is told and nothing is decided. Each topic has one file: its outcomes, their words
//! for people and their JSON for programs.

mod account;
mod email;
pub mod json;
mod report;
mod sessions;
mod sign_in;
pub mod stream;
pub mod table;
pub mod text;
pub mod time;
mod users;
mod view;

pub use account::AccountOutcome;
pub use email::EmailOutcome;
pub use report::{Outcome, Page, Report, Style};
pub use sessions::SessionsOutcome;
pub use sign_in::{OwnSession, SignInOutcome, SignOutResult, TokenSink};
pub use users::{Explanation, UserAct, UserChanged, UserState, UsersOutcome};
