#![doc = include_str!("../README.md")]

mod choose;
mod download;
#[cfg(feature = "local")]
pub mod local;
mod media;
#[cfg(feature = "openai")]
mod openai;
mod stage;
mod transcriber;
mod transcript;

pub use choose::{Chosen, Segment, choose_files};
pub use download::{DownloadError, DownloadErrorKind, Downloaded, Downloader, HostAllowList, NotAFile};
pub use media::{Media, MediaType};
#[cfg(feature = "openai")]
pub use openai::{ApiKey, OpenAiError, OpenAiTranscriber};
pub use stage::StageError;
pub use transcriber::{StubCall, StubTranscriber, Transcriber, ZoomTranscript};
pub use transcript::{
    KnownNames, Transcript, TranscriptError, TranscriptSource, Utterance, Warning, WarningKind, chat, vtt,
};
