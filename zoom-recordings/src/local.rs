//! Speech to text on this machine: Whisper in pure Rust, on the CPU, without a network.
//!
//! ```no_run
//! use zoom_recordings::{Media, Transcriber, local::LocalWhisper};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let whisper = LocalWhisper::open("/var/lib/models/tiny.en")?;
//! let transcript = whisper.transcribe(Media::open("call.m4a".as_ref()).await?).await?;
//! println!("{}", transcript.plain_text());
//! # Ok(())
//! # }
//! ```
//!
//! The way of a recording: decode and resample to 16 kHz mono → find speech, skip silence, cut at pauses into pieces of
//! at most thirty seconds → spectrogram → Whisper, greedily, with its rules for times → guards against invented text.
//! All in a stream: memory does not grow with the recording. [`models`] installs the weights.

mod audio;
mod decoder;
mod error_rate;
mod mel;
mod model;
pub mod models;
mod rules;
mod sentences;
mod tokens;
mod voice;
mod weights;

use std::{fmt, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use self::{
    audio::{Audio, AudioError, RATE},
    model::Model,
    models::ModelError,
    voice::{Piece, Segmenter},
};
use crate::{Media, StageError, Transcriber, Transcript, TranscriptSource, transcript::Warnings};

pub use error_rate::word_error_rate;

/// Whisper on this machine.
///
/// Reads M4A, MP4 (its sound), MP3, WAV, FLAC and Ogg Vorbis. Does not tell speakers apart.
#[derive(Clone)]
pub struct LocalWhisper {
    model: Model,
    language: Option<String>,
    progress: Option<Arc<Progress>>,
}

type Progress = dyn Fn(Duration, Option<Duration>) + Send + Sync;

impl LocalWhisper {
    /// Loads the model in a folder that [`models::install`] made. Takes a moment and blocks meanwhile.
    ///
    /// # Errors
    ///
    /// [`ModelError::NotInstalled`] when there is none, [`ModelError::Format`] when it is something else.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, ModelError> {
        let model = Model::load(dir.as_ref())?;
        let language = (!model.is_multilingual()).then(|| "en".to_owned());
        Ok(Self {
            model,
            language,
            progress: None,
        })
    }

    /// Says which language is spoken (`en`, `de`) instead of letting the model find out in the first sentences.
    ///
    /// # Errors
    ///
    /// [`ModelError::UnknownLanguage`] when the model does not know it.
    pub fn with_language(mut self, code: &str) -> Result<Self, ModelError> {
        let known = if self.model.is_multilingual() {
            self.model.knows_language(code)
        } else {
            code == "en"
        };
        if !known {
            return Err(ModelError::UnknownLanguage);
        }
        self.language = Some(code.to_owned());
        Ok(self)
    }

    /// Calls back after each piece: how much of the recording is done, and how long it is if the file says so.
    #[must_use]
    pub fn with_progress(
        mut self,
        progress: impl Fn(Duration, Option<Duration>) + Send + Sync + 'static,
    ) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    fn run(mut self, path: &Path, cancelled: &CancellationToken) -> Result<Transcript, Failure> {
        let mut audio = Audio::open(path)?;
        let total = audio.duration();
        let mut segmenter = Segmenter::new();
        let mut transcript = Transcript::new(TranscriptSource::Whisper);
        let (mut warnings, mut done) = (Warnings::default(), 0);
        while let Some(block) = audio.next_block()? {
            if cancelled.is_cancelled() {
                return Err(Failure::Cancelled);
            }
            done += block.len() as u64;
            for piece in segmenter.push(&block) {
                self.hear(piece, &mut transcript, &mut warnings)?;
                self.report(done, total);
            }
        }
        if let Some(piece) = segmenter.finish() {
            self.hear(piece, &mut transcript, &mut warnings)?;
        }
        self.report(done, total);
        transcript.language = self.language;
        transcript.warnings = warnings.into_vec();
        Ok(transcript)
    }

    fn hear(
        &mut self,
        piece: Piece,
        transcript: &mut Transcript,
        warnings: &mut Warnings,
    ) -> Result<(), Failure> {
        if self.language.is_none() {
            self.language = self.model.language(&piece)?;
        }
        for sentence in self.model.transcribe(piece, self.language.as_deref(), warnings)? {
            transcript.push(
                milliseconds(sentence.start),
                milliseconds(sentence.end),
                None,
                &sentence.text,
            );
        }
        Ok(())
    }

    fn report(&self, done: u64, total: Option<Duration>) {
        if let Some(progress) = &self.progress {
            progress(Duration::from_millis(milliseconds(done)), total);
        }
    }
}

impl fmt::Debug for LocalWhisper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalWhisper")
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Transcriber for LocalWhisper {
    async fn transcribe(&self, media: Media<'_>) -> Result<Transcript, StageError> {
        let (whisper, path) = (self.clone(), media.path.to_owned());
        let cancelled = CancellationToken::new();
        // A thread cannot be stopped from outside; when this future is dropped, the thread stops at the next block.
        let _stop = cancelled.clone().drop_guard();
        match tokio::task::spawn_blocking(move || whisper.run(&path, &cancelled)).await {
            Ok(result) => result.map_err(StageError::from),
            Err(error) if error.is_cancelled() => Err(StageError::transient(error)),
            Err(error) => Err(StageError::permanent(error)),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Audio(#[from] AudioError),
    #[error("the speech model failed")]
    Model(#[from] candle_core::Error),
    #[error("transcribing was given up")]
    Cancelled,
}

impl From<Failure> for StageError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Audio(AudioError::Read(_)) | Failure::Cancelled => Self::transient(failure),
            Failure::Audio(_) | Failure::Model(_) => Self::permanent(failure),
        }
    }
}

fn milliseconds(samples: u64) -> u64 {
    samples * 1000 / u64::from(RATE)
}

#[cfg(test)]
mod tests;
