//! Files with codes for many users.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::auth::audit::counted;
use crate::auth::secret::Code;
use crate::auth::user::User;
use crate::error::CommandError;
use crate::output::json::line;
use crate::output::text::{amount, rfc3339, shown};
use crate::output_file;
use crate::paths::require_writable_directory;

/// A new file with a code in each line, which only its owner can read.
#[derive(Debug)]
pub(super) struct CodesFile {
    path: PathBuf,
    file: File,
    count: u64,
}

impl CodesFile {
    pub(super) fn create(path: PathBuf) -> Result<Self, CommandError> {
        match output_file::create(&path) {
            Ok(file) => Ok(Self { path, file, count: 0 }),
            Err(source) if source.kind() == io::ErrorKind::AlreadyExists => Err(CommandError::FileExists(path)),
            Err(source) => Err(CommandError::NotWritten { path, source }),
        }
    }

    /// Requires that a new file can be made at a path.
    pub(super) fn require_creatable(path: &Path) -> Result<(), CommandError> {
        if path.symlink_metadata().is_ok() {
            return Err(CommandError::FileExists(path.into()));
        }
        require_writable_directory(path.parent().unwrap_or(Path::new("/")))
            .map_err(|source| CommandError::NotWritten { path: path.into(), source })
    }

    pub(super) fn add(&mut self, user: &User, code: &Code, expires_at: Timestamp) -> Result<(), CommandError> {
        let expires_at = rfc3339(expires_at);
        let code = json!({ "id": user.id, "email": user.email, "code": code.expose(), "expiresAt": expires_at });
        self.file.write_all(format!("{}\n", line(&code)).as_bytes()).map_err(|source| self.failed(source))?;
        self.count += 1;
        Ok(())
    }

    /// Brings the codes to the disk.
    pub(super) fn finish(self, ttl: SignedDuration) -> Result<WrittenCodes, CommandError> {
        self.file.sync_all().map_err(|source| self.failed(source))?;
        Ok(WrittenCodes { path: self.path, count: self.count, ttl })
    }

    fn failed(&self, source: io::Error) -> CommandError {
        CommandError::NotWritten { path: self.path.clone(), source }
    }

    /// Removes a file without codes.
    pub(super) fn remove(&self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The codes of a file.
#[derive(Debug)]
pub(super) struct WrittenCodes {
    pub(super) path: PathBuf,
    pub(super) count: u64,
    pub(super) ttl: SignedDuration,
}

impl WrittenCodes {
    /// Says what was written, or would be.
    pub(super) fn sentence(&self, is_done: bool) -> String {
        let lasts = amount(self.ttl.as_secs().unsigned_abs());
        let written = counted(self.count, "code");
        let (verb, from) = if is_done { ("wrote", "now: keep the file safe") } else { ("would write", "then") };
        format!("{verb} {written} to {}, for {lasts} from {from}", shown(&self.path))
    }
}
