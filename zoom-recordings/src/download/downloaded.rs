//! A whole file, and how it gets a name.

use std::fs::File;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::part::{Whole, blocking};
use super::{DownloadError, DownloadErrorKind};
use crate::{Media, MediaType};

/// A file that was downloaded whole. It is temporary: dropping this deletes it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Downloaded {
    path: TempPath,
    len: u64,
    sha256: String,
    media_type: MediaType,
}

impl Downloaded {
    pub(super) fn new(whole: Whole, media_type: MediaType) -> Self {
        Self {
            path: whole.path,
            len: whole.len,
            sha256: whole.sha256,
            media_type,
        }
    }

    /// Where it is for now.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes it has.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "an empty file is never downloaded")]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// The SHA-256 of its bytes, in hex.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// What it is.
    #[must_use]
    pub const fn media_type(&self) -> MediaType {
        self.media_type
    }

    /// The file as a [`Transcriber`](crate::Transcriber) takes it.
    #[must_use]
    pub fn media(&self) -> Media<'_> {
        Media::new(&self.path, self.media_type, self.len)
    }

    /// Gives it a name, in place of whatever has that name. Under the name there is the whole file or none, even if
    /// the machine stops meanwhile. The name must be on the file system of the folder it was downloaded to.
    ///
    /// # Errors
    ///
    /// [`DownloadErrorKind::Disk`]; the file is deleted then.
    pub async fn persist(self, path: impl Into<PathBuf>) -> Result<PathBuf, DownloadError> {
        let path = path.into();
        let named = blocking(move || {
            File::open(&self.path)?.sync_all()?;
            self.path.persist(&path)?;
            #[cfg(unix)]
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                File::open(folder)?.sync_all()?;
            }
            Ok(path)
        });
        named
            .await
            .map_err(|error| DownloadError::new(DownloadErrorKind::Disk).with_source(error))
    }
}
