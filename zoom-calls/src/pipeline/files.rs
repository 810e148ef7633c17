//! The files of one call on this machine.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::fs;
use zoom_recordings::MediaType;

use super::Inner;
use crate::CallId;

const MANIFEST: &str = "files.json";

/// What was downloaded, segment by segment: a recording that was stopped and started again has several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Files {
    pub(super) segments: Vec<SegmentFiles>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SegmentFiles {
    /// How long after the first segment this one began.
    pub(super) offset_ms: u64,
    pub(super) media: Option<PathBuf>,
    pub(super) transcript: Option<PathBuf>,
}

impl Files {
    pub(super) fn has_media(&self) -> bool {
        self.segments.iter().any(|segment| segment.media.is_some())
    }

    /// What was downloaded for a call, if all of it is still here. On another machine, or after a sweep, it is not.
    pub(super) async fn load(inner: &Inner, call: &CallId) -> Option<Self> {
        let text = fs::read(folder(inner, call).join(MANIFEST)).await.ok()?;
        let files: Self = serde_json::from_slice(&text).ok()?;
        for segment in &files.segments {
            for path in [&segment.media, &segment.transcript].into_iter().flatten() {
                fs::metadata(path).await.ok()?;
            }
        }
        Some(files)
    }

    /// Written last and in one step: a folder with a list of files has all of them.
    pub(super) async fn save(&self, inner: &Inner, call: &CallId) -> std::io::Result<()> {
        let folder = folder(inner, call);
        let draft = folder.join("files.json.part");
        fs::write(&draft, serde_json::to_vec(self)?).await?;
        fs::rename(draft, folder.join(MANIFEST)).await
    }

    /// The user's own file, and a transcript that lies beside it (`call.m4a` and `call.vtt` or `call.transcript.vtt`).
    pub(super) async fn beside(path: &Path) -> std::io::Result<Self> {
        fs::metadata(path).await?;
        let media_type = MediaType::of_path(path).filter(|kind| kind.has_sound() || *kind == MediaType::Vtt);
        let Some(media_type) = media_type else {
            return Err(std::io::Error::new(
                std::io::ErrorKind::InvalidInput,
                "neither sound nor a WebVTT transcript",
            ));
        };
        if media_type == MediaType::Vtt {
            let transcript = Some(path.to_owned());
            return Ok(Self {
                segments: vec![SegmentFiles {
                    transcript,
                    ..SegmentFiles::default()
                }],
            });
        }
        let mut transcript = None;
        for extension in ["vtt", "transcript.vtt"] {
            let candidate = path.with_extension(extension);
            if transcript.is_none() && fs::metadata(&candidate).await.is_ok() {
                transcript = Some(candidate);
            }
        }
        Ok(Self {
            segments: vec![SegmentFiles {
                offset_ms: 0,
                media: Some(path.to_owned()),
                transcript,
            }],
        })
    }
}

/// The folder of a call. Ids are made of letters, digits and `_`; a host's own id that is not goes no further than its name.
pub(super) fn folder(inner: &Inner, call: &CallId) -> PathBuf {
    let name: String = call
        .as_str()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '-'
            }
        })
        .collect();
    inner.work_dir.join(name)
}

/// Makes the folder of a call, readable by this user only.
pub(super) async fn make_folder(inner: &Inner, call: &CallId) -> std::io::Result<PathBuf> {
    let folder = folder(inner, call);
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(&folder).await?;
    Ok(folder)
}
