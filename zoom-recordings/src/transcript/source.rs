//! Where a transcript's words come from.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where a transcript's words come from. Sources that a host adds go through `From<&str>`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TranscriptSource {
    /// Zoom's own transcript of the cloud recording.
    Zoom,
    /// A Whisper model on this machine.
    Whisper,
    /// OpenAI's audio API, or a server that speaks it.
    OpenAi,
    #[doc(hidden)]
    Other(OtherSource),
}

/// The text of a source without a variant of its own; read it with [`TranscriptSource::as_str`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OtherSource(Box<str>);

impl TranscriptSource {
    /// Its name, as stored: `zoom`, `whisper`, `openai`, or the host's own.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Zoom => "zoom",
            Self::Whisper => "whisper",
            Self::OpenAi => "openai",
            Self::Other(other) => &other.0,
        }
    }
}

impl From<&str> for TranscriptSource {
    fn from(name: &str) -> Self {
        match name {
            "zoom" => Self::Zoom,
            "whisper" => Self::Whisper,
            "openai" => Self::OpenAi,
            other => Self::Other(OtherSource(other.into())),
        }
    }
}

impl fmt::Display for TranscriptSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TranscriptSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TranscriptSource({})", self.as_str())
    }
}

impl Serialize for TranscriptSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for TranscriptSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(String::deserialize(deserializer)?.as_str()))
    }
}
