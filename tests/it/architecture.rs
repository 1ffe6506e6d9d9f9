//! The walls between the parts of the program: who may import whom, where each package lives, how files are
//! kept.
//!
//! A broken wall fails with a sentence. If the wall is wrong and not the code, change it here, where a
//! reviewer sees it.

mod packages;
mod shape;
pub mod source;
mod walls;

/// Fails with all violations at once.
fn assert_none(offences: &[String]) {
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}
