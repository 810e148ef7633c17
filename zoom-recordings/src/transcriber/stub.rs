//! A transcriber for tests of what is built on transcribers.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::Transcriber;
use crate::{Media, MediaType, StageError, Transcript};

/// Answers with what it was given and remembers what it was asked.
///
/// ```
/// use zoom_recordings::{Media, MediaType, StageError, StubTranscriber, Transcriber, Transcript, TranscriptSource};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let mut transcript = Transcript::new(TranscriptSource::Whisper);
/// transcript.push(0, 900, Some("Ana"), "Good morning.");
/// let stub = StubTranscriber::new(transcript).fail_first(StageError::transient("busy"));
///
/// let media = Media::new("call.m4a".as_ref(), MediaType::M4a, 12);
/// assert!(stub.transcribe(media).await.is_err());
/// assert_eq!(stub.transcribe(media).await?.words(), 2);
/// assert_eq!(stub.calls().len(), 2);
/// # Ok::<(), StageError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct StubTranscriber {
    answer: Transcript,
    failures: Mutex<VecDeque<StageError>>,
    calls: Mutex<Vec<StubCall>>,
}

/// What a [`StubTranscriber`] was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StubCall {
    /// The file's path.
    pub path: PathBuf,
    /// The file's type.
    pub media_type: MediaType,
    /// The file's length.
    pub len: u64,
}

impl StubTranscriber {
    /// Answers every call with this transcript.
    #[must_use]
    pub const fn new(answer: Transcript) -> Self {
        Self {
            answer,
            failures: Mutex::new(VecDeque::new()),
            calls: Mutex::new(Vec::new()),
        }
    }

    /// Fails with this before it answers; several failures come in the order in which they were added.
    #[must_use]
    pub fn fail_first(self, failure: StageError) -> Self {
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(failure);
        self
    }

    /// What it was asked so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<StubCall> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Transcriber for StubTranscriber {
    async fn transcribe(&self, media: Media<'_>) -> Result<Transcript, StageError> {
        let call = StubCall {
            path: media.path.to_owned(),
            media_type: media.media_type,
            len: media.len,
        };
        self.calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(call);
        match self
            .failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
        {
            Some(failure) => Err(failure),
            None => Ok(self.answer.clone()),
        }
    }
}
