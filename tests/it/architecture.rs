//! The architecture: allowed imports, the address of each package, and the form of files.
//!
//! A violation fails with a sentence. To change a rule, change it here, where a reviewer sees it.

mod packages;
mod shape;
pub mod source;
mod walls;

/// Fails with all violations at once.
fn assert_none(offences: &[String]) {
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}
