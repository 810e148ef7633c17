#![doc = include_str!("../README.md")]

#[cfg(feature = "local")]
pub mod local;
mod media;
mod stage;
mod transcriber;
mod transcript;

pub use media::{Media, MediaType};
pub use stage::StageError;
pub use transcriber::{StubCall, StubTranscriber, Transcriber, ZoomTranscript};
pub use transcript::{
    KnownNames, Transcript, TranscriptError, TranscriptSource, Utterance, Warning, WarningKind, chat, vtt,
};
