//! What happened, as a value, and how it is told. Commands return an [`Outcome`] and cannot print;
//! here everything is told and nothing is decided.

mod entries;
pub mod escape;
mod human;
mod outcome;
mod page;
mod sessions;
mod state;
pub mod stream;
mod table;
pub mod time;
mod users;
mod view;

pub use entries::lines as entry_lines;
pub use human::human;
pub use outcome::{Kept, Outcome};
pub use page::{Page, Style};
pub use state::{ChosenBy, DatabaseState, SignedOutHow};
pub use users::{UserAct, UserState};
pub use view::json;
