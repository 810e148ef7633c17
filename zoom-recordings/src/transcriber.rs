//! From a file to a transcript.

mod stub;
mod zoom;

use std::fmt;

use async_trait::async_trait;

use crate::{Media, StageError, Transcript};

pub use stub::{StubCall, StubTranscriber};
pub use zoom::ZoomTranscript;

/// Turns a media file into a transcript.
///
/// # Contract
///
/// 1. *sorted*: utterances are in order and numbered from 1, with times from the start of the file.
/// 2. *honest*: no words, no utterance. A file in which nobody speaks gives an empty transcript, not an error and not
///    made-up text.
/// 3. *untouched*: the file is read and neither changed nor moved.
/// 4. *classified*: a failure that the same file will always meet is permanent, everything else transient.
///
/// # Clone
///
/// Implementations are shared as `Arc<dyn Transcriber>`; calls may run at the same time.
///
/// # Cancellation
///
/// Dropping the future gives up the work; nothing is left behind that a second call would notice.
///
/// # Errors
///
/// [`StageError`], which tells a pipeline whether to try again.
#[async_trait]
pub trait Transcriber: fmt::Debug + Send + Sync + 'static {
    /// Transcribes the whole file.
    async fn transcribe(&self, media: Media<'_>) -> Result<Transcript, StageError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    static_assertions::assert_obj_safe!(Transcriber);
}
