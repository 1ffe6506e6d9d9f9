//! The file that says what the database of an app does not show (`--schema`).

use std::path::{Path, PathBuf};

use super::Context;
use crate::input_file;
use crate::store::SchemaOverrides;

impl Context {
    /// The content of the schema file (`--schema`).
    pub fn schema_overrides(&self) -> Result<SchemaOverrides, SchemaFileError> {
        self.schema_file().map_or_else(|| Ok(SchemaOverrides::default()), |file| read_schema_file(&file))
    }
}

/// Larger than any useful schema file.
const SCHEMA_FILE_BYTES_MAX: usize = 64 * 1024;

/// A schema file (`--schema`) that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the schema file {} cannot be used: {problem}", path.display())]
pub struct SchemaFileError {
    path: PathBuf,
    problem: String,
}

fn read_schema_file(path: &Path) -> Result<SchemaOverrides, SchemaFileError> {
    let parsed = input_file::open(path)
        .and_then(|file| input_file::read(&file, SCHEMA_FILE_BYTES_MAX))
        .map_err(|error| error.to_string())
        .and_then(|bytes| {
            SchemaOverrides::parse(
                std::str::from_utf8(input_file::without_bom(&bytes)).map_err(|error| error.to_string())?,
            )
        });
    parsed.map_err(|problem| SchemaFileError { path: path.to_owned(), problem })
}
