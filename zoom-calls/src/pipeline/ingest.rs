//! A call from a file on disk.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

use super::files::Files;
use super::job::CallJob;
use super::{Pipeline, PipelineError};
use crate::{Call, CallId, CallParticipant, CallStatus, Origin, OwnerId, Scope, StoreError};

/// A local recording (M4A, MP4, …) or transcript (VTT), and what is known of the call in it.
///
/// A transcript beside a recording, of the same name with `.vtt` or `.transcript.vtt`, gives the speakers' names, and the
/// words too when no transcriber is configured.
#[derive(Clone, Debug)]
pub struct IngestFile {
    path: PathBuf,
    topic: Option<String>,
    started_at: Option<Timestamp>,
    timezone: Option<String>,
    host_email: Option<String>,
    participants: Vec<CallParticipant>,
}

impl IngestFile {
    /// A file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            path,
            topic: None,
            started_at: None,
            timezone: None,
            host_email: None,
            participants: Vec::new(),
        }
    }

    /// What the call was about; the file's name by default.
    #[must_use]
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.topic = Some(topic.into());
        self
    }

    /// When the call began. Without it no day can be told from "Friday".
    #[must_use]
    pub fn started_at(mut self, started_at: Timestamp) -> Self {
        self.started_at = Some(started_at);
        self
    }

    /// The time zone in which people spoke of days, as an IANA name.
    #[must_use]
    pub fn timezone(mut self, timezone: impl Into<String>) -> Self {
        self.timezone = Some(timezone.into());
        self
    }

    /// The rep's address; its domain tells who is of the same side.
    #[must_use]
    pub fn host_email(mut self, email: impl Into<String>) -> Self {
        self.host_email = Some(email.into());
        self
    }

    /// Adds somebody who took part.
    #[must_use]
    pub fn participant(mut self, participant: CallParticipant) -> Self {
        self.participants.push(participant);
        self
    }
}

impl Pipeline {
    /// Takes a file into the pipeline and names its call; a worker does the steps. The same file of the same owner is the
    /// same call: it is not made twice, and tried again if it had failed. The file is read where it lies and never changed.
    ///
    /// # Errors
    ///
    /// [`PipelineError::File`] when it cannot be read or is neither sound nor a transcript; or the store or queue fails.
    pub async fn ingest_file(&self, owner: &OwnerId, file: IngestFile) -> Result<CallId, PipelineError> {
        let path = tokio::fs::canonicalize(&file.path)
            .await
            .map_err(PipelineError::File)?;
        Files::beside(&path).await.map_err(PipelineError::File)?;
        let id = CallId::for_file(owner, &sha256(&path).await.map_err(PipelineError::File)?);
        let stem = || {
            path.file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
                .unwrap_or_default()
        };
        let origin = Origin::File { path: path.clone() };
        let topic = file.topic.unwrap_or_else(stem);
        let mut call = Call::new(id.clone(), owner.clone(), origin, topic, self.inner.clock.now());
        (call.started_at, call.timezone) = (file.started_at, file.timezone);
        (call.host_email, call.participants) = (file.host_email, file.participants);
        match self.inner.store.save(&call).await {
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
        let stored = self.place(&id, &path).await?;
        // A call that was deleted and comes again is another one, although of the same id.
        let occasion = match stored.status {
            CallStatus::Failed => format!("file again {}", stored.revision),
            _ => format!("file {}", stored.created_at),
        };
        self.inner
            .queue
            .enqueue(&[CallJob::for_call(&stored).first(&occasion)?])
            .await?;
        Ok(id)
    }

    /// The stored call, which is to be read from `path`: the file may have been moved since it was first taken in.
    async fn place(&self, id: &CallId, path: &Path) -> Result<Call, PipelineError> {
        loop {
            let stored = self.inner.store.load(&Scope::All, id).await?;
            let mut call = stored.ok_or(PipelineError::NoSuchCall)?;
            let here = Origin::File {
                path: path.to_owned(),
            };
            if call.origin == here || call.status != CallStatus::Failed {
                return Ok(call);
            }
            call.origin = here;
            match self.inner.store.save(&call).await {
                Ok(revision) => {
                    call.revision = revision;
                    return Ok(call);
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The hash of a file, read piece by piece.
async fn sha256(path: &Path) -> std::io::Result<String> {
    let mut file = tokio::fs::File::open(path).await?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0_u8; 1 << 16];
    loop {
        let read = file.read(&mut buffer).await?;
        if read == 0 {
            return Ok(hex::encode(hash.finalize()));
        }
        hash.update(buffer.get(..read).unwrap_or_default());
    }
}
