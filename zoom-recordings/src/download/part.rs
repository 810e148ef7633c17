//! The file while it grows: bytes are hashed and written on another thread while the next ones arrive.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use tempfile::TempPath;
use tokio::task::JoinHandle;

/// How much is collected before it is written: few switches between threads, little memory.
const CHUNK: usize = 256 << 10;

/// A temporary file of nobody else's, gone when this is dropped.
#[derive(Debug)]
pub(super) struct Part {
    path: TempPath,
    len: u64,
    filling: Vec<u8>,
    /// `None` after a failed write: what is on disk is not known any more.
    writer: Option<Writer>,
}

#[derive(Debug)]
enum Writer {
    Idle { sink: Sink, spare: Vec<u8> },
    Busy(JoinHandle<io::Result<(Sink, Vec<u8>)>>),
}

#[derive(Debug)]
struct Sink {
    file: File,
    hasher: Sha256,
}

/// A complete file.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) path: TempPath,
    pub(super) len: u64,
    pub(super) sha256: String,
}

impl Part {
    /// Makes an empty file in the folder, readable by this user only.
    pub(super) async fn create(dir: &Path) -> io::Result<Self> {
        let dir = dir.to_owned();
        let file = blocking(move || {
            tempfile::Builder::new()
                .prefix("zoom-")
                .suffix(".part")
                .tempfile_in(dir)
        })
        .await?;
        let (file, path) = file.into_parts();
        let writer = Writer::Idle {
            sink: Sink {
                file,
                hasher: Sha256::new(),
            },
            spare: Vec::new(),
        };
        Ok(Self {
            path,
            len: 0,
            filling: Vec::new(),
            writer: Some(writer),
        })
    }

    /// How many bytes it has been given.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Adds bytes at the end.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.len += bytes.len() as u64;
        self.filling.extend_from_slice(bytes);
        if self.filling.len() >= CHUNK {
            self.hand_over().await
        } else {
            Ok(())
        }
    }

    /// Empties it.
    pub(super) async fn restart(&mut self) -> io::Result<()> {
        self.filling.clear();
        let (mut sink, spare) = self.idle().await?;
        let sink = blocking(move || {
            sink.file.set_len(0)?;
            sink.file.rewind()?;
            sink.hasher = Sha256::new();
            Ok(sink)
        });
        self.writer = Some(Writer::Idle {
            sink: sink.await?,
            spare,
        });
        self.len = 0;
        Ok(())
    }

    /// Writes what is left and says what the file holds.
    pub(super) async fn finish(mut self) -> io::Result<Whole> {
        self.hand_over().await?;
        let (sink, _) = self.idle().await?;
        Ok(Whole {
            path: self.path,
            len: self.len,
            sha256: hex::encode(sink.hasher.finalize()),
        })
    }

    /// Has the collected bytes written, as soon as those before are.
    async fn hand_over(&mut self) -> io::Result<()> {
        let (mut sink, spare) = self.idle().await?;
        let mut bytes = std::mem::replace(&mut self.filling, spare);
        self.writer = Some(Writer::Busy(tokio::task::spawn_blocking(move || {
            sink.hasher.update(&bytes);
            sink.file.write_all(&bytes)?;
            bytes.clear();
            Ok((sink, bytes))
        })));
        Ok(())
    }

    async fn idle(&mut self) -> io::Result<(Sink, Vec<u8>)> {
        match self.writer.take() {
            Some(Writer::Idle { sink, spare }) => Ok((sink, spare)),
            Some(Writer::Busy(task)) => task.await.map_err(io::Error::other)?,
            None => Err(io::Error::other("an earlier write failed")),
        }
    }
}

/// Runs what may wait for a disk where it holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_given_is_what_is_on_disk_and_what_is_hashed() {
        let dir = tempfile::tempdir().unwrap();
        let mut part = Part::create(dir.path()).await.unwrap();
        part.write(b"to be forgotten").await.unwrap();
        part.write(&vec![1; 5 * CHUNK]).await.unwrap();
        part.restart().await.unwrap();
        let bytes: Vec<u8> = (0..3 * CHUNK + 17).map(|i| (i % 251) as u8).collect();
        for piece in bytes.chunks(10_000) {
            part.write(piece).await.unwrap();
        }
        let whole = part.finish().await.unwrap();
        assert_eq!(whole.len, bytes.len() as u64);
        assert_eq!(std::fs::read(&whole.path).unwrap(), bytes);
        assert_eq!(whole.sha256, hex::encode(Sha256::digest(&bytes)));
    }

    #[tokio::test]
    async fn nobody_else_can_read_it_and_nothing_stays_when_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let mut part = Part::create(dir.path()).await.unwrap();
        part.write(&vec![1; 2 * CHUNK]).await.unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&part.path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        drop(part);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
