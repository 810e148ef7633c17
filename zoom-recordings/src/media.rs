//! A media file on disk: a path, a type, a length. Never the bytes: recordings are gigabytes.

use std::path::Path;

/// A file to be transcribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Media<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// What it is.
    pub media_type: MediaType,
    /// How many bytes it has.
    pub len: u64,
}

impl<'a> Media<'a> {
    /// Describes a file whose type and length are known.
    #[must_use]
    pub const fn new(path: &'a Path, media_type: MediaType, len: u64) -> Self {
        Self {
            path,
            media_type,
            len,
        }
    }

    /// Describes a file on disk: the type by its extension, the length by asking.
    ///
    /// # Errors
    ///
    /// When the file cannot be asked for its length, and `InvalidInput` when its extension says nothing.
    pub async fn open(path: &'a Path) -> std::io::Result<Self> {
        let media_type = MediaType::of_path(path).ok_or_else(|| {
            std::io::Error::new(
                std::io::ErrorKind::InvalidInput,
                "the file's extension is none that Zoom or Whisper know",
            )
        })?;
        let len = tokio::fs::metadata(path).await?.len();
        Ok(Self {
            path,
            media_type,
            len,
        })
    }
}

/// What kind of file something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaType {
    /// Video with sound, as Zoom records it.
    Mp4,
    /// Sound only, as Zoom records it.
    M4a,
    /// MPEG layer 3.
    Mp3,
    /// Waveform audio.
    Wav,
    /// Free lossless audio.
    Flac,
    /// Ogg with Vorbis or Opus.
    Ogg,
    /// `WebM`.
    Webm,
    /// `WebVTT`: a transcript or captions.
    Vtt,
    /// Plain text: a chat.
    Text,
    /// JSON: a timeline or a summary.
    Json,
    /// Comma-separated values: polls.
    Csv,
    /// An image.
    Jpeg,
}

impl MediaType {
    const ALL: [(Self, &'static str, &'static str); 12] = [
        (Self::Mp4, "mp4", "video/mp4"),
        (Self::M4a, "m4a", "audio/mp4"),
        (Self::Mp3, "mp3", "audio/mpeg"),
        (Self::Wav, "wav", "audio/wav"),
        (Self::Flac, "flac", "audio/flac"),
        (Self::Ogg, "ogg", "audio/ogg"),
        (Self::Webm, "webm", "video/webm"),
        (Self::Vtt, "vtt", "text/vtt"),
        (Self::Text, "txt", "text/plain"),
        (Self::Json, "json", "application/json"),
        (Self::Csv, "csv", "text/csv"),
        (Self::Jpeg, "jpg", "image/jpeg"),
    ];

    /// The type that an extension stands for, in any case and without its dot.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        let known =
            |(kind, name, _): &(Self, &str, &str)| extension.eq_ignore_ascii_case(name).then_some(*kind);
        Self::ALL
            .iter()
            .find_map(known)
            .or_else(|| match extension.to_ascii_lowercase().as_str() {
                "oga" | "opus" => Some(Self::Ogg),
                "jpeg" => Some(Self::Jpeg),
                "wave" => Some(Self::Wav),
                _ => None,
            })
    }

    /// The type that a file's name stands for.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        Self::of_extension(path.extension()?.to_str()?)
    }

    /// The usual extension, without its dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        self.names().0
    }

    /// The MIME type.
    #[must_use]
    pub fn mime(self) -> &'static str {
        self.names().1
    }

    /// Whether it has sound that can be transcribed.
    #[must_use]
    pub const fn has_sound(self) -> bool {
        matches!(
            self,
            Self::Mp4 | Self::M4a | Self::Mp3 | Self::Wav | Self::Flac | Self::Ogg | Self::Webm
        )
    }

    fn names(self) -> (&'static str, &'static str) {
        let row = Self::ALL.iter().find(|(kind, _, _)| *kind == self);
        row.map_or(("bin", "application/octet-stream"), |(_, extension, mime)| {
            (extension, mime)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found_by_its_own_extension() {
        for (kind, extension, mime) in MediaType::ALL {
            assert_eq!(MediaType::of_extension(&extension.to_uppercase()), Some(kind));
            assert_eq!((kind.extension(), kind.mime()), (extension, mime));
        }
        assert_eq!(
            MediaType::of_path(Path::new("/a/b.c/call.M4A")),
            Some(MediaType::M4a)
        );
        assert_eq!(MediaType::of_path(Path::new("call")), None);
    }

    #[tokio::test]
    async fn a_file_is_described_by_its_name_and_its_length() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("call.wav");
        std::fs::write(&path, b"12345").unwrap();
        let media = Media::open(&path).await.unwrap();
        assert_eq!(media, Media::new(&path, MediaType::Wav, 5));
    }
}
