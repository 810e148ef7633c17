//! Zoom's own transcript.

use async_trait::async_trait;

use super::Transcriber;
use crate::{KnownNames, Media, MediaType, StageError, Transcript, TranscriptError, vtt};

/// The transcriber that needs no model: it reads the transcript file that Zoom made.
#[derive(Debug, Clone, Default)]
pub struct ZoomTranscript {
    parser: vtt::Parser,
}

impl ZoomTranscript {
    /// Reads what `recording.transcript_completed` announced.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The participants' names: they settle where a name ends when it contains a colon.
    #[must_use]
    pub fn with_known_names(mut self, names: KnownNames) -> Self {
        self.parser = self.parser.with_known_names(names);
        self
    }
}

#[async_trait]
impl Transcriber for ZoomTranscript {
    /// Fails for good when the file is no transcript, for now when it cannot be read or is still empty.
    async fn transcribe(&self, media: Media<'_>) -> Result<Transcript, StageError> {
        if media.media_type != MediaType::Vtt {
            return Err(StageError::permanent(TranscriptError::NotVtt));
        }
        if media.len > vtt::MAX_BYTES as u64 {
            return Err(StageError::permanent(TranscriptError::TooLarge {
                limit: vtt::MAX_BYTES,
                unit: "bytes",
            }));
        }
        let bytes = tokio::fs::read(media.path).await.map_err(StageError::transient)?;
        self.parser.parse(bytes).map_err(|error| match error {
            TranscriptError::Empty => StageError::transient(error),
            _ => StageError::permanent(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn transcribe(bytes: &[u8], media_type: MediaType) -> Result<Transcript, StageError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("transcript.vtt");
        std::fs::write(&path, bytes).unwrap();
        ZoomTranscript::new()
            .transcribe(Media::new(&path, media_type, bytes.len() as u64))
            .await
    }

    #[tokio::test]
    async fn the_file_is_the_transcript() {
        let file = b"WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\nAna: hello there\n";
        let transcript = transcribe(file, MediaType::Vtt).await.unwrap();
        assert_eq!(transcript.plain_text(), "Ana: hello there\n");
        assert_eq!(transcript.source.as_str(), "zoom");
    }

    #[tokio::test]
    async fn an_empty_file_may_be_whole_later_and_a_page_never_becomes_a_transcript() {
        assert!(transcribe(b"", MediaType::Vtt).await.unwrap_err().is_transient());
        assert!(
            !transcribe(b"<html>", MediaType::Vtt)
                .await
                .unwrap_err()
                .is_transient()
        );
        assert!(
            !transcribe(b"WEBVTT\n", MediaType::M4a)
                .await
                .unwrap_err()
                .is_transient()
        );
    }
}
